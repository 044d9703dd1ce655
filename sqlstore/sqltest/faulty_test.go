package sqlstore_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// fault is what may happen to a call to the database.
type fault string

const (
	cancelledBefore fault = "the caller gives up before it"
	cancelledAfter  fault = "the caller gives up after it"
	refused         fault = "it fails and is not carried out"
	conflicting     fault = "somebody else was faster"
	lostBefore      fault = "the connection was lost before it"
	lostAfter       fault = "its answer is lost"
	lostAfterAsBad  fault = "its answer is lost, and the driver says that it may be repeated"
	downAfter       fault = "its answer is lost, and the server is gone"
	unreadable      fault = "it is carried out, and its answer cannot be read"
	delayed         fault = "the connection is lost, but the server goes on with it, later"
	pooled          fault = "a pooler answers for the server, which goes on with it, later"
	ended           fault = "the server ends the whole transaction"
	afterRows       fault = "it is not carried out: an error comes behind the rows"
)

// before says that the call is not carried out at all.
func (f fault) before() bool {
	return f == cancelledBefore || f == refused || f == conflicting || f == lostBefore ||
		f == ended || f == afterRows
}

var errRefused = errors.New("refused by the test")

// codedError is a word of the engine, in the way of each driver.
type codedError struct {
	Number uint16
	state  string
	code   int
}

func (e *codedError) Error() string { return "somebody else was faster, says the test" }

type (
	stateError struct{ *codedError }
	codeError  struct{ *codedError }
)

func (e stateError) SQLState() string { return e.state }
func (e codeError) Code() int         { return e.code }

// conflict is the engine's word that somebody else was faster.
func conflict(e testdb.Engine) error {
	return coded(e, codedError{Number: 1213, state: "40001", code: 5})
}

func coded(e testdb.Engine, c codedError) error {
	switch e {
	case testdb.PostgreSQL:
		return stateError{&c}
	case testdb.SQLite, testdb.Dqlite:
		return codeError{&c}
	}
	return &c
}

// faults say which calls meet which faults: statements, preparations, begins, commits and
// rollbacks, counted from 1.
type faults struct {
	what fault
	at   int
	then int // a later call, which is refused; 0: none
}

// faulty is a way to a database, on which calls meet faults.
type faulty struct {
	driver.Connector
	engine testdb.Engine

	mu     sync.Mutex
	faults faults
	giveUp context.CancelFunc
	seen   []string // the calls
	down   bool
	later  func() // what the server goes on with
	poolerCode
}

// poolerCode is what a pooler says, by its own code.
type poolerCode codedError

// unknownCodes are some that no engine says of what it has not carried out.
var unknownCodes = []poolerCode{
	{Number: 1105, state: "08P01"}, {Number: 9001, state: "58000"}, {Number: 1047, state: "XX000"},
	{Number: 1317, state: "40003"}, {Number: 1927, state: "57P01"}, {Number: 4031, state: "ZZ999"},
}

// openFaulty opens a pool of one connection.
func openFaulty(t *testing.T, d testdb.Database) (*sql.DB, *faulty) {
	t.Helper()
	plain, err := sql.Open(d.Driver, d.DSN)
	require.NoError(t, err)
	defer plain.Close()
	f := &faulty{Connector: dsnConnector{plain.Driver(), d.DSN}, engine: d.Engine}
	db := sql.OpenDB(f)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, f
}

type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Driver() driver.Driver { return c.driver }
func (c dsnConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if d, ok := c.driver.(driver.DriverContext); ok {
		o, err := d.OpenConnector(c.dsn)
		if err != nil {
			return nil, err
		}
		return o.Connect(ctx)
	}
	return c.driver.Open(c.dsn)
}

// arm has calls from now on meet faults. The context ends when the caller gives up.
func (f *faulty) arm(ctx context.Context, what faults) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.giveUp, f.seen = what, cancel, nil
	return ctx
}

// disarm ends all faults, and says which ones were met.
func (f *faulty) disarm() faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.later != nil {
		f.later()
	}
	f.later = nil
	met := f.faults
	if len(f.seen) < met.at {
		met = faults{}
	}
	if len(f.seen) < met.then {
		met.then = 0
	}
	f.faults, f.down = faults{}, false
	f.giveUp()
	return met
}

