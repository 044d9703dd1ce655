package sqlstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// aggregateRollups reads the rollups as far as they have what a asks for, and the events for the
// rest. All measures are in rollups.
func (s *Store) aggregateRollups(
	ctx context.Context, a *report.Aggregation, c *report.Collector,
) error {
	from, to := ends(a.Boundaries)
	dimension, values, ok := rollupDimension(a)
	var ranges []slotRange
	var edges [][2]int64
	if ok && s.tx.snapshot { // else rollups and events may be read as they are at two moments
		ranges, edges, ok = cover(a.Boundaries, dimension == "")
	}
	if ok && len(ranges) > 0 { // without rollups, the index by time is the better way
		var version dialect.Int
		found, err := s.row(ctx, "SELECT version"+versionRow, []any{a.Workspace},
			[]any{&version})
		if err != nil {
			return err
		}
		ok = found && version == rollupVersion
	}
	if !ok || len(ranges) == 0 {
		return s.aggregateRows(ctx, a, c, allEvents, from, to)
	}
	for _, r := range ranges {
		if err := s.readRollups(ctx, a, c, dimension, values, r); err != nil {
			return err
		}
	}
	for _, e := range edges {
		if err := s.aggregateRows(ctx, a, c, notPending, e[0], e[1]); err != nil {
			return err
		}
	}
	return s.aggregateRows(ctx, a, c, onlyPending, from, to)
}

// rollupDimension is the dimension of the rollups that have what a asks for, and the values that
// are asked for of it, if not all.
func rollupDimension(
	a *report.Aggregation,
) (dimension report.Dimension, values []string, ok bool) {
	dimension = a.GroupBy
	for d, list := range a.Filter {
		if len(list) == 0 {
			continue
		}
		if values != nil || dimension != "" && dimension != d {
			return "", nil, false
		}
		// What has two labels is in the rows of both.
		if d.Several() && (dimension != "" || len(list) > 1) {
			return "", nil, false
		}
		dimension, values = d, list
	}
	for _, list := range a.Exclude {
		if len(list) > 0 {
			return "", nil, false
		}
	}
	return dimension, values, dimension == "" || dimension.InRollups(a.Subject())
}

// slotRange is the slots of one width from one (inclusive) to another one (exclusive).
type slotRange struct{ width, from, to int64 }

// maxRanges is in how many parts a period may be read.
const maxRanges = 64

// cover takes the buckets between boundaries apart into slots, and what is left over at their
// edges. Half hours are only there over all events.
func cover(boundaries []time.Time, all bool) (ranges []slotRange, edges [][2]int64, ok bool) {
	widths := rowWidths
	if all {
		widths = allWidths
	}
	for i := range len(boundaries) - 1 {
		from, to := boundaries[i].UnixMicro(), boundaries[i+1].UnixMicro()
		coverBucket(from, to, widths, &ranges, &edges)
	}
	if len(ranges)+len(edges) <= maxRanges {
		return ranges, edges, true
	}
	from, to := ends(boundaries)
	for _, w := range widths { // the widest that fits all of them
		cuts := func(b time.Time) bool { return b.UnixMicro()%w != 0 }
		if !slices.ContainsFunc(boundaries, cuts) {
			return []slotRange{{w, from / w, to / w}}, nil, true
		}
	}
	return nil, nil, false
}

func coverBucket(from, to int64, widths []int64, ranges *[]slotRange, edges *[][2]int64) {
	if from >= to {
		return
	}
	if len(widths) == 0 {
		if n := len(*edges); n > 0 && (*edges)[n-1][1] == from {
			(*edges)[n-1][1] = to
		} else {
			*edges = append(*edges, [2]int64{from, to})
		}
		return
	}
	w := widths[0]
	first, last := -floorDiv(-from, w), floorDiv(to, w)
	if first >= last {
		coverBucket(from, to, widths[1:], ranges, edges)
		return
	}
	coverBucket(from, first*w, widths[1:], ranges, edges)
	if n := len(*ranges); n > 0 && (*ranges)[n-1].width == w && (*ranges)[n-1].to == first {
		(*ranges)[n-1].to = last
	} else {
		*ranges = append(*ranges, slotRange{w, first, last})
	}
	coverBucket(last*w, to, widths[1:], ranges, edges)
}

