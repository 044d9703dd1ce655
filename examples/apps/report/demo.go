package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The demo's time, and the part of it that is asked about unless the call says otherwise: what is
// before is there to compare with.
var (
	demoBegins = time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC) // a Monday
	demoEnds   = demoBegins.AddDate(0, 0, 8*7)
	demoFrom   = demoBegins.AddDate(0, 0, 4*7).Format(time.DateOnly)
	demoTo     = demoEnds.Format(time.DateOnly)
)

const demoContacts = 280

// demoHours are when its agents work.
var demoHours = convo.Hours{Zone: "Europe/Berlin", Days: func() map[string][]convo.Interval {
	days := map[string][]convo.Interval{"saturday": {{From: "10:00", To: "14:00"}}}
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday"} {
		days[day] = []convo.Interval{{From: "08:00", To: "18:00"}}
	}
	return days
}()}

func demoPolicy() convo.Policy {
	takeBack := convo.TakeBack(4 * time.Hour)
	takeBack.Hours = "desk"
	p := convo.Policy{
		Receive: convo.OnClosed{Mode: convo.OnClosedReopen,
			Window: convo.Duration(72 * time.Hour)},
		Category:        convo.RuleRequired,
		UnassignOnClose: true,
		Calendars:       map[string]convo.Hours{"desk": demoHours},
		Deadlines: append(convo.ServiceLevel(time.Hour, 16*time.Hour, "desk"),
			append(convo.NudgeThenClose(72*time.Hour, "We close this for now."), takeBack)...),
	}
	for i := range p.Deadlines {
		if p.Deadlines[i].Do == convo.DoClose {
			p.Deadlines[i].Category = "no answer"
		}
	}
	return p
}

// demo plays a help desk that does not exist, contact by contact: each has its clock, which the
// engine takes its time from.
type demo struct {
	ctx       context.Context
	engine    *convo.Engine
	workspace string
	hours     convo.Calendar
	random    *rand.Rand
	now       time.Time
	contact   string
	err       error // the first one; nothing is done after it
}

// Now makes it a clock.
func (d *demo) Now() time.Time { return d.now }

// play plays all of it. The same seed plays the same, down to the ids of conversations.
func (c *call) play(
	ctx context.Context, s convo.Store, stderr io.Writer,
) (conversations int, err error) {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], c.seed)
	ids := rand.NewChaCha8(seed)
	d := &demo{ctx: ctx, workspace: c.query.Workspace, random: rand.New(rand.NewPCG(c.seed, 0))}
	if d.hours, err = demoHours.Calendar(nil); err != nil {
		return 0, err
	}
	count := map[convo.EventKind]int{}
	d.engine, err = convo.New(s, convo.WithClock(d), convo.WithPolicy(demoPolicy()),
		convo.WithIDs(func() uuid.UUID { return uuid.Must(uuid.NewRandomFromReader(ids)) }),
		convo.WithObserver(func(_ context.Context, events []convo.Event) {
			for i := range events {
				count[events[i].Kind]++
			}
		}))
	if err != nil {
		return 0, err
	}
	for i := range demoContacts {
		d.contact = fmt.Sprintf("customer-%03d", i+1)
		d.now = demoBegins.Add(time.Duration(d.random.Int64N(int64(demoEnds.Sub(demoBegins)))))
		for d.comesAgain() {
			d.conversation()
		}
	}
	d.now = demoEnds
	d.tick()
	fmt.Fprintf(stderr, "played %s to %s at a help desk that does not exist: "+
		"%d opened, %d reopened, %d closed\n", demoBegins.Format(time.DateOnly), demoTo,
		count[convo.ConversationOpened], count[convo.ConversationReopened],
		count[convo.ConversationClosed])
	return count[convo.ConversationOpened], d.err
}

// comesAgain is true for the first time that a contact has a question, and then for some.
func (d *demo) comesAgain() bool {
	_, err := d.engine.Contact(d.ctx, convo.ToContact(d.workspace, d.contact))
	switch {
	case d.err != nil || !d.now.Before(demoEnds):
		return false
	case errors.Is(err, convo.ErrNotFound):
		d.pass(d.untilAwake())
		return true
	}
	d.pass(5*24*time.Hour + d.about(5*24*time.Hour))
	d.pass(d.untilAwake())
	return d.random.Float64() < 0.4
}

