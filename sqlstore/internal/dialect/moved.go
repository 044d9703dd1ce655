package dialect

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// What a workspace takes with it to another database.

// FeedEnd is a row of convo_feed_heads.
type FeedEnd struct {
	Workspace string
	Position  int64
}

// FeedHeads are the columns of convo_feed_heads.
var FeedHeads = table(
	required("workspace", immutable, func(e *FeedEnd) Field { return (*Text)(&e.Workspace) }),
	required("position", immutable, func(e *FeedEnd) Field { return (*Int)(&e.Position) }),
)

// Sums is a row of convo_rollups.
type Sums struct {
	Workspace, Dimension    string
	Subject                 int
	Width, Slot             int64
	Value                   string
	Version                 int
	Sums, Sketches          []byte
	HalfHours, HalfSketches []byte
	RemovedTo               time.Time
}

// Rollups are the columns of convo_rollups.
var Rollups = table(
	required("workspace", immutable, func(r *Sums) Field { return (*Text)(&r.Workspace) }),
	required("dimension", immutable, func(r *Sums) Field { return (*Text)(&r.Dimension) }),
	required("subject", immutable, func(r *Sums) Field { return (*Count)(&r.Subject) }),
	required("slot_micros", immutable, func(r *Sums) Field { return (*Int)(&r.Width) }),
	required("slot_number", immutable, func(r *Sums) Field { return (*Int)(&r.Slot) }),
	required("dimension_value", immutable, func(r *Sums) Field { return (*Text)(&r.Value) }),
	required("version", mutable, func(r *Sums) Field { return (*Count)(&r.Version) }),
	optional("sums", mutable, func(r *Sums) Field { return (*Blob)(&r.Sums) }),
	optional("sketches", mutable, func(r *Sums) Field { return (*Blob)(&r.Sketches) }),
	optional("half_hours", mutable, func(r *Sums) Field { return (*Blob)(&r.HalfHours) }),
	optional("half_hour_sketches", mutable,
		func(r *Sums) Field { return (*Blob)(&r.HalfSketches) }),
	optional("removed_to", mutable, func(r *Sums) Field { return (*Micros)(&r.RemovedTo) }),
)

// Moved is a table that has rows of workspaces.
type Moved[R any] struct {
	Name  string
	Table Table[R]
	key   []string   // the primary key, without the workspace, in the order of the columns
	fresh func(r *R) // makes room for a row; nil: there is
	// grows are numbers of a row that only grow; one of them does whenever the row is changed, but
	// for what Moved's user looks for by itself.
	grows []string
	// slot is a unique key beside the primary one.
	slot []string
}

// The tables, each in the order of its primary key.
var (
	MovedContacts = Moved[ct]{
		Name: "convo_contacts", Table: Contacts, key: by("id"),
		grows: []string{"version", "CASE WHEN seen_at > 0 THEN seen_at >> 20 ELSE 0 END"},
	}
	MovedContactEvents = Moved[ev]{
		Name: "convo_contact_events", Table: ContactEvents, key: by("contact seq"),
	}
	MovedAddresses = Moved[ad]{
		Name: "convo_addresses", Table: Addresses, key: by("channel value"),
	}
	MovedConversations = Moved[cv]{
		Name: "convo_conversations", Table: Conversations, key: by("id"), grows: by("version"),
	}
	MovedEvents = Moved[ev]{Name: "convo_events", Table: Events, key: by("conversation seq")}
	MovedCycles = Moved[ClosedCycle]{
		Name: "convo_cycles", Table: Cycles, key: by("conversation number"),
		fresh: func(c *ClosedCycle) { c.Cycle = new(convo.Cycle) },
	}
	MovedMentions = Moved[Mention]{
		Name: "convo_mentions", Table: Mentions, key: by("contact conversation owner"),
	}
	MovedLabels = Moved[Labelled]{
		Name: "convo_labels", Table: Labels, key: by("label created_at conversation"),
	}
	MovedPlaces = Moved[Placed]{Name: "convo_places", Table: Places, key: by("list at id")}
	MovedClosed = Moved[ClosedBy]{
		Name: "convo_closed", Table: Closed, key: by("what value created_at id"),
	}
	MovedKeys = Moved[ky]{
		Name: "convo_keys", Table: Keys, key: by("channel id address contact"),
	}
	MovedDeliveries = Moved[dl]{
		Name: "convo_deliveries", Table: Deliveries, key: by("channel id address"),
		grows: []string{"status", "CASE WHEN unknown_since IS NULL THEN 1 ELSE 0 END"},
	}
	MovedFeed      = Moved[relay.FeedRow]{Name: "convo_feed", Table: Feed, key: by("position")}
	MovedFeedHeads = Moved[FeedEnd]{Name: "convo_feed_heads", Table: FeedHeads}
	MovedRollups   = Moved[Sums]{
		Name: "convo_rollups", Table: Rollups,
		key: by("dimension subject slot_micros slot_number dimension_value"),
	}
	MovedActives = Moved[cv]{
		Name: "convo_active", Table: Actives, key: by("id"), slot: by("contact lane"),
	}
	MovedOutbox = Moved[Noted]{
		Name: "convo_outbox", Table: Outbox, key: by("conversation contact seq"),
	}
	MovedQueue = Moved[Waiting]{
		Name: "convo_outbox_queue", Table: Queue, key: by("target conversation contact letter"),
	}
	MovedRollupQueue = Moved[Queued]{
		Name: "convo_rollup_queue", Table: RollupQueue, key: by("conversation"),
		grows: by("from_seq"),
	}
)

