package cloudevents_test

import (
	"context"
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/client"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/relay/cloudevents"
)

const secret = "what nobody may read in a log"

// story is a store with events of a conversation and of a contact itself.
func story(t *testing.T) (s *memstore.Store, written []convo.Event) {
	t.Helper()
	s = memstore.New(memstore.WithOutbox())
	e, err := convo.New(s, convo.WithObserver(func(_ context.Context, events []convo.Event) {
		written = append(written, events...)
	}))
	require.NoError(t, err)
	bob := convo.ToContact("a c/me", "b?b")
	_, err = e.Do(t.Context(), bob, convo.Receive{Channel: "chat", Body: secret})
	require.NoError(t, err)
	_, err = e.Do(t.Context(), bob, convo.Close{By: convo.ByUser("ana"), Category: "Sales"},
		convo.Block{By: convo.ByUser("ana")})
	require.NoError(t, err)
	return s, written
}

// receiver keeps what is posted to it, and answers as it is told.
type receiver struct {
	*httptest.Server
	status int
	got    []string
	types  []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: nethttp.StatusNoContent}
	r.Server = httptest.NewServer(nethttp.HandlerFunc(
		func(w nethttp.ResponseWriter, q *nethttp.Request) {
			body, _ := io.ReadAll(q.Body)
			r.got = append(r.got, string(body))
			r.types = append(r.types, q.Header.Get("Content-Type"))
			w.WriteHeader(r.status)
			if r.status >= 300 {
				_, _ = w.Write(body)
			}
		}))
	t.Cleanup(r.Close)
	return r
}

// sending relays what s has once.
func (r *receiver) sending(
	t *testing.T, s *memstore.Store, source func(string) string, opts ...relay.Option,
) relay.Stats {
	t.Helper()
	c, err := client.NewHTTP(http.WithTarget(r.URL + "/hidden?token=secret"))
	require.NoError(t, err)
	out, err := relay.New(s, relay.To("events", cloudevents.Publisher(c, source)), opts...)
	require.NoError(t, err)
	stats, err := out.Once(t.Context())
	require.NoError(t, err)
	return stats
}

func TestWhatIsReceivedIsWhatWasWritten(t *testing.T) {
	s, written := story(t)
	r := newReceiver(t)
	stats := r.sending(t, s, nil)
	require.Equal(t, len(written), stats.Sent)
	kinds := map[convo.EventKind]bool{}
	var last string
	for i, text := range r.got {
		assert.Equal(t, "application/cloudevents+json", r.types[i])
		var c event.Event
		require.NoError(t, json.Unmarshal([]byte(text), &c))
		require.NoError(t, c.Validate())
		var e convo.Event
		require.NoError(t, c.DataAs(&e))
		at := slices.IndexFunc(written, func(w convo.Event) bool { return w.ID == e.ID })
		require.GreaterOrEqual(t, at, 0)
		assert.Equal(t, written[at], e)
		kinds[e.Kind] = true

		assert.Equal(t, "1.0", c.SpecVersion())
		assert.Equal(t, e.ID.String(), c.ID())
		assert.Equal(t, "/convo/a%20c%2Fme", c.Source())
		assert.Equal(t, "com.github.chatlifecycle.convo."+e.Kind.String(), c.Type())
		assert.True(t, e.At.Equal(c.Time()))
		assert.Equal(t, "application/json", c.DataContentType())
		subject := "conversations/" + e.Conversation.String()
		if e.Kind == convo.ContactBlocked {
			subject = "contacts/b?b"
		} else {
			sequence := c.Extensions()["sequence"].(string)
			assert.Greater(t, sequence, last)
			assert.Len(t, sequence, 19)
			last = sequence
		}
		assert.Equal(t, subject, c.Subject())
		assert.Equal(t, "a c/me/"+subject, c.Extensions()["partitionkey"])
	}
	for _, kind := range []convo.EventKind{
		convo.MessageReceived, convo.ConversationClosed, convo.ContactBlocked,
	} {
		assert.True(t, kinds[kind], kind)
	}
}

func TestWhatIsNotAcknowledgedHasFailed(t *testing.T) {
	for _, c := range []struct {
		status int
		says   string
	}{
		{nethttp.StatusInternalServerError, "cloudevents: the receiver answered with status 500"},
		{nethttp.StatusBadRequest, "cloudevents: the receiver answered with status 400"},
		{0, "cloudevents: "},
	} {
		s, _ := story(t)
		r := newReceiver(t)
		if r.status = c.status; c.status == 0 {
			r.Close()
		}
		stats := r.sending(t, s, nil)
		assert.Zero(t, stats.Dead, "it is tried again")
		s, _ = story(t)
		stats = r.sending(t, s, nil, relay.WithBackoff()) // the first failure is the last
		assert.Zero(t, stats.Sent)
		letters, err := s.DeadLetters(t.Context(), relay.DeadLetterFilter{Workspace: "a c/me"})
		require.NoError(t, err)
		require.NotEmpty(t, letters)
		for _, l := range letters {
			assert.True(t, strings.HasPrefix(l.Error, c.says), l.Error)
			assert.NotContains(t, l.Error, "hidden", "no URL")
			assert.NotContains(t, l.Error, secret, "and no answer")
		}
	}
}

func TestAnEventThatCannotBeEncodedIsADeadLetter(t *testing.T) {
	s, _ := story(t)
	r := newReceiver(t)
	stats := r.sending(t, s, func(string) string { return "%" })
	assert.Zero(t, stats.Sent)
	assert.Positive(t, stats.Dead)
	assert.Empty(t, r.got)
}
