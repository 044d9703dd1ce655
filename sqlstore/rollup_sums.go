package sqlstore

import (
	"cmp"
	"encoding/binary"
	"slices"
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

// rolled is what rollups have of the events of a kind: of each subject its measures, by their
// places, and dimensions, as package report declares them.
type rolled struct {
	subject    report.Subject
	places     []int
	dimensions []report.Dimension
	last       int // its first place in rollupSums.last
}

// rolledByKind needs so many places in rollupSums.last: for the half hours, and by each dimension.
var rolledByKind, lastRows = declaredRollups()

func declaredRollups() (all map[convo.EventKind][]rolled, last int) {
	places := map[report.Subject][]int{}
	for place, m := range rolledMeasures {
		places[m.Subject()] = append(places[m.Subject()], place)
	}
	all = map[convo.EventKind][]rolled{}
	for s, p := range places {
		r := rolled{s, p, slices.DeleteFunc(report.Dimensions(),
			func(d report.Dimension) bool { return !d.InRollups(s) }), last}
		last += 1 + len(r.dimensions)
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
			for _, place := range r.places {
				rolledMeasures[place].SQL(name)
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

// rollupSums are rows in the making, and half hours of them, each with the measures that it has.
type rollupSums struct {
	rows     map[rollupKey]*[]rollupSum
	sketches bool        // are wanted
	room     []rollupSum // for what an event counts for
	// last is where the event before went, by what is rolled up: the next one often goes there,
	// too.
	last []lastRow
}

type lastRow struct {
	slot  int64
	value string
	row   *[]rollupSum
}

func newRollupSums(sketches bool) *rollupSums {
	return &rollupSums{
		rows: map[rollupKey]*[]rollupSum{}, sketches: sketches,
		room: make([]rollupSum, len(rolledMeasures)), last: make([]lastRow, lastRows),
	}
}

// row is the row of a key, empty at first.
func (sums *rollupSums) row(k rollupKey) *[]rollupSum {
	r := sums.rows[k]
	if r == nil {
		r = new([]rollupSum)
		k.value = strings.Clone(k.value) // it may be a part of all that was read of an event
		sums.rows[k] = r
	}
	return r
}

// addTo adds to what a row has of a measure.
func addTo(row *[]rollupSum, s *rollupSum) {
	for i := range *row {
		if to := &(*row)[i]; to.place == s.place {
			to.add(s.stat)
			to.buckets = append(to.buckets, s.buckets...)
			if s.sketch != nil {
				to.sketch = s.sketch
			}
			return
		}
	}
	own := *s
	own.buckets = slices.Clone(s.buckets)
	*row = append(*row, own)
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
	micros := y.At.UnixMicro()
	counted := sums.count(r, y)
	if len(counted) == 0 {
		return
	}
	last := sums.last[r.last:]
	whole := rollupKey{"", r.subject, halfHour, floorDiv(micros, halfHour), ""}
	sums.addAll(whole, counted, &last[0])
	k := rollupKey{"", allSubjects, day, floorDiv(micros, day), ""}
	for i, d := range r.dimensions {
		k.dimension, k.value = d, d.Of(r.subject, y)
		if !d.Several() || k.value == "" {
			sums.addAll(k, counted, &last[i+1])
			continue
		}
		for _, k.value = range convo.Tokens(k.value).All() {
			sums.addAll(k, counted, &last[i+1])
		}
	}
}

// addAll adds what an event counts for to a row, which may be the last one.
func (sums *rollupSums) addAll(k rollupKey, counted []rollupSum, last *lastRow) {
	if last.row == nil || last.slot != k.slot || last.value != k.value {
		*last = lastRow{k.slot, k.value, sums.row(k)}
	}
	for i := range counted {
		addTo(last.row, &counted[i])
	}
}

// count finds what an event counts for, of a subject. It is valid until the next call.
func (sums *rollupSums) count(r *rolled, y *report.Entry) []rollupSum {
	n := 0
	for _, place := range r.places {
		m := rolledMeasures[place]
		count, sum := m.Of(y)
		if count == 0 {
			continue
		}
		s := &sums.room[n]
		s.place, s.stat, s.buckets = place, stat{count, sum, sum, sum}, s.buckets[:0]
		if sums.sketches && m.Timed() {
			s.buckets = append(s.buckets, bucket(sum))
		}
		n++
	}
	return sums.room[:n]
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
			to := sums.row(k)
			for i := range *from {
				addTo(to, &(*from)[i])
			}
		}
	}
}

// addStored adds a row that is stored, and its half hours, to what is new.
func (sums *rollupSums) addStored(k rollupKey, r *rollupRow) error {
	row := sums.row(k)
	err := r.eachSum(true, func(place int, st stat, sketch []byte) {
		addTo(row, &rollupSum{place: place, stat: st, sketch: sketch})
	})
	if err != nil {
		return err
	}
	first := k.slot * (day / halfHour)
	k.width = halfHour
	return r.eachHalfHour(true, func(int) bool { return true },
		func(place, at int, st stat, sketch []byte) {
			k.slot = first + int64(at)
			addTo(sums.row(k), &rollupSum{place: place, stat: st, sketch: sketch})
		})
}

// encode is the row of a key as rollupRow reads it.
func (sums *rollupSums) encode(k rollupKey) (r rollupRow, err error) {
	row := *sums.rows[k]
	slices.SortFunc(row, func(a, b rollupSum) int { return cmp.Compare(a.place, b.place) })
	e := encoder{}
	for i := range row {
		if err := e.add(row[i].place, &row[i]); err != nil {
			return r, err
		}
	}
	r.sums, r.sketches = e.stats, e.sketches
	if k.width != day || k.dimension != "" {
		return r, nil
	}
	var halfHours [day / halfHour]*[]rollupSum
	for at := range halfHours {
		slot := k.slot*(day/halfHour) + int64(at)
		halfHours[at] = sums.rows[rollupKey{k.dimension, k.subject, halfHour, slot, k.value}]
	}
	next := 0
	for _, s := range row {
		e := encoder{}
		for at, half := range halfHours {
			if half == nil {
				continue
			}
			for i := range *half {
				if (*half)[i].place != s.place {
					continue
				}
				if err := e.add(at, &(*half)[i]); err != nil {
					return r, err
				}
			}
		}
		for _, n := range []int{s.place - next, len(e.stats), len(e.sketches)} {
			r.halfHours = appendLength(r.halfHours, n)
		}
		next = s.place + 1
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

// add appends what has a number, above those before.
func (e *encoder) add(number int, s *rollupSum) error {
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
