package sqlstore

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Rollups hold what closed cycles come to, by slots of time, so that a report need not read each cycle. The cycles that they hold
// are marked; a report adds those that are not to them. So rollups never make an answer stale, only quicker.

// The widths of slots, in microseconds, the widest first: 32 days are for long periods, half hours for days in any zone. Those are no
// rows of their own, but all together in that of their day, and not by dimension.
var (
	rowWidths = []int64{32 * day, day}
	allWidths = []int64{32 * day, day, half}
)

const (
	half = int64(30 * time.Minute / time.Microsecond)
	day  = 48 * half
)

// rolledDimensions are those that rollups have, of the measures of each basis. The category is not among them, for it may be amended;
// nor is the status, which all have in common.
var rolledDimensions = [...][]report.Dimension{
	report.ByOpening: {report.Channel, report.OpenedSource, report.Team, report.ContactType},
	report.ByClosing: {
		report.Channel, report.OpenedSource, report.ClosedSource, report.Team, report.Closer, report.LastAssignee, report.ContactType,
	},
	report.ByResponse:   {report.Channel, report.OpenedSource, report.Team, report.FirstResponder, report.ContactType},
	report.ByAssignment: {report.Channel, report.OpenedSource, report.Team, report.FirstAssignee, report.ContactType},
}

// rolledAs are measures that rollups have under another name, or as the sum of two.
var rolledAs = map[report.Measure][]report.Measure{
	report.Opened:    {report.OpenedNew, report.Reopened},
	report.Returning: {report.OpenedNew, report.Reopened}, // less NewContacts: see rolled
	report.Closed:    {report.Resolution},
}

// rolledMeasures are those that rollups have.
var rolledMeasures = []report.Measure{
	report.OpenedNew, report.Reopened, report.NewContacts, report.Resolution, report.ActiveResolution, report.FirstResolution,
	report.LastResolution, report.FirstResponse, report.Response, report.Assignment,
}

// rolledBy is the dimension of the rollups that have what q asks for, and the values that are asked for of it, if not all.
func rolledBy(q *report.Query) (by report.Dimension, only []string, ok bool) {
	by = q.By
	for d, list := range q.Where {
		if len(list) == 0 {
			continue
		}
		if only != nil || by != "" && by != d {
			return "", nil, false
		}
		by, only = d, list
	}
	return by, only, by == "" || slices.Contains(rolledDimensions[q.Measures[0].Basis()], by)
}

// slots are those of one width from one up to another one.
type slots struct{ width, from, to int64 }

// mostRanges is in how many parts a period may be read.
const mostRanges = 64

// cover takes the buckets between borders apart into slots, and what is left over at their edges.
func cover(borders []time.Time, all bool) (ranges []slots, edges [][2]int64, ok bool) {
	widths := rowWidths
	if all {
		widths = allWidths
	}
	for i := range len(borders) - 1 {
		coverOne(borders[i].UnixMicro(), borders[i+1].UnixMicro(), widths, &ranges, &edges)
	}
	if len(ranges)+len(edges) <= mostRanges {
		return ranges, edges, true
	}
	from, to := borders[0].UnixMicro(), borders[len(borders)-1].UnixMicro()
	for _, w := range widths { // the widest that fits all of them
		if !slices.ContainsFunc(borders, func(b time.Time) bool { return b.UnixMicro()%w != 0 }) {
			return []slots{{w, from / w, to / w}}, nil, true
		}
	}
	return nil, nil, false
}

func coverOne(from, to int64, widths []int64, ranges *[]slots, edges *[][2]int64) {
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
		coverOne(from, to, widths[1:], ranges, edges)
		return
	}
	coverOne(from, first*w, widths[1:], ranges, edges)
	if n := len(*ranges); n > 0 && (*ranges)[n-1].width == w && (*ranges)[n-1].to == first {
		(*ranges)[n-1].to = last
	} else {
		*ranges = append(*ranges, slots{w, first, last})
	}
	coverOne(last*w, to, widths[1:], ranges, edges)
}

func floorDiv(a, b int64) int64 {
	if q := a / b; a%b >= 0 {
		return q
	}
	return a/b - 1
}

