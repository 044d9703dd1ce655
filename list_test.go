package convo_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// betweenReads is a store in which something happens after a page was read, once.
type betweenReads struct {
	convo.Store
	happens func()
}

func (s *betweenReads) Conversations(
	ctx context.Context, f convo.Filter,
) ([]convo.Conversation, error) {
	page, err := s.Store.Conversations(ctx, f)
	if happens := s.happens; happens != nil {
		s.happens = nil
		happens()
	}
	return page, err
}

func TestAListShowsWhoHasTheConversationNow(t *testing.T) {
	s := &betweenReads{Store: memstore.New()}
	e, err := convo.New(s)
	require.NoError(t, err)
	ctx := t.Context()
	for _, contact := range []string{"carl", "dora"} {
		_, err = e.Do(ctx, toContact(contact), convo.Receive{Body: contact})
		require.NoError(t, err)
	}
	s.happens = func() {
		_, err := e.Merge(ctx, convo.Merge{
			Workspace: tenant, Primary: "dora", Secondary: "carl", By: agentAna,
		})
		require.NoError(t, err)
	}
	items, err := e.List(ctx, convo.Filter{Workspace: tenant, Order: convo.OrderActivity})
	require.NoError(t, err)
	require.Len(t, items, 2)
	for _, item := range items {
		assert.Equal(t, "dora", item.Contact.ID)
		assert.Equal(t, item.Conversation.Contact, item.LastMessage.Body)
	}
}

// However long a page is, what its rows show costs two more reads.
func TestAListAsksThreeTimes(t *testing.T) {
	s := &counting{Store: memstore.New()}
	e, err := convo.New(s)
	require.NoError(t, err)
	for range 40 {
		_, err = e.Do(t.Context(), toContact(uuid.NewString()), convo.Receive{Body: "hi"})
		require.NoError(t, err)
	}
	for _, limit := range []int{1, 40} {
		s.reads = 0
		items, err := e.List(t.Context(), convo.Filter{Workspace: tenant, Limit: limit})
		require.NoError(t, err)
		assert.Len(t, items, limit)
		assert.Equal(t, 3, s.reads)
	}
}

type counting struct {
	convo.Store
	reads int
}

func (s *counting) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	s.reads++
	return s.Store.Load(ctx, to)
}

func (s *counting) Conversations(
	ctx context.Context, f convo.Filter,
) ([]convo.Conversation, error) {
	s.reads++
	return s.Store.Conversations(ctx, f)
}

func (s *counting) Contacts(ctx context.Context, f convo.ContactFilter) ([]convo.Contact, error) {
	s.reads++
	return s.Store.Contacts(ctx, f)
}

func (s *counting) LastMessages(
	ctx context.Context, workspace string, ids []uuid.UUID,
) ([]convo.Event, error) {
	s.reads++
	return s.Store.LastMessages(ctx, workspace, ids)
}

func TestAPageIsTurnedBackByTurningTheOrderRound(t *testing.T) {
	e, err := convo.New(memstore.New())
	require.NoError(t, err)
	for range 7 {
		_, err = e.Do(t.Context(), toContact(uuid.NewString()), convo.Receive{Body: "hi"},
			convo.Prioritize{By: agentAna, Priority: convo.PriorityHigh})
		require.NoError(t, err)
	}
	for _, order := range []convo.Order{
		convo.OrderCreated, convo.OrderActivity, convo.OrderWaiting, convo.OrderPriority,
	} {
		f := convo.Filter{Workspace: tenant, Order: order, Limit: 3}
		first, err := e.Conversations(t.Context(), f)
		require.NoError(t, err)
		f.After = f.Cursor(first[2])
		second, err := e.Conversations(t.Context(), f)
		require.NoError(t, err)
		f.After, f.Ascending = f.Cursor(second[0]), true
		back, err := e.Conversations(t.Context(), f)
		require.NoError(t, err)
		slices.Reverse(back)
		assert.Equal(t, first, back, "%s", order)
	}
}

