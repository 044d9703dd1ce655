package memstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/storetest"
)

func TestTheOutboxLosesNothing(t *testing.T) {
	storetest.RunOutbox(t, func(*testing.T) storetest.Outboxer {
		return memstore.New(memstore.WithOutbox())
	})
}

func TestWithAnOutboxTheStoreConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) convo.Store { return memstore.New(memstore.WithOutbox()) })
}

func TestWithoutAnOutboxThereIsNone(t *testing.T) {
	_, err := memstore.New().Noted(t.Context(), relay.Stream{}, 1)
	assert.ErrorIs(t, err, relay.ErrNoOutbox)
}

func TestTheFeedLosesNothing(t *testing.T) {
	storetest.RunFeed(t, func(*testing.T) storetest.Feeder {
		return memstore.New(memstore.WithFeed())
	})
}

func TestWithoutAFeedThereIsNone(t *testing.T) {
	s := memstore.New(memstore.WithOutbox())
	_, err := s.FeedHead(t.Context(), "acme")
	assert.ErrorIs(t, err, relay.ErrNoFeed)
	_, err = s.FeedAfter(t.Context(), "acme", relay.Cursor{}, 1)
	assert.ErrorIs(t, err, relay.ErrNoFeed)
	_, err = s.PruneFeed(t.Context(), time.Now(), 1)
	assert.ErrorIs(t, err, relay.ErrNoFeed)
}
