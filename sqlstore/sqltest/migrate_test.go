package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// schemaOf is what the database's catalog says of tables and indexes.
func schemaOf(t *testing.T, db *sql.DB, e testdb.Engine) []string {
	t.Helper()
	query := map[testdb.Engine]string{
		testdb.SQLite: "SELECT coalesce(sql, name) FROM sqlite_master WHERE tbl_name <> " +
			"'sqlite_sequence'",
		testdb.PostgreSQL: `SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable)
			FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'`,
		testdb.MariaDB: `SELECT concat_ws(' ', table_name, column_name, column_type, is_nullable, column_key)
			FROM information_schema.columns WHERE table_schema = database()
			UNION ALL SELECT concat_ws(' ', index_name, table_name, seq_in_index, column_name, non_unique)
			FROM information_schema.statistics WHERE table_schema = database()`,
	}[e.Server()]
	return texts(t, db, query)
}

func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		all = append(all, text)
	}
	require.NoError(t, rows.Err())
	slices.Sort(all)
	return all
}

// tables are those of the schema, without the table of versions.
func tables(t *testing.T, db *sql.DB, e testdb.Engine) []string {
	t.Helper()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = "
	query = map[testdb.Engine]string{
		testdb.SQLite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE " +
			"'sqlite%'",
		testdb.PostgreSQL: query + "'public'",
		testdb.MariaDB:    query + "database()",
	}[e.Server()]
	return slices.DeleteFunc(texts(t, db, query),
		func(name string) bool { return strings.HasSuffix(name, "schema") })
}

// works demands that a store can be used.
func works(t *testing.T, s *sqlstore.Store, body string) {
	t.Helper()
	e := enginesOn(t, s)[0]
	r, err := e.Do(t.Context(), convo.ToAddress("acme", "sms", "1"),
		convo.Receive{ExternalID: "1", Body: body})
	require.NoError(t, err)
	require.Equal(t, convo.OutcomeOpened, r.Outcome)
	require.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
}

func TestASchemaGoesUpAndDownAndUpAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		db.SetMaxOpenConns(1) // a second one would be waited for until the end
		ctx, cancel := soon(t)
		defer cancel()
		var first []string
		for round := range 2 {
			require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.Migrate(ctx))
			now := schemaOf(t, db, e)
			require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.Migrate(ctx),
				"again, with nothing to do")
			require.Equal(t, now, schemaOf(t, db, e))
			if round == 0 {
				first = now
			}
			require.Equal(t, first, now)
			s, err := sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(ctx)
			require.NoError(t, err)
			works(t, s, "hi")
			require.NoError(t, s.Close())
			require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.Migrate(ctx),
				"with data in it")
			require.Len(t, texts(t, db, "SELECT body FROM convo_events WHERE body IS NOT NULL"), 1)

			require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.MigrateTo(ctx, 0))
			require.Empty(t, tables(t, db, e))
			_, err = sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(ctx)
			require.ErrorContains(t, err, "run Config.Migrate")
		}
	})
}

func TestOpenSaysWhatIsWrongWithTheSchema(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		_, err := sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(t.Context())
		require.ErrorContains(t, err, "run Config.Migrate")

		require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.Migrate(t.Context()))
		_, err = sqlstore.Config{DB: db, Dialect: dialects[e], Prefix: "other_"}.Open(t.Context())
		require.ErrorContains(t, err, `no schema with the prefix "other_"`)

	})
}

func TestArgumentsThatCannotBeAreRefused(t *testing.T) {
	db := testdb.Open(t, testdb.SQLite)
	refused := func(field string, err error) {
		t.Helper()
		var v *convo.ValidationError
		require.ErrorAs(t, err, &v)
		require.Equal(t, field, v.Field)
	}
	for _, prefix := range []string{
		"1st_", "Convo_", "con-vo", "con vo", "convo;", "çonvo_", "a.b", `"`, "convo_\n",
		strings.Repeat("x", 33),
	} {
		config := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite, Prefix: prefix}
		refused("prefix", config.Migrate(t.Context()))
		_, err := config.Open(t.Context())
		refused("prefix", err)
		_, err = config.Migrations()
		refused("prefix", err)
	}
	for _, d := range []sqlstore.Dialect{0, 6, -1} {
		config := sqlstore.Config{DB: db, Dialect: d}
		refused("dialect", config.Migrate(t.Context()))
		_, err := config.Open(t.Context())
		refused("dialect", err)
		_, err = config.Migrations()
		refused("dialect", err)
	}
	refused("version", sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}.MigrateTo(t.Context(), -1))
	refused("version", sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}.MigrateTo(t.Context(), 4))
	config := sqlstore.Config{Dialect: sqlstore.SQLite}
	_, err := config.Open(t.Context())
	refused("db", err)
	refused("db", config.Migrate(t.Context()))
	require.Empty(t, tables(t, db, testdb.SQLite))
}

