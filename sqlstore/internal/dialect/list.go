package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// byValue marks a statement whose plan is to depend on the values.
const byValue = "/* for these values */ "

// List is the statement that finds a page of conversations.
func (d *Dialect) List(f *convo.Filter) (statement string, args []any) {
	if f.Order != convo.OrderCreated {
		return d.listActive(f)
	}
	return d.listCreated(f)
}

// listing is a statement in the making.
type listing struct {
	d     *Dialect
	f     *convo.Filter
	where []string
	args  []any
	tied  bool // what it is from is a page, but for those at its end that are equal
}

func (l *listing) add(on bool, condition string, values ...any) {
	if on {
		l.where = append(l.where, condition)
		l.args = append(l.args, values...)
	}
}

// direction is that of the listing, for ORDER BY.
func direction(f *convo.Filter) string {
	if f.Ascending {
		return "ASC"
	}
	return "DESC"
}

// behind compares with what is behind a place in the listing.
func behind(f *convo.Filter) string {
	if f.Ascending {
		return ">"
	}
	return "<"
}

// orderBy is in the direction of the listing by all of the columns.
func orderBy(f *convo.Filter, columns ...string) string {
	return "ORDER BY " + strings.Join(columns, " "+direction(f)+", ") + " " + direction(f)
}

// listCreated lists by opening. Every index of conversations leads from the workspace, perhaps by
// one filter, to the active ones and to the closed ones in their order; so a page that may hold
// both is put together of two.
func (d *Dialect) listCreated(f *convo.Filter) (statement string, args []any) {
	var parts []string
	active, closed := splitStatus(f.Status)
	columns := Conversations.Read.Qualify("cv")
	both := len(f.Status) == 0 || len(active) > 0 && closed
	both = both && !f.Waiting
	late := both && d.lateRows
	if late {
		columns = "cv.id, cv.created_at"
	}
	part := func(of bool, condition string) {
		l := listing{d: d, f: f}
		from, id, createdAt := l.from(of)
		l.filters(id, createdAt, of)
		if condition != "" {
			l.where = append(l.where, condition)
		}
		parts = append(parts, from.hint+"SELECT "+columns+"\n\tFROM "+from.table+
			"\n\tWHERE "+strings.Join(l.where, " AND ")+
			"\n\t"+orderBy(f, createdAt, id)+" LIMIT ?")
		args = append(append(args, l.args...), f.Limit)
	}
	if len(f.Status) == 0 || len(active) > 0 {
		condition := ""
		if len(active) == 1 {
			// Said so, because PostgreSQL takes status and active for independent of each other,
			// and expects next to none.
			condition = "cv.status <> '" + string(otherActiveStatus[active[0]]) + "'"
		}
		part(true, condition)
	}
	if !f.Waiting && (len(f.Status) == 0 || closed) {
		part(false, "")
	}
	switch len(parts) {
	case 0: // of closed ones nobody waits
		part(true, "1 = 0")
		return parts[0], args
	case 1:
		return parts[0], args
	}
	union := "SELECT * FROM (\n\t" + parts[0] + "\n) of_active UNION ALL SELECT * FROM (\n\t" +
		parts[1] + "\n) of_closed " + orderBy(f, "created_at", "id") + " LIMIT ?"
	args = append(args, f.Limit)
	if !late {
		return union, args
	}
	return "SELECT " + Conversations.Read.Qualify("cv") + "\nFROM (" + union + ") page\n" +
		"JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.id\n" +
		orderBy(f, "page.created_at", "page.id"), append(args, f.Workspace)
}

