package shardstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/relay"
)

// Noted implements relay.Store.
func (s *Store) Noted(
	ctx context.Context, after relay.Stream, limit int,
) ([]relay.Stream, error) {
	answers, err := ask(ctx, s, func(name string, shard Shard) ([]relay.Stream, error) {
		return paged(ctx, s, name, limit, func(of *relay.Stream) string { return of.Workspace },
			func(last *relay.Stream) ([]relay.Stream, error) {
				if last != nil {
					return shard.Noted(ctx, *last, limit)
				}
				return shard.Noted(ctx, after, limit)
			})
	})
	if err != nil {
		return nil, err
	}
	return merged(answers, limit, relay.Stream.Compare), nil
}

// spread has each shard do something with those of rows that are of its workspaces, and returns
// how much. What one shard fails with keeps no other one from its own.
func spread[T any](
	ctx context.Context, s *Store, rows []T, workspace func(*T) string,
	f func(ctx context.Context, shard Shard, some []T) (int, error),
) (n int, err error) {
	err = s.writing(ctx, func(ctx context.Context) error {
		n, err = spreadNow(ctx, s, rows, workspace, f)
		return err
	}, workspacesOf(rows, workspace)...)
	return n, err
}

// workspacesOf are the workspaces of rows, each once.
func workspacesOf[T any](rows []T, workspace func(*T) string) (all []string) {
	for i := range rows {
		if w := workspace(&rows[i]); !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

func spreadNow[T any](
	ctx context.Context, s *Store, rows []T, workspace func(*T) string,
	f func(ctx context.Context, shard Shard, some []T) (int, error),
) (n int, err error) {
	by, err := groups(ctx, s, rows, workspace)
	if err != nil {
		return 0, err
	}
	if len(by) == 0 { // it says whether there is an outbox
		return f(ctx, s.shards[s.names[0]], nil)
	}
	var errs []error
	for _, name := range s.names {
		if some := by[name]; len(some) > 0 {
			did, err := f(ctx, s.shards[name], some)
			n, errs = n+did, append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}

// Queue implements relay.Store. Each shard does so in commits of its own.
func (s *Store) Queue(
	ctx context.Context, now time.Time, streams []relay.Stream, targets map[string][]string,
) (int, error) {
	return spread(ctx, s, streams, func(of *relay.Stream) string { return of.Workspace },
		func(ctx context.Context, shard Shard, some []relay.Stream) (int, error) {
			return shard.Queue(ctx, now, some, targets)
		})
}

// Claim implements relay.Store. It asks one shard after the other, each time another one first:
// the earliest queues of each come first. A shard that fails keeps none of the others from theirs,
// so its error is returned when those have nothing.
func (s *Store) Claim(ctx context.Context, c relay.Claim) (all []relay.Claimed, err error) {
	var errs []error
	limit := c.Limit
	err = s.inTurn(ctx, func(name string, shard Shard) (bool, error) {
		c.Limit = limit - len(all)
		some, err := shard.Claim(ctx, c)
		if err == nil { // what is of a workspace that is moved away stays leased
			some, err = keptAt(ctx, s, name, some,
				func(c *relay.Claimed) string { return c.Workspace })
		}
		if err == nil { // else its events may not have been read: the leases expire
			all = append(all, some...)
		}
		errs = append(errs, err)
		return len(all) == limit, nil
	})
	if err == nil && len(all) == 0 {
		err = errors.Join(errs...)
	}
	return all, err
}

// Settle implements relay.Store.
func (s *Store) Settle(
	ctx context.Context, now time.Time, done []relay.Settled,
) (int, error) {
	return spread(ctx, s, done, func(d *relay.Settled) string { return d.Workspace },
		func(ctx context.Context, shard Shard, some []relay.Settled) (int, error) {
			return shard.Settle(ctx, now, some)
		})
}

// DeadLetters implements relay.Store.
func (s *Store) DeadLetters(
	ctx context.Context, f relay.DeadLetterFilter,
) ([]relay.DeadLetter, error) {
	if _, err := f.Canonical(); err != nil {
		return nil, err
	}
	return answerOf(ctx, s, f.Workspace, func(on Shard) ([]relay.DeadLetter, error) {
		return on.DeadLetters(ctx, f)
	})
}

// Revive implements relay.Store.
func (s *Store) Revive(
	ctx context.Context, now time.Time, letters []relay.DeadLetterID,
) (int, error) {
	return spread(ctx, s, letters, workspaceOf,
		func(ctx context.Context, shard Shard, some []relay.DeadLetterID) (int, error) {
			return shard.Revive(ctx, now, some)
		})
}

// Bury implements relay.Store.
func (s *Store) Bury(ctx context.Context, letters []relay.DeadLetterID) (int, error) {
	return spread(ctx, s, letters, workspaceOf,
		func(ctx context.Context, shard Shard, some []relay.DeadLetterID) (int, error) {
			return shard.Bury(ctx, some)
		})
}

func workspaceOf(d *relay.DeadLetterID) string { return d.Workspace }

// Backlog implements relay.Store.
func (s *Store) Backlog(ctx context.Context) (b relay.Backlog, err error) {
	answers, err := ask(ctx, s, func(_ string, shard Shard) (relay.Backlog, error) {
		return shard.Backlog(ctx)
	})
	if err != nil {
		return b, err
	}
	for _, a := range answers {
		b.Noted, b.Queued = b.Noted+a.Noted, b.Queued+a.Queued
		b.Failed, b.Dead = b.Failed+a.Failed, b.Dead+a.Dead
		if b.Oldest.IsZero() || !a.Oldest.IsZero() && a.Oldest.Before(b.Oldest) {
			b.Oldest = a.Oldest
		}
	}
	for _, n := range [...]*int{&b.Noted, &b.Queued, &b.Failed, &b.Dead} {
		*n = min(*n, relay.MaxBacklog)
	}
	return b, nil
}

// FeedHead implements relay.FeedStore.
func (s *Store) FeedHead(ctx context.Context, workspace string) (relay.Cursor, error) {
	return answerOf(ctx, s, workspace, func(on Shard) (relay.Cursor, error) {
		return on.FeedHead(ctx, workspace)
	})
}

// FeedAfter implements relay.FeedStore.
func (s *Store) FeedAfter(
	ctx context.Context, workspace string, after relay.Cursor, limit int,
) (relay.FeedPage, error) {
	return answerOf(ctx, s, workspace, func(on Shard) (relay.FeedPage, error) {
		return on.FeedAfter(ctx, workspace, after, limit)
	})
}
