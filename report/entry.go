package report

import (
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Entry is an event with what is known of its conversation: all that measures and dimensions are
// declared in. Of what happened to a contact itself, only the event is set.
type Entry struct {
	convo.EventRow
	// Origin is the contact that the conversation was opened for, FirstOpenedAt its first opening.
	Origin        string
	FirstOpenedAt time.Time
	// FirstConversation says that it is the contact's first one.
	FirstConversation bool
	// Of a closing or a rating: its cycle, as it is now.
	FirstResponder convo.Actor
	FirstAssignee  string
	LastAssignee   string
	LastTeam       string
	Amended        string // the category
	LastScore      int    // of its rating
	// Mark is the one of its marks that is looked at: see [Subject.Each].
	Mark convo.Mark
}

// Of makes y the entry of an event of a conversation; cycle is that of a closing or a rating, else
// nil.
func (y *Entry) Of(e *convo.Event, c *convo.Conversation, cycle *convo.Cycle) {
	*y = Entry{EventRow: e.Row()}
	if e.Conversation == uuid.Nil {
		return
	}
	y.Origin, y.FirstOpenedAt, y.FirstConversation = c.Origin, c.CreatedAt, c.NewContact
	if cycle != nil {
		y.FirstResponder, y.FirstAssignee = cycle.FirstResponder, cycle.FirstAssignee
		y.LastAssignee, y.LastTeam = cycle.LastAssignee, cycle.LastTeam
		y.Amended, y.LastScore = cycle.Closing.Category, cycle.Rating.Score
	}
}
