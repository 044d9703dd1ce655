package main

import (
	"encoding/csv"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/report"
)

// desk is a help desk's log, taken apart by the rules alone: it shares nothing with the import or
// the library but names.
type desk struct {
	cycles  []cycle
	letters []letter
}

// cycle has its times in microseconds; 0 is never.
type cycle struct {
	contact                                                    string
	number                                                     int
	created, opened, closed, asked, replied, assigned, waiting int64
	pending, replies, replyTime                                int64
	closer, replier, firstAssignee, lastAssignee, status       string
}

// letter is a message.
type letter struct {
	at           int64
	kind, author string
}

type entry struct {
	at             int64
	activity, user string
}

func byHand(t testing.TB, log string) *desk {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(log)).ReadAll()
	require.NoError(t, err)
	place := map[string]int{}
	for i, name := range records[0] {
		place[name] = i
	}
	entries := map[string][]entry{}
	for _, r := range records[1:] {
		at, err := time.Parse("2006-01-02 15:04:05-07:00", r[place["time:timestamp"]])
		require.NoError(t, err)
		name := r[place["case:concept:name"]]
		entries[name] = append(entries[name], entry{at.UnixMicro(), r[place["Activity"]],
			r[place["Resource"]]})
	}
	d := &desk{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		slices.SortStableFunc(entries[name], func(a, b entry) int { return int(a.at - b.at) })
		d.walk(name, entries[name])
	}
	return d
}

// walk goes through the entries of one contact.
func (d *desk) walk(contact string, entries []entry) {
	c := cycle{contact: contact}
	assignee, began := "", int64(0)
	for _, e := range entries {
		switch c.status {
		case "":
			c.number, c.created, c.opened = 1, e.at, e.at
		case "pending":
			c.pending += e.at - began
		case "closed":
			if e.activity == "Closed" {
				continue
			}
			c = cycle{contact: contact, number: c.number + 1, created: c.created, opened: e.at,
				lastAssignee: assignee}
			if assignee != "" { // who keeps it has it from the opening on
				c.assigned, c.firstAssignee = e.at, assignee
			}
		}
		c.status = "open"
		switch e.activity {
		case "Closed":
			c.status, c.closed, c.closer = "closed", e.at, e.user
			d.cycles = append(d.cycles, c)
		case "Wait":
			c.status, began = "pending", e.at
		case "Take in charge ticket":
			if e.user != assignee && c.assigned == 0 {
				c.assigned, c.firstAssignee = e.at, e.user
			}
			assignee, c.lastAssignee = e.user, e.user
		case "Require upgrade": // from the contact, as the test's mapping says
			d.letters = append(d.letters, letter{e.at, "incoming", ""})
			if c.waiting == 0 {
				c.waiting = e.at
			}
			if c.replied == 0 {
				c.asked = c.waiting
			}
		case "Resolve ticket": // to the contact
			d.letters = append(d.letters, letter{e.at, "outgoing_user", e.user})
			if c.waiting != 0 && c.replied == 0 {
				c.replied, c.replier = e.at, e.user
			}
			if c.waiting != 0 {
				c.replies, c.replyTime, c.waiting = c.replies+1, c.replyTime+e.at-c.waiting, 0
			}
		}
	}
	if c.status != "closed" {
		d.cycles = append(d.cycles, c)
	}
}

// measured is what a measure comes to in a cycle by its definition: when it counts (0: never), how
// often, and how long.
var measured = map[report.Measure]func(c *cycle) (at, count, sum int64){
	report.Opened:    func(c *cycle) (int64, int64, int64) { return c.opened, 1, 0 },
	report.OpenedNew: func(c *cycle) (int64, int64, int64) { return c.first(c.opened), 1, 0 },
	report.Reopened: func(c *cycle) (int64, int64, int64) {
		return c.opened - c.first(c.opened), 1,
			0
	},
	// Each contact has one conversation.
	report.NewContacts: func(c *cycle) (int64, int64, int64) {
		return c.first(c.opened), 1,
			0
	},
	report.Returning: func(c *cycle) (int64, int64,
		int64) {
		return c.opened - c.first(c.opened), 1, 0
	},
	report.Closed:              func(c *cycle) (int64, int64, int64) { return c.closed, 1, 0 },
	report.ClosedConversations: func(c *cycle) (int64, int64, int64) { return c.closed, 1, 0 },
	report.ClosedContacts:      func(c *cycle) (int64, int64, int64) { return c.closed, 1, 0 },
	report.Resolution: func(c *cycle) (int64, int64, int64) {
		return c.closed, 1,
			c.closed - c.opened
	},
	report.ActiveResolution: func(c *cycle) (int64, int64, int64) {
		return c.closed, 1,
			c.closed - c.opened - c.pending
	},
	report.FirstResolution: func(c *cycle) (int64, int64, int64) {
		return c.first(c.closed), 1,
			c.closed - c.opened
	},
	report.LastResolution: func(c *cycle) (int64, int64, int64) {
		return c.closed, 1,
			c.closed - c.created
	},
	report.FirstResponse: func(c *cycle) (int64, int64, int64) {
		return c.replied, 1,
			c.replied - c.asked
	},
	report.Response: func(c *cycle) (int64, int64, int64) {
		return c.replied, c.replies,
			c.replyTime
	},
	report.Assignment: func(c *cycle) (int64, int64, int64) {
		return c.assigned, 1,
			c.assigned - c.opened
	},
}

func (c *cycle) first(at int64) int64 {
	if c.number == 1 {
		return at
	}
	return 0
}

// valueOf is a dimension; nil are those that the log does not tell.
var valueOf = map[report.Dimension]func(c *cycle) string{
	report.Closer:         func(c *cycle) string { return c.closer },
	report.FirstResponder: func(c *cycle) string { return c.replier },
	report.FirstAssignee:  func(c *cycle) string { return c.firstAssignee },
	report.LastAssignee:   func(c *cycle) string { return c.lastAssignee },
	report.Status:         func(c *cycle) string { return c.status },
	report.ContactType: func(c *cycle) string {
		if c.number == 1 {
			return "new"
		}
		return "returning"
	},
}

// userOf is whom a report of users credits with a measure.
var userOf = map[report.Measure]report.Dimension{
	report.Closed: report.Closer, report.Resolution: report.Closer,
	report.FirstResponse: report.FirstResponder,
	report.Response:      report.FirstResponder, report.Assignment: report.FirstAssignee,
}

// durations are those of a measure in a part of the log, and how often it counts.
func (d *desk) durations(
	m report.Measure, from, to time.Time, by report.Dimension, only func(value string) bool,
) (count int64, all []int64) {
	since, until := from.UnixMicro(), to.UnixMicro()
	for i := range d.letters {
		l := &d.letters[i]
		if string(m) == l.kind && since <= l.at && l.at < until && (by == "" || only(l.author)) {
			count++
		}
	}
	of := measured[m]
	things := map[string]bool{}
	for i := range d.cycles {
		if of == nil {
			break
		}
		c := &d.cycles[i]
		at, n, sum := of(c)
		if at == 0 || n == 0 || at < since || at >= until || by != "" && !only(valueOf[by](c)) {
			continue
		}
		things[c.contact] = true
		count, all = count+n, append(all, sum)
	}
	if m.CountsDistinct() {
		return int64(len(things)), nil
	}
	slices.Sort(all)
	return count, all
}

// check compares a figure with the log, for a part of it.
func (d *desk) check(
	t testing.TB, where string, m report.Measure, s report.Stat, from, to time.Time,
	by report.Dimension, only func(string) bool,
) {
	t.Helper()
	count, all := d.durations(m, from, to, by, only)
	require.Equal(t, count, s.Count, "%s %s count", where, m)
	sum := int64(0)
	for _, v := range all {
		sum += v
	}
	require.Equal(t, sum, s.Sum, "%s %s sum", where, m)
	if count > 0 {
		require.InDelta(t, float64(sum)/float64(count), s.Mean, 1e-3, "%s %s mean, in microseconds",
			where, m)
	}
	if !m.Timed() || count == 0 {
		return
	}
	require.Equal(t, []int64{all[0], all[len(all)-1]}, []int64{s.Min, s.Max}, "%s %s min, max",
		where, m)
	for i, got := range []float64{s.Median, s.P90, s.P95, s.P99} {
		off := 1e-9
		if s.Approximate {
			off = 0.01
		}
		want := quantile(all, []float64{.5, .9, .95, .99}[i])
		require.LessOrEqual(t, math.Abs(got-want), off*want, "%s %s: percentile %d is %f, not %f",
			where, m, i, got, want)
	}
	if m == report.FirstResponse {
		d.checkBands(t, where, s, all)
	}
}

// checkBands lets a band of sketches be off by those that are within 1 % of its limit.
func (d *desk) checkBands(t testing.TB, where string, s report.Stat, all []int64) {
	t.Helper()
	got := int64(0)
	for i, limit := range report.BandLimits {
		got += s.Bands[i]
		off := 1.
		if s.Approximate {
			off = 1.01
		}
		upTo := func(v float64) (n int64) {
			for n < int64(len(all)) && float64(all[n]) <= v {
				n++
			}
			return n
		}
		at := float64(limit.Microseconds())
		require.GreaterOrEqual(t, got, upTo(at/off), "%s band %d", where, i)
		require.LessOrEqual(t, got, upTo(at*off), "%s band %d", where, i)
	}
	require.Equal(t, int64(len(all)), got+s.Bands[len(s.Bands)-1], "%s bands", where)
}

// quantile is method 7 of Hyndman and Fan.
func quantile(sorted []int64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return float64(sorted[i])
	}
	return float64(sorted[i]) + (at-float64(i))*float64(sorted[i+1]-sorted[i])
}
