package convo

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// MessageRef names a message: by the id of its event, or by its external id, anywhere under the
// contact. Where several messages have that id, the Address decides, else that of the Ref.
type MessageRef struct {
	Event      uuid.UUID
	Channel    string // default: that of the Ref's address
	Address    string // on Channel, if the message came by one
	ExternalID string
}

func (r *MessageRef) check() error {
	if err := checkKey("external_id", r.ExternalID); err != nil {
		return err
	}
	if err := checkToken("address", r.Address); err != nil {
		return err
	}
	switch {
	case (r.Event != uuid.Nil) == (r.ExternalID != ""):
		return invalid("message", "name the message by its event, or by its external_id")
	case r.ExternalID != "" && r.Channel == "":
		return invalid("channel", "an external_id is unique within a channel: name the channel too")
	}
	return checkToken("channel", r.Channel)
}

// checkIdentity holds the rule for telling a message its external id.
func (r *MessageRef) checkIdentity() error {
	if r.Event == uuid.Nil {
		return invalid("message", "name the message by its event")
	}
	if err := checkID("channel", r.Channel); err != nil {
		return err
	}
	if r.ExternalID == "" {
		return invalid("external_id", "must not be empty")
	}
	if err := checkKey("external_id", r.ExternalID); err != nil {
		return err
	}
	return checkToken("address", r.Address)
}

// on is r on the channel of an address, if it names none.
func (r MessageRef) on(a Address) MessageRef {
	if r.ExternalID != "" && r.Channel == "" {
		r.Channel = a.Channel
	}
	return r
}

// messageOf is the message that a command is about, if it is about one.
func messageOf(cmd Command) (MessageRef, bool) {
	switch c := cmd.(type) {
	case Edit:
		return MessageRef{c.Message, c.Channel, c.Address, c.ExternalID}, true
	case Retract:
		return MessageRef{c.Message, c.Channel, c.Address, c.ExternalID}, true
	case Identify:
		return MessageRef{Event: c.Message}, true
	}
	return MessageRef{}, false
}

// ShownMessage is a message or a note as a transcript shows it.
type ShownMessage struct {
	// Event is the message itself, with its first text.
	Event Event
	// Body and Attachments are those of its last edit; empty once it was taken back.
	Body        string
	Attachments json.RawMessage
	// EditedAt is its last edit, RetractedAt when it was taken back; zero: not yet. Redacted says
	// that its texts are gone for good.
	EditedAt    time.Time
	RetractedAt time.Time
	Redacted    bool
	// ExternalID is that of the message, also one that it was told later.
	ExternalID string
	// Delivery is what became of it: see [Engine.AddDeliveries].
	Delivery Delivery

	channel, address string       // on which its external id is unique
	places           []EventPlace // that hold a text of it
}

// Messages folds events, of a transcript or a history and in its order, into the messages and notes
// that it shows, in the order in which they came: see [SortBySending]. What is about a message that
// is not among the events is left out.
func Messages(events []Event) []ShownMessage {
	var shown []ShownMessage
	at, echoes := map[uuid.UUID]int{}, map[uuid.UUID]bool{}
	of := func(id uuid.UUID) *ShownMessage {
		if i, ok := at[id]; ok {
			return &shown[i]
		}
		return nil
	}
	for i := range events {
		e := &events[i]
		switch p := e.Payload.(type) {
		case *Message:
			at[e.ID] = len(shown)
			shown = append(shown, ShownMessage{
				Event: *e, Body: p.Body, Attachments: p.Attachments, ExternalID: p.ExternalID,
				channel: p.Channel, address: p.Address, places: []EventPlace{e.place()},
			})
		case *Edited:
			if m := of(p.Message); m != nil && m.RetractedAt.IsZero() {
				m.Body, m.Attachments, m.EditedAt = p.Body, p.Attachments, e.At
				m.places = append(m.places, e.place())
			}
		case *Identified:
			of(p.Message).told(p)
		case *Duplicated:
			of(p.Message).told(&p.Identified)
			echoes[p.Duplicate] = true
		case *Retracted:
			if m := of(p.Message); m != nil {
				if m.RetractedAt.IsZero() {
					m.RetractedAt = e.At
				}
				m.Body, m.Attachments = "", nil
				m.Redacted = m.Redacted || p.Redacted
			}
		}
	}
	if len(echoes) > 0 {
		shown = slices.DeleteFunc(shown, func(m ShownMessage) bool { return echoes[m.Event.ID] })
	}
	return shown
}

// SortBySending puts messages into the order in which they were sent, by [Event.MessageAt], instead
// of that in which they came. Those that were sent at the same time keep their order.
func SortBySending(shown []ShownMessage) {
	slices.SortStableFunc(shown, func(a, b ShownMessage) int {
		return a.Event.MessageAt().Compare(b.Event.MessageAt())
	})
}

// told keeps the external id that m was told; m may be nil.
func (m *ShownMessage) told(p *Identified) {
	if m != nil {
		m.ExternalID, m.channel = p.ExternalID, p.Channel
		if p.Address != "" {
			m.address = p.Address
		}
	}
}

