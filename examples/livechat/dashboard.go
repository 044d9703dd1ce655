package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// dashboardPage is how things stand now.
type dashboardPage struct {
	Account                            *account
	Page                               string
	Open, Pending, Unassigned, Waiting int
	LongestWaiting                     time.Duration
	Assignees                          []load
	Closed                             int // of the conversations opened in the last 30 days
	MeanFirstResponse, MeanResolution  string
	Categories                         []load
}

type load struct {
	Name  string
	Count int
}

// dashboard renders the page, or the part of it that changes.
func (s *server) dashboard(part string) agentHandler {
	return func(w http.ResponseWriter, r *http.Request, a *account) error {
		page, err := s.dashboardPage(r.Context(), a)
		if err != nil {
			return err
		}
		return render(w, part, page)
	}
}

func (s *server) dashboardPage(ctx context.Context, a *account) (dashboardPage, error) {
	page := dashboardPage{Account: a, Page: "dashboard"}
	now := time.Now()
	assignees, byCategory := map[string]int{}, map[string]int{}
	active := convo.Filter{Workspace: a.Workspace, Status: []convo.Status{convo.StatusOpen, convo.StatusPending}}
	err := s.each(ctx, active, func(c convo.Conversation) {
		if c.Status == convo.StatusOpen {
			page.Open++
		} else {
			page.Pending++
		}
		if c.Assignee == "" {
			page.Unassigned++
		} else {
			assignees[title(c.Assignee)]++
		}
		if since := c.Cycle.WaitingSince; !since.IsZero() {
			page.Waiting++
			page.LongestWaiting = max(page.LongestWaiting, now.Sub(since).Round(time.Second))
		}
	})
	if err != nil {
		return page, err
	}
	var first, resolution mean
	closed := convo.Filter{Workspace: a.Workspace, Status: []convo.Status{convo.StatusClosed}, From: now.AddDate(0, 0, -30)}
	err = s.each(ctx, closed, func(c convo.Conversation) {
		page.Closed++
		byCategory[c.Cycle.Closing.Category]++
		first.add(c.Cycle.FirstResponseTime())
		resolution.add(c.Cycle.ResolutionTime())
	})
	if err != nil {
		return page, err
	}
	page.MeanFirstResponse, page.MeanResolution = first.String(), resolution.String()
	page.Assignees, page.Categories = loads(assignees), loads(byCategory)
	return page, nil
}

// each calls f with the conversations that a filter picks, page by page.
func (s *server) each(ctx context.Context, f convo.Filter, do func(convo.Conversation)) error {
	f.Limit = convo.MaxPageSize
	for {
		page, err := s.engine.Conversations(ctx, f)
		if err != nil {
			return err
		}
		for _, c := range page {
			do(c)
		}
		if len(page) < f.Limit {
			return nil
		}
		f.After = page[len(page)-1].Cursor()
	}
}

func loads(counts map[string]int) []load {
	out := make([]load, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, load{name, counts[name]})
	}
	return out
}

type mean struct {
	sum time.Duration
	n   int
}

func (m *mean) add(d time.Duration, ok bool) {
	if ok {
		m.sum, m.n = m.sum+d, m.n+1
	}
}

func (m *mean) String() string {
	if m.n == 0 {
		return "–"
	}
	return (m.sum / time.Duration(m.n)).Round(time.Second).String()
}
