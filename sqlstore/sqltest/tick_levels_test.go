package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// Runners of two processes tick while the same conversations are written to, at every isolation
// level. No Tick fails, each deadline passes once, and no message is lost.
func TestTicksAmidWritersNeverGiveUp(t *testing.T) {
	const runners, writers = 2, 4
	conversations := 120
	if testing.Short() {
		conversations = 40
	}
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		for _, level := range levels[e.Server()] {
			_, name, _ := strings.Cut(level, "=")
			t.Run(name, func(t *testing.T) {
				_, stores := processes(t, e, level)
				policy := convo.Policy{Deadlines: []convo.Deadline{
					{Name: "nudge", After: convo.Duration(time.Minute), Since: convo.SinceOpened},
					{Name: "take back", After: convo.Duration(2 * time.Minute),
						Since: convo.SinceOpened, Do: convo.DoUnassign},
				}}
				var now atomic.Int64
				start := time.Now().Truncate(time.Microsecond).UTC()
				now.Store(start.UnixMicro())
				var engines []*convo.Engine
				for _, s := range stores {
					engine, err := convo.New(s, convo.WithClock(moved{&now}),
						convo.WithPolicy(policy))
					require.NoError(t, err)
					engines = append(engines, engine)
				}
				to := func(i int) convo.Ref { return convo.ToContact("w", fmt.Sprint(i)) }
				for i := range conversations {
					_, err := engines[0].Do(t.Context(), to(i), convo.Open{By: ana},
						convo.Assign{By: ana, Assignee: "ana"})
					require.NoError(t, err)
				}
				now.Store(start.Add(time.Hour).UnixMicro())

				var wg sync.WaitGroup
				var errs [runners + writers]error
				var done, sent atomic.Int64
				for i := range writers {
					wg.Go(func() {
						for n := range conversations {
							_, err := engines[i%2].Do(t.Context(), to((n*7+i)%conversations),
								convo.Receive{Body: fmt.Sprint(i, " ", n)})
							errs[runners+i] = errors.Join(errs[runners+i], err)
							sent.Add(1)
						}
					})
				}
				all := int64(conversations * writers)
				for i := range runners {
					wg.Go(func() {
						for ticks := 0; ticks < 3 || sent.Load() < all; ticks++ {
							n, err := engines[i].Tick(t.Context(), 50)
							errs[i] = errors.Join(errs[i], err)
							done.Add(int64(n))
						}
					})
				}
				wg.Wait()
				require.NoError(t, errors.Join(errs[:]...))
				n, err := engines[0].Tick(t.Context(), 1000)
				require.NoError(t, err)
				assert.EqualValues(t, 2*conversations, done.Add(int64(n)))
				for i := range conversations {
					c, err := engines[0].Conversation(t.Context(), to(i))
					require.NoError(t, err)
					kinds := map[convo.EventKind]int{}
					for e, err := range engines[0].AllTranscript(t.Context(), to(i),
						convo.EventCursor{}) {
						require.NoError(t, err)
						kinds[e.Kind]++
					}
					assert.Equal(t, 2, kinds[convo.DeadlinePassed], "each once")
					assert.Equal(t, writers, kinds[convo.MessageReceived])
					assert.Empty(t, c.Assignee)
				}
				assert.Empty(t, storetest.CheckInvariants(t.Context(), stores[0], "w"))
			})
		}
	})
}

// moved is a clock that the test moves.
type moved struct{ micros *atomic.Int64 }

func (m moved) Now() time.Time { return time.UnixMicro(m.micros.Load()) }

// A workspace whose policy cannot be looked up, with many conversations that are due, keeps nobody
// else waiting: one Tick is enough for the others. CONVO_TICK_DUE says how many.
func TestAWorkspaceThatFailsDoesNotStarveAnother(t *testing.T) {
	failing := 3000
	if n, err := strconv.Atoi(os.Getenv("CONVO_TICK_DUE")); err == nil {
		failing = n
	}
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Open(t, e)
		s := migrated(t, db, e)
		dueIn(t, e, db, s, failing) // of w and of w0 to w19
		broken := errors.New("no such workspace")
		engine, err := convo.New(s, convo.WithPolicies(
			func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
				if strings.HasPrefix(of.Workspace, "w") {
					return nil, broken
				}
				return nil, nil
			}))
		require.NoError(t, err)
		last, err := convo.New(s, convo.WithClock(stopped(time.Now().Add(-30*time.Second))))
		require.NoError(t, err)
		for i := range 5 {
			_, err := last.Do(t.Context(), convo.ToContact("another", fmt.Sprint(i)),
				convo.Receive{Body: "hi"},
				convo.SetPending{By: ana, Until: time.Now().Add(-10 * time.Second)})
			require.NoError(t, err)
		}
		begun := time.Now()
		n, err := engine.Tick(t.Context(), 0)
		t.Logf("%d that fail delay the others by %s", failing, time.Since(begun))
		require.ErrorIs(t, err, broken)
		assert.Equal(t, 5, n)
	})
}
