package report

import "github.com/chatlifecycle/convo"

// measure is a measure as data. This is all that there is of it: Collector evaluates it in Go,
// [Measure.SQL] writes it in SQL, and rollups have it as it says.
type measure struct {
	name    Measure
	subject Subject
	when    []condition // what counts; all must hold
	minus   []condition // what takes one off again; all must hold

	// A duration is from one time to another one, which is not before it; what lacks either does
	// not count.
	from, to number
	less     Column // how much of it is left out, in microseconds
	score    Column // instead of a duration: what contacts gave

	distinct  Column  // only different values of it are counted
	workingOf Measure // the same in working time; all else is declared there
	rollup    []Term  // see Measure.RollupTerms

	definition string
}

// user is the actor that dimensions of users are about.
const user = convo.ActorUser

var (
	isOpening    = is(kind, convo.ConversationOpened.String())
	isReopening  = is(kind, convo.ConversationReopened.String())
	isAssignment = is(kind, convo.ConversationAssigned.String())
	isMove       = is(kind, convo.ConversationMoved.String())
	isReceived   = is(kind, convo.MessageReceived.String())
	isSent       = is(kind, convo.MessageSent.String())
	isEcho       = is(kind, convo.MessageDuplicated.String())
	isMet        = is(result, convo.MarkMet)
	isMissed     = is(result, convo.MarkMissed)
	isPassed     = is(result, convo.MarkPassed)

	wasOpen     = is(statusBefore, convo.StatusOpen)
	wasPending  = is(statusBefore, convo.StatusPending)
	wasActive   = anyOf(all(wasOpen), all(wasPending))
	byUser      = is(byType, user)
	byBot       = is(byType, convo.ActorAutomation)
	aloud       = not(set(quiet))
	newOpening  = []condition{isOpening, set(newContact)}
	firstCycle  = equals(cycle, 1)
	toSomebody  = not(is(assignee, ""))
	toNobody    = is(assignee, "")
	fromSomeone = not(is(assigneeBefore, ""))
	another     = not(same(assignee, assigneeBefore))

	allOpenings     = []Term{{Measure: OpenedNew}, {Measure: Reopened}}
	lessNewContacts = Term{Measure: NewContacts, Minus: true}

	// messageAt is when it was sent, repliedAt the same, but not before who waited had written.
	messageAt = earliest(sentAt, at)
	repliedAt = latest(waitingSince, messageAt)
	// passedOn is since when a contact waited for a person.
	passedOn = latest(handedOverAt, waitingSince)
)

// anyOf holds if all of one of the lists do.
func anyOf(lists ...[]condition) condition {
	none := make([]condition, len(lists))
	for i, all := range lists {
		none[i] = not(all...)
	}
	return not(none...)
}

func all(conditions ...condition) []condition { return conditions }

func rows(m Measure) []Term { return []Term{{Measure: m}} }

