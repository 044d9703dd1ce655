package workhours_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/gb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report/workhours"
)

func TestHolidaysOfACountryAreNotWorked(t *testing.T) {
	hours := convo.Hours{
		Zone: "Europe/Berlin",
		Days: map[string][]convo.Interval{
			"wednesday": {{From: "09:00", To: "17:30"}}, "thursday": {{From: "09:00", To: "17:30"}},
			"friday": {{From: "09:00", To: "12:00"}},
		},
		Holidays: []string{"2025-05-23"},
	}
	c, err := hours.Calendar(workhours.Holidays(de.ChristiHimmelfahrt))
	require.NoError(t, err)
	zone, err := time.LoadLocation(hours.Zone)
	require.NoError(t, err)
	at := func(day, hour int) time.Time { return time.Date(2025, 5, day, hour, 0, 0, 0, zone) }
	assert.Equal(t, 90*time.Minute, c.Between(at(28, 17), at(30, 10)), "of the country")
	assert.Equal(t, 8*time.Hour+30*time.Minute, c.Between(at(22, 0), at(28, 0)), "of the host")
	assert.Equal(t, 20*time.Hour, c.Between(at(14, 0), at(17, 0)), "neither")
}

func TestAHolidayIsOffWhenItIsObserved(t *testing.T) {
	off := workhours.Holidays(gb.Holidays...)
	day := func(d int) time.Time { return time.Date(2021, 12, d, 0, 0, 0, 0, time.UTC) }
	assert.True(t, off(day(25)), "a Saturday")
	assert.True(t, off(day(27)), "instead of it")
	assert.False(t, off(day(23)))
	assert.False(t, workhours.Holidays()(day(25)))
}

// A policy has its holidays as data.
func TestThePolicyOfADeadlineHasTheHolidaysOfACountry(t *testing.T) {
	dates := workhours.Dates(2025, 2, de.Neujahr, de.ChristiHimmelfahrt)
	assert.Equal(t, []string{"2025-01-01", "2025-05-29", "2026-01-01", "2026-05-14"}, dates)
	assert.Subset(t, workhours.Dates(2021, 1, gb.Holidays...), []string{"2021-12-25", "2021-12-27"},
		"and when they are observed")
	assert.Empty(t, workhours.Dates(2025, 0, de.Neujahr))

	p := convo.Policy{
		Calendars: map[string]convo.Hours{"office": {
			Zone: "UTC", Holidays: dates, Days: map[string][]convo.Interval{
				"wednesday": {{From: "09:00", To: "17:00"}}, "thursday": {{From: "09:00", To: "17:00"}},
				"friday": {{From: "09:00", To: "17:00"}},
			},
		}},
		Deadlines: convo.ServiceLevel(time.Hour, 8*time.Hour, "office"),
	}
	require.NoError(t, p.Validate())
	wednesday := time.Date(2025, 5, 28, 16, 30, 0, 0, time.UTC)
	d, err := convo.Decide(convo.Snapshot{Ref: convo.ToContact("acme", "ann"),
		Contact: convo.Contact{Workspace: "acme", ID: "ann"}, Next: uuid.New()}, wednesday, &p,
		convo.Receive{Body: "hi"})
	require.NoError(t, err)
	assert.Equal(t, time.Date(2025, 5, 30, 9, 30, 0, 0, time.UTC),
		d.Change.Conversation.Deadline)
}
