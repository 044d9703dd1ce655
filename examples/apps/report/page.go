package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what page.html shows.
type page struct {
	Title, Period, Before, Zone string
	Filters, Without            string

	Tables      []table // in all
	Charts      []drawing
	Definitions []definition
}

type definition struct {
	Measure report.Measure
	Text    string
}

func (c *call) writePage(ctx context.Context, s store, stderr io.Writer) error {
	p, err := c.renderPage(ctx, s)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		return err
	}
	if err := os.WriteFile(c.html, out.Bytes(), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stderr, "wrote %s: %d charts, %d KB.\n", c.html, len(p.Charts),
		out.Len()/1024)
	return err
}

// answers are what a page is made of. What the filters are not about is nil.
type answers struct {
	conversations, resolutions, responses, assignments, times, messages *report.Report
	deadlines, satisfaction                                             *report.Report

	groups, users, backlog *report.Report // for charts alone
}

func (a *answers) all() []*report.Report {
	all := []*report.Report{a.conversations, a.messages, a.resolutions, a.responses, a.assignments,
		a.times, a.deadlines, a.satisfaction}
	return slices.DeleteFunc(all, func(a *report.Report) bool { return a == nil })
}

// ask fails if the filters are about none of it.
func (c *call) ask(ctx context.Context, s store) (all answers, err error) {
	q := c.query
	q.Bucket, q.GroupBy = cmp.Or(q.Bucket, report.Month), ""
	groups, users, opened, deadlines, scores := q, q, q, q, q
	opened.HeatMap = q.To.Sub(q.From) < report.MaxBuckets*time.Hour
	groups.Bucket, groups.GroupBy = "", cmp.Or(c.query.GroupBy, report.Closer)
	users.Bucket = ""
	deadlines.GroupBy, scores.GroupBy = report.Deadline, report.Score
	var left error
	for _, one := range []struct {
		kind report.Kind
		to   **report.Report
		q    report.Query
	}{
		{report.Conversations, &all.conversations, opened},
		{report.Resolutions, &all.resolutions, q},
		{report.Responses, &all.responses, q}, {report.Assignments, &all.assignments, q},
		{report.Times, &all.times, q}, {report.Messages, &all.messages, q},
		{report.Deadlines, &all.deadlines, deadlines},
		{report.Conversations, &all.groups, groups}, {report.Users, &all.users, users},
		{report.Backlogs, &all.backlog, q}, {report.Satisfaction, &all.satisfaction, scores},
	} {
		one.q.Kind = one.kind
		switch *one.to, err = report.Run(ctx, s, one.q); {
		case err == nil:
		case isFiltered(&one.q, err):
			left = err
		default:
			return all, err
		}
	}
	if len(all.all()) == 0 {
		return all, left
	}
	return all, nil
}

// isFiltered reports whether the filters are about nothing that a report has.
func isFiltered(q *report.Query, err error) bool {
	var invalid *convo.ValidationError
	if !errors.As(err, &invalid) {
		return false
	}
	d := report.Dimension(invalid.Field)
	return len(q.Filter[d])+len(q.Exclude[d]) > 0 || d == report.Score // which only ratings have
}

func sortedKeys(f report.Filter) []report.Dimension { return slices.Sorted(maps.Keys(f)) }

func (c *call) renderPage(ctx context.Context, s store) (*page, error) {
	all, err := c.ask(ctx, s)
	if err != nil {
		return nil, err
	}
	a := all.all()[0]
	p := &page{
		Title: "Conversations of " + a.Workspace, Period: period(a.From, a.To, c.location),
		Before: period(a.PreviousFrom, a.PreviousTo, c.location), Zone: a.Zone,
		Filters: filters(a.Filter), Without: filters(a.Exclude),
	}
	for _, a := range all.all() {
		for _, m := range own(a) {
			p.Definitions = append(p.Definitions, definition{m, a.Definitions[m]})
		}
	}
	if b := all.backlog; b != nil {
		p.Definitions = append(p.Definitions,
			definition{report.Backlog, b.Definitions[report.Backlog]})
	}
	p.Tables = inAll(&all)
	if err := c.addCharts(p, &all); err != nil {
		return nil, err
	}
	return p, nil
}

// own are the measures that a is for: closings are in a report of satisfaction for the share.
func own(a *report.Report) []report.Measure {
	return slices.DeleteFunc(asked(a, ""), func(m report.Measure) bool {
		return m == report.Closed && a.Kind == report.Satisfaction
	})
}

// inAll are the totals, beside those of the period before: of what is counted, and of durations.
func inAll(all *answers) []table {
	counts := table{Title: "Counted", Head: []string{"measure", "period", "before"}}
	times := table{Title: "Measured", Head: []string{"measure", "count", "mean", "median", "p90",
		"max", "median before"}}
	for _, a := range all.all() {
		for _, m := range own(a) {
			now, before := a.Total[m], a.Previous[m]
			if m.Valued() {
				times.Rows = append(times.Rows, valuesIn(m, now, before))
			} else {
				counts.Rows = append(counts.Rows, []string{string(m),
					chart.Number(float64(now.Count)), chart.Number(float64(before.Count))})
			}
		}
	}
	if a := all.conversations; a != nil && measures(a, report.Reopened, report.Closed) {
		rate := func(f report.Values) string { return fmt.Sprintf("%.1f %%", 100*f.ReopenRate()) }
		counts.Rows = append(counts.Rows,
			[]string{"reopened ÷ closed", rate(a.Total), rate(a.Previous)})
	}
	if a := all.deadlines; a != nil && hasTargets(a) {
		rate := func(f report.Values) string { return fmt.Sprintf("%.1f %%", 100*f.MetRate()) }
		counts.Rows = append(counts.Rows,
			[]string{"share of targets met", rate(a.Total), rate(a.Previous)})
	}
	if a := all.satisfaction; a != nil && measures(a, report.Rating, report.Closed) {
		share := func(f report.Values) string { return fmt.Sprintf("%.1f %%", 100*f.RatedShare()) }
		counts.Rows = append(counts.Rows,
			[]string{"rated ÷ closed", share(a.Total), share(a.Previous)})
	}
	return slices.DeleteFunc([]table{counts, times},
		func(t table) bool { return len(t.Rows) == 0 })
}

// measures reports whether a has all of them.
func measures(a *report.Report, all ...report.Measure) bool {
	return !slices.ContainsFunc(all, func(m report.Measure) bool {
		_, asked := a.Definitions[m]
		return !asked
	})
}

func valuesIn(m report.Measure, now, before report.Stat) []string {
	show := func(s report.Stat, v float64) string {
		if s.Count == 0 {
			return "–"
		}
		return shown(m, v)
	}
	return []string{string(m), chart.Number(float64(now.Count)), show(now, now.Mean),
		show(now, now.Median), show(now, now.P90), show(now, float64(now.Max)),
		show(before, before.Median)}
}
