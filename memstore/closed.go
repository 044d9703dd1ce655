package memstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/chatlifecycle/convo"
)

// ClosedBefore implements convo.Store. It looks at all that there is.
func (s *Store) ClosedBefore(
	ctx context.Context, q convo.ClosedQuery,
) (all []convo.Closed, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, w := range s.workspaces {
		for _, c := range w.conversations {
			first := len(all)
			gone := false
			c.events(0, func(e *convo.Event) bool {
				at := convo.ClosedPlace{Workspace: w.name, At: e.At, Conversation: c.id}
				if e.Kind == convo.ConversationClosed && e.At.Before(q.Before) &&
					comparePlaces(at, q.After) > 0 {
					all = append(all, convo.Closed{ClosedPlace: at})
				}
				gone = e.TextsGone()
				return true
			})
			if n := len(all); n > first && !statuses[c.status].Active() && !gone {
				closed := &all[n-1]
				closed.Unpruned = closed.At.Equal(c.load().Cycle.Closing.At)
			}
		}
	}
	slices.SortFunc(all, func(a, b convo.Closed) int {
		return comparePlaces(a.ClosedPlace, b.ClosedPlace)
	})
	return all[:min(len(all), q.Limit)], nil
}

func comparePlaces(a, b convo.ClosedPlace) int {
	return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), a.At.Compare(b.At),
		bytes.Compare(a.Conversation[:], b.Conversation[:]))
}
