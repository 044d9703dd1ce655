package convo_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

func TestARatingIsOfACycleAndReplaceable(t *testing.T) {
	d := openDesk(t)
	k := toContact("carl")
	c := d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna}).Conversation
	assert.Equal(t, 1, c.Unrated)
	to := toConversation(c.ID)
	d.wait(time.Minute)
	first := d.clock.Now().UTC()
	r := d.do(to, convo.Rate{Score: 2, Comment: "slow"})
	assert.Equal(t, convo.OutcomeRated, r.Outcome)
	assert.Equal(t, convo.Rating{At: first, Score: 2, Comment: "slow"}, r.Conversation.Cycle.Rating)
	assert.Equal(t, convo.Rated{
		Before: convo.Before{
			Status: convo.StatusClosed, Cycle: 1, OpenedSource: convo.SourceIncomingMessage,
			ClosedBy: agentAna,
		},
		Score: 2, Comment: "slow",
	}, r.Events[0].Rated())
	assert.Equal(t, convo.OutcomeUnchanged, d.do(to, convo.Rate{Score: 2, Comment: "slow"}).Outcome)
	d.wait(time.Minute)
	r = d.do(to, convo.Rate{Score: 5})
	assert.Equal(t, convo.Rating{At: first, Score: 5}, r.Conversation.Cycle.Rating,
		"the value is replaced, the first one's time stays")

	d.do(to, convo.Reopen{By: visitor}, convo.Close{By: agentAna}, convo.Reopen{By: visitor})
	r = d.do(to, convo.Rate{Score: 3})
	assert.Equal(t, 2, r.Events[0].Rated().Cycle, "the last closed one has none")
	assert.Zero(t, r.Conversation.Cycle.Rating)
	r = d.do(to, convo.Rate{Score: 4})
	assert.Equal(t, 3, r.Events[0].Rated().Cycle, "the running one")
	assert.Equal(t, convo.OutcomeUnchanged,
		d.do(to, convo.Rate{Cycle: 3, Score: 4}).Outcome, "a page names the cycle")
	closed := d.do(to, convo.Close{By: agentAna}).Conversation
	assert.Zero(t, closed.Unrated)
	r = d.do(to, convo.Rate{Cycle: 1, Score: 1})
	assert.True(t, r.Events[0].Rated().Replaces)
	assert.Equal(t, convo.OutcomeUnchanged, d.do(to, convo.Rate{Cycle: 1, Score: 1}).Outcome,
		"of an earlier cycle, too")
	cycles, err := d.Cycles(t.Context(), to)
	require.NoError(t, err)
	for i, score := range []int{1, 3, 4} {
		assert.Equal(t, score, cycles[i].Rating.Score, "cycle %d", i+1)
	}
	assert.Equal(t, first, cycles[0].Rating.At)
	require.Error(t, d.fails(to, convo.Rate{Cycle: 4, Score: 1}))
}

// A rating says whose the cycle is that it is about, also if another one runs, or was begun by the
// same call.
func TestARatingIsOfWhoHadTheCycleAndClosedIt(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(convo.Policy{UnassignOnClose: true}))
	k := toContact("carl")
	d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentBen, Assignee: "ana", Team: "one"},
		convo.Close{By: agentAna}, convo.Reopen{By: agentBen, Source: "phone"},
		convo.Assign{By: agentBen, Assignee: "ben"},
		convo.Label{By: agentBen, Add: []string{"vip"}})
	first := convo.Before{
		Status: convo.StatusOpen, Cycle: 1, OpenedSource: convo.SourceIncomingMessage,
		Assignee: "ana", Team: "one", Labels: convo.TokensOf("vip"), ClosedBy: agentAna,
	}
	second := convo.Before{
		Status: convo.StatusOpen, Cycle: 2, OpenedSource: "phone", Assignee: "ben",
		Labels: convo.TokensOf("vip"),
	}
	r := d.do(k, convo.Rate{Score: 4}, convo.Rate{Score: 3}, convo.Rate{Cycle: 1, Score: 2})
	assert.Equal(t, convo.Rated{Before: first, Score: 4}, r.Events[0].Rated())
	assert.Equal(t, convo.Rated{Before: second, Score: 3}, r.Events[1].Rated())
	assert.Equal(t, convo.Rated{Before: first, Score: 2, Replaces: true}, r.Events[2].Rated())

	r = d.do(k, convo.Close{By: agentBen}, convo.Reopen{By: agentAna},
		convo.Rate{Cycle: 2, Score: 5, Comment: "well"}, convo.Rate{Cycle: 1, Score: 1})
	n := len(r.Events)
	second.ClosedBy = agentBen
	assert.Equal(t, convo.Rated{Before: second, Score: 5, Comment: "well", Replaces: true},
		r.Events[n-2].Rated())
	assert.Equal(t, 1, r.Events[n-1].Rated().Cycle)
	cycles, err := d.Cycles(t.Context(), k)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 5, 0},
		[]int{cycles[0].Rating.Score, cycles[1].Rating.Score, cycles[2].Rating.Score})
}

