package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
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
	"github.com/chatlifecycle/convo/relay"
)

// feeding is a store with a feed, which a relay fills as soon as something is committed.
type feeding struct {
	*testing.T
	store  *counted
	feed   *relay.Feed
	engine *convo.Engine
	log    bytes.Buffer
}

// counted counts how often the feed is read, and fails on demand.
type counted struct {
	*memstore.Store
	reads atomic.Int64
	down  atomic.Bool
	gate  sync.RWMutex                   // nothing is read while it is locked
	old   atomic.Pointer[memstore.Store] // that it is restored from
}

var errDown = errors.New("the database is down")

func (s *counted) FeedHead(ctx context.Context, workspace string) (relay.Cursor, error) {
	if s.down.Load() {
		return relay.Cursor{}, errDown
	}
	return s.Store.FeedHead(ctx, workspace)
}

func (s *counted) FeedAfter(
	ctx context.Context, workspace string, after relay.Cursor, limit int,
) (relay.FeedPage, error) {
	s.reads.Add(1)
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.down.Load() {
		return relay.FeedPage{}, errDown
	}
	if old := s.old.Load(); old != nil {
		return old.FeedAfter(ctx, workspace, after, limit)
	}
	return s.Store.FeedAfter(ctx, workspace, after, limit)
}

func withFeed(t *testing.T, f func(w *feeding)) {
	synctest.Test(t, func(t *testing.T) { // in which time goes by when all wait for it
		w := &feeding{T: t, store: &counted{Store: memstore.New(memstore.WithFeed())}}
		var err error
		w.feed, err = relay.NewFeed(w.store,
			relay.WithFeedLogger(slog.New(slog.NewTextHandler(&w.log, nil))))
		require.NoError(t, err)
		r, err := relay.New(w.store, relay.NoTargets, relay.WithFeed(w.feed))
		require.NoError(t, err)
		w.engine, err = convo.New(w.store, convo.WithObserver(
			func(ctx context.Context, _ []convo.Event) {
				_, err := r.Once(ctx)
				require.NoError(t, err)
			}))
		require.NoError(t, err)
		f(w)
	})
}

// says has each of n contacts write once, and returns the events of that.
func (w *feeding) says(workspace string, n int) (all []convo.Event) {
	for i := range n {
		to := convo.ToContact(workspace, fmt.Sprint("contact ", i))
		r, err := w.engine.Do(w.Context(), to, hello)
		require.NoError(w, err)
		all = append(all, r.Events...)
	}
	return all
}

// follower gathers what comes, until it is stopped.
type follower struct {
	stop func() // and returns the error of the last element

	mu     sync.Mutex
	events []convo.Event
	missed []*relay.MissedError
	err    error
}

func (w *feeding) follow(workspace string, at relay.Cursor) *follower {
	g := w.begin(workspace, at)
	synctest.Wait()
	return g
}

func (w *feeding) begin(workspace string, at relay.Cursor) *follower {
	ctx, cancel := context.WithCancel(w.Context())
	g := &follower{}
	var done sync.WaitGroup
	done.Go(func() { g.gather(w.feed.Follow(ctx, workspace, at)) })
	g.stop = func() { cancel(); done.Wait() }
	return g
}

func (g *follower) gather(items iter.Seq2[relay.FeedItem, error]) {
	for item, err := range items {
		missed, _ := errors.AsType[*relay.MissedError](err)
		g.mu.Lock()
		switch {
		case missed != nil:
			g.missed = append(g.missed, missed)
		case err != nil:
			g.err = err
		default:
			g.events = append(g.events, item.Event)
		}
		g.mu.Unlock()
	}
}

// take is what has come since.
func (g *follower) take() []convo.Event {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	events := g.events
	g.events = nil
	return events
}

func TestAFollowerGetsWhatThereIsAndWhatComesAtOnce(t *testing.T) {
	withFeed(t, func(w *feeding) {
		first := w.says(acme, 3)
		head, err := w.feed.Head(w.Context(), acme)
		require.NoError(t, err)
		began := time.Now()
		all, fresh := w.follow(acme, relay.Cursor{}), w.follow(acme, head)
		other := w.follow("other", relay.Cursor{})
		assert.Equal(t, first, all.take())
		assert.Empty(t, fresh.take())
		next := w.says(acme, 3)
		for _, g := range []*follower{all, fresh} {
			assert.Equal(t, next, g.take())
		}
		assert.Equal(t, w.says("other", 1), other.take(), "and nothing else")
		assert.Equal(t, began, time.Now(), "no time has passed")
		for _, g := range []*follower{all, fresh, other} {
			g.stop()
			assert.ErrorIs(t, g.err, context.Canceled)
			assert.Empty(t, g.missed)
		}
	})
}

