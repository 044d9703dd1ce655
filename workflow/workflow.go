package workflow

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of Config and Trigger.
func Schema() []byte { return bytes.Clone(schema) }

// Kind says which step a Config is of.
type Kind string

// The steps.
const (
	OpenConversation  Kind = "open_conversation"
	CloseConversation Kind = "close_conversation"
)

// The most that a field holds, in bytes; what a template writes beyond is cut off. A policy may
// allow less, which is then an error of Run.
const (
	MaxGreeting = convo.DefaultMaxBody
	MaxCategory = convo.MaxID
	MaxSummary  = convo.DefaultMaxSummary
)

// Config is how a step is configured. It is JSON, as Schema says.
type Config struct {
	Step Kind `json:"step"`
	// Of open_conversation: the channel to open on (default: that of the contact's address, if the
	// step is run for one), and the template of the message to greet with (default: none). A
	// greeting is also sent when the conversation is open already.
	Channel  string `json:"channel,omitempty"`
	Greeting string `json:"greeting,omitempty"`
	// Of close_conversation: templates of the closing's category and summary.
	Category string `json:"category,omitempty"`
	Summary  string `json:"summary,omitempty"`
}

// Step is a configured step that was checked. It is safe for concurrent use.
type Step struct {
	config                      Config
	greeting, category, summary *compiled
}

// Parse reads the JSON of a step and checks it as New does. Unknown fields are refused.
func Parse(data []byte, p *convo.Policy) (*Step, error) {
	var c Config
	if err := decode(data, "step", &c); err != nil {
		return nil, err
	}
	return New(c, p)
}

// decode reads an object whose fields are those of to, a pointer to a struct, and no others. (By
// itself encoding/json takes names in any case, which the schema does not.)
func decode(data []byte, what string, to any) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || fields == nil {
		return invalid(what, "must be a JSON object")
	}
	known := map[string]bool{}
	for f := range reflect.TypeOf(to).Elem().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !known[name] {
			return invalid(name, "is no field of a "+what)
		}
	}
	err := json.Unmarshal(data, to)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return invalid(wrong.Field, "must not be a "+wrong.Value)
	}
	return err
}

// New checks a configuration: its templates are parsed, and every part of them is tried on a
// sample; what they give is held against the policy of the contacts that the step will run for
// (nil: the default one). All that is wrong is a *convo.ValidationError that names the field.
//
// A category is held against the policy's categories when it is saved only if it is a constant;
// what a template makes of a contact is not known before it runs.
func New(c Config, p *convo.Policy) (*Step, error) {
	if c.Step != OpenConversation && c.Step != CloseConversation {
		return nil, invalid(
			"step",
			fmt.Sprintf("%q is not one of %q and %q", c.Step, OpenConversation, CloseConversation),
		)
	}
	s := &Step{config: c}
	for _, f := range [...]struct {
		name  string
		value string
		of    Kind
		limit int // of a template
		to    **compiled
	}{
		{"channel", c.Channel, OpenConversation, 0, nil},
		{"greeting", c.Greeting, OpenConversation, MaxGreeting, &s.greeting},
		{"category", c.Category, CloseConversation, MaxCategory, &s.category},
		{"summary", c.Summary, CloseConversation, MaxSummary, &s.summary},
	} {
		switch {
		case f.value == "":
			continue
		case f.of != c.Step:
			return nil, invalid(f.name, fmt.Sprintf("belongs to a step %q", f.of))
		case f.to == nil:
			continue
		}
		t, err := compile(f.value, f.limit)
		if err != nil {
			return nil, invalid(f.name, err.Error())
		}
		*f.to = t
	}
	if err := s.rehearse(p); err != nil {
		return nil, err
	}
	return s, nil
}

