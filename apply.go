package convo

import (
	"time"

	"github.com/google/uuid"
)

// Apply folds an event into a snapshot. It is total: an event that does not belong to the
// snapshot's contact or conversation changes nothing, and no event makes a duration negative.
// Folding the events of a conversation in order into an empty Snapshot gives the conversation,
// except DueAt, and Contact after a merge or an unmerge, which gives closed ones no event. The
// contact's SeenAt comes from the messages among them only.
func Apply(s Snapshot, e Event) Snapshot {
	apply(&s, &e)
	return s
}

func apply(s *Snapshot, e *Event) {
	if elsewhere(s, e) {
		return
	}
	if e.Conversation == uuid.Nil {
		m, isMessage := e.Payload.(*Message)
		if e.Kind.belongsToContact() && (!isMessage || m.Quiet) {
			applyToContact(s, e)
		}
		return
	}
	if e.Kind.OfContact() {
		return
	}
	c := &s.Conversation
	if e.Kind == ConversationOpened {
		countOpening(s, e)
	}
	if e.Kind == ConversationOpened && opensIn(s, e) {
		o := payloadIn[Opening](e)
		*c = Conversation{
			ID: e.Conversation, Workspace: e.Workspace, Contact: e.Contact, Origin: e.Contact,
			Channel: o.Channel, Lane: o.Lane, Status: StatusOpen, StatusSince: e.At,
			CreatedAt: e.At, LastActivityAt: e.At, NewContact: o.NewContact,
		}
		if o.Address != "" {
			c.Address = Address{o.Channel, o.Address}
		}
		startCycle(s, e, 1)
	}
	if e.Kind == ConversationMoved {
		applyMoving(s, e)
	}
	if c.ID != e.Conversation {
		return
	}
	c.Version = e.Seq
	c.UpdatedAt = maxTime(c.UpdatedAt, e.At)
	if m, ok := e.Payload.(*Message); ok && m.Quiet {
		return
	}
	if e.active() {
		c.LastActivityAt = c.UpdatedAt
	}
	cycle := &c.Cycle
	switch e.Kind {
	case MessageReceived:
		applyReceived(c, e)
		if k := &s.Contact; k.ID == e.Contact && !e.At.Before(k.SeenAt.Add(SeenEvery)) {
			k.SeenAt = e.At
		}
	case MessageSent:
		applySent(c, e)
	case ConversationAssigned:
		applyAssigned(c, e)
	case ConversationPending:
		p := payloadIn[Pending](e)
		if c.Status == StatusOpen {
			c.Status, c.StatusSince = StatusPending, e.At
			c.Marks = c.Marks.with(p.Marks)
		}
		c.PendingUntil, c.OnReceive = p.Until, p.OnReceive
	case ConversationResumed:
		endPending(c, e.At)
		cycle.handOver(e)
		c.Status, c.StatusSince = StatusOpen, e.At
		c.Marks = c.Marks.without(func(m Mark) bool { return m.Result == MarkPaused }).
			with(payloadIn[Resumption](e).Marks)
	case ConversationClosed:
		endPending(c, e.At)
		c.Status, c.StatusSince = StatusClosed, e.At
		c.AwaitingContactSince, c.Marks, c.Applied = time.Time{}, "", ""
		c.Deadline, c.DueAt = time.Time{}, time.Time{}
		c.Unrated = cycle.Number
		if cycle.Rating != (Rating{}) {
			c.Unrated = 0
		}
		if c.FirstClosedAt.IsZero() {
			c.FirstClosedAt = e.At
		}
		notes := payloadIn[ClosingNotes](e)
		cycle.Closing = Closing{
			At: e.At, By: e.By, Source: e.Source, Category: notes.Category, Summary: notes.Summary,
		}
	case ClosingAmended:
		notes := payloadIn[ClosingNotes](e)
		cycle.Closing.Category, cycle.Closing.Summary = notes.Category, notes.Summary
	case ConversationReopened:
		c.Status, c.StatusSince = StatusOpen, e.At
		countOpening(s, e)
		startCycle(s, e, cycle.Number+1)
	case MessageDuplicated:
		applyDuplicated(cycle, e)
	case DeadlinePassed:
		c.Marks = c.Marks.with(MarksOf(payloadIn[Passing](e).Mark))
	case ConversationRated:
		r := payloadIn[Rated](e)
		if r.Cycle == cycle.Number {
			cycle.rate(*r, e.At)
		}
		if r.Cycle == c.Unrated {
			c.Unrated = 0
		}
	case ConversationTransferred:
		c.Contact = e.Contact
	case ConversationMoved:
		p := payloadIn[Moving](e)
		c.Contact, c.Lane, c.Channel = e.Contact, p.Lane, p.Channel
		if p.From != "" {
			c.Origin = e.Contact
		}
	case ConversationLabeled:
		c.Labels = payloadIn[Labeling](e).Labels
	case ConversationPrioritized:
		c.Priority = payloadIn[Prioritizing](e).Priority
	case ConversationDescribed:
		d := payloadIn[Description](e)
		c.Subject, c.Attributes = d.Subject, d.Attributes
	}
}

