package convo_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

func TestDeadlinesAreValidated(t *testing.T) {
	good := convo.Deadline{Name: "n", After: minute, Since: convo.SinceOpened}
	target := convo.Deadline{Name: "n", After: minute, Target: convo.TargetResolution}
	for _, c := range []struct {
		field string
		of    convo.Deadline
		spoil func(*convo.Deadline)
	}{
		{"name", good, func(d *convo.Deadline) { d.Name = "" }},
		{"name", good, func(d *convo.Deadline) { d.Name = "a\n" }},
		{"name", good, func(d *convo.Deadline) { d.Name = strings.Repeat("x", 256) }},
		{"name", good, func(d *convo.Deadline) { d.Name = convo.TimerWake }},
		{"name", good, func(d *convo.Deadline) { d.Name = convo.TimerAutoClose }},
		{"after", good, func(d *convo.Deadline) { d.After = 0 }},
		{"after", good, func(d *convo.Deadline) { d.After = -minute }},
		{"after", good, func(d *convo.Deadline) { d.After = convo.Duration(convo.MinDeadline) - 1 }},
		{"after", good, func(d *convo.Deadline) {
			d.Hours, d.After = "office", convo.Duration(convo.MaxWorkingTime)+1
		}},
		{"after", good, func(d *convo.Deadline) { d.After = convo.Duration(convo.MaxCalendar) + 1 }},
		{"hours", good, func(d *convo.Deadline) { d.Hours = "night" }},
		{"since", good, func(d *convo.Deadline) { d.Since = "" }},
		{"since", good, func(d *convo.Deadline) { d.Since = "closed" }},
		{"since", target, func(d *convo.Deadline) { d.Since = convo.SinceOpened }},
		{"while", target, func(d *convo.Deadline) { d.While = convo.WhileActive }},
		{"while", good, func(d *convo.Deadline) { d.While = "closed" }},
		{"while", good, func(d *convo.Deadline) {
			d.Since, d.While = convo.SincePended, convo.WhileOpen
		}},
		{"while", good, func(d *convo.Deadline) { d.Do, d.While = convo.DoPend, convo.WhileActive }},
		{"while", good, func(d *convo.Deadline) { d.Do, d.While = convo.DoResume, convo.WhileOpen }},
		{"while", target, func(d *convo.Deadline) { d.Do = convo.DoPend }},
		{"while", target, func(d *convo.Deadline) { d.Do = convo.DoResume }},
		{"do", good, func(d *convo.Deadline) { d.Do = "remind" }},
		{"target", target, func(d *convo.Deadline) { d.Target = "third_response" }},
		{"pause", good, func(d *convo.Deadline) { d.Pause = true }},
		{"category", good, func(d *convo.Deadline) { d.Category = "Sales" }},
		{"summary", good, func(d *convo.Deadline) { d.Summary = "s" }},
		{"farewell", good, func(d *convo.Deadline) { d.Farewell = "bye" }},
		{"category", good, func(d *convo.Deadline) { d.Do, d.Category = convo.DoClose, "a\n" }},
		{"summary", good, func(d *convo.Deadline) {
			d.Do, d.Summary = convo.DoClose, strings.Repeat("x", 8<<10+1)
		}},
		{"farewell", good, func(d *convo.Deadline) {
			d.Do, d.Farewell = convo.DoClose, strings.Repeat("x", 64<<10+1)
		}},
	} {
		p := by(convo.Deadline{Name: "first", After: minute, Since: convo.SinceOpened}, c.of)
		require.NoError(t, p.Validate())
		c.spoil(&p.Deadlines[1])
		requireInvalid(t, "deadlines[1]."+c.field, p.Validate())
		_, err := convo.New(newStore(), convo.WithPolicy(p))
		requireInvalid(t, "deadlines[1]."+c.field, err)
	}
	requireInvalid(t, "deadlines[1].name", new(by(good, good)).Validate())
	requireInvalid(t, "deadlines",
		(&convo.Policy{Deadlines: make([]convo.Deadline, convo.MaxDeadlines+1)}).Validate())
	requireInvalid(t, `calendars["office"].zone`, (&convo.Policy{
		Calendars: map[string]convo.Hours{"office": {Zone: "Berlin"}},
	}).Validate())
	requireInvalid(t, `calendars[""]`, (&convo.Policy{
		Calendars: map[string]convo.Hours{"": {}},
	}).Validate())
	for _, bad := range []convo.Scale{{Min: -1, Max: 5}, {Min: 5, Max: 1}, {Min: 3, Max: 3},
		{Min: 1, Max: convo.MaxScore + 1}} {
		requireInvalid(t, "ratings", (&convo.Policy{Ratings: bad}).Validate())
	}
}

