package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// What reports are made of beside cells: backlogs and heat maps, against plain loops over the log.

var kindCases = []reportCase{
	{
		"Kinds/a backlog is what was active when each bucket ended",
		"the backlog of any time is what a replay of the log up to it leaves active",
		func(r *reports) {
			r.play(acme, 21, 250)
			r.play("other", 2, 20)
			for range 3 {
				r.compareBacklogs(acme)
				if n, _ := r.rollup(40); n == 0 {
					return
				}
			}
			r.rollupAll()
			r.compareBacklogs(acme)
		},
	},
	{
		"Kinds/a backlog does not change any more",
		"nothing that happens later changes what was active",
		func(r *reports) {
			s := story{r}
			mail := "mail"
			s.at(at(2, 9, 0), "k", convo.Receive{Channel: "chat", Body: "hi"},
				convo.Assign{By: ana, Assignee: "ana", Team: "one"})
			s.at(at(2, 10, 0), "l", convo.Receive{Channel: "mail", Body: "hi"})
			s.at(at(3, 10, 0), "k", convo.SetPending{By: ana})
			s.at(at(4, 10, 0), "k", convo.Assign{By: ana, Assignee: "ben", Team: "two"})
			s.at(at(4, 10, 1), "k", convo.Move{By: ana, Channel: &mail})
			s.at(at(4, 10, 2), "k", convo.Close{By: ben})
			s.at(at(6, 10, 0), "k", convo.Reopen{By: ana})
			by := func(d report.Dimension, f func(*report.Report)) {
				s.asks(at(1, 0, 0), at(4, 0, 0),
					report.Query{Kind: report.Backlogs, Bucket: report.Day, GroupBy: d}, f)
			}
			for d, values := range map[report.Dimension]map[string]int64{
				report.Status:   {"open": 1, "pending": 1},
				report.Assignee: {"": 1, "ana": 1}, report.Team: {"": 1, "one": 1},
				report.Channel: {"chat": 1, "mail": 1}, report.Lane: {"": 2},
			} {
				by(d, func(b *report.Report) {
					r.Equal(int64(2), b.Total[report.Backlog].Count)
					r.Empty(b.Previous)
					r.Len(b.Groups, len(values))
					for value, n := range values {
						r.Equal(n, s.group(b, value)[report.Backlog].Count, "%s %s", d, value)
					}
					counts := []int64{}
					for _, p := range b.Series {
						counts = append(counts, p.Values[report.Backlog].Count)
					}
					r.Equal([]int64{0, 2, 2}, counts)
				})
			}
			s.asks(at(5, 0, 0), at(6, 0, 0), report.Query{Kind: report.Backlogs},
				func(b *report.Report) {
					r.Equal(int64(1), b.Total[report.Backlog].Count)
					r.Equal(int64(1), b.Previous[report.Backlog].Count)
				})
		},
	},
	{
		"Kinds/a backlog is right in buckets of odd lengths",
		"what happens at the end of a bucket is in the next one, however long they are",
		func(r *reports) {
			s := story{r}
			s.at(at(3, 0, 0), "k", convo.Receive{Channel: "chat", Body: "hi"})
			const odd = 17 * 23 * time.Second
			s.asks(at(3, 0, 0).Add(-odd), at(3, 0, 0).Add(odd),
				report.Query{Kind: report.Backlogs, Bucket: report.Day},
				func(b *report.Report) {
					r.Zero(b.Series[0].Values[report.Backlog].Count)
					r.Equal(int64(1), b.Series[1].Values[report.Backlog].Count)
				})
		},
	},
	{
		"Kinds/behind a figure are the conversations that it counts",
		"the conversations behind a figure add up to it, and no other one is among them",
		func(r *reports) {
			r.play(acme, 23, 200)
			r.play("other", 2, 20)
			r.compareBehind(acme)
			r.rollupAll()
			r.compareBehind(acme)
			// An echo that is taken off in the period is no message behind it.
			r.clock.add(time.Hour)
			from := r.clock.Now().Add(time.Second)
			r.do(convo.ToContact(acme, "echoed"), convo.Open{By: ana})
			r.echo(convo.ToContact(acme, "echoed"), ana, "an echo")
			q := report.Query{
				Kind: report.Messages, Workspace: acme, From: from, To: from.Add(3 * time.Hour),
			}
			r.Empty(r.behind(q, report.OutgoingUser))
			q.From = from.Add(-time.Minute)
			r.Len(r.behind(q, report.OutgoingUser), 1)
		},
	},
	{
		"Kinds/an export of spans has each duration once",
		"the spans of a period are the durations that its reports count, in order",
		func(r *reports) {
			r.play(acme, 24, 300)
			r.play("other", 2, 20)
			r.compareSpans(acme)
		},
	},
	{
		"Kinds/entries come in order, each once, page after page",
		"what happened at one moment is yielded once, also where a page ends amid it",
		func(r *reports) {
			const n = convo.MaxPageSize + 100
			s := story{r}
			s.clock.now.Store(at(2, 9, 30).UnixMicro())
			_, err := r.engine.Import(r.ctx, acme, func(yield func(convo.History, error) bool) {
				for i := range n {
					k := fmt.Sprint("k", i)
					h := convo.History{Key: k, To: to(k), Commands: []convo.Command{
						convo.Receive{At: at(2, 9, 0), Body: "hi"},
						convo.Close{By: ana, At: at(2, 9, 0)},
					}}
					if !yield(h, nil) {
						return
					}
				}
			}, nil)
			r.NoError(err)
			q := report.EntriesQuery{Workspace: acme, From: at(2, 0, 0), To: at(3, 0, 0)}
			var before report.Entry
			yielded := 0
			r.NoError(r.reporter.Entries(r.ctx, q, func(y *report.Entry) error {
				r.Negative(q.Compare(&before, y))
				before = *y
				yielded++
				return nil
			}))
			r.Equal(3*n, yielded)
			boom := errors.New("boom")
			r.ErrorIs(r.reporter.Entries(r.ctx, q, func(*report.Entry) error { return boom }), boom)
			var invalid *convo.ValidationError
			q.To = q.From
			r.ErrorAs(r.reporter.Entries(r.ctx, q, nil), &invalid)
		},
	},
	{
		"Kinds/a heat map is of weekdays and hours as clocks show them",
		"each hour of a heat map is what the log has in it, in the zone of the query",
		func(r *reports) {
			r.play(acme, 22, 250)
			r.compareHeatMaps(acme)
			r.rollupAll()
			r.compareHeatMaps(acme)
		},
	},
}