// opensIn reports whether e opens a conversation of the contact and the lane of s. What is not yet
// known may be any.
func opensIn(s *Snapshot, e *Event) bool {
	anyLane := s.Conversation.ID == uuid.Nil && s.Ref == Ref{}
	return (s.Contact.ID == "" || s.Contact.ID == e.Contact) &&
		(anyLane || s.lane() == payloadIn[Opening](e).Lane)
}

// active reports whether e, which is no quiet message, is an activity of its conversation.
func (e *Event) active() bool {
	switch e.Kind {
	case NoteAdded:
		return e.By.Type == ActorUser
	case MessageReceived, MessageSent:
		return true
	case ConversationAssigned, ConversationReopened, ConversationPending, ConversationResumed,
		ConversationClosed:
		return e.By.Type != ActorSystem
	}
	return false
}

func elsewhere(s *Snapshot, e *Event) bool {
	return s.Contact.Workspace != "" && s.Contact.Workspace != e.Workspace
}

// startCycle begins a cycle. Whoever kept the conversation through a reopening has it from its
// beginning.
func startCycle(s *Snapshot, e *Event, number int) {
	c := &s.Conversation
	c.Cycle = Cycle{
		NoWaitBefore: c.Cycle.Closing.At,
		Number:       number, OpenedAt: e.At, OpenedBy: e.By, OpenedSource: e.Source,
		TurnSince:     e.At,
		FirstAssignee: c.Assignee, LastAssignee: c.Assignee, LastTeam: c.Team,
	}
	if c.Assignee != "" {
		c.Cycle.FirstAssignedAt = e.At
	}
}

// countOpening is what an opening, in whatever lane, or reopening does to its contact.
func countOpening(s *Snapshot, e *Event) {
	contact := &s.Contact
	if contact.Version == 0 && (contact.ID == "" || contact.ID == e.Contact) {
		contact.Workspace, contact.ID, contact.CreatedAt = e.Workspace, e.Contact, e.At
	}
	if contact.ID == e.Contact {
		contact.Version = max(contact.Version, payloadIn[Opening](e).ContactSeq)
		s.HasConversation = true
	}
}

func applyReceived(c *Conversation, e *Event) {
	c.spokenBy(e)
	c.passTurn(e)
	c.AwaitingContactSince, c.LastIncomingAt = time.Time{}, e.At
	c.Marks = c.Marks.without(func(m Mark) bool { return m.From == SinceAwaitingContact })
	cycle := &c.Cycle
	cycle.Incoming++
	since := maxTime(e.messageAt(), cycle.NoWaitBefore)
	if cycle.WaitingSince.IsZero() || since.Before(cycle.WaitingSince) {
		cycle.WaitingSince = since
	}
	if cycle.FirstResponseAt.IsZero() {
		cycle.FirstWaitingSince = cycle.WaitingSince
	}
}

// passTurn keeps since when it is whose turn it is after a message.
func (c *Conversation) passTurn(e *Event) {
	m, ok := e.Payload.(*Message)
	if c.turns(e.Kind, ok && m.Response) {
		c.Cycle.TurnSince = e.At
	}
}

// spokenBy keeps the address of a message.
func (c *Conversation) spokenBy(e *Event) {
	if m, ok := e.Payload.(*Message); ok && m.Address != "" {
		c.Address = Address{m.Channel, m.Address}
	}
}

func applySent(c *Conversation, e *Event) {
	c.spokenBy(e)
	cycle := &c.Cycle
	switch e.By.Type {
	case ActorUser:
		cycle.OutgoingUser++
	case ActorAutomation:
		cycle.OutgoingAutomation++
	}
	if m, ok := e.Payload.(*Message); !ok || !m.Response {
		return
	}
	c.passTurn(e)
	c.AwaitingContactSince = e.At
	if cycle.WaitingSince.IsZero() {
		return // it is no reply
	}
	at := maxTime(e.messageAt(), cycle.WaitingSince)
	if cycle.FirstResponseAt.IsZero() {
		cycle.FirstResponseAt, cycle.FirstResponseSentAt, cycle.FirstResponder = e.At, at, e.By
	}
	cycle.Responses++
	cycle.ResponseMicros += microsBetween(cycle.WaitingSince, at)
	cycle.WaitingSince, cycle.NoWaitBefore = time.Time{}, at
	c.Marks = c.Marks.without(func(m Mark) bool {
		return m.From == SinceContactWaiting || m.Target == TargetFirstResponse ||
			m.Target == TargetNextResponse
	})
}

