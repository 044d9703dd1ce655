package dialect

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// PostgreSQL is the dialect of PostgreSQL.
var PostgreSQL = Dialect{
	Name:             "PostgreSQL",
	Folder:           "postgres",
	placeholders:     numbered,
	idsAsText:        true,
	oneColumn:        true,
	True:             "TRUE",
	False:            "FALSE",
	division:         "/",
	InsertOnce:       standardInsertOnce,
	InsertUnknownKey: strings.Replace(insertUnknownKey, "{values}", Keys.All.casts(), 1),
	upsertDelivery:   standardUpsertDelivery,
	takeNotes:        postgresTakeNotes,
	upsertWaiting:    standardUpsertWaiting,
	upsertHead:       standardUpsertHead,
	manyAsJSON:       true,
	UpsertCycle:      standardUpsertCycle,
	rollupKey:        "(?::text, ?::integer, ?::bigint, ?::bigint, ?::text)",
	UpsertRollups:    standardUpsertRollups,
	KeepQueued:       standardInsertOnce,
	RestartQueued:    standardRestartQueued,
	// serialization_failure, deadlock_detected, lock_not_available, unique_violation
	Conflicts:       []string{"40001", "40P01", "55P03", "23505"},
	UniqueViolation: "23505",
	// feature_not_supported, data exception, integrity constraint violation, invalid transaction
	// state, invalid statement name, serialization_failure, deadlock_detected, syntax error or
	// access rule violation, WITH CHECK OPTION violation, disk_full, out_of_memory,
	// configuration_limit_exceeded, program limit exceeded, lock_not_available, raise_exception.
	// Not what poolers answer in the server's place while that goes on (08P01, 53300), not 40003,
	// statement_completion_unknown, not what may come at any time (57), nor what should not happen.
	NotCarriedOut: []string{
		"0A000", "22", "23", "25", "26", "40001", "40P01", "42", "44",
		"53100", "53200", "53400", "54", "55P03", "P0001",
	},
	Savepoint:         savepoint,
	Lock:              " FOR UPDATE OF ct, cv",
	LockOfBoth:        true,
	lockFree:          skipLocked,
	withTies:          true,
	Isolation:         sql.LevelReadCommitted,
	SnapshotIsolation: sql.LevelRepeatableRead,
	LoadsInTransaction: postgresMarked(
		LoadContact, LoadAddress, LoadConversation, LoadContactAndOwner,
	),
	Compose:     postgresChange,
	ComposeArgs: postgresArgs,
	SharedPart:  postgresSharedPart,
	Share:       postgresShare,
}

var postgresTypes = [...]string{
	text: "text", keyText: "text", freeText: "text", plainText: "text", jsonText: "text",
	bigInt: "bigint",
	count:  "integer",
	flag:   "boolean", micros: "bigint", id: "uuid", eventKind: "text",
}

// casts are placeholders that say their types, where PostgreSQL cannot tell them by a column.
func (cs Columns[R]) casts() string {
	return cs.each(", ", func(c *Column[R]) string { return "?::" + postgresTypes[c.kind] })
}

// namedCasts are casts with the names of the columns.
func (cs Columns[R]) namedCasts() string {
	return cs.each(", ", func(c *Column[R]) string {
		return "?::" + postgresTypes[c.kind] + " AS " + c.name
	})
}

// recordset reads a list of JSON objects as rows of these columns, under a name.
func (cs Columns[R]) recordset(name string) string {
	return "json_to_recordset(?::json) AS " + name + "(" + cs.each(", ", func(c *Column[R]) string {
		return c.name + " " + postgresTypes[c.kind]
	}) + ")"
}

// The columns of lists, whose rows are all of the one conversation or contact.
var (
	listedKeys          = Keys.All.without("workspace")
	listedAddresses     = Addresses.All.without("workspace")
	listedEvents        = Events.All.without("workspace", "conversation")
	listedMessages      = MessageEvents.without("workspace", "conversation")
	listedContactEvents = ContactEvents.All.without("workspace")
)

