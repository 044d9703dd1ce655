package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
	"github.com/chatlifecycle/convo/examples/apps/internal/helpdesk"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

const zone = "Europe/Rome" // where the help desk is

func rome(t testing.TB) *time.Location {
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	return loc
}

// importLog imports a log by four importers at once. So that there are messages, two of its
// activities are some.
func importLog(t testing.TB, s store, log string) *convo.Engine {
	t.Helper()
	m, err := eventlog.ReadMapping("")
	require.NoError(t, err)
	m.Activities["Require upgrade"], m.Activities["Resolve ticket"] = convo.CommandReceive,
		convo.CommandSend
	records, err := csv.NewReader(strings.NewReader(log)).ReadAll()
	require.NoError(t, err)
	var logs [4]bytes.Buffer
	for i := range logs {
		w := csv.NewWriter(&logs[i])
		require.NoError(t, w.Write(records[0]))
		for _, r := range records[1:] {
			name := r[slices.Index(records[0], m.Columns["case"])]
			if crc32.ChecksumIEEE([]byte(name))%uint32(len(logs)) == uint32(i) {
				require.NoError(t, w.Write(r))
			}
		}
		w.Flush()
	}
	engine, err := convo.New(s)
	require.NoError(t, err)
	var all sync.WaitGroup
	var errs [len(logs)]error
	for i := range logs {
		all.Go(func() {
			_, errs[i] = eventlog.Import(t.Context(), engine, "desk", "log", &logs[i], m,
				io.Discard)
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs[:]...))
	return engine
}

// questions are about the whole log in the help desk's months, and about parts of it that begin and
// end anywhere.
func questions(t testing.TB) []report.Query {
	day := func(y int, m time.Month) time.Time { return time.Date(y, m, 1, 0, 0, 0, 0, rome(t)) }
	return slices.Concat(
		ofEveryKind(report.Query{From: day(2010, 1), To: day(2014, 2), Bucket: report.Month}),
		ofEveryKind(report.Query{From: day(2012, 1), To: day(2013, 1), Bucket: report.Quarter}),
		ofEveryKind(report.Query{
			From:   time.Date(2011, 3, 5, 10, 17, 0, 0, time.UTC),
			To:     time.Date(2011, 9, 9, 3, 33, 21, 5e8, time.UTC),
			Bucket: report.Week, CompareFrom: day(2012, 7),
		}),
	)
}

// ofEveryKind are the questions that there are to a period.
func ofEveryKind(q report.Query) (qs []report.Query) {
	q.Workspace, q.Zone = "desk", zone
	ask := func(kind report.Kind, by report.Dimension, only, without report.Filter) {
		q := q
		q.Kind, q.GroupBy, q.Filter, q.Exclude = kind, by, only, without
		q.CountDistinct = kind == report.Conversations
		qs = append(qs, q)
	}
	ask(report.Conversations, report.Closer, nil, nil)
	ask(report.Conversations, report.Status, nil, nil) // openings have none
	ask(report.Conversations, report.Assignee, report.Filter{report.ActorType: {"user"}}, nil)
	ask(report.Responses, report.Author, nil, nil)
	ask(report.Responses, report.Assignee, nil, report.Filter{report.Author: {"Value 2"}})
	ask(report.Resolutions, report.LastAssignee, nil, nil)
	ask(report.Resolutions, report.FirstResponder,
		report.Filter{report.Closer: {"Value 3", "Value 21"}}, nil)
	ask(report.Messages, report.Author, nil, nil)
	ask(report.Contacts, report.ContactType, nil, nil)
	ask(report.Assignments, report.Assignee, nil, nil)
	// handling does not have it
	ask(report.Assignments, report.AssignedFrom, nil, report.Filter{report.Assignee: {"Value 1"}})
	ask(report.Assignments, report.AssignedBy, report.Filter{report.AssignedFrom: {"", "Value 2"}},
		nil)
	ask(report.Times, report.Assignee, nil, nil)
	ask(report.Times, report.Status, report.Filter{report.ContactType: {"new"}}, nil)
	ask(report.Backlogs, report.Status, nil, nil)
	ask(report.Backlogs, report.Assignee, report.Filter{report.Status: {"open"}},
		report.Filter{report.Assignee: {"Value 1"}})
	ask(report.Users, "", nil, nil)
	ask(report.Users, "", report.Filter{report.Author: {"Value 5"}}, nil) // replies and messages
	for _, m := range []report.Measure{report.Assignment, report.Handling, report.Transfers} {
		q := q
		q.Kind, q.Measure, q.Top = report.Leaderboard, m, 4
		qs = append(qs, q)
	}
	return qs
}

// checkAnswer compares an answer with the log.
func (d *desk) checkAnswer(t testing.TB, a *report.Report) {
	t.Helper()
	require.NotEmpty(t, a.Definitions)
	asked := func(f *fact) bool {
		for by, values := range a.Filter {
			if !slices.Contains(values, f.is[by]) {
				return false
			}
		}
		for by, values := range a.Exclude {
			if slices.Contains(values, f.is[by]) {
				return false
			}
		}
		return true
	}
	for m := range a.Definitions {
		d.check(t, "total", m, a.Total[m], a.From, a.To, asked)
		d.check(t, "before", m, a.Previous[m], a.PreviousFrom, a.PreviousTo, asked)
		for _, p := range a.Series {
			d.check(t, p.From.String(), m, p.Values[m], p.From, p.To, asked)
		}
		by := a.GroupBy
		if a.Kind == report.Users {
			by = userOf[m]
		}
		for _, g := range a.Groups {
			d.check(t, g.Value, m, g.Values[m], a.From, a.To, func(f *fact) bool {
				value, has := f.is[by]
				return has && value == g.Value && asked(f)
			})
		}
	}
	d.checkComplete(t, a)
	if a.Bucket == report.Month {
		for i, p := range a.Series {
			require.True(t, p.From.Equal(time.Date(2010, time.January+time.Month(i), 1, 0, 0, 0, 0,
				rome(t))), p.From)
		}
	}
}

// checkComplete checks that no group is missing: all of them together are everything that has what
// is grouped by, but what is distinct may be in two.
func (d *desk) checkComplete(t testing.TB, a *report.Report) {
	t.Helper()
	if a.GroupBy == "" && a.Kind != report.Users || a.Kind == report.Leaderboard {
		return
	}
	for m := range a.Definitions {
		sum := int64(0)
		for _, g := range a.Groups {
			sum += g.Values[m].Count
		}
		if !m.CountsDistinct() && (a.Kind == report.Users || d.has(m, a.GroupBy)) {
			require.Equal(t, a.Total[m].Count, sum, m)
		}
	}
}

// checkLive compares the dashboard with the log.
func (d *desk) checkLive(t testing.TB, s store) {
	t.Helper()
	type key struct{ status, assignee string }
	counts, waiting := map[key]int64{}, int64(math.MaxInt64)
	for _, k := range d.tickets {
		if k.status != "closed" {
			counts[key{k.status, k.assignee}]++
			if k.waiting > 0 {
				waiting = min(waiting, k.waiting)
			}
		}
	}
	l, err := report.Dashboard(t.Context(), s, "desk")
	require.NoError(t, err)
	n := 0
	for _, a := range l.Assignees {
		for status, count := range map[string]int64{"open": a.Open, "pending": a.Pending} {
			require.Equal(t, counts[key{status, a.Value}], count, a)
			n += min(1, int(count))
		}
	}
	require.Equal(t, len(counts), n)
	if waiting == math.MaxInt64 {
		require.Zero(t, l.WaitingSince)
	} else {
		require.Equal(t, waiting, l.WaitingSince.UnixMicro())
	}
}

func askAll(t testing.TB, s store, questions []report.Query) []*report.Report {
	t.Helper()
	var all []*report.Report
	for _, q := range questions {
		a, err := report.Run(t.Context(), s, q)
		require.NoError(t, err)
		all = append(all, a)
	}
	return all
}

// exact is what must be the same on every store: everything but percentiles and bands, which may be
// from sketches.
func exact(t testing.TB, a *report.Report) string {
	t.Helper()
	data, err := json.Marshal(a)
	require.NoError(t, err)
	var c report.Report
	require.NoError(t, json.Unmarshal(data, &c))
	all := []report.Values{c.Total, c.Previous}
	for _, p := range c.Series {
		all = append(all, p.Values)
	}
	for _, g := range c.Groups {
		all = append(all, g.Values)
	}
	for _, f := range all {
		for m, s := range f {
			f[m] = report.Stat{Count: s.Count, Sum: s.Sum, Mean: s.Mean, Min: s.Min, Max: s.Max}
		}
	}
	data, err = json.Marshal(&c)
	require.NoError(t, err)
	return string(data)
}

// reopenSome reopens every twentieth contact a year later, replies, and closes half of them again.
// What comes of it by hand is checked.
func reopenSome(t testing.TB, s store, engine *convo.Engine, d *desk) {
	t.Helper()
	at := time.Date(2015, 2, 1, 9, 0, 0, 0, time.UTC)
	by := convo.ByUser("Value 1")
	later := desk{facts: map[report.Measure][]fact{}}
	for i, k := range d.tickets {
		if i%20 != 0 || k.status != "closed" {
			continue
		}
		entry := func(activity string, after time.Duration) entry {
			return entry{at.Add(after).UnixMicro(), activity, "Value 1"}
		}
		cmds := []convo.Command{
			convo.Reopen{By: by, At: at, Source: convo.SourceImport},
			convo.Assign{By: by, At: at.Add(time.Minute), Assignee: "Value 1"},
			convo.Send{By: by, At: at.Add(time.Hour), Body: "Once more"},
		}
		later.wake(&k, entry("Reopen", 0))
		later.do(&k, entry("Take in charge ticket", time.Minute))
		later.do(&k, entry("Resolve ticket", time.Hour))
		if i%40 == 0 {
			cmds = append(cmds, convo.Close{By: by, At: at.Add(2 * time.Hour),
				Source: convo.SourceImport})
			later.do(&k, entry("Closed", 2*time.Hour))
		}
		_, err := engine.Do(t.Context(), convo.ToContact("desk", k.contact), cmds...)
		require.NoError(t, err, k.contact)
	}
	require.Greater(t, len(later.facts[report.Reopened]), 200)
	period := report.Query{From: at.Add(-time.Hour), To: at.AddDate(0, 0, 1), Bucket: report.Hour}
	for _, a := range askAll(t, s, ofEveryKind(period)) {
		if a.Kind != report.Backlogs { // of which much is from before
			later.checkAnswer(t, a)
		}
	}
}

func requireSame(t testing.TB, want, got []*report.Report, why string) {
	t.Helper()
	for i := range want {
		x, err := json.Marshal(want[i])
		require.NoError(t, err)
		y, err := json.Marshal(got[i])
		require.NoError(t, err)
		require.JSONEq(t, string(x), string(y), why)
	}
}

// openStore opens an empty store.
func openStore(t testing.TB, e testdb.Engine) *sqlstore.Store {
	t.Helper()
	db := testdb.Open(t, e)
	dialect := map[testdb.Engine]sqlstore.Dialect{
		testdb.SQLite: sqlstore.SQLite, testdb.PostgreSQL: sqlstore.PostgreSQL,
		testdb.MariaDB: sqlstore.MariaDB,
	}[e]
	require.NoError(t, sqlstore.Config{DB: db, Dialect: dialect}.Migrate(t.Context()))
	s, err := sqlstore.Config{DB: db, Dialect: dialect}.Open(t.Context())
	require.NoError(t, err)
	return s
}

func TestTheReportsOfTheHelpDeskAreTheSameOnEveryStoreAndByHand(t *testing.T) {
	if raceDetector {
		t.Skip("takes minutes with the race detector, and is about numbers")
	}
	log := helpdesk.Log(t)
	d := byHand(t, log)
	for _, m := range report.Measures() {
		switch m {
		case report.Reopened, report.Returning: // see reopenSome
		case report.Unassigned, report.OutgoingAutomation, report.Quiet, report.DeadlinesMet,
			report.DeadlinesMissed, report.DeadlinesPassed, report.Rating: // nobody does that here
			require.Empty(t, d.facts[m], m)
		default:
			require.True(t, m.Working() || len(d.facts[m]) > 10, m)
		}
	}
	memory := memstore.New()
	engine := importLog(t, memory, log)
	d.checkLive(t, memory)
	reference := askAll(t, memory, questions(t))
	for _, a := range reference {
		d.checkAnswer(t, a)
	}
	var want []string
	for _, a := range reference {
		want = append(want, exact(t, a))
	}
	reopenSome(t, memory, engine, d)
	requireSame(t, reference, askAll(t, memory, questions(t)), "reopening changed the past")

	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		t.Parallel()
		began := time.Now()
		s := openStore(t, e)
		engine := importLog(t, s, log)
		t.Logf("imported after %v", time.Since(began))
		d.checkLive(t, s)
		var last []*report.Report
		check := func(stage string) {
			last = askAll(t, s, questions(t))
			for i, a := range last { // as in memory, which was compared with the log
				require.Equal(t, want[i], exact(t, a), "%s, %s: not as in memory", stage, a.Kind)
			}
			t.Logf("%s: checked after %v", stage, time.Since(began))
		}
		short := testing.Short() && e != testdb.SQLite
		if !short {
			check("nothing rolled up")
		}
		n, _, err := s.Rollup(t.Context(), len(d.tickets)/2)
		require.NoError(t, err)
		require.Equal(t, len(d.tickets)/2, n)
		check("half rolled up")
		rollupAll(t, s)
		check("all rolled up")
		all := slices.IndexFunc(last, func(a *report.Report) bool {
			return a.Kind == report.Resolutions
		})
		assert.True(t, last[all].Total[report.Resolution].Approximate, "from rollups")
		if !short {
			for _, a := range last {
				d.checkAnswer(t, a) // the percentiles, too
			}
		}

		reopenSome(t, s, engine, d)
		if !short {
			requireSame(t, last, askAll(t, s, questions(t)), "reopening changed the past")
		}
		rollupAll(t, s)
		requireSame(t, last, askAll(t, s, questions(t)), "reopening changed the past, once it is rolled up")
		differences, err := s.CheckRollups(t.Context(), "desk")
		require.NoError(t, err)
		assert.Empty(t, differences)
		t.Logf("done after %v", time.Since(began))
	})
}

func rollupAll(t testing.TB, s storetest.Roller) {
	t.Helper()
	for more := true; more; {
		var err error
		_, more, err = s.Rollup(t.Context(), 0)
		require.NoError(t, err)
	}
}
