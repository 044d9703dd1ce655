package convo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/convotest"
	"github.com/chatlifecycle/convo/memstore"
)

// withResponses has a quarter of an hour for the first reply, and for each later one.
func withResponses(t *testing.T, merge convo.MergeMode) (*convotest.Kit, *convo.Policy) {
	t.Helper()
	p := convo.Policy{Merge: merge, Deadlines: append(
		convo.ServiceLevel(15*time.Minute, 16*time.Hour, ""),
		convo.Deadline{Name: "next_response", After: convo.Duration(15 * time.Minute),
			Target: convo.TargetNextResponse},
	)}
	return convotest.New(t, memstore.New(), convo.WithPolicy(p)), &p
}

// running are the response targets that run on a conversation, by when they are due after it all
// began.
func running(k *convotest.Kit, c convo.Conversation, p *convo.Policy) map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, timer := range convo.Timers(c, p) {
		if timer.Target != convo.TargetResolution {
			all[timer.Name] = timer.Due.Sub(convotest.Start)
		}
	}
	return all
}

// A merge closes the secondary's conversation, and a closing ends a wait: docs/contacts.md says so,
// and what has it go on.
func TestAMergeEndsTheWaitOfWhatItCloses(t *testing.T) {
	const minute = time.Minute
	merge := func(t *testing.T, mode convo.MergeMode, primary string, before ...convo.Command) (
		*convotest.Kit, *convo.Policy, convo.MergeResult,
	) {
		k, p := withResponses(t, mode)
		k.Answered("carl")
		k.Clock.Add(5 * minute)
		k.Opened("carla") // and waits
		k.Clock.Add(5 * minute)
		if before != nil {
			k.Did("carla", before...)
		}
		secondary := map[string]string{"carl": "carla", "carla": "carl"}[primary]
		r, err := k.Merge(t.Context(), convo.Merge{Workspace: convotest.Workspace,
			By: convotest.Agent, Primary: primary, Secondary: secondary})
		require.NoError(t, err)
		return k, p, r
	}
	active := func(k *convotest.Kit, of string) (all []convo.Conversation) {
		for c, err := range k.AllConversations(t.Context(), convo.Filter{
			Workspace: convotest.Workspace, Contact: of, Status: []convo.Status{convo.StatusOpen},
		}) {
			require.NoError(t, err)
			all = append(all, c)
		}
		return all
	}

	k, p, r := merge(t, convo.MergeClose, "carl")
	closing := r.Events[0]
	assert.Equal(t, convo.ConversationClosed, closing.Kind)
	assert.Equal(t, convo.TurnContactWaiting, closing.Before().Turn, "it tells that she waits")
	_, ended := closing.Marks().Of("first_response")
	assert.False(t, ended, "neither met nor missed")
	met, _ := closing.Marks().Of("resolution")
	assert.Equal(t, convo.MarkMet, met.Result)
	require.Len(t, active(k, "carl"), 1)
	for _, cmd := range []convo.Command{
		convo.Note{By: convotest.Agent, Body: "She waits."},
		convo.Assign{By: convotest.Agent, Assignee: "agent"},
		convo.Prioritize{By: convotest.Agent, Priority: convo.PriorityHigh},
		convo.Send{By: convotest.Agent, Body: "We are at it."},
	} {
		assert.Empty(t, running(k, k.Did("carl", cmd), p), "%T begins no wait", cmd)
	}

	k, p, r = merge(t, convo.MergeClose, "carl")
	waited := r.Conversations[0].Cycle.WaitingSince
	c := k.Did("carl", convo.Receive{Body: "Is anybody there?", SentAt: waited})
	assert.Equal(t, map[string]time.Duration{"next_response": 20 * minute}, running(k, c, p),
		"her message, told again with its time, waits as before")

	k, p, _ = merge(t, convo.MergeClose, "carla")
	require.Len(t, active(k, "carla"), 1)
	assert.Equal(t, map[string]time.Duration{"first_response": 20 * minute},
		running(k, active(k, "carla")[0], p), "who waits is the primary")

	k, p, _ = merge(t, convo.MergeTransfer, "carl",
		convo.Move{By: convotest.Agent, Lane: new("carla")})
	require.Len(t, active(k, "carl"), 2)
	assert.Equal(t, map[string]time.Duration{"first_response": 20 * minute},
		running(k, active(k, "carl")[0], p), "it has a lane of its own, and goes on")
}

