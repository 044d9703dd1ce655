package convo_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/convotest"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

// What docs/inbox.md says, beyond its example.

const number = "+4912345"

var (
	susan = convo.ToAddress("acme", "whatsapp", number)
	ana   = convo.ByUser("ana")
)

func TestAMessageFromAClockThatIsAheadIsTaken(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	r, err := take(t.Context(), engine,
		incoming{"wamid.1", number, "Hello?", time.Now().Add(time.Hour)})
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeOpened, r.Outcome)
}

// What is set aside has no outcome, and is no error. A quiet message is taken nevertheless.
func TestWhatNoRepetitionHelpsIsSetAside(t *testing.T) {
	engine, err := convo.New(memstore.New(), convo.WithPolicy(convo.Policy{
		Receive: convo.OnClosed{Mode: convo.OnClosedReject}, MaxBody: 10,
	}))
	require.NoError(t, err)
	set := func(id, text string) convo.Result {
		r, err := take(t.Context(), engine, incoming{ID: id, From: number, Text: text})
		require.NoError(t, err)
		return r
	}
	do := func(cmd convo.Command) convo.Result {
		r, err := engine.Do(t.Context(), susan, cmd)
		require.NoError(t, err)
		return r
	}
	opened := set("wamid.1", "Hello?")
	assert.Equal(t, convo.OutcomeOpened, opened.Outcome)
	assert.Empty(t, set("wamid.2", "I am too long.").Outcome)
	do(convo.Close{By: ana})
	assert.Empty(t, set("wamid.3", "Bye!").Outcome)
	quiet := do(convo.Receive{ExternalID: "wamid.3", Quiet: true, Body: "Bye!"})
	assert.Equal(t, convo.OutcomeRecorded, quiet.Outcome)
	assert.Equal(t, opened.Conversation.ID, quiet.Conversation.ID)
	do(convo.Block{By: ana})
	assert.Empty(t, set("wamid.4", "Bye!").Outcome)
}

func TestAConversationIsSetAsideUntilNineTomorrow(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct{ now, nine string }{
		{"2026-03-02T09:00:00Z", "2026-03-03T08:00:00Z"},
		{"2026-03-02T23:30:00Z", "2026-03-04T08:00:00Z"}, // it is the third there
		{"2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z"}, // summer begins
		{"2026-12-31T12:00:00Z", "2027-01-01T08:00:00Z"},
	} {
		k := convotest.New(t, memstore.New())
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		k.Clock.Set(now)
		k.Answered("susan")
		r, err := snooze(t.Context(), k.Engine, k.Ref("susan"), ana, now, zone)
		require.NoError(t, err)
		assert.Equal(t, convo.StatusPending, r.Conversation.Status)
		assert.Equal(t, c.nine, r.Conversation.PendingUntil.Format(time.RFC3339), c.now)
		k.Pass(r.Conversation.PendingUntil.Sub(now))
		woken, err := k.Active(t.Context(), k.Ref("susan"))
		require.NoError(t, err)
		assert.Equal(t, convo.StatusOpen, woken.Status)
	}
}

func TestAConversationIsFinishedOnceWithACategory(t *testing.T) {
	k := convotest.New(t, memstore.New(), convo.WithPolicy(convo.Policy{
		Category: convo.RuleRequired, Categories: []string{"Support"},
	}))
	to := convo.ToConversation(convotest.Workspace, k.Answered("susan").ID)
	_, err := finish(t.Context(), k.Engine, to, ana, "", "Replaced.")
	require.ErrorIs(t, err, convo.ErrInvalid)
	r, err := finish(t.Context(), k.Engine, to, ana, "Support", "Replaced.")
	require.NoError(t, err)
	closing := r.Conversation.Cycle.Closing
	assert.Equal(t, "Support: Replaced.", closing.Category+": "+closing.Summary)
	_, err = finish(t.Context(), k.Engine, to, convo.ByUser("ben"), "Support", "Refunded.")
	var refused *convo.StateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, &closing, refused.Closing)
}