// One message or note in a conversation that is there: all of it in one statement, which writes
// nothing when the version is not the loaded one or the key is known. It answers how many rows it
// wrote, and how many keys were known.
var (
	postgresMessage      = `WITH ` + postgresUpdateByMessages
	postgresWroteMessage = `
SELECT count(*), 0, 0 FROM wrote_conversation`

	postgresKeyedMessage = `WITH known AS (
	` + KnownKey + `
), ` + postgresUpdateByMessages + ` AND NOT EXISTS (SELECT FROM known)`
	postgresMessageKey = `, wrote_key AS (
	INSERT INTO convo_keys (` + Keys.All.Names() + `)
	SELECT wrote_conversation.workspace, ` + listedKeys.casts() + `
	FROM wrote_conversation
)`
	postgresWroteKeyedMessage = `
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known), 0`

	postgresUpdateByMessages = `wrote_conversation AS (
	` + UpdateByMessages

	postgresMessageEvent = `
	RETURNING workspace, id
), wrote_event AS (
	INSERT INTO convo_events (` + MessageEvents.Names() + `)
	SELECT wrote_conversation.workspace, wrote_conversation.id, ` + listedMessages.casts() + `
	FROM wrote_conversation
), ` + postgresQueued + `
	SELECT workspace, id, ?::bigint FROM wrote_conversation` + standardInsertOnce + `
)`

	postgresCompared = `
		AND EXISTS (` + ContactAsLoaded + `)`

	// After the conversation is held: Rollup takes such rows away only while it holds that.
	postgresQueued = `noted AS (
	INSERT INTO convo_rollup_queue (` + RollupQueue.All.Names() + `)`
)

// Any other change of one conversation: the parts of one statement. What is wrong already is seen
// before anything is written; what goes wrong at the same instant violates a key, which undoes the
// statement. Parts that write follow from a row of wrote_conversation.
var (
	postgresWanted = `WITH wanted AS (
	SELECT ` + Conversations.All.namedCasts() + `
)`

	postgresTaken = `, taken AS (
	SELECT 1 FROM wanted JOIN convo_active other ON other.workspace = wanted.workspace
		AND other.contact = wanted.contact AND other.lane = wanted.lane AND other.id <> wanted.id
)`

	// LIMIT keeps the planner from reading the whole table, whose size it may not know yet.
	postgresKnown = `, new_keys AS (
	SELECT * FROM ` + askedKeys.recordset("listed_keys") + `
), known AS (
	SELECT 1 FROM wanted, new_keys CROSS JOIN LATERAL (SELECT 1 FROM ` +
		keysFound("wanted.workspace", "new_keys.channel", "new_keys.id", "new_keys.erased",
			"new_keys.address", "new_keys.contact") + ` LIMIT 1) old
)`

	postgresLinked = `, new_addresses AS (
	SELECT * FROM ` + listedAddresses.recordset("listed_addresses") + `
), linked AS (
	SELECT 1 FROM wanted, new_addresses CROSS JOIN LATERAL (
		SELECT 1 FROM convo_addresses old WHERE old.workspace = wanted.workspace
			AND old.channel = new_addresses.channel AND old.value = new_addresses.value LIMIT 1) old
)`

	postgresInsertContact = `, wrote_contact AS (
	INSERT INTO convo_contacts (` + Contacts.All.Names() + `)
	SELECT ` + Contacts.All.casts() + ` FROM free
	ON CONFLICT DO NOTHING RETURNING 1
)`

	postgresUpdateContact = `, wrote_contact AS (
	UPDATE convo_contacts ct SET ` + Contacts.Mutable.assignments() + `
	FROM {after} WHERE ct.workspace = ? AND ct.id = ? AND ct.version = ? AND ct.seen_at <= ?
	RETURNING 1
)`

	postgresInsertConversation = `, wrote_conversation AS (
	INSERT INTO convo_conversations (` + Conversations.All.Names() + `)
	SELECT ` + Conversations.All.Qualify("wanted") + ` FROM wanted, wrote_contact RETURNING 1
)`

	postgresUpdateConversation = `, wrote_conversation AS (
	UPDATE convo_conversations cv SET (` + Conversations.Mutable.Names() + `)
		= (` + Conversations.Mutable.Qualify("wanted") + `)
	FROM wanted, {after}
	WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id
		AND ` + asLoaded("cv.", placeholder) + ` RETURNING 1
)`

	postgresActive = map[convo.RowAction]string{
		convo.RowAdded: `, wrote_active AS (
	INSERT INTO convo_active (` + Actives.All.Names() + `)
	SELECT ` + Actives.All.Qualify("wanted") + ` FROM wanted, wrote_conversation
)`,
		convo.RowUpdated: `, wrote_active AS (
	UPDATE convo_active ac SET (` + Actives.Mutable.Names() + `)
		= (` + Actives.Mutable.Qualify("wanted") + `)
	FROM wanted, wrote_conversation
	WHERE ac.workspace = wanted.workspace AND ac.id = wanted.id
)`,
		convo.RowRemoved: `, wrote_active AS (
	DELETE FROM convo_active ac USING wanted, wrote_conversation
	WHERE ac.workspace = wanted.workspace AND ac.id = wanted.id
)`,
	}

	postgresCycle = `, wrote_cycle AS (
	INSERT INTO convo_cycles (` + Cycles.All.Names() + `)
	SELECT wanted.workspace, wanted.id, wanted.channel, wanted.lane, ` +
		Cycle.Qualify("wanted") + `
	FROM wanted, wrote_conversation{again}
)`

	postgresKeys = `, wrote_keys AS (
	INSERT INTO convo_keys (` + Keys.All.Names() + `)
	SELECT wanted.workspace, ` + listedKeys.Qualify("new_keys") + `
	FROM wanted, wrote_conversation, new_keys
)`

	postgresAddresses = `, wrote_addresses AS (
	INSERT INTO convo_addresses (` + Addresses.All.Names() + `)
	SELECT wanted.workspace, ` + listedAddresses.Qualify("new_addresses") + `
	FROM wanted, wrote_conversation, new_addresses
)`

	postgresEvents = `, wrote_events AS (
	INSERT INTO convo_events (` + Events.All.Names() + `)
	SELECT wanted.workspace, wanted.id, ` + listedEvents.Qualify("new_events") + `
	FROM wanted, wrote_conversation, ` + listedEvents.recordset("new_events") + `
), ` + postgresQueued + `
	SELECT wanted.workspace, wanted.id, ?::bigint
	FROM wanted, wrote_conversation{unless}
)`

	postgresContactEvents = `, wrote_contact_events AS (
	INSERT INTO convo_contact_events (` + ContactEvents.All.Names() + `)
	SELECT wanted.workspace, ` + listedContactEvents.Qualify("new_events") + `
	FROM wanted, wrote_conversation, ` + listedContactEvents.recordset("new_events") + `
)`
)

