package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var deadlineCases = []testCase{
	{
		"Deadlines/of every kind pass when they are due, once",
		"what is due until now is found, and nothing else",
		passesEveryKind,
	},
	{
		"Deadlines/stand still while pending, and say what was left",
		"a conversation keeps its marks and what wakes it, and so do its events",
		keepsMarks,
	},
	{
		"Deadlines/are listed by the next one",
		"a message that arms a deadline, or ends one, moves the conversation in the list",
		listsDeadlines,
	},
	{
		"Deadlines/that were missed are over when a message ends what they count from",
		"a message writes all that it changes, also marks",
		endsMarks,
	},
	{
		"Deadlines/are armed anew by a new policy",
		"conversations are written if only their timers change, many in one commit",
		rearms,
	},
	{
		"Deadlines/are not lost when a Tick comes between a decision and its commit",
		"a conversation is written only with the DueAt that was loaded",
		meetsATick,
	},
	{
		"Deadlines/leave ratings to the contact",
		"a cycle keeps its rating",
		keepsRatings,
	},
}

// office is a calendar that a loop over minutes can follow.
var office = convo.Hours{Zone: "Europe/Berlin", Days: map[string][]convo.Interval{
	"monday":  {{From: "08:00", To: "12:00"}, {From: "14:00", To: "18:00"}},
	"tuesday": {{From: "22:00", To: "02:00"}},
}}

// worked is when so much of the office hours has passed since a time, minute by minute.
func worked(from time.Time, d time.Duration) time.Time {
	berlin := time.FixedZone("in January", 3600)
	for ; d > 0; from = from.Add(time.Minute) {
		t := from.In(berlin)
		switch hour, day := t.Hour(), t.Weekday(); {
		case day == time.Monday && (hour >= 8 && hour < 12 || hour >= 14 && hour < 18),
			day == time.Tuesday && hour >= 22, day == time.Wednesday && hour < 2:
			d -= time.Minute
		}
	}
	return from
}

// passing is a conversation with one deadline, and when that is to pass; zero: never.
type passing struct {
	rule convo.Deadline
	due  time.Time
	id   uuid.UUID
}

// passesEveryKind tries every Since with every While, Do and Hours, at every turn of a short story.
func passesEveryKind(s *suite) {
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) // a Monday
	s.clock.now.Store(start.Add(time.Hour).UnixMicro())
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	byLane := map[string]*convo.Policy{}
	e := s.with(convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
		return byLane[of.Lane], nil
	}))
	var all []*passing
	for _, since := range []convo.Since{
		convo.SinceOpened, convo.SinceContactWaiting, convo.SinceAwaitingContact,
		convo.SinceAssigned, convo.SincePended, convo.SinceLastIncoming, convo.SinceAnyEvent,
	} {
		for _, while := range []convo.While{
			convo.WhileDefault, convo.WhileOpen, convo.WhilePending, convo.WhileActive,
		} {
			for _, do := range []convo.Do{
				convo.DoRemind, convo.DoClose, convo.DoPend, convo.DoResume, convo.DoUnassign,
			} {
				for _, hours := range []string{"", "office"} {
					rule := convo.Deadline{
						Name: "rule", After: convo.Duration(3 * time.Hour), Hours: hours,
						Since: since, While: while, Do: do,
					}
					p := convo.Policy{
						Deadlines: []convo.Deadline{rule},
						Calendars: map[string]convo.Hours{"office": office},
					}
					if p.Validate() != nil {
						continue
					}
					for _, pending := range []bool{false, true} {
						for _, answered := range []bool{false, true} {
							c := &passing{rule: rule}
							c.due = c.expected(at, pending, answered)
							if never := c.due.IsZero(); never && (do != "" || hours != "") ||
								!never && answered != (since == convo.SinceAwaitingContact) {
								continue // the others are enough
							}
							lane := fmt.Sprint("lane ", len(all))
							byLane[lane] = &p
							all = append(all, c)
							cmds := []convo.Command{
								convo.Receive{At: at(0), Body: "hi"},
								convo.Assign{By: ana, At: at(1), Assignee: "ana"},
								convo.Send{By: ana, At: at(10), Body: "hello"},
								convo.Receive{At: at(20), Body: "and?"},
							}
							if answered {
								cmds = append(cmds,
									convo.Send{By: ana, At: at(25), Body: "well"})
							}
							if pending {
								cmds = append(cmds, convo.SetPending{By: ana, At: at(30)})
							}
							r, err := e.Do(s.ctx, to(lane).In(lane), cmds...)
							s.NoError(err)
							c.id = r.Conversation.ID
						}
					}
				}
			}
		}
	}
	s.passes(e, all)
}

