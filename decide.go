package convo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

var defaultPolicy Policy

func (w *decider) decide(s *Snapshot, now time.Time, p *Policy, cmds []Command) error {
	if err := checkAlone(cmds); err != nil {
		return err
	}
	if len(cmds) == 1 { // mostly, and mostly without a key: then it is parsed once
		var o fields
		if err := o.read(cmds[0]); err != nil {
			return err
		}
		if o.key == "" && o.externalID == "" {
			return w.step(s, &o, now, p)
		}
	}
	w.rates = slices.ContainsFunc(cmds, func(cmd Command) bool {
		_, ok := cmd.(Rate)
		return ok
	})
	groups := keyedGroups(cmds, s.Ref.Address)
	if groups == nil {
		return w.steps(s, now, p, cmds)
	}
	for i := range groups {
		g := &groups[i]
		if _, applied, err := g.appliedUnder(w.keys, s.Contact.ID, s.Ref, cmds); err != nil {
			return err
		} else if applied {
			w.repeated = true
			continue
		}
		first := len(w.events)
		if err := w.steps(s, now, p, cmds[g.from:g.to]); err != nil {
			return err
		}
		w.record(s, g, cmds, first)
	}
	return nil
}

func (w *decider) steps(s *Snapshot, now time.Time, p *Policy, cmds []Command) error {
	for _, cmd := range cmds {
		var o fields
		if err := o.read(cmd); err != nil {
			return err
		}
		if err := w.step(s, &o, now, p); err != nil {
			return err
		}
		if p.hasRules() { // the next command is about a conversation that they apply to
			r := ruler{p: p, rules: p.rules(), now: w.appliedNow(&s.Conversation, now)}
			r.apply(&s.Conversation)
		}
	}
	return nil
}

// step decides one command.
func (w *decider) step(s *Snapshot, o *fields, now time.Time, p *Policy) error {
	if o.channel == "" {
		o.channel = s.Ref.Address.Channel
	}
	if o.message != (MessageRef{}) {
		o.message = o.message.on(s.Ref.Address)
	}
	if err := o.check(p); err != nil {
		return err
	}
	if !s.Contact.ErasedAt.IsZero() || !s.Target.Contact.ErasedAt.IsZero() {
		return refuse(s, ErrErased, o.kind.name())
	}
	o.until, o.sentAt = micros(o.until), micros(o.sentAt)
	if s.Contact.Version == 0 && o.kind != kindOpen && o.kind != kindReceive && !o.quiet {
		reason := cmp.Or(actions[table[o.kind].cells[stateNone][0].action].err, ErrNotFound)
		err := refuse(s, reason, o.kind.name())
		err.Unknown = true
		return err
	}
	if s.Contact.Blocked && table[o.kind].refusedWhenBlocked &&
		(o.kind != kindEdit || o.by.Type == ActorContact) {
		if o.kind != kindReceive || !p.KeepBlocked {
			return refuse(s, ErrBlocked, o.kind.name())
		}
		o.quiet = true
	}
	if s.AddressOwner != "" && s.AddressOwner != s.Contact.ID {
		return refuse(s, ErrAddressTaken, o.kind.name())
	}
	if !o.at.IsZero() || !o.sentAt.IsZero() {
		if err := o.notAhead(now.Add(p.maxSkew()), s.Conversation.UpdatedAt); err != nil {
			return err
		}
	}
	if o.kind == kindIdentify && s.Message != nil {
		if err := s.Message.checkEcho(s.Holder); err != nil {
			return err
		}
	}
	var ok bool
	if o.at, ok = eventTime(o.at, now, s.Conversation.UpdatedAt); !ok {
		return refuse(s, ErrOutOfOrder, o.kind.name())
	}
	if o.kind == kindRate {
		if o.cycle > s.Conversation.Cycle.Number {
			return invalid("cycle", fmt.Sprintf("there are %d", s.Conversation.Cycle.Number))
		}
		if s.cycle(o.ratedCycle(&s.Conversation)) == nil {
			return invalid("cycle", "Snapshot.Earlier does not have it")
		}
	}
	if !o.until.IsZero() && !o.until.After(o.at) {
		return invalid("until", "must be after the time of the command")
	}
	if err := o.resolve(s); err != nil {
		return err
	}
	if o.kind == kindMove && s.Conversation.ID != uuid.Nil && s.Target.Contact.ID == "" {
		return invalid("contact", "Snapshot.Target does not say who that is")
	}
	m := chooseAction(s, o, stateOf(s), p)
	if err := actions[m].err; err != nil {
		return refuse(s, err, o.kind.name())
	}
	if s.Contact.ID == "" {
		s.Contact.ID = s.nextID().String()
	}
	if o.by.Type == ActorContact && o.by.ID == "" {
		o.by.ID = s.Contact.ID
	}
	if s.AddressOwner == "" && s.Ref.Address != (Address{}) && o.kind != kindUnlinkAddress {
		w.link(s, o)
	}
	w.perform(s, o, m, p)
	if m != unchanged {
		w.outcome = actions[m].outcome
	}
	return nil
}