// Notes of the outbox.
var (
	postgresNoteOfEvents        = postgresNote("noted_events")
	postgresNoteOfContactEvents = postgresNote("noted_contact_events")
)

func postgresNote(name string) string {
	return `, ` + name + ` AS (
	INSERT INTO convo_outbox (` + Outbox.All.Names() + `)
	SELECT ` + Outbox.All.casts() + ` FROM wrote_conversation
)`
}

// postgresHold holds a contact and a conversation that are both as they were loaded before either
// is written: a contact that is written stays so, whatever is found of the conversation.
var postgresHold = `, held_contact AS (
	SELECT 1 FROM free, convo_contacts ct
	WHERE ct.workspace = ? AND ct.id = ? AND ct.version = ? FOR UPDATE OF ct
), held AS (
	SELECT 1 FROM wanted, held_contact, convo_conversations cv
	WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id
		AND ` + asLoaded("cv.", placeholder) + ` FOR UPDATE OF cv
)`

// postgresMark tells transactions of a connection apart: it is when this one began.
const postgresMark = `(extract(epoch FROM transaction_timestamp()) * 1000000)::bigint`

// postgresMarked has statements of Load select a mark before all else, and a row also when nothing
// is found. A transaction of one moment has none: there an error, which costs all of it, is how a
// lost race is told.
func postgresMarked(loads ...string) map[string]string {
	marked := map[string]string{}
	for _, load := range loads {
		marked[load] = `SELECT here.mark, loaded.* FROM (
	SELECT CASE WHEN current_setting('transaction_isolation') = 'read committed'
		THEN ` + postgresMark + ` END AS mark
) here LEFT JOIN (
	` + load + `
) loaded ON TRUE`
	}
	return marked
}

