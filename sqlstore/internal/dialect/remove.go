package dialect

import (
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// What goes by its age.

// FreeConversation is OneConversation, held, but for one that somebody else holds.
func (d *Dialect) FreeConversation() string { return OneConversation + d.lockFree }

// What still needs a conversation, by its workspace and id.
const (
	NotRolledUp = `SELECT 1 FROM convo_rollup_queue WHERE workspace = ? AND conversation = ?`

	NotedYet = `SELECT 1 FROM convo_outbox WHERE workspace = ? AND conversation = ? LIMIT 1`

	// NextTarget is the first target of a workspace behind another one that anything waits for, and
	// QueuedYet whether that is of a conversation.
	NextTarget = `SELECT target FROM convo_outbox_queue
	WHERE workspace = ? AND target > ? ORDER BY target LIMIT 1`
	QueuedYet = `SELECT 1 FROM convo_outbox_queue
	WHERE workspace = ? AND target = ? AND conversation = ? LIMIT 1`
)

// Gone are rows that are removed by their whole keys, so that nothing else is held.
type Gone struct {
	Table, Key string
}

// The rows of a conversation, and of its messages.
var (
	GoneConversations = Gone{"convo_conversations", "workspace = ? AND id = ?"}
	GoneEvents        = Gone{"convo_events", "workspace = ? AND conversation = ? AND seq = ?"}
	GoneCycles        = Gone{"convo_cycles", "workspace = ? AND conversation = ? AND number = ?"}
	GonePlaces        = Gone{"convo_places", "workspace = ? AND list = ? AND at = ? AND id = ?"}
	GoneLabels        = Gone{
		"convo_labels", "workspace = ? AND label = ? AND created_at = ? AND conversation = ?",
	}
	GoneMentions = Gone{
		"convo_mentions", "workspace = ? AND contact = ? AND conversation = ? AND owner = ''",
	}
	GoneClosed = Gone{
		"convo_closed",
		"workspace = ? AND what = ? AND value = ? AND created_at = ? AND id = ?",
	}
	GoneDeliveries = Gone{
		"convo_deliveries", "workspace = ? AND channel = ? AND id = ? AND address = ?",
	}
	// GoneKeys are those that still lead where they led: see GoneKeyArgs.
	GoneKeys = Gone{
		"convo_keys", "workspace = ? AND channel = ? AND id = ? AND address = ? AND contact = ? " +
			"AND first_seq = ? AND COALESCE(conversation, ?) = ?",
	}
)

// AllGone are all of them, in the order in which they go.
var AllGone = []Gone{
	GoneKeys, GoneDeliveries, GonePlaces, GoneLabels, GoneMentions, GoneClosed, GoneCycles,
	GoneEvents, GoneConversations,
}

// Remove removes so many rows.
func (d *Dialect) Remove(of Gone, rows int) string {
	return d.deleteByKey(of.Table) + anyOf(rows, of.Key)
}

// GoneKeyArgs are the arguments of a row of GoneKeys.
func (d *Dialect) GoneKeyArgs(k *Key) []any {
	return []any{
		k.Workspace, k.Channel, k.ID, k.Address, k.Contact, k.FirstSeq, d.ID(uuid.Nil),
		d.ID(k.Conversation),
	}
}

// PlacesGone are the places of a conversation that is closed.
func PlacesGone(c *convo.Conversation) (all []Place) {
	for _, p := range placesOf(convo.PlacesOf(c), c) {
		if p != (Place{}) {
			all = append(all, p)
		}
	}
	return all
}

// ListedBy are all rows of convo_closed that may be of a conversation, which has that log: of what
// it has, and of what it had.
func ListedBy(c *convo.Conversation, log []convo.Event) map[ClosedBy]bool {
	all := map[ClosedBy]bool{}
	add := func(assignee, team, channel, lane, category string) {
		for i, value := range [...]string{assignee, team, channel, lane, category} {
			all[ClosedBy{
				Workspace: c.Workspace, What: closedAssignee + i, Value: value,
				CreatedAt: c.CreatedAt, ID: c.ID,
			}] = true
		}
	}
	add(c.Assignee, c.Team, c.Channel, c.Lane, c.Cycle.Closing.Category)
	for i := range log {
		r := log[i].Row()
		add(r.Assignee, r.Team, r.Channel, r.Lane, r.Category)
		add(r.AssigneeBefore, r.TeamBefore, r.ChannelBefore, r.LaneBefore, r.Category)
	}
	return all
}

// KeysOfMessages are the keys that lead to a conversation, of so many external ids on a channel.
func KeysOfMessages(ids int) string {
	return `SELECT ` + Keys.Read.Names() + ` FROM convo_keys
	WHERE workspace = ? AND channel = ? AND id IN (` + Placeholders(ids) + `)
		AND conversation = ?`
}

// KeysBehind is a page of all keys, each with the time of its event, if that is there, and the
// version of its conversation, or 0: for EXISTS PostgreSQL would read all conversations. Its
// arguments are those of KeysBehindArgs.
func (d *Dialect) KeysBehind() string {
	columns := keyOfKeys.qualified("ky")
	behind := "(" + strings.Join(columns, ", ") + ") > (" + keyOfKeys.placeholders() + ")"
	if d.rangesOfIndex { // one behind the other
		behind = columns[len(columns)-1] + " > ?"
		for i := len(columns) - 2; i >= 0; i-- {
			behind = "(" + columns[i] + " > ? OR " + columns[i] + " = ? AND " + behind + ")"
		}
	}
	return `SELECT ` + Keys.Read.Qualify("ky") + `, CASE WHEN ky.conversation IS NULL THEN (
		SELECT ce.at FROM convo_contact_events ce WHERE ce.workspace = ky.workspace
			AND ce.contact = ky.contact AND ce.seq = ky.first_seq) ELSE (
		SELECT ev.at FROM convo_events ev WHERE ev.workspace = ky.workspace
			AND ev.conversation = ky.conversation AND ev.seq = ky.first_seq) END,
		COALESCE((SELECT cv.version FROM convo_conversations cv
			WHERE cv.workspace = ky.workspace AND cv.id = ky.conversation), 0)
	FROM convo_keys ky` + d.primaryIndex + `
	WHERE ` + behind + `
	ORDER BY ` + strings.Join(columns, ", ") + ` LIMIT ?`
}

// KeysBehindArgs are the arguments of KeysBehind.
func (d *Dialect) KeysBehindArgs(after *convo.KeyPlace, limit int) (args []any) {
	of := keyOfKeys.Args(d, nil, &Key{
		Workspace: after.Workspace, Key: convo.Key{KeyID: after.KeyID},
	})
	for i, v := range of {
		if d.rangesOfIndex && i < len(of)-1 {
			args = append(args, v)
		}
		args = append(args, v)
	}
	return append(args, limit)
}

// keyOfKeys is the primary key of keys.
var keyOfKeys = Keys.All[:5:5]
