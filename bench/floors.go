package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/looplab/fsm"
	"github.com/qmuntal/stateless"
)

// The floors are what a good engineer would write by hand for exactly this job, or take from a
// library.

type floorStatus uint8

const (
	floorClosed floorStatus = iota
	floorOpen
	floorPending
)

type floorEvent struct {
	conversation uuid.UUID
	seq          int64
	kind         uint8
	at           time.Time
	by, body     string
}

type floorConversation struct {
	id                          uuid.UUID
	contact, channel            string
	status                      floorStatus
	version                     int64
	opened, closed, pendingFrom time.Time
	pending                     time.Duration
	category, summary           string
}

// floorStep is the same cycle by a switch, by value, that appends its event to a buffer.
func floorStep(c floorConversation, to []floorEvent, command uint8, at time.Time, by string) (
	floorConversation, []floorEvent, bool,
) {
	switch {
	case command == 0 && c.status == floorClosed:
		c.status, c.opened = floorOpen, at
	case command == 1 && c.status == floorOpen:
		c.status, c.pendingFrom = floorPending, at
	case command == 2 && c.status == floorPending:
		c.status = floorOpen
		c.pending += at.Sub(c.pendingFrom)
	case command == 3 && c.status != floorClosed:
		c.status, c.closed = floorClosed, at
	default:
		return c, nil, false
	}
	c.version++
	return c, append(to, floorEvent{conversation: c.id, seq: c.version, kind: command, at: at,
		by: by}), true
}

func byHand(b *testing.B) { cycleByHand(b, nil) }

func byHandIntoABuffer(b *testing.B) { cycleByHand(b, make([]floorEvent, 0, 1)) }

func cycleByHand(b *testing.B, buffer []floorEvent) {
	var c floorConversation
	at := time.Now()
	for b.Loop() {
		for command := range uint8(4) {
			next, events, ok := floorStep(c, buffer, command, at, "ana")
			if !ok || len(events) != 1 {
				b.Fatal("refused")
			}
			c = next
		}
	}
}

func byLooplab(b *testing.B) {
	f := fsm.NewFSM("closed", fsm.Events{
		{Name: "open", Src: []string{"closed"}, Dst: "open"},
		{Name: "pend", Src: []string{"open"}, Dst: "pending"},
		{Name: "resume", Src: []string{"pending"}, Dst: "open"},
		{Name: "close", Src: []string{"open", "pending"}, Dst: "closed"},
	}, fsm.Callbacks{})
	for b.Loop() {
		for _, e := range [...]string{"open", "pend", "resume", "close"} {
			if err := f.Event(b.Context(), e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func byStateless(b *testing.B) {
	m := stateless.NewStateMachine("closed")
	m.Configure("closed").Permit("open", "open")
	m.Configure("open").Permit("pend", "pending").Permit("close", "closed")
	m.Configure("pending").Permit("resume", "open").Permit("close", "closed")
	for b.Loop() {
		for _, e := range [...]string{"open", "pend", "resume", "close"} {
			if err := m.Fire(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// floorMemory is a typed store in memory: find or open and append, then close.
type floorMemory struct {
	byContact map[string]*floorEntry
	byID      map[uuid.UUID]*floorEntry
}

type floorEntry struct {
	floorConversation
	events []floorEvent
}

func (m *floorMemory) receive(contact, body string, at time.Time) {
	e := m.byContact[contact]
	if e == nil || e.status == floorClosed {
		e = &floorEntry{floorConversation: floorConversation{
			id: uuid.Must(uuid.NewV7()), contact: contact, channel: "whatsapp", status: floorOpen,
			opened: at,
		}}
		m.byContact[contact], m.byID[e.id] = e, e
		e.append(1, at, contact, "")
	}
	e.append(2, at, contact, body)
}

func (m *floorMemory) close(contact, by, category, summary string, at time.Time) {
	e := m.byContact[contact]
	e.status, e.closed, e.category, e.summary = floorClosed, at, category, summary
	e.append(3, at, by, "")
}

func (e *floorEntry) append(kind uint8, at time.Time, by, body string) {
	e.version++
	e.events = append(e.events, floorEvent{conversation: e.id, seq: e.version, kind: kind, at: at,
		by: by, body: body})
}
