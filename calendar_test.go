package convo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// hours reads working hours as "monday 08:00-12:00 14:00-18:00, tuesday …"; "daily" is every day.
func hours(zone, days string, holidays ...string) convo.Hours {
	h := convo.Hours{Zone: zone, Days: map[string][]convo.Interval{}, Holidays: holidays}
	for part := range strings.SplitSeq(days, ", ") {
		words := strings.Fields(part)
		names := words[:1]
		if words[0] == "daily" {
			names = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
				"sunday"}
		}
		for _, name := range names {
			for _, word := range words[1:] {
				from, to, _ := strings.Cut(word, "-")
				h.Days[name] = append(h.Days[name], convo.Interval{From: from, To: to})
			}
		}
	}
	return h
}

func calendarOf(t *testing.T, h convo.Hours) convo.Calendar {
	t.Helper()
	c, err := h.Calendar(nil)
	require.NoError(t, err)
	return c
}

func TestWorkingTime(t *testing.T) {
	const split = "daily 08:00-12:00 14:00-18:00"
	for _, c := range []struct {
		zone, days, from, to string
		want                 time.Duration
	}{
		{"Europe/Berlin", split, "2026-03-02T11:50", "2026-03-02T14:10", 20 * time.Minute},
		{"Europe/Berlin", split, "2026-03-02T12:30", "2026-03-02T13:30", 0},
		{"Europe/Berlin", split, "2026-03-02T17:00", "2026-03-04T09:00", 10 * time.Hour},
		{"Europe/Berlin", "friday 09:00-17:00", "2026-03-06T16:00", "2026-03-13T10:00",
			2 * time.Hour},
		{"UTC", "daily 22:00-06:00", "2026-03-02T23:00", "2026-03-03T07:00", 7 * time.Hour},
		{"UTC", "daily 22:00-06:00", "2026-03-02T05:00", "2026-03-02T23:30", 150 * time.Minute},
		{"UTC", "monday 22:00-24:00, tuesday 00:00-06:00", "2026-03-02T00:00", "2026-03-09T00:00",
			8 * time.Hour},
		{"UTC", "daily 00:00-24:00", "2026-03-02T01:02", "2026-03-09T01:02", 7 * 24 * time.Hour},
		{"UTC", "daily 09:00-09:00", "2026-03-02T01:02", "2026-03-09T01:02", 7 * 24 * time.Hour},
		// the clock goes forward, and back, north and south of the equator
		{"Europe/Berlin", "daily 00:00-08:00", "2026-03-29T00:00", "2026-03-29T12:00",
			7 * time.Hour},
		{"Europe/Berlin", "daily 00:00-08:00", "2026-10-25T00:00", "2026-10-25T12:00",
			9 * time.Hour},
		{"Australia/Sydney", "daily 00:00-08:00", "2026-04-05T00:00", "2026-04-05T12:00",
			9 * time.Hour},
		{"Australia/Sydney", "daily 00:00-08:00", "2026-10-04T00:00", "2026-10-04T12:00",
			7 * time.Hour},
		{"America/New_York", "daily 22:00-06:00", "2026-03-07T12:00", "2026-03-08T12:00",
			7 * time.Hour},
		{"Europe/Berlin", "daily 01:00-02:30", "2026-03-29T00:00", "2026-03-29T12:00", time.Hour},
		{"Europe/Berlin", "daily 02:10-02:50", "2026-03-29T00:00", "2026-03-29T12:00", 0},
		{"Europe/Berlin", "daily 02:30-04:00", "2026-03-29T00:00", "2026-03-29T12:00", time.Hour},
		{"Europe/Berlin", "daily 02:00-02:30", "2026-10-25T00:00", "2026-10-25T12:00",
			30 * time.Minute},
		{"America/New_York", "daily 01:30-03:00", "2026-11-01T00:00", "2026-11-01T12:00",
			150 * time.Minute},
		{"America/Sao_Paulo", "daily 00:00-06:00", "2018-11-03T12:00", "2018-11-04T12:00",
			5 * time.Hour}, // where midnight was skipped
		{"Pacific/Apia", "daily 09:00-17:00", "2011-12-29T00:00", "2012-01-01T00:00",
			16 * time.Hour}, // and here a Friday
	} {
		name := fmt.Sprint(c.zone, " ", c.days, " ", c.from)
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		at := func(text string) time.Time {
			at, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
			require.NoError(t, err)
			return at
		}
		from, to := at(c.from), at(c.to)
		calendar := calendarOf(t, hours(c.zone, c.days))
		assert.Equal(t, c.want, calendar.Between(from, to), name)
		assert.Zero(t, calendar.Between(to, from), name)
		after, ok := calendar.After(from, c.want)
		assert.True(t, ok && !after.After(to), name)
		assert.Equal(t, c.want, calendar.Between(from, after), name)
	}
}

func TestHolidaysAreOfTheDayOnWhichAnIntervalBegins(t *testing.T) {
	h := hours("Europe/Berlin", "daily 09:00-17:00 22:00-06:00", "2026-12-24")
	first := func(date time.Time) bool { return date.Day() == 1 }
	calendar, err := h.Calendar(first)
	require.NoError(t, err)
	day := func(d int) time.Time { return time.Date(2026, 12, d, 11, 0, 0, 0, time.UTC) }
	assert.Equal(t, 13*time.Hour, calendar.Between(day(23), day(24)), "its night is worked")
	assert.Equal(t, 3*time.Hour, calendar.Between(day(24), day(25)))
	assert.Equal(t, 3*time.Hour, calendar.Between(day(1), day(2)))
	at, ok := calendar.After(day(24), time.Minute)
	assert.True(t, ok)
	assert.Equal(t, time.Date(2026, 12, 25, 8, 1, 0, 0, time.UTC), at.UTC())
}