var measureTable = []measure{
	{name: Opened, subject: OfOpenings, rollup: allOpenings,
		definition: "cycles by their opening: new conversations and reopenings. Others count " +
			"conversations by creation only."},
	{name: OpenedNew, subject: OfOpenings, when: all(isOpening), rollup: rows(OpenedNew),
		definition: "conversations by their first opening."},
	{name: Reopened, subject: OfOpenings, when: all(isReopening), rollup: rows(Reopened),
		definition: "reopenings, by their time; by closer, by who had closed it. The rate is " +
			"reopened ÷ closed of the period."},
	{name: NewContacts, subject: OfOpenings, when: newOpening, rollup: rows(NewContacts),
		definition: "contacts by the opening of their first conversation."},
	{name: Returning, subject: OfOpenings, when: all(not(newOpening...)),
		rollup: append(allOpenings[:2:2], lessNewContacts),
		definition: "openings and reopenings of contacts who had been there before. A contact " +
			"counts each time."},

	{name: Closed, subject: OfClosings, rollup: rows(Resolution),
		definition: "cycles by their closing; one that was reopened and closed again counts " +
			"twice. " +
			"Others count the last closing only, so that a reopening changes the past."},
	{name: ClosedConversations, subject: OfClosings, distinct: conversationID,
		definition: "distinct conversations with a closing in the period."},
	{name: ClosedContacts, subject: OfClosings, distinct: origin,
		definition: "distinct contacts, for which the conversation was opened, with a closing in " +
			"the period."},
	{name: OneTouch, subject: OfClosings, when: all(equals(replies, 1)), rollup: rows(OneTouch),
		definition: "closings of cycles with exactly one reply."},
	{name: Automated, subject: OfClosings, when: all(equals(replies, 0)), rollup: rows(Automated),
		definition: "closings of cycles without a reply: nobody but automation answered."},
	{name: Resolution, subject: OfClosings, from: openedAt, to: at, rollup: rows(Resolution),
		definition: "from the opening of the cycle to its closing, by the closing. Others " +
			"measure from the creation of the conversation, cumulative after a reopening: see " +
			"last_resolution."},
	{name: ActiveResolution, subject: OfClosings, from: openedAt, to: at, less: pendingMicros,
		rollup:     rows(ActiveResolution),
		definition: "resolution without the time spent pending."},
	{name: FirstResolution, subject: OfClosings, when: all(firstCycle),
		from: openedAt, to: at, rollup: rows(FirstResolution),
		definition: "from the first opening of the conversation to its first closing, by that " +
			"closing. No reopening changes it."},
	{name: LastResolution, subject: OfClosings, from: firstOpenedAt, to: at,
		rollup: rows(LastResolution),
		definition: "from the first opening of the conversation to this closing, by the closing; " +
			"each closing counts."},

	{name: FirstResponse, subject: OfReplies, when: all(equals(replies, 0)),
		from: waitingSince, to: repliedAt, rollup: rows(FirstResponse),
		definition: "from the contact's first message of the cycle to the first reply of a user, " +
			"by that reply; of both, when they were sent. In what a user begins nobody waits " +
			"before the contact writes. Automation is no reply, unless the policy counts it; " +
			"others count bots, or from the opening."},
	{name: Response, subject: OfReplies, from: waitingSince, to: repliedAt,
		rollup: rows(Response),
		definition: "each reply: from the first unanswered incoming message to the reply, by the " +
			"reply and by who made it. Others book all replies of a conversation at its first " +
			"one, so that the past changes."},
	{name: HandoverFirstResponse, subject: OfReplies, when: all(equals(replies, 0)),
		from: passedOn, to: latest(handedOverAt, repliedAt),
		rollup: rows(HandoverFirstResponse),
		definition: "first_response, but from the hand-over, where that is later: automation's " +
			"first resuming of the cycle or assigning of it to a user or a team."},
	{name: HandoverResponse, subject: OfReplies,
		from: passedOn, to: latest(handedOverAt, repliedAt),
		rollup:     rows(HandoverResponse),
		definition: "response, but from the hand-over, where that is later."},

	{name: Assigned, subject: OfAssignments, when: all(isAssignment, toSomebody, another),
		rollup: rows(Assigned),
		definition: "assignments to a user who did not have it, by their time and by whom they " +
			"are to. Team changes alone are none."},
	{name: Unassigned, subject: OfAssignments, when: all(isAssignment, toNobody, fromSomeone),
		rollup:     rows(Unassigned),
		definition: "times that a user who had it was taken off, and nobody put on."},
	{name: Transfers, subject: OfAssignments,
		when: all(isAssignment, toSomebody, fromSomeone, another), rollup: rows(Transfers),
		definition: "assignments from one user to another one."},
	{name: Assignment, subject: OfAssignments,
		when: all(anyOf(
			all(isReopening, fromSomeone),
			all(isAssignment, toSomebody, not(set(wasAssigned)), given(openedAt)),
		)),
		from: choice{all(isReopening), at, openedAt}, to: at, rollup: rows(Assignment),
		definition: "from the opening of the cycle to the first assignment to a user, by that " +
			"assignment. Who kept the conversation through a reopening has the cycle from its " +
			"opening on, after no time."},

	{name: Handling, subject: OfHandling, from: assignedAt, to: at, rollup: rows(Handling),
		definition: "each time that a user had an active conversation, from the assignment, or " +
			"the reopening, to the next assignment or the closing, by its end. Others have it " +
			"of the last assignee only."},

	{name: Entered, subject: OfEntering, rollup: rows(Entered),
		definition: "times that a conversation became active, or, being so, may have come to " +
			"another status, assignee, team, lane or channel; for the backlog."},
	{name: Left, subject: OfLeaving, rollup: rows(Left),
		definition: "times that an active conversation was closed, or may have gone from a " +
			"status, assignee, team, lane or channel; for the backlog."},

	{name: OpenTime, subject: OfStatuses, when: all(wasOpen), from: statusSince, to: at,
		rollup:     rows(OpenTime),
		definition: "each time that a conversation was open, by its end."},
	{name: PendingTime, subject: OfStatuses, when: all(wasPending), from: statusSince, to: at,
		rollup:     rows(PendingTime),
		definition: "each time that a conversation was pending, by its end."},

	{name: ContactWaitingTime, subject: OfTurns, when: all(is(turn, convo.TurnContactWaiting)),
		from: turnSince, to: at, rollup: rows(ContactWaitingTime),
		definition: "each time that a contact had no reply, by its end, also by a closing; by " +
			"when messages were recorded, so that the three turns add up to resolution."},
	{name: AwaitingContactTime, subject: OfTurns, when: all(is(turn, convo.TurnAwaitingContact)),
		from: turnSince, to: at, rollup: rows(AwaitingContactTime),
		definition: "each time that the contact had not answered, by its end."},
	{name: IdleTime, subject: OfTurns, when: all(is(turn, convo.TurnNobody)),
		from: turnSince, to: at, rollup: rows(IdleTime),
		definition: "each time after an opening before anybody wrote, by its end. Where a " +
			"message opens the conversation there is none."},

	{name: Incoming, subject: OfMessages, when: all(isReceived, aloud), rollup: rows(Incoming),
		definition: "messages of contacts, by their time, without quiet ones."},
	{name: OutgoingUser, subject: OfMessages, when: all(isSent, byUser, aloud),
		minus: all(isEcho, byUser, aloud), rollup: rows(OutgoingUser),
		definition: "messages sent by users, by their time, without quiet ones. Notes are not " +
			"messages."},
	{name: OutgoingAutomation, subject: OfMessages, when: all(isSent, byBot, aloud),
		minus: all(isEcho, byBot, aloud), rollup: rows(OutgoingAutomation),
		definition: "messages sent by automation, by their time, without quiet ones."},
	{name: Quiet, subject: OfMessages, when: all(not(isEcho), set(quiet)),
		minus: all(isEcho, set(quiet)), rollup: rows(Quiet),
		definition: "quiet messages of contacts, users and automation, by their time; also those " +
			"of contacts who have no conversation. No other measure counts them."},

	{name: DeadlinesMet, subject: OfDeadlines, when: all(isMet), rollup: rows(DeadlinesMet),
		definition: "targets that were met, by the reply or the closing that met them: each once " +
			"a cycle, that of a next response once a wait. Of a response that was not due " +
			"before the closing it is neither met nor missed."},
	{name: DeadlinesMissed, subject: OfDeadlines, when: all(isMissed),
		rollup: rows(DeadlinesMissed),
		definition: "targets that were missed, each once: by when it was due, or, where Tick had " +
			"not seen that before, by the reply or the closing that came too late. The share " +
			"that was met is met ÷ (met + missed)."},
	{name: DeadlinesPassed, subject: OfDeadlines, when: all(isPassed),
		rollup: rows(DeadlinesPassed),
		definition: "deadlines without a target that passed, by when they were due: reminders, " +
			"and what Tick did then, as a closing or taking off an assignee. " +
			"Policy.AutoClose and the end of PendingUntil are none."},
	ratingMeasure,

	{name: WorkingResolution, workingOf: Resolution},
	{name: WorkingFirstResolution, workingOf: FirstResolution},
	{name: WorkingLastResolution, workingOf: LastResolution},
	{name: WorkingFirstResponse, workingOf: FirstResponse},
	{name: WorkingResponse, workingOf: Response},
	{name: WorkingHandoverFirstResponse, workingOf: HandoverFirstResponse},
	{name: WorkingHandoverResponse, workingOf: HandoverResponse},
	{name: WorkingAssignment, workingOf: Assignment},
	{name: WorkingHandling, workingOf: Handling},
}

