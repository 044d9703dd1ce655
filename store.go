package convo

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store remembers; it knows no rules of the lifecycle. What a store MUST do stands here and at
// [Change]; package github.com/chatlifecycle/convo/storetest proves it.
//
// A store is safe for concurrent use. Identifiers are compared byte for byte. Times are UTC in
// whole microseconds. Nothing is visible across workspaces. What a store returns is the caller's:
// it shares no memory with the store. Every method honours its context: when that is done before
// the method begins, it returns the context's error and changes nothing.
type Store interface {
	// Load returns what a decision about to looks at. Its Contact MUST be the root contact that to
	// leads to when Load returns, merges followed, or Load MUST answer ErrConflict, which is tried
	// again: a merge may come between two reads. For a contact or address that is not known it
	// returns a snapshot whose Contact has only the workspace and the id of to (none for an
	// address) and Version 0, not an error; for an unknown conversation, ErrNotFound.
	Load(ctx context.Context, to Ref) (Snapshot, error)

	// Commit carries out the changes, all or nothing, and then, and only then, returns nil. They
	// write different rows, and are of one workspace, except under [DueLocker].LockDue. It MUST
	// refuse
	//   - with ErrDuplicate, a key whose KeyID finds one that it has;
	//   - with ErrConflict, a row of a contact or conversation that is not as the change expects it
	//     (another version, or there when it is to be added, or gone), an address that it has, and
	//     an event in a place that is taken;
	//   - with ErrActiveExists, a second active conversation of one contact in one lane, also one
	//     that a merge would make.
	// Where several hold, any of them. It MUST carry out what Change.MergeInto and Change.Erase
	// demand, and MUST NOT keep anything of changes after it returns.
	Commit(ctx context.Context, changes ...Change) error

	// Conversation returns one conversation, or ErrNotFound.
	Conversation(ctx context.Context, workspace string, id uuid.UUID) (Conversation, error)
	// Conversations returns a page of conversations by f.Order, then ID: both descending, or both
	// ascending.
	Conversations(ctx context.Context, f Filter) ([]Conversation, error)
	// Counts counts the active conversations of a workspace by lane, team and assignee, in any
	// order.
	Counts(ctx context.Context, workspace string) ([]Count, error)
	// LastMessages returns, of each conversation of ids that has one, the last MessageReceived or
	// MessageSent that no later MessageDuplicated of it names as an echo, and after it, in order,
	// those events that are about a message ([EventRow].Message) or are messages themselves. ids
	// are at most MaxPageSize, each once.
	LastMessages(ctx context.Context, workspace string, ids []uuid.UUID) ([]Event, error)
	// Events returns a page of the log, the oldest first: by At, Conversation, Seq and ID,
	// ascending.
	Events(ctx context.Context, f EventFilter) ([]Event, error)
	// ClosedCycles returns the closed cycles of a conversation, the first one first.
	ClosedCycles(ctx context.Context, workspace string, id uuid.UUID) ([]Cycle, error)
	// Snapshots is Load of several contacts or addresses of one workspace, in their order.
	Snapshots(ctx context.Context, to []Ref) ([]Snapshot, error)
	// Event returns the event of a root contact with an id: from its conversations, its own log and
	// those of the contacts that were merged into it. It is rarely asked, and need not be fast.
	Event(ctx context.Context, workspace, contact string, id uuid.UUID) (Event, bool, error)
	// Deliver keeps receipts, each of another message: for each channel, address and external id
	// the one with the highest rank, whatever was there. It returns how many are of external ids
	// that no key has on their channel.
	Deliver(ctx context.Context, workspace string, now time.Time, ds []Delivery) (int, error)
	// Deliveries returns the receipts for external ids on their channels, by whatever address, in
	// any order.
	Deliveries(ctx context.Context, workspace string, ids []KeyID) ([]Delivery, error)
	// ForgetDeliveries removes up to limit receipts, of all workspaces, that were recorded before a
	// time and whose external id no key has on its channel until now. It returns how many it looked
	// at.
	ForgetDeliveries(ctx context.Context, before time.Time, limit int) (int, error)
	// Due returns a page of the conversations of all workspaces whose DueAt is not zero and not
	// after q.Before: by DueAt, workspace and id, all ascending.
	Due(ctx context.Context, q DueQuery) ([]DueConversation, error)
	// ClosedBefore returns a page of the closings of all workspaces that are before q.Before: by
	// workspace, time and conversation, all ascending. Closings of one conversation at one time
	// may be there once. next is behind which the next page begins; zero: there is none. It must
	// hold nothing, and be quick wherever the page begins, and however many workspaces there are:
	// so a page may have less than q.Limit, or nothing, though there is a next one.
	ClosedBefore(ctx context.Context, q ClosedQuery) (page []Closed, next ClosedPlace, err error)
	// RemoveConversation removes, in one commit, a conversation that is closed and at a version:
	// its events, its cycles, all that lists it, the keys that lead to it of the messages that its
	// log names, and the receipts of those. It MUST refuse with ErrConflict, having done nothing,
	// one that is not there, that is active or at another version, and one that is needed: where
	// the store keeps an outbox, while that, or a queue of it, has events of it, also as a dead
	// letter; where it keeps sums for reports, while it is not in all of them. What else names it
	// stays: keys of the host, which lead nowhere then, events of others, and rows of a feed.
	RemoveConversation(
		ctx context.Context, workspace string, id uuid.UUID, version int64,
	) error
	// ForgetKeys looks at a page of up to limit keys (positive) of all workspaces, by workspace,
	// channel, id, address and contact, byte by byte, and removes those whose event, with their
	// FirstSeq in the log of their conversation or contact, is before a time or is not there. One
	// without a FirstSeq it removes if it has a conversation, and that is not there. It returns how
	// many it removed, and behind which place the next page begins; zero: there is none. It holds
	// nothing from one page to the next. One that came to lead elsewhere meanwhile MUST stay, and
	// what somebody else has in hand may.
	ForgetKeys(
		ctx context.Context, before time.Time, after KeyPlace, limit int,
	) (next KeyPlace, removed int, err error)
	// Contacts returns a page of root contacts: by ID, ascending, or with f.BySeen those whose
	// SeenAt is not zero, by SeenAt, then ID, both descending. f.IDs, which may repeat, narrows it
	// down.
	Contacts(ctx context.Context, f ContactFilter) ([]Contact, error)
	// Family returns the contacts that were merged into a root contact, in any order, each with
	// that as its MergedInto.
	Family(ctx context.Context, workspace, root string) ([]Contact, error)
	// Mentions returns, in any order, the conversations of a workspace that have an event which
	// names one of the contacts ([Event.Mentions]), or has it as its Contact while the conversation
	// belongs to another root contact by now. Others that they have may be among them. It is rarely
	// asked, and under a lock, so it should not have to look through the log.
	Mentions(ctx context.Context, workspace string, contacts ...string) ([]uuid.UUID, error)
	// Keys returns the keys that are known and that one of ids finds ([KeyID.Finds]), in any order.
	// One that was erased is returned under the Address and the ID that find it.
	Keys(ctx context.Context, workspace string, ids ...KeyID) ([]Key, error)
	// Addresses returns the addresses of a contact and of all that were merged into it, in any
	// order.
	Addresses(ctx context.Context, workspace, contact string) ([]Address, error)
}

// Locker is a Store with pessimistic locking. The engine uses it after a conflict, because
// optimistic retries starve on a busy conversation.
//
// What works under the lock is reached through the context, not through another store. So a store
// that wraps a Locker, and embeds it, sees every Load and Commit on every path.
type Locker interface {
	Store
	// LockFirst reports whether writers are serialized anyway, so that the first attempt should
	// lock too.
	LockFirst() bool
	// IsLocked reports whether a context is one that Locked has given to a function, or one made
	// of such a one. Who works under a lock waits for nobody, who may be waiting for that lock.
	IsLocked(ctx context.Context) bool
	// Locked calls f, perhaps more than once. Under the context that f is given, Load of this store
	// holds the contact and the conversation that it returns, so that nothing else changes them
	// before f returns, and what Commit writes takes effect when f returns nil. When f fails,
	// nothing does. Everything under it is about one workspace. Locked returns the error of f, or
	// why it was not committed: by the errors of Commit.
	Locked(ctx context.Context, workspace string, f func(ctx context.Context) error) error
}

// DueLocker is a Store whose due conversations several runners of Tick can share, rather than all
// load the same ones and get in each other's way. A Store that is none is ticked one conversation
// at a time.
type DueLocker interface {
	Store
	// LockDue holds those conversations of due, which may be of several workspaces and are each
	// there once, whose DueAt is not zero and not after before, and gives f their snapshots, as
	// Load of their Refs answers, in any order. It MUST NOT wait for a conversation that another
	// LockDue holds, and leaves it out; it may leave out others. What it holds, no other LockDue
	// gives to its function before f returns. f is not called when nothing is held, and perhaps
	// more than once, each time as if it were the first. Under the context that it is given, f
	// calls Commit of this store once at most, with changes of what is held; that takes effect when
	// f returns nil. When f fails, nothing does. LockDue returns the error of f, or why it was not
	// committed: by the errors of Commit.
	LockDue(ctx context.Context, before time.Time, due []Ref,
		f func(ctx context.Context, held []Snapshot) error) error
}

// DueQuery asks for conversations whose timer's hint has come up.
type DueQuery struct {
	Before time.Time
	// After is the one behind which the page begins, by its DueAt and its Ref's workspace and
	// conversation; it need not be there. Zero: the page begins with the earliest.
	After DueConversation
	// Except are scopes to leave out, at most 50.
	Except []Scope
	Limit  int // positive
}

// DueConversation is a conversation whose timer's hint has come up.
type DueConversation struct {
	Ref           Ref // to the conversation
	DueAt         time.Time
	Lane, Channel string // what its policy is looked up by
}

func (d *DueConversation) scope() Scope { return Scope{d.Ref.Workspace, d.Lane, d.Channel} }

// ClosedQuery asks for closings.
type ClosedQuery struct {
	Before time.Time
	After  ClosedPlace // behind which the page begins; zero: with the first one
	Limit  int         // positive
}

// ClosedPlace is where a closing stands among all.
type ClosedPlace struct {
	Workspace    string
	At           time.Time
	Conversation uuid.UUID
}

// Closed is a closing of a conversation.
type Closed struct {
	ClosedPlace
	// Standing says that its conversation is still closed by it.
	Standing bool
	// Unpruned says that it is Standing, and that the texts of the conversation are not gone:
	// [Event.TextsGone] of its last event.
	Unpruned bool
}

// KeyPlace is where a key stands among all.
type KeyPlace struct {
	Workspace string
	KeyID
}