func (e *Event) place() EventPlace { return EventPlace{e.Conversation, e.Contact, e.Seq} }

// withOthers gives s all else that a decision about cmds looks at, which is mostly nothing.
func (e *Engine) withOthers(ctx context.Context, s *Snapshot, cmds []Command) (err error) {
	if move, ok := cmds[0].(Move); ok {
		*s, err = e.withTarget(ctx, *s, move)
		return err
	}
	if _, ok := cmds[0].(UnlinkAddress); ok {
		*s, err = e.withLinked(ctx, *s)
		return err
	}
	if ratesEarlier(cmds, &s.Conversation) {
		*s, err = e.withEarlier(ctx, *s)
		return err
	}
	ref, ok := messageOf(cmds[0])
	if !ok {
		return nil
	}
	*s, err = e.withMessage(ctx, *s, ref)
	if tell, ok := cmds[0].(Identify); ok && err == nil && s.Message != nil {
		*s, err = e.withHolder(ctx, *s, tell)
	}
	return err
}

// withLinked is s with the merged contact that its address was linked to, if it was one.
func (e *Engine) withLinked(ctx context.Context, s Snapshot) (Snapshot, error) {
	if s.AddressOwner == "" || s.AddressOwner != s.Contact.ID { // which Decide refuses
		return s, nil
	}
	family, err := e.store.Family(ctx, s.Contact.Workspace, s.Contact.ID)
	if err != nil {
		return s, err
	}
	for _, k := range family {
		linked, err := e.links(ctx, &k, s.Ref.Address)
		if err != nil {
			return s, err
		}
		if linked {
			s.LogOf = k
			break
		}
	}
	return s, nil
}

// links reports whether a is linked to k by what k's own log says.
func (e *Engine) links(ctx context.Context, k *Contact, a Address) (linked bool, err error) {
	of := EventFilter{Workspace: k.Workspace, OwnLog: k.ID, Limit: MaxPageSize}
	for {
		page, err := e.store.Events(ctx, of)
		if err != nil {
			return false, err
		}
		for i := range page {
			if p := &page[i]; p.Address() == a { // it was linked or unlinked
				linked = p.Kind == AddressLinked
			}
		}
		if len(page) < of.Limit {
			return linked, nil
		}
		of.After = page[len(page)-1].Cursor()
	}
}

// withMessage is s with the message that ref names, and the conversation that it is in. Without
// such a message it is s.
func (e *Engine) withMessage(ctx context.Context, s Snapshot, ref MessageRef) (Snapshot, error) {
	ref = ref.on(s.Ref.Address)
	if valid := ref.check() == nil; !valid || s.Contact.Version == 0 { // which Decide refuses
		return s, nil
	}
	m, found, err := e.findMessage(ctx, &s, ref)
	if err != nil || !found {
		return s, err
	}
	if m.Conversation == uuid.Nil {
		if t, err := e.store.Load(ctx, ToContact(m.Workspace, m.Contact)); err != nil ||
			t.Contact.ID != s.Contact.ID { // it is somebody else's
			return s, err
		}
		s.Conversation, s.Active = Conversation{}, uuid.Nil
		if m.Contact != s.Contact.ID { // what is said of it belongs to its log
			family, err := e.store.Family(ctx, m.Workspace, s.Contact.ID)
			if err != nil {
				return s, err
			}
			i := slices.IndexFunc(family, func(k Contact) bool { return k.ID == m.Contact })
			if i < 0 {
				return s, ErrConflict // it was taken out meanwhile
			}
			s.LogOf = family[i]
		}
	} else if m.Conversation != s.Conversation.ID {
		t, err := e.store.Load(ctx, ToConversation(m.Workspace, m.Conversation))
		if err != nil {
			return s, err
		}
		if t.Contact.ID != s.Contact.ID {
			return s, nil // it is somebody else's
		}
		t.Ref, t.AddressOwner = s.Ref, s.AddressOwner
		s = t
	}
	shown, about, err := e.show(ctx, s.Contact.ID, m)
	if err != nil {
		return s, err
	}
	for i := range about {
		if d := about[i].Identified(); d.Duplicate == m.ID { // it is an echo
			return e.withMessage(ctx, s, MessageRef{Event: d.Message})
		}
	}
	s.Message = shown
	return s, nil
}

