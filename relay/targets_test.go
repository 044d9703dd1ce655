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
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

func TestWhatWaitsForATargetThatIsGoneIsADeadLetter(t *testing.T) {
	var g target
	name := "old"
	within(t, func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{{Name: name, Publisher: relay.PublisherFunc(g.publish)}}, nil
	}, func(w *world) {
		g.fail = func(*convo.Event) error { return errors.New("down") }
		w.do("bob", hello)
		w.once()
		name, g.fail = "new", nil
		time.Sleep(time.Minute) // of the bubble's own clock
		assert.Zero(t, w.once().Dead)
		time.Sleep(time.Hour)
		assert.Equal(t, 1, w.once().Dead)
		letters := w.letters()
		require.Len(t, letters, 1)
		assert.Contains(t, letters[0].Error, "no such target")
	})
}

func TestATargetThatOneProcessDoesNotKnowYetLosesNothing(t *testing.T) {
	var g target
	within(t, relay.To("new", relay.PublisherFunc(g.publish)), func(w *world) {
		old, err := relay.New(w.store, relay.NoTargets)
		require.NoError(t, err)
		g.fail = func(*convo.Event) error { return errors.New("down") }
		late := hello // of last year, but that is not when it came
		late.At = time.Now().AddDate(-1, 0, 0)
		events := w.do("bob", late)
		w.once()
		g.fail = nil
		for range 10 { // whenever the old one is faster
			time.Sleep(5 * time.Minute) // of the bubble's own clock
			s, err := old.Once(w.Context())
			require.NoError(t, err)
			assert.Equal(t, relay.Stats{}, s)
			backlog, err := w.store.Backlog(w.Context())
			require.NoError(t, err)
			assert.Equal(t, 1, backlog.Failed, "it can be seen")
		}
		time.Sleep(10 * time.Second) // of the bubble's own clock
		assert.Equal(t, len(events), w.once().Sent)
		assert.Empty(t, w.letters())
	})
}

func TestWhatIsGoneMakesADeadLetterOfEachEventAndNoMore(t *testing.T) {
	var g target
	name := "old"
	within(t, func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{{Name: name, Publisher: relay.PublisherFunc(g.publish)}}, nil
	}, func(w *world) {
		ana := convo.ByUser("ana")
		w.do("bob", convo.Open{By: ana}, convo.Close{By: ana})
		w.do("bob", convo.Block{By: ana})
		w.do("bob", convo.Unblock{By: ana})
		for range 110 {
			w.do("bob", convo.Open{By: ana}, convo.Close{By: ana})
		}
		w.do("bob", convo.Block{By: ana})
		own, err := w.store.Events(w.Context(), convo.EventFilter{
			Workspace: acme, OwnLog: "bob", Limit: convo.MaxPageSize,
		})
		require.NoError(t, err)
		require.Len(t, own, 3)
		g.fail = func(*convo.Event) error { return errors.New("down") }
		w.once()
		name = "new"
		time.Sleep(time.Minute) // of the bubble's own clock
		w.once()
		time.Sleep(time.Hour)
		for s := w.once(); s.Dead > 0 || s.More; {
			s = w.once()
		}
		var seqs []int64
		for _, letter := range w.letters() {
			if letter.Contact == "bob" {
				seqs = append(seqs, letter.Seq)
			}
		}
		assert.Equal(t, []int64{own[0].Seq, own[1].Seq, own[2].Seq}, seqs)
	})
}

func TestRunEndsWhereThereIsNoOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := relay.New(memstore.New(), relay.NoTargets)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		assert.ErrorIs(t, r.Run(ctx), relay.ErrNoOutbox)

		began, ended := 0, 0
		runner := relay.Runner{Grace: time.Minute, Jobs: []relay.Job{{
			Name: "another", Every: time.Second,
			Do: func(ctx context.Context) (bool, error) {
				began++
				time.Sleep(2 * time.Second) // of the bubble's own clock
				if ctx.Err() == nil {
					ended++
				}
				return false, ctx.Err()
			},
		}, {
			Name: "relay", Every: time.Second,
			Do: func(ctx context.Context) (bool, error) {
				time.Sleep(time.Second) // the other one is at work by then
				_, err := r.Once(ctx)
				return false, err
			},
		}}}
		assert.ErrorIs(t, runner.Run(ctx), relay.ErrNoOutbox)
		assert.NoError(t, ctx.Err())
		assert.Equal(t, 1, began, "nothing is begun any more")
		assert.Equal(t, 1, ended, "what was in hand has its grace")
	})
}

func TestRunGoesOnWhileOneWorkspaceFails(t *testing.T) {
	var g target
	within(t, func(_ context.Context, workspace string) ([]relay.Target, error) {
		if workspace == acme {
			return nil, errors.New("the configuration cannot be read")
		}
		return []relay.Target{{Name: "crm", Publisher: relay.PublisherFunc(g.publish)}}, nil
	}, func(w *world) {
		w.do("bob", hello)
		for i := range 300 {
			to := convo.ToContact("other", fmt.Sprint("contact ", i))
			_, err := w.engine.Do(w.Context(), to, hello)
			require.NoError(t, err)
		}
		ctx, stop := context.WithCancel(w.Context())
		var done sync.WaitGroup
		done.Go(func() { _ = w.relay.Run(ctx) })
		began := time.Now()
		synctest.Wait()
		assert.Len(t, g.take(), 600)
		quiet, err := convo.New(w.store) // it wakes nobody
		require.NoError(t, err)
		for range 350 { // more than one claim of a queue has
			_, err := quiet.Do(w.Context(), convo.ToContact("other", "contact 1"), hello)
			require.NoError(t, err)
		}
		w.relay.Wake()
		time.Sleep(20 * time.Millisecond) // after it has begun
		synctest.Wait()
		assert.Len(t, g.take(), 350)
		assert.Equal(t, 20*time.Millisecond, time.Since(began), "no more time has passed")
		stop()
		done.Wait()
	})
}