// rehearse has the engine's own rules decide on what the step gives for the sample.
func (s *Step) rehearse(p *convo.Policy) error {
	d := sample
	d.Contact.Attributes = map[string]string{}
	for _, t := range [...]*compiled{s.greeting, s.category, s.summary} {
		if t != nil {
			for _, name := range t.attributes {
				d.Contact.Attributes[name] = "sample"
			}
		}
	}
	cmds, err := s.commands(Execution{Workflow: "sample"}, &d)
	if err != nil {
		return err
	}
	var policy convo.Policy
	if p != nil {
		policy = *p
	}
	if s.category != nil && !s.category.constant() {
		policy.Categories = nil
	}
	if s.config.Step == CloseConversation {
		cmds = append([]convo.Command{convo.Open{By: convo.BySystem()}}, cmds...)
	}
	t := convo.Snapshot{
		Ref:  convo.ToContact("sample", "sample"),
		Next: uuid.UUID{6: 0x70, 8: 0x80, 15: 1},
	}
	t.Contact = convo.Contact{Workspace: "sample", ID: "sample"}
	_, err = convo.Decide(t, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), &policy, cmds...)
	return asGreeting(err)
}

// asGreeting calls the body of a message what it is called here.
func asGreeting(err error) error {
	if v := (*convo.ValidationError)(nil); errors.As(err, &v) && v.Field == "body" {
		return invalid("greeting", v.Rule)
	}
	return err
}

// Execution is one run of a step: for whom, and what the host knows that the library does not.
type Execution struct {
	// Workflow is the id of the workflow; it is recorded as the automation that did it. It may be
	// empty.
	Workflow string
	// Key makes the run idempotent: the same for each repetition of it, and another one for every
	// other run and every other step, such as the ids of execution and step together. A repetition
	// is OutcomeDuplicate, whatever the templates would give by then (if that is something else,
	// with the contact's latest conversation and no events); so a key that is used for something
	// else does nothing. Empty: a repetition is another run. It has at most MaxKey bytes.
	Key string
	// Name, if not empty, is the contact's name for templates, instead of that of its profile.
	// Attributes are what else the host knows of it; they go before those of the profile. They are
	// reachable by names of letters, digits and underscores.
	Name       string
	Attributes map[string]string
}

// MaxKey is the longest Execution.Key, in bytes.
const MaxKey = convo.MaxID - len("workflow::close_conversation")

// Run carries the step out for the contact that to leads to, as one call of Engine.Do: the Open and
// its greeting are committed together or not at all. An unknown contact is created by an Open, as
// Engine.Do says.
//
// The templates see contact and conversation as they are right before. A Close is for that
// conversation: if another one was opened meanwhile, it fails with ErrNotActive and closes nothing
// that it has not summarized.
//
// It fails as Engine.Do does, and with a *convo.ValidationError for the fields of x. A
// *convo.ValidationError of "category" or "summary" says that what the template gives, the policy
// does not take.
func (s *Step) Run(
	ctx context.Context,
	engine *convo.Engine,
	to convo.Ref,
	x Execution,
) (convo.Result, error) {
	if len(x.Key) > MaxKey {
		return convo.Result{}, invalid(
			"key",
			fmt.Sprintf("must be at most %d bytes, not %d", MaxKey, len(x.Key)),
		)
	}
	d, conversation, err := look(ctx, engine, to)
	if err != nil {
		return convo.Result{}, err
	}
	if x.Name != "" {
		d.Contact.Name = x.Name
	}
	maps.Copy(d.Contact.Attributes, x.Attributes)
	cmds, err := s.commands(x, &d)
	if err != nil {
		return convo.Result{}, err
	}
	if s.config.Step == CloseConversation && conversation != uuid.Nil {
		to = convo.ToConversation(to.Workspace, conversation)
	}
	r, err := engine.Do(ctx, to, cmds...)
	if errors.Is(err, convo.ErrKeyReused) {
		return repeated(ctx, engine, to)
	}
	return r, asGreeting(err)
}

