package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// begun is a transaction of the store's own, and the connection that it is on.
type begun struct {
	s    *Store
	conn *sql.Conn
	tx   *sql.Tx
}

// begin begins a transaction; one that writes to SQLite, see beginWriting.
func (s *Store) begin(ctx context.Context) (*begun, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if s.writer != nil { // others may share it: nobody's deadline may end it
		ctx = context.WithoutCancel(ctx)
	}
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: s.d.Isolation})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &begun{s, conn, tx}, nil
}

// errLocked is no conflict, for another try would wait as long once more.
var errLocked = errors.New("another connection has held the write lock")

// beginWriting begins a transaction that has the write lock of a SQLite file, for a caller who has
// been waiting since then. While another connection has the lock, SQLite heeds no context, and
// waits for one busy timeout. So it is waited for in another goroutine, which the caller leaves at
// the context's end, or when all of the waiting has taken one busy timeout.
func (s *Store) beginWriting(ctx context.Context, since time.Time) (*begun, error) {
	if s.writer.patience == 0 { // in memory, where there is one connection
		b, err := s.begin(ctx)
		return b, s.refusal(err)
	}
	type result struct {
		b   *begun
		err error
	}
	waiting, cancel := context.WithTimeoutCause(ctx, s.writer.left(since), errLocked)
	defer cancel()
	answer := make(chan result, 1)
	go func() {
		b, err := s.begin(waiting)
		answer <- result{b, err}
	}()
	select {
	case r := <-answer:
		late := waiting.Err() != nil || s.d.conflict(r.err) && s.writer.expired(since)
		if r.err != nil && late {
			return nil, s.waited(ctx, r.err)
		}
		return r.b, s.refusal(r.err)
	case <-waiting.Done():
		go func() { // which ends when SQLite stops waiting
			if r := <-answer; r.b != nil {
				_ = r.b.tx.Rollback()
				_ = r.b.conn.Close()
			}
		}()
		return nil, s.waited(ctx, context.Cause(waiting))
	}
}

// waited says what came of waiting for the lock in vain. It does not wrap the engine's word, which
// would be a conflict.
func (s *Store) waited(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sqlstore: waiting for the write lock of the SQLite file: %w", ctx.Err())
	}
	return fmt.Errorf("sqlstore: %w of the SQLite file for more than the busy_timeout of %s: end "+
		"its transaction sooner, or set a longer busy_timeout (%s)",
		errLocked, s.writer.patience, err.Error())
}

// run carries out f in b, and commits it. When it cannot be told whether it was committed, the
// witnesses that f left say so.
func (b *begun) run(ctx context.Context, f func(*transaction) error) error {
	s, conn, tx := b.s, b.conn, b.tx
	defer conn.Close()
	defer func() { // does nothing after a commit
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			s.discard(conn)
		}
	}()
	t := &transaction{d: s.d, tx: tx, stmts: s.stmts}
	if err := f(t); err != nil {
		return s.refusal(err)
	}
	err := tx.Commit()
	if err == nil {
		return nil
	}
	// The transaction may still be open: as SQLite leaves it, for another try, or as whoever killed
	// the statement.
	if _, rerr := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); rerr != nil {
		s.discard(conn)
	}
	_ = conn.Close() // there may be only one
	return s.resolveUnknownCommit(ctx, t.witnesses, err)
}
