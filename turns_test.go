package convo_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// distant is a store with a lock that is far away: each trip takes a millisecond of the bubble's
// clock, so that calls which begin together are under way together.
type distant struct {
	convo.Store
	loads, commits, refused atomic.Int64
	fails                   func(n int64) error // the n-th commit, before it
	failsAfter              func(n int64) error
	refuses                 func(ch *convo.Change) bool
	unlocked                func() error // what a lock ends with after all went well
	first                   bool         // calls begin under the lock
	again                   bool         // what is done under a lock is undone, and done again
}

func (d *distant) LockFirst() bool { return d.first }

type (
	undone struct{} // in the context of what is
	locked struct{} // in the context of what is done under a lock
)

func (d *distant) IsLocked(ctx context.Context) bool { return ctx.Value(locked{}) != nil }

func (d *distant) Locked(
	ctx context.Context, _ string, f func(ctx context.Context) error,
) error {
	ctx = context.WithValue(ctx, locked{}, true)
	if d.again {
		_ = f(context.WithValue(ctx, undone{}, true))
	}
	err := f(ctx)
	if err == nil && d.unlocked != nil {
		err = d.unlocked()
	}
	return err
}

func (d *distant) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	d.loads.Add(1)
	s, err := d.Store.Load(ctx, to)
	<-time.After(time.Millisecond)
	return s, err
}

func (d *distant) Commit(ctx context.Context, changes ...convo.Change) error {
	if ctx.Value(undone{}) != nil {
		return nil
	}
	n := d.commits.Add(1)
	if d.fails != nil {
		if err := d.fails(n); err != nil {
			return err
		}
	}
	var err error
	if d.refuses != nil && d.refuses(&changes[0]) {
		err = convo.ErrConflict
	} else {
		err = d.Store.Commit(ctx, changes...)
	}
	if err != nil {
		d.refused.Add(1)
	}
	<-time.After(time.Millisecond)
	if d.failsAfter != nil && err == nil {
		err = d.failsAfter(n)
	}
	return err
}

// inBubble calls f with a store where calls lock after a conflict, and with one where they begin so.
func inBubble(t *testing.T, f func(t *testing.T, d *distant)) {
	t.Helper()
	for name, first := range map[string]bool{"after a conflict": false, "from the first on": true} {
		t.Run("locked "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f(t, &distant{Store: memstore.New(), first: first})
			})
		})
	}
}

func newOn(t *testing.T, s convo.Store, opts ...convo.Option) *convo.Engine {
	t.Helper()
	e, err := convo.New(s, opts...)
	require.NoError(t, err)
	return e
}

var hot = convo.ToContact("acme", "susan")

func TestCallsForOneContactTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		e := newOn(t, d, convo.WithKept(0))
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				_, err := e.Do(t.Context(), hot,
					convo.Receive{Body: "hi", Key: strconv.Itoa(i)})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Zero(t, d.refused.Load())
		assert.EqualValues(t, 1, d.loads.Load(), "all others came while the first one loaded")
		assert.EqualValues(t, 1, d.commits.Load())
		c, err := e.Conversation(t.Context(), hot)
		require.NoError(t, err)
		assert.Equal(t, 20, c.Cycle.Incoming)
	})
}

func TestCallsForDifferentContactsDoNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		e := newOn(t, d)
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 20 {
			to := convo.ToContact("acme", strconv.Itoa(i))
			wg.Go(func() {
				_, err := e.Do(t.Context(), to, convo.Open{By: convo.ByUser("ana")})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Equal(t, 2*time.Millisecond, time.Since(began))
	})
}

// Who gives up while waiting is told so, writes nothing, and keeps nobody behind it waiting.
func TestWhoGivesUpItsTurnIsPassedOver(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		e := newOn(t, d, convo.WithKept(0))
		var wg sync.WaitGroup
		for i := range 9 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if i%3 == 1 { // while the first one loads
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond/8)
			}
			wg.Go(func() {
				defer cancel()
				<-time.After(time.Duration(i) * time.Microsecond)
				_, err := e.Do(ctx, hot, convo.Receive{Body: strconv.Itoa(i)})
				if i%3 == 1 {
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				} else {
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		began := time.Now()
		_, err := e.Do(t.Context(), hot, convo.Receive{Body: "last"})
		require.NoError(t, err)
		assert.Equal(t, 2*time.Millisecond, time.Since(began), "nobody holds a turn any more")
		c, err := e.Conversation(t.Context(), hot)
		require.NoError(t, err)
		assert.Equal(t, 7, c.Cycle.Incoming)
	})
}

// near is a store with a lock that is next door.
type near struct{ distant }

func (n *near) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	return n.Store.Load(ctx, to)
}

func (n *near) Commit(ctx context.Context, changes ...convo.Change) error {
	return n.Store.Commit(ctx, changes...)
}

// A call that has given up before it begins is in nobody's commit.
func TestWhoHasGivenUpBeforeIsNotDecidedWithOthers(t *testing.T) {
	e := newOn(t, &near{distant{Store: memstore.New()}})
	given, cancel := context.WithCancel(t.Context())
	cancel()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 2000 {
				_, err := e.Do(t.Context(), hot, convo.Receive{Body: "wanted"})
				assert.NoError(t, err)
			}
		})
		wg.Go(func() {
			for range 20_000 {
				_, err := e.Do(given, hot, convo.Receive{Body: "not wanted"})
				if !assert.Equal(t, context.Canceled, err) {
					return
				}
			}
		})
	}
	wg.Wait()
	c, err := e.Conversation(t.Context(), hot)
	require.NoError(t, err)
	assert.Equal(t, 6000, c.Cycle.Incoming)
}

