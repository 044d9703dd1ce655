package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// copyAll makes the rows of all workspaces in another store what they are in this one, and checks
// them. Nobody may use either store meanwhile. It may be repeated.
func copyAll(ctx context.Context, db *sql.DB, from, to *sqlstore.Store) error {
	workspaces, err := workspacesIn(ctx, db)
	if err != nil {
		return err
	}
	for _, workspace := range workspaces {
		pass, err := from.CopyWorkspace(to, workspace)
		if err != nil {
			return err
		}
		rows, err := pass(ctx, true) // true: nobody writes
		if err != nil {
			return fmt.Errorf("workspace %q: %w", workspace, err)
		}
		fmt.Printf("%s: %d rows\n", workspace, rows)
	}
	return errors.Join(storetest.CheckInvariants(ctx, to, workspaces...)...)
}

// workspacesIn lists the workspaces of a database whose tables have the usual prefix.
func workspacesIn(ctx context.Context, db *sql.DB) (all []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT workspace FROM convo_contacts")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var workspace string
		if err := rows.Scan(&workspace); err != nil {
			return nil, err
		}
		all = append(all, workspace)
	}
	return all, rows.Err()
}

// As docs/sqlite-to-postgresql.md has it, to each engine: all rows are there, and work goes on.
func TestAllOfASQLiteFileComesToAServer(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		m := newMoving(t, testdb.SQLite, e)
		m.lived("globex", 0)
		m.lived("acme", 100)
		before := map[string]map[string]int{}
		for _, workspace := range []string{"acme", "globex"} {
			before[workspace] = rowsOf(t, m.dbs[0], testdb.SQLite, workspace)
		}
		assert.Len(t, before["acme"], len(tablesOf), "it has rows in each table")
		for range 2 { // the second one finds all there
			require.NoError(t, copyAll(t.Context(), m.dbs[0], m.stores[0], m.stores[1]))
		}
		for workspace, rows := range before {
			assert.Equal(t, rows, rowsOf(t, m.dbs[1], e, workspace), workspace)
			assert.Equal(t, rows, rowsOf(t, m.dbs[0], testdb.SQLite, workspace), "the file stays")
		}
		differences, err := m.stores[1].CheckRollups(t.Context(), "acme")
		require.NoError(t, err)
		assert.Empty(t, differences)

		engine, err := convo.New(m.stores[1])
		require.NoError(t, err)
		ann := convo.ToAddress("acme", "mail", "ann2@example.com")
		known := convo.Receive{ExternalID: "in 2", Body: "Hällo\n\"1\""}
		again, err := engine.Do(t.Context(), ann, known)
		require.NoError(t, err)
		assert.Equal(t, convo.OutcomeDuplicate, again.Outcome)
		next, err := engine.Do(t.Context(), ann, convo.Receive{ExternalID: "new", Body: "And?"})
		require.NoError(t, err)
		assert.Equal(t, again.Conversation.ID, next.Conversation.ID, "the conversation goes on")
	})
}

// Rows that are no good are not taken for good.
func TestACopyThatIsBrokenIsNoticed(t *testing.T) {
	m := newMoving(t, testdb.SQLite, testdb.SQLite)
	m.lived("acme", 0)
	_, err := m.dbs[0].ExecContext(t.Context(), "DELETE FROM convo_cycles WHERE workspace = 'acme'")
	require.NoError(t, err)
	require.Error(t, copyAll(t.Context(), m.dbs[0], m.stores[0], m.stores[1]))
}
