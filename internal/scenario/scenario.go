// Package scenario runs stories of a conversation that are written as text, and writes what comes
// of them below each step. A file is read and changed without Go:
//
//	# A user opens a conversation.
//	policy {"receive":{"mode":"reopen"}}
//
//	do susan
//	open by=user:ana
//	----
//	opened: conversation 1 is open
//	1.1 09:00:00 conversation_opened by user:ana contact_seq=1 source=user
//
// The steps are
//
//	new                    an empty store, at the first time of day again
//	policy [WORKSPACE] JSON
//	                       the policy of the steps that follow, of one workspace or of all
//	wait DURATION          moves the clock
//	do REF                 one call, with a command on each line that follows
//	merge PRIMARY SECONDARY [by=ACTOR]
//	unmerge CONTACT [by=ACTOR]
//	erase CONTACT [by=ACTOR]
//	prune TEXTS CONVERSATIONS KEYS
//	                       what is older than these durations is removed; 0s: nothing
//	tick                   what is due is done
//	show REF               the conversation as it stands
//
// A message is named as the output names its event (1.2), or by its external id.
//
// A REF is a contact (susan), an address (sms:+49), both (susan sms:+49), or a conversation by the
// number that the output gives it (#1); in another workspace than acme, its name and a slash go
// before it (beta/susan), and a lane after it (susan in=orders). A command is its name and its
// fields as in JSON; an actor is type:id, a time is the time of the clock and a duration (+1h).
package scenario

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// Workspace is that of a REF which names none.
const Workspace = "acme"

// Morning is the time at which a scenario begins.
var Morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Did is one command as a scenario met it, for checking what the scenarios cover.
type Did struct {
	Command convo.CommandName
	State   convo.State
	Outcome convo.Outcome
	Err     error
}

// runner is the world of a scenario.
type runner struct {
	store    convo.Store
	engine   *convo.Engine
	policies map[string]*convo.Policy // by workspace; "": of all others
	now      time.Time
	numbers  map[uuid.UUID]int    // of conversations, in the order in which they were seen
	places   map[string]uuid.UUID // the ids of events, by what the output calls them
	names    map[string]string    // of contacts whose ids the library made
	did      []Did
}

// steps are those that have an output.
var steps = []string{"do", "merge", "unmerge", "erase", "prune", "tick", "show"}

// Run carries a scenario out and returns it with the output of each step, and what was done. It
// fails for a step that it cannot read; what a step is refused is part of the output.
func Run(text string) (out string, did []Did, err error) {
	r := &runner{}
	if err := r.start(); err != nil {
		return "", nil, err
	}
	var b strings.Builder
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], " ")
		b.WriteString(line + "\n")
		verb, rest, _ := strings.Cut(line, " ")
		if line == "" || verb[0] == '#' {
			continue
		}
		var body []string
		asks := slices.Contains(steps, verb)
		if asks {
			for i+1 < len(lines) && lines[i+1] != "----" && lines[i+1] != "" {
				i++
				body = append(body, lines[i])
				b.WriteString(lines[i] + "\n")
			}
			for i+1 < len(lines) && lines[i+1] != "" { // what was written there before
				i++
			}
		}
		answer, err := r.step(verb, rest, body)
		if err != nil {
			return "", nil, fmt.Errorf("%q: %w", line, err)
		}
		if asks {
			b.WriteString("----\n" + answer)
		}
	}
	return b.String(), r.did, nil
}

func (r *runner) start() error {
	r.store, r.policies, r.now = memstore.New(), map[string]*convo.Policy{}, Morning
	r.numbers, r.names = map[uuid.UUID]int{}, map[string]string{}
	r.places = map[string]uuid.UUID{}
	policyOf := func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
		return cmp.Or(r.policies[of.Workspace], r.policies[""]), nil
	}
	var err error
	r.engine, err = convo.New(r.store, convo.WithPolicies(policyOf), convo.WithClock(r))
	return err
}

// Now is the clock of the scenario.
func (r *runner) Now() time.Time { return r.now }

func (r *runner) step(verb, rest string, body []string) (string, error) {
	ctx := context.Background()
	switch verb {
	case "new":
		return "", r.start()
	case "policy":
		workspace, text, _ := strings.Cut(rest, "{")
		var p convo.Policy
		if err := json.Unmarshal([]byte("{"+text), &p); err != nil {
			return "", err
		}
		r.policies[strings.TrimSpace(workspace)] = &p
		return "", nil
	case "wait":
		d, err := time.ParseDuration(rest)
		r.now = r.now.Add(d)
		return "", err
	case "do":
		to, err := r.ref(rest)
		if err != nil {
			return "", err
		}
		cmds, err := r.commands(body)
		if err != nil {
			return "", err
		}
		return r.do(ctx, to, cmds), nil
	case "merge":
		return r.merge(ctx, rest)
	case "unmerge":
		return r.unmerge(ctx, rest)
	case "erase":
		return r.erase(ctx, rest)
	case "prune":
		return r.prune(ctx, rest)
	case "tick":
		n, err := r.engine.Tick(ctx, 0)
		if err != nil {
			return r.refusal(err), nil
		}
		return fmt.Sprintf("%d changes\n", n), nil
	case "show":
		to, err := r.ref(rest)
		if err != nil {
			return "", err
		}
		c, err := r.engine.Conversation(ctx, to)
		if err != nil {
			return r.refusal(err), nil
		}
		return r.flat("", c) + "\n", nil
	}
	return "", errors.New("not a step")
}

