package dialect

import (
	"fmt"

	"github.com/chatlifecycle/convo"
)

// listCreated lists by opening. All conversations, those of a contact and those with a label have
// an index in that order, active or not. Active ones alone are listed from their narrow rows. What
// closed ones are rarely asked for by is in convo_closed, or, until Rollup has put it there, in its
// queue.
func (d *Dialect) listCreated(f *convo.Filter) (statement string, args []any) {
	active, closed := splitStatus(f.Status)
	closed = !f.Waiting && (closed || len(f.Status) == 0) // of closed ones nobody waits
	// nor has an active one been closed in its cycle
	lists := (len(f.Status) == 0 || len(active) > 0) && f.Category == "" &&
		f.ClosedFrom.IsZero() && f.ClosedTo.IsZero()
	what, value := rarely(f)
	if what == 0 && closed && lists && len(active) != 1 {
		l := listing{d: d, f: f}
		from, id, createdAt := l.ofAll()
		l.filters(id, createdAt)
		return l.page(from, createdAt, id, Conversations.Read.Qualify("cv")), l.args
	}
	var parts []listing
	if lists || !closed {
		l := listing{d: d, f: f}
		l.ofActiveByOpening(active)
		l.add(!lists, "1 = 0")
		parts = append(parts, l)
	}
	switch {
	case !closed:
	case what == 0:
		l := listing{d: d, f: f}
		l.table, l.id, l.createdAt = l.ofAll()
		parts = append(parts, l.closed())
	default:
		l := listing{
			d: d, f: f, table: "convo_closed cl" + d.byIndex("PRIMARY") +
				d.LookUp("convo_conversations", "cv",
					"cv.workspace = cl.workspace AND cv.id = cl.id"),
			id: "cl.id", createdAt: "cl.created_at",
		}
		l.add(true, "cl.workspace = ? AND cl.what = ? AND cl.value = ?", f.Workspace, what, value)
		queued := listing{
			d: d, f: f, table: "convo_rollup_queue rq" + d.byIndex("PRIMARY") +
				d.LookUp("convo_conversations", "cv",
					"cv.workspace = rq.workspace AND cv.id = rq.conversation"),
			id: "cv.id", createdAt: "cv.created_at",
		}
		queued.add(true, "rq.workspace = ? AND NOT EXISTS (SELECT 1 FROM convo_closed cl"+
			" WHERE cl.workspace = rq.workspace AND cl.what = ? AND cl.value = ?"+
			" AND cl.created_at = cv.created_at AND cl.id = cv.id"+d.oneByOne()+")",
			f.Workspace, what, value)
		parts = append(parts, l.closed(), queued.closed())
	}
	if len(parts) == 1 {
		l := &parts[0]
		return l.page(l.table, l.createdAt, l.id, Conversations.Read.Qualify("cv")), l.args
	}
	columns := Conversations.Read.Qualify("cv")
	if d.lateRows {
		columns = "cv.id, cv.created_at"
	}
	for i := range parts {
		l := &parts[i]
		if i > 0 {
			statement += " UNION ALL "
		}
		statement += fmt.Sprintf("SELECT * FROM (\n\t%s\n) part_%d",
			l.page(l.table, l.createdAt, l.id, columns), i)
		args = append(args, l.args...)
	}
	statement += " " + orderBy(f, "created_at", "id") + " LIMIT ?"
	args = append(args, f.Limit)
	if !d.lateRows {
		return statement, args
	}
	return "SELECT " + Conversations.Read.Qualify("cv") + "\nFROM (" + statement + ") page\n" +
		"JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.id\n" +
		orderBy(f, "page.created_at", "page.id"), append(args, f.Workspace)
}

// page ends the statement of a listing.
func (l *listing) page(from, createdAt, id, columns string) string {
	l.args = append(l.args, l.f.Limit)
	return "SELECT " + columns + "\n\tFROM " + from + l.conditions() + "\n\t" +
		orderBy(l.f, createdAt, id) + " LIMIT ?"
}

// ofAll is where a listing of conversations begins, active or not, and the columns that have their
// id and time of opening. Those with a label are found by it: of all it may be on few.
func (l *listing) ofAll() (table, id, createdAt string) {
	if len(l.f.Labels) > 0 {
		l.add(true, "lb.workspace = ? AND lb.label = ?", l.f.Workspace, l.f.Labels[0])
		return "convo_labels lb" + l.d.byIndex("PRIMARY") +
				l.d.LookUp("convo_conversations", "cv",
					"cv.workspace = lb.workspace AND cv.id = lb.conversation"),
			"lb.conversation", "lb.created_at"
	}
	index := "convo_conversations_listed"
	if l.f.Contact != "" {
		index = "convo_conversations_contact"
	}
	return "convo_conversations cv" + l.d.byIndex(index), "cv.id", "cv.created_at"
}

