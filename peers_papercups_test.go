package convo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

func TestPeersPapercupsConversations(t *testing.T) {
	k := toContact("carl")
	t.Run("PC001 all conversations of an account, and of no other", func(t *testing.T) {
		d := openDesk(t)
		var want []uuid.UUID
		for _, contact := range []string{"b", "a"} {
			want = append(want, d.do(toContact(contact), convo.Receive{Body: "hi"}).Conversation.ID)
		}
		d.do(convo.ToContact("other", "a"), convo.Receive{Body: "hi"})
		assert.ElementsMatch(t, want, d.list(convo.Filter{}))
	})
	t.Run("PC006 conversations with a word in a message", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "my kettle"})
		d.do(toContact("b"), convo.Receive{Body: "my oven"})
		var found []string
		for c, err := range d.AllConversations(t.Context(), convo.Filter{Workspace: tenant}) {
			require.NoError(t, err)
			for _, body := range d.bodies(c.ID) {
				if strings.Contains(body, "kettle") {
					found = append(found, c.Contact)
				}
			}
		}
		assert.Equal(t, []string{"a"}, found)
	})
	// forgotten are who has waited for longer: the list is read no further than that.
	forgotten := func(d *desk, after time.Duration) (contacts []string) {
		for item, err := range d.AllList(t.Context(), convo.Filter{Workspace: tenant,
			Order: convo.OrderWaiting, Ascending: true, Limit: 1}) {
			require.NoError(t, err)
			if item.Waiting(d.clock.Now()) <= after {
				break
			}
			contacts = append(contacts, item.Contact.ID)
		}
		return contacts
	}
	waiting := func(t *testing.T) *desk {
		d := openDesk(t)
		for _, contact := range []string{"first", "answered", "second"} {
			d.do(toContact(contact), convo.Receive{Body: "hi"})
			d.wait(12 * time.Hour)
		}
		d.do(toContact("answered"), convo.Send{By: agentAna, Body: "yes?"})
		return d
	}
	t.Run("PC007 forgotten: the customer wrote last, more than a day ago", func(t *testing.T) {
		d := waiting(t)
		assert.Equal(t, []string{"first"}, forgotten(d, 24*time.Hour))
		assert.Equal(t, []string{"first", "second"}, forgotten(d, time.Hour))
		d.do(toContact("first"), convo.Send{By: agentAna, Body: "yes?"})
		assert.Empty(t, forgotten(d, 24*time.Hour))
	})
	t.Run("PC008 the store finds the forgotten ones", func(t *testing.T) {
		d := waiting(t)
		assert.Equal(t, []uuid.UUID{d.latest("first")}, d.list(convo.Filter{Waiting: true,
			Order: convo.OrderWaiting, Ascending: true, Limit: 1}))
	})
	t.Run("PC010 what the customer is shown has no private notes", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, convo.Note{By: agentAna, Body: "rude"},
			convo.Send{By: agentAna, Body: "yes?"}).Conversation
		var bodies []string
		for _, m := range d.shown(c.ID) {
			if m.Event.Kind != convo.NoteAdded {
				bodies = append(bodies, m.Body)
			}
		}
		assert.Equal(t, []string{"hi", "yes?"}, bodies)
	})
	t.Run("PC013 closing sets its time, reopening clears it", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		d.wait(time.Hour)
		assert.Equal(t, morning.Add(time.Hour),
			d.do(k, convo.Close{By: agentAna}).Conversation.Cycle.Closing.At)
		assert.Zero(t, d.do(k, convo.Reopen{By: agentAna}).Conversation.Cycle.Closing)
	})
	t.Run("PC014 a change of status moves the last activity", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		for _, cmd := range []convo.Command{convo.SetPending{By: agentAna},
			convo.Resume{By: agentAna}, convo.Close{By: agentAna}, convo.Reopen{By: agentAna}} {
			d.wait(time.Hour)
			assert.Equal(t, d.clock.Now().UTC(), d.do(k, cmd).Conversation.LastActivityAt)
		}
	})
	t.Run("PC018 the first message of a conversation", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "first"},
			convo.Receive{Body: "second"}).Conversation
		page, err := d.Transcript(t.Context(), toConversation(c.ID), convo.EventCursor{}, 2)
		require.NoError(t, err)
		assert.Equal(t, "first", convo.Messages(page)[0].Body)
	})
	t.Run("PC020 fifteen in pages of five, none twice, none lost", func(t *testing.T) {
		d := openDesk(t)
		for _, contact := range strings.Split("abcdefghijklmno", "") {
			d.do(toContact(contact), convo.Receive{Body: "hi"})
		}
		seen, pages := map[uuid.UUID]bool{}, 0
		for f := (convo.Filter{Workspace: tenant, Limit: 5}); ; pages++ {
			page, err := d.Conversations(t.Context(), f)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			require.Len(t, page, 5)
			for _, c := range page {
				require.False(t, seen[c.ID])
				seen[c.ID] = true
			}
			f.After = f.Cursor(page[4])
		}
		assert.Equal(t, 3, pages)
		assert.Len(t, seen, 15)
	})
	t.Run("PC024 a reply marks it read, a customer's message unread", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		unread := convo.Filter{Waiting: true}
		assert.Equal(t, []uuid.UUID{c.ID}, d.list(unread))
		d.do(k, convo.Send{By: agentAna, Body: "yes?"})
		assert.Empty(t, d.list(unread))
		d.do(k, convo.Receive{Body: "well"})
		assert.Equal(t, []uuid.UUID{c.ID}, d.list(unread))
	})
	t.Run("PC039 find or create a customer by e-mail", func(t *testing.T) {
		d := openDesk(t)
		first := d.do(toAddress("email", "carl@example.com"), convo.Receive{Body: "hi"})
		again := d.do(toAddress("email", "carl@example.com"), convo.Receive{Body: "hi"})
		assert.NotEmpty(t, first.Contact.ID)
		assert.Equal(t, first.Contact.ID, again.Contact.ID)
	})
}

func TestPeersPapercupsReports(t *testing.T) {
	seconds := []int{615, 5, 330, 20, 140}
	// after has five contacts write, one a day, and does cmd after as many seconds.
	after := func(t *testing.T, cmd convo.Command) *desk {
		d := openDesk(t)
		d.clock.Set(time.Date(2026, 3, 8, 9, 0, 0, 0, time.UTC)) // a Sunday
		for i, n := range seconds {
			k := toContact(string(rune('a' + i)))
			d.do(k, convo.Receive{Body: "hi"})
			d.wait(time.Duration(n) * time.Second)
			d.do(k, cmd)
			d.wait(24*time.Hour - time.Duration(n)*time.Second)
		}
		return d
	}
	reply, end := convo.Send{By: agentAna, Body: "yes?"}, convo.Close{By: agentAna}
	t.Run("PC025 messages by day, of this account, between two times", func(t *testing.T) {
		d := after(t, reply)
		d.do(convo.ToContact("other", "a"), convo.Receive{Body: "hi"})
		q := monthly(report.Query{Kind: report.Messages, Bucket: report.Day})
		q.From = time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
		q.To = q.From.AddDate(0, 0, 4)
		r, err := report.Run(t.Context(), d.store.(report.Store), q)
		require.NoError(t, err)
		var got []int64
		for _, p := range r.Series {
			got = append(got, p.Values[report.Incoming].Count)
		}
		assert.Equal(t, []int64{1, 1, 1, 0}, got)
	})
	t.Run("PC030 median of the times to the first reply", func(t *testing.T) {
		first := after(t, reply).report(report.Query{Kind: report.Responses}).
			Total[report.FirstResponse]
		assert.InDelta(t, 140e6, first.Median, 0)
	})
	t.Run("PC031 without a reply the mean is 0, not an error", func(t *testing.T) {
		d := openDesk(t)
		d.do(toContact("carl"), convo.Receive{Body: "hi"})
		assert.Zero(t, d.report(report.Query{Kind: report.Responses}).Total[report.FirstResponse])
	})
	t.Run("PC032 mean and median of the times to the closing", func(t *testing.T) {
		closed := after(t, end).report(report.Query{Kind: report.Resolutions}).
			Total[report.Resolution]
		assert.EqualValues(t, 5, closed.Count)
		assert.InDelta(t, 222e6, closed.Mean, 0)
		assert.InDelta(t, 140e6, closed.Median, 0)
	})
	sundays := report.Query{Kind: report.Resolutions, Bucket: report.Week,
		WeekStart: report.Sunday}
	t.Run("PC034 a week from Sunday: mean 222, median 140", func(t *testing.T) {
		r := after(t, end).report(sundays)
		week := r.Series[1]
		assert.Equal(t, time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), week.From)
		assert.InDelta(t, 222e6, week.Values[report.Resolution].Mean, 0)
		assert.InDelta(t, 140e6, week.Values[report.Resolution].Median, 0)
	})
	t.Run("PC035 weeks from Sunday to Saturday, also empty ones", func(t *testing.T) {
		r := after(t, end).report(sundays)
		var got []int64
		for i, p := range r.Series {
			if i > 0 {
				assert.Equal(t, time.Sunday, p.From.Weekday())
			}
			got = append(got, p.Values[report.Resolution].Count)
		}
		assert.Equal(t, []int64{0, 5, 0, 0, 0}, got)
	})
	t.Run("PC038 new customers by day", func(t *testing.T) {
		d := openDesk(t)
		for _, contacts := range []string{"ab", "a", "bc"} { // of whom the same ones come again
			for _, contact := range strings.Split(contacts, "") {
				d.do(toContact(contact), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
			}
			d.wait(24 * time.Hour)
		}
		r := d.report(report.Query{Kind: report.Contacts, Bucket: report.Day})
		var got []int64
		for _, p := range r.Series[:4] {
			got = append(got, p.Values[report.NewContacts].Count)
		}
		assert.Equal(t, []int64{2, 0, 1, 0}, got)
	})
}
