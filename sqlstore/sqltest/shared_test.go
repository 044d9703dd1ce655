package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// sharers are the commits that wait for a SQLite file at once and so share a transaction, which the
// first one lends to the others; or that wait for the first one's commit to PostgreSQL, and then
// share a statement. One of them has lost a race before.
const (
	sharers = 6
	loser   = 4
)

// gaveUp says which of them share the context that may end.
func gaveUp(sharer int) bool { return sharer == 1 || sharer == 3 }

// together has the sharers commit at once, each a message of a contact, with f on the way.
func (w *sweep) together(t *testing.T, f faults) (workspace string, met faults, errs []error) {
	t.Helper()
	workspace = fmt.Sprint("w", len(w.used))
	w.used = append(w.used, workspace)
	ctx, cancel := soon(t)
	defer cancel()
	var changes []convo.Change
	for i := range sharers {
		changes = append(changes, message(t, w, workspace, i))
	}
	_, err := enginesOn(t, w.store)[0].Do(ctx, sharer(workspace, loser), hello("in between"))
	require.NoError(t, err)

	// the only one: now the first one has to wait for it, and the others for him
	held, err := w.db.Conn(ctx)
	require.NoError(t, err)
	armed := w.way.arm(ctx, f)
	errs = make([]error, sharers)
	var all sync.WaitGroup
	for i := range changes {
		all.Go(func() {
			mine := ctx
			if gaveUp(i) {
				mine = armed
			}
			errs[i] = w.faulty.Commit(mine, changes[i])
		})
		// so that they come in order
		for i > 0 && hook.Waiting(w.faulty) < i || w.db.Stats().WaitCount == w.waits {
			runtime.Gosched()
		}
	}
	w.waits = w.db.Stats().WaitCount
	require.NoError(t, held.Close())
	all.Wait()
	met = w.way.disarm()
	w.waits = w.db.Stats().WaitCount
	return workspace, met, errs
}

func sharer(workspace string, i int) convo.Ref {
	return convo.ToContact(workspace, fmt.Sprint("contact ", i))
}

// message is one of a contact, decided: the first one for SQLite, where any change shares.
func message(t *testing.T, w *sweep, workspace string, i int) convo.Change {
	t.Helper()
	if w.remote {
		_, err := enginesOn(t, w.store)[0].Do(t.Context(), sharer(workspace, i), hello("before"))
		require.NoError(t, err)
	}
	thread, err := w.store.Load(t.Context(), sharer(workspace, i))
	require.NoError(t, err)
	thread.Next = uuid.Must(uuid.NewV7())
	d, err := convo.Decide(thread, time.Now(), nil, hello(fmt.Sprint(i)))
	require.NoError(t, err)
	require.True(t, !w.remote || dialect.Shares(&d.Change))
	return d.Change
}

func TestWhoSharesATransactionIsToldWhatCameOfHisOwnPart(t *testing.T) {
	for _, what := range []fault{cancelledBefore, cancelledAfter, refused, conflicting, lostAfter,
		lostAfterAsBad, downAfter} {
		if raceDetector && what != cancelledAfter && what != downAfter {
			continue
		}
		t.Run(string(what), func(t *testing.T) { eachIsTold(t, newSweep(t, testdb.SQLite), what) })
	}
}

func TestWhoSharesAStatementIsToldWhatCameOfHisOwnPart(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		for _, what := range []fault{cancelledBefore, cancelledAfter, refused, conflicting,
			lostBefore, lostAfter, lostAfterAsBad, downAfter, delayed, pooled, ended, afterRows} {
			if raceDetector && what != cancelledAfter && what != downAfter {
				continue
			}
			t.Run(string(what), func(t *testing.T) {
				w := newSweep(t, e)
				hook.Patience(w.faulty, time.Hour)
				eachIsTold(t, w, what)
			})
		}
	})
}

// eachIsTold has a fault meet each of the calls to the database that the sharers make.
func eachIsTold(t *testing.T, w *sweep, what fault) {
	t.Helper()
	met := faults{at: 1}
	n := 1
	for ; met.at > 0; n++ {
		var workspace string
		var errs []error
		w.way.poolerCode = unknownCodes[n%len(unknownCodes)]
		workspace, met, errs = w.together(t, faults{what: what, at: n})
		there := receivedIn(t, w.plain, workspace)
		story := fmt.Sprintf("%+v of %q: %q", met, w.way.calls(), errs)
		for i, err := range errs {
			switch {
			case err == nil:
				require.Contains(t, there, fmt.Sprint(i), story)
			case !errors.Is(err, convo.ErrCommitUnknown):
				require.NotContains(t, there, fmt.Sprint(i), story)
			}
			if i == loser {
				require.Error(t, err, story)
			} else if met.at == 0 || (what == cancelledBefore || what == cancelledAfter) &&
				!gaveUp(i) {
				require.NoError(t, err, "of sharer %d, whom nobody cancelled: %s", i, story)
			}
		}
	}
	t.Logf("%d calls", n-1)
	w.check(t)
}

// Two processes write to one file, and one of them to begin with has no time.
func TestAWriterThatGivesUpWaitingLeavesTheOthersTheirTurn(t *testing.T) {
	w := newSweep(t, testdb.SQLite)
	ctx, cancel := soon(t)
	defer cancel()
	held, err := w.db.Conn(ctx)
	require.NoError(t, err)
	short, giveUp := context.WithCancel(ctx)
	errs := make([]error, sharers)
	var all sync.WaitGroup
	for i := range sharers {
		change := message(t, w, "w", i)
		all.Go(func() {
			mine := ctx
			if i%2 == 1 {
				mine = short
			}
			errs[i] = w.faulty.Commit(mine, change)
		})
		for hook.Waiting(w.faulty) < i {
			runtime.Gosched()
		}
	}
	giveUp()
	for hook.Waiting(w.faulty) > sharers/2-1 {
		runtime.Gosched()
	}
	require.NoError(t, held.Close())
	all.Wait()
	for i, err := range errs {
		if i%2 == 1 {
			require.ErrorIs(t, err, context.Canceled)
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, []string{"0", "2", "4"}, receivedIn(t, w.plain, "w"))
}