// notAhead refuses times that are given and later than now, or than the last event: what another
// server's clock has stamped may go on.
func (o *fields) notAhead(now, last time.Time) error {
	latest := maxTime(now, last)
	switch {
	case o.at.After(latest):
		return invalid("at", "must not be further ahead of the clock than the policy's max_skew")
	case o.sentAt.After(latest):
		return invalid("sent_at",
			"must not be further ahead of the clock than the policy's max_skew")
	}
	return nil
}

// stateOf is the state that a snapshot is in.
func stateOf(s *Snapshot) stateIndex {
	switch s.Conversation.Status {
	case StatusOpen:
		return stateOpen
	case StatusPending:
		return statePending
	}
	switch {
	case s.Conversation.ID == uuid.Nil:
		return stateNone
	case s.Active != uuid.Nil:
		return stateSuperseded
	}
	return stateClosed
}

// perform writes the events of an action. A message comes after the opening that it caused, and
// before the resuming.
func (w *decider) perform(s *Snapshot, o *fields, m action, p *Policy) {
	switch m {
	case opens:
		w.open(s, o)
	case reopens:
		w.reopen(s, o, p)
	}
	switch o.kind {
	case kindReceive:
		w.message(s, o, MessageReceived, false, p)
	case kindSend:
		w.message(s, o, MessageSent,
			!o.quiet && (o.by.Type == ActorUser || p.CountAutomation), p)
	case kindNote:
		w.message(s, o, NoteAdded, false, p)
	}
	switch m {
	case resumes:
		w.resume(s, o, p)
	case pends:
		w.pend(s, o, p)
	case rates:
		w.rate(s, o)
	case closes:
		w.close(s, o, p)
	case edits:
		w.edit(s, o)
	case retracts:
		w.retract(s, o)
	case identifies:
		w.identify(s, o)
	case assigns:
		w.assign(s, o)
	case amends:
		e := w.add(s, o, ClosingAmended)
		notes := take(&w.room.notes)
		*notes = ClosingNotes{Category: o.category, Summary: o.text}
		e.Payload = notes
		w.apply(s, e)
	case labels, prioritizes, describes, profiles:
		w.describe(s, o)
	case moves:
		w.move(s, o)
	case blocks:
		e := w.addContact(s, o, ContactBlocked)
		e.Payload = &Blocking{o.text}
		w.apply(s, e)
	case unblocks:
		w.apply(s, w.addContact(s, o, ContactUnblocked))
	case unlinks:
		a, merged := s.Ref.Address, s.LogOf.ID != ""
		e := w.addContact(s, o, AddressUnlinked)
		e.Payload = &a
		if merged {
			e.Payload = &Address{}
		}
		w.unlinked = append(w.unlinked, a)
		w.apply(s, e)
		if merged { // its own log says which, for when the merge is undone, or it is erased
			e = w.addOther(s, o, AddressUnlinked)
			e.Payload = &a
			w.apply(s, e)
		}
	}
}

func (w *decider) open(s *Snapshot, o *fields) {
	w.leaveConversation(s)
	s.Earlier = nil
	s.Conversation = Conversation{ID: s.nextID(), Lane: s.lane()}
	e, payload := w.addOpening(s, o, ConversationOpened)
	payload.Channel, payload.Lane = o.channel, s.Conversation.Lane
	payload.NewContact = !s.HasConversation
	if a := s.Ref.Address; o.kind == kindOpen && a.Channel == o.channel {
		payload.Address = a.Value
	}
	w.apply(s, e)
}

func (w *decider) reopen(s *Snapshot, o *fields, p *Policy) {
	w.leaveCycle(s)
	e, payload := w.addOpening(s, o, ConversationReopened)
	if e.Source == SourceContact {
		e.Source = SourceRestart
	}
	payload.RestartFlow = p.RestartFlow && o.by.Type == ActorContact
	payload.Before = take(&w.room.before)
	s.Conversation.before(ConversationReopened, payload.Before)
	w.apply(s, e)
	if e.Source == SourceRestart {
		w.notify(s, o, NoticeRestarted, p.Notices.Restarted)
	} else {
		w.notify(s, o, NoticeReopened, p.Notices.Reopened)
	}
}

