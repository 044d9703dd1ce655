package convo_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// What users report of such platforms, and what was wrong once, by the ids of testdata/cases.tsv.
func TestReported(t *testing.T) {
	k := toContact("carl")
	t.Run("F22 closes where only automation answered, and counts", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{CountAutomation: true,
			AutoClose: convo.AutoClose{After: 60 * minute}}))
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: flowBot, Body: "42"}).Conversation
		d.wait(time.Hour)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, convo.StatusClosed, d.get(c.ID).Status)
	})
	t.Run("F23 what failing property tests leave is ignored everywhere", func(t *testing.T) {
		assert.Contains(t, read(t, ".gitignore"), "\n**/testdata/rapid/\n")
	})
	t.Run("U3 each reply is its author's", func(t *testing.T) {
		d := openDesk(t)
		for _, step := range []struct {
			cmd   convo.Command
			after time.Duration // the one before
		}{
			{convo.Receive{Body: "hi"}, 0},
			{convo.Send{By: agentAna, Body: "yes?"}, time.Minute},
			{convo.Assign{By: agentAna, Assignee: "ben"}, 0},
			{convo.Receive{Body: "and now?"}, time.Hour},
			{convo.Send{By: agentBen, Body: "now"}, 5 * time.Hour},
		} {
			d.wait(step.after)
			d.do(k, step.cmd)
		}
		r := d.report(report.Query{Kind: report.Responses, GroupBy: report.Author})
		for user, took := range map[string]time.Duration{"ana": time.Minute, "ben": 5 * time.Hour} {
			reply := valuesOf(t, r, user)[report.Response]
			assert.Equal(t, []int64{1, took.Microseconds()}, []int64{reply.Count, reply.Sum}, user)
		}
	})
	t.Run("U10 a reply to a closed thread reaches it, and the other one stays open",
		func(t *testing.T) {
			d := openDesk(t, reopens(0))
			k := convo.ToContact("mail", "carl")
			first := d.do(k.In("thread 1"), convo.Receive{Body: "hi"},
				convo.Close{By: agentAna}).Conversation
			second := d.do(k.In("thread 2"), convo.Receive{Body: "hi"}).Conversation
			r := d.do(k.In("thread 1"), convo.Receive{Body: "Re: hi"})
			assert.Equal(t, convo.OutcomeReopened, r.Outcome)
			assert.Equal(t, first.ID, r.Conversation.ID)
			got, err := d.Conversation(t.Context(), convo.ToConversation("mail", second.ID))
			require.NoError(t, err)
			assert.Equal(t, second, got)
		})
	t.Run("U11 an automatic reply to what is closed is kept, and opens nothing",
		func(t *testing.T) {
			d := openDesk(t, reopens(0))
			d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "yes?"})
			closed := d.do(k, convo.Close{By: agentAna}).Conversation
			d.wait(time.Minute)
			c := d.do(k, convo.Receive{Quiet: true, Body: "I am away"}).Conversation
			assert.Equal(t, []string{"hi", "yes?", "I am away"}, d.bodies(c.ID))
			assert.Equal(t, convo.StatusClosed, c.Status)
			assert.Equal(t, closed.Cycle, c.Cycle)
			assert.Empty(t, d.list(convo.Filter{Waiting: true}))
			assert.Zero(t, d.report(report.Query{Kind: report.Conversations}).
				Total[report.Reopened].Count)
		})
	t.Run("U14 who writes again is the first row of an inbox", func(t *testing.T) {
		d := openDesk(t, reopens(0))
		var ids []uuid.UUID
		for _, contact := range []string{"a", "b", "c", "d", "e"} {
			ids = append(ids, d.do(toContact(contact), convo.Receive{Body: "hi"}).Conversation.ID)
			d.wait(time.Minute)
		}
		d.do(toContact("a"), convo.Close{By: agentAna})
		d.wait(time.Hour)
		d.do(toContact("a"), convo.Receive{Body: "again"})
		assert.Equal(t, []uuid.UUID{ids[0], ids[4], ids[3]},
			d.list(convo.Filter{Order: convo.OrderActivity, Limit: 3}))
	})
}
