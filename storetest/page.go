package storetest

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var pageCases = []testCase{
	{
		"Conversations/picks by every field of a filter, alone and together",
		"given fields of a Filter must all hold, From is inclusive and To exclusive; " +
			"the last by CreatedAt, then ID, come first",
		picksConversations,
	},
	{
		"Conversations/shows every one once, page by page, while others write",
		"pages do not shift when conversations change meanwhile",
		pagesConversations,
	},
	{
		"Events/shows every one of a conversation once, page by page, while others write",
		"the events of a conversation come by Seq; only the Seq of the cursor counts",
		pagesTranscript,
	},
	{
		"Events/shows every one of a contact once, page by page, while others write",
		"the events of a contact, its conversations and its merged contacts come " +
			"by At, Conversation, Seq and ID",
		pagesHistory,
	},
	{
		"Events/shows every one of a contact itself once, page by page",
		"the events of a contact itself come by Seq, without those of its conversations and of " +
			"merged contacts; only the Seq of the cursor counts",
		pagesOwnLog,
	},
	{
		"Events/loses none of merged contacts that happened at the same time",
		"a page continues right after the cursor, also where several contacts have an event " +
			"of their own with the same At and Seq",
		pagesTies,
	},
}

func pagesOwnLog(s *suite) {
	quiet := convo.Receive{Channel: "mail", Quiet: true, Body: "I am away"}
	for _, contact := range []string{"a", "b"} {
		for range 4 {
			s.do(to(contact), quiet)
		}
		s.do(to(contact), convo.Open{By: ana}, convo.Block{By: ana}, convo.Unblock{By: ana})
		s.do(to(contact), quiet)
	}
	s.merge(s.engine, acme, "a", "b")
	for contact, want := range map[string]int{"a": 6, "b": 7, "c": 0} {
		for _, limit := range []int{1, 3, 100} {
			own := s.events(convo.EventFilter{Workspace: acme, OwnLog: contact, Limit: limit})
			s.Len(own, want)
			for i, e := range own {
				s.Equal(contact, e.Contact)
				s.Equal(uuid.Nil, e.Conversation)
				s.True(i == 0 || own[i-1].Seq < e.Seq)
			}
		}
	}
}

// day is when the imported conversations begin, long before the clock.
var day = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// populate imports conversations in no order, of all kinds and with ties in CreatedAt, whose ids
// are not in the order of their openings either.
func (s *suite) populate() {
	random := rand.New(rand.NewPCG(1, 2)) // the same in every run
	e := s.with(convo.WithIDs(func() (id uuid.UUID) {
		binary.BigEndian.PutUint64(id[:8], random.Uint64())
		binary.BigEndian.PutUint64(id[8:], random.Uint64())
		return id
	}))
	for round := range 3 { // a contact's own are in order
		for _, i := range random.Perm(12) {
			n := 12*round + i
			at := day.Add(time.Duration(round)*time.Hour + time.Duration(i/3)*time.Microsecond)
			cmds := []convo.Command{
				convo.Open{By: ana, At: at, Channel: []string{"", "sms", "mail"}[n%3]},
			}
			if n%4 > 0 {
				user, team := []string{"", "ana", "bo"}[n%4-1], []string{"", "sales"}[n%2]
				cmds = append(cmds, convo.Assign{By: ana, At: at, Assignee: user, Team: team})
			}
			switch {
			case round < 2 || n%5 == 0:
				cmds = append(
					cmds,
					convo.Close{By: ana, At: at, Category: []string{"", "Sales", "Support"}[n/2%3]},
				)
			case n%5 < 3:
				cmds = append(cmds, convo.SetPending{By: ana, At: at})
			}
			lane := []string{"", "orders"}[i%2]
			s.by(e, in(fmt.Sprint("contact ", i), lane), cmds...)
		}
	}
	s.merge(e, acme, "contact 0", "contact 1")
	s.merge(e, acme, "contact 2", "contact 0")
}

// picks is what a filter means, said once more.
func picks(f convo.Filter, c convo.Conversation) bool {
	return (len(f.Status) == 0 || slices.Contains(f.Status, c.Status)) &&
		(f.Contact == "" || c.Contact == f.Contact) &&
		(f.Assignee == "" || c.Assignee == f.Assignee) &&
		(!f.Unassigned || c.Assignee == "") &&
		(f.Team == "" || c.Team == f.Team) &&
		(f.Channel == "" || c.Channel == f.Channel) &&
		(f.Lane == "" || c.Lane == f.Lane) &&
		(!f.NoLane || c.Lane == "") &&
		(f.Category == "" || c.Cycle.Closing.Category == f.Category) &&
		(!f.Assigned || c.Assignee != "") && (!f.NoTeam || c.Team == "") &&
		(len(f.Priority) == 0 || slices.Contains(f.Priority, c.Priority)) &&
		(!f.Waiting || waits(&c)) && hasAll(c.Labels, f.Labels) &&
		inPeriod(c.CreatedAt, f.From, f.To) &&
		inPeriod(c.LastActivityAt, f.ActiveFrom, f.ActiveTo) &&
		(f.ClosedFrom.IsZero() && f.ClosedTo.IsZero() || !c.Cycle.Closing.At.IsZero()) &&
		inPeriod(c.Cycle.Closing.At, f.ClosedFrom, f.ClosedTo)
}

