package dialect

import (
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// The statements that are the same on every engine, with ? for the arguments and the default prefix
// of the tables. What differs between the engines stands in their own files. Aliases: ct contact,
// cv conversation, cy cycle, ev event, ce event of a contact, ad address.

// snapshotPlaceholder stands for what Load selects of a contact ct and its conversation cv.
const snapshotPlaceholder = "{snapshot}"

const (
	// otherActiveID is the contact's active conversation in the lane when it is another one.
	otherActiveID = `CASE WHEN cv.active THEN NULL ELSE (
		SELECT other.id FROM convo_active other
		WHERE other.workspace = ct.workspace AND other.contact = ct.id
			AND other.lane = cv.lane) END`

	// hasConversation is asked only where there is none in the lane.
	hasConversation = `CASE WHEN cv.id IS NULL THEN EXISTS (
		SELECT 1 FROM convo_conversations any_lane
		WHERE any_lane.workspace = ct.workspace AND any_lane.contact = ct.id)
		ELSE 1 = 1 END`
)

var snapshotColumns = Contacts.Read.Qualify("ct") + `,
	` + otherActiveID + `,
	` + hasConversation + `,
	` + Conversations.Read.Qualify("cv")

// What Load sends. The lane comes twice, where the latest conversation is joined.
const (
	latestConversation = `
	LEFT JOIN convo_conversations cv
		ON cv.workspace = ct.workspace AND cv.id = COALESCE((
			SELECT running.id FROM convo_active running
			WHERE running.workspace = ct.workspace AND running.contact = ct.id
				AND running.lane = ?), (
			SELECT latest.id FROM convo_conversations latest
			WHERE latest.workspace = ct.workspace AND latest.contact = ct.id AND latest.lane = ?
			ORDER BY latest.opened_at DESC, latest.id DESC LIMIT 1))`

	LoadContact = `SELECT ` + snapshotPlaceholder + `
	FROM convo_contacts ct` + latestConversation + `
	WHERE ct.workspace = ? AND ct.id = ?`

	LoadAddress = `SELECT ` + snapshotPlaceholder + `
	FROM convo_addresses ad
	JOIN convo_contacts linked ON linked.workspace = ad.workspace AND linked.id = ad.contact
	JOIN convo_contacts ct ON ct.workspace = linked.workspace
		AND ct.id = COALESCE(linked.merged_into, linked.id)` + latestConversation + `
	WHERE ad.workspace = ? AND ad.channel = ? AND ad.value = ?`

	LoadConversation = `SELECT ` + snapshotPlaceholder + `
	FROM convo_conversations cv
	JOIN convo_contacts ct ON ct.workspace = cv.workspace AND ct.id = cv.contact
	WHERE cv.workspace = ? AND cv.id = ?`

	addressOwner = `SELECT COALESCE(linked.merged_into, linked.id) FROM convo_addresses ad
	JOIN convo_contacts linked ON linked.workspace = ad.workspace AND linked.id = ad.contact
	WHERE ad.workspace = ? AND ad.channel = ? AND ad.value = ?`

	// A row, even when the contact is not there, for the owner of the address is wanted then, too.
	LoadContactAndOwner = `SELECT (` + addressOwner + `),
	` + snapshotPlaceholder + `
	FROM (SELECT 1 AS one) one
	LEFT JOIN convo_contacts ct ON ct.workspace = ? AND ct.id = ?` + latestConversation
)

// What the other reads send.
var (
	OneConversation = `SELECT ` + Conversations.Read.Names() + `
	FROM convo_conversations
	WHERE workspace = ? AND id = ?`

	EventsOfConversation = `SELECT ` + Events.Read.Names() + `
	FROM convo_events
	WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?`

	// KeysFound are those that a KeyID finds: see KeyArgs.
	KeysFound = `SELECT ` + Keys.Read.Qualify("ky") + `
	FROM ` + keysFound("?", "?", "?", "?", "?", "?")

	// EventsOfOwnLog are those of a contact itself.
	EventsOfOwnLog = `SELECT ` + ContactEvents.Read.Names() + `
	FROM convo_contact_events
	WHERE workspace = ? AND contact = ? AND seq > ? ORDER BY seq LIMIT ?`

	// CyclesOfConversation are the closed ones.
	CyclesOfConversation = `SELECT ` + Cycles.Read.Names() + `
	FROM convo_cycles
	WHERE workspace = ? AND conversation = ? ORDER BY number`
)

// keysFound says in SQL what convo.KeyID.Finds says in Go, of a workspace and the fields of a
// KeyID. The address stands there twice: see KeyArgs. The id of an erased key begins with a control
// character, which no other one has.
func keysFound(workspace, channel, id, erased, address, contact string) string {
	return `convo_keys ky
	LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
	WHERE ky.workspace = ` + workspace + ` AND ky.channel = ` + channel + `
		AND ky.id IN (` + id + `, ` + erased + `)
		AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ` + address + `
		OR (ky.address = '' OR ` + address + ` = '')
			AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
				WHERE asked.workspace = ky.workspace AND asked.id = ` + contact + `)
			IN (COALESCE(kc.merged_into, kc.id), (
				SELECT holds.contact FROM convo_conversations holds
				WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))`
}

// ArgsOfContacts are the arguments of Contacts, but for the ids, at most.
const ArgsOfContacts = 5

// Contacts is the statement for a page of root contacts.
func (d *Dialect) Contacts(f *convo.ContactFilter) (statement string, args []any) {
	where, order := "workspace = ? AND merged_into IS NULL", "id"
	args = []any{f.Workspace}
	add := func(condition string, values ...any) {
		where += " AND " + condition
		args = append(args, values...)
	}
	from := "convo_contacts"
	switch {
	case !f.BySeen:
		add("id > ?", f.After.ID)
	case f.After != convo.ContactCursor{}:
		at := f.After.SeenAt.UnixMicro()
		add("seen_at <= ? AND (seen_at < ? OR id < ?)", at, at, f.After.ID)
	}
	if f.BySeen {
		// As the partial indexes say it. As a bound it would, to PostgreSQL, leave next to none.
		add("seen_at <> " + strconv.FormatInt(time.Time{}.UnixMicro(), 10))
		order = "seen_at DESC, id DESC"
		if len(f.IDs) == 0 && !f.Blocked {
			from += d.byIndex("convo_contacts_seen")
		}
	}
	if len(f.IDs) > 0 {
		add("id IN (" + Placeholders(len(f.IDs)) + ")")
		for _, id := range f.IDs {
			args = append(args, id)
		}
	}
	if f.Blocked {
		add("blocked = " + d.True)
	}
	return `SELECT ` + Contacts.Read.Names() + `
	FROM ` + from + `
	WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ?`, append(args, f.Limit)
}

// LoadedArgs are the last arguments of UpdateContact, and those of ContactAsLoaded: what the row
// there must be like.
func LoadedArgs(c *convo.ContactRow) []any {
	return []any{c.Workspace, c.ID, c.Expected, c.SeenAt.UnixMicro()}
}

// KeyArgs are the arguments of KeysFound and KnownKey.
func KeyArgs(workspace string, k convo.KeyID) []any {
	return []any{workspace, k.Channel, k.ID, k.Erased(), k.Address, k.Address, k.Contact}
}

// Reads without lists of columns.
const (
	AddressesByIdentity = `SELECT ad.channel, ad.value, COALESCE(linked.merged_into, linked.id)
	FROM convo_addresses ad
	JOIN convo_contacts linked ON linked.workspace = ad.workspace AND linked.id = ad.contact
	WHERE ad.workspace = ? AND ad.identity = ? AND (ad.channel, ad.value) > (?, ?)
	ORDER BY ad.channel, ad.value LIMIT ?`

	// EventAt and ContactEventAt read what stands where an event was to be written.
	EventAt = `SELECT id, contact FROM convo_events
	WHERE workspace = ? AND conversation = ? AND seq = ?`
	ContactEventAt = `SELECT id, contact FROM convo_contact_events
	WHERE workspace = ? AND contact = ? AND seq = ?`
)

// noTime is how the zero time is bound.
var noTime = strconv.FormatInt(time.Time{}.UnixMicro(), 10)

// A commit, statement by statement.
var (
	InsertContact = `INSERT INTO convo_contacts (` + Contacts.All.Names() + `)
	VALUES (` + Contacts.All.placeholders() + `)`

	UpdateContact = `UPDATE convo_contacts SET ` + Contacts.Mutable.assignments() + `
	WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?`

	// TouchContact is of a merged one, in whose own log something was written.
	TouchContact = `UPDATE convo_contacts SET version = ?, updated_at = ?
	WHERE workspace = ? AND id = ? AND version = ?`

	// ContactAsLoaded finds a contact as it was loaded. LoadedArgs are its arguments.
	ContactAsLoaded = `SELECT 1 FROM convo_contacts
	WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?`

	InsertConversation = `INSERT INTO convo_conversations (` + Conversations.All.Names() + `)
	VALUES (` + Conversations.All.placeholders() + `)`

	UpdateConversation = `UPDATE convo_conversations SET ` + Conversations.Mutable.assignments() + `
	WHERE workspace = ? AND id = ? AND ` + asLoaded("", placeholder)

	// UpdateMoved is UpdateConversation of one that was moved, with what that changes behind the
	// columns.
	UpdateMoved = strings.Replace(UpdateConversation, "\n\tWHERE",
		", contact = ?, origin = ?, lane = ?, channel = ?\n\tWHERE", 1)

	UpdateByMessages = `UPDATE convo_conversations SET ` +
		Conversations.ByMessages.assignments() + `
	WHERE workspace = ? AND id = ? AND ` + asLoaded("", placeholder)

	// The row by which an active conversation is filtered: see places.go.
	InsertActive = `INSERT INTO convo_active (` + Actives.All.Names() + `)
	VALUES (` + Actives.All.placeholders() + `)`

	UpdateActive = `UPDATE convo_active SET ` + Actives.Mutable.assignments() + `
	WHERE workspace = ? AND id = ?`

	// MoveActive is UpdateActive of one that was moved, and demands that the slot is free; without
	// Dialect.InsertOnce, moveActive does, for the engine's own error says so.
	MoveActive = moveActive + ` AND NOT EXISTS (` + OtherActive + `)`
	moveActive = `UPDATE convo_active SET ` + Actives.Mutable.assignments() + `, contact = ?
	WHERE workspace = ? AND id = ?`

	InsertLabel = `INSERT INTO convo_labels (` + Labels.All.Names() + `)
	VALUES (` + Labels.All.placeholders() + `)`

	InsertEvent = `INSERT INTO convo_events (` + Events.All.Names() + `)
	VALUES (` + Events.All.placeholders() + `)`

	// InsertMessageEvent is of an event that IsMessage.
	InsertMessageEvent = `INSERT INTO convo_events (` + MessageEvents.Names() + `)
	VALUES (` + MessageEvents.placeholders() + `)`

	InsertContactEvent = `INSERT INTO convo_contact_events (` + ContactEvents.All.Names() + `)
	VALUES (` + ContactEvents.All.placeholders() + `)`

	// KnownKey is a row where a KeyID finds one.
	KnownKey = `SELECT 1 FROM ` + keysFound("?", "?", "?", "?", "?", "?") + ` LIMIT 1`

	InsertKey = `INSERT INTO convo_keys (` + Keys.All.Names() + `)
	VALUES (` + Keys.All.placeholders() + `)`

	// insertUnknownKey inserts a key that finds none, of the placeholders {values}.
	insertUnknownKey = `INSERT INTO convo_keys (` + Keys.All.Names() + `)
	SELECT {values} WHERE NOT EXISTS (` + KnownKey + `)`

	InsertAddress = `INSERT INTO convo_addresses (` + Addresses.All.Names() + `)
	VALUES (` + Addresses.All.placeholders() + `)`

	InsertCycle = `INSERT INTO convo_cycles (` + Cycles.All.Names() + `)
	VALUES (` + Cycles.All.placeholders() + `)`

	// InsertQueued goes with Dialect.KeepQueued: which events are in no rollup yet.
	InsertQueued = `INSERT INTO convo_rollup_queue (` + RollupQueue.All.Names() + `)
	VALUES (` + RollupQueue.All.placeholders() + `)`
)

// What receipts of deliveries need.
var (
	// insertDeliveries is for one receipt: see Dialect.InsertDeliveries.
	insertDeliveries = `INSERT INTO convo_deliveries (` + Deliveries.All.Names() + `) VALUES `

	// keyOfDelivery is a row where a key has the external id of a receipt.
	keyOfDelivery = `SELECT 1 FROM convo_keys ky WHERE ky.workspace = convo_deliveries.workspace
		AND ky.channel = convo_deliveries.channel AND ky.id = convo_deliveries.id`

	DeliveriesOf = `SELECT ` + Deliveries.Read.Names() + `
	FROM convo_deliveries
	WHERE workspace = ? AND channel = ? AND id = ?`

	UnknownDeliveries = `SELECT workspace, channel, id, address
	FROM convo_deliveries
	WHERE unknown_since IS NOT NULL AND unknown_since < ? ORDER BY unknown_since LIMIT ?`

	ForgetDelivery = `DELETE FROM convo_deliveries
	WHERE workspace = ? AND channel = ? AND id = ? AND address = ?
		AND NOT EXISTS (` + keyOfDelivery + `)`

	DeliveryKnown = `UPDATE convo_deliveries SET unknown_since = NULL
	WHERE workspace = ? AND channel = ? AND id = ? AND address = ?`
)

// InsertDeliveries keeps so many receipts at once, each if it is further than what is there, and
// returns of each since when it is unknown; with NoReturning, UnknownAmong does. Its arguments are
// the columns of each row but for the last, its workspace, channel and id once more, and the time.
func (d *Dialect) InsertDeliveries(n int) string {
	micros := "?"
	if d.idsAsText {
		micros = "?::" + postgresTypes[bigInt]
	}
	row := "(" + Deliveries.All.without("unknown_since").placeholders() + `,
		CASE WHEN EXISTS (SELECT 1 FROM convo_keys
			WHERE workspace = ? AND channel = ? AND id = ?) THEN NULL ELSE ` + micros + ` END)`
	insert := insertDeliveries + strings.Repeat(row+", ", n-1) + row + d.upsertDelivery
	if d.NoReturning {
		return insert
	}
	return insert + " RETURNING unknown_since"
}

// UnknownAmong is since when receipts that were kept just now are unknown. Its arguments are
// workspace, channel, id and address of each. It holds them, as they are held already: else the
// host's transaction might see what was there when it began.
func (d *Dialect) UnknownAmong(n int) string {
	return "SELECT unknown_since FROM convo_deliveries" + d.primaryIndex + "\n\tWHERE " +
		anyOf(n, GoneDeliveries.Key) + d.held()
}

// What imports need: many rows at once. They are put together for a number of rows.

// InsertMany makes of a statement that inserts one row of these columns one that inserts many, but
// for those that are there, and its arguments.
func InsertMany[R, T any](
	d *Dialect, insert string, columns Columns[T], rows []R, of func(R) *T,
) (statement string, args []any) {
	into, tuple, _ := strings.Cut(insert, "VALUES ")
	if d.manyAsJSON {
		more := strings.TrimPrefix(tuple, "("+columns.placeholders())
		return into + "SELECT " + columns.Qualify("listed") + strings.TrimSuffix(more, ")") +
				" FROM " + columns.recordset("listed") + d.InsertOnce,
			[]any{listOf(d, columns, rows, of)}
	}
	args = make([]any, 0, len(columns)*len(rows))
	for _, row := range rows {
		args = columns.Args(d, args, of(row))
	}
	return insert + strings.Repeat(", "+tuple, len(rows)-1) + d.InsertOnce, args
}

// LoadContacts is LoadContact of several, each with its id before it.
func LoadContacts(n int) string {
	return `SELECT ct.id, ` + snapshotPlaceholder + `
	FROM convo_contacts ct` + latestConversation + `
	WHERE ct.workspace = ? AND ct.id IN (` + Placeholders(n) + `)`
}

// LoadAddresses is LoadAddress of several, each with its address before it: of so many channels,
// and so many values on any of them.
func LoadAddresses(channels, values int) string {
	all := strings.Replace(LoadAddress, "SELECT ", "SELECT ad.channel, ad.value, ", 1)
	return strings.Replace(all, "ad.channel = ? AND ad.value = ?", "ad.channel IN ("+
		Placeholders(channels)+") AND ad.value IN ("+Placeholders(values)+")", 1)
}

// HostKeys are those of the host's keys with the ids that are known, and the arguments. Erased ones
// have ids of their own: see convo.KeyID.Erased.
func (d *Dialect) HostKeys(workspace string, ids []string) (statement string, args []any) {
	if d.manyAsJSON {
		return `SELECT ` + Keys.Read.Qualify("ky") + `
	FROM json_array_elements_text(?::json) AS listed(id) CROSS JOIN LATERAL (
		SELECT * FROM convo_keys WHERE workspace = ? AND channel = '' AND id = listed.id
		LIMIT 1) ky`, []any{jsonList(ids), workspace}
	}
	args = append(args, workspace)
	for _, id := range ids {
		args = append(args, id)
	}
	return `SELECT ` + Keys.Read.Names() + `
	FROM convo_keys
	WHERE workspace = ? AND channel = '' AND id IN (` + Placeholders(len(ids)) + `)`, args
}

// KnownExternalIDs is a row where a key has one of the ids on a channel, and the arguments.
func (d *Dialect) KnownExternalIDs(
	workspace, channel string, ids []string,
) (statement string, args []any) {
	if d.manyAsJSON {
		return `SELECT 1 FROM json_array_elements_text(?::json) AS listed(id) CROSS JOIN LATERAL (
		SELECT 1 FROM convo_keys WHERE workspace = ? AND channel = ? AND id = listed.id
		LIMIT 1) ky LIMIT 1`, []any{jsonList(ids), workspace, channel}
	}
	args = append(args, workspace, channel)
	for _, id := range ids {
		args = append(args, id)
	}
	return `SELECT 1 FROM convo_keys
	WHERE workspace = ? AND channel = ? AND id IN (` + Placeholders(len(ids)) + `) LIMIT 1`, args
}

// jsonList is a JSON list of texts.
func jsonList(texts []string) string {
	b := []byte{'['}
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, text)
	}
	return string(append(b, ']'))
}

