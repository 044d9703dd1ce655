package convo_test

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
)

const tenant = "acme"

var (
	// morning is when the scripts begin: a Monday, in whole microseconds and UTC as convo keeps
	// times.
	morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	// seedID is the first id of a script, a UUIDv7.
	seedID = uuid.MustParse("01958f2e-1c00-7abc-8000-000000000000")

	agentAna = convo.ByUser("ana")
	agentBen = convo.ByUser("ben")
	flowBot  = convo.ByAutomation("bot")
	visitor  = convo.ByContact()
)

// talk is the thread of one contact, moved on by Decide alone.
type talk struct {
	t      testing.TB
	thread convo.Snapshot
	policy convo.Policy
	now    time.Time
	log    []convo.Event
}

func newTalk(t testing.TB, p convo.Policy) *talk {
	require.NoError(t, p.Validate())
	return &talk{t: t, policy: p, now: morning, thread: convo.Snapshot{
		Ref:     convo.ToContact(tenant, "carl"),
		Contact: convo.Contact{Workspace: tenant, ID: "carl"},
		Next:    seedID,
	}}
}

// do decides cmds, which must not be refused, and goes on from there.
func (k *talk) do(cmds ...convo.Command) convo.Decision {
	k.t.Helper()
	d, err := convo.Decide(k.thread, k.now, &k.policy, cmds...)
	require.NoError(k.t, err)
	world.CheckInPlace(k.t, d, nil, k.thread, k.now, &k.policy, cmds)
	checkDecision(k.t, k.thread, d)
	k.thread = d.Change.After(k.thread)
	k.log = append(k.log, d.Change.Events...)
	return d
}

// refuses decides cmds, which must be refused.
func (k *talk) refuses(cmds ...convo.Command) error {
	k.t.Helper()
	d, err := convo.Decide(k.thread, k.now, &k.policy, cmds...)
	require.Error(k.t, err)
	require.Equal(k.t, convo.Decision{}, d, "a refusal decides nothing")
	world.CheckInPlace(k.t, d, err, k.thread, k.now, &k.policy, cmds)
	return err
}

func (k *talk) wait(d time.Duration) *talk {
	k.now = k.now.Add(d)
	return k
}

func (k *talk) conversation() convo.Conversation { return k.thread.Conversation }
func (k *talk) cycle() convo.Cycle               { return k.thread.Conversation.Cycle }

// checkDecision holds what every decision must hold: folding its events gives its thread, and the
// log has no gaps.
func checkDecision(t testing.TB, before convo.Snapshot, d convo.Decision) {
	t.Helper()
	after, folded := d.Change.After(before), before
	versions := map[uuid.UUID]int64{before.Conversation.ID: before.Conversation.Version}
	contactVersion := before.Contact.Version
	for _, e := range d.Change.Events {
		folded = convo.Apply(folded, e)
		if e.Conversation == uuid.Nil {
			contactVersion++
			require.Equal(t, contactVersion, e.Seq,
				"the contact's events are numbered without gaps")
		} else {
			versions[e.Conversation]++
			require.Equal(t, versions[e.Conversation], e.Seq,
				"the events are numbered without gaps")
			if seq := cmp.Or(e.Row().FromSeq, e.Row().ContactSeq); seq != 0 {
				contactVersion++
				require.Equal(t, contactVersion, seq)
			}
		}
	}
	folded.Next, folded.Conversation.DueAt = after.Next, after.Conversation.DueAt
	folded.Conversation.Deadline = after.Conversation.Deadline
	folded.Conversation.Applied = after.Conversation.Applied
	if d.Change.Conversation.Moved { // the contact of the thread is another one afterwards
		folded.Target, folded.Active = convo.MoveTarget{}, after.Active
		if d.Change.Other.Action != convo.RowKept {
			require.Equal(t, folded.Contact, d.Change.Other.Contact)
			folded.Contact = after.Contact
		}
	}
	require.Equal(t, folded, after, "folding the events gives the decision's thread")
	require.Equal(t, d.Change.Contact.Action != convo.RowKept,
		contactVersion != before.Contact.Version || after.Contact.SeenAt != before.Contact.SeenAt)
	if d.Outcome == convo.OutcomeUnchanged {
		require.Empty(t, d.Change.Events, "unchanged writes no event")
	} else {
		require.NotEmpty(t, d.Change.Events)
	}
}

// after is the snapshot that a decision on before leads to.
func after(before convo.Snapshot, d convo.Decision) convo.Snapshot { return d.Change.After(before) }

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func kindsOf(events []convo.Event) []convo.EventKind {
	var kinds []convo.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// stateOf is the state that a thread is in, by the words of the specification rather than by the
// code's.
func stateOf(t convo.Snapshot) convo.State {
	switch {
	case t.Conversation.ID == uuid.Nil:
		return convo.StateNone
	case t.Conversation.Status == convo.StatusOpen:
		return convo.StateOpen
	case t.Conversation.Status == convo.StatusPending:
		return convo.StatePending
	case t.Active != uuid.Nil:
		return convo.StateSuperseded
	}
	return convo.StateClosed
}

var allStates = []convo.State{
	convo.StateNone, convo.StateOpen, convo.StatePending, convo.StateClosed, convo.StateSuperseded,
}

// threadIn makes a thread in a state by deciding the commands that lead there.
func threadIn(t testing.TB, state convo.State) convo.Snapshot {
	k := newTalk(t, convo.Policy{})
	if state == convo.StateNone {
		return k.thread
	}
	k.do(convo.Open{By: agentAna, Channel: "webchat"},
		convo.Receive{Channel: "webchat", Body: "hello"},
		convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"})
	switch state {
	case convo.StatePending:
		k.do(convo.SetPending{By: agentAna, Until: morning.Add(2 * time.Hour)})
	case convo.StateClosed, convo.StateSuperseded:
		k.do(convo.Close{By: agentAna, Category: "Sales", Summary: "sold"})
	}
	if state == convo.StateSuperseded {
		left := k.conversation()
		k.do(convo.Open{By: agentBen})
		k.thread.Active, k.thread.Conversation = k.thread.Conversation.ID, left
		k.thread.Ref = convo.ToConversation(tenant, left.ID)
	}
	require.Equal(t, state, stateOf(k.thread))
	k.thread.Message = &convo.Messages(k.log)[0]
	return k.thread
}

// specified is each command, written down a second time: its row in the table of the specification,
// in which each cell holds what may come of it, an outcome with the state after it, or an error; a
// plain sample that changes something wherever anything can be changed; and what it records, if it
// does. A new command has to be added here, and nowhere else in these tests.
var specified = map[convo.CommandName]struct {
	cells   [5]string // none, open, pending, closed, superseded
	sample  convo.Command
	records convo.EventKind
}{
	convo.CommandOpen: {
		cells: [5]string{
			"opened open", "unchanged open", "resumed open", "opened open | reopened open",
			"ErrActiveExists",
		},
		sample: convo.Open{By: agentAna},
	},
	convo.CommandReceive: {
		cells: [5]string{
			"opened open | recorded none", "recorded open",
			"resumed open | recorded pending | recorded pending",
			"opened open | reopened open | ErrClosed | recorded closed",
			"ErrActiveExists | recorded superseded",
		},
		sample:  convo.Receive{Body: "anybody there?", Attachments: json.RawMessage(`["a.png"]`)},
		records: convo.MessageReceived,
	},
	convo.CommandSend: {
		cells: [5]string{
			"ErrNotActive | recorded none", "recorded open", "recorded pending",
			"ErrNotActive | recorded closed", "ErrNotActive | recorded superseded",
		},
		sample:  convo.Send{By: agentAna, Body: "yes", Attachments: json.RawMessage(`["b.png"]`)},
		records: convo.MessageSent,
	},
	convo.CommandNote: {
		cells: [5]string{
			"ErrNotFound", "recorded open", "recorded pending", "recorded closed",
			"recorded superseded",
		},
		sample: convo.Note{By: agentAna, Body: "a regular",
			Attachments: json.RawMessage(`["c.png"]`)},
		records: convo.NoteAdded,
	},
	convo.CommandEdit: {
		cells: aboutAMessage("edited"),
		sample: convo.Edit{By: agentAna, Channel: "webchat", ExternalID: "1", Body: "at 6",
			Attachments: json.RawMessage(`["d.png"]`)},
	},
	convo.CommandRetract: {
		cells:  aboutAMessage("retracted"),
		sample: convo.Retract{By: agentAna, Channel: "webchat", ExternalID: "1"},
	},
	convo.CommandIdentify: {
		cells: aboutAMessage("identified"),
		sample: convo.Identify{By: flowBot, Message: seedID, Channel: "webchat",
			ExternalID: "1"},
	},
	convo.CommandSetPending: {
		cells: [5]string{
			"ErrNotActive", "pending pending", "pending pending | unchanged pending",
			"ErrNotActive", "ErrNotActive",
		},
		sample: convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)},
	},
	convo.CommandResume: {
		cells: [5]string{
			"ErrNotActive", "unchanged open", "resumed open", "ErrNotActive", "ErrNotActive",
		},
		sample: convo.Resume{By: agentAna},
	},
	convo.CommandClose: {
		cells: [5]string{
			"ErrNotActive", "closed closed", "closed closed", "ErrNotActive", "ErrNotActive",
		},
		sample: convo.Close{By: agentAna, Category: "Support", Summary: "solved"},
	},
	convo.CommandReopen: {
		cells: [5]string{
			"ErrNotFound", "unchanged open", "unchanged pending", "reopened open",
			"ErrActiveExists",
		},
		sample: convo.Reopen{By: agentAna},
	},
	convo.CommandAssign: {
		cells: [5]string{
			"ErrNotActive", "assigned open | unchanged open",
			"assigned pending | unchanged pending", "assigned closed | unchanged closed",
			"assigned superseded | unchanged superseded",
		},
		sample: convo.Assign{By: agentAna, Assignee: "ben", Team: "support"},
	},
	convo.CommandAmendClosing: {
		cells: [5]string{
			"ErrNotFound", "ErrNotClosed", "ErrNotClosed", "amended closed | unchanged closed",
			"amended superseded | unchanged superseded",
		},
		sample: convo.AmendClosing{By: agentAna, Category: "Support", Summary: "not sold"},
	},
	convo.CommandLabel: {
		cells:  described("labeled"),
		sample: convo.Label{By: agentAna, Add: []string{"vip", "order 7"}, Remove: []string{"new"}},
	},
	convo.CommandPrioritize: {
		cells:  described("prioritized"),
		sample: convo.Prioritize{By: agentAna, Priority: convo.PriorityHigh},
	},
	convo.CommandDescribe: {
		cells: described("described"),
		sample: convo.Describe{By: agentAna, Subject: new("Order 7"),
			Attributes: json.RawMessage(`{"order":7}`)},
	},
	convo.CommandSetProfile: {
		cells: [5]string{
			"profiled none | unchanged none | ErrNotFound", "profiled open | unchanged open",
			"profiled pending | unchanged pending", "profiled closed | unchanged closed",
			"profiled superseded | unchanged superseded",
		},
		sample: convo.SetProfile{By: agentAna, Name: new("Carl"),
			Attributes: json.RawMessage(`{"tier":"gold"}`)},
	},
	convo.CommandMove: {
		cells: [5]string{
			"ErrNotFound", "moved open | unchanged open | ErrActiveExists",
			"moved pending | unchanged pending | ErrActiveExists",
			"moved closed | unchanged closed", "moved superseded | unchanged superseded",
		},
		sample: convo.Move{By: agentAna, Contact: "dora", Lane: new("orders")},
	},
	convo.CommandRate: {
		cells:  described("rated"),
		sample: convo.Rate{By: visitor, Score: 4, Comment: "quick"},
	},
	convo.CommandBlock: {
		cells: [5]string{
			"blocked none | unchanged none | ErrNotFound", "blocked open | unchanged open",
			"blocked pending | unchanged pending", "blocked closed | unchanged closed",
			"blocked superseded | unchanged superseded",
		},
		sample: convo.Block{By: agentAna, Reason: "spam"},
	},
	convo.CommandUnblock: {
		cells: [5]string{
			"unblocked none | unchanged none | ErrNotFound", "unblocked open | unchanged open",
			"unblocked pending | unchanged pending", "unblocked closed | unchanged closed",
			"unblocked superseded | unchanged superseded",
		},
		sample: convo.Unblock{By: agentAna},
	},
	convo.CommandLinkAddress: {
		cells: [5]string{
			"linked none | unchanged none | ErrNotFound", "linked open | unchanged open",
			"linked pending | unchanged pending",
			"linked closed | unchanged closed", "linked superseded | unchanged superseded",
		},
		sample: convo.LinkAddress{By: agentAna},
	},
	convo.CommandUnlinkAddress: {
		cells: [5]string{
			"unlinked none | unchanged none | ErrNotFound", "unlinked open | unchanged open",
			"unlinked pending | unchanged pending", "unlinked closed | unchanged closed",
			"unlinked superseded | unchanged superseded",
		},
		sample: convo.UnlinkAddress{By: agentAna},
	},
}

