package convo_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// heard is what an Engine tells of its calls.
type heard struct {
	mu      sync.Mutex
	calls   []convo.Call
	results []convo.CallResult
}

func (h *heard) option() convo.Option {
	return convo.WithCalls(func(ctx context.Context, c convo.Call) (
		context.Context, func(convo.CallResult),
	) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, c)
		return ctx, func(r convo.CallResult) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.results = append(h.results, r)
		}
	})
}

// last is what the last call was, and what became of it without the times.
func (h *heard) last(t *testing.T) (convo.Call, convo.CallResult) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.NotEmpty(t, h.calls)
	require.Len(t, h.results, len(h.calls), "each is told once")
	r := h.results[len(h.results)-1]
	assert.Positive(t, r.Took)
	assert.LessOrEqual(t, r.Waited, r.Took)
	r.Took, r.Waited = 0, 0
	return h.calls[len(h.calls)-1], r
}

func TestEachCallIsToldWithWhatBecameOfIt(t *testing.T) {
	var h heard
	store := &lockingStore{Store: memstore.New()}
	e := newOn(t, store, h.option())
	ctx, ana := t.Context(), convo.ByUser("ana")
	bob, eve := convo.ToContact("acme", "bob"), convo.ToContact("acme", "eve")
	told := func(c convo.Call, want convo.CallResult) {
		t.Helper()
		gotCall, got := h.last(t)
		assert.Equal(t, c, gotCall)
		assert.Equal(t, want, got)
	}
	receive := convo.Receive{Channel: "chat", ExternalID: "1", Body: "Hello"}
	do := convo.Call{Name: convo.CallDo, Workspace: "acme", Command: "receive", Commands: 2}
	for _, want := range []convo.CallResult{
		{Outcome: convo.OutcomeAssigned}, {Outcome: convo.OutcomeDuplicate},
	} {
		_, err := e.Do(ctx, bob, receive, convo.Assign{By: ana, Assignee: "ana"})
		require.NoError(t, err)
		told(do, want)
	}
	_, err := e.Do(ctx, eve, convo.Close{By: ana})
	require.Error(t, err)
	told(convo.Call{Name: "do", Workspace: "acme", Command: "close", Commands: 1},
		convo.CallResult{Err: err})

	store.conflicts = 1
	_, err = e.DoFunc(ctx, bob, "", func(convo.Snapshot) ([]convo.Command, error) {
		return []convo.Command{convo.Prioritize{By: ana, Priority: convo.PriorityHigh}}, nil
	})
	require.NoError(t, err)
	told(convo.Call{Name: "do_func", Workspace: "acme"},
		convo.CallResult{Outcome: convo.OutcomePrioritized, Retries: 1, Locked: true})

	_, err = e.Do(ctx, eve, convo.Receive{Channel: "chat", Body: "Hi"})
	require.NoError(t, err)
	store.conflicts = 1
	merge := convo.Merge{Workspace: "acme", Primary: "bob", Secondary: "eve", By: ana}
	_, err = e.Merge(ctx, merge)
	require.NoError(t, err)
	told(convo.Call{Name: "merge", Workspace: "acme"},
		convo.CallResult{Outcome: convo.OutcomeMerged, Retries: 1, Locked: true})
	store.conflicts = 1
	_, err = e.Unmerge(ctx, convo.Unmerge{Workspace: "acme", Contact: "eve", By: ana})
	require.NoError(t, err)
	told(convo.Call{Name: "unmerge", Workspace: "acme"},
		convo.CallResult{Outcome: convo.OutcomeUnmerged, Retries: 1, Locked: true})

	store.conflicts = 1
	_, err = e.Erase(ctx, convo.Erase{Workspace: "acme", Contact: "eve", By: ana})
	require.NoError(t, err)
	told(convo.Call{Name: "erase", Workspace: "acme"},
		convo.CallResult{Outcome: convo.OutcomeErased, Retries: 1, Locked: true})

	_, err = e.Deliver(ctx, "acme", convo.Delivery{
		Channel: "chat", ExternalID: "1", Status: convo.DeliveryRead, At: time.Now(),
	})
	require.NoError(t, err)
	told(convo.Call{Name: "deliver", Workspace: "acme"}, convo.CallResult{})

	_, err = e.Do(ctx, bob, convo.SetPending{By: ana, Until: time.Now().Add(time.Millisecond)})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		n, err := e.Tick(ctx, 0)
		require.NoError(t, err)
		return n > 0
	}, time.Minute, time.Millisecond)
	c, r := h.last(t)
	assert.Equal(t, convo.Call{Name: "tick"}, c)
	assert.Equal(t, 1, r.Tick.Done)
	require.NoError(t, r.Err)
}

