package report

import "github.com/chatlifecycle/convo"

// Subject is what a measure counts. Each is an event, by its own time, or a stretch of time that an
// event ends.
type Subject int

// The subjects.
const (
	OfOpenings    Subject = iota // openings and reopenings
	OfClosings                   // closings, each of which ends a cycle
	OfReplies                    // messages that end a contact's wait
	OfAssignments                // assignments, also to nobody
	OfHandling                   // the times that somebody had a conversation, as they end
	OfStatuses                   // the times that it was open or pending, as they end
	OfTurns                      // the times that somebody was to write, as they end
	OfMessages                   // messages
	OfEntering                   // ways into a status, lane, channel, team or assignee
	OfLeaving                    // ways out of them, while active, and closings
	OfDeadlines                  // targets that were met or missed, and other deadlines that passed
	OfRatings                    // what contacts think of cycles, by the first rating of each
)

// subject is a subject as data: which events it is of, and whom a measure of it is credited to.
type subject struct {
	kinds []convo.EventKind
	when  []condition // which of them; all must hold
	user  Dimension
	// splits says that an event may be several of them, one for each of its marks.
	splits bool
}

var subjects = [...]subject{
	OfOpenings: {
		kinds: []convo.EventKind{convo.ConversationOpened, convo.ConversationReopened},
		user:  Opener,
	},
	OfClosings: {kinds: []convo.EventKind{convo.ConversationClosed}, user: Closer},
	OfReplies: {
		kinds: []convo.EventKind{convo.MessageSent},
		when:  []condition{given(waitingSince)}, user: Author,
	},
	OfAssignments: {
		kinds: []convo.EventKind{convo.ConversationAssigned, convo.ConversationReopened},
		user:  Assignee,
	},
	OfHandling: {
		kinds: []convo.EventKind{convo.ConversationAssigned, convo.ConversationClosed},
		when:  []condition{given(assignedAt), not(isAssignment, same(assignee, assigneeBefore))},
		user:  Assignee,
	},
	OfStatuses: {
		kinds: []convo.EventKind{
			convo.ConversationPending, convo.ConversationResumed, convo.ConversationClosed,
		},
		when: []condition{not(is(kind, convo.ConversationPending.String()), wasPending)},
		user: Assignee,
	},
	OfTurns: {
		kinds: []convo.EventKind{
			convo.MessageReceived, convo.MessageSent, convo.ConversationClosed,
		},
		when: []condition{given(turnSince)}, user: Assignee,
	},
	OfMessages: {
		kinds: []convo.EventKind{
			convo.MessageReceived, convo.MessageSent, convo.MessageDuplicated,
		},
		user: Author,
	},
	OfEntering: {
		kinds: []convo.EventKind{
			convo.ConversationOpened, convo.ConversationReopened, convo.ConversationPending,
			convo.ConversationResumed, convo.ConversationAssigned, convo.ConversationMoved,
		},
		when: []condition{not(anyOf(all(isAssignment), all(isMove)), not(wasActive))},
		user: Assignee,
	},
	OfLeaving: {
		kinds: []convo.EventKind{
			convo.ConversationPending, convo.ConversationResumed, convo.ConversationClosed,
			convo.ConversationAssigned, convo.ConversationMoved,
		},
		when: []condition{wasActive}, user: Assignee,
	},
	OfDeadlines: {
		kinds: []convo.EventKind{
			convo.MessageSent, convo.ConversationClosed, convo.DeadlinePassed,
		},
		when: []condition{given(marks)}, user: Assignee, splits: true,
	},
	OfRatings: ratings,
}

// Kinds are the kinds of event that s is of. The slice must not be changed.
func (s Subject) Kinds() []convo.EventKind { return subjects[s].kinds }

// MessageKinds, RatingKinds and LifecycleKinds are the kinds of event that any measure counts:
// those of messages, which are most of a log; ratings, which are few and in no rollup; and the
// others. The slices must not be changed.
var (
	MessageKinds = []convo.EventKind{
		convo.MessageReceived, convo.MessageSent, convo.MessageDuplicated,
	}
	LifecycleKinds = []convo.EventKind{
		convo.ConversationOpened, convo.ConversationReopened, convo.ConversationPending,
		convo.ConversationResumed, convo.ConversationClosed, convo.ConversationAssigned,
		convo.ConversationMoved,
		convo.DeadlinePassed,
	}
	RatingKinds = []convo.EventKind{convo.ConversationRated}
)
