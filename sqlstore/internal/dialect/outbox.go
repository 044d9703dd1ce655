package dialect

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// Noted is a note that a stream has new events.
type Noted struct {
	relay.Stream
	Seq, Last int64
	Since     time.Time
}

// Outbox are the columns of convo_outbox.
var Outbox = table(
	required("workspace", immutable, func(n *Noted) Field { return (*Text)(&n.Workspace) }),
	required("conversation", immutable, func(n *Noted) Field { return (*ID)(&n.Conversation) }),
	required("contact", immutable, func(n *Noted) Field { return (*Text)(&n.Contact) }),
	required("seq", immutable, func(n *Noted) Field { return (*Int)(&n.Seq) }),
	required("last_seq", immutable, func(n *Noted) Field { return (*Int)(&n.Last) }),
	required("since", immutable, func(n *Noted) Field { return (*Micros)(&n.Since) }),
)

// Waiting is a row of a target's queue.
type Waiting struct {
	relay.Queue
	Next, Last int64
	Since      time.Time
	Tries      int
	Due        time.Time // zero of a dead letter
	Lease      uuid.UUID // zero while nobody has it in hand
	Error      string
}

// Queue are the columns of convo_outbox_queue.
var Queue = table(
	required("workspace", immutable, func(w *Waiting) Field { return (*Text)(&w.Workspace) }),
	required("target", immutable, func(w *Waiting) Field { return (*Text)(&w.Target) }),
	required("conversation", immutable, func(w *Waiting) Field { return (*ID)(&w.Conversation) }),
	required("contact", immutable, func(w *Waiting) Field { return (*Text)(&w.Contact) }),
	required("letter", immutable, func(w *Waiting) Field { return (*Int)(&w.Letter) }),
	required("next_seq", immutable, func(w *Waiting) Field { return (*Int)(&w.Next) }),
	required("last_seq", immutable, func(w *Waiting) Field { return (*Int)(&w.Last) }),
	required("since", immutable, func(w *Waiting) Field { return (*Micros)(&w.Since) }),
	required("tries", immutable, func(w *Waiting) Field { return (*Count)(&w.Tries) }),
	optional("due_at", immutable, func(w *Waiting) Field { return (*Micros)(&w.Due) }),
	optional("lease", immutable, func(w *Waiting) Field { return (*ID)(&w.Lease) }),
	optional("error", immutable, func(w *Waiting) Field { return (*FreeText)(&w.Error) }),
)

// NotesOf are the notes of events: one for each stream, which has them in the order of their Seq.
func NotesOf(events []*convo.Event) (all []Noted) {
	for _, e := range events {
		of := relay.StreamOf(e)
		at := -1
		for i := range all {
			if all[i].Stream == of {
				at = i
			}
		}
		if at < 0 {
			at = len(all)
			all = append(all, Noted{Stream: of, Seq: e.Seq, Since: e.At})
		}
		all[at].Last = e.Seq
	}
	return all
}

// notesArgs are the arguments of the notes of a change: of its conversation's events, and then of
// its contact's own.
func notesArgs(d *Dialect, to []any, class ChangeClass, ch *convo.Change) []any {
	if !class.Noted {
		return to
	}
	for _, own := range [...]bool{false, true} {
		var note Noted
		for i := range ch.Events {
			if e := &ch.Events[i]; own == (e.Conversation == uuid.Nil) {
				if note.Seq == 0 {
					note = Noted{Stream: relay.StreamOf(e), Seq: e.Seq, Since: e.At}
				}
				note.Last = e.Seq
			}
		}
		if note.Seq > 0 {
			to = Outbox.All.Args(d, to, &note)
		}
	}
	return to
}

// InsertNote notes that a stream has new events.
var InsertNote = `INSERT INTO convo_outbox (` + Outbox.All.Names() + `)
	VALUES (` + Outbox.All.placeholders() + `)`

// InsertWaiting puts a stream into a queue.
var InsertWaiting = `INSERT INTO convo_outbox_queue (` + Queue.All.Names() + `)
	VALUES (` + Queue.All.placeholders() + `)`

// What comes behind InsertWaiting: a stream that is in the queue stays where it is.
const (
	standardUpsertWaiting = ` ON CONFLICT (workspace, target, conversation, contact, letter)
	DO UPDATE SET last_seq = excluded.last_seq`
	mariadbUpsertWaiting = ` ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq)`
)

// anyOf is a condition on so many rows, each by the same columns.
func anyOf(n int, condition string) string {
	return "(" + strings.Repeat("("+condition+") OR ", n-1) + "(" + condition + "))"
}

const (
	sameStream = "workspace = ? AND conversation = ? AND contact = ?"
	sameQueue  = "workspace = ? AND target = ? AND conversation = ? AND contact = ? AND letter = ?"
)

