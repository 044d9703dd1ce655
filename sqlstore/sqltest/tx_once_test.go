package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// In the host's transaction a call takes no more statements than outside of one: it loads, and
// writes all at once.
func TestACallInTheHostsTransactionIsTwoStatements(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		switch e {
		case testdb.SQLite:
			t.Skip("in the same process there are no round trips")
		case testdb.MySQL:
			t.Skip("it writes row by row")
		}
		w := newSweep(t, e)
		for _, a := range acts {
			switch a.name {
			case "the first message of a contact", "a message", "a message without an id",
				"a closing", "a reopening":
			default:
				continue
			}
			var calls []string
			for range 4 { // and a read in between, by which what was wanted inside is prepared
				workspace := w.workspace(t, &a)
				ctx := w.way.arm(t.Context(), faults{at: 1})
				tx, err := w.db.BeginTx(ctx, nil)
				require.NoError(t, err)
				require.NoError(t, a.do(ctx, enginesOn(t, w.faulty)[0].With(w.faulty.WithTx(tx)),
					workspace), a.name)
				require.NoError(t, tx.Commit())
				calls = w.way.calls()
				w.way.disarm()
				_, err = w.faulty.Conversations(t.Context(), convo.Filter{Workspace: workspace})
				require.NoError(t, err)
			}
			assert.Len(t, calls, 4, "%s: %s", a.name, strings.Join(calls, "\n"))
			assert.Equal(t, []string{"begin", "commit"}, []string{calls[0], calls[len(calls)-1]})
		}
		w.check(t)
	})
}

// What two transactions write at the same instant neither of them can see. PostgreSQL takes nothing
// more then in the one that comes second; the host must not be told that it may go on.
func TestTheHostsTransactionThatLosesAKeyAtTheSameInstant(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		if e == testdb.SQLite {
			return // one transaction at a time
		}
		h.do("riya", convo.Open{By: ana})
		h.do("tom", convo.Open{By: ana})
		message := convo.Receive{Key: "1", Body: "hi"}
		winner, engine := h.begin(nil)
		_, err := engine.Do(h.ctx, convo.ToContact(shop, "riya"), message)
		require.NoError(h.t, err)

		tx, engine := h.begin(nil)
		h.ticket(tx, "first")
		lost := make(chan error)
		go func() {
			_, err := engine.Do(h.ctx, convo.ToContact(shop, "tom"), message)
			lost <- err
		}()
		h.waits(e)
		require.NoError(h.t, winner.Commit())
		err = <-lost
		// a key that is there, and that this transaction does not see yet
		if e.Server() == testdb.MariaDB {
			require.ErrorIs(h.t, err, convo.ErrDuplicate)
			require.NoError(h.t, tx.Commit())
			h.has("first")
		} else {
			require.ErrorIs(h.t, err, convo.ErrTransactionLost)
			require.NotErrorIs(h.t, err, convo.ErrConflict)
			_, err = engine.Do(h.ctx, convo.ToContact(shop, "tom"), hello("on"))
			require.ErrorIs(h.t, err, convo.ErrTransactionLost, "going on")
			require.Error(h.t, tx.Commit(), "a commit of nothing")
			h.has()
		}
		tx, engine = h.begin(nil)
		h.ticket(tx, "again")
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "tom"), message)
		require.ErrorIs(h.t, err, convo.ErrKeyReused)
		require.NoError(h.t, tx.Commit())
		require.Equal(h.t, []string{"hi"}, receivedIn(h.t, h.db, shop))
	})
}

// Savepoints of the host's, also one that is called as the store's are, mean what they meant before
// the calls in between, or are told to be there no more.
func TestCallsLeaveNoSavepointInTheHostsTransaction(t *testing.T) {
	eachHost(t, 1, func(h *host, e testdb.Engine) {
		riya := convo.ToContact(shop, "riya")
		h.do("riya", convo.Open{By: ana})
		stale := h.decide(riya, convo.Close{By: ana})
		h.do("riya", hello("meanwhile"))
		calls := map[string]func(tx *sql.Tx, engine *convo.Engine){
			"a message": func(_ *sql.Tx, engine *convo.Engine) {
				_, err := engine.Do(h.ctx, riya, hello("undone"))
				require.NoError(h.t, err)
			},
			"a message refused": func(tx *sql.Tx, engine *convo.Engine) {
				s := h.store.WithTx(tx)
				_, err := s.Load(h.ctx, riya)
				require.NoError(h.t, err)
				require.ErrorIs(h.t, s.Commit(h.ctx, stale), convo.ErrConflict)
			},
			"several": func(_ *sql.Tx, engine *convo.Engine) {
				_, err := engine.Do(h.ctx, riya, hello("undone"), convo.Close{By: ana},
					convo.Open{By: ana})
				require.NoError(h.t, err)
			},
		}
		for name, call := range calls {
			tx, engine := h.begin(nil)
			h.ticket(tx, name)
			h.exec(tx, "SAVEPOINT convo")
			h.ticket(tx, "undone")
			call(tx, engine)
			call(tx, engine)
			_, err := tx.ExecContext(h.ctx, "ROLLBACK TO SAVEPOINT convo")
			// a savepoint takes the place of one that is called so
			if e.Server() == testdb.MariaDB {
				require.ErrorContains(h.t, err, "1305", name)
				require.NoError(h.t, tx.Rollback())
				continue
			}
			require.NoError(h.t, err, name)
			require.NoError(h.t, tx.Commit(), name)
		}
		if e.Server() == testdb.MariaDB {
			h.has()
		} else {
			h.has("a message", "a message refused", "several")
		}
		require.Equal(h.t, []string{"meanwhile"}, receivedIn(h.t, h.db, shop))
	})
}

