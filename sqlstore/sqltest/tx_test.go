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
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// host is a program with a table of its own beside convo's, and perhaps with one connection only.
type host struct {
	t      *testing.T
	ctx    context.Context // ends early: what takes long is a deadlock
	db     *sql.DB
	store  *sqlstore.Store
	engine *convo.Engine
	told   int // events that its observer was told
}

const shop = "shop" // the host's workspace

func eachHost(t *testing.T, connections int, f func(h *host, e testdb.Engine)) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		db.SetMaxOpenConns(connections)
		h := &host{t: t, db: db, store: migrated(t, db, e)}
		ctx, cancel := soon(t)
		defer cancel()
		h.ctx = ctx
		var err error
		h.engine, err = convo.New(h.store, convo.WithObserver(func(_ context.Context,
			events []convo.Event) {
			h.told += len(events)
		}))
		require.NoError(t, err)
		h.exec(db, "CREATE TABLE tickets (id VARCHAR(20) NOT NULL PRIMARY KEY)")
		f(h, e)
		assert.Empty(t, storetest.CheckInvariants(t.Context(), h.store, shop))
	})
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (h *host) exec(on execer, statement string) {
	h.t.Helper()
	_, err := on.ExecContext(h.ctx, statement)
	require.NoError(h.t, err)
}

func (h *host) ticket(on execer, id string) { h.exec(on, "INSERT INTO tickets VALUES ('"+id+"')") }

func (h *host) begin(o *sql.TxOptions) (*sql.Tx, *convo.Engine) {
	h.t.Helper()
	tx, err := h.db.BeginTx(h.ctx, o)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = tx.Rollback() })
	return tx, h.engine.With(h.store.WithTx(tx))
}

// has demands that these and no other tickets are there.
func (h *host) has(want ...string) {
	h.t.Helper()
	rows, err := h.db.QueryContext(h.ctx, "SELECT id FROM tickets ORDER BY id")
	require.NoError(h.t, err)
	defer rows.Close()
	var got []string
	for rows.Next() {
		var id string
		require.NoError(h.t, rows.Scan(&id))
		got = append(got, id)
	}
	require.NoError(h.t, rows.Err())
	require.Equal(h.t, want, got, "tickets")
}

func (h *host) do(contact string, cmds ...convo.Command) convo.Result {
	h.t.Helper()
	r, err := h.engine.Do(h.ctx, convo.ToContact(shop, contact), cmds...)
	require.NoError(h.t, err)
	return r
}

func hello(body string) convo.Receive { return convo.Receive{Channel: "sms", Body: body} }

func TestTheHostsRowsAndTheEventsAreCommittedTogetherOrNotAtAll(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		tx, engine := h.begin(nil)
		h.ticket(tx, "kept")
		_, err := engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("kept"))
		require.NoError(h.t, err)
		require.NoError(h.t, tx.Commit())

		tx, engine = h.begin(nil)
		h.ticket(tx, "dropped")
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("dropped"))
		require.NoError(h.t, err)
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "tom"), hello("dropped, too"))
		require.NoError(h.t, err)
		require.NoError(h.t, tx.Rollback())

		h.has("kept")
		require.Equal(h.t, []string{"kept"}, receivedIn(h.t, h.db, shop))
		require.Zero(h.t, h.told, "the observer cannot know whether the host commits")
	})
}

func TestPeersRiverWhatTheHostHasNotCommittedIsSeenByNobodyElse(t *testing.T) {
	eachHost(t, 2, func(h *host, _ testdb.Engine) {
		riya := convo.ToContact(shop, "riya")
		tx, engine := h.begin(nil)
		_, err := engine.Do(h.ctx, riya, hello("mine"))
		require.NoError(h.t, err)
		_, err = h.engine.Conversation(h.ctx, riya)
		require.ErrorIs(h.t, err, convo.ErrNotFound)
		require.NoError(h.t, tx.Commit())
		_, err = h.engine.Conversation(h.ctx, riya)
		require.NoError(h.t, err)
	})
}

