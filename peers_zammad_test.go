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

func TestPeersZammad(t *testing.T) {
	k := toContact("carl")
	closed := []convo.Command{convo.Receive{Body: "hi"}, convo.Close{By: agentAna}}
	t.Run("ZA002 an internal note on a closed ticket leaves it closed", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, closed...)
		c := d.do(k, convo.Note{By: agentAna, Body: "hm"}).Conversation
		assert.Equal(t, convo.StatusClosed, c.Status)
	})
	t.Run("ZA003 an agent's message on a closed ticket is kept and leaves it closed",
		func(t *testing.T) {
			d := openDesk(t)
			before := d.do(k, closed...).Conversation
			c := d.do(k, convo.Send{By: agentAna, Quiet: true, Body: "PS"}).Conversation
			assert.Equal(t, convo.StatusClosed, c.Status)
			assert.Equal(t, before.Cycle, c.Cycle)
			assert.Equal(t, []string{"hi", "PS"}, d.bodies(c.ID))
		})
	t.Run("ZA005 a trigger sets it pending until two days, or sixty minutes, from now",
		func(t *testing.T) {
			for _, after := range []time.Duration{48 * time.Hour, 60 * time.Minute} {
				d := openDesk(t)
				c := d.do(k, convo.Receive{Body: "hi"},
					convo.SetPending{By: flowBot, Until: morning.Add(after)}).Conversation
				assert.Equal(t, morning.Add(after), c.PendingUntil)
				d.wait(after)
				assert.Equal(t, 1, d.tick())
				assert.Equal(t, convo.StatusOpen, d.get(c.ID).Status)
			}
		})
	t.Run("ZA006 a trigger closes it", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		c := d.do(k, convo.Close{By: flowBot}).Conversation
		assert.Equal(t, convo.StatusClosed, c.Status)
		assert.Equal(t, convo.SourceAutomation, c.Cycle.Closing.Source)
	})
	t.Run("ZA007 a trigger deletes it", func(t *testing.T) {
		d := openDesk(t)
		const shop = "deletes"
		carl, bin := convo.ToContact(shop, "carl"), "to be deleted"
		kept := d.do(carl, convo.Receive{Body: "kept"}, convo.Close{By: agentAna}).Conversation
		gone := d.do(carl, convo.Receive{Body: "spam"}, convo.Close{By: flowBot}).Conversation
		d.do(convo.ToConversation(shop, gone.ID), convo.Move{By: flowBot, Contact: bin})
		_, err := d.Erase(t.Context(), convo.Erase{Workspace: shop, Contact: bin, By: flowBot})
		require.NoError(t, err)
		bodies := func(id uuid.UUID) (all []string) {
			events, err := d.Transcript(t.Context(), convo.ToConversation(shop, id),
				convo.EventCursor{}, 0)
			require.NoError(t, err)
			for _, m := range convo.Messages(events) {
				all = append(all, m.Body)
			}
			return all
		}
		assert.Equal(t, []string{"kept"}, bodies(kept.ID))
		assert.Equal(t, []string{""}, bodies(gone.ID))
	})
	t.Run("ZA012 after an agent's message without an answer, the agent's counts",
		func(t *testing.T) {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"})
			d.wait(time.Hour)
			c := d.do(k, convo.Send{By: agentAna, Body: "yes?"}).Conversation
			assert.Equal(t, morning.Add(time.Hour), c.AwaitingContactSince)
			d.wait(time.Hour)
			assert.Zero(t, d.do(k, convo.Receive{Body: "well"}).Conversation.AwaitingContactSince)
		})
	t.Run("ZA014 an owner who is not of the group is not accepted", func(t *testing.T) {
		d := openDesk(t, forbids(func(_ convo.Snapshot, e convo.Event) bool {
			a := e.Assignment()
			return a.Team == "sales" && a.Assignee != "" && a.Assignee != "ana"
		}))
		d.do(k, convo.Receive{Body: "hi"})
		give := convo.Assign{By: agentAna, Team: "sales", Assignee: "ben"}
		assert.ErrorIs(t, d.refuses(k, give), errHost)
		give.Assignee = "ana"
		assert.Equal(t, convo.OutcomeAssigned, d.do(k, give).Outcome)
	})
	t.Run("ZA016 within two days a message reopens, later it begins a new ticket",
		func(t *testing.T) {
			for after, want := range map[time.Duration]convo.Outcome{
				48 * time.Hour:                  convo.OutcomeReopened,
				48*time.Hour + time.Microsecond: convo.OutcomeOpened,
			} {
				d := openDesk(t, reopens(48*time.Hour))
				d.do(k, closed...)
				d.wait(after)
				assert.Equal(t, want, d.do(k, convo.Receive{Body: "again"}).Outcome)
			}
		})
	t.Run("ZA018 a follow-up to a closed ticket opens it", func(t *testing.T) {
		d := openDesk(t, reopens(0))
		c := d.do(k, closed...).Conversation
		assert.Equal(t, c.ID, d.do(k, convo.Receive{Body: "again"}).Conversation.ID)
	})
	t.Run("ZA019 a follow-up to a closed ticket begins a new one", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, closed...).Conversation
		assert.NotEqual(t, c.ID, d.do(k, convo.Receive{Body: "again"}).Conversation.ID)
	})
	t.Run("ZA020 a customer may not follow up on what is closed; an agent may open it",
		func(t *testing.T) {
			d := openDesk(t, convo.WithPolicy(convo.Policy{
				Receive: convo.OnClosed{Mode: convo.OnClosedReject}}))
			d.do(k, closed...)
			assert.ErrorIs(t, d.refuses(k, convo.Receive{Body: "again"}), convo.ErrClosed)
			assert.Equal(t, convo.OutcomeReopened, d.do(k, convo.Reopen{By: agentAna}).Outcome)
		})
	t.Run("ZA021 a follow-up is given to nobody, not to the last owner", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{UnassignOnClose: true,
			Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}))
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"},
			convo.Close{By: agentAna})
		r := d.do(k, convo.Receive{Body: "again"})
		assert.Equal(t, convo.OutcomeReopened, r.Outcome)
		assert.Empty(t, r.Conversation.Assignee)
	})
	t.Run("ZA022 the times of the customer's and of the agent's last message", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(time.Hour)
		c := d.do(k, convo.Send{By: agentAna, Body: "yes?"}).Conversation
		assert.Equal(t, []time.Time{morning, morning.Add(time.Hour)},
			[]time.Time{c.LastIncomingAt, c.AwaitingContactSince})
		d.wait(time.Hour)
		c = d.do(k, convo.Receive{Body: "well"}).Conversation
		assert.Equal(t, []time.Time{morning.Add(2 * time.Hour), morning.Add(time.Hour)},
			[]time.Time{c.LastIncomingAt, c.Cycle.NoWaitBefore})
	})
	t.Run("ZA023 a reply by e-mail is the first response", func(t *testing.T) {
		d := openDesk(t)
		d.do(toAddress("email", "carl@example.com"), convo.Receive{Body: "hi"})
		d.wait(time.Hour)
		c := d.do(toAddress("email", "carl@example.com"),
			convo.Send{By: agentAna, Body: "yes?"}).Conversation
		took, ok := c.Cycle.FirstResponseTime()
		assert.True(t, ok)
		assert.Equal(t, time.Hour, took)
	})
	t.Run("ZA024 a reply before working hours took no working time", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(2 * time.Hour)
		d.do(k, convo.Send{By: agentAna, Body: "yes?"})
		first := d.report(report.Query{Kind: report.Responses,
			Calendar: calendarOf(t, hours("UTC", "daily 12:00-17:00"))}).
			Total[report.WorkingFirstResponse]
		assert.Equal(t, []int64{1, 0}, []int64{first.Count, first.Sum})
	})
	t.Run("ZA025 a note is no first response; the call after it is", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Channel: "web", Body: "hi"})
		d.wait(time.Hour)
		assert.Zero(t, d.do(k, convo.Note{By: agentAna, Body: "hm"}).Conversation.Cycle.
			FirstResponseAt)
		d.wait(time.Hour)
		c := d.do(k, convo.Send{By: agentAna, Channel: "phone", Body: "called"}).Conversation
		assert.Equal(t, morning.Add(2*time.Hour), c.Cycle.FirstResponseAt)
	})
	t.Run("ZA027 closing and reopening go into the reopening rate", func(t *testing.T) {
		d := openDesk(t)
		for _, contact := range []string{"a", "b", "c", "d"} {
			d.do(toContact(contact), closed...)
		}
		d.do(toContact("a"), convo.Reopen{By: agentAna})
		r := d.report(report.Query{Kind: report.Conversations})
		assert.InDelta(t, .25, r.Total.ReopenRate(), 0)
	})
	t.Run("ZA030 a merge into what was merged, and into itself, is refused", func(t *testing.T) {
		d := openDesk(t)
		for _, contact := range []string{"a", "b", "c"} {
			d.do(toContact(contact), convo.Receive{Body: "hi"})
		}
		d.merge("a", "b")
		assert.ErrorIs(t, d.refusesMerge("c", "b"), convo.ErrMerged)
		requireInvalid(t, "secondary", d.refusesMerge("a", "a"))
	})
	t.Run("ZA031 tags are added and removed, and found", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"},
			convo.Label{By: agentAna, Add: []string{"kettle", "oven"}})
		c := d.do(k, convo.Label{By: agentAna, Remove: []string{"oven"}}).Conversation
		assert.Equal(t, []string{"kettle"}, c.Labels.All())
		assert.Equal(t, []uuid.UUID{c.ID}, d.list(convo.Filter{Labels: []string{"kettle"}}))
		assert.Empty(t, d.list(convo.Filter{Labels: []string{"oven"}}))
	})
	t.Run("ZA036 a ticket of the wrong customer is given to another one", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, closed...).Conversation
		d.do(toContact("dora"), convo.Receive{Body: "hi"})
		moved := d.do(toConversation(c.ID), convo.Move{By: agentAna, Contact: "dora"})
		assert.Equal(t, "dora", moved.Conversation.Contact)
		assert.Equal(t, convo.StatusClosed, moved.Conversation.Status)
	})
}
