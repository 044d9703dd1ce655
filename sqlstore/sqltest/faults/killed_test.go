package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// An administrator, or a limit on how long a statement may take, ends a statement at any moment,
// and leaves its connection and perhaps its transaction open. What is read there afterwards must
// not be what will never be committed: least of all by the store itself, when it looks for what
// came of a commit.
func TestAKilledStatementLeavesNothingBehind(t *testing.T) {
	eachServer(t, func(t *testing.T, e testdb.Engine) {
		ask, kill := "SELECT pg_backend_pid()", "SELECT pg_cancel_backend(%d)"
		if e.Server() == testdb.MariaDB {
			ask, kill = "SELECT CONNECTION_ID()", "KILL QUERY %d"
		}
		d := testdb.Create(t, e)
		db, pool := d.Open(t), d.Open(t)
		direct := engineOn(t, migrated(t, db, e))
		pool.SetMaxOpenConns(1)
		s := opened(t, pool, e)
		engine := engineOn(t, s)
		to := convo.ToContact(workspace, "riya")
		r, err := engine.Do(t.Context(), to, convo.Open{By: ana})
		require.NoError(t, err)
		version := r.Conversation.Version

		killed, doubts := 0, 0
		tries := scaled(t, 700)
		for n := range tries {
			if n%200 == 0 { // a fresh one, so that its log stays short
				to = convo.ToContact(workspace, fmt.Sprint("riya ", n))
				r, err = engine.Do(t.Context(), to, convo.Open{By: ana})
				require.NoError(t, err)
				version = r.Conversation.Version
			}
			var session int64
			require.NoError(t, pool.QueryRow(ask).Scan(&session))
			statement, delay := fmt.Sprintf(kill, session), rand.N(2*time.Millisecond)
			var killer sync.WaitGroup
			killer.Go(func() {
				// the server's own clock: the kill is to meet its statement at any moment
				time.Sleep(delay)
				_, _ = db.Exec(statement)
			})
			note := convo.Note{By: ana, Body: fmt.Sprint(n)}
			var r convo.Result
			var err error
			if n%2 == 0 { // as in a call that met no conflict, and as in one that did
				r, err = engine.Do(t.Context(), to, note)
			} else {
				err = s.Locked(t.Context(), to.Workspace, func(ctx context.Context) (err error) {
					r, err = engine.With(s).Do(ctx, to, note)
					return err
				})
			}
			killer.Wait()
			_ = pool.QueryRow(ask).Scan(&session) // what the kill may have come late for

			now, rerr := direct.Active(t.Context(), to)
			require.NoError(t, rerr)
			switch {
			case err == nil:
				require.Equal(t, now.Version, r.Conversation.Version, "acknowledged, and not there")
				assert.Equal(t, version+1, now.Version)
			case errors.Is(err, convo.ErrCommitUnknown):
				doubts++
			default:
				require.Equal(t, version, now.Version, "%v: and yet it is there", err)
			}
			if err != nil {
				killed++
			}
			there, rerr := engine.Active(t.Context(), to)
			require.NoError(t, rerr)
			require.Equal(t, now.Version, there.Version,
				"read on the connection of the killed statement")
			version = now.Version
		}
		t.Logf("%d calls, of which %d were killed; %d doubts", tries, killed, doubts)
		sound(t, s)
	})
}
