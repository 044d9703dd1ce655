package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const instant = "2006-01-02 15:04 -0700"

// comparison is a period, what it is compared with, and what that should be. Times are local, with
// what the clock is ahead of UTC.
type comparison struct {
	why, zone  string
	from, to   string
	wantFrom   string
	wantTo     string
	compare    Comparison
	compareAt  string // CompareFrom
	weekStarts Weekday
}

func (c comparison) check(t *testing.T) {
	t.Helper()
	loc := zone(t, c.zone)
	at := func(text string) time.Time {
		v, err := time.Parse(instant, text)
		require.NoError(t, err, c.why)
		require.Equal(t, text, v.In(loc).Format(instant), "%s: there is no such time", c.why)
		return v
	}
	q := Query{
		Kind: Conversations, Workspace: "acme", Zone: c.zone, From: at(c.from), To: at(c.to),
		Compare: c.compare, WeekStart: c.weekStarts,
	}
	if c.compareAt != "" {
		q.CompareFrom = at(c.compareAt)
	}
	p, err := planOf(&q)
	require.NoError(t, err, c.why)
	assert.Equal(t, []string{c.wantFrom, c.wantTo},
		[]string{p.before[0].In(loc).Format(instant), p.before[1].In(loc).Format(instant)},
		"%s: %s to %s in %s", c.why, c.from, c.to, c.zone)
}

func TestThePeriodBeforeHasAsManyUnitsOfTheCalendar(t *testing.T) {
	for _, c := range []comparison{
		{why: "a month", zone: "Europe/Berlin", from: "2025-03-01 00:00 +0100",
			to: "2025-04-01 00:00 +0200", wantFrom: "2025-02-01 00:00 +0100"},
		{why: "half a year", zone: "Europe/Berlin", from: "2025-01-01 00:00 +0100",
			to: "2025-07-01 00:00 +0200", wantFrom: "2024-07-01 00:00 +0200"},
		{why: "a leap year", zone: "UTC", from: "2024-01-01 00:00 +0000",
			to: "2025-01-01 00:00 +0000", wantFrom: "2023-01-01 00:00 +0000"},
		{why: "February of a leap year", zone: "UTC", from: "2024-02-01 00:00 +0000",
			to: "2024-03-01 00:00 +0000", wantFrom: "2024-01-01 00:00 +0000"},
		{why: "a day of 23 hours", zone: "Europe/Berlin", from: "2025-03-30 00:00 +0100",
			to: "2025-03-31 00:00 +0200", wantFrom: "2025-03-29 00:00 +0100"},
		{why: "a week", zone: "Europe/Berlin", from: "2025-03-24 00:00 +0100",
			to: "2025-03-31 00:00 +0200", wantFrom: "2025-03-17 00:00 +0100"},
		{why: "11 hours", zone: "Europe/Berlin", from: "2025-03-30 00:00 +0100",
			to: "2025-03-30 12:00 +0200", wantFrom: "2025-03-29 13:00 +0100"},
		{why: "less than a day", zone: "Europe/Berlin", from: "2025-06-01 10:15 +0200",
			to: "2025-06-02 10:00 +0200", wantFrom: "2025-05-31 10:30 +0200"},
		{why: "a day without a midnight", zone: "America/Sao_Paulo",
			from: "2018-11-04 01:00 -0200", to: "2018-11-05 00:00 -0200",
			wantFrom: "2018-11-03 00:00 -0300"},
		{why: "the days before the clock was put back by half an hour",
			zone: "Australia/Lord_Howe", from: "2025-04-06 00:00 +1100",
			to: "2025-04-08 00:00 +1030", wantFrom: "2025-04-04 00:00 +1100"},
		{why: "a month of fasting by another clock", zone: "Africa/Casablanca",
			from: "2024-03-01 00:00 +0100", to: "2024-04-01 00:00 +0000",
			wantFrom: "2024-02-01 00:00 +0100"},
	} {
		c.wantTo = c.from
		c.check(t)
		c.compare = ComparePrevious
		c.check(t)
	}
}

