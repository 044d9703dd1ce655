package relay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// ErrNoOutbox is returned by a store that was opened without an outbox. See the options of memstore
// and sqlstore.
var ErrNoOutbox = errors.New("relay: the store keeps no outbox: open it with its option for one")

// Store is what a relay needs of a store that keeps an outbox. memstore and sqlstore implement it,
// and storetest.RunOutbox proves one. Implementations are safe for concurrent use. All methods fail
// with [ErrNoOutbox] where there is none, and with convo.ErrConflict, having done nothing, where
// another one is in the way and one may try again.
//
// A Commit of such a store MUST note its events in the outbox, all or nothing with the rest of the
// commit, unless [convo.Change.Unpublished] says otherwise.
type Store interface {
	// Noted returns up to limit streams of all workspaces with a note in the outbox, each once,
	// behind after in the order of [Stream.Compare].
	Noted(ctx context.Context, after Stream, limit int) ([]Stream, error)
	// Queue moves the notes of streams to the queues of the targets of their workspaces, in one
	// commit, and returns of how many streams. Where a workspace has no target, the notes are
	// removed. A [FeedStore] adds them to its feed, too. What is queued behind something else of
	// its stream and target waits until that is settled; the rest is due now. It MUST leave out a
	// stream whose notes another Queue has in hand, and MUST take all notes of a stream that it can
	// see, beginning with the first.
	Queue(ctx context.Context, now time.Time, streams []Stream,
		targets map[string][]string) (int, error)
	// Claim leases up to c.Limit queues that are due at c.Now, the earliest first, and returns each
	// with its first events, read now, up to c.MaxEvents of them. They are due again at c.Until,
	// when the lease expires. It MUST NOT give what another Claim has in hand, nor wait for it.
	Claim(ctx context.Context, c Claim) ([]Claimed, error)
	// Settle writes what became of claims, each all or nothing, and returns how many were still of
	// their lease. The others are left as they are.
	Settle(ctx context.Context, now time.Time, done []Settled) (int, error)
	// DeadLetters returns a page of the dead letters of a workspace by target, stream and seq, as
	// [DeadLetterFilter.Canonical] asks for it, and fails as that does.
	DeadLetters(ctx context.Context, f DeadLetterFilter) ([]DeadLetter, error)
	// Revive has dead letters be due at now again, with all their tries before them, and returns
	// how many of them were there.
	Revive(ctx context.Context, now time.Time, letters []DeadLetterID) (int, error)
	// Bury removes dead letters for good, and returns how many of them were there.
	Bury(ctx context.Context, letters []DeadLetterID) (int, error)
	// Backlog says how much is on its way.
	Backlog(ctx context.Context) (Backlog, error)
}

// Stream is a log whose events go out in their order: a conversation's, or a contact's own.
type Stream struct {
	Workspace    string
	Conversation uuid.UUID
	Contact      string // without a Conversation: the contact in whose own log they are
}

// StreamOf is the stream that an event is in.
func StreamOf(e *convo.Event) Stream {
	if e.Conversation != uuid.Nil {
		return Stream{Workspace: e.Workspace, Conversation: e.Conversation}
	}
	return Stream{Workspace: e.Workspace, Contact: e.Contact}
}

// Compare orders streams by workspace, then conversation, then contact, byte by byte.
func (s Stream) Compare(other Stream) int {
	return cmp.Or(strings.Compare(s.Workspace, other.Workspace),
		bytes.Compare(s.Conversation[:], other.Conversation[:]),
		strings.Compare(s.Contact, other.Contact))
}

// Claim asks for work.
type Claim struct {
	Lease      uuid.UUID // new for every Claim
	Now, Until time.Time
	Limit      int // queues; 1 to convo.MaxPageSize
	MaxEvents  int // of each; 1 to convo.MaxPageSize
	// Except are targets to leave out, at most MaxExcept.
	Except []TargetOf
}

// MaxExcept bounds Claim.Except.
const MaxExcept = 50

