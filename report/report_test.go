package report_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

var (
	monday = time.Date(2025, 6, 2, 9, 0, 0, 0, time.UTC)
	ana    = convo.ByUser("ana")
	bo     = convo.ByUser("bo")
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// week plays a small week in workspace acme: Riya writes on Monday, is answered by Ana after 10
// minutes, assigned to her after 5, closed after an hour; she comes back on Tuesday (a new
// conversation), which Bo closes after three hours and reopens an hour later, to close it after 30
// minutes. Tom writes on Wednesday by mail; a bot answers him, and nobody else does.
func week(t *testing.T) *memstore.Store {
	t.Helper()
	store := memstore.New()
	c := &clock{}
	e, err := convo.New(store, convo.WithClock(c))
	require.NoError(t, err)
	do := func(at time.Duration, contact string, cmds ...convo.Command) {
		c.now = monday.Add(at)
		_, err := e.Do(t.Context(), convo.ToContact("acme", contact), cmds...)
		require.NoError(t, err)
	}
	const day = 24 * time.Hour
	do(0, "riya", convo.Receive{Channel: "chat", Body: "hi"})
	do(5*time.Minute, "riya", convo.Assign{By: bo, Assignee: "ana", Team: "sales"})
	do(10*time.Minute, "riya", convo.Send{By: ana, Body: "yes?"})
	do(time.Hour, "riya", convo.Close{By: ana, Category: "Sales",
		Summary: "=1+1, \"quoted\"\nand more"})
	do(day, "riya", convo.Receive{Channel: "chat", Body: "again"})
	do(day+20*time.Minute, "riya", convo.Send{By: bo, Body: "yes"}, convo.SetPending{By: bo})
	do(day+3*time.Hour, "riya", convo.Close{By: bo, Category: "Support"})
	do(day+4*time.Hour, "riya", convo.Reopen{By: bo})
	do(day+4*time.Hour+30*time.Minute, "riya", convo.Close{By: bo, Category: "Support"})
	do(2*day, "tom", convo.Receive{Channel: "mail", Body: "hello"})
	do(2*day+time.Minute, "tom", convo.Send{By: convo.ByAutomation("bot"), Body: "soon"})
	return store
}

func query(kind report.Kind) report.Query {
	return report.Query{Kind: kind, Workspace: "acme", From: monday.Truncate(24 * time.Hour),
		To: monday.Truncate(24*time.Hour).AddDate(0, 0, 7)}
}

func ask(t *testing.T, s report.Store, q report.Query) *report.Report {
	t.Helper()
	a, err := report.Run(t.Context(), s, q)
	require.NoError(t, err)
	return a
}

func minutes(n int64) int64 { return n * time.Minute.Microseconds() }

func TestAReportOfEachKindSaysWhatHappened(t *testing.T) {
	s := week(t)

	q := query(report.Conversations)
	q.CountDistinct, q.Bucket = true, report.Day
	a := ask(t, s, q)
	counts := map[report.Measure]int64{}
	for m, st := range a.Total {
		counts[m] = st.Count
	}
	assert.Equal(t, map[report.Measure]int64{
		report.Opened: 4, report.OpenedNew: 3, report.Reopened: 1, report.Closed: 3,
		report.ClosedConversations: 2, report.ClosedContacts: 1,
	}, counts)
	assert.InDelta(t, 1./3, a.Total.ReopenRate(), 1e-9)
	require.Len(t, a.Series, 7)
	assert.EqualValues(t, 2, a.Series[1].Values[report.Opened].Count, "Tuesday")
	assert.Empty(t, a.Series[5].Values, "nothing on Saturday, but a point")
	assert.Empty(t, a.Previous)

	a = ask(t, s, query(report.Resolutions))
	r := a.Total[report.Resolution]
	assert.Equal(t, []int64{3, minutes(270), minutes(30), minutes(180)},
		[]int64{r.Count, r.Sum, r.Min, r.Max})
	assert.InDelta(t, minutes(90), r.Mean, 0)
	assert.InDelta(t, minutes(60), r.Median, 0)
	assert.InDelta(t, minutes(156), r.P90, 0) // 60 + 0.8 × 120
	assert.False(t, r.Approximate)
	assert.Equal(t, minutes(60+20+30), a.Total[report.ActiveResolution].Sum,
		"without 2 h 40 min pending")
	assert.EqualValues(t, 2, a.Total[report.FirstResolution].Count)
	assert.Equal(t, minutes(60+180+270), a.Total[report.LastResolution].Sum)

	a = ask(t, s, query(report.Responses))
	f := a.Total[report.FirstResponse]
	assert.Equal(t, []int64{2, minutes(30)}, []int64{f.Count, f.Sum}, "the bot's does not count")
	assert.Equal(t, []int64{0, 0, 1, 1, 0, 0, 0, 0}, f.Bands)
	f = a.Total[report.Response]
	assert.Equal(t, []int64{2, minutes(30), minutes(10), minutes(20)},
		[]int64{f.Count, f.Sum, f.Min, f.Max}, "each reply")
	assert.Equal(t, []int64{0, 0, 1, 1, 0, 0, 0, 0}, f.Bands)

	a = ask(t, s, query(report.Messages))
	assert.Equal(t, report.Values{report.Incoming: {Count: 3}, report.OutgoingUser: {Count: 2},
		report.OutgoingAutomation: {Count: 1}}, a.Total)

	a = ask(t, s, query(report.Contacts))
	assert.Equal(t, report.Values{report.NewContacts: {Count: 2}, report.Returning: {Count: 2}},
		a.Total)

	q = query(report.Assignments)
	q.GroupBy = report.Team
	a = ask(t, s, q)
	require.Len(t, a.Groups, 1)
	assert.Equal(t, "sales", a.Groups[0].Value)
	assert.Equal(t, minutes(5), a.Groups[0].Values[report.Assignment].Sum)

	a = ask(t, s, query(report.Users))
	by := map[string]report.Values{}
	for _, g := range a.Groups {
		by[g.Value] = g.Values
	}
	assert.EqualValues(t, 2, by["bo"][report.Closed].Count)
	assert.EqualValues(t, 1, by["bo"][report.FirstResponse].Count)
	assert.EqualValues(t, 1, by["ana"][report.Assignment].Count)
	assert.EqualValues(t, 1, by["ana"][report.OutgoingUser].Count)

	q = query(report.Leaderboard)
	q.Measure, q.Top = report.Closed, 1
	a = ask(t, s, q)
	require.Len(t, a.Groups, 1)
	assert.Equal(t, "bo", a.Groups[0].Value)
	q.Measure, q.Top = report.Resolution, 0
	a = ask(t, s, q)
	require.Len(t, a.Groups, 2)
	assert.Equal(t, "ana", a.Groups[0].Value, "the quicker one first")
}

func TestFiltersAndPeriodsNarrowDown(t *testing.T) {
	s := week(t)
	q := query(report.Conversations)
	q.Filter = report.Filter{report.Channel: {"mail"}}
	assert.EqualValues(t, 1, ask(t, s, q).Total[report.Opened].Count)
	q.Filter = report.Filter{report.Category: {"Support"}, report.Closer: {"bo", "nobody"}}
	assert.EqualValues(t, 2, ask(t, s, q).Total[report.Closed].Count)
	q.Filter = report.Filter{report.Channel: {}}
	assert.EqualValues(t, 4, ask(t, s, q).Total[report.Opened].Count,
		"an empty list lets everything through")

	q = query(report.Conversations)
	q.From, q.To = q.From.AddDate(0, 0, 7), q.To.AddDate(0, 0, 7)
	a := ask(t, s, q)
	assert.Empty(t, a.Total)
	assert.EqualValues(t, 4, a.Previous[report.Opened].Count)
	assert.Equal(t, []time.Time{q.From.AddDate(0, 0, -7), q.From},
		[]time.Time{a.PreviousFrom, a.PreviousTo})
	assert.Equal(t, report.ComparePrevious, a.Compare)
	q.Compare = report.CompareYearBefore
	a = ask(t, s, q)
	assert.Empty(t, a.Previous)
	assert.Equal(t, q.From.AddDate(0, 0, -52*7), a.PreviousFrom, "a whole week")
	q.CompareFrom = monday.Truncate(24*time.Hour).AddDate(0, 0, -1)
	a = ask(t, s, q)
	assert.Equal(t, []time.Time{q.CompareFrom, q.CompareFrom.AddDate(0, 0, 7)},
		[]time.Time{a.PreviousFrom, a.PreviousTo})

	q = query(report.Resolutions)
	q.To = monday.Add(time.Hour) // the moment of the first closing
	assert.Empty(t, ask(t, s, q).Total)
	q.To = q.To.Add(time.Microsecond)
	assert.EqualValues(t, 1, ask(t, s, q).Total[report.Resolution].Count)
}

type half struct{}

func (half) Between(from, to time.Time) time.Duration { return to.Sub(from) / 2 }

func (half) After(from time.Time, worked time.Duration) (time.Time, bool) {
	return from.Add(2 * worked), true
}

func TestWorkingTimeStandsBesideWallTime(t *testing.T) {
	q := query(report.Resolutions)
	q.Calendar = half{}
	a := ask(t, week(t), q)
	assert.Equal(t, minutes(270), a.Total[report.Resolution].Sum)
	assert.Equal(t, minutes(135), a.Total[report.WorkingResolution].Sum)
	assert.Contains(t, a.Definitions, report.WorkingLastResolution)
}

func TestABadQuerySaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*report.Query)
	}{
		{"workspace", func(q *report.Query) { q.Workspace = "" }},
		{"kind", func(q *report.Query) { q.Kind = "everything" }},
		{"zone", func(q *report.Query) { q.Zone = "Europe/Atlantis" }},
		{"zone", func(q *report.Query) { q.Zone = "Local" }},
		{"from", func(q *report.Query) { q.From = time.Time{} }},
		{"to", func(q *report.Query) { q.From, q.To = q.To, q.From }},
		{"to", func(q *report.Query) { q.To = q.From }},
		{"to", func(q *report.Query) { q.To = q.From.Add(999 * time.Nanosecond) }},
		{"to", func(q *report.Query) { q.To = q.From.AddDate(report.MaxYears, 0, 1) }},
		{"from", func(q *report.Query) { q.From = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"bucket", func(q *report.Query) { q.Bucket = "fortnight" }},
		{"bucket", func(q *report.Query) { q.Bucket, q.To = report.Hour, q.From.AddDate(2, 0, 0) }},
		{"week_start", func(q *report.Query) { q.WeekStart = 9 }},
		{"group_by", func(q *report.Query) { q.GroupBy = "colour" }},
		{"author", func(q *report.Query) { q.GroupBy = report.Author }},
		{"team", func(q *report.Query) { q.Kind, q.GroupBy = report.Messages, report.Team }},
		{"group_by", func(q *report.Query) { q.Kind, q.GroupBy = report.Users, report.Team }},
		{"filter", func(q *report.Query) { q.Filter = report.Filter{"colour": {"red"}} }},
		{"filter.team", func(q *report.Query) { q.Filter = report.Filter{report.Team: {"\xff"}} }},
		{"filter.team", func(q *report.Query) {
			q.Filter = report.Filter{report.Team: make([]string,
				101)}
		}},
		{"measure", func(q *report.Query) { q.Measure = report.Closed }},
		{"measure", func(q *report.Query) { q.Kind, q.Measure = report.Leaderboard, "beauty" }},
		{"measure", func(q *report.Query) {
			q.Kind, q.Measure = report.Leaderboard,
				report.ClosedContacts
		}},
		{"group_by", func(q *report.Query) {
			q.Kind, q.Measure, q.GroupBy = report.Leaderboard, report.Closed, report.Channel
		}},
		{"top", func(q *report.Query) {
			q.Kind, q.Measure, q.Top = report.Leaderboard,
				report.Closed, -1
		}},
		{"count_distinct", func(q *report.Query) {
			q.Kind, q.CountDistinct = report.Resolutions,
				true
		}},
		{"compare", func(q *report.Query) { q.Compare = "last_year" }},
		{"compare_from", func(q *report.Query) {
			q.CompareFrom = time.Date(1000, 1, 1, 0, 0, 0, 0,
				time.UTC)
		}},
	} {
		q := query(report.Conversations)
		c.change(&q)
		_, err := report.Run(t.Context(), untouched{}, q)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, "%+v", q)
		assert.Equal(t, c.field, invalid.Field, err.Error())
	}
}

