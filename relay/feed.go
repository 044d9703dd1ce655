package relay

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
)

const (
	// feedPage is how many items are read of a store at once.
	feedPage = 200
	// feedRecent is how many items of a workspace are kept for all who follow it.
	feedRecent = 1000
	// feedHeld is how many of them a follower has in hand.
	feedHeld = 100
	// feedReaders is how many followers read the store at the same time: a thousand that are behind
	// are not to keep it from what is committed.
	feedReaders = 4
)

// Feed brings the events of a workspace to whoever follows it in this process: pages, websockets,
// caches. They come after their commit, also those of other processes, each once, and those of one
// conversation in their order. Where one has come to is a [Cursor], with which to go on later, also
// in another process.
//
// A relay fills the feed, in this process or another one. One goroutine for each workspace that is
// followed reads what is new, and keeps the last 1,000 items; followers take them from there. Who
// begins, or is further behind, reads pages of the store by itself, four at a time. So nobody waits
// for a follower, neither the engine nor a relay nor one that keeps up, and each holds up to 200
// items.
//
// Use NewFeed. It is safe for concurrent use.
type Feed struct {
	store FeedStore
	every time.Duration
	log   *slog.Logger
	turns chan struct{} // of those who read the store by themselves

	mu sync.Mutex
	by map[string]*followed
}

// FeedOption configures a Feed.
type FeedOption func(*Feed)

// WithFeedEvery says how often the store is looked at for what other processes have queued, for
// each workspace that is followed, give or take a tenth. Default: DefaultEvery. What [Feed.Wake] is
// told of does not wait for it.
func WithFeedEvery(d time.Duration) FeedOption { return func(f *Feed) { f.every = d } }

// WithFeedLogger sets where failures of the store are logged as warnings. Default: nowhere.
func WithFeedLogger(l *slog.Logger) FeedOption { return func(f *Feed) { f.log = l } }

// NewFeed returns a Feed of what a store keeps.
func NewFeed(store FeedStore, opts ...FeedOption) (*Feed, error) {
	f := &Feed{
		store: store, every: DefaultEvery, log: slog.New(slog.DiscardHandler),
		turns: make(chan struct{}, feedReaders), by: map[string]*followed{},
	}
	for _, o := range opts {
		o(f)
	}
	switch {
	case store == nil || f.log == nil:
		return nil, errors.New("relay: the store and the logger of a feed must not be nil")
	case f.every <= 0:
		return nil, errors.New("relay: WithFeedEvery must be positive")
	}
	return f, nil
}

// WithFeed has a Relay wake a feed of its process when it has filled it. Feeds of other processes
// find that out by themselves.
func WithFeed(f *Feed) Option { return func(r *Relay) { r.feed = f } }

// Head is where the feed of a workspace ends now. Who reads what there is, and follows from here,
// asks for it first, so that nothing is between the two.
func (f *Feed) Head(ctx context.Context, workspace string) (Cursor, error) {
	return f.store.FeedHead(ctx, workspace)
}

// Wake has the feeds of workspaces look at once; of all, when none is named. [WithFeed] has a relay
// call it. It never blocks.
func (f *Feed) Wake(workspaces ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(workspaces) == 0 {
		for _, w := range f.by {
			w.look()
		}
	}
	for _, workspace := range workspaces {
		if w := f.by[workspace]; w != nil {
			w.look()
		}
	}
}

// Follow returns the items of a workspace behind a cursor, and then what comes, until ctx ends, of
// which the error is the last element; so is any error of the store. The zero Cursor begins with
// the oldest item that is kept, and [Feed.Head] with the next one that comes.
//
// A *MissedError is not the end: it says that what was behind the cursor is gone, and the sequence
// goes on with the oldest item that there is. An event is read when it comes, so what was redacted
// before that has no text.
//
// How long the body of the loop takes is nobody else's concern. What follows is given back when the
// loop ends.
func (f *Feed) Follow(
	ctx context.Context, workspace string, after Cursor,
) iter.Seq2[FeedItem, error] {
	return func(yield func(FeedItem, error) bool) {
		w := f.join(workspace) //nolint:contextcheck // what it begins is for those who come, too
		defer f.leave(w)
		at, checked := after, -1
		held := make([]FeedItem, feedHeld)
		for ctx.Err() == nil {
			recent := w.behind(at, checked, held)
			items, next := recent.items, recent.next
			if !recent.known { // or nobody has seen yet whether the store knows the cursor
				page, err := f.inTurn(ctx, workspace, at)
				if err != nil {
					if ctx.Err() == nil {
						yield(FeedItem{}, err)
						return
					}
					break
				}
				if checked = recent.reset; page.Missed != nil && !yield(FeedItem{}, page.Missed) {
					return
				}
				items, next = page.Items, page.Next
			}
			for i := range items {
				if !yield(items[i], nil) {
					return
				}
			}
			if next != at {
				at = next
				continue
			}
			clear(held) // which may be erased before anything comes
			select {
			case <-ctx.Done():
			case <-recent.moved:
			}
		}
		yield(FeedItem{}, ctx.Err())
	}
}

