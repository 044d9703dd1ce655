package convo

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nobodyLocks is a store that is never locked.
type nobodyLocks struct{ Locker }

func (nobodyLocks) IsLocked(context.Context) bool { return false }

// The turn may come in the instant in which its caller gives up.
func TestATurnThatComesTooLateIsPassedOn(t *testing.T) {
	given, taken := 0, 0
	for i := range 200 {
		synctest.Test(t, func(t *testing.T) {
			all := &turns{store: nobodyLocks{}, patience: patience, waiting: map[Ref][]*waiting{}}
			to := ToContact("acme", "susan")
			_, first, _ := all.take(t.Context(), &to, nil)
			require.True(t, first)
			ctx, giveUp := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				a, second, done := all.take(ctx, &to, nil)
				if done {
					assert.ErrorIs(t, a.err, context.Canceled)
					assert.False(t, second)
					given++
					return
				}
				assert.True(t, second)
				all.pass(&to)
				taken++
			}()
			synctest.Wait()
			if i%2 == 0 {
				giveUp()
			}
			all.pass(&to)
			giveUp()
			<-done
			assert.Empty(t, all.waiting, "nobody holds a turn any more")
		})
	}
	assert.Positive(t, given)
	assert.Positive(t, taken)
}

// Whoever gives up in the instant in which it is given back is neither waited for nor joined again.
func TestWhoGivesUpIsNotGivenBack(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			all := &turns{store: nobodyLocks{}, patience: patience, waiting: map[Ref][]*waiting{}}
			to := ToContact("acme", "susan")
			all.take(t.Context(), &to, nil)
			ctx, giveUp := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				if _, taken, _ := all.take(ctx, &to, []Command{Receive{}}); taken {
					all.pass(&to)
				}
			}()
			synctest.Wait()
			joined := all.join(&to, 1, nil)
			require.Len(t, joined, 1)
			go giveUp()
			go all.giveBack(&to, joined, false)
			synctest.Wait()
			all.pass(&to)
			<-done
			assert.Empty(t, all.waiting, "nobody holds a turn any more")
		})
	}
}

// Who is given back after a while waits no longer than who never was joined.
func TestWhoIsGivenBackIsImpatientStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &turns{store: nobodyLocks{}, patience: patience, waiting: map[Ref][]*waiting{}}
		to := ToContact("acme", "susan")
		all.take(t.Context(), &to, nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, taken, answered := all.take(t.Context(), &to, []Command{Receive{}})
			assert.False(t, taken || answered)
		}()
		synctest.Wait()
		joined := all.join(&to, 1, nil)
		time.Sleep(patience * 3 / 2) // of the bubble's own clock
		all.giveBack(&to, joined, false)
		began := time.Now()
		<-done
		assert.LessOrEqual(t, time.Since(began), patience)
	})
}

// What a caller has given is its own again once its call has returned.
func TestWhoHasGoneIsNotDecided(t *testing.T) {
	w := &waiting{cmds: []Command{Receive{Body: "hi"}}}
	d, s := &Decider{}, &Snapshot{Contact: Contact{Workspace: "acme", ID: "susan"}}
	assert.True(t, w.decided(d, s, time.Now(), &Policy{}))
	w.leaves()
	assert.False(t, w.decided(d, s, time.Now(), &Policy{}))
}
