package testdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"modernc.org/sqlite"
)

// likeDqlite is a driver for a SQLite file that refuses what dqlite's refuses.
const likeDqlite = "convo-like-dqlite"

func init() { sql.Register(likeDqlite, dqliteDriver{}) }

// createDqlite makes a new empty file, whose connections wait for no lock. Where dqlite is, another
// file of this package has it ask for a new database there.
var createDqlite = func(t testing.TB) (Database, error) {
	d := createSQLite(t)
	base, _, _ := strings.Cut(d.DSN, "?")
	d.Engine, d.Driver, d.DSN = Dqlite, likeDqlite, base
	return d.With("_pragma=journal_mode(WAL)", "_pragma=synchronous(OFF)",
		"_pragma=secure_delete(ON)"), nil
}

// maxDqliteArgs is driver.MaxTupleParams of go-dqlite.
const maxDqliteArgs = 255

type dqliteDriver struct{}

func (dqliteDriver) Open(dsn string) (driver.Conn, error) {
	c, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return dqliteConn{c.(connOfSQLite)}, nil
}

// connOfSQLite is all that database/sql asks of a connection of the driver.
type connOfSQLite interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type dqliteConn struct{ connOfSQLite }

func (c dqliteConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	st, err := c.connOfSQLite.PrepareContext(ctx, text)
	if err != nil {
		return nil, asDqlite(err)
	}
	return dqliteStmt{st.(stmtOfSQLite), text}, nil
}

func (c dqliteConn) ExecContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Result, error) {
	if err := taken(text, args); err != nil {
		return nil, err
	}
	if strings.HasPrefix(text, "PRAGMA") {
		return nil, fmt.Errorf("testdb: dqlite wants a query for %s", text)
	}
	r, err := c.connOfSQLite.ExecContext(ctx, text, args)
	return r, asDqlite(err)
}

func (c dqliteConn) QueryContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	if err := taken(text, args); err != nil {
		return nil, err
	}
	r, err := c.connOfSQLite.QueryContext(ctx, text, args)
	return named(text, r, err)
}

type stmtOfSQLite interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type dqliteStmt struct {
	stmtOfSQLite
	text string
}

func (s dqliteStmt) ExecContext(
	ctx context.Context, args []driver.NamedValue,
) (driver.Result, error) {
	if err := taken(s.text, args); err != nil {
		return nil, err
	}
	r, err := s.stmtOfSQLite.ExecContext(ctx, args)
	return r, asDqlite(err)
}

func (s dqliteStmt) QueryContext(
	ctx context.Context, args []driver.NamedValue,
) (driver.Rows, error) {
	if err := taken(s.text, args); err != nil {
		return nil, err
	}
	r, err := s.stmtOfSQLite.QueryContext(ctx, args)
	return named(s.text, r, err)
}

// taken refuses more arguments than dqlite takes, and no bytes: it writes an empty blob for them,
// where others write NULL.
func taken(text string, args []driver.NamedValue) error {
	for i := range args {
		if b, ok := args[i].Value.([]byte); ok && len(b) == 0 {
			return fmt.Errorf("testdb: dqlite writes no NULL for argument %d: %.100s", i+1, text)
		}
	}
	if len(args) > maxDqliteArgs {
		return fmt.Errorf("testdb: dqlite takes %d arguments, not %d: %.100s", maxDqliteArgs,
			len(args), text)
	}
	return nil
}

// named refuses a result whose columns have too long names: a server of dqlite 1.11 would send no
// row of it, and never end. Each name is padded to eight bytes, behind their number.
func named(text string, r driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, asDqlite(err)
	}
	size := 8
	for _, name := range r.Columns() {
		size += (len(name) + 8) / 8 * 8
	}
	if size >= 4000 {
		_ = r.Close()
		return nil, fmt.Errorf("testdb: dqlite never ends with names of %d bytes: %.100s", size,
			text)
	}
	return r, nil
}

// dqliteError tells its code as go-dqlite's driver.Error does.
type dqliteError struct {
	Code    int
	Message string
}

func (e dqliteError) Error() string { return e.Message }

func asDqlite(err error) error {
	if e, ok := err.(*sqlite.Error); ok { //nolint:errorlint // the driver's own
		return dqliteError{e.Code(), e.Error()}
	}
	return err
}
