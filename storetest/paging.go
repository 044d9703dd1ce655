package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/chatlifecycle/convo"
)

// conversations pages through all that f picks.
func conversations(
	ctx context.Context,
	s convo.Store,
	f convo.Filter,
) ([]convo.Conversation, error) {
	return pages(
		f.Limit,
		f.Cursor,
		placesOf(f),
		func(after convo.Cursor) ([]convo.Conversation, error) {
			f.After = after
			return s.Conversations(ctx, f)
		},
	)
}

// events pages through all that f picks.
func events(ctx context.Context, s convo.Store, f convo.EventFilter) ([]convo.Event, error) {
	return pages(
		f.Limit,
		convo.Event.Cursor,
		compareCursors,
		func(after convo.EventCursor) ([]convo.Event, error) {
			f.After = after
			return s.Events(ctx, f)
		},
	)
}

// pages reads until a page is not full. A page that is too long, or that does not end behind the
// one before it, is an error: a store that does not go on must not be asked for ever.
func pages[T any, C comparable](
	limit int, cursor func(T) C, compare func(a, b C) int, next func(after C) ([]T, error),
) (all []T, err error) {
	var after, none C
	for {
		page, err := next(after)
		if err != nil {
			return all, err
		}
		all = append(all, page...)
		n := len(page)
		if n > limit {
			return all, fmt.Errorf("a page of %d where the limit is %d", n, limit)
		}
		if n < limit {
			return all, nil
		}
		last := cursor(page[n-1])
		if after != none && compare(after, last) >= 0 {
			return all, fmt.Errorf(
				"the page after %+v ends at %+v, which is not behind it",
				after,
				last,
			)
		}
		after = last
	}
}

// comparePlaces orders conversations as they are listed, the last opened first.
func comparePlaces(a, b convo.Cursor) int {
	return cmp.Or(b.At.Compare(a.At), bytes.Compare(b.ID[:], a.ID[:]))
}

// compareCursors orders events as they are listed.
func compareCursors(a, b convo.EventCursor) int {
	return cmp.Or(
		a.At.Compare(b.At),
		bytes.Compare(a.Conversation[:], b.Conversation[:]),
		cmp.Compare(a.Seq, b.Seq),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}