// rolled adds slots of the rollups to c.
func (s *Store) rolled(
	ctx context.Context, q *report.Query, c *report.Collector, by report.Dimension, only []string, r slots,
) error {
	wanted := map[report.Measure][]report.Measure{} // by the measure that is stored
	for _, m := range q.Measures {
		stored := rolledAs[m]
		if stored == nil {
			stored = []report.Measure{m}
		}
		for _, st := range stored {
			wanted[st] = append(wanted[st], m)
		}
		if m == report.Returning {
			wanted[report.NewContacts] = append(wanted[report.NewContacts], m)
		}
	}
	merge := func(stored report.Measure, at int64, value string, st report.Stat, encoded []byte) {
		for _, m := range wanted[stored] {
			part := st
			switch {
			case m == report.Returning && stored == report.NewContacts:
				part = report.Stat{Count: -st.Count}
			case !m.Timed() && m != report.Response:
				part = report.Stat{Count: st.Count}
			}
			c.Merge(m, at, value, part, encoded)
		}
	}
	timed := q.Quantiles && slices.ContainsFunc(q.Measures, report.Measure.Timed)
	width, from, to, columns := r.width, r.from, r.to, rolledColumns
	if width == half {
		width, from, to = day, floorDiv(from*half, day), -floorDiv(-to*half, day)
		columns = strings.Replace(columns, "sketch", "NULL", 1)
	} else {
		columns = strings.Replace(columns, "halves, half_sketches", "NULL, NULL", 1)
	}
	if !timed {
		columns = strings.NewReplacer(" sketch", " NULL", " half_sketches", " NULL").Replace(columns)
	}
	args := []any{q.Workspace, string(by)}
	for m := range wanted {
		args = append(args, string(m))
	}
	args = append(args, width, from, to)
	statement := "SELECT measure, " + columns + ` FROM convo_rollups
	WHERE workspace = ? AND dimension = ? AND measure IN (` + dialect.Placeholders(len(wanted)) + `) AND width = ? AND slot >= ? AND slot < ?`
	if only != nil {
		statement += " AND value IN (" + dialect.Placeholders(len(only)) + ")"
		for _, v := range only {
			args = append(args, v)
		}
	}
	var stored dialect.Text
	var row rolledRow
	dests := row.dests(&stored)
	return s.read(ctx, statement, args, func(scan func(...any) error) error {
		if err := scan(dests...); err != nil {
			return err
		}
		if q.By == "" {
			row.value = ""
		}
		if r.width != half {
			merge(report.Measure(stored), int64(row.slot)*width, string(row.value), row.stat, row.sketch)
			return nil
		}
		return row.eachHalf(timed, func(i int64, st report.Stat, encoded []byte) {
			if at := int64(row.slot)*day + i*half; at >= r.from*half && at < r.to*half {
				merge(report.Measure(stored), at, "", st, encoded)
			}
		})
	})
}

// rollKey is a row of the rollups.
type rollKey struct {
	dimension report.Dimension
	measure   report.Measure
	width     int64
	slot      int64
	value     string
}

// rolledRow is a row as it is read.
type rolledRow struct {
	slot                         dialect.Int
	value                        dialect.Text
	stat                         report.Stat
	sketch, halves, halfSketches []byte
}

const rolledColumns = "slot, value, number, total, least, most, sketch, halves, half_sketches"

// dests are what rolledColumns are read into.
func (r *rolledRow) dests(before ...any) []any {
	return append(before, &r.slot, &r.value, (*dialect.Int)(&r.stat.Count), (*dialect.Int)(&r.stat.Sum), (*dialect.Int)(&r.stat.Min), (*dialect.Int)(&r.stat.Max),
		&r.sketch, &r.halves, &r.halfSketches)
}

// eachHalf yields the half hours of a day, from 0 to 47, with their sketches if they were read.
func (r *rolledRow) eachHalf(sketched bool, yield func(i int64, st report.Stat, sketch []byte)) error {
	at := int64(0)
	for halves, sketches := r.halves, r.halfSketches; len(halves) > 0; {
		var n [6]int64 // how many later, a Stat, and the length of the sketch
		for i := range n {
			u, size := binary.Uvarint(halves)
			if size <= 0 || u > math.MaxInt64 {
				return errSketch
			}
			n[i], halves = int64(u), halves[size:]
		}
		size := n[5]
		if !sketched {
			size = 0
		}
		if n[0] >= day/half-at || size > int64(len(sketches)) {
			return errSketch
		}
		at += n[0]
		yield(at, report.Stat{Count: n[1], Sum: n[2], Min: n[3], Max: n[4]}, sketches[:size:size])
		sketches = sketches[size:]
	}
	return nil
}

// rolling is a row in the making.
type rolling struct {
	report.Stat
	values  []int64 // durations that are not in the sketch yet
	encoded []byte  // the sketch that is there
	halves  map[int64]*rolling
}

