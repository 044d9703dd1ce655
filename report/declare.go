package report

import "github.com/chatlifecycle/convo"

// measure is a measure as data. This is all that there is of it: Collector evaluates it in Go,
// [Measure.SQL] writes it in SQL, and rollups have it as it says.
type measure struct {
	name  Measure
	basis TimeBasis
	when  []condition // what counts; all must hold
	minus []condition // what takes one off again; all must hold
	count Column      // how many one cycle or message counts for; 0: one
	sum   Column      // how long they took together, in microseconds

	// A duration of each is from one time to another one; what lacks either does not count.
	from, to Column
	less     Column // how much of it is left out, in microseconds
	bands    bool   // durations are also counted by BandLimits

	distinct  Column  // only different values of it are counted
	workingOf Measure // the same in working time; all else is declared there
	rollup    []Term  // see Measure.RollupTerms

	definition string
}

// timeBases say which column is the time of a basis, and which user a measure by it is credited to.
var timeBases = [...]struct {
	at   Column
	user Dimension
}{
	ByOpening:    {openedAt, FirstAssignee},
	ByClosing:    {closedAt, Closer},
	ByResponse:   {firstResponseAt, FirstResponder},
	ByAssignment: {firstAssignedAt, FirstAssignee},
	ByMessage:    {messageAt, Author},
}

var (
	newContact      = []condition{equals(cycleNumber, 1), set(firstConversation)}
	quietly         = set(messageQuiet)
	aloud           = not(quietly)
	received        = is(messageKind, convo.MessageReceived.String())
	sent            = is(messageKind, convo.MessageSent.String())
	byUser          = []condition{is(authorType, convo.ActorUser)}
	sentByUser      = []condition{sent, is(authorType, convo.ActorUser), aloud}
	sentByBot       = []condition{sent, is(authorType, convo.ActorAutomation), aloud}
	echoed          = is(messageKind, convo.MessageDuplicated.String())
	allOpenings     = []Term{{Measure: OpenedNew}, {Measure: Reopened}}
	lessNewContacts = Term{Measure: NewContacts, Minus: true}
)

func rows(m Measure) []Term { return []Term{{Measure: m}} }

var measureTable = []measure{
	{name: Opened, basis: ByOpening, rollup: allOpenings,
		definition: "cycles by their opening: new conversations and reopenings. Others count " +
			"conversations by creation only."},
	{name: OpenedNew, basis: ByOpening, when: []condition{equals(cycleNumber, 1)},
		rollup:     rows(OpenedNew),
		definition: "conversations by their first opening."},
	{name: Reopened, basis: ByOpening, when: []condition{above(cycleNumber, 1)},
		rollup: rows(Reopened),
		definition: "cycles numbered 2 and up, by their opening. The rate is reopened ÷ " +
			"closed of the period."},
	{name: NewContacts, basis: ByOpening, when: newContact, rollup: rows(NewContacts),
		definition: "contacts by the opening of their first conversation."},
	{name: Returning, basis: ByOpening, when: []condition{not(newContact...)},
		rollup: append(allOpenings[:2:2], lessNewContacts),
		definition: "openings and reopenings of contacts who had been there before. A contact " +
			"counts each time."},

	{name: Closed, basis: ByClosing, rollup: rows(Resolution),
		definition: "cycles by their closing; one that was reopened and closed again counts " +
			"twice. " +
			"Others count the last closing only, so that a reopening changes the past."},
	{name: ClosedConversations, basis: ByClosing, distinct: conversationID,
		definition: "distinct conversations with a closing in the period."},
	{name: ClosedContacts, basis: ByClosing, distinct: origin,
		definition: "distinct contacts, for which the conversation was opened, with a closing in " +
			"the period."},
	{name: Resolution, basis: ByClosing, from: openedAt, to: closedAt, rollup: rows(Resolution),
		definition: "from the opening of the cycle to its closing, by the closing. Others " +
			"measure from the creation of the conversation, cumulative after a reopening: see " +
			"last_resolution."},
	{name: ActiveResolution, basis: ByClosing, from: openedAt, to: closedAt, less: pendingMicros,
		rollup:     rows(ActiveResolution),
		definition: "resolution without the time spent pending."},
	{name: FirstResolution, basis: ByClosing, when: []condition{equals(cycleNumber, 1)},
		from: openedAt, to: closedAt, rollup: rows(FirstResolution),
		definition: "from the first opening of the conversation to its first closing, by that " +
			"closing. No reopening changes it."},
	{name: LastResolution, basis: ByClosing, from: createdAt, to: closedAt,
		rollup: rows(LastResolution),
		definition: "from the first opening of the conversation to this closing, by the closing; " +
			"each closing counts."},

	{name: FirstResponse, basis: ByResponse, from: firstWaitingSince, to: firstResponseSentAt,
		bands: true, rollup: rows(FirstResponse),
		definition: "from the contact's first message of the cycle to the first reply of a user, " +
			"by that reply; of both, when they were sent. In what a user begins nobody waits " +
			"before the contact writes. Automation is no reply, unless the policy counts it; " +
			"others count bots, or from the opening."},
	{name: Response, basis: ByResponse, when: []condition{above(responses, 0)},
		count: responses, sum: responseMicros, rollup: rows(Response),
		definition: "each reply: from the first unanswered incoming message to the reply. The " +
			"replies of a cycle are counted together, where its first response is."},

	{name: Assignment, basis: ByAssignment, from: openedAt, to: firstAssignedAt,
		rollup: rows(Assignment),
		definition: "from the opening of the cycle to the first assignment to a user, by that " +
			"assignment. Who kept the conversation through a reopening has the cycle from its " +
			"opening on, after no time."},

	{name: Incoming, basis: ByMessage, when: []condition{received, aloud},
		definition: "messages of contacts, by their time, without quiet ones."},
	{name: OutgoingUser, basis: ByMessage, when: sentByUser,
		minus: []condition{echoed, is(authorType, convo.ActorUser), aloud},
		definition: "messages sent by users, by their time, without quiet ones. Notes are not " +
			"messages."},
	{name: OutgoingAutomation, basis: ByMessage, when: sentByBot,
		minus:      []condition{echoed, is(authorType, convo.ActorAutomation), aloud},
		definition: "messages sent by automation, by their time, without quiet ones."},
	{name: Quiet, basis: ByMessage, when: []condition{not(echoed), quietly},
		minus: []condition{echoed, quietly},
		definition: "quiet messages of contacts, users and automation, by their time; also those " +
			"of contacts who have no conversation. No other measure counts them."},

	{name: WorkingResolution, workingOf: Resolution},
	{name: WorkingFirstResolution, workingOf: FirstResolution},
	{name: WorkingLastResolution, workingOf: LastResolution},
	{name: WorkingFirstResponse, workingOf: FirstResponse},
	{name: WorkingAssignment, workingOf: Assignment},
}