// inTurn reads a page for one follower.
func (f *Feed) inTurn(ctx context.Context, workspace string, at Cursor) (FeedPage, error) {
	select {
	case <-ctx.Done():
		return FeedPage{}, ctx.Err()
	case f.turns <- struct{}{}:
	}
	defer func() { <-f.turns }()
	return f.store.FeedAfter(ctx, workspace, at, feedPage)
}

// followed is a workspace that somebody follows.
type followed struct {
	workspace string
	followers int // counted under Feed.mu
	stop      context.CancelFunc
	wake      chan struct{} // holds one

	mu sync.RWMutex
	// recent are the last items, behind from and up to next, which are zero until that is known.
	recent     []FeedItem
	from, next Cursor
	reset      int           // how often what is recent does not go on where it was
	moved      chan struct{} // is closed when next moves
}

// join counts a follower. The first one has the store be looked at.
func (f *Feed) join(workspace string) *followed {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.by[workspace]
	if w == nil {
		ctx, stop := context.WithCancel(context.Background())
		w = &followed{
			workspace: workspace, stop: stop, wake: make(chan struct{}, 1),
			moved: make(chan struct{}),
		}
		f.by[workspace] = w
		go f.poll(ctx, w)
	}
	w.followers++
	return w
}

func (f *Feed) leave(w *followed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.followers--; w.followers == 0 {
		w.stop()
		delete(f.by, w.workspace)
	}
}

func (w *followed) look() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// poll reads what is new, until ctx ends.
func (f *Feed) poll(ctx context.Context, w *followed) {
	for ctx.Err() == nil {
		more, err := f.read(ctx, w)
		if err != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "convo: feed", "workspace", w.workspace, "error", err)
		}
		if more {
			continue
		}
		wait := time.NewTimer(f.every - f.every/10 + rand.N(f.every/5+1))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-w.wake:
		}
		wait.Stop()
	}
}

// read adds a page to what is recent. The first time it only finds out where that begins.
func (f *Feed) read(ctx context.Context, w *followed) (more bool, err error) {
	next := w.next // which nobody else changes
	if next == (Cursor{}) {
		if next, err = f.store.FeedHead(ctx, w.workspace); err == nil {
			w.add(FeedPage{Next: next})
		}
		return err == nil, err
	}
	page, err := f.store.FeedAfter(ctx, w.workspace, next, feedPage)
	if err != nil || page.Next == next {
		return false, err
	}
	w.add(page)
	return true, nil
}

func (w *followed) add(page FeedPage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.next == (Cursor{}):
		w.from = page.Next
	case page.Missed != nil:
		w.recent, w.from = nil, page.Missed.Oldest
		w.reset++
	}
	if slices.ContainsFunc(page.Items, removes) {
		w.recent, w.from = nil, w.next // whoever is behind reads what is left of them
	}
	w.recent, w.next = append(w.recent, page.Items...), page.Next
	if over := len(w.recent) - feedRecent; over > 0 {
		w.from = w.recent[over-1].Cursor
		w.recent = slices.Delete(w.recent, 0, over)
	}
	close(w.moved)
	w.moved = make(chan struct{})
}

// removes reports whether an item says that texts of earlier ones are gone.
func removes(item FeedItem) bool {
	kind := item.Event.Kind
	return kind == convo.ConversationErased || kind == convo.ContactErased ||
		kind == convo.MessageRetracted && item.Event.Retracted().Redacted
}

// behind is what is recent for a follower.
type behind struct {
	known bool // what is behind the cursor is there; else the store has it
	items []FeedItem
	next  Cursor // behind the items
	reset int
	moved <-chan struct{}
}

// behind copies what is recent behind a cursor into held, as much as has room, for who has been at
// the store since the given reset.
func (w *followed) behind(at Cursor, reset int, held []FeedItem) behind {
	w.mu.RLock()
	defer w.mu.RUnlock()
	b := behind{next: at, reset: w.reset, moved: w.moved}
	if b.known = reset == w.reset && w.next != (Cursor{}) && at.Compare(w.from) >= 0; !b.known {
		return b
	}
	i, _ := slices.BinarySearchFunc(w.recent, at, func(item FeedItem, at Cursor) int {
		if item.Cursor.Compare(at) <= 0 {
			return -1
		}
		return 1
	})
	b.items = held[:copy(held, w.recent[i:])]
	switch n := len(b.items); {
	case i+n < len(w.recent):
		b.next = b.items[n-1].Cursor
	case at.Compare(w.next) < 0:
		b.next = w.next
	}
	return b
}