// postgresHere are the parts of a statement that is to write nothing but in the transaction with a
// mark, its first argument. It answers first whether it was there.
const (
	postgresHere = `WITH here AS (
	SELECT 1 WHERE ` + postgresMark + ` = ?
), `
	postgresIfHere  = ` AND EXISTS (SELECT FROM here)`
	postgresWasHere = `(SELECT count(*) FROM here), `
)

// postgresChange puts the statement for a class together.
func postgresChange(class ChangeClass) string {
	switch {
	case class.shared > 0 && class.Noted:
		return postgresShared(postgresSharedNotes)
	case class.shared > 0:
		return postgresShared("")
	}
	statement := postgresChangeAnywhere(class)
	if !class.InTransaction {
		return statement
	}
	const answer = "\nSELECT " // no other one begins a line
	return postgresHere + strings.Replace(strings.TrimPrefix(statement, "WITH "), answer,
		answer+postgresWasHere, 1)
}

func postgresChangeAnywhere(class ChangeClass) string {
	var b strings.Builder
	add := func(wanted bool, part string) {
		if wanted {
			b.WriteString(part)
		}
	}
	keys, addresses := class.keys > 0, class.addresses > 0
	if class.message {
		update, rest := postgresMessage, postgresMessageEvent
		if keys {
			update, rest = postgresKeyedMessage, postgresMessageEvent+postgresMessageKey
		}
		add(true, update)
		add(class.compared, postgresCompared)
		add(class.InTransaction, postgresIfHere)
		add(true, rest)
		add(class.Noted, postgresNoteOfEvents)
		add(true, postgresPlaces(class.moves))
		add(!keys, postgresWroteMessage)
		add(keys, postgresWroteKeyedMessage)
		return b.String()
	}
	after := func(part, name string) string { return strings.Replace(part, "{after}", name, 1) }

	becomesActive := class.listing == convo.RowAdded
	add(true, postgresWanted)
	add(becomesActive, postgresTaken)
	add(keys, postgresKnown)
	add(addresses, postgresLinked)
	add(true, ", free AS (SELECT 1 WHERE TRUE")
	add(becomesActive, " AND NOT EXISTS (SELECT FROM taken)")
	add(keys, " AND NOT EXISTS (SELECT FROM known)")
	add(addresses, " AND NOT EXISTS (SELECT FROM linked)")
	add(class.compared, postgresCompared)
	add(class.InTransaction, postgresIfHere)
	add(true, ")")

	before := "wrote_contact"
	switch {
	case !class.contact:
		before = "free"
	case class.newContact:
		add(true, postgresInsertContact)
	case class.newConversation:
		add(true, after(postgresUpdateContact, "free"))
	default:
		add(true, postgresHold+after(postgresUpdateContact, "held"))
	}
	add(class.newConversation, postgresInsertConversation)
	add(!class.newConversation, after(postgresUpdateConversation, before))
	add(true, postgresActive[class.listing])
	add(true, postgresPlaces(class.moves))
	again := "\n\t" + standardUpsertCycle
	if class.listing == convo.RowRemoved { // it is closed just now, so it has no row yet
		again = ""
	}
	add(class.closed, strings.Replace(postgresCycle, "{again}", again, 1))
	add(keys, postgresKeys)
	add(addresses, postgresAddresses)
	unless := standardInsertOnce
	if class.newConversation { // it is in no queue yet, and being told so costs a record
		unless = ""
	}
	add(class.events > 0, strings.Replace(postgresEvents, "{unless}", unless, 1))
	add(class.contactEvents > 0, postgresContactEvents)
	add(class.Noted && class.events > 0, postgresNoteOfEvents)
	add(class.Noted && class.contactEvents > 0, postgresNoteOfContactEvents)

	add(true, "\nSELECT (SELECT count(*) FROM wrote_conversation), ")
	add(keys, "(SELECT count(*) FROM known)")
	add(!keys, "0")
	add(becomesActive, ", (SELECT count(*) FROM taken)")
	add(!becomesActive, ", 0")
	return b.String()
}

// postgresPlaces moves the conversation in lists, if it was written. The arguments are placesArgs.
func postgresPlaces(of moves) string {
	var b strings.Builder
	for i, action := range of {
		if action != convo.RowKept {
			fmt.Fprintf(&b, ", placed_%d AS (\n\t%s\n)", i, postgresPlace[action])
		}
	}
	return b.String()
}

