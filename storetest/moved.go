package storetest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const moveRule = "a Move gives a conversation to another contact, lane or channel, and nothing else"

var movedCases = []testCase{
	{"Move/goes to a contact that is known, or not", moveRule, movesToContacts},
	{"Move/goes to another lane and channel", moveRule, movesToLanes},
	{"Move/refuses a place that is taken", onePerLane, movesNowhere},
	{"Move/refuses what is stale", moveRule, refusesAStaleMove},
	{"Move/stays through merges and unmerges", unmergeRule, movesAndUnmerges},
	{
		"Move/keeps the ids of messages that came by no address",
		"an external id is found under who owned the message, and who has its conversation",
		movesKeepIDs,
	},
	{"Move/gives each event of a contact a version", moveRule, movesAndLinks},
	{"Move/to another lane leaves a merged contact what it owns", moveRule, movesWithinMerged},
	{"Move/races with messages to both", onePerLane, racesOfMoveAndReceive},
	{"Move/races with openings where it goes", onePerLane, racesToMove},
}

func (s *suite) moves(to convo.Ref, m convo.Move) convo.Result {
	m.By = ana
	return s.do(to, m)
}

func movesToContacts(s *suite) {
	c := s.do(from("a", "mail", "a@x"), convo.Receive{ExternalID: "1", Body: "for b"}).Conversation
	old := s.do(to("a"), convo.Close{By: ana}, convo.Open{By: ana},
		convo.Close{By: ana}).Conversation
	s.clock.add(time.Minute)
	r := s.moves(convo.ToConversation(acme, c.ID), convo.Move{Contact: "b"})
	s.Equal(convo.OutcomeMoved, r.Outcome)
	s.Equal("b", r.Contact.ID)
	s.Equal("b", r.Conversation.Contact)
	s.Equal("b", r.Conversation.Origin)
	s.True(r.Conversation.NewContact, "it was decided once")
	s.Equal(map[uuid.UUID]string{c.ID: "b"}, s.owned("b"))
	s.Equal(map[uuid.UUID]string{old.ID: "a"}, s.owned("a"))
	s.Equal(old.ID, s.load(to("a")).Conversation.ID)
	log := s.events(convo.EventFilter{Workspace: acme, Conversation: c.ID})
	s.Equal("a", log[0].Contact, "what was said stays as it was")
	s.Equal("b", log[len(log)-1].Contact)
	s.Equal(convo.OutcomeDuplicate, s.doAgain(from("a", "mail", "a@x"),
		convo.Receive{ExternalID: "1", Body: "for b"}))
	s.Equal(convo.OutcomeReopened, s.do(to("b"), convo.Reopen{By: ana}).Outcome)
	s.Equal(c.ID, s.load(to("b")).Conversation.ID)

	active := s.do(to("c"), convo.Receive{Body: "hi"}).Conversation
	s.do(to("d"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	s.moves(to("c"), convo.Move{Contact: "d"})
	s.Equal(active.ID, s.do(to("d"), convo.Receive{Body: "on"}).Conversation.ID)
	opened := s.do(to("c"), convo.Receive{Body: "another"})
	s.Equal(convo.OutcomeOpened, opened.Outcome)
	s.True(opened.Conversation.NewContact, "it has none any more")
	s.Equal(convo.OutcomeUnchanged,
		s.moves(convo.ToConversation(acme, active.ID), convo.Move{Contact: "d"}).Outcome)
}

func movesToLanes(s *suite) {
	lane, channel, none := "orders", "mail", ""
	c := s.do(to("a"), convo.Receive{Channel: "sms", Body: "hi"},
		convo.Close{By: ana}, convo.Reopen{By: ana}).Conversation
	r := s.moves(to("a"), convo.Move{Lane: &lane, Channel: &channel})
	s.Equal("orders", r.Conversation.Lane)
	s.Equal("mail", r.Conversation.Channel)
	s.Equal(c.Contact, r.Conversation.Contact)
	s.Zero(s.load(to("a")).Conversation)
	s.Equal(c.ID, s.load(in("a", lane)).Conversation.ID)
	s.Len(s.list(convo.Filter{Workspace: acme, Channel: "mail", Lane: lane}), 1)
	s.Empty(s.list(convo.Filter{Workspace: acme, Channel: "sms"}))
	s.Empty(s.list(convo.Filter{Workspace: acme, NoLane: true}))
	s.do(in("a", lane), convo.Receive{Body: "again"}, convo.SetPending{By: ana})
	s.Equal(c.ID, s.moves(in("a", lane), convo.Move{Lane: &none, Channel: &none}).Conversation.ID)
	s.Equal(convo.StatusPending, s.load(to("a")).Conversation.Status)
	// A closed one makes way, and is the latest where it goes only if it was opened last.
	s.do(to("a"), convo.Close{By: ana})
	s.clock.add(time.Minute)
	later := s.do(in("a", lane), convo.Open{By: ana}, convo.Close{By: ana}).Conversation
	s.moves(to("a"), convo.Move{Lane: &lane})
	s.Equal(later.ID, s.load(in("a", lane)).Conversation.ID)
}

func movesNowhere(s *suite) {
	lane := "x"
	taken := s.do(to("b"), convo.Open{By: ana}).Conversation
	here := s.do(to("a"), convo.Open{By: ana}).Conversation
	there := s.do(in("a", lane), convo.Open{By: ana}).Conversation
	for other, m := range map[uuid.UUID]convo.Move{
		taken.ID: {By: ana, Contact: "b"}, there.ID: {By: ana, Lane: &lane},
	} {
		s.unchanged(func() {
			_, err := s.engine.Do(s.ctx, to("a"), m)
			s.ErrorIs(err, convo.ErrActiveExists)
			var refused *convo.StateError
			s.ErrorAs(err, &refused)
			s.Equal(other, refused.Active)
			s.Equal(here.ID, refused.Conversation)
		})
	}
	stale := s.decideMove("c", "d")
	s.do(to("d"), convo.Open{By: ana})
	stale.Contact.Version, stale.Contact.Expected = 2, 1 // as if nothing had come in between
	stale.Contact.Action = convo.RowUpdated
	s.unchanged(func() { s.refused(s.store.Commit(s.ctx, stale), convo.ErrActiveExists) })
}

// decideMove is what the engine would commit to move a conversation of a new contact.
func (s *suite) decideMove(contact, target string) convo.Change {
	s.do(to(contact), convo.Open{By: ana})
	t := s.load(to(contact))
	t.Target.Contact = s.load(to(target)).Contact
	return s.decideOn(t, convo.Move{By: ana, Contact: target})
}

func refusesAStaleMove(s *suite) {
	for i, meanwhile := range []func(contact, target string){
		func(contact, _ string) { s.do(to(contact), convo.Receive{Body: "hi"}) },
		func(contact, _ string) { s.do(to(contact), convo.Block{By: ana}) },
		func(_, target string) { s.do(to(target), convo.Open{By: ana}, convo.Close{By: ana}) },
		func(contact, _ string) { s.do(to(contact), convo.Close{By: ana}, convo.Open{By: ana}) },
	} {
		contact, target := fmt.Sprint("from ", i), fmt.Sprint("to ", i)
		if i > 1 {
			s.do(to(target), convo.Open{By: ana}, convo.Close{By: ana})
		}
		stale := s.decideMove(contact, target)
		meanwhile(contact, target)
		s.unchanged(func() { s.refused(s.store.Commit(s.ctx, stale), convo.ErrConflict) })
	}
}

func movesAndUnmerges(s *suite) {
	c := s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation
	for _, k := range []string{"b", "c"} {
		s.do(to(k), convo.Open{By: ana}, convo.Close{By: ana})
	}
	s.merge(s.engine, acme, "b", "a")
	s.moves(convo.ToConversation(acme, c.ID), convo.Move{Contact: "a"}) // who is b by now
	s.Equal("a", s.owned("b")[c.ID], "it is there")
	s.moves(convo.ToConversation(acme, c.ID), convo.Move{Contact: "c"})
	s.merge(s.engine, acme, "b", "c")
	s.unmerge("a")
	s.Empty(s.owned("a"))
	s.unmerge("c")
	s.Equal("c", s.owned("c")[c.ID])
	s.Len(s.owned("b"), 1)
}

// movesWithinMerged moves what a merged contact owns to another lane: that is still its own.
func movesWithinMerged(s *suite) {
	s.do(to("a"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	id := s.do(to("b"), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation.ID
	s.merge(s.engine, acme, "a", "b")
	lane := "orders"
	s.moves(convo.ToConversation(acme, id), convo.Move{By: ana, Lane: &lane})
	moved := s.load(convo.ToConversation(acme, id))
	s.Equal("a", moved.Contact.ID)
	s.Equal("b", moved.Conversation.Origin)
	s.do(convo.ToConversation(acme, id), convo.Reopen{By: ana}, convo.Send{By: ana, Body: "yes?"})
	s.unmerge("b")
	back := s.load(to("b").In(lane))
	s.Equal(id, back.Conversation.ID, "it is b's again")
	s.Equal(convo.StatusOpen, back.Conversation.Status)
	s.Equal(uuid.Nil, s.load(to("a").In(lane)).Conversation.ID)
}

func movesKeepIDs(s *suite) {
	hi := convo.Receive{Channel: "web", ExternalID: "1", Body: "hi"}
	c := s.do(to("a"), hi).Conversation
	sent := convo.Send{By: ana, Channel: "web", ExternalID: "2", Body: "hello"}
	conversation := convo.ToConversation(acme, c.ID)
	s.do(conversation, sent)
	s.moves(conversation, convo.Move{Contact: "b"})
	for _, ref := range []convo.Ref{to("a"), to("b"), conversation} {
		s.Equal(convo.OutcomeDuplicate, s.doAgain(ref, hi), "%v", ref)
		s.Equal(convo.OutcomeDuplicate, s.doAgain(ref, sent), "%v", ref)
	}
	edit := convo.Edit{By: ana, Channel: "web", ExternalID: "1", Body: "Hi"}
	s.Equal(convo.OutcomeEdited, s.do(to("b"), edit).Outcome)
	edit.Body = "Hi!"
	s.Equal(convo.OutcomeEdited, s.do(conversation, edit).Outcome)

	// The same after a merge and its undoing, of what was said while it held.
	e := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	s.do(to("root"), convo.Open{By: ana}, convo.Close{By: ana})
	c = s.do(to("k"), convo.Receive{Channel: "web", Body: "hi"}).Conversation
	s.merge(e, acme, "root", "k")
	hi.ExternalID = "3"
	s.Equal(c.ID, s.do(to("k"), hi).Conversation.ID)
	s.unmerge("k")
	s.Equal(convo.OutcomeDuplicate, s.doAgain(to("k"), hi))
	s.Equal(convo.OutcomeDuplicate, s.doAgain(convo.ToConversation(acme, c.ID), hi))
	edit.ExternalID = "3"
	s.Equal(convo.OutcomeEdited, s.do(to("k"), edit).Outcome)
	s.Equal(convo.OutcomeOpened, s.do(to("root"), hi).Outcome, "another one's message")

	// A host's key goes before an id: the same answer on every store.
	s.do(to("z"), convo.Receive{Channel: "web", ExternalID: "x", Body: "hi"})
	s.do(to("z"), convo.Label{By: ana, Key: "k", Add: []string{"vip"}})
	_, err := s.engine.Do(s.ctx, to("z"), convo.Receive{
		Channel: "web", ExternalID: "x", Key: "k", Body: "hi",
	})
	s.ErrorIs(err, convo.ErrKeyReused)
}

func movesAndLinks(s *suite) {
	lane := "b"
	s.do(to("a"), convo.Receive{Body: "hi"})
	r := s.moves(from("a", "web", "1"), convo.Move{Lane: &lane})
	s.Equal(int64(3), r.Contact.Version)
	s.moves(from("a", "web", "2").In(lane), convo.Move{Contact: "b"})
	s.Equal("a", s.load(convo.ToAddress(acme, "web", "2")).Contact.ID)
}

func racesOfMoveAndReceive(s *suite) {
	for round := range 2 * rounds {
		n := fmt.Sprint(" ", round)
		a, b := "a"+n, "b"+n
		c := s.do(to(a), convo.Receive{Body: "hi"}).Conversation
		if round%2 == 0 {
			s.do(to(b), convo.Receive{Body: "hi"}, convo.Close{By: ana})
		}
		got := s.raced(func(i int) (convo.Outcome, error) {
			if i == racers/2 {
				r, err := s.engine.Do(s.ctx, convo.ToConversation(acme, c.ID),
					convo.Move{By: ana, Contact: b})
				return r.Outcome, err
			}
			_, err := s.engine.Do(s.ctx, to([]string{a, b}[i%2]), convo.Receive{Body: "hi"})
			return "received", err
		}, convo.ErrActiveExists) // where b was faster
		s.Equal(racers-1, got["received"])
		s.Equal(1, got["moved"]+got[convo.ErrActiveExists.Error()])
		s.Equal(racers+1-round%2, s.messages(a)+s.messages(b))
	}
}

func racesToMove(s *suite) {
	for round := range rounds {
		target := fmt.Sprint("target ", round)
		var all []uuid.UUID
		for i := range racers {
			contact := to(fmt.Sprint(round, " ", i))
			all = append(all, s.do(contact, convo.Open{By: ana}).Conversation.ID)
		}
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			if i%2 == 0 {
				return to(target), convo.Open{By: ana}
			}
			return convo.ToConversation(acme, all[i]), convo.Move{By: ana, Contact: target}
		}, convo.ErrActiveExists)
		s.Equal(1, got["moved"]+got["opened"])
		s.Equal(1, len(s.list(convo.Filter{Workspace: acme, Contact: target})))
	}
}