// expected is when the deadline is to pass.
func (c *passing) expected(at func(int) time.Time, pending, answered bool) time.Time {
	never := -1
	last, waiting, awaiting, pended, began := 20, 20, never, never, 0
	if answered {
		last, waiting, awaiting = 25, never, 25
	}
	if pending {
		last, pended = 30, 30
	}
	since := map[convo.Since]int{
		convo.SinceOpened: 0, convo.SinceContactWaiting: waiting,
		convo.SinceAwaitingContact: awaiting, convo.SinceAssigned: 1, convo.SincePended: pended,
		convo.SinceLastIncoming: 20, convo.SinceAnyEvent: last,
	}[c.rule.Since]
	while := c.rule.While
	if while == convo.WhileDefault {
		while = convo.WhileOpen
		if c.rule.Since == convo.SincePended || c.rule.Do == convo.DoResume {
			while = convo.WhilePending
		}
	}
	if since == never || while == convo.WhilePending && !pending ||
		while == convo.WhileOpen && pending {
		return time.Time{}
	}
	if while == convo.WhilePending {
		began = 30
	}
	if c.rule.Do == convo.DoUnassign {
		began = max(began, 1)
	}
	from := at(max(since, began))
	if c.rule.Hours != "" {
		return worked(from, time.Duration(c.rule.After))
	}
	return from.Add(time.Duration(c.rule.After))
}

// passes moves the clock from one time at which something is due to the next, and looks.
func (s *suite) passes(e *convo.Engine, all []*passing) {
	times := map[int64]int{}
	for _, c := range all {
		if !c.due.IsZero() {
			times[c.due.UnixMicro()]++
		}
	}
	tick := func() (done int) {
		n, err := e.Tick(s.ctx, 1000)
		s.NoError(err)
		return n
	}
	for _, due := range slices.Sorted(maps.Keys(times)) {
		s.clock.now.Store(due - 1)
		s.Zero(tick(), "before %s", time.UnixMicro(due).UTC())
		s.clock.now.Store(due)
		s.Equal(times[due], tick(), "at %s", time.UnixMicro(due).UTC())
	}
	s.clock.add(1000 * time.Hour)
	s.Zero(tick(), "each passes once")
	for _, c := range all {
		v, err := s.store.Conversation(s.ctx, acme, c.id)
		s.NoError(err)
		m, passed := v.Marks.Of("rule")
		s.Equal(!c.due.IsZero(), passed || v.Status == convo.StatusClosed, "%+v", c.rule)
		if c.due.IsZero() {
			continue
		}
		log := s.events(convo.EventFilter{Workspace: acme, Conversation: c.id})
		i := slices.IndexFunc(log, func(e convo.Event) bool {
			return e.Kind == convo.DeadlinePassed
		})
		s.GreaterOrEqual(i, 0, "%+v", c.rule)
		s.Equal(c.due, log[i].At, "%+v", c.rule)
		s.Equal(c.due, log[i].Marks().All()[0].Due)
		s.True(!passed || m.Due.Equal(c.due))
		switch c.rule.Do {
		case convo.DoClose:
			s.Equal(convo.StatusClosed, v.Status)
			s.Equal(c.due, v.Cycle.Closing.At)
		case convo.DoPend:
			s.Equal(convo.StatusPending, v.Status)
		case convo.DoResume:
			s.Equal(convo.StatusOpen, v.Status)
		case convo.DoUnassign:
			s.Empty(v.Assignee)
			s.True(v.AssignedAt.IsZero())
		}
	}
}

