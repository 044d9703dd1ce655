package memstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

var _ report.Store = (*Store)(nil)

// Aggregate implements report.Store. It reads all that the workspace has.
func (s *Store) Aggregate(ctx context.Context, a report.Aggregation) ([]report.Cell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := report.NewCollector(a, nil)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[a.Workspace]
	if w == nil {
		return nil, nil
	}
	for _, v := range w.all.items {
		if a.TimeBasis().OfMessages() {
			v.messages(c)
		} else {
			v.cycles(w, c.AddCycle)
		}
	}
	for _, k := range w.contacts {
		k.events(func(e *convo.Event) bool {
			c.AddMessage(nil, e)
			return true
		})
	}
	return c.Aggregate()
}

// cycles yields the cycles of a conversation, in order.
func (c *conversation) cycles(w *workspace, yield func(*report.Cycle)) {
	o := c.origin
	y := report.Cycle{
		Workspace: o.of.name, Conversation: c.id, Contact: o.id, Channel: w.words[c.channel],
		Lane: w.words[c.lane], Status: convo.StatusClosed,
	}
	last := c.state
	if last == nil || last.Cycle.Number > 1 || !last.Status.Active() {
		var t convo.Snapshot
		c.events(0, func(e *convo.Event) bool {
			if e.Kind == convo.ConversationClosed { // a Move after it leaves the cycle where it was
				y.Channel, y.Lane = t.Conversation.Channel, t.Conversation.Lane
			}
			if e.Kind == convo.ConversationReopened {
				y.CreatedAt, y.NewContact = t.Conversation.CreatedAt, t.Conversation.NewContact
				y.Cycle = t.Conversation.Cycle
				yield(&y)
			}
			t = convo.Apply(t, *e)
			return true
		})
		last = &t.Conversation
	}
	y.CreatedAt, y.NewContact = last.CreatedAt, last.NewContact
	y.Status, y.Cycle = last.Status, last.Cycle
	if last.Status.Active() {
		y.Channel, y.Lane = last.Channel, last.Lane
	}
	yield(&y)
}

// messages adds the messages of a conversation to those that are collected.
func (c *conversation) messages(to *report.Collector) {
	var y report.Cycle
	c.events(0, func(e *convo.Event) bool {
		if e.Kind == convo.ConversationOpened {
			y.NewContact = e.Opening().NewContact
		}
		to.AddMessage(&y, e)
		return true
	})
}

// Cycles implements report.Store.
func (s *Store) Cycles(
	ctx context.Context, q report.CyclesQuery, f func(*report.Cycle) error,
) error {
	if err := cmp.Or(ctx.Err(), q.Validate()); err != nil {
		return err
	}
	for _, y := range s.picked(&q) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(&y); err != nil {
			return err
		}
	}
	return nil
}

// picked are the cycles that q picks, in order.
func (s *Store) picked(q *report.CyclesQuery) (all []report.Cycle) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[q.Workspace]
	if w == nil {
		return nil
	}
	for _, c := range w.all.items {
		c.cycles(w, func(y *report.Cycle) {
			if q.Has(y) {
				all = append(all, *y)
			}
		})
	}
	slices.SortFunc(all, func(a, b report.Cycle) int { return q.Compare(&a, &b) })
	return all
}

// Active implements report.Store.
func (s *Store) Active(ctx context.Context, workspace string) ([]report.ActiveCount, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	type key struct {
		status   convo.Status
		assignee string
	}
	counts := map[key]*report.ActiveCount{}
	for _, c := range w.active.items {
		if !statuses[c.status].Active() {
			continue
		}
		k := key{statuses[c.status], w.words[c.assignee]}
		n := counts[k]
		if n == nil {
			n = &report.ActiveCount{Status: k.status, Assignee: k.assignee}
			counts[k] = n
		}
		n.Count++
		if since := c.load().Cycle.WaitingSince; !since.IsZero() &&
			(n.WaitingSince.IsZero() || since.Before(n.WaitingSince)) {
			n.WaitingSince = since
		}
	}
	out := make([]report.ActiveCount, 0, len(counts))
	for _, n := range counts {
		out = append(out, *n)
	}
	return out, nil
}
