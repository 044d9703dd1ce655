package convo

import (
	"cmp"
	"slices"
	"time"
)

// Timer is what changes a conversation by itself, unless it is cancelled before.
type Timer struct {
	// Name is that of a Deadline, TimerWake or TimerAutoClose.
	Name   string `json:"name"`
	Do     Do     `json:"do,omitempty"`
	Target Target `json:"target,omitempty"`
	// Since is when it was armed, Due when it is due: zero while it stands still, with so much
	// Left, in working time if it has Hours.
	Since time.Time `json:"since"`
	Due   time.Time `json:"due,omitzero"`
	Left  Duration  `json:"left,omitzero"`
}

// Timers are those that run on c under p, the next one first, and then those that stand still. What
// has passed runs no more. p is the policy of the conversation: Engine.Policy gives that of
// Scope{c.Workspace, c.Lane, c.Channel}; nil is the default one. It is pure, as [Decide] is.
func Timers(c Conversation, p *Policy) (all []Timer) {
	if p == nil {
		p = &defaultPolicy
	}
	r := rulerOf(&c, c.UpdatedAt, p)
	r.each(&c, func(_ *Deadline, t Timer) { all = append(all, t) })
	slices.SortStableFunc(all, func(a, b Timer) int {
		switch {
		case a.Due.IsZero() != b.Due.IsZero():
			return b.Due.Compare(a.Due)
		default:
			return a.Due.Compare(b.Due)
		}
	})
	return all
}

// ruler measures a policy's deadlines for one conversation.
type ruler struct {
	p *Policy
	// now is when a rule has been applied that the conversation knows nothing of.
	now       time.Time
	rules     []Deadline
	calendars map[string]*keptTimes // the policy's
	marks     []Mark                // the conversation's
}

func rulerOf(c *Conversation, now time.Time, p *Policy) ruler {
	return ruler{p: p, now: now, rules: p.rules(), marks: c.Marks.All()}
}

// each calls f with each timer of c, and its rule, or nil for the waking.
func (r *ruler) each(c *Conversation, f func(*Deadline, Timer)) {
	if !c.Status.Active() {
		return
	}
	if c.Status == StatusPending && !c.PendingUntil.IsZero() {
		f(nil, Timer{Name: TimerWake, Do: DoResume, Since: c.StatusSince, Due: c.PendingUntil})
	}
	for i := range r.rules {
		if t, ok := r.timer(c, &r.rules[i]); ok {
			f(&r.rules[i], t)
		}
	}
}

// rules are the deadlines of p, and AutoClose.
func (p *Policy) rules() []Deadline {
	if p.AutoClose.After <= 0 {
		return p.Deadlines
	}
	return append(slices.Clone(p.Deadlines), p.AutoClose.rule())
}

// timer is that of a rule, or false while it is not armed.
func (r *ruler) timer(c *Conversation, rule *Deadline) (t Timer, ok bool) {
	t = Timer{Name: rule.Name, Do: rule.Do, Target: rule.Target, Since: rule.armedSince(c)}
	if t.Since.IsZero() {
		return t, false
	}
	from, ran := t.Since, Duration(0)
	if m, marked := r.mark(rule, t.Since); marked {
		if m.Result != MarkPaused && m.Result != MarkResumed {
			return t, false // it has passed
		}
		from, ran = m.At, m.Ran
	}
	due, ok := r.after(rule, from, time.Duration(rule.After-ran))
	if !ok {
		return t, false // it is never due
	}
	if rule.Pause && c.Status == StatusPending {
		// What was due before has been missed, and does not stand still.
		if pended := maxTime(c.StatusSince, t.Since); due.After(pended) {
			t.Left = Duration(r.between(rule, pended, due))
			return t, true
		}
	}
	t.Due = maxTime(due, r.applied(c, rule))
	return t, true
}

// mark is that of a rule which is armed since a time. One of another rule, which had its name, is
// none, nor is one of an earlier arming. What begins earlier than it did, by a late message, is the
// same arming.
func (r *ruler) mark(rule *Deadline, since time.Time) (m Mark, ok bool) {
	for _, m := range r.marks {
		if m.Deadline == rule.Name {
			return m, m.Target == rule.Target && m.From == rule.Since && !since.After(m.Since)
		}
	}
	return m, false
}

func (r *ruler) after(rule *Deadline, from time.Time, d time.Duration) (time.Time, bool) {
	if rule.Hours == "" {
		return micros(from.Add(d)), true
	}
	at, ok := r.calendar(rule.Hours).After(from, d)
	return micros(at), ok
}

