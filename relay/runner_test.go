package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

// times notes when something was done. It is safe for concurrent use.
type times struct {
	mu  sync.Mutex
	all []time.Time
}

func (n *times) note() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, time.Now())
	return len(n.all)
}

// gaps are the times between one and the next.
func (n *times) gaps() (all []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := 1; i < len(n.all); i++ {
		all = append(all, n.all[i].Sub(n.all[i-1]))
	}
	return all
}

// running has a Runner run for a while in a bubble, and returns what Run returned.
func running(t *testing.T, d time.Duration, r *relay.Runner) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	return r.Run(ctx)
}

func TestAJobIsDoneAgainAfterItsIntervalGiveOrTakeATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n times
		err := running(t, time.Hour, &relay.Runner{Jobs: []relay.Job{{
			Name: "sweep", Every: 10 * time.Second,
			Do: func(context.Context) (bool, error) { n.note(); return false, nil },
		}}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		gaps := n.gaps()
		assert.InDelta(t, 360, len(gaps), 36)
		for _, gap := range gaps {
			assert.InDelta(t, 10*time.Second, gap, float64(time.Second))
		}
		slices.Sort(gaps)
		assert.Greater(t, gaps[len(gaps)-1]-gaps[0], time.Second, "it is not always the same")
	})
}

func TestAJobIsDoneAtOnceWhileThereIsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n times
		_ = running(t, time.Minute, &relay.Runner{Jobs: []relay.Job{{
			Name: "sweep", Every: time.Hour,
			Do: func(context.Context) (bool, error) {
				if n.note() == 2 {
					return true, errors.New("one of them failed")
				}
				return len(n.gaps()) < 4, nil
			},
		}}})
		assert.Equal(t, make([]time.Duration, 4), n.gaps())
	})
}

func TestOneJobThatFailsOrPanicsEndsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sane, fails, panics times
		var log bytes.Buffer
		var mu sync.Mutex
		runs := map[string][]relay.JobRun{}
		_ = running(t, 10*time.Minute, &relay.Runner{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Observe: func(run relay.JobRun) {
				mu.Lock()
				defer mu.Unlock()
				runs[run.Job] = append(runs[run.Job], run)
			},
			Jobs: []relay.Job{
				{Name: "sane", Every: time.Second, Do: func(context.Context) (bool, error) {
					sane.note()
					return false, nil
				}},
				{Name: "fails", Every: time.Second, MaxWait: 8 * time.Second,
					Do: func(context.Context) (bool, error) {
						if fails.note() == 10 {
							return false, nil
						}
						return false, errors.New("broken")
					}},
				{Name: "panics", Every: time.Second, Do: func(context.Context) (bool, error) {
					panics.note()
					panic("oops")
				}},
			},
		})
		assert.InDelta(t, 600, len(sane.gaps()), 60)
		assert.InDelta(t, 600, len(panics.gaps()), 60, "without MaxWait the interval stays")
		for i, want := range []float64{1, 2, 4, 8, 8, 8, 8, 8, 8, 1, 1, 2, 4, 8} {
			assert.InDelta(t, want, fails.gaps()[i].Seconds(), want/10, "the wait after run %d", i+1)
		}
		assert.ErrorContains(t, runs["panics"][0].Err, "panicked: oops")
		assert.ErrorContains(t, runs["panics"][0].Err, "runner_test.go", "where it did")
		assert.EqualError(t, runs["fails"][0].Err, "broken")
		assert.NoError(t, runs["sane"][0].Err)
		assert.Contains(t, log.String(), `level=WARN msg="convo: job" job=fails error=broken`)
		assert.NotContains(t, log.String(), "job=sane")
	})
}

