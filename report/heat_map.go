package report

import (
	"context"
	"time"
)

// HeatMap is what measures come to by weekday, from Monday on, and hour of the day, from 0 on, of
// the local time of a query. Percentiles, bands and distinct counts are left out: those of hours do
// not add up.
type HeatMap [7][24]Values

// heatMap adds one part to the heat map of a report.
func (p *plan) heatMap(ctx context.Context, s Store, a Aggregation, r *Report) error {
	if a.Measures[0].CountsDistinct() {
		return nil
	}
	a.Boundaries, a.Quantiles = p.hours, false
	cells, err := s.Aggregate(ctx, a)
	if err != nil {
		return err
	}
	for _, c := range cells {
		began := p.hours[c.Bucket].In(p.zone)
		hour := &r.HeatMap[weekdayOf(began)][began.Hour()]
		if *hour == nil {
			*hour = Values{}
		}
		(*hour)[c.Measure] = (*hour)[c.Measure].plus(c.Stat)
	}
	return nil
}

func weekdayOf(t time.Time) Weekday { return Weekday((int(t.Weekday()) + 6) % 7) }
