package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var readCases = []testCase{
	{
		"Load/gives an empty snapshot for what is not known",
		"Load answers with a Contact of Version 0 for an unknown contact or address, " +
			"and with ErrNotFound for a conversation",
		loadsTheUnknown,
	},
	{
		"Load/finds a snapshot by contact, by address, by both and by conversation",
		"Load returns the root contact that the Ref leads to, " +
			"and the conversation that it names or else the latest",
		loadsByAnyRef,
	},
	{
		"Load/says which other conversation is active",
		"Active is the contact's active conversation when it is another than Conversation",
		loadsTheOtherActive,
	},
	{
		"Load/follows merges to the root",
		"the contact is the root that the Ref leads to, however long the chain of merges",
		followsMerges,
	},
	{
		"Keys/returns those that are known",
		"Keys returns exactly what was committed, for the ids that are known",
		returnsKnownKeys,
	},
	{
		"Addresses/returns those of the contact and of all that were merged into it",
		"Addresses returns each address of a contact once, in its own workspace only",
		returnsAddresses,
	},
	{
		"Due/returns the earliest first, up to the limit and the time, of all workspaces",
		"Due returns up to limit conversations whose DueAt is not zero and not after before",
		returnsWhatIsDue,
	},
	{
		"Due/has a conversation once, and not after its timer is off",
		"Due goes by the DueAt that a conversation has now",
		returnsDueOnce,
	},
	{
		"Workspaces/see nothing of each other",
		"nothing is visible across workspaces, and the same ids may be in each",
		isolatesWorkspaces,
	},
	{
		"Contexts/stop every method when they are done",
		"a method whose context is done before it begins returns its error and changes nothing",
		honoursContexts,
	},
	{
		"Memory/is not shared with what the store returned",
		"what a store returns is the caller's",
		sharesNothingReturned,
	},
	{
		"Memory/is not shared with what was committed",
		"what is committed stays the caller's",
		sharesNothingCommitted,
	},
}

func loadsTheUnknown(s *suite) {
	known := s.do(from("a", "sms", "+1"), convo.Open{By: ana}).Contact
	for _, workspace := range []string{acme, "empty"} {
		for _, to := range []convo.Ref{
			convo.ToContact(workspace, "b"),
			convo.ToAddress(workspace, "sms", "+2"),
			{
				Workspace: workspace, Contact: "b",
				Address: convo.Address{Channel: "sms", Value: "+2"},
			},
		} {
			want := convo.Snapshot{
				Ref:     to,
				Contact: convo.Contact{Workspace: workspace, ID: to.Contact},
			}
			s.Equal(want, s.load(to))
		}
		_, err := s.store.Load(s.ctx, convo.ToConversation(workspace, uuid.New()))
		s.ErrorIs(err, convo.ErrNotFound)
		_, err = s.store.Conversation(s.ctx, workspace, uuid.New())
		s.ErrorIs(err, convo.ErrNotFound)
		s.Empty(s.events(convo.EventFilter{Workspace: workspace, Conversation: uuid.New()}))
		s.Empty(s.events(convo.EventFilter{Workspace: workspace, Contact: "b"}))
		s.Empty(s.list(convo.Filter{Workspace: workspace, Contact: "b"}))
		s.Empty(s.addresses(workspace, "b"))
		s.Empty(s.keys(workspace, convo.KeyID{ID: "k"}))
	}
	// An unknown contact with an address that somebody has, and the other way round.
	unknown, taken := convo.Contact{Workspace: acme, ID: "b"}, from("b", "sms", "+1")
	s.Equal(convo.Snapshot{Ref: taken, Contact: unknown, AddressOwner: known.ID}, s.load(taken))
	t := s.load(from("a", "sms", "+2"))
	s.Equal(known, t.Contact)
	s.Empty(t.AddressOwner)
}

func loadsByAnyRef(s *suite) {
	first := s.do(from("a", "sms", "+1"), convo.Open{By: ana}, convo.Close{By: ana})
	latest := s.do(to("a"), convo.Open{By: ana})
	s.do(from("b", "sms", "+2"), convo.Open{By: ana})
	want := convo.Snapshot{
		Contact: latest.Contact, Conversation: latest.Conversation, HasConversation: true,
	}
	for _, c := range []struct {
		to    convo.Ref
		owner string
	}{
		{to("a"), ""},
		{convo.ToAddress(acme, "sms", "+1"), "a"},
		{from("a", "sms", "+1"), "a"},
		{from("a", "sms", "+2"), "b"},
		{from("a", "sms", "+3"), ""},
		{convo.ToConversation(acme, latest.Conversation.ID), ""},
	} {
		want.Ref, want.AddressOwner = c.to, c.owner
		s.Equal(want, s.load(c.to))
	}
	s.Equal(
		first.Conversation,
		s.load(convo.ToConversation(acme, first.Conversation.ID)).Conversation,
	)
}

