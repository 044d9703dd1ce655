package memstore

import (
	"context"
	"strings"

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

// found yields the keys that a question finds, and whether they are what is left of them.
func (w *workspace) found(asked convo.KeyID, yield func(k *key, erased bool)) {
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
			yield(k, false)
		}
	}
	if w.erasedKeys > 0 {
		if k := w.keys[keyName{asked.Channel, asked.Erased()}]; k != nil {
			yield(k, true)
		}
	}
}

func (w *workspace) addKey(k *convo.Key) {
	name := keyName{w.word(k.Channel), strings.Clone(k.ID)}
	w.keys[name] = &key{
		w.conversations[k.Conversation], k.RequestHash, k.FirstSeq, k.LastSeq,
		strings.Clone(k.Address), w.contacts[k.Contact], w.keys[name],
	}
	if k.IsErased() {
		w.erasedKeys++
	}
}

// full is the key with all that it leads to.
func (k *key) full(channel, id string) convo.Key {
	v := convo.Key{
		KeyID: k.id(channel, id), RequestHash: k.hash, FirstSeq: k.first, LastSeq: k.last,
	}
	if k.conversation != nil {
		v.Conversation = k.conversation.id
	}
	return v
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
		w.found(id, func(k *key, erased bool) {
			v := k.full(id.Channel, id.ID)
			if erased {
				v.Address = id.Address
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
