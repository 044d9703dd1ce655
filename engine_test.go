package convo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func newStore() convo.Store { return memstore.New() }

// desk is an engine on a store, with a clock that the test moves. When the test ends, it is
// verified that all that the store remembers is what its events say.
type desk struct {
	*convo.Engine
	t     testing.TB
	store convo.Store
	clock *clock.Mock
}

func openDesk(t testing.TB, opts ...convo.Option) *desk {
	return openDeskOn(t, newStore(), opts...)
}

// closesAfter is the policy that closes what waits for the contact this long.
func closesAfter(d time.Duration) convo.Option {
	return convo.WithPolicy(convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(d)}})
}

func openDeskOn(t testing.TB, s convo.Store, opts ...convo.Option) *desk {
	t.Helper()
	c := clock.NewMock()
	c.Set(morning)
	e, err := convo.New(s, append([]convo.Option{convo.WithClock(c)}, opts...)...)
	require.NoError(t, err)
	if shaky, ok := s.(*shakyStore); ok {
		s = shaky.Store
	}
	t.Cleanup(func() { dumpOf(t, s, tenant).verify(t) })
	return &desk{e, t, s, c}
}

func (d *desk) wait(by time.Duration) { d.clock.Add(by) }

func (d *desk) do(to convo.Ref, cmds ...convo.Command) convo.Result {
	d.t.Helper()
	r, err := d.Do(context.Background(), to, cmds...)
	require.NoError(d.t, err)
	return r
}

// refuses requires that cmds fail and that nothing is written.
func (d *desk) refuses(to convo.Ref, cmds ...convo.Command) error {
	d.t.Helper()
	before := dumpOf(d.t, d.store, tenant)
	r, err := d.Do(context.Background(), to, cmds...)
	require.Error(d.t, err)
	require.Equal(d.t, convo.Result{}, r)
	require.Equal(d.t, before, dumpOf(d.t, d.store, tenant), "a failure writes nothing")
	return err
}

func (d *desk) merge(primary, secondary string) convo.MergeResult {
	d.t.Helper()
	r, err := d.Merge(context.Background(), convo.Merge{Workspace: tenant, Primary: primary,
		Secondary: secondary, By: agentAna})
	require.NoError(d.t, err)
	return r
}

func (d *desk) refusesMerge(primary, secondary string) error {
	d.t.Helper()
	before := dumpOf(d.t, d.store, tenant)
	r, err := d.Merge(context.Background(), convo.Merge{Workspace: tenant, Primary: primary,
		Secondary: secondary, By: agentAna})
	require.Error(d.t, err)
	require.Equal(d.t, convo.MergeResult{}, r)
	require.Equal(d.t, before, dumpOf(d.t, d.store, tenant), "a failure writes nothing")
	return err
}

func (d *desk) tick() int {
	d.t.Helper()
	n, err := d.Tick(context.Background(), convo.MaxPageSize)
	require.NoError(d.t, err)
	return n
}

func (d *desk) get(id uuid.UUID) convo.Conversation {
	d.t.Helper()
	c, err := d.Conversation(context.Background(), convo.ToConversation(tenant, id))
	require.NoError(d.t, err)
	return c
}

// latest is the contact's latest conversation in no lane.
func (d *desk) latest(contact string) uuid.UUID {
	c, err := d.Conversation(d.t.Context(), toContact(contact))
	require.NoError(d.t, err)
	return c.ID
}

func (d *desk) contact(id string) convo.Contact {
	d.t.Helper()
	k, err := d.Contact(context.Background(), convo.ToContact(tenant, id))
	require.NoError(d.t, err)
	return k
}

func (d *desk) log(id uuid.UUID) []convo.Event {
	d.t.Helper()
	events, err := d.Transcript(context.Background(), convo.ToConversation(tenant, id),
		convo.EventCursor{}, convo.MaxPageSize)
	require.NoError(d.t, err)
	return events
}

func toContact(id string) convo.Ref             { return convo.ToContact(tenant, id) }
func toConversation(id uuid.UUID) convo.Ref     { return convo.ToConversation(tenant, id) }
func toAddress(channel, value string) convo.Ref { return convo.ToAddress(tenant, channel, value) }

// dump is all that a store shows of a workspace.
type dump struct {
	Conversations []convo.Conversation
	Logs          map[uuid.UUID][]convo.Event
	Contacts      map[string]convo.Contact // the root that each id leads to
	Addresses     map[string][]convo.Address
}

func dumpOf(t testing.TB, s convo.Store, workspace string) dump {
	t.Helper()
	ctx := context.Background()
	d := dump{Logs: map[uuid.UUID][]convo.Event{}, Contacts: map[string]convo.Contact{},
		Addresses: map[string][]convo.Address{}}
	for f := (convo.Filter{Workspace: workspace, Limit: convo.MaxPageSize}); ; {
		page, err := s.Conversations(ctx, f)
		require.NoError(t, err)
		d.Conversations = append(d.Conversations, page...)
		if len(page) < f.Limit {
			break
		}
		f.After = f.Cursor(page[len(page)-1])
	}
	for _, c := range d.Conversations {
		for f := (convo.EventFilter{Workspace: workspace, Conversation: c.ID,
			Limit: convo.MaxPageSize}); ; {
			page, err := s.Events(ctx, f)
			require.NoError(t, err)
			d.Logs[c.ID] = append(d.Logs[c.ID], page...)
			if len(page) < f.Limit {
				break
			}
			f.After = page[len(page)-1].Cursor()
		}
		for _, id := range []string{c.Contact, c.Origin} {
			if _, known := d.Contacts[id]; known {
				continue
			}
			thread, err := s.Load(ctx, convo.ToContact(workspace, id))
			require.NoError(t, err)
			d.Contacts[id] = thread.Contact
			if d.Addresses[id], err = s.Addresses(ctx, workspace, id); err == nil {
				slices.SortFunc(d.Addresses[id], func(a, b convo.Address) int {
					return strings.Compare(a.Channel+"\x00"+a.Value, b.Channel+"\x00"+b.Value)
				})
			}
			require.NoError(t, err)
		}
	}
	return d
}

// verify holds what must hold whatever was done.
func (d dump) verify(t testing.TB) {
	t.Helper()
	active := map[string]uuid.UUID{}
	ids := map[uuid.UUID]bool{uuid.Nil: true}
	for _, c := range d.Conversations {
		log := d.Logs[c.ID]
		require.Equal(t, int64(len(log)), c.Version, "the version is the number of events")
		var folded convo.Snapshot
		for i, e := range log {
			require.Equal(t, int64(i+1), e.Seq)
			require.False(t, ids[e.ID], "an event has an id of its own")
			ids[e.ID] = true
			if i > 0 {
				require.False(t, e.At.Before(log[i-1].At), "the log is in order of time")
			}
			folded = convo.Apply(folded, e)
		}
		want := folded.Conversation
		// The events of a conversation do not tell its timer, nor what happened to its contact
		// later.
		want.DueAt, want.Deadline, want.Contact = c.DueAt, c.Deadline, c.Contact
		want.Applied = c.Applied
		require.Equal(t, want, c, "the events give the state")
		checkMeasures(t, c)
		checkStatus(t, c)
		root := d.Contacts[c.Contact]
		require.Equal(t, c.Contact, root.ID, "a conversation belongs to a root")
		require.Equal(t, root, d.Contacts[c.Origin], "which its origin leads to")
		if c.Status.Active() {
			require.Equal(t, uuid.Nil, active[c.Contact],
				"a contact has at most one active conversation")
			active[c.Contact] = c.ID
		}
	}
}

// checkStatus holds that the fields of c agree with its status.
func checkStatus(t testing.TB, c convo.Conversation) {
	t.Helper()
	require.Empty(t, contradiction(&c), "%+v", c)
}

