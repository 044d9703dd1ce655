package convo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

func TestPeersFreeScout(t *testing.T) {
	k := toContact("carl")
	t.Run("FS001 a customer's reply makes a closed one active", func(t *testing.T) {
		d := openDesk(t, reopens(0))
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna}).Conversation
		r := d.do(k, convo.Receive{Body: "again"})
		assert.Equal(t, convo.OutcomeReopened, r.Outcome)
		assert.Equal(t, c.ID, r.Conversation.ID)
	})
	t.Run("FS002 a conversation is given to another customer", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		d.do(toConversation(c.ID), convo.Move{By: agentAna, Contact: "dora"})
		assert.Equal(t, "dora", d.get(c.ID).Contact)
		assert.Equal(t, c.ID, d.latest("dora"))
	})
	t.Run("FS003 somebody without access may not", func(t *testing.T) {
		d := openDesk(t, forbids(func(_ convo.Snapshot, e convo.Event) bool {
			return e.Kind == convo.ConversationMoved && e.By != agentAna
		}))
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		move := convo.Move{By: agentBen, Contact: "dora"}
		assert.ErrorIs(t, d.refuses(toConversation(c.ID), move), errHost)
		move.By = agentAna
		assert.Equal(t, convo.OutcomeMoved, d.do(toConversation(c.ID), move).Outcome)
	})
	t.Run("FS005 an agent's reply leaves it pending, or closed", func(t *testing.T) {
		for want, after := range map[convo.Status]convo.Command{
			convo.StatusPending: convo.SetPending{By: agentAna},
			convo.StatusClosed:  convo.Close{By: agentAna},
		} {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"})
			c := d.do(k, convo.Send{By: agentAna, Body: "yes?"}, after).Conversation
			assert.Equal(t, want, c.Status)
			assert.Equal(t, []string{"hi", "yes?"}, d.bodies(c.ID))
		}
	})
	t.Run("FS007 waiting since does not move with each message", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(time.Hour)
		assert.Equal(t, morning, d.do(k, convo.Receive{Body: "?"}).Conversation.Cycle.WaitingSince)
	})
	t.Run("FS008 a conversation is moved to another mailbox", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k.In("sales"), convo.Receive{Channel: "sales@", Body: "hi"}).Conversation
		d.do(toConversation(c.ID), convo.Move{By: agentAna, Lane: new("help"),
			Channel: new("help@")})
		got := d.get(c.ID)
		assert.Equal(t, []string{"help", "help@"}, []string{got.Lane, got.Channel})
		assert.Equal(t, c.ID, d.do(k.In("help"), convo.Receive{Body: "?"}).Conversation.ID)
	})
	t.Run("FS009 a snooze stays although the customer writes", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{StayPending: true}))
		d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
		assert.Equal(t, convo.StatusPending, d.do(k, convo.Receive{Body: "?"}).Conversation.Status)
	})
	t.Run("FS010 users follow a conversation", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("else"), convo.Receive{Body: "hi"})
		c := d.do(k, convo.Receive{Body: "hi"},
			convo.Label{By: agentAna, Add: []string{"follower: ana", "follower: ben"}}).Conversation
		assert.Equal(t, []uuid.UUID{c.ID},
			d.list(convo.Filter{Labels: []string{"follower: ben"}}))
	})
}

