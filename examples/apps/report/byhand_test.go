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
	facts   map[report.Measure][]fact
	tickets []ticket // as they are at the end, one of each contact
}

// fact is one thing that a measure counts. Times are in microseconds.
type fact struct {
	at, took int64
	contact  string
	is       map[report.Dimension]string // what the measure does not have is not there
}

// ticket is the conversation of a contact. Times that are 0 are never.
type ticket struct {
	contact, status, turn                                  string
	cycle, replies                                         int
	created, opened, since, had, turnSince, waiting        int64 // since when it is so
	pending                                                int64 // how long, of the cycle
	assignee, firstAssignee, lastAssignee, replier, closer string
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
	d := &desk{facts: map[report.Measure][]fact{}}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		slices.SortStableFunc(entries[name], func(a, b entry) int { return int(a.at - b.at) })
		k := ticket{contact: name}
		for _, e := range entries[name] {
			if k.status == "closed" && e.activity == "Closed" {
				continue
			}
			d.wake(&k, e)
			d.do(&k, e)
		}
		d.tickets = append(d.tickets, k)
	}
	return d
}

// dims is what k is, and pairs of what else is known.
func (k *ticket) dims(more ...string) map[report.Dimension]string {
	is := map[report.Dimension]string{report.Assignee: k.assignee, report.Status: k.status,
		report.ContactType: "returning"}
	if k.cycle == 1 {
		is[report.ContactType] = "new"
	}
	for i := 0; i < len(more); i += 2 {
		is[report.Dimension(more[i])] = more[i+1]
	}
	return is
}

// add adds something that lasted since a time until now, or just happened.
func (d *desk) add(
	k *ticket, now, since int64, is map[report.Dimension]string, all ...report.Measure,
) {
	for _, m := range all {
		d.facts[m] = append(d.facts[m], fact{now, now - since, k.contact, is})
	}
}

// wake is what an entry does first: it opens what is not there, reopens what is closed, resumes
// what is pending.
func (d *desk) wake(k *ticket, e entry) {
	by, actor := e.user, "user"
	if e.activity == "Require upgrade" { // from the contact, as the test's mapping says
		by, actor = "", "contact"
	}
	switch {
	case k.status == "pending" && e.activity != "Wait":
		d.add(k, e.at, k.since, k.dims(), report.PendingTime)
		d.add(k, e.at, e.at, k.dims(), report.Left)
		k.pending += e.at - k.since
		k.status, k.since = "open", e.at
		d.add(k, e.at, e.at, k.dims(), report.Entered)
	case k.status == "" || k.status == "closed":
		k.cycle++
		is := k.dims("opener", by, "closer", k.closer, "actor_type", actor)
		delete(is, report.Status)
		d.add(k, e.at, e.at, is, report.Opened)
		if k.status == "" {
			d.add(k, e.at, e.at, is, report.OpenedNew, report.NewContacts)
			k.created = e.at
		} else {
			d.add(k, e.at, e.at, is, report.Reopened, report.Returning)
		}
		if k.assignee != "" { // who keeps it has it from the opening on
			d.add(k, e.at, e.at, k.dims("assigned_from", k.assignee, "assigned_by", by),
				report.Assignment)
			k.had = e.at
		}
		k.firstAssignee, k.lastAssignee, k.replier = k.assignee, k.assignee, ""
		k.status, k.opened, k.since = "open", e.at, e.at
		d.add(k, e.at, e.at, k.dims(), report.Entered)
		k.turn, k.turnSince, k.waiting, k.pending, k.replies = "nobody", e.at, 0, 0, 0
	}
}

// do is what an entry is about.
func (d *desk) do(k *ticket, e entry) {
	switch e.activity {
	case "Closed":
		d.close(k, e)
	case "Wait":
		if k.status == "open" {
			d.add(k, e.at, k.since, k.dims(), report.OpenTime)
			d.add(k, e.at, e.at, k.dims(), report.Left)
			k.status, k.since = "pending", e.at
			d.add(k, e.at, e.at, k.dims(), report.Entered)
		}
	case "Take in charge ticket":
		if e.user != k.assignee {
			d.assign(k, e)
		}
	case "Require upgrade":
		d.add(k, e.at, e.at, letter("", "contact"), report.Incoming)
		d.pass(k, "contact", e.at)
		if k.waiting == 0 {
			k.waiting = e.at
		}
	case "Resolve ticket": // to the contact
		d.add(k, e.at, e.at, letter(e.user, "user"), report.OutgoingUser)
		if k.waiting != 0 { // as no automation hands over, it waits for a person all the time
			is := k.dims("author", e.user, "actor_type", "user")
			d.add(k, e.at, k.waiting, is, report.Response, report.HandoverResponse)
			if k.replies == 0 {
				d.add(k, e.at, k.waiting, is, report.FirstResponse, report.HandoverFirstResponse)
				k.replier = e.user
			}
			k.replies, k.waiting = k.replies+1, 0
		}
		d.pass(k, "desk", e.at)
	}
}

