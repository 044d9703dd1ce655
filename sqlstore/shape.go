package sqlstore

import (
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// shape is what a change writes, as far as a statement that writes all of it at once depends on it. The changes that most calls
// make have one: of one conversation, and perhaps of its contact.
type shape struct {
	message         bool // one message or note, with one key at most, and nothing else
	contact         bool
	newContact      bool
	newConversation bool
	closed          bool // and its cycle is to be kept
	events          int
	ofContact       int // events of the contact itself
	linked          int // addresses
	keys            int
	inside          bool // in a transaction that goes on, where the engine's statement needs to know
}

// maxEvents bounds the events of a shape, so that there are not too many statements.
const maxEvents = 8

func shapeOf(ch *convo.Change) (sh shape, ok bool) {
	c := &ch.Conversation
	if c.Action == convo.RowKept || len(ch.Earlier) > 0 || len(ch.Cycles) > 0 || ch.MergeInto != "" ||
		len(ch.Events) > maxEvents || len(ch.Keys) > maxEvents {
		return sh, false
	}
	sh = shape{
		contact:         ch.Contact.Action != convo.RowKept,
		newContact:      ch.Contact.Action == convo.RowAdded,
		newConversation: c.Action == convo.RowAdded,
		closed:          c.CycleClosed,
		linked:          len(ch.Addresses),
		keys:            len(ch.Keys),
	}
	for i := range ch.Events {
		switch ch.Events[i].Conversation {
		case c.ID:
			sh.events++
		case uuid.Nil:
			sh.ofContact++
		default:
			return sh, false
		}
	}
	if sh.newConversation && !sh.contact || sh.newContact && !sh.newConversation || sh.ofContact > 0 && !sh.contact {
		return sh, false // not from a decision
	}
	if !sh.contact && len(ch.Events) == 1 && len(ch.Keys) <= 1 && c.OnlyMessages {
		return shape{message: true, events: 1, keys: sh.keys}, true
	}
	return sh, true
}

// composed returns the statement for a shape, put together once.
func (s *Store) composed(sh shape, compose func(shape) string) string {
	c := s.stmts
	c.mu.RLock()
	text, ok := c.shapes[sh]
	c.mu.RUnlock()
	if ok {
		return text
	}
	text = compose(sh)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shapes == nil {
		c.shapes = map[shape]string{}
	}
	c.shapes[sh] = text
	return text
}