// A part sees nothing of what the others of its statement write: that a conversation was written is
// seen by the answer of wrote_conversation.
var postgresPlace = map[convo.RowAction]string{
	convo.RowAdded: `INSERT INTO convo_places (workspace, list, at, id)
	SELECT ?::text, ?::integer, ?::bigint, ?::uuid FROM wrote_conversation`,
	convo.RowUpdated: `UPDATE convo_places pl SET list = ?, at = ? FROM wrote_conversation
	WHERE pl.workspace = ? AND pl.list = ? AND pl.at = ? AND pl.id = ?`,
	convo.RowRemoved: `DELETE FROM convo_places pl USING wrote_conversation
	WHERE pl.workspace = ? AND pl.list = ? AND pl.at = ? AND pl.id = ?`,
}

// postgresArgs are the arguments of postgresChange, in its order.
func postgresArgs(d *Dialect, class ChangeClass, ch *convo.Change) []any {
	contact, c := &ch.Contact.Contact, &ch.Conversation.Conversation
	if class.message {
		return postgresMessageArgs(d, class, ch)
	}
	a := Conversations.All.Args(d, make([]any, 0, 64), c)
	if class.keys > 0 {
		a = append(a, listOf(d, askedKeys, ch.Keys,
			func(k convo.Key) *Key { return &Key{contact.Workspace, k} }))
	}
	if class.addresses > 0 {
		a = append(a, listOf(d, listedAddresses, ch.Addresses,
			func(r convo.AddressRow) *Address { return &Address{contact.Workspace, r} }))
	}
	switch {
	case class.compared:
		a = append(a, LoadedArgs(&ch.Contact)...)
	case !class.contact:
	case class.newContact:
		a = Contacts.All.Args(d, a, contact)
	default:
		loaded := LoadedArgs(&ch.Contact)
		if !class.newConversation {
			a = asLoadedArgs(append(a, loaded[:3]...), &ch.Conversation)
		}
		a = append(Contacts.Mutable.Args(d, a, contact), loaded...)
	}
	if !class.newConversation {
		a = asLoadedArgs(a, &ch.Conversation)
	}
	a = placesArgs(d, a, &ch.Conversation)
	if class.events > 0 {
		a = append(a, listOfEvents(d, listedEvents, ch.Events, c.ID), firstSeq(ch))
	}
	if class.contactEvents > 0 {
		a = append(a, listOfEvents(d, listedContactEvents, ch.Events, uuid.Nil))
	}
	return notesArgs(d, a, class, ch)
}

func postgresMessageArgs(d *Dialect, class ChangeClass, ch *convo.Change) []any {
	c := &ch.Conversation.Conversation
	a := make([]any, 0, 64)
	if class.keys > 0 {
		a = append(a, KeyArgs(c.Workspace, ch.Keys[0].KeyID)...)
	}
	a = Conversations.ByMessages.Args(d, a, c)
	a = LoadedConversationArgs(d, a, &ch.Conversation)
	if class.compared {
		a = append(a, LoadedArgs(&ch.Contact)...)
	}
	a = append(EventArgs(listedMessages, d, a, &ch.Events[0]), ch.Events[0].Seq)
	if class.keys > 0 {
		a = listedKeys.Args(d, a, &Key{c.Workspace, ch.Keys[0]})
	}
	a = notesArgs(d, a, class, ch)
	return placesArgs(d, a, &ch.Conversation)
}

// listOf is a JSON list with an object for each row.
func listOf[R, T any](d *Dialect, columns Columns[R], rows []T, row func(T) *R) string {
	b := []byte{'['}
	for i := range rows {
		b = append(columns.appendObject(b, d, row(rows[i])), ',')
	}
	b[len(b)-1] = ']'
	return string(b)
}

// listOfEvents is a JSON list of the events of one conversation, or, without one, of the contact
// itself.
func listOfEvents(
	d *Dialect, columns Columns[convo.EventRow], events []convo.Event, conversation uuid.UUID,
) string {
	b := []byte{'['}
	for i := range events {
		if events[i].Conversation == conversation {
			r := borrowRow(&events[i])
			b = append(columns.appendObject(b, d, r), ',')
			giveBack(r)
		}
	}
	b[len(b)-1] = ']'
	return string(b)
}