// Each is on docs/sla.md.
func TestWhatIsAlertedFor(t *testing.T) {
	const minute = time.Minute
	agent := convotest.Agent

	k, p := withResponses(t, convo.MergeClose)
	k.Opened("reopened")
	k.Did("reopened", convo.Close{By: agent})
	assert.Empty(t, running(k, k.Did("reopened", convo.Reopen{By: agent}), p),
		"a closing ends the wait, and a reopening does not begin it again")
	assert.Len(t, running(k, k.Did("reopened", convo.Receive{Body: "?"}), p), 1, "a message does")

	missed := func(c convo.Conversation, name string) convo.MarkResult {
		m, _ := c.Marks.Of(name)
		return m.Result
	}
	k, _ = withResponses(t, convo.MergeClose)
	k.Opened("blocked")
	k.Did("blocked", convo.Block{By: agent})
	m := k.Opened("retracted")
	all, err := k.Transcript(t.Context(), convo.ToConversation(convotest.Workspace, m.ID),
		convo.EventCursor{}, 10)
	require.NoError(t, err)
	k.Did("retracted", convo.Retract{By: convo.ByContact(), Message: all[1].ID})
	k.Pass(20 * minute)
	for _, contact := range []string{"blocked", "retracted"} {
		c, err := k.Conversation(t.Context(), k.Ref(contact))
		require.NoError(t, err)
		assert.Equal(t, convo.MarkMissed, missed(c, "first_response"), contact)
	}

	k, _ = withResponses(t, convo.MergeClose)
	k.Opened("told late")
	k.Clock.Add(20 * minute)
	r, err := k.Do(t.Context(), k.Ref("told late"),
		convo.Send{By: agent, Body: "Yes?", SentAt: k.Clock.Now().Add(-10 * minute)})
	require.NoError(t, err)
	late, _ := r.Events[0].Marks().Of("first_response")
	assert.Equal(t, convo.MarkMissed, late.Result, "by when it was recorded")
	took, _ := r.Conversation.Cycle.FirstResponseTime()
	assert.Equal(t, 10*minute, took, "by when it was sent")

	k, p = withResponses(t, convo.MergeClose)
	k.Clock.Add(30 * minute)
	c := k.Did("came late", convo.Receive{Body: "Hello?", SentAt: convotest.Start})
	assert.Equal(t, map[string]time.Duration{"first_response": 30 * minute}, running(k, c, p))
	k.Pass(time.Second)
	c, err = k.Conversation(t.Context(), k.Ref("came late"))
	require.NoError(t, err)
	assert.Equal(t, convo.MarkMissed, missed(c, "first_response"), "at once")
}

// A policy that comes later begins when it is first applied.
func TestServiceLevelsOfWhatIsOpenAlready(t *testing.T) {
	store := memstore.New()
	k := convotest.New(t, store)
	k.Opened("ann")
	k.Clock.Add(time.Hour)
	_, p := withResponses(t, convo.MergeClose)
	engine, err := convo.New(store, convo.WithClock(k.Clock), convo.WithPolicy(*p))
	require.NoError(t, err)
	n, err := engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	assert.Zero(t, n)
	_, err = engine.Rearm(t.Context(), convotest.Workspace)
	require.NoError(t, err)
	c, err := engine.Conversation(t.Context(), k.Ref("ann"))
	require.NoError(t, err)
	assert.Equal(t, k.Clock.Now(), c.Deadline, "what is overdue by it alone is due now")
}