// described is the row of a command that says what a conversation is about.
func described(outcome string) (cells [5]string) {
	cells[0] = "ErrNotFound"
	for i, state := range allStates[1:] {
		cells[i+1] = outcome + " " + string(state) + " | unchanged " + string(state)
	}
	return cells
}

// aboutAMessage is the row of a command about a message, which may be in any log.
func aboutAMessage(outcome string) (cells [5]string) {
	for i, state := range allStates {
		cells[i] = outcome + " " + string(state) + " | unchanged " + string(state) +
			" | ErrNotFound"
	}
	return cells
}

// ownMessage gives a thread without a conversation a message in the contact's own log.
func ownMessage(t testing.TB, s *scene) {
	if s.thread.Conversation.ID == uuid.Nil {
		d, err := convo.Decide(s.thread, morning, nil, convo.Receive{Quiet: true, Body: "away"})
		require.NoError(t, err)
		s.thread = d.Change.After(s.thread)
		s.thread.Message = &convo.Messages(d.Change.Events)[0]
	}
}

// sample is a plain command of each name.
var sample = func() map[convo.CommandName]convo.Command {
	all := map[convo.CommandName]convo.Command{}
	for name, spec := range specified {
		all[name] = spec.sample
	}
	return all
}()

// quietly is a message that changes nothing but the log.
func quietly(cmd convo.Command) convo.Command {
	switch c := cmd.(type) {
	case convo.Receive:
		c.Quiet = true
		return c
	case convo.Send:
		c.Quiet = true
		return c
	}
	return cmd
}

// scene is what one row of the transition table is tried with.
type scene struct {
	thread convo.Snapshot
	policy convo.Policy
	cmd    convo.Command
}

// scenes sets up what the When of a row names.
var scenes = map[string]func(t testing.TB, s *scene){
	"": func(testing.TB, *scene) {},
	"open: new": func(_ testing.TB,
		s *scene) {
		s.policy.Open.Mode = convo.OnClosedOpenNew
	},
	"open: reopen": func(_ testing.TB,
		s *scene) {
		s.policy.Open.Mode = convo.OnClosedReopen
	},
	"receive: new": func(_ testing.TB,
		s *scene) {
		s.policy.Receive.Mode = convo.OnClosedOpenNew
	},
	"receive: reopen": func(_ testing.TB,
		s *scene) {
		s.policy.Receive.Mode = convo.OnClosedReopen
	},
	"receive: reject": func(_ testing.TB,
		s *scene) {
		s.policy.Receive.Mode = convo.OnClosedReject
	},
	"unless it stays": func(testing.TB, *scene) {},
	"it stays": func(_ testing.TB, s *scene) {
		s.thread.Conversation.OnReceive = convo.OnReceiveStay
	},
	"another rating": func(testing.TB, *scene) {},
	"the same": func(_ testing.TB, s *scene) {
		c := &s.thread.Conversation
		c.Unrated, c.Cycle.Rating = 0, convo.Rating{At: morning, Score: 4, Comment: "quick"}
	},
	"unless quiet": func(testing.TB, *scene) {},
	"quiet":        func(_ testing.TB, s *scene) { s.cmd = quietly(s.cmd) },
	"text changed": ownMessage,
	"same text, or taken back": func(t testing.TB, s *scene) {
		ownMessage(t, s)
		m := *s.thread.Message
		m.RetractedAt = morning
		s.thread.Message = &m
	},
	"not taken back, or to redact": ownMessage,
	"taken back": func(t testing.TB, s *scene) {
		ownMessage(t, s)
		m := *s.thread.Message
		m.RetractedAt = morning
		s.thread.Message = &m
	},
	"another id": ownMessage,
	"it has this id": func(t testing.TB, s *scene) {
		ownMessage(t, s)
		s.thread.Holder = s.thread.Message
	},
	"no such message":             func(_ testing.TB, s *scene) { s.thread.Message = nil },
	"until or on_receive changed": func(testing.TB, *scene) {},
	"neither changed": func(_ testing.TB, s *scene) {
		s.cmd = convo.SetPending{By: agentAna, Until: s.thread.Conversation.PendingUntil}
	},
	"assignee or team changed": func(testing.TB, *scene) {},

	"category or summary changed": func(testing.TB, *scene) {},
	"elsewhere":                   func(_ testing.TB, s *scene) { s.goesTo("dora", s.thread.Active) },
	"it is there": func(_ testing.TB, s *scene) {
		s.cmd = convo.Move{By: agentAna, Contact: "carl", Channel: &s.thread.Conversation.Channel}
		s.goesTo("carl", uuid.Nil)
	},
	"another one is active there":   func(_ testing.TB, s *scene) { s.goesTo("dora", uuid.New()) },
	"labels changed":                func(testing.TB, *scene) {},
	"priority changed":              func(testing.TB, *scene) {},
	"subject or attributes changed": func(testing.TB, *scene) {},
	"name or attributes changed":    func(_ testing.TB, s *scene) { s.isKnown() },
	"nothing changed": func(t testing.TB, s *scene) {
		c := s.thread.Conversation
		switch s.cmd.(type) {
		case convo.Assign:
			s.cmd = convo.Assign{By: agentAna, Assignee: c.Assignee, Team: c.Team}
		case convo.AmendClosing:
			s.cmd = convo.AmendClosing{By: agentAna, Category: c.Cycle.Closing.Category,
				Summary: c.Cycle.Closing.Summary}
		case convo.Label:
			s.cmd = convo.Label{By: agentAna, Add: c.Labels.All(), Remove: []string{"none such"}}
		case convo.Prioritize:
			s.cmd = convo.Prioritize{By: agentAna, Priority: c.Priority}
		case convo.Describe:
			s.cmd = convo.Describe{By: agentAna, Subject: &c.Subject}
		case convo.SetProfile:
			s.isKnown()
			s.cmd = convo.SetProfile{By: agentAna, Name: &s.thread.Contact.Name}
		default:
			t.Fatalf("the same what, of a %T?", s.cmd)
		}
	},
	"contact not known": func(testing.TB, *scene) {},
	"not blocked":       func(_ testing.TB, s *scene) { s.isKnown() },
	"blocked": func(t testing.TB, s *scene) {
		s.isKnown()
		d, err := convo.Decide(s.thread, morning, &s.policy, convo.Block{By: agentAna})
		require.NoError(t, err)
		s.thread = d.Change.After(s.thread)
	},
	"address not linked": func(_ testing.TB, s *scene) {
		s.isKnown()
		s.thread.Ref = convo.Ref{Workspace: tenant, Contact: "carl",
			Address: convo.Address{Channel: "email", Value: "c@x"}}
	},
	"address linked": func(_ testing.TB, s *scene) {
		s.isKnown()
		s.thread.Ref = convo.Ref{Workspace: tenant, Contact: "carl",
			Address: convo.Address{Channel: "email", Value: "c@x"}}
		s.thread.AddressOwner = "carl"
	},
}

// goesTo is what a Move finds where it goes.
func (s *scene) goesTo(contact string, active uuid.UUID) {
	s.thread.Target = convo.MoveTarget{
		Contact: convo.Contact{Workspace: tenant, ID: contact}, Active: active,
	}
	if contact == s.thread.Contact.ID {
		s.thread.Target.Contact = s.thread.Contact
	}
}

// withTarget has a Move go to dora, whom nobody knows.
func withTarget(thread convo.Snapshot, name convo.CommandName) convo.Snapshot {
	if name == convo.CommandMove {
		thread.Target.Contact = convo.Contact{Workspace: tenant, ID: "dora"}
	}
	return thread
}

// isKnown makes a contact without a conversation known, as a quiet message does.
func (s *scene) isKnown() {
	if s.thread.Contact.Version == 0 {
		s.thread.Contact.Version, s.thread.Contact.CreatedAt = 1, morning
	}
}

// writtenBy says which kinds of events a row writes.
func writtenBy(row convo.Transition) []convo.EventKind {
	kind := map[convo.Outcome]convo.EventKind{
		convo.OutcomeOpened:   convo.ConversationOpened,
		convo.OutcomeReopened: convo.ConversationReopened,
		convo.OutcomeResumed:  convo.ConversationResumed,
		convo.OutcomePending:  convo.ConversationPending,
		convo.OutcomeEdited:   convo.MessageEdited, convo.OutcomeRetracted: convo.MessageRetracted,
		convo.OutcomeIdentified: convo.MessageIdentified,
		convo.OutcomeClosed:     convo.ConversationClosed,
		convo.OutcomeAssigned:   convo.ConversationAssigned,
		convo.OutcomeAmended:    convo.ClosingAmended, convo.OutcomeBlocked: convo.ContactBlocked,
		convo.OutcomeUnblocked: convo.ContactUnblocked, convo.OutcomeLinked: convo.AddressLinked,
		convo.OutcomeUnlinked:    convo.AddressUnlinked,
		convo.OutcomeLabeled:     convo.ConversationLabeled,
		convo.OutcomeMoved:       convo.ConversationMoved,
		convo.OutcomeRated:       convo.ConversationRated,
		convo.OutcomePrioritized: convo.ConversationPrioritized,
		convo.OutcomeDescribed:   convo.ConversationDescribed,
		convo.OutcomeProfiled:    convo.ProfileChanged,
	}[row.Outcome]
	switch {
	case row.Err != nil || row.Outcome == convo.OutcomeUnchanged:
		return nil
	case row.Command == convo.CommandReceive && row.Outcome == convo.OutcomeResumed:
		return []convo.EventKind{convo.MessageReceived, kind} // the message is why it is resumed
	case row.Command == convo.CommandReceive && row.Outcome != convo.OutcomeRecorded:
		return []convo.EventKind{kind, convo.MessageReceived}
	case row.Outcome == convo.OutcomeRecorded:
		return []convo.EventKind{specified[row.Command].records}
	}
	return []convo.EventKind{kind}
}

