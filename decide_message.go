package convo

import (
	"bytes"
	"slices"
)

// What a decision writes of messages, and of what becomes of them later.

func (w *decider) message(s *Snapshot, o *fields, kind EventKind, response bool) {
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

// checkAlone refuses a call that does more than to edit or retract a message.
func checkAlone(cmds []Command) error {
	if len(cmds) < 2 {
		return nil
	}
	for _, cmd := range cmds {
		if _, ok := messageOf(cmd); ok {
			return invalid("commands", "edit and retract stand alone in a call")
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
