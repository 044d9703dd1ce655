package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// registry is a directory in memory, of one process or of several that a test plays. Who is not in
// it is on the first shard.
type registry struct {
	mu     sync.Mutex
	places map[string]shardstore.Place
	steps  []shardstore.Step // that were said
	// fails is called before and after each change.
	fails func(what string) error
}

func (r *registry) Place(_ context.Context, workspace string) (shardstore.Place, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.place(workspace), nil
}

func (r *registry) place(workspace string) shardstore.Place {
	if p, ok := r.places[workspace]; ok {
		return p
	}
	return shardstore.Place{Shard: "shard-0"}
}

func (r *registry) Replace(
	_ context.Context, workspace string, was, is shardstore.Place,
) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.place(workspace) != was {
		return convo.ErrConflict
	}
	if err := r.fails("before Replace"); err != nil {
		return err
	}
	r.places[workspace], r.steps = is, append(r.steps, is.Step)
	return r.fails("after Replace")
}

// killable is a shard whose copying and removing fail when its test says so.
type killable struct {
	*sqlstore.Store
	fails func(what string) error
}

func (k *killable) CopyWorkspace(
	to convo.Store, workspace string,
) (func(context.Context, bool) (int, error), error) {
	pass, err := k.Store.CopyWorkspace(to.(*killable).Store, workspace)
	return func(ctx context.Context, complete bool) (n int, err error) {
		if err := k.fails("before Copy"); err != nil {
			return 0, err
		}
		if n, err = pass(ctx, complete); err == nil {
			err = k.fails("after Copy")
		}
		return n, err
	}, err
}

func (k *killable) RemoveWorkspace(
	ctx context.Context, workspace string, _ int,
) (n int, err error) {
	if err := k.fails("before Remove"); err != nil {
		return 0, err
	}
	if n, err = k.Store.RemoveWorkspace(ctx, workspace, 50); err == nil { // many calls
		err = k.fails("after Remove")
	}
	return n, err
}

// moving is two databases under stores of several processes.
type moving struct {
	t      *testing.T
	dbs    []*sql.DB
	stores []*sqlstore.Store
	r      *registry
	calls  atomic.Int64
	killAt atomic.Int64
	killOn atomic.Value // what it dies of, whenever that is
	dead   atomic.Bool
	asked  func(what string) // beforehand
	said   []uuid.UUID       // messages whose ids nobody was told
}

var errKilled = errors.New("killed")

func newMoving(t *testing.T, engines ...testdb.Engine) *moving {
	m := &moving{t: t}
	m.r = &registry{places: map[string]shardstore.Place{}, fails: m.fails}
	for _, e := range engines {
		s, db := openFeed(t, e)
		m.stores, m.dbs = append(m.stores, s), append(m.dbs, db)
	}
	return m
}

// fails fails at the call with a number, and at all that come after it: who is dead does nothing.
func (m *moving) fails(what string) error {
	if m.asked != nil {
		m.asked(what)
	}
	if on, _ := m.killOn.Load().(string); m.dead.Load() || on == what {
		m.dead.Store(true)
		return errKilled
	}
	if at := m.killAt.Load(); m.calls.Add(1) >= at && at > 0 {
		return errKilled
	}
	return nil
}

// process is a store as another process would have it, with what that remembers of the registry.
func (m *moving) process(lease time.Duration) *shardstore.LockingStore {
	all := map[string]*killable{}
	for i, s := range m.stores {
		all[fmt.Sprint("shard-", i)] = &killable{s, m.fails}
	}
	s, err := shardstore.NewLocking(m.r, all, shardstore.WithLease(lease))
	require.NoError(m.t, err)
	return s
}

// tablesOf are those with rows of a workspace.
var tablesOf = []string{
	"contacts", "contact_events", "addresses", "conversations", "events", "cycles", "mentions",
	"labels", "places", "closed", "keys", "deliveries", "feed", "feed_heads", "rollups", "active",
	"outbox", "outbox_queue", "rollup_queue",
}

