package convo

import "github.com/google/uuid"

// How a decision writes events, and where their memory comes from.

// add appends the next event of the conversation, for the caller to fill in and apply.
func (w *decider) add(s *Snapshot, o *fields, kind EventKind) *Event {
	e := w.event(s, o, kind)
	e.Conversation, e.Seq = s.Conversation.ID, s.Conversation.Version+1
	return e
}

// addToLog is add, or addContact where the snapshot has no conversation.
func (w *decider) addToLog(s *Snapshot, o *fields, kind EventKind) *Event {
	switch {
	case s.Conversation.ID != uuid.Nil:
		return w.add(s, o, kind)
	case s.LogOf.ID == "":
		return w.addContact(s, o, kind)
	}
	return w.addOther(s, o, kind)
}

// addOther appends the next event of the merged contact s.LogOf itself.
func (w *decider) addOther(s *Snapshot, o *fields, kind EventKind) *Event {
	e := w.event(s, o, kind)
	k := &s.LogOf
	if w.other == nil {
		w.other = &ContactRow{Action: RowUpdated, Expected: k.Version}
	}
	e.Contact, e.Seq, e.At = k.ID, k.Version+1, maxTime(o.at, k.UpdatedAt)
	k.Version, k.UpdatedAt = e.Seq, e.At
	w.other.Contact = *k
	return e
}

// addOpening appends the event that begins a cycle.
func (w *decider) addOpening(s *Snapshot, o *fields, kind EventKind) (*Event, *Opening) {
	e := w.add(s, o, kind)
	p := take(&w.room.opening)
	p.ContactSeq = s.Contact.Version + 1
	e.Source, e.Payload = o.source, p
	return e, p
}

// addContact appends the next event of the contact itself.
func (w *decider) addContact(s *Snapshot, o *fields, kind EventKind) *Event {
	e := w.event(s, o, kind)
	e.Seq, e.At = s.Contact.Version+1, maxTime(o.at, s.Contact.UpdatedAt)
	return e
}

func (w *decider) event(s *Snapshot, o *fields, kind EventKind) *Event {
	if w.events == nil {
		w.makeRoom(o, kind)
	}
	w.events = append(w.events, Event{})
	e := &w.events[len(w.events)-1]
	e.ID, e.Workspace, e.Contact = s.nextID(), s.Contact.Workspace, s.Contact.ID
	// A log never goes back in time: an event beside the others is of another conversation's log.
	e.Kind, e.At, e.By = kind, maxTime(o.at, s.Conversation.UpdatedAt), o.by
	return e
}

// room is memory for the first payload of each type.
type room struct {
	message    *Message
	before     *Before
	opening    *Opening
	notes      *ClosingNotes
	pending    *Pending
	assignment *Assignment
	resumption *Resumption
}

// decided is memory for a decision that takes the place of the one before.
type decided struct {
	events     [4]Event
	message    Message
	before     Before
	opening    Opening
	notes      ClosingNotes
	pending    Pending
	assignment Assignment
	resumption Resumption
}

// reuse has the events and payloads of w written into m.
func (w *decider) reuse(m *decided) {
	w.events = m.events[:0]
	w.room = room{
		&m.message, &m.before, &m.opening, &m.notes, &m.pending, &m.assignment, &m.resumption,
	}
}

// makeRoom takes memory for the events of a call whose first one is of a kind, and for their
// payloads, in one piece: most of what deciding costs is asking for memory.
func (w *decider) makeRoom(o *fields, kind EventKind) {
	r := &w.room
	switch {
	case o.kind == kindReceive && kind != MessageReceived:
		b := new(struct { // an opening or reopening, and the message
			events  [2]Event
			message Message
			opening Opening
		})
		w.events, r.message, r.opening = b.events[:0], &b.message, &b.opening
	case kind == ConversationReopened:
		b := new(struct {
			event   [1]Event
			opening Opening
			before  Before
		})
		w.events, r.opening, r.before = b.event[:0], &b.opening, &b.before
	case kind.payload() == messagePayload:
		w.events, r.message = roomFor[Message]()
	case kind.payload() == openingPayload:
		w.events, r.opening = roomFor[Opening]()
	case kind.payload() == closingNotesPayload:
		w.events, r.notes = roomFor[ClosingNotes]()
	case kind.payload() == pendingPayload:
		w.events, r.pending = roomFor[Pending]()
	case kind.payload() == assignmentPayload:
		w.events, r.assignment = roomFor[Assignment]()
	case kind.payload() == resumptionPayload:
		w.events, r.resumption = roomFor[Resumption]()
	default:
		w.events = make([]Event, 0, 1)
	}
}

// makeRoomForTurn is makeRoom for a message that changes the turn.
func (w *decider) makeRoomForTurn() {
	b := new(struct {
		event   [1]Event
		message Message
		before  Before
	})
	w.events, w.room.message, w.room.before = b.event[:0], &b.message, &b.before
}

// roomFor is memory for one event and its payload.
func roomFor[P any]() ([]Event, *P) {
	b := new(struct {
		event   [1]Event
		payload P
	})
	return b.event[:0], &b.payload
}

// take is the memory that was made room for, once, or else new memory.
func take[P any](room **P) *P {
	p := *room
	if *room = nil; p == nil {
		return new(P)
	}
	*p = *new(P) // which may be that of the decision before
	return p
}
