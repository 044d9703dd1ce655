package storetest

import (
	"slices"

	"github.com/chatlifecycle/convo"
)

func takesOtherKeys(s *suite) {
	message := func(channel string) convo.Command {
		return convo.Receive{Channel: channel, ExternalID: "1", Body: "hi"}
	}
	s.commit(s.decide(to("a"), message("sms")))
	s.commit(s.decide(to("a"), message("Sms")))
	s.commit(s.decide(to("a"), convo.Note{By: ana, Key: "1", Body: "note"}))
	s.commit(s.decide(to("b"), message("sms")))
	s.commit(s.decide(convo.ToContact("other", "a"), message("sms")))
	asked := []convo.KeyID{
		{Channel: "sms", Contact: "a", ID: "1"}, {Channel: "Sms", Contact: "a", ID: "1"},
		{ID: "1"}, {Channel: "sms", Contact: "b", ID: "1"},
	}
	s.Len(s.keys(acme, asked...), 4)
	s.Len(s.keys("other", asked...), 1)
}

// tellsExternalIDsApart is what KeyID.Finds says, of people who have the same ids.
func tellsExternalIDsApart(s *suite) {
	message := func(address, body string) convo.Command {
		return convo.Receive{Channel: "chat", Address: address, ExternalID: "17", Body: body}
	}
	find := func(contact, address string) (bodies []string) {
		for _, k := range s.keys(acme, convo.KeyID{
			Channel: "chat", Address: address, Contact: contact, ID: "17",
		}) {
			log := s.events(convo.EventFilter{Workspace: acme, Conversation: k.Conversation})
			bodies = append(bodies, log[k.LastSeq-1].Message().Body)
		}
		slices.Sort(bodies)
		return bodies
	}
	s.commit(s.decide(to("a"), message("1", "one")))
	s.commit(s.decide(to("b"), message("2", "two")))
	s.commit(s.decide(to("c"), message("", "three")))
	for _, refused := range []struct{ contact, address string }{
		{"a", "1"}, {"a", ""}, {"d", "1"}, {"b", ""}, {"c", ""}, {"c", "9"},
	} {
		s.refuses([]convo.Change{s.decide(to(refused.contact), message(refused.address, "again"))},
			convo.ErrDuplicate)
	}
	s.commit(s.decide(to("d"), message("3", "four")))
	s.commit(s.decide(to("a"), message("4", "five"))) // of another address of theirs
	s.Equal([]string{"one"}, find("a", "1"))
	s.Equal([]string{"five", "one"}, find("a", ""))
	s.Equal([]string{"one"}, find("", "1"), "whoever asks")
	s.Empty(find("", ""))
	s.Equal([]string{"three"}, find("c", "whatever"))
	s.Equal([]string{"two"}, find("a", "2"))

	// A merge makes them one person: the address that is named decides, and without one all are
	// looked through.
	for _, secondary := range []string{"a", "b", "c"} {
		s.merge(s.engine, acme, "d", secondary)
	}
	s.Equal([]string{"one", "three"}, find("d", "1"))
	s.Equal([]string{"three", "two"}, find("d", "2"))
	s.Equal([]string{"five", "four", "one", "three", "two"}, find("d", ""))
	s.Equal([]string{"three"}, find("d", "9"))
	s.Equal(find("d", ""), find("a", ""), "who leads to the root")
	s.Empty(find("nobody", ""))
	for _, address := range []string{"", "1", "2", "3", "4", "9"} {
		s.refuses([]convo.Change{s.decide(to("d"), message(address, "again"))},
			convo.ErrDuplicate)
	}
}
