package convo

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// MergeResult is the answer to Merge.
type MergeResult struct {
	Outcome Outcome `json:"outcome"` // OutcomeMerged or OutcomeUnchanged
	Primary Contact `json:"primary"`
	// Conversation is the secondary's latest one, as the merge left it: closed, or moved to the
	// primary. Zero when unchanged.
	Conversation Conversation `json:"conversation,omitzero"`
	Events       []Event      `json:"events,omitempty"`
}

// Merge makes all that the secondary contact has the primary's: conversations, addresses, and what
// is addressed to it later. See [DecideMerge] for what happens to an active conversation, and for
// the errors; it also fails as Do does.
func (e *Engine) Merge(ctx context.Context, m Merge) (MergeResult, error) {
	if err := m.Validate(); err != nil {
		return MergeResult{}, err
	}
	at, id := e.clock.Now(), e.newID()
	var pc policyCache
	for try := 0; ; {
		var d MergeDecision
		attempt := func(ctx context.Context) (conflict bool, err error) {
			d, conflict, err = e.attemptMerge(ctx, &pc, m, at, id)
			return conflict, err
		}
		var conflict bool
		var err error
		if locker := e.lockerFor(try, &pc); locker == nil {
			conflict, err = attempt(ctx)
		} else {
			conflict, err = underLock(ctx, locker, m.Workspace, &pc, attempt)
		}
		if err == nil {
			e.observe(ctx, d.Secondary.Events)
			return MergeResult{
				d.Outcome, d.Primary.Contact.Contact, d.Secondary.Conversation.Conversation,
				d.Secondary.Events,
			}, nil
		}
		if !conflict {
			return MergeResult{}, err
		}
		if err := e.backoff(ctx, &try, err); err != nil {
			return MergeResult{}, err
		}
	}
}

func (e *Engine) attemptMerge(
	ctx context.Context, pc *policyCache, m Merge, at time.Time, id uuid.UUID,
) (d MergeDecision, conflict bool, err error) {
	var primary, secondary Snapshot
	sides := [...]struct {
		contact string
		to      *Snapshot
	}{{m.Primary, &primary}, {m.Secondary, &secondary}}
	if m.Secondary < m.Primary { // opposite merges lock both in the same order
		sides[0], sides[1] = sides[1], sides[0]
	}
	for _, side := range sides {
		if *side.to, err = e.store.Load(ctx, ToContact(m.Workspace, side.contact)); err != nil {
			return MergeDecision{}, isConflict(err), err
		}
	}
	primary.Next = id
	p, err := e.policyFor(ctx, pc, &secondary, nil)
	if err != nil {
		return MergeDecision{}, isConflict(err), err
	}
	d, err = DecideMerge(primary, secondary, at, p, m)
	if err != nil || d.Outcome == OutcomeUnchanged {
		return d, false, err
	}
	for _, side := range []struct {
		loaded *Snapshot
		ch     *Change
	}{{&secondary, &d.Secondary}, {&primary, &d.Primary}} {
		if err := e.guard(ctx, side.loaded, side.ch); err != nil {
			return d, false, err
		}
	}
	err = e.store.Commit(ctx, d.Primary, d.Secondary)
	return d, isConflict(err), err
}
