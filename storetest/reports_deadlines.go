package storetest

import (
	"fmt"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// reportedDeadlines are those under which play plays.
func reportedDeadlines() []convo.Deadline {
	return append(convo.ServiceLevel(14*time.Hour, 30*time.Hour, ""),
		convo.Deadline{Name: "next response", After: convo.Duration(10 * time.Hour),
			Target: convo.TargetNextResponse},
		convo.Deadline{Name: "nudge", After: convo.Duration(6 * time.Hour),
			Since: convo.SinceAwaitingContact},
		convo.Deadline{Name: "take back", After: convo.Duration(20 * time.Hour),
			Since: convo.SinceContactWaiting, Do: convo.DoUnassign},
	)
}

// tick does all that is due.
func (r *reports) tick() { r.tickWith(r.engine) }

func (r *reports) tickWith(e *convo.Engine) {
	for n := 1; n > 0; {
		var err error
		n, err = e.Tick(r.ctx, 0)
		r.NoError(err)
	}
}

// deadlines adds what e says of deadlines; d is what the conversation was before it.
func (all *facts) deadlines(e *convo.Event, d dims) {
	for _, m := range e.Marks().All() {
		d := d.with(dims{
			report.Deadline: one(m.Deadline), report.Target: one(string(m.Target)),
		})
		switch m.Result {
		case convo.MarkMet:
			all.add(report.DeadlinesMet, e.At, d)
		case convo.MarkMissed:
			all.add(report.DeadlinesMissed, e.At, d)
		case convo.MarkPassed:
			all.add(report.DeadlinesPassed, e.At, d)
		}
	}
}

// hasOneResultEach fails if a target was met or missed twice: in a cycle, or, that of a next
// response, between two replies.
func (r *reports) hasOneResultEach(workspace string) {
	for _, c := range r.all(workspace) {
		results := map[string]convo.Event{}
		cycle, wait := 0, 0
		for _, e := range r.log(&c) {
			switch e.Kind {
			case convo.ConversationOpened, convo.ConversationReopened:
				cycle++
			case convo.MessageReceived:
				if e.Before().Turn != "" { // a wait begins
					wait++
				}
			}
			for _, m := range e.Marks().All() {
				if m.Result != convo.MarkMet && m.Result != convo.MarkMissed {
					continue
				}
				of := fmt.Sprint(m.Deadline, cycle)
				if m.Target == convo.TargetNextResponse {
					of = fmt.Sprint(of, wait)
				}
				r.NotContains(results, of, "%s: %s of %d", c.ID, m.Deadline, e.Seq)
				results[of] = e
			}
		}
	}
}

var deadlineStories = []reportCase{
	{
		"Deadlines/a target is of who had it when it was met or missed",
		"what ana met in March is hers, what ben missed in April is his",
		func(r *reports) {
			s := story{r}
			e := s.serves(convo.ServiceLevel(time.Hour, 16*time.Hour, "")...)
			s.plays(e, at(31, 23, 0), convo.Receive{Body: "hi"},
				convo.Assign{By: ana, Assignee: "ana"})
			s.plays(e, at(31, 23, 30), convo.Send{By: ana, Body: "yes?"},
				convo.Assign{By: ana, Assignee: "ben", Team: "one"})
			march := func(r *report.Report) {
				s.is(1, 0, s.group(r, "ana"), report.DeadlinesMet)
				s.is(0, 0, r.Total, report.DeadlinesMissed)
				s.Len(r.Groups, 1)
				s.Equal(1., r.Total.MetRate())
			}
			byAssignee := report.Query{Kind: report.Deadlines, GroupBy: report.Assignee}
			s.asks(at(1, 0, 0), at(32, 0, 0), byAssignee, march)
			s.clock.now.Store(at(32, 18, 0).UnixMicro())
			s.tickWith(e)
			s.plays(e, at(32, 19, 0), convo.Close{By: ben}) // which misses it no second time
			s.asks(at(1, 0, 0), at(32, 0, 0), byAssignee, march)
			s.asks(at(32, 0, 0), at(62, 0, 0), byAssignee, func(r *report.Report) {
				s.is(1, 0, s.group(r, "ben"), report.DeadlinesMissed)
				s.is(0, 0, r.Total, report.DeadlinesMet)
				s.Len(r.Groups, 1)
				s.Zero(r.Total.MetRate())
			})
			for d, values := range map[report.Dimension][2]string{
				report.Deadline: {"first_response", "resolution"},
				report.Target:   {"first_response", "resolution"},
				report.Team:     {"", "one"},
			} {
				s.asks(at(1, 0, 0), at(62, 0, 0),
					report.Query{Kind: report.Deadlines, GroupBy: d}, func(r *report.Report) {
						s.is(1, 0, s.group(r, values[0]), report.DeadlinesMet)
						s.is(1, 0, s.group(r, values[1]), report.DeadlinesMissed)
						s.Equal(.5, r.Total.MetRate())
					})
			}
			s.asks(at(1, 0, 0), at(62, 0, 0), report.Query{
				Kind: report.Deadlines, GroupBy: report.Assignee,
				Filter: report.Filter{report.Target: {"resolution"}},
			}, func(r *report.Report) {
				s.is(1, 0, s.group(r, "ben"), report.DeadlinesMissed)
				s.Len(r.Groups, 1)
			})
		},
	},
	{
		"Deadlines/what is handled late is missed when it was due",
		"a late Tick adds to the period in which the target was due",
		func(r *reports) {
			s := story{r}
			e := s.serves(convo.ServiceLevel(time.Hour, 400*time.Hour, "")...)
			s.plays(e, at(2, 9, 0), convo.Receive{Body: "hi"})
			s.clock.now.Store(at(4, 9, 0).UnixMicro())
			missed := func(n int64) func(*report.Report) {
				return func(r *report.Report) { s.is(n, 0, r.Total, report.DeadlinesMissed) }
			}
			q := report.Query{Kind: report.Deadlines}
			s.asks(at(2, 10, 0), at(2, 10, 30), q, missed(0))
			s.tickWith(e)
			s.asks(at(2, 10, 0), at(2, 10, 30), q, missed(1))
			s.plays(e, at(4, 10, 0), convo.Send{By: ana, Body: "yes?"})
			s.asks(at(1, 0, 0), at(6, 0, 0), q, missed(1))
			s.asks(at(2, 10, 30), at(6, 0, 0), q, missed(0))
		},
	},
	{
		"Deadlines/a reply that no Tick was faster than is missed when it comes",
		"a target is missed once, whichever sees it first",
		func(r *reports) {
			s := story{r}
			e := s.serves(append(convo.ServiceLevel(time.Hour, 2*time.Hour, ""), convo.Deadline{
				Name: "sooner", After: convo.Duration(10 * time.Minute),
				Target: convo.TargetFirstResponse})...)
			s.plays(e, at(2, 9, 0), convo.Receive{Body: "hi"})
			s.clock.now.Store(at(2, 9, 40).UnixMicro())
			s.tickWith(e) // which sees one of two
			s.plays(e, at(2, 11, 30), convo.Send{By: ana, Body: "yes?"})
			s.tickWith(e)
			s.plays(e, at(2, 12, 0), convo.Close{By: ana})
			s.asks(at(1, 0, 0), at(3, 0, 0),
				report.Query{Kind: report.Deadlines, Bucket: report.Hour,
					GroupBy: report.Deadline},
				func(r *report.Report) {
					s.is(3, 0, r.Total, report.DeadlinesMissed)
					for _, name := range []string{"sooner", "first_response", "resolution"} {
						s.is(1, 0, s.group(r, name), report.DeadlinesMissed)
					}
					s.is(0, 0, r.Total, report.DeadlinesMet)
					for hour, n := range map[int]int64{9: 1, 10: 0, 11: 2, 12: 0} {
						s.is(n, 0, r.Series[24+hour].Values, report.DeadlinesMissed)
					}
				})
		},
	},
	{
		"Deadlines/one message may meet several, and what stands still is neither",
		"each target counts once, and a pause is no result",
		func(r *reports) {
			s := story{r}
			e := s.serves(append(convo.ServiceLevel(time.Hour, 2*time.Hour, ""), convo.Deadline{
				Name: "at last", After: convo.Duration(time.Hour * 3),
				Target: convo.TargetFirstResponse})...)
			s.plays(e, at(2, 9, 0), convo.Receive{Body: "hi"})
			s.plays(e, at(2, 9, 30), convo.Send{By: ana, Body: "yes?"},
				convo.SetPending{By: ana})
			s.plays(e, at(3, 9, 0), convo.Resume{By: ana})
			s.tickWith(e)
			s.plays(e, at(3, 10, 0), convo.Close{By: ana})
			s.asks(at(1, 0, 0), at(4, 0, 0),
				report.Query{Kind: report.Deadlines, GroupBy: report.Deadline},
				func(r *report.Report) {
					for _, name := range []string{"at last", "first_response", "resolution"} {
						s.is(1, 0, s.group(r, name), report.DeadlinesMet)
					}
					s.Len(r.Groups, 3)
					s.is(3, 0, r.Total, report.DeadlinesMet)
					s.is(0, 0, r.Total, report.DeadlinesMissed)
				})
		},
	},
	{
		"Deadlines/what has no target only passes",
		"reminders and what Tick did by a deadline are counted by name",
		func(r *reports) {
			s := story{r}
			e := s.serves(convo.NudgeThenClose(time.Hour, "Bye!")...)
			for i := range 3 {
				s.clock.now.Store(at(2, 9, 0).UnixMicro())
				s.by(e, to(fmt.Sprint("k", i)), convo.Receive{Body: "hi"},
					convo.Send{By: ana, Body: "yes?"})
			}
			s.clock.now.Store(at(2, 10, 30).UnixMicro())
			s.tickWith(e)
			s.by(e, to("k0"), convo.Receive{Body: "wait"})
			s.clock.now.Store(at(2, 18, 0).UnixMicro())
			s.tickWith(e)
			s.asks(at(1, 0, 0), at(4, 0, 0),
				report.Query{Kind: report.Deadlines, GroupBy: report.Deadline},
				func(r *report.Report) {
					s.is(3, 0, s.group(r, "nudge"), report.DeadlinesPassed)
					s.is(2, 0, s.group(r, "close"), report.DeadlinesPassed)
					s.is(5, 0, r.Total, report.DeadlinesPassed)
					s.Zero(r.Total.MetRate())
				})
		},
	},
}

// serves is an engine with deadlines.
func (s story) serves(deadlines ...convo.Deadline) *convo.Engine {
	return s.with(convo.WithPolicy(convo.Policy{Deadlines: deadlines}))
}

// plays does something at a time.
func (s story) plays(e *convo.Engine, t time.Time, cmds ...convo.Command) {
	s.clock.now.Store(t.UnixMicro())
	s.by(e, to("k"), cmds...)
}
