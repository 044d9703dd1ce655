package sqlstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// A page is read from two tables, and a closing moves a cycle from one to the other.
func TestACycleThatIsClosedAmidAPageIsExportedOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		d := testdb.Create(t, e)
		engine := enginesOn(t, migrated(t, d.Open(t), e))[0]
		_, err := engine.Do(t.Context(), riya(acme), convo.Open{By: ana})
		require.NoError(t, err)

		recorder := &recorder{}
		s, err := sqlstore.Config{DB: recorder.open(t, d), Dialect: dialects[e]}.Open(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		reads := 0
		recorder.before = func(text string) {
			if !strings.HasPrefix(text, "SELECT cy.") {
				return
			}
			if reads++; reads == 2 {
				_, err := engine.Do(t.Context(), riya(acme), convo.Close{By: ana})
				assert.NoError(t, err)
			}
		}
		var all []report.Cycle
		now := time.Now()
		require.NoError(t, s.Cycles(t.Context(), report.CyclesQuery{
			Workspace: acme, From: now.Add(-time.Hour), To: now.Add(time.Hour),
		}, func(y *report.Cycle) error {
			all = append(all, *y)
			return nil
		}))
		require.Equal(t, 3, reads, "those that run, those that were opened, those reopened")
		require.Len(t, all, 1)
		assert.Equal(t, convo.StatusClosed, all[0].Status, "as it is by now")
	})
}
