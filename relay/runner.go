package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
)

// Job is work that is done again and again, in the background.
type Job struct {
	Name string // of what it does, once in a [Runner]
	// Every is how long to wait when there is no more to do, give or take a tenth at random, so
	// that several processes do not all begin at once. It must be positive.
	Every time.Duration
	// Do does some of it, and says whether there is more to do at once, also when some has failed.
	// It must return when ctx ends, and be safe for use in several processes.
	Do func(ctx context.Context) (more bool, err error)
	// MaxWait bounds the wait after failures in a row, each of which doubles it. 0: Every, so that
	// it stays as it is: for work of which some fails while the rest goes on.
	MaxWait time.Duration
	// Workers is how many goroutines do it, each as if it were alone. 0: one.
	Workers int
	// Wake, if not nil, ends a wait of one worker with each value.
	Wake <-chan struct{}
	// Rest is how long after Do has begun it is begun again at the earliest, unless there is more
	// to do: so that many values of Wake are one. 0: not at all. It must not exceed Every.
	Rest time.Duration
}

// maxJobWait is how long the ready-made jobs wait at most after failures in a row.
const maxJobWait = 10 * time.Minute

// JobRun is what one call of [Job].Do came to.
type JobRun struct {
	Job  string
	Took time.Duration
	More bool
	// Err is what Do returned, or a panic of it with its stack. After the grace of a Runner it is
	// mostly that of the context: the job was cut off.
	Err error
}

// Runner runs jobs. Its fields must not be changed while it does; it may run several times, and any
// number of processes may run the same jobs. The zero value has nothing to do.
type Runner struct {
	Jobs []Job
	// Grace is how long what is in hand may take after the context of Run has ended, before its own
	// context ends, too. 0: not at all. It must be shorter than what the host is given to stop.
	Grace time.Duration
	// Logger has the errors and panics of jobs as warnings. Default: nowhere.
	Logger *slog.Logger
	// Observe, if not nil, is called after each call of [Job].Do, in its goroutine; of several jobs
	// and workers concurrently.
	Observe func(JobRun)
}

// Run does the jobs until ctx ends, and returns its error: each by itself, so that one that fails,
// panics or takes long keeps no other one waiting. Each begins at once. When ctx ends, nothing is
// begun any more, and Run returns once what is in hand has: after Grace, its context ends as well.
// Values of ctx are seen by jobs. A Job that cannot be is an error, and then nothing is run. One
// that fails with [ErrNoOutbox] ends all of them, and Run returns that: no further try would change
// how the host has opened its store.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	inHand, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	var wg sync.WaitGroup
	for i := range r.Jobs {
		for range max(r.Jobs[i].Workers, 1) {
			wg.Go(func() { r.again(running, inHand, end, &r.Jobs[i]) })
		}
	}
	returned := make(chan struct{})
	go func() {
		wg.Wait()
		close(returned)
	}()
	<-running.Done()
	grace := time.NewTimer(r.Grace)
	defer grace.Stop()
	select {
	case <-returned:
	case <-grace.C:
	}
	cutOff()
	<-returned
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Cause(running)
}

// check says why the jobs cannot be run.
func (r *Runner) check() error {
	names := map[string]bool{}
	for i := range r.Jobs {
		j := &r.Jobs[i]
		switch {
		case j.Name == "" || names[j.Name]:
			return fmt.Errorf("relay: job %d must have a name of its own, not %q", i, j.Name)
		case j.Do == nil:
			return fmt.Errorf("relay: job %q has nothing to do", j.Name)
		case j.Every <= 0 || j.Every > convo.MaxCalendar || j.MaxWait > convo.MaxCalendar:
			return fmt.Errorf("relay: job %q: Every must be positive, and neither it nor MaxWait "+
				"more than %s", j.Name, convo.MaxCalendar)
		case j.MaxWait < 0 || j.Workers < 0 || j.Rest < 0 || j.Rest > j.Every:
			return fmt.Errorf("relay: job %q: MaxWait, Workers and Rest must not be negative, and "+
				"Rest not more than Every", j.Name)
		}
		names[j.Name] = true
	}
	if r.Grace < 0 {
		return errors.New("relay: Grace must not be negative")
	}
	return nil
}