func loadsTheOtherActive(s *suite) {
	first := s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation.ID
	second := s.do(to("a"), convo.Open{By: ana}).Conversation.ID
	s.Equal(second, s.load(convo.ToConversation(acme, first)).Active)
	s.do(to("a"), convo.SetPending{By: ana})
	s.Equal(second, s.load(convo.ToConversation(acme, first)).Active, "a pending one is active too")
	s.Zero(s.load(convo.ToConversation(acme, second)).Active)
	s.do(to("a"), convo.Close{By: ana})
	s.Zero(s.load(convo.ToConversation(acme, first)).Active)

	s.do(convo.ToConversation(acme, first), convo.Reopen{By: ana})
	s.Equal(first, s.load(convo.ToConversation(acme, second)).Active)
	s.Equal(
		first,
		s.load(to("a")).Conversation.ID,
		"the latest is the one that was opened or reopened last",
	)
}

func followsMerges(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	names := []string{"a", "b", "c", "d", "e"}
	var all []convo.Address
	for _, id := range names {
		s.clock.add(time.Second)
		s.by(e, from(id, "sms", id), convo.Receive{ExternalID: id, Body: "hi"})
		if id != "a" && id != "d" {
			s.by(e, to(id), convo.Close{By: ana})
		}
		all = append(all, convo.Address{Channel: "sms", Value: id})
	}
	// a into b, d into e, then both trees into c: by the middle of the one and by the root of the
	// other.
	for _, m := range [][2]string{{"b", "a"}, {"e", "d"}, {"c", "b"}, {"a", "e"}} {
		s.clock.add(time.Second)
		s.merge(e, acme, m[0], m[1])
	}
	root := s.load(to("c")).Contact
	s.Empty(root.MergedInto)
	for _, id := range names {
		s.Equal(root, s.load(to(id)).Contact, id)
		t := s.load(convo.ToAddress(acme, "sms", id))
		s.Equal(root, t.Contact, id)
		s.Equal("c", t.AddressOwner, id)
		s.Equal("c", s.load(from("c", "sms", id)).AddressOwner, id)
	}
	s.ElementsMatch(all, s.addresses(acme, "c"))
	var origins []string
	active := 0
	for _, c := range s.list(convo.Filter{Workspace: acme, Contact: "c"}) {
		s.Equal("c", c.Contact)
		origins = append(origins, c.Origin)
		if c.Status.Active() {
			active++
			s.Equal("a", c.Origin, "the first active one moved, the second was closed")
		}
	}
	s.ElementsMatch(names, origins)
	s.Equal(1, active)
	// What is addressed to a merged contact reaches the root.
	r := s.by(e, to("d"), convo.Receive{Channel: "sms", ExternalID: "last", Body: "hi"})
	s.Equal("c", r.Contact.ID)
	s.Equal("c", r.Events[0].Contact)
	s.Equal("a", r.Conversation.Origin)
	s.by(e, to("e"), convo.Close{By: ana}, convo.Open{By: ana})
}

func returnsKnownKeys(s *suite) {
	var want []convo.Key
	for i := range 3 {
		ch := s.decide(to("a"),
			convo.Receive{
				Channel: "sms", Address: []string{"", "+1"}[i%2], ExternalID: fmt.Sprint(i),
				Body: "hi",
			},
			convo.Note{By: ana, Key: fmt.Sprint(i), Body: "one"},
			convo.Note{By: ana, Body: "two"})
		s.commit(ch)
		want = append(want, ch.Keys...)
	}
	s.Len(want, 6)
	asked := []convo.KeyID{
		{ID: "3"}, {Channel: "sms", Contact: "a", ID: "3"},
		{Channel: "mail", Contact: "a", ID: "1"},
		{Channel: "sms", ID: "1"}, {Channel: "sms", Contact: "b", ID: "1"},
	}
	s.Empty(s.keys(acme, asked...))
	s.Empty(s.keys(acme))
	for _, k := range want {
		s.Equal([]convo.Key{k}, s.keys(acme, k.KeyID))
		asked = append(asked, k.KeyID)
	}
	s.ElementsMatch(want, s.keys(acme, asked...))
}

