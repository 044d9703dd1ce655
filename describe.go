package convo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxLabels is how many labels a conversation may have, MaxSubject how long its subject may be, and
// MaxAttributes how long the JSON of attributes, both in bytes. A subject may be as long as a line
// of e-mail (RFC 5322, 2.1.1).
const (
	MaxLabels     = 32
	MaxSubject    = 998
	MaxAttributes = 8 << 10
)

// Tokens are a set of tokens, such as the labels of a conversation: each once, in order of their
// bytes. It is a plain value that == compares; in JSON it is an array.
type Tokens string

// TokensOf is the set of tokens, in any order. An empty one is none; none has an end of line.
func TokensOf(tokens ...string) Tokens {
	all := slices.Sorted(slices.Values(tokens))
	return Tokens(strings.TrimPrefix(strings.Join(slices.Compact(all), "\n"), "\n"))
}

// All lists the tokens. The slice is the caller's.
func (l Tokens) All() []string {
	if l == "" {
		return nil
	}
	return strings.Split(string(l), "\n")
}

// Has reports whether one of the tokens is token.
func (l Tokens) Has(token string) bool {
	for one := range strings.SplitSeq(string(l), "\n") {
		if one == token {
			return token != ""
		}
	}
	return false
}

// changed is l with tokens added, and then others taken off.
func (l Tokens) changed(add, remove []string) Tokens {
	all := slices.DeleteFunc(append(l.All(), add...), func(token string) bool {
		return slices.Contains(remove, token)
	})
	return TokensOf(all...)
}

// MarshalJSON implements json.Marshaler.
func (l Tokens) MarshalJSON() ([]byte, error) {
	if l == "" {
		return []byte("[]"), nil
	}
	return json.Marshal(l.All())
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *Tokens) UnmarshalJSON(data []byte) error {
	var all []string
	if err := json.Unmarshal(data, &all); err != nil {
		return invalid("tokens", "must be a JSON array of texts")
	}
	for _, token := range all {
		if err := checkID("tokens", token); err != nil {
			return err
		}
	}
	*l = TokensOf(all...)
	return nil
}

// Priority is how urgent a conversation is: a number that can be compared, and a name in JSON.
type Priority uint8

// The priorities.
const (
	PriorityNone Priority = iota
	PriorityLow
	PriorityMedium
	PriorityHigh
	PriorityUrgent
)

var priorities = [...]string{"none", "low", "medium", "high", "urgent"}

// String is the name of the priority, as in JSON.
func (p Priority) String() string {
	if int(p) < len(priorities) {
		return priorities[p]
	}
	return fmt.Sprintf("priority %d", uint8(p))
}

// MarshalText implements encoding.TextMarshaler.
func (p Priority) MarshalText() ([]byte, error) { return []byte(p.String()), p.check() }

// UnmarshalText implements encoding.TextUnmarshaler. A name that is none is a *ValidationError.
func (p *Priority) UnmarshalText(text []byte) error {
	i := slices.Index(priorities[:], string(text))
	if i < 0 {
		return invalid("priority", fmt.Sprintf("%q is not one of %q", text, priorities))
	}
	*p = Priority(i)
	return nil
}

func (p Priority) check() error {
	if p > PriorityUrgent {
		return invalid("priority", fmt.Sprintf("%d is not one of %q", uint8(p), priorities))
	}
	return nil
}

// Attributes are the host's own data on a contact or a conversation: the text of one JSON object,
// or empty. It is a plain value that == compares: names are in order, and numbers as they were
// written.
type Attributes string

// Map is the object; the map is the caller's. Numbers are json.Number.
func (a Attributes) Map() map[string]any {
	m := map[string]any{}
	if a != "" {
		_ = decodeNumbers([]byte(a), &m) // which it was made from
	}
	return m
}

// MarshalJSON implements json.Marshaler.
func (a Attributes) MarshalJSON() ([]byte, error) {
	if a == "" {
		return []byte("{}"), nil
	}
	return []byte(a), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *Attributes) UnmarshalJSON(data []byte) (err error) {
	*a, err = Attributes("").patched(data)
	return err
}

// patched is a after a merge patch (RFC 7396): what the patch names takes the place of what is
// there, objects are merged, and null removes.
func (a Attributes) patched(patch json.RawMessage) (Attributes, error) {
	var change map[string]any
	if err := decodeNumbers(patch, &change); err != nil {
		return "", invalid("attributes", "must be a JSON object: "+err.Error())
	}
	all := a.Map()
	mergePatch(all, change)
	if len(all) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(all) // what was decoded from JSON
	text := unescape.Replace(strings.TrimSuffix(b.String(), "\n"))
	if n := len(text); n > MaxAttributes {
		return "", invalid("attributes",
			fmt.Sprintf("must be at most %d bytes of JSON together, not %d", MaxAttributes, n))
	}
	return Attributes(text), nil
}

