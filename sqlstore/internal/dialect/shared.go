package dialect

import (
	"slices"
	"strconv"

	"github.com/chatlifecycle/convo"
)

// What callers who wait share: a statement that writes a message or note of each of several
// conversations. It waits for no conversation that somebody else holds, writes of each message all
// or nothing, and answers which it wrote, as bits: of one that it did not, the change by itself
// says why.

// SharedPart is what a change has in a shared statement. It has no memory of the change's, whose
// caller may give up.
type SharedPart struct {
	object []byte       // PostgreSQL's
	block  *mariadbPart // MariaDB's
	Bytes  int          // about what is sent of it
}

// MaxShared is how many changes share a statement at most: each is a bit of a signed number.
const MaxShared = 48

// Shares reports whether a change may share a statement. One with a key of the host does not: an
// INSERT waits for a transaction that writes the same key, perhaps for another conversation, and
// all others would wait with it.
func Shares(ch *convo.Change) bool {
	class, _ := ClassOf(ch)
	return class.message && !ch.Unpublished && (len(ch.Keys) == 0 || ch.Keys[0].Channel != "")
}

// On PostgreSQL the statement's one argument has an object of JSON for each message, in which the
// rows of the other tables are lists.

func postgresSharedPart(ch *convo.Change, _ bool) SharedPart {
	r := &ch.Conversation
	b := sharedConversation.appendObject(make([]byte, 0, 1<<11), &asJSON, &r.Conversation)
	o := jsonRows{b: b[:len(b)-1]}
	o.asLoaded(r)
	if ch.Contact.Action == convo.RowCompared {
		o.b = appendQuoted(append(o.b, `,"contact":`...), ch.Contact.ID)
		o.number("contact_version", ch.Contact.Expected)
		o.number("contact_seen", ch.Contact.SeenAt.UnixMicro())
	}
	o.member("events", listOfEvents(&asJSON, listedMessages, ch.Events, r.ID))
	if len(ch.Keys) > 0 {
		o.member("keys", listOf(&asJSON, askedKeys, ch.Keys,
			func(k convo.Key) *Key { return &Key{r.Workspace, k} }))
	}
	var moves jsonRows
	for _, m := range MovesOf(r) {
		if m.Action == convo.RowKept {
			continue
		}
		moves.move(r, &m)
	}
	if moves.n > 0 {
		o.member("moves", string(moves.b)+"]")
	}
	o.end()
	return SharedPart{object: o.b, Bytes: len(o.b)}
}

// move appends an object that says where a conversation was in a list, and where it is.
func (l *jsonRows) move(r *convo.ConversationRow, m *Move) {
	l.key(r.Workspace, r.ID)
	if m.Action != convo.RowAdded {
		l.number("list", int64(m.Was.List))
		l.number("at", m.Was.At)
	}
	if m.Action != convo.RowRemoved {
		l.number("list_now", int64(m.Is.List))
		l.number("at_now", m.Is.At)
	}
	l.end()
}

func postgresShare(parts []SharedPart, noted bool) (ChangeClass, []any) {
	length := 0
	for i := range parts {
		length += len(parts[i].object) + len(`,{"n":10`)
	}
	b := make([]byte, 0, length+1)
	for i := range parts {
		b = appendNumbered(b, i, parts[i].object)
	}
	b[0] = '['
	return ChangeClass{shared: 1, Noted: noted}, []any{string(append(b, ']'))}
}

// appendNumbered appends an object of JSON to a list, with n as its first member.
func appendNumbered(list []byte, n int, object []byte) []byte {
	list = strconv.AppendInt(append(list, `,{"n":`...), int64(n), 10)
	return append(append(list, ','), object[1:]...)
}

var (
	sharedConversation = Conversations.All.where(func(c *Column[convo.Conversation]) bool {
		return c.use == byMessages || c.name == "workspace" || c.name == "id"
	})
	sharedChecks = []listColumn{
		{"n", count}, {"contact", text}, {"contact_version", bigInt}, {"contact_seen", bigInt},
	}
	sharedColumns = slices.Concat(sharedChecks, loadedColumns, sharedConversation.listed())
	sharedMoves   = []listColumn{
		{"list", count}, {"at", bigInt}, {"list_now", count}, {"at_now", bigInt},
	}
)