// A cursor that a client kept when it chose another order has no say in that.
func TestThePriorityOfACursorCountsInItsOrderOnly(t *testing.T) {
	e, err := convo.New(memstore.New())
	require.NoError(t, err)
	for range 3 {
		_, err = e.Do(t.Context(), toContact(uuid.NewString()), convo.Receive{Body: "hi"},
			convo.Prioritize{By: agentAna, Priority: convo.PriorityMedium})
		require.NoError(t, err)
	}
	for _, order := range []convo.Order{
		convo.OrderCreated, convo.OrderActivity, convo.OrderWaiting,
	} {
		for _, ascending := range []bool{false, true} {
			f := convo.Filter{Workspace: tenant, Order: order, Ascending: ascending}
			all, err := e.Conversations(t.Context(), f)
			require.NoError(t, err)
			f.After = f.Cursor(all[0])
			f.After.Priority = convo.PriorityMedium
			rest, err := e.Conversations(t.Context(), f)
			require.NoError(t, err)
			assert.Equal(t, all[1:], rest, "%s", order)
		}
	}
}

// One iterator may be ranged over at once: each range has pages of its own.
func TestOneListIsRangedOverTwiceAtOnce(t *testing.T) {
	e, err := convo.New(memstore.New())
	require.NoError(t, err)
	for range 5 {
		_, err = e.Do(t.Context(), toContact(uuid.NewString()), convo.Receive{Body: "hi"})
		require.NoError(t, err)
	}
	f := convo.Filter{Workspace: tenant, Limit: 1}
	list, conversations := e.AllList(t.Context(), f), e.AllConversations(t.Context(), f)
	contacts := e.AllContacts(t.Context(), convo.ContactFilter{Workspace: tenant, Limit: 1})
	var all sync.WaitGroup
	var seen atomic.Int64
	for range 2 {
		all.Go(func() {
			for _, err := range list {
				assert.NoError(t, err)
				seen.Add(1)
			}
			for _, err := range conversations {
				assert.NoError(t, err)
				seen.Add(1)
			}
			for _, err := range contacts {
				assert.NoError(t, err)
				seen.Add(1)
			}
		})
	}
	all.Wait()
	assert.Equal(t, int64(30), seen.Load())
}

// What a Filter names is the caller's.
func TestValidatingAFilterWritesNothingIntoIt(t *testing.T) {
	all := []convo.Priority{convo.PriorityLow, convo.PriorityHigh}
	f := convo.Filter{Workspace: tenant, Priority: all[:1]}
	f.After.Priority = convo.PriorityUrgent
	require.NoError(t, f.Validate())
	assert.Equal(t, convo.PriorityHigh, all[1])
}

func TestAListSaysHowLongAContactHasWaited(t *testing.T) {
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	i := convo.ListItem{Conversation: convo.Conversation{
		Status: convo.StatusOpen, Cycle: convo.Cycle{WaitingSince: noon},
	}}
	assert.Equal(t, time.Hour, i.Waiting(noon.Add(time.Hour)))
	assert.Zero(t, i.Waiting(noon.Add(-time.Hour)), "clocks may disagree")
	i.Conversation.Status = convo.StatusClosed
	assert.Zero(t, i.Waiting(noon.Add(time.Hour)))
	assert.Zero(t, new(convo.ListItem).Waiting(noon))
}

func TestAnActivitySlotIsFiveMinutes(t *testing.T) {
	at := time.Unix(600, 0)
	assert.Equal(t, int64(2), convo.ActivitySlot(at))
	assert.Equal(t, int64(2), convo.ActivitySlot(at.Add(5*time.Minute-time.Microsecond)))
	assert.Equal(t, int64(1), convo.ActivitySlot(at.Add(-time.Microsecond)))
	assert.Equal(t, int64(-1), convo.ActivitySlot(time.Unix(-1, 0)), "also before 1970")
	assert.Equal(t, int64(-1), convo.ActivitySlot(time.Unix(-300, 0)))
	assert.Equal(t, int64(-2), convo.ActivitySlot(time.Unix(-301, 0)))
}

func TestACursorByIDIsNoPlaceAmongThoseSeen(t *testing.T) {
	e, err := convo.New(memstore.New())
	require.NoError(t, err)
	f := convo.ContactFilter{Workspace: "acme", After: convo.ContactCursor{ID: "riya"}}
	_, err = e.Contacts(t.Context(), f)
	require.NoError(t, err)
	f.BySeen = true
	_, err = e.Contacts(t.Context(), f)
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "after", invalid.Field)
	f.After.SeenAt = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	_, err = e.Contacts(t.Context(), f)
	require.NoError(t, err)
}