// filters narrows a listing of conversations cv down, by whatever columns have their id and time of
// opening, to the active ones or to the closed ones.
func (l *listing) filters(id, createdAt string, active bool) {
	f := l.f
	l.shared("cv")
	l.add(f.Category != "", "cv.category = ? AND cv.category <> ''", f.Category)
	l.add(!f.ClosedFrom.IsZero(), "cv.closed_at >= ?", f.ClosedFrom.UnixMicro())
	l.add(!f.ClosedTo.IsZero(), "cv.closed_at < ?", f.ClosedTo.UnixMicro())
	l.add(f.Waiting, "cv.waiting_since IS NOT NULL")
	l.rare(createdAt, id, active)
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
	l.add(true, "cv.active = "+l.d.Boolean(active))
}

// latest is before what no conversation of the listing was opened at: whatever was closed, or last
// active, before a time was opened before it.
func latest(f *convo.Filter) (to time.Time) {
	for _, t := range [...]time.Time{f.To, f.ClosedTo, f.ActiveTo} {
		if to.IsZero() || !t.IsZero() && t.Before(to) {
			to = t
		}
	}
	return to
}

// behind goes on behind a place of a time and an id.
func (l *listing) behind(on bool, at, id string, place time.Time) {
	micros, than := place.UnixMicro(), behind(l.f)
	l.add(on, at+" "+than+"= ? AND ("+at+" "+than+" ? OR "+id+" "+than+" ?)",
		micros, micros, l.d.ID(l.f.After.ID))
}

// shared are the filters by what both conversations and their rows in convo_active have.
func (l *listing) shared(alias string) {
	f, of := l.f, alias+"."
	l.add(true, of+"workspace = ?", f.Workspace)
	l.add(alias == "cv" && f.Contact != "", of+"contact = ?", f.Contact)
	l.add(f.Assignee != "", of+"assignee = ?", f.Assignee)
	// not as a value, because it is many more than an assignee has
	l.add(f.Unassigned, of+"assignee = ''")
	l.add(f.Assigned, of+"assignee <> ''")
	// as the partial indexes say it
	l.add(f.Team != "", of+"team = ? AND "+of+"team <> ''", f.Team)
	l.add(f.NoTeam, of+"team = ''")
	l.add(f.Channel != "", of+"channel = ?", f.Channel)
	l.add(f.Lane != "", of+"lane = ? AND "+of+"lane <> ''", f.Lane)
	l.add(f.NoLane, of+"lane = ''")
	if len(f.Priority) > 0 {
		var values []any
		for _, p := range f.Priority {
			values = append(values, int64(p))
		}
		l.add(true, of+"priority IN ("+Placeholders(len(values))+")", values...)
	}
}

// rare are the filters that no index of conversations cv is for.
func (l *listing) rare(createdAt, id string, active bool) {
	f := l.f
	l.add(!f.ActiveFrom.IsZero(), "cv.last_activity_at >= ?", f.ActiveFrom.UnixMicro())
	l.add(!f.ActiveTo.IsZero(), "cv.last_activity_at < ?", f.ActiveTo.UnixMicro())
	for i, label := range f.Labels {
		if i == 0 && !active {
			l.add(true, "lb.workspace = ? AND lb.label = ?", f.Workspace, label)
			continue
		}
		l.add(true, fmt.Sprintf("EXISTS (SELECT 1 FROM convo_labels lb%[1]d"+
			" WHERE lb%[1]d.workspace = ? AND lb%[1]d.label = ?"+
			" AND lb%[1]d.created_at = %[2]s AND lb%[1]d.conversation = %[3]s)", i, createdAt, id),
			f.Workspace, label)
	}
}

// splitStatus is each active status once, and whether closed is among them.
func splitStatus(all []convo.Status) (active []convo.Status, closed bool) {
	for _, status := range all {
		closed = closed || status == convo.StatusClosed
		if status.Active() && !slices.Contains(active, status) {
			active = append(active, status)
		}
	}
	return active, closed
}

var otherActiveStatus = map[convo.Status]convo.Status{
	convo.StatusOpen: convo.StatusPending, convo.StatusPending: convo.StatusOpen,
}

// source is where a listing begins.
type source struct{ hint, table string }

