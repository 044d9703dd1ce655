package convo_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
)

// TestEverySequenceOfCommandsKeepsTheRules goes through all sequences of commands up to a length in
// a small world: two contacts, an address, merges in both directions, timers. Sequences that lead
// to states that cannot be told apart go on once, which makes billions of them feasible.
func TestEverySequenceOfCommandsKeepsTheRules(t *testing.T) {
	// brief is for policies that have some of the modes which one policy has all of.
	length, brief := 5, 4
	switch {
	case raceDetectorIsOn() || testing.Short():
		length = 4
	case os.Getenv("CONVO_NIGHTLY") != "":
		length, brief = 6, 6
	}
	policies := []struct {
		name   string
		policy convo.Policy
		length int // how many actions
	}{
		{"inbox", convo.InboxPolicy(), brief},
		{"workflow", convo.WorkflowPolicy(), brief},
		{"live chat", convo.LiveChatPolicy(), brief},
		{"everything", everything(), length},
		{"close and transfer", convo.Policy{
			Receive:   convo.OnClosed{Mode: convo.OnClosedReopen},
			AutoClose: convo.AutoClose{After: convo.Duration(time.Hour)},
			Merge:     convo.MergeTransfer,
		}, brief},
		// There is more to tell apart in them.
		{"deadlines", by(convo.TakeBack(30*time.Minute), convo.ReplyWindow(2*time.Hour),
			convo.Deadline{Name: "nudge", After: 60 * minute, Since: convo.SinceAwaitingContact},
			convo.Deadline{Name: "idle", After: 120 * minute, Since: convo.SinceAnyEvent,
				Do: convo.DoPend},
			convo.Deadline{Name: "gone", After: 90 * minute, Since: convo.SincePended,
				Do: convo.DoClose, Farewell: "Bye!"}), length - 1},
		{"service levels", by(append(convo.ServiceLevel(30*time.Minute, 2*time.Hour, ""),
			convo.Deadline{Name: "next", After: 60 * minute, Target: convo.TargetNextResponse,
				Pause: true},
			convo.Deadline{Name: "back", After: 60 * minute, Since: convo.SincePended,
				Do: convo.DoResume})...), length - 1},
	}
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			x := explorer{t: t, policy: p.policy, table: tableSets(), seen: map[string]float64{}}
			start := tiny{now: morning, next: seedID, owner: nobody}
			for i := range start.contacts {
				start.contacts[i] = convo.Contact{Workspace: tenant, ID: names[i]}
			}
			sequences := x.explore(&start, p.length)
			t.Logf("%.3g sequences of %d out of %d actions, by %d steps", sequences, p.length,
				len(actions), x.steps)
		})
	}
}

// raceDetectorIsOn reports whether the test was built with -race, which makes it some ten times
// slower.
func raceDetectorIsOn() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race",
		Value: "true"})
}

var (
	names   = [2]string{"carl", "dora"}
	address = convo.Address{Channel: "email", Value: "shared@example.org"}
)

const nobody = -1

// tiny is a world that is small enough to be copied for every step.
type tiny struct {
	contacts      [2]convo.Contact // version 0: not known
	conversations []convo.Conversation
	messages      []convo.ShownMessage // the first one of each conversation
	shared        bool                 // they are another world's too
	owner         int                  // of the address
	now           time.Time
	next          uuid.UUID
}

// own makes the conversations the world's own, to change them.
func (w *tiny) own() {
	if w.shared {
		w.conversations, w.shared = append(make([]convo.Conversation, 0, len(w.conversations)+1),
			w.conversations...), false
		w.messages = slices.Clone(w.messages)
	}
}

func (w *tiny) root(i int) int {
	if w.contacts[i].MergedInto != "" {
		return 1 - i
	}
	return i
}

func (w *tiny) index(id uuid.UUID) int {
	return slices.IndexFunc(w.conversations, func(c convo.Conversation) bool { return c.ID == id })
}

// active is the index of the contact's active conversation in a lane.
func (w *tiny) active(root int, lane string) int {
	return slices.IndexFunc(w.conversations, func(c convo.Conversation) bool {
		return c.Contact == names[root] && c.Status.Active() && c.Lane == lane
	})
}

