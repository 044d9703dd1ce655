package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

// serve runs a server for the time of a test, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: t.TempDir(),
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(10*time.Second))
	return s.ClientURL()
}

func open(t *testing.T) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	conn, err := nats.Connect(serve(t))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	kept, err := js.CreateStream(t.Context(), stream)
	require.NoError(t, err)
	return js, kept
}

func TestTheProgramPrintsWhatIsInTheStream(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, serve(t)))
	assert.Equal(t, "1 conversation_opened \n2 message_received It arrived broken.\n"+
		"3 message_sent A new one is on its way.\n4 conversation_closed \n", out.String())
}

// watch is a clock that tests move. It is safe for concurrent use.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (w *watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

var errKilled = errors.New("killed")

// mortal is a store as a relay sees it that is killed before it has settled anything.
type mortal struct{ relay.Store }

func (m mortal) Settle(context.Context, time.Time, []relay.Settled) (int, error) {
	return 0, errKilled
}

// A relay that is killed between publishing and settling leaves no trace of what it has published:
// another one publishes it again when the lease ends. The stream has it once nevertheless.
func TestTheStreamHasEachEventOnceAndInOrderWhateverRelaysAreKilled(t *testing.T) {
	js, kept := open(t)
	var clock watch
	clock.add(time.Since(time.Time{}))
	store := memstore.New(memstore.WithOutbox())
	var want []convo.Event
	engine, err := convo.New(store, convo.WithClock(&clock),
		convo.WithObserver(func(_ context.Context, events []convo.Event) {
			want = append(want, events...)
		}))
	require.NoError(t, err)
	published := 0
	counting := relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		published++
		_, err := publisher(js).Publish(ctx, []convo.Event{*e})
		return err
	})
	relayed := func(of relay.Store) (relay.Stats, error) {
		r, err := relay.New(of, relay.To("nats", counting), relay.WithClock(&clock))
		require.NoError(t, err)
		return r.Once(t.Context())
	}
	for round := range 20 {
		for i := range 10 {
			contact := convo.ToContact("a.c*me", fmt.Sprint(rand.IntN(5)))
			_, err := engine.Do(t.Context(), contact,
				convo.Receive{Channel: "chat", Body: fmt.Sprint(round, i)})
			require.NoError(t, err)
			clock.add(time.Second)
		}
		if round%2 == 0 {
			_, err := relayed(mortal{store})
			require.ErrorIs(t, err, errKilled)
			clock.add(relay.DefaultLease)
			continue
		}
		_, err := relayed(store)
		require.NoError(t, err)
	}
	for more := true; more; clock.add(relay.DefaultLease) {
		stats, err := relayed(store)
		require.NoError(t, err)
		more = stats.Sent > 0
	}
	assert.Greater(t, published, len(want), "some were published twice")

	info, err := kept.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(want), int(info.State.Msgs), "each is there once")
	got, err := read(t.Context(), kept, len(want))
	require.NoError(t, err)
	last, known := map[uuid.UUID]int64{}, map[uuid.UUID]convo.Event{}
	for _, e := range got {
		assert.Greater(t, e.Seq, last[e.Conversation], "those of a conversation are in order")
		last[e.Conversation] = e.Seq
		known[e.ID] = e
	}
	for _, e := range want {
		assert.Equal(t, e, known[e.ID])
	}
}

func TestASubjectHasThreeParts(t *testing.T) {
	e := convo.Event{Workspace: "a.b c*>", Kind: convo.MessageReceived}
	assert.Equal(t, "convo.a%2Eb+c%2A%3E.message_received", subject(&e))
}
