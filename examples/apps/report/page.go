package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what page.html shows.
type page struct {
	Title, Period, Before, Zone, Filters string

	Tables      []table // in all
	Charts      []drawing
	Definitions []definition
}

// drawing is a picture, what its lines mean, and its numbers.
type drawing struct {
	Title  string
	Lines  []chart.Series // none for bars
	SVG    template.HTML
	Tables []table
}

type definition struct {
	Measure report.Measure
	Text    string
}

const mostGroups = 15 // bars

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

// answers are what a page is made of.
type answers struct {
	conversations, resolutions, responses, assignments *report.Report
	// nil: the filters are not about messages
	messages *report.Report
	groups   *report.Report
}

func (c *call) ask(ctx context.Context, s store) (all answers, err error) {
	q := c.query
	q.Bucket, q.GroupBy = cmp.Or(q.Bucket, report.Month), ""
	groups := c.query
	groups.Kind, groups.Bucket, groups.GroupBy = report.Conversations, "", cmp.Or(groups.GroupBy,
		report.Closer)
	type ask struct {
		kind report.Kind
		to   **report.Report
	}
	asks := []ask{{report.Conversations, &all.conversations},
		{report.Resolutions, &all.resolutions},
		{report.Responses, &all.responses}, {report.Assignments, &all.assignments}}
	notOfMessages := func(d report.Dimension) bool {
		return d != report.Channel &&
			d != report.ContactType
	}
	if !slices.ContainsFunc(sortedKeys(q.Filter), notOfMessages) {
		asks = append(asks, ask{report.Messages, &all.messages})
	}
	for _, one := range asks {
		q.Kind = one.kind
		if *one.to, err = report.Run(ctx, s, q); err != nil {
			return all, err
		}
	}
	all.groups, err = report.Run(ctx, s, groups)
	return all, err
}

func sortedKeys(f report.Filter) []report.Dimension { return slices.Sorted(maps.Keys(f)) }

func (c *call) renderPage(ctx context.Context, s store) (*page, error) {
	all, err := c.ask(ctx, s)
	if err != nil {
		return nil, err
	}
	a := all.conversations
	p := &page{
		Title: "Conversations of " + a.Workspace, Period: period(a.From, a.To, c.location),
		Before: period(a.PreviousFrom, a.PreviousTo,
			c.location), Zone: a.Zone, Filters: filters(a.Filter),
	}
	for _, a := range []*report.Report{a, all.resolutions, all.responses, all.assignments,
		all.messages} {
		if a == nil {
			continue
		}
		for _, m := range order {
			if text := a.Definitions[m]; text != "" {
				p.Definitions = append(p.Definitions, definition{m, text})
			}
		}
	}
	p.Tables = inAll(&all)
	if err := c.addCharts(p, &all); err != nil {
		return nil, err
	}
	return p, nil
}

// inAll are the totals, beside those of the period before: of what is counted, and of durations.
func inAll(all *answers) []table {
	counts := table{Title: "Counted", Head: []string{"measure", "period", "before"}}
	times := table{Title: "Measured", Head: []string{"measure", "count", "mean", "median", "p90",
		"max", "median before"}}
	for _, a := range []*report.Report{all.conversations, all.messages, all.resolutions,
		all.responses, all.assignments} {
		if a == nil {
			continue
		}
		for _, m := range order {
			now, before := a.Total[m], a.Previous[m]
			switch _, asked := a.Definitions[m]; {
			case !asked:
			case !m.Timed() && m != report.Response:
				counts.Rows = append(counts.Rows, []string{string(m),
					chart.Number(float64(now.Count)), chart.Number(float64(before.Count))})
			default:
				times.Rows = append(times.Rows, timesOf(m, now, before))
			}
		}
	}
	rate := func(f report.Values) string { return fmt.Sprintf("%.1f %%", 100*f.ReopenRate()) }
	counts.Rows = append(counts.Rows, []string{"reopened ÷ closed", rate(all.conversations.Total),
		rate(all.conversations.Previous)})
	return []table{counts, times}
}

func timesOf(m report.Measure, now, before report.Stat) []string {
	show := func(s report.Stat, known bool, v float64) string {
		if s.Count == 0 || !known {
			return "–"
		}
		return chart.Duration(v)
	}
	return []string{string(m), chart.Number(float64(now.Count)), show(now, true, now.Mean),
		show(now, m.Timed(), now.Median),
		show(now, m.Timed(), now.P90), show(now, m.Timed(), float64(now.Max)), show(before,
			m.Timed(), before.Median)}
}

