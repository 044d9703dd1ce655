package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

// fakeReporter is a store whose aggregations are wrong.
type fakeReporter struct {
	*memstore.Store
	ask    func(*report.Aggregation)
	answer func(*report.Cell)
}

func (f fakeReporter) Aggregate(ctx context.Context, a report.Aggregation) ([]report.Cell, error) {
	if f.ask != nil {
		f.ask(&a)
	}
	cells, err := f.Store.Aggregate(ctx, a)
	for i := range cells {
		if f.answer != nil {
			f.answer(&cells[i])
		}
	}
	return cells, err
}

// killsReporter reports whether the suite fails on a store with wrong aggregations.
func killsReporter(t *testing.T, f fakeReporter, about ...report.Subject) bool {
	t.Helper()
	f.Store = memstore.New()
	r := &recorder{ctx: t.Context()}
	done := make(chan struct{})
	go func() { // which ends at the first failure
		defer close(done)
		reportCases[0].on(r, f, about...)
	}()
	<-done
	return r.failed
}

// So whatever is declared later is proved too: a store that has not heard of it counts otherwise.
func TestRunReportsFailsOnAStoreThatMeasuresAnythingElse(t *testing.T) {
	for _, m := range report.Measures() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			assert.True(t, killsReporter(t, fakeReporter{answer: func(c *report.Cell) {
				if c.Measure == m {
					c.Stat.Count++
				}
			}}, m.Subject()), "it counts one more")
			if !m.Timed() {
				return
			}
			assert.True(t, killsReporter(t, fakeReporter{answer: func(c *report.Cell) {
				if c.Measure == m {
					c.Stat.Sum++
				}
			}}, m.Subject()), "it takes a microsecond longer")
		})
	}
}

func TestRunReportsFailsOnAStoreThatIgnoresAnyDimension(t *testing.T) {
	for _, d := range report.Dimensions() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			assert.True(t, d.OnlyFilters() ||
				killsReporter(t, fakeReporter{ask: func(a *report.Aggregation) {
					if a.GroupBy == d {
						a.GroupBy = ""
					}
				}}, subjectsWith(d)...), "of groups")
			assert.True(t, killsReporter(t, fakeReporter{ask: func(a *report.Aggregation) {
				if a.Filter[d] != nil {
					a.Filter = nil
				}
			}}, subjectsWith(d)...), "of filters")
		})
	}
}

// subjectsWith are the subjects that have a dimension.
func subjectsWith(d report.Dimension) (all []report.Subject) {
	for s := range report.OfRatings + 1 {
		if d.Fits(s) {
			all = append(all, s)
		}
	}
	return all
}
