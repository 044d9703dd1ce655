package dialect

import (
	"strconv"
	"strings"
)

// How what has changed since a workspace was copied is found.

// counted is by how many columns rows are counted in ranges: more of them tell few rows apart, and
// have PostgreSQL compare all of each row.
func (m *Moved[R]) counted() int { return min(len(m.key), 2) }

// Sums are, of each of some ranges, its number, how many rows it has, and what its grows add up to.
func (m *Moved[R]) Sums(d *Dialect, workspace string, of []Range[R]) (string, []any) {
	all, args := make([]string, len(of)), []any(nil)
	for i := range of {
		all[i], _, args = m.within(d, args, m.counted(), workspace, of[i])
		all[i] = "SELECT " + strconv.Itoa(i) + ", count(*)" + m.added() + " FROM " + m.Name +
			d.primaryIndex + " WHERE " + all[i]
	}
	return strings.Join(all, " UNION ALL "), args
}

// Marks selects the keys of the rows of a range, with what of them only grows, in their order.
func (m *Moved[R]) Marks(d *Dialect, workspace string, of Range[R]) (string, []any) {
	within, rest, args := m.within(d, nil, m.counted(), workspace, of)
	return "SELECT " + strings.Join(append([]string{m.keys().Names()}, m.grows...), ", ") +
		" FROM " + m.Name + d.primaryIndex + " WHERE " + within + inOrder(rest), args
}

// KeyDests are what Marks has keys scanned into, to be those of r.
func (m *Moved[R]) KeyDests(r *R) []any { return m.keys().Dests(nil, r) }

// keys are the columns that KeyArgs takes.
func (m *Moved[R]) keys() Columns[R] {
	return m.Table.All.where(func(c *Column[R]) bool { return m.isKey(c.name) })
}

// Grows is how many sums there are of each range, beside the count.
func (m *Moved[R]) Grows() int { return len(m.grows) }

func (m *Moved[R]) added() (all string) {
	for _, g := range m.grows {
		all += ", COALESCE(sum(" + g + "), 0)"
	}
	return all
}

// Of selects the rows of a workspace that have one of so many values in a column, in the order of
// their keys.
func (m *Moved[R]) Of(column string, values int) string {
	return m.read() + " WHERE workspace = ? AND " + column + " IN (" + Placeholders(values) + ")" +
		inOrder(m.key)
}

// WithKeys selects rows by so many keys, in their order.
func (m *Moved[R]) WithKeys(d *Dialect, keys int) string {
	return m.read() + d.primaryIndex + " WHERE " + anyOf(keys, m.Gone().Key) + inOrder(m.key)
}

// InSlots removes those rows that stand in the way of so many, though they have other keys; empty:
// none can.
func (m *Moved[R]) InSlots(rows int) string {
	if len(m.slot) == 0 {
		return ""
	}
	return "DELETE FROM " + m.Name + " WHERE " +
		anyOf(rows, strings.Join(append([]string{"workspace"}, m.slot...), " = ? AND ")+" = ?")
}

// SlotArgs are the arguments of InSlots for a row.
func (m *Moved[R]) SlotArgs(d *Dialect, r *R) (args []any) {
	for _, name := range append([]string{"workspace"}, m.slot...) {
		for i := range m.Table.All {
			if c := &m.Table.All[i]; c.name == name {
				args = append(args, c.arg(d, r))
			}
		}
	}
	return args
}

const (
	// Timers are those of the active conversations of a workspace, which are changed without
	// another version.
	Timers = `SELECT cv.id, cv.deadline_at, cv.due_at, cv.applied FROM convo_active ac
	JOIN convo_conversations cv ON cv.workspace = ac.workspace AND cv.id = ac.id
	WHERE ac.workspace = ?`

	// FeedEnds is the last position in a feed, or 0.
	FeedEnds = `SELECT COALESCE(max(position), 0) FROM convo_feed WHERE workspace = ?`
)

// IDsOf are the conversations of so many contacts of a workspace, each with its contact.
func IDsOf(contacts int) string {
	return `SELECT id, contact FROM convo_conversations
	WHERE workspace = ? AND contact IN (` + Placeholders(contacts) + `)`
}

// MergedInto are the contacts that are merged into one of so many.
func MergedInto(contacts int) string {
	return `SELECT id FROM convo_contacts
	WHERE workspace = ? AND merged_into IN (` + Placeholders(contacts) + `)`
}

// KeysWith are the keys of so many ids on a channel.
func (m *Moved[R]) KeysWith(ids int) string {
	return m.read() + " WHERE workspace = ? AND channel = ? AND id IN (" + Placeholders(ids) +
		")" + inOrder(m.key)
}
