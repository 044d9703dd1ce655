package shardstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

// LockingShard is a shard that can lock and keeps rollups: a database. sqlstore is such.
type LockingShard interface {
	Shard
	convo.Locker
	convo.DueLocker
	Rollup(ctx context.Context, limit int) (n int, more bool, err error)
	RollupBacklog(ctx context.Context) (int, error)
	RebuildRollups(ctx context.Context, workspace string) error
	CheckRollups(ctx context.Context, workspace string) (differences []string, err error)
}

// LockingStore is a Store over databases, and all else that a [LockingShard] is. Use NewLocking.
type LockingStore struct {
	*Store
	locking map[string]LockingShard
}

var _ LockingShard = (*LockingStore)(nil)

// NewLocking is [New] over databases.
func NewLocking[S LockingShard](
	directory Directory, shards map[string]S, opts ...Option,
) (*LockingStore, error) {
	s, err := New(directory, shards, opts...)
	if err != nil {
		return nil, err
	}
	l := &LockingStore{s, map[string]LockingShard{}}
	for name, shard := range shards {
		l.locking[name] = shard
	}
	return l, nil
}

// Only is [Store.Only].
func (s *LockingStore) Only(shard string) (*LockingStore, error) {
	return s.view(shard, s.locking[shard], false)
}

// In is [Store.In].
func (s *LockingStore) In(shard string, in LockingShard) (*LockingStore, error) {
	return s.view(shard, in, true)
}

func (s *LockingStore) view(shard string, in LockingShard, bound bool) (*LockingStore, error) {
	w, err := s.Store.view(shard, in, bound)
	if err != nil {
		return nil, err
	}
	return &LockingStore{w, map[string]LockingShard{shard: in}}, nil
}

// LockFirst implements convo.Locker: with a shard that has its writers wait for each other, the
// first attempt locks on all of them.
func (s *LockingStore) LockFirst() bool {
	return s.anyShard(func(shard LockingShard) bool { return shard.LockFirst() })
}

// IsLocked implements convo.Locker.
func (s *LockingStore) IsLocked(ctx context.Context) bool {
	return s.held(ctx) != nil ||
		s.anyShard(func(shard LockingShard) bool { return shard.IsLocked(ctx) })
}

func (s *LockingStore) anyShard(is func(LockingShard) bool) bool {
	for _, shard := range s.locking {
		if is(shard) {
			return true
		}
	}
	return false
}

// Locked implements convo.Locker. Under the context that f is given, workspaces on other shards are
// ErrOtherShard.
func (s *LockingStore) Locked(
	ctx context.Context, workspace string, f func(ctx context.Context) error,
) error {
	return s.writing(ctx, func(ctx context.Context) error {
		name, _, err := s.find(ctx, workspace)
		if err != nil {
			return err
		}
		if s.held(ctx) == nil {
			h := &held{[]string{name}, []string{workspace}}
			ctx = context.WithValue(ctx, heldKey{s.common}, h)
		}
		return s.locking[name].Locked(ctx, workspace, f)
	}, workspace)
}

// LockDue implements convo.DueLocker: it holds conversations on all the shards that they are on,
// each in a transaction of its own. When f succeeds, these are committed one after the other; when
// one of them cannot be, those before it stand, and LockDue returns its error. Tick finds that what
// was done is not due any more.
func (s *LockingStore) LockDue(
	ctx context.Context, before time.Time, due []convo.Ref,
	f func(ctx context.Context, held []convo.Snapshot) error,
) error {
	workspace := func(to *convo.Ref) string { return to.Workspace }
	return s.writing(ctx, func(ctx context.Context) error {
		return s.lockAll(ctx, before, due, workspace, f)
	}, workspacesOf(due, workspace)...)
}

func (s *LockingStore) lockAll(
	ctx context.Context, before time.Time, due []convo.Ref, workspace func(*convo.Ref) string,
	f func(ctx context.Context, held []convo.Snapshot) error,
) error {
	by, err := groups(ctx, s.Store, due, workspace)
	if err != nil {
		return err
	}
	// all take them in the same order
	h := &held{slices.Sorted(maps.Keys(by)), workspacesOf(due, workspace)}
	return s.lockDue(context.WithValue(ctx, heldKey{s.common}, h), h.names, before, by, nil, f)
}

// lockDue holds what is due on the shards of names, one within the other, and calls f with all of
// it and with what is held already.
func (s *LockingStore) lockDue(
	ctx context.Context, names []string, before time.Time, due map[string][]convo.Ref,
	already []convo.Snapshot, f func(context.Context, []convo.Snapshot) error,
) error {
	if len(names) == 0 {
		if len(already) == 0 {
			return nil
		}
		return f(ctx, already)
	}
	taken := false
	err := s.locking[names[0]].LockDue(ctx, before, due[names[0]],
		func(ctx context.Context, some []convo.Snapshot) error {
			taken = true
			return s.lockDue(ctx, names[1:], before, due, slices.Concat(already, some), f)
		})
	if err != nil || taken {
		return err
	}
	return s.lockDue(ctx, names[1:], before, due, already, f)
}

// Rollup adds events to the rollups of one shard after the other, each time of another one first,
// up to limit conversations (0: a default for each shard), as sqlstore does. It leaves workspaces
// alone that are being moved, until they are where they go.
func (s *LockingStore) Rollup(ctx context.Context, limit int) (n int, more bool, err error) {
	err = s.inTurn(ctx, func(name string, _ Shard) (bool, error) {
		left := limit
		if limit > 0 {
			left -= n
		}
		did, rest, err := s.locking[name].Rollup(s.guarded(ctx, name), left)
		n, more = n+did, more || rest
		return limit > 0 && n >= limit, err
	})
	return n, more, err
}

// RollupBacklog counts the conversations, of all workspaces, that have events which are in no
// rollup yet, as far as each shard does.
func (s *LockingStore) RollupBacklog(ctx context.Context) (n int, err error) {
	answers, err := ask(ctx, s.Store, func(name string, _ Shard) (int, error) {
		return s.locking[name].RollupBacklog(ctx)
	})
	for _, waiting := range answers {
		n += waiting
	}
	return n, err
}

// RebuildRollups empties the rollups of a workspace, so that Rollup makes them anew. While the
// workspace is moved, it is refused with ErrMoving.
func (s *LockingStore) RebuildRollups(ctx context.Context, workspace string) error {
	return s.keeping(ctx, func(ctx context.Context) error {
		name, _, err := s.find(ctx, workspace)
		if err != nil {
			return err
		}
		return s.locking[name].RebuildRollups(ctx, workspace)
	}, workspace)
}

// CheckRollups compares the rollups of a workspace with its events.
func (s *LockingStore) CheckRollups(ctx context.Context, workspace string) ([]string, error) {
	name, _, err := s.find(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return s.locking[name].CheckRollups(ctx, workspace)
}
