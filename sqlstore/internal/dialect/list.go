package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

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

	table, id, createdAt string // where it begins, and what it is in the order of
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
	l.add(f.Contact != "", of+"contact = ?", f.Contact)
	l.add(f.Assignee != "", of+"assignee = ?", f.Assignee)
	// as the partial index says it
	l.add(alias == "ac" && f.Assignee != "", "ac.assignee <> ''")
	// not as a value, because it is many more than an assignee has
	l.add(f.Unassigned, of+"assignee = ''")
	l.add(f.Assigned, of+"assignee <> ''")
	l.add(f.Team != "", of+"team = ?", f.Team)
	l.add(f.NoTeam, of+"team = ''")
	l.add(f.Channel != "", of+"channel = ?", f.Channel)
	l.add(f.Lane != "", of+"lane = ?", f.Lane)
	l.add(f.NoLane, of+"lane = ''")
	if len(f.Priority) > 0 {
		var values []any
		for _, p := range f.Priority {
			values = append(values, int64(p))
		}
		l.add(true, of+"priority IN ("+Placeholders(len(values))+")", values...)
	}
}

// activity are the filters by the last activity.
func (l *listing) activity() {
	f := l.f
	l.add(!f.ActiveFrom.IsZero(), "cv.last_activity_at >= ?", f.ActiveFrom.UnixMicro())
	l.add(!f.ActiveTo.IsZero(), "cv.last_activity_at < ?", f.ActiveTo.UnixMicro())
}

// labelled is a filter by a label.
func (l *listing) labelled(i int, label, createdAt, id string) {
	l.add(true, fmt.Sprintf("EXISTS (SELECT 1 FROM convo_labels lb%[1]d"+
		" WHERE lb%[1]d.workspace = ? AND lb%[1]d.label = ?"+
		" AND lb%[1]d.created_at = %[2]s AND lb%[1]d.conversation = %[3]s)", i, createdAt, id),
		l.f.Workspace, label)
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

// LookUp joins a table that is to be looked up row by row, in the order of what is before it. Where
// the engine cannot be told, it may think that to read all of it and to sort is cheaper.
func (d *Dialect) LookUp(table, alias, on string) string {
	if d.straightJoin != "" {
		return "\n\t" + d.straightJoin + " " + table + " " + alias + " ON " + on
	}
	return fmt.Sprintf("\n\tCROSS JOIN LATERAL ("+
		"SELECT %[2]s.* FROM %[1]s %[2]s WHERE %[3]s OFFSET 0) %[2]s", table, alias, on)
}

// oneByOne ends a subquery that is to be looked up for each row. PostgreSQL would read all that the
// rest of its condition finds, which it can take for a few rows where there are thousands.
func (d *Dialect) oneByOne() string {
	if d.straightJoin != "" {
		return ""
	}
	return " OFFSET 0"
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
	l.shared("ac")
	l.add(f.Waiting, "cv.waiting_since IS NOT NULL")
	l.ofActive("ac")
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
	return l.activeRows() + l.d.LookUp("convo_conversations", "cv",
		"cv.workspace = ac.workspace AND cv.id = ac.id"), keys
}

// ofActive narrows a list of active conversations down by what is in no index.
func (l *listing) ofActive(alias string) {
	f := l.f
	if active, _ := splitStatus(f.Status); len(active) == 1 {
		l.add(true, alias+".status = ?", string(active[0]))
	}
	l.add(!f.From.IsZero(), alias+".created_at >= ?", f.From.UnixMicro())
	l.add(!f.To.IsZero(), alias+".created_at < ?", f.To.UnixMicro())
	l.activity()
	for i, label := range f.Labels {
		l.labelled(i, label, alias+".created_at", alias+".id")
	}
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
			joins += l.d.LookUp("convo_active", "ac",
				"ac.workspace = pl.workspace AND ac.id = pl.id")
		}
		if wide {
			joins += l.d.LookUp("convo_conversations", "cv",
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
			l.d.LookUp("convo_conversations", "cv", "cv.workspace = pl.workspace AND cv.id = pl.id")
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
