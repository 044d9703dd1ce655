package convo_test

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// optimistic is a store with a lock that is asked for after a conflict, as those of the servers
// are. It counts.
type optimistic struct {
	convo.Store
	loads, commits, spared, lost, locks atomic.Int64
	first                               bool
	before                              func() error // is called before a commit, once
}

func (s *optimistic) LockFirst() bool { return s.first }

func (s *optimistic) IsLocked(_ context.Context) bool { return false }

func (s *optimistic) Locked(
	ctx context.Context, _ string, f func(ctx context.Context) error,
) error {
	s.locks.Add(1)
	return f(ctx)
}

func (s *optimistic) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	s.loads.Add(1)
	return s.Store.Load(ctx, to)
}

func (s *optimistic) Commit(ctx context.Context, changes ...convo.Change) error {
	s.commits.Add(1)
	if f := s.before; f != nil {
		s.before = nil
		if err := f(); err != nil {
			return err
		}
	}
	err := s.Store.Commit(ctx, changes...)
	if changes[0].Contact.Action == convo.RowCompared {
		if s.spared.Add(1); err != nil {
			s.lost.Add(1)
		}
	}
	return err
}

// keptWorld is two engines on a store, with a clock and ids that do not depend on the machine.
type keptWorld struct {
	t      *testing.T
	store  *optimistic
	now    time.Time
	ids    uint32
	here   *convo.Engine // keeps snapshots, or not
	others *convo.Engine // in another process
}

func newKeptWorld(t *testing.T, n int, opts ...convo.Option) *keptWorld {
	t.Helper()
	w := &keptWorld{t: t, store: &optimistic{Store: memstore.New()}, now: morning}
	opts = append(opts, convo.WithClock(w), convo.WithIDs(func() uuid.UUID {
		w.ids++
		id := uuid.UUID{6: 0x70, 8: 0x80}
		binary.BigEndian.PutUint32(id[:], w.ids)
		return id
	}))
	w.others = newOn(t, w.store, append(opts, convo.WithKept(0))...)
	w.here = newOn(t, w.store, append(opts, convo.WithKept(n))...)
	return w
}

func (w *keptWorld) Now() time.Time { return w.now }

func (w *keptWorld) do(e *convo.Engine, to convo.Ref, cmds ...convo.Command) convo.Result {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	r, err := e.Do(w.t.Context(), to, cmds...)
	require.NoError(w.t, err)
	return r
}

// trips is how often f loads and commits.
func (w *keptWorld) trips(f func()) (loads, commits int64) {
	loads, commits = w.store.loads.Load(), w.store.commits.Load()
	f()
	return w.store.loads.Load() - loads, w.store.commits.Load() - commits
}

var (
	hello   = convo.Receive{Body: "hello", Channel: "chat"}
	answer  = convo.Send{By: agentAna, Body: "an answer"}
	closing = convo.Close{By: agentAna, Category: "Sales", Summary: "sold"}
)