func (r *ruler) between(rule *Deadline, from, to time.Time) time.Duration {
	if rule.Hours == "" {
		return to.Sub(from)
	}
	return r.calendar(rule.Hours).Between(from, to)
}

// calendar is one of the policy's. Of one that is not valid nothing is worked.
func (r *ruler) calendar(name string) Calendar {
	if c := r.kept(name); c != nil {
		return c
	}
	return never{}
}

// kept is one of the policy's calendars, or nil.
func (r *ruler) kept(name string) *keptTimes {
	if name == "" {
		return nil
	}
	if r.calendars == nil {
		r.calendars = calendarsOf(r.p.Calendars)
	}
	return r.calendars[name]
}

// next is the timer of c that is due first, with its rule, or false; and when the first one is due
// that lists go by. Of those that are due at once, what can be cancelled goes before what cancels:
// targets and reminders before what changes the status, and closings last.
func (r *ruler) next(c *Conversation) (rule *Deadline, t Timer, ok bool, listed time.Time) {
	r.each(c, func(its *Deadline, one Timer) {
		if one.Due.IsZero() {
			return
		}
		if !ok || one.Due.Before(t.Due) || one.Due.Equal(t.Due) && one.rank() < t.rank() {
			rule, t, ok = its, one, true
		}
		if (its == nil || !its.lazy()) && (listed.IsZero() || one.Due.Before(listed)) {
			listed = one.Due
		}
	})
	return rule, t, ok, listed
}

func (p *Policy) hasRules() bool { return len(p.Deadlines) > 0 || p.AutoClose.After > 0 }

func (t *Timer) rank() int {
	switch {
	case t.Do == DoClose:
		return 3
	case t.Target != TargetNone:
		return 0
	case t.Do == DoRemind:
		return 1
	}
	return 2
}

// arm keeps Deadline and Applied, and keeps the hint from being later than what is due.
func (w *decider) arm(c *Conversation, now time.Time, p *Policy) {
	c.notAhead(now)
	c.arm(w.appliedNow(c, now), p)
}

// appliedNow is when a rule is applied to c that it knows nothing of: now, or earlier, with the
// event that the call wrote of it, whose time may have been given.
func (w *decider) appliedNow(c *Conversation, now time.Time) time.Time {
	wrote := c.ID != w.loaded.conversation || c.Version != w.loaded.version
	if wrote && c.UpdatedAt.Before(now) {
		return c.UpdatedAt
	}
	return now
}

// arm leaves an earlier hint alone, so that messages do not move it, unless that has passed.
func (c *Conversation) arm(now time.Time, p *Policy) {
	if !p.hasRules() && c.DueAt.IsZero() && c.PendingUntil.IsZero() {
		c.Applied, c.Deadline = "", time.Time{} // most have none
		return
	}
	r := rulerOf(c, now, p)
	r.apply(c)
	_, t, ok, listed := r.next(c)
	c.Deadline = listed
	if passed := !c.DueAt.After(c.UpdatedAt); passed || ok && t.Due.Before(c.DueAt) {
		c.DueAt = t.Due
	}
}

// DecideDue decides the next timer that is due on s until now, and says which one that was: what
// [Engine.Tick] does. Where none is, the decision has no events: it keeps DueAt and Deadline as p
// has them. A nil policy is the default one. It is pure, as [Decide] is.
func DecideDue(s Snapshot, now time.Time, p *Policy) (d Decision, fired Timer) {
	if p == nil {
		p = &defaultPolicy
	}
	now = micros(now)
	c := &s.Conversation
	w := decider{loaded: versionsOf(&s), outcome: OutcomeUnchanged}
	c.notAhead(now)
	r := rulerOf(c, now, p)
	r.apply(c)
	rule, t, ok, listed := r.next(c)
	if ok && !t.Due.After(now) {
		fired = t
		w.fire(&s, rule, t, p)
		w.arm(c, now, p)
	} else {
		c.DueAt, c.Deadline = t.Due, listed
		w.otherThanMessages = true
	}
	d.Outcome = w.outcome
	w.result(&s, &d.Change)
	return d, fired
}

