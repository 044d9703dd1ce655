package convo_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
	"github.com/chatlifecycle/convo/memstore"
)

// Calls for one contact that wait for one another are decided together. Each gets what it would
// get if they followed one another.

// answered is what a call came to.
type answered struct {
	Result convo.Result
	Err    string
	err    error
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// withoutIDs has each id of a text replaced by its number, in the order in which they come.
func withoutIDs(t require.TestingT, v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	known := map[string]string{}
	return anyID.ReplaceAllStringFunc(string(text), func(id string) string {
		known[id] = cmp.Or(known[id], "id"+strconv.Itoa(len(known)))
		return known[id]
	})
}

// story is calls for one Ref, and what they go by.
type story struct {
	to    convo.Ref
	calls [][]convo.Command
	funcs map[int]bool // calls of DoFunc
	opts  func() []convo.Option
}

func (s *story) call(ctx context.Context, e *convo.Engine, i int) answered {
	var r convo.Result
	var err error
	if s.funcs[i] {
		r, err = e.DoFunc(ctx, s.to, "", func(convo.Snapshot) ([]convo.Command, error) {
			return s.calls[i], nil
		})
	} else {
		r, err = e.Do(ctx, s.to, s.calls[i]...)
	}
	if err != nil {
		return answered{Err: err.Error(), err: err}
	}
	return answered{Result: r}
}

// inTurn makes the calls one after the other.
func (s *story) inTurn(ctx context.Context, store convo.Store) (all []answered, err error) {
	e, err := convo.New(store, s.opts()...)
	for i := range s.calls {
		all = append(all, s.call(ctx, e, i))
	}
	return all, err
}

// atOnce has each call begin a microsecond after the one before, while the first is at work.
func (s *story) atOnce(t *testing.T, store *distant) (all []answered) {
	t.Helper()
	all = make([]answered, len(s.calls))
	synctest.Test(t, func(t *testing.T) {
		e := newOn(t, store, s.opts()...)
		var wg sync.WaitGroup
		for i := range s.calls {
			wg.Go(func() {
				<-time.After(time.Duration(i) * time.Microsecond)
				all[i] = s.call(t.Context(), e, i)
			})
		}
		wg.Wait()
	})
	return all
}

func drawStory(t *rapid.T) *story {
	w := world.New(t, memstore.New())
	s := &story{to: w.DrawRef(t), funcs: map[int]bool{}}
	keep := world.Pick(t, "kept", 0, 10)
	policy := convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
		p := w.Policies[of.Workspace]
		if of.Channel == "email" { // goes by another one
			p = w.Policies[world.Workspaces[1]]
		}
		return p, nil
	})
	if rapid.Bool().Draw(t, "one policy") { // then the first try may be locked
		policy = convo.WithPolicy(*w.Policies[s.to.Workspace])
	}
	for i := range rapid.IntRange(2, 12).Draw(t, "calls") {
		var cmds []convo.Command
		if i == 0 || !world.Rarely(t, "no message", 4) {
			cmds = append(cmds, world.Pick[convo.Command](t, "message",
				convo.Receive{Body: "Hi", Channel: "whatsapp"},
				convo.Receive{Body: "Hi", Channel: "whatsapp",
					ExternalID: world.Pick(t, "external id", "m-1", "m-2", "m-3", "m-4")},
				convo.Send{By: convo.ByUser("ana"), Body: "Hello"},
				convo.Note{By: convo.ByUser("ana"), Body: "called"}))
		}
		for len(cmds) == 0 || world.Rarely(t, "a command more", 6) {
			cmds = append(cmds, w.DrawCommand(t))
		}
		s.calls = append(s.calls, cmds)
		s.funcs[i] = world.Rarely(t, "by a function", 12)
	}
	s.opts = func() []convo.Option {
		var ids uint32
		return []convo.Option{
			convo.WithClock(w), convo.WithKept(keep), policy,
			convo.WithIDs(func() uuid.UUID {
				ids++
				return uuid.UUID{byte(ids >> 8), byte(ids), 6: 0x70, 8: 0x80}
			}),
		}
	}
	return s
}

