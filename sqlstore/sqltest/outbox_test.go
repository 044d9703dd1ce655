package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// openOutbox is open for a store with an outbox.
func openOutbox(t testing.TB, e testdb.Engine) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := testdb.Open(t, e)
	return with(t, sqlstore.Config{DB: db, Dialect: dialects[e], Outbox: true}), db
}

// openFeed is open for a store with a feed.
func openFeed(t testing.TB, e testdb.Engine) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := testdb.Open(t, e)
	return with(t, sqlstore.Config{DB: db, Dialect: dialects[e], Feed: true}), db
}

func with(t testing.TB, config sqlstore.Config) *sqlstore.Store {
	t.Helper()
	require.NoError(t, config.Migrate(t.Context()))
	s, err := config.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func runOutbox(t *testing.T, s *sqlstore.Store, db *sql.DB) {
	storetest.RunOutbox(t, func(t *testing.T) storetest.Outboxer {
		empty(t, db, "convo_")
		return s
	})
}

func TestTheOutboxLosesNothing(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		runOutbox(t, s, db)
	})
}

func TestTheFeedLosesNothing(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := openFeed(t, e)
		storetest.RunFeed(t, func(t *testing.T) storetest.Feeder {
			empty(t, db, "convo_")
			return s
		})
	})
}

func TestTheOutboxLosesNothingOfTheSharedStatement(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		runOutbox(t, hook.Shared(s).(*sqlstore.Store), db)
	})
}

func TestStoreConformsWithAnOutbox(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		conforms(t, s, db, "convo_")
	})
}

// What was leased and could not be read must not be returned as read: it would count as sent.
func TestWhatCouldNotBeReadIsNotClaimed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		_, err := enginesOn(t, s)[0].Do(t.Context(), convo.ToContact("w", "bob"), opening)
		require.NoError(t, err)
		noted, err := s.Noted(t.Context(), relay.Stream{}, 10)
		require.NoError(t, err)
		now := time.Now()
		_, err = s.Queue(t.Context(), now, noted, map[string][]string{"w": {"crm"}})
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "ALTER TABLE convo_events RENAME TO convo_elsewhere")
		require.NoError(t, err)
		claimed, err := s.Claim(t.Context(), relay.Claim{
			Now: now, Until: now, Lease: uuid.New(), Limit: 10, MaxEvents: 10,
		})
		require.Error(t, err)
		require.Empty(t, claimed)
		_, err = db.ExecContext(t.Context(), "ALTER TABLE convo_elsewhere RENAME TO convo_events")
		require.NoError(t, err)
		claimed, err = s.Claim(t.Context(), relay.Claim{
			Now: now.Add(time.Hour), Until: now, Lease: uuid.New(), Limit: 10, MaxEvents: 10,
		})
		require.NoError(t, err)
		require.Len(t, claimed, len(noted))
	})
}

// Between the leasing of a contact's log and its reading the contact is erased, and a new one has
// its id: what is read then would come before what is in front of it.
func TestALogThatHasBegunAnewIsNotClaimed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx, d, r := t.Context(), testdb.Create(t, e), &recorder{}
		s := with(t, sqlstore.Config{
			DB: r.open(t, d), Dialect: dialects[e], Outbox: true, Unprepared: true,
		})
		other := with(t, sqlstore.Config{DB: d.Open(t), Dialect: dialects[e], Outbox: true})
		engine := enginesOn(t, other)[0]
		links := func(values ...string) {
			for _, value := range values {
				bob := convo.ToContact("w", "bob")
				bob.Address = convo.Address{Channel: "sms", Value: value}
				_, err := engine.Do(ctx, bob, convo.LinkAddress{By: ana})
				require.NoError(t, err)
			}
		}
		begins := func() {
			_, err := engine.Do(ctx, convo.ToContact("w", "bob"), opening)
			require.NoError(t, err)
		}
		now := time.Now()
		queue := func(s *sqlstore.Store) {
			noted, err := s.Noted(ctx, relay.Stream{}, 10)
			require.NoError(t, err)
			_, err = s.Queue(ctx, now, noted, map[string][]string{"w": {"crm"}})
			require.NoError(t, err)
		}
		claim := func() (own []convo.Event) {
			queue(s)
			claimed, err := s.Claim(ctx, relay.Claim{
				Now: now, Until: now.Add(time.Hour), Lease: uuid.New(), Limit: 10, MaxEvents: 10,
			})
			require.NoError(t, err)
			var done []relay.Settled
			for _, c := range claimed {
				done = append(done, relay.Settled{
					Queue: c.Queue, Lease: c.Lease, To: c.To, Next: c.To + 1,
				})
				if c.Contact == "bob" {
					own = append(own, c.Events...)
				}
			}
			n, err := s.Settle(ctx, now, done)
			require.NoError(t, err)
			require.Equal(t, len(done), n)
			return own
		}
		begins()
		links("1", "2")
		require.Len(t, claim(), 2)
		links("3")
		r.before = func(text string) {
			if strings.Contains(text, "FROM convo_contact_events") {
				r.before = nil
				_, err := engine.Erase(ctx, convo.Erase{Workspace: "w", Contact: "bob", By: ana})
				require.NoError(t, err)
				begins()
				links("4", "5", "6")
				queue(other)
			}
		}
		assert.Empty(t, claim(), "they come behind 4 and 5")
		require.Nil(t, r.before)
		var values []string
		for _, e := range claim() {
			values = append(values, e.Address().Value)
		}
		assert.Equal(t, []string{"4", "5", "6"}, values)
	})
}

