package sqlstore

import "strings"

// The statements that are the same on every engine, with ? for the values and the default prefix of the tables. What
// differs between the engines stands in their own files.

// of qualifies columns with the alias of their table.
func of(alias, columns string) string {
	return alias + "." + strings.Join(strings.Split(strings.Join(strings.Fields(columns), " "), ", "), ", "+alias+".")
}

// changing are the columns of a conversation that may change.
var changing = strings.SplitN(strings.Join(strings.Fields(conversationColumns), " "), ", ", fixed+1)[fixed]

// thread stands for what Load selects of a contact k and its latest conversation c.
const thread = "{thread}"

// otherActiveOf is the contact's active conversation when it is another one.
const otherActiveOf = `CASE WHEN c.active THEN NULL ELSE (
	SELECT a.id FROM convo_conversations a WHERE a.workspace = k.workspace AND a.active_slot = k.id) END`

var (
	threadColumns = of("k", contactColumns) + ", " + otherActiveOf + ", " + of("c", conversationColumns)

	latestOf = ` LEFT JOIN convo_conversations c ON c.workspace = k.workspace AND c.id = k.latest_conversation`

	loadContact = `SELECT ` + thread + ` FROM convo_contacts k` + latestOf + ` WHERE k.workspace = ? AND k.id = ?`

	loadAddress = `SELECT ` + thread + ` FROM convo_addresses x
	JOIN convo_contacts n ON n.workspace = x.workspace AND n.id = x.contact
	JOIN convo_contacts k ON k.workspace = n.workspace AND k.id = COALESCE(n.merged_into, n.id)` + latestOf + `
	WHERE x.workspace = ? AND x.channel = ? AND x.value = ?`

	loadConversation = `SELECT ` + thread + ` FROM convo_conversations c
	JOIN convo_contacts k ON k.workspace = c.workspace AND k.id = c.contact
	WHERE c.workspace = ? AND c.id = ?`

	addressOwner = `SELECT COALESCE(n.merged_into, n.id) FROM convo_addresses x
	JOIN convo_contacts n ON n.workspace = x.workspace AND n.id = x.contact
	WHERE x.workspace = ? AND x.channel = ? AND x.value = ?`

	// A row, even when the contact is not there, for the owner of the address is wanted then, too.
	loadContactAndOwner = `SELECT (` + addressOwner + `), ` + thread + ` FROM (SELECT 1 AS one) one
	LEFT JOIN convo_contacts k ON k.workspace = ? AND k.id = ?` + latestOf
)

var (
	oneConversation = `SELECT ` + conversationColumns + ` FROM convo_conversations WHERE workspace = ? AND id = ?`

	eventsOfConversation = `SELECT ` + eventColumns + ` FROM convo_events
	WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?`

	// Conversations that ended before the page begins are left out at once.
	eventsOfContact = `SELECT ` + of("e", eventColumns) + ` FROM convo_conversations c
	JOIN convo_events e ON e.workspace = c.workspace AND e.conversation = c.id
	WHERE c.workspace = ? AND c.contact = ? AND c.updated_at >= ? AND (e.at, e.conversation, e.seq) > (?, ?, ?)
	ORDER BY e.at, e.conversation, e.seq LIMIT ?`

	aliases = `(SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
	UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) n`

	contactEvents = `SELECT ` + of("e", contactEventColumns) + ` FROM ` + aliases + `
	JOIN convo_contact_events e ON e.workspace = ? AND e.contact = n.id
	WHERE (e.at, e.seq, e.id) > (?, ?, ?) ORDER BY e.at, e.seq, e.id LIMIT ?`

	addressesOf = `SELECT x.channel, x.value FROM ` + aliases + `
	JOIN convo_addresses x ON x.workspace = ? AND x.contact = n.id`

	sharing = `SELECT x.channel, x.value, COALESCE(n.merged_into, n.id) FROM convo_addresses x
	JOIN convo_contacts n ON n.workspace = x.workspace AND n.id = x.contact
	WHERE x.workspace = ? AND x.identity = ? AND (x.channel, x.value) > (?, ?) ORDER BY x.channel, x.value LIMIT ?`

	oneKey = `SELECT ` + keyColumns + ` FROM convo_keys WHERE workspace = ? AND channel = ? AND id = ?`

	dueConversations = `SELECT workspace, id, due_at FROM convo_conversations
	WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, workspace, id LIMIT ?`

	// What stands where an event was to be written.
	eventAt        = `SELECT id, contact FROM convo_events WHERE workspace = ? AND conversation = ? AND seq = ?`
	contactEventAt = `SELECT id, contact FROM convo_contact_events WHERE workspace = ? AND contact = ? AND seq = ?`
)

// A commit, statement by statement.
var (
	insertContact = `INSERT INTO convo_contacts (` + contactColumns + `) VALUES (` + marksOf(contactColumns) + `)`

	updateContact = `UPDATE convo_contacts
	SET version = ?, created_at = ?, updated_at = ?, blocked = ?, merged_into = ?, latest_conversation = ?
	WHERE workspace = ? AND id = ? AND version = ?`

	insertConversation = `INSERT INTO convo_conversations (` + conversationColumns + `)
	VALUES (` + marksOf(conversationColumns) + `)`

	// The slot that it takes, if any, must be free.
	updateConversation = `UPDATE convo_conversations SET ` + sets(changing) + `
	WHERE workspace = ? AND id = ? AND version = ? AND NOT EXISTS (` + otherActive + `)`

	updateByMessages = `UPDATE convo_conversations SET ` + sets(messageColumns) + `
	WHERE workspace = ? AND id = ? AND version = ?`

	// otherActive is the conversation that has the slot of a contact, if it is another one.
	otherActive = `SELECT o.id FROM convo_conversations o WHERE o.workspace = ? AND o.active_slot = ? AND o.id <> ?`

	insertEvent = `INSERT INTO convo_events (` + eventColumns + `) VALUES (` + marksOf(eventColumns) + `)`

	insertContactEvent = `INSERT INTO convo_contact_events (` + contactEventColumns + `)
	VALUES (` + marksOf(contactEventColumns) + `)`

	insertKey = `INSERT INTO convo_keys (` + keyColumns + `) VALUES (` + marksOf(keyColumns) + `)`

	insertAddress = `INSERT INTO convo_addresses (` + addressColumns + `) VALUES (` + marksOf(addressColumns) + `)`

	insertCycle = `INSERT INTO convo_cycles (workspace, conversation, ` + cycleColumns + `, rollup_pending)
	VALUES (?, ?, ` + marksOf(cycleColumns) + `, 1)`

	mergeAliases = `UPDATE convo_contacts SET merged_into = ? WHERE workspace = ? AND merged_into = ?`

	// actives are the active conversations of a contact and of one that is merged into it.
	actives = `SELECT id FROM convo_conversations WHERE workspace = ? AND active_slot IN (?, ?)`

	mergeConversations = `UPDATE convo_conversations
	SET contact = ?, active_slot = CASE WHEN active_slot IS NULL THEN NULL ELSE ? END
	WHERE workspace = ? AND contact = ?`
)

// As PostgreSQL and SQLite say it.
const standardUpsertRollups = ` ON CONFLICT
	(workspace, dimension, measure, slot_micros, slot_number, dimension_value) DO UPDATE SET
	value_count = excluded.value_count, value_sum = excluded.value_sum,
	value_min = excluded.value_min, value_max = excluded.value_max,
	sketch = excluded.sketch, half_hours = excluded.half_hours,
	half_hour_sketches = excluded.half_hour_sketches`
