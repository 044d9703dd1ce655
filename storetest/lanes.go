package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const onePerLane = "a contact has at most one active conversation in each lane"

var laneCases = []testCase{
	{"Lanes/keep a contact's conversations apart", onePerLane, lanesAreApart},
	{"Lanes/refuse a second active conversation in each", onePerLane, lanesRefuseASecond},
	{
		"Lanes/have their own latest conversation",
		"a lane's latest conversation is the active one, else the one that was opened last",
		lanesHaveALatest,
	},
	{"Lanes/are listed", "Filter picks by lane", lanesAreListed},
	{
		"Lanes/are loaded together",
		"Snapshots is Load of each Ref",
		lanesAreLoadedTogether,
	},
	{
		"Lanes/are merged one by one",
		"a merge closes or moves each active conversation by the policy of its own lane",
		lanesAreMerged,
	},
	{"Lanes/refuse a merge that would make two active ones", onePerLane, lanesRefuseAMerge},
	{"Lanes/have histories imported", "a history is imported into its lane", lanesAreImported},
	{"Lanes/bound a merge", "a merge of too many active ones writes nothing", lanesBoundAMerge},
	{"Lanes/race to open in one and in two", onePerLane, lanesRaceToOpen},
	{"Lanes/race to merge while both contacts write", onePerLane, lanesRaceToMerge},
}

func in(contact, lane string) convo.Ref { return to(contact).In(lane) }

func lanesAreApart(s *suite) {
	first := s.do(to("a"), convo.Receive{Channel: "sms", Body: "hi"})
	s.True(first.Conversation.NewContact)
	orders := s.do(in("a", "orders"), convo.Receive{Channel: "mail", Body: "Where is it?"})
	s.Equal(convo.OutcomeOpened, orders.Outcome)
	s.Equal("orders", orders.Conversation.Lane)
	s.False(orders.Conversation.NewContact, "the contact has another one")
	other := s.do(in("a", "Orders"), convo.Open{By: ana}).Conversation
	s.Equal("Orders", other.Lane, "lanes are compared byte for byte")
	for lane, c := range map[string]convo.Conversation{
		"": first.Conversation, "orders": orders.Conversation, "Orders": other,
	} {
		s.Equal(c, s.load(in("a", lane)).Conversation)
		s.Equal(c.ID, s.do(in("a", lane), convo.Receive{Body: "again"}).Conversation.ID)
		s.Zero(s.load(convo.ToConversation(acme, c.ID)).Active, "no other one is active in it")
	}
	empty := s.load(in("a", "none"))
	s.Zero(empty.Conversation)
	s.True(empty.HasConversation)
	s.False(s.load(to("nobody")).HasConversation)

	s.do(in("a", "orders"), convo.Close{By: ana})
	s.Equal(convo.StatusOpen, s.load(to("a")).Conversation.Status)
	again := s.do(convo.ToConversation(acme, orders.Conversation.ID), convo.Open{By: ana})
	s.Equal("orders", again.Conversation.Lane, "in the lane of the one that was named")
	s.refusedFor(convo.ErrActiveExists, func() error {
		_, err := s.engine.Do(s.ctx, convo.ToConversation(acme, orders.Conversation.ID),
			convo.Reopen{By: ana})
		return err
	})
}

func (s *suite) refusedFor(want error, f func() error) {
	s.unchanged(func() { s.ErrorIs(f(), want) })
}

func lanesRefuseASecond(s *suite) {
	for _, lane := range []string{"", "orders"} {
		contact := "a" + lane
		s.do(in(contact, lane), convo.Open{By: ana}, convo.Close{By: ana})
		stale := s.decide(in(contact, lane), convo.Open{By: ana})
		s.do(in(contact, lane), convo.Open{By: ana})
		stale.Contact.Version++ // as if nothing had come in between
		stale.Contact.Expected++
		s.unchanged(func() { s.refused(s.store.Commit(s.ctx, stale), convo.ErrActiveExists) })
		other := s.decide(in(contact, "other"), convo.Open{By: ana})
		s.commit(other)
	}
}

