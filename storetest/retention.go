package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

const pruneRule = "texts of what is closed for long are nowhere any more, and all else is as it was"

var retentionCases = []testCase{
	{"Prune/leaves no text, and every count", pruneRule, prunesTexts},
	{"Prune/goes by the last closing", "what is not closed for long is left alone", prunesByAge},
	{"Prune/has texts that an erasure of another one left", pruneRule, prunesWhatIsAnothers},
	{
		"Prune/refuses what was decided before",
		"of two changes that were decided on the same version one is refused",
		refusesWhatIsStaleByPruning,
	},
	{
		"Prune/pages through closings",
		"ClosedBefore shows each closing once, in its order, whatever the page",
		pagesThroughClosings,
	},
	{
		"Prune/finds what was closed twice at one time",
		"ClosedBefore shows each closing once, in its order, whatever the page",
		prunesWhatWasClosedTwiceAtOnce,
	},
	{"Prune/races with messages, reopening and itself", pruneRule, racesOfPruning},
}

const year = 365 * 24 * time.Hour

// pruned has an engine prune until the end, by pages of a limit.
func (s *suite) pruned(limit int) (texts int) {
	return s.prunes(convo.Retention{Texts: year}, limit).Texts
}

// prunes has an engine prune until the end, by pages of a limit.
func (s *suite) prunes(r convo.Retention, limit int) (all convo.Pruned) {
	if r.Conversations > 0 {
		s.settles()
		s.removed.Conversations = r.Conversations
	}
	s.removed.Keys = max(s.removed.Keys, r.Keys)
	for {
		p, err := s.engine.Prune(s.ctx, r, all.Next, limit)
		s.NoError(err)
		s.LessOrEqual(p.Texts+p.Conversations+p.HeldBack+p.Keys, limit)
		all = convo.Pruned{
			Texts: all.Texts + p.Texts, Conversations: all.Conversations + p.Conversations,
			Keys: all.Keys + p.Keys, HeldBack: all.HeldBack + p.HeldBack, Next: p.Next,
		}
		if !p.More() {
			return all
		}
	}
}

// settles has the store need no conversation any more: for its rollups, or for its outbox.
func (s *suite) settles() {
	if r, ok := s.store.(Roller); ok {
		for more := true; more; {
			var err error
			_, more, err = r.Rollup(s.ctx, 0)
			s.NoError(err)
		}
	}
	o, ok := s.store.(relay.Store)
	for ok {
		noted, err := o.Noted(s.ctx, relay.Stream{}, convo.MaxPageSize)
		if len(noted) == 0 || errors.Is(err, relay.ErrNoOutbox) {
			return
		}
		s.NoError(err)
		_, err = o.Queue(s.ctx, s.clock.Now(), noted, nil)
		s.NoError(err)
	}
}

// PruneCanaries has what [WriteCanaries] wrote be closed for long, and pruned.
func PruneCanaries(t testingT, store convo.Store, workspace string) {
	s := newSuite(t, store, pruneRule)
	s.clock.add(24 * time.Hour) // behind what was written
	s.closeAll(workspace)
	s.clock.add(year + time.Second)
	s.NotZero(s.pruned(3))
}

func (s *suite) closeAll(workspace string) {
	for _, c := range s.list(convo.Filter{Workspace: workspace}) {
		if c.Status.Active() {
			s.do(convo.ToConversation(workspace, c.ID),
				convo.Close{By: ana, Summary: Canary + " closed"})
		}
	}
}

// withoutTexts are events as pruning leaves them.
func withoutTexts(events []convo.Event) (rows []convo.EventRow) {
	for i := range events {
		if r := events[i].Row(); r.Kind != convo.ConversationErased {
			r.ClearTexts()
			rows = append(rows, r)
		}
	}
	return rows
}

func prunesTexts(s *suite) {
	s.canaries(acme)
	s.closeAll(acme)
	all := s.list(convo.Filter{Workspace: acme})
	s.Greater(len(all), 2)
	before := s.cyclesCounted()
	logs := map[string][]convo.EventRow{}
	for _, c := range all {
		logs[c.ID.String()] = withoutTexts(
			s.events(convo.EventFilter{Workspace: acme, Conversation: c.ID}))
	}
	s.clock.add(year + time.Second)
	other := s.do(convo.ToContact("other", "ann"), convo.Receive{Body: "hi"})
	s.Equal(len(all), s.pruned(2))
	s.wrote(acme)
	for _, c := range s.list(convo.Filter{Workspace: acme}) {
		s.Empty(c.Subject + string(c.Attributes))
		cycles, err := s.store.ClosedCycles(s.ctx, acme, c.ID)
		s.NoError(err)
		for _, y := range append(cycles, c.Cycle) {
			s.Empty(y.Closing.Summary + y.Rating.Comment)
		}
		log := s.events(convo.EventFilter{Workspace: acme, Conversation: c.ID})
		for i := range log {
			r := log[i].Row()
			s.False(r.ClearTexts(), "%+v", r)
		}
		s.Equal(logs[c.ID.String()], withoutTexts(log), "all else stays")
		last := log[len(log)-1]
		s.Equal(convo.ConversationErased, last.Kind)
		s.Equal(convo.BySystem(), last.By)
	}
	s.Equal(before, s.cyclesCounted())
	s.Equal(other.Conversation, s.load(convo.ToContact("other", "ann")).Conversation)
	s.unchanged(func() {
		s.Zero(s.unpruned(s.clock.Now()))
		s.Zero(s.pruned(200), "what is pruned stays as it is")
		r, err := s.engine.Do(s.ctx, convo.ToContact(acme, Canary+" id"), convo.Receive{
			Channel: "sms", Address: Canary + "+1", ExternalID: Canary + " in", Body: "again",
		})
		s.NoError(err)
		s.Equal(convo.OutcomeDuplicate, r.Outcome)
	})
}

