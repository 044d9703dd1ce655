package sqlstore

import (
	"context"
	"strconv"

	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// MaxRollupBacklog is as far as RollupBacklog counts.
const MaxRollupBacklog = 10_000

var countWaiting = "SELECT count(*) FROM (SELECT 1 FROM convo_rollup_queue LIMIT " +
	strconv.Itoa(MaxRollupBacklog) + ") AS waiting"

// RollupBacklog counts the conversations, of all workspaces, that have events which are in no
// rollup yet: MaxRollupBacklog stands for that many or more, so that it is cheap also right after a
// migration, when all of them wait. What reports read grows with it, but not what they say.
func (s *Store) RollupBacklog(ctx context.Context) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var n dialect.Count
	_, err := s.within(ctx).row(ctx, countWaiting, nil, []any{&n})
	return int(n), err
}
