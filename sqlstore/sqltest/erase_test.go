package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// What is erased is in no column of any table, and, with secure_delete, nowhere in a SQLite file of
// so few rows: see TestVacuumLeavesNothingOfWhatIsRemovedForGood.
func TestWhatIsErasedIsNowhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		path := filepath.Join(t.TempDir(), "convo.db")
		db := openFile(t, e, path)
		s := with(t, sqlstore.Config{DB: db, Dialect: dialects[e], Feed: true})
		contact := storetest.WriteCanaries(t, s, "acme")
		r, err := relay.New(s, relay.NoTargets) // which takes the notes into the feed
		require.NoError(t, err)
		_, err = r.Once(t.Context())
		require.NoError(t, err)
		engine, err := convo.New(s)
		require.NoError(t, err)
		_, err = engine.Do(t.Context(), convo.ToContact("acme", contact),
			convo.Block{By: ana, Reason: storetest.Canary}) // and this is noted only
		require.NoError(t, err)
		_, _, err = s.Rollup(t.Context(), 0)
		require.NoError(t, err)
		require.NotEmpty(t, rowsWith(t, e, db), "else nothing is proved")
		_, err = engine.Erase(t.Context(), convo.Erase{
			Workspace: "acme", Contact: contact, By: ana, Key: "of " + storetest.Canary,
		})
		require.NoError(t, err)
		assert.Empty(t, rowsWith(t, e, db))
		assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
		differences, err := s.CheckRollups(t.Context(), "acme")
		require.NoError(t, err)
		assert.Empty(t, differences)
		if e == testdb.SQLite {
			assert.Zero(t, inFiles(t, db, path), "in the file")
			_, err = db.Exec("VACUUM")
			require.NoError(t, err)
			assert.Zero(t, inFiles(t, db, path), "in the file after VACUUM")
		}
	})
}

// What is pruned is in no column of conversations, and, with secure_delete, nowhere in a SQLite file
// of so few rows.
func TestWhatIsPrunedIsNowhere(t *testing.T) {
	texts := []string{
		"received", "noted", "sent", "edited", "closed", "rated", "amended", "subject", "again",
		"of a message", "of b",
	}
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		path := filepath.Join(t.TempDir(), "convo.db")
		db := openFile(t, e, path)
		s := with(t, sqlstore.Config{DB: db, Dialect: dialects[e], Feed: true})
		storetest.WriteCanaries(t, s, "acme")
		left := func() (found []string) {
			for _, column := range rowsWith(t, e, db) {
				for _, text := range []string{
					"body", "attachments", "summary", "subject", "attributes", "rating_comment",
				} {
					if strings.Contains(column, "."+text+":") &&
						!strings.HasPrefix(column, "convo_contact") {
						found = append(found, column)
					}
				}
			}
			return found
		}
		require.GreaterOrEqual(t, len(left()), 8, "else nothing is proved")
		_, _, err := s.Rollup(t.Context(), 0) // whose sums must be those of what is left
		require.NoError(t, err)
		storetest.PruneCanaries(t, s, "acme")
		assert.Empty(t, left())
		assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
		_, _, err = s.Rollup(t.Context(), 0)
		require.NoError(t, err)
		differences, err := s.CheckRollups(t.Context(), "acme")
		require.NoError(t, err)
		assert.Empty(t, differences)
		if e != testdb.SQLite {
			return
		}
		for _, data := range sqliteFiles(t, db, path) {
			for _, text := range texts {
				assert.Zero(t, strings.Count(string(data), storetest.Canary+" "+text), text)
			}
		}
	})
}

// A relay that comes between the last step of an erasure and its COMMIT must not publish what is in
// the log until then: what it fails with would be written down after that.
func TestNoRelayTakesATextPastAnErasureThatIsNotCommitted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("one transaction at a time")
		}
		// A relay must not wait for the erasure, either; nor has it to begin what its lease of a
		// minute would hardly last for.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		s, db := openOutbox(t, e)
		contact := storetest.WriteCanaries(t, s, "acme")
		engine, err := convo.New(s)
		require.NoError(t, err)
		policy, err := engine.Policy(ctx, convo.Scope{Workspace: "acme"})
		require.NoError(t, err)
		failed := 0
		r, err := relay.New(s, relay.To("crm", publisher(func(events []convo.Event) (int, error) {
			failed++
			text, err := json.Marshal(events)
			require.NoError(t, err)
			return 0, errors.New("cannot send " + string(text))
		})))
		require.NoError(t, err)
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = engine.With(s.WithTx(tx), policy).Erase(ctx,
			convo.Erase{Workspace: "acme", Contact: contact, By: ana})
		require.NoError(t, err)
		_, err = r.Once(ctx)
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		assert.Empty(t, rowsWith(t, e, db))
		_, err = r.Once(ctx)
		require.NoError(t, err)
		require.Positive(t, failed, "else nothing is proved")
		assert.Empty(t, rowsWith(t, e, db))
	})
}