func TestAFollowerFindsWhatOtherProcessesCommit(t *testing.T) {
	withFeed(t, func(w *feeding) {
		g := w.follow(acme, relay.Cursor{})
		defer func() { g.stop() }()
		r, err := relay.New(w.store, relay.NoTargets) // which wakes nobody here
		require.NoError(t, err)
		engine, err := convo.New(w.store)
		require.NoError(t, err)
		said, err := engine.Do(w.Context(), convo.ToContact(acme, "bob"), hello)
		require.NoError(t, err)
		_, err = r.Once(w.Context())
		require.NoError(t, err)
		assert.Empty(t, g.take())
		time.Sleep(2 * relay.DefaultEvery) // of the bubble's own clock
		assert.Equal(t, said.Events, g.take())
		w.feed.Wake()
		w.feed.Wake("other", acme)
	})
}

// One reads for all who follow a workspace, and nobody for nobody.
func TestFollowersShareWhatIsRead(t *testing.T) {
	withFeed(t, func(w *feeding) {
		var all []*follower
		for range 50 {
			all = append(all, w.follow(acme, relay.Cursor{}))
		}
		w.store.reads.Store(0)
		events := w.says(acme, 10)
		for _, g := range all {
			assert.Equal(t, events, g.take())
		}
		assert.LessOrEqual(t, w.store.reads.Load(), int64(20), "a page and the end, each time")
		for _, g := range all {
			g.stop()
		}
		w.store.reads.Store(0)
		w.says(acme, 10)
		time.Sleep(time.Minute) // of the bubble's own clock
		assert.Zero(t, w.store.reads.Load())
		again := w.follow(acme, relay.Cursor{})
		assert.Len(t, again.take(), len(events)+10)
		assert.Equal(t, w.says(acme, 1), again.take())
		again.stop()
	})
}

// A follower that stands still has nobody wait, and gets all of it later.
func TestASlowFollowerHoldsUpNobody(t *testing.T) {
	withFeed(t, func(w *feeding) {
		first := w.says(acme, 1)
		ctx, stop := context.WithCancel(w.Context())
		next, done := iter.Pull2(w.feed.Follow(ctx, acme, relay.Cursor{}))
		defer done()
		item, err, _ := next() // and then it does not come back for a while
		require.NoError(t, err)
		assert.Equal(t, first[0], item.Event)
		quick := w.follow(acme, relay.Cursor{})
		defer func() { quick.stop() }()
		var want []convo.Event
		for range 30 { // more than is kept for all
			want = append(want, w.says(acme, 50)...)
		}
		want = append(first, want...)
		assert.Equal(t, want, quick.take())
		for i := range want[1:] {
			item, err, ok := next()
			require.True(t, ok)
			require.NoError(t, err)
			require.Equal(t, want[1+i], item.Event)
		}
		stop()
		_, err, _ = next()
		assert.ErrorIs(t, err, context.Canceled)
		_, _, ok := next()
		assert.False(t, ok)
	})
}

// Who is slow is told nothing any more that is gone from the store, but for what it has in hand.
func TestWhatWasRemovedIsToldToNobodyAnyMore(t *testing.T) {
	ana, ann := convo.ByUser("ana"), convo.ToContact(acme, "ann")
	const n, inHand = 150, 100
	for name, remove := range map[string]func(w *feeding, last uuid.UUID) error{
		"redacted": func(w *feeding, last uuid.UUID) error {
			_, err := w.engine.Do(w.Context(), ann,
				convo.Retract{By: ana, Message: last, Redact: true})
			return err
		},
		"erased": func(w *feeding, _ uuid.UUID) error {
			_, err := w.engine.Erase(w.Context(),
				convo.Erase{Workspace: acme, Contact: "ann", By: ana})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			withFeed(t, func(w *feeding) {
				w.says(acme, 1)
				head, err := w.feed.Head(w.Context(), acme)
				require.NoError(t, err)
				next, stop := iter.Pull2(w.feed.Follow(w.Context(), acme, head))
				defer stop()
				take := func() convo.Event {
					item, err, _ := next()
					require.NoError(t, err)
					return item.Event
				}
				w.says(acme, 1)
				take()
				synctest.Wait() // what comes from here on is kept for it
				var last uuid.UUID
				for range n {
					r, err := w.engine.Do(w.Context(), ann, convo.Receive{Body: "my card is 4711"})
					require.NoError(t, err)
					last = r.Events[len(r.Events)-1].ID
				}
				synctest.Wait()
				take()
				require.NoError(t, remove(w, last))
				synctest.Wait()
				for i := 1; i <= n; i++ { // the first one is of the opening
					if e := take(); e.ID == last || name == "erased" && i >= inHand {
						assert.Empty(t, e.Message().Body, i)
					} else {
						assert.NotEmpty(t, e.Message().Body, i)
					}
				}
			})
		})
	}
}

