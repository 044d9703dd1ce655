package storetest

import (
	"context"
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
		"a row of a contact that brings an earlier SeenAt than the one there, or another " +
			"version, is a conflict",
		seesContacts,
	},
	{
		"Contacts/are seen though something else happens to them meanwhile",
		"a row of a contact that brings an earlier SeenAt than the one there is a conflict",
		seesMeanwhile,
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

	// What was decided before another message is refused. By hand, so no log says so.
	k := convo.Contact{Workspace: "made", ID: "a", Version: 1, CreatedAt: first, SeenAt: again}
	write := func(action convo.RowAction, expected int64) error {
		return s.store.Commit(s.ctx, convo.Change{
			Contact: convo.ContactRow{Contact: k, Action: action, Expected: expected},
		})
	}
	made := func() convo.Contact { return s.load(convo.ToContact("made", "a")).Contact }
	s.NoError(write(convo.RowAdded, 0))
	stands := k
	for _, earlier := range []time.Time{{}, first, again.Add(-time.Microsecond)} {
		k.Version, k.Name, k.SeenAt = 2, "Ada", earlier
		s.ErrorIs(write(convo.RowUpdated, 1), convo.ErrConflict)
		s.Equal(stands, made())
	}
	k.SeenAt = again
	s.NoError(write(convo.RowUpdated, 1))
	s.Equal(k, made())
	k.SeenAt = again.Add(convo.SeenEvery)
	s.NoError(write(convo.RowUpdated, 2))
	s.Equal(k, made(), "in the same version")
	stands = k
	k.SeenAt = k.SeenAt.Add(convo.SeenEvery)
	s.ErrorIs(write(convo.RowUpdated, 1), convo.ErrConflict)
	s.Equal(stands, made())
}

// meanwhile has something else happen before one of the calls of a store.
type meanwhile struct {
	convo.Store
	before int // this call, from 1
	do     func()
}

func (m *meanwhile) step() {
	if m.before--; m.before == 0 {
		m.do()
	}
}

func (m *meanwhile) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	m.step()
	return m.Store.Load(ctx, to)
}

func (m *meanwhile) Snapshots(ctx context.Context, to []convo.Ref) ([]convo.Snapshot, error) {
	m.step()
	return m.Store.Snapshots(ctx, to)
}

func (m *meanwhile) Conversations(
	ctx context.Context, f convo.Filter,
) ([]convo.Conversation, error) {
	m.step()
	return m.Store.Conversations(ctx, f)
}

func (m *meanwhile) Family(
	ctx context.Context, workspace, root string,
) ([]convo.Contact, error) {
	m.step()
	return m.Store.Family(ctx, workspace, root)
}

func (m *meanwhile) Commit(ctx context.Context, changes ...convo.Change) error {
	m.step()
	return m.Store.Commit(ctx, changes...)
}

// seesMeanwhile has a contact write before each call that something else makes of the store.
func seesMeanwhile(s *suite) {
	hi, ada := convo.Receive{Body: "hi"}, "Ada"
	do := func(cmd convo.Command) func(*convo.Engine, string, string) error {
		return func(e *convo.Engine, a, _ string) error {
			_, err := e.Do(s.ctx, to(a), cmd)
			return err
		}
	}
	merge := func(e *convo.Engine, a, b string) error {
		_, err := e.Merge(s.ctx, convo.Merge{Workspace: acme, Primary: a, Secondary: b, By: ana})
		return err
	}
	unmerge := func(e *convo.Engine, _, b string) error {
		_, err := e.Unmerge(s.ctx, convo.Unmerge{Workspace: acme, Contact: b, By: ana})
		return err
	}
	for _, c := range []struct {
		name   string
		closed bool // the conversation of a
		merged bool
		writes int // 0: a, 1: b
		do     func(e *convo.Engine, a, b string) error
	}{
		{"message", false, false, 0, do(hi)},
		{"reopening", true, false, 0, do(convo.Reopen{By: ana})},
		{"opening", true, false, 0, do(convo.Open{By: ana})},
		{"profile", false, false, 0, do(convo.SetProfile{By: ana, Name: &ada})},
		{"merge", false, false, 0, merge},
		{"merge", false, false, 1, merge},
		{"unmerge", false, true, 0, unmerge},
		{"unmerge", false, true, 1, unmerge},
	} {
		for before := 1; ; before++ {
			name := fmt.Sprintf("%s, %d writes before call %d of ", c.name, c.writes, before)
			who := []string{name + "a", name + "b"}
			for _, id := range who {
				s.do(to(id), hi)
				s.do(to(id).In("meanwhile"), hi) // or that would be an opening, with a version
			}
			if c.closed {
				s.do(to(who[0]), convo.Close{By: ana})
			}
			if c.merged {
				s.merge(s.engine, acme, who[0], who[1])
			}
			store := &meanwhile{s.store, before, func() {
				s.clock.add(convo.SeenEvery)
				s.do(to(who[c.writes]).In("meanwhile"), hi)
			}}
			e, err := convo.New(store, convo.WithClock(s.clock))
			s.NoError(err)
			s.NoError(c.do(e, who[0], who[1]))
			if store.before > 0 {
				break
			}
			s.Equal(s.clock.Now(), s.load(to(who[c.writes])).Contact.SeenAt, name)
		}
	}
}