// untilAwake is how long until somebody would write: most do in the daytime, few on a weekend.
func (d *demo) untilAwake() time.Duration {
	at, _ := d.hours.After(d.now, d.about(2*time.Hour))
	if d.random.Float64() < 0.25 {
		at = at.Add(time.Duration(d.random.IntN(30)) * time.Hour)
	}
	return at.Sub(d.now)
}

// conversation is what comes of a question.
func (d *demo) conversation() {
	channel := pick(d, "whatsapp", "whatsapp", "whatsapp", "webchat", "webchat", "email")
	d.do(convo.Receive{Channel: channel, Body: pick(d, "Where is my parcel?",
		"The lid does not fit.", "Can I pay by invoice?", "I want to return two kettles.")})
	if channel == "webchat" {
		d.pass(3 * time.Second)
		d.do(convo.Send{By: convo.ByAutomation("bot"), Body: "Hello! Somebody will be with you."})
	}
	for d.answered() && d.random.Float64() < 0.15 {
		d.pass(d.about(12 * time.Hour))
		d.do(convo.Receive{Body: "It has come back."})
	}
}

// answered is a cycle of it. It is false when the contact never answers: a deadline closes it then.
func (d *demo) answered() bool {
	agent := pick(d, "ana", "ana", "ana", "ben", "ben", "chloe", "chloe", "dario")
	by := convo.ByUser(agent)
	d.work(d.about(10 * time.Minute))
	d.do(convo.Assign{By: convo.ByAutomation("router"), Assignee: agent})
	if d.random.Float64() < 0.06 { // who lets it lie loses it
		d.work(5 * time.Hour)
		d.do(convo.Assign{By: convo.ByUser("ana"), Assignee: agent})
	}
	for range 1 + d.random.IntN(3) {
		d.work(d.about(25 * time.Minute))
		d.do(convo.Send{By: by, Body: pick(d, "Let me see.", "Which order is it?", "Done.")})
		if d.random.Float64() < 0.04 {
			d.pass(7 * 24 * time.Hour)
			return false
		}
		d.pass(d.about(50 * time.Minute))
		d.do(convo.Receive{Body: pick(d, "Thank you.", "It is 4711.", "And now?")})
	}
	if d.random.Float64() < 0.2 {
		until, _ := d.hours.After(d.now, 4*time.Hour+d.about(8*time.Hour))
		d.do(convo.SetPending{By: by, Until: until})
		d.pass(until.Sub(d.now)) // the engine wakes it
	}
	d.work(d.about(40 * time.Minute))
	d.do(convo.Send{By: by, Body: "That is settled now."}, convo.Close{By: by,
		Category: pick(d, "delivery", "delivery", "billing", "returns", "product")})
	if d.random.Float64() < 0.4 {
		d.pass(d.about(time.Hour))
		d.do(convo.Rate{Score: pick(d, 5, 5, 5, 5, 4, 4, 4, 3, 2, 1)})
	}
	return true
}

// do does it unless that is later than the demo: what is left open then stays so.
func (d *demo) do(cmds ...convo.Command) {
	if d.now.Before(demoEnds) {
		d.tick()
		if d.err == nil {
			_, d.err = d.engine.Do(d.ctx, convo.ToContact(d.workspace, d.contact), cmds...)
		}
	}
}

// tick does what is due by now, of all contacts.
func (d *demo) tick() {
	for n := 1; n > 0 && d.err == nil; {
		n, d.err = d.engine.Tick(d.ctx, 0)
	}
}

// pass lets time pass, work so much of the agents' time, from the next time that they work.
func (d *demo) pass(t time.Duration) { d.now = d.now.Add(t) }
func (d *demo) work(t time.Duration) { d.now, _ = d.hours.After(d.now, t) }

// about is that long on average: mostly shorter, sometimes much longer.
func (d *demo) about(mean time.Duration) time.Duration {
	return time.Duration(d.random.ExpFloat64() * float64(mean)).Round(time.Second)
}

func pick[T any](d *demo, from ...T) T { return from[d.random.IntN(len(from))] }
