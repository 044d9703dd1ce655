package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
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
// been waiting since the given time. While another connection has the lock, SQLite heeds no context
// and no interruption. So its own waiting is switched off for as long as BEGIN takes, and the lock
// is asked for again and again, as SQLite does, until the context's end, or until all of the
// waiting has taken one busy timeout.
func (s *Store) beginWriting(ctx context.Context, since time.Time) (*begun, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Others may share the transaction: no single caller's deadline may end it.
	lasting := context.WithoutCancel(ctx)
	if s.d.TakeWriteLock != "" {
		return s.beginTaking(ctx, conn, since)
	}
	if s.writer.patience == 0 { // in memory, where there is one connection
		b, err := s.beginOn(lasting, conn)
		return b, s.refusal(err)
	}
	if err := busyTimeout(lasting, conn, 0); err != nil {
		drop(conn)
		return nil, s.refusal(err)
	}
	tx, err := s.askForLock(ctx, since, func() (*sql.Tx, error) {
		return conn.BeginTx(lasting, &sql.TxOptions{Isolation: s.d.Isolation})
	})
	if err != nil {
		if busyTimeout(lasting, conn, s.writer.patience) != nil {
			drop(conn)
		}
		_ = conn.Close()
		return nil, s.refusal(err)
	}
	// By the transaction: a connection that is found to be lost under one hangs in database/sql.
	if err := busyTimeout(lasting, tx, s.writer.patience); err != nil {
		_ = tx.Rollback()
		drop(conn)
		return nil, s.refusal(err)
	}
	return &begun{s, conn, tx}, nil
}

// beginTaking is beginWriting where BEGIN takes no lock and nothing waits for one: where another
// transaction writes, a statement that would write is refused at once. A connection may be one to a
// server that is gone, or leads no more: nothing was written, so the next one is tried.
func (s *Store) beginTaking(
	ctx context.Context, conn *sql.Conn, since time.Time,
) (*begun, error) {
	lasting := context.WithoutCancel(ctx)
	for {
		tx, err := s.askForLock(ctx, since, func() (*sql.Tx, error) {
			tx, err := conn.BeginTx(lasting, nil)
			if err != nil {
				return nil, err
			}
			if _, err = tx.ExecContext(lasting, s.stmts.text(s.d.TakeWriteLock)); err != nil {
				_ = tx.Rollback()
				return nil, err
			}
			return tx, nil
		})
		switch {
		case err == nil:
			return &begun{s, conn, tx}, nil
		case ctx.Err() != nil || codeOf(err) != "" || errors.Is(err, errLocked) ||
			s.writer.expired(since):
			_ = conn.Close()
			return nil, s.refusal(err)
		}
		drop(conn)
		if conn, err = s.db.Conn(ctx); err != nil {
			return nil, err
		}
	}
}

// maxPause is how long the lock may be free before somebody who waits takes notice: less than the
// tenth of a second that SQLite pauses for.
const maxPause = 50 * time.Millisecond

// askForLock begins a transaction as soon as the lock is free.
func (s *Store) askForLock(
	ctx context.Context, since time.Time, begin func() (*sql.Tx, error),
) (*sql.Tx, error) {
	tx, err := begin()
	if err == nil || !s.d.conflict(err) { // nearly always
		return tx, err
	}
	expired := time.After(s.writer.left(since))
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		select {
		case <-ctx.Done():
			return nil, s.waited(ctx)
		case <-expired:
			return nil, s.waited(ctx)
		case <-time.After(pause):
		}
		if tx, err = begin(); err == nil || !s.d.conflict(err) {
			return tx, err
		}
	}
}

// busyTimeout sets how long SQLite itself waits on a connection.
func busyTimeout(ctx context.Context, on interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, d time.Duration) error {
	_, err := on.ExecContext(ctx,
		"PRAGMA busy_timeout = "+strconv.FormatInt(d.Milliseconds(), 10))
	return err
}

// drop closes a connection, whatever it is, so that nobody else gets it.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}

// waited says what came of waiting for the lock in vain. It is no conflict: another try would wait
// as long once more.
func (s *Store) waited(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sqlstore: waiting for the write lock of %s: %w", s.d.Name, ctx.Err())
	}
	return fmt.Errorf("sqlstore: %w of %s for more than %s: end its transaction sooner, or, of a "+
		"SQLite file, set a longer busy_timeout", errLocked, s.d.Name, s.writer.patience)
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
	t := &transaction{d: s.d, tx: tx, stmts: s.stmts, outbox: s.outbox}
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
