package world

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

// roller is a store that keeps sums, of which a conversation must be part before it is removed.
type roller interface {
	Rollup(ctx context.Context, limit int) (n int, more bool, err error)
}

// rollUp has the store add up what it has, if it does so, and reports whether all of it is.
func (w *World) rollUp(t *rapid.T) bool {
	s, ok := w.store.(roller)
	if !ok {
		return true
	}
	if Rarely(t, "not rolled up", 3) {
		return false
	}
	for more := true; more; {
		var err error
		_, more, err = s.Rollup(t.Context(), 0)
		require.NoError(t, err)
	}
	w.wroteNothing(t)
	return true
}

// prune removes what is old enough, and nothing else.
func (w *World) prune(t *rapid.T) {
	closed := slices.ContainsFunc(Workspaces, func(name string) bool {
		return slices.ContainsFunc(w.last.Conversations[name], func(c convo.Conversation) bool {
			return c.Status == convo.StatusClosed
		})
	})
	if !closed {
		t.Skip("all is open") // rapid draws another action
	}
	w.t, w.observed = t, nil
	w.otherEngine(t)
	w.now = w.now.Add(Pick(t, "later", 25*time.Hour, 50*time.Hour, 0))
	rolled := w.rollUp(t)
	limit := Pick(t, "closings at once", 100, 1, 2)
	var done convo.Pruned
	for {
		p, err := w.engine.Prune(t.Context(), w.retention, done.Next, limit)
		require.NoError(t, err)
		require.Zero(t, p.Keys)
		done.Texts, done.Conversations = done.Texts+p.Texts, done.Conversations+p.Conversations
		done.HeldBack, done.Next = done.HeldBack+p.HeldBack, p.Next
		if !p.More() {
			break
		}
	}
	before := w.last
	w.last = w.look(t)
	var want convo.Pruned
	for workspace, cs := range before.Conversations {
		for i := range cs {
			w.checkPruned(t, before, workspace, &cs[i], rolled, &want)
		}
	}
	require.Equal(t, want, done)
	w.done.Add(Done{Pruned: done.Texts, Removed: done.Conversations, Held: done.HeldBack})
	require.Len(t, w.observed, want.Texts)
	w.forgetPruned(t)
}

// checkPruned checks what has become of a conversation, and counts it.
func (w *World) checkPruned(
	t *rapid.T, before picture, workspace string, c *convo.Conversation, rolled bool,
	count *convo.Pruned,
) {
	to := convo.ToConversation(workspace, c.ID)
	was, is := before.Logs[to], w.last.Logs[to]
	over := func(keep time.Duration) bool {
		return keep != 0 && c.Status == convo.StatusClosed &&
			c.Cycle.Closing.At.Before(w.now.Truncate(time.Microsecond).Add(-keep))
	}
	if over(w.retention.Conversations) {
		sent := w.outbox == nil || w.outbox.isSent(was)
		if is == nil {
			require.True(t, sent, "it had events that are on their way")
			count.Conversations, w.gaps = count.Conversations+1, true
			for i := range was {
				delete(w.ids, was[i].ID)
			}
			return
		}
		require.False(t, sent && rolled, "it was needed for nothing")
		count.HeldBack++
	}
	require.GreaterOrEqual(t, len(is), len(was))
	if !over(w.retention.Texts) || was[len(was)-1].TextsGone() {
		require.Equal(t, was, is)
		return
	}
	count.Texts++
	require.Len(t, is, len(was)+1)
	for i := range is {
		r := is[i].Row()
		require.False(t, r.ClearTexts(), "%+v", is[i])
		if i < len(was) {
			bare := was[i].Row()
			bare.ClearTexts()
			require.Equal(t, bare, r, "nothing but texts goes")
		}
	}
	last := is[len(was)]
	require.Equal(t, convo.ConversationErased, last.Kind)
	require.Equal(t, convo.BySystem(), last.By)
	require.Equal(t, convo.SourceRetention, last.Source)
}

// forgetPruned forgets the texts of events, and the calls, that are gone.
func (w *World) forgetPruned(t *rapid.T) {
	now := w.last.events()
	w.keyed = slices.DeleteFunc(w.keyed, func(c keyedCall) bool {
		for _, id := range []uuid.UUID{c.to.Conversation, c.result.Conversation.ID} {
			if id != uuid.Nil && w.last.Logs[convo.ToConversation(c.to.Workspace, id)] == nil {
				return true
			}
		}
		for i := range c.result.Events {
			e, ok := now[c.result.Events[i].ID]
			if !ok {
				return true
			}
			c.result.Events[i] = e
		}
		// the message that an echo is of may have been in one that is gone
		k, err := w.store.Load(t.Context(), c.to)
		return w.gaps && err == nil && len(w.knownKeys(t, c.to, k.Contact.ID, c.cmds)) == 0
	})
}
