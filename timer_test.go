package convo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
)

// closeAfter closes what a user's message left unanswered for so long.
func closeAfter(d time.Duration) convo.Policy {
	return convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(d), Category: "Gone",
		Summary: "no answer"}}
}

func closeAfterAnyEvent(d time.Duration) convo.Policy {
	p := closeAfter(d)
	p.AutoClose.Since = convo.SinceAnyEvent
	return p
}

// nextDue is when something is due on carl's conversation, and what.
func (d *desk) nextDue(p convo.Policy) (time.Time, string) {
	d.t.Helper()
	thread, err := d.store.Load(context.Background(), toContact("carl"))
	require.NoError(d.t, err)
	return world.NextDue(thread, &p)
}

func TestAPendingConversationWakesAtItsTime(t *testing.T) {
	d := openDesk(t)
	until := morning.Add(time.Hour)
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna, Until: until}).Conversation.ID
	at, reason := d.nextDue(convo.Policy{})
	assert.Equal(t, until, at)
	assert.Equal(t, convo.TimerWake, reason)
	assert.Equal(t, until, d.get(id).DueAt)

	d.wait(time.Hour - time.Microsecond)
	assert.Zero(t, d.tick(), "not a microsecond early")
	d.wait(time.Microsecond)
	assert.Equal(t, 1, d.tick())
	c := d.get(id)
	assert.Equal(t, convo.StatusOpen, c.Status)
	assert.Zero(t, c.DueAt)
	woke := d.log(id)[3]
	assert.Equal(t, convo.ConversationResumed, woke.Kind)
	assert.Equal(t, convo.BySystem(), woke.By)
	assert.Equal(t, convo.SourceTimer, woke.Source)
	assert.Equal(t, until, woke.At)
	assert.Zero(t, d.tick(), "once")
}

func TestATickThatComesLateStampsWithTheTimeThatWasDue(t *testing.T) {
	d := openDesk(t)
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation.ID
	d.wait(30 * 24 * time.Hour) // nothing ran for a month
	assert.Equal(t, 1, d.tick())
	c := d.get(id)
	assert.Equal(t, morning.Add(time.Hour), c.UpdatedAt)
	assert.Equal(t, time.Hour, c.Cycle.PendingTime(),
		"measures do not depend on how often Tick runs")
}

func TestATickIsNeverStampedBeforeTheLastEvent(t *testing.T) {
	d := openDesk(t)
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation.ID
	d.wait(2 * time.Hour)
	d.do(toContact("carl"), convo.Note{By: agentAna, Body: "n"}) // an hour after it was due
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, morning.Add(2*time.Hour), d.get(id).UpdatedAt)
}

func TestWithoutATimeItWaits(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(closeAfter(time.Hour)))
	d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hi"},
		convo.SetPending{By: agentAna})
	at, reason := d.nextDue(closeAfter(time.Hour))
	assert.Zero(t, at)
	assert.Empty(t, reason)
	d.wait(1000 * time.Hour)
	assert.Zero(t, d.tick())
	assert.Equal(t, convo.OutcomeResumed, d.do(toContact("carl"),
		convo.Receive{Body: "hi"}).Outcome)
}

func TestInactivityCountsFromTheLastMessageOfAUser(t *testing.T) {
	p := closeAfter(time.Hour)
	d := openDesk(t, convo.WithPolicy(p))
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
	at, _ := d.nextDue(p)
	assert.Zero(t, at, "the contact waits, not we")
	d.do(toContact("carl"), convo.Send{By: flowBot, Body: "one moment"})
	at, _ = d.nextDue(p)
	assert.Zero(t, at, "automation does not arm it")
	d.wait(time.Minute)
	d.do(toContact("carl"), convo.Send{By: agentAna, Body: "hello"})
	d.wait(time.Minute)
	d.do(toContact("carl"), convo.Send{By: agentAna, Body: "are you there?"})
	d.wait(time.Minute)
	d.do(toContact("carl"), convo.Send{By: flowBot, Body: "rate us"},
		convo.Note{By: agentAna, Body: "n"}, convo.Assign{By: agentAna, Assignee: "ben"})
	at, reason := d.nextDue(p)
	assert.Equal(t, morning.Add(62*time.Minute), at)
	assert.Equal(t, convo.TimerAutoClose, reason)

	d.wait(59*time.Minute - time.Microsecond)
	assert.Zero(t, d.tick())
	d.wait(time.Microsecond)
	assert.Equal(t, 1, d.tick())
	c := d.get(id)
	assert.Equal(t, convo.Closing{
		At: morning.Add(62 * time.Minute), By: convo.BySystem(), Source: convo.SourceInactivity,
		Category: "Gone", Summary: "no answer",
	}, c.Cycle.Closing)
}

