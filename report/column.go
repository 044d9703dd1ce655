package report

import (
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Table is where a store keeps a column.
type Table int

// The tables.
const (
	EventTable        Table = iota // the event itself
	ConversationTable              // its conversation
	CycleTable                     // the closed cycle of a closing
	markTable                      // a mark of the event, which no SQL can read
	RatedTable                     // the cycle that is rated, closed or running
)

// Column is one of the values that measures and dimensions are declared in. Store authors who
// render SQL ask it for its Table and Name; in Go, [Collector] reads it.
type Column int

// The columns; 0 is none.
const (
	kind Column = iota + 1
	at
	sentAt
	byType
	byID
	source
	channel
	lane
	quiet
	assignee
	team
	newContact
	statusBefore
	assigneeBefore
	teamBefore
	laneBefore
	channelBefore
	labelsBefore
	priorityBefore
	cycle
	openedSource
	statusSince
	assignedAt
	wasAssigned
	openedAt
	turn
	turnSince
	waitingSince
	handedOverAt
	replies
	pendingMicros
	closedByType
	closedByID
	conversationID
	contact
	origin
	firstOpenedAt
	firstConversation
	amended
	firstResponderType
	firstResponderID
	firstAssignee
	lastAssignee
	lastTeam
	marks
	deadline
	target
	result
	replaces
	lastScore
	categoryOfRated
)

// column is a column in both languages: its name in SQL, and how it is read in Go, as a number
// (times are UTC microseconds since 1970) or as a text.
type column struct {
	table    Table
	name     string
	optional bool // may be NULL: ok is false then, or the text empty
	number   func(y *Entry) (n int64, ok bool)
	text     func(y *Entry) string
}

// columns is the only place that knows where a column is, for Go and for SQL.
var columns = [...]column{
	kind:   {name: "kind", text: func(y *Entry) string { return y.Kind.String() }},
	at:     {name: "at", number: func(y *Entry) (int64, bool) { return micros(y.At) }},
	sentAt: optionalTime("sent_at", func(y *Entry) time.Time { return y.SentAt }),
	byType: {name: "by_type", text: func(y *Entry) string { return string(y.By.Type) }},
	byID:   optionalText("by_id", func(y *Entry) string { return y.By.ID }),
	source: optionalText("source", func(y *Entry) string { return string(y.Source) }),
	channel: optionalText("channel",
		func(y *Entry) string { return y.Channel }),
	lane:  optionalText("lane", func(y *Entry) string { return y.Lane }),
	quiet: optionalFlag("quiet", func(y *Entry) bool { return y.Quiet }),
	assignee: optionalText("assignee",
		func(y *Entry) string { return y.Assignee }),
	team:       optionalText("team", func(y *Entry) string { return y.Team }),
	newContact: optionalFlag("new_contact", func(y *Entry) bool { return y.NewContact }),
	statusBefore: optionalText("status_before",
		func(y *Entry) string { return string(y.StatusBefore) }),
	assigneeBefore: optionalText("assignee_before",
		func(y *Entry) string { return y.AssigneeBefore }),
	teamBefore: optionalText("team_before", func(y *Entry) string { return y.TeamBefore }),
	laneBefore: optionalText("lane_before", func(y *Entry) string { return y.LaneBefore }),
	channelBefore: optionalText("channel_before",
		func(y *Entry) string { return y.ChannelBefore }),
	labelsBefore: optionalText("labels_before",
		func(y *Entry) string { return string(y.LabelsBefore) }),
	priorityBefore: optionalNumber("priority_before",
		func(y *Entry) int64 { return int64(y.PriorityBefore) }),
	cycle: optionalNumber("cycle", func(y *Entry) int64 { return int64(y.Cycle) }),
	openedSource: optionalText("opened_source",
		func(y *Entry) string { return string(y.OpenedSource) }),
	statusSince: optionalTime("status_since",
		func(y *Entry) time.Time { return y.StatusSince }),
	assignedAt:  optionalTime("assigned_at", func(y *Entry) time.Time { return y.AssignedAt }),
	wasAssigned: optionalFlag("was_assigned", func(y *Entry) bool { return y.WasAssigned }),
	openedAt:    optionalTime("opened_at", func(y *Entry) time.Time { return y.OpenedAt }),
	turn:        optionalText("turn", func(y *Entry) string { return string(y.Turn) }),
	turnSince:   optionalTime("turn_since", func(y *Entry) time.Time { return y.TurnSince }),
	waitingSince: optionalTime("waiting_since",
		func(y *Entry) time.Time { return y.WaitingSince }),
	handedOverAt: optionalTime("handed_over_at",
		func(y *Entry) time.Time { return y.HandedOverAt }),
	replies: optionalNumber("replies", func(y *Entry) int64 { return int64(y.Replies) }),
	pendingMicros: optionalNumber("pending_micros",
		func(y *Entry) int64 { return y.PendingMicros }),
	closedByType: optionalText("closed_by_type",
		func(y *Entry) string { return string(y.ClosedBy.Type) }),
	closedByID: optionalText("closed_by_id", func(y *Entry) string { return y.ClosedBy.ID }),

	conversationID: {name: "conversation",
		text: func(y *Entry) string {
			if y.Conversation == uuid.Nil { // what happened to a contact itself
				return ""
			}
			return y.Conversation.String()
		}},
	contact: {name: "contact", text: func(y *Entry) string { return y.Contact }},
	origin: {table: ConversationTable, name: "origin",
		text: func(y *Entry) string { return y.Origin }},
	firstOpenedAt: {table: ConversationTable, name: "created_at",
		number: func(y *Entry) (int64, bool) { return micros(y.FirstOpenedAt) }},
	firstConversation: {table: ConversationTable, name: "new_contact",
		number: func(y *Entry) (int64, bool) { return flag(y.FirstConversation) }},

	amended: ofCycle("category", func(y *Entry) string { return y.Amended }),
	firstResponderType: ofCycle("first_responder_type",
		func(y *Entry) string { return string(y.FirstResponder.Type) }),
	firstResponderID: ofCycle("first_responder_id",
		func(y *Entry) string { return y.FirstResponder.ID }),
	firstAssignee: ofCycle("first_assignee", func(y *Entry) string { return y.FirstAssignee }),
	lastAssignee:  ofCycle("last_assignee", func(y *Entry) string { return y.LastAssignee }),
	lastTeam:      ofCycle("last_team", func(y *Entry) string { return y.LastTeam }),

	marks: {name: "marks", optional: true,
		number: func(y *Entry) (int64, bool) { return 0, y.Marks != "" }},
	deadline: ofMark(func(m *convo.Mark) string { return m.Deadline }),
	target:   ofMark(func(m *convo.Mark) string { return string(m.Target) }),
	result:   ofMark(func(m *convo.Mark) string { return string(m.Result) }),
	replaces: optionalFlag("replaces", func(y *Entry) bool { return y.Replaces }),
	lastScore: {table: RatedTable, name: "score",
		number: func(y *Entry) (int64, bool) { return int64(y.LastScore), true }},
	categoryOfRated: {table: RatedTable, name: "category",
		text: func(y *Entry) string { return y.Amended }},
}

func optionalText(name string, text func(*Entry) string) column {
	return column{name: name, optional: true, text: text}
}

func ofCycle(name string, text func(*Entry) string) column {
	return column{table: CycleTable, name: name, text: text}
}

func ofMark(text func(*convo.Mark) string) column {
	return column{table: markTable, text: func(y *Entry) string { return text(&y.Mark) }}
}

func optionalTime(name string, of func(*Entry) time.Time) column {
	return column{name: name, optional: true,
		number: func(y *Entry) (int64, bool) { return micros(of(y)) }}
}

// optionalNumber is NULL where it is 0.
func optionalNumber(name string, of func(*Entry) int64) column {
	return column{name: name, optional: true,
		number: func(y *Entry) (int64, bool) { n := of(y); return n, n != 0 }}
}

func optionalFlag(name string, of func(*Entry) bool) column {
	return column{name: name, optional: true,
		number: func(y *Entry) (int64, bool) { return flag(of(y)) }}
}

// Table is where c is kept.
func (c Column) Table() Table { return columns[c].table }

// Name is what c is called in its table, as "opened_at".
func (c Column) Name() string { return columns[c].name }

// flag is a flag as a number, 1 if it is set.
func flag(is bool) (int64, bool) {
	if is {
		return 1, true
	}
	return 0, true
}

// micros is t in microseconds; false for the zero time.
func micros(t time.Time) (int64, bool) {
	if t.IsZero() {
		return 0, false
	}
	return t.UnixMicro(), true
}
