package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// execModes are what pgx may do behind a pooler in transaction mode.
var execModes = []string{"exec", "simple_protocol", "cache_describe"}

// behindPgBouncer is a new database with the schema, which was made without the pooler, and the
// same one reached through it, which has fewer connections to it than a test has to the pooler.
func behindPgBouncer(t *testing.T) (direct *sqlstore.Store, db *sql.DB, pooled testdb.Database) {
	t.Helper()
	dsn := os.Getenv("CONVO_PGBOUNCER_DSN")
	if dsn == "" {
		t.Skip("set CONVO_PGBOUNCER_DSN, or run make test-engines")
	}
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	d := testdb.Create(t, testdb.PostgreSQL)
	db = d.Open(t)
	return migrated(t, db, testdb.PostgreSQL), db, d.Via(u.Host)
}

func throughPgBouncer(pooled testdb.Database, mode string) testdb.Database {
	return pooled.With("default_query_exec_mode=" + mode)
}

func TestOpenSaysWhatToSetBehindAPooler(t *testing.T) {
	_, _, pooled := behindPgBouncer(t)
	for name, c := range map[string]struct {
		mode       string
		unprepared bool
		wrong      bool
	}{
		"prepared":             {mode: "cache_statement", wrong: true},
		"prepared in exec":     {mode: "exec", wrong: true},
		"prepared in simple":   {mode: "simple_protocol", wrong: true},
		"unprepared, but pgx":  {mode: "cache_statement", unprepared: true, wrong: true},
		"unprepared in exec":   {mode: "exec", unprepared: true},
		"unprepared in simple": {mode: "simple_protocol", unprepared: true},
		"unprepared, describe": {mode: "cache_describe", unprepared: true},
	} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				db := throughPgBouncer(pooled, c.mode).Open(t)
				s, err := sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL,
					Unprepared: c.unprepared}.Open(t.Context())
				if c.wrong {
					require.ErrorContains(t, err, "set Config.Unprepared")
					require.ErrorContains(t, err, "default_query_exec_mode=exec")
				} else {
					require.NoError(t, err)
					require.NoError(t, s.Close())
				}
				require.NoError(t, db.Close())
			}
		})
	}
}

// The lock of migrations belongs to a session, and a pooler would give it to somebody else.
func TestMigrateThroughPgBouncerIsRefused(t *testing.T) {
	_, straight, pooled := behindPgBouncer(t)
	for _, mode := range append([]string{"cache_statement"}, execModes...) {
		for range 5 {
			db := throughPgBouncer(pooled, mode).Open(t)
			c := sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL, Prefix: "p_", Unprepared: true}
			for _, err := range []error{c.Migrate(t.Context()), c.MigrateTo(t.Context(), 0)} {
				require.ErrorContains(t, err, "a DSN that leads to the server itself")
			}
			require.NoError(t, db.Close())
		}
	}
	var left int
	require.NoError(t, straight.QueryRowContext(t.Context(), `SELECT
		(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database =
			(SELECT oid FROM pg_database WHERE datname = current_database()))
		+ (SELECT count(*) FROM pg_class WHERE relname LIKE 'p\_%')`).Scan(&left))
	require.Zero(t, left, "locks or tables were left")
}

// storeBehindPgBouncer is a store on a new database, with an outbox, and the database without the
// pooler.
func storeBehindPgBouncer(t *testing.T) (s *sqlstore.Store, straight *sql.DB) {
	t.Helper()
	_, straight, pooled := behindPgBouncer(t)
	s, err := sqlstore.Config{DB: throughPgBouncer(pooled, "exec").Open(t),
		Dialect: sqlstore.PostgreSQL, Unprepared: true, Outbox: true}.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, straight
}

func TestStoreConformsThroughPgBouncer(t *testing.T) {
	t.Parallel()
	s, straight := storeBehindPgBouncer(t)
	conforms(t, s, straight, "convo_")
}

func TestReportsConformThroughPgBouncer(t *testing.T) {
	t.Parallel()
	storetest.RunReports(t, func(t *testing.T) storetest.Reporter {
		s, _ := storeBehindPgBouncer(t)
		return s
	})
}

// Who is not noticed, because a pool of one connection has nobody to take the server's away, hears
// it from the first statement that fails.
func TestAStatementThatAPoolerLostSaysWhatToSet(t *testing.T) {
	direct, _, pooled := behindPgBouncer(t)
	db := throughPgBouncer(pooled, "exec").Open(t)
	db.SetMaxOpenConns(1)
	s, err := sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL}.Open(t.Context())
	require.NoError(t, err)
	_, err = enginesOn(t, direct)[0].Do(t.Context(), riya(acme), convo.Receive{Body: "hi"})
	require.NoError(t, err)
	// the server's connection that it has had is taken away
	other := throughPgBouncer(pooled, "exec").Open(t)
	for range 4 {
		tx, err := other.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		if _, err = tx.ExecContext(t.Context(), "SELECT 1"); err != nil {
			break
		}
		_, err = enginesOn(t, s)[0].Do(t.Context(), riya(acme), convo.Receive{Body: "hi"})
		if err != nil {
			require.ErrorContains(t, err, "set Config.Unprepared")
			return
		}
	}
	t.Fatal("nothing was lost")
}

