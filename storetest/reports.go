package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// Reporter is a store that aggregates for reports.
type Reporter interface {
	convo.Store
	report.Store
}

// Roller is a store that keeps rollups, as sqlstore does: sums that make reports quick.
type Roller interface {
	// Rollup adds the events of up to limit conversations (0: a default) to the rollups, and
	// returns of how many; more says that the limit ended it.
	Rollup(ctx context.Context, limit int) (n int, more bool, err error)
}

// RunReports proves that what a store aggregates for reports is what a replay of its log gives: for
// each of report.Measures, by each of report.Dimensions. newStore is as that of [Run]. If the store
// is a [Roller], the reports must be the same however much is rolled up.
func RunReports(t *testing.T, newStore func(t *testing.T) Reporter) {
	for _, c := range slices.Concat(reportCases, storyCases, cyclesCases, kindCases,
		deadlineStories, eraseReportCases, removalReportCases) {
		t.Run(c.name, func(t *testing.T) { c.on(t, newStore(t)) })
	}
}

// on runs the case on a fresh store, for all subjects or only for one.
func (c reportCase) on(t testingT, store Reporter, only ...report.Subject) {
	s := &suite{
		Assertions: require.New(ruled{t, c.rule}), ctx: t.Context(), store: store, clock: &clock{},
	}
	s.clock.now.Store(time.Date(2025, 3, 28, 21, 13, 0, 5000, time.UTC).UnixMicro())
	s.engine = s.with(convo.WithPolicy(reportPolicy()))
	c.run(&reports{suite: s, reporter: store, only: only})
	s.holds()
}

type reportCase struct {
	name string
	rule string
	run  func(*reports)
}

type reports struct {
	*suite
	reporter Reporter
	only     []report.Subject
	turn     int                                      // how often all was compared
	asked    func(*report.Aggregation, []report.Cell) // what compare asked for; nil: nobody asks
}

