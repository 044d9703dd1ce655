package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

var ana, ben = convo.ByUser("ana"), convo.ByUser("ben")

// history is four conversations of March 2026, in UTC: three closed, one of which is open again,
// and one pending.
func history(t testing.TB, s convo.Store) {
	t.Helper()
	mock := clock.NewMock()
	engine, err := convo.New(s, convo.WithClock(mock))
	require.NoError(t, err)
	do := func(at, contact string, cmds ...convo.Command) {
		t.Helper()
		when, err := time.Parse("02 15:04", at)
		require.NoError(t, err)
		mock.Set(when.AddDate(2026, 2, 0))
		_, err = engine.Do(t.Context(), convo.ToContact("acme", contact), cmds...)
		require.NoError(t, err)
	}
	do("02 09:00", "riya", convo.Receive{Channel: "web", Body: "Hi"})
	do("02 09:01", "riya", convo.Send{By: convo.ByAutomation("bot"), Body: "Hello"})
	do("02 09:04", "riya", convo.Assign{By: ana, Assignee: "ana"},
		convo.Send{By: ana, Body: "What is it?"})
	do("02 10:00", "riya", convo.Close{By: ana})
	do("02 11:00", "omar", convo.Receive{Channel: "whatsapp", Body: "<script>alert(1)</script>"})
	do("03 11:00", "omar", convo.Send{By: ben, Body: "Sorry!"})
	do("03 12:00", "omar", convo.Close{By: ben})
	do("05 08:00", "lena", convo.Receive{Channel: "web", Body: "Hi"}, convo.SetPending{By: ben})
	do("09 08:00", "kofi", convo.Open{By: ben}, convo.Close{By: ben})
	do("10 08:00", "omar", convo.Reopen{By: ana})
}

// ask runs the command on a store with the history.
func ask(t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	s := memstore.New()
	history(t, s)
	c, err := parse(append([]string{"--db", "unused", "--workspace", "acme"}, args...),
		&bytes.Buffer{})
	require.NoError(t, err)
	var out, errs bytes.Buffer
	err = c.runOn(t.Context(), s, nil, &out, &errs)
	return out.String(), errs.String(), err
}

var march = []string{"--from", "2026-03-01", "--to", "2026-04-01"}

func TestAReportIsATable(t *testing.T) {
	out, _, err := ask(t, append(march, "--bucket", "week", "--group-by", "channel")...)
	require.NoError(t, err)
	assert.Equal(t, `conversations in all
            opened   opened_new   reopened   closed
   period        5            4          1        3
   before        0            0          0        0

conversations by week
   week         opened   opened_new   reopened   closed
   2026-03-01        0            0          0        0
   2026-03-02        3            3          0        2
   2026-03-09        2            1          1        1
   2026-03-16        0            0          0        0
   2026-03-23        0            0          0        0
   2026-03-30        0            0          0        0

conversations by channel
   channel    opened   opened_new   reopened   closed
   (none)          1            1          0        1
   web             2            2          0        1
   whatsapp        2            1          1        1

conversations of acme, 2026-03-01 to 2026-04-01, compared with 2026-02-01 to 2026-03-01; 33.3 % reopened.
`, out)
}

func TestDurationsAreATableForEachMeasure(t *testing.T) {
	out, _, err := ask(t, append(march, "--kind", "responses", "--filter", "channel=web",
		"--filter", "channel=whatsapp")...)
	require.NoError(t, err)
	assert.Equal(t, `first_response in all
            count     mean   median       p90       p95       p99     min     max
   period       2   12h 2m   12h 2m   21h 36m   22h 48m   23h 45m   4m 0s   1d 0h
   before       0        -        -         -         -         -       -       -

response in all
            count     mean   median       p90       p95       p99     min     max
   period       2   12h 2m   12h 2m   21h 36m   22h 48m   23h 45m   4m 0s   1d 0h
   before       0        -        -         -         -         -       -       -

handover_first_response in all
            count     mean   median       p90       p95       p99     min     max
   period       2   12h 2m   12h 2m   21h 36m   22h 48m   23h 45m   4m 0s   1d 0h
   before       0        -        -         -         -         -       -       -

handover_response in all
            count     mean   median       p90       p95       p99     min     max
   period       2   12h 2m   12h 2m   21h 36m   22h 48m   23h 45m   4m 0s   1d 0h
   before       0        -        -         -         -         -       -       -

responses in all, how many within
                            measure   ≤ 1m   ≤ 5m   ≤ 15m   ≤ 1h   ≤ 4h   ≤ 1d   ≤ 7d   more
   period            first_response      0      1       0      0      0      1      0      0
   period                  response      0      1       0      0      0      1      0      0
   period   handover_first_response      0      1       0      0      0      1      0      0
   period         handover_response      0      1       0      0      0      1      0      0

responses of acme, 2026-03-01 to 2026-04-01, compared with 2026-02-01 to 2026-03-01.
`, out)
}