func TestWhatIsInHandMayEndWhenARunnerStops(t *testing.T) {
	for _, c := range []struct {
		name        string
		takes       time.Duration
		grace, want time.Duration
		cutOff      bool
	}{
		{"within the grace", 3 * time.Second, 10 * time.Second, 3 * time.Second, false},
		{"not within it", time.Minute, 10 * time.Second, 10 * time.Second, true},
		{"without one", time.Minute, 0, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var runs []relay.JobRun
				ctx, stop := context.WithCancel(t.Context())
				begun := make(chan struct{}, 1)
				r := &relay.Runner{
					Grace: c.grace, Logger: slog.New(slog.NewTextHandler(&log, nil)),
					Observe: func(run relay.JobRun) { runs = append(runs, run) },
					Jobs: []relay.Job{{
						Name: "slow", Every: time.Second,
						Do: func(ctx context.Context) (bool, error) {
							begun <- struct{}{}
							select {
							case <-time.After(c.takes):
								return true, nil
							case <-ctx.Done():
								return true, ctx.Err()
							}
						},
					}},
				}
				var err error
				var wg sync.WaitGroup
				wg.Go(func() { err = r.Run(ctx) })
				<-begun
				stop()
				at := time.Now()
				wg.Wait()
				assert.Equal(t, c.want, time.Since(at))
				require.ErrorIs(t, err, context.Canceled)
				require.Len(t, runs, 1, "nothing is begun any more")
				assert.Equal(t, c.cutOff, runs[0].Err != nil)
				assert.Equal(t, c.want, runs[0].Took)
				assert.Empty(t, log.String(), "that is no failure")
			})
		})
	}
}

func TestAWorkerIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n times
		wake := make(chan struct{})
		go func() { wake <- struct{}{} }()
		_ = running(t, time.Minute, &relay.Runner{Jobs: []relay.Job{{
			Name: "sweep", Every: time.Hour, Wake: wake, Workers: 3,
			Do: func(context.Context) (bool, error) { n.note(); return false, nil },
		}}})
		assert.Len(t, n.all, 3+1)
	})
}

// What comes before a job has rested is done together, and nothing waits longer than that.
func TestAJobThatIsWokenOftenRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n times
		wake := make(chan struct{}, 1)
		go func() {
			for range 100 {
				select {
				case wake <- struct{}{}:
				default: // it will be woken anyway
				}
				time.Sleep(time.Millisecond) // of the bubble's own clock
			}
		}()
		_ = running(t, time.Minute, &relay.Runner{Jobs: []relay.Job{{
			Name: "sweep", Every: time.Hour, Wake: wake, Rest: 20 * time.Millisecond,
			Do: func(context.Context) (bool, error) { n.note(); return false, nil },
		}}})
		require.Greater(t, len(n.all), 5)
		assert.Less(t, len(n.all), 10)
		for i, at := range n.all[1:] {
			assert.Equal(t, 20*time.Millisecond, at.Sub(n.all[i]))
		}
	})
}

func TestJobsThatCannotBeAreNotRun(t *testing.T) {
	do := func(context.Context) (bool, error) { panic("it is not run") }
	ok := relay.Job{Name: "ok", Every: time.Second, Do: do}
	for _, c := range []struct {
		r    relay.Runner
		says string
	}{
		{relay.Runner{Jobs: []relay.Job{ok, ok}}, `job 1 must have a name of its own, not "ok"`},
		{relay.Runner{Jobs: []relay.Job{{Every: 1, Do: do}}}, "name of its own"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Every: 1}}}, "nothing to do"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Do: do}}}, "must be positive"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Every: 1 << 62, Do: do}}}, "more than"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Every: 1, Do: do, MaxWait: -1}}}, "negative"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Every: 1, Do: do, Workers: -1}}}, "negative"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Every: 1, Do: do, Rest: -1}}}, "negative"},
		{relay.Runner{Jobs: []relay.Job{{Name: "a", Every: 1, Do: do, Rest: 2}}}, "more than Every"},
		{relay.Runner{Jobs: []relay.Job{ok}, Grace: -1}, "Grace must not be negative"},
	} {
		assert.ErrorContains(t, c.r.Run(t.Context()), c.says)
	}
}

// rollups is a store with rollups, of so many conversations.
type rollups struct {
	times
	left int
	err  error
}

func (r *rollups) Rollup(context.Context, int) (n int, more bool, err error) {
	r.note()
	r.left--
	return 1, r.left > 0, r.err
}

func TestARunnerDoesAllThereIsToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.WithOutbox())
		var r *relay.Relay
		var g target
		engine, err := convo.New(store,
			convo.WithObserver(func(context.Context, []convo.Event) { r.Wake() }))
		require.NoError(t, err)
		r, err = relay.New(store, relay.To("crm", relay.PublisherFunc(g.publish)),
			relay.WithEvery(time.Hour))
		require.NoError(t, err)
		summed := &rollups{left: 5}
		runner := relay.Runner{Jobs: []relay.Job{
			relay.TickJob(engine), r.Job(), relay.RollupJob(summed, 0),
		}}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = runner.Run(ctx) })
		until := time.Now().Add(10 * time.Second)
		_, err = engine.Do(ctx, convo.ToContact(acme, "bob"), hello,
			convo.SetPending{By: convo.ByUser("ana"), Until: until})
		require.NoError(t, err)
		time.Sleep(20 * time.Millisecond) // in which it gathers, if it has begun before
		synctest.Wait()
		assert.NotEmpty(t, g.take(), "the relay is woken")
		assert.Len(t, summed.all, 5, "as long as there is more")
		time.Sleep(12 * time.Second) // of the bubble's own clock
		synctest.Wait()
		woken := g.take()
		require.Len(t, woken, 1)
		assert.Equal(t, convo.ConversationResumed, woken[0].Kind)
		stop()
		wg.Wait()
	})
}

func TestThatAnotherProcessRollsUpIsNoFailure(t *testing.T) {
	store := &rollups{left: 5, err: convo.ErrConflict}
	more, err := relay.RollupJob(store, 0).Do(t.Context())
	require.NoError(t, err)
	assert.False(t, more)
	store.err = errors.New("broken")
	_, err = relay.RollupJob(store, 0).Do(t.Context())
	assert.EqualError(t, err, "broken")
}

func TestAFullTickIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, err := convo.New(memstore.New())
		require.NoError(t, err)
		for i := range convo.DefaultTick + 1 {
			_, err := engine.Do(t.Context(), convo.ToContact(acme, fmt.Sprint(i)), hello,
				convo.SetPending{By: convo.ByUser("ana"), Until: time.Now().Add(time.Minute)})
			require.NoError(t, err)
		}
		time.Sleep(2 * time.Minute) // of the bubble's own clock
		job := relay.TickJob(engine)
		more, err := job.Do(t.Context())
		require.NoError(t, err)
		assert.True(t, more)
		more, err = job.Do(t.Context())
		require.NoError(t, err)
		assert.False(t, more)
	})
}

func TestTextsArePrunedOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		engine, err := convo.New(store)
		require.NoError(t, err)
		const many = convo.MaxPageSize + 1
		for i := range many {
			_, err := engine.Do(t.Context(), convo.ToContact("acme", fmt.Sprint(i)),
				convo.Receive{Body: "hi"}, convo.Close{By: convo.BySystem()})
			require.NoError(t, err)
		}
		texts := func() (n int) {
			for i := range many {
				events, err := store.Events(t.Context(), convo.EventFilter{
					Workspace: "acme", Contact: fmt.Sprint(i), Limit: convo.MaxPageSize,
				})
				require.NoError(t, err)
				for j := range events {
					if r := events[j].Row(); r.ClearTexts() {
						n++
					}
				}
			}
			return n
		}
		job := relay.PruneJob(engine, convo.Retention{Texts: 36 * time.Hour})
		var runs times
		do := job.Do
		job.Do = func(ctx context.Context) (bool, error) {
			more, err := do(ctx)
			if more {
				runs.note()
			}
			return more, err
		}
		runner := &relay.Runner{Jobs: []relay.Job{job}}
		assert.ErrorIs(t, running(t, 35*time.Hour, runner), context.DeadlineExceeded)
		assert.Equal(t, many, texts())
		assert.ErrorIs(t, running(t, 18*time.Hour, runner), context.DeadlineExceeded)
		assert.Zero(t, texts())
		assert.Len(t, runs.all, 1, "a page, and the rest at once, on the third day only")
	})
}

func TestAFeedIsPrunedByItsAge(t *testing.T) {
	store := memstore.New(memstore.WithFeed())
	engine, err := convo.New(store)
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), convo.ToContact("acme", "ann"), convo.Receive{Body: "hi"})
	require.NoError(t, err)
	r, err := relay.New(store, relay.NoTargets)
	require.NoError(t, err)
	_, err = r.Once(t.Context())
	require.NoError(t, err)
	kept := func() int {
		page, err := store.FeedAfter(t.Context(), "acme", relay.Cursor{}, 10)
		require.NoError(t, err)
		return len(page.Items)
	}
	require.NotZero(t, kept())
	for _, keep := range []time.Duration{time.Hour, -time.Hour} {
		job := relay.PruneFeedJob(store, keep)
		for more := true; more; {
			more, err = job.Do(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, keep > 0, kept() > 0, keep)
	}
}