// TargetOf names a target of a workspace.
type TargetOf struct{ Workspace, Target string }

// Claimed is a queue that a relay has in hand.
type Claimed struct {
	Queue
	Lease uuid.UUID
	// From and To are the first and the last Seq that wait. Events are those from From to Read that
	// the log has, in their order; of a long queue only the first ones. A contact's own log has
	// gaps, for its Seq is the contact's Version.
	From, To, Read int64
	Events         []convo.Event
	// Tries is how often the first of them was tried already.
	Tries int
}

// Queue names what waits in one stream for one target: its live queue, or a revived dead letter.
type Queue struct {
	Target string
	Stream
	Letter int64 // 0; of a dead letter its Seq
}

// Compare orders queues by workspace, target, stream and letter.
func (q Queue) Compare(other Queue) int { return q.DeadLetter().Compare(other.DeadLetter()) }

// DeadLetter is the id of the dead letter that the queue is, if its Letter is not 0.
func (q Queue) DeadLetter() DeadLetterID { return DeadLetterID{q.Target, q.Stream, q.Letter} }

// Settled is what became of a claim.
type Settled struct {
	Queue
	Lease uuid.UUID // Claimed.Lease
	// To is Claimed.To, so that what came since is seen; Next the first Seq that was not sent. When
	// it is behind To, and nothing came since, the queue is removed.
	To, Next int64
	// Without an Error what remains is due now. With one it is due at Due, after so many Tries; or,
	// when Dead, the event Next becomes a dead letter, and what is behind it is due now.
	Error string
	Tries int
	Due   time.Time
	Dead  bool
}

// DeadLetterID names a dead letter.
type DeadLetterID struct {
	Target string
	Stream
	Seq int64
}

// Compare orders dead letters by workspace, target, stream and seq.
func (d DeadLetterID) Compare(other DeadLetterID) int {
	return cmp.Or(strings.Compare(d.Workspace, other.Workspace),
		strings.Compare(d.Target, other.Target), d.Stream.Compare(other.Stream),
		cmp.Compare(d.Seq, other.Seq))
}

// Queue is where the dead letter waits.
func (d DeadLetterID) Queue() Queue { return Queue{d.Target, d.Stream, d.Seq} }

// DeadLetter is an event that could not be sent to a target: the last of its tries has failed.
type DeadLetter struct {
	DeadLetterID
	Tries int
	At    time.Time // of the last try
	Error string    // of that
}

// Canonical is f with its default limit. It fails with a *convo.ValidationError.
func (f DeadLetterFilter) Canonical() (DeadLetterFilter, error) {
	f.Limit = cmp.Or(f.Limit, convo.DefaultPageSize)
	switch {
	case f.Workspace == "":
		return f, &convo.ValidationError{Field: "workspace", Rule: "must not be empty"}
	case f.Limit < 1 || f.Limit > convo.MaxPageSize:
		return f, &convo.ValidationError{
			Field: "limit", Rule: fmt.Sprintf("must be 0 to %d", convo.MaxPageSize),
		}
	}
	return f, nil
}

// DeadLetterFilter asks for a page of dead letters.
type DeadLetterFilter struct {
	Workspace string       // required
	Target    string       // of this one only
	After     DeadLetterID // the last of the page before
	Limit     int          // 0: convo.DefaultPageSize; at most convo.MaxPageSize
}

// MaxBacklog is how far a Backlog counts.
const MaxBacklog = 10_000

// Backlog is how much is on its way, of all workspaces. So that asking for it costs little however
// much there is, notes, queues and dead letters are counted up to MaxBacklog each, which stands for
// that many or more.
type Backlog struct {
	Noted  int // notes in the outbox
	Queued int // queues that wait: for their turn, a relay or the next try
	Failed int // of those, the ones whose last try failed
	Dead   int // dead letters
	// Oldest is since when the oldest of the notes and queues that were counted waits; zero when
	// nothing does. Where there are more than are counted, an older one may be among them.
	Oldest time.Time
}