func lanesHaveALatest(s *suite) {
	var ids []uuid.UUID
	for _, lane := range []string{"x", "y", "x"} {
		r := s.do(in("a", lane), convo.Open{By: ana}, convo.Close{By: ana})
		ids = append(ids, r.Conversation.ID)
		s.clock.add(time.Minute)
	}
	s.Equal(ids[2], s.load(in("a", "x")).Conversation.ID)
	s.Equal(ids[1], s.load(in("a", "y")).Conversation.ID)
	s.do(convo.ToConversation(acme, ids[0]), convo.Reopen{By: ana})
	s.Equal(ids[0], s.load(in("a", "x")).Conversation.ID, "the active one")
	s.do(in("a", "x"), convo.Close{By: ana})
	s.Equal(ids[0], s.load(in("a", "x")).Conversation.ID, "its last cycle was opened last")
	s.Equal(ids[1], s.load(in("a", "y")).Conversation.ID)

	// Of two that were opened at one moment, the one with the greater id.
	first := s.do(in("b", "x"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation.ID
	second := s.do(in("b", "x"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation.ID
	want := first
	if second.String() > first.String() {
		want = second
	}
	s.Equal(want, s.load(in("b", "x")).Conversation.ID)
	s.merge(s.engine, acme, "a", "b")
	s.Equal(want, s.load(in("a", "x")).Conversation.ID, "of both contacts")
	s.Equal(ids[1], s.load(in("b", "y")).Conversation.ID)
}

func lanesAreListed(s *suite) {
	want := map[string][]uuid.UUID{}
	for i := range 7 {
		lane := []string{"", "x", "y"}[i%3]
		c := s.do(in(fmt.Sprint("contact ", i), lane), convo.Open{By: ana}).Conversation
		if i%2 == 0 {
			s.do(convo.ToConversation(acme, c.ID), convo.Close{By: ana})
		}
		want[lane] = append([]uuid.UUID{c.ID}, want[lane]...)
		s.clock.add(time.Second)
	}
	for lane, ids := range want {
		f := convo.Filter{Workspace: acme, Lane: lane, NoLane: lane == "", Limit: 2}
		var got []uuid.UUID
		for c, err := range s.engine.AllConversations(s.ctx, f) {
			s.NoError(err)
			got = append(got, c.ID)
		}
		s.Equal(ids, got, "lane %q", lane)
		f.Limit, f.Status = 50, []convo.Status{convo.StatusOpen}
		for _, c := range s.list(f) {
			s.Equal(convo.StatusOpen, c.Status)
			s.Contains(ids, c.ID)
		}
		f.Contact = "contact 0"
		f.Status = nil
		s.Len(s.list(f), map[string]int{"": 1}[lane])
	}
	for _, c := range s.list(convo.Filter{Workspace: acme, Lane: "z"}) {
		s.Fail("listed", "%+v", c)
	}
}

func lanesAreLoadedTogether(s *suite) {
	mail := convo.ToAddress(acme, "mail", "a@example.com")
	s.do(mail.In("x"), convo.Receive{Body: "hi"})
	s.do(in("b", "y"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	s.do(in("c", "x"), convo.Receive{Body: "hi"})
	s.merge(s.engine, acme, "b", "c")
	refs := []convo.Ref{
		in("b", "x"), mail.In("x"), to("b"), in("b", "y"), mail, in("nobody", "x"), in("c", "x"),
		in("b", "x"),
	}
	all, err := s.store.Snapshots(s.ctx, refs)
	s.NoError(err)
	s.Len(all, len(refs))
	for i, ref := range refs {
		s.Equal(s.load(ref), all[i])
	}
}

func lanesAreMerged(s *suite) {
	moves := convo.Policy{Merge: convo.MergeTransfer}
	e := s.with(convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
		s.Equal(acme, of.Workspace)
		if of.Lane == "closes" {
			s.Equal("sms", of.Channel)
			return nil, nil
		}
		return &moves, nil
	}))
	ids := map[string]uuid.UUID{}
	s.do(in("p", "taken"), convo.Open{By: ana})
	for _, lane := range []string{"taken", "moves", "closes", ""} {
		r := s.do(in("q", lane), convo.Receive{Channel: "sms", Body: "hi"})
		ids[lane] = r.Conversation.ID
	}
	s.clock.add(time.Minute)
	s.do(in("q", "moves"), convo.Receive{Body: "later"})
	s.do(in("q", "ended"), convo.Open{By: ana}, convo.Close{By: ana})
	r, err := e.Merge(s.ctx, convo.Merge{Workspace: acme, Primary: "p", Secondary: "q", By: ana})
	s.NoError(err)
	s.Len(r.Conversations, 4)
	for _, c := range r.Conversations {
		s.Equal("p", c.Contact)
		s.Equal("q", c.Origin)
		moved := c.Lane == "moves" || c.Lane == ""
		s.Equal(moved, c.Status.Active(), "lane %q", c.Lane)
		s.Equal(ids[c.Lane], c.ID)
		stored := s.load(convo.ToConversation(acme, c.ID)).Conversation
		s.Equal(c, stored)
	}
	s.shows(r.Primary, convo.Conversation{}, r.Events)
	s.Equal("p", s.load(in("q", "taken")).Conversation.Origin)
	s.Equal(ids["moves"], s.load(in("p", "moves")).Conversation.ID)
}

func lanesRefuseAMerge(s *suite) {
	s.do(in("p", "x"), convo.Open{By: ana}, convo.Close{By: ana})
	s.do(in("q", "x"), convo.Open{By: ana}, convo.Close{By: ana})
	s.do(in("q", "y"), convo.Open{By: ana})
	stale := s.decideMerge("p", "q")
	s.do(convo.ToConversation(acme, s.load(in("p", "x")).Conversation.ID), convo.Reopen{By: ana})
	s.do(convo.ToConversation(acme, s.load(in("q", "x")).Conversation.ID), convo.Reopen{By: ana})
	for i := range stale { // as if nothing had come in between
		stale[i].Contact.Version++
		stale[i].Contact.Expected++
	}
	s.unchanged(func() { s.refused(s.store.Commit(s.ctx, stale...), convo.ErrActiveExists) })
}

func lanesAreImported(s *suite) {
	year := s.clock.Now().AddDate(-1, 0, 0)
	now := s.do(in("a", "x"), convo.Receive{Body: "hi"}).Conversation
	var hs []convo.History
	for i, lane := range []string{"x", "y", "", "y"} {
		key := fmt.Sprint("h", i)
		hs = append(hs, convo.History{
			Key: key, To: in("a", lane), Commands: past(year.Add(time.Duration(i)*time.Hour), key),
		})
	}
	s.imports(hs...)
	s.Equal(now, s.load(in("a", "x")).Conversation)
	s.Equal(year.Add(3*time.Hour), s.load(in("a", "y")).Conversation.CreatedAt)
	s.Equal(year.Add(2*time.Hour), s.load(to("a")).Conversation.CreatedAt)
	s.Len(s.list(convo.Filter{Workspace: acme, Contact: "a", Lane: "y"}), 2)
}

func lanesBoundAMerge(s *suite) {
	for i := range 3 {
		s.do(in("q", fmt.Sprint(i)), convo.Open{By: ana})
	}
	s.do(to("p"), convo.Open{By: ana})
	s.refusedFor(convo.ErrTooManyActive, func() error {
		_, err := s.racedMerge(s.with(convo.WithMaxMerged(2)), "p", "q")
		return err
	})
	// Only those that are changed count.
	some := s.with(
		convo.WithMaxMerged(3), convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	for i := range 5 {
		s.do(in("p", fmt.Sprint("other ", i)), convo.Open{By: ana})
	}
	_, err := s.racedMerge(some, "p", "q")
	s.NoError(err)
	unmerge := convo.Unmerge{Workspace: acme, Contact: "q", By: ana}
	s.refusedFor(convo.ErrTooManyActive, func() error {
		_, err := s.with(convo.WithMaxMerged(2)).Unmerge(s.ctx, unmerge)
		return err
	})
	_, err = some.Unmerge(s.ctx, unmerge)
	s.NoError(err)
}

func lanesRaceToOpen(s *suite) {
	for round := range rounds {
		contact := fmt.Sprint("contact ", round)
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			return in(contact, []string{"x", "y"}[i%2]), convo.Receive{Body: "hi"}
		})
		s.Equal(map[string]int{"opened": 2, "recorded": racers - 2}, got)
		s.Len(s.list(convo.Filter{Workspace: acme, Contact: contact}), 2)
		s.Equal(racers, s.messages(contact))
		s.Equal(racers/2, s.load(in(contact, "x")).Conversation.Cycle.Incoming)
	}
}

func lanesRaceToMerge(s *suite) {
	for round := range 2 * rounds {
		e := s.with(convo.WithPolicy(convo.Policy{
			Merge: []convo.MergeMode{convo.MergeClose, convo.MergeTransfer}[round%2],
		}))
		names := [...]string{fmt.Sprint("primary ", round), fmt.Sprint("secondary ", round)}
		lanes := [...]string{"x", "x"}
		if round&2 > 0 {
			lanes[1] = "y"
		}
		for i, contact := range names {
			s.do(in(contact, lanes[i]), convo.Receive{Body: "hi"})
		}
		got := s.raced(func(i int) (convo.Outcome, error) {
			if i == racers/2 {
				return s.racedMerge(e, names[0], names[1])
			}
			_, err := s.engine.Do(s.ctx, in(names[i%2], lanes[i/2%2]), convo.Receive{Body: "hi"})
			return "received", err
		})
		s.Equal(map[string]int{"merged": 1, "received": racers - 1}, got)
		s.Equal(names[0], s.load(to(names[1])).Contact.ID)
		s.Equal(2+racers-1, s.messages(names[0]))
	}
}