// rowsOf are how many rows of a workspace a database has, by table, without those that have none.
func rowsOf(t *testing.T, db *sql.DB, e testdb.Engine, workspace string) map[string]int {
	found := map[string]int{}
	for _, table := range tablesOf {
		place := "?"
		if e == testdb.PostgreSQL {
			place = "$1"
		}
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(),
			"SELECT count(*) FROM convo_"+table+" WHERE workspace = "+place, workspace).Scan(&n))
		if n > 0 {
			found[table] = n
		}
	}
	return found
}

// The list of the tables that are moved is that of all.
func TestAllTablesOfAWorkspaceAreMoved(t *testing.T) {
	_, db := openFeed(t, testdb.SQLite)
	rows, err := db.QueryContext(t.Context(),
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'convo_%'")
	require.NoError(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		if name != "convo_schema" && name != "convo_versions" { // which are of the database
			all = append(all, name[len("convo_"):])
		}
	}
	require.NoError(t, rows.Err())
	assert.ElementsMatch(t, tablesOf, all)
}

// lived has a workspace have rows in all tables.
func (m *moving) lived(workspace string, notes int) {
	t, ctx, s := m.t, m.t.Context(), m.process(time.Minute)
	e, err := convo.New(s)
	require.NoError(t, err)
	do := func(to convo.Ref, cmds ...convo.Command) convo.Conversation {
		r, err := e.Do(ctx, to, cmds...)
		require.NoError(t, err)
		return r.Conversation
	}
	for i := range 12 {
		ann := convo.ToContact(workspace, fmt.Sprint("ann ", i))
		ann.Address = convo.Address{Channel: "mail", Value: fmt.Sprint("ann", i, "@example.com")}
		do(ann,
			convo.Receive{
				Channel: "mail", ExternalID: fmt.Sprint("in ", i), Body: "Hällo\n\"1\"",
			},
			convo.Label{By: ana, Add: []string{"vip", "late"}},
			convo.Assign{By: ana, Assignee: "ana", Team: "red"},
			convo.Send{By: ana, Body: "hi", ExternalID: fmt.Sprint("out ", i)})
		_, err := e.Deliver(ctx, workspace, convo.Delivery{
			Channel: "mail", ExternalID: fmt.Sprint("out ", i), Status: convo.DeliveryRead,
			At: time.Now(),
		})
		require.NoError(t, err)
		if i%2 == 0 {
			do(ann, convo.Close{By: ana, Category: "sales", Summary: "done", Key: fmt.Sprint(i)})
			do(ann, convo.Reopen{By: ana}, convo.SetPending{By: ana, Until: timeFar})
		}
		if i%3 == 0 {
			do(ann, convo.Close{By: ana, Summary: "again"})
		}
	}
	for range notes / 100 {
		do(convo.ToContact(workspace, "ann 1"),
			slices.Repeat([]convo.Command{convo.Note{By: ana, Body: "note"}}, 100)...)
	}
	_, err = e.Merge(ctx, convo.Merge{Workspace: workspace, Primary: "ann 1", Secondary: "ann 0",
		By: ana})
	require.NoError(t, err)
	_, _, err = s.Rollup(ctx, 0)
	require.NoError(t, err)
	do(convo.ToContact(workspace, "ann 3"), convo.Receive{Channel: "mail", Body: "not rolled up"})
	noted, err := s.Noted(ctx, relay.Stream{}, 500)
	require.NoError(t, err)
	noted = slices.DeleteFunc(noted, func(of relay.Stream) bool {
		return of.Workspace != workspace
	})
	_, err = s.Queue(ctx, time.Now(), noted[:len(noted)-2], map[string][]string{workspace: {"crm"}})
	require.NoError(t, err)
}

func TestAMovedWorkspaceHasAllThatItHad(t *testing.T) {
	for _, engines := range [][]testdb.Engine{
		{testdb.SQLite, testdb.SQLite}, {testdb.SQLite, testdb.PostgreSQL},
		{testdb.PostgreSQL, testdb.MariaDB}, {testdb.MariaDB, testdb.SQLite},
		{testdb.PostgreSQL, testdb.PostgreSQL}, {testdb.MariaDB, testdb.MariaDB},
	} {
		t.Run(fmt.Sprint(engines[0], " to ", engines[1]), func(t *testing.T) {
			t.Parallel()
			m := newMoving(t, engines...)
			s := m.process(20 * time.Millisecond)
			m.lived("stays", 0)
			m.lived("acme", 1100) // more than is compared at once
			before := rowsOf(t, m.dbs[0], engines[0], "acme")
			assert.Len(t, before, len(tablesOf), "the story has rows in each table")
			stays := rowsOf(t, m.dbs[0], engines[0], "stays")
			for _, to := range []int{1, 0, 1} { // and back
				checked := false
				moved, err := s.Move(t.Context(), "acme", fmt.Sprint("shard-", to),
					func(ctx context.Context, copied convo.Store) error {
						checked = true
						assert.Empty(t, storetest.CheckInvariants(ctx, copied, "acme"))
						return nil
					})
				require.NoError(t, err)
				assert.True(t, checked)
				assert.Positive(t, moved.Stopped)
				total := 0
				for _, n := range before {
					total += n
				}
				assert.Equal(t, total, moved.Rows)
				assert.Equal(t, before, rowsOf(t, m.dbs[to], engines[to], "acme"))
				assert.Empty(t, rowsOf(t, m.dbs[1-to], engines[1-to], "acme"))
				assert.Equal(t, shardstore.Place{Shard: fmt.Sprint("shard-", to)},
					m.r.place("acme"))
				assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme", "stays"))
				differences, err := s.CheckRollups(t.Context(), "acme")
				require.NoError(t, err)
				assert.Empty(t, differences)
			}
			assert.Equal(t, stays, rowsOf(t, m.dbs[0], engines[0], "stays"))
			moved, err := s.Move(t.Context(), "acme", "shard-1", nil)
			require.NoError(t, err)
			assert.Zero(t, moved, "it is there")
			m.r.places["acme"] = shardstore.Place{Shard: "shard-0"} // which is wrong
			_, err = s.Move(t.Context(), "acme", "shard-1", nil)
			require.ErrorIs(t, err, shardstore.ErrNotEmpty)
			assert.Equal(t, before, rowsOf(t, m.dbs[1], engines[1], "acme"))
		})
	}
}

// acknowledged are the bodies of messages that were, by contact and writer, in its order.
type acknowledged struct {
	mu sync.Mutex
	by map[[2]string][]string
}

func TestAWorkspaceIsMovedWhileEightWriteToIt(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		const lease = 300 * time.Millisecond
		m := newMoving(t, e, e)
		mover := m.process(lease)
		m.lived("acme", 0)
		got := &gathered{by: map[relay.Stream][]uuid.UUID{}, ids: map[uuid.UUID]bool{}}
		done := make(chan struct{})
		acks := &acknowledged{by: map[[2]string][]string{}}
		var all sync.WaitGroup
		var longest atomic.Int64
		for process := range 2 { // four writers each, and a relay
			s := m.process(lease)
			engine, err := convo.New(s)
			require.NoError(t, err)
			r, err := relay.New(s, relay.To("crm", got))
			require.NoError(t, err)
			all.Go(func() {
				for running := true; running; {
					select {
					case <-done:
						running = false
					case <-time.After(5 * time.Millisecond):
					}
					_, err := r.Once(t.Context())
					if err != nil && !errors.Is(err, context.DeadlineExceeded) &&
						!errors.Is(err, convo.ErrCommitUnknown) {
						assert.ErrorIs(t, err, convo.ErrConflict)
					}
				}
			})
			for writer := range 4 {
				all.Go(func() {
					own := convo.ToContact("acme", fmt.Sprint("writer ", process, writer))
					for n := 0; ; n++ {
						select {
						case <-done:
							return
						case <-time.After(20 * time.Millisecond):
						}
						to := own
						if n%4 == 3 {
							to = convo.ToContact("acme", "shared")
						}
						body := fmt.Sprint(process, " ", writer, " ", n)
						began := time.Now()
						do := func() error {
							_, err := engine.Do(t.Context(), to,
								convo.Receive{Channel: "chat", ExternalID: body, Body: body})
							return err
						}
						err := do()
						for errors.Is(err, context.DeadlineExceeded) ||
							errors.Is(err, convo.ErrCommitUnknown) { // longer than the lease
							err = do()
						}
						longest.Store(max(longest.Load(), int64(time.Since(began))))
						if !assert.NoError(t, err) {
							return
						}
						acks.mu.Lock()
						of := [2]string{to.Contact, own.Contact}
						acks.by[of] = append(acks.by[of], body)
						acks.mu.Unlock()
					}
				})
			}
		}
		for _, to := range []string{"shard-1", "shard-0", "shard-1"} {
			moved, err := mover.Move(t.Context(), "acme", to, nil)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, moved.Stopped, lease*3/2)
			t.Logf("to %s: %d rows, writers stopped for %s", to, moved.Rows, moved.Stopped)
		}
		close(done)
		all.Wait()
		t.Logf("the longest call took %s", time.Duration(longest.Load()))
		s := m.process(lease)
		engine, err := convo.New(s)
		require.NoError(t, err)
		assert.Len(t, acks.by, 16)
		for of, bodies := range acks.by {
			to := convo.ToContact("acme", of[0])
			var there []string
			for event, err := range engine.AllHistory(t.Context(), to, convo.EventCursor{}) {
				require.NoError(t, err)
				if m, ok := event.Payload.(*convo.Message); ok && slices.Contains(bodies, m.Body) {
					there = append(there, m.Body)
				}
			}
			assert.Equal(t, bodies, there, "%s: each once, in their order", of)
		}
		assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
		assert.Empty(t, rowsOf(t, m.dbs[0], e, "acme"))
		m.followed(s, got)
	})
}

