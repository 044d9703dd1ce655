package shardstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/housekeeping"
)

// Registry is a Directory with which workspaces can be moved, for it can be changed: a table of the
// host's, say, with a row for each workspace.
//
// What it says is kept by each process for the lease of its store ([WithLease]): nothing is written
// by what was read longer ago. It is read again after half of that.
type Registry interface {
	Directory
	// Replace makes the place of a workspace is, if it is was now; else it fails with
	// convo.ErrConflict. What it has returned for, every later Place MUST see, in any process.
	Replace(ctx context.Context, workspace string, was, is Place) error
}

// Step is how far the moving of a workspace has come.
type Step string

// The steps of [Store.Move]. Without one, the workspace is nowhere but on its shard.
const (
	// StepCopy: the workspace is in use, while it is copied to Place.Other.
	StepCopy Step = "copy"
	// StepStop: nobody writes to it, while the rest is copied.
	StepStop Step = "stop"
	// StepClear: the workspace is in use, and what Place.Other has of it is being removed.
	StepClear Step = "clear"
)

// DefaultLease is that of a Store without [WithLease].
const DefaultLease = 2 * time.Second

// Option configures a Store.
type Option func(*common)

// WithLease says for how long what a [Registry] says of a workspace is good. All processes, those
// that move workspaces too, must have the same. A move stops writers for one and a half of it, and
// to copy what has changed since; and a commit that takes longer than half of it is broken off.
// Default: DefaultLease; from 10 milliseconds to an hour. Of a Directory that is no Registry
// nothing is kept.
func WithLease(d time.Duration) Option { return func(c *common) { c.lease = d } }

const (
	minLease = 10 * time.Millisecond
	maxLease = time.Hour
	// defaultPatience is how long a call waits for a workspace whose writers are stopped.
	defaultPatience = 30 * time.Second
)

// ErrMoving says that nobody may write to the workspace just now, for it is being moved.
var ErrMoving = errors.New("the workspace is being moved to another shard: try again, or, when " +
	"whoever moved it has ended, have Move go on or AbortMove end it")

// errLease ends what was begun by a place that has become too old.
var errLease = errors.New("shardstore: it has taken longer than the lease of the directory's entry")

// placed is a place as it was read.
type placed struct {
	Place
	read time.Time // no later
}

// places keeps what a Registry has said. It is safe for concurrent use.
type places struct {
	registry Registry
	lease    time.Duration
	patience time.Duration
	mu       sync.Mutex
	kept     map[string]placed
}

// maxKept bounds how many places are kept.
const maxKept = 100_000

func (p *places) get(workspace string) (placed, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.kept[workspace]
	return k, ok
}

func (p *places) put(workspace string, k placed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= maxKept {
		clear(p.kept)
	}
	if old, ok := p.kept[workspace]; !ok || !k.read.Before(old.read) {
		p.kept[workspace] = k
	}
}