// The window is of a number, over all conversations, from when its last message was sent.
func TestHowLongOneMayAnswerFreely(t *testing.T) {
	k := convotest.New(t, memstore.New())
	do := func(to convo.Ref, cmds ...convo.Command) {
		_, err := k.Do(t.Context(), to, cmds...)
		require.NoError(t, err)
	}
	now := convotest.Start
	ends := func(after time.Duration) {
		t.Helper()
		var want time.Time
		if after != 0 {
			want = now.Add(after)
		}
		until, err := freeUntil(t.Context(), k.Engine, number, k.Clock.Now())
		require.NoError(t, err)
		assert.Equal(t, want, until)
	}
	const hour = time.Hour
	ends(0) // nobody is known
	do(susan, convo.Open{By: ana}, convo.Send{By: ana, Body: "Are you there?"})
	ends(0) // nobody has written
	do(susan, convo.Receive{ExternalID: "1", SentAt: now.Add(-23 * hour), Body: "Yes."})
	ends(hour) // it came late
	do(susan, convo.Receive{ExternalID: "2", SentAt: now.Add(-20 * hour), Body: "Hello?"})
	do(susan, convo.Receive{ExternalID: "3", SentAt: now.Add(-21 * hour), Body: "I am."})
	ends(4 * hour) // in whatever order
	do(susan, convo.Close{By: ana})
	do(susan, convo.Open{By: ana})
	ends(4 * hour) // in whatever conversation
	do(susan, convo.Receive{ExternalID: "4", SentAt: now.Add(-hour), Quiet: true, Body: "+1"})
	ends(23 * hour) // a reaction, too
	other := convo.ToAddress("acme", "sms", number)
	other.Contact = func() string {
		contact, err := k.Contact(t.Context(), susan)
		require.NoError(t, err)
		return contact.ID
	}()
	do(other, convo.Receive{Body: "By SMS."})
	second := convo.ToAddress("acme", "whatsapp", "+4954321")
	second.Contact = other.Contact
	do(second, convo.Receive{Body: "By my other phone."})
	do(susan, convo.Send{By: ana, Body: "Good."})
	ends(23 * hour) // nothing else begins it
	k.Clock.Add(23*hour - time.Second)
	ends(23 * hour)
	k.Clock.Add(time.Second)
	ends(0)
}

func TestAMessageWithoutAnAddressIsADeadLetter(t *testing.T) {
	store := memstore.New(memstore.WithOutbox())
	engine, err := convo.New(store)
	require.NoError(t, err)
	var sent []string
	send := func(_ context.Context, to, text string) (string, error) {
		sent = append(sent, to+" "+text)
		return "wamid.9", nil
	}
	r, err := relay.New(store, outgoing(deliverer(engine, send)))
	require.NoError(t, err)
	for _, channel := range []string{"", "whatsapp", "webchat"} {
		to := convo.ToContact("acme", "by-"+channel)
		_, err = engine.Do(t.Context(), to, convo.Open{By: ana},
			convo.Send{By: ana, Channel: channel, Body: "Hello?"})
		require.NoError(t, err)
	}
	_, err = engine.Do(t.Context(), susan, convo.Open{By: ana}, convo.Send{By: ana, Body: "Hi!"})
	require.NoError(t, err)
	_, err = r.Once(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{number + " Hi!"}, sent)
	letters, err := store.DeadLetters(t.Context(), relay.DeadLetterFilter{Workspace: "acme"})
	require.NoError(t, err)
	require.Len(t, letters, 2, "of the web chat there is none")
	assert.Contains(t, letters[0].Error, "no address")
}

// delivered is an engine whose message has been sent, and is known as wamid.1, in a conversation
// that was closed since.
func delivered(t *testing.T) (*convo.Engine, convo.Store, convo.Conversation) {
	t.Helper()
	store := memstore.New()
	engine, err := convo.New(store)
	require.NoError(t, err)
	r, err := engine.Do(t.Context(), susan, convo.Receive{Body: "Hello?"},
		convo.Send{By: ana, ExternalID: "wamid.1", Body: "Yes?"}, convo.Close{By: ana})
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), susan, convo.Receive{Body: "Hello again"})
	require.NoError(t, err)
	return engine, store, r.Conversation
}

func TestReceiptsThatSayNothingAreLeftOut(t *testing.T) {
	engine, store, c := delivered(t)
	status := func() convo.DeliveryStatus {
		events, err := engine.Transcript(t.Context(), convo.ToConversation("acme", c.ID),
			convo.EventCursor{}, 0)
		require.NoError(t, err)
		shown := convo.Messages(events)
		require.NoError(t, engine.AddDeliveries(t.Context(), shown))
		require.Len(t, shown, 2)
		return shown[1].Delivery.Status
	}
	for _, s := range []struct {
		said string
		want convo.DeliveryStatus
	}{
		{"deleted", ""}, {"warning", ""}, {"sent", convo.DeliverySent},
		{"delivered", convo.DeliveryDelivered}, {"played", convo.DeliveryRead},
		{"read", convo.DeliveryRead}, {"deleted", convo.DeliveryRead},
	} {
		require.NoError(t, confirm(t.Context(), engine, store,
			receipt{ID: "wamid.1", To: number, Status: s.said}), s.said)
		assert.Equal(t, s.want, status(), s.said)
	}
}

