package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

// engine is a database to measure on: convo's tables and the floors' side by side.
type engine struct {
	name    string // in the tables
	id      string // in the lines for benchstat
	dialect sqlstore.Dialect
	server  string // host:port; empty for SQLite
	// connections is how many a pool may have: more than callers, who would else wait for each
	// other there.
	connections int
	// open opens a pool on the database at server, or on a proxy in front of it; settings are those
	// of the DSN.
	open  func(server string, settings ...string) (*sql.DB, error)
	drop  func() error
	words []string // of the floors' schema
	// process asks for the server's process, by its number or a file with it; pid is the answer.
	process, pid string
	mark         func(string) string
	floors       []floor
}

// floor is a way to do the job by hand.
type floor struct {
	name     string
	settings []string
	// make returns a desk, a lister, or both.
	make func(ctx context.Context, db *sql.DB) (any, error)
}

// The names of the floors, in the tables and in the lines for benchstat.
const (
	oneTransaction = "transaction" // as tx5, without a network
	tx5            = "tx5"         // begin, find, update, insert, commit
	readCTE        = "CTE"         // a read and one statement
	readBlock      = "block"
	fairFloor      = "fair"
	firstInsert    = "insert-first"
	handList       = "hand"
)

func unmarked(s string) string { return s }

// unpeeked keeps SQLite, once there are statistics, from planning a statement again for every value
// that it is given.
func unpeeked(s string) string { return strings.ReplaceAll(s, "?", "+?") }

// numbered has placeholders as PostgreSQL wants them.
func numbered(s string) string {
	for n := 1; strings.Contains(s, "?"); n++ {
		s = strings.Replace(s, "?", "$"+strconv.Itoa(n), 1)
	}
	return s
}

// newSQLite makes a file in dir; synchronous is NORMAL or FULL.
func newSQLite(dir, synchronous string) (*engine, error) {
	dir, err := os.MkdirTemp(dir, "convo-bench-")
	if err != nil {
		return nil, err
	}
	return &engine{
		name:    "SQLite " + synchronous,
		id:      "sqlite-" + strings.ToLower(synchronous),
		dialect: sqlstore.SQLite, connections: 72,
		open: func(string, ...string) (*sql.DB, error) {
			return sqlstore.OpenSQLite("sqlite", filepath.Join(dir, "bench.db"),
				"synchronous = "+synchronous)
		},
		drop: func() error { return os.RemoveAll(dir) },
		words: []string{
			"{id}", "BLOB", "{text}", "TEXT", "{body}", "TEXT", "{table}", "", "{events}",
			" WITHOUT ROWID",
			"{given}", " WHERE external_id IS NOT NULL", "{held}", " WHERE slot IS NOT NULL",
		},
		mark: unpeeked,
		floors: []floor{
			{name: oneTransaction, make: func(ctx context.Context, db *sql.DB) (any, error) {
				return newTransactions(ctx, db, idBytes, &sync.Mutex{}, "", "INSERT",
					" ON CONFLICT DO NOTHING", unpeeked)
			}},
			{name: fairFloor, make: newFairSQLite},
		},
	}, nil
}

func newPostgres(ctx context.Context, _ *options, dsn string) (*engine, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("CONVO_POSTGRES_DSN is not of the form " +
			"postgres://user@host:port/database")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "5432")
	}
	name := "convo_bench_" + strings.ToLower(rand.Text())
	drop, err := create(ctx, "pgx", dsn,
		"CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'",
		"DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	return &engine{
		name: "PostgreSQL", id: "postgresql",
		dialect: sqlstore.PostgreSQL,
		server:  u.Host, connections: 40,
		open: func(server string, _ ...string) (*sql.DB, error) {
			to := *u
			to.Host, to.Path = server, "/"+name
			return sql.Open("pgx", to.String())
		},
		drop: drop,
		process: "SELECT setting || '/postmaster.pid' FROM pg_settings " +
			"WHERE name = 'data_directory'",
		words: []string{
			"{id}", "UUID", "{text}", `TEXT COLLATE "C"`, "{body}", "TEXT", "{table}",
			" WITH (fillfactor = 80)", "{events}", "",
			"{given}", " WHERE external_id IS NOT NULL", "{held}", " WHERE slot IS NOT NULL",
		},
		mark: numbered,
		floors: []floor{
			{name: tx5, make: func(ctx context.Context, db *sql.DB) (any, error) {
				return newTransactions(ctx, db, idText, nil, " FOR UPDATE", "INSERT",
					" ON CONFLICT DO NOTHING", numbered)
			}},
			{name: readCTE, make: func(ctx context.Context, db *sql.DB) (any,
				error) {
				return newCTE(ctx, db)
			}},
			{name: fairFloor, make: newFairPostgres},
		},
	}, err
}

