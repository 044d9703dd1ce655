package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// RebuildRollups empties the rollups of a workspace, so that Rollup makes them anew: call that
// until it says that there is no more. Reports are right meanwhile.
func (s *Store) RebuildRollups(ctx context.Context, workspace string) error {
	return s.holdRollups(ctx, workspace, func(s *Store, _ int64) error {
		return s.resetRollups(ctx, workspace)
	})
}

// resetRollups empties the rollups of a workspace, and notes that all of its events are in none.
func (s *Store) resetRollups(ctx context.Context, workspace string) error {
	for _, statement := range []string{
		"DELETE FROM convo_rollups WHERE workspace = ? AND measure <> ''",
		"INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations " +
			"WHERE workspace = ?" + s.d.RestartQueued,
		fmt.Sprintf(`UPDATE convo_rollups SET value_count = %d
		WHERE workspace = ? AND measure = ''`, rollupVersion),
	} {
		if _, err := s.tx.update(ctx, statement, workspace); err != nil {
			return err
		}
	}
	return nil
}

// CheckRollups compares the rollups of a workspace with the events that they hold, all of which it
// reads. It returns what differs, a line for each row; RebuildRollups mends it.
func (s *Store) CheckRollups(
	ctx context.Context, workspace string,
) (differences []string, err error) {
	want := rollupSums{}
	err = s.snapshot(ctx, func(s *Store) error {
		err := s.readReported(ctx, notPending, "ev.workspace = ?", []any{workspace},
			func(y *report.Entry) { want.addEntry(y, false) })
		if err != nil {
			return err
		}
		var version dialect.Int
		found, err := s.row(ctx, "SELECT value_count"+versionRow, []any{workspace}, []any{&version})
		if err != nil {
			return err
		}
		if found && version != rollupVersion {
			differences = append(differences, fmt.Sprintf("rollups are of version %d, not %d: "+
				"reports do not read them", version, rollupVersion))
		}
		var dimension, measure dialect.Text
		var width dialect.Int
		var row rollupRow
		dests := row.dests(&dimension, &measure, &width)
		tried := newSketch()
		return s.read(ctx, `SELECT dimension, measure, slot_micros, `+rollupColumns+`
		FROM convo_rollups WHERE workspace = ? AND measure <> ''`, []any{workspace},
			func(scan func(...any) error) error {
				if err := scan(dests...); err != nil {
					return err
				}
				k := rollupKey{
					report.Dimension(dimension), report.Measure(measure), int64(width),
					int64(row.slot), string(row.value),
				}
				if difference := row.compare(k, want[k], tried); difference != "" {
					differences = append(differences, difference)
				}
				delete(want, k)
				return nil
			})
	})
	if err != nil {
		return nil, err
	}
	for k := range maps.Keys(want) {
		differences = append(differences, fmt.Sprintf("%+v: is missing", k))
	}
	slices.Sort(differences)
	return differences, nil
}

// compare says how a row differs from what was added up anew, nil if no event belongs there; empty
// if it does not. Sketches are tried in tried.
func (r *rollupRow) compare(k rollupKey, want *rollupSum, tried sketch) string {
	if want == nil {
		return fmt.Sprintf("%+v: no event belongs there", k)
	}
	got := &rollupSum{Stat: r.stat, sketch: r.sketch}
	damaged := r.eachHalfHour(true, func(i int64, st report.Stat, sketch []byte) {
		*got.halfHour(i) = rollupSum{Stat: st, sketch: sketch}
	})
	if damaged != nil || !got.holds(want, k.measure.Timed(), tried) {
		return fmt.Sprintf("%+v: %+v instead of %+v, or its sketches or half hours",
			k, got.Stat, want.Stat)
	}
	return ""
}

// holds reports whether r is what was added up anew, and its sketches may be of that. They are
// tried in s.
func (r *rollupSum) holds(want *rollupSum, timed bool, s sketch) bool {
	if r.Count != want.Count || r.Sum != want.Sum || r.Min != want.Min || r.Max != want.Max ||
		len(r.halfHours) != len(want.halfHours) {
		return false
	}
	if timed {
		s.Reset()
		near := func(q float64, v int64) bool {
			return math.Abs(s.Quantile(q)-float64(v)) <= float64(v)/100
		}
		if s.Merge(r.sketch) != nil || s.h.TotalCount() != r.Count ||
			!near(0, r.Min) || !near(1, r.Max) {
			return false
		}
	}
	for i, h := range r.halfHours {
		if want.halfHours[i] == nil || !h.holds(want.halfHours[i], timed, s) {
			return false
		}
	}
	return true
}
