package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

const acme = "acme"

var hello = convo.Receive{Channel: "chat", Body: "Hello"}

// target is a Publisher that fails as it is told.
type target struct {
	mu   sync.Mutex
	got  []convo.Event
	fail func(e *convo.Event) error
}

func (g *target) publish(_ context.Context, e *convo.Event) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		if err := g.fail(e); err != nil {
			return err
		}
	}
	g.got = append(g.got, *e)
	return nil
}

func (g *target) take() []convo.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	got := g.got
	g.got = nil
	return got
}

// world is a store with an engine and a relay, whose clocks a bubble of synctest moves.
type world struct {
	*testing.T
	store  *memstore.Store
	engine *convo.Engine
	relay  *relay.Relay
	mu     sync.Mutex
	stats  []relay.Stats
}

// within has f run in a bubble, with a relay to targets.
func within(t *testing.T, targets relay.Targets, f func(*world), opts ...relay.Option) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, store: memstore.New(memstore.WithOutbox())}
		opts = append(opts, relay.WithStats(func(s relay.Stats) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.stats = append(w.stats, s)
		}))
		var err error
		w.engine, err = convo.New(w.store,
			convo.WithObserver(func(context.Context, []convo.Event) { w.relay.Wake() }))
		require.NoError(t, err)
		w.relay, err = relay.New(w.store, targets, opts...)
		require.NoError(t, err)
		f(w)
	})
}

func (w *world) do(contact string, cmds ...convo.Command) []convo.Event {
	w.Helper()
	r, err := w.engine.Do(w.Context(), convo.ToContact(acme, contact), cmds...)
	require.NoError(w, err)
	return r.Events
}

func (w *world) once() relay.Stats {
	w.Helper()
	s, err := w.relay.Once(w.Context())
	require.NoError(w, err)
	return s
}

func (w *world) letters() []relay.DeadLetter {
	w.Helper()
	all, err := w.store.DeadLetters(w.Context(), relay.DeadLetterFilter{
		Workspace: acme, Limit: convo.MaxPageSize,
	})
	require.NoError(w, err)
	return all
}

func TestEventsGoOutInTheirOrder(t *testing.T) {
	var g target
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		want := append(w.do("bob", hello), w.do("bob", hello)...)
		s := w.once()
		assert.Equal(t, want, g.take())
		assert.Equal(t, relay.Stats{Queued: 1, Sent: len(want)}, s)
		assert.Zero(t, w.once())
		assert.Equal(t, []relay.Stats{s}, w.stats, "nothing is said of a Once that did nothing")
	})
}

func TestATargetGetsOnlyItsKinds(t *testing.T) {
	var some, none target
	within(t, func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{
			{
				Name: "some", Publisher: relay.PublisherFunc(some.publish),
				Kinds: []convo.EventKind{convo.MessageReceived},
			},
			{Name: "none", Publisher: relay.PublisherFunc(none.publish), Kinds: []convo.EventKind{}},
		}, nil
	}, func(w *world) {
		w.do("bob", hello, convo.Assign{By: convo.ByUser("ana"), Assignee: "ana"})
		w.do("bob", hello)
		w.once()
		for _, e := range some.got {
			assert.Equal(t, convo.MessageReceived, e.Kind)
		}
		assert.Len(t, some.got, 2)
		assert.Empty(t, none.got)
		b, err := w.store.Backlog(w.Context())
		require.NoError(t, err)
		assert.Zero(t, b, "what nobody wants waits for nobody")
	})
}

// A failure holds up its own conversation at its own target, and nothing else.
func TestWhatFailsIsTriedAgainAndThenADeadLetter(t *testing.T) {
	var good, bad target
	var broken string
	bad.fail = func(e *convo.Event) error {
		if e.Contact == broken && e.Kind == convo.MessageReceived {
			return errors.New("503\x00\xff" + strings.Repeat("x", 600))
		}
		return nil
	}
	targets := func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{
			{Name: "bad", Publisher: relay.PublisherFunc(bad.publish)},
			{Name: "good", Publisher: relay.PublisherFunc(good.publish)},
		}, nil
	}
	within(t, targets, func(w *world) {
		broken = "bob"
		bob := w.do("bob", hello)
		last := len(bob) - 1
		eve := w.do("eve", hello)
		s := w.once()
		assert.Equal(t, []int{1, 0}, []int{s.Failed, s.Dead})
		assert.ElementsMatch(t, append(slices.Clone(bob), eve...), good.take())
		assert.ElementsMatch(t, append(slices.Clone(bob[:last]), eve...), bad.take())
		bob = append(bob, w.do("bob", hello)...)
		w.once()
		assert.Empty(t, bad.take(), "it waits behind what failed")
		assert.Len(t, good.take(), 1)
		for _, wait := range []time.Duration{10 * time.Second, time.Minute} {
			time.Sleep(wait*8/10 - time.Microsecond) // of the bubble's own clock
			assert.Zero(t, w.once().Failed, "not before its time")
			time.Sleep(wait*4/10 + 2*time.Microsecond) // of the bubble's own clock
			assert.Equal(t, 1, w.once().Failed)
		}
		letters := w.letters()
		require.Len(t, letters, 1)
		assert.Equal(t, []any{"bad", bob[last].Seq, 3},
			[]any{letters[0].Target, letters[0].Seq, letters[0].Tries})
		assert.True(t, strings.HasPrefix(letters[0].Error, "503\uFFFD\uFFFDxxx"), letters[0].Error)
		assert.LessOrEqual(t, len(letters[0].Error), 510)
		broken = ""
		w.once()
		assert.Equal(t, bob[last+1:], bad.take(), "what is behind a dead letter goes on")
		ids := []relay.DeadLetterID{letters[0].DeadLetterID}
		n, err := w.store.Revive(w.Context(), time.Now(), ids)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		w.once()
		assert.Equal(t, bob[last:last+1], bad.take())
		assert.Empty(t, w.letters())
	}, relay.WithBackoff(10*time.Second, time.Minute))
}