// look is what the templates see of the contact, and which conversation that is.
func look(
	ctx context.Context,
	engine *convo.Engine,
	to convo.Ref,
) (d Data, conversation uuid.UUID, err error) {
	k, err := engine.Contact(ctx, to)
	d.Contact.Attributes = attributes(k.Attributes)
	if errors.Is(err, convo.ErrNotFound) && to.Conversation == uuid.Nil {
		d.Contact.ID = to.Contact
		return d, uuid.Nil, nil
	}
	if err != nil {
		return Data{}, uuid.Nil, err
	}
	d.Contact.ID, d.Contact.Name = k.ID, k.Name
	c, err := engine.Conversation(ctx, to)
	if errors.Is(err, convo.ErrNotFound) && to.Conversation == uuid.Nil {
		return d, uuid.Nil, nil
	}
	if err != nil {
		return Data{}, uuid.Nil, err
	}
	d.Contact.Returning = c.Returning() || !c.Status.Active()
	d.Conversation = ConversationData{
		ID:       c.ID.String(),
		Channel:  c.Channel,
		Status:   string(c.Status),
		Source:   string(c.Cycle.OpenedSource),
		Assignee: c.Assignee,
		Team:     c.Team,
		Category: c.Cycle.Closing.Category,
		Summary:  c.Cycle.Closing.Summary,
	}
	return d, c.ID, nil
}

// attributes are those of a profile that are texts, numbers, true or false, as texts.
func attributes(of convo.Attributes) map[string]string {
	all := map[string]string{}
	for name, value := range of.Map() {
		switch v := value.(type) {
		case string:
			all[name] = v
		case json.Number:
			all[name] = v.String()
		case bool:
			all[name] = strconv.FormatBool(v)
		}
	}
	return all
}

// commands are what the step does.
func (s *Step) commands(x Execution, d *Data) ([]convo.Command, error) {
	by := convo.ByAutomation(x.Workflow)
	key := x.Key
	if key != "" {
		key = "workflow:" + key + ":" + string(s.config.Step)
	}
	var greeting, category, summary string
	for _, f := range [...]struct {
		name string
		from *compiled
		to   *string
	}{
		{"greeting", s.greeting, &greeting}, {"category", s.category, &category},
		{"summary", s.summary, &summary},
	} {
		var err error
		if *f.to, err = f.from.render(d); err != nil {
			return nil, invalid(f.name, err.Error())
		}
	}
	if s.config.Step == CloseConversation {
		return []convo.Command{
			convo.Close{By: by, Key: key, Category: strings.TrimSpace(category), Summary: summary},
		}, nil
	}
	cmds := []convo.Command{convo.Open{By: by, Key: key, Channel: s.config.Channel}}
	if strings.TrimSpace(greeting) != "" {
		cmds = append(cmds, convo.Send{By: by, Channel: s.config.Channel, Body: greeting})
	}
	return cmds, nil
}

// repeated answers a run whose key an earlier run used, in which the templates gave something else
// (ErrKeyReused): with the conversation as it is now.
func repeated(ctx context.Context, engine *convo.Engine, to convo.Ref) (convo.Result, error) {
	k, err := engine.Contact(ctx, to)
	if err != nil {
		return convo.Result{}, err
	}
	r := convo.Result{Outcome: convo.OutcomeDuplicate, Contact: k}
	r.Conversation, err = engine.Conversation(ctx, to)
	if errors.Is(err, convo.ErrNotFound) && to.Conversation == uuid.Nil {
		err = nil // it has none
	}
	return r, err
}

