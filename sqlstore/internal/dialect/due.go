package dialect

import (
	"strings"

	"github.com/chatlifecycle/convo"
)

// Due is the page of a convo.DueQuery, which leaves out so many scopes.
func (d *Dialect) Due(except int) string {
	behind := "(due_at, workspace, id) > (?, ?, ?)"
	if d.rangesOfIndex { // one behind the other
		behind = "(due_at > ? OR due_at = ? AND (workspace > ? OR workspace = ? AND id > ?))"
	}
	return `SELECT workspace, id, due_at, lane, channel FROM convo_active` + d.dueIndex + `
	WHERE due_at IS NOT NULL AND due_at <= ? AND ` + behind +
		strings.Repeat(" AND NOT (workspace = ? AND lane = ? AND channel = ?)", except) + `
	ORDER BY due_at, workspace, id LIMIT ?`
}

// DueArgs are the arguments of Due.
func (d *Dialect) DueArgs(q *convo.DueQuery) []any {
	at, of := q.After.DueAt.UnixMicro(), q.After.Ref
	args := []any{q.Before.UnixMicro(), at, of.Workspace, d.ID(of.Conversation)}
	if d.rangesOfIndex {
		args = []any{
			q.Before.UnixMicro(), at, at, of.Workspace, of.Workspace, d.ID(of.Conversation),
		}
	}
	for _, s := range q.Except {
		args = append(args, s.Workspace, s.Lane, s.Channel)
	}
	return append(args, q.Limit)
}

// LockDue holds those conversations of some that are due and that nobody else holds, and returns
// their workspaces and ids. It is for where [Dialect.Locks].
func (d *Dialect) LockDue(before int64, some []convo.Ref) (statement string, args []any) {
	if d.manyAsJSON {
		return `SELECT cv.workspace, cv.id
	FROM ` + listedRefs + ` CROSS JOIN LATERAL (
		SELECT workspace, id FROM convo_conversations
		WHERE workspace = listed.workspace AND id = listed.id AND due_at <= ? LIMIT 1` +
			d.lockFree + `) cv`, []any{listOfRefs(some), before}
	}
	where, args := d.dueAmong(before, some)
	return `SELECT cv.workspace, cv.id FROM convo_conversations cv` + d.primaryIndex + `
	WHERE ` + where + d.lockFree, args
}

// LoadDue is what Load selects of each of some conversations that is due.
func (d *Dialect) LoadDue(before int64, some []convo.Ref) (statement string, args []any) {
	const contact = `
	JOIN convo_contacts ct ON ct.workspace = cv.workspace AND ct.id = cv.contact`
	if d.manyAsJSON {
		return `SELECT ` + snapshotPlaceholder + `
	FROM ` + listedRefs + ` CROSS JOIN LATERAL (
		SELECT * FROM convo_conversations
		WHERE workspace = listed.workspace AND id = listed.id AND due_at <= ? LIMIT 1) cv` +
			contact, []any{listOfRefs(some), before}
	}
	where, args := d.dueAmong(before, some)
	return `SELECT ` + snapshotPlaceholder + `
	FROM convo_conversations cv` + contact + `
	WHERE ` + where, args
}

// Locks says that a transaction holds rows, and not everything.
func (d *Dialect) Locks() bool { return d.Lock != "" }

const listedRefs = `json_to_recordset(?::json) AS listed(workspace text, id uuid)`

func listOfRefs(refs []convo.Ref) any {
	var l jsonRows
	for i := range refs {
		l.key(refs[i].Workspace, refs[i].Conversation)
		l.end()
	}
	return l.statement("").Args[0]
}

// dueAmong is a condition that holds of those conversations of some that are due.
func (d *Dialect) dueAmong(before int64, some []convo.Ref) (where string, args []any) {
	args = append(args, before)
	byWorkspace := map[string][]any{}
	var workspaces []string
	for i := range some {
		w := some[i].Workspace
		if byWorkspace[w] == nil {
			workspaces = append(workspaces, w)
		}
		byWorkspace[w] = append(byWorkspace[w], d.ID(some[i].Conversation))
	}
	among := make([]string, len(workspaces))
	for i, w := range workspaces {
		ids := byWorkspace[w]
		args = append(append(args, w), ids...)
		among[i] = "cv.workspace = ? AND cv.id IN (" + Placeholders(len(ids)) + ")"
	}
	return "cv.due_at <= ? AND (" + strings.Join(among, " OR ") + ")", args
}
