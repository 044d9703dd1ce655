package dialect

import (
	"database/sql"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// MariaDB is the dialect of MariaDB.
var MariaDB = Dialect{
	Name:           "MariaDB",
	Folder:         "mariadb",
	True:           "1",
	False:          "0",
	division:       "DIV",
	upsertDelivery: mariadbUpsertDelivery,
	upsertWaiting:  mariadbUpsertWaiting,
	upsertHead:     mariadbUpsertHead,
	UpsertCycle:    mariadbUpsertCycle,
	UpsertRollups:  mariadbUpsertRollups,
	KeepQueued:     mariadbKeepQueued,
	RestartQueued:  " ON DUPLICATE KEY UPDATE from_seq = 1",
	// ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD, ER_DUP_ENTRY
	Conflicts:       []string{"1213", "1205", "1020", "1062"},
	UniqueViolation: "1062",
	NotCarriedOut: []string{
		"1213", "1205", "1020", "1062", // as above
		// ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_LOCK_TABLE_FULL
		"1021", "1114", "1206",
		// ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED,
		// ER_MAX_PREPARED_STMT_COUNT_REACHED
		"1040", "1203", "1226", "1461",
		// ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR, ER_NO_DB_ERROR, ER_TABLEACCESS_DENIED,
		// ER_COLUMNACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED
		"1044", "1045", "1046", "1142", "1143", "1227",
		// ER_BAD_NULL, ER_BAD_FIELD, ER_PARSE, ER_NO_SUCH_TABLE, ER_NET_PACKET_TOO_LARGE
		"1048", "1054", "1064", "1146", "1153",
		// ER_WRONG_ARGUMENTS (a parameter larger than the packet)
		"1210",
		// ER_WARN_DATA_OUT_OF_RANGE, ER_TRUNCATED_WRONG_VALUE, ER_NO_DEFAULT_FOR_FIELD,
		// ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ER_DATA_TOO_LONG
		"1264", "1292", "1364", "1366", "1406",
		// ER_OPTION_PREVENTS_STATEMENT (read_only), ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
		"1290", "1792",
		// ER_SP_DOES_NOT_EXIST (a savepoint), foreign keys
		"1305", "1451", "1452",
	},
	Savepoint:         mariadbSavepoint,
	Lock:              " FOR UPDATE",
	lockFree:          skipLocked,
	dueIndex:          " FORCE INDEX (convo_active_due)",
	primaryIndex:      " FORCE INDEX (PRIMARY)",
	loadHints:         mariadbLoadHints,
	Isolation:         sql.LevelReadCommitted,
	SnapshotIsolation: sql.LevelRepeatableRead,
	listIndexes:       " FORCE INDEX (%s)",
	lateRows:          true,
	straightJoin:      "STRAIGHT_JOIN",
	rangesOfIndex:     true,
	Compose:           mariadbBlock,
	ComposeArgs:       mariadbArgs,
	SharedPart:        mariadbSharedPart,
	Share:             mariadbShare,
}

// All indexes begin with the workspace, so MariaDB asks each of them what it would find, and that
// takes longer than to find it.
var mariadbLoadHints = strings.NewReplacer(
	"convo_contacts ct", "convo_contacts ct FORCE INDEX (PRIMARY)",
	"convo_contacts linked", "convo_contacts linked FORCE INDEX (PRIMARY)",
	"convo_addresses ad", "convo_addresses ad FORCE INDEX (PRIMARY)",
	"convo_conversations cv", "convo_conversations cv FORCE INDEX (PRIMARY)",
	"convo_active running", "convo_active running FORCE INDEX (convo_active_slot)",
	"convo_active other", "convo_active other FORCE INDEX (convo_active_slot)",
	"convo_conversations latest",
	"convo_conversations latest FORCE INDEX (convo_conversations_latest)",
	"convo_conversations any_lane",
	"convo_conversations any_lane FORCE INDEX (convo_conversations_contact)",
)

const (
	mariadbSavepoint = `BEGIN NOT ATOMIC` + mariadbInSavepoint + `
END`

	mariadbInSavepoint = `
	IF @@in_transaction = 0 THEN
		SIGNAL SQLSTATE '25000' SET MESSAGE_TEXT = 'no transaction is active';
	END IF;
	SAVEPOINT convo;`
)

const mariadbKeepQueued = " ON DUPLICATE KEY UPDATE from_seq = from_seq"

const mariadbUpsertCycle = ` ON DUPLICATE KEY UPDATE
	category = VALUES(category), summary = VALUES(summary), rated_at = VALUES(rated_at),
	score = VALUES(score), rating_comment = VALUES(rating_comment),
	outgoing_user = VALUES(outgoing_user), outgoing_automation = VALUES(outgoing_automation)`

// The status comes last: what is before it sees the old one.
const mariadbUpsertDelivery = ` ON DUPLICATE KEY UPDATE
	unknown_since = IF(VALUES(unknown_since) IS NULL, NULL, unknown_since),
	at = IF(VALUES(status) > status, VALUES(at), at),
	reason = IF(VALUES(status) > status, VALUES(reason), reason),
	status = GREATEST(status, VALUES(status))`

const mariadbUpsertRollups = ` ON DUPLICATE KEY UPDATE
	sums = VALUES(sums), sketches = VALUES(sketches), half_hours = VALUES(half_hours),
	half_hour_sketches = VALUES(half_hour_sketches)`

// A change of one conversation, and perhaps of its contact, as one block. It answers which step
// found something in its way; 0 when all is written. In a transaction that goes on it leaves, of a
// change that is not written whole, nothing, unless it is killed: no handler hears of that.
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

	// A deadlock ends the transaction, and the savepoint with it.
	mariadbBeginInTransaction = `BEGIN NOT ATOMIC
	DECLARE step INT DEFAULT 1;` + mariadbInSavepoint + `
	work: BEGIN
		DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN
			IF @@in_transaction THEN
				ROLLBACK TO SAVEPOINT convo;
				RELEASE SAVEPOINT convo;
			END IF;
			RESIGNAL;
		END;
		DECLARE EXIT HANDLER FOR 1062 BEGIN END;
`
	mariadbEndInTransaction = `		SET step = 0;
	END work;
	IF step <> 0 THEN ROLLBACK TO SAVEPOINT convo; END IF;
	RELEASE SAVEPOINT convo;
	SELECT step;
END`

	mariadbOrLeave = "IF ROW_COUNT() <> 1 THEN LEAVE work; END IF"
	mariadbAtSlot  = "SET step = 2"
	mariadbAtKeys  = "SET step = 3"
	mariadbAtRest  = "SET step = 1"
)

