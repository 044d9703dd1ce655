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
	// Conversations are those of the secondary that were active, as the merge left them: closed, or
	// moved to the primary.
	Conversations []Conversation `json:"conversations,omitempty"`
	Events        []Event        `json:"events,omitempty"`
}

// DefaultMaxMerged is how many active conversations a merge closes or moves, or its undoing moves.
const DefaultMaxMerged = 1000

// Merge makes all that the secondary contact has the primary's: conversations, addresses, and what
// is addressed to it later. See [DecideMerge] for what happens to active conversations, and for the
// errors; it also fails as Do does, and with ErrTooManyActive.
func (e *Engine) Merge(ctx context.Context, m Merge) (MergeResult, error) {
	if err := m.Validate(); err != nil {
		return MergeResult{}, err
	}
	var pc policyCache
	ctx, pc.watched = e.watch(ctx, Call{Name: CallMerge, Workspace: m.Workspace})
	defer pc.watched.end()
	try := 0
	r, err := e.merge(ctx, &pc, &try, m)
	pc.watched.done(r.Outcome, try, err)
	return r, err
}

func (e *Engine) merge(
	ctx context.Context, pc *policyCache, try *int, m Merge,
) (MergeResult, error) {
	at, id := e.clock.Now(), e.newID()
	for {
		var d MergeDecision
		attempt := func(ctx context.Context) (conflict bool, err error) {
			d, conflict, err = e.attemptMerge(ctx, pc, m, at, id)
			return conflict, err
		}
		conflict, err := e.inOneGo(ctx, *try, m.Workspace, pc, attempt)
		if err == nil {
			e.observe(ctx, d.Secondary.Events)
			return MergeResult{
				d.Outcome, d.Primary.Contact.Contact, changed(&d.Secondary), d.Secondary.Events,
			}, nil
		}
		if !conflict {
			return MergeResult{}, err
		}
		if err := e.backoff(ctx, try, err); err != nil {
			return MergeResult{}, err
		}
	}
}

func (e *Engine) attemptMerge(
	ctx context.Context, pc *policyCache, m Merge, at time.Time, id uuid.UUID,
) (d MergeDecision, conflict bool, err error) {
	var primary, secondary MergeSide
	sides := [...]struct {
		contact string
		to      *MergeSide
	}{{m.Primary, &primary}, {m.Secondary, &secondary}}
	if m.Secondary < m.Primary { // opposite merges lock both in the same order
		sides[0], sides[1] = sides[1], sides[0]
	}
	for _, side := range sides {
		to := ToContact(m.Workspace, side.contact)
		if side.to.Snapshot, err = e.store.Load(ctx, to); err != nil {
			return MergeDecision{}, isConflict(err), err
		}
	}
	if secondary.AllActive, err = e.allActive(ctx, &secondary.Contact); err != nil {
		return MergeDecision{}, isConflict(err), err
	}
	switch n := len(secondary.AllActive); {
	case n > e.maxMerged:
		return MergeDecision{}, false, &StateError{
			Err: ErrTooManyActive, Command: "merge", Contact: m.Secondary,
		}
	case n > 0: // in whose lanes is the question
		if primary.AllActive, err = e.allActive(ctx, &primary.Contact); err != nil {
			return MergeDecision{}, isConflict(err), err
		}
	}
	policies := make(map[Scope]*Policy, 1)
	for i := range secondary.AllActive {
		scope := secondary.AllActive[i].scope()
		if policies[scope], err = e.cachedPolicy(ctx, pc, scope); err != nil {
			return MergeDecision{}, isConflict(err), err
		}
	}
	primary.Next = id
	d, err = DecideMerge(primary, secondary, at,
		func(c Conversation) *Policy { return policies[c.scope()] }, m)
	if err != nil || d.Outcome == OutcomeUnchanged {
		return d, false, err
	}
	for _, side := range []struct {
		loaded *Snapshot
		ch     *Change
	}{{&secondary.Snapshot, &d.Secondary}, {&primary.Snapshot, &d.Primary}} {
		if err := e.guard(ctx, side.loaded, side.ch); err != nil {
			return d, false, err
		}
	}
	err = e.store.Commit(ctx, d.Primary, d.Secondary)
	return d, isConflict(err), err
}

// UnmergeResult is the answer to Unmerge.
type UnmergeResult struct {
	Outcome Outcome `json:"outcome"` // OutcomeUnmerged or OutcomeUnchanged
	Contact Contact `json:"contact"`
	// Root is whom it was merged into. Zero when unchanged.
	Root Contact `json:"root,omitzero"`
	// Conversations are the active ones that went with it.
	Conversations []Conversation `json:"conversations,omitempty"`
	Events        []Event        `json:"events,omitempty"`
}

