package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var postgres = dialect{
	name:          "PostgreSQL",
	folder:        "postgres",
	goose:         "postgres",
	numbered:      true,
	id:            idText,
	insertOnce:    " ON CONFLICT DO NOTHING",
	upsertCycle:   postgresUpsertCycle,
	upsertRollups: standardUpsertRollups,
	// serialization_failure, deadlock_detected, lock_not_available, unique_violation
	conflicts: []string{"40001", "40P01", "55P03", "23505"},
	taken:     "23505",
	// What ends a connection may come after the commit: connection_exception and its kin, admin_shutdown, crash_shutdown,
	// cannot_connect_now, database_dropped, idle_session_timeout.
	unsettled: []string{"08000", "08003", "08006", "08007", "57P01", "57P02", "57P03", "57P04", "57P05"},
	lock:      " FOR UPDATE OF k, c",
	lockJoin:  strings.Replace(latestOf, "LEFT JOIN", "JOIN", 1),
	level:     sql.LevelReadCommitted,
	snapshot:  sql.LevelRepeatableRead,
	check:     checkPostgres,
	commit:    commitPostgres,
}

const postgresUpsertCycle = ` ON CONFLICT (workspace, conversation, number) DO UPDATE
	SET category = excluded.category, summary = excluded.summary`

func checkPostgres(ctx context.Context, s *Store) error {
	var server, client string
	if err := s.db.QueryRowContext(ctx, "SELECT current_setting('server_encoding'), current_setting('client_encoding')").
		Scan(&server, &client); err != nil {
		return err
	}
	if server != "UTF8" || client != "UTF8" {
		return fmt.Errorf("server_encoding is %s and client_encoding %s: both must be UTF8 (CREATE DATABASE … ENCODING 'UTF8')",
			server, client)
	}
	return nil
}

// One message or note in a conversation that is there: all of it in one statement, which writes nothing when the version is not
// the loaded one or the key is known. It answers how many rows it wrote, and how many keys were known.
const (
	postgresKnown = `known AS (SELECT 1 FROM convo_keys WHERE workspace = ? AND channel = ? AND id = ?), `

	postgresMessage = `c AS (
	UPDATE convo_conversations SET version = ?, updated_at = ?, awaiting_contact_since = ?, first_response_at = ?,
		first_responder_type = ?, first_responder_id = ?, waiting_since = ?, responses = ?, response_micros = ?, incoming = ?,
		outgoing_user = ?, outgoing_automation = ?
	WHERE workspace = ? AND id = ? AND version = ?`

	postgresMessageEvent = ` RETURNING workspace, id
), e AS (
	INSERT INTO convo_events (` + eventColumns + `)
	SELECT c.workspace, c.id, ?::bigint, ?::uuid, ?::text, ?::bigint, ?::text, ?::bigint, ?::text, ?::text, ?::text, ?::text, ?::text,
		?::text, ?::text, ?::text, ?::text, ?::bigint, ?::text, ?::text, ?::boolean, ?::boolean, ?::text, ?::text FROM c
)`

	postgresMessageUnkeyed = `WITH ` + postgresMessage + postgresMessageEvent + ` SELECT count(*), 0, 0 FROM c`

	postgresMessageKeyed = `WITH ` + postgresKnown + postgresMessage + ` AND NOT EXISTS (SELECT FROM known)` + postgresMessageEvent + `,
k AS (
	INSERT INTO convo_keys (` + keyColumns + `)
	SELECT c.workspace, ?::text, ?::text, ?::bigint, ?::uuid, ?::bigint, ?::bigint FROM c
)
SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM known), 0`
)