func TestAReplyCancelsTheClosing(t *testing.T) {
	p := closeAfter(time.Hour)
	d := openDesk(t, convo.WithPolicy(p))
	d.do(toContact("carl"), convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "hello"})
	d.wait(30 * time.Minute)
	id := d.do(toContact("carl"), convo.Receive{Body: "thanks"}).Conversation.ID
	at, _ := d.nextDue(p)
	assert.Zero(t, at)
	d.wait(10 * time.Hour)
	assert.Zero(t, d.tick())
	assert.Equal(t, convo.StatusOpen, d.get(id).Status)
	assert.Zero(t, d.get(id).DueAt, "the hint that came up for nothing is gone")
}

func TestAReplyThatComesBeforeTheTickCancelsTheClosingToo(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(closeAfter(time.Hour)))
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}).Conversation.ID
	d.wait(3 * time.Hour)
	d.do(toContact("carl"), convo.Receive{Body: "I was out"})
	assert.Zero(t, d.tick())
	assert.Equal(t, convo.StatusOpen, d.get(id).Status)
}

func TestInactivityMayCountFromAnyEvent(t *testing.T) {
	p := closeAfterAnyEvent(time.Hour)
	d := openDesk(t, convo.WithPolicy(p))
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
	for _, cmd := range []convo.Command{
		convo.Note{By: agentAna, Body: "n"}, convo.Assign{By: agentAna,
			Assignee: "ana"}, convo.Send{By: flowBot, Body: "hi"}, convo.Receive{Body: "?"},
	} {
		d.wait(50 * time.Minute)
		d.do(toContact("carl"), cmd)
		assert.Zero(t, d.tick())
	}
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, d.clock.Now().UTC(), d.get(id).Cycle.Closing.At)
}

func TestAnAutomaticClosingIsExemptFromTheRulesButNotFromTheRest(t *testing.T) {
	p := everything()
	d := openDesk(t, convo.WithPolicy(p))
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.Assign{By: agentAna, Assignee: "ana"}).Conversation.ID
	d.wait(2 * time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, []convo.EventKind{convo.ConversationClosed, convo.NoticePosted,
		convo.ConversationAssigned}, kindsOf(d.log(id)[3:]))
	assert.Equal(t, "Gone", d.get(id).Cycle.Closing.Category,
		"which is none of the policy's categories")
}

func TestPendingGoesBeforeInactivity(t *testing.T) {
	for _, p := range []convo.Policy{closeAfter(time.Hour), closeAfterAnyEvent(time.Hour)} {
		d := openDesk(t, convo.WithPolicy(p))
		id := d.do(toContact("carl"), convo.Open{By: agentAna},
			convo.Send{By: agentAna, Body: "hello"},
			convo.SetPending{By: agentAna, Until: morning.Add(5 * time.Hour)}).Conversation.ID
		at, reason := d.nextDue(p)
		assert.Equal(t, morning.Add(5*time.Hour), at)
		assert.Equal(t, convo.TimerWake, reason)
		d.wait(4 * time.Hour)
		assert.Zero(t, d.tick())
		assert.Equal(t, convo.StatusPending, d.get(id).Status)
	}
}

