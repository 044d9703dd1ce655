package convo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// by is a policy with deadlines.
func by(deadlines ...convo.Deadline) convo.Policy {
	return convo.Policy{Deadlines: deadlines, Calendars: map[string]convo.Hours{
		"office": {Zone: "Europe/Berlin", Days: weekdaysOf(convo.Interval{From: "08:00",
			To: "12:00"}, convo.Interval{From: "14:00", To: "18:00"})},
	}}
}

func weekdaysOf(i ...convo.Interval) map[string][]convo.Interval {
	days := map[string][]convo.Interval{}
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday"} {
		days[day] = i
	}
	return days
}

// policyOf is one policy that the test may change.
func policyOf(p *convo.Policy) convo.Option {
	return convo.WithPolicies(func(context.Context, convo.Scope) (*convo.Policy, error) {
		return p, nil
	})
}

const minute = convo.Duration(time.Minute)

// marksOf are the marks of the events of a conversation, as deadline: result.
func (d *desk) marksOf(c convo.Conversation) (all []string) {
	for _, e := range d.log(c.ID) {
		for _, m := range e.Marks().All() {
			all = append(all, m.Deadline+": "+string(m.Result))
		}
	}
	return all
}

// U15: remind after 30 minutes without an answer, close after 60.
func TestANudgeAndThenAClosing(t *testing.T) {
	p := by(convo.NudgeThenClose(30*time.Minute, "Bye!")...)
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	d.do(k, convo.Receive{Channel: "sms", Address: "+49", Body: "hi"})
	d.wait(time.Minute)
	c := d.do(k, convo.Send{By: agentAna, Body: "hello"}).Conversation
	answered := d.clock.Now()

	d.wait(30*time.Minute - time.Microsecond)
	assert.Zero(t, d.tick(), "not a microsecond early")
	d.wait(time.Microsecond)
	assert.Equal(t, 1, d.tick())
	d.wait(10 * time.Minute)
	assert.Zero(t, d.tick(), "once")
	d.wait(time.Hour) // too late
	assert.Equal(t, 1, d.tick())

	log := d.log(c.ID)[3:]
	require.Equal(t, []convo.EventKind{convo.DeadlinePassed, convo.DeadlinePassed,
		convo.MessageSent, convo.ConversationClosed}, kindsOf(log))
	for i, after := range []time.Duration{30, 60, 60, 60} {
		assert.Equal(t, answered.Add(after*time.Minute).UTC(), log[i].At)
		assert.Equal(t, convo.BySystem(), log[i].By)
	}
	assert.Equal(t, []convo.Mark{{Deadline: "nudge", Result: convo.MarkPassed,
		From: convo.SinceAwaitingContact, Since: answered.UTC(),
		Due: answered.Add(30 * time.Minute).UTC()}}, log[0].Marks().All())
	farewell := log[2].Message()
	assert.Equal(t, convo.Message{Channel: "sms", Address: "+49", Body: "Bye!", Quiet: true},
		farewell)
	assert.Equal(t, convo.SourceInactivity, d.get(c.ID).Cycle.Closing.Source)
}

func TestAnAnswerCancelsBoth(t *testing.T) {
	p := by(convo.NudgeThenClose(30*time.Minute, "")...)
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hello"})
	d.wait(10 * time.Minute)
	d.do(k, convo.Receive{Body: "thanks"})
	d.wait(10 * time.Hour)
	assert.Zero(t, d.tick())
	c := d.do(k, convo.Send{By: agentAna, Body: "bye"}).Conversation
	d.wait(30 * time.Minute)
	assert.Equal(t, 1, d.tick(), "the next answer arms it anew")
	d.do(k, convo.Receive{Body: "wait"}, convo.Send{By: agentAna, Body: "for what?"})
	d.wait(30 * time.Minute)
	assert.Equal(t, 1, d.tick(), "also when it has fired before")
	assert.Equal(t, convo.StatusOpen, d.get(c.ID).Status)
}

