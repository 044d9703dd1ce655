package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// Cycles implements report.Store.
func (s *Store) Cycles(
	ctx context.Context, q report.CyclesQuery, f func(*report.Cycle) error,
) error {
	if err := cmp.Or(ctx.Err(), q.Validate()); err != nil {
		return err
	}
	s = s.within(ctx)
	at, id, number := q.From.UnixMicro(), uuid.Nil, 0
	for {
		page, more, err := s.cyclesPage(ctx, &q, at, id, number)
		if err != nil {
			return err
		}
		for i := range page {
			if err := f(&page[i]); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		last := &page[len(page)-1]
		at, id, number = q.By.At(last).UnixMicro(), last.Conversation, last.Number
	}
}

// cyclesPage is a page behind a place, of those that are closed and those that run.
func (s *Store) cyclesPage(
	ctx context.Context, of *report.CyclesQuery, at int64, id uuid.UUID, number int,
) (page []report.Cycle, more bool, err error) {
	args := []any{
		of.Workspace, at, of.To.UnixMicro(), at, s.d.ID(id), s.d.ID(id), number, convo.MaxPageSize,
	}
	// First those that run: one that is closed between the two is in both then, and not in none.
	sources := sourcesOf(of.By)
	slices.Reverse(sources)
	for _, source := range sources {
		var y report.Cycle
		q := &selection{d: s.d, source: source}
		q.addCycle(&y)
		at, id := of.By.SQL(q.column), q.columns[1]
		if source == runningCycles {
			at += " + 0" // or PostgreSQL looks by this among all that were ever opened
		}
		q.where = "cy.workspace = ? AND " + at + " >= ? AND " + at + " < ? AND (" +
			at + " > ? OR " + id + " > ? OR " + id + " = ? AND cy.number > ?)"
		if source == runningCycles {
			q.where += " AND cy.active = " + s.d.Boolean(true)
		}
		statement := q.statement() + " ORDER BY " + at + ", " + id + ", cy.number LIMIT ?"
		n := len(page)
		err := s.rows(ctx, statement, args, func(scan func(...any) error) error {
			y = report.Cycle{}
			err := scan(q.dests...)
			page = append(page, y)
			return err
		})
		if err != nil {
			return nil, false, err
		}
		more = more || len(page)-n == convo.MaxPageSize
	}
	slices.SortFunc(page, func(a, b report.Cycle) int {
		return cmp.Or(of.Compare(&a, &b), cmp.Compare(a.Status, b.Status)) // closed comes first
	})
	page = slices.CompactFunc(page, func(a, b report.Cycle) bool { return of.Compare(&a, &b) == 0 })
	if more {
		page = page[:min(len(page), convo.MaxPageSize)]
	}
	return page, more, nil
}
