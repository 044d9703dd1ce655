package convo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// EventKind says what happened.
type EventKind string

// The kinds of event. Those of a contact itself have no Conversation.
const (
	ConversationOpened      EventKind = "conversation_opened"
	ConversationReopened    EventKind = "conversation_reopened"
	ConversationPending     EventKind = "conversation_pending"
	ConversationResumed     EventKind = "conversation_resumed"
	ConversationClosed      EventKind = "conversation_closed"
	ConversationAssigned    EventKind = "conversation_assigned" // also to nobody
	ConversationTransferred EventKind = "conversation_transferred"
	ClosingAmended          EventKind = "closing_amended"
	MessageReceived         EventKind = "message_received"
	MessageSent             EventKind = "message_sent"
	NoteAdded               EventKind = "note_added"
	NoticePosted            EventKind = "notice_posted"

	AddressLinked    EventKind = "address_linked"
	ContactBlocked   EventKind = "contact_blocked"
	ContactUnblocked EventKind = "contact_unblocked"
	ContactMerged    EventKind = "contact_merged"
)

// ofContact reports whether events of this kind are in the contact's own log, not in a conversation's.
func (k EventKind) ofContact() bool {
	switch k {
	case AddressLinked, ContactBlocked, ContactUnblocked, ContactMerged:
		return true
	}
	return false
}

// Event is one thing that happened, immutable. Messages are events too: the log is the history. Fields that do not
// belong to its kind are zero.
type Event struct {
	ID        uuid.UUID `json:"id"`
	Workspace string    `json:"workspace"`
	// Contact is whom it happened to, by the root id at that time.
	Contact string `json:"contact"`
	// Conversation is nil for what happened to the contact itself.
	Conversation uuid.UUID `json:"conversation,omitzero"`
	// Seq numbers the events of a conversation from 1 without gaps, and is the conversation's Version after it. Of an
	// event of the contact itself it is the contact's Version after it.
	Seq int64 `json:"seq"`
	// ContactSeq is the contact's Version after an opening or reopening, and the primary's after a merge.
	ContactSeq int64     `json:"contact_seq,omitempty"`
	Kind       EventKind `json:"kind"`
	At         time.Time `json:"at"`
	By         Actor     `json:"by"`
	// Source is through what a conversation was opened, reopened, resumed or closed.
	Source Source `json:"source,omitempty"`

	// Channel and ExternalID are those of a message; Channel also that of an opening or of an address.
	Channel     string          `json:"channel,omitempty"`
	ExternalID  string          `json:"external_id,omitempty"`
	Body        string          `json:"body,omitempty"` // of a message, note or notice; the reason of a blocking
	Attachments json.RawMessage `json:"attachments,omitempty"`

	Category string    `json:"category,omitempty"` // of a closing
	Summary  string    `json:"summary,omitempty"`  // of a closing
	Until    time.Time `json:"until,omitzero"`     // when a pending conversation wakes
	Assignee string    `json:"assignee,omitempty"`
	Team     string    `json:"team,omitempty"`
	// Response says that a sent message counts for the response times: by a user, or by policy by automation.
	Response bool `json:"response,omitempty"`
	// RestartFlow tells the host to run its conversation flow again from the beginning.
	RestartFlow bool `json:"restart_flow,omitempty"`

	Notice   NoticeCode `json:"notice,omitempty"`
	Audience Audience   `json:"audience,omitempty"`

	Address            string    `json:"address,omitempty"`            // the value on Channel that was linked
	MergedInto         string    `json:"merged_into,omitempty"`        // the primary of a merge
	LatestConversation uuid.UUID `json:"latest_conversation,omitzero"` // the primary's latest conversation after a merge
}

// Cursor is the place of e in a listing: give it as EventFilter.After to go on behind e.
func (e Event) Cursor() EventCursor {
	return EventCursor{At: e.At, Conversation: e.Conversation, Seq: e.Seq, ID: e.ID}
}

// Apply folds an event into a thread. It is total: an event that does not belong to the thread's contact or
// conversation changes nothing, and no event makes a duration negative. Folding the events of a conversation in
// order into an empty Snapshot gives the conversation, but for its DueAt.
func Apply(t Snapshot, e Event) Snapshot {
	apply(&t, &e)
	return t
}