// An erasure of riya leaves the texts of a conversation that is bob's by now.
func prunesWhatIsAnothers(s *suite) {
	s.do(to("bob"), convo.Receive{Quiet: true, Body: "hi"})
	c := s.do(to("riya"), convo.Receive{Body: "a text"}).Conversation
	of := convo.ToConversation(acme, c.ID)
	s.do(of, convo.Move{By: ana, Contact: "bob"})
	s.do(of, convo.Close{By: ana, Summary: "another text"})
	s.erase("riya", "")
	s.Equal("another text", s.load(of).Conversation.Cycle.Closing.Summary, "it is bob's")
	s.clock.add(year + time.Second)
	s.Equal(1, s.pruned(10))
	s.Empty(s.load(of).Conversation.Cycle.Closing.Summary)
	s.erase("bob", "")
	s.Zero(s.pruned(10), "what was erased has no texts")
}

func prunesByAge(s *suite) {
	texts := func(contact string) (n int) {
		for _, e := range s.events(convo.EventFilter{Workspace: acme, Contact: contact}) {
			if r := e.Row(); r.ClearTexts() {
				n++
			}
		}
		return n
	}
	closing := convo.Close{By: ana, Summary: "done"}
	s.do(to("ann"), convo.Receive{Body: "hi"}, closing)
	s.do(to("bob"), convo.Receive{Body: "hi"}, closing)
	s.do(to("eve"), convo.Receive{Body: "hi"})
	s.clock.add(time.Hour)
	s.do(to("bob"), convo.Reopen{By: ana})
	s.clock.add(year - time.Hour)
	s.Zero(s.pruned(1), "closed for a year, and not for longer")
	s.clock.add(time.Microsecond)
	s.Equal(1, s.pruned(1))
	s.Equal([]int{0, 2, 1}, []int{texts("ann"), texts("bob"), texts("eve")})
	s.do(to("bob"), convo.Close{By: ana, Summary: "again"})
	s.Zero(s.pruned(1), "its last closing counts")
	id := s.load(to("ann")).Conversation.ID
	s.do(convo.ToConversation(acme, id), convo.Note{By: ana, Body: "later"})
	s.Equal(1, s.pruned(200), "also what was written afterwards")
	s.clock.add(year + time.Second)
	s.Equal(1, s.pruned(200))
	s.Equal([]int{0, 0, 1}, []int{texts("ann"), texts("bob"), texts("eve")})
	p, err := s.engine.Prune(s.ctx, convo.Retention{}, convo.PrunePlace{}, 0)
	s.NoError(err)
	s.Equal(convo.Pruned{}, p, "for ever")
	for field, r := range map[string]convo.Retention{
		"texts": {Texts: time.Hour}, "conversations": {Conversations: -year},
		"keys": {Keys: convo.MinRetention - 1},
	} {
		_, err = s.engine.Prune(s.ctx, r, convo.PrunePlace{}, 0)
		var invalid *convo.ValidationError
		s.ErrorAs(err, &invalid)
		s.Equal(field, invalid.Field)
	}
}

func refusesWhatIsStaleByPruning(s *suite) {
	subject := "a subject"
	r := s.do(to("ann"), convo.Receive{Body: "hi"},
		convo.Describe{By: ana, Subject: &subject}, convo.Close{By: ana, Summary: "done"})
	old := convo.ToConversation(acme, r.Conversation.ID)
	s.clock.add(year + time.Second)
	stale := []convo.Change{
		s.decide(old, convo.Note{By: ana, Body: "a text"}),
		s.decide(old, convo.Reopen{By: ana}),
		s.decide(old, convo.AmendClosing{By: ana, Summary: "a text"}),
	}
	s.Equal(1, s.pruned(1))
	s.wrote(acme)
	for _, ch := range stale {
		s.refuses([]convo.Change{ch}, convo.ErrConflict)
	}
	s.do(old, convo.Reopen{By: ana})
	s.Empty(s.load(old).Conversation.Subject)
}