func TestAZoneThatIsNotFoundSaysWhy(t *testing.T) {
	q := query(report.Conversations)
	q.Zone = "Europe/Atlantis"
	_, err := report.Run(t.Context(), untouched{}, q)
	require.ErrorContains(t, err, "unknown time zone Europe/Atlantis")
	require.ErrorContains(t, err, "import the package time/tzdata")
}

// untouched is a store that must not be asked.
type untouched struct{ report.Store }

// crowded has 1,500 users, of whom each closes a conversation of her own, in no order.
func crowded(t *testing.T) *memstore.Store {
	t.Helper()
	store := memstore.New()
	c := &clock{}
	e, err := convo.New(store, convo.WithClock(c))
	require.NoError(t, err)
	for i := range crowd {
		user := convo.ByUser(fmt.Sprintf("user %04d", i))
		k := convo.ToContact("acme", fmt.Sprint(i))
		c.now = monday.Add(time.Duration(i) * time.Second)
		_, err := e.Do(t.Context(), k, convo.Receive{Body: "hi"})
		require.NoError(t, err)
		c.now = c.now.Add(time.Duration(1+i*7919%crowd) * time.Minute)
		_, err = e.Do(t.Context(), k, convo.Assign{By: user, Assignee: user.ID},
			convo.Send{By: user, Body: "yes?"}, convo.Close{By: user})
		require.NoError(t, err)
		for range i * 31 % 5 {
			_, err = e.Do(t.Context(), k, convo.Reopen{By: user}, convo.Send{By: user, Body: "so"},
				convo.Close{By: user})
			require.NoError(t, err)
		}
	}
	// nobody has this one
	_, err = e.Do(t.Context(), convo.ToContact("acme", "tom"), convo.Receive{Body: "hi"})
	require.NoError(t, err)
	return store
}