func TestWorkIsNeverDoneWhereNoneIsDone(t *testing.T) {
	calendar, err := hours("UTC", "daily 09:00-17:00").Calendar(
		func(time.Time) bool { return true })
	require.NoError(t, err)
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, ok := calendar.After(from, time.Nanosecond)
	assert.False(t, ok)
	at, ok := calendar.After(from, 0)
	assert.True(t, ok)
	assert.Equal(t, from, at)
	assert.Zero(t, calendar.Between(from, from.AddDate(150, 0, 0)))
}

// TestWorkingTimeIsWhatCountingMinutesGives compares with minutes that are counted one by one, in
// weeks in which clocks are put forward or back.
func TestWorkingTimeIsWhatCountingMinutesGives(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ zone, day string }{
		{"Europe/Berlin", "2026-03-29"}, {"Europe/Berlin", "2026-10-25"},
		{"Australia/Lord_Howe", "2026-04-05"}, {"Australia/Lord_Howe", "2026-10-04"},
		{"America/New_York", "2026-03-08"}, {"America/New_York", "2026-11-01"},
		{"America/Sao_Paulo", "2018-11-04"}, {"Africa/Casablanca", "2026-03-22"},
		{"Pacific/Apia", "2011-12-30"}, {"Asia/Kathmandu", "2026-05-01"},
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		day, err := time.Parse(time.DateOnly, c.day)
		require.NoError(t, err)
		for range 30 {
			cut := []int{random.IntN(1440), random.IntN(1440)}
			text := fmt.Sprintf("daily %02d:%02d-%02d:%02d", cut[0]/60, cut[0]%60, cut[1]/60,
				cut[1]%60)
			calendar := calendarOf(t, hours(c.zone, text))
			length := (cut[1] - cut[0] + 1440) % 1440
			if length == 0 {
				length = 1440
			}
			// the first minute at which the clock shows that, or more
			reached := func(wanted time.Time) time.Time {
				for u := wanted.Add(-30 * time.Hour); ; u = u.Add(time.Minute) {
					in := u.In(zone)
					shown := time.Date(in.Year(), in.Month(), in.Day(), in.Hour(), in.Minute(),
						0, 0, time.UTC)
					if !shown.Before(wanted) {
						return u
					}
				}
			}
			from := day.Add(time.Duration(random.IntN(2*1440)-2*1440) * time.Minute)
			to := from.Add(time.Duration(random.IntN(4*1440)) * time.Minute)
			var want time.Duration
			for d := -4; d <= 5; d++ {
				begin := day.AddDate(0, 0, d).Add(time.Duration(cut[0]) * time.Minute)
				a, b := reached(begin), reached(begin.Add(time.Duration(length)*time.Minute))
				if a.Before(from) {
					a = from
				}
				if b.After(to) {
					b = to
				}
				want += max(0, b.Sub(a))
			}
			assert.Equal(t, want, calendar.Between(from, to), "%s %s %s %s", c.zone, text, from, to)
			at, ok := calendar.After(from, want)
			assert.True(t, ok)
			assert.False(t, at.After(to))
			assert.Equal(t, want, calendar.Between(from, at))
		}
	}
}

func TestHoursAreChecked(t *testing.T) {
	for _, c := range []struct {
		h     convo.Hours
		field string
	}{
		{hours("", "daily 09:00-17:00"), "zone"},
		{hours("Local", "daily 09:00-17:00"), "zone"},
		{hours("Europe/Atlantis", "daily 09:00-17:00"), "zone"},
		{hours("UTC", "someday 09:00-17:00"), "days"},
		{hours("UTC", "monday"), "days"},
		{hours("UTC", "monday 9-17:00"), "days.monday"},
		{hours("UTC", "monday 09:00-25:00"), "days.monday"},
		{hours("UTC", "monday 24:00-01:00"), "days.monday"},
		{hours("UTC", "monday 09:00-12:00 11:00-13:00"), "days"},
		{hours("UTC", "monday 22:00-06:00, tuesday 05:00-07:00"), "days"},
		{hours("UTC", "saturday 22:00-06:00, sunday 05:00-07:00"), "days"},
		{hours("UTC", "daily 09:00-17:00", "24.12.2026"), "holidays"},
		{hours("UTC", "daily 09:00-17:00", "2026-02-29"), "holidays"},
	} {
		_, err := c.h.Calendar(nil)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, "%+v", c.h)
		assert.Equal(t, c.field, invalid.Field, "%+v", c.h)
	}
}

// In a container without time-zone data every zone is unknown: the error says what is to be done.
func TestAZoneThatIsNotFoundSaysWhy(t *testing.T) {
	_, err := hours("Europe/Atlantis", "daily 09:00-17:00").Calendar(nil)
	require.ErrorContains(t, err, "unknown time zone Europe/Atlantis")
	require.ErrorContains(t, err, "import the package time/tzdata")
	_, err = hours("Local", "daily 09:00-17:00").Calendar(nil)
	require.ErrorIs(t, err, convo.ErrInvalid)
	assert.NotContains(t, err.Error(), "tzdata")
}

func BenchmarkWorkingTimeOfAMonth(b *testing.B) {
	c, err := hours("Europe/Berlin", "daily 08:00-12:00 14:00-18:00").Calendar(nil)
	require.NoError(b, err)
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		c.Between(from, from.AddDate(0, 1, 0))
	}
}
