package report

import (
	"context"
	"time"
)

const backlogDefinition = "conversations that were active when the period or the bucket ended; " +
	"of one that has not ended, right now. Others take a snapshot each night, which knows no " +
	"group that nobody had thought of."

// dawn is before everything that a store may hold.
var dawn = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)

// backlog is a report of what was active: all that entered, less all that left.
func backlog(
	ctx context.Context, s Store, p *plan, r *Report, groups map[string]Values,
) error {
	r.Definitions[Backlog] = Backlog.Definition()
	a := Aggregation{Workspace: r.Workspace, Filter: r.Filter, Exclude: r.Exclude}
	boundaries := []time.Time{r.To}
	if len(r.Series) > 0 {
		boundaries = p.boundaries
	}
	at, err := stock(ctx, s, a, boundaries...)
	if err != nil {
		return err
	}
	for i := range r.Series {
		r.Series[i].Values.active(at[i+1][""])
	}
	r.Total.active(at[len(at)-1][""])
	before, err := stock(ctx, s, a, r.PreviousTo)
	if err != nil {
		return err
	}
	r.Previous.active(before[0][""])
	if r.GroupBy == "" {
		return nil
	}
	a.GroupBy = r.GroupBy
	by, err := stock(ctx, s, a, r.To)
	if err != nil {
		return err
	}
	for value, n := range by[0] {
		if n != 0 {
			groups[value] = Values{}
			groups[value].active(n)
		}
	}
	return nil
}

func (v Values) active(n int64) {
	if n != 0 {
		v[Backlog] = Stat{Count: n}
	}
}

// stock is how many are active at each of some times, by value.
func stock(
	ctx context.Context, s Store, a Aggregation, times ...time.Time,
) ([]map[string]int64, error) {
	at := make([]map[string]int64, len(times))
	for i := range at {
		at[i] = map[string]int64{}
	}
	// What was before is asked for alone: it comes from the widest slots of rollups, however the
	// buckets are.
	for first, boundaries := range [][]time.Time{{dawn, times[0]}, times} {
		for m, sign := range map[Measure]int64{Entered: 1, Left: -1} {
			if len(boundaries) < 2 {
				continue
			}
			a.Measures, a.Boundaries = []Measure{m}, boundaries
			cells, err := s.Aggregate(ctx, a)
			if err != nil {
				return nil, err
			}
			for _, c := range cells {
				at[first+c.Bucket][c.Value] += sign * c.Stat.Count
			}
		}
	}
	for i := 1; i < len(at); i++ {
		for value, n := range at[i-1] {
			at[i][value] += n
		}
	}
	return at, nil
}