// show is a message of a root contact as it is now, with the places of its echoes, and the events
// of its log that are about it. It looks at no echo of those that it comes from.
func (e *Engine) show(
	ctx context.Context, root string, m Event, from ...uuid.UUID,
) (shown *ShownMessage, about []Event, err error) {
	after := EventFilter{Workspace: m.Workspace, Limit: MaxPageSize}
	if m.Conversation == uuid.Nil {
		after.Contact, after.After = root, m.Cursor()
	} else {
		after.Conversation, after.After.Seq = m.Conversation, m.Seq
	}
	for {
		page, err := e.store.Events(ctx, after)
		if err != nil {
			return nil, nil, err
		}
		for i := range page {
			p := &page[i]
			told := p.Identified()
			if p.Edited().Message == m.ID || p.Retracted().Message == m.ID ||
				told.Message == m.ID || told.Duplicate == m.ID {
				about = append(about, *p)
			}
		}
		if len(page) < after.Limit {
			break
		}
		after.After = page[len(page)-1].Cursor()
	}
	changes := []Event{m}
	for i := range about {
		if about[i].Identified().Message == uuid.Nil {
			changes = append(changes, about[i])
		}
	}
	shown = &Messages(changes)[0]
	for i := range about {
		d := about[i].Identified()
		if d.Message != m.ID || d.Duplicate == uuid.Nil || slices.Contains(from, d.Duplicate) {
			continue
		}
		echo, found, err := e.store.Event(ctx, m.Workspace, root, d.Duplicate)
		if err != nil {
			return nil, nil, err
		}
		if found {
			other, _, err := e.show(ctx, root, echo, append(from, m.ID)...)
			if err != nil {
				return nil, nil, err
			}
			shown.places = append(shown.places, other.places...)
		}
	}
	return shown, about, nil
}

// findMessage is the event of a message of the root contact of s.
func (e *Engine) findMessage(
	ctx context.Context, s *Snapshot, ref MessageRef,
) (m Event, found bool, err error) {
	root := &s.Contact
	if ref.Event != uuid.Nil {
		m, found, err = e.store.Event(ctx, root.Workspace, root.ID, ref.Event)
		_, isMessage := m.Payload.(*Message)
		return m, found && isMessage, err
	}
	_, events, err := e.underID(ctx, s, ref, s.Ref.Address)
	if err != nil {
		return m, false, err
	}
	for i := range events {
		_, isMessage := events[i].Payload.(*Message)
		told := isMessage && len(events) == 1 // the message was told this id
		if told || isMessage && events[i].Message().ExternalID == ref.ExternalID {
			return events[i], true, nil
		}
	}
	return m, false, nil
}

// underID is the key that ref names by its external id, and the events that were written under it;
// none, when there is no such key.
func (e *Engine) underID(
	ctx context.Context, s *Snapshot, ref MessageRef, spokenTo Address,
) (k Key, events []Event, err error) {
	keys, err := e.store.Keys(ctx, s.Contact.Workspace, KeyID{
		Channel: ref.Channel, Address: ref.Address, Contact: s.Contact.ID, ID: ref.ExternalID,
	})
	if err != nil || len(keys) == 0 {
		return k, nil, err
	}
	if k, err = keyOf(keys, ref, spokenTo); err != nil {
		return k, nil, err
	}
	events, err = e.eventsOf(ctx, s.Contact.Workspace, k)
	return k, events, err
}

// keyOf is the key that ref names, which is for an address: the only one, or else that of the
// message's address, or of the one that is spoken to.
func keyOf(keys []Key, ref MessageRef, spokenTo Address) (Key, error) {
	if len(keys) == 1 {
		return keys[0], nil
	}
	address := ref.Address
	if address == "" && ref.Channel == spokenTo.Channel {
		address = spokenTo.Value
	}
	if address != "" {
		for i := range keys {
			if keys[i].Address == address {
				return keys[i], nil
			}
		}
	}
	return Key{}, invalid("message", "several messages of the contact have this external_id: "+
		"name the message by its event, or by the address that it came by or went to")
}

// withHolder is s with the message that has the external id which tell tells, if one has it.
func (e *Engine) withHolder(ctx context.Context, s Snapshot, tell Identify) (Snapshot, error) {
	ref := MessageRef{Channel: tell.Channel, Address: tell.Address, ExternalID: tell.ExternalID}
	ref = ref.on(s.Ref.Address)
	if valid := ref.check() == nil; !valid {
		return s, nil
	}
	k, events, err := e.underID(ctx, &s, ref, Address{s.Message.channel, s.Message.address})
	if err != nil {
		return s, err
	}
	for i := range events {
		m, isMessage := events[i].Payload.(*Message)
		switch {
		case isMessage && m.ExternalID == ref.ExternalID, events[i].ID == s.Message.Event.ID:
			s.HeldBy = &k
			if s.Holder, _, err = e.show(ctx, s.Contact.ID, events[i]); err != nil {
				return s, err
			}
		case isMessage && len(events) == 1: // it was told the id, so it is no echo
			return s, invalid("external_id", "another message was told it: check the id")
		}
	}
	if s.Holder == nil || k.Conversation != uuid.Nil && k.Conversation == s.Conversation.ID {
		return s, nil
	}
	of := ToConversation(s.Contact.Workspace, k.Conversation)
	if k.Conversation == uuid.Nil {
		of = ToContact(s.Contact.Workspace, k.Contact)
	}
	t, err := e.store.Load(ctx, of)
	if err == nil && t.Contact.ID != s.Contact.ID {
		err = invalid("external_id", "another contact's message has it")
	}
	if k.Conversation != uuid.Nil {
		s.HolderConversation = &t.Conversation
	}
	return s, err
}
