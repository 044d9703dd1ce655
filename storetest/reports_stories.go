package storetest

import (
	"fmt"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// Small stories with the numbers that people expect of them, before, amid and after rollups.

var ben = convo.ByUser("ben")

// story plays at times of March 2026, and asks for its numbers.
type story struct{ *reports }

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC)
}

func (s story) at(t time.Time, contact string, cmds ...convo.Command) {
	s.clock.now.Store(t.UnixMicro())
	s.do(to(contact), cmds...)
}

// asks runs a query from one time to another one, with nothing, some and all rolled up, which must
// give the same.
func (s story) asks(from, until time.Time, q report.Query, check func(*report.Report)) {
	q.Workspace, q.From, q.To = acme, from, until
	for more := true; ; _, more = s.rollup(1) {
		r, err := report.Run(s.ctx, s.reporter, q)
		s.NoError(err)
		check(r)
		if _, rolls := s.reporter.(Roller); !more || !rolls {
			return
		}
	}
}

// is compares count and sum.
func (s story) is(count int64, sum time.Duration, v report.Values, m report.Measure) {
	s.Equal([]int64{count, sum.Microseconds()}, []int64{v[m].Count, v[m].Sum}, m)
}

func (s story) group(r *report.Report, value string) report.Values {
	for _, g := range r.Groups {
		if g.Value == value {
			return g.Values
		}
	}
	s.FailNow("there is no group", "%q in %+v", value, r.Groups)
	return nil
}

var storyCases = []reportCase{
	{
		"Stories/nobody waits in what a user begins",
		"first response counts where a contact has written, from that message",
		func(r *reports) {
			s := story{r}
			for i := range 3 {
				s.at(at(2, 9, 0), fmt.Sprint("writes ", i), convo.Receive{Body: "hi"})
			}
			for i := range 7 {
				s.at(at(2, 9, 0), fmt.Sprint("is written to ", i),
					convo.Open{By: ana}, convo.Send{By: ana, Body: "news"})
			}
			for i := range 3 {
				s.at(at(2, 9, 10), fmt.Sprint("writes ", i), convo.Send{By: ana, Body: "yes?"})
			}
			s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{Kind: report.Responses},
				func(r *report.Report) {
					s.is(3, 30*time.Minute, r.Total, report.FirstResponse)
					s.is(3, 30*time.Minute, r.Total, report.Response)
				})
		},
	},
	{
		"Stories/a person answers since automation has handed over",
		"a wait for a person begins at the hand-over",
		func(r *reports) {
			s := story{r}
			s.at(at(2, 9, 0), "k", convo.Receive{Body: "hi"}, convo.Send{By: bot, Body: "hello"},
				convo.SetPending{By: bot, OnReceive: convo.OnReceiveStay})
			for _, minute := range []int{10, 20, 30} {
				s.at(at(2, 9, minute), "k", convo.Receive{Body: "well"},
					convo.Send{By: bot, Body: "aha"})
			}
			s.at(at(2, 10, 0), "k", convo.Resume{By: bot})
			s.at(at(2, 10, 2), "k", convo.Send{By: ana, Body: "it is me"})
			s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{Kind: report.Responses},
				func(r *report.Report) {
					s.is(1, 2*time.Minute, r.Total, report.HandoverFirstResponse)
					s.is(1, 2*time.Minute, r.Total, report.HandoverResponse)
					s.is(1, 62*time.Minute, r.Total, report.FirstResponse)
				})
		},
	},
	{
		"Stories/a reply is of who made it, when it was made",
		"the second agent has the second reply, and a past month does not change",
		func(r *reports) {
			s := story{r}
			s.at(at(2, 9, 0), "k", convo.Receive{Body: "hi"})
			s.at(at(2, 9, 1), "k", convo.Send{By: ana, Body: "yes?"},
				convo.Assign{By: ana, Assignee: "ben"})
			march := func(r *report.Report) {
				s.is(1, time.Minute, r.Total, report.Response)
				s.is(1, time.Minute, r.Total, report.FirstResponse)
			}
			responses := report.Query{Kind: report.Responses, GroupBy: report.Author}
			s.asks(at(1, 0, 0), at(32, 0, 0), responses, march)
			s.at(at(51, 8, 0), "k", convo.Receive{Body: "and now?"}) // of April 20
			s.at(at(51, 17, 0), "k", convo.Send{By: ben, Body: "now"})
			s.asks(at(1, 0, 0), at(32, 0, 0), responses, march)
			s.asks(at(32, 0, 0), at(62, 0, 0), responses, func(r *report.Report) {
				s.is(1, 9*time.Hour, r.Total, report.Response)
				s.Zero(r.Total[report.FirstResponse].Count)
			})
			s.asks(at(1, 0, 0), at(62, 0, 0), responses, func(r *report.Report) {
				s.is(1, time.Minute, s.group(r, "ana"), report.Response)
				s.is(1, 9*time.Hour, s.group(r, "ben"), report.Response)
			})
		},
	},
	{
		"Stories/a reply that was sent before what it ends the wait for took no time",
		"no duration is negative, however late messages come",
		func(r *reports) {
			s := story{r}
			s.at(at(2, 9, 10), "k", convo.Receive{Body: "hi"})
			s.at(at(2, 9, 11), "k", convo.Send{By: ana, SentAt: at(2, 9, 5), Body: "hello"})
			s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{Kind: report.Responses},
				func(r *report.Report) {
					s.is(1, 0, r.Total, report.Response)
					s.is(1, 0, r.Total, report.HandoverFirstResponse)
				})
		},
	},
	{
		"Stories/working hours count in two intervals a day",
		"a response in working time has no break in it",
		func(r *reports) {
			s := story{r}
			s.at(at(2, 11, 50), "k", convo.Receive{Body: "hi"})
			s.at(at(2, 14, 10), "k", convo.Send{By: ana, Body: "yes?"})
			calendar, err := convo.Hours{Zone: "UTC", Days: map[string][]convo.Interval{
				"monday": {{From: "08:00", To: "12:00"}, {From: "14:00", To: "18:00"}},
			}}.Calendar(nil)
			s.NoError(err)
			s.asks(at(1, 0, 0), at(3, 0, 0),
				report.Query{Kind: report.Responses, Calendar: calendar}, func(r *report.Report) {
					s.is(1, 20*time.Minute, r.Total, report.WorkingFirstResponse)
					s.is(1, 20*time.Minute, r.Total, report.WorkingResponse)
					s.is(1, 140*time.Minute, r.Total, report.Response)
				})
		},
	},
	{
		"Stories/each assignee handled it for as long as it was theirs",
		"handling is of each assignment, and ends with the next one or the closing",
		func(r *reports) {
			s := story{r}
			give := func(to string) convo.Command { return convo.Assign{By: ana, Assignee: to} }
			s.at(at(2, 9, 0), "k", convo.Receive{Body: "hi"}, give("ana"))
			s.at(at(2, 10, 0), "k", give("ben"))
			s.at(at(2, 13, 0), "k", give("ana"))
			s.at(at(2, 13, 30), "k", convo.Close{By: ana})
			s.asks(at(1, 0, 0), at(3, 0, 0),
				report.Query{Kind: report.Assignments, GroupBy: report.Assignee},
				func(r *report.Report) {
					s.is(2, 90*time.Minute, s.group(r, "ana"), report.Handling)
					s.is(1, 3*time.Hour, s.group(r, "ben"), report.Handling)
					s.is(2, 0, r.Total, report.Transfers)
					s.is(3, 0, r.Total, report.Assigned)
					s.is(1, 0, r.Total, report.Assignment)
				})
			// Reopened the next day, whoever keeps it has it from then on.
			s.at(at(3, 9, 0), "k", give("ben"))
			s.at(at(3, 10, 0), "k", convo.Reopen{By: ana})
			s.at(at(3, 10, 20), "k", convo.Close{By: ana})
			s.asks(at(3, 0, 0), at(4, 0, 0),
				report.Query{Kind: report.Assignments, GroupBy: report.Assignee},
				func(r *report.Report) {
					s.is(1, 20*time.Minute, s.group(r, "ben"), report.Handling)
				})
		},
	},
	{
		"Stories/a message is of the channel that it came by",
		"messages are counted by their own channel",
		func(r *reports) {
			s := story{r}
			s.at(at(2, 9, 0), "k", convo.Receive{Channel: "sales", Body: "hi"})
			s.at(at(2, 9, 1), "k", convo.Receive{Channel: "help", Body: "hi"})
			s.asks(at(1, 0, 0), at(3, 0, 0),
				report.Query{Kind: report.Messages, GroupBy: report.Channel},
				func(r *report.Report) {
					s.is(1, 0, s.group(r, "sales"), report.Incoming)
					s.is(1, 0, s.group(r, "help"), report.Incoming)
				})
		},
	},
	{
		"Stories/what it was when it happened is what it is counted as",
		"no later label, team, channel or closing moves a number to another group",
		func(r *reports) {
			s := story{r}
			channel := "mail"
			s.at(at(2, 9, 0), "k", convo.Receive{Channel: "chat", Body: "hi"},
				convo.Label{By: ana, Add: []string{"vip", "beta"}},
				convo.Prioritize{By: ana, Priority: convo.PriorityHigh},
				convo.Assign{By: ana, Team: "one"})
			s.at(at(2, 9, 10), "k", convo.Send{By: ana, Body: "yes?"})
			s.at(at(2, 9, 20), "k", convo.Label{By: ana, Remove: []string{"vip"}},
				convo.Prioritize{By: ana}, convo.Assign{By: ana, Team: "two"})
			s.at(at(2, 9, 30), "k", convo.Move{By: ana, Channel: &channel})
			s.at(at(2, 10, 0), "k", convo.Close{By: ana})
			for d, value := range map[report.Dimension]string{
				report.Channel: "chat", report.Team: "one", report.Label: "vip",
				report.Priority: "high", report.ContactType: report.ContactNew,
				report.OpenedSource: "incoming_message", report.Status: "open",
			} {
				s.asks(at(1, 0, 0), at(3, 0, 0),
					report.Query{Kind: report.Responses, GroupBy: d}, func(r *report.Report) {
						s.is(1, 10*time.Minute, s.group(r, value), report.Response)
					})
				s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{
					Kind: report.Responses, Filter: report.Filter{d: {value}},
				}, func(r *report.Report) {
					s.is(1, 10*time.Minute, r.Total, report.Response)
				})
				s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{
					Kind: report.Responses, Exclude: report.Filter{d: {value}},
				}, func(r *report.Report) { s.Empty(r.Total) })
			}
			// What has two labels is one thing in two groups.
			s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{
				Kind: report.Responses, Filter: report.Filter{report.Label: {"vip", "beta"}},
			}, func(r *report.Report) {
				s.is(1, 10*time.Minute, r.Total, report.Response)
			})
			s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{
				Kind: report.Responses, Filter: report.Filter{report.Label: {"vip"}},
				GroupBy: report.Label,
			}, func(r *report.Report) {
				for _, label := range []string{"vip", "beta"} {
					s.is(1, 10*time.Minute, s.group(r, label), report.Response)
				}
			})
			s.asks(at(1, 0, 0), at(3, 0, 0),
				report.Query{Kind: report.Resolutions, GroupBy: report.Label},
				func(r *report.Report) {
					s.is(1, time.Hour, s.group(r, "beta"), report.Resolution)
					s.is(1, 0, r.Total, report.OneTouch)
					s.Len(r.Groups, 1)
				})
			s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{Kind: report.Times},
				func(r *report.Report) {
					s.is(1, time.Hour, r.Total, report.OpenTime)
					s.is(1, 10*time.Minute, r.Total, report.ContactWaitingTime)
					s.is(1, 50*time.Minute, r.Total, report.AwaitingContactTime)
				})
		},
	},
	{
		"Stories/a reopening is of who had closed it",
		"reopened by closer says whose closings did not last",
		func(r *reports) {
			s := story{r}
			s.at(at(2, 9, 0), "k", convo.Open{By: ana}, convo.Close{By: ben})
			s.at(at(3, 9, 0), "k", convo.Reopen{By: ana})
			s.at(at(3, 9, 5), "k", convo.Close{By: bot})
			s.asks(at(1, 0, 0), at(4, 0, 0),
				report.Query{Kind: report.Conversations, GroupBy: report.Closer},
				func(r *report.Report) {
					s.is(1, 0, s.group(r, "ben"), report.Reopened)
					s.is(1, 0, s.group(r, "ben"), report.Closed)
				})
			s.asks(at(1, 0, 0), at(4, 0, 0), report.Query{Kind: report.Resolutions},
				func(r *report.Report) { s.is(2, 0, r.Total, report.Automated) })
		},
	},
	{
		"Stories/a rating is of when it was first given, with the score that is given last",
		"a rating that takes another one's place changes the score of the first one's month only",
		replacedRating,
	},
	{
		"Stories/a rating is of who had closed what is rated",
		"a cycle that is rated after a reopening is its own closer's",
		ratedAfterReopening,
	},
	{
		"Stories/what is written many rows at a time is counted",
		"what an import brings, and what a Tick closes, is in reports and rollups",
		writtenAtOnce,
	},
	{
		"Cells/are the same for a past period whatever happens later",
		"no event changes a number of a period that ended before it",
		unchangedPast,
	},
}

