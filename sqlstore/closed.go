package sqlstore

import (
	"context"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// closedWorkspaces is of how many workspaces one call looks for closings.
const closedWorkspaces = 100

// ClosedBefore implements convo.Store, by the index of reports, which is by workspace.
func (s *Store) ClosedBefore(
	ctx context.Context, q convo.ClosedQuery,
) (all []convo.Closed, next convo.ClosedPlace, err error) {
	if err := ctx.Err(); err != nil {
		return nil, next, err
	}
	s = s.within(ctx)
	after := q.After
	for range closedWorkspaces {
		if after.Workspace != "" {
			at, id := after.At.UnixMicro(), s.d.ID(after.Conversation)
			args := []any{
				after.Workspace, at, q.Before.UnixMicro(), at, id, q.Limit - len(all),
			}
			err = s.rows(ctx, s.d.ClosedBefore(), args, func(scan func(...any) error) error {
				c := convo.Closed{ClosedPlace: convo.ClosedPlace{Workspace: after.Workspace}}
				var state dialect.Int
				err := scan((*dialect.Micros)(&c.At), (*dialect.ID)(&c.Conversation), &state)
				c.Standing, c.Unpruned = state > 0, state > 1
				all = append(all, c)
				return err
			})
			switch {
			case err != nil:
				return nil, next, err
			case len(all) == q.Limit:
				return all, all[q.Limit-1].ClosedPlace, nil
			}
		}
		var workspace dialect.Text
		found, err := s.row(ctx, dialect.NextWorkspace, []any{after.Workspace}, []any{&workspace})
		if err != nil || !found {
			return all, next, err
		}
		after = convo.ClosedPlace{Workspace: string(workspace)}
	}
	return all, after, nil
}