func TestEveryRowOfTheTransitionTableIsWhatDecideDoes(t *testing.T) {
	for _, row := range convo.Transitions() {
		name := strings.Join([]string{string(row.Command), string(row.State), row.When}, "/")
		t.Run(name, func(t *testing.T) {
			setUp, known := scenes[row.When]
			require.True(t, known, "the table names a condition that no scene sets up: %q",
				row.When)
			s := scene{thread: threadIn(t, row.State), cmd: sample[row.Command]}
			require.NotNil(t, s.cmd)
			setUp(t, &s)
			before, policy := s.thread, s.policy

			d, err := convo.Decide(s.thread, morning, &s.policy, s.cmd)

			world.CheckInPlace(t, d, err, s.thread, morning, &s.policy, []convo.Command{s.cmd})
			require.Equal(t, before, s.thread, "the thread is the caller's")
			require.Equal(t, policy, s.policy, "the policy is the caller's")
			if row.Err != nil {
				require.Empty(t, row.Outcome)
				require.Equal(t, row.State, row.Next)
				require.ErrorIs(t, err, row.Err)
				var refused *convo.StateError
				require.ErrorAs(t, err, &refused)
				require.Equal(t, row.Command, refused.Command)
				require.Equal(t, "carl", refused.Contact)
				require.Equal(t, before.Conversation.ID, refused.Conversation)
				require.Equal(t, row.State == convo.StateNone, refused.Unknown)
				require.Equal(t, cmp.Or(before.Active, before.Target.Active), refused.Active)
				require.Equal(t, convo.Decision{}, d, "a refusal writes nothing")
				return
			}
			require.NoError(t, err)
			require.Equal(t, row.Outcome, d.Outcome)
			require.Equal(t, row.Next, stateOf(d.Change.After(before)))
			require.Equal(t, writtenBy(row), kindsOf(d.Change.Events))
			if row.Outcome == convo.OutcomeUnchanged {
				require.True(t, d.Change.Empty(), "unchanged writes nothing")
				before.Target = convo.MoveTarget{}
				require.Equal(t, before, d.Change.After(before))
			}
			checkDecision(t, before, d)
		})
	}
}

func TestTheTransitionTableIsThatOfTheSpecification(t *testing.T) {
	names := map[error]string{
		convo.ErrNotFound: "ErrNotFound", convo.ErrNotActive: "ErrNotActive",
		convo.ErrNotClosed:    "ErrNotClosed",
		convo.ErrActiveExists: "ErrActiveExists", convo.ErrClosed: "ErrClosed",
	}
	got := map[convo.CommandName][5]string{}
	for _, row := range convo.Transitions() {
		i := slices.Index(allStates, row.State)
		require.GreaterOrEqual(t, i, 0, "a state that is not in the specification: %s", row.State)
		way := cmp.Or(names[row.Err], string(row.Outcome)+" "+string(row.Next))
		cells := got[row.Command]
		if cells[i] != "" {
			way = cells[i] + " | " + way
		}
		cells[i] = way
		got[row.Command] = cells
	}
	want := map[convo.CommandName][5]string{}
	for name, spec := range specified {
		want[name] = spec.cells
		assert.Equal(t, name, nameOf(spec.sample))
	}
	assert.Equal(t, want, got)
}

func TestRowsOfACellAreToldApartByWhatPicksThem(t *testing.T) {
	seen := map[[3]string]bool{}
	ways := map[[2]string]int{}
	for _, row := range convo.Transitions() {
		k := [3]string{string(row.Command), string(row.State), row.When}
		assert.False(t, seen[k], "%v is there twice", k)
		seen[k] = true
		ways[[2]string{k[0], k[1]}]++
	}
	for k := range seen {
		assert.Equal(t, ways[[2]string{k[0], k[1]}] > 1, k[2] != "",
			"%v names a condition exactly where there are several ways", k)
	}
}

func TestTransitionsAreTheCallersToKeep(t *testing.T) {
	rows := convo.Transitions()
	rows[0].Outcome = "broken"
	assert.Equal(t, convo.OutcomeOpened, convo.Transitions()[0].Outcome)
}

// Time.

func TestACommandWithoutATimeIsStampedWithNow(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	d := k.do(convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hi"})
	for _, e := range d.Change.Events {
		assert.Equal(t, morning, e.At)
	}
	assert.Equal(t, morning, k.conversation().CreatedAt)
	assert.Equal(t, morning, k.thread.Contact.CreatedAt)
	assert.Equal(t, morning, k.cycle().OpenedAt)
}

func TestTimesAreKeptInUTCAndWholeMicroseconds(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	k := newTalk(t, convo.Policy{})
	given := time.Date(2026, 3, 2, 9, 30, 0, 123456789, berlin)
	d := k.do(convo.Open{By: agentAna, At: given})
	assert.Equal(t, time.Date(2026, 3, 2, 8, 30, 0, 123456000, time.UTC), d.Change.Events[0].At)

	k.now = time.Date(2026, 3, 2, 12, 0, 0, 999, berlin)
	k.do(convo.SetPending{By: agentAna, Until: time.Date(2026, 3, 2, 13, 0, 0, 1999, berlin)})
	assert.Equal(t, time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC), k.conversation().StatusSince)
	assert.Equal(t, time.Date(2026, 3, 2, 12, 0, 0, 1000, time.UTC), k.conversation().PendingUntil)
}

// at gives cmd a time of its own.
func at(cmd convo.Command, when time.Time) convo.Command { return withField(cmd, "At", when) }

// withField is cmd with a field set, if it has one of that name. A value of another string type is
// converted.
func withField(cmd convo.Command, name string, value any) convo.Command {
	v := reflect.New(reflect.TypeOf(cmd)).Elem()
	v.Set(reflect.ValueOf(cmd))
	if f := v.FieldByName(name); f.IsValid() {
		f.Set(reflect.ValueOf(value).Convert(f.Type()))
	}
	return v.Interface().(convo.Command)
}

// statesThatTake are states in which the sample command is not refused under the zero policy.
func statesThatTake(name convo.CommandName) (states []convo.State) {
	for _, row := range convo.Transitions() {
		// what needs somebody or something to be known, which nothing is there
		none := row.State == convo.StateNone && name != convo.CommandOpen &&
			name != convo.CommandReceive
		if row.Command == name && row.Err == nil && row.When != "quiet" && !none &&
			!slices.Contains(states, row.State) {
			states = append(states, row.State)
		}
	}
	return states
}

func TestATimeBeforeTheLastEventIsOutOfOrder(t *testing.T) {
	for name, cmd := range sample {
		for _, state := range statesThatTake(name) {
			if state == convo.StateNone {
				continue // nothing happened yet
			}
			t.Run(string(name)+"/"+string(state), func(t *testing.T) {
				thread := withTarget(threadIn(t, state), name)
				last := thread.Conversation.UpdatedAt

				_, err := convo.Decide(thread, morning.Add(time.Hour), nil,
					at(cmd, last.Add(-time.Microsecond)))
				require.ErrorIs(t, err, convo.ErrOutOfOrder)

				_, err = convo.Decide(thread, morning.Add(time.Hour), nil, at(cmd, last))
				require.NoError(t, err, "the time of the last event itself is in order")
			})
		}
	}
}

func TestAGivenTimeIsInOrderWithThoseOfTheSameCall(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	err := k.refuses(
		convo.Open{By: agentAna, At: morning.Add(time.Minute)},
		convo.Note{By: agentAna, Body: "before it", At: morning},
	)
	assert.ErrorIs(t, err, convo.ErrOutOfOrder)
}

func TestAnImportKeepsItsTimesHoweverOldTheyAre(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	opened := time.Date(1999, 12, 31, 23, 59, 0, 0, time.UTC)
	d := k.do(
		convo.Receive{Body: "hi", At: opened},
		convo.Send{By: agentAna, Body: "hello", At: opened.Add(time.Minute)},
		convo.Close{By: agentAna, At: opened.Add(time.Hour), Source: convo.SourceImport},
	)
	assert.Equal(t, convo.OutcomeClosed, d.Outcome)
	resolution, ok := k.cycle().ResolutionTime()
	assert.True(t, ok)
	assert.Equal(t, time.Hour, resolution)
	assert.Equal(t, convo.SourceImport, k.cycle().Closing.Source)
}

func TestAClockThatStandsBehindStampsWithTheTimeOfTheLastEvent(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	k.wait(-time.Hour) // another server, whose clock is slow
	k.do(convo.Send{By: agentAna, Body: "hello"})
	k.do(convo.SetPending{By: agentAna})
	d := k.do(convo.Close{By: agentAna})
	assert.Equal(t, morning, d.Change.Events[0].At)
	for _, e := range k.log {
		assert.Equal(t, morning, e.At)
	}
	assert.Zero(t, k.cycle().ResponseMicros)
	assert.Zero(t, k.cycle().PendingMicros)
}

func TestTimesMustBeInTheYears1900To2189(t *testing.T) {
	first, end := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2190, 1, 1, 0, 0, 0, 0,
		time.UTC)
	for _, c := range []struct {
		when time.Time
		ok   bool
	}{
		{first.Add(-time.Nanosecond), false},
		{first, true},
		{end.Add(-time.Nanosecond), true},
		{end, false},
		// still 2189 there, but not in UTC
		{time.Date(2189, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*3600)), false},
		{time.Time{}.Add(time.Nanosecond), false}, // which is zero in microseconds
	} {
		for _, name := range []convo.CommandName{convo.CommandOpen, convo.CommandReceive} {
			_, err := convo.Decide(threadIn(t, convo.StateNone), maxTime(morning, c.when), nil,
				at(sample[name], c.when))
			if c.ok {
				assert.NoError(t, err, "%s at %s", name, c.when)
			} else {
				requireInvalid(t, "at", err)
			}
		}
		k := newTalk(t, convo.Policy{})
		k.do(convo.Open{By: agentAna, At: first})
		_, err := convo.Decide(k.thread, morning, nil,
			convo.SetPending{By: agentAna, At: first, Until: c.when})
		if c.ok && c.when.After(first) {
			assert.NoError(t, err)
		} else {
			requireInvalid(t, "until", err)
		}
	}
}

// Which conversation a command is for.

func TestACommandForAConversationThatWasSupersededNamesTheActiveOne(t *testing.T) {
	for name, cmd := range sample {
		t.Run(string(name), func(t *testing.T) {
			thread := withTarget(threadIn(t, convo.StateSuperseded), name)
			_, err := convo.Decide(thread, morning, nil, cmd)
			if !strings.HasPrefix(specified[name].cells[4], "Err") {
				require.NoError(t, err, "is about the closed one, or about the contact")
				return
			}
			var refused *convo.StateError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, thread.Active, refused.Active)
			assert.Equal(t, thread.Conversation.ID, refused.Conversation)
			assert.Contains(t, err.Error(), thread.Active.String())
			assert.Contains(t, err.Error(), thread.Conversation.ID.String())
		})
	}
}

func TestClosingAgainNamesTheClosingThatStands(t *testing.T) {
	for _, state := range []convo.State{convo.StateClosed, convo.StateSuperseded} {
		thread := threadIn(t, state)
		_, err := convo.Decide(thread, morning, nil, convo.Close{By: agentBen, Category: "Support"})
		var refused *convo.StateError
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, convo.ErrNotActive)
		require.NotErrorIs(t, err, convo.ErrNotFound)
		require.NotNil(t, refused.Closing)
		assert.Equal(t, convo.Closing{
			At: morning, By: agentAna, Source: convo.SourceUser, Category: "Sales", Summary: "sold",
		}, *refused.Closing)
		assert.Contains(t, err.Error(), "closed 2026-03-02T09:00:00Z by user")
		assert.NotContains(t, err.Error(), "sold",
			"what was written about a person is not for error logs")

		refused.Closing.Summary = "changed"
		assert.Equal(t, "sold", thread.Conversation.Cycle.Closing.Summary, "it is a copy")
	}
}