func TestCallsThatAreDecidedTogetherGetWhatEachWouldGet(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := drawStory(r)
		serial, far := memstore.New(), &distant{Store: memstore.New()}
		far.first = rapid.Bool().Draw(r, "locked first")
		far.again = rapid.Bool().Draw(r, "done again")
		want, err := s.inTurn(t.Context(), serial)
		require.NoError(r, err)
		got := s.atOnce(t, far)
		for i := range want {
			require.Equal(r, withoutIDs(r, want[:i+1]), withoutIDs(r, got[:i+1]), "call %d", i)
		}
		logs := [2][]convo.Event{}
		for i, of := range []convo.Store{serial, far.Store} {
			logs[i], err = of.Events(t.Context(), convo.EventFilter{
				Workspace: s.to.Workspace, Limit: convo.MaxPageSize,
			})
			require.NoError(r, err)
		}
		require.Equal(r, withoutIDs(r, logs[0]), withoutIDs(r, logs[1]))
	})
}

// messages are n calls with a message each, under a key of its own.
func messages(n int) *story {
	s := &story{to: hot, opts: func() []convo.Option { return nil }}
	for i := range n {
		s.calls = append(s.calls, []convo.Command{
			convo.Receive{Body: fmt.Sprint("message ", i), Key: fmt.Sprint("key ", i)},
		})
	}
	return s
}

func TestWhatFailsForAllIsTriedByEach(t *testing.T) {
	far := &distant{Store: memstore.New(), fails: func(n int64) error {
		if n == 1 {
			return errors.New("power cut")
		}
		return nil
	}}
	got := messages(5).atOnce(t, far)
	assert.Equal(t, "power cut", got[0].Err, "whose turn it was")
	for _, i := range []int{1, 2, 3, 4} {
		assert.Empty(t, got[i].Err)
	}
	c, err := newOn(t, far.Store).Conversation(t.Context(), hot)
	require.NoError(t, err)
	assert.Equal(t, 4, c.Cycle.Incoming)
}

// Another process has the lock of a file, say. Who was to be committed with another call tries once
// by itself, and not behind all others.
func TestWhatFailsLateIsNotWaitedForTwice(t *testing.T) {
	far := &distant{Store: memstore.New(), first: true}
	var began, ended atomic.Int64
	far.fails = func(int64) error {
		began.CompareAndSwap(0, time.Now().UnixNano())
		<-time.After(10 * time.Second)
		ended.Store(time.Now().UnixNano())
		return errors.New("another process has the lock")
	}
	for i, a := range messages(20).atOnce(t, far) {
		assert.NotEmpty(t, a.Err, i)
	}
	assert.Less(t, time.Duration(ended.Load()-began.Load()), 22*time.Second)
	assert.EqualValues(t, 20, far.commits.Load())
}

// Two deliveries of a message: the second one is a duplicate, the others are not held up.
func TestAKeyOfAnEarlierCallIsNotDecidedTwice(t *testing.T) {
	s := messages(6)
	s.calls[3] = s.calls[2]                                               // in one commit
	s.calls[5] = s.calls[0]                                               // in the store by then
	s.calls[4] = []convo.Command{convo.Receive{Body: "no", Key: "key 1"}} // another request
	far := &distant{Store: memstore.New()}
	got := s.atOnce(t, far)
	for i, want := range []convo.Outcome{convo.OutcomeOpened, convo.OutcomeRecorded,
		convo.OutcomeRecorded, convo.OutcomeDuplicate, "", convo.OutcomeDuplicate} {
		assert.Equal(t, want, got[i].Result.Outcome, i)
	}
	assert.Contains(t, got[4].Err, convo.ErrKeyReused.Error())
	assert.Equal(t, got[2].Result.Events, got[3].Result.Events)
	c, err := newOn(t, far.Store).Conversation(t.Context(), hot)
	require.NoError(t, err)
	assert.Equal(t, 3, c.Cycle.Incoming)
}