// from is the table of a part of a listing by opening, perhaps with the indexes to choose from, and
// the columns that have the id and the time. Closed ones with a label are found by it: of all that
// are closed it may be on few.
func (l *listing) from(active bool) (from source, id, createdAt string) {
	if len(l.f.Labels) > 0 && !active {
		return source{table: "convo_labels lb" + l.d.byIndex("PRIMARY") +
				l.d.lookUp("convo_conversations", "cv",
					"cv.workspace = lb.workspace AND cv.id = lb.conversation")},
			"lb.conversation", "lb.created_at"
	}
	indexes := l.indexes()
	if len(indexes) > 1 {
		from.hint = byValue
	}
	if len(indexes) == 0 {
		indexes = []string{"convo_conversations_listed"}
	}
	from.table = "convo_conversations cv" + l.d.byIndex(strings.Join(indexes, ", "))
	return from, "cv.id", "cv.created_at"
}

// indexes are those of the filters.
func (l *listing) indexes() (all []string) {
	f := l.f
	for _, i := range [...]struct {
		given bool
		name  string
	}{
		{f.Contact != "", "contact"}, {f.Assignee != "" || f.Unassigned, "assignee"},
		{f.Team != "", "team"}, {f.Channel != "", "channel"}, {f.Category != "", "category"},
		{f.Lane != "", "lane"},
	} {
		if i.given {
			all = append(all, "convo_conversations_"+i.name)
		}
	}
	return all
}

// lookUp joins a table that is to be looked up row by row, in the order of what is before it. Where
// the engine cannot be told, it may think that to read all of it and to sort is cheaper.
func (d *Dialect) lookUp(table, alias, on string) string {
	if d.straightJoin != "" {
		return "\n\t" + d.straightJoin + " " + table + " " + alias + " ON " + on
	}
	return fmt.Sprintf("\n\tCROSS JOIN LATERAL ("+
		"SELECT %[2]s.* FROM %[1]s %[2]s WHERE %[3]s OFFSET 0) %[2]s", table, alias, on)
}

// byIndex is a hint to use one of some indexes, where the engine needs it.
func (d *Dialect) byIndex(indexes string) string {
	if d.listIndexes == "" {
		return ""
	}
	return fmt.Sprintf(d.listIndexes, indexes)
}

// listActive lists active conversations in another order than that of their opening: by their
// places in a list, which are a range of convo_places. It ends when the page is full. Only where
// one contact or one user is asked for, all that they have are looked at: they are few, and found
// by an index of theirs.
func (d *Dialect) listActive(f *convo.Filter) (statement string, args []any) {
	l := listing{d: d, f: f}
	var from string
	var keys []string
	if f.Contact != "" || f.Assignee != "" {
		from, keys = l.few()
	} else {
		from, keys = l.ofPlaces()
	}
	if l.tied {
		return "SELECT " + Conversations.Read.Qualify("cv") + "\nFROM " + from + "\n" +
			orderBy(f, keys...) + " LIMIT ?", append(l.args, f.Limit)
	}
	var columns, outer []string
	for i, key := range keys {
		columns = append(columns, fmt.Sprintf("%s AS key%d", key, i))
		outer = append(outer, fmt.Sprintf("page.key%d", i))
	}
	page := "SELECT " + strings.Join(columns, ", ") + "\n\tFROM " + from + l.conditions() +
		"\n\t" + orderBy(f, keys...) + " LIMIT ?"
	return "SELECT " + Conversations.Read.Qualify("cv") + "\nFROM (" + page + ") page\n" +
		"JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = " + outer[len(outer)-1] +
		"\n" + orderBy(f, outer...), append(l.args, f.Limit, f.Workspace)
}

func (l *listing) conditions() string { return "\n\tWHERE " + strings.Join(l.where, " AND ") }

