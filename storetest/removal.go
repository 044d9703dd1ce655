package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const removalRule = "a conversation that is removed is nowhere, and all else is as it was"

var removalCases = []testCase{
	{"Remove/leaves nothing of a conversation, and all else", removalRule, removesConversations},
	{
		"Remove/leaves histories and lists without a gap in between",
		"every list and every page of a history shows what is left, in its order",
		leavesListsAndHistories,
	},
	{
		"Remove/refuses what is not closed at that version",
		"RemoveConversation decides nothing: it removes what it is told, or nothing",
		refusesToRemove,
	},
	{
		"Remove/goes by the last closing",
		"what is not closed for long is left alone", removesByAge,
	},
	{
		"Remove/has a contact go on with what is left",
		"Load gives the latest conversation that is there, and a message opens another one",
		goesOnWithout,
	},
	{
		"Remove/has contacts merged, unmerged, erased and exported without it",
		removalRule, keepsFamilies,
	},
	{
		"Remove/leaves nobody who cannot be erased any more",
		"whom a removed conversation has named is as if it had never been", erasesBehindRemoval,
	},
	{
		"Remove/refuses what was decided before, in whatever process",
		"what was decided on a conversation that was removed since is refused",
		refusesWhatIsStaleByRemoval,
	},
	{
		"Remove/races with messages, reopening and itself",
		"it is removed, or somebody else was there before: never both",
		racesOfRemoval,
	},
	{"Remove/races with merges", removalRule, racesOfRemovalAndMerge},
	{"Remove/races with erasures", removalRule, racesOfRemovalAndErase},
}

var whole = convo.Retention{Conversations: year}

// gone demands that the store shows nothing of a conversation.
func (s *suite) gone(c convo.Conversation, log []convo.Event) {
	_, err := s.store.Conversation(s.ctx, c.Workspace, c.ID)
	s.ErrorIs(err, convo.ErrNotFound)
	_, err = s.store.Load(s.ctx, convo.ToConversation(c.Workspace, c.ID))
	s.ErrorIs(err, convo.ErrNotFound)
	s.Empty(s.events(convo.EventFilter{Workspace: c.Workspace, Conversation: c.ID}))
	cycles, err := s.store.ClosedCycles(s.ctx, c.Workspace, c.ID)
	s.NoError(err)
	s.Empty(cycles)
	s.Empty(s.lastMessages(c.Workspace, []uuid.UUID{c.ID}))
	for i := range log {
		m := log[i].Row()
		_, found, err := s.store.Event(s.ctx, c.Workspace, c.Contact, m.ID)
		s.NoError(err)
		s.False(found)
		if m.ExternalID == "" {
			continue
		}
		id := convo.KeyID{
			Channel: m.Channel, Address: m.Address, Contact: c.Contact, ID: m.ExternalID,
		}
		for _, k := range s.keys(c.Workspace, id) {
			s.NotEqual(c.ID, k.Conversation)
		}
	}
}

func (s *suite) logOf(c convo.Conversation) []convo.Event {
	return s.events(convo.EventFilter{Workspace: c.Workspace, Conversation: c.ID})
}

