package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// database is one of the two, with the store that the host has over it.
type database struct {
	db    *sql.DB
	store *sqlstore.Store
}

// passes are what CopyWorkspace has returned, by workspace.
type passes map[string]func(ctx context.Context, complete bool) (changed int, err error)

// copyAll makes the rows of all workspaces in one database what they are in another one; complete,
// when nobody uses either, for good. It may be repeated, and refuses a database to which something
// was written that is not in the first one.
func copyAll(ctx context.Context, from, to database, passes passes, complete bool) error {
	workspaces, err := workspacesIn(ctx, from.db)
	if err != nil {
		return err
	}
	here, err := newest(ctx, from.db)
	if err != nil {
		return err
	}
	there, err := newest(ctx, to.db)
	if err != nil {
		return err
	}
	for workspace, theirs := range there { // all of them, before anything is changed
		ours := here[workspace]
		if bytes.Compare(theirs[:], ours[:]) > 0 {
			return fmt.Errorf("workspace %q: event %s was written where it would be copied to, and "+
				"is newer than all that there is here: the copy is in use; if that was only a "+
				"trial, begin with an empty database", workspace, theirs)
		}
	}
	for _, workspace := range workspaces {
		if passes[workspace] == nil {
			if passes[workspace], err = from.store.CopyWorkspace(to.store, workspace); err != nil {
				return err
			}
		}
		rows, err := passes[workspace](ctx, complete)
		if err != nil {
			return fmt.Errorf("workspace %q: %w", workspace, err)
		}
		fmt.Printf("%s: %d rows\n", workspace, rows)
		if !complete {
			continue
		}
		differences, err := to.store.CheckRollups(ctx, workspace)
		if err != nil {
			return err
		}
		if len(differences) > 0 {
			return fmt.Errorf("workspace %q: somebody has rolled up between two passes: run it again "+
				"with new ones; if that is no help, RebuildRollups of the first database: %v",
				workspace, differences)
		}
	}
	return nil
}

