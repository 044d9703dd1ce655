package report

import "time"

// Comparison is a period that the one of a report is compared with.
type Comparison string

const (
	// ComparePrevious is the period that ends where the other one begins: as many whole years,
	// quarters, months, weeks or days before, and else as long.
	ComparePrevious Comparison = "previous"
	// CompareYearBefore is the same period of the year before. Whole years, quarters and months are
	// compared with those of that year, as February 2024 with February 2023. Whole weeks, from one
	// Query.WeekStart to another one, are compared with those 52 weeks before, so that they have
	// the same days of the week. Other whole days are compared with the same dates, where February
	// 29 is the 28th; everything else begins at the same local time a year before, and is as long.
	CompareYearBefore Comparison = "year_before"
)

// compared is the period that the one of q is compared with. Its zone is that of from.
func (q *Query) compared(from, to time.Time) [2]time.Time {
	loc, length := from.Location(), to.Sub(from)
	unit, n := wholeUnits(from, to, q.WeekStart)
	first, last := dateOf(from), dateOf(to)
	var begins, ends time.Time
	switch {
	case !q.CompareFrom.IsZero():
		begins = q.CompareFrom.In(loc)
		ends = begins.Add(length)
		if n > 0 {
			ends = onDay(unit.next(dateOf(begins), n), begins)
		}
	case q.Compare == CompareYearBefore:
		switch unit {
		case "":
			begins = onDay(first.add(-1, 0, 0), from)
			ends = begins.Add(length)
		case Week:
			begins = first.add(0, 0, -52*7).begins(loc)
			ends = last.add(0, 0, -52*7).begins(loc)
		case Day: // up to the same last day
			begins = first.add(-1, 0, 0).begins(loc)
			ends = last.add(0, 0, -1).add(-1, 0, 0).add(0, 0, 1).begins(loc)
		default:
			begins, ends = first.add(-1, 0, 0).begins(loc), last.add(-1, 0, 0).begins(loc)
		}
	case n > 0:
		begins, ends = unit.next(first, -n).begins(loc), from
	default:
		begins, ends = from.Add(-length), from
	}
	if !ends.After(begins) { // the zone skipped that day
		ends = begins.Add(length)
	}
	return [2]time.Time{begins, ends}
}

// wholeUnits is the widest unit of the local calendar of which a period has whole ones, and how
// many; none if it has not even whole days. Years and quarters are so many months.
func wholeUnits(from, to time.Time, weekStart Weekday) (unit Bucket, n int) {
	loc := from.Location()
	first, last := dateOf(from), dateOf(to)
	if !first.begins(loc).Equal(from) || !last.begins(loc).Equal(to) {
		return "", 0
	}
	for _, unit = range [...]Bucket{Month, Week, Day} {
		if unit.floor(first, weekStart) == first && unit.floor(last, weekStart) == last {
			break
		}
	}
	for d := first; d.before(last); d = unit.next(d, 1) {
		n++
	}
	return unit, n
}

// onDay is t on another day: where the day begins if t is where its own does, and else at the same
// time by the clock on the wall.
func onDay(d date, t time.Time) time.Time {
	if dateOf(t).begins(t.Location()).Equal(t) {
		return d.begins(t.Location())
	}
	h, m, s := t.Clock()
	return time.Date(d.year, d.month, d.day, h, m, s, t.Nanosecond(), t.Location())
}
