// Package faults_test holds the SQL store to its promises while connections are cut, processes and
// servers are killed, disks run full and servers fail over. CONVO_TEST_SCALE=10 makes all of it ten
// times as long.
package faults_test

import (
	"database/sql"
	"os"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

const workspace = "mill" // not that of package fill

var ana = convo.ByUser("ana")

var dialects = map[testdb.Engine]sqlstore.Dialect{
	testdb.SQLite: sqlstore.SQLite, testdb.PostgreSQL: sqlstore.PostgreSQL,
	testdb.MariaDB: sqlstore.MariaDB, testdb.MySQL: sqlstore.MySQL,
	testdb.Dqlite: sqlstore.Dqlite,
}

// TestMain also runs the processes that are to be killed, or that race: see
// TestNothingAcknowledgedIsLostWhenTheProcessIsKilled,
// TestNothingIsLostWhenARelayIsKilledAroundPublishAndMark, TestASoakLeavesEverythingWhole and
// TestThreeProcessesThatMergeBreakNoInvariant.
func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		writeAsChild(path)
	}
	_ = mysql.SetLogger(&mysql.NopLogger{}) // it would tell of every cut
	if text := os.Getenv(racerVariable); text != "" {
		raceAsProcess(text)
	}
	if text := os.Getenv(soakVariable); text != "" {
		soakAsProcess(text)
	}
	if text := os.Getenv(relayVariable); text != "" {
		relayAsChild(text)
	}
	os.Exit(m.Run())
}

// scaled is n, times CONVO_TEST_SCALE, or a third of it for go test -short.
func scaled(t *testing.T, n int) int {
	t.Helper()
	if testing.Short() {
		n = (n + 2) / 3
	}
	text := os.Getenv("CONVO_TEST_SCALE")
	if text == "" {
		return n
	}
	scale, err := strconv.Atoi(text)
	require.NoError(t, err, "CONVO_TEST_SCALE")
	return n * scale
}

// migrated is a store in db, whose schema it makes first.
func migrated(t *testing.T, db *sql.DB, e testdb.Engine) *sqlstore.Store {
	t.Helper()
	require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.Migrate(t.Context()))
	return opened(t, db, e)
}

// opened is a store in db, whose schema is there.
func opened(t *testing.T, db *sql.DB, e testdb.Engine) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // fails on connections that a test has cut
	return s
}

func engineOn(t *testing.T, s convo.Store, opts ...convo.Option) *convo.Engine {
	t.Helper()
	e, err := convo.New(s, opts...)
	require.NoError(t, err)
	return e
}

// sound asserts that all that holds in every store holds in s. Nobody may write meanwhile.
func sound(t *testing.T, s convo.Store) {
	t.Helper()
	noneBroken(t, storetest.CheckInvariants(t.Context(), s, workspace))
}

func noneBroken(t *testing.T, broken []error) {
	t.Helper()
	for _, err := range broken[:min(len(broken), 5)] {
		assert.NoError(t, err)
	}
	require.Empty(t, len(broken), "broken invariants")
}
