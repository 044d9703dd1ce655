package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var listCases = []testCase{
	{
		"Lists/are in every order and direction what their filter says, page by page",
		"a list has the conversations that its Filter picks, by its Order and then by ID",
		listsEveryOrder,
	},
	{
		"Lists/by activity have on top who was written to last",
		"the order by activity is right as soon as a message is written",
		listsByActivity,
	},
	{
		"Lists/go on behind a cursor whatever was written meanwhile",
		"a page holds what comes behind the cursor as of now, and nothing twice",
		listsWhileOthersWrite,
	},
	{
		"Lists/show the last message as its transcript does",
		"LastMessages has the last message, and what was done to it",
		listsLastMessages,
	},
	{
		"Counts/are those of the lists",
		"counts by lane and team add up to what is listed",
		countsAreThoseOfLists,
	},
}

var orders = []convo.Order{
	convo.OrderCreated, convo.OrderActivity, convo.OrderWaiting, convo.OrderPriority,
	convo.OrderDeadline,
}

var activeStatuses = []convo.Status{convo.StatusOpen, convo.StatusPending}

// placesOf compares places in the listing that f asks for.
func placesOf(f convo.Filter) func(a, b convo.Cursor) int {
	return func(a, b convo.Cursor) int {
		down := cmp.Or(cmp.Compare(b.Priority, a.Priority), comparePlaces(a, b))
		if f.Ascending {
			return -down
		}
		return down
	}
}

// listedIn reports whether c is listed in an order at all.
func listedIn(o convo.Order, c convo.Conversation) bool {
	switch o {
	case convo.OrderCreated:
		return true
	case convo.OrderPriority:
		return c.Status.Active() && c.Priority > 0
	}
	return c.Status.Active() && !convo.Filter{Order: o}.Cursor(c).At.IsZero()
}

// expected is what a list has, of all conversations.
func expected(f convo.Filter, all []convo.Conversation) []uuid.UUID {
	var want []convo.Conversation
	for _, c := range all {
		if picks(f, c) && listedIn(f.Order, c) {
			want = append(want, c)
		}
	}
	places := placesOf(f)
	slices.SortFunc(want, func(a, b convo.Conversation) int {
		return places(f.Cursor(a), f.Cursor(b))
	})
	return ids(want)
}

// fillInbox makes conversations of all kinds by random commands over some hours, with merges, an
// unmerge and moves.
func (s *suite) fillInbox(seed uint64) *rand.Rand {
	random := rand.New(rand.NewPCG(seed, 7)) // the same in every run
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	step := func(i int) {
		s.clock.add(time.Duration(random.Int64N(int64(4 * time.Minute))))
		if i%5 == 0 { // some at the same time
			return
		}
		ref := in(fmt.Sprint("contact ", random.IntN(16)), pick("", "", "orders"))
		var cmd convo.Command
		cmds := []convo.Command(nil)
		switch random.IntN(13) {
		case 0:
			cmd = convo.Open{By: ana, Channel: pick("", "sms", "mail")}
		case 1, 2, 3:
			cmd = convo.Receive{Channel: pick("sms", "mail"), Body: "hello"}
		case 4:
			cmd = convo.Send{By: ana, Body: "hi"}
		case 5:
			cmd = convo.Assign{By: ana, Assignee: pick("", "ana", "bo"), Team: pick("", "sales")}
		case 6:
			cmd = convo.Label{By: ana, Add: []string{pick("vip", "bug", "späm")},
				Remove: []string{pick("vip", "bug", "späm")}}
		case 7:
			cmd = convo.Prioritize{By: ana, Priority: convo.Priority(random.IntN(5))}
		case 8:
			until := s.clock.Now().Add(time.Duration(1+random.IntN(9)) * time.Hour)
			cmd = convo.SetPending{By: ana, Until: until}
		case 9:
			cmd = convo.Close{By: ana, Category: pick("", "Sales", "Support")}
		case 10:
			cmd = convo.Note{By: ana, Body: "look"}
		case 11:
			cmd = convo.Receive{Quiet: true, Channel: "mail", Body: "I am away"}
		case 12: // another conversation in the same call
			cmd, cmds = convo.Close{By: ana}, []convo.Command{convo.Open{By: ana}}
		}
		_, err := s.engine.Do(s.ctx, ref, append([]convo.Command{cmd}, cmds...)...)
		if refused := (*convo.StateError)(nil); !errors.As(err, &refused) {
			s.NoError(err)
		}
	}
	for i := range 260 {
		step(i)
	}
	s.merge(s.engine, acme, "contact 0", "contact 1")
	s.merge(s.engine, acme, "contact 2", "contact 0")
	for i := range 60 {
		step(i)
	}
	s.unmerge("contact 0")
	for _, c := range s.list(convo.Filter{Workspace: acme, Limit: 100})[:4] {
		lane := "moved " + c.ID.String()
		_, err := s.engine.Do(s.ctx, convo.ToConversation(acme, c.ID),
			convo.Move{By: ana, Lane: &lane})
		s.NoError(err)
	}
	for i := range 60 {
		step(i)
	}
	return random
}

