// Package database opens the store that an example is told to use.
package database

import (
	"context"
	"database/sql"
	"os"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
)

// Kinds says what names a database.
const Kinds = "the path of a SQLite file, postgres://user@host/db, or user@tcp(host:port)/db for " +
	"MariaDB"

// Usage says what Open takes, for the --db flag of an example.
const Usage = "keep everything in this `database`: " + Kinds +
	"; it is created or brought up to date as needed (default: in memory, gone at the end)"

// Store is what all stores of this module do.
type Store interface {
	convo.IdentityIndex
	report.Store
}

// Feeding is a store that keeps a feed.
type Feeding interface {
	Store
	relay.Store
	relay.FeedStore
}

// Open opens a store, and brings its schema up to date. close gives back what it holds. The pragmas
// are for SQLite.
func Open(ctx context.Context, name string, pragmas ...string) (
	store Store, close func() error, err error,
) {
	return open(ctx, name, false, pragmas...)
}

// OpenFeeding is Open for a store with a feed, which a relay is to fill.
func OpenFeeding(ctx context.Context, name string) (
	store Feeding, close func() error, err error,
) {
	return open(ctx, name, true)
}

func open(ctx context.Context, name string, feed bool, pragmas ...string) (
	store Feeding, close func() error, err error,
) {
	if name == "" {
		var opts []memstore.Option
		if feed {
			opts = append(opts, memstore.WithFeed())
		}
		return memstore.New(opts...), func() error { return nil }, nil
	}
	dialect := dialectOf(name)
	if dialect == sqlstore.SQLite {
		if err := private(name); err != nil {
			return nil, nil, err
		}
	}
	db, err := connect(dialect, name, pragmas...)
	if err != nil {
		return nil, nil, err
	}
	config := sqlstore.Config{DB: db, Dialect: dialect, Feed: feed}
	if err = config.Migrate(ctx); err == nil {
		store, err = config.Open(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	return store, db.Close, nil
}

// IsFile reports whether the name is that of a SQLite file.
func IsFile(name string) bool { return dialectOf(name) == sqlstore.SQLite }

func dialectOf(name string) sqlstore.Dialect {
	switch {
	case strings.HasPrefix(name, "postgres://"), strings.HasPrefix(name, "postgresql://"):
		return sqlstore.PostgreSQL
	case strings.Contains(name, "@tcp("), strings.Contains(name, "@unix("):
		return sqlstore.MariaDB
	}
	return sqlstore.SQLite
}

func connect(d sqlstore.Dialect, name string, pragmas ...string) (*sql.DB, error) {
	switch d {
	case sqlstore.PostgreSQL:
		return sql.Open("pgx", name)
	case sqlstore.MariaDB:
		return sql.Open("mysql", name)
	}
	return sqlstore.OpenSQLite("sqlite", name, pragmas...)
}

// private makes the file of a database for its owner's eyes only, if there is none yet: SQLite
// would let everybody read what customers wrote. The files beside it get the mode of this one.
func private(name string) error {
	if name == ":memory:" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