// calls are what was called since arm.
func (f *faulty) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func (f *faulty) Connect(ctx context.Context) (driver.Conn, error) {
	f.mu.Lock()
	down := f.down
	f.mu.Unlock()
	if down {
		return nil, io.ErrUnexpectedEOF
	}
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: c, f: f}, nil
}

// next says what the call is to meet.
func (f *faulty) next(call string) (what fault, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.faults.at == 0 || f.down {
		return "", f.down
	}
	f.seen = append(f.seen, call)
	switch len(f.seen) {
	case f.faults.then:
		return refused, false
	case f.faults.at:
		f.down = f.faults.what == downAfter
		if f.faults.what == cancelledBefore {
			f.giveUp()
		}
		return f.faults.what, false
	}
	return "", false
}

func (f *faulty) delay(later func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.later = later
}

type faultyConn struct {
	driver.Conn
	f       *faulty
	lost    bool
	delayed bool // the server has not noticed yet
	inTx    bool
}

// lose ends the connection as its loss does. One to a SQLite file cannot be lost, and stays open as
// long as it has statements.
func (c *faultyConn) lose() {
	if c.f.engine.Server() == testdb.SQLite {
		_, _ = c.Conn.(driver.ExecerContext).ExecContext(context.Background(), "ROLLBACK", nil)
	} else {
		_ = c.Conn.Close()
	}
	c.lost = true
}

// call carries out a call, or has it meet its fault. drop undoes what do opened.
func (c *faultyConn) call(name string, do, drop func() error) error {
	if c.lost {
		return driver.ErrBadConn
	}
	what, down := c.f.next(name)
	switch {
	case down:
		c.lose()
		return io.ErrUnexpectedEOF
	case what == delayed || what == pooled:
		c.f.delay(func() {
			if do() == nil {
				_ = drop()
			}
			c.lose()
		})
		c.lost, c.delayed = true, true
		if what == pooled {
			return coded(c.f.engine, codedError(c.f.poolerCode))
		}
		return io.ErrUnexpectedEOF
	case what == ended && name != "commit" && name != "rollback":
		_, _ = c.Conn.(driver.ExecerContext).ExecContext(context.Background(), "ROLLBACK", nil)
		return conflict(c.f.engine)
	// a connection that lives rolls back
	case what == lostBefore, what != "" && what.before() && name == "rollback":
		c.lose()
		return driver.ErrBadConn
	case what == refused || what == conflicting || what == ended || what == afterRows:
		// where the transaction stays open, for another try
		if name == "commit" && c.f.engine.Server() != testdb.SQLite {
			_ = drop()
		}
		switch what {
		case refused:
			return errRefused
		case afterRows:
			return errBehindRows{conflict(c.f.engine)}
		}
		return conflict(c.f.engine)
	}
	err := do()
	if err != nil || what == "" || what == cancelledBefore {
		return err
	}
	if what == cancelledAfter {
		c.f.giveUp()
		return nil
	}
	_ = drop()
	if what == unreadable {
		return errRefused
	}
	c.lose()
	if what == lostAfterAsBad {
		return driver.ErrBadConn
	}
	return io.ErrUnexpectedEOF
}

func nothing() error { return nil }

func (c *faultyConn) Close() error {
	if c.delayed {
		return nil
	}
	err := c.Conn.Close()
	if c.lost {
		return nil
	}
	return err
}

func (c *faultyConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !c.lost && (!ok || v.IsValid())
}

