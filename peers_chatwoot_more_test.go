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
	"github.com/chatlifecycle/convo/report"
)

func TestPeersChatwootMessages(t *testing.T) {
	k := toContact("carl")
	// noResponse plays what is no first reply, a minute after the contact has written.
	noResponse := func(t *testing.T, cmds ...convo.Command) *desk {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(time.Minute)
		cycle := d.do(k, cmds...).Conversation.Cycle
		assert.Zero(t, cycle.FirstResponseAt)
		assert.Equal(t, morning, cycle.WaitingSince)
		return d
	}
	t.Run("CW041 a message of the contact is no first reply", func(t *testing.T) {
		noResponse(t, convo.Receive{Body: "hello?"})
	})
	t.Run("CW042 what the platform sends by itself is no first reply", func(t *testing.T) {
		noResponse(t, convo.Send{By: flowBot, Body: "We answer within an hour."})
	})
	t.Run("CW043 an assignment is no first reply", func(t *testing.T) {
		noResponse(t, convo.Assign{By: agentAna, Assignee: "ana"})
	})
	t.Run("CW044 a note is no first reply, the message after it is", func(t *testing.T) {
		d := noResponse(t, convo.Note{By: agentAna, Body: "hm"})
		d.wait(time.Minute)
		cycle := d.do(k, convo.Send{By: agentAna, Body: "yes?"}).Conversation.Cycle
		assert.Equal(t, morning.Add(2*time.Minute), cycle.FirstResponseAt)
		assert.Zero(t, cycle.WaitingSince)
	})
	t.Run("CW045 a campaign's and a rule's message are no first reply", func(t *testing.T) {
		noResponse(t, convo.Send{By: convo.ByAutomation("campaign"), Quiet: true, Body: "news"},
			convo.Send{By: convo.ByAutomation("rule 7"), Body: "We have it."})
	})
	t.Run("CW046 after a reply, the next message begins a new waiting", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(time.Minute)
		assert.Zero(t, d.do(k, convo.Send{By: agentAna, Body: "yes?"}).Conversation.Cycle.
			WaitingSince)
		d.wait(time.Minute)
		assert.Equal(t, morning.Add(2*time.Minute),
			d.do(k, convo.Receive{Body: "well"}).Conversation.Cycle.WaitingSince)
	})
	t.Run("CW049 a message does not reopen what was muted", func(t *testing.T) {
		d := openDesk(t, reopens(0))
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna},
			convo.Block{By: agentAna}).Conversation
		assert.ErrorIs(t, d.refuses(k, convo.Receive{Body: "hey"}), convo.ErrBlocked)
		assert.Equal(t, convo.StatusClosed, d.get(c.ID).Status)
	})
	t.Run("CW050 a message to a bot's resolved one makes it pending again", func(t *testing.T) {
		d := openDesk(t, reopens(0))
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: flowBot}).Conversation
		r := d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: flowBot}).Conversation
		assert.Equal(t, c.ID, r.ID)
		assert.Equal(t, convo.StatusPending, r.Status)
	})
	t.Run("CW051 120,000 characters are taken, more than 150,000 refused", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{MaxBody: 150_000}))
		d.do(k, convo.Receive{Body: strings.Repeat("x", 120_000)})
		requireInvalid(t, "body", d.refuses(k, convo.Receive{Body: strings.Repeat("x", 150_001)}))
	})
	t.Run("CW053 a message with an attachment carries it", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Attachments: json.RawMessage(`[{"url":"x.png"}]`)},
			convo.Receive{Body: "see?"}).Conversation
		shown := d.shown(c.ID)
		require.Len(t, shown, 2)
		assert.JSONEq(t, `[{"url":"x.png"}]`, string(shown[0].Attachments))
		assert.Empty(t, shown[1].Attachments)
	})
	t.Run("CW081 a known number's message joins its conversation", func(t *testing.T) {
		d := openDesk(t)
		first := d.do(toAddress("whatsapp", "+49123"), convo.Receive{Body: "hi"})
		second := d.do(toAddress("whatsapp", "+49123"), convo.Receive{Body: "hello?"})
		assert.Equal(t, first.Conversation.ID, second.Conversation.ID)
	})
	t.Run("CW083 a message after the resolution begins a new one", func(t *testing.T) {
		d := openDesk(t)
		first := d.do(toAddress("whatsapp", "+49123"), convo.Receive{Body: "hi"},
			convo.Close{By: agentAna})
		second := d.do(toAddress("whatsapp", "+49123"), convo.Receive{Body: "hello?"})
		assert.NotEqual(t, first.Conversation.ID, second.Conversation.ID)
		assert.Equal(t, first.Contact.ID, second.Contact.ID)
	})
	t.Run("CW084 none begins while the last one is open, pending or snoozed", func(t *testing.T) {
		for _, cmd := range []convo.Command{
			convo.Note{By: agentAna, Body: "open"},
			convo.SetPending{By: agentAna},
			convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)},
		} {
			d := openDesk(t)
			c := d.do(k, convo.Receive{Body: "hi"}, cmd).Conversation
			assert.Equal(t, c.ID, d.do(k, convo.Receive{Body: "hello?"}).Conversation.ID)
		}
	})
	t.Run("CW085 a message that is delivered twice is there once", func(t *testing.T) {
		d := openDesk(t)
		message := convo.Receive{ExternalID: "wamid.1", Body: "hi"}
		c := d.do(toAddress("whatsapp", "+49123"), message).Conversation
		again := d.do(toAddress("whatsapp", "+49123"), message)
		assert.Equal(t, convo.OutcomeDuplicate, again.Outcome)
		assert.Equal(t, []string{"hi"}, d.bodies(c.ID))
	})
	t.Run("CW086 two notations of one number are one contact", func(t *testing.T) {
		d := openDesk(t)
		with, without := toAddress("whatsapp", "+5541987654321"),
			toAddress("whatsapp", "+554187654321")
		first := d.do(with, convo.Receive{Body: "hi"})
		known, err := d.Contact(t.Context(), with) // by the channel's rule, which the host knows
		require.NoError(t, err)
		linked := without
		linked.Contact = known.ID
		second := d.do(linked, convo.Receive{Body: "hello?"})
		assert.Equal(t, first.Conversation.ID, second.Conversation.ID)
		third := d.do(without, convo.Receive{Body: "it is me"})
		assert.Equal(t, first.Conversation.ID, third.Conversation.ID)
	})
	t.Run("CW087 the name of the channel's profile is kept", func(t *testing.T) {
		d := openDesk(t)
		r := d.do(toAddress("whatsapp", "+49123"), convo.Receive{Body: "hi"},
			convo.SetProfile{By: flowBot, Name: new("Carl")})
		assert.Equal(t, "Carl", d.contact(r.Contact.ID).Name)
	})
	t.Run("CW126 may we still write? within 24 hours of the contact's last message",
		func(t *testing.T) {
			d := openDesk(t)
			id := d.do(k, convo.Receive{Body: "hi"}).Conversation.ID
			may := func() bool {
				return d.clock.Now().Before(d.get(id).LastIncomingAt.Add(24 * time.Hour))
			}
			d.wait(23 * time.Hour)
			d.do(k, convo.Send{By: agentAna, Body: "yes?"})
			assert.True(t, may())
			d.wait(time.Hour)
			assert.False(t, may(), "though we have written since")
			d.do(k, convo.Receive{Body: "well"})
			assert.True(t, may())
		})
	t.Run("CW127 a message outside working hours is answered, unless an agent wrote lately",
		func(t *testing.T) {
			d, calendar := openDesk(t), calendarOf(t, hours("UTC", office))
			receive := func() []string {
				r, err := d.decide(k, func(s convo.Snapshot) ([]convo.Command, error) {
					now := d.clock.Now()
					cmds := []convo.Command{convo.Receive{Body: "hi"}}
					replied := s.Conversation.Cycle.NoWaitBefore
					if calendar.Between(now, now.Add(time.Minute)) == 0 &&
						now.Sub(replied) > 5*time.Minute {
						cmds = append(cmds, convo.Send{By: flowBot, Quiet: true, Body: "away"})
					}
					return cmds, nil
				})
				require.NoError(t, err)
				return d.bodies(r.Conversation.ID)
			}
			assert.Equal(t, []string{"hi"}, receive(), "at work")
			d.wait(8*time.Hour + time.Minute)
			assert.Equal(t, []string{"hi", "hi", "away"}, receive())
			d.do(k, convo.Send{By: agentAna, Body: "here"})
			d.wait(time.Minute)
			assert.Equal(t, []string{"hi", "hi", "away", "here", "hi"}, receive())
		})
}

