package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

// ill is a store that has rollups, and fails as it is told.
type ill struct {
	*memstore.Store
	due, backlog, rollup error
}

func (s *ill) Due(ctx context.Context, q convo.DueQuery) ([]convo.DueConversation, error) {
	if s.due != nil {
		return nil, s.due
	}
	return s.Store.Due(ctx, q)
}

func (s *ill) Backlog(ctx context.Context) (relay.Backlog, error) {
	if s.backlog != nil {
		return relay.Backlog{}, s.backlog
	}
	return s.Store.Backlog(ctx)
}

func (s *ill) RollupBacklog(context.Context) (int, error) { return 7, s.rollup }

func TestHealthSaysWhatWaitsAndSinceWhen(t *testing.T) {
	fails := true
	within(t, relay.To("crm", relay.PublisherFunc(func(context.Context, *convo.Event) error {
		if fails {
			return relay.Permanent(errors.New("refused"))
		}
		return errors.New("down")
	})), func(w *world) {
		check := func() relay.Health {
			h, err := relay.CheckHealth(w.Context(), w.store, time.Now())
			require.NoError(w, err)
			return h
		}
		assert.Equal(t, relay.Health{Reachable: true, Outbox: &relay.OutboxHealth{}}, check())
		w.do("bob", hello, convo.SetPending{
			By: convo.ByUser("ana"), Until: time.Now().Add(time.Minute),
		})
		time.Sleep(90 * time.Second) // of the bubble's own clock
		h := check()
		assert.InDelta(t, 30, h.TimerLagSeconds, 1e-6)
		assert.Equal(t, 1, h.Outbox.Noted)
		assert.InDelta(t, 90, h.Outbox.OldestSeconds, 1e-6)
		for range 10 {
			w.once()
		}
		dead := check().Outbox.DeadLetters
		assert.Positive(t, dead)
		fails = false
		w.do("eve", hello)
		w.once()
		time.Sleep(10 * time.Second) // of the bubble's own clock
		h = check()
		assert.Equal(t, &relay.OutboxHealth{
			Queued: 1, Failed: 1, DeadLetters: dead, OldestSeconds: 10,
		}, h.Outbox)
		text, err := json.Marshal(h)
		require.NoError(t, err)
		assert.Contains(t, string(text), `{"reachable":true,"timer_lag_seconds":40,"outbox":{`)
		assert.Contains(t, string(text), `"oldest_seconds":10}}`)
	})
}

func TestHealthIsOfWhatTheStoreHas(t *testing.T) {
	h, err := relay.CheckHealth(t.Context(), memstore.New(), time.Now())
	require.NoError(t, err)
	assert.Equal(t, relay.Health{Reachable: true}, h, "no outbox, and no rollups")

	s := &ill{Store: memstore.New(memstore.WithOutbox())}
	h, err = relay.CheckHealth(t.Context(), s, time.Now())
	require.NoError(t, err)
	assert.Equal(t, 7, *h.RollupBacklog)
}

func TestAStoreThatFailsIsNotReachable(t *testing.T) {
	gone := errors.New("gone")
	for _, s := range []*ill{{due: gone}, {backlog: gone}, {rollup: gone}} {
		s.Store = memstore.New(memstore.WithOutbox())
		h, err := relay.CheckHealth(t.Context(), s, time.Now())
		require.ErrorIs(t, err, gone)
		assert.False(t, h.Reachable)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h, err := relay.CheckHealth(ctx, memstore.New(), time.Now())
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, h.Reachable)
}

func TestALagIsNeverNegative(t *testing.T) {
	within(t, relay.To("crm", relay.PublisherFunc(nil)), func(w *world) {
		w.do("bob", hello)
		h, err := relay.CheckHealth(w.Context(), w.store, time.Now().Add(-time.Hour))
		require.NoError(w, err)
		assert.Zero(w, h.Outbox.OldestSeconds)
	})
}