func TestWakingStartsTheCountAnew(t *testing.T) {
	for _, p := range []convo.Policy{closeAfter(time.Hour), closeAfterAnyEvent(time.Hour)} {
		d := openDesk(t, convo.WithPolicy(p))
		id := d.do(toContact("carl"), convo.Open{By: agentAna},
			convo.Send{By: agentAna, Body: "hello"},
			convo.SetPending{By: agentAna, Until: morning.Add(5 * time.Hour)}).Conversation.ID
		d.wait(5 * time.Hour)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, convo.StatusOpen, d.get(id).Status,
			"it is not closed in the moment in which it wakes")
		at, reason := d.nextDue(p)
		assert.Equal(t, morning.Add(6*time.Hour), at)
		assert.Equal(t, convo.TimerAutoClose, reason)
		d.wait(time.Hour)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, morning.Add(6*time.Hour), d.get(id).Cycle.Closing.At)
	}
}

func TestResumingStartsTheCountAnew(t *testing.T) {
	for _, resume := range []convo.Command{convo.Resume{By: agentAna}, convo.Open{By: flowBot}} {
		p := closeAfter(time.Hour)
		d := openDesk(t, convo.WithPolicy(p))
		id := d.do(toContact("carl"), convo.Open{By: agentAna},
			convo.Send{By: agentAna, Body: "hello"}, convo.SetPending{By: agentAna}).Conversation.ID
		d.wait(24 * time.Hour)
		d.do(toContact("carl"), resume)
		assert.Zero(t, d.tick())
		assert.Equal(t, convo.StatusOpen, d.get(id).Status,
			"what somebody takes up again is not closed under their hands")
	}
}

func TestWakingArmsNothingWhereTheContactHasAnswered(t *testing.T) {
	p := closeAfter(time.Hour)
	d := openDesk(t, convo.WithPolicy(p))
	id := d.do(toContact("carl"), convo.Receive{Body: "hi"},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation.ID
	d.wait(100 * time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.StatusOpen, d.get(id).Status)
	at, _ := d.nextDue(p)
	assert.Zero(t, at)
}

func TestAllThatIsOverdueIsDoneInOneTick(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(closeAfter(time.Hour)))
	id := d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hello"},
		convo.SetPending{By: agentAna, Until: morning.Add(5 * time.Hour)}).Conversation.ID
	d.wait(30 * 24 * time.Hour)
	assert.Equal(t, 2, d.tick(), "it woke, and then nobody came")
	c := d.get(id)
	assert.Equal(t, convo.StatusClosed, c.Status)
	assert.Equal(t, morning.Add(6*time.Hour), c.Cycle.Closing.At)
	assert.Equal(t, 5*time.Hour, c.Cycle.PendingTime())
	assert.Zero(t, c.DueAt)
	assert.Zero(t, d.tick())
}

func TestMessagesDoNotMoveTheTimer(t *testing.T) {
	p := closeAfter(time.Hour)
	s := shake(newStore())
	d := openDeskOn(t, s, convo.WithPolicy(p))
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}).Conversation.ID
	armed := d.get(id).DueAt
	assert.Equal(t, morning.Add(time.Hour), armed)
	for range 5 {
		d.wait(10 * time.Minute)
		d.do(toContact("carl"), convo.Receive{Body: "?"}, convo.Send{By: agentAna, Body: "!"})
		assert.Equal(t, armed, d.get(id).DueAt, "the index of timers is not touched")
	}
	d.wait(10 * time.Minute) // the hint comes up, for nothing
	version := d.get(id).Version
	assert.Zero(t, d.tick())
	assert.Equal(t, morning.Add(110*time.Minute), d.get(id).DueAt, "and is armed anew")
	assert.Equal(t, version, d.get(id).Version)
	s.calls = nil
	assert.Zero(t, d.tick())
	assert.Zero(t, s.count("Commit"))
	d.wait(50 * time.Minute)
	assert.Equal(t, 1, d.tick())
}

func TestAnEarlierTimeMovesTheTimer(t *testing.T) {
	d := openDesk(t)
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna, Until: morning.Add(5 * time.Hour)}).Conversation.ID
	d.do(toContact("carl"), convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
	assert.Equal(t, morning.Add(time.Hour), d.get(id).DueAt)
	d.do(toContact("carl"), convo.SetPending{By: agentAna, Until: morning.Add(9 * time.Hour)})
	assert.Equal(t, morning.Add(time.Hour), d.get(id).DueAt,
		"a later one is found when the hint comes up")
	d.wait(time.Hour)
	assert.Zero(t, d.tick())
	assert.Equal(t, morning.Add(9*time.Hour), d.get(id).DueAt)
}

