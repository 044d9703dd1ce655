package dialect

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The history of a contact is read by its conversations: in each log, times never go back, so a
// page needs the conversations that span its first instant, and then those that begin behind it, in
// order. Which span an instant is asked of indexes; where in their logs a page begins is searched
// for by halves, for logs have no index by time.

// Stretch is a part of the log of a conversation: the events behind Seq, up to Version.
type Stretch struct {
	ID           uuid.UUID
	Begins, Ends int64 // of the conversation
	Version, Seq int64
}

// Stretches are the columns of Behind and Later.
var Stretches = table(
	required("id", immutable, func(s *Stretch) Field { return (*ID)(&s.ID) }),
	required("created_at", immutable, func(s *Stretch) Field { return (*Int)(&s.Begins) }),
	required("updated_at", immutable, func(s *Stretch) Field { return (*Int)(&s.Ends) }),
	required("version", immutable, func(s *Stretch) Field { return (*Int)(&s.Version) }),
	required("seq", immutable, func(s *Stretch) Field { return (*Int)(&s.Seq) }),
)

// OwnLog is a contact of a family, and the last event of its own log up to an instant.
type OwnLog struct {
	Contact string
	Seq     int64
	More    bool // there are events behind it
}

// OwnLogs are the columns of OwnLogsBehind.
var OwnLogs = table(
	required("id", immutable, func(l *OwnLog) Field { return (*Text)(&l.Contact) }),
	required("seq", immutable, func(l *OwnLog) Field { return (*Int)(&l.Seq) }),
	required("more", immutable, func(l *OwnLog) Field { return (*Flag)(&l.More) }),
)

// halves is the first step of a search for a seq up to version, and half of what it may reach.
const halves = `CASE WHEN version < 64 THEN 32 WHEN version < 4096 THEN 2048 ELSE 1073741824 END`

// Later are the first conversations of a contact that begin behind an instant.
const Later = `SELECT id, created_at, updated_at, version, version - version AS seq
	FROM convo_conversations
	WHERE workspace = ? AND contact = ? AND created_at > ? ORDER BY created_at, id LIMIT ?`

// OwnLogsBehind are the own logs of a contact and of those that were merged into it.
const OwnLogsBehind = `WITH RECURSIVE found (id, version, seq, step) AS (
	SELECT id, version, version - version, ` + halves + `
	FROM (SELECT id, version FROM convo_contacts WHERE workspace = ? AND id = ?
		UNION ALL SELECT id, version FROM convo_contacts WHERE workspace = ? AND merged_into = ?
	) merged
	UNION ALL
	SELECT id, version, seq + CASE WHEN seq + step <= version AND (
		SELECT CASE WHEN ce.at < ? OR ce.at = ? AND (ce.seq < ? OR ce.seq = ? AND ce.id <= ?)
			THEN 1 ELSE 0 END FROM convo_contact_events ce
		WHERE ce.workspace = ? AND ce.contact = found.id AND ce.seq >= found.seq + found.step
		ORDER BY ce.seq LIMIT 1) = 1 THEN step ELSE 0 END, step >> 1
	FROM found WHERE step > 0)
	SELECT id, seq, EXISTS (SELECT 1 FROM convo_contact_events ce
		WHERE ce.workspace = ? AND ce.contact = found.id AND ce.seq > found.seq) AS more
	FROM found WHERE step = 0`

// OwnLogsArgs are the arguments of OwnLogsBehind. What has a conversation comes behind what
// happened to the contact itself at the same time.
func (d *Dialect) OwnLogsArgs(f *convo.EventFilter) []any {
	at, seq, id := f.After.At.UnixMicro(), f.After.Seq, f.After.ID
	if f.After.Conversation != uuid.Nil {
		seq, id = math.MaxInt64, uuid.Max
	}
	return []any{
		f.Workspace, f.Contact, f.Workspace, f.Contact, at, at, seq, seq, d.ID(id), f.Workspace,
		f.Workspace,
	}
}

// ArgsBehind are the arguments of Behind, but for MaxSpan of each of the family.
const ArgsBehind = 21 + 3*convo.MaxSpan