// U13: a working day of 08:00–12:00 and 14:00–18:00; what comes at 11:50 has 20 minutes until 14:10.
func TestATargetInWorkingTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	p := by(convo.Deadline{Name: "answer", After: 20 * minute, Hours: "office",
		Target: convo.TargetFirstResponse})
	for at, want := range map[time.Time]convo.MarkResult{
		time.Date(2026, 3, 2, 14, 10, 0, 0, berlin):    convo.MarkMet,
		time.Date(2026, 3, 2, 14, 10, 0, 1000, berlin): convo.MarkMissed,
	} {
		d := openDesk(t, convo.WithPolicy(p))
		d.clock.Set(time.Date(2026, 3, 2, 11, 50, 0, 0, berlin))
		c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
		assert.Equal(t, time.Date(2026, 3, 2, 14, 10, 0, 0, berlin).UTC(), c.Deadline)
		d.clock.Set(at)
		r := d.do(toContact("carl"), convo.Send{By: agentAna, Body: "hello"})
		marks := r.Events[0].Marks().All()
		require.Len(t, marks, 1)
		assert.Equal(t, want, marks[0].Result)
		assert.Zero(t, d.tick(), "it is counted once")
		assert.Zero(t, r.Conversation.Deadline)
	}
}

func TestATargetThatPassesIsMissedOnce(t *testing.T) {
	p := by(convo.Deadline{Name: "first", After: 10 * minute, Target: convo.TargetFirstResponse},
		convo.Deadline{Name: "next", After: 5 * minute, Target: convo.TargetNextResponse},
		convo.Deadline{Name: "solve", After: 600 * minute, Target: convo.TargetResolution})
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	d.wait(10 * time.Minute)
	assert.Equal(t, 1, d.tick())
	d.wait(time.Minute)
	d.do(k, convo.Send{By: agentAna, Body: "late"})
	d.wait(time.Minute)
	d.do(k, convo.Receive{Body: "and?"})
	d.wait(5 * time.Minute)
	d.do(k, convo.Send{By: agentAna, Body: "in time"})
	d.do(k, convo.Receive{Body: "and now?"})
	d.wait(6 * time.Minute)
	d.do(k, convo.Send{By: agentAna, Body: "late, and no tick came in between"})
	d.do(k, convo.Send{By: agentAna, Body: "which is no reply"})
	assert.Zero(t, d.tick())
	assert.Equal(t, []string{"first: missed", "next: met", "next: missed"}, d.marksOf(c))
}

func TestAClosingMeetsTheResolutionAndVoidsResponses(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse},
		convo.Deadline{Name: "solve", After: 60 * minute, Target: convo.TargetResolution})
	for _, c := range []struct {
		after time.Duration
		want  []string
	}{
		{5, []string{"solve: met"}},
		{11, []string{"answer: missed", "solve: met"}}, // due, and not ticked
		{61, []string{"answer: missed", "solve: missed"}},
	} {
		d := openDesk(t, convo.WithPolicy(p))
		d.do(toContact("carl"), convo.Receive{Body: "hi"})
		d.wait(c.after * time.Minute)
		r := d.do(toContact("carl"), convo.Close{By: agentAna})
		assert.Equal(t, c.want, d.marksOf(r.Conversation), "after %d minutes", c.after)
		d.wait(10 * time.Hour)
		assert.Zero(t, d.tick())
		reopened := d.do(toContact("carl"), convo.Reopen{By: agentAna}).Conversation
		require.Len(t, d.timers(reopened.ID, p), 1, "the resolution anew, the response not yet")
		assert.Equal(t, d.clock.Now().Add(time.Hour).UTC(), reopened.Deadline)
	}
}

func (d *desk) timers(id [16]byte, p convo.Policy) []convo.Timer {
	d.t.Helper()
	s, err := d.store.Load(context.Background(), toConversation(id))
	require.NoError(d.t, err)
	return convo.Timers(s.Conversation, &p)
}