func TestPeersChatwootTimers(t *testing.T) {
	answered := []convo.Command{convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "yes?"}}
	t.Run("CW059 what waits for the contact is resolved, who waits is not", func(t *testing.T) {
		d := openDesk(t, closesAfter(time.Hour))
		waits := d.do(toContact("waits"), convo.Receive{Body: "hi"}).Conversation
		idle := d.do(toContact("idle"), answered...).Conversation
		d.wait(time.Hour)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, convo.StatusOpen, d.get(waits.ID).Status)
		assert.Equal(t, convo.StatusClosed, d.get(idle.ID).Status)
	})
	t.Run("CW062 what was resolved by itself can be found", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{AutoClose: convo.AutoClose{
			After: 60 * minute, Category: "by itself"}}))
		d.do(toContact("by hand"), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
		idle := d.do(toContact("idle"), answered...).Conversation
		d.wait(time.Hour)
		require.Equal(t, 1, d.tick())
		assert.Equal(t, []uuid.UUID{idle.ID}, d.list(convo.Filter{Category: "by itself"}))
	})
	t.Run("CW063 one run resolves at most so many", func(t *testing.T) {
		d := openDesk(t, closesAfter(time.Hour))
		for _, contact := range []string{"a", "b", "c", "d", "e"} {
			d.do(toContact(contact), answered...)
		}
		d.wait(time.Hour)
		for _, want := range []int{2, 2, 1, 0} {
			n, err := d.Tick(t.Context(), 2)
			require.NoError(t, err)
			assert.Equal(t, want, n)
		}
	})
	t.Run("CW067 of three that are snoozed, the one whose time has passed opens",
		func(t *testing.T) {
			d := openDesk(t)
			ids := map[string]uuid.UUID{}
			for contact, until := range map[string]time.Time{"today": morning.Add(time.Hour),
				"tomorrow": morning.Add(24 * time.Hour), "some day": {}} {
				ids[contact] = d.do(toContact(contact), convo.Receive{Body: "hi"},
					convo.SetPending{By: agentAna, Until: until}).Conversation.ID
			}
			d.wait(time.Hour)
			assert.Equal(t, 1, d.tick())
			assert.Equal(t, convo.StatusOpen, d.get(ids["today"]).Status)
			assert.Equal(t, convo.StatusPending, d.get(ids["tomorrow"]).Status)
			assert.Equal(t, convo.StatusPending, d.get(ids["some day"]).Status)
		})
}

