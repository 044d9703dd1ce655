package shardstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/shardstore"
)

// halfRead is a shard that has leased something when it fails to read its events.
type halfRead struct{ *memstore.Store }

func (halfRead) Claim(context.Context, relay.Claim) ([]relay.Claimed, error) {
	return []relay.Claimed{{
		Queue: relay.Queue{Stream: relay.Stream{Workspace: "b"}}, From: 1, To: 10, Read: 10,
	}}, errDown
}

// What was not read must not count as sent.
func TestWhatAShardFailedToReadIsNotClaimed(t *testing.T) {
	s, err := shardstore.New[shardstore.Shard](table{"a": "eu-1", "b": "eu-2"},
		map[string]shardstore.Shard{
			"eu-1": memstore.New(memstore.WithOutbox()),
			"eu-2": halfRead{memstore.New(memstore.WithOutbox())},
		})
	require.NoError(t, err)
	claimed, err := s.Claim(t.Context(), relay.Claim{Limit: 10, MaxEvents: 10})
	require.ErrorIs(t, err, errDown)
	assert.Empty(t, claimed)
}

// deaf is a shard whose commits look at no deadline, as those that share a transaction do.
type deaf struct {
	*memstore.Store
	takes time.Duration
}

func (d *deaf) Commit(ctx context.Context, changes ...convo.Change) error {
	<-time.After(d.takes)
	return d.Store.Commit(context.WithoutCancel(ctx), changes...)
}

// What was written later than a copy may have been made is not acknowledged.
func TestWhatIsCommittedLongAfterTheLeaseIsNotAcknowledged(t *testing.T) {
	const lease = 20 * time.Millisecond
	r := &registry{places: map[string]shardstore.Place{"acme": {Shard: "a"}}}
	d := &deaf{memstore.New(), 2 * lease}
	s, err := shardstore.New[shardstore.Shard](r, map[string]shardstore.Shard{"a": d},
		shardstore.WithLease(lease))
	require.NoError(t, err)
	_, err = engineOn(t, s).Do(t.Context(), convo.ToContact("acme", "ann"),
		convo.Receive{Body: "hi"})
	require.ErrorIs(t, err, convo.ErrCommitUnknown)
	require.ErrorContains(t, err, "longer than the lease")
	d.takes = 0
	receive(t, engineOn(t, s), "acme", "hi")
}

// keptBack is a shard that keeps what is committed from being so.
type keptBack struct {
	*memstore.Store
	changes []convo.Change
}

func (k *keptBack) Commit(_ context.Context, changes ...convo.Change) error {
	k.changes = append(k.changes, changes...)
	return errDown
}

// A commit of several workspaces waits for each of them.
func TestACommitOfSeveralWorkspacesIsOfNoneThatIsStopped(t *testing.T) {
	kept := &keptBack{Store: memstore.New()}
	by, err := shardstore.New[shardstore.Shard](table{"acme": "a", "globex": "a"},
		map[string]shardstore.Shard{"a": kept})
	require.NoError(t, err)
	for _, w := range []string{"acme", "globex"} {
		_, err := engineOn(t, by).Do(t.Context(), convo.ToContact(w, "ann"),
			convo.Receive{Body: "hi"})
		require.ErrorIs(t, err, errDown)
	}
	changes := []convo.Change{kept.changes[0], kept.changes[len(kept.changes)-1]}
	require.NotEqual(t, changes[0].Contact.Workspace, changes[1].Contact.Workspace)

	r := &registry{places: map[string]shardstore.Place{
		"acme": {Shard: "a"}, "globex": {Shard: "a", Other: "b", Step: shardstore.StepStop},
	}}
	m := memstore.New()
	s, err := shardstore.New[shardstore.Shard](r,
		map[string]shardstore.Shard{"a": m, "b": memstore.New()})
	require.NoError(t, err)
	shardstore.SetPatience(s, 0)
	require.ErrorIs(t, s.Commit(t.Context(), changes...), shardstore.ErrMoving)
	there, err := m.Contacts(t.Context(), convo.ContactFilter{Workspace: "acme"})
	require.NoError(t, err)
	assert.Empty(t, there, "nothing of it was written")
}
