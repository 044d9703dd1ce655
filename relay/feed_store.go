package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// ErrNoFeed is returned by a store that was opened without a feed. See the options of memstore and
// sqlstore.
var ErrNoFeed = errors.New("relay: the store keeps no feed: open it with its option for one")

// FeedStore is what a [Feed] needs of a store. memstore and sqlstore implement it, and
// storetest.RunFeed proves one. Implementations are safe for concurrent use. All methods fail with
// [ErrNoFeed] where there is none.
//
// Queue of such a store MUST, in the commit in which it removes the notes of streams, also add a
// [FeedRow] for each of them to the feed of its workspace, whether that has a target or not. The
// positions of a workspace are 1, 2, 3 and so on, without a gap, and MUST become visible in that
// order: whoever sees one sees all before it.
type FeedStore interface {
	// FeedHead is where the feed of a workspace ends now: behind its newest row.
	FeedHead(ctx context.Context, workspace string) (Cursor, error)
	// FeedAfter returns the items of a workspace behind a cursor, up to limit of them (1 to
	// convo.MaxPageSize), as [NewFeedPage] makes a page of them. Events are read now.
	FeedAfter(ctx context.Context, workspace string, after Cursor, limit int) (FeedPage, error)
	// PruneFeed removes rows that were added before a time, and returns how many: the oldest of
	// each workspace, and all before them. It stops at about limit rows (1 to convo.MaxPageSize);
	// call it again until there are none. Who still has to come by there gets a [MissedError].
	PruneFeed(ctx context.Context, before time.Time, limit int) (int, error)
}

// Cursor is a place in the feed of a workspace, behind all that was seen. The zero Cursor is before
// the oldest item that is kept. Its text, "position-seq", has only digits and a hyphen, and is as
// good for the Last-Event-ID of server-sent events as for a column of a database.
type Cursor struct {
	Position int64 // of the row with which to go on
	Seq      int64 // of the last event of that row that was seen; 0: none
}

// Compare orders the cursors of a workspace.
func (c Cursor) Compare(other Cursor) int {
	return cmp.Or(cmp.Compare(c.Position, other.Position), cmp.Compare(c.Seq, other.Seq))
}

// String is the text of c.
func (c Cursor) String() string { return string(c.append(nil)) }

func (c Cursor) append(to []byte) []byte {
	to = strconv.AppendInt(to, c.Position, 10)
	return strconv.AppendInt(append(to, '-'), c.Seq, 10)
}