// Statements of a commit without lists of columns.
const (
	// OtherActive is the conversation that has the slot of a contact in a lane, if it is another
	// one.
	OtherActive = `SELECT other.id FROM convo_active other
	WHERE other.workspace = ? AND other.contact = ? AND other.lane = ? AND other.id <> ?`

	DeleteActive = `DELETE FROM convo_active
	WHERE workspace = ? AND id = ?`

	DeleteLabel = `DELETE FROM convo_labels
	WHERE workspace = ? AND label = ? AND created_at = ? AND conversation = ?`

	DeleteAddress = `DELETE FROM convo_addresses
	WHERE workspace = ? AND channel = ? AND value = ?`

	RepointKey = `UPDATE convo_keys SET conversation = ?, first_seq = ?, last_seq = ?
	WHERE workspace = ? AND channel = ? AND id = ? AND address = ? AND contact = ?`

	RedactEvent = `UPDATE convo_events
	SET body = NULL, attachments = NULL, summary = NULL, subject = NULL, attributes = NULL
	WHERE workspace = ? AND conversation = ? AND seq = ?`

	RedactContactEvent = `UPDATE convo_contact_events
	SET body = NULL, attachments = NULL, name = NULL, attributes = NULL
	WHERE workspace = ? AND contact = ? AND seq = ?`

	// ActiveTwice is a lane in which a contact, and one that is merged into it, have two active
	// conversations.
	ActiveTwice = `SELECT lane FROM convo_active
	WHERE workspace = ? AND contact IN (?, ?) GROUP BY lane HAVING count(*) > 1 LIMIT 1`

	MergeConversations = `UPDATE convo_conversations
	SET contact = ?
	WHERE workspace = ? AND contact = ?`

	// UnmergeContact has one that was merged count as merged into another one.
	UnmergeContact = `UPDATE convo_contacts SET merged_into = ?
	WHERE workspace = ? AND merged_into = ? AND id = ?`

	// UnmergeConversations are those of one owner.
	UnmergeConversations = MergeConversations + ` AND origin = ?`
	UnmergeActives       = `UPDATE convo_active` + mergeActives + ` AND id IN (
		SELECT cv.id FROM convo_conversations cv
		WHERE cv.workspace = ? AND cv.contact = ? AND cv.origin = ?)`
)

