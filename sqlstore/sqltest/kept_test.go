package sqlstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// What one process has just written it need not read again.
func TestTheNextMessageOfAContactIsOneStatement(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite || e == testdb.MySQL {
			t.Skip("a commit there is a transaction of several statements")
		}
		r := &recorder{}
		s := migrated(t, r.open(t, testdb.Create(t, e)), e)
		engine, err := convo.New(s)
		require.NoError(t, err)
		statements := func(to convo.Ref, cmds ...convo.Command) int {
			r.take()
			_, err := engine.Do(t.Context(), to, cmds...)
			require.NoError(t, err)
			return len(r.take())
		}
		riya, phone := convo.ToContact(acme, "riya"), convo.ToAddress(acme, "sms", "+49")
		send := convo.Send{By: ana, Body: "an answer"}
		for _, to := range []convo.Ref{riya, phone, riya.In("orders")} {
			hi := convo.Receive{Channel: "chat", Body: "hi"}
			assert.Equal(t, 2, statements(to, hi))
			for i := range 5 {
				hi.ExternalID = fmt.Sprint(to, i)
				assert.Equal(t, 1, statements(to, hi), to)
				assert.Equal(t, 1, statements(to, send), to)
				assert.Equal(t, 1, statements(to, send, convo.Note{By: ana, Body: "a note"}), to)
			}
			assert.Equal(t, 1, statements(to, convo.Close{By: ana, Category: "Sales"}), to)
			hi.ExternalID = ""
			assert.Equal(t, 2, statements(to, hi), "it is closed")
		}
		_, err = engine.DoFunc(t.Context(), riya, "",
			func(convo.Snapshot) ([]convo.Command, error) { return []convo.Command{send}, nil })
		require.NoError(t, err)

		// Somebody else may have been there.
		other, err := convo.New(s)
		require.NoError(t, err)
		_, err = other.Do(t.Context(), riya, send)
		require.NoError(t, err)
		assert.Equal(t, 4, statements(riya, send), "one to ask what came of the first")
		assert.Equal(t, 1, statements(riya, send))
		_, err = other.Do(t.Context(), riya, convo.Block{By: ana})
		require.NoError(t, err)
		r.take()
		_, err = engine.Do(t.Context(), riya, send)
		require.ErrorIs(t, err, convo.ErrBlocked)
		assert.Len(t, r.take(), 3)
	})
}

// While nothing that a commit compares has changed, what is kept is what is loaded, to the last
// byte.
func TestWhatIsKeptIsWhatTheServerHas(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, _ := open(t, e)
		var now atomic.Int64
		now.Store(time.Date(2026, 3, 2, 9, 0, 0, 123456000, time.UTC).UnixMicro())
		clock := convo.WithClock(moved{&now})
		here, err := convo.New(s, clock)
		require.NoError(t, err)
		elsewhere, err := convo.New(s, clock, convo.WithKept(0))
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, 2))
		riya := convo.ToContact(acme, "riya")
		withAddress := riya
		withAddress.Address = convo.Address{Channel: "sms", Value: "+49"}
		refs := []convo.Ref{
			riya, riya.In("orders"), withAddress, convo.ToAddress(acme, "sms", "+49"),
			convo.ToContact(acme, "susi"),
		}
		calls := [][]convo.Command{
			{convo.Receive{Channel: "chat", Body: "hi", Attachments: []byte(`[{"n": 1.50}]`)}},
			{convo.Receive{Channel: "sms", Address: "+49", Body: "hi"}},
			{convo.Send{By: ana, Body: "an answer"}},
			{convo.Send{By: convo.ByAutomation(""), Body: "an answer"}},
			{convo.Note{By: ana, Body: "a note"}, convo.Receive{Channel: "sms", Quiet: true}},
			{convo.Assign{By: ana, Assignee: "ana", Team: "sales"}},
			{convo.Label{By: ana, Add: []string{"vip", "Ünïcode"}}},
			{convo.Describe{By: ana, Subject: new("a subject"),
				Attributes: []byte(`{"size": 1.0, "ok": true}`)}},
			{convo.SetProfile{By: ana, Name: new("Riya"), Attributes: []byte(`{"a": null}`)}},
			{convo.SetPending{By: ana}},
			{convo.Open{By: ana, Channel: "chat"}},
			{convo.Close{By: ana, Category: "Sales", Summary: "sold"}},
			{convo.Rate{By: ana, Score: 5}},
			{convo.Reopen{By: ana}},
		}
		same := 0
		for range 400 {
			now.Add(random.Int64N(time.Hour.Microseconds()))
			to, cmds := refs[random.IntN(len(refs))], calls[random.IntN(len(calls))]
			by := here
			if random.IntN(8) == 0 {
				by = elsewhere
			}
			_, err := by.Do(t.Context(), to, cmds...)
			var refused *convo.StateError
			var invalid *convo.ValidationError
			if err != nil {
				require.True(t, errors.As(err, &refused) || errors.As(err, &invalid), "%v", err)
			}
			to = refs[random.IntN(len(refs))]
			var seen []convo.Snapshot
			_, err = here.DoFunc(t.Context(), to, "",
				func(s convo.Snapshot) ([]convo.Command, error) {
					seen = append(seen, s)
					return nil, nil
				})
			require.NoError(t, err)
			if len(seen) == 2 && seen[0].Contact.Version == seen[1].Contact.Version &&
				seen[0].Contact.SeenAt.Equal(seen[1].Contact.SeenAt) &&
				seen[0].Conversation.ID == seen[1].Conversation.ID &&
				seen[0].Conversation.Version == seen[1].Conversation.Version {
				same++
				require.Equal(t, seen[1], seen[0])
			}
		}
		assert.Greater(t, same, 50)
	})
}
