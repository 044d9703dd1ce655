package report

import (
	"math"
	"slices"
	"sort"
	"time"

	"golang.org/x/exp/stats"
)

// Collector puts the cells of a query together. It is for stores; not safe for concurrent use.
type Collector struct {
	q         Aggregation
	borders   []int64 // microseconds
	cells     map[cellKey]*collected
	newSketch func() Sketch
	sketch    Sketch // of one cell after the other
	last      int    // the bucket that was found last
	overflow  bool
}

type cellKey struct {
	bucket  int
	value   string
	measure Measure
}

type collected struct {
	Stat
	values   []int64
	sketch   Sketch // instead of values, when they are very many
	merged   [][]byte
	distinct map[string]struct{}
}

// Sketch estimates quantiles of what it was given since it was reset. Quantiles of few values are interpolated as those of
// golang.org/x/exp/stats are.
type Sketch interface {
	Reset()
	Record(value int64)
	Merge(encoded []byte) error
	Quantile(q float64) float64
	// UpTo is how many values are at most so large.
	CountUpTo(value int64) int64
}

// NewCollector returns a Collector for q. newSketch makes sketches for what is merged, and for cells with very many values, so that
// those need little memory; nil: there is nothing to merge, and all is exact.
func NewCollector(q Aggregation, newSketch func() Sketch) *Collector {
	c := &Collector{q: q, cells: map[cellKey]*collected{}, newSketch: newSketch}
	for _, b := range q.Boundaries {
		c.borders = append(c.borders, b.UnixMicro())
	}
	return c
}

// mostExact is how many values of a cell are kept and sorted where there are sketches.
const mostExact = 100_000

// Cycle adds what the measures of the query are in a cycle.
func (c *Collector) AddCycle(y *Cycle) {
	at := c.q.Measures[0].TimeBasis().At(y)
	if at.IsZero() || c.bucket(at.UnixMicro()) < 0 {
		return
	}
	for d, values := range c.q.Filter {
		if len(values) > 0 && !slices.Contains(values, d.Of(y)) {
			return
		}
	}
	value := ""
	if c.q.GroupBy != "" {
		value = c.q.GroupBy.Of(y)
	}
	for _, name := range c.q.Measures {
		m := measures[name]
		switch {
		case m.distinct != nil:
			c.AddDistinct(name, at.UnixMicro(), value, m.distinct(y))
		case m.of != nil:
			if count, sum := m.of(y); count > 0 {
				c.Add(name, at.UnixMicro(), value, Stat{Count: count, Sum: sum, Min: sum, Max: sum})
			}
			if m.working == "" || c.q.Calendar == nil || !slices.Contains(c.q.Measures, m.working) {
				continue
			}
			if from, to := m.span(y); !to.IsZero() {
				w := int64(0)
				if from.Before(to) {
					w = c.q.Calendar.Between(from, to).Microseconds()
				}
				c.Add(m.working, at.UnixMicro(), value, Stat{Count: 1, Sum: w, Min: w, Max: w})
			}
		}
	}
}

// Message adds a message.
func (c *Collector) AddMessage(m Measure, at time.Time, value string) {
	c.Add(m, at.UnixMicro(), value, Stat{Count: 1})
}

// Add adds count, sum, min and max of s, at a time in microseconds; what is in no bucket is left out. A single duration is also
// kept for the percentiles; several go with Merge.
func (c *Collector) Add(m Measure, at int64, value string, s Stat) {
	cell := c.cell(m, at, value)
	if cell == nil {
		return
	}
	c.sum(cell, &s)
	if s.Count == 1 && c.q.Quantiles && measures[m].timed {
		c.record(cell, s.Sum)
	}
}

func (c *Collector) record(cell *collected, value int64) {
	if cell.sketch != nil {
		cell.sketch.Record(value)
		return
	}
	cell.values = append(cell.values, value)
	if c.newSketch == nil || len(cell.values) <= mostExact {
		return
	}
	cell.sketch = c.newSketch()
	for _, v := range cell.values {
		cell.sketch.Record(v)
	}
	cell.values = nil
}

// Merge adds a stat of several durations, and their encoded sketch.
func (c *Collector) Merge(m Measure, at int64, value string, s Stat, encoded []byte) {
	cell := c.cell(m, at, value)
	if cell == nil {
		return
	}
	c.sum(cell, &s)
	if c.q.Quantiles && measures[m].timed {
		cell.merged = append(cell.merged, encoded)
	}
}