func TestAnUnknownContactIsNotFound(t *testing.T) {
	for name, cmd := range sample {
		if name == convo.CommandOpen || name == convo.CommandReceive {
			continue
		}
		t.Run(string(name), func(t *testing.T) {
			err := newTalk(t, convo.Policy{}).refuses(cmd)
			require.ErrorIs(t, err, convo.ErrNotFound)
			// The table says ErrNotActive where an active conversation is needed; both can be asked
			// for.
			want := strings.HasPrefix(specified[name].cells[0], "ErrNotActive")
			assert.Equal(t, want, errors.Is(err, convo.ErrNotActive))
			assert.Equal(t, want, strings.Contains(err.Error(), "not known"))
		})
	}
}

// Opening and reopening.

func TestReceiveAfterCloseOpensANewConversation(t *testing.T) {
	k := newTalk(t, convo.InboxPolicy())
	k.do(convo.Receive{Channel: "whatsapp", Body: "hi"})
	first := k.conversation().ID
	k.do(convo.Close{By: agentAna})
	d := k.do(convo.Receive{Channel: "viber", Body: "hi again"})
	assert.Equal(t, convo.OutcomeOpened, d.Outcome)
	assert.NotEqual(t, first, k.conversation().ID)
	assert.Equal(t, 1, k.cycle().Number)
	assert.Equal(t, "viber", k.conversation().Channel)
	assert.Equal(t, convo.SourceIncomingMessage, k.cycle().OpenedSource)
	assert.Equal(t, convo.Actor{Type: convo.ActorContact, ID: "carl"}, k.cycle().OpenedBy)
	assert.Empty(t, k.conversation().Assignee, "a new conversation is nobody's")
}

func TestTheWorkflowStepOpenReopensAClosedConversation(t *testing.T) {
	k := newTalk(t, convo.WorkflowPolicy())
	k.do(convo.Open{By: flowBot})
	first := k.conversation().ID
	k.do(convo.Close{By: flowBot, Category: "Sales"})
	d := k.do(convo.Open{By: flowBot})
	assert.Equal(t, convo.OutcomeReopened, d.Outcome)
	assert.Equal(t, first, k.conversation().ID)
	assert.Equal(t, 2, k.cycle().Number)
	assert.Zero(t, k.cycle().Closing)
}

func TestAVisitorsMessageToAClosedLiveChatIsRejected(t *testing.T) {
	k := newTalk(t, convo.LiveChatPolicy())
	k.do(convo.Receive{Body: "hi"})
	k.do(convo.Close{By: agentAna})
	err := k.refuses(convo.Receive{Body: "still there?"})
	assert.ErrorIs(t, err, convo.ErrClosed)
	d := k.do(convo.Reopen{By: visitor}, convo.Receive{Body: "still there?"})
	assert.Equal(t, convo.OutcomeRecorded, d.Outcome)
	assert.Equal(t, 2, k.cycle().Number)
}

func TestReopeningIsLimitedToItsWindow(t *testing.T) {
	const day = 24 * time.Hour
	window := convo.OnClosed{Mode: convo.OnClosedReopen, Window: convo.Duration(3 * day)}
	for name, cmd := range map[string]convo.Command{"open": convo.Open{By: flowBot},
		"receive": convo.Receive{Body: "hi"}} {
		for _, c := range []struct {
			after time.Duration
			want  convo.Outcome
		}{
			{0, convo.OutcomeReopened},
			{3*day - time.Microsecond, convo.OutcomeReopened},
			{3 * day, convo.OutcomeReopened},
			{3*day + time.Microsecond, convo.OutcomeOpened},
			{300 * day, convo.OutcomeOpened},
		} {
			k := newTalk(t, convo.Policy{Open: window, Receive: window})
			k.do(convo.Receive{Body: "hi"})
			k.wait(time.Hour)
			k.do(convo.Close{By: agentAna})
			k.wait(c.after)
			assert.Equal(t, c.want, k.do(cmd).Outcome, "%s %s after the closing", name, c.after)
		}
	}
}

func TestAWindowCountsFromTheClosingNotFromTheLastNote(t *testing.T) {
	k := newTalk(t, convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen,
		Window: convo.Duration(time.Hour)}})
	k.do(convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	k.wait(50 * time.Minute)
	k.do(convo.Note{By: agentAna, Body: "called back"})
	k.wait(20 * time.Minute)
	assert.Equal(t, convo.OutcomeOpened, k.do(convo.Receive{Body: "hi"}).Outcome)
}

func TestAWindowWithoutLimitNeverEnds(t *testing.T) {
	k := newTalk(t, convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}})
	k.do(convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	k.wait(290 * 365 * 24 * time.Hour)
	assert.Equal(t, convo.OutcomeReopened, k.do(convo.Receive{Body: "me again"}).Outcome)
}

func TestAnExplicitReopenKnowsNoWindow(t *testing.T) {
	k := newTalk(t, convo.Policy{Open: convo.OnClosed{Mode: convo.OnClosedReopen,
		Window: convo.Duration(time.Hour)}})
	k.do(convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	k.wait(1000 * time.Hour)
	assert.Equal(t, convo.OutcomeReopened, k.do(convo.Reopen{By: agentAna}).Outcome)
}

func TestSourcesFollowFromTheActorUnlessTheyAreNamed(t *testing.T) {
	const own = convo.Source("crm")
	for _, c := range []struct {
		name  string
		state convo.State
		cmd   convo.Command
		want  convo.Source
	}{
		{"open by a user", convo.StateNone, convo.Open{By: agentAna}, convo.SourceUser},
		{"open by automation", convo.StateNone, convo.Open{By: flowBot}, convo.SourceAutomation},
		{"open by a welcome event", convo.StateNone,
			convo.Open{By: visitor, Source: convo.SourceWelcomeEvent}, convo.SourceWelcomeEvent},
		{"open by the contact", convo.StateNone, convo.Open{By: visitor}, convo.SourceContact},
		{"open by a source of the host", convo.StateNone, convo.Open{By: flowBot, Source: own},
			own},
		{"receive", convo.StateNone, convo.Receive{Body: "hi"}, convo.SourceIncomingMessage},
		{"resume by a user", convo.StatePending, convo.Resume{By: agentAna}, convo.SourceUser},
		{"resume by a source of the host", convo.StatePending,
			convo.Resume{By: agentAna, Source: own}, own},
		{"resume by open", convo.StatePending, convo.Open{By: flowBot}, convo.SourceAutomation},
		{"resume by a message", convo.StatePending, convo.Receive{Body: "hi"},
			convo.SourceIncomingMessage},
		{"close by a user", convo.StateOpen, convo.Close{By: agentAna}, convo.SourceUser},
		{"close by automation", convo.StateOpen, convo.Close{By: flowBot}, convo.SourceAutomation},
		{"close by Dialogflow", convo.StateOpen, convo.Close{By: flowBot,
			Source: convo.SourceDialogflow}, convo.SourceDialogflow},
		{"reopen by a user", convo.StateClosed, convo.Reopen{By: agentAna}, convo.SourceUser},
		{"reopen by automation", convo.StateClosed, convo.Reopen{By: flowBot},
			convo.SourceAutomation},
		{"reopen by the contact", convo.StateClosed, convo.Reopen{By: visitor},
			convo.SourceRestart},
		{"reopen by the system", convo.StateClosed, convo.Reopen{By: convo.BySystem()},
			convo.SourceSystem},
		{"reopen by a source of the host", convo.StateClosed,
			convo.Reopen{By: visitor, Source: own}, own},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := convo.Decide(threadIn(t, c.state), morning, nil, c.cmd)
			require.NoError(t, err)
			var got convo.Source
			for _, e := range d.Change.Events {
				got = cmp.Or(got, e.Source)
			}
			assert.Equal(t, c.want, got)
			cycle := d.Change.Conversation.Cycle
			switch d.Outcome {
			case convo.OutcomeOpened, convo.OutcomeReopened:
				assert.Equal(t, c.want, cycle.OpenedSource)
			case convo.OutcomeClosed:
				assert.Equal(t, c.want, cycle.Closing.Source)
			}
		})
	}
}

func TestAWelcomeEventOpensOnlyWhereNoneIsActive(t *testing.T) {
	welcome := convo.Open{By: flowBot, Source: convo.SourceWelcomeEvent}
	assert.Equal(t, convo.OutcomeUnchanged, mustDecide(t, threadIn(t, convo.StateOpen),
		welcome).Outcome)
	assert.Equal(t, convo.OutcomeOpened, mustDecide(t, threadIn(t, convo.StateClosed),
		welcome).Outcome)
}

func mustDecide(t testing.TB, thread convo.Snapshot, cmds ...convo.Command) convo.Decision {
	t.Helper()
	d, err := convo.Decide(thread, thread.Conversation.UpdatedAt, nil, cmds...)
	require.NoError(t, err)
	checkDecision(t, thread, d)
	return d
}

// Pending.

func TestAPendingConversationStaysPendingWhenThePolicySaysSo(t *testing.T) {
	k := newTalk(t, convo.Policy{StayPending: true})
	k.do(convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
	since := k.conversation().StatusSince
	k.wait(time.Minute)
	assert.Equal(t, convo.OutcomeRecorded, k.do(convo.Receive{Body: "and?"}).Outcome)
	assert.Equal(t, convo.StatusPending, k.conversation().Status)
	assert.Equal(t, since, k.conversation().StatusSince)
}

func TestPendingAgainReplacesTheTimeAndKeepsSince(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
	k.wait(time.Minute)
	k.do(convo.SetPending{By: agentAna, Until: morning.Add(2 * time.Hour)})
	assert.Equal(t, morning, k.conversation().StatusSince)
	assert.Equal(t, morning.Add(2*time.Hour), k.conversation().PendingUntil)
	k.do(convo.SetPending{By: agentAna}) // until somebody comes
	assert.Zero(t, k.conversation().PendingUntil)
	assert.Equal(t, convo.OutcomeUnchanged, k.do(convo.SetPending{By: agentBen}).Outcome)
}

func TestPendingUntilATimeThatIsNotAheadIsInvalid(t *testing.T) {
	for _, until := range []time.Time{morning.Add(-time.Hour), morning, morning.Add(999)} {
		k := newTalk(t, convo.Policy{})
		k.do(convo.Open{By: agentAna})
		requireInvalid(t, "until", k.refuses(convo.SetPending{By: agentAna, Until: until}))
	}
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna})
	k.do(convo.SetPending{By: agentAna, Until: morning.Add(time.Microsecond)})
}

func TestASentMessageDoesNotResumeAPendingConversation(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.SetPending{By: agentAna})
	k.do(convo.Send{By: agentAna, Body: "we are still waiting for the supplier"})
	assert.Equal(t, convo.StatusPending, k.conversation().Status)
}

func TestEachFieldMakesADifference(t *testing.T) {
	for _, c := range []struct {
		state convo.State
		cmd   convo.Command
		want  convo.Outcome
	}{
		{convo.StateOpen, convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"},
			convo.OutcomeUnchanged},
		{convo.StateOpen, convo.Assign{By: agentAna, Assignee: "ben", Team: "sales"},
			convo.OutcomeAssigned},
		{convo.StateOpen, convo.Assign{By: agentAna, Assignee: "ana", Team: "support"},
			convo.OutcomeAssigned},
		{convo.StateClosed, convo.AmendClosing{By: agentAna, Category: "Sales", Summary: "sold"},
			convo.OutcomeUnchanged},
		{convo.StateClosed, convo.AmendClosing{By: agentAna, Category: "Support", Summary: "sold"},
			convo.OutcomeAmended},
		{convo.StateClosed, convo.AmendClosing{By: agentAna, Category: "Sales",
			Summary: "not sold"}, convo.OutcomeAmended},
	} {
		assert.Equal(t, c.want, mustDecide(t, threadIn(t, c.state), c.cmd).Outcome, "%#v", c.cmd)
	}
}

// Notices and restarts.

func TestNoticesAreWrittenForTheirAudienceAfterWhatTheyTell(t *testing.T) {
	notice := func(k *talk, cmd convo.Command) (convo.Event, bool) {
		d := k.do(cmd)
		i := slices.IndexFunc(d.Change.Events,
			func(e convo.Event) bool { return e.Kind == convo.NoticePosted })
		if i < 0 {
			return convo.Event{}, false
		}
		assert.Equal(t, 1, i, "right behind the event that it tells")
		return d.Change.Events[i], true
	}
	policy := convo.Policy{
		Open:    convo.OnClosed{Mode: convo.OnClosedReopen},
		Receive: convo.OnClosed{Mode: convo.OnClosedReopen},
		Notices: convo.Notices{Closed: convo.AudienceBoth, Reopened: convo.AudienceContact,
			Restarted: convo.AudienceUsers},
	}
	for _, c := range []struct {
		name     string
		state    convo.State
		cmd      convo.Command
		code     convo.NoticeCode
		audience convo.Audience
		text     string
	}{
		{"close", convo.StateOpen, convo.Close{By: agentAna}, "conversation_closed", "both",
			"This conversation has been closed."},
		{"reopen by an agent", convo.StateClosed, convo.Reopen{By: agentAna},
			"conversation_reopened", "contact", "This conversation has been reopened."},
		{"reopen by a message", convo.StateClosed, convo.Receive{Body: "hi"},
			"conversation_reopened", "contact", "This conversation has been reopened."},
		{"reopen by a workflow", convo.StateClosed, convo.Open{By: flowBot},
			"conversation_reopened", "contact", "This conversation has been reopened."},
		{"an opening by the visitor that reopens", convo.StateClosed, convo.Open{By: visitor},
			"conversation_restarted", "users", "This conversation has been restarted."},
		{"restart by the visitor", convo.StateClosed, convo.Reopen{By: visitor},
			"conversation_restarted", "users", "This conversation has been restarted."},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk(t, policy)
			k.thread = threadIn(t, c.state)
			e, posted := notice(k, c.cmd)
			require.True(t, posted)
			assert.Equal(t, c.code, e.Row().Notice)
			assert.Equal(t, c.audience, e.Row().Audience)
			assert.Equal(t, c.text, e.Row().Body)
			assert.Equal(t, convo.BySystem(), e.By)
			assert.Equal(t, k.now, e.At)

			k = newTalk(t, convo.Policy{Open: policy.Open, Receive: policy.Receive})
			k.thread = threadIn(t, c.state)
			_, posted = notice(k, c.cmd)
			assert.False(t, posted, "no notice unless the policy asks for it")
		})
	}
	assert.Empty(t, convo.NoticeCode("of_the_host").Text())
}

func TestAnOpeningPostsNoNotice(t *testing.T) {
	k := newTalk(t, convo.LiveChatPolicy())
	assert.Equal(t, []convo.EventKind{convo.ConversationOpened},
		kindsOf(k.do(convo.Open{By: visitor}).Change.Events))
}

func TestAReopeningByTheContactCarriesRestartFlow(t *testing.T) {
	for _, c := range []struct {
		cmd     convo.Command
		restart bool
	}{
		{convo.Reopen{By: visitor}, true},
		{convo.Receive{Body: "hi"}, true},
		{convo.Open{By: visitor}, true},
		{convo.Reopen{By: agentAna}, false},
		{convo.Open{By: flowBot}, false},
	} {
		for _, asked := range []bool{true, false} {
			reopen := convo.OnClosed{Mode: convo.OnClosedReopen}
			k := newTalk(t, convo.Policy{Open: reopen, Receive: reopen, RestartFlow: asked})
			k.do(convo.Open{By: agentAna}, convo.Close{By: agentAna})
			e := k.do(c.cmd).Change.Events[0]
			require.Equal(t, convo.ConversationReopened, e.Kind)
			assert.Equal(t, asked && c.restart, e.Row().RestartFlow, "%#v", c.cmd)
		}
	}
}

// Closing.

func TestClosingUnassignsWhenThePolicySaysSoAndTheCycleKeepsWhoHadIt(t *testing.T) {
	for _, unassign := range []bool{false, true} {
		k := newTalk(t, convo.Policy{UnassignOnClose: unassign,
			Notices: convo.Notices{Closed: convo.AudienceBoth}})
		k.do(convo.Open{By: agentAna}, convo.Assign{By: agentAna, Assignee: "ben", Team: "sales"},
			convo.Assign{By: agentAna, Assignee: "ana", Team: "support"})
		d := k.do(convo.Close{By: agentAna})
		assert.Equal(t, convo.OutcomeClosed, d.Outcome)
		kinds := []convo.EventKind{convo.ConversationClosed, convo.NoticePosted}
		if unassign {
			kinds = append(kinds, convo.ConversationAssigned)
			e := d.Change.Events[2]
			assert.Equal(t, convo.BySystem(), e.By)
			assert.Empty(t, k.conversation().Assignee+k.conversation().Team)
		} else {
			assert.Equal(t, "ana", k.conversation().Assignee)
			assert.Equal(t, "support", k.conversation().Team)
		}
		assert.Equal(t, kinds, kindsOf(d.Change.Events))
		assert.Equal(t, "ben", k.cycle().FirstAssignee)
		assert.Equal(t, "ana", k.cycle().LastAssignee)
		assert.Equal(t, "support", k.cycle().LastTeam)
	}
}

func TestThereIsNothingToUnassignFromNobody(t *testing.T) {
	k := newTalk(t, convo.Policy{UnassignOnClose: true})
	k.do(convo.Open{By: agentAna})
	assert.Equal(t, []convo.EventKind{convo.ConversationClosed},
		kindsOf(k.do(convo.Close{By: agentAna}).Change.Events))
}

func TestATeamAloneIsUnassignedToo(t *testing.T) {
	k := newTalk(t, convo.Policy{UnassignOnClose: true})
	k.do(convo.Open{By: agentAna}, convo.Assign{By: agentAna, Team: "sales"})
	assert.Zero(t, k.cycle().FirstAssignedAt, "assignment time is to the first user")
	k.do(convo.Close{By: agentAna})
	assert.Empty(t, k.conversation().Team)
	assert.Equal(t, "sales", k.cycle().LastTeam)
}

func TestAnAssigneeStaysOverAReopening(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.Assign{By: agentAna, Assignee: "ben", Team: "sales"},
		convo.Close{By: agentAna})
	k.do(convo.Reopen{By: agentAna})
	assert.Equal(t, "ben", k.conversation().Assignee)
	assert.Equal(t, "ben", k.cycle().LastAssignee)
	assert.Equal(t, "sales", k.cycle().LastTeam)
	assert.Equal(t, "ben", k.cycle().FirstAssignee,
		"the cycle has had its assignee from its beginning")
	assert.Equal(t, k.cycle().OpenedAt, k.cycle().FirstAssignedAt)
	assert.Equal(t, convo.OutcomeUnchanged, k.do(convo.Assign{By: agentAna, Assignee: "ben",
		Team: "sales"}).Outcome)
	assert.Equal(t, "ben", k.cycle().FirstAssignee)
	k.wait(time.Minute).do(convo.Assign{By: agentAna, Assignee: "ana"})
	assert.Equal(t, "ben", k.cycle().FirstAssignee)
	assert.Equal(t, "ana", k.cycle().LastAssignee)
}

func TestUnassigningKeepsTheLastAssignee(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.Assign{By: agentAna, Assignee: "ben", Team: "sales"})
	assert.Equal(t, convo.OutcomeAssigned, k.do(convo.Assign{By: agentAna}).Outcome)
	assert.Empty(t, k.conversation().Assignee+k.conversation().Team)
	assert.Equal(t, "ben", k.cycle().LastAssignee)
	assert.Equal(t, "sales", k.cycle().LastTeam)
}

func TestAmendingReplacesTheStandingClosingAndKeepsTheOriginalInTheLog(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.Close{By: agentAna, Category: "Sales", Summary: "sold"})
	k.wait(time.Hour)
	k.do(convo.AmendClosing{By: agentBen, Category: "Support"})
	assert.Equal(t, convo.Closing{
		At: morning, By: agentAna, Source: convo.SourceUser, Category: "Support",
	}, k.cycle().Closing, "when, who and through what stay")
	assert.Equal(t, convo.StatusClosed, k.conversation().Status)
	var categories []string
	for _, e := range k.log {
		if e.Row().Category != "" {
			categories = append(categories, e.Kind.String()+" "+e.Row().Category)
		}
	}
	assert.Equal(t, []string{"conversation_closed Sales", "closing_amended Support"}, categories)
	assert.Equal(t, agentBen, k.log[len(k.log)-1].By)
}

func TestReopeningKeepsTheEarlierClosings(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna})
	k.wait(time.Hour).do(convo.Close{By: agentAna, Category: "Sales"})
	k.wait(time.Hour).do(convo.Reopen{By: agentAna})
	k.wait(time.Hour).do(convo.Close{By: agentBen, Category: "Support"})
	assert.Equal(t, "Support", k.cycle().Closing.Category)
	assert.Equal(t, 2, k.cycle().Number)
	assert.Equal(t, morning.Add(time.Hour), k.conversation().FirstClosedAt)
	assert.Equal(t, "Sales", k.log[1].Row().Category)
}

// Blocking.

func TestABlockedContactBarsWhatWouldOpenOrMessage(t *testing.T) {
	barred := []convo.CommandName{
		convo.CommandOpen, convo.CommandReceive, convo.CommandSend, convo.CommandReopen,
		convo.CommandRate,
	}
	for _, state := range allStates[1:] {
		free := threadIn(t, state)
		blocked := after(free, mustDecide(t, free, convo.Block{By: agentAna, Reason: "spam"}))
		require.True(t, blocked.Contact.Blocked)
		for name, cmd := range sample {
			_, freeErr := convo.Decide(free, morning, nil, cmd)
			_, err := convo.Decide(blocked, morning, nil, cmd)
			switch {
			case slices.Contains(barred, name):
				assert.ErrorIs(t, err, convo.ErrBlocked, "%s in %s", name, state)
			case freeErr == nil:
				assert.NoError(t, err, "%s in %s", name, state)
			default:
				assert.EqualError(t, err, freeErr.Error(), "%s in %s", name, state)
			}
		}
	}
}

func TestABlockingBarsWhoeverCommands(t *testing.T) {
	closed := threadIn(t, convo.StateClosed)
	blocked := after(closed, mustDecide(t, closed, convo.Block{By: agentAna}))
	for _, by := range []convo.Actor{agentAna, flowBot, visitor, convo.BySystem()} {
		for _, cmd := range []convo.Command{convo.Open{By: by}, convo.Reopen{By: by}} {
			_, err := convo.Decide(blocked, morning, nil, cmd)
			assert.ErrorIs(t, err, convo.ErrBlocked, "%T by %s", cmd, by.Type)
		}
	}
}

// U16: agents close what is open, and nothing that the contact writes opens anything.
func TestABlockedContactsConversationCanBeClosed(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	k.do(convo.Block{By: agentAna})
	d := k.do(convo.Assign{By: agentAna, Assignee: "ana"})
	assert.Equal(t, convo.OutcomeAssigned, d.Outcome)
	assert.Equal(t, convo.OutcomeClosed, k.wait(time.Hour).do(convo.Close{By: agentAna}).Outcome)
	assert.Equal(t, agentAna, k.cycle().Closing.By)
	for _, cmd := range []convo.Command{
		convo.Receive{Body: "buy"}, convo.Receive{Body: "buy", Quiet: true},
		convo.Reopen{By: visitor}, convo.Open{By: visitor},
	} {
		assert.ErrorIs(t, k.refuses(cmd), convo.ErrBlocked)
	}
	assert.Equal(t, convo.StatusClosed, k.conversation().Status)
}

