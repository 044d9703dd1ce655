package convo

import "time"

// DueReason says what a timer is for.
type DueReason string

// The reasons.
const (
	DueWake       DueReason = "wake"       // a pending conversation comes back
	DueInactivity DueReason = "inactivity" // an open one is closed
)

// NextDue is the time at which the conversation of s changes by itself under p, and why; zero when
// nothing is due. What is pending without a time has no timer.
func NextDue(s Snapshot, p *Policy) (time.Time, DueReason) {
	if p == nil {
		p = &defaultPolicy
	}
	return nextDue(&s, p)
}

// nextDue is when a pending conversation wakes, or when an open one is closed for inactivity; the
// zero time when it has no timer.
func nextDue(s *Snapshot, p *Policy) (time.Time, DueReason) {
	c := &s.Conversation
	switch {
	case c.Status == StatusPending && !c.PendingUntil.IsZero():
		return c.PendingUntil, DueWake
	case c.Status == StatusOpen && p.AutoClose.After > 0:
		since := c.AwaitingContactSince
		if p.AutoClose.Since == SinceAnyEvent {
			since = c.LastActivityAt
		}
		if !since.IsZero() {
			return micros(since.Add(time.Duration(p.AutoClose.After))), DueInactivity
		}
	}
	return time.Time{}, ""
}

// arm keeps the timer's hint from being later than what is due. It leaves an earlier hint alone, so
// that messages do not move it, unless that has passed.
func (w *decider) arm(s *Snapshot, p *Policy) {
	c := &s.Conversation
	due, _ := nextDue(s, p)
	if passed := !c.DueAt.After(c.UpdatedAt); passed || !due.IsZero() && due.Before(c.DueAt) {
		c.DueAt = due
	}
}

// dueCommand is the command that is due, at the time when it became so: measures do not depend on
// how often Tick runs.
func dueCommand(s *Snapshot, due time.Time, reason DueReason, p *Policy) Command {
	at := maxTime(due, s.Conversation.UpdatedAt)
	if reason == DueWake {
		return Resume{By: BySystem(), At: at, Source: SourceTimer}
	}
	return Close{
		By: BySystem(), At: at, Source: SourceInactivity,
		Category: p.AutoClose.Category, Summary: p.AutoClose.Summary,
	}
}

// decideDue decides the next thing that is due on s until now, and says since when it was; or else,
// without an event, that the hint moves.
func decideDue(s Snapshot, now time.Time, p *Policy) (d Decision, due time.Time, err error) {
	due, reason := nextDue(&s, p)
	if due.IsZero() || due.After(now) {
		return rearmed(&s, due), due, nil
	}
	d, err = Decide(s, now, p, dueCommand(&s, due, reason, p))
	return d, due, err
}

// rearmed plans to move the hint of s to due, and nothing else.
func rearmed(s *Snapshot, due time.Time) (d Decision) {
	w := decider{loaded: versionsOf(s)}
	s.Conversation.DueAt = due
	w.otherThanMessages = true
	w.result(s, &d.Change)
	return d
}
