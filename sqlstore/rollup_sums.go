package sqlstore

import (
	"encoding/binary"
	"strings"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// rolledMeasures are the measures that rollups have, in the order of their declaration. Stored rows
// know them by their places here, which another rollupVersion may give to others.
var rolledMeasures = func() (all []report.Measure) {
	for _, m := range report.Measures() {
		if m.InRollups() {
			all = append(all, m)
		}
	}
	return all
}()

// rolled is what rollups have of the events of a kind: of each subject its measures and dimensions,
// as package report declares them, looked up once.
type rolled struct {
	subject    report.Subject
	measures   []rolledMeasure
	dimensions []rolledDimension
	last       int // the place of its half hours in rollupSums.last
}

type rolledMeasure struct {
	place int
	timed bool
	of    func(*report.Entry) (count, value int64)
}

type rolledDimension struct {
	report.Dimension
	several bool
	of      func(*report.Entry) string
	last    int // its place in rollupSums.last, for whatever subject
}

// rolledByKind needs so many places in rollupSums.last: for the half hours of each subject, and for
// each dimension.
var rolledByKind, lastRows = declaredRollups()

func declaredRollups() (all map[convo.EventKind][]rolled, last int) {
	of := map[report.Subject][]rolledMeasure{}
	for place, m := range rolledMeasures {
		of[m.Subject()] = append(of[m.Subject()], rolledMeasure{place, m.Timed(), m.Of()})
	}
	all = map[convo.EventKind][]rolled{}
	lastOf := map[report.Dimension]int{}
	for s, measures := range of {
		r := rolled{subject: s, measures: measures, last: last}
		last++
		for _, d := range report.Dimensions() {
			if !d.InRollups(s) {
				continue
			}
			if _, ok := lastOf[d]; !ok {
				lastOf[d] = last
				last++
			}
			r.dimensions = append(r.dimensions,
				rolledDimension{d, d.Several(), d.Of(s), lastOf[d]})
		}
		for _, k := range s.Kinds() {
			all[k] = append(all[k], r)
		}
	}
	return all, last
}

// rolledColumns are what the measures and dimensions of rollups are declared in, as
// selection.column names it. A row is read in the time that its columns take.
var rolledColumns = func() map[string]bool {
	q := &selection{source: reported}
	needed := map[string]bool{"ev.kind": true, "ev.at": true}
	name := func(c report.Column) string {
		needed[q.column(c)] = true
		return c.Name()
	}
	for _, all := range rolledByKind {
		for _, r := range all {
			r.subject.SQL(name)
			for _, m := range r.measures {
				rolledMeasures[m.place].SQL(name)
			}
			for _, d := range r.dimensions {
				d.SQL(r.subject, name)
			}
		}
	}
	return needed
}()

// rollupSum is a measure in a row in the making.
type rollupSum struct {
	place int
	stat
	sketch  []byte   // that is stored
	buckets []uint16 // of the durations that are not in it yet
}

// mostMeasures is at least as many as rolledMeasures.
const mostMeasures = 40

// rollupRowSums is a row in the making, or a half hour of one: the measures that it has, in any
// order. It is to be small, for there are very many, and found by their places.
type rollupRowSums struct {
	at  [mostMeasures]uint8 // of each place, where it is in all, and one; 0: nowhere
	all []rollupSum
}

// of is what a row has of the measure at a place, nil if it has nothing.
func (r *rollupRowSums) of(place int) *rollupSum {
	if at := r.at[place]; at > 0 {
		return &r.all[at-1]
	}
	return nil
}

// add adds to what a row has of the measure at a place, and returns that.
func (r *rollupRowSums) add(place int, s stat) *rollupSum {
	if to := r.of(place); to != nil {
		to.add(s)
		return to
	}
	r.all = append(r.all, rollupSum{place: place, stat: s})
	r.at[place] = uint8(len(r.all)) //nolint:gosec // up to mostMeasures
	return &r.all[len(r.all)-1]
}

// addAll adds what another row has, of which nothing is stored.
func (r *rollupRowSums) addAll(other *rollupRowSums) {
	for i := range other.all {
		s := &other.all[i]
		to := r.add(s.place, s.stat)
		to.buckets = append(to.buckets, s.buckets...)
	}
}

// addStored adds what is stored of a measure, whose sketch no other one was stored with.
func (r *rollupRowSums) addStored(place int, s stat, sketch []byte) {
	r.add(place, s).sketch = sketch
}

// rollupSums are rows in the making, and half hours of them.
type rollupSums struct {
	rows     map[rollupKey]*rollupRowSums
	sketches bool      // are wanted
	counted  []counted // room for what an event counts for
	// last is where the thing before went, by what is rolled up: the next one of the conversation
	// mostly goes there, too.
	last []lastRow
}

// counted is a measure of an event.
type counted struct {
	place int
	stat
	timed  bool
	bucket uint16 // if it is timed
}

type lastRow struct {
	slot  int64
	value string
	row   *rollupRowSums
}

func newRollupSums(sketches bool) *rollupSums {
	return &rollupSums{
		rows: map[rollupKey]*rollupRowSums{}, sketches: sketches, last: make([]lastRow, lastRows),
	}
}

// row is the row of a key, empty at first.
func (sums *rollupSums) row(k rollupKey) *rollupRowSums {
	r := sums.rows[k]
	if r == nil {
		r = new(rollupRowSums)
		k.value = strings.Clone(k.value) // it may be a part of all that was read of an event
		sums.rows[k] = r
	}
	return r
}

// addEntry adds an event to the days that it belongs to, and to the half hours.
func (sums *rollupSums) addEntry(y *report.Entry) {
	all := rolledByKind[y.Kind]
	for i := range all {
		r := &all[i]
		r.subject.Each(y, func(y *report.Entry) { sums.addThing(r, y) })
	}
}

// addThing adds one thing of a subject.
func (sums *rollupSums) addThing(r *rolled, y *report.Entry) {
	if sums.count(r, y); len(sums.counted) == 0 {
		return
	}
	micros := y.At.UnixMicro()
	whole := rollupKey{"", r.subject, halfHour, floorDiv(micros, halfHour), ""}
	sums.addCounted(whole, r.last)
	k := rollupKey{"", allSubjects, day, floorDiv(micros, day), ""}
	for i := range r.dimensions {
		d := &r.dimensions[i]
		k.dimension, k.value = d.Dimension, d.of(y)
		if !d.several || k.value == "" {
			sums.addCounted(k, d.last)
			continue
		}
		for _, k.value = range convo.Tokens(k.value).All() {
			sums.addCounted(k, d.last)
		}
	}
}

// addCounted adds what an event counts for to a row, which may be the last one at the place.
func (sums *rollupSums) addCounted(k rollupKey, place int) {
	last := &sums.last[place]
	if last.row == nil || last.slot != k.slot || last.value != k.value {
		*last = lastRow{k.slot, k.value, sums.row(k)}
	}
	for i := range sums.counted {
		c := &sums.counted[i]
		to := last.row.add(c.place, c.stat)
		if c.timed {
			to.buckets = append(to.buckets, c.bucket)
		}
	}
}

// count finds what an event counts for, of a subject.
func (sums *rollupSums) count(r *rolled, y *report.Entry) {
	sums.counted = sums.counted[:0]
	for i := range r.measures {
		m := &r.measures[i]
		count, value := m.of(y)
		if count == 0 {
			continue
		}
		c := counted{m.place, stat{count, value, value, value}, sums.sketches && m.timed, 0}
		if c.timed {
			c.bucket = bucket(value)
		}
		sums.counted = append(sums.counted, c)
	}
}

// widen adds half hours up to their days, and days to slots of 32 days.
func (sums *rollupSums) widen() {
	for _, w := range []struct{ from, to int64 }{{halfHour, day}, {day, 32 * day}} {
		var narrow []rollupKey
		for k := range sums.rows {
			if k.width == w.from {
				narrow = append(narrow, k)
			}
		}
		for _, k := range narrow {
			from := sums.rows[k]
			k.width, k.slot = w.to, floorDiv(k.slot, w.to/w.from)
			sums.row(k).addAll(from)
		}
	}
}

// addStored adds a row that is stored, and its half hours, to what is new.
func (sums *rollupSums) addStored(k rollupKey, r *rollupRow) error {
	if err := r.eachSum(true, sums.row(k).addStored); err != nil {
		return err
	}
	first := k.slot * (day / halfHour)
	k.width = halfHour
	return r.eachHalfHour(true, func(int) bool { return true },
		func(place, at int, st stat, sketch []byte) {
			k.slot = first + int64(at)
			sums.row(k).addStored(place, st, sketch)
		})
}

// encode is the row of a key as rollupRow reads it.
func (sums *rollupSums) encode(k rollupKey) (r rollupRow, err error) {
	row := sums.rows[k]
	e := encoder{}
	for place := range rolledMeasures {
		if err := e.add(place, row.of(place)); err != nil {
			return r, err
		}
	}
	r.sums, r.sketches = e.stats, e.sketches
	if k.width != day || k.dimension != "" {
		return r, nil
	}
	var halfHours [day / halfHour]*rollupRowSums
	for at := range halfHours {
		slot := k.slot*(day/halfHour) + int64(at)
		halfHours[at] = sums.rows[rollupKey{k.dimension, k.subject, halfHour, slot, k.value}]
	}
	next := 0
	for place := range rolledMeasures {
		if row.of(place) == nil {
			continue
		}
		e := encoder{}
		for at, half := range halfHours {
			if half == nil {
				continue
			}
			if err := e.add(at, half.of(place)); err != nil {
				return r, err
			}
		}
		for _, n := range []int{place - next, len(e.stats), len(e.sketches)} {
			r.halfHours = appendLength(r.halfHours, n)
		}
		next = place + 1
		r.halfHours = append(r.halfHours, e.stats...)
		r.halfHourSketches = append(r.halfHourSketches, e.sketches...)
	}
	return r, nil
}

// encoder puts together what eachOf reads.
type encoder struct {
	stats, sketches []byte
	next            int
}

// add appends what has a number, above those before, if there is anything.
func (e *encoder) add(number int, s *rollupSum) error {
	if s == nil {
		return nil
	}
	before := len(e.sketches)
	var err error
	if e.sketches, err = appendMerged(e.sketches, s.sketch, s.buckets); err != nil {
		return err
	}
	e.stats = appendLength(e.stats, number-e.next)
	for _, n := range [...]int64{s.count, s.sum, s.min, s.max} {
		e.stats = binary.AppendVarint(e.stats, n)
	}
	e.stats = appendLength(e.stats, len(e.sketches)-before)
	e.next = number + 1
	return nil
}

func appendLength(to []byte, n int) []byte {
	return binary.AppendUvarint(to, uint64(n)) //nolint:gosec // never negative
}
