package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

// rated has five closings, of which four are rated: 2 and 5 of ana's, 5 and 5 of bo's.
func rated(t *testing.T) report.Store {
	t.Helper()
	store, c := memstore.New(), &clock{}
	e, err := convo.New(store, convo.WithClock(c))
	require.NoError(t, err)
	for i, one := range []struct {
		by    convo.Actor
		score int
	}{{ana, 2}, {ana, 5}, {ana, 0}, {bo, 5}, {bo, 5}} {
		c.now = monday.Add(time.Duration(i) * time.Hour)
		cmds := []convo.Command{convo.Open{By: one.by}, convo.Close{By: one.by}}
		if one.score > 0 {
			cmds = append(cmds, convo.Rate{Score: one.score})
		}
		_, err := e.Do(t.Context(), convo.ToContact("acme", string(rune('a'+i))), cmds...)
		require.NoError(t, err)
	}
	return store
}

func TestSatisfactionIsHowManyWereRatedAndHow(t *testing.T) {
	s, q := rated(t), query(report.Satisfaction)
	q.GroupBy, q.Bucket = report.Closer, report.Week
	a := ask(t, s, q)
	r := a.Total[report.Rating]
	assert.Equal(t, report.Stat{
		Count: 4, Sum: 17, Mean: 4.25, Min: 2, Max: 5, Median: 5, P90: 5, P95: 5, P99: 5,
	}, r)
	assert.Equal(t, r, a.Series[0].Values[report.Rating])
	assert.InDelta(t, .8, a.Total.RatedShare(), 1e-9)
	require.Len(t, a.Groups, 2)
	assert.Equal(t, "ana", a.Groups[0].Value)
	assert.InDelta(t, 3.5, a.Groups[0].Values[report.Rating].Mean, 0)
	assert.InDelta(t, 2./3, a.Groups[0].Values.RatedShare(), 1e-9)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"rated_share":0.8`)
	assert.Zero(t, report.Values{}.RatedShare())

	q.GroupBy = report.Score
	a = ask(t, s, q)
	scores := map[string]int64{}
	for _, g := range a.Groups {
		scores[g.Value] = g.Values[report.Rating].Count
	}
	assert.Equal(t, map[string]int64{"2": 1, "5": 3}, scores, "the distribution")
}

func TestTheHighestScoresLead(t *testing.T) {
	q := query(report.Leaderboard)
	q.Measure = report.Rating
	a := ask(t, rated(t), q)
	require.Equal(t, report.Closer, a.GroupBy)
	require.Len(t, a.Groups, 2)
	assert.Equal(t, "bo", a.Groups[0].Value)
	assert.Equal(t, report.Stat{Count: 2, Sum: 10, Mean: 5, Min: 5, Max: 5, Median: 5, P90: 5,
		P95: 5, P99: 5}, a.Groups[0].Values[report.Rating])
}
