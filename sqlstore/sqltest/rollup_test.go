package sqlstore_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// withCycles is a store with some 3,000 cycles, opened in 2025.
func withCycles(t *testing.T, e testdb.Engine) (*sqlstore.Store, *sql.DB) {
	s, db := open(t, e)
	require.NoError(t, fill.Conversations(t.Context(), db, dialects[e], 3000))
	require.NoError(t, fill.Log(t.Context(), db, dialects[e], 3000))
	return s, db
}

var (
	new2025 = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	new2026 = new2025.AddDate(1, 0, 0)
)

func closedIn2025(t *testing.T, s report.Store, by report.Dimension) map[string]report.Stat {
	cells, err := s.Aggregate(t.Context(), report.Aggregation{
		Workspace: fill.Workspace, Measures: []report.Measure{report.Resolution},
		Boundaries: []time.Time{new2025, new2026}, GroupBy: by,
	})
	require.NoError(t, err)
	all := map[string]report.Stat{}
	for _, c := range cells {
		all[c.Value] = c.Stat
	}
	return all
}

func rollupAll(t *testing.T, s *sqlstore.Store, limit int) (all int) {
	t.Helper()
	for more := true; more; {
		n, m, err := s.Rollup(t.Context(), limit)
		require.NoError(t, err)
		all, more = all+n, m
	}
	return all
}

func TestRollupsAreCheckedAndRebuilt(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := withCycles(t, e)
		before := closedIn2025(t, s, "")
		var conversations int
		require.NoError(t,
			db.QueryRow("SELECT count(*) FROM convo_conversations").Scan(&conversations))
		assert.Equal(t, conversations, rollupAll(t, s, 700), "each workspace, in parts")
		check := func() []string {
			differences, err := s.CheckRollups(t.Context(), fill.Workspace)
			require.NoError(t, err)
			return differences
		}
		require.Empty(t, check())
		require.Equal(t, before[""].Count, closedIn2025(t, s, "")[""].Count)

		for _, damage := range []string{
			"UPDATE {} SET sums = NULL WHERE dimension = 'team'",
			"UPDATE {} SET sums = half_hours WHERE half_hours IS NOT NULL",
			"UPDATE {} SET sketches = NULL WHERE dimension = 'channel'",
			"UPDATE {} SET half_hours = NULL WHERE dimension = ''",
			"UPDATE {} SET half_hour_sketches = NULL WHERE dimension = ''",
			"UPDATE {} SET half_hour_sketches = sketches, half_hours = sums",
			"DELETE FROM {} WHERE dimension = 'team'",
			"UPDATE {} SET slot_number = slot_number + 100000 WHERE dimension = 'channel'",
			"UPDATE {} SET subject = 100 WHERE dimension = '' AND subject = 1",
		} {
			damage = strings.Replace(damage, "{}", "convo_rollups", 1)
			_, err := db.Exec(damage)
			require.NoError(t, err)
			require.NotEmpty(t, check(), damage)
			require.NoError(t, s.RebuildRollups(t.Context(), fill.Workspace))
			require.Equal(t, before[""].Count, closedIn2025(t, s, "")[""].Count, "right meanwhile")
			rollupAll(t, s, 0)
			require.Empty(t, check(), damage)
		}

		// One more of the first measure of a row, which is the first number but one.
		const row = " WHERE dimension = 'channel' AND slot_micros = 86400000000"
		var sums []byte
		require.NoError(t, db.QueryRow("SELECT sums FROM convo_rollups"+row+
			" ORDER BY slot_number LIMIT 1").Scan(&sums))
		more := slices.Clone(sums)
		more[1] += 2
		parameters := map[testdb.Engine][]any{testdb.PostgreSQL: {"$1", "$2"}}[e]
		if parameters == nil {
			parameters = []any{"?", "?"}
		}
		_, err := db.Exec(fmt.Sprintf("UPDATE convo_rollups SET sums = %s"+row+" AND sums = %s",
			parameters...), more, sums)
		require.NoError(t, err)
		differences := check()
		require.NotEmpty(t, differences)
		for _, d := range differences {
			require.Contains(t, d, "opened_new: {count:")
			require.Contains(t, d, "instead of {count:")
		}
	})
}

