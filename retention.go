package convo

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Retention is for how long is kept what may be pruned. 0: for ever; else each is at least
// MinRetention.
type Retention struct {
	// Texts is for how long a conversation that is closed keeps its texts: bodies, attachments,
	// notes, edits, its subject and attributes, summaries, and comments of ratings.
	Texts time.Duration
	// Conversations is for how long a conversation that is closed is kept at all. Then it is
	// removed with all that is of it: its log, its cycles, and the keys and receipts of its
	// messages, so that one that is delivered again is taken as new. Of those that were erased
	// there are hashes, which go with Keys.
	Conversations time.Duration
	// Keys is for how long external ids of messages and keys of the host are known. What is
	// delivered, or called for, again later is taken as new. The key of an Erase goes by age, too.
	// A key of the host for what is about no conversation (a link, a block), or under which nothing
	// was written, has no age, and is kept, unless it is of a conversation that was removed.
	Keys time.Duration
}

// MinRetention is the shortest time for which anything is kept.
const MinRetention = 24 * time.Hour

// Validate reports what is wrong with r as a *ValidationError.
func (r Retention) Validate() error {
	for _, f := range [...]struct {
		field string
		keep  time.Duration
	}{{"texts", r.Texts}, {"conversations", r.Conversations}, {"keys", r.Keys}} {
		if f.keep != 0 && f.keep < MinRetention {
			return invalid(f.field,
				fmt.Sprintf("at least %s, or 0, not %s", MinRetention, f.keep))
		}
	}
	return nil
}

// ofClosed is the shortest time for which something of a closed conversation is kept; 0: all is for
// ever.
func (r *Retention) ofClosed() time.Duration {
	if r.Texts == 0 || r.Conversations != 0 && r.Conversations < r.Texts {
		return r.Conversations
	}
	return r.Texts
}

// PrunePlace is where a call of [Engine.Prune] goes on: first among closings, then among keys. The
// zero PrunePlace is where it all begins.
type PrunePlace struct {
	Closed ClosedPlace
	Keys   bool // the closings are behind it
	Key    KeyPlace
}

// Pruned is what a call of [Engine.Prune] did.
type Pruned struct {
	Texts         int // the conversations whose texts it removed
	Conversations int // that it removed whole
	Keys          int // that it removed by their age, or because what they led to is gone
	// HeldBack are the conversations that are old enough to be removed, but that something still
	// needs. They are looked at again the next time that Prune begins.
	HeldBack int
	// Next is where the next call goes on. It is zero when the call has come to the end.
	Next PrunePlace
}

// More reports whether the call has not come to the end.
func (p Pruned) More() bool { return p.Next != PrunePlace{} }

// Prune removes for good what is older than r says: texts of conversations that were closed for so
// long, and still are; such conversations as a whole; and keys. It looks at up to limit closings,
// or behind them all at up to limit keys (0: MaxPageSize, which is the most), of all workspaces,
// that are behind after: begin with the zero PrunePlace, and go on with Pruned.Next, also when a
// call has found nothing. Package relay has a job for it.
//
// Where only texts go, ids, times, counts, groups and keys stay: reports are the same, and a
// message that is delivered again is a duplicate. Each of the conversations gets an event
// ConversationErased, by the system, in a commit of its own. One that somebody writes to meanwhile
// is left for the next time that Prune begins, and so is one that was reopened, until it is closed
// for long enough again. What is written to a closed conversation after it was pruned is pruned the
// next time.
//
// A conversation that is removed is not there any more, for any method: its contact is, with its
// own log, and so are its other conversations. No event says so. When its contact writes again,
// that opens a new one; with no other one left, that is its first one (Opening.NewContact). Reports
// still count it: see [github.com/chatlifecycle/convo/report.Store] for which ones. It is held back
// while an outbox has events of it, also as a dead letter, or while a store with rollups has not
// added it up: run a relay and Rollup, and bury dead letters.
//
// Several may do so at once: each conversation is pruned by one of them. It fails with a
// *ValidationError, and as the store and guards do. When that is about one conversation, the others
// follow, and the first such error is returned; else Next is where the call began.
func (e *Engine) Prune(
	ctx context.Context, r Retention, after PrunePlace, limit int,
) (p Pruned, err error) {
	if err := r.Validate(); err != nil {
		return p, err
	}
	if limit < 0 || limit > MaxPageSize {
		return p, invalid("limit", fmt.Sprintf("0 to %d, not %d", MaxPageSize, limit))
	}
	if limit == 0 {
		limit = MaxPageSize
	}
	now := micros(e.clock.Now())
	switch {
	case !after.Keys && r.ofClosed() != 0:
		return e.pruneClosed(ctx, r, after, limit, now)
	case r.Keys != 0:
		p.Next.Key, p.Keys, err = e.store.ForgetKeys(ctx, now.Add(-r.Keys), after.Key, limit)
		if p.Next.Keys = p.Next.Key != (KeyPlace{}); err != nil {
			p.Next = after
		}
	}
	return p, err
}