// dimension is a dimension as data.
type dimension struct {
	name Dimension
	of   map[Subject]*text // what does not have it is not there
	// live says that it is not in rollups: it may change later, as a category that is amended, or
	// is seldom asked for.
	live bool
}

// of is a text that some subjects have.
func of(t *text, subjects ...Subject) map[Subject]*text {
	return asWell(nil, t, subjects...)
}

func asWell(all map[Subject]*text, t *text, subjects ...Subject) map[Subject]*text {
	more := make(map[Subject]*text, len(all)+len(subjects))
	for s, t := range all {
		more[s] = t
	}
	for _, s := range subjects {
		more[s] = t
	}
	return more
}

// ended are the subjects whose events say what the conversation was before them.
var ended = []Subject{
	OfClosings, OfReplies, OfHandling, OfStatuses, OfTurns, OfDeadlines, OfRatings,
}

func contactType(when ...condition) *text {
	return &text{
		when: when,
		then: operand{constant: ContactNew}, otherwise: operand{constant: ContactReturning},
	}
}

var priorityNames = []string{
	convo.PriorityNone.String(), convo.PriorityLow.String(), convo.PriorityMedium.String(),
	convo.PriorityHigh.String(), convo.PriorityUrgent.String(),
}

var (
	beforeOrAt   = append(ended[:len(ended):len(ended)], OfAssignments)
	beforeOrLeft = append(beforeOrAt[:len(beforeOrAt):len(beforeOrAt)], OfLeaving)
	anyCycle     = append(beforeOrAt[:len(beforeOrAt):len(beforeOrAt)], OfOpenings)
	butQueues    = append(anyCycle[:len(anyCycle):len(anyCycle)], OfMessages)
	everything   = append(butQueues[:len(butQueues):len(butQueues)], OfEntering, OfLeaving)
	byAUser      = userOf(byType, byID)

	// statusAfter is the status that an event gives to an active conversation.
	statusAfter = &text{
		when: all(is(kind, convo.ConversationPending.String())),
		then: operand{constant: string(convo.StatusPending)},
		otherwise: operand{text: &text{
			when: all(anyOf(all(isAssignment), all(isMove))), then: operand{column: statusBefore},
			otherwise: operand{constant: string(convo.StatusOpen)},
		}},
	}
)

