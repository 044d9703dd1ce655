package world

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// outbox is a relay, and a receiver that is away now and then. It has a clock of its own, which
// never goes back.
type outbox struct {
	store relay.Store
	relay *relay.Relay
	now   time.Time

	away  int  // after so many events; negative: never
	loses bool // the event that it fails with has come nevertheless

	came   []convo.Event     // since they were last checked
	sent   map[uuid.UUID]int // by event: as which of all it came; 0: it did not
	unsure map[uuid.UUID]bool
	twice  []uuid.UUID
}

func newOutbox(t *rapid.T, s relay.Store) *outbox {
	o := &outbox{
		store: s, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), away: -1,
		sent: map[uuid.UUID]int{}, unsure: map[uuid.UUID]bool{},
	}
	var err error
	o.relay, err = relay.New(s, relay.To("crm", o), relay.WithClock(o),
		relay.WithBackoff(make([]time.Duration, 1000)...))
	require.NoError(t, err)
	return o
}

// Now makes the outbox the clock of its relay.
func (o *outbox) Now() time.Time { return o.now }

// Publish implements relay.Publisher.
func (o *outbox) Publish(_ context.Context, events []convo.Event) (sent int, err error) {
	for i := range events {
		if o.away == 0 {
			if o.loses && o.sent[events[i].ID] == 0 {
				o.take(&events[i])
				o.unsure[events[i].ID] = true
			}
			return i, errors.New("the receiver is away")
		}
		o.away--
		o.take(&events[i])
	}
	return len(events), nil
}

func (o *outbox) take(e *convo.Event) {
	switch {
	case o.sent[e.ID] == 0:
		o.sent[e.ID] = len(o.sent) + 1
	case !o.unsure[e.ID]:
		o.twice = append(o.twice, e.ID)
	}
	delete(o.unsure, e.ID)
	o.came = append(o.came, *e)
}

// bringOut has the relay run once, with a receiver that may fail.
func (w *World) bringOut(t *rapid.T) {
	if w.outbox.isSent(slices.Collect(maps.Values(w.last.events()))) {
		t.Skip("nothing is on its way") // rapid draws another action
	}
	w.t, w.observed = t, nil
	w.outbox.away = -1
	if rapid.Bool().Draw(t, "is away") {
		w.outbox.away = rapid.IntRange(0, 5).Draw(t, "after")
		w.outbox.loses = rapid.Bool().Draw(t, "loses the answer")
	}
	w.once(t)
	w.wroteNothing(t)
	w.checkSent(t)
}

func (w *World) once(t *rapid.T) {
	w.outbox.now = w.outbox.now.Add(time.Hour)
	stats, err := w.outbox.relay.Once(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats.Lost)
	w.done.Failed += stats.Failed
}

// checkSent checks that what came is as it was in the log just then, and that of each log the first
// events came, once each and in their order.
func (w *World) checkSent(t *rapid.T) {
	o := w.outbox
	require.Empty(t, o.twice, "these were sent once, and came again")
	events := w.last.events()
	for _, e := range o.came {
		require.Equal(t, events[e.ID], e, "what came is what the log has")
	}
	o.came = nil
	for of, log := range w.last.Logs {
		before, missing := 0, false
		for i := range log {
			n := o.sent[log[i].ID]
			if n == 0 {
				missing = true
				continue
			}
			require.False(t, missing, "event %d of %v came, and not one before it", log[i].Seq, of)
			require.Greater(t, n, before, "event %d of %v came too early", log[i].Seq, of)
			before = n
		}
	}
}

// bringOutAll has the relay run until nothing is left: then the receiver has each log, exactly.
func (w *World) bringOutAll(t *rapid.T) {
	o := w.outbox
	if o == nil {
		return
	}
	o.away = -1
	for rounds := 0; ; rounds++ {
		left, err := o.store.Backlog(t.Context())
		require.NoError(t, err)
		require.Zero(t, left.Dead)
		if left.Noted+left.Queued == 0 {
			break
		}
		require.Less(t, rounds, 100, "on its way for ever: %+v", left)
		w.once(t)
	}
	w.checkSent(t)
	require.Empty(t, o.unsure, "came, but not for good")
	for id := range w.last.events() {
		require.NotZero(t, o.sent[id], "event %s did not come", id)
	}
}

// isSent reports whether the relay has nothing to do any more for a log.
func (o *outbox) isSent(log []convo.Event) bool {
	for i := range log {
		if id := log[i].ID; o.sent[id] == 0 || o.unsure[id] {
			return false
		}
	}
	return true
}