// refusals are changes that a store must refuse, some after a part of them was written, for any of
// the reasons.
var refusals = []struct {
	name   string
	change func(h *host) convo.Change
	want   []error
}{
	{"of an old version", func(h *host) convo.Change {
		old := h.decide(convo.ToContact(shop, "riya"), convo.Close{By: ana}, convo.Open{By: ana})
		h.do("riya", hello("meanwhile"))
		return old
	}, []error{convo.ErrConflict}},
	// which writes no event that could be in the way
	{"of a timer, on an old version", func(h *host) convo.Change {
		old := h.decide(convo.ToContact(shop, "riya"),
			convo.SetPending{By: ana, Until: time.Now().Add(time.Hour)})
		old.Conversation.Version, old.Events = old.Conversation.Expected, nil
		h.do("riya", hello("meanwhile"))
		return old
	}, []error{convo.ErrConflict}},
	{"of a blocking, on an old version", func(h *host) convo.Change {
		old := h.decide(convo.ToContact(shop, "riya"), convo.Block{By: ana})
		h.do("riya", convo.Block{By: ana}, convo.Unblock{By: ana})
		return old
	}, []error{convo.ErrConflict}},
	{"of a contact that is there by now", func(h *host) convo.Change {
		old := h.decide(convo.ToContact(shop, "new"), hello("first"))
		h.do("new", hello("meanwhile"))
		return old
	}, []error{convo.ErrConflict, convo.ErrActiveExists}},
	{"of a second active conversation, one of several", func(h *host) convo.Change {
		h.do("kim", convo.Open{By: ana}, convo.Close{By: ana})
		old := h.decide(convo.ToContact(shop, "kim"), convo.Open{By: ana}, convo.Close{By: ana},
			convo.Open{By: ana})
		r := h.do("kim", convo.Open{By: ana})
		old.Contact.Expected, old.Contact.Version = r.Contact.Version, r.Contact.Version+1
		return old
	}, []error{convo.ErrActiveExists}},
	{"of a second active conversation", func(h *host) convo.Change {
		h.do("tom", convo.Open{By: ana}, convo.Close{By: ana})
		old := h.decide(convo.ToContact(shop, "tom"), convo.Reopen{By: ana})
		r := h.do("tom", convo.Open{By: ana})
		old.Contact.Expected, old.Contact.Version = r.Contact.Version, r.Contact.Version+1
		return old
	}, []error{convo.ErrActiveExists}},
	{"of a second active conversation, a new one", func(h *host) convo.Change {
		h.do("mia", convo.Open{By: ana}, convo.Close{By: ana})
		old := h.decide(convo.ToContact(shop, "mia"), convo.Open{By: ana})
		r := h.do("mia", convo.Open{By: ana})
		old.Contact.Expected, old.Contact.Version = r.Contact.Version, r.Contact.Version+1
		return old
	}, []error{convo.ErrActiveExists}},
	{"of a message that is there by now", func(h *host) convo.Change {
		message := convo.Receive{Channel: "sms", Address: "+1", ExternalID: "1", Body: "hi"}
		old := h.decide(convo.ToContact(shop, "lee"), message)
		h.do("riya", message)
		return old
	}, []error{convo.ErrDuplicate}},
	{"of an address that is somebody's by now", func(h *host) convo.Change {
		old := h.decide(convo.ToAddress(shop, "sms", "7"), hello("first"))
		_, err := h.engine.Do(h.ctx, convo.ToAddress(shop, "sms", "7"), hello("meanwhile"))
		require.NoError(h.t, err)
		return old
	}, []error{convo.ErrConflict}},
}

func (h *host) refuses(s convo.Store, change convo.Change, want []error, name string) {
	h.t.Helper()
	err := s.Commit(h.ctx, change)
	require.True(h.t, slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }),
		"%s: %v", name, err)
}

func (h *host) decide(to convo.Ref, cmds ...convo.Command) convo.Change {
	h.t.Helper()
	thread, err := h.store.Load(h.ctx, to)
	require.NoError(h.t, err)
	thread.Next = uuid.Must(uuid.NewV7())
	d, err := convo.Decide(thread, time.Now(), nil, cmds...)
	require.NoError(h.t, err)
	return d.Change
}