// MarshalText implements encoding.TextMarshaler.
func (c Cursor) MarshalText() ([]byte, error) { return c.append(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It fails as [ParseCursor] does, and leaves c
// alone then.
func (c *Cursor) UnmarshalText(text []byte) error {
	parsed, err := ParseCursor(string(text))
	if err == nil {
		*c = parsed
	}
	return err
}

// ParseCursor is the cursor of a text. It fails with a *convo.ValidationError.
func ParseCursor(text string) (c Cursor, err error) {
	position, seq, ok := strings.Cut(text, "-")
	for _, part := range []struct {
		to   *int64
		text string
	}{{&c.Position, position}, {&c.Seq, seq}} {
		n, err := strconv.ParseUint(part.text, 10, 63)
		*part.to, ok = int64(n), ok && err == nil //nolint:gosec // it has 63 bits
	}
	if !ok {
		return Cursor{}, &convo.ValidationError{
			Field: "cursor", Rule: "must be two numbers with a hyphen between them, as in 12-3",
		}
	}
	return c, nil
}

// FeedItem is an event of a feed. Followers of a workspace share what is behind Event.Payload: it
// must not be changed.
type FeedItem struct {
	Cursor Cursor // behind it: who goes on from here sees what comes next
	Event  convo.Event
}

// FeedRow is what a feed keeps: which events of a stream came at a place in it, and no text.
type FeedRow struct {
	Position int64
	Stream
	From, To int64 // Seqs
	At       time.Time
}

// FeedPage is a part of a feed.
type FeedPage struct {
	Items []FeedItem
	// Next is where the next page begins. It is the cursor that was asked for when there is nothing
	// behind that; else there may be more, also when there are no items.
	Next Cursor
	// Missed says that the page begins later than it was to; nil: it does not.
	Missed *MissedError
}

// MissedError says that a cursor is of what the feed does not keep any more, or not yet, as after
// the restoring of an old backup. Who gets it reads anew what it shows.
type MissedError struct {
	From   Cursor // that was asked for
	Oldest Cursor // with which the feed goes on
}

func (e *MissedError) Error() string {
	return fmt.Sprintf("relay: the feed has nothing from %s on until %s: read anew what it is for",
		e.From, e.Oldest)
}

// NewFeedPage makes a page of what a store reads: head is the newest position, and rows, which are
// read after it, are the first ones from after.Position on, at least limit of them if there are as
// many. events fills in the Events of streams, from From to To. When an erasure has given a contact
// another id in between, all is read again; so that this is seen, rows are read once more behind
// the log of a contact.
func NewFeedPage(
	after Cursor, limit int, rows func() (head int64, rows []FeedRow, err error),
	events func([]Claimed) error,
) (FeedPage, error) {
	for try := 1; ; try++ {
		head, all, err := rows()
		if err != nil {
			return FeedPage{}, err
		}
		p, err := newFeedPage(after, head, all, limit, func(parts []Claimed) error {
			if err := events(parts); err != nil || !ofContacts(parts) {
				return err
			}
			_, now, err := rows()
			if err == nil && !sameStreams(all[:len(parts)], now) {
				err = fmt.Errorf("relay: a contact was erased: %w", convo.ErrConflict)
			}
			return err
		})
		if err == nil || try == maxTries || !errors.Is(err, convo.ErrConflict) {
			return p, err
		}
	}
}

// ofContacts reports whether any of parts is the log of a contact.
func ofContacts(parts []Claimed) bool {
	return slices.ContainsFunc(parts, func(c Claimed) bool { return c.Contact != "" })
}

// sameStreams reports whether the logs of contacts are at their positions still.
func sameStreams(rows, now []FeedRow) bool {
	at := map[int64]Stream{}
	for i := range now {
		at[now[i].Position] = now[i].Stream
	}
	return !slices.ContainsFunc(rows, func(r FeedRow) bool {
		return r.Contact != "" && at[r.Position] != r.Stream
	})
}

func newFeedPage(
	after Cursor, head int64, rows []FeedRow, limit int, read func([]Claimed) error,
) (FeedPage, error) {
	begin := Cursor{Position: head + 1}
	if len(rows) > 0 {
		begin.Position = rows[0].Position
	}
	p := FeedPage{Next: after}
	if after.Position != begin.Position {
		if p.Next = begin; after != (Cursor{}) {
			p.Missed = &MissedError{From: after, Oldest: begin}
		}
	}
	var parts []Claimed
	room := int64(limit)
	for i := range rows {
		r := &rows[i]
		c := Claimed{Queue: Queue{Stream: r.Stream}, From: r.From}
		if r.Position == p.Next.Position {
			c.From = max(c.From, min(p.Next.Seq, r.To)+1)
		}
		c.To = min(r.To, c.From+room-1)
		if parts, room = append(parts, c), room-(c.To-c.From+1); room <= 0 {
			break
		}
	}
	if err := read(parts); err != nil {
		return FeedPage{}, err
	}
	for i := range parts {
		r, c := &rows[i], &parts[i]
		if c.Contact != "" && c.From == r.From && len(c.Events) == 0 { // where a log has no gap
			return FeedPage{}, fmt.Errorf("relay: contact %q: %w", c.Contact, convo.ErrConflict)
		}
		behind := func(seq int64) Cursor {
			if seq >= r.To {
				return Cursor{Position: r.Position + 1}
			}
			return Cursor{r.Position, seq}
		}
		for _, e := range parts[i].Events {
			p.Items = append(p.Items, FeedItem{behind(e.Seq), e})
		}
		p.Next = behind(parts[i].To)
	}
	return p, nil
}