// Any other change of one conversation: the parts of one statement. What is wrong already is seen before anything is written;
// what goes wrong at the same instant violates a key, which undoes the statement.
const (
	postgresRow = `WITH v AS (SELECT ?::text AS workspace, ?::uuid AS id, ?::text AS origin, ?::text AS channel, ?::bigint AS created_at, ?::text
		AS contact, ?::text AS status, ?::bigint AS version, ?::bigint AS updated_at, ?::bigint AS first_closed_at,
		?::text AS assignee, ?::text AS team, ?::bigint AS pending_since, ?::bigint AS pending_until, ?::bigint AS
		awaiting_contact_since, ?::bigint AS due_at, ?::boolean AS active, ?::text AS active_slot, ?::integer AS number,
		?::bigint AS opened_at, ?::text AS opened_by_type, ?::text AS opened_by_id, ?::text AS opened_source,
		?::bigint AS first_assigned_at, ?::text AS first_assignee, ?::text AS last_assignee, ?::text AS last_team,
		?::bigint AS first_response_at, ?::text AS first_responder_type, ?::text AS first_responder_id, ?::bigint AS
		waiting_since, ?::integer AS responses, ?::bigint AS response_micros, ?::bigint AS pending_micros, ?::integer
		AS incoming, ?::integer AS outgoing_user, ?::integer AS outgoing_automation, ?::bigint AS closed_at, ?::text
		AS closed_by_type, ?::text AS closed_by_id, ?::text AS closed_source, ?::text AS category, ?::text AS summary)`

	postgresTaken = `, taken AS (
	SELECT 1 FROM v JOIN convo_conversations o ON o.workspace = v.workspace AND o.active_slot = v.active_slot AND o.id <> v.id
)`

	// LIMIT keeps the planner from reading the whole table, whose size it may not know yet.
	postgresNewKeys = `, new_keys AS (
	SELECT * FROM json_to_recordset(?::json) AS k(
		channel text, id text, hash bigint, conversation uuid, first_seq bigint, last_seq bigint)
), known AS (
	SELECT 1 FROM v, new_keys n CROSS JOIN LATERAL (
		SELECT 1 FROM convo_keys x WHERE x.workspace = v.workspace AND x.channel = n.channel AND x.id = n.id LIMIT 1) x
)`

	postgresNewOfContact = `, new_of_contact AS (
	SELECT * FROM json_to_recordset(?::json) AS x(
		contact text, seq bigint, id uuid, contact_seq bigint, kind text, at bigint, by_type text, by_id text, source
		text, channel text, address text, body text, merged_into text, latest_conversation uuid, identity text)
), linked AS (
	SELECT 1 FROM v, new_of_contact n CROSS JOIN LATERAL (
		SELECT 1 FROM convo_addresses x WHERE x.workspace = v.workspace AND x.channel = n.channel AND x.value = n.address LIMIT 1) x
)`

	postgresFree       = `, free AS (SELECT 1 WHERE NOT EXISTS (SELECT FROM taken)`
	postgresNotKnown   = ` AND NOT EXISTS (SELECT FROM known)`
	postgresNotLinked  = ` AND NOT EXISTS (SELECT FROM linked)`
	postgresNewContact = `), k AS (
	INSERT INTO convo_contacts (` + contactColumns + `)
	SELECT ?::text, ?::text, ?::bigint, ?::bigint, ?::bigint, ?::boolean, ?::text, ?::uuid FROM free
	ON CONFLICT DO NOTHING RETURNING 1
)`

	// Of a conversation that is there as well, both are held before one is written.
	postgresHold = `), hold AS (
	SELECT 1 FROM free, convo_contacts k WHERE k.workspace = ? AND k.id = ? AND k.version = ? FOR UPDATE OF k
), held AS (
	SELECT 1 FROM v, hold, convo_conversations c
	WHERE c.workspace = v.workspace AND c.id = v.id AND c.version = ? FOR UPDATE OF c
`
	postgresOldContact = `), k AS (
	UPDATE convo_contacts k SET version = ?, created_at = ?, updated_at = ?, blocked = ?, merged_into = ?, latest_conversation = ?
	FROM %s WHERE k.workspace = ? AND k.id = ? AND k.version = ? RETURNING 1
)`

	postgresNewConversation = `, c AS (
	INSERT INTO convo_conversations (` + conversationColumns + `) SELECT v.* FROM v, k RETURNING 1
)`

	postgresCycle = `, y AS (
	INSERT INTO convo_cycles (workspace, conversation, ` + cycleColumns + `, rollup_pending)
	SELECT v.workspace, v.id, %s, 1 FROM v, c
	` + postgresUpsertCycle + `
)`

	postgresEvents = `, e AS (
	INSERT INTO convo_events (` + eventColumns + `)
	SELECT v.workspace, v.id, e.* FROM v, c, json_to_recordset(?::json) AS e(
		seq bigint, id uuid, contact text, contact_seq bigint, kind text, at bigint, by_type text, by_id text, source
		text, channel text, external_id text, body text, attachments text, category text, summary text, until_at
		bigint, assignee text, team text, response boolean, restart_flow boolean, notice text, audience text)
)`

	postgresWriteKeys = `, wk AS (
	INSERT INTO convo_keys (` + keyColumns + `) SELECT v.workspace, n.* FROM v, c, new_keys n
)`
)