func TestARefusalLeavesEverythingAsItWas(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		h.do("riya", convo.Open{By: ana})
		var tickets []string
		for i, r := range refusals {
			change := r.change(h)
			before := counts(h.t, h.db, shop)
			h.refuses(h.store, change, r.want, r.name)
			require.Equal(h.t, before, counts(h.t, h.db, shop), "%s, outside", r.name)
			tx, engine := h.begin(nil)
			h.ticket(tx, fmt.Sprint(i, " before"))
			s := h.store.WithTx(tx)
			_, err := s.Load(h.ctx, convo.ToContact(shop, "nobody"))
			require.NoError(h.t, err)
			h.refuses(s, change, r.want, r.name)
			h.refuses(h.store.WithTx(tx), change, r.want, r.name+", with nothing loaded before")
			_, err = engine.Do(h.ctx, convo.ToContact(shop, "nobody"), convo.Close{By: ana})
			require.ErrorIs(h.t, err, convo.ErrNotActive)
			h.ticket(tx, fmt.Sprint(i, " then"))
			require.NoError(h.t, tx.Commit(), r.name)
			require.Equal(h.t, before, counts(h.t, h.db, shop), r.name)
			tickets = append(tickets, fmt.Sprint(i, " before"), fmt.Sprint(i, " then"))
		}
		h.has(tickets...)

		tx, engine := h.begin(nil)
		for _, r := range refusals {
			require.Error(h.t, h.store.WithTx(tx).Commit(h.ctx, r.change(&host{
				t: h.t, ctx: h.ctx, store: h.store.WithTx(tx), engine: engine,
			})), r.name)
		}
		_, err := engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("after all of them"))
		require.NoError(h.t, err)
		require.NoError(h.t, tx.Commit())
		require.Contains(h.t, receivedIn(h.t, h.db, shop), "after all of them")
	})
}

// stale is a store whose Load shows the past.
type stale struct {
	convo.Store
	thread  convo.Snapshot
	commits int
}

func (s *stale) Load(context.Context, convo.Ref) (convo.Snapshot, error) {
	s.thread.Next = uuid.Must(uuid.NewV7())
	return s.thread, nil
}

func (s *stale) Commit(ctx context.Context, changes ...convo.Change) error {
	s.commits++
	return s.Store.Commit(ctx, changes...)
}

func TestALostRaceIsNotTriedAgainInTheHostsTransaction(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		h.do("riya", convo.Open{By: ana})
		old, err := h.store.Load(h.ctx, convo.ToContact(shop, "riya"))
		require.NoError(h.t, err)
		h.do("riya", hello("meanwhile"))
		h.told = 0
		tx, _ := h.begin(nil)
		h.ticket(tx, "kept")
		s := &stale{Store: h.store.WithTx(tx), thread: old}
		_, err = h.engine.With(s).Do(h.ctx, convo.ToContact(shop, "riya"), hello("too late"))
		require.ErrorIs(h.t, err, convo.ErrConflict)
		require.NoError(h.t, tx.Commit())
		h.has("kept")
		require.Equal(h.t, []string{"meanwhile"}, receivedIn(h.t, h.db, shop))
		require.Equal(h.t, 1, s.commits)
		require.Zero(h.t, h.told)
	})
}

