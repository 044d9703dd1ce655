package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

// texts are boundaries in local time, with what comes before.
func texts(boundaries []time.Time, loc *time.Location) (all []string) {
	for _, b := range boundaries {
		all = append(all, b.In(loc).Format("2006-01-02 15:04 -0700"))
	}
	return all
}

func TestBucketsAreThoseOfTheLocalCalendar(t *testing.T) {
	for _, c := range []struct {
		why, zone string
		bucket    Bucket
		from, to  string
		want      []string
	}{
		{"a day of 23 hours in the north", "Europe/Berlin", Day, "2025-03-29 00:00 +0100",
			"2025-04-01 00:00 +0200", []string{
				"2025-03-29 00:00 +0100", "2025-03-30 00:00 +0100", "2025-03-31 00:00 +0200",
				"2025-04-01 00:00 +0200",
			}},
		{"a day of 25 hours in the south", "Australia/Sydney", Day, "2025-04-05 00:00 +1100",
			"2025-04-08 00:00 +1000", []string{
				"2025-04-05 00:00 +1100", "2025-04-06 00:00 +1100", "2025-04-07 00:00 +1000",
				"2025-04-08 00:00 +1000",
			}},
		{"no midnight: the clock went from 24:00 to 01:00", "America/Sao_Paulo", Day,
			"2018-11-03 00:00 -0300", "2018-11-05 12:00 -0200", []string{
				"2018-11-03 00:00 -0300", "2018-11-04 01:00 -0200", "2018-11-05 00:00 -0200",
				"2018-11-05 12:00 -0200",
			}},
		{"two midnights: the clock went from 01:00 to 00:00", "America/Havana", Day,
			"2024-11-02 00:00 -0400", "2024-11-04 00:00 -0500", []string{
				"2024-11-02 00:00 -0400", "2024-11-03 00:00 -0400", "2024-11-04 00:00 -0500",
			}},
		{"23:00 to 24:00 twice", "America/Sao_Paulo", Day, "2018-02-17 00:00 -0200",
			"2018-02-19 00:00 -0300", []string{
				"2018-02-17 00:00 -0200", "2018-02-18 00:00 -0300", "2018-02-19 00:00 -0300",
			}},
		{"a day that was skipped", "Pacific/Apia", Day, "2011-12-29 00:00 -1000",
			"2012-01-01 00:00 +1400", []string{
				"2011-12-29 00:00 -1000", "2011-12-31 00:00 +1400", "2012-01-01 00:00 +1400",
			}},
		{"the hour that is skipped", "Europe/Berlin", Hour, "2025-03-30 00:30 +0100",
			"2025-03-30 04:00 +0200", []string{
				"2025-03-30 00:30 +0100", "2025-03-30 01:00 +0100", "2025-03-30 03:00 +0200",
				"2025-03-30 04:00 +0200",
			}},
		{"the hour that comes twice", "Europe/Berlin", Hour, "2025-10-26 01:00 +0200",
			"2025-10-26 03:00 +0100", []string{
				"2025-10-26 01:00 +0200", "2025-10-26 02:00 +0200", "2025-10-26 02:00 +0100",
				"2025-10-26 03:00 +0100",
			}},
		{"half an hour that comes twice", "Australia/Lord_Howe", Hour, "2025-04-06 00:00 +1100",
			"2025-04-06 03:00 +1030", []string{
				"2025-04-06 00:00 +1100", "2025-04-06 01:00 +1100", "2025-04-06 01:30 +1030",
				"2025-04-06 02:00 +1030", "2025-04-06 03:00 +1030",
			}},
		{"hours of a zone with half of one", "Asia/Kolkata", Hour, "2025-04-06 00:10 +0530",
			"2025-04-06 02:00 +0530", []string{
				"2025-04-06 00:10 +0530", "2025-04-06 01:00 +0530", "2025-04-06 02:00 +0530",
			}},
		{"weeks", "Europe/Berlin", Week, "2025-03-26 00:00 +0100", "2025-04-08 00:00 +0200",
			[]string{
				"2025-03-26 00:00 +0100", "2025-03-31 00:00 +0200", "2025-04-07 00:00 +0200",
				"2025-04-08 00:00 +0200",
			}},
		{"months", "UTC", Month, "2024-01-31 05:00 +0000", "2024-04-01 00:00 +0000", []string{
			"2024-01-31 05:00 +0000", "2024-02-01 00:00 +0000", "2024-03-01 00:00 +0000",
			"2024-04-01 00:00 +0000",
		}},
		{"quarters", "UTC", Quarter, "2024-02-29 00:00 +0000", "2024-08-01 00:00 +0000", []string{
			"2024-02-29 00:00 +0000", "2024-04-01 00:00 +0000", "2024-07-01 00:00 +0000",
			"2024-08-01 00:00 +0000",
		}},
		{"years", "Asia/Kolkata", Year, "2023-05-01 00:00 +0530", "2025-01-01 00:00 +0530",
			[]string{"2023-05-01 00:00 +0530", "2024-01-01 00:00 +0530", "2025-01-01 00:00 +0530"}},
	} {
		loc := zone(t, c.zone)
		at := func(text string) time.Time {
			v, err := time.Parse("2006-01-02 15:04 -0700", text)
			require.NoError(t, err)
			return v.In(loc)
		}
		got, err := c.bucket.boundaries(at(c.from), at(c.to), Monday)
		require.NoError(t, err)
		assert.Equal(t, c.want, texts(got, loc), c.why)
	}
}