// A blocking bars what opens and messages; what was due before is still done.
func TestTimersGoOnWhileTheContactIsBlocked(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(closeAfter(time.Hour)))
	id := d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hello"},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation.ID
	d.do(toContact("carl"), convo.Block{By: agentAna})
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.StatusOpen, d.get(id).Status, "it woke")
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.StatusClosed, d.get(id).Status, "and was closed")
}

func TestATransferredConversationKeepsItsTimer(t *testing.T) {
	p := closeAfter(time.Hour)
	p.Merge = convo.MergeTransfer
	d := openDesk(t, convo.WithPolicy(p))
	d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Close{By: agentAna})
	id := d.do(toContact("carla"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}).Conversation.ID
	d.merge("carl", "carla")
	d.wait(time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.SourceInactivity, d.get(id).Cycle.Closing.Source)
}

func TestANewPolicyTakesHoldOfTimersWithTheNextCommand(t *testing.T) {
	p := closeAfter(2 * time.Hour)
	d := openDesk(t, convo.WithPolicies(func(context.Context, convo.Scope) (*convo.Policy,
		error) {
		return &p, nil
	}))
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}).Conversation.ID

	p = closeAfter(4 * time.Hour) // later: the hint comes up too early
	d.wait(2 * time.Hour)
	assert.Zero(t, d.tick())
	p = closeAfter(time.Hour) // sooner: the next command, or the hint, finds it
	d.do(toContact("carl"), convo.Open{By: agentAna})
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.StatusClosed, d.get(id).Status)

	id = d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}).Conversation.ID
	p = convo.Policy{} // never
	d.wait(100 * time.Hour)
	assert.Zero(t, d.tick())
	assert.Equal(t, convo.StatusOpen, d.get(id).Status)
	assert.Zero(t, d.get(id).DueAt)
}

func TestTheThreadAndThePolicyTellWhatIsDue(t *testing.T) {
	at, reason := world.NextDue(threadIn(t, convo.StatePending), nil)
	assert.Equal(t, morning.Add(2*time.Hour), at)
	assert.Equal(t, convo.TimerWake, reason)
	for _, state := range []convo.State{convo.StateNone, convo.StateOpen, convo.StateClosed,
		convo.StateSuperseded} {
		at, reason = world.NextDue(threadIn(t, state), nil)
		assert.Zero(t, at)
		assert.Empty(t, reason)
	}
}