func keepsMarks(s *suite) {
	p := convo.Policy{
		Calendars: map[string]convo.Hours{"office": office},
		Deadlines: append(convo.ServiceLevel(time.Hour, 10*time.Hour, "office"),
			convo.Deadline{Name: "ärger <&>", After: convo.Duration(time.Minute),
				Since: convo.SinceContactWaiting}),
	}
	e := s.with(convo.WithPolicy(p))
	s.by(e, to("a"), convo.Receive{Body: "hi"})
	s.clock.add(time.Minute)
	n, err := e.Tick(s.ctx, 10)
	s.NoError(err)
	s.Equal(1, n)
	s.by(e, to("a"), convo.Assign{By: ana, Assignee: "ana"})
	for _, until := range []time.Time{{}, s.clock.Now().Add(30 * time.Hour)} {
		s.clock.add(time.Minute)
		c := s.by(e, to("a"), convo.SetPending{
			By: ana, Until: until, OnReceive: convo.OnReceiveStay,
		}).Conversation
		s.Equal(convo.OnReceiveStay, c.OnReceive)
		m, _ := c.Marks.Of("resolution")
		s.Equal(convo.MarkPaused, m.Result)
		s.clock.add(25 * time.Hour)
		s.by(e, to("a"), convo.Receive{Body: "and?"})
		r := s.by(e, to("a"), convo.Resume{By: ana})
		m, _ = r.Events[0].Marks().Of("resolution")
		s.Equal(convo.MarkResumed, m.Result)
		s.NotZero(r.Conversation.Deadline)
		s.by(e, to("a"), convo.Send{By: ana, Body: "yes"})
	}
	r := s.by(e, to("a"), convo.Close{By: ana})
	_, met := r.Events[0].Marks().Of("resolution")
	s.True(met)
	s.Zero(r.Conversation.Marks)
	s.Zero(r.Conversation.Deadline)
}

func endsMarks(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{
		Deadlines: convo.ServiceLevel(time.Hour, 100*time.Hour, ""),
	}))
	s.by(e, to("k"), convo.Receive{Body: "hi"})
	s.clock.add(2 * time.Hour)
	n, err := e.Tick(s.ctx, 0)
	s.NoError(err)
	s.Equal(1, n)
	missed := s.load(to("k")).Conversation
	s.NotZero(missed.Marks)
	s.by(e, to("k"), convo.Send{By: ana, Body: "yes?"})
	replied := s.load(to("k")).Conversation
	s.Zero(replied.Marks)
	s.Equal(missed.DueAt, replied.DueAt, "else more than what messages change is written anyway")
}

func listsDeadlines(s *suite) {
	p := convo.Policy{Deadlines: []convo.Deadline{
		{Name: "answer", After: convo.Duration(time.Hour), Target: convo.TargetFirstResponse},
		{Name: "next", After: convo.Duration(time.Minute), Target: convo.TargetNextResponse},
		{Name: "idle", After: convo.Duration(time.Second), Since: convo.SinceAnyEvent},
	}}
	e := s.with(convo.WithPolicy(p))
	ids := map[string]uuid.UUID{}
	for _, name := range []string{"a", "b", "c"} {
		ids[name] = s.by(e, to(name), convo.Receive{Body: "hi"}).Conversation.ID
		s.clock.add(time.Second)
	}
	is := func(names ...string) {
		want := []uuid.UUID{}
		for _, name := range names {
			want = append(want, ids[name])
		}
		f := convo.Filter{Workspace: acme, Order: convo.OrderDeadline, Ascending: true}
		s.Equal(want, s.listed(f))
		slices.Reverse(want)
		f.Ascending = false
		s.Equal(want, s.listed(f))
	}
	is("a", "b", "c")
	s.by(e, to("a"), convo.Send{By: ana, Body: "hello"})
	is("b", "c")
	s.by(e, to("c"), convo.Send{By: ana, Body: "hello"}, convo.Receive{Body: "thanks"})
	is("c", "b")
	s.clock.add(time.Second)
	s.by(e, to("a"), convo.Receive{Body: "thanks"})
	is("c", "a", "b")
	s.by(e, to("b"), convo.Close{By: ana})
	is("c", "a")
}

