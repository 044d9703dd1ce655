package convo_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

var transfer = convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer})

func TestMergingClosesTheSecondarysConversation(t *testing.T) {
	d := openDesk(t, convo.WithPolicy(convo.Policy{
		Category: convo.RuleRequired, Summary: convo.RuleRequired, UnassignOnClose: true,
		Notices: convo.Notices{Closed: convo.AudienceUsers},
	}))
	d.do(toContact("carl"), convo.Receive{Body: "hi"})
	id := d.do(toContact("carla"), convo.Receive{Body: "hi"},
		convo.Assign{By: agentAna, Assignee: "ana"}).Conversation.ID
	d.wait(time.Hour)

	r := d.merge("carl", "carla")

	assert.Equal(t, convo.OutcomeMerged, r.Outcome)
	assert.Equal(t, []convo.EventKind{
		convo.ConversationClosed, convo.NoticePosted, convo.ConversationAssigned,
		convo.ContactMerged,
	}, kindsOf(r.Events),
		"an automatic closing is exempt from the rules for closings, but not from the rest")
	c := d.get(id)
	assert.Equal(t, convo.StatusClosed, c.Status)
	assert.Equal(t, convo.Closing{At: morning.Add(time.Hour), By: agentAna,
		Source: convo.SourceContactMerge}, c.Cycle.Closing)
	assert.Equal(t, "carl", c.Contact)
	assert.Equal(t, "carla", c.Origin)
	active, err := d.Active(t.Context(), toContact("carla"))
	require.NoError(t, err)
	assert.Equal(t, "carl", active.Origin, "the primary's own conversation goes on")
	merged := r.Events[3]
	assert.Equal(t, "carla", merged.Contact)
	assert.Equal(t, "carl", merged.Row().MergedInto)
	assert.Equal(t, uuid.Nil, merged.Conversation)
}