func (r *runner) do(ctx context.Context, to convo.Ref, cmds convo.Commands) string {
	before, _ := r.store.Load(ctx, to)
	res, err := r.engine.Do(ctx, to, cmds...)
	if len(cmds) == 1 {
		r.did = append(r.did, Did{nameOf(cmds[0]), StateOf(before), res.Outcome, err})
	}
	if err != nil {
		return r.refusal(err)
	}
	return r.outcome(res.Outcome, res.Conversation) + r.events(res.Events)
}

func (r *runner) merge(ctx context.Context, rest string) (string, error) {
	words := strings.Fields(rest)
	m := convo.Merge{Workspace: Workspace, By: convo.ByUser("ana")}
	if len(words) < 2 || len(words) > 3 {
		return "", errors.New("a merge needs a primary and a secondary")
	}
	m.Workspace, m.Primary = workspaceOf(words[0])
	_, m.Secondary = workspaceOf(words[1])
	if len(words) == 3 {
		m.By = actor(strings.TrimPrefix(words[2], "by="))
	}
	res, err := r.engine.Merge(ctx, m)
	if err != nil {
		return r.refusal(err), nil
	}
	return r.outcome(res.Outcome, res.Conversations...) + r.events(res.Events), nil
}

func (r *runner) unmerge(ctx context.Context, rest string) (string, error) {
	m := convo.Unmerge{By: convo.ByUser("ana")}
	contact, by, _ := strings.Cut(rest, " by=")
	if by != "" {
		m.By = actor(by)
	}
	m.Workspace, m.Contact = workspaceOf(contact)
	res, err := r.engine.Unmerge(ctx, m)
	if err != nil {
		return r.refusal(err), nil
	}
	return r.outcome(res.Outcome, res.Conversations...) + r.events(res.Events), nil
}

func (r *runner) outcome(o convo.Outcome, cs ...convo.Conversation) string {
	text, before := string(o), ": "
	for _, c := range cs {
		if c.ID != uuid.Nil {
			text += fmt.Sprintf("%sconversation %d is %s", before, r.number(c.ID), c.Status)
			before = ", "
		}
	}
	return text + "\n"
}

func (r *runner) refusal(err error) string {
	return "refused, " + convo.Code(err) + ": " + r.plain(err.Error()) + "\n"
}

func (r *runner) number(id uuid.UUID) int {
	if r.numbers[id] == 0 {
		r.numbers[id] = len(r.numbers) + 1
	}
	return r.numbers[id]
}

// plain has the numbers of conversations instead of their ids, and names for contacts.
func (r *runner) plain(text string) string {
	for id, n := range r.numbers {
		text = strings.ReplaceAll(text, id.String(), "#"+strconv.Itoa(n))
	}
	for id, name := range r.names {
		text = strings.ReplaceAll(text, id, name)
	}
	for place, id := range r.places {
		text = strings.ReplaceAll(text, id.String(), place)
	}
	return text
}

func (r *runner) events(events []convo.Event) string {
	var b strings.Builder
	for _, e := range events {
		if id, err := uuid.Parse(e.Contact); err == nil && r.names[id.String()] == "" {
			r.names[id.String()] = fmt.Sprintf("contact-%d", len(r.names)+1)
		}
		of := r.plain(e.Contact)
		if e.Conversation != uuid.Nil {
			of = strconv.Itoa(r.number(e.Conversation))
		}
		by := string(e.By.Type)
		if e.By.ID != "" {
			by += ":" + r.plain(e.By.ID)
		}
		r.places[fmt.Sprintf("%s.%d", of, e.Seq)] = e.ID
		row := e.Row()
		row.By, row.Kind, row.Seq, row.Workspace, row.At = convo.Actor{}, 0, 0, "", time.Time{}
		row.ID, row.Conversation, row.Contact = uuid.Nil, uuid.Nil, ""
		fmt.Fprintf(&b, "%s.%d %s %s by %s %s", of, e.Seq, e.At.Format(time.TimeOnly), e.Kind, by,
			r.flat("", row))
		trimmed := strings.TrimRight(b.String(), " ")
		b.Reset()
		b.WriteString(trimmed + "\n")
	}
	return b.String()
}

