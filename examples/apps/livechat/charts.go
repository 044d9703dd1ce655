package main

import (
	"html/template"

	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

// drawing is a chart, what its lines mean, and its numbers for those who would rather read them.
type drawing struct {
	Title string
	Lines []chart.Series // none for bars
	SVG   template.HTML
	Table table
}

func (of *past) charts() ([]drawing, error) {
	byDay, err := chartByDay(of.conversations)
	if err != nil {
		return nil, err
	}
	bands, err := chartOfBands(of.responses.Total[report.FirstResponse])
	return []drawing{byDay, bands}, err
}

func chartByDay(a *report.Report) (d drawing, err error) {
	d = drawing{
		Title: "Opened and closed, by day",
		Lines: []chart.Series{{Name: "opened"}, {Name: "closed"}},
		Table: table{ID: "t-days", Head: []string{"Day", "Opened", "Closed"}},
	}
	var days []string
	for _, p := range a.Series {
		opened, closed := p.Values[report.Opened].Count, p.Values[report.Closed].Count
		days = append(days, day(p.From))
		d.Lines[0].Values = append(d.Lines[0].Values, float64(opened))
		d.Lines[1].Values = append(d.Lines[1].Values, float64(closed))
		d.Table.Rows = append(d.Table.Rows, []string{day(p.From), chart.Count(opened),
			chart.Count(closed)})
	}
	axes := chart.Axes{Title: d.Title, X: "day (" + a.Zone + ")", Y: "conversations", Apart: 1}
	d.SVG, err = chart.Lines(axes, a.Bucket, days, d.Lines)
	return d, err
}

func chartOfBands(first report.Stat) (d drawing, err error) {
	d = drawing{Title: "Time until the first response",
		Table: table{ID: "t-bands", Head: []string{"Within", "Conversations"}}}
	names := chart.Bands()
	values := make([]float64, len(names))
	for i, n := range first.Bands { // none if nobody responded
		values[i] = float64(n)
	}
	for i, name := range names {
		d.Table.Rows = append(d.Table.Rows, []string{name, chart.Number(values[i])})
	}
	d.SVG, err = chart.Bars(d.Title, "conversations", "within", names, values)
	return d, err
}