func TestAPermanentErrorIsADeadLetterAtOnce(t *testing.T) {
	g := target{fail: func(*convo.Event) error {
		return fmt.Errorf("crm: %w", relay.Permanent(errors.New("410")))
	}}
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		events := w.do("bob", hello)
		for range events {
			assert.Equal(t, 1, w.once().Dead)
		}
		letters := w.letters()
		require.Len(t, letters, len(events))
		assert.Equal(t, "crm: 410", letters[0].Error)
	})
}

// Nothing is lost when a target is taken away: what waits for it can be revived.
// What a process has queued for a target is not lost by another one, of the version before, that
// does not know the target yet.
// A contact's own log has gaps, which are no events and make no dead letters.
// Who is slow, but in time, has not failed because others have taken the time of a claim.
func TestASlowTargetHasNotFailed(t *testing.T) {
	sent := map[string]int{}
	within(t, relay.To("crm", relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(12 * time.Second):
			sent[e.ID.String()]++
			return nil
		}
	})), func(w *world) {
		n := 0
		for i := range 5 {
			n += len(w.do(fmt.Sprint("contact ", i), hello))
		}
		for range 10 {
			w.once()
		}
		assert.Empty(t, w.letters())
		assert.Len(t, sent, n)
	}, relay.WithBackoff())
}

// Who has forgotten the store's option is told, with no logger either.
// One workspace whose targets cannot be told does not slow down the others.
func TestAPanicIsAFailure(t *testing.T) {
	g := target{fail: func(*convo.Event) error { panic("oh") }}
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		w.do("bob", hello)
		assert.Equal(t, 1, w.once().Failed)
	}, relay.WithBackoff())
}

// A publisher that says less than it was asked for, and no error, has not sent the rest.
func TestEventsThatWereNotSentAreSentAgain(t *testing.T) {
	var g target
	within(t, relay.To("crm", half{&g}), func(w *world) {
		events := w.do("bob", hello)
		for range 10 {
			w.once()
			time.Sleep(time.Minute) // of the bubble's own clock
		}
		assert.Equal(t, events, g.take())
	}, relay.WithBackoff(time.Second, time.Second, time.Second))
}

// half sends one event at most.
type half struct{ to *target }

func (h half) Publish(ctx context.Context, events []convo.Event) (int, error) {
	return relay.PublisherFunc(h.to.publish).Publish(ctx, events[:1])
}

// When targets cannot be told, notes stay where they are, and other workspaces go on.
func TestNothingIsLostWhileTargetsCannotBeTold(t *testing.T) {
	var g target
	down := true
	within(t, func(_ context.Context, workspace string) ([]relay.Target, error) {
		if down && workspace == acme {
			return nil, errors.New("the configuration cannot be read")
		}
		return []relay.Target{{Name: "crm", Publisher: relay.PublisherFunc(g.publish)}}, nil
	}, func(w *world) {
		events := append(w.do("bob", hello), w.do("eve", hello)...)
		other, err := w.engine.Do(w.Context(), convo.ToContact("other", "zoe"), hello)
		require.NoError(t, err)
		_, err = w.relay.Once(w.Context())
		require.ErrorContains(t, err, "the configuration cannot be read")
		assert.Equal(t, other.Events, g.take())
		down = false
		w.once()
		assert.ElementsMatch(t, events, g.take())
	})
}