func TestTwoPrefixesInOneDatabaseAreApart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		long := "a_" + strings.Repeat("x", 30)
		a, b := migrated(t, db, e, "a_"), migrated(t, db, e, long)
		works(t, a, "to a")
		works(t, b, "to b") // where the message, its contact and its address are new
		require.Equal(t, []string{"to a"}, texts(t, db, "SELECT body FROM a_events WHERE body IS NOT NULL"))
		require.Len(t, tables(t, db, e), 40)
		c := sqlstore.Config{DB: db, Dialect: dialects[e], Prefix: long}
		require.NoError(t, c.MigrateTo(t.Context(), 0))
		require.Len(t, tables(t, db, e), 20)
		r, err := enginesOn(t, a)[0].Do(t.Context(), convo.ToAddress("acme", "sms", "1"), convo.Receive{Body: "again"})
		require.NoError(t, err)
		require.Equal(t, convo.OutcomeRecorded, r.Outcome)
	})
}

// migrators is how many migrate an empty database at once.
const migrators = 8

// TestMigratesAsAProcessOfItsOwn is what the processes of TestProcessesThatStartAtOnceMigrateOnce
// run.
func TestMigratesAsAProcessOfItsOwn(t *testing.T) {
	e := testdb.Engine(os.Getenv("CONVO_TEST_MIGRATE"))
	if e == "" {
		return
	}
	db, err := sql.Open(os.Getenv("CONVO_TEST_DRIVER"), os.Getenv("CONVO_TEST_DSN"))
	require.NoError(t, err)
	defer db.Close()
	_, _ = fmt.Fprintln(os.Stderr, "ready")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until all are ready
	require.NoError(t, sqlstore.Config{DB: db, Dialect: dialects[e]}.Migrate(t.Context()))
	_, err = sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(t.Context())
	require.NoError(t, err)
}

func TestProcessesThatStartAtOnceMigrateOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		d := testdb.Create(t, e)
		var all sync.WaitGroup
		start, release, err := os.Pipe()
		require.NoError(t, err)
		defer start.Close()
		for range migrators {
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMigratesAsAProcessOfItsOwn$")
			c.Env = append(os.Environ(), "CONVO_TEST_MIGRATE="+string(e), "CONVO_TEST_DRIVER="+d.Driver, "CONVO_TEST_DSN="+d.DSN)
			c.Stdin = start // which all of them read to its end
			stderr, err := c.StderrPipe()
			require.NoError(t, err)
			var out strings.Builder
			c.Stdout = &out
			require.NoError(t, c.Start())
			_, err = stderr.Read(make([]byte, len("ready\n")))
			require.NoError(t, err)
			all.Go(func() { assert.NoError(t, c.Wait(), &out) })
		}
		require.NoError(t, release.Close())
		all.Wait()
		rightSchema(t, d.Open(t), e)
	})
}

// rightSchema demands the schema that one migration makes.
func rightSchema(t *testing.T, db *sql.DB, e testdb.Engine) {
	t.Helper()
	other := testdb.Open(t, e)
	require.NoError(t, sqlstore.Config{DB: other, Dialect: dialects[e]}.Migrate(t.Context()))
	require.Equal(t, schemaOf(t, other, e), schemaOf(t, db, e))
	s, err := sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(t.Context())
	require.NoError(t, err)
	defer s.Close()
	works(t, s, "hi")
}

func TestGoroutinesMigrateOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		var all sync.WaitGroup
		for range migrators {
			all.Go(func() {
				c := sqlstore.Config{DB: db, Dialect: dialects[e]}
				assert.NoError(t, c.Migrate(t.Context()))
			})
		}
		all.Wait()
		rightSchema(t, db, e)
	})
}

// plain are goose's own names of the dialects.
var plain = map[testdb.Engine]goose.Dialect{
	testdb.SQLite: goose.DialectSQLite3, testdb.PostgreSQL: goose.DialectPostgres,
	testdb.MariaDB: goose.DialectMySQL,
}

func TestAHostMayRunTheMigrationsByAToolOfItsOwn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		config := sqlstore.Config{DB: db, Dialect: dialects[e], Prefix: "host_"}
		files, err := config.Migrations()
		require.NoError(t, err)
		p, err := goose.NewProvider(plain[e.Server()], db, files,
			goose.WithTableName("host_schema"), goose.WithDisableGlobalRegistry(true))
		require.NoError(t, err)
		_, err = p.Up(t.Context())
		require.NoError(t, err)
		s, err := config.Open(t.Context())
		require.NoError(t, err)
		defer s.Close()
		works(t, s, "hi")
		require.NoError(t, config.Migrate(t.Context()), "goes on with what the tool began")
		_, err = p.DownTo(t.Context(), 0)
		require.NoError(t, err)
		require.Empty(t, tables(t, db, e))
	})
}

// What cannot succeed is not tried again: nobody here ever lets go of a file that cannot be opened.
func TestAFileThatCannotBeOpenedIsToldAtOnce(t *testing.T) {
	db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(t.TempDir(), "no such folder", "convo.sqlite"))
	require.NoError(t, err)
	defer db.Close()
	ctx := &counted{Context: t.Context()}
	require.ErrorContains(t, sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}.Migrate(ctx), "unable to open")
	assert.Less(t, ctx.tries, 2, "looks at the context between two tries")
}

// counted counts how often it was waited for.
type counted struct {
	context.Context
	tries int
}

func (c *counted) Err() error {
	c.tries++
	return c.Context.Err()
}
