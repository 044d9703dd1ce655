package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// sizes ask how many bytes each table takes with its indexes.
var sizes = map[testdb.Engine]string{
	testdb.SQLite: `SELECT m.tbl_name, SUM(d.pgsize) FROM dbstat d
		JOIN sqlite_master m ON m.name = d.name GROUP BY 1 ORDER BY 2 DESC`,
	testdb.PostgreSQL: `SELECT relname::text, pg_total_relation_size(oid) FROM pg_class
		WHERE relkind = 'r' AND relname LIKE 'convo%' ORDER BY 2 DESC`,
	testdb.MariaDB: `SELECT table_name, data_length + index_length FROM information_schema.tables
		WHERE table_schema = DATABASE() ORDER BY 2 DESC`,
}

// mostBytes is how many bytes a conversation of sized may take: what docs/scale.md says, and a fifth.
var mostBytes = map[testdb.Engine]int64{
	testdb.SQLite: 12_000, testdb.PostgreSQL: 20_000, testdb.MariaDB: 23_000,
}

// sized is a closed conversation of a new contact: ten messages of 80 characters, with ids of their
// channel, an assignment, and a closing with a category and a summary.
func sized(ctx context.Context, e *convo.Engine, n int) error {
	to := convo.ToAddress("acme", "whatsapp", fmt.Sprintf("+49%011d", n))
	body := strings.Repeat("Hello, it is me. ", 5)[:80]
	for i := range 10 {
		id := fmt.Sprintf("wamid.%020d.%d", n, i)
		cmds := []convo.Command{convo.Receive{ExternalID: id, Body: body}}
		if i%2 == 1 {
			cmds[0] = convo.Send{By: ana, ExternalID: id, Body: body}
		}
		switch i {
		case 1:
			cmds = append([]convo.Command{convo.Assign{By: ana, Assignee: "ana", Team: "support"}}, cmds...)
		case 9:
			cmds = append(cmds, convo.Close{By: ana, Category: "Support",
				Summary: "Issue resolved: Replaced defective item."})
		}
		if _, err := e.Do(ctx, to, cmds...); err != nil {
			return err
		}
	}
	return nil
}

// What a conversation takes is no more than is said. CONVO_TEST_CYCLES conversations are written,
// or 400.
func TestAConversationTakesNoMoreRoomThanIsSaid(t *testing.T) {
	conversations := 400
	if text := os.Getenv("CONVO_TEST_CYCLES"); text != "" {
		var err error
		conversations, err = strconv.Atoi(text)
		require.NoError(t, err, "CONVO_TEST_CYCLES")
	}
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		s := migrated(t, db, e)
		empty := sizesOf(t, db, e)
		engine := enginesOn(t, s)[0]
		var all sync.WaitGroup
		for caller := range 8 {
			all.Go(func() {
				for n := caller; n < conversations; n += 8 {
					assert.NoError(t, sized(t.Context(), engine, n))
				}
			})
		}
		all.Wait()
		for more := true; more; {
			var err error
			_, more, err = s.Rollup(t.Context(), 500)
			require.NoError(t, err)
		}
		var sum int64
		for table, size := range sizesOf(t, db, e) {
			size -= empty[table]
			sum += size
			if size > 0 {
				t.Logf("%s: %d B for each conversation", table, size/int64(conversations))
			}
		}
		each := sum / int64(conversations)
		t.Logf("%d B for each of %d conversations", each, conversations)
		assert.Less(t, each, mostBytes[e.Server()])
	})
}

func sizesOf(t *testing.T, db *sql.DB, e testdb.Engine) map[string]int64 {
	t.Helper()
	for _, statement := range map[testdb.Engine][]string{
		testdb.PostgreSQL: {"VACUUM ANALYZE"},
		testdb.MariaDB:    {"ANALYZE TABLE " + strings.Join(tables(t, db, e), ", ")},
	}[e.Server()] {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	rows, err := db.QueryContext(t.Context(), sizes[e.Server()])
	require.NoError(t, err)
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var table string
		var size int64
		require.NoError(t, rows.Scan(&table, &size))
		all[table] = size
	}
	require.NoError(t, rows.Err())
	return all
}