// As PostgreSQL and SQLite say it.
const (
	standardInsertOnce    = ` ON CONFLICT DO NOTHING`
	standardRestartQueued = ` ON CONFLICT (workspace, conversation) DO UPDATE SET from_seq = 1`
	standardUpsertCycle   = ` ON CONFLICT (workspace, conversation, number) DO UPDATE
	SET category = excluded.category, summary = excluded.summary, rated_at = excluded.rated_at,
		score = excluded.score, rating_comment = excluded.rating_comment,
		outgoing_user = excluded.outgoing_user,
		outgoing_automation = excluded.outgoing_automation`
	standardUpsertDelivery = ` ON CONFLICT (workspace, channel, id, address) DO UPDATE
	SET unknown_since = CASE WHEN excluded.unknown_since IS NOT NULL
			THEN convo_deliveries.unknown_since END,
		at = CASE WHEN excluded.status > convo_deliveries.status THEN excluded.at
			ELSE convo_deliveries.at END,
		reason = CASE WHEN excluded.status > convo_deliveries.status THEN excluded.reason
			ELSE convo_deliveries.reason END,
		status = CASE WHEN excluded.status > convo_deliveries.status THEN excluded.status
			ELSE convo_deliveries.status END`
	standardUpsertRollups = ` ON CONFLICT
	(workspace, dimension, subject, slot_micros, slot_number, dimension_value) DO UPDATE SET
	sums = excluded.sums, sketches = excluded.sketches, half_hours = excluded.half_hours,
	half_hour_sketches = excluded.half_hour_sketches`
)