func TestTargetsAreChecked(t *testing.T) {
	p := relay.PublisherFunc(new(target).publish)
	for _, bad := range [][]relay.Target{
		{{Publisher: p}},
		{{Name: strings.Repeat("x", 201), Publisher: p}},
		{{Name: "a\x00", Publisher: p}},
		{{Name: "a\xff", Publisher: p}},
		{{Name: "a", Publisher: p}, {Name: "a", Publisher: p}},
		{{Name: "a"}},
	} {
		within(t, func(context.Context, string) ([]relay.Target, error) {
			return bad, nil
		}, func(w *world) {
			w.do("bob", hello)
			_, err := w.relay.Once(w.Context())
			assert.ErrorContains(t, err, "targets of workspace")
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	to := relay.To("crm", relay.PublisherFunc(new(target).publish))
	store := memstore.New(memstore.WithOutbox())
	for what, f := range map[string]func() (*relay.Relay, error){
		"store":   func() (*relay.Relay, error) { return relay.New(nil, to) },
		"targets": func() (*relay.Relay, error) { return relay.New(store, nil) },
		"clock":   func() (*relay.Relay, error) { return relay.New(store, to, relay.WithClock(nil)) },
		"logger":  func() (*relay.Relay, error) { return relay.New(store, to, relay.WithLogger(nil)) },
		"every":   func() (*relay.Relay, error) { return relay.New(store, to, relay.WithEvery(0)) },
		"lease": func() (*relay.Relay, error) {
			return relay.New(store, to, relay.WithLease(time.Millisecond))
		},
		"workers": func() (*relay.Relay, error) { return relay.New(store, to, relay.WithWorkers(0)) },
		"backoff": func() (*relay.Relay, error) { return relay.New(store, to, relay.WithBackoff(-1)) },
	} {
		_, err := f()
		assert.Error(t, err, what)
	}
}

// A target that does not answer is left alone for a while, and the others are not.
func TestATargetThatIsDownCostsTheOthersLittle(t *testing.T) {
	var good, bad target
	tried := 0
	bad.fail = func(*convo.Event) error {
		tried++
		return errors.New("down")
	}
	within(t, func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{
			{Name: "bad", Publisher: relay.PublisherFunc(bad.publish)},
			{Name: "good", Publisher: relay.PublisherFunc(good.publish)},
		}, nil
	}, func(w *world) {
		sent := 0
		for i := range 50 {
			sent += len(w.do(fmt.Sprint("contact ", i), hello))
		}
		for range 10 {
			w.once()
		}
		assert.Len(t, good.take(), sent)
		assert.Equal(t, 3, tried)
		claimed, err := w.store.Claim(t.Context(), relay.Claim{
			Now: time.Now(), Until: time.Now().Add(time.Nanosecond), Limit: 100, MaxEvents: 1,
		})
		require.NoError(t, err)
		assert.Greater(t, len(claimed), 10, "the others are not even claimed")
		time.Sleep(5 * time.Second) // of the bubble's own clock
		w.once()
		assert.Equal(t, 4, tried, "one is tried again")
		bad.fail = nil
		for range 40 {
			time.Sleep(time.Minute) // of the bubble's own clock
			w.once()
		}
		assert.Len(t, bad.take(), sent)
		failed := 0
		bad.fail = func(*convo.Event) error {
			failed++
			return errors.New("down")
		}
		w.do("contact 1", hello)
		w.do("contact 2", hello)
		w.once()
		assert.Equal(t, 2, failed, "what it failed before it worked does not count")
	})
}

func TestRunSendsAtOnceWhatItIsWokenFor(t *testing.T) {
	var g target
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		ctx, stop := context.WithCancel(w.Context())
		var done sync.WaitGroup
		var err error
		done.Go(func() { err = w.relay.Run(ctx) })
		synctest.Wait()
		began := time.Now()
		events := w.do("bob", hello)
		events = append(events, w.do("bob", hello)...)
		time.Sleep(20 * time.Millisecond) // in which it gathers, after it has begun
		synctest.Wait()
		assert.Equal(t, events, g.take())
		time.Sleep(20 * time.Millisecond) // of the bubble's own clock
		events = w.do("bob", hello)
		synctest.Wait()
		assert.Equal(t, events, g.take())
		assert.Equal(t, 40*time.Millisecond, time.Since(began), "no more time has passed")
		other, oerr := convo.New(w.store) // of another process, which wakes nobody here
		require.NoError(t, oerr)
		_, oerr = other.Do(w.Context(), convo.ToContact(acme, "bob"), hello)
		require.NoError(t, oerr)
		synctest.Wait()
		assert.Empty(t, g.take())
		time.Sleep(2 * relay.DefaultEvery) // of the bubble's own clock
		synctest.Wait()
		assert.Len(t, g.take(), 1)
		stop()
		done.Wait()
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// Once that is stopped gives back what it has not begun, and settles what it has sent.
func TestWhatIsInHandIsGivenBackWhenItStops(t *testing.T) {
	var g target
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		ctx, stop := context.WithCancel(w.Context())
		g.fail = func(*convo.Event) error {
			stop()
			return nil
		}
		events := append(w.do("bob", hello), w.do("eve", hello)...)
		_, err := w.relay.Once(ctx)
		require.NoError(t, err)
		assert.Len(t, g.got, 1)
		g.fail = nil
		w.once()
		assert.ElementsMatch(t, events, g.take(), "each once")
	})
}

func TestAPublisherHasLessTimeThanTheLease(t *testing.T) {
	var left time.Duration
	within(t, relay.To("crm", relay.PublisherFunc(func(ctx context.Context, _ *convo.Event) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	})), func(w *world) {
		w.do("bob", hello)
		w.once()
		assert.Equal(t, 45*time.Second, left)
	})
}
