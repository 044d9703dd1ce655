package dialect

import (
	"strings"

	"github.com/google/uuid"
)

// Treatment is what an erasure does with a column of what it goes over.
type Treatment int

// The treatments.
const (
	// Kept says nothing of a person.
	Kept Treatment = iota + 1
	// Grouped is a word of the host's that reports and lists go by, so it is kept, too.
	Grouped
	// Replaced is an id or an address, for which a token stands afterwards.
	Replaced
	// Cleared is a text.
	Cleared
	// Hashed is a key.
	Hashed
	// Removed: rows with it are.
	Removed
)

// Treatments are those of each column of each table. What is done is convo.Erasure's to say, row by
// row; this says which columns it is about, and a test that no column is forgotten.
var Treatments = map[string]map[Treatment]string{
	"contacts": {
		Kept:     "workspace version created_at updated_at seen_at blocked erased_at",
		Replaced: "id merged_into parent blocked_by",
		Cleared:  "name attributes",
	},
	"addresses": {Removed: "workspace channel value contact identity"},
	"conversations": {
		Kept: `workspace id created_at new_contact status status_since version updated_at
			last_activity_at last_incoming_at first_closed_at assigned_at priority pending_until
			on_receive awaiting_contact_since marks deadline_at due_at applied unrated active ` +
			keptOfCycles,
		Grouped:  "channel lane assignee team labels address_channel " + groupedOfCycles,
		Replaced: "origin contact address " + replacedOfCycles,
		Cleared:  "subject attributes " + clearedOfCycles,
	},
	"active": {
		Kept:     "workspace id status created_at priority due_at",
		Grouped:  "channel lane assignee team",
		Replaced: "contact",
	},
	"closed":   {Kept: "workspace what created_at id", Grouped: "value"},
	"places":   {Kept: "workspace at id", Replaced: "list"},
	"mentions": {Kept: "workspace conversation", Replaced: "contact owner"},
	"labels":   {Kept: "workspace created_at conversation", Grouped: "label"},
	"cycles": {
		Kept:     "workspace conversation " + keptOfCycles,
		Grouped:  "channel lane " + groupedOfCycles,
		Replaced: replacedOfCycles,
		Cleared:  clearedOfCycles,
	},
	"events": {
		Kept: `workspace conversation seq id contact_seq kind at by_type sent_at until_at on_receive
			marks cycle score replaces response quiet new_contact restart_flow message redacted
			duplicate notice audience status_before status_since assigned_at was_assigned opened_at
			turn turn_since waiting_since handed_over_at replies pending_micros closed_by_type
			from_seq priority priority_before`,
		Grouped: `source channel lane category assignee team assignee_before team_before
			lane_before channel_before opened_source labels labels_before`,
		Replaced: "contact by_id address closed_by_id moved_from",
		Cleared:  "external_id body attachments summary subject attributes",
	},
	"contact_events": {
		Kept: `workspace seq id contact_seq kind at by_type sent_at quiet message redacted duplicate
			blocked own_blocked`,
		Grouped: "source channel",
		Replaced: `contact by_id address merged_into blocked_by unmerged_from
			own_blocked_by`,
		Cleared: "external_id body attachments name attributes",
	},
	"keys": {
		Kept:     "workspace conversation first_seq last_seq hash",
		Grouped:  "channel",
		Replaced: "contact",
		Hashed:   "id address",
	},
	"deliveries":   {Removed: "workspace channel id address status at reason unknown_since"},
	"rollup_queue": {Kept: "workspace conversation from_seq"},
	"rollups": {
		Kept: `workspace dimension subject slot_micros slot_number version sums sketches
			half_hours half_hour_sketches removed_to`,
		Grouped: "dimension_value",
	},
	"outbox":     {Kept: "workspace conversation seq last_seq since", Replaced: "contact"},
	"feed":       {Kept: "workspace position conversation from_seq to_seq at", Replaced: "contact"},
	"feed_heads": {Kept: "workspace position"},
	"outbox_queue": {
		Kept:     "workspace target conversation letter next_seq last_seq since tries due_at",
		Replaced: "contact",
		Cleared:  "lease error",
	},
}

