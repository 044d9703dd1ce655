package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// transaction is what a commit is written in.
type transaction struct {
	d         *engine
	tx        *sql.Tx
	stmts     *statements
	outbox    bool        // commits note their events
	hosts     bool        // it is the host's: undo what a refused commit wrote
	mark      dialect.Int // of the host's, as Load found it: see Dialect.LoadsInTransaction
	lock      bool        // Load holds what it loads
	snapshot  bool        // all reads see one moment
	witnesses []witness
	failed    error // of a commit in it
	broken    bool  // cannot be committed any more
	gaveUp    error // it could not even be begun
}

func (t *transaction) commit(ctx context.Context, changes []convo.Change) error {
	if !t.hosts {
		t.failed = t.carryOut(ctx, changes)
		return t.failed
	}
	return t.within(ctx, func(t *transaction) error { return t.carryOut(ctx, changes) })
}

// within carries out f, and undoes what it did when it fails.
func (t *transaction) within(ctx context.Context, f func(*transaction) error) error {
	switch {
	case t.broken && t.hosts:
		return t.lost(errBroken)
	case t.broken:
		return errAgain
	case t.hosts && t.d.asked && !t.d.inTransaction(ctx, t.tx):
		return t.lost(errNoTransaction)
	}
	witnesses := len(t.witnesses)
	if _, err := t.tx.ExecContext(ctx, t.d.Savepoint); err != nil {
		return t.hostError(ctx, err)
	}
	t.broken = true // if f panics
	err := f(t)
	t.broken = false
	gaveUp := ctx.Err()
	// Without the deadline, or a transaction that goes on would keep a part of it.
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		if _, err = t.tx.ExecContext(ctx, "RELEASE SAVEPOINT convo"); err == nil {
			return nil
		}
	}
	t.witnesses = t.witnesses[:witnesses]
	if _, rerr := t.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT convo"); rerr != nil {
		t.broken = true
		if t.hosts {
			// whose driver has ended the connection, if he gave up
			return t.lost(fmt.Errorf("%w; before that: %s", cmp.Or(gaveUp, rerr), err.Error()))
		}
		return fmt.Errorf("sqlstore: a part of the commit could not be undone (%w): %w", rerr, err)
	}
	if _, rerr := t.tx.ExecContext(ctx, "RELEASE SAVEPOINT convo"); rerr != nil {
		t.broken = true
	}
	return err
}

var errNoTransaction = errors.New("no transaction is active")

var errBroken = errors.New("an earlier call found that")

// lost ends the host's transaction, which the engine has ended, or could not undo a part of: else
// the host might go on and commit what is left of it.
func (t *transaction) lost(err error) error {
	t.broken = true
	_ = t.tx.Rollback()
	return fmt.Errorf("sqlstore: %w: %w", convo.ErrTransactionLost, err)
}

// hostError adds ErrTransactionLost to err when the statement that failed, which no savepoint
// guarded, has cost the host its transaction. An error without a code is not the server's.
func (t *transaction) hostError(ctx context.Context, err error) error {
	switch {
	case err == nil || !t.hosts:
		return err
	case t.broken:
		return t.lost(err)
	case codeOf(err) == "":
		return err
	}
	switch {
	case !t.d.inTransaction(context.WithoutCancel(ctx), t.tx):
		return t.lost(err)
	case t.d.aborts: // the host may have a savepoint to go back to, so it is not ended here
		return fmt.Errorf("sqlstore: %w: %w", convo.ErrTransactionLost, err)
	}
	return err
}

// leftOfHosts says what a commit in one statement has left of the host's transaction, which goes on
// only where that has written nothing, or all: what is read in it then says which.
func (s *Store) leftOfHosts(ctx context.Context, witnesses []witness, err error) error {
	switch {
	case err == nil || isRefusal(err) || errors.Is(err, convo.ErrTransactionLost):
		return err
	case s.d.settled(err):
		return s.refusal(err)
	case codeOf(err) != "" || len(witnesses) == 0: // MariaDB has a part of a block that was killed
		return s.tx.lost(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	there, _, ferr := s.find(ctx, witnesses[0])
	switch {
	case ferr != nil:
		return s.tx.lost(fmt.Errorf("%w; before that: %w", ferr, err))
	case there:
		return nil
	}
	return err
}

func (t *transaction) carryOut(ctx context.Context, changes []convo.Change) error {
	err := planOf(changes, t.outbox).carryOut(ctx, t)
	if w, ok := witnessOf(changes); ok && err == nil {
		t.witnesses = append(t.witnesses, w)
	}
	return err
}

// update carries out a statement and reports whether it changed a row.
func (t *transaction) update(ctx context.Context, statement string, args ...any) (bool, error) {
	n, err := t.exec(ctx, statement, args...)
	return n > 0, err
}

// exec carries out a statement, and returns how many rows it changed.
func (t *transaction) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	st, text := t.stmts.cached(statement)
	var r sql.Result
	var err error
	if st != nil {
		r, err = t.tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	} else {
		r, err = t.tx.ExecContext(ctx, text, args...)
	}
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// insert is update for a row whose key may be there already.
func (t *transaction) insert(ctx context.Context, statement string, args ...any) (bool, error) {
	written, err := t.update(ctx, statement+t.d.InsertOnce, args...)
	if t.d.InsertOnce == "" && codeOf(err) == t.d.UniqueViolation {
		return false, nil
	}
	return written, err
}

func (t *transaction) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	st, text := t.stmts.cached(statement)
	if st != nil {
		return t.tx.StmtContext(ctx, st).QueryContext(ctx, args...)
	}
	return t.tx.QueryContext(ctx, text, args...)
}

// ended closes rows that were read to their end. What comes after the last row may be an error, and
// in a later packet than the rows: a commit that a cluster refuses is told so.
func ended(rows *sql.Rows) error {
	for rows.NextResultSet() {
		for rows.Next() {
		}
	}
	return cmp.Or(rows.Err(), rows.Close())
}

// count is how many rows there are, or the number that the only row holds.
func (t *transaction) count(ctx context.Context, statement string, args ...any) (n int64,
	err error) {
	rows, err := t.query(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, ended(rows)
}
