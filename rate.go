package convo

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// How cycles are rated: the running one, the last one, or one before it.

// cycle is the cycle of the conversation with a number, or nil.
func (s *Snapshot) cycle(number int) *Cycle {
	if number == s.Conversation.Cycle.Number {
		return &s.Conversation.Cycle
	}
	for i := range s.Earlier {
		if s.Earlier[i].Number == number {
			return &s.Earlier[i]
		}
	}
	return nil
}

// rating keeps what c is, and of the cycle that is rated whose it is.
func (b *Before) rating(c *Conversation, rated *Cycle) {
	c.before(ConversationRated, b)
	b.Cycle, b.OpenedSource = rated.Number, rated.OpenedSource
	b.Assignee, b.Team, b.ClosedBy = rated.LastAssignee, rated.LastTeam, rated.Closing.By
}

// rate writes a rating of the cycle that o names; else of the last closed one, if that has none yet
// or if no other one runs; else of the running one.
func (w *decider) rate(s *Snapshot, o *fields) {
	c := &s.Conversation
	rated := s.cycle(o.ratedCycle(c))
	e := w.add(s, o, ConversationRated)
	r := &Rated{Score: o.score, Comment: o.text, Replaces: rated.Rating != (Rating{})}
	r.rating(c, rated)
	e.Payload = r
	w.apply(s, e)
	if r.Cycle < c.Cycle.Number {
		w.rateEarlier(s, r, e.At)
	} else {
		w.cycleClosed = w.cycleClosed || !c.Status.Active()
	}
}

// rateEarlier keeps a rating with a cycle before the conversation's present one.
func (w *decider) rateEarlier(s *Snapshot, r *Rated, at time.Time) {
	s.Earlier = slices.Clone(s.Earlier) // the caller's stay as they are
	rated, c := s.cycle(r.Cycle), &s.Conversation
	rated.rate(*r, at)
	i := slices.IndexFunc(w.cycles, func(y CycleRow) bool {
		return y.Conversation == c.ID && y.Number == r.Cycle
	})
	if i < 0 {
		i = len(w.cycles)
		w.cycles = append(w.cycles, CycleRow{c.ID, c.Channel, c.Lane, Cycle{}})
	}
	w.cycles[i].Cycle = *rated
}

func (o *fields) ratedCycle(c *Conversation) int {
	switch {
	case o.cycle != 0:
		return o.cycle
	case c.Unrated != 0:
		return c.Unrated
	}
	return c.Cycle.Number
}

// rate keeps a rating, with the time of the first one.
func (c *Cycle) rate(r Rated, at time.Time) {
	if c.Rating != (Rating{}) {
		at = c.Rating.At
	}
	c.Rating = Rating{at, r.Score, r.Comment}
}

// ratesEarlier reports whether one of cmds is about a cycle before the one that was loaded.
func ratesEarlier(cmds []Command, c *Conversation) bool {
	for _, cmd := range cmds {
		r, ok := cmd.(Rate)
		if n := cmp.Or(r.Cycle, c.Unrated); ok && n > 0 && n < c.Cycle.Number {
			return true
		}
	}
	return false
}

// withEarlier is s with the cycles before the present one.
func (e *Engine) withEarlier(ctx context.Context, s Snapshot) (Snapshot, error) {
	c := &s.Conversation
	var err error
	s.Earlier, err = e.earlierCycles(ctx, c)
	return s, err
}
