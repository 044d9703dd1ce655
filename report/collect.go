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
	scratch    *banded   // of one cell after the other
	floats     []float64 // likewise
	last       int       // the bucket that was found last
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
	sketch   *banded // instead of values, when they are very many
	merged   [][]byte
	distinct map[string]struct{}
}

// Sketch estimates quantiles of what was recorded in it since it was reset. Quantiles of few values
// are interpolated as those of golang.org/x/exp/stats are.
type Sketch interface {
	Reset()
	// Record adds a value, so many times.
	Record(value, times int64)
	// Decode yields what an encoded sketch, as the store keeps it, has recorded.
	Decode(encoded []byte, yield func(value, times int64)) error
	// Quantiles are the values that parts of the values, from 0 to 1, are at most.
	Quantiles(parts ...float64) []float64
}

// banded is a sketch, and how many values of it are in each band.
type banded struct {
	Sketch
	bands []int64
}

func (b *banded) record(value, times int64) {
	b.Record(value, times)
	b.bands[band(value)] += times
}

// band is the number of the band that a duration is in.
func band(micros int64) int {
	for i, limit := range BandLimits {
		if micros <= limit.Microseconds() {
			return i
		}
	}
	return len(BandLimits)
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

// mostSorted is up to how many values are taken out of sketches and sorted. To make a sketch of all
// takes longer then: it has thousands of buckets.
const mostSorted = 400

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
	if c.bucket(y.At.UnixMicro()) < 0 {
		return
	}
	c.a.Subject().Each(y, func(y *Entry) {
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
		cell.sketch.record(value, 1)
		return
	}
	cell.values = append(cell.values, value)
	if c.newSketch == nil || len(cell.values) <= mostExact {
		return
	}
	cell.sketch = c.newBanded()
	for _, v := range cell.values {
		cell.sketch.record(v, 1)
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

// theQuantiles are those of a Stat.
var theQuantiles = []float64{.5, .9, .95, .99}

func (c *Collector) quantiles(cell *collected) (err error) {
	s := &cell.Stat
	var of []float64
	switch {
	case cell.sketch != nil || len(cell.merged) > 0 && s.Count > mostSorted:
		of, s.Bands, err = c.sketched(cell)
	case len(cell.merged) > 0 || len(cell.values) > 0:
		of, s.Bands, err = c.sorted(cell)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	s.Approximate = cell.sketch != nil || len(cell.merged) > 0
	for i, to := range []*float64{&s.Median, &s.P90, &s.P95, &s.P99} {
		*to = min(max(of[i], float64(s.Min)), float64(s.Max)) // which are known exactly
	}
	if cell.measure.from == nil { // scores have no limits
		s.Bands = nil
	}
	return nil
}

// sorted tells quantiles and bands from the values themselves, or what their sketches have instead.
func (c *Collector) sorted(cell *collected) (of []float64, bands []int64, err error) {
	values := cell.values
	if len(cell.merged) > 0 {
		values = slices.Grow(values, max(0, int(cell.Count)-len(values)))
	}
	for _, encoded := range cell.merged {
		err := c.emptied().Decode(encoded, func(value, times int64) {
			// Never more than there are, whatever is stored.
			for range min(times, cell.Count-int64(len(values))) {
				values = append(values, value)
			}
		})
		if err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(values)
	below := 0
	for _, limit := range BandLimits {
		n, _ := slices.BinarySearch(values, limit.Microseconds()+1)
		bands, below = append(bands, int64(n-below)), n
	}
	bands = append(bands, int64(len(values)-below))
	if len(values) == 0 { // what is stored is damaged
		return make([]float64, len(theQuantiles)), bands, nil
	}
	c.floats = c.floats[:0]
	for _, v := range values {
		c.floats = append(c.floats, float64(v))
	}
	return stats.Quantiles(c.floats, theQuantiles...), bands, nil
}

func (c *Collector) newBanded() *banded {
	return &banded{c.newSketch(), make([]int64, len(BandLimits)+1)}
}

// emptied is a sketch of nothing, until the next call.
func (c *Collector) emptied() *banded {
	if c.scratch == nil {
		c.scratch = c.newBanded()
	}
	c.scratch.Reset()
	clear(c.scratch.bands)
	return c.scratch
}

// sketched tells them from a sketch of all that was recorded in a cell or merged into it.
func (c *Collector) sketched(cell *collected) (of []float64, bands []int64, err error) {
	sketch := cell.sketch
	if sketch == nil {
		sketch = c.emptied()
	}
	for _, v := range cell.values {
		sketch.record(v, 1)
	}
	for _, encoded := range cell.merged {
		if err := sketch.Decode(encoded, sketch.record); err != nil {
			return nil, nil, err
		}
	}
	return sketch.Quantiles(theQuantiles...), slices.Clone(sketch.bands), nil
}
