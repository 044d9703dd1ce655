package convo

import (
	"bytes"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// State is what a command meets: the status of the thread's conversation, or that there is none, or that it is closed
// while another conversation of the contact is active.
type State string

// The states, in the order of the transition table.
const (
	StateNone       State = "none"
	StateOpen       State = "open"
	StatePending    State = "pending"
	StateClosed     State = "closed"
	StateSuperseded State = "superseded"
)

// Outcome is what a command did.
type Outcome string

// The outcomes of commands that are not refused.
const (
	OutcomeUnchanged Outcome = "unchanged" // nothing to do, and nothing written
	OutcomeOpened    Outcome = "opened"    // a new conversation
	OutcomeReopened  Outcome = "reopened"  // a new cycle of the same one
	OutcomeResumed   Outcome = "resumed"
	OutcomePending   Outcome = "pending"
	OutcomeClosed    Outcome = "closed"
	OutcomeRecorded  Outcome = "recorded" // a message or note, and nothing else
	OutcomeAssigned  Outcome = "assigned"
	OutcomeAmended   Outcome = "amended"
	OutcomeBlocked   Outcome = "blocked"
	OutcomeUnblocked Outcome = "unblocked"
	OutcomeLinked    Outcome = "linked"
	OutcomeMerged    Outcome = "merged"
	// OutcomeDuplicate: the engine found that all was applied before; nothing was written now.
	OutcomeDuplicate Outcome = "duplicate"
)

// Transition is one way that a command can go in one state.
type Transition struct {
	Command CommandName `json:"command"`
	State   State       `json:"state"`
	// When says which policy or input picks this way, where there are several. Empty: always, or the default.
	When    string  `json:"when,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"` // empty: refused
	// Err is why it is refused, and Refusal is its name.
	Err     error  `json:"-"`
	Refusal string `json:"refusal,omitempty"`
	Next    State  `json:"next"`
}

type (
	commandKind int // of a command in the table
	stateIndex  int // of a state in the table
)

const (
	kindOpen commandKind = iota
	kindReceive
	kindSend
	kindNote
	kindSetPending
	kindResume
	kindClose
	kindReopen
	kindAssign
	kindAmendClosing
	kindBlock
	kindUnblock
	kindLinkAddress
	commandKinds
)

const (
	stateNone stateIndex = iota
	stateOpen
	statePending
	stateClosed
	stateSuperseded
	stateCount
)

var (
	commandNames = [commandKinds]CommandName{
		CommandOpen, CommandReceive, CommandSend, CommandNote, CommandSetPending, CommandResume, CommandClose, CommandReopen,
		CommandAssign, CommandAmendClosing, CommandBlock, CommandUnblock, CommandLinkAddress,
	}
	states = [stateCount]State{StateNone, StateOpen, StatePending, StateClosed, StateSuperseded}
)

func (r commandKind) name() CommandName { return commandNames[r] }

// move is what a cell of the table says to do.
type action uint8

const (
	notFound action = iota
	notActive
	notClosed
	activeExists
	rejects
	unchanged
	opens
	reopens
	resumes
	pends
	closes
	records
	assigns
	amends
	blocks
	unblocks
	links
)

// moves says what each move amounts to: an error, or an outcome and the state after it (empty: the same).
var actions = [...]struct {
	err     error
	refusal string
	outcome Outcome
	next    State
}{
	notFound:     {err: ErrNotFound, refusal: "ErrNotFound"},
	notActive:    {err: ErrNotActive, refusal: "ErrNotActive"},
	notClosed:    {err: ErrNotClosed, refusal: "ErrNotClosed"},
	activeExists: {err: ErrActiveExists, refusal: "ErrActiveExists"},
	rejects:      {err: ErrClosed, refusal: "ErrClosed"},
	unchanged:    {outcome: OutcomeUnchanged},
	opens:        {outcome: OutcomeOpened, next: StateOpen},
	reopens:      {outcome: OutcomeReopened, next: StateOpen},
	resumes:      {outcome: OutcomeResumed, next: StateOpen},
	pends:        {outcome: OutcomePending, next: StatePending},
	closes:       {outcome: OutcomeClosed, next: StateClosed},
	records:      {outcome: OutcomeRecorded},
	assigns:      {outcome: OutcomeAssigned},
	amends:       {outcome: OutcomeAmended},
	blocks:       {outcome: OutcomeBlocked},
	unblocks:     {outcome: OutcomeUnblocked},
	links:        {outcome: OutcomeLinked},
}

// way is a move and what picks it among the ways of its cell.
type branch struct {
	action action
	when   string
}

// only is a cell with one way.
func always(m action) []branch { return []branch{{action: m}} }

// table is the lifecycle. Where a cell has several ways, [choose] picks one.
var table = [commandKinds][stateCount][]branch{
	kindOpen: {
		always(opens), always(unchanged), always(resumes),
		{{opens, "open: new"}, {reopens, "open: reopen"}},
		always(activeExists),
	},
	kindReceive: {
		always(opens), always(records),
		{{resumes, "unless stay_pending"}, {records, "stay_pending"}},
		{{opens, "receive: new"}, {reopens, "receive: reopen"}, {rejects, "receive: reject"}},
		always(activeExists),
	},
	kindSend: {always(notActive), always(records), always(records), always(notActive), always(notActive)},
	kindNote: {always(notFound), always(records), always(records), always(records), always(records)},
	kindSetPending: {
		always(notActive), always(pends),
		{{pends, "until changed"}, {unchanged, "until unchanged"}},
		always(notActive), always(notActive),
	},
	kindResume:       {always(notActive), always(unchanged), always(resumes), always(notActive), always(notActive)},
	kindClose:        {always(notActive), always(closes), always(closes), always(notActive), always(notActive)},
	kindReopen:       {always(notFound), always(unchanged), always(unchanged), always(reopens), always(activeExists)},
	kindAssign:       {always(notActive), assigning, assigning, always(notActive), always(notActive)},
	kindAmendClosing: {always(notFound), always(notClosed), always(notClosed), amending, amending},

	kindBlock:       {always(notFound), blocking, blocking, blocking, blocking},
	kindUnblock:     {always(notFound), unblocking, unblocking, unblocking, unblocking},
	kindLinkAddress: {always(notFound), linking, linking, linking, linking},
}

var (
	assigning  = []branch{{assigns, "assignee or team changed"}, {unchanged, "nothing changed"}}
	amending   = []branch{{amends, "category or summary changed"}, {unchanged, "nothing changed"}}
	blocking   = []branch{{blocks, "not blocked"}, {unchanged, "blocked"}}
	unblocking = []branch{{unblocks, "blocked"}, {unchanged, "not blocked"}}
	linking    = []branch{{links, "address not linked"}, {unchanged, "address linked"}}
)

// barred says which commands a blocked contact bars: those that would open, message or close. The timer may still close:
// what it left undone, nobody would wind up again.
var refusedWhenBlocked = [commandKinds]bool{kindOpen: true, kindReceive: true, kindSend: true, kindClose: true, kindReopen: true}

// Transitions is the lifecycle as data: every command in every state, with every way it can go.
func Transitions() []Transition {
	var out []Transition
	for r, cells := range table {
		for c, ways := range cells {
			for _, w := range ways {
				m := actions[w.action]
				next := m.next
				if next == "" {
					next = states[c]
				}
				out = append(out, Transition{
					Command: commandKind(r).name(), State: states[c], When: w.when, Outcome: m.outcome,
					Err: m.err, Refusal: m.refusal, Next: next,
				})
			}
		}
	}
	return out
}

// columnOf is the state that a thread is in.
func stateOf(t *Snapshot) stateIndex {
	switch t.Conversation.Status {
	case StatusOpen:
		return stateOpen
	case StatusPending:
		return statePending
	}
	switch {
	case t.Conversation.ID == uuid.Nil:
		return stateNone
	case t.Active != uuid.Nil:
		return stateSuperseded
	}
	return stateClosed
}

// choose picks the way that a command goes in a cell of the table with several.
func chooseAction(t *Snapshot, o *fields, c stateIndex, p *Policy) action {
	ways := table[o.kind][c]
	if len(ways) == 1 {
		return ways[0].action
	}
	conv, second := &t.Conversation, false
	switch o.kind {
	case kindOpen:
		return onClosed(conv, o.at, p.Open)
	case kindReceive:
		if c == stateClosed {
			return onClosed(conv, o.at, p.Receive)
		}
		second = p.StayPending
	case kindSetPending:
		second = conv.PendingUntil.Equal(o.until)
	case kindAssign:
		second = conv.Assignee == o.user && conv.Team == o.team
	case kindAmendClosing:
		second = conv.Cycle.Closing.Category == o.category && conv.Cycle.Closing.Summary == o.text
	case kindBlock:
		second = t.Contact.Blocked
	case kindUnblock:
		second = !t.Contact.Blocked
	case kindLinkAddress:
		second = t.AddressOwner != "" || t.Ref.Address == Address{}
	}
	if second {
		return ways[1].action
	}
	return ways[0].action
}

// reenter is what a policy says about a closed conversation.
func onClosed(c *Conversation, at time.Time, r OnClosed) action {
	switch {
	case r.Mode == OnClosedReject:
		return rejects
	case r.Mode == OnClosedReopen && (r.Window == 0 || at.Sub(c.Cycle.Closing.At) <= time.Duration(r.Window)):
		return reopens
	}
	return opens
}

// Decision is the outcome of [Decide]: what to commit.
type Decision struct {
	Change Change
	// Outcome is that of the last command that changed something, OutcomeUnchanged when none did.
	Outcome Outcome
}

var defaultPolicy Policy

// Decide is the state machine: it decides cmds in order, each on what the one before left. It is pure and deterministic:
// the same thread, commands, policy and time give the same decision, and it changes nothing that it is given. at is
// now, for commands that carry no time of their own; a nil policy is the default one.
//
// All or nothing: the first command that is refused is the error, a *ValidationError for bad input, a *StateError for a
// command that cannot be done in this state.
//
// A key or external id that comes twice in one call is decided once; a key that comes with two different requests is
// ErrKeyReused. Whether it was known before is the store's to say: see [Engine.Do].
func Decide(t Snapshot, at time.Time, p *Policy, cmds ...Command) (d Decision, err error) {
	if p == nil {
		p = &defaultPolicy
	}
	w := decider{loaded: loaded(&t), outcome: OutcomeUnchanged}
	if err = w.decide(&t, micros(at), p, cmds); err != nil {
		return // d is still empty; writing it again would cost as much as deciding
	}
	w.arm(&t, p)
	d.Outcome = w.outcome
	w.result(&t, &d.Change)
	return d, nil
}

// work is a decision in the making. It moves a thread on in place, because copying is most of the cost; the thread comes
// as an argument of its own, so that it can stay on the stack.
type decider struct {
	loaded  Loaded
	past    []Conversation
	events  []Event
	keys    []Key
	outcome Outcome
}

func (w *decider) result(t *Snapshot, to *Change) {
	to.Loaded, to.Thread, to.Past, to.Events, to.Keys = w.loaded, *t, w.past, w.events, w.keys
}

func (w *decider) decide(t *Snapshot, now time.Time, p *Policy, cmds []Command) error {
	if len(cmds) > MaxCommands {
		return invalid("commands", fmt.Sprintf("at most %d in one call, not %d", MaxCommands, len(cmds)))
	}
	if len(cmds) == 1 { // mostly, and mostly without a key: then it is read once
		var o fields
		if err := o.read(cmds[0]); err != nil {
			return err
		}
		if o.key == "" && o.externalID == "" {
			return w.step(t, &o, now, p)
		}
	}
	us := keyedGroups(cmds, t.Ref.Address.Channel)
	if us == nil {
		return w.steps(t, now, p, cmds)
	}
	for i := range us {
		u := &us[i]
		if _, known, err := u.appliedUnder(w.keys, t.Ref, cmds); err != nil {
			return err
		} else if known {
			continue
		}
		first := len(w.events)
		if err := w.steps(t, now, p, cmds[u.from:u.to]); err != nil {
			return err
		}
		w.record(t, u, cmds, first)
	}
	return nil
}

func (w *decider) steps(t *Snapshot, now time.Time, p *Policy, cmds []Command) error {
	for _, cmd := range cmds {
		var o fields
		if err := o.read(cmd); err != nil {
			return err
		}
		if err := w.step(t, &o, now, p); err != nil {
			return err
		}
	}
	return nil
}

// step decides one command.
func (w *decider) step(t *Snapshot, o *fields, now time.Time, p *Policy) error {
	if o.channel == "" {
		o.channel = t.Ref.Address.Channel
	}
	if err := o.check(p); err != nil {
		return err
	}
	o.until = micros(o.until)
	if t.Contact.Version == 0 && o.kind != kindOpen && o.kind != kindReceive {
		err := refuse(t, actions[table[o.kind][stateNone][0].action].err, o.kind.name())
		err.Unknown = true
		return err
	}
	if t.Contact.Blocked && refusedWhenBlocked[o.kind] && !o.inactivity() {
		return refuse(t, ErrBlocked, o.kind.name())
	}
	if t.AddressOwner != "" && t.AddressOwner != t.Contact.ID {
		return refuse(t, ErrAddressTaken, o.kind.name())
	}
	var ok bool
	if o.at, ok = eventTime(o.at, now, t.Conversation.UpdatedAt); !ok {
		return refuse(t, ErrOutOfOrder, o.kind.name())
	}
	if !o.until.IsZero() && !o.until.After(o.at) {
		return invalid("until", "must be after the time of the command")
	}
	m := chooseAction(t, o, stateOf(t), p)
	if err := actions[m].err; err != nil {
		return refuse(t, err, o.kind.name())
	}
	if t.Contact.ID == "" {
		t.Contact.ID = t.nextID().String()
	}
	if o.by.Type == ActorContact && o.by.ID == "" {
		o.by.ID = t.Contact.ID
	}
	if t.AddressOwner == "" && t.Ref.Address != (Address{}) {
		w.link(t, o)
	}
	w.perform(t, o, m, p)
	if m != unchanged {
		w.outcome = actions[m].outcome
	}
	return nil
}

// perform writes the events of a move. A message comes after the opening that it caused, and before the resuming.
func (w *decider) perform(t *Snapshot, o *fields, m action, p *Policy) {
	switch m {
	case opens:
		w.open(t, o)
	case reopens:
		w.reopen(t, o, p)
	}
	switch o.kind {
	case kindReceive:
		w.message(t, o, MessageReceived, false)
	case kindSend:
		w.message(t, o, MessageSent, o.by.Type == ActorUser || p.CountAutomation)
	case kindNote:
		w.message(t, o, NoteAdded, false)
	}
	switch m {
	case resumes:
		e := w.add(t, o, ConversationResumed)
		e.Source = o.source
		w.apply(t, e)
	case pends:
		e := w.add(t, o, ConversationPending)
		e.Until = o.until
		w.apply(t, e)
	case closes:
		w.close(t, o, p)
	case assigns:
		w.assign(t, o)
	case amends:
		e := w.add(t, o, ClosingAmended)
		e.Category, e.Summary = o.category, o.text
		w.apply(t, e)
	case blocks:
		e := w.addContact(t, o, ContactBlocked)
		e.Body = o.text
		w.apply(t, e)
	case unblocks:
		w.apply(t, w.addContact(t, o, ContactUnblocked))
	}
}

func (w *decider) open(t *Snapshot, o *fields) {
	w.keepIntermediate(t)
	t.Conversation = Conversation{ID: t.nextID()}
	e := w.add(t, o, ConversationOpened)
	e.ContactSeq = t.Contact.Version + 1
	e.Source, e.Channel = o.source, o.channel
	w.apply(t, e)
}

func (w *decider) reopen(t *Snapshot, o *fields, p *Policy) {
	w.keepIntermediate(t)
	e := w.add(t, o, ConversationReopened)
	e.ContactSeq = t.Contact.Version + 1
	if e.Source = o.source; e.Source == SourceContact {
		e.Source = SourceRestart
	}
	restarted := e.Source == SourceRestart
	e.RestartFlow = p.RestartFlow && o.by.Type == ActorContact
	w.apply(t, e)
	if restarted {
		w.notify(t, o, NoticeRestarted, p.Notices.Restarted)
	} else {
		w.notify(t, o, NoticeReopened, p.Notices.Reopened)
	}
}

func (w *decider) message(t *Snapshot, o *fields, kind EventKind, response bool) {
	e := w.add(t, o, kind)
	e.Channel, e.ExternalID, e.Body, e.Attachments = o.channel, o.externalID, o.text, bytes.Clone(o.attachments)
	e.Response = response
	if len(o.attachments) == 0 {
		e.Attachments = nil
	}
	if kind == NoteAdded {
		e.Channel = "" // a note goes nowhere
	}
	w.apply(t, e)
}

func (w *decider) close(t *Snapshot, o *fields, p *Policy) {
	e := w.add(t, o, ConversationClosed)
	e.Category, e.Summary, e.Source = o.category, o.text, o.source
	w.apply(t, e)
	w.notify(t, o, NoticeClosed, p.Notices.Closed)
	if c := &t.Conversation; p.UnassignOnClose && (c.Assignee != "" || c.Team != "") {
		w.assign(t, &fields{by: BySystem(), at: o.at})
	}
}

func (w *decider) assign(t *Snapshot, o *fields) {
	e := w.add(t, o, ConversationAssigned)
	e.Assignee, e.Team = o.user, o.team
	w.apply(t, e)
}

func (w *decider) notify(t *Snapshot, o *fields, code NoticeCode, audience Audience) {
	if audience == AudienceNone {
		return
	}
	e := w.add(t, &fields{by: BySystem(), at: o.at}, NoticePosted)
	e.Notice, e.Audience, e.Body = code, audience, code.Text()
	w.apply(t, e)
}

func (w *decider) link(t *Snapshot, o *fields) {
	e := w.addContact(t, o, AddressLinked)
	e.Channel, e.Address = t.Ref.Address.Channel, t.Ref.Address.Value
	w.apply(t, e)
	w.outcome = OutcomeLinked
}

// add appends the next event of the conversation, for the caller to fill in and apply.
func (w *decider) add(t *Snapshot, o *fields, kind EventKind) *Event {
	e := w.event(t, o, kind)
	e.Conversation, e.Seq = t.Conversation.ID, t.Conversation.Version+1
	return e
}

// addContact appends the next event of the contact itself.
func (w *decider) addContact(t *Snapshot, o *fields, kind EventKind) *Event {
	e := w.event(t, o, kind)
	e.Seq, e.At = t.Contact.Version+1, maxTime(o.at, t.Contact.UpdatedAt)
	return e
}

func (w *decider) event(t *Snapshot, o *fields, kind EventKind) *Event {
	if w.events == nil {
		n := 1
		if o.kind == kindReceive && kind != MessageReceived {
			n = 2 // an opening or reopening, and the message
		}
		w.events = make([]Event, 0, n)
	}
	w.events = append(w.events, Event{})
	e := &w.events[len(w.events)-1]
	e.ID, e.Workspace, e.Contact = t.nextID(), t.Contact.Workspace, t.Contact.ID
	e.Kind, e.At, e.By = kind, o.at, o.by
	return e
}

// apply moves the thread on: Apply alone changes state, so that folding the events cannot give another one.
func (w *decider) apply(t *Snapshot, e *Event) { apply(t, e) }

// leave keeps the state of a conversation that this call changed and now goes on from.
func (w *decider) keepIntermediate(t *Snapshot) {
	c := &t.Conversation
	if c.Version != 0 && (c.ID != w.loaded.Conversation || c.Version != w.loaded.Version) {
		w.past = append(w.past, *c)
	}
}

func refuse(t *Snapshot, reason error, name CommandName) *StateError {
	err := &StateError{
		Err: reason, Command: name, Contact: t.Contact.ID, Conversation: t.Conversation.ID, Active: t.Active,
	}
	if name == CommandClose && !t.Conversation.Cycle.Closing.At.IsZero() {
		closing := t.Conversation.Cycle.Closing
		err.Closing = &closing
	}
	return err
}

// arm keeps the timer's hint from being later than what is due. It leaves an earlier hint alone, so that messages do not
// move it, unless that has passed.
func (w *decider) arm(t *Snapshot, p *Policy) {
	c := &t.Conversation
	due, _ := nextDue(t, p)
	if passed := !c.DueAt.After(c.UpdatedAt); passed || !due.IsZero() && due.Before(c.DueAt) {
		c.DueAt = due
	}
}

// DueReason says what a timer is for.
type DueReason string

// The reasons.
const (
	DueWake       DueReason = "wake"       // a pending conversation comes back
	DueInactivity DueReason = "inactivity" // an open one is closed
)

// NextDue is the time at which the conversation of t changes by itself under p, and why; zero when nothing is due.
// Pending goes first; a conversation that is pending without a time waits.
func NextDue(t Snapshot, p *Policy) (time.Time, DueReason) {
	if p == nil {
		p = &defaultPolicy
	}
	return nextDue(&t, p)
}

func nextDue(t *Snapshot, p *Policy) (time.Time, DueReason) {
	c := &t.Conversation
	switch {
	case c.Status == StatusPending && !c.PendingUntil.IsZero():
		return c.PendingUntil, DueWake
	case c.Status == StatusOpen && p.AutoClose.After > 0:
		since := c.AwaitingContactSince
		if p.AutoClose.Since == SinceAnyEvent {
			since = c.UpdatedAt
		}
		if !since.IsZero() {
			return micros(since.Add(time.Duration(p.AutoClose.After))), DueInactivity
		}
	}
	return time.Time{}, ""
}

// timed is the command that is due, at the time when it became so: measures do not depend on how often Tick runs.
func dueCommand(t *Snapshot, due time.Time, reason DueReason, p *Policy) Command {
	at := maxTime(due, t.Conversation.UpdatedAt)
	if reason == DueWake {
		return Resume{By: BySystem(), At: at, Source: SourceTimer}
	}
	return Close{
		By: BySystem(), At: at, Source: SourceInactivity,
		Category: p.AutoClose.Category, Summary: p.AutoClose.Summary,
	}
}

// canonical is t in UTC and whole microseconds, the one precision of all stores.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// stamp is the time of an event: the given one unless it is before the last event, else now, but never before the last
// event, because the clocks of servers differ.
func eventTime(given, now, last time.Time) (at time.Time, ok bool) {
	if given.IsZero() {
		return maxTime(now, last), true
	}
	at = micros(given)
	return at, !at.Before(last)
}
