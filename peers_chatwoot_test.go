package convo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

func TestPeersChatwootConversations(t *testing.T) {
	k := toContact("carl")
	t.Run("CW001 a new conversation has an id of its own everywhere", func(t *testing.T) {
		d := openDesk(t)
		seen := map[uuid.UUID]bool{}
		for _, workspace := range []string{tenant, "other"} {
			for _, contact := range []string{"a", "a", "b"} {
				r := d.do(convo.ToContact(workspace, contact), convo.Receive{Body: "hi"},
					convo.Close{By: agentAna})
				seen[r.Conversation.ID] = true
			}
		}
		assert.Len(t, seen, 6)
	})
	t.Run("CW003 the contact who began it waits since then", func(t *testing.T) {
		c := openDesk(t).do(k, convo.Receive{Body: "hi"}).Conversation
		assert.Equal(t, morning, c.CreatedAt)
		assert.Equal(t, morning, c.Cycle.WaitingSince)
	})
	t.Run("CW006 two changes of one call are told together", func(t *testing.T) {
		var calls [][]convo.Event
		d := openDesk(t, tells(&calls))
		d.do(k, convo.Receive{Body: "hi"})
		d.do(k, convo.Assign{By: agentAna, Assignee: "ben"}, convo.Close{By: agentAna})
		require.Len(t, calls, 2)
		assert.Equal(t, []convo.EventKind{convo.ConversationAssigned, convo.ConversationClosed},
			kindsOf(calls[1]))
	})
	t.Run("CW007 an event says from what to what", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"},
			convo.Label{By: agentAna, Add: []string{"new"}})
		e := d.do(k, convo.Assign{By: agentAna, Assignee: "ben"}).Events[0]
		assert.Equal(t, []string{"ana", "ben"}, []string{e.Before().Assignee,
			e.Assignment().Assignee})
		r := d.do(k, convo.SetPending{By: agentAna})
		assert.Equal(t, convo.StatusOpen, r.Events[0].Before().Status)
		assert.Equal(t, convo.StatusPending, r.Conversation.Status)
		e = d.do(k, convo.Label{By: agentAna, Add: []string{"vip"}, Remove: []string{"new"}}).
			Events[0]
		assert.Equal(t, convo.Labeling{Labels: convo.TokensOf("vip"),
			Before: convo.TokensOf("new")}, e.Labeling())
	})
	t.Run("CW008 what changes nothing is told to nobody", func(t *testing.T) {
		var calls [][]convo.Event
		d := openDesk(t, tells(&calls))
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
		r := d.do(k, convo.Assign{By: agentAna, Assignee: "ana"}, convo.Resume{By: agentAna})
		assert.Equal(t, convo.OutcomeUnchanged, r.Outcome)
		assert.Len(t, calls, 1)
	})
	t.Run("CW009 the thread says who resolved it", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		c := d.do(k, convo.Close{By: agentBen}).Conversation
		log := d.log(c.ID)
		assert.Equal(t, convo.ConversationClosed, log[len(log)-1].Kind)
		assert.Equal(t, agentBen, log[len(log)-1].By)
	})
	t.Run("CW010 the thread says who assigned it to whom", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		c := d.do(k, convo.Assign{By: agentBen, Assignee: "ana"}).Conversation
		log := d.log(c.ID)
		assert.Equal(t, "ana", log[len(log)-1].Assignment().Assignee)
		assert.Equal(t, agentBen, log[len(log)-1].By)
	})
	t.Run("CW011 an automatic resolution is the system's, for inactivity", func(t *testing.T) {
		d := openDesk(t, closesAfter(time.Hour))
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "yes?"}).Conversation
		d.wait(time.Hour)
		require.Equal(t, 1, d.tick())
		closing := d.get(c.ID).Cycle.Closing
		assert.Equal(t, convo.BySystem(), closing.By)
		assert.Equal(t, convo.SourceInactivity, closing.Source)
	})
	t.Run("CW015 resolved becomes open, the same conversation", func(t *testing.T) {
		d := openDesk(t)
		closed := d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna}).Conversation
		c := d.do(k, convo.Reopen{By: agentAna}).Conversation
		assert.Equal(t, closed.ID, c.ID)
		assert.Equal(t, convo.StatusOpen, c.Status)
	})
	t.Run("CW016 pending becomes open", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
		assert.Equal(t, convo.StatusOpen, d.do(k, convo.Resume{By: agentAna}).Conversation.Status)
	})
	t.Run("CW017 snoozed becomes open and forgets until when", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"},
			convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
		c := d.do(k, convo.Resume{By: agentAna}).Conversation
		assert.Equal(t, convo.StatusOpen, c.Status)
		assert.Zero(t, c.PendingUntil)
		d.wait(2 * time.Hour)
		assert.Zero(t, d.tick())
	})
	t.Run("CW019 muting resolves, blocks and leaves a trace", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		r := d.do(k, convo.Close{By: agentAna}, convo.Block{By: agentAna, Reason: "rude"})
		assert.Equal(t, convo.StatusClosed, r.Conversation.Status)
		assert.True(t, d.contact("carl").Blocked)
		assert.Equal(t, []convo.EventKind{convo.ConversationClosed, convo.ContactBlocked},
			kindsOf(r.Events))
		assert.Equal(t, agentAna, r.Events[1].By)
	})
	t.Run("CW020 unmuting leaves the status alone", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna}).Conversation
		d.do(k, convo.Block{By: agentAna})
		d.do(k, convo.Unblock{By: agentAna})
		assert.False(t, d.contact("carl").Blocked)
		assert.Equal(t, convo.StatusPending, d.get(c.ID).Status)
	})
	t.Run("CW021 one can ask whether it is muted", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		assert.False(t, d.contact("carl").Blocked)
		d.do(k, convo.Block{By: agentAna})
		assert.True(t, d.contact("carl").Blocked)
	})
	t.Run("CW024 the JSON of a conversation", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Channel: "chat", Body: "hi"},
			convo.Assign{By: agentAna, Assignee: "ana"}, convo.Send{By: agentAna, Body: "yes?"})
		d.wait(time.Minute)
		c := d.do(k, convo.Receive{Body: "well"},
			convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}).Conversation
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var got struct {
			Status       string    `json:"status"`
			Channel      string    `json:"channel"`
			Assignee     string    `json:"assignee"`
			CreatedAt    time.Time `json:"created_at"`
			PendingUntil time.Time `json:"pending_until"`
			Cycle        struct {
				WaitingSince    time.Time `json:"waiting_since"`
				FirstResponseAt time.Time `json:"first_response_at"`
			} `json:"cycle"`
		}
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, []string{"pending", "chat", "ana"},
			[]string{got.Status, got.Channel, got.Assignee})
		assert.Equal(t, []time.Time{morning, morning.Add(time.Hour), morning.Add(time.Minute),
			morning}, []time.Time{got.CreatedAt, got.PendingUntil, got.Cycle.WaitingSince,
			got.Cycle.FirstResponseAt})
	})
	t.Run("CW028 a bot's inbox begins pending, and is open once an agent has it",
		func(t *testing.T) {
			d := openDesk(t)
			receive := func() convo.Status {
				r, err := d.decide(k, func(s convo.Snapshot) ([]convo.Command, error) {
					cmds := []convo.Command{convo.Receive{Body: "hi"}}
					if !s.Conversation.Status.Active() {
						cmds = append(cmds, convo.SetPending{By: flowBot})
					}
					return cmds, nil
				})
				require.NoError(t, err)
				return r.Conversation.Status
			}
			assert.Equal(t, convo.StatusPending, receive())
			d.do(k, convo.Resume{By: agentAna})
			assert.Equal(t, convo.StatusOpen, receive())
			d.do(k, convo.Close{By: agentAna})
			assert.Equal(t, convo.StatusPending, receive())
		})
	t.Run("CW029 what a campaign begins is open", func(t *testing.T) {
		c := openDesk(t).do(k, convo.Open{By: flowBot, Source: "campaign"},
			convo.Send{By: flowBot, Body: "news"}).Conversation
		assert.Equal(t, convo.StatusOpen, c.Status)
		assert.Equal(t, convo.Source("campaign"), c.Cycle.OpenedSource)
	})
	t.Run("CW031 attributes of the host's own have a limit", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Describe{By: agentAna,
			Attributes: json.RawMessage(`{"order":17}`)}).Conversation
		text, err := json.Marshal(c.Attributes)
		require.NoError(t, err)
		assert.JSONEq(t, `{"order":17}`, string(text))
		requireInvalid(t, "attributes", d.refuses(k, convo.Describe{By: agentAna,
			Attributes: json.RawMessage(
				`{"long":"` + strings.Repeat("x", convo.MaxAttributes) + `"}`)}))
	})
	t.Run("CW036 by priority, then by last activity", func(t *testing.T) {
		d := openDesk(t)
		ids := map[string]uuid.UUID{}
		for _, c := range []struct {
			contact  string
			priority convo.Priority
		}{
			{"a", convo.PriorityUrgent}, {"b", convo.PriorityLow}, {"c", convo.PriorityUrgent},
		} {
			ids[c.contact] = d.do(toContact(c.contact), convo.Receive{Body: "hi"},
				convo.Prioritize{By: agentAna, Priority: c.priority}).Conversation.ID
			d.wait(time.Minute)
		}
		d.do(toContact("a"), convo.Receive{Body: "again"})
		var all []uuid.UUID
		for p := convo.PriorityUrgent; ; p-- {
			all = append(all, d.list(convo.Filter{Priority: []convo.Priority{p},
				Order: convo.OrderActivity})...)
			if p == convo.PriorityNone {
				break
			}
		}
		assert.Equal(t, []uuid.UUID{ids["a"], ids["c"], ids["b"]}, all)
	})
	t.Run("CW106 another one gets it whose agent may not have it any more", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"},
			convo.Close{By: agentAna})
		r, err := d.decide(k, func(s convo.Snapshot) ([]convo.Command, error) {
			cmds := []convo.Command{convo.Reopen{By: agentBen}}
			if s.Conversation.Assignee == "ana" { // who has left
				cmds = append(cmds, convo.Assign{By: flowBot, Assignee: "ben"})
			}
			return cmds, nil
		})
		require.NoError(t, err)
		assert.Equal(t, convo.StatusOpen, r.Conversation.Status)
		assert.Equal(t, "ben", r.Conversation.Assignee)
	})
	t.Run("CW108 a team that gets it and loses it is in the thread", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		given := d.do(k, convo.Assign{By: agentAna, Team: "sales"}).Events[0]
		taken := d.do(k, convo.Assign{By: agentBen}).Events[0]
		assert.Equal(t, agentAna, given.By)
		assert.Equal(t, "sales", given.Assignment().Team)
		assert.Equal(t, agentBen, taken.By)
		assert.Equal(t, "sales", taken.Before().Team)
		assert.Empty(t, taken.Assignment().Team)
	})
	t.Run("CW109 a change of team takes off who is not of it, and picks one who is",
		func(t *testing.T) {
			d := openDesk(t)
			team := []string{"ben", "eve"}
			give := func(from string) string {
				d.do(k, convo.Assign{By: agentAna, Assignee: from})
				r, err := d.decide(k, func(s convo.Snapshot) ([]convo.Command, error) {
					assignee := s.Conversation.Assignee
					if !slices.Contains(team, assignee) {
						assignee = team[0]
					}
					return []convo.Command{convo.Assign{By: agentAna, Team: "sales",
						Assignee: assignee}}, nil
				})
				require.NoError(t, err)
				assert.Equal(t, "sales", r.Conversation.Team)
				return r.Conversation.Assignee
			}
			d.do(k, convo.Receive{Body: "hi"})
			assert.Equal(t, "ben", give("ana"))
			assert.Equal(t, "eve", give("eve"))
		})
	t.Run("CW112 counts for the tabs: mine, unassigned, all", func(t *testing.T) {
		d := openDesk(t)
		for contact, assignee := range map[string]string{"a": "ana", "b": "ana", "c": "ben",
			"d": ""} {
			d.do(toContact(contact), convo.Receive{Body: "hi"},
				convo.Assign{By: agentAna, Assignee: assignee})
		}
		counts, err := d.Counts(t.Context(), tenant)
		require.NoError(t, err)
		of := func(user string) int {
			mine := func(c convo.Count) bool { return c.Assignee == user }
			return convo.Sum(counts, mine).Active()
		}
		assert.Equal(t, []int{2, 1, 4}, []int{of("ana"), of(""), convo.Sum(counts, nil).Active()})
	})
	t.Run("CW116 begun with a message, an assignee and a team at once", func(t *testing.T) {
		r := openDesk(t).do(k, convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hi"},
			convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"})
		assert.Equal(t, []string{"ana", "sales"},
			[]string{r.Conversation.Assignee, r.Conversation.Team})
		assert.Equal(t, []convo.EventKind{convo.ConversationOpened, convo.MessageSent,
			convo.ConversationAssigned}, kindsOf(r.Events))
	})
	t.Run("CW117 who opens a pending one gets it", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: flowBot})
		c := d.do(k, convo.Resume{By: agentAna},
			convo.Assign{By: agentAna, Assignee: "ana"}).Conversation
		assert.Equal(t, convo.StatusOpen, c.Status)
		assert.Equal(t, "ana", c.Assignee)
	})
	t.Run("CW118 a bot snoozes, and its opening is a handoff, told as one event",
		func(t *testing.T) {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"})
			d.do(k, convo.SetPending{By: flowBot, Until: morning.Add(time.Hour)})
			d.wait(time.Minute)
			r := d.do(k, convo.Resume{By: flowBot})
			assert.Equal(t, []convo.EventKind{convo.ConversationResumed}, kindsOf(r.Events))
			assert.Equal(t, flowBot, r.Events[0].By)
			assert.Equal(t, morning.Add(time.Minute), r.Conversation.Cycle.HandedOverAt)
		})
	t.Run("CW120 ending without any conversation is: not found", func(t *testing.T) {
		assert.ErrorIs(t, openDesk(t).refuses(k, convo.Close{By: visitor}), convo.ErrNotFound)
	})
	t.Run("CW121 agents watch beside the assignee", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"},
			convo.Label{By: agentBen, Add: []string{"watched by ben"}}).Conversation
		watched := convo.Filter{Labels: []string{"watched by ben"}}
		assert.Equal(t, []uuid.UUID{c.ID}, d.list(watched))
		d.do(k, convo.Label{By: agentBen, Remove: []string{"watched by ben"}})
		assert.Empty(t, d.list(watched))
	})
	t.Run("CW124 filters and pages", func(t *testing.T) {
		d := openDesk(t)
		var ids []uuid.UUID
		for _, contact := range []string{"a", "b", "c"} {
			d.wait(time.Minute)
			ids = append(ids, d.do(toContact(contact),
				convo.Receive{Channel: "to " + contact, Body: "hi"}).Conversation.ID)
		}
		d.do(toContact("a"), convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"})
		d.do(toContact("c"), convo.Close{By: agentAna})
		for _, c := range []struct {
			f    convo.Filter
			want []uuid.UUID
		}{
			{convo.Filter{Status: []convo.Status{convo.StatusClosed}}, ids[2:]},
			{convo.Filter{Status: []convo.Status{convo.StatusOpen}, Unassigned: true}, ids[1:2]},
			{convo.Filter{Assignee: "ana"}, ids[:1]},
			{convo.Filter{Team: "sales"}, ids[:1]},
			{convo.Filter{Channel: "to b"}, ids[1:2]},
		} {
			assert.Equal(t, c.want, d.list(c.f), "%+v", c.f)
		}
		f := convo.Filter{Limit: 2, Ascending: true}
		assert.Equal(t, ids[:2], d.list(f))
		f.After = f.Cursor(d.get(ids[1]))
		assert.Equal(t, ids[2:], d.list(f))
	})
}
