package report

import (
	"math"
	"slices"
	"sort"

	"golang.org/x/exp/stats"
)

// Collector puts the cells of an aggregation together. It is for stores; not safe for concurrent
// use.
type Collector struct {
	a          Aggregation
	boundaries []int64 // microseconds
	measures   []*measure
	filters    []filter
	group      *text // nil: all are one group
	cells      map[cellKey]*collected
	newSketch  func() Sketch
	sketch     Sketch // of one cell after the other
	last       int    // the bucket that was found last
	overflow   bool
}

// filter lets through what has one of the values, or, not, what has none.
type filter struct {
	of     *text
	values []string
	not    bool
}

type cellKey struct {
	bucket  int
	value   string
	measure Measure
}

type collected struct {
	Stat
	measure  *measure
	values   []int64
	sketch   Sketch // instead of values, when they are very many
	merged   [][]byte
	distinct map[string]struct{}
}

// Sketch estimates quantiles of what was recorded in it since it was reset. Quantiles of few values
// are interpolated as those of golang.org/x/exp/stats are.
type Sketch interface {
	Reset()
	Record(value int64)
	// Merge adds an encoded sketch, as the store keeps it.
	Merge(encoded []byte) error
	// Quantile is the value that a part q, from 0 to 1, of the values are at most.
	Quantile(q float64) float64
	// CountUpTo is how many values are at most so large.
	CountUpTo(value int64) int64
}

// NewCollector returns a Collector for a. newSketch makes sketches, for what is merged and for
// cells of more than 100,000 durations, so that those need little memory; nil: nothing is merged,
// and all is exact. It fails as [Aggregation.Validate] does.
func NewCollector(a Aggregation, newSketch func() Sketch) (*Collector, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	c := &Collector{a: a, cells: map[cellKey]*collected{}, newSketch: newSketch}
	for _, b := range a.Boundaries {
		c.boundaries = append(c.boundaries, b.UnixMicro())
	}
	for _, m := range a.Measures {
		c.measures = append(c.measures, measures[m])
	}
	for d, values := range a.Filter {
		if len(values) > 0 {
			c.filters = append(c.filters, filter{d.textOf(a.Subject()), values, false})
		}
	}
	for d, values := range a.Exclude {
		if len(values) > 0 {
			c.filters = append(c.filters, filter{d.textOf(a.Subject()), values, true})
		}
	}
	if a.GroupBy != "" {
		c.group = a.GroupBy.textOf(a.Subject())
	}
	return c, nil
}

// mostExact is how many values of a cell are kept and sorted where there are sketches.
const mostExact = 100_000

// AddEntry adds what the measures of the aggregation are in an entry.
func (c *Collector) AddEntry(y *Entry) { c.things(y, c.addThing) }

// addThing adds what the measures are in one thing of an entry.
func (c *Collector) addThing(y *Entry) {
	when, value := y.At.UnixMicro(), ""
	if c.group != nil {
		value = c.group.of(y)
	}
	for _, m := range c.measures {
		if m.distinct != 0 {
			if hold(m.when, y) {
				c.AddDistinct(m.name, when, value, columns[m.distinct].text(y))
			}
			continue
		}
		if n, micros := m.of(y, c.a.Calendar); n != 0 {
			c.Add(m.name, when, value, Stat{Count: n, Sum: micros, Min: micros, Max: micros})
		}
	}
}

// things calls f with each thing of the subject that an entry is, if it is in a bucket and all
// filters let it through.
func (c *Collector) things(y *Entry, f func(*Entry)) {
	subject := c.a.Subject()
	if !subject.has(y) || c.bucket(y.At.UnixMicro()) < 0 {
		return
	}
	subject.Each(y, func(y *Entry) {
		for _, filter := range c.filters {
			if !filter.lets(filter.of.of(y)) {
				return
			}
		}
		f(y)
	})
}

// lets reports whether a text, which may be several values, passes.
func (f *filter) lets(text string) bool {
	any := false
	for _, v := range f.of.values(text) {
		any = any || slices.Contains(f.values, v)
	}
	return any != f.not
}