// MariaDB ends a block that is killed where it stands, and undoes nothing of it.
func TestACallThatIsKilledIsNoPartOfTheHostsTransaction(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		ask, kill := "SELECT pg_backend_pid()", "SELECT pg_cancel_backend(%d)"
		switch e.Server() {
		case testdb.SQLite:
			return // nobody kills its statements
		case testdb.MariaDB:
			ask, kill = "SELECT CONNECTION_ID()", "KILL QUERY %d"
		}
		h.do("riya", convo.Open{By: ana})
		before := counts(h.t, h.db, shop)
		other, _ := h.begin(nil)
		h.exec(other, "UPDATE convo_conversations SET version = version WHERE contact = 'riya'")

		tx, engine := h.begin(nil)
		h.ticket(tx, "before")
		var session int64
		require.NoError(h.t, tx.QueryRowContext(h.ctx, ask).Scan(&session))
		killed := make(chan error)
		go func() { // writes the contact, and then waits for its conversation
			_, err := engine.Do(h.ctx, convo.ToContact(shop, "riya"), convo.Block{By: ana},
				convo.Close{By: ana})
			killed <- err
		}()
		h.waits(e)
		h.exec(h.db, fmt.Sprintf(kill, session))
		if err := <-killed; e == testdb.MySQL { // its savepoint is still there
			require.ErrorContains(h.t, err, "1317")
			require.NoError(h.t, tx.Commit())
			h.has("before")
		} else {
			require.ErrorIs(h.t, err, convo.ErrTransactionLost)
			require.Error(h.t, tx.Commit(), "a commit of a part")
			h.has()
		}
		require.NoError(h.t, other.Rollback())
		require.Equal(h.t, before, counts(h.t, h.db, shop))
	})
}

// Who gives up in the middle of a call has done all of it, or nothing, or has lost the transaction.
func TestACallThatIsGivenUpInTheMiddleIsNoPartOfTheHostsTransaction(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		if e == testdb.SQLite {
			return // nothing to wait for in the middle
		}
		h.do("riya", convo.Open{By: ana})
		before := counts(h.t, h.db, shop)
		other, _ := h.begin(nil)
		h.exec(other, "UPDATE convo_conversations SET version = version WHERE contact = 'riya'")
		tx, engine := h.begin(nil)
		h.ticket(tx, "lost")
		given, up := context.WithCancel(h.ctx)
		gaveUp := make(chan error)
		go func() {
			_, err := engine.Do(given, convo.ToContact(shop, "riya"), convo.Block{By: ana},
				convo.Close{By: ana})
			gaveUp <- err
		}()
		h.waits(e)
		up()
		err := <-gaveUp
		require.ErrorIs(h.t, err, convo.ErrTransactionLost)
		require.ErrorIs(h.t, err, context.Canceled)
		require.ErrorIs(h.t, tx.Commit(), sql.ErrTxDone)
		require.NoError(h.t, other.Rollback())
		h.has()
		require.Equal(h.t, before, counts(h.t, h.db, shop))
	})
}

// A server that gives up waiting undoes what waited, and no more.
func TestACallThatWaitsForTooLongIsNoPartOfTheHostsTransaction(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("one transaction at a time")
		}
		db := testdb.Open(t, e, patienceOf[e.Server()]...)
		h := &host{t: t, ctx: t.Context(), db: db, store: migrated(t, db, e)}
		h.engine = enginesOn(t, h.store)[0]
		h.exec(db, "CREATE TABLE tickets (id VARCHAR(20) NOT NULL PRIMARY KEY)")
		h.do("riya", convo.Open{By: ana})
		before := counts(t, db, shop)
		other, _ := h.begin(nil)
		h.exec(other, "UPDATE convo_conversations SET version = version WHERE contact = 'riya'")
		tx, engine := h.begin(nil)
		h.ticket(tx, "kept")
		// writes the contact, and then waits for its conversation
		_, err := engine.Do(h.ctx, convo.ToContact(shop, "riya"), convo.Block{By: ana},
			convo.Close{By: ana})
		if e == testdb.PostgreSQL { // where an error ends all
			require.ErrorIs(t, err, convo.ErrTransactionLost)
			require.Error(t, tx.Commit())
			h.has()
		} else {
			require.ErrorIs(t, err, convo.ErrConflict)
			require.NoError(t, tx.Commit())
			h.has("kept")
		}
		require.NoError(t, other.Rollback())
		require.Equal(t, before, counts(t, db, shop))
	})
}

// Of several changes in the host's transaction none is written when one of them is refused.
func TestSeveralChangesAreWrittenTogetherInTheHostsTransaction(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		h.do("riya", convo.Open{By: ana})
		h.do("tom", convo.Open{By: ana})
		message := h.decide(convo.ToContact(shop, "riya"), hello("undone"))
		stale := h.decide(convo.ToContact(shop, "tom"), convo.Close{By: ana})
		h.do("tom", hello("meanwhile"))
		before := counts(h.t, h.db, shop)
		tx, _ := h.begin(nil)
		s := h.store.WithTx(tx)
		_, err := s.Load(h.ctx, convo.ToContact(shop, "riya"))
		require.NoError(h.t, err)
		require.ErrorIs(h.t, s.Commit(h.ctx, message, stale), convo.ErrConflict)
		require.NoError(h.t, tx.Commit())
		require.Equal(h.t, before, counts(h.t, h.db, shop))
	})
}
