package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
)

var contactCases = []testCase{
	{
		"Contacts/lists each root contact once, by id, page by page",
		"Contacts returns root contacts in the order of their ids' bytes",
		listsContacts,
	},
	{
		"Contacts/lists those that have been seen, the last one first, page by page",
		"with BySeen Contacts returns the root contacts with a SeenAt, by it, then ID, both " +
			"descending",
		listsSeen,
	},
	{
		"Contacts/are seen again after an hour, and never earlier",
		"of the SeenAt that is there and the one that a change brings, the later one stays; the " +
			"row is compared by the version as ever",
		seesContacts,
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
		Workspace: acme, Blocked: true, Limit: 5,
		After: convo.ContactCursor{ID: "b"},
	})
	s.NoError(err)
	s.Len(all, 1)
	s.Equal("gone", all[0].ID)
}

func listsSeen(s *suite) {
	hi := convo.Receive{Body: "hi"}
	for i, id := range []string{"b", "a", "c", "d", "e", "f", "g"} {
		if i != 2 { // a and c at the same time
			s.clock.add(2 * convo.SeenEvery)
		}
		s.do(to(id), hi)
		if i > 3 {
			s.do(to(id), convo.Block{By: ana})
		}
	}
	s.do(to("never"), convo.Open{By: ana}, convo.Send{By: ana, Body: "are you there?"})
	s.do(to("quiet"), convo.Receive{Quiet: true, Body: "I am away"})
	s.do(convo.ToContact("other", "a"), hi)
	s.merge(s.engine, acme, "b", "f") // which has been seen since
	for _, size := range []int{0, 1, 2, 6, convo.MaxPageSize} {
		for _, c := range []struct {
			f    convo.ContactFilter
			want []string
		}{
			{convo.ContactFilter{}, []string{"g", "b", "e", "d", "c", "a"}},
			{convo.ContactFilter{Blocked: true}, []string{"g", "b", "e"}},
			{convo.ContactFilter{IDs: []string{"a", "never", "d", "f", "a"}}, []string{"d", "a"}},
			{convo.ContactFilter{After: s.load(to("d")).Contact.Cursor()}, []string{"c", "a"}},
		} {
			c.f.Workspace, c.f.BySeen, c.f.Limit = acme, true, size
			var got []string
			for k, err := range s.engine.AllContacts(s.ctx, c.f) {
				s.NoError(err)
				s.Equal(s.load(to(k.ID)).Contact, k)
				got = append(got, k.ID)
			}
			s.Equal(c.want, got)
		}
	}
	s.clock.add(convo.SeenEvery)
	s.do(to("b"), convo.Unblock{By: ana})
	seen := s.do(to("f"), hi).Contact.SeenAt
	s.Equal(s.clock.Now(), seen)
	s.unmerge("f")
	s.Equal(seen, s.load(to("f")).Contact.SeenAt, "either may have been it")
	s.Equal(seen, s.load(to("b")).Contact.SeenAt)
}

func seesContacts(s *suite) {
	seen := func() time.Time { return s.load(to("a")).Contact.SeenAt }
	hi := convo.Receive{Body: "hi"}
	first := s.clock.Now()
	version := s.do(to("a"), hi).Contact.Version
	s.clock.add(convo.SeenEvery - time.Microsecond)
	s.do(to("a"), hi)
	s.do(to("a").In("orders"), convo.Open{By: ana}, convo.Send{By: ana, Body: "hi"})
	s.Equal(first, seen(), "not yet an hour")
	s.clock.add(time.Microsecond)
	again := s.clock.Now()
	s.do(to("a"), convo.Receive{Quiet: true, Body: "I am away"})
	s.Equal(first, seen(), "quiet")
	r := s.do(to("a"), hi)
	s.Equal(again, r.Contact.SeenAt)
	s.Equal(again, seen())
	s.Equal(version+1, r.Contact.Version, "only by the lane")
	s.do(to("a").In("late"), convo.Receive{Body: "late", At: first})
	s.Equal(again, seen())

	// What was decided before another one was seen leaves that. By hand, so no log says so.
	k := convo.Contact{Workspace: "made", ID: "a", Version: 1, CreatedAt: first, SeenAt: again}
	write := func(action convo.RowAction, expected int64) error {
		return s.store.Commit(s.ctx, convo.Change{
			Contact: convo.ContactRow{Contact: k, Action: action, Expected: expected},
		})
	}
	made := func() convo.Contact { return s.load(convo.ToContact("made", "a")).Contact }
	s.NoError(write(convo.RowAdded, 0))
	k.Version, k.Name, k.SeenAt = 2, "Ada", first
	s.NoError(write(convo.RowUpdated, 1))
	s.Equal("Ada", made().Name)
	s.Equal(again, made().SeenAt, "the later one stays")
	k.SeenAt = time.Time{}
	k.Version = 3
	s.NoError(write(convo.RowUpdated, 2))
	s.Equal(again, made().SeenAt, "the later one stays")
	k.SeenAt = again.Add(convo.SeenEvery)
	s.NoError(write(convo.RowUpdated, 3))
	s.Equal(k, made(), "in the same version")
	k.SeenAt = k.SeenAt.Add(convo.SeenEvery)
	s.ErrorIs(write(convo.RowUpdated, 2), convo.ErrConflict)
	s.Equal(again.Add(convo.SeenEvery), made().SeenAt)
}