// mariadbOrKnown asks first whether there is a key with that id at all, for which one index is
// enough: MariaDB plans a statement each time, and the five tables of KnownKey cost more to plan
// than the rest of the block. Its arguments are mariadbKeyArgs.
var mariadbOrKnown = `IF EXISTS (
	SELECT 1 FROM convo_keys FORCE INDEX (PRIMARY)
	WHERE workspace = ? AND channel = ? AND id IN (?, ?)
) THEN
	IF EXISTS (` + KnownKey + `) THEN LEAVE work; END IF;
END IF`

func mariadbKeyArgs(workspace string, k convo.KeyID) []any {
	return append([]any{workspace, k.Channel, k.ID, k.Erased()}, KeyArgs(workspace, k)...)
}

// The steps that MariaDB's block may answer.
const (
	MariaDBWritten = iota
	MariaDBConflict
	MariaDBSlotTaken
	MariaDBDuplicateKey
)

func mariadbBlock(class ChangeClass) string {
	if class.shared > 0 {
		return mariadbShared(class.shared, class.Noted)
	}
	var b strings.Builder
	add := func(n int, statements ...string) {
		for range n {
			for _, s := range statements {
				b.WriteString("\t\t" + strings.ReplaceAll(s, "\n", "\n\t\t") + ";\n")
			}
		}
	}
	if class.InTransaction {
		b.WriteString(mariadbBeginInTransaction)
	} else {
		b.WriteString(mariadbBegin)
	}
	switch {
	case class.compared:
		add(1, "IF NOT EXISTS ("+ContactAsLoaded+") THEN LEAVE work; END IF")
	case class.newContact:
		add(1, InsertContact)
	case class.contact:
		add(1, UpdateContact, mariadbOrLeave)
	}
	switch {
	case class.newConversation:
		add(1, InsertConversation)
	case class.message:
		add(1, byPrimaryKey(UpdateByMessages), mariadbOrLeave)
	default:
		add(1, byPrimaryKey(UpdateConversation), mariadbOrLeave)
	}
	active := activeStatements[class.listing]
	switch class.listing {
	case convo.RowKept:
	case convo.RowAdded:
		add(1, mariadbAtSlot, active, mariadbAtRest)
	default:
		add(1, active)
	}
	add(1, placesStatements(class)...)
	add(min(class.keys, 1), mariadbAtKeys)
	add(class.keys, mariadbOrKnown, InsertKey)
	add(1, mariadbAtRest)
	add(class.addresses, InsertAddress)
	if class.message {
		add(1, InsertMessageEvent)
	} else {
		add(class.events, InsertEvent)
	}
	add(min(class.events, 1), InsertQueued+mariadbKeepQueued)
	add(class.contactEvents, InsertContactEvent)
	if class.Noted {
		add(min(class.events, 1)+min(class.contactEvents, 1), InsertNote)
	}
	if class.closed {
		add(1, InsertCycle+mariadbUpsertCycle)
	}
	if class.InTransaction {
		b.WriteString(mariadbEndInTransaction)
	} else {
		b.WriteString(mariadbEnd)
	}
	return b.String()
}