// dimension is a dimension as data.
type dimension struct {
	name     Dimension
	cycles   *text // nil: cycles do not have it
	messages *text // nil: messages do not have it
	// rollups are the bases by which rollups have it. What may change after the closing must not be
	// in them, as a category that is amended; nor what all closed cycles have in common.
	rollups []TimeBasis
}

// anyBasis is for what is known of a cycle from its opening on.
var anyBasis = []TimeBasis{ByOpening, ByClosing, ByResponse, ByAssignment}

func contactType(when ...condition) *text {
	return &text{
		when: when,
		then: operand{constant: ContactNew}, otherwise: operand{constant: ContactReturning},
	}
}

var dimensionTable = []dimension{
	{name: Channel, cycles: valueOf(channel), messages: valueOf(messageChannel), rollups: anyBasis},
	{name: Lane, cycles: valueOf(lane), rollups: anyBasis},
	{name: OpenedSource, cycles: valueOf(openedSource), rollups: anyBasis},
	{name: ClosedSource, cycles: valueOf(closedSource), rollups: []TimeBasis{ByClosing}},
	{name: Category, cycles: valueOf(category)},
	{name: Team, cycles: valueOf(lastTeam), rollups: anyBasis},
	{name: FirstResponder, cycles: userOf(firstResponderType, firstResponderID),
		rollups: []TimeBasis{ByResponse}},
	{name: Closer, cycles: userOf(closedByType, closedByID), rollups: []TimeBasis{ByClosing}},
	{name: FirstAssignee, cycles: valueOf(firstAssignee), rollups: []TimeBasis{ByAssignment}},
	{name: LastAssignee, cycles: valueOf(lastAssignee), rollups: []TimeBasis{ByClosing}},
	{name: ContactType, cycles: contactType(newContact...),
		messages: contactType(set(firstConversation)), rollups: anyBasis},
	{name: Status, cycles: valueOf(status)},
	{name: Author, messages: &text{when: byUser, then: operand{column: authorID}}},
}

// The tables by name.
var (
	measures   = measuresByName()
	dimensions = dimensionsByName()
)

// measuresByName completes the measures in working time by what they are declared by.
func measuresByName() map[Measure]*measure {
	all := make(map[Measure]*measure, len(measureTable))
	for i := range measureTable {
		m := measureTable[i]
		if base := all[m.workingOf]; base != nil {
			name := m.name
			m = *base
			m.name, m.workingOf, m.rollup = name, base.name, nil
			m.definition = string(base.name) + " in working time."
		}
		all[m.name] = &m
	}
	return all
}

func dimensionsByName() map[Dimension]*dimension {
	all := make(map[Dimension]*dimension, len(dimensionTable))
	for i := range dimensionTable {
		all[dimensionTable[i].name] = &dimensionTable[i]
	}
	return all
}

// workingTime is the measure that is m in working time; empty if there is none.
func workingTime(m Measure) Measure {
	for i := range measureTable {
		if measureTable[i].workingOf == m {
			return measureTable[i].name
		}
	}
	return ""
}