// An erasure looks up where its contact is named, however much there is, and has no scan under its
// lock.
func TestMentionsAreLookedUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		p := openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
			require.NoError(t, fill.Conversations(ctx, db, dialects[e], filled))
			_, err := db.ExecContext(ctx, `INSERT INTO convo_mentions
				SELECT workspace, contact, id, '' FROM convo_conversations`)
			require.NoError(t, err)
			require.NoError(t, fill.Analyze(ctx, db, dialects[e]))
		})
		ids, contacts, err := fill.Active(t.Context(), p.db, 1)
		require.NoError(t, err)
		asked := p.during(func(s *sqlstore.Store, did func(string)) {
			found, err := s.Mentions(t.Context(), fill.Workspace, contacts[0], "nobody")
			require.NoError(t, err)
			require.Contains(t, found, ids[0])
			did("mentions")
		})
		require.Len(t, asked, 1)
		for _, plan := range p.explain(t, asked[0], true) {
			assert.Empty(t, plan.scans, plan.text)
			assert.LessOrEqual(t, plan.read, 50, plan.text)
		}
	})
}

// Whoever races with whom, nothing is left of who is erased, also where no read shows it.
func TestNoRaceOfErasuresAndRelaysLeavesAnything(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := openFeed(t, e)
		storetest.RaceErasures(t, s, "acme")
		assert.Empty(t, rowsWith(t, e, db))
		assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
	})
}

type publisher func([]convo.Event) (int, error)

func (p publisher) Publish(_ context.Context, events []convo.Event) (int, error) {
	return p(events)
}

// openFile is testdb.Open, but of a file with SQLite, with the settings that hosts get.
func openFile(t *testing.T, e testdb.Engine, path string) *sql.DB {
	t.Helper()
	if e != testdb.SQLite {
		return testdb.Open(t, e)
	}
	db, err := sqlstore.OpenSQLite("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// rowsWith are the columns of all tables that have a canary in a row.
func rowsWith(t *testing.T, e testdb.Engine, db *sql.DB) (found []string) {
	t.Helper()
	for table, columns := range columnsOf(t, e, db) {
		for _, column := range columns {
			text := "CAST(" + column + " AS TEXT)"
			switch e.Server() {
			case testdb.PostgreSQL:
				text = column + "::text"
			case testdb.MariaDB:
				text = "CONVERT(" + column + " USING utf8mb4)"
			case testdb.SQLite:
			}
			var n int
			require.NoError(t, db.QueryRow("SELECT count(*) FROM "+table+" WHERE "+text+" LIKE '%"+
				storetest.Canary+"%'").Scan(&n))
			if n > 0 {
				found = append(found, fmt.Sprintf("%s.%s: %d", table, column, n))
			}
		}
	}
	return found
}

// columnsOf are the columns of each table that the database has of convo.
func columnsOf(t *testing.T, e testdb.Engine, db *sql.DB) map[string][]string {
	t.Helper()
	query := map[testdb.Engine]string{
		testdb.SQLite: `SELECT m.name, c.name FROM sqlite_master m
			JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`,
		testdb.PostgreSQL: `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = current_schema()`,
		testdb.MariaDB: `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = DATABASE()`,
	}[e.Server()]
	rows, err := db.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		if strings.HasPrefix(table, "convo_") && table != "convo_schema" && table != "convo_versions" {
			all[table] = append(all[table], column)
		}
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, all)
	return all
}

// A new column fails this until it is said what an erasure does with it.
func TestAnErasureSaysSomethingOfEveryColumn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		migrated(t, db, e)
		said := hook.Treated()
		for table, columns := range columnsOf(t, e, db) {
			for _, column := range columns {
				name := strings.TrimPrefix(table, "convo_") + "." + column
				assert.Equal(t, 1, said[name], name)
				delete(said, name)
			}
		}
		assert.Empty(t, said, "columns that are not there")
	})
}

// inFiles counts what SQLite's files have of canaries.
func inFiles(t *testing.T, db *sql.DB, path string) (n int) {
	t.Helper()
	for _, data := range sqliteFiles(t, db, path) {
		n += strings.Count(string(data), storetest.Canary)
	}
	return n
}
