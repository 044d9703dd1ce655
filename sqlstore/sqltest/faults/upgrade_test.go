package faults_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// thisVersion is that of this build, which is the build before; nextVersion is that of the migration
// in testdata/next, which is made up, and of the build that knows it.
const (
	thisVersion = sqlstore.SchemaVersion
	nextVersion = thisVersion + 1
)

// longest is how long a migration may hold a caller up. MariaDB counts whole seconds when it waits
// for a table, so one that waits for a whole one may be seen to have done so for a bit more.
func longest(e testdb.Engine) time.Duration {
	if e.Server() == testdb.MariaDB {
		return 3 * time.Second / 2
	}
	return time.Second
}

// cycles is how many closed conversations, of four events each, are there before: 2,000, or as many
// as CONVO_TEST_CYCLES says, as scripts/nightly does.
func cycles(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CONVO_TEST_CYCLES")
	if text == "" {
		return 2000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "CONVO_TEST_CYCLES")
	return n
}

// The build before and the next one, which goes by the schema that it meets, work side by side while
// the schema is migrated up, down and up again, and nothing is missing from the log, from reports,
// from what a relay brings out, nor from the new table.
func TestAnUpgradeStopsNobodyForthAndBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		u := newUpgrade(t, e)
		u.fill(t, cycles(t))
		u.start(t)
		next := os.DirFS("../testdata/next")

		u.load.acknowledged(t, 200)
		u.open(t, thisVersion) // the next build, beside the one before, and before it migrates
		u.load.acknowledged(t, 200)
		u.migrate(t, nextVersion, next)
		u.load.acknowledged(t, 200)
		u.open(t, nextVersion)
		u.load.acknowledged(t, 200)
		u.backfill(t)

		u.close(t) // what needs the column stops, and the schema goes back
		u.migrate(t, thisVersion, next)
		u.load.acknowledged(t, 100)
		u.open(t, thisVersion)
		u.load.acknowledged(t, 200)

		u.migrate(t, nextVersion, next)
		u.open(t, nextVersion)
		u.load.acknowledged(t, 200)
		u.backfill(t)
		u.stop(t)
		u.backfill(t) // what the build before has closed since

		u.load.done.there(t, u.store)
		u.relayed(t)
		u.reported(t)
		u.graded(t)
		t.Logf("%s; slowest call: %s; longest wait for a migration: %s", &u.load,
			u.slowest, u.held)
	})
}

// A migration that holds a lock for long is noticed, or the test above would prove nothing.
func TestAMigrationThatHoldsALockForLongIsNoticed(t *testing.T) {
	holds := map[testdb.Engine]string{
		testdb.SQLite: "-- +goose Up\nSELECT convo_hold();",
		testdb.PostgreSQL: "-- +goose Up\n" +
			"LOCK TABLE convo_events IN ACCESS EXCLUSIVE MODE;\nSELECT pg_sleep(2);",
		testdb.MariaDB: "-- +goose NO TRANSACTION\n-- +goose Up\n" +
			"LOCK TABLES convo_events WRITE;\nSELECT SLEEP(2);\nUNLOCK TABLES;",
	}
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		u := newUpgrade(t, e)
		u.start(t)
		u.load.acknowledged(t, 20)
		held := u.migrateAndLook(t, nextVersion, fstest.MapFS{
			folders[e.Server()] + "/00004_hold.sql": {Data: []byte(holds[e.Server()])},
		})
		u.stop(t)
		assert.Greater(t, held, longest(e))
	})
}

// upgrade is a database that is migrated while processes work on it.
type upgrade struct {
	e        testdb.Engine
	db       *sql.DB // of the build before
	config   sqlstore.Config
	migrator *sql.DB // has one connection, with this number
	id       int64
	store    *sqlstore.Store // of the build before
	load     load
	grading
	watch
	out  relaying
	ends func() // what works in the background
}

var folders = map[testdb.Engine]string{
	testdb.SQLite: "sqlite", testdb.PostgreSQL: "postgres", testdb.MariaDB: "mariadb",
}

