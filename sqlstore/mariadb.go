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

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var mariadb = dialect{
	name:          "MariaDB",
	folder:        "mariadb",
	goose:         "mysql",
	id:            idBytes,
	upsertCycle:   mariadbUpsertCycle,
	upsertRollups: mariadbUpsertRollups,
	// ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD, ER_DUP_ENTRY
	conflicts: []string{"1213", "1205", "1020", "1062"},
	taken:     "1062",
	// ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_QUERY_INTERRUPTED, ER_STATEMENT_TIMEOUT
	unsettled:    []string{"1053", "1927", "1317", "1969"},
	lock:         " FOR UPDATE",
	level:        sql.LevelReadCommitted,
	pendingIndex: " FORCE INDEX (convo_cycles_rollup_pending)",
	snapshot:     sql.LevelRepeatableRead,
	check:        checkMariaDB,
	commit:       commitMariaDB,
}

const mariadbUpsertCycle = ` ON DUPLICATE KEY UPDATE
	category = VALUES(category), summary = VALUES(summary)`

const mariadbUpsertRollups = ` ON DUPLICATE KEY UPDATE
	value_count = VALUES(value_count), value_sum = VALUES(value_sum),
	value_min = VALUES(value_min), value_max = VALUES(value_max),
	sketch = VALUES(sketch), half_hours = VALUES(half_hours),
	half_hour_sketches = VALUES(half_hour_sketches)`

func checkMariaDB(ctx context.Context, s *Store) error {
	var version, client, mode, binlog string
	var autocommit, logged bool
	if err := s.db.QueryRowContext(ctx,
		"SELECT VERSION(), @@character_set_client, @@sql_mode, @@autocommit, @@log_bin, @@binlog_format").
		Scan(&version, &client, &mode, &autocommit, &logged, &binlog); err != nil {
		return err
	}
	switch {
	case !strings.Contains(version, "MariaDB"):
		return fmt.Errorf("the server is version %s, not MariaDB: its statements are not those of MySQL", version)
	case client != "utf8mb4":
		return fmt.Errorf("character_set_client is %s: set charset=utf8mb4 in the DSN", client)
	case !autocommit:
		return errors.New("autocommit is off: leave it on")
	case !strings.Contains(mode, "STRICT_"):
		return fmt.Errorf("sql_mode is %q: add STRICT_TRANS_TABLES, so that nothing is cut off in silence", mode)
	case logged && binlog == "STATEMENT":
		return errors.New("binlog_format is STATEMENT, which READ COMMITTED cannot write to: set it to ROW or MIXED")
	}
	return nil
}

// A change of one conversation, and perhaps of its contact, as one block. It answers which step found something in its way; 0
// when all is written.
const (
	mariadbBegin = `BEGIN NOT ATOMIC
	DECLARE step INT DEFAULT 1;
	DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
	DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
	START TRANSACTION;
	work: BEGIN
`
	mariadbEnd = `		SET step = 0;
		COMMIT;
	END work;
	IF step <> 0 THEN ROLLBACK; END IF;
	SELECT step;
END`

	// The same in a transaction that goes on.
	mariadbBeginInside = `BEGIN NOT ATOMIC
	DECLARE step INT DEFAULT 1;
	DECLARE EXIT HANDLER FOR 1062 SELECT step;
	work: BEGIN
`
	mariadbEndInside = `		SET step = 0;
	END work;
	SELECT step;
END`

	mariadbOrLeave      = "; IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;\n"
	mariadbConversation = "SET step = 2;\n"
	mariadbKeys         = "SET step = 3;\n"
	mariadbRest         = "SET step = 1;\n"
)

// The steps that a block may end at.
const (
	mariadbWritten = iota
	mariadbConflicts
	mariadbSlot
	mariadbDuplicate
)

func mariadbBlock(sh shape) string {
	var b strings.Builder
	add := func(n int, parts ...string) {
		for range n {
			for _, p := range parts {
				b.WriteString(p)
			}
		}
	}
	if sh.inside {
		b.WriteString(mariadbBeginInside)
	} else {
		b.WriteString(mariadbBegin)
	}
	switch {
	case sh.newContact:
		b.WriteString(insertContact + ";\n")
	case sh.contact:
		b.WriteString(updateContact + mariadbOrLeave)
	}
	switch {
	case sh.newConversation:
		b.WriteString(mariadbConversation + insertConversation + ";\n")
	case sh.message:
		b.WriteString(mariadbByPrimary(updateByMessages) + mariadbOrLeave)
	default:
		b.WriteString(mariadbConversation + mariadbUpdate + "; IF ROW_COUNT() <> 1 THEN SET step = 1; LEAVE work; END IF;\n")
	}
	add(min(sh.keys, 1), mariadbKeys)
	add(sh.keys, insertKey, ";\n")
	b.WriteString(mariadbRest)
	add(sh.linked, insertAddress, ";\n")
	add(sh.events, insertEvent, ";\n")
	add(sh.ofContact, insertContactEvent, ";\n")
	if sh.closed {
		b.WriteString(insertCycle + mariadbUpsertCycle + ";\n")
	}
	if sh.inside {
		b.WriteString(mariadbEndInside)
	} else {
		b.WriteString(mariadbEnd)
	}
	return b.String()
}

// mariadbUpdate leaves it to the unique key to tell a slot that is taken.
var mariadbUpdate = mariadbByPrimary(strings.Split(updateConversation, " AND NOT EXISTS")[0])