func TestDeadlinesArePlainJSON(t *testing.T) {
	p := by(append(convo.ServiceLevel(time.Hour, 8*time.Hour, "office"),
		convo.TakeBack(time.Minute), convo.ReplyWindow(24*time.Hour))...)
	p.Deadlines = append(p.Deadlines, convo.NudgeThenClose(time.Hour, "Bye!")...)
	require.NoError(t, p.Validate())
	text, err := json.Marshal(p)
	require.NoError(t, err)
	var back convo.Policy
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, p, back)
	assert.Error(t, json.Unmarshal([]byte(`{"deadlines":[{"name":"n","every":"1h"}]}`), &back))
}

func TestThePolicyTellsItsDeadlinesAsATable(t *testing.T) {
	p := by(append(convo.ServiceLevel(time.Hour, 90*time.Minute, "office"),
		convo.TakeBack(10*time.Minute), convo.Deadline{Name: "a|b", After: 60 * minute,
			Since: convo.SincePended, Do: convo.DoClose, Category: "Gone"})...)
	p.Deadlines = append(p.Deadlines, convo.NudgeThenClose(24*time.Hour, "Bye!")...)
	p.AutoClose = convo.AutoClose{After: 30 * minute}
	assert.Equal(t, `| name | when | while | then |
|---|---|---|---|
| first_response | 1h of office for first_response | active | missed, remind |
| resolution | 1h30m of office for resolution | active, still while pending | missed, remind |
| take_back | 10m since contact_waiting | open | unassign |
| a\|b | 1h since pended | pending | close as Gone |
| nudge | 24h since awaiting_contact | open | remind |
| close | 48h since awaiting_contact | open | say farewell, close |
| auto_close | 30m since awaiting_contact | open | close |
| wake | the time that it is pending until | pending | resume |
`, convo.DeadlineTable(&p))
	assert.Equal(t, convo.DeadlineTable(&convo.Policy{}), convo.DeadlineTable(nil))
}

// Working time over the change of the clocks, in two hemispheres: the night of the change is an
// hour shorter or longer.
func TestDeadlinesOverTheChangeOfTheClocks(t *testing.T) {
	for _, c := range []struct{ zone, from, want string }{
		{"Europe/Berlin", "2026-03-28 20:00", "2026-03-29 07:00"},    // 02:00 is 03:00
		{"Europe/Berlin", "2026-10-24 20:00", "2026-10-25 05:00"},    // 03:00 is 02:00
		{"Australia/Sydney", "2026-10-03 20:00", "2026-10-04 07:00"}, // 02:00 is 03:00
		{"Australia/Sydney", "2026-04-04 20:00", "2026-04-05 05:00"}, // 03:00 is 02:00
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		at := func(text string) time.Time {
			when, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
			require.NoError(t, err)
			return when.UTC()
		}
		night := []convo.Interval{{From: "20:00", To: "08:00"}}
		p := convo.Policy{
			Deadlines: []convo.Deadline{{Name: "answer", After: 600 * minute, Hours: "night",
				Target: convo.TargetFirstResponse}},
			Calendars: map[string]convo.Hours{"night": {Zone: c.zone,
				Days: map[string][]convo.Interval{"saturday": night, "sunday": night}}},
		}
		d := openDesk(t, convo.WithPolicy(p))
		d.clock.Set(at(c.from))
		id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
		want := at(c.want)
		assert.Equal(t, want, d.get(id).Deadline, c.zone)
		d.clock.Set(want.Add(-time.Microsecond))
		assert.Zero(t, d.tick())
		d.clock.Set(want)
		assert.Equal(t, 1, d.tick())
	}
}

