package convo

import (
	"context"
	"fmt"
	"time"
)

// Calls for one Ref that are decided together: one Load and one Commit for all of them, and what
// each would have found by itself, one after the other.

// inTurn carries a call out when no other one of this process is at work for its Ref, unless that
// carries it out with its own.
func (e *Engine) inTurn(ctx context.Context, c *call, cmds []Command) (Result, error) {
	var together []Command
	if e.mayShare(c, cmds) {
		together = cmds
	}
	w := c.policies.watched
	w.waits()
	a, taken, done := e.turns.take(ctx, &c.to, together)
	w.waited(false)
	if done {
		return a.result, a.err
	}
	if taken {
		defer e.turns.pass(&c.to)
		c.shares = together != nil
		defer e.answer(c)
	}
	return e.carryOut(ctx, c, cmds)
}

// mayShare reports whether a call may be decided together with others. A guard is asked about one
// call, and what a function or an Edit looks at is looked up for one.
func (e *Engine) mayShare(c *call, cmds []Command) bool {
	return e.turns != nil && c.decide == nil && len(e.guards) == 0 && foreseeable(cmds)
}

// decide decides a call on its snapshot, and with it those that wait for its turn to end.
func (e *Engine) decide(c *call, p *Policy, cmds []Command) (err error) {
	s := &c.snapshot
	if c.shares {
		c.joined = e.turns.join(&c.to, len(cmds), c.joined)
	}
	if len(c.joined) == 0 {
		c.outcome, err = c.decider.decide(s, c.at, p, cmds)
		return err
	}
	c.at = e.clock.Now() // they may have come after this one
	before, of := *s, scopeOf(s, cmds)
	for {
		if c.outcome, err = c.decider.decide(s, c.at, p, cmds); err != nil {
			return err
		}
		c.result = new(c.decider.resultOf(s, 0))
		n := e.decideJoined(c, p, of)
		if n == len(c.joined) {
			return nil
		}
		e.turns.giveBack(&c.to, c.joined[n:], false) // the first leads next
		c.joined = c.joined[:n]
		*s = before
	}
}

// decideJoined decides those that have joined a call, on what it has left, and returns how many it
// could decide: up to the first one that is refused, was there already, or would have loaded
// something else.
func (e *Engine) decideJoined(c *call, p *Policy, of Scope) int {
	s, d := &c.snapshot, &c.decider
	byPolicy := func() bool { return e.policies == nil || s.Conversation.scope() == of }
	for i, w := range c.joined {
		first := len(d.w.events)
		if !s.foreseen(d.w.moved) || !byPolicy() || !w.decided(d, s, c.at, p) {
			return i
		}
		w.result = d.resultOf(s, first)
	}
	if n := len(c.joined); n == 0 || byPolicy() {
		return n
	}
	return len(c.joined) - 1
}

// decided reports whether d could decide w, too, whose caller still waits for it.
func (w *waiting) decided(d *Decider, s *Snapshot, at time.Time, p *Policy) bool {
	w.reading.Lock()
	defer w.reading.Unlock()
	return !w.gone && d.goOn(s, at, p, w.cmds)
}

// letGo has those that have joined a call go on without it, or each by itself.
func (e *Engine) letGo(c *call, alone bool) {
	if len(c.joined) > 0 {
		e.turns.giveBack(&c.to, c.joined, alone)
	}
	c.joined, c.shares = nil, false
}

// answer tells those that have joined a call what came of it.
func (e *Engine) answer(c *call) {
	switch {
	case c.done:
		for _, w := range c.joined {
			w.told <- answer{result: w.result}
		}
	case c.unknown: // or the store has panicked
		unknown := fmt.Errorf("convo: committed with another call: %w", ErrCommitUnknown)
		for _, w := range c.joined { // without what happened to the other one's context
			w.told <- answer{err: unknown}
		}
	default: // what went wrong may take long: they do not wait for it one after the other
		e.letGo(c, c.committing)
	}
}