// everything is what a host may do with an engine.
func everything(ctx context.Context, e *convo.Engine, contact string) error {
	to := convo.Ref{Workspace: shop, Contact: contact,
		Address: convo.Address{Channel: "sms", Value: contact}}
	other := convo.ToContact(shop, contact+" too")
	r, err := e.Do(ctx, to, convo.Receive{Key: contact, ExternalID: contact, Body: "hi"},
		convo.Close{By: ana}, convo.Open{By: ana})
	again, aerr := e.Do(ctx, to, convo.Receive{Key: contact, ExternalID: contact, Body: "hi"},
		convo.Close{By: ana}, convo.Open{By: ana})
	if err == nil && aerr == nil && again.Outcome != convo.OutcomeDuplicate {
		err = fmt.Errorf("the second time was %s", again.Outcome)
	}
	_, oerr := e.Do(ctx, other, convo.Open{By: ana, At: longAgo},
		convo.SetPending{By: ana, At: longAgo, Until: longAgo.Add(time.Hour)})
	_, terr := e.Tick(ctx, 1)
	_, merr := e.Merge(ctx, convo.Merge{Workspace: shop, Primary: contact, Secondary: contact +
		" too", By: ana})
	_, lerr := e.Conversations(ctx, convo.Filter{Workspace: shop, Contact: contact})
	_, herr := e.History(ctx, other, convo.EventCursor{}, 10)
	_, cerr := e.Cycles(ctx, convo.ToConversation(shop, r.Conversation.ID))
	_, derr := e.Addresses(ctx, to)
	_, verr := e.Active(ctx, other)
	return errors.Join(err, aerr, oerr, terr, merr, lerr, herr, cerr, derr, verr)
}

func TestOneConnectionIsEnoughForEverything(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		tx, engine := h.begin(nil)
		// when nothing but the statements of a commit is prepared
		require.NoError(h.t, everything(h.ctx, engine, "first"))
		require.NoError(h.t, tx.Commit())
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				e := enginesOn(h.t, h.store)[0]
				assert.NoError(h.t, everything(h.ctx, e, fmt.Sprint("contact ", i)))
				// conflicts, and takes hold
				_, err := e.Do(h.ctx, convo.ToContact(shop, "first"), hello("hi"))
				assert.NoError(h.t, err)
			})
		}
		all.Wait()
		tx, engine = h.begin(nil)
		require.NoError(h.t, everything(h.ctx, engine, "last"))
		require.NoError(h.t, tx.Commit())
	})
}

// waits returns when somebody waits for a lock, which SQLite does not tell.
func (h *host) waits(e testdb.Engine) {
	h.t.Helper()
	somebodyWaits(h.ctx, h.t, h.db, e)
}

// somebodyWaits returns when somebody waits for a lock in the database, which SQLite does not tell.
func somebodyWaits(ctx context.Context, t *testing.T, db *sql.DB, e testdb.Engine) {
	t.Helper()
	pause := 5 * time.Millisecond
	query := "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND " +
		"wait_event_type = 'Lock'"
	switch e.Server() {
	case testdb.SQLite:
		return
	case testdb.MariaDB:
		pause = 150 * time.Millisecond // who asks more often gets the same answer again
		query = `SELECT count(*) FROM information_schema.innodb_trx x JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id
			WHERE x.trx_state = 'LOCK WAIT' AND p.db = database()`
	}
	ask := time.NewTicker(pause)
	defer ask.Stop()
	for n := 0; n == 0; {
		select {
		case <-ctx.Done():
			require.Fail(t, "nobody waits")
		case <-ask.C:
		}
		require.NoError(t, db.QueryRowContext(ctx, query).Scan(&n))
	}
}

// The levels that a host may ask for.
var hostLevels = []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadCommitted,
	sql.LevelRepeatableRead, sql.LevelSerializable}

