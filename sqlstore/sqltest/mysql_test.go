package sqlstore_test

import (
	"database/sql"
	"testing"

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