const crowd = 1500

func TestALeaderboardIsOfHoweverManyUsers(t *testing.T) {
	s := crowded(t)
	q := query(report.Leaderboard)
	led := 0
	for _, m := range report.Measures() {
		if m.CountsDistinct() || m.Working() {
			continue
		}
		q.Measure = m
		a := ask(t, s, q)
		cells, err := s.Aggregate(t.Context(), report.Aggregation{
			Workspace: "acme", Measures: []report.Measure{m},
			Boundaries: []time.Time{q.From, q.To}, GroupBy: a.GroupBy,
		})
		require.NoError(t, err)
		cells = slices.DeleteFunc(cells, func(c report.Cell) bool { return c.Value == "" })
		slices.SortFunc(cells, func(a, b report.Cell) int {
			if m.Timed() {
				return cmp.Or(cmp.Compare(a.Stat.Mean, b.Stat.Mean), cmp.Compare(a.Value, b.Value))
			}
			return cmp.Or(cmp.Compare(b.Stat.Count, a.Stat.Count), cmp.Compare(a.Value, b.Value))
		})
		top := cells[:min(10, len(cells))]
		require.Len(t, a.Groups, len(top), m)
		for i, c := range top {
			assert.Equal(t, c.Value, a.Groups[i].Value, m)
		}
		assert.Equal(t, len(cells)-len(top), a.GroupsLeft, m)
		if len(cells) == crowd {
			led++
		}
	}
	assert.GreaterOrEqual(t, led, 8, "else nothing is proved")
}

