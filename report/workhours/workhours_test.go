package workhours_test

import (
	"testing"
	"time"

	"github.com/rickar/cal/v2/de"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report/workhours"
)

func office() workhours.Config {
	days := map[string]workhours.Day{}
	for _, d := range []string{"monday", "tuesday", "wednesday", "thursday"} {
		days[d] = workhours.Day{From: "09:00", To: "17:30"}
	}
	days["friday"] = workhours.Day{From: "09:00", To: "12:00"}
	return workhours.Config{Zone: "Europe/Berlin", Days: days, Holidays: []string{"2025-03-31"}}
}

func TestOnlyWorkingTimeCounts(t *testing.T) {
	c, err := workhours.New(office(), de.ChristiHimmelfahrt)
	require.NoError(t, err)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		require.NoError(t, err)
		return v.UTC()
	}
	for _, c2 := range []struct {
		why, from, to string
		want          time.Duration
	}{
		{"within a day", "2025-03-25 10:00", "2025-03-25 11:30", 90 * time.Minute},
		{"before and after work", "2025-03-25 07:00", "2025-03-25 19:00", 8*time.Hour +
			30*time.Minute},
		{"a night", "2025-03-25 17:00", "2025-03-26 09:10", 40 * time.Minute},
		{"a short friday", "2025-03-28 11:00", "2025-03-28 17:00", time.Hour},
		{"a weekend, in which the clock changes, and a holiday", "2025-03-28 11:00",
			"2025-04-01 10:00", 2 * time.Hour},
		{"the same day of another year is no holiday", "2026-03-31 09:00", "2026-03-31 10:00",
			time.Hour},
		{"a holiday of the country", "2025-05-28 17:00", "2025-05-30 10:00", 90 * time.Minute},
		{"outside", "2025-03-29 10:00", "2025-03-30 10:00", 0},
		{"nothing", "2025-03-25 10:00", "2025-03-25 10:00", 0},
	} {
		assert.Equal(t, c2.want, c.Between(at(c2.from), at(c2.to)), c2.why)
	}
}

func TestTheClocksChangeWithinWork(t *testing.T) {
	c, err := workhours.New(workhours.Config{Zone: "Europe/Berlin",
		Days: map[string]workhours.Day{"sunday": {From: "00:00", To: "24:00"}}})
	require.NoError(t, err)
	from := time.Date(2025, 3, 29, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, 23*time.Hour, c.Between(from, from.Add(72*time.Hour)))
	from = time.Date(2025, 10, 25, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, 25*time.Hour, c.Between(from, from.Add(72*time.Hour)))
}

func TestABadCalendarIsRefused(t *testing.T) {
	for field, change := range map[string]func(*workhours.Config){
		"zone": func(c *workhours.Config) { c.Zone = "Mars" },
		"days": func(c *workhours.Config) { c.Days = nil },
		"days.monday": func(c *workhours.Config) {
			c.Days["monday"] = workhours.Day{From: "17:00",
				To: "09:00"}
		},
		"days.friday": func(c *workhours.Config) {
			c.Days["friday"] = workhours.Day{From: "9 o'clock", To: "17:00"}
		},
		"holidays": func(c *workhours.Config) { c.Holidays = []string{"tomorrow"} },
	} {
		c := office()
		change(&c)
		_, err := workhours.New(c)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
	c := office()
	c.Days["moonday"] = workhours.Day{From: "09:00", To: "17:00"}
	_, err := workhours.New(c)
	require.ErrorContains(t, err, "moonday")
}
