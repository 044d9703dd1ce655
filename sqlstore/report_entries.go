package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// Entries implements report.Store.
func (s *Store) Entries(
	ctx context.Context, q report.EntriesQuery, f func(*report.Entry) error,
) error {
	if err := cmp.Or(ctx.Err(), q.Validate()); err != nil {
		return err
	}
	s = s.within(ctx)
	var last report.Entry
	at := q.From.UnixMicro()
	for {
		var page []report.Entry
		more := false
		err := s.snapshot(ctx, func(s *Store) (err error) {
			page, more, err = s.entriesPage(ctx, &q, at, &last)
			return err
		})
		if err != nil {
			return err
		}
		for i := range page {
			last = page[i]
			if err := f(&page[i]); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		at = last.At.UnixMicro()
	}
}

// entriesPage is a page of the events from a time on, behind an entry.
func (s *Store) entriesPage(
	ctx context.Context, of *report.EntriesQuery, at int64, last *report.Entry,
) (page []report.Entry, more bool, err error) {
	for _, source := range []source{messages, lifecycle} {
		q := &selection{d: s.d, source: source}
		var y report.Entry
		q.addEntry(&y, nil)
		q.where = "ev.workspace = ? AND ev.at >= ? AND ev.at < ? AND " + inKinds(source.all())
		q.args = append(q.args, of.Workspace, at, of.To.UnixMicro())
		if last.Conversation != uuid.Nil {
			q.where += " AND (ev.at > ? OR ev.conversation > ? OR " +
				"ev.conversation = ? AND ev.seq > ?)"
			q.args = append(q.args, at, s.d.ID(last.Conversation), s.d.ID(last.Conversation),
				last.Seq)
		}
		statement := q.statement() + " ORDER BY ev.at, ev.conversation, ev.seq LIMIT ?"
		n := len(page)
		err := s.read(ctx, statement, append(q.args, convo.MaxPageSize),
			func(scan func(...any) error) error {
				y = report.Entry{}
				err := scan(q.dests...)
				page = append(page, y)
				return err
			})
		if err != nil {
			return nil, false, err
		}
		more = more || len(page)-n == convo.MaxPageSize
	}
	slices.SortFunc(page, func(a, b report.Entry) int { return of.Compare(&a, &b) })
	if more {
		page = page[:min(len(page), convo.MaxPageSize)]
	}
	return page, more, nil
}
