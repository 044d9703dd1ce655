package sqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// TestDqlite tries what is said to dqlite on a SQLite file, by a driver that refuses what dqlite
// does not take; scripts/dqlite tries it on a cluster.
func TestDqlite(t *testing.T) {
	t.Run("Faults", func(t *testing.T) {
		t.Parallel()
		wholeOrNotAtAll(t, testdb.Dqlite)
	})
	t.Parallel()
	t.Run("Settings", func(t *testing.T) {
		t.Parallel()
		for setting, says := range map[string]string{
			"_pragma=busy_timeout(1000)": "leave it at 0",
			"_pragma=secure_delete(OFF)": "SQLITE_SECURE_DELETE",
			"_pragma=encoding('UTF-16')": "PRAGMA encoding = 'UTF-8'",
		} {
			_, err := sqlstore.Config{
				DB: testdb.Open(t, testdb.Dqlite, setting), Dialect: sqlstore.Dqlite,
			}.Open(t.Context())
			require.ErrorContains(t, err, says)
		}
	})
	t.Run("Conforms", func(t *testing.T) {
		t.Parallel()
		s, db := openOutbox(t, testdb.Dqlite)
		conforms(t, s, db, "convo_")
	})
	t.Run("Outbox", func(t *testing.T) {
		t.Parallel()
		s, db := openOutbox(t, testdb.Dqlite)
		runOutbox(t, s, db)
	})
	t.Run("Feed", func(t *testing.T) {
		t.Parallel()
		s, db := openFeed(t, testdb.Dqlite)
		storetest.RunFeed(t, func(t *testing.T) storetest.Feeder {
			empty(t, db, "convo_")
			return s
		})
	})
	t.Run("Moved", func(t *testing.T) {
		t.Parallel()
		changesAreFoundAgain(t, testdb.Dqlite)
	})
	t.Run("Reports", func(t *testing.T) {
		t.Parallel()
		storetest.RunReports(t, func(t *testing.T) storetest.Reporter {
			s, _ := open(t, testdb.Dqlite)
			return s
		})
	})
}
