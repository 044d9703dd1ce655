package convo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// DefaultTick is how many conversations Tick handles when it is not told.
const DefaultTick = 500

const (
	// tickBatch is how many conversations are handled in one commit. The more, the less a timer
	// costs; but as long as that takes, a command for one of them waits.
	tickBatch = 100
	// maxChain is how many things a Tick does on one conversation. Rules may set one another off
	// for ever (pend what is idle, resume what is pending), by microseconds; what is left of a
	// chain is for the next Tick.
	maxChain = 100
	// maxScopeFailures is how many conversations of one scope may fail before a Tick leaves the
	// rest of them, so that they cannot hold up the other scopes. Those that have failed before are
	// counted apart, so that they cannot hold up those that have not.
	maxScopeFailures = 100
	// maxExcept bounds the scopes that the store is asked to leave out, and with them the length of
	// its statement.
	maxExcept = 50
	// maxTickErrors bounds the errors that a Tick returns.
	maxTickErrors = 100
)

// Tick handles up to limit conversations (0: DefaultTick; at most MaxPageSize) whose timer is due
// now: it wakes pending ones and does what deadlines say. It returns how many changes it made;
// fewer than the limit means that nothing else is due but what other runners have in hand, what
// failed, and what [WithTickGrace] leaves alone. Run it on an interval, or have [Engine.Run] do so,
// in as many processes as you like: they share the work, and each due thing is done once. Anything
// overdue, however old, is done now and stamped with the time when it was due.
//
// It also forgets receipts of messages that did not come within DeliveryLifetime.
//
// What fails keeps nothing else from being handled. When it fails in the next Tick, too, it is put
// off in this process, for a second at first, twice as long each time, and a quarter of an hour at
// most: a conversation when its guard or its commit fails, and all those of a [Scope] when its
// policy look-up does. The errors are joined, up to 100 of them; while something is put off, it
// makes no error.
func (e *Engine) Tick(ctx context.Context, limit int) (int, error) {
	stats, err := e.tick(ctx, limit)
	return stats.Done, err
}

// tick is Tick with all its numbers.
func (e *Engine) tick(ctx context.Context, limit int) (TickStats, error) {
	if limit < 0 || limit > MaxPageSize {
		return TickStats{}, invalid("limit",
			fmt.Sprintf("must be from 0 (the default, %d) to %d", DefaultTick, MaxPageSize))
	}
	ctx, w := e.watch(ctx, Call{Name: CallTick})
	defer w.end()
	t := &tick{
		e: e, now: micros(e.clock.Now()), left: cmp.Or(limit, DefaultTick),
		failures: map[failureOf]int{},
	}
	t.locker, _ = e.store.(DueLocker)
	err := t.run(ctx)
	t.stats.Err = errors.Join(append(t.errs, err)...)
	t.stats.More = t.left == 0
	if e.tickStats != nil {
		e.tickStats(t.stats)
	}
	if w != nil {
		w.result.Tick = t.stats
	}
	w.done("", 0, t.stats.Err)
	return t.stats, t.stats.Err
}

// failureOf is what failures are counted by.
type failureOf struct {
	scope Scope
	again bool // it had failed in an earlier Tick, too
}

// tick is one call of Tick.
type tick struct {
	e        *Engine
	now      time.Time
	locker   DueLocker // nil: the store is none
	left     int       // how many conversations it may change yet
	policies map[Scope]*Policy
	failures map[failureOf]int
	stats    TickStats
	errs     []error
	omitted  bool // more errors than are kept
	// written is what observers are to be told once all that is due on some conversations is done:
	// what they do to one of them must not come between two things that were due.
	written [][]Event
}

func (t *tick) run(ctx context.Context) error {
	err := t.e.untilQuiet(ctx, func() error {
		_, err := t.e.store.ForgetDeliveries(ctx, t.now.Add(-DeliveryLifetime), t.left)
		return err
	})
	if err != nil {
		return err
	}
	q := DueQuery{Before: t.now, Limit: max(t.left, tickBatch)}
	if t.e.grace > 0 {
		q.After.DueAt = t.now.Add(-t.e.grace)
	}
	if err := t.all(ctx, &q); err != nil || t.e.grace == 0 {
		return err
	}
	return t.overdue(ctx)
}

// due is a page of what is due. Where all that runs at once must be as if it ran in turn, a read
// may lose a race, too.
func (e *Engine) due(ctx context.Context, q DueQuery) (due []DueConversation, err error) {
	err = e.untilQuiet(ctx, func() (err error) {
		due, err = e.store.Due(ctx, q)
		return err
	})
	return due, err
}

// untilQuiet does f again where something else was faster.
func (e *Engine) untilQuiet(ctx context.Context, f func() error) error {
	for try := 0; ; {
		err := f()
		if err == nil || !isConflict(err) {
			return err
		}
		if err := e.backoff(ctx, &try, err); err != nil {
			return err
		}
	}
}

// overdue looks at what is overdue by more than the grace, a page in a Tick, for a hint may be much
// earlier than what is due.
func (t *tick) overdue(ctx context.Context) error {
	after, begin := t.e.putOff.sweep(t.now)
	if !begin || t.left == 0 {
		return nil
	}
	q := DueQuery{
		Before: t.now.Add(-t.e.grace).Add(-time.Microsecond), After: after,
		Limit: max(t.left, tickBatch),
	}
	due, err := t.e.due(ctx, q)
	if err == nil {
		err = t.page(ctx, &q, due)
	}
	if err != nil || t.left == 0 {
		return err
	}
	if len(due) < q.Limit {
		t.e.putOff.swept(DueConversation{}, t.now.Add(sweepPause))
	} else {
		t.e.putOff.swept(due[len(due)-1], t.now)
	}
	return nil
}

// all handles what q finds, page by page, until the limit.
func (t *tick) all(ctx context.Context, q *DueQuery) error {
	for t.left > 0 {
		due, err := t.e.due(ctx, *q)
		if err != nil {
			return err
		}
		if len(due) > 0 {
			q.After = due[len(due)-1]
		}
		if err := t.page(ctx, q, due); err != nil || len(due) < q.Limit {
			return err
		}
	}
	return nil
}

// page handles what is due. Several runners see the same page, so each begins at another place.
func (t *tick) page(ctx context.Context, q *DueQuery, due []DueConversation) error {
	due, err := t.ready(ctx, q, due)
	if err != nil {
		return err
	}
	blocks := (len(due) + tickBatch - 1) / tickBatch
	if blocks == 0 {
		return nil
	}
	first := rand.IntN(blocks)
	for i := range blocks {
		from := (first + i) % blocks * tickBatch
		block := due[from:min(from+tickBatch, len(due))]
		for len(block) > 0 && t.left > 0 {
			n := min(len(block), t.left)
			if err := t.some(ctx, block[:n]); err != nil {
				return err
			}
			block = block[n:]
		}
	}
	return nil
}

// ready looks up the policies of what is due, which must not be done while the store holds a lock,
// and leaves out what is put off. What takes up much of the page is left out of the next ones.
func (t *tick) ready(
	ctx context.Context, q *DueQuery, due []DueConversation,
) (ready []DueConversation, err error) {
	t.policies = map[Scope]*Policy{}
	waiting := map[Scope]int{}
	for _, d := range due {
		of := d.scope()
		if !t.leaves(failureOf{of, false}) && !t.e.putOff.waits(ofScope(of), t.now) {
			if t.e.putOff.waits(ofConversation(d.Ref), t.now) || t.gaveUp(d) {
				t.stats.PutOff++
				continue
			}
			if _, err := t.policy(ctx, of); err == nil {
				ready = append(ready, d)
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		t.stats.PutOff++
		waiting[of]++
		if waiting[of] == (len(due)+9)/10 && len(q.Except) < maxExcept {
			q.Except = append(q.Except, of)
		}
	}
	return ready, nil
}

// policy is that of a scope, looked up once for a page. A failure puts the scope off.
func (t *tick) policy(ctx context.Context, of Scope) (*Policy, error) {
	if p := t.policies[of]; p != nil {
		return p, nil
	}
	p, err := t.e.lookUpPolicy(ctx, of)
	if err != nil {
		if ctx.Err() == nil {
			t.failed(ofScope(of), err)
			t.failures[failureOf{of, false}] = maxScopeFailures // it is not looked up again
		}
		return nil, err
	}
	t.e.putOff.worked(ofScope(of))
	t.policies[of] = p
	return p, nil
}

// leaves says that so many of a scope have failed in this Tick that the rest is left.
func (t *tick) leaves(of failureOf) bool { return t.failures[of] >= maxScopeFailures }

// gaveUp says that d is of the rest.
func (t *tick) gaveUp(d DueConversation) bool {
	return t.leaves(failureOf{d.scope(), t.e.putOff.knows(ofConversation(d.Ref))})
}

// failed counts a failure, and puts off what it is of.
func (t *tick) failed(of failing, err error) {
	t.stats.Failed++
	t.e.putOff.failed(of, t.now)
	switch {
	case len(t.errs) < maxTickErrors:
		t.errs = append(t.errs, err)
	case !t.omitted:
		t.omitted = true
		t.errs = append(t.errs, errors.New("convo: and more of them"))
	}
}

// conversationFailed is failed of a conversation.
func (t *tick) conversationFailed(d *DueConversation, err error) {
	t.failures[failureOf{d.scope(), t.e.putOff.knows(ofConversation(d.Ref))}]++
	t.failed(ofConversation(d.Ref),
		fmt.Errorf("convo: timer of conversation %s: %w", d.Ref.Conversation, err))
}

// some handles conversations all at once, where that can be, or else one by one.
func (t *tick) some(ctx context.Context, due []DueConversation) error {
	defer func() {
		for _, events := range t.written {
			t.e.observe(ctx, events)
		}
		t.written = t.written[:0]
	}()
	due = slices.DeleteFunc(slices.Clone(due), t.gaveUp)
	counted := false // they are, against the limit
	var lost error   // of a batch: it may be there, or hold on to something
	for did := 0; t.locker != nil && len(due) > 0; did++ {
		if did == maxChain {
			return nil
		}
		again, err := t.batch(ctx, due, counted)
		if err != nil {
			if !isConflict(err) && !errors.Is(err, errScopeMoved) {
				lost = err
			}
			break
		}
		due, counted = again, true
	}
	for i := range due {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.gaveUp(due[i]) {
			continue
		}
		before := t.stats.handled()
		err := t.alone(ctx, &due[i], counted)
		if err == nil && lost != nil && t.stats.handled() == before {
			t.errs, lost = append(t.errs, lost), nil // it is held still
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		// Nothing is put off because the store is not there.
		if _, err := t.e.due(ctx, DueQuery{Before: t.now, Limit: 1}); err != nil {
			return errors.Join(err, lost)
		}
		t.conversationFailed(&due[i], err)
	}
	return ctx.Err()
}

// timer is the next thing that is due on a conversation, decided.
type timer struct {
	loaded   Snapshot
	decision Decision
	due      time.Time
	err      error // of a guard
}

// decide decides the next thing that is due on s, or that its hint moves. left says that it is
// overdue by more than the grace.
func (t *tick) decide(ctx context.Context, s Snapshot, p *Policy) (d timer, left bool) {
	s.Next = t.e.newID()
	d.loaded = s
	var fired Timer
	d.decision, fired = DecideDue(s, t.now, p)
	d.due = fired.Due
	overdue := len(d.decision.Change.Events) > 0 && t.e.grace > 0 &&
		t.now.Sub(d.due) > t.e.grace
	if !overdue {
		d.err = t.e.guard(ctx, &d.loaded, &d.decision.Change)
	}
	return d, overdue
}

// batch does the next thing that is due on each of some conversations, in one commit, and returns
// those on which something is due after it. When it fails, nothing was done.
func (t *tick) batch(
	ctx context.Context, due []DueConversation, counted bool,
) (again []DueConversation, err error) {
	refs := make([]Ref, len(due))
	for i := range due {
		refs[i] = due[i].Ref
	}
	var timers []timer
	left, loaded, refused := 0, 0, false
	err = t.locker.LockDue(ctx, t.now, refs, func(ctx context.Context, held []Snapshot) error {
		timers, left = timers[:0], 0 // it may be another try
		loaded += len(held)
		changes := make([]Change, 0, len(held))
		for i := range held {
			of := held[i].Conversation.scope()
			p := t.policies[of]
			if p == nil {
				return errScopeMoved
			}
			d, leave := t.decide(ctx, held[i], p)
			if leave {
				left++
				continue
			}
			if timers = append(timers, d); d.err == nil {
				changes = append(changes, d.decision.Change)
			}
		}
		if len(changes) == 0 {
			return nil
		}
		err := t.e.store.Commit(ctx, changes...)
		refused = isConflict(err)
		return err
	})
	t.stats.Loads += loaded
	if refused {
		t.stats.Refused++
	}
	if err != nil {
		return nil, err
	}
	t.stats.Left += left
	for i := range timers {
		d := &timers[i]
		c := &d.loaded.Conversation
		item := DueConversation{
			Ref: ToConversation(c.Workspace, c.ID), Lane: c.Lane, Channel: c.Channel,
		}
		if d.err != nil {
			t.conversationFailed(&item, d.err)
			continue
		}
		if t.done(ctx, d, counted) {
			again = append(again, item)
		}
	}
	return again, nil
}

// errScopeMoved: a policy is needed that was not looked up, for the conversation has moved.
var errScopeMoved = errors.New("convo: the conversation has moved meanwhile")

// done is called after d was committed. It says whether something is due after it: the hint is
// never later than what is. counted says that the conversation counts against the limit already.
func (t *tick) done(ctx context.Context, d *timer, counted bool) (again bool) {
	ch, e := &d.decision.Change, t.e
	to := ToConversation(ch.Contact.Workspace, ch.Conversation.ID)
	e.putOff.worked(ofConversation(to))
	if len(ch.Events) == 0 {
		t.stats.Moved++
	} else {
		late := t.now.Sub(d.due)
		t.stats.Done++
		if !counted {
			t.left--
		}
		t.stats.Late = max(t.stats.Late, late)
		e.log.DebugContext(ctx, "convo: timer", "workspace", to.Workspace,
			"conversation", to.Conversation, "outcome", d.decision.Outcome, "late", late)
		t.written = append(t.written, ch.Events)
	}
	return !ch.Conversation.DueAt.IsZero() && !ch.Conversation.DueAt.After(t.now)
}