func removesConversations(s *suite) {
	s.canaries(acme)
	s.clock.add(24 * time.Hour)
	s.closeAll(acme)
	s.clock.add(year + time.Second)
	s.do(to("peer").In("new"), convo.Receive{Channel: "sms", ExternalID: "17", Body: "hi"})
	s.do(convo.ToContact("other", "ann"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	logs := map[uuid.UUID][]convo.Event{}
	var old, left []convo.Conversation
	for _, c := range s.list(convo.Filter{Workspace: acme}) {
		if logs[c.ID] = s.logOf(c); c.Status.Active() {
			left = append(left, c)
		} else {
			old = append(old, c)
		}
	}
	s.Greater(len(old), 3)
	type known struct {
		contact   convo.Contact
		addresses []convo.Address
		own       []convo.Event
	}
	contacts := func() (all []known) {
		for k, err := range s.engine.AllContacts(s.ctx, convo.ContactFilter{Workspace: acme}) {
			s.NoError(err)
			one := known{contact: k, addresses: s.addresses(acme, k.ID)}
			slices.SortFunc(one.addresses, func(a, b convo.Address) int {
				return strings.Compare(a.Channel+a.Value, b.Channel+b.Value)
			})
			for _, e := range s.events(convo.EventFilter{Workspace: acme, Contact: k.ID}) {
				if e.Conversation == uuid.Nil {
					one.own = append(one.own, e)
				}
			}
			all = append(all, one)
		}
		return all
	}
	receipts := func() int {
		found, err := s.store.Deliveries(s.ctx, acme, []convo.KeyID{
			{Channel: "sms", ID: Canary + " out"}, {Channel: "sms", ID: Canary + " told"},
		})
		s.NoError(err)
		return len(found)
	}
	before := contacts()
	s.NotZero(receipts())
	s.Equal(convo.Pruned{Conversations: len(old)}, s.prunes(whole, 2))
	for _, c := range old {
		s.gone(c, logs[c.ID])
	}
	s.Zero(receipts())
	s.Equal(before, contacts())
	s.Equal(left, s.list(convo.Filter{Workspace: acme}))
	for _, c := range left {
		s.Equal(logs[c.ID], s.logOf(c))
	}
	s.Equal(convo.Pruned{}, s.prunes(whole, 200), "there is no more")
	r := s.do(convo.Ref{Workspace: acme, Contact: Canary + " id"}, convo.Receive{
		Channel: "sms", Address: Canary + "+1", ExternalID: Canary + " out", Body: "again",
	})
	s.Equal(convo.OutcomeOpened, r.Outcome, "nobody knows the message any more")
}

func leavesListsAndHistories(s *suite) {
	ann := to("ann")
	var all []convo.Conversation
	for i := range 9 { // each third is removed, of which some span several hours
		r := s.do(ann, convo.Receive{Channel: "chat", ExternalID: fmt.Sprint(i), Body: "hi"},
			convo.Assign{By: ana, Assignee: "ana", Team: "one"},
			convo.Label{By: ana, Add: []string{"vip"}})
		s.clock.add(time.Duration(i) * time.Hour)
		r = s.do(convo.ToConversation(acme, r.Conversation.ID), convo.Send{By: ana, Body: "yes"},
			convo.Close{By: ana, Category: "Sales"})
		s.clock.add(time.Minute)
		all = append(all, r.Conversation)
	}
	s.settles()
	want := s.events(convo.EventFilter{Workspace: acme, Contact: "ann"})
	var left []convo.Conversation
	for i, c := range all {
		if i%3 != 1 {
			left = append(left, c)
			continue
		}
		log := s.logOf(c)
		s.removed = whole
		s.NoError(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version))
		s.gone(c, log)
		want = slices.DeleteFunc(want,
			func(e convo.Event) bool { return e.Conversation == c.ID })
	}
	slices.Reverse(left)
	for limit := 1; limit <= 4; limit++ {
		s.Equal(want, s.events(
			convo.EventFilter{Workspace: acme, Contact: "ann", Limit: limit}))
		for _, f := range []convo.Filter{
			{}, {Contact: "ann"}, {Assignee: "ana"}, {Team: "one"}, {Category: "Sales"},
			{Channel: "chat"}, {Labels: []string{"vip"}},
			{Status: []convo.Status{convo.StatusClosed}},
		} {
			f.Workspace, f.Limit = acme, limit
			s.Equal(left, s.list(f), "%+v", f)
		}
	}
	s.Len(s.lastMessages(acme, ids(all)), len(left))
	s.Empty(s.counts(acme))
	s.Equal(left[0], s.load(ann).Conversation)
}

func refusesToRemove(s *suite) {
	r := s.do(to("ann"), convo.Receive{Channel: "chat", ExternalID: "1", Body: "hi"},
		convo.Close{By: ana})
	open := s.do(to("bob"), convo.Receive{Body: "hi"}).Conversation
	s.settles()
	c := r.Conversation
	s.removed = whole
	for what, of := range map[string]struct {
		workspace string
		id        uuid.UUID
		version   int64
	}{
		"an older version": {acme, c.ID, c.Version - 1}, "a newer one": {acme, c.ID, c.Version + 1},
		"active": {acme, open.ID, open.Version}, "not there": {acme, uuid.New(), 1},
		"elsewhere": {"other", c.ID, c.Version},
	} {
		s.unchanged(func() {
			s.ErrorIs(s.store.RemoveConversation(s.ctx, of.workspace, of.id, of.version),
				convo.ErrConflict, what)
		})
	}
	if _, rolls := s.store.(Roller); rolls {
		c = s.do(convo.ToConversation(acme, c.ID), convo.Note{By: ana, Body: "later"}).Conversation
		s.ErrorIs(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version), convo.ErrConflict,
			"it is not rolled up")
		s.settles()
	}
	s.NoError(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version))
	s.ErrorIs(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version), convo.ErrConflict)
}