func (r *rolling) add(st report.Stat) {
	if r.Count == 0 {
		r.Stat = st
		return
	}
	r.Count, r.Sum, r.Min, r.Max = r.Count+st.Count, r.Sum+st.Sum, min(r.Min, st.Min), max(r.Max, st.Max)
}

// half is a half hour of a day.
func (r *rolling) half(i int64) *rolling {
	if r.halves == nil {
		r.halves = map[int64]*rolling{}
	}
	h := r.halves[i]
	if h == nil {
		h = &rolling{}
		r.halves[i] = h
	}
	return h
}

// encode is the sketch, if there is one, and the half hours as eachHalf reads them.
func (r *rolling) encode() (sketch, halves, halfSketches []byte, err error) {
	if len(r.encoded)+len(r.values) > 0 {
		if sketch, err = merged(r.encoded, r.values); err != nil {
			return nil, nil, nil, err
		}
	}
	last := int64(0)
	for _, i := range slices.Sorted(maps.Keys(r.halves)) {
		h := r.halves[i]
		s, _, _, err := h.encode()
		if err != nil {
			return nil, nil, nil, err
		}
		for _, n := range []int64{i - last, h.Count, h.Sum, h.Min, h.Max, int64(len(s))} {
			halves = binary.AppendUvarint(halves, uint64(n)) //nolint:gosec // none is negative
		}
		halfSketches, last = append(halfSketches, s...), i
	}
	return sketch, halves, halfSketches, nil
}

// DefaultRollup is how many cycles Rollup takes when it is not told. A few hundred bytes each are kept in memory meanwhile.
const DefaultRollup = 10_000

