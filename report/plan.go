package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// plan is a valid question, worked out.
type plan struct {
	parts   []part
	borders []time.Time // of the series; none without one
	before  [2]time.Time
	sortBy  Measure
}

// part is measures of one basis, and what they are grouped by.
type part struct {
	measures []Measure
	by       Dimension
}

// parts are what each kind consists of.
var parts = map[Kind][]part{
	Conversations: {{measures: []Measure{Opened, OpenedNew, Reopened}}, {measures: []Measure{Closed}}},
	Responses:     {{measures: []Measure{FirstResponse, Response}}},
	Resolutions:   {{measures: []Measure{Resolution, ActiveResolution, FirstResolution, LastResolution}}},
	Messages:      {{measures: []Measure{Incoming, OutgoingUser, OutgoingAutomation}}},
	Contacts:      {{measures: []Measure{NewContacts, Returning}}},
	Assignments:   {{measures: []Measure{Assignment}}},
	Users: {
		{measures: []Measure{Closed, Resolution}, by: Closer},
		{measures: []Measure{FirstResponse, Response}, by: FirstResponder},
		{measures: []Measure{Assignment}, by: FirstAssignee},
		{measures: []Measure{OutgoingUser}, by: Author},
	},
}

// userOfBasis is the user whom a measure is credited to.
var userOfBasis = [...]Dimension{
	ByOpening: FirstAssignee, ByClosing: Closer, ByResponse: FirstResponder, ByAssignment: FirstAssignee, ByMessage: Author,
}

// ofMessages are the dimensions that messages have.
func ofMessages(d Dimension) bool { return d == Channel || d == ContactType || d == Author }

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }

// planOf checks q, and fills in its defaults.
func planOf(q *Query) (*plan, error) {
	if err := (convo.Filter{Workspace: q.Workspace, From: q.From, To: q.To, Limit: 1}).Validate(); err != nil {
		return nil, err
	}
	switch {
	case q.From.IsZero() || q.To.IsZero():
		return nil, invalid("from", "from and to are required")
	case !q.From.Before(q.To):
		return nil, invalid("to", "must be after from")
	case q.To.After(q.From.AddDate(MaxYears, 0, 0)):
		return nil, invalid("to", fmt.Sprintf("must be at most %d years after from", MaxYears))
	}
	// As times of events: in whole microseconds.
	q.From, q.To, q.CompareFrom = q.From.Truncate(time.Microsecond), q.To.Truncate(time.Microsecond), q.CompareFrom.Truncate(time.Microsecond)
	if q.Zone == "" {
		q.Zone = "UTC"
	}
	loc, err := time.LoadLocation(q.Zone)
	if err != nil || q.Zone == "Local" {
		return nil, invalid("zone", fmt.Sprintf("%q is not the name of an IANA time zone, such as Europe/Berlin", q.Zone))
	}
	p := &plan{}
	if err := q.checkKind(p); err != nil {
		return nil, err
	}
	if err := q.checkFilter(p); err != nil {
		return nil, err
	}
	if q.WeekStart < 0 || q.WeekStart > Sunday {
		return nil, invalid("week_start", "must be from monday to sunday")
	}
	if q.Bucket != "" {
		if p.borders, err = q.Bucket.borders(q.From.In(loc), q.To.In(loc), q.WeekStart); err != nil {
			return nil, err
		}
	}
	p.before = previous(q.From.In(loc), q.To.In(loc))
	if !q.CompareFrom.IsZero() {
		if err := (convo.Filter{Workspace: q.Workspace, From: q.CompareFrom}).Validate(); err != nil {
			return nil, invalid("compare_from", "is out of range")
		}
		p.before = [2]time.Time{q.CompareFrom, q.CompareFrom.Add(q.To.Sub(q.From))}
	}
	return p, nil
}

func (q *Query) checkKind(p *plan) error {
	kinds := slices.Sorted(maps.Keys(parts))
	for _, t := range parts[q.Kind] {
		t.measures = slices.Clone(t.measures)
		p.parts = append(p.parts, t)
	}
	if q.Kind == Leaderboard {
		m, ok := measures[q.Measure]
		switch {
		case !ok || m.of == nil && m.basis != ByMessage:
			return invalid("measure", fmt.Sprintf("%q cannot be led by", q.Measure))
		case q.GroupBy == "":
			q.GroupBy = userOfBasis[m.basis]
		case q.GroupBy != Team && q.GroupBy != userOfBasis[m.basis]:
			return invalid("group_by", fmt.Sprintf("a leaderboard by %s is of %s or %s", q.Measure, userOfBasis[m.basis], Team))
		}
		if q.Top == 0 {
			q.Top = 10
		}
		p.sortBy, p.parts = q.Measure, []part{{measures: []Measure{q.Measure}}}
	} else if q.Measure != "" || q.Top != 0 {
		return invalid("measure", "measure and top are of a leaderboard")
	}
	if len(p.parts) == 0 {
		return invalid("kind", fmt.Sprintf("%q is not one of %s, %s", q.Kind, join(kinds), Leaderboard))
	}
	if q.Top < 0 || q.Top > MaxGroups {
		return invalid("top", fmt.Sprintf("must be from 1 to %d", MaxGroups))
	}
	if q.GroupBy != "" && !q.GroupBy.Known() {
		return invalid("group_by", fmt.Sprintf("%q is not one of %s", q.GroupBy, join(slices.Sorted(maps.Keys(dimensions)))))
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
		if q.Kind != Users {
			p.parts[i].by = q.GroupBy
		}
		if q.Calendar != nil {
			for _, m := range slices.Clone(p.parts[i].measures) {
				if w := measures[m].working; w != "" {
					p.parts[i].measures = append(p.parts[i].measures, w)
				}
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

// checkFilter checks the filters, and that cycles or messages have what is asked for.
func (q *Query) checkFilter(p *plan) error {
	for d, values := range q.Filter {
		if !d.Known() {
			return invalid("filter", fmt.Sprintf("%q is not one of %s", d, join(slices.Sorted(maps.Keys(dimensions)))))
		}
		if len(values) > MaxValues {
			return invalid("filter."+string(d), fmt.Sprintf("must be at most %d values", MaxValues))
		}
		for _, v := range values {
			if err := (convo.Filter{Workspace: q.Workspace, Team: v}).Validate(); err != nil {
				return invalid("filter."+string(d), "must be values of 255 bytes at most, of UTF-8 without control characters")
			}
		}
	}
	fits := func(t part) error {
		messages := t.measures[0].TimeBasis() == ByMessage
		all := slices.Collect(maps.Keys(q.Filter))
		if t.by != "" {
			all = append(all, t.by)
		}
		for _, d := range all {
			if messages && !ofMessages(d) {
				return invalid(string(d), "messages have only channel, contact_type and author")
			}
			if !messages && d == Author {
				return invalid(string(d), "is of messages only")
			}
		}
		return nil
	}
	if q.Kind == Users { // without what the filters are not about
		p.parts = slices.DeleteFunc(p.parts, func(t part) bool { return fits(t) != nil })
		if len(p.parts) == 0 {
			return invalid("filter", "goes with no measure of users")
		}
	}
	for _, t := range p.parts {
		if err := fits(t); err != nil {
			return err
		}
	}
	return nil
}