// importLabelled imports a history with labels, long enough to be written many rows at a time.
func (s *suite) importLabelled() {
	h := convo.History{Key: "labelled", To: to("imported")}
	for range 40 {
		h.Commands = append(h.Commands, convo.Receive{At: day, Channel: "mail", Body: "hi"})
	}
	h.Commands = append(h.Commands, convo.Label{By: ana, At: day, Add: []string{"vip", "bug"}},
		convo.Close{By: ana, At: day})
	s.imports(h)
	f := convo.Filter{Workspace: acme, Labels: []string{"vip", "bug"}, To: day.Add(time.Second)}
	s.Len(s.list(f), 1)
}

func listsEveryOrder(s *suite) {
	random := s.fillInbox(1)
	s.importLabelled()
	all := s.list(convo.Filter{Workspace: acme, Limit: convo.MaxPageSize})
	s.Greater(len(all), 30)
	for _, order := range orders {
		s.NotEmpty(expected(convo.Filter{Order: order}, all), "%s", order)
		tries := 24
		if order == convo.OrderCreated {
			tries = 72 // it has more filters
		}
		for n := range tries {
			f := convo.Filter{Workspace: acme, Order: order, Ascending: n%2 == 0}
			if n >= 2 {
				s.narrow(random, &f, all[random.IntN(len(all))])
			}
			want := expected(f, all)
			for _, limit := range []int{1, 3, convo.MaxPageSize} {
				if f.Limit = limit; limit == 1 && n >= 4 {
					continue
				}
				got, err := conversations(s.ctx, s.store, f)
				s.NoError(err)
				s.Equal(want, ids(got), "%+v", f)
			}
		}
	}
}

// narrow adds some filters that c passes, or nearly.
func (s *suite) narrow(random *rand.Rand, f *convo.Filter, c convo.Conversation) {
	some := func() bool { return random.IntN(4) == 0 }
	if some() {
		f.Status = []convo.Status{convo.StatusOpen}
		if f.Order == convo.OrderCreated {
			f.Status[0] = c.Status
		}
	}
	if some() {
		f.Assignee, f.Unassigned = c.Assignee, c.Assignee == ""
	} else if some() {
		f.Assigned = true
	}
	if some() {
		f.Team, f.NoTeam = c.Team, c.Team == ""
	}
	if some() {
		f.Lane, f.NoLane = c.Lane, c.Lane == ""
	}
	if some() {
		f.Labels = c.Labels.All()
	}
	if some() {
		f.Priority = []convo.Priority{c.Priority, convo.PriorityUrgent}
	}
	if some() {
		f.Contact = c.Contact
	}
	if some() {
		f.Channel = c.Channel
	}
	if f.Order == convo.OrderCreated && some() {
		f.Category = c.Cycle.Closing.Category
	}
	f.Waiting = some()
	for _, t := range []struct {
		from, to *time.Time
		at       time.Time
	}{
		{&f.From, &f.To, c.CreatedAt}, {&f.ActiveFrom, &f.ActiveTo, c.LastActivityAt},
		{&f.ClosedFrom, &f.ClosedTo, c.Cycle.Closing.At},
	} {
		if t.from == &f.ClosedFrom && f.Order != convo.OrderCreated {
			continue
		}
		if !t.at.IsZero() && some() {
			*t.from = t.at
		}
		if !t.at.IsZero() && some() {
			*t.to = t.at.Add(time.Microsecond * time.Duration(random.IntN(2)))
		}
	}
}

func listsByActivity(s *suite) {
	s.fillInbox(2)
	byActivity := convo.Filter{Workspace: acme, Order: convo.OrderActivity, Limit: 3}
	all := s.list(convo.Filter{Workspace: acme, Status: activeStatuses, Limit: 100})
	for i := len(all) - 1; i >= 0; i-- { // the oldest first
		c := all[i]
		for range 2 { // the second one within the same minutes
			s.clock.add(time.Second)
			s.do(convo.ToConversation(acme, c.ID), convo.Receive{Body: "and?"})
			s.Equal(c.ID, s.list(byActivity)[0].ID)
		}
		s.do(convo.ToConversation(acme, c.ID), convo.Receive{Quiet: true, Body: "away"})
	}
	last := all[len(all)-1]
	s.clock.add(time.Hour)
	s.do(convo.ToConversation(acme, last.ID), convo.Receive{Quiet: true, Body: "I am away"})
	s.NotEqual(last.ID, s.list(byActivity)[0].ID, "what is quiet is no activity")
	s.do(convo.ToConversation(acme, last.ID), convo.Note{By: ana, Body: "look"})
	s.Equal(last.ID, s.list(byActivity)[0].ID)
	s.do(convo.ToConversation(acme, last.ID), convo.Close{By: ana})
	s.NotEqual(last.ID, s.list(byActivity)[0].ID, "closed ones are not in it")
	s.do(convo.ToConversation(acme, last.ID), convo.Reopen{By: ana})
	s.Equal(last.ID, s.list(byActivity)[0].ID)
}

