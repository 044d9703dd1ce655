package convo

import "time"

// eventTime is the time of an event: the given one unless it is before the last event, else now,
// but never before the last event, because the clocks of servers differ.
func eventTime(given, now, last time.Time) (at time.Time, ok bool) {
	if given.IsZero() {
		return maxTime(now, last), true
	}
	at = micros(given)
	return at, !at.Before(last)
}

// micros is t in UTC and whole microseconds, the one precision of all stores.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
