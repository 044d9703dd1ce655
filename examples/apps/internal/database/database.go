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
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
)

// Usage says what Open takes, for the --db flag of an example.
const Usage = "keep everything in this `database`: the path of a SQLite file, " +
	"postgres://user@host/db, or " +
	"user@tcp(host:port)/db for MariaDB; it is created or brought up to date as needed (default: " +
	"in memory, gone at the end)"

// Store is what all stores of this module do.
type Store interface {
	convo.IdentityIndex
	report.Store
}

// Open opens a store, and brings its schema up to date. close gives back what it holds.
func Open(ctx context.Context, name string) (store Store, close func() error, err error) {
	var db *sql.DB
	dialect := sqlstore.SQLite
	switch {
	case name == "":
		return memstore.New(), func() error { return nil }, nil
	case strings.HasPrefix(name, "postgres://"), strings.HasPrefix(name, "postgresql://"):
		dialect = sqlstore.PostgreSQL
		db, err = sql.Open("pgx", name)
	case strings.Contains(name, "@tcp("), strings.Contains(name, "@unix("):
		dialect = sqlstore.MariaDB
		db, err = sql.Open("mysql", name)
	default:
		if err = private(name); err == nil {
			db, err = sqlstore.OpenSQLite("sqlite", name)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	config := sqlstore.Config{DB: db, Dialect: dialect}
	if err = config.Migrate(ctx); err == nil {
		store, err = config.Open(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	return store, db.Close, nil
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
