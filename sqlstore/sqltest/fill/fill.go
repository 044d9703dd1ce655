// Package fill fills the tables of sqlstore by SQL alone, with as many conversations as one likes,
// for tests of query plans and for benchmarks. What it writes is realistic in its proportions, but
// does not hold together in every detail: check no invariants on it.
package fill

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Workspace has 6 in 10 of the conversations. Of all of them, Regular, a contact, has 1 in 200, and
// the rare ones each have some 1 in 10,000.
const (
	Workspace    = "acme"
	Regular      = "contact-1"
	RareAssignee = "agent-rare"
	RareTeam     = "team-rare"
	RareLane     = "lane-rare"
	RareCategory = "Fraud"
	RareLabel    = "label-rare"
)

// Conversations fills contacts, addresses and conversations: n conversations of n/2 contacts in 22
// workspaces, 2 in 100 of them active, with 40 assignees, 6 teams, 4 channels and 3 categories,
// some without, and what is rare. One contact in 100 has another one merged into it.
func Conversations(ctx context.Context, db *sql.DB, d sqlstore.Dialect, n int) error {
	return run(ctx, db, d, n, []table{
		{"contacts", n / 2, contacts}, {"merged contacts", n / 200, aliases},
		{"addresses", n / 2, addresses},
		{"conversations", n, conversations}, {"active", n, actives}, {"activity", n, activity},
		{"waiting", n, waiting}, {"deadlines", n, deadlines}, {"priorities", n, priorities},
		{"labels", n, labels},
	})
}

// Busy is a workspace with nothing but active conversations.
const Busy = "busy"

// Inbox fills Busy with n active conversations, each of another contact, of 400 assignees; one in
// five has none.
func Inbox(ctx context.Context, db *sql.DB, d sqlstore.Dialect, n int) error {
	of := func(statement string) string {
		// Without a timer, for their contacts are not there.
		statement = strings.Replace(statement, `contact,
		CASE WHEN active AND c % 10 = 0 THEN at + 86400000000 END`, "contact, NULL", 1)
		statement = strings.Replace(statement,
			"CASE WHEN active AND c % 10 = 0 THEN at + 86400000000 END, active", "NULL, active", 1)
		return strings.Replace(statement, "FROM {conversations}", `FROM (SELECT i, c, id, at,
			'busy' AS workspace, CONCAT('busy-', i) AS contact, TRUE AS active, channel, lane,
			CASE WHEN i % 5 = 0 THEN '' ELSE CONCAT('agent-', i % 400) END AS assignee, team,
			category FROM {conversations}) busy`, 1)
	}
	return run(ctx, db, d, n, []table{
		{"inbox", n, of(conversations)}, {"active inbox", n, of(actives)},
		{"activity of the inbox", n, of(activity)}, {"waiting in the inbox", n, of(waiting)},
		{"deadlines of the inbox", n, of(deadlines)},
		{"priorities of the inbox", n, of(priorities)},
	})
}

// Log fills what happened in the n conversations that Conversations has filled: four events and a
// key and a receipt of each, a cycle of each closed one, and an event of each contact.
func Log(ctx context.Context, db *sql.DB, d sqlstore.Dialect, n int) error {
	return run(ctx, db, d, n, []table{
		{"events", n, events}, {"events of contacts", n / 2, contactEvents}, {"cycles", n, cycles},
		{"keys", n, keys}, {"receipts", n, deliveries}, {"rollup_queue", n, queue},
	})
}

// RolledUp fills what Rollup keeps for lists of the n conversations that Conversations has filled,
// and leaves in its queue but those that have RareLabel.
func RolledUp(ctx context.Context, db *sql.DB, d sqlstore.Dialect, n int) error {
	err := run(ctx, db, d, n, []table{{"closed", n, closed}})
	if err == nil {
		_, err = db.ExecContext(ctx, `DELETE FROM convo_rollup_queue WHERE conversation NOT IN (
			SELECT conversation FROM convo_labels WHERE label = '`+RareLabel+`')`)
	}
	return err
}

