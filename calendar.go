package convo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Calendar knows working time. It must be safe for concurrent use.
type Calendar interface {
	// Between is the working time from a time until a later one; 0 when that is no later.
	Between(from, to time.Time) time.Duration
	// After is the first time at which so much working time has passed since from; from itself for
	// 0 or less. ok is false when that is not within MaxCalendar.
	After(from time.Time, worked time.Duration) (at time.Time, ok bool)
}

// MaxCalendar is how far After looks ahead: a hundred years.
const MaxCalendar = 100 * 366 * 24 * time.Hour

// MaxIntervals is how many intervals Hours may have on a day, MaxHolidays how many holidays.
const (
	MaxIntervals = 24
	MaxHolidays  = 1000
)

// Hours are weekly working hours as plain data: see [Hours.Calendar].
type Hours struct {
	// Zone is the name of an IANA time zone, such as Europe/Berlin. Where the machine has no
	// time-zone data, import the package time/tzdata.
	Zone string `json:"zone"`
	// Days are the intervals that are worked, by the day that they begin on: monday to sunday. They
	// must not overlap, and there must be one.
	Days map[string][]Interval `json:"days"`
	// Holidays are days on which no interval begins, as 2026-12-24: up to MaxHolidays. Dates of
	// package workhours lists those of a country.
	Holidays []string `json:"holidays,omitempty"`
}

// Interval is from when to when is worked, in local time, as 09:00. One that ends no later than it
// begins ends on the next day; 24:00 is the end of the day.
type Interval struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// shift is an interval in minutes after the beginning of its day.
type shift struct{ from, to int }

const (
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

// weekly is the calendar of Hours.
type weekly struct {
	zone    *time.Location
	days    [7][]shift // by weekday, in their order
	holiday func(date time.Time) bool
}

// Calendar makes a calendar of h, which it checks; a fault is a *ValidationError. holiday says of
// further days that no interval begins on them: it is asked with midnight UTC, must be safe for
// concurrent use, and may be nil.
//
// Where the clock is put forward or back, working time is what goes by. An interval from or until a
// time that is skipped begins or ends when the clock is put forward; of one that is there twice,
// the first counts.
func (h Hours) Calendar(holiday func(date time.Time) bool) (Calendar, error) {
	zone, err := zoneOf(h.Zone)
	wanted := fmt.Sprintf("%q must be the name of an IANA time zone, such as Europe/Berlin", h.Zone)
	switch {
	case h.Zone == "" || h.Zone == "Local":
		return nil, invalid("zone", wanted)
	case err != nil:
		return nil, invalid("zone", wanted+": "+err.Error()+
			" (where the machine has no time-zone data, import the package time/tzdata)")
	}
	w := weekly{zone: zone}
	var all []shift // in minutes after Sunday 00:00
	for name, intervals := range h.Days {
		weekday, ok := weekdays[name]
		if !ok {
			return nil, invalid("days", fmt.Sprintf("%q must be one of monday to sunday", name))
		}
		if n := len(intervals); n > MaxIntervals {
			return nil, invalid("days."+name, fmt.Sprintf("must be at most %d, not %d",
				MaxIntervals, n))
		}
		for _, i := range intervals {
			s, err := i.shift()
			if err != nil {
				return nil, invalid("days."+name, err.Error())
			}
			w.days[weekday] = append(w.days[weekday], s)
			begins := int(weekday) * minutesOfDay
			all = append(all, shift{begins + s.from, begins + s.to})
		}
		slices.SortFunc(w.days[weekday], compareShifts)
	}
	if len(all) == 0 {
		return nil, invalid("days", "must have an interval")
	}
	slices.SortFunc(all, compareShifts)
	first := shift{all[0].from + minutesOfWeek, all[0].to + minutesOfWeek} // of the next week
	for i, next := range append(all[1:], first) {
		if all[i].to > next.from {
			return nil, invalid("days", "must have no intervals that overlap")
		}
	}
	if n := len(h.Holidays); n > MaxHolidays {
		return nil, invalid("holidays", fmt.Sprintf("must be at most %d, not %d", MaxHolidays, n))
	}
	off := map[time.Time]bool{}
	for _, day := range h.Holidays {
		date, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return nil, invalid("holidays",
				fmt.Sprintf("%q must be a day, such as 2026-12-24", day))
		}
		off[date] = true
	}
	w.holiday = func(date time.Time) bool {
		return off[date] || holiday != nil && holiday(date)
	}
	return &w, nil
}

func compareShifts(a, b shift) int { return cmp.Compare(a.from, b.from) }

var weekdays = func() map[string]time.Weekday {
	all := map[string]time.Weekday{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		all[strings.ToLower(d.String())] = d
	}
	return all
}()

func (i Interval) shift() (s shift, err error) {
	if s.from, err = minuteOfDay(i.From); err != nil {
		return s, err
	}
	if s.to, err = minuteOfDay(i.To); err != nil {
		return s, err
	}
	if s.from == minutesOfDay {
		return s, fmt.Errorf("must begin before 24:00")
	}
	if s.to <= s.from {
		s.to += minutesOfDay
	}
	return s, nil
}

func minuteOfDay(text string) (int, error) {
	if text == "24:00" {
		return minutesOfDay, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q must be a time of day, such as 09:00", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// worked calls f with each interval that ends after from and begins before to, in order, until it
// returns false.
func (w *weekly) worked(from, to time.Time, f func(begin, end time.Time) bool) {
	year, month, day := from.In(w.zone).Date()
	// An interval of the day before may end on this one.
	date := time.Date(year, month, day-1, 0, 0, 0, 0, time.UTC)
	for ; ; date = date.AddDate(0, 0, 1) {
		if date.Add(-24 * time.Hour).After(to) { // in any time zone
			return
		}
		shifts := w.days[date.Weekday()]
		if len(shifts) == 0 || w.holiday(date) {
			continue
		}
		for _, s := range shifts {
			begin, end := w.at(date, s.from), w.at(date, s.to)
			if !begin.Before(to) || end.After(from) && begin.Before(end) && !f(begin, end) {
				return
			}
		}
	}
}

// at is the first time at which a clock on the wall shows so many minutes after the beginning of a
// day, or more: where it is put forward past them, that is when.
func (w *weekly) at(date time.Time, minutes int) time.Time {
	year, month, day := date.Date()
	t := time.Date(year, month, day, 0, minutes, 0, 0, w.zone)
	start, end := t.ZoneBounds()
	wanted := date.Add(time.Duration(minutes) * time.Minute)
	switch shown := wall(t); {
	case shown.Before(wanted): // it is skipped
		return end
	case shown.After(wanted):
		return start
	}
	if start.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := start.Add(-time.Second).Zone()
	if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
		if wall(first.In(w.zone)).Equal(wanted) {
			return first // of two
		}
	}
	return t
}

// wall is what a clock on the wall shows, as if that were UTC.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func (w *weekly) Between(from, to time.Time) (sum time.Duration) {
	if !from.Before(to) {
		return 0
	}
	w.worked(from, to, func(begin, end time.Time) bool {
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		sum += end.Sub(begin)
		return true
	})
	return sum
}

func (w *weekly) After(from time.Time, worked time.Duration) (at time.Time, ok bool) {
	if worked <= 0 {
		return from, true
	}
	w.worked(from, from.Add(MaxCalendar), func(begin, end time.Time) bool {
		if begin.Before(from) {
			begin = from
		}
		if is := end.Sub(begin); is < worked {
			worked -= is
			return true
		}
		at, ok = begin.Add(worked), true
		return false
	})
	return at, ok
}