// latest is the index of the contact's active conversation in a lane, else of the one that was
// opened last; -1: there is none.
func (w *tiny) latest(root int, lane string) int {
	latest := w.active(root, lane)
	if latest >= 0 {
		return latest
	}
	for i := range w.conversations {
		c := &w.conversations[i]
		if c.Contact != names[root] || c.Lane != lane {
			continue
		}
		// Whatever is opened later in this world has a greater id.
		if latest < 0 || !c.Cycle.OpenedAt.Before(w.conversations[latest].Cycle.OpenedAt) {
			latest = i
		}
	}
	return latest
}

// load is what Store.Load is to return.
func (w *tiny) load(to convo.Ref) convo.Snapshot {
	t := convo.Snapshot{Ref: to, Next: w.next}
	var root, latest int
	lane := to.Lane
	if to.Conversation != uuid.Nil {
		latest = w.index(to.Conversation)
		lane = w.conversations[latest].Lane
		root = slices.Index(names[:], w.conversations[latest].Contact)
	} else {
		root = w.root(slices.Index(names[:], to.Contact))
		latest = w.latest(root, lane)
		if to.Address == address && w.owner != nobody {
			t.AddressOwner = names[w.root(w.owner)]
		}
	}
	t.Contact = w.contacts[root]
	if latest >= 0 {
		t.Conversation = w.conversations[latest]
		if m := w.messages[latest]; m.Event.ID != uuid.Nil {
			t.Message = &m
		}
	}
	if a := w.active(root, lane); a >= 0 && a != latest {
		t.Active = w.conversations[a].ID
	}
	t.HasConversation = slices.ContainsFunc(w.conversations, func(c convo.Conversation) bool {
		return c.Contact == names[root]
	})
	return t
}

// target is where the engine finds that a Move goes.
func (w *tiny) target(s *convo.Snapshot, move convo.Move) {
	if s.Conversation.ID == uuid.Nil {
		return
	}
	to := convo.ToContact(tenant, s.Contact.ID).In(s.Conversation.Lane)
	if move.Contact != "" {
		to.Contact = move.Contact
	}
	if move.Lane != nil {
		to.Lane = *move.Lane
	}
	t := w.load(to)
	s.Target.Contact = t.Contact
	if t.Conversation.Status.Active() && t.Conversation.ID != s.Conversation.ID {
		s.Target.Active = t.Conversation.ID
	}
}

// commit is what Store.Commit is to do.
func (w *tiny) commit(ch *convo.Change) {
	if ch.Other.Action != convo.RowKept {
		w.contacts[slices.Index(names[:], ch.Other.ID)] = ch.Other.Contact
	}
	if ch.Contact.Action != convo.RowKept {
		w.contacts[slices.Index(names[:], ch.Contact.ID)] = ch.Contact.Contact
	}
	for i := range ch.Earlier {
		w.write(&ch.Earlier[i].Conversation)
	}
	if ch.Conversation.Action != convo.RowKept {
		w.write(&ch.Conversation.Conversation)
	}
	for i := range ch.Events {
		switch e := &ch.Events[i]; e.Kind {
		case convo.AddressLinked:
			w.owner = slices.Index(names[:], e.Contact)
		case convo.AddressUnlinked:
			w.owner = nobody
		case convo.ContactMerged:
			w.own()
			for j := range w.conversations {
				w.conversations[j].Contact = e.Row().MergedInto
			}
		default:
			w.say(e)
		}
	}
	w.next = ch.After(convo.Snapshot{Next: w.next}).Next
}

// say keeps what the first message of a conversation is shown as.
func (w *tiny) say(e *convo.Event) {
	i := w.index(e.Conversation)
	if i < 0 {
		return
	}
	w.own()
	switch m := &w.messages[i]; e.Kind {
	case convo.MessageReceived, convo.MessageSent:
		if m.Event.ID == uuid.Nil {
			*m = convo.Messages([]convo.Event{*e})[0]
		}
	case convo.MessageEdited:
		m.Body = e.Edited().Body
	case convo.MessageRetracted:
		m.Body, m.RetractedAt, m.Redacted = "", e.At, e.Retracted().Redacted
	}
}

