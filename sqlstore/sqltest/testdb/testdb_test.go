package testdb_test

import (
	"context"
	"database/sql"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

func TestDatabasesAreApart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		a, b := testdb.Create(t, e), testdb.Create(t, e)
		assert.NotEqual(t, a.DSN, b.DSN)
		for i, d := range []testdb.Database{a, b} {
			db := d.Open(t)
			exec(t, db, "CREATE TABLE t (n int)")
			for range i + 1 {
				exec(t, db, "INSERT INTO t VALUES (1)")
			}
		}
		assert.Equal(t, "1", one(t, a.Open(t), "SELECT count(*) FROM t"))
		assert.Equal(t, "2", one(t, b.Open(t), "SELECT count(*) FROM t"))
	})
}

// Whoever left tables, schemas, or a session that holds locks on them: the next test has an empty
// database.
func TestADatabaseIsEmptyWhateverTheLastTestLeft(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		var left []*sql.Conn
		for range 3 {
			t.Run("again", func(t *testing.T) {
				d := testdb.Create(t, e)
				db := d.Open(t)
				exec(t, db, "CREATE TABLE t (n int)")
				exec(t, db, "CREATE VIEW v AS SELECT n FROM t")
				if e == testdb.SQLite {
					return
				}
				stays, err := sql.Open(d.Driver, d.DSN) // not with the test
				require.NoError(t, err)
				conn, err := stays.Conn(t.Context())
				require.NoError(t, err)
				left = append(left, conn)
				if e == testdb.PostgreSQL {
					exec(t, db, "CREATE SCHEMA other CREATE TABLE u (n int)")
				}
				for _, statement := range []string{"BEGIN", "INSERT INTO t VALUES (1)"} {
					_, err = conn.ExecContext(t.Context(), statement)
					require.NoError(t, err)
				}
			})
		}
		for _, conn := range left {
			_ = conn.Close()
		}
	})
}

func TestParametersTakeEffect(t *testing.T) {
	for _, tt := range []struct {
		engine                 testdb.Engine
		usual, question, param string
		want                   string
	}{
		{testdb.SQLite, "1", "PRAGMA synchronous", "_pragma=synchronous(FULL)", "2"},
		{testdb.SQLite, "1", "PRAGMA synchronous", "_pragma=synchronous(OFF)", "0"},
		{testdb.SQLite, "wal", "PRAGMA journal_mode", "_pragma=journal_mode(DELETE)", "delete"},
		{testdb.SQLite, "10000", "PRAGMA busy_timeout", "_pragma=busy_timeout(7)", "7"},
		{testdb.SQLite, "1", "PRAGMA foreign_keys", "_txlock=deferred", "1"},
		{testdb.PostgreSQL, "read committed", "SHOW default_transaction_isolation",
			"default_transaction_isolation=serializable", "serializable"},
		{testdb.PostgreSQL, "read committed", "SHOW transaction_isolation",
			"default_transaction_isolation=repeatable read", "repeatable read"},
		{testdb.PostgreSQL, "UTF8", "SHOW server_encoding", "application_name=convo", "UTF8"},
		{testdb.MariaDB, "REPEATABLE-READ", "SELECT @@tx_isolation", "tx_isolation='SERIALIZABLE'",
			"SERIALIZABLE"},
		{testdb.MariaDB, "utf8mb4", "SELECT @@character_set_database", "parseTime=true", "utf8mb4"},
		{testdb.MariaDB, "utf8mb4_general_ci", "SELECT @@collation_connection",
			"collation=utf8mb4_bin", "utf8mb4_bin"},
	} {
		t.Run(tt.param, func(t *testing.T) {
			assert.Equal(t, tt.usual, one(t, testdb.Open(t, tt.engine), tt.question))
			d := testdb.Create(t, tt.engine, tt.param)
			assert.Equal(t, tt.want, one(t, d.Open(t), tt.question))
			assert.Equal(t, tt.want, one(t, d.With(tt.param).Open(t), tt.question),
				"twice the same")
		})
	}
}

func TestADatabaseIsReachedViaAnotherAddress(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		d := testdb.Create(t, e)
		if e == testdb.SQLite {
			assert.Empty(t, d.Addr)
			assert.Equal(t, d, d.Via("127.0.0.1:1"))
			return
		}
		proxy, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer proxy.Close()
		passed := make(chan struct{}, 1)
		go func() {
			client, err := proxy.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", d.Addr)
			if err != nil {
				return
			}
			passed <- struct{}{}
			go io.Copy(server, client)
			io.Copy(client, server)
		}()
		exec(t, d.Open(t), "CREATE TABLE t (n int)")
		via := d.Via(proxy.Addr().String())
		assert.Equal(t, proxy.Addr().String(), via.Addr)
		assert.Equal(t, "0", one(t, via.Open(t), "SELECT count(*) FROM t"))
		assert.Len(t, passed, 1)
	})
}

func TestAServerThatIsNotNamedIsSkipped(t *testing.T) {
	t.Setenv("CONVO_POSTGRES_DSN", "")
	t.Setenv("CONVO_MARIADB_DSN", "")
	t.Setenv("CONVO_SKIP_SQLITE", "") // also where SQLite was tested before
	var ran []testdb.Engine
	testdb.Each(t, func(t *testing.T, e testdb.Engine) { ran = append(ran, e) })
	assert.Equal(t, []testdb.Engine{testdb.SQLite}, ran)
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

func one(t *testing.T, db *sql.DB, question string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var answer string
	require.NoError(t, db.QueryRowContext(ctx, question).Scan(&answer), question)
	return strings.TrimSpace(answer)
}