func TestPeersChatwootMerges(t *testing.T) {
	t.Run("CW068 after a merge the other one is no contact of its own", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("base"), convo.Receive{Body: "hi"})
		d.do(toContact("other"), convo.Receive{Body: "hi"})
		d.merge("base", "other")
		all, err := d.Contacts(t.Context(), convo.ContactFilter{Workspace: tenant})
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, "base", all[0].ID)
		assert.Equal(t, "base", d.contact("other").ID)
	})
	t.Run("CW070 merging a contact with itself harms nothing", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"})
		requireInvalid(t, "secondary", d.refusesMerge("a", "a"))
	})
	t.Run("CW073 the other's open one goes on as the base's", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
		d.do(toContact("base"), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
		other := d.do(toContact("other"), convo.Receive{Body: "hi"}).Conversation
		d.merge("base", "other")
		active, err := d.Active(t.Context(), toContact("base"))
		require.NoError(t, err)
		assert.Equal(t, other.ID, active.ID)
		assert.Equal(t, "base", active.Contact)
	})
	t.Run("CW074 the other's identities are the base's", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("base"), convo.Receive{Body: "hi"})
		other := toAddress("sms", "+49123")
		other.Contact = "other"
		d.do(other, convo.Receive{Body: "hi"})
		d.merge("base", "other")
		assert.Equal(t, "base", d.do(toAddress("sms", "+49123"),
			convo.Receive{Body: "it is me"}).Contact.ID)
		all, err := d.Addresses(t.Context(), toContact("base"))
		require.NoError(t, err)
		assert.Equal(t, []convo.Address{{Channel: "sms", Value: "+49123"}}, all)
	})
	t.Run("CW075 the other's messages and notes are in the base's history", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("base"), convo.Receive{Body: "of base"})
		d.do(toContact("other"), convo.Receive{Body: "of other"},
			convo.Note{By: agentAna, Body: "note"})
		d.merge("base", "other")
		history, err := d.History(t.Context(), toContact("base"), convo.EventCursor{}, 0)
		require.NoError(t, err)
		var bodies []string
		for _, m := range convo.Messages(history) {
			bodies = append(bodies, m.Body)
		}
		assert.ElementsMatch(t, []string{"of base", "of other", "note"}, bodies)
	})
	t.Run("CW076 contacts of two accounts are not merged", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"})
		d.do(convo.ToContact("other", "b"), convo.Receive{Body: "hi"})
		assert.ErrorIs(t, d.refusesMerge("a", "b"), convo.ErrNotFound)
	})
	t.Run("CW079 one on SMS and another one, also active, in the API inbox", func(t *testing.T) {
		d := openDesk(t)
		k := convo.ToContact("two lanes", "carl")
		sms := d.do(k.In("sms"), convo.Receive{Body: "hi"}).Conversation
		api := d.do(k.In("api"), convo.Receive{Body: "hi"}).Conversation
		assert.NotEqual(t, sms.ID, api.ID)
		assert.Equal(t, sms.ID, d.do(k.In("sms"), convo.Receive{Body: "?"}).Conversation.ID)
		assert.Equal(t, api.ID, d.do(k.In("api"), convo.Receive{Body: "?"}).Conversation.ID)
	})
}