// followed demands that relays have brought all events of acme, those of a stream in their order,
// and that its feed has each once.
func (m *moving) followed(s *shardstore.LockingStore, got *gathered) {
	t := m.t
	r, err := relay.New(s, relay.To("crm", got),
		relay.WithClock(fixedClock{time.Now().Add(time.Hour)})) // behind every lease
	require.NoError(t, err)
	for more := true; more; {
		stats, err := r.Once(t.Context())
		require.NoError(t, err)
		more = stats.More || stats.Queued+stats.Sent > 0
	}
	feed := map[relay.Stream][]uuid.UUID{}
	at := relay.Cursor{Position: 1}
	for {
		page, err := s.FeedAfter(t.Context(), "acme", at, convo.MaxPageSize)
		require.NoError(t, err)
		require.Nil(t, page.Missed)
		if page.Next == at {
			break
		}
		at = page.Next
		for i := range page.Items {
			of := relay.StreamOf(&page.Items[i].Event)
			feed[of] = append(feed[of], page.Items[i].Event.ID)
		}
	}
	n := 0
	engine, err := convo.New(s)
	require.NoError(t, err)
	for c, err := range engine.AllConversations(t.Context(), convo.Filter{Workspace: "acme"}) {
		require.NoError(t, err)
		of := relay.Stream{Workspace: "acme", Conversation: c.ID}
		var log []uuid.UUID
		for f := (convo.EventFilter{Workspace: "acme", Conversation: c.ID, Limit: 500}); ; {
			page, err := s.Events(t.Context(), f)
			require.NoError(t, err)
			for i := range page {
				log = append(log, page[i].ID)
				f.After = page[i].Cursor()
			}
			if len(page) < f.Limit {
				break
			}
		}
		assert.Equal(t, log, got.by[of], "the relay")
		assert.Equal(t, log, feed[of], "the feed")
		n += len(log)
	}
	assert.Positive(t, n)
}

