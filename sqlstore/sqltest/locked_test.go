package sqlstore_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Whoever waits for a lock must not see part of a thread as it was before the waiting, and part as
// it is after it: a closed conversation beside itself as the active one would be refused
// everything.
func TestWhoWaitedForAThreadSeesAllOfItAsItIsThen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("whoever waits has looked at nothing yet")
		}
		s, db := open(t, e)
		engine, err := convo.New(s)
		require.NoError(t, err)
		to := convo.ToContact(acme, "riya")
		_, err = engine.Do(t.Context(), to, convo.Open{By: ana})
		require.NoError(t, err)

		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer tx.Rollback()
		_, err = engine.With(s.WithTx(tx)).Do(t.Context(), to, convo.Close{By: ana})
		require.NoError(t, err)

		var thread convo.Snapshot
		loaded := make(chan error)
		go func() {
			loaded <- s.Locked(context.Background(), acme, func(ctx context.Context) (err error) {
				thread, err = s.Load(ctx, to)
				return err
			})
		}()
		ctx, cancel := soon(t)
		defer cancel()
		somebodyWaits(ctx, t, db, e)
		require.NoError(t, tx.Commit())
		require.NoError(t, <-loaded)
		assert.Equal(t, convo.StatusClosed, thread.Conversation.Status)
		assert.Equal(t, uuid.Nil, thread.Active)
	})
}