var dimensionTable = []dimension{
	{name: Channel, of: asWell(asWell(asWell(of(valueOf(channelBefore), beforeOrLeft...),
		either(channel, channelBefore, isOpening), OfOpenings), valueOf(channel), OfMessages),
		either(channel, channelBefore, anyOf(all(isOpening), all(isMove))), OfEntering)},
	{name: Lane, of: asWell(asWell(of(valueOf(laneBefore), beforeOrLeft...),
		either(lane, laneBefore, isOpening), OfOpenings),
		either(lane, laneBefore, anyOf(all(isOpening), all(isMove))), OfEntering)},
	{name: OpenedSource, of: asWell(asWell(of(valueOf(openedSource), beforeOrAt...),
		valueOf(source), OfOpenings), either(source, openedSource, isReopening), OfAssignments)},
	{name: ClosedSource, of: of(valueOf(source), OfClosings)},
	{name: Category, of: asWell(of(valueOf(amended), OfClosings), ratedCategory, OfRatings),
		live: true},
	{name: Team, of: asWell(asWell(of(valueOf(teamBefore), anyCycle...),
		valueOf(teamBefore), OfLeaving),
		either(team, teamBefore, isAssignment), OfAssignments, OfEntering)},
	{name: Assignee, of: asWell(asWell(of(valueOf(assigneeBefore), anyCycle...),
		valueOf(assigneeBefore), OfLeaving),
		either(assignee, assigneeBefore, isAssignment), OfAssignments, OfEntering)},
	{name: AssignedFrom, of: of(valueOf(assigneeBefore), OfAssignments)},
	{name: AssignedBy, of: of(byAUser, OfAssignments)},
	{name: Opener, of: of(byAUser, OfOpenings)},
	{name: Closer, of: asWell(of(byAUser, OfClosings), userOf(closedByType, closedByID),
		OfOpenings, OfRatings)},
	{name: Author, of: of(byAUser, OfReplies, OfMessages)},
	{name: ActorType, of: of(valueOf(byType), OfOpenings, OfClosings, OfReplies, OfAssignments,
		OfMessages)},
	{name: FirstResponder, of: of(userOf(firstResponderType, firstResponderID), OfClosings),
		live: true},
	{name: FirstAssignee, of: of(valueOf(firstAssignee), OfClosings), live: true},
	{name: LastAssignee, of: of(valueOf(lastAssignee), OfClosings), live: true},
	{name: LastTeam, of: of(valueOf(lastTeam), OfClosings), live: true},
	{name: ContactType, of: asWell(asWell(asWell(
		of(contactType(firstCycle, set(firstConversation)), ended...),
		contactType(firstCycle, set(firstConversation), not(isReopening)), OfAssignments),
		contactType(newOpening...), OfOpenings),
		contactType(set(firstConversation)), OfMessages)},
	{name: Status, of: asWell(of(valueOf(statusBefore), beforeOrLeft...), statusAfter, OfEntering)},
	{name: Priority, of: of(&text{names: priorityNames, number: priorityBefore}, anyCycle...)},
	{name: Contact, of: of(valueOf(contact), butQueues...), live: true},
	{name: Conversation, of: of(valueOf(conversationID), everything...), live: true},
	{name: Label, of: of(&text{then: operand{column: labelsBefore}, tokens: true}, anyCycle...)},
	{name: Deadline, of: of(valueOf(deadline), OfDeadlines)},
	{name: Target, of: of(valueOf(target), OfDeadlines)},
	{name: Score, of: of(&text{names: scoreNames, number: lastScore}, OfRatings), live: true},
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