func listsWhileOthersWrite(s *suite) {
	s.fillInbox(1)
	for _, order := range orders {
		for _, ascending := range []bool{false, true} {
			f := convo.Filter{
				Workspace: acme, Order: order, Ascending: ascending, Status: activeStatuses,
				Limit: 2,
			}
			for i, c := range s.list(convo.Filter{
				Workspace: acme, Status: activeStatuses, Limit: 6,
			}) {
				s.do(convo.ToConversation(acme, c.ID), convo.SetPending{
					By: ana, Until: s.clock.Now().Add(time.Duration(i+1) * time.Hour),
				})
			}
			seen := map[uuid.UUID]bool{}
			for n := 0; ; n++ {
				page, err := s.store.Conversations(s.ctx, f)
				s.NoError(err)
				for i, c := range page {
					if i > 0 || f.After != (convo.Cursor{}) {
						s.Negative(placesOf(f)(f.After, f.Cursor(c)), "%+v", f)
					}
					s.False(seen[c.ID] && (order == convo.OrderCreated || !ascending &&
						order == convo.OrderActivity), "%s twice in %q", c.ID, order)
					seen[c.ID] = true
					f.After = f.Cursor(c)
				}
				if len(page) < f.Limit {
					break
				}
				s.clock.add(time.Second)
				if n < 20 {
					s.do(convo.ToConversation(acme, page[n%2].ID), convo.Receive{Body: "and?"})
				}
			}
			s.NotEmpty(seen)
		}
	}
}

func listsLastMessages(s *suite) {
	s.fillInbox(4)
	edited := s.do(to("edited"), convo.Receive{Channel: "mail", ExternalID: "m1", Body: "frist"})
	s.do(to("edited"), convo.Edit{By: convo.ByContact(), Channel: "mail", ExternalID: "m1",
		Body: "first"})
	s.do(to("edited"), convo.Note{By: ana, Body: "hm"}, convo.Assign{By: ana, Assignee: "bo"})
	gone := s.do(to("gone"), convo.Receive{Channel: "mail", ExternalID: "m2", Body: "no"})
	s.do(to("gone"), convo.Retract{By: convo.ByContact(), Channel: "mail", ExternalID: "m2"})
	none := s.do(to("none"), convo.Open{By: ana})
	echo := s.echoed()
	list := s.list(convo.Filter{Workspace: acme, Limit: convo.MaxPageSize})
	var wanted []uuid.UUID
	for _, c := range list {
		wanted = append(wanted, c.ID)
	}
	found, err := s.store.LastMessages(s.ctx, acme, append(wanted, uuid.New()))
	s.NoError(err)
	about, last := map[uuid.UUID][]convo.Event{}, map[uuid.UUID]convo.ShownMessage{}
	for _, e := range found {
		about[e.Conversation] = append(about[e.Conversation], e)
	}
	for id, events := range about {
		shown := convo.Messages(events)
		last[id] = shown[len(shown)-1]
	}
	for _, c := range list {
		want := slices.DeleteFunc(s.shown(c.ID), func(m convo.ShownMessage) bool {
			return m.Event.Kind == convo.NoteAdded
		})
		got, ok := last[c.ID]
		s.Equal(len(want) > 0, ok, "%s", c.ID)
		if len(want) == 0 {
			continue
		}
		s.Equal(want[len(want)-1].Event, got.Event)
		s.Equal(want[len(want)-1].Body, got.Body)
		s.Equal(want[len(want)-1].RetractedAt, got.RetractedAt)
	}
	s.Equal("first", last[edited.Conversation.ID].Body)
	s.False(last[gone.Conversation.ID].RetractedAt.IsZero())
	s.NotContains(last, none.Conversation.ID)
	s.Contains(last, echo)
	elsewhere, err := s.store.LastMessages(s.ctx, "globex", wanted)
	s.NoError(err)
	s.Empty(elsewhere, "another workspace has none of them")

	items, err := s.engine.List(s.ctx, convo.Filter{Workspace: acme, Limit: convo.MaxPageSize})
	s.NoError(err)
	s.Len(items, len(list))
	s.Equal("e3", last[s.load(in("echo", "told twice")).Conversation.ID].ExternalID,
		"whatever its echoes in other conversations say")
	for i := range items {
		s.Equal(list[i], items[i].Conversation)
		s.Equal(list[i].Contact, items[i].Contact.ID)
		s.Equal(last[list[i].ID], items[i].LastMessage)
	}
}

