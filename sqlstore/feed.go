package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/internal/housekeeping"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

var _ relay.FeedStore = (*Store)(nil)

// errPosition cannot be: who adds to a feed holds its head.
var errPosition = errors.New("sqlstore: a position of a feed is taken")

// addToFeeds adds notes to the feeds of their workspaces. It is the last that a Queue does: who
// moves the head of a feed has those wait who want to move it next, until the commit.
func (s *Store) addToFeeds(ctx context.Context, now time.Time, notes []dialect.Noted) error {
	slices.SortFunc(notes, func(a, b dialect.Noted) int { return a.Compare(b.Stream) })
	for len(notes) > 0 {
		workspace := notes[0].Workspace
		n := 1
		for n < len(notes) && notes[n].Workspace == workspace {
			n++
		}
		head, err := s.moveFeedHead(ctx, workspace, n)
		if err != nil {
			return err
		}
		rows := make([]relay.FeedRow, n)
		for i := range rows {
			rows[i] = relay.FeedRow{
				Position: head - int64(n-1-i), Stream: notes[i].Stream,
				From: notes[i].Seq, To: notes[i].Last, At: now,
			}
		}
		all, err := insertMany(ctx, s.tx, dialect.InsertFeedRow, dialect.Feed.All, rows,
			func(r relay.FeedRow) *relay.FeedRow { return &r })
		if err == nil && !all {
			err = errPosition
		}
		if err != nil {
			return err
		}
		notes = notes[n:]
	}
	return nil
}

// moveFeedHead takes n positions of a workspace, and returns the last of them.
func (s *Store) moveFeedHead(
	ctx context.Context, workspace string, n int,
) (head int64, err error) {
	move, args := s.d.MoveFeedHead(), []any{workspace, n}
	if s.d.NoReturning {
		if _, err := s.change(ctx, move, args); err != nil {
			return 0, err
		}
		move, args = dialect.FeedHead, args[:1]
	}
	err = s.read(ctx, move, args, func(scan func(...any) error) error { return scan(&head) })
	return head, err
}

// FeedHead implements relay.FeedStore.
func (s *Store) FeedHead(ctx context.Context, workspace string) (relay.Cursor, error) {
	head, err := s.feedHead(ctx, workspace)
	if err != nil {
		return relay.Cursor{}, err
	}
	return relay.Cursor{Position: head + 1}, nil
}

func (s *Store) feedHead(ctx context.Context, workspace string) (head int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !s.feed {
		return 0, relay.ErrNoFeed
	}
	_, err = s.within(ctx).row(ctx, dialect.FeedHead, []any{workspace}, []any{&head})
	return head, err
}

// FeedAfter implements relay.FeedStore. It takes one round trip where there is nothing new.
func (s *Store) FeedAfter(
	ctx context.Context, workspace string, after relay.Cursor, limit int,
) (relay.FeedPage, error) {
	in := s.within(ctx)
	return relay.NewFeedPage(after, limit, func() (head int64, rows []relay.FeedRow, err error) {
		if head, err = s.feedHead(ctx, workspace); err != nil || after.Position > head {
			return head, nil, err
		}
		var r relay.FeedRow
		dests := dialect.Feed.Read.Dests(nil, &r)
		args := []any{workspace, after.Position, limit}
		err = in.rows(ctx, dialect.FeedRows, args, func(scan func(...any) error) error {
			err := scan(dests...)
			rows = append(rows, r)
			return err
		})
		return head, rows, err
	}, func(parts []relay.Claimed) error {
		return in.readStreams(ctx, parts, int64(limit))
	})
}

// PruneFeed implements relay.FeedStore. Each workspace is a commit of its own.
func (s *Store) PruneFeed(ctx context.Context, before time.Time, limit int) (n int, err error) {
	if !s.feed {
		return 0, cmp.Or(ctx.Err(), relay.ErrNoFeed)
	}
	type end struct {
		workspace string
		position  int64
	}
	var ends []end
	err = s.withOutbox(ctx, func(s *Store) error {
		ends = ends[:0] // it may be another try
		return s.read(ctx, dialect.OldInFeeds, []any{before.UnixMicro(), limit},
			func(scan func(...any) error) error {
				var e end
				err := scan((*dialect.Text)(&e.workspace), &e.position)
				ends = append(ends, e)
				return err
			})
	})
	for _, e := range ends {
		if err != nil {
			break
		}
		err = housekeeping.Do(ctx, e.workspace, func(ctx context.Context) error {
			var deleted int64
			err := s.withOutbox(ctx, func(s *Store) (err error) {
				deleted, err = s.change(ctx, s.d.PruneFeed(), []any{e.workspace, e.position})
				return err
			})
			if err == nil {
				n += int(deleted)
			}
			return err
		})
	}
	return n, err
}
