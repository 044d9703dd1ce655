package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// sweep is a database that is reached in two ways.
type sweep struct {
	remote bool    // each call is a round trip to a server
	plain  *sql.DB // as another process does
	store  *sqlstore.Store
	way    *faulty
	faulty *sqlstore.Store // on the way with faults, by one connection
	db     *sql.DB         // the same way

	prepared int                 // workspaces
	free     map[string][]string // of them, by act
	used     []string
	waits    int64 // for a connection, that were counted
}

func newSweep(t *testing.T, e testdb.Engine) *sweep {
	t.Helper()
	d := testdb.Create(t, e, fast[e]...)
	w := &sweep{remote: e != testdb.SQLite, plain: d.Open(t), free: map[string][]string{}}
	w.store = migrated(t, w.plain, e)
	w.db, w.way = openFaulty(t, d)
	w.faulty = migrated(t, w.db, e)
	return w
}

// fast spares a server the disk: nobody pulls the plug here.
var fast = map[testdb.Engine][]string{
	testdb.SQLite:     {"_pragma=synchronous(OFF)"},
	testdb.PostgreSQL: {"synchronous_commit=off"},
}

// workspace is a new one, in which everything is as it is before a.
func (w *sweep) workspace(t *testing.T, a *act) string {
	t.Helper()
	if len(w.free[a.name]) == 0 {
		w.prepare(t, a)
	}
	free := w.free[a.name]
	w.free[a.name], w.used = free[1:], append(w.used, free[0])
	return free[0]
}

// prepare prepares several workspaces in one commit, but for a runner only one.
func (w *sweep) prepare(t *testing.T, a *act) {
	t.Helper()
	tx, err := w.plain.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	e := enginesOn(t, w.store.WithTx(tx))[0]
	for len(w.free[a.name]) == 0 || len(w.free[a.name]) < 32 && !a.runner {
		workspace := fmt.Sprint("w", w.prepared)
		w.prepared++
		w.free[a.name] = append(w.free[a.name], workspace)
		if len(a.prepare) > 0 {
			_, err := e.Do(t.Context(), riya(workspace), a.prepare...)
			require.NoError(t, err)
			_, err = e.Do(t.Context(), convo.ToContact(workspace, "tom"), opening)
			require.NoError(t, err)
		}
	}
	require.NoError(t, tx.Commit())
}

// engine is a new engine for one call of a.
func (w *sweep) engine(t *testing.T, a *act) *convo.Engine {
	t.Helper()
	var s convo.Store = w.faulty
	if a.late {
		s = &late{Store: w.faulty}
	}
	e, err := convo.New(s)
	require.NoError(t, err)
	return e
}

// soon is a context for what must not take long: then it is a deadlock.
func soon(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 20*time.Second)
}

// meet is a meeting, after which the call is made again.
func (w *sweep) meet(t *testing.T, a *act, f faults, workspace, none, all string) (met faults) {
	t.Helper()
	ctx, cancel := soon(t)
	defer cancel()
	w.way.poolerCode = unknownCodes[f.at%len(unknownCodes)]
	err := a.do(w.way.arm(ctx, f), w.engine(t, a), workspace)
	met = w.way.disarm()
	story := fmt.Sprintf("%+v of %q: %v", met, w.way.calls(), err)
	there := counts(t, w.plain, workspace)
	switch {
	case err == nil:
		require.Equal(t, all, there, "a success: %s", story)
	case errors.Is(err, convo.ErrCommitUnknown):
		require.Contains(t, []string{none, all}, there, story)
	default:
		require.Equal(t, none, there, "a failure: %s", story)
	}
	if met.at == 0 || (met.what == conflicting || met.what == afterRows) && !a.runner {
		require.NoError(t, err, story)
	}
	if a.once {
		return met
	}
	require.NoError(t, a.do(ctx, w.engine(t, a), workspace), "again, after %s", story)
	// A Tick leaves out what the lost session holds, until the server knows that it is lost.
	for a.runner && ctx.Err() == nil && counts(t, w.plain, workspace) != all {
		require.NoError(t, a.do(ctx, w.engine(t, a), workspace), "again, after %s", story)
	}
	require.Equal(t, all, counts(t, w.plain, workspace), "again, after %s", story)
	return met
}

