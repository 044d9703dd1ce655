package scenario

import (
	"context"
	"time"

	"github.com/chatlifecycle/convo"
)

// Recorder is an engine that writes down what it is asked to do. It is not safe for concurrent use.
type Recorder struct {
	*convo.Engine
	Script
	Clock interface{ Now() time.Time }
}

// Do implements Engine.Do.
func (r *Recorder) Do(
	ctx context.Context, to convo.Ref, cmds ...convo.Command,
) (convo.Result, error) {
	r.At(r.Clock.Now())
	r.Script.Do(to, cmds...)
	res, err := r.Engine.Do(ctx, to, cmds...)
	r.Saw(res.Events)
	return res, err
}

// Merge implements Engine.Merge.
func (r *Recorder) Merge(ctx context.Context, m convo.Merge) (convo.MergeResult, error) {
	r.At(r.Clock.Now())
	r.Script.Merge(m)
	return r.Engine.Merge(ctx, m)
}

// Unmerge implements Engine.Unmerge.
func (r *Recorder) Unmerge(ctx context.Context, m convo.Unmerge) (convo.UnmergeResult, error) {
	r.At(r.Clock.Now())
	r.Script.Unmerge(m)
	return r.Engine.Unmerge(ctx, m)
}

// Tick implements Engine.Tick.
func (r *Recorder) Tick(ctx context.Context, limit int) (int, error) {
	r.At(r.Clock.Now())
	r.Script.Tick()
	return r.Engine.Tick(ctx, limit)
}

// Erase implements Engine.Erase.
func (r *Recorder) Erase(ctx context.Context, x convo.Erase) (convo.EraseResult, error) {
	r.At(r.Clock.Now())
	r.Script.Erase(x)
	return r.Engine.Erase(ctx, x)
}

// Prune implements Engine.Prune. Of several calls that follow one another it writes down one.
func (r *Recorder) Prune(
	ctx context.Context, keep convo.Retention, after convo.PrunePlace, limit int,
) (convo.Pruned, error) {
	if after == (convo.PrunePlace{}) {
		r.At(r.Clock.Now())
		r.Script.Prune(keep)
	}
	return r.Engine.Prune(ctx, keep, after, limit)
}
