package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const unmergeRule = "an unmerge gives a contact back what it owns, and leaves the rest to the root"

var unmergedCases = []testCase{
	{"Unmerge/gives each contact its own again", unmergeRule, unmergesTwo},
	{"Unmerge/takes out a contact with those merged into it", unmergeRule, unmergesAChain},
	{"Unmerge/takes active conversations along", unmergeRule, unmergesActive},
	{
		"Unmerge/ends a block that came by the merge",
		"a block that came by a merge ends with its unmerge, unless somebody has set it since",
		unmergesBlocks,
	},
	{
		"Unmerge/takes along what was said of a quiet message while it held",
		"what is said of a message belongs to the log that has it",
		unmergesOwnLogs,
	},
	{"Unmerge/refuses what is stale", unmergeRule, refusesAStaleUnmerge},
	{"Unmerge/races with messages to both", unmergeRule, racesOfUnmergeAndReceive},
}

func (s *suite) unmerge(contact string) convo.UnmergeResult {
	r, err := s.engine.Unmerge(s.ctx, convo.Unmerge{Workspace: acme, Contact: contact, By: ana})
	s.NoError(err)
	s.shows(r.Contact, convo.Conversation{}, r.Events)
	if r.Outcome == convo.OutcomeUnmerged {
		s.Equal(r.Root, s.load(to(r.Root.ID)).Contact)
	}
	for _, c := range r.Conversations {
		s.shows(r.Contact, c, nil)
	}
	return r
}

// owned are the conversations of a contact, by id, with whom each is of.
func (s *suite) owned(contact string) map[uuid.UUID]string {
	all := map[uuid.UUID]string{}
	for _, c := range s.list(convo.Filter{Workspace: acme, Contact: contact}) {
		all[c.ID] = c.Origin
	}
	return all
}

func unmergesTwo(s *suite) {
	name := "Bea"
	a := from("a", "sms", "+1")
	b := from("b", "mail", "b@example.com")
	s.do(a, convo.Receive{ExternalID: "1", Body: "hi"})
	s.do(b, convo.Receive{ExternalID: "1", Body: "hi"}, convo.Close{By: ana})
	s.do(b, convo.Receive{ExternalID: "2", Body: "again"}, convo.SetProfile{
		By: ana, Name: &name, Attributes: json.RawMessage(`{"a":1}`),
	})
	before := map[string]map[uuid.UUID]string{"a": s.owned("a"), "b": s.owned("b")}
	s.merge(s.engine, acme, "a", "b")
	s.do(to("b"), convo.Receive{Body: "to the root"})
	s.do(from("a", "web", "7"), convo.Receive{Body: "by another address"})
	r := s.unmerge("b")
	s.Equal(convo.OutcomeUnmerged, r.Outcome)
	s.Equal(name, r.Contact.Name)
	s.Equal("a", r.Root.ID)
	s.Empty(r.Contact.Parent)
	s.Equal(before, map[string]map[uuid.UUID]string{"a": s.owned("a"), "b": s.owned("b")})
	s.ElementsMatch([]convo.Address{b.Address}, s.addresses(acme, "b"))
	s.ElementsMatch([]convo.Address{a.Address, {Channel: "web", Value: "7"}},
		s.addresses(acme, "a"))
	s.Equal("b", s.load(convo.ToAddress(acme, "mail", "b@example.com")).Contact.ID)
	for _, ref := range []convo.Ref{a, b} {
		s.Equal(convo.OutcomeDuplicate,
			s.doAgain(ref, convo.Receive{ExternalID: "1", Body: "hi"}), "%v", ref)
	}
	s.Equal(convo.OutcomeUnchanged, s.unmerge("b").Outcome)
	s.Equal(convo.OutcomeUnchanged, s.unmerge("a").Outcome)
	_, err := s.engine.Unmerge(s.ctx, convo.Unmerge{Workspace: acme, Contact: "c", By: ana})
	s.ErrorIs(err, convo.ErrNotFound)
	s.Equal(convo.OutcomeOpened, s.do(to("b"), convo.Receive{Body: "of my own"}).Outcome)
	s.merge(s.engine, acme, "b", "a") // the other way round
	s.Equal("b", s.load(a).Contact.ID)
}

// doAgain is what comes of a repetition.
func (s *suite) doAgain(to convo.Ref, cmd convo.Command) (o convo.Outcome) {
	s.unchanged(func() {
		r, err := s.engine.Do(s.ctx, to, cmd)
		s.NoError(err)
		o = r.Outcome
	})
	return o
}

