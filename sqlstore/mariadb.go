package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var mariadb = dialect{
	name:        "MariaDB",
	folder:      "mariadb",
	goose:       "mysql",
	id:          idBytes,
	upsertCycle: mariadbUpsertCycle,
	// ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD, ER_DUP_ENTRY
	conflicts: []string{"1213", "1205", "1020", "1062"},
	taken:     "1062",
	// ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_QUERY_INTERRUPTED
	unsettled: []string{"1053", "1927", "1317"},
	lock:      " FOR UPDATE",
	level:     sql.LevelReadCommitted,
	check:     checkMariaDB,
	commit:    commitMariaDB,
}

const mariadbUpsertCycle = ` ON DUPLICATE KEY UPDATE
	category = VALUES(category), summary = VALUES(summary)`

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
// when all is written. The first ROLLBACK is for what a killed block may have left behind on the connection.
const (
	mariadbBegin = `BEGIN NOT ATOMIC
	DECLARE step INT DEFAULT 1;
	DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
	DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
	ROLLBACK;
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
	k, c := &ch.Thread.Contact, &ch.Thread.Conversation
	id := s.d.id(c.ID)
	a := make([]any, 0, 128)
	switch {
	case sh.newContact:
		a = s.d.contactArgs(a, k)
	case sh.contact:
		a = append(a, s.d.contactArgs(nil, k)[2:]...)
		a = append(a, k.Workspace, k.ID, ch.Loaded.ContactVersion)
	}
	switch {
	case sh.newConversation:
		a = s.d.conversationArgs(a, c)
	case sh.message:
		a = append(messageArgs(a, c), c.Workspace, id, ch.Loaded.Version)
	default:
		a = append(append(a, s.d.conversationArgs(nil, c)[fixed:]...), c.Workspace, id, ch.Loaded.Version)
	}
	for i := range ch.Keys {
		a = s.d.keyArgs(a, k.Workspace, &ch.Keys[i])
	}
	a = s.d.mariadbEvents(a, ch)
	if sh.closed {
		a = cycleArgs(append(a, c.Workspace, id), &c.Cycle)
	}
	var step asInt
	found, err := s.row(ctx, s.composed(sh, mariadbBlock), a, []any{&step})
	if err == nil && !found {
		err = errors.New("sqlstore: the block did not answer")
	}
	if err != nil || step == mariadbWritten {
		return true, err
	}
	return true, s.mariadbRefusal(ctx, int(step), ch)
}

func (d *dialect) mariadbEvents(a []any, ch *convo.Change) []any {
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Kind == convo.AddressLinked {
			a = append(a, e.Workspace, e.Channel, e.Address, e.Contact)
		}
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
	k, c := &ch.Thread.Contact, &ch.Thread.Conversation
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