// contradiction is what contradicts the status of c; empty: nothing.
func contradiction(c *convo.Conversation) string {
	closed := c.Status == convo.StatusClosed
	switch {
	case !c.Status.Active() && !closed:
		return "no status"
	case c.StatusSince.Before(c.CreatedAt) || c.StatusSince.After(c.UpdatedAt):
		return "status since"
	case c.Status != convo.StatusPending && !c.PendingUntil.IsZero():
		return "pending until"
	case c.Status != convo.StatusPending && c.OnReceive != convo.OnReceivePolicy:
		return "what wakes it"
	case (c.Assignee == "") != c.AssignedAt.IsZero():
		return "assigned at"
	case closed && (c.Marks != "" || !c.Deadline.IsZero()):
		return "deadlines of a closed conversation"
	case closed == c.Cycle.Closing.At.IsZero():
		return "the closing"
	case closed && !c.DueAt.IsZero():
		return "something is due on a closed conversation"
	case closed && !c.AwaitingContactSince.IsZero():
		return "unanswered, and closed"
	case (closed || c.Cycle.Number > 1) == c.FirstClosedAt.IsZero():
		return "the first closing"
	case c.UpdatedAt.Before(c.CreatedAt) || c.Cycle.OpenedAt.Before(c.CreatedAt) ||
		c.UpdatedAt.Before(c.Cycle.OpenedAt):
		return "the order of times"
	case c.Cycle.Number < 1 || c.Version < int64(c.Cycle.Number):
		return "the numbers"
	}
	return ""
}

// shakyStore lets a test fail, or get into, any call to a store.
type shakyStore struct {
	convo.Store
	mu    sync.Mutex
	calls []string
	// n counts the calls from 1; an error keeps the call from the store
	before func(call string, n int) error
	after  func(call string, n int) error // an error hides that the call succeeded
}

func shake(s convo.Store) *shakyStore { return &shakyStore{Store: s} }

func (s *shakyStore) around(call string, do func() error) error {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	n := len(s.calls)
	s.mu.Unlock()
	if s.before != nil {
		if err := s.before(call, n); err != nil {
			return err
		}
	}
	err := do()
	if err == nil && s.after != nil {
		err = s.after(call, n)
	}
	return err
}

// count is the number of calls of one name.
func (s *shakyStore) count(call string) (n int) {
	for _, c := range s.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (s *shakyStore) Load(ctx context.Context, to convo.Ref) (t convo.Snapshot, err error) {
	err = s.around("Load", func() error { t, err = s.Store.Load(ctx, to); return err })
	return t, err
}

func (s *shakyStore) Commit(ctx context.Context, changes ...convo.Change) error {
	return s.around("Commit", func() error { return s.Store.Commit(ctx, changes...) })
}

func (s *shakyStore) Conversation(ctx context.Context, workspace string,
	id uuid.UUID) (c convo.Conversation, err error) {
	err = s.around("Conversation", func() error {
		c, err = s.Store.Conversation(ctx, workspace,
			id)
		return err
	})
	return c, err
}

func (s *shakyStore) Conversations(ctx context.Context, f convo.Filter) (cs []convo.Conversation,
	err error) {
	err = s.around("Conversations", func() error {
		cs, err = s.Store.Conversations(ctx,
			f)
		return err
	})
	return cs, err
}

func (s *shakyStore) Events(ctx context.Context, f convo.EventFilter) (es []convo.Event,
	err error) {
	err = s.around("Events", func() error { es, err = s.Store.Events(ctx, f); return err })
	return es, err
}

func (s *shakyStore) Due(
	ctx context.Context, q convo.DueQuery,
) (rs []convo.DueConversation, err error) {
	err = s.around("Due", func() error { rs, err = s.Store.Due(ctx, q); return err })
	return rs, err
}

func (s *shakyStore) Keys(ctx context.Context, workspace string,
	ids ...convo.KeyID) (ks []convo.Key, err error) {
	err = s.around("Keys", func() error {
		ks, err = s.Store.Keys(ctx, workspace,
			ids...)
		return err
	})
	return ks, err
}

func (s *shakyStore) Addresses(ctx context.Context, workspace, contact string) (as []convo.Address,
	err error) {
	err = s.around("Addresses", func() error {
		as, err = s.Store.Addresses(ctx, workspace,
			contact)
		return err
	})
	return as, err
}

func (s *shakyStore) ClosedCycles(
	ctx context.Context, workspace string, id uuid.UUID,
) (cs []convo.Cycle, err error) {
	err = s.around("ClosedCycles", func() error {
		cs, err = s.Store.ClosedCycles(ctx, workspace, id)
		return err
	})
	return cs, err
}

// failFirst makes the first k calls of a name fail with err.
func failFirst(call string, k int, err error) func(string, int) error {
	return func(c string, _ int) error {
		if c != call || k == 0 {
			return nil
		}
		k--
		return err
	}
}

// errPower is a failure that is no conflict.
var errPower = errors.New("the power is off")

// Conflicts.

func TestAConflictIsTriedAgain(t *testing.T) {
	for _, conflict := range []error{convo.ErrConflict, convo.ErrActiveExists,
		fmt.Errorf("wrapped: %w", convo.ErrConflict)} {
		for k := range 4 {
			synctest.Test(t, func(t *testing.T) {
				s := shake(newStore())
				s.before = failFirst("Commit", k, conflict)
				d := openDeskOn(t, s)
				r := d.do(toContact("carl"), convo.Receive{Body: "hi"})
				assert.Equal(t, convo.OutcomeOpened, r.Outcome)
				assert.Equal(t, k+1, s.count("Commit"))
				assert.Equal(t, k+1, s.count("Load"), "each try begins with what is there now")
				assert.Len(t, d.log(r.Conversation.ID), 2)
			})
		}
	}
}

func TestRetriesAreBounded(t *testing.T) {
	for _, c := range []struct {
		opts  []convo.Option
		tries int
	}{
		{[]convo.Option{convo.WithRetries(0)}, 1},
		{[]convo.Option{convo.WithRetries(3)}, 4},
		{nil, 101},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := shake(newStore())
			d := openDeskOn(t, s, c.opts...)
			d.do(toContact("carl"), convo.Open{By: agentAna})
			d.do(toContact("dora"), convo.Open{By: agentAna},
				convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
			d.wait(2 * time.Hour)
			s.before = func(call string, _ int) error {
				if call == "Commit" {
					return convo.ErrConflict
				}
				return nil
			}
			s.calls = nil
			assert.ErrorIs(t, d.refuses(toContact("carl"), convo.Note{By: agentAna, Body: "n"}),
				convo.ErrConflict)
			assert.Equal(t, c.tries, s.count("Commit"))

			s.calls = nil
			assert.ErrorIs(t, d.refusesMerge("carl", "dora"), convo.ErrConflict)
			assert.Equal(t, c.tries, s.count("Commit"))

			s.calls = nil
			n, err := d.Tick(t.Context(), 10)
			assert.ErrorIs(t, err, convo.ErrConflict)
			assert.Zero(t, n)
			assert.Equal(t, c.tries, s.count("Commit"))
		})
	}
}

func TestAnErrorThatIsNoConflictIsNotTriedAgain(t *testing.T) {
	for _, failing := range []error{errPower, convo.ErrCommitUnknown} {
		s := shake(newStore())
		s.before = failFirst("Commit", 1, failing)
		d := openDeskOn(t, s)
		assert.ErrorIs(t, d.refuses(toContact("carl"), convo.Receive{Body: "hi"}), failing)
		assert.Equal(t, 1, s.count("Commit"))
	}
}

