package faults_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// progress is how many of its calls each writer has an acknowledgement of. Its calls are numbered,
// and it repeats one until it has, so whatever happens: calls up to here are there, each once and
// whole, and perhaps the next one.
type progress [8]int

// call is the n-th call of a writer, always the same: several commands with one key, or a message
// by itself, whose statement writers share. Every fifth is on a contact for which all writers race.
func call(writer, n int) (convo.Ref, []convo.Command) {
	key := fmt.Sprintf("%d/%d", writer, n)
	to := convo.ToContact(workspace, fmt.Sprintf("contact %d of %d", n/40, writer))
	if n%5 == 0 {
		to = convo.ToContact(workspace, fmt.Sprint("everybody's ", n/40))
	}
	cmds := []convo.Command{convo.Receive{Channel: "web", ExternalID: key, Body: key}}
	if notes(n) {
		cmds = append(cmds, convo.Note{By: ana, Body: key})
	}
	if closes(n) {
		cmds = append(cmds, convo.Close{By: ana, Summary: key})
	}
	return to, cmds
}

func notes(n int) bool { return n%4 <= 1 }

func closes(n int) bool { return n%4 == 0 }

// load has writers work on an engine, and counts what they are told.
type load struct {
	engine *convo.Engine
	// do carries a call out; nil: the engine does.
	do     func(writer int, to convo.Ref, cmds []convo.Command) (convo.Result, error)
	done   progress
	giveUp func(error) bool // whether to end at this error; nil: never

	stopped                            atomic.Bool
	wg                                 sync.WaitGroup
	acks, doubts, failures, duplicates atomic.Int64
}

// start has the writers write until stop is called.
func (l *load) start(t *testing.T) {
	l.stopped.Store(false)
	do := l.do
	if do == nil {
		do = func(_ int, to convo.Ref, cmds []convo.Command) (convo.Result, error) {
			return l.engine.Do(t.Context(), to, cmds...)
		}
	}
	for w := range l.done {
		l.wg.Go(func() {
			for !l.stopped.Load() {
				to, cmds := call(w, l.done[w]+1)
				r, err := do(w, to, cmds)
				switch {
				case err == nil:
					l.done[w]++
					l.acks.Add(1)
					if r.Outcome == convo.OutcomeDuplicate {
						l.duplicates.Add(1)
					}
					continue
				case errors.Is(err, convo.ErrCommitUnknown):
					l.doubts.Add(1)
				default:
					l.failures.Add(1)
				}
				if l.giveUp != nil && l.giveUp(err) {
					return
				}
				time.Sleep(rand.N(10 * time.Millisecond))
			}
		})
	}
}

// acknowledged waits for n further acknowledgements.
func (l *load) acknowledged(t *testing.T, n int) {
	t.Helper()
	enough := l.acks.Load() + int64(n)
	for end := time.Now().Add(time.Minute); l.acks.Load() < enough; time.Sleep(time.Millisecond) {
		require.False(t, time.Now().After(end), "too few acknowledgements in a minute: %s", l)
	}
}

// stop returns when all calls are answered.
func (l *load) stop() {
	l.stopped.Store(true)
	l.wg.Wait()
}

func (l *load) String() string {
	return fmt.Sprintf("%d acknowledged, %d of them as duplicates; %d doubts, %d other errors",
		l.acks.Load(), l.duplicates.Load(), l.doubts.Load(), l.failures.Load())
}

func (p progress) sum() (n int) {
	for _, k := range p {
		n += k
	}
	return n
}

// there asserts that what p says is in s, and nothing else. Nobody may write meanwhile.
func (p progress) there(t *testing.T, s convo.Store) {
	t.Helper()
	sound(t, s)
	lost, wrong := p.compare(t, s)
	require.Empty(t, lost, "acknowledged, and not there")
	require.Empty(t, wrong, "there in part, twice, or written by nobody")
}

func (p progress) compare(t *testing.T, s convo.Store) (lost, wrong []string) {
	t.Helper()
	events := eventsByText(t, s)
	for w, done := range p {
		for n := 1; n <= done+1; n++ {
			key, want := fmt.Sprintf("%d/%d", w, n), 1
			if notes(n) {
				want++
			}
			if closes(n) {
				want++
			}
			switch got := events[key]; {
			case got == 0 && n <= done:
				lost = append(lost, key)
			case got != 0 && got != want:
				wrong = append(wrong, fmt.Sprintf("%s: %d events instead of %d", key, got, want))
			}
			delete(events, key)
		}
	}
	for key := range events {
		wrong = append(wrong, key)
	}
	return lost, wrong
}

// eventsByText counts all events of messages, notes and closings by their text.
func eventsByText(t *testing.T, s convo.Store) map[string]int {
	t.Helper()
	e := engineOn(t, s)
	counts := map[string]int{}
	f := convo.Filter{Workspace: workspace, Limit: convo.MaxPageSize}
	for more := true; more; {
		page, err := e.Conversations(t.Context(), f)
		require.NoError(t, err)
		for _, c := range page {
			events, err := e.Transcript(t.Context(), convo.ToConversation(workspace, c.ID),
				convo.EventCursor{}, convo.MaxPageSize)
			require.NoError(t, err)
			require.Less(t, len(events), convo.MaxPageSize,
				"there are more pages than are read here")
			for _, v := range events {
				if text := v.Row().Body + v.Row().Summary; text != "" {
					counts[text]++
				}
			}
		}
		if more = len(page) == convo.MaxPageSize; more {
			f.After = f.Cursor(page[len(page)-1])
		}
	}
	return counts
}