// pruneClosed goes over a page of closings.
func (e *Engine) pruneClosed(
	ctx context.Context, r Retention, after PrunePlace, limit int, now time.Time,
) (p Pruned, err error) {
	page, next, err := e.store.ClosedBefore(ctx,
		ClosedQuery{Before: now.Add(-r.ofClosed()), After: after.Closed, Limit: limit})
	if err != nil {
		return Pruned{Next: after}, err
	}
	p.Next = PrunePlace{Closed: next}
	if next == (ClosedPlace{}) && r.Keys != 0 {
		p.Next.Keys = true
	}
	for i := range page {
		at := &page[i]
		if !at.Standing || i > 0 && at.ClosedPlace == page[i-1].ClosedPlace {
			continue
		}
		if ctx.Err() != nil {
			p.Next = after
			return p, ctx.Err()
		}
		if failed := e.pruneOne(ctx, &r, at, now, &p); failed != nil && err == nil {
			err = fmt.Errorf("convo: pruning conversation %s: %w", at.Conversation, failed)
		}
	}
	return p, err
}

// pruneOne removes a conversation, or, when it is not old enough or is held back, its texts.
func (e *Engine) pruneOne(
	ctx context.Context, r *Retention, at *Closed, now time.Time, p *Pruned,
) error {
	over := func(keep time.Duration) bool { return keep != 0 && at.At.Before(now.Add(-keep)) }
	if over(r.Conversations) {
		done, held, err := e.remove(ctx, &at.ClosedPlace)
		switch {
		case done:
			p.Conversations++
		case held:
			p.HeldBack++
		}
		if err != nil || !held {
			return err
		}
	}
	if !at.Unpruned || !over(r.Texts) {
		return nil
	}
	done, err := e.prune(ctx, &at.ClosedPlace, now)
	if done {
		p.Texts++
	}
	return err
}

// remove removes a conversation that is as it was when it was closed at.
func (e *Engine) remove(ctx context.Context, at *ClosedPlace) (done, held bool, err error) {
	c, err := e.store.Conversation(ctx, at.Workspace, at.Conversation)
	switch {
	case errors.Is(err, ErrNotFound): // another one was faster
		return false, false, nil
	case err != nil:
		return false, false, err
	case c.Status.Active() || !c.Cycle.Closing.At.Equal(at.At):
		return false, false, nil
	}
	err = e.store.RemoveConversation(ctx, at.Workspace, c.ID, c.Version)
	if isConflict(err) {
		return false, true, nil
	}
	if err == nil {
		e.kept.forget(at.Workspace, c.ID)
	}
	return err == nil, false, err
}

// prune removes the texts of a conversation that is as it was when it was closed at.
func (e *Engine) prune(ctx context.Context, at *ClosedPlace, now time.Time) (bool, error) {
	s, err := e.store.Load(ctx, ToConversation(at.Workspace, at.Conversation))
	if errors.Is(err, ErrNotFound) { // another one has removed it
		return false, nil
	}
	if err != nil {
		return false, unlessConflict(err)
	}
	c := &s.Conversation
	if c.Status.Active() || !c.Cycle.Closing.At.Equal(at.At) {
		return false, nil
	}
	log, err := e.logOf(ctx, c)
	if err != nil {
		return false, err
	}
	cycles, err := e.store.ClosedCycles(ctx, c.Workspace, c.ID)
	if err != nil {
		return false, err
	}
	if n := len(log); n > 0 && log[n-1].TextsGone() {
		return false, nil // by another one, after the page was read
	}
	s.Next = e.newID()
	ch := decidePrune(s, log, cycles, now)
	if err := e.guard(ctx, &s, &ch); err != nil {
		return false, err
	}
	if err := e.store.Commit(ctx, ch); err != nil {
		return false, unlessConflict(err)
	}
	e.observe(ctx, ch.Events)
	return true, nil
}

func unlessConflict(err error) error {
	if isConflict(err) {
		return nil
	}
	return err
}

// decidePrune removes the texts of the conversation of s, of which log and cycles are all that
// there is. The event moves its version on, so that nobody writes a text back whom it was loaded
// by before.
func decidePrune(s Snapshot, log []Event, cycles []Cycle, now time.Time) (ch Change) {
	w := decider{loaded: versionsOf(&s)}
	event := w.add(&s, &fields{by: BySystem(), at: now}, ConversationErased)
	event.Source = SourceRetention
	w.apply(&s, event)
	c := &s.Conversation
	c.Subject, c.Attributes = "", ""
	c.Cycle.clearTexts()
	w.cycleClosed = true
	for i := range cycles {
		if y := &cycles[i]; y.Number < c.Cycle.Number {
			y.clearTexts()
			w.cycles = append(w.cycles, CycleRow{c.ID, c.Channel, c.Lane, *y})
		}
	}
	for i := range log {
		if r := log[i].Row(); r.ClearTexts() {
			w.redact = append(w.redact, EventPlace{Conversation: c.ID, Seq: r.Seq})
		}
	}
	w.result(&s, &ch)
	return ch
}