func by(key string) []string { return strings.Fields(key) }

// Fresh is an empty row.
func (m *Moved[R]) Fresh() *R {
	r := new(R)
	if m.fresh != nil {
		m.fresh(r)
	}
	return r
}

// Range is the rows of a workspace behind one and up to one; nil: from the first, to the last.
type Range[R any] struct{ Behind, UpTo *R }

// Page selects the rows of a range in the order of their keys, up to a limit.
func (m *Moved[R]) Page(d *Dialect, workspace string, of Range[R], limit int) (string, []any) {
	within, rest, args := m.within(d, nil, len(m.key), workspace, of)
	return m.read() + " WHERE " + within + inOrder(rest) + " LIMIT ?", append(args, limit)
}

func (m *Moved[R]) read() string { return "SELECT " + m.Table.Read.Names() + " FROM " + m.Name }

// inOrder names no column that has one value, as the workspace: MariaDB would sort all that it has,
// for each page.
func inOrder(key []string) string {
	if len(key) == 0 {
		return ""
	}
	return " ORDER BY " + strings.Join(key, ", ")
}

// within holds of the rows of a range, by so many columns of the key. It appends its arguments, and
// returns the rest of the key, in which those rows differ.
func (m *Moved[R]) within(
	d *Dialect, args []any, columns int, workspace string, of Range[R],
) (q string, rest []string, _ []any) {
	q, args = "workspace = ?", append(args, workspace)
	key := m.key[:columns]
	var bounds [2][]any
	for i, r := range [...]*R{of.Behind, of.UpTo} {
		if r != nil {
			bounds[i] = m.KeyArgs(d, nil, r)[1:][:len(key)]
		}
	}
	// What both ends have in common is said by itself: PostgreSQL ends where a row's first column
	// ends, and would go on behind the range to the end of a channel.
	for len(key) > 1 && of.Behind != nil && of.UpTo != nil &&
		reflect.DeepEqual(bounds[0][0], bounds[1][0]) {
		q, args = q+" AND "+key[0]+" = ?", append(args, bounds[0][0])
		key, bounds = key[1:], [2][]any{bounds[0][1:], bounds[1][1:]}
	}
	for i, sides := range [...]struct{ columns, last, row string }{
		{" > ?", " > ?", " > "}, {" < ?", " <= ?", " <= "},
	} {
		switch {
		case bounds[i] == nil:
		case d.byColumns() || len(key) == 1:
			q += " AND (" + beyond(key, sides.columns, sides.last) + ")"
			for n, v := range bounds[i] {
				if args = append(args, v); n < len(key)-1 {
					args = append(args, v)
				}
			}
		default:
			q += " AND (" + strings.Join(key, ", ") + ")" + sides.row + "(" +
				Placeholders(len(key)) + ")"
			args = append(args, bounds[i]...)
		}
	}
	return q, m.key[columns-len(key):], args
}

// byColumns says that the engine finds no place in an index by several columns at once.
func (d *Dialect) byColumns() bool { return d.Name == MariaDB.Name }

// beyond says that a key is on one side of another one, column by column.
func beyond(key []string, side, last string) string {
	if len(key) == 1 {
		return key[0] + last
	}
	return key[0] + side + " OR " + key[0] + " = ? AND (" + beyond(key[1:], side, last) + ")"
}

// KeyArgs appends the key of a row, with its workspace, as arguments.
func (m *Moved[R]) KeyArgs(d *Dialect, to []any, r *R) []any {
	for i := range m.Table.All {
		c := &m.Table.All[i]
		if m.isKey(c.name) {
			to = append(to, c.arg(d, r))
		}
	}
	return to
}

func (m *Moved[R]) isKey(column string) bool {
	return column == "workspace" || slices.Contains(m.key, column)
}

// Gone are its rows that are removed by their keys.
func (m *Moved[R]) Gone() Gone {
	return Gone{m.Name, strings.Join(append([]string{"workspace"}, m.key...), " = ? AND ") + " = ?"}
}

// Insert adds so many rows.
func (m *Moved[R]) Insert(rows int) string {
	row := "(" + m.Table.All.placeholders() + ")"
	return "INSERT INTO " + m.Name + " (" + m.Table.All.Names() + ") VALUES " + row +
		strings.Repeat(", "+row, rows-1)
}