// compareBehind asks what is behind figures of all kinds, in small pages.
func (r *reports) compareBehind(workspace string) {
	log := r.facts(workspace)
	from, to := r.period(workspace)
	from, to = from.Add(30*time.Hour), to.Add(-20*time.Hour)
	filters := []report.Filter{
		nil, {report.Channel: {"chat"}}, {report.Label: {"vip", "late"}},
		{report.Team: {"", "one"}},
	}
	for _, kind := range []report.Kind{
		report.Conversations, report.Responses, report.Resolutions, report.Messages,
		report.Contacts, report.Assignments, report.Times, report.Deadlines, report.Satisfaction,
	} {
		for i, f := range filters {
			q := report.Query{
				Kind: kind, Workspace: workspace, From: from, To: to, Filter: f,
				Calendar: halved{}, CountDistinct: kind == report.Conversations,
			}
			if i == 3 {
				q.Filter, q.Exclude = nil, f
			}
			a, err := report.Run(r.ctx, r.reporter, q)
			var invalid *convo.ValidationError
			if errors.As(err, &invalid) {
				continue // messages have no labels
			}
			r.NoError(err)
			for m := range a.Definitions {
				want := map[uuid.UUID]report.Counted{}
				for _, f := range log {
					a := report.Aggregation{Filter: q.Filter, Exclude: q.Exclude}
					if f.measure != m || f.of == uuid.Nil || f.at.Before(from) ||
						!f.at.Before(to) || !f.passes(&a) {
						continue
					}
					n := want[f.of]
					n.Conversation, n.Count = f.of, n.Count+f.count
					n.Sum += f.micros
					want[f.of] = n
				}
				maps.DeleteFunc(want, func(_ uuid.UUID, n report.Counted) bool {
					return n.Count == 0
				})
				r.Equal(want, r.behind(q, m), "%s of %s by %v", m, kind, f)
			}
		}
	}
	q := report.Query{Kind: report.Backlogs, Workspace: workspace, From: from, To: to}
	a, err := report.Run(r.ctx, r.reporter, q)
	r.NoError(err)
	active := r.behind(q, report.Backlog)
	r.Len(active, int(a.Total[report.Backlog].Count))
	for _, c := range r.all(workspace) {
		var t convo.Snapshot
		for _, e := range r.log(&c) {
			if e.At.Before(to) {
				t = convo.Apply(t, e)
			}
		}
		_, counted := active[c.ID]
		r.Equal(t.Conversation.Status.Active(), counted)
	}
}

// behind are all conversations behind a figure, which come in pages and in order.
func (r *reports) behind(q report.Query, m report.Measure) map[uuid.UUID]report.Counted {
	const limit = 7
	all, after := map[uuid.UUID]report.Counted{}, uuid.Nil
	for {
		page, err := report.Behind(r.ctx, r.reporter, q, m, after, limit)
		r.NoError(err)
		for _, c := range page {
			r.Positive(bytes.Compare(c.Conversation[:], after[:]))
			after = c.Conversation
			all[c.Conversation] = c
		}
		if len(page) < limit {
			return all
		}
	}
}

