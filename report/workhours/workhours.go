// Package workhours knows the holidays of countries, for the Hours of package convo. They are those
// of github.com/rickar/cal/v2, whose packages have many countries', or the host's own:
//
//	calendar, err := hours.Calendar(workhours.Holidays(de.Holidays...))
//
// The calendars of a policy are data: they have the days of some years.
//
//	hours.Holidays = workhours.Dates(2026, 3, de.Holidays...)
package workhours

import (
	"time"

	"github.com/rickar/cal/v2"
)

// Holidays reports of a day whether it is one of some holidays, for Hours.Calendar of package
// convo: the day itself, or the one on which it is observed. The holidays may not be changed
// afterwards. What it returns is safe for concurrent use.
func Holidays(holidays ...*cal.Holiday) func(date time.Time) bool {
	var c cal.Calendar
	c.AddHoliday(holidays...)
	return func(date time.Time) bool {
		actual, observed, _ := c.IsHoliday(date)
		return actual || observed
	}
}

// Dates lists the days that Holidays says, of so many years from one on, for Hours.Holidays of
// package convo, which takes up to convo.MaxHolidays. List them anew before they end: what falls
// into later years is worked.
func Dates(year, years int, holidays ...*cal.Holiday) (dates []string) {
	off := Holidays(holidays...)
	day := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
	for ; day.Year() < year+years; day = day.AddDate(0, 0, 1) {
		if off(day) {
			dates = append(dates, day.Format(time.DateOnly))
		}
	}
	return dates
}
