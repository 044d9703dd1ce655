package convo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// DefaultTick is how many conversations Tick handles when it is not told.
const DefaultTick = 500

// Tick handles up to limit conversations (0: DefaultTick; at most MaxPageSize) whose timer is due
// now: it wakes pending ones and closes inactive ones. It returns how many changes it made; fewer
// than the limit means that nothing else is due. Run it on an interval, in as many processes as you
// like: each due thing is done once. Anything overdue, however old, is done now and stamped with
// the time when it was due.
//
// It also forgets receipts of messages that did not come within DeliveryLifetime.
//
// An error on one conversation does not keep the others from being handled, unless MaxPageSize of
// them fail at once; all errors are joined.
func (e *Engine) Tick(ctx context.Context, limit int) (int, error) {
	if limit < 0 || limit > MaxPageSize {
		return 0, invalid("limit",
			fmt.Sprintf("must be from 0 (the default, %d) to %d", DefaultTick, MaxPageSize))
	}
	limit = cmp.Or(limit, DefaultTick)
	now := micros(e.clock.Now())
	if _, err := e.store.ForgetDeliveries(ctx, now.Add(-DeliveryLifetime), limit); err != nil {
		return 0, err
	}
	var done, handled int
	var errs []error
	failed := map[uuid.UUID]bool{}
	for again := true; again; {
		want := min(limit-handled+len(failed), MaxPageSize)
		due, err := e.store.Due(ctx, now, want)
		if err != nil {
			return done, errors.Join(append(errs, err)...)
		}
		// Again past those that failed, and when hints that only had to be moved, which do not
		// count, took up the place of what is due.
		again = false
		full := len(due) == want
		for i := range due {
			to := due[i].Ref
			if failed[to.Conversation] || handled == limit {
				continue
			}
			n, err := e.tickOne(ctx, to, now)
			done += n
			switch {
			case err != nil:
				again = ctx.Err() == nil
				failed[to.Conversation] = true
				errs = append(errs,
					fmt.Errorf("convo: timer of conversation %s: %w", to.Conversation, err))
			case n > 0:
				handled++
			default:
				again = again || full
			}
		}
		again = again && handled < limit
	}
	return done, errors.Join(errs...)
}

// tickOne does all that is due on one conversation: it may be closed right after it woke.
func (e *Engine) tickOne(ctx context.Context, to Ref, now time.Time) (done int, err error) {
	for try := 0; ; {
		changed, guarded, err := e.tickOnce(ctx, to, now)
		switch {
		case err != nil && !guarded && isConflict(err):
			if err := e.backoff(ctx, &try, err); err != nil {
				return done, err
			}
		case err != nil:
			return done, err
		case !changed:
			return done, nil
		default:
			done++
		}
	}
}

// tickOnce does the next thing that is due, or else moves the hint. guarded says that err is a
// guard's.
func (e *Engine) tickOnce(
	ctx context.Context, to Ref, now time.Time,
) (changed, guarded bool, err error) {
	s, err := e.store.Load(ctx, to)
	if err != nil {
		return false, false, err
	}
	if s.Conversation.DueAt.IsZero() || s.Conversation.DueAt.After(now) {
		return false, false, nil // handled already
	}
	p, err := e.policyFor(ctx, &policyCache{}, &s, nil)
	if err != nil {
		return false, false, err
	}
	s.Next = e.newID()
	d, fired := DecideDue(s, now, p)
	if err := e.guard(ctx, &s, &d.Change); err != nil {
		return false, true, err
	}
	if err := e.commit(ctx, &d.Change); err != nil {
		return false, false, err
	}
	if len(d.Change.Events) == 0 {
		return false, false, nil
	}
	e.log.DebugContext(ctx, "convo: timer", "workspace", to.Workspace,
		"conversation", to.Conversation, "outcome", d.Outcome, "late", now.Sub(fired.Due))
	e.observe(ctx, d.Change.Events)
	return true, false, nil
}