func writtenAtOnce(r *reports) {
	s := story{r}
	const n = 12
	e := s.with(convo.WithPolicy(convo.Policy{
		Ratings:   convo.Scale{Min: 0, Max: 10},
		AutoClose: convo.AutoClose{After: convo.Duration(time.Hour)},
	}))
	histories := func(yield func(convo.History, error) bool) {
		for i := range n {
			k := fmt.Sprint("moved in ", i)
			yield(convo.History{Key: k, To: to(k), Commands: []convo.Command{
				convo.Receive{At: at(2, 9, 0), Body: "hi"},
				convo.Send{By: ana, At: at(2, 9, 5), Body: "yes?"},
				convo.Close{By: ana, At: at(2, 10, 0)},
				convo.Rate{At: at(2, 11, 0), Score: 3},
				convo.Reopen{By: ana, At: at(2, 12, 0)},
				convo.Close{By: ben, At: at(2, 12, 0)},
				convo.Rate{At: at(2, 13, 0), Cycle: 1, Score: 10},
			}}, nil)
		}
	}
	s.clock.now.Store(at(3, 9, 0).UnixMicro())
	_, err := e.Import(s.ctx, acme, histories, nil)
	s.NoError(err)
	for i := range n {
		s.by(e, to(fmt.Sprint("waits ", i)), convo.Receive{Body: "hi"},
			convo.Send{By: ana, Body: "yes?"})
	}
	s.rollup(n)
	s.clock.now.Store(at(3, 12, 0).UnixMicro())
	closed, err := e.Tick(s.ctx, 0)
	s.NoError(err)
	s.Equal(n, closed)
	s.asks(at(1, 0, 0), at(4, 0, 0), report.Query{Kind: report.Resolutions},
		func(r *report.Report) { s.is(3*n, n*time.Hour+n*time.Hour, r.Total, report.Resolution) })
	s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{Kind: report.Satisfaction},
		func(r *report.Report) {
			s.rated(n, 10*n, r.Total)
			s.InDelta(.5, r.Total.RatedShare(), 0)
		})
	s.asks(at(1, 0, 0), at(3, 0, 0), report.Query{Kind: report.Responses},
		func(r *report.Report) { s.is(n, n*5*time.Minute, r.Total, report.Response) })
}