func TestATargetStandsStillWhileItIsPending(t *testing.T) {
	p := by(convo.Deadline{Name: "solve", After: 60 * minute, Target: convo.TargetResolution,
		Pause: true})
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	for range 3 { // ten minutes open, an hour pending
		d.wait(10 * time.Minute)
		c = d.do(k, convo.SetPending{By: agentAna}).Conversation
		assert.Zero(t, c.Deadline)
		d.wait(time.Hour)
		assert.Zero(t, d.tick())
		c = d.do(k, convo.Resume{By: agentAna}).Conversation
	}
	assert.Equal(t, d.clock.Now().Add(30*time.Minute).UTC(), c.Deadline)
	d.do(k, convo.SetPending{By: agentAna})
	assert.Equal(t, []convo.Timer{{Name: "solve", Target: convo.TargetResolution, Since: morning,
		Left: 30 * minute}}, d.timers(c.ID, p))
	d.do(k, convo.Close{By: agentAna})
	assert.Equal(t, "solve: met", d.marksOf(c)[len(d.marksOf(c))-1])
}

// What was due when it was set pending has been missed, and does not stand still.
func TestAnOverdueTargetDoesNotStandStill(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse,
		Pause: true})
	d := openDesk(t, convo.WithPolicy(p))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
	d.wait(11 * time.Minute)
	d.do(toContact("carl"), convo.SetPending{By: agentAna})
	assert.Equal(t, 1, d.tick())
	e := d.log(c.ID)[3]
	assert.Equal(t, convo.MarkMissed, e.Marks().All()[0].Result)
	assert.Equal(t, morning.Add(10*time.Minute), e.Marks().All()[0].Due)
	d.do(toContact("carl"), convo.Resume{By: agentAna})
	d.wait(time.Hour)
	assert.Zero(t, d.tick(), "once")
}

// A wait that begins while it is pending has all its time left.
func TestAWaitThatBeginsWhilePendingStandsStill(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse,
		Pause: true})
	p.StayPending = true
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	d.do(k, convo.Open{By: agentAna}, convo.SetPending{By: agentAna})
	d.wait(time.Minute)
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	require.Len(t, d.timers(c.ID, p), 1)
	assert.Equal(t, 10*minute, d.timers(c.ID, p)[0].Left)
	d.wait(time.Hour)
	assert.Zero(t, d.tick())
	c = d.do(k, convo.Resume{By: agentAna}).Conversation
	assert.Equal(t, d.clock.Now().Add(10*time.Minute).UTC(), c.Deadline)
}

func TestAChatIsTakenBackFromWhoDoesNotReply(t *testing.T) {
	p := by(convo.TakeBack(5 * time.Minute))
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	d.do(k, convo.Receive{Body: "hi"})
	d.wait(time.Hour)
	assert.Zero(t, d.tick(), "nobody has it")
	c := d.do(k, convo.Assign{By: agentBen, Assignee: "ana", Team: "sales"}).Conversation
	d.wait(5*time.Minute - time.Microsecond)
	assert.Zero(t, d.tick(), "who has just got it has the whole time")
	d.wait(time.Microsecond)
	assert.Equal(t, 1, d.tick())
	got := d.get(c.ID)
	assert.Empty(t, got.Assignee)
	assert.Equal(t, "sales", got.Team, "the team keeps it")
	d.do(k, convo.Assign{By: agentBen, Assignee: "ben"})
	d.wait(time.Minute)
	d.do(k, convo.Send{By: agentBen, Body: "hello"})
	d.wait(time.Hour)
	assert.Zero(t, d.tick(), "who replies keeps it")
}

