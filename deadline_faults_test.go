package convo_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// What is overdue when it is set pending has been missed, however often it stood still before.
func TestAnOverdueTargetThatStoodStillBeforeIsMissed(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.Deadline{Name: "solve", After: 60 * minute,
		Target: convo.TargetResolution, Pause: true})))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	d.do(k, convo.SetPending{By: agentAna})
	d.do(k, convo.Resume{By: agentAna})
	d.wait(2 * time.Hour)
	d.do(k, convo.SetPending{By: agentAna})
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, []string{"solve: paused", "solve: resumed", "solve: missed"}, d.marksOf(c))
	d.do(k, convo.Resume{By: agentAna}, convo.Close{By: agentAna})
	assert.Len(t, d.marksOf(c), 3)
}

// What stood still under a rule that was gone when it went on counts anew under the next one.
func TestARuleThatWasGoneAtTheResumingStandsNoLongerStill(t *testing.T) {
	p := by(convo.Deadline{Name: "solve", After: 60 * minute, Target: convo.TargetResolution,
		Pause: true})
	rules := p.Deadlines
	d := openDesk(t, policyOf(&p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna}).Conversation
	p.Deadlines = nil
	assert.Zero(t, d.do(k, convo.Resume{By: agentAna}).Conversation.Marks)
	p.Deadlines = rules
	d.do(k, convo.Note{By: agentAna, Body: "n"})
	d.wait(2 * time.Hour)
	d.do(k, convo.SetPending{By: agentAna})
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, []string{"solve: paused", "solve: missed"}, d.marksOf(c))
}

// One call with several commands is as as many calls.
func TestOneCallOrTwoMeetTheSame(t *testing.T) {
	after := func(d time.Duration) time.Time { return morning.Add(d) }
	for _, cmds := range [][]convo.Command{
		{convo.Receive{Body: "hi", At: morning},
			convo.Send{By: agentAna, Body: "late", At: after(time.Hour)}},
		{convo.Receive{Body: "hi", At: morning}, convo.Close{By: agentAna, At: after(time.Hour)}},
		{convo.Open{By: agentAna, At: morning}, convo.Receive{Body: "hi", At: after(time.Minute)},
			convo.SetPending{By: agentAna, At: after(2 * time.Minute)},
			convo.Resume{By: agentAna, At: after(3 * time.Minute)},
			convo.Send{By: agentAna, Body: "late", At: after(time.Hour)}},
	} {
		var marks [2][]string
		for i := range marks {
			d := openDesk(t, convo.WithPolicy(by(
				convo.Deadline{Name: "answer", After: 10 * minute, Target: convo.TargetFirstResponse,
					Pause: true},
				convo.Deadline{Name: "solve", After: 30 * minute, Target: convo.TargetResolution})))
			d.wait(24 * time.Hour)
			var c convo.Conversation
			if i == 0 {
				c = d.do(toContact("carl"), cmds...).Conversation
			} else {
				for _, cmd := range cmds {
					c = d.do(toContact("carl"), cmd).Conversation
				}
			}
			marks[i] = d.marksOf(c)
		}
		assert.Equal(t, marks[1], marks[0])
		assert.Contains(t, marks[0], "answer: missed")
	}
}

// A call goes by the channel that it names; what it reopens is of another one, and so are its
// timers.
func TestWhatIsReopenedByAnotherChannelIsArmedByItsOwnPolicy(t *testing.T) {
	sms := by(convo.Deadline{Name: "x", After: minute, Target: convo.TargetResolution})
	sms.Receive.Mode = convo.OnClosedReopen
	web := convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}
	for _, back := range []bool{true, false} {
		d := openDesk(t, convo.WithPolicies(
			func(_ context.Context, s convo.Scope) (*convo.Policy, error) {
				if s.Channel == "sms" {
					return &sms, nil
				}
				return &web, nil
			}))
		k := toContact("carl")
		cmds := []convo.Command{convo.Close{By: agentAna}, convo.Receive{Channel: "web", Body: "again"}}
		first, want := "sms", "x"
		if !back { // another one is opened: it has none of the first one's timers
			web.Receive.Mode, first, want = convo.OnClosedOpenNew, "web", ""
			cmds[1] = convo.Receive{Channel: "web", Body: "hi"}
		}
		d.do(k, convo.Receive{Channel: first, Body: "hi"})
		d.do(k, cmds[0])
		got := d.do(k, cmds[1]).Conversation
		assert.Equal(t, want == "", got.DueAt.IsZero())
		d.wait(time.Hour)
		assert.Equal(t, len(want), d.tick())
	}
}

