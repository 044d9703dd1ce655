package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
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
	for _, running := range []bool{true, false} {
		if running && of.By == report.ByClosing {
			continue
		}
		var y report.Cycle
		statement, dests := selectCycles(of.By, running, &y)
		if running {
			statement += " AND cy.active = " + s.d.Boolean(true)
		}
		statement += orderOfCycles(of.By, running)
		n := len(page)
		err := s.rows(ctx, statement, args, func(scan func(...any) error) error {
			y = report.Cycle{}
			err := scan(dests...)
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

// selectCycles selects the cycles that are behind a place in a period.
func selectCycles(by report.TimeBasis, running bool, y *report.Cycle) (string, []any) {
	from, conversation, status := "convo_cycles cy JOIN convo_conversations cv ON "+
		"cv.workspace = cy.workspace AND cv.id = cy.conversation", "cv.", "'closed'"
	if running {
		from, conversation, status = "convo_conversations cy", "cy.", "cy.status"
	}
	at, id := timeOfCycle(by, running), idOfCycle(running)
	dests := dialect.Cycle.Dests([]any{
		(*dialect.Text)(&y.Workspace), (*dialect.ID)(&y.Conversation), (*dialect.Text)(&y.Contact),
		(*dialect.Text)(&y.Channel), (*dialect.Text)(&y.Lane), (*dialect.Micros)(&y.CreatedAt),
		(*dialect.Flag)(&y.NewContact), (*dialect.Text)(&y.Status),
	}, &y.Cycle)
	return "SELECT cy.workspace, " + id + ", " + conversation + "origin, cy.channel, cy.lane, " +
		conversation + "created_at, " + conversation + "new_contact, " + status + ", " +
		dialect.Cycle.Qualify("cy") + " FROM " + from + " WHERE cy.workspace = ? AND " + at +
		" >= ? AND " + at + " < ? AND (" + at + " > ? OR " + id + " > ? OR " + id +
		" = ? AND cy.number > ?)", dests
}

func orderOfCycles(by report.TimeBasis, running bool) string {
	return " ORDER BY " + timeOfCycle(by, running) + ", " + idOfCycle(running) +
		", cy.number LIMIT ?"
}

func timeOfCycle(by report.TimeBasis, running bool) string {
	switch {
	case by == report.ByClosing:
		return "cy.closed_at"
	case running:
		return "cy.opened_at + 0" // or PostgreSQL looks by this among all that were ever opened
	}
	return "cy.opened_at"
}

func idOfCycle(running bool) string {
	if running {
		return "cy.id"
	}
	return "cy.conversation"
}
