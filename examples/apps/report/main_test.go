package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const log = `case:concept:name,Activity,Resource,time:timestamp
Case1,Insert ticket,Ana,2025-03-03 09:00:00+00:00
Case1,Take in charge ticket,Ben,2025-03-03 09:10:00+00:00
Case2,Insert ticket,Ana,2025-03-03 09:30:00+00:00
Case2,Wait,Ana,2025-03-03 09:30:00+00:00
Case1,Closed,Ben,2025-03-05 11:00:00+00:00
Case2,Closed,Ana,2025-03-04 09:30:00+00:00
`

func Example() {
	run(context.Background(), []string{"--import", "-", "--from", "2025-03-01", "--to",
		"2025-04-01", "--zone", "Europe/Rome",
		"--kind", "assignments", "--group-by", "assignee"}, strings.NewReader(log), os.Stdout,
		os.Stdout)
	// Output:
	// imported -: 6 rows of 2 cases; 2 opened, 0 reopened, 2 closed
	// assignments in all
	//             assigned   unassigned   transfers
	//    period          1            0           0
	//    before          0            0           0
	//
	// assignment in all
	//             count     mean   median      p90      p95      p99      min      max
	//    period       1   10m 0s   10m 0s   10m 0s   10m 0s   10m 0s   10m 0s   10m 0s
	//    before       0        -        -        -        -        -        -        -
	//
	// handling in all
	//             count    mean   median     p90     p95     p99     min     max
	//    period       1   2d 1h    2d 1h   2d 1h   2d 1h   2d 1h   2d 1h   2d 1h
	//    before       0       -        -       -       -       -       -       -
	//
	// assignments in all, how many within
	//                measure   ≤ 1m   ≤ 5m   ≤ 15m   ≤ 1h   ≤ 4h   ≤ 1d   ≤ 7d   more
	//    period   assignment      0      0       1      0      0      0      0      0
	//    period     handling      0      0       0      0      0      0      1      0
	//
	// assignments by assignee
	//    assignee   assigned   unassigned   transfers
	//    Ben               1            0           0
	//
	// assignment by assignee
	//    assignee   count     mean   median      p90      p95      p99      min      max
	//    Ben            1   10m 0s   10m 0s   10m 0s   10m 0s   10m 0s   10m 0s   10m 0s
	//
	// handling by assignee
	//    assignee   count    mean   median     p90     p95     p99     min     max
	//    Ben            1   2d 1h    2d 1h   2d 1h   2d 1h   2d 1h   2d 1h   2d 1h
	//
	// assignments by assignee, how many within
	//    assignee      measure   ≤ 1m   ≤ 5m   ≤ 15m   ≤ 1h   ≤ 4h   ≤ 1d   ≤ 7d   more
	//    Ben        assignment      0      0       1      0      0      0      0      0
	//    Ben          handling      0      0       0      0      0      0      1      0
	//
	// assignments of helpdesk, 2025-03-01 to 2025-04-01, compared with 2025-02-01 to 2025-03-01.
}

