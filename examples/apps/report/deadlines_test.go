package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// What is reported of deadlines is what the transcripts of the same demo say of them.
func TestDeadlinesAreThoseOfTheTranscripts(t *testing.T) {
	demo := func(args ...string) string {
		status, out, stderr := command(t, "", append([]string{"--demo", "--from", "2026-02-02",
			"--to", "2026-03-30"}, args...)...)
		require.Zero(t, status, stderr)
		return out
	}
	want := map[string]map[convo.MarkResult]int{} // by deadline
	all := map[convo.MarkResult]int{}
	for line := range strings.Lines(demo("--export", "transcripts")) {
		var e convo.Event
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		for _, m := range e.Marks().All() {
			if want[m.Deadline] == nil {
				want[m.Deadline] = map[convo.MarkResult]int{}
			}
			want[m.Deadline][m.Result]++
			all[m.Result]++
		}
	}
	require.Len(t, want, 5)
	require.Greater(t, min(all[convo.MarkMet], all[convo.MarkMissed], all[convo.MarkPassed]), 10)

	byName := []string{"--kind", "deadlines", "--group-by", "deadline"}
	rows, err := csv.NewReader(strings.NewReader(
		demo(append(byName, "--format", "csv")...))).ReadAll()
	require.NoError(t, err)
	groups := 0
	for _, row := range rows {
		if row[0] != "group" {
			continue
		}
		groups++
		result := convo.MarkResult(strings.TrimPrefix(row[4], "deadlines_"))
		assert.Equal(t, fmt.Sprint(want[row[3]][result]), row[5], "%s %s", row[3], result)
	}
	assert.Equal(t, 15, groups, "three measures of five deadlines")

	var answer struct {
		MetRate float64 `json:"met_rate"`
	}
	require.NoError(t, json.Unmarshal([]byte(demo(append(byName, "--format", "json")...)), &answer))
	share := float64(all[convo.MarkMet]) / float64(all[convo.MarkMet]+all[convo.MarkMissed])
	assert.InDelta(t, share, answer.MetRate, 1e-9)

	table := demo(byName...)
	assert.Contains(t, table, "deadlines by deadline\n")
	assert.Contains(t, table, fmt.Sprintf("; %.1f %% of targets met.", 100*share))
	assert.Regexp(t, fmt.Sprintf(`\n +period +%d +%d +%d\n`, all[convo.MarkMet],
		all[convo.MarkMissed], all[convo.MarkPassed]), table)
}

// The page of the demo has them: see TestTheFirstCommandOfTheREADMEDrawsAPage.
func TestAPageOfALogWithoutDeadlinesDrawsNone(t *testing.T) {
	page := writePage(t)
	assert.NotContains(t, page, `aria-label="Deadlines"`)
	assert.NotContains(t, page, `<th scope="row">share of targets met</th>`)
}