// Two of the host's transactions have the first message of a contact. One waits for the other,
// loses, and may go on without; a new transaction then finds what the other one wrote. Where one
// waits before it reads, it does so at once.
func TestTheHostsTransactionThatLosesARaceMayGoOn(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		var tickets, messages []string
		for _, level := range hostLevels {
			if e == testdb.SQLite && level != sql.LevelDefault {
				continue
			}
			name := level.String()
			contact := convo.ToContact(shop, name)
			o := &sql.TxOptions{Isolation: level}
			winner, engine := h.begin(o)
			_, err := engine.Do(h.ctx, contact, hello(name+" won"))
			require.NoError(h.t, err)

			lost := make(chan error)
			go func() {
				tx, err := h.db.BeginTx(h.ctx, o)
				if err != nil {
					lost <- err
					return
				}
				_, err = tx.ExecContext(h.ctx, "INSERT INTO tickets VALUES ('"+name+"')")
				if err == nil {
					_, err = h.engine.With(h.store.WithTx(tx)).Do(h.ctx, contact,
						hello(name+" lost"))
				}
				if cerr := tx.Commit(); cerr != nil {
					err = fmt.Errorf("the host's own commit: %w", cerr)
				}
				lost <- err
			}()
			h.waits(e)
			require.NoError(h.t, winner.Commit())
			tickets = append(tickets, name)
			messages = append(messages, name+" won")
			err = <-lost
			if e == testdb.SQLite ||
				e.Server() == testdb.MariaDB && level == sql.LevelSerializable {
				require.NoError(h.t, err, name)
				messages = append(messages, name+" lost")
				continue
			}
			require.ErrorIs(h.t, err, convo.ErrConflict, name)
			again, engine := h.begin(o)
			r, err := engine.Do(h.ctx, contact, hello(name+" came second"))
			require.NoError(h.t, err)
			require.Equal(h.t, convo.OutcomeRecorded, r.Outcome)
			require.NoError(h.t, again.Commit())
			messages = append(messages, name+" came second")
		}
		h.has(tickets...)
		require.ElementsMatch(h.t, messages, receivedIn(h.t, h.db, shop))
	})
}

// A server may end a whole transaction because of a deadlock. Then the host must not be told that
// it may go on: what it wrote before would be lost in silence.
func TestADeadlockDoesNotLoseTheHostsRowInSilence(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		if e == testdb.SQLite {
			return // one transaction at a time
		}
		h.do("a", convo.Open{By: ana})
		h.do("b", convo.Open{By: ana})
		var done sync.WaitGroup
		var firsts sync.WaitGroup
		kept := make([]bool, 2)
		var lost atomic.Int32
		firsts.Add(2)
		for i, contacts := range [][]string{{"a", "b"}, {"b", "a"}} {
			tx, engine := h.begin(nil)
			h.ticket(tx, fmt.Sprint(i))
			done.Go(func() {
				_, err := engine.Do(h.ctx, convo.ToContact(shop, contacts[0]),
					hello(fmt.Sprint(i, " first")))
				firsts.Done()
				assert.NoError(h.t, err)
				firsts.Wait()
				_, err = engine.Do(h.ctx, convo.ToContact(shop, contacts[1]),
					hello(fmt.Sprint(i, " second")))
				// else it has to be rolled back
				if err == nil || errors.Is(err, convo.ErrConflict) {
					kept[i] = tx.Commit() == nil
					return
				}
				assert.ErrorIs(h.t, err, convo.ErrTransactionLost)
				assert.Equal(h.t, "transaction_lost", convo.Code(err))
				assert.Error(h.t, tx.Commit(), "a commit of nothing")
				lost.Add(1)
			})
		}
		done.Wait()
		var want []string
		for i := range kept {
			if kept[i] {
				want = append(want, fmt.Sprint(i))
			}
		}
		h.has(want...)
		assert.EqualValues(h.t, 1, lost.Load())
	})
}

// The store's own transaction may be the one that the server ends, in the middle of a commit.
func TestADeadlockUnderTheLockIsAConflict(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			return // PostgreSQL ends the one that has waited for longest, which is the other one
		}
		h.do("a", convo.Open{By: ana})
		h.do("b", convo.Open{By: ana})
		change := h.decide(convo.ToContact(shop, "b"), hello("conflict"))
		other, _ := h.begin(nil)
		for i := range 50 { // who has written more goes on
			h.ticket(other, fmt.Sprint(i))
		}
		h.exec(other, "UPDATE convo_conversations SET version = version + 0 WHERE contact = 'b'")
		lost := make(chan error)
		go func() {
			lost <- h.store.Locked(h.ctx, shop, func(ctx context.Context) error {
				if _, err := h.store.Load(ctx, convo.ToContact(shop, "a")); err != nil {
					return err
				}
				return h.store.Commit(ctx, change)
			})
		}()
		h.waits(e)
		h.exec(other, hold("a"))
		require.ErrorIs(h.t, <-lost, convo.ErrConflict)
		require.NoError(h.t, other.Rollback())
	})
}

