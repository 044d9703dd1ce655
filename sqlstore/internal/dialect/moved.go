package dialect

import (
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

// Page selects the rows of a workspace in the order of their keys: those behind another row, if
// there is one, up to a row, if there is one, and up to a limit.
func (m *Moved[R]) Page(d *Dialect, behind, upTo bool) string {
	return m.read() + " WHERE " + m.within(d, behind, upTo) + m.inOrder() + " LIMIT ?"
}

func (m *Moved[R]) read() string { return "SELECT " + m.Table.Read.Names() + " FROM " + m.Name }

func (m *Moved[R]) inOrder() string {
	return " ORDER BY " + strings.Join(append([]string{"workspace"}, m.key...), ", ")
}

// within holds of the rows of a workspace that are behind one and up to one.
func (m *Moved[R]) within(d *Dialect, behind, upTo bool) string {
	q := "workspace = ?"
	row, places := strings.Join(m.key, ", "), ""
	if len(m.key) > 0 {
		places = Placeholders(len(m.key))
	}
	switch {
	case !behind:
	case d.byColumns():
		q += " AND (" + beyond(m.key, " > ?", " > ?") + ")"
	default:
		q += " AND (" + row + ") > (" + places + ")"
	}
	switch {
	case !upTo:
	case d.byColumns():
		q += " AND (" + beyond(m.key, " < ?", " <= ?") + ")"
	default:
		q += " AND (" + row + ") <= (" + places + ")"
	}
	return q
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

// PageArgs are the arguments of Page.
func (m *Moved[R]) PageArgs(d *Dialect, workspace string, behind, upTo *R, limit int) []any {
	return append(m.withinArgs(d, nil, workspace, behind, upTo), limit)
}

func (m *Moved[R]) withinArgs(d *Dialect, to []any, workspace string, behind, upTo *R) []any {
	to = append(to, workspace)
	for _, r := range []*R{behind, upTo} {
		if r == nil {
			continue
		}
		key := m.KeyArgs(d, nil, r)[1:]
		for i, v := range key {
			if to = append(to, v); d.byColumns() && i < len(key)-1 {
				to = append(to, v)
			}
		}
	}
	return to
}

// KeyArgs appends the key of a row, with its workspace, as arguments.
func (m *Moved[R]) KeyArgs(d *Dialect, to []any, r *R) []any {
	for i := range m.Table.All {
		c := &m.Table.All[i]
		if c.name == "workspace" || m.isKey(c.name) {
			to = append(to, c.arg(d, r))
		}
	}
	return to
}

func (m *Moved[R]) isKey(name string) bool {
	for _, k := range m.key {
		if k == name {
			return true
		}
	}
	return false
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
