package faults_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// connectionID asks for the number of a connection, and waiting for how many seconds whoever waits
// for what that one holds or wants has done so.
var (
	connectionID = map[testdb.Engine]string{
		testdb.PostgreSQL: "SELECT pg_backend_pid()", testdb.MariaDB: "SELECT CONNECTION_ID()",
	}
	waiting = map[testdb.Engine]string{
		testdb.PostgreSQL: `SELECT COALESCE(MAX(EXTRACT(EPOCH FROM clock_timestamp() - query_start)),
			0)::float8 FROM pg_stat_activity
			WHERE wait_event_type = 'Lock' AND $1 = ANY(pg_blocking_pids(pid))`,
		testdb.MariaDB: `SELECT COALESCE(MAX(time_ms), 0) / 1000 FROM
			information_schema.processlist WHERE db = DATABASE()
			AND state = 'Waiting for table metadata lock' AND id <> ?`,
	}
)

// convo_hold has SQLite hold its locks for longer than a migration may.
func init() {
	sqlite.MustRegisterScalarFunction("convo_hold", 0,
		func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
			<-time.After(2 * longest(testdb.SQLite))
			return int64(1), nil
		})
}

// watch is how long calls took, and how long a migration held them up.
type watch struct {
	calls   sync.Mutex
	answers time.Time // the last one
	slowest time.Duration
	held    time.Duration
}

// answered notes that a call that began then has its answer.
func (w *watch) answered(begun time.Time) {
	w.calls.Lock()
	defer w.calls.Unlock()
	w.answers = time.Now()
	w.slowest = max(w.slowest, w.answers.Sub(begun))
}

// silence is since when no call has had an answer.
func (w *watch) silence() time.Duration {
	w.calls.Lock()
	defer w.calls.Unlock()
	return time.Since(w.answers)
}

// migrate brings the schema to a version, and asserts that nobody waited for that for long.
func (u *upgrade) migrate(t *testing.T, version int64, more fs.FS) {
	t.Helper()
	begun := time.Now()
	held := u.migrateAndLook(t, version, more)
	t.Logf("to version %d in %s: the longest wait was %s", version, time.Since(begun), held)
	assert.Less(t, held, longest(u.e))
	u.held = max(u.held, held)
}

// migrateAndLook returns for how long at most somebody waited for the migration: as the server says,
// or, of SQLite, how long nobody could write.
func (u *upgrade) migrateAndLook(t *testing.T, version int64, more fs.FS) (held time.Duration) {
	t.Helper()
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		ticks := time.NewTicker(5 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
			}
			if u.e == testdb.SQLite {
				held = max(held, u.silence())
				continue
			}
			var seconds float64
			err := u.db.QueryRowContext(t.Context(), waiting[u.e.Server()], u.id).Scan(&seconds)
			if !assert.NoError(t, err) {
				return
			}
			held = max(held, time.Duration(seconds*float64(time.Second)))
		}
	})
	config := u.config
	config.DB = u.migrator
	err := hook.Migrate(t.Context(), config, version, nextVersion, more)
	close(done)
	looking.Wait()
	require.NoError(t, err)
	return held
}

// grading is the next build: who closes a conversation grades the cycle, in the same transaction,
// where the schema has grades.
type grading struct {
	pool   *sql.DB
	mu     sync.RWMutex
	next   *sqlstore.Store // nil: the next build does not run
	schema int64           // by which it goes
	engine *convo.Engine
}

// open starts the next build anew beside the one before. The schema has this version.
func (u *upgrade) open(t *testing.T, version int64) {
	t.Helper()
	u.close(t)
	config := u.config
	config.DB = u.pool
	s, schema, err := hook.Open(t.Context(), config, nextVersion)
	require.NoError(t, err)
	require.Equal(t, version, schema)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.next, u.schema = s.(*sqlstore.Store), schema
	u.engine = engineOn(t, u.next)
}

// close stops it.
func (u *upgrade) close(t *testing.T) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.next != nil {
		require.NoError(t, u.next.Close())
		u.next = nil
	}
}

// asNext carries a call of every second writer out as the next build does, if it runs.
func (u *upgrade) asNext(
	ctx context.Context, writer int, to convo.Ref, cmds []convo.Command,
) (done bool, r convo.Result, err error) {
	u.mu.RLock()
	defer u.mu.RUnlock()
	if u.next == nil || writer%2 == 0 {
		return false, r, nil
	}
	err = u.inTransaction(ctx, func(tx *sql.Tx) error {
		r, err = u.engine.With(u.next.WithTx(tx)).Do(ctx, to, cmds...)
		_, closes := cmds[len(cmds)-1].(convo.Close)
		if err == nil && closes && u.schema == nextVersion {
			id := u.key(r.Conversation.ID)
			err = u.grade(ctx, tx, workspace, id, id)
		}
		return err
	})
	return true, r, err
}

