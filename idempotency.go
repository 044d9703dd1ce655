package convo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// KeyID names what is applied at most once in a workspace: an idempotency key of the host, which
// has only an ID; or the external id of a message on a channel, with the Address that the message
// came by or went to, if that was named, and the contact that owned it then: its conversation's
// Origin, or in whose own log it is.
//
// As a question, it asks for the external id of a message by an Address, or, without one, by any of
// the Contact's and its root's: see [KeyID.Finds].
type KeyID struct {
	Channel string `json:"channel,omitempty"`
	Address string `json:"address,omitempty"`
	Contact string `json:"contact,omitempty"`
	ID      string `json:"id"`
}

// Finds reports whether k, as a question, finds what was remembered under other. An external id is
// unique for the address that its message came by: two people may both have a message 17. Where
// either names no address, it is unique for the contact; rootOf is the root contact that a contact
// leads to now, so that a merge makes two people one. holder is the root contact that other's
// conversation belongs to now, which may be another one after a Move; empty: there is none. What is
// left of an erased key is found by its own name alone: see [KeyID.Erased].
func (k KeyID) Finds(other KeyID, holder string, rootOf func(contact string) string) bool {
	switch {
	case other.IsErased() && !k.IsErased():
		return k.Channel == other.Channel && k.Erased() == other.ID
	case k.Channel != other.Channel || k.ID != other.ID:
		return false
	case k.Channel == "" || k.Address != "" && k.Address == other.Address:
		return true
	}
	if k.Contact == "" || k.Address != "" && other.Address != "" {
		return false
	}
	root := rootOf(k.Contact)
	return root == rootOf(other.Contact) || root == holder
}

// Key remembers what was applied under a KeyID, so that a repetition can be answered.
type Key struct {
	KeyID
	// RequestHash tells a repetition from another request with the same key; 0 for external ids.
	RequestHash int64 `json:"request_hash,omitempty"`
	// Conversation is the one that it ended in, or, under an external id, that the message is in;
	// FirstSeq to LastSeq are the events that it wrote there, 0 when none. Without a conversation
	// they are in the log of the Contact itself.
	Conversation uuid.UUID `json:"conversation,omitzero"`
	FirstSeq     int64     `json:"first_seq,omitempty"`
	LastSeq      int64     `json:"last_seq,omitempty"`
}

// keyedGroup is a run of commands that are applied together at most once: one that carries a key or
// an external id, and the ones without that follow it. Commands before the first keyed one belong
// to its group.
type keyedGroup struct {
	from, to int
	key      string
	external KeyID
}

// keyedGroups splits cmds, or returns nil when no command is keyed. External ids are those of
// messages by an address, unless a message names its own.
func keyedGroups(cmds []Command, by Address) []keyedGroup {
	var groups []keyedGroup
	for i, cmd := range cmds {
		key, external := keysOf(cmd, by)
		switch {
		case key == "" && external.ID == "":
			if groups != nil {
				groups[len(groups)-1].to = i + 1
			}
		case groups == nil:
			groups = append(groups, keyedGroup{0, i + 1, key, external})
		default:
			groups = append(groups, keyedGroup{i, i + 1, key, external})
		}
	}
	return groups
}

// keysOf returns the idempotency key of cmd, and its external id. What the conversation knows of
// channels and addresses is no part of that: it may be another when cmd is repeated.
func keysOf(cmd Command, by Address) (key string, external KeyID) {
	var o fields
	if o.read(cmd) != nil {
		return "", KeyID{}
	}
	if o.channel == "" {
		o.channel = by.Channel
	}
	if o.address == "" && o.channel == by.Channel {
		o.address = by.Value
	}
	if o.externalID != "" && o.channel != "" {
		external = KeyID{Channel: o.channel, Address: o.address, ID: o.externalID}
	}
	return o.key, external
}

// appliedUnder returns the key of g that is among keys, all of which are of the root contact or by
// addresses. It fails with ErrKeyReused when that was for another request.
func (g *keyedGroup) appliedUnder(
	keys []Key, contact string, to Ref, cmds []Command,
) (k Key, ok bool, err error) {
	for _, k := range keys { // first, for it may say that this is another request
		if g.key != "" && k.Channel == "" && (KeyID{ID: g.key}).Finds(k.KeyID, "", nil) {
			if k.RequestHash != requestHash(to, cmds[g.from:g.to]) {
				return k, true, fmt.Errorf("convo: key %q: %w", g.key, ErrKeyReused)
			}
			return k, true, nil
		}
	}
	external := g.external
	external.Contact = contact
	for _, other := range keys {
		if external.ID == "" ||
			!external.Finds(other.KeyID, "", func(string) string { return contact }) {
			continue
		}
		// Of several, the contact's own, and else the same one on every store.
		if better := !ok || other.Contact == contact && k.Contact != contact; better ||
			(other.Contact == contact) == (k.Contact == contact) &&
				bytes.Compare(other.Conversation[:], k.Conversation[:]) < 0 {
			k, ok = other, true
		}
	}
	return k, ok, nil
}

// record adds the keys of a group whose events begin at first.
func (w *decider) record(s *Snapshot, g *keyedGroup, cmds []Command, first int) {
	if g.external.ID != "" { // it leads to the message, wherever the call went on
		of := s.Conversation.ID
		for i := range w.events[first:] {
			if e := &w.events[first+i]; e.Message().ExternalID == g.external.ID {
				of = e.Conversation
			}
		}
		k := keyOfEvents(of, w.events[first:])
		k.KeyID = g.external
		k.Contact = w.ownerOf(s, of)
		w.keys = append(w.keys, k)
	}
	if g.key != "" {
		k := keyOfEvents(s.Conversation.ID, w.events[first:])
		k.RequestHash = requestHash(s.Ref, cmds[g.from:g.to])
		w.keys = append(w.keys, k.ofHost(g.key))
	}
}

// ownerOf is the contact that owns what is in a conversation, or, without one, in the own log of s.
func (w *decider) ownerOf(s *Snapshot, conversation uuid.UUID) string {
	switch conversation {
	case uuid.Nil:
		return s.Contact.ID
	case s.Conversation.ID:
		return s.Conversation.Origin
	}
	for i := range w.earlier {
		if w.earlier[i].ID == conversation {
			return w.earlier[i].Origin
		}
	}
	return s.Contact.ID
}

// keyOfEvents is a key, without its id, of the events that were written into a conversation.
func keyOfEvents(conversation uuid.UUID, events []Event) Key {
	k := Key{Conversation: conversation}
	for i := range events {
		if e := &events[i]; e.Conversation == conversation {
			if k.FirstSeq == 0 {
				k.FirstSeq = e.Seq
			}
			k.LastSeq = e.Seq
		}
	}
	return k
}

// ofHost is k under a host's key, which is a hash from the beginning: it does not say whose log it
// is, so an erasure would not find one that leads to no conversation.
func (k Key) ofHost(id string) Key {
	k.KeyID = KeyID{ID: KeyID{ID: id}.Erased()}
	if k.Conversation == uuid.Nil {
		k.FirstSeq, k.LastSeq = 0, 0
	}
	return k
}

// requestHash tells requests apart by their JSON.
func requestHash(to Ref, cmds []Command) int64 {
	parts := make([]any, 1, len(cmds)+1)
	parts[0] = to
	for _, cmd := range cmds {
		parts = append(parts, Commands{cmd})
	}
	return hashOf(parts...)
}

// hashOf is the first eight bytes of the SHA-256 of the JSON of parts.
func hashOf(parts ...any) int64 {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, part := range parts { // a hash takes every write
		if err := enc.Encode(part); err != nil { // it is not what was applied
			_, _ = fmt.Fprintln(h, err)
		}
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil)))
}
