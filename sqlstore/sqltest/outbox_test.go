package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// openOutbox is open for a store with an outbox.
func openOutbox(t testing.TB, e testdb.Engine, params ...string) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := testdb.Open(t, e, params...)
	return withOutbox(t, db, e), db
}

func withOutbox(t testing.TB, db *sql.DB, e testdb.Engine) *sqlstore.Store {
	t.Helper()
	config := sqlstore.Config{DB: db, Dialect: dialects[e], Outbox: true}
	require.NoError(t, config.Migrate(t.Context()))
	s, err := config.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func runOutbox(t *testing.T, s *sqlstore.Store, db *sql.DB) {
	storetest.RunOutbox(t, func(t *testing.T) storetest.Outboxer {
		empty(t, db, "convo_")
		return s
	})
}

func TestTheOutboxLosesNothing(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		runOutbox(t, s, db)
	})
}

func TestTheOutboxLosesNothingOfTheSharedStatement(t *testing.T) {
	eachSharing(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		runOutbox(t, hook.Shared(s).(*sqlstore.Store), db)
	})
}

func TestWithAnOutboxTheStoreConforms(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := openOutbox(t, e)
		conforms(t, s, db, "convo_")
	})
}

func TestWithoutAnOutboxThereIsNone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, _ := open(t, e)
		_, err := s.Noted(t.Context(), relay.Stream{}, 1)
		require.ErrorIs(t, err, relay.ErrNoOutbox)
		_, err = s.Claim(t.Context(), relay.Claim{Limit: 1})
		require.ErrorIs(t, err, relay.ErrNoOutbox)
		engine := enginesOn(t, s)[0]
		_, err = engine.Do(t.Context(), convo.ToContact("w", "bob"), opening)
		require.NoError(t, err)
	})
}