func TestMergingAnswersWithTheStateAfterIt(t *testing.T) {
	for _, policy := range []convo.Policy{{}, {Merge: convo.MergeTransfer}} {
		d := openDesk(t, convo.WithPolicy(policy))
		d.do(toContact("carl"), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
		d.do(toContact("carla"), convo.Receive{Body: "hi"})
		r := d.merge("carl", "carla")
		assert.Equal(t, d.contact("carl"), r.Primary)
		require.Len(t, r.Conversations, 1)
		assert.Equal(t, d.get(r.Conversations[0].ID), r.Conversations[0])
	}
}

func TestMergingMovesTheConversationWhenThePolicySaysSo(t *testing.T) {
	d := openDesk(t, transfer)
	d.do(toContact("carl"), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	before := d.do(toContact("carla"), convo.Receive{Body: "hi"},
		convo.Assign{By: agentAna, Assignee: "ana"}, convo.SetPending{By: agentAna}).Conversation
	d.wait(time.Hour)

	r := d.merge("carl", "carla")

	assert.Equal(t, []convo.EventKind{convo.ConversationTransferred, convo.ContactMerged},
		kindsOf(r.Events))
	assert.Equal(t, convo.SourceContactMerge, r.Events[0].Source)
	assert.Equal(t, "carl", r.Events[0].Contact)
	after := d.get(before.ID)
	assert.Equal(t, "carl", after.Contact)
	assert.Equal(t, "carla", after.Origin)
	assert.Equal(t, convo.StatusPending, after.Status, "it stays as it was")
	assert.Equal(t, before.Cycle, after.Cycle)
	assert.Equal(t, before.ID, d.latest("carl"))
	got := d.do(toContact("carl"), convo.Receive{Body: "it is me"})
	assert.Equal(t, before.ID, got.Conversation.ID)
}

func TestMergingCannotMoveAConversationBesideAnActiveOne(t *testing.T) {
	d := openDesk(t, transfer)
	own := d.do(toContact("carl"), convo.Receive{Body: "hi"}).Conversation.ID
	other := d.do(toContact("carla"), convo.Receive{Body: "hi"}).Conversation.ID
	d.merge("carl", "carla")
	assert.Equal(t, convo.StatusClosed, d.get(other).Status)
	assert.Equal(t, convo.StatusOpen, d.get(own).Status)
	assert.Equal(t, own, d.latest("carl"))
}

func TestMergingContactsWithoutAnActiveConversation(t *testing.T) {
	for _, c := range []struct {
		name         string
		primaryFirst bool
		latest       string
	}{{"the secondary wrote last", true, "carla"}, {"the primary wrote last", false, "carl"}} {
		t.Run(c.name, func(t *testing.T) {
			d := openDesk(t)
			order := []string{"carl", "carla"}
			if !c.primaryFirst {
				order = []string{"carla", "carl"}
			}
			ids := map[string]uuid.UUID{}
			for _, id := range order {
				ids[id] = d.do(toContact(id), convo.Receive{Body: "hi"},
					convo.Close{By: agentAna}).Conversation.ID
				d.wait(time.Minute)
			}
			r := d.merge("carl", "carla")
			assert.Equal(t, []convo.EventKind{convo.ContactMerged}, kindsOf(r.Events))
			assert.Equal(t, ids[c.latest], d.latest("carl"),
				"the one that was opened last")
			// which is the one that a reopening without a name means
			reopened := d.do(toContact("carla"), convo.Reopen{By: agentAna})
			assert.Equal(t, ids[c.latest], reopened.Conversation.ID)
		})
	}
}

func TestReopeningASecondarysConversationIsForThePrimary(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("carl"), convo.Receive{Body: "hi"})
	id := d.do(toContact("carla"), convo.Receive{Body: "hi"}).Conversation.ID
	d.merge("carl", "carla")
	assert.ErrorIs(t, d.refuses(toConversation(id), convo.Reopen{By: agentAna}),
		convo.ErrActiveExists)
	d.do(toContact("carla"), convo.Close{By: agentAna})
	r := d.do(toConversation(id), convo.Reopen{By: agentAna})
	assert.Equal(t, "carl", r.Contact.ID)
	assert.Equal(t, "carl", r.Conversation.Contact)
	assert.Equal(t, "carla", r.Conversation.Origin)
	assert.Equal(t, id, d.latest("carl"))
}

func TestCommandsToTheSecondaryReachThePrimary(t *testing.T) {
	d := openDesk(t)
	d.do(convo.Ref{Workspace: tenant, Contact: "carla",
		Address: convo.Address{Channel: "email", Value: "c@x"}}, convo.Receive{Body: "hi"})
	d.do(toContact("carl"), convo.Open{By: agentAna})
	d.merge("carl", "carla")
	active := d.latest("carl")
	for _, to := range []convo.Ref{
		toContact("carla"), toAddress("email", "c@x"),
		{Workspace: tenant, Contact: "carl", Address: convo.Address{Channel: "email",
			Value: "c@x"}},
		{Workspace: tenant, Contact: "carla", Address: convo.Address{Channel: "email",
			Value: "c@x"}},
		{Workspace: tenant, Contact: "carla", Address: convo.Address{Channel: "sms", Value: "+49"}},
	} {
		r := d.do(to, convo.Receive{Body: "me again"})
		assert.Equal(t, "carl", r.Contact.ID)
		assert.Equal(t, active, r.Conversation.ID)
		assert.Equal(t, convo.Actor{Type: convo.ActorContact, ID: "carl"},
			r.Events[len(r.Events)-1].By)
	}
	addresses, err := d.Addresses(t.Context(), toContact("carla"))
	require.NoError(t, err)
	assert.ElementsMatch(t, []convo.Address{{Channel: "email", Value: "c@x"},
		{Channel: "sms", Value: "+49"}}, addresses)
	d.do(toContact("carla"), convo.Block{By: agentAna})
	assert.True(t, d.contact("carl").Blocked)
	assert.ErrorIs(t, d.refuses(toAddress("email", "c@x"), convo.Receive{Body: "buy"}),
		convo.ErrBlocked)
}

func TestChainsOfMergesLeadToTheRoot(t *testing.T) {
	d := openDesk(t)
	names := []string{"a", "b", "c", "d", "e"}
	for _, id := range names {
		d.do(toContact(id), convo.Receive{Body: "hi"})
		d.wait(time.Minute)
	}
	d.merge("b", "a")
	d.merge("c", "b")
	d.merge("e", "d")
	d.merge("c", "e")
	for _, id := range names {
		assert.Equal(t, "c", d.contact(id).ID)
	}
	all, err := d.Conversations(t.Context(), convo.Filter{Workspace: tenant, Contact: "a"})
	require.NoError(t, err)
	assert.Len(t, all, len(names))
	for _, c := range all {
		assert.Equal(t, "c", c.Contact)
	}
	_, err = d.Do(t.Context(), toContact("f"), convo.Open{By: agentAna})
	require.NoError(t, err)
	d.merge("a", "f") // into an alias is into its root
	assert.Equal(t, "c", d.contact("f").ID)
}

func TestRepeatingAMergeIsUnchanged(t *testing.T) {
	d := openDesk(t)
	for _, id := range []string{"a", "b", "c"} {
		d.do(toContact(id), convo.Receive{Body: "hi"})
	}
	d.merge("a", "b")
	d.merge("a", "c")
	before := dumpOf(t, d.store, tenant)
	for _, m := range [][2]string{
		{"a", "b"}, // again
		{"c", "b"}, // both are the same person already
		{"b", "c"},
	} {
		r := d.merge(m[0], m[1])
		assert.Equal(t, convo.OutcomeUnchanged, r.Outcome)
		assert.Empty(t, r.Events)
		assert.Equal(t, d.contact("a"), r.Primary)
	}
	assert.Equal(t, before, dumpOf(t, d.store, tenant))
}

func TestAContactCannotBeMergedIntoItself(t *testing.T) {
	d := openDesk(t)
	for _, id := range []string{"a", "b", "c"} {
		d.do(toContact(id), convo.Receive{Body: "hi"})
	}
	requireInvalid(t, "secondary", d.refusesMerge("a", "a"))
	d.merge("b", "a")
	requireInvalid(t, "primary", d.refusesMerge("a", "b")) // the opposite merge, too late
	d.merge("c", "b")
	requireInvalid(t, "primary", d.refusesMerge("a", "c"))
}

func TestAContactThatWasMergedElsewhereCannotBeMergedAgain(t *testing.T) {
	d := openDesk(t)
	for _, id := range []string{"a", "b", "c"} {
		d.do(toContact(id), convo.Receive{Body: "hi"})
	}
	d.merge("a", "b")
	err := d.refusesMerge("c", "b")
	assert.ErrorIs(t, err, convo.ErrMerged)
	var refused *convo.StateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "a", refused.Contact, "it says into whom")
	assert.Equal(t, convo.CommandName("merge"), refused.Command)
}

