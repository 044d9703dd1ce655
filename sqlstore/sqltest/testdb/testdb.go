// Package testdb opens empty databases of every engine that convo's SQL store speaks to, for tests.
// A server that the environment does not name is skipped: see scripts/engines, and make
// test-engines.
package testdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatlifecycle/convo/sqlstore"
)

// Engine is a database engine, by the name that its subtests have.
type Engine string

// The engines. SQLite is always there; the others are servers. MySQL is what is said to MySQL's
// servers, tried on MariaDB's. Dqlite is what is said to dqlite, tried on a SQLite file, but by
// scripts/dqlite; Each does not run it.
const (
	SQLite     Engine = "SQLite"
	PostgreSQL Engine = "PostgreSQL"
	MariaDB    Engine = "MariaDB"
	MySQL      Engine = "MySQL"
	Dqlite     Engine = "dqlite"
)

// Server is the engine whose server it is tried on: what a test itself says is in its words.
func (e Engine) Server() Engine {
	switch e {
	case MySQL:
		return MariaDB
	case Dqlite:
		return SQLite
	}
	return e
}

// variables name the environment's variables with the DSN of a server, whose user may create
// databases.
var variables = map[Engine]string{
	PostgreSQL: "CONVO_POSTGRES_DSN", MariaDB: "CONVO_MARIADB_DSN", MySQL: "CONVO_MARIADB_DSN",
}

// skipped names the variables with the reasons why engines are to be skipped, when they are: that
// SQLite was tested just before, or that MySQL is tested at night.
var skipped = map[Engine]string{SQLite: "CONVO_SKIP_SQLITE", MySQL: "CONVO_SKIP_MYSQL"}

// mysqlMode is MySQL's own sql_mode, which refuses more than MariaDB's.
const mysqlMode = "sql_mode='ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

// patience is how long a server may take to create an empty database, or to drop it.
const patience = time.Minute

// Each runs f as one subtest for each engine, and skips the servers that the environment does not
// name.
func Each(t *testing.T, f func(t *testing.T, e Engine)) {
	each(t, []Engine{SQLite, PostgreSQL, MariaDB, MySQL}, f)
}

// EachServer is Each for programs that are told a DSN and no dialect.
func EachServer(t *testing.T, f func(t *testing.T, e Engine)) {
	each(t, []Engine{SQLite, PostgreSQL, MariaDB}, f)
}

func each(t *testing.T, all []Engine, f func(t *testing.T, e Engine)) {
	for _, e := range all {
		t.Run(string(e), func(t *testing.T) {
			server(t, e)
			f(t, e)
		})
	}
}

// EachAtOnce is Each for long tests: the engines, and other such tests, run side by side.
func EachAtOnce(t *testing.T, f func(t *testing.T, e Engine)) {
	t.Parallel()
	Each(t, func(t *testing.T, e Engine) {
		t.Parallel()
		f(t, e)
	})
}

// server is the DSN of e's server, or the empty string for SQLite. It skips t if there should be
// one and is none.
func server(t testing.TB, e Engine) string {
	t.Helper()
	name, ok := variables[e]
	if !ok && e.Server() != SQLite {
		t.Fatalf("testdb: no engine %q", e)
	}
	dsn := os.Getenv(name)
	if reason := os.Getenv(skipped[e]); reason != "" {
		t.Skip(reason)
	}
	if ok && dsn == "" {
		t.Skipf("set %s, or run make test-engines", name)
	}
	return dsn
}

// Open opens a new empty database, which is gone with the test. For params see [Database.With].
func Open(t testing.TB, e Engine, params ...string) *sql.DB {
	t.Helper()
	return Create(t, e, params...).Open(t)
}

// Database says how an existing database is opened.
type Database struct {
	Engine Engine
	Driver string // for sql.Open
	DSN    string // for sql.Open
	Addr   string // host:port of its server; empty for SQLite
}

// Create makes a new empty database, which is gone with the test, and opens nothing. For params see
// [Database.With].
func Create(t testing.TB, e Engine, params ...string) Database {
	t.Helper()
	dsn := server(t, e)
	var d Database
	var err error
	switch e {
	case PostgreSQL:
		d, err = createPostgres(t, dsn)
	case MariaDB, MySQL:
		d, err = createMariaDB(t, e, dsn)
	case Dqlite:
		d, err = createDqlite(t)
	default:
		d = createSQLite(t)
	}
	if err != nil {
		t.Fatalf("testdb: a new database of %s: %v", e, err)
	}
	return d.With(params...)
}

// Open opens a pool of at most 40 connections, which is closed with the test.
func (d Database) Open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := d.Pool()
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	db.SetMaxOpenConns(40)
	db.SetMaxIdleConns(40)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("testdb: %v", err)
		}
	})
	return db
}