func TestAReportOfUsersSaysHowManyMoreThereAre(t *testing.T) {
	s := crowded(t)
	q := query(report.Users)
	a := ask(t, s, q)
	require.Len(t, a.Groups, report.MaxGroups)
	for i, g := range a.Groups {
		require.Equal(t, fmt.Sprintf("user %04d", i), g.Value, "the first ones")
		require.Positive(t, g.Values[report.Closed].Count)
		require.Positive(t, g.Values[report.OutgoingUser].Count)
	}
	assert.Equal(t, crowd-report.MaxGroups, a.GroupsLeft)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"groups_left":500`)
	q.Filter = report.Filter{report.Closer: {"user 1499"}}
	a = ask(t, s, q)
	require.Len(t, a.Groups, 1)
	assert.Equal(t, "user 1499", a.Groups[0].Value)
	assert.Zero(t, a.GroupsLeft)
}

// A part of these would say nothing: they are in no order that anybody looks for.
func TestTooManyGroupsAreRefused(t *testing.T) {
	s := crowded(t)
	q := query(report.Conversations)
	q.GroupBy = report.Closer
	_, err := report.Run(t.Context(), s, q)
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "group_by", invalid.Field)
	assert.Contains(t, err.Error(), "closer has 1501 values in the period, more than 1000")
}

func TestDurationsThatAddUpToTooMuchAreRefused(t *testing.T) {
	c, err := report.NewCollector(report.Aggregation{
		Measures: []report.Measure{report.Resolution}, Boundaries: []time.Time{monday,
			monday.Add(time.Hour)},
	}, nil)
	require.NoError(t, err)
	for range 3 {
		c.Add(report.Resolution, monday.UnixMicro(), "", report.Stat{Count: 1, Sum: 1 << 62})
	}
	_, err = c.Aggregate()
	require.ErrorContains(t, err, "292,000 years")
}

func TestAReportIsPlainJSON(t *testing.T) {
	q := query(report.Resolutions)
	q.GroupBy, q.Zone, q.WeekStart, q.Bucket = report.Closer, "Europe/Berlin", report.Sunday,
		report.Week
	q.Compare = report.CompareYearBefore
	text, err := json.Marshal(ask(t, week(t), q))
	require.NoError(t, err)
	var back struct {
		Kind      string `json:"kind"`
		WeekStart string `json:"week_start"`
		From      string `json:"from"`
		Total     map[string]report.Stat
		Groups    []report.Group
		Series    []report.Point
	}
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, "resolutions", back.Kind)
	assert.Equal(t, "sunday", back.WeekStart)
	assert.Equal(t, "2025-06-02T00:00:00Z", back.From)
	assert.EqualValues(t, 3, back.Total["resolution"].Count)
	assert.Len(t, back.Groups, 2)
	assert.NotEmpty(t, back.Series)

	var again report.Query
	require.NoError(t, json.Unmarshal(text, &again), "a query is part of its report")
	assert.Equal(t, q, again)
	require.Error(t, json.Unmarshal([]byte(`{"week_start":"someday"}`), &again))
}

func TestTheDashboardTellsHowThingsStand(t *testing.T) {
	live, err := report.Dashboard(t.Context(), week(t), "acme")
	require.NoError(t, err)
	count := report.LiveCount{
		Open: 1, OpenedAt: monday.AddDate(0, 0, 2), WaitingSince: monday.AddDate(0, 0, 2),
	}
	assert.Equal(t, &report.LiveCounts{
		Workspace: "acme", LiveCount: count, Unassigned: 1,
		Assignees: []report.LiveGroup{{LiveCount: count}},
		Teams:     []report.LiveGroup{{LiveCount: count}},
		Lanes:     []report.LiveGroup{{LiveCount: count}},
		Channels:  []report.LiveGroup{{Value: "mail", LiveCount: count}},
	}, live)
	text, err := json.Marshal(live)
	require.NoError(t, err)
	assert.Contains(t, string(text), `{"workspace":"acme","open":1,"pending":0,"opened_at":"2025-`)
	_, err = report.Dashboard(t.Context(), week(t), "")
	require.ErrorContains(t, err, "workspace")
}

func TestCyclesAreExportedOneByRow(t *testing.T) {
	s := week(t)
	var out bytes.Buffer
	require.NoError(t, report.WriteCSV(t.Context(), &out, s, exportOf("acme")))
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5)
	assert.Equal(t, report.Columns, rows[0])
	row := func(i int) map[string]string {
		m := map[string]string{}
		for j, name := range report.Columns {
			m[name] = rows[i][j]
		}
		return m
	}
	first, reopened, last := row(1), row(3), row(4)
	for name, want := range map[string]string{
		"number": "1", "contact": "riya", "contact_type": "new", "channel": "chat", "lane": "",
		"status": "closed", "opened_at": "2025-06-02T09:00:00Z",
		"closed_at": "2025-06-02T10:00:00Z", "closed_by_id": "ana", "category": "Sales",
		"summary":               "=1+1, \"quoted\"\nand more",
		"first_response_micros": "600000000", "assignment_micros": "300000000",
		"resolution_micros": "3600000000", "last_team": "sales",
	} {
		assert.Equal(t, want, first[name], name)
	}
	assert.Equal(t, []string{"2", "returning", "9600000000"},
		[]string{reopened["number"], reopened["contact_type"], row(2)["pending_micros"]})
	assert.Equal(t, []string{"open", "", "", "1"},
		[]string{last["status"], last["closed_at"], last["resolution_micros"],
			last["outgoing_automation"]})

	out.Reset()
	require.NoError(t, report.WriteNDJSON(t.Context(), &out, s, exportOf("acme")))
	var y report.Cycle
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(out.String(), "\n", 2)[0]), &y))
	assert.Equal(t, "riya", y.Contact)
	assert.Equal(t, "Sales", y.Closing.Category)
	assert.Equal(t, 4, strings.Count(out.String(), "\n"))

	require.ErrorIs(t, report.WriteCSV(t.Context(), failing{}, s, exportOf("acme")), errFull)
}