func (w *tiny) write(c *convo.Conversation) {
	w.own()
	if i := w.index(c.ID); i >= 0 {
		w.conversations[i] = *c
	} else {
		w.conversations = append(w.conversations, *c)
		w.messages = append(w.messages, convo.ShownMessage{})
	}
}

// action is one thing to do in the world.
type action struct {
	name string
	wait time.Duration
	// One of: a command to a contact or to a conversation (the first one, or the one before the
	// last), a merge into a contact, or a tick.
	cmd    func(now time.Time) convo.Command
	to     func(w *tiny) (convo.Ref, bool)
	into   int
	ticks  bool
	merges bool
}

// actions are all commands to each of two contacts, some also to a conversation by its id.
var actions = func() (all []action) {
	type command struct {
		name   string
		cmd    func(now time.Time) convo.Command
		byID   bool
		linked bool
	}
	// What no other command looks at is tried with one contact.
	plain := []convo.CommandName{
		convo.CommandLabel, convo.CommandPrioritize, convo.CommandDescribe, convo.CommandSetProfile,
		convo.CommandRate,
	}
	aside := []string{"open", "receive", "close", "reopen"} // also tried in another lane
	commands := []command{
		{"open", func(time.Time) convo.Command { return convo.Open{By: flowBot} }, true, false},
		{"receive", func(time.Time) convo.Command { return convo.Receive{Body: "hi"} }, true,
			false},
		{"send", func(time.Time) convo.Command { return convo.Send{By: agentAna, Body: "hello"} },
			false, false},
		{"receive quietly", func(time.Time) convo.Command {
			return convo.Receive{Quiet: true, Body: "I am away"}
		}, true, false},
		{"send quietly", func(time.Time) convo.Command {
			return convo.Send{By: flowBot, Quiet: true, Body: "news"}
		}, false, false},
		{"receive late", func(now time.Time) convo.Command {
			return convo.Receive{SentAt: now.Add(-3 * time.Hour), Body: "sent before"}
		}, true, false},
		{"edit", func(time.Time) convo.Command {
			return convo.Edit{By: visitor, Message: seedID, Body: "edited"}
		}, true, false},
		{"retract", func(time.Time) convo.Command {
			return convo.Retract{By: agentAna, Message: seedID}
		}, true, false},
		{"redact", func(time.Time) convo.Command {
			return convo.Retract{By: agentAna, Message: seedID, Redact: true}
		}, true, false},
		{"note", func(time.Time) convo.Command { return convo.Note{By: agentAna, Body: "n"} }, true,
			false},
		{"set_pending", func(time.Time) convo.Command { return convo.SetPending{By: agentAna} },
			false, false},
		{"pend until", func(now time.Time) convo.Command {
			return convo.SetPending{By: agentAna,
				Until: now.Add(time.Hour)}
		}, false, false},
		{"resume", func(time.Time) convo.Command { return convo.Resume{By: agentAna} }, false,
			false},
		{"close", func(time.Time) convo.Command {
			return convo.Close{By: agentAna, Category: "Sales", Summary: "s"}
		}, true, false},
		{"reopen", func(time.Time) convo.Command { return convo.Reopen{By: visitor} }, true, false},
		{"assign", func(time.Time) convo.Command {
			return convo.Assign{By: agentAna,
				Assignee: "ana"}
		}, false, false},
		{"amend_closing", func(time.Time) convo.Command {
			return convo.AmendClosing{By: agentAna, Category: "Support", Summary: "t"}
		}, true, false},
		{"block", func(time.Time) convo.Command { return convo.Block{By: agentAna} }, false, false},
		{"unblock", func(time.Time) convo.Command { return convo.Unblock{By: agentAna} }, true,
			false},
		{"link_address", func(time.Time) convo.Command { return convo.LinkAddress{By: agentAna} },
			false, true},
		{"move to dora", func(time.Time) convo.Command {
			return convo.Move{By: agentAna, Contact: names[1]}
		}, false, false},
		{"move aside", func(time.Time) convo.Command {
			return convo.Move{By: agentAna, Lane: new("aside")}
		}, false, false},
		{"unlink_address", func(time.Time) convo.Command {
			return convo.UnlinkAddress{By: agentAna}
		}, false, true},
	}
	// a new one is tried as its sample, until it has more to try
	for _, name := range world.CommandNames() {
		if name != convo.CommandMove && !slices.ContainsFunc(commands,
			func(c command) bool { return c.name == string(name) }) {
			commands = append(commands, command{
				string(name), func(time.Time) convo.Command { return sample[name] },
				!slices.Contains(plain, name), false,
			})
		}
	}
	const step = 30 * time.Minute
	for i := range names {
		for _, c := range commands {
			if i > 0 && slices.Contains(plain, convo.CommandName(c.name)) {
				continue
			}
			all = append(all, action{name: c.name + " to " + names[i], wait: step, cmd: c.cmd,
				to: func(*tiny) (convo.Ref, bool) {
					to := convo.ToContact(tenant, names[i])
					if c.linked {
						to.Address = address
					}
					return to, true
				}})
		}
		for _, c := range commands {
			if i == 0 && slices.Contains(aside, c.name) {
				all = append(all, action{name: c.name + " to " + names[i] + " aside", wait: step,
					cmd: c.cmd, to: func(*tiny) (convo.Ref, bool) {
						return convo.ToContact(tenant, names[i]).In("aside"), true
					}})
			}
		}
		all = append(all, action{name: "merge into " + names[i], wait: step, merges: true, into: i})
	}
	for _, c := range commands {
		if !c.byID {
			continue
		}
		all = append(all, action{name: c.name + " to the first conversation", wait: step,
			cmd: c.cmd, to: func(w *tiny) (convo.Ref, bool) {
				if len(w.conversations) == 0 {
					return convo.Ref{}, false
				}
				return convo.ToConversation(tenant, w.conversations[0].ID), true
			}})
	}
	return append(all,
		action{name: "tick", wait: step, ticks: true},
		action{name: "tick after a while", wait: 3 * time.Hour, ticks: true},
	)
}()

