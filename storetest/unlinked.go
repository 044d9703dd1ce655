package storetest

import (
	"fmt"

	"github.com/chatlifecycle/convo"
)

// unlinkedCases are addresses that were given to somebody else.
var unlinkedCases = []testCase{
	{
		"Addresses/that are taken off a contact are of a new one from then on",
		"an address belongs to one contact; what was said by it before stays where it is",
		givesAway,
	},
	{
		"Addresses/that were given away tell nothing of whom they were",
		"nothing of a contact is told or changed by an address that is another one's",
		keepsApart,
	},
	{
		"Addresses/of a contact that was merged are taken off the root",
		"an address is found under the root contact, whoever it was linked to",
		unlinksMerged,
	},
	{
		"Addresses/that were taken off a merged contact stay so when the merge is undone",
		"the log of a contact says which addresses it has",
		staysUnlinked,
	},
	{
		"Addresses/are taken off once, however many try",
		"of two changes that were decided on the same version one is refused",
		racesToUnlink,
	},
}

func givesAway(s *suite) {
	number := convo.ToAddress(acme, "sms", "+49 151 1")
	hi := convo.Receive{ExternalID: "m1", Body: "hi"}
	k := s.do(number, hi).Contact.ID
	mail := to(k)
	mail.Address = convo.Address{Channel: "mail", Value: "k@x.de"}
	s.do(mail, convo.LinkAddress{By: ana})
	before := s.load(to(k)).Conversation
	unlink := convo.UnlinkAddress{By: ana, Key: "unlink 1"}
	r := s.do(number, unlink)
	s.Equal(convo.OutcomeUnlinked, r.Outcome)
	s.Equal(convo.AddressUnlinked, r.Events[0].Kind)
	s.Equal(convo.Address{Channel: "sms", Value: "+49 151 1"}, r.Events[0].Address())
	s.Equal(before, s.load(to(k)).Conversation)
	s.Equal([]convo.Address{mail.Address}, s.addresses(acme, k))
	s.Empty(s.load(number).AddressOwner)
	s.Zero(s.load(number).Contact.Version)

	s.unchanged(func() {
		// Repeated, it is what it was; and nothing of theirs is told by the address.
		s.Equal(convo.OutcomeDuplicate, s.do(number, unlink).Outcome)
		again := s.do(number, hi)
		s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, again)
		_, err := s.engine.Do(s.ctx, number, convo.UnlinkAddress{By: ana})
		s.ErrorIs(err, convo.ErrNotFound)
		both := number
		both.Contact = k
		s.Equal(convo.OutcomeUnchanged, s.do(both, convo.UnlinkAddress{By: ana}).Outcome)
	})
	fresh := s.do(number, convo.Receive{ExternalID: "m2", Body: "who is this?"})
	s.NotEqual(k, fresh.Contact.ID)
	s.NotEqual(before.ID, fresh.Conversation.ID)
	s.True(fresh.Conversation.NewContact)
	s.Len(s.events(convo.EventFilter{Workspace: acme, Contact: fresh.Contact.ID}), 3)
	s.unchanged(func() {
		both := number
		both.Contact = k
		_, err := s.engine.Do(s.ctx, both, convo.UnlinkAddress{By: ana})
		s.ErrorIs(err, convo.ErrAddressTaken)
	})
	s.do(mail, convo.Receive{Body: "still here"})
}

// What the next one of an address does reaches nothing of the one before.
func keepsApart(s *suite) {
	number := convo.ToAddress(acme, "sms", "1")
	call := func(convo.Snapshot) ([]convo.Command, error) {
		return []convo.Command{convo.Receive{Body: "a secret"}}, nil
	}
	quiet := s.do(number, convo.Send{By: ana, Quiet: true, ExternalID: "q1", Body: "A's text"})
	a := quiet.Contact.ID
	_, err := s.engine.DoFunc(s.ctx, number, "call", call)
	s.NoError(err)
	s.do(number, convo.UnlinkAddress{By: ana})
	s.unchanged(func() {
		r, err := s.engine.DoFunc(s.ctx, number, "call", call)
		s.NoError(err)
		s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, r)
	})
	b := s.do(number, convo.Open{By: ana}, convo.Send{By: ana, Body: "hello B"})
	sent := b.Events[len(b.Events)-1].ID
	s.do(number, convo.Retract{By: ana, Message: sent, Redact: true})
	s.unchanged(func() {
		r, err := s.engine.DoFunc(s.ctx, number, "call", call)
		s.NoError(err)
		s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, r)
		_, err = s.engine.Do(s.ctx, number, convo.Identify{
			By: ana, Message: sent, Channel: "sms", Address: "1", ExternalID: "q1",
		})
		s.refused(err, convo.ErrInvalid)
		_, err = s.engine.Do(s.ctx, number, convo.Retract{By: ana, ExternalID: "q1", Redact: true})
		s.ErrorIs(err, convo.ErrNotFound)
	})
	r := s.do(to(a), convo.Edit{By: ana, Channel: "sms", ExternalID: "q1", Body: "as before"})
	s.Equal(convo.OutcomeEdited, r.Outcome)

	// Who is only known by quiet messages has addresses, too.
	news := convo.ToAddress(acme, "sms", "2")
	s.do(news, convo.Send{By: ana, Quiet: true, Body: "news"})
	s.do(news, convo.Block{By: ana})
	s.Equal(convo.OutcomeUnlinked, s.do(news, convo.UnlinkAddress{By: ana}).Outcome)
	s.Zero(s.load(news).Contact.Version)
}