// Behind is the statement for the conversations of a contact that may have events behind f.After,
// where f.Contact is the root of a family, and its arguments. It finds those that began up to an
// hour before, those that are active, and among the longer ones those that can reach so far. These
// are looked up by id, one by one: a CASE cannot be answered from an index, or PostgreSQL would go
// over all that the contact has had so far, for it believes that most have one.
func (d *Dialect) Behind(f *convo.EventFilter, family []string) (statement string, args []any) {
	at := f.After.At.UnixMicro()
	args = []any{f.Workspace, f.Contact, at - convo.SpanWidth(0), at, at, f.Workspace, f.Contact}
	for span := 1; span <= convo.MaxSpan; span++ {
		from := int64(math.MinInt64)
		if span < convo.MaxSpan {
			from = at - convo.SpanWidth(span)
		}
		args = append(args, f.Workspace)
		for _, origin := range family {
			args = append(args, int64(spanList(origin, span)))
		}
		args = append(args, from, at)
	}
	c := d.ID(f.After.Conversation)
	args = append(args, f.Workspace, f.Contact, at, at,
		f.Workspace, at, at, c, c, f.After.Seq, f.Workspace, f.Contact, at, f.Limit)
	spans := strings.Repeat(`
	UNION SELECT id FROM convo_places
	WHERE workspace = ? AND list IN (`+Placeholders(len(family))+`) AND at >= ? AND at <= ?`,
		convo.MaxSpan)
	return `WITH RECURSIVE around (id) AS (
	SELECT id FROM convo_conversations
	WHERE workspace = ? AND contact = ? AND created_at >= ? AND created_at <= ?
		AND updated_at >= ?
	UNION SELECT id FROM convo_active
	WHERE workspace = ? AND contact = ?` + spans + `
	), found (id, created_at, updated_at, version, seq, step) AS (
	SELECT cv.id, cv.created_at, cv.updated_at, cv.version, cv.version - cv.version, ` + halves + `
	FROM around ` + d.JoinInOrder() + ` convo_conversations cv
		ON cv.workspace = ? AND cv.id = around.id
	WHERE CASE WHEN cv.contact = ? AND cv.created_at <= ? AND cv.updated_at >= ?
		THEN 1 ELSE 0 END = 1
	UNION ALL
	SELECT id, created_at, updated_at, version, seq + CASE WHEN seq + step <= version AND EXISTS (
		SELECT 1 FROM convo_events ev
		WHERE ev.workspace = ? AND ev.conversation = found.id AND ev.seq = found.seq + found.step
			AND (ev.at < ? OR ev.at = ? AND (ev.conversation < ? OR ev.conversation = ?
				AND ev.seq <= ?))) THEN step ELSE 0 END, step >> 1
	FROM found WHERE step > 0)
	SELECT id, created_at, updated_at, version, seq FROM found WHERE step = 0 AND seq < version
	UNION ALL SELECT * FROM (` + Later + `) later`, args
}

// EventsOfStretches are those of so many stretches, each by its workspace, conversation, the seq
// behind which it begins, and its last one; in any order.
func EventsOfStretches(n int) string {
	one := `SELECT ` + Events.Read.Names() + ` FROM convo_events
	WHERE workspace = ? AND conversation = ? AND seq > ? AND seq <= ?`
	return one + strings.Repeat("\n\tUNION ALL "+one, n-1)
}

// Enough are those of some stretches that a page can have events of: not those which begin when
// what has ended by then fills it.
func Enough(all []Stretch, f *convo.EventFilter) []Stretch {
	slices.SortFunc(all, func(a, b Stretch) int { return cmp.Compare(a.Begins, b.Begins) })
	var ended, limit = int64(0), int64(f.Limit)
	var open []Stretch // of those before
	for i, t := range all {
		open = slices.DeleteFunc(open, func(o Stretch) bool {
			if o.Ends < t.Begins {
				ended += o.Version - o.Seq
			}
			return o.Ends < t.Begins
		})
		if ended >= limit {
			return all[:i]
		}
		open = append(open, t)
	}
	return all
}