func TestAReportIsJSON(t *testing.T) {
	out, summary, err := ask(t, append(march, "--kind", "leaderboard", "--measure", "closed",
		"--top", "1", "--format", "json", "--compare", "year_before")...)
	require.NoError(t, err)
	var a struct {
		report.Report
		ReopenRate float64 `json:"reopen_rate"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &a))
	assert.Equal(t, []report.Group{{Value: "ben",
		Values: report.Values{report.Closed: {Count: 2}}}}, a.Groups)
	assert.Equal(t, "leaderboard of acme, 2026-03-01 to 2026-04-01, compared with "+
		"2025-03-01 to 2025-04-01; 1 more are not shown.\n", summary)
}

func TestAReportIsCSV(t *testing.T) {
	out, _, err := ask(t, "--from", "2026-03-02", "--to", "2026-03-03T00:00:00+01:00", "--zone",
		"Europe/Berlin",
		"--kind", "assignments", "--group-by", "assignee", "--format", "csv",
		"--compare-from", "2026-02-23")
	require.NoError(t, err)
	const none = "0,0,0,0,0,0,0,0,0,false,,,,,,,,\n"
	const once = "1,0,0,0,0,0,0,0,0,false,,,,,,,,\n"
	took := func(micros, bands string) string {
		return "1" + strings.Repeat(","+micros, 8) + ",false," + bands + ",0,0,0,0\n"
	}
	want := "part,from,to,value,measure,count,sum,mean,min,max,median,p90,p95,p99,approximate," +
		"at_most_60s,at_most_300s,at_most_900s,at_most_3600s,at_most_14400s,at_most_86400s,at_most_604800s,longer\n"
	for _, part := range []string{"total,2026-03-01T23:00:00Z,2026-03-02T23:00:00Z,,",
		"previous,2026-02-22T23:00:00Z,2026-02-23T23:00:00Z,,",
		"group,2026-03-01T23:00:00Z,2026-03-02T23:00:00Z,ana,"} {
		all := []string{once, none, none, took("240000000", "0,1,0,0"),
			took("3360000000", "0,0,0,1")}
		if strings.HasPrefix(part, "previous") {
			all = []string{none, none, none, none, none}
		}
		for i, m := range []string{"assigned", "unassigned", "transfers", "assignment", "handling"} {
			want += part + m + "," + all[i]
		}
	}
	assert.Equal(t, want, out)
}

// Openings have no closed_source: they are in no group, which is not the same as 0.
func TestGroupsAreOfTheMeasuresThatHaveThem(t *testing.T) {
	out, _, err := ask(t, append(march, "--group-by", "closed_source")...)
	require.NoError(t, err)
	assert.Contains(t, out, `
conversations by closed_source
   closed_source   closed
   user                 3
`)
	out, _, err = ask(t, append(march, "--group-by", "closed_source", "--format", "csv")...)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(out, "\ngroup,"))
	assert.Contains(t, out, ",user,closed,3,")
}

func TestWorkingHoursAreReadFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hours.json")
	require.NoError(t, os.WriteFile(file,
		[]byte(`{"zone": "UTC", "days": {"monday": [{"from": "09:30", "to": "17:00"}]}}`), 0o600))
	out, _, err := ask(t, append(march, "--kind", "resolutions", "--hours", file, "--format",
		"json", "--filter", "closer=ana")...)
	require.NoError(t, err)
	var a report.Report
	require.NoError(t, json.Unmarshal([]byte(out), &a))
	assert.Equal(t, time.Hour.Microseconds(), a.Total[report.Resolution].Sum)
	assert.Equal(t, 30*time.Minute.Microseconds(), a.Total[report.WorkingResolution].Sum)
}

func TestLiveIsHowThingsStand(t *testing.T) {
	out, _, err := ask(t, "--live")
	require.NoError(t, err)
	assert.Equal(t, `right now, by assignee
   assignee   open   pending              opened_at          waiting_since
   (none)        1         1   2026-03-05T08:00:00Z   2026-03-05T08:00:00Z

right now, by team
   team     open   pending              opened_at          waiting_since
   (none)      1         1   2026-03-05T08:00:00Z   2026-03-05T08:00:00Z

right now, by lane
   lane     open   pending              opened_at          waiting_since
   (none)      1         1   2026-03-05T08:00:00Z   2026-03-05T08:00:00Z

right now, by channel
   channel    open   pending              opened_at          waiting_since
   web           0         1   2026-03-05T08:00:00Z   2026-03-05T08:00:00Z
   whatsapp      1         0   2026-03-10T08:00:00Z                       

acme right now: 1 open, 1 pending, 2 not assigned; the longest waiting contact waits since 2026-03-05T08:00:00Z.
`, out)
	out, _, err = ask(t, "--live", "--format", "csv")
	require.NoError(t, err)
	assert.Equal(t, `by,value,open,pending,opened_at,waiting_since
assignee,,1,1,2026-03-05T08:00:00Z,2026-03-05T08:00:00Z
team,,1,1,2026-03-05T08:00:00Z,2026-03-05T08:00:00Z
lane,,1,1,2026-03-05T08:00:00Z,2026-03-05T08:00:00Z
channel,web,0,1,2026-03-05T08:00:00Z,2026-03-05T08:00:00Z
channel,whatsapp,1,0,2026-03-10T08:00:00Z,
`, out)
	out, _, err = ask(t, "--live", "--format", "json")
	require.NoError(t, err)
	var l report.LiveCounts
	require.NoError(t, json.Unmarshal([]byte(out), &l))
	assert.EqualValues(t, 2, l.Unassigned)
}

func TestABacklogIsWhatWasActive(t *testing.T) {
	out, _, err := ask(t, append(march, "--kind", "backlog", "--bucket", "week", "--group-by",
		"channel")...)
	require.NoError(t, err)
	assert.Equal(t, `backlog in all
            backlog
   period         2
   before         0

backlog by week
   week         backlog
   2026-03-01         0
   2026-03-02         1
   2026-03-09         2
   2026-03-16         2
   2026-03-23         2
   2026-03-30         2

backlog by channel
   channel    backlog
   web              1
   whatsapp         1

backlog of acme, 2026-03-01 to 2026-04-01, compared with 2026-02-01 to 2026-03-01.
`, out)
	_, _, err = ask(t, append(march, "--kind", "backlog", "--heat-map")...)
	require.ErrorContains(t, err, "heat_map: is of what happens")
}

func TestAHeatMapHasARowForEachWeekday(t *testing.T) {
	args := append(march, "--kind", "messages", "--heat-map", "--zone", "Europe/Berlin")
	out, _, err := ask(t, args...)
	require.NoError(t, err)
	t.Log(out)
	out, _, err = ask(t, append(args, "--format", "csv")...)
	require.NoError(t, err)
	assert.Equal(t, 4*7*24, strings.Count(out, "\nhour,"))
	t.Log(out)
}

func TestBehindAFigureAreItsConversations(t *testing.T) {
	args := append(march, "--kind", "resolutions", "--filter", "closer=ana", "--behind",
		"resolution")
	out, _, err := ask(t, args...)
	require.NoError(t, err)
	assert.Contains(t, out, "   1   3600000000\n\n1 conversations behind resolution of acme, 2026")
	out, _, err = ask(t, append(args, "--format", "csv")...)
	require.NoError(t, err)
	assert.Contains(t, out, "conversation,count,sum\n")
	out, _, err = ask(t, append(args, "--format", "json")...)
	require.NoError(t, err)
	var all []report.Counted
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	assert.Len(t, all, 1)
	_, _, err = ask(t, append(march, "--behind", "handling")...)
	require.ErrorContains(t, err, `"handling" is not in the report`)
}

func TestExportsAreStreamedAndCounted(t *testing.T) {
	for _, c := range []struct {
		args    []string
		lines   int
		summary string
	}{
		{[]string{"csv"}, 6, "exported 5 cycles by opening"},
		{[]string{"csv", "--by", "closing"}, 4, "exported 3 cycles by closing"},
		{[]string{"ndjson", "--by", "opening"}, 5, "exported 5 cycles by opening"},
		{[]string{"ndjson", "--by", "closing"}, 3, "exported 3 cycles by closing"},
		{[]string{"transcripts"}, 16, "exported 4 conversations"},
		{[]string{"spans"}, 32, "exported 16 events with their spans"},
	} {
		out, summary, err := ask(t, append(append(march, "--export"), c.args...)...)
		require.NoError(t, err)
		assert.Equal(t, c.lines, strings.Count(out, "\n"), c.args)
		assert.Equal(t, c.summary+" of acme, 2026-03-01 to 2026-04-01.\n", summary)
	}
}

// What a contact or a user is called is nothing for a spreadsheet to carry out.
func TestCSVHasNoFormulas(t *testing.T) {
	s := memstore.New()
	engine, err := convo.New(s)
	require.NoError(t, err)
	boss := convo.ByUser("=boss()")
	do := func(contact string, cmds ...convo.Command) {
		_, err := engine.Do(t.Context(), convo.ToContact("acme", contact), cmds...)
		require.NoError(t, err)
	}
	do("+49100", convo.Open{By: boss}, convo.Close{By: boss})
	do("+49200", convo.Open{By: boss}, convo.Assign{By: boss, Assignee: "=boss()"})
	today := time.Now()
	period := []string{"--from", today.AddDate(0, 0, -2).Format(time.DateOnly),
		"--to", today.AddDate(0, 0, 2).Format(time.DateOnly)}
	for _, args := range [][]string{
		{"--live", "--format", "csv"},
		append(period, "--export", "csv"),
		append(period, "--format", "csv", "--group-by", "closer"),
	} {
		for _, formulas := range []bool{false, true} {
			args := append([]string{"--db", "unused", "--workspace", "acme",
				fmt.Sprint("--formulas=", formulas)}, args...)
			c, err := parse(args, &bytes.Buffer{})
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, c.runOn(t.Context(), s, nil, &out, &bytes.Buffer{}))
			rows, err := csv.NewReader(&out).ReadAll()
			require.NoError(t, err)
			cells := slices.Concat(rows...)
			assert.Equal(t, formulas, slices.Contains(cells, "=boss()"), args)
			assert.Equal(t, !formulas, slices.Contains(cells, "'=boss()"), args)
		}
	}
}

func writePage(t testing.TB, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	out, summary, err := ask(t, append(append(march, "--html", file), args...)...)
	require.NoError(t, err)
	assert.Empty(t, out)
	assert.Contains(t, summary, "wrote "+file)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	if keep := os.Getenv("CONVO_KEEP_PAGE"); keep != "" {
		require.NoError(t, os.WriteFile(keep, page, 0o600))
	}
	return string(page)
}

func TestAPageHasAllChartsAndNeedsNoNetwork(t *testing.T) {
	page := writePage(t, "--bucket", "day", "--zone", "Europe/Berlin")
	for _, want := range []string{
		`aria-label="Opened and closed"`, `aria-label="Time until closed"`,
		`aria-label="First response"`, `aria-label="Messages"`,
		`aria-label="One reply or none"`, `aria-label="Response by user"`,
		`aria-label="Closed by closer"`, `aria-label="Assigned by user"`,
		`aria-label="Handling by user"`, `aria-label="Active at the end"`,
		`aria-label="Opened by weekday and hour (Europe/Berlin)"`, `>Wed</text>`,
		`aria-label="Time by status and turn"`,
		">day (Europe/Berlin)</text>", ">conversations</text>",
		">hours</text>", ">messages</text>",
		">cycles</text>", ">within</text>", ">closings</text>", ">≤ 15m</text>", ">ben</text>",
		`<th scope="row">outgoing_automation</th><td>1</td>`, "<dt>first_response</dt>",
	} {
		assert.True(t, strings.Contains(page, want), want)
	}
	assert.Equal(t, 12, strings.Count(page, "<svg"))
	assert.Equal(t, 12, strings.Count(page, "</svg>"))
	assert.Empty(t, regexp.MustCompile(`(?i)(src|href|action|data)\s*=|url\(|@import|https?:|<script|<link`).FindAllString(page, -1))
}

func TestAPageOfMessagesThatAFilterDoesNotKnowIsWithoutThem(t *testing.T) {
	page := writePage(t, "--filter", "team=&<b>", "--filter", "closer=ana", "--exclude",
		"channel=web,email", "--group-by", "channel")
	assert.NotContains(t, page, `aria-label="Messages"`)
	assert.Contains(t, page,
		"only closer ana, team &amp;&lt;b&gt;, without channel web or email. Before")
	assert.NotContains(t, page, "<b>")
}

func TestAPageIsOfWhatTheFiltersAreAbout(t *testing.T) {
	page := writePage(t, "--filter", "author=ana")
	assert.Contains(t, page, `aria-label="Messages"`)
	assert.Contains(t, page, `aria-label="Response by user"`)
	for _, other := range []string{"Opened", "Closed", "Assigned", "Handling", "Time by"} {
		assert.NotContains(t, page, `aria-label="`+other)
	}
	assert.NotContains(t, page, "reopened ÷ closed", "which is of openings")

	page = writePage(t, "--filter", "closed_source=user")
	assert.Contains(t, page, `aria-label="Opened and closed"`)
	assert.NotContains(t, page, `<th scope="col">opened</th>`, "openings have no source of a closing")

	page = writePage(t, "--group-by", "opener")
	assert.Contains(t, page, `aria-label="Opened by opener"`, "which closings do not have")
}

func TestFiltersAreListsThatMayBeRepeated(t *testing.T) {
	for _, c := range []struct {
		args         []string
		want, others report.Filter
	}{
		{[]string{"--filter", "channel=web,email", "--filter", "team=", "--filter", "channel=sms"},
			report.Filter{report.Channel: {"web", "email", "sms"}, report.Team: {""}}, nil},
		{[]string{"--exclude", `assignee="Doe, Ana",ben`, "--filter", `team=5" pipes`},
			report.Filter{report.Team: {`5" pipes`}},
			report.Filter{report.Assignee: {"Doe, Ana", "ben"}}},
		{[]string{"--exclude", "label=,vip"}, nil, report.Filter{report.Label: {"", "vip"}}},
	} {
		call, err := parse(slices.Concat([]string{"--db", "unused"}, march, c.args), &bytes.Buffer{})
		require.NoError(t, err)
		assert.Equal(t, c.want, call.query.Filter, c.args)
		assert.Equal(t, c.others, call.query.Exclude, c.args)
	}
}

func TestWhatIsExcludedIsNotCounted(t *testing.T) {
	out, _, err := ask(t, append(march, "--kind", "times", "--exclude", "channel=whatsapp,sms",
		"--format", "json")...)
	require.NoError(t, err)
	var a report.Report
	require.NoError(t, json.Unmarshal([]byte(out), &a))
	sums := map[report.Measure]time.Duration{}
	for m, s := range a.Total {
		sums[m] = time.Duration(s.Sum) * time.Microsecond
	}
	assert.Equal(t, map[report.Measure]time.Duration{report.OpenTime: time.Hour,
		report.ContactWaitingTime: 4 * time.Minute, report.AwaitingContactTime: 56 * time.Minute,
		report.IdleTime: 0}, sums)
}

func TestAPageOfNothingIsAPageOfZeros(t *testing.T) {
	c, err := parse(append([]string{"--db", "unused", "--html", "unused"}, march...),
		&bytes.Buffer{})
	require.NoError(t, err)
	p, err := c.renderPage(t.Context(), memstore.New())
	require.NoError(t, err)
	require.Len(t, p.Charts, 2)
	for _, c := range p.Charts {
		assert.NotContains(t, string(c.SVG), "NaN")
	}
	assert.Contains(t, p.Tables[0].Rows, []string{"opened", "0", "0"})
}
