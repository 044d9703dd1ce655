package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Counted implements report.Store. It reads all events of the period that the measure may count,
// for each page: they lie by time, and a page is by conversation.
func (s *Store) Counted(
	ctx context.Context, q report.CountedQuery,
) (page []report.Counted, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := report.NewCounter(q)
	if err != nil {
		return nil, err
	}
	err = s.within(ctx).snapshot(ctx, func(s *Store) error {
		if q.Measures[0].Working() || q.Subject().Splits() || severalOf(&q.Aggregation) != "" {
			from, to := ends(q.Boundaries) // only Go knows these
			err := s.eachEntry(ctx, &q.Aggregation, allEvents, from, to, c.AddEntry)
			if err != nil {
				return err
			}
			page = c.Counted()
			return nil
		}
		for _, source := range sourcesOf(q.Subject()) {
			if source == ownMessages {
				continue // they have no conversation
			}
			more, err := s.countedIn(ctx, source, &q)
			if err != nil {
				return err
			}
			page = added(page, more)
		}
		page = page[:min(len(page), q.Limit)]
		return nil
	})
	return page, err
}

// countedIn is a page of the conversations in one source.
func (s *Store) countedIn(
	ctx context.Context, source source, of *report.CountedQuery,
) (page []report.Counted, err error) {
	q := &selection{d: s.d, source: source}
	var c report.Counted
	x := of.Measures[0].SQL(q.column)
	q.add("ev.conversation", (*dialect.ID)(&c.Conversation))
	q.add("sum("+x.Count+")", (*dialect.Int)(&c.Count))
	if x.Value != "" {
		q.add("sum("+x.Value+")", (*dialect.Int)(&c.Sum))
	}
	from, to := ends(of.Boundaries)
	q.filter(&of.Aggregation, from, to)
	q.where += " AND ev.conversation > ?"
	q.args = append(q.args, s.d.ID(of.After), of.Limit)
	statement := q.statement() + " GROUP BY ev.conversation HAVING sum(" + x.Count + ") <> 0 " +
		"ORDER BY ev.conversation LIMIT ?"
	err = s.read(ctx, statement, q.args, func(scan func(...any) error) error {
		err := scan(q.dests...)
		page = append(page, c)
		return err
	})
	return page, err
}

// added are the conversations of both lists, in order.
func added(a, b []report.Counted) []report.Counted {
	at := make(map[uuid.UUID]int, len(a))
	for i := range a {
		at[a[i].Conversation] = i
	}
	for _, c := range b {
		if i, both := at[c.Conversation]; both {
			a[i].Count, a[i].Sum = a[i].Count+c.Count, a[i].Sum+c.Sum
		} else {
			a = append(a, c)
		}
	}
	slices.SortFunc(a, func(a, b report.Counted) int {
		return bytes.Compare(a.Conversation[:], b.Conversation[:])
	})
	return a
}
