package convo_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// pended has contacts of a workspace wait for a minute, from this one on.
func (d *desk) pended(workspace string, from, n int) {
	d.t.Helper()
	for i := from; i < from+n; i++ {
		d.do(convo.ToContact(workspace, fmt.Sprint("c", i)), convo.Open{By: agentAna},
			convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Minute)})
	}
}

// statsTo appends the numbers of each Tick.
func statsTo(all *[]convo.TickStats) convo.Option {
	return convo.WithTickStats(func(s convo.TickStats) { *all = append(*all, s) })
}

// F5: what fails does not keep another workspace waiting, however much it is.
func TestAWorkspaceWhosePolicyFailsStarvesNoOther(t *testing.T) {
	many := []int{1_000}
	if !testing.Short() {
		many = append(many, 100_000)
	}
	for _, failing := range many {
		var broken atomic.Bool
		lookUps := map[string]int{}
		var stats []convo.TickStats
		d := openDesk(t, convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy,
			error) {
			lookUps[of.Workspace]++
			if broken.Load() && of.Workspace == "broken" {
				return nil, errPower
			}
			return nil, nil
		}), statsTo(&stats))
		d.pended("broken", 0, failing) // these are due first
		d.wait(time.Millisecond)
		d.pended("sound", 0, 5)
		broken.Store(true)
		d.wait(time.Hour)
		clear(lookUps)
		n, err := d.Tick(t.Context(), 0)
		assert.ErrorIs(t, err, errPower)
		assert.ErrorContains(t, err, `workspace "broken"`)
		assert.Equal(t, 5, n)
		assert.Equal(t, map[string]int{"broken": 1, "sound": 1}, lookUps)
		assert.Equal(t, 1, stats[0].Failed)
		assert.Positive(t, stats[0].PutOff)
		assert.Equal(t, 5, stats[0].Loads, "what cannot be decided is not loaded")

		broken.Store(false)
		if failing > 1000 {
			continue
		}
		done := 0
		for range failing / convo.MaxPageSize {
			n, err := d.Tick(t.Context(), convo.MaxPageSize)
			require.NoError(t, err)
			done += n
		}
		assert.Equal(t, failing, done)
	}
}

// What fails again is tried less and less often, and is not reported in between.
func TestWhatFailsIsPutOffLongerEachTime(t *testing.T) {
	for what, opts := range map[string]func(fails func() error) convo.Option{
		"policy": func(fails func() error) convo.Option {
			return convo.WithPolicies(func(context.Context, convo.Scope) (*convo.Policy, error) {
				return nil, fails()
			})
		},
		"guard": func(fails func() error) convo.Option {
			return convo.WithGuard(func(context.Context, convo.Snapshot, convo.Change) error {
				return fails()
			})
		},
	} {
		t.Run(what, func(t *testing.T) {
			tries, fail := 0, error(nil)
			var stats []convo.TickStats
			d := openDesk(t, statsTo(&stats), opts(func() error { tries++; return fail }))
			d.pended(tenant, 0, 1)
			d.wait(time.Hour)
			fail = errPower
			began := d.clock.Now()
			var at []time.Duration
			for range 4000 {
				tries = 0
				_, err := d.Tick(t.Context(), 0)
				last := stats[len(stats)-1]
				if tries > 0 {
					at = append(at, d.clock.Now().Sub(began))
					require.ErrorIs(t, err, errPower)
					require.Equal(t, 1, last.Failed)
				} else {
					require.NoError(t, err)
					require.Equal(t, convo.TickStats{PutOff: 1}, last)
				}
				d.wait(time.Second)
			}
			var want []time.Duration
			next := time.Duration(0)
			for pause := time.Second; next < 4000*time.Second; {
				want = append(want, next)
				if next == 0 { // the next Tick tries at once
					next = time.Second
					continue
				}
				next += pause
				pause = min(2*pause, 15*time.Minute)
			}
			assert.Equal(t, want, at)
			fail = nil
			d.wait(15 * time.Minute)
			assert.Equal(t, 1, d.tick())

			// It has worked, so the next failure is the first one.
			d.do(toContact("c0"),
				convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Minute)})
			d.wait(time.Hour)
			fail = errPower
			for range 2 {
				_, err := d.Tick(t.Context(), 0)
				assert.ErrorIs(t, err, errPower)
			}
		})
	}
}

