package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// plan is a valid query, worked out.
type plan struct {
	parts      []part
	boundaries []time.Time // of the series; none without one
	hours      []time.Time // of the heat map
	zone       *time.Location
	before     [2]time.Time
	sortBy     Measure
	backlog    bool // instead of parts, which only say what it has
}

// part is measures of one subject, and what they are grouped by.
type part struct {
	measures []Measure
	by       Dimension
}

// parts are what each kind consists of.
var parts = map[Kind][]part{
	Conversations: {
		{measures: []Measure{Opened, OpenedNew, Reopened}},
		{measures: []Measure{Closed}},
	},
	Responses: {{measures: []Measure{
		FirstResponse, Response, HandoverFirstResponse, HandoverResponse,
	}}},
	Resolutions: {
		{measures: []Measure{
			Resolution, ActiveResolution, FirstResolution, LastResolution, OneTouch, Automated,
		}},
	},
	Messages: {{measures: []Measure{Incoming, OutgoingUser, OutgoingAutomation, Quiet}}},
	Contacts: {{measures: []Measure{NewContacts, Returning}}},
	Assignments: {
		{measures: []Measure{Assigned, Unassigned, Transfers, Assignment}},
		{measures: []Measure{Handling}},
	},
	Times: {
		{measures: []Measure{OpenTime, PendingTime}},
		{measures: []Measure{ContactWaitingTime, AwaitingContactTime, IdleTime}},
	},
	Deadlines: {{measures: []Measure{DeadlinesMet, DeadlinesMissed, DeadlinesPassed}}},
	Users: {
		{measures: []Measure{Closed, Resolution}, by: Closer},
		{measures: []Measure{FirstResponse, Response}, by: Author},
		{measures: []Measure{Assigned, Transfers, Assignment}, by: Assignee},
		{measures: []Measure{Handling}, by: Assignee},
		{measures: []Measure{OutgoingUser}, by: Author},
	},
	Backlogs: {{measures: []Measure{Entered}}, {measures: []Measure{Left}}},
	Satisfaction: {
		{measures: []Measure{Rating}},
		{measures: []Measure{Closed}},
	},
}

// planOf checks q, and fills in its defaults.
func planOf(q *Query) (*plan, error) {
	loc, err := q.checkPeriod()
	if err != nil {
		return nil, err
	}
	p := &plan{zone: loc}
	q.Filter, q.Exclude = q.Filter.given(), q.Exclude.given()
	for _, check := range []func(*Query, *plan) error{
		(*Query).checkKind, (*Query).checkGroups, (*Query).checkFilter,
	} {
		if err := check(q, p); err != nil {
			return nil, err
		}
	}
	if q.WeekStart < 0 || q.WeekStart > Sunday {
		return nil, invalid("week_start", "must be from monday to sunday")
	}
	if q.Bucket != "" {
		p.boundaries, err = q.Bucket.boundaries(q.From.In(loc), q.To.In(loc), q.WeekStart)
		if err != nil {
			return nil, err
		}
	}
	if q.HeatMap {
		p.hours, err = Hour.boundaries(q.From.In(loc), q.To.In(loc), q.WeekStart)
		if err != nil {
			return nil, invalid("heat_map", fmt.Sprintf("the period has more than %d hours: "+
				"ask for a shorter one", MaxBuckets))
		}
	}
	if err := q.checkCompare(); err != nil {
		return nil, err
	}
	p.before = q.compared(q.From.In(loc), q.To.In(loc))
	return p, nil
}

func (q *Query) checkCompare() error {
	switch {
	case !q.CompareFrom.IsZero():
		compared := convo.Filter{Workspace: q.Workspace, From: q.CompareFrom}
		if compared.Validate() != nil {
			return invalid("compare_from", "is out of range")
		}
	case q.Compare == "":
		q.Compare = ComparePrevious
	}
	if !slices.Contains([]Comparison{"", ComparePrevious, CompareYearBefore}, q.Compare) {
		return invalid("compare", fmt.Sprintf("%q is not one of %s, %s",
			q.Compare, ComparePrevious, CompareYearBefore))
	}
	return nil
}

