package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Due implements convo.Store.
func (s *Store) Due(ctx context.Context, q convo.DueQuery) ([]convo.DueConversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	ask := (*Store).rows
	if len(q.Except) > 0 { // its text depends on their number
		ask = (*Store).many
	}
	out := make([]convo.DueConversation, 0, min(q.Limit, convo.MaxPageSize))
	err := ask(s, ctx, s.d.Due(len(q.Except)), s.d.DueArgs(&q),
		func(scan func(...any) error) error {
			var d convo.DueConversation
			err := scan((*dialect.Text)(&d.Ref.Workspace), (*dialect.ID)(&d.Ref.Conversation),
				(*dialect.Micros)(&d.DueAt), (*dialect.Text)(&d.Lane), (*dialect.Text)(&d.Channel))
			out = append(out, d)
			return err
		})
	return out, err
}

// LockDue implements convo.DueLocker. The rows of conversations are held, and no others: whoever
// waits for one of them has a command for that conversation, or merges its contact. Nothing is
// waited for, so that nothing can be waited for in a circle.
func (s *Store) LockDue(
	ctx context.Context, before time.Time, due []convo.Ref,
	f func(ctx context.Context, held []convo.Snapshot) error,
) error {
	return s.Locked(ctx, "", func(ctx context.Context) error {
		in := s.within(ctx)
		var held []convo.Snapshot
		for some := range slices.Chunk(due, maxMany) {
			free, err := in.lockDue(ctx, before.UnixMicro(), some)
			if err == nil && len(free) > 0 {
				held, err = in.loadDue(ctx, before.UnixMicro(), free, held)
			}
			if err != nil {
				return err
			}
		}
		if len(held) == 0 {
			return nil
		}
		return f(ctx, held)
	})
}

// lockDue holds those of some that are due and free.
func (s *Store) lockDue(
	ctx context.Context, before int64, some []convo.Ref,
) (free []convo.Ref, err error) {
	if !s.d.Locks() { // the transaction holds everything
		return some, nil
	}
	statement, args := s.d.LockDue(before, some)
	err = s.many(ctx, statement, args, func(scan func(...any) error) error {
		var to convo.Ref
		err := scan((*dialect.Text)(&to.Workspace), (*dialect.ID)(&to.Conversation))
		free = append(free, to)
		return err
	})
	return free, err
}

// loadDue adds the snapshots of those of some that are due. The rows were held by a statement
// before it, for one that has waited for nothing may still show what was there when it began.
func (s *Store) loadDue(
	ctx context.Context, before int64, some []convo.Ref, to []convo.Snapshot,
) ([]convo.Snapshot, error) {
	statement, args := s.d.LoadDue(before, some)
	err := s.loadMany(ctx, statement, args, nil, func(t *convo.Snapshot) {
		t.Ref = convo.ToConversation(t.Conversation.Workspace, t.Conversation.ID)
		to = append(to, *t)
	})
	return to, err
}