// TestWhoComesSecondGoesOnFromWhatTheFirstLeft lets another engine in between loading and
// committing.
func TestWhoComesSecondGoesOnFromWhatTheFirstLeft(t *testing.T) {
	hi, key := convo.Receive{Channel: "whatsapp", ExternalID: "m-1",
		Body: "hi"}, convo.Open{By: agentAna, Key: "k-1"}
	for _, c := range []struct {
		name   string
		given  []convo.Command
		first  convo.Command
		second convo.Command
		want   convo.Outcome
		err    error
	}{
		{"two messages open one conversation", nil, convo.Receive{Body: "a"},
			convo.Receive{Body: "b"}, convo.OutcomeRecorded, nil},
		{"two openings open one conversation", nil, convo.Open{By: agentAna},
			convo.Open{By: flowBot}, convo.OutcomeUnchanged, nil},
		{"the same message twice", nil, hi, hi, convo.OutcomeDuplicate, nil},
		{"the same key twice", nil, key, key, convo.OutcomeDuplicate, nil},
		{"two closings", []convo.Command{convo.Open{By: agentAna}}, convo.Close{By: agentAna},
			convo.Close{By: agentBen}, "", convo.ErrNotActive},
		{"a message after a closing", []convo.Command{convo.Open{By: agentAna}},
			convo.Close{By: agentAna}, convo.Receive{Body: "b"}, convo.OutcomeOpened, nil},
		{"a reopening after an opening", []convo.Command{convo.Open{By: agentAna},
			convo.Close{By: agentAna}}, convo.Open{By: agentAna}, convo.Reopen{By: agentAna},
			convo.OutcomeUnchanged, nil},
		{"a blocking", []convo.Command{convo.Open{By: agentAna}, convo.Close{By: agentAna}},
			convo.Block{By: agentAna}, convo.Receive{Body: "b"}, "", convo.ErrBlocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shake(newStore())
			d := openDeskOn(t, s)
			other, err := convo.New(s.Store, convo.WithClock(d.clock))
			require.NoError(t, err)
			if c.given != nil {
				d.do(toContact("carl"), c.given...)
			}
			var once sync.Once
			s.before = func(call string, _ int) error {
				if call == "Commit" {
					once.Do(func() {
						_, err := other.Do(context.Background(), toContact("carl"), c.first)
						require.NoError(t, err)
					})
				}
				return nil
			}
			r, err := d.Do(t.Context(), toContact("carl"), c.second)
			assert.ErrorIs(t, err, c.err)
			assert.Equal(t, c.want, r.Outcome)
		})
	}
}

func TestADuplicateThatTheStoreDoesNotKnowIsAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shake(newStore())
		s.before = failFirst("Commit", 2, convo.ErrDuplicate)
		d := openDeskOn(t, s)
		assert.Equal(t, convo.OutcomeOpened, d.do(toContact("carl"),
			convo.Open{By: agentAna, Key: "k"}).Outcome)
		s.before = failFirst("Commit", 1000, convo.ErrDuplicate)
		assert.ErrorIs(t, d.refuses(toContact("carl"),
			convo.Note{By: agentAna, Key: "k2", Body: "n"}), convo.ErrDuplicate)
	})
}

// TestThePauseBetweenTriesGrowsAndIsRandom runs on a fake clock, so that it takes no time.
func TestThePauseBetweenTriesGrowsAndIsRandom(t *testing.T) {
	pauses := map[time.Duration]bool{}
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := shake(newStore())
			d := openDeskOn(t, s)
			last := time.Now()
			var waited []time.Duration
			s.before = func(call string, _ int) error {
				if call != "Commit" {
					return nil
				}
				waited = append(waited, time.Since(last))
				last = time.Now()
				if len(waited) <= 12 {
					return convo.ErrConflict
				}
				return nil
			}
			d.do(toContact("carl"), convo.Open{By: agentAna})
			require.Len(t, waited, 13)
			assert.Zero(t, waited[0], "the first try")
			assert.Zero(t, waited[1], "the second try, at once: most conflicts are over by then")
			for i, w := range waited[2:] {
				assert.Less(t, w, time.Millisecond<<min(i, 5), "try %d", i+3)
				pauses[w] = true
			}
			assert.Greater(t, slices.Max(waited[8:]), time.Millisecond)
		})
	}
	assert.Greater(t, len(pauses), 100, "random, so that those who collided do not collide again")
}

func TestACancelledContextEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shake(newStore())
		s.before = failFirst("Commit", 1<<30, convo.ErrConflict)
		d := openDeskOn(t, s, convo.WithRetries(1<<30))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := d.Do(ctx, toContact("carl"), convo.Open{By: agentAna})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start), "it waits no longer than it may")
		_, err = d.Merge(ctx, convo.Merge{Workspace: tenant, Primary: "a", Secondary: "b",
			By: agentAna})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Faults.

// atomicCase is something to do with an engine that writes, in a world that is set up for it.
type atomicCase struct {
	name  string
	given func(d *desk)
	run   func(ctx context.Context, d *desk) error
}

var carlWrites = convo.Receive{Channel: "whatsapp", ExternalID: "m-1", Body: "hi"}

