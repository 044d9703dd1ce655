package shardstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/shardstore"
)

// registry is one in memory, which may be down, and counts how often it was asked.
type registry struct {
	mu     sync.Mutex
	places map[string]shardstore.Place
	asked  int
	down   error
}

func (r *registry) Place(_ context.Context, workspace string) (shardstore.Place, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.places[workspace], r.down
}

func (r *registry) Replace(
	_ context.Context, workspace string, was, is shardstore.Place,
) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places[workspace] != was {
		return convo.ErrConflict
	}
	r.places[workspace] = is
	return nil
}

func (r *registry) set(workspace string, is shardstore.Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places[workspace] = is
}

func (r *registry) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = err
}

// watched is a shard of which each call that writes tells when its context ends, and then writes,
// or, with hang, waits for that end.
type watched struct {
	*memstore.Store
	told func(deadline time.Time, ok bool)
	hang bool
}

func (w *watched) write(ctx context.Context) error {
	w.told(ctx.Deadline())
	if w.hang {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (w *watched) Commit(ctx context.Context, changes ...convo.Change) error {
	if err := w.write(ctx); err != nil {
		return err
	}
	return w.Store.Commit(ctx, changes...)
}

func (w *watched) Deliver(
	ctx context.Context, workspace string, now time.Time, ds []convo.Delivery,
) (int, error) {
	if err := w.write(ctx); err != nil {
		return 0, err
	}
	return w.Store.Deliver(ctx, workspace, now, ds)
}

func (w *watched) Settle(ctx context.Context, now time.Time, done []relay.Settled) (int, error) {
	if err := w.write(ctx); err != nil {
		return 0, err
	}
	return w.Store.Settle(ctx, now, done)
}

func leased(t *testing.T, lease time.Duration) (*registry, *watched, *shardstore.Store) {
	r := &registry{places: map[string]shardstore.Place{"acme": {Shard: "a"}}}
	w := &watched{
		Store: memstore.New(memstore.WithOutbox()), told: func(time.Time, bool) {},
	}
	s, err := shardstore.New[shardstore.Shard](r, map[string]shardstore.Shard{
		"a": w, "b": memstore.New(memstore.WithOutbox()),
	}, shardstore.WithLease(lease))
	require.NoError(t, err)
	return r, w, s
}

// What writes has a context that ends with the lease of what was read, whoever calls it.
func TestNobodyWritesByAPlaceThatIsOld(t *testing.T) {
	const lease = time.Minute
	_, w, s := leased(t, lease)
	began := time.Now()
	calls := 0
	w.told = func(deadline time.Time, ok bool) {
		calls++
		assert.True(t, ok, "it has an end")
		assert.WithinRange(t, deadline, began.Add(lease/2), time.Now().Add(lease))
	}
	e := engineOn(t, s)
	receive(t, e, "acme", "hi")
	_, err := e.Deliver(t.Context(), "acme", convo.Delivery{
		Channel: "chat", ExternalID: "1", Status: convo.DeliverySent, At: began,
	})
	require.NoError(t, err)
	_, err = s.Settle(t.Context(), began, []relay.Settled{
		{Queue: relay.Queue{Stream: relay.Stream{Workspace: "acme", Contact: "ann"}}},
	})
	require.NoError(t, err)
	assert.Equal(t, 3, calls)
}

func TestWhatTakesLongerThanTheLeaseIsBrokenOff(t *testing.T) {
	_, w, s := leased(t, 20*time.Millisecond)
	w.hang = true
	_, err := engineOn(t, s).Do(t.Context(), convo.ToContact("acme", "ann"),
		convo.Receive{Body: "hi"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "longer than the lease")
}

func TestARegistryIsAskedOnceInHalfALease(t *testing.T) {
	r, _, s := leased(t, time.Minute)
	e := engineOn(t, s)
	for i := range 20 {
		receive(t, e, "acme", fmt.Sprint(i))
	}
	assert.Equal(t, 1, r.asked)
	_, _, s = leased(t, 10*time.Millisecond)
	receive(t, engineOn(t, s), "acme", "hi")
	_, err := shardstore.New(r, map[string]*memstore.Store{"a": memstore.New()},
		shardstore.WithLease(time.Millisecond))
	require.ErrorIs(t, err, convo.ErrInvalid)
}

var errRegistry = errors.New("the registry is down")

// One that is down for less than the rest of a lease is not noticed; then nobody writes any more.
func TestWithoutItsRegistryAStoreGoesOnForALease(t *testing.T) {
	r, _, s := leased(t, 200*time.Millisecond)
	e := engineOn(t, s)
	receive(t, e, "acme", "hi")
	r.fail(errRegistry)
	var err error
	n := 0
	began := time.Now()
	for !errors.Is(err, errRegistry) && time.Since(began) < 5*time.Second {
		_, err = e.Do(t.Context(), convo.ToContact("acme", "ann"),
			convo.Receive{Body: fmt.Sprint(n)})
		if err == nil { // else it may have come too late for the rest of the lease
			n++
		}
	}
	require.ErrorIs(t, err, errRegistry)
	assert.Positive(t, n)
	r.fail(nil)
	receive(t, e, "acme", "hi")
}

// Who writes to a workspace whose writers are stopped waits, and goes on where it is then; who is
// in a transaction waits for nothing, and who waits for too long is told.
func TestWhoWritesWaitsWhileWritersAreStopped(t *testing.T) {
	r, w, s := leased(t, 50*time.Millisecond)
	r.set("acme", shardstore.Place{Shard: "a", Other: "b", Step: shardstore.StepStop})
	e := engineOn(t, s)
	in, err := s.In("a", w)
	require.NoError(t, err)
	_, err = engineOn(t, in).Do(t.Context(), convo.ToContact("acme", "ann"), convo.Open{By: ana})
	require.ErrorIs(t, err, shardstore.ErrMoving)
	began, before := time.Now(), shardstore.SetPatience(s, 200*time.Millisecond)
	_, err = e.Do(t.Context(), convo.ToContact("acme", "ann"), convo.Open{By: ana})
	require.ErrorIs(t, err, shardstore.ErrMoving)
	assert.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	shardstore.SetPatience(s, before)
	ended, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = e.Do(ended, convo.ToContact("acme", "ann"), convo.Open{By: ana})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	time.AfterFunc(50*time.Millisecond, func() {
		r.set("acme", shardstore.Place{Shard: "b", Other: "a", Step: shardstore.StepClear})
	})
	receive(t, e, "acme", "hi")
	k, err := w.Load(t.Context(), convo.ToContact("acme", "ann"))
	require.NoError(t, err)
	assert.Zero(t, k.Contact.Version, "nothing was written where it was")
	k, err = s.Load(t.Context(), convo.ToContact("acme", "ann"))
	require.NoError(t, err)
	assert.Equal(t, 1, k.Conversation.Cycle.Incoming)
}

// Nobody is given work of a workspace whose writers are stopped.
func TestThereIsNoWorkWhileWritersAreStopped(t *testing.T) {
	r, w, s := leased(t, 10*time.Millisecond)
	e := engineOn(t, s)
	_, err := e.Do(t.Context(), convo.ToContact("acme", "ann"), convo.Receive{Body: "hi"},
		convo.SetPending{By: ana, Until: start.AddDate(10, 0, 0)})
	require.NoError(t, err)
	noted, err := w.Noted(t.Context(), relay.Stream{}, 10)
	require.NoError(t, err)
	_, err = w.Queue(t.Context(), start, noted, map[string][]string{"acme": {"crm"}})
	require.NoError(t, err)
	receive(t, e, "acme", "hi again")
	r.set("acme", shardstore.Place{Shard: "a", Other: "b", Step: shardstore.StepStop})
	in := shardstore.Place{}
	for in.Step == "" { // until what was read is too old
		in, err = s.Place(t.Context(), "acme")
		require.NoError(t, err)
	}
	due, err := s.Due(t.Context(), convo.DueQuery{Before: start.AddDate(20, 0, 0), Limit: 10})
	require.NoError(t, err)
	assert.Empty(t, due)
	noted, err = s.Noted(t.Context(), relay.Stream{}, 10)
	require.NoError(t, err)
	assert.Empty(t, noted)
	claimed, err := s.Claim(t.Context(), relay.Claim{Now: start, Until: start, Limit: 9,
		MaxEvents: 9})
	require.NoError(t, err)
	assert.Empty(t, claimed)
}

func TestWhatCannotBeMovedIsSaid(t *testing.T) {
	r, _, s := leased(t, 10*time.Millisecond)
	_, err := s.Move(t.Context(), "acme", "c", nil)
	require.ErrorIs(t, err, convo.ErrInvalid)
	_, err = s.Move(t.Context(), "acme", "b", nil)
	require.ErrorIs(t, err, errors.ErrUnsupported, "memory stays where it is")
	_, err = three(t).Move(t.Context(), "acme", names[0], nil)
	require.ErrorIs(t, err, convo.ErrInvalid, "no Registry")
	_, err = three(t).AbortMove(t.Context(), "acme")
	require.ErrorIs(t, err, convo.ErrInvalid)
	at, err := s.AbortMove(t.Context(), "acme")
	require.NoError(t, err, "there is nothing to abort")
	assert.Equal(t, shardstore.Place{Shard: "a"}, at)
	_, err = s.Move(t.Context(), "unknown", "b", nil)
	require.ErrorIs(t, err, shardstore.ErrNoShard)
	r.set("acme", shardstore.Place{Shard: "a", Other: "c", Step: shardstore.StepCopy})
	_, err = s.Move(t.Context(), "acme", "b", nil)
	require.ErrorIs(t, err, shardstore.ErrNoShard)
}
