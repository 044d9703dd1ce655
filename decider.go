package convo

import (
	"fmt"
	"time"
)

// Decision is the outcome of [Decide]: what to commit.
type Decision struct {
	Change Change
	// Outcome is that of the last command that changed something, OutcomeUnchanged when none did.
	Outcome Outcome
}

// Decide is the state machine: it decides cmds in order, each on what the one before left. It is
// pure and deterministic: the same snapshot, commands, policy and time give the same decision, and
// it changes nothing that it is given. at is now, for commands that carry no time of their own; a
// nil policy is the default one.
//
// All or nothing: the first command that is refused is the error, a *ValidationError for bad
// input, a *StateError for a command that cannot be done in this state.
//
// A key or external id that comes twice in one call is decided once; a key that comes with two
// different requests is ErrKeyReused. Whether it was known before is the store's to say: see
// [Engine.Do].
//
// It copies the snapshot and the plan of rows, which is most of what it costs; a [Decider] does
// not.
func Decide(s Snapshot, at time.Time, p *Policy, cmds ...Command) (d Decision, err error) {
	var w Decider
	if d.Outcome, err = w.decide(&s, at, p, cmds); err != nil {
		return Decision{}, err
	}
	w.w.result(&s, &d.Change)
	return d, nil
}

// Decider is [Decide] in place, for hosts that keep snapshots and decide on them again and again.
// The zero value is ready. It is for one goroutine at a time, and must not be copied once used.
//
//	d := convo.Decider{Reuse: true}
//	outcome, err := d.Decide(&s, time.Now(), nil, cmd) // s is what it was moved on to
//	for _, e := range d.Events() { … }                 // until the next d.Decide
type Decider struct {
	// Reuse has each Decide write its events and their payloads over those of the one before: for
	// who has copied or encoded them by then. A single command takes no memory then, unless its
	// texts must be made. Default: they are the caller's to keep.
	Reuse bool

	w      decider
	memory *decided  // with Reuse
	before *Snapshot // what a call with several commands was given
}

// Decide decides as [Decide] does, and moves s on: it is what [Change.After] gives, and what a
// store would load after the call, with the next id in Next. After an error s is as it was. Of a
// call with several commands that takes a copy of s, which d keeps.
func (d *Decider) Decide(
	s *Snapshot, at time.Time, p *Policy, cmds ...Command,
) (Outcome, error) {
	if len(cmds) < 2 {
		return d.decide(s, at, p, cmds)
	}
	if d.before == nil {
		d.before = new(Snapshot)
	}
	*d.before = *s
	outcome, err := d.decide(s, at, p, cmds)
	if err != nil {
		*s = *d.before
	}
	return outcome, err
}

// decide is Decide that leaves s where it got to when one of several commands is refused.
func (d *Decider) decide(
	s *Snapshot, at time.Time, p *Policy, cmds []Command,
) (Outcome, error) {
	if p == nil {
		p = &defaultPolicy
	}
	d.begin(s)
	if len(cmds) > MaxCommands {
		return "", invalid("commands",
			fmt.Sprintf("at most %d in one call, not %d", MaxCommands, len(cmds)))
	}
	now := micros(at)
	s.Conversation.notAhead(at)
	if err := d.w.decide(s, now, p, cmds); err != nil {
		s.Conversation.Applied = d.w.loaded.applied
		d.w.events = nil
		return "", err
	}
	d.w.arm(&s.Conversation, now, p)
	if d.w.moved {
		s.Active = s.Target.Active
	}
	s.Target, s.Earlier, s.LogOf = MoveTarget{}, nil, Contact{}
	return d.w.outcome, nil
}

// goOn decides a further call on what the last one has left, for one plan of rows. It reports false
// when the call is refused or has a key that came before: then neither s nor d are of use any more.
func (d *Decider) goOn(s *Snapshot, at time.Time, p *Policy, cmds []Command) bool {
	d.w.outcome, d.w.repeated = OutcomeUnchanged, false
	now := micros(at)
	if err := d.w.decide(s, now, p, cmds); err != nil || d.w.repeated {
		return false
	}
	d.w.arm(&s.Conversation, now, p)
	return true
}

// resultOf is what the last call came to, whose events begin at first.
func (d *Decider) resultOf(s *Snapshot, first int) Result {
	r := Result{Outcome: d.w.outcome, Contact: s.Contact, Conversation: s.Conversation}
	if n := len(d.w.events); n > first {
		r.Events = d.w.events[first:n:n]
	}
	return r
}

