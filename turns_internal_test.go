package convo

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The turn may come in the instant in which its caller gives up.
func TestATurnThatComesTooLateIsPassedOn(t *testing.T) {
	given, taken := 0, 0
	for i := range 200 {
		synctest.Test(t, func(t *testing.T) {
			all := &turns{waiting: map[Ref][]*waiting{}}
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
