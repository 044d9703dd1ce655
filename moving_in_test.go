package convo_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// logs are the logs of all conversations, without ids.
func logs(t *testing.T, engine *convo.Engine) string {
	t.Helper()
	var all []string
	for c, err := range engine.AllConversations(ctx, convo.Filter{Workspace: "acme"}) {
		require.NoError(t, err)
		var b strings.Builder
		for e, err := range engine.AllTranscript(ctx, convo.ToConversation("acme", c.ID),
			convo.EventCursor{}) {
			require.NoError(t, err)
			fmt.Fprintln(&b, e.At.Format(time.TimeOnly), e.Kind, e.By.Type, e.Message().Body)
		}
		all = append(all, b.String())
	}
	return strings.Join(all, "\n")
}

// Wherever an export ends, what a longer one adds gives what the longest one gives alone.
func TestALongerExportAddsWhatIsNew(t *testing.T) {
	day := desks()[0].Did[0].At
	run := func(minutes ...int) (string, *convo.Engine) {
		engine := try(convo.New(memstore.New()))
		for _, m := range minutes {
			_, err := moveIn(ctx, engine, export(day.Add(time.Duration(m)*time.Minute), desks()...))
			require.NoError(t, err, minutes)
		}
		return logs(t, engine), engine
	}
	want, engine := run(100)
	require.Equal(t, 3+5+8, strings.Count(strings.ReplaceAll(want, "\n\n", "\n"), "\n"), want)
	for first := 1; first <= 100; first++ {
		for _, second := range []int{first, min(first+20, 100)} {
			got, _ := run(first, second, 100)
			require.Equal(t, want, got, "%d, %d", first, second)
		}
	}

	for minutes := 1; minutes <= 100; minutes++ { // two at once
		engine := try(convo.New(memstore.New()))
		until := day.Add(time.Duration(minutes) * time.Minute)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				_, err := moveIn(ctx, engine, export(until, desks()...))
				assert.NoError(t, err, minutes)
			})
		}
		both.Wait()
		once, _ := run(minutes)
		require.Equal(t, once, logs(t, engine), minutes)
	}

	c := try(engine.Conversation(ctx, convo.ToAddress("acme", "mail", "riya@example.com")))
	try(engine.Do(ctx, convo.ToConversation("acme", c.ID), convo.Note{By: agentAna, Body: "Hm."}))
	_, err := moveIn(ctx, engine, export(day.Add(100*time.Minute), desks()...))
	assert.ErrorContains(t, err, "ticket 1: it went on here")
}

// What is added by commands goes by the policy of the engine that adds it.
func TestWhatIsAddedGoesByThePolicyOfItsEngine(t *testing.T) {
	day := desks()[0].Did[0].At
	store := memstore.New(memstore.WithOutbox())
	told := 0
	now := clock.NewMock()
	now.Set(day.AddDate(1, 0, 0))
	live := try(convo.New(store, convo.WithClock(now), convo.WithPolicy(convo.Policy{
		Category:  convo.RuleRequired,
		AutoClose: convo.AutoClose{After: convo.Duration(time.Hour), Since: convo.SinceAnyEvent},
	}), convo.WithObserver(func(_ context.Context, events []convo.Event) { told += len(events) })))
	past := try(convo.New(store, convo.WithClock(now)))

	riya := desks()[:1]
	_, err := moveIn(ctx, live, export(day.Add(30*time.Minute), riya...))
	require.NoError(t, err, "an import knows no category")
	noted := try(store.Backlog(ctx)).Noted
	assert.Zero(t, noted, "and an outbox has nothing of it")
	_, err = moveIn(ctx, live, export(day.Add(100*time.Minute), riya...))
	require.ErrorIs(t, err, convo.ErrInvalid, "a Close by Do needs one")
	assert.Zero(t, told)

	_, err = moveIn(ctx, past, export(day.Add(65*time.Minute), riya...))
	require.NoError(t, err)
	assert.Positive(t, try(store.Backlog(ctx)).Noted)
	assert.Zero(t, try(live.Tick(ctx, 100)), "which has it not close at once")
	assert.Equal(t, 1, try(live.Rearm(ctx, "acme")))
	assert.Equal(t, 1, try(live.Tick(ctx, 100)))
	c := try(live.Conversation(ctx, convo.ToAddress("acme", "mail", riya[0].From)))
	assert.Equal(t, now.Now(), c.Cycle.Closing.At, "nor in the past")
}

// overtaken is a store in which somebody else commits first, once.
type overtaken struct {
	convo.Store
	first func()
}

func (s *overtaken) Commit(ctx context.Context, changes ...convo.Change) error {
	if f := s.first; f != nil {
		s.first = nil
		f()
	}
	return s.Store.Commit(ctx, changes...)
}

// Two imports at once have the same history: it is known to the later one, also alone in a batch.
func TestAHistoryThatAnotherImportHasMeanwhileIsKnown(t *testing.T) {
	store := memstore.New()
	imports := func(s convo.Store) convo.ImportResult {
		done, err := try(convo.New(s)).Import(ctx, "acme",
			func(yield func(convo.History, error) bool) { yield(history(desks()[0]), nil) }, nil)
		require.NoError(t, err)
		return done
	}
	late := imports(&overtaken{store, func() { assert.Equal(t, 1, imports(store).Imported) }})
	assert.Equal(t, 0, late.Imported)
	assert.Equal(t, 1, late.Known)
}