func (c *faultyConn) ResetSession(ctx context.Context) error {
	if c.lost {
		return driver.ErrBadConn
	}
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (tx driver.Tx, err error) {
	err = c.call("begin", func() error {
		tx, err = c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
		return err
	}, func() error { return tx.Rollback() })
	c.inTx = err == nil
	return &faultyTx{tx, c}, err
}

func (c *faultyConn) PrepareContext(ctx context.Context, query string) (st driver.Stmt, err error) {
	err = c.call("prepare "+query, func() error {
		st, err = c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
		return err
	}, func() error { return st.Close() })
	return &faultyStmt{st, c, query}, err
}

func (c *faultyConn) ExecContext(ctx context.Context, query string,
	args []driver.NamedValue) (r driver.Result, err error) {
	err = c.call(query, func() error {
		r, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	}, nothing)
	return r, err
}

func (c *faultyConn) QueryContext(ctx context.Context, query string,
	args []driver.NamedValue) (r driver.Rows, err error) {
	err = c.query(query, func() error {
		r, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
		return err
	}, &r)
	return r, err
}

// query is call for what answers with rows.
func (c *faultyConn) query(query string, do func() error, r *driver.Rows) error {
	err := c.call(query, do, func() error { return (*r).Close() })
	var met errBehindRows
	if !errors.As(err, &met) {
		return err
	}
	if *r, err = c.rowsThenError(query, do, r); errors.Is(err, driver.ErrSkip) {
		c.f.putOff()
	}
	return err
}

// putOff has the next call meet the fault: the driver wants this one in another way.
func (f *faulty) putOff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults.at++
}

// errBehindRows says that the call is to answer with rows, and then with an error.
type errBehindRows struct{ error }

func (e errBehindRows) Unwrap() error { return e.error }

// rowsThenError has the server answer as if it carried the query out, and then say that it did not,
// as a cluster does that certifies a block behind its rows.
func (c *faultyConn) rowsThenError(query string, do func() error, r *driver.Rows) (
	driver.Rows, error) {
	answer := &answeredRows{err: conflict(c.f.engine)}
	if strings.HasPrefix(query, "BEGIN NOT ATOMIC") {
		answer.columns, answer.rows = []string{"step"}, [][]driver.Value{{int64(0)}}
		return answer, nil
	}
	exec := func(statement string) {
		_, _ = c.Conn.(driver.ExecerContext).ExecContext(context.Background(), statement, nil)
	}
	writes := strings.Contains(query, "INSERT INTO") || strings.Contains(query, "UPDATE convo")
	if writes && c.inTx {
		exec("SAVEPOINT behind")
	} else if writes {
		exec("BEGIN")
	}
	if err := do(); err != nil {
		return nil, err
	}
	answer.columns = (*r).Columns()
	for {
		row := make([]driver.Value, len(answer.columns))
		if (*r).Next(row) != nil {
			break
		}
		for i := range row {
			if b, ok := row[i].([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		answer.rows = append(answer.rows, row)
	}
	_ = (*r).Close()
	if writes && c.inTx {
		exec("ROLLBACK TO SAVEPOINT behind")
	} else if writes {
		exec("ROLLBACK")
	}
	return answer, nil
}

// answeredRows are rows with an error behind them, which the driver finds when it closes them or
// looks for more.
type answeredRows struct {
	columns []string
	rows    [][]driver.Value
	err     error
}

func (r *answeredRows) Columns() []string { return r.columns }

func (r *answeredRows) Next(row []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(row, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

func (r *answeredRows) HasNextResultSet() bool { return r.err != nil }

func (r *answeredRows) NextResultSet() error { return cmp.Or(r.Close(), io.EOF) }

func (r *answeredRows) Close() error {
	err := r.err
	r.err = nil
	return err
}

type faultyTx struct {
	driver.Tx
	c *faultyConn
}

func (x *faultyTx) Commit() error {
	x.c.inTx = false
	return x.c.call("commit", x.Tx.Commit, x.Tx.Rollback) // which does nothing after a commit
}

func (x *faultyTx) Rollback() error {
	x.c.inTx = false
	return x.c.call("rollback", x.Tx.Rollback, nothing)
}

type faultyStmt struct {
	driver.Stmt
	c     *faultyConn
	query string
}

func (s *faultyStmt) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return s.c.CheckNamedValue(v)
}

func (s *faultyStmt) Close() error {
	if s.c.delayed {
		return nil
	}
	err := s.Stmt.Close()
	if s.c.lost {
		return nil
	}
	return err
}

func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result,
	err error) {
	err = s.c.call(s.query, func() error {
		r, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	}, nothing)
	return r, err
}

func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (r driver.Rows,
	err error) {
	err = s.c.query(s.query, func() error {
		r, err = s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
		return err
	}, &r)
	return r, err
}
