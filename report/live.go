package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// ActiveCount is how many active conversations have a status and an assignee.
type ActiveCount struct {
	Status   convo.Status `json:"status"`
	Assignee string       `json:"assignee,omitempty"`
	Count    int64        `json:"count"`
	// WaitingSince is that of the longest waiting of them; zero: no contact waits.
	WaitingSince time.Time `json:"waiting_since,omitzero"`
}

// LiveCounts are the active conversations of a workspace right now.
type LiveCounts struct {
	Workspace  string `json:"workspace"`
	Open       int64  `json:"open"`
	Pending    int64  `json:"pending"`
	Unassigned int64  `json:"unassigned"`
	// WaitingSince is since when the longest waiting contact has had no reply; zero: none waits.
	WaitingSince time.Time     `json:"waiting_since,omitzero"`
	Assignees    []ActiveCount `json:"assignees,omitempty"` // sorted by assignee and status
}

// Dashboard counts the active conversations of a workspace. A workspace that is not valid is a
// *convo.ValidationError.
func Dashboard(ctx context.Context, s Store, workspace string) (*LiveCounts, error) {
	if err := (convo.Filter{Workspace: workspace}).Validate(); err != nil {
		return nil, err
	}
	counts, err := s.Active(ctx, workspace)
	if err != nil {
		return nil, err
	}
	l := &LiveCounts{Workspace: workspace, Assignees: counts}
	slices.SortFunc(counts, func(a, b ActiveCount) int {
		return cmp.Or(cmp.Compare(a.Assignee, b.Assignee), cmp.Compare(a.Status, b.Status))
	})
	for _, c := range counts {
		switch c.Status {
		case convo.StatusOpen:
			l.Open += c.Count
		case convo.StatusPending:
			l.Pending += c.Count
		}
		if c.Assignee == "" {
			l.Unassigned += c.Count
		}
		if since := c.WaitingSince; !since.IsZero() &&
			(l.WaitingSince.IsZero() || since.Before(l.WaitingSince)) {
			l.WaitingSince = since
		}
	}
	return l, nil
}
