package report

import (
	"time"

	"github.com/chatlifecycle/convo"
)

// Table is where a store keeps a column.
type Table int

// The tables.
const (
	CycleTable        Table = iota // a cycle: closed or running
	ConversationTable              // its conversation, or that of the message
	EventTable                     // the event of a message
)

// Column is one of the values that measures and dimensions are declared in. Store authors who
// render SQL ask it for its Table and Name; in Go, [Collector] reads it.
type Column int

// The columns; 0 is none.
const (
	conversationID Column = iota + 1
	cycleNumber
	openedAt
	openedSource
	firstAssignedAt
	firstAssignee
	lastAssignee
	lastTeam
	firstResponseAt
	firstResponseSentAt
	firstWaitingSince
	firstResponderType
	firstResponderID
	responses
	responseMicros
	pendingMicros
	closedAt
	closedByType
	closedByID
	closedSource
	category
	status
	origin
	channel
	lane
	createdAt
	firstConversation
	messageKind
	messageAt
	messageChannel
	messageQuiet
	authorType
	authorID
)

// column is a column in both languages: its name in SQL, and how it is read in Go, as a number
// (times are UTC microseconds since 1970) or as a text.
type column struct {
	table    Table
	name     string
	optional bool // may be NULL: ok is false then, or the text empty
	number   func(y *Cycle, e *convo.Event) (n int64, ok bool)
	text     func(y *Cycle, e *convo.Event) string
}

// columns is the only place that knows where a column is, for Go and for SQL.
var columns = [...]column{
	conversationID: {name: "conversation",
		text: func(y *Cycle, _ *convo.Event) string { return string(y.Conversation[:]) }},
	cycleNumber: {name: "number",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return int64(y.Number), true }},
	openedAt: {name: "opened_at",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return micros(y.OpenedAt) }},
	openedSource: {name: "opened_source",
		text: func(y *Cycle, _ *convo.Event) string { return string(y.OpenedSource) }},
	firstAssignedAt: {name: "first_assigned_at", optional: true,
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return micros(y.FirstAssignedAt) }},
	firstAssignee: {name: "first_assignee",
		text: func(y *Cycle, _ *convo.Event) string { return y.FirstAssignee }},
	lastAssignee: {name: "last_assignee",
		text: func(y *Cycle, _ *convo.Event) string { return y.LastAssignee }},
	lastTeam: {name: "last_team",
		text: func(y *Cycle, _ *convo.Event) string { return y.LastTeam }},
	firstResponseAt: {name: "first_response_at", optional: true,
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return micros(y.FirstResponseAt) }},
	firstResponseSentAt: {name: "first_response_sent_at", optional: true,
		number: func(y *Cycle, _ *convo.Event) (int64, bool) {
			return micros(y.FirstResponseSentAt)
		}},
	firstWaitingSince: {name: "first_waiting_since", optional: true,
		number: func(y *Cycle, _ *convo.Event) (int64, bool) {
			return micros(y.FirstWaitingSince)
		}},
	firstResponderType: {name: "first_responder_type",
		text: func(y *Cycle, _ *convo.Event) string { return string(y.FirstResponder.Type) }},
	firstResponderID: {name: "first_responder_id",
		text: func(y *Cycle, _ *convo.Event) string { return y.FirstResponder.ID }},
	responses: {name: "responses",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return int64(y.Responses), true }},
	responseMicros: {name: "response_micros",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return y.ResponseMicros, true }},
	pendingMicros: {name: "pending_micros",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return y.PendingMicros, true }},
	closedAt: {name: "closed_at", optional: true,
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return micros(y.Closing.At) }},
	closedByType: {name: "closed_by_type",
		text: func(y *Cycle, _ *convo.Event) string { return string(y.Closing.By.Type) }},
	closedByID: {name: "closed_by_id",
		text: func(y *Cycle, _ *convo.Event) string { return y.Closing.By.ID }},
	closedSource: {name: "closed_source",
		text: func(y *Cycle, _ *convo.Event) string { return string(y.Closing.Source) }},
	category: {name: "category",
		text: func(y *Cycle, _ *convo.Event) string { return y.Closing.Category }},
	status: {name: "status",
		text: func(y *Cycle, _ *convo.Event) string { return string(y.Status) }},

	origin: {table: ConversationTable, name: "origin",
		text: func(y *Cycle, _ *convo.Event) string { return y.Contact }},
	channel: {name: "channel",
		text: func(y *Cycle, _ *convo.Event) string { return y.Channel }},
	lane: {name: "lane",
		text: func(y *Cycle, _ *convo.Event) string { return y.Lane }},
	createdAt: {table: ConversationTable, name: "created_at",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return micros(y.CreatedAt) }},
	firstConversation: {table: ConversationTable, name: "new_contact",
		number: func(y *Cycle, _ *convo.Event) (int64, bool) { return flag(y.NewContact) }},

	messageKind: {table: EventTable, name: "kind",
		text: func(_ *Cycle, e *convo.Event) string { return e.Kind.String() }},
	messageAt: {table: EventTable, name: "at",
		number: func(_ *Cycle, e *convo.Event) (int64, bool) { return micros(e.At) }},
	messageChannel: {table: EventTable, name: "channel", optional: true,
		text: func(_ *Cycle, e *convo.Event) string { return channelOf(e) }},
	messageQuiet: {table: EventTable, name: "quiet", optional: true,
		number: func(_ *Cycle, e *convo.Event) (int64, bool) { return flag(isQuiet(e)) }},
	authorType: {table: EventTable, name: "by_type",
		text: func(_ *Cycle, e *convo.Event) string { return string(e.By.Type) }},
	authorID: {table: EventTable, name: "by_id", optional: true,
		text: func(_ *Cycle, e *convo.Event) string { return e.By.ID }},
}

// Table is where c is kept.
func (c Column) Table() Table { return columns[c].table }

// Name is what c is called in its table, as "opened_at". The columns "status" and "conversation" of
// a cycle are its status, and the id of its conversation.
func (c Column) Name() string { return columns[c].name }

func (c Column) number(y *Cycle, e *convo.Event) (int64, bool) { return columns[c].number(y, e) }

func (c Column) text(y *Cycle, e *convo.Event) string { return columns[c].text(y, e) }

func channelOf(e *convo.Event) string {
	switch p := e.Payload.(type) {
	case *convo.Message:
		return p.Channel
	case *convo.Duplicated:
		return p.Channel
	}
	return ""
}

func isQuiet(e *convo.Event) bool {
	switch p := e.Payload.(type) {
	case *convo.Message:
		return p.Quiet
	case *convo.Duplicated:
		return p.Quiet
	}
	return false
}

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
