package convo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// What a policy that changes does to deadlines that run: nothing acts in the past, and what is due
// is what the rule says now.

// rearm is Rearm of the tenant, and says how many it wrote.
func (d *desk) rearm() int {
	d.t.Helper()
	n, err := d.Rearm(d.t.Context(), tenant)
	require.NoError(d.t, err)
	return n
}

// daily is a calendar by the name of office, of the same hours on every day.
func daily(zone, from, to string, holidays ...string) map[string]convo.Hours {
	days := map[string][]convo.Interval{}
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
		"sunday"} {
		days[day] = []convo.Interval{{From: from, To: to}}
	}
	return map[string]convo.Hours{"office": {Zone: zone, Days: days, Holidays: holidays}}
}

func TestAChangedCalendarClosesNothingInThePast(t *testing.T) {
	idle := convo.Deadline{Name: "idle", After: 16 * 60 * minute, Hours: "office",
		Since: convo.SinceAwaitingContact, Do: convo.DoClose}
	for what, calendars := range map[string][2]map[string]convo.Hours{
		"longer hours": {daily("UTC", "09:00", "10:00"), daily("UTC", "00:00", "24:00")},
		"another zone": {daily("Europe/Berlin", "09:00", "13:00"), daily("UTC", "09:00", "13:00")},
		"a holiday less": {daily("UTC", "09:00", "13:00", "2026-03-03"),
			daily("UTC", "09:00", "13:00")},
	} {
		for _, told := range []bool{true, false} {
			p := convo.Policy{Calendars: calendars[0], Deadlines: []convo.Deadline{idle}}
			d := openDesk(t, policyOf(&p))
			c := d.do(toContact("carl"), convo.Receive{Body: "hi"},
				convo.Send{By: agentAna, Body: "hello"}).Conversation
			d.wait(c.Deadline.Sub(morning) - time.Minute)
			p.Calendars = calendars[1]
			changed := d.clock.Now().UTC()
			if told {
				assert.Equal(t, 1, d.rearm(), what)
			} else {
				d.do(toContact("carl"), convo.Note{By: agentAna, Body: "n"})
			}
			d.wait(time.Minute)
			assert.Equal(t, 1, d.tick(), what)
			assert.Equal(t, changed, d.get(c.ID).Cycle.Closing.At, what)
		}
	}
}

func TestAReplyIsInTimeByTheCalendarThatIsInForce(t *testing.T) {
	p := convo.Policy{Calendars: daily("UTC", "09:00", "10:00"), Deadlines: []convo.Deadline{{
		Name: "answer", After: 240 * minute, Hours: "office", Target: convo.TargetFirstResponse}}}
	d := openDesk(t, policyOf(&p))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}).Conversation
	assert.Equal(t, morning.Add(73*time.Hour), c.Deadline)
	d.wait(48 * time.Hour)
	p.Calendars = daily("UTC", "00:00", "24:00")
	r := d.do(k, convo.Send{By: agentAna, Body: "hello"})
	assert.Equal(t, []convo.Mark{{Deadline: "answer", Target: convo.TargetFirstResponse,
		Result: convo.MarkMet, Since: morning, Due: d.clock.Now().UTC()}},
		r.Events[0].Marks().All())
}

// What says the same is the same, in whatever order and by whatever name: else a host that lists
// holidays from a map would have new rules all the time, and nothing would be missed any more.
func TestACalendarIsWhatItSays(t *testing.T) {
	office := func(holidays ...string) map[string]convo.Hours {
		return map[string]convo.Hours{"office": {Zone: "Europe/Berlin", Holidays: holidays,
			Days: weekdaysOf(convo.Interval{From: "08:00", To: "12:00"},
				convo.Interval{From: "14:00", To: "18:00"})}}
	}
	p := convo.Policy{Calendars: office("2026-12-25", "2026-12-26"),
		Deadlines: convo.ServiceLevel(time.Hour, 16*time.Hour, "office")}
	d := openDesk(t, policyOf(&p))
	d.do(toContact("carl"), convo.Receive{Body: "hi"})
	d.wait(time.Hour)
	p.Calendars = office("2026-12-26", "2026-12-25", "2026-12-26")
	for _, worked := range p.Calendars["office"].Days {
		slices.Reverse(worked)
	}
	assert.Zero(t, d.rearm())
	p = convo.Policy{Calendars: map[string]convo.Hours{"desk": p.Calendars["office"]},
		Deadlines: convo.ServiceLevel(time.Hour, 16*time.Hour, "desk")}
	assert.Zero(t, d.rearm())
	p.Calendars = map[string]convo.Hours{"desk": office("2026-12-24")["office"]}
	assert.Equal(t, 1, d.rearm())
}

