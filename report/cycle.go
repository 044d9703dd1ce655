package report

import (
	"bytes"
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Cycle is a cycle with what is known of its conversation: a row of an export. Times are UTC, in
// whole microseconds.
type Cycle struct {
	Workspace    string       `json:"workspace"`
	Conversation uuid.UUID    `json:"conversation"`
	Contact      string       `json:"contact"`           // the conversation was opened for it
	Channel      string       `json:"channel,omitempty"` // when the cycle ended
	Lane         string       `json:"lane,omitempty"`    // the same
	CreatedAt    time.Time    `json:"created_at"`        // first opening of the conversation
	NewContact   bool         `json:"new_contact"`       // it is the contact's first one
	Status       convo.Status `json:"status"`            // of the cycle
	convo.Cycle
}

// Compare orders cycles as Store.Cycles yields them: by opening, conversation and number.
func (y *Cycle) Compare(z *Cycle) int {
	return cmp.Or(
		y.OpenedAt.Compare(z.OpenedAt),
		bytes.Compare(y.Conversation[:], z.Conversation[:]),
		cmp.Compare(y.Number, z.Number),
	)
}
