package convo_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// lockingStore is a Locker that counts, and can fail at its own commit.
type lockingStore struct {
	convo.Store
	conflicts int // commits outside of Locked that meet a conflict
	locked    int
	first     bool
	inside    bool
	discards  bool
	before    func()  // is called before f
	fails     []error // of Locked, after f
}

func (s *lockingStore) LockFirst() bool { return s.first }

func (s *lockingStore) IsLocked(_ context.Context) bool { return false }

func (s *lockingStore) Commit(ctx context.Context, changes ...convo.Change) error {
	if s.discards { // what a transaction looks like from within that is rolled back at its end
		return nil
	}
	if s.conflicts > 0 && !s.inside {
		s.conflicts--
		return convo.ErrConflict
	}
	return s.Store.Commit(ctx, changes...)
}

func (s *lockingStore) Locked(
	ctx context.Context, _ string, f func(context.Context) error,
) error {
	s.locked++
	if s.before != nil {
		s.before()
	}
	s.inside = true
	defer func() { s.inside, s.discards = false, false }()
	if len(s.fails) == 0 {
		return f(ctx)
	}
	err := s.fails[0]
	s.fails = s.fails[1:]
	s.discards = true
	if ferr := f(ctx); ferr != nil {
		return ferr
	}
	return err
}

func TestACallAsksForTheLockAfterTheFirstConflictAndNotBefore(t *testing.T) {
	s := &lockingStore{Store: memstore.New()}
	e, err := convo.New(s, convo.WithKept(0))
	require.NoError(t, err)
	do := func() error {
		_, err := e.Do(t.Context(), toContact("susan"), convo.Receive{Body: "hi"})
		return err
	}
	require.NoError(t, do())
	assert.Zero(t, s.locked)

	s.conflicts = 1
	require.NoError(t, do())
	assert.Equal(t, 1, s.locked)

	// also what comes at the lock's own commit
	s.conflicts, s.fails = 1, []error{convo.ErrConflict, convo.ErrConflict}
	require.NoError(t, do())
	assert.Equal(t, 4, s.locked)

	s.conflicts, s.fails = 1, []error{convo.ErrCommitUnknown}
	require.ErrorIs(t, do(), convo.ErrCommitUnknown)

	broken := errors.New("broken")
	s.conflicts, s.fails = 1, []error{broken}
	require.ErrorIs(t, do(), broken)

	c, err := e.Active(t.Context(), toContact("susan"))
	require.NoError(t, err)
	assert.Equal(t, 3, c.Cycle.Incoming, "what failed is not there, what succeeded is there once")
}

func TestAMergeAsksForTheLockToo(t *testing.T) {
	s := &lockingStore{Store: memstore.New()}
	e, err := convo.New(s)
	require.NoError(t, err)
	for _, id := range []string{"ann", "bea"} {
		_, err := e.Do(t.Context(), toContact(id), convo.Receive{Body: "hi"})
		require.NoError(t, err)
	}
	s.conflicts = 1
	r, err := e.Merge(t.Context(), convo.Merge{Workspace: tenant, Primary: "bea", Secondary: "ann",
		By: agentAna})
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeMerged, r.Outcome)
	assert.Equal(t, 1, s.locked)
}

func TestWithoutRetriesThereIsNoLock(t *testing.T) {
	s := &lockingStore{Store: memstore.New(), conflicts: 1}
	e, err := convo.New(s, convo.WithRetries(0))
	require.NoError(t, err)
	_, err = e.Do(t.Context(), toContact("susan"), convo.Receive{Body: "hi"})
	require.ErrorIs(t, err, convo.ErrConflict)
	assert.Zero(t, s.locked)
}

func TestACallBeginsUnderTheLockWhereThatCostsNothing(t *testing.T) {
	s := &lockingStore{Store: memstore.New(), first: true}
	e, err := convo.New(s)
	require.NoError(t, err)
	_, err = e.Do(t.Context(), toContact("susan"), convo.Receive{Body: "hi"})
	require.NoError(t, err)
	assert.Equal(t, 1, s.locked)
}

func TestThePolicyIsNeverLookedUpUnderTheLock(t *testing.T) {
	for _, first := range []bool{false, true} {
		s := &lockingStore{Store: memstore.New(), first: first}
		looked := map[string]int{}
		e, err := convo.New(s, convo.WithPolicies(func(_ context.Context, of convo.Scope) (
			*convo.Policy, error,
		) {
			assert.False(t, s.inside, of.Channel)
			looked[of.Channel]++
			return nil, nil
		}))
		require.NoError(t, err)
		other, err := convo.New(s.Store)
		require.NoError(t, err)
		_, err = e.Do(t.Context(), toContact("susan"), convo.Receive{Channel: "sms", Body: "hi"},
			convo.Close{By: agentAna})
		require.NoError(t, err)
		assert.Zero(t, s.locked)
		s.conflicts = 1
		// the conversation is another one by now, on another channel, and so is its policy
		s.before = func() {
			s.before = nil
			_, err := other.Do(t.Context(), toContact("susan"),
				convo.Receive{Channel: "mail", Body: "hi"})
			require.NoError(t, err)
			s.conflicts = 1
		}
		_, err = e.Do(t.Context(), toContact("susan"), convo.Receive{Channel: "sms", Body: "hi"})
		require.NoError(t, err)
		assert.Equal(t, 2, s.locked)
		assert.Equal(t, map[string]int{"sms": 2, "mail": 1}, looked)
	}
}