func floorDiv(a, b int64) int64 {
	if q := a / b; a%b >= 0 {
		return q
	}
	return a/b - 1
}

// rollupTerm is what a sum of the rollups is part of.
type rollupTerm struct {
	measure report.Measure
	minus   bool
	counted bool // it is only counted: durations are those of another measure
}

// termsByPlace says for each measure that rollups have, by its place, which measures it is part of.
func termsByPlace(measures []report.Measure) [][]rollupTerm {
	all := make([][]rollupTerm, len(rolledMeasures))
	for _, m := range measures {
		for _, t := range m.RollupTerms() {
			place := slices.Index(rolledMeasures, t.Measure)
			all[place] = append(all[place], rollupTerm{m, t.Minus, m != t.Measure && !m.Timed()})
		}
	}
	return all
}

// merge adds a sum to the measure that it is part of.
func (t rollupTerm) merge(c *report.Collector, at int64, value string, s stat, sketch []byte) {
	if t.counted {
		s = stat{count: s.count}
	}
	if t.minus {
		s = stat{count: -s.count, sum: -s.sum}
	}
	c.Merge(t.measure, at, value, s.report(), sketch)
}

// readRollups adds slots of the rollups to c. Half hours are read from the rows of their days.
func (s *Store) readRollups(
	ctx context.Context, a *report.Aggregation, c *report.Collector,
	dimension report.Dimension, values []string, r slotRange,
) error {
	terms := termsByPlace(a.Measures)
	sketches := a.Quantiles && slices.ContainsFunc(a.Measures, report.Measure.Timed)
	halves := r.width == halfHour
	rows := r
	if halves {
		rows = slotRange{day, floorDiv(r.from*halfHour, day), -floorDiv(-r.to*halfHour, day)}
	}
	subject := allSubjects
	if dimension == "" {
		subject = a.Subject()
	}
	args := []any{a.Workspace, string(dimension), int64(subject), rows.width, rows.from, rows.to}
	statement := "SELECT " + rollupColumnsFor(halves, sketches) + ` FROM convo_rollups
	WHERE workspace = ? AND dimension = ? AND subject = ?
	AND slot_micros = ? AND slot_number >= ? AND slot_number < ?`
	if values != nil {
		statement += " AND dimension_value IN (" + dialect.Placeholders(len(values)) + ")"
		for _, v := range values {
			args = append(args, v)
		}
	}
	var row rollupRow
	dests := row.dests()
	return s.read(ctx, statement, args, func(scan func(...any) error) error {
		if err := scan(dests...); err != nil {
			return err
		}
		if a.GroupBy == "" {
			row.value = ""
		}
		merge := func(place int, at int64, st stat, sketch []byte) {
			for _, t := range terms[place] {
				t.merge(c, at, string(row.value), st, sketch)
			}
		}
		if !halves {
			return row.eachSum(sketches, func(place int, st stat, sketch []byte) {
				merge(place, int64(row.slot)*r.width, st, sketch)
			})
		}
		wanted := func(place int) bool { return terms[place] != nil }
		return row.eachHalfHour(sketches, wanted, func(place, i int, st stat, sketch []byte) {
			at := int64(row.slot)*day + int64(i)*halfHour
			if at >= r.from*halfHour && at < r.to*halfHour {
				merge(place, at, st, sketch)
			}
		})
	})
}

// rollupColumnsFor is rollupColumns without those that are not needed, which may be large.
func rollupColumnsFor(halves, sketches bool) string {
	unread := []string{" half_hours", " NULL", " half_hour_sketches", " NULL"}
	if halves {
		unread = []string{" sums", " NULL", " sketches", " NULL"}
	}
	if !sketches {
		unread = append(unread, " sketches", " NULL", " half_hour_sketches", " NULL")
	}
	return strings.NewReplacer(unread...).Replace(rollupColumns)
}
