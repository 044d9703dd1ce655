package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Report is what a query comes to: plain data.
type Report struct {
	Query // with its defaults filled in
	// PreviousFrom and PreviousTo are the period that is compared with.
	PreviousFrom time.Time `json:"previous_from"`
	PreviousTo   time.Time `json:"previous_to"`
	// Definitions say what each measure in the report means.
	Definitions map[Measure]string `json:"definitions"`
	Total       Values             `json:"total"`
	Previous    Values             `json:"previous"`
	// Series has every bucket of the period, also empty ones; nil without Query.Bucket.
	Series  []Point  `json:"series,omitempty"`
	HeatMap *HeatMap `json:"heat_map,omitempty"` // nil without Query.HeatMap
	// Groups are sorted by value, those of a leaderboard by its measure.
	Groups []Group `json:"groups,omitempty"`
	// GroupsLeft is how many more there are: behind the Top of a leaderboard, or behind the first
	// MaxGroups of a report of users, of whom a filter picks some, and a leaderboard the first ones
	// by a measure.
	GroupsLeft int `json:"groups_left,omitempty"`
}

// Values are what the measures of a report come to; one that is not there is zero.
type Values map[Measure]Stat

// Point is one bucket of a series. The first and the last one may be cut off by the period.
type Point struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Values Values    `json:"values"`
}

// Group is all that has one value of a dimension. The value is empty where there is none, as in:
// not assigned.
type Group struct {
	Value  string `json:"value"`
	Values Values `json:"values"`
}

// Stat is what a measure comes to. All but Count are of durations, in microseconds, or of scores,
// in the policy's Ratings; zero where there is none. Of a measure that only counts, all others are
// zero.
type Stat struct {
	Count  int64   `json:"count"`
	Sum    int64   `json:"sum,omitempty"`
	Mean   float64 `json:"mean,omitempty"`
	Min    int64   `json:"min,omitempty"`
	Max    int64   `json:"max,omitempty"`
	Median float64 `json:"median,omitempty"`
	P90    float64 `json:"p90,omitempty"`
	P95    float64 `json:"p95,omitempty"`
	P99    float64 `json:"p99,omitempty"`
	// Approximate says that percentiles and bands are from sketches: a percentile is at most 1 %
	// off, and so is the limit of a band. Everything else is exact.
	Approximate bool `json:"approximate,omitempty"`
	// Bands are how many durations are above the limit before and up to this one of BandLimits. The
	// last band is the rest.
	Bands []int64 `json:"bands,omitempty"`
}

// BandLimits are the upper limits of the bands of durations.
var BandLimits = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour,
	7 * 24 * time.Hour,
}

