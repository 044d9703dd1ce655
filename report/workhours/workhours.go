// Package workhours knows the holidays of countries, for the Hours of package convo. They are those
// of github.com/rickar/cal/v2, whose packages have many countries', or the host's own:
//
//	calendar, err := hours.Calendar(workhours.Holidays(de.Holidays...))
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