func TestWhatABlockedContactWritesMayBeKeptQuietly(t *testing.T) {
	k := newTalk(t, convo.Policy{KeepBlocked: true,
		Receive: convo.OnClosed{Mode: convo.OnClosedReopen}})
	k.do(convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
	k.do(convo.Block{By: agentAna})
	for range 2 { // while it is pending, and when it is closed
		before := k.conversation()
		d := k.wait(time.Hour).do(convo.Receive{ExternalID: k.now.String(), Channel: "web",
			Body: "buy"})
		assert.Equal(t, convo.OutcomeRecorded, d.Outcome)
		require.Len(t, d.Change.Events, 1)
		assert.True(t, d.Change.Events[0].Message().Quiet)
		assert.Equal(t, before.Status, k.conversation().Status)
		assert.Equal(t, before.Cycle, k.conversation().Cycle)
		assert.Equal(t, before.LastActivityAt, k.conversation().LastActivityAt)
		if before.Status != convo.StatusClosed {
			k.do(convo.Close{By: agentAna})
		}
	}
	for _, cmd := range []convo.Command{
		convo.Open{By: visitor}, convo.Send{By: agentAna, Body: "x"}, convo.Reopen{By: agentAna},
	} {
		assert.ErrorIs(t, k.refuses(cmd), convo.ErrBlocked)
	}
	k.do(convo.Unblock{By: agentAna})
	assert.Equal(t, convo.OutcomeReopened, k.do(convo.Receive{Body: "sorry"}).Outcome)
}

// U17: the closed conversation of somebody who has left is given to another.
func TestAClosedConversationIsAssignedAndNoNumberChanges(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
	k.wait(time.Hour).do(convo.Close{By: agentAna})
	cycle := k.cycle()
	d := k.wait(time.Hour).do(convo.Assign{By: agentBen, Assignee: "ben", Team: "sales"})
	assert.Equal(t, convo.OutcomeAssigned, d.Outcome)
	assert.Equal(t, convo.Before{
		Status: convo.StatusClosed, Assignee: "ana", Cycle: 1,
		OpenedSource: convo.SourceIncomingMessage,
	},
		d.Change.Events[0].Before(), "no stretch of time ends")
	assert.Equal(t, convo.StatusClosed, k.conversation().Status)
	assert.Equal(t, "ben", k.conversation().Assignee)
	assert.Equal(t, cycle, k.cycle(), "closed count, reopened and first assignee stay")
	assert.False(t, d.Change.Conversation.CycleClosed)
	assert.Equal(t, convo.OutcomeUnchanged,
		k.do(convo.Assign{By: agentBen, Assignee: "ben", Team: "sales"}).Outcome)
	k.wait(time.Hour).do(convo.Reopen{By: agentAna})
	assert.Equal(t, "ben", k.cycle().FirstAssignee, "who has it has the next cycle")
}

// Every event that changes the status, the assignee or the team says what they were before.
func TestEventsSayWhatWasBefore(t *testing.T) {
	k := newTalk(t, convo.Policy{UnassignOnClose: true})
	var was convo.Conversation
	seen := map[convo.EventKind]bool{}
	for _, cmd := range []convo.Command{
		convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana", Team: "a"},
		convo.SetPending{By: agentAna}, convo.SetPending{By: agentAna, Until: k.now.Add(time.Hour)},
		convo.Resume{By: agentAna}, convo.Assign{By: agentAna, Assignee: "ben"},
		convo.Close{By: agentAna}, convo.AmendClosing{By: agentAna, Summary: "x"},
		convo.Reopen{By: agentAna}, convo.Close{By: agentAna},
	} {
		for _, e := range k.do(cmd).Change.Events {
			now := convo.Apply(convo.Snapshot{Contact: k.thread.Contact, Conversation: was}, e)
			changed := now.Conversation.Status != was.Status ||
				now.Conversation.Assignee != was.Assignee || now.Conversation.Team != was.Team
			if changed {
				seen[e.Kind] = true
				b := e.Before()
				assert.Equal(t, []any{was.Status, was.Assignee, was.Team, was.Cycle.Number},
					[]any{b.Status, b.Assignee, b.Team, b.Cycle}, e.Kind)
			}
			was = now.Conversation
		}
	}
	assert.Len(t, seen, 6, "%v", seen)
}

// An event says which stretches of time it ends: how long somebody waited, had the conversation, or
// it was pending.
func TestEventsSayWhatTheyEnd(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	bot := convo.ByAutomation("bot")
	at := func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
	last := func() convo.Before { return k.log[len(k.log)-1].Before() }
	k.do(convo.Receive{Body: "hi", Channel: "sms"}, convo.Label{By: bot, Add: []string{"vip"}})
	k.wait(time.Minute).do(convo.Send{By: bot, Body: "one moment"})
	assert.Zero(t, last(), "automation is no reply: it is still the same turn")
	k.wait(time.Minute).do(convo.SetPending{By: bot})
	as := convo.Before{
		Status: convo.StatusOpen, Channel: "sms", Labels: "vip", Cycle: 1,
		OpenedSource: convo.SourceIncomingMessage,
	}
	want := as
	want.Status, want.StatusSince = convo.StatusOpen, at(0)
	assert.Equal(t, want, last())
	k.wait(time.Minute).do(convo.Assign{By: bot, Assignee: "ana", Team: "a"})
	want = as
	want.Status, want.OpenedAt = convo.StatusPending, at(0)
	assert.Equal(t, want, last(), "nobody had it")
	as.Assignee, as.Team = "ana", "a"
	k.wait(time.Minute).do(convo.Resume{By: agentAna})
	want = as
	want.Status, want.StatusSince = convo.StatusPending, at(2)
	assert.Equal(t, want, last())
	k.wait(time.Minute).do(convo.Send{By: agentAna, Body: "hello"}) // 5
	want = as
	want.Turn, want.TurnSince = convo.TurnContactWaiting, at(0)
	want.WaitingSince, want.HandedOverAt = at(0), at(3)
	assert.Equal(t, want, last())
	k.wait(time.Minute).do(convo.Send{By: agentAna, Body: "still there?"})
	assert.Zero(t, last(), "nobody waits for it")
	k.wait(time.Minute).do(convo.Receive{Body: "yes"}) // 7
	want = as
	want.Turn, want.TurnSince = convo.TurnAwaitingContact, at(5)
	assert.Equal(t, want, last())
	k.wait(time.Minute).do(convo.Receive{Body: "and?"})
	assert.Zero(t, last(), "it waits already")
	k.wait(time.Minute).do(convo.Assign{By: agentAna, Assignee: "ben", Team: "a"}) // 9
	want = as
	want.Status, want.OpenedAt = convo.StatusOpen, at(0)
	want.AssignedAt, want.WasAssigned = at(3), true
	assert.Equal(t, want, last())
	as.Assignee = "ben"
	k.wait(time.Minute).do(convo.SetPending{By: agentBen}) // 10
	k.wait(time.Minute).do(convo.Close{By: agentBen})
	want = as
	want.Status, want.StatusSince, want.PendingMicros = convo.StatusPending, at(10),
		(3 * time.Minute).Microseconds()
	want.OpenedAt, want.AssignedAt, want.WasAssigned = at(0), at(9), true
	want.Turn, want.TurnSince, want.Replies = convo.TurnContactWaiting, at(7), 1
	assert.Equal(t, want, last(), "a wait that a closing ends is no response")
	k.wait(time.Minute).do(convo.Reopen{By: agentAna}) // 12
	want = as
	want.Status, want.StatusSince, want.ClosedBy = convo.StatusClosed, at(11), agentBen
	assert.Equal(t, want, last())
	k.wait(time.Minute).do(convo.Close{By: agentAna})
	as.Cycle, as.OpenedSource = 2, convo.SourceUser
	want = as
	want.Status, want.StatusSince = convo.StatusOpen, at(12)
	want.OpenedAt, want.AssignedAt, want.WasAssigned = at(12), at(12), true
	want.Turn, want.TurnSince = convo.TurnNobody, at(12)
	assert.Equal(t, want, last(), "the second cycle has nothing of the first")
}

func TestUnblockingLetsTheContactWriteAgain(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	d := k.do(convo.Block{By: agentAna, Reason: "spam"})
	assert.Equal(t, "spam", d.Change.Events[0].Row().Body)
	assert.Equal(t, uuid.Nil, d.Change.Events[0].Conversation, "it happened to the contact")
	assert.False(t, d.Change.Conversation.Action != convo.RowKept)
	assert.ErrorIs(t, k.refuses(convo.Receive{Body: "buy"}), convo.ErrBlocked)
	k.do(convo.Unblock{By: agentAna}, convo.Receive{Body: "sorry"})
	assert.Equal(t, 2, k.cycle().Incoming)
}

// Addresses.

func TestAnUnknownAddressMakesAContactOnce(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.thread = convo.Snapshot{Ref: convo.ToAddress(tenant, "whatsapp", "+49"),
		Contact: convo.Contact{Workspace: tenant}, Next: seedID}
	d := k.do(convo.Receive{Body: "hi"})
	assert.Equal(t, []convo.EventKind{convo.AddressLinked, convo.ConversationOpened,
		convo.MessageReceived}, kindsOf(d.Change.Events))
	assert.Equal(t, convo.OutcomeOpened, d.Outcome)
	id := d.Change.Contact.ID
	assert.Equal(t, seedID.String(), id)
	assert.Equal(t, id, k.thread.AddressOwner)
	assert.Equal(t, int64(2), d.Change.Contact.Version)
	assert.Equal(t, "whatsapp", k.conversation().Channel, "the channel is that of the address")
	assert.Equal(t, "whatsapp", d.Change.Events[2].Row().Channel)
	for _, e := range d.Change.Events {
		assert.Equal(t, id, e.Contact)
		assert.Equal(t, convo.Actor{Type: convo.ActorContact, ID: id}, e.By)
	}
	assert.Equal(t, []convo.EventKind{convo.MessageReceived},
		kindsOf(k.do(convo.Receive{Body: "hi"}).Change.Events))
}

func TestTheChannelOfACommandGoesBeforeThatOfTheAddress(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.thread.Ref = convo.Ref{Workspace: tenant, Contact: "carl",
		Address: convo.Address{Channel: "whatsapp", Value: "+49"}}
	d := k.do(convo.Receive{Channel: "facebook", Body: "hi"},
		convo.Send{By: agentAna, Body: "hello"})
	assert.Equal(t, "facebook", k.conversation().Channel)
	assert.Equal(t, "facebook", d.Change.Events[2].Row().Channel)
	assert.Equal(t, "whatsapp", d.Change.Events[3].Row().Channel)
}

func TestACommandToAContactAndAnAddressLinksTheTwo(t *testing.T) {
	for name, cmd := range sample {
		if name == convo.CommandUnlinkAddress {
			continue // there is nothing to take away
		}
		states := statesThatTake(name)
		thread := threadIn(t, states[len(states)-1])
		thread.Ref = convo.Ref{Workspace: tenant, Contact: "carl",
			Address: convo.Address{Channel: "email", Value: "carl@example.org"}}
		thread = withTarget(thread, name)
		d := mustDecide(t, thread, cmd)
		e := d.Change.Events[0]
		assert.Equal(t, convo.AddressLinked, e.Kind, name)
		assert.Equal(t, "email", e.Row().Channel)
		assert.Equal(t, "carl@example.org", e.Row().Address)
		assert.Equal(t, "carl", d.Change.After(thread).AddressOwner)
	}
}

func TestLinkingIsAnOutcomeOfItsOwnWhereNothingElseChanged(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	thread.Ref.Address = convo.Address{Channel: "email", Value: "carl@example.org"}
	assert.Equal(t, convo.OutcomeLinked, mustDecide(t, thread, convo.Open{By: agentAna}).Outcome)
	assert.Equal(t, convo.OutcomeLinked, mustDecide(t, thread,
		convo.LinkAddress{By: agentAna}).Outcome)
	assert.Equal(t, convo.OutcomeRecorded, mustDecide(t, thread, convo.Receive{Body: "hi"}).Outcome)
}

func TestAnAddressOfAnotherContactIsTaken(t *testing.T) {
	for name, cmd := range sample {
		states := statesThatTake(name)
		thread := threadIn(t, states[0])
		thread.Ref = convo.Ref{Workspace: tenant, Contact: "carl",
			Address: convo.Address{Channel: "email", Value: "x@example.org"}}
		thread.AddressOwner = "dora"
		_, err := convo.Decide(thread, morning, nil, cmd)
		assert.ErrorIs(t, err, convo.ErrAddressTaken, name)
	}
}

func TestARefusedCommandLinksNothing(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.Close{By: agentAna})
	k.thread.Ref.Address = convo.Address{Channel: "email", Value: "carl@example.org"}
	assert.ErrorIs(t, k.refuses(convo.Send{By: agentAna, Body: "hi"}), convo.ErrNotActive)
}

