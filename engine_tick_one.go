package convo

import (
	"context"
	"errors"
)

// alone does all that is due on one conversation of a batch that failed. It is held as the batch
// was, without waiting: a connection that was lost may leave a transaction that holds it still. One
// that lost a race, or needs another policy, is loaded anew.
func (t *tick) alone(ctx context.Context, due *DueConversation, counted bool) error {
	if t.locker == nil {
		return t.one(ctx, due, counted)
	}
	for range maxChain {
		again, err := t.batch(ctx, []DueConversation{*due}, counted)
		switch {
		case isConflict(err) || errors.Is(err, errScopeMoved):
			return t.one(ctx, due, counted)
		case err != nil || len(again) == 0:
			return err
		}
		counted = true
	}
	return nil
}

// one does all that is due on one conversation.
func (t *tick) one(ctx context.Context, due *DueConversation, counted bool) error {
	for try, did := 0, 0; did < maxChain; {
		again, refused, err := t.once(ctx, due.Ref, counted)
		switch {
		case refused:
			t.stats.Refused++
			if err := t.e.backoff(ctx, &try, err); err != nil {
				return err
			}
		case err != nil || !again:
			return err
		default:
			counted = true
			did++
		}
	}
	return nil
}

// once does the next thing that is due on one conversation, and says whether something is due after
// it. refused says that the store did not take it, for something else was faster.
func (t *tick) once(
	ctx context.Context, to Ref, counted bool,
) (again, refused bool, err error) {
	s, err := t.e.store.Load(ctx, to)
	t.stats.Loads++
	if err != nil {
		return false, isConflict(err), err
	}
	if s.Conversation.DueAt.IsZero() || s.Conversation.DueAt.After(t.now) {
		return false, false, nil // handled already
	}
	p, err := t.policy(ctx, s.Conversation.scope())
	if err != nil {
		return false, false, err
	}
	d, left := t.decide(ctx, s, p)
	if left {
		t.stats.Left++
	}
	if left || d.err != nil {
		return false, false, d.err
	}
	if err := t.e.commit(ctx, &d.decision.Change); err != nil {
		return false, isConflict(err), err
	}
	return t.done(ctx, &d, counted), false, nil
}