var atomicCases = []atomicCase{
	{"a first message", func(*desk) {}, func(ctx context.Context, d *desk) error {
		_, err := d.Do(ctx, toContact("carl"), carlWrites)
		return err
	}},
	{"a first message to an address", func(*desk) {}, func(ctx context.Context, d *desk) error {
		_, err := d.Do(ctx, toAddress("whatsapp", "+49"), carlWrites)
		return err
	}},
	{"a call with keys", func(d *desk) { d.do(toContact("carl"), convo.Open{By: agentAna}) },
		func(ctx context.Context, d *desk) error {
			_, err := d.Do(ctx, toContact("carl"), convo.Close{By: agentAna, Key: "k-1"},
				convo.Open{By: agentAna},
				convo.Send{By: agentAna, Body: "anything else?", Key: "k-2"})
			return err
		}},
	{"a message that is known", func(d *desk) {
		d.do(toContact("carl"), carlWrites,
			convo.Close{By: agentAna})
	},
		func(ctx context.Context, d *desk) error {
			_, err := d.Do(ctx, toContact("carl"), carlWrites)
			return err
		}},
	{"a message that is known, beside a new one", func(d *desk) {
		d.do(toContact("carl"),
			carlWrites, convo.Close{By: agentAna})
	},
		func(ctx context.Context, d *desk) error {
			_, err := d.Do(ctx, toContact("carl"), carlWrites,
				convo.Receive{Channel: "whatsapp", ExternalID: "m-2", Body: "and"})
			return err
		}},
	{"a merge", func(d *desk) {
		d.do(toContact("carl"), convo.Open{By: agentAna})
		d.do(toAddress("email", "c@example.org"), convo.Receive{Body: "hi"})
		d.do(toContact("carla"), convo.Receive{Body: "hi"})
	}, func(ctx context.Context, d *desk) error {
		_, err := d.Merge(ctx, convo.Merge{Workspace: tenant, Primary: "carl", Secondary: "carla",
			By: agentAna})
		return err
	}},
	{"a tick", func(d *desk) {
		for _, c := range []string{"carl", "dora", "emil"} {
			d.do(toContact(c), convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hello"},
				convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
		}
		d.wait(100 * time.Hour)
	}, func(ctx context.Context, d *desk) error {
		_, err := d.Tick(ctx, 10)
		return err
	}},
}

// shape is a dump without what differs from run to run: ids.
func (d dump) shape() (out []string) {
	for _, c := range d.Conversations {
		s := fmt.Sprintf("%s of %s (%s) %s:", c.ID.Version(), c.Origin, c.Status, c.DueAt)
		if len(c.Origin) == 36 {
			s = fmt.Sprintf("of an address (%s) %s:", c.Status, c.DueAt)
		}
		for _, e := range d.Logs[c.ID] {
			s += fmt.Sprintf(" %d %s %s %q", e.Seq, e.Kind, e.At, e.Row().Body)
		}
		out = append(out, s)
	}
	for id, k := range d.Contacts {
		if len(id) == 36 {
			id, k.ID = "made", "made"
		}
		out = append(out, fmt.Sprintf("%s is %s, version %d", id, k.ID, k.Version))
	}
	slices.Sort(out)
	return out
}

// TestEveryCallToTheStoreMayFail fails the n-th call, for every n, before it reaches the store or
// after it did its work: what is there is all of it or nothing of each commit, and repeating gives
// what would have been without the fault.
func TestEveryCallToTheStoreMayFail(t *testing.T) {
	policy := closesAfter(2 * time.Hour)
	for _, sc := range atomicCases {
		counting := shake(newStore())
		undisturbed := openDeskOn(t, counting, policy)
		sc.given(undisturbed)
		counting.calls = nil
		nothing := dumpOf(t, undisturbed.store, tenant).shape()
		require.NoError(t, sc.run(t.Context(), undisturbed))
		all := dumpOf(t, undisturbed.store, tenant).shape()
		calls := counting.calls
		require.Contains(t, calls, "Commit")

		for _, late := range []bool{false, true} {
			faults := 0
			for n := 1; n <= len(calls); n++ {
				s := shake(newStore())
				d := openDeskOn(t, s, policy)
				sc.given(d)
				s.calls = nil
				failed := false
				fault := func(_ string, i int) error {
					if i == n && !failed {
						failed = true
						return errPower
					}
					return nil
				}
				if late {
					s.after = fault
				} else {
					s.before = fault
				}
				err := sc.run(t.Context(), d)
				s.before, s.after = nil, nil
				name := fmt.Sprintf("%s, call %d, late %v", sc.name, n, late)
				if failed {
					faults++
				}
				got := dumpOf(t, d.store, tenant)
				got.verify(t)
				if err == nil { // the call was to fail by itself, as Commit does of what is known
					require.False(t, failed, name)
					require.Equal(t, all, got.shape(), name)
				} else {
					require.ErrorIs(t, err, errPower, name)
					if sc.name != "a tick" { // which is a commit for each conversation
						require.Contains(t, [][]string{nothing, all}, got.shape(), name)
					}
				}
				require.NoError(t, sc.run(t.Context(), d), name)
				require.Equal(t, all, dumpOf(t, d.store, tenant).shape(),
					"%s: repeated, it is applied once", name)
			}
			require.Greater(t, faults, 1, sc.name)
		}
	}
}

func TestACancelledContextWritesAllOrNothing(t *testing.T) {
	policy := closesAfter(2 * time.Hour)
	for _, sc := range atomicCases {
		cancelled := 0
		for n := 1; ; n++ {
			s := shake(newStore())
			d := openDeskOn(t, s, policy)
			sc.given(d)
			before := dumpOf(t, d.store, tenant).shape()
			s.calls = nil
			ctx, cancel := context.WithCancel(context.Background())
			s.before = func(_ string, i int) error {
				if i == n {
					cancel()
				}
				return nil
			}
			err := sc.run(ctx, d)
			done := ctx.Err() != nil
			cancel()
			if !done {
				require.NoError(t, err)
				break
			}
			cancelled++
			require.ErrorIs(t, err, context.Canceled, "%s, call %d", sc.name, n)
			after := dumpOf(t, d.store, tenant)
			after.verify(t)
			if sc.name != "a tick" && sc.name != "a message that is known, beside a new one" {
				require.Equal(t, before, after.shape(), "%s, call %d: cancelled before the commit",
					sc.name, n)
			}
		}
		require.Greater(t, cancelled, 1, sc.name)
	}
}

func TestACancelledContextEndsATick(t *testing.T) {
	s := shake(newStore())
	d := openDeskOn(t, s)
	for i := range 10 {
		d.do(toContact(fmt.Sprint("c", i)), convo.Open{By: agentAna},
			convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
	}
	d.wait(2 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	s.calls = nil
	s.before = func(call string, _ int) error {
		if call == "Commit" && s.count("Commit") == 3 {
			cancel()
		}
		return nil
	}
	n, err := d.Tick(ctx, 5)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 2, n)
	assert.Equal(t, 1, s.count("Due"), "it does not look for more")
	s.before = nil
	assert.Equal(t, 8, d.tick())
}

// Observers.

func TestObserversAreToldWhatWasCommitted(t *testing.T) {
	s := shake(newStore())
	var told [][]convo.Event
	var d *desk
	committed := func(_ context.Context, events []convo.Event) {
		if last := events[len(events)-1]; last.Conversation != uuid.Nil {
			assert.Equal(t, last.Seq, d.get(last.Conversation).Version, "after the commit")
		}
		told = append(told, events)
	}
	var second int
	count := func(context.Context, []convo.Event) { second++ }
	d = openDeskOn(t, s, convo.WithObserver(committed), convo.WithObserver(count),
		closesAfter(2*time.Hour))

	r := d.do(toContact("carl"), convo.Receive{Channel: "whatsapp", ExternalID: "m-1", Body: "hi"})
	require.Len(t, told, 1)
	assert.Equal(t, r.Events, told[0])
	d.do(toContact("carl"), convo.Block{By: agentAna}, convo.Unblock{By: agentAna})
	require.Len(t, told, 2)

	// Nobody is told of what did not happen.
	d.do(toContact("carl"), convo.Open{By: agentAna})
	d.do(toContact("carl"), convo.Open{By: agentAna, Key: "only the key is written"})
	d.do(toContact("carl"), convo.Receive{Channel: "whatsapp", ExternalID: "m-1", Body: "hi"})
	d.refuses(toContact("carl"), convo.AmendClosing{By: agentAna})
	s.before = failFirst("Commit", 1, errPower)
	d.refuses(toContact("carl"), convo.Receive{Body: "lost"})
	require.Len(t, told, 2)

	// A conflict on the way is not told.
	s.before = failFirst("Commit", 1, convo.ErrConflict)
	d.do(toContact("carl"), convo.Send{By: agentAna, Body: "hello"})
	require.Len(t, told, 3)

	d.do(toContact("dora"), convo.Receive{Body: "hi"})
	m := d.merge("carl", "dora")
	require.Len(t, told, 5)
	assert.Equal(t, m.Events, told[4])
	d.merge("carl", "dora")
	require.Len(t, told, 5)

	d.wait(time.Hour)
	d.tick()
	require.Len(t, told, 5)
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	require.Len(t, told, 6)
	assert.Equal(t, []convo.EventKind{convo.ConversationClosed}, kindsOf(told[5]))
	assert.Equal(t, len(told), second)
}

func TestObserversGetTheContextOfTheCall(t *testing.T) {
	type mark struct{}
	var got any
	d := openDesk(t, convo.WithObserver(func(ctx context.Context,
		_ []convo.Event) {
		got = ctx.Value(mark{})
	}))
	_, err := d.Do(context.WithValue(t.Context(), mark{}, "trace"), toContact("carl"),
		convo.Open{By: agentAna})
	require.NoError(t, err)
	assert.Equal(t, "trace", got)
}

// On the host's own transaction.

func TestWithIsTheSameEngineOnAnotherStore(t *testing.T) {
	told := 0
	d := openDesk(t, convo.WithPolicy(convo.LiveChatPolicy()),
		convo.WithObserver(func(context.Context, []convo.Event) { told++ }))
	other := shake(newStore())
	tx := d.With(other)
	do := func(cmds ...convo.Command) (convo.Result, error) {
		return tx.Do(t.Context(), toContact("carl"), cmds...)
	}

	r, err := do(convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	require.NoError(t, err)
	assert.Equal(t, morning, r.Conversation.UpdatedAt, "the same clock")
	_, err = do(convo.Receive{Body: "hi"})
	assert.ErrorIs(t, err, convo.ErrClosed, "the same policy")
	assert.Zero(t, told, "the host decides whether it stays")
	_, err = d.Contact(t.Context(), toContact("carl"))
	assert.ErrorIs(t, err, convo.ErrNotFound, "nothing was written to the engine's own store")

	other.calls = nil
	other.before = failFirst("Commit", 1, convo.ErrConflict)
	_, err = do(convo.Reopen{By: agentAna})
	assert.ErrorIs(t, err, convo.ErrConflict,
		"a conflict is the host's to retry, in a new transaction")
	assert.Equal(t, 1, other.count("Commit"))

	// The engine it came from still retries and still tells.
	d.do(toContact("carl"), convo.Open{By: agentAna})
	assert.Equal(t, 1, told)
}

func TestADuplicateIsFoundInTheHostsTransactionToo(t *testing.T) {
	d := openDesk(t)
	first := d.do(toContact("carl"), carlWrites)
	r, err := d.With(d.store).Do(t.Context(), toContact("carl"), carlWrites)
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeDuplicate, r.Outcome)
	assert.Equal(t, first.Events, r.Events)
}

// Options.

func TestOptionsAreValidated(t *testing.T) {
	for field, opt := range map[string]convo.Option{
		"clock":    convo.WithClock(nil),
		"ids":      convo.WithIDs(nil),
		"logger":   convo.WithLogger(nil),
		"retries":  convo.WithRetries(-1),
		"guard":    convo.WithGuard(nil),
		"category": convo.WithPolicy(convo.Policy{Category: "x"}),
	} {
		e, err := convo.New(newStore(), opt)
		requireInvalid(t, field, err)
		assert.Nil(t, e)
	}
	_, err := convo.New(nil)
	requireInvalid(t, "store", err)
}

func TestWithoutOptionsItIsTheSystemsClockAndUUIDv7(t *testing.T) {
	e, err := convo.New(newStore())
	require.NoError(t, err)
	from := time.Now().Truncate(time.Microsecond)
	r, err := e.Do(t.Context(), toContact("carl"), convo.Open{By: agentAna})
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(7), r.Conversation.ID.Version())
	assert.False(t, r.Conversation.CreatedAt.Before(from))
	assert.False(t, r.Conversation.CreatedAt.After(time.Now()))
}

func TestIdsComeFromTheGivenSourceOncePerCall(t *testing.T) {
	var given []uuid.UUID
	d := openDesk(t, convo.WithIDs(func() uuid.UUID {
		given = append(given, uuid.Must(uuid.NewV7()))
		return given[len(given)-1]
	}))
	r := d.do(toContact("carl"), convo.Receive{Body: "hi"})
	require.Len(t, given, 1)
	assert.Equal(t, given[0], r.Conversation.ID)
}

type readings struct {
	n   int
	now time.Time
}

func (r *readings) Now() time.Time { r.n++; return r.now }

func TestTheClockIsReadOncePerCall(t *testing.T) {
	c := &readings{now: morning}
	s := shake(newStore())
	e, err := convo.New(s, convo.WithClock(c))
	require.NoError(t, err)
	s.before = failFirst("Commit", 1, convo.ErrConflict)
	_, err = e.Do(t.Context(), toContact("carl"), convo.Receive{Body: "hi"},
		convo.Note{By: agentAna, Body: "n"})
	require.NoError(t, err)
	assert.Equal(t, 1, c.n)
	_, err = e.Do(t.Context(), toContact("dora"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
	require.NoError(t, err)
	_, err = e.Merge(t.Context(), convo.Merge{Workspace: tenant, Primary: "carl", Secondary: "emil",
		By: agentAna})
	require.ErrorIs(t, err, convo.ErrNotFound)
	assert.Equal(t, 3, c.n)
	c.now = morning.Add(2 * time.Hour)
	_, err = e.Tick(t.Context(), 10)
	require.NoError(t, err)
	assert.Equal(t, 4, c.n)
}

// Policies by workspace and channel.

func TestThePolicyIsThatOfTheChannel(t *testing.T) {
	live := convo.LiveChatPolicy()
	var asked []string
	d := openDesk(t, convo.WithPolicy(convo.WorkflowPolicy()),
		convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
			asked = append(asked, of.Workspace+"/"+of.Channel)
			if of.Channel == "webchat" {
				return &live, nil
			}
			return nil, nil // that of WithPolicy
		}))
	last := func() string { return asked[len(asked)-1] }

	d.do(toContact("carl"), convo.Receive{Channel: "webchat", Body: "hi"})
	assert.Equal(t, "acme/webchat", last(),
		"without an active conversation it is that of the request")
	d.do(toContact("carl"), convo.Receive{Channel: "sms", Body: "hi"})
	assert.Equal(t, "acme/webchat", last(), "of the active conversation")
	d.do(toContact("carl"), convo.Close{By: agentAna, Category: "Whatever"})
	assert.Equal(t, "acme/webchat", last())
	assert.ErrorIs(t, d.refuses(toContact("carl"), convo.Receive{Channel: "webchat", Body: "hi"}),
		convo.ErrClosed)
	d.refuses(toContact("carl"), convo.Close{By: agentAna})
	assert.Equal(t, "acme/webchat", last(),
		"where the request names none, that of the latest conversation")

	r := d.do(toContact("carl"), convo.Receive{Channel: "sms", Body: "hi"})
	assert.Equal(t, "acme/sms", last())
	assert.Equal(t, convo.OutcomeOpened, r.Outcome)
	requireInvalid(t, "category", d.refuses(toContact("carl"),
		convo.Close{By: agentAna, Category: "Whatever"}))

	d.do(toAddress("webchat", "v1"), convo.Receive{Body: "hi"})
	assert.Equal(t, "acme/webchat", last(), "the channel of the address")
	d.do(toContact("dora"), convo.Open{By: agentAna}, convo.Receive{Channel: "webchat", Body: "hi"})
	assert.Equal(t, []string{"acme/webchat", "acme/"}, asked[len(asked)-2:],
		"of the first command that names one; the timers are those of what was opened")
}

func TestAPolicyThatCannotBeGivenFailsTheCall(t *testing.T) {
	bad := convo.Policy{Summary: "x"}
	var p *convo.Policy
	var fails error
	d := openDesk(t, convo.WithPolicies(func(context.Context, convo.Scope) (*convo.Policy,
		error) {
		return p, fails
	}))
	d.do(toContact("carl"), convo.Receive{Channel: "sms", Body: "hi"})
	d.do(toContact("dora"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
	d.wait(2 * time.Hour)

	fails = errPower
	err := d.refuses(toContact("carl"), convo.Note{By: agentAna, Body: "n"})
	assert.ErrorIs(t, err, errPower)
	assert.ErrorContains(t, err, `policy of workspace "acme", lane "", channel "sms"`)
	assert.ErrorIs(t, d.refusesMerge("dora", "carl"), errPower)
	_, err = d.Tick(t.Context(), 10)
	assert.ErrorIs(t, err, errPower)

	p, fails = &bad, nil
	err = d.refuses(toContact("carl"), convo.Note{By: agentAna, Body: "n"})
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	requireInvalid(t, "summary", invalid)
	assert.EqualError(t, err,
		`convo: policy of workspace "acme", lane "", channel "sms": `+invalid.Error(),
		"it says whose policy it is")
	p = nil
	assert.Equal(t, 1, d.tick())
}

// Bad input.

func TestInvalidInputReachesNoStore(t *testing.T) {
	s := shake(newStore())
	e, err := convo.New(s)
	require.NoError(t, err)
	ctx := t.Context()
	_, err = e.Do(ctx, convo.Ref{}, convo.Open{By: agentAna})
	requireInvalid(t, "workspace", err)
	_, err = e.Do(ctx, toContact("carl"))
	requireInvalid(t, "commands", err)
	_, err = e.Merge(ctx, convo.Merge{})
	requireInvalid(t, "workspace", err)
	for _, limit := range []int{-1, convo.MaxPageSize + 1} {
		_, err = e.Tick(ctx, limit)
		requireInvalid(t, "limit", err)
	}
	_, err = e.Conversations(ctx, convo.Filter{})
	requireInvalid(t, "workspace", err)
	_, err = e.Conversation(ctx, convo.ToConversation("", uuid.New()))
	requireInvalid(t, "workspace", err)
	_, err = e.Transcript(ctx, convo.ToConversation("\x00", uuid.New()), convo.EventCursor{}, 0)
	requireInvalid(t, "workspace", err)
	_, err = e.Contact(ctx, convo.Ref{Workspace: tenant})
	requireInvalid(t, "ref", err)
	_, err = e.Active(ctx, convo.Ref{})
	requireInvalid(t, "workspace", err)
	_, err = e.Addresses(ctx, convo.Ref{})
	requireInvalid(t, "workspace", err)
	_, err = e.History(ctx, convo.Ref{}, convo.EventCursor{}, 0)
	requireInvalid(t, "workspace", err)
	_, err = e.Cycles(ctx, convo.ToConversation("", uuid.New()))
	requireInvalid(t, "workspace", err)
	assert.Empty(t, s.calls)
}

func TestInvalidCommandsAreNotCommitted(t *testing.T) {
	s := shake(newStore())
	d := openDeskOn(t, s)
	requireInvalid(t, "by", d.refuses(toContact("carl"), convo.Open{}))
	requireInvalid(t, "key", d.refuses(toContact("carl"), convo.Open{By: agentAna,
		Key: strings.Repeat("x", 999)}))
	requireInvalid(t, "channel", d.refuses(toContact("carl"),
		convo.Receive{Body: "hi", Channel: "\n", ExternalID: "1"}))
	requireInvalid(t, "external_id", d.refuses(toContact("carl"),
		convo.Receive{Body: "hi", ExternalID: "1"}))
	requireInvalid(t, "external_id", d.refuses(toContact("carl"),
		convo.Receive{Body: "hi", Channel: "sms", ExternalID: "\x00"}))
	requireInvalid(t, "command", d.refuses(toContact("carl"), &convo.Open{By: agentAna}))
	requireInvalid(t, "body", d.refuses(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna}))
	assert.Zero(t, s.count("Commit"))
}

// Logging.

func TestWhatIsLoggedIsNeverContent(t *testing.T) {
	var out bytes.Buffer
	s := shake(newStore())
	d := openDeskOn(t, s,
		convo.WithLogger(slog.New(slog.NewTextHandler(&out,
			&slog.HandlerOptions{Level: slog.LevelDebug}))),
		convo.WithPolicy(convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(time.Hour),
			Summary: "PRIVATE"}}))
	hi := convo.Receive{Channel: "whatsapp", ExternalID: "m-1", Body: "PRIVATE"}
	s.before = failFirst("Commit", 1, convo.ErrConflict)
	d.do(toContact("carl"), hi)
	assert.Contains(t, out.String(), "conflict")
	d.do(toContact("carl"), hi)
	assert.Contains(t, out.String(), "duplicate")
	assert.Contains(t, out.String(), "m-1")
	d.do(toContact("carl"), convo.Send{By: agentAna, Body: "PRIVATE"},
		convo.Note{By: agentAna, Body: "PRIVATE"})
	d.wait(48 * time.Hour)
	d.tick()
	d.do(toContact("carl"), convo.AmendClosing{By: agentAna, Summary: "PRIVATE as well", Key: "k"},
		convo.Block{By: agentAna, Reason: "PRIVATE"})
	d.do(toContact("carl"), convo.AmendClosing{By: agentAna, Summary: "PRIVATE as well", Key: "k"},
		convo.Block{By: agentAna, Reason: "PRIVATE"})
	assert.NotContains(t, out.String(), "PRIVATE")
}