func TestTimersSayWhatTheListSays(t *testing.T) {
	p := convo.Policy{}
	d := openDesk(t, policyOf(&p))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.Send{By: agentAna, Body: "hello"}).Conversation
	d.wait(90 * 24 * time.Hour)
	p = closeAfter(3 * 24 * time.Hour)
	_, err := d.Rearm(t.Context(), tenant)
	require.NoError(t, err)
	assert.Equal(t, d.get(c.ID).Deadline, d.timers(c.ID, p)[0].Due)
}

// How often Tick runs changes nothing that is met or missed.
func TestATickOfNothingChangesNothing(t *testing.T) {
	p := by(convo.Deadline{Name: "next", After: 45 * minute, Target: convo.TargetNextResponse})
	for _, tick := range []bool{true, false} {
		d := openDesk(t, convo.WithPolicy(p))
		k := toContact("carl")
		d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hello"})
		d.do(k, convo.Receive{Body: "and?"}) // the hint: 45m
		d.wait(time.Minute)
		d.do(k, convo.Send{By: agentAna, Body: "so"})
		d.wait(59 * time.Minute)
		if tick {
			assert.Zero(t, d.tick())
		}
		d.do(k, convo.Receive{Body: "late", SentAt: morning.Add(2 * time.Minute)})
		r := d.do(k, convo.Send{By: agentAna, Body: "at once"})
		assert.Equal(t, convo.MarkMissed, r.Events[0].Marks().All()[0].Result, "%t", tick)
	}
}

// A hint of what was cancelled says nothing of a rule that comes later.
func TestANewRuleIsNotDueSinceAnOldHint(t *testing.T) {
	nudge := convo.Deadline{Name: "nudge", After: 10 * minute, Since: convo.SinceContactWaiting}
	p := by(nudge)
	d := openDesk(t, policyOf(&p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	d.wait(time.Minute)
	d.do(k, convo.Send{By: agentAna, Body: "hello"})
	d.wait(24 * time.Hour)
	p = by(nudge, convo.Deadline{Name: "old", After: 60 * minute, Since: convo.SinceOpened})
	_, err := d.Rearm(t.Context(), tenant)
	require.NoError(t, err)
	assert.Equal(t, d.clock.Now().UTC(), d.get(c.ID).Deadline)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, d.clock.Now().UTC(), d.get(c.ID).UpdatedAt)
}

func TestANewRuleIsAppliedNowByACallThatWritesNothingOfIt(t *testing.T) {
	for _, cmds := range [][]convo.Command{
		{convo.SetProfile{By: agentAna, Name: new("Carl")}},
		{convo.SetProfile{By: agentAna, Name: new("Carl")}, convo.Block{By: agentAna}},
	} {
		p := convo.Policy{}
		d := openDesk(t, policyOf(&p))
		c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
		d.wait(90 * 24 * time.Hour)
		p = closeAfterAnyEvent(time.Hour)
		d.do(toContact("carl"), cmds...)
		assert.Equal(t, d.clock.Now().UTC(), d.get(c.ID).DueAt)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, d.clock.Now().UTC(), d.get(c.ID).Cycle.Closing.At)
	}
}

func TestATargetTakesNobodyOff(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.Deadline{Name: "x", After: minute,
		Target: convo.TargetFirstResponse, Do: convo.DoUnassign})))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.NotContains(t, kindsOf(d.log(c.ID)), convo.ConversationAssigned)
}