// Events are those that the last Decide wrote, in order; none after an error. With Reuse they hold
// until the next one; otherwise they are the caller's to keep.
func (d *Decider) Events() []Event { return d.w.events }

// Plan makes the plan of rows of the last Decide, which was not refused, for a [Store] to carry
// out, in place of what to holds. s is the snapshot as that left it. The events of the plan are
// those of Events.
func (d *Decider) Plan(s *Snapshot, to *Change) {
	*to = Change{}
	d.w.result(s, to)
}

// begin forgets the last decision.
func (d *Decider) begin(s *Snapshot) {
	d.w = decider{outcome: OutcomeUnchanged}
	d.w.loaded.of(s)
	if !d.Reuse {
		return
	}
	if d.memory == nil {
		d.memory = new(decided)
	}
	d.w.reuse(d.memory)
}

// decider is a decision in the making. It moves a snapshot on in place, because copying is most of
// the cost; the snapshot comes as an argument of its own, so that it can stay on the stack.
type decider struct {
	loaded    loadedVersions
	earlier   []ConversationRow
	cycles    []CycleRow
	events    []Event
	keys      []Key
	addresses []AddressRow
	mergeInto string
	// unmergeFrom and family: see Change.
	unmergeFrom string
	family      []string
	redact      []EventPlace
	repointed   []Key
	unlinked    []Address
	other       *ContactRow // whom a Move took the conversation from
	moved       bool
	outcome     Outcome
	room        room
	// otherThanMessages and cycleClosed are of the present conversation, since it was loaded or
	// opened.
	otherThanMessages bool
	cycleClosed       bool
	rates             bool // there are several commands, and one of them is a Rate
	repeated          bool // a command has a key of an earlier one
}

// result makes the plan of rows, in an empty Change.
func (w *decider) result(s *Snapshot, to *Change) {
	to.Contact.Contact, to.Contact.Expected = s.Contact, w.loaded.contact
	switch {
	case s.Contact.Version == w.loaded.contact && s.Contact.SeenAt.Equal(w.loaded.seen):
	case w.loaded.contact == 0:
		to.Contact.Action = RowAdded
	default:
		to.Contact.Action = RowUpdated
	}
	w.row(s, &to.Conversation)
	to.Earlier, to.Cycles, to.Events = w.earlier, w.cycles, nil
	if len(w.events) > 0 {
		to.Events = w.events
	}
	to.Keys, to.Addresses, to.MergeInto = w.keys, w.addresses, w.mergeInto
	to.Redact, to.Repointed, to.Unlinked = w.redact, w.repointed, w.unlinked
	to.UnmergeFrom, to.Family = w.unmergeFrom, w.family
	if w.other != nil {
		to.Other = *w.other
	}
}

// row is the row of the present conversation.
func (w *decider) row(s *Snapshot, to *ConversationRow) {
	to.Conversation, to.CycleClosed, to.Moved = s.Conversation, w.cycleClosed, w.moved
	known := s.Conversation.ID == w.loaded.conversation
	if known {
		to.PlacesBefore, to.LabelsBefore = w.loaded.places, w.loaded.labels
		to.DueBefore, to.AppliedBefore = w.loaded.dueAt, w.loaded.applied
		to.ContactBefore = w.loaded.owner
	}
	if w.otherThanMessages || !known || !s.Conversation.DueAt.Equal(w.loaded.dueAt) {
		var was, now listing // of a new one there is nothing in lists
		if now.of(&s.Conversation); known {
			was = w.loaded.listing
		}
		to.Listing = was.becomes(&now)
		if w.moved && to.Listing == RowKept && now.status.Active() {
			to.Listing = RowUpdated // the contact is another one
		}
	}
	switch {
	case !known:
		to.Action = RowAdded
	case s.Conversation.Version == w.loaded.version &&
		s.Conversation.DueAt.Equal(w.loaded.dueAt) &&
		s.Conversation.Deadline.Equal(w.loaded.places.Deadline) &&
		s.Conversation.Applied == w.loaded.applied:
		to.Expected = w.loaded.version
	default:
		to.Action, to.Expected = RowUpdated, w.loaded.version
		to.OnlyMessages = !w.otherThanMessages && s.Conversation.DueAt.Equal(w.loaded.dueAt) &&
			s.Conversation.Applied == w.loaded.applied && s.Conversation.Marks == w.loaded.marks
	}
}
