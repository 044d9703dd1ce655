// Package workhours measures time in working hours, for [report.Query.Calendar]. Holidays are those
// of github.com/rickar/cal/v2, whose packages have many countries', or the host's own:
//
//	calendar, err := workhours.New(workhours.Config{
//		Zone: "Europe/Berlin",
//		Days: map[string]workhours.Day{
//			"monday": {From: "09:00", To: "17:30"}, "tuesday": {From: "09:00", To: "12:00"},
//		},
//		Holidays: []string{"2026-12-24"},
//	}, de.Holidays...)
package workhours

import (
	"fmt"
	"strings"
	"time"

	"github.com/rickar/cal/v2"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// Config is a working calendar as plain data. A day that is not among Days is not worked.
type Config struct {
	Zone     string         `json:"zone"`               // an IANA time zone
	Days     map[string]Day `json:"days"`               // by "monday" to "sunday"; at least one
	Holidays []string       `json:"holidays,omitempty"` // single days, as 2026-12-24
}

// Day is when work begins and ends on a day of the week, local time, as 09:00; 24:00 is the end of
// the day.
type Day struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Calendar is a working calendar. It is safe for concurrent use. Use New.
type Calendar struct {
	c   *cal.BusinessCalendar
	loc *time.Location
}

var _ report.Calendar = (*Calendar)(nil)

// span is a time of day from which to which is worked; none: the day is not.
type span struct{ from, to time.Duration }

// New makes a calendar of c and further holidays, which it may not change afterwards. Bad input is
// a *convo.ValidationError.
func New(c Config, holidays ...*cal.Holiday) (*Calendar, error) {
	loc, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "" || c.Zone == "Local" {
		return nil, invalid("zone", fmt.Sprintf("%q is not the name of an IANA time zone, "+
			"such as Europe/Berlin", c.Zone))
	}
	var week [7]span
	for name, d := range c.Days {
		weekday, ok := weekdays[name]
		if !ok {
			return nil, invalid("days", fmt.Sprintf("%q is not one of monday to sunday", name))
		}
		s, err := d.span()
		if err != nil {
			return nil, invalid("days."+name, err.Error())
		}
		week[weekday] = s
	}
	if len(c.Days) == 0 {
		return nil, invalid("days", "must have at least one")
	}
	b := cal.NewBusinessCalendar()
	b.AddHoliday(holidays...)
	for _, h := range c.Holidays {
		day, err := time.Parse(time.DateOnly, h)
		if err != nil {
			return nil, invalid("holidays", fmt.Sprintf("%q is not a day, such as 2026-12-24", h))
		}
		b.AddHoliday(&cal.Holiday{
			Month: day.Month(), Day: day.Day(), StartYear: day.Year(), EndYear: day.Year(),
			Func: cal.CalcDayOfMonth,
		})
	}
	b.WorkdayFunc = func(date time.Time) bool { return week[date.Weekday()] != span{} }
	at := func(date time.Time, d time.Duration) time.Time {
		y, m, day := date.Date()
		return time.Date(y, m, day, int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0,
			date.Location())
	}
	b.WorkdayStartFunc = func(date time.Time) time.Time {
		return at(date,
			week[date.Weekday()].from)
	}
	b.WorkdayEndFunc = func(date time.Time) time.Time { return at(date, week[date.Weekday()].to) }
	return &Calendar{b, loc}, nil
}

var weekdays = func() map[string]time.Weekday {
	all := map[string]time.Weekday{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		all[strings.ToLower(d.String())] = d
	}
	return all
}()

func (d Day) span() (s span, err error) {
	if s.from, err = timeOfDay(d.From); err == nil {
		s.to, err = timeOfDay(d.To)
	}
	if err == nil && s.from >= s.to {
		err = fmt.Errorf("must end after it begins")
	}
	return s, err
}

func timeOfDay(text string) (time.Duration, error) {
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day, such as 09:00", text)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// Between implements report.Calendar. It takes a few microseconds per day in between.
func (c *Calendar) Between(from, to time.Time) time.Duration {
	return c.c.WorkHoursInRange(from.In(c.loc), to.In(c.loc))
}

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }
