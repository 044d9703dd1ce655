package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// What is removed for good.

// redact writes the batch that has an event anew, without its texts.
func (w *workspace) redact(p convo.EventPlace) {
	log, owner := []string(nil), p.Contact
	if c := w.conversations[p.Conversation]; c != nil {
		log, owner = c.log, c.origin.id
	} else if k := w.contacts[p.Contact]; k != nil && k.extra != nil {
		log = k.extra.log
	}
	for i := len(log) - 1; i >= 0; i-- {
		if firstSeq(log[i]) > p.Seq {
			continue
		}
		log[i] = w.recode(log[i], p.Conversation, owner, owner, func(r *convo.EventRow) {
			if r.Seq == p.Seq {
				r.ClearTexts()
			}
		})
		return
	}
}

// Mentions implements convo.Store. It looks at all that the workspace has.
func (s *Store) Mentions(
	ctx context.Context, workspace string, contacts ...string,
) (all []uuid.UUID, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if w := s.workspaces[workspace]; w != nil {
		all = w.mentions(contacts)
	}
	return all, nil
}

func (w *workspace) mentions(contacts []string) (all []uuid.UUID) {
	for id, c := range w.conversations {
		c.events(0, func(e *convo.Event) bool {
			found := slices.Contains(contacts, e.Contact) ||
				slices.ContainsFunc(e.Mentions(), func(id string) bool {
					return slices.Contains(contacts, id)
				})
			if found {
				all = append(all, id)
			}
			return !found
		})
	}
	return all
}

// checkErase compares the contacts that are erased, and where they are named, with what is expected
// of them.
func (w *workspace) checkErase(ch *convo.Change) error {
	x := ch.Erase
	for i, id := range x.Was {
		if err := w.checkContact(id, &x.Contacts[i]); err != nil {
			return err
		}
	}
	known := map[uuid.UUID]bool{}
	for r := range conversationRows(ch) {
		known[r.ID] = true
	}
	for _, id := range w.mentions(x.Was) {
		if !known[id] {
			return fmt.Errorf("memstore: conversation %s names an erased contact: %w", id,
				convo.ErrConflict)
		}
	}
	return nil
}

// eraser carries out an erasure in a workspace, before what its change writes itself.
type eraser struct {
	*convo.Erasure
	w         *workspace
	contacts  map[*contact]bool
	rows      map[*conversation]bool // that it goes over
	addresses map[convo.Address]bool // that were theirs
	logs      map[string]bool        // own ones of other contacts that named them
}

func (s *Store) erase(w *workspace, ch *convo.Change) {
	x := eraser{
		ch.Erase, w, map[*contact]bool{}, map[*conversation]bool{}, map[convo.Address]bool{},
		map[string]bool{},
	}
	for i, id := range x.Was {
		k := w.contacts[id]
		delete(w.contacts, id)
		k.id = x.Contacts[i].ID
		w.contacts[k.id] = k
		w.writeContact(&x.Contacts[i].Contact)
		x.contacts[k] = true
		for k.extra != nil && len(k.extra.addresses) > 0 {
			a := k.extra.addresses[0]
			x.addresses[a] = true
			w.unlink(a)
		}
	}
	for r := range conversationRows(ch) {
		c := w.conversations[r.ID]
		x.rows[c] = true
		x.log(c.log, c.id, c.origin.id)
		for i := range w.earlier[c] {
			x.Cycle(c.id, &w.earlier[c][i])
		}
	}
	for _, k := range w.contacts { // some were merged into one of them once
		if k.extra != nil {
			x.log(k.extra.log, uuid.Nil, k.id)
		}
	}
	x.keys()
	for name, receipts := range w.receipts {
		w.receipts[name] = slices.DeleteFunc(receipts, func(r receipt) bool {
			return x.addresses[convo.Address{Channel: name.channel, Value: r.address}]
		})
		if len(w.receipts[name]) == 0 {
			delete(w.receipts, name)
		}
	}
	if s.outbox != nil {
		x.outbox(s.outbox)
	}
}

// log rewrites a log of an owner.
func (x *eraser) log(log []string, conversation uuid.UUID, owner string) {
	for i := range log {
		was := log[i]
		log[i] = x.w.recode(was, conversation, owner, owner, func(r *convo.EventRow) {
			at := convo.Address{Channel: r.Channel, Value: r.Address}
			if x.Row(r); r.Address != at.Value {
				x.addresses[at] = true
			}
		})
		if conversation == uuid.Nil && log[i] != was {
			x.logs[owner] = true
		}
	}
}

// keys leaves hashes of the keys, and no receipts of the messages.
func (x *eraser) keys() {
	w := x.w
	var left []convo.Key
	for name, first := range w.keys {
		var kept *key
		for k := first; k != nil; {
			next := k.next
			at := convo.Address{Channel: name.channel, Value: k.address}
			if x.contacts[k.contact] || x.rows[k.conversation] &&
				(x.Owns(k.conversation.id) || name.channel == "" || x.addresses[at]) {
				left = append(left, x.Key(k.full(name.channel, name.id))...)
				w.receipts[name] = slices.DeleteFunc(w.receipts[name], func(r receipt) bool {
					return r.address == "" || r.address == k.address
				})
			} else {
				k.next, kept = kept, k
			}
			k = next
		}
		if w.keys[name] = kept; kept == nil {
			delete(w.keys, name)
		}
	}
	for i := range left {
		w.addKey(&left[i])
	}
}

// outbox has what is on its way go on under the tokens, and take its texts from the log again.
func (x *eraser) outbox(o *outbox) {
	of := func(s *relay.Stream) bool {
		if s.Workspace != x.w.name {
			return false
		}
		if s.Conversation != uuid.Nil {
			return x.rows[x.w.conversations[s.Conversation]]
		}
		was := s.Contact
		s.Contact = x.Named(was)
		return s.Contact != was || x.logs[was] // also where no event had anything to erase
	}
	for stream, n := range o.notes {
		if to := stream; of(&to) && to != stream {
			delete(o.notes, stream)
			o.notes[to] = n
		}
	}
	if f := o.feeds[x.w.name]; f != nil {
		f.rows = slices.Clone(f.rows) // of which readers have the old ones
		for i := range f.rows {
			of(&f.rows[i].Stream)
		}
	}
	for k, q := range o.queues {
		if to := k; of(&to.Stream) {
			if q.err, q.lease = "", uuid.Nil; to != k {
				delete(o.queues, k)
				o.queues[to] = q
			}
		}
	}
}