// Distinct adds something to a measure that counts different things.
func (c *Collector) AddDistinct(m Measure, at int64, value, thing string) {
	if cell := c.cell(m, at, value); cell != nil {
		if cell.distinct == nil {
			cell.distinct = map[string]struct{}{}
		}
		cell.distinct[thing] = struct{}{}
	}
}

func (c *Collector) sum(cell *collected, s *Stat) {
	if cell.Count == 0 || s.Min < cell.Min {
		cell.Min = s.Min
	}
	cell.Max = max(cell.Max, s.Max)
	cell.Count += s.Count
	if s.Sum > math.MaxInt64-cell.Sum {
		c.overflow = true
	}
	cell.Sum += s.Sum
}

// bucket is the one with a time, or -1. Times mostly come in order, or close to it.
func (c *Collector) bucket(at int64) int {
	n := len(c.borders) - 1
	if i := c.last; c.borders[i] <= at && at < c.borders[i+1] {
		return i
	}
	i := sort.Search(n+1, func(i int) bool { return c.borders[i] > at }) - 1
	if i < 0 || i == n {
		return -1
	}
	c.last = i
	return i
}

func (c *Collector) cell(m Measure, at int64, value string) *collected {
	i := c.bucket(at)
	if i < 0 {
		return nil
	}
	k := cellKey{i, value, m}
	cell := c.cells[k]
	if cell == nil {
		cell = &collected{}
		c.cells[k] = cell
	}
	return cell
}

// Cells are what was added. It fails when durations add up to more than 292,000 years.
func (c *Collector) Cells() ([]Cell, error) {
	if c.overflow {
		return nil, invalid("to", "the durations add up to more than 292,000 years: ask for a shorter period")
	}
	out := make([]Cell, 0, len(c.cells))
	for k, cell := range c.cells {
		s := &cell.Stat
		s.Count += int64(len(cell.distinct))
		if s.Count == 0 {
			continue
		}
		if s.Count > 0 && s.Sum > 0 {
			s.Mean = float64(s.Sum) / float64(s.Count)
		}
		if !measures[k.measure].timed {
			s.Min, s.Max = 0, 0
		}
		if err := c.quantiles(cell, k.measure); err != nil {
			return nil, err
		}
		out = append(out, Cell{k.bucket, k.value, k.measure, *s})
	}
	return out, nil
}

func (c *Collector) quantiles(cell *collected, m Measure) error {
	s := &cell.Stat
	var upTo func(value int64) int64
	switch {
	case len(cell.merged) > 0 || cell.sketch != nil:
		sketch, err := c.sketched(cell)
		if err != nil {
			return err
		}
		of := func(q float64) float64 { // within what is known exactly
			return min(max(sketch.Quantile(q), float64(s.Min)), float64(s.Max))
		}
		s.Median, s.P90, s.P95, s.P99 = of(.5), of(.9), of(.95), of(.99)
		s.Approximate = true
		upTo = sketch.CountUpTo
	case len(cell.values) > 0:
		slices.Sort(cell.values)
		values := make([]float64, len(cell.values))
		for i, v := range cell.values {
			values[i] = float64(v)
		}
		q := stats.Quantiles(values, .5, .9, .95, .99)
		s.Median, s.P90, s.P95, s.P99 = q[0], q[1], q[2], q[3]
		upTo = func(value int64) int64 {
			i, _ := slices.BinarySearch(cell.values, value+1)
			return int64(i)
		}
	default:
		return nil
	}
	if m != FirstResponse && m != WorkingFirstResponse {
		return nil
	}
	below := int64(0)
	for _, limit := range BandLimits {
		n := upTo(limit.Microseconds())
		s.Bands = append(s.Bands, n-below)
		below = n
	}
	s.Bands = append(s.Bands, s.Count-below)
	return nil
}

// sketched is a sketch of all that was recorded in a cell, and merged into it.
func (c *Collector) sketched(cell *collected) (Sketch, error) {
	sketch := cell.sketch
	if sketch == nil {
		if c.sketch == nil {
			c.sketch = c.newSketch()
		}
		sketch = c.sketch
		sketch.Reset()
	}
	for _, v := range cell.values {
		sketch.Record(v)
	}
	for _, encoded := range cell.merged {
		if err := sketch.Merge(encoded); err != nil {
			return nil, err
		}
	}
	return sketch, nil
}
