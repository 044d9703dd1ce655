package convo_test

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/storetest"
)

// What is said of a message now may be marked in another conversation, in which something happened
// later than it is said to be: there it comes last, in time too.
func TestAnEchoElsewhereIsMarkedWhereItsLogEnds(t *testing.T) {
	store := memstore.New()
	ana := convo.ByUser("ana")
	mock := clock.NewMock()
	e, err := convo.New(store, convo.WithClock(mock))
	require.NoError(t, err)
	to := convo.ToContact("acme", "riya")
	do := func(cmds ...convo.Command) convo.Result {
		t.Helper()
		r, err := e.Do(t.Context(), to, cmds...)
		require.NoError(t, err)
		return r
	}
	do(convo.Open{By: ana, Channel: "chat"})
	sent := do(convo.Send{By: ana, Channel: "chat", Body: "hello"})
	do(convo.Close{By: ana})
	mock.Add(time.Hour)
	do(convo.Open{By: ana, Channel: "chat"})
	echo := do(convo.Send{By: ana, Channel: "chat", Body: "hello", ExternalID: "1"})

	do(convo.Identify{
		By: ana, Message: sent.Events[0].ID, Channel: "chat", ExternalID: "1",
		At: mock.Now().Add(-time.Minute),
	})
	require.Empty(t, storetest.CheckInvariants(t.Context(), store, "acme"))
	log, err := e.History(t.Context(), to, convo.EventCursor{}, 100)
	require.NoError(t, err)
	last := log[len(log)-1]
	require.Equal(t, convo.MessageDuplicated, last.Kind)
	require.Equal(t, echo.Conversation.ID, last.Conversation)
	require.Equal(t, mock.Now().UTC(), last.At)
}
