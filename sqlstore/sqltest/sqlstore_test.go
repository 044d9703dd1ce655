package sqlstore_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

var dialects = map[testdb.Engine]sqlstore.Dialect{
	testdb.SQLite: sqlstore.SQLite, testdb.PostgreSQL: sqlstore.PostgreSQL,
	testdb.MariaDB: sqlstore.MariaDB, testdb.MySQL: sqlstore.MySQL,
	testdb.Dqlite: sqlstore.Dqlite,
}

// asTexts are settings of a driver with which it prepares nothing either.
var asTexts = map[testdb.Engine][]string{
	testdb.PostgreSQL: {"default_query_exec_mode=exec"},
	testdb.MariaDB:    {"interpolateParams=true"},
}

// openUnprepared is open for a store that prepares nothing.
func openUnprepared(t testing.TB, e testdb.Engine, prefix string) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := testdb.Open(t, e, asTexts[e.Server()]...)
	config := sqlstore.Config{DB: db, Dialect: dialects[e], Unprepared: true, Prefix: prefix}
	require.NoError(t, config.Migrate(t.Context()))
	s, err := config.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, db
}

// open makes a store in a new empty database.
func open(t testing.TB, e testdb.Engine, params ...string) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := testdb.Open(t, e, params...)
	return migrated(t, db, e), db
}

func migrated(t testing.TB, db *sql.DB, e testdb.Engine, prefix ...string) *sqlstore.Store {
	t.Helper()
	config := sqlstore.Config{DB: db, Dialect: dialects[e], Prefix: strings.Join(prefix, "")}
	require.NoError(t, config.Migrate(t.Context()))
	s, err := config.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStoreConforms(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		conforms(t, s, db, "convo_")
	})
}

// Two things that most stores are not, tried together.
func TestStoreConformsUnpreparedWithAPrefix(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := openUnprepared(t, e, "p_")
		conforms(t, s, db, "p_")
	})
}

func conforms(t *testing.T, s *sqlstore.Store, db *sql.DB, prefix string) {
	storetest.Run(t, func(t *testing.T) convo.Store {
		empty(t, db, prefix)
		return s
	})
}

// empty deletes all that a suite has written.
func empty(t *testing.T, db *sql.DB, prefix string) {
	for _, table := range []string{
		"contacts", "addresses", "conversations", "active", "places", "labels", "cycles", "events",
		"closed", "contact_events", "mentions", "keys", "deliveries", "rollup_queue", "rollups",
		"outbox", "outbox_queue", "feed", "feed_heads",
	} {
		_, err := db.ExecContext(t.Context(), "DELETE FROM "+prefix+table)
		require.NoError(t, err)
	}
}

func TestReportsConform(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		storetest.RunReports(t, func(t *testing.T) storetest.Reporter {
			s, _ := open(t, e)
			return s
		})
	})
}