// checkPeriod checks workspace, period and zone, and cuts times off to whole microseconds, as those
// of events are.
func (q *Query) checkPeriod() (*time.Location, error) {
	f := convo.Filter{Workspace: q.Workspace, From: q.From, To: q.To, Limit: 1}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	for _, t := range []*time.Time{&q.From, &q.To, &q.CompareFrom} {
		*t = t.Truncate(time.Microsecond)
	}
	switch {
	case q.From.IsZero() || q.To.IsZero():
		return nil, invalid("from", "from and to are required")
	case !q.From.Before(q.To):
		return nil, invalid("to", "must be after from")
	case q.To.After(q.From.AddDate(MaxYears, 0, 0)):
		return nil, invalid("to", fmt.Sprintf("must be at most %d years after from", MaxYears))
	}
	if q.Zone == "" {
		q.Zone = "UTC"
	}
	loc, err := time.LoadLocation(q.Zone)
	wanted := fmt.Sprintf("%q is not the name of an IANA time zone, such as Europe/Berlin", q.Zone)
	switch {
	case q.Zone == "Local":
		return nil, invalid("zone", wanted)
	case err != nil:
		return nil, invalid("zone", wanted+": "+err.Error()+
			" (where the machine has no time-zone data, import the package time/tzdata)")
	}
	return loc, nil
}

// checkKind finds the parts of q.
func (q *Query) checkKind(p *plan) error {
	switch {
	case q.Kind == Leaderboard:
		if err := q.checkLeaderboard(); err != nil {
			return err
		}
		p.sortBy, p.parts = q.Measure, []part{{measures: []Measure{q.Measure}}}
	case q.Measure != "" || q.Top != 0:
		return invalid("measure", "measure and top are of a leaderboard")
	case parts[q.Kind] == nil:
		return invalid("kind", fmt.Sprintf("%q is not one of %s, %s", q.Kind,
			join(slices.Sorted(maps.Keys(parts))), Leaderboard))
	case q.Kind == Backlogs && q.HeatMap:
		return invalid("heat_map", "is of what happens, and a backlog is what there is")
	default:
		p.backlog = q.Kind == Backlogs
		for _, t := range parts[q.Kind] {
			t.measures = slices.Clone(t.measures)
			p.parts = append(p.parts, t)
		}
	}
	return nil
}

func (q *Query) checkLeaderboard() error {
	if !q.Measure.Known() || q.Measure.CountsDistinct() || q.Measure.Working() {
		led := slices.DeleteFunc(Measures(), func(m Measure) bool {
			return m.CountsDistinct() || m.Working()
		})
		return invalid("measure", fmt.Sprintf("%q is not one that a leaderboard is sorted by: %s",
			q.Measure, join(led)))
	}
	leaders := []Dimension{subjects[q.Measure.Subject()].user}
	if Team.Fits(q.Measure.Subject()) {
		leaders = append(leaders, Team)
	}
	if q.GroupBy == "" {
		q.GroupBy = leaders[0]
	}
	if !slices.Contains(leaders, q.GroupBy) {
		return invalid("group_by", fmt.Sprintf("a leaderboard by %s is by %s", q.Measure,
			join(leaders)))
	}
	if q.Top == 0 {
		q.Top = 10
	}
	if q.Top < 0 || q.Top > MaxGroups {
		return invalid("top", fmt.Sprintf("must be from 1 to %d", MaxGroups))
	}
	return nil
}

