package convo

import (
	"cmp"
	"fmt"
	"slices"
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
	Assigned   bool   `json:"assigned,omitempty"`   // to anybody
	Unassigned bool   `json:"unassigned,omitempty"` // to nobody
	Team       string `json:"team,omitempty"`
	NoTeam     bool   `json:"no_team,omitempty"`
	Channel    string `json:"channel,omitempty"`
	Lane       string `json:"lane,omitempty"`
	NoLane     bool   `json:"no_lane,omitempty"`  // in the lane that has no name
	Category   string `json:"category,omitempty"` // of the standing closing
	// Labels are those that a conversation must all have, up to MaxFilterLabels.
	Labels []string `json:"labels,omitempty"`
	// Priority picks those with one of these priorities.
	Priority []Priority `json:"priority,omitempty"`
	// Waiting picks the active ones whose contact waits for a reply: see Cycle.WaitingSince.
	Waiting bool `json:"waiting,omitempty"`
	// Of each pair, the first is inclusive and the second exclusive; zero means without end.
	From       time.Time `json:"from,omitzero"` // of CreatedAt
	To         time.Time `json:"to,omitzero"`
	ClosedFrom time.Time `json:"closed_from,omitzero"` // of the standing closing
	ClosedTo   time.Time `json:"closed_to,omitzero"`
	ActiveFrom time.Time `json:"active_from,omitzero"` // of LastActivityAt
	ActiveTo   time.Time `json:"active_to,omitzero"`
	// Order is by what they are listed: descending, unless Ascending says otherwise.
	Order     Order `json:"order,omitempty"`
	Ascending bool  `json:"ascending,omitempty"`
	// After is the place ([Filter.Cursor]) of the last conversation of the page before.
	After Cursor `json:"after,omitzero"`
	Limit int    `json:"limit,omitempty"`
}

// MaxFilterLabels is how many labels a Filter may name.
const MaxFilterLabels = 8

// Order is by what conversations are listed; those that are equal in it, by ID. All orders but
// OrderCreated are of active conversations only: with them, Status must not name closed, and
// Category, ClosedFrom and ClosedTo must be empty. What has nothing of what the order is by is not
// listed: without a wait, without a Deadline, with PriorityNone.
type Order string

// The orders.
const (
	OrderCreated  Order = ""         // CreatedAt
	OrderActivity Order = "activity" // LastActivityAt
	OrderWaiting  Order = "waiting"  // Cycle.WaitingSince: ascending, who has waited longest
	OrderPriority Order = "priority" // Priority, then CreatedAt
	// OrderDeadline is by Deadline: ascending, what runs out next. What has run out is not in it,
	// once a Tick has seen it, nor what stands still; OrderWaiting lists who waits for longest. The
	// Marks of a conversation say which target was missed, until that is answered or closed. To
	// list what has missed one, label it when an observer hears of it, and filter by Labels.
	OrderDeadline Order = "deadline"
)

// Cursor is a place in a listing of conversations. Pages do not shift when conversations change
// meanwhile. One that changes in what the list is ordered by may move over the cursor, though: by
// activity, descending, what is written to is on no later page; ascending, it comes again.
type Cursor struct {
	At       time.Time `json:"at"`
	ID       uuid.UUID `json:"id"`
	Priority Priority  `json:"priority,omitzero"`
}

// Cursor is the place of c, as it was listed, in the listing that f asks for: give it as After to
// go on behind c. For the page before c, turn Ascending round as well; it comes in the opposite
// order then, nearest to c first.
func (f Filter) Cursor(c Conversation) Cursor {
	at := Cursor{At: f.Order.of(&c), ID: c.ID}
	if f.Order == OrderPriority {
		at.Priority = c.Priority
	}
	return at
}

// of is the time by which c is listed.
func (o Order) of(c *Conversation) time.Time {
	switch o {
	case OrderActivity:
		return c.LastActivityAt
	case OrderWaiting:
		return c.Cycle.WaitingSince
	case OrderDeadline:
		return c.Deadline
	}
	return c.CreatedAt
}