func (u *upgrade) inTransaction(ctx context.Context, f func(*sql.Tx) error) error {
	var options *sql.TxOptions
	if u.e != testdb.SQLite { // what is read to be written elsewhere is not locked
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := u.pool.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err = f(tx); err == nil {
		err = tx.Commit()
	}
	var deadlock *mysql.MySQLError
	if errors.As(err, &deadlock) && deadlock.Number == 1213 {
		err = fmt.Errorf("%w: %w", convo.ErrTransactionLost, err)
	}
	return err
}

// grade grades the cycles of some conversations, and marks those that have a grade: not one that was
// closed by another process in between.
func (u *upgrade) grade(ctx context.Context, tx *sql.Tx, of string, from, to any) error {
	statements := []string{
		`INSERT INTO convo_grades (workspace, conversation, number, micros)
			SELECT workspace, conversation, number, closed_at - opened_at FROM convo_cycles
			WHERE workspace = ? AND conversation >= ? AND conversation <= ? AND NOT graded
			ON CONFLICT DO NOTHING`,
		`UPDATE convo_cycles SET graded = TRUE
			WHERE workspace = ? AND conversation >= ? AND conversation <= ? AND NOT graded
			AND EXISTS (SELECT 1 FROM convo_grades gr WHERE gr.workspace = convo_cycles.workspace
			AND gr.conversation = convo_cycles.conversation AND gr.number = convo_cycles.number)`,
	}
	if u.e == testdb.SQLite {
		statements = statements[:1]
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, u.text(statement), of, from, to); err != nil {
			return err
		}
	}
	return nil
}

// text is a statement as the engine takes it.
func (u *upgrade) text(statement string) string {
	switch u.e.Server() {
	case testdb.PostgreSQL:
		for n := 1; strings.Contains(statement, "?"); n++ {
			statement = strings.Replace(statement, "?", fmt.Sprint("$", n), 1)
		}
	case testdb.SQLite: // where what has a grade is not marked
		statement = strings.NewReplacer("AND NOT graded", "", "OR NOT cy.graded", "").Replace(statement)
	case testdb.MariaDB:
		statement = strings.Replace(statement, "INSERT INTO", "INSERT IGNORE INTO", 1)
		statement = strings.Replace(statement, "ON CONFLICT DO NOTHING", "", 1)
	}
	return statement
}

func (u *upgrade) key(id uuid.UUID) any {
	if u.e == testdb.PostgreSQL {
		return id.String()
	}
	return id[:]
}

// backfill grades what is not graded, a few hundred in a transaction: it may end anywhere, and goes
// on where it is run again.
func (u *upgrade) backfill(t *testing.T) {
	t.Helper()
	begun := time.Now()
	defer func() { t.Logf("filled in %s", time.Since(begun)) }()
	for _, of := range rowsOf[string](t, u.pool, "SELECT DISTINCT workspace FROM convo_cycles") {
		for after := u.key(uuid.Nil); ; {
			batch := rowsOf[any](t, u.pool, u.text(`SELECT conversation FROM convo_cycles
				WHERE workspace = ? AND conversation > ? ORDER BY conversation LIMIT 500`), of, after)
			if len(batch) == 0 {
				break
			}
			from, to := batch[0], batch[len(batch)-1]
			err := convo.ErrTransactionLost
			for errors.Is(err, convo.ErrTransactionLost) {
				err = u.inTransaction(t.Context(), func(tx *sql.Tx) error {
					return u.grade(t.Context(), tx, of, from, to)
				})
			}
			require.NoError(t, err)
			after = to
		}
	}
}

func rowsOf[V any](t *testing.T, db *sql.DB, query string, args ...any) (all []V) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var v V
		require.NoError(t, rows.Scan(&v))
		all = append(all, v)
	}
	require.NoError(t, rows.Err())
	return all
}

// graded asserts that each closed cycle has its grade, and is marked.
func (u *upgrade) graded(t *testing.T) {
	t.Helper()
	assert.Equal(t, []int64{0}, rowsOf[int64](t, u.db, u.text(`SELECT count(*) FROM convo_cycles cy
		LEFT JOIN convo_grades gr ON gr.workspace = cy.workspace
		AND gr.conversation = cy.conversation AND gr.number = cy.number
		WHERE gr.micros IS NULL OR gr.micros <> cy.closed_at - cy.opened_at OR NOT cy.graded`)))
	assert.Equal(t, rowsOf[int64](t, u.db, "SELECT count(*) FROM convo_cycles"),
		rowsOf[int64](t, u.db, "SELECT count(*) FROM convo_grades"))
}