// One that a guard refuses does not take with it those which are handled in the same commit.
func TestAGuardRefusesOneOfABatch(t *testing.T) {
	var stats []convo.TickStats
	refuse := errors.New("not this one")
	d := openDesk(t, statsTo(&stats), convo.WithGuard(
		func(_ context.Context, loaded convo.Snapshot, ch convo.Change) error {
			if loaded.Contact.ID == "c7" && ch.Events[0].Kind == convo.ConversationResumed {
				return refuse
			}
			return nil
		}))
	d.pended(tenant, 0, 20)
	d.wait(time.Hour)
	n, err := d.Tick(t.Context(), 0)
	assert.ErrorIs(t, err, refuse)
	assert.Equal(t, 19, n)
	assert.Equal(t, convo.TickStats{
		Done: 19, Failed: 1, Loads: 20, Late: 59 * time.Minute, Err: err,
	}, stats[0])
}

// A scope of which many fail is left for the next Tick, so that others have their turn, and what
// can be handled behind them has its own.
func TestManyThatFailDoNotHoldUpATick(t *testing.T) {
	var stats []convo.TickStats
	d := openDesk(t, statsTo(&stats), convo.WithGuard(
		func(_ context.Context, loaded convo.Snapshot, ch convo.Change) error {
			if loaded.Contact.Workspace == "bad" && len(loaded.Contact.ID) > 2 &&
				ch.Events[0].Kind == convo.ConversationResumed {
				return errPower
			}
			return nil
		}))
	d.pended("bad", 100, 900)
	d.wait(time.Millisecond)
	d.pended("bad", 0, 3)
	d.pended("good", 0, 3)
	d.wait(time.Hour)
	n, err := d.Tick(t.Context(), 500)
	assert.ErrorIs(t, err, errPower)
	assert.Equal(t, 3, n)
	assert.LessOrEqual(t, stats[0].Loads, 203)
	for range 10 { // 100 that have not failed before, and 100 that have
		d.wait(time.Minute)
		if _, err := d.Tick(t.Context(), 500); err != nil {
			assert.LessOrEqual(t, strings.Count(err.Error(), "\n"), 101)
		}
		assert.LessOrEqual(t, stats[len(stats)-1].Failed, 200)
	}
	for i := range 3 {
		s, err := d.store.Load(t.Context(), convo.ToContact("bad", fmt.Sprint("c", i)))
		require.NoError(t, err)
		assert.Equal(t, convo.StatusOpen, s.Conversation.Status)
	}
}

// meddling is a store of which f is called before each commit of many.
type meddling struct {
	*memstore.Store
	f func()
}

func (m *meddling) Commit(ctx context.Context, changes ...convo.Change) error {
	if len(changes) > 1 && m.f != nil {
		m.f()
		m.f = nil
	}
	return m.Store.Commit(ctx, changes...)
}

// A batch that somebody else was faster than is done one by one, and each is done once.
func TestABatchThatLostARaceIsDoneOneByOne(t *testing.T) {
	var stats []convo.TickStats
	m := &meddling{Store: memstore.New()}
	d := openDeskOn(t, m, statsTo(&stats))
	d.pended(tenant, 0, 10)
	d.wait(time.Hour)
	m.f = func() {
		d.do(toContact("c3"), convo.Close{By: agentAna})
		d.do(toContact("c4"), convo.Note{By: agentAna, Body: "wait"})
	}
	assert.Equal(t, 9, d.tick())
	assert.Equal(t, 1, stats[0].Refused)
	assert.Equal(t, 19, stats[0].Loads)
	assert.Zero(t, stats[0].Failed)
	assert.Zero(t, d.tick())
}

// losing is a store that loses the first batch, and has all of it held still.
type losing struct {
	*memstore.Store
	lost bool
}

