package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Conversations implements convo.Store.
func (s *Store) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, unlock := s.sorted(f.Workspace)
	defer unlock()
	if w == nil {
		return nil, nil
	}
	var line *timeline
	switch {
	case f.Contact != "":
		line = w.ofContact(f.Contact)
	case f.Order != convo.OrderCreated || f.Waiting ||
		len(f.Status) > 0 && !slices.Contains(f.Status, convo.StatusClosed):
		line = &w.active
	default:
		line = &w.all
	}
	var words filterTokens
	if !words.of(w, &f) {
		return nil, nil // nobody has one of them
	}
	if f.Order != convo.OrderCreated {
		return w.ordered(line, &f, &words), nil
	}
	after := place{at: f.After.At.UnixMicro(), id: f.After.ID}
	var out []convo.Conversation
	for c := range line.from(after, f.After != convo.Cursor{}, f.Ascending) {
		if c.matches(&f, &words) {
			if out = append(out, c.load()); len(out) == f.Limit {
				break
			}
		}
	}
	return out, nil
}

// inOrder is an active conversation in the order of a filter.
type inOrder struct {
	priority convo.Priority
	place
	c *conversation
}

func (l inOrder) compare(m inOrder) int {
	return cmp.Or(cmp.Compare(l.priority, m.priority), l.place.compare(m.place))
}

// ordered is a page in another order than that of a timeline. It looks at all that are active.
func (w *workspace) ordered(
	line *timeline, f *convo.Filter, words *filterTokens,
) []convo.Conversation {
	after := inOrder{f.After.Priority, place{f.After.At.UnixMicro(), f.After.ID}, nil}
	sign := -1
	if f.Ascending {
		sign = 1
	}
	var all []inOrder
	for _, c := range line.items {
		if !statuses[c.status].Active() || !c.matches(f, words) {
			continue
		}
		at := f.Cursor(*c.state)
		l := inOrder{at.Priority, place{at.At.UnixMicro(), c.id}, c}
		without := at.At.IsZero() || f.Order == convo.OrderPriority && at.Priority == 0
		if without || f.After != (convo.Cursor{}) && sign*l.compare(after) <= 0 {
			continue
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b inOrder) int { return sign * a.compare(b) })
	all = all[:min(f.Limit, len(all))]
	out := make([]convo.Conversation, len(all))
	for i := range all {
		out[i] = all[i].c.load()
	}
	return out
}

// sorted locks the store and returns a workspace whose timelines are in order.
func (s *Store) sorted(workspace string) (w *workspace, unlock func()) {
	s.mu.RLock()
	w = s.workspaces[workspace]
	if w == nil || !w.all.unsorted && !w.active.unsorted {
		return w, s.mu.RUnlock
	}
	s.mu.RUnlock()
	s.mu.Lock()
	w.all.sort()
	w.active.sort()
	return w, s.mu.Unlock
}

// filterTokens are the tokens of a filter, in the order of their fields in conversation.
type filterTokens struct{ channel, lane, assignee, team, category token }

// of reports whether all words of f are known.
func (t *filterTokens) of(w *workspace, f *convo.Filter) (known bool) {
	known = true
	find := func(word string) token {
		t, ok := w.tokens[word]
		known = known && ok
		return t
	}
	*t = filterTokens{
		find(f.Channel), find(f.Lane), find(f.Assignee), find(f.Team), find(f.Category),
	}
	return known
}

func (c *conversation) matches(f *convo.Filter, t *filterTokens) bool {
	return (len(f.Status) == 0 || slices.Contains(f.Status, statuses[c.status])) &&
		(t.assignee == 0 || c.assignee == t.assignee) && (!f.Unassigned || c.assignee == 0) &&
		(t.team == 0 || c.team == t.team) &&
		(t.channel == 0 || c.channel == t.channel) &&
		(t.lane == 0 || c.lane == t.lane) && (!f.NoLane || c.lane == 0) &&
		(t.category == 0 || c.category == t.category) &&
		(!f.Assigned || c.assignee != 0) && (!f.NoTeam || c.team == 0) &&
		within(c.createdAt, f.From, f.To) && (!looksInside(f) || c.matchesInside(f))
}