// traffic is many callers of few contacts, on more connections than the pooler has to the server.
type traffic struct {
	engine  *convo.Engine
	calls   atomic.Int64
	mu      sync.Mutex
	written []string // bodies of messages that were acknowledged
}

const pooledContacts = 12

// call makes one call at random.
func (c *traffic) call(ctx context.Context, n int) error {
	contact := func() string { return fmt.Sprint("contact ", rand.IntN(pooledContacts)) }
	to := convo.ToContact(acme, contact())
	body := fmt.Sprint("message ", n)
	do := func(cmds ...convo.Command) error {
		_, err := c.engine.Do(ctx, to, cmds...)
		return err
	}
	switch k := rand.IntN(20); {
	case k < 6:
		in := convo.Receive{Channel: "sms", ExternalID: body, Body: body}
		err := do(in)
		if err == nil {
			c.mu.Lock()
			c.written = append(c.written, body)
			c.mu.Unlock()
			if n%4 == 0 { // delivered twice
				err = do(in)
			}
		}
		return err
	case k < 9:
		return do(convo.Send{By: ana, Body: "hello"})
	case k < 12:
		return do(convo.Close{By: ana, Category: "Sales", Summary: "Sold."})
	case k < 13:
		return do(convo.Reopen{By: ana})
	case k < 14:
		return do(convo.Assign{By: ana, Assignee: fmt.Sprint("agent ", n%5)})
	case k < 15:
		return do(convo.Open{By: ana, Key: fmt.Sprint("key ", n%5, " of ", to.Contact)})
	case k < 16:
		return do(convo.SetPending{By: ana})
	case k < 17:
		_, err := c.engine.Conversations(ctx, convo.Filter{Workspace: acme,
			Contact: to.Contact, Limit: 5})
		return err
	case k < 18:
		to = convo.ToAddress(acme, "sms", "+49"+contact())
		return do(convo.Note{By: ana, Body: "of an address"})
	case k < 19:
		_, err := c.engine.Merge(ctx, convo.Merge{Workspace: acme, Primary: contact(),
			Secondary: contact(), By: ana})
		return err
	}
	return do(convo.Note{By: ana, Body: "note"}, convo.Send{By: ana, Body: "hello"})
}

// ofTheLifecycle reports whether err is what the lifecycle says of a call that came at a wrong
// time, or lost all its tries to others.
func ofTheLifecycle(err error) bool {
	var state *convo.StateError
	var invalid *convo.ValidationError // a merge of a contact with itself, or that was merged
	return err == nil || errors.As(err, &state) || errors.As(err, &invalid) ||
		errors.Is(err, convo.ErrDuplicate) || errors.Is(err, convo.ErrConflict)
}

func TestRacesThroughPgBouncerLeaveNothingBroken(t *testing.T) {
	calls := int64(1000)
	if os.Getenv("CONVO_NIGHTLY") != "" {
		calls = 10000
	}
	modes := execModes
	if testing.Short() {
		modes = modes[:1]
	}
	t.Parallel()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			direct, straight, pooled := behindPgBouncer(t)
			db := throughPgBouncer(pooled, mode).Open(t)
			s, err := sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL,
				Unprepared: true}.Open(t.Context())
			require.NoError(t, err)
			defer s.Close()
			c := &traffic{engine: enginesOn(t, s)[0]}
			var callers sync.WaitGroup
			for range 24 {
				callers.Go(func() {
					for n := c.calls.Add(1); n <= calls; n = c.calls.Add(1) {
						err := c.call(t.Context(), int(n))
						assert.True(t, ofTheLifecycle(err), "%v", err)
					}
				})
			}
			callers.Wait()
			slices.Sort(c.written)
			assert.Equal(t, c.written, receivedIn(t, straight, acme),
				"a message was lost or doubled")
			assert.Empty(t, storetest.CheckInvariants(t.Context(), direct, acme))
			assert.Empty(t, storetest.CheckInvariants(t.Context(), s, acme))
			var servers int
			require.NoError(t, straight.QueryRowContext(t.Context(), `SELECT count(*)
				FROM pg_stat_activity WHERE datname = current_database()
				AND client_port IS NOT NULL`).Scan(&servers))
			assert.Greater(t, db.Stats().OpenConnections, servers, "clients must share")
			t.Logf("%d messages, %d connections to the pooler, %d to the server, ours among them",
				len(c.written), db.Stats().OpenConnections, servers)
		})
	}
}