func removesByAge(s *suite) {
	closing := convo.Close{By: ana, Summary: "done"}
	s.do(to("ann"), convo.Receive{Body: "hi"}, closing)
	bob := s.do(to("bob"), convo.Receive{Body: "hi"}, closing).Conversation
	s.do(to("eve"), convo.Receive{Body: "hi"})
	s.clock.add(time.Hour)
	s.do(convo.ToConversation(acme, bob.ID), convo.Reopen{By: ana})
	s.clock.add(year - time.Hour)
	s.Zero(s.prunes(whole, 1).Conversations, "closed for a year, and not for longer")
	s.clock.add(time.Microsecond)
	both := convo.Retention{Texts: 30 * 24 * time.Hour, Conversations: year}
	s.Equal(convo.Pruned{Conversations: 1}, s.prunes(both, 1))
	s.do(convo.ToConversation(acme, bob.ID), closing)
	s.Zero(s.prunes(both, 1), "its last closing counts")
	s.clock.add(31 * 24 * time.Hour)
	s.Equal(convo.Pruned{Texts: 1}, s.prunes(both, 1))
	s.clock.add(year)
	if _, rolls := s.store.(Roller); rolls {
		s.do(convo.ToConversation(acme, bob.ID), convo.Note{By: ana, Body: "a text"})
		p, err := s.engine.Prune(s.ctx, both, convo.PrunePlace{}, 0)
		s.NoError(err)
		s.Equal(convo.Pruned{HeldBack: 1, Texts: 1}, p, "its texts go nevertheless")
	}
	s.Equal(convo.Pruned{Conversations: 1}, s.prunes(both, 1))
	s.Len(s.list(convo.Filter{Workspace: acme}), 1, "what is active is not old")
}

func goesOnWithout(s *suite) {
	ann := to("ann")
	first := s.do(ann, convo.Receive{Channel: "chat", ExternalID: "1", Body: "hi"},
		convo.Close{By: ana}).Conversation
	s.clock.add(time.Hour)
	second := s.do(ann, convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	orders := s.do(ann.In("orders"), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	s.settles()
	s.removed = whole
	remove := func(c convo.Conversation) {
		s.NoError(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version))
	}
	remove(second)
	t := s.load(ann)
	s.Equal(first, t.Conversation, "the latest one is the one before")
	r := s.do(ann, convo.Receive{Channel: "chat", ExternalID: "1", Body: "hi"})
	s.Equal(convo.OutcomeDuplicate, r.Outcome)
	remove(first)
	t = s.load(ann)
	s.Equal(uuid.Nil, t.Conversation.ID)
	s.True(t.HasConversation, "in another lane")
	remove(orders)
	s.False(s.load(ann).HasConversation)
	s.Equal(t.Contact, s.load(ann).Contact)
	_, err := s.engine.Do(s.ctx, convo.ToConversation(acme, first.ID), convo.Reopen{By: ana})
	s.ErrorIs(err, convo.ErrNotFound)
	r = s.do(ann, convo.Receive{Channel: "chat", ExternalID: "1", Body: "hi"})
	s.Equal(convo.OutcomeOpened, r.Outcome)
	s.True(r.Conversation.NewContact, "as far as anybody knows")
	s.Greater(r.Contact.Version, t.Contact.Version)
}

func keepsFamilies(s *suite) {
	for _, contact := range []string{"ann", "anna", "anne"} {
		for range 2 {
			s.do(from(contact, "chat", contact), convo.Receive{Channel: "chat", Body: "hi"},
				convo.Close{By: ana})
			s.clock.add(time.Hour)
		}
	}
	remove := func(contact string) {
		s.settles()
		all := s.list(convo.Filter{Workspace: acme, Contact: contact})
		c := all[len(all)-1]
		s.NoError(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version))
	}
	s.removed = whole
	remove("anna")
	s.merge(s.engine, acme, "ann", "anna")
	remove("ann")
	s.merge(s.engine, acme, "ann", "anne")
	s.Len(s.list(convo.Filter{Workspace: acme, Contact: "ann"}), 4)
	remove("ann")
	s.Contains(s.exported("ann"), "anne")
	s.holds()
	s.Equal(convo.OutcomeUnmerged, s.unmerge("anna").Outcome)
	s.Len(s.list(convo.Filter{Workspace: acme, Contact: "anna"}), 1)
	s.do(to("anna"), convo.Receive{Body: "hi"})
	s.holds()
	s.unmerge("anne")
	for _, contact := range []string{"ann", "anna", "anne"} {
		n := len(s.list(convo.Filter{Workspace: acme, Contact: contact}))
		s.Equal(n, s.erase(contact, "").Removed.Conversations)
	}
	s.settles()
	all := s.list(convo.Filter{Workspace: acme})
	s.clock.add(year + time.Second)
	s.Equal(len(all), s.prunes(whole, 1).Conversations, "also what is erased")
	s.Empty(s.list(convo.Filter{Workspace: acme}))
}

