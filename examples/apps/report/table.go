package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

// table is numbers for people: on a terminal and on a page.
type table struct {
	Title string
	Head  []string // of each column; the first one names the rows
	Rows  [][]string
}

// order is that of measures in tables: as they are declared, and in working time each beside the
// same in wall time.
var order = func() (all []report.Measure) {
	for _, m := range report.Measures() {
		if m.Working() {
			continue
		}
		all = append(all, m)
		if working := "working_" + m; working.Known() {
			all = append(all, working)
		}
	}
	return append(all, report.Backlog)
}()

// line is what a row of a table is made of.
type line struct {
	name   string
	values report.Values
}

// part is the lines of several tables, and what they are grouped by.
type part struct {
	title, head string
	lines       []line
	by          report.Dimension
}

// tables are all that a says: in all, by bucket and by group, each first what is only counted, then
// measure by measure.
func tables(a *report.Report, loc *time.Location) []table {
	parts := []part{{title: "in all",
		lines: []line{{"period", a.Total}, {"before", a.Previous}}}}
	if len(a.Series) > 0 {
		lines := make([]line, len(a.Series))
		for i, p := range a.Series {
			lines[i] = line{bucketName(p.From.In(loc), a.Bucket), p.Values}
		}
		parts = append(parts, part{title: "by " + string(a.Bucket), head: string(a.Bucket),
			lines: lines})
	}
	if len(a.Groups) > 0 {
		lines := make([]line, len(a.Groups))
		for i, g := range a.Groups {
			lines[i] = line{groupName(g.Value), g.Values}
		}
		parts = append(parts, part{"by " + groupHead(a), groupHead(a), lines, a.GroupBy})
	}
	out := heatTables(a)
	for _, p := range parts {
		var counted, valued []report.Measure
		for _, m := range asked(a, p.by) {
			if m.Valued() {
				valued = append(valued, m)
			} else {
				counted = append(counted, m)
			}
		}
		if len(counted) > 0 {
			out = append(out, countTable(string(a.Kind)+" "+p.title, p.head, counted, p.lines))
		}
		for _, m := range valued {
			out = append(out, valueTable(string(m)+" "+p.title, p.head, m, p.lines))
		}
		within := bandTable(string(a.Kind)+" "+p.title+", how many within", p.head, valued, p.lines)
		if len(within.Rows) > 0 {
			out = append(out, within)
		}
	}
	return out
}

// heatTables have a row for each weekday and a column for each hour, of how often each measure is.
func heatTables(a *report.Report) (all []table) {
	if a.HeatMap == nil {
		return nil
	}
	for _, m := range asked(a, "") {
		if a.Total[m].Count == 0 || m.CountsDistinct() {
			continue
		}
		t := table{Title: string(m) + " by weekday and hour", Head: []string{""}}
		for hour := range 24 {
			t.Head = append(t.Head, strconv.Itoa(hour))
		}
		for day, hours := range a.HeatMap {
			row := []string{chart.Weekday(report.Weekday(day))}
			for _, v := range hours {
				row = append(row, strconv.FormatInt(v[m].Count, 10))
			}
			t.Rows = append(t.Rows, row)
		}
		all = append(all, t)
	}
	return all
}

// asked are the measures of a, in order: those that have a dimension, if one is named.
func asked(a *report.Report, by report.Dimension) (all []report.Measure) {
	for _, m := range order {
		if _, asked := a.Definitions[m]; asked && (by == "" || by.Fits(m.Subject())) {
			all = append(all, m)
		}
	}
	return all
}

func groupHead(a *report.Report) string {
	if a.GroupBy == "" {
		return "user"
	}
	return string(a.GroupBy)
}

func groupName(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

// bucketName names a bucket by when it begins.
func bucketName(from time.Time, b report.Bucket) string {
	switch b {
	case report.Hour:
		return from.Format("2006-01-02 15:04-07:00") // some hours come twice
	case report.Month:
		return from.Format("2006-01")
	case report.Quarter:
		return fmt.Sprintf("%d-Q%d", from.Year(), (from.Month()+2)/3)
	case report.Year:
		return from.Format("2006")
	}
	return from.Format(time.DateOnly)
}

func countTable(title, head string, measures []report.Measure, lines []line) table {
	t := table{Title: title, Head: []string{head}}
	for _, m := range measures {
		t.Head = append(t.Head, string(m))
	}
	for _, l := range lines {
		row := []string{l.name}
		for _, m := range measures {
			row = append(row, strconv.FormatInt(l.values[m].Count, 10))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// shown is a value of a measure: a duration, or a score.
func shown(m report.Measure, value float64) string {
	if m.Scored() {
		return chart.Number(math.Round(value*100) / 100)
	}
	return chart.Duration(value)
}

// valueTable has a dash where nothing was measured.
func valueTable(title, head string, m report.Measure, lines []line) table {
	t := table{Title: title, Head: []string{head, "count", "mean", "median", "p90", "p95", "p99",
		"min", "max"}}
	for _, l := range lines {
		s := l.values[m]
		row := []string{l.name, strconv.FormatInt(s.Count, 10)}
		for _, v := range []float64{s.Mean, s.Median, s.P90, s.P95, s.P99, float64(s.Min),
			float64(s.Max)} {
			if s.Count == 0 {
				row = append(row, "-")
			} else {
				row = append(row, shown(m, v))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// bandTable is how many durations were within which times; it leaves out what was not measured.
func bandTable(title, head string, measures []report.Measure, lines []line) table {
	t := table{Title: title, Head: append([]string{head, "measure"}, chart.Bands()...)}
	for _, l := range lines {
		for _, m := range measures {
			if len(l.values[m].Bands) == 0 {
				continue
			}
			row := []string{l.name, string(m)}
			for _, n := range l.values[m].Bands {
				row = append(row, strconv.FormatInt(n, 10))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// writeTables aligns the numbers of each table to the right, and the names of rows to the left.
func writeTables(out io.Writer, all []table) error {
	for i, t := range all {
		title := t.Title
		if i > 0 {
			title = "\n" + title
		}
		if _, err := fmt.Fprintln(out, title); err != nil {
			return err
		}
		width := 0
		for _, row := range append([][]string{t.Head}, t.Rows...) {
			width = max(width, len([]rune(row[0])))
		}
		w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
		for _, row := range append([][]string{t.Head}, t.Rows...) {
			fmt.Fprintf(w, "%-*s\t%s\t\n", width, row[0], strings.Join(row[1:], "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}
