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
				continue // a count, up to a bound, and all that waits
			}
			for _, plan := range p.explain(t, st, true) {
				assert.Empty(t, plan.scans, "%s\n%s", st.text, plan.text)
				assert.LessOrEqual(t, plan.read, 10, "%s\n%s", st.text, plan.text)
			}
		}
	})
}
