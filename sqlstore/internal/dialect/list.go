package dialect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chatlifecycle/convo"
)

// byValue marks a statement whose plan is to depend on the values.
const byValue = "/* for these values */ "

// List is the statement that finds a page of conversations. Every index of conversations leads from
// the workspace, perhaps by one filter, to the active ones and to the closed ones in their order;
// so a page that may hold both is put together of two.
func (d *Dialect) List(f *convo.Filter) (statement string, args []any) {
	where, args := d.listWhere(f)
	var parts []string
	active, closed := splitStatus(f.Status)
	if len(f.Status) == 0 || len(active) > 0 {
		part := where + " AND active = " + d.True
		if len(active) == 1 {
			// Said so, because PostgreSQL takes status and active for independent of each other,
			// and expects next to none.
			part += " AND status <> '" + string(otherActiveStatus[active[0]]) + "'"
		}
		parts = append(parts, part)
	}
	if len(f.Status) == 0 || closed {
		parts = append(parts, where+" AND active = "+d.False)
	}
	args = append(args, f.Limit)
	from, filters := d.listFrom(f)
	columns := Conversations.Read.Names()
	late := len(parts) == 2 && d.lateRows
	if late {
		columns = "id, created_at"
	}
	for i, part := range parts {
		parts[i] = "SELECT " + columns + "\n\tFROM " + from + "\n\tWHERE " + part +
			"\n\tORDER BY created_at DESC, id DESC LIMIT ?"
	}
	if filters > 1 {
		parts[0] = byValue + parts[0]
	}
	if len(parts) == 1 {
		return parts[0], args
	}
	both := "SELECT * FROM (\n\t" + parts[0] + "\n) of_active UNION ALL SELECT * FROM (\n\t" +
		parts[1] + "\n) of_closed ORDER BY created_at DESC, id DESC LIMIT ?"
	args = append(slices.Concat(args, args), f.Limit)
	if !late {
		return both, args
	}
	return "SELECT " + Conversations.Read.Qualify("cv") + "\nFROM (" + both + ") page\n" +
		"JOIN convo_conversations cv ON cv.workspace = ? AND cv.id = page.id\n" +
		"ORDER BY page.created_at DESC, page.id DESC", append(args, f.Workspace)
}

// listWhere is what narrows a listing down, but for the status.
func (d *Dialect) listWhere(f *convo.Filter) (where string, args []any) {
	where = "workspace = ?"
	args = append(args, f.Workspace)
	add := func(on bool, condition string, values ...any) {
		if on {
			where += " AND " + condition
			args = append(args, values...)
		}
	}
	add(f.Contact != "", "contact = ?", f.Contact)
	add(f.Assignee != "" || f.Unassigned, "assignee = ?", f.Assignee)
	add(f.Team != "", "team = ? AND team <> ''", f.Team) // as the partial indexes say it
	add(f.Channel != "", "channel = ?", f.Channel)
	add(f.Lane != "", "lane = ? AND lane <> ''", f.Lane)
	add(f.NoLane, "lane = ''")
	add(f.Category != "", "category = ? AND category <> ''", f.Category)
	add(!f.From.IsZero(), "created_at >= ?", f.From.UnixMicro())
	// One upper bound, the lower one: of two SQLite makes a plan that sorts.
	at := f.After.At.UnixMicro()
	on := f.After != convo.Cursor{} && (f.To.IsZero() || f.After.At.Before(f.To))
	add(!f.To.IsZero() && !on, "created_at < ?", f.To.UnixMicro())
	add(on, "created_at <= ? AND (created_at < ? OR id < ?)", at, at, d.ID(f.After.ID))
	return where, args
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

// listFrom is the table, perhaps with the indexes to choose from. filters is how many of the
// filters have an index.
func (d *Dialect) listFrom(f *convo.Filter) (table string, filters int) {
	var indexes []string
	for _, i := range [...]struct {
		given bool
		name  string
	}{
		{f.Contact != "", "contact"}, {f.Assignee != "" || f.Unassigned, "assignee"},
		{f.Team != "", "team"}, {f.Channel != "", "channel"}, {f.Category != "", "category"},
		{f.Lane != "", "lane"},
	} {
		if i.given {
			indexes = append(indexes, "convo_conversations_"+i.name)
		}
	}
	if filters = len(indexes); filters == 0 {
		indexes = []string{"convo_conversations_listed"}
	}
	table = "convo_conversations"
	if d.listIndexes != "" {
		table += fmt.Sprintf(d.listIndexes, strings.Join(indexes, ", "))
	}
	return table, filters
}