func TestPeersLibredesk(t *testing.T) {
	k := toContact("carl")
	t.Run("LD002 a calendar without any day, or with 25:00 in it, is an error", func(t *testing.T) {
		for _, h := range []convo.Hours{{Zone: "UTC"}, hours("UTC", "monday 09:00-25:00")} {
			_, err := h.Calendar(nil)
			assert.ErrorIs(t, err, convo.ErrInvalid)
		}
	})
	t.Run("LD004 an agent's reply starts rules, what automation sent does not",
		func(t *testing.T) {
			started := 0
			d := openDesk(t, convo.WithObserver(func(_ context.Context, events []convo.Event) {
				for _, e := range events {
					if e.Kind == convo.MessageSent && e.By.Type == convo.ActorUser {
						started++
					}
				}
			}))
			d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: flowBot, Body: "hello"})
			assert.Zero(t, started)
			d.do(k, convo.Send{By: agentAna, Body: "yes?"})
			assert.Equal(t, 1, started)
		})
	t.Run("LD005 what a rule did does not start the rule again", func(t *testing.T) {
		rule, runs := convo.ByAutomation("rule 7"), 0
		var d *desk
		d = openDesk(t, convo.WithObserver(func(ctx context.Context, events []convo.Event) {
			for _, e := range events {
				if e.Kind != convo.ConversationLabeled || e.By == rule {
					continue
				}
				runs++
				_, err := d.Do(ctx, k, convo.Label{By: rule, Add: []string{"seen by rule 7"}})
				assert.NoError(t, err)
			}
		}))
		d.do(k, convo.Receive{Body: "hi"})
		d.do(k, convo.Label{By: agentAna, Add: []string{"vip"}})
		assert.Equal(t, 1, runs)
		assert.True(t, d.get(d.latest("carl")).Labels.Has("seen by rule 7"))
	})
	t.Run("LD006 rules look at what was before the change", func(t *testing.T) {
		var calls [][]convo.Event
		d := openDesk(t, tells(&calls))
		d.do(k, convo.Receive{Body: "hi"},
			convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"},
			convo.Prioritize{By: agentAna, Priority: convo.PriorityLow})
		d.do(k, convo.Prioritize{By: agentAna, Priority: convo.PriorityHigh})
		d.do(k, convo.Close{By: agentAna})
		assert.Equal(t, convo.PriorityLow, calls[1][0].Prioritizing().Before)
		before := calls[2][0].Before()
		assert.Equal(t, convo.StatusOpen, before.Status)
		assert.Equal(t, convo.PriorityHigh, before.Priority)
		assert.Equal(t, []string{"ana", "sales"}, []string{before.Assignee, before.Team})
	})
	t.Run("LD007 hours since creation, since the first reply and since the last one",
		func(t *testing.T) {
			d := openDesk(t)
			for _, cmd := range []convo.Command{
				convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "yes?"},
				convo.Receive{Body: "well"}, convo.Send{By: agentBen, Body: "aha"},
				convo.Receive{Body: "and?"},
			} {
				d.do(k, cmd)
				d.wait(time.Hour)
			}
			c, now := d.get(d.latest("carl")), d.clock.Now()
			assert.Equal(t, []time.Duration{5 * time.Hour, 4 * time.Hour, 2 * time.Hour},
				[]time.Duration{now.Sub(c.CreatedAt), now.Sub(c.Cycle.FirstResponseAt),
					now.Sub(c.Cycle.NoWaitBefore)})
		})
	t.Run("LD008 the transcript has who said what and when, with attachments",
		func(t *testing.T) {
			d := openDesk(t)
			c := d.do(k, convo.Receive{Body: "hi"}).Conversation
			d.wait(time.Minute)
			d.do(k, convo.Send{By: agentAna, Body: "this one",
				Attachments: json.RawMessage(`[{"url":"kettle.png"}]`)})
			shown := d.shown(c.ID)
			require.Len(t, shown, 2)
			assert.Equal(t, []convo.Actor{{Type: convo.ActorContact, ID: "carl"}, agentAna},
				[]convo.Actor{shown[0].Event.By, shown[1].Event.By})
			assert.Equal(t, []time.Time{morning, morning.Add(time.Minute)},
				[]time.Time{shown[0].Event.At, shown[1].Event.At})
			assert.Equal(t, []string{"hi", "this one"}, d.bodies(c.ID))
			assert.JSONEq(t, `[{"url":"kettle.png"}]`, string(shown[1].Attachments))
		})
	t.Run("LD011 a conversation has a number to quote", func(t *testing.T) {
		d, number := openDesk(t), 1000 // of the host's own sequence
		for _, contact := range []string{"a", "b"} {
			number++
			d.do(toContact(contact), convo.Receive{Body: "hi"},
				convo.Label{By: flowBot, Add: []string{fmt.Sprint("no ", number)}})
		}
		assert.Equal(t, []uuid.UUID{d.latest("b")},
			d.list(convo.Filter{Labels: []string{"no 1002"}}))
	})
	t.Run("LD012 the contact rates and comments", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
		c := d.do(k, convo.Rate{Score: 2, Comment: "slow"}).Conversation
		assert.Equal(t, convo.Rating{At: morning, Score: 2, Comment: "slow"}, c.Cycle.Rating)
	})
}

