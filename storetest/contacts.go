package storetest

import (
	"fmt"
	"slices"

	"github.com/chatlifecycle/convo"
)

var contactCases = []testCase{
	{
		"Contacts/lists each root contact once, by id, page by page",
		"Contacts returns root contacts in the order of their ids' bytes",
		listsContacts,
	},
}

func listsContacts(s *suite) {
	var want, blocked []string
	for i := range 11 {
		id := fmt.Sprintf("%c%d", "aZé"[i%2], i)
		s.do(to(id), convo.Open{By: ana})
		if i%3 == 0 {
			s.do(to(id), convo.Block{By: ana})
			blocked = append(blocked, id)
		}
		want = append(want, id)
	}
	s.do(convo.ToContact("other", "a"), convo.Open{By: ana}, convo.Block{By: ana})
	s.do(to("quiet"), convo.Receive{Quiet: true, Body: "I am away"})
	s.do(to("gone"), convo.Open{By: ana}, convo.Block{By: ana})
	s.merge(s.engine, acme, "quiet", "gone") // which is blocked by that
	want, blocked = append(want, "quiet"), append(blocked, "quiet")
	slices.Sort(want)
	slices.Sort(blocked)
	for _, size := range []int{0, 1, 5, 12, convo.MaxPageSize} {
		for _, f := range []convo.ContactFilter{{Limit: size}, {Limit: size, Blocked: true}} {
			f.Workspace = acme
			var got []string
			for k, err := range s.engine.AllContacts(s.ctx, f) {
				s.NoError(err)
				s.Equal(s.load(to(k.ID)).Contact, k)
				got = append(got, k.ID)
			}
			if f.Blocked {
				s.Equal(blocked, got)
			} else {
				s.Equal(want, got)
			}
		}
	}
	s.unmerge("gone")
	all, err := s.store.Contacts(s.ctx, convo.ContactFilter{
		Workspace: acme, Blocked: true, After: "b", Limit: 5,
	})
	s.NoError(err)
	s.Len(all, 1)
	s.Equal("gone", all[0].ID)
}