// Rules are looked at by each message.
func TestAMessageUnderRulesInWorkingTimeAllocatesOnce(t *testing.T) {
	p := by(append(convo.ServiceLevel(time.Hour, 16*time.Hour, "office"),
		convo.TakeBack(time.Hour))...)
	s := threadIn(t, convo.StateOpen)
	var message convo.Command = convo.Receive{Body: "hi"}
	decision, err := convo.Decide(s, morning.Add(time.Hour), &p, message)
	require.NoError(t, err)
	s.Conversation = decision.Change.Conversation.Conversation
	require.NotZero(t, s.Conversation.Deadline)
	got := testing.AllocsPerRun(1000, func() {
		_, _ = convo.Decide(s, morning.Add(2*time.Hour), &p, message)
	})
	assert.LessOrEqual(t, got, 1.0)
}

// solve is a target that stands still while the conversation is pending.
func solve(after time.Duration) convo.Deadline {
	return convo.Deadline{Name: "solve", After: convo.Duration(after),
		Target: convo.TargetResolution, Pause: true}
}

// What stood still goes by its rule as that is now, less what it had run: it is pending from 10:00
// to 11:00, and from 12:00 to 14:00.
func TestATargetThatStoodStillGoesByItsRuleAsThatIsNow(t *testing.T) {
	working, always := solve(4*time.Hour), solve(5*time.Hour)
	working.Hours, always.Pause = "office", false
	for _, c := range []struct {
		what string
		rule convo.Deadline
		// When it is due if the rule is changed at 11:30, at 13:00 or at 14:30.
		due [3]string
	}{
		{"the same", solve(4 * time.Hour), [3]string{"02 16:00", "02 16:00", "02 16:00"}},
		{"longer", solve(6 * time.Hour), [3]string{"02 18:00", "02 18:00", "02 18:00"}},
		{"shorter", solve(3 * time.Hour), [3]string{"02 15:00", "02 15:00", "02 15:00"}},
		{"overrun", solve(90 * time.Minute), [3]string{"02 11:30", "02 13:00", "02 14:30"}},
		{"not still", always, [3]string{"02 15:00", "02 15:00", "02 17:00"}},
		{"in working time", working, [3]string{"03 10:00", "03 10:00", "03 10:00"}},
	} {
		for i, change := range []string{"11:30", "13:00", "14:30"} {
			p := convo.Policy{Calendars: daily("UTC", "09:00", "15:00"),
				Deadlines: []convo.Deadline{solve(4 * time.Hour)}}
			d := openDesk(t, policyOf(&p))
			k := toContact("carl")
			id := d.do(k, convo.Receive{Body: "hi"}).Conversation.ID
			var still convo.Conversation
			for now := 1; now <= 12; now++ { // half hours
				d.wait(30 * time.Minute)
				switch now {
				case 2, 6:
					d.do(k, convo.SetPending{By: agentAna})
				case 4, 10:
					d.do(k, convo.Resume{By: agentAna})
				case 9:
					still = d.get(id)
				}
				if d.clock.Now().UTC().Format("15:04") == change {
					p.Deadlines = []convo.Deadline{c.rule}
					d.rearm()
				}
			}
			assert.Equal(t, c.due[i], d.get(id).Deadline.Format("02 15:04"), "%s, at %s", c.what,
				change)
			mark, _ := d.get(id).Marks.Of("solve")
			assert.GreaterOrEqual(t, mark.Left, convo.Duration(0))
			if change != "14:30" && c.what != "overrun" && c.what != "not still" {
				assert.Zero(t, still.Deadline, c.what)
				assert.Equal(t, c.rule.After-convo.Duration(2*time.Hour),
					convo.Timers(still, &p)[0].Left, c.what)
			}
		}
	}
}

// A rule that comes while it is pending finds a target that stands still, or one that is overdue.
func TestARuleThatComesWhilePending(t *testing.T) {
	for after, want := range map[time.Duration]convo.Timer{
		90 * time.Minute: {Left: 30 * minute},
		30 * time.Minute: {Due: morning.Add(3 * time.Hour)},
	} {
		p := convo.Policy{}
		d := openDesk(t, policyOf(&p))
		id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
		d.wait(time.Hour)
		d.do(toContact("carl"), convo.SetPending{By: agentAna})
		d.wait(2 * time.Hour)
		p = by(solve(after))
		assert.Equal(t, 1, d.rearm())
		want.Name, want.Target, want.Since = "solve", convo.TargetResolution, morning
		assert.Equal(t, []convo.Timer{want}, d.timers(id, p))
	}
}