func (l *losing) LockDue(
	context.Context, time.Time, []convo.Ref, func(context.Context, []convo.Snapshot) error,
) error {
	if l.lost {
		return nil
	}
	l.lost = true
	return errPower
}

// What became of a batch that was lost is not known while it is held: the Tick has not succeeded.
func TestABatchThatIsLostAndHeldIsNoSuccess(t *testing.T) {
	d := openDeskOn(t, &losing{Store: memstore.New()})
	d.pended(tenant, 0, 10)
	d.wait(time.Hour)
	n, err := d.Tick(t.Context(), 0)
	require.ErrorIs(t, err, errPower)
	assert.Zero(t, n)
}

// A store that is not there puts nothing off: when it is back, all is done at once.
func TestAStoreThatIsAwayPutsNothingOff(t *testing.T) {
	s := shake(newStore())
	var stats []convo.TickStats
	d := openDeskOn(t, s, statsTo(&stats))
	d.pended(tenant, 0, 10)
	d.wait(time.Hour)
	for range 5 {
		loads := 0
		s.before = func(call string, _ int) error {
			if call == "Load" {
				loads++
			}
			if loads > 0 {
				return errPower
			}
			return nil
		}
		_, err := d.Tick(t.Context(), 0)
		assert.ErrorIs(t, err, errPower)
		assert.Equal(t, 1, loads)
	}
	s.before = nil
	assert.Equal(t, 10, d.tick())
	assert.Zero(t, stats[len(stats)-1].PutOff)
}

// A conversation that moved to another scope after the look-up is decided by the policy of that.
func TestOneThatMovesMeanwhileGoesByItsNewPolicy(t *testing.T) {
	never, soon := convo.Policy{}, closeAfter(time.Hour)
	moved := false
	var d *desk
	d = openDesk(t, convo.WithPolicies(func(ctx context.Context, of convo.Scope) (*convo.Policy,
		error) {
		if of.Lane == "slow" {
			return &never, nil
		}
		if moved {
			moved = false
			_, err := d.With(d.store, &never).Do(ctx, toContact("carl"),
				convo.Move{By: agentAna, Lane: new("slow"), At: morning.Add(40 * time.Minute)})
			require.NoError(d.t, err) // before what the hint says, which so stays
		}
		return &soon, nil
	}))
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hi"}).Conversation.ID
	d.wait(30 * time.Minute)
	d.do(toContact("carl"), convo.Note{By: agentAna, Body: "the hint stays"})
	d.wait(time.Hour)
	moved = true
	assert.Zero(t, d.tick())
	assert.Equal(t, convo.StatusOpen, d.get(id).Status)
}

// locked says whether LockDue runs a function.
type lockedStore struct {
	*memstore.Store
	locked atomic.Int32
}

func (l *lockedStore) LockDue(ctx context.Context, before time.Time, due []convo.Ref,
	f func(context.Context, []convo.Snapshot) error) error {
	return l.Store.LockDue(ctx, before, due,
		func(ctx context.Context, held []convo.Snapshot) error {
			l.locked.Add(1)
			defer l.locked.Add(-1)
			return f(ctx, held)
		})
}

func TestPoliciesAreNotLookedUpWhileTheStoreHoldsALock(t *testing.T) {
	s := &lockedStore{Store: memstore.New()}
	lookUps := 0
	d := openDeskOn(t, s, convo.WithPolicies(
		func(context.Context, convo.Scope) (*convo.Policy, error) {
			lookUps++
			assert.Zero(t, s.locked.Load())
			return nil, nil
		}))
	d.pended(tenant, 0, 250)
	d.wait(time.Hour)
	lookUps = 0
	assert.Equal(t, 250, d.tick())
	assert.Equal(t, 1, lookUps, "once for a page")
}