type fixedClock struct{ at time.Time }

func (c fixedClock) Now() time.Time { return c.at }

// A move that dies at any of its calls goes on, or is aborted: the workspace is whole either way,
// at one shard, and the other one has nothing of it.
func TestAMoveThatIsKilledGoesOnOrIsAborted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		m := newMoving(t, e, e)
		const lease = 10 * time.Millisecond
		m.lived("acme", 0)
		want := rowsOf(t, m.dbs[0], e, "acme")
		write := func(n int64) {
			engine, err := convo.New(m.process(time.Minute))
			require.NoError(t, err)
			_, err = engine.Do(t.Context(), convo.ToContact("acme", "ann 3"),
				convo.Send{By: ana, Body: fmt.Sprint("between ", n)})
			require.NoError(t, err)
			want["events"]++
			want["outbox"] = rowsOf(t, m.dbs[m.at()], e, "acme")["outbox"]
			want["places"] = rowsOf(t, m.dbs[m.at()], e, "acme")["places"]
		}
		for _, abort := range []bool{false, true} {
			kills := 0
			for n := int64(1); ; n++ {
				from := m.at()
				m.calls.Store(0)
				m.killAt.Store(n)
				_, err := m.process(lease).Move(t.Context(), "acme", other(from), nil)
				m.killAt.Store(0)
				if err == nil {
					break
				}
				require.ErrorIs(t, err, errKilled)
				kills++
				s := m.process(lease)
				if m.r.place("acme").Step != shardstore.StepStop {
					write(n) // it is in use
				}
				if abort {
					at, err := s.AbortMove(t.Context(), "acme")
					require.NoError(t, err)
					require.Equal(t, m.r.place("acme"), at)
				} else {
					_, err = s.Move(t.Context(), "acme", other(from), nil)
					require.NoError(t, err)
					require.Equal(t, other(from), m.r.place("acme").Shard)
				}
				require.Empty(t, m.r.place("acme").Step)
				require.Equal(t, want, rowsOf(t, m.dbs[m.at()], e, "acme"), "killed at %d", n)
				require.Empty(t, rowsOf(t, m.dbs[1-m.at()], e, "acme"), "killed at %d", n)
			}
			assert.Greater(t, kills, 15)
			assert.Empty(t, storetest.CheckInvariants(t.Context(), m.process(lease), "acme"))
		}
	})
}