func unlinksMerged(s *suite) {
	s.do(from("a", "sms", "a"), convo.Receive{Body: "hi"})
	s.do(from("b", "sms", "b"), convo.Receive{Body: "hi"})
	s.merge(s.engine, acme, "a", "b")
	r := s.do(convo.ToAddress(acme, "sms", "b"), convo.UnlinkAddress{By: ana})
	s.Equal("a", r.Contact.ID)
	s.Equal([]convo.Address{{Channel: "sms", Value: "a"}}, s.addresses(acme, "a"))
	fresh := s.do(convo.ToAddress(acme, "sms", "b"), convo.Receive{Body: "new"})
	s.NotEqual("a", fresh.Contact.ID)
	s.do(from("a", "sms", "c"), convo.LinkAddress{By: ana})
	s.do(from("b", "sms", "c"), convo.UnlinkAddress{By: ana})
	s.Equal([]convo.Address{{Channel: "sms", Value: "a"}}, s.addresses(acme, "a"))
}

// The suite checks the invariants of what each case leaves.
func staysUnlinked(s *suite) {
	linked := func(of string, a convo.Address) {
		t := to(of)
		t.Address = a
		s.do(t, convo.LinkAddress{By: ana})
	}
	sms := func(value string) convo.Address { return convo.Address{Channel: "sms", Value: value} }
	for _, of := range []string{"a", "b", "c"} {
		s.do(from(of, "sms", of), convo.Receive{Body: "hi"})
		linked(of, sms(of+" 2"))
	}
	s.merge(s.engine, acme, "b", "c")
	s.merge(s.engine, acme, "a", "b")
	own := func(of string) int {
		return len(s.events(convo.EventFilter{Workspace: acme, OwnLog: of}))
	}
	before := map[string]int{"a": own("a"), "b": own("b"), "c": own("c")}
	for _, value := range []string{"b", "c 2", "a 2"} {
		s.Equal(convo.OutcomeUnlinked,
			s.do(from("a", "sms", value), convo.UnlinkAddress{By: ana}).Outcome)
	}
	linked("a", sms("b")) // of a now
	s.do(from("b", "sms", "b"), convo.UnlinkAddress{By: ana})
	linked("a", sms("c 2"))
	s.Equal(before["a"]+6, own("a"))
	s.Equal(before["b"]+1, own("b"))
	s.Equal(before["c"]+1, own("c"))
	var of []string // the addresses that a's log says were taken off
	for _, e := range s.events(convo.EventFilter{Workspace: acme, OwnLog: "a"}) {
		if e.Kind == convo.AddressUnlinked {
			of = append(of, e.Address().Value)
		}
	}
	s.Equal([]string{"", "", "a 2", "b"}, of)
	has := func(of string, values ...string) {
		got := map[convo.Address]bool{}
		for _, a := range s.addresses(acme, of) {
			got[a] = true
		}
		want := map[convo.Address]bool{}
		for _, value := range values {
			want[sms(value)] = true
		}
		s.Equal(want, got)
	}
	s.unmerge("b")
	has("a", "a", "c 2")
	has("b", "b 2", "c")
	s.unmerge("c")
	has("b", "b 2")
	has("c", "c")
	s.do(from("b", "sms", "b"), convo.Receive{Body: "again"})
	s.do(from("c", "sms", "d"), convo.Receive{Body: "more"})
}

func racesToUnlink(s *suite) {
	for round := range rounds {
		number := convo.ToAddress(acme, "sms", fmt.Sprint(round))
		k := s.do(number, convo.Receive{Body: "hi"}).Contact.ID
		both := number
		both.Contact = k
		owners := make([]string, racers)
		s.raced(func(i int) (convo.Outcome, error) {
			if i%2 == 0 {
				r, err := s.engine.Do(s.ctx, both, convo.UnlinkAddress{By: ana})
				return r.Outcome, err
			}
			r, err := s.engine.Do(s.ctx, number, convo.Receive{Body: "hi"})
			owners[i] = r.Contact.ID
			return r.Outcome, err
		}, convo.ErrAddressTaken)
		got := map[string]int{}
		for i := 1; i < racers; i += 2 {
			got[owners[i]]++
		}
		s.LessOrEqual(len(got), 2, "k, and one who came after")
		s.Equal(1+got[k], s.messages(k))
		owner := s.load(number).AddressOwner
		s.NotEqual(k, owner)
		for id, n := range got {
			if id != k {
				s.Equal(owner, id)
				s.Equal(n, s.messages(id))
			}
		}
		s.Len(s.events(convo.EventFilter{Workspace: acme, Contact: k}), 4+got[k])
	}
}
