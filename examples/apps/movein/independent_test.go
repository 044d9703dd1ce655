package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
	"github.com/chatlifecycle/convo/examples/apps/internal/helpdesk"
)

// count is what a log comes to, counted from its rows by the rules alone. It shares nothing with
// the program or the library, so that the two can be compared.
type count struct {
	rows, opened, reopened, closed, ignored, pended int
	stillOpen, stillPending                         int
	resolutions, pendings                           []int64 // microseconds, of each closed cycle
	pendingTotal                                    int64   // of all cycles, up to the last event
	events                                          map[string][]string
	cases                                           []string
}

type entry struct {
	micros             int64
	activity, resource string
}

func countIndependently(t require.TestingT, in io.Reader) count {
	records, err := csv.NewReader(in).ReadAll()
	require.NoError(t, err)
	place := map[string]int{}
	for i, name := range records[0] {
		place[name] = i
	}
	n := count{rows: len(records) - 1, events: map[string][]string{}}
	entries := map[string][]entry{}
	for _, r := range records[1:] {
		at, err := time.Parse("2006-01-02 15:04:05-07:00", r[place["time:timestamp"]])
		require.NoError(t, err)
		name := r[place["case:concept:name"]]
		if entries[name] == nil {
			n.cases = append(n.cases, name)
		}
		e := entry{at.UnixMicro(), r[place["Activity"]], r[place["Resource"]]}
		list := append(entries[name], e)
		// a stable insertion sort
		for i := len(list) - 1; i > 0 && list[i-1].micros > e.micros; i-- {
			list[i-1], list[i] = list[i], list[i-1]
		}
		entries[name] = list
	}
	for _, name := range n.cases {
		n.walk(name, entries[name])
	}
	return n
}

// walk goes through the entries of one case.
func (n *count) walk(name string, entries []entry) {
	var log []string
	status, assignee := "", ""
	var opened, waiting, pending int64
	for _, e := range entries {
		switch status {
		case "":
			n.opened++
			log = append(log, "conversation_opened")
			opened = e.micros
		case "pending":
			if e.activity == "Wait" { // it says what is so already
				continue
			}
			log = append(log, "conversation_resumed")
			pending += e.micros - waiting
			n.pendingTotal += e.micros - waiting
		case "closed":
			if e.activity == "Closed" {
				n.ignored++
				continue
			}
			n.reopened++
			log = append(log, "conversation_reopened")
			opened, pending = e.micros, 0
		}
		status = "open"
		switch e.activity {
		case "Closed":
			status = "closed"
			n.closed++
			n.resolutions = append(n.resolutions, e.micros-opened)
			n.pendings = append(n.pendings, pending)
			log = append(log, "conversation_closed")
		case "Wait":
			status = "pending"
			n.pended++
			waiting = e.micros
			log = append(log, "conversation_pending")
		case "Take in charge ticket":
			if e.resource != assignee {
				log = append(log, "conversation_assigned")
			}
			assignee = e.resource
		case "Insert ticket":
		default:
			log = append(log, "note_added")
		}
	}
	switch status {
	case "open":
		n.stillOpen++
	case "pending":
		n.stillPending++
	}
	n.events[name] = log
}

// exactSpread computes with fractions: the mean, and the quantiles as x/exp/stats defines them,
// which is method 7 of Hyndman and Fan: position (n-1)·q in the sorted values, counted from 0,
// interpolated between its neighbours.
func exactSpread(t require.TestingT, micros []int64) spread {
	if len(micros) == 0 {
		return spread{}
	}
	sorted := slices.Clone(micros)
	slices.Sort(sorted)
	seconds := func(micros *big.Rat) float64 {
		s := new(big.Rat).Quo(micros, big.NewRat(1_000_000, 1))
		f, err := strconv.ParseFloat(s.FloatString(3), 64)
		require.NoError(t, err)
		return f
	}
	quantile := func(tenths int64) float64 {
		position := int64(len(sorted)-1) * tenths
		i, rest := position/10, position%10
		v := big.NewRat(sorted[i], 1)
		if rest > 0 {
			v.Add(v, big.NewRat((sorted[i+1]-sorted[i])*rest, 10))
		}
		return seconds(v)
	}
	sum := new(big.Int)
	for _, v := range sorted {
		sum.Add(sum, big.NewInt(v))
	}
	return spread{seconds(new(big.Rat).SetFrac(sum, big.NewInt(int64(len(sorted))))), quantile(5),
		quantile(9)}
}