// ofOneMoment asks for reports while somebody writes.
func ofOneMoment(r *reports) {
	r.clock.now.Store(at(2, 9, 0).UnixMicro())
	write, stopped := make(chan int, 100), make(chan error, 1)
	go func() {
		for n := range write {
			_, err := r.engine.Do(r.ctx, to(fmt.Sprint("k", n)),
				convo.Receive{Channel: fmt.Sprint("channel ", n%3), Body: "hi"})
			if err != nil {
				stopped <- err
				return
			}
		}
		stopped <- nil
	}()
	seen := map[int64]bool{}
	for n := range 20 {
		for i := range 10 {
			write <- 10*n + i
		}
		a, err := report.Run(r.ctx, r.reporter, report.Query{
			Kind: report.Messages, Workspace: acme, From: at(1, 0, 0), To: at(4, 0, 0),
			Bucket: report.Day, GroupBy: report.Channel,
		})
		r.NoError(err)
		series, groups := int64(0), int64(0)
		for _, p := range a.Series {
			series += p.Values[report.Incoming].Count
		}
		for _, g := range a.Groups {
			groups += g.Values[report.Incoming].Count
		}
		total := a.Total[report.Incoming].Count
		r.Equal([]int64{total, total}, []int64{series, groups})
		if seen[total] = true; n%5 == 0 {
			r.rollup(5)
		}
	}
	close(write)
	r.NoError(<-stopped)
	r.Greater(len(seen), 1, "somebody wrote meanwhile")
}

// unchangedPast asks for everything, has more happen, and asks for the same again. A category is
// left out: a closing that is amended is of another one. So is who the contacts are: a
// conversation that is given to another contact is of that one. Of ratings only the number stays: a
// score that takes the place of another one is of the same time.
func unchangedPast(r *reports) {
	r.play(acme, 7, 300)
	r.tick() // else a late one adds to the past
	from, _ := r.period(acme)
	until := r.clock.Now()
	r.clock.add(time.Microsecond)
	together, _ := groups()
	ask := func() (all [][]report.Cell) {
		for _, measures := range together {
			for _, by := range append([]report.Dimension{""}, report.Dimensions()...) {
				changes := by == report.Category || by == report.Score
				if changes || !fits(measures[0].Subject(), by, nil) {
					continue
				}
				cells, err := r.reporter.Aggregate(r.ctx, report.Aggregation{
					Workspace: acme, Measures: measures, GroupBy: by,
					Boundaries: []time.Time{from, from.Add(36 * time.Hour), until},
				})
				r.NoError(err)
				sortCells(cells)
				for i := range cells {
					if cells[i].Measure == report.Rating {
						cells[i].Stat = report.Stat{Count: cells[i].Stat.Count}
					}
				}
				all = append(all, cells)
			}
		}
		return all
	}
	before := ask()
	for n := range uint64(3) {
		r.play(acme, 20+n, 100)
		r.Equal(before, ask())
		r.rollup(20)
		r.Equal(before, ask())
	}
	r.rollupAll()
	r.Equal(before, ask())
}