// checkGroups groups the parts, and adds to their measures what is only counted or measured when it
// is asked for.
func (q *Query) checkGroups(p *plan) error {
	if q.GroupBy != "" && !q.GroupBy.Known() {
		return invalid("group_by", fmt.Sprintf("%q is not one of %s", q.GroupBy,
			join(slices.DeleteFunc(Dimensions(), Dimension.OnlyFilters))))
	}
	if q.GroupBy.OnlyFilters() {
		return invalid("group_by", "is not by "+string(q.GroupBy)+": ask Behind")
	}
	if q.Kind == Users && q.GroupBy != "" {
		return invalid("group_by", "a report of users is grouped by user")
	}
	if q.CountDistinct {
		if q.Kind != Conversations {
			return invalid("count_distinct", "is of a report of conversations")
		}
		p.parts = append(p.parts, part{measures: []Measure{ClosedConversations, ClosedContacts}})
	}
	for i := range p.parts {
		t := &p.parts[i]
		if q.Kind != Users {
			t.by = q.GroupBy
		}
		if q.Calendar == nil {
			continue
		}
		for _, m := range slices.Clone(t.measures) {
			if w := workingTime(m); w != "" {
				t.measures = append(t.measures, w)
			}
		}
	}
	return nil
}

func join[S ~string](names []S) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = string(n)
	}
	return strings.Join(all, ", ")
}

// checkFilter checks the filters, and that what is measured has what is asked for.
func (q *Query) checkFilter(p *plan) error {
	for field, f := range map[string]Filter{"filter": q.Filter, "exclude": q.Exclude} {
		if err := f.check(field, q.Workspace); err != nil {
			return err
		}
	}
	var left error
	p.parts = slices.DeleteFunc(p.parts, func(t part) bool {
		err := q.fits(t)
		if err != nil {
			left = err
		}
		return err != nil
	})
	if len(p.parts) == 0 {
		return left
	}
	grouped := false
	for i := range p.parts {
		t := &p.parts[i]
		if t.by != "" && !t.by.Fits(t.measures[0].Subject()) {
			t.by = ""
		}
		grouped = grouped || t.by != ""
	}
	if q.GroupBy != "" && !grouped {
		return q.lacks(p.parts[0], q.GroupBy)
	}
	return nil
}

// given is f without its empty lists, which do not count.
func (f Filter) given() Filter {
	f = maps.Clone(f)
	maps.DeleteFunc(f, func(d Dimension, values []string) bool {
		return len(values) == 0 && d.Known()
	})
	return f
}

func (f Filter) check(field, workspace string) error {
	for d, values := range f {
		if !d.Known() {
			return invalid(field, fmt.Sprintf("%q is not one of %s", d, join(Dimensions())))
		}
		if len(values) > MaxValues {
			return invalid(field+"."+string(d), fmt.Sprintf("must be at most %d values", MaxValues))
		}
		for _, v := range values {
			if d == Conversation && v != "" {
				id, err := uuid.Parse(v)
				if err != nil || id.String() != v {
					return invalid(field+"."+string(d),
						fmt.Sprintf("%q is not the id of a conversation, as uuid.UUID.String "+
							"writes it", v))
				}
			}
			if (convo.Filter{Workspace: workspace, Team: v}).Validate() != nil {
				return invalid(field+"."+string(d), "must be values of 255 bytes at most, "+
					"of UTF-8 without control characters")
			}
		}
	}
	return nil
}

// fits fails unless what a part measures has all dimensions that it is filtered by.
func (q *Query) fits(t part) error {
	for _, f := range []Filter{q.Filter, q.Exclude} {
		for d := range f {
			if !d.Fits(t.measures[0].Subject()) {
				return q.lacks(t, d)
			}
		}
	}
	return nil
}

// lacks says that no measure of a report has a dimension.
func (q *Query) lacks(t part, d Dimension) error {
	what := string(t.measures[0])
	if q.Kind == Backlogs {
		what = string(Backlog)
	}
	has := slices.DeleteFunc(Dimensions(), func(d Dimension) bool {
		return !d.Fits(t.measures[0].Subject())
	})
	return invalid(string(d), fmt.Sprintf("%s does not have it; it has %s", what, join(has)))
}