// closed narrows a listing down to closed conversations, and by all filters.
func (l *listing) closed() listing {
	l.add(true, "cv.active = "+l.d.False)
	l.filters(l.id, l.createdAt)
	return *l
}

// What convo_closed lists by.
const (
	closedAssignee = 1 + iota
	closedTeam
	closedChannel
	closedLane
	closedCategory
)

// rarely is by which of the filters closed conversations are looked for in convo_closed, the rarer
// ones first; 0: they have a list without it.
func rarely(f *convo.Filter) (what int64, value string) {
	switch {
	case f.Contact != "" || len(f.Labels) > 0:
	case f.Assignee != "":
		return closedAssignee, f.Assignee
	case f.Category != "":
		return closedCategory, f.Category
	case f.Team != "":
		return closedTeam, f.Team
	case f.Lane != "":
		return closedLane, f.Lane
	case f.Channel != "":
		return closedChannel, f.Channel
	case f.Unassigned:
		return closedAssignee, ""
	}
	return 0, ""
}

// InsertClosed lists so many conversations in convo_closed that are closed. Its arguments are the
// workspace and the ids.
func (d *Dialect) InsertClosed(n int) string {
	into, once := "INSERT INTO", d.InsertOnce
	if once == "" {
		into = "INSERT IGNORE INTO"
	}
	values := ""
	for i, column := range [...]string{"assignee", "team", "channel", "lane", "category"} {
		values += fmt.Sprintf("\tWHEN %d THEN cv.%s", i+1, column)
	}
	return into + " convo_closed (" + Closed.All.Names() + `)
	SELECT cv.workspace, listed.what, CASE listed.what` + values + ` END,
		cv.created_at, cv.id
	FROM convo_conversations cv` + d.primaryIndex + `
	CROSS JOIN (SELECT 1 AS what UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
		UNION ALL SELECT 5) listed
	WHERE cv.workspace = ? AND cv.id IN (` + Placeholders(n) + `) AND cv.active = ` + d.False + `
		AND (listed.what = 1 OR listed.what = 2 AND cv.team <> '' OR listed.what = 3
		OR listed.what = 4 AND cv.lane <> '' OR listed.what = 5 AND cv.category <> '')` + once
}

// filters narrows a listing of conversations cv down, by whatever columns have their id and time of
// opening.
func (l *listing) filters(id, createdAt string) {
	f := l.f
	l.shared("cv")
	l.wide()
	for i, label := range f.Labels {
		if i > 0 { // by the first one they are found
			l.labelled(i, label, createdAt, id)
		}
	}
	l.opened(createdAt, id)
}

// ofActiveByOpening lists active conversations by opening.
func (l *listing) ofActiveByOpening(active []convo.Status) {
	f := l.f
	l.id, l.createdAt = "ac.id", "ac.created_at"
	l.shared("ac")
	l.wide()
	if len(active) == 1 {
		l.add(true, "ac.status = ?", string(active[0]))
	}
	for i, label := range f.Labels {
		l.labelled(i, label, l.createdAt, l.id)
	}
	l.opened(l.createdAt, l.id)
	l.table = l.activeRows() + l.d.LookUp("convo_conversations", "cv",
		"cv.workspace = ac.workspace AND cv.id = ac.id")
}

// activeRows are the narrow rows of active conversations, by the index for what is asked for.
func (l *listing) activeRows() string {
	index := "listed"
	switch {
	case l.f.Contact != "":
		index = "slot"
	case l.f.Assignee != "":
		index = "assignee"
	}
	return "convo_active ac" + l.d.byIndex("convo_active_"+index)
}

// wide are the filters by what only conversations cv have.
func (l *listing) wide() {
	f := l.f
	l.add(f.Category != "", "cv.category = ?", f.Category)
	l.add(!f.ClosedFrom.IsZero(), "cv.closed_at >= ?", f.ClosedFrom.UnixMicro())
	l.add(!f.ClosedTo.IsZero(), "cv.closed_at < ?", f.ClosedTo.UnixMicro())
	l.add(f.Waiting, "cv.waiting_since IS NOT NULL")
	l.activity()
}

// opened bounds a listing by opening.
func (l *listing) opened(createdAt, id string) {
	f := l.f
	from, to := f.From, latest(f)
	// One bound on each side, the narrower one: of two SQLite makes a plan that sorts.
	on := f.After != convo.Cursor{}
	if f.Ascending {
		on = on && !f.After.At.Before(from)
	} else {
		on = on && (to.IsZero() || f.After.At.Before(to))
	}
	l.add(!from.IsZero() && (!on || !f.Ascending), createdAt+" >= ?", from.UnixMicro())
	l.add(!to.IsZero() && (!on || f.Ascending), createdAt+" < ?", to.UnixMicro())
	l.behind(on, createdAt, id, f.After.At)
}