func newMariaDB(ctx context.Context, _ *options, dsn string) (*engine, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("CONVO_MARIADB_DSN: %w", err)
	}
	name := "convo_bench_" + strings.ToLower(rand.Text())
	drop, err := create(ctx, "mysql", dsn, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4",
		"DROP DATABASE IF EXISTS "+name)
	// At the default level, FOR UPDATE on what is not there yet locks a gap, and every opening
	// deadlocks with every other one.
	settings := []string{"tx_isolation='READ-COMMITTED'"}
	transactions := func(ctx context.Context, db *sql.DB) (*transactions, error) {
		return newTransactions(ctx, db, idBytes, nil, " FOR UPDATE", "INSERT IGNORE", "", unmarked)
	}
	return &engine{
		name: "MariaDB", id: "mariadb",
		dialect: sqlstore.MariaDB,
		server:  c.Addr, connections: 40,
		open: func(server string, settings ...string) (*sql.DB, error) {
			to := c.Clone()
			to.Addr, to.DBName = server, name
			for _, s := range settings {
				key, value, _ := strings.Cut(s, "=")
				if to.Params == nil {
					to.Params = map[string]string{}
				}
				to.Params[key] = value
			}
			return sql.Open("mysql", to.FormatDSN())
		},
		drop:    drop,
		process: "SELECT @@pid_file",
		words: []string{
			"{id}", "BINARY(16)", "{text}", "VARBINARY(255)", "{body}", "LONGTEXT", "{table}", "",
			"{events}", "", "{given}", "", "{held}", "",
		},
		mark: unmarked,
		floors: []floor{
			{tx5, settings, func(ctx context.Context, db *sql.DB) (any,
				error) {
				return transactions(ctx, db)
			}},
			{readBlock, settings, func(ctx context.Context, db *sql.DB) (any,
				error) {
				return newBlock(ctx, db)
			}},
			{fairFloor, settings, newFairMariaDB},
			{firstInsert, settings, func(ctx context.Context, db *sql.DB) (any, error) {
				t, err := transactions(ctx, db)
				if err != nil {
					return nil, err
				}
				return newInsertFirst(ctx, t)
			}},
		},
	}, err
}

// create makes a database, and returns what drops it.
func create(ctx context.Context, driver, dsn, create, drop string) (func() error, error) {
	admin, err := sql.Open(driver, dsn)
	if err == nil {
		_, err = admin.ExecContext(ctx, create)
	}
	return func() error {
		if admin == nil {
			return nil
		}
		_, err := admin.ExecContext(context.WithoutCancel(ctx), drop)
		return errors.Join(err, admin.Close())
	}, err
}

// desk does the job.
type desk interface {
	// Receive records a message of a contact, and opens a conversation if none is active. An
	// externalID, if given, is recorded once.
	Receive(ctx context.Context, contact, externalID string) error
	// Close closes the active conversation of a contact.
	Close(ctx context.Context, contact string) error
}

type lister interface {
	Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error)
}

// What the messages and closings say.
const (
	workspace = "acme"
	channel   = "whatsapp"
	body      = "My order 4711 arrived broken, what can I do about it now?"
	agent     = "ana"
	category  = "Support"
	summary   = "Issue resolved: replaced item 4711, and a coupon for the trouble."
)

var errNotActive = errors.New("no active conversation")

// byConvo does it with convo.
type byConvo struct {
	*convo.Engine
	db    *sql.DB
	store *sqlstore.Store
}

func newConvo(ctx context.Context, db *sql.DB, d sqlstore.Dialect, outbox bool) (byConvo,
	error) {
	s, err := sqlstore.Config{DB: db, Dialect: d, Outbox: outbox}.Open(ctx)
	if err != nil {
		return byConvo{}, err
	}
	e, err := convo.New(s)
	return byConvo{e, db, s}, err
}

func (b byConvo) Receive(ctx context.Context, contact, externalID string) error {
	_, err := b.Do(ctx, convo.ToContact(workspace, contact),
		convo.Receive{Channel: channel, ExternalID: externalID, Body: body})
	return err
}

// ReceiveWithin is Receive in a transaction of the host's.
func (b byConvo) ReceiveWithin(ctx context.Context, contact string) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = b.With(b.store.WithTx(tx)).Do(ctx, convo.ToContact(workspace, contact),
		convo.Receive{Channel: channel, Body: body})
	if err != nil {
		return err
	}
	return tx.Commit()
}

func (b byConvo) Close(ctx context.Context, contact string) error {
	_, err := b.Do(ctx, convo.ToContact(workspace, contact),
		convo.Close{By: convo.ByUser(agent), Category: category, Summary: summary})
	return err
}

// filled opens a pool on the database, fills it with n conversations, and finds the server's
// process. The pool is the caller's to close, also after an error.
func (e *engine) filled(ctx context.Context, n int) (*sql.DB, error) {
	db, err := e.open(e.server)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(e.connections)
	db.SetMaxIdleConns(e.connections)
	if err = e.fill(ctx, db, n); err == nil && e.process != "" {
		e.pid, err = serverProcess(ctx, db, e.process)
	}
	return db, err
}