var reportCases = []reportCase{
	{
		"Cells/are what a replay of the log gives",
		"a measure is what its definition says, of all the cycles and messages of the log",
		func(r *reports) {
			r.play(acme, 1, 400)
			r.play("other", 2, 20)
			r.hasEveryMeasure(r.facts(acme))
			r.hasOneResultEach(acme)
			for n := range uint64(2) {
				r.compareAll(acme)
				if rolledUp, _ := r.rollup(60); rolledUp == 0 {
					return // there is nothing to roll up
				}
				r.play(acme, n+3, 30)
			}
			r.rollupAll()
			r.compareAll(acme)
		},
	},
	{
		"Cells/of a workspace without anything are none",
		"an empty workspace has a report of zeros",
		func(r *reports) {
			r.play("other", 2, 20)
			a, err := report.Run(r.ctx, r.reporter, report.Query{
				Kind: report.Conversations, Workspace: acme, Bucket: report.Day,
				From: r.clock.Now().Add(-48 * time.Hour), To: r.clock.Now(),
				GroupBy: report.Team, CountDistinct: true,
			})
			r.NoError(err)
			r.Empty(a.Total)
			r.Empty(a.Groups)
			r.NotEmpty(a.Series)
		},
	},
	{
		"Active/counts by all that a dashboard shows",
		"the dashboard counts all active conversations, and no others",
		func(r *reports) {
			r.play(acme, 13, 200)
			r.play("other", 2, 20)
			want := map[string]report.ActiveCount{}
			for _, c := range r.active(acme) {
				k := fmt.Sprintf("%q", []string{
					string(c.Status), c.Assignee, c.Team, c.Lane, c.Channel,
				})
				n := want[k]
				n.Status, n.Assignee, n.Count = c.Status, c.Assignee, n.Count+1
				n.Team, n.Lane, n.Channel = c.Team, c.Lane, c.Channel
				if n.OpenedAt.IsZero() || c.Cycle.OpenedAt.Before(n.OpenedAt) {
					n.OpenedAt = c.Cycle.OpenedAt
				}
				if since := c.Cycle.WaitingSince; !since.IsZero() &&
					(n.WaitingSince.IsZero() || since.Before(n.WaitingSince)) {
					n.WaitingSince = since
				}
				want[k] = n
			}
			got, err := r.reporter.Active(r.ctx, acme)
			r.NoError(err)
			r.ElementsMatch(slices.Collect(maps.Values(want)), got)
			live, err := report.Dashboard(r.ctx, r.reporter, acme)
			r.NoError(err)
			r.Equal(int64(len(r.active(acme))), live.Open+live.Pending)
		},
	},
	{
		"Aggregate/refuses what is not declared",
		"what no store can aggregate is a *convo.ValidationError, not a number",
		func(r *reports) {
			now := r.clock.Now()
			period := []time.Time{now.Add(-time.Hour), now}
			closed, opened := []report.Measure{report.Closed}, []report.Measure{report.Opened}
			for field, as := range map[string][]report.Aggregation{
				"measures": {
					{Boundaries: period},
					{Boundaries: period, Measures: []report.Measure{"beauty"}},
					{Boundaries: period, Measures: append(opened, closed...)},
				},
				"boundaries": {
					{Measures: closed},
					{Measures: closed, Boundaries: period[:1]},
					{Measures: closed, Boundaries: []time.Time{now, now}},
				},
				"group_by": {
					{Measures: closed, Boundaries: period, GroupBy: "colour"},
					{Measures: closed, Boundaries: period, GroupBy: report.Author},
				},
				"filter": {
					{Measures: closed, Boundaries: period,
						Filter: report.Filter{"colour": {"red"}}},
				},
				"calendar": {
					{Measures: []report.Measure{report.WorkingResolution}, Boundaries: period},
				},
			} {
				for _, a := range as {
					a.Workspace = acme
					_, err := r.reporter.Aggregate(r.ctx, a)
					var invalid *convo.ValidationError
					r.ErrorAs(err, &invalid, "%+v", a)
					r.Equal(field, invalid.Field)
				}
			}
		},
	},
	{
		"Reports/are of one moment", "total, series and groups add up while others write",
		ofOneMoment,
	},
	{
		"Reports/honour the context", "a context that is done ends a read",
		func(r *reports) {
			ctx, cancel := context.WithCancel(r.ctx)
			cancel()
			now := r.clock.Now()
			_, err := r.reporter.Aggregate(ctx, report.Aggregation{
				Workspace: acme, Measures: []report.Measure{report.Opened},
				Boundaries: []time.Time{now.Add(-time.Hour), now},
			})
			r.ErrorIs(err, context.Canceled)
			ignore := func(*report.Cycle) error { return nil }
			r.ErrorIs(r.reporter.Cycles(ctx, report.CyclesQuery{
				Workspace: acme, From: now.Add(-time.Hour), To: now,
			}, ignore), context.Canceled)
			r.ErrorIs(r.reporter.Entries(ctx, report.EntriesQuery{
				Workspace: acme, From: now.Add(-time.Hour), To: now,
			}, func(*report.Entry) error { return nil }), context.Canceled)
			_, err = r.reporter.Counted(ctx, report.CountedQuery{
				Aggregation: report.Aggregation{
					Workspace: acme, Measures: []report.Measure{report.Opened},
					Boundaries: []time.Time{now.Add(-time.Hour), now},
				}, Limit: 1,
			})
			r.ErrorIs(err, context.Canceled)
			r.ErrorIs(r.reporter.AtOneMoment(ctx, func(context.Context) error { return nil }),
				context.Canceled)
			_, err = r.reporter.Active(ctx, acme)
			r.ErrorIs(err, context.Canceled)
		},
	},
}

func reportPolicy() convo.Policy {
	p := convo.InboxPolicy()
	p.UnassignOnClose = true
	p.Deadlines = reportedDeadlines()
	p.Ratings = convo.Scale{Min: 0, Max: 10}
	return p
}

// rollup has the store roll up cycles, if it can.
func (r *reports) rollup(limit int) (n int, more bool) {
	s, ok := r.reporter.(Roller)
	if !ok {
		return 0, false
	}
	n, more, err := s.Rollup(r.ctx, limit)
	r.NoError(err)
	return n, more
}

func (r *reports) rollupAll() {
	for more := true; more; {
		_, more = r.rollup(0)
	}
}

