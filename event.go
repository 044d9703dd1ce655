package convo

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// EventKind says what happened. It is a small number in memory and its name in JSON and in
// databases. The zero value stands for a kind that this version does not know.
type EventKind uint8

// The kinds of event. Those from ProfileChanged on are of a contact itself, without a Conversation.
// Quiet messages of a contact who has no conversation yet have none either.
const (
	ConversationOpened EventKind = iota + 1
	ConversationReopened
	ConversationPending
	ConversationResumed
	ConversationClosed
	ConversationAssigned    // also to nobody
	ConversationTransferred // to another contact, by a merge
	ClosingAmended
	MessageReceived
	MessageSent
	NoteAdded
	NoticePosted
	MessageEdited
	MessageRetracted
	MessageIdentified // its external id was told
	MessageDuplicated // the same, and an echo that had the id is none of its own
	ConversationLabeled
	ConversationPrioritized
	ConversationDescribed
	ConversationMoved // to another contact, lane or channel, by a Move
	ConversationRated // a cycle of it, by the contact
	DeadlinePassed    // one of the policy's Deadlines
	// ConversationErased: an erasure or Prune took the texts out of it, which Source says, or,
	// without a Source, who was named in it has been replaced.
	ConversationErased

	ProfileChanged
	AddressLinked
	AddressUnlinked
	ContactBlocked
	ContactUnblocked
	ContactMerged
	ContactUnmerged
	ContactErased // an erasure, which has replaced its id: no event says what that was
)

// payloadType is what an event of a kind has beside what all events have.
type payloadType uint8

const (
	noPayload payloadType = iota
	openingPayload
	pendingPayload
	closingNotesPayload
	assignmentPayload
	messagePayload
	noticePayload
	editedPayload
	retractedPayload
	identifiedPayload
	duplicatedPayload
	addressPayload
	blockingPayload
	mergingPayload
	beforePayload
	labelingPayload
	prioritizingPayload
	descriptionPayload
	profilePayload
	unmergingPayload
	movingPayload
	resumptionPayload
	ratedPayload
	passingPayload
	erasingPayload
)

// eventKinds names the kinds, and says whose log they are in and what payload they have.
var eventKinds = [...]struct {
	name      string
	payload   payloadType
	ofContact bool // always
	ofEither  bool // of a conversation, or of a contact who has none
}{
	0:                       {name: "unknown"},
	ConversationOpened:      {name: "conversation_opened", payload: openingPayload},
	ConversationReopened:    {name: "conversation_reopened", payload: openingPayload},
	ConversationPending:     {name: "conversation_pending", payload: pendingPayload},
	ConversationResumed:     {name: "conversation_resumed", payload: resumptionPayload},
	ConversationClosed:      {name: "conversation_closed", payload: closingNotesPayload},
	ConversationAssigned:    {name: "conversation_assigned", payload: assignmentPayload},
	ConversationTransferred: {name: "conversation_transferred", payload: beforePayload},
	ClosingAmended:          {name: "closing_amended", payload: closingNotesPayload},
	MessageReceived:         {name: "message_received", payload: messagePayload, ofEither: true},
	MessageSent:             {name: "message_sent", payload: messagePayload, ofEither: true},
	NoteAdded:               {name: "note_added", payload: messagePayload},
	NoticePosted:            {name: "notice_posted", payload: noticePayload},
	MessageEdited:           {name: "message_edited", payload: editedPayload, ofEither: true},
	MessageRetracted:        {name: "message_retracted", payload: retractedPayload, ofEither: true},
	MessageIdentified: {name: "message_identified", payload: identifiedPayload,
		ofEither: true},
	MessageDuplicated: {name: "message_duplicated", payload: duplicatedPayload,
		ofEither: true},
	ConversationLabeled: {name: "conversation_labeled", payload: labelingPayload},
	ConversationPrioritized: {name: "conversation_prioritized",
		payload: prioritizingPayload},
	ConversationDescribed: {name: "conversation_described",
		payload: descriptionPayload},
	ConversationMoved:  {name: "conversation_moved", payload: movingPayload},
	ConversationRated:  {name: "conversation_rated", payload: ratedPayload},
	DeadlinePassed:     {name: "deadline_passed", payload: passingPayload},
	ConversationErased: {name: "conversation_erased"},
	ProfileChanged:     {name: "profile_changed", payload: profilePayload, ofContact: true},
	AddressLinked:      {name: "address_linked", payload: addressPayload, ofContact: true},
	AddressUnlinked:    {name: "address_unlinked", payload: addressPayload, ofContact: true},
	ContactBlocked:     {name: "contact_blocked", payload: blockingPayload, ofContact: true},
	ContactUnblocked:   {name: "contact_unblocked", ofContact: true},
	ContactUnmerged:    {name: "contact_unmerged", payload: unmergingPayload, ofContact: true},
	ContactMerged:      {name: "contact_merged", payload: mergingPayload, ofContact: true},
	ContactErased:      {name: "contact_erased", payload: erasingPayload, ofContact: true},
}