var (
	postgresWriteOfContact = `, wx AS (
	INSERT INTO convo_contact_events (` + contactEventColumns + `)
	SELECT ` + strings.Replace(of("n", contactEventColumns), "n.workspace", "v.workspace", 1) + ` FROM v, c, new_of_contact n
), wa AS (
	INSERT INTO convo_addresses (` + addressColumns + `)
	SELECT v.workspace, n.channel, n.address, n.contact, n.identity FROM v, c, new_of_contact n WHERE n.kind = 'address_linked'
)`

	postgresOldConversation = `, c AS (
	UPDATE convo_conversations c SET (` + changing + `) = (` + of("v", changing) + `)
	FROM v, %s WHERE c.workspace = v.workspace AND c.id = v.id AND c.version = ? RETURNING 1
)`
)

// postgresChange puts the statement for a shape together.
func postgresChange(sh shape) string {
	var b strings.Builder
	add := func(on bool, parts ...string) {
		for _, p := range parts {
			if on {
				b.WriteString(p)
			}
		}
	}
	b.WriteString(postgresRow + postgresTaken)
	add(sh.keys > 0, postgresNewKeys)
	add(sh.ofContact > 0, postgresNewOfContact)
	b.WriteString(postgresFree)
	add(sh.keys > 0, postgresNotKnown)
	add(sh.ofContact > 0, postgresNotLinked)
	from := "k"
	switch {
	case !sh.contact:
		from = "free"
		b.WriteByte(')')
	case sh.newContact:
		b.WriteString(postgresNewContact)
	case sh.newConversation:
		fmt.Fprintf(&b, postgresOldContact, "free")
	default:
		b.WriteString(postgresHold)
		fmt.Fprintf(&b, postgresOldContact, "held")
	}
	if sh.newConversation {
		b.WriteString(postgresNewConversation)
	} else {
		fmt.Fprintf(&b, postgresOldConversation, from)
	}
	if sh.closed {
		fmt.Fprintf(&b, postgresCycle, of("v", cycleColumns))
	}
	add(sh.events > 0, postgresEvents)
	add(sh.keys > 0, postgresWriteKeys)
	add(sh.ofContact > 0, postgresWriteOfContact)
	b.WriteString(" SELECT (SELECT count(*) FROM c), ")
	add(sh.keys > 0, "(SELECT count(*) FROM known)")
	add(sh.keys == 0, "0")
	b.WriteString(", (SELECT count(*) FROM taken)")
	return b.String()
}

// commitPostgres commits a change of one conversation, and perhaps of its contact, in one statement.
func commitPostgres(ctx context.Context, s *Store, ch *convo.Change) (done bool, err error) {
	sh, ok := shapeOf(ch)
	if !ok {
		return false, nil
	}
	k, c := &ch.Contact.Contact, &ch.Conversation.Conversation
	var statement string
	var a []any
	if sh.message {
		statement = postgresMessageUnkeyed
		if sh.keys > 0 {
			statement = postgresMessageKeyed
			a = append(a, c.Workspace, ch.Keys[0].Channel, ch.Keys[0].ID)
		}
		a = append(messageArgs(a, c), c.Workspace, s.d.id(c.ID), ch.Conversation.Expected)
		n := len(a)
		a = s.d.eventArgs(a, &ch.Events[0])
		a = append(a[:n], a[n+2:]...)
		if sh.keys > 0 {
			n := len(a)
			a = s.d.keyArgs(a, c.Workspace, &ch.Keys[0])
			a = append(a[:n], a[n+1:]...)
		}
	} else {
		statement = s.composed(sh, postgresChange)
		if a, err = postgresArgs(s.d, ch, sh, k, c); err != nil {
			return true, err
		}
	}
	var written, known, taken asInt
	if _, err := s.row(ctx, statement, a, []any{&written, &known, &taken}); err != nil {
		return true, err
	}
	switch {
	case written > 0:
		return true, nil
	case known > 0:
		return true, fmt.Errorf("sqlstore: key %q: %w", ch.Keys[0].ID, convo.ErrDuplicate)
	case taken > 0:
		return true, fmt.Errorf("sqlstore: conversation %s: %w", c.ID, convo.ErrActiveExists)
	}
	return true, fmt.Errorf("sqlstore: contact %q, conversation %s: %w", k.ID, c.ID, convo.ErrConflict)
}