func TestTheNextCallNeedsNoLoad(t *testing.T) {
	susan, phone := toContact("susan"), convo.ToAddress(tenant, "sms", "+49")
	both := phone
	both.Contact = "riya"
	twice := func(c convo.Command) []convo.Command { return []convo.Command{c, c} }
	for name, row := range map[string]struct {
		to    convo.Ref
		first []convo.Command
		calls [][]convo.Command
		loads int64
	}{
		"messages": {susan, []convo.Command{hello}, [][]convo.Command{
			{answer}, {hello}, {convo.Note{By: agentAna, Body: "x"}}, twice(answer),
			{convo.Receive{Quiet: true, Body: "away"}},
			{convo.Receive{ExternalID: "1", Channel: "chat", Body: "hi"}},
			{convo.Send{Key: "k", By: agentAna, Body: "hi"}},
		}, 0},
		"by an address": {
			phone, []convo.Command{hello}, [][]convo.Command{{hello}, {answer}}, 0,
		},
		"by a contact and its address": {
			both, []convo.Command{hello}, [][]convo.Command{{hello}, {answer}}, 0,
		},
		"in a lane": {
			susan.In("orders"), []convo.Command{hello}, [][]convo.Command{{hello}, {answer}}, 0,
		},
		"that nobody of the contact has written to": {susan, []convo.Command{convo.Open{By: agentAna}},
			[][]convo.Command{{answer}, {answer}}, 0},
		"a closing": {susan, []convo.Command{hello}, [][]convo.Command{{closing}}, 0},
		"a closing behind an answer": {susan, []convo.Command{hello}, [][]convo.Command{
			{convo.Assign{By: agentAna, Assignee: "ana"}, answer, closing}}, 0},
		"after a call that must load": {susan, []convo.Command{hello}, [][]convo.Command{
			{convo.Assign{By: agentAna, Assignee: "ana"}}, {answer},
			{convo.Block{By: agentAna}}, {convo.Unblock{By: agentAna}}, {answer},
			{convo.SetProfile{By: agentAna, Name: new("Susan")}}, {answer}}, 3},
		"not a note to a closed one": {susan, []convo.Command{hello, closing},
			[][]convo.Command{{convo.Note{By: agentAna, Body: "x"}}}, 1},
		"not of a closed one": {susan, []convo.Command{hello, closing}, [][]convo.Command{{hello}}, 1},
		"with a timer": {susan, []convo.Command{hello, convo.SetPending{By: agentAna,
			Until: morning.Add(24 * time.Hour)}},
			[][]convo.Command{{answer}, {answer}, {closing}}, 0},
		"what changes the conversation": {susan, []convo.Command{hello}, [][]convo.Command{
			{convo.Assign{By: agentAna, Assignee: "ana"}}, {convo.SetPending{By: agentAna}},
			{hello}, {convo.Prioritize{By: agentAna, Priority: convo.PriorityHigh}},
			{convo.Label{By: agentAna, Add: []string{"vip"}}, answer},
			{convo.Describe{By: agentAna, Subject: new("a subject")}}, {closing}}, 0},
		"not what opens another one": {susan, []convo.Command{hello},
			[][]convo.Command{{closing, hello, closing}}, 1},
		"not what reopens": {susan, []convo.Command{hello},
			[][]convo.Command{{closing, convo.Reopen{By: agentAna}, closing}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t, 10)
			w.do(w.here, row.to, row.first...)
			loads, commits := w.trips(func() {
				for _, cmds := range row.calls {
					w.do(w.here, row.to, cmds...)
				}
			})
			assert.Equal(t, row.loads, loads)
			assert.EqualValues(t, len(row.calls), commits)
			dumpOf(t, w.store, tenant).verify(t)
		})
	}
}

// Who writes in has an address, who answers has the conversation.
func TestAllThatLeadsToAConversationNeedsNoLoad(t *testing.T) {
	w := newKeptWorld(t, 10)
	phone := convo.ToAddress(tenant, "sms", "+49")
	r := w.do(w.here, phone, hello)
	refs := []convo.Ref{
		phone, convo.ToContact(tenant, r.Contact.ID),
		convo.ToConversation(tenant, r.Conversation.ID),
		{Workspace: tenant, Contact: r.Contact.ID, Address: phone.Address},
	}
	for _, to := range refs {
		w.do(w.here, to, answer)
	}
	loads, _ := w.trips(func() {
		for range 3 {
			for _, to := range refs {
				w.do(w.here, to, answer)
			}
		}
	})
	assert.Zero(t, loads)
	w.do(w.here, refs[1], convo.SetProfile{By: agentAna, Name: new("Susan")})
	loads, _ = w.trips(func() {
		for range 3 {
			for _, to := range refs {
				w.do(w.here, to, answer)
			}
		}
	})
	assert.EqualValues(t, 2, loads, "the contact has changed: where its addresses lead is asked")
}

// What another call keeps while this one is under way is not taken by its next try.
func TestOnlyTheFirstTryIsOnWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newKeptWorld(t, 10)
		w.do(w.here, bySusan, hello)
		tries := 0
		loads, _ := w.trips(func() {
			r, err := w.here.DoFunc(t.Context(), bySusan, "",
				func(convo.Snapshot) ([]convo.Command, error) {
					if tries++; tries < 3 { // it goes on without its turn after a while
						w.do(w.here, bySusan, hello)
					}
					return []convo.Command{answer}, nil
				})
			require.NoError(t, err)
			assert.EqualValues(t, 5, r.Conversation.Version)
		})
		assert.EqualValues(t, 3, loads, "the first of the others', and the second and third try's")
	})
}