func TestAWeekBeginsWhereItIsSaidTo(t *testing.T) {
	from := time.Date(2025, 6, 4, 0, 0, 0, 0, time.UTC) // a Wednesday
	for d := Monday; d <= Sunday; d++ {
		got, err := Week.boundaries(from, from.AddDate(0, 0, 9), d)
		require.NoError(t, err)
		assert.Equal(t, (int(d)+1)%7, int(got[1].Weekday()), d.String())
		assert.Positive(t, got[1].Sub(from))
		assert.LessOrEqual(t, got[1].Sub(from), 7*24*time.Hour)
	}
}

// In every zone, over years with many odd changes: boundaries ascend, none is missing, and each is
// where its bucket begins.
func TestBordersAscendInEveryZone(t *testing.T) {
	for _, name := range []string{
		"Africa/Cairo", "America/Asuncion", "America/Godthab", "America/Havana", "America/Santiago",
		"America/St_Johns", "Asia/Amman",
		"Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Tehran",
		"Atlantic/Azores", "Australia/Lord_Howe",
		"Europe/Dublin", "Europe/Lisbon", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kwajalein",
		"Africa/Monrovia", "America/Caracas",
	} {
		loc := zone(t, name)
		from := time.Date(1968, 1, 1, 0, 0, 0, 0, time.UTC).In(loc)
		for _, b := range []Bucket{Day, Week, Month} {
			days := map[string]bool{}
			for _, years := range []int{0, 25, 40} { // from 1968, 1993 and 2008 on
				got, err := b.boundaries(from.AddDate(years, 0, 0), from.AddDate(years+10, 0, 0),
					Monday)
				require.NoError(t, err)
				for j := 1; j < len(got)-1; j++ {
					local := got[j].In(loc)
					require.True(t, got[j-1].Before(got[j]), "%s: %s", name, local)
					require.NotEqual(t, dateOf(local), dateOf(local.Add(-time.Second)),
						"%s: %s is not where a day begins", name, local)
					days[local.Format(time.DateOnly)] = true
				}
			}
			if b == Day { // but for those that were skipped
				assert.InDelta(t, 30*365.2425, len(days), 5, name)
			}
		}
	}
}

func FuzzBordersAscend(f *testing.F) {
	f.Add(int64(1_700_000_000), int64(1_800_000_000), "Europe/Berlin", "day")
	f.Add(int64(-2_000_000_000), int64(-1_990_000_000), "America/Havana", "hour")
	f.Fuzz(func(t *testing.T, from, to int64, name, bucket string) {
		loc, err := time.LoadLocation(name)
		if err != nil || from < -2_200_000_000 || to > 6_900_000_000 || from >= to {
			return
		}
		a, b := time.Unix(from, 0).In(loc), time.Unix(to, 0).In(loc)
		got, err := Bucket(bucket).boundaries(a, b, Monday)
		if err != nil {
			return
		}
		require.True(t, got[0].Equal(a) && got[len(got)-1].Equal(b), fmt.Sprint(got))
		for i := 1; i < len(got); i++ {
			require.True(t, got[i-1].Before(got[i]), fmt.Sprint(got))
		}
	})
}