// TW002, TW003: active, then inactive, then closed; CW064: what a bot has pending is closed.
func TestInactiveAndThenClosed(t *testing.T) {
	p := by(
		convo.Deadline{Name: "inactive", After: 10 * minute, Since: convo.SinceAnyEvent,
			Do: convo.DoPend},
		convo.Deadline{Name: "closed", After: 60 * minute, Since: convo.SincePended,
			Do: convo.DoClose, Category: "Gone"})
	d := openDesk(t, convo.WithPolicy(p))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
	d.wait(5 * time.Minute)
	d.do(toContact("carl"), convo.Receive{Body: "?"})
	d.wait(5 * time.Minute)
	assert.Zero(t, d.tick(), "each message sets it back")
	d.wait(5 * time.Minute)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.StatusPending, d.get(c.ID).Status)
	d.wait(10 * time.Hour)
	assert.Equal(t, 1, d.tick())
	got := d.get(c.ID)
	assert.Equal(t, morning.Add(75*time.Minute), got.Cycle.Closing.At)
	assert.Equal(t, morning.Add(5*time.Minute), got.LastActivityAt, "the system is no activity")
}

func TestAPendingOneIsResumedByADeadline(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.Deadline{Name: "back", After: 30 * minute,
		Since: convo.SincePended, Do: convo.DoResume})))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna}).Conversation
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	got := d.get(c.ID)
	assert.Equal(t, convo.StatusOpen, got.Status)
	assert.Equal(t, morning.Add(30*time.Minute), got.StatusSince)
}

// WhatsApp's reply window.
func TestTheReplyWindow(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.ReplyWindow(24*time.Hour))))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	assert.Zero(t, c.Deadline, "every message would move it, so it is in no list")
	d.wait(23 * time.Hour)
	d.do(k, convo.Receive{Body: "again"}, convo.Send{By: agentAna, Body: "hello"},
		convo.SetPending{By: agentAna})
	d.wait(2 * time.Hour)
	assert.Zero(t, d.tick())
	d.wait(22 * time.Hour)
	assert.Equal(t, 1, d.tick(), "pending or not")
	log := d.log(c.ID)
	assert.Equal(t, morning.Add(47*time.Hour), log[len(log)-1].At)
	d.do(k, convo.Receive{Body: "back again"})
	d.wait(24 * time.Hour)
	assert.Equal(t, 1, d.tick(), "each message opens it anew")
}

// O6: what wakes a pending one is said when it is set pending.
func TestWhatWakesAPendingOneIsSaidThen(t *testing.T) {
	for _, c := range []struct {
		stays bool // by the policy
		on    convo.OnReceive
		want  convo.Status
	}{
		{false, convo.OnReceivePolicy, convo.StatusOpen},
		{true, convo.OnReceivePolicy, convo.StatusPending},
		{false, convo.OnReceiveStay, convo.StatusPending},
		{true, convo.OnReceiveResume, convo.StatusOpen},
	} {
		d := openDesk(t, convo.WithPolicy(convo.Policy{StayPending: c.stays}))
		k := toContact("carl")
		d.do(k, convo.Open{By: agentAna}, convo.SetPending{By: agentAna, OnReceive: c.on,
			Until: morning.Add(time.Hour)})
		got := d.do(k, convo.Receive{Body: "hi"}).Conversation
		assert.Equal(t, c.want, got.Status, "%t, %s", c.stays, c.on)
		d.wait(time.Hour)
		d.tick()
		got = d.get(got.ID)
		assert.Equal(t, convo.StatusOpen, got.Status, "its time comes all the same")
		assert.Empty(t, got.OnReceive)
	}
}