// few lists what one contact or one user has. The last of the keys is the id.
func (l *listing) few() (from string, keys []string) {
	f := l.f
	l.shared("cv")
	l.add(true, "cv.active = "+l.d.True)
	l.add(f.Waiting, "cv.waiting_since IS NOT NULL")
	l.ofActive("cv")
	switch f.Order {
	case convo.OrderActivity:
		keys = []string{"cv.last_activity_at"}
	case convo.OrderWaiting:
		keys = []string{"cv.waiting_since"}
	case convo.OrderDeadline:
		keys = []string{"cv.pending_until"}
	case convo.OrderPriority:
		keys = []string{"cv.priority", "cv.created_at"}
		l.add(true, "cv.priority > 0")
	}
	l.add(f.Order != convo.OrderPriority, keys[0]+" IS NOT NULL")
	keys = append(keys, "cv.id")
	l.behindKeys(int64(f.After.Priority), keys)
	var indexes []string
	for _, name := range l.indexes() {
		if name == "convo_conversations_contact" || name == "convo_conversations_assignee" {
			indexes = append(indexes, name)
		}
	}
	return "convo_conversations cv" + l.d.byIndex(strings.Join(indexes, ", ")), keys
}

// ofActive narrows a list of active conversations down by what is in no index.
func (l *listing) ofActive(alias string) {
	f := l.f
	if active, _ := splitStatus(f.Status); len(active) == 1 {
		l.add(true, alias+".status = ?", string(active[0]))
	}
	l.add(!f.From.IsZero(), alias+".created_at >= ?", f.From.UnixMicro())
	l.add(!f.To.IsZero(), alias+".created_at < ?", f.To.UnixMicro())
	l.rare(alias+".created_at", alias+".id", true)
}

// ofPlaces lists by the places in a list. The last of the keys is the id.
func (l *listing) ofPlaces() (from string, keys []string) {
	f := l.f
	list := map[convo.Order]int{
		convo.OrderActivity: listActivity, convo.OrderWaiting: listWaiting,
		convo.OrderDeadline: listDeadline, convo.OrderPriority: listPriority,
	}[f.Order]
	than := " = "
	keys = []string{"pl.at", "pl.id"}
	if f.Order == convo.OrderPriority { // its lists stand one behind the other
		than, keys = " > ", []string{"pl.list", "pl.at", "pl.id"}
	}
	ofList := "pl.list" + than + strconv.Itoa(list)
	l.add(true, "pl.workspace = ?", f.Workspace)
	l.add(true, ofList)
	before := len(l.where)
	l.shared("ac")
	l.ofActive("ac")
	active := len(l.where) > before+1 // the workspace is no filter
	wide := !f.ActiveFrom.IsZero() || !f.ActiveTo.IsZero()
	if f.Waiting && f.Order != convo.OrderWaiting {
		l.add(true, "cv.waiting_since IS NOT NULL")
		wide = true
	}
	join := func(wide bool) (joins string) {
		if active {
			joins += l.d.lookUp("convo_active", "ac",
				"ac.workspace = pl.workspace AND ac.id = pl.id")
		}
		if wide {
			joins += l.d.lookUp("convo_conversations", "cv",
				"cv.workspace = pl.workspace AND cv.id = pl.id")
		}
		return joins
	}
	if !active {
		l.where = slices.Delete(l.where, before, before+1)
		l.args = slices.Delete(l.args, 1, 2)
	}
	places := "convo_places pl" + l.d.byIndex("PRIMARY")
	if f.Order != convo.OrderActivity {
		l.behindKeys(int64(listPriority)+int64(f.After.Priority), keys)
		return places + join(wide), keys
	}
	keys = []string{"cv.last_activity_at", "pl.id"}
	if f.After != (convo.Cursor{}) {
		l.add(true, "pl.at "+behind(f)+"= ?", convo.ActivitySlot(f.After.At))
		l.behindKeys(0, keys)
		wide = true
	}
	// The page is in the slots of its first rows, and put in order there.
	if l.d.withTies {
		from = "(SELECT pl.workspace, pl.id FROM " + places + join(wide) + l.conditions() + "\n\t" +
			orderBy(f, "pl.at") + " FETCH FIRST ? ROWS WITH TIES) pl" +
			l.d.lookUp("convo_conversations", "cv", "cv.workspace = pl.workspace AND cv.id = pl.id")
		l.args, l.tied = append(l.args, f.Limit), true
		return from, keys
	}
	from = "(SELECT DISTINCT at FROM (\n\tSELECT pl.at FROM " + places + join(wide) +
		l.conditions() + "\n\t" + orderBy(f, "pl.at") + " LIMIT ?) some_slots) slots\n\t" +
		l.d.straightJoin + " " + places + " ON pl.workspace = ? AND " + ofList +
		" AND pl.at = slots.at" + join(true)
	l.args = slices.Concat(l.args, []any{f.Limit, f.Workspace}, l.args)
	return from, keys
}