func postgresArgs(d *dialect, ch *convo.Change, sh shape, k *convo.Contact, c *convo.Conversation) ([]any, error) {
	a := d.conversationArgs(make([]any, 0, 64), c)
	lists := []struct {
		on bool
		of any
	}{{sh.keys > 0, keysAsJSON(ch)}, {sh.ofContact > 0, eventsAsJSON(ch, uuid.Nil)}, {sh.events > 0, eventsAsJSON(ch, c.ID)}}
	var texts []any
	for _, l := range lists {
		if l.on {
			text, err := json.Marshal(l.of)
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(text))
		}
	}
	last := len(texts)
	if sh.events > 0 {
		last--
	}
	a = append(a, texts[:last]...)
	switch {
	case !sh.contact:
	case sh.newContact:
		a = d.contactArgs(a, k)
	default:
		if !sh.newConversation {
			a = append(a, k.Workspace, k.ID, ch.Contact.Expected, ch.Conversation.Expected)
		}
		n := len(a)
		a = d.contactArgs(a, k)
		a = append(append(a[:n], a[n+2:]...), k.Workspace, k.ID, ch.Contact.Expected)
	}
	if !sh.newConversation {
		a = append(a, ch.Conversation.Expected)
	}
	return append(a, texts[last:]...), nil
}

// row types of the lists, by the names of the columns; what is empty is NULL.
type eventRow struct {
	Seq         int64     `json:"seq"`
	ID          uuid.UUID `json:"id"`
	Contact     string    `json:"contact"`
	ContactSeq  int64     `json:"contact_seq,omitempty"`
	Kind        string    `json:"kind"`
	At          int64     `json:"at"`
	ByType      string    `json:"by_type"`
	ByID        string    `json:"by_id,omitempty"`
	Source      string    `json:"source,omitempty"`
	Channel     string    `json:"channel,omitempty"`
	ExternalID  string    `json:"external_id,omitempty"`
	Body        string    `json:"body,omitempty"`
	Attachments string    `json:"attachments,omitempty"`
	Category    string    `json:"category,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Until       *int64    `json:"until_at,omitempty"`
	Assignee    string    `json:"assignee,omitempty"`
	Team        string    `json:"team,omitempty"`
	Response    bool      `json:"response,omitempty"`
	RestartFlow bool      `json:"restart_flow,omitempty"`
	Notice      string    `json:"notice,omitempty"`
	Audience    string    `json:"audience,omitempty"`
	Address     string    `json:"address,omitempty"`
	Into        string    `json:"merged_into,omitempty"`
	Latest      uuid.UUID `json:"latest_conversation,omitzero"`
	Identity    string    `json:"identity,omitempty"`
}

// eventsAsJSON are the events of one conversation, or, without one, of the contact itself.
func eventsAsJSON(ch *convo.Change, conversation uuid.UUID) []eventRow {
	var rows []eventRow
	for i := range ch.Events {
		if ch.Events[i].Conversation != conversation {
			continue
		}
		e := ch.Events[i].Row()
		r := eventRow{
			Seq: e.Seq, ID: e.ID, Contact: e.Contact, ContactSeq: e.ContactSeq, Kind: e.Kind.String(), At: e.At.UnixMicro(),
			ByType: string(e.By.Type), ByID: e.By.ID, Source: string(e.Source), Channel: e.Channel, ExternalID: e.ExternalID,
			Body: e.Body, Attachments: string(e.Attachments), Category: e.Category, Summary: e.Summary, Assignee: e.Assignee,
			Team: e.Team, Response: e.Response, RestartFlow: e.RestartFlow, Notice: string(e.Notice),
			Audience: string(e.Audience), Address: e.Address, Into: e.MergedInto, Latest: e.LatestConversation,
			Identity: convo.Address{Channel: e.Channel, Value: e.Address}.Identity(),
		}
		if !e.Until.IsZero() {
			until := e.Until.UnixMicro()
			r.Until = &until
		}
		rows = append(rows, r)
	}
	return rows
}

type keyRow struct {
	Channel      string    `json:"channel"`
	ID           string    `json:"id"`
	Hash         int64     `json:"hash"`
	Conversation uuid.UUID `json:"conversation,omitzero"`
	First        int64     `json:"first_seq"`
	Last         int64     `json:"last_seq"`
}

func keysAsJSON(ch *convo.Change) []keyRow {
	var rows []keyRow
	for _, k := range ch.Keys {
		rows = append(rows, keyRow{k.Channel, k.ID, k.RequestHash, k.Conversation, k.FirstSeq, k.LastSeq})
	}
	return rows
}