func TestTimersAreLoggedWithHowLateTheyAre(t *testing.T) {
	var out bytes.Buffer
	d := openDesk(t, convo.WithLogger(slog.New(slog.NewTextHandler(&out,
		&slog.HandlerOptions{Level: slog.LevelDebug}))))
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation.ID
	d.wait(48 * time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Contains(t, out.String(), id.String())
	assert.Contains(t, out.String(), "late=47h0m0s")

	out.Reset()
	d.do(toContact("carl"), convo.SetPending{By: agentAna, Until: d.clock.Now().Add(time.Hour)})
	d.do(toContact("carl"), convo.Resume{By: agentAna})
	require.False(t, d.get(id).DueAt.IsZero(), "the hint is left")
	d.wait(2 * time.Hour)
	assert.Zero(t, d.tick())
	assert.NotContains(t, out.String(), "late", "nothing was due, so nothing was late")
}

// Reads.

func TestActiveFollowsMergesAndAddresses(t *testing.T) {
	d := openDesk(t)
	ctx := t.Context()
	old := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Close{By: agentAna}).Conversation.ID
	_, err := d.Active(ctx, toContact("carl"))
	assert.ErrorIs(t, err, convo.ErrNotActive)
	var none *convo.StateError
	require.ErrorAs(t, err, &none)
	assert.Equal(t, "carl", none.Contact)
	_, err = d.Active(ctx, toContact("dora"))
	assert.ErrorIs(t, err, convo.ErrNotFound)
	_, err = d.Active(ctx, toConversation(uuid.New()))
	assert.ErrorIs(t, err, convo.ErrNotFound)

	d.do(toAddress("email", "carl@example.org"), convo.Receive{Body: "hi"},
		convo.Close{By: agentAna})
	made, err := d.Contact(ctx, toAddress("email", "carl@example.org"))
	require.NoError(t, err)
	d.merge("carl", made.ID)
	active := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna}).Conversation
	for _, to := range []convo.Ref{
		toContact("carl"), toContact(made.ID), toAddress("email",
			"carl@example.org"), toConversation(old), toConversation(active.ID),
	} {
		got, err := d.Active(ctx, to)
		require.NoError(t, err)
		assert.Equal(t, active, got)
		k, err := d.Contact(ctx, to)
		require.NoError(t, err)
		assert.Equal(t, "carl", k.ID)
		addresses, err := d.Addresses(ctx, to)
		require.NoError(t, err)
		assert.Equal(t, []convo.Address{{Channel: "email", Value: "carl@example.org"}}, addresses)
	}
}

