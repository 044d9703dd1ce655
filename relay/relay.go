package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Defaults of a Relay.
const (
	DefaultEvery   = time.Second
	DefaultLease   = time.Minute
	DefaultWorkers = 4
)

// DefaultBackoff is how long a relay waits after each try that fails, give or take a fifth: ten
// tries in some three days, as the Standard Webhooks specification recommends.
func DefaultBackoff() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

const (
	// How many streams are queued, and how many queues are claimed, at once. The more, the less a
	// queue costs; but as many wait for the slowest one of a claim to be settled.
	queueBatch = 200
	claimBatch = 25
	// maxEvents is how many events of a queue are read and handed on at once.
	maxEvents = 100
	// maxError bounds what is kept of an error, in bytes.
	maxError = 500
	maxName  = 200
	// maxTries is how often a relay tries what another one is in the way of.
	maxTries = 20
	// goneAfter is for how long a process misses a target before that counts as gone: it may be of
	// the version before, and not know it yet.
	goneAfter = time.Hour
)

// Relay brings events out of a store. Use New. It is safe for concurrent use.
type Relay struct {
	store     Store
	targets   Targets
	clock     interface{ Now() time.Time }
	log       *slog.Logger
	every     time.Duration
	lease     time.Duration
	workers   int
	backoff   []time.Duration
	observers []func(Stats)
	feed      *Feed
	wake      chan struct{}
	turns     chan struct{} // of what Run publishes at a time
	tired     tiredTargets
}

// Option configures a Relay.
type Option func(*Relay)

// WithClock has the Relay read the time from c rather than the system's. What it waits for goes by
// the system's clock.
func WithClock(c interface{ Now() time.Time }) Option { return func(r *Relay) { r.clock = c } }

// WithLogger sets where failures are logged as warnings, by ids and never by content. Default:
// nowhere.
func WithLogger(l *slog.Logger) Option { return func(r *Relay) { r.log = l } }

// WithEvery says how often Run looks for what other processes have committed. Default:
// DefaultEvery. What [Relay.Wake] is told of does not wait for it.
func WithEvery(d time.Duration) Option { return func(r *Relay) { r.every = d } }

// WithLease says how long a relay keeps what it has in hand: after a crash, that much later another
// one takes over. A Publisher has up to three quarters of it for all events that it is handed,
// which are up to a hundred; that it is cut off before it had most of that is no failure. Default:
// DefaultLease; from a second to an hour.
func WithLease(d time.Duration) Option { return func(r *Relay) { r.lease = d } }

// WithWorkers says of how many queues Run publishes at a time: several conversations go side by
// side, and each in its order. Default: DefaultWorkers; 1 to 100.
func WithWorkers(n int) Option { return func(r *Relay) { r.workers = n } }

// WithBackoff says how long to wait after each try that fails, give or take a fifth. When all of
// them have passed, the next failure makes a dead letter. Default: DefaultBackoff.
func WithBackoff(waits ...time.Duration) Option {
	return func(r *Relay) { r.backoff = slices.Clone(waits) }
}

// WithStats has f called with the numbers of each Once that did something or failed, in its
// goroutine; with several workers concurrently. Each of several functions is called.
func WithStats(f func(Stats)) Option {
	return func(r *Relay) { r.observers = append(r.observers, f) }
}

// New returns a Relay that brings what store notes to targets. It asks the store nothing: one that
// keeps no outbox is found when the Relay runs, which ends with [ErrNoOutbox].
func New(store Store, targets Targets, opts ...Option) (*Relay, error) {
	r := &Relay{
		store: store, targets: targets, clock: system{},
		log: slog.New(slog.DiscardHandler), every: DefaultEvery,
		lease: DefaultLease, workers: DefaultWorkers, backoff: DefaultBackoff(),
		wake: make(chan struct{}, 1), tired: tiredTargets{by: map[TargetOf]*tired{}},
	}
	for _, o := range opts {
		o(r)
	}
	switch {
	case store == nil || targets == nil || r.clock == nil || r.log == nil:
		return nil, errors.New("relay: a store, targets, a clock and a logger must not be nil")
	case r.every <= 0 || r.every > convo.MaxCalendar:
		return nil, fmt.Errorf("relay: WithEvery must be positive, and at most %s",
			convo.MaxCalendar)
	case r.lease < time.Second || r.lease > time.Hour:
		return nil, errors.New("relay: WithLease must be from a second to an hour")
	case r.workers < 1 || r.workers > 100:
		return nil, errors.New("relay: WithWorkers must be from 1 to 100")
	case slices.ContainsFunc(r.backoff, func(d time.Duration) bool {
		return d < 0 || d > convo.MaxCalendar
	}):
		return nil, fmt.Errorf("relay: WithBackoff must be from 0 to %s", convo.MaxCalendar)
	}
	r.turns = make(chan struct{}, r.workers)
	return r, nil
}