var kindsByName = func() map[string]EventKind {
	m := make(map[string]EventKind, len(eventKinds))
	for k := 1; k < len(eventKinds); k++ {
		m[eventKinds[k].name] = EventKind(k)
	}
	return m
}()

// EventKindOf is the kind with a name, or 0 when this version knows none.
func EventKindOf(name string) EventKind { return kindsByName[name] }

// EventKinds lists all kinds, in order.
func EventKinds() []EventKind {
	kinds := make([]EventKind, 0, len(eventKinds)-1)
	for k := 1; k < len(eventKinds); k++ {
		kinds = append(kinds, EventKind(k))
	}
	return kinds
}

// String is the name of the kind, as in JSON.
func (k EventKind) String() string {
	if int(k) >= len(eventKinds) {
		k = 0
	}
	return eventKinds[k].name
}

// payload is the type of payload that events of the kind have.
func (k EventKind) payload() payloadType {
	if int(k) >= len(eventKinds) {
		return noPayload
	}
	return eventKinds[k].payload
}

// OfContact reports whether events of the kind are always in the log of a contact itself.
func (k EventKind) OfContact() bool { return int(k) < len(eventKinds) && eventKinds[k].ofContact }

// belongsToContact reports whether events of the kind may be in the log of a contact itself.
func (k EventKind) belongsToContact() bool {
	return int(k) < len(eventKinds) && (eventKinds[k].ofContact || eventKinds[k].ofEither)
}

// MarshalText implements encoding.TextMarshaler.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. A name that is not known is a
// *ValidationError.
func (k *EventKind) UnmarshalText(text []byte) error {
	if *k = kindsByName[string(text)]; *k == 0 && string(text) != eventKinds[0].name {
		return invalid("kind", fmt.Sprintf("%q is not a kind of event", text))
	}
	return nil
}

// Event is one thing that happened, immutable. Messages are events too: the log is the history.
// What all events have is here; what only some have is in the Payload of their Kind. In JSON both
// are one flat object. Copies of an event share its payload, so nobody may change one.
type Event struct {
	ID uuid.UUID
	// Conversation is nil for what happened to the contact itself.
	Conversation uuid.UUID
	Workspace    string
	// Contact is the root contact that it happened to, at that time.
	Contact string
	// Seq numbers the events of a conversation from 1 without gaps, and is the conversation's
	// Version after it. Of an event of the contact itself it is the contact's Version after it.
	Seq  int64
	Kind EventKind
	// At is in UTC and whole microseconds.
	At time.Time
	By Actor
	// Source is through what a conversation was opened, reopened, resumed, closed or transferred.
	Source  Source
	Payload Payload
}

