package convo

import (
	"cmp"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Filter picks conversations. Empty fields pick all; given ones must all hold.
type Filter struct {
	Workspace string   `json:"workspace"` // required
	Status    []Status `json:"status,omitempty"`
	// Contact is a root contact; those that were merged into it are included.
	Contact    string `json:"contact,omitempty"`
	Assignee   string `json:"assignee,omitempty"`
	Unassigned bool   `json:"unassigned,omitempty"` // without assignee
	Team       string `json:"team,omitempty"`
	Channel    string `json:"channel,omitempty"`
	Lane       string `json:"lane,omitempty"`
	NoLane     bool   `json:"no_lane,omitempty"`  // in the lane that has no name
	Category   string `json:"category,omitempty"` // of the standing closing
	// From (inclusive) and To (exclusive) are about CreatedAt; zero means without end.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// After is the Cursor of the last conversation of the page before.
	After Cursor `json:"after,omitzero"`
	Limit int    `json:"limit,omitempty"`
}

// Cursor is a place in a listing of conversations. Pages do not shift when conversations change
// meanwhile.
type Cursor struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"id"`
}

// ContactFilter picks root contacts: those that were not merged. They are listed by id, in the
// order of its bytes.
type ContactFilter struct {
	Workspace string `json:"workspace"`         // required
	Blocked   bool   `json:"blocked,omitempty"` // only those that are
	// After is the id of the last contact of the page before.
	After string `json:"after,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

// Validate reports what is wrong with f as a *ValidationError.
func (f ContactFilter) Validate() error {
	if err := checkID("workspace", f.Workspace); err != nil {
		return err
	}
	if err := checkToken("after", f.After); err != nil {
		return err
	}
	return checkLimit(f.Limit)
}

// EventFilter picks the events of one conversation, of one contact and all its conversations, or of
// one contact itself.
type EventFilter struct {
	Workspace    string    `json:"workspace"`             // required
	Conversation uuid.UUID `json:"conversation,omitzero"` // this,
	// or this root contact and all merged into it
	Contact string `json:"contact,omitempty"`
	// or only the log of this contact itself, which has no conversations
	OwnLog string `json:"own_log,omitempty"`
	// After is the Cursor of the last event of the page before. Of a conversation or OwnLog only
	// its Seq counts.
	After EventCursor `json:"after,omitzero"`
	Limit int         `json:"limit,omitempty"`
}

// EventCursor is a place in a listing of events.
type EventCursor struct {
	At           time.Time `json:"at"`
	Conversation uuid.UUID `json:"conversation,omitzero"`
	Seq          int64     `json:"seq"`
	ID           uuid.UUID `json:"id,omitzero"` // tells events of merged contacts apart
}

// Page sizes. The engine replaces 0 by the default and refuses more than the most; a store gets 1
// to MaxPageSize.
const (
	DefaultPageSize = 50
	MaxPageSize     = 1000
)

// canonical is f with its times as stores have them, and with the default limit.
func (f Filter) canonical() Filter {
	f.From, f.To, f.After.At = micros(f.From), micros(f.To), micros(f.After.At)
	f.Limit = cmp.Or(f.Limit, DefaultPageSize)
	return f
}

// Validate reports what is wrong with f as a *ValidationError.
func (f Filter) Validate() error {
	if err := checkID("workspace", f.Workspace); err != nil {
		return err
	}
	for _, s := range f.Status {
		if s != StatusOpen && s != StatusPending && s != StatusClosed {
			return invalid("status", fmt.Sprintf("%q is not one of open, pending, closed", s))
		}
	}
	for _, t := range [...]struct{ field, value string }{
		{"contact", f.Contact}, {"assignee", f.Assignee}, {"team", f.Team},
		{"channel", f.Channel}, {"category", f.Category}, {"lane", f.Lane},
	} {
		if err := checkToken(t.field, t.value); err != nil {
			return err
		}
	}
	if f.Unassigned && f.Assignee != "" {
		return invalid("unassigned", "goes without assignee")
	}
	if f.NoLane && f.Lane != "" {
		return invalid("no_lane", "goes without lane")
	}
	for _, t := range [...]struct {
		field string
		at    time.Time
	}{{"from", f.From}, {"to", f.To}, {"after.at", f.After.At}} {
		if err := checkTime(t.field, t.at); err != nil {
			return err
		}
	}
	return checkLimit(f.Limit)
}

// canonical is f with its time as stores have it, and with the default limit.
func (f EventFilter) canonical() EventFilter {
	f.After.At = micros(f.After.At)
	f.Limit = cmp.Or(f.Limit, DefaultPageSize)
	return f
}

// Validate reports what is wrong with f as a *ValidationError.
func (f EventFilter) Validate() error {
	if err := checkID("workspace", f.Workspace); err != nil {
		return err
	}
	named := 0
	for _, is := range [...]bool{f.Conversation != uuid.Nil, f.Contact != "", f.OwnLog != ""} {
		if is {
			named++
		}
	}
	if named != 1 {
		return invalid("conversation", "name a conversation, a contact or an own_log")
	}
	if err := checkToken("contact", f.Contact); err != nil {
		return err
	}
	if err := checkToken("own_log", f.OwnLog); err != nil {
		return err
	}
	if err := checkTime("after.at", f.After.At); err != nil {
		return err
	}
	return checkLimit(f.Limit)
}

func checkLimit(n int) error {
	if n < 0 || n > MaxPageSize {
		return invalid(
			"limit",
			fmt.Sprintf("must be from 0 (the default, %d) to %d", DefaultPageSize, MaxPageSize),
		)
	}
	return nil
}
