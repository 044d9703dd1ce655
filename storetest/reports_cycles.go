package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// cyclesCases are of exports.
var cyclesCases = []reportCase{
	{
		"Cycles/yields every cycle of a period once, in order",
		"an export has one row per cycle that was opened, or closed, in the period",
		yieldsCycles,
	},
	{
		"Cycles/loses none and doubles none that is closed meanwhile",
		"a cycle that is closed while it is exported is exported once",
		closesMeanwhile,
	},
	{
		"Cycles/refuses what is not a period by opening or closing",
		"what no store can pick is a *convo.ValidationError, not an empty export",
		func(r *reports) {
			now := r.clock.Now()
			for field, q := range map[string]report.CyclesQuery{
				"by": {From: now.Add(-time.Hour), To: now, By: 2},
				"to": {From: now, To: now.Add(999 * time.Nanosecond)},
			} {
				q.Workspace = acme
				err := r.reporter.Cycles(r.ctx, q, func(*report.Cycle) error { return nil })
				var invalid *convo.ValidationError
				r.ErrorAs(err, &invalid, "%+v", q)
				r.Equal(field, invalid.Field)
			}
		},
	},
}

// cycleTimes are the times by which cycles are exported; zero: not at all.
var cycleTimes = []struct {
	by report.TimeBasis
	at func(*report.Cycle) time.Time
}{
	{report.ByOpening, func(y *report.Cycle) time.Time { return y.OpenedAt }},
	{report.ByClosing, func(y *report.Cycle) time.Time { return y.Closing.At }},
}

// exported are the cycles that the store yields.
func (r *reports) exported(q report.CyclesQuery) (all []report.Cycle) {
	q.Workspace = acme
	r.NoError(r.reporter.Cycles(r.ctx, q, func(y *report.Cycle) error {
		all = append(all, *y)
		return nil
	}))
	return all
}

func yieldsCycles(r *reports) {
	r.play(acme, 11, 300)
	r.play("other", 2, 20)
	from, to := r.period(acme)
	all := r.cycles(acme)
	for _, c := range cycleTimes {
		by, at := c.by, c.at
		var sorted []report.Cycle
		for i := range all {
			if !at(&all[i]).IsZero() {
				sorted = append(sorted, all[i])
			}
		}
		slices.SortFunc(sorted, func(a, b report.Cycle) int {
			return cmp.Or(at(&a).Compare(at(&b)),
				bytes.Compare(a.Conversation[:], b.Conversation[:]),
				cmp.Compare(a.Number, b.Number))
		})
		r.Equal(by == report.ByOpening, len(sorted) == len(all), "some run")
		for _, limit := range []int{0, 40, 1000} {
			if limit > 0 {
				r.rollup(limit)
			}
			r.Equal(sorted, r.exported(report.CyclesQuery{From: from, To: to, By: by}))
		}
		r.Equal(sorted, r.exported(report.CyclesQuery{To: to, By: by}), "since ever")
		// a period that begins and ends with a cycle, each somewhere within its microsecond
		first, last := at(&sorted[len(sorted)/3]), at(&sorted[len(sorted)/2])
		var want []report.Cycle
		for _, y := range sorted {
			if !at(&y).Before(first) && at(&y).Before(last) {
				want = append(want, y)
			}
		}
		r.NotEmpty(want)
		r.Equal(want, r.exported(report.CyclesQuery{
			From: first.Add(999 * time.Nanosecond), To: last.Add(999 * time.Nanosecond), By: by,
		}))
		enough := errors.New("enough")
		r.ErrorIs(r.reporter.Cycles(r.ctx,
			report.CyclesQuery{Workspace: acme, From: from, To: to, By: by},
			func(*report.Cycle) error { return enough }), enough)
	}
}

// closesMeanwhile has more closed cycles than a page holds, between some that run; those are closed
// when the first one is exported.
func closesMeanwhile(r *reports) {
	const some = 10
	from := r.clock.Now()
	var running []convo.Ref
	open := func(n int) {
		for range n {
			to := convo.ToContact(acme, fmt.Sprint("running ", len(running)))
			r.do(to, convo.Open{By: ana})
			r.clock.add(time.Second)
			running = append(running, to)
		}
	}
	open(some)
	r.clock.add(time.Minute)
	var past []convo.History
	closed := map[uuid.UUID]bool{}
	for i := range convo.MaxPageSize + some {
		r.clock.add(time.Second)
		past = append(past, convo.History{
			Key: fmt.Sprint(i), To: convo.Ref{Contact: fmt.Sprint("past ", i%40)},
			Commands: []convo.Command{
				// many at once, so that a page ends amid them
				convo.Open{At: r.clock.Now().Truncate(time.Minute), By: ana},
				convo.Close{At: r.clock.Now().Truncate(time.Minute), By: ana},
			},
		})
	}
	_, err := r.engine.Import(r.ctx, acme, each(past...), func(so convo.ImportResult) {
		for _, h := range so.Batch {
			closed[h.Conversation] = true
		}
	})
	r.NoError(err)
	r.Equal(len(past), len(closed))
	r.clock.add(time.Minute)
	open(some)
	to := r.clock.Now().Add(time.Hour)

	export := func(by report.TimeBasis, first func()) map[uuid.UUID]int {
		seen := map[uuid.UUID]int{}
		q := report.CyclesQuery{Workspace: acme, From: from, To: to, By: by}
		r.NoError(r.reporter.Cycles(r.ctx, q, func(y *report.Cycle) error {
			if len(seen) == 0 {
				first()
			}
			seen[y.Conversation]++
			return nil
		}))
		for id, n := range seen {
			r.Equal(1, n, "%s by %d", id, by)
		}
		return seen
	}
	closeSome := func() {
		for _, to := range running[:2*some] {
			r.do(to, convo.Close{By: ana})
			r.clock.add(time.Second)
		}
		running = running[2*some:]
	}
	r.Equal(len(closed)+2*some, len(export(report.ByOpening, closeSome)), "running ones are lost")
	open(2 * some)
	seen := export(report.ByClosing, closeSome)
	for id := range closed {
		r.Equal(1, seen[id], "%s was closed before", id)
	}
	for _, by := range []report.TimeBasis{report.ByOpening, report.ByClosing} {
		r.Equal(len(closed)+4*some, len(export(by, func() {})), "by %d", by)
	}
	r.workspaces = nil // the invariants of so many take a server seconds
}