// play carries out random calls in a workspace over a few days. The same seed gives the same calls.
func (r *reports) play(workspace string, seed uint64, steps int) {
	if !slices.Contains(r.workspaces, workspace) {
		r.workspaces = append(r.workspaces, workspace)
	}
	rnd := rand.New(rand.NewPCG(seed, 9)) //nolint:gosec // it is to be the same each time
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	sent := func() time.Time { // some come late
		if rnd.IntN(3) > 0 {
			return time.Time{}
		}
		return r.clock.Now().Add(-time.Duration(rnd.Int64N(int64(2 * time.Hour)))).
			Truncate(time.Microsecond)
	}
	user := func() convo.Actor { return convo.ByUser(pick("ana", "bo", "Ana")) }
	for range steps {
		r.clock.add(time.Duration(rnd.Int64N(int64(40 * time.Minute))).Truncate(time.Microsecond))
		k := convo.ToContact(workspace, fmt.Sprint(workspace, " ", rnd.IntN(25)))
		if rnd.IntN(5) == 0 {
			k.Lane = "orders"
		}
		var cmds []convo.Command
		switch rnd.IntN(21) {
		case 0, 1, 2:
			cmds = []convo.Command{convo.Receive{
				Channel: pick("chat", "mail", ""), SentAt: sent(), Body: "hi",
			}}
		case 3:
			cmds = []convo.Command{
				convo.Open{By: user(), Channel: pick("chat", "mail")},
				convo.Send{By: bot, Body: "hello"},
			}
		case 4, 5:
			cmds = []convo.Command{convo.Send{By: user(), SentAt: sent(), Body: "yes?"}}
		case 6:
			for range 1 + rnd.IntN(2) {
				cmds = append(cmds, convo.Assign{
					By: user(), Assignee: pick("ana", "bo", ""), Team: pick("one", "two", ""),
				})
			}
		case 7:
			cmds = []convo.Command{convo.SetPending{By: user()}}
		case 8, 9:
			cmds = []convo.Command{convo.Close{
				By: user(), Category: pick("Sales", "Support", ""), Summary: "done",
			}}
		case 10:
			cmds = []convo.Command{pickCommand(rnd,
				convo.Reopen{By: user()}, convo.Reopen{By: user()}, convo.Reopen{By: user()},
				convo.AmendClosing{By: user(), Category: "Amended"},
				convo.Close{By: bot, Source: convo.SourceDialogflow},
			)}
		case 14:
			cmds = []convo.Command{convo.Label{
				By: user(), Add: []string{pick("vip", "late")},
				Remove: []string{pick("late", "odd")},
			}}
		case 15:
			cmds = []convo.Command{convo.Prioritize{By: user(), Priority: convo.PriorityHigh}}
		case 16:
			cmds = []convo.Command{pickCommand(rnd, convo.Resume{By: bot}, convo.Assign{
				By: bot, Assignee: pick("ana", "bo"), Team: "one",
			})}
		case 17:
			channel := pick("chat", "mail")
			cmds = []convo.Command{pickCommand(rnd,
				convo.Move{By: user(), Channel: &channel}, convo.SetPending{By: bot},
			)}
		case 18, 19: // once or again; the last cycle, or the first one
			for range 1 + rnd.IntN(2) {
				cmds = append(cmds, convo.Rate{Cycle: rnd.IntN(2), Score: 5 * rnd.IntN(3)})
			}
		case 12:
			// some have no conversation
			k = convo.ToContact(workspace, fmt.Sprint(workspace, " ", rnd.IntN(reportContacts)))
			cmds = []convo.Command{pickCommand(rnd,
				convo.Receive{Quiet: true, Channel: pick("chat", "mail", ""), Body: "I am away"},
				convo.Send{Quiet: true, By: user(), Channel: pick("chat", ""), Body: "News"},
			)}
		case 13:
			r.echo(k, user(), fmt.Sprint(seed, " ", rnd.Uint64()))
			continue
		case 20:
			r.tick()
			continue
		case 11:
			if rnd.IntN(4) == 0 {
				other := fmt.Sprint(workspace, " ", rnd.IntN(25))
				_, err := r.engine.Merge(r.ctx, convo.Merge{
					Workspace: workspace, Primary: k.Contact, Secondary: other, By: user(),
				})
				r.legitimate(err)
			}
			continue
		}
		_, err := r.engine.Do(r.ctx, k, cmds...)
		r.legitimate(err)
	}
}

// echo sends a message whose echo comes before its id is told.
func (r *reports) echo(to convo.Ref, by convo.Actor, id string) {
	sent, err := r.engine.Do(r.ctx, to, convo.Send{By: by, Channel: "chat", Body: "yes?"})
	if err != nil {
		r.legitimate(err)
		return
	}
	r.clock.add(time.Minute)
	_, err = r.engine.Do(r.ctx, to, convo.Send{By: by, Channel: "chat", ExternalID: id, Body: "!"})
	r.legitimate(err)
	r.clock.add(time.Hour)
	_, err = r.engine.Do(r.ctx, to, convo.Identify{
		By: bot, Message: sent.Events[0].ID, Channel: "chat", ExternalID: id,
	})
	r.legitimate(err)
}

// reportContacts is how many contacts play is about.
const reportContacts = 30

func pickCommand(rnd *rand.Rand, of ...convo.Command) convo.Command {
	return of[rnd.IntN(len(of))]
}

// legitimate fails on what is not a refusal by the rules.
func (r *reports) legitimate(err error) {
	var state *convo.StateError
	var invalid *convo.ValidationError
	if err != nil && !errors.As(err, &state) && !errors.As(err, &invalid) {
		r.NoError(err)
	}
}
