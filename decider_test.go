package convo_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
	"github.com/chatlifecycle/convo/memstore"
)

// Deciding in place. That it decides what Decide does is checked wherever a decision is:
// world.CheckInPlace.

func TestADeciderWritesOverItsEventsOnlyWhenItIsTold(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		s, d := threadIn(t, convo.StateOpen), convo.Decider{Reuse: reuse}
		decide := func(cmd convo.Command) []convo.Event {
			_, err := d.Decide(&s, morning, nil, cmd)
			require.NoError(t, err)
			return d.Events()
		}
		first := decide(convo.Send{By: agentAna, Body: "hello", Attachments: []byte(`[1]`)})
		kept := first[0]
		require.Equal(t, "hello", first[0].Message().Body)
		second := decide(convo.Note{By: agentAna, Body: "called"})
		assert.Equal(t, reuse, &first[0] == &second[0])
		assert.Equal(t, reuse, kept.Message().Body == "called", "its payload")
		assert.Zero(t, second[0].Message().Attachments, "nothing of the first one is left")
	}
}

func TestARefusalInPlaceLeavesTheSnapshotAsItWas(t *testing.T) {
	s, d := threadIn(t, convo.StateOpen), convo.Decider{Reuse: true}
	p := convo.Policy{Deadlines: []convo.Deadline{convo.TakeBack(time.Hour)}}
	_, err := d.Decide(&s, s.Conversation.UpdatedAt.Add(time.Hour), &p, convo.Receive{Body: "hi"})
	require.NoError(t, err)
	before := s
	reopen := convo.Reopen{By: convo.Actor{Type: "nobody"}}
	for _, cmds := range [][]convo.Command{
		{reopen}, {convo.Close{By: agentAna}, convo.Open{By: agentAna}, reopen},
	} {
		// An hour earlier: what was armed by a clock that ran ahead is armed by this one.
		_, err := d.Decide(&s, morning.Add(-time.Hour), &p, cmds...)
		require.ErrorIs(t, err, convo.ErrInvalid)
		assert.Equal(t, before, s)
		assert.Empty(t, d.Events())
	}
}

func TestAClosedConversationMovesInPlaceBesideAnActiveOne(t *testing.T) {
	s := threadIn(t, convo.StateClosed)
	s.Target = convo.MoveTarget{
		Contact: convo.Contact{Workspace: tenant, ID: "dora", Version: 1}, Active: seedID,
	}
	move := convo.Move{By: agentAna, Contact: "dora"}
	want, err := convo.Decide(s, morning, nil, move)
	require.NoError(t, err)
	world.CheckInPlace(t, want, nil, s, morning, &convo.Policy{}, []convo.Command{move})
	require.Equal(t, seedID, want.Change.After(s).Active)
}

func TestAPlanTakesThePlaceOfWhatWasThere(t *testing.T) {
	s, d := threadIn(t, convo.StateOpen), convo.Decider{}
	first, err := convo.Decide(s, morning, nil, convo.Close{By: agentAna})
	require.NoError(t, err)
	want, err := convo.Decide(s, morning, nil, convo.Note{By: agentAna, Body: "called"})
	require.NoError(t, err)
	_, err = d.Decide(&s, morning, nil, convo.Note{By: agentAna, Body: "called"})
	require.NoError(t, err)
	d.Plan(&s, &first.Change)
	assert.Equal(t, want.Change, first.Change)
}

func TestDecidingInPlaceTakesNoMemory(t *testing.T) {
	cmds := []convo.Command{
		convo.Open{By: agentAna}, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hi"},
		convo.Note{By: agentAna, Body: "called"}, convo.Assign{By: agentAna, Assignee: "ben"},
		convo.Assign{By: agentAna}, convo.SetPending{By: agentAna}, convo.Resume{By: agentAna},
		convo.Close{By: agentAna, Summary: "done"}, convo.AmendClosing{By: agentAna, Summary: "all"},
	}
	p := convo.Policy{Open: convo.OnClosed{Mode: convo.OnClosedReopen}}
	for _, c := range []struct {
		d    convo.Decider
		most float64 // one piece for each command
	}{{convo.Decider{Reuse: true}, 0}, {convo.Decider{}, float64(len(cmds))}} {
		s := threadIn(t, convo.StateClosed)
		got := testing.AllocsPerRun(200, func() {
			for _, cmd := range cmds {
				_, err := c.d.Decide(&s, morning, &p, cmd)
				if err != nil || len(c.d.Events()) == 0 {
					t.Fatal(err)
				}
			}
		})
		assert.LessOrEqual(t, got, c.most)
		var refused convo.Command = convo.Send{By: agentAna, Body: "more"}
		got = testing.AllocsPerRun(200, func() { _, _ = c.d.Decide(&s, morning, &p, refused) })
		assert.LessOrEqual(t, got, 1.0, "the error")
	}
}

