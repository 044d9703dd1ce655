package memstore

import (
	"context"

	"github.com/chatlifecycle/convo"
)

// keyName is what the keys of different people may have in common.
type keyName struct{ channel, id string }

type key struct {
	conversation *conversation
	hash         int64
	first, last  int64
	address      string
	contact      *contact // that owned a message with an external id
	next         *key     // of the same name
}

// found yields the keys that a question finds.
func (w *workspace) found(asked convo.KeyID, yield func(*key)) {
	rootOf := func(contact string) string {
		if k := w.contacts[contact]; k != nil {
			return k.root.id
		}
		return contact // whom the same commit makes known
	}
	for k := w.keys[keyName{asked.Channel, asked.ID}]; k != nil; k = k.next {
		holder := ""
		if k.conversation != nil {
			holder = k.conversation.origin.root.id
		}
		if asked.Finds(k.id(asked.Channel, asked.ID), holder, rootOf) {
			yield(k)
		}
	}
}

func (k *key) id(channel, id string) convo.KeyID {
	full := convo.KeyID{Channel: channel, Address: k.address, ID: id}
	if k.contact != nil {
		full.Contact = k.contact.id
	}
	return full
}

// Keys implements convo.Store.
func (s *Store) Keys(
	ctx context.Context,
	workspace string,
	ids ...convo.KeyID,
) ([]convo.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	var out []convo.Key
	for _, id := range ids {
		w.found(id, func(k *key) {
			v := convo.Key{
				KeyID:       k.id(id.Channel, id.ID),
				RequestHash: k.hash, FirstSeq: k.first, LastSeq: k.last,
			}
			if k.conversation != nil {
				v.Conversation = k.conversation.id
			}
			out = append(out, v)
		})
	}
	return out, nil
}

// repoint has a key lead to other events.
func (w *workspace) repoint(k *convo.Key) {
	for at := w.keys[keyName{k.Channel, k.ID}]; at != nil; at = at.next {
		if at.address == k.Address && (k.Address != "" || at.contact == w.contacts[k.Contact]) {
			at.conversation = w.conversations[k.Conversation]
			at.first, at.last = k.FirstSeq, k.LastSeq
			return
		}
	}
}