// command runs the program on what standard input has.
func command(t testing.TB, stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestHelpIsNoError(t *testing.T) {
	status, stdout, stderr := command(t, "", "--help")
	assert.Zero(t, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "Usage: report --db DATABASE")
	assert.Contains(t, stderr, "-group-by dimension")
	assert.Contains(t, stderr, "-by time")
	assert.Contains(t, stderr, "-formulas")
}

func TestADatabaseKeepsALogAndIsAskedAgain(t *testing.T) {
	db := filepath.Join(t.TempDir(), "convo.sqlite")
	period := []string{"--db", db, "--from", "2025-03-01", "--to", "2025-04-01", "--kind", "users",
		"--format", "csv"}
	status, first, stderr := command(t, log, append(period, "--import", "-")...)
	require.Zero(t, status, stderr)
	status, second, stderr := command(t, "", period...)
	require.Zero(t, status, stderr)
	assert.Contains(t, second,
		"group,2025-03-01T00:00:00Z,2025-04-01T00:00:00Z,Ben,resolution,1,180000000000,")
	assert.Equal(t, first, second)
	assert.Contains(t, second, ",true,0,", "from rollups")
}

func TestAWrongCallIsStatus2(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	period := []string{"--import", "-", "--from", "2026-03-01", "--to", "2026-04-01"}
	with := func(more ...string) []string {
		return append(period[:len(period):len(period)],
			more...)
	}
	for _, c := range []struct {
		stderr string
		args   []string
	}{
		{"there is nothing to ask: name a database with --db",
			[]string{"--from", "2026-03-01", "--to", "2026-04-01"}},
		{"name the period with --from and --to", []string{"--import", "-"}},
		{"name the period with --from and --to", []string{"--import", "-", "--html", "x.html",
			"--from", "2026-03-01"}},
		{"--mapping goes with --import", []string{"--db", "x", "--live", "--mapping", "m.json"}},
		{"--demo and --import do not go together", with("--demo")},
		{"--demo goes with a SQLite file", []string{"--demo", "--db", "u@tcp(host)/db"}},
		{"--seed goes with --demo", with("--seed", "2")},
		{"name the period with --from and --to", []string{"--demo", "--from", "2026-03-01"}},
		{`"more" is not a flag`, with("more")},
		{"flag provided but not defined: -no-such-flag", with("--no-such-flag")},
		{"must be dimension=value", with("--filter", "channel")},
		{"must be dimension=value", with("--exclude", "channel")},
		{"must be in one line", with("--exclude", "channel=web\nsms")},
		{`"mon" is not one of monday`, with("--week-start", "mon")},
		{`invalid value "x" for flag -top`, with("--top", "x")},
		{`--from: "yesterday" is neither a day`, []string{"--import", "-", "--from", "yesterday",
			"--to", "2026-04-01"}},
		{`"last" is not one of previous, year_before`, with("--compare", "last")},
		{`--compare-from: "2026-13-01" is neither a day`, with("--compare-from", "2026-13-01")},
		{`--zone: "Mars" is not the name`, with("--zone", "Mars")},
		{`zone`, with("--zone", "Local")},
		{`--zone: "" is not the name`, with("--zone", "")},
		{`--format: "xml" is not one of`, with("--format", "xml")},
		{`--export: "xls" is not one of`, with("--export", "xls")},
		{"--live and --export do not go together",
			[]string{"--import", "-", "--live", "--export", "csv"}},
		{"--kind does not go with --html", with("--html", "x.html", "--kind", "users")},
		{"--from does not go with --live", with("--live")},
		{"--formulas goes with --format csv", with("--formulas")},
		{"--formulas goes with --format csv", with("--export", "ndjson", "--formulas")},
		{"--formulas goes with --format csv", with("--html", "x.html", "--format", "csv",
			"--formulas")},
		{`--by: "closed" is not one of opening, closing`, with("--export", "csv", "--by", "closed")},
		{"--by does not go with a report", with("--by", "closing")},
		{"--by does not go with --export transcripts",
			with("--export", "transcripts", "--by", "opening")},
		{"--bucket does not go with --export", with("--export", "csv", "--bucket", "day")},
		{`"chats" is not one of`, with("--kind", "chats")},
		{"--to: 2026-03-01 must be after --from, which is 2026-03-01",
			[]string{"--import", "-", "--from", "2026-03-01", "--to", "2026-03-01"}},
		{"--to: 2026-02-01 must be after --from, which is 2026-03-01", []string{"--import", "-",
			"--from", "2026-03-01", "--to", "2026-02-01", "--export", "csv"}},
		{`"chats" is not one of`, []string{"--db", "none", "--from", "2026-03-01", "--to",
			"2026-04-01", "--kind", "chats"}}, // which is seen before --db is
		{`"decade" is not one of hour`, with("--bucket", "decade")},
		{`"decade" is not one of hour`, with("--bucket", "decade", "--html", "x.html")},
		{`"mood" is not one of`, with("--group-by", "mood")},
		{`"mood" is not one of`, with("--filter", "mood=bad")},
		{`"mood" is not one of`, with("--exclude", "mood=bad", "--html", "x.html")},
		{"closed_source: first_response does not have it", with("--kind", "responses",
			"--filter", "closed_source=user")},
		{"does not have it", with("--filter", "author=ana", "--filter", "closer=ana",
			"--html", "x.html")},
		{"measure and top are of a leaderboard", with("--measure", "closed")},
		{`--measure: "fun" is not one of opened, `, with("--kind", "leaderboard", "--measure",
			"fun")},
		{`--measure: "" is not one of opened, `, with("--kind", "leaderboard")},
		{"is of a report of conversations", with("--kind", "messages", "--count-distinct")},
		{"workspace", with("--workspace", "")},
		{"workspace", []string{"--import", "-", "--live", "--workspace", ""}},
		{"no such file", with("--hours", filepath.Join(dir, "none"))},
		{`unknown field "day"`, with("--hours", file("typo.json", `{"zone": "UTC", "day": {}}`))},
		{"something follows", with("--hours", file("more.json", `{"zone": "UTC", "days": {}} {}`))},
		{"days", with("--hours", file("none.json", `{"zone": "UTC"}`))},
		{"mapping: ", with("--mapping", file("mapping.json", `{"colums": {}}`))},
		{"bad rows: 1; nothing was imported", with()},
	} {
		status, stdout, stderr := command(t, "a,b\n", c.args...)
		assert.Equal(t, 2, status, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Contains(t, stderr, c.stderr, c.args)
		assert.LessOrEqual(t, strings.Count(stderr, "\n"), 2, stderr) // bad rows have lines
	}
	assert.NoFileExists(t, "x.html")
}

func TestWhatCannotBeReadOrWrittenIsStatus1(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none", "x")
	for _, args := range [][]string{
		{"--import", none, "--live"}, {"--db", "postgres://host:port/", "--live"},
		{"--import", "-", "--from", "2026-03-01", "--to", "2026-04-01", "--html", none},
	} {
		status, _, stderr := command(t, log, args...)
		assert.Equal(t, 1, status, args)
		assert.Contains(t, stderr, "report: ", args)
	}
	for _, more := range [][]string{{}, {"--format", "json"}, {"--format", "csv"},
		{"--export", "csv"}, {"--export", "ndjson"}} {
		var stderr bytes.Buffer
		args := append([]string{"--import", "-", "--from", "2025-03-01", "--to", "2026-04-01"},
			more...)
		assert.Equal(t, 1, run(t.Context(), args, strings.NewReader(log), full{}, &stderr), more)
		assert.Contains(t, stderr.String(), "report: no space left\n", more)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
