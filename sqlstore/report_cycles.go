package sqlstore

import (
	"cmp"
	"context"
	"fmt"
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

// cyclesOf is where an export finds cycles: those that run, in their conversations, or closed ones,
// by the events that opened or closed them. These have an index by time for reports, so that a
// closing writes no other one.
type cyclesOf struct {
	event convo.EventKind // zero: those that run
	cycle string          // which of a conversation's it is
}

var exportedCycles = map[report.TimeBasis][]cyclesOf{
	// First those that run: one that is closed between the two is in both then, and not in none.
	report.ByOpening: {
		{},
		{convo.ConversationOpened, "cy.number = 1"},
		{convo.ConversationReopened, "cy.number = ev.cycle + 1"}, // which says what was before
	},
	report.ByClosing: {{convo.ConversationClosed, "cy.number = ev.cycle"}},
}

// cyclesPage is a page behind a place, of those that are closed and those that run.
func (s *Store) cyclesPage(
	ctx context.Context, of *report.CyclesQuery, at int64, id uuid.UUID, number int,
) (page []report.Cycle, more bool, err error) {
	args := []any{
		of.Workspace, at, of.To.UnixMicro(), at, s.d.ID(id), s.d.ID(id), number, convo.MaxPageSize,
	}
	for _, from := range exportedCycles[of.By] {
		var y report.Cycle
		statement, dests := s.selectCycles(from, &y)
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
func (s *Store) selectCycles(of cyclesOf, y *report.Cycle) (statement string, dests []any) {
	dests = dialect.Cycle.Dests([]any{
		(*dialect.Text)(&y.Workspace), (*dialect.ID)(&y.Conversation), (*dialect.Text)(&y.Contact),
		(*dialect.Text)(&y.Channel), (*dialect.Text)(&y.Lane), (*dialect.Micros)(&y.CreatedAt),
		(*dialect.Flag)(&y.NewContact), (*dialect.Text)(&y.Status),
	}, &y.Cycle)
	const page = " AND %[1]s >= ? AND %[1]s < ? AND (%[1]s > ? OR %[2]s > ? OR %[2]s = ? AND" +
		" cy.number > ?) ORDER BY %[1]s, %[2]s, %[3]s LIMIT ?"
	if of.event == 0 {
		return "SELECT cy.workspace, cy.id, cy.origin, cy.channel, cy.lane, cy.created_at, " +
				"cy.new_contact, cy.status, " + dialect.Cycle.Qualify("cy") +
				" FROM convo_active ac" +
				s.d.LookUp("convo_conversations", "cy",
					"cy.workspace = ac.workspace AND cy.id = ac.id") +
				" WHERE ac.workspace = ?" + fmt.Sprintf(page, "cy.opened_at", "cy.id", "cy.number"),
			dests
	}
	return "SELECT cy.workspace, cy.conversation, cv.origin, cy.channel, cy.lane, cv.created_at, " +
		"cv.new_contact, 'closed', " + dialect.Cycle.Qualify("cy") + " FROM convo_events ev" +
		s.d.LookUp("convo_cycles", "cy", "cy.workspace = ev.workspace"+
			" AND cy.conversation = ev.conversation AND "+of.cycle) +
		s.d.LookUp("convo_conversations", "cv",
			"cv.workspace = ev.workspace AND cv.id = ev.conversation") +
		" WHERE ev.workspace = ? AND ev.kind = '" + of.event.String() + "'" +
		fmt.Sprintf(page, "ev.at", "ev.conversation", "ev.seq"), dests
}
