package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"
)

// patienceOfDqlite is how long a writer waits while another process writes: as long as with
// OpenSQLite. dqlite has no timeout of its own.
const patienceOfDqlite = 10 * time.Second

func checkDqlite(ctx context.Context, s *Store) error {
	var encoding string
	var timeout, secureDelete int
	if err := s.pragmas(ctx, map[string]any{
		"encoding": &encoding, "busy_timeout": &timeout, "secure_delete": &secureDelete,
	}); err != nil {
		return err
	}
	switch {
	case encoding != "UTF-8":
		return fmt.Errorf("encoding is %q: create the database with PRAGMA encoding = 'UTF-8'",
			encoding)
	case timeout != 0:
		return fmt.Errorf("busy_timeout is %d ms: leave it at 0, for a server of dqlite would "+
			"wait in its only thread, and keep who writes from going on; a file of SQLite's own "+
			"wants the dialect SQLite", timeout)
	case secureDelete != 1:
		return errors.New("secure_delete is off: link dqlite with a SQLite that is built with " +
			"SQLITE_SECURE_DELETE, as Debian's is, so that nothing of what is redacted stays in " +
			"the database")
	}
	s.writer.patience = patienceOfDqlite
	return nil
}

// OpenDqlite opens a database of a cluster of dqlite, by a driver that the host has registered,
// such as the one that App.Driver of go-dqlite's package app names. A server of dqlite 1.11 clears
// what is behind its buffer of a connection, and dies, where the head of a row that has more than
// 16 columns does not fit into it any more. So each connection begins with an answer that leaves
// the buffer large enough.
func OpenDqlite(driverName, database string) (*sql.DB, error) {
	named, err := sql.Open(driverName, database)
	if err != nil {
		return nil, err
	}
	defer named.Close()
	return sql.OpenDB(&dqliteConnector{connector{driver: named.Driver(), dsn: database}}), nil
}

type dqliteConnector struct{ connector }

func (c *dqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := enlarge(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func enlarge(ctx context.Context, conn driver.Conn) error {
	q, ok := conn.(driver.QueryerContext)
	if !ok {
		return errors.New("sqlstore: the driver has no QueryContext: it is not go-dqlite's")
	}
	rows, err := q.QueryContext(ctx, "SELECT zeroblob(65536)", nil)
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(rows.Columns()))
	for err == nil {
		err = rows.Next(row)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return cmp.Or(err, rows.Close())
}
