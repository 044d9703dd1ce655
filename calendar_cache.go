package convo

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is kept of calendars, so that a message need not read a time zone from the disk, nor add up
// the same days again.
const (
	maxKeptCalendars = 256  // maps of them: the policies of so many workspaces
	maxKeptTimes     = 4096 // of each calendar
)

var zones sync.Map // *time.Location by name: there are some 600

// zoneOf is the time zone with a name.
func zoneOf(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, zone)
	}
	return zone, err
}

var kept struct {
	sync.RWMutex
	by map[uintptr]keptCalendars
}

// keptCalendars holds the map that they were made of, so that no other one comes to its place.
type keptCalendars struct {
	of        map[string]Hours
	calendars map[string]*keptTimes
}

// calendarsOf makes the calendars of a policy, once for each map: it must not be changed. What is
// not valid is left out.
func calendarsOf(of map[string]Hours) map[string]*keptTimes {
	at := reflect.ValueOf(of).Pointer()
	kept.RLock()
	k, ok := kept.by[at]
	kept.RUnlock()
	if ok && len(k.of) == len(of) {
		return k.calendars
	}
	k = keptCalendars{of, make(map[string]*keptTimes, len(of))}
	for name, hours := range of {
		if c, err := hours.Calendar(nil); err == nil {
			k.calendars[name] = &keptTimes{Calendar: c, hash: hours.hash()}
		}
	}
	kept.Lock()
	defer kept.Unlock()
	if kept.by == nil || len(kept.by) >= maxKeptCalendars {
		kept.by = map[uintptr]keptCalendars{}
	}
	kept.by[at] = k
	return k.calendars
}

// keptTimes is a calendar that remembers what it was asked: every message asks for the same times.
type keptTimes struct {
	Calendar
	hash uint32 // of what it was made of
	mu   sync.Mutex
	by   map[askedTime]answeredTime
}

type askedTime struct {
	from   int64 // in microseconds
	worked time.Duration
}

type answeredTime struct {
	at time.Time
	ok bool
}

func (k *keptTimes) After(from time.Time, worked time.Duration) (time.Time, bool) {
	asked := askedTime{from.UnixMicro(), worked}
	k.mu.Lock()
	answer, known := k.by[asked]
	k.mu.Unlock()
	if known {
		return answer.at, answer.ok
	}
	answer.at, answer.ok = k.Calendar.After(from, worked)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil || len(k.by) >= maxKeptTimes {
		k.by = map[askedTime]answeredTime{}
	}
	k.by[asked] = answer
	return answer.at, answer.ok
}

// hash is that of all that h says, in whatever order: a host may list them from a map.
func (h Hours) hash() uint32 {
	h.Holidays = slices.Compact(slices.Sorted(slices.Values(h.Holidays)))
	h.Days = maps.Clone(h.Days)
	for day, worked := range h.Days {
		h.Days[day] = slices.SortedFunc(slices.Values(worked), func(a, b Interval) int {
			return strings.Compare(a.From, b.From)
		})
	}
	text, _ := json.Marshal(h) // which are texts
	return hashed(hashBegins, string(text))
}

// never is a calendar in which nothing is worked.
type never struct{}

func (never) Between(_, _ time.Time) time.Duration                   { return 0 }
func (never) After(time.Time, time.Duration) (at time.Time, ok bool) { return at, false }
