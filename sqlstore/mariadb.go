package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

func checkMariaDB(ctx context.Context, s *Store) error {
	err := checkServer(ctx, s, func(version string) error {
		if !strings.Contains(version, "MariaDB") {
			return fmt.Errorf("the server is version %s, not MariaDB: open it with the dialect "+
				"MySQL", version)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return checkBinlog(ctx, s)
}

// checkServer checks what MariaDB and MySQL must both be set up like.
func checkServer(ctx context.Context, s *Store, checkVersion func(string) error) error {
	var version, client, mode string
	var autocommit bool
	var database sql.NullString
	if err := s.db.QueryRowContext(ctx,
		"SELECT VERSION(), @@character_set_client, @@sql_mode, @@autocommit, DATABASE(), "+
			"@@max_allowed_packet").
		Scan(&version, &client, &mode, &autocommit, &database, &s.packet); err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	switch {
	case !database.Valid:
		return errNoDatabase
	case s.packet < leastPacket:
		return fmt.Errorf("max_allowed_packet is %d bytes: set it to %d or more on the server",
			s.packet, leastPacket)
	case client != "utf8mb4":
		return fmt.Errorf("character_set_client is %s: set charset=utf8mb4 in the DSN", client)
	case !autocommit:
		return errors.New("autocommit is off: leave it on")
	case !strings.Contains(mode, "STRICT_"):
		return fmt.Errorf("sql_mode is %q: add STRICT_TRANS_TABLES, so that nothing is cut off in "+
			"silence", mode)
	}
	return nil
}

// checkBinlog checks what MariaDB's and MySQL's own servers log.
func checkBinlog(ctx context.Context, s *Store) error {
	var logged bool
	var format string
	err := s.db.QueryRowContext(ctx, "SELECT @@log_bin, @@binlog_format").Scan(&logged, &format)
	if err == nil && logged && format == "STATEMENT" {
		err = errors.New("binlog_format is STATEMENT, which READ COMMITTED cannot write to: set " +
			"it to ROW or MIXED")
	}
	return err
}

var errNoDatabase = errors.New("the DSN names no database: write it behind the address, as in " +
	"user@tcp(localhost:3306)/convo")

func inTransactionOfMariaDB(ctx context.Context, tx *sql.Tx) (is bool) {
	err := tx.QueryRowContext(ctx, "SELECT @@in_transaction").Scan(&is)
	return err == nil && is
}

// commitMariaDB commits a change of one conversation, and perhaps of its contact, in one block.
func commitMariaDB(ctx context.Context, s *Store, ch *convo.Change) (done bool, err error) {
	class, ok := dialect.ClassOf(ch)
	if !ok {
		return false, nil
	}
	class.InTransaction = s.tx != nil
	class.Noted = s.outbox && !ch.Unpublished
	args := s.d.ComposeArgs(s.d.Dialect, class, ch)
	var step dialect.Int
	if block := s.composed(class); class.InTransaction {
		_, err = s.row(ctx, block, args, []any{&step})
	} else {
		step, err = s.block(ctx, block, args)
	}
	if err != nil || step == dialect.MariaDBWritten {
		return true, err
	}
	return true, s.mariadbRefusal(ctx, int(step), ch)
}

// block carries out a block with its own transaction. A killed statement, which no handler in it
// hears of, leaves the transaction open: the connection must not go back to the pool then. That is
// why the connection is held here, and with it, since an sql.Stmt chooses its own, the prepared
// statement.
func (s *Store) block(ctx context.Context, block string, args []any) (step dialect.Int, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	text := s.stmts.text(block)
	if s.stmts.unprepared {
		err = blockAsText(ctx, conn, text, args, &step)
	} else {
		err = s.blockPrepared(ctx, conn, text, args, &step)
	}
	if err != nil && !s.d.conflict(err) { // after which the handler has rolled back
		s.discard(conn)
	}
	return step, s.refusal(err)
}

func blockAsText(
	ctx context.Context, conn *sql.Conn, block string, args []any, step *dialect.Int,
) error {
	rows, err := conn.QueryContext(ctx, block, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), rows.Close(), errNoAnswer)
	}
	// Not read to their end, for which see row.
	return cmp.Or(rows.Scan(step), rows.Close())
}

func (s *Store) blockPrepared(
	ctx context.Context, conn *sql.Conn, block string, args []any, step *dialect.Int,
) error {
	return conn.Raw(func(c any) error {
		st, err := s.stmts.blocks.of(ctx, c.(driver.Conn), s.db.Stats().OpenConnections,
			block)
		if err != nil {
			return err
		}
		answer, err := rowOf(ctx, st, args)
		if err != nil {
			return err
		}
		return step.Scan(answer)
	})
}

// blocks are the prepared blocks of each connection.
type blocks struct {
	mu   sync.Mutex
	used int64 // counts calls
	on   map[driver.Conn]*prepared
}

type prepared struct {
	used int64
	by   map[string]*preparedBlock // for who holds the connection
}

type preparedBlock struct {
	st   driver.Stmt
	used int64
}

// of returns the prepared block of a connection, of which so many are open.
func (b *blocks) of(ctx context.Context, c driver.Conn, open int, block string) (driver.Stmt,
	error) {
	b.mu.Lock()
	p := b.on[c]
	if p == nil {
		if p = (&prepared{by: map[string]*preparedBlock{}}); b.on == nil {
			b.on = map[driver.Conn]*prepared{}
		}
		b.on[c] = p
	}
	b.used++
	now := b.used
	p.used = now
	// most have been closed: forget the one that was not used for longest
	for len(b.on) > 2*max(open, 8) {
		oldest := c
		for c, p := range b.on {
			if p.used < b.on[oldest].used {
				oldest = c
			}
		}
		delete(b.on, oldest)
	}
	b.mu.Unlock()
	if known := p.by[block]; known != nil {
		known.used = now
		return known.st, nil
	}
	var st driver.Stmt
	var err error
	if preparer, ok := c.(driver.ConnPrepareContext); ok {
		st, err = preparer.PrepareContext(ctx, block)
	} else {
		st, err = c.Prepare(block)
	}
	if err == nil {
		p.makeRoom()
		p.by[block] = &preparedBlock{st, now}
	}
	return st, err
}

// makeRoom closes the block that was not used for longest, if there are as many as are kept.
func (p *prepared) makeRoom() {
	if len(p.by) < maxComposed {
		return
	}
	oldest := ""
	for block, b := range p.by {
		if oldest == "" || b.used < p.by[oldest].used {
			oldest = block
		}
	}
	_ = p.by[oldest].st.Close() // what cannot be closed goes with its connection
	delete(p.by, oldest)
}

var errNoAnswer = errors.New("sqlstore: the block did not answer")

// rowOf carries out a statement of one row and one column.
func rowOf(ctx context.Context, st driver.Stmt, args []any) (driver.Value, error) {
	q, ok := st.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.New("sqlstore: the driver must know contexts (driver.StmtQueryContext)")
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, err
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	rows, err := q.QueryContext(ctx, named)
	if err != nil {
		return nil, err
	}
	row := make([]driver.Value, 1)
	if err = rows.Next(row); errors.Is(err, io.EOF) {
		err = errNoAnswer
	}
	if b, ok := row[0].([]byte); ok { // it is the driver's
		row[0] = string(b)
	}
	return row[0], cmp.Or(err, rows.Close())
}

// mariadbRefusal says why a block wrote nothing.
func (s *Store) mariadbRefusal(ctx context.Context, step int, ch *convo.Change) error {
	k, c := &ch.Contact.Contact, &ch.Conversation.Conversation
	switch step {
	case dialect.MariaDBDuplicateKey:
		return fmt.Errorf("sqlstore: key %q: %w", ch.Keys[0].ID, convo.ErrDuplicate)
	case dialect.MariaDBSlotTaken:
		var other dialect.ID
		found, err := s.row(ctx, dialect.OtherActive,
			[]any{c.Workspace, c.Contact, c.Lane, s.d.ID(c.ID)}, []any{&other})
		if err != nil {
			return err
		}
		if found && c.Status.Active() {
			return fmt.Errorf("sqlstore: conversation %s: %w", c.ID, convo.ErrActiveExists)
		}
	}
	return fmt.Errorf("sqlstore: contact %q, conversation %s: %w", k.ID, c.ID, convo.ErrConflict)
}
