package testdb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

func TestWhatMySQLWouldNotUnderstandIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e != testdb.MySQL {
			t.Skip("it says by itself what it does not understand")
		}
		db := testdb.Open(t, e)
		exec(t, db, "CREATE TABLE t (n int)")
		exec(t, db, "CREATE TABLE u (n int)")
		for _, statement := range []string{
			"INSERT INTO t VALUES (1) RETURNING n",
			"BEGIN NOT ATOMIC SELECT 1; END",
			"SELECT @@in_transaction",
			"SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS(n INT PATH '$')) j",
			"UPDATE t SET n = 2 WHERE NOT EXISTS (SELECT 1 FROM t o WHERE o.n = 2)",
			"DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM u JOIN t o ON o.n = u.n)",
			"DELETE gone FROM t gone WHERE n IN (SELECT n FROM t)",
		} {
			_, err := db.ExecContext(t.Context(), statement)
			require.ErrorContains(t, err, "testdb: ", statement)
			_, err = db.QueryContext(t.Context(), statement) //nolint:rowserrcheck // there are none
			require.ErrorContains(t, err, "testdb: ", statement)
			_, err = db.PrepareContext(t.Context(), statement)
			require.ErrorContains(t, err, "testdb: ", statement)
		}
		exec(t, db, "UPDATE t SET n = 2 WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.n = t.n)")
		exec(t, db, "DELETE gone FROM t gone WHERE n IN (SELECT n FROM u)")
	})
}