type system struct{}

func (system) Now() time.Time { return time.Now() }

// Wake has Run look at once, or 20 ms after it last began to: what comes in between goes out
// together. Call it after a commit: as an observer of the engine,
//
//	convo.WithObserver(func(context.Context, []convo.Event) { relay.Wake() })
//
// It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, and returns its error. What is in hand then is given back; with other
// work, and to let it end first, have a [Runner] run [Relay.Job]. Have any number of processes run
// it. An error of the store or of targets is logged, and tried again; but [ErrNoOutbox] is returned
// where the store answers it.
func (r *Relay) Run(ctx context.Context) error {
	runner := Runner{Jobs: []Job{r.Job()}, Logger: r.log}
	return runner.Run(ctx)
}

// Once puts up to 200 streams into queues, claims up to 25 queues, and sends up to 100 events of
// each, one queue after another. It returns an error of the store or of targets; that a publisher
// fails is none.
func (r *Relay) Once(ctx context.Context) (Stats, error) {
	return r.round(ctx, make(chan struct{}, 1))
}

// round is a Once that publishes of as many queues at a time as have a turn.
func (r *Relay) round(ctx context.Context, turns chan struct{}) (Stats, error) {
	var s Stats
	s.Err = r.once(ctx, turns, &s)
	if s.any() {
		for _, f := range r.observers {
			f(s)
		}
	}
	return s, s.Err
}

func (r *Relay) once(ctx context.Context, turns chan struct{}, s *Stats) error {
	known := map[string][]Target{}            // of workspaces
	failed := []error{r.queue(ctx, s, known)} // of one workspace, say: the others go on
	lease, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now, began := r.now(), time.Now()
	var claimed []Claimed
	err = untilQuiet(ctx, func() (err error) {
		claimed, err = r.store.Claim(ctx, Claim{
			Lease: lease, Now: now, Until: now.Add(r.lease), Limit: claimBatch,
			MaxEvents: maxEvents, Except: r.tired.all(now),
		})
		return err
	})
	if err != nil || len(claimed) == 0 {
		return errors.Join(append(failed, err)...)
	}
	s.More = s.More || len(claimed) == claimBatch
	// What is not begun by then is given back; what is, ends.
	until, cancel := context.WithDeadline(ctx, began.Add(r.lease*3/4))
	defer cancel()
	done, came := make([]Settled, len(claimed)), make([]Stats, len(claimed))
	var begun sync.WaitGroup
	for i := range claimed {
		c := &claimed[i]
		var targets []Target
		var untold error
		if until.Err() == nil { // and in this goroutine, where a panic is caught
			if targets, untold = r.targetsOf(until, c.Workspace, known); untold != nil {
				failed = append(failed, untold)
			}
		}
		publish := func() { done[i] = r.publish(until, c, targets, untold, &came[i]) }
		select {
		case turns <- struct{}{}:
			begun.Go(func() {
				defer func() { <-turns }()
				publish()
			})
		case <-until.Done(): // others have the turns for longer than its lease lasts
			publish()
		}
	}
	begun.Wait()
	for i := range done {
		s.add(&came[i])
		due := done[i].Error == "" || done[i].Dead
		s.More = s.More || due && ctx.Err() == nil && done[i].Next <= done[i].To
	}
	// Also when ctx has ended: what was sent must not be sent again for that.
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.lease/8)
	defer cancel()
	err = untilQuiet(settling, func() error {
		n, err := r.store.Settle(settling, r.now(), done)
		if err == nil {
			s.Lost += len(done) - n
		}
		return err
	})
	return errors.Join(append(failed, err)...)
}