func TestEachIsToldThatTheOutcomeIsUnknown(t *testing.T) {
	unknown := fmt.Errorf("store: %w: %w", convo.ErrCommitUnknown, context.Canceled)
	for name, far := range map[string]*distant{
		"by a commit": {failsAfter: func(int64) error { return unknown }},
		"by the commit of a lock": {
			fails: func(n int64) error {
				if n == 1 {
					return convo.ErrConflict
				}
				return nil
			},
			unlocked: func() error { return unknown },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := messages(5)
			far.Store = memstore.New()
			for i, a := range s.atOnce(t, far) {
				assert.ErrorIs(t, a.err, convo.ErrCommitUnknown, i)
				assert.Equal(t, i == 0, errors.Is(a.err, context.Canceled), "its own context")
			}
			far.failsAfter, far.unlocked = nil, nil
			for i, a := range s.atOnce(t, far) {
				assert.Equal(t, convo.OutcomeDuplicate, a.Result.Outcome, i)
			}
		})
	}
}

func TestNoMoreAreDecidedTogetherThanACallMayHave(t *testing.T) {
	for of, want := range map[int]int64{
		1:  3, // 33, the first of which has the turn, 33 and 4
		40: 35,
	} {
		s := messages(70)
		for i := range s.calls {
			for range of - 1 {
				s.calls[i] = append(s.calls[i], convo.Note{By: convo.ByUser("ana"), Body: "called"})
			}
		}
		far := &distant{Store: memstore.New()}
		for i, a := range s.atOnce(t, far) {
			require.Empty(t, a.Err, i)
		}
		assert.Equal(t, want, far.commits.Load(), "%d commands a call", of)
	}
}

func TestAGuardIsAskedAboutOneCall(t *testing.T) {
	s, asked := messages(5), 0
	s.opts = func() []convo.Option {
		return []convo.Option{convo.WithGuard(
			func(_ context.Context, _ convo.Snapshot, ch convo.Change) error {
				asked++
				if ch.Events[len(ch.Events)-1].Message().Body == "message 2" {
					return errors.New("not this one")
				}
				return nil
			})}
	}
	for i, a := range s.atOnce(t, &distant{Store: memstore.New()}) {
		assert.Equal(t, i == 2, a.Err != "", i)
	}
	assert.GreaterOrEqual(t, asked, 5)
}

// Who came while another one loaded is not decided as of before it came.
func TestWhoWaitsIsDecidedWhenItCame(t *testing.T) {
	s := messages(3)
	for i, a := range s.atOnce(t, &distant{Store: memstore.New()}) {
		events := a.Result.Events
		at := events[len(events)-1].At.Sub(a.Result.Conversation.CreatedAt.Truncate(time.Second))
		assert.Equal(t, time.Millisecond, at, i)
	}
}

func TestADuplicateAmongThemCostsEachOneCommit(t *testing.T) {
	s, far := messages(8), &distant{Store: memstore.New()}
	once := &story{to: s.to, calls: s.calls[5:6], opts: s.opts}
	_, err := once.inTurn(t.Context(), far.Store)
	require.NoError(t, err)
	for i, a := range s.atOnce(t, far) {
		assert.Equal(t, i == 5, a.Result.Outcome == convo.OutcomeDuplicate, i)
	}
	assert.EqualValues(t, 10, far.commits.Load(), "two for all, and then one each")
}

func TestACallThatIsRefusedEndsThoseBeforeIt(t *testing.T) {
	s, far := messages(5), &distant{Store: memstore.New()}
	s.calls[2] = append(s.calls[2], convo.Reopen{By: convo.Actor{Type: "nobody"}})
	for i, a := range s.atOnce(t, far) {
		assert.Equal(t, i == 2, a.Err != "", "%d: %s", i, a.Err)
	}
	assert.Zero(t, far.refused.Load())
	assert.EqualValues(t, 2, far.commits.Load(), "one for those before, one for those behind")
}