// Of what is due at once, a closing comes last, wherever it is in the policy: else it would meet a
// target by the very silence that the target is about.
func TestOfWhatIsDueAtOnceTheClosingComesLast(t *testing.T) {
	rules := []convo.Deadline{
		{Name: "close", After: 60 * minute, Since: convo.SinceOpened, Do: convo.DoClose},
		{Name: "answer", After: 60 * minute, Target: convo.TargetFirstResponse},
		{Name: "solve", After: 60 * minute, Target: convo.TargetResolution},
		{Name: "nudge", After: 60 * minute, Since: convo.SinceContactWaiting},
	}
	for range rules {
		rules = append(rules[1:], rules[0])
		d := openDesk(t, convo.WithPolicy(by(rules...)))
		c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
		d.wait(2 * time.Hour)
		assert.Equal(t, 4, d.tick())
		marks := d.marksOf(c)
		assert.ElementsMatch(t, []string{"answer: missed", "solve: missed", "nudge: passed",
			"close: passed"}, marks)
		assert.Equal(t, "close: passed", marks[3])
	}
}

func TestRearmGoesOnBehindAPolicyThatFails(t *testing.T) {
	broken := errors.New("no such lane")
	work, p := true, convo.Policy{}
	e, err := convo.New(newStore(), convo.WithPolicies(
		func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
			if of.Lane == "bad" && !work {
				return nil, broken
			}
			return &p, nil
		}))
	require.NoError(t, err)
	for i := range 3 {
		for _, lane := range []string{"", "bad", "good"} {
			_, err := e.Do(t.Context(), toContact(fmt.Sprint(i)).In(lane), convo.Receive{Body: "hi"})
			require.NoError(t, err)
		}
	}
	work, p = false, closeAfterAnyEvent(time.Hour)
	n, err := e.Rearm(t.Context(), tenant)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, 6, n)
}

// A wait is known by its beginning, but the next one may have the same, by a provider's whole
// seconds.
func TestTheNextWaitIsItsOwn(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(
		convo.Deadline{Name: "next", After: 10 * minute, Target: convo.TargetNextResponse},
		convo.Deadline{Name: "nudge", After: 10 * minute, Since: convo.SinceContactWaiting})))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hello"}).Conversation
	d.wait(time.Minute)
	at := d.clock.Now()
	d.do(k, convo.Receive{Body: "and?"})
	d.wait(10 * time.Minute)
	assert.Equal(t, 2, d.tick())
	d.do(k, convo.Send{By: agentAna, Body: "yes", SentAt: at})
	d.do(k, convo.Receive{Body: "late", SentAt: at})
	d.wait(time.Hour)
	assert.Equal(t, 2, d.tick())
	assert.ElementsMatch(t, []string{"next: missed", "next: missed", "nudge: passed",
		"nudge: passed"}, d.marksOf(c))
}

// A rule that has the name of another one has not passed because that has.
func TestANameIsNotARule(t *testing.T) {
	p := by(convo.Deadline{Name: "x", After: minute, Target: convo.TargetFirstResponse})
	d := openDesk(t, policyOf(&p))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
	d.wait(time.Minute)
	assert.Equal(t, 1, d.tick())
	p.Deadlines[0].Target = convo.TargetResolution
	d.wait(time.Minute)
	d.do(toContact("carl"), convo.Note{By: agentAna, Body: "n"})
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, []string{"x: missed", "x: missed"}, d.marksOf(c))
}

// However many policies a conversation has seen, its marks have a bound.
func TestMarksHaveABound(t *testing.T) {
	p := convo.Policy{}
	d := openDesk(t, policyOf(&p))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
	for i := range 5 {
		p = convo.Policy{}
		for j := range convo.MaxDeadlines {
			p.Deadlines = append(p.Deadlines, convo.Deadline{Name: fmt.Sprint(i, ".", j),
				After: minute, Since: convo.SinceOpened})
		}
		_, err := d.Rearm(t.Context(), tenant)
		require.NoError(t, err)
		d.wait(time.Hour)
		assert.Equal(t, convo.MaxDeadlines, d.tick())
		assert.Zero(t, d.tick())
	}
	assert.Len(t, d.get(c.ID).Marks.All(), 2*convo.MaxDeadlines)
}

func TestALeftIsInWholeMicroseconds(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.Deadline{Name: "x", After: minute + 1,
		Target: convo.TargetResolution, Pause: true})))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna}).Conversation
	m, _ := c.Marks.Of("x")
	assert.Equal(t, minute, m.Left)
}
