package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

var errSpoiled = errors.New("spoiled")

// Those who wait to write to SQLite share a transaction. What one of them does must be no other
// one's loss.
func TestWhoSharesATransactionIsNotHarmedByTheOthers(t *testing.T) {
	s, _ := open(t, testdb.SQLite)
	e, err := convo.New(s)
	require.NoError(t, err)
	// spoil writes, and then fails, is cancelled, or panics.
	spoil := func(kind int, contact string) (err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				err = errSpoiled
			}
		}()
		inner, err := convo.New(s, convo.WithRetries(0))
		if err != nil {
			return err
		}
		return s.Locked(ctx, acme, func(ctx context.Context) error {
			if _, err := inner.Do(ctx, convo.ToContact(acme, contact),
				convo.Receive{Body: "spoiled"}); err != nil {
				return err
			}
			switch kind {
			case 0:
				return errSpoiled
			case 1:
				cancel()
				_, err := inner.Do(ctx, convo.ToContact(acme, contact),
					convo.Receive{Body: "spoiled"})
				return errors.Join(errSpoiled, err)
			}
			panic("spoiled")
		})
	}
	const callers, times = 16, 40
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := range times {
				contact := fmt.Sprint("contact ", (i+n)%5)
				switch i % 4 {
				case 3:
					err := spoil(n%3, contact)
					assert.True(t, errors.Is(err, errSpoiled) || n%3 == 1 &&
						errors.Is(err, context.Canceled), "%v", err)
				case 2: // waits, or not, and is cancelled then
					ctx, cancel := context.WithCancel(t.Context())
					cancel()
					_, err := e.Do(ctx, convo.ToContact(acme, contact),
						convo.Receive{Body: "spoiled"})
					assert.ErrorIs(t, err, context.Canceled)
				default:
					_, err := e.Do(t.Context(), convo.ToContact(acme, contact),
						convo.Receive{Body: "kept"})
					assert.NoError(t, err)
				}
			}
		})
	}
	wg.Wait()
	kept := 0
	for i := range 5 {
		history, err := e.History(t.Context(), convo.ToContact(acme, fmt.Sprint("contact ", i)),
			convo.EventCursor{}, convo.MaxPageSize)
		require.NoError(t, err)
		for _, event := range history {
			assert.NotEqual(t, "spoiled", event.Row().Body)
			if event.Kind == convo.MessageReceived {
				kept++
			}
		}
	}
	assert.Equal(t, callers/2*times, kept)
	assert.Empty(t, storetest.CheckInvariants(t.Context(), s, acme))
}

func TestWhatWasRefusedUnderTheLockIsNotCommittedInPart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, engine testdb.Engine) {
		s, _ := open(t, engine)
		e, err := convo.New(s)
		require.NoError(t, err)
		to := convo.ToContact(acme, "susan")
		r, err := e.Do(t.Context(), to, convo.Receive{Channel: "sms", ExternalID: "1", Body: "hi"})
		require.NoError(t, err)
		err = s.Locked(t.Context(), acme, func(ctx context.Context) error {
			thread, err := s.Load(ctx, to)
			if err != nil {
				return err
			}
			thread.Next = r.Conversation.ID // a new id would do as well
			d, err := convo.Decide(thread, r.Conversation.UpdatedAt, nil,
				convo.Close{By: ana}, convo.Open{By: ana},
				convo.Receive{Channel: "sms", ExternalID: "1", Body: "hi"})
			if err != nil {
				return err
			}
			_ = s.Commit(ctx, d.Change) // whoever forgets the error
			return nil
		})
		require.Error(t, err)
		c, err := e.Conversation(t.Context(), convo.ToConversation(acme, r.Conversation.ID))
		require.NoError(t, err)
		assert.Equal(t, r.Conversation, c)
		assert.Empty(t, storetest.CheckInvariants(t.Context(), s, acme))
	})
}
