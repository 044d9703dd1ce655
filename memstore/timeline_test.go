package memstore

import (
	"bytes"
	"cmp"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

func at(micros int64) *conversation {
	return &conversation{id: uuid.New(), createdAt: micros, dueAt: never}
}

// listed is what a timeline lists once it is sorted.
func listed(l *timeline) []*conversation {
	l.sort()
	return slices.Collect(l.from(place{}, false, false))
}

func first(n int, of iter.Seq[*conversation]) (some []*conversation) {
	for c := range of {
		if some = append(some, c); len(some) == n {
			break
		}
	}
	return some
}

func lastFirst(a, b *conversation) int {
	return cmp.Or(cmp.Compare(b.createdAt, a.createdAt), bytes.Compare(b.id[:], a.id[:]))
}

func TestTimelineListsTheLastFirstInWhateverOrderTheyWereAdded(t *testing.T) {
	for name, when := range map[string]func(i int) int64{
		"in order":      func(i int) int64 { return int64(i) },
		"backwards":     func(i int) int64 { return -int64(i) },
		"all at once":   func(int) int64 { return 7 },
		"nearly":        func(i int) int64 { return int64(i - i%5*10) },
		"just near":     func(i int) int64 { return int64(i - i%2*near) },
		"far":           func(i int) int64 { return int64(i - i%2*3*near) },
		"in no order":   func(int) int64 { return rand.Int64N(1e6) },
		"around a tie":  func(i int) int64 { return int64(i / 100) },
		"one late, far": func(i int) int64 { return int64(i % 4999) },
	} {
		t.Run(name, func(t *testing.T) {
			var l timeline
			var want []*conversation
			for i := range 5000 {
				c := at(when(i))
				l.add(c)
				want = append(want, c)
				if i == 2500 {
					require.Len(t, listed(&l), i+1) // and goes on after it was sorted
				}
			}
			slices.SortFunc(want, lastFirst)
			require.True(t, slices.Equal(want, listed(&l)))
			for i := range want {
				require.True(t, slices.Equal(want[i+1:min(i+4, len(want))],
					first(3, l.from(want[i].place(), true, false))))
			}
			slices.Reverse(want)
			require.True(t, slices.Equal(want, slices.Collect(l.from(place{}, false, true))))
			for i := range want {
				require.True(t, slices.Equal(want[i+1:min(i+4, len(want))],
					first(3, l.from(want[i].place(), true, true))))
			}
		})
	}
}

func TestAddingNearTheEndDoesNotCostASort(t *testing.T) {
	var l timeline
	for i := range int64(3 * near) {
		l.add(at(i * 10))
	}
	l.add(at(2*near*10 + 5))
	assert.False(t, l.unsorted)
	l.add(at(5))
	assert.True(t, l.unsorted)
}

func TestTimersAreWhatWasSetLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New()
		w := &workspace{name: "acme", words: []string{""}}
		all := make([]*conversation, rapid.IntRange(1, 20).Draw(t, "conversations"))
		for i := range all {
			all[i] = at(0)
		}
		want := map[*conversation]int64{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				for range rapid.IntRange(1, 50).Draw(t, "times") {
					c := rapid.SampledFrom(all).Draw(t, "conversation")
					want[c] = rapid.Int64Range(-5, 5).Draw(t, "at")
					s.timers.set(w, c, want[c])
				}
			},
			"clear": func(t *rapid.T) {
				c := rapid.SampledFrom(all).Draw(t, "conversation")
				delete(want, c)
				s.timers.set(w, c, never)
			},
			"due": func(t *rapid.T) {
				before, limit := rapid.Int64Range(-6, 6).Draw(t, "before"), rapid.IntRange(1,
					25).Draw(t, "limit")
				got, err := s.Due(t.Context(), convo.DueQuery{
					Before: time.UnixMicro(before), Limit: limit,
				})
				require.NoError(t, err)
				var due []int64
				for _, at := range want {
					if at <= before {
						due = append(due, at)
					}
				}
				slices.Sort(due)
				var gotAt []int64
				seen := map[convo.Ref]bool{}
				for _, d := range got {
					ref := d.Ref
					require.False(t, seen[ref], "twice")
					seen[ref] = true
					c := all[slices.IndexFunc(all,
						func(c *conversation) bool { return c.id == ref.Conversation })]
					gotAt = append(gotAt, want[c])
				}
				require.Equal(t, slices.Clone(due[:min(limit, len(due))]), gotAt)
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(want), s.timers.armed)
				require.LessOrEqual(t, len(s.timers.entries), 2*len(all)+65)
			},
		})
	})
}

func TestTimersThatMoveForEverTakeNoMoreRoom(t *testing.T) {
	s := New()
	w := &workspace{name: "acme", words: []string{""}}
	waits, moves := at(0), at(0)
	s.timers.set(w, waits, 1)
	for i := range int64(10_000) {
		s.timers.set(w, moves, 2+i%2) // and back to what it was
	}
	for range 10_000 {
		s.timers.set(w, moves, never)
		s.timers.set(w, moves, 7)
	}
	assert.LessOrEqual(t, len(s.timers.entries), 2*2+65)
	due, err := s.Due(t.Context(), convo.DueQuery{Before: time.UnixMicro(100), Limit: 10})
	require.NoError(t, err)
	at := func(micros int64, c *conversation) convo.DueConversation {
		return convo.DueConversation{
			Ref: convo.ToConversation("acme", c.id), DueAt: time.UnixMicro(micros).UTC(),
		}
	}
	assert.Equal(t, []convo.DueConversation{at(1, waits), at(7, moves)}, due)
}

func TestTheActiveListForgetsThoseThatWereClosed(t *testing.T) {
	s := New()
	e, err := convo.New(s)
	require.NoError(t, err)
	ana := convo.ByUser("ana")
	for range 2000 {
		_, err := e.Do(t.Context(), convo.ToContact("acme", "riya"), convo.Open{By: ana},
			convo.Close{By: ana})
		require.NoError(t, err)
		_, err = e.Do(t.Context(), convo.ToContact("acme", "riya"), convo.Open{By: ana})
		require.NoError(t, err)
		_, err = e.Do(t.Context(), convo.ToContact("acme", "riya"), convo.Close{By: ana})
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, len(s.workspaces["acme"].active.items), 65)
	assert.Zero(t, s.workspaces["acme"].activeCount)
}
