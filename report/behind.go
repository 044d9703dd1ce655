package report

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Counted is a conversation that a figure counts.
type Counted struct {
	Conversation uuid.UUID `json:"conversation"`
	// Count is how often, Sum how long together, in microseconds, or all of the scores.
	Count int64 `json:"count"`
	Sum   int64 `json:"sum,omitempty"`
}

// CountedQuery asks a store for the conversations behind a figure.
type CountedQuery struct {
	// Aggregation has one measure and one bucket. GroupBy and Quantiles do not count.
	Aggregation
	After uuid.UUID // only conversations with a greater id
	Limit int       // at most so many; at least 1
}

// Validate is as [Aggregation.Validate].
func (q *CountedQuery) Validate() error {
	switch {
	case len(q.Measures) > 1:
		return invalid("measures", "must be one")
	case len(q.Boundaries) > 2:
		return invalid("boundaries", "must be two")
	case q.Limit < 1:
		return invalid("limit", "must be at least 1")
	}
	return q.Aggregation.Validate()
}

// Behind says which conversations a figure of q counts: a measure of Run's report, over the period
// from q.From to q.To, of what q.Filter and q.Exclude let through. For a point of a series, ask
// with its period; for a group, with a filter by its value. They come in the order of their ids, up
// to limit (1 to convo.MaxPageSize; 0: convo.DefaultPageSize), behind the conversation after. The
// counts add up to that of the figure, unless it counts different things, or messages of contacts
// without a conversation, which are behind no conversation.
//
// Each page reads all events of the period that the measure may count; of a backlog, those from the
// beginning on, and it has a count of each conversation that there ever was in memory. What q
// cannot be asked, and a measure that its report does not have, is a *convo.ValidationError.
func Behind(
	ctx context.Context, s Store, q Query, m Measure, after uuid.UUID, limit int,
) ([]Counted, error) {
	p, err := planOf(&q)
	if err != nil {
		return nil, err
	}
	switch {
	case limit == 0:
		limit = convo.DefaultPageSize
	case limit < 0 || limit > convo.MaxPageSize:
		return nil, invalid("limit", fmt.Sprintf("must be from 1 to %d", convo.MaxPageSize))
	}
	c := CountedQuery{
		Aggregation: Aggregation{
			Workspace: q.Workspace, Measures: []Measure{m}, Filter: q.Filter, Exclude: q.Exclude,
			Calendar: q.Calendar,
		},
		After: after, Limit: limit,
	}
	c.Boundaries = append(c.Boundaries, q.From, q.To)
	has := func(t part) bool { return slices.Contains(t.measures, m) }
	switch {
	case p.backlog && m == Backlog:
		return behindBacklog(ctx, s, c)
	case p.backlog || !slices.ContainsFunc(p.parts, has):
		var has []Measure
		for _, t := range p.parts {
			has = append(has, t.measures...)
		}
		if p.backlog {
			has = []Measure{Backlog}
		}
		return nil, invalid("measure", fmt.Sprintf("%q is not in the report, which has, with "+
			"these filters: %s", m, join(has)))
	}
	return s.Counted(ctx, c)
}

// behindBacklog are the conversations that entered once more than they left.
func behindBacklog(ctx context.Context, s Store, q CountedQuery) (active []Counted, err error) {
	limit := q.Limit
	// A page of each would read all events again.
	q.Boundaries[0], q.Limit = dawn, math.MaxInt32
	err = s.AtOneMoment(ctx, func(ctx context.Context) error {
		q.Measures = []Measure{Entered}
		entered, err := s.Counted(ctx, q)
		if err != nil {
			return err
		}
		q.Measures = []Measure{Left}
		left, err := s.Counted(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range entered {
			if i, found := slices.BinarySearchFunc(left, c, compareCounted); found {
				c.Count -= left[i].Count
			}
			if c.Count != 0 && len(active) < limit {
				active = append(active, c)
			}
		}
		return nil
	})
	return active, err
}

func compareCounted(a, b Counted) int {
	return bytes.Compare(a.Conversation[:], b.Conversation[:])
}

// Counter finds the conversations behind a figure. It is for stores; not safe for concurrent use.
type Counter struct {
	q  CountedQuery
	c  *Collector
	by map[uuid.UUID]*Counted
}

// NewCounter returns a Counter for q. It fails as [CountedQuery.Validate] does.
func NewCounter(q CountedQuery) (*Counter, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	q.GroupBy = ""
	c, err := NewCollector(q.Aggregation, nil)
	return &Counter{q, c, map[uuid.UUID]*Counted{}}, err
}

// AddEntry adds what an entry counts for.
func (c *Counter) AddEntry(y *Entry) {
	if y.Conversation != uuid.Nil && bytes.Compare(y.Conversation[:], c.q.After[:]) > 0 {
		c.c.things(y, c.addThing)
	}
}

func (c *Counter) addThing(y *Entry) {
	m := c.c.measures[0]
	n, micros := m.of(y, c.q.Calendar)
	if n == 0 {
		return
	}
	found := c.by[y.Conversation]
	if found == nil {
		found = &Counted{Conversation: y.Conversation}
		c.by[y.Conversation] = found
	}
	found.Count, found.Sum = found.Count+n, found.Sum+micros
}

// Counted is a page of what was added, as Store.Counted returns it.
func (c *Counter) Counted() []Counted {
	all := make([]Counted, 0, len(c.by))
	for _, n := range c.by {
		if n.Count != 0 {
			all = append(all, *n)
		}
	}
	slices.SortFunc(all, compareCounted)
	return all[:min(len(all), c.q.Limit)]
}
