package report

import (
	"fmt"
	"sort"
	"time"
)

// Bucket is the width of a point of a series.
type Bucket string

// The buckets, in local time: a day may have 23 or 25 hours.
const (
	Hour    Bucket = "hour"
	Day     Bucket = "day"
	Week    Bucket = "week"
	Month   Bucket = "month"
	Quarter Bucket = "quarter"
	Year    Bucket = "year"
)

// Weekday is a day of the week. The zero value is Monday, as in ISO 8601.
type Weekday int

// The days of the week.
const (
	Monday Weekday = iota
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday
	Sunday
)

var weekdays = [...]string{
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
}

func (d Weekday) String() string {
	if d < 0 || d > Sunday {
		return fmt.Sprintf("Weekday(%d)", int(d))
	}
	return weekdays[d]
}

// MarshalText implements encoding.TextMarshaler.
func (d Weekday) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Weekday) UnmarshalText(text []byte) error {
	for i, name := range weekdays {
		if name == string(text) {
			*d = Weekday(i)
			return nil
		}
	}
	return invalid("week_start", fmt.Sprintf("%q is not one of %s", text, join(weekdays[:])))
}

// date is a day of the calendar, in no zone.
type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{y, m, d}
}

// add is d so much later. A day that the month lacks is its last one.
func (d date) add(years, months, days int) date {
	first := time.Date(d.year+years, d.month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	day := min(d.day, first.AddDate(0, 1, -1).Day())
	return dateOf(first.AddDate(0, 0, day-1+days))
}

func (d date) before(e date) bool {
	if d.year != e.year {
		return d.year < e.year
	}
	if d.month != e.month {
		return d.month < e.month
	}
	return d.day < e.day
}

// begins is the first instant of d, or, where the zone skipped all of it, of the next day. Midnight
// is not always there, and sometimes there are two.
func (d date) begins(loc *time.Location) time.Time {
	t := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, loc)
	if h, m, s := t.Clock(); h+m+s == 0 && dateOf(t) == d && dateOf(t.Add(-time.Second)).before(d) {
		return t
	}
	from := t.Add(-30 * time.Hour)
	seconds := sort.Search(60*3600, func(n int) bool {
		return !dateOf(from.Add(time.Duration(n) * time.Second)).before(d)
	})
	return from.Add(time.Duration(seconds) * time.Second)
}

// floor is the day on which the bucket with d begins.
func (b Bucket) floor(d date, weekStart Weekday) date {
	switch b {
	case Week:
		return d.add(0, 0, -int(weekdayOf(d.midnight())-weekStart+7)%7)
	case Month:
		return date{d.year, d.month, 1}
	case Quarter:
		return date{d.year, (d.month-1)/3*3 + 1, 1}
	case Year:
		return date{d.year, 1, 1}
	}
	return d
}

// next is the day on which the n-th bucket after that of d begins.
func (b Bucket) next(d date, n int) date {
	switch b {
	case Week:
		return d.add(0, 0, 7*n)
	case Month:
		return d.add(0, n, 0)
	case Quarter:
		return d.add(0, 3*n, 0)
	case Year:
		return d.add(n, 0, 0)
	}
	return d.add(0, 0, n)
}

// boundaries are from, to, and all that is between them. The zone is that of from.
func (b Bucket) boundaries(from, to time.Time, weekStart Weekday) ([]time.Time, error) {
	next := func(t time.Time) time.Time { // of the hour of t
		// A minute more, for an hour that is repeated in part.
		return hour(hour(t).Add(time.Hour + time.Minute))
	}
	switch b {
	case Hour:
	case Day, Week, Month, Quarter, Year:
		d := b.floor(dateOf(from), weekStart)
		next = func(t time.Time) time.Time {
			for { // past days that the zone skipped
				d = b.next(d, 1)
				if begins := d.begins(from.Location()); begins.After(t) {
					return begins
				}
			}
		}
	default:
		return nil, invalid("bucket",
			fmt.Sprintf("%q is not one of hour, day, week, month, quarter, year", b))
	}
	boundaries := []time.Time{from.UTC()}
	for t := next(from); t.Before(to); t = next(t) {
		if len(boundaries) == MaxBuckets {
			return nil, invalid("bucket", fmt.Sprintf("the period has more than %d of %s: "+
				"ask for wider ones", MaxBuckets, b))
		}
		boundaries = append(boundaries, t.UTC())
	}
	return append(boundaries, to.UTC()), nil
}

// hour is when the local hour of t began.
func hour(t time.Time) time.Time {
	_, m, s := t.Clock()
	began := t.Add(-time.Duration(m)*time.Minute - time.Duration(s)*time.Second -
		time.Duration(t.Nanosecond()))
	if start, _ := t.ZoneBounds(); began.Before(start) { // the clock was changed within the hour
		return start
	}
	return began
}

func (d date) midnight() time.Time {
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC)
}