func TestPeersChatwootReports(t *testing.T) {
	k := toContact("carl")
	const week = 7 * 24 * time.Hour
	working := func(t *testing.T, kind report.Kind, by report.Dimension) report.Query {
		return report.Query{Kind: kind, GroupBy: by, Calendar: calendarOf(t, hours("UTC", office))}
	}
	is := func(t *testing.T, count int64, sum time.Duration, v report.Values, m report.Measure) {
		t.Helper()
		assert.Equal(t, []int64{count, sum.Microseconds()}, []int64{v[m].Count, v[m].Sum}, m)
	}
	t.Run("CW088 one resolution is one in the report, with its duration", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(3 * time.Hour)
		d.do(k, convo.Close{By: agentAna})
		is(t, 1, 3*time.Hour, d.report(report.Query{Kind: report.Resolutions}).Total,
			report.Resolution)
	})
	t.Run("CW089 a week's resolution is 40 hours of business", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(week)
		d.do(k, convo.Close{By: agentAna})
		is(t, 1, 40*time.Hour, d.report(working(t, report.Resolutions, "")).Total,
			report.WorkingResolution)
	})
	t.Run("CW090 what a bot resolved alone counts as a bot's", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: flowBot, Body: "42"},
			convo.Close{By: flowBot})
		is(t, 1, 0, d.report(report.Query{Kind: report.Resolutions}).Total, report.Automated)
	})
	t.Run("CW091 what a human had a hand in does not", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: agentAna, Body: "42"},
			convo.Close{By: flowBot})
		total := d.report(report.Query{Kind: report.Resolutions}).Total
		is(t, 1, 0, total, report.Resolution)
		is(t, 0, 0, total, report.Automated)
	})
	t.Run("CW092 a reply after two hours took 7,200 s", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(2 * time.Hour)
		d.do(k, convo.Send{By: agentAna, Body: "yes?"})
		is(t, 1, 7200*time.Second, d.report(report.Query{Kind: report.Responses}).Total,
			report.Response)
	})
	t.Run("CW093 a first response of a week is 40 hours of business, the replier's",
		func(t *testing.T) {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
			d.wait(week)
			d.do(k, convo.Send{By: agentBen, Body: "yes?"})
			r := d.report(working(t, report.Responses, report.Author))
			is(t, 1, 40*time.Hour, valuesOf(t, r, "ben"), report.WorkingFirstResponse)
		})
	handOver := func(d *desk, to string) {
		d.do(k, convo.Assign{By: flowBot, Assignee: to})
	}
	t.Run("CW094 a human's reply at 62 s after a handoff at 20 s took 42 s", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, convo.Send{By: flowBot, Body: "hello"})
		d.wait(20 * time.Second)
		handOver(d, "ana")
		d.wait(42 * time.Second)
		d.do(k, convo.Send{By: agentAna, Body: "it is me"})
		is(t, 1, 42*time.Second, d.report(report.Query{Kind: report.Responses}).Total,
			report.HandoverFirstResponse)
	})
	t.Run("CW095 a handoff is counted once per conversation, with its time", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(20 * time.Second)
		handOver(d, "ana")
		d.wait(time.Minute)
		handOver(d, "ben")
		d.do(toContact("by hand"), convo.Receive{Body: "hi"},
			convo.Assign{By: agentAna, Assignee: "ana"})
		handedOver, err := report.Behind(t.Context(), d.store.(report.Store), monthly(report.Query{
			Kind:   report.Assignments,
			Filter: report.Filter{report.ActorType: {string(convo.ActorAutomation)}},
		}), report.Assigned, uuid.Nil, 10)
		require.NoError(t, err)
		require.Len(t, handedOver, 1)
		assert.Equal(t, morning.Add(20*time.Second),
			d.get(handedOver[0].Conversation).Cycle.HandedOverAt)
	})
	byDay := func(t *testing.T, m report.Measure, cmd convo.Command, first, second int) {
		d := openDesk(t)
		d.do(k, convo.Open{By: agentAna})
		d.do(k, slices.Repeat([]convo.Command{cmd}, first)...)
		d.wait(24 * time.Hour)
		d.do(k, slices.Repeat([]convo.Command{cmd}, second)...)
		r := d.report(report.Query{Kind: report.Messages, Bucket: report.Day})
		var got []int64
		for _, p := range r.Series[:3] {
			got = append(got, p.Values[m].Count)
		}
		assert.Equal(t, []int64{int64(first), int64(second), 0}, got)
	}
	t.Run("CW097 incoming messages by day: 20 and 5", func(t *testing.T) {
		byDay(t, report.Incoming, convo.Receive{Body: "hi"}, 20, 5)
	})
	t.Run("CW098 outgoing messages by day: 50 and 15", func(t *testing.T) {
		byDay(t, report.OutgoingUser, convo.Send{By: agentAna, Body: "hi"}, 50, 15)
	})
	t.Run("CW100 ten after two hours and five at once: 4,800 s", func(t *testing.T) {
		d := openDesk(t)
		names := strings.Split("abcdefghijklmno", "")
		for _, name := range names {
			d.do(toContact(name), convo.Receive{Body: "hi"})
		}
		for i, name := range names {
			if i == 5 {
				d.wait(2 * time.Hour)
			}
			d.do(toContact(name), convo.Send{By: agentAna, Body: "yes?"})
		}
		first := d.report(report.Query{Kind: report.Responses}).Total[report.FirstResponse]
		assert.EqualValues(t, 15, first.Count)
		assert.InDelta(t, 4800e6, first.Mean, 0)
	})
}
