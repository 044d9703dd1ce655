package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// ActiveCount is how many active conversations have all of these in common.
type ActiveCount struct {
	Status   convo.Status
	Assignee string
	Team     string
	Lane     string
	Channel  string
	Count    int64
	// OpenedAt is that of the one whose cycle is open for longest.
	OpenedAt time.Time
	// WaitingSince is that of the longest waiting of them; zero: no contact waits.
	WaitingSince time.Time
}

// LiveCounts are the active conversations of a workspace right now.
type LiveCounts struct {
	Workspace string `json:"workspace"`
	LiveCount
	Unassigned int64 `json:"unassigned"`
	// Each of these has all conversations, sorted by value; empty is what has none.
	Assignees []LiveGroup `json:"assignees,omitempty"`
	Teams     []LiveGroup `json:"teams,omitempty"`
	Lanes     []LiveGroup `json:"lanes,omitempty"`
	Channels  []LiveGroup `json:"channels,omitempty"`
}

// LiveGroup are the active conversations that have one value in common.
type LiveGroup struct {
	Value string `json:"value"`
	LiveCount
}

// LiveCount is how many conversations are active, and how old the oldest are.
type LiveCount struct {
	Open    int64 `json:"open"`
	Pending int64 `json:"pending"`
	// OpenedAt is when the oldest running cycle was opened; zero: there is none.
	OpenedAt time.Time `json:"opened_at,omitzero"`
	// WaitingSince is since when the longest waiting contact has had no reply; zero: none waits.
	WaitingSince time.Time `json:"waiting_since,omitzero"`
}

func (n *LiveCount) add(c *ActiveCount) {
	if c.Status == convo.StatusPending {
		n.Pending += c.Count
	} else {
		n.Open += c.Count
	}
	earliest := func(t *time.Time, u time.Time) {
		if !u.IsZero() && (t.IsZero() || u.Before(*t)) {
			*t = u
		}
	}
	earliest(&n.OpenedAt, c.OpenedAt)
	earliest(&n.WaitingSince, c.WaitingSince)
}

// Dashboard counts the active conversations of a workspace, with their ages. It reads each of them
// in the store. A workspace that is not valid is a *convo.ValidationError.
func Dashboard(ctx context.Context, s Store, workspace string) (*LiveCounts, error) {
	if err := (convo.Filter{Workspace: workspace}).Validate(); err != nil {
		return nil, err
	}
	counts, err := s.Active(ctx, workspace)
	if err != nil {
		return nil, err
	}
	l := &LiveCounts{Workspace: workspace}
	by := func(value func(*ActiveCount) string) (groups []LiveGroup) {
		slices.SortFunc(counts, func(a, b ActiveCount) int {
			return cmp.Compare(value(&a), value(&b))
		})
		for i := range counts {
			v := value(&counts[i])
			if i == 0 || groups[len(groups)-1].Value != v {
				groups = append(groups, LiveGroup{Value: v})
			}
			groups[len(groups)-1].add(&counts[i])
		}
		return groups
	}
	l.Assignees = by(func(c *ActiveCount) string { return c.Assignee })
	l.Teams = by(func(c *ActiveCount) string { return c.Team })
	l.Lanes = by(func(c *ActiveCount) string { return c.Lane })
	l.Channels = by(func(c *ActiveCount) string { return c.Channel })
	for i := range counts {
		l.add(&counts[i])
		if counts[i].Assignee == "" {
			l.Unassigned += counts[i].Count
		}
	}
	return l, nil
}
