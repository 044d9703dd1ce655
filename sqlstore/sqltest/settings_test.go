package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// settings are those under which a store would not be right, and what Open says of them.
var settings = []struct {
	engine  testdb.Engine
	setting string
	says    string
}{
	{testdb.SQLite, "_pragma=journal_mode(DELETE)", "set PRAGMA journal_mode = WAL"},
	{testdb.SQLite, "_pragma=busy_timeout(0)", "set PRAGMA busy_timeout"},
	{testdb.SQLite, "_pragma=encoding('UTF-16')", "PRAGMA encoding = 'UTF-8'"},
	{testdb.SQLite, "_pragma=secure_delete(OFF)", "set PRAGMA secure_delete = ON"},
	{testdb.SQLite, "_pragma=secure_delete(FAST)", "set PRAGMA secure_delete = ON"},
	{testdb.PostgreSQL, "client_encoding=LATIN1", "both must be UTF8"},
	{testdb.MariaDB, "charset=latin1", "set charset=utf8mb4"},
	{testdb.MariaDB, "charset=utf8", "set charset=utf8mb4"},
	{testdb.MariaDB, "sql_mode='NO_ENGINE_SUBSTITUTION'", "add STRICT_TRANS_TABLES"},
	{testdb.MariaDB, "sql_mode=''", "add STRICT_TRANS_TABLES"},
	{testdb.MariaDB, "autocommit=0", "autocommit is off"},
}

func TestOpenSaysWhatIsWrongWithTheSettings(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		for _, s := range settings {
			if s.engine != e.Server() {
				continue
			}
			t.Run(s.setting, func(t *testing.T) {
				_, err := sqlstore.Config{DB: testdb.Open(t, e, s.setting),
					Dialect: dialects[e]}.Open(t.Context())
				require.ErrorContains(t, err, s.says)
				require.ErrorContains(t, err, dialects[e].String())
			})
		}
	})
}

// F11: the lock of migrations has no name without a database.
func TestADSNWithoutADatabaseIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			t.Skip("the other engines always have one")
		}
		d := testdb.Create(t, e)
		config, err := mysql.ParseDSN(d.DSN)
		require.NoError(t, err)
		config.DBName = ""
		db, err := sql.Open(d.Driver, config.FormatDSN())
		require.NoError(t, err)
		defer db.Close()
		c := sqlstore.Config{DB: db, Dialect: dialects[e]}
		require.ErrorContains(t, c.Migrate(t.Context()), "the DSN names no database")
		_, err = c.Open(t.Context())
		require.ErrorContains(t, err, "the DSN names no database")
	})
}

// F12: what a policy allows may be more than the server takes.
func TestAMessageLargerThanTheServersPacketIsRefusedByName(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		policy := convo.Policy{
			MaxBody: convo.MaxTextLimit, MaxSummary: convo.MaxTextLimit,
			MaxAttachments: convo.MaxTextLimit,
		}
		engine, err := convo.New(s, convo.WithPolicy(policy))
		require.NoError(t, err)
		large := strings.Repeat("x", convo.MaxTextLimit)
		attachments := json.RawMessage(`["` + strings.Repeat("x", convo.MaxTextLimit-4) + `"]`)
		to := convo.ToContact(acme, "riya")
		_, err = engine.Do(t.Context(), to, convo.Open{By: ana})
		require.NoError(t, err)
		for name, cmds := range map[string]convo.Commands{
			"a body":          {convo.Receive{Body: large, Key: "a"}},
			"attachments":     {convo.Send{By: ana, Attachments: attachments}},
			"a summary":       {convo.Close{By: ana, Summary: large}, convo.Open{By: ana}},
			"the first":       {convo.Close{By: ana}, convo.Open{By: ana}, convo.Note{By: ana, Body: large}},
			"two, each large": {convo.Note{By: ana, Body: large[:9<<20]}, convo.Note{By: ana, Body: large[:9<<20]}},
		} {
			before, err := engine.Conversation(t.Context(), to)
			require.NoError(t, err)
			_, err = engine.Do(t.Context(), to, cmds...)
			if e.Server() != testdb.MariaDB || name == "two, each large" {
				require.NoError(t, err, name)
				continue
			}
			var invalid *convo.ValidationError
			require.ErrorAs(t, err, &invalid, name)
			require.ErrorContains(t, err, "max_allowed_packet", name)
			after, err := engine.Conversation(t.Context(), to)
			require.NoError(t, err)
			require.Equal(t, before, after, "%s: nothing was written", name)
		}
		if e.Server() == testdb.MariaDB {
			var packet int
			require.NoError(t, db.QueryRow("SELECT @@max_allowed_packet").Scan(&packet))
			require.Equal(t, 16<<20, packet, "the server's default")
		}
	})
}

