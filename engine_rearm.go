package convo

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// rearmedAtOnce is how many conversations Rearm writes in one transaction.
const rearmedAtOnce = 100

// Rearm goes over the active conversations of a workspace, page by page, and arms their timers as
// the policy says now: call it after a policy was changed, or each conversation is armed with its
// next command. It returns how many it wrote. What is overdue by the new policy alone is due now,
// not when it would have been. It writes no events. A conversation whose policy cannot be looked
// up, or that a guard refuses, does not keep it from the others; the errors are joined, up to 100
// of them. It may be repeated.
func (e *Engine) Rearm(ctx context.Context, workspace string) (int, error) {
	f := Filter{
		Workspace: workspace, Status: []Status{StatusOpen, StatusPending}, Limit: MaxPageSize,
	}
	var changes []Change
	var done int
	var errs []error
	contacts := map[string]bool{} // in changes: a commit is about different ones
	var pc policyCache
	flush := func() error {
		n, err := e.commitRearmed(ctx, &pc, changes)
		done += n
		changes = changes[:0]
		clear(contacts)
		return err
	}
	for c, err := range e.AllConversations(ctx, f) {
		if err != nil {
			return done, err
		}
		ch, changed, err := e.rearmed(ctx, &pc, c)
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if err != nil && len(errs) < maxTickErrors {
			errs = append(errs,
				fmt.Errorf("convo: timers of conversation %s: %w", c.ID, err))
		}
		if err != nil || !changed {
			continue
		}
		if contacts[c.Contact] || len(changes) == rearmedAtOnce {
			if err := flush(); err != nil {
				return done, err
			}
		}
		changes, contacts[c.Contact] = append(changes, ch), true
	}
	err := flush()
	return done, errors.Join(append(errs, err)...)
}

// rearmed is what arming c anew writes, if anything.
func (e *Engine) rearmed(
	ctx context.Context, pc *policyCache, c Conversation,
) (ch Change, changed bool, err error) {
	s := Snapshot{
		Ref: ToConversation(c.Workspace, c.ID), Conversation: c,
		Contact: Contact{Workspace: c.Workspace, ID: c.Contact},
	}
	p, err := e.cachedPolicy(ctx, pc, c.scope())
	if err != nil || !c.Status.Active() {
		return ch, false, err
	}
	w := decider{loaded: versionsOf(&s), otherThanMessages: true}
	w.arm(&s.Conversation, micros(e.clock.Now()), p)
	w.result(&s, &ch)
	if ch.Conversation.Action == RowKept {
		return ch, false, nil
	}
	return ch, true, e.guard(ctx, &s, &ch)
}

// commitRearmed writes what Rearm has found, one by one where something came in between.
func (e *Engine) commitRearmed(
	ctx context.Context, pc *policyCache, changes []Change,
) (done int, err error) {
	if len(changes) == 0 {
		return 0, nil
	}
	if err = e.store.Commit(ctx, changes...); err == nil {
		return len(changes), nil
	} else if !isConflict(err) {
		return 0, err
	}
	for i := range changes {
		c := &changes[i].Conversation
		n, err := e.rearmOne(ctx, pc, c.Workspace, c.ID)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

func (e *Engine) rearmOne(
	ctx context.Context, pc *policyCache, workspace string, id uuid.UUID,
) (int, error) {
	for try := 0; ; {
		c, err := e.store.Conversation(ctx, workspace, id)
		if err != nil {
			return 0, err
		}
		ch, changed, err := e.rearmed(ctx, pc, c)
		if err != nil || !changed {
			return 0, err
		}
		if err = e.commit(ctx, &ch); err == nil {
			return 1, nil
		} else if !isConflict(err) {
			return 0, err
		}
		if err := e.backoff(ctx, &try, err); err != nil {
			return 0, err
		}
	}
}