func TestACallThatPanicsIsToldToo(t *testing.T) {
	var h heard
	e := newOn(t, memstore.New(), h.option())
	assert.Panics(t, func() {
		_, _ = e.DoFunc(t.Context(), convo.ToContact("acme", "bob"), "",
			func(convo.Snapshot) ([]convo.Command, error) { panic("oops") })
	})
	_, r := h.last(t)
	assert.EqualError(t, r.Err, "convo: the call panicked")
}

func TestWhoHearsOfCallsIsNestedAndGivesTheContext(t *testing.T) {
	type key struct{}
	var order []string
	named := func(name string) convo.Option {
		return convo.WithCalls(func(ctx context.Context, _ convo.Call) (
			context.Context, func(convo.CallResult),
		) {
			within, _ := ctx.Value(key{}).(string)
			order = append(order, within+name)
			return context.WithValue(ctx, key{}, within+name), func(convo.CallResult) {
				order = append(order, "end "+within+name)
			}
		})
	}
	none := convo.WithCalls(func(ctx context.Context, _ convo.Call) (
		context.Context, func(convo.CallResult),
	) {
		return ctx, nil
	})
	e := newOn(t, memstore.New(), named("a"), none, named("b"),
		convo.WithObserver(func(ctx context.Context, _ []convo.Event) {
			order = append(order, "events "+ctx.Value(key{}).(string))
		}))
	_, err := e.With(memstore.New()).Do(t.Context(), convo.ToContact("acme", "bob"), hello)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "ab", "end ab", "end a"}, order, "its host tells of events")
	order = nil
	_, err = e.Do(t.Context(), convo.ToContact("acme", "bob"), hello)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "ab", "events ab", "end ab", "end a"}, order)
}

func TestHowLongACallWaitsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		store := &lockingStore{Store: memstore.New(), before: func() {
			time.Sleep(time.Second) // of the bubble's own clock
		}}
		e := newOn(t, store, h.option())
		store.conflicts = 1
		_, err := e.Do(t.Context(), convo.ToContact("acme", "bob"), hello)
		require.NoError(t, err)
		r := h.results[0]
		assert.Equal(t, time.Second, r.Waited, "for the lock")
		assert.Equal(t, time.Second, r.Took)

		var both sync.WaitGroup
		slow := func(convo.Snapshot) ([]convo.Command, error) {
			time.Sleep(100 * time.Millisecond) // of the bubble's own clock
			return nil, nil
		}
		for range 2 {
			both.Go(func() {
				_, err := e.DoFunc(t.Context(), convo.ToContact("acme", "bob"), "", slow)
				assert.NoError(t, err)
			})
		}
		both.Wait()
		assert.Zero(t, h.results[1].Waited)
		assert.Equal(t, h.results[1].Took, h.results[2].Waited, "for its turn")
		assert.False(t, h.results[2].Locked)
	})
}

func TestNobodyWhoHearsOfCallsCostsNothing(t *testing.T) {
	measure := func(opts ...convo.Option) float64 {
		e := newOn(t, memstore.New(), opts...)
		n := 0
		return testing.AllocsPerRun(2000, func() {
			n++
			_, err := e.Do(context.Background(), convo.ToContact("acme", strconv.Itoa(n)), hello)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	without := measure()
	with := measure(convo.WithCalls(func(ctx context.Context, _ convo.Call) (
		context.Context, func(convo.CallResult),
	) {
		return ctx, func(convo.CallResult) {}
	}))
	assert.LessOrEqual(t, with, without+2)
	assert.LessOrEqual(t, without, 9.0+lostByPools)
}

func TestWhatIsNotWellFormedIsNoCall(t *testing.T) {
	var h heard
	e := newOn(t, memstore.New(), h.option())
	_, err := e.Do(t.Context(), convo.Ref{}, hello)
	require.ErrorIs(t, err, convo.ErrInvalid)
	_, err = e.Tick(t.Context(), -1)
	require.ErrorIs(t, err, convo.ErrInvalid)
	_, err = e.Merge(t.Context(), convo.Merge{})
	require.ErrorIs(t, err, convo.ErrInvalid)
	assert.Empty(t, h.calls)
}
