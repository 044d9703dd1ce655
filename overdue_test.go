package convo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// loneStore is a store whose due conversations nobody can share.
type loneStore struct{ convo.Store }

// Rules that set one another off come to rest at the end of a Tick, and go on in the next one.
func TestRulesThatSetOneAnotherOffHoldUpNothing(t *testing.T) {
	p := by(
		convo.Deadline{Name: "idle", After: minute / 60, Since: convo.SinceAnyEvent, Do: convo.DoPend},
		convo.Deadline{Name: "back", After: minute / 60, Since: convo.SincePended, Do: convo.DoResume})
	for _, s := range []convo.Store{newStore(), loneStore{newStore()}} {
		d := openDeskOn(t, s, convo.WithPolicy(p))
		d.do(toContact("carl"), convo.Receive{Body: "hi"})
		d.wait(90 * 24 * time.Hour)
		assert.Equal(t, 100, d.tick())
		assert.Equal(t, 100, d.tick())
	}
}

// O10: what would Tick do?
func TestOverdueSaysWhatTickWouldDo(t *testing.T) {
	p := by(convo.NudgeThenClose(time.Hour, "")...)
	d := openDesk(t, policyOf(&p))
	was := p.Deadlines
	for i, name := range []string{"carl", "dora", "emil"} {
		d.do(toContact(name), convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hello"})
		d.wait(time.Duration(i+1) * time.Minute)
	}
	p.Deadlines = nil
	d.do(toContact("finn"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Minute)})
	d.do(toContact("finn"), convo.Resume{By: agentAna}) // the hint stays
	p.Deadlines = was
	d.do(toContact("carl"), convo.Move{By: agentAna, Lane: new("slow")})
	d.wait(3 * time.Hour)

	before := dumpOf(t, d.store, tenant)
	var got []string
	for o, err := range d.Overdue(t.Context()) {
		require.NoError(t, err)
		got = append(got, o.Conversation.Contact+" "+o.Timer.Name+" "+
			o.Timer.Due.Format(time.TimeOnly))
	}
	assert.Equal(t, []string{"carl nudge 10:00:00", "dora nudge 10:01:00", "emil nudge 10:03:00"},
		got)
	assert.Equal(t, before, dumpOf(t, d.store, tenant), "and nothing was done")
	for range d.Overdue(t.Context()) {
		break // whoever has seen enough may go
	}
	assert.Equal(t, 6, d.tick())
	for o := range d.Overdue(t.Context()) {
		assert.Fail(t, "nothing is due any more", "%+v", o)
	}
}

func TestAnErrorOfOneIsNotTheEndOfWhatIsOverdue(t *testing.T) {
	broken := errors.New("no such lane")
	work := false
	d := openDesk(t, convo.WithPolicies(
		func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
			if of.Lane == "broken" && !work {
				return nil, broken
			}
			return nil, nil
		}))
	work = true
	for _, lane := range []string{"broken", "fine"} {
		d.do(toContact(lane).In(lane), convo.Open{By: agentAna},
			convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Minute)})
		d.wait(time.Second)
	}
	work = false
	d.wait(time.Hour)
	var errs, fine int
	for o, err := range d.Overdue(t.Context()) {
		if err != nil {
			require.ErrorIs(t, err, broken)
			assert.Equal(t, "broken", o.Conversation.Lane)
			errs++
			continue
		}
		assert.Equal(t, convo.TimerWake, o.Timer.Name)
		fine++
	}
	assert.Equal(t, []int{1, 1}, []int{errs, fine})

	done, cancel := context.WithCancel(t.Context())
	cancel()
	errs = 0
	for _, err := range d.Overdue(done) {
		require.ErrorIs(t, err, context.Canceled)
		errs++
	}
	assert.Equal(t, 1, errs, "which ends it")
}

// What an observer does when it hears of a reminder comes after all that was due by then, however
// late the Tick is.
func TestObserversDoNotComeBetweenWhatIsDue(t *testing.T) {
	for _, s := range []convo.Store{newStore(), loneStore{newStore()}} {
		var d *desk
		d = openDeskOn(t, s, convo.WithPolicy(by(convo.NudgeThenClose(time.Hour, "")...)),
			convo.WithObserver(func(_ context.Context, events []convo.Event) {
				if events[0].Passing().Mark.Deadline == "nudge" {
					d.do(toContact("carl"), convo.Send{By: flowBot, Quiet: true, Body: "still there?"})
				}
			}))
		c := d.do(toContact("carl"), convo.Open{By: agentAna},
			convo.Send{By: agentAna, Body: "hello"}).Conversation
		d.wait(24 * time.Hour)
		assert.Equal(t, 2, d.tick())
		assert.Equal(t, morning.Add(2*time.Hour), d.get(c.ID).Cycle.Closing.At)
	}
}

// A page of what is due is read by the hint, and so are all pages: to sort each would be no order.
func TestWhatIsOverdueComesInTheOrderOfItsHints(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(closeAfterAnyEvent(time.Hour)))
	for _, name := range []string{"carl", "dora", "carl"} { // who writes again is due later
		d.do(toContact(name), convo.Receive{Body: "hi"})
		d.wait(29 * time.Minute)
	}
	d.wait(time.Hour)
	var got []string
	var hint time.Time
	for o, err := range d.Overdue(t.Context()) {
		require.NoError(t, err)
		assert.False(t, o.Conversation.DueAt.Before(hint))
		hint = o.Conversation.DueAt
		got = append(got, o.Conversation.Contact+o.Timer.Due.Format(" 15:04"))
	}
	assert.Equal(t, []string{"carl 10:58", "dora 10:29"}, got)
}

// One looks to see what a grace leaves alone.
func TestOverdueSaysWhatAGraceLeavesAlone(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(closeAfterAnyEvent(time.Hour)),
		convo.WithTickGrace(time.Hour))
	d.do(toContact("carl"), convo.Receive{Body: "hi"})
	d.wait(48 * time.Hour)
	assert.Zero(t, d.tick())
	said := 0
	for o, err := range d.Overdue(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, morning.Add(time.Hour), o.Timer.Due)
		said++
	}
	assert.Equal(t, 1, said)
}
