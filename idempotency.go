package convo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// KeyID names what is applied at most once in a workspace: the external id of a message on a channel, or, without a
// channel, an idempotency key of the host.
type KeyID struct {
	Channel string `json:"channel,omitempty"`
	ID      string `json:"id"`
}

// Key remembers what was applied under a KeyID, so that a repetition can be answered.
type Key struct {
	KeyID
	// Hash is that of the request, to tell a repetition from another request with the same key; 0 for external ids.
	RequestHash int64 `json:"hash,omitempty"`
	// Conversation is the one that it ended in; First to Last are the Seq of the events that it wrote there, 0 when
	// none.
	Conversation uuid.UUID `json:"conversation,omitzero"`
	FirstSeq     int64     `json:"first,omitempty"`
	LastSeq      int64     `json:"last,omitempty"`
}

// unit is a run of commands that are applied together at most once: one that carries a key or an external id, and the
// ones without that follow it. Commands before the first keyed one belong to it.
type keyedGroup struct {
	from, to int
	key      string
	external KeyID
}

// units splits cmds, or returns nil when no command is keyed.
func keyedGroups(cmds []Command, channel string) []keyedGroup {
	var us []keyedGroup
	for i, cmd := range cmds {
		key, external := keysOf(cmd, channel)
		switch {
		case key == "" && external.ID == "":
			if us != nil {
				us[len(us)-1].to = i + 1
			}
		case us == nil:
			us = append(us, keyedGroup{0, i + 1, key, external})
		default:
			us = append(us, keyedGroup{i, i + 1, key, external})
		}
	}
	return us
}

// keysOf returns the idempotency key of cmd, and its external id on its channel.
func keysOf(cmd Command, channel string) (key string, external KeyID) {
	var o fields
	if o.read(cmd) != nil {
		return "", KeyID{}
	}
	if o.channel != "" {
		channel = o.channel
	}
	if o.externalID != "" && channel != "" {
		external = KeyID{channel, o.externalID}
	}
	return o.key, external
}

// known returns the key of u that is among keys. It fails with ErrKeyReused when that was for another request.
func (u *keyedGroup) appliedUnder(keys []Key, to Ref, cmds []Command) (k Key, ok bool, err error) {
	for _, k := range keys {
		if u.external.ID != "" && k.KeyID == u.external {
			return k, true, nil
		}
		if u.key != "" && k.KeyID == (KeyID{ID: u.key}) {
			if k.RequestHash != requestHash(to, cmds[u.from:u.to]) {
				return k, true, fmt.Errorf("convo: key %q: %w", u.key, ErrKeyReused)
			}
			return k, true, nil
		}
	}
	return Key{}, false, nil
}

// record adds the keys of a unit whose events begin at first.
func (w *decider) record(t *Snapshot, u *keyedGroup, cmds []Command, first int) {
	k := Key{Conversation: t.Conversation.ID}
	for i := range w.events[first:] {
		if e := &w.events[first+i]; e.Conversation == k.Conversation {
			if k.FirstSeq == 0 {
				k.FirstSeq = e.Seq
			}
			k.LastSeq = e.Seq
		}
	}
	if u.external.ID != "" {
		k.KeyID = u.external
		w.keys = append(w.keys, k)
	}
	if u.key != "" {
		k.KeyID, k.RequestHash = KeyID{ID: u.key}, requestHash(t.Ref, cmds[u.from:u.to])
		w.keys = append(w.keys, k)
	}
}

// requestHash tells requests apart: the first eight bytes of the SHA-256 of their JSON.
func requestHash(to Ref, cmds []Command) int64 {
	h := sha256.New()
	enc := json.NewEncoder(h)
	_ = enc.Encode(to) // a hash takes every write,
	for _, cmd := range cmds {
		_ = enc.Encode(Commands{cmd}) // and the commands were checked
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil)))
}