func apply(t *Snapshot, e *Event) {
	if e.Kind.ofContact() {
		applyToContact(t, e)
		return
	}
	if e.Conversation == uuid.Nil || elsewhere(t, e) {
		return
	}
	c := &t.Conversation
	if e.Kind == ConversationOpened && (t.Contact.ID == "" || t.Contact.ID == e.Contact) {
		*c = Conversation{
			ID: e.Conversation, Workspace: e.Workspace, Contact: e.Contact, Origin: e.Contact, Channel: e.Channel,
			Status: StatusOpen, CreatedAt: e.At,
		}
		startCycle(t, e, 1)
	}
	if c.ID != e.Conversation {
		return
	}
	c.Version = e.Seq
	c.UpdatedAt = maxTime(c.UpdatedAt, e.At)
	cycle := &c.Cycle
	switch e.Kind {
	case MessageReceived:
		cycle.Incoming++
		if cycle.WaitingSince.IsZero() {
			cycle.WaitingSince = e.At
		}
		c.AwaitingContactSince = time.Time{}
	case MessageSent:
		applySent(c, e)
	case ConversationAssigned:
		applyAssigned(c, e)
	case ConversationPending:
		if c.Status == StatusOpen {
			c.Status, c.PendingSince = StatusPending, e.At
		}
		c.PendingUntil = e.Until
	case ConversationResumed:
		endPending(c, e.At)
		c.Status = StatusOpen
		if !c.AwaitingContactSince.IsZero() {
			c.AwaitingContactSince = e.At
		}
	case ConversationClosed:
		endPending(c, e.At)
		c.Status, c.AwaitingContactSince, c.DueAt = StatusClosed, time.Time{}, time.Time{}
		if c.FirstClosedAt.IsZero() {
			c.FirstClosedAt = e.At
		}
		cycle.Closing = Closing{At: e.At, By: e.By, Source: e.Source, Category: e.Category, Summary: e.Summary}
	case ClosingAmended:
		cycle.Closing.Category, cycle.Closing.Summary = e.Category, e.Summary
	case ConversationReopened:
		c.Status = StatusOpen
		startCycle(t, e, cycle.Number+1)
	case ConversationTransferred:
		c.Contact = e.Contact
	}
}

func elsewhere(t *Snapshot, e *Event) bool {
	return t.Contact.Workspace != "" && t.Contact.Workspace != e.Workspace
}

// startCycle begins a cycle and makes its conversation the contact's latest.
func startCycle(t *Snapshot, e *Event, number int) {
	c := &t.Conversation
	c.Cycle = Cycle{
		Number: number, OpenedAt: e.At, OpenedBy: e.By, OpenedSource: e.Source,
		LastAssignee: c.Assignee, LastTeam: c.Team,
	}
	k := &t.Contact
	if k.Version == 0 && (k.ID == "" || k.ID == e.Contact) {
		k.Workspace, k.ID, k.CreatedAt = e.Workspace, e.Contact, e.At
	}
	if k.ID == e.Contact && e.ContactSeq > k.Version {
		k.Version, k.LatestConversation = e.ContactSeq, e.Conversation
	}
}

func applySent(c *Conversation, e *Event) {
	cycle := &c.Cycle
	switch e.By.Type {
	case ActorUser:
		cycle.OutgoingUser++
		c.AwaitingContactSince = e.At
	case ActorAutomation:
		cycle.OutgoingAutomation++
	}
	if !e.Response {
		return
	}
	if cycle.FirstResponseAt.IsZero() {
		cycle.FirstResponseAt, cycle.FirstResponder = e.At, e.By
	}
	if !cycle.WaitingSince.IsZero() {
		cycle.Responses++
		cycle.ResponseMicros += microsBetween(cycle.WaitingSince, e.At)
		cycle.WaitingSince = time.Time{}
	}
}

func applyAssigned(c *Conversation, e *Event) {
	c.Assignee, c.Team = e.Assignee, e.Team
	if !c.Status.Active() {
		return
	}
	cycle := &c.Cycle
	if e.Assignee != "" {
		cycle.LastAssignee = e.Assignee
		if cycle.FirstAssignedAt.IsZero() {
			cycle.FirstAssignedAt, cycle.FirstAssignee = e.At, e.Assignee
		}
	}
	if e.Team != "" {
		cycle.LastTeam = e.Team
	}
}

func endPending(c *Conversation, at time.Time) {
	if c.Status == StatusPending {
		c.Cycle.PendingMicros += microsBetween(c.PendingSince, at)
	}
	c.PendingSince, c.PendingUntil = time.Time{}, time.Time{}
}

func applyToContact(t *Snapshot, e *Event) {
	k := &t.Contact
	if elsewhere(t, e) {
		return
	}
	if k.Version == 0 && (k.ID == "" || k.ID == e.Contact) {
		k.Workspace, k.ID, k.CreatedAt = e.Workspace, e.Contact, e.At
	}
	switch {
	case e.Kind == ContactMerged && e.MergedInto == k.ID:
		if e.ContactSeq > k.Version {
			k.Version, k.LatestConversation = e.ContactSeq, e.LatestConversation
		}
		k.UpdatedAt = maxTime(k.UpdatedAt, e.At)
		return
	case e.Contact != k.ID:
		return
	}
	k.Version, k.UpdatedAt = max(k.Version, e.Seq), maxTime(k.UpdatedAt, e.At)
	switch e.Kind {
	case AddressLinked:
		if (t.Ref.Address == Address{Channel: e.Channel, Value: e.Address}) {
			t.AddressOwner = k.ID
		}
	case ContactBlocked:
		k.Blocked = true
	case ContactUnblocked:
		k.Blocked = false
	case ContactMerged:
		k.MergedInto = e.MergedInto
		if t.Conversation.Contact == k.ID {
			t.Conversation.Contact = e.MergedInto
		}
	}
}
