package shardstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// What is asked of all workspaces.

// paged reads pages of a shard until it has as many rows as are wanted whose workspaces are there.
func paged[T any](
	ctx context.Context, s *Store, name string, limit int, workspace func(*T) string,
	page func(after *T) ([]T, error),
) (all []T, err error) {
	var after *T
	for {
		rows, err := page(after)
		if err != nil {
			return nil, err
		}
		kept, err := keptAt(ctx, s, name, rows, workspace)
		if all = append(all, kept...); err != nil || len(rows) < limit || len(all) >= limit {
			return all, err
		}
		after = &rows[len(rows)-1]
	}
}

// merged are the first rows of all answers, each of which is in order.
func merged[T any](answers [][]T, limit int, compare func(a, b T) int) []T {
	all := slices.Concat(answers...)
	slices.SortFunc(all, compare)
	return all[:min(limit, len(all))]
}

// Due implements convo.Store.
func (s *Store) Due(ctx context.Context, q convo.DueQuery) ([]convo.DueConversation, error) {
	answers, err := ask(ctx, s, func(name string, shard Shard) ([]convo.DueConversation, error) {
		return paged(ctx, s, name, q.Limit,
			func(d *convo.DueConversation) string { return d.Ref.Workspace },
			func(after *convo.DueConversation) ([]convo.DueConversation, error) {
				q := q
				if after != nil {
					q.After = *after
				}
				return shard.Due(ctx, q)
			})
	})
	if err != nil {
		return nil, err
	}
	return merged(answers, q.Limit, func(a, b convo.DueConversation) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Ref.Workspace, b.Ref.Workspace),
			bytes.Compare(a.Ref.Conversation[:], b.Ref.Conversation[:]))
	}), nil
}

// pageOf is a page, and behind which place the next one begins; zero: there is none.
type pageOf[T any, P comparable] struct {
	rows []T
	next P
}

// frontier is the place up to which all shards have answered; zero: there is nothing behind.
func frontier[T any, P comparable](answers []pageOf[T, P], compare func(a, b P) int) (least P) {
	var none P
	for i := range answers {
		if n := answers[i].next; n != none && (least == none || compare(n, least) < 0) {
			least = n
		}
	}
	return least
}

// ClosedBefore implements convo.Store.
func (s *Store) ClosedBefore(
	ctx context.Context, q convo.ClosedQuery,
) (all []convo.Closed, next convo.ClosedPlace, err error) {
	answers, err := ask(ctx, s,
		func(name string, shard Shard) (p pageOf[convo.Closed, convo.ClosedPlace], err error) {
			if p.rows, p.next, err = shard.ClosedBefore(ctx, q); err == nil {
				p.rows, err = keptAt(ctx, s, name, p.rows,
					func(c *convo.Closed) string { return c.Workspace })
			}
			return p, err
		})
	if err != nil {
		return nil, next, err
	}
	next = frontier(answers, compareClosed)
	for i := range answers {
		for _, c := range answers[i].rows {
			if next == (convo.ClosedPlace{}) || compareClosed(c.ClosedPlace, next) <= 0 {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b convo.Closed) int {
		return compareClosed(a.ClosedPlace, b.ClosedPlace)
	})
	if len(all) > q.Limit {
		all = all[:q.Limit]
		next = all[q.Limit-1].ClosedPlace
	}
	return all, next, nil
}

func compareClosed(a, b convo.ClosedPlace) int {
	return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), a.At.Compare(b.At),
		bytes.Compare(a.Conversation[:], b.Conversation[:]))
}

// ForgetKeys implements convo.Store. The limit is divided among the shards, of which each looks at
// one key at least. Workspaces that are being moved keep theirs until they are where they go.
func (s *Store) ForgetKeys(
	ctx context.Context, before time.Time, after convo.KeyPlace, limit int,
) (next convo.KeyPlace, removed int, err error) {
	answers, err := ask(ctx, s,
		func(name string, shard Shard) (p pageOf[int, convo.KeyPlace], err error) {
			next, n, err := shard.ForgetKeys(s.guarded(ctx, name), before, after,
				max(1, limit/len(s.names)))
			return pageOf[int, convo.KeyPlace]{[]int{n}, next}, err
		})
	for i := range answers {
		for _, n := range answers[i].rows {
			removed += n
		}
	}
	if err != nil {
		return next, removed, err
	}
	return frontier(answers, compareKeys), removed, nil
}

func compareKeys(a, b convo.KeyPlace) int {
	return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Channel, b.Channel),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Address, b.Address),
		cmp.Compare(a.Contact, b.Contact))
}

// ForgetDeliveries implements convo.Store.
func (s *Store) ForgetDeliveries(
	ctx context.Context, before time.Time, limit int,
) (n int, err error) {
	return s.upTo(ctx, limit, func(ctx context.Context, shard Shard, left int) (int, error) {
		return shard.ForgetDeliveries(ctx, before, left)
	})
}

// PruneFeed implements relay.FeedStore.
func (s *Store) PruneFeed(ctx context.Context, before time.Time, limit int) (n int, err error) {
	return s.upTo(ctx, limit, func(ctx context.Context, shard Shard, left int) (int, error) {
		return shard.PruneFeed(ctx, before, left)
	})
}

// upTo has one shard after the other do something up to a limit, and returns how much.
func (s *Store) upTo(
	ctx context.Context, limit int,
	f func(ctx context.Context, shard Shard, left int) (int, error),
) (n int, err error) {
	err = s.inTurn(ctx, func(name string, shard Shard) (bool, error) {
		did, err := f(s.guarded(ctx, name), shard, limit-n)
		n += did
		return n >= limit, err
	})
	return n, err
}
