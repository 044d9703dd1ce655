package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// Kind is what a report is about.
type Kind string

// The kinds of report. For what is happening right now, see [Dashboard].
const (
	Conversations Kind = "conversations" // opened, reopened and closed
	Responses     Kind = "responses"     // how long until a user replied
	Resolutions   Kind = "resolutions"   // how long until closed
	Messages      Kind = "messages"      // messages by who sent them
	Contacts      Kind = "contacts"      // openings of new and of returning contacts
	Assignments   Kind = "assignments"   // how long until assigned to a user
	Users         Kind = "users"         // one row per user, of all measures that name one
	Leaderboard   Kind = "leaderboard"   // the first so many users or teams by one measure
)

// Query is what to report. The zero values of optional fields are their defaults.
type Query struct {
	Kind      Kind   `json:"kind"`
	Workspace string `json:"workspace"`
	// From (inclusive) and To (exclusive) are the period. The period before it, of the same length, is reported beside it; of
	// whole days, weeks, months and so on in Zone, it has as many of them.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Compare is where the period to compare with begins, if not right before; it is as long. Optional.
	CompareFrom time.Time `json:"compare_from,omitzero"`
	// Zone is the IANA time zone of the buckets. Default: UTC.
	Zone string `json:"zone,omitempty"`
	// Bucket is the width of a point of the series. Default: no series.
	Bucket Bucket `json:"bucket,omitempty"`
	// WeekStart is the first day of a week. Default: Monday.
	WeekStart Weekday `json:"week_start,omitempty"`
	// GroupBy asks for a row per value of it. Default: no groups, but users by user.
	GroupBy Dimension `json:"group_by,omitempty"`
	Filter  Filter    `json:"filter,omitzero"`
	// Measure and Top are of a leaderboard: what it is sorted by, and how many rows it has (default 10, at most MaxGroups).
	Measure Measure `json:"measure,omitempty"`
	Top     int     `json:"top,omitempty"`
	// Distinct also counts distinct conversations and contacts that were closed. It costs a look at every cycle of the period.
	CountDistinct bool `json:"count_distinct,omitempty"`
	// Calendar also measures durations in its working time. It costs a look at every cycle of the period. Optional.
	Calendar Calendar `json:"-"`
}

// Limits of a question; beyond them it is a *convo.ValidationError.
const (
	MaxYears   = 20
	MaxBuckets = 10_000
	MaxGroups  = 1_000
	MaxValues  = 100 // of one filter
)

// Where narrows a report down. Empty lists let everything through; given ones must all hold.
type Filter map[Dimension][]string

// Calendar knows working time. It must be safe for concurrent use.
type Calendar interface {
	// Between is the working time between two times, the first of which is not the later one.
	Between(from, to time.Time) time.Duration
}

// Answer is the answer to a question: plain data.
type Report struct {
	Query
	// PreviousFrom and PreviousTo are the period that is compared with.
	PreviousFrom time.Time `json:"previous_from"`
	PreviousTo   time.Time `json:"previous_to"`
	// Definitions say what each measure in the answer means.
	Definitions map[Measure]string `json:"definitions"`
	Total       Values             `json:"total"`
	Previous    Values             `json:"previous"`
	Series      []Point            `json:"series,omitempty"` // every bucket of the period, also empty ones
	Groups      []Group            `json:"groups,omitempty"` // sorted by value; a leaderboard by its measure
}

// Figures are the values of the measures that a report has; one that is not there is zero.
type Values map[Measure]Stat

// Point is one bucket of a series. The first and the last one may be cut off by the period.
type Point struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Values Values    `json:"values"`
}

// Group is all that has one value of a dimension. The value is empty where there is none, as in: not assigned.
type Group struct {
	Value  string `json:"value"`
	Values Values `json:"values"`
}

// Stat is what is known of a measure. All but Count are of durations, in microseconds; zero where there is none. Of the measures
// that only count, all others are zero.
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
	// Approximate says that percentiles and bands are from sketches: a percentile is at most 1 % off, and so is the limit of a band.
	// Everything else is exact.
	Approximate bool `json:"approximate,omitempty"`
	// Bands are how many are at most so long, of first responses; see BandLimits. The last one is the rest.
	Bands []int64 `json:"bands,omitempty"`
}

// BandLimits are the upper limits of the bands of first response time.
var BandLimits = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// Store is what a store answers for reports. The stores of this module implement it, and storetest.RunReports proves one.
type Store interface {
	// Cells returns what q asks for, a cell for each bucket, value and measure that has anything, in any order.
	Aggregate(ctx context.Context, q Aggregation) ([]Cell, error)
	// Cycles calls f for each cycle that was opened in the period, ordered by opening, conversation and number, until f fails. A
	// database keeps no more than a page of them in memory.
	Cycles(ctx context.Context, workspace string, from, to time.Time, f func(*Cycle) error) error
	// Active returns how the active conversations are spread over statuses and assignees.
	Active(ctx context.Context, workspace string) ([]ActiveCount, error)
}

// Query is what a store is asked for.
type Aggregation struct {
	Workspace  string
	Measures   []Measure   // of one Basis
	Boundaries []time.Time // ascending; bucket i is from Borders[i] to Borders[i+1]
	GroupBy    Dimension   // optional
	Filter     Filter
	Quantiles  bool     // whether percentiles and bands are wanted
	Calendar   Calendar // optional
}

// Cell is one figure in an answer of a store.
type Cell struct {
	Bucket  int
	Value   string // of Query.By
	Measure Measure
	Stat    Stat
}

