package convo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// EraseResult is the answer to Erase.
type EraseResult struct {
	Outcome Outcome `json:"outcome"` // OutcomeErased or OutcomeDuplicate
	// Contact is what is left of it, under the token that stands for its id from now on.
	Contact Contact `json:"contact"`
	Removed Erased  `json:"removed"`
	Events  []Event `json:"events,omitempty"` // of a duplicate, the ContactErased alone
}

// Erase removes for good what is kept of a contact and of all that were merged into it: names,
// attributes, addresses, texts, attachments, subjects, summaries, comments of ratings, external
// ids, receipts, and what an outbox says of it. Ids and addresses are replaced by random tokens
// everywhere, keys by hashes, by which a message that is delivered again is still known. What
// reports count and group by stays: so do lanes, labels, categories and whoever worked on it. Its
// active conversations are closed, with source contact_erasure. Each of its conversations, and each
// of others that named it, gets an event ConversationErased, and its own log ContactErased, under
// its token, which has the report. Nothing is written of it any more: commands are refused with
// ErrErased, and who writes from its addresses again is a stranger.
//
// What it does not reach: what others' conversations say of the person, files that attachments
// name, what receivers of events were told, and what databases, their logs and backups still have
// on their disks. docs/erasure.md says how each of them goes.
//
// It is one commit, however much there is, which rewrites row by row. It fails with a
// *ValidationError; with a *StateError of ErrNotFound, of ErrMerged, which names the root, or of
// ErrErased; with ErrKeyReused; and as Do does. Without a Key, a second call answers ErrNotFound.
func (e *Engine) Erase(ctx context.Context, x Erase) (EraseResult, error) {
	if err := x.Validate(); err != nil {
		return EraseResult{}, err
	}
	var pc policyCache
	ctx, pc.watched = e.watch(ctx, Call{Name: CallErase, Workspace: x.Workspace})
	defer pc.watched.end()
	try := 0
	r, err := e.erase(ctx, &pc, &try, x)
	pc.watched.done(r.Outcome, try, err)
	return r, err
}

func (e *Engine) erase(
	ctx context.Context, pc *policyCache, try *int, x Erase,
) (EraseResult, error) {
	at, id := e.clock.Now(), e.newID()
	for {
		if r, known, err := e.erasedBefore(ctx, x); known || err != nil {
			return r, err
		}
		var d eraseDecision
		attempt := func(ctx context.Context) (conflict bool, err error) {
			d, conflict, err = e.attemptErase(ctx, pc, x, at, id)
			return conflict, err
		}
		conflict, err := e.inOneGo(ctx, *try, x.Workspace, pc, attempt)
		if err == nil {
			for i := range d.Change.Earlier { // which nobody is to find in memory, either
				e.kept.forget(x.Workspace, d.Change.Earlier[i].ID)
			}
			e.observe(ctx, d.Change.Events)
			return EraseResult{
				OutcomeErased, d.Change.Contact.Contact, d.Removed, d.Change.Events,
			}, nil
		}
		if !conflict {
			return EraseResult{}, err
		}
		if err := e.backoff(ctx, try, err); err != nil {
			return EraseResult{}, err
		}
	}
}

// erasedBefore is the report of an erasure that was carried out under the key of x.
func (e *Engine) erasedBefore(ctx context.Context, x Erase) (r EraseResult, known bool, err error) {
	if x.Key == "" {
		return r, false, nil
	}
	keys, err := e.store.Keys(ctx, x.Workspace, KeyID{ID: x.Key})
	if err != nil || len(keys) == 0 {
		return r, false, err
	}
	k := keys[0]
	if k.RequestHash != hashOf(x) {
		return r, true, fmt.Errorf("convo: key %q: %w", x.Key, ErrKeyReused)
	}
	s, err := e.loadRoot(ctx, ToContact(x.Workspace, k.Contact))
	if err != nil {
		return r, true, err
	}
	r = EraseResult{Outcome: OutcomeDuplicate, Contact: s.Contact}
	if r.Events, err = e.eventsOf(ctx, x.Workspace, k); err == nil && len(r.Events) > 0 {
		err = json.Unmarshal([]byte(r.Events[0].Erasing().Removed), &r.Removed)
	}
	return r, true, err
}

func (e *Engine) attemptErase(
	ctx context.Context, pc *policyCache, x Erase, at time.Time, id uuid.UUID,
) (d eraseDecision, conflict bool, err error) {
	var side erasedSide
	if side.Snapshot, err = e.store.Load(ctx, ToContact(x.Workspace, x.Contact)); err != nil {
		return d, isConflict(err), err
	}
	k := &side.Contact
	if k.Version > 0 && k.ErasedAt.IsZero() && k.ID == x.Contact {
		if err = e.loadErased(ctx, &side); err != nil {
			return d, isConflict(err), err
		}
	}
	policies := make(map[Scope]*Policy, 1)
	for i := range side.Owned {
		if c := &side.Owned[i]; c.Status.Active() {
			if policies[c.scope()], err = e.cachedPolicy(ctx, pc, c.scope()); err != nil {
				return d, isConflict(err), err
			}
		}
	}
	side.Next = id
	loaded := side.Snapshot
	d, err = decideErase(side, at,
		func(c Conversation) *Policy { return policies[c.scope()] }, x)
	if err != nil {
		return d, false, err
	}
	if err := e.guard(ctx, &loaded, &d.Change); err != nil {
		return d, false, err
	}
	err = e.store.Commit(ctx, d.Change)
	return d, isConflict(err), err
}

// loadErased loads what there is of a contact beside its snapshot.
func (e *Engine) loadErased(ctx context.Context, side *erasedSide) (err error) {
	k := &side.Contact
	if side.Family, err = e.store.Family(ctx, k.Workspace, k.ID); err != nil {
		return err
	}
	addresses, err := e.store.Addresses(ctx, k.Workspace, k.ID)
	if err != nil {
		return err
	}
	side.Addresses = len(addresses)
	side.Owned, err = e.allOf(ctx, k)
	if err != nil {
		return err
	}
	names := []string{k.ID}
	for i := range side.Family {
		names = append(names, side.Family[i].ID)
	}
	mentioned, err := e.store.Mentions(ctx, k.Workspace, names...)
	if err != nil {
		return err
	}
	owned := make(map[uuid.UUID]bool, len(side.Owned))
	for i := range side.Owned {
		owned[side.Owned[i].ID] = true
	}
	for _, id := range mentioned {
		if owned[id] {
			continue
		}
		c, err := e.store.Conversation(ctx, k.Workspace, id)
		if errors.Is(err, ErrNotFound) { // it was removed meanwhile, and names nobody any more
			continue
		}
		if err != nil {
			return err
		}
		log, err := e.logOf(ctx, &c)
		if err != nil {
			return err
		}
		side.Elsewhere = append(side.Elsewhere, loggedConversation{c, log})
	}
	return nil
}

// logOf is the whole log of a conversation.
func (e *Engine) logOf(ctx context.Context, c *Conversation) (all []Event, err error) {
	f := EventFilter{Workspace: c.Workspace, Conversation: c.ID, Limit: MaxPageSize}
	for {
		page, err := e.store.Events(ctx, f)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < f.Limit {
			return all, nil
		}
		f.After = page[len(page)-1].Cursor()
	}
}
