package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

const dashboardDays = 30 // whole days of UTC, today among them

// reports answer for the dashboard.
type reports struct {
	store report.Store
	now   func() time.Time
}

// dashboardPage is how things stand now, and how they went.
type dashboardPage struct {
	Account   *account
	Page      string
	Now       []figure
	Assignees table
	Period    string
	Past      []figure
	Tables    []table
	Charts    []drawing
}

// figure is one number, perhaps with that of the period before, or a time.
type figure struct {
	ID, Name, Value, Before string
	Since                   time.Time
}

// table has a name for each row in its first column.
type table struct {
	ID, Title string
	Head      []string
	Rows      [][]string
}

// dashboard renders the page, or the part of it that changes.
func (s *server) dashboard(part string) agentHandler {
	return func(w http.ResponseWriter, r *http.Request, a *account) error {
		page, err := s.reports.page(r.Context(), a)
		if err != nil {
			return err
		}
		return render(w, part, page)
	}
}

func (r reports) page(ctx context.Context, a *account) (*dashboardPage, error) {
	page := &dashboardPage{Account: a, Page: "dashboard"}
	live, err := report.Dashboard(ctx, r.store, a.Workspace)
	if err != nil {
		return nil, err
	}
	page.live(live)
	past, err := r.ask(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	page.past(past)
	page.Charts, err = past.charts()
	return page, err
}

func (p *dashboardPage) live(l *report.LiveCounts) {
	p.Now = []figure{
		{ID: "n-open", Name: "Open", Value: chart.Count(l.Open)},
		{ID: "n-pending", Name: "Pending", Value: chart.Count(l.Pending)},
		{ID: "n-unassigned", Name: "Unassigned", Value: chart.Count(l.Unassigned)},
		{ID: "n-waiting", Name: "Waiting since", Value: none, Since: l.WaitingSince},
	}
	p.Assignees = table{ID: "t-assignees", Title: "Active, by agent",
		Head: []string{"Agent", "Open", "Pending"}}
	for _, g := range l.Assignees {
		p.Assignees.Rows = append(p.Assignees.Rows,
			[]string{agentName(g.Value), chart.Count(g.Open), chart.Count(g.Pending)})
	}
}

// past is what is reported of the last days.
type past struct{ conversations, resolutions, responses, leaders *report.Report }

func (r reports) ask(ctx context.Context, workspace string) (*past, error) {
	year, month, day := r.now().UTC().Date()
	tomorrow := time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
	ask := func(q report.Query) (a *report.Report, err error) {
		q.Workspace, q.From, q.To = workspace, tomorrow.AddDate(0, 0, -dashboardDays), tomorrow
		return report.Run(ctx, r.store, q)
	}
	var p past
	var err error
	if p.conversations, err = ask(report.Query{
		Kind: report.Conversations, Bucket: report.Day, GroupBy: report.Category,
	}); err != nil {
		return nil, err
	}
	if p.resolutions, err = ask(report.Query{Kind: report.Resolutions}); err != nil {
		return nil, err
	}
	if p.responses, err = ask(report.Query{Kind: report.Responses}); err != nil {
		return nil, err
	}
	p.leaders, err = ask(report.Query{Kind: report.Leaderboard, Measure: report.Closed})
	return &p, err
}

func (p *dashboardPage) past(of *past) {
	a := of.conversations
	p.Period = day(a.From) + " to " + day(a.To.AddDate(0, 0, -1))
	counted := func(id, name string, m report.Measure) figure {
		return figure{ID: id, Name: name, Value: chart.Count(a.Total[m].Count),
			Before: chart.Count(a.Previous[m].Count)}
	}
	median := func(id, name string, a *report.Report, m report.Measure) figure {
		return figure{ID: id, Name: name, Value: took(a.Total[m].Count, a.Total[m].Median),
			Before: took(a.Previous[m].Count, a.Previous[m].Median)}
	}
	p.Past = []figure{
		counted("n-opened", "Opened or reopened", report.Opened),
		counted("n-closed", "Closed", report.Closed),
		{ID: "n-reopened", Name: "Reopened ÷ closed", Value: percent(a.Total),
			Before: percent(a.Previous)},
		median("n-response", "First response, median", of.responses, report.FirstResponse),
		median("n-resolution", "Resolution, median", of.resolutions, report.Resolution),
	}
	times := table{ID: "t-times", Title: "How long it took",
		Head: []string{"Until", "Count", "Mean", "Median", "90 % in"}}
	for _, t := range []struct {
		name    string
		answer  *report.Report
		measure report.Measure
	}{
		{"First response", of.responses, report.FirstResponse},
		{"Each reply", of.responses, report.Response},
		{"Resolution", of.resolutions, report.Resolution},
		{"… without pending", of.resolutions, report.ActiveResolution},
	} {
		s := t.answer.Total[t.measure]
		times.Rows = append(times.Rows, []string{t.name, chart.Count(s.Count),
			took(s.Count, s.Mean), took(s.Count, s.Median), took(s.Count, s.P90)})
	}
	agents := table{ID: "t-leaders", Title: "Closed, by agent", Head: []string{"Agent", "Count"}}
	for _, g := range of.leaders.Groups {
		agents.Rows = append(agents.Rows, []string{agentName(g.Value),
			chart.Count(g.Values[report.Closed].Count)})
	}
	categories := table{ID: "t-categories", Title: "Closed, by category",
		Head: []string{"Category", "Count"}}
	for _, g := range a.Groups {
		if n := g.Values[report.Closed].Count; n > 0 {
			categories.Rows = append(categories.Rows,
				[]string{categoryName(g.Value), chart.Count(n)})
		}
	}
	p.Tables = []table{times, agents, categories}
}

const none = "–"

func day(t time.Time) string { return t.Format("2 Jan") }

// took leaves parts of seconds to what was quicker than one.
func took(count int64, micros float64) string {
	const second = 1e6
	switch {
	case count == 0:
		return none
	case micros > second:
		micros = math.Round(micros/second) * second
	}
	return chart.Duration(micros)
}

func percent(f report.Values) string {
	if f[report.Closed].Count == 0 {
		return none
	}
	return fmt.Sprintf("%.0f %%", 100*f.ReopenRate())
}

func agentName(user string) string {
	if user == "" {
		return "Nobody"
	}
	return title(user)
}

func categoryName(category string) string {
	if category == "" {
		return "No category"
	}
	return category
}
