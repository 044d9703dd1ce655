package convo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

func TestPeersRocketChatRooms(t *testing.T) {
	k := toContact("carl")
	t.Run("RC001 a visitor gets a room, with its source", func(t *testing.T) {
		r := openDesk(t).do(k, convo.Open{By: visitor, Source: "widget"})
		assert.Equal(t, convo.OutcomeOpened, r.Outcome)
		assert.Equal(t, convo.Source("widget"), r.Conversation.Cycle.OpenedSource)
	})
	t.Run("RC002 asking again gives the open room, and says that it is not new",
		func(t *testing.T) {
			d := openDesk(t)
			first := d.do(k, convo.Open{By: visitor})
			again := d.do(k, convo.Open{By: visitor})
			assert.Equal(t, first.Conversation.ID, again.Conversation.ID)
			assert.Equal(t, convo.OutcomeUnchanged, again.Outcome)
		})
	t.Run("RC003 a room by its id; for an unknown one, an error", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Open{By: visitor}).Conversation
		got, err := d.Conversation(t.Context(), toConversation(c.ID))
		require.NoError(t, err)
		assert.Equal(t, c, got)
		_, err = d.Conversation(t.Context(), toConversation(uuid.New()))
		assert.ErrorIs(t, err, convo.ErrNotFound)
	})
	t.Run("RC004 a message that opens the room says by what it came", func(t *testing.T) {
		c := openDesk(t).do(k, convo.Open{By: visitor, Source: "api"},
			convo.Receive{Body: "hi"}).Conversation
		assert.Equal(t, convo.Source("api"), c.Cycle.OpenedSource)
		assert.Equal(t, 1, c.Cycle.Incoming)
	})
	t.Run("RC007 rooms by tag and by custom field", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("else"), convo.Receive{Body: "hi"})
		c := d.do(k, convo.Receive{Body: "hi"},
			convo.Label{By: agentAna, Add: []string{"vip", "country: de"}}).Conversation
		assert.Equal(t, []uuid.UUID{c.ID}, d.list(convo.Filter{Labels: []string{"vip"}}))
		assert.Equal(t, []uuid.UUID{c.ID},
			d.list(convo.Filter{Labels: []string{"country: de", "vip"}}))
		assert.Empty(t, d.list(convo.Filter{Labels: []string{"country: fr"}}))
	})
	t.Run("RC008 closing for an unknown visitor, or an unknown room, is an error",
		func(t *testing.T) {
			d := openDesk(t)
			for _, to := range []convo.Ref{k, toAddress("web", "x"), toConversation(uuid.New())} {
				assert.ErrorIs(t, d.refuses(to, convo.Close{By: agentAna}), convo.ErrNotFound)
			}
		})
	t.Run("RC009 the visitor's closing gives the room and the comment back", func(t *testing.T) {
		d := openDesk(t)
		open := d.do(k, convo.Receive{Body: "hi"}).Conversation
		c := d.do(k, convo.Close{By: visitor, Summary: "Thanks!"}).Conversation
		assert.Equal(t, open.ID, c.ID)
		assert.Equal(t, "Thanks!", c.Cycle.Closing.Summary)
		assert.Equal(t, convo.ActorContact, c.Cycle.Closing.By.Type)
	})
	t.Run("RC011 where a comment is demanded, closing without one is an error", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{Summary: convo.RuleRequired}))
		d.do(k, convo.Receive{Body: "hi"})
		requireInvalid(t, "summary", d.refuses(k, convo.Close{By: agentAna}))
		assert.Equal(t, convo.OutcomeClosed,
			d.do(k, convo.Close{By: agentAna, Summary: "done"}).Outcome)
	})
	t.Run("RC018 forwarding with a comment is in the thread", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		r := d.do(k, convo.Assign{By: agentAna, Assignee: "ben"},
			convo.Note{By: agentAna, Body: "he knows kettles"})
		require.Len(t, r.Events, 2)
		assert.Equal(t, agentAna, r.Events[0].By)
		assert.Equal(t, "ben", r.Events[0].Assignment().Assignee)
		assert.Equal(t, "he knows kettles", r.Events[1].Message().Body)
	})
	t.Run("RC020 on hold: refused while the visitor waits for an answer", func(t *testing.T) {
		d := openDesk(t, forbids(func(s convo.Snapshot, e convo.Event) bool {
			return e.Kind == convo.ConversationPending &&
				s.Conversation.Turn() == convo.TurnContactWaiting
		}))
		d.do(k, convo.Receive{Body: "hi"})
		hold := convo.SetPending{By: agentAna}
		assert.ErrorIs(t, d.refuses(k, hold), errHost)
		d.do(k, convo.Send{By: agentAna, Body: "one moment"})
		assert.Equal(t, convo.OutcomePending, d.do(k, hold).Outcome)
	})
	t.Run("RC022 on hold: done", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		assert.Equal(t, convo.StatusPending,
			d.do(k, convo.SetPending{By: agentAna}).Conversation.Status)
	})
	t.Run("RC024 the visitor rates the room", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna}).Conversation
		c = d.do(toConversation(c.ID), convo.Rate{Score: 4, Comment: "quick"}).Conversation
		assert.Equal(t, convo.Rating{At: morning, Score: 4, Comment: "quick"}, c.Cycle.Rating)
	})
	t.Run("RC039 each agent has a count of unread messages", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "one"})
		seen := map[string]convo.EventCursor{} // which the host keeps
		c := d.do(k, convo.Receive{Body: "two"})
		seen["ana"] = c.Events[0].Cursor()
		d.do(k, convo.Receive{Body: "three"})
		unread := func(user string) int {
			events, err := d.Transcript(t.Context(), k, seen[user], 0)
			require.NoError(t, err)
			return len(convo.Messages(events))
		}
		assert.Equal(t, 1, unread("ana"))
		assert.Equal(t, 3, unread("ben"))
	})
	t.Run("RC041 tags are demanded at closing by the department", func(t *testing.T) {
		d := openDesk(t, forbids(func(s convo.Snapshot, e convo.Event) bool {
			return e.Kind == convo.ConversationClosed && s.Conversation.Team == "sales" &&
				len(s.Conversation.Labels.All()) == 0
		}))
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Team: "sales"})
		assert.ErrorIs(t, d.refuses(k, convo.Close{By: agentAna}), errHost)
		d.do(k, convo.Label{By: agentAna, Add: []string{"kettles", "refund"}})
		assert.Equal(t, convo.OutcomeClosed, d.do(k, convo.Close{By: agentAna}).Outcome)
	})
}