// Who gives up while another one commits what it wants written is told that it does not know.
func TestWhoGivesUpInACommitDoesNotKnow(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		e := newOn(t, d)
		var wg sync.WaitGroup
		for i := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if i == 1 {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 3*time.Millisecond/2)
			}
			wg.Go(func() {
				defer cancel()
				<-time.After(time.Duration(i) * time.Microsecond)
				r, err := e.Do(ctx, hot, convo.Receive{Body: strconv.Itoa(i), Key: strconv.Itoa(i)})
				if i == 1 {
					assert.ErrorIs(t, err, convo.ErrCommitUnknown)
					assert.ErrorIs(t, err, context.DeadlineExceeded)
					return
				}
				assert.NoError(t, err)
				assert.Equal(t, i+1, r.Conversation.Cycle.Incoming)
			})
		}
		wg.Wait()
		r, err := e.Do(t.Context(), hot, convo.Receive{Body: "1", Key: "1"})
		require.NoError(t, err)
		assert.Equal(t, convo.OutcomeDuplicate, r.Outcome)
	})
}

// A call that breaks off leaves the others their turns. Where it panics in the commit, nobody knows.
func TestWhoBreaksOffHoldsUpNobody(t *testing.T) {
	for name, breaksOff := range map[string]func() error{
		"an error": func() error { return errors.New("power cut") },
		"a panic":  func() error { panic("power cut") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, d *distant) {
				d.fails = func(n int64) error {
					if n == 1 {
						return breaksOff()
					}
					return nil
				}
				e := newOn(t, d)
				var wg sync.WaitGroup
				for i := range 4 {
					wg.Go(func() {
						defer func() { assert.Equal(t, i == 0 && name == "a panic", recover() != nil) }()
						<-time.After(time.Duration(i) * time.Microsecond)
						_, err := e.Do(t.Context(), hot, convo.Receive{Body: "hi"})
						if name == "a panic" {
							assert.ErrorIs(t, err, convo.ErrCommitUnknown)
						} else {
							assert.Equal(t, i == 0, err != nil, err)
						}
					})
				}
				wg.Wait()
				_, err := e.Do(t.Context(), hot, convo.Receive{Body: "hi"})
				require.NoError(t, err)
			})
		})
	}
}

// A guard that calls the engine for the same contact would wait for itself.
func TestATurnIsNotWaitedForForever(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		var e *convo.Engine
		inner := false
		e = newOn(t, d, convo.WithGuard(
			func(ctx context.Context, _ convo.Snapshot, _ convo.Change) error {
				if inner {
					return nil
				}
				inner = true
				_, err := e.Do(ctx, hot, convo.Note{By: convo.ByUser("ana"), Body: "seen"})
				if !errors.Is(err, convo.ErrNotFound) {
					return errors.Join(err, errors.New("nobody is there yet"))
				}
				return nil
			}))
		began := time.Now()
		_, err := e.Do(t.Context(), hot, convo.Receive{Body: "hi"})
		require.NoError(t, err)
		assert.Less(t, time.Since(began), 2*time.Second)
	})
}

// Under a lock nobody waits at all: who has the turn may be waiting for that lock, with all others.
func TestNobodyWaitsUnderALock(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		e := newOn(t, d)
		under := make(chan error)
		d.fails = func(n int64) error { // whose turn it is waits for what is done under the lock
			if n == 1 {
				return <-under
			}
			return nil
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.Do(t.Context(), hot, convo.Receive{Body: "hi"})
			assert.NoError(t, err)
		})
		<-time.After(10 * time.Millisecond) // it is at its commit
		began := time.Now()
		require.NoError(t, d.Locked(t.Context(), hot.Workspace, func(ctx context.Context) error {
			_, err := e.Do(ctx, hot, convo.Receive{Body: "from within"})
			assert.Less(t, time.Since(began), 10*time.Millisecond) // some trips
			return err
		}))
		under <- nil
		wg.Wait()
	})
}

// In the host's own transaction nobody waits: it may hold what the call with the turn waits for.
func TestNobodyWaitsInsideATransaction(t *testing.T) {
	inBubble(t, func(t *testing.T, d *distant) {
		e := newOn(t, d)
		var within time.Duration
		other := newOn(t, d, convo.WithIDs(func() uuid.UUID { return uuid.New() }))
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.DoFunc(t.Context(), hot, "",
				func(convo.Snapshot) ([]convo.Command, error) {
					began := time.Now()
					_, err := e.With(d).Do(t.Context(), hot, convo.Receive{Body: "first"})
					within = time.Since(began)
					return nil, err
				})
			assert.NoError(t, err)
		})
		wg.Wait()
		assert.Equal(t, 2*time.Millisecond, within)
		_, err := other.Do(t.Context(), hot, convo.Receive{Body: "second"})
		require.NoError(t, err)
	})
}