// Who finds that another call had stopped writers lets them go on first: what that call asked of
// the directory last may be carried out later, and comes too late then.
func TestAMoveThatWasBegunByAnotherCallStopsAnew(t *testing.T) {
	m := newMoving(t, testdb.SQLite, testdb.SQLite)
	m.lived("acme", 0)
	stopped := shardstore.Place{Shard: "shard-0", Other: "shard-1", Step: shardstore.StepStop}
	m.r.places["acme"] = stopped
	_, err := m.process(10*time.Millisecond).Move(t.Context(), "acme", "shard-1",
		func(context.Context, convo.Store) error { return errKilled })
	require.ErrorIs(t, err, errKilled)
	require.Equal(t, []shardstore.Step{shardstore.StepCopy, shardstore.StepStop,
		shardstore.StepCopy}, m.r.steps)
}

// A lock has waited for the workspaces that it is of, and for no others.
func TestUnderALockOnlyItsWorkspacesAreWrittenTo(t *testing.T) {
	m := newMoving(t, testdb.SQLite)
	for _, w := range []string{"acme", "globex"} {
		m.r.places[w] = shardstore.Place{Shard: "shard-0"}
	}
	s := m.process(time.Minute)
	engine, err := convo.New(s)
	require.NoError(t, err)
	say := func(ctx context.Context, workspace string) error {
		_, err := engine.Do(ctx, convo.ToContact(workspace, "ann"), convo.Receive{Body: "hi"})
		return err
	}
	err = s.Locked(t.Context(), "acme", func(ctx context.Context) error {
		require.ErrorIs(t, say(ctx, "globex"), shardstore.ErrNotLocked)
		return say(ctx, "acme")
	})
	require.NoError(t, err)
	require.NoError(t, say(t.Context(), "globex"))
}

// at is the number of the shard that acme is on.
func (m *moving) at() int {
	if m.r.place("acme").Shard == "shard-0" {
		return 0
	}
	return 1
}

func other(at int) string { return fmt.Sprint("shard-", 1-at) }