func unmergesAChain(s *suite) {
	for _, k := range []string{"a", "b", "c", "d"} {
		s.do(from(k, "sms", k), convo.Receive{Body: "hi"}, convo.Close{By: ana})
		s.clock.add(time.Minute)
	}
	s.merge(s.engine, acme, "b", "a")
	s.merge(s.engine, acme, "c", "b")
	s.merge(s.engine, acme, "d", "c")
	s.Len(s.owned("d"), 4)
	later := s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation
	s.Equal("d", later.Origin)

	s.unmerge("b") // takes a along
	s.Len(s.owned("b"), 2)
	s.Equal("b", s.load(to("a")).Contact.ID)
	s.Equal("d", s.load(to("c")).Contact.ID)
	s.Len(s.owned("d"), 3)
	s.Equal("b", s.load(convo.ToAddress(acme, "sms", "a")).Contact.ID)

	s.unmerge("a")
	s.unmerge("c")
	for _, k := range []string{"a", "b", "c"} {
		s.Len(s.owned(k), 1, k)
		s.Equal(k, s.load(convo.ToAddress(acme, "sms", k)).Contact.ID)
	}
	s.Len(s.owned("d"), 2)

	// An inner one goes, the outer ones stay.
	s.merge(s.engine, acme, "b", "a")
	s.merge(s.engine, acme, "c", "b")
	s.unmerge("a")
	s.Equal("a", s.load(to("a")).Contact.ID)
	s.Equal("c", s.load(to("b")).Contact.ID)
}