// again does a job until ctx ends, or ends it. What it has in hand has a context of its own.
func (r *Runner) again(
	ctx, inHand context.Context, end context.CancelCauseFunc, j *Job,
) {
	wait := j.Every
	for ctx.Err() == nil {
		rested := time.Now().Add(j.Rest)
		run := doSafely(inHand, j)
		if r.Observe != nil {
			r.Observe(run)
		}
		if run.Err != nil && inHand.Err() == nil && r.Logger != nil {
			r.Logger.WarnContext(ctx, "convo: job", "job", j.Name, "error", run.Err)
		}
		if errors.Is(run.Err, ErrNoOutbox) {
			end(run.Err)
			return
		}
		if run.More {
			wait = j.Every
			continue
		}
		if run.Err == nil {
			wait = j.Every
		}
		timer := time.NewTimer(wait - wait/10 + rand.N(wait/5+1))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-j.Wake:
			timer.Reset(time.Until(rested))
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
		timer.Stop()
		if run.Err != nil {
			wait = min(2*wait, max(j.Every, j.MaxWait))
		}
	}
}

// doSafely has a panic be an error, for the other jobs go on.
func doSafely(ctx context.Context, j *Job) (run JobRun) {
	began := time.Now()
	defer func() {
		if v := recover(); v != nil {
			run = JobRun{Err: fmt.Errorf("panicked: %v\n%s", v, debug.Stack())}
		}
		run.Job, run.Took = j.Name, time.Since(began)
	}()
	run.More, run.Err = j.Do(ctx)
	return run
}

// TickJob is what [convo.Engine.Run] does: every second, and again while more is due.
func TickJob(e *convo.Engine) Job {
	return Job{
		Name: "tick", Every: convo.DefaultTickEvery,
		Do: func(ctx context.Context) (bool, error) {
			n, err := e.Tick(ctx, 0)
			return n >= convo.DefaultTick, err
		},
	}
}

// relayRest is how long a relay gathers at most what it is woken for: a round is some trips,
// however little there is.
const relayRest = 20 * time.Millisecond

// Job is what Run does, with the interval, the workers and the Wake of r.
func (r *Relay) Job() Job {
	return Job{
		Name: "relay", Every: r.every, Workers: r.workers, Wake: r.wake,
		Rest: min(relayRest, r.every),
		Do: func(ctx context.Context) (bool, error) {
			s, err := r.round(ctx, r.turns)
			if s.More {
				r.Wake() // there may be work for another worker, too
			}
			return s.More, err
		},
	}
}

// RollupJob keeps the rollups of a store up to date, every so often (0: a minute). sqlstore has
// them; a store that has none needs no such job.
func RollupJob(
	store interface {
		Rollup(ctx context.Context, limit int) (n int, more bool, err error)
	}, every time.Duration,
) Job {
	return Job{
		Name: "rollup", Every: cmp.Or(every, time.Minute), MaxWait: maxJobWait,
		Do: func(ctx context.Context) (bool, error) {
			_, more, err := store.Rollup(ctx, 0)
			if errors.Is(err, convo.ErrConflict) { // another process is at it
				return false, nil
			}
			return more, err
		},
	}
}

// PruneJob removes texts, whole conversations and keys by their age: see [convo.Engine.Prune]. It
// goes over all closings and all keys once a day, and when it begins; after an error it begins anew
// within hours.
func PruneJob(e *convo.Engine, r convo.Retention) Job {
	var mu sync.Mutex
	var next convo.PrunePlace
	var finished time.Time
	return Job{
		Name: "prune", Every: time.Hour,
		Do: func(ctx context.Context) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if time.Since(finished) < pruneEvery {
				return false, nil
			}
			p, err := e.Prune(ctx, r, next, 0)
			more := p.More() && p.Next != next
			if next = p.Next; err == nil && !p.More() {
				finished = time.Now()
			}
			return more, err
		},
	}
}

// pruneEvery is a little less than a day, so that it stays at the same hour.
const pruneEvery = 24*time.Hour - 30*time.Minute

// PruneFeedJob removes what is older from the feeds of a store, every hour, and at once while there
// is more. Who follows a feed from before then is told by a [MissedError].
func PruneFeedJob(store FeedStore, keep time.Duration) Job {
	return Job{
		Name: "prune feed", Every: time.Hour, MaxWait: time.Hour,
		Do: func(ctx context.Context) (bool, error) {
			n, err := store.PruneFeed(ctx, time.Now().Add(-keep), convo.MaxPageSize)
			return n > 0 && err == nil, err
		},
	}
}