// What Do returns, and what observers get, is in memory of its own, whatever other calls do.
func TestTheEventsOfACallStayAsTheyAre(t *testing.T) {
	var mu sync.Mutex
	var observed [][]convo.Event
	store := memstore.New()
	e, err := convo.New(store, convo.WithObserver(func(_ context.Context, all []convo.Event) {
		mu.Lock()
		defer mu.Unlock()
		observed = append(observed, all)
	}), convo.WithGuard(func(_ context.Context, loaded convo.Snapshot, ch convo.Change) error {
		if loaded.Conversation.Version >= ch.Conversation.Version {
			return fmt.Errorf("loaded %d", loaded.Conversation.Version)
		}
		return nil
	}))
	require.NoError(t, err)
	const callers, calls = 8, 50
	returned := make([][][]convo.Event, callers)
	var all sync.WaitGroup
	for i := range callers {
		to := toContact(strconv.Itoa(i))
		all.Go(func() {
			do := func(cmds ...convo.Command) {
				r, err := e.Do(t.Context(), to, cmds...)
				if assert.NoError(t, err) {
					returned[i] = append(returned[i], r.Events)
				}
			}
			for n := range calls {
				body := fmt.Sprintf("%d of %d", n, i)
				do(convo.Receive{Channel: "sms", Body: body})
				do(convo.Send{By: agentAna, Body: "re " + body})
				_, err := e.Do(t.Context(), to, convo.Reopen{By: convo.Actor{Type: "nobody"}})
				assert.ErrorIs(t, err, convo.ErrInvalid)
			}
			do(convo.SetPending{By: agentAna}, convo.Resume{By: agentAna})
			do(convo.Close{By: agentAna, Summary: "done"})
		})
	}
	all.Wait()
	for i := range callers {
		s, err := store.Load(t.Context(), toContact(strconv.Itoa(i)))
		require.NoError(t, err)
		f := convo.EventFilter{Workspace: "acme", Conversation: s.Conversation.ID, Limit: 1000}
		logged, err := store.Events(t.Context(), f)
		require.NoError(t, err)
		for from, calls := range map[string][][]convo.Event{
			"returned": returned[i], "observed": observed,
		} {
			var got []convo.Event
			for _, events := range calls {
				if events[0].Conversation == s.Conversation.ID {
					got = append(got, events...)
				}
			}
			require.Equal(t, logged, got, from)
		}
	}
}

// A host that keeps its snapshots and encodes events as they come decides in memory of its own.
func ExampleDecider() {
	ann := convo.ToContact("acme", "ann")
	s := convo.Snapshot{
		Ref: ann, Contact: convo.Contact{Workspace: "acme", ID: "ann"},
		Next: uuid.Must(uuid.NewV7()), // the first id; further ones count up from it
	}
	d := convo.Decider{Reuse: true}
	for _, cmd := range []convo.Command{
		convo.Receive{Body: "Hello"}, convo.Send{By: convo.ByUser("ana"), Body: "Hello, Ann"},
	} {
		outcome, err := d.Decide(&s, time.Now(), nil, cmd)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(outcome)
		for _, e := range d.Events() { // until the next Decide
			fmt.Println(e.Seq, e.Kind)
		}
	}
	fmt.Println(s.Conversation.Status, s.Conversation.Cycle.Responses)
	// Output:
	// opened
	// 1 conversation_opened
	// 2 message_received
	// recorded
	// 3 message_sent
	// open 1
}

// An address of a merged contact is taken off: decided, folded, and as a store would load it, it is
// nobody's, and what is decided next is in nobody else's log.
func TestAnAddressOfAMergedContactIsNobodysOnceItIsTakenOff(t *testing.T) {
	sms := convo.Address{Channel: "sms", Value: "1"}
	s := convo.Snapshot{
		Ref:          convo.Ref{Workspace: tenant, Contact: "root", Address: sms},
		Contact:      convo.Contact{Workspace: tenant, ID: "root", Version: 3},
		AddressOwner: "root", Next: seedID,
		LogOf: convo.Contact{Workspace: tenant, ID: "member", MergedInto: "root", Version: 7},
	}
	unlink := convo.UnlinkAddress{By: agentAna}
	d, err := convo.Decide(s, morning, nil, unlink)
	require.NoError(t, err)
	require.Len(t, d.Change.Events, 2)
	root, member := d.Change.Events[0], d.Change.Events[1]
	assert.Equal(t, []any{"root", int64(4), convo.Address{}},
		[]any{root.Contact, root.Seq, root.Address()})
	assert.Equal(t, []any{"member", int64(8), sms},
		[]any{member.Contact, member.Seq, member.Address()})

	decided, folded, after := s, s, d.Change.After(s)
	_, err = new(convo.Decider).Decide(&decided, morning, nil, unlink)
	require.NoError(t, err)
	for i := range d.Change.Events {
		folded = convo.Apply(folded, d.Change.Events[i])
	}
	for of, got := range map[string]convo.Snapshot{
		"decided": decided, "folded": folded, "after": after,
	} {
		assert.Empty(t, got.AddressOwner, of)
		assert.Equal(t, int64(4), got.Contact.Version, of)
	}
	assert.Zero(t, decided.LogOf)
	assert.Zero(t, after.LogOf)
}
