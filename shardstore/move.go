package shardstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatlifecycle/convo"
)

// mover is a shard that workspaces can be moved from and to. sqlstore is such.
type mover interface {
	Shard
	// CopyWorkspace returns a function that makes the rows of a workspace in another store of its
	// kind what they are in this one, and returns how many it had to change: the first call
	// compares all, each later one what has changed since, if none has failed. With complete, of a
	// workspace to which nobody writes, all is there.
	CopyWorkspace(to convo.Store, workspace string) (
		pass func(ctx context.Context, complete bool) (changed int, err error), err error)
	// RemoveWorkspace removes some rows of a workspace, and returns how many; 0: there are none.
	RemoveWorkspace(ctx context.Context, workspace string, limit int) (removed int, err error)
}

// ErrNotEmpty says that a workspace cannot be moved to where something of it is already.
var ErrNotEmpty = errors.New("the shard has something of the workspace that the directory says " +
	"is elsewhere: find out which is right, and remove the other one (RemoveWorkspace)")

// Moved is what a Move did.
type Moved struct {
	// Rows are those that were written to the target; one that changed meanwhile more than once.
	Rows int
	// Stopped is how long nobody could write to the workspace. Of a Move that goes on with one
	// that was broken off, it counts from its own beginning.
	Stopped time.Duration
}

const (
	// Writers are stopped when a pass has written so few rows, or when there were so many passes.
	fewRows   = 500
	maxPasses = 10
)

// Move brings a workspace to another shard while it is in use. The directory must be a [Registry],
// and says after each step how far it has come:
//
//   - It copies the workspace, compares all of it with the copy, and then copies what has changed
//     meanwhile, until that is little.
//   - It stops writers: their calls wait. When every process knows that, it copies what has changed
//     since. check, if it is not nil, may then look at the copy: storetest.CheckInvariants, say.
//     Writers wait for it.
//   - It changes the directory. Writers go on, on the new shard.
//   - It removes the workspace from the old shard, when every process knows that.
//
// When it fails, or its process dies, the workspace is whole, on the shard that the directory
// names: call Move again, which goes on, or [Store.AbortMove]. A call that fails while writers are
// stopped lets them go on, if it still can. What moves a workspace must have ended before something
// else moves the same one: in one process that is refused with [ErrMoving].
//
// From the first step to the second, housekeeping leaves the workspace alone: Rollup, ForgetKeys,
// ForgetDeliveries and PruneFeed go by it, and what is about it alone fails with ErrMoving:
// RemoveConversation, RebuildRollups, and the erasure of a contact.
//
// Timers, relays and rollups go on with it where they were. A relay may send again what was in
// hand. Transactions of the host ([Store.In]) must not last longer than half a lease.
//
// It fails with a *convo.ValidationError for a shard that the store does not have, or a directory
// that is no Registry; with errors.ErrUnsupported for shards that have no CopyWorkspace; with
// [ErrNotEmpty]; and as the directory, the shards and check do.
func (s *Store) Move(
	ctx context.Context, workspace, to string,
	check func(ctx context.Context, copied convo.Store) error,
) (Moved, error) {
	m := &move{s: s, workspace: workspace, check: check}
	if s.shards[to] == nil {
		return m.moved, &convo.ValidationError{Field: "to", Rule: "must be a shard of the store"}
	}
	err := m.alone(ctx, func(p Place) (done bool, err error) {
		switch {
		case p.Step == StepClear:
			return false, m.clear(ctx, p)
		case p.Step == "" && p.Shard == to:
			return true, nil
		case p.Step == "":
			return false, m.begin(ctx, p, to)
		case p.Other != to:
			return true, &Error{workspace, p.Shard,
				fmt.Errorf("to shard %q: %w", p.Other, ErrMoving)}
		case p.Step == StepCopy:
			return false, m.copy(ctx, p)
		case p.Step == StepStop:
			return false, m.handOver(ctx, p)
		}
		return true, fmt.Errorf("shardstore: there is no step %q", p.Step)
	})
	if err != nil && !m.stopped.IsZero() {
		err = m.goOn(ctx, to, err)
	}
	return m.moved, err
}

// goOn lets writers go on after an error, also when ctx has ended. When the directory did not say
// that they are to stop, or says by now that the workspace is elsewhere, this changes nothing.
func (m *move) goOn(ctx context.Context, to string, failed error) error {
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.s.places.lease)
	defer cancel()
	err := m.step(back, Place{m.from, to, StepStop}, Place{m.from, to, StepCopy})
	m.moved.Stopped = time.Since(m.stopped)
	if err != nil && !errors.Is(err, convo.ErrConflict) {
		return fmt.Errorf("%w; letting writers go on: %w", failed, err)
	}
	return failed
}

// AbortMove ends the moving of a workspace: what was copied is removed, and the workspace stays
// where it is. When the directory was changed already, it removes what is left on the old shard, as
// Move would. It returns where the workspace is, and may be called again when it has failed.
func (s *Store) AbortMove(ctx context.Context, workspace string) (at Place, err error) {
	m := &move{s: s, workspace: workspace}
	err = m.alone(ctx, func(p Place) (done bool, err error) {
		switch at = p; p.Step {
		case "":
			return true, nil
		case StepClear:
			return false, m.clear(ctx, p)
		}
		return false, m.step(ctx, p, Place{p.Shard, p.Other, StepClear})
	})
	return at, err
}

// move is one call of Move or AbortMove.
type move struct {
	s         *Store
	workspace string
	check     func(ctx context.Context, copied convo.Store) error
	moved     Moved
	from      string    // the shard where writers are stopped
	stopped   time.Time // since when they may be, by this call; zero: they are not
	// pass is what CopyWorkspace has returned for this call.
	pass func(ctx context.Context, complete bool) (changed int, err error)
	took time.Duration // the last one of what has changed, if there was one
}