// age is how long ago that was, by the clock that goes on while the machine sleeps, too.
func age(since time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// ask reads a place anew.
func (p *places) ask(ctx context.Context, workspace string) (placed, error) {
	read := time.Now()
	at, err := p.registry.Place(ctx, workspace)
	k := placed{at, read}
	if err == nil {
		p.put(workspace, k)
	}
	return k, err
}

// of is a place that is good still.
func (p *places) of(ctx context.Context, workspace string) (placed, error) {
	k, ok := p.get(workspace)
	if ok && age(k.read) < p.lease/2 {
		return k, nil
	}
	asked, err := p.ask(ctx, workspace)
	if err != nil && ok && ctx.Err() == nil && age(k.read) < p.lease &&
		!errors.Is(err, ErrNoShard) {
		return k, nil // it may answer the next time
	}
	return asked, err
}

// writable waits while writers to a workspace are stopped, and returns when its place will be too
// old.
func (s *Store) writable(
	ctx context.Context, workspace string, may func(placed) error,
) (until time.Time, err error) {
	p := &s.places
	k, err := p.of(ctx, workspace)
	if err == nil {
		err = may(k)
	}
	for since := time.Now(); err == nil && k.Step == StepStop; k, err = p.ask(ctx, workspace) {
		if s.bound || time.Since(since) > p.patience {
			return until, &Error{workspace, k.Shard, ErrMoving}
		}
		if err := wait(ctx, p.lease/8); err != nil {
			return until, err
		}
	}
	return k.read.Add(p.lease), err
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// errRests is why housekeeping leaves a workspace alone: as with what somebody else has in hand,
// its turn comes later.
var errRests = fmt.Errorf("%w (until then it rests: %w)", ErrMoving, convo.ErrConflict)

// writing carries out f, which writes to workspaces, when writers to none of them are stopped, with
// a context that ends before one of their places becomes too old. Who holds a lock has waited, for
// the workspaces that it is of.
func (s *Store) writing(
	ctx context.Context, f func(ctx context.Context) error, workspaces ...string,
) error {
	return s.writingIf(ctx, func(placed) error { return nil }, f, workspaces...)
}

// keeping is writing of what rests while a workspace is moved: the copy is compared by what only
// grows, and this removes rows, or changes them unseen. It waits for nothing.
func (s *Store) keeping(
	ctx context.Context, f func(ctx context.Context) error, workspace string,
) error {
	return s.writingIf(ctx, func(k placed) error { return rests(k, workspace) }, f, workspace)
}

// rests is why housekeeping must leave a workspace alone, if it must.
func rests(k placed, workspace string) error {
	if k.Step == StepCopy || k.Step == StepStop {
		return &Error{workspace, k.Shard, errRests}
	}
	return nil
}

// guarded is a context under which a shard leaves workspaces alone that are being moved, or that
// are elsewhere, when it goes over all of them.
func (s *Store) guarded(ctx context.Context, shard string) context.Context {
	if s.places.registry == nil {
		return ctx
	}
	return housekeeping.With(ctx, func(
		ctx context.Context, workspace string, do func(ctx context.Context) error,
	) error {
		err := s.writingIf(ctx, func(k placed) error {
			if k.Shard != shard {
				return errRests
			}
			return rests(k, workspace)
		}, do, workspace)
		if errors.Is(err, errRests) || errors.Is(err, ErrNoShard) {
			return nil
		}
		return err
	})
}

// writingIf is writing when may says so of each place.
func (s *Store) writingIf(
	ctx context.Context, may func(placed) error, f func(ctx context.Context) error,
	workspaces ...string,
) error {
	if s.places.registry == nil || len(workspaces) == 0 {
		return f(ctx)
	}
	if h := s.held(ctx); h != nil {
		for _, w := range workspaces {
			if !slices.Contains(h.workspaces, w) {
				return &Error{w, "", ErrNotLocked}
			}
			k, err := s.places.of(ctx, w)
			if err != nil {
				return err
			}
			if err := may(k); err != nil {
				return err
			}
		}
		return f(ctx)
	}
	p := &s.places
	var until time.Time
	for _, w := range workspaces {
		at, err := s.writable(ctx, w, may)
		if err != nil {
			return err
		}
		if until.IsZero() || at.Before(until) {
			until = at
		}
	}
	limited, cancel := context.WithDeadlineCause(ctx, until, errLease)
	defer cancel()
	err := f(limited)
	if err == nil && age(until.Add(p.lease/2)) > 0 {
		// Nobody looked at the deadline while it waited for others, and by now it may have been
		// written where the workspace was: only what is surely before the copy is acknowledged.
		return fmt.Errorf("%w: %w", convo.ErrCommitUnknown, errLease)
	}
	if err != nil && ctx.Err() == nil && limited.Err() != nil && !errors.Is(err, errLease) {
		return fmt.Errorf("%w: %w", errLease, err)
	}
	return err
}

// over is why a context has ended, if it has.
func over(ctx context.Context) error {
	err := ctx.Err()
	if err != nil && errors.Is(context.Cause(ctx), errLease) {
		return fmt.Errorf("%w: %w", errLease, err)
	}
	return err
}
