package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"time"
)

func checkSQLite(ctx context.Context, s *Store) error {
	var mode, encoding string
	var timeout, secureDelete int
	if err := s.pragmas(ctx, map[string]any{
		"journal_mode": &mode, "encoding": &encoding, "busy_timeout": &timeout,
		"secure_delete": &secureDelete,
	}); err != nil {
		return err
	}
	switch {
	case mode != "wal" && mode != "memory":
		return fmt.Errorf("journal_mode is %q: set PRAGMA journal_mode = WAL, so that readers and "+
			"the writer do not wait for "+
			"each other", mode)
	case encoding != "UTF-8":
		return fmt.Errorf("encoding is %q: create the database with PRAGMA encoding = 'UTF-8'",
			encoding)
	case timeout < 1000:
		return fmt.Errorf("busy_timeout is %d ms: set PRAGMA busy_timeout on every connection, in "+
			"the DSN, to 1000 or more, so that a writer waits for another process; a cluster of "+
			"dqlite wants the dialect Dqlite", timeout)
	case secureDelete != 1:
		return errors.New("secure_delete is off: set PRAGMA secure_delete = ON on every " +
			"connection, in the DSN, so that what is redacted does not stay in the room it frees")
	case mode == "memory" && s.db.Stats().MaxOpenConnections != 1:
		return errors.New("a database in memory is another one on every connection: call " +
			"SetMaxOpenConns(1) and " +
			"SetConnMaxLifetime(0)")
	}
	if mode == "wal" {
		s.writer.patience = time.Duration(timeout) * time.Millisecond
	}
	return nil
}

// pragmas reads settings of SQLite's.
func (s *Store) pragmas(ctx context.Context, to map[string]any) error {
	for name, dest := range to {
		if err := s.db.QueryRowContext(ctx, "PRAGMA "+name).Scan(dest); err != nil {
			return err
		}
	}
	return nil
}

// inTransactionOfSQLite tries to begin one, which fails inside of another one. One that it begins
// is rolled back with the host's.
func inTransactionOfSQLite(ctx context.Context, tx *sql.Tx) bool {
	_, err := tx.ExecContext(ctx, "BEGIN")
	return codeOf(err) == "1" // SQLITE_ERROR
}

// OpenSQLite opens a SQLite file, or ":memory:", with a driver that the host has imported, such as
// "sqlite" of modernc.org/sqlite, and with the settings that a Store needs on every connection:
// write-ahead log, 10 seconds of patience with other processes, transactions that take the write
// lock at once, a commit that is on the disk when it returns (synchronous = FULL), and zeros where
// something was deleted or overwritten (secure_delete). What SQLite sorts, and what it notes to
// undo one of several commits that share a transaction, stays in memory (temp_store): a file would
// cost a quarter of what they take. Further pragmas come after those, such as "synchronous =
// NORMAL" for more speed: then the last commits may be lost in a power failure, though not in a
// crash of the process.
//
// Zeros are not everywhere: where SQLite has moved rows from one page to another, copies of what is
// redacted, erased or pruned later may stay in the file until VACUUM, and in the write-ahead log
// until PRAGMA wal_checkpoint(TRUNCATE) after that. docs/erasure.md has both.
func OpenSQLite(driverName, path string, pragmas ...string) (*sql.DB, error) {
	memory := path == ":memory:"
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate"
	named, err := sql.Open(driverName, dsn)
	if err != nil {
		return nil, err
	}
	defer named.Close()
	db := sql.OpenDB(&connector{named.Driver(), dsn, append([]string{
		"busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON",
		"temp_store = MEMORY",
	}, pragmas...)})
	if memory {
		db.SetMaxOpenConns(1)
	}
	return db, nil
}

// connector sets pragmas on every connection.
type connector struct {
	driver  driver.Driver
	dsn     string
	pragmas []string
}

func (c *connector) Driver() driver.Driver { return c.driver }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range c.pragmas {
		if err := pragma(ctx, conn, p); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("sqlstore: PRAGMA %s: %w", p, err)
		}
	}
	return conn, nil
}

func (c *connector) open(ctx context.Context) (driver.Conn, error) {
	if d, ok := c.driver.(driver.DriverContext); ok {
		o, err := d.OpenConnector(c.dsn)
		if err != nil {
			return nil, err
		}
		return o.Connect(ctx)
	}
	return c.driver.Open(c.dsn)
}

func pragma(ctx context.Context, conn driver.Conn, text string) error {
	e, ok := conn.(driver.ExecerContext)
	if !ok {
		return errors.New("the driver has no ExecContext: set the pragmas in its own way and " +
			"open the file yourself")
	}
	_, err := e.ExecContext(ctx, "PRAGMA "+text, nil)
	return err
}
