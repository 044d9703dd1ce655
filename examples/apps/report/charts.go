package main

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

// drawing is a picture, what its lines mean, and its numbers.
type drawing struct {
	Title  string
	Lines  []chart.Series // none for bars
	SVG    template.HTML
	Tables []table
}

const mostGroups = 15 // bars

// addCharts adds the charts of what there is.
func (c *call) addCharts(p *page, all *answers) error {
	for _, add := range []func(*page, *answers) error{
		c.addOpened, c.addBacklog, addHeat, c.addResolution, c.addReplies, addBands, addResponse,
		addTimes, addGroups, addAssigned, addHandling, c.addMessages, c.addDeadlines, addScores,
	} {
		if err := add(p, all); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) addOpened(p *page, all *answers) error {
	a := all.conversations
	if a == nil {
		return nil
	}
	drawn := slices.DeleteFunc([]report.Measure{report.Opened, report.Closed},
		func(m report.Measure) bool { return !measures(a, m) })
	axes := chart.Axes{Title: "Opened and closed", Y: "conversations", Apart: 1}
	return c.addCounts(p, axes, a, a.Series, drawn, asked(a, ""))
}

// addBacklog draws what was active at the end of each bucket.
func (c *call) addBacklog(p *page, all *answers) error {
	a := all.backlog
	if a == nil {
		return nil
	}
	axes := chart.Axes{Title: "Active at the end", Y: "conversations", Apart: 1}
	only := []report.Measure{report.Backlog}
	return c.addCounts(p, axes, a, a.Series, only, only)
}

// addHeat draws when conversations are opened.
func addHeat(p *page, all *answers) error {
	a := all.conversations
	if a == nil || a.HeatMap == nil || a.Total[report.Opened].Count == 0 {
		return nil
	}
	var values [7][24]float64
	for day, hours := range a.HeatMap {
		for hour, v := range hours {
			values[day][hour] = float64(v[report.Opened].Count)
		}
	}
	title := "Opened by weekday and hour (" + a.Zone + ")"
	picture, err := chart.HeatMap(title, &values)
	p.Charts = append(p.Charts, drawing{title, nil, picture, heatTables(a)[:1]})
	return err
}

func (c *call) addMessages(p *page, all *answers) error {
	a := all.messages
	if a == nil || len(a.Total) == 0 {
		return nil
	}
	axes := chart.Axes{Title: "Messages", Y: "messages", Apart: 1}
	return c.addCounts(p, axes, a, a.Series, []report.Measure{report.Incoming, report.OutgoingUser,
		report.OutgoingAutomation}, asked(a, ""))
}

// addReplies compares closings with those that took one reply of a user, or none.
func (c *call) addReplies(p *page, all *answers) error {
	a := all.resolutions
	if a == nil || all.conversations == nil || a.Total[report.Resolution].Count == 0 {
		return nil
	}
	series := slices.Clone(a.Series)
	for i := range series {
		series[i].Values = maps.Clone(series[i].Values)
		series[i].Values[report.Closed] = all.conversations.Series[i].Values[report.Closed]
	}
	drawn := []report.Measure{report.Closed, report.OneTouch, report.Automated}
	axes := chart.Axes{Title: "One reply or none", Y: "closings", Apart: 1}
	return c.addCounts(p, axes, a, series, drawn, drawn)
}

// addCounts draws how often some measures were, and has the numbers of some.
func (c *call) addCounts(p *page, axes chart.Axes, a *report.Report, series []report.Point,
	drawn, numbers []report.Measure) error {
	var lines []chart.Series
	for _, m := range drawn {
		lines = append(lines, valuesOf(series, string(m),
			func(f report.Values) float64 { return float64(f[m].Count) }))
	}
	return c.addLines(p, axes, a, lines, countTable(axes.Title, string(a.Bucket), numbers,
		c.linesOf(a, series)))
}

func (c *call) addResolution(p *page, all *answers) error {
	a := all.resolutions
	if a == nil || a.Total[report.Resolution].Count == 0 {
		return nil
	}
	longest := 0.
	for _, p := range a.Series {
		longest = max(longest, p.Values[report.Resolution].P90, p.Values[report.Resolution].Mean)
	}
	unit, micros := unitOf(longest)
	part := func(name string, of func(report.Stat) float64) chart.Series {
		return valuesOf(a.Series, name, func(f report.Values) float64 {
			if s := f[report.Resolution]; s.Count > 0 {
				return of(s) / micros
			}
			return math.NaN()
		})
	}
	var numbers []table
	for _, m := range asked(a, "") {
		if m.Timed() {
			numbers = append(numbers, valueTable(string(m), string(a.Bucket), m,
				c.linesOf(a, a.Series)))
		}
	}
	return c.addLines(p, chart.Axes{Title: "Time until closed", Y: unit}, a, []chart.Series{
		part("p90", func(s report.Stat) float64 { return s.P90 }),
		part("mean", func(s report.Stat) float64 { return s.Mean }),
		part("median", func(s report.Stat) float64 { return s.Median }),
	}, numbers...)
}

func valuesOf(series []report.Point, name string, of func(report.Values) float64) chart.Series {
	s := chart.Series{Name: name}
	for _, point := range series {
		s.Values = append(s.Values, of(point.Values))
	}
	return s
}

func (c *call) linesOf(a *report.Report, series []report.Point) (lines []line) {
	for _, p := range series {
		lines = append(lines, line{bucketName(p.From.In(c.location), a.Bucket), p.Values})
	}
	return lines
}

// unitOf is the largest unit of which the longest duration has more than two.
func unitOf(longest float64) (name string, micros float64) {
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

func (c *call) addLines(p *page, axes chart.Axes, a *report.Report, lines []chart.Series,
	numbers ...table) error {
	var buckets []string
	for _, point := range a.Series {
		buckets = append(buckets, axisName(point.From.In(c.location), a.Bucket))
	}
	axes.X = string(a.Bucket) + " (" + a.Zone + ")"
	picture, err := chart.Lines(axes, a.Bucket, buckets, lines)
	p.Charts = append(p.Charts, drawing{axes.Title + " by " + string(a.Bucket), lines, picture,
		numbers})
	return err
}

// axisName is shorter than bucketName.
func axisName(from time.Time, b report.Bucket) string {
	if b == report.Hour {
		return from.Format("01-02 15:04")
	}
	return bucketName(from, b)
}

func addBands(p *page, all *answers) error {
	if all.responses == nil || all.responses.Total[report.FirstResponse].Count == 0 {
		return nil
	}
	bands := all.responses.Total[report.FirstResponse].Bands
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

func addGroups(p *page, all *answers) error {
	a := all.groups
	if a == nil {
		return nil
	}
	if a.GroupBy.Fits(report.Closed.Subject()) {
		return addCounted(p, "Closed", "closings", a, report.Closed)
	}
	return addCounted(p, "Opened", "openings", a, report.Opened)
}

func addAssigned(p *page, all *answers) error {
	return addCounted(p, "Assigned", "assignments", all.users, report.Assigned)
}

// addScores draws how many cycles have which score.
func addScores(p *page, all *answers) error {
	a := all.satisfaction
	if a == nil || len(a.Groups) == 0 {
		return nil
	}
	numbers := countTable("Ratings", groupHead(a), asked(a, a.GroupBy), linesOfGroups(a.Groups))
	return addBars(p, "Ratings", "cycles", a, a.Groups, func(f report.Values) float64 {
		return float64(f[report.Rating].Count)
	}, []table{numbers})
}

// addResponse draws how soon users reply, addHandling for how long they have conversations.
func addResponse(p *page, all *answers) error {
	return addMedian(p, "Response", all.users, report.Response, report.FirstResponse)
}

func addHandling(p *page, all *answers) error {
	return addMedian(p, "Handling", all.users, report.Handling, report.Assignment)
}

// addCounted draws the groups that have the most of a measure.
func addCounted(p *page, title, unit string, a *report.Report, m report.Measure) error {
	groups := groupsOf(a, m)
	if len(groups) == 0 {
		return nil
	}
	counted := slices.DeleteFunc(asked(a, a.GroupBy), func(other report.Measure) bool {
		return other.Subject() != m.Subject() || other.Valued()
	})
	numbers := countTable(title, groupHead(a), counted, linesOfGroups(groups))
	return addBars(p, title, unit, a, groups, func(f report.Values) float64 {
		return float64(f[m].Count)
	}, []table{numbers})
}

// addMedian draws the median of those groups that a measure is of most often. Another measure is
// among the numbers.
func addMedian(p *page, title string, a *report.Report, m, other report.Measure) error {
	groups := groupsOf(a, m)
	if len(groups) == 0 {
		return nil
	}
	longest := 0.
	for _, g := range groups {
		longest = max(longest, g.Values[m].Median)
	}
	unit, micros := unitOf(longest)
	lines := linesOfGroups(groups)
	return addBars(p, title, "median "+unit, a, groups, func(f report.Values) float64 {
		return math.Round(f[m].Median/micros*10) / 10
	}, []table{valueTable(string(m), groupHead(a), m, lines),
		valueTable(string(other), groupHead(a), other, lines)})
}

// groupsOf are the groups of a measure, those that it is of most often first.
func groupsOf(a *report.Report, m report.Measure) []report.Group {
	if a == nil {
		return nil
	}
	groups := slices.DeleteFunc(slices.Clone(a.Groups),
		func(g report.Group) bool { return g.Values[m].Count == 0 })
	slices.SortStableFunc(groups, func(x, y report.Group) int {
		return cmp.Compare(y.Values[m].Count, x.Values[m].Count)
	})
	return groups
}

func linesOfGroups(groups []report.Group) (lines []line) {
	for _, g := range groups {
		lines = append(lines, line{groupName(g.Value), g.Values})
	}
	return lines
}

func addBars(p *page, title, unit string, a *report.Report, groups []report.Group,
	of func(report.Values) float64, numbers []table) error {
	title += " by " + groupHead(a)
	if len(groups) > mostGroups {
		title += fmt.Sprintf(", the first %d of %d", mostGroups, len(groups))
		groups = groups[:mostGroups]
	}
	var names []string
	var values []float64
	for _, g := range groups {
		names, values = append(names, groupName(g.Value)), append(values, of(g.Values))
	}
	picture, err := chart.Bars(title, unit, groupHead(a), names, values)
	p.Charts = append(p.Charts, drawing{title, nil, picture, numbers})
	return err
}

// addTimes draws how much time all conversations together were open or pending, and whose turn it
// was meanwhile.
func addTimes(p *page, all *answers) error {
	a := all.times
	if a == nil || len(a.Total) == 0 {
		return nil
	}
	longest := 0.
	for _, s := range a.Total {
		longest = max(longest, float64(s.Sum))
	}
	unit, micros := unitOf(longest)
	var names []string
	var values []float64
	t := table{Title: "all that ended", Head: []string{"", "count", "sum", "mean", "median", "p90"}}
	for _, one := range []struct {
		m    report.Measure
		name string
	}{
		{report.OpenTime, "open"}, {report.PendingTime, "pending"},
		{report.ContactWaitingTime, "contact waits"},
		{report.AwaitingContactTime, "contact's turn"}, {report.IdleTime, "nobody wrote yet"},
	} {
		s := a.Total[one.m]
		if !measures(a, one.m) {
			continue
		}
		names = append(names, one.name)
		values = append(values, math.Round(float64(s.Sum)/micros))
		row := []string{one.name, chart.Count(s.Count)}
		for _, v := range []float64{float64(s.Sum), s.Mean, s.Median, s.P90} {
			row = append(row, chart.Duration(v))
		}
		t.Rows = append(t.Rows, row)
	}
	const title = "Time by status and turn"
	picture, err := chart.Bars(title, unit+" in all", "", names, values)
	p.Charts = append(p.Charts, drawing{title, nil, picture, []table{t}})
	return err
}
