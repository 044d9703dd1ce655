package convo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

var (
	conversationKinds = []convo.EventKind{
		convo.ConversationOpened, convo.ConversationReopened, convo.ConversationPending,
		convo.ConversationResumed,
		convo.ConversationClosed, convo.ConversationAssigned, convo.ConversationTransferred,
		convo.ClosingAmended,
		convo.MessageReceived, convo.MessageSent, convo.NoteAdded, convo.NoticePosted,
	}
	contactKinds = []convo.EventKind{convo.AddressLinked, convo.ContactBlocked,
		convo.ContactUnblocked, convo.ContactMerged}
	allKinds = append(append([]convo.EventKind{0, 255}, conversationKinds...), contactKinds...)
)

// eventFor is an event of a kind that comes next in a thread, at a time.
func eventFor(thread convo.Snapshot, kind convo.EventKind, when time.Time,
	by convo.Actor) convo.Event {
	e := convo.EventRow{
		ID: uuid.New(), Workspace: tenant, Contact: thread.Contact.ID,
		Conversation: thread.Conversation.ID,
		Seq:          thread.Conversation.Version + 1, ContactSeq: thread.Contact.Version + 1,
		Kind: kind,
		At:   when, By: by,
		Source: convo.SourceUser, Channel: "sms", Body: "b", Response: true, Category: "c",
		Summary: "s", Assignee: "ben",
		Team: "t", Until: when.Add(-time.Hour), Address: "+49", MergedInto: "dora",
	}
	if kind.OfContact() {
		e.Conversation, e.Seq = uuid.Nil, e.ContactSeq
	}
	return e.Event()
}

// withRow is e with fields changed, and a payload of its own.
func withRow(e convo.Event, f func(*convo.EventRow)) convo.Event {
	r := e.Row()
	f(&r)
	return r.Event()
}

// TestApplyTakesAnyEventInAnyState folds every kind of event, in whatever order and from whatever
// time, into every state: a log that was damaged or written by a newer version must not crash who
// reads it.
func TestApplyTakesAnyEventInAnyState(t *testing.T) {
	for _, state := range allStates {
		start := threadIn(t, state)
		for _, first := range allKinds {
			for _, second := range allKinds {
				for _, offset := range []time.Duration{-1000 * time.Hour, 0, 1000 * time.Hour} {
					for _, by := range []convo.Actor{{}, agentAna, flowBot, visitor,
						convo.BySystem()} {
						thread := convo.Apply(start, eventFor(start, first, morning, by))
						thread = convo.Apply(thread,
							eventFor(thread, second, morning.Add(offset), by))
						thread = convo.Apply(thread, convo.Event{Kind: second})
						if !thread.Conversation.UpdatedAt.IsZero() {
							name := fmt.Sprint(state, first, second, offset, by)
							c := thread.Conversation
							require.False(t, c.UpdatedAt.Before(c.CreatedAt), name)
						}
						checkMeasures(t, thread.Conversation)
					}
				}
			}
		}
	}
}

func TestApplyLeavesItsArgumentAlone(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	before := thread
	for _, kind := range allKinds {
		convo.Apply(thread, eventFor(thread, kind, morning, agentAna))
	}
	assert.Equal(t, before, thread)
}

func TestAnEventOfAnotherConversationChangesNothing(t *testing.T) {
	for _, state := range allStates {
		thread := threadIn(t, state)
		for _, kind := range conversationKinds {
			if kind == convo.ConversationOpened {
				continue // which begins another one
			}
			for _, other := range []uuid.UUID{uuid.New(), uuid.Nil} {
				e := eventFor(thread, kind, morning.Add(time.Hour), agentAna)
				e.Conversation = other
				assert.Equal(t, thread, convo.Apply(thread, e), "%s in %s", kind, state)
			}
		}
	}
}

func TestAnEventOfAnotherContactChangesNothing(t *testing.T) {
	for _, state := range allStates {
		thread := threadIn(t, state)
		for _, kind := range append([]convo.EventKind{convo.ConversationOpened}, contactKinds...) {
			e := eventFor(thread, kind, morning.Add(time.Hour), agentAna)
			e = withRow(e, func(r *convo.EventRow) { r.Contact, r.MergedInto = "somebody", "else" })
			if kind == convo.ConversationOpened {
				e.Conversation, e.Seq = uuid.New(), 1
			}
			assert.Equal(t, thread, convo.Apply(thread, e), "%s in %s", kind, state)
		}
	}
}

func TestAnEventOfAnotherWorkspaceChangesNothing(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	for _, kind := range append([]convo.EventKind{convo.ConversationOpened}, contactKinds...) {
		e := eventFor(thread, kind, morning.Add(time.Hour), agentAna)
		e.Workspace = "other"
		if kind == convo.ConversationOpened {
			e.Conversation, e.Seq = uuid.New(), 1
		}
		assert.Equal(t, thread, convo.Apply(thread, e), kind)
	}
}

func TestAnEventOfAKindThatIsNotKnownOnlyCounts(t *testing.T) {
	for _, state := range allStates[1:] {
		thread := threadIn(t, state)
		e := eventFor(thread, 255, morning.Add(time.Hour), agentAna)
		want := thread
		want.Conversation.Version++
		want.Conversation.UpdatedAt = e.At
		assert.Equal(t, want, convo.Apply(thread, e))
	}
}

