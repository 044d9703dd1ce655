package sqlstore_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// eachSharing are the engines whose callers share statements.
func eachSharing(t *testing.T, f func(t *testing.T, e testdb.Engine)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e != testdb.PostgreSQL {
			t.Skip("its callers share no statements: in SQLite they share a transaction")
		}
		f(t, e)
	})
}

func TestStoreConformsByTheSharedStatement(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		conforms(t, hook.Shared(s).(*sqlstore.Store), db, "convo_")
	})
}

// All of them are written, each once, by fewer statements than there are messages.
func TestMessagesThatComeAtOnceShareStatements(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		r := &recorder{}
		db := r.open(t, testdb.Create(t, e))
		s := migrated(t, db, e)
		engine := enginesOn(t, s)[0]
		const callers, messages = 16, 20
		var all sync.WaitGroup
		for c := range callers {
			_, err := engine.Do(t.Context(), sharer("w", c), opening)
			require.NoError(t, err)
		}
		r.take()
		for c := range callers {
			all.Go(func() {
				for m := range messages {
					_, err := engine.Do(t.Context(), sharer("w", c), hello(fmt.Sprint(c, " ", m)))
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		commits := 0
		for _, said := range r.take() {
			if strings.Contains(said.text, "INSERT INTO convo_events") {
				commits++
			}
		}
		t.Log(commits, "commits of", callers*messages)
		require.Less(t, commits, callers*messages)
		bodies := receivedIn(t, db, "w")
		require.Len(t, slices.Compact(bodies), callers*messages)
		require.Empty(t, storetest.CheckInvariants(t.Context(), s, "w"))
	})
}

// A transaction of the host has two of the conversations. Nobody waits for it but the two whose
// they are, neither behind the one who leads nor in a statement with the other one.
func TestNobodyWaitsForARowThatAnotherOneWants(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		w := newSweep(t, e)
		ctx, cancel := soon(t)
		defer cancel()
		var changes []convo.Change
		for i := range sharers {
			changes = append(changes, message(t, w, "w", i))
		}
		host, err := w.plain.BeginTx(ctx, nil)
		require.NoError(t, err)
		defer func() { _ = host.Rollback() }()
		held := []int{0, 2}
		for _, i := range held {
			_, err := host.ExecContext(ctx, "UPDATE convo_conversations SET team = 'held' "+
				"WHERE workspace = 'w' AND id = $1", changes[i].Conversation.ID.String())
			require.NoError(t, err)
		}
		errs := make([]error, sharers)
		var free, waiting sync.WaitGroup
		for i := range changes {
			group := &free
			if slices.Contains(held, i) {
				group = &waiting
			}
			group.Go(func() { errs[i] = w.store.Commit(ctx, changes[i]) })
		}
		free.Wait()
		require.Len(t, receivedIn(t, w.plain, "w"), 2*sharers-len(held), "one each is of before")
		require.NoError(t, host.Rollback())
		waiting.Wait()
		require.Equal(t, make([]error, sharers), errs)
		require.Len(t, receivedIn(t, w.plain, "w"), 2*sharers)
	})
}