// exportOf exports the week that was played.
func exportOf(workspace string) report.Export {
	return report.Export{Workspace: workspace, From: monday, To: monday.AddDate(0, 0, 7)}
}

func TestABadExportSaysWhatIsWrong(t *testing.T) {
	for field, change := range map[string]func(*report.Export){
		"workspace": func(e *report.Export) { e.Workspace = "" },
		"from":      func(e *report.Export) { e.To = time.Time{} },
		"to":        func(e *report.Export) { e.To = e.From.Add(999 * time.Nanosecond) },
		"by":        func(e *report.Export) { e.By = 2 },
	} {
		e := exportOf("acme")
		change(&e)
		var out bytes.Buffer
		for _, err := range []error{
			report.WriteCSV(t.Context(), &out, untouched{}, e),
			report.WriteNDJSON(t.Context(), &out, untouched{}, e),
		} {
			var invalid *convo.ValidationError
			require.ErrorAs(t, err, &invalid, field)
			assert.Equal(t, field, invalid.Field)
		}
		assert.Empty(t, out.String(), "not even a header")
	}
}

func TestATextThatIsAFormulaIsNoneInASpreadsheet(t *testing.T) {
	for _, text := range []string{
		"=1+1", "+49100", "-1", "@SUM(A1)", "\t=1+1", "\tx", "\r=1+1", "\rx", "\n=1+1", "\nx",
		"＝1+1", "＋1", "－1", "＠SUM(A1)", " =1+1", "\u00a0\u3000=1+1", "\ufeff\u200b=1+1", "=",
	} {
		assert.Equal(t, "'"+text, report.NoFormula(text), "%q", text)
	}
	for _, text := range []string{
		"", " ", "1+1", "a=1", "'=1+1", "\"=1+1\"", " x", "x\n=1+1", "–1", "grüße", "\u200bx",
	} {
		assert.Equal(t, text, report.NoFormula(text), "%q", text)
	}
}