// The same of a feed, of which positions are read first.
func TestALogThatHasBegunAnewIsNotInTheFeedAsTheOldOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx, d, r := t.Context(), testdb.Create(t, e), &recorder{}
		s := with(t, sqlstore.Config{
			DB: r.open(t, d), Dialect: dialects[e], Feed: true, Unprepared: true,
		})
		other := with(t, sqlstore.Config{DB: d.Open(t), Dialect: dialects[e], Feed: true})
		engine := enginesOn(t, other)[0]
		begins := func(values ...string) {
			for _, value := range values {
				bob := convo.ToContact("w", "bob")
				bob.Address = convo.Address{Channel: "sms", Value: value}
				_, err := engine.Do(ctx, bob, convo.Open{By: ana})
				require.NoError(t, err)
			}
			noted, err := other.Noted(ctx, relay.Stream{}, 10)
			require.NoError(t, err)
			_, err = other.Queue(ctx, time.Now(), noted, nil)
			require.NoError(t, err)
		}
		begins("1", "2")
		page, err := s.FeedAfter(ctx, "w", relay.Cursor{}, 10)
		require.NoError(t, err)
		begins("3")
		r.before = func(text string) {
			if strings.Contains(text, "FROM convo_contact_events") {
				r.before = nil
				_, err := engine.Erase(ctx, convo.Erase{Workspace: "w", Contact: "bob", By: ana})
				require.NoError(t, err)
				begins("4", "5", "6")
			}
		}
		var values []string
		for more := true; more; {
			page, err = s.FeedAfter(ctx, "w", page.Next, 10)
			require.NoError(t, err)
			more = len(page.Items) > 0
			for i := range page.Items {
				if e := &page.Items[i].Event; e.Kind == convo.AddressLinked {
					values = append(values, e.Contact+" "+e.Address().Value)
				}
			}
		}
		require.Nil(t, r.before)
		require.Len(t, values, 4)
		assert.NotContains(t, values[0], "bob", "it was linked, and then erased")
		assert.Equal(t, []string{"bob 4", "bob 5", "bob 6"}, values[1:])
	})
}

func TestWithoutAnOutboxThereIsNone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		noFeed, _ := openOutbox(t, e)
		_, err := noFeed.FeedHead(t.Context(), "w")
		require.ErrorIs(t, err, relay.ErrNoFeed)
		_, err = noFeed.FeedAfter(t.Context(), "w", relay.Cursor{}, 1)
		require.ErrorIs(t, err, relay.ErrNoFeed)
		_, err = noFeed.PruneFeed(t.Context(), time.Now(), 1)
		require.ErrorIs(t, err, relay.ErrNoFeed)
		s, _ := open(t, e)
		_, err = s.Noted(t.Context(), relay.Stream{}, 1)
		require.ErrorIs(t, err, relay.ErrNoOutbox)
		_, err = s.Claim(t.Context(), relay.Claim{Limit: 1})
		require.ErrorIs(t, err, relay.ErrNoOutbox)
		engine := enginesOn(t, s)[0]
		_, err = engine.Do(t.Context(), convo.ToContact("w", "bob"), opening)
		require.NoError(t, err)
	})
}

// gathered is what a relay brought: of each stream the events, in the order of their first coming.
type gathered struct {
	mu  sync.Mutex
	by  map[relay.Stream][]uuid.UUID
	ids map[uuid.UUID]bool
}

func (g *gathered) Publish(_ context.Context, events []convo.Event) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range events {
		if e := &events[i]; !g.ids[e.ID] {
			g.ids[e.ID] = true
			of := relay.StreamOf(e)
			g.by[of] = append(g.by[of], e.ID)
		}
	}
	return len(events), nil
}

