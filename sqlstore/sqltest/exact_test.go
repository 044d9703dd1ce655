package sqlstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// A row of the table of cycles is read by reports, not by the engine, so no other test sees it.

// minutes is a clock by which every call is a minute after the one before.
type minutes struct{ n atomic.Int64 }

func (m *minutes) Now() time.Time { return longAgo.Add(time.Duration(m.n.Add(1)) * time.Minute) }

// told are calls that tell a story of several cycles at once, as an import does, and those that go
// on with it.
var told = []func(n int) []convo.Command{
	func(n int) []convo.Command { return []convo.Command{convo.Open{By: ana}} },
	func(n int) []convo.Command { return []convo.Command{hello("hi")} },
	func(n int) []convo.Command { return []convo.Command{convo.Send{By: ana, Body: "hi"}} },
	func(n int) []convo.Command {
		return []convo.Command{convo.Assign{By: ana, Assignee: fmt.Sprint("user ", n)}}
	},
	func(n int) []convo.Command { return []convo.Command{convo.SetPending{By: ana}} },
	func(n int) []convo.Command {
		return []convo.Command{convo.Close{By: ana, Category: "a", Summary: fmt.Sprint(n)}}
	},
	func(n int) []convo.Command {
		return []convo.Command{convo.AmendClosing{By: ana, Category: "b", Summary: fmt.Sprint(n)}}
	},
	func(n int) []convo.Command { return []convo.Command{convo.Note{By: ana, Body: "noted"}} },
	func(n int) []convo.Command { return []convo.Command{convo.Reopen{By: ana}} },
	func(n int) []convo.Command {
		return []convo.Command{convo.Open{By: ana}, hello("hi"),
			convo.Close{By: ana, Summary: "at once"}}
	},
	func(n int) []convo.Command {
		return []convo.Command{convo.Reopen{By: ana}, convo.Close{By: ana},
			convo.AmendClosing{By: ana, Summary: "amended"},
			convo.Reopen{By: ana}, convo.Send{By: ana, Body: "and"}, convo.Close{By: ana}}
	},
	func(n int) []convo.Command {
		return []convo.Command{convo.AmendClosing{By: ana, Category: "c"}, convo.Open{By: ana},
			convo.Close{By: ana}, convo.Open{By: ana}}
	},
	func(n int) []convo.Command {
		return []convo.Command{convo.Rate{Cycle: n % 3, Score: 1 + n%5, Comment: fmt.Sprint(n)}}
	},
	func(n int) []convo.Command {
		return []convo.Command{convo.Close{By: ana}, convo.Rate{Score: 2}, convo.Reopen{By: ana},
			convo.Rate{Cycle: 1, Score: 1 + n%5}, convo.Close{By: ana}}
	},
}

func TestTheTableOfCyclesHasWhatTheLogSays(t *testing.T) {
	const contacts, calls = 12, 40
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		store, _ := open(t, e, fast[e]...)
		engine, err := convo.New(store, convo.WithClock(&minutes{}), convo.WithPolicy(convo.Policy{
			AutoClose: convo.AutoClose{After: convo.Duration(4 * time.Hour), Summary: "No answer"},
			Merge:     convo.MergeTransfer,
		}))
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, 2))
		for n := range contacts * calls {
			to := convo.ToContact(shop, fmt.Sprint("contact ", random.IntN(contacts)))
			switch random.IntN(40) {
			case 0:
				_, err = engine.Merge(t.Context(), convo.Merge{
					Workspace: shop, Primary: "contact 0", Secondary: to.Contact, By: ana,
				})
			case 1, 2:
				_, err = engine.Tick(t.Context(), 100)
			default:
				_, err = engine.Do(t.Context(), to, told[random.IntN(len(told))](n)...)
			}
			var state *convo.StateError
			var invalid *convo.ValidationError
			if err != nil && !errors.As(err, &state) && !errors.As(err, &invalid) {
				require.NoError(t, err)
			}
		}
		require.Empty(t, storetest.CheckInvariants(t.Context(), store, shop))
		all, err := engine.Conversations(t.Context(),
			convo.Filter{Workspace: shop, Limit: convo.MaxPageSize})
		require.NoError(t, err)
		rows, most := 0, 0
		for _, c := range all {
			kept, err := store.ClosedCycles(t.Context(), shop, c.ID)
			require.NoError(t, err)
			rows, most = rows+len(kept), max(most, len(kept))
		}
		t.Logf("%d closed cycles of %d conversations, up to %d of one", rows, len(all), most)
		require.Greater(t, most, 3)
	})
}
