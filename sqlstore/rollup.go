package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo/report"
)

// Rollups hold what closed cycles come to, by slots of time, so that a report need not read each cycle. The cycles that they hold
// are marked; a report adds those that are not to them. So rollups never make an answer stale, only quicker.

// The widths of slots, in microseconds, the widest first. Half hours are for the zones that need them, 32 days for long periods.
var (
	allWidths   = []int64{32 * day, day, hour, hour / 2}
	groupWidths = []int64{32 * day, day} // by dimension
)

const (
	hour = int64(time.Hour / time.Microsecond)
	day  = 24 * hour
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
	widths := groupWidths
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
	args := []any{q.Workspace, string(by)}
	for m := range wanted {
		args = append(args, string(m))
	}
	args = append(args, r.width, r.from, r.to)
	sketches := ", NULL"
	if q.Quantiles && slices.ContainsFunc(q.Measures, report.Measure.Timed) {
		sketches = ", sketch"
	}
	statement := "SELECT measure, slot, value, number, total, least, most" + sketches + ` FROM convo_rollups
	WHERE workspace = ? AND dimension = ? AND measure IN (` + marks(len(wanted)) + `) AND width = ? AND slot >= ? AND slot < ?`
	if only != nil {
		statement += " AND value IN (" + marks(len(only)) + ")"
		for _, v := range only {
			args = append(args, v)
		}
	}
	var stored, value asText
	var slot, number, total, least, most asInt
	return s.read(ctx, statement, args, func(scan func(...any) error) error {
		var encoded []byte
		if err := scan(&stored, &slot, &value, &number, &total, &least, &most, &encoded); err != nil {
			return err
		}
		if q.By == "" {
			value = ""
		}
		st := report.Stat{Count: int64(number), Sum: int64(total), Min: int64(least), Max: int64(most)}
		for _, m := range wanted[report.Measure(stored)] {
			part := st
			switch {
			case m == report.Returning && stored == asText(report.NewContacts):
				part = report.Stat{Count: -st.Count}
			case !m.Timed() && m != report.Response:
				part = report.Stat{Count: st.Count}
			}
			c.Merge(m, int64(slot)*r.width, string(value), part, encoded)
		}
		return nil
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

// rolling is what is added to a row.
type rolling struct {
	report.Stat
	values  []int64 // durations, for the sketch
	encoded []byte  // the sketch that is there
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
	var workspace asText
	found, err := s.row(ctx, "SELECT workspace FROM convo_cycles"+s.d.unrolled+" WHERE unrolled = 1 LIMIT 1", nil, []any{&workspace})
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
		if s.d.lock != "" {
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

// rollup takes cycles by marking them first: others may be closed meanwhile that are as old.
func (s *Store) rollup(ctx context.Context, workspace string, limit int) (n int, err error) {
	take := `UPDATE convo_cycles SET unrolled = 2 WHERE workspace = ? AND unrolled = 1 AND (conversation, number) IN (
		SELECT conversation, number FROM convo_cycles` + s.d.unrolled + ` WHERE workspace = ? AND unrolled = 1 ORDER BY closed_at LIMIT ?)`
	args := []any{workspace, workspace, limit}
	if s.d.goose == "mysql" {
		take = `UPDATE convo_cycles` + s.d.unrolled + ` SET unrolled = 2 WHERE workspace = ? AND unrolled = 1 ORDER BY closed_at LIMIT ?`
		args = args[1:]
	}
	if _, err := s.tx.update(ctx, take, args...); err != nil {
		return 0, err
	}
	rows := map[rollKey]*rolling{}
	statement := source(false, "SELECT "+reportedColumns(false)+" FROM "+closedCycles+s.d.unrolled+
		" WHERE y.workspace = ? AND y.unrolled = 2")
	err = s.read(ctx, statement, []any{workspace}, func(scan func(...any) error) error {
		var y report.Cycle
		if err := scan(reportedDests(&y)...); err != nil {
			return err
		}
		n++
		roll(rows, &y, true)
		return nil
	})
	if err != nil || n == 0 {
		return 0, err
	}
	if err := s.addUp(ctx, workspace, rows); err != nil {
		return 0, err
	}
	_, err = s.tx.update(ctx, "UPDATE convo_cycles"+s.d.unrolled+" SET unrolled = NULL WHERE workspace = ? AND unrolled = 2", workspace)
	return n, err
}

// roll adds a cycle to the rows that it belongs to, and to what their sketches are made of.
func roll(rows map[rollKey]*rolling, y *report.Cycle, sketches bool) {
	for _, m := range rolledMeasures {
		number, total := m.Of(y)
		at := m.Basis().At(y)
		if number == 0 || at.IsZero() {
			continue
		}
		add := func(d report.Dimension, widths []int64, value string) {
			for _, w := range widths {
				k := rollKey{d, m, w, floorDiv(at.UnixMicro(), w), value}
				r := rows[k]
				if r == nil {
					r = &rolling{Stat: report.Stat{Min: total}}
					rows[k] = r
				}
				r.Count, r.Sum, r.Min, r.Max = r.Count+number, r.Sum+total, min(r.Min, total), max(r.Max, total)
				if sketches && m.Timed() {
					r.values = append(r.values, total)
				}
			}
		}
		add("", allWidths, "")
		for _, d := range rolledDimensions[m.Basis()] {
			add(d, groupWidths, d.Of(y))
		}
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
		args := make([]any, 0, 11*len(chunk))
		for _, k := range chunk {
			r := rows[k]
			var sketch any
			if k.measure.Timed() {
				encoded, err := merged(r.encoded, r.values)
				if err != nil {
					return err
				}
				sketch = encoded
			}
			args = append(args, workspace, string(k.dimension), string(k.measure), k.width, k.slot, k.value, r.Count, r.Sum, r.Min, r.Max, sketch)
		}
		statement := `INSERT INTO convo_rollups (workspace, dimension, measure, width, slot, value, number, total, least, most, sketch)
		VALUES (` + strings.Repeat(marks(11)+"), (", len(chunk)-1) + marks(11) + ")" + s.d.upsertRollups
		if _, err := s.tx.update(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// rollupsAtOnce is how many rows are written with a statement.
const rollupsAtOnce = 50

// addThere adds what is there, from the slot of k up to another one, to the rows that are to be written.
func (s *Store) addThere(ctx context.Context, workspace string, rows map[rollKey]*rolling, k rollKey, last int64) error {
	var value asText
	var slot, number, total, least, most asInt
	return s.rows(ctx, `SELECT slot, value, number, total, least, most, sketch FROM convo_rollups
	WHERE workspace = ? AND dimension = ? AND measure = ? AND width = ? AND slot >= ? AND slot <= ?`,
		[]any{workspace, string(k.dimension), string(k.measure), k.width, k.slot, last},
		func(scan func(...any) error) error {
			var encoded []byte
			if err := scan(&slot, &value, &number, &total, &least, &most, &encoded); err != nil {
				return err
			}
			k.slot, k.value = int64(slot), string(value)
			if r := rows[k]; r != nil {
				r.Count, r.Sum, r.encoded = r.Count+int64(number), r.Sum+int64(total), encoded
				r.Min, r.Max = min(r.Min, int64(least)), max(r.Max, int64(most))
			}
			return nil
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
		var dimension, measure, value asText
		var width, slot, number, total, least, most asInt
		return s.read(ctx, `SELECT dimension, measure, width, slot, value, number, total, least, most, sketch FROM convo_rollups
		WHERE workspace = ? AND measure <> ''`, []any{workspace}, func(scan func(...any) error) error {
			var encoded []byte
			if err := scan(&dimension, &measure, &width, &slot, &value, &number, &total, &least, &most, &encoded); err != nil {
				return err
			}
			k := rollKey{report.Dimension(dimension), report.Measure(measure), int64(width), int64(slot), string(value)}
			r := want[k]
			delete(want, k)
			if r == nil {
				differences = append(differences, fmt.Sprintf("%+v: no cycle belongs there", k))
				return nil
			}
			got := report.Stat{Count: int64(number), Sum: int64(total), Min: int64(least), Max: int64(most)}
			if got.Count != r.Count || got.Sum != r.Sum || got.Min != r.Min || got.Max != r.Max ||
				k.measure.Timed() && !sketched(encoded, &got) {
				differences = append(differences, fmt.Sprintf("%+v: %+v instead of %+v", k, got, r.Stat))
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

// sketched reports whether encoded may be the sketch of what st says.
func sketched(encoded []byte, st *report.Stat) bool {
	s := newSketch()
	if err := s.Merge(encoded); err != nil || s.h.TotalCount() != st.Count {
		return false
	}
	near := func(q float64, v int64) bool { return math.Abs(s.Quantile(q)-float64(v)) <= float64(v)/100 }
	return near(0, st.Min) && near(1, st.Max)
}