func TestAPeriodThatIsNamedByItsBeginningHasAsManyUnitsOfTheCalendar(t *testing.T) {
	for _, c := range []comparison{
		{why: "a leap year with another one", zone: "UTC", from: "2024-01-01 00:00 +0000",
			to: "2025-01-01 00:00 +0000", compareAt: "2023-01-01 00:00 +0000",
			wantTo: "2024-01-01 00:00 +0000"},
		{why: "with a leap year", zone: "UTC", from: "2023-01-01 00:00 +0000",
			to: "2024-01-01 00:00 +0000", compareAt: "2020-01-01 00:00 +0000",
			wantTo: "2021-01-01 00:00 +0000"},
		{why: "February with that of a leap year", zone: "Europe/Berlin",
			from: "2025-02-01 00:00 +0100", to: "2025-03-01 00:00 +0100",
			compareAt: "2024-02-01 00:00 +0100", wantTo: "2024-03-01 00:00 +0100"},
		{why: "a month with a longer one, across a change of clocks", zone: "Europe/Berlin",
			from: "2025-02-01 00:00 +0100", to: "2025-03-01 00:00 +0100",
			compareAt: "2025-10-01 00:00 +0200", wantTo: "2025-11-01 00:00 +0100"},
		{why: "two quarters from the middle of another one", zone: "UTC",
			from: "2025-04-01 00:00 +0000", to: "2025-10-01 00:00 +0000",
			compareAt: "2024-02-15 00:00 +0000", wantTo: "2024-08-15 00:00 +0000"},
		{why: "a month from a day that the next one lacks", zone: "UTC",
			from: "2025-03-01 00:00 +0000", to: "2025-04-01 00:00 +0000",
			compareAt: "2025-01-31 00:00 +0000", wantTo: "2025-02-28 00:00 +0000"},
		{why: "a month from the morning on", zone: "Europe/Berlin",
			from: "2025-02-01 00:00 +0100", to: "2025-03-01 00:00 +0100",
			compareAt: "2024-03-10 06:30 +0100", wantTo: "2024-04-10 06:30 +0200"},
		{why: "a day with one of 23 hours", zone: "Europe/Berlin", from: "2025-04-06 00:00 +0200",
			to: "2025-04-07 00:00 +0200", compareAt: "2025-03-30 00:00 +0100",
			wantTo: "2025-03-31 00:00 +0200"},
		{why: "a day with one of 25 hours", zone: "America/Sao_Paulo",
			from: "2018-02-10 00:00 -0200", to: "2018-02-11 00:00 -0200",
			compareAt: "2018-02-17 00:00 -0200", wantTo: "2018-02-18 00:00 -0300"},
		{why: "a day with one without a midnight", zone: "America/Sao_Paulo",
			from: "2018-02-10 00:00 -0200", to: "2018-02-11 00:00 -0200",
			compareAt: "2018-11-04 01:00 -0200", wantTo: "2018-11-05 00:00 -0200"},
		{why: "a week with one in which the clock was put forward by half an hour",
			zone: "Australia/Lord_Howe", from: "2025-09-22 00:00 +1030",
			to: "2025-09-29 00:00 +1030", compareAt: "2025-09-29 00:00 +1030",
			wantTo: "2025-10-06 00:00 +1100"},
		{why: "a week with one of another clock", zone: "Africa/Casablanca",
			from: "2024-02-26 00:00 +0100", to: "2024-03-04 00:00 +0100",
			compareAt: "2024-03-04 00:00 +0100", wantTo: "2024-03-11 00:00 +0000"},
		{why: "hours with as many, across a change of clocks", zone: "Europe/Berlin",
			from: "2025-06-01 00:00 +0200", to: "2025-06-01 12:00 +0200",
			compareAt: "2025-03-30 00:00 +0100", wantTo: "2025-03-30 13:00 +0200"},
		{why: "a year of another zone is no whole one", zone: "Europe/Berlin",
			from: "2024-01-01 01:00 +0100", to: "2025-01-01 01:00 +0100",
			compareAt: "2023-01-01 01:00 +0100", wantTo: "2024-01-02 01:00 +0100"},
		{why: "a day with one that ends in a day that was skipped", zone: "Pacific/Apia",
			from: "2012-02-01 00:00 +1400", to: "2012-02-02 00:00 +1400",
			compareAt: "2011-12-29 08:00 -1000", wantTo: "2011-12-31 08:00 +1400"},
	} {
		c.wantFrom = c.compareAt
		c.check(t)
		c.compare = CompareYearBefore // it does not count
		c.check(t)
	}
}

