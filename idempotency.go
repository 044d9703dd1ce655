package convo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// KeyID names what is applied at most once in a workspace: the external id of a message on a
// channel, or, without a channel, an idempotency key of the host.
type KeyID struct {
	Channel string `json:"channel,omitempty"`
	ID      string `json:"id"`
}

// Key remembers what was applied under a KeyID, so that a repetition can be answered.
type Key struct {
	KeyID
	// RequestHash tells a repetition from another request with the same key; 0 for external ids.
	RequestHash int64 `json:"request_hash,omitempty"`
	// Conversation is the one that it ended in; FirstSeq to LastSeq are the events that it wrote
	// there, 0 when none.
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

// keyedGroups splits cmds, or returns nil when no command is keyed.
func keyedGroups(cmds []Command, channel string) []keyedGroup {
	var groups []keyedGroup
	for i, cmd := range cmds {
		key, external := keysOf(cmd, channel)
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

// appliedUnder returns the key of g that is among keys. It fails with ErrKeyReused when that was
// for another request.
func (g *keyedGroup) appliedUnder(keys []Key, to Ref, cmds []Command) (k Key, ok bool, err error) {
	for _, k := range keys {
		if g.external.ID != "" && k.KeyID == g.external {
			return k, true, nil
		}
		if g.key != "" && k.KeyID == (KeyID{ID: g.key}) {
			if k.RequestHash != requestHash(to, cmds[g.from:g.to]) {
				return k, true, fmt.Errorf("convo: key %q: %w", g.key, ErrKeyReused)
			}
			return k, true, nil
		}
	}
	return Key{}, false, nil
}

// record adds the keys of a group whose events begin at first.
func (w *decider) record(s *Snapshot, g *keyedGroup, cmds []Command, first int) {
	k := Key{Conversation: s.Conversation.ID}
	for i := range w.events[first:] {
		if e := &w.events[first+i]; e.Conversation == k.Conversation {
			if k.FirstSeq == 0 {
				k.FirstSeq = e.Seq
			}
			k.LastSeq = e.Seq
		}
	}
	if g.external.ID != "" {
		k.KeyID = g.external
		w.keys = append(w.keys, k)
	}
	if g.key != "" {
		k.KeyID, k.RequestHash = KeyID{ID: g.key}, requestHash(s.Ref, cmds[g.from:g.to])
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
