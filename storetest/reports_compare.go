package storetest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

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
		f.After = f.Cursor(page[len(page)-1])
	}
}

func (r *reports) active(workspace string) []convo.Conversation {
	closed := func(c convo.Conversation) bool { return !c.Status.Active() }
	return slices.DeleteFunc(r.all(workspace), closed)
}

// period is one with all that happened.
func (r *reports) period(workspace string) (from, to time.Time) {
	all := r.all(workspace)
	return all[len(all)-1].CreatedAt.Truncate(time.Hour).Add(-7 * time.Hour),
		r.clock.Now().Truncate(time.Hour).Add(5 * time.Hour)
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

// ownLogs are the events of the contacts themselves.
func (r *reports) ownLogs(workspace string) (all []convo.Event) {
	for k, err := range r.engine.AllContacts(r.ctx, convo.ContactFilter{Workspace: workspace}) {
		r.NoError(err)
		for _, e := range r.events(convo.EventFilter{Workspace: workspace, Contact: k.ID}) {
			if e.Conversation == uuid.Nil {
				all = append(all, e)
			}
		}
	}
	return all
}

// cycles are all cycles of a workspace, by its log.
func (r *reports) cycles(workspace string) (all []report.Cycle) {
	for _, c := range r.all(workspace) {
		var t convo.Snapshot
		y := report.Cycle{
			Workspace: workspace, Conversation: c.ID, Contact: c.Origin, Channel: c.Channel,
			Lane:      c.Lane,
			CreatedAt: c.CreatedAt, NewContact: c.NewContact, Status: convo.StatusClosed,
		}
		first := len(all)
		for _, e := range r.log(&c) {
			if e.Kind == convo.ConversationReopened {
				y.Cycle = t.Conversation.Cycle
				all = append(all, y)
			}
			if n := e.Rated().Cycle; n > 0 && n <= len(all)-first { // of one before
				rated(&all[first+n-1].Cycle, &e)
			}
			t = convo.Apply(t, e)
			if k := &t.Conversation; k.Status.Active() || e.Kind == convo.ConversationClosed {
				y.Channel, y.Lane = k.Channel, k.Lane // as they were when the cycle ended
			}
		}
		y.Status, y.Cycle = t.Conversation.Status, t.Conversation.Cycle
		all = append(all, y)
	}
	return all
}

// rated gives a cycle a rating.
func rated(y *convo.Cycle, e *convo.Event) {
	at := e.At
	if y.Rating != (convo.Rating{}) {
		at = y.Rating.At
	}
	y.Rating = convo.Rating{At: at, Score: e.Rated().Score, Comment: e.Rated().Comment}
}

// hasEveryMeasure fails unless each measure counts something, and each dimension has several
// values: else nothing would be proved of it.
func (r *reports) hasEveryMeasure(log facts) {
	for _, m := range report.Measures() {
		r.True(slices.ContainsFunc(log, func(f fact) bool { return f.measure == m }),
			"storetest plays nothing that %s counts: let it", m)
	}
	for _, d := range report.Dimensions() {
		r.NotEmpty(log.values(d), "storetest plays nothing that differs by %s: let it", d)
	}
}

// values are some values that a dimension has; none if there are not several.
func (log facts) values(d report.Dimension) []string {
	all := map[string]bool{}
	for i := range log {
		for _, v := range log[i].dimensions[d] {
			all[v] = true
		}
	}
	if len(all) < 2 {
		return nil
	}
	return slices.Sorted(maps.Keys(all))[:(len(all)+1)/2]
}

// groups are the measures, those together that may be asked for together; and each alone.
func groups() (together, alone [][]report.Measure) {
	by := map[report.Subject][]report.Measure{}
	for _, m := range report.Measures() {
		alone = append(alone, []report.Measure{m})
		if !m.Working() {
			by[m.Subject()] = append(by[m.Subject()], m)
		}
	}
	for _, b := range slices.Sorted(maps.Keys(by)) {
		together = append(together, by[b])
	}
	return together, alone
}

// boundaries are periods and series that begin and end anywhere.
func (r *reports) boundaries(workspace string) [][]time.Time {
	from, to := r.period(workspace)
	berlin, err := time.LoadLocation("Europe/Berlin")
	r.NoError(err)
	day := time.Date(2025, 3, 29, 0, 0, 0, 0, berlin) // the next one has 23 hours
	utc := time.Date(2025, 3, 29, 0, 0, 0, 0, time.UTC)
	days := func(first time.Time, each, n int) (all []time.Time) {
		for i := range n + 1 {
			all = append(all, first.AddDate(0, 0, each*i))
		}
		return all
	}
	kolkata := []time.Time{time.Date(2025, 3, 28, 18, 30, 0, 0, time.UTC)}
	for range 80 {
		kolkata = append(kolkata, kolkata[len(kolkata)-1].Add(time.Hour))
	}
	return [][]time.Time{
		{from, to},
		{from.Add(17*time.Minute + 3*time.Microsecond), to.Add(-31 * time.Hour)},
		days(day, 1, 4),
		{utc, utc.AddDate(0, 0, 1), utc.AddDate(0, 0, 11)},
		// Amid the slots that a store may keep sums of, with whole ones between.
		days(day, 3, 3),
		days(time.Date(2025, 3, 28, 18, 15, 0, 0, time.UTC), 2, 3), // midnights of Nepal
		kolkata,
	}
}

// filters are nothing, each dimension alone, and some together.
func (r *reports) filters(log facts) []report.Filter {
	all := []report.Filter{nil}
	for _, d := range report.Dimensions() {
		all = append(all, report.Filter{d: log.values(d)})
	}
	return append(all,
		report.Filter{report.Closer: {"ana", "Ana"}, report.Team: {"two"}},
		report.Filter{report.Channel: {"chat", ""}, report.Team: nil},
	)
}

// compareAll asks for everything in many ways.
//
// Of a store with rollups, which is asked three times, before, amid and after them, a short run
// asks a third each time, and another one.
func (r *reports) compareAll(workspace string) {
	_, rolls := r.reporter.(Roller)
	thirds := rolls && testing.Short()
	r.turn++
	n := r.turn
	log := r.facts(workspace)
	boundaries, filters := r.boundaries(workspace), r.filters(log)
	dimensions := append([]report.Dimension{""}, report.Dimensions()...)
	together, alone := groups()
	all := log
	for _, measures := range together {
		if len(r.only) > 0 && !slices.Contains(r.only, measures[0].Subject()) {
			continue
		}
		log := all.of(measures)
		for k, b := range boundaries {
			for i, f := range filters {
				for j, by := range dimensions {
					some := i == 0 || (i+j+k)%6 == 0 || k == 0 && (j == 0 || f[by] != nil)
					if !some || !fits(measures[0].Subject(), by, f) {
						continue
					}
					if n++; !thirds || n%3 == 0 {
						r.compare(report.Aggregation{
							Workspace: workspace, Measures: measures, Boundaries: b, GroupBy: by,
							Filter:    f,
							Quantiles: j%2 == 0,
						}, log)
						if f != nil && i%3 == 0 {
							r.compare(report.Aggregation{
								Workspace: workspace, Measures: measures, Boundaries: b,
								GroupBy: by, Exclude: f,
							}, log)
						}
					}
				}
			}
		}
	}
	for _, measures := range alone {
		if len(r.only) > 0 && !slices.Contains(r.only, measures[0].Subject()) {
			continue
		}
		log := all.of(measures)
		a := report.Aggregation{
			Workspace: workspace, Measures: measures, Boundaries: boundaries[0], Quantiles: true,
		}
		if measures[0].Working() {
			a.Calendar = halved{}
		}
		for _, by := range dimensions {
			if a.GroupBy = by; fits(measures[0].Subject(), by, nil) {
				r.compare(a, log)
			}
		}
	}
}

// fits reports whether what b is has a dimension, and those of a filter.
func fits(b report.Subject, by report.Dimension, f report.Filter) bool {
	for d := range f {
		if !d.Fits(b) {
			return false
		}
	}
	return by == "" || by.Fits(b) && !by.OnlyFilters()
}

// halved is a calendar in which every other microsecond is working time.
type halved struct{}

func (halved) Between(from, to time.Time) time.Duration { return to.Sub(from) / 2 }

func (halved) After(from time.Time, worked time.Duration) (time.Time, bool) {
	return from.Add(2 * worked), true
}

func (r *reports) compare(a report.Aggregation, log facts) {
	want := log.aggregate(&a)
	if sortCells(want); r.asked != nil {
		r.asked(&a, want)
	}
	got, err := r.reporter.Aggregate(r.ctx, a)
	r.NoError(err, "%+v", a)
	sortCells(got)
	r.Len(got, len(want), "%+v:\n%+v\ninstead of\n%+v", a, got, want)
	for i := range want {
		r.sameStat(&want[i].Stat, &got[i].Stat, a)
		if !a.Quantiles { // a store may tell them nevertheless
			want[i].Stat, got[i].Stat = report.Stat{}, report.Stat{}
		}
		r.Equal(want[i], got[i], "%+v", a)
	}
}

func sortCells(cells []report.Cell) {
	slices.SortFunc(cells, func(a, b report.Cell) int {
		return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), strings.Compare(a.Value, b.Value),
			cmp.Compare(a.Measure, b.Measure))
	})
}