func newUpgrade(t *testing.T, e testdb.Engine) *upgrade {
	t.Helper()
	d := testdb.Create(t, e)
	nexts := d
	if e == testdb.SQLite { // a transaction of a host does not stand in the queue of the store
		nexts = d.With("_pragma=busy_timeout(60000)")
	}
	u := &upgrade{e: e, db: d.Open(t), migrator: d.Open(t), grading: grading{pool: nexts.Open(t)}}
	u.migrator.SetMaxOpenConns(1)
	u.config = sqlstore.Config{DB: u.db, Dialect: dialects[e], Outbox: true}
	require.NoError(t, u.config.Migrate(t.Context()))
	var err error
	u.store, err = u.config.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, u.store.Close()) })
	if number := connectionID[e.Server()]; number != "" {
		require.NoError(t, u.migrator.QueryRowContext(t.Context(), number).Scan(&u.id))
	}
	u.out.File = filepath.Join(t.TempDir(), "published")
	return u
}

// fill fills the tables with the conversations of other workspaces.
func (u *upgrade) fill(t *testing.T, n int) {
	t.Helper()
	for _, f := range []func(context.Context, *sql.DB, sqlstore.Dialect, int) error{
		fill.Conversations, fill.Log, fill.RolledUp,
	} {
		require.NoError(t, f(t.Context(), u.db, dialects[u.e], n))
	}
	require.NoError(t, fill.Analyze(t.Context(), u.db, dialects[u.e]))
}

// start has writers write, a relay relay, and reports be made, until stop.
func (u *upgrade) start(t *testing.T) {
	t.Helper()
	u.load.giveUp = func(err error) bool { // which it does at what a host does not begin again at
		return !assert.True(t, errors.Is(err, convo.ErrConflict) ||
			errors.Is(err, convo.ErrActiveExists) ||
			errors.Is(err, convo.ErrTransactionLost), "%v", err)
	}
	before := engineOn(t, u.store)
	u.load.do = func(writer int, to convo.Ref, cmds []convo.Command) (r convo.Result, err error) {
		begun := time.Now()
		defer func() { u.answered(begun) }()
		if done, r, err := u.asNext(t.Context(), writer, to, cmds); done {
			return r, err
		}
		return before.Do(t.Context(), to, cmds...)
	}
	of, err := relay.New(u.store, relay.To("file", &u.out), relay.WithEvery(time.Millisecond))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	runner := relay.Runner{Grace: 5 * time.Minute, Jobs: []relay.Job{
		of.Job(), relay.RollupJob(u.store, 10*time.Millisecond),
		{Name: "report", Every: 10 * time.Millisecond, Do: func(ctx context.Context) (bool, error) {
			_, err := closings(ctx, u.store)
			return false, err
		}},
	}, Observe: func(r relay.JobRun) { assert.NoError(t, r.Err, r.Job) }}
	go func() {
		defer close(done)
		assert.ErrorIs(t, runner.Run(ctx), context.Canceled)
	}()
	u.ends = func() { cancel(); <-done }
	u.load.start(t)
}

func (u *upgrade) stop(t *testing.T) {
	t.Helper()
	u.load.stop()
	u.ends()
	u.close(t)
}

// closings is how many a report counts.
func closings(ctx context.Context, s *sqlstore.Store) (int64, error) {
	now := time.Now()
	r, err := report.Run(ctx, s, report.Query{
		Kind: report.Conversations, Workspace: workspace,
		From: now.Add(-48 * time.Hour), To: now.Add(48 * time.Hour),
	})
	if err != nil {
		return 0, err
	}
	return r.Total[report.Closed].Count, nil
}

// relayed asserts that what is in the log was brought out.
func (u *upgrade) relayed(t *testing.T) {
	t.Helper()
	of, err := relay.New(u.store, relay.To("file", &u.out))
	require.NoError(t, err)
	for more := true; more; {
		stats, err := of.Once(t.Context())
		require.NoError(t, err)
		more = stats.Queued+stats.Sent > 0
	}
	require.NotEmpty(t, u.out.complete(t, u.store))
}

// reported asserts that what is in the log is in reports.
func (u *upgrade) reported(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var err error
		_, more, err = u.store.Rollup(t.Context(), 500)
		require.NoError(t, err)
	}
	differences, err := u.store.CheckRollups(t.Context(), workspace)
	require.NoError(t, err)
	assert.Empty(t, differences)
	var want int64
	require.NoError(t, u.db.QueryRowContext(t.Context(), "SELECT count(*) FROM convo_events "+
		"WHERE workspace = '"+workspace+"' AND kind = 'conversation_closed'").Scan(&want))
	got, err := closings(t.Context(), u.store)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Positive(t, got)
}