// Nothing that is decided together is known to be impossible; if something was, nobody would wait
// for it in vain.
func TestWhatCannotBeCommittedTogetherIsCommittedByEach(t *testing.T) {
	s, far := messages(6), &distant{Store: memstore.New()}
	far.refuses = func(ch *convo.Change) bool { return len(ch.Events) > 2 }
	for i, a := range s.atOnce(t, far) {
		assert.Empty(t, a.Err, i)
	}
	assert.EqualValues(t, 8, far.commits.Load(), "two for all, and then one each")
}

// assertSame makes a story twice, one call after the other and all at once, each on a conversation
// of its own.
func (s *story) assertSame(t *testing.T) {
	t.Helper()
	var all [2]string
	for i := range all {
		far := &distant{Store: memstore.New()}
		r, err := newOn(t, far.Store, s.opts()...).Do(t.Context(), hot,
			convo.Open{By: convo.ByUser("ana"), Channel: "chat"})
		require.NoError(t, err)
		own := *s
		if own.to.Conversation != uuid.Nil {
			own.to.Conversation = r.Conversation.ID
		}
		var got []answered
		if i == 0 {
			got, err = own.inTurn(t.Context(), far.Store)
			require.NoError(t, err)
		} else {
			got = own.atOnce(t, far)
		}
		all[i] = withoutIDs(t, got)
	}
	assert.Equal(t, all[0], all[1])
}

type stillClock struct{}

func (stillClock) Now() time.Time { return morning }

func still() []convo.Option { return []convo.Option{convo.WithClock(stillClock{})} }

func TestWhatANextCallWouldLoadIsForeseen(t *testing.T) {
	ana := convo.ByUser("ana")
	s := &story{to: convo.ToConversation("acme", seedID), opts: still, calls: [][]convo.Command{
		{convo.Note{By: ana, Body: "called"}},
		{convo.Close{By: ana}},
		{convo.Receive{Body: "hi"}}, // into another one
		{convo.Note{By: ana, Body: "called again"}},
		{convo.Prioritize{By: ana, Priority: convo.PriorityHigh}},
	}}
	s.assertSame(t)
}

func TestEachGoesByThePolicyOfItsChannel(t *testing.T) {
	ana := convo.ByUser("ana")
	to := func(channel string) []convo.Command {
		return []convo.Command{convo.Close{By: ana}, convo.Open{By: ana, Channel: channel}}
	}
	long := []convo.Command{convo.Note{By: ana, Body: "longer than mail allows"}}
	s := &story{to: hot, calls: [][]convo.Command{long, to("mail"), long, to("chat"), long}}
	s.opts = func() []convo.Option {
		return append(still(), convo.WithPolicies(
			func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
				p := &convo.Policy{}
				if of.Channel == "mail" {
					p.MaxBody, p.AutoClose.After = 4, convo.Duration(time.Hour)
				}
				return p, nil
			}))
	}
	s.assertSame(t)
	s.calls = [][]convo.Command{long, to("mail")} // the last one is armed by mail's
	s.assertSame(t)
}

func TestAnAddressIsNotLinkedAndUnlinkedInOneCommit(t *testing.T) {
	ana, far := convo.ByUser("ana"), &distant{Store: memstore.New()}
	s := messages(0)
	s.to = convo.Ref{Workspace: "acme", Contact: "susan",
		Address: convo.Address{Channel: "sms", Value: "+49"}}
	s.calls = [][]convo.Command{
		{convo.Open{By: ana}}, {convo.UnlinkAddress{By: ana}}, {convo.LinkAddress{By: ana}},
	}
	for i, a := range s.atOnce(t, far) {
		assert.Empty(t, a.Err, i)
	}
	assert.Zero(t, far.refused.Load())
}