func TestWhoComesTooLateIsToldWhatWasMissed(t *testing.T) {
	withFeed(t, func(w *feeding) {
		w.says(acme, 3)
		slow, done := iter.Pull2(w.feed.Follow(w.Context(), acme, relay.Cursor{}))
		defer done()
		_, err, _ := slow()
		require.NoError(t, err)
		for range 25 {
			w.says(acme, 50)
		}
		time.Sleep(time.Hour) // of the bubble's own clock
		n, err := w.store.PruneFeed(w.Context(), time.Now(), convo.MaxPageSize)
		require.NoError(t, err)
		require.Positive(t, n)
		for n > 0 {
			n, err = w.store.PruneFeed(w.Context(), time.Now(), convo.MaxPageSize)
			require.NoError(t, err)
		}
		head, err := w.feed.Head(w.Context(), acme)
		require.NoError(t, err)
		last := w.says(acme, 1)
		var missed *relay.MissedError
		got := 0
		for missed == nil {
			_, err, ok := slow()
			require.True(t, ok)
			if got++; err != nil {
				require.ErrorAs(t, err, &missed)
			}
		}
		assert.Less(t, got, 300, "what it has in hand, and no more")
		assert.Equal(t, head, missed.Oldest)
		assert.ErrorContains(t, missed, missed.From.String())
		item, err, _ := slow()
		require.NoError(t, err)
		assert.Equal(t, last[0], item.Event, "it goes on with the oldest that there is")

		future := w.follow(acme, relay.Cursor{Position: head.Position + 100})
		assert.Len(t, future.missed, 1)
		assert.Equal(t, w.says(acme, 1), future.take())
		future.stop()
	})
}

// Also those who wait are told when the feed goes back, as after the restoring of an old backup.
func TestFollowersAreToldWhenTheFeedGoesBack(t *testing.T) {
	withFeed(t, func(w *feeding) {
		w.says(acme, 3)
		g := w.follow(acme, relay.Cursor{})
		defer func() { g.stop() }()
		require.Len(t, g.take(), 6)
		old := memstore.New(memstore.WithFeed())
		w.store.old.Store(old)
		time.Sleep(2 * relay.DefaultEvery) // of the bubble's own clock
		synctest.Wait()
		require.Len(t, g.missed, 1)
		assert.Equal(t, relay.Cursor{Position: 1}, g.missed[0].Oldest)
		engine, err := convo.New(old)
		require.NoError(t, err)
		said, err := engine.Do(w.Context(), convo.ToContact(acme, "bob"), hello)
		require.NoError(t, err)
		r, err := relay.New(old, relay.NoTargets, relay.WithFeed(w.feed))
		require.NoError(t, err)
		_, err = r.Once(w.Context())
		require.NoError(t, err)
		assert.Equal(t, said.Events, g.take())
	})
}

func TestAFollowerWaitsWhileTheStoreIsDown(t *testing.T) {
	withFeed(t, func(w *feeding) {
		g := w.follow(acme, relay.Cursor{})
		w.store.down.Store(true)
		events := w.says(acme, 1)
		assert.Empty(t, g.take())
		assert.Contains(t, w.log.String(), errDown.Error())
		w.store.down.Store(false)
		time.Sleep(2 * relay.DefaultEvery) // of the bubble's own clock
		assert.Equal(t, events, g.take())
		g.stop()
		w.store.down.Store(true)
		began := w.follow(acme, relay.Cursor{})
		began.stop()
		assert.ErrorIs(t, began.err, errDown, "who comes is told")
	})
}

