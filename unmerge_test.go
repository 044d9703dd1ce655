package convo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// owned is what a contact has of its own, as far as a merge and its undoing must leave it alone.
type owned struct {
	Name       string
	Attributes convo.Attributes
	Blocked    bool
	BlockedBy  convo.Tokens
	Addresses  []convo.Address
	Messages   []string // the texts in its conversations and its own log
	IDs        []uuid.UUID
}

type unmergeWorld struct {
	engine *convo.Engine
	store  convo.Store
	now    time.Time
	said   int
	ids    map[string][]string // external ids by whom they were said to
}

// Now is the clock of the world.
func (w *unmergeWorld) Now() time.Time { return w.now }

func (w *unmergeWorld) do(t *rapid.T, to convo.Ref, cmds ...convo.Command) convo.Result {
	w.now = w.now.Add(time.Second)
	r, err := w.engine.Do(t.Context(), to, cmds...)
	require.NoError(t, err)
	return r
}

// say is a message of a contact by its own address, which links it, too.
func (w *unmergeWorld) say(t *rapid.T, contact, lane string) {
	w.said++
	id := fmt.Sprint("m-", w.said)
	to := convo.ToContact(tenant, contact).In(lane)
	to.Address = convo.Address{Channel: "sms", Value: contact}
	if w.do(t, to, convo.Receive{ExternalID: id, Body: id}).Outcome != convo.OutcomeDuplicate {
		w.ids[contact] = append(w.ids[contact], id)
	}
}

// closeAll closes what is active.
func (w *unmergeWorld) closeAll(t *rapid.T, contact string) {
	for c, err := range w.engine.AllConversations(t.Context(), convo.Filter{
		Workspace: tenant, Contact: contact,
		Status: []convo.Status{convo.StatusOpen, convo.StatusPending},
	}) {
		require.NoError(t, err)
		w.do(t, convo.ToConversation(tenant, c.ID), convo.Close{By: agentAna})
	}
}

func (w *unmergeWorld) look(t *rapid.T, contact string) (o owned) {
	k, err := w.engine.Contact(t.Context(), convo.ToContact(tenant, contact))
	require.NoError(t, err)
	require.Equal(t, contact, k.ID)
	require.Empty(t, k.MergedInto+k.Parent)
	o.Name, o.Attributes, o.Blocked, o.BlockedBy = k.Name, k.Attributes, k.Blocked, k.BlockedBy
	o.Addresses, err = w.engine.Addresses(t.Context(), convo.ToContact(tenant, contact))
	require.NoError(t, err)
	for e, err := range w.engine.AllHistory(t.Context(), convo.ToContact(tenant, contact),
		convo.EventCursor{}) {
		require.NoError(t, err)
		if e.Message().Body != "" {
			o.Messages = append(o.Messages, e.Message().Body)
		}
	}
	for c, err := range w.engine.AllConversations(t.Context(),
		convo.Filter{Workspace: tenant, Contact: contact}) {
		require.NoError(t, err)
		o.IDs = append(o.IDs, c.ID)
	}
	slices.Reverse(o.IDs) // the first one first
	return o
}

// Whatever is merged in whatever order, and taken apart again in another: everybody has what they
// had, and what was said to each since is with its owner.
func TestMergingAndUnmergingGivesEverythingBack(t *testing.T) {
	names := []string{"ann", "bea", "cal", "dan"}
	rapid.Check(t, func(t *rapid.T) {
		w := &unmergeWorld{store: memstore.New(), now: morning, ids: map[string][]string{}}
		var err error
		w.engine, err = convo.New(w.store, convo.WithClock(w), convo.WithPolicies(
			func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
				return &convo.Policy{
					Merge: map[string]convo.MergeMode{"x": convo.MergeTransfer}[of.Lane],
				}, nil
			}))
		require.NoError(t, err)
		before := map[string]owned{}
		for _, name := range names {
			for range rapid.IntRange(1, 3).Draw(t, "said") {
				w.say(t, name, rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "lane"))
				if rapid.Bool().Draw(t, "closed") {
					w.closeAll(t, name)
				}
			}
			w.do(t, convo.ToContact(tenant, name), convo.SetProfile{
				By: agentAna, Name: &name, Attributes: json.RawMessage(`{"of":"` + name + `"}`),
			})
			if rapid.Bool().Draw(t, "blocked") {
				w.do(t, convo.ToContact(tenant, name), convo.Block{By: agentAna})
			}
			before[name] = w.look(t, name)
		}
		roots := slices.Clone(names)
		var merged []string
		for len(roots) > 1 && rapid.IntRange(0, 5).Draw(t, "merges") > 0 {
			i := rapid.IntRange(0, len(roots)-1).Draw(t, "primary")
			j := (i + rapid.IntRange(1, len(roots)-1).Draw(t, "secondary")) % len(roots)
			w.now = w.now.Add(time.Second)
			_, err := w.engine.Merge(t.Context(), convo.Merge{
				Workspace: tenant, Primary: roots[i], Secondary: roots[j], By: agentAna,
			})
			require.NoError(t, err)
			merged = append(merged, roots[j])
			roots = slices.Delete(roots, j, j+1)
		}
		for _, name := range rapid.Permutation(merged).Draw(t, "order") {
			w.now = w.now.Add(time.Second)
			r, err := w.engine.Unmerge(t.Context(), convo.Unmerge{
				Workspace: tenant, Contact: name, By: agentAna,
			})
			require.NoError(t, err)
			require.Equal(t, convo.OutcomeUnmerged, r.Outcome)
		}
		for _, name := range names {
			require.Equal(t, before[name], w.look(t, name), name)
			if before[name].Blocked {
				continue
			}
			for _, id := range w.ids[name] { // a redelivery brings nothing
				require.Equal(t, convo.OutcomeDuplicate, w.do(t,
					convo.ToAddress(tenant, "sms", name),
					convo.Receive{ExternalID: id, Body: id}).Outcome)
			}
		}
	})
}

func TestAnUnmergeValidates(t *testing.T) {
	d := openDesk(t)
	for field, m := range map[string]convo.Unmerge{
		"workspace": {Contact: "a", By: agentAna}, "contact": {Workspace: tenant, By: agentAna},
		"by": {Workspace: tenant, Contact: "a"},
	} {
		_, err := d.Unmerge(t.Context(), m)
		requireInvalid(t, field, err)
		_, err = convo.DecideUnmerge(convo.MergeSide{}, nil, morning, m)
		requireInvalid(t, field, err)
	}
}

func TestAnUnmergeIsNotBeforeWhatHappened(t *testing.T) {
	d := openDesk(t, transfer)
	d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Close{By: agentAna})
	d.do(toContact("carla"), convo.Receive{Body: "hi"})
	d.merge("carl", "carla")
	d.wait(1000)
	d.do(toContact("carla"), convo.Receive{Body: "later"})
	_, err := d.Unmerge(t.Context(), convo.Unmerge{
		Workspace: tenant, Contact: "carla", By: agentAna, At: morning,
	})
	assert.ErrorIs(t, err, convo.ErrOutOfOrder)
	r, err := d.Unmerge(t.Context(), convo.Unmerge{
		Workspace: tenant, Contact: "carla", By: agentAna,
	})
	require.NoError(t, err)
	assert.Equal(t, []convo.EventKind{convo.ConversationTransferred, convo.ContactUnmerged},
		kindsOf(r.Events))
	assert.Equal(t, convo.SourceContactUnmerge, r.Events[0].Source)
	assert.Equal(t, "carl", r.Root.ID)
	assert.Equal(t, d.contact("carl"), r.Root)
}
