package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// poolerError is an error of a statement that was prepared and is not there, or that is there
// already: somebody between here and the server gives each transaction another connection.
type poolerError struct{ err error }

func (e *poolerError) Unwrap() error { return e.err }

func (e *poolerError) Error() string {
	return "prepared statements do not stay where they were prepared, as behind a pooler in " +
		"transaction mode: set Config.Unprepared, and in the DSN of pgx " +
		"default_query_exec_mode=exec (README, Behind a pooler): " + e.err.Error()
}

// What PostgreSQL, and PgBouncer for it, say then.
const (
	noSuchStatement   = "26000"
	statementIsThere  = "42P05"
	protocolViolation = "08P01"
)

// explained adds to err what to do about it, if it is about a pooler.
func (s *Store) explained(err error) error {
	var known *poolerError
	if err == nil || s.d.Dialect != &dialect.PostgreSQL || errors.As(err, &known) {
		return err
	}
	if code := codeOf(err); code == noSuchStatement || code == statementIsThere {
		return &poolerError{err}
	}
	return err
}

// poolerPatience is how long Open waits for connections only to find out whether a pooler is there.
const poolerPatience = 2 * time.Second

// checkPooler has one connection ask again, after another one has begun a transaction: a pooler
// that gives it what the first one had before gives the first one a connection now on which nothing
// is prepared. A pooler that looks after prepared statements passes. Where it cannot be told, as
// with one connection, which nobody takes away, the error of a later statement says it.
func checkPooler(ctx context.Context, s *Store) error {
	if s.db.Stats().MaxOpenConnections == 1 {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, poolerPatience)
	defer cancel()
	err := askTwice(short, s)
	switch code := codeOf(err); {
	case code == protocolViolation:
		return &poolerError{err}
	case ctx.Err() == nil && short.Err() != nil:
		return nil
	}
	return s.explained(err)
}

// errPooled is what Migrate says behind a pooler.
var errPooled = errors.New("a pooler in transaction mode stands before the server, and would " +
	"leave the lock of migrations behind on a connection that others get: migrate by a DSN that " +
	"leads to the server itself")

// checkDirect refuses a pooler in transaction mode, in the same way as checkPooler finds one: the
// second time it is another process of the server that answers.
func checkDirect(ctx context.Context, db *sql.DB) error {
	if db.Stats().MaxOpenConnections == 1 {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, poolerPatience)
	defer cancel()
	var before, after int
	err := whileAnotherIsBusy(short, db, func(first *sql.Conn) (func() error, error) {
		ask := func(pid *int) error {
			return first.QueryRowContext(short, "SELECT pg_backend_pid()").Scan(pid)
		}
		return func() error { return ask(&after) }, ask(&before)
	})
	if ctx.Err() == nil && short.Err() != nil {
		return nil
	}
	code := codeOf(err)
	if code == noSuchStatement || code == statementIsThere || code == protocolViolation ||
		err == nil && before != after {
		return errPooled
	}
	return err
}

// whileAnotherIsBusy calls what ask returns while another connection has a transaction, so that a
// pooler that shares the server's connections gives the first one another one than ask had.
func whileAnotherIsBusy(
	ctx context.Context, db *sql.DB, ask func(first *sql.Conn) (again func() error, err error),
) error {
	first, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer first.Close()
	again, err := ask(first)
	if err != nil {
		return err
	}
	second, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer second.Close()
	tx, err := second.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, "SELECT 1"); err != nil { // takes what the first one had
		return err
	}
	return again()
}

func askTwice(ctx context.Context, s *Store) error {
	const question = "SELECT 2"
	var st *sql.Stmt
	defer func() {
		if st != nil {
			_ = st.Close()
		}
	}()
	return whileAnotherIsBusy(ctx, s.db, func(first *sql.Conn) (again func() error, err error) {
		var two int
		again = func() error { return first.QueryRowContext(ctx, question).Scan(&two) }
		if !s.stmts.unprepared {
			if st, err = first.PrepareContext(ctx, question); err != nil {
				return nil, err
			}
			again = func() error { return st.QueryRowContext(ctx).Scan(&two) }
		}
		return again, again()
	})
}