// behindKeys goes on behind the place in an order of active ones, by its keys; the first of three
// is a small number.
func (l *listing) behindKeys(first int64, keys []string) {
	f, than := l.f, behind(l.f)
	at, id := f.After.At.UnixMicro(), l.d.ID(f.After.ID)
	switch {
	case f.After == (convo.Cursor{}):
	case len(keys) == 2:
		l.behind(true, keys[0], keys[1], f.After.At)
	case l.d.rangesOfIndex: // one behind the other
		l.add(true, fmt.Sprintf("(%[1]s %[4]s ? OR %[1]s = ? AND %[2]s %[4]s ?"+
			" OR %[1]s = ? AND %[2]s = ? AND %[3]s %[4]s ?)", keys[0], keys[1], keys[2], than),
			first, first, at, first, at, id)
	default:
		l.add(true, "("+strings.Join(keys, ", ")+") "+than+" (?, ?, ?)", first, at, id)
	}
}

// Counts counts active conversations by lane, team and assignee.
var Counts = `SELECT lane, team, assignee, SUM(n_open), SUM(n_pending), SUM(n_waiting)
	FROM (SELECT lane, team, assignee, SUM(CASE WHEN status = 'open' THEN 1 ELSE 0 END) AS n_open,
		SUM(CASE WHEN status = 'open' THEN 0 ELSE 1 END) AS n_pending, 0 AS n_waiting
		FROM convo_active
		WHERE workspace = ? GROUP BY lane, team, assignee
	UNION ALL SELECT ac.lane, ac.team, ac.assignee, 0, 0, COUNT(*)
		FROM convo_places pl
		JOIN convo_active ac ON ac.workspace = pl.workspace AND ac.id = pl.id
		WHERE pl.workspace = ? AND pl.list = ` + strconv.Itoa(listWaiting) + `
		GROUP BY ac.lane, ac.team, ac.assignee) counted
	GROUP BY lane, team, assignee`

// LastMessages are the last messages of so many conversations, and what is about messages behind
// them.
func LastMessages(n int) string {
	const messages = "IN ('message_received', 'message_sent')"
	return `SELECT ` + Events.Read.Qualify("ev") + `
	FROM convo_conversations cv
	JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
		AND ev.seq >= (SELECT la.seq FROM convo_events la
			WHERE la.workspace = cv.workspace AND la.conversation = cv.id
				AND la.kind ` + messages + `
				AND NOT EXISTS (SELECT 1 FROM convo_events du WHERE du.workspace = la.workspace
					AND du.conversation = la.conversation AND du.seq > la.seq
					AND du.duplicate = la.id)
			ORDER BY la.seq DESC LIMIT 1)
	WHERE cv.workspace = ? AND cv.id IN (` + Placeholders(n) + `)
		AND (ev.kind ` + messages + ` OR ev.message IS NOT NULL)
	ORDER BY ev.conversation, ev.seq`
}