// Analyze has the engine count what is in the tables, which servers do by themselves after a while.
func Analyze(ctx context.Context, db *sql.DB, d sqlstore.Dialect) error {
	statement := "ANALYZE"
	switch d {
	case sqlstore.PostgreSQL:
		statement = "VACUUM ANALYZE"
	case sqlstore.MariaDB, sqlstore.MySQL:
		statement = `ANALYZE TABLE convo_contacts, convo_addresses, convo_conversations,
			convo_active, convo_closed, convo_places, convo_labels, convo_mentions, convo_cycles,
			convo_events, convo_contact_events, convo_keys,
			convo_deliveries, convo_rollup_queue, convo_rollups`
	}
	_, err := db.ExecContext(ctx, statement)
	if err != nil {
		err = fmt.Errorf("fill: %s: %w", statement, err)
	}
	return err
}

// Active are up to limit open conversations of Workspace, without Regular's, by reference and
// contact.
func Active(ctx context.Context, db *sql.DB, limit int) (ids []uuid.UUID, contacts []string,
	err error) {
	rows, err := db.QueryContext(ctx, `SELECT id, contact FROM convo_conversations
		WHERE workspace = '`+Workspace+`' AND active
		AND status = 'open' AND lane = '' LIMIT `+strconv.Itoa(limit))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var raw []byte
		var contact string
		if err := rows.Scan(&raw, &contact); err != nil {
			return nil, nil, err
		}
		id, err := uuid.FromBytes(raw)
		if err != nil {
			id, err = uuid.ParseBytes(raw)
		}
		if err != nil {
			return nil, nil, err
		}
		ids, contacts = append(ids, id), append(contacts, contact)
	}
	return ids, contacts, rows.Err()
}

type table struct {
	what string
	rows int    // how many values i takes
	text string // an INSERT with placeholders in braces
}

const chunk = 100_000 // values of i per statement

func run(ctx context.Context, db *sql.DB, d sqlstore.Dialect, n int, tables []table) error {
	for _, t := range tables {
		for from := 0; from < t.rows; from += chunk {
			if _, err := db.ExecContext(ctx, text(d, complete(t.text), n, from,
				min(t.rows, from+chunk))); err != nil {
				return fmt.Errorf("fill: %s: %w", t.what, err)
			}
		}
	}
	return nil
}

// missing finds the columns that an INSERT into a table leaves out, but must not.
var missing = map[string]func(given string) (names, values string){
	"contacts":       dialect.Contacts.All.Missing,
	"addresses":      dialect.Addresses.All.Missing,
	"conversations":  dialect.Conversations.All.Missing,
	"active":         dialect.Actives.All.Missing,
	"places":         dialect.Places.All.Missing,
	"labels":         dialect.Labels.All.Missing,
	"closed":         dialect.Closed.All.Missing,
	"cycles":         dialect.Cycles.All.Missing,
	"events":         dialect.Events.All.Missing,
	"contact_events": dialect.ContactEvents.All.Missing,
	"keys":           dialect.Keys.All.Missing,
	"deliveries":     dialect.Deliveries.All.Missing,
	"rollup_queue":   dialect.RollupQueue.All.Missing,
}

var insert = regexp.MustCompile(`^(INSERT INTO convo_(\w+) \(([^)]*))`)

// complete adds the columns that a statement leaves out, but must not, with empty values.
func complete(statement string) string {
	m := insert.FindStringSubmatch(statement)
	names, values := missing[m[2]](m[3])
	statement = m[1] + names + statement[len(m[0]):]
	from := strings.Index(statement, "FROM ") // with what may follow
	return strings.TrimRight(statement[:from], " \n\t") + values + "\n\t" + statement[from:]
}

