package shardstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
)

// Shard is what a [Store] is made of. memstore and sqlstore are such.
type Shard interface {
	convo.IdentityIndex
	relay.Store
	relay.FeedStore
	report.Store
}

// Store is a convo.Store, and all else that a [Shard] is, over several shards. Use New. It is safe
// for concurrent use.
//
// What names a workspace goes to the shard of that. What asks for all workspaces asks all shards,
// side by side, and merges what they answer in the order and within the limit that was asked for;
// rows of a workspace that the directory has elsewhere are left out. Where one shard fails, so does
// such a call: see [Store.Only].
type Store struct {
	*common
	names  []string // of shards, ascending
	shards map[string]Shard
	bound  bool // to a transaction of the host, in which nothing is waited for
}

// common is what the views of a Store share.
type common struct {
	directory Directory
	known     map[string]bool // the names of all shards
	turn      atomic.Uint32   // at which shard one begins that asks them one after the other
	lease     time.Duration
	places    places
	moving    sync.Map // the workspaces that this process moves
}

var _ Shard = (*Store)(nil)

// New returns a Store over shards, by the names that the directory has for them. Each workspace
// must be on one shard, and each shard a store by itself, of which all processes think alike. It
// fails with a *convo.ValidationError. Over databases, take [NewLocking].
func New[S Shard](
	directory Directory, shards map[string]S, opts ...Option,
) (*Store, error) {
	if directory == nil {
		return nil, &convo.ValidationError{Field: "directory", Rule: "must not be nil"}
	}
	if len(shards) == 0 {
		return nil, &convo.ValidationError{Field: "shards", Rule: "must be at least one"}
	}
	s := &Store{
		common: &common{
			directory: directory, known: map[string]bool{}, lease: DefaultLease,
		},
		shards: map[string]Shard{},
	}
	for _, o := range opts {
		o(s.common)
	}
	if s.lease < minLease || s.lease > maxLease {
		return nil, &convo.ValidationError{
			Field: "lease", Rule: fmt.Sprintf("must be %s to %s", minLease, maxLease),
		}
	}
	if r, ok := directory.(Registry); ok {
		s.places.registry, s.places.lease, s.places.kept = r, s.lease, map[string]placed{}
		s.places.patience = defaultPatience
	}
	for name, shard := range shards {
		if name == "" {
			return nil, &convo.ValidationError{Field: "shards", Rule: "must have names"}
		}
		s.known[name], s.shards[name] = true, shard
	}
	s.names = slices.Sorted(maps.Keys(shards))
	return s, nil
}

// Place returns where a workspace is, and fails with an *Error when that is none of the shards.
func (s *Store) Place(ctx context.Context, workspace string) (Place, error) {
	if err := over(ctx); err != nil {
		return Place{}, err
	}
	p, err := s.place(ctx, workspace)
	if err == nil && !s.known[p.Shard] {
		err = &Error{workspace, p.Shard, ErrNoShard}
	}
	return p, err
}

// place is what the directory says, now or within the lease.
func (s *Store) place(ctx context.Context, workspace string) (Place, error) {
	if s.places.registry == nil {
		return s.directory.Place(ctx, workspace)
	}
	k, err := s.places.of(ctx, workspace)
	return k.Place, err
}

// Only is s for the workspaces of one shard: others are ErrOtherShard, and what asks for all asks
// only this one. A Runner for each shard, with an Engine and a Relay on Only, keeps the others at
// work while one is down. It fails with a *convo.ValidationError for a shard that s does not have.
func (s *Store) Only(shard string) (*Store, error) { return s.view(shard, s.shards[shard], false) }

// In is [Store.Only] with another store in the place of the shard: one that works in the host's
// own transaction in the same database.
//
//	place, err := store.Place(ctx, to.Workspace)
//	tx, err := databases[place.Shard].BeginTx(ctx, nil)
//	in, err := store.In(place.Shard, stores[place.Shard].WithTx(tx))
//	_, err = engine.With(in, policy).Do(ctx, to, cmds...)
//	err = tx.Commit()
//
// Where workspaces are moved, tx must be committed within half a lease of the call; one that meets
// a workspace whose writers are stopped fails with ErrMoving: roll tx back, and begin it again.
func (s *Store) In(shard string, in Shard) (*Store, error) { return s.view(shard, in, true) }