// flat is what is not zero in v, as name=value.
func (r *runner) flat(prefix string, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return err.Error()
	}
	var words []string
	r.flatten(&words, prefix, all)
	return strings.Join(words, " ")
}

func (r *runner) flatten(words *[]string, prefix string, all map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch v := all[name].(type) {
		case map[string]any:
			r.flatten(words, prefix+name+".", v)
		case string:
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				v = at.Format(time.DateTime)
				if at.Year() == 1 {
					continue
				}
			}
			v = r.plain(v)
			if v == "" || v == "unknown" || v == uuid.Nil.String() || name == "workspace" {
				continue
			}
			if strings.ContainsAny(v, " \"\n") {
				v = strconv.Quote(v)
			}
			*words = append(*words, prefix+name+"="+v)
		default:
			if text := fmt.Sprint(v); text != "0" {
				*words = append(*words, prefix+name+"="+text)
			}
		}
	}
}

func (r *runner) ref(text string) (convo.Ref, error) {
	var to convo.Ref
	to.Workspace, text = workspaceOf(text)
	for _, word := range strings.Fields(text) {
		number, isConversation := strings.CutPrefix(word, "#")
		lane, isLane := strings.CutPrefix(word, "in=")
		channel, value, isAddress := strings.Cut(word, ":")
		switch {
		case isConversation:
			n, err := strconv.Atoi(number)
			if err != nil {
				return to, err
			}
			for id, of := range r.numbers {
				if of == n {
					to.Conversation = id
				}
			}
			if to.Conversation == uuid.Nil {
				to.Conversation = uuid.UUID{15: byte(n)} // one that is not there
			}
		case isLane:
			to.Lane = lane
		case isAddress:
			to.Address = convo.Address{Channel: channel, Value: value}
		default:
			to.Contact = word
		}
	}
	return to, to.Validate()
}

func (r *runner) commands(lines []string) (convo.Commands, error) {
	var all []map[string]any
	for _, line := range lines {
		words, err := split(line)
		if err != nil {
			return nil, err
		}
		object := map[string]any{"command": words[0]}
		for _, w := range words[1:] {
			name, value, ok := strings.Cut(w, "=")
			if !ok {
				return nil, fmt.Errorf("%q is not name=value", w)
			}
			switch name {
			case "by":
				object[name] = actor(value)
			case "quiet", "redact":
				object[name] = value == "true"
			case "at", "sent_at", "until":
				d, err := time.ParseDuration(strings.TrimPrefix(value, "+"))
				if err != nil {
					return nil, err
				}
				object[name] = r.now.Add(d)
			case "message":
				id, known := r.places[value]
				if !known {
					id = uuid.UUID{15: 1} // one that is not there
				}
				object[name] = id
			case "attachments", "attributes", "cycle", "score":
				object[name] = json.RawMessage(value)
			case "add", "remove":
				object[name] = strings.Split(value, ",")
			default:
				object[name] = value
			}
		}
		all = append(all, object)
	}
	data, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	var cmds convo.Commands
	return cmds, json.Unmarshal(data, &cmds)
}

// workspaceOf takes the workspace off a REF.
func workspaceOf(text string) (workspace, rest string) {
	if workspace, rest, ok := strings.Cut(text, "/"); ok {
		return workspace, rest
	}
	return Workspace, text
}

func actor(text string) convo.Actor {
	typ, id, _ := strings.Cut(text, ":")
	return convo.Actor{Type: convo.ActorType(typ), ID: id}
}

// split takes a line apart into words; a value may be quoted as in Go.
func split(line string) (words []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		end := strings.IndexAny(line, " \"")
		if end >= 0 && line[end] == '"' {
			quoted, err := strconv.QuotedPrefix(line[end:])
			if err != nil {
				return nil, err
			}
			value, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			words, line = append(words, line[:end]+value), line[end+len(quoted):]
			continue
		}
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
	return words, nil
}

// StateOf is the state of the transition table that a snapshot is in.
func StateOf(s convo.Snapshot) convo.State {
	switch {
	case s.Conversation.Status.Active():
		return convo.State(s.Conversation.Status)
	case s.Conversation.ID == uuid.Nil:
		return convo.StateNone
	case s.Active != uuid.Nil:
		return convo.StateSuperseded
	}
	return convo.StateClosed
}

func nameOf(c convo.Command) convo.CommandName {
	var head []struct {
		Command convo.CommandName `json:"command"`
	}
	data, err := json.Marshal(convo.Commands{c})
	if err == nil {
		err = json.Unmarshal(data, &head)
	}
	if err != nil {
		return ""
	}
	return head[0].Command
}