func TestAnUnknownContactCannotBeMerged(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("a"), convo.Receive{Body: "hi"})
	var refused *convo.StateError
	require.ErrorAs(t, d.refusesMerge("a", "nobody"), &refused)
	assert.ErrorIs(t, refused, convo.ErrNotFound)
	assert.Equal(t, "nobody", refused.Contact)
	_, err := d.Contact(t.Context(), toContact("nobody"))
	assert.ErrorIs(t, err, convo.ErrNotFound)
}

func TestAMergeMakesAPrimaryKnownThatWasNeverSeen(t *testing.T) {
	for _, policy := range []convo.Policy{{}, {Merge: convo.MergeTransfer}} {
		d := openDesk(t, convo.WithPolicy(policy))
		c := d.do(toContact("guest"), convo.Receive{Body: "hi"}).Conversation
		d.wait(time.Minute)
		r := d.merge("susan", "guest")
		assert.Equal(t, convo.OutcomeMerged, r.Outcome)
		assert.Equal(t, int64(1), r.Primary.Version)
		assert.Equal(t, morning.Add(time.Minute), r.Primary.CreatedAt)
		assert.Equal(t, "susan", d.get(c.ID).Contact)
		assert.Equal(t, "susan", d.contact("guest").ID)
		assert.Equal(t, policy.Merge == convo.MergeTransfer, d.get(c.ID).Status.Active())
	}
}

func TestAMergeWithABlockedContactGivesABlockedOne(t *testing.T) {
	for _, blocked := range []string{"a", "b", ""} {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"})
		d.do(toContact("b"), convo.Receive{Body: "hi"})
		if blocked != "" {
			d.do(toContact(blocked), convo.Block{By: agentAna})
		}
		d.merge("a", "b")
		assert.Equal(t, blocked != "", d.contact("b").Blocked, "the root's, by any id")
		if blocked == "" {
			continue
		}
		assert.ErrorIs(t, d.refuses(toContact("b"), convo.Receive{Body: "x"}), convo.ErrBlocked)
		d.do(toContact("b"), convo.Unblock{By: agentAna})
		d.do(toContact("b"), convo.Receive{Body: "x"})
	}
}

