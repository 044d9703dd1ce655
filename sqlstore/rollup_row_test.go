package sqlstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/report"
)

// What this version of the rollups has rows of. When it changes, raise rollupVersion, so that
// rollups which lack the new rows are not read, and write down here what there is now.
func TestTheVersionOfRollupsIsRaisedWithWhatIsInThem(t *testing.T) {
	require.Equal(t, 5, rollupVersion)
	require.LessOrEqual(t, len(rolledMeasures), mostMeasures)
	bySubject := map[report.Subject]string{}
	for _, all := range rolledByKind {
		for _, r := range all {
			text := fmt.Sprint(int(r.subject), ":")
			for _, m := range r.measures {
				text += fmt.Sprint(" ", m.place, " ", rolledMeasures[m.place])
			}
			var names []report.Dimension
			for _, d := range r.dimensions {
				names = append(names, d.Dimension)
			}
			bySubject[r.subject] = text + fmt.Sprint(" by ", names)
		}
	}
	require.Equal(t, []string{
		"0: 0 opened_new 1 reopened 2 new_contacts by [channel lane opened_source team " +
			"assignee opener closer actor_type contact_type priority label]",
		"10: 29 deadlines_met 30 deadlines_missed 31 deadlines_passed by [channel lane " +
			"opened_source team assignee contact_type status priority label deadline target]",
		"1: 3 one_touch 4 automated 5 resolution 6 active_resolution 7 first_resolution " +
			"8 last_resolution by [channel lane opened_source closed_source team assignee " +
			"closer actor_type contact_type status priority label]",
		"2: 9 first_response 10 response 11 handover_first_response 12 handover_response " +
			"by [channel lane opened_source team assignee author actor_type contact_type " +
			"status priority label]",
		"3: 13 assigned 14 unassigned 15 transfers 16 assignment by [channel lane " +
			"opened_source team assignee assigned_from assigned_by actor_type contact_type " +
			"status priority label]",
		"4: 17 handling by [channel lane opened_source team assignee contact_type status " +
			"priority label]",
		"5: 20 open_time 21 pending_time by [channel lane opened_source team assignee " +
			"contact_type status priority label]",
		"6: 22 contact_waiting_time 23 awaiting_contact_time 24 idle_time by [channel " +
			"lane opened_source team assignee contact_type status priority label]",
		"7: 25 incoming 26 outgoing_user 27 outgoing_automation 28 quiet by [channel " +
			"author actor_type contact_type]",
		"8: 18 entered by [channel lane team assignee status]",
		"9: 19 left by [channel lane team assignee status]",
	}, slices.Sorted(maps.Values(bySubject)),
		"raise rollupVersion, and list here what is in rollups now")
}

// randomSums are those of some measures in a day, and in its half hours.
func randomSums(t *testing.T, k rollupKey) *rollupSums {
	t.Helper()
	sums := newRollupSums(true)
	for place := range rolledMeasures {
		for range rand.IntN(3) {
			var s rollupRowSums
			s.add(place, stat{
				count: rand.Int64N(9) - 4, sum: rand.Int64N(1000) - 500, min: -rand.Int64N(500),
				max: rand.Int64N(500),
			})
			for range rand.IntN(4) {
				s.all[0].buckets = append(s.all[0].buckets, bucket(rand.Int64N(1_000_000)))
			}
			h := k
			h.width, h.slot = halfHour, k.slot*(day/halfHour)+rand.Int64N(day/halfHour)
			sums.row(h).addAll(&s)
			sums.row(k).addAll(&s)
		}
	}
	return sums
}

// What is stored comes back, with its sketches or without them, and is added to what is new. What is
// cut off or followed by something is damaged.
func TestAStoredRowIsReadAsItWasWritten(t *testing.T) {
	k := rollupKey{"", report.OfClosings, day, 20_000, ""}
	for range 200 {
		sums := randomSums(t, k)
		r, err := sums.encode(k)
		require.NoError(t, err)
		read := newRollupSums(true)
		require.NoError(t, read.addStored(k, &r))
		again, err := read.encode(k)
		require.NoError(t, err)
		require.Equal(t, r, again)

		n := 0
		require.NoError(t, (&rollupRow{sums: r.sums}).eachSum(false,
			func(place int, st stat, sketch []byte) {
				require.Nil(t, sketch)
				require.Equal(t, sums.rows[k].all[n].place, place)
				require.Equal(t, sums.rows[k].all[n].stat, st)
				n++
			}))
		require.Len(t, sums.rows[k].all, n)
		for _, sketched := range []bool{true, false} {
			all, halfHours := 0, 0
			for h, row := range sums.rows {
				if h.width == halfHour {
					all += len(row.all)
				}
			}
			for wanted := range rolledMeasures { // one by one
				require.NoError(t, r.eachHalfHour(sketched, func(p int) bool { return p == wanted },
					func(place, at int, st stat, sketch []byte) {
						require.Equal(t, wanted, place)
						h := k
						h.width, h.slot = halfHour, k.slot*(day/halfHour)+int64(at)
						want := sums.rows[h].of(place)
						require.Equal(t, want.stat, st)
						require.Equal(t, sketched && len(want.buckets) > 0, len(sketch) > 0)
						halfHours++
					}))
			}
			require.Equal(t, all, halfHours)
		}
		damaged := func(r rollupRow) {
			err := newRollupSums(true).addStored(k, &r)
			if err == nil { // cut off between two measures without sketches
				again := newRollupSums(true)
				require.NoError(t, again.addStored(k, &r))
				require.NotEqual(t, read.rows, again.rows)
			}
		}
		for _, of := range []func(*rollupRow) *[]byte{
			func(r *rollupRow) *[]byte { return &r.sums },
			func(r *rollupRow) *[]byte { return &r.sketches },
			func(r *rollupRow) *[]byte { return &r.halfHours },
			func(r *rollupRow) *[]byte { return &r.halfHourSketches },
		} {
			for at := range *of(&r) {
				cut := r
				*of(&cut) = (*of(&r))[:at]
				damaged(cut)
			}
			longer := r
			*of(&longer) = append(slices.Clone(*of(&r)), 0x7f)
			require.ErrorIs(t, newRollupSums(true).addStored(k, &longer), errDamaged)
		}
	}
}

// A row that was written twice has what was added once, and once again.
func TestWhatIsNewIsAddedToWhatIsStored(t *testing.T) {
	k := rollupKey{"", report.OfReplies, day, 20_000, ""}
	total := newRollupSums(true)
	var stored rollupRow
	for range 10 {
		sums := randomSums(t, k)
		for k, row := range sums.rows {
			total.row(k).addAll(row)
		}
		require.NoError(t, sums.addStored(k, &stored))
		var err error
		stored, err = sums.encode(k)
		require.NoError(t, err)
	}
	atOnce, err := total.encode(k)
	require.NoError(t, err)
	require.Equal(t, atOnce, stored)
}

// A server takes statements of up to a megabyte, if that is all it is allowed.
func TestAStatementHasFewRowsWhereTheyAreLarge(t *testing.T) {
	for bytes, want := range map[int]int{10: 50, 10_000: 26, 200_000: 1, 2 * bytesAtOnce: 1} {
		m := manyRows{atOnce: writtenAtOnce}
		for !m.full(bytes) {
			m.add(bytes)
		}
		require.Equal(t, want, m.rows, "%d", bytes)
	}
}
