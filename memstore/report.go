package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

var _ report.Store = (*Store)(nil)

// Aggregate implements report.Store. It reads all that the workspace has, and what is left of
// conversations that were removed.
func (s *Store) Aggregate(ctx context.Context, a report.Aggregation) ([]report.Cell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := report.NewCollector(a, nil)
	if err != nil {
		return nil, err
	}
	defer s.reading(ctx)()
	w := s.workspaces[a.Workspace]
	if w == nil {
		return nil, nil
	}
	cycles := needsCycles(a.Subject())
	var y report.Entry
	for _, all := range [...][]*conversation{w.all.items, w.removed} {
		for _, v := range all {
			v.entries(w, cycles, &y, c.AddEntry)
		}
	}
	if a.Subject() == report.OfMessages {
		for _, k := range w.contacts {
			k.events(func(e *convo.Event) bool {
				y.Of(e, nil, nil)
				c.AddEntry(&y)
				return true
			})
		}
	}
	return c.Aggregate()
}

// needsCycles reports whether the cycles of what a subject is are counted by.
func needsCycles(s report.Subject) bool {
	return s == report.OfClosings || s == report.OfRatings
}

// Counted implements report.Store. It reads all that the workspace has.
func (s *Store) Counted(
	ctx context.Context, q report.CountedQuery,
) ([]report.Counted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := report.NewCounter(q)
	if err != nil {
		return nil, err
	}
	defer s.reading(ctx)()
	w := s.workspaces[q.Workspace]
	if w == nil {
		return nil, nil
	}
	var y report.Entry
	for _, v := range w.all.items {
		v.entries(w, needsCycles(q.Subject()), &y, c.AddEntry)
	}
	return c.Counted(), nil
}

// heldKey finds in a context that the store is held for reading.
type heldKey struct{ s *Store }

// AtOneMoment implements report.Store.
func (s *Store) AtOneMoment(ctx context.Context, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer s.reading(ctx)()
	return f(context.WithValue(ctx, heldKey{s}, true))
}

// reading holds the store for reading, unless ctx says that it is held; the caller lets it go.
func (s *Store) reading(ctx context.Context) (letGo func()) {
	if ctx.Value(heldKey{s}) != nil {
		return func() {}
	}
	s.mu.RLock()
	return s.mu.RUnlock
}

// entries yields the events of a conversation, with their cycles if asked.
func (c *conversation) entries(
	w *workspace, cycles bool, y *report.Entry, yield func(*report.Entry),
) {
	var all []convo.Cycle // by number, from 1
	if cycles {
		c.cycles(w, func(y *report.Cycle) { all = append(all, y.Cycle) })
	}
	about := convo.Conversation{Origin: c.origin.id}
	c.events(0, func(e *convo.Event) bool {
		if e.Kind == convo.ConversationOpened {
			about.CreatedAt, about.NewContact = e.At, e.Opening().NewContact
		}
		var cycle *convo.Cycle
		rated := e.Kind == convo.ConversationRated
		if n := e.Before().Cycle; cycles && (e.Kind == convo.ConversationClosed || rated) && n > 0 {
			cycle = &all[n-1]
		}
		y.Of(e, &about, cycle)
		yield(y)
		return true
	})
}

// cycles yields the cycles of a conversation, in order.
func (c *conversation) cycles(w *workspace, yield func(*report.Cycle)) {
	o := c.origin
	y := report.Cycle{
		Workspace: o.of.name, Conversation: c.id, Contact: o.id, Channel: w.words[c.channel],
		Lane: w.words[c.lane], Status: convo.StatusClosed,
	}
	var closed []report.Cycle // which may be rated later
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
				closed = append(closed, y)
			}
			if r := e.Rated(); r.Cycle > 0 && r.Cycle <= len(closed) {
				rate(&closed[r.Cycle-1].Rating, &r, e.At)
			}
			t = convo.Apply(t, *e)
			return true
		})
		last = &t.Conversation
	}
	for i := range closed {
		yield(&closed[i])
	}
	y.CreatedAt, y.NewContact = last.CreatedAt, last.NewContact
	y.Status, y.Cycle = last.Status, last.Cycle
	if last.Status.Active() {
		y.Channel, y.Lane = last.Channel, last.Lane
	}
	yield(&y)
}

// rate keeps a rating, with the time of the first one.
func rate(of *convo.Rating, r *convo.Rated, at time.Time) {
	if !r.Replaces {
		of.At = at
	}
	of.Score, of.Comment = r.Score, r.Comment
}

// Cycles implements report.Store.
func (s *Store) Cycles(
	ctx context.Context, q report.CyclesQuery, f func(*report.Cycle) error,
) error {
	if err := cmp.Or(ctx.Err(), q.Validate()); err != nil {
		return err
	}
	for _, y := range s.picked(ctx, &q) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(&y); err != nil {
			return err
		}
	}
	return nil
}

// Entries implements report.Store.
func (s *Store) Entries(
	ctx context.Context, q report.EntriesQuery, f func(*report.Entry) error,
) error {
	if err := cmp.Or(ctx.Err(), q.Validate()); err != nil {
		return err
	}
	all := s.entriesOf(ctx, &q)
	for i := range all {
		if err := f(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) entriesOf(ctx context.Context, q *report.EntriesQuery) (all []report.Entry) {
	defer s.reading(ctx)()
	w := s.workspaces[q.Workspace]
	if w == nil {
		return nil
	}
	var y report.Entry
	from, to := q.From.UnixMicro(), q.To.UnixMicro()
	for _, c := range w.all.items {
		c.entries(w, true, &y, func(y *report.Entry) {
			at := y.At.UnixMicro()
			if from <= at && at < to && (slices.Contains(report.LifecycleKinds, y.Kind) ||
				slices.Contains(report.MessageKinds, y.Kind)) {
				all = append(all, *y)
			}
		})
	}
	slices.SortFunc(all, func(a, b report.Entry) int { return q.Compare(&a, &b) })
	return all
}

// picked are the cycles that q picks, in order.
func (s *Store) picked(ctx context.Context, q *report.CyclesQuery) (all []report.Cycle) {
	defer s.reading(ctx)()
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
	defer s.reading(ctx)()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	counts := map[report.ActiveCount]*report.ActiveCount{}
	for _, c := range w.active.items {
		if !statuses[c.status].Active() {
			continue
		}
		k := report.ActiveCount{
			Status: statuses[c.status], Assignee: w.words[c.assignee], Team: w.words[c.team],
			Lane: w.words[c.lane], Channel: w.words[c.channel],
		}
		cycle := c.load().Cycle
		n := counts[k]
		if n == nil {
			first := k
			first.OpenedAt = cycle.OpenedAt
			n = &first
			counts[k] = n
		}
		n.Count++
		if cycle.OpenedAt.Before(n.OpenedAt) {
			n.OpenedAt = cycle.OpenedAt
		}
		if since := cycle.WaitingSince; !since.IsZero() &&
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