func waits(c *convo.Conversation) bool {
	return c.Status.Active() && !c.Cycle.WaitingSince.IsZero()
}

func hasAll(labels convo.Tokens, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(label string) bool { return !labels.Has(label) })
}

func inPeriod(at, from, to time.Time) bool {
	return !at.Before(from) && (to.IsZero() || at.Before(to))
}

func picksConversations(s *suite) {
	s.populate()
	all := s.list(convo.Filter{Workspace: acme})
	s.Len(all, 36)
	s.True(
		slices.IsSortedFunc(
			all,
			func(a, b convo.Conversation) int {
				return comparePlaces(convo.Filter{}.Cursor(a), convo.Filter{}.Cursor(b))
			},
		),
		"the last opened first",
	)
	fields := []func(f *convo.Filter, c *convo.Conversation){
		func(f *convo.Filter, c *convo.Conversation) { f.Status = append(f.Status, c.Status) },
		func(f *convo.Filter, c *convo.Conversation) {
			f.Status = append(f.Status, convo.StatusPending)
		},
		func(f *convo.Filter, c *convo.Conversation) { f.Contact = c.Contact },
		func(f *convo.Filter, c *convo.Conversation) {
			f.Assignee, f.Unassigned = c.Assignee, c.Assignee == ""
		},
		func(f *convo.Filter, c *convo.Conversation) { f.Team = c.Team },
		func(f *convo.Filter, c *convo.Conversation) { f.Channel = c.Channel },
		func(f *convo.Filter, c *convo.Conversation) { f.Lane, f.NoLane = c.Lane, c.Lane == "" },
		func(f *convo.Filter, c *convo.Conversation) { f.Category = c.Cycle.Closing.Category },
		func(f *convo.Filter, c *convo.Conversation) { f.From = c.CreatedAt },
		func(f *convo.Filter, c *convo.Conversation) { f.To = c.CreatedAt.Add(time.Microsecond) },
	}
	for _, like := range []int{0, 7, 20, 35} {
		for set := range 1 << len(fields) {
			if n := bits.OnesCount(uint(set)); testing.Short() && 2 < n && n < len(fields) {
				continue // pairs and all together show a field that is forgotten or in the way
			}
			f := convo.Filter{Workspace: acme}
			for i, field := range fields {
				if set&(1<<i) != 0 {
					field(&f, &all[like])
				}
			}
			var want []uuid.UUID
			for _, c := range all {
				if picks(f, c) {
					want = append(want, c.ID)
				}
			}
			s.Equal(want, ids(s.list(f)), "%+v", f)
			f.Limit = 2
			s.Equal(want, ids(s.list(f)), "%+v", f)
		}
	}
	first := all[len(all)-1].CreatedAt
	s.Empty(s.list(convo.Filter{Workspace: acme, To: first}), "To is exclusive")
	s.Equal(ids(all), ids(s.list(convo.Filter{Workspace: acme, From: first})), "From is inclusive")
}

// writer returns a function that writes something else every time: new conversations behind, before
// and amid those of populate, and changes to those.
func (s *suite) writer() func() {
	e, n := s.with(convo.WithIDs(uuid.New)), 0
	open := func(at time.Time) {
		s.by(
			e,
			to(fmt.Sprint("new contact ", n)),
			convo.Open{By: ana, At: at, Channel: "sms"},
			convo.Close{By: ana, At: at},
		)
	}
	return func() {
		n++
		s.clock.add(time.Second)
		both := []convo.Status{convo.StatusOpen, convo.StatusPending}
		switch active := s.list(convo.Filter{Workspace: acme, Status: both}); {
		case n%4 == 0:
			open(day.Add(-time.Duration(n) * time.Second))
		case n%4 == 1:
			open(day.Add(time.Hour))
		case n%4 == 2 && len(active) > 0:
			s.by(e, convo.ToConversation(acme, active[0].ID), convo.Close{By: ana})
		default:
			open(time.Time{})
		}
	}
}