func rearms(s *suite) {
	p := convo.Policy{}
	e := s.with(convo.WithPolicies(func(context.Context, convo.Scope) (*convo.Policy, error) {
		return &p, nil
	}))
	for i := range 12 {
		for _, lane := range []string{"", "aside"} { // of one contact no two are in one commit
			s.by(e, to(fmt.Sprint(i)).In(lane), convo.Receive{Body: "hi"},
				convo.Send{By: ana, Body: "hello"})
		}
	}
	s.by(e, to("closed"), convo.Open{By: ana}, convo.Close{By: ana})
	s.clock.add(time.Hour)
	p = convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(time.Minute)}}
	n, err := e.Rearm(s.ctx, acme)
	s.NoError(err)
	s.Equal(24, n)
	s.Len(s.due(s.clock.Now(), 100), 24)
	n, err = e.Rearm(s.ctx, acme)
	s.NoError(err)
	s.Zero(n, "they are armed")
	n, err = e.Rearm(s.ctx, "another")
	s.NoError(err)
	s.Zero(n)
	n, err = e.Tick(s.ctx, 100)
	s.NoError(err)
	s.Equal(24, n)
	for _, c := range s.list(convo.Filter{Workspace: acme, Status: []convo.Status{"closed"}}) {
		if c.Contact != "closed" {
			s.Equal(s.clock.Now(), c.Cycle.Closing.At, "not before the policy was applied")
		}
	}
}

// meetsATick has a hint come up, with nothing due, while something is written that arms a deadline
// and was decided before: what is stored must not be later than what is due then.
func meetsATick(s *suite) {
	policy := convo.WithPolicy(convo.Policy{Deadlines: []convo.Deadline{
		{Name: "late", Since: convo.SinceContactWaiting, After: convo.Duration(time.Hour)},
	}})
	ticks := s.with(policy)
	for i, more := range [][]convo.Command{
		nil, {convo.Describe{By: ana, Subject: new("a subject")}},
		{convo.Label{By: ana, Add: []string{"vip"}}}, {convo.Block{By: ana}},
		{convo.Assign{By: ana, Assignee: "ana"}},
		{convo.SetPending{By: ana}, convo.Resume{By: ana}},
	} {
		of := to(fmt.Sprint(i))
		hint := s.by(ticks, of, convo.Receive{Body: "hi"}).Conversation.DueAt
		s.by(ticks, of, convo.Send{By: ana, Body: "hello"})
		m := &meanwhile{Store: s.store, before: 2, do: func() {
			s.clock.add(hint.Sub(s.clock.Now()))
			n, err := ticks.Tick(s.ctx, 0)
			s.NoError(err)
			s.Zero(n, "nobody waits yet")
			s.Empty(s.due(hint, 100))
		}}
		e, err := convo.New(m, policy, convo.WithClock(s.clock))
		s.NoError(err)
		s.clock.add(59 * time.Minute)
		s.by(e, of, append([]convo.Command{convo.Receive{Body: "hi again"}}, more...)...)
		s.clock.add(time.Hour)
		n, err := ticks.Tick(s.ctx, 0)
		s.NoError(err)
		s.Equal(1, n, "it waits for too long, case %d", i)
		s.clock.add(time.Hour)
	}
}

func keepsRatings(s *suite) {
	c := s.do(to("a"), convo.Receive{Body: "hi"}).Conversation
	in := convo.ToConversation(acme, c.ID)
	s.do(in, convo.Rate{Score: 3})
	s.do(in, convo.Close{By: ana})
	s.clock.add(time.Minute)
	slow := convo.Rate{Score: 1, Comment: "slow\n\x1f\u2028 <&> 'quoted' \"twice\" \\ \u007f é"}
	s.do(in, slow)
	r := s.do(in, slow)
	s.Equal(convo.OutcomeUnchanged, r.Outcome)
	s.do(in, convo.Reopen{By: ana}, convo.Close{By: ana})
	s.do(in, convo.Reopen{By: ana})
	r = s.do(in, convo.Rate{Score: 5})
	s.Equal(2, r.Events[0].Rated().Cycle)
	s.Zero(r.Conversation.Unrated)
	cycles, err := s.engine.Cycles(s.ctx, in)
	s.NoError(err)
	s.Equal([]int{1, 5, 0}, []int{
		cycles[0].Rating.Score, cycles[1].Rating.Score, cycles[2].Rating.Score,
	})
}