func refusesWhatIsStaleByRemoval(s *suite) {
	peer := s.with() // another process, which keeps what it has seen
	ann := to("ann")
	c := s.do(ann, convo.Receive{Channel: "chat", Body: "hi"}).Conversation
	of := convo.ToConversation(acme, c.ID)
	for range 3 {
		_, err := peer.Do(s.ctx, ann, convo.Send{By: ana, Body: "yes"})
		s.NoError(err)
	}
	s.do(of, convo.Close{By: ana})
	stale := []convo.Change{
		s.decide(of, convo.Note{By: ana, Body: "a text"}), s.decide(of, convo.Reopen{By: ana}),
		s.decide(of, convo.AmendClosing{By: ana, Summary: "a text"}),
	}
	s.clock.add(year + time.Second)
	s.Equal(1, s.prunes(whole, 1).Conversations)
	for _, ch := range stale {
		s.refuses([]convo.Change{ch}, convo.ErrConflict)
	}
	_, err := peer.Do(s.ctx, of, convo.Note{By: ana, Body: "a text"})
	s.ErrorIs(err, convo.ErrNotFound)
	for i, e := range []*convo.Engine{peer, s.engine} {
		r, err := e.Do(s.ctx, ann, convo.Receive{Channel: "chat", Body: "hi"})
		s.NoError(err)
		s.NotEqual(c.ID, r.Conversation.ID)
		s.Equal(i == 0, r.Outcome == convo.OutcomeOpened)
	}
}

// racesOfRemoval has some remove a conversation while others write to it, or to its contact.
func racesOfRemoval(s *suite) {
	peer := s.with()
	for round := range rounds {
		ann := to(fmt.Sprint("ann ", round))
		old := s.do(ann, convo.Receive{Channel: "chat", ExternalID: "1", Body: "first"},
			convo.Close{By: ana}).Conversation
		of := convo.ToConversation(acme, old.ID)
		s.settles()
		s.removed = whole
		s.clock.add(year + time.Second)
		s.raced(func(i int) (convo.Outcome, error) {
			switch i {
			case 0:
				r, err := s.engine.Do(s.ctx, of, convo.Reopen{By: ana})
				return r.Outcome, err
			case 1:
				r, err := peer.Do(s.ctx, ann, convo.Receive{Channel: "chat", Body: "a text"})
				return r.Outcome, err
			case 2:
				s.rolls()
				return convo.OutcomeUnchanged, nil
			case 3:
				_, err := peer.Prune(s.ctx, whole, convo.PrunePlace{}, 0)
				return convo.OutcomeErased, err
			}
			_, err := s.engine.Prune(s.ctx, whole, convo.PrunePlace{}, 0)
			return convo.OutcomeErased, err
		}, convo.ErrNotFound, convo.ErrActiveExists, convo.ErrConflict)
		history := s.events(convo.EventFilter{Workspace: acme, Contact: ann.Contact})
		s.Contains(bodies(history), "a text", "what was acknowledged is there")
		c, err := s.store.Conversation(s.ctx, acme, old.ID)
		if err == nil {
			s.Contains(bodies(history), "first", "all of it, or nothing")
			s.Equal(c.Version, int64(len(s.logOf(c))))
		} else {
			s.ErrorIs(err, convo.ErrNotFound)
			s.NotContains(bodies(history), "first")
		}
		for _, c := range s.list(convo.Filter{Workspace: acme, Contact: ann.Contact}) {
			if c.Status.Active() {
				s.do(convo.ToConversation(acme, c.ID), convo.Close{By: ana})
			}
		}
	}
}

