package sqlstore_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// Somebody else holds the lock, as another process does. Its clock and the server's are real ones,
// so these tests wait by the clock: a fraction of busyTimeout, where it is about SQLite.
const busyTimeout = 2 * time.Second

// besieged is a store with riya's open conversation, and another connection's transaction that
// holds what a change of it needs.
type besieged struct {
	db     *sql.DB
	engine *convo.Engine
	store  convo.Store
	free   func() // ends the other transaction
}

func besiege(t *testing.T, e testdb.Engine) *besieged {
	t.Helper()
	var params []string
	if e == testdb.SQLite {
		params = append(params, "_pragma=busy_timeout(2000)")
	}
	d := testdb.Create(t, e, params...)
	b := &besieged{db: d.Open(t)}
	store := migrated(t, b.db, e)
	b.store, b.engine = store, enginesOn(t, store)[0]
	b.do(t, convo.Open{By: ana})
	tx, err := d.Open(t).BeginTx(t.Context(), nil) // in SQLite it has the file's lock at once
	require.NoError(t, err)
	if e != testdb.SQLite {
		for _, table := range []string{"convo_contacts", "convo_conversations"} {
			_, err := tx.ExecContext(t.Context(), "SELECT version FROM "+table+" FOR UPDATE")
			require.NoError(t, err)
		}
	}
	b.free = sync.OnceFunc(func() { assert.NoError(t, tx.Rollback()) })
	t.Cleanup(b.free)
	return b
}

func (b *besieged) do(t *testing.T, cmds ...convo.Command) {
	t.Helper()
	_, err := b.engine.Do(t.Context(), convo.ToContact(acme, "riya"), cmds...)
	require.NoError(t, err)
}

// within is what f returns, which must come before the clock has gone on by so much.
func within(t *testing.T, bound time.Duration, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(bound):
		require.Fail(t, "it does not come back", "within %s", bound)
		return nil
	}
}

func TestACallComesBackAtItsDeadlineThoughAnotherHoldsTheLock(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		for name, call := range map[string]func(ctx context.Context, b *besieged) error{
			"a message": func(ctx context.Context, b *besieged) error {
				_, err := b.engine.Do(ctx, convo.ToContact(acme, "riya"), convo.Receive{Body: "hi"})
				return err
			},
			"a closing": func(ctx context.Context, b *besieged) error {
				_, err := b.engine.Do(ctx, convo.ToContact(acme, "riya"), convo.Close{By: ana})
				return err
			},
			"under the lock": func(ctx context.Context, b *besieged) error {
				return b.store.(convo.Locker).Locked(ctx, acme, func(ctx context.Context) error {
					_, err := b.store.Load(ctx, convo.ToContact(acme, "riya"))
					return err
				})
			},
		} {
			t.Run(name, func(t *testing.T) {
				b := besiege(t, e)
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				err := within(t, busyTimeout*3/4, func() error { return call(ctx, b) })
				require.ErrorIs(t, err, context.DeadlineExceeded)
				b.free()
				b.do(t, convo.Receive{Body: "later"})
				assert.Empty(t, storetest.CheckInvariants(t.Context(), b.store, acme))
			})
		}
	})
}

// Each of several callers, who also wait for each other, gives up after one busy timeout.
func TestWithoutADeadlineAWriterToSQLiteWaitsForOneBusyTimeout(t *testing.T) {
	t.Parallel()
	b := besiege(t, testdb.SQLite)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			// Not all at once, so that some become the next to wait.
			time.Sleep(time.Duration(i) * busyTimeout / 10)
			began := time.Now()
			_, err := b.engine.Do(t.Context(), convo.ToContact(acme, "riya"),
				convo.Receive{Body: "hi"})
			assert.ErrorContains(t, err, "another connection has held the write lock")
			assert.ErrorContains(t, err, "busy_timeout")
			assert.NotErrorIs(t, err, convo.ErrConflict)
			assert.InDelta(t, busyTimeout.Seconds(), time.Since(began).Seconds(),
				busyTimeout.Seconds()/2)
		})
	}
	all.Wait()
	b.free()
	b.do(t, convo.Receive{Body: "later"})
	assert.Empty(t, storetest.CheckInvariants(t.Context(), b.store, acme))
}

// Whoever gives up leaves the turn to the others, and nothing behind.
func TestAWriterToSQLiteThatGivesUpLeavesItsTurnToTheOthers(t *testing.T) {
	t.Parallel()
	b := besiege(t, testdb.SQLite)
	var all sync.WaitGroup
	first, giveUp := context.WithCancel(t.Context())
	all.Go(func() {
		_, err := b.engine.Do(first, convo.ToContact(acme, "riya"), convo.Receive{Body: "given up"})
		assert.ErrorIs(t, err, context.Canceled)
	})
	for b.db.Stats().InUse == 0 { // until it waits for the lock
		time.Sleep(time.Millisecond)
	}
	for range 3 { // while it waits
		all.Go(func() {
			_, err := b.engine.Do(t.Context(), convo.ToContact(acme, "riya"),
				convo.Receive{Body: "kept"})
			assert.NoError(t, err)
		})
	}
	giveUp()
	b.free()
	require.NoError(t, within(t, busyTimeout, func() error { all.Wait(); return nil }))
	require.Equal(t, []string{"kept", "kept", "kept"}, receivedIn(t, b.db, acme))
	// What was given up ends when SQLite has the lock, or stops waiting for it.
	assert.Eventually(t, func() bool { return b.db.Stats().InUse == 0 }, 2*busyTimeout,
		time.Millisecond)
	b.do(t, convo.Receive{Body: "later"})
	assert.Empty(t, storetest.CheckInvariants(t.Context(), b.store, acme))
}

// Whoever gives up keeps no connection: in a small pool nobody could read any more until SQLite
// itself has stopped waiting.
func TestWritersToSQLiteThatGaveUpKeepNoConnection(t *testing.T) {
	t.Parallel()
	b := besiege(t, testdb.SQLite)
	b.db.SetMaxOpenConns(2)
	for range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := b.engine.Do(ctx, convo.ToContact(acme, "riya"), convo.Receive{Body: "hi"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	require.Zero(t, b.db.Stats().InUse)
	require.NoError(t, within(t, busyTimeout/4, func() error {
		_, err := b.engine.Conversation(t.Context(), convo.ToContact(acme, "riya"))
		return err
	}))
}