// Ask answers a question from s. Bad questions are *convo.ValidationError.
func Run(ctx context.Context, s Store, q Query) (*Report, error) {
	p, err := planOf(&q)
	if err != nil {
		return nil, err
	}
	a := &Report{Query: q, Definitions: map[Measure]string{}, Total: Values{}, Previous: Values{}}
	a.From, a.To, a.PreviousFrom, a.PreviousTo = q.From.UTC(), q.To.UTC(), p.before[0].UTC(), p.before[1].UTC()
	for i := range len(p.borders) - 1 {
		a.Series = append(a.Series, Point{p.borders[i], p.borders[i+1], Values{}})
	}
	groups := map[string]Values{}
	for _, part := range p.parts {
		for _, m := range part.measures {
			a.Definitions[m] = measures[m].definition
		}
		if err := p.ask(ctx, s, part, a, groups); err != nil {
			return nil, err
		}
	}
	for value, f := range groups {
		a.Groups = append(a.Groups, Group{value, f})
	}
	slices.SortFunc(a.Groups, func(x, y Group) int { return compareGroups(p.sortBy, &x, &y) })
	if q.Kind == Leaderboard {
		a.Groups = slices.DeleteFunc(a.Groups, func(g Group) bool { return g.Value == "" || g.Values[q.Measure].Count == 0 })
		a.Groups = a.Groups[:min(len(a.Groups), q.Top)]
	}
	return a, nil
}

// ask asks for one part: the period and the one before, the series, and the groups.
func (p *plan) ask(ctx context.Context, s Store, part part, a *Report, groups map[string]Values) error {
	q := Aggregation{
		Workspace: a.Workspace, Measures: part.measures, Filter: a.Filter, Quantiles: true, Calendar: a.Calendar,
	}
	// What is only counted adds up over the series.
	counted := len(a.Series) > 0 && !slices.ContainsFunc(part.measures, func(m Measure) bool { return m.Timed() || m.Distinct() })
	for i, period := range [...][]time.Time{{a.From, a.To}, {a.PreviousFrom, a.PreviousTo}} {
		if i == 0 && counted {
			continue
		}
		q.Boundaries = period
		cells, err := s.Aggregate(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range cells {
			[]Values{a.Total, a.Previous}[i][c.Measure] = c.Stat
		}
	}
	if len(a.Series) > 0 {
		q.Boundaries = p.borders
		cells, err := s.Aggregate(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range cells {
			a.Series[c.Bucket].Values[c.Measure] = c.Stat
			if counted {
				a.Total[c.Measure] = a.Total[c.Measure].plus(c.Stat)
			}
		}
	}
	if part.by == "" {
		return nil
	}
	q.Boundaries, q.GroupBy = []time.Time{a.From, a.To}, part.by
	cells, err := s.Aggregate(ctx, q)
	if err != nil {
		return err
	}
	for _, c := range cells {
		if groups[c.Value] == nil {
			if len(groups) == MaxGroups {
				return invalid("group_by", fmt.Sprintf("%s has more than %d values in the period: filter, or ask for a shorter one",
					part.by, MaxGroups))
			}
			groups[c.Value] = Values{}
		}
		groups[c.Value][c.Measure] = c.Stat
	}
	return nil
}

// plus adds what is counted, and how long it took together.
func (s Stat) plus(t Stat) Stat {
	sum := Stat{Count: s.Count + t.Count, Sum: s.Sum + t.Sum}
	if sum.Sum > 0 {
		sum.Mean = float64(sum.Sum) / float64(sum.Count)
	}
	return sum
}

// MarshalJSON adds ReopenRate of the total.
func (a *Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal(struct {
		*plain
		ReopenRate float64 `json:"reopen_rate"`
	}{(*plain)(a), a.Total.ReopenRate()})
}

// ReopenRate is reopened ÷ closed; 0 where nothing was closed.
func (f Values) ReopenRate() float64 {
	if closed := f[Closed].Count; closed > 0 {
		return float64(f[Reopened].Count) / float64(closed)
	}
	return 0
}

// ActiveCount is how many active conversations have a status and an assignee.
type ActiveCount struct {
	Status       convo.Status `json:"status"`
	Assignee     string       `json:"assignee,omitempty"`
	Count        int64        `json:"count"`
	WaitingSince time.Time    `json:"waiting_since,omitzero"` // the longest waiting of them; zero: no contact waits
}

// Live is how things stand right now.
type LiveCounts struct {
	Workspace    string        `json:"workspace"`
	Open         int64         `json:"open"`
	Pending      int64         `json:"pending"`
	Unassigned   int64         `json:"unassigned"`
	WaitingSince time.Time     `json:"waiting_since,omitzero"` // since when the longest waiting contact has had no reply
	Assignees    []ActiveCount `json:"assignees,omitempty"`    // by status and assignee
}

// Dashboard tells how things stand right now in a workspace.
func Dashboard(ctx context.Context, s Store, workspace string) (*LiveCounts, error) {
	if err := (convo.Filter{Workspace: workspace}).Validate(); err != nil {
		return nil, err
	}
	counts, err := s.Active(ctx, workspace)
	if err != nil {
		return nil, err
	}
	l := &LiveCounts{Workspace: workspace, Assignees: counts}
	slices.SortFunc(counts, compareActive)
	for _, c := range counts {
		switch c.Status {
		case convo.StatusOpen:
			l.Open += c.Count
		case convo.StatusPending:
			l.Pending += c.Count
		}
		if c.Assignee == "" {
			l.Unassigned += c.Count
		}
		if !c.WaitingSince.IsZero() && (l.WaitingSince.IsZero() || c.WaitingSince.Before(l.WaitingSince)) {
			l.WaitingSince = c.WaitingSince
		}
	}
	return l, nil
}