func TestReadsOfTheUnknownAreNotFound(t *testing.T) {
	d := openDesk(t)
	ctx := t.Context()
	d.do(toContact("carl"), convo.Open{By: agentAna})
	for name, read := range map[string]func() error{
		"contact": func() error { _, err := d.Contact(ctx, toContact("dora")); return err },
		"by address": func() error {
			_, err := d.Contact(ctx,
				toAddress("email", "x"))
			return err
		},
		"workspace": func() error {
			_, err := d.Contact(ctx,
				convo.ToContact("other", "carl"))
			return err
		},
		"addresses": func() error { _, err := d.Addresses(ctx, toContact("dora")); return err },
		"history": func() error {
			_, err := d.History(ctx, toContact("dora"),
				convo.EventCursor{}, 0)
			return err
		},
		"conversation": func() error {
			_, err := d.Conversation(ctx,
				convo.ToConversation(tenant, uuid.New()))
			return err
		},
		"transcript": func() error {
			_, err := d.Transcript(ctx, convo.ToConversation(tenant, uuid.New()),
				convo.EventCursor{}, 0)
			return err
		},
		"cycles": func() error {
			_, err := d.Cycles(ctx, convo.ToConversation(tenant,
				uuid.New()))
			return err
		},
	} {
		assert.ErrorIs(t, read(), convo.ErrNotFound, name)
	}
}

func TestNothingIsVisibleAcrossWorkspaces(t *testing.T) {
	d := openDesk(t)
	ctx := t.Context()
	r := d.do(toContact("carl"), convo.Open{By: agentAna}, carlWrites)
	id := r.Conversation.ID
	_, err := d.Conversation(ctx, convo.ToConversation("other", id))
	assert.ErrorIs(t, err, convo.ErrNotFound)
	_, err = d.Transcript(ctx, convo.ToConversation("other", id), convo.EventCursor{}, 0)
	assert.ErrorIs(t, err, convo.ErrNotFound)
	_, err = d.Do(ctx, convo.ToConversation("other", id), convo.Note{By: agentAna, Body: "n"})
	assert.ErrorIs(t, err, convo.ErrNotFound)
	page, err := d.Conversations(ctx, convo.Filter{Workspace: "other"})
	require.NoError(t, err)
	assert.Empty(t, page)
	_, err = d.Merge(ctx, convo.Merge{Workspace: "other", Primary: "carl", Secondary: "dora",
		By: agentAna})
	assert.ErrorIs(t, err, convo.ErrNotFound)
	other, err := d.Do(ctx, convo.ToContact("other", "carl"), carlWrites)
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeOpened, other.Outcome,
		"external ids are unique within a workspace")
}

