package convo

import (
	"context"

	"github.com/google/uuid"
)

// MoveTarget is where a Move goes, as the engine looks it up.
type MoveTarget struct {
	// Contact is the root contact; Version 0: nobody is known under the id yet.
	Contact Contact
	// Active is the contact's active conversation in the lane, or nil.
	Active uuid.UUID
}

// destination is where a Move says that a conversation goes.
type destination struct {
	contact string // empty: it stays
	lane    *string
	channel *string
}

func (d *destination) check() error {
	if err := checkToken("contact", d.contact); err != nil {
		return err
	}
	if d.lane != nil {
		if err := checkToken("lane", *d.lane); err != nil {
			return err
		}
	}
	if d.channel != nil {
		return checkToken("channel", *d.channel)
	}
	return nil
}

// of is the lane and the channel of c after the move.
func (d *destination) of(c *Conversation) (lane, channel string) {
	lane, channel = c.Lane, c.Channel
	if d.lane != nil {
		lane = *d.lane
	}
	if d.channel != nil {
		channel = *d.channel
	}
	return lane, channel
}

// withTarget is s with where a Move goes.
func (e *Engine) withTarget(ctx context.Context, s Snapshot, cmd Move) (Snapshot, error) {
	var o fields
	_ = o.read(cmd) // which is a Move
	if valid := o.to.check() == nil; !valid || s.Conversation.ID == uuid.Nil {
		return s, nil // Decide refuses it
	}
	to := ToContact(s.Contact.Workspace, s.Contact.ID)
	if cmd.Contact != "" {
		to.Contact = cmd.Contact
	}
	to.Lane, _ = o.to.of(&s.Conversation)
	t, err := e.store.Load(ctx, to)
	if err != nil {
		return s, err
	}
	s.Target = MoveTarget{Contact: t.Contact}
	if t.Conversation.Status.Active() && t.Conversation.ID != s.Conversation.ID {
		s.Target.Active = t.Conversation.ID
	}
	return s, nil
}

// moves reports whether o changes anything.
func (o *fields) moves(s *Snapshot) bool {
	lane, channel := o.to.of(&s.Conversation)
	return s.Target.Contact.ID != s.Contact.ID ||
		lane != s.Conversation.Lane || channel != s.Conversation.Channel
}

// move writes the event of a Move, which gives both contacts a version. The target is the contact
// of the change after it; the other one is kept beside it.
func (w *decider) move(s *Snapshot, o *fields) {
	target, from := s.Target.Contact, s.Contact.ID
	if target.ID == from { // which this call may have linked an address to
		target = s.Contact
	}
	e := w.add(s, o, ConversationMoved)
	p := &Moving{ContactSeq: target.Version + 1}
	s.Conversation.before(ConversationMoved, &p.Before)
	p.Lane, p.Channel = o.to.of(&s.Conversation)
	if e.Contact = target.ID; from != target.ID {
		p.From, p.FromSeq = from, s.Contact.Version+1
	}
	e.Payload = p
	w.moved = true
	w.apply(s, e)
	if from == target.ID {
		return
	}
	w.other = &ContactRow{s.Contact, RowUpdated, w.loaded.contact}
	t := Snapshot{Contact: target}
	apply(&t, e)
	t.Contact.seen(&s.Contact)
	s.Contact, w.loaded.contact, w.loaded.seen = t.Contact, target.Version, target.SeenAt
}

// applyMoving is what a Move, in whatever lane, does to the contacts that it is between.
func applyMoving(s *Snapshot, e *Event) {
	c, p := &s.Contact, payloadIn[Moving](e)
	switch {
	case p.From != "" && c.ID == p.From:
		c.Version = max(c.Version, p.FromSeq)
	case c.ID == e.Contact || c.ID == "":
		if c.Version == 0 {
			c.Workspace, c.ID, c.CreatedAt = e.Workspace, e.Contact, e.At
		}
		c.Version = max(c.Version, p.ContactSeq)
		s.HasConversation = true
	}
}