// Trigger says which openings, closings and passed deadlines start a workflow. It is JSON, as
// Schema says. Empty lists match all, but see Sources.
type Trigger struct {
	// On is conversation_opened, which a reopening is too, conversation_closed, or deadline_passed,
	// which a reply or closing is too that comes too late for a target before Tick has seen that:
	// each is once.
	On convo.EventKind `json:"on"`
	// Sources are those of the opening or closing. Empty: all but automation, so that workflows do
	// not start each other for ever by opening and closing; who lists automation has to see to
	// that.
	Sources []convo.Source `json:"sources,omitempty"`
	// Deadlines are names of the policy's; only with deadline_passed. What the workflow does may
	// arm one anew, such as a message that the policy counts as an answer: then it starts again
	// when that has passed.
	Deadlines []string `json:"deadlines,omitempty"`
	// Categories are those of a closing; only with conversation_closed.
	Categories []string `json:"categories,omitempty"`
	// Channels are where the conversation was first opened.
	Channels []string `json:"channels,omitempty"`
}

// ParseTrigger reads the JSON of a trigger and validates it. Unknown fields are refused.
func ParseTrigger(data []byte) (Trigger, error) {
	var t Trigger
	if err := decode(data, "trigger", &t); err != nil {
		return Trigger{}, err
	}
	if err := t.Validate(); err != nil {
		return Trigger{}, err
	}
	return t, nil
}

// Validate reports what is wrong with t as a *convo.ValidationError.
func (t Trigger) Validate() error {
	switch {
	case t.On != convo.ConversationOpened && t.On != convo.ConversationClosed &&
		t.On != convo.DeadlinePassed:
		return invalid("on", fmt.Sprintf("%q is not one of %q, %q and %q", t.On,
			convo.ConversationOpened, convo.ConversationClosed, convo.DeadlinePassed))
	case len(t.Categories) > 0 && t.On != convo.ConversationClosed:
		return invalid("categories", fmt.Sprintf("belong to %q", convo.ConversationClosed))
	case len(t.Deadlines) > 0 && t.On != convo.DeadlinePassed:
		return invalid("deadlines", fmt.Sprintf("belong to %q", convo.DeadlinePassed))
	case len(t.Sources) > 0 && t.On == convo.DeadlinePassed:
		return invalid("sources", fmt.Sprintf("do not belong to %q", convo.DeadlinePassed))
	}
	sources := make([]string, len(t.Sources))
	for i, s := range t.Sources {
		sources[i] = string(s)
	}
	for _, list := range [...]struct {
		name   string
		values []string
	}{
		{"sources", sources}, {"deadlines", t.Deadlines}, {"categories", t.Categories},
		{"channels", t.Channels},
	} {
		for i, v := range list.values {
			if v == "" || len(v) > convo.MaxID {
				return invalid(
					fmt.Sprintf("%s[%d]", list.name, i),
					fmt.Sprintf("must have 1 to %d bytes", convo.MaxID),
				)
			}
		}
	}
	return nil
}

// Matches reports whether e, an event of c, starts the workflow. Closings do not say their channel,
// c does.
func (t Trigger) Matches(e convo.Event, c convo.Conversation) bool {
	if t.On == convo.DeadlinePassed {
		return e.Conversation == c.ID && slices.ContainsFunc(e.Marks().All(), t.passed) &&
			(len(t.Channels) == 0 || slices.Contains(t.Channels, c.Channel))
	}
	kind := e.Kind
	if kind == convo.ConversationReopened {
		kind = convo.ConversationOpened
	}
	return kind == t.On && e.Conversation == c.ID &&
		(slices.Contains(t.Sources, e.Source) ||
			len(t.Sources) == 0 && e.Source != convo.SourceAutomation) &&
		(len(t.Categories) == 0 || slices.Contains(t.Categories, e.ClosingNotes().Category)) &&
		(len(t.Channels) == 0 || slices.Contains(t.Channels, c.Channel))
}

// passed reports whether m is of a deadline of t that is over.
func (t Trigger) passed(m convo.Mark) bool {
	return (m.Result == convo.MarkPassed || m.Result == convo.MarkMissed) &&
		(len(t.Deadlines) == 0 || slices.Contains(t.Deadlines, m.Deadline))
}

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }
