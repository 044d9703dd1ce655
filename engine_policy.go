package convo

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Which policy a call goes by.

// policyCache is what a call has looked up, and who wants to hear of it.
type policyCache struct {
	scope  Scope
	policy *Policy           // nil: none yet
	more   map[Scope]*Policy // a merge's, which may need several
	// locked: a store lock is held, so the policy function must not run.
	locked bool
	// missing: the attempt needed a policy that is not cached.
	missing bool
	watched *watched
}

// policyFor is the policy of a call: that of the lane, and of the active conversation's channel,
// else of the channel that the call names first.
func (e *Engine) policyFor(
	ctx context.Context, pc *policyCache, s *Snapshot, cmds []Command,
) (*Policy, error) {
	if e.policies == nil {
		return &e.policy, nil
	}
	return e.cachedPolicy(ctx, pc, scopeOf(s, cmds))
}

// scopeOf is what the policy of a call is looked up by.
func scopeOf(s *Snapshot, cmds []Command) Scope {
	channel := s.Conversation.Channel
	if !s.Conversation.Status.Active() {
		for _, cmd := range cmds {
			var o fields
			_ = o.read(cmd)
			if c := cmp.Or(o.channel, s.Ref.Address.Channel); c != "" {
				channel = c
				break
			}
		}
	}
	return Scope{s.Contact.Workspace, s.lane(), channel}
}

// armByItsOwn arms the conversation of a call by the policy that Tick will find for it. A call goes
// by the channel that it names, and may reopen a conversation of another one; a Move goes by where
// the conversation was.
func (e *Engine) armByItsOwn(ctx context.Context, c *call, used *Policy) error {
	row := &c.changes[0].Conversation
	to := &row.Conversation
	if e.policies == nil || row.Action == RowKept || !to.Status.Active() {
		return nil
	}
	p, err := e.cachedPolicy(ctx, &c.policies, to.scope())
	if err != nil || p == used {
		return err
	}
	to.Applied, to.DueAt = "", time.Time{}
	w := &c.decider.w
	if was := &w.loaded; was.conversation == to.ID && was.cycle == to.Cycle.Number {
		to.Applied, to.DueAt = was.applied, was.dueAt
	}
	w.arm(to, micros(c.at), p)
	if was := &w.loaded; was.conversation == to.ID && !to.DueAt.Equal(was.dueAt) {
		row.OnlyMessages = false
		if row.Listing == RowKept {
			row.Listing = RowUpdated
		}
	}
	return nil
}

// scope is what the policy of c is looked up by.
func (c *Conversation) scope() Scope { return Scope{c.Workspace, c.Lane, c.Channel} }

// cachedPolicy looks a policy up once in a call, and not while a lock is held.
func (e *Engine) cachedPolicy(ctx context.Context, pc *policyCache, of Scope) (*Policy, error) {
	if e.policies == nil {
		return &e.policy, nil
	}
	if pc.policy != nil && pc.scope == of {
		return pc.policy, nil
	}
	if p := pc.more[of]; p != nil {
		return p, nil
	}
	if pc.locked {
		pc.missing = true
		return nil, ErrConflict
	}
	p, err := e.lookUpPolicy(ctx, of)
	if err != nil {
		return nil, err
	}
	if pc.policy != nil {
		if pc.more == nil {
			pc.more = map[Scope]*Policy{}
		}
		pc.more[pc.scope] = pc.policy
	}
	pc.scope, pc.policy = of, p
	return p, nil
}

func (e *Engine) lookUpPolicy(ctx context.Context, of Scope) (*Policy, error) {
	if e.policies == nil {
		return &e.policy, nil
	}
	p, err := e.policies(ctx, of)
	if p == nil && err == nil {
		p = &e.policy
	}
	if err == nil {
		err = p.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("convo: policy of workspace %q, lane %q, channel %q: %w",
			of.Workspace, of.Lane, of.Channel, err)
	}
	return p, nil
}
