package memstore

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
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

func (t *timers) Len() int { return len(t.entries) }
func (t *timers) Less(i, j int) bool {
	a, b := &t.entries[i], &t.entries[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.w.name, b.w.name),
		bytes.Compare(a.c.id[:], b.c.id[:])) < 0
}
func (t *timers) Swap(i, j int) { t.entries[i], t.entries[j] = t.entries[j], t.entries[i] }
func (t *timers) Push(x any)    { t.entries = append(t.entries, x.(timer)) }
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
func (s *Store) Due(ctx context.Context, q convo.DueQuery) ([]convo.DueConversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.timers
	last := q.Before.UnixMicro()
	var due []timer // all that came off the heap
	out := make([]convo.DueConversation, 0, min(q.Limit, t.armed))
	seen := map[*conversation]bool{}
	for len(out) < q.Limit && len(t.entries) > 0 && t.entries[0].at <= last {
		e := heap.Pop(t).(timer)
		if !e.holds() || seen[e.c] { // a due time may come back to what it was
			continue
		}
		seen[e.c] = true
		due = append(due, e)
		if d := e.conversation(); isBehind(&d, &q.After) && !isExcepted(&d, q.Except) {
			out = append(out, d)
		}
	}
	for _, e := range due {
		heap.Push(t, e)
	}
	return out, nil
}

func (t *timer) conversation() convo.DueConversation {
	return convo.DueConversation{
		Ref: convo.ToConversation(t.w.name, t.c.id), DueAt: timeOf(t.at),
		Lane: t.w.words[t.c.lane], Channel: t.w.words[t.c.channel],
	}
}

func isBehind(d, after *convo.DueConversation) bool {
	return cmp.Or(d.DueAt.Compare(after.DueAt), cmp.Compare(d.Ref.Workspace, after.Ref.Workspace),
		bytes.Compare(d.Ref.Conversation[:], after.Ref.Conversation[:])) > 0
}

func isExcepted(d *convo.DueConversation, except []convo.Scope) bool {
	return slices.Contains(except, convo.Scope{
		Workspace: d.Ref.Workspace, Lane: d.Lane, Channel: d.Channel,
	})
}

// LockDue implements convo.DueLocker. What it holds others may change; Commit finds that out.
func (s *Store) LockDue(
	ctx context.Context, before time.Time, due []convo.Ref,
	f func(ctx context.Context, held []convo.Snapshot) error,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	held := s.hold(due)
	defer s.letGo(held)
	snapshots := make([]convo.Snapshot, 0, len(held))
	for to := range held {
		t, err := s.Load(ctx, to)
		if err != nil {
			return err
		}
		if c := &t.Conversation; !c.DueAt.IsZero() && !c.DueAt.After(before) {
			snapshots = append(snapshots, t)
		}
	}
	if len(snapshots) == 0 {
		return nil
	}
	return f(ctx, snapshots)
}

// hold marks those that nobody holds.
func (s *Store) hold(due []convo.Ref) map[convo.Ref]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := make(map[convo.Ref]bool, len(due))
	for _, to := range due {
		_, err := s.workspaces[to.Workspace].conversation(to.Conversation)
		if err == nil && !s.held[to] {
			s.held[to], held[to] = true, true
		}
	}
	return held
}

func (s *Store) letGo(held map[convo.Ref]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for to := range held {
		delete(s.held, to)
	}
}
