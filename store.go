package convo

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Store remembers; it knows no rules of the lifecycle. What a store MUST do stands here, and [storetest] proves it:
// package github.com/chatlifecycle/convo/storetest.
//
// A store is safe for concurrent use. Identifiers are compared byte for byte. Times are UTC in whole microseconds.
// Nothing is visible across workspaces. What a store returns is the caller's: it shares no memory with the store.
// Every method honours its context: when that is done before the method begins, it returns the context's error and
// changes nothing.
type Store interface {
	// Load returns what a decision about to looks at. The contact is the root that to leads to, merges followed.
	// For a contact or address that is not known it returns a thread whose Contact has only the workspace and the id
	// of to (none for an address) and Version 0, not an error; for an unknown conversation, ErrNotFound. It may answer
	// ErrConflict, which is tried again.
	Load(ctx context.Context, to Ref) (Snapshot, error)

	// Commit writes the changes, all or nothing, and then, and only then, returns nil. They are about different contacts of
	// one workspace. It MUST refuse
	//   - with ErrDuplicate, a key that it has;
	//   - with ErrConflict, a contact, conversation or address that is not as the change has Loaded it: another
	//     version, or there when it was not, or gone;
	//   - with ErrActiveExists, a second active conversation of one contact.
	// Where several hold, any of them. It MUST NOT keep anything of changes after it returns.
	Commit(ctx context.Context, changes ...Change) error

	// Conversation returns one conversation, or ErrNotFound.
	Conversation(ctx context.Context, workspace string, id uuid.UUID) (Conversation, error)
	// Conversations returns a page of conversations, the last opened first: by CreatedAt, then ID, both descending.
	Conversations(ctx context.Context, f Filter) ([]Conversation, error)
	// Events returns a page of the log, the oldest first: by At, Conversation, Seq and ID, ascending.
	Events(ctx context.Context, f EventFilter) ([]Event, error)
	// Due returns up to limit conversations of all workspaces whose DueAt is not zero and not after before, the
	// earliest first.
	Due(ctx context.Context, before time.Time, limit int) ([]Ref, error)
	// Keys returns those of the keys that are known, in any order.
	Keys(ctx context.Context, workspace string, ids ...KeyID) ([]Key, error)
	// Addresses returns the addresses of a contact and of all that were merged into it, in any order.
	Addresses(ctx context.Context, workspace, contact string) ([]Address, error)
}

// Locker is a Store that can hold others off. The engine asks for it when a call has met a conflict: on a busy conversation,
// trying again and again would lose against the others.
type Locker interface {
	Store
	// LockFirst reports whether a call may as well begin under the lock, because writes take turns anyway.
	LockFirst() bool
	// Locked calls f with a store whose Load holds the contact and the conversation that it returns, so that nobody else
	// changes them before f returns, and whose Commit takes effect when f returns nil. When f fails, nothing does. Locked
	// returns the error of f, or why it was not committed: by the errors of Commit.
	Locked(ctx context.Context, f func(Store) error) error
}

// Change is what one call changes of one contact: the next thread and the events that lead to it.
type Change struct {
	// Loaded says what the change was decided on, for the store to compare.
	Loaded Loaded
	// Thread is the state after it. Its Contact is to be written if its Version is not the loaded one; its Conversation
	// if its ID, Version or DueAt is not. What is not written is not compared either.
	Thread Snapshot
	// Past are conversations that the call changed and then left for another one or for a new cycle, in order, each as
	// it was left.
	Past []Conversation
	// Events are to be appended, in order. The address of an AddressLinked is to become the contact's.
	Events []Event
	// Keys are to be remembered.
	Keys []Key
}

// Loaded is the part of a loaded thread that a commit depends on. Version 0: there was none.
type Loaded struct {
	ContactVersion int64
	Conversation   uuid.UUID
	Version        int64
	DueAt          time.Time
}

func loaded(t *Snapshot) Loaded {
	c := &t.Conversation
	return Loaded{t.Contact.Version, c.ID, c.Version, c.DueAt}
}

// WritesContact reports whether the contact is to be compared and written.
func (c *Change) WritesContact() bool { return c.Thread.Contact.Version != c.Loaded.ContactVersion }

// WritesConversation reports whether the thread's conversation is to be compared and written.
func (c *Change) WritesConversation() bool {
	n := &c.Thread.Conversation
	return n.ID != c.Loaded.Conversation || n.Version != c.Loaded.Version || !n.DueAt.Equal(c.Loaded.DueAt)
}

// Empty reports whether there is nothing to commit.
func (c *Change) Empty() bool {
	return len(c.Events) == 0 && len(c.Keys) == 0 && !c.WritesContact() && !c.WritesConversation()
}

// Filter picks conversations. Empty fields pick all; given ones must all hold.
type Filter struct {
	Workspace  string   `json:"workspace"` // required
	Status     []Status `json:"status,omitempty"`
	Contact    string   `json:"contact,omitempty"` // a root contact; includes those that were merged into it
	Assignee   string   `json:"assignee,omitempty"`
	Unassigned bool     `json:"unassigned,omitempty"` // without assignee
	Team       string   `json:"team,omitempty"`
	Channel    string   `json:"channel,omitempty"`
	Category   string   `json:"category,omitempty"` // of the standing closing
	// From (inclusive) and To (exclusive) are about CreatedAt; zero means without end.
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	After Cursor    `json:"after,omitzero"` // the Cursor of the last conversation of the page before
	Limit int       `json:"limit,omitempty"`
}

// Cursor is a place in a listing of conversations. Pages do not shift when conversations change meanwhile.
type Cursor struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"id"`
}

// EventFilter picks the events of one conversation, or of one contact and all its conversations.
type EventFilter struct {
	Workspace    string    `json:"workspace"`             // required
	Conversation uuid.UUID `json:"conversation,omitzero"` // this,
	Contact      string    `json:"contact,omitempty"`     // or this: a root contact; includes those merged into it
	// After is the Cursor of the last event of the page before. Of a conversation only its Seq counts.
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

// Page sizes. The engine replaces 0 by the default and refuses more than the most; a store gets 1 to MaxPageSize.
const (
	DefaultPageSize = 50
	MaxPageSize     = 1000
)

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
		{"contact", f.Contact}, {"assignee", f.Assignee}, {"team", f.Team}, {"channel", f.Channel}, {"category", f.Category},
	} {
		if err := checkToken(t.field, t.value); err != nil {
			return err
		}
	}
	if f.Unassigned && f.Assignee != "" {
		return invalid("unassigned", "goes without assignee")
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

// Validate reports what is wrong with f as a *ValidationError.
func (f EventFilter) Validate() error {
	if err := checkID("workspace", f.Workspace); err != nil {
		return err
	}
	if (f.Conversation != uuid.Nil) == (f.Contact != "") {
		return invalid("conversation", "name either a conversation or a contact")
	}
	if err := checkToken("contact", f.Contact); err != nil {
		return err
	}
	if err := checkTime("after.at", f.After.At); err != nil {
		return err
	}
	return checkLimit(f.Limit)
}

func checkLimit(n int) error {
	if n < 0 || n > MaxPageSize {
		return invalid("limit", fmt.Sprintf("must be from 0 (the default, %d) to %d", DefaultPageSize, MaxPageSize))
	}
	return nil
}