// mariadbByPrimary keeps MariaDB from asking each index, all of which begin with the workspace, whether it would be better.
func mariadbByPrimary(update string) string {
	return strings.Replace(update, "UPDATE convo_conversations", "UPDATE convo_conversations FORCE INDEX (PRIMARY)", 1)
}

// commitMariaDB commits a change of one conversation, and perhaps of its contact, in one block.
func commitMariaDB(ctx context.Context, s *Store, ch *convo.Change) (done bool, err error) {
	sh, ok := shapeOf(ch)
	if !ok {
		return false, nil
	}
	sh.inside = s.tx != nil
	k, c := &ch.Contact.Contact, &ch.Conversation.Conversation
	id := s.d.id(c.ID)
	a := make([]any, 0, 128)
	switch {
	case sh.newContact:
		a = s.d.contactArgs(a, k)
	case sh.contact:
		a = append(a, s.d.contactArgs(nil, k)[2:]...)
		a = append(a, k.Workspace, k.ID, ch.Contact.Expected)
	}
	switch {
	case sh.newConversation:
		a = s.d.conversationArgs(a, c)
	case sh.message:
		a = append(messageArgs(a, c), c.Workspace, id, ch.Conversation.Expected)
	default:
		a = append(append(a, s.d.conversationArgs(nil, c)[fixed:]...), c.Workspace, id, ch.Conversation.Expected)
	}
	for i := range ch.Keys {
		a = s.d.keyArgs(a, k.Workspace, &ch.Keys[i])
	}
	a = s.d.mariadbEvents(a, ch)
	if sh.closed {
		a = cycleArgs(append(a, c.Workspace, id), &c.Cycle)
	}
	var step asInt
	if block := s.composed(sh, mariadbBlock); sh.inside {
		_, err = s.row(ctx, block, a, []any{&step})
	} else {
		step, err = s.block(ctx, block, a)
	}
	if err != nil || step == mariadbWritten {
		return true, err
	}
	return true, s.mariadbRefusal(ctx, int(step), ch)
}

// block carries out a block with its own transaction. A killed statement, which no handler in it hears of, leaves the transaction
// open: the connection must not go back to the pool then. That is why the connection is held here, and with it, since an
// sql.Stmt chooses its own, the prepared statement.
func (s *Store) block(ctx context.Context, block string, args []any) (step asInt, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		st, err := s.stmts.blocks.of(ctx, c.(driver.Conn), s.db.Stats().OpenConnections, s.stmts.text(block))
		if err != nil {
			return err
		}
		answer, err := rowOf(ctx, st, args)
		if err != nil {
			return err
		}
		return step.Scan(answer)
	})
	if err != nil && !s.d.conflict(err) { // after which the handler has rolled back
		s.discard(conn)
	}
	return step, s.refusal(err)
}

// blocks are the prepared blocks of each connection.
type blocks struct {
	mu   sync.Mutex
	used int64 // counts calls
	on   map[driver.Conn]*prepared
}

type prepared struct {
	used int64
	by   map[string]driver.Stmt // for who holds the connection
}

// of returns the prepared block of a connection, of which so many are open.
func (b *blocks) of(ctx context.Context, c driver.Conn, open int, block string) (driver.Stmt, error) {
	b.mu.Lock()
	p := b.on[c]
	if p == nil {
		if p = (&prepared{by: map[string]driver.Stmt{}}); b.on == nil {
			b.on = map[driver.Conn]*prepared{}
		}
		b.on[c] = p
	}
	b.used++
	p.used = b.used
	for len(b.on) > 2*max(open, 8) { // most have been closed: forget the one that was not used for longest
		oldest := c
		for c, p := range b.on {
			if p.used < b.on[oldest].used {
				oldest = c
			}
		}
		delete(b.on, oldest)
	}
	b.mu.Unlock()
	if st := p.by[block]; st != nil {
		return st, nil
	}
	var st driver.Stmt
	var err error
	if preparer, ok := c.(driver.ConnPrepareContext); ok {
		st, err = preparer.PrepareContext(ctx, block)
	} else {
		st, err = c.Prepare(block)
	}
	if err == nil {
		p.by[block] = st
	}
	return st, err
}

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
		err = errors.New("sqlstore: the block did not answer")
	}
	if b, ok := row[0].([]byte); ok { // it is the driver's
		row[0] = string(b)
	}
	return row[0], cmp.Or(err, rows.Close())
}

func (d *dialect) mariadbEvents(a []any, ch *convo.Change) []any {
	for i := range ch.Addresses {
		a = addressArgs(a, ch.Contact.Workspace, &ch.Addresses[i])
	}
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Conversation != uuid.Nil {
			a = d.eventArgs(a, e)
		}
	}
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Conversation == uuid.Nil {
			a = d.contactEventArgs(a, e)
		}
	}
	return a
}

// mariadbRefusal says why a block wrote nothing.
func (s *Store) mariadbRefusal(ctx context.Context, step int, ch *convo.Change) error {
	k, c := &ch.Contact.Contact, &ch.Conversation.Conversation
	switch step {
	case mariadbDuplicate:
		return fmt.Errorf("sqlstore: key %q: %w", ch.Keys[0].ID, convo.ErrDuplicate)
	case mariadbSlot:
		var other asID
		found, err := s.row(ctx, otherActive, []any{c.Workspace, c.Contact, s.d.id(c.ID)}, []any{&other})
		if err != nil {
			return err
		}
		if found && c.Status.Active() {
			return fmt.Errorf("sqlstore: conversation %s: %w", c.ID, convo.ErrActiveExists)
		}
	}
	return fmt.Errorf("sqlstore: contact %q, conversation %s: %w", k.ID, c.ID, convo.ErrConflict)
}