// text is a statement for the values from ≤ i < to, of n conversations, as the engine takes it.
func text(d sqlstore.Dialect, statement string, n, from, to int) string {
	// Ids are UUIDs of version 7: NUMBER is what is numbered, MILLIS when.
	numbers := fmt.Sprintf("(WITH RECURSIVE r(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM r "+
		"WHERE i < %d) SELECT i FROM r) r", from, to-1)
	id := "unhex(printf('%012x70008000%012x', MILLIS, NUMBER))"
	switch d {
	case sqlstore.PostgreSQL:
		numbers = fmt.Sprintf("generate_series(%d::bigint, %d) AS r(i)", from, to-1)
		id = "(lpad(to_hex(MILLIS), 12, '0') || '70008000' || lpad(to_hex(NUMBER), 12, '0'))::uuid"
	case sqlstore.MariaDB, sqlstore.MySQL:
		numbers = fmt.Sprintf("(SELECT CAST(seq AS SIGNED) AS i FROM seq_%d_to_%d) r", from, to-1)
		id = "UNHEX(CONCAT(LPAD(HEX(MILLIS), 12, '0'), '70008000', LPAD(HEX(NUMBER), 12, '0')))"
	}
	division := "/"
	if d == sqlstore.MariaDB || d == sqlstore.MySQL {
		division = "DIV"
	}
	statement = strings.ReplaceAll(statement, "{div}", division)
	// One conversation every 20 seconds, from 2025 on.
	const millis = "(1735689600000 + 20000 * (NUMBER))"
	id = strings.ReplaceAll(id, "MILLIS", millis)
	statement = strings.NewReplacer(
		"{conversations}", `(SELECT i, c,
			`+strings.ReplaceAll(id, "NUMBER", "i")+` AS id,
			`+strings.ReplaceAll(millis, "NUMBER", "i")+` * 1000 AS at,
			{workspace} AS workspace,
			CASE WHEN i < {half} AND i % 100 = 1 THEN 'contact-1' ELSE CONCAT('contact-',
			k) END AS contact,
			i >= {half} AND k <> 1 AND b < 400 AS active,
			CASE WHEN a % 100 < 70 THEN 'whatsapp'
				WHEN a % 100 < 90 THEN 'webchat' WHEN a % 100 < 99
				THEN 'email'
				ELSE 'viber' END AS channel,
			CASE WHEN b = 300 THEN 'lane-rare' WHEN b % 10 < 6 THEN '' ELSE CONCAT('lane-',
			b % 7) END AS lane,
			CASE WHEN c = 5 THEN 'agent-rare' WHEN c % 100 < 20 THEN '' ELSE CONCAT('agent-',
			c % 40) END AS assignee,
			CASE WHEN a = 77 THEN 'team-rare' WHEN a % 10 < 4 THEN '' ELSE CONCAT('team-',
			a % 6) END AS team,
			CASE WHEN b = 5000 THEN 'Fraud' WHEN b % 100 < 15 THEN ''
				WHEN b % 100 < 60 THEN 'Support' WHEN b % 100 < 90
				THEN 'Sales'
				ELSE 'General Inquiry' END AS category
			FROM {numbered}) v`,
		"{contacts}", `(SELECT i, {workspace} AS workspace, CONCAT('contact-', i) AS contact,
			`+strings.ReplaceAll(id, "NUMBER", "i + {half}")+` AS id,
			`+strings.ReplaceAll(millis, "NUMBER", "i")+` * 1000 AS at
			FROM {numbered}) v`,
		"{lane}", "CASE WHEN b = 300 THEN 'lane-rare' WHEN b % 10 < 6 THEN '' ELSE "+
			"CONCAT('lane-', b % 7) END",
		"{event}", strings.ReplaceAll(id, "NUMBER", "i * 8 + e"),
	).Replace(statement)
	statement = strings.NewReplacer(
		"{workspace}", `CASE WHEN k % 10 < 6 THEN 'acme' WHEN k % 10 < 9 THEN 'globex'
			ELSE CONCAT('small-', k % 200) END`,
		// Contact k, and numbers that are spread evenly, each over its own prime.
		"{numbered}", `(SELECT i, i % {half} AS k, i * 7919 % 10007 AS a, i * 104729 % 10009 AS b,
			i * 15485863 % 9973 AS c
			FROM `+numbers+`) n`,
	).Replace(statement)
	return strings.ReplaceAll(statement, "{half}", strconv.Itoa(n/2))
}