// Rollup adds up to limit cycles (0: DefaultRollup) of one workspace that were closed since to the rollups, which make long reports
// quick, and returns how many. Call it in the background, every minute or so, until it returns 0; without it, reports are right as
// well. Several may run at once.
func (s *Store) Rollup(ctx context.Context, limit int) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if limit <= 0 {
		limit = DefaultRollup
	}
	var workspace dialect.Text
	found, err := s.row(ctx, "SELECT workspace FROM convo_cycles"+s.d.PendingIndex+" WHERE unrolled = 1 LIMIT 1", nil, []any{&workspace})
	if err != nil || !found {
		return 0, err
	}
	err = s.alone(ctx, string(workspace), func(s *Store) error {
		n, err = s.rollup(ctx, string(workspace), limit)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// alone carries out f in a transaction in which nobody else changes the rollups of a workspace.
func (s *Store) alone(ctx context.Context, workspace string, f func(*Store) error) error {
	lock := []any{workspace, "", "", 0, 0, ""}
	work := func(t *transaction) error {
		w := *s
		w.tx = t
		if s.d.Lock != "" {
			if err := t.hold(ctx, lock); err != nil {
				return err
			}
		}
		return f(&w)
	}
	if s.writer != nil {
		return s.write(ctx, work)
	}
	return s.transact(ctx, work)
}

// hold holds the row of the rollups that stands for all of them, and makes it if need be.
func (t *transaction) hold(ctx context.Context, row []any) error {
	for {
		found, err := t.count(ctx, "SELECT number FROM convo_rollups"+rollupAt+" FOR UPDATE", row...)
		if err != nil || found > 0 {
			return err
		}
		written, err := t.insert(ctx, `INSERT INTO convo_rollups
		(workspace, dimension, measure, width, slot, value, number, total, least, most) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0)`, row...)
		if err != nil || written { // else somebody else has just made it: wait for him
			return err
		}
	}
}

// rollup takes the oldest cycles, adds them up, and marks them.
func (s *Store) rollup(ctx context.Context, workspace string, limit int) (n int, err error) {
	rows := map[rollKey]*rolling{}
	taken := map[int][]any{} // conversations by the number of their cycle
	statement := source(false, "SELECT "+reportedColumns(false)+" FROM "+closedCycles+s.d.PendingIndex+
		" WHERE y.workspace = ? AND y.unrolled = 1 ORDER BY y.closed_at LIMIT ?")
	err = s.read(ctx, statement, []any{workspace, limit}, func(scan func(...any) error) error {
		var y report.Cycle
		if err := scan(reportedDests(&y)...); err != nil {
			return err
		}
		n++
		taken[y.Number] = append(taken[y.Number], s.d.ID(y.Conversation))
		roll(rows, &y, true)
		return nil
	})
	if err != nil || n == 0 {
		return 0, err
	}
	if err := s.addUp(ctx, workspace, rows); err != nil {
		return 0, err
	}
	// By their keys, for others that are as old may be closed meanwhile.
	marked := int64(0)
	for number, conversations := range taken {
		for chunk := range slices.Chunk(conversations, cyclesAtOnce) {
			m, err := s.change(ctx, "UPDATE convo_cycles SET unrolled = NULL WHERE workspace = ? AND unrolled = 1 AND number = ? AND conversation IN ("+
				dialect.Placeholders(len(chunk))+")", append([]any{workspace, number}, chunk...))
			if err != nil {
				return 0, err
			}
			marked += m
		}
	}
	if marked != int64(n) {
		return 0, fmt.Errorf("sqlstore: %w: somebody else marked cycles meanwhile", convo.ErrConflict)
	}
	return n, nil
}

// change carries out a statement that is put together for its arguments, and returns how many rows it changed.
func (s *Store) change(ctx context.Context, statement string, args []any) (int64, error) {
	r, err := s.tx.tx.ExecContext(ctx, s.d.Text(statement, s.prefix), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// How many rows are written with a statement.
const (
	rollupsAtOnce = 50
	cyclesAtOnce  = 500
)

// roll adds a cycle to the rows that it belongs to, and to what their sketches are made of.
func roll(rows map[rollKey]*rolling, y *report.Cycle, sketches bool) {
	for _, m := range rolledMeasures {
		number, total := m.Of(y)
		at := m.Basis().At(y)
		if number == 0 || at.IsZero() {
			continue
		}
		add := func(r *rolling) {
			r.add(report.Stat{Count: number, Sum: total, Min: total, Max: total})
			if sketches && m.Timed() {
				r.values = append(r.values, total)
			}
		}
		micros := at.UnixMicro()
		row := func(d report.Dimension, value string, width int64) *rolling {
			k := rollKey{d, m, width, floorDiv(micros, width), value}
			r := rows[k]
			if r == nil {
				r = &rolling{}
				rows[k] = r
			}
			return r
		}
		for _, w := range rowWidths {
			add(row("", "", w))
			for _, d := range rolledDimensions[m.Basis()] {
				add(row(d, d.Of(y), w))
			}
		}
		add(row("", "", day).half(floorDiv(micros, half) - floorDiv(micros, day)*(day/half)))
	}
}

const rollupAt = ` WHERE workspace = ? AND dimension = ? AND measure = ? AND width = ? AND slot = ? AND value = ?`

// compare orders rows as their key does.
func (k rollKey) compare(l rollKey) int {
	return cmp.Or(cmp.Compare(k.dimension, l.dimension), cmp.Compare(k.measure, l.measure), cmp.Compare(k.width, l.width),
		cmp.Compare(k.slot, l.slot), cmp.Compare(k.value, l.value))
}

// addUp adds rows to those that are there: it reads them slot after slot, and writes many with a statement.
func (s *Store) addUp(ctx context.Context, workspace string, rows map[rollKey]*rolling) error {
	keys := slices.SortedFunc(maps.Keys(rows), rollKey.compare)
	for from := 0; from < len(keys); {
		k, to := keys[from], from
		for to < len(keys) && keys[to].dimension == k.dimension && keys[to].measure == k.measure && keys[to].width == k.width {
			to++
		}
		if err := s.addThere(ctx, workspace, rows, k, keys[to-1].slot); err != nil {
			return err
		}
		from = to
	}
	for chunk := range slices.Chunk(keys, rollupsAtOnce) {
		args := make([]any, 0, 13*len(chunk))
		for _, k := range chunk {
			r := rows[k]
			sketch, halves, halfSketches, err := r.encode()
			if err != nil {
				return err
			}
			args = append(args, workspace, string(k.dimension), string(k.measure), k.width, k.slot, k.value, r.Count, r.Sum, r.Min, r.Max,
				sketch, halves, halfSketches)
		}
		statement := `INSERT INTO convo_rollups (workspace, dimension, measure, width, ` + rolledColumns + `)
		VALUES (` + strings.Repeat(dialect.Placeholders(13)+"), (", len(chunk)-1) + dialect.Placeholders(13) + ")" + s.d.UpsertRollups
		if _, err := s.change(ctx, statement, args); err != nil {
			return err
		}
	}
	return nil
}

// addThere adds what is there, from the slot of k up to another one, to the rows that are to be written.
func (s *Store) addThere(ctx context.Context, workspace string, rows map[rollKey]*rolling, k rollKey, last int64) error {
	var row rolledRow
	dests := row.dests()
	return s.rows(ctx, `SELECT `+rolledColumns+` FROM convo_rollups
	WHERE workspace = ? AND dimension = ? AND measure = ? AND width = ? AND slot >= ? AND slot <= ?`,
		[]any{workspace, string(k.dimension), string(k.measure), k.width, k.slot, last},
		func(scan func(...any) error) error {
			if err := scan(dests...); err != nil {
				return err
			}
			k.slot, k.value = int64(row.slot), string(row.value)
			r := rows[k]
			if r == nil {
				return nil
			}
			r.add(row.stat)
			r.encoded = row.sketch
			return row.eachHalf(true, func(i int64, st report.Stat, encoded []byte) {
				h := r.half(i)
				h.add(st)
				h.encoded = encoded
			})
		})
}

// RebuildRollups empties the rollups of a workspace and begins them anew: call Rollup until it returns 0 then. Reports are right
// meanwhile.
func (s *Store) RebuildRollups(ctx context.Context, workspace string) error {
	return s.alone(ctx, workspace, func(s *Store) error {
		if _, err := s.tx.update(ctx, "DELETE FROM convo_rollups WHERE workspace = ? AND measure <> ''", workspace); err != nil {
			return err
		}
		_, err := s.tx.update(ctx, "UPDATE convo_cycles SET unrolled = 1 WHERE workspace = ? AND unrolled IS NULL", workspace)
		return err
	})
}

// CheckRollups compares the rollups of a workspace with the cycles that they hold, all of which it reads. It returns what
// differs; RebuildRollups mends it.
func (s *Store) CheckRollups(ctx context.Context, workspace string) (differences []string, err error) {
	want := map[rollKey]*rolling{}
	err = s.snapshot(ctx, func(s *Store) error {
		statement := source(false, "SELECT "+reportedColumns(false)+" FROM "+closedCycles+
			" WHERE y.workspace = ? AND y.unrolled IS NULL")
		err := s.read(ctx, statement, []any{workspace}, func(scan func(...any) error) error {
			var y report.Cycle
			if err := scan(reportedDests(&y)...); err != nil {
				return err
			}
			roll(want, &y, false)
			return nil
		})
		if err != nil {
			return err
		}
		var dimension, measure dialect.Text
		var width dialect.Int
		var row rolledRow
		dests := row.dests(&dimension, &measure, &width)
		tried := newSketch()
		return s.read(ctx, `SELECT dimension, measure, width, `+rolledColumns+` FROM convo_rollups
		WHERE workspace = ? AND measure <> ''`, []any{workspace}, func(scan func(...any) error) error {
			if err := scan(dests...); err != nil {
				return err
			}
			k := rollKey{report.Dimension(dimension), report.Measure(measure), int64(width), int64(row.slot), string(row.value)}
			got := &rolling{Stat: row.stat, encoded: row.sketch}
			damaged := row.eachHalf(true, func(i int64, st report.Stat, encoded []byte) {
				*got.half(i) = rolling{Stat: st, encoded: encoded}
			})
			r := want[k]
			delete(want, k)
			switch {
			case r == nil:
				differences = append(differences, fmt.Sprintf("%+v: no cycle belongs there", k))
			case damaged != nil || !got.holds(r, k.measure.Timed(), tried):
				differences = append(differences, fmt.Sprintf("%+v: %+v instead of %+v, or its sketches or half hours", k, got.Stat, r.Stat))
			}
			return nil
		})
	})
	for k := range maps.Keys(want) {
		differences = append(differences, fmt.Sprintf("%+v: is missing", k))
	}
	slices.Sort(differences)
	return differences, err
}

// holds reports whether r is what was added up anew, and its sketches may be of that. They are tried in s.
func (r *rolling) holds(want *rolling, timed bool, s sketch) bool {
	if r.Count != want.Count || r.Sum != want.Sum || r.Min != want.Min || r.Max != want.Max || len(r.halves) != len(want.halves) {
		return false
	}
	if timed {
		s.Reset()
		near := func(q float64, v int64) bool { return math.Abs(s.Quantile(q)-float64(v)) <= float64(v)/100 }
		if s.Merge(r.encoded) != nil || s.h.TotalCount() != r.Count || !near(0, r.Min) || !near(1, r.Max) {
			return false
		}
	}
	for i, h := range r.halves {
		if want.halves[i] == nil || !h.holds(want.halves[i], timed, s) {
			return false
		}
	}
	return true
}
