package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// A page of what is moved is read in the order of an index, from its first row to its last one, and
// no further: PostgreSQL ends where the first column of a row ends, which keys of one channel have
// in common, and MariaDB sorts what is in order already when it is told too much of the order.
func TestWhatIsMovedIsReadInRanges(t *testing.T) {
	const keys, mostBlocks = 20_000, 500 // PostgreSQL's index alone has more than 150
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		p := openPlanner(t, e, func(context.Context, *sql.DB) {})
		db := testdb.Open(t, e)
		from := with(t, sqlstore.Config{DB: db, Dialect: dialects[e]})
		add := func(from, to int) {
			rows := make([]string, 0, to-from+1)
			for n := from; n <= to; n++ {
				rows = append(rows, fmt.Sprintf("('acme', 'mail', 'k%06d', '', '', 0, NULL, 0, 0)", n))
			}
			_, err := db.ExecContext(t.Context(),
				"INSERT INTO convo_keys VALUES "+strings.Join(rows, ", "))
			require.NoError(t, err)
		}
		for n := 0; n < keys; n += 500 {
			add(n+1, n+500)
		}
		all := p.during(func(to *sqlstore.Store, did func(string)) {
			pass, err := from.CopyWorkspace(to, "acme")
			require.NoError(t, err)
			for n := range 3 {
				changed, err := pass(t.Context(), false)
				require.NoError(t, err)
				require.Equal(t, []int{keys, 1, 1}[n], changed)
				add(keys+n+1, keys+n+1)
			}
			pass, err = to.CopyWorkspace(
				with(t, sqlstore.Config{DB: testdb.Open(t, e), Dialect: dialects[e]}), "acme")
			require.NoError(t, err)
			_, err = pass(t.Context(), false)
			require.NoError(t, err)
			did("to and fro")
		})
		looked := 0
		for _, st := range all {
			if strings.HasPrefix(st.text, "SELECT") && strings.Contains(st.text, " convo_keys ") {
				looked++
				for _, plan := range p.explain(t, st, true) {
					assert.LessOrEqual(t, plan.blocks, mostBlocks, "%s\n%s", st.text, plan.text)
					assert.Empty(t, plan.sorts, "%s\n%s", st.text, plan.text)
					assert.NotContains(t, plan.text, "filesort", st.text)
				}
			}
		}
		assert.Greater(t, looked, keys/500, "there is a statement for each page")
	})
}