func TestListingsFollowAliasesAndHavePages(t *testing.T) {
	d := openDesk(t)
	ctx := t.Context()
	var all []uuid.UUID
	for i := range 60 {
		r := d.do(toContact(fmt.Sprint("c", i%3)), convo.Open{By: agentAna},
			convo.Close{By: agentAna})
		all = append(all, r.Conversation.ID)
		d.wait(time.Second)
	}
	slices.Reverse(all) // the last opened first
	page := func(f convo.Filter) (ids []uuid.UUID) {
		t.Helper()
		f.Workspace = tenant
		cs, err := d.Conversations(ctx, f)
		require.NoError(t, err)
		for _, c := range cs {
			ids = append(ids, c.ID)
		}
		return ids
	}
	assert.Equal(t, all[:50], page(convo.Filter{}), "50 unless a limit is given")
	assert.Equal(t, all, page(convo.Filter{Limit: 1000}))
	var paged []uuid.UUID
	for f := (convo.Filter{Limit: 7}); ; {
		ids := page(f)
		paged = append(paged, ids...)
		if len(ids) < f.Limit {
			break
		}
		f.After = f.Cursor(d.get(ids[len(ids)-1]))
	}
	assert.Equal(t, all, paged)

	assert.Len(t, page(convo.Filter{Contact: "c1"}), 20)
	assert.Empty(t, page(convo.Filter{Contact: "nobody"}))
	d.merge("c0", "c1")
	assert.Len(t, page(convo.Filter{Contact: "c0"}), 40)
	assert.Equal(t, page(convo.Filter{Contact: "c0"}), page(convo.Filter{Contact: "c1"}),
		"an alias leads to its root")
}

func TestATranscriptIsReadInPages(t *testing.T) {
	d := openDesk(t)
	ctx := t.Context()
	id := d.do(toContact("carl"), convo.Open{By: agentAna}).Conversation.ID
	for i := range 54 {
		d.do(toContact("carl"), convo.Note{By: agentAna, Body: fmt.Sprint(i)})
	}
	first, err := d.Transcript(ctx, convo.ToConversation(tenant, id), convo.EventCursor{}, 0)
	require.NoError(t, err)
	assert.Len(t, first, convo.DefaultPageSize)
	rest, err := d.Transcript(ctx, convo.ToConversation(tenant, id), first[len(first)-1].Cursor(),
		0)
	require.NoError(t, err)
	assert.Equal(t, d.log(id), append(first, rest...))
	for _, limit := range []int{-1, convo.MaxPageSize + 1} {
		_, err = d.Transcript(ctx, convo.ToConversation(tenant, id), convo.EventCursor{}, limit)
		requireInvalid(t, "limit", err)
		_, err = d.History(ctx, toContact("carl"), convo.EventCursor{}, limit)
		requireInvalid(t, "limit", err)
	}
}

func TestTheHistoryOfAContactIsAllThatHappenedToIt(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(convo.LiveChatPolicy()))
	ctx := t.Context()
	var want []convo.EventKind
	add := func(events []convo.Event) {
		want = append(want, kindsOf(events)...)
		d.wait(time.Minute)
	}
	add(d.do(toContact("carl"), convo.Receive{Body: "hi"}).Events)
	add(d.do(convo.Ref{Workspace: tenant, Contact: "carla",
		Address: convo.Address{Channel: "email", Value: "c"}}, convo.Receive{Body: "hi"}).Events)
	add(d.do(toContact("carl"), convo.Close{By: agentAna}).Events)
	add(d.do(toContact("carla"), convo.Send{By: agentAna, Body: "hello"}).Events)
	add(d.merge("carl", "carla").Events)
	add(d.do(toContact("carl"), convo.Reopen{By: visitor}).Events)
	add(d.do(toContact("carla"), convo.Block{By: agentAna}).Events)
	d.do(toContact("dora"), convo.Receive{Body: "somebody else"})

	whole, err := d.History(ctx, toContact("carla"), convo.EventCursor{}, 0)
	require.NoError(t, err)
	// In one call's events of the contact itself come first: they all happened at the same time.
	assert.ElementsMatch(t, want, kindsOf(whole))
	assert.True(t, slices.IsSortedFunc(whole,
		func(a, b convo.Event) int { return a.At.Compare(b.At) }))
	var paged []convo.Event
	for after := (convo.EventCursor{}); ; {
		page, err := d.History(ctx, toAddress("email", "c"), after, 3)
		require.NoError(t, err)
		paged = append(paged, page...)
		if len(page) < 3 {
			break
		}
		after = page[2].Cursor()
	}
	assert.Equal(t, whole, paged)
}

func TestCyclesAreFoldedOverManyPages(t *testing.T) {
	d := openDesk(t)
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
	notes := slices.Repeat([]convo.Command{convo.Note{By: agentAna, Body: "n"}}, 99)
	const n = 24
	var closings []time.Time
	for range n {
		d.wait(time.Minute)
		closings = append(closings, d.clock.Now().UTC())
		d.do(toContact("carl"), append(slices.Clone(notes), convo.Close{By: agentAna})...)
		d.wait(time.Minute)
		d.do(toContact("carl"), convo.Reopen{By: agentAna}, convo.Receive{Body: "me again"})
	}
	require.Greater(t, d.get(id).Version, int64(2*convo.MaxPageSize))
	cycles, err := d.Cycles(t.Context(), convo.ToConversation(tenant, id))
	require.NoError(t, err)
	require.Len(t, cycles, n+1)
	for i, c := range cycles {
		assert.Equal(t, i+1, c.Number)
		assert.Equal(t, 1, c.Incoming)
		if i < n {
			assert.Equal(t, closings[i], c.Closing.At)
		}
	}
	assert.Equal(t, d.get(id).Cycle, cycles[n])
}

func TestCyclesOfALogThatEndsWithAPage(t *testing.T) {
	d := openDesk(t)
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
	for v := d.get(id).Version; v < convo.MaxPageSize; v = d.get(id).Version {
		d.do(toContact("carl"), slices.Repeat([]convo.Command{convo.Note{By: agentAna, Body: "n"}},
			min(100, convo.MaxPageSize-int(v)))...)
	}
	cycles, err := d.Cycles(t.Context(), convo.ToConversation(tenant, id))
	require.NoError(t, err)
	assert.Equal(t, []convo.Cycle{d.get(id).Cycle}, cycles)
}

func TestReadsFailAsTheStoreDoes(t *testing.T) {
	s := shake(newStore())
	d := openDeskOn(t, s)
	ctx := t.Context()
	id := d.do(toContact("carl"), convo.Open{By: agentAna}).Conversation.ID
	reopened := d.do(toContact("dora"), convo.Open{By: agentAna}, convo.Close{By: agentAna},
		convo.Reopen{By: agentAna})
	for call, reads := range map[string][]func() error{
		"Load": {
			func() error { _, err := d.Contact(ctx, toContact("carl")); return err },
			func() error { _, err := d.Active(ctx, toContact("carl")); return err },
			func() error { _, err := d.Addresses(ctx, toContact("carl")); return err },
			func() error {
				_, err := d.History(ctx, toContact("carl"), convo.EventCursor{},
					0)
				return err
			},
			func() error {
				_, err := d.Conversations(ctx, convo.Filter{Workspace: tenant, Contact: "carl"})
				return err
			},
		},
		"Conversation": {
			func() error {
				_, err := d.Conversation(ctx,
					convo.ToConversation(tenant, id))
				return err
			},
			func() error {
				_, err := d.Transcript(ctx, convo.ToConversation(tenant, id), convo.EventCursor{},
					0)
				return err
			},
			func() error { _, err := d.Cycles(ctx, convo.ToConversation(tenant, id)); return err },
		},
		"Conversations": {func() error {
			_, err := d.Conversations(ctx,
				convo.Filter{Workspace: tenant})
			return err
		}},
		"Events": {func() error {
			_, err := d.Transcript(ctx, convo.ToConversation(tenant, id), convo.EventCursor{}, 0)
			return err
		}},
		"ClosedCycles": {func() error {
			_, err := d.Cycles(ctx, convo.ToConversation(tenant, reopened.Conversation.ID))
			return err
		}},
		"Addresses": {func() error {
			_, err := d.Addresses(ctx,
				toContact("carl"))
			return err
		}},
		"Due": {func() error { _, err := d.Tick(ctx, 10); return err }},
	} {
		s.before = failFirst(call, 1<<30, errPower)
		for i, read := range reads {
			assert.ErrorIs(t, read(), errPower, "%s %d", call, i)
		}
	}
	s.before = nil
}

