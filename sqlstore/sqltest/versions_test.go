package sqlstore_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// nextVersion is that of the migration in testdata/next, which is made up.
const nextVersion = sqlstore.SchemaVersion + 1

// asks has the schema ask what a later version of it would, as if its migration had run.
func asks(t *testing.T, db *sql.DB, version, minReader, minWriter int64) {
	t.Helper()
	for _, statement := range []string{
		fmt.Sprintf("INSERT INTO convo_versions VALUES (%d, %d, %d)", version, minReader, minWriter),
		fmt.Sprintf("INSERT INTO convo_schema (version_id, is_applied) VALUES (%d, TRUE)", version),
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

func TestABuildGoesByWhatANewerSchemaAsks(t *testing.T) {
	const known = sqlstore.SchemaVersion
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		for _, c := range []struct {
			name                 string
			minReader, minWriter int64
			says                 string // empty: it may
		}{
			{"it may write", known, known, ""},
			{"it may only read", known, known + 1, "may read, but not write, it: update this package"},
			{"it may do neither", known + 1, known + 1,
				"may neither read nor write it: update this package"},
		} {
			t.Run(c.name, func(t *testing.T) {
				db := testdb.Open(t, e)
				config := sqlstore.Config{DB: db, Dialect: dialects[e]}
				require.NoError(t, config.Migrate(t.Context()))
				before := schemaOf(t, db, e)
				asks(t, db, 1000, c.minReader, c.minWriter)
				ctx, cancel := soon(t) // for nothing is tried again
				defer cancel()
				s, err := config.Open(ctx)
				if c.says == "" {
					require.NoError(t, err)
					works(t, s, "hi")
					require.NoError(t, s.Close())
					require.NoError(t, config.Migrate(ctx), "there is nothing to do")
				} else {
					require.ErrorIs(t, err, sqlstore.ErrSchemaNew)
					require.ErrorContains(t, err, "version 1000, which is newer than 3")
					require.ErrorContains(t, err, c.says)
					require.ErrorIs(t, config.Migrate(ctx), sqlstore.ErrSchemaNew)
				}
				require.ErrorIs(t, config.MigrateTo(ctx, 0), sqlstore.ErrSchemaNew)
				require.ErrorIs(t, config.MigrateTo(ctx, known), sqlstore.ErrSchemaNew)
				require.Equal(t, before, schemaOf(t, db, e), "nothing was taken down")
			})
		}
	})
}

func TestABuildRefusesAnOlderSchemaUntilItIsMigrated(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		config := sqlstore.Config{DB: db, Dialect: dialects[e]}
		_, err := config.Open(t.Context())
		require.ErrorIs(t, err, sqlstore.ErrSchemaOld, "there is none")
		require.NoError(t, config.MigrateTo(t.Context(), sqlstore.SchemaVersion-1))
		_, err = config.Open(t.Context())
		require.ErrorIs(t, err, sqlstore.ErrSchemaOld)
		require.ErrorContains(t, err, "has version 2, and 3 is needed: run Config.Migrate")

		require.NoError(t, config.Migrate(t.Context()))
		_, _, err = hook.Open(t.Context(), config, nextVersion+1)
		require.ErrorIs(t, err, sqlstore.ErrSchemaOld, "for the build after the next, it is old")
		opensNext(t, config, sqlstore.SchemaVersion)
		require.NoError(t, migrateNext(t, config, nextVersion))
		opensNext(t, config, nextVersion)
		s, err := config.Open(t.Context())
		require.NoError(t, err, "the build before, on the next schema")
		works(t, s, "hi")
		asks(t, db, nextVersion+1, nextVersion, nextVersion)
		opensNext(t, config, nextVersion)
	})
}

// opensNext demands that the next build opens a store, which goes by this version of the schema.
func opensNext(t *testing.T, config sqlstore.Config, version int64) {
	t.Helper()
	s, schema, err := hook.Open(t.Context(), config, nextVersion)
	require.NoError(t, err)
	require.Equal(t, version, schema)
	require.NoError(t, s.(*sqlstore.Store).Close())
}

// migrateNext migrates as the next build does.
func migrateNext(t *testing.T, config sqlstore.Config, version int64) error {
	t.Helper()
	return hook.Migrate(t.Context(), config, version, nextVersion, os.DirFS("testdata/next"))
}

// waitsForTable asks whether a migration waits for a table.
var waitsForTable = map[testdb.Engine]string{
	testdb.PostgreSQL: `SELECT count(*) > 0 FROM pg_locks WHERE NOT granted
		AND mode = 'AccessExclusiveLock' AND relation = 'convo_cycles'::regclass`,
	testdb.MariaDB: `SELECT count(*) > 0 FROM information_schema.processlist WHERE db = DATABASE()
		AND state = 'Waiting for table metadata lock' AND info LIKE '%ADD COLUMN%'
		AND id <> CONNECTION_ID()`,
}