// addCharts adds the charts of what there is.
func (c *call) addCharts(p *page, all *answers) error {
	counts := func(a *report.Report, measures ...report.Measure) (lines []chart.Series) {
		for _, m := range measures {
			lines = append(lines,
				valuesOf(a, string(m),
					func(f report.Values) float64 { return float64(f[m].Count) }))
		}
		return lines
	}
	opened := counts(all.conversations, report.Opened, report.Closed)
	err := c.addLines(p, all.conversations, "Opened and closed", "conversations", 1, opened)
	if err != nil {
		return err
	}
	if total := all.resolutions.Total[report.Resolution]; total.Count > 0 {
		unit, micros := unitOf(all.resolutions)
		part := func(name string, of func(report.Stat) float64) chart.Series {
			return valuesOf(all.resolutions, name, func(f report.Values) float64 {
				if s := f[report.Resolution]; s.Count > 0 {
					return of(s) / micros
				}
				return math.NaN()
			})
		}
		err := c.addLines(p, all.resolutions, "Time until closed", unit, 0, []chart.Series{
			part("p90", func(s report.Stat) float64 { return s.P90 }),
			part("mean", func(s report.Stat) float64 { return s.Mean }),
			part("median", func(s report.Stat) float64 { return s.Median }),
		})
		if err != nil {
			return err
		}
	}
	if err := c.addBands(p, all.responses); err != nil {
		return err
	}
	if m := all.messages; m != nil && len(m.Total) > 0 {
		err := c.addLines(p, m, "Messages", "messages", 1,
			counts(m, report.Incoming, report.OutgoingUser, report.OutgoingAutomation))
		if err != nil {
			return err
		}
	}
	return c.addGroups(p, all.groups)
}

func valuesOf(a *report.Report, name string, of func(report.Values) float64) chart.Series {
	s := chart.Series{Name: name}
	for _, point := range a.Series {
		s.Values = append(s.Values, of(point.Values))
	}
	return s
}

// unitOf is the largest unit of which the longest 90th percentile or mean has more than two.
func unitOf(a *report.Report) (name string, micros float64) {
	longest := 0.
	for _, p := range a.Series {
		longest = max(longest, p.Values[report.Resolution].P90, p.Values[report.Resolution].Mean)
	}
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}} {
		if longest > 2*float64(u.d.Microseconds()) {
			return u.name, float64(u.d.Microseconds())
		}
	}
	return "seconds", float64(time.Second.Microseconds())
}

func (c *call) addLines(p *page, a *report.Report, title, y string, apart float64,
	lines []chart.Series) error {
	var buckets []string
	for _, point := range a.Series {
		buckets = append(buckets, axisName(point.From.In(c.location), a.Bucket))
	}
	axes := chart.Axes{Title: title, X: string(a.Bucket) + " (" + a.Zone + ")", Y: y, Apart: apart}
	picture, err := chart.Lines(axes, a.Bucket, buckets, lines)
	if err != nil {
		return err
	}
	title += " by " + string(a.Bucket)
	all := slices.DeleteFunc(tables(a, c.location),
		func(t table) bool { return t.Head[0] != string(a.Bucket) })
	p.Charts = append(p.Charts, drawing{title, lines, picture, all})
	return nil
}

// axisName is shorter than bucketName.
func axisName(from time.Time, b report.Bucket) string {
	if b == report.Hour {
		return from.Format("01-02 15:04")
	}
	return bucketName(from, b)
}

func (c *call) addBands(p *page, a *report.Report) error {
	bands := a.Total[report.FirstResponse].Bands
	if len(bands) == 0 {
		return nil
	}
	values := make([]float64, len(bands))
	t := table{Title: "first_response", Head: []string{"within", "cycles"}}
	for i, n := range bands {
		values[i] = float64(n)
		t.Rows = append(t.Rows, []string{chart.Bands()[i], chart.Number(values[i])})
	}
	picture, err := chart.Bars("First response", "cycles", "within", chart.Bands(), values)
	p.Charts = append(p.Charts, drawing{"First response", nil, picture, []table{t}})
	return err
}

func (c *call) addGroups(p *page, a *report.Report) error {
	all := slices.DeleteFunc(tables(a, c.location),
		func(t table) bool { return t.Head[0] != string(a.GroupBy) })
	groups := slices.DeleteFunc(slices.Clone(a.Groups),
		func(g report.Group) bool { return g.Values[report.Closed].Count == 0 })
	if len(groups) == 0 {
		return nil
	}
	slices.SortStableFunc(groups, func(x, y report.Group) int {
		return cmp.Compare(y.Values[report.Closed].Count, x.Values[report.Closed].Count)
	})
	title := fmt.Sprintf("Closed by %s", a.GroupBy)
	if len(groups) > mostGroups {
		title = fmt.Sprintf("Closed by %s, the first %d of %d", a.GroupBy, mostGroups, len(groups))
		groups = groups[:mostGroups]
	}
	var names []string
	var values []float64
	for _, g := range groups {
		names, values = append(names, groupName(g.Value)), append(values,
			float64(g.Values[report.Closed].Count))
	}
	picture, err := chart.Bars(title, "closings", string(a.GroupBy), names, values)
	p.Charts = append(p.Charts, drawing{title, nil, picture, all})
	return err
}
