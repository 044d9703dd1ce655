package sqlstore_test

import (
	"context"
	"fmt"
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
			t.Skip("SQLite: whoever waits has looked at nothing yet, so there is nothing stale to see")
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

// Whoever waited for a merge must see who has the address, too, as it is then: else the call would
// be refused for an address that is the contact's own.
func TestWhoWaitedForAMergeSeesAllOfItAsItIsThen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("SQLite: whoever waits has looked at nothing yet, so there is nothing stale to see")
		}
		s, db := open(t, e)
		engine, err := convo.New(s, convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
		require.NoError(t, err)
		address := func(of string) convo.Address { return convo.Address{Channel: "sms", Value: of} }
		for i, ref := range []convo.Ref{
			{Contact: "p"}, {Address: address("p")}, {Contact: "p", Address: address("p")},
			{Contact: "r", Address: address("p")}, {Contact: "p", Address: address("r")},
			{Contact: "x"}, {Address: address("x")}, {Contact: "x", Address: address("x")},
		} {
			for _, active := range []string{"p", "r", ""} {
				// p, who has merged x, is merged into r
				ref.Workspace = fmt.Sprint(i, active)
				for _, id := range []string{"x", "p", "r"} {
					to := convo.Ref{Workspace: ref.Workspace, Contact: id, Address: address(id)}
					_, err := engine.Do(t.Context(), to, convo.Open{By: ana}, convo.Close{By: ana})
					require.NoError(t, err)
				}
				merge := func(e *convo.Engine, primary, secondary string) {
					_, err := e.Merge(t.Context(), convo.Merge{
						Workspace: ref.Workspace, Primary: primary, Secondary: secondary, By: ana,
					})
					require.NoError(t, err)
				}
				merge(engine, "p", "x")
				if active != "" {
					_, err := engine.Do(t.Context(), convo.ToContact(ref.Workspace, active),
						convo.Open{By: ana})
					require.NoError(t, err)
				}
				tx, err := db.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				merge(engine.With(s.WithTx(tx), &convo.Policy{Merge: convo.MergeTransfer}), "r",
					"p")
				loaded := make(chan error)
				var got convo.Snapshot
				go func() {
					loaded <- s.Locked(context.Background(), ref.Workspace,
						func(ctx context.Context) (err error) {
							got, err = s.Load(ctx, ref)
							return err
						})
				}()
				ctx, cancel := soon(t)
				somebodyWaits(ctx, t, db, e)
				cancel()
				require.NoError(t, tx.Commit())
				if err := <-loaded; err != nil {
					require.ErrorIs(t, err, convo.ErrConflict, "%+v", ref)
					continue
				}
				want, err := s.Load(t.Context(), ref)
				require.NoError(t, err)
				require.Equal(t, want, got, "%+v, %s active", ref, active)
			}
		}
	})
}