func returnsAddresses(s *suite) {
	both := convo.Address{Channel: "sms", Value: "+1"}
	s.do(from("a", "sms", "+1"), convo.Open{By: ana})
	s.do(from("a", "mail", "+1"), convo.LinkAddress{By: ana})
	s.do(from("b", "sms", "+2"), convo.Open{By: ana})
	s.do(convo.Ref{Workspace: "other", Contact: "a", Address: both}, convo.Open{By: ana})
	s.ElementsMatch([]convo.Address{both, {Channel: "mail", Value: "+1"}}, s.addresses(acme, "a"))
	s.merge(s.engine, acme, "b", "a")
	s.ElementsMatch(
		[]convo.Address{both, {Channel: "mail", Value: "+1"}, {Channel: "sms", Value: "+2"}},
		s.addresses(acme, "b"),
	)
	s.ElementsMatch([]convo.Address{both}, s.addresses("other", "a"))
}

func returnsWhatIsDue(s *suite) {
	s.Empty(s.due(farAway, 10))
	now := s.clock.Now()
	want := make([]convo.Ref, 10)
	for _, i := range []int{7, 3, 0, 9, 5, 1, 8, 2, 6, 4} {
		workspace := fmt.Sprint("workspace ", i%3)
		r := s.do(
			convo.ToContact(workspace, fmt.Sprint("contact ", i)),
			convo.Open{By: ana},
			convo.SetPending{By: ana, Until: now.Add(time.Duration(i+1) * time.Microsecond)},
		)
		want[i] = convo.ToConversation(workspace, r.Conversation.ID)
	}
	s.do(to("never"), convo.Open{By: ana}, convo.SetPending{By: ana})
	for i := range want {
		until := now.Add(time.Duration(i+1) * time.Microsecond)
		s.Equal(want[:i+1], s.due(until, convo.MaxPageSize), "before is inclusive")
		s.Equal(want[:i+1], s.due(farAway, i+1), "limit")
	}
	s.Empty(s.due(now, 10))
}

func returnsDueOnce(s *suite) {
	at := func(d time.Duration) time.Time { return s.clock.Now().Add(d) }
	due := func(want ...convo.Ref) {
		s.Equal(want, append([]convo.Ref(nil), s.due(farAway, 10)...))
	}
	r := s.do(to("a"), convo.Open{By: ana}, convo.SetPending{By: ana, Until: at(time.Hour)})
	a := convo.ToConversation(acme, r.Conversation.ID)
	for _, d := range []time.Duration{time.Minute, 30 * time.Second, time.Minute, time.Second} {
		s.do(to("a"), convo.SetPending{By: ana, Until: at(d)})
		due(a)
	}
	s.Empty(s.due(at(time.Second-time.Microsecond), 10))
	r = s.do(to("b"), convo.Open{By: ana}, convo.SetPending{By: ana, Until: at(2 * time.Second)})
	b := convo.ToConversation(acme, r.Conversation.ID)
	due(a, b)
	s.do(to("a"), convo.Close{By: ana})
	due(b)
	s.do(to("a"), convo.Reopen{By: ana}, convo.SetPending{By: ana, Until: at(3 * time.Second)})
	due(b, a)
	s.do(to("b"), convo.Close{By: ana}, convo.Open{By: ana})
	due(a)
	s.merge(s.engine, acme, "b", "a") // closes a's
	due()
}

func isolatesWorkspaces(s *suite) {
	const one, two = "workspace 1", "workspace 2"
	start := s.clock.now.Load()
	var first string
	for _, workspace := range []string{one, two} {
		s.clock.now.Store(start)
		var n uint64
		s.story(workspace, convo.WithIDs(func() uuid.UUID { // the same ids in both
			n += 1000
			return uuid.UUID{6: 0x70, 8: 0x80, 14: byte(n >> 8), 15: byte(n)}
		}))
		if first == "" {
			first = s.picture(one)
		}
	}
	s.Equal(first, s.picture(one))
	s.Equal(strings.ReplaceAll(first, one, two), s.picture(two))
	for _, c := range s.list(convo.Filter{Workspace: two}) {
		if c.Status.Active() {
			s.do(convo.ToConversation(two, c.ID), convo.Close{By: ana})
		}
	}
	s.Equal(first, s.picture(one))

	// What is only in one is nowhere else, by whatever way one looks.
	r := s.do(
		convo.Ref{
			Workspace: one,
			Contact:   "only",
			Address:   convo.Address{Channel: "sms", Value: "only"},
		},
		convo.Receive{ExternalID: "only", Key: "only", Body: "hi"},
	)
	id := r.Conversation.ID
	for _, other := range []string{two, "workspace 3"} {
		_, err := s.store.Load(s.ctx, convo.ToConversation(other, id))
		s.ErrorIs(err, convo.ErrNotFound)
		_, err = s.store.Conversation(s.ctx, other, id)
		s.ErrorIs(err, convo.ErrNotFound)
		s.Zero(s.load(convo.ToContact(other, "only")).Contact.Version)
		s.Zero(s.load(convo.ToAddress(other, "sms", "only")).Contact.Version)
		s.NotContains(ids(s.list(convo.Filter{Workspace: other})), id)
		s.Empty(s.list(convo.Filter{Workspace: other, Contact: "only"}))
		s.Empty(s.events(convo.EventFilter{Workspace: other, Conversation: id}))
		s.Empty(s.events(convo.EventFilter{Workspace: other, Contact: "only"}))
		s.Empty(s.events(convo.EventFilter{Workspace: other, OwnLog: "only"}))
		s.Empty(s.keys(other, convo.KeyID{Channel: "sms", Address: "only", Contact: "only",
			ID: "only"}, convo.KeyID{ID: "only"}))
		s.Empty(s.addresses(other, "only"))
		s.Empty(s.lastMessages(other, []uuid.UUID{id}))
	}
	s.Empty(s.counts("workspace 3"))
}