// rolls rolls up, if the store can, and nobody else is at it.
func (s *suite) rolls() {
	if r, ok := s.store.(Roller); ok {
		if _, _, err := r.Rollup(s.ctx, 0); err != nil {
			s.ErrorIs(err, convo.ErrConflict)
		}
	}
}

// erasesBehindRemoval erases those who had conversations once, and got them back, or who acted in
// them, when they are removed.
func erasesBehindRemoval(s *suite) {
	s.do(to("a"), convo.Receive{Body: "hi"})
	there := s.do(to("a"), convo.Receive{Body: "hi"}).Conversation
	s.moves(convo.ToConversation(acme, there.ID), convo.Move{Contact: "b"})
	s.moves(convo.ToConversation(acme, there.ID), convo.Move{Contact: "a"})
	s.do(to("c"), convo.Receive{Body: "hi"},
		convo.Note{By: convo.Actor{Type: convo.ActorContact, ID: "d"}, Body: "me, too"})
	s.do(to("d"), convo.Receive{Body: "hi"})
	s.merge(s.engine, acme, "d", "c")
	s.closeAll(acme)
	s.settles()
	s.removed = whole
	s.clock.add(year + time.Second)
	s.Equal(3, s.prunes(whole, 50).Conversations)
	for _, contact := range []string{"a", "b", "d"} {
		s.Zero(s.erase(contact, "").Removed.Elsewhere, contact)
	}
}

func racesOfRemovalAndMerge(s *suite) {
	for round := range rounds {
		ann, anna := fmt.Sprint("ann ", round), fmt.Sprint("anna ", round)
		for _, contact := range []string{ann, anna} {
			s.do(to(contact), convo.Receive{Body: "hi"}, convo.Close{By: ana})
		}
		s.settles()
		s.removed = whole
		s.clock.add(year + time.Second)
		s.raced(func(i int) (convo.Outcome, error) {
			if i == 0 {
				return s.racedMergeOf(ann, anna)
			}
			_, err := s.engine.Prune(s.ctx, whole, convo.PrunePlace{}, 0)
			return convo.OutcomeErased, err
		})
		s.prunes(whole, 10)
		s.Empty(s.list(convo.Filter{Workspace: acme}))
		s.Equal(ann, s.load(to(anna)).Contact.ID)
		s.False(s.load(to(anna)).HasConversation)
	}
}

func racesOfRemovalAndErase(s *suite) {
	for round := range rounds {
		id := fmt.Sprint("ann ", round)
		for range 2 {
			s.do(to(id), convo.Receive{Channel: "chat", ExternalID: uuid.NewString(), Body: "hi"},
				convo.Close{By: ana})
		}
		s.settles()
		s.removed = whole
		s.clock.add(year + time.Second)
		s.raced(func(i int) (convo.Outcome, error) {
			if i == 0 {
				r, err := s.engine.Erase(s.ctx,
					convo.Erase{Workspace: acme, Contact: id, By: ana})
				return r.Outcome, err
			}
			_, err := s.engine.Prune(s.ctx, whole, convo.PrunePlace{}, 0)
			return convo.OutcomeErased, err
		})
		s.prunes(whole, 10)
		s.Empty(s.list(convo.Filter{Workspace: acme}))
		s.Zero(s.load(to(id)).Contact.Version, "it is erased")
	}
}