const (
	keptOfCycles = `number opened_at opened_by_type first_assigned_at first_response_at
		first_response_sent_at first_responder_type first_waiting_since waiting_since turn_since
		handed_over_at no_wait_before responses response_micros pending_micros incoming
		outgoing_user outgoing_automation rated_at score closed_at closed_by_type`
	groupedOfCycles  = "opened_source first_assignee last_assignee last_team closed_source category"
	replacedOfCycles = "opened_by_id first_responder_id closed_by_id"
	clearedOfCycles  = "rating_comment summary"
)

// Treated is how often something is said of each column, as "events.body": once, one hopes.
func Treated() map[string]int {
	said := map[string]int{}
	for table, by := range Treatments {
		for _, columns := range by {
			for c := range strings.FieldsSeq(columns) {
				said[table+"."+c]++
			}
		}
	}
	return said
}

// TreatmentOf is that of a column; 0 where nothing is said of it.
func TreatmentOf(table, column string) Treatment {
	for how, columns := range Treatments[table] {
		for c := range strings.FieldsSeq(columns) {
			if c == column {
				return how
			}
		}
	}
	return 0
}

// erasable are the columns that an erasure writes.
func erasable[R any](table string, of Columns[R]) Columns[R] {
	return of.Only(func(name string) bool {
		how := TreatmentOf(table, name)
		return how == Replaced || how == Cleared
	})
}

// What a commit keeps of whom logs name.
var (
	InsertMention = `INSERT INTO convo_mentions (` + Mentions.All.Names() + `)
	VALUES (` + Mentions.All.placeholders() + `)`
	DeleteMention = `DELETE FROM convo_mentions
	WHERE workspace = ? AND contact = ? AND conversation = ? AND owner = ?`

	oneContact = `SELECT 1 FROM convo_contacts
	WHERE workspace = ? AND id = ?`
)

// OwnersInLog are the contacts that a conversation which was moved had before.
func (d *Dialect) OwnersInLog() string {
	return `SELECT DISTINCT workspace, contact, conversation, '' FROM convo_events
	WHERE workspace = ? AND conversation = ? AND contact <> ?` + d.current()
}

// OwnersInLogs are those of conversations that an unmerge has given back to a contact. Its
// arguments are the workspace, that contact and the owner.
func (d *Dialect) OwnersInLogs() string {
	return `SELECT DISTINCT ev.workspace, ev.contact, ev.conversation, ''
	FROM convo_conversations cv
	JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
	WHERE cv.workspace = ? AND cv.contact = ? AND cv.origin = ? AND ev.contact <> cv.contact` +
		d.current()
}

// HoldContact holds the row of a contact.
func (d *Dialect) HoldContact() string { return oneContact + d.held() }

// HoldMentions is MentionsOf, as of now, whatever the transaction has read before.
func (d *Dialect) HoldMentions(contacts int) string { return MentionsOf(contacts) + d.held() }

// HoldNotes holds the notes of a stream. StreamArgs are its arguments.
func (d *Dialect) HoldNotes() string {
	return "SELECT seq FROM convo_outbox WHERE " + sameStream + " ORDER BY seq" + d.held()
}

// HoldOwnLog is EventsOfOwnLog, as of now.
func (d *Dialect) HoldOwnLog() string { return EventsOfOwnLog + d.held() }

// HoldQueues is QueuesOfWorkspace, as of now.
func (d *Dialect) HoldQueues() string { return QueuesOfWorkspace + d.held() }

// current makes of a SELECT, of rows that the transaction holds, one that sees them as they are
// now. MariaDB's own, in a transaction of the host's, may show a moment before; PostgreSQL either
// shows the present or has refused to hold them.
func (d *Dialect) current() string {
	if d.primaryIndex == "" {
		return ""
	}
	return "\n\tLOCK IN SHARE MODE"
}