// newest are the last events of the workspaces of a database, by their ids, which begin with the
// time at which they were written.
func newest(ctx context.Context, db *sql.DB) (map[string]uuid.UUID, error) {
	rows, err := db.QueryContext(ctx, `SELECT workspace, id FROM (
			SELECT workspace, id,
				ROW_NUMBER() OVER (PARTITION BY workspace ORDER BY id DESC) AS place
			FROM (SELECT workspace, id FROM convo_events
				UNION ALL SELECT workspace, id FROM convo_contact_events) logs
		) places WHERE place = 1`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]uuid.UUID{}
	for rows.Next() {
		var workspace string
		var id uuid.UUID
		if err := rows.Scan(&workspace, &id); err != nil {
			return nil, err
		}
		all[workspace] = id
	}
	return all, rows.Err()
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

// checkAll reads all events of a database, and sees that each conversation is what its log says.
func checkAll(ctx context.Context, of database) error {
	workspaces, err := workspacesIn(ctx, of.db)
	return errors.Join(append(storetest.CheckInvariants(ctx, of.store, workspaces...), err)...)
}

// copying is a database of a host's on SQLite, and an empty one on an engine.
func copying(t *testing.T, e testdb.Engine) (m *moving, from, to database) {
	m = newMoving(t, testdb.SQLite, e)
	return m, database{m.dbs[0], m.stores[0]}, database{m.dbs[1], m.stores[1]}
}

// As docs/sqlite-to-postgresql.md has it, to each engine: all rows are there, and work goes on.
func TestAllOfASQLiteFileComesToAServer(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		m, from, to := copying(t, e)
		m.lived("globex", 0)
		all := passes{}
		require.NoError(t, copyAll(t.Context(), from, to, all, false)) // and one is added
		m.lived("acme", 100)
		before := map[string]map[string]int{}
		for _, workspace := range []string{"acme", "globex"} {
			before[workspace] = rowsOf(t, m.dbs[0], testdb.SQLite, workspace)
		}
		assert.Len(t, before["acme"], len(tablesOf), "it has rows in each table")
		for range 2 { // the second one finds all there
			require.NoError(t, copyAll(t.Context(), from, to, all, true))
		}
		require.NoError(t, copyAll(t.Context(), from, to, passes{}, true))
		require.NoError(t, checkAll(t.Context(), to))
		for workspace, rows := range before {
			assert.Equal(t, rows, rowsOf(t, m.dbs[1], e, workspace), workspace)
			assert.Equal(t, rows, rowsOf(t, m.dbs[0], testdb.SQLite, workspace), "the file stays")
		}

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

// What was written where it would be copied to is not overwritten, whatever it is, unless something
// was written here after that.
func TestACopyThatIsInUseIsNotOverwritten(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		_, from, to := copying(t, e)
		here, there := enginesOn(t, from.store)[0], enginesOn(t, to.store)[0]
		copied := func() error { return copyAll(t.Context(), from, to, passes{}, true) }
		do := func(on *convo.Engine, contact string, cmd convo.Command) {
			_, err := on.Do(t.Context(), convo.ToContact("used", contact), cmd)
			require.NoError(t, err)
		}
		_, err := here.Do(t.Context(), convo.ToContact("another", "ann"), convo.Open{By: ana})
		require.NoError(t, err)
		do(here, "ann", convo.Receive{Body: "hi"})
		for _, used := range []struct {
			contact string
			by      convo.Command
		}{
			{"ann", convo.Send{By: ana, Body: "hi"}},
			{"bob", convo.Receive{Body: "hi"}},
			{"old", convo.Receive{Body: "hi", At: time.Unix(1e9, 0)}},
			{"ann", convo.Block{By: ana}}, // which is in the log of the contact
		} {
			require.NoError(t, copied())
			do(there, used.contact, used.by)
			rows := rowsOf(t, to.db, e, "used")
			require.ErrorContains(t, copied(), `"used": event`, "%v", used.by)
			assert.Equal(t, rows, rowsOf(t, to.db, e, "used"), "%v", used.by)
			do(here, "ann", convo.Note{By: ana, Body: "later"}) // so that was only a trial
		}
		require.NoError(t, copied())
		assert.Equal(t, rowsOf(t, from.db, testdb.SQLite, "used"), rowsOf(t, to.db, e, "used"))
		_, err = there.Do(t.Context(), convo.ToContact("begun", "eve"), convo.Open{By: ana})
		require.NoError(t, err)
		require.ErrorContains(t, copied(), `"begun": event`, "which is not here at all")
	})
}

// Rollups that are made between two passes are not taken for good.
func TestRollupsBetweenPassesAreNoticed(t *testing.T) {
	_, from, to := copying(t, testdb.SQLite)
	here := enginesOn(t, from.store)[0]
	write := func(contact string) {
		_, err := here.Do(t.Context(), convo.ToContact("acme", contact),
			convo.Receive{Body: "hi"}, convo.Send{By: ana, Body: "hi"})
		require.NoError(t, err)
	}
	write("ann")
	rollupAll(t, from.store, 0)
	write("ann")
	write("bob")
	all := passes{}
	require.NoError(t, copyAll(t.Context(), from, to, all, false))
	rollupAll(t, from.store, 0)
	write("ann") // so that as many as before are not in rollups yet
	write("bob")
	require.ErrorContains(t, copyAll(t.Context(), from, to, all, true), "rolled up")
	require.NoError(t, copyAll(t.Context(), from, to, passes{}, true))
}

// Rows that are no good are not taken for good.
func TestACopyThatIsBrokenIsNoticed(t *testing.T) {
	m, from, to := copying(t, testdb.SQLite)
	m.lived("acme", 0)
	_, err := m.dbs[0].ExecContext(t.Context(), "DELETE FROM convo_cycles WHERE workspace = 'acme'")
	require.NoError(t, err)
	require.NoError(t, copyAll(t.Context(), from, to, passes{}, true))
	require.Error(t, checkAll(t.Context(), to))
}
