package convo_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/storetest"
)

const (
	erasedID   = "the-erased-one"
	erasedText = "a text of the erased one"
)

// erasedRef, by another number secondRef, and otherRef are the two people of the small world.
var (
	erasedRef = convo.Ref{Workspace: tenant, Contact: erasedID,
		Address: convo.Address{Channel: "sms", Value: "the-erased-number"}}
	secondRef = convo.Ref{Workspace: tenant, Contact: erasedID,
		Address: convo.Address{Channel: "sms", Value: "another-number"}}
	otherRef = convo.ToContact(tenant, "tom")
)

// erasureStep is something that happens before or after an erasure.
type erasureStep struct {
	name string
	do   func(ctx context.Context, e *convo.Engine) error
}

var erasureSteps = func() []erasureStep {
	does := func(to convo.Ref, cmd convo.Command) func(context.Context, *convo.Engine) error {
		return func(ctx context.Context, e *convo.Engine) error {
			_, err := e.Do(ctx, to, cmd)
			return err
		}
	}
	says := convo.Receive{Body: erasedText, ExternalID: "m1"}
	moves := func(to convo.Ref, contact string) func(context.Context, *convo.Engine) error {
		return does(to, convo.Move{By: agentAna, Contact: contact})
	}
	merges := func(into, of string) func(context.Context, *convo.Engine) error {
		return func(ctx context.Context, e *convo.Engine) error {
			_, err := e.Merge(ctx, convo.Merge{
				Workspace: tenant, Primary: into, Secondary: of, By: agentAna,
			})
			return err
		}
	}
	unmerges := func(of string) func(context.Context, *convo.Engine) error {
		return func(ctx context.Context, e *convo.Engine) error {
			_, err := e.Unmerge(ctx, convo.Unmerge{Workspace: tenant, Contact: of, By: agentAna})
			return err
		}
	}
	return []erasureStep{
		{"it writes", does(erasedRef, says)},
		{"it writes quietly", does(erasedRef, convo.Receive{Body: erasedText, Quiet: true})},
		{"the other writes", does(otherRef, convo.Receive{Body: "hello"})},
		{"it is answered", does(convo.ToContact(tenant, erasedID),
			convo.Send{By: agentAna, Body: erasedText})},
		{"it is closed", does(convo.ToContact(tenant, erasedID),
			convo.Close{By: convo.Actor{Type: convo.ActorContact, ID: erasedID}})},
		{"it is reopened", does(convo.ToContact(tenant, erasedID), convo.Reopen{By: visitor})},
		{"its message is redacted", does(erasedRef,
			convo.Retract{By: agentAna, ExternalID: "m1", Redact: true})},
		{"it goes to the other", moves(convo.ToContact(tenant, erasedID), "tom")},
		{"the other's goes to it", moves(otherRef, erasedID)},
		{"it is merged", merges("tom", erasedID)},
		{"the other is merged", merges(erasedID, "tom")},
		{"its merge is undone", unmerges(erasedID)},
		{"the other's merge is undone", unmerges("tom")},
		{"it has another number", does(secondRef, convo.LinkAddress{By: agentAna})},
		{"its number is given away", does(erasedRef, convo.UnlinkAddress{By: agentAna})},
	}
}()

// TestEverySequenceWithAnErasureKeepsTheRules has all sequences of a few steps happen, from nothing
// or after both have written, then the erasure of one of them, and then each step once more.
// Nothing names the erased one, nothing of what it owned has a text, and all invariants hold.
func TestEverySequenceWithAnErasureKeepsTheRules(t *testing.T) {
	most := 3
	if testing.Short() || raceDetectorIsOn() {
		most = 2
	}
	sequences := 0
	var names []string
	var try func(steps []erasureStep, left int)
	try = func(steps []erasureStep, left int) {
		if len(steps) > 0 {
			names = names[:0]
			for _, s := range steps {
				names = append(names, s.name)
			}
			tryErasure(t, steps, names)
			sequences++
		}
		if left > 0 {
			for _, s := range erasureSteps {
				try(append(steps[:len(steps):len(steps)], s), left-1)
			}
		}
	}
	try(nil, most-1)
	try([]erasureStep{erasureSteps[0], erasureSteps[2]}, most)
	t.Logf("%d sequences of up to %d steps", sequences, most)
	require.Greater(t, sequences, 200)
}

func tryErasure(t *testing.T, steps []erasureStep, names []string) {
	t.Helper()
	ctx, store := t.Context(), memstore.New()
	e := newOn(t, store)
	step := func(s erasureStep) {
		if err := s.do(ctx, e); err != nil {
			require.NotEqual(t, "other", convo.Code(err), "%q, %s: %v", names, s.name, err)
		}
	}
	for _, s := range steps {
		step(s)
	}
	before, err := store.Load(ctx, convo.ToContact(tenant, erasedID))
	require.NoError(t, err)
	if before.Contact.Version == 0 {
		return // it was never there
	}
	r, err := e.Erase(ctx, convo.Erase{
		Workspace: tenant, Contact: before.Contact.ID, By: agentAna, Key: "erase",
	})
	require.NoError(t, err, "%q", names)
	number := erasedRef.Address.Value
	left := givenBy(t, store)
	require.NotContains(t, textOf(t, left), erasedID, "%q", names)
	require.NotContains(t, textOf(t, left.Own), number, "%q", names)
	for _, c := range left.Conversations {
		for _, e := range left.Logs[c.ID] {
			if c.Contact == r.Contact.ID { // what others have kept is theirs
				require.NotContains(t, textOf(t, e), number, "%q", names)
				require.NotContains(t, textOf(t, e), erasedText, "%q", names)
			}
		}
	}
	require.Empty(t, storetest.CheckInvariants(ctx, store, tenant), "%q", names)
	for _, s := range erasureSteps {
		step(s)
	}
	require.Empty(t, storetest.CheckInvariants(ctx, store, tenant), "%q, and all once more", names)
}

// given is all that a store gives out.
type given struct {
	dump
	Own map[string][]convo.Event // by contact
}

func givenBy(t *testing.T, s *memstore.Store) given {
	t.Helper()
	g := given{dumpOf(t, s, tenant), map[string][]convo.Event{}}
	contacts, err := s.Contacts(t.Context(), convo.ContactFilter{
		Workspace: tenant, Limit: convo.MaxPageSize,
	})
	require.NoError(t, err)
	for _, k := range contacts {
		g.Own[k.ID], err = s.Events(t.Context(), convo.EventFilter{
			Workspace: tenant, OwnLog: k.ID, Limit: convo.MaxPageSize,
		})
		require.NoError(t, err)
	}
	return g
}

func textOf(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	require.NoError(t, err)
	return string(text)
}
