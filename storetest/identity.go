package storetest

import (
	"context"

	"github.com/chatlifecycle/convo"
)

// suggesterCases are for stores that are a convo.IdentityIndex; others pass them.
var suggesterCases = []testCase{
	{
		"AddressesByIdentity/pages through the addresses of an identity, with their root contacts",
		"AddressesByIdentity returns the addresses that have the Identity, after the one given, " +
			"by Channel and Value, each with its root contact",
		sharesIdentities,
	},
	{
		"AddressesByIdentity/stops when its context is done",
		"a method whose context is done before it begins returns the context's error",
		sharingHonoursContexts,
	},
}

func sharesIdentities(s *suite) {
	store, ok := s.store.(convo.IdentityIndex)
	if !ok {
		return
	}
	phone := func(contact, channel, value string) convo.Suggestion {
		return convo.Suggestion{
			Contact: contact,
			Address: convo.Address{Channel: channel, Value: value},
		}
	}
	// In another order than they are listed in: upper case before lower case, and a channel before
	// one that begins with it.
	want := []convo.Suggestion{
		phone("e", "Sms", "+49 1234567"),
		phone("a", "sms", "+49-1234567"),
		phone("b", "sms", "+491234567"),
		phone("b", "sms2", "+491234567"),
		phone("d", "whatsapp", "+491234567"),
	}
	for _, i := range []int{3, 1, 4, 0, 2} {
		w := want[i]
		s.do(from(w.Contact, w.Address.Channel, w.Address.Value), convo.Open{By: ana})
	}
	s.do(from("f", "sms", "+4912345678"), convo.Open{By: ana})
	s.do(from("g", "webchat", "491234567"), convo.Open{By: ana})
	s.do(from("a", "mail", "Ana@Example.org"), convo.Open{By: ana})
	s.do(from("h", "mail", "ana@example.ORG"), convo.Open{By: ana})
	s.do(convo.Ref{Workspace: "other", Contact: "z", Address: want[4].Address}, convo.Open{By: ana})

	sharing := func(workspace, identity string, after convo.Address, limit int) []convo.Suggestion {
		page, err := store.AddressesByIdentity(s.ctx, workspace, identity, after, limit)
		s.NoError(err)
		return page
	}
	const number = "+491234567"
	for i := range want {
		var after convo.Address
		if i > 0 {
			after = want[i-1].Address
		}
		s.Equal(want[i:], sharing(acme, number, after, convo.MaxPageSize))
		s.Equal(want[i:i+1], sharing(acme, number, after, 1))
	}
	s.Empty(sharing(acme, number, want[4].Address, 1))
	s.Empty(sharing(acme, "+490000000", convo.Address{}, 1))
	s.Empty(sharing("empty", number, convo.Address{}, 1))
	s.Equal(
		[]convo.Suggestion{phone("z", "whatsapp", "+491234567")},
		sharing("other", number, convo.Address{}, 9),
	)
	s.Equal(
		[]convo.Suggestion{
			phone("a", "mail", "Ana@Example.org"),
			phone("h", "mail", "ana@example.ORG"),
		},
		sharing(acme, "ana@example.org", convo.Address{}, 9),
	)

	s.merge(s.engine, acme, "b", "a")
	s.merge(s.engine, acme, "d", "b")
	for i := range 3 {
		want[i+1].Contact = "d"
	}
	s.Equal(want, sharing(acme, number, convo.Address{}, 9), "after merges")
}

func sharingHonoursContexts(s *suite) {
	store, ok := s.store.(convo.IdentityIndex)
	if !ok {
		return
	}
	done, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := store.AddressesByIdentity(done, acme, "+491234567", convo.Address{}, 1)
	s.ErrorIs(err, context.Canceled)
}