// F8: however many runners there are, each timer is loaded once and no commit is refused.
func TestRunnersShareTheWork(t *testing.T) {
	const due = 2000
	store := memstore.New()
	d := openDeskOn(t, store)
	d.pended(tenant, 0, due)
	d.wait(time.Hour)
	for _, runners := range []int{1, 2, 4, 8} {
		var sum convo.TickStats
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range runners {
			e, err := convo.New(store, convo.WithClock(d.clock), convo.WithTickStats(
				func(s convo.TickStats) {
					mu.Lock()
					defer mu.Unlock()
					sum.Done, sum.Loads = sum.Done+s.Done, sum.Loads+s.Loads
					sum.Refused += s.Refused
				}))
			require.NoError(t, err)
			wg.Go(func() {
				for n := convo.DefaultTick; n == convo.DefaultTick; {
					n, err = e.Tick(context.Background(), 0)
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, due, sum.Done, "%d runners", runners)
		assert.Equal(t, due, sum.Loads, "%d runners", runners)
		assert.Zero(t, sum.Refused, "%d runners", runners)
		for i := range due {
			d.do(toContact(fmt.Sprint("c", i)),
				convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Minute)})
		}
		d.wait(time.Hour)
	}
}

// O10: what is long overdue is left alone, and nothing behind it waits for it.
func TestAGraceLeavesAloneWhatIsLongOverdue(t *testing.T) {
	var stats []convo.TickStats
	policy := closeAfter(3 * time.Hour)
	d := openDesk(t, convo.WithPolicy(policy))
	for i := range 250 {
		until := morning.Add(time.Minute)
		if i == 0 {
			until = morning.Add(220 * time.Minute) // overdue by not much more than the grace
		}
		d.do(toContact(fmt.Sprint("old ", i)), convo.Open{By: agentAna},
			convo.SetPending{By: agentAna, Until: until})
	}
	d.do(toContact("early hint"), convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hi"})
	d.wait(170 * time.Minute) // its hint is at 180 minutes, and what is due at 350
	early := d.do(toContact("early hint"),
		convo.Send{By: agentAna, Body: "still there?"}).Conversation
	d.do(toContact("recent"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna, Until: morning.Add(300 * time.Minute)})
	d.wait(190 * time.Minute) // 360 by now
	e, err := convo.New(d.store, convo.WithPolicy(policy), convo.WithClock(d.clock),
		statsTo(&stats), convo.WithTickGrace(100*time.Minute))
	require.NoError(t, err)
	n, err := e.Tick(t.Context(), 300)
	require.NoError(t, err)
	assert.Equal(t, 2, n, "the recent one, and the one whose hint only was old")
	assert.Equal(t, convo.StatusClosed, d.get(early.ID).Status)
	assert.Equal(t, 250, stats[0].Left)
	assert.Equal(t, time.Hour, stats[0].Late)
	n, err = e.Tick(t.Context(), 300)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Zero(t, stats[1].Loads, "they are not looked at all the time")
	d.wait(10 * time.Minute)
	_, err = e.Tick(t.Context(), 100)
	require.NoError(t, err)
	assert.Equal(t, 100, stats[2].Left, "and not all at once")
	for range 2 {
		_, err = e.Tick(t.Context(), 100)
		require.NoError(t, err)
	}
	assert.Equal(t, 50, stats[4].Left, "but each")
	assert.Equal(t, 250, d.tick(), "without a grace they are handled")
	_, err = convo.New(d.store, convo.WithTickGrace(-1))
	requireInvalid(t, "tick_grace", err)
}

// The limit is of conversations, though more may be due on one.
func TestTheLimitOfATickIsOfConversations(t *testing.T) {
	for _, store := range []convo.Store{newStore(), &lameStore{Store: newStore()}} {
		var more []bool
		d := openDeskOn(t, store, closesAfter(time.Hour),
			convo.WithTickStats(func(s convo.TickStats) { more = append(more, s.More) }))
		for i := range 5 {
			d.do(toContact(fmt.Sprint("c", i)), convo.Open{By: agentAna},
				convo.Send{By: agentAna, Body: "hi"},
				convo.SetPending{By: agentAna, Until: morning.Add(time.Minute)})
		}
		d.wait(24 * time.Hour)
		for _, want := range []int{4, 4, 2, 0} { // woken and closed
			n, err := d.Tick(t.Context(), 2)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		assert.Equal(t, []bool{true, true, false, false}, more)
	}
}

// Run, in the time of a bubble.

func TestRunTicksAtOnceWhileThereIsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var stats []convo.TickStats
		d := openDesk(t, convo.WithTickStats(func(s convo.TickStats) {
			stats = append(stats, s)
			if !s.More {
				cancel()
			}
		}))
		d.pended(tenant, 0, 2*convo.DefaultTick+1)
		d.wait(time.Hour)
		began := time.Now()
		assert.ErrorIs(t, d.Run(ctx, time.Hour), context.Canceled)
		assert.Zero(t, time.Since(began))
		require.Len(t, stats, 3)
		assert.Equal(t, []bool{true, true, false},
			[]bool{stats[0].More, stats[1].More, stats[2].More})
		assert.Equal(t, 1, stats[2].Done)
	})
}

func TestRunTicksOnAnIntervalWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := shake(newStore())
		s.before = func(call string, _ int) error {
			if call == "Due" {
				return errPower
			}
			return nil
		}
		var at []time.Duration
		began := time.Now()
		d := openDeskOn(t, s, convo.WithTickStats(func(s convo.TickStats) {
			assert.ErrorIs(t, s.Err, errPower)
			if at = append(at, time.Since(began)); len(at) == 50 {
				cancel()
			}
		}))
		assert.ErrorIs(t, d.Run(ctx, time.Minute), context.Canceled)
		var pauses []time.Duration
		for i := range len(at) - 1 {
			pauses = append(pauses, at[i+1]-at[i])
		}
		assert.GreaterOrEqual(t, slices.Min(pauses), 54*time.Second)
		assert.LessOrEqual(t, slices.Max(pauses), 66*time.Second)
		assert.Greater(t, slices.Max(pauses)-slices.Min(pauses), time.Second, "they differ")
	})
}

func TestRunEndsInItsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := 0
		d := openDesk(t, convo.WithTickStats(func(convo.TickStats) { ticks++ }))
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		began := time.Now()
		assert.ErrorIs(t, d.Run(ctx, time.Minute), context.DeadlineExceeded)
		assert.Equal(t, 90*time.Second, time.Since(began))
		assert.Equal(t, 2, ticks)
		requireInvalid(t, "every", d.Run(t.Context(), -1))
	})
}

// No interval is so long that it is counted as none.
func TestRunWaitsForAsLongAsCanBeSaid(t *testing.T) {
	seldom := []time.Duration{40 * 365 * 24 * time.Hour, math.MaxInt64}
	for _, every := range slices.Repeat(seldom, 20) { // a tenth more or less is at random
		synctest.Test(t, func(t *testing.T) {
			ticks := 0
			ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
			defer cancel()
			d := openDesk(t, convo.WithTickStats(func(convo.TickStats) {
				if ticks++; ticks > 1 {
					cancel()
				}
			}))
			assert.ErrorIs(t, d.Run(ctx, every), context.DeadlineExceeded)
			assert.Equal(t, 1, ticks)
		})
	}
}

func TestAGraceMayBeAsLongAsCanBeSaid(t *testing.T) {
	var stats convo.TickStats
	d := openDeskOn(t, loneStore{newStore()}, convo.WithTickGrace(math.MaxInt64),
		convo.WithTickStats(func(s convo.TickStats) { stats = s }))
	d.pended(tenant, 0, 1)
	assert.Zero(t, d.tick())
	assert.Zero(t, stats.Loads, "nothing is due yet")
	d.wait(100 * time.Hour)
	assert.Equal(t, 1, d.tick())
}

func TestATickThatIsRefusedForItsLimitHasNoNumbers(t *testing.T) {
	var stats []convo.TickStats
	d := openDesk(t, statsTo(&stats))
	for _, limit := range []int{-1, convo.MaxPageSize + 1} {
		_, err := d.Tick(t.Context(), limit)
		requireInvalid(t, "limit", err)
	}
	assert.Empty(t, stats)
}