func TestLinkWithoutAnAddressChangesNothing(t *testing.T) {
	d := mustDecide(t, threadIn(t, convo.StateOpen), convo.LinkAddress{By: agentAna})
	assert.Equal(t, convo.OutcomeUnchanged, d.Outcome)
	assert.True(t, d.Change.Empty())
}

// Several commands in one call.

func TestOneCallIsAllOrNothing(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	d := k.do(convo.Open{By: flowBot}, convo.Send{By: flowBot, Body: "welcome"},
		convo.Assign{By: flowBot, Assignee: "ana"})
	assert.Equal(t, convo.OutcomeAssigned, d.Outcome)
	assert.Equal(t, []convo.EventKind{convo.ConversationOpened, convo.MessageSent,
		convo.ConversationAssigned}, kindsOf(d.Change.Events))

	for _, cmds := range [][]convo.Command{
		{convo.Close{By: agentAna}, convo.Send{By: agentAna, Body: "too late"}},
		{convo.Send{By: agentAna, Body: "hi"}, convo.Send{By: agentAna}},
		{convo.Block{By: agentAna}, convo.Send{By: agentAna, Body: "hi"}},
	} {
		k.refuses(cmds...)
	}
}

func TestTheOutcomeIsThatOfTheLastCommandThatChangedSomething(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	assert.Equal(t, convo.OutcomeRecorded, k.do(convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hi"}, convo.Resume{By: agentAna}).Outcome)
	assert.Equal(t, convo.OutcomeUnchanged, k.do(convo.Open{By: agentAna},
		convo.Resume{By: agentAna}).Outcome)
	assert.Equal(t, convo.OutcomeUnchanged, k.do().Outcome)
}

func TestAConversationThatACallLeavesIsARowOfItsOwn(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna}, convo.Assign{By: agentAna, Assignee: "ana"})
	first := k.conversation()
	k.wait(time.Hour)

	t.Run("closed and opened anew", func(t *testing.T) {
		d := mustDecideAt(t, k.thread, k.now, convo.Close{By: agentAna, Category: "Sales"},
			convo.Open{By: agentAna})
		require.Len(t, d.Change.Earlier, 1)
		past := d.Change.Earlier[0]
		assert.Equal(t, first.ID, past.ID)
		assert.Equal(t, convo.StatusClosed, past.Status)
		assert.Equal(t, "Sales", past.Cycle.Closing.Category)
		assert.Equal(t, first.Version+1, past.Version)
		assert.Zero(t, past.DueAt)
		assert.NotEqual(t, first.ID, d.Change.Conversation.ID)
		assert.Equal(t, convo.RowAdded, d.Change.Conversation.Action)
		assert.Equal(t, convo.RowUpdated, past.Action)
		assert.Equal(t, first.Version, past.Expected)
		assert.True(t, past.CycleClosed)
		assert.False(t, d.Change.Conversation.CycleClosed)
	})
	t.Run("closed and reopened", func(t *testing.T) {
		d := mustDecideAt(t, k.thread, k.now, convo.Close{By: agentAna}, convo.Reopen{By: agentAna},
			convo.Close{By: agentBen})
		require.Empty(t, d.Change.Earlier, "it is one row")
		require.Len(t, d.Change.Cycles, 1)
		assert.Equal(t, first.ID, d.Change.Cycles[0].Conversation)
		assert.Equal(t, 1, d.Change.Cycles[0].Number)
		assert.Equal(t, 2, d.Change.Conversation.Cycle.Number)
		assert.True(t, d.Change.Conversation.CycleClosed)
		assert.Equal(t, first.Version, d.Change.Conversation.Expected)
	})
	t.Run("several opened in one call", func(t *testing.T) {
		d := mustDecideAt(t, k.thread, k.now, convo.Close{By: agentAna}, convo.Open{By: agentAna},
			convo.Close{By: agentAna},
			convo.Open{By: agentAna}, convo.Note{By: agentAna, Body: "n"})
		require.Len(t, d.Change.Earlier, 2)
		assert.NotEqual(t, d.Change.Earlier[0].ID, d.Change.Earlier[1].ID)
		assert.Equal(t, int64(2), d.Change.Earlier[1].Version)
	})
	t.Run("left as it was", func(t *testing.T) {
		closed := after(k.thread, mustDecideAt(t, k.thread, k.now, convo.Close{By: agentAna}))
		assert.Empty(t, mustDecideAt(t, closed, k.now, convo.Open{By: agentAna}).Change.Earlier,
			"it was not changed by this call")
		noted := mustDecideAt(t, closed, k.now, convo.Note{By: agentAna, Body: "n"},
			convo.Open{By: agentAna})
		assert.Len(t, noted.Change.Earlier, 1)
	})
}

func mustDecideAt(t testing.TB, thread convo.Snapshot, now time.Time,
	cmds ...convo.Command) convo.Decision {
	t.Helper()
	d, err := convo.Decide(thread, now, nil, cmds...)
	require.NoError(t, err)
	checkDecision(t, thread, d)
	return d
}

func TestACallCarriesAtMost100Commands(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	cmds := []convo.Command{convo.Open{By: agentAna}}
	for len(cmds) < convo.MaxCommands {
		cmds = append(cmds, convo.Note{By: agentAna, Body: "n"})
	}
	requireInvalid(t, "commands", k.refuses(append(slices.Clone(cmds),
		convo.Note{By: agentAna, Body: "n"})...))
	assert.Len(t, k.do(cmds...).Change.Events, 100)
}

// Messages.

func TestMessagesAreKeptAsTheyAre(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	files := json.RawMessage(`[{"url":"https://example.org/a.png"}]`)
	d := k.do(
		convo.Receive{Channel: "email", ExternalID: "m-1", Body: "héllo\r\n\tworld",
			Attachments: files},
		convo.Send{By: agentAna, Channel: "sms", ExternalID: "m-2", Body: "hi", Attachments: files},
		convo.Note{By: agentAna, Body: "vip", Attachments: files},
		convo.Receive{Attachments: files},
	)
	in, out, note := d.Change.Events[1], d.Change.Events[2], d.Change.Events[3]
	assert.Equal(t, "héllo\r\n\tworld", in.Row().Body)
	assert.Equal(t, "m-1", in.Row().ExternalID)
	assert.Equal(t, "email", in.Row().Channel)
	assert.Equal(t, "m-2", out.Row().ExternalID)
	assert.Equal(t, "sms", out.Row().Channel)
	assert.Equal(t, agentAna, note.By)
	assert.Equal(t, "vip", note.Row().Body)
	for _, e := range d.Change.Events[1:] {
		assert.Equal(t, files, e.Row().Attachments)
		assert.Equal(t, e.Kind == convo.MessageSent, e.Row().Response,
			"only what is sent is a response")
	}
	files[2] = 'X'
	assert.NotEqual(t, files, in.Row().Attachments,
		"the decision shares no memory with the command")
	assert.NotEqual(t, files, out.Row().Attachments)
	assert.NotEqual(t, files, note.Row().Attachments)
}

func TestANoteGoesThroughNoChannel(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	thread.Ref, thread.AddressOwner = convo.ToAddress(tenant, "email", "c@x"), "carl"
	assert.Empty(t, mustDecide(t, thread, convo.Note{By: agentAna,
		Body: "n"}).Change.Events[0].Row().Channel)
}

func TestTheContactsNameIsFilledIn(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	d := k.do(convo.Receive{Body: "hi"}, convo.Receive{By: convo.Actor{Type: convo.ActorContact,
		ID: "carla"}, Body: "his wife"})
	assert.Equal(t, "carl", d.Change.Events[0].By.ID)
	assert.Equal(t, "carl", d.Change.Events[1].By.ID)
	assert.Equal(t, "carla", d.Change.Events[2].By.ID)
}

// Measures, each on a script whose numbers one can check by hand.

func TestFirstResponseIsByAUser(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	_, ok := k.cycle().FirstResponseTime()
	assert.False(t, ok)
	k.wait(time.Second).do(convo.Send{By: flowBot, Body: "one moment"})
	_, ok = k.cycle().FirstResponseTime()
	assert.False(t, ok, "automation does not stop it")
	_, ok = k.cycle().ResponseTime()
	assert.False(t, ok)
	k.wait(time.Minute).do(convo.Send{By: agentAna, Body: "hello"})
	k.wait(time.Minute).do(convo.Send{By: agentBen, Body: "may I help?"})
	got, ok := k.cycle().FirstResponseTime()
	assert.True(t, ok)
	assert.Equal(t, 61*time.Second, got)
	assert.Equal(t, agentAna, k.cycle().FirstResponder)
	assert.Equal(t, morning.Add(61*time.Second), k.cycle().FirstResponseAt)
}

func TestAutomationCountsAsAResponseWhenThePolicySaysSo(t *testing.T) {
	k := newTalk(t, convo.Policy{CountAutomation: true})
	k.do(convo.Receive{Body: "hi"})
	k.wait(time.Second).do(convo.Send{By: flowBot, Body: "one moment"})
	got, _ := k.cycle().FirstResponseTime()
	assert.Equal(t, time.Second, got)
	assert.Equal(t, flowBot, k.cycle().FirstResponder)
	assert.Equal(t, 1, k.cycle().Responses)
	assert.Equal(t, time.Second.Microseconds(), k.cycle().ResponseMicros)
	assert.Equal(t, k.now, k.conversation().AwaitingContactSince,
		"so closing for inactivity counts from it, too")
}

func TestAGreetingByAUserIsNoResponse(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Open{By: agentAna})
	k.wait(time.Minute).do(convo.Send{By: agentAna, Body: "hello"})
	_, ok := k.cycle().FirstResponseTime()
	assert.False(t, ok, "nobody was waiting")
	assert.Zero(t, k.cycle().Responses)
	k.wait(time.Minute).do(convo.Receive{Body: "hi"})
	k.wait(time.Second).do(convo.Send{By: agentAna, Body: "what can I do for you?"})
	got, ok := k.cycle().FirstResponseTime()
	assert.True(t, ok)
	assert.Equal(t, time.Second, got, "from the contact's first message")
}