func TestTheYearBeforeIsThatOfTheCalendar(t *testing.T) {
	for _, c := range []comparison{
		{why: "a leap year", zone: "UTC", from: "2024-01-01 00:00 +0000",
			to: "2025-01-01 00:00 +0000", wantFrom: "2023-01-01 00:00 +0000",
			wantTo: "2024-01-01 00:00 +0000"},
		{why: "two years, of which one is a leap year", zone: "UTC",
			from: "2024-01-01 00:00 +0000", to: "2026-01-01 00:00 +0000",
			wantFrom: "2023-01-01 00:00 +0000", wantTo: "2025-01-01 00:00 +0000"},
		{why: "February of a leap year", zone: "Europe/Berlin", from: "2024-02-01 00:00 +0100",
			to: "2024-03-01 00:00 +0100", wantFrom: "2023-02-01 00:00 +0100",
			wantTo: "2023-03-01 00:00 +0100"},
		{why: "February after a leap year", zone: "Europe/Berlin", from: "2025-02-01 00:00 +0100",
			to: "2025-03-01 00:00 +0100", wantFrom: "2024-02-01 00:00 +0100",
			wantTo: "2024-03-01 00:00 +0100"},
		{why: "four weeks that are a month", zone: "UTC", from: "2021-02-01 00:00 +0000",
			to: "2021-03-01 00:00 +0000", wantFrom: "2020-02-01 00:00 +0000",
			wantTo: "2020-03-01 00:00 +0000"},
		{why: "a quarter", zone: "Europe/Berlin", from: "2025-01-01 00:00 +0100",
			to: "2025-04-01 00:00 +0200", wantFrom: "2024-01-01 00:00 +0100",
			wantTo: "2024-04-01 00:00 +0200"},
		{why: "a month that has another clock", zone: "Africa/Casablanca",
			from: "2024-04-01 00:00 +0000", to: "2024-05-01 00:00 +0100",
			wantFrom: "2023-04-01 00:00 +0000", wantTo: "2023-05-01 00:00 +0100"},
		{why: "a month when clocks were changed no more", zone: "America/Sao_Paulo",
			from: "2019-11-01 00:00 -0300", to: "2019-12-01 00:00 -0300",
			wantFrom: "2018-11-01 00:00 -0300", wantTo: "2018-12-01 00:00 -0200"},
		{why: "a month in which the clock was put back by half an hour",
			zone: "Australia/Lord_Howe", from: "2025-04-01 00:00 +1100",
			to: "2025-05-01 00:00 +1030", wantFrom: "2024-04-01 00:00 +1100",
			wantTo: "2024-05-01 00:00 +1030"},

		{why: "a week", zone: "Europe/Berlin", from: "2025-03-24 00:00 +0100",
			to: "2025-03-31 00:00 +0200", wantFrom: "2024-03-25 00:00 +0100",
			wantTo: "2024-04-01 00:00 +0200"},
		{why: "two weeks from Sunday on", zone: "UTC", weekStarts: Sunday,
			from: "2025-06-01 00:00 +0000", to: "2025-06-15 00:00 +0000",
			wantFrom: "2024-06-02 00:00 +0000", wantTo: "2024-06-16 00:00 +0000"},
		{why: "seven days that are no week", zone: "UTC",
			from: "2025-06-01 00:00 +0000", to: "2025-06-08 00:00 +0000",
			wantFrom: "2024-06-01 00:00 +0000", wantTo: "2024-06-08 00:00 +0000"},

		{why: "a leap day", zone: "UTC", from: "2024-02-29 00:00 +0000",
			to: "2024-03-01 00:00 +0000", wantFrom: "2023-02-28 00:00 +0000",
			wantTo: "2023-03-01 00:00 +0000"},
		{why: "the day before a leap day", zone: "UTC", from: "2024-02-28 00:00 +0000",
			to: "2024-02-29 00:00 +0000", wantFrom: "2023-02-28 00:00 +0000",
			wantTo: "2023-03-01 00:00 +0000"},
		{why: "a day that no leap day followed", zone: "UTC", from: "2025-02-28 00:00 +0000",
			to: "2025-03-01 00:00 +0000", wantFrom: "2024-02-28 00:00 +0000",
			wantTo: "2024-02-29 00:00 +0000"},
		{why: "days on both sides of a leap day", zone: "UTC", from: "2024-02-20 00:00 +0000",
			to: "2024-03-10 00:00 +0000", wantFrom: "2023-02-20 00:00 +0000",
			wantTo: "2023-03-10 00:00 +0000"},
		{why: "a day of 25 hours, with one of 24", zone: "Europe/Berlin",
			from: "2025-10-26 00:00 +0200", to: "2025-10-27 00:00 +0100",
			wantFrom: "2024-10-26 00:00 +0200", wantTo: "2024-10-27 00:00 +0200"},
		{why: "a day with one without a midnight", zone: "America/Sao_Paulo",
			from: "2019-11-04 00:00 -0300", to: "2019-11-05 00:00 -0300",
			wantFrom: "2018-11-04 01:00 -0200", wantTo: "2018-11-05 00:00 -0200"},
		{why: "a day with one that was skipped", zone: "Pacific/Apia",
			from: "2012-12-30 00:00 +1400", to: "2012-12-31 00:00 +1400",
			wantFrom: "2011-12-31 00:00 +1400", wantTo: "2012-01-01 00:00 +1400"},

		{why: "hours of a day in which clocks were changed", zone: "Europe/Berlin",
			from: "2025-03-30 12:15 +0200", to: "2025-03-30 18:00 +0200",
			wantFrom: "2024-03-30 12:15 +0100", wantTo: "2024-03-30 18:00 +0100"},
		{why: "hours from midnight on, with a day without one", zone: "America/Sao_Paulo",
			from: "2019-11-04 00:00 -0300", to: "2019-11-04 12:00 -0300",
			wantFrom: "2018-11-04 01:00 -0200", wantTo: "2018-11-04 13:00 -0200"},
		{why: "hours of a leap day", zone: "UTC", from: "2024-02-29 10:00 +0000",
			to: "2024-03-01 09:00 +0000", wantFrom: "2023-02-28 10:00 +0000",
			wantTo: "2023-03-01 09:00 +0000"},
	} {
		c.compare = CompareYearBefore
		c.check(t)
	}
}