func (w *decider) close(s *Snapshot, o *fields, p *Policy) {
	e := w.add(s, o, ConversationClosed)
	notes := take(&w.room.notes)
	notes.Category, notes.Summary = o.category, o.text
	s.Conversation.before(ConversationClosed, &notes.Before)
	if b := &notes.Before; b.Status == StatusPending {
		b.PendingMicros += microsBetween(b.StatusSince, e.At)
	}
	if len(p.Deadlines) > 0 {
		notes.Marks = MarksOf(s.Conversation.resolved(o.at, p)...)
	}
	e.Source, e.Payload = o.source, notes
	w.apply(s, e)
	w.notify(s, o, NoticeClosed, p.Notices.Closed)
	if c := &s.Conversation; p.UnassignOnClose && (c.Assignee != "" || c.Team != "") {
		w.assign(s, &fields{by: BySystem(), at: o.at})
	}
}

func (w *decider) pend(s *Snapshot, o *fields, p *Policy) {
	e := w.add(s, o, ConversationPending)
	pending := take(&w.room.pending)
	pending.Until, pending.OnReceive = o.until, o.onReceive
	s.Conversation.before(ConversationPending, &pending.Before)
	if s.Conversation.Status == StatusOpen && len(p.Deadlines) > 0 {
		pending.Marks = MarksOf(s.Conversation.standing(o.at, p)...)
	}
	e.Payload = pending
	w.apply(s, e)
}

func (w *decider) resume(s *Snapshot, o *fields, p *Policy) {
	e := w.add(s, o, ConversationResumed)
	r := take(&w.room.resumption)
	s.Conversation.before(ConversationResumed, &r.Before)
	if len(p.Deadlines) > 0 {
		r.Marks = MarksOf(s.Conversation.goingOn(o.at, p)...)
	}
	e.Source, e.Payload = o.source, r
	w.apply(s, e)
}

func (w *decider) assign(s *Snapshot, o *fields) {
	e := w.add(s, o, ConversationAssigned)
	a := take(&w.room.assignment)
	a.Assignee, a.Team = o.assignee, o.team
	s.Conversation.before(ConversationAssigned, &a.Before)
	e.Payload = a
	w.apply(s, e)
}

func (w *decider) notify(s *Snapshot, o *fields, code NoticeCode, audience Audience) {
	if audience == AudienceNone {
		return
	}
	e := w.add(s, &fields{by: BySystem(), at: o.at}, NoticePosted)
	e.Payload = &Notice{code, audience, code.Text()}
	w.apply(s, e)
}

func (w *decider) link(s *Snapshot, o *fields) {
	e := w.addContact(s, o, AddressLinked)
	a := s.Ref.Address
	e.Payload = &a
	w.addresses = append(w.addresses, AddressRow{a, s.Contact.ID})
	w.apply(s, e)
	w.outcome = OutcomeLinked
}

// apply moves the snapshot on: Apply alone changes state, so that folding the events cannot give
// another one.
func (w *decider) apply(s *Snapshot, e *Event) {
	switch e.Kind {
	case MessageReceived, MessageSent, NoteAdded, MessageEdited, MessageRetracted,
		MessageIdentified:
	case MessageDuplicated:
		if c := &s.Conversation; c.ID == e.Conversation && !c.Status.Active() {
			w.cycleClosed = true // its counts change
		}
	case ConversationClosed, ClosingAmended:
		w.cycleClosed, w.otherThanMessages = true, true
	default:
		w.otherThanMessages = true
	}
	apply(s, e)
}

// leaveConversation keeps the row of a conversation that this call changed, before it opens
// another.
func (w *decider) leaveConversation(s *Snapshot) {
	c := &s.Conversation
	if c.Version != 0 && (c.ID != w.loaded.conversation || c.Version != w.loaded.version) {
		w.earlier = append(w.earlier, ConversationRow{})
		w.row(s, &w.earlier[len(w.earlier)-1])
	}
	w.cycleClosed = false
}

// leaveCycle keeps a cycle that this call closed or amended, or may rate, before it reopens the
// conversation.
func (w *decider) leaveCycle(s *Snapshot) {
	c := &s.Conversation
	if w.rates {
		s.Earlier = append(slices.Clip(s.Earlier), c.Cycle)
	}
	if w.cycleClosed {
		w.cycles = append(w.cycles, CycleRow{c.ID, c.Channel, c.Lane, c.Cycle})
	}
	w.cycleClosed = false
}

func refuse(s *Snapshot, reason error, name CommandName) *StateError {
	err := &StateError{
		Err: reason, Command: name, Contact: s.Contact.ID, Conversation: s.Conversation.ID,
		Active: s.Active,
	}
	if name == CommandMove {
		err.Active = s.Target.Active
	}
	if name == CommandClose && !s.Conversation.Cycle.Closing.At.IsZero() {
		closing := s.Conversation.Cycle.Closing
		err.Closing = &closing
	}
	return err
}