func TestADamagedSketchIsToldAndNotCounted(t *testing.T) {
	s, db := withCycles(t, testdb.SQLite)
	rollupAll(t, s, 0)
	for _, column := range []string{"sums", "sketches", "half_hours", "half_hour_sketches"} {
		for _, damage := range []string{
			"x'80'", "x'0380'", "x'fcff7f0101010100'", "x'ffffffffffffffff7f01'",
			// as long as it was
			"unhex(replace(hex(zeroblob(length({}))), '00', '80'))",
			"unhex(replace(hex(zeroblob(length({}))), '00', 'ff'))",
		} {
			_, err := db.Exec("UPDATE convo_rollups SET " + column + " = " +
				strings.Replace(damage, "{}", column, 1) + " WHERE " + column + " IS NOT NULL")
			require.NoError(t, err)
			_, err = report.Run(t.Context(), s, report.Query{
				Kind: report.Resolutions, Workspace: fill.Workspace, From: new2025, To: new2026,
				Zone: "Asia/Kolkata", Bucket: report.Day,
			})
			require.ErrorContains(t, err, "RebuildRollups", column)
		}
		require.NoError(t, s.RebuildRollups(t.Context(), fill.Workspace))
		rollupAll(t, s, 0)
	}
}

// Otherwise it would be counted once more the next time.
func TestWhatCannotBeMarkedIsNotRolledUp(t *testing.T) {
	s, db := withCycles(t, testdb.SQLite)
	_, err := db.Exec(`CREATE TRIGGER stays BEFORE DELETE ON convo_rollup_queue
	WHEN random() % 2 = 0 BEGIN SELECT RAISE(IGNORE); END`)
	require.NoError(t, err)
	_, _, err = s.Rollup(t.Context(), 0)
	require.ErrorIs(t, err, convo.ErrConflict)
	var rows, left, all int
	require.NoError(t, db.QueryRow(`SELECT
		(SELECT count(*) FROM convo_rollups WHERE slot_micros > 0),
		(SELECT count(*) FROM convo_rollup_queue),
		(SELECT count(*) FROM convo_conversations)`).Scan(&rows, &left, &all))
	require.Zero(t, rows)
	require.Equal(t, all, left)
}

// While cycles are closed and rolled up, from several sides, every answer has each of them once.
func TestAnAnswerHasEachCycleOnceWhileTheyAreRolledUp(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		d := testdb.Create(t, e, fast[e]...)
		db := d.Open(t)
		s := migrated(t, db, e)
		engine := enginesOn(t, s)[0]
		const cycles = 120
		var others sync.WaitGroup
		done := make(chan struct{})
		for range 2 {
			others.Go(func() {
				for {
					_, _, err := s.Rollup(t.Context(), 7)
					if err != nil && !assert.ErrorIs(t, err, convo.ErrConflict) {
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		today := time.Now().UTC().Truncate(24 * time.Hour)
		q := report.Aggregation{
			Workspace: acme, Measures: []report.Measure{report.Resolution},
			GroupBy: report.Channel, Quantiles: true,
			Boundaries: []time.Time{today.AddDate(0, 0, -1), today.AddDate(0, 0, 2)},
		}
		for n := range int64(cycles) {
			_, err := engine.Do(t.Context(), convo.ToContact(acme, fmt.Sprint(n)),
				convo.Open{By: ana, Channel: "chat"}, convo.Close{By: ana})
			require.NoError(t, err)
			// At the default level, which may show two moments.
			tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
			require.NoError(t, err)
			for _, s := range []*sqlstore.Store{s, s.WithTx(tx), s.WithTx(tx), s.WithTx(tx)} {
				cells, err := s.Aggregate(t.Context(), q)
				require.NoError(t, err)
				require.Len(t, cells, 1)
				require.Equal(t, n+1, cells[0].Stat.Count)
			}
			require.NoError(t, tx.Rollback())
		}
		close(done)
		others.Wait()
		rollupAll(t, s, 0)
		differences, err := s.CheckRollups(t.Context(), acme)
		require.NoError(t, err)
		assert.Empty(t, differences)
	})
}

// A command holds its conversation before it notes that there is something to roll up, so that the
// note is not taken away before there is.
func TestWhatIsCommittedAmidARollupIsCounted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("one writes at a time")
		}
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		k := convo.ToContact(acme, "k")
		_, err := engine.Do(t.Context(), k, convo.Receive{Body: "hi"})
		require.NoError(t, err)
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = engine.With(s.WithTx(tx)).Do(t.Context(), k, convo.Receive{Body: "are you there?"})
		require.NoError(t, err)
		n, _, err := s.Rollup(t.Context(), 0)
		require.NoError(t, err)
		require.Zero(t, n, "it is held")
		require.NoError(t, tx.Commit())
		incoming := func() int64 {
			now := time.Now()
			a, err := report.Run(t.Context(), s, report.Query{
				Kind: report.Messages, Workspace: acme, From: now.Add(-time.Hour),
				To: now.Add(time.Hour),
			})
			require.NoError(t, err)
			return a.Total[report.Incoming].Count
		}
		require.EqualValues(t, 2, incoming())
		require.Equal(t, 1, rollupAll(t, s, 0))
		require.EqualValues(t, 2, incoming())
		differences, err := s.CheckRollups(t.Context(), acme)
		require.NoError(t, err)
		require.Empty(t, differences)
	})
}