func TestACalendarThatIsNeverReachedArmsNothing(t *testing.T) {
	p := convo.Policy{
		Deadlines: []convo.Deadline{{Name: "answer", Hours: "new year",
			After: convo.Duration(convo.MaxWorkingTime), Since: convo.SinceOpened,
			Do: convo.DoClose}},
		Calendars: map[string]convo.Hours{"new year": {Zone: "UTC",
			Days: map[string][]convo.Interval{"monday": {{From: "00:00", To: "00:01"}}}}},
	}
	d := openDesk(t, convo.WithPolicy(p))
	c := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation
	assert.Zero(t, c.Deadline)
	assert.Zero(t, c.DueAt)
}

// The system's own doing is no activity, whoever counts on it.
func TestTheSystemIsNoActivity(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(by(convo.TakeBack(10*time.Minute))))
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Minute)}).Conversation
	d.wait(time.Minute)
	assert.Equal(t, 1, d.tick(), "it wakes")
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick(), "it is taken back")
	d.do(k, convo.Close{By: convo.BySystem()})
	assert.Equal(t, morning, d.get(c.ID).LastActivityAt)
	d.do(k, convo.Reopen{By: agentAna})
	assert.Equal(t, d.clock.Now().UTC(), d.get(c.ID).LastActivityAt)
}

// What a policy has said for so long may change: the rule as it is now is what is due.
func TestAPolicyThatChangesBetweenArmingAndFiring(t *testing.T) {
	base := convo.Deadline{Name: "answer", After: 60 * minute, Since: convo.SinceContactWaiting}
	longer, renamed, closes := base, base, base
	longer.After, renamed.Name, closes.Do = 120*minute, "reply", convo.DoClose
	more := longer
	more.Name = "more"
	for _, c := range []struct {
		name string
		now  []convo.Deadline
		due  time.Duration // after the message; 0: never
		does convo.Status
	}{
		{"removed", nil, 0, convo.StatusOpen},
		{"longer", []convo.Deadline{longer}, 2 * time.Hour, convo.StatusOpen},
		{"renamed", []convo.Deadline{renamed}, time.Hour, convo.StatusOpen},
		{"does more", []convo.Deadline{closes}, time.Hour, convo.StatusClosed},
		{"beside another", []convo.Deadline{base, more}, time.Hour, convo.StatusOpen},
	} {
		p := by(base)
		d := openDesk(t, policyOf(&p))
		id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
		d.wait(30 * time.Minute)
		p.Deadlines = c.now
		if c.due == 0 {
			d.wait(100 * time.Hour)
			assert.Zero(t, d.tick(), c.name)
			continue
		}
		d.wait(c.due - 30*time.Minute - time.Microsecond)
		assert.Zero(t, d.tick(), c.name)
		d.wait(time.Microsecond)
		assert.Equal(t, 1, d.tick(), c.name)
		got := d.get(id)
		assert.Equal(t, c.does, got.Status, c.name)
		assert.Equal(t, morning.Add(c.due), got.UpdatedAt, c.name)
	}
}

// A wait that has fired does not fire again because its rule was changed.
func TestWhatHasFiredStaysFired(t *testing.T) {
	p := by(convo.Deadline{Name: "answer", After: 60 * minute, Since: convo.SinceContactWaiting})
	d := openDesk(t, policyOf(&p))
	d.do(toContact("carl"), convo.Receive{Body: "hi"})
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	for _, after := range []convo.Duration{10 * minute, 90 * minute} {
		p.Deadlines[0].After = after
		_, err := d.Rearm(t.Context(), tenant)
		require.NoError(t, err)
		d.wait(10 * time.Hour)
		assert.Zero(t, d.tick(), fmt.Sprint(after))
	}
}