// meeting carries out a in a workspace, with f on the way. none and all are what it has before, and
// must have afterwards.
type meeting func(t *testing.T, a *act, f faults, workspace, none, all string) (met faults)

// through carries out an act in a new workspace for each of the faults that next returns. It gives
// next those that were met, none at first, and ends with it.
func (w *sweep) through(t *testing.T, a *act, meet meeting,
	next func(met faults) (f faults, more bool)) (n int) {
	t.Helper()
	reference := w.workspace(t, a)
	none := counts(t, w.plain, reference)
	require.NoError(t, a.do(t.Context(), w.engine(t, a), reference))
	all := counts(t, w.plain, reference)
	require.NotEqual(t, none, all)
	var met faults
	for f, more := next(met); more; f, more = next(met) {
		met = meet(t, a, f, w.workspace(t, a), none, all)
		n++
	}
	return n
}

// calls are those to the database at which a fault is tried: the first one, and each that is step
// later.
type calls struct{ first, step int }

// nth are the calls for the nth of several faults or acts: all of them, or in a short run on a
// server each third one, another third for the next.
func (w *sweep) nth(n int) calls {
	if w.remote && testing.Short() {
		return calls{1 + n%3, 3}
	}
	return calls{1, 1}
}

// once is for through: a fault at one call after the other, until there are no more.
func (c calls) once(what fault) func(met faults) (faults, bool) {
	at := c.first - c.step
	return func(met faults) (faults, bool) {
		at += c.step
		return faults{what: what, at: at}, at == c.first || met.at > 0
	}
}

// twice is for through: a fault at one call after the other, and with each of them every later call
// is refused once.
func (c calls) twice(what fault) func(met faults) (faults, bool) {
	f := faults{what: what, at: c.first, then: c.first}
	return func(met faults) (faults, bool) {
		f.then++
		if f.then > f.at+1 && met.then == 0 {
			if f.then == f.at+2 { // there was no call after that at all
				return f, false
			}
			f.at += c.step
			f.then = f.at + 1
		}
		return f, true
	}
}

// meetInside is a meeting in the host's transaction, which goes on and is committed whatever became
// of the call.
func (w *sweep) meetInside(t *testing.T, a *act, f faults, workspace, none,
	all string) (met faults) {
	t.Helper()
	ctx, cancel := soon(t)
	defer cancel()
	tx, err := w.db.BeginTx(ctx, nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, "INSERT INTO tickets VALUES ('"+workspace+"')")
	require.NoError(t, err)
	e := enginesOn(t, w.faulty)[0].With(w.faulty.WithTx(tx))
	err = a.do(w.way.arm(ctx, f), e, workspace)
	met = w.way.disarm()
	cerr := tx.Commit()
	story := fmt.Sprintf("%+v of %q: %v, and the host's commit: %v", met, w.way.calls(), err, cerr)
	var tickets int
	require.NoError(t, w.plain.QueryRowContext(ctx,
		"SELECT count(*) FROM tickets WHERE id = '"+workspace+"'").Scan(&tickets))
	there := counts(t, w.plain, workspace)
	switch {
	case met.at > 0 && met.what == ended:
		require.ErrorIs(t, err, convo.ErrTransactionLost, story)
		require.NotErrorIs(t, err, convo.ErrConflict, story)
		require.ErrorIs(t, cerr, sql.ErrTxDone, story)
		require.Zero(t, tickets, story)
		require.Equal(t, none, there, story)
	case cerr != nil:
		require.Zero(t, tickets, story)
		require.Equal(t, none, there, story)
	case err != nil:
		require.Equal(t, 1, tickets, story)
		require.Equal(t, none, there, "a failure: %s", story)
	default:
		require.Equal(t, 1, tickets, story)
		require.Equal(t, all, there, "a success: %s", story)
	}
	if met.at == 0 {
		require.NoError(t, errors.Join(err, cerr), story)
	}
	return met
}