func TestAConflictOnWhatIsKeptIsNoTry(t *testing.T) {
	w := newKeptWorld(t, 10, convo.WithRetries(0))
	w.do(w.here, bySusan, hello)
	w.do(w.others, bySusan, hello)
	loads, commits := w.trips(func() { w.do(w.here, bySusan, answer) })
	assert.EqualValues(t, 1, loads)
	assert.EqualValues(t, 2, commits)
}

// What came of a commit may be unknown; then it is asked of the store.
func TestAfterAnErrorItIsLoaded(t *testing.T) {
	for _, broken := range []error{convo.ErrCommitUnknown, errors.New("broken")} {
		w := newKeptWorld(t, 10)
		w.do(w.here, bySusan, hello)
		w.store.before = func() error { return broken }
		_, err := w.here.Do(t.Context(), bySusan, answer)
		require.ErrorIs(t, err, broken)
		loads, commits := w.trips(func() { w.do(w.here, bySusan, answer) })
		assert.EqualValues(t, 1, loads)
		assert.EqualValues(t, 1, commits)
	}
}

func TestNothingIsKeptInATransaction(t *testing.T) {
	w := newKeptWorld(t, 10)
	w.do(w.here, bySusan, hello)
	within := w.here.With(w.store)
	loads, _ := w.trips(func() {
		w.do(within, bySusan, answer)
		w.do(within, bySusan, answer)
	})
	assert.EqualValues(t, 2, loads)
	loads, commits := w.trips(func() { w.do(w.here, bySusan, answer) })
	assert.EqualValues(t, 1, loads, "what is kept is of before the transaction")
	assert.EqualValues(t, 2, commits)
}

// The lock is asked for only when what is kept does not do.
func TestWhatIsKeptNeedsNoLockWhereWritersTakeTurns(t *testing.T) {
	s := &optimistic{Store: memstore.New(), first: true}
	e := newOn(t, s)
	for range 3 {
		_, err := e.Do(t.Context(), bySusan, hello)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, s.loads.Load())
	assert.EqualValues(t, 1, s.locks.Load())
	assert.EqualValues(t, 2, s.spared.Load())
	_, err := newOn(t, s).Do(t.Context(), bySusan, answer) // by another process
	require.NoError(t, err)
	r, err := e.Do(t.Context(), bySusan, hello)
	require.NoError(t, err)
	assert.EqualValues(t, 5, r.Conversation.Version-1, "nothing is lost, nothing doubled")
	assert.EqualValues(t, 3, s.locks.Load(), "after it was lost, under the lock")
}

func TestAConversationWithDeadlinesNeedsNoLoad(t *testing.T) {
	var p convo.Policy
	w := newKeptWorld(t, 10, convo.WithPolicies(
		func(context.Context, convo.Scope) (*convo.Policy, error) { q := p; return &q, nil }))
	w.do(w.here, bySusan, hello)
	p.AutoClose.After = convo.Duration(time.Hour)
	for range 3 {
		loads, commits := w.trips(func() { w.do(w.here, bySusan, answer) })
		assert.Zero(t, loads)
		assert.EqualValues(t, 1, commits)
	}
	c, err := w.here.Active(t.Context(), bySusan)
	require.NoError(t, err)
	assert.False(t, c.DueAt.IsZero(), "the first one arms it")
	dumpOf(t, w.store, tenant).verify(t)
}