func unmergesActive(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	s.do(in("a", "x"), convo.Open{By: ana})
	b := s.do(in("b", "y"), convo.Receive{Body: "hi"}).Conversation
	old := s.do(in("b", "z"), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	s.merge(e, acme, "a", "b")
	s.do(in("a", "y"), convo.Receive{Body: "between"})
	s.do(convo.ToConversation(acme, old.ID), convo.Reopen{By: ana})
	stale := s.decide(in("a", "y"), convo.Assign{By: ana, Assignee: "ana"})
	r := s.unmerge("b")
	s.Len(r.Conversations, 2)
	s.refused(s.store.Commit(s.ctx, stale), convo.ErrConflict)
	s.Equal(b.ID, s.load(in("b", "y")).Conversation.ID)
	s.Equal(convo.StatusOpen, s.load(in("b", "z")).Conversation.Status)
	s.Zero(s.load(in("a", "y")).Conversation)
	s.Equal(convo.OutcomeOpened, s.do(in("a", "y"), convo.Receive{Body: "hi"}).Outcome)
	s.Equal(convo.OutcomeRecorded, s.do(in("b", "y"), convo.Receive{Body: "hi"}).Outcome)
	s.Equal(convo.OutcomeRecorded, s.do(in("a", "x"), convo.Note{By: ana, Body: "hm"}).Outcome)
}

func unmergesBlocks(s *suite) {
	n := 0
	family := func() (root, first, second string) {
		n++
		root, first, second = fmt.Sprint("root ", n), fmt.Sprint("x ", n), fmt.Sprint("y ", n)
		for _, k := range []string{root, first, second} {
			s.do(to(k), convo.Open{By: ana}, convo.Close{By: ana})
		}
		return root, first, second
	}
	blocked := func(k string) bool { return s.load(to(k)).Contact.Blocked }

	root, x, y := family() // both come blocked: it lasts until the second one goes
	for _, k := range []string{x, y} {
		s.do(to(k), convo.Block{By: ana})
		s.merge(s.engine, acme, root, k)
	}
	s.True(blocked(root))
	s.unmerge(x)
	s.True(blocked(root))
	s.True(blocked(x))
	s.unmerge(y)
	s.False(blocked(root))
	s.True(blocked(y))

	root, x, _ = family() // somebody blocks the root since
	s.do(to(x), convo.Block{By: ana})
	s.merge(s.engine, acme, root, x)
	s.Equal(convo.OutcomeBlocked, s.do(to(root), convo.Block{By: ana}).Outcome)
	s.unmerge(x)
	s.True(blocked(root))
	s.True(blocked(x))

	root, x, y = family() // somebody unblocks it since, and another one comes blocked
	s.do(to(x), convo.Block{By: ana})
	s.merge(s.engine, acme, root, x)
	s.do(to(root), convo.Unblock{By: ana})
	s.do(to(y), convo.Block{By: ana})
	s.merge(s.engine, acme, root, y)
	s.unmerge(y)
	s.False(blocked(root))
	s.unmerge(x)
	s.False(blocked(root))
	s.True(blocked(x), "as it was before")

	root, x, y = family() // a chain: the inner one goes, then the outer one
	s.do(to(y), convo.Block{By: ana})
	s.merge(s.engine, acme, x, y)
	s.merge(s.engine, acme, root, x)
	s.True(blocked(root))
	s.unmerge(y)
	s.False(blocked(root))
	s.True(blocked(y))
	s.unmerge(x)
	s.False(blocked(x), "who blocked it has left")
}

func unmergesOwnLogs(s *suite) {
	quiet := convo.Receive{Channel: "web", Quiet: true, ExternalID: "1", Body: "My card is 4711"}
	s.do(to("a"), convo.Open{By: ana})
	message := s.do(to("b"), quiet).Events[0]
	s.merge(s.engine, acme, "a", "b")
	s.do(to("a"), convo.Edit{By: ana, Message: message.ID, Body: "It is 4712"})
	s.do(to("a"), convo.Retract{By: ana, Message: message.ID, Redact: true})
	s.do(to("c"), convo.Open{By: ana})
	s.merge(s.engine, acme, "c", "a")
	s.do(to("c"), convo.Retract{By: ana, Message: message.ID, Redact: true}) // unchanged
	s.unmerge("b")
	log := s.events(convo.EventFilter{Workspace: acme, OwnLog: "b"})
	s.Len(log, 5, "the message, the merge, two changes, the unmerge")
	shown := convo.Messages(log)
	s.Len(shown, 1)
	s.True(shown[0].Redacted)
	s.Empty(shown[0].Body)
	s.Equal(convo.OutcomeUnchanged,
		s.do(to("b"), convo.Edit{By: ana, Message: message.ID, Body: "again"}).Outcome)
}

func refusesAStaleUnmerge(s *suite) {
	stale := func(contact string) []convo.Change {
		root := convo.MergeSide{Snapshot: s.load(to(contact))}
		root.Next = uuid.Must(uuid.NewV7())
		family, err := s.store.Family(s.ctx, acme, root.Contact.ID)
		s.NoError(err)
		for _, k := range family {
			s.Equal(root.Contact.ID, k.MergedInto)
		}
		d, err := convo.DecideUnmerge(root, family, s.clock.Now(), convo.Unmerge{
			Workspace: acme, Contact: contact, By: ana,
		})
		s.NoError(err)
		s.Equal(convo.OutcomeUnmerged, d.Outcome)
		return []convo.Change{d.Contact, d.Root}
	}
	for i, meanwhile := range []func(root, x, other string){
		func(root, _, _ string) { s.do(to(root), convo.Open{By: ana}) },
		func(_, x, _ string) { s.do(to(x), convo.Block{By: ana}) },
		func(root, _, other string) { s.merge(s.engine, acme, other, root) },
		func(root, _, other string) { s.merge(s.engine, acme, root, other) },
		func(_, x, _ string) { s.unmerge(x) },
	} {
		n := fmt.Sprint(" ", i)
		root, x, other := "root"+n, "x"+n, "other"+n
		for _, k := range []string{root, x, other} {
			s.do(to(k), convo.Open{By: ana}, convo.Close{By: ana})
		}
		s.merge(s.engine, acme, root, x)
		changes := stale(x)
		meanwhile(root, x, other)
		s.unchanged(func() { s.refused(s.store.Commit(s.ctx, changes...), convo.ErrConflict) })
	}
}

func racesOfUnmergeAndReceive(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	for round := range 2 * rounds {
		n := fmt.Sprint(" ", round)
		names := [...]string{"a" + n, "b" + n}
		lanes := [...]string{"x", []string{"x", "y"}[round%2]}
		for i, k := range names {
			s.do(in(k, lanes[i]), convo.Receive{Body: "hi"})
			if i == 0 && round&2 > 0 {
				s.do(in(k, lanes[i]), convo.Close{By: ana})
			}
		}
		s.merge(e, acme, names[0], names[1])
		got := s.raced(func(i int) (convo.Outcome, error) {
			if i == racers/2 {
				r, err := s.engine.Unmerge(s.ctx, convo.Unmerge{
					Workspace: acme, Contact: names[1], By: ana,
				})
				return r.Outcome, err
			}
			_, err := s.engine.Do(s.ctx, in(names[i%2], lanes[i/2%2]), convo.Receive{Body: "hi"})
			return "received", err
		})
		s.Equal(map[string]int{"unmerged": 1, "received": racers - 1}, got)
		s.Equal(2+racers-1, s.messages(names[0])+s.messages(names[1]))
		s.Equal(names[1], s.load(to(names[1])).Contact.ID)
	}
}
