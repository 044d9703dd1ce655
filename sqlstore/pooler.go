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

func askTwice(ctx context.Context, s *Store) error {
	const question = "SELECT 2"
	first, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer first.Close()
	var one int
	ask := func() error { return first.QueryRowContext(ctx, question).Scan(&one) }
	if !s.stmts.unprepared {
		var st *sql.Stmt
		if st, err = first.PrepareContext(ctx, question); err != nil {
			return err
		}
		defer func() { _ = st.Close() }()
		ask = func() error { return st.QueryRowContext(ctx).Scan(&one) }
	}
	if err := ask(); err != nil {
		return err
	}
	second, err := s.db.Conn(ctx)
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
	return ask()
}