// byPrimaryKey keeps MariaDB from asking each index, all of which begin with the workspace, whether
// it would be better.
func byPrimaryKey(update string) string {
	return strings.Replace(update, "UPDATE convo_conversations",
		"UPDATE convo_conversations FORCE INDEX (PRIMARY)", 1)
}

// firstSeq is the Seq of the first event of the conversation of ch.
func firstSeq(ch *convo.Change) int64 {
	for i := range ch.Events {
		if ch.Events[i].Conversation == ch.Conversation.ID {
			return ch.Events[i].Seq
		}
	}
	return 0
}

// mariadbArgs are the arguments of mariadbBlock, in its order.
func mariadbArgs(d *Dialect, class ChangeClass, ch *convo.Change) []any {
	contact, c := &ch.Contact.Contact, &ch.Conversation.Conversation
	a := make([]any, 0, 128)
	switch {
	case class.compared:
		a = append(a, LoadedArgs(&ch.Contact)...)
	case class.newContact:
		a = Contacts.All.Args(d, a, contact)
	case class.contact:
		a = Contacts.Mutable.Args(d, a, contact)
		a = append(a, LoadedArgs(&ch.Contact)...)
	}
	switch {
	case class.newConversation:
		a = Conversations.All.Args(d, a, c)
	case class.message:
		a = Conversations.ByMessages.Args(d, a, c)
		a = LoadedConversationArgs(d, a, &ch.Conversation)
	default:
		a = Conversations.Mutable.Args(d, a, c)
		a = LoadedConversationArgs(d, a, &ch.Conversation)
	}
	a = listingArgs(d, a, &ch.Conversation)
	for i := range ch.Keys {
		a = append(a, mariadbKeyArgs(contact.Workspace, ch.Keys[i].KeyID)...)
		a = Keys.All.Args(d, a, &Key{contact.Workspace, ch.Keys[i]})
	}
	for i := range ch.Addresses {
		a = Addresses.All.Args(d, a, &Address{contact.Workspace, ch.Addresses[i]})
	}
	columns := Events.All
	if class.message {
		columns = MessageEvents
	}
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Conversation != uuid.Nil {
			a = EventArgs(columns, d, a, e)
		}
	}
	if class.events > 0 {
		a = append(a, c.Workspace, d.ID(c.ID), firstSeq(ch))
	}
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Conversation == uuid.Nil {
			a = EventArgs(ContactEvents.All, d, a, e)
		}
	}
	a = notesArgs(d, a, class, ch)
	if class.closed {
		a = Cycles.All.Args(d, a, &ClosedCycle{c.Workspace, c.ID, c.Channel, c.Lane, &c.Cycle})
	}
	return a
}