// Payload is what events of one kind have beside what all events have: *Opening, *Pending,
// *ClosingNotes, *Assignment, *Message, *Edited, *Retracted, *Identified, *Duplicated,
// *Notice, *Address, *Blocking, *Merging, *Unmerging, *Before, *Labeling, *Prioritizing,
// *Description, *Profile, *Moving, *Resumption, *Rated, *Passing or *Erasing.
type Payload interface{ payload() }

func (*Opening) payload()      {}
func (*Pending) payload()      {}
func (*ClosingNotes) payload() {}
func (*Assignment) payload()   {}
func (*Message) payload()      {}
func (*Notice) payload()       {}
func (*Edited) payload()       {}
func (*Retracted) payload()    {}
func (*Identified) payload()   {}
func (*Duplicated) payload()   {}
func (*Address) payload()      {}
func (*Blocking) payload()     {}
func (*Merging) payload()      {}
func (*Unmerging) payload()    {}
func (*Before) payload()       {}
func (*Labeling) payload()     {}
func (*Prioritizing) payload() {}
func (*Description) payload()  {}
func (*Profile) payload()      {}
func (*Moving) payload()       {}
func (*Resumption) payload()   {}
func (*Rated) payload()        {}
func (*Passing) payload()      {}
func (*Erasing) payload()      {}

// MessageAt is when a message was sent: its SentAt, if it has one that is not after At; else At. It
// is what waits and responses count from.
func (e Event) MessageAt() time.Time { return e.messageAt() }

func (e *Event) messageAt() time.Time {
	if m, ok := e.Payload.(*Message); ok && !m.SentAt.IsZero() && m.SentAt.Before(e.At) {
		return m.SentAt
	}
	return e.At
}

// Opening is the payload of an opening or reopening; zero for other events.
func (e Event) Opening() Opening { return payloadOf[Opening](&e) }

// Pending is the payload of an event that set the conversation pending; zero for other events.
func (e Event) Pending() Pending { return payloadOf[Pending](&e) }

// ClosingNotes is the payload of a closing or its amendment; zero for other events.
func (e Event) ClosingNotes() ClosingNotes { return payloadOf[ClosingNotes](&e) }

// Assignment is the payload of an assignment; zero for other events.
func (e Event) Assignment() Assignment { return payloadOf[Assignment](&e) }

// Message is the payload of a message or note; zero for other events.
func (e Event) Message() Message { return payloadOf[Message](&e) }

// Edited is the payload of an edit; zero for other events.
func (e Event) Edited() Edited { return payloadOf[Edited](&e) }

// Retracted is the payload of what was taken back; zero for other events.
func (e Event) Retracted() Retracted { return payloadOf[Retracted](&e) }

// Identified is the payload of a message that was told its id; zero for other events.
func (e Event) Identified() Identified {
	if d, ok := e.Payload.(*Duplicated); ok {
		return d.Identified
	}
	return payloadOf[Identified](&e)
}

// Duplicated is the payload of an echo that was marked; zero for other events.
func (e Event) Duplicated() Duplicated { return payloadOf[Duplicated](&e) }

// Notice is the payload of a notice; zero for other events.
func (e Event) Notice() Notice { return payloadOf[Notice](&e) }

// Address is the payload of an address that was linked or unlinked; zero for other events, and in a
// root's log for an unlinked one of a contact that was merged into it, whose own log has it.
func (e Event) Address() Address { return payloadOf[Address](&e) }

// Labeling is the payload of a change of labels; zero for other events.
func (e Event) Labeling() Labeling { return payloadOf[Labeling](&e) }

// Resumption is the payload of a resuming; zero for other events.
func (e Event) Resumption() Resumption { return payloadOf[Resumption](&e) }

// Rated is the payload of a rating; zero for other events.
func (e Event) Rated() Rated { return payloadOf[Rated](&e) }

// Passing is the payload of a deadline that passed; zero for other events.
func (e Event) Passing() Passing { return payloadOf[Passing](&e) }

