package sqlstore_test

import (
	"database/sql"
	"errors"
	"os"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// What Open says of servers that it cannot work with. The versions are told by the driver: there is
// no such server here.
func TestTheVersionOfTheServerMustBeTheDialects(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			t.Skip("there are no two dialects for its servers")
		}
		d := testdb.Create(t, e)
		plain := d.Open(t)
		migrated(t, plain, e)
		for version, says := range map[string]map[testdb.Engine]string{
			"5.7.44-log":         {testdb.MySQL: "8.0 or later", testdb.MariaDB: "not MariaDB"},
			"8.0.11-TiDB-v8.5.6": {testdb.MySQL: "holds no rows", testdb.MariaDB: "dialect MySQL"},
			"8.4.3":              {testdb.MariaDB: "dialect MySQL"},
			"10.11.6-MariaDB":    {},
		} {
			db := sql.OpenDB(&rewriting{
				dsnConnector{plain.Driver(), d.DSN}, "VERSION()", "'" + version + "'",
			})
			s, err := sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(t.Context())
			if says[e] != "" {
				require.ErrorContains(t, err, says[e], version)
				require.ErrorContains(t, err, version)
			} else {
				require.NoError(t, err, version)
				require.NoError(t, s.Close())
			}
			require.NoError(t, db.Close())
		}
	})
}

// TiDB takes SKIP LOCKED, and then holds nothing, and it knows less of SQL than MySQL does. That is
// why it is refused: what is red here may be no reason any more.
func TestTiDBIsRefusedForWhatItDoesNotHold(t *testing.T) {
	dsn := os.Getenv("CONVO_TIDB_DSN")
	if dsn == "" {
		t.Skip("set CONVO_TIDB_DSN, or run scripts/tidb")
	}
	config, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	config.DBName = "test"
	db, err := sql.Open("mysql", config.FormatDSN())
	require.NoError(t, err)
	defer db.Close()
	_, err = sqlstore.Config{DB: db, Dialect: sqlstore.MySQL}.Open(t.Context())
	require.ErrorContains(t, err, "holds no rows")

	for _, statement := range []string{
		"DROP TABLE IF EXISTS queue", "CREATE TABLE queue (id INT PRIMARY KEY, next INT)",
		"INSERT INTO queue VALUES (1, 2)",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	const row = "SELECT id FROM queue WHERE id = 1 FOR UPDATE"
	for lock, holds := range map[string]bool{" SKIP LOCKED": false, "": true} {
		assert.NoError(t, asked(t, db, row+lock, func() {
			err := asked(t, db, row+" NOWAIT", func() {})
			var held *mysql.MySQLError
			assert.Equal(t, holds, errors.As(err, &held) && held.Number == 3572, "%s: %v", lock, err)
		}))
	}
	for what, statement := range map[string]string{
		"subqueries": `SELECT * FROM queue a LEFT JOIN queue b ON b.id = (
			SELECT max(next) FROM queue c WHERE c.id = a.id)`,
		"ORDER BY": `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT (
			SELECT next FROM queue WHERE id = n.id ORDER BY id LIMIT 1) FROM n WHERE id < 1)
			SELECT * FROM n`,
	} {
		assert.ErrorContains(t, asked(t, db, statement, func() {}), what)
	}
}

// asked is what a server says to a statement in a transaction, in which f runs then.
func asked(t *testing.T, db *sql.DB, statement string, f func()) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	rows, err := tx.QueryContext(t.Context(), statement)
	if err != nil {
		return err
	}
	for rows.Next() { // to the end
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	f()
	return nil
}
