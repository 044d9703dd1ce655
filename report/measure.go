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
	Opened                Measure = "opened"
	OpenedNew             Measure = "opened_new"
	Reopened              Measure = "reopened"
	NewContacts           Measure = "new_contacts"
	Returning             Measure = "returning"
	Closed                Measure = "closed"
	ClosedConversations   Measure = "closed_conversations"
	ClosedContacts        Measure = "closed_contacts"
	OneTouch              Measure = "one_touch"
	Automated             Measure = "automated"
	Resolution            Measure = "resolution"
	ActiveResolution      Measure = "active_resolution"
	FirstResolution       Measure = "first_resolution"
	LastResolution        Measure = "last_resolution"
	FirstResponse         Measure = "first_response"
	Response              Measure = "response"
	HandoverFirstResponse Measure = "handover_first_response"
	HandoverResponse      Measure = "handover_response"
	Assigned              Measure = "assigned"
	Unassigned            Measure = "unassigned"
	Transfers             Measure = "transfers"
	Assignment            Measure = "assignment"
	Handling              Measure = "handling"
	Entered               Measure = "entered"
	Left                  Measure = "left"
	OpenTime              Measure = "open_time"
	PendingTime           Measure = "pending_time"
	ContactWaitingTime    Measure = "contact_waiting_time"
	AwaitingContactTime   Measure = "awaiting_contact_time"
	IdleTime              Measure = "idle_time"
	Incoming              Measure = "incoming"
	OutgoingUser          Measure = "outgoing_user"
	OutgoingAutomation    Measure = "outgoing_automation"
	Quiet                 Measure = "quiet"
	DeadlinesMet          Measure = "deadlines_met"
	DeadlinesMissed       Measure = "deadlines_missed"
	DeadlinesPassed       Measure = "deadlines_passed"
	Rating                Measure = "rating"
)

// Backlog is how many conversations are active. Stores do not aggregate it: it is Entered less
// Left, from the beginning on.
const Backlog Measure = "backlog"

// In working time, where a query has a calendar.
const (
	WorkingResolution            Measure = "working_resolution"
	WorkingFirstResolution       Measure = "working_first_resolution"
	WorkingLastResolution        Measure = "working_last_resolution"
	WorkingFirstResponse         Measure = "working_first_response"
	WorkingResponse              Measure = "working_response"
	WorkingHandoverFirstResponse Measure = "working_handover_first_response"
	WorkingHandoverResponse      Measure = "working_handover_response"
	WorkingAssignment            Measure = "working_assignment"
	WorkingHandling              Measure = "working_handling"
)

// Dimension is what measures are grouped and filtered by: what the conversation was when the event
// that counts happened. What happens later changes no group, except of Category and Score.
type Dimension string

// The dimensions. A dimension of users has the id of a user, and is empty for automation and
// contacts. Not each is of each [Subject].
const (
	Channel        Dimension = "channel"         // of the conversation; of messages, their own
	Lane           Dimension = "lane"            // of the conversation
	OpenedSource   Dimension = "opened_source"   // of the cycle
	ClosedSource   Dimension = "closed_source"   // of the closing
	Category       Dimension = "category"        // of the closing, as amended
	Team           Dimension = "team"            // that had it; of an assignment, that has it now
	Assignee       Dimension = "assignee"        // who had it; of an assignment, who has it now
	AssignedFrom   Dimension = "assigned_from"   // who had it before an assignment
	AssignedBy     Dimension = "assigned_by"     // the user who assigned it
	Opener         Dimension = "opener"          // the user who opened or reopened it
	Closer         Dimension = "closer"          // who closed it, or what was reopened or rated
	Author         Dimension = "author"          // the user who wrote the message or reply
	ActorType      Dimension = "actor_type"      // who did it: contact, user, automation, system
	FirstResponder Dimension = "first_responder" // the user who replied first in the closed cycle
	FirstAssignee  Dimension = "first_assignee"  // the user who had the closed cycle first
	LastAssignee   Dimension = "last_assignee"   // the user who had the closed cycle last
	LastTeam       Dimension = "last_team"       // the team that had the closed cycle last
	ContactType    Dimension = "contact_type"    // ContactNew or ContactReturning
	Status         Dimension = "status"          // of the conversation
	Priority       Dimension = "priority"        // of the conversation, by name
	Label          Dimension = "label"           // of the conversation; it may have several
	Contact        Dimension = "contact"         // who had the conversation, by the contact's id
	Conversation   Dimension = "conversation"    // its id; only to filter by
	Deadline       Dimension = "deadline"        // the name of the rule
	Target         Dimension = "target"          // what a service level is about; empty without one
	Score          Dimension = "score"           // of the cycle's last rating, from 0 to 100
)

// Contact types. A contact is new at the first opening of its first conversation; its messages are,
// in its first conversation. That is decided once: no merge or import changes it.
const (
	ContactNew       = "new"
	ContactReturning = "returning"
)