func (s *Store) view(shard string, in Shard, bound bool) (*Store, error) {
	if s.shards[shard] == nil {
		return nil, &convo.ValidationError{Field: "shard", Rule: "must be one of the store's"}
	}
	return &Store{s.common, []string{shard}, map[string]Shard{shard: in}, bound}, nil
}

// heldKey finds in a context the shards that a lock was taken on.
type heldKey struct{ of *common }

// held are the shards under the locks of which a function works, and the workspaces that these are
// of.
type held struct{ names, workspaces []string }

func (s *Store) held(ctx context.Context) *held {
	h, _ := ctx.Value(heldKey{s.common}).(*held)
	return h
}

// find returns the shard that a workspace is on, and its name.
func (s *Store) find(ctx context.Context, workspace string) (string, Shard, error) {
	p, err := s.Place(ctx, workspace)
	if err != nil {
		return "", nil, err
	}
	shard := s.shards[p.Shard]
	if h := s.held(ctx); shard == nil || h != nil && !slices.Contains(h.names, p.Shard) {
		return "", nil, &Error{workspace, p.Shard, ErrOtherShard}
	}
	return p.Shard, shard, nil
}

// on is the shard that a workspace is on.
func (s *Store) on(ctx context.Context, workspace string) (Shard, error) {
	_, shard, err := s.find(ctx, workspace)
	return shard, err
}

// answerOf calls f with the shard that a workspace is on.
func answerOf[T any](
	ctx context.Context, s *Store, workspace string, f func(Shard) (T, error),
) (answer T, err error) {
	shard, err := s.on(ctx, workspace)
	if err != nil {
		return answer, err
	}
	return f(shard)
}

// isAt reports whether a workspace is on a shard: rows of one that is elsewhere are not of this
// store. One whose writers are stopped has nothing that anybody could work on, either.
func (s *Store) isAt(ctx context.Context, name, workspace string) (bool, error) {
	p, err := s.place(ctx, workspace)
	if errors.Is(err, ErrNoShard) {
		return false, nil
	}
	return p.Shard == name && p.Step != StepStop, err
}

// keptAt are those of rows whose workspace is on a shard.
func keptAt[T any](
	ctx context.Context, s *Store, name string, rows []T, workspace func(*T) string,
) (kept []T, err error) {
	at := map[string]bool{}
	for i := range rows {
		w := workspace(&rows[i])
		is, known := at[w]
		if !known {
			if is, err = s.isAt(ctx, name, w); err != nil {
				return nil, err
			}
			at[w] = is
		}
		if is {
			kept = append(kept, rows[i])
		}
	}
	return kept, nil
}

// ask asks all shards side by side, and returns what each has answered, by their order.
func ask[T any](
	ctx context.Context, s *Store, f func(name string, shard Shard) (T, error),
) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answers, errs := make([]T, len(s.names)), make([]error, len(s.names))
	var asked sync.WaitGroup
	for i, name := range s.names[1:] {
		asked.Go(func() { answers[i+1], errs[i+1] = f(name, s.shards[name]) })
	}
	answers[0], errs[0] = f(s.names[0], s.shards[s.names[0]])
	asked.Wait()
	return answers, errors.Join(errs...)
}

// inTurn calls f with one shard after the other until it says that it is done, each time with
// another one first, so that none has all the work done on it while others wait.
func (s *Store) inTurn(
	ctx context.Context, f func(name string, shard Shard) (done bool, err error),
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	first := int(s.turn.Add(1) % uint32(len(s.names))) //nolint:gosec // they are few
	for i := range s.names {
		name := s.names[(first+i)%len(s.names)]
		if done, err := f(name, s.shards[name]); err != nil || done {
			return err
		}
	}
	return nil
}

// groups are rows by the shard that their workspaces are on.
func groups[T any](
	ctx context.Context, s *Store, rows []T, workspace func(*T) string,
) (map[string][]T, error) {
	by := map[string][]T{}
	for i := range rows {
		name, _, err := s.find(ctx, workspace(&rows[i]))
		if err != nil {
			return nil, err
		}
		by[name] = append(by[name], rows[i])
	}
	return by, ctx.Err()
}