func TestManyRunnersDoEachDueThingOnce(t *testing.T) {
	const n = 60
	p := closeAfter(time.Hour)
	store := newStore()
	d := openDeskOn(t, store, convo.WithPolicy(p))
	for i := range n {
		cmds := []convo.Command{convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hello"}}
		if i%2 == 0 {
			cmds = append(cmds, convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
		}
		d.do(toContact(fmt.Sprint("c", i)), cmds...)
	}
	d.wait(3 * time.Hour)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for range 4 {
		runner, err := convo.New(store, convo.WithPolicy(p), convo.WithClock(d.clock))
		require.NoError(t, err)
		wg.Go(func() {
			for {
				done, err := runner.Tick(context.Background(), 7)
				assert.NoError(t, err)
				mu.Lock()
				total += done
				mu.Unlock()
				if done == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, n+n/2, total)
	for _, c := range dumpOf(t, store, tenant).Conversations {
		assert.Equal(t, convo.StatusClosed, c.Status)
	}
}

func TestATickHandlesNoMoreThanItsLimit(t *testing.T) {
	d := openDesk(t)
	for i := range 10 {
		d.do(toContact(fmt.Sprint("c", i)), convo.Open{By: agentAna},
			convo.SetPending{By: agentAna, Until: morning.Add(time.Duration(10-i) * time.Minute)})
	}
	d.wait(time.Hour)
	for _, want := range []int{4, 4, 2, 0} {
		n, err := d.Tick(t.Context(), 4)
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
}

// lameStore cannot load some conversations.
type lameStore struct {
	convo.Store
	lame map[uuid.UUID]error
}

func (s *lameStore) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	if err := s.lame[to.Conversation]; err != nil {
		return convo.Snapshot{}, err
	}
	return s.Store.Load(ctx, to)
}

func TestAConversationThatFailsDoesNotKeepTheOthersWaiting(t *testing.T) {
	errA, errB := errors.New("broken a"), errors.New("broken b")
	for _, limit := range []int{1, 2, 3, 5, 100} {
		s := &lameStore{newStore(), map[uuid.UUID]error{}}
		d := openDeskOn(t, s)
		var ids []uuid.UUID
		for i := range 6 {
			r := d.do(toContact(fmt.Sprint("c", i)), convo.Open{By: agentAna},
				convo.SetPending{By: agentAna,
					Until: morning.Add(time.Duration(i+1) * time.Minute)})
			ids = append(ids, r.Conversation.ID)
		}
		s.lame[ids[0]], s.lame[ids[2]] = errA, errB // the first is what is due first
		d.wait(time.Hour)
		done := 0
		for round := range 20 {
			n, err := d.Tick(t.Context(), limit)
			assert.ErrorIs(t, err, errA, "limit %d, round %d", limit, round)
			assert.ErrorContains(t, err, ids[0].String())
			d.wait(time.Hour) // so that they are not put off
			if done += n; n == 0 {
				assert.ErrorIs(t, err, errB)
				break
			}
			assert.LessOrEqual(t, n, limit)
		}
		assert.Equal(t, 4, done, "limit %d", limit)
		s.lame = nil
		assert.Equal(t, 2, d.tick())
	}
}

func TestATickSurvivesThatSomebodyElseWasFaster(t *testing.T) {
	s := shake(newStore())
	d := openDeskOn(t, s)
	id := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation.ID
	d.wait(2 * time.Hour)
	other, err := convo.New(s.Store, convo.WithClock(d.clock))
	require.NoError(t, err)
	var once sync.Once
	s.calls = nil
	s.before = func(call string, _ int) error {
		if call == "Commit" {
			once.Do(func() {
				_, err := other.Do(t.Context(), toContact("carl"), convo.Close{By: agentAna})
				require.NoError(t, err)
			})
		}
		return nil
	}
	assert.Zero(t, d.tick(), "there is nothing left to do")
	assert.Equal(t, convo.StatusClosed, d.get(id).Status)
	assert.Equal(t, 1, s.count("Commit"))
}

// TestTheHintIsNeverLaterThanWhatIsDue runs random scripts and compares after each step what the
// store has for its timers with what is due: a hint that is too early costs a look, one that is too
// late loses a closing.
func TestTheHintIsNeverLaterThanWhatIsDue(t *testing.T) {
	policies := []convo.Policy{
		{}, closeAfter(time.Hour), closeAfterAnyEvent(90 * time.Minute), everything(),
		{AutoClose: convo.AutoClose{After: convo.Duration(time.Hour)}, Merge: convo.MergeTransfer,
			StayPending: true},
	}
	contacts := []string{"carl", "dora"}
	steps := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := policies[seed%uint64(len(policies))]
		store := newStore()
		c := &readings{now: morning}
		e, err := convo.New(store, convo.WithPolicy(p), convo.WithClock(c))
		require.NoError(t, err)
		for range 60 {
			c.now = c.now.Add(time.Duration(r.IntN(50)) * time.Minute)
			to := toContact(contacts[r.IntN(len(contacts))])
			if all := dumpOf(t, store, tenant).Conversations; len(all) > 0 && r.IntN(4) == 0 {
				to = toConversation(all[r.IntN(len(all))].ID)
			}
			cmd := []convo.Command{
				convo.Open{By: agentAna}, convo.Receive{Body: "hi"}, convo.Send{By: agentAna,
					Body: "hello"},
				convo.Send{By: flowBot, Body: "hello"}, convo.Note{By: agentAna,
					Body: "n"}, convo.SetPending{By: agentAna},
				convo.SetPending{By: agentAna,
					Until: c.now.Add(time.Duration(1+r.IntN(300)) * time.Minute)},
				convo.Resume{By: agentAna},
				convo.Close{By: agentAna, Category: "Sales",
					Summary: "s"}, convo.Reopen{By: agentAna},
				convo.Assign{By: agentAna, Assignee: "ana"},
				convo.Block{By: agentAna}, convo.Unblock{By: agentAna}, convo.Unblock{By: agentAna},
			}
			switch i := r.IntN(len(cmd) + 4); {
			case i < len(cmd):
				_, _ = e.Do(t.Context(), to, cmd[i]) // a refusal is fine here
			case i == len(cmd) && r.IntN(10) == 0:
				_, _ = e.Merge(t.Context(), convo.Merge{Workspace: tenant, Primary: "carl",
					Secondary: "dora", By: agentAna})
			default:
				_, err := e.Tick(t.Context(), 1+r.IntN(5))
				require.NoError(t, err)
			}
			steps++
			all := dumpOf(t, store, tenant)
			all.verify(t)
			for _, conv := range all.Conversations {
				thread, err := store.Load(t.Context(), toConversation(conv.ID))
				require.NoError(t, err)
				if due, _ := world.NextDue(thread, &p); !due.IsZero() {
					require.False(t, conv.DueAt.IsZero(), "seed %d: due at %s, and no timer is set",
						seed, due)
					require.False(t, conv.DueAt.After(due), "seed %d", seed)
				}
			}
		}
		// In the end everything is quiet: what is due is done, and nothing is left behind.
		c.now = c.now.Add(1000 * time.Hour)
		for range 40 { // a tick may do nothing but move a hint
			_, err = e.Tick(t.Context(), 1)
			require.NoError(t, err)
		}
		for _, conv := range dumpOf(t, store, tenant).Conversations {
			require.True(t, conv.DueAt.IsZero())
			require.True(t, conv.PendingUntil.IsZero())
		}
	}
	t.Logf("%d steps", steps)
}

// Hints that only have to be moved do not keep what is due waiting for the next tick.
func TestTickGoesPastHintsThatOnlyHadToBeMoved(t *testing.T) {
	d := openDesk(t, closesAfter(time.Hour))
	for i := range 20 { // these wrote again: their hints are too early
		to := toContact(fmt.Sprint("stale ", i))
		d.do(to, convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hi"})
	}
	d.clock.Add(time.Minute)
	for i := range 7 {
		d.do(toContact(fmt.Sprint("due ", i)), convo.Open{By: agentAna},
			convo.Send{By: agentAna, Body: "hi"})
	}
	d.clock.Add(58 * time.Minute)
	for i := range 20 {
		d.do(toContact(fmt.Sprint("stale ", i)), convo.Send{By: agentAna, Body: "still there?"})
	}
	d.clock.Add(2 * time.Minute)
	for _, want := range []int{5, 2, 0} {
		n, err := d.Tick(t.Context(), 5)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
}

// What a lane waits for, nobody waits for elsewhere: a Move takes the timer of where it goes.
func TestAMoveGoesByThePolicyOfWhereItGoes(t *testing.T) {
	slow, fast := closeAfter(10*time.Hour), closeAfter(time.Hour)
	d := openDesk(t, convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy,
		error) {
		switch of.Lane {
		case "slow":
			return &slow, nil
		case "fast":
			return &fast, nil
		}
		return &convo.Policy{}, nil
	}))
	c := d.do(toContact("carl"), convo.Open{By: agentAna},
		convo.Send{By: agentAna, Body: "hello"}).Conversation
	assert.Zero(t, c.DueAt)
	c = d.do(toConversation(c.ID), convo.Move{By: agentAna, Lane: new("slow")}).Conversation
	assert.Equal(t, morning.Add(10*time.Hour), c.DueAt)
	c = d.do(toConversation(c.ID), convo.Move{By: agentAna, Contact: "dora",
		Lane: new("fast")}).Conversation
	assert.Equal(t, morning.Add(time.Hour), c.DueAt)
	d.wait(2 * time.Hour)
	assert.Equal(t, 1, d.tick())
	assert.Equal(t, convo.StatusClosed, d.get(c.ID).Status)
}