// inList reads a list in the objects of a table as rows.
func inList(table, list string, columns []listColumn) string {
	return "json_to_recordset(" + table + "." + list + ") AS new_" + list + "(" +
		definitions(columns) + ")"
}

// postgresSharedNotes notes the events in the outbox.
var postgresSharedNotes = `
), noted_events AS (
	INSERT INTO convo_outbox (` + Outbox.All.Names() + `)
	SELECT wrote.workspace, wrote.id, '', new_events.seq, new_events.seq, new_events.at
	FROM wrote_conversation wrote, ` +
	inList("wrote", "events", []listColumn{{"seq", bigInt}, {"at", bigInt}})

// postgresShared begins with the conversations that are as they were loaded and free; all else
// follows from the rows of wrote_conversation.
func postgresShared(notes string) string {
	return `WITH listed AS MATERIALIZED (
	SELECT * FROM json_to_recordset(?::json) AS listed(` + definitions(sharedColumns) +
		`, events json, keys json, moves json) LIMIT (SELECT 1000)
), held AS MATERIALIZED (
	SELECT listed.* FROM listed CROSS JOIN LATERAL (
		SELECT 1 FROM convo_conversations cv
		WHERE cv.workspace = listed.workspace AND cv.id = listed.id
			AND ` + asLoaded("cv.", inListed) + `
		LIMIT 1` + skipLocked + `) free
	WHERE (listed.contact_version IS NULL OR EXISTS (
		SELECT FROM convo_contacts ct WHERE ct.workspace = listed.workspace
			AND ct.id = listed.contact AND ct.version = listed.contact_version
			AND ct.seen_at <= listed.contact_seen))
		AND NOT EXISTS (
			SELECT FROM ` + inList("listed", "keys", askedKeys.listed()) + `
			CROSS JOIN LATERAL (SELECT 1 FROM ` + keysFound("listed.workspace", "new_keys.channel",
		"new_keys.id", "new_keys.erased", "new_keys.address", "new_keys.contact") + ` LIMIT 1) old)
), wrote_conversation AS (
	UPDATE convo_conversations cv SET (` + Conversations.ByMessages.Names() + `)
		= (` + Conversations.ByMessages.Qualify("held") + `)
	FROM held WHERE cv.workspace = held.workspace AND cv.id = held.id
		AND cv.version = held.expected
	RETURNING held.n, held.workspace, held.id, held.events, held.keys, held.moves
), wrote_events AS (
	INSERT INTO convo_events (` + MessageEvents.Names() + `)
	SELECT wrote.workspace, wrote.id, ` + listedMessages.Qualify("new_events") + `
	FROM wrote_conversation wrote, ` +
		inList("wrote", "events", listedMessages.listed()) + `
), ` + postgresQueued + `
	SELECT wrote.workspace, wrote.id, new_events.seq
	FROM wrote_conversation wrote, ` +
		inList("wrote", "events", []listColumn{{"seq", bigInt}}) + standardInsertOnce + notes + `
), wrote_keys AS (
	INSERT INTO convo_keys (` + Keys.All.Names() + `)
	SELECT wrote.workspace, ` + listedKeys.Qualify("new_keys") + `
	FROM wrote_conversation wrote, ` + inList("wrote", "keys", listedKeys.listed()) + `
), moves AS MATERIALIZED (
	SELECT wrote.workspace, wrote.id, new_moves.* FROM wrote_conversation wrote, ` +
		inList("wrote", "moves", sharedMoves) + `
), new_places AS (
	INSERT INTO convo_places (workspace, list, at, id)
	SELECT workspace, list_now, at_now, id FROM moves WHERE list IS NULL
), moved_places AS (
	UPDATE convo_places pl SET list = moves.list_now, at = moves.at_now FROM moves
	WHERE pl.workspace = moves.workspace AND pl.list = moves.list AND pl.at = moves.at
		AND pl.id = moves.id AND moves.list_now IS NOT NULL
), gone_places AS (
	DELETE FROM convo_places pl USING moves
	WHERE pl.workspace = moves.workspace AND pl.list = moves.list AND pl.at = moves.at
		AND pl.id = moves.id AND moves.list_now IS NULL
)
SELECT COALESCE(bit_or(1::bigint << n), 0) FROM wrote_conversation`
}
