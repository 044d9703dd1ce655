package storetest

import (
	"time"

	"github.com/chatlifecycle/convo"
)

// peerDeadlineCases are what the tests of other platforms expect of timers, service levels and
// surveys, by the platform.
var peerDeadlineCases = []testCase{
	{
		"Peers/Chatwoot: what a bot has pending is resolved after an hour without activity",
		"recent ones and open ones are not",
		botsPending,
	},
	{
		"Peers/Chatwoot: a survey is sent once after the resolution, and is in the thread",
		"a quiet message after a closing is kept, and changes nothing",
		surveyed,
	},
	{
		"Peers/Libredesk: a target of working minutes is due when so many have passed",
		"the due time of a target is kept exactly",
		dueInWorkingMinutes,
	},
	{
		"Peers/Rocket.Chat: the queue follows the service level",
		"the list by deadline has what runs out first",
		queueByServiceLevel,
	},
	{
		"Peers/Twilio: without a message it becomes inactive, and then closed",
		"each message sets the timer back; an inactive one may be closed directly",
		inactiveThenClosed,
	},
	{
		"Peers/Zammad: it escalates at the earliest of its deadlines, until answered or closed",
		"the next deadline of a conversation is the earliest that runs",
		escalates,
	},
}

func hours(n int) convo.Duration   { return convo.Duration(n) * convo.Duration(time.Hour) }
func minutes(n int) convo.Duration { return convo.Duration(n) * convo.Duration(time.Minute) }

func (s *suite) ticks(e *convo.Engine) int {
	n, err := e.Tick(s.ctx, 1000)
	s.NoError(err)
	return n
}

func botsPending(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{Deadlines: []convo.Deadline{{
		Name: "captain", After: hours(1), Since: convo.SinceAnyEvent, While: convo.WhilePending,
		Do: convo.DoClose, Category: "by itself",
	}}}))
	for _, name := range []string{"pending", "recent", "open"} {
		s.by(e, to(name), convo.Receive{Body: "hi"})
		if name != "open" {
			s.by(e, to(name), convo.SetPending{By: bot, OnReceive: convo.OnReceiveStay})
		}
	}
	s.clock.add(30 * time.Minute)
	s.by(e, to("recent"), convo.Receive{Body: "still here"})
	s.clock.add(30 * time.Minute)
	s.Equal(1, s.ticks(e))
	s.Equal(convo.StatusPending, s.load(to("recent")).Conversation.Status)
	s.Equal(convo.StatusOpen, s.load(to("open")).Conversation.Status)
	s.Equal("by itself", s.load(to("pending")).Conversation.Cycle.Closing.Category)
}

func surveyed(s *suite) {
	c := s.do(to("a"), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	survey := convo.Send{By: bot, Quiet: true, Key: "survey 1", Body: "How was it?"}
	in := convo.ToConversation(acme, c.ID)
	s.do(in, survey)
	r, err := s.engine.Do(s.ctx, in, survey)
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, r.Outcome)
	s.Equal(convo.StatusClosed, r.Conversation.Status)
	s.Equal(c.Cycle, r.Conversation.Cycle)
	r = s.do(in, convo.Rate{Score: 5, Comment: "well"})
	s.Equal(5, r.Conversation.Cycle.Rating.Score)
	log := s.events(convo.EventFilter{Workspace: acme, Conversation: c.ID})
	s.Equal([]convo.EventKind{convo.ConversationOpened, convo.MessageReceived,
		convo.ConversationClosed, convo.MessageSent, convo.ConversationRated}, kindsOf(log))
}

