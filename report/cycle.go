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

// contactType is what [ContactType] says of its closing.
func (y *Cycle) contactType() string {
	if y.NewContact && y.Number == 1 {
		return ContactNew
	}
	return ContactReturning
}

// TimeBasis is the time by which a cycle is in a period.
type TimeBasis int

// The time bases.
const (
	ByOpening TimeBasis = iota
	ByClosing
)

// At is the time of a cycle; zero: not yet.
func (b TimeBasis) At(y *Cycle) time.Time {
	if b == ByClosing {
		return y.Closing.At
	}
	return y.OpenedAt
}

// CyclesQuery picks the cycles of a workspace that were opened or closed in a period.
type CyclesQuery struct {
	Workspace string
	// From (inclusive) and To (exclusive) are the period, cut off to microseconds.
	From, To time.Time
	// By says what is in the period: the opening, or the closing. Default: ByOpening. By closing,
	// none is picked that runs.
	By TimeBasis
}

// Validate reports with a *convo.ValidationError what no store can answer: a period without
// anything in it, and another basis than ByOpening and ByClosing. Workspace is taken as it is.
func (q *CyclesQuery) Validate() error {
	switch {
	case q.By != ByOpening && q.By != ByClosing:
		return invalid("by", "must be the opening or the closing")
	case q.From.UnixMicro() >= q.To.UnixMicro():
		return invalid("to", "must be after from")
	}
	return nil
}

// Has reports whether a cycle of the workspace is in the period.
func (q *CyclesQuery) Has(y *Cycle) bool {
	at := q.By.At(y)
	return !at.IsZero() && q.From.UnixMicro() <= at.UnixMicro() &&
		at.UnixMicro() < q.To.UnixMicro()
}

// Compare orders cycles as Store.Cycles yields them: by the time of By, conversation and number.
func (q *CyclesQuery) Compare(y, z *Cycle) int {
	return cmp.Or(
		q.By.At(y).Compare(q.By.At(z)),
		bytes.Compare(y.Conversation[:], z.Conversation[:]),
		cmp.Compare(y.Number, z.Number),
	)
}
