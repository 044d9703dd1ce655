package shardstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// What names a workspace, and goes to its shard.

// Load implements convo.Store.
func (s *Store) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	shard, err := s.on(ctx, to.Workspace)
	if err != nil {
		return convo.Snapshot{}, err
	}
	return shard.Load(ctx, to)
}

// Snapshots implements convo.Store.
func (s *Store) Snapshots(ctx context.Context, to []convo.Ref) ([]convo.Snapshot, error) {
	by, err := groups(ctx, s, to, func(to *convo.Ref) string { return to.Workspace })
	if err != nil {
		return nil, err
	}
	if len(by) > 1 {
		return nil, &Error{Workspace: to[len(to)-1].Workspace, Err: ErrOtherShard}
	}
	for name := range by {
		return s.shards[name].Snapshots(ctx, to)
	}
	return nil, nil
}

// Commit implements convo.Store. Changes of workspaces on several shards are ErrOtherShard, but
// under a lock on all of them. An erasure is ErrMoving while its workspace is moved.
func (s *Store) Commit(ctx context.Context, changes ...convo.Change) error {
	if err := ctx.Err(); err != nil || len(changes) == 0 {
		return err
	}
	first := changes[0].Contact.Workspace
	for i := range changes[1:] {
		if changes[i+1].Contact.Workspace != first {
			return s.writing(ctx, func(ctx context.Context) error {
				return s.commitMany(ctx, changes)
			}, workspacesOf(changes, changedIn)...)
		}
	}
	write := s.writing
	if slices.ContainsFunc(changes, func(ch convo.Change) bool { return ch.Erase != nil }) {
		write = s.erasing
	}
	return write(ctx, func(ctx context.Context) error {
		shard, err := s.on(ctx, first)
		if err != nil {
			return err
		}
		return shard.Commit(ctx, changes...)
	}, first)
}

// erasing is keeping of what is no housekeeping, and told so: trying again at once is no use.
func (s *Store) erasing(
	ctx context.Context, f func(ctx context.Context) error, workspaces ...string,
) error {
	err := s.keeping(ctx, f, workspaces[0])
	if errors.Is(err, errRests) {
		err = &Error{workspaces[0], "", ErrMoving}
	}
	return err
}

func changedIn(ch *convo.Change) string { return ch.Contact.Workspace }

// commitMany is Commit of changes in several workspaces.
func (s *Store) commitMany(ctx context.Context, changes []convo.Change) error {
	by, err := groups(ctx, s, changes, changedIn)
	if err != nil {
		return err
	}
	if len(by) > 1 && s.held(ctx) == nil {
		return &Error{Workspace: changes[len(changes)-1].Contact.Workspace, Err: ErrOtherShard}
	}
	for _, name := range s.names { // those that are locked first come first: see LockDue
		if some := by[name]; len(some) > 0 {
			if err := s.shards[name].Commit(ctx, some...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Conversation implements convo.Store.
func (s *Store) Conversation(
	ctx context.Context, workspace string, id uuid.UUID,
) (convo.Conversation, error) {
	return answerOf(ctx, s, workspace, func(on Shard) (convo.Conversation, error) {
		return on.Conversation(ctx, workspace, id)
	})
}

// Conversations implements convo.Store.
func (s *Store) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error) {
	return answerOf(ctx, s, f.Workspace, func(on Shard) ([]convo.Conversation, error) {
		return on.Conversations(ctx, f)
	})
}

// Counts implements convo.Store.
func (s *Store) Counts(ctx context.Context, workspace string) ([]convo.Count, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Count, error) {
		return on.Counts(ctx, workspace)
	})
}

// LastMessages implements convo.Store.
func (s *Store) LastMessages(
	ctx context.Context, workspace string, ids []uuid.UUID,
) ([]convo.Event, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Event, error) {
		return on.LastMessages(ctx, workspace, ids)
	})
}

// Events implements convo.Store.
func (s *Store) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	return answerOf(ctx, s, f.Workspace, func(on Shard) ([]convo.Event, error) {
		return on.Events(ctx, f)
	})
}

// ClosedCycles implements convo.Store.
func (s *Store) ClosedCycles(
	ctx context.Context, workspace string, id uuid.UUID,
) ([]convo.Cycle, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Cycle, error) {
		return on.ClosedCycles(ctx, workspace, id)
	})
}

// Event implements convo.Store.
func (s *Store) Event(
	ctx context.Context, workspace, contact string, id uuid.UUID,
) (convo.Event, bool, error) {
	shard, err := s.on(ctx, workspace)
	if err != nil {
		return convo.Event{}, false, err
	}
	return shard.Event(ctx, workspace, contact, id)
}

// Deliver implements convo.Store.
func (s *Store) Deliver(
	ctx context.Context, workspace string, now time.Time, ds []convo.Delivery,
) (unknown int, err error) {
	err = s.writing(ctx, func(ctx context.Context) error {
		shard, err := s.on(ctx, workspace)
		if err == nil {
			unknown, err = shard.Deliver(ctx, workspace, now, ds)
		}
		return err
	}, workspace)
	return unknown, err
}

// Deliveries implements convo.Store.
func (s *Store) Deliveries(
	ctx context.Context, workspace string, ids []convo.KeyID,
) ([]convo.Delivery, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Delivery, error) {
		return on.Deliveries(ctx, workspace, ids)
	})
}

// RemoveConversation implements convo.Store. While the workspace is moved, it is refused with an
// error that is ErrMoving and convo.ErrConflict: Prune holds the conversation back.
func (s *Store) RemoveConversation(
	ctx context.Context, workspace string, id uuid.UUID, version int64,
) error {
	return s.keeping(ctx, func(ctx context.Context) error {
		shard, err := s.on(ctx, workspace)
		if err != nil {
			return err
		}
		return shard.RemoveConversation(ctx, workspace, id, version)
	}, workspace)
}

// Contacts implements convo.Store.
func (s *Store) Contacts(ctx context.Context, f convo.ContactFilter) ([]convo.Contact, error) {
	return answerOf(ctx, s, f.Workspace, func(on Shard) ([]convo.Contact, error) {
		return on.Contacts(ctx, f)
	})
}

// Family implements convo.Store.
func (s *Store) Family(ctx context.Context, workspace, root string) ([]convo.Contact, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Contact, error) {
		return on.Family(ctx, workspace, root)
	})
}

// Mentions implements convo.Store.
func (s *Store) Mentions(
	ctx context.Context, workspace string, contacts ...string,
) ([]uuid.UUID, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]uuid.UUID, error) {
		return on.Mentions(ctx, workspace, contacts...)
	})
}

// Keys implements convo.Store.
func (s *Store) Keys(
	ctx context.Context, workspace string, ids ...convo.KeyID,
) ([]convo.Key, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Key, error) {
		return on.Keys(ctx, workspace, ids...)
	})
}

// Addresses implements convo.Store.
func (s *Store) Addresses(ctx context.Context, workspace, contact string) ([]convo.Address, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Address, error) {
		return on.Addresses(ctx, workspace, contact)
	})
}

// AddressesByIdentity implements convo.IdentityIndex.
func (s *Store) AddressesByIdentity(
	ctx context.Context, workspace, identity string, after convo.Address, limit int,
) ([]convo.Suggestion, error) {
	return answerOf(ctx, s, workspace, func(on Shard) ([]convo.Suggestion, error) {
		return on.AddressesByIdentity(ctx, workspace, identity, after, limit)
	})
}
