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

// begin begins a transaction. Who writes to SQLite calls beginWriting.
func (s *Store) begin(ctx context.Context) (*begun, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return s.beginOn(ctx, conn)
}

func (s *Store) beginOn(ctx context.Context, conn *sql.Conn) (*begun, error) {
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: s.d.Isolation})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &begun{s, conn, tx}, nil
}

var errLocked = errors.New("another connection has held the write lock")

// beginWriting begins a transaction that has the write lock of a SQLite file, for a caller who has
// been waiting since the given time. While another connection has the lock, SQLite heeds no
// context, and waits for one busy timeout. So BEGIN runs in a goroutine, which the caller leaves at
// the end of its context, or when all of its waiting has taken one busy timeout.
func (s *Store) beginWriting(ctx context.Context, since time.Time) (*begun, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Others may share the transaction: no single caller's deadline may end it.
	lasting := context.WithoutCancel(ctx)
	if s.writer.patience == 0 { // in memory, where there is one connection
		b, err := s.beginOn(lasting, conn)
		return b, s.refusal(err)
	}
	type result struct {
		b   *begun
		err error
	}
	answer := make(chan result, 1)
	go func() {
		b, err := s.beginOn(lasting, conn)
		answer <- result{b, err}
	}()
	patience := time.NewTimer(s.writer.left(since))
	defer patience.Stop()
	select {
	case r := <-answer:
		if s.d.conflict(r.err) && s.writer.expired(since) { // SQLite's own patience was at its end
			return nil, s.waited(ctx)
		}
		return r.b, s.refusal(r.err)
	case <-ctx.Done():
	case <-patience.C:
	}
	go func() { // which ends when SQLite stops waiting
		if r := <-answer; r.b != nil {
			_ = r.b.tx.Rollback()
			_ = r.b.conn.Close()
		}
	}()
	return nil, s.waited(ctx)
}

// waited says what came of waiting for the lock in vain. It is no conflict: another try would wait
// as long once more.
func (s *Store) waited(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sqlstore: waiting for the write lock of the SQLite file: %w", ctx.Err())
	}
	return fmt.Errorf("sqlstore: %w of the SQLite file for more than the busy_timeout of %s: end "+
		"its transaction sooner, or set a longer busy_timeout", errLocked, s.writer.patience)
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