// Pool opens a pool as a host does, which the caller closes.
func (d Database) Pool() (*sql.DB, error) {
	if d.Engine == Dqlite {
		return sqlstore.OpenDqlite(d.Driver, d.DSN)
	}
	return sql.Open(d.Driver, d.DSN)
}

// With is the same database with other parameters of its DSN, each key=value, written as the engine
// wants to read it and not escaped for a DSN: default_transaction_isolation=serializable,
// tx_isolation='SERIALIZABLE', or _pragma=synchronous(FULL). A parameter takes the place of one
// with the same key, and a pragma of one with the same name.
func (d Database) With(params ...string) Database {
	if len(params) == 0 {
		return d
	}
	if d.Engine.Server() == MariaDB {
		return d.mariadb(func(c *mysql.Config) {
			if c.Params == nil {
				c.Params = map[string]string{}
			}
			for _, p := range params {
				key, value := cut(p)
				c.Params[key] = value
			}
		})
	}
	base, query, _ := strings.Cut(d.DSN, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	for _, p := range params {
		key, value := cut(p)
		if key != "_pragma" {
			values.Set(key, value)
			continue
		}
		// The driver sorts pragmas before it runs them, so that the last one need not win.
		name, _, _ := strings.Cut(value, "(")
		kept := []string{value}
		for _, v := range values[key] {
			if !strings.HasPrefix(v, name+"(") {
				kept = append(kept, v)
			}
		}
		values[key] = kept
	}
	// Not every driver takes a plus for a space: pgx does not any more.
	d.DSN = base + "?" + strings.ReplaceAll(values.Encode(), "+", "%20")
	return d
}

// Via is the same database, reached through another host:port that leads to its server. SQLite has
// no server.
func (d Database) Via(addr string) Database {
	switch d.Engine {
	case PostgreSQL:
		u, err := url.Parse(d.DSN)
		if err != nil {
			panic(err)
		}
		u.Host = addr
		d.DSN = u.String()
	case MariaDB, MySQL:
		d = d.mariadb(func(c *mysql.Config) { c.Addr = addr })
	default:
		return d
	}
	d.Addr = addr
	return d
}

func (d Database) mariadb(change func(*mysql.Config)) Database {
	c, err := mysql.ParseDSN(d.DSN)
	if err != nil {
		panic(err)
	}
	change(c)
	d.DSN = c.FormatDSN()
	return d
}

func cut(param string) (key, value string) {
	key, value, ok := strings.Cut(param, "=")
	if !ok {
		panic(fmt.Sprintf("testdb: parameter %q is not key=value", param))
	}
	return key, value
}

func createSQLite(t testing.TB) Database {
	path := &url.URL{Path: filepath.Join(t.TempDir(), "convo.db")}
	return Database{Engine: SQLite, Driver: "sqlite", DSN: "file:" + path.EscapedPath() + "?" +
		url.Values{
			"_pragma": {"journal_mode(WAL)", "busy_timeout(10000)", "synchronous(NORMAL)",
				"secure_delete(ON)",
				"foreign_keys(1)"},
			"_txlock": {"immediate"},
		}.Encode()}
}

func createMariaDB(t testing.TB, e Engine, dsn string) (Database, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return Database{}, fmt.Errorf("%s: %w", variables[e], err)
	}
	admin, err := sql.Open("mysql", dsn)
	if err != nil {
		return Database{}, err
	}
	c.DBName = "convo_test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		if err := errors.Join(dropMariaDB(admin, c.DBName), admin.Close()); err != nil {
			t.Errorf("testdb: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// The collation stays MariaDB's own, which takes "a" for "A": a schema that must not do so has
	// to say so.
	_, err = admin.ExecContext(ctx, "CREATE DATABASE "+c.DBName+" CHARACTER SET utf8mb4")
	d := Database{Engine: e, Driver: "mysql", DSN: c.FormatDSN(), Addr: c.Addr}
	if e == MySQL {
		d.Driver = onlyMySQL
		d = d.With(mysqlMode)
	}
	return d, err
}

// dropMariaDB first ends the sessions in the database: with a transaction open they would hold its
// tables.
func dropMariaDB(admin *sql.DB, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var ids sql.NullString
	if err := admin.QueryRowContext(ctx,
		"SELECT GROUP_CONCAT(id) FROM information_schema.processlist WHERE db = ?",
		name).Scan(&ids); err != nil {
		return err
	}
	if ids.Valid {
		for id := range strings.SplitSeq(ids.String, ",") {
			_, _ = admin.ExecContext(ctx, "KILL "+id) // fails for one that has just ended
		}
	}
	_, err := admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name)
	return err
}