func TestResponseTimesCountFromTheFirstUnansweredMessage(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "1"})
	k.wait(10 * time.Second).do(convo.Receive{Body: "2"})
	k.wait(20 * time.Second).do(convo.Send{By: agentAna, Body: "a"}) // 30 s after the first
	assert.Zero(t, k.cycle().WaitingSince)
	k.wait(time.Hour).do(convo.Send{By: agentAna, Body: "b"}) // nobody waits: no reply
	k.wait(time.Hour).do(convo.Receive{Body: "3"})
	assert.Equal(t, k.now, k.cycle().WaitingSince)
	k.wait(time.Second).do(convo.Send{By: flowBot, Body: "c"}) // automation does not answer
	k.wait(9 * time.Second).do(convo.Receive{Body: "4"})
	k.wait(40 * time.Second).do(convo.Send{By: agentBen, Body: "d"}) // 50 s after the third
	assert.Equal(t, 2, k.cycle().Responses)
	assert.Equal(t, (80 * time.Second).Microseconds(), k.cycle().ResponseMicros)
	mean, ok := k.cycle().ResponseTime()
	assert.True(t, ok)
	assert.Equal(t, 40*time.Second, mean)
}

func TestAReopeningStartsAllMeasuresAnew(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
	k.wait(time.Minute).do(convo.Send{By: agentAna, Body: "hello"},
		convo.Send{By: flowBot, Body: "rate us"})
	k.wait(time.Minute).do(convo.Receive{Body: "unanswered"})
	k.wait(time.Minute).do(convo.SetPending{By: agentAna})
	k.wait(time.Minute).do(convo.Close{By: agentAna})
	first := k.cycle()
	assert.Equal(t, []int{2, 1, 1}, []int{first.Incoming, first.OutgoingUser,
		first.OutgoingAutomation})

	k.wait(time.Hour).do(convo.Reopen{By: agentBen})
	assert.Equal(t, convo.Cycle{
		Number: 2, OpenedAt: k.now, OpenedBy: agentBen, OpenedSource: convo.SourceUser,
		FirstAssignedAt: k.now, FirstAssignee: "ana", LastAssignee: "ana",
		NoWaitBefore: first.Closing.At, TurnSince: k.now,
	}, k.cycle())
	k.wait(time.Second).do(convo.Send{By: agentBen, Body: "sorry"})
	assert.Zero(t, k.cycle().Responses, "who waited in the cycle before does not wait in this one")
	_, ok := k.cycle().FirstResponseTime()
	assert.False(t, ok)
	assert.Equal(t, []int{0, 1, 0}, []int{k.cycle().Incoming, k.cycle().OutgoingUser,
		k.cycle().OutgoingAutomation})
}

func TestPendingTimeIsSummedOverSeveralPendings(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	k.wait(time.Minute).do(convo.SetPending{By: agentAna})
	// goes on
	k.wait(2 * time.Minute).do(convo.SetPending{By: agentAna, Until: k.now.Add(time.Hour)})
	k.wait(time.Minute).do(convo.Resume{By: agentAna}) // 3 min
	k.wait(time.Minute).do(convo.SetPending{By: agentAna})
	k.wait(10 * time.Minute).do(convo.Receive{Body: "and?"}) // 10 min
	k.wait(time.Minute).do(convo.SetPending{By: agentAna})
	assert.Equal(t, 13*time.Minute, k.cycle().PendingTime(), "the running one comes on top of it")
	k.wait(20 * time.Minute).do(convo.Close{By: agentAna}) // 20 min
	assert.Equal(t, 33*time.Minute, k.cycle().PendingTime())
	assert.Equal(t, k.now, k.conversation().StatusSince)
	assert.Zero(t, k.conversation().PendingUntil)

	resolution, ok := k.cycle().ResolutionTime()
	assert.True(t, ok)
	assert.Equal(t, 36*time.Minute, resolution)
	active, ok := k.cycle().ActiveResolutionTime()
	assert.True(t, ok)
	assert.Equal(t, 3*time.Minute, active)
}

func TestResolutionTimesOverSeveralCycles(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	for _, f := range []func() (time.Duration, bool){
		k.cycle().ResolutionTime, k.cycle().ActiveResolutionTime,
		k.conversation().FirstResolutionTime,
		k.conversation().LastResolutionTime,
	} {
		d, ok := f()
		assert.False(t, ok)
		assert.Zero(t, d)
	}
	k.wait(time.Hour).do(convo.Close{By: agentAna})
	k.wait(time.Hour).do(convo.Reopen{By: agentAna})
	_, ok := k.conversation().LastResolutionTime()
	assert.False(t, ok, "it is active again")
	k.wait(time.Hour).do(convo.Close{By: agentAna})
	first, _ := k.conversation().FirstResolutionTime()
	last, _ := k.conversation().LastResolutionTime()
	cycle, _ := k.cycle().ResolutionTime()
	assert.Equal(t, []time.Duration{time.Hour, 3 * time.Hour, time.Hour},
		[]time.Duration{first, last, cycle})
}

func TestAssignmentTimeIsToTheFirstUser(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	k.do(convo.Receive{Body: "hi"})
	_, ok := k.cycle().AssignmentTime()
	assert.False(t, ok)
	k.wait(time.Minute).do(convo.Assign{By: flowBot, Team: "sales"})
	k.wait(time.Minute).do(convo.Assign{By: flowBot, Assignee: "ana", Team: "sales"})
	k.wait(time.Minute).do(convo.Assign{By: agentAna, Assignee: "ben"})
	got, ok := k.cycle().AssignmentTime()
	assert.True(t, ok)
	assert.Equal(t, 2*time.Minute, got)
	assert.Equal(t, "ana", k.cycle().FirstAssignee)
	assert.Equal(t, "ben", k.cycle().LastAssignee)
	assert.Equal(t, "sales", k.cycle().LastTeam)
}

func TestNotesAndNoticesAreNoMessages(t *testing.T) {
	k := newTalk(t, convo.LiveChatPolicy())
	k.do(convo.Open{By: agentAna}, convo.Note{By: agentAna, Body: "n"}, convo.Close{By: agentAna})
	assert.Equal(t, [3]int{}, [3]int{k.cycle().Incoming, k.cycle().OutgoingUser,
		k.cycle().OutgoingAutomation})
	_, ok := k.cycle().FirstResponseTime()
	assert.False(t, ok)
}

func TestNoDurationIsNegativeHoweverLongTheTimesAre(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	k.now = year(2189)
	k.do(convo.Receive{Body: "hi", At: year(1900)})
	for y := 1901; y < 2187; y += 2 {
		k.do(convo.SetPending{By: agentAna, At: year(y)},
			convo.Resume{By: agentAna, At: year(y + 1)})
		k.do(convo.Receive{Body: "?", At: year(y + 1)})
		checkMeasures(t, k.conversation())
	}
	k.do(convo.Send{By: agentAna, Body: "hello", At: year(2188)},
		convo.Close{By: agentAna, At: year(2189)})
	checkMeasures(t, k.conversation())
	resolution, _ := k.cycle().ResolutionTime()
	assert.Equal(t, year(2189).Sub(year(1900)), resolution)
	assert.Equal(t, year(2188).Sub(year(1900)).Microseconds(), k.cycle().ResponseMicros)
	assert.Equal(t, 143*365*24*time.Hour, k.cycle().PendingTime(),
		"each second year, of which none is a leap year")
}

// checkMeasures holds that no measure of c is negative.
func checkMeasures(t testing.TB, c convo.Conversation) {
	t.Helper()
	for name, f := range map[string]func() (time.Duration, bool){
		"first response": c.Cycle.FirstResponseTime, "assignment": c.Cycle.AssignmentTime,
		"resolution": c.Cycle.ResolutionTime, "active resolution": c.Cycle.ActiveResolutionTime,
		"response": c.Cycle.ResponseTime, "first resolution": c.FirstResolutionTime,
		"last resolution": c.LastResolutionTime,
		"pending":         func() (time.Duration, bool) { return c.Cycle.PendingTime(), true },
	} {
		d, ok := f()
		require.GreaterOrEqual(t, d, time.Duration(0), name)
		require.True(t, ok || d == 0, name)
	}
	require.GreaterOrEqual(t, c.Cycle.PendingMicros, int64(0))
	require.GreaterOrEqual(t, c.Cycle.ResponseMicros, int64(0))
}

// Ids.

func TestIdsAreUniqueOrderedAndCountUpFromTheOneGiven(t *testing.T) {
	k := newTalk(t, convo.LiveChatPolicy())
	k.do(convo.Receive{Body: "hi"}, convo.Close{By: agentAna}, convo.Reopen{By: visitor})
	seen := map[uuid.UUID]bool{k.conversation().ID: true}
	last := uuid.Nil
	for _, e := range k.log {
		assert.False(t, seen[e.ID])
		seen[e.ID] = true
		assert.Less(t, last.String(), e.ID.String())
		assert.Equal(t, uuid.Version(7), e.ID.Version())
		assert.Equal(t, uuid.RFC4122, e.ID.Variant())
		last = e.ID
	}
	assert.Equal(t, seedID, k.conversation().ID)
	assert.Equal(t, binary.BigEndian.Uint64(seedID[8:])+uint64(len(seen)),
		binary.BigEndian.Uint64(k.thread.Next[8:]))
}

func TestDecidingIsDeterministic(t *testing.T) {
	cmds := []convo.Command{convo.Receive{Channel: "x", Body: "hi", Key: "k", ExternalID: "1"},
		convo.Close{By: agentAna}, convo.Open{By: agentAna}}
	a := newTalk(t, convo.LiveChatPolicy()).do(cmds...)
	b := newTalk(t, convo.LiveChatPolicy()).do(cmds...)
	assert.Equal(t, a, b)
}

func TestIdsWrapAroundWithinTheirRandomBits(t *testing.T) {
	k := newTalk(t, convo.Policy{})
	// the last one of the 62 bits
	k.thread.Next = uuid.MustParse("01958f2e-1c00-7abc-bfff-ffffffffffff")
	d := k.do(convo.Open{By: agentAna}, convo.Note{By: agentAna, Body: "n"})
	ids := []string{k.conversation().ID.String(), d.Change.Events[0].ID.String(),
		d.Change.Events[1].ID.String()}
	assert.Equal(t, []string{
		"01958f2e-1c00-7abc-bfff-ffffffffffff", "01958f2e-1c00-7abc-8000-000000000000",
		"01958f2e-1c00-7abc-8000-000000000001",
	}, ids)

	// carries into the variant's byte
	k.thread.Next = uuid.MustParse("01958f2e-1c00-7abc-80ff-ffffffffffff")
	d = k.do(convo.Note{By: agentAna, Body: "n"}, convo.Note{By: agentAna, Body: "n"})
	assert.Equal(t, "01958f2e-1c00-7abc-8100-000000000000", d.Change.Events[1].ID.String())
}

func TestAnUnchangedCommandTakesNoId(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	assert.Equal(t, thread.Next, after(thread, mustDecide(t, thread,
		convo.Open{By: agentAna})).Next)
}

// What is a command.

type stranger struct{ convo.Open }

func TestOnlyTheCommandStructsByValueAreCommands(t *testing.T) {
	for _, cmd := range []convo.Command{nil, &convo.Open{By: agentAna}, stranger{}} {
		requireInvalid(t, "command", newTalk(t, convo.Policy{}).refuses(cmd))
		requireInvalid(t, "command", newTalk(t, convo.Policy{}).refuses(convo.Open{By: agentAna},
			cmd))
		requireInvalid(t, "command", newTalk(t, convo.Policy{}).refuses(convo.Open{By: agentAna,
			Key: "k"}, cmd))
	}
}

func TestANilPolicyIsTheDefaultOne(t *testing.T) {
	thread := threadIn(t, convo.StateClosed)
	a, errA := convo.Decide(thread, morning, nil, convo.Receive{Body: "hi"})
	b, errB := convo.Decide(thread, morning, &convo.Policy{}, convo.Receive{Body: "hi"})
	require.NoError(t, errA)
	require.NoError(t, errB)
	assert.Equal(t, b, a)
}