// ContactFilter picks root contacts: those that were not merged. They are listed by ID, in the
// order of its bytes, or as they were last seen. Who writes while the latter is read goes to its
// front, and is on no later page.
type ContactFilter struct {
	Workspace string `json:"workspace"`         // required
	Blocked   bool   `json:"blocked,omitempty"` // only those that are
	// IDs picks those with one of these ids, up to MaxPageSize, that were not merged. Empty: all.
	IDs []string `json:"ids,omitempty"`
	// BySeen lists those that have been seen by SeenAt, then ID, the last first. False: all, by ID.
	BySeen bool `json:"by_seen,omitempty"`
	// After is the Cursor of the last contact of the page before. By ID only its ID counts.
	After ContactCursor `json:"after,omitzero"`
	Limit int           `json:"limit,omitempty"`
}

// ContactCursor is a place in a list of contacts: see [Contact.Cursor].
type ContactCursor struct {
	SeenAt time.Time `json:"seen_at,omitzero"`
	ID     string    `json:"id"`
}

// Validate reports what is wrong with f as a *ValidationError.
func (f ContactFilter) Validate() error {
	if err := checkID("workspace", f.Workspace); err != nil {
		return err
	}
	if err := checkToken("after", f.After.ID); err != nil {
		return err
	}
	if err := checkTime("after", f.After.SeenAt); err != nil {
		return err
	}
	if f.BySeen && f.After.ID != "" && f.After.SeenAt.IsZero() {
		return invalid("after", "must be the Cursor of a contact that has been seen")
	}
	if len(f.IDs) > MaxPageSize {
		return invalid("ids", fmt.Sprintf("must be at most %d", MaxPageSize))
	}
	for _, id := range f.IDs {
		if err := checkID("ids", id); err != nil {
			return err
		}
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
	for _, t := range [...]*time.Time{
		&f.From, &f.To, &f.ClosedFrom, &f.ClosedTo, &f.ActiveFrom, &f.ActiveTo, &f.After.At,
	} {
		*t = micros(*t)
	}
	if f.Order != OrderPriority {
		f.After.Priority = PriorityNone
	}
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
	for _, pair := range [...]struct {
		field, other string
		both         bool
	}{
		{"unassigned", "assignee", f.Unassigned && f.Assignee != ""},
		{"assigned", "assignee or unassigned", f.Assigned && (f.Assignee != "" || f.Unassigned)},
		{"no_team", "team", f.NoTeam && f.Team != ""},
		{"no_lane", "lane", f.NoLane && f.Lane != ""},
	} {
		if pair.both {
			return invalid(pair.field, "goes without "+pair.other)
		}
	}
	for _, t := range [...]struct {
		field string
		at    time.Time
	}{
		{"from", f.From}, {"to", f.To}, {"closed_from", f.ClosedFrom}, {"closed_to", f.ClosedTo},
		{"active_from", f.ActiveFrom}, {"active_to", f.ActiveTo}, {"after.at", f.After.At},
	} {
		if err := checkTime(t.field, t.at); err != nil {
			return err
		}
	}
	if err := f.validateOrder(); err != nil {
		return err
	}
	return checkLimit(f.Limit)
}

func (f Filter) validateOrder() error {
	if len(f.Labels) > MaxFilterLabels {
		return invalid("labels", fmt.Sprintf("must be at most %d", MaxFilterLabels))
	}
	for _, label := range f.Labels {
		if err := checkID("labels", label); err != nil {
			return err
		}
	}
	if len(f.Priority) > len(priorities) {
		return invalid("priority", fmt.Sprintf("must be at most %d", len(priorities)))
	}
	for _, p := range f.Priority {
		if err := p.check(); err != nil {
			return err
		}
	}
	if err := f.After.Priority.check(); err != nil {
		return err
	}
	switch f.Order {
	case OrderCreated:
		return nil
	case OrderActivity, OrderWaiting, OrderPriority, OrderDeadline:
	default:
		return invalid("order", fmt.Sprintf(
			"%q is not one of activity, waiting, priority, deadline, or empty", f.Order))
	}
	if slices.Contains(f.Status, StatusClosed) || f.Category != "" || !f.ClosedFrom.IsZero() ||
		!f.ClosedTo.IsZero() {
		return invalid("order", "of closed conversations must be empty: by their opening")
	}
	return nil
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
