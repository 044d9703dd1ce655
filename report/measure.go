package report

import (
	"bytes"
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Measure is something that is counted, and perhaps timed.
type Measure string

// The measures. [Measure.Definition] says what each one means.
const (
	Opened              Measure = "opened"
	OpenedNew           Measure = "opened_new"
	Reopened            Measure = "reopened"
	NewContacts         Measure = "new_contacts"
	Returning           Measure = "returning"
	Closed              Measure = "closed"
	ClosedConversations Measure = "closed_conversations"
	ClosedContacts      Measure = "closed_contacts"
	Resolution          Measure = "resolution"
	ActiveResolution    Measure = "active_resolution"
	FirstResolution     Measure = "first_resolution"
	LastResolution      Measure = "last_resolution"
	FirstResponse       Measure = "first_response"
	Response            Measure = "response"
	Assignment          Measure = "assignment"
	Incoming            Measure = "incoming"
	OutgoingUser        Measure = "outgoing_user"
	OutgoingAutomation  Measure = "outgoing_automation"
)

// In working time, where a question has a calendar.
const (
	WorkingResolution      Measure = "working_resolution"
	WorkingFirstResolution Measure = "working_first_resolution"
	WorkingLastResolution  Measure = "working_last_resolution"
	WorkingFirstResponse   Measure = "working_first_response"
	WorkingAssignment      Measure = "working_assignment"
)

// Basis is the time by which a measure belongs to a period.
type TimeBasis int

// The bases.
const (
	ByOpening    TimeBasis = iota // when the cycle was opened
	ByClosing                     // when it was closed
	ByResponse                    // when a user first replied in it
	ByAssignment                  // when it was first assigned to a user
	ByMessage                     // when the message was sent
)

// Basis is the time by which m belongs to a period.
func (m Measure) TimeBasis() TimeBasis { return measures[m].basis }

// Distinct reports whether m counts different things, so that the counts of two buckets do not add up to that of both.
func (m Measure) Distinct() bool { return measures[m].distinct != nil }

// Timed reports whether m has durations, with percentiles.
func (m Measure) Timed() bool { return measures[m].timed }

// Definition says what m means, and what others mean by it.
func (m Measure) Definition() string { return measures[m].definition }

// measure is a measure as data. of is its value in a cycle: how many, and how long together.
type measure struct {
	basis      TimeBasis
	timed      bool
	of         func(y *Cycle) (count, sum int64)
	distinct   func(y *Cycle) string
	working    Measure
	span       func(y *Cycle) (from, to time.Time) // of working time
	definition string
}

func one(counts bool) (count, sum int64) {
	if counts {
		return 1, 0
	}
	return 0, 0
}

// timed is a measure of the time between the two times of a cycle.
func timed(basis TimeBasis, working Measure, span func(*Cycle) (from, to time.Time), definition string) measure {
	return measure{basis: basis, timed: true, working: working, span: span, definition: definition,
		of: func(y *Cycle) (int64, int64) {
			from, to := span(y)
			if to.IsZero() {
				return 0, 0
			}
			return 1, max(0, to.UnixMicro()-from.UnixMicro())
		}}
}

var measures = map[Measure]measure{
	Opened: {basis: ByOpening, of: func(*Cycle) (int64, int64) { return 1, 0 },
		definition: "cycles by their opening: new conversations and reopenings. Others count conversations by creation only."},
	OpenedNew: {basis: ByOpening, of: func(y *Cycle) (int64, int64) { return one(y.Number == 1) },
		definition: "conversations by their first opening."},
	Reopened: {basis: ByOpening, of: func(y *Cycle) (int64, int64) { return one(y.Number > 1) },
		definition: "cycles numbered 2 and up, by their opening. The rate is reopened ÷ closed of the period."},
	NewContacts: {basis: ByOpening, of: func(y *Cycle) (int64, int64) { return one(y.NewContact()) },
		definition: "contacts by the opening of their first conversation."},
	Returning: {basis: ByOpening, of: func(y *Cycle) (int64, int64) { return one(!y.NewContact()) },
		definition: "openings and reopenings of contacts who had been there before. A contact counts each time."},
	Closed: {basis: ByClosing, of: func(*Cycle) (int64, int64) { return 1, 0 },
		definition: "cycles by their closing; one that was reopened and closed again counts twice. Others count the last closing only, " +
			"so that a reopening changes the past."},
	ClosedConversations: {basis: ByClosing, distinct: func(y *Cycle) string { return string(y.Conversation[:]) },
		definition: "distinct conversations with a closing in the period."},
	ClosedContacts: {basis: ByClosing, distinct: func(y *Cycle) string { return y.Contact },
		definition: "distinct contacts, by whom the conversation was opened for, with a closing in the period."},
	Resolution: timed(ByClosing, WorkingResolution, func(y *Cycle) (time.Time, time.Time) { return y.OpenedAt, y.Closing.At },
		"from the opening of the cycle to its closing, by the closing. Others measure from the creation of the conversation, cumulative "+
			"after a reopening: see last_resolution."),
	ActiveResolution: {basis: ByClosing, timed: true,
		of: func(y *Cycle) (int64, int64) {
			return 1, max(0, y.Closing.At.UnixMicro()-y.OpenedAt.UnixMicro()-y.PendingMicros)
		},
		definition: "resolution without the time spent pending."},
	FirstResolution: timed(ByClosing, WorkingFirstResolution, func(y *Cycle) (from, to time.Time) {
		if y.Number == 1 {
			from, to = y.OpenedAt, y.Closing.At
		}
		return from, to
	}, "from the first opening of the conversation to its first closing, by that closing. No reopening changes it."),
	LastResolution: timed(ByClosing, WorkingLastResolution,
		func(y *Cycle) (time.Time, time.Time) { return y.CreatedAt, y.Closing.At },
		"from the first opening of the conversation to this closing, by the closing; each closing counts."),
	FirstResponse: timed(ByResponse, WorkingFirstResponse,
		func(y *Cycle) (time.Time, time.Time) { return y.OpenedAt, y.FirstResponseAt },
		"from the opening of the cycle to the first message sent by a user, by that message. Automation does not stop it, unless the "+
			"policy counts it; others count bots."),
	Response: {basis: ByResponse, of: func(y *Cycle) (int64, int64) { return int64(y.Responses), y.ResponseMicros },
		definition: "each reply: from the first unanswered incoming message to the reply. The replies of a cycle are counted together, " +
			"where its first response is."},
	Assignment: timed(ByAssignment, WorkingAssignment,
		func(y *Cycle) (time.Time, time.Time) { return y.OpenedAt, y.FirstAssignedAt },
		"from the opening of the cycle to the first assignment to a user, by that assignment."),
	Incoming: {basis: ByMessage, definition: "messages of contacts, by their time."},
	OutgoingUser: {basis: ByMessage,
		definition: "messages sent by users, by their time. Notes are not messages."},
	OutgoingAutomation: {basis: ByMessage, definition: "messages sent by automation, by their time."},

	WorkingResolution:      {basis: ByClosing, timed: true, definition: "resolution in working time."},
	WorkingFirstResolution: {basis: ByClosing, timed: true, definition: "first_resolution in working time."},
	WorkingLastResolution:  {basis: ByClosing, timed: true, definition: "last_resolution in working time."},
	WorkingFirstResponse:   {basis: ByResponse, timed: true, definition: "first_response in working time."},
	WorkingAssignment:      {basis: ByAssignment, timed: true, definition: "assignment in working time."},
}

// Dimension is what cycles are grouped and filtered by.
type Dimension string

// The dimensions. Of a user only users have an id there, everyone else is the empty value. Messages have only channel, contact type
// and author.
const (
	Channel        Dimension = "channel"         // where the conversation was opened
	OpenedSource   Dimension = "opened_source"   // of the cycle
	ClosedSource   Dimension = "closed_source"   // of the cycle; empty while it runs
	Category       Dimension = "category"        // of the closing, as amended
	Team           Dimension = "team"            // who had the cycle last
	FirstResponder Dimension = "first_responder" // the user who replied first
	Closer         Dimension = "closer"          // the user who closed it
	FirstAssignee  Dimension = "first_assignee"  // the user it was first assigned to
	LastAssignee   Dimension = "last_assignee"   // the user who had it last
	ContactType    Dimension = "contact_type"    // new: the first opening of a contact's first conversation; else returning
	Status         Dimension = "status"          // closed, or open or pending while the cycle runs
	Author         Dimension = "author"          // the user who wrote the message
)

// Contact types.
const (
	ContactNew       = "new"
	ContactReturning = "returning"
)

// dimensions say what a cycle has as a value; nil: only messages have it.
var dimensions = map[Dimension]func(y *Cycle) string{
	Channel:        func(y *Cycle) string { return y.Channel },
	OpenedSource:   func(y *Cycle) string { return string(y.OpenedSource) },
	ClosedSource:   func(y *Cycle) string { return string(y.Closing.Source) },
	Category:       func(y *Cycle) string { return y.Closing.Category },
	Team:           func(y *Cycle) string { return y.LastTeam },
	FirstResponder: func(y *Cycle) string { return userOf(y.FirstResponder) },
	Closer:         func(y *Cycle) string { return userOf(y.Closing.By) },
	FirstAssignee:  func(y *Cycle) string { return y.FirstAssignee },
	LastAssignee:   func(y *Cycle) string { return y.LastAssignee },
	ContactType: func(y *Cycle) string {
		if y.NewContact() {
			return ContactNew
		}
		return ContactReturning
	},
	Status: func(y *Cycle) string { return string(y.Status) },
	Author: nil,
}

// Known reports whether d is one of the dimensions.
func (d Dimension) Known() bool { _, ok := dimensions[d]; return ok }

// Of is the value that a cycle has; empty for Author, which only messages have.
func (d Dimension) Of(y *Cycle) string {
	if of := dimensions[d]; of != nil {
		return of(y)
	}
	return ""
}

// Of is how often m is in a cycle, and how long together. For messages, which are not measured by cycle, it is zero.
func (m Measure) Of(y *Cycle) (count, sum int64) {
	if of := measures[m].of; of != nil {
		return of(y)
	}
	return 0, 0
}

// At is the time by which a cycle belongs to a period; zero: not yet, or never.
func (b TimeBasis) At(y *Cycle) time.Time {
	switch b {
	case ByOpening:
		return y.OpenedAt
	case ByClosing:
		return y.Closing.At
	case ByResponse:
		return y.FirstResponseAt
	case ByAssignment:
		return y.FirstAssignedAt
	}
	return time.Time{}
}

func userOf(a convo.Actor) string {
	if a.Type != convo.ActorUser {
		return ""
	}
	return a.ID
}

// Cycle is a cycle with what is known of its conversation: a row of an export.
type Cycle struct {
	Workspace    string       `json:"workspace"`
	Conversation uuid.UUID    `json:"conversation"`
	Contact      string       `json:"contact"` // whom the conversation was opened for
	Channel      string       `json:"channel,omitempty"`
	CreatedAt    time.Time    `json:"created_at"`    // first opening of the conversation
	ContactSince time.Time    `json:"contact_since"` // when the contact was first seen
	Status       convo.Status `json:"status"`        // of the cycle
	convo.Cycle
}

// NewContact reports whether it is the first opening of a contact's first conversation.
func (y *Cycle) NewContact() bool { return y.Number == 1 && y.CreatedAt.Equal(y.ContactSince) }

// Compare orders cycles as Store.Cycles yields them: by opening, conversation and number.
func (y *Cycle) Compare(z *Cycle) int {
	return cmp.Or(y.OpenedAt.Compare(z.OpenedAt), bytes.Compare(y.Conversation[:], z.Conversation[:]), cmp.Compare(y.Number, z.Number))
}

func compareActive(a, b ActiveCount) int {
	return cmp.Or(cmp.Compare(a.Assignee, b.Assignee), cmp.Compare(a.Status, b.Status))
}

func compareGroups(by Measure, a, b *Group) int {
	if by != "" {
		x, y := a.Values[by], b.Values[by]
		if by.Timed() { // the quickest first
			if c := cmp.Compare(x.Mean, y.Mean); c != 0 {
				return c
			}
		} else if c := cmp.Compare(y.Count, x.Count); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.Value, b.Value)
}