func TestAnExportHasEveryCycleAcrossPages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := withCycles(t, e)
		var want int
		require.NoError(t, db.QueryRow(`SELECT
			(SELECT count(*) FROM convo_cycles WHERE workspace = 'acme') +
			(SELECT count(*) FROM convo_conversations WHERE workspace = 'acme' AND active)`).Scan(&want))
		require.Greater(t, want, convo.MaxPageSize)
		seen := map[string]bool{}
		var last report.Cycle
		q := report.CyclesQuery{Workspace: fill.Workspace, From: new2025, To: new2026}
		err := s.Cycles(t.Context(), q, func(y *report.Cycle) error {
			seen[y.Conversation.String()] = true
			require.Negative(t, q.Compare(&last, y))
			last = *y
			return nil
		})
		require.NoError(t, err)
		assert.Len(t, seen, want)
	})
}

// In a host's transaction a report sees what was written there.
func TestAReportInAHostsTransactionSeesWhatIsWrittenThere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		_, err := engine.Do(t.Context(), riya(acme), convo.Open{By: ana}, convo.Close{By: ana})
		require.NoError(t, err)
		rollupAll(t, s, 0)
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		inside := s.WithTx(tx)
		_, err = engine.With(inside).Do(t.Context(), convo.ToContact(acme, "tom"),
			convo.Open{By: ana}, convo.Close{By: ana})
		require.NoError(t, err)
		now := time.Now()
		a, err := report.Run(t.Context(), inside, report.Query{
			Kind: report.Conversations, Workspace: acme,
			From: now.Add(-48 * time.Hour), To: now.Add(48 * time.Hour),
		})
		require.NoError(t, err)
		assert.EqualValues(t, 2, a.Total[report.Closed].Count)
	})
}

// The second one finds no row to hold, and cannot make one while the first one makes it; a third
// one finds it there.
func TestOneCallAtATimeRollsUpAWorkspace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("one writes at a time, and holds no rows")
		}
		s, db := open(t, e)
		ctx, cancel := soon(t)
		defer cancel()
		inside, leave, left := make(chan int), make(chan struct{}), make(chan error)
		enter := func(who int) {
			go func() {
				left <- hook.Alone(ctx, s, acme, func() error {
					inside <- who
					<-leave
					return nil
				})
			}()
		}
		entered := func(who int) {
			t.Helper()
			select {
			case got := <-inside:
				require.Equal(t, who, got)
			case err := <-left:
				require.Fail(t, "left before it entered", "%d: %v", who, err)
			}
		}
		enter(1)
		entered(1)
		enter(2)
		somebodyWaits(ctx, t, db, e)
		leave <- struct{}{}
		require.NoError(t, <-left)
		entered(2)
		enter(3)
		waits := make(chan struct{})
		go func() {
			defer close(waits)
			somebodyWaits(ctx, t, db, e)
		}()
		select {
		case <-inside:
			require.Fail(t, "two are inside")
		case <-waits:
		}
		leave <- struct{}{}
		require.NoError(t, <-left)
		entered(3)
		leave <- struct{}{}
		require.NoError(t, <-left)
	})
}

// close opens and closes so many conversations in a workspace.
func closeSome(t *testing.T, e *convo.Engine, workspace string, n int) {
	t.Helper()
	for range n {
		contact := convo.ToContact(workspace, uuid.NewString())
		_, err := e.Do(t.Context(), contact, convo.Open{By: ana}, convo.Close{By: ana})
		require.NoError(t, err)
	}
}

// queued is how many conversations of a workspace are not in the rollups yet.
func queued(t *testing.T, db *sql.DB, workspace string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(
		"SELECT count(*) FROM convo_rollup_queue WHERE workspace = '"+workspace+"'").Scan(&n))
	return n
}

