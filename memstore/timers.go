package memstore

import (
	"container/heap"
	"context"
	"math"
	"time"

	"github.com/chatlifecycle/convo"
)

// timers is a heap of due times, the earliest first. A conversation whose due time moves gets
// another entry; the one that no longer holds is dropped when it comes up, or when such entries are
// the most.
type timers struct {
	entries []timer
	armed   int // conversations with a due time
}

type timer struct {
	at int64 // microseconds
	c  *conversation
	w  *workspace
}

func (t timer) holds() bool { return t.c.dueAt == t.at }

func (t *timers) Len() int           { return len(t.entries) }
func (t *timers) Less(i, j int) bool { return t.entries[i].at < t.entries[j].at }
func (t *timers) Swap(i, j int)      { t.entries[i], t.entries[j] = t.entries[j], t.entries[i] }
func (t *timers) Push(x any)         { t.entries = append(t.entries, x.(timer)) }
func (t *timers) Pop() any {
	n := len(t.entries) - 1
	x := t.entries[n]
	t.entries[n] = timer{}
	t.entries = t.entries[:n]
	return x
}

// never is the due time of a conversation without a timer; 0 is midnight of 1 January 1970.
const never = math.MinInt64

// set moves the due time of c.
func (t *timers) set(w *workspace, c *conversation, at int64) {
	if at == c.dueAt {
		return
	}
	if c.dueAt != never {
		t.armed--
	}
	c.dueAt = at
	if at == never {
		return
	}
	t.armed++
	heap.Push(t, timer{at, c, w})
	if len(t.entries) > 2*t.armed+64 {
		kept := make([]timer, 0, t.armed)
		seen := make(map[*conversation]bool, t.armed)
		for _, e := range t.entries {
			if e.holds() && !seen[e.c] {
				seen[e.c] = true
				kept = append(kept, e)
			}
		}
		t.entries = kept
		heap.Init(t)
	}
}

// Due implements convo.Store.
func (s *Store) Due(
	ctx context.Context,
	before time.Time,
	limit int,
) ([]convo.DueConversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.timers
	last := before.UnixMicro()
	var due []timer
	seen := map[*conversation]bool{}
	for len(due) < limit && len(t.entries) > 0 && t.entries[0].at <= last {
		e := heap.Pop(t).(timer)
		if e.holds() && !seen[e.c] { // a due time may come back to what it was
			seen[e.c] = true
			due = append(due, e)
		}
	}
	out := make([]convo.DueConversation, 0, len(due))
	for _, e := range due {
		heap.Push(t, e)
		out = append(out, convo.DueConversation{
			Ref: convo.ToConversation(e.w.name, e.c.id), DueAt: time.UnixMicro(e.at).UTC(),
		})
	}
	return out, nil
}
