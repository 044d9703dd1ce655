package convo_test

import (
	"context"
	"testing"
	"time"

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
	assert.Equal(t, convo.Rated{Cycle: 1, Score: 2, Comment: "slow"}, r.Events[0].Rated())
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
	d.do(to, convo.Rate{Cycle: 1, Score: 1})
	cycles, err := d.Cycles(t.Context(), to)
	require.NoError(t, err)
	for i, score := range []int{1, 3, 4} {
		assert.Equal(t, score, cycles[i].Rating.Score, "cycle %d", i+1)
	}
	assert.Equal(t, first, cycles[0].Rating.At)
	require.Error(t, d.fails(to, convo.Rate{Cycle: 4, Score: 1}))
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