// applyDuplicated takes an echo off the counts of the cycle in which it is found to be one.
func applyDuplicated(cycle *Cycle, e *Event) {
	switch {
	case payloadIn[Duplicated](e).Quiet:
	case e.By.Type == ActorUser:
		cycle.OutgoingUser = max(0, cycle.OutgoingUser-1)
	case e.By.Type == ActorAutomation:
		cycle.OutgoingAutomation = max(0, cycle.OutgoingAutomation-1)
	}
}

func applyAssigned(c *Conversation, e *Event) {
	a := payloadIn[Assignment](e)
	if a.Assignee != c.Assignee {
		c.AssignedAt = e.At
	}
	if c.Assignee, c.Team = a.Assignee, a.Team; c.Assignee == "" {
		c.AssignedAt = time.Time{}
	}
	if !c.Status.Active() {
		return
	}
	cycle := &c.Cycle
	if a.Assignee != "" {
		cycle.LastAssignee = a.Assignee
		if cycle.FirstAssignedAt.IsZero() {
			cycle.FirstAssignedAt, cycle.FirstAssignee = e.At, a.Assignee
		}
	}
	if a.Team != "" {
		cycle.LastTeam = a.Team
	}
	if a.Assignee != "" || a.Team != "" {
		cycle.handOver(e)
	}
}

// handOver keeps when automation first let a person go on.
func (c *Cycle) handOver(e *Event) {
	if e.By.Type == ActorAutomation && c.HandedOverAt.IsZero() {
		c.HandedOverAt = e.At
	}
}

func endPending(c *Conversation, at time.Time) {
	if c.Status == StatusPending {
		c.Cycle.PendingMicros += microsBetween(c.StatusSince, at)
	}
	c.PendingUntil, c.OnReceive = time.Time{}, OnReceivePolicy
}

func applyToContact(s *Snapshot, e *Event) {
	c := &s.Contact
	if c.Version == 0 && (c.ID == "" || c.ID == e.Contact) {
		c.Workspace, c.ID, c.CreatedAt = e.Workspace, e.Contact, e.At
	}
	switch {
	case e.Kind == ContactMerged && payloadIn[Merging](e).MergedInto == c.ID:
		merging := payloadIn[Merging](e)
		if c.Version == 0 {
			c.Workspace, c.CreatedAt = e.Workspace, e.At
		}
		if merging.ContactSeq > c.Version {
			c.Version, c.Blocked, c.BlockedBy = merging.ContactSeq, merging.Blocked,
				merging.BlockedBy
		}
		c.UpdatedAt = maxTime(c.UpdatedAt, e.At)
		return
	case e.Kind == ContactUnmerged && payloadIn[Unmerging](e).From == c.ID:
		if p := payloadIn[Unmerging](e); p.ContactSeq > c.Version {
			c.Version, c.Blocked, c.BlockedBy = p.ContactSeq, p.Blocked, p.BlockedBy
		}
		c.UpdatedAt = maxTime(c.UpdatedAt, e.At)
		return
	case e.Contact != c.ID:
		// Of one that was merged into this one.
		if e.Kind == AddressUnlinked && s.Ref.Address == *payloadIn[Address](e) {
			s.AddressOwner = ""
		}
		return
	}
	c.Version, c.UpdatedAt = max(c.Version, e.Seq), maxTime(c.UpdatedAt, e.At)
	switch e.Kind {
	case AddressLinked:
		if s.Ref.Address == *payloadIn[Address](e) {
			s.AddressOwner = c.ID
		}
	case AddressUnlinked:
		if s.Ref.Address == *payloadIn[Address](e) {
			s.AddressOwner = ""
		}
	case ContactErased:
		c.ErasedAt, c.Name, c.Attributes = e.At, "", ""
	case ProfileChanged:
		p := payloadIn[Profile](e)
		c.Name, c.Attributes = p.Name, p.Attributes
	case ContactBlocked:
		c.Blocked, c.BlockedBy = true, ""
	case ContactUnblocked:
		c.Blocked, c.BlockedBy = false, ""
	case ContactUnmerged:
		p := payloadIn[Unmerging](e)
		c.MergedInto, c.Parent = "", ""
		c.Blocked, c.BlockedBy = p.OwnBlocked, p.OwnBlockedBy
	case ContactMerged:
		merging := payloadIn[Merging](e)
		c.MergedInto, c.Parent = merging.MergedInto, merging.MergedInto
		if s.Conversation.Contact == c.ID {
			s.Conversation.Contact = merging.MergedInto
		}
	}
}