func pagesThroughClosings(s *suite) {
	workspaces := []string{"a", "b", acme, "z"}
	for i := range 5 {
		k := convo.ToContact([]string{"a", "b", "b", acme, "z"}[i], fmt.Sprint(i))
		for range 3 {
			r := s.do(k, convo.Receive{Body: "hi"}, convo.Close{By: ana})
			s.clock.add(time.Duration(i%2) * time.Second)
			if i == 3 { // whose first closing is not the last one
				s.clock.add(time.Second)
				early := s.clock.Now()
				s.do(convo.ToConversation(acme, r.Conversation.ID), convo.Reopen{By: ana},
					convo.Close{By: ana})
				s.Equal(s.closedBefore(early, workspaces...), s.unpruned(early))
			}
			s.clock.add(time.Duration(i%2) * time.Second)
		}
	}
	s.clock.add(time.Second)
	query := convo.ClosedQuery{Before: s.clock.Now(), Limit: convo.MaxPageSize}
	want, rest, err := s.store.ClosedBefore(s.ctx, query)
	s.NoError(err)
	s.Zero(rest)
	for i := range want[1:] {
		a, b := want[i].ClosedPlace, want[i+1].ClosedPlace
		s.True(a.Workspace < b.Workspace || a.Workspace == b.Workspace && !b.At.Before(a.At))
	}
	s.Equal(s.closedBefore(query.Before, workspaces...), s.unpruned(query.Before))
	for limit := 1; limit <= 3; limit++ {
		var got []convo.Closed
		query.After, query.Limit = convo.ClosedPlace{}, limit
		for {
			page, next, err := s.store.ClosedBefore(s.ctx, query)
			s.NoError(err)
			s.LessOrEqual(len(page), limit)
			if got = append(got, page...); next == (convo.ClosedPlace{}) {
				break
			}
			query.After = next
		}
		s.Equal(want, got, "by pages of %d", limit)
	}
}

func prunesWhatWasClosedTwiceAtOnce(s *suite) {
	for limit := 1; limit <= 3; limit++ {
		s.do(to(fmt.Sprint("ann ", limit)), convo.Receive{Body: "hi"}, convo.Close{By: ana},
			convo.Reopen{By: ana}, convo.Close{By: ana}, convo.Reopen{By: ana},
			convo.Close{By: ana, Summary: "done"})
		s.clock.add(year + time.Second)
		s.Equal(1, s.pruned(limit), "by pages of %d", limit)
	}
	s.removed.Conversations = year
	p, err := s.engine.Prune(s.ctx, convo.Retention{Conversations: year}, convo.PrunePlace{}, 0)
	s.NoError(err)
	s.Equal(3, p.Conversations+p.HeldBack)
}

// closedBefore counts the conversations whose last closing was before a time.
func (s *suite) closedBefore(before time.Time, workspaces ...string) (n int) {
	for _, w := range workspaces {
		for _, c := range s.list(convo.Filter{Workspace: w}) {
			if !c.Status.Active() && c.Cycle.Closing.At.Before(before) {
				n++
			}
		}
	}
	return n
}

// unpruned counts the conversations that the store shows as not pruned.
func (s *suite) unpruned(before time.Time) (n int) {
	all, _, err := s.store.ClosedBefore(s.ctx,
		convo.ClosedQuery{Before: before, Limit: convo.MaxPageSize})
	s.NoError(err)
	for i := range all {
		if all[i].Unpruned {
			n++
		}
	}
	return n
}

// racesOfPruning has some prune while others write: each conversation is pruned once, or is not
// closed for long any more.
func racesOfPruning(s *suite) {
	for round := range rounds {
		ann := to(fmt.Sprint("ann ", round))
		r := s.do(ann, convo.Receive{Body: Canary}, convo.Close{By: ana, Summary: Canary})
		old := convo.ToConversation(acme, r.Conversation.ID)
		s.clock.add(year + time.Second)
		s.raced(func(i int) (convo.Outcome, error) {
			switch i {
			case 0:
				r, err := s.engine.Do(s.ctx, old, convo.Reopen{By: ana})
				return r.Outcome, err
			case 1:
				r, err := s.engine.Do(s.ctx, ann, convo.Receive{Body: "a text"})
				return r.Outcome, err
			}
			_, err := s.engine.Prune(s.ctx, convo.Retention{Texts: year}, convo.PrunePlace{}, 0)
			return convo.OutcomeErased, err
		}, convo.ErrActiveExists, convo.ErrConflict)
		log := s.events(convo.EventFilter{Workspace: acme, Conversation: old.Conversation})
		erased := 0
		for _, e := range log {
			if e.Kind == convo.ConversationErased {
				erased++
			}
		}
		s.LessOrEqual(erased, 1)
		c := s.load(old).Conversation
		s.True(erased == 1 || c.Status.Active())
		if erased == 1 {
			s.NotContains(fmt.Sprint(strings.Join(bodies(log), " "), c), Canary)
		}
		if c.Status.Active() {
			s.do(old, convo.Close{By: ana})
		}
	}
}

func bodies(log []convo.Event) (all []string) {
	for i := range log {
		all = append(all, log[i].Row().Body)
	}
	return all
}
