package dialect

import (
	"strconv"
	"strings"
)

// How what has changed since a workspace was copied is found.

// Range is the rows of a workspace behind one and up to one; nil: from the first, to the last.
type Range[R any] struct{ Behind, UpTo *R }

// Sums are, of each of some ranges, its number, how many rows it has, and what its grows add up to.
func (m *Moved[R]) Sums(d *Dialect, of []Range[R]) string {
	all := make([]string, len(of))
	for i, r := range of {
		all[i] = "SELECT " + strconv.Itoa(i) + ", count(*)" + m.added() + " FROM " + m.Name +
			d.primaryIndex + " WHERE " + m.within(d, r.Behind != nil, r.UpTo != nil)
	}
	return strings.Join(all, " UNION ALL ")
}

// SumsArgs are the arguments of Sums.
func (m *Moved[R]) SumsArgs(d *Dialect, workspace string, of []Range[R]) (args []any) {
	for _, r := range of {
		args = m.withinArgs(d, args, workspace, r.Behind, r.UpTo)
	}
	return args
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
		m.inOrder()
}

// WithKeys selects rows by so many keys, in their order.
func (m *Moved[R]) WithKeys(d *Dialect, keys int) string {
	return m.read() + d.primaryIndex + " WHERE " + anyOf(keys, m.Gone().Key) + m.inOrder()
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
		")" + m.inOrder()
}