// Measures are all measures, in the order in which they are declared. The slice is the caller's to
// keep.
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

// Subject is what m counts.
func (m Measure) Subject() Subject { return m.declared().subject }

// CountsDistinct reports whether m counts different things, so that the counts of two buckets do
// not add up to that of both.
func (m Measure) CountsDistinct() bool { return m.declared().distinct != 0 }

// Timed reports whether each thing that m counts has a duration, in microseconds.
func (m Measure) Timed() bool { return m.declared().from != nil }

// Scored reports whether each thing that m counts has a score, in the policy's Ratings.
func (m Measure) Scored() bool { return m.declared().score != 0 }

// Valued reports whether each thing that m counts has a duration or a score: what a [Stat] has sum,
// mean and percentiles of.
func (m Measure) Valued() bool { return m.declared().valued() }

func (m *measure) valued() bool { return m.from != nil || m.score != 0 }

// Working reports whether m is in working time, and so needs a Calendar.
func (m Measure) Working() bool { return m.declared().workingOf != "" }

// Definition says what m means, and what others mean by it.
func (m Measure) Definition() string { return m.declared().definition }

// Of is looked up once, for many entries, and asked within [Subject.Each]: how often m is in one,
// 1, −1 or 0, and how long it took, in microseconds, or the score. It is zero in working time,
// which needs a Calendar, and where different things are counted. It may be asked concurrently.
func (m Measure) Of() func(y *Entry) (count, value int64) {
	d := m.declared()
	if d.workingOf != "" || d.distinct != 0 {
		return func(*Entry) (count, value int64) { return 0, 0 }
	}
	return func(y *Entry) (count, value int64) { return d.of(y, nil) }
}

// RollupTerms are the measures of which rollups have rows, and which add up to m: m itself, others,
// or none, if m is not in rollups. All have the Subject of m. The slice must not be changed.
func (m Measure) RollupTerms() []Term { return m.declared().rollup }

// Term is a measure that is part of a sum.
type Term struct {
	Measure Measure
	Minus   bool // it is taken away
}

// InRollups reports whether rollups have rows of m itself.
func (m Measure) InRollups() bool { return slices.Contains(m.RollupTerms(), Term{Measure: m}) }

func (m Measure) declared() *measure {
	switch d := measures[m]; {
	case d != nil:
		return d
	case m == Backlog:
		return &measure{name: m, subject: OfEntering, definition: backlogDefinition}
	}
	return &measure{}
}

// Known reports whether d is one of Dimensions.
func (d Dimension) Known() bool { return dimensions[d] != nil }

// Of is looked up once, for many entries: the value that one has, of what s is; of labels all of
// them, a convo.Tokens. It is empty where s does not have d. It may be asked concurrently.
func (d Dimension) Of(s Subject) func(y *Entry) string {
	if t := d.textOf(s); t != nil {
		return t.of
	}
	return func(*Entry) string { return "" }
}

// Fits reports whether what s is has d.
func (d Dimension) Fits(s Subject) bool { return d.textOf(s) != nil }

// Several reports whether one thing may have several values of d, so that groups do not add up.
func (d Dimension) Several() bool { return d == Label }

// OnlyFilters reports whether reports filter by d and do not group by it.
func (d Dimension) OnlyFilters() bool { return d == Conversation }

// InRollups reports whether rollups have d, of what s is.
func (d Dimension) InRollups(s Subject) bool { return d.Fits(s) && !dimensions[d].live }

func (d Dimension) textOf(s Subject) *text {
	if !d.Known() {
		return nil
	}
	return dimensions[d].of[s]
}

// values are the values of which a text is one or several.
func (t *text) values(of string) []string {
	if t.tokens {
		if of == "" {
			return []string{""} // those without any
		}
		return convo.Tokens(of).All()
	}
	return []string{of}
}

// has reports whether s is of an entry.
func (s Subject) has(y *Entry) bool {
	return slices.Contains(subjects[s].kinds, y.Kind) && hold(subjects[s].when, y)
}

// of is how often m is in an entry that its subject has, and how long it took, or its score.
func (m *measure) of(y *Entry, calendar convo.Calendar) (count, value int64) {
	if !hold(m.when, y) {
		if len(m.minus) > 0 && hold(m.minus, y) {
			return -1, 0
		}
		return 0, 0
	}
	switch {
	case m.score != 0:
		value, _ = m.score.of(y)
		return 1, value
	case m.from == nil:
		return 1, 0
	}
	from, began := m.from.of(y)
	to, ended := m.to.of(y)
	switch {
	case !began || !ended:
		return 0, 0
	case m.workingOf == "":
		value = to - from
		if m.less != 0 {
			less, _ := m.less.of(y)
			value -= less
		}
		return 1, max(0, value)
	case from < to:
		value = calendar.Between(time.UnixMicro(from).UTC(),
			time.UnixMicro(to).UTC()).Microseconds()
	}
	return 1, value
}
