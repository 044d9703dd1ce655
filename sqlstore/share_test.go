package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// sharers share statements of a server that is made up.
type sharers struct {
	t       *testing.T
	s       *Store
	sent    chan string // what is sent as a statement
	answer  func(ctx context.Context, objects string) (int64, error)
	changes []convo.Change
	alone   []int // those that were carried out by themselves
	mu      sync.Mutex
	all     sync.WaitGroup
	errs    []error
}

func newSharers(t *testing.T, n int) *sharers {
	x := &sharers{t: t, errs: make([]error, n), sent: make(chan string, n)}
	sh := &sharing{patience: sharePatience, room: sharedBytes}
	sh.send = func(ctx context.Context, parts []dialect.SharedPart) (int64, error) {
		_, args := x.s.d.Share(parts, false)
		objects := args[0].(string)
		x.sent <- objects
		return x.answer(ctx, objects)
	}
	x.answer = func(context.Context, string) (int64, error) { return -1, nil } // all were written
	x.s = &Store{d: engines[PostgreSQL], sharing: sh}
	for i := range n {
		to := convo.ToContact("w", fmt.Sprint(i))
		at := convo.Snapshot{
			Ref: to, Contact: convo.Contact{Workspace: "w", ID: to.Contact},
			Next: uuid.Must(uuid.NewV7()),
		}
		var d convo.Decider
		for _, body := range []string{"first", fmt.Sprint("body ", i)} {
			_, err := d.Decide(&at, time.Now(), &convo.Policy{}, convo.Receive{Body: body})
			require.NoError(t, err)
		}
		var ch convo.Change
		d.Plan(&at, &ch)
		x.changes = append(x.changes, ch)
	}
	return x
}

// share has one commit; by itself it does what alone does.
func (x *sharers) share(ctx context.Context, i int, alone func() error) {
	x.all.Go(func() {
		x.errs[i] = x.s.share(ctx, &x.changes[i], func() error {
			x.mu.Lock()
			x.alone = append(x.alone, i)
			x.mu.Unlock()
			return alone()
		})
	})
	synctest.Wait()
}

func waiting(ctx context.Context) *sharer {
	return &sharer{
		ctx: ctx, conversation: uuid.New(), told: make(chan verdict, 1),
	}
}

func well() error { return nil }

// bodies are those of a statement, in its order.
func bodies(objects string) (all []string) {
	for part := range strings.SplitSeq(objects, `"body":"body `) {
		all = append(all, part[:1])
	}
	return all[1:]
}

// led has the first of them be at work until it is released, and the others wait behind it.
// Released, it returns when nothing goes on any more.
func (x *sharers) led(ctx context.Context) (release func()) {
	busy := make(chan struct{})
	x.share(x.t.Context(), 0, func() error { <-busy; return nil })
	for i := 1; i < len(x.changes); i++ {
		x.share(ctx, i, well)
	}
	return func() { close(busy); synctest.Wait() }
}

func TestWhoIsAloneWaitsForNothingAndSendsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 3)
		for i := range x.changes {
			x.share(t.Context(), i, well)
		}
		require.Equal(t, []int{0, 1, 2}, x.alone)
		require.Empty(t, x.sent)
	})
}

func TestThoseWhoWaitShareAStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 5)
		refused := errors.New("refused")
		x.answer = func(context.Context, string) (int64, error) { return 0b1011, nil }
		busy := make(chan struct{})
		x.share(t.Context(), 0, func() error { <-busy; return nil })
		for i := 1; i < 5; i++ {
			x.share(t.Context(), i, func() error { return refused })
		}
		close(busy)
		x.all.Wait()
		require.Equal(t, []string{"1", "2", "3", "4"}, bodies(<-x.sent))
		require.Empty(t, x.sent, "one for all")
		require.Equal(t, []int{0, 3}, x.alone, "what the statement did not write says why by itself")
		require.Equal(t, []error{nil, nil, nil, refused, nil}, x.errs)
	})
}

func TestOneWhoWaitsGoesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 2)
		x.led(t.Context())()
		require.Equal(t, []int{0, 1}, x.alone)
		require.Empty(t, x.sent)
		x.share(t.Context(), 0, well)
		require.Equal(t, []int{0, 1, 0}, x.alone, "nobody is at work any more")
	})
}

func TestWhatTheServerDidNotCarryOutGoesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 4)
		x.answer = func(context.Context, string) (int64, error) { return 0, sqlState("40P01") }
		x.led(t.Context())()
		require.ElementsMatch(t, []int{0, 1, 2, 3}, x.alone)
		require.Equal(t, make([]error, 4), x.errs)
	})
}

type sqlState string

func (s sqlState) Error() string    { return "refused by the server: " + string(s) }
func (s sqlState) SQLState() string { return string(s) }

func TestWhatGetsInEachOthersWayIsInOtherStatements(t *testing.T) {
	for what, of := range map[string]struct {
		same   func(a, b *convo.Change)
		second []string
	}{
		"conversation": {func(a, b *convo.Change) { *b = *a }, []string{"1", "2"}},
		"key": {func(a, b *convo.Change) {
			a.Keys = []convo.Key{{KeyID: convo.KeyID{ID: a.Conversation.ID.String()}}}
			b.Keys = a.Keys
		}, []string{"4", "5"}},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newSharers(t, 6)
				of.same(&x.changes[1], &x.changes[4])
				of.same(&x.changes[2], &x.changes[5])
				x.led(t.Context())()
				require.Equal(t, []string{"1", "2", "3"}, bodies(<-x.sent))
				require.Equal(t, of.second, bodies(<-x.sent))
			})
		})
	}
}

func TestAStatementIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 52)
		x.led(t.Context())()
		require.Len(t, bodies(<-x.sent), 48)
		require.Len(t, bodies(<-x.sent), 3)
	})
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 6)
		for i, size := range []int{0, sharedBytes / 2, sharedBytes/2 + 1, 0, sharedBytes, 0} {
			m := *x.changes[i].Events[0].Payload.(*convo.Message)
			m.Body += strings.Repeat("x", size)
			x.changes[i].Events[0].Payload = &m
		}
		x.led(t.Context())()
		require.Equal(t, []string{"1", "3", "5"}, bodies(<-x.sent))
		require.Empty(t, x.sent)
		require.ElementsMatch(t, []int{0, 2, 4}, x.alone)
	})
}

// The first one waits for a row that somebody holds, say.
func TestWhoWaitsTooLongGoesOnWithoutTheOneAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 4)
		release := x.led(t.Context())
		require.Empty(t, x.sent)
		<-time.After(sharePatience)
		synctest.Wait()
		require.Equal(t, []string{"1", "2", "3"}, bodies(<-x.sent))
		x.share(t.Context(), 1, well)
		require.Equal(t, []int{0, 1}, x.alone, "nobody is waited for any more")
		busy := make(chan struct{})
		x.share(t.Context(), 1, func() error { <-busy; return nil })
		x.share(t.Context(), 2, well)
		release()
		require.Equal(t, []int{0, 1, 1}, x.alone, "whose end came late, has nobody follow")
		close(busy)
		synctest.Wait()
		require.Equal(t, []int{0, 1, 1, 2}, x.alone)
	})
}

func TestWhoGivesUpWaitingIsInNoStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSharers(t, 5)
		short, giveUp := context.WithCancel(t.Context())
		busy := make(chan struct{})
		x.share(t.Context(), 0, func() error { <-busy; return nil })
		for i := 1; i < 5; i++ {
			ctx := t.Context()
			if i == 2 {
				ctx = short
			}
			x.share(ctx, i, well)
		}
		giveUp()
		synctest.Wait()
		require.ErrorIs(t, x.errs[2], context.Canceled)
		close(busy)
		x.all.Wait()
		require.Equal(t, []string{"1", "3", "4"}, bodies(<-x.sent))
		require.Equal(t, []error{nil, nil, nil, nil}, slices.Delete(x.errs, 2, 3))
	})
}

// A statement goes on while somebody waits for it.
func TestAStatementEndsWithTheLastWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := &sharing{patience: sharePatience, room: sharedBytes}
		ended := make(chan error, 1)
		sh.send = func(ctx context.Context, _ []dialect.SharedPart) (int64, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return 0, ctx.Err()
		}
		leader, _ := sh.lead()
		var waits sync.WaitGroup
		var ends []context.CancelFunc
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			ends = append(ends, cancel)
			w := waiting(ctx)
			waits.Go(func() {
				_, err := sh.wait(w)
				require.ErrorIs(t, err, context.Canceled)
				require.NotNil(t, w.with, "it is for the caller to find out what came of it")
			})
		}
		synctest.Wait()
		sh.end(leader)
		synctest.Wait()
		ends[0]()
		synctest.Wait()
		require.Empty(t, ended, "another one waits for it")
		ends[1]()
		waits.Wait()
		synctest.Wait()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func TestWhoIsAlonePaysNothingForSharing(t *testing.T) {
	x := newSharers(t, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := x.s.share(t.Context(), &x.changes[0], well); err != nil {
			t.Error(err)
		}
	}))
}

func TestAPanicOfTheDriverEndsNoOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := &sharing{patience: sharePatience, room: sharedBytes}
		sh.send = func(context.Context, []dialect.SharedPart) (int64, error) {
			panic("in the driver")
		}
		leader, _ := sh.lead()
		var waits sync.WaitGroup
		for range 2 {
			w := waiting(t.Context())
			waits.Go(func() {
				v, err := sh.wait(w)
				require.NoError(t, err)
				require.False(t, v.written)
			})
		}
		synctest.Wait()
		sh.end(leader)
		waits.Wait()
		synctest.Wait()
		require.Zero(t, sh.leader, "the next ones go on")
	})
}

func TestWhatHasAKeyOfTheHostSharesNothing(t *testing.T) {
	ch := newSharers(t, 1).changes[0]
	require.True(t, dialect.Shares(&ch))
	ch.Keys = []convo.Key{{KeyID: convo.KeyID{Channel: "chat", ID: "k"}}}
	require.True(t, dialect.Shares(&ch))
	ch.Keys[0].Channel = ""
	require.False(t, dialect.Shares(&ch))
}

func TestAllThatIsAlwaysTheSameHasAPlace(t *testing.T) {
	for d, e := range engines {
		s := newStore(Config{Dialect: d}, e)
		require.LessOrEqual(t, len(s.fixedStatements()), maxFixed, d)
		require.LessOrEqual(t, len(e.OutboxStatements(outboxPlaces[:])), maxOutbox, d)
	}
}
