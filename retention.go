package convo

import (
	"context"
	"fmt"
	"time"
)

// Retention is for how long is kept what may be pruned.
type Retention struct {
	// Texts is for how long a conversation that is closed keeps its texts: bodies, attachments,
	// notes, edits, its subject and attributes, summaries, and comments of ratings. At least
	// MinRetention; 0: for ever.
	Texts time.Duration
}

// MinRetention is the shortest time for which texts are kept.
const MinRetention = 24 * time.Hour

// Validate reports what is wrong with r as a *ValidationError.
func (r Retention) Validate() error {
	if r.Texts != 0 && r.Texts < MinRetention {
		return invalid("texts", fmt.Sprintf("at least %s, or 0, not %s", MinRetention, r.Texts))
	}
	return nil
}

// Pruned is what a call of [Engine.Prune] did.
type Pruned struct {
	Texts int // the conversations whose texts it removed
	// Next is where the next call goes on. It is zero when the call has come to the end.
	Next ClosedPlace
}

// More reports whether the call has not come to the end.
func (p Pruned) More() bool { return p.Next != ClosedPlace{} }

// Prune removes for good the texts of conversations that were closed for longer than r says, and
// still are. It looks at up to limit closings (0: MaxPageSize, which is the most), of all
// workspaces, that are behind after: begin with the zero ClosedPlace, and go on with Pruned.Next.
// Package relay has a job for it.
//
// Ids, times, counts, groups and keys stay: reports are the same, and a message that is delivered
// again is a duplicate. Each of the conversations gets an event ConversationErased, by the system,
// in a commit of its own. One that somebody writes to meanwhile is left for the next time that
// Prune begins, and so is one that was reopened, until it is closed for long enough again. What is
// written to a closed conversation after it was pruned is pruned the next time.
//
// Several may do so at once: each conversation is pruned by one of them. It fails with a
// *ValidationError, and as the store and guards do. When that is about one conversation, the others
// follow, and the first such error is returned; else Next is where the call began.
func (e *Engine) Prune(
	ctx context.Context, r Retention, after ClosedPlace, limit int,
) (p Pruned, err error) {
	if err := r.Validate(); err != nil {
		return p, err
	}
	if limit < 0 || limit > MaxPageSize {
		return p, invalid("limit", fmt.Sprintf("0 to %d, not %d", MaxPageSize, limit))
	}
	if r.Texts == 0 {
		return p, nil
	}
	if limit == 0 {
		limit = MaxPageSize
	}
	now := micros(e.clock.Now())
	page, err := e.store.ClosedBefore(ctx,
		ClosedQuery{Before: now.Add(-r.Texts), After: after, Limit: limit})
	if err != nil {
		return Pruned{Next: after}, err
	}
	if len(page) == limit {
		p.Next = page[limit-1].ClosedPlace
	}
	for i := range page {
		at := &page[i]
		if !at.Unpruned {
			continue
		}
		if ctx.Err() != nil {
			p.Next = after
			return p, ctx.Err()
		}
		done, failed := e.prune(ctx, &at.ClosedPlace, now)
		if done {
			p.Texts++
		}
		if failed != nil && err == nil {
			err = fmt.Errorf("convo: pruning conversation %s: %w", at.Conversation, failed)
		}
	}
	return p, err
}

// prune removes the texts of a conversation that is as it was when it was closed at.
func (e *Engine) prune(ctx context.Context, at *ClosedPlace, now time.Time) (bool, error) {
	s, err := e.store.Load(ctx, ToConversation(at.Workspace, at.Conversation))
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