// echoed is a conversation whose last message is an echo of the one before it.
func (s *suite) echoed() uuid.UUID {
	sent := s.do(to("echo"), convo.Open{By: ana}, convo.Send{By: ana, Channel: "mail", Body: "hi"})
	message := sent.Events[len(sent.Events)-1]
	s.do(to("echo"), convo.Send{By: ana, Channel: "mail", ExternalID: "e1", Body: "hi"})
	tell := func(to convo.Ref, message uuid.UUID, id string) {
		s.do(to, convo.Identify{By: convo.BySystem(), Message: message, Channel: "mail",
			ExternalID: id})
	}
	tell(to("echo"), message.ID, "e1")
	// another one, whose echo is in another conversation, and which is told a second id
	r := s.do(in("echo", "told twice"), convo.Open{By: ana},
		convo.Send{By: ana, Channel: "mail", Body: "hello"})
	twice := r.Events[len(r.Events)-1].ID
	s.do(in("echo", "elsewhere"), convo.Open{By: ana},
		convo.Send{By: ana, Channel: "mail", Body: "?"},
		convo.Send{By: ana, Channel: "mail", ExternalID: "e2", Body: "hello"})
	tell(in("echo", "told twice"), twice, "e2")
	tell(in("echo", "told twice"), twice, "e3")
	return sent.Conversation.ID
}

func countsAreThoseOfLists(s *suite) {
	s.fillInbox(5)
	counts, err := s.engine.Counts(s.ctx, acme)
	s.NoError(err)
	s.Greater(len(counts), 5)
	s.Equal(wantedCounts(s.list(convo.Filter{Workspace: acme, Limit: 100})), counts)
	for _, f := range []convo.Filter{
		{}, {Assignee: "ana"}, {Assignee: "nobody"}, {Unassigned: true}, {NoLane: true},
		{NoTeam: true, Assigned: true},
	} {
		sum := convo.Sum(counts, func(c convo.Count) bool {
			return (f.Assignee == "" || c.Assignee == f.Assignee) &&
				(!f.Unassigned || c.Assignee == "") && (!f.Assigned || c.Assignee != "") &&
				(!f.NoLane || c.Lane == "") && (!f.NoTeam || c.Team == "")
		})
		f.Workspace, f.Status, f.Limit = acme, activeStatuses, 100
		s.Len(s.list(f), sum.Active())
		f.Waiting = true
		s.Len(s.list(f), sum.Waiting)
	}
	none, err := s.engine.Counts(s.ctx, "globex")
	s.NoError(err)
	s.Empty(none)
}

// wantedCounts counts conversations once more.
func wantedCounts(all []convo.Conversation) (out []convo.Count) {
	for _, c := range all {
		if !c.Status.Active() {
			continue
		}
		i := slices.IndexFunc(out, func(n convo.Count) bool {
			return n.Lane == c.Lane && n.Team == c.Team && n.Assignee == c.Assignee
		})
		if i < 0 {
			i = len(out)
			out = append(out, convo.Count{Lane: c.Lane, Team: c.Team, Assignee: c.Assignee})
		}
		for to, is := range map[*int]bool{
			&out[i].Open:    c.Status == convo.StatusOpen,
			&out[i].Pending: c.Status == convo.StatusPending, &out[i].Waiting: waits(&c),
		} {
			if is {
				*to++
			}
		}
	}
	slices.SortFunc(out, compareCounts)
	return out
}

func compareCounts(a, b convo.Count) int {
	return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Team, b.Team),
		cmp.Compare(a.Assignee, b.Assignee))
}

// lists checks that all lists and counts show the same conversations.
func (c *checker) lists(all []convo.Conversation) {
	for _, order := range orders[1:] {
		f := convo.Filter{Workspace: c.workspace, Order: order}
		got, want := ids(c.list(f)), expected(f, all)
		c.demand(slices.Equal(got, want), listsAgree, "by %s: %v, not %v", order, got, want)
	}
	counts, err := c.store.Counts(c.ctx, c.workspace)
	c.failed(err)
	slices.SortFunc(counts, compareCounts)
	want := wantedCounts(all)
	c.demand(slices.Equal(counts, want), listsAgree, "counts: %+v, not %+v", counts, want)
	labels := map[string]bool{}
	for i := range all {
		for _, label := range all[i].Labels.All() {
			labels[label] = true
		}
	}
	for label := range labels {
		f := convo.Filter{Workspace: c.workspace, Labels: []string{label}}
		got, want := ids(c.list(f)), expected(f, all)
		c.demand(slices.Equal(got, want), listsAgree, "with %q: %v, not %v", label, got, want)
	}
}