// fire does what is due, at the time when it became so: measures do not depend on how often Tick
// runs.
func (w *decider) fire(s *Snapshot, rule *Deadline, t Timer, p *Policy) {
	o := fields{by: BySystem(), at: maxTime(t.Due, s.Conversation.UpdatedAt), source: SourceTimer}
	if rule != nil && rule.Name != TimerAutoClose { // which needs no event of its own
		e := w.add(s, &o, DeadlinePassed)
		passing := &Passing{Mark: t.mark(rule, MarkPassed)}
		if t.Target != TargetNone {
			passing.Mark.Result = MarkMissed
		}
		s.Conversation.before(DeadlinePassed, &passing.Before)
		e.Payload = passing
		w.apply(s, e)
		w.outcome = OutcomeReminded
	}
	switch t.Do {
	case DoClose:
		if rule.Farewell != "" && !s.Contact.Blocked {
			w.message(s, &fields{
				kind: kindSend, by: o.by, at: o.at, quiet: true, text: rule.Farewell,
				channel: cmp.Or(s.Conversation.Address.Channel, s.Conversation.Channel),
			}, MessageSent, false, p)
		}
		o.source, o.category, o.text = SourceInactivity, rule.Category, rule.Summary
		w.close(s, &o, p)
		w.outcome = OutcomeClosed
	case DoPend:
		w.pend(s, &o, p)
		w.outcome = OutcomePending
	case DoResume:
		w.resume(s, &o, p)
		w.outcome = OutcomeResumed
	case DoUnassign:
		if o.team = s.Conversation.Team; s.Conversation.Assignee != "" { // a target may have none
			w.assign(s, &o)
			w.outcome = OutcomeAssigned
		}
	}
}

// standing are the marks of the targets that stand still when c is set pending.
func (c *Conversation) standing(at time.Time, p *Policy) (marks []Mark) {
	pending := *c
	pending.Status, pending.StatusSince = StatusPending, at
	r := rulerOf(&pending, at, p)
	r.targets(&pending, func(rule *Deadline, t Timer) {
		if t.Due.IsZero() {
			m := t.mark(rule, MarkPaused)
			m.At, m.Left, m.Ran = maxTime(at, t.Since), t.Left, rule.After-t.Left
			marks = append(marks, m)
		}
	})
	return marks
}

// goingOn are the marks of the targets that go on at a time, after they stood still.
func (c *Conversation) goingOn(at time.Time, p *Policy) (marks []Mark) {
	r := rulerOf(c, at, p)
	r.targets(c, func(rule *Deadline, t Timer) {
		m := t.mark(rule, MarkResumed)
		switch was, marked := r.mark(rule, t.Since); {
		case t.Due.IsZero():
			m.At, m.Left, m.Ran = maxTime(at, t.Since), t.Left, rule.After-t.Left
			var ok bool
			if m.Due, ok = r.after(rule, m.At, time.Duration(m.Left)); !ok {
				return
			}
		case marked && was.Result == MarkPaused: // its rule was changed, and it goes on already
			m.At, m.Ran = was.At, was.Ran
			m.Left = Duration(max(0, r.between(rule, at, t.Due)))
		default:
			return
		}
		marks = append(marks, m)
	})
	return marks
}

// answered are the marks of the targets that a reply meets, or has missed.
func (c *Conversation) answered(at time.Time, p *Policy) (marks []Mark) {
	r := rulerOf(c, at, p)
	r.targets(c, func(rule *Deadline, t Timer) {
		if t.Target != TargetResolution {
			marks = append(marks, t.ended(rule, at))
		}
	})
	return marks
}

// resolved are the marks of the targets that a closing meets, or has missed. What is not due of the
// others is void.
func (c *Conversation) resolved(at time.Time, p *Policy) (marks []Mark) {
	r := rulerOf(c, at, p)
	r.targets(c, func(rule *Deadline, t Timer) {
		if m := t.ended(rule, at); t.Target == TargetResolution || m.Result == MarkMissed {
			marks = append(marks, m)
		}
	})
	return marks
}

func (t *Timer) mark(rule *Deadline, result MarkResult) Mark {
	return Mark{Deadline: t.Name, Result: result, Target: t.Target, From: rule.Since,
		Since: t.Since, Due: t.Due}
}

// ended is the mark of a target that something ends.
func (t *Timer) ended(rule *Deadline, at time.Time) Mark {
	if !t.Due.IsZero() && at.After(t.Due) {
		return t.mark(rule, MarkMissed)
	}
	return t.mark(rule, MarkMet)
}

// targets is each for those with a target.
func (r *ruler) targets(c *Conversation, f func(*Deadline, Timer)) {
	for i := range r.p.Deadlines {
		rule := &r.p.Deadlines[i]
		if rule.Target == TargetNone {
			continue
		}
		if t, ok := r.timer(c, rule); ok {
			f(rule, t)
		}
	}
}
