package main

import (
	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

// hasTargets reports whether any target was met or missed.
func hasTargets(a *report.Report) bool {
	return a.Total[report.DeadlinesMet].Count+a.Total[report.DeadlinesMissed].Count > 0
}

// addDeadlines draws how many targets were met and missed, and what else passed, with the numbers
// of each deadline by name.
func (c *call) addDeadlines(p *page, all *answers) error {
	a := all.deadlines
	if a == nil || len(a.Total) == 0 {
		return nil
	}
	axes := chart.Axes{Title: "Deadlines", Y: "deadlines", Apart: 1}
	err := c.addCounts(p, axes, a, a.Series, asked(a, ""), asked(a, ""))
	drawn := &p.Charts[len(p.Charts)-1]
	drawn.Tables = append(drawn.Tables, countTable(axes.Title, groupHead(a), asked(a, a.GroupBy),
		linesOfGroups(a.Groups)))
	return err
}
