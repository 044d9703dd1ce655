package memstore

import (
	"context"
	"time"

	"github.com/chatlifecycle/convo/relay"
)

var _ relay.FeedStore = (*Store)(nil)

// WithFeed has the store keep a feed of each workspace, which relays fill: see relay.Feed. It needs
// an outbox, so WithOutbox is in it. Nothing is removed but by PruneFeed.
func WithFeed() Option {
	return func(s *Store) {
		WithOutbox()(s)
		s.outbox.feeds = map[string]*feed{}
	}
}

// feed is that of a workspace: its rows follow one another, up to head.
type feed struct {
	head int64
	rows []relay.FeedRow
}

// feed adds a note to the feed of its workspace.
func (o *outbox) feed(of relay.Stream, n *note, now time.Time) {
	f := o.feeds[of.Workspace]
	if f == nil {
		f = &feed{}
		o.feeds[of.Workspace] = f
	}
	f.head++
	f.rows = append(f.rows, relay.FeedRow{
		Position: f.head, Stream: of, From: n.from, To: n.to, At: now,
	})
}

// FeedHead implements relay.FeedStore.
func (s *Store) FeedHead(ctx context.Context, workspace string) (relay.Cursor, error) {
	f, err := s.feedOf(ctx, workspace)
	if err != nil {
		return relay.Cursor{}, err
	}
	return relay.Cursor{Position: f.head + 1}, nil
}

// feedOf is the feed of a workspace, of which nobody writes over what is in it.
func (s *Store) feedOf(ctx context.Context, workspace string) (feed, error) {
	if err := ctx.Err(); err != nil {
		return feed{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.outbox == nil || s.outbox.feeds == nil {
		return feed{}, relay.ErrNoFeed
	}
	if f := s.outbox.feeds[workspace]; f != nil {
		return *f, nil
	}
	return feed{}, nil
}

// FeedAfter implements relay.FeedStore.
func (s *Store) FeedAfter(
	ctx context.Context, workspace string, after relay.Cursor, limit int,
) (relay.FeedPage, error) {
	return relay.NewFeedPage(after, limit, func() (int64, []relay.FeedRow, error) {
		f, err := s.feedOf(ctx, workspace)
		rows := f.rows
		if len(rows) > 0 {
			skip := after.Position - rows[0].Position
			rows = rows[min(max(skip, 0), int64(len(rows))):]
		}
		return f.head, rows, err
	}, func(parts []relay.Claimed) error {
		s.mu.RLock()
		defer s.mu.RUnlock()
		w := s.workspaces[workspace]
		for i := range parts {
			if p := &parts[i]; w != nil {
				p.Events = w.streamed(p.Stream, p.From, p.To, limit)
			}
		}
		return nil
	})
}

// PruneFeed implements relay.FeedStore.
func (s *Store) PruneFeed(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		if o.feeds == nil {
			return relay.ErrNoFeed
		}
		for _, f := range o.feeds {
			old := 0
			for old < len(f.rows) && n < limit && f.rows[old].At.Before(before) {
				old, n = old+1, n+1
			}
			if f.rows = f.rows[old:]; len(f.rows) == 0 {
				f.rows = nil
			}
		}
		return nil
	})
	return n, err
}
