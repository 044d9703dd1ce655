package sqlstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// What removes rows, or changes them without a version, leaves a workspace alone from the first
// step of a move to its last but one, and what is left of it on the shard where it was.
func TestHousekeepingLeavesAWorkspaceAloneThatIsMoved(t *testing.T) {
	far := time.Now().Add(1000 * time.Hour)
	for _, of := range []struct {
		name    string
		is      error // what it is refused with; nil: it goes by the workspace
		changes string
		call    func(m *moving, s *shardstore.LockingStore) error
	}{
		{"Rollup", nil, "rollups", func(m *moving, s *shardstore.LockingStore) error {
			_, _, err := s.Rollup(m.t.Context(), 0)
			return err
		}},
		{"ForgetKeys", nil, "keys", func(m *moving, s *shardstore.LockingStore) error {
			_, _, err := s.ForgetKeys(m.t.Context(), far, convo.KeyPlace{}, 500)
			return err
		}},
		{"ForgetDeliveries", nil, "deliveries", func(m *moving, s *shardstore.LockingStore) error {
			_, err := s.ForgetDeliveries(m.t.Context(), far, 500)
			return err
		}},
		{"PruneFeed", nil, "feed", func(m *moving, s *shardstore.LockingStore) error {
			_, err := s.PruneFeed(m.t.Context(), far, 500)
			return err
		}},
		{"RebuildRollups", shardstore.ErrMoving, "rollup_queue",
			func(m *moving, s *shardstore.LockingStore) error {
				return s.RebuildRollups(m.t.Context(), "acme")
			}},
		{"RemoveConversation", convo.ErrConflict, "conversations",
			func(m *moving, s *shardstore.LockingStore) error {
				c, err := s.Conversations(m.t.Context(), convo.Filter{
					Workspace: "acme", Status: []convo.Status{convo.StatusClosed}, Limit: 1,
				})
				require.NoError(m.t, err)
				return s.RemoveConversation(m.t.Context(), "acme", c[0].ID, c[0].Version)
			}},
		{"an erasure", shardstore.ErrMoving, "contacts",
			func(m *moving, s *shardstore.LockingStore) error {
				e, err := convo.New(s)
				require.NoError(m.t, err)
				_, err = e.Erase(m.t.Context(),
					convo.Erase{Workspace: "acme", Contact: "ann 5", By: ana})
				return err
			}},
	} {
		t.Run(of.name, func(t *testing.T) {
			m := newMoving(t, testdb.SQLite, testdb.SQLite)
			m.lived("acme", 0)
			e, err := convo.New(m.stores[0])
			require.NoError(t, err)
			m.deliver(e, "not known", convo.DeliverySent)
			if of.changes == "conversations" {
				m.settled()
			}
			before := allRowsOf(t, m.dbs[0])
			for _, at := range []shardstore.Place{
				{Shard: "shard-0", Other: "shard-1", Step: shardstore.StepCopy},
				{Shard: "shard-0", Other: "shard-1", Step: shardstore.StepStop},
				{Shard: "shard-1", Other: "shard-0", Step: shardstore.StepClear},
			} {
				if of.is != nil && at.Step != shardstore.StepCopy {
					continue // readers wait, or ask the other shard
				}
				m.r.places["acme"] = at
				err := of.call(m, m.process(time.Minute))
				if of.is == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, of.is)
					require.ErrorIs(t, err, shardstore.ErrMoving)
				}
				assert.Equal(t, before, allRowsOf(t, m.dbs[0]), "%s", at.Step)
			}
			m.r.places["acme"] = shardstore.Place{Shard: "shard-0"}
			require.NoError(t, of.call(m, m.process(time.Minute)))
			assert.NotEqual(t, before[of.changes], allRowsOf(t, m.dbs[0])[of.changes],
				"else it does its work")
		})
	}
}

// settled has nothing of acme wait for rollups or relays.
func (m *moving) settled() {
	for _, table := range []string{"outbox", "outbox_queue"} {
		_, err := m.dbs[0].ExecContext(m.t.Context(), "DELETE FROM convo_"+table)
		require.NoError(m.t, err)
	}
	_, _, err := m.stores[0].Rollup(m.t.Context(), 0)
	require.NoError(m.t, err)
}

// Who has read that a workspace is not moved may go by that for a lease. Nothing is passed over
// before, or what housekeeping changes then would not be found.
func TestAWorkspaceIsPassedOverWhenHousekeepingRests(t *testing.T) {
	const lease = 200 * time.Millisecond
	m := newMoving(t, testdb.SQLite, testdb.SQLite)
	m.lived("acme", 0)
	s := m.process(lease)
	var said, passed time.Time
	m.asked = func(what string) {
		switch {
		case what == "after Replace" && said.IsZero():
			said = time.Now()
		case what == "before Copy" && passed.IsZero():
			passed = time.Now()
		}
	}
	_, err := s.Move(t.Context(), "acme", "shard-1", nil)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, passed.Sub(said), lease*3/2)
}

// The directory may have heard that writers are to stop, though it answers with an error.
func TestAMoveThatFailsLetsWritersGoOnWheneverThatIs(t *testing.T) {
	for _, step := range []shardstore.Step{shardstore.StepStop, shardstore.StepClear} {
		t.Run(string(step), func(t *testing.T) {
			m := newMoving(t, testdb.SQLite, testdb.SQLite)
			m.lived("acme", 10)
			lost := false
			m.r.fails = func(what string) error { // which holds the lock of the registry
				if n := len(m.r.steps); what == "after Replace" && !lost && m.r.steps[n-1] == step {
					lost = true
					return errKilled
				}
				return nil
			}
			s := m.process(300 * time.Millisecond)
			_, err := s.Move(t.Context(), "acme", "shard-1", nil)
			require.ErrorIs(t, err, errKilled)
			require.True(t, lost)
			want := shardstore.StepCopy
			if step == shardstore.StepClear { // the workspace is there
				want = step
			}
			require.Equal(t, want, m.r.place("acme").Step)
			engine, err := convo.New(s)
			require.NoError(t, err)
			m.do(engine, "ann 4", convo.Receive{Channel: "mail", Body: "still"})
			_, err = s.Move(t.Context(), "acme", "shard-1", nil)
			require.NoError(t, err)
			assert.Equal(t, shardstore.Place{Shard: "shard-1"}, m.r.place("acme"))
			assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
		})
	}
}