func kindsOf(events []convo.Event) (kinds []convo.EventKind) {
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func dueInWorkingMinutes(s *suite) {
	weekdays := func(i ...convo.Interval) map[string][]convo.Interval {
		all := map[string][]convo.Interval{}
		for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday"} {
			all[day] = i
		}
		return all
	}
	nine := convo.Interval{From: "09:00", To: "17:00"}
	office := convo.Hours{Zone: "UTC", Days: weekdays(nine)}
	for _, c := range []struct {
		hours     convo.Hours
		from, due string // in UTC
		after     int
	}{
		{office, "2026-01-05 10:00", "2026-01-05 11:00", 60},
		{office, "2026-01-05 07:00", "2026-01-05 10:00", 60},
		{office, "2026-01-05 16:30", "2026-01-06 09:30", 60},
		{office, "2026-01-09 16:30", "2026-01-12 09:30", 60},
		{office, "2026-01-10 12:00", "2026-01-12 10:00", 60},
		{office, "2026-01-05 09:00", "2026-01-06 17:00", 960},
		{convo.Hours{Zone: "UTC", Days: weekdays(nine), Holidays: []string{"2026-01-06"}},
			"2026-01-05 16:30", "2026-01-07 09:30", 60},
		{convo.Hours{Zone: "UTC", Days: weekdays(convo.Interval{From: "22:00", To: "06:00"})},
			"2026-01-09 23:00", "2026-01-10 05:00", 360},
		{convo.Hours{Zone: "Asia/Kolkata", Days: weekdays(nine)},
			"2026-01-05 03:00", "2026-01-05 04:30", 60},
		{convo.Hours{Zone: "America/New_York", Days: weekdays(nine)},
			"2026-01-05 21:30", "2026-01-06 14:30", 60},
	} {
		at := func(text string) time.Time {
			t, err := time.Parse("2006-01-02 15:04", text)
			s.NoError(err)
			return t
		}
		s.clock.now.Store(at(c.from).UnixMicro())
		e := s.with(convo.WithPolicy(convo.Policy{
			Calendars: map[string]convo.Hours{"office": c.hours},
			Deadlines: []convo.Deadline{{Name: "reply", After: minutes(c.after), Hours: "office",
				Target: convo.TargetFirstResponse}},
		}))
		got := s.by(e, to(c.from+c.due+c.hours.Zone), convo.Receive{Body: "hi"}).Conversation
		s.Equal(at(c.due), got.Deadline, "%s from %s", c.hours.Zone, c.from)
	}
}

func queueByServiceLevel(s *suite) {
	levels := map[string]*convo.Policy{}
	for name, d := range map[string]int{"gold": 10, "silver": 60} {
		levels[name] = &convo.Policy{Deadlines: []convo.Deadline{{
			Name: "reply", After: minutes(d), Target: convo.TargetFirstResponse,
		}}}
	}
	var all []convo.Conversation
	for _, name := range []string{"silver", "gold"} {
		e := s.with(convo.WithPolicy(*levels[name]))
		all = append(all, s.by(e, to(name), convo.Receive{Body: "hi"}).Conversation)
		s.clock.add(time.Minute)
	}
	f := convo.Filter{Workspace: acme, Order: convo.OrderDeadline, Ascending: true}
	s.Equal(ids(all[1:]), s.listed(f)[:1], "who came later is served first")
}

func inactiveThenClosed(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{Deadlines: []convo.Deadline{
		{Name: "inactive", After: minutes(10), Since: convo.SinceAnyEvent, Do: convo.DoPend},
		{Name: "closed", After: minutes(60), Since: convo.SincePended, Do: convo.DoClose},
	}}))
	for _, name := range []string{"a", "b", "c"} {
		s.by(e, to(name), convo.Receive{Body: "hi"})
	}
	s.clock.add(5 * time.Minute)
	s.by(e, to("a"), convo.Receive{Body: "and?"})
	s.clock.add(5 * time.Minute)
	s.Equal(2, s.ticks(e), "each message sets it back")
	s.by(e, to("b"), convo.Close{By: ana})
	s.Equal(convo.StatusOpen, s.by(e, to("c"), convo.Receive{Body: "?"}).Conversation.Status)
	s.clock.add(100 * time.Minute)
	s.Equal(4, s.ticks(e), "two become inactive, and are closed")
	s.Equal(s.clock.Now().Add(-35*time.Minute), s.load(to("a")).Conversation.Cycle.Closing.At)
}

func escalates(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{Deadlines: []convo.Deadline{
		{Name: "first", After: hours(1), Target: convo.TargetFirstResponse},
		{Name: "update", After: hours(2), Target: convo.TargetNextResponse},
		{Name: "solution", After: hours(4), Target: convo.TargetResolution},
	}}))
	start := s.clock.Now()
	is := func(after time.Duration, cmds ...convo.Command) {
		c := s.by(e, to("a"), cmds...).Conversation
		if after == 0 {
			s.Zero(c.Deadline)
		} else {
			s.Equal(start.Add(after), c.Deadline)
		}
	}
	is(time.Hour, convo.Receive{Body: "hi"})
	s.clock.add(30 * time.Minute)
	is(4*time.Hour, convo.Send{By: ana, Body: "hello"})
	s.clock.add(30 * time.Minute)
	is(3*time.Hour, convo.Receive{Body: "and?"})
	s.clock.add(2 * time.Hour)
	s.Equal(1, s.ticks(e))
	is(4*time.Hour, convo.Note{By: ana, Body: "the update is late"})
	is(0, convo.Close{By: ana})
	s.clock.add(100 * time.Hour)
	s.Zero(s.ticks(e))
}