// untilQuiet does f again where another relay was faster: a database may end one of two
// transactions that wait for each other.
func untilQuiet(ctx context.Context, f func() error) error {
	for try := 1; ; try++ {
		err := f()
		if err == nil || !errors.Is(err, convo.ErrConflict) || try == maxTries {
			return err
		}
		wait := time.NewTimer(rand.N(time.Duration(try) * 5 * time.Millisecond))
		select {
		case <-ctx.Done():
			wait.Stop()
			return err
		case <-wait.C:
		}
	}
}

func (r *Relay) now() time.Time { return r.clock.Now().UTC().Truncate(time.Microsecond) }

// queue puts what is noted into queues. A workspace whose targets cannot be told keeps its notes.
func (r *Relay) queue(ctx context.Context, s *Stats, known map[string][]Target) error {
	var after Stream
	var errs []error
	for {
		noted, err := r.store.Noted(ctx, after, queueBatch)
		if err != nil || len(noted) == 0 {
			return errors.Join(append(errs, err)...)
		}
		after = noted[len(noted)-1]
		more := len(noted) == queueBatch
		names := map[string][]string{}
		unknown := map[string]bool{}
		noted = slices.DeleteFunc(noted, func(of Stream) bool {
			if _, ok := names[of.Workspace]; ok || unknown[of.Workspace] {
				return unknown[of.Workspace]
			}
			targets, err := r.targetsOf(ctx, of.Workspace, known)
			if err != nil {
				errs, unknown[of.Workspace] = append(errs, err), true
				return true
			}
			all := []string{}
			for i := range targets {
				all = append(all, targets[i].Name)
			}
			names[of.Workspace] = all
			return false
		})
		if len(noted) > 0 {
			err := untilQuiet(ctx, func() error {
				n, err := r.store.Queue(ctx, r.now(), noted, names)
				s.Queued += n
				return err
			})
			if r.feed != nil {
				r.feed.Wake(slices.Collect(maps.Keys(names))...)
			}
			s.More = s.More || more && err == nil
			return errors.Join(append(errs, err)...)
		}
		if !more {
			return errors.Join(errs...)
		}
	}
}

// targetsOf is Targets, asked once for each workspace, and checked.
func (r *Relay) targetsOf(
	ctx context.Context, workspace string, known map[string][]Target,
) ([]Target, error) {
	if all, ok := known[workspace]; ok {
		return all, nil
	}
	all, err := r.targets(ctx, workspace)
	if err == nil {
		err = checkTargets(all)
	}
	if err != nil {
		return nil, fmt.Errorf("relay: targets of workspace %q: %w", workspace, err)
	}
	known[workspace] = all
	return all, nil
}

func checkTargets(all []Target) error {
	names := map[string]bool{}
	for i := range all {
		t := &all[i]
		switch {
		case t.Name == "" || len(t.Name) > maxName || toValid(t.Name) != t.Name:
			return fmt.Errorf("the name %q must have 1 to %d bytes of UTF-8", t.Name, maxName)
		case names[t.Name]:
			return fmt.Errorf("two are named %q", t.Name)
		case t.Publisher == nil:
			return fmt.Errorf("%q has no Publisher", t.Name)
		}
		names[t.Name] = true
	}
	return nil
}

