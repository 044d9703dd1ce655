package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// What a probe asks of an outbox goes no further than it counts, dead letters too.
func TestABacklogIsReadAsFarAsItIsCounted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		const rows = 5 * relay.MaxBacklog
		p := openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
			require.NoError(t, fill.Conversations(ctx, db, dialects[e], rows/2))
			queued := func(target, since, letter, due, failed string) string {
				return "INSERT INTO convo_outbox_queue SELECT workspace, '" + target + "', id, '', " +
					letter + ", 1, 1, " + since + ", 1, " + due + ", NULL, " + failed +
					" FROM convo_conversations"
			}
			for _, text := range []string{
				"INSERT INTO convo_outbox SELECT workspace, id, '', 1, 1, 2 FROM convo_conversations",
				"INSERT INTO convo_outbox SELECT workspace, id, '', 2, 2, 3 FROM convo_conversations",
				queued("crm", "1", "0", "created_at", "'failed'"),
				queued("bi", "1", "0", "created_at", "NULL"),
				queued("crm", "0", "1", "NULL", "'dead'"),
				queued("bi", "0", "1", "NULL", "'dead'"),
			} {
				_, err := db.ExecContext(ctx, text)
				require.NoError(t, err)
			}
			analyze := map[testdb.Engine]string{
				testdb.SQLite: "ANALYZE", testdb.PostgreSQL: "VACUUM ANALYZE",
				testdb.MariaDB: "ANALYZE TABLE convo_outbox, convo_outbox_queue",
			}[e.Server()]
			_, err := db.ExecContext(ctx, analyze)
			require.NoError(t, err)
		})
		config := sqlstore.Config{DB: p.recorded, Dialect: dialects[e], Outbox: true}
		s, err := config.Open(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		p.store = s
		var b relay.Backlog
		asked := p.during(func(s *sqlstore.Store, did func(string)) {
			b, err = s.Backlog(t.Context())
			require.NoError(t, err)
			did("backlog")
		})
		const most = relay.MaxBacklog
		assert.Equal(t, []int{most, most, most}, []int{b.Noted, b.Queued, b.Dead})
		assert.Positive(t, b.Failed)
		assert.Equal(t, int64(1), b.Oldest.UnixMicro())
		require.Len(t, asked, 2)
		for _, st := range asked {
			for _, plan := range p.explain(t, st, true) {
				assert.LessOrEqual(t, plan.read, 2*most+10, "%s\n%s", st.text, plan.text)
				if e == testdb.SQLite && strings.Contains(st.text, "queue") {
					assert.Equal(t, 2, strings.Count(plan.text, "INDEX convo_outbox_due"),
						plan.text)
				}
			}
		}
	})
}

// A probe asks four times, and reads little, however many conversations, timers and events that are
// in no rollup there are.
func TestAProbeIsFourReads(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		p := openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
			n := sqlstore.MaxRollupBacklog + 100
			require.NoError(t, fill.Conversations(ctx, db, dialects[e], n))
			for _, text := range []string{
				"DELETE FROM convo_rollup_queue",
				"INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations",
			} {
				_, err := db.ExecContext(ctx, text)
				require.NoError(t, err)
			}
		})
		config := sqlstore.Config{DB: p.recorded, Dialect: dialects[e], Outbox: true}
		s, err := config.Open(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		p.store = s
		var h relay.Health
		asked := p.during(func(s *sqlstore.Store, did func(string)) {
			h, err = relay.CheckHealth(t.Context(), s, time.Now())
			require.NoError(t, err)
			did("health")
		})
		assert.True(t, h.Reachable)
		assert.Equal(t, &relay.OutboxHealth{}, h.Outbox)
		assert.Equal(t, sqlstore.MaxRollupBacklog, *h.RollupBacklog, "it counts no further")
		assert.Positive(t, h.TimerLagSeconds)
		require.Len(t, asked, 4)
		for _, st := range asked {
			words := strings.Fields(st.text)
			assert.Equal(t, "SELECT", words[0], "it locks and changes nothing: %s", st.text)
			assert.NotContains(t, st.text, "FOR UPDATE")
			if strings.Contains(st.text, "convo_rollup_queue") ||
				strings.Contains(st.text, "convo_outbox") {
				continue // counts, up to a bound
			}
			for _, plan := range p.explain(t, st, true) {
				assert.Empty(t, plan.scans, "%s\n%s", st.text, plan.text)
				assert.LessOrEqual(t, plan.read, 10, "%s\n%s", st.text, plan.text)
			}
		}
	})
}