// What a host commits late, in its own transactions, or rolls back: a cursor that goes on behind
// the highest id that it has seen loses what was begun before that and committed after it.
func TestSlowCommitsAndRollbacksLoseNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx := t.Context()
		s, db := openFeed(t, e)
		engine := enginesOn(t, s)[0]
		follower, at := map[relay.Stream][]uuid.UUID{}, relay.Cursor{}
		got := &gathered{by: map[relay.Stream][]uuid.UUID{}, ids: map[uuid.UUID]bool{}}
		r, err := relay.New(s, relay.To("crm", got))
		require.NoError(t, err)
		cursor, passed := "", map[string]bool{} // of the control
		look := func() {
			var all []string
			rows, err := db.QueryContext(ctx, "SELECT id FROM convo_events")
			require.NoError(t, err)
			for rows.Next() {
				var id idText
				require.NoError(t, rows.Scan(&id))
				if string(id) > cursor {
					all = append(all, string(id))
				}
			}
			require.NoError(t, rows.Err())
			slices.Sort(all)
			for _, id := range all {
				cursor, passed[id] = id, true
			}
			_, err = r.Once(ctx)
			require.NoError(t, err)
			page, err := s.FeedAfter(ctx, "w", at, convo.MaxPageSize)
			require.NoError(t, err)
			at = page.Next
			for i := range page.Items {
				of := relay.StreamOf(&page.Items[i].Event)
				follower[of] = append(follower[of], page.Items[i].Event.ID)
			}
		}
		policy, err := engine.Policy(ctx, convo.Scope{Workspace: "w"})
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, 1))
		var open []*sql.Tx
		end := func(i int) {
			if random.IntN(4) == 0 {
				require.NoError(t, open[i].Rollback())
			} else {
				require.NoError(t, open[i].Commit())
			}
			open = slices.Delete(open, i, i+1)
			look()
		}
		for n := range 60 {
			most := 4
			if e == testdb.SQLite {
				most = 1 // transactions that write follow one another
			}
			for len(open) >= most {
				end(random.IntN(len(open)))
			}
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			open = append(open, tx)
			to := convo.ToContact("w", fmt.Sprint("contact ", n))
			_, err = engine.With(s.WithTx(tx), policy).Do(ctx, to, opening, hello("in a transaction"))
			require.NoError(t, err)
		}
		for len(open) > 0 {
			end(random.IntN(len(open)))
		}
		look()
		look()
		lost, streams := 0, 0
		for c, err := range engine.AllConversations(ctx, convo.Filter{Workspace: "w"}) {
			require.NoError(t, err)
			streams++
			log, err := s.Events(ctx, convo.EventFilter{
				Workspace: "w", Conversation: c.ID, Limit: convo.MaxPageSize,
			})
			require.NoError(t, err)
			var want []uuid.UUID
			for i := range log {
				if want = append(want, log[i].ID); !passed[log[i].ID.String()] {
					lost++
				}
			}
			of := relay.Stream{Workspace: "w", Conversation: c.ID}
			require.Equal(t, want, got.by[of], "of %s", c.ID)
			require.Equal(t, want, follower[of], "in the feed, of %s", c.ID)
			delete(got.by, of)
		}
		require.Greater(t, streams, 20)
		for of := range got.by {
			require.Equal(t, got.by[of], follower[of])
		}
		for of := range got.by {
			require.NotEmpty(t, of.Contact, "of a conversation that was rolled back")
		}
		t.Log("the control lost", lost, "events of", len(got.ids))
		if e != testdb.SQLite {
			require.Positive(t, lost, "the control must lose some, or nothing was tested")
		}
	})
}

// RV015, of River: what was committed in a host's transaction is told to subscribers, and what was
// rolled back is not.
func TestPeersRiverWhatAHostCommitsIsToldToSubscribers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx := t.Context()
		s, db := openFeed(t, e)
		engine := enginesOn(t, s)[0]
		got := &gathered{by: map[relay.Stream][]uuid.UUID{}, ids: map[uuid.UUID]bool{}}
		r, err := relay.New(s, relay.To("crm", got))
		require.NoError(t, err)
		policy, err := engine.Policy(ctx, convo.Scope{Workspace: "w"})
		require.NoError(t, err)
		for _, commits := range []bool{false, true} {
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			result, err := engine.With(s.WithTx(tx), policy).Do(ctx, convo.ToContact("w", "riya"),
				opening, hello("of the host"))
			require.NoError(t, err)
			if e != testdb.SQLite { // which has one transaction at a time
				_, err = r.Once(ctx)
				require.NoError(t, err)
			}
			require.Empty(t, got.ids, "not before the commit")
			if !commits {
				require.NoError(t, tx.Rollback())
				_, err = r.Once(ctx)
				require.NoError(t, err)
				require.Empty(t, got.ids, "nothing has happened")
				continue
			}
			require.NoError(t, tx.Commit())
			_, err = r.Once(ctx)
			require.NoError(t, err)
			page, err := s.FeedAfter(ctx, "w", relay.Cursor{}, convo.MaxPageSize)
			require.NoError(t, err)
			require.Len(t, page.Items, len(result.Events))
			for i := range result.Events {
				of := relay.StreamOf(&result.Events[i])
				require.Contains(t, got.by[of], result.Events[i].ID)
			}
		}
	})
}