// cell is a cell of the transition table.
type cell struct {
	command convo.CommandName
	state   convo.State
}

// tableSets is what the table allows in each cell.
func tableSets() map[cell][]convo.Transition {
	all := map[cell][]convo.Transition{}
	for _, row := range convo.Transitions() {
		c := cell{row.Command, row.State}
		all[c] = append(all[c], row)
	}
	return all
}

// explorer walks through the sequences.
type explorer struct {
	t      *testing.T
	policy convo.Policy
	table  map[cell][]convo.Transition
	// by what is left to do and the state: the number of sequences behind it
	seen  map[string]float64
	path  []string
	steps int
	buf   []byte

	ticking bool // timers go on while a contact is blocked
}

func (x *explorer) failf(format string, args ...any) {
	x.t.Helper()
	x.t.Fatalf("after %q: %s", x.path, fmt.Sprintf(format, args...))
}

// explore does every action in w and goes on from there, and returns how many sequences that makes.
func (x *explorer) explore(w *tiny, left int) (sequences float64) {
	if left == 0 {
		return 1
	}
	key := x.key(w, left)
	if n, ok := x.seen[key]; ok {
		return n
	}
	for i := range actions {
		x.path = append(x.path, actions[i].name)
		after := *w
		after.shared = true
		x.do(&after, &actions[i])
		x.check(&after)
		x.steps++
		sequences += x.explore(&after, left-1)
		x.path = x.path[:len(x.path)-1]
	}
	x.seen[key] = sequences
	return sequences
}