// publish hands a claim to its target, and says what became of it. untold is why the targets are
// not known, or nil.
func (r *Relay) publish(
	ctx context.Context, c *Claimed, targets []Target, untold error, s *Stats,
) Settled {
	done := Settled{
		Queue: c.Queue, Lease: c.Lease, To: c.To, Next: c.From, Tries: c.Tries,
	}
	putOff := func(why string, until time.Time) Settled {
		done.Error, done.Due = why, until
		return done
	}
	if len(c.Events) == 0 { // what is not there any more need not be sent
		done.Next = c.Read + 1
		return done
	}
	done.Next = c.Events[0].Seq
	deadline, _ := ctx.Deadline()
	whole := time.Until(deadline) > r.lease*5/8 // most of the time that there is
	if ctx.Err() != nil || time.Until(deadline) < r.lease/4 {
		return done // what was not begun is due at once
	}
	if untold != nil {
		return putOff(clip(untold), r.now().Add(tiredFor))
	}
	i := slices.IndexFunc(targets, func(t Target) bool { return t.Name == c.Target })
	of := TargetOf{c.Workspace, c.Target}
	if i < 0 {
		if now := r.now(); now.Sub(r.tired.missing(of, now)) < goneAfter {
			return putOff("there is no such target in this process", now.Add(tiredFor))
		}
		return r.failed(done, c, Permanent(errors.New("there is no such target any more")), s)
	}
	r.tired.found(of)
	t := &targets[i]
	if until := r.tired.until(of, r.now()); !until.IsZero() {
		return putOff("others for the target have failed", until)
	}
	for _, run := range runs(c.Events, t.Kinds) {
		if run.wanted {
			sent, err := publishSafely(ctx, t.Publisher, run.events)
			sent = min(max(sent, 0), len(run.events))
			if err == nil && sent < len(run.events) {
				err = fmt.Errorf("the publisher sent %d of %d events and returned no error", sent,
					len(run.events))
			}
			r.count(run.events[:sent], s)
			if sent > 0 {
				done.Next, done.Tries = run.events[sent-1].Seq+1, 0
			}
			if err != nil {
				if sent < len(run.events) {
					done.Next = run.events[sent].Seq
				}
				// Run ends, or others have taken the time: nobody has failed.
				if errors.Is(ctx.Err(), context.Canceled) || ctx.Err() != nil && !whole {
					return done
				}
				if !isPermanent(err) {
					r.tired.failed(of, r.now())
				}
				return r.failed(done, c, err, s)
			}
			r.tired.worked(of)
			continue
		}
		r.count(run.events, s)
		done.Next, done.Tries = run.events[len(run.events)-1].Seq+1, 0
	}
	done.Next = c.Read + 1
	return done
}

// failed is done after a failure of its event Next.
func (r *Relay) failed(done Settled, c *Claimed, err error, s *Stats) Settled {
	s.Failed++
	done.Error = clip(err)
	if isPermanent(err) || done.Tries >= len(r.backoff) {
		done.Tries, done.Dead = done.Tries+1, true
		s.Dead++
		r.log.Warn("convo: dead letter", "workspace", c.Workspace, "target", c.Target,
			"conversation", c.Conversation, "seq", done.Next, "error", err)
		return done
	}
	wait := r.backoff[done.Tries]
	done.Tries++
	done.Due = r.now().Add(wait - wait/5 + rand.N(wait/5*2+1))
	return done
}

// count counts events as sent.
func (r *Relay) count(events []convo.Event, s *Stats) {
	now := r.now()
	for i := range events {
		s.Sent++
		s.Delay = max(s.Delay, now.Sub(events[i].At))
	}
}

// run is some events in a row that a target wants, or does not.
type run struct {
	wanted bool
	events []convo.Event
}

func runs(events []convo.Event, kinds []convo.EventKind) (all []run) {
	for from := 0; from < len(events); {
		wanted := kinds == nil || slices.Contains(kinds, events[from].Kind)
		n := from + 1
		for n < len(events) && wanted == (kinds == nil || slices.Contains(kinds, events[n].Kind)) {
			n++
		}
		all = append(all, run{wanted, events[from:n]})
		from = n
	}
	return all
}

// publishSafely has a panic of a publisher be an error, for the other targets go on.
func publishSafely(ctx context.Context, p Publisher, events []convo.Event) (sent int, err error) {
	defer func() {
		if v := recover(); v != nil {
			sent, err = 0, fmt.Errorf("the publisher panicked: %v", v)
		}
	}()
	return p.Publish(ctx, events)
}

// clip is the text of an error as it is kept.
func clip(err error) string {
	text := err.Error()
	if len(text) > maxError {
		text = text[:maxError]
	}
	return toValid(text)
}

// toValid has a store take any text of an error.
func toValid(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
