package shardstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Directory says where workspaces are. [Rendezvous] is one that needs no memory; a host that wants
// to decide by itself keeps its own, and one that moves workspaces a [Registry]. It is safe for
// concurrent use.
type Directory interface {
	// Place returns where a workspace is, also one that nobody has written to yet. For one that is
	// nowhere it fails with an error that is [ErrNoShard]. One that is no Registry is asked at each
	// call, and once for each row where all shards are asked: it must be quick, and what it says of
	// a workspace must not change while the workspace has anything.
	Place(ctx context.Context, workspace string) (Place, error)
}

// Place is where a workspace is.
type Place struct {
	Shard string // the name of the shard that it is read and written on
	// Other is, while it is being moved, the shard that has a copy: one that is being made, or,
	// with StepClear, removed.
	Other string
	Step  Step // how far it has come; empty: it is not being moved
}

// The reasons why a call is refused before it reaches a shard, each in a *[Error].
var (
	// ErrNoShard says that the directory names no shard for the workspace, or one that the store
	// does not have.
	ErrNoShard = errors.New("the workspace is on no shard of this store: " +
		"enter it in the directory, or give the store the shard that the directory names")
	// ErrOtherShard says that the call is bound to one shard, by a lock or a transaction, or has
	// workspaces of several.
	ErrOtherShard = errors.New("the workspace is on another shard than the one that the call " +
		"works on: a lock or a transaction is of one shard, so give it workspaces of that one only")
	// ErrNotLocked says that a call under a lock writes to a workspace that the lock is not of.
	// With a [Registry] that is refused, for the lock waited for its own workspaces only.
	ErrNotLocked = errors.New("the call works under a lock of other workspaces: call it when the " +
		"lock is given back")
)

// Error says of which workspace a call was refused. Nothing was written.
type Error struct {
	Workspace string
	Shard     string // that the directory names; empty: none
	Err       error  // ErrNoShard, ErrOtherShard, ErrNotLocked, ErrMoving or ErrNotEmpty
}

func (e *Error) Error() string {
	return fmt.Sprintf("shardstore: workspace %q, shard %q: %v", e.Workspace, e.Shard, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Rendezvous is the Directory that gives each workspace to that one of shards, by their names,
// which has the highest weight for it: rendezvous hashing. Each shard gets about as many; with one
// more of them, about 1/n of the workspaces are elsewhere, all on the new one. The weights are the
// same in every process and every version of this package. Without shards, all workspaces are
// [ErrNoShard].
func Rendezvous(shards ...string) Directory {
	return rendezvous(slices.Clone(shards))
}

type rendezvous []string

func (r rendezvous) Place(_ context.Context, workspace string) (p Place, err error) {
	var highest uint64
	for _, name := range r {
		w := weight(name, workspace)
		if p.Shard == "" || w > highest || w == highest && name > p.Shard {
			p.Shard, highest = name, w
		}
	}
	if p.Shard == "" {
		err = &Error{Workspace: workspace, Err: ErrNoShard}
	}
	return p, err
}

// weight is FNV-1a of the shard, a zero and the workspace, with the last steps of MurmurHash3, for
// FNV alone leaves names that end alike too close to each other.
func weight(shard, workspace string) uint64 {
	h := fnv(fnv(14695981039346656037, shard)*fnvPrime, workspace)
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

const fnvPrime = 1099511628211

func fnv(h uint64, text string) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * fnvPrime
	}
	return h
}
