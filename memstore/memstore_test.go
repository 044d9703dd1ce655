package memstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/storetest"
)

func TestStoreConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) convo.Store { return memstore.New() })
}

const acme = "acme"

var (
	ana   = convo.ByUser("ana")
	start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
)

func to(contact string, n int) convo.Ref {
	return convo.ToContact(acme,
		fmt.Sprint(contact, " ", n))
}

// engine is one on an empty store.
func engine(t *testing.T) (*convo.Engine, *memstore.Store) {
	store := memstore.New()
	e, err := convo.New(store)
	require.NoError(t, err)
	return e, store
}

func do(t *testing.T, e *convo.Engine, to convo.Ref, cmds ...convo.Command) convo.Conversation {
	r, err := e.Do(t.Context(), to, cmds...)
	require.NoError(t, err)
	return r.Conversation
}

// list pages through all that f picks and demands that the last opened come first, each once.
func list(t *testing.T, e *convo.Engine, f convo.Filter) (ids []uuid.UUID) {
	f.Workspace, f.Limit = acme, convo.MaxPageSize
	for {
		page, err := e.Conversations(t.Context(), f)
		require.NoError(t, err)
		for _, c := range page {
			last := f.After
			f.After = f.Cursor(c)
			require.True(t, last == convo.Cursor{} || f.After.At.Before(last.At) ||
				f.After.At.Equal(last.At) &&
					string(f.After.ID[:]) < string(last.ID[:]), "%v after %v", f.After, last)
			ids = append(ids, c.ID)
		}
		if len(page) < f.Limit {
			return ids
		}
	}
}

func TestAHundredThousandConversationsAreListedInOrder(t *testing.T) {
	const n = 100_000
	e, _ := engine(t)
	active, early := 0, 0
	for i := range n {
		// Most as live traffic comes, every third far out of order.
		at := start.Add(time.Duration(i) * time.Second)
		if i%3 == 0 {
			at = start.Add(-time.Duration(i*7919%n) * time.Minute)
		}
		cmds := []convo.Command{convo.Open{By: ana, At: at, Channel: "sms"},
			convo.Close{By: ana, At: at}}
		if i%100 == 0 {
			cmds = cmds[:1]
			active++
		} else if at.Before(start) {
			early++
		}
		do(t, e, to("contact", i), cmds...)
		if i%10_000 == 0 {
			// sorts in between
			_ = list(t, e, convo.Filter{From: start.Add(time.Duration(i) * time.Second)})
		}
	}
	assert.Len(t, list(t, e, convo.Filter{}), n)
	assert.Len(t, list(t, e, convo.Filter{Status: []convo.Status{convo.StatusOpen}}), active)
	assert.Len(t, list(t, e, convo.Filter{Status: []convo.Status{convo.StatusClosed}, To: start}),
		early)
	assert.Len(t, list(t, e, convo.Filter{Contact: "contact 7"}), 1)
}

func TestTheConversationsOfOneContactAreListedInOrderHoweverManyTheyAre(t *testing.T) {
	const n = 1500
	e, _ := engine(t)
	for i := range n {
		for _, contact := range []int{1, 2} {
			at := start.Add(time.Duration(i) * time.Second)
			do(t, e, to("contact", contact), convo.Open{By: ana, At: at},
				convo.Close{By: ana, At: at})
		}
	}
	_, err := e.Merge(t.Context(), convo.Merge{Workspace: acme, Primary: "contact 1",
		Secondary: "contact 2", By: ana})
	require.NoError(t, err)
	assert.Len(t, list(t, e, convo.Filter{Contact: "contact 1"}), 2*n)
}

func TestTheListOfActiveConversationsIsRightHoweverManyWereClosed(t *testing.T) {
	e, store := engine(t)
	want := map[uuid.UUID]bool{}
	for round := range 5 {
		for i := range 300 {
			c := do(t, e, to("contact", i), convo.Open{By: ana})
			if want[c.ID] = true; i%30 != round {
				do(t, e, to("contact", i), convo.Close{By: ana})
				delete(want, c.ID)
			}
		}
		for i := range 10 { // back into the list, amid the others
			c := do(t, e, to("contact", 30*i+7), convo.Reopen{By: ana})
			want[c.ID] = true
		}
		got := map[uuid.UUID]bool{}
		for _, id := range list(t, e, convo.Filter{Status: []convo.Status{convo.StatusOpen,
			convo.StatusPending}}) {
			got[id] = true
		}
		require.Equal(t, want, got, "round %d", round)
	}
	assert.Empty(t, storetest.CheckInvariants(t.Context(), store, acme))
}

func TestALongConversationIsTheSameOpenAndClosed(t *testing.T) {
	e, store := engine(t)
	// around where a closed one is no longer folded
	for i, n := range []int{1, 62, 63, 64, 65, 500} {
		for range n {
			do(t, e, to("contact", i), convo.Receive{Body: "hi", At: start},
				convo.Note{By: ana, Body: "note", At: start})
		}
		c := do(t, e, to("contact", i), convo.Close{By: ana, Summary: "done"})
		require.Equal(t, int64(2*n+2), c.Version)
		stored, err := store.Conversation(t.Context(), acme, c.ID)
		require.NoError(t, err)
		assert.Equal(t, c, stored)
		for after := range c.Version + 2 { // a page may begin in the middle of what one call wrote
			events, err := store.Events(t.Context(), convo.EventFilter{
				Workspace: acme, Conversation: c.ID, After: convo.EventCursor{Seq: after}, Limit: 3,
			})
			require.NoError(t, err)
			require.Len(t, events, int(max(0, min(3, c.Version-after))))
			for i, e := range events {
				require.Equal(t, after+int64(i)+1, e.Seq)
			}
		}
	}
	assert.Empty(t, storetest.CheckInvariants(t.Context(), store, acme))
}

func TestWhatWasReadStaysAsItWas(t *testing.T) {
	e, _ := engine(t)
	first := do(t, e, to("contact", 0), convo.Open{By: ana}, convo.Assign{By: ana, Assignee: "ana"})
	read := list(t, e, convo.Filter{})
	do(t, e, to("contact", 0), convo.Close{By: ana}) // gives its memory to the next one
	second := do(t, e, to("contact", 1), convo.Open{By: ana})
	got, err := e.Conversation(t.Context(), convo.ToConversation(acme, first.ID))
	require.NoError(t, err)
	assert.Equal(t, "ana", got.Assignee)
	assert.Equal(t, convo.StatusClosed, got.Status)
	assert.Equal(t, convo.StatusOpen, first.Status)
	assert.Empty(t, second.Assignee)
	assert.Equal(t, []uuid.UUID{first.ID}, read)
}

func TestReportsConform(t *testing.T) {
	storetest.RunReports(t, func(*testing.T) storetest.Reporter { return memstore.New() })
}
