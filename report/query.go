package report

import (
	"time"

	"github.com/chatlifecycle/convo"
)

// Kind is what a report is about. docs/reports.md has a table of which measures a report of each
// kind has, and what it groups by.
type Kind string

// The kinds of report. For what is happening right now, see [Dashboard].
const (
	Conversations Kind = "conversations" // opened, reopened and closed
	Responses     Kind = "responses"     // how long until a user replied
	Resolutions   Kind = "resolutions"   // how long until closed
	Messages      Kind = "messages"      // messages by author: contact, user, automation
	Contacts      Kind = "contacts"      // openings of new and of returning contacts
	Assignments   Kind = "assignments"   // who got what, how soon, and for how long
	Times         Kind = "times"         // how long open, pending, and whose turn it was
	Backlogs      Kind = "backlog"       // what was active when each bucket ended
	Deadlines     Kind = "deadlines"     // targets met and missed, and what else passed
	Users         Kind = "users"         // one row per user, of what is asked for most
	Leaderboard   Kind = "leaderboard"   // the top users or teams by one measure
	Satisfaction  Kind = "satisfaction"  // what contacts think of cycles, and of how many
)

// Query is what to report. The zero values of optional fields are their defaults.
type Query struct {
	Kind      Kind   `json:"kind"`
	Workspace string `json:"workspace"`
	// From (inclusive) and To (exclusive) are the period, cut off to microseconds.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Compare says which period it is compared with. Default: ComparePrevious.
	Compare Comparison `json:"compare,omitempty"`
	// CompareFrom begins another period to compare with; Compare does not count then. If From to To
	// are whole years, quarters, months, weeks or days in Zone, it is as many of them, and else as
	// long.
	CompareFrom time.Time `json:"compare_from,omitzero"`
	// Zone is the IANA time zone of the buckets, and of what is compared. Default: UTC. Where the
	// machine has no time-zone data, import the package time/tzdata.
	Zone string `json:"zone,omitempty"`
	// Bucket is the width of a point of the series. Default: no series.
	Bucket Bucket `json:"bucket,omitempty"`
	// WeekStart is the first day of a week. Default: Monday.
	WeekStart Weekday `json:"week_start,omitempty"`
	// GroupBy asks for a row per value of it, of the measures that have it. Default: no groups. A
	// report of users is always grouped by user.
	GroupBy Dimension `json:"group_by,omitempty"`
	// Filter narrows the report down, Exclude leaves out what has one of the values. Measures that
	// do not have the dimension are left out of a report that has others.
	Filter  Filter `json:"filter,omitzero"`
	Exclude Filter `json:"exclude,omitzero"`
	// HeatMap also asks for what the measures come to by weekday and hour in Zone, of a period of
	// at most MaxBuckets hours, which are more than a year.
	HeatMap bool `json:"heat_map,omitempty"`
	// Measure and Top are of a leaderboard: the measure that sorts it, and its number of rows
	// (default 10, at most MaxGroups).
	Measure Measure `json:"measure,omitempty"`
	Top     int     `json:"top,omitempty"`
	// CountDistinct also counts the distinct conversations and contacts that were closed. It reads
	// every cycle of the period.
	CountDistinct bool `json:"count_distinct,omitempty"`
	// Calendar also measures durations in its working time. It reads every cycle of the period.
	// Optional.
	Calendar convo.Calendar `json:"-"`
}

// Limits of a query; beyond them it is a *convo.ValidationError.
const (
	MaxYears   = 20     // from From to To
	MaxBuckets = 10_000 // of a series
	MaxGroups  = 1_000  // of a report; how many more users there are, Report.GroupsLeft says
	MaxValues  = 100    // of one dimension of a filter
)

// Filter picks what has one of the values in each of the dimensions. An empty list does not count.
type Filter map[Dimension][]string