// formulas are cycles in which every text is a formula, and a number is negative.
type formulas struct{ report.Store }

func (formulas) Cycles(_ context.Context, _ report.CyclesQuery, f func(*report.Cycle) error) error {
	var y report.Cycle
	for _, text := range []*string{
		&y.Workspace, &y.Contact, &y.Channel, &y.Lane, &y.OpenedBy.ID,
		(*string)(&y.OpenedSource), &y.FirstAssignee, &y.LastAssignee, &y.LastTeam,
		&y.FirstResponder.ID, &y.Closing.By.ID, (*string)(&y.Closing.Source), &y.Closing.Category,
		&y.Closing.Summary, &y.Rating.Comment,
	} {
		*text = "=1+1"
	}
	y.PendingMicros, y.Rating.At, y.Rating.Score = -1, monday, 4
	return f(&y)
}

func TestAnExportForASpreadsheetHasNoFormulas(t *testing.T) {
	ours := []string{ // numbers, times and words that nobody else writes
		"conversation", "number", "contact_type", "status", "opened_by_type",
		"first_responder_type", "closed_by_type", "responses", "incoming", "outgoing_user",
		"outgoing_automation", "score",
	}
	for _, spreadsheet := range []bool{false, true} {
		e := exportOf("acme")
		e.Spreadsheet = spreadsheet
		var out bytes.Buffer
		require.NoError(t, report.WriteCSV(t.Context(), &out, formulas{}, e))
		rows, err := csv.NewReader(&out).ReadAll()
		require.NoError(t, err)
		want := map[bool]string{false: "=1+1", true: "'=1+1"}[spreadsheet]
		for i, name := range report.Columns {
			switch cell := rows[1][i]; {
			case name == "pending_micros":
				assert.Equal(t, "-1", cell, "a number that we write stays one")
			case slices.Contains(ours, name), strings.HasSuffix(name, "_at"),
				strings.HasSuffix(name, "_micros"):
				assert.NotContains(t, cell, "'", name)
			default:
				assert.Equal(t, want, cell, name)
			}
		}
	}
}