// Marks are what e says of deadlines: which one passed, which targets it met or had missed, and
// which stand still or go on. Of most events there are none.
func (e Event) Marks() Marks {
	switch p := e.Payload.(type) {
	case *Passing:
		return MarksOf(p.Mark)
	case *Message:
		return p.Marks
	case *ClosingNotes:
		return p.Marks
	case *Pending:
		return p.Marks
	case *Resumption:
		return p.Marks
	}
	return ""
}

// Prioritizing is the payload of a change of priority; zero for other events.
func (e Event) Prioritizing() Prioritizing { return payloadOf[Prioritizing](&e) }

// Description is the payload of a description; zero for other events.
func (e Event) Description() Description { return payloadOf[Description](&e) }

// Profile is the payload of a change of the profile; zero for other events.
func (e Event) Profile() Profile { return payloadOf[Profile](&e) }

// Moving is the payload of a Move; zero for other events.
func (e Event) Moving() Moving { return payloadOf[Moving](&e) }

// Blocking is the payload of a blocking; zero for other events.
func (e Event) Blocking() Blocking { return payloadOf[Blocking](&e) }

// Before is what the conversation was before a change of its status, assignee, team, lane, channel
// or turn, or when a deadline passed, or before a rating; zero for other events.
func (e Event) Before() Before {
	switch p := e.Payload.(type) {
	case *Opening:
		if p.Before != nil {
			return *p.Before
		}
	case *Message:
		if p.Before != nil {
			return *p.Before
		}
	case *Pending:
		return p.Before
	case *ClosingNotes:
		return p.Before
	case *Assignment:
		return p.Before
	case *Moving:
		return p.Before
	case *Resumption:
		return p.Before
	case *Passing:
		return p.Before
	case *Rated:
		return p.Before
	case *Before:
		return *p
	}
	return Before{}
}

// Merging is the payload of a merge; zero for other events.
func (e Event) Merging() Merging { return payloadOf[Merging](&e) }

// TextsGone reports whether the event says that all texts of its conversation up to it are gone.
func (e Event) TextsGone() bool { return e.Kind == ConversationErased && e.Source != "" }

// Erasing is the payload of an erasure; zero for other events.
func (e Event) Erasing() Erasing { return payloadOf[Erasing](&e) }

// Unmerging is the payload of the undoing of a merge; zero for other events.
func (e Event) Unmerging() Unmerging { return payloadOf[Unmerging](&e) }

// Mentions are the contacts, each once, that e names beside its Contact, by their ids: who did it
// ([ActorContact]), who closed what it reopens or rates, whom a Move takes from, and whom a merge
// or its undoing is about. Of most events it is nil.
func (e Event) Mentions() (all []string) {
	add := func(id string) {
		if id != "" && id != e.Contact && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	by := func(a Actor) {
		if a.Type == ActorContact {
			add(a.ID)
		}
	}
	by(e.By)
	if _, ok := e.Payload.(*Message); ok || e.Payload == nil { // which are most
		return all
	}
	r := e.Row()
	by(r.ClosedBy)
	for _, id := range [...]string{r.MovedFrom, r.MergedInto, r.UnmergedFrom} {
		add(id)
	}
	for _, ids := range [...]Tokens{r.BlockedBy, r.OwnBlockedBy} {
		for _, id := range ids.All() {
			add(id)
		}
	}
	return all
}

func payloadOf[P any](e *Event) P { return *payloadIn[P](e) }

// payloadIn is payloadOf without copying it.
func payloadIn[P any](e *Event) *P {
	if p, ok := any(e.Payload).(*P); ok {
		return p
	}
	return new(P)
}

// Cursor returns e's position in a listing; pass it as EventFilter.After to continue after e.
func (e Event) Cursor() EventCursor {
	return EventCursor{At: e.At, Conversation: e.Conversation, Seq: e.Seq, ID: e.ID}
}