func TestAMergeIsInOrderOfTimeWithBothContacts(t *testing.T) {
	for _, last := range []string{"a", "b"} {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"})
		d.do(toContact("b"), convo.Receive{Body: "hi"})
		d.wait(time.Hour)
		d.do(toContact(last), convo.Receive{Body: "hi"})
		d.wait(time.Hour)
		merge := func(at time.Time) error {
			_, err := d.Merge(t.Context(), convo.Merge{Workspace: tenant, Primary: "a",
				Secondary: "b", By: agentAna, At: at})
			return err
		}
		assert.ErrorIs(t, merge(morning.Add(time.Hour-time.Microsecond)), convo.ErrOutOfOrder)
		require.NoError(t, merge(morning.Add(time.Hour)))
		assert.Equal(t, morning.Add(time.Hour),
			d.log(d.latest("b"))[0].At.Add(time.Hour))
	}
}

func TestAMergeIsStampedNoEarlierThanTheLastEvent(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("a"), convo.Receive{Body: "hi"})
	d.do(toContact("b"), convo.Receive{Body: "hi"})
	d.clock.Set(morning.Add(-time.Hour)) // another server, whose clock is slow
	assert.Equal(t, morning, d.merge("a", "b").Events[0].At)
}

func TestEventsAfterAMergeAreThePrimarys(t *testing.T) {
	d := openDesk(t, transfer)
	d.do(toContact("a"), convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	id := d.do(toContact("b"), convo.Receive{Body: "hi"}).Conversation.ID
	d.merge("a", "b")
	d.do(toConversation(id), convo.Note{By: agentAna, Body: "n"})
	var contacts []string
	for _, e := range d.log(id) {
		contacts = append(contacts, e.Contact)
	}
	assert.Equal(t, []string{"b", "b", "a", "a"}, contacts, "by the root at that time")
}

func TestOppositeMergesAtOnceLeaveOneRoot(t *testing.T) {
	for range 20 {
		d := openDesk(t)
		d.do(toContact("a"), convo.Receive{Body: "hi"})
		d.do(toContact("b"), convo.Receive{Body: "hi"})
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, m := range [][2]string{{"a", "b"}, {"b", "a"}} {
			wg.Go(func() {
				_, errs[i] = d.Merge(context.Background(),
					convo.Merge{Workspace: tenant, Primary: m[0], Secondary: m[1], By: agentAna})
			})
		}
		wg.Wait()
		require.True(t, (errs[0] == nil) != (errs[1] == nil), "one of them: %v", errs)
		require.Equal(t, d.contact("a"), d.contact("b"))
	}
}

// TestMessagesThatRaceWithAMergeAreNotLost lets a message arrive between the loading and the
// committing of a merge, and a merge between those of a message.
func TestMessagesThatRaceWithAMergeAreNotLost(t *testing.T) {
	for _, policy := range []convo.Policy{{}, {Merge: convo.MergeTransfer}} {
		for _, writer := range []string{"a", "b"} {
			for _, closed := range []bool{false, true} {
				for _, mergeFirst := range []bool{false, true} {
					s := shake(newStore())
					d := openDeskOn(t, s, convo.WithPolicy(policy))
					other, err := convo.New(s.Store, convo.WithPolicy(policy),
						convo.WithClock(d.clock))
					require.NoError(t, err)
					for _, id := range []string{"a", "b"} {
						d.do(toContact(id), convo.Receive{Body: "hi"})
						if closed {
							d.do(toContact(id), convo.Close{By: agentAna})
						}
					}
					merge := func(e *convo.Engine) {
						_, err := e.Merge(t.Context(),
							convo.Merge{Workspace: tenant, Primary: "a", Secondary: "b",
								By: agentAna})
						require.NoError(t, err)
					}
					write := func(e *convo.Engine) {
						_, err := e.Do(t.Context(), toContact(writer),
							convo.Receive{Body: "in between"})
						require.NoError(t, err)
					}
					first, second := write, merge
					if mergeFirst {
						first, second = merge, write
					}
					var once sync.Once
					s.before = func(call string, _ int) error {
						if call == "Commit" {
							once.Do(func() { first(other) })
						}
						return nil
					}
					second(d.Engine)
					all := dumpOf(t, d.store, tenant)
					all.verify(t)
					messages := 0
					for _, log := range all.Logs {
						for _, e := range log {
							if e.Row().Body == "in between" {
								messages++
							}
						}
					}
					require.Equal(t, 1, messages)
					require.Equal(t, "a", d.contact("b").ID)
				}
			}
		}
	}
}

func TestDecideMergeIsPureAndDeterministic(t *testing.T) {
	for _, policy := range []convo.Policy{{}, {Merge: convo.MergeTransfer}} {
		a, b := threadIn(t, convo.StateClosed), threadIn(t, convo.StatePending)
		b.Contact.ID, b.Conversation.Contact, b.Conversation.Origin = "dora", "dora", "dora"
		b.Conversation.ID = uuid.New()
		first := convo.MergeSide{Snapshot: a}
		second := convo.MergeSide{Snapshot: b, AllActive: []convo.Conversation{b.Conversation}}
		policies := func(convo.Conversation) *convo.Policy { return &policy }
		a2, b2, p2 := a, b, policy
		m := convo.Merge{Workspace: tenant, Primary: "carl", Secondary: "dora", By: agentAna}
		one, err := convo.DecideMerge(first, second, morning, policies, m)
		require.NoError(t, err)
		two, err := convo.DecideMerge(first, second, morning, policies, m)
		require.NoError(t, err)
		assert.Equal(t, one, two)
		assert.Equal(t, []any{a2, b2, p2}, []any{first.Snapshot, second.Snapshot, policy}, "what it is given is the caller's")

		assert.Empty(t, one.Primary.Events, "all events are in the secondary's change")
		assert.True(t, one.Primary.Contact.Action != convo.RowKept)
		assert.False(t, one.Primary.Conversation.Action != convo.RowKept)
		assert.True(t, one.Secondary.Contact.Action != convo.RowKept)
		assert.True(t, one.Secondary.Conversation.Action != convo.RowKept)
		assert.Equal(t, a.Contact.Version+1, one.Primary.Contact.Version)
		assert.Equal(t, a.Contact.Version, one.Primary.Contact.Expected)
		last := one.Secondary.Events[len(one.Secondary.Events)-1]
		assert.Equal(t, one.Primary.Contact.Version, last.Row().ContactSeq)
		assert.Equal(t, "carl", one.Secondary.Contact.MergedInto)

		// Both threads are what their events make of them.
		primary, secondary := a, b
		for _, e := range one.Secondary.Events {
			primary, secondary = convo.Apply(primary, e), convo.Apply(secondary, e)
		}
		assert.Equal(t, one.Primary.Contact.Contact, primary.Contact)
		assert.Equal(t, a.Conversation, primary.Conversation)
		secondary.Conversation.DueAt = one.Secondary.Conversation.DueAt
		assert.Equal(t, one.Secondary.Conversation.Conversation, secondary.Conversation)
		assert.Equal(t, one.Secondary.Contact.Contact, secondary.Contact)
		assert.Equal(t, a.Next, one.Secondary.Events[0].ID,
			"ids count up from the one given with the primary")
		assert.Less(t, one.Secondary.Events[0].ID.String(), last.ID.String())
	}
}

func TestDecideMergeValidates(t *testing.T) {
	_, err := convo.DecideMerge(convo.MergeSide{}, convo.MergeSide{}, morning, nil,
		convo.Merge{})
	requireInvalid(t, "workspace", err)
}

func TestDecideMergeTakesNoPolicyForTheDefaultOne(t *testing.T) {
	a, b := threadIn(t, convo.StateClosed), threadIn(t, convo.StateOpen)
	b.Contact.ID = "dora"
	m := convo.Merge{Workspace: tenant, Primary: "carl", Secondary: "dora", By: agentAna}
	first := convo.MergeSide{Snapshot: a}
	second := convo.MergeSide{Snapshot: b, AllActive: []convo.Conversation{b.Conversation}}
	want, err := convo.DecideMerge(first, second, morning,
		func(convo.Conversation) *convo.Policy { return &convo.Policy{} }, m)
	require.NoError(t, err)
	for _, policies := range []func(convo.Conversation) *convo.Policy{
		nil, func(convo.Conversation) *convo.Policy { return nil },
	} {
		got, err := convo.DecideMerge(first, second, morning, policies, m)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestAMergeByTheContactIsByThePrimary(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("a"), convo.Open{By: agentAna})
	d.do(toContact("b"), convo.Open{By: agentAna})
	r, err := d.Merge(t.Context(), convo.Merge{Workspace: "acme", Primary: "a", Secondary: "b",
		By: convo.ByContact()})
	require.NoError(t, err)
	for _, e := range r.Events {
		require.Equal(t, convo.Actor{Type: convo.ActorContact, ID: "a"}, e.By, "%s", e.Kind)
	}
}