// Reads meet a deadlock, too, where they lock what they read.
func TestADeadlockOfReadsDoesNotLoseTheHostsRowInSilence(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			return // reads lock nothing
		}
		h.do("a", convo.Open{By: ana})
		h.do("b", convo.Open{By: ana})
		serializable := &sql.TxOptions{Isolation: sql.LevelSerializable}
		var done, firsts sync.WaitGroup
		var kept, lost atomic.Int32
		firsts.Add(2)
		for i, contacts := range [][]string{{"a", "b"}, {"b", "a"}} {
			tx, engine := h.begin(serializable)
			h.ticket(tx, fmt.Sprint(i))
			done.Go(func() {
				_, err := tx.ExecContext(h.ctx, "UPDATE convo_contacts SET version = version + 0 "+
					"WHERE workspace = '"+shop+"' AND id = '"+contacts[0]+"'")
				firsts.Done()
				assert.NoError(h.t, err)
				firsts.Wait()
				_, err = engine.Conversation(h.ctx, convo.ToContact(shop, contacts[1]))
				if err == nil {
					kept.Add(1)
					assert.NoError(h.t, tx.Commit())
					return
				}
				lost.Add(1)
				assert.ErrorIs(h.t, err, convo.ErrTransactionLost)
				assert.NotErrorIs(h.t, err, convo.ErrConflict)
				_, err = engine.Do(h.ctx, convo.ToContact(shop, contacts[0]), hello("on"))
				assert.Error(h.t, err, "going on")
				assert.ErrorIs(h.t, tx.Commit(), sql.ErrTxDone, "a commit of nothing")
			})
		}
		done.Wait()
		assert.EqualValues(h.t, 1, kept.Load())
		assert.EqualValues(h.t, 1, lost.Load())
	})
}

// The transaction may be gone before the call: a statement of the host's own ended it, and nobody
// looked. Then each statement of the call would be committed by itself.
func TestACallWithoutTheTransactionThatItIsToBeInWritesNothing(t *testing.T) {
	eachHost(t, 2, func(h *host, e testdb.Engine) {
		h.do("a", convo.Open{By: ana})
		for _, call := range []func(engine *convo.Engine) error{
			func(engine *convo.Engine) error {
				_, err := engine.Do(h.ctx, convo.ToContact(shop, "a"), hello("on"))
				return err
			},
			func(engine *convo.Engine) error {
				_, err := engine.Do(h.ctx, convo.ToContact(shop, "new"), hello("on"),
					convo.Close{By: ana}, convo.Open{By: ana})
				return err
			},
		} {
			tx, engine := h.begin(nil)
			_, err := tx.ExecContext(h.ctx, "ROLLBACK")
			require.NoError(h.t, err)
			require.ErrorIs(h.t, call(engine), convo.ErrTransactionLost)
			require.ErrorIs(h.t, call(engine), convo.ErrTransactionLost, "again")
			require.ErrorIs(h.t, tx.Commit(), sql.ErrTxDone, "a commit of nothing")
		}
		require.Empty(h.t, receivedIn(h.t, h.db, shop))
	})
}

// PostgreSQL takes nothing but a rollback after an error.
func TestAReadInAnAbortedTransactionSaysSo(t *testing.T) {
	eachHost(t, 2, func(h *host, e testdb.Engine) {
		if e != testdb.PostgreSQL {
			return
		}
		h.do("a", convo.Open{By: ana})
		tx, engine := h.begin(nil)
		_, err := tx.ExecContext(h.ctx, "SELECT 1/0")
		assert.Error(h.t, err)
		_, err = engine.Conversation(h.ctx, convo.ToContact(shop, "a"))
		assert.ErrorIs(h.t, err, convo.ErrTransactionLost)
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "a"), hello("on"))
		assert.ErrorIs(h.t, err, convo.ErrTransactionLost)
		assert.Error(h.t, tx.Commit())
	})
}