func honoursContexts(s *suite) {
	s.story(acme)
	c := s.list(convo.Filter{Workspace: acme})[0]
	change := s.decide(from("new", "sms", "new"), convo.Receive{ExternalID: "new", Body: "hi"})
	cancelled, cancel := context.WithCancel(s.ctx)
	cancel()
	late, cancel := context.WithDeadline(s.ctx, time.Unix(0, 0))
	defer cancel()
	for _, done := range []context.Context{cancelled, late} {
		for name, call := range map[string]func() error{
			"Load": func() error {
				_, err := s.store.Load(done, to(c.Contact))
				return err
			},
			"Commit": func() error { return s.store.Commit(done, change) },
			"Conversation": func() error {
				_, err := s.store.Conversation(done, acme, c.ID)
				return err
			},
			"Conversations": func() error {
				_, err := s.store.Conversations(done, convo.Filter{Workspace: acme, Limit: 1})
				return err
			},
			"Events": func() error {
				f := convo.EventFilter{Workspace: acme, Conversation: c.ID, Limit: 1}
				_, err := s.store.Events(done, f)
				return err
			},
			"Due": func() error {
				_, err := s.store.Due(done, convo.DueQuery{Before: farAway, Limit: 1})
				return err
			},
			"Keys": func() error {
				_, err := s.store.Keys(done, acme, convo.KeyID{ID: "k"})
				return err
			},
			"Addresses": func() error {
				_, err := s.store.Addresses(done, acme, c.Contact)
				return err
			},
			"ClosedCycles": func() error {
				_, err := s.store.ClosedCycles(done, acme, c.ID)
				return err
			},
			"Counts": func() error {
				_, err := s.store.Counts(done, acme)
				return err
			},
			"LastMessages": func() error {
				_, err := s.store.LastMessages(done, acme, []uuid.UUID{c.ID})
				return err
			},
			"Event": func() error {
				_, _, err := s.store.Event(done, acme, c.Contact, c.ID)
				return err
			},
			"Deliver": func() error {
				_, err := s.store.Deliver(done, acme, s.clock.Now(),
					[]convo.Delivery{receipt("1", convo.DeliverySent)})
				return err
			},
			"Deliveries": func() error {
				_, err := s.store.Deliveries(done, acme, []convo.KeyID{{Channel: "c", ID: "1"}})
				return err
			},
			"ClosedBefore": func() error {
				_, _, err := s.store.ClosedBefore(done,
					convo.ClosedQuery{Before: farAway, Limit: 1})
				return err
			},
			"RemoveConversation": func() error {
				return s.store.RemoveConversation(done, acme, uuid.New(), 1)
			},
			"ForgetKeys": func() error {
				_, _, err := s.store.ForgetKeys(done, farAway, convo.KeyPlace{}, 1)
				return err
			},
			"ForgetDeliveries": func() error {
				_, err := s.store.ForgetDeliveries(done, farAway, 1)
				return err
			},
		} {
			s.unchanged(func() { s.ErrorIs(call(), done.Err(), name) })
		}
	}
	s.commit(change)
}

func sharesNothingReturned(s *suite) {
	s.story(acme)
	s.unchanged(func() {
		v := s.look(acme)
		for _, events := range v.Events {
			spoil(events)
		}
		for _, addresses := range v.Addresses {
			clear(addresses)
		}
		clear(v.Conversations)
		clear(v.Keys)
		clear(v.Due)
	})
}

func sharesNothingCommitted(s *suite) {
	ch := s.decide(from("a", "sms", "+1"),
		convo.Receive{ExternalID: "m1", Body: "hi", Attachments: json.RawMessage(`["photo.png"]`)},
		convo.Close{By: ana}, convo.Open{By: ana, Key: "k"})
	s.Len(ch.Earlier, 1)
	changes := []convo.Change{ch}
	s.commit(changes...)
	s.unchanged(func() {
		spoil(ch.Events)
		clear(ch.Earlier)
		clear(ch.Keys)
		clear(changes)
	})
}