// Decide is told of earlier cycles, and changes nothing that it is given.
func TestDecideIsGivenTheCycleThatIsRated(t *testing.T) {
	s := convo.Snapshot{
		Contact: convo.Contact{Workspace: "acme", ID: "carl", Version: 2},
		Conversation: convo.Conversation{
			ID: uuid.Max, Workspace: "acme", Contact: "carl", Status: convo.StatusOpen, Version: 3,
			Unrated: 1, Cycle: convo.Cycle{Number: 2},
		},
	}
	_, err := convo.Decide(s, morning, nil, convo.Rate{Score: 4})
	requireInvalid(t, "cycle", err)
	s.Earlier = []convo.Cycle{{Number: 1, Closing: convo.Closing{At: morning, By: agentAna}}}
	d, err := convo.Decide(s, morning, nil, convo.Rate{Score: 4})
	require.NoError(t, err)
	require.Len(t, d.Change.Cycles, 1)
	assert.Equal(t, 4, d.Change.Cycles[0].Rating.Score)
	assert.Zero(t, s.Earlier[0].Rating)
	assert.False(t, d.Change.Conversation.CycleClosed)
}

func TestAnImportTakesRatingsInThePolicysScale(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(convo.Policy{Ratings: convo.Scale{Min: 0, Max: 10}}))
	at := d.clock.Now().Add(-time.Hour)
	var id uuid.UUID
	_, err := d.Import(t.Context(), tenant, func(yield func(convo.History, error) bool) {
		yield(convo.History{Key: "1", To: convo.Ref{Contact: "carl"}, Commands: []convo.Command{
			convo.Open{At: at, By: agentAna}, convo.Close{At: at, By: agentAna},
			convo.Reopen{At: at, By: agentAna}, convo.Rate{At: at, Score: 9},
			convo.Rate{At: at, Cycle: 2, Score: 0}, convo.Close{At: at, By: agentBen},
			convo.Rate{At: at, Cycle: 1, Score: 7},
		}}, nil)
	}, func(so convo.ImportResult) { id = so.Batch[0].Conversation })
	require.NoError(t, err)
	cycles, err := d.Cycles(t.Context(), toConversation(id))
	require.NoError(t, err)
	assert.Equal(t, []convo.Rating{{At: at.UTC(), Score: 7}, {At: at.UTC()}},
		[]convo.Rating{cycles[0].Rating, cycles[1].Rating})
}

func (d *desk) fails(to convo.Ref, cmds ...convo.Command) error {
	_, err := d.Do(context.Background(), to, cmds...)
	return err
}

func TestScoresAreInThePolicysScale(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(convo.Policy{Ratings: convo.Scale{Min: 0, Max: 10}}))
	k := toContact("carl")
	d.do(k, convo.Receive{Body: "hi"})
	for score, ok := range map[int]bool{-1: false, 0: true, 10: true, 11: false} {
		err := d.fails(k, convo.Rate{Score: score})
		if ok {
			assert.NoError(t, err)
		} else {
			requireInvalid(t, "score", err)
		}
	}
}

// Without a cycle, a repetition after a reopening is about another one; with a key it is none.
func TestARatingOnceMoreAfterAReopening(t *testing.T) {
	for _, c := range []struct {
		rate convo.Rate
		want convo.Outcome
	}{
		{convo.Rate{Score: 2}, convo.OutcomeRated},
		{convo.Rate{Score: 2, Key: "the page's"}, convo.OutcomeDuplicate},
	} {
		d := openDesk(t)
		k := toContact("carl")
		d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna}, convo.Reopen{By: agentAna})
		assert.Equal(t, 1, d.do(k, c.rate).Events[0].Rated().Cycle)
		r := d.do(k, c.rate)
		assert.Equal(t, c.want, r.Outcome)
		if c.rate.Key == "" {
			assert.Equal(t, 2, r.Events[0].Rated().Cycle)
		}
	}
}
