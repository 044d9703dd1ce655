package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Script writes down what a test does, as a scenario that can be put into a file and run again. The
// zero value is ready to use.
type Script struct {
	b       strings.Builder
	now     time.Time
	numbers map[uuid.UUID]int
}

// String is the script so far.
func (s *Script) String() string { return s.b.String() }

// At writes that the clock moves on to a time; the first one is where the script begins.
func (s *Script) At(now time.Time) {
	if d := now.Sub(s.now); !s.now.IsZero() && d != 0 {
		fmt.Fprintf(&s.b, "wait %s\n\n", d)
	}
	s.now = now
}

// Policy writes down the policy of a workspace.
func (s *Script) Policy(workspace string, p convo.Policy) {
	data, err := json.Marshal(p)
	if err != nil {
		data = []byte(err.Error())
	}
	fmt.Fprintf(&s.b, "policy %s %s\n\n", workspace, data)
}

// Do writes down a call.
func (s *Script) Do(to convo.Ref, cmds ...convo.Command) {
	fmt.Fprintf(&s.b, "do %s\n", s.ref(to))
	for _, c := range cmds {
		s.b.WriteString(s.command(c) + "\n")
	}
	s.b.WriteString("\n")
}

// Merge writes down a merge.
func (s *Script) Merge(m convo.Merge) {
	fmt.Fprintf(&s.b, "merge %s/%s %s/%s by=%s:%s\n\n",
		m.Workspace, m.Primary, m.Workspace, m.Secondary, m.By.Type, m.By.ID)
}

// Unmerge writes down the undoing of a merge.
func (s *Script) Unmerge(m convo.Unmerge) {
	fmt.Fprintf(&s.b, "unmerge %s/%s by=%s:%s\n\n", m.Workspace, m.Contact, m.By.Type, m.By.ID)
}

// Erase writes down an erasure.
func (s *Script) Erase(x convo.Erase) {
	fmt.Fprintf(&s.b, "erase %s/%s by=%s:%s\n\n", x.Workspace, x.Contact, x.By.Type, x.By.ID)
}

// Prune writes down that what is old is removed.
func (s *Script) Prune(keep convo.Retention) {
	fmt.Fprintf(&s.b, "prune %s %s %s\n\n", keep.Texts, keep.Conversations, keep.Keys)
}

// Tick writes down a tick.
func (s *Script) Tick() { s.b.WriteString("tick\n\n") }

// Saw numbers the conversations that events tell of, so that a Ref to one can be written down.
func (s *Script) Saw(events []convo.Event) {
	if s.numbers == nil {
		s.numbers = map[uuid.UUID]int{}
	}
	for _, e := range events {
		if e.Conversation != uuid.Nil && s.numbers[e.Conversation] == 0 {
			s.numbers[e.Conversation] = len(s.numbers) + 1
		}
	}
}

func (s *Script) ref(to convo.Ref) string {
	var words []string
	if to.Contact != "" {
		words = append(words, to.Contact)
	}
	if to.Address != (convo.Address{}) {
		words = append(words, to.Address.Channel+":"+to.Address.Value)
	}
	if to.Conversation != uuid.Nil {
		words = append(words, "#"+strconv.Itoa(s.numbers[to.Conversation]))
	}
	if to.Lane != "" {
		words = append(words, "in="+to.Lane)
	}
	return to.Workspace + "/" + strings.Join(words, " ")
}

func (s *Script) command(c convo.Command) string {
	data, err := json.Marshal(convo.Commands{c})
	if err != nil {
		return fmt.Sprintf("# %T cannot be written down: %v", c, err)
	}
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return "# " + err.Error()
	}
	fields := all[0]
	name, _ := strconv.Unquote(string(fields["command"]))
	delete(fields, "command")
	words := []string{name}
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, f+"="+s.value(f, fields[f]))
	}
	return strings.Join(words, " ")
}

func (s *Script) value(field string, data json.RawMessage) string {
	var text string
	var at time.Time
	switch {
	case field == "by":
		var a convo.Actor
		_ = json.Unmarshal(data, &a) // it was an actor when it was encoded
		return strings.TrimSuffix(string(a.Type)+":"+a.ID, ":")
	case slices.Contains([]string{"at", "sent_at", "until"}, field) &&
		json.Unmarshal(data, &at) == nil:
		return "+" + at.Sub(s.now).String()
	case json.Unmarshal(data, &text) != nil:
		text = string(data)
	}
	if text == "" || strings.ContainsAny(text, " \"\n\t\\=") || !strconv.CanBackquote(text) {
		return strconv.Quote(text)
	}
	return text
}