// Many who begin, or are behind, do not all read at once.
func TestFollowersReadTheStoreInTurns(t *testing.T) {
	withFeed(t, func(w *feeding) {
		events := w.says(acme, 3)
		w.store.gate.Lock()
		var all []*follower
		for range 20 {
			all = append(all, w.begin(acme, relay.Cursor{}))
		}
		for w.store.reads.Load() < 5 { // one reads for all of them, besides
			runtime.Gosched()
		}
		for range 1000 {
			runtime.Gosched()
		}
		assert.Equal(t, int64(5), w.store.reads.Load())
		w.store.gate.Unlock()
		for _, g := range all {
			assert.Equal(t, events, g.take())
			g.stop()
		}
	})
}

func TestWhoLeavesTheLoopIsForgotten(t *testing.T) {
	withFeed(t, func(w *feeding) {
		events := w.says(acme, 2)
		items := w.feed.Follow(w.Context(), acme, relay.Cursor{})
		for range 2 { // it can be ranged over again
			for item, err := range items {
				require.NoError(t, err)
				require.Equal(t, events[0], item.Event)
				break
			}
		}
		w.store.reads.Store(0)
		time.Sleep(time.Minute) // of the bubble's own clock
		assert.Zero(t, w.store.reads.Load())
	})
}

func TestACursorHasAText(t *testing.T) {
	for text, c := range map[string]relay.Cursor{
		"0-0": {}, "12-3": {Position: 12, Seq: 3}, "9223372036854775807-0": {Position: 1<<63 - 1},
	} {
		assert.Equal(t, text, c.String())
		parsed, err := relay.ParseCursor(text)
		require.NoError(t, err)
		assert.Equal(t, c, parsed)
		data, err := json.Marshal(c)
		require.NoError(t, err)
		assert.Equal(t, `"`+text+`"`, string(data))
		var read relay.Cursor
		require.NoError(t, json.Unmarshal(data, &read))
		assert.Equal(t, c, read)
	}
	for _, bad := range []string{
		"", "-", "1", "1-", "-1", "1-2-3", "1--2", "+1-2", "1-x", " 1-2", "9223372036854775808-0",
	} {
		c := relay.Cursor{Position: 7}
		err := c.UnmarshalText([]byte(bad))
		_, invalid := errors.AsType[*convo.ValidationError](err)
		assert.True(t, invalid, "%q: %v", bad, err)
		assert.Equal(t, relay.Cursor{Position: 7}, c)
	}
}

func TestOptionsOfAFeedAreChecked(t *testing.T) {
	store := memstore.New(memstore.WithFeed())
	for what, f := range map[string]func() (*relay.Feed, error){
		"store": func() (*relay.Feed, error) { return relay.NewFeed(nil) },
		"every": func() (*relay.Feed, error) {
			return relay.NewFeed(store, relay.WithFeedEvery(0))
		},
		"logger": func() (*relay.Feed, error) {
			return relay.NewFeed(store, relay.WithFeedLogger(nil))
		},
	} {
		_, err := f()
		assert.Error(t, err, what)
	}
}

func TestAStoreWithoutAFeedSaysSo(t *testing.T) {
	feed, err := relay.NewFeed(memstore.New(memstore.WithOutbox()))
	require.NoError(t, err)
	for _, err := range feed.Follow(t.Context(), acme, relay.Cursor{}) {
		require.ErrorIs(t, err, relay.ErrNoFeed)
	}
}

// An erasure may give a contact another id between the reading of a row and that of its events.
func TestAPageIsReadAgainWhenAContactHasAnotherID(t *testing.T) {
	for _, moved := range []int{0, 1, 100} {
		reads := 0
		page, err := relay.NewFeedPage(relay.Cursor{Position: 1}, 10,
			func() (int64, []relay.FeedRow, error) {
				of := relay.Stream{Workspace: acme, Contact: "riya"}
				if reads++; reads > moved {
					of.Contact = "token"
				}
				return 1, []relay.FeedRow{{Position: 1, Stream: of, From: 3, To: 3}}, nil
			},
			func(parts []relay.Claimed) error {
				if parts[0].Contact == "token" {
					parts[0].Events = []convo.Event{{Contact: "token", Seq: 3}}
				}
				return nil
			})
		if moved == 100 {
			require.ErrorIs(t, err, convo.ErrConflict)
			continue
		}
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		assert.Equal(t, relay.Cursor{Position: 2}, page.Next)
	}
}
