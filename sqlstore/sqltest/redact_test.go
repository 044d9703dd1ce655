package sqlstore_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
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

// canary is what must be nowhere any more.
const canary = "CANARY4111111111111111"

// TestWhatIsRedactedIsNowhere writes messages with a canary among others, edits them, takes them
// back for good, and looks for it in every file that the engine keeps rows in. What the server
// keeps beside them, its logs, is the host's.
func TestWhatIsRedactedIsNowhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		var s *sqlstore.Store
		var db *sql.DB
		path := filepath.Join(t.TempDir(), "convo.db")
		if e == testdb.SQLite { // with the settings that hosts get
			var err error
			db, err = sqlstore.OpenSQLite("sqlite", path)
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			s = migrated(t, db, e)
		} else {
			s, db = open(t, e)
		}
		engine, err := convo.New(s)
		require.NoError(t, err)
		do := func(contact string, cmds ...convo.Command) convo.Result {
			r, err := engine.Do(t.Context(), convo.ToContact("acme", contact), cmds...)
			require.NoError(t, err)
			return r
		}
		text := strings.Repeat("My card is "+canary+". ", 20)
		attached := json.RawMessage(`{"card":"` + canary + `"}`)
		var messages []convo.Event
		for i := range 60 { // over several pages, which split
			contact := []string{"a", "b", "quiet"}[i%3]
			r := do(contact, convo.Receive{
				Body: text, Attachments: attached, Quiet: contact == "quiet",
			})
			m := r.Events[len(r.Events)-1]
			do(contact, convo.Edit{By: convo.ByContact(), Message: m.ID, Body: text + "!"})
			messages = append(messages, m)
		}
		require.NotZero(t, canaries(t, e, db, path), "else nothing is proved")
		for _, m := range messages {
			do(m.Contact, convo.Retract{By: ana, Message: m.ID, Redact: true})
		}
		// PostgreSQL keeps rows for the oldest transaction of all databases of its server, which
		// others may have begun before: that ends.
		left := canaries(t, e, db, path)
		for until := time.Now().Add(time.Minute); left > 0 && time.Now().Before(until); {
			left = canaries(t, e, db, path)
		}
		assert.Zero(t, left)

		var export bytes.Buffer
		require.NoError(t, report.WriteTranscripts(t.Context(), &export, s,
			convo.Filter{Workspace: "acme"}))
		assert.NotContains(t, export.String(), canary)
		assert.Contains(t, export.String(), messages[0].ID.String())
	})
}

// canaries counts what is in the files of the tables after they were written anew.
func canaries(t *testing.T, e testdb.Engine, db *sql.DB, path string) (n int) {
	t.Helper()
	var files [][]byte
	switch e.Server() {
	case testdb.SQLite:
		files = sqliteFiles(t, db, path)
	case testdb.PostgreSQL:
		// A row stays for whoever began to look before it was overwritten, such as an ANALYZE of
		// the server's own. Who begins after it sees only what is.
		require.Eventually(t, func() bool {
			var alone bool
			err := db.QueryRow(`SELECT NOT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid()
				AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL))`).Scan(&alone)
			return err == nil && alone
		}, time.Minute, 10*time.Millisecond, "somebody looks at the tables all the time")
		for _, statement := range []string{"VACUUM FULL", "CHECKPOINT"} {
			_, err := db.Exec(statement)
			require.NoError(t, err)
		}
		rows, err := db.Query(`SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class
			WHERE relkind IN ('r', 'i', 't') AND pg_relation_filepath(oid) IS NOT NULL`)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var data []byte
			require.NoError(t, rows.Scan(&data))
			files = append(files, data)
		}
		require.NoError(t, rows.Err())
	case testdb.MariaDB:
		var folder, name string
		require.NoError(t, db.QueryRow("SELECT @@datadir, DATABASE()").Scan(&folder, &name))
		for _, table := range []string{"convo_events", "convo_contact_events"} {
			rows, err := db.Query("OPTIMIZE TABLE " + table)
			require.NoError(t, err)
			require.NoError(t, rows.Close())
			conn, err := db.Conn(t.Context()) // pages are written later, unless one asks for it
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), "FLUSH TABLES "+table+" FOR EXPORT")
			require.NoError(t, err)
			data, err := os.ReadFile(filepath.Join(folder, name, table+".ibd"))
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), "UNLOCK TABLES")
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			files = append(files, data)
		}
	}
	for _, data := range files {
		n += bytes.Count(data, []byte(canary))
	}
	return n
}

// sqliteFiles are the contents of the files of a database, with nothing left in the write-ahead log.
func sqliteFiles(t *testing.T, db *sql.DB, path string) (files [][]byte) {
	t.Helper()
	var busy, log, moved int
	require.NoError(t, db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved))
	require.Zero(t, busy)
	return filesAt(t, path)
}

func filesAt(t *testing.T, path string) (files [][]byte) {
	t.Helper()
	found, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, name := range found {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		files = append(files, data)
	}
	return files
}
