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
) (all []convo.Closed, next convo.ClosedPlace, err error) {
	if err := ctx.Err(); err != nil {
		return nil, next, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, w := range s.workspaces {
		for _, c := range w.conversations {
			first := len(all)
			gone := false
			c.events(0, func(e *convo.Event) bool {
				at := convo.ClosedPlace{Workspace: w.name, At: e.At, Conversation: c.id}
				again := len(all) > first && comparePlaces(at, all[len(all)-1].ClosedPlace) == 0
				if e.Kind == convo.ConversationClosed && e.At.Before(q.Before) &&
					comparePlaces(at, q.After) > 0 && !again {
					all = append(all, convo.Closed{ClosedPlace: at})
				}
				gone = e.TextsGone()
				return true
			})
			if n := len(all); n > first && !statuses[c.status].Active() {
				closed := &all[n-1]
				closed.Standing = closed.At.Equal(c.load().Cycle.Closing.At)
				closed.Unpruned = closed.Standing && !gone
			}
		}
	}
	slices.SortFunc(all, func(a, b convo.Closed) int {
		return comparePlaces(a.ClosedPlace, b.ClosedPlace)
	})
	if len(all) > q.Limit {
		all = all[:q.Limit]
		next = all[q.Limit-1].ClosedPlace
	}
	return all, next, nil
}

func comparePlaces(a, b convo.ClosedPlace) int {
	return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), a.At.Compare(b.At),
		bytes.Compare(a.Conversation[:], b.Conversation[:]))
}