// StreamsNoted are those in the outbox behind another one. Its arguments are the workspace of that,
// those of StreamArgs, and a limit.
const StreamsNoted = `SELECT DISTINCT workspace, conversation, contact FROM convo_outbox
	WHERE workspace >= ? AND (workspace, conversation, contact) > (?, ?, ?)
	ORDER BY workspace, conversation, contact LIMIT ?`

// FirstNotes are the first notes of streams, which nobody else has in hand.
func (d *Dialect) FirstNotes(streams int) string {
	return `SELECT workspace, conversation, contact FROM convo_outbox ob` + d.primaryIndex + `
	WHERE ` + anyOf(streams, sameStream) + ` AND NOT EXISTS (
		SELECT 1 FROM convo_outbox earlier WHERE earlier.workspace = ob.workspace
			AND earlier.conversation = ob.conversation AND earlier.contact = ob.contact
			AND earlier.seq < ob.seq)` + d.lockFree
}

// AllNotes are all notes of streams.
func AllNotes(streams int) string {
	return `SELECT ` + Outbox.Read.Names() + ` FROM convo_outbox
	WHERE ` + anyOf(streams, sameStream) + `
	ORDER BY workspace, conversation, contact, seq`
}

// streamKey is what names a stream.
var streamKey = Outbox.All.Only(func(name string) bool {
	return name == "workspace" || name == "conversation" || name == "contact"
})

const ofListed = `ob.workspace = listed.workspace
			AND ob.conversation = listed.conversation AND ob.contact = listed.contact`

// postgresTakeNotes is FirstNotes, AllNotes and DeleteNotes at once. The planner, which knows
// nothing of a table that is empty one moment and full the next, is left no choice but to look each
// stream up.
var postgresTakeNotes = `WITH listed AS MATERIALIZED (
	SELECT * FROM ` + streamKey.recordset("listed") + `
), held AS MATERIALIZED (
	SELECT listed.* FROM listed CROSS JOIN LATERAL (
		SELECT 1 FROM convo_outbox ob WHERE ` + ofListed + ` AND ob.seq = (
			SELECT ob.seq FROM convo_outbox ob WHERE ` + ofListed + `
			ORDER BY ob.seq LIMIT 1)
		LIMIT 1` + skipLocked + `) held
)
DELETE FROM convo_outbox WHERE ctid = ANY (ARRAY(
	SELECT notes.ctid FROM held listed CROSS JOIN LATERAL (
		SELECT ob.ctid FROM convo_outbox ob WHERE ` + ofListed + `
		ORDER BY ob.seq LIMIT 10000) notes))
RETURNING ` + Outbox.Read.Names()

// TakeNotes deletes all notes of streams whose first one nobody else has in hand, and returns them
// in any order, in one statement. ok is false where that cannot be.
func (d *Dialect) TakeNotes(streams []relay.Stream) (statement string, args []any, ok bool) {
	if d.takeNotes == "" {
		return "", nil, false
	}
	return d.takeNotes, []any{listOf(d, streamKey, streams, func(of relay.Stream) *Noted {
		return &Noted{Stream: of}
	})}, true
}

// DeleteNotes deletes notes, each by its whole key: MariaDB waits for what is behind a range, which
// somebody else may hold.
func (d *Dialect) DeleteNotes(notes int) string {
	return d.deleteByKey("convo_outbox") + anyOf(notes, sameStream+" AND seq = ?")
}

// deleteByKey begins a DELETE of rows of a table, each by its whole key.
func (d *Dialect) deleteByKey(table string) string {
	if d.primaryIndex == "" {
		return "DELETE FROM " + table + " WHERE "
	}
	return "DELETE gone FROM " + table + " gone" + d.primaryIndex + " WHERE "
}

// Claimable are queues that are due, but for those of so many targets.
func (d *Dialect) Claimable(except int) string {
	leaveOut := ""
	if except > 0 {
		leaveOut = " AND NOT " + anyOf(except, "workspace = ? AND target = ?")
	}
	return `SELECT ` + Queue.Read.Names() + `
	FROM convo_outbox_queue` + d.byIndex("convo_outbox_due") + `
	WHERE due_at <= ?` + leaveOut + ` ORDER BY due_at LIMIT ?` + d.lockFree
}

// Lease leases queues.
func (d *Dialect) Lease(queues int) string {
	return `UPDATE convo_outbox_queue` + d.primaryIndex + ` SET lease = ?, due_at = ?
	WHERE ` + anyOf(queues, sameQueue)
}

// Held are those of so many queues that are leased still.
func (d *Dialect) Held(queues int) string {
	return `SELECT ` + Queue.Read.Names() + ` FROM convo_outbox_queue` + d.primaryIndex + `
	WHERE ` + anyOf(queues, sameQueue+" AND lease = ?")
}

// StreamedEvents are events of conversations, each from a Seq to another one.
func StreamedEvents(streams int) string {
	return `SELECT ` + Events.Read.Names() + ` FROM convo_events
	WHERE ` + anyOf(streams, "workspace = ? AND conversation = ? AND seq >= ? AND seq <= ?") + `
	ORDER BY workspace, conversation, seq`
}

