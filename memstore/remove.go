package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// What goes by its age.

// RemoveConversation implements convo.Store. What reports count stays.
func (s *Store) RemoveConversation(
	ctx context.Context, workspace string, id uuid.UUID, version int64,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workspaces[workspace]
	c, err := w.conversation(id)
	of := relay.Stream{Workspace: workspace, Conversation: id}
	if err != nil || c.version != version || statuses[c.status].Active() ||
		s.outbox != nil && s.outbox.has(of) {
		return fmt.Errorf("memstore: conversation %s: %w", id, convo.ErrConflict)
	}
	w.remove(c)
	return nil
}

// has reports whether something of a stream is on its way, or a dead letter.
func (o *outbox) has(of relay.Stream) bool {
	if o.notes[of] != nil {
		return true
	}
	for k := range o.queues {
		if k.Stream == of {
			return true
		}
	}
	return false
}

func (w *workspace) remove(c *conversation) {
	c.events(0, func(e *convo.Event) bool {
		if r := e.Row(); r.ExternalID != "" {
			w.removeKeys(keyName{r.Channel, r.ExternalID}, c, r.Address)
		}
		return true
	})
	c.origin.take(c)
	if x := c.origin.extra; x != nil {
		x.opened.remove(c)
	}
	w.all.sort()
	i := w.all.search(c.place())
	w.all.items = slices.Delete(w.all.items, i, i+1)
	if c.listed {
		w.active.items = slices.DeleteFunc(w.active.items,
			func(other *conversation) bool { return other == c })
	}
	delete(w.conversations, c.id)
	c.toSkeleton(w)
	w.removed = append(w.removed, c)
}

// removeKeys removes the keys of a message that lead to its conversation, and its receipts.
func (w *workspace) removeKeys(name keyName, c *conversation, address string) {
	w.dropKeys(name, func(k *key) bool { return k.conversation == c })
	w.receipts[name] = slices.DeleteFunc(w.receipts[name], func(r receipt) bool {
		return r.address == "" || r.address == address
	})
	if len(w.receipts[name]) == 0 {
		delete(w.receipts, name)
	}
}

// dropKeys removes those keys of a name that gone says, and returns how many.
func (w *workspace) dropKeys(name keyName, gone func(*key) bool) (n int) {
	var kept *key
	for k := w.keys[name]; k != nil; {
		next := k.next
		if gone(k) {
			n++
			if (convo.KeyID{ID: name.id}).IsErased() {
				w.erasedKeys--
			}
		} else {
			k.next, kept = kept, k
		}
		k = next
	}
	if w.keys[name] = kept; kept == nil {
		delete(w.keys, name)
	}
	return n
}

// toSkeleton leaves of a conversation what reports count: nobody's facts.
func (c *conversation) toSkeleton(w *workspace) {
	for i, batch := range c.log {
		c.log[i] = w.recode(batch, c.id, c.origin.id, "", func(r *convo.EventRow) {
			r.ClearTexts()
			r.Contact, r.MovedFrom, r.Address, r.ExternalID = "", "", "", ""
			for _, a := range [...]*convo.Actor{&r.By, &r.ClosedBy} {
				if a.Type == convo.ActorContact {
					a.ID = ""
				}
			}
		})
	}
	nobody := &contact{of: w}
	nobody.root = nobody
	c.origin, c.state = nobody, nil
	delete(w.earlier, c)
}

// ForgetKeys implements convo.Store. It looks at all that there is.
func (s *Store) ForgetKeys(
	ctx context.Context, before time.Time, after convo.KeyPlace, limit int,
) (next convo.KeyPlace, removed int, err error) {
	if err := ctx.Err(); err != nil {
		return next, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []convo.KeyPlace
	keys := map[convo.KeyPlace]*key{}
	for _, w := range s.workspaces {
		for name, k := range w.keys {
			for ; k != nil; k = k.next {
				at := convo.KeyPlace{Workspace: w.name, KeyID: k.id(name.channel, name.id)}
				if compareKeyPlaces(at, after) > 0 {
					all, keys[at] = append(all, at), k
				}
			}
		}
	}
	slices.SortFunc(all, compareKeyPlaces)
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1]
	}
	for _, at := range all {
		w, k := s.workspaces[at.Workspace], keys[at]
		if w.isOld(k, before) {
			removed += w.dropKeys(keyName{at.Channel, at.ID},
				func(other *key) bool { return other == k })
		}
	}
	return next, removed, nil
}

// isOld reports whether the event of a key is before a time, or not there.
func (w *workspace) isOld(k *key, before time.Time) bool {
	c := k.conversation
	gone := c != nil && w.conversations[c.id] != c
	if gone || k.first == 0 {
		return gone
	}
	gone = true
	look := func(e *convo.Event) bool {
		if e.Seq == k.first {
			gone = e.At.Before(before)
		}
		return e.Seq < k.first
	}
	switch {
	case c != nil:
		c.events(k.first-1, look)
	case k.contact != nil:
		k.contact.events(look)
	}
	return gone
}

func compareKeyPlaces(a, b convo.KeyPlace) int {
	return cmp.Or(strings.Compare(a.Workspace, b.Workspace), strings.Compare(a.Channel, b.Channel),
		strings.Compare(a.ID, b.ID), strings.Compare(a.Address, b.Address),
		strings.Compare(a.Contact, b.Contact))
}
