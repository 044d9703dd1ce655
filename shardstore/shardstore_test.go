package shardstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/storetest"
)

var names = []string{"eu-1", "eu-2", "us-1"}

// three is a store over three in memory.
func three(t *testing.T, opts ...memstore.Option) *shardstore.Store {
	s, _ := over(t, shardstore.Rendezvous(names...), opts...)
	return s
}

func over(
	t *testing.T, d shardstore.Directory, opts ...memstore.Option,
) (*shardstore.Store, map[string]*memstore.Store) {
	shards := map[string]*memstore.Store{}
	for _, name := range names {
		shards[name] = memstore.New(opts...)
	}
	s, err := shardstore.New(d, shards)
	require.NoError(t, err)
	return s, shards
}

func TestStoreConforms(t *testing.T) {
	storetest.Run(t, func(t *testing.T) convo.Store { return three(t) })
}

func TestReportsConform(t *testing.T) {
	storetest.RunReports(t, func(t *testing.T) storetest.Reporter { return three(t) })
}

func TestTheOutboxLosesNothing(t *testing.T) {
	storetest.RunOutbox(t, func(t *testing.T) storetest.Outboxer {
		return three(t, memstore.WithOutbox())
	})
}

func TestTheFeedLosesNothing(t *testing.T) {
	storetest.RunFeed(t, func(t *testing.T) storetest.Feeder {
		return three(t, memstore.WithFeed())
	})
}

func TestWithoutAnOutboxOrAFeedThereIsNone(t *testing.T) {
	ctx, s := t.Context(), three(t)
	for name, call := range map[string]func() error{
		"Noted":   func() error { _, err := s.Noted(ctx, relay.Stream{}, 1); return err },
		"Queue":   func() error { _, err := s.Queue(ctx, start, nil, nil); return err },
		"Claim":   func() error { _, err := s.Claim(ctx, relay.Claim{Limit: 1}); return err },
		"Settle":  func() error { _, err := s.Settle(ctx, start, nil); return err },
		"Backlog": func() error { _, err := s.Backlog(ctx); return err },
	} {
		assert.ErrorIs(t, call(), relay.ErrNoOutbox, name)
	}
	s = three(t, memstore.WithOutbox())
	_, err := s.FeedHead(ctx, "acme")
	require.ErrorIs(t, err, relay.ErrNoFeed)
	_, err = s.PruneFeed(ctx, start, 1)
	require.ErrorIs(t, err, relay.ErrNoFeed)
}

// A fourth shard takes a quarter of the workspaces, and no workspace moves but to it.
func TestAFurtherShardTakesItsShareAndNothingElseMoves(t *testing.T) {
	const n = 10_000
	three := shardstore.Rendezvous("a", "b", "c")
	four := shardstore.Rendezvous("d", "c", "b", "a") // in whatever order
	before, after, moved := map[string]int{}, map[string]int{}, 0
	for i := range n {
		for _, pattern := range []string{"workspace-%d", "%d", "tenant/%08d/eu"} {
			w := fmt.Sprintf(pattern, i)
			was, err := three.Place(t.Context(), w)
			require.NoError(t, err)
			is, err := four.Place(t.Context(), w)
			require.NoError(t, err)
			before[pattern+was.Shard]++
			after[pattern+is.Shard]++
			if was != is {
				moved++
				require.Equal(t, "d", is.Shard, w)
			}
		}
	}
	assert.Len(t, before, 9)
	assert.Len(t, after, 12)
	for of, count := range before {
		assert.InDelta(t, n/3, count, n/20, of)
	}
	for of, count := range after {
		assert.InDelta(t, n/4, count, n/20, of)
	}
	assert.GreaterOrEqual(t, moved, 3*n*20/100)
	assert.LessOrEqual(t, moved, 3*n*30/100)
}

// What was once placed is found again by every later version.
func TestTheWeightsStayAsTheyAre(t *testing.T) {
	d := shardstore.Rendezvous(names...)
	got := map[string]string{}
	for _, w := range []string{"", "acme", "other", "a", "b", "z", "Ünï", "workspace 0"} {
		p, err := d.Place(t.Context(), w)
		require.NoError(t, err)
		got[w] = p.Shard
	}
	assert.Equal(t, map[string]string{
		"": "eu-1", "acme": "eu-1", "z": "eu-1", "a": "eu-2", "other": "eu-2",
		"workspace 0": "eu-2", "Ünï": "eu-2", "b": "us-1",
	}, got)
}

// table is a directory that a host keeps.
type table map[string]string

var errDirectory = errors.New("the directory is down")

func (d table) Place(_ context.Context, workspace string) (shardstore.Place, error) {
	switch name, ok := d[workspace]; {
	case ok:
		return shardstore.Place{Shard: name}, nil
	case workspace == "down":
		return shardstore.Place{}, errDirectory
	}
	return shardstore.Place{}, shardstore.ErrNoShard
}

var errDown = errors.New("the database is down")

// broken is a shard that does not answer.
type broken struct{ *memstore.Store }

func (broken) Due(context.Context, convo.DueQuery) ([]convo.DueConversation, error) {
	return nil, errDown
}

func (broken) Claim(context.Context, relay.Claim) ([]relay.Claimed, error) { return nil, errDown }