// requireSame compares the program's figures, and what the library has of every case, with n.
func requireSame(t require.TestingT, n count, engine *convo.Engine, f figures) {
	require.Equal(t,
		[]int{n.rows, len(n.cases), n.opened, n.reopened, n.closed, n.ignored, n.pended,
			n.stillOpen, n.stillPending},
		[]int{f.Rows, f.Cases, f.Events[convo.ConversationOpened],
			f.Events[convo.ConversationReopened],
			f.Events[convo.ConversationClosed], f.IgnoredClosings,
			f.Events[convo.ConversationPending], f.StillOpen, f.StillPending},
		"rows, cases, opened, reopened, closed, ignored closings, pending, still open, still "+
			"pending")
	require.Equal(t, n.rows, f.Applied+f.Unchanged+f.IgnoredClosings)

	active := make([]int64, len(n.resolutions))
	for i := range active {
		active[i] = n.resolutions[i] - n.pendings[i]
	}
	require.Equal(t, exactSpread(t, n.resolutions), f.Resolution)
	require.Equal(t, exactSpread(t, active), f.WithoutPending)

	ctx := context.Background()
	var resolutions, pendings []int64
	var pendingTotal int64
	for _, name := range n.cases {
		history, err := engine.History(ctx, convo.ToContact(defaultWorkspace, name),
			convo.EventCursor{}, convo.MaxPageSize)
		require.NoError(t, err)
		var kinds []string
		for _, e := range history {
			kinds = append(kinds, e.Kind.String())
		}
		require.Equal(t, n.events[name], kinds, name)
		cycles, err := engine.Cycles(ctx,
			convo.ToConversation(defaultWorkspace, history[0].Conversation))
		require.NoError(t, err)
		for _, c := range cycles {
			pendingTotal += c.PendingMicros
			if d, closed := c.ResolutionTime(); closed {
				resolutions = append(resolutions, d.Microseconds())
				pendings = append(pendings, c.PendingMicros)
			}
		}
	}
	require.Equal(t, n.resolutions, resolutions)
	require.Equal(t, n.pendings, pendings)
	require.Equal(t, n.pendingTotal, pendingTotal)
}

// importAll imports a log with the default mapping.
func importAll(t testing.TB, in io.Reader) (*convo.Engine, figures) {
	log, err := io.ReadAll(in)
	require.NoError(t, err)
	m := defaultColumns(t)
	maps.DeleteFunc(m.Activities, func(activity string, _ convo.CommandName) bool {
		return !bytes.Contains(log, []byte(","+activity+","))
	})
	engine := newEngine(t)
	counts, err := eventlog.Import(t.Context(), engine, defaultWorkspace, "log",
		bytes.NewReader(log), m, io.Discard)
	require.NoError(t, err)
	f, err := measure(t.Context(), engine, defaultWorkspace, counts)
	require.NoError(t, err)
	return engine, f
}

func TestHelpdeskFiguresEqualAnIndependentCount(t *testing.T) {
	log := helpdesk.Log(t)
	n := countIndependently(t, strings.NewReader(log))
	engine, f := importAll(t, strings.NewReader(log))
	requireSame(t, n, engine, f)
	t.Logf("%d rows: %d opened, %d reopened, %d closed, %d ignored closings, %d times pending, %v "+
		"pending in all",
		n.rows, n.opened, n.reopened, n.closed, n.ignored, n.pended,
		time.Duration(n.pendingTotal)*time.Microsecond)
}

func TestFiguresOfAnyLogEqualAnIndependentCount(t *testing.T) {
	activities := []string{"Closed", "Wait", "Take in charge ticket", "Insert ticket",
		"Resolve ticket"}
	rapid.Check(t, func(rt *rapid.T) {
		var log strings.Builder
		log.WriteString(header)
		for range rapid.IntRange(0, 40).Draw(rt, "rows") {
			at := time.Date(2025, 3, 3, 0, 0, rapid.IntRange(0, 60).Draw(rt, "second"), 0, time.UTC)
			fmt.Fprintf(&log, "Case%d,%s,%s,%s\n", rapid.IntRange(1, 3).Draw(rt, "case"),
				rapid.SampledFrom(activities).Draw(rt,
					"activity"), rapid.SampledFrom([]string{"", "ana", "ben"}).Draw(rt, "who"),
				at.Format("2006-01-02 15:04:05-07:00"))
		}
		engine, f := importAll(t, strings.NewReader(log.String()))
		requireSame(rt, countIndependently(rt, strings.NewReader(log.String())), engine, f)
	})
}