// StreamedOwnEvents are the first events of a contact itself from a Seq to another one.
var StreamedOwnEvents = `SELECT ` + ContactEvents.Read.Names() + ` FROM convo_contact_events
	WHERE workspace = ? AND contact = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?`

// DeleteSent deletes queues of a lease to which nothing came since.
func (d *Dialect) DeleteSent(queues int) string {
	return d.deleteByKey("convo_outbox_queue") +
		anyOf(queues, sameQueue+" AND lease = ? AND last_seq = ?")
}

var (
	// UpdateSettled writes what became of a queue of a lease. Since comes first, for MariaDB has
	// what is behind an assignment see the new value.
	UpdateSettled = `UPDATE convo_outbox_queue SET
	since = CASE WHEN next_seq < ? THEN ? ELSE since END,
	next_seq = ?, tries = ?, due_at = ?, error = ?, lease = NULL
	WHERE ` + sameQueue + ` AND lease = ?`

	// DeleteSettled deletes it when nothing is left of it.
	DeleteSettled = `DELETE FROM convo_outbox_queue
	WHERE ` + sameQueue + ` AND lease IS NULL AND next_seq > last_seq`

	// ReviveLetter has a dead letter be due again.
	ReviveLetter = `UPDATE convo_outbox_queue
	SET tries = 0, error = NULL, due_at = ?, since = ?
	WHERE ` + sameQueue + ` AND due_at IS NULL`
	// BuryLetter deletes one.
	BuryLetter = `DELETE FROM convo_outbox_queue
	WHERE ` + sameQueue + ` AND due_at IS NULL`

	// OutboxBacklog counts notes, up to a bound, and finds the oldest of those.
	OutboxBacklog = `SELECT count(*), min(since) FROM (SELECT since FROM convo_outbox` +
		limitBacklog + `) noted`

	limitBacklog = " LIMIT " + strconv.Itoa(relay.MaxBacklog)
)

// QueueBacklog counts dead letters, what waits and what of it has failed, each up to a bound, and
// finds the oldest of what it counted.
func (d *Dialect) QueueBacklog() string {
	queues := " FROM convo_outbox_queue" + d.byIndex("convo_outbox_due")
	return `SELECT (SELECT count(*) FROM (
		SELECT 1 AS one` + queues + ` WHERE due_at IS NULL` + limitBacklog + `) dead),
	count(*), COALESCE(sum(failed), 0), min(since) FROM (
		SELECT since, CASE WHEN error IS NULL THEN 0 ELSE 1 END AS failed` + queues + `
		WHERE due_at IS NOT NULL` + limitBacklog + `) waiting`
}

// DeadLetters are a page of a workspace's.
func DeadLetters(ofTarget bool) string {
	only := ""
	if ofTarget {
		only = " AND target = ?"
	}
	return `SELECT ` + Queue.Read.Names() + ` FROM convo_outbox_queue
	WHERE workspace = ? AND due_at IS NULL` + only + `
		AND (target, conversation, contact, letter) > (?, ?, ?, ?)
	ORDER BY target, conversation, contact, letter LIMIT ?`
}

// StreamArgs are those of sameStream, and QueueArgs those of sameQueue.
func (d *Dialect) StreamArgs(to []any, s *relay.Stream) []any {
	return append(to, s.Workspace, d.ID(s.Conversation), s.Contact)
}

// QueueArgs are those that say which queue it is.
func (d *Dialect) QueueArgs(to []any, q *relay.Queue) []any {
	return append(to, q.Workspace, q.Target, d.ID(q.Conversation), q.Contact, q.Letter)
}

// ManyWaiting puts streams into queues: those that are there go on to the new last Seq. Where its
// text depends on their number, it has so many places, and the last of them is there again and
// again.
func ManyWaiting(d *Dialect, some []Waiting, places int) (statement string, args []any) {
	for !d.manyAsJSON && len(some) < places {
		some = append(some, some[len(some)-1])
	}
	statement, args = InsertMany(d, InsertWaiting, Queue.All, some,
		func(w Waiting) *Waiting { return &w })
	return strings.TrimSuffix(statement, d.InsertOnce) + d.upsertWaiting, args
}

// OutboxStatements are the statements of relays, but for what is rare: those for lists with each of
// some numbers of places.
func (d *Dialect) OutboxStatements(places []int) (all []string) {
	all = []string{d.Claimable(0)}
	for _, n := range places {
		all = append(all, StreamedEvents(n), d.Lease(n), d.DeleteSent(n), d.Held(n))
		if d.takeNotes == "" {
			waiting, _ := ManyWaiting(d, make([]Waiting, n), n)
			all = append(all, d.FirstNotes(n), AllNotes(n), d.DeleteNotes(n), waiting)
		}
	}
	if d.takeNotes != "" {
		waiting, _ := ManyWaiting(d, make([]Waiting, 1), 1)
		all = append(all, d.takeNotes, waiting)
	}
	return all
}
