package sqlstore_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// eachSharing are the engines whose callers share statements.
func eachSharing(t *testing.T, f func(t *testing.T, e testdb.Engine)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		switch e {
		case testdb.SQLite:
			t.Skip("its callers share no statements: in SQLite they share a transaction")
		case testdb.MySQL:
			t.Skip("its callers share no statements: each has a transaction")
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
			hold, id := "$1", any(changes[i].Conversation.ID)
			if e == testdb.MariaDB {
				hold, id = "?", changes[i].Conversation.ID[:]
			}
			_, err := host.ExecContext(ctx, "UPDATE convo_conversations SET team = 'held' "+
				"WHERE workspace = 'w' AND id = "+hold, id)
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

// Those that find something in their way stand between those that do not.
func TestASharedStatementWritesOfEachMessageAllOrNothing(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		s, _ := open(t, e)
		engine := enginesOn(t, s)[0]
		agent := convo.ByUser("ana")
		var changes []convo.Change
		external := func(i int) string { return fmt.Sprintf(`,{"%d"`, i) }
		for i := range 7 {
			to := sharer("w", i)
			before, cmd := []convo.Command{hello("before")}, convo.Command(convo.Send{
				By: agent, Channel: "chat", ExternalID: external(i), Body: fmt.Sprint(i),
			})
			if i%2 == 1 {
				before = append(before, convo.Send{By: agent, Channel: "chat", Body: "answer"})
				cmd = convo.Receive{Channel: "chat", ExternalID: external(i), Body: fmt.Sprint(i)}
			}
			_, err := engine.Do(t.Context(), to, before...)
			require.NoError(t, err)
			thread, err := s.Load(t.Context(), to)
			require.NoError(t, err)
			thread.Next = uuid.Must(uuid.NewV7())
			d, err := convo.Decide(thread, time.Now(), nil, cmd)
			require.NoError(t, err)
			require.True(t, dialect.Shares(&d.Change))
			if i != 3 {
				d.Change.Contact.Action = convo.RowCompared
			}
			changes = append(changes, d.Change)
		}
		_, err := engine.Do(t.Context(), sharer("w", 1), hello("in between"))
		require.NoError(t, err)
		changes[2].Contact.Expected--
		_, err = engine.Do(t.Context(), sharer("w", 4), convo.Receive{
			Channel: "chat", ExternalID: external(4), Body: "known",
		})
		require.NoError(t, err)
		changes[4].Conversation.Expected++

		written, err := hook.SharedBy(t.Context(), s, changes)
		require.NoError(t, err)
		require.Equal(t, int64(0b1101001), written)
		for i := range changes {
			there := written>>i&1 == 1
			log, err := s.Events(t.Context(), convo.EventFilter{
				Workspace: "w", Conversation: changes[i].Conversation.ID, Limit: 10,
			})
			require.NoError(t, err)
			require.Equal(t, there, slices.ContainsFunc(log, func(o convo.Event) bool {
				return o.ID == changes[i].Events[0].ID
			}), i)
			keys, err := s.Keys(t.Context(), "w", changes[i].Keys[0].KeyID)
			require.NoError(t, err)
			require.Equal(t, there || i == 4, len(keys) > 0, i)
			thread, err := s.Load(t.Context(), sharer("w", i))
			require.NoError(t, err)
			if there {
				require.Equal(t, changes[i].Conversation.Conversation, thread.Conversation, i)
			}
		}
		require.Empty(t, storetest.CheckInvariants(t.Context(), s, "w"))
	})
}
