package report

import (
	"slices"
	"time"

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
	Quiet               Measure = "quiet"
)

// In working time, where a query has a calendar.
const (
	WorkingResolution      Measure = "working_resolution"
	WorkingFirstResolution Measure = "working_first_resolution"
	WorkingLastResolution  Measure = "working_last_resolution"
	WorkingFirstResponse   Measure = "working_first_response"
	WorkingAssignment      Measure = "working_assignment"
)

// TimeBasis is the time by which a measure belongs to a period.
type TimeBasis int

// The time bases.
const (
	ByOpening    TimeBasis = iota // when the cycle was opened
	ByClosing                     // when it was closed
	ByResponse                    // when a user first replied in it
	ByAssignment                  // when it was first assigned to a user
	ByMessage                     // when the message was sent
)

// Dimension is what cycles and messages are grouped and filtered by.
type Dimension string

// The dimensions. A dimension of users has the id of a user, and is empty for automation and
// contacts. Messages have only channel, contact type and author.
const (
	Channel        Dimension = "channel"         // of the conversation; of messages, their own
	Lane           Dimension = "lane"            // of the conversation
	OpenedSource   Dimension = "opened_source"   // of the cycle
	ClosedSource   Dimension = "closed_source"   // of the cycle; empty while it runs
	Category       Dimension = "category"        // of the closing, as amended
	Team           Dimension = "team"            // the last one of the cycle
	FirstResponder Dimension = "first_responder" // the user who replied first
	Closer         Dimension = "closer"          // the user who closed it
	FirstAssignee  Dimension = "first_assignee"  // the user it was first assigned to
	LastAssignee   Dimension = "last_assignee"   // the user it was last assigned to
	ContactType    Dimension = "contact_type"    // ContactNew or ContactReturning
	Status         Dimension = "status"          // closed, or open or pending while the cycle runs
	Author         Dimension = "author"          // the user who wrote the message
)

// Contact types. A contact is new at the first opening of its first conversation; its messages are,
// in its first conversation. That is decided once: no merge or import changes it.
const (
	ContactNew       = "new"
	ContactReturning = "returning"
)

// Measures are all measures, in the order in which they are declared: by opening, by closing, by
// response, by assignment, of messages, and in working time. The slice is the caller's to keep.
func Measures() []Measure {
	all := make([]Measure, len(measureTable))
	for i := range measureTable {
		all[i] = measureTable[i].name
	}
	return all
}

// Dimensions are all dimensions, in the order in which they are declared. The slice is the caller's
// to keep.
func Dimensions() []Dimension {
	all := make([]Dimension, len(dimensionTable))
	for i := range dimensionTable {
		all[i] = dimensionTable[i].name
	}
	return all
}

// Known reports whether m is one of Measures.
func (m Measure) Known() bool { return measures[m] != nil }

// TimeBasis is the time by which m belongs to a period.
func (m Measure) TimeBasis() TimeBasis { return m.declared().basis }

// CountsDistinct reports whether m counts different things, so that the counts of two buckets do
// not add up to that of both.
func (m Measure) CountsDistinct() bool { return m.declared().distinct != 0 }

// Timed reports whether each thing that m counts has a duration, so that there are percentiles.
func (m Measure) Timed() bool { return m.declared().from != 0 }

// Durations reports whether m adds up durations, in microseconds.
func (m Measure) Durations() bool { return m.declared().from != 0 || m.declared().sum != 0 }

// Working reports whether m is in working time, and so needs a Calendar.
func (m Measure) Working() bool { return m.declared().workingOf != "" }

// Definition says what m means, and what others mean by it.
func (m Measure) Definition() string { return m.declared().definition }

// Of is how often m is in a cycle, and how long together, in microseconds. It is zero for messages,
// which are no part of a cycle, and in working time, which needs a Calendar.
func (m Measure) Of(y *Cycle) (count, micros int64) {
	d := m.declared()
	if d.basis.OfMessages() || d.workingOf != "" || d.distinct != 0 {
		return 0, 0
	}
	return d.of(y, nil, nil)
}

// RollupTerms are the measures of which rollups have rows, and which add up to m: m itself, others,
// or none, if m is not in rollups. All have the TimeBasis of m. The slice must not be changed.
func (m Measure) RollupTerms() []Term { return m.declared().rollup }

// Term is a measure that is part of a sum.
type Term struct {
	Measure Measure
	Minus   bool // it is taken away
}

// InRollups reports whether rollups have rows of m itself.
func (m Measure) InRollups() bool { return slices.Contains(m.RollupTerms(), Term{Measure: m}) }

func (m Measure) declared() *measure {
	if d := measures[m]; d != nil {
		return d
	}
	return &measure{}
}

// OfMessages reports whether b is the time of messages, not of cycles.
func (b TimeBasis) OfMessages() bool { return b == ByMessage }

// At is the time by which a cycle belongs to a period; zero: not yet, or never.
func (b TimeBasis) At(y *Cycle) time.Time {
	if b.OfMessages() {
		return time.Time{}
	}
	at, ok := timeBases[b].at.number(y, nil)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

// Known reports whether d is one of Dimensions.
func (d Dimension) Known() bool { return dimensions[d] != nil }

// Of is the value that a cycle has; empty for Author, which only messages have.
func (d Dimension) Of(y *Cycle) string {
	if t := d.textOf(ByOpening); t != nil {
		return t.of(y, nil)
	}
	return ""
}

// Fits reports whether what is measured by b has d.
func (d Dimension) Fits(b TimeBasis) bool { return d.textOf(b) != nil }

// InRollups reports whether rollups have d, of the measures by b.
func (d Dimension) InRollups(b TimeBasis) bool {
	return d.Known() && slices.Contains(dimensions[d].rollups, b)
}

// textOf is d in cycles or messages, whichever b is of; nil if they have none.
func (d Dimension) textOf(b TimeBasis) *text {
	switch {
	case !d.Known():
		return nil
	case b.OfMessages():
		return dimensions[d].messages
	}
	return dimensions[d].cycles
}

// of is how often m is in a cycle, or in the message e of it, and how long together.
func (m *measure) of(y *Cycle, e *convo.Event, calendar convo.Calendar) (count, micros int64) {
	if !hold(m.when, y, e) {
		if len(m.minus) > 0 && hold(m.minus, y, e) {
			return -1, 0
		}
		return 0, 0
	}
	count = 1
	if m.count != 0 {
		count, _ = m.count.number(y, e)
	}
	if m.sum != 0 {
		micros, _ = m.sum.number(y, e)
	}
	if m.from == 0 {
		return count, micros
	}
	from, began := m.from.number(y, e)
	to, ended := m.to.number(y, e)
	switch {
	case !began || !ended:
		return 0, 0
	case m.workingOf == "":
		micros = to - from
		if m.less != 0 {
			less, _ := m.less.number(y, e)
			micros -= less
		}
		return count, max(0, micros)
	case from < to:
		micros = calendar.Between(time.UnixMicro(from).UTC(),
			time.UnixMicro(to).UTC()).Microseconds()
	}
	return count, micros
}
