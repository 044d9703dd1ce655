package memstore

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The conversations of a contact, by lane.

// activeIn is the active conversation of a root in a lane.
func (k *contact) activeIn(lane token) *conversation {
	c := k.active
	for c != nil && c.lane != lane {
		c = c.nextLive
	}
	return c
}

// latestIn is the latest conversation of a root in a lane: the active one, else the one whose last
// cycle was opened last.
func (k *contact) latestIn(lane token) *conversation {
	if c := k.activeIn(lane); c != nil {
		return c
	}
	latest := k.ownLatestIn(lane)
	if k.extra != nil {
		for _, a := range k.extra.aliases {
			if c := a.ownLatestIn(lane); c != nil && (latest == nil || c.isLater(latest)) {
				latest = c
			}
		}
	}
	return latest
}

func (k *contact) ownLatestIn(lane token) *conversation {
	c := k.latest
	for c != nil && c.lane != lane {
		c = c.previous
	}
	return c
}

// isLater reports whether the last cycle of c was opened after that of other.
func (c *conversation) isLater(other *conversation) bool {
	return cmp.Or(cmp.Compare(c.openedAt, other.openedAt), bytes.Compare(c.id[:], other.id[:])) > 0
}

// hasConversation reports whether a root has one, in whatever lane.
func (k *contact) hasConversation() bool {
	if k.latest != nil || k.extra == nil {
		return k.latest != nil
	}
	return slices.ContainsFunc(k.extra.aliases, func(a *contact) bool { return a.latest != nil })
}

// put puts c among those opened for k, in its place.
func (k *contact) put(c *conversation) {
	at := &k.latest
	for *at != nil && (*at).isLater(c) {
		at = &(*at).previous
	}
	c.previous, *at = *at, c
}

// take takes c from among those opened for k.
func (k *contact) take(c *conversation) {
	at := &k.latest
	for *at != c {
		at = &(*at).previous
	}
	*at, c.previous = c.previous, nil
}

// checkActive refuses a second active conversation of a contact in a lane, with all that these
// changes merge into it.
func (w *workspace) checkActive(contact string, all []convo.Change) error {
	var room [4]active
	found := room[:0]
	var err error
	add := func(id uuid.UUID, lane string) {
		for _, a := range found {
			if a.lane == lane && a.id != id {
				err = fmt.Errorf("memstore: contact %q: %w", contact, convo.ErrActiveExists)
			}
		}
		found = append(found, active{id, lane})
	}
	stored := func(id string) {
		if k := w.contacts[id]; k != nil {
			for c := k.active; c != nil; c = c.nextLive {
				if !closes(all, c.id) {
					add(c.id, w.words[c.lane])
				}
			}
		}
	}
	stored(contact)
	for i := range all {
		ch := &all[i]
		for r := range conversationRows(ch) {
			if r.Contact == contact && r.Status.Active() {
				add(r.ID, r.Lane)
			}
		}
		if ch.MergeInto == contact {
			stored(ch.Contact.ID)
		}
	}
	return err
}

// active is an active conversation.
type active struct {
	id   uuid.UUID
	lane string
}

// closes reports whether the changes leave the conversation closed.
func closes(all []convo.Change, id uuid.UUID) bool {
	for i := range all {
		for r := range conversationRows(&all[i]) {
			if r.ID == id {
				return !r.Status.Active()
			}
		}
	}
	return false
}