func TestADatabaseInMemoryIsRefusedOnSeveralConnections(t *testing.T) {
	db, err := sql.Open("sqlite", "file::memory:?_pragma=busy_timeout(10000)&_pragma=secure_delete(ON)")
	require.NoError(t, err)
	defer db.Close()
	for _, n := range []int{0, 2} {
		db.SetMaxOpenConns(n)
		_, err = sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}.Open(t.Context())
		require.ErrorContains(t, err, "SetMaxOpenConns(1)")
	}
	db.SetMaxOpenConns(1)
	works(t, migrated(t, db, testdb.SQLite), "hi")
}

// A server keeps texts as it gets them in a database of encoding SQL_ASCII, and then cannot tell
// characters.
func TestAPostgresDatabaseThatIsNotUTF8IsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e != testdb.PostgreSQL {
			return
		}
		admin := testdb.Create(t, e)
		u, err := url.Parse(admin.DSN)
		require.NoError(t, err)
		name := strings.TrimPrefix(u.Path, "/") + "_ascii"
		db := admin.Open(t)
		drop := func() {
			_, err := db.ExecContext(context.WithoutCancel(t.Context()),
				"DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			require.NoError(t, err)
		}
		drop() // what a killed test may have left
		_, err = db.ExecContext(t.Context(),
			"CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' "+
				"LC_CTYPE 'C'")
		require.NoError(t, err)
		defer drop()
		u.Path = "/" + name
		d := testdb.Database{Engine: e, Driver: admin.Driver,
			DSN: u.String()}.With("client_encoding=UTF8")
		ascii, err := sql.Open(d.Driver, d.DSN)
		require.NoError(t, err)
		defer ascii.Close()
		_, err = sqlstore.Config{DB: ascii, Dialect: sqlstore.PostgreSQL}.Open(t.Context())
		require.ErrorContains(t, err, "server_encoding is SQL_ASCII")
	})
}

func TestOpenSQLiteOpensAnyPathWithItsSettings(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"a b.db", "100%.db", "a%20b.db", "what?.db", "a?mode=memory&b=c.db", "#1.db", "ü 😀.db", "a+b;c.db", "a:b.db", `'"\.db`, "vfs=x",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			db, err := sqlstore.OpenSQLite("sqlite", path)
			require.NoError(t, err)
			works(t, migrated(t, db, testdb.SQLite), "hi")
			require.NoError(t, db.Close())
			_, err = os.Stat(path)
			require.NoError(t, err)
		})
	}
	db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(dir, "pragmas.db"))
	require.NoError(t, err)
	defer db.Close()
	var conns []*sql.Conn
	for range 3 {
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer c.Close()
		conns = append(conns, c)
	}
	for _, c := range conns {
		require.Equal(t, "10000 wal 2 2", pragmas(t, c))
	}
}

func pragmas(t *testing.T, c *sql.Conn) string {
	t.Helper()
	var timeout, synchronous, temp int
	var mode string
	require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout))
	require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode))
	require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&synchronous))
	require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA temp_store").Scan(&temp))
	return fmt.Sprint(timeout, " ", mode, " ", synchronous, " ", temp)
}

func TestOpenSQLiteTakesFurtherPragmasAndTheWriteLockAtOnce(t *testing.T) {
	db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(t.TempDir(), "a.db"), "synchronous = NORMAL", "busy_timeout = 0")
	require.NoError(t, err)
	defer db.Close()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.Equal(t, "0 wal 1 2", pragmas(t, c))
	require.NoError(t, c.Close())
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = db.BeginTx(t.Context(), nil)
	require.ErrorContains(t, err, "locked", "while another transaction has the lock, though it wrote nothing")
	require.NoError(t, tx.Rollback())
}

func TestOpenSQLiteInMemoryKeepsOneConnection(t *testing.T) {
	db, err := sqlstore.OpenSQLite("sqlite", ":memory:")
	require.NoError(t, err)
	defer db.Close()
	require.Equal(t, 1, db.Stats().MaxOpenConnections)
	works(t, migrated(t, db, testdb.SQLite), "hi")
	_, err = os.Stat(":memory:")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestOpenSQLiteSaysWhatIsWrong(t *testing.T) {
	_, err := sqlstore.OpenSQLite("no such driver", "a.db")
	require.ErrorContains(t, err, "no such driver")
	for path, pragma := range map[string]string{
		filepath.Join(t.TempDir(), "a.db"):           "synchronous = = OFF",
		filepath.Join(t.TempDir(), "no folder/a.db"): "synchronous = OFF",
	} {
		db, err := sqlstore.OpenSQLite("sqlite", path, pragma)
		require.NoError(t, err)
		require.Error(t, db.PingContext(t.Context()))
		require.NoError(t, db.Close())
	}
}