// each sweeps through acts with each of the faults. With the race detector it takes fewer of both.
func (w *sweep) each(t *testing.T, fit func(a *act) bool, meet meeting, whats ...fault) {
	t.Helper()
	for j, a := range acts {
		if !fit(&a) || raceDetector && !a.slow {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			for i, what := range whats {
				if raceDetector && what.before() {
					continue
				}
				t.Run(string(what), func(t *testing.T) {
					t.Logf("%d times",
						w.through(t, &a, meet, w.nth(i+j).once(what)))
				})
			}
		})
	}
	w.check(t)
}

// check looks for broken invariants in all workspaces.
func (w *sweep) check(t *testing.T) {
	t.Helper()
	assert.Empty(t, storetest.CheckInvariants(t.Context(), w.store, w.used...))
}

func TestACallIsDoneWholeOrNotAtAllWhicheverStatementFails(t *testing.T) {
	testdb.EachAtOnce(t, wholeOrNotAtAll)
}

func wholeOrNotAtAll(t *testing.T, e testdb.Engine) {
	w := newSweep(t, e)
	w.each(t, func(*act) bool { return true }, w.meet, cancelledBefore, cancelledAfter, refused,
		conflicting, lostBefore, lostAfter, lostAfterAsBad, downAfter, afterRows)
	if e == testdb.SQLite { // which is in the same process
		return
	}
	// What is on its way to dqlite has the only lock, for which a runner would wait here.
	w.each(t, func(a *act) bool { return e != testdb.Dqlite || !a.runner }, w.meet, delayed, pooled)
}

func TestTheHostsTransactionHasACallWholeOrNotAtAllWhicheverStatementFails(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		w := newSweep(t, e)
		_, err := w.plain.ExecContext(t.Context(),
			"CREATE TABLE tickets (id VARCHAR(20) NOT NULL PRIMARY KEY)")
		require.NoError(t, err)
		whats := []fault{
			cancelledBefore, cancelledAfter, refused, conflicting, lostAfter, afterRows, unreadable,
		}
		if e.Server() == testdb.MariaDB { // where a deadlock ends all
			whats = append(whats, ended)
		}
		w.each(t, func(a *act) bool { return !a.late && !a.runner }, w.meetInside, whats...)
	})
}

// A driver may repeat a statement that was carried out, and then what is to find that out may fail
// as well.
func TestACallIsDoneOnceThoughNobodyCanAskWhatCameOfIt(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		w := newSweep(t, e)
		for i, a := range acts {
			if a.runner || raceDetector && !a.once {
				continue
			}
			t.Run(a.name, func(t *testing.T) {
				t.Logf("%d times",
					w.through(t, &a, w.meet, w.nth(i).twice(lostAfterAsBad)))
			})
		}
		w.check(t)
	})
}

// No answer rests on rows behind which an error comes.
func TestAReadFailsWithTheErrorBehindItsRows(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		w := newSweep(t, e)
		var a *act
		for i := range acts {
			if acts[i].name == "a closing" {
				a = &acts[i]
			}
		}
		ws := w.workspace(t, a)
		require.NoError(t, a.do(t.Context(), w.engine(t, a), ws))
		engine, err := convo.New(w.faulty, convo.WithRetries(0))
		require.NoError(t, err)
		for name, read := range map[string]func(context.Context) error{
			"conversations": func(ctx context.Context) error {
				_, err := engine.Conversations(ctx, convo.Filter{Workspace: ws})
				return err
			},
			"history": func(ctx context.Context) error {
				_, err := engine.History(ctx, riya(ws), convo.EventCursor{}, 0)
				return err
			},
			"addresses": func(ctx context.Context) error {
				_, err := engine.Addresses(ctx, riya(ws))
				return err
			},
			"due": func(ctx context.Context) error {
				_, err := w.faulty.Due(ctx, convo.DueQuery{Before: time.Now(), Limit: 10})
				return err
			},
			"keys": func(ctx context.Context) error {
				_, err := w.faulty.Keys(ctx, ws, convo.KeyID{ID: "close"})
				return err
			},
		} {
			n := 0
			for at := 1; ; at++ {
				ctx := w.way.arm(t.Context(), faults{what: afterRows, at: at})
				err := read(ctx)
				if met := w.way.disarm(); met.at == 0 {
					require.NoError(t, err, name)
					break
				}
				n++
				require.Error(t, err, "%s, call %d", name, at)
			}
			require.Positive(t, n, name)
		}
	})
}
