package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

func (c *call) showReport(ctx context.Context, s store, out io.Writer) (string, error) {
	if c.behind != "" {
		return c.showBehind(ctx, s, out)
	}
	a, err := report.Run(ctx, s, c.query)
	if err != nil {
		return "", err
	}
	switch c.format {
	case formatJSON:
		err = writeJSON(out, a)
	case formatCSV:
		err = c.writeCSV(out, a)
	default:
		err = writeTables(out, tables(a, c.location))
	}
	return summaryOf(a, c.location), err
}

// showBehind lists the conversations behind a figure of the report, page after page.
func (c *call) showBehind(ctx context.Context, s store, out io.Writer) (string, error) {
	m := report.Measure(c.behind)
	all, after := []report.Counted{}, uuid.Nil
	for more := true; more; {
		page, err := report.Behind(ctx, s, c.query, m, after, convo.MaxPageSize)
		if err != nil {
			return "", err
		}
		all, more = append(all, page...), len(page) == convo.MaxPageSize
		if more {
			after = page[len(page)-1].Conversation
		}
	}
	summary := fmt.Sprintf("%d conversations behind %s of %s, %s.", len(all), m,
		c.query.Workspace, period(c.query.From, c.query.To, c.location))
	rows := [][]string{{"conversation", "count"}}
	if m.Valued() {
		rows[0] = append(rows[0], "sum")
	}
	for _, n := range all {
		row := []string{n.Conversation.String(), strconv.FormatInt(n.Count, 10)}
		if m.Valued() {
			row = append(row, strconv.FormatInt(n.Sum, 10))
		}
		rows = append(rows, row)
	}
	var err error
	switch c.format {
	case formatJSON:
		err = writeJSON(out, all)
	case formatCSV:
		err = csv.NewWriter(out).WriteAll(rows)
	default:
		err = writeTables(out, []table{{"behind " + string(m), rows[0], rows[1:]}})
	}
	return summary, err
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// summaryOf is a in one line.
func summaryOf(a *report.Report, loc *time.Location) string {
	s := fmt.Sprintf("%s of %s, %s, compared with %s", a.Kind, a.Workspace,
		period(a.From, a.To, loc),
		period(a.PreviousFrom, a.PreviousTo, loc))
	if a.Total[report.Closed].Count > 0 && a.Kind == report.Conversations {
		s += fmt.Sprintf("; %.1f %% reopened", 100*a.Total.ReopenRate())
	}
	if a.Total[report.Resolution].Count > 0 {
		s += "; median resolution " + chart.Duration(a.Total[report.Resolution].Median)
	}
	if a.Kind == report.Deadlines && hasTargets(a) {
		s += fmt.Sprintf("; %.1f %% of targets met", 100*a.Total.MetRate())
	}
	if rating := a.Total[report.Rating]; rating.Count > 0 && a.Kind == report.Satisfaction {
		s += fmt.Sprintf("; mean rating %.2f", rating.Mean)
		if measures(a, report.Closed) {
			s += fmt.Sprintf(", %.1f %% rated", 100*a.Total.RatedShare())
		}
	}
	if a.GroupsLeft > 0 {
		s += fmt.Sprintf("; %d more are not shown", a.GroupsLeft)
	}
	return s + "."
}

// period is given in days where it consists of whole ones.
func period(from, to time.Time, loc *time.Location) string {
	from, to = from.In(loc), to.In(loc)
	layout := time.DateOnly
	for _, t := range []time.Time{from, to} {
		if h, m, s := t.Clock(); h+m+s+t.Nanosecond() > 0 {
			layout = time.RFC3339
		}
	}
	return from.Format(layout) + " to " + to.Format(layout)
}

// text is a text for a cell of CSV.
func (c *call) text(text string) string {
	if c.formulas {
		return text
	}
	return report.NoFormula(text)
}

// writeCSV writes one row per part of the answer, value and measure; durations are microseconds,
// ratings scores.
func (c *call) writeCSV(out io.Writer, a *report.Report) error {
	head := []string{
		"part", "from", "to", "value", "measure", "count", "sum", "mean", "min", "max", "median",
		"p90", "p95", "p99", "approximate",
	}
	for _, limit := range report.BandLimits {
		head = append(head, fmt.Sprintf("at_most_%ds", int(limit.Seconds())))
	}
	rows := [][]string{append(head, "longer")}
	of, by := asked(a, ""), asked(a, a.GroupBy)
	add := func(part string, from, to time.Time, value string, f report.Values) {
		all := of
		if part == "group" {
			all = by
		}
		for _, m := range all {
			rows = append(rows, append([]string{part, from.UTC().Format(time.RFC3339Nano),
				to.UTC().Format(time.RFC3339Nano), c.text(value), string(m)}, cellsOf(f[m])...))
		}
	}
	add("total", a.From, a.To, "", a.Total)
	add("previous", a.PreviousFrom, a.PreviousTo, "", a.Previous)
	for _, p := range a.Series {
		add("series", p.From, p.To, "", p.Values)
	}
	if a.HeatMap != nil {
		for day, hours := range a.HeatMap {
			for hour, v := range hours {
				add("hour", a.From, a.To, fmt.Sprintf("%s %02d", report.Weekday(day), hour), v)
			}
		}
	}
	for _, g := range a.Groups {
		add("group", a.From, a.To, g.Value, g.Values)
	}
	return csv.NewWriter(out).WriteAll(rows)
}

func cellsOf(s report.Stat) []string {
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	exact := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	cells := []string{
		whole(s.Count), whole(s.Sum), exact(s.Mean), whole(s.Min), whole(s.Max),
		exact(s.Median), exact(s.P90), exact(s.P95), exact(s.P99),
		strconv.FormatBool(s.Approximate),
	}
	for i := range len(report.BandLimits) + 1 {
		cell := ""
		if i < len(s.Bands) {
			cell = whole(s.Bands[i])
		}
		cells = append(cells, cell)
	}
	return cells
}

func (c *call) showLive(ctx context.Context, s store, out io.Writer) (string, error) {
	l, err := report.Dashboard(ctx, s, c.query.Workspace)
	if err != nil {
		return "", err
	}
	summary := fmt.Sprintf("%s right now: %d open, %d pending, %d not assigned", l.Workspace,
		l.Open, l.Pending, l.Unassigned)
	if !l.WaitingSince.IsZero() {
		summary += "; the longest waiting contact waits since " +
			"" + l.WaitingSince.UTC().Format(time.RFC3339)
	}
	summary += "."
	if c.format == formatJSON {
		return summary, writeJSON(out, l)
	}
	cells := [][]string{{"by", "value", "open", "pending", "opened_at", "waiting_since"}}
	var tables []table
	for _, by := range []struct {
		name   string
		groups []report.LiveGroup
	}{
		{"assignee", l.Assignees}, {"team", l.Teams}, {"lane", l.Lanes}, {"channel", l.Channels},
	} {
		t := table{Title: "right now, by " + by.name,
			Head: append([]string{by.name}, cells[0][2:]...)}
		for _, g := range by.groups {
			row := liveRow(g.LiveCount)
			t.Rows = append(t.Rows, append([]string{groupName(g.Value)}, row...))
			cells = append(cells, append([]string{by.name, c.text(g.Value)}, row...))
		}
		tables = append(tables, t)
	}
	if c.format == formatCSV {
		return summary, csv.NewWriter(out).WriteAll(cells)
	}
	return summary, writeTables(out, tables)
}

func liveRow(n report.LiveCount) []string {
	row := []string{strconv.FormatInt(n.Open, 10), strconv.FormatInt(n.Pending, 10)}
	for _, t := range []time.Time{n.OpenedAt, n.WaitingSince} {
		cell := ""
		if !t.IsZero() {
			cell = t.UTC().Format(time.RFC3339)
		}
		row = append(row, cell)
	}
	return row
}

// exportTo writes cycles or transcripts, and counts them.
func (c *call) exportTo(ctx context.Context, s store, out io.Writer) (string, error) {
	q := c.query
	n := &counting{store: s}
	e := report.Export{
		Workspace: q.Workspace, From: q.From, To: q.To, Spreadsheet: !c.formulas,
	}
	var err error
	if c.by == byClosing {
		e.By = report.ByClosing
	}
	what := "cycles by " + c.by
	switch c.export {
	case formatCSV:
		err = report.WriteCSV(ctx, out, n, e)
	case formatNDJSON:
		err = report.WriteNDJSON(ctx, out, n, e)
	case formatSpans:
		what = "events with their spans"
		err = report.WriteSpansCSV(ctx, out, n, e)
	default:
		what = "conversations"
		err = report.WriteTranscripts(ctx, out, n,
			convo.Filter{Workspace: q.Workspace, From: q.From, To: q.To})
	}
	return fmt.Sprintf("exported %d %s of %s, %s.", n.n, what, q.Workspace,
		period(q.From, q.To, c.location)), err
}

// counting counts the cycles and conversations that are read.
type counting struct {
	store
	n int
}

func (s *counting) Cycles(ctx context.Context, q report.CyclesQuery,
	f func(*report.Cycle) error) error {
	return s.store.Cycles(ctx, q, func(y *report.Cycle) error {
		s.n++
		return f(y)
	})
}

func (s *counting) Entries(ctx context.Context, q report.EntriesQuery,
	f func(*report.Entry) error) error {
	return s.store.Entries(ctx, q, func(y *report.Entry) error {
		s.n++
		return f(y)
	})
}

func (s *counting) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation,
	error) {
	page, err := s.store.Conversations(ctx, f)
	s.n += len(page)
	return page, err
}

// filters are the filter in words; empty where everything is let through.
func filters(f report.Filter) string {
	var all []string
	for _, d := range sortedKeys(f) {
		all = append(all, string(d)+" "+strings.Join(f[d], " or "))
	}
	return strings.Join(all, ", ")
}