// A workspace in which more is closed than one call takes does not keep the others waiting.
func TestABusyWorkspaceLeavesOthersTheirTurn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		closeSome(t, engine, "quiet", 20)
		for range 20 {
			closeSome(t, engine, "busy", 3)
			_, more, err := s.Rollup(t.Context(), 3)
			require.NoError(t, err)
			require.True(t, more)
		}
		assert.LessOrEqual(t, queued(t, db, "quiet"), 2)
	})
}

// One call visits each workspace that has something to roll up once, going on after the last one's end.
func TestRollupVisitsEachWorkspaceOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		rollup := func(limit, want int, wantMore bool, left ...int) {
			t.Helper()
			n, more, err := s.Rollup(t.Context(), limit)
			require.NoError(t, err)
			require.Equal(t, want, n)
			require.Equal(t, wantMore, more)
			for i, workspace := range []string{"a", "b", "c"} {
				require.Equal(t, left[i], queued(t, db, workspace), workspace)
			}
		}
		rollup(0, 0, false, 0, 0, 0)
		for _, workspace := range []string{"a", "b", "c"} {
			closeSome(t, engine, workspace, 4)
		}
		rollup(3, 3, true, 1, 4, 4)
		rollup(6, 6, true, 1, 0, 2) // goes on after a
		rollup(2, 2, true, 0, 0, 1) // after c comes a again
		closeSome(t, engine, "a", 1)
		rollup(0, 2, false, 0, 0, 0)
		rollup(1, 0, false, 0, 0, 0)
		_, _, err := s.Rollup(t.Context(), -1)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid)
	})
}

// A workspace whose rollups cannot be written does not keep the others waiting.
func TestAWorkspaceThatFailsLeavesOthersTheirTurn(t *testing.T) {
	s, db := open(t, testdb.SQLite)
	engine := enginesOn(t, s)[0]
	closeSome(t, engine, "a", 1)
	rollupAll(t, s, 0)
	_, err := db.Exec("UPDATE convo_rollups SET half_hours = x'80' WHERE half_hours IS NOT NULL")
	require.NoError(t, err)
	closeSome(t, engine, "a", 1)
	closeSome(t, engine, "b", 1)
	failures := 0
	for range 4 {
		if _, _, err := s.Rollup(t.Context(), 0); err != nil {
			require.ErrorContains(t, err, "RebuildRollups")
			failures++
		}
	}
	assert.Positive(t, failures)
	assert.Zero(t, queued(t, db, "b"))
	assert.Equal(t, 1, queued(t, db, "a"))
}

// Rollups that an older program has made lack what is declared since: they are not read, and made
// anew. Those of a newer program are left alone.
func TestRollupsOfAnotherVersionAreNotRead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		closeSome(t, engine, acme, 3)
		rollupAll(t, s, 0)
		today := time.Now().UTC().Truncate(24 * time.Hour)
		check := func() {
			t.Helper()
			cells, err := s.Aggregate(t.Context(), report.Aggregation{
				Workspace: acme, Measures: []report.Measure{report.LastResolution},
				Boundaries: []time.Time{today.AddDate(0, 0, -1), today.AddDate(0, 0, 2)},
			})
			require.NoError(t, err)
			require.Len(t, cells, 1)
			require.EqualValues(t, 3, cells[0].Stat.Count)
		}
		for _, by := range []int{-1, 1} {
			_, err := db.Exec("DELETE FROM convo_rollups WHERE dimension = '' AND slot_micros > 0")
			require.NoError(t, err)
			_, err = db.Exec(fmt.Sprintf("UPDATE convo_rollups SET version = version + %d "+
				"WHERE slot_micros = 0", by))
			require.NoError(t, err)
			check()
			differences, err := s.CheckRollups(t.Context(), acme)
			require.NoError(t, err)
			require.Contains(t, fmt.Sprint(differences), "version")
			// else Rollup does not come by
			_, err = db.Exec(
				"INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations")
			require.NoError(t, err)
			n, more, err := s.Rollup(t.Context(), 0)
			require.NoError(t, err)
			require.False(t, more)
			require.Equal(t, map[int]int{-1: 3, 1: 0}[by], n)
			check()
			differences, err = s.CheckRollups(t.Context(), acme)
			require.NoError(t, err)
			require.Equal(t, by == 1, len(differences) > 0, differences)
		}
		require.NoError(t, s.RebuildRollups(t.Context(), acme))
		require.Equal(t, 3, rollupAll(t, s, 0))
		check()
		differences, err := s.CheckRollups(t.Context(), acme)
		require.NoError(t, err)
		require.Empty(t, differences)
	})
}