// What timers change has no version: when they are looked at next, and by which rules.
func TestWhatTimersHaveChangedIsNoticed(t *testing.T) {
	rule := func(name string, since convo.Since, after time.Duration) convo.Deadline {
		return convo.Deadline{Name: name, Since: since, After: convo.Duration(after)}
	}
	waits := rule("waits", convo.SinceContactWaiting, time.Hour)
	rearm := func(deadlines ...convo.Deadline) func(*testing.T, *keptWorld) {
		return func(t *testing.T, w *keptWorld) {
			e := newOn(t, w.store, convo.WithClock(w),
				convo.WithPolicy(convo.Policy{Deadlines: deadlines}))
			armed, err := e.Rearm(t.Context(), tenant)
			require.NoError(t, err)
			require.Equal(t, 1, armed)
		}
	}
	for name, row := range map[string]struct {
		rules []convo.Deadline
		does  func(t *testing.T, w *keptWorld)
	}{
		"armed": {nil, rearm(rule("idle", convo.SinceAnyEvent, time.Hour))},
		"put off by a Tick": {[]convo.Deadline{waits}, func(t *testing.T, w *keptWorld) {
			w.now = w.now.Add(time.Hour)
			n, err := w.others.Tick(t.Context(), 0)
			require.NoError(t, err)
			require.Zero(t, n)
		}},
		"a rule more, which is due later": {[]convo.Deadline{waits},
			rearm(waits, rule("idle", convo.SinceAnyEvent, 2*time.Hour))},
		"no rules": {[]convo.Deadline{waits}, rearm()},
	} {
		for _, cmds := range [][]convo.Command{
			{answer}, {hello}, {convo.Assign{By: agentAna, Assignee: "ana"}}, {closing},
			{convo.Label{By: agentAna, Add: []string{"vip"}}},
		} {
			t.Run(name, func(t *testing.T) {
				told := func(n int) (convo.Result, dump) {
					w := newKeptWorld(t, n,
						convo.WithPolicy(convo.Policy{Deadlines: row.rules}))
					w.do(w.here, bySusan, hello)
					w.do(w.here, bySusan, answer)
					row.does(t, w)
					loads, _ := w.trips(func() { w.do(w.here, bySusan, cmds...) })
					assert.EqualValues(t, 1, loads)
					r, err := w.others.Do(t.Context(), bySusan,
						convo.Note{By: agentBen, Body: "x"})
					require.NoError(t, err)
					return r, dumpOf(t, w.store, tenant)
				}
				result, has := told(0)
				r, d := told(10)
				assert.Equal(t, result, r)
				assert.Equal(t, has, d)
			})
		}
	}
}

func TestHowManyAreKeptIsNotNegative(t *testing.T) {
	_, err := convo.New(memstore.New(), convo.WithKept(-1))
	require.ErrorIs(t, err, convo.ErrInvalid)
}

// Whose next call never comes pays nothing for what is kept.
func TestALonelyCallTakesNoMoreMemory(t *testing.T) {
	measure := func(n int) (allocations, bytes float64) {
		w := newKeptWorld(t, n)
		calls, i := make([]convo.Ref, 2200), 0
		for i := range calls {
			calls[i] = toContact(strconv.Itoa(i))
		}
		call := func() {
			_, err := w.here.Do(t.Context(), calls[i], hello)
			require.NoError(t, err)
			i++
		}
		for range 99 {
			call()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		allocations = testing.AllocsPerRun(2000, call)
		runtime.ReadMemStats(&after)
		return allocations, float64(after.TotalAlloc-before.TotalAlloc) / 2001
	}
	// when the maps of a store grow depends on their seeds: the least of three says what a call takes
	least := func(n int) (allocations, bytes float64) {
		allocations, bytes = measure(n)
		for range 2 {
			a, b := measure(n)
			allocations, bytes = min(allocations, a), min(bytes, b)
		}
		return allocations, bytes
	}
	without, bytes := least(0)
	with, more := least(50)
	assert.Equal(t, without, with)
	t.Logf("%.0f and %.0f bytes", bytes, more)
	assert.InEpsilon(t, bytes, more, 0.05, "what maps take now and then")
}

// Where the calls for a contact come to any of several processes, others have been there mostly.
// Then it is loaded, at once, and it is noticed when that changes.
func TestWhereOthersHaveBeenItIsLoaded(t *testing.T) {
	w := newKeptWorld(t, 10)
	w.do(w.here, bySusan, hello)
	inTurn := func() {
		w.do(w.others, bySusan, hello)
		w.do(w.here, bySusan, answer)
	}
	for range 50 {
		inTurn()
	}
	loads, commits := w.trips(inTurn)
	assert.EqualValues(t, 2, loads)
	assert.EqualValues(t, 2, commits)
	for range 150 {
		w.do(w.here, bySusan, hello)
	}
	loads, commits = w.trips(func() { w.do(w.here, bySusan, answer) })
	assert.Zero(t, loads)
	assert.EqualValues(t, 1, commits)
}