// held makes of a SELECT of one table one that holds its rows; empty: the transaction holds
// everything.
func (d *Dialect) held() string { return strings.TrimSuffix(d.lockFree, " SKIP LOCKED") }

// What an erasure writes of rows.
var (
	ErasedEvents        = erasable("events", Events.All)
	ErasedContactEvents = erasable("contact_events", ContactEvents.All)
	ErasedCycles        = erasable("cycles", Cycles.All)
)

// An erasure, row by row.
var (
	// EraseContact is UpdateContact that gives another id.
	EraseContact = strings.Replace(UpdateContact, " SET ", " SET id = ?, ", 1)

	EraseEvent = `UPDATE convo_events SET ` + ErasedEvents.assignments() + `
	WHERE workspace = ? AND conversation = ? AND seq = ?`

	EraseContactEvent = `UPDATE convo_contact_events SET ` + ErasedContactEvents.assignments() + `
	WHERE workspace = ? AND contact = ? AND seq = ?`

	EraseCycle = `UPDATE convo_cycles SET ` + ErasedCycles.assignments() + `
	WHERE workspace = ? AND conversation = ? AND number = ?`

	// AddressesLinked are those that were linked to a contact itself, and DeleteAddresses removes
	// them.
	AddressesLinked = `SELECT channel, value FROM convo_addresses
	WHERE workspace = ? AND contact = ?`
	DeleteAddresses = `DELETE FROM convo_addresses
	WHERE workspace = ? AND contact = ?`

	DeleteKey = `DELETE FROM convo_keys
	WHERE workspace = ? AND channel = ? AND id = ? AND address = ? AND contact = ?`

	// DeliveriesBy are the external ids with receipts by an address.
	DeliveriesBy = `SELECT id FROM convo_deliveries
	WHERE workspace = ? AND channel = ? AND address = ?`
	DeleteDelivery = `DELETE FROM convo_deliveries
	WHERE workspace = ? AND channel = ? AND id = ? AND address = ?`

	RenameNotes = `UPDATE convo_outbox SET contact = ?
	WHERE workspace = ? AND conversation = ? AND contact = ?`
	RenameInFeed = `UPDATE convo_feed SET contact = ?
	WHERE workspace = ? AND conversation = ? AND contact = ?`
	QueuesOfWorkspace = `SELECT ` + Queue.Read.Names() + ` FROM convo_outbox_queue
	WHERE workspace = ? ORDER BY target, conversation, contact, letter`
	EraseQueue = `UPDATE convo_outbox_queue SET contact = ?, lease = NULL, error = NULL
	WHERE ` + sameQueue
)

// MentionsOf are the logs that name one of so many contacts. Its arguments are the workspace and
// those contacts.
func MentionsOf(contacts int) string {
	return `SELECT ` + Mentions.Read.Names() + ` FROM convo_mentions
	WHERE workspace = ? AND contact IN (` + Placeholders(contacts) + `)`
}

// KeysOf are the keys that so many contacts own, or that lead to conversations of a root or to one
// of so many others. Its arguments are the workspace, those contacts, the workspace, the root and
// those conversations.
func KeysOf(contacts, conversations int) string {
	others := ""
	if conversations > 0 {
		others = " OR conversation IN (" + Placeholders(conversations) + ")"
	}
	return `SELECT ` + Keys.Read.Names() + ` FROM convo_keys
	WHERE workspace = ? AND (contact IN (` + Placeholders(contacts) + `) OR conversation IN (
		SELECT id FROM convo_conversations WHERE workspace = ? AND contact = ?)` + others + `)`
}

// IDs are conversations as arguments.
func (d *Dialect) IDs(to []any, ids []uuid.UUID) []any {
	for _, id := range ids {
		to = append(to, d.ID(id))
	}
	return to
}