func TestWhatWasOpenedInMarchAndClosedInAprilIsExportedWithEither(t *testing.T) {
	s := memstore.New()
	c := &clock{}
	engine, err := convo.New(s, convo.WithClock(c))
	require.NoError(t, err)
	do := func(month time.Month, contact string, cmd convo.Command) {
		c.now = time.Date(2025, month, 2, 9, 0, 0, 0, time.UTC)
		_, err := engine.Do(t.Context(), convo.ToContact("acme", contact), cmd)
		require.NoError(t, err)
	}
	do(time.March, "riya", convo.Open{By: ana})
	do(time.March, "tom", convo.Open{By: ana})
	do(time.April, "riya", convo.Close{By: ana})
	do(time.April, "lena", convo.Open{By: ana})
	for _, by := range []struct {
		basis        report.TimeBasis
		march, april []string
	}{
		{report.ByOpening, []string{"riya", "tom"}, []string{"lena"}},
		{report.ByClosing, nil, []string{"riya"}},
	} {
		for month, want := range map[time.Month][]string{3: by.march, 4: by.april} {
			e := report.Export{
				Workspace: "acme", By: by.basis,
				From: time.Date(2025, month, 1, 0, 0, 0, 0, time.UTC),
				To:   time.Date(2025, month+1, 1, 0, 0, 0, 0, time.UTC),
			}
			var text, lines bytes.Buffer
			require.NoError(t, report.WriteCSV(t.Context(), &text, s, e))
			rows, err := csv.NewReader(&text).ReadAll()
			require.NoError(t, err)
			var got []string
			for _, row := range rows[1:] {
				got = append(got, row[slices.Index(report.Columns, "contact")])
			}
			assert.ElementsMatch(t, want, got, "%s by %d", month, by.basis)
			require.NoError(t, report.WriteNDJSON(t.Context(), &lines, s, e))
			assert.Equal(t, len(want), strings.Count(lines.String(), "\n"))
		}
	}
}

