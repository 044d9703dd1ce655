package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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

// askRated runs the command on the history, of which three closings are rated: 2, 5 and, instead
// of 1, 5.
func askRated(t testing.TB, args ...string) string {
	t.Helper()
	s, mock := memstore.New(), clock.NewMock()
	history(t, s)
	mock.Set(time.Date(2026, 3, 11, 9, 0, 0, 0, time.UTC))
	engine, err := convo.New(s, convo.WithClock(mock))
	require.NoError(t, err)
	for _, one := range []struct {
		contact string
		rate    convo.Rate
	}{
		{"riya", convo.Rate{Score: 2}}, {"omar", convo.Rate{Cycle: 1, Score: 1}},
		{"omar", convo.Rate{Cycle: 1, Score: 5, Comment: "=thanks"}},
		{"kofi", convo.Rate{Score: 5}},
	} {
		_, err := engine.Do(t.Context(), convo.ToContact("acme", one.contact), one.rate)
		require.NoError(t, err)
	}
	c, err := parse(append(append([]string{"--db", "unused", "--workspace", "acme"}, march...),
		args...), &bytes.Buffer{})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, c.runOn(t.Context(), s, nil, &out, &bytes.Buffer{}))
	return out.String()
}

func TestSatisfactionIsATableJSONCSVAndAChart(t *testing.T) {
	table := askRated(t, "--kind", "satisfaction", "--group-by", "closer")
	assert.Contains(t, table, "; mean rating 4.00, 100.0 % rated.")
	for _, row := range []string{
		"period 3 4 5 5 5 5 2 5", "ana 1 2 2 2 2 2 2 2", "ben 2 5 5 5 5 5 5 5",
	} {
		assert.Contains(t, strings.Join(strings.Fields(table), " "), row)
	}

	out := askRated(t, "--kind", "satisfaction", "--group-by", "score", "--format", "json")
	var a struct {
		report.Report
		RatedShare float64 `json:"rated_share"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &a))
	assert.EqualValues(t, 12, a.Total[report.Rating].Sum)
	assert.InDelta(t, 1, a.RatedShare, 0)
	require.Len(t, a.Groups, 2)
	assert.EqualValues(t, 2, a.Groups[1].Values[report.Rating].Count, "fives")

	out = askRated(t, "--kind", "satisfaction", "--group-by", "score", "--format", "csv")
	assert.Contains(t, out, ",,rating,3,12,4,2,5,5,5,5,5,false")
	assert.Contains(t, out, ",5,rating,2,10,5,5,5,5,5,5,5,false")

	out = askRated(t, "--export", "csv")
	assert.Regexp(t, `5,'=thanks,2026-03-\d\dT[0-9:]+Z\n`, out)

	file := filepath.Join(t.TempDir(), "report.html")
	askRated(t, "--html", file)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{
		`aria-label="Ratings by score"`, `<th scope="row">rated ÷ closed</th><td>100.0 %</td>`,
		`<th scope="row">rating</th><td>3</td><td>4</td><td>5</td>`, "<dt>rating</dt>",
	} {
		assert.Contains(t, string(page), want)
	}
	assert.Equal(t, 1, strings.Count(string(page), "<dt>closed</dt>"))
}

func TestAPageWithoutRatingsHasNoChartOfThem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	askRated(t, "--html", file, "--filter", "closed_source=user") // which ratings do not have
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(page), "Ratings")
	assert.NotContains(t, string(page), "rated ÷ closed")
}