func mergePatch(to, patch map[string]any) {
	for name, value := range patch {
		change, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(to, name)
		case isObject:
			of, ok := to[name].(map[string]any)
			if !ok {
				of = map[string]any{}
			}
			mergePatch(of, change)
			to[name] = of
		default:
			to[name] = value
		}
	}
}

func decodeNumbers(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(v)
}

// checkPatch reports what is wrong with a merge patch by itself; nil changes nothing.
func checkPatch(patch json.RawMessage) error {
	switch {
	case len(patch) == 0:
		return nil
	case len(patch) > MaxAttributes:
		return invalid("attributes",
			fmt.Sprintf("must be at most %d bytes, not %d", MaxAttributes, len(patch)))
	case !json.Valid(patch) || !utf8.Valid(patch) || bytes.TrimSpace(patch)[0] != '{':
		return invalid("attributes", "must be a JSON object")
	}
	if err := checkNames(patch, nil, nil); err != nil {
		return invalid("attributes", err.Error())
	}
	d := json.NewDecoder(bytes.NewReader(patch))
	d.UseNumber()
	for {
		switch token, err := d.Token(); n := token.(type) {
		case json.Number:
			if _, err := n.Float64(); err != nil { // which most readers of JSON make of it
				return invalid("attributes", fmt.Sprintf("%.40s is out of range", n))
			}
		default:
			if err != nil {
				return nil //nolint:nilerr // the end
			}
		}
	}
}

// checkLabels reports what is wrong with labels that are to be added or taken off.
func checkLabels(field string, labels []string) error {
	if len(labels) > MaxLabels {
		return invalid(field, fmt.Sprintf("at most %d labels, not %d", MaxLabels, len(labels)))
	}
	for _, label := range labels {
		if err := checkID(field, label); err != nil {
			return err
		}
	}
	return nil
}

// description is what a command says about a conversation or a contact, and what that makes of it.
type description struct {
	add, remove []string
	priority    Priority
	name        *string // or the subject; nil: it stays
	patch       json.RawMessage

	// After the command.
	labels     Tokens
	called     string
	attributes Attributes
}

// check reports what is wrong with a description by itself.
func (d *description) check(kind commandKind) error {
	switch kind {
	case kindLabel:
		if err := checkLabels("add", d.add); err != nil {
			return err
		}
		return checkLabels("remove", d.remove)
	case kindPrioritize:
		return d.priority.check()
	}
	if d.name != nil {
		field, limit := "subject", MaxSubject
		if kind == kindSetProfile {
			field, limit = "name", MaxID
		}
		if err := checkBytes(field, *d.name, limit); err != nil {
			return err
		}
	}
	return checkPatch(d.patch)
}

// resolve says what o makes of s, whether or not that is a change.
func (o *fields) resolve(s *Snapshot) (err error) {
	d := o.about
	if d == nil {
		return nil
	}
	c, attributes := &s.Conversation, s.Conversation.Attributes
	switch o.kind {
	case kindLabel:
		d.labels = c.Labels.changed(d.add, d.remove)
		if n := len(d.labels.All()); n > MaxLabels {
			return invalid("add", fmt.Sprintf("at most %d labels together, not %d", MaxLabels, n))
		}
		return nil
	case kindDescribe:
		d.called = c.Subject
	case kindSetProfile:
		d.called, attributes = s.Contact.Name, s.Contact.Attributes
	}
	if d.name != nil {
		d.called = *d.name
	}
	if d.attributes = attributes; len(d.patch) > 0 {
		d.attributes, err = attributes.patched(d.patch)
	}
	return err
}

// describe writes the event of a description.
func (w *decider) describe(s *Snapshot, o *fields) {
	d, c := o.about, &s.Conversation
	var e *Event
	switch o.kind {
	case kindLabel:
		e = w.add(s, o, ConversationLabeled)
		e.Payload = &Labeling{d.labels, c.Labels}
	case kindPrioritize:
		e = w.add(s, o, ConversationPrioritized)
		e.Payload = &Prioritizing{d.priority, c.Priority}
	case kindDescribe:
		e = w.add(s, o, ConversationDescribed)
		e.Payload = &Description{d.called, d.attributes}
	case kindSetProfile:
		e = w.addContact(s, o, ProfileChanged)
		e.Payload = &Profile{d.called, d.attributes}
	}
	w.apply(s, e)
}