// alone calls f with the place of the workspace, read anew each time, until it says that it is
// done, if nobody else in this process moves the workspace.
func (m *move) alone(ctx context.Context, f func(Place) (done bool, err error)) error {
	s := m.s
	if s.places.registry == nil {
		return &convo.ValidationError{Field: "directory", Rule: "must be a Registry"}
	}
	if _, moving := s.moving.LoadOrStore(m.workspace, true); moving {
		return &Error{m.workspace, "", ErrMoving}
	}
	defer s.moving.Delete(m.workspace)
	for {
		p, err := s.places.ask(ctx, m.workspace)
		if err != nil {
			return err
		}
		if s.shards[p.Shard] == nil {
			return &Error{m.workspace, p.Shard, ErrNoShard}
		}
		if p.Other != "" && s.shards[p.Other] == nil {
			return &Error{m.workspace, p.Other, ErrNoShard}
		}
		if done, err := f(p.Place); done || err != nil {
			return err
		}
	}
}

// step says in the directory how far it has come.
func (m *move) step(ctx context.Context, was, is Place) error {
	read := time.Now()
	if err := m.s.places.registry.Replace(ctx, m.workspace, was, is); err != nil {
		return err
	}
	m.s.places.put(m.workspace, placed{is, read})
	return nil
}

// both are the shards that the workspace is moved from and to.
func (m *move) both(p Place) (from, to mover, err error) {
	from, ok := m.s.shards[p.Shard].(mover)
	to, okToo := m.s.shards[p.Other].(mover)
	if !ok || !okToo {
		err = fmt.Errorf("shardstore: moving from a %T to a %T: %w", m.s.shards[p.Shard],
			m.s.shards[p.Other], errors.ErrUnsupported)
	}
	return from, to, err
}

func (m *move) begin(ctx context.Context, p Place, to string) error {
	next := Place{p.Shard, to, StepCopy}
	_, target, err := m.both(next)
	if err != nil {
		return err
	}
	there, err := target.Contacts(ctx, convo.ContactFilter{Workspace: m.workspace, Limit: 1})
	if err == nil && len(there) > 0 {
		err = &Error{m.workspace, to, ErrNotEmpty}
	}
	if err != nil {
		return err
	}
	return m.step(ctx, p, next)
}

// copy copies the workspace until it has changed little meanwhile, and stops writers.
func (m *move) copy(ctx context.Context, p Place) error {
	from, to, err := m.both(p)
	if err != nil {
		return err
	}
	if m.pass, err = from.CopyWorkspace(to, m.workspace); err != nil {
		return err
	}
	// By then housekeeping rests in every process. Writers are not stopped meanwhile.
	if err := wait(ctx, m.s.places.lease*3/2); err != nil {
		return err
	}
	n, err := m.pass(ctx, false)
	if m.moved.Rows += n; err != nil {
		return err
	}
	if n > 0 { // what was copied just now is compared
		if m.pass, err = from.CopyWorkspace(to, m.workspace); err != nil {
			return err
		}
	}
	for pass := 0; pass < maxPasses; pass++ {
		began := time.Now()
		n, err := m.pass(ctx, false)
		if m.moved.Rows += n; err != nil {
			return err
		}
		if pass > 0 { // the first one compares all
			m.took = time.Since(began)
		}
		if n <= fewRows {
			break
		}
	}
	m.from, m.stopped = p.Shard, time.Now()
	return m.step(ctx, p, Place{p.Shard, p.Other, StepStop})
}

// handOver copies the rest when every process knows that nobody writes, and has it be in use where
// it is copied to.
func (m *move) handOver(ctx context.Context, p Place) error {
	if m.stopped.IsZero() {
		// Another call has stopped them. What it asked of the directory last may be on its way
		// still, and must come too late: writers may go on by it while this copies.
		return m.step(ctx, p, Place{p.Shard, p.Other, StepCopy})
	}
	if err := m.complete(ctx, p); err != nil {
		return err
	}
	if err := m.step(ctx, p, Place{p.Other, p.Shard, StepClear}); err != nil {
		return err
	}
	m.moved.Stopped, m.stopped = time.Since(m.stopped), time.Time{}
	return nil
}

func (m *move) complete(ctx context.Context, p Place) error {
	_, to, err := m.both(p)
	if err != nil {
		return err
	}
	over := time.Now().Add(m.s.places.lease * 3 / 2)
	if m.took < time.Until(over) { // while some may go on writing, so that less is left
		n, err := m.pass(ctx, false)
		if m.moved.Rows += n; err != nil {
			return err
		}
	}
	if err := wait(ctx, time.Until(over)); err != nil {
		return err
	}
	n, err := m.pass(ctx, true)
	if m.moved.Rows += n; err != nil || m.check == nil {
		return err
	}
	return m.check(ctx, to)
}

// clear removes what the other shard has, when nobody reads there any more.
func (m *move) clear(ctx context.Context, p Place) error {
	other, ok := m.s.shards[p.Other].(mover)
	if !ok {
		return fmt.Errorf("shardstore: removing a workspace from a %T: %w", m.s.shards[p.Other],
			errors.ErrUnsupported)
	}
	if err := wait(ctx, m.s.places.lease*3/2); err != nil {
		return err
	}
	for {
		n, err := other.RemoveWorkspace(ctx, m.workspace, 0)
		if err != nil {
			return err
		}
		if n == 0 {
			return m.step(ctx, p, Place{Shard: p.Shard})
		}
	}
}