// O5: a policy that is switched on or shortened, and Rearm.
func TestANewPolicyIsAppliedByRearm(t *testing.T) {
	p := convo.Policy{}
	d := openDesk(t, policyOf(&p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hello"}).Conversation
	d.wait(90 * 24 * time.Hour)
	p = closeAfter(3 * 24 * time.Hour)
	assert.Zero(t, d.tick(), "nobody has told it yet")
	before := d.get(c.ID)

	n, err := d.Rearm(t.Context(), tenant)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	applied := d.clock.Now().UTC()
	got := d.get(c.ID)
	assert.Equal(t, before.Version, got.Version)
	assert.Equal(t, applied, got.Deadline)
	n, err = d.Rearm(t.Context(), tenant)
	require.NoError(t, err)
	assert.Zero(t, n)

	d.wait(time.Hour)
	d.do(k, convo.Note{By: agentAna, Body: "it is still due since then"})
	assert.Equal(t, applied, d.get(c.ID).Deadline)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, applied.Add(time.Hour), d.get(c.ID).Cycle.Closing.At,
		"not 87 days ago, and not before the note")
	require.NoError(t, err)
}

func TestRearmTakesATimerOffTheListToo(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse})
	d := openDesk(t, policyOf(&p))
	for i := range 250 {
		d.do(toContact(fmt.Sprint("carl ", i)), convo.Receive{Body: "hi"})
	}
	first := d.do(toContact("carl 0"), convo.Note{By: agentAna, Body: "n"}).Conversation
	p.Deadlines = nil
	n, err := d.Rearm(t.Context(), tenant)
	require.NoError(t, err)
	assert.Equal(t, 250, n)
	assert.Zero(t, d.get(first.ID).Deadline)
	list, err := d.Conversations(t.Context(), convo.Filter{Workspace: tenant,
		Order: convo.OrderDeadline})
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestTheNextDeadlineIsInTheList(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse},
		convo.Deadline{Name: "solve", After: 60 * minute, Target: convo.TargetResolution})
	d := openDesk(t, convo.WithPolicy(p))
	names := []string{"a", "b", "c"}
	for _, name := range names {
		d.do(toContact(name), convo.Receive{Body: "hi"})
		d.wait(time.Minute)
	}
	d.do(toContact("a"), convo.Send{By: agentAna, Body: "hello"})
	d.do(toContact("c"), convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Minute)})
	list, err := d.Conversations(t.Context(), convo.Filter{Workspace: tenant,
		Order: convo.OrderDeadline, Ascending: true})
	require.NoError(t, err)
	var got []string
	for _, c := range list {
		got = append(got, c.Contact)
	}
	assert.Equal(t, []string{"c", "b", "a"}, got)
}

func TestABlockedContactGetsNoFarewell(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.NudgeThenClose(time.Minute, "Bye!")...)))
	c := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}, convo.Block{By: agentAna}).Conversation
	d.wait(time.Hour)
	assert.Equal(t, 2, d.tick())
	assert.Equal(t, convo.StatusClosed, d.get(c.ID).Status)
	assert.NotContains(t, kindsOf(d.log(c.ID)[2:]), convo.MessageSent)
}

// A late message moves a wait back: the same arming, which has fired.
func TestAnArmingThatBeginsEarlierHasFiredAllTheSame(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse})
	d := openDesk(t, convo.WithPolicy(p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "second"}).Conversation
	d.wait(10 * time.Minute)
	assert.Equal(t, 1, d.tick())
	d.do(k, convo.Receive{Body: "first", SentAt: morning.Add(-time.Minute)})
	d.wait(time.Hour)
	assert.Zero(t, d.tick())
	assert.Equal(t, []string{"answer: missed"}, d.marksOf(c))
}

func TestAShorterTargetCountsFromWhenItIsApplied(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 600 * minute, Target: convo.TargetFirstResponse})
	d := openDesk(t, policyOf(&p))
	k := toContact("carl")
	d.do(k, convo.Receive{Body: "hi"})
	d.wait(time.Hour)
	p.Deadlines[0].After = 10 * minute
	d.do(k, convo.Note{By: agentAna, Body: "n"})
	r := d.do(k, convo.Send{By: agentAna, Body: "hello"})
	assert.Equal(t, []convo.Mark{{Deadline: "answer", Target: convo.TargetFirstResponse,
		Result: convo.MarkMet, Since: morning, Due: morning.Add(time.Hour)}},
		r.Events[0].Marks().All())
}
