package sqlstore_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Ratings are few, so a report of them reads no other events.
func TestRatingsAreReadByAnIndexThatHasNothingElse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		p := openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
			require.NoError(t, fill.Conversations(ctx, db, dialects[e], 2000))
			require.NoError(t, fill.Log(ctx, db, dialects[e], 2000))
			require.NoError(t, fill.Analyze(ctx, db, dialects[e]))
		})
		index := "convo_events_ratings"
		if e.Server() == testdb.MariaDB {
			index = "convo_events_reported" // by kind, then time
		}
		found := 0
		for _, st := range p.during(func(s *sqlstore.Store, did func(string)) {
			for _, by := range []report.Dimension{
				"", report.Score, report.Closer, report.Category,
			} {
				_, err := s.Aggregate(t.Context(), report.Aggregation{
					Workspace: fill.Workspace, Measures: []report.Measure{report.Rating},
					Boundaries: []time.Time{new2025, new2026}, GroupBy: by, Quantiles: true,
				})
				require.NoError(t, err)
				did("ratings by " + string(by))
			}
		}) {
			for _, plan := range p.explain(t, st, false) {
				found++
				assert.Contains(t, plan.text, index, st.text)
			}
		}
		assert.GreaterOrEqual(t, found, 4)
	})
}