// Unmerge undoes the merge of a contact. See [DecideUnmerge] for what goes with it, and for the
// errors; it also fails as Do does, and with ErrTooManyActive.
func (e *Engine) Unmerge(ctx context.Context, m Unmerge) (UnmergeResult, error) {
	if err := m.Validate(); err != nil {
		return UnmergeResult{}, err
	}
	var pc policyCache
	ctx, pc.watched = e.watch(ctx, Call{Name: CallUnmerge, Workspace: m.Workspace})
	defer pc.watched.end()
	try := 0
	r, err := e.unmerge(ctx, &pc, &try, m)
	pc.watched.done(r.Outcome, try, err)
	return r, err
}

func (e *Engine) unmerge(
	ctx context.Context, pc *policyCache, try *int, m Unmerge,
) (UnmergeResult, error) {
	at, id := e.clock.Now(), e.newID()
	for {
		var d UnmergeDecision
		attempt := func(ctx context.Context) (conflict bool, err error) {
			d, conflict, err = e.attemptUnmerge(ctx, m, at, id)
			return conflict, err
		}
		conflict, err := e.inOneGo(ctx, *try, m.Workspace, pc, attempt)
		if err == nil {
			e.observe(ctx, d.Contact.Events)
			return UnmergeResult{
				d.Outcome, d.Contact.Contact.Contact, d.Root.Contact.Contact,
				changed(&d.Contact), d.Contact.Events,
			}, nil
		}
		if !conflict {
			return UnmergeResult{}, err
		}
		if err := e.backoff(ctx, try, err); err != nil {
			return UnmergeResult{}, err
		}
	}
}

func (e *Engine) attemptUnmerge(
	ctx context.Context, m Unmerge, at time.Time, id uuid.UUID,
) (d UnmergeDecision, conflict bool, err error) {
	var root MergeSide
	if root.Snapshot, err = e.store.Load(ctx, ToContact(m.Workspace, m.Contact)); err != nil {
		return d, isConflict(err), err
	}
	var family []Contact
	if root.Contact.ID != m.Contact {
		if root.AllActive, err = e.allActive(ctx, &root.Contact); err != nil {
			return d, isConflict(err), err
		}
		if family, err = e.store.Family(ctx, m.Workspace, root.Contact.ID); err != nil {
			return d, isConflict(err), err
		}
	}
	root.Next = id
	d, err = DecideUnmerge(root, family, at, m)
	if err != nil || d.Outcome == OutcomeUnchanged {
		return d, false, err
	}
	if len(changed(&d.Contact)) > e.maxMerged {
		return d, false, &StateError{
			Err: ErrTooManyActive, Command: "unmerge", Contact: m.Contact,
		}
	}
	for _, ch := range [...]*Change{&d.Contact, &d.Root} {
		if err := e.guard(ctx, &root.Snapshot, ch); err != nil {
			return d, false, err
		}
	}
	err = e.store.Commit(ctx, d.Root, d.Contact)
	return d, isConflict(err), err
}

// inOneGo carries out an attempt, under the store's lock if it is its turn.
func (e *Engine) inOneGo(
	ctx context.Context, try int, workspace string, pc *policyCache,
	attempt func(context.Context) (conflict bool, err error),
) (conflict bool, err error) {
	if locker := e.lockerFor(try, pc); locker != nil {
		return underLock(ctx, locker, workspace, pc, attempt)
	}
	return attempt(ctx)
}

// allActive are the active conversations of a root contact.
func (e *Engine) allActive(ctx context.Context, k *Contact) (all []Conversation, err error) {
	return e.allOf(ctx, k, StatusOpen, StatusPending)
}

// allOf are the conversations of a root contact with one of the statuses, or with any.
func (e *Engine) allOf(
	ctx context.Context, k *Contact, statuses ...Status,
) (all []Conversation, err error) {
	f := Filter{
		Workspace: k.Workspace, Contact: k.ID, Status: statuses, Limit: MaxPageSize,
	}
	for k.Version > 0 {
		page, err := e.store.Conversations(ctx, f)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < MaxPageSize {
			break
		}
		f.After = f.Cursor(page[len(page)-1])
	}
	return all, nil
}

// changed are the conversations that a change changes, in the order in which it does.
func changed(ch *Change) (all []Conversation) {
	for i := range ch.Earlier {
		all = append(all, ch.Earlier[i].Conversation)
	}
	if ch.Conversation.Action != RowKept {
		all = append(all, ch.Conversation.Conversation)
	}
	return all
}
