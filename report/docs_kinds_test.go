package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

// Which report has a measure, and by what it groups, is what Run answers.
func TestDocsShowWhatAReportOfEachKindHas(t *testing.T) {
	type kind struct {
		kind     report.Kind
		measures []report.Measure
		groups   []report.Dimension
	}
	var kinds []kind
	store := memstore.New()
	for _, k := range []report.Kind{
		report.Conversations, report.Responses, report.Resolutions, report.Messages,
		report.Contacts, report.Assignments, report.Times, report.Backlogs, report.Deadlines,
		report.Satisfaction, report.Users,
	} {
		row := kind{kind: k}
		r := ask(t, store, query(k))
		for _, m := range append(report.Measures(), report.Backlog) {
			if r.Definitions[m] != "" {
				row.measures = append(row.measures, m)
			}
		}
		require.Len(t, row.measures, len(r.Definitions), k)
		for _, d := range report.Dimensions() {
			q := query(k)
			q.GroupBy = d
			if _, err := report.Run(t.Context(), store, q); err == nil {
				row.groups = append(row.groups, d)
			}
		}
		kinds = append(kinds, row)
	}
	everywhere := slices.DeleteFunc(report.Dimensions(), func(d report.Dimension) bool {
		return slices.ContainsFunc(kinds, func(k kind) bool {
			return k.kind != report.Users && !slices.Contains(k.groups, d)
		})
	})
	var b strings.Builder
	fmt.Fprintf(&b, "All but the last two group by %s, and by:\n\n", list(everywhere))
	b.WriteString("| kind | measures | groups also by |\n|---|---|---|\n")
	for _, k := range kinds {
		also := list(slices.DeleteFunc(k.groups, func(d report.Dimension) bool {
			return slices.Contains(everywhere, d)
		}))
		if k.kind == report.Users {
			also = "always by user, and nothing else"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.kind, list(k.measures), also)
	}
	b.WriteString("| `leaderboard` | the one of `Query.Measure` | " +
		"whom the measure is credited to, or `team` |\n")
	checkSection(t, "kinds", b.String())
}

func list[T ~string](all []T) string {
	var b strings.Builder
	for i, one := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "`%s`", one)
	}
	return b.String()
}

// act is a command of a history, by the name that the page gives it.
type act struct {
	name string
	cmd  func(at time.Time) convo.Command
}

// acts are histories that have all that a report counts, but for deadlines.
func acts() [][]act {
	bot, bo := convo.ByAutomation("bot"), convo.ByUser("bo")
	open := act{"`Open`", func(at time.Time) convo.Command { return convo.Open{At: at, By: bo} }}
	receive := act{"`Receive`", func(at time.Time) convo.Command {
		return convo.Receive{At: at, Body: "x"}
	}}
	quiet := act{"`Quiet` messages", func(at time.Time) convo.Command {
		return convo.Receive{At: at, Body: "x", Quiet: true}
	}}
	send := act{"`Send` by a user", func(at time.Time) convo.Command {
		return convo.Send{At: at, By: bo, Body: "x"}
	}}
	says := act{"`Send` by automation", func(at time.Time) convo.Command {
		return convo.Send{At: at, By: bot, Body: "x"}
	}}
	assign := func(to string) act {
		return act{"`Assign`", func(at time.Time) convo.Command {
			return convo.Assign{At: at, By: bot, Assignee: to}
		}}
	}
	pend := act{"`SetPending`", func(at time.Time) convo.Command {
		return convo.SetPending{At: at, By: bo}
	}}
	resume := act{"`Resume`", func(at time.Time) convo.Command {
		return convo.Resume{At: at, By: bo}
	}}
	end := act{"`Close`", func(at time.Time) convo.Command { return convo.Close{At: at, By: bo} }}
	reopen := act{"`Reopen`", func(at time.Time) convo.Command {
		return convo.Reopen{At: at, By: bo}
	}}
	endAgain := act{reopen.name, end.cmd} // at the same time: nobody waits in between
	rate := act{"`Rate`", func(at time.Time) convo.Command {
		return convo.Rate{At: at, Cycle: 1, Score: 5}
	}}
	return [][]act{
		{open, receive, assign("bo"), says, send, receive, assign("eve"), send, pend, resume,
			assign(""), quiet, end, rate, reopen, endAgain},
		{receive, send, end},
		{receive, end},
	}
}

// counted is how often each measure counts in histories without what is called by some names.
func counted(t *testing.T, without ...string) map[report.Measure]int64 {
	t.Helper()
	store := memstore.New()
	engine, err := convo.New(store)
	require.NoError(t, err)
	for i, all := range acts() {
		h := convo.History{Key: fmt.Sprint(i), To: convo.ToContact("", "ann")}
		at := monday.Add(time.Duration(i) * time.Hour)
		for j, a := range all {
			if j == 0 || a.name != all[j-1].name {
				at = at.Add(time.Minute)
			}
			if !slices.Contains(without, a.name) {
				h.Commands = append(h.Commands, a.cmd(at))
			}
		}
		_, err := engine.Import(t.Context(), "acme", func(yield func(convo.History, error) bool) {
			yield(h, nil)
		}, nil)
		if without == nil {
			require.NoError(t, err)
		}
	}
	counts := map[report.Measure]int64{}
	for _, m := range report.Measures() {
		if m.Working() {
			continue
		}
		cells, err := store.Aggregate(t.Context(), report.Aggregation{
			Workspace: "acme", Measures: []report.Measure{m},
			Boundaries: []time.Time{monday, monday.Add(24 * time.Hour)},
		})
		require.NoError(t, err)
		counts[m] = 0
		for _, cell := range cells {
			counts[m] += cell.Stat.Count
		}
	}
	return counts
}

// A history without one of these commands is nothing to these measures.
func TestDocsShowWhichCommandsAReportNeeds(t *testing.T) {
	var names []string
	for _, a := range slices.Concat(acts()...) {
		if !slices.Contains(names, a.name) {
			names = append(names, a.name)
		}
	}
	all := counted(t)
	needs := map[report.Measure][]string{}
	for _, name := range names {
		for m, n := range counted(t, name) {
			if n == 0 && all[m] > 0 && name != "`Close`" { // which each history needs
				needs[m] = append(needs[m], name)
			}
		}
	}
	require.Zero(t, counted(t, "`Open`", "`Reopen`")[report.IdleTime])
	needs[report.IdleTime] = []string{"`Open` or `Reopen`"}
	var order []string
	measures := map[string][]report.Measure{}
	for _, m := range report.Measures() {
		if m.Working() {
			continue
		}
		commands := strings.Join(needs[m], ", ")
		switch {
		case all[m] == 0:
			commands = "none would do: the past has no timers"
		case commands == "":
			commands = "no more"
		}
		if !slices.Contains(order, commands) {
			order = append(order, commands)
		}
		measures[commands] = append(measures[commands], m)
	}
	var b strings.Builder
	b.WriteString("| beside an opening and a `Close` | measures |\n|---|---|\n")
	for _, commands := range order {
		fmt.Fprintf(&b, "| %s | %s |\n", commands, list(measures[commands]))
	}
	checkSectionOf(t, movingInPage, "needs", b.String())
}
