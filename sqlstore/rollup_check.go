package sqlstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// RebuildRollups empties the rollups of a workspace, so that Rollup makes them anew: call that
// until it says that there is no more. Reports are right meanwhile. But conversations that were
// removed by their age are counted no more: only the rollups had them.
func (s *Store) RebuildRollups(ctx context.Context, workspace string) error {
	return s.holdRollups(ctx, workspace, func(s *Store, _ int64) error {
		return s.resetRollups(ctx, workspace)
	})
}

// resetRollups empties the rollups of a workspace, and notes that all of its events are in none.
func (s *Store) resetRollups(ctx context.Context, workspace string) error {
	for _, statement := range []string{
		"DELETE FROM convo_rollups WHERE workspace = ? AND slot_micros > 0",
		"INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations " +
			"WHERE workspace = ?" + s.d.RestartQueued,
		fmt.Sprintf("UPDATE convo_rollups SET version = %d, removed_to = NULL "+
			"WHERE workspace = ?", rollupVersion),
	} {
		if _, err := s.tx.update(ctx, statement, workspace); err != nil {
			return err
		}
	}
	return nil
}

// CheckRollups compares the rollups of a workspace with the events that they hold, all of which it
// reads. It returns what differs, a line for each measure in a row; RebuildRollups mends it. Where
// conversations were removed by their age, it compares only the slots that begin behind the last
// event of all of these: what is before cannot be told any more.
func (s *Store) CheckRollups(
	ctx context.Context, workspace string,
) (differences []string, err error) {
	want := newRollupSums(false)
	differ := func(k rollupKey, what string, args ...any) {
		differences = append(differences, fmt.Sprintf("%+v: ", k)+fmt.Sprintf(what, args...))
	}
	err = s.snapshot(ctx, func(s *Store) error {
		err := s.readReported(ctx, notPending, "ev.workspace = ?", []any{workspace}, want.addEntry)
		if err != nil {
			return err
		}
		want.widen()
		var version dialect.Int
		var removed dialect.Micros
		found, err := s.row(ctx, "SELECT version, removed_to"+versionRow, []any{workspace},
			[]any{&version, &removed})
		if err != nil {
			return err
		}
		if found && version != rollupVersion {
			differences = append(differences, fmt.Sprintf("rollups are of version %d, not %d: "+
				"reports do not read them", version, rollupVersion))
		}
		var dimension dialect.Text
		var subject, width dialect.Int
		var row rollupRow
		dests := row.dests(&dimension, &subject, &width)
		tried := newSketch()
		return s.read(ctx, `SELECT dimension, subject, slot_micros, `+rollupColumns+`
		FROM convo_rollups WHERE workspace = ? AND slot_micros > 0`, []any{workspace},
			func(scan func(...any) error) error {
				if err := scan(dests...); err != nil {
					return err
				}
				k := rollupKey{
					report.Dimension(dimension), report.Subject(subject), int64(width),
					int64(row.slot), string(row.value),
				}
				got := newRollupSums(false)
				if err := got.addStored(k, &row); err != nil {
					differ(k, "%v", err)
				}
				for k, sums := range got.rows {
					if !time.Time(removed).IsZero() && // it has what is in no log any more
						k.slot*k.width <= time.Time(removed).UnixMicro() {
						delete(want.rows, k)
						continue
					}
					compareSums(k, sums, want.rows[k], tried, differ)
					delete(want.rows, k)
				}
				return nil
			})
	})
	if err != nil {
		return nil, err
	}
	for k := range want.rows {
		differ(k, "is missing")
	}
	slices.Sort(differences)
	return differences, nil
}

// compareSums tells how a row, or a half hour of one, differs from what was added up anew, nil if
// no event belongs there. Sketches are tried in tried.
func compareSums(
	k rollupKey, got, want *rollupRowSums, tried sketch,
	differ func(k rollupKey, what string, args ...any),
) {
	if want == nil {
		differ(k, "no event belongs there")
		return
	}
	for place, m := range rolledMeasures {
		switch s, is := got.of(place), want.of(place); {
		case s == nil && is == nil:
		case s == nil:
			differ(k, "%s is missing", m)
		case is == nil:
			differ(k, "%s: no event counts there", m)
		case s.stat != is.stat:
			differ(k, "%s: %+v instead of %+v", m, s.stat, is.stat)
		case !s.sketchFits(m.Timed(), tried):
			differ(k, "%s: another sketch than of %+v", m, s.stat)
		}
	}
}

// sketchFits reports whether the sketch of s, if it has to have one, may be of its stat. It is
// tried in tried.
func (s *rollupSum) sketchFits(timed bool, tried sketch) bool {
	if !timed {
		return len(s.sketch) == 0
	}
	tried.Reset()
	if tried.Decode(s.sketch, tried.Record) != nil || tried.h.TotalCount() != s.count {
		return false
	}
	near := func(of float64, v int64) bool { return math.Abs(of-float64(v)) <= float64(v)/100 }
	ends := tried.Quantiles(0, 1)
	return near(ends[0], s.min) && near(ends[1], s.max)
}