// within reports whether at is in a period, either end of which may be missing.
func within(at int64, from, to time.Time) bool {
	return (from.IsZero() || at >= from.UnixMicro()) && (to.IsZero() || at < to.UnixMicro())
}

// looksInside reports whether f asks for what is only in the state of a conversation.
func looksInside(f *convo.Filter) bool {
	return len(f.Labels) > 0 || len(f.Priority) > 0 || f.Waiting || !f.ClosedFrom.IsZero() ||
		!f.ClosedTo.IsZero() || !f.ActiveFrom.IsZero() || !f.ActiveTo.IsZero()
}

func (c *conversation) matchesInside(f *convo.Filter) bool {
	v := c.state
	if v == nil {
		folded := c.fold()
		v = &folded
	}
	for _, label := range f.Labels {
		if !v.Labels.Has(label) {
			return false
		}
	}
	closed := v.Cycle.Closing.At
	return (len(f.Priority) == 0 || slices.Contains(f.Priority, v.Priority)) &&
		(!f.Waiting || v.Status.Active() && !v.Cycle.WaitingSince.IsZero()) &&
		(f.ClosedFrom.IsZero() && f.ClosedTo.IsZero() || !closed.IsZero()) &&
		within(closed.UnixMicro(), f.ClosedFrom, f.ClosedTo) &&
		within(v.LastActivityAt.UnixMicro(), f.ActiveFrom, f.ActiveTo)
}

// ofContact is a timeline of the conversations of a contact and its aliases.
func (w *workspace) ofContact(id string) *timeline {
	var line timeline
	if k := w.contacts[id]; k != nil {
		for _, k := range k.root.aliases() {
			for c := k.latest; c != nil; c = c.previous {
				line.add(c)
			}
		}
	}
	line.sort()
	return &line
}

// Counts implements convo.Store.
func (s *Store) Counts(ctx context.Context, workspace string) ([]convo.Count, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	by := map[[3]token]*convo.Count{}
	for _, c := range w.active.items {
		if !statuses[c.status].Active() {
			continue
		}
		of := [...]token{c.lane, c.team, c.assignee}
		n := by[of]
		if n == nil {
			n = &convo.Count{
				Lane: w.words[c.lane], Team: w.words[c.team], Assignee: w.words[c.assignee],
			}
			by[of] = n
		}
		if statuses[c.status] == convo.StatusOpen {
			n.Open++
		} else {
			n.Pending++
		}
		if !c.state.Cycle.WaitingSince.IsZero() {
			n.Waiting++
		}
	}
	var out []convo.Count
	for _, n := range by {
		out = append(out, *n)
	}
	return out, nil
}

// LastMessages implements convo.Store.
func (s *Store) LastMessages(
	ctx context.Context, workspace string, ids []uuid.UUID,
) ([]convo.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	var out []convo.Event
	for _, id := range ids {
		if c := w.conversations[id]; c != nil {
			out = append(out, c.lastMessage()...)
		}
	}
	return out, nil
}

// lastMessage is the last message of c and what is about messages after it. It reads the log from
// its end, batch by batch.
func (c *conversation) lastMessage() []convo.Event {
	o := c.origin
	var tail []convo.Event // the last one first
	echoes := map[uuid.UUID]bool{}
	for i := len(c.log) - 1; i >= 0; i-- {
		var batch []convo.Event
		e := convo.Event{Workspace: o.of.name, Conversation: c.id}
		decode(c.log[i], &e, o.id, func(e *convo.Event) bool {
			if r := e.Row(); isMessage(e) || r.Message != uuid.Nil {
				batch = append(batch, taken(e))
			}
			return true
		})
		slices.Reverse(batch)
		for _, e := range batch {
			tail = append(tail, e)
			if d, ok := e.Payload.(*convo.Duplicated); ok {
				echoes[d.Duplicate] = true
			}
			if isMessage(&e) && !echoes[e.ID] {
				slices.Reverse(tail)
				return tail
			}
		}
	}
	return nil
}

func isMessage(e *convo.Event) bool {
	return e.Kind == convo.MessageReceived || e.Kind == convo.MessageSent
}
