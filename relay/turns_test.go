package relay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// A burst goes out side by side, of as many conversations at a time as there are workers, however
// many of them one worker has claimed; each conversation goes in its order.
func TestRunPublishesConversationsSideBySide(t *testing.T) {
	var mu sync.Mutex
	var atATime, most int
	seqs := map[string][]int64{}
	slow := relay.PublisherFunc(func(_ context.Context, e *convo.Event) error {
		mu.Lock()
		atATime++
		most = max(most, atATime)
		seqs[e.Contact] = append(seqs[e.Contact], e.Seq)
		mu.Unlock()
		time.Sleep(2 * time.Second) // of the bubble's own clock
		mu.Lock()
		defer mu.Unlock()
		atATime--
		return nil
	})
	within(t, messagesTo(slow), func(w *world) {
		for i := range 12 {
			w.do(fmt.Sprint("visitor ", i), hello)
		}
		for range 2 {
			w.do("visitor 0", hello)
		}
		ctx, stop := context.WithCancel(w.Context())
		var done sync.WaitGroup
		done.Go(func() { _ = w.relay.Run(ctx) })
		time.Sleep(10*time.Second + time.Millisecond) // one after another they take 28 s
		synctest.Wait()
		assert.Len(t, seqs, 12)
		assert.Equal(t, []int64{2, 3, 4}, seqs["visitor 0"])
		assert.Equal(t, relay.DefaultWorkers, most)
		assert.Zero(t, atATime)
		stop()
		done.Wait()
	})
}

// What a round says of its claims is the sum of them.
func TestOnceSaysAllThatBecameOfItsClaims(t *testing.T) {
	g := target{fail: func(e *convo.Event) error {
		switch e.Contact {
		case "bob":
			return errors.New("down")
		case "eve":
			return relay.Permanent(errors.New("410"))
		}
		return nil
	}}
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		sent := len(w.do("ann", hello))
		time.Sleep(time.Minute) // of the bubble's own clock
		sent += len(w.do("zoe", hello))
		w.do("bob", hello)
		w.do("eve", hello)
		s := w.once()
		assert.Equal(t, relay.Stats{
			Queued: 4, Sent: sent, Failed: 2, Dead: 1, Delay: time.Minute, More: true,
		}, s)
	})
}

// Who has claimed something, and gets no turn because others are slow, gives it back before its
// lease ends: else another one would take it, and what was sent of it would be sent again.
func TestARoundDoesNotWaitForOthersBeyondItsLease(t *testing.T) {
	var g target
	within(t, relay.To("crm", relay.PublisherFunc(g.publish)), func(w *world) {
		events := w.do("bob", hello)
		w.relay.TakeTurns()
		began := time.Now()
		_, err := w.relay.Job().Do(w.Context())
		require.NoError(t, err)
		assert.Equal(t, relay.DefaultLease*3/4, time.Since(began))
		assert.Empty(t, g.take())
		w.once()
		assert.Equal(t, events, g.take(), "it is due at once")
	})
}

// messagesTo has messages of contacts go to a publisher.
func messagesTo(p relay.Publisher) relay.Targets {
	return func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{{Name: "bot", Publisher: p, Kinds: []convo.EventKind{
			convo.MessageReceived,
		}}}, nil
	}
}
