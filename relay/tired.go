package relay

import (
	"sync"
	"time"
)

const (
	// tiredAfter is how many claims in a row a target may fail before its others are left alone for
	// a while: so one that does not answer keeps few workers from the other targets.
	tiredAfter = 3
	tiredFor   = 5 * time.Second
	// maxTired bounds what is remembered. What fails beyond that is tried on.
	maxTired = 10_000
)

// tiredTargets are those that have failed, or that nobody has told this process of.
type tiredTargets struct {
	mu sync.Mutex
	by map[TargetOf]*tired
}

type tired struct {
	inARow int
	until  time.Time
	since  time.Time // it is missing; zero: it is not
}

// missing says since when a target is.
func (t *tiredTargets) missing(of TargetOf, now time.Time) (since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.by[of]
	if x == nil {
		if len(t.by) == maxTired {
			return now
		}
		x = &tired{}
		t.by[of] = x
	}
	if x.since.IsZero() {
		x.since = now
	}
	return x.since
}

// found says that a target is not missing.
func (t *tiredTargets) found(of TargetOf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.by[of]; x != nil {
		x.since = time.Time{}
	}
}

// failed counts a failure.
func (t *tiredTargets) failed(of TargetOf, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.by[of]
	if x == nil {
		if len(t.by) == maxTired {
			return
		}
		x = &tired{}
		t.by[of] = x
	}
	if x.inARow++; x.inARow >= tiredAfter {
		x.until = now.Add(tiredFor)
	}
}

// worked forgets failures.
func (t *tiredTargets) worked(of TargetOf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, of)
}

// until is until when a target is left alone: zero, when it is not.
func (t *tiredTargets) until(of TargetOf, now time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.by[of]; x != nil && x.until.After(now) {
		return x.until
	}
	return time.Time{}
}

// all are up to MaxExcept that are left alone.
func (t *tiredTargets) all(now time.Time) (all []TargetOf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for of, x := range t.by {
		if x.until.After(now) && len(all) < MaxExcept {
			all = append(all, of)
		}
	}
	return all
}