func TestPeersTiledesk(t *testing.T) {
	k := toContact("carl")
	t.Run("TD002 a request of a pooled department is open and nobody's", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"},
			convo.Assign{By: flowBot, Team: "sales"}).Conversation
		assert.Equal(t, convo.StatusOpen, c.Status)
		assert.Equal(t, []uuid.UUID{c.ID},
			d.list(convo.Filter{Team: "sales", Unassigned: true}))
	})
	t.Run("TD005 closed with when and by whom, and the transcript has both messages",
		func(t *testing.T) {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "yes?"})
			d.wait(time.Minute)
			c := d.do(k, convo.Close{By: agentBen}).Conversation
			assert.Equal(t, convo.StatusClosed, c.Status)
			assert.Equal(t, morning.Add(time.Minute), c.Cycle.Closing.At)
			assert.Equal(t, agentBen, c.Cycle.Closing.By)
			assert.Equal(t, []string{"hi", "yes?"}, d.bodies(c.ID))
		})
	t.Run("TD011 routing to another department, with the same or another agent",
		func(t *testing.T) {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"},
				convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"})
			for _, agent := range []string{"ana", "ben"} {
				c := d.do(k, convo.Assign{By: agentAna, Assignee: agent,
					Team: "to " + agent}).Conversation
				assert.Equal(t, []string{agent, "to " + agent}, []string{c.Assignee, c.Team})
			}
		})
	t.Run("TD012 routing to somebody else begins the waiting time anew", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
		d.wait(time.Hour)
		c := d.do(k, convo.Assign{By: agentAna, Assignee: "ben"}).Conversation
		assert.Equal(t, morning.Add(time.Hour), c.AssignedAt, "for who has it")
		assert.Equal(t, morning, c.Cycle.WaitingSince, "for the contact")
	})
	t.Run("TD014 conversations by status are counted", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"})
		d.do(toContact("b"), convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
		d.do(toContact("c"), convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
		d.do(toContact("d"), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
		counts, err := d.Counts(t.Context(), tenant)
		require.NoError(t, err)
		sum := convo.Sum(counts, nil)
		assert.Equal(t, []int{1, 2}, []int{sum.Open, sum.Pending})
		assert.EqualValues(t, 1,
			d.report(report.Query{Kind: report.Conversations}).Total[report.Closed].Count)
	})
	t.Run("TD015 those that a bot takes part in are counted apart", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "yes?"})
		c := d.do(toContact("b"), convo.Receive{Body: "hi"}, convo.Send{By: flowBot, Body: "yes?"},
			convo.Send{By: flowBot, Body: "well?"}).Conversation
		counted, err := report.Behind(t.Context(), d.store.(report.Store),
			monthly(report.Query{Kind: report.Messages}), report.OutgoingAutomation, uuid.Nil, 10)
		require.NoError(t, err)
		assert.Equal(t, []report.Counted{{Conversation: c.ID, Count: 2}}, counted)
	})
	t.Run("TD016 the duration is from creation to closing", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(17 * time.Minute)
		took, ok := d.do(k, convo.Close{By: agentAna}).Conversation.Cycle.ResolutionTime()
		assert.True(t, ok)
		assert.Equal(t, 17*time.Minute, took)
	})
	t.Run("TD017 a note is added", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		e := d.do(k, convo.Note{By: agentAna, Body: "hm"}).Events[0]
		assert.Equal(t, convo.NoteAdded, e.Kind)
		assert.Equal(t, "hm", e.Message().Body)
	})
	t.Run("TD018 all of it as CSV", func(t *testing.T) {
		d := openDesk(t)
		for _, contact := range []string{"a", "b"} {
			d.do(toContact(contact), convo.Receive{Body: "hi"},
				convo.Close{By: agentAna, Summary: "summary of " + contact})
		}
		var csv bytes.Buffer
		q := monthly(report.Query{})
		require.NoError(t, report.WriteCSV(t.Context(), &csv, d.store.(report.Store),
			report.Export{Workspace: tenant, From: q.From, To: q.To}))
		assert.Equal(t, 3, strings.Count(csv.String(), "\n"), "with its header")
		assert.Contains(t, csv.String(), "summary of b")
	})
	t.Run("TD019 closing takes the agent off", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{UnassignOnClose: true}))
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
		c := d.do(k, convo.Close{By: agentAna}).Conversation
		assert.Empty(t, c.Assignee)
		assert.Equal(t, "ana", c.Cycle.LastAssignee)
		assert.Empty(t, d.list(convo.Filter{Assignee: "ana"}))
	})
	t.Run("TD020 a lead that exists is taken, one that does not is made", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		for contact, known := range map[string]bool{"carl": true, "dora": false} {
			s, err := d.store.Load(t.Context(), toContact(contact))
			require.NoError(t, err)
			assert.Equal(t, known, s.Contact.Version > 0)
			assert.Equal(t, contact, d.do(toContact(contact), convo.Receive{Body: "?"}).Contact.ID)
		}
	})
	t.Run("TD021 a message has attributes of the host's own", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "ciao",
			Attachments: json.RawMessage(`{"language":"it","origin":"widget"}`)}).Conversation
		assert.JSONEq(t, `{"language":"it","origin":"widget"}`,
			string(d.shown(c.ID)[0].Attachments))
	})
}

