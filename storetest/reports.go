package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// Reporter is a store that answers for reports.
type Reporter interface {
	convo.Store
	report.Store
}

// RunReports proves that a store answers for reports what a replay of its log gives. newStore is as that of [Run]. If the store has
// a method Rollup(context.Context, int) (int, error), as that of sqlstore, the answers must be the same however much of it was done.
func RunReports(t *testing.T, newStore func(t *testing.T) Reporter) {
	for _, c := range reportCases {
		t.Run(c.name, func(t *testing.T) {
			store := newStore(t)
			s := &suite{Assertions: require.New(ruled{t, c.rule}), ctx: t.Context(), store: store, clock: &clock{}}
			s.clock.now.Store(time.Date(2025, 3, 28, 21, 13, 0, 5000, time.UTC).UnixMicro())
			s.engine = s.with(convo.WithPolicy(reportPolicy()))
			c.run(&reports{s, store})
			s.Empty(CheckInvariants(s.ctx, s.store, s.workspaces...), "invariants")
		})
	}
}

type reportCase struct {
	name string
	rule string
	run  func(*reports)
}

type reports struct {
	*suite
	reporter Reporter
}

var reportCases = []reportCase{
	{
		"Cells/are what a replay of the log gives", "a figure is what its definition says, of all the cycles and messages of the log",
		func(r *reports) {
			r.play(acme, 1, 400)
			r.play("other", 2, 20)
			for n := 0; ; n++ {
				r.compareAll(acme)
				if rolled := r.rollup(60); rolled == 0 || n == 4 {
					break
				}
				r.play(acme, uint64(n)+3, 30) //nolint:gosec // a small number
			}
			for more := true; more; more = r.rollup(0) > 0 { // until all is
			}
			r.compareAll(acme)
		},
	},
	{
		"Cells/are the same for a past period after reopenings", "a reopening is a new cycle, and changes no number of a past period",
		func(r *reports) {
			r.play(acme, 7, 200)
			from, to := r.period(acme)
			ask := func() []*report.Report {
				var all []*report.Report
				for _, k := range []report.Kind{
					report.Conversations, report.Responses, report.Resolutions, report.Messages, report.Contacts, report.Assignments,
					report.Users,
				} {
					a, err := report.Run(r.ctx, r.reporter, report.Query{
						Kind: k, Workspace: acme, From: from, To: to, Bucket: report.Day, Zone: "Europe/Berlin",
					})
					r.NoError(err)
					all = append(all, a)
				}
				return all
			}
			for _, c := range r.active(acme) { // so that nothing that runs is still to change
				_, err := r.engine.Do(r.ctx, convo.ToConversation(acme, c.ID), convo.Close{By: ana})
				r.NoError(err)
			}
			to = r.clock.Now().Add(time.Hour)
			before := ask()
			r.clock.add(3 * time.Hour)
			reopened := 0
			for _, c := range r.all(acme) {
				if _, err := r.engine.Do(r.ctx, convo.ToConversation(acme, c.ID), convo.Reopen{By: ana}, convo.Close{By: ana}); err == nil {
					reopened++
				}
			}
			r.NotZero(reopened)
			r.Equal(before, ask())
			for r.rollup(50) > 0 {
				r.same(before, ask())
			}
			r.same(before, ask())
		},
	},
	{
		"Cells/of a workspace without anything are none", "an empty workspace is an answer of zeros",
		func(r *reports) {
			r.play("other", 2, 20)
			a, err := report.Run(r.ctx, r.reporter, report.Query{
				Kind: report.Conversations, Workspace: acme, From: r.clock.Now().Add(-48 * time.Hour), To: r.clock.Now(), Bucket: report.Day,
				GroupBy: report.Team, CountDistinct: true,
			})
			r.NoError(err)
			r.Empty(a.Total)
			r.Empty(a.Groups)
			r.NotEmpty(a.Series)
		},
	},
	{
		"Cycles/yields every cycle once, in order", "an export has one row per cycle",
		func(r *reports) {
			r.play(acme, 11, 300)
			r.play("other", 2, 20)
			from, to := r.period(acme)
			want := r.replay(acme)
			slices.SortFunc(want, func(a, b report.Cycle) int { return a.Compare(&b) })
			for _, rolled := range []int{0, 40, 1000} {
				if rolled > 0 {
					r.rollup(rolled)
				}
				var got []report.Cycle
				r.NoError(r.reporter.Cycles(r.ctx, acme, from, to, func(y *report.Cycle) error {
					got = append(got, *y)
					return nil
				}))
				r.Equal(want, got)
			}
			middle := want[len(want)/2].OpenedAt
			n := 0
			r.NoError(r.reporter.Cycles(r.ctx, acme, middle, to, func(y *report.Cycle) error {
				r.False(y.OpenedAt.Before(middle))
				n++
				return nil
			}))
			r.Equal(len(want)-slices.IndexFunc(want, func(y report.Cycle) bool { return y.OpenedAt.Equal(middle) }), n)
			enough := fmt.Errorf("enough")
			r.ErrorIs(r.reporter.Cycles(r.ctx, acme, from, to, func(*report.Cycle) error { return enough }), enough)
		},
	},
	{
		"Active/counts by status and assignee", "the dashboard counts all active conversations, and no others",
		func(r *reports) {
			r.play(acme, 13, 200)
			r.play("other", 2, 20)
			type key struct {
				status   convo.Status
				assignee string
			}
			want := map[key]report.ActiveCount{}
			for _, c := range r.active(acme) {
				k := key{c.Status, c.Assignee}
				n := want[k]
				n.Status, n.Assignee, n.Count = c.Status, c.Assignee, n.Count+1
				if since := c.Cycle.WaitingSince; !since.IsZero() && (n.WaitingSince.IsZero() || since.Before(n.WaitingSince)) {
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
		"Reports/honour the context", "a context that is done ends a read",
		func(r *reports) {
			ctx, cancel := context.WithCancel(r.ctx)
			cancel()
			now := r.clock.Now()
			_, err := r.reporter.Aggregate(ctx, report.Aggregation{
				Workspace: acme, Measures: []report.Measure{report.Opened}, Boundaries: []time.Time{now.Add(-time.Hour), now},
			})
			r.ErrorIs(err, context.Canceled)
			r.ErrorIs(r.reporter.Cycles(ctx, acme, now.Add(-time.Hour), now, func(*report.Cycle) error { return nil }), context.Canceled)
			_, err = r.reporter.Active(ctx, acme)
			r.ErrorIs(err, context.Canceled)
		},
	},
}

func reportPolicy() convo.Policy {
	p := convo.InboxPolicy()
	p.UnassignOnClose = true
	return p
}

// rollup has the store make its rollups, if it has any.
func (r *reports) rollup(limit int) int {
	s, ok := r.reporter.(interface {
		Rollup(ctx context.Context, limit int) (int, error)
	})
	if !ok {
		return 0
	}
	n, err := s.Rollup(r.ctx, limit)
	r.NoError(err)
	return n
}

// play plays what may happen in a workspace over a few days, the same for the same seed.
func (r *reports) play(workspace string, seed uint64, steps int) {
	if !slices.Contains(r.workspaces, workspace) {
		r.workspaces = append(r.workspaces, workspace)
	}
	rnd := rand.New(rand.NewPCG(seed, 9)) //nolint:gosec // it is to be the same each time
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	user := func() convo.Actor { return convo.ByUser(pick("ana", "bo", "Ana")) }
	for range steps {
		r.clock.add(time.Duration(rnd.Int64N(int64(40 * time.Minute))).Truncate(time.Microsecond))
		k := convo.ToContact(workspace, fmt.Sprint(workspace, " ", rnd.IntN(25)))
		var cmds []convo.Command
		switch rnd.IntN(12) {
		case 0, 1, 2:
			cmds = []convo.Command{convo.Receive{Channel: pick("chat", "mail", ""), Body: "hi"}}
		case 3:
			cmds = []convo.Command{convo.Open{By: user(), Channel: pick("chat", "mail")}, convo.Send{By: bot, Body: "hello"}}
		case 4, 5:
			cmds = []convo.Command{convo.Send{By: user(), Body: "yes?"}}
		case 6:
			cmds = []convo.Command{convo.Assign{By: user(), Assignee: pick("ana", "bo", ""), Team: pick("one", "two", "")}}
		case 7:
			cmds = []convo.Command{convo.SetPending{By: user()}}
		case 8, 9:
			cmds = []convo.Command{convo.Close{By: user(), Category: pick("Sales", "Support", ""), Summary: "done"}}
		case 10:
			cmds = []convo.Command{pickCommand(rnd, convo.Reopen{By: user()}, convo.AmendClosing{By: user(), Category: "Amended"},
				convo.Close{By: bot, Source: convo.SourceDialogflow})}
		case 11:
			if rnd.IntN(4) == 0 {
				other := fmt.Sprint(workspace, " ", rnd.IntN(25))
				_, err := r.engine.Merge(r.ctx, convo.Merge{Workspace: workspace, Primary: k.Contact, Secondary: other, By: user()})
				r.legitimate(err)
			}
			continue
		}
		_, err := r.engine.Do(r.ctx, k, cmds...)
		r.legitimate(err)
	}
}

func pickCommand(rnd *rand.Rand, of ...convo.Command) convo.Command { return of[rnd.IntN(len(of))] }

// legitimate fails on what is not a refusal by the rules.
func (r *reports) legitimate(err error) {
	var state *convo.StateError
	var invalid *convo.ValidationError
	if err != nil && !errors.As(err, &state) && !errors.As(err, &invalid) {
		r.NoError(err)
	}
}

// all are the conversations of a workspace.
func (r *reports) all(workspace string) (all []convo.Conversation) {
	f := convo.Filter{Workspace: workspace, Limit: 100}
	for {
		page, err := r.store.Conversations(r.ctx, f)
		r.NoError(err)
		all = append(all, page...)
		if len(page) < f.Limit {
			return all
		}
		f.After = page[len(page)-1].Cursor()
	}
}

func (r *reports) active(workspace string) []convo.Conversation {
	return slices.DeleteFunc(r.all(workspace), func(c convo.Conversation) bool { return !c.Status.Active() })
}

// period is one with all that happened.
func (r *reports) period(workspace string) (from, to time.Time) {
	all := r.all(workspace)
	return all[len(all)-1].CreatedAt.Truncate(time.Hour).Add(-7 * time.Hour), r.clock.Now().Truncate(time.Hour).Add(5 * time.Hour)
}

// log are the events of a conversation.
func (r *reports) log(c *convo.Conversation) (all []convo.Event) {
	f := convo.EventFilter{Workspace: c.Workspace, Conversation: c.ID, Limit: 100}
	for {
		page, err := r.store.Events(r.ctx, f)
		r.NoError(err)
		all = append(all, page...)
		if len(page) < f.Limit {
			return all
		}
		f.After = page[len(page)-1].Cursor()
	}
}

// replay are the cycles by the log.
func (r *reports) replay(workspace string) (all []report.Cycle) {
	seen := map[string]time.Time{} // first conversation by origin
	conversations := r.all(workspace)
	for _, c := range conversations {
		if at, ok := seen[c.Origin]; !ok || c.CreatedAt.Before(at) {
			seen[c.Origin] = c.CreatedAt
		}
	}
	for _, c := range conversations {
		var t convo.Snapshot
		y := report.Cycle{
			Workspace: workspace, Conversation: c.ID, Contact: c.Origin, Channel: c.Channel, CreatedAt: c.CreatedAt,
			ContactSince: seen[c.Origin], Status: convo.StatusClosed,
		}
		for _, e := range r.log(&c) {
			if e.Kind == convo.ConversationReopened {
				y.Cycle = t.Conversation.Cycle
				all = append(all, y)
			}
			t = convo.Apply(t, e)
		}
		y.Status, y.Cycle = t.Conversation.Status, t.Conversation.Cycle
		all = append(all, y)
	}
	return all
}

// compareAll asks for everything in many ways.
func (r *reports) compareAll(workspace string) {
	from, to := r.period(workspace)
	cycles := r.replay(workspace)
	berlin, err := time.LoadLocation("Europe/Berlin")
	r.NoError(err)
	day := time.Date(2025, 3, 29, 0, 0, 0, 0, berlin)
	borders := [][]time.Time{
		{from, to},
		{from.Add(17*time.Minute + 3*time.Microsecond), to.Add(-31 * time.Hour)},
		{day, day.AddDate(0, 0, 1), day.AddDate(0, 0, 2), day.AddDate(0, 0, 3), day.AddDate(0, 0, 4)}, // the second has 23 hours
		{time.Date(2025, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2025, 3, 30, 0, 0, 0, 0, time.UTC), time.Date(2025, 4, 9, 0, 0, 0, 0, time.UTC)},
	}
	// Borders amid the slots that a store may keep sums of, with whole ones between them.
	apart := func(first time.Time, days int) []time.Time {
		return []time.Time{first, first.AddDate(0, 0, days), first.AddDate(0, 0, 2*days), first.AddDate(0, 0, 3*days)}
	}
	borders = append(borders, apart(day, 3), apart(time.Date(2025, 3, 28, 18, 15, 0, 0, time.UTC), 2)) // the latter is Nepal's midnight
	kolkata := []time.Time{time.Date(2025, 3, 28, 18, 30, 0, 0, time.UTC)}
	for range 80 {
		kolkata = append(kolkata, kolkata[len(kolkata)-1].Add(time.Hour))
	}
	borders = append(borders, kolkata)
	wheres := []report.Filter{
		nil, {report.Team: {"one"}}, {report.Channel: {"chat", ""}}, {report.Closer: {"ana", "Ana"}, report.Team: {"two"}},
		{report.Category: {"Amended", "Sales"}}, {report.ContactType: {report.ContactNew}}, {report.Status: {"closed", "pending"}},
	}
	bys := []report.Dimension{
		"", report.Channel, report.OpenedSource, report.ClosedSource, report.Category, report.Team, report.FirstResponder, report.Closer,
		report.FirstAssignee, report.LastAssignee, report.ContactType, report.Status,
	}
	for _, list := range [][]report.Measure{
		{report.Opened, report.OpenedNew, report.Reopened, report.NewContacts, report.Returning},
		{report.Closed, report.Resolution, report.ActiveResolution, report.FirstResolution, report.LastResolution},
		{report.Closed}, {report.ClosedConversations, report.ClosedContacts},
		{report.FirstResponse, report.Response}, {report.Assignment},
	} {
		for _, b := range borders {
			for i, where := range wheres {
				for j, by := range bys {
					some := i == 0 || j == 0 || (i+j)%5 == 0 || i == 1 && by == report.Team
					if !some { // of the combinations
						continue
					}
					q := report.Aggregation{Workspace: workspace, Measures: list, Boundaries: b, GroupBy: by, Filter: where, Quantiles: j%2 == 0}
					r.compare(q, cycles)
				}
			}
		}
	}
	r.compare(report.Aggregation{
		Workspace: workspace, Measures: []report.Measure{report.FirstResponse, report.WorkingFirstResponse}, Boundaries: borders[0],
		GroupBy: report.Closer, Quantiles: true, Calendar: halved{},
	}, cycles)
	r.compareMessages(workspace, borders, bys)
}

// halved is a calendar in which every other microsecond is working time.
type halved struct{}

func (halved) Between(from, to time.Time) time.Duration { return to.Sub(from) / 2 }

func (r *reports) compare(q report.Aggregation, cycles []report.Cycle) {
	c := report.NewCollector(q, nil)
	for i := range cycles {
		c.AddCycle(&cycles[i])
	}
	r.sameCells(q, c)
}

// compareMessages does the same for messages.
func (r *reports) compareMessages(workspace string, borders [][]time.Time, bys []report.Dimension) {
	seen := map[string]time.Time{}
	for _, y := range r.replay(workspace) {
		seen[y.Contact] = y.ContactSince
	}
	conversations := r.all(workspace)
	for _, b := range borders {
		for _, by := range append(bys, report.Author) {
			if by != "" && by != report.Channel && by != report.ContactType && by != report.Author {
				continue
			}
			for _, where := range []report.Filter{nil, {report.Channel: {"mail"}}, {report.ContactType: {report.ContactReturning}}} {
				q := report.Aggregation{
					Workspace: workspace, Measures: []report.Measure{report.Incoming, report.OutgoingUser, report.OutgoingAutomation},
					Boundaries: b, GroupBy: by, Filter: where,
				}
				want := report.NewCollector(q, nil)
				for _, c := range conversations {
					kind := report.ContactReturning
					if c.CreatedAt.Equal(seen[c.Origin]) {
						kind = report.ContactNew
					}
					if where != nil && !slices.Contains(where[report.Channel], c.Channel) && !slices.Contains(where[report.ContactType], kind) {
						continue
					}
					for _, e := range r.log(&c) {
						m, author := report.Incoming, ""
						switch {
						case e.Kind == convo.MessageSent && e.By.Type == convo.ActorUser:
							m, author = report.OutgoingUser, e.By.ID
						case e.Kind == convo.MessageSent:
							m = report.OutgoingAutomation
						case e.Kind != convo.MessageReceived:
							continue
						}
						want.AddMessage(m, e.At, map[report.Dimension]string{
							report.Channel: c.Channel, report.ContactType: kind, report.Author: author,
						}[by])
					}
				}
				r.sameCells(q, want)
			}
		}
	}
}

func (r *reports) sameCells(q report.Aggregation, c *report.Collector) {
	want, err := c.Cells()
	r.NoError(err)
	got, err := r.reporter.Aggregate(r.ctx, q)
	r.NoError(err)
	order := func(a, b report.Cell) int {
		return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), strings.Compare(a.Value, b.Value), cmp.Compare(a.Measure, b.Measure))
	}
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	r.Len(got, len(want), "%+v:\n%+v\ninstead of\n%+v", q, got, want)
	for i := range want {
		r.sameStat(&want[i].Stat, &got[i].Stat, q)
		if !q.Quantiles { // a store may tell them nevertheless
			want[i].Stat, got[i].Stat = report.Stat{}, report.Stat{}
		}
		r.Equal(want[i], got[i], "%+v", q)
	}
}

// sameStat compares two, and makes them equal where got may be off a bit.
func (r *reports) sameStat(want, got *report.Stat, what any) {
	r.Equal([]int64{want.Count, want.Sum, want.Min, want.Max}, []int64{got.Count, got.Sum, got.Min, got.Max}, "%+v", what)
	if !got.Approximate || want.Approximate {
		return
	}
	for _, p := range [][2]*float64{{&want.Median, &got.Median}, {&want.P90, &got.P90}, {&want.P95, &got.P95}, {&want.P99, &got.P99}} {
		r.LessOrEqual(math.Abs(*p[0]-*p[1]), math.Abs(*p[0])/100, "a percentile: %v, not %v, in %+v", *p[1], *p[0], what)
		*p[1] = *p[0]
	}
	n := int64(0)
	for _, b := range got.Bands {
		n += b
	}
	if len(want.Bands) > 0 {
		r.Equal(want.Count, n, "the bands of %+v", what)
	}
	got.Bands, got.Approximate = want.Bands, false
}

// same compares answers, of which the second ones may be approximate.
func (r *reports) same(want, got []*report.Report) {
	figures := func(want, got report.Values) {
		r.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
		for m := range want {
			a, b := want[m], got[m]
			r.sameStat(&a, &b, m)
			r.Equal(a, b)
		}
	}
	r.Len(got, len(want))
	for i := range want {
		figures(want[i].Total, got[i].Total)
		figures(want[i].Previous, got[i].Previous)
		for j := range want[i].Series {
			figures(want[i].Series[j].Values, got[i].Series[j].Values)
		}
		for j := range want[i].Groups {
			figures(want[i].Groups[j].Values, got[i].Groups[j].Values)
		}
	}
}