// What a deadline does may change while it is armed, or what it counts from: it is new then. Else
// it is due as before.
func TestWhatADeadlineDoesChangesAndNothingIsDueInThePast(t *testing.T) {
	rule := func(since convo.Since, do convo.Do) convo.Deadline {
		return convo.Deadline{Name: "x", After: 60 * minute, Since: since, Do: do}
	}
	for _, c := range []struct {
		was, now convo.Deadline
		isNew    bool
	}{
		{rule(convo.SinceAwaitingContact, convo.DoRemind),
			rule(convo.SinceAwaitingContact, convo.DoResume), true},
		{rule(convo.SinceAwaitingContact, convo.DoUnassign),
			rule(convo.SinceAwaitingContact, convo.DoResume), true},
		{rule(convo.SinceOpened, convo.DoUnassign), rule(convo.SinceOpened, convo.DoRemind), true},
		{rule(convo.SincePended, convo.DoRemind), rule(convo.SincePended, convo.DoResume), false},
		{rule(convo.SincePended, convo.DoRemind), rule(convo.SincePended, convo.DoClose), false},
	} {
		p := by(c.was)
		if c.was.Since == convo.SinceOpened { // for what is pending, too
			p.Deadlines[0].While, c.now.While = convo.WhileActive, convo.WhileActive
		}
		d := openDesk(t, policyOf(&p))
		id := d.do(toContact("carl"), convo.Receive{Body: "hi"},
			convo.Send{By: agentAna, Body: "hello"},
			convo.SetPending{By: agentAna}).Conversation.ID
		d.wait(59 * time.Minute)
		d.do(toContact("carl"), convo.Assign{By: agentAna, Assignee: "ana"})
		d.wait(time.Hour / 2)
		p.Deadlines = []convo.Deadline{c.now}
		d.rearm()
		want := morning.Add(time.Hour)
		if c.isNew {
			want = d.clock.Now().UTC()
		}
		assert.Equal(t, want, d.get(id).Deadline, "%s %s, then %s", c.now.Since, c.was.Do, c.now.Do)
	}
}

// A clock that ran a year ahead once does not keep a rule from being due for a year.
func TestAClockThatRanAheadDisablesNoRule(t *testing.T) {
	const year = 365 * 24 * time.Hour
	k := toContact("carl")
	rule := solve(time.Hour)
	for what, story := range map[string]func(d *desk, p *convo.Policy){
		"Rearm": func(d *desk, p *convo.Policy) {
			p.Deadlines = []convo.Deadline{rule}
			d.rearm()
			d.wait(-year)
			assert.Equal(d.t, 1, d.rearm())
			assert.Zero(d.t, d.rearm(), "once")
		},
		"a command that writes nothing of it": func(d *desk, p *convo.Policy) {
			p.Deadlines = []convo.Deadline{rule}
			d.do(k, convo.SetProfile{By: agentAna, Name: new("Carl")})
			d.wait(-year)
			d.do(k, convo.Note{By: agentAna, Body: "n"})
		},
		"a command": func(d *desk, p *convo.Policy) {
			p.Deadlines = []convo.Deadline{rule}
			d.do(k, convo.Note{By: agentAna, Body: "n"})
			d.wait(-year)
			d.rearm()
		},
		"the last event is ahead": func(d *desk, p *convo.Policy) {
			d.do(k, convo.Note{By: agentAna, Body: "n"})
			d.wait(-year)
			p.Deadlines = []convo.Deadline{rule}
			d.do(k, convo.Note{By: agentAna, Body: "n"})
		},
		"a Tick": func(d *desk, p *convo.Policy) {
			p.Deadlines = append(p.Deadlines, rule)
			d.rearm()
			d.wait(-year)
		},
	} {
		p := by(convo.Deadline{Name: "wait", After: 90 * minute, Since: convo.SinceContactWaiting})
		d := openDesk(t, policyOf(&p))
		id := d.do(k, convo.Receive{Body: "hi"}).Conversation.ID
		d.do(k, convo.Send{By: agentAna, Body: "hello"})
		d.wait(year)
		story(d, &p)
		if what != "a Tick" {
			assert.Equal(t, morning.Add(time.Hour), d.get(id).Deadline, what)
		}
		d.wait(2 * time.Hour)
		assert.Equal(t, 1, d.tick(), what)
	}
}

func TestAClockThatRanAheadLeavesNoMark(t *testing.T) {
	p := convo.Policy{}
	d := openDesk(t, policyOf(&p))
	k := toContact("carl")
	d.do(k, convo.Receive{Body: "hi"})
	p = by(convo.Deadline{Name: "answer", After: 60 * minute, Target: convo.TargetFirstResponse})
	d.wait(1000 * time.Hour)
	d.rearm()
	d.wait(-998 * time.Hour)
	r := d.do(k, convo.Send{By: agentAna, Body: "hello"})
	m := r.Events[0].Marks().All()[0]
	assert.Equal(t, convo.MarkMet, m.Result)
	assert.Equal(t, d.clock.Now().UTC(), m.Due)
}