func pagesConversations(s *suite) {
	s.populate()
	write := s.writer()
	for _, f := range []convo.Filter{
		{}, {Status: []convo.Status{convo.StatusClosed}}, {Channel: "sms"}, {Contact: "contact 2"},
		{From: day, To: day.Add(2 * time.Hour)},
	} {
		for _, limit := range []int{1, 3, 7} {
			f.Workspace, f.After, f.Limit = acme, convo.Cursor{}, 0
			before := s.list(f) // in one page
			f.Limit = limit
			n := 0
			all, err := pages(
				limit,
				f.Cursor,
				comparePlaces,
				func(after convo.Cursor) ([]convo.Conversation, error) {
					f.After = after
					if n++; n <= 10 {
						defer write()
					}
					return s.store.Conversations(s.ctx, f)
				},
			)
			s.NoError(err)
			s.once(ids(before), ids(all))
		}
	}
}

// once demands that all of the ids before are among after, in order, and that none there is twice.
func (s *suite) once(before, after []uuid.UUID) {
	s.NotEmpty(before)
	known := map[uuid.UUID]bool{}
	for _, id := range before {
		known[id] = true
	}
	seen := map[uuid.UUID]bool{}
	var old []uuid.UUID
	for _, id := range after {
		s.False(seen[id], "%s comes twice", id)
		if seen[id] = true; known[id] {
			old = append(old, id)
		}
	}
	s.Equal(before, old)
}

// pageEvents pages through f in small pages, and writes between them, but not for ever.
func (s *suite) pageEvents(f convo.EventFilter, write func()) {
	for _, limit := range []int{1, 2, 5} {
		n := 0
		var before, all []uuid.UUID
		f.After, f.Limit = convo.EventCursor{}, 0
		for _, e := range s.events(f) { // in one page
			before = append(before, e.ID)
		}
		f.Limit = limit
		page, err := pages(
			limit,
			convo.Event.Cursor,
			compareCursors,
			func(after convo.EventCursor) ([]convo.Event, error) {
				f.After = after
				if n++; n <= 10 {
					defer write()
				}
				return s.store.Events(s.ctx, f)
			},
		)
		s.NoError(err)
		s.True(
			slices.IsSortedFunc(
				page,
				func(a, b convo.Event) int { return compareCursors(a.Cursor(), b.Cursor()) },
			),
		)
		for _, e := range page {
			all = append(all, e.ID)
		}
		s.once(before, all)
	}
}

func pagesTranscript(s *suite) {
	r := s.do(to("a"), convo.Open{By: ana})
	for i := range 40 {
		s.clock.add(time.Duration(i%3) * time.Microsecond) // some at the same time
		s.do(to("a"), convo.Receive{Body: "one"}, convo.Send{By: ana, Body: "two"})
	}
	s.pageEvents(convo.EventFilter{Workspace: acme, Conversation: r.Conversation.ID}, func() {
		s.clock.add(time.Microsecond)
		s.do(
			to("a"),
			convo.Note{By: ana, Body: "meanwhile"},
			convo.Block{By: ana},
			convo.Unblock{By: ana},
		)
	})
	got, err := s.store.Events(s.ctx, convo.EventFilter{
		Workspace:    acme,
		Conversation: r.Conversation.ID,
		After:        convo.EventCursor{Seq: 3},
		Limit:        1,
	})
	s.NoError(err)
	s.Equal(int64(4), got[0].Seq, "only the Seq of the cursor counts")
}

func pagesHistory(s *suite) {
	e := s.with(convo.WithIDs(uuid.New))
	write := func() {
		s.by(
			e,
			from("a", "sms", s.clock.Now().String()),
			convo.Open{By: ana},
			convo.Receive{Body: "hi"},
			convo.Close{By: ana},
		)
		s.by(e, to("a"), convo.Block{By: ana})
		s.by(e, to("a"), convo.Unblock{By: ana})
	}
	for range 5 { // several conversations at the same time
		write()
		write()
		s.by(e, to("b"), convo.Open{By: ana}, convo.Receive{Body: "hi"}, convo.Close{By: ana})
		s.clock.add(time.Second)
	}
	s.merge(e, acme, "a", "b")
	s.by(e, to("c"), convo.Open{By: ana, At: day}, convo.Close{By: ana, At: day.Add(time.Hour)})
	s.by(e, to("c"), convo.Block{By: ana, At: day.Add(time.Hour)})
	s.pageEvents(convo.EventFilter{Workspace: acme, Contact: "a"}, func() {
		s.clock.add(time.Second)
		write()
	})
	s.by(e, to("c"), convo.Unblock{By: ana})
	s.merge(e, acme, "a", "c")
	s.pageEvents(convo.EventFilter{Workspace: acme, Contact: "a"}, func() {})
}

func pagesTies(s *suite) {
	for _, id := range []string{"a", "b", "c"} {
		s.do(from(id, "sms", id), convo.Open{By: ana})
		s.do(from(id, "mail", id), convo.LinkAddress{By: ana})
	}
	s.merge(s.engine, acme, "a", "b")
	s.merge(s.engine, acme, "a", "c")
	s.pageEvents(convo.EventFilter{Workspace: acme, Contact: "a"}, func() {})
}
