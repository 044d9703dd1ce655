package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

func checkPostgres(ctx context.Context, s *Store) error {
	var server, client string
	err := s.db.QueryRowContext(ctx,
		"SELECT current_setting('server_encoding'), current_setting('client_encoding')").
		Scan(&server, &client)
	if err != nil {
		return err
	}
	if server != "UTF8" || client != "UTF8" {
		return fmt.Errorf("server_encoding is %s and client_encoding %s: both must be UTF8 "+
			"(CREATE DATABASE … ENCODING 'UTF8')", server, client)
	}
	return checkPooler(ctx, s)
}

// inTransactionOfPostgres takes one that was aborted for one that is there: the host may have a
// savepoint of its own to go back to.
func inTransactionOfPostgres(ctx context.Context, tx *sql.Tx) bool {
	_, err := tx.ExecContext(ctx, "SAVEPOINT convo")
	return codeOf(err) != "25P01" // no_active_sql_transaction
}

// commitPostgres commits a change of one conversation, and perhaps of its contact, in one
// statement.
func commitPostgres(ctx context.Context, s *Store, ch *convo.Change) (done bool, err error) {
	class, ok := dialect.ClassOf(ch)
	if !ok {
		return false, nil
	}
	class.InTransaction = s.tx != nil && s.tx.hosts
	class.Noted = s.outbox && !ch.Unpublished
	args := s.d.ComposeArgs(s.d.Dialect, class, ch)
	here := dialect.Int(1)
	var written, known, taken dialect.Int
	answer := []any{&here, &written, &known, &taken}
	if class.InTransaction {
		args = slices.Insert(args, 0, any(int64(s.tx.mark)))
	} else {
		answer = answer[1:]
	}
	_, err = s.row(ctx, s.composed(class), args, answer)
	contact, c := &ch.Contact, &ch.Conversation
	switch {
	case err == nil && here == 0:
		return true, s.tx.lost(errNoTransaction)
	case err != nil || written > 0:
		return true, err
	case known > 0:
		return true, fmt.Errorf("sqlstore: key %q: %w", ch.Keys[0].ID, convo.ErrDuplicate)
	case taken > 0:
		return true, fmt.Errorf("sqlstore: conversation %s: %w", c.ID, convo.ErrActiveExists)
	}
	return true, fmt.Errorf("sqlstore: contact %q, conversation %s: %w",
		contact.ID, c.ID, convo.ErrConflict)
}

// number carries out a statement that answers a number.
func (s *Store) number(ctx context.Context, statement string, args []any) (n dialect.Int,
	err error) {
	_, err = s.row(ctx, statement, args, []any{&n})
	return n, err
}
