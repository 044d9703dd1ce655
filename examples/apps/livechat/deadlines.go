package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// The times of the deadlines are multiples of one, which a flag sets: short enough to watch them.
const (
	usualPatience = 5 * time.Minute
	leastPatience = time.Second
	mostPatience  = 30 * 24 * time.Hour
)

const (
	nudgeText = "Are you still there? Write to us, or this chat will be closed soon."
	farewell  = "We have not heard from you, so we close this chat. You can restart it at any time."
)

// deadlines are what is to happen by when. A visitor who does not answer is nudged, and then
// left; an agent who does not answer loses the conversation; the first response and the resolution
// are targets, and the latter stands still while a conversation is pending.
func deadlines(patience time.Duration) []convo.Deadline {
	silence := convo.NudgeThenClose(patience, farewell)
	silence[1].Category, silence[1].Summary = "No answer", "The visitor did not answer."
	return slices.Concat(silence, []convo.Deadline{convo.TakeBack(2 * patience)},
		convo.ServiceLevel(patience, 12*patience, ""))
}

// nudgeBot is who nudges: a message is by somebody, and the system only ends what nobody answers.
var nudgeBot = convo.ByAutomation("nudge")

// isAutomatic reports whether a message by somebody is what a deadline sends to the visitor.
func isAutomatic(by convo.Actor) bool { return by == nudgeBot || by.Type == convo.ActorSystem }

// lateNudge is how late a nudge may be. After a night without a server the closing is due, too.
const lateNudge = time.Minute

// nudges delivers the deadline "nudge", which is an event only, as a message.
type nudges struct {
	engine *convo.Engine // the one that it observes
	now    func() time.Time
	log    *slog.Logger
}

// observe sends a message for each nudge that has passed: quiet, so that it changes no timer, and
// with a key of its event, so that it is sent once, whoever hears of it how often. One that is lost
// because the program dies right now is not made up for.
func (n *nudges) observe(ctx context.Context, events []convo.Event) {
	for _, e := range events {
		_, nudge := e.Marks().Of("nudge")
		if !nudge || n.now().Sub(e.At) > lateNudge {
			continue
		}
		_, err := n.engine.DoFunc(context.WithoutCancel(ctx),
			convo.ToConversation(e.Workspace, e.Conversation), "nudge/"+e.ID.String(),
			func(now convo.Snapshot) ([]convo.Command, error) {
				c := &now.Conversation
				if c.Status != convo.StatusOpen || c.AwaitingContactSince.IsZero() ||
					now.Contact.Blocked {
					return nil, nil // it was answered or closed meanwhile
				}
				return []convo.Command{
					convo.Send{By: nudgeBot, Channel: channel, Quiet: true, Body: nudgeText},
				}, nil
			})
		if err != nil {
			n.log.ErrorContext(ctx, "nudge", "conversation", e.Conversation, "error", err)
		}
	}
}

// deadlineWords are what deadlines are called on pages, and what the timer did when one passed.
var deadlineWords = map[string]struct{ name, passed string }{
	"nudge":     {"Nudge", "found that the visitor does not answer"},
	"close":     {"Closing", "found that the visitor does not come back"},
	"take_back": {"Taken back", "took it back, because the visitor waits"},
	"first_response": {"First response",
		"marked the first response as missed"},
	"resolution":    {"Resolution", "marked the resolution as missed"},
	convo.TimerWake: {"Comes back", ""},
}

// deadlineName is what a deadline is called, also one that the policy had once.
func deadlineName(name string) string {
	if w, ok := deadlineWords[name]; ok {
		return w.name
	}
	return plain(name)
}

// passed says what the timer did when a deadline passed.
func passed(name string) string {
	if w, ok := deadlineWords[name]; ok {
		return w.passed
	}
	return "found that the time is over for: " + plain(name)
}

// marksOf says which targets a message or a closing meets, and for which it comes too late.
func marksOf(e convo.Event) (words []string) {
	if e.Kind == convo.DeadlinePassed {
		return nil // its line says so
	}
	for _, m := range e.Marks().All() {
		if m.Result == convo.MarkMet || m.Result == convo.MarkMissed {
			words = append(words, deadlineName(m.Deadline)+" "+string(m.Result))
		}
	}
	return words
}

// timer is what runs on a conversation, or a target that was missed and is still to be met.
type timer struct {
	Name string
	Due  time.Time // zero: it stands still
	Left string    // until then; the browser counts on
	Over bool
}

// timersOf are those of c: what is missed, what runs out next, and what stands still.
func timersOf(c *convo.Conversation, p *convo.Policy, now time.Time) (all []timer) {
	for _, m := range c.Marks.All() {
		unmet := m.Target == convo.TargetResolution ||
			m.Target == convo.TargetFirstResponse && c.Cycle.FirstResponseAt.IsZero()
		if unmet && m.Result == convo.MarkMissed {
			all = append(all, timerUntil(m.Deadline, m.Due, now))
		}
	}
	for _, t := range convo.Timers(*c, p) {
		if t.Due.IsZero() {
			all = append(all, timer{Name: deadlineName(t.Name), Left: left(time.Duration(t.Left))})
		} else {
			all = append(all, timerUntil(t.Name, t.Due, now))
		}
	}
	return all
}

func timerUntil(name string, due, now time.Time) timer {
	return timer{Name: deadlineName(name), Due: due, Left: left(due.Sub(now)), Over: now.After(due)}
}

// urgent are the timers for a row of a list: what is overdue, and what runs out next.
func urgent(all []timer) []timer {
	for i, t := range all {
		switch {
		case t.Due.IsZero():
			return all[:i]
		case !t.Over:
			return all[:i+1]
		}
	}
	return all
}

// left is how long something has, or by how long it is overdue.
func left(d time.Duration) string {
	switch {
	case d <= -time.Minute:
		return "overdue by " + ago(-d)
	case d < 0:
		return "just overdue"
	case d < time.Minute:
		return "under 1 min left"
	}
	return ago(d) + " left"
}