// each calls add with each value that a text has of what is grouped by.
func (c *Collector) each(value string, add func(value string)) {
	if c.group == nil || !c.group.tokens {
		add(value)
		return
	}
	for _, v := range c.group.values(value) {
		add(v)
	}
}

// Add adds count, sum, min and max of s, at a time in microseconds; what is in no bucket is left
// out. A single duration or score is also kept for the percentiles; several go with Merge. The
// value is what [Dimension.SQL] gives: it may be several labels.
func (c *Collector) Add(m Measure, at int64, value string, s Stat) {
	c.each(value, func(value string) {
		cell := c.cell(m, at, value)
		if cell == nil {
			return
		}
		c.sum(cell, &s)
		if s.Count == 1 && c.a.Quantiles && cell.measure.valued() {
			c.record(cell, s.Sum)
		}
	})
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

// Merge adds a stat of several durations, and their encoded sketch. The value is a single one.
func (c *Collector) Merge(m Measure, at int64, value string, s Stat, encoded []byte) {
	cell := c.cell(m, at, value)
	if cell == nil {
		return
	}
	c.sum(cell, &s)
	if c.a.Quantiles && cell.measure.valued() {
		cell.merged = append(cell.merged, encoded)
	}
}

// AddDistinct adds one thing to a measure that counts different things, told apart by id. The value
// is as that of Add.
func (c *Collector) AddDistinct(m Measure, at int64, value, id string) {
	c.each(value, func(value string) {
		if cell := c.cell(m, at, value); cell != nil {
			if cell.distinct == nil {
				cell.distinct = map[string]struct{}{}
			}
			cell.distinct[id] = struct{}{}
		}
	})
}

// Lets reports whether the filters of the aggregation by labels let a convo.Tokens through: what
// [Dimension.Several] is not for SQL.
func (c *Collector) Lets(labels string) bool {
	for _, f := range c.filters {
		if f.of.tokens && !f.lets(labels) {
			return false
		}
	}
	return true
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

// bucket is the index of the bucket that a time is in, or -1. Times mostly come nearly in order.
func (c *Collector) bucket(at int64) int {
	n := len(c.boundaries) - 1
	if i := c.last; c.boundaries[i] <= at && at < c.boundaries[i+1] {
		return i
	}
	i := sort.Search(n+1, func(i int) bool { return c.boundaries[i] > at }) - 1
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
		cell = &collected{measure: m.declared()}
		c.cells[k] = cell
	}
	return cell
}

// Aggregate is what was added, in no order. It fails with a *convo.ValidationError when durations
// add up to more than 292,000 years.
func (c *Collector) Aggregate() ([]Cell, error) {
	if c.overflow {
		return nil, invalid("to", "the durations add up to more than 292,000 years: "+
			"ask for a shorter period")
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
		if !cell.measure.valued() {
			s.Min, s.Max = 0, 0
		}
		if err := c.quantiles(cell); err != nil {
			return nil, err
		}
		out = append(out, Cell{k.bucket, k.value, k.measure, *s})
	}
	return out, nil
}

func (c *Collector) quantiles(cell *collected) error {
	s := &cell.Stat
	var countUpTo func(value int64) int64
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
		countUpTo = sketch.CountUpTo
	case len(cell.values) > 0:
		slices.Sort(cell.values)
		values := make([]float64, len(cell.values))
		for i, v := range cell.values {
			values[i] = float64(v)
		}
		q := stats.Quantiles(values, .5, .9, .95, .99)
		s.Median, s.P90, s.P95, s.P99 = q[0], q[1], q[2], q[3]
		countUpTo = func(value int64) int64 {
			i, _ := slices.BinarySearch(cell.values, value+1)
			return int64(i)
		}
	default:
		return nil
	}
	if cell.measure.from == nil { // scores have no limits
		return nil
	}
	below := int64(0)
	for _, limit := range BandLimits {
		n := countUpTo(limit.Microseconds())
		s.Bands = append(s.Bands, n-below)
		below = n
	}
	s.Bands = append(s.Bands, s.Count-below)
	return nil
}

// sketched is a sketch of all that was recorded in a cell or merged into it. It is valid until the
// next call.
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
