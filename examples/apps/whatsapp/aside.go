package main

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"
)

// How much is set aside: so many things, of so many bytes each.
const (
	maxAside      = 200
	maxAsideBytes = 16 << 10
	maxLoggedID   = 128
)

// setAside is something that a person is to look at. Meta is told that it was taken: it would
// deliver it for days, and it would be no better.
type setAside struct {
	ID     string    `json:"id,omitempty"` // Meta's
	Reason string    `json:"reason"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Times  int       `json:"times"` // that it came
	Bytes  int       `json:"bytes"`
	// Message is as it came; left out when it is too long to be kept.
	Message json.RawMessage `json:"message,omitempty"`

	hash [sha256.Size]byte
}

// aside keeps the latest things that were set aside, in memory. A real host has a table of them.
type aside struct {
	mu   sync.Mutex
	list []setAside // the latest one last
}

// add keeps one. What is delivered again is there once, and is the latest again.
func (a *aside) add(in *incoming, reason, doubt string, now time.Time) {
	same := doubt // two messages may be of one doubt
	if same == "" {
		same = string(in.raw)
	}
	s := setAside{
		ID: in.id, Reason: reason, First: now.UTC(), Last: now.UTC(), Times: 1, Bytes: len(in.raw),
		hash: sha256.Sum256([]byte(reason + "\n" + same)),
	}
	if len(in.raw) <= maxAsideBytes {
		s.Message = slices.Clone(in.raw) // what it is a part of may have 3 MB
	}
	s.ID = clip(s.ID)
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.IndexFunc(a.list, func(o setAside) bool { return o.hash == s.hash }); i >= 0 {
		s.First, s.Times = a.list[i].First, a.list[i].Times+1
		a.list = slices.Delete(a.list, i, i+1)
	}
	if len(a.list) == maxAside {
		a.list = slices.Delete(a.list, 0, 1)
	}
	a.list = append(a.list, s)
}

// latest is a copy of what is kept, the latest one first.
func (a *aside) latest() []setAside {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := append([]setAside{}, a.list...) // never nil, which is no list in JSON
	slices.Reverse(list)
	return list
}

// setAside keeps what a person is to look at, and logs that by its id, never by what it says.
func (h *host) setAside(in *incoming, reason string) {
	h.log.Warn("set aside", "id", clip(in.id), "reason", reason)
	h.aside.add(in, reason, "", time.Now())
}

// doubt keeps a message that was written, because who wrote it is two contacts.
func (h *host) doubt(in *incoming) {
	const reason = "it was written for the contact of the user id; the number belongs to another " +
		"contact: merge the two if they are one person"
	h.log.Warn("to be looked at", "id", clip(in.id), "reason", reason)
	h.aside.add(in, reason, in.who.phone+" "+in.who.userID, time.Now())
}

// clip keeps an id short: a wrong one may be as long as a delivery.
func clip(id string) string { return id[:min(len(id), maxLoggedID)] }

// listAside shows what was set aside to those who may run steps.
func (h *host) listAside(w http.ResponseWriter, r *http.Request) {
	if !h.permitted(w, r) {
		return
	}
	w.Header().Set("Cache-Control", "no-store") // customers wrote it
	h.answer(w, h.aside.latest())
}