// compareSpans exports spans.
func (r *reports) compareSpans(workspace string) {
	from, to := r.period(workspace)
	from, to = from.Add(30*time.Hour), to.Add(-20*time.Hour)
	var out bytes.Buffer
	r.NoError(report.WriteSpansNDJSON(r.ctx, &out, r.reporter, report.Export{
		Workspace: workspace, From: from, To: to,
	}))
	got, before := map[string]int{}, from
	for d := json.NewDecoder(&out); d.More(); {
		var p report.Span
		r.NoError(d.Decode(&p))
		r.False(p.At.Before(before), "by time")
		before = p.At
		got[fmt.Sprint(p.Measure, p.At, p.Micros, p.Conversation, p.Contact, p.Assignee, p.Team,
			p.Channel, p.Lane, p.Status, p.Priority, p.Labels)]++
		if p.Measure != report.ActiveResolution {
			r.Equal(p.Micros, p.To.Sub(p.From).Microseconds())
		}
	}
	want := map[string]int{}
	for _, f := range r.facts(workspace) {
		if !f.measure.Timed() || f.measure.Working() || f.at.Before(from) || !f.at.Before(to) {
			continue
		}
		d := func(d report.Dimension) string { return f.dimensions[d][0] }
		labels := f.dimensions[report.Label]
		if labels[0] == "" {
			labels = nil
		}
		want[fmt.Sprint(f.measure, f.at, f.micros, f.of, d(report.Contact), d(report.Assignee),
			d(report.Team), d(report.Channel), d(report.Lane), d(report.Status),
			d(report.Priority), labels)]++
	}
	r.Equal(want, got)
}

// compareBacklogs asks for backlogs by each dimension, filtered and not.
func (r *reports) compareBacklogs(workspace string) {
	from, to := r.period(workspace)
	from = from.Add(40 * time.Hour)
	logs := map[*convo.Conversation][]convo.Event{}
	for _, c := range r.all(workspace) {
		logs[&c] = r.log(&c)
	}
	filters := []report.Filter{nil, {report.Channel: {"chat"}}, {report.Status: {"pending"}}}
	for _, d := range []report.Dimension{
		"", report.Status, report.Assignee, report.Team, report.Lane, report.Channel,
	} {
		for _, f := range filters {
			q := report.Query{
				Kind: report.Backlogs, Workspace: workspace, From: from, To: to,
				Zone: "Asia/Kolkata", Bucket: report.Day, GroupBy: d, Filter: f,
			}
			b, err := report.Run(r.ctx, r.reporter, q)
			r.NoError(err)
			lets := func(c *convo.Conversation) bool {
				for d, values := range f {
					if !slices.Contains(values, queueOf(c)[d][0]) {
						return false
					}
				}
				return true
			}
			active := func(at time.Time, d report.Dimension) map[string]int64 {
				counts := map[string]int64{}
				for _, log := range logs {
					var t convo.Snapshot
					for _, e := range log {
						if e.At.Before(at) {
							t = convo.Apply(t, e)
						}
					}
					if c := &t.Conversation; c.Status.Active() && lets(c) {
						counts[append(queueOf(c)[d], "")[0]]++
					}
				}
				return counts
			}
			r.Equal(active(to, "")[""], b.Total[report.Backlog].Count)
			r.Equal(active(b.PreviousTo, "")[""], b.Previous[report.Backlog].Count)
			for _, p := range b.Series {
				if d != "" {
					break // asked for already
				}
				r.Equal(active(p.To, "")[""], p.Values[report.Backlog].Count)
			}
			if d != "" {
				groups := map[string]int64{}
				for _, g := range b.Groups {
					groups[g.Value] = g.Values[report.Backlog].Count
				}
				r.Equal(active(to, d), groups, "%s %v", d, f)
			}
		}
	}
}

// compareHeatMaps asks for heat maps of each kind, in zones of whole and of half hours, where the
// clocks change.
func (r *reports) compareHeatMaps(workspace string) {
	log := r.facts(workspace)
	from, to := r.period(workspace)
	to = to.Add(-3 * time.Hour)
	for _, zone := range []string{"", "Europe/Berlin", "Asia/Kolkata"} {
		for _, kind := range []report.Kind{
			report.Conversations, report.Responses, report.Messages, report.Times, report.Users,
		} {
			a, err := report.Run(r.ctx, r.reporter, report.Query{
				Kind: kind, Workspace: workspace, From: from, To: to, Zone: zone, HeatMap: true,
			})
			r.NoError(err)
			loc, err := time.LoadLocation(zone)
			r.NoError(err)
			want := map[string]report.Stat{}
			for _, f := range log {
				_, asked := a.Definitions[f.measure]
				if !asked || f.at.Before(from) || !f.at.Before(to) {
					continue
				}
				local := f.at.In(loc)
				k := fmt.Sprint(local.Weekday(), local.Hour(), f.measure)
				st := want[k]
				st.Min = min(st.Min, f.micros)
				if st.Count == 0 {
					st.Min = f.micros
				}
				st.Count, st.Sum, st.Max = st.Count+f.count, st.Sum+f.micros,
					max(st.Max, f.micros)
				want[k] = st
			}
			maps.DeleteFunc(want, func(_ string, st report.Stat) bool { return st.Count == 0 })
			got := map[string]report.Stat{}
			for day, hours := range a.HeatMap {
				for hour, values := range hours {
					for m, st := range values {
						if st.Count != 0 {
							st.Mean = 0
							got[fmt.Sprint(time.Weekday((day+1)%7), hour, m)] = st
						}
					}
				}
			}
			r.Equal(want, got, "%s in %q", kind, zone)
		}
	}
}