// idText is an id as a text, however the engine keeps it.
type idText string

func (i *idText) Scan(v any) error {
	switch v := v.(type) {
	case []byte:
		if len(v) == 16 {
			*i = idText(uuid.UUID(v).String())
			return nil
		}
		*i = idText(v)
	case string:
		*i = idText(v)
	case [16]byte:
		*i = idText(uuid.UUID(v).String())
	default:
		return fmt.Errorf("an id as %T", v)
	}
	return nil
}

// Who adds to a feed waits until whoever came before has committed, or rolled back: else a follower
// would see the later position first, and go on behind the earlier one.
func TestPositionsOfAFeedBecomeVisibleInTheirOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx := t.Context()
		s, db := openFeed(t, e)
		engine := enginesOn(t, s)[0]
		var streams []relay.Stream
		for i := range 3 {
			r, err := engine.Do(ctx, convo.ToContact("w", fmt.Sprint("contact ", i)), opening)
			require.NoError(t, err)
			streams = append(streams, relay.StreamOf(&r.Events[0]))
		}
		head := func() int64 {
			at, err := s.FeedHead(ctx, "w")
			require.NoError(t, err)
			return at.Position - 1
		}
		queue := func(s *sqlstore.Store, i int) {
			// A call that was given up holds its notes until the server has noticed that, and what
			// is held is passed over.
			require.Eventually(t, func() bool {
				n, err := s.Queue(ctx, time.Now(), streams[i:i+1], nil)
				return assert.NoError(t, err) && n == 1
			}, time.Minute, 10*time.Millisecond)
		}
		waits := func(i int) {
			brief, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			_, err := s.Queue(brief, time.Now(), streams[i:i+1], nil)
			require.Error(t, err, "it did not wait")
		}
		queue(s, 0)
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			queue(s.WithTx(tx), 1)
			waits(2)
			require.Equal(t, int64(1), head(), "nobody sees what is not committed")
			require.NoError(t, end(tx))
		}
		queue(s, 2)
		page, err := s.FeedAfter(ctx, "w", relay.Cursor{}, 100)
		require.NoError(t, err)
		var got []relay.Stream
		for i := range page.Items {
			of := relay.StreamOf(&page.Items[i].Event)
			if len(got) == 0 || got[len(got)-1] != of {
				got = append(got, of)
			}
		}
		require.Equal(t, streams, got)
		require.Equal(t, int64(3), head())
	})
}

// quiet is a publisher that sends to nobody.
type quiet struct{}

func (quiet) Publish(_ context.Context, events []convo.Event) (int, error) {
	return len(events), nil
}

// Whatever the number of streams, what a relay says is a few texts, which are prepared once.
func TestWhatARelaySaysIsKeptPrepared(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		r := &recorder{}
		s := with(t, sqlstore.Config{
			DB: r.open(t, testdb.Create(t, e)), Dialect: dialects[e], Outbox: true,
		})
		engine := enginesOn(t, s)[0]
		out, err := relay.New(s, relay.To("nowhere", quiet{}))
		require.NoError(t, err)
		bring := func(streams int) {
			for i := range streams {
				_, err := engine.Do(t.Context(), convo.ToContact("w", fmt.Sprint("c", i)),
					convo.Receive{Channel: "chat", Body: "hello"})
				require.NoError(t, err)
			}
			for more := true; more; {
				stats, err := out.Once(t.Context())
				require.NoError(t, err)
				more = stats.More
			}
		}
		for range 10 { // one is prepared in each round
			bring(1)
			bring(6)
			bring(33)
		}
		texts := map[string]bool{}
		for _, streams := range []int{1, 2, 5, 6, 25, 26, 33} {
			r.take()
			bring(streams)
			for _, st := range r.take() {
				if strings.Contains(st.text, "convo_outbox_queue") {
					assert.True(t, st.prepared, "%d streams: %s", streams, st.text)
					texts[st.text] = true
				}
			}
		}
		assert.LessOrEqual(t, len(texts), 16)
		assert.GreaterOrEqual(t, len(texts), 6)
	})
}
