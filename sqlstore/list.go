package sqlstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Conversations implements convo.Store.
func (s *Store) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	statement, args := s.d.List(&f)
	var out []convo.Conversation
	var c convo.Conversation
	dests := dialect.Conversations.Read.Dests(nil, &c)
	err := s.rows(ctx, statement, args, func(scan func(...any) error) error {
		err := scan(dests...)
		out = append(out, c)
		return err
	})
	return out, err
}

// Counts implements convo.Store.
func (s *Store) Counts(ctx context.Context, workspace string) (out []convo.Count, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	args := []any{workspace, workspace}
	err = s.rows(ctx, dialect.Counts, args, func(scan func(...any) error) error {
		var c convo.Count
		err := scan((*dialect.Text)(&c.Lane), (*dialect.Text)(&c.Team),
			(*dialect.Text)(&c.Assignee), (*dialect.Count)(&c.Open), (*dialect.Count)(&c.Pending),
			(*dialect.Count)(&c.Waiting))
		out = append(out, c)
		return err
	})
	return out, err
}

// LastMessages implements convo.Store.
func (s *Store) LastMessages(
	ctx context.Context, workspace string, ids []uuid.UUID,
) (out []convo.Event, err error) {
	if err := ctx.Err(); err != nil || len(ids) == 0 {
		return nil, err
	}
	s = s.within(ctx)
	for some := range slices.Chunk(ids, s.d.AtOnce(len(ids), 1, 1)) {
		out, err = eventsOf(ctx, s, (*Store).many, out, dialect.Events,
			dialect.LastMessages(len(some)), s.d.IDs([]any{workspace}, some)...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