func TestAMessageThatFailedLabelsItsConversationOnce(t *testing.T) {
	engine, store, c := delivered(t)
	failed := receipt{ID: "wamid.1", To: number, Status: "failed", Why: "131026 Undeliverable"}
	labels := func() []string {
		now, err := engine.Conversation(t.Context(), convo.ToConversation("acme", c.ID))
		require.NoError(t, err)
		return now.Labels.All()
	}
	early := failed
	early.ID = "wamid.2"
	require.ErrorContains(t, confirm(t.Context(), engine, store, early), "not known yet")
	assert.Empty(t, labels())
	require.NoError(t, confirm(t.Context(), engine, store, failed))
	assert.Equal(t, []string{"undelivered"}, labels())
	listed, err := engine.Conversations(t.Context(),
		convo.Filter{Workspace: "acme", Labels: []string{"undelivered"}})
	require.NoError(t, err)
	require.Len(t, listed, 1, "not the one that is open now")
	assert.Equal(t, c.ID, listed[0].ID)

	_, err = engine.Do(t.Context(), convo.ToConversation("acme", c.ID),
		convo.Label{By: ana, Remove: []string{"undelivered"}})
	require.NoError(t, err)
	require.NoError(t, confirm(t.Context(), engine, store, failed))
	assert.Empty(t, labels(), "an agent has seen it")
}

// A reply that failed is one: nobody waits any more, and reports count it.
func TestAReplyThatFailedIsAReply(t *testing.T) {
	engine, store, c := delivered(t)
	require.NoError(t, confirm(t.Context(), engine, store,
		receipt{ID: "wamid.1", To: number, Status: "failed"}))
	now, err := engine.Conversation(t.Context(), convo.ToConversation("acme", c.ID))
	require.NoError(t, err)
	_, replied := now.Cycle.FirstResponseTime()
	assert.True(t, replied)
	assert.Equal(t, c.Cycle, now.Cycle)
}

// A key is unique in its workspace, and stands for the Ref and all that the command says.
func TestAKeyIsOfOneRequestInItsWorkspace(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	opened, err := engine.Do(t.Context(), susan, convo.Open{By: ana})
	require.NoError(t, err)
	_, err = write(t.Context(), engine, susan, ana, "draft 1", "Hello!")
	require.NoError(t, err)
	elsewhere := convo.ToAddress("acme", "whatsapp", "+4954321")
	_, err = engine.Do(t.Context(), elsewhere, convo.Open{By: ana})
	require.NoError(t, err)
	for what, again := range map[string]struct {
		to   convo.Ref
		text string
		by   convo.Actor
	}{
		"another text":    {susan, "Hello?", ana},
		"another contact": {elsewhere, "Hello!", ana},
		"another agent":   {susan, "Hello!", convo.ByUser("ben")},
		"the same conversation, named otherwise": {
			convo.ToConversation("acme", opened.Conversation.ID), "Hello!", ana},
	} {
		_, err := write(t.Context(), engine, again.to, again.by, "draft 1", again.text)
		assert.ErrorIs(t, err, convo.ErrKeyReused, what)
	}
	r, err := write(t.Context(), engine, susan, ana, "draft 1", "Hello!")
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeDuplicate, r.Outcome)
	other := convo.ToAddress("other", "whatsapp", number)
	_, err = engine.Do(t.Context(), other, convo.Open{By: ana})
	require.NoError(t, err)
	r, err = write(t.Context(), engine, other, ana, "draft 1", "Hello?")
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeRecorded, r.Outcome)
}

// The outcome is that of the last command; what the first one did is in the events.
func TestTheEventsSayWhetherAMessageOpened(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	r, err := engine.Do(t.Context(), susan, convo.Receive{Body: "Hello?"},
		convo.SetProfile{By: convo.ByContact(), Name: new("Susan")})
	require.NoError(t, err)
	assert.NotEqual(t, convo.OutcomeOpened, r.Outcome)
	assert.True(t, slices.ContainsFunc(r.Events, func(e convo.Event) bool {
		return e.Kind == convo.ConversationOpened
	}))
}

// What was sent before a closing and comes after it opens another conversation; and the last
// message of a list is the last that came.
func TestALateMessageIsOneThatComesNow(t *testing.T) {
	k := convotest.New(t, memstore.New())
	first := k.Closed("susan")
	k.Clock.Add(time.Hour)
	late := k.Clock.Now().Add(-2 * time.Hour)
	second := k.Did("susan", convo.Receive{Body: "now"}, convo.Receive{SentAt: late, Body: "late"})
	assert.NotEqual(t, first.ID, second.ID)
	assert.True(t, late.Before(first.Cycle.Closing.At))
	items, err := k.List(t.Context(), convo.Filter{Workspace: convotest.Workspace,
		Status: []convo.Status{convo.StatusOpen}})
	require.NoError(t, err)
	require.Len(t, items, 1)
	assert.Equal(t, "late", items[0].LastMessage.Body)
}
