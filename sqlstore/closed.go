package sqlstore

import (
	"context"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// ClosedBefore implements convo.Store, by the index of reports, which is by workspace.
func (s *Store) ClosedBefore(
	ctx context.Context, q convo.ClosedQuery,
) (all []convo.Closed, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	for after := q.After; err == nil; {
		if after.Workspace != "" {
			at, id := after.At.UnixMicro(), s.d.ID(after.Conversation)
			args := []any{
				after.Workspace, at, q.Before.UnixMicro(), at, id, q.Limit - len(all),
			}
			err = s.rows(ctx, s.d.ClosedBefore(), args, func(scan func(...any) error) error {
				c := convo.Closed{ClosedPlace: convo.ClosedPlace{Workspace: after.Workspace}}
				err := scan((*dialect.Micros)(&c.At), (*dialect.ID)(&c.Conversation),
					(*dialect.Flag)(&c.Unpruned))
				all = append(all, c)
				return err
			})
			if err != nil || len(all) == q.Limit {
				break
			}
		}
		var next dialect.Text
		found, err := s.row(ctx, dialect.NextWorkspace, []any{after.Workspace}, []any{&next})
		if err != nil || !found {
			return all, err
		}
		after = convo.ClosedPlace{Workspace: string(next)}
	}
	return all, err
}
