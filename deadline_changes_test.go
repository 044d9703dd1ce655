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
