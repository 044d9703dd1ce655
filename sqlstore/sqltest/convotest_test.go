package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/convotest"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// What a host's tests stand on, on each engine: two tests at once in one database, a transaction
// that is undone, and one that is committed.
func TestHostsTestsHaveAStoreOfTheirOwnOnEachEngine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		config := sqlstore.Config{DB: db, Dialect: dialects[e]}
		for _, name := range []string{"one", "another"} {
			t.Run(name, func(t *testing.T) {
				store := convotest.OnSQL(t, config)
				k := convotest.New(t, store)
				k.Ago(72*time.Hour, func() { k.Closed("ann") })
				within := func(f func(k *convotest.Kit), end func(tx *sql.Tx) error) {
					tx, err := db.BeginTx(t.Context(), nil)
					require.NoError(t, err)
					defer func() { _ = tx.Rollback() }()
					f(k.With(store.WithTx(tx)))
					require.NoError(t, end(tx))
				}
				reopen := func(k *convotest.Kit) { k.Reopened("ann") }
				within(reopen, (*sql.Tx).Rollback)
				_, err := k.Active(t.Context(), k.Ref("ann"))
				require.ErrorIs(t, err, convo.ErrNotActive)
				within(reopen, (*sql.Tx).Commit)
				ann, err := k.Active(t.Context(), k.Ref("ann"))
				require.NoError(t, err)
				assert.Equal(t, 2, ann.Cycle.Number)
				assert.Empty(t, storetest.CheckInvariants(t.Context(), store, convotest.Workspace))
			})
		}
		assert.Empty(t, tables(t, db, e), "tables are left")
	})
}