// Run reports what q asks for from s, all of it as of one moment: total, series and groups add up
// while others write (but for distinct counts, percentiles, and groups by label). A query that
// cannot be answered is a *convo.ValidationError; errors of the store are returned as they are.
func Run(ctx context.Context, s Store, q Query) (*Report, error) {
	p, err := planOf(&q)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Query: q, Definitions: map[Measure]string{}, Total: Values{}, Previous: Values{},
		PreviousFrom: p.before[0].UTC(), PreviousTo: p.before[1].UTC(),
	}
	r.From, r.To = q.From.UTC(), q.To.UTC()
	for i := range len(p.boundaries) - 1 {
		r.Series = append(r.Series, Point{p.boundaries[i], p.boundaries[i+1], Values{}})
	}
	if q.HeatMap {
		r.HeatMap = &HeatMap{}
	}
	groups := map[string]Values{}
	err = s.AtOneMoment(ctx, func(ctx context.Context) error {
		if p.backlog {
			return backlog(ctx, s, p, r, groups)
		}
		for _, part := range p.parts {
			for _, m := range part.measures {
				r.Definitions[m] = m.Definition()
			}
			if err := p.run(ctx, s, part, r, groups); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for value, v := range groups {
		r.Groups = append(r.Groups, Group{value, v})
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		if q.GroupBy == Score {
			return compareScores(a.Value, b.Value)
		}
		return compareGroups(p.sortBy, &a, &b)
	})
	most := MaxGroups
	switch {
	case q.Kind == Leaderboard:
		most = q.Top
		r.Groups = slices.DeleteFunc(r.Groups, func(g Group) bool {
			return g.Value == "" || g.Values[q.Measure].Count == 0
		})
	case q.Kind != Users && len(groups) > MaxGroups:
		return nil, invalid("group_by", fmt.Sprintf("%s has %d values in the period, "+
			"more than %d: filter, ask for a shorter one, or, of users, for a leaderboard",
			q.GroupBy, len(groups), MaxGroups))
	}
	r.GroupsLeft = max(0, len(r.Groups)-most)
	r.Groups = r.Groups[:len(r.Groups)-r.GroupsLeft]
	return r, nil
}

// run adds one part to a report: the period and the one before, the series, and the groups.
func (p *plan) run(
	ctx context.Context, s Store, part part, r *Report, groups map[string]Values,
) error {
	a := Aggregation{
		Workspace: r.Workspace, Measures: part.measures, Filter: r.Filter, Exclude: r.Exclude,
		Quantiles: true,
		Calendar:  r.Calendar,
	}
	// What is only counted adds up over the series.
	counted := len(r.Series) > 0 && !slices.ContainsFunc(part.measures, func(m Measure) bool {
		return m.Valued() || m.CountsDistinct()
	})
	if !counted {
		if err := p.total(ctx, s, a, r.From, r.To, r.Total); err != nil {
			return err
		}
	}
	if err := p.total(ctx, s, a, r.PreviousFrom, r.PreviousTo, r.Previous); err != nil {
		return err
	}
	if len(r.Series) > 0 {
		a.Boundaries = p.boundaries
		cells, err := s.Aggregate(ctx, a)
		if err != nil {
			return err
		}
		for _, c := range cells {
			r.Series[c.Bucket].Values[c.Measure] = c.Stat
			if counted {
				r.Total[c.Measure] = r.Total[c.Measure].plus(c.Stat)
			}
		}
	}
	if r.HeatMap != nil {
		if err := p.heatMap(ctx, s, a, r); err != nil {
			return err
		}
	}
	if part.by == "" {
		return nil
	}
	a.Boundaries, a.GroupBy = []time.Time{r.From, r.To}, part.by
	cells, err := s.Aggregate(ctx, a)
	if err != nil {
		return err
	}
	for _, c := range cells {
		if groups[c.Value] == nil {
			groups[c.Value] = Values{}
		}
		groups[c.Value][c.Measure] = c.Stat
	}
	return nil
}

// total adds what a whole period comes to.
func (p *plan) total(
	ctx context.Context, s Store, a Aggregation, from, to time.Time, into Values,
) error {
	a.Boundaries = []time.Time{from, to}
	cells, err := s.Aggregate(ctx, a)
	if err != nil {
		return err
	}
	for _, c := range cells {
		into[c.Measure] = c.Stat
	}
	return nil
}

// plus adds what is counted, and how long it took together; at least and at most.
func (s Stat) plus(t Stat) Stat {
	sum := Stat{Count: s.Count + t.Count, Sum: s.Sum + t.Sum, Min: t.Min, Max: t.Max}
	if s.Count != 0 {
		sum.Min, sum.Max = min(s.Min, t.Min), max(s.Max, t.Max)
	}
	if sum.Sum > 0 {
		sum.Mean = float64(sum.Sum) / float64(sum.Count)
	}
	return sum
}

// compareGroups orders groups by a measure, the most first, or the quickest, or the highest scores;
// then by value.
func compareGroups(by Measure, a, b *Group) int {
	if by != "" {
		x, y := a.Values[by], b.Values[by]
		order := cmp.Compare(y.Count, x.Count)
		switch {
		case by.Timed():
			order = cmp.Compare(x.Mean, y.Mean)
		case by.Scored():
			order = cmp.Or(cmp.Compare(y.Mean, x.Mean), order)
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(a.Value, b.Value)
}

// MarshalJSON adds reopen_rate, met_rate and rated_share, which are ReopenRate, MetRate and
// RatedShare of the total.
func (r *Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal(struct {
		*plain
		ReopenRate float64 `json:"reopen_rate"`
		MetRate    float64 `json:"met_rate"`
		RatedShare float64 `json:"rated_share"`
	}{(*plain)(r), r.Total.ReopenRate(), r.Total.MetRate(), r.Total.RatedShare()})
}

// ReopenRate is reopened ÷ closed; 0 where nothing was closed.
func (v Values) ReopenRate() float64 {
	if closed := v[Closed].Count; closed > 0 {
		return float64(v[Reopened].Count) / float64(closed)
	}
	return 0
}
