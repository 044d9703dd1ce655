package sqlstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Whatever Rollup has taken out of its queue so far, and whatever has changed since, a list holds
// what a look at each conversation finds.
func TestListsDoNotDependOnRollups(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		seed := uint64(time.Now().UnixNano())
		t.Log("seed", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		s, _ := open(t, e)
		engine, err := convo.New(s)
		require.NoError(t, err)
		ctx := t.Context()
		some := func(prefix string) string { return fmt.Sprint(prefix, r.IntN(3)) }
		maybe := func(prefix string) string {
			if r.IntN(3) == 0 {
				return ""
			}
			return some(prefix)
		}
		for range 6 {
			for range 40 {
				to := convo.Ref{Workspace: "acme", Contact: some("k"), Lane: maybe("lane")}
				cmd := []convo.Command{
					convo.Receive{Channel: some("ch"), Body: "hi"},
					convo.Assign{By: ana, Assignee: some("agent"), Team: maybe("team")},
					convo.Assign{By: ana},
					convo.Close{By: ana, Category: maybe("cat")},
					convo.Close{By: ana, Category: maybe("cat")},
					convo.Reopen{By: ana},
					convo.AmendClosing{By: ana, Category: some("cat")},
				}[r.IntN(7)]
				if _, err := engine.Do(ctx, to, cmd); err != nil {
					var refused *convo.StateError
					require.ErrorAs(t, err, &refused)
				}
			}
			_, _, err := s.Rollup(ctx, 1+r.IntN(20))
			require.NoError(t, err)
			var all []convo.Conversation
			for c, err := range engine.AllConversations(ctx, convo.Filter{Workspace: "acme"}) {
				require.NoError(t, err)
				all = append(all, c)
			}
			for range 60 {
				f := convo.Filter{Workspace: "acme", Limit: 1 + r.IntN(5)}
				switch r.IntN(3) {
				case 0:
					f.Status = []convo.Status{convo.StatusClosed}
				case 1:
					f.Status = []convo.Status{convo.StatusClosed, convo.StatusOpen}
				}
				switch r.IntN(6) {
				case 0:
					f.Assignee = some("agent")
				case 1:
					f.Unassigned = true
				case 2:
					f.Team = some("team")
				case 3:
					f.Category = some("cat")
				}
				if r.IntN(3) == 0 {
					f.Channel = some("ch")
				}
				if r.IntN(3) == 0 {
					f.Lane = some("lane")
				}
				var want, got []uuid.UUID
				for _, c := range all {
					if picks(&f, &c) {
						want = append(want, c.ID)
					}
				}
				for c, err := range engine.AllConversations(ctx, f) {
					require.NoError(t, err)
					got = append(got, c.ID)
				}
				assert.Equal(t, want, got, "%+v", f)
			}
		}
	})
}

// picks says what some of the fields of a filter pick.
func picks(f *convo.Filter, c *convo.Conversation) bool {
	return (len(f.Status) != 1 || c.Status == convo.StatusClosed) &&
		(f.Assignee == "" || c.Assignee == f.Assignee) &&
		(!f.Unassigned || c.Assignee == "") && (f.Team == "" || c.Team == f.Team) &&
		(f.Category == "" || c.Cycle.Closing.Category == f.Category) &&
		(f.Channel == "" || c.Channel == f.Channel) && (f.Lane == "" || c.Lane == f.Lane)
}

// Any number may be taken at once: no statement has an argument for each.
func TestManyAreRolledUpAtOnce(t *testing.T) {
	const many = 90_000 // SQLite takes 32,766 arguments
	db := testdb.Open(t, testdb.SQLite)
	s := migrated(t, db, testdb.SQLite)
	require.NoError(t, fill.Conversations(t.Context(), db, sqlstore.SQLite, many))
	_, err := db.ExecContext(t.Context(), `INSERT OR IGNORE INTO convo_rollup_queue
		(workspace, conversation, from_seq) SELECT workspace, id, 1 FROM convo_conversations`)
	require.NoError(t, err)
	n, more, err := s.Rollup(t.Context(), many)
	require.NoError(t, err)
	require.Equal(t, many, n)
	require.True(t, more)
}
