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
// has passed runs no more. It is pure, as [Decide] is.
func Timers(c Conversation, p *Policy) (all []Timer) {
	if p == nil {
		p = &defaultPolicy
	}
	r := ruler{p: p, applied: firstApplied(&c, c.UpdatedAt)}
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

// ruler measures a policy's deadlines.
type ruler struct {
	p *Policy
	// applied is when a rule of which nothing is known has first been applied: nothing is due
	// before it.
	applied   time.Time
	calendars map[string]Calendar
}

// firstApplied is when a rule has been applied to c that c's hint knows nothing of: the hint is
// never later than what a rule says that was applied before, so one that says earlier is new.
func firstApplied(c *Conversation, now time.Time) time.Time {
	if !c.DueAt.IsZero() && c.DueAt.Before(now) {
		return c.DueAt
	}
	return now
}

// each calls f with each timer of c, its rule, or nil for the waking, before it.
func (r *ruler) each(c *Conversation, f func(*Deadline, Timer)) {
	if !c.Status.Active() {
		return
	}
	if c.Status == StatusPending && !c.PendingUntil.IsZero() {
		f(nil, Timer{Name: TimerWake, Do: DoResume, Since: c.StatusSince, Due: c.PendingUntil})
	}
	if r.p.AutoClose.After > 0 {
		rule := r.p.AutoClose.rule()
		if t, ok := r.timer(c, &rule); ok {
			f(&rule, t)
		}
	}
	for i := range r.p.Deadlines {
		rule := &r.p.Deadlines[i]
		if t, ok := r.timer(c, rule); ok {
			f(rule, t)
		}
	}
}

// timer is that of a rule, or false while it is not armed.
func (r *ruler) timer(c *Conversation, rule *Deadline) (t Timer, ok bool) {
	t = Timer{Name: rule.Name, Do: rule.Do, Target: rule.Target, Since: rule.armedSince(c)}
	if t.Since.IsZero() {
		return t, false
	}
	from, left := t.Since, time.Duration(rule.After)
	mark, marked := c.Marks.Of(rule.Name)
	// What begins earlier than it did, by a late message, is the same arming.
	if marked = marked && !t.Since.After(mark.Since); marked {
		switch mark.Result {
		case MarkPaused, MarkResumed:
			from, left = c.StatusSince, time.Duration(mark.Left)
		default:
			return t, false
		}
	}
	if rule.Pause && c.Status == StatusPending {
		switch due, ok := r.after(rule, from, left); {
		case marked && mark.Result == MarkPaused:
			t.Left = mark.Left
			return t, true
		case !t.Since.Before(c.StatusSince):
			t.Left = rule.After
			return t, true
		case !ok:
			return t, false
		case due.After(c.StatusSince):
			t.Left = Duration(r.between(rule, c.StatusSince, due))
			return t, true
		}
	}
	if t.Due, ok = r.after(rule, from, left); !ok {
		return t, false
	}
	t.Due = maxTime(t.Due, r.applied)
	return t, true
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
	c, ok := r.calendars[name]
	if !ok {
		var err error
		if c, err = r.p.Calendars[name].Calendar(nil); err != nil {
			c = never{}
		}
		if r.calendars == nil {
			r.calendars = map[string]Calendar{}
		}
		r.calendars[name] = c
	}
	return c
}

// never is a calendar in which nothing is worked.
type never struct{}

func (never) Between(_, _ time.Time) time.Duration                   { return 0 }
func (never) After(time.Time, time.Duration) (at time.Time, ok bool) { return at, false }

// next is the timer of c that is due first, with its rule, or false; and when the first one is due
// that lists go by.
func (r *ruler) next(c *Conversation) (rule *Deadline, t Timer, ok bool, listed time.Time) {
	if len(r.p.Deadlines) == 0 && r.p.AutoClose.After == 0 && c.PendingUntil.IsZero() {
		return nil, t, false, listed // most have none
	}
	r.each(c, func(its *Deadline, one Timer) {
		if one.Due.IsZero() {
			return
		}
		if !ok || one.Due.Before(t.Due) {
			rule, t, ok = its, one, true
		}
		if (its == nil || !its.lazy()) && (listed.IsZero() || one.Due.Before(listed)) {
			listed = one.Due
		}
	})
	return rule, t, ok, listed
}

// arm keeps Deadline, and keeps the hint from being later than what is due. It leaves an earlier
// hint alone, so that messages do not move it, unless that has passed.
func (w *decider) arm(s *Snapshot, now time.Time, p *Policy) {
	c := &s.Conversation
	if c.ID != w.loaded.conversation || c.Version != w.loaded.version {
		now = c.UpdatedAt // which may have been given
	}
	r := ruler{p: p, applied: firstApplied(c, maxTime(now, c.UpdatedAt))}
	_, t, ok, listed := r.next(c)
	c.Deadline = listed
	if passed := !c.DueAt.After(c.UpdatedAt); passed || ok && t.Due.Before(c.DueAt) {
		c.DueAt = t.Due
	}
}

// DecideDue decides the next timer that is due on s until now, and says which one that was: what
// [Engine.Tick] does. Where none is, the decision has no events: it keeps DueAt and Deadline as p
// has them. It is pure, as [Decide] is.
func DecideDue(s Snapshot, now time.Time, p *Policy) (d Decision, fired Timer) {
	if p == nil {
		p = &defaultPolicy
	}
	now = micros(now)
	c := &s.Conversation
	r := ruler{p: p, applied: firstApplied(c, now)}
	rule, t, ok, listed := r.next(c)
	w := decider{loaded: versionsOf(&s), outcome: OutcomeUnchanged}
	if ok && !t.Due.After(now) {
		fired = t
		w.fire(&s, rule, t, p)
		w.arm(&s, now, p)
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
		mark := &Mark{Deadline: t.Name, Target: t.Target, Result: MarkPassed, Since: t.Since,
			Due: t.Due}
		if t.Target != TargetNone {
			mark.Result = MarkMissed
		}
		e.Payload = mark
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
		o.team = s.Conversation.Team
		w.assign(s, &o)
		w.outcome = OutcomeAssigned
	}
}

// standing are the marks of the targets that stand still from at on.
func (w *decider) standing(c *Conversation, at time.Time, p *Policy) (marks []Mark) {
	r := ruler{p: p, applied: firstApplied(c, at)}
	r.targets(c, func(rule *Deadline, t Timer) {
		if rule.Pause && t.Due.After(at) {
			marks = append(marks, Mark{Deadline: t.Name, Target: t.Target, Since: t.Since,
				Result: MarkPaused, Left: Duration(r.between(rule, at, t.Due))})
		}
	})
	return marks
}

// goingOn are the marks of the targets that go on after they stood still.
func (w *decider) goingOn(c *Conversation, p *Policy) (marks []Mark) {
	r := ruler{p: p, applied: firstApplied(c, c.UpdatedAt)}
	r.targets(c, func(_ *Deadline, t Timer) {
		if t.Due.IsZero() {
			marks = append(marks, Mark{Deadline: t.Name, Target: t.Target, Since: t.Since,
				Result: MarkResumed, Left: t.Left})
		}
	})
	return marks
}

// answered are the marks of the targets that a reply meets, or has missed. It was sent at a time
// that counts, and is recorded now.
func (w *decider) answered(c *Conversation, sent, now time.Time, p *Policy) (marks []Mark) {
	r := ruler{p: p, applied: firstApplied(c, now)}
	r.targets(c, func(_ *Deadline, t Timer) {
		if t.Target != TargetResolution {
			marks = append(marks, t.ended(sent))
		}
	})
	return marks
}

// resolved are the marks of the targets that a closing meets, or has missed. What is not due of the
// others is void.
func (w *decider) resolved(c *Conversation, at time.Time, p *Policy) (marks []Mark) {
	r := ruler{p: p, applied: firstApplied(c, at)}
	r.targets(c, func(_ *Deadline, t Timer) {
		if m := t.ended(at); t.Target == TargetResolution || m.Result == MarkMissed {
			marks = append(marks, m)
		}
	})
	return marks
}

// ended is the mark of a target that something ends.
func (t *Timer) ended(at time.Time) Mark {
	m := Mark{Deadline: t.Name, Target: t.Target, Result: MarkMet, Since: t.Since, Due: t.Due}
	if !t.Due.IsZero() && at.After(t.Due) {
		m.Result = MarkMissed
	}
	return m
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
