package sqlstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"time"

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

// rollupKey is a row of the rollups, within a workspace, or a half hour of one.
type rollupKey struct {
	dimension report.Dimension
	subject   report.Subject // of the measures in it; allSubjects: of any
	width     int64
	slot      int64
	value     string
}

// allSubjects is the subject of the rows by a dimension. Over the whole workspace each subject has
// rows of its own: those are what most reports read, a whole year of them, and of one subject,
// while a dimension's many rows are to be few.
const allSubjects report.Subject = -1

// compare orders rows as their key does.
func (k rollupKey) compare(l rollupKey) int {
	return cmp.Or(
		cmp.Compare(k.dimension, l.dimension), cmp.Compare(k.subject, l.subject),
		cmp.Compare(k.width, l.width), cmp.Compare(k.slot, l.slot), cmp.Compare(k.value, l.value),
	)
}

// stat is what is known of a measure in a slot. It is signed: an echo counts for less than nothing.
type stat struct{ count, sum, min, max int64 }

func (s *stat) add(t stat) {
	s.count, s.sum = s.count+t.count, s.sum+t.sum
	s.min, s.max = min(s.min, t.min), max(s.max, t.max)
}

func (s *stat) report() report.Stat {
	return report.Stat{Count: s.count, Sum: s.sum, Min: s.min, Max: s.max}
}

// rollupRow is a row as it is read.
type rollupRow struct {
	slot  dialect.Int
	value dialect.Text
	// sums are the measures that the row has, each after the one before in rolledMeasures: how much
	// later its place there is, its stat, and the length of its sketch in sketches.
	sums, sketches []byte
	// halfHours are the measures in the half hours of a day, where the row has them: of each the
	// step to its place, the length of what comes, and the length of its sketches in
	// halfHourSketches. What comes is, of each half hour, the step to its number from 0 to 47, its
	// stat, and the length of its sketch. So a report skips the measures that it is not about.
	halfHours, halfHourSketches []byte
}

const rollupColumns = "slot_number, dimension_value, sums, sketches, half_hours, half_hour_sketches"

// dests are what rollupColumns are read into.
func (r *rollupRow) dests(before ...any) []any {
	return append(before, &r.slot, &r.value, &r.sums, &r.sketches, &r.halfHours,
		&r.halfHourSketches)
}

var errDamaged = errors.New("sqlstore: the rollups are damaged: rebuild them (RebuildRollups)")

// packed takes numbers out of what a row has of its measures.
type packed struct {
	rest    []byte
	damaged bool
}

func (p *packed) signed() int64 {
	v, n := binary.Varint(p.rest)
	if n <= 0 {
		p.rest, p.damaged = nil, true
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

// upTo is a number that is at most so large.
func (p *packed) upTo(most int) int {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || most < 0 || v > uint64(most) {
		p.rest, p.damaged = nil, true
		return 0
	}
	p.rest = p.rest[n:]
	return int(v) //nolint:gosec // just checked
}

func (p *packed) stat() stat { return stat{p.signed(), p.signed(), p.signed(), p.signed()} }

// sketch is what has the next length, off the beginning of sketches, if those were read.
func (p *packed) sketch(sketches *[]byte, read bool) []byte {
	if !read {
		p.upTo(math.MaxInt)
		return nil
	}
	return cut(sketches, p.upTo(len(*sketches)))
}

// cut takes so many bytes off the beginning.
func cut(from *[]byte, n int) []byte {
	head := (*from)[:n:n]
	*from = (*from)[n:]
	return head
}

// eachOf yields what is stored of each of several things, whose numbers are less than n: of
// measures or half hours. Without sketches, as they are not always read, it skips them.
func eachOf(
	n int, stats, sketches []byte, sketched bool, yield func(at int, st stat, sketch []byte),
) error {
	p := packed{rest: stats}
	for at := 0; len(p.rest) > 0; at++ {
		at += p.upTo(n - 1 - at)
		st := p.stat()
		sketch := p.sketch(&sketches, sketched)
		if p.damaged {
			return errDamaged
		}
		yield(at, st, sketch)
	}
	if sketched && len(sketches) > 0 {
		return errDamaged
	}
	return nil
}

// eachSum yields what the row has of each measure, by its place in rolledMeasures, with its sketch
// if those were read.
func (r *rollupRow) eachSum(sketched bool, yield func(place int, st stat, sketch []byte)) error {
	return eachOf(len(rolledMeasures), r.sums, r.sketches, sketched, yield)
}

// eachHalfHour yields what the row has of the half hours of its day, of the measures that are
// wanted, by their places.
func (r *rollupRow) eachHalfHour(
	sketched bool, wanted func(place int) bool,
	yield func(place, halfHour int, st stat, sketch []byte),
) error {
	p, sketches := packed{rest: r.halfHours}, r.halfHourSketches
	for place := 0; len(p.rest) > 0; place++ {
		place += p.upTo(len(rolledMeasures) - 1 - place)
		size := p.upTo(len(p.rest))
		of := p.sketch(&sketches, sketched)
		if p.damaged || size > len(p.rest) {
			return errDamaged
		}
		stats := cut(&p.rest, size)
		if !wanted(place) {
			continue
		}
		err := eachOf(int(day/halfHour), stats, of, sketched,
			func(at int, st stat, sketch []byte) { yield(place, at, st, sketch) })
		if err != nil {
			return err
		}
	}
	if sketched && len(sketches) > 0 {
		return errDamaged
	}
	return nil
}
