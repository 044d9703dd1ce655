package workhours_test

import (
	"testing"
	"time"

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