// letter is what a message is.
func letter(author, actor string) map[report.Dimension]string {
	return map[report.Dimension]string{report.Author: author, report.ActorType: actor,
		report.ContactType: "new"} // each contact has one conversation
}

// pass ends whose turn it is, when it becomes somebody else's.
func (d *desk) pass(k *ticket, turn string, now int64) {
	if turn == k.turn {
		return
	}
	if turn == "" || k.turn != "nobody" || k.turnSince != now { // else nothing has ended
		d.add(k, now, k.turnSince, k.dims(), map[string]report.Measure{
			"nobody": report.IdleTime, "contact": report.ContactWaitingTime,
			"desk": report.AwaitingContactTime,
		}[k.turn])
	}
	k.turn, k.turnSince = turn, now
}

func (d *desk) assign(k *ticket, e entry) {
	is := k.dims("assignee", e.user, "assigned_from", k.assignee, "assigned_by", e.user)
	d.add(k, e.at, e.at, is, report.Assigned)
	if k.assignee != "" {
		d.add(k, e.at, e.at, is, report.Transfers)
		d.add(k, e.at, k.had, k.dims(), report.Handling)
	}
	if k.firstAssignee == "" {
		d.add(k, e.at, k.opened, is, report.Assignment)
		k.firstAssignee = e.user
	}
	d.add(k, e.at, e.at, k.dims(), report.Left)
	k.assignee, k.lastAssignee, k.had = e.user, e.user, e.at
	d.add(k, e.at, e.at, k.dims(), report.Entered)
}

func (d *desk) close(k *ticket, e entry) {
	d.pass(k, "", e.at)
	d.add(k, e.at, e.at, k.dims(), report.Left)
	d.add(k, e.at, k.since, k.dims(), report.OpenTime)
	if k.assignee != "" {
		d.add(k, e.at, k.had, k.dims(), report.Handling)
	}
	is := k.dims("closer", e.user, "actor_type", "user", "first_responder", k.replier,
		"first_assignee", k.firstAssignee, "last_assignee", k.lastAssignee)
	d.add(k, e.at, e.at, is, report.Closed, report.ClosedConversations, report.ClosedContacts)
	d.add(k, e.at, k.opened, is, report.Resolution)
	d.add(k, e.at, k.opened+k.pending, is, report.ActiveResolution)
	d.add(k, e.at, k.created, is, report.LastResolution)
	if k.cycle == 1 {
		d.add(k, e.at, k.opened, is, report.FirstResolution)
	}
	switch k.replies {
	case 0:
		d.add(k, e.at, e.at, is, report.Automated)
	case 1:
		d.add(k, e.at, e.at, is, report.OneTouch)
	}
	k.status, k.closer = "closed", e.user
}

// userOf is whom a report of users credits with a measure.
var userOf = map[report.Measure]report.Dimension{
	report.Closed: report.Closer, report.Resolution: report.Closer,
	report.FirstResponse: report.Author, report.Response: report.Author,
	report.OutgoingUser: report.Author,
	report.Assigned:     report.Assignee, report.Transfers: report.Assignee,
	report.Assignment: report.Assignee, report.Handling: report.Assignee,
}

// has reports whether a measure has a dimension.
func (d *desk) has(m report.Measure, by report.Dimension) bool {
	if m == report.Backlog {
		m = report.Entered
	}
	for _, f := range d.facts[m] {
		_, has := f.is[by]
		return has
	}
	return false
}

// durations are those of a measure in a part of the log, and how often it counts.
func (d *desk) durations(
	m report.Measure, from, to time.Time, lets func(*fact) bool,
) (count int64, all []int64) {
	if m == report.Backlog {
		dawn := time.UnixMicro(0)
		entered, _ := d.durations(report.Entered, dawn, to, lets)
		left, _ := d.durations(report.Left, dawn, to, lets)
		return entered - left, nil
	}
	since, until := from.UnixMicro(), to.UnixMicro()
	contacts := map[string]bool{}
	for i := range d.facts[m] {
		if f := &d.facts[m][i]; since <= f.at && f.at < until && lets(f) {
			all, contacts[f.contact] = append(all, f.took), true
		}
	}
	if m.CountsDistinct() {
		return int64(len(contacts)), nil
	}
	slices.Sort(all)
	return int64(len(all)), all
}

// check compares a figure with the log, for a part of it.
func (d *desk) check(
	t testing.TB, where string, m report.Measure, s report.Stat, from, to time.Time,
	lets func(*fact) bool,
) {
	t.Helper()
	count, all := d.durations(m, from, to, lets)
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
	d.checkBands(t, where, s, all)
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
