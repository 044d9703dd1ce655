package convo

import (
	"bytes"
	"slices"

	"github.com/google/uuid"
)

// What a decision writes of messages, and of what becomes of them later.

func (w *decider) message(s *Snapshot, o *fields, kind EventKind, response bool, p *Policy) {
	turns := !o.quiet && s.Conversation.turns(kind, response)
	if turns && w.events == nil {
		w.makeRoomForTurn()
	}
	e := w.addToLog(s, o, kind)
	m := take(&w.room.message)
	m.ExternalID, m.Body, m.Response, m.Quiet = o.externalID, o.text, response, o.quiet
	if len(o.attachments) > 0 {
		m.Attachments = bytes.Clone(o.attachments)
	}
	if kind != NoteAdded { // which goes nowhere
		m.SentAt = o.sentAt
		m.Channel, m.Address = o.route(s)
	}
	e.Payload = m
	// Who opens a conversation by writing ends no stretch of time.
	c := &s.Conversation
	if turns && (c.turn() != TurnNobody || !c.Cycle.TurnSince.Equal(e.At)) {
		m.Before = take(&w.room.before)
		c.before(kind, m.Before)
	}
	if response && len(p.Deadlines) > 0 {
		m.Marks = MarksOf(s.Conversation.answered(e.At, p)...)
	}
	w.apply(s, e)
}

// route is the channel and the address that a message comes or goes by: what is given, else the
// Ref's, else those by which the contact wrote last.
func (o *fields) route(s *Snapshot) (channel, address string) {
	channel, address = o.channel, o.address
	for _, a := range [...]*Address{&s.Ref.Address, &s.Conversation.Address} {
		if channel == "" {
			channel = a.Channel
		}
		if address == "" && channel == a.Channel {
			address = a.Value
		}
	}
	return channel, address
}

// checkAlone refuses a call that does more than what is about one message, or than an unlinking or
// a Move.
func checkAlone(cmds []Command) error {
	if len(cmds) < 2 {
		return nil
	}
	for _, cmd := range cmds {
		_, unlinks := cmd.(UnlinkAddress)
		_, moves := cmd.(Move)
		if _, ok := messageOf(cmd); ok || unlinks || moves {
			return invalid("commands",
				"edit, retract, identify, unlink_address and move stand alone in a call")
		}
	}
	return nil
}

func (w *decider) edit(s *Snapshot, o *fields) {
	e := w.addToLog(s, o, MessageEdited)
	e.Payload = &Edited{s.Message.Event.ID, o.text, bytes.Clone(o.attachments)}
	w.apply(s, e)
}

func (w *decider) retract(s *Snapshot, o *fields) {
	e := w.addToLog(s, o, MessageRetracted)
	e.Payload = &Retracted{s.Message.Event.ID, o.redact}
	w.apply(s, e)
	if o.redact {
		w.redact = slices.Clone(s.Message.places)
	}
}

// identify gives a message an external id. One that an echo holds is taken from it, and the echo is
// marked.
func (w *decider) identify(s *Snapshot, o *fields) {
	m, echo := s.Message.Event, s.Holder
	ref := o.message
	told := Identified{
		Message: m.ID, Channel: ref.Channel, Address: ref.Address, ExternalID: ref.ExternalID,
	}
	if echo != nil {
		told.Duplicate = echo.Event.ID
	}
	if echo == nil {
		e := w.addToLog(s, o, MessageIdentified)
		e.Payload = &told
		w.apply(s, e)
		k := Key{
			KeyID: KeyID{
				Channel: ref.Channel, Address: ref.Address,
				Contact: w.ownerOf(s, m.Conversation), ID: ref.ExternalID,
			},
			Conversation: m.Conversation, FirstSeq: m.Seq, LastSeq: m.Seq,
		}
		if m.Conversation == uuid.Nil { // it leads to the log that has the message
			k.Contact = m.Contact
		}
		w.keys = append(w.keys, k)
		return
	}
	k := *s.HeldBy
	k.Conversation, k.FirstSeq, k.LastSeq = m.Conversation, m.Seq, m.Seq
	if m.Conversation != uuid.Nil || k.Contact == m.Contact { // else it cannot lead there
		w.repointed = append(w.repointed, k)
	}
	mark := func() {
		e := w.addToLog(s, o, MessageDuplicated)
		e.By = echo.Event.By // whose message it takes off the counts
		e.Payload = &Duplicated{told, echo.Event.Message().Quiet}
		w.apply(s, e)
	}
	tell := func() {
		e := w.addToLog(s, o, MessageIdentified)
		e.Payload = &told
		w.apply(s, e)
	}
	switch elsewhere := s.HolderConversation; {
	case elsewhere == nil || elsewhere.ID == s.Conversation.ID:
		mark()
		w.changeAsEcho(s, o)
	case s.Conversation.Status.Active(): // the active one comes last
		own := s.Conversation
		loaded := w.loaded
		w.turnTo(s, *elsewhere)
		mark()
		w.leaveConversation(s)
		s.Conversation, w.loaded = own, loaded
		tell()
		w.changeAsEcho(s, o)
	default:
		tell()
		w.changeAsEcho(s, o)
		w.leaveConversation(s)
		w.turnTo(s, *elsewhere)
		mark()
	}
}

// checkEcho refuses what cannot be told the external id of another message, or of any: an echo is a
// message in the same direction.
func (m *ShownMessage) checkEcho(holder *ShownMessage) error {
	switch {
	case m.Event.Kind == NoteAdded:
		return invalid("message", "a note has no external_id")
	case holder != nil && holder.Event.Kind != m.Event.Kind:
		return invalid("external_id", "a message in the other direction has it: check the id")
	}
	return nil
}

// changeAsEcho does to a message what was done to its echo before they were known to be one, and
// removes the echo's texts if the message's were removed.
func (w *decider) changeAsEcho(s *Snapshot, o *fields) {
	m, echo := s.Message, s.Holder
	id := m.Event.ID
	switch {
	case m.Redacted:
		w.redact = slices.Clone(echo.places)
	case echo.Redacted:
		w.redact = slices.Clone(m.places)
		fallthrough
	case !echo.RetractedAt.IsZero() && m.RetractedAt.IsZero():
		e := w.addToLog(s, o, MessageRetracted)
		e.Payload = &Retracted{id, echo.Redacted}
		w.apply(s, e)
	case m.RetractedAt.IsZero() && echo.EditedAt.After(m.EditedAt):
		e := w.addToLog(s, o, MessageEdited)
		e.Payload = &Edited{id, echo.Body, bytes.Clone(echo.Attachments)}
		w.apply(s, e)
	}
}

// turnTo goes on in another conversation, as it was loaded.
func (w *decider) turnTo(s *Snapshot, c Conversation) {
	contact := w.loaded.contact
	s.Conversation = c
	w.loaded = versionsOf(s)
	w.loaded.contact = contact
	w.otherThanMessages, w.cycleClosed = false, false
}