// Who comes after a migration waits behind it, and would wait for the reader that it waits for.
func TestAMigrationThatWaitsForAReaderHoldsNobodyUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("a reader of SQLite holds no writer up")
		}
		d := testdb.Create(t, e)
		db, migrator := d.Open(t), d.Open(t)
		migrator.SetMaxOpenConns(1)
		s := migrated(t, db, e)
		ctx, cancel := soon(t)
		defer cancel()
		reader, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		defer func() { _ = reader.Rollback() }()
		var n int
		require.NoError(t, reader.QueryRowContext(ctx, "SELECT count(*) FROM convo_cycles").Scan(&n))
		done := make(chan error, 1)
		config := sqlstore.Config{DB: migrator, Dialect: dialects[e]}
		go func() { done <- migrateNext(t, config, nextVersion) }()
		engine := enginesOn(t, s)[0]
		for round := range 2 {
			require.Eventually(t, func() (waits bool) {
				row := db.QueryRowContext(ctx, waitsForTable[e.Server()])
				return assert.NoError(t, row.Scan(&waits)) && waits
			}, time.Minute, time.Millisecond)
			_, err := engine.Do(ctx, convo.ToContact("acme", fmt.Sprint(round)),
				convo.Receive{Channel: "sms", Body: "hi"}, convo.Close{By: ana})
			require.NoError(t, err)
		}
		require.Empty(t, done, "it waits for the reader")
		require.NoError(t, reader.Rollback())
		require.NoError(t, <-done)
		config.Prefix = "other_" // whose migrations set nothing themselves
		require.NoError(t, config.Migrate(ctx))
		var left string // what bounds a wait is of the migration alone
		require.NoError(t, migrator.QueryRowContext(ctx, map[testdb.Engine]string{
			testdb.PostgreSQL: "SELECT max(setting) FROM pg_settings WHERE name = 'lock_timeout'",
			testdb.MariaDB:    "SELECT @@lock_wait_timeout - @@global.lock_wait_timeout",
		}[e.Server()]).Scan(&left))
		require.Equal(t, "0", left)
	})
}

// What a later build has written, an older one reads: what it does not know is left as it is, or
// is unknown to it, and never an error.
func TestABuildReadsWhatALaterOneHasWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		s := migrated(t, db, e)
		engine := enginesOn(t, s)[0]
		to := convo.ToContact("acme", "riya")
		r, err := engine.Do(t.Context(), to, convo.Receive{Channel: "sms", Body: "hi"},
			convo.Note{By: ana, Body: "a note"})
		require.NoError(t, err)
		marks := `[{"deadline":"later","result":"postponed","since":"2026-01-02T03:04:05Z",` +
			`"target":"delight","why":{"vip":true}}]`
		for _, change := range []string{
			"UPDATE convo_events SET kind = 'conversation_snoozed' WHERE kind = 'note_added'",
			"UPDATE convo_events SET marks = '" + marks + "', turn = 'bot', source = 'telepathy'",
			"UPDATE convo_conversations SET marks = '" + marks + "', opened_source = 'telepathy'",
		} {
			_, err := db.ExecContext(t.Context(), change)
			require.NoError(t, err)
		}
		s = migrated(t, db, e) // another process
		engine = enginesOn(t, s)[0]
		read := func() (kinds []convo.EventKind) {
			events, err := engine.Transcript(t.Context(),
				convo.ToConversation("acme", r.Conversation.ID), convo.EventCursor{}, 10)
			require.NoError(t, err)
			for _, event := range events {
				kinds = append(kinds, event.Kind)
			}
			return kinds
		}
		known := []convo.EventKind{convo.ConversationOpened, convo.MessageReceived, 0}
		assert.Equal(t, known, read())
		c, err := engine.Do(t.Context(), to, convo.Send{By: ana, Channel: "sms", Body: "Hello"})
		require.NoError(t, err)
		assert.Equal(t, convo.Source("telepathy"), c.Conversation.Cycle.OpenedSource)
		mark, ok := c.Conversation.Marks.Of("later")
		assert.True(t, ok)
		assert.Equal(t, convo.MarkResult("postponed"), mark.Result)
		assert.Equal(t, append(known, convo.MessageSent), read())
		_, err = engine.Do(t.Context(), to, convo.Close{By: ana})
		require.NoError(t, err)
		_, _, err = s.Rollup(t.Context(), 10)
		require.NoError(t, err)
	})
}