// sameStat compares two, and makes them equal where got may be off a bit.
func (r *reports) sameStat(want, got *report.Stat, what any) {
	r.Equal([]int64{want.Count, want.Sum, want.Min, want.Max},
		[]int64{got.Count, got.Sum, got.Min, got.Max}, "%+v", what)
	near := 1e-9 // what rounding does
	if got.Approximate && !want.Approximate {
		near = .01
	}
	for _, p := range [][2]*float64{
		{&want.Median, &got.Median}, {&want.P90, &got.P90},
		{&want.P95, &got.P95}, {&want.P99, &got.P99},
	} {
		r.LessOrEqual(math.Abs(*p[0]-*p[1]), math.Abs(*p[0])*near,
			"a percentile: %v, not %v, in %+v", *p[1], *p[0], what)
		*p[1] = *p[0]
	}
	if near < .01 {
		return
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

// describe fills in what durations come to.
func describe(st *report.Stat, values []int64, quantiles, bands bool) {
	slices.Sort(values)
	st.Min, st.Max = values[0], values[len(values)-1]
	for _, v := range values {
		st.Sum += v
	}
	if st.Sum > 0 {
		st.Mean = float64(st.Sum) / float64(len(values))
	}
	if !quantiles {
		return
	}
	quantile := func(q float64) float64 {
		h := q * float64(len(values)-1)
		i := int(math.Floor(h))
		if i+1 == len(values) {
			return float64(values[i])
		}
		return float64(values[i]) + (h-float64(i))*float64(values[i+1]-values[i])
	}
	st.Median, st.P90, st.P95, st.P99 = quantile(.5), quantile(.9), quantile(.95), quantile(.99)
	if !bands {
		return
	}
	st.Bands = make([]int64, len(report.BandLimits)+1)
	for _, v := range values {
		i := 0
		for i < len(report.BandLimits) && v > report.BandLimits[i].Microseconds() {
			i++
		}
		st.Bands[i]++
	}
}