func TestTimesThatGoBackMakeNoDurationNegative(t *testing.T) {
	thread := threadIn(t, convo.StateNone)
	back := morning
	for i, kind := range []convo.EventKind{
		convo.ConversationOpened, convo.MessageReceived, convo.ConversationAssigned,
		convo.ConversationPending, convo.ConversationResumed,
		convo.MessageSent, convo.ConversationClosed,
	} {
		e := eventFor(thread, kind, back, agentAna)
		if i == 0 {
			e.Conversation = uuid.New()
		}
		thread = convo.Apply(thread, e)
		back = back.Add(-time.Hour)
	}
	c := thread.Conversation
	assert.Equal(t, morning, c.UpdatedAt)
	assert.Equal(t, 1, c.Cycle.Responses)
	assert.Zero(t, c.Cycle.ResponseMicros)
	assert.Zero(t, c.Cycle.PendingMicros)
	checkMeasures(t, c)
	for name, f := range map[string]func() (time.Duration, bool){
		"first response": c.Cycle.FirstResponseTime, "assignment": c.Cycle.AssignmentTime,
		"resolution":        c.Cycle.ResolutionTime,
		"active resolution": c.Cycle.ActiveResolutionTime,
		"first resolution":  c.FirstResolutionTime, "last resolution": c.LastResolutionTime,
	} {
		d, ok := f()
		assert.True(t, ok, name)
		assert.Zero(t, d, name)
	}
}

func TestAnAssignmentAfterTheClosingIsNotOfTheCycle(t *testing.T) {
	thread := threadIn(t, convo.StateClosed)
	after := convo.Apply(thread, eventFor(thread, convo.ConversationAssigned,
		morning.Add(time.Hour), agentAna))
	assert.Equal(t, "ben", after.Conversation.Assignee)
	assert.Equal(t, thread.Conversation.Cycle, after.Conversation.Cycle)
}

func TestAnOlderOpeningDoesNotTakeTheContactBack(t *testing.T) {
	thread := threadIn(t, convo.StateSuperseded) // its contact has gone on to another conversation
	e := eventFor(thread, convo.ConversationReopened, morning, agentAna)
	for _, seq := range []int64{0, 1, thread.Contact.Version} {
		e = withRow(e, func(r *convo.EventRow) { r.ContactSeq = seq })
		assert.Equal(t, thread.Contact, convo.Apply(thread, e).Contact)
	}
	e = withRow(e, func(r *convo.EventRow) { r.ContactSeq = thread.Contact.Version + 1 })
	assert.Equal(t, thread.Contact.Version+1, convo.Apply(thread, e).Contact.Version)
}

func TestFoldingTheLogOfAConversationGivesTheConversation(t *testing.T) {
	k := newTalk(t, everything())
	k.do(convo.Receive{Channel: "sms", Body: "hi"},
		convo.Assign{By: agentAna, Assignee: "ana", Team: "sales"}, convo.Send{By: agentAna,
			Body: "hello"})
	k.wait(time.Minute).do(convo.SetPending{By: agentAna, Until: k.now.Add(time.Hour)})
	k.wait(time.Minute).do(convo.Receive{Body: "?"},
		convo.Close{By: agentAna, Category: "Sales", Summary: "sold"})
	k.wait(time.Minute).do(convo.AmendClosing{By: agentAna, Category: "Support",
		Summary: "not sold"}, convo.Reopen{By: visitor})
	k.wait(time.Minute).do(convo.Send{By: flowBot, Body: "welcome back"},
		convo.Note{By: agentAna, Body: "n"}, convo.SetPending{By: agentAna})
	var folded convo.Snapshot
	for _, e := range k.log {
		folded = convo.Apply(folded, e)
	}
	folded.Conversation.DueAt = k.conversation().DueAt
	folded.Conversation.Deadline = k.conversation().Deadline
	folded.Conversation.Applied = k.conversation().Applied
	assert.Equal(t, k.conversation(), folded.Conversation)
	assert.Equal(t, k.thread.Contact, folded.Contact, "and the contact")
}

func TestApplyingAMerge(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	e := eventFor(thread, convo.ContactMerged, morning, agentAna)

	secondary := convo.Apply(thread, e)
	assert.Equal(t, "dora", secondary.Contact.MergedInto)
	assert.Equal(t, thread.Contact.Version+1, secondary.Contact.Version)
	assert.Equal(t, "dora", secondary.Conversation.Contact)
	assert.Equal(t, "carl", secondary.Conversation.Origin)

	e = withRow(e, func(r *convo.EventRow) { r.Contact, r.MergedInto = "carla", "carl" })
	primary := convo.Apply(thread, e)
	assert.Equal(t, thread.Contact.Version+1, primary.Contact.Version)
	assert.Equal(t, thread.Conversation, primary.Conversation)
	assert.Equal(t, primary, convo.Apply(primary, e),
		"an event that was applied before is not applied again")
}

func TestApplyingALinkTellsWhoseTheAddressIs(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	e := eventFor(thread, convo.AddressLinked, morning, agentAna)
	assert.Empty(t, convo.Apply(thread, e).AddressOwner,
		"it is not the address that the thread was loaded for")
	thread.Ref.Address = convo.Address{Channel: "sms", Value: "+49"}
	assert.Equal(t, "carl", convo.Apply(thread, e).AddressOwner)
}
