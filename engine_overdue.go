package convo

import (
	"context"
	"iter"
	"time"
)

// Overdue is a conversation on which something is due, and what: see [Engine.Overdue].
type Overdue struct {
	Conversation Conversation `json:"conversation"`
	// Timer is the first one that is due. More may be due after it.
	Timer Timer `json:"timer"`
}

// Overdue says what [Engine.Tick] would do now, of all workspaces, and does nothing: to look before
// the timers are let loose on a backup that was restored. So what [WithTickGrace] has Tick leave
// alone is said, too, and what is put off. They come in the order of Conversation.DueAt, in which
// Tick sees them. That is a hint, which may be much earlier than what is due: sort by Timer.Due for
// the longest overdue first. An error is about one conversation, and the others follow, unless the
// store or the context fails, which ends it. It reads each conversation by itself.
func (e *Engine) Overdue(ctx context.Context) iter.Seq2[Overdue, error] {
	return func(yield func(Overdue, error) bool) {
		q := DueQuery{Before: micros(e.clock.Now()), Limit: MaxPageSize}
		for {
			due, err := e.due(ctx, q)
			if err != nil {
				yield(Overdue{}, err)
				return
			}
			var pc policyCache // of a page: a policy may change meanwhile
			for _, d := range due {
				if ctx.Err() != nil {
					yield(Overdue{}, ctx.Err())
					return
				}
				o, err := e.wouldDo(ctx, &pc, d.Ref, q.Before)
				if (err != nil || o.Timer.Name != "") && !yield(o, err) {
					return
				}
			}
			if len(due) < q.Limit {
				return
			}
			q.After = due[len(due)-1]
		}
	}
}

// wouldDo is what is due on a conversation; without a Timer, nothing is.
func (e *Engine) wouldDo(
	ctx context.Context, pc *policyCache, to Ref, now time.Time,
) (o Overdue, err error) {
	s, err := e.loadRoot(ctx, to)
	if err != nil {
		return o, err
	}
	o.Conversation = s.Conversation
	p, err := e.cachedPolicy(ctx, pc, s.Conversation.scope())
	if err != nil {
		return o, err
	}
	_, o.Timer = DecideDue(s, now, p)
	return o, nil
}