// Opposite merges would else take hold of a contact each, and wait for the other one's until the
// server ends one of them.
func TestMergesTakeHoldOfContactsInOneOrder(t *testing.T) {
	eachHost(t, 6, func(h *host, e testdb.Engine) {
		if e == testdb.SQLite {
			return // one transaction at a time
		}
		for i, held := range []string{"a", "b", "a", "b"} {
			names := []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}
			h.do(names[0], convo.Open{By: ana})
			h.do(names[1], convo.Open{By: ana})
			tx, _ := h.begin(nil)
			h.exec(tx, hold(held+fmt.Sprint(i)))
			done := make(chan error)
			go func() {
				_, err := h.engine.Merge(h.ctx, convo.Merge{Workspace: shop, Primary: names[i/2],
					Secondary: names[1-i/2], By: ana})
				done <- err
			}()
			h.waits(e)
			other, _ := h.begin(nil)
			if held == "b" {
				_, err := other.ExecContext(h.ctx, hold(names[0])+" NOWAIT")
				require.Error(h.t, err, "nobody holds %s, though somebody waits for %s", names[0],
					names[1])
			} else {
				h.exec(other, hold(names[1])+" NOWAIT")
			}
			require.NoError(h.t, other.Rollback())
			require.NoError(h.t, tx.Rollback())
			require.NoError(h.t, <-done)
		}
	})
}

func hold(contact string) string {
	return "SELECT id FROM convo_contacts WHERE workspace = " +
		"'" + shop + "' AND id = '" + contact + "' FOR UPDATE"
}

func TestAStatementThatFailedBeforeDoesNotLetACommitThroughByHalves(t *testing.T) {
	eachHost(t, 1, func(h *host, e testdb.Engine) {
		tx, engine := h.begin(nil)
		h.ticket(tx, "a")
		_, err := tx.ExecContext(h.ctx, "INSERT INTO tickets VALUES ('a')")
		require.Error(h.t, err)
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("after a failure"))
		if e == testdb.PostgreSQL { // a transaction with a failure only waits for its end
			require.Error(h.t, err)
			require.NotErrorIs(h.t, err, convo.ErrConflict)
			require.Error(h.t, tx.Commit())
			h.has()
			require.Empty(h.t, receivedIn(h.t, h.db, shop))
		} else {
			require.NoError(h.t, err)
			require.NoError(h.t, tx.Commit())
			h.has("a")
		}

		tx, engine = h.begin(nil)
		h.exec(tx, "SAVEPOINT hosts")
		_, err = tx.ExecContext(h.ctx, "INSERT INTO nowhere VALUES ('a')")
		require.Error(h.t, err)
		h.exec(tx, "ROLLBACK TO SAVEPOINT hosts")
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("after a savepoint"))
		require.NoError(h.t, err)
		h.exec(tx, "ROLLBACK TO SAVEPOINT hosts")
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("after all"))
		require.NoError(h.t, err)
		require.NoError(h.t, tx.Commit())
		require.Contains(h.t, receivedIn(h.t, h.db, shop), "after all")
		require.NotContains(h.t, receivedIn(h.t, h.db, shop), "after a savepoint")
	})
}

func TestACallThatIsGivenUpLeavesTheHostsTransactionAsItWas(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		given, up := context.WithCancel(h.ctx)
		up()
		tx, engine := h.begin(nil)
		h.ticket(tx, "kept")
		change := h.decideIn(tx, convo.ToContact(shop, "riya"), hello("given up"))
		_, err := engine.Do(given, convo.ToContact(shop, "riya"), hello("given up"))
		require.ErrorIs(h.t, err, context.Canceled)
		require.ErrorIs(h.t, h.store.WithTx(tx).Commit(given, change), context.Canceled)
		_, err = engine.Do(h.ctx, convo.ToContact(shop, "riya"), hello("kept"))
		require.NoError(h.t, err)
		require.NoError(h.t, tx.Commit())
		h.has("kept")
		require.Equal(h.t, []string{"kept"}, receivedIn(h.t, h.db, shop))
	})
}

func (h *host) decideIn(tx *sql.Tx, to convo.Ref, cmds ...convo.Command) convo.Change {
	inside := *h
	inside.store = h.store.WithTx(tx)
	return inside.decide(to, cmds...)
}