func TestPeersRocketChatQueues(t *testing.T) {
	k := toContact("carl")
	errTaken, errBusy := errors.New("somebody has it"), errors.New("who takes it has enough")
	// take gives a conversation to a user who has fewer than most.
	take := func(d *desk, to convo.Ref, user string, most int) error {
		counts, err := d.Counts(t.Context(), tenant)
		require.NoError(d.t, err)
		has := convo.Sum(counts, func(c convo.Count) bool { return c.Assignee == user })
		if has.Active() >= most {
			return errBusy
		}
		_, err = d.decide(to, func(s convo.Snapshot) ([]convo.Command, error) {
			if s.Conversation.Assignee != "" {
				return nil, errTaken
			}
			return []convo.Command{convo.Assign{By: convo.ByUser(user), Assignee: user}}, nil
		})
		return err
	}
	t.Run("RC028 the queue is what nobody has; an agent takes one out of it", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		queue := convo.Filter{Status: []convo.Status{convo.StatusOpen}, Unassigned: true}
		assert.Equal(t, []uuid.UUID{c.ID}, d.list(queue))
		require.NoError(t, take(d, k, "ana", 5))
		assert.ErrorIs(t, take(d, k, "ben", 5), errTaken)
		assert.Empty(t, d.list(queue))
		assert.Equal(t, "ana", d.get(c.ID).Assignee)
	})
	t.Run("RC030 chats per agent right now", func(t *testing.T) {
		d := openDesk(t)
		for contact, user := range map[string]string{"a": "ana", "b": "ana", "c": "ben"} {
			d.do(toContact(contact), convo.Receive{Body: "hi"})
			require.NoError(t, take(d, toContact(contact), user, 5))
		}
		live, err := report.Dashboard(t.Context(), d.store.(report.Store), tenant)
		require.NoError(t, err)
		got := map[string]int64{}
		for _, g := range live.Assignees {
			got[g.Value] = g.Open
		}
		assert.Equal(t, map[string]int64{"ana": 2, "ben": 1}, got)
	})
	t.Run("RC032 an agent has at most so many at once; more wait in the queue", func(t *testing.T) {
		d := openDesk(t)
		for _, contact := range []string{"a", "b", "c"} {
			d.do(toContact(contact), convo.Receive{Body: "hi"})
		}
		require.NoError(t, take(d, toContact("a"), "ana", 2))
		require.NoError(t, take(d, toContact("b"), "ana", 2))
		assert.ErrorIs(t, take(d, toContact("c"), "ana", 2), errBusy)
		assert.Len(t, d.list(convo.Filter{Unassigned: true}), 1)
		d.do(toContact("a"), convo.Close{By: agentAna})
		require.NoError(t, take(d, toContact("c"), "ana", 2))
	})
	t.Run("RC033 to the contact's own manager first, else to who is available",
		func(t *testing.T) {
			d, online := openDesk(t), map[string]bool{"ana": true, "ben": true}
			route := func(contact string) string {
				r, err := d.decide(toContact(contact),
					func(s convo.Snapshot) ([]convo.Command, error) {
						cmds := []convo.Command{convo.Receive{Body: "hi"}}
						manager, _ := s.Contact.Attributes.Map()["manager"].(string)
						switch {
						case online[manager]:
						case online["ana"]:
							manager = "ana"
						default:
							return append(cmds, convo.SetPending{By: flowBot}), nil
						}
						return append(cmds, convo.Assign{By: flowBot, Assignee: manager}), nil
					})
				require.NoError(t, err)
				return r.Conversation.Assignee
			}
			d.do(toContact("a"), convo.Receive{Quiet: true, Body: "hi"}, convo.SetProfile{
				By: flowBot, Attributes: []byte(`{"manager":"ben"}`)})
			assert.Equal(t, "ben", route("a"))
			online["ben"] = false
			d.do(toContact("a"), convo.Close{By: agentBen})
			assert.Equal(t, "ana", route("a"))
			online["ana"] = false
			assert.Empty(t, route("b"))
			assert.Equal(t, convo.StatusPending, d.get(d.latest("b")).Status, "the bot has it")
		})
	t.Run("RC034 with nobody online no room is begun", func(t *testing.T) {
		d := openDesk(t)
		_, err := d.decide(k, func(s convo.Snapshot) ([]convo.Command, error) {
			if !s.Conversation.Status.Active() { // and nobody is online
				return nil, errHost
			}
			return []convo.Command{convo.Receive{Body: "hi"}}, nil
		})
		assert.ErrorIs(t, err, errHost)
		assert.Empty(t, d.list(convo.Filter{}))
	})
	at := func(day, hour int) time.Time {
		return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC)
	}
	t.Run("RC035 inactivity within one working day of one hour: 3,600 s", func(t *testing.T) {
		c := calendarOf(t, hours("UTC", "monday 09:00-10:00"))
		assert.Equal(t, 3600*time.Second, c.Between(at(2, 8), at(2, 20)))
	})
	t.Run("RC036 inactivity that ends within working hours: 7,200 s", func(t *testing.T) {
		c := calendarOf(t, hours("UTC", "daily 10:00-23:00"))
		assert.Equal(t, 7200*time.Second, c.Between(at(2, 8), at(2, 12)))
	})
	t.Run("RC038 inactivity over several days, one of them not worked: 7,200 s",
		func(t *testing.T) {
			c := calendarOf(t, hours("UTC", "monday 09:00-10:00, wednesday 09:00-10:00"))
			assert.Equal(t, 7200*time.Second, c.Between(at(2, 8), at(4, 20)))
		})
}