// key tells states apart by all that decisions depend on: not by ids and measures, and by ages
// rather than times.
func (x *explorer) key(w *tiny, left int) string {
	b := append(x.buf[:0], byte(left), byte(w.owner+1))
	age := func(t time.Time) {
		const long = 4 * time.Hour // longer than every period of the policies
		v := int16(-1 << 15)
		if !t.IsZero() {
			v = int16(max(w.now.Sub(t), -long) / time.Minute)
			v = min(v, int16(long/time.Minute))
		}
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	for i := range w.contacts {
		k := &w.contacts[i]
		flags := byte(0)
		for j, set := range [...]bool{k.Version > 0, k.Blocked, k.MergedInto != ""} {
			if set {
				flags |= 1 << j
			}
		}
		b = append(b, flags)
	}
	for i := range w.conversations {
		c, m := &w.conversations[i], &w.messages[i]
		b = append(b, c.Status[0], c.Contact[0], c.Status[1], byte(len(c.Lane)))
		for _, set := range [...]bool{
			m.Event.ID != uuid.Nil, m.Body == "edited", !m.RetractedAt.IsZero(), m.Redacted,
		} {
			b = append(b, '0')
			if set {
				b[len(b)-1] = '1'
			}
		}
		for _, s := range [...]string{c.Assignee, c.Cycle.Closing.Category} {
			b = append(append(b, s...), 0)
		}
		age(c.UpdatedAt)
		age(c.PendingUntil)
		age(c.AwaitingContactSince)
		age(c.DueAt)
		if x.policy.AutoClose.After > 0 || len(x.policy.Deadlines) > 0 {
			age(c.StatusSince)
		}
		if len(x.policy.Deadlines) > 0 {
			age(c.AssignedAt)
			age(c.LastIncomingAt)
			age(c.LastActivityAt)
			age(c.Cycle.WaitingSince)
			age(c.Cycle.FirstResponseAt)
			for _, m := range c.Marks.All() {
				b = append(append(b, m.Deadline...), m.Result...)
				age(m.Since)
				b = binary.BigEndian.AppendUint16(b, uint16(time.Duration(m.Left)/time.Minute))
			}
		}
		rated := byte('0')
		if c.Cycle.Rating.Score > 0 {
			rated |= 1
		}
		if c.Unrated == c.Cycle.Number {
			rated |= 2
		}
		b = append(b, rated)
		age(c.Cycle.Closing.At)
		age(c.Cycle.OpenedAt)
	}
	x.buf = b
	return string(b)
}

func (x *explorer) do(w *tiny, a *action) {
	w.now = w.now.Add(a.wait)
	switch {
	case a.ticks:
		x.tick(w)
	case a.merges:
		x.merge(w, a.into)
	default:
		if to, ok := a.to(w); ok {
			x.decide(w, to, a.cmd(w.now))
		}
	}
}

func (x *explorer) decide(w *tiny, to convo.Ref, cmd convo.Command) convo.Outcome {
	before := w.load(to)
	state, name := stateOf(before), nameOf(cmd)
	if move, ok := cmd.(convo.Move); ok {
		w.target(&before, move)
	}
	if c := &before.Conversation; c.Unrated != 0 && c.Unrated < c.Cycle.Number {
		before.Earlier = []convo.Cycle{{Number: c.Unrated}}
	}
	d, err := convo.Decide(before, w.now, &x.policy, cmd)
	if err != nil {
		x.refused(&before, cell{name, state}, err)
		return ""
	}
	after := d.Change.After(before)
	if barredWhenBlocked[name] && before.Contact.Blocked && !x.ticking {
		x.failf("%s was not barred", name)
	}
	if !slices.ContainsFunc(x.table[cell{name, state}], func(row convo.Transition) bool {
		return row.Outcome == d.Outcome && row.Err == nil &&
			(row.Next == stateOf(after) || d.Change.Conversation.Moved) // as it is there
	}) {
		x.failf("%s in %s came to %s in %s, which the table does not say", name, state, d.Outcome,
			stateOf(after))
	}
	x.folds(&before, &d.Change)
	if (d.Outcome == convo.OutcomeUnchanged) != (len(d.Change.Events) == 0) {
		x.failf("%s with %d events", d.Outcome, len(d.Change.Events))
	}
	if d.Outcome == convo.OutcomeUnchanged && (d.Change.Contact.Action != convo.RowKept ||
		before.Conversation.Version != after.Conversation.Version) {
		x.failf("unchanged, and written")
	}
	w.commit(&d.Change)
	return d.Outcome
}

var barredWhenBlocked = map[convo.CommandName]bool{
	convo.CommandRate: true,
	convo.CommandOpen: true, convo.CommandReceive: true, convo.CommandSend: true,
	convo.CommandReopen: true, convo.CommandEdit: true, // by the contact
}

func (x *explorer) refused(before *convo.Snapshot, c cell, err error) {
	var refusal *convo.StateError
	if !errors.As(err, &refusal) {
		x.failf("%s in %s failed: %v", c.command, c.state, err)
	}
	switch refusal.Err {
	case convo.ErrBlocked:
		if !before.Contact.Blocked || !barredWhenBlocked[c.command] {
			x.failf("%s was barred", c.command)
		}
	case convo.ErrAddressTaken:
		if before.AddressOwner == before.Contact.ID ||
			c.command != convo.CommandLinkAddress && c.command != convo.CommandUnlinkAddress {
			x.failf("%s: the address is its own", c.command)
		}
	default:
		if !slices.ContainsFunc(x.table[c],
			func(row convo.Transition) bool { return row.Err == refusal.Err }) {
			x.failf("%s in %s was refused with %v, which the table does not say", c.command,
				c.state, err)
		}
	}
	active := before.Active
	if c.command == convo.CommandMove {
		active = before.Target.Active
	}
	if refusal.Active != active || refusal.Conversation != before.Conversation.ID {
		x.failf("the refusal names the wrong conversation")
	}
}

// folds holds that the events of a change make its thread, and are numbered without gaps.
func (x *explorer) folds(before *convo.Snapshot, ch *convo.Change) {
	folded := *before
	for i := range ch.Events {
		e := &ch.Events[i]
		version := folded.Conversation.Version
		if e.Conversation == uuid.Nil {
			version = folded.Contact.Version
		} else if e.Conversation != folded.Conversation.ID {
			version = 0
		}
		if e.Seq != version+1 {
			x.failf("%s has number %d behind %d", e.Kind, e.Seq, version)
		}
		if e.At.After(x.latest(before, ch)) || e.At.Before(before.Conversation.UpdatedAt) {
			x.failf("%s at %s", e.Kind, e.At)
		}
		folded = convo.Apply(folded, *e)
	}
	after := ch.After(*before)
	folded.Target, folded.Active = convo.MoveTarget{}, after.Active
	if ch.Other.Action != convo.RowKept {
		if folded.Contact != ch.Other.Contact {
			x.failf("a Move leaves %+v, not %+v", ch.Other.Contact, folded.Contact)
		}
		folded.Contact = after.Contact
	}
	folded.Next, folded.Conversation.DueAt = after.Next, after.Conversation.DueAt
	folded.Conversation.Deadline = after.Conversation.Deadline
	folded.Conversation.Applied = after.Conversation.Applied
	if !sameSnapshot(&folded, &after) {
		x.failf("the events make another snapshot:\n%+v\n%+v", folded, after)
	}
}

// sameSnapshot is reflect.DeepEqual but for Earlier, in a hundredth of the time.
func sameSnapshot(a, b *convo.Snapshot) bool {
	return a.Ref == b.Ref && a.Contact == b.Contact && a.Conversation == b.Conversation &&
		a.Active == b.Active && a.HasConversation == b.HasConversation &&
		a.AddressOwner == b.AddressOwner && a.Message == b.Message && a.LogOf == b.LogOf &&
		a.Holder == b.Holder && a.HeldBy == b.HeldBy &&
		a.HolderConversation == b.HolderConversation && a.Target == b.Target && a.Next == b.Next
}

func (x *explorer) latest(before *convo.Snapshot, ch *convo.Change) time.Time {
	if ch.Conversation.UpdatedAt.After(before.Conversation.UpdatedAt) {
		return ch.Conversation.UpdatedAt
	}
	return ch.Events[len(ch.Events)-1].At
}

func (x *explorer) merge(w *tiny, into int) {
	side := func(i int) convo.MergeSide {
		side := convo.MergeSide{Snapshot: w.load(convo.ToContact(tenant, names[i]))}
		for _, c := range w.conversations {
			if c.Contact == side.Contact.ID && c.Status.Active() {
				side.AllActive = append(side.AllActive, c)
			}
		}
		return side
	}
	primary, secondary := side(into), side(1-into)
	m := convo.Merge{Workspace: tenant, Primary: names[into], Secondary: names[1-into],
		By: agentAna}
	policies := func(convo.Conversation) *convo.Policy { return &x.policy }
	d, err := convo.DecideMerge(primary, secondary, w.now, policies, m)
	known := w.contacts[1-into].Version > 0 // the primary may be anybody
	merged := w.root(0) == w.root(1)
	var invalid *convo.ValidationError
	switch {
	case !known:
		if !errors.Is(err, convo.ErrNotFound) {
			x.failf("a merge with somebody unknown: %v", err)
		}
		return
	case merged && w.root(into) == into:
		if err != nil || d.Outcome != convo.OutcomeUnchanged || len(d.Secondary.Events) > 0 {
			x.failf("a repeated merge: %s, %v", d.Outcome, err)
		}
		return
	case merged:
		if !errors.As(err, &invalid) {
			x.failf("an opposite merge: %v", err)
		}
		return
	case err != nil || d.Outcome != convo.OutcomeMerged:
		x.failf("a merge: %s, %v", d.Outcome, err)
	}
	if d.Primary.Contact.Blocked != (primary.Contact.Blocked || secondary.Contact.Blocked) {
		x.failf("a merge with somebody blocked: %t", d.Primary.Contact.Blocked)
	}
	if len(secondary.AllActive) < 2 { // else the events are of several conversations
		if len(secondary.AllActive) == 1 {
			secondary.Conversation = secondary.AllActive[0]
		}
		x.folds(&secondary.Snapshot, &d.Secondary)
	}
	for _, c := range secondary.AllActive {
		taken := slices.ContainsFunc(primary.AllActive, func(other convo.Conversation) bool {
			return other.Lane == c.Lane
		})
		after := d.Secondary.Conversation.Conversation
		for i := range d.Secondary.Earlier {
			if d.Secondary.Earlier[i].ID == c.ID {
				after = d.Secondary.Earlier[i].Conversation
			}
		}
		if moves := x.policy.Merge == convo.MergeTransfer && !taken; after.ID != c.ID ||
			after.Status.Active() != moves || moves && after.Contact != names[into] {
			x.failf("a merge left %+v", after)
		}
	}
	count := len(w.conversations)
	w.commit(&d.Primary)
	w.commit(&d.Secondary)
	if len(w.conversations) != count || w.contacts[into].Version != primary.Contact.Version+1 {
		x.failf("the merge changed more than it should")
	}
}

// tick does what Engine.Tick does.
func (x *explorer) tick(w *tiny) {
	x.ticking = true
	defer func() { x.ticking = false }()
	for i := range w.conversations {
		for changes := 0; ; changes++ {
			if changes > 2+len(x.policy.Deadlines) {
				x.failf("a timer does not come to rest")
			}
			c := &w.conversations[i]
			if c.DueAt.IsZero() || c.DueAt.After(w.now) {
				break
			}
			to := convo.ToConversation(tenant, c.ID)
			if !x.fire(w, to) {
				break
			}
		}
	}
}

// fire does the next thing that is due, if any is.
func (x *explorer) fire(w *tiny, to convo.Ref) bool {
	before := w.load(to)
	due, name := world.NextDue(before, &x.policy)
	d, fired := convo.DecideDue(before, w.now, &x.policy)
	if overdue := !due.IsZero() && !due.After(w.now); overdue != (fired.Name != "") {
		x.failf("%q is due at %s, and %q came of it", name, due, fired.Name)
	}
	if ch := &d.Change; fired.Name == "" {
		if len(ch.Events) > 0 || !ch.Conversation.DueAt.Equal(due) {
			x.failf("the hint moved to %s, and not to %s", ch.Conversation.DueAt, due)
		}
	} else {
		x.folds(&before, ch)
		x.fired(&before, fired, ch)
	}
	w.commit(&d.Change)
	return fired.Name != ""
}

// fired holds that what was due was done, once, at the time when it became so.
func (x *explorer) fired(before *convo.Snapshot, t convo.Timer, ch *convo.Change) {
	at, after := t.Due, &ch.Conversation
	if before.Conversation.UpdatedAt.After(at) {
		at = before.Conversation.UpdatedAt
	}
	kinds := map[convo.EventKind]int{}
	for i := range ch.Events {
		e := &ch.Events[i]
		kinds[e.Kind]++
		if e.By != convo.BySystem() || !e.At.Equal(at) {
			x.failf("%s of %s by %s at %s, not at %s", e.Kind, t.Name, e.By.Type, e.At, at)
		}
	}
	passed := 0
	if t.Name != convo.TimerWake && t.Name != convo.TimerAutoClose {
		passed = 1
	}
	done := map[convo.Do]bool{
		convo.DoRemind: after.Status == before.Conversation.Status,
		convo.DoClose:  after.Status == convo.StatusClosed, convo.DoPend: after.Status == "pending",
		convo.DoResume: after.Status == "open", convo.DoUnassign: after.Assignee == "",
	}
	if kinds[convo.DeadlinePassed] != passed || !done[t.Do] {
		x.failf("%s left %v, %+v", t.Name, kinds, after.Conversation)
	}
	if after.LastActivityAt != before.Conversation.LastActivityAt {
		x.failf("%s counts as activity", t.Name)
	}
	for _, again := range convo.Timers(ch.After(*before).Conversation, &x.policy) {
		if again.Name == t.Name && !again.Since.After(t.Since) {
			x.failf("%s is armed again, since %s", t.Name, again.Since)
		}
	}
}

// check holds what must hold at every moment.
func (x *explorer) check(w *tiny) {
	var active [2][2]int // by contact, and whether it is aside
	for i := range w.conversations {
		c := &w.conversations[i]
		if what := contradiction(c); what != "" {
			x.failf("%s: %+v", what, *c)
		}
		if d := shortest(c); d < 0 {
			x.failf("a duration of %s", d)
		}
		root := slices.Index(names[:], c.Contact)
		if w.root(root) != root {
			x.failf("a conversation of a contact that was merged")
		}
		if !c.Status.Active() {
			continue
		}
		lane := min(len(c.Lane), 1)
		if active[root][lane]++; active[root][lane] > 1 {
			x.failf("two active conversations")
		}
		due, _ := world.NextDue(w.load(convo.ToConversation(tenant, c.ID)), &x.policy)
		if !due.IsZero() && (c.DueAt.IsZero() || c.DueAt.After(due)) {
			x.failf("due at %s, and the timer is set to %s", due, c.DueAt)
		}
	}
}

// shortest is the shortest of all durations that are measured.
func shortest(c *convo.Conversation) time.Duration {
	var all [8]time.Duration
	all[0], _ = c.Cycle.FirstResponseTime()
	all[1], _ = c.Cycle.AssignmentTime()
	all[2], _ = c.Cycle.ResolutionTime()
	all[3], _ = c.Cycle.ActiveResolutionTime()
	all[4], _ = c.Cycle.ResponseTime()
	all[5], _ = c.FirstResolutionTime()
	all[6], _ = c.LastResolutionTime()
	all[7] = c.Cycle.PendingTime()
	return slices.Min(all[:])
}

// namesOfTypes are the names of commands by their types.
var namesOfTypes = func() map[reflect.Type]convo.CommandName {
	m := map[reflect.Type]convo.CommandName{}
	for i, name := range world.CommandNames() {
		m[reflect.TypeOf(allCommands[i])] = name
	}
	return m
}()

func nameOf(cmd convo.Command) convo.CommandName { return namesOfTypes[reflect.TypeOf(cmd)] }