const (
	contacts = `INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
		merged_into)
	SELECT workspace, contact, 3, at, at, FALSE, NULL FROM {contacts}`

	aliases = `INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
		merged_into)
	SELECT workspace, CONCAT('alias-', i), 2, at, at, FALSE, contact FROM {contacts}`

	addresses = `INSERT INTO convo_addresses (workspace, channel, value, contact, identity)
	SELECT workspace, 'whatsapp', CONCAT('+49', i), contact, CONCAT('+49', i) FROM {contacts}`

	conversations = `INSERT INTO convo_conversations (workspace, id, origin, channel, lane,
		created_at, contact, new_contact, status, version, updated_at, last_activity_at,
		address_channel,
		address, first_closed_at, assignee, team, due_at, active, number, opened_at,
		opened_by_type, opened_by_id,
		opened_source, first_assignee, last_assignee, last_team, first_response_at,
		first_response_sent_at, first_responder_type,
		first_responder_id, first_waiting_since, turn_since, no_wait_before, responses,
		response_micros, pending_micros, incoming, outgoing_user,
		outgoing_automation,
		status_since, pending_until, deadline_at, closed_at, closed_by_type, closed_by_id,
		closed_source, category, summary)
	SELECT workspace, id, contact, channel, lane, at, contact, TRUE,
		CASE WHEN NOT active THEN 'closed' WHEN c % 10 < 3 THEN 'pending' ELSE 'open' END, 4,
		at + 3000000, at + 3000000, '', '',
		CASE WHEN NOT active THEN at + 3000000 END, assignee, team,
		CASE WHEN active AND c % 10 = 0 THEN at + 86400000000 END, active,
		1, at, 'contact', contact, 'incoming_message', assignee, assignee, team, at + 2000000,
		at + 2000000, 'user', assignee, at + 1000000, at + 2000000, at + 2000000, 1, 1000000, 0,
		1, 1, 0,
		CASE WHEN NOT active THEN at + 3000000 WHEN c % 10 < 3 THEN at + 2500000 ELSE at END,
		CASE WHEN active AND c % 10 = 0 THEN at + 86400000000 END,
		CASE WHEN active AND c % 10 = 0 THEN at + 86400000000 END,
		CASE WHEN NOT active THEN at + 3000000 END, CASE WHEN active THEN '' ELSE 'user' END,
		CASE WHEN active THEN '' ELSE assignee END, CASE WHEN active THEN '' ELSE 'user' END,
		CASE WHEN active THEN '' ELSE category END,
		CASE WHEN active THEN '' ELSE CONCAT('Issue resolved: replaced item ', i, ',
		and a coupon for the trouble.') END
	FROM {conversations}`

	// Of the active ones, 6 in 10 wait and 2 in 5 have a priority.
	actives = `INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee,
		team, priority, contact, due_at)
	SELECT workspace, id, CASE WHEN c % 10 < 3 THEN 'pending' ELSE 'open' END, channel, lane, at,
		assignee, team, CASE WHEN c % 5 < 2 THEN 1 + c % 4 ELSE 0 END, contact,
		CASE WHEN active AND c % 10 = 0 THEN at + 86400000000 END
	FROM {conversations} WHERE active`

	activity = `INSERT INTO convo_places (workspace, list, at, id)
	SELECT workspace, 1, (at + 3000000) {div} 300000000, id
	FROM {conversations} WHERE active`

	waiting = `INSERT INTO convo_places (workspace, list, at, id)
	SELECT workspace, 2, at + 1000000, id
	FROM {conversations} WHERE active AND c % 10 > 3`

	deadlines = `INSERT INTO convo_places (workspace, list, at, id)
	SELECT workspace, 3, at + 86400000000, id
	FROM {conversations} WHERE active AND c % 10 = 0`

	priorities = `INSERT INTO convo_places (workspace, list, at, id)
	SELECT workspace, 11 + c % 4, at, id
	FROM {conversations} WHERE active AND c % 5 < 2`

	// 1 in 10 has a label.
	labels = `INSERT INTO convo_labels (workspace, label, created_at, conversation)
	SELECT workspace, CASE WHEN c = 9 THEN 'label-rare' ELSE CONCAT('label-', c % 7) END, at, id
	FROM {conversations} WHERE c % 10 = 9`

	cycles = `INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
		opened_by_type, opened_by_id, opened_source,
		first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
		first_responder_type, first_responder_id, first_waiting_since, turn_since, no_wait_before,
		responses,
		response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
		closed_by_type, closed_by_id,
		closed_source, category, summary)
	SELECT workspace, id, channel, lane, 1, at, 'contact', contact, 'incoming_message', assignee,
	assignee, team, at + 2000000, at + 2000000, 'user', assignee, at + 1000000, at + 2000000,
		at + 2000000, 1, 1000000, 0, 1, 1, 0, at + 3000000, 'user', assignee, 'user', category,
		CONCAT('Issue resolved: replaced item ', i, ', and a coupon for the trouble.')
	FROM {conversations} WHERE NOT active`

	closed = `INSERT INTO convo_closed (workspace, what, value, created_at, id)
	SELECT workspace, what, CASE what WHEN 1 THEN assignee WHEN 2 THEN team WHEN 3 THEN channel
		WHEN 4 THEN lane ELSE category END, at, id
	FROM {conversations} CROSS JOIN (SELECT 1 AS what UNION ALL SELECT 2 UNION ALL SELECT 3
		UNION ALL SELECT 4 UNION ALL SELECT 5) w
	WHERE NOT active`

	queue = `INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
	SELECT workspace, id, 1 FROM {conversations}`

	events = `INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq,
		kind, at, by_type, by_id, source, channel, lane,
		external_id, body, new_contact, response,
		status_before, assignee_before, team_before, lane_before, channel_before, cycle,
		opened_source, status_since, opened_at, turn, turn_since, waiting_since, replies)
	SELECT workspace, id, e, {event}, contact, CASE WHEN e = 1 THEN 3 END,
		CASE e WHEN 1 THEN 'conversation_opened' WHEN 2 THEN 'message_received'
			WHEN 3 THEN 'message_sent'
			ELSE CASE WHEN active THEN 'note_added' ELSE 'conversation_closed' END END,
		at + 1000000 * (e - 1), CASE WHEN e < 3 THEN 'contact' ELSE 'user' END,
		CASE WHEN e < 3 THEN contact ELSE assignee END,
		CASE e WHEN 1 THEN 'incoming_message' WHEN 4 THEN 'user' END,
		CASE WHEN e < 4 THEN channel END, CASE WHEN e = 1 THEN lane END,
		CASE WHEN e = 2 THEN CONCAT('wamid.', i) END,
		CASE WHEN e > 1 THEN CONCAT('My order ', i, ' arrived broken,
		what can I do about it now?') END,
		CASE WHEN e = 1 THEN TRUE END, CASE WHEN e = 3 THEN TRUE END,
		CASE WHEN e > 1 THEN 'open' END, CASE WHEN e > 1 THEN assignee END,
		CASE WHEN e > 1 THEN team END, CASE WHEN e > 1 THEN lane END,
		CASE WHEN e > 1 THEN channel END, CASE WHEN e > 1 THEN 1 END,
		CASE WHEN e > 1 THEN 'incoming_message' END,
		CASE WHEN e = 4 THEN at END, CASE WHEN e = 4 THEN at END,
		CASE e WHEN 2 THEN 'nobody' WHEN 3 THEN 'contact_waiting'
			WHEN 4 THEN 'awaiting_contact' END,
		CASE e WHEN 2 THEN at WHEN 3 THEN at + 1000000 WHEN 4 THEN at + 2000000 END,
		CASE WHEN e = 3 THEN at + 1000000 END, CASE WHEN e = 4 THEN 1 END
	FROM {conversations} CROSS JOIN (SELECT 1 AS e UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL
	SELECT 4) x`

	contactEvents = `INSERT INTO convo_contact_events (workspace, contact, seq, id, kind, at,
		by_type, channel, address)
	SELECT workspace, contact, 2, id, 'address_linked', at, 'contact', 'whatsapp',
	CONCAT('+49', i) FROM {contacts}`

	keys = `INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
		first_seq, last_seq)
	SELECT workspace, channel, CONCAT('wamid.', i), '', contact, i * 15485863, id, 2, 2
	FROM {conversations}`

	deliveries = `INSERT INTO convo_deliveries (workspace, channel, id, address, status, at,
		unknown_since)
	SELECT workspace, channel, CONCAT('wamid.', i), '', 4, at, CASE WHEN c % 100 = 0 THEN at END
	FROM {conversations}`
)