func TestPeersTwilio(t *testing.T) {
	k := toContact("carl")
	t.Run("TW001 a new conversation is active", func(t *testing.T) {
		assert.True(t, openDesk(t).do(k, convo.Open{By: agentAna}).Conversation.Status.Active())
	})
	t.Run("TW005 a message of ours makes an inactive one active", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: convo.BySystem()})
		c := d.do(k, convo.Resume{By: agentAna}, convo.Send{By: agentAna, Body: "?"}).Conversation
		assert.Equal(t, convo.StatusOpen, c.Status)
	})
	t.Run("TW006 a closed one takes no messages", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{
			Receive: convo.OnClosed{Mode: convo.OnClosedReject}}))
		d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
		assert.ErrorIs(t, d.refuses(k, convo.Receive{Body: "?"}), convo.ErrClosed)
	})
	t.Run("TW009 an inactive one is closed directly", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna})
		assert.Equal(t, convo.OutcomeClosed, d.do(k, convo.Close{By: agentAna}).Outcome)
	})
	t.Run("TW010 each message sets the timer back", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{AutoClose: convo.AutoClose{
			After: 60 * minute, Since: convo.SinceAnyEvent}}))
		for _, cmd := range []convo.Command{convo.Receive{Body: "hi"},
			convo.Send{By: agentAna, Body: "yes?"}, convo.Receive{Body: "well"}} {
			d.do(k, cmd)
			d.wait(59 * time.Minute)
			assert.Zero(t, d.tick())
		}
		d.wait(time.Minute)
		assert.Equal(t, 1, d.tick())
	})
	t.Run("TW011 one with one of our numbers, another one with another", func(t *testing.T) {
		d := openDesk(t)
		k := convo.ToAddress("two numbers", "sms", "+49123")
		first := d.do(k.In("+1555"), convo.Receive{Body: "hi"}).Conversation
		second := d.do(k.In("+1666"), convo.Receive{Body: "hi"}).Conversation
		assert.NotEqual(t, first.ID, second.ID)
		assert.Equal(t, first.Contact, second.Contact)
		assert.Equal(t, first.ID, d.do(k.In("+1555"), convo.Receive{Body: "?"}).Conversation.ID)
	})
}