// TestTheMeasuresOfADay is one conversation from the first message to the second closing, with
// every number that is measured on the way worked out by hand.
func TestTheMeasuresOfADay(t *testing.T) {
	d := openDesk(t,
		convo.WithPolicy(convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}))
	to := toAddress("whatsapp", "+49")
	id := d.do(to, convo.Receive{Body: "My order arrived broken."}).Conversation.ID // 9:00
	d.wait(2 * time.Second)
	d.do(to, convo.Send{By: flowBot, Body: "Somebody will be with you soon."})
	d.wait(58 * time.Second)
	d.do(to, convo.Assign{By: flowBot, Assignee: "ana", Team: "returns"}) // 9:01
	d.wait(4 * time.Minute)
	d.do(to, convo.Send{By: agentAna, Body: "Could you send a picture?"}) // 9:05
	d.wait(5 * time.Minute)
	d.do(to, convo.Receive{Body: "Here."}, convo.Receive{Body: "And from the other side."}) // 9:10
	d.wait(20 * time.Minute)
	d.do(to, convo.Send{By: agentBen, Body: "We will ask the manufacturer."}, // 9:30
		convo.SetPending{By: agentBen, Until: morning.Add(3 * time.Hour)})
	d.wait(4 * time.Hour)
	// 13:30, for what was due at 12:00
	d.tick()
	d.do(to, convo.Send{By: agentAna, Body: "You get a new one."}, // 13:30
		convo.Close{By: agentAna, Category: "Support", Summary: "Replaced."}) // 13:30
	d.wait(90 * time.Minute)
	d.do(to, convo.Receive{Body: "Thank you!"}, convo.Close{By: agentAna}) // 15:00

	cycles, err := d.Cycles(t.Context(), convo.ToConversation(tenant, id))
	require.NoError(t, err)
	require.Len(t, cycles, 2)
	measures := func(c convo.Cycle) (out []time.Duration) {
		for _, f := range []func() (time.Duration, bool){
			c.FirstResponseTime, c.AssignmentTime, c.ResponseTime, c.ResolutionTime,
			c.ActiveResolutionTime,
		} {
			v, ok := f()
			if !ok {
				v = -1
			}
			out = append(out, v)
		}
		return append(out, c.PendingTime())
	}
	first, second := cycles[0], cycles[1]
	assert.Equal(t, []time.Duration{
		5 * time.Minute, time.Minute, (5*time.Minute +
			20*time.Minute) / 2, 270 * time.Minute, 120 * time.Minute, 150 * time.Minute,
	}, measures(first))
	assert.Equal(t, []time.Duration{-1, 0, -1, 0, 0, 0}, measures(second), "kept by its assignee")
	assert.Equal(t, [4]int{3, 3, 1, 2}, [4]int{first.Incoming, first.OutgoingUser,
		first.OutgoingAutomation, first.Responses})
	assert.Equal(t, [4]int{1, 0, 0, 0}, [4]int{second.Incoming, second.OutgoingUser,
		second.OutgoingAutomation, second.Responses})
	assert.Equal(t, "Support", first.Closing.Category)
	assert.Equal(t, second, d.get(id).Cycle)
	resolved, _ := d.get(id).FirstResolutionTime()
	assert.Equal(t, 270*time.Minute, resolved)
	resolved, _ = d.get(id).LastResolutionTime()
	assert.Equal(t, 6*time.Hour, resolved)
}

func TestAResultShowsTheStateAfterTheCall(t *testing.T) {
	d := openDesk(t)
	r := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.Assign{By: agentAna, Assignee: "ana"})
	assert.Equal(t, d.get(r.Conversation.ID), r.Conversation)
	assert.Equal(t, d.contact("carl"), r.Contact)
	assert.Equal(t, d.log(r.Conversation.ID), r.Events)
	r = d.do(toContact("carl"), convo.Open{By: agentAna})
	assert.Equal(t, convo.OutcomeUnchanged, r.Outcome)
	assert.Equal(t, d.get(r.Conversation.ID), r.Conversation)
	assert.Empty(t, r.Events)
}

func TestWhatIsUnchangedIsNotCommitted(t *testing.T) {
	s := shake(newStore())
	d := openDeskOn(t, s)
	d.do(toContact("carl"), convo.Open{By: agentAna})
	d.do(toContact("dora"), convo.Open{By: agentAna})
	d.merge("carl", "dora")
	s.calls = nil
	d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Resume{By: agentAna},
		convo.Unblock{By: agentAna})
	d.merge("carl", "dora")
	d.tick()
	assert.Zero(t, s.count("Commit"))
}

func TestManyMayUseOneEngineAtOnce(t *testing.T) {
	d := openDesk(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				_, err := d.Do(t.Context(), toContact("carl"),
					convo.Receive{Channel: "x", ExternalID: fmt.Sprint(i, j/2), Body: "hi"})
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	page, err := d.Conversations(t.Context(), convo.Filter{Workspace: tenant})
	require.NoError(t, err)
	require.Len(t, page, 1, "one contact, one conversation, however many messages race")
	assert.Equal(t, 40, page[0].Cycle.Incoming, "each message once")
}

// What the host's function fails with ends the call, whatever it is, and comes back as it is.
func TestTheHostsOwnErrorsComeBackAsTheyAre(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	k := convo.ToContact("acme", "k")
	_, err = engine.Do(t.Context(), k, convo.Receive{Channel: "web", ExternalID: "m1", Body: "x"})
	require.NoError(t, err)
	for _, own := range []error{
		errors.New("own"), convo.ErrDuplicate, convo.ErrConflict, convo.ErrActiveExists,
		&convo.ValidationError{Field: "f", Rule: "r"}, &convo.StateError{Err: convo.ErrNotActive},
	} {
		calls := 0
		_, err := engine.DoFunc(t.Context(), k, "",
			func(convo.Snapshot) ([]convo.Command, error) {
				calls++
				return []convo.Command{convo.Note{By: convo.ByUser("ana"), Body: "x"}}, own
			})
		assert.Equal(t, own, err)
		assert.Equal(t, 1, calls)
		guarded, err := convo.New(memstore.New(), convo.WithGuard(
			func(context.Context, convo.Snapshot, convo.Change) error { return own }))
		require.NoError(t, err)
		_, err = guarded.Do(t.Context(), k,
			convo.Receive{Channel: "web", ExternalID: "m1", Body: "x"})
		assert.Equal(t, own, err)
	}
	for _, c := range []struct {
		to     convo.Ref
		key    string
		decide func(convo.Snapshot) ([]convo.Command, error)
	}{
		{convo.Ref{}, "", func(convo.Snapshot) ([]convo.Command, error) { return nil, nil }},
		{k, strings.Repeat("k", convo.MaxKey+1),
			func(convo.Snapshot) ([]convo.Command, error) { return nil, nil }},
		{k, "", nil},
		{k, "", func(convo.Snapshot) ([]convo.Command, error) {
			return []convo.Command{convo.Note{}}, nil
		}},
	} {
		_, err := engine.DoFunc(t.Context(), c.to, c.key, c.decide)
		var invalid *convo.ValidationError
		assert.ErrorAs(t, err, &invalid)
	}
}

// In the host's own transaction the host's function is run once.
func TestADecisionInTheHostsTransactionIsNotRunAgain(t *testing.T) {
	s := shake(memstore.New())
	s.before = func(call string, _ int) error {
		if call == "Commit" {
			return convo.ErrConflict
		}
		return nil
	}
	engine, err := convo.New(s)
	require.NoError(t, err)
	calls := 0
	_, err = engine.With(s).DoFunc(t.Context(), convo.ToContact("acme", "k"), "",
		func(convo.Snapshot) ([]convo.Command, error) {
			calls++
			return []convo.Command{convo.Receive{Body: "x"}}, nil
		})
	assert.ErrorIs(t, err, convo.ErrConflict)
	assert.Equal(t, 1, calls)
}
