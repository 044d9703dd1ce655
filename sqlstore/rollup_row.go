package sqlstore

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// The widths of slots, in microseconds, the widest first: 32 days are for long periods, half hours
// for days in any zone. Half hours are stored inside their day's row, and only for the whole
// workspace.
var (
	rowWidths = []int64{32 * day, day}
	allWidths = []int64{32 * day, day, halfHour}
)

const (
	halfHour = int64(30 * time.Minute / time.Microsecond)
	day      = 48 * halfHour
)

// rollupKey is a row of the rollups, within a workspace.
type rollupKey struct {
	dimension report.Dimension
	measure   report.Measure
	width     int64
	slot      int64
	value     string
}

// compare orders rows as their key does.
func (k rollupKey) compare(l rollupKey) int {
	return cmp.Or(
		cmp.Compare(k.dimension, l.dimension), cmp.Compare(k.measure, l.measure),
		cmp.Compare(k.width, l.width), cmp.Compare(k.slot, l.slot), cmp.Compare(k.value, l.value),
	)
}

// rollupRow is a row as it is read.
type rollupRow struct {
	slot                                dialect.Int
	value                               dialect.Text
	stat                                report.Stat
	sketch, halfHours, halfHourSketches []byte
}

const rollupColumns = "slot_number, dimension_value, " +
	"value_count, value_sum, value_min, value_max, sketch, half_hours, half_hour_sketches"

// dests are what rollupColumns are read into.
func (r *rollupRow) dests(before ...any) []any {
	return append(before, &r.slot, &r.value,
		(*dialect.Int)(&r.stat.Count), (*dialect.Int)(&r.stat.Sum),
		(*dialect.Int)(&r.stat.Min), (*dialect.Int)(&r.stat.Max),
		&r.sketch, &r.halfHours, &r.halfHourSketches)
}

// eachHalfHour yields the half hours of a day, from 0 to 47, with their sketches if they were read.
func (r *rollupRow) eachHalfHour(
	sketched bool, yield func(i int64, st report.Stat, sketch []byte),
) error {
	at := int64(0)
	for halves, sketches := r.halfHours, r.halfHourSketches; len(halves) > 0; {
		var n [6]int64 // how many later, a Stat, and the length of the sketch
		for i := range n {
			v, size := binary.Varint(halves)
			if size <= 0 || v < 0 && i != 1 { // an echo alone counts for less than nothing
				return errSketch
			}
			n[i], halves = v, halves[size:]
		}
		size := n[5]
		if !sketched {
			size = 0
		}
		if n[0] >= day/halfHour-at || size > int64(len(sketches)) {
			return errSketch
		}
		at += n[0]
		yield(at, report.Stat{Count: n[1], Sum: n[2], Min: n[3], Max: n[4]}, sketches[:size:size])
		sketches = sketches[size:]
	}
	return nil
}

// rollupSum is a row in the making.
type rollupSum struct {
	report.Stat
	values    []int64 // durations that are not in the sketch yet
	sketch    []byte  // that is there already
	halfHours map[int64]*rollupSum
}

func (r *rollupSum) add(st report.Stat) {
	if r.Count == 0 {
		r.Stat = st
		return
	}
	r.Count, r.Sum = r.Count+st.Count, r.Sum+st.Sum
	r.Min, r.Max = min(r.Min, st.Min), max(r.Max, st.Max)
}

// halfHour is one of the half hours of a day.
func (r *rollupSum) halfHour(i int64) *rollupSum {
	if r.halfHours == nil {
		r.halfHours = map[int64]*rollupSum{}
	}
	h := r.halfHours[i]
	if h == nil {
		h = &rollupSum{}
		r.halfHours[i] = h
	}
	return h
}

// encode is the sketch, if there is one, and the half hours as eachHalfHour reads them.
func (r *rollupSum) encode() (sketch, halfHours, halfHourSketches []byte, err error) {
	if len(r.sketch)+len(r.values) > 0 {
		if sketch, err = merged(r.sketch, r.values); err != nil {
			return nil, nil, nil, err
		}
	}
	last := int64(0)
	for _, i := range slices.Sorted(maps.Keys(r.halfHours)) {
		h := r.halfHours[i]
		s, _, _, err := h.encode()
		if err != nil {
			return nil, nil, nil, err
		}
		for _, n := range []int64{i - last, h.Count, h.Sum, h.Min, h.Max, int64(len(s))} {
			halfHours = binary.AppendVarint(halfHours, n)
		}
		halfHourSketches, last = append(halfHourSketches, s...), i
	}
	return sketch, halfHours, halfHourSketches, nil
}

// rollupSums are rows in the making.
type rollupSums map[rollupKey]*rollupSum

func (sums rollupSums) row(k rollupKey) *rollupSum {
	r := sums[k]
	if r == nil {
		r = &rollupSum{}
		sums[k] = r
	}
	return r
}

// rolled is what rollups have of the events of a kind: of each subject its measures and dimensions,
// as package report declares them.
type rolled struct {
	subject    report.Subject
	measures   []report.Measure
	dimensions []report.Dimension
}

var rolledByKind = declaredRollups()

func declaredRollups() map[convo.EventKind][]rolled {
	by := map[report.Subject][]report.Measure{}
	for _, m := range report.Measures() {
		if m.InRollups() {
			by[m.Subject()] = append(by[m.Subject()], m)
		}
	}
	all := map[convo.EventKind][]rolled{}
	for s, measures := range by {
		r := rolled{s, measures, slices.DeleteFunc(report.Dimensions(),
			func(d report.Dimension) bool { return !d.InRollups(s) })}
		for _, k := range s.Kinds() {
			all[k] = append(all[k], r)
		}
	}
	return all
}

// addEntry adds an event to the rows that it belongs to, and, if wanted, to what their sketches are
// made of.
func (sums rollupSums) addEntry(y *report.Entry, sketches bool) {
	for _, r := range rolledByKind[y.Kind] {
		r.subject.Each(y, func(y *report.Entry) { sums.addThing(&r, y, sketches) })
	}
}

// addThing adds one thing of a subject.
func (sums rollupSums) addThing(r *rolled, y *report.Entry, sketches bool) {
	micros := y.At.UnixMicro()
	for _, m := range r.measures {
		count, sum := m.Of(y)
		if count == 0 {
			continue
		}
		add := func(to *rollupSum) {
			to.add(report.Stat{Count: count, Sum: sum, Min: sum, Max: sum})
			if sketches && m.Timed() {
				to.values = append(to.values, sum)
			}
		}
		for _, w := range rowWidths {
			slot := floorDiv(micros, w)
			all := sums.row(rollupKey{"", m, w, slot, ""})
			add(all)
			if w == day {
				add(all.halfHour(floorDiv(micros, halfHour) - slot*(day/halfHour)))
			}
			for _, d := range r.dimensions {
				value := d.Of(r.subject, y)
				if !d.Several() || value == "" {
					add(sums.row(rollupKey{d, m, w, slot, value}))
					continue
				}
				for _, v := range convo.Tokens(value).All() {
					add(sums.row(rollupKey{d, m, w, slot, v}))
				}
			}
		}
	}
}
