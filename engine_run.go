package convo

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"
)

// DefaultTickEvery is how often Run ticks when it is not told.
const DefaultTickEvery = time.Second

// TickStats are the numbers of one Tick.
type TickStats struct {
	Done   int // changes that timers made, what Tick returns
	Moved  int // hints that came up too early, and were moved
	Failed int // conversations that failed, and policies that could not be looked up
	// PutOff counts conversations that are due and were not tried, for they, or their scope, have
	// failed; of scopes with many, only some.
	PutOff  int
	Left    int // conversations looked at and left alone: overdue by more than the grace
	Loads   int // snapshots that were loaded
	Refused int // commits that something else was faster than; all of it was tried again
	// Late is how long after it was due the latest thing was done; 0 when nothing was.
	Late time.Duration
	// More says that the limit was reached, so that more may be due.
	More bool
	Err  error // what Tick returns
}

// handled is how many conversations something came of.
func (s *TickStats) handled() int { return s.Done + s.Moved + s.Failed }

// WithTickStats has f called with the numbers of each Tick, in its goroutine and before it returns:
// to export them, and to raise an alarm when Late or Failed grow. One that is refused for its limit
// is none. Of Ticks in several goroutines it is called concurrently.
func WithTickStats(f func(TickStats)) Option { return func(e *Engine) { e.tickStats = f } }

// WithTickGrace has Tick leave alone what is overdue by more than d: after a backup was restored,
// say, so that nobody is told today that a conversation of last week is closed. It is not handled,
// does not hold up what is behind it, and is handled by an Engine without the option, or with a
// longer grace. A command still finds the conversation as it stands. Default: 0, for no bound. d
// must not be negative.
//
// Whether something is due can only be seen by loading it. So each Tick also looks at up to its
// limit of those that seem to be overdue by more than d, from the earliest on, and begins again ten
// minutes after it has seen them all. [TickStats].Left counts them.
func WithTickGrace(d time.Duration) Option { return func(e *Engine) { e.grace = d } }

// Run ticks until ctx ends, and returns its error: every so often (0: DefaultTickEvery; it must not
// be negative), give or take a tenth at random, so that runners in several processes do not all
// tick at once; and at once again while there is more. A Tick that fails does not end it; see
// [WithTickStats]. Its waiting goes by the system's clock, what is due by that of the Engine. Have
// any number of processes run it.
func (e *Engine) Run(ctx context.Context, every time.Duration) error {
	if every < 0 {
		return invalid("every", "must not be negative")
	}
	every = min(cmp.Or(every, DefaultTickEvery), MaxCalendar) // so that a tenth more can be counted
	for ctx.Err() == nil {
		stats, err := e.tick(ctx, 0)
		if err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "convo: tick", "failed", stats.Failed, "error", err)
		}
		if stats.More {
			continue
		}
		wait := time.NewTimer(every - every/10 + rand.N(every/5+1))
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
	}
	return ctx.Err()
}