var errFull = errors.New("full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestTranscriptsHaveEveryEvent(t *testing.T) {
	s := week(t)
	var out bytes.Buffer
	require.NoError(t, report.WriteTranscripts(t.Context(), &out, s,
		convo.Filter{Workspace: "acme", Contact: "riya"}))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var e convo.Event
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &e))
	assert.Equal(t, convo.ConversationOpened, e.Kind)
	assert.EqualValues(t, 1, e.Seq)
	assert.Equal(t, 4, strings.Count(out.String(), `"message_`))
	require.Error(t, report.WriteTranscripts(t.Context(), &out, s, convo.Filter{}))
}

func TestAnEmptyListOfAFilterDoesNotCount(t *testing.T) {
	s := week(t)
	for _, f := range []report.Filter{
		{report.ClosedSource: nil}, {report.ClosedSource: {}, report.Score: {}}, {},
	} {
		q := query(report.Conversations)
		q.Filter, q.Exclude = f, f
		a := ask(t, s, q)
		assert.Equal(t, ask(t, s, query(report.Conversations)).Total, a.Total, f)
	}
	q := query(report.Conversations)
	q.Filter = report.Filter{"colour": nil}
	_, err := report.Run(t.Context(), s, q)
	require.ErrorContains(t, err, "colour")
}

func TestErrorsSayWhatThereIs(t *testing.T) {
	s := week(t)
	for wanted, q := range map[string]report.Query{
		"label: backlog does not have it; it has channel, lane, team, assignee, status": {
			Kind: report.Backlogs, GroupBy: report.Label},
		"contact: backlog does not have it": {
			Kind: report.Backlogs, Filter: report.Filter{report.Contact: {"riya"}}},
		"a leaderboard by incoming is by author": {
			Kind: report.Leaderboard, Measure: report.Incoming, GroupBy: report.Team},
		`"backlog" is not one that a leaderboard is sorted by: opened,`: {
			Kind: report.Leaderboard, Measure: report.Backlog},
		"as uuid.UUID.String writes it": {Kind: report.Conversations,
			Filter: report.Filter{report.Conversation: {"AB"}}},
	} {
		of := query(q.Kind)
		q.Workspace, q.From, q.To = of.Workspace, of.From, of.To
		_, err := report.Run(t.Context(), s, q)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, wanted)
		assert.ErrorContains(t, err, wanted)
	}
	_, err := report.Behind(t.Context(), s, query(report.Backlogs), report.Entered, uuid.Nil, 0)
	require.ErrorContains(t, err, `"entered" is not in the report, which has, with these filters: backlog`)
	for _, limit := range []int{-1, convo.MaxPageSize + 1} {
		_, err = report.Behind(t.Context(), s, query(report.Backlogs), report.Backlog, uuid.Nil,
			limit)
		require.ErrorContains(t, err, "limit: must be from 1 to")
	}
}
