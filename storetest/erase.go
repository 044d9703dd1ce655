package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const eraseRule = "what is erased is nowhere any more, and all else is as it was"

var eraseCases = []testCase{
	{"Erase/leaves nothing of a person", eraseRule, erasesAPerson},
	{"Erase/names nobody who did something elsewhere", eraseRule, erasesWhoDidIt},
	{
		"Erase/is repeated by its key",
		"an erasure is carried out once, and answers the same again",
		repeatsErasures,
	},
	{
		"Erase/leaves keys by which a redelivery is known",
		"what was erased is not brought back by a message that is delivered again",
		knowsWhatWasErased,
	},
	{
		"Erase/leaves nobody to write to",
		"an erased contact takes no commands, and is neither merged nor unmerged",
		refusesTheErased,
	},
	{
		"Erase/refuses what was decided before",
		"of two changes that were decided on the same version one is refused",
		refusesWhatIsStaleByErasure,
	},
	{
		"Erase/replaces a contact in what is another one's by now",
		"no id and no address of an erased contact is left in what it does not own",
		erasesElsewhere,
	},
	{
		"Erase/leaves a key by which a message is known that came to somebody else",
		"what was erased is not brought back by a message that is delivered again",
		knowsWhatWasAnothersBefore,
	},
	{
		"Erase/finds who is named while it is at work",
		"what is written between what an erasure reads and its commit does not stay named",
		erasesWhoIsNamedMeanwhile,
	},
	{
		"Erase/replaces who had a conversation before its owner gave it away",
		"no id of an erased contact is left in what it does not own",
		erasesWhoHadItBefore,
	},
	{"Erase/races with messages", eraseRule, racesOfEraseAndReceive},
	{"Erase/races with merges", eraseRule, racesOfEraseAndMerge},
}

func (s *suite) erase(contact, key string) convo.EraseResult {
	r, err := s.engine.Erase(s.ctx,
		convo.Erase{Workspace: acme, Contact: contact, By: ana, Key: key})
	s.NoError(err)
	return r
}

// everything is all that the store shows of acme, as text.
func (s *suite) everything() string {
	all := []any{s.picture(acme)}
	roots, err := s.store.Contacts(s.ctx,
		convo.ContactFilter{Workspace: acme, Limit: convo.MaxPageSize})
	s.NoError(err)
	for _, k := range roots {
		family, err := s.store.Family(s.ctx, acme, k.ID)
		s.NoError(err)
		all = append(all, k, family, s.addresses(acme, k.ID),
			s.events(convo.EventFilter{Workspace: acme, Contact: k.ID}))
	}
	for _, c := range s.list(convo.Filter{Workspace: acme}) {
		cycles, err := s.store.ClosedCycles(s.ctx, acme, c.ID)
		s.NoError(err)
		all = append(all, c, cycles)
	}
	for _, id := range []string{"in", "out", "quiet", "told", "moved", "unknown", "last"} {
		receipts, err := s.store.Deliveries(s.ctx, acme,
			[]convo.KeyID{{Channel: "sms", ID: Canary + " " + id}})
		s.NoError(err)
		all = append(all, receipts)
	}
	text, err := json.Marshal(all)
	s.NoError(err)
	return string(text)
}

func (s *suite) exported(contact string) string {
	var b strings.Builder
	s.NoError(s.engine.Export(s.ctx, to(contact), &b))
	return b.String()
}

// cyclesCounted are what reports count in each conversation.
func (s *suite) cyclesCounted() map[uuid.UUID]convo.Cycle {
	all := map[uuid.UUID]convo.Cycle{}
	for _, c := range s.list(convo.Filter{Workspace: acme}) {
		k := c.Cycle
		k.OpenedBy.ID, k.Closing, k.Rating.Comment = "", convo.Closing{}, ""
		all[c.ID] = k
	}
	return all
}

// U22: of a contact that is deleted no text, id or address is left anywhere; counts are as before.
func erasesAPerson(s *suite) {
	s.Empty(unsaid(append(canaries(), alone(uuid.Nil)...)),
		"fields of commands of which nothing is said here")
	s.canaries(acme)
	s.do(to("zoe"), convo.Receive{Body: "hi", Attachments: json.RawMessage(`[1]`)})
	zoe := s.events(convo.EventFilter{Workspace: acme, Contact: "zoe"})
	s.Contains(s.everything(), Canary)
	s.Contains(s.exported(Canary+" id"), Canary+" told")
	before := s.cyclesCounted()
	r := s.erase(Canary+" id", "the key of "+Canary)
	s.Equal(convo.OutcomeErased, r.Outcome)
	s.Equal(3, r.Removed.Contacts)
	s.Equal(3, r.Removed.Addresses)
	s.Positive(r.Removed.Events)
	s.Equal(3, r.Removed.Elsewhere)
	s.shows(r.Contact, convo.Conversation{}, r.Events)
	shown := s.everything()
	at := strings.Index(shown, Canary)
	s.Negative(at, "still there: %s", shown[max(0, at-200):min(len(shown), max(0, at)+200)])
	for _, id := range []string{r.Contact.ID, "peer", "once"} {
		s.NotContains(s.exported(id), Canary)
	}
	s.Equal(before, s.cyclesCounted())
	s.Equal(zoe, s.events(convo.EventFilter{Workspace: acme, Contact: "zoe"}))
	s.Zero(s.load(to(Canary + " id")).Contact.Version)
	s.Zero(s.load(convo.ToAddress(acme, "sms", Canary+"+1")).Contact.Version)
	s.False(s.load(to(r.Contact.ID)).Contact.ErasedAt.IsZero())
}

// What somebody did in another one's conversation, or own log, does not name who it was any more.
func erasesWhoDidIt(s *suite) {
	riya := convo.Actor{Type: convo.ActorContact, ID: "riya"}
	s.do(to("riya"), convo.Receive{Body: "hi"})
	s.do(to("bob"), convo.Receive{Quiet: true, By: riya, Body: "of his own log"})
	s.do(to("bob"), convo.Receive{By: riya, Body: "of his conversation"})
	s.do(to("bob"), convo.Receive{Quiet: true, By: riya, Body: "quietly"})
	token := s.erase("riya", "").Contact.ID
	by := map[string]int{}
	for _, e := range s.events(convo.EventFilter{Workspace: acme, Contact: "bob"}) {
		by[e.By.ID]++
	}
	s.Zero(by["riya"])
	s.GreaterOrEqual(by[token], 3)
}

func repeatsErasures(s *suite) {
	s.do(from("ann", "sms", "1"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	s.do(to("bob"), convo.Receive{Body: "hi"})
	first := s.erase("ann", "erase ann")
	s.Equal(convo.Erased{Contacts: 1, Addresses: 1, Conversations: 1, Events: 3}, first.Removed)
	s.unchanged(func() {
		again := s.erase("ann", "erase ann")
		s.Equal(convo.OutcomeDuplicate, again.Outcome)
		s.Equal(first.Contact, again.Contact)
		s.Equal(first.Removed, again.Removed)
		_, err := s.engine.Erase(s.ctx,
			convo.Erase{Workspace: acme, Contact: "bob", By: ana, Key: "erase ann"})
		s.ErrorIs(err, convo.ErrKeyReused)
		_, err = s.engine.Do(s.ctx, to("bob"), convo.Note{By: ana, Key: "erase ann", Body: "?"})
		s.ErrorIs(err, convo.ErrKeyReused)
		_, err = s.engine.Erase(s.ctx, convo.Erase{Workspace: acme, Contact: "ann", By: ana})
		s.ErrorIs(err, convo.ErrNotFound)
	})
	s.merge(s.engine, acme, "bob", s.do(to("eve"), convo.Receive{Body: "hi"}).Contact.ID)
	s.unchanged(func() {
		_, err := s.engine.Erase(s.ctx, convo.Erase{Workspace: acme, Contact: "eve", By: ana})
		s.ErrorIs(err, convo.ErrMerged)
	})
}

func knowsWhatWasErased(s *suite) {
	ann := from("ann", "sms", "1")
	news := convo.ToAddress(acme, "mail", "b@example.com")
	said := []struct {
		to  convo.Ref
		cmd convo.Command
	}{
		{ann, convo.Receive{ExternalID: "1", Body: "hi"}},
		{to("ann"), convo.Receive{Channel: "web", ExternalID: "2", Body: "by no address"}},
		{ann, convo.Note{By: ana, Key: "note", Body: "a note"}},
		{to("ann"), convo.Close{By: ana, Key: "close"}},
		{news, convo.Receive{Quiet: true, ExternalID: "3", Body: "quiet"}},
		{to("bob"), convo.Receive{Channel: "web", ExternalID: "4", Body: "of a merged one"}},
	}
	for _, c := range said {
		s.do(c.to, c.cmd)
	}
	s.merge(s.engine, acme, "ann", s.load(news).Contact.ID)
	s.merge(s.engine, acme, "ann", "bob")
	s.erase("ann", "")
	for range 2 { // also when there is somebody by that name again
		for _, c := range said {
			s.unchanged(func() {
				r, err := s.engine.Do(s.ctx, c.to, c.cmd)
				s.NoError(err, "%+v", c.cmd)
				s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, r)
			})
		}
		s.unchanged(func() {
			_, err := s.engine.Do(s.ctx, ann, convo.Note{By: ana, Key: "note", Body: "another"})
			s.ErrorIs(err, convo.ErrKeyReused)
		})
		r := s.do(ann, convo.Receive{ExternalID: fmt.Sprint("new ", s.clock.Now()), Body: "hello"})
		s.Equal("ann", r.Contact.ID)
		s.clock.add(time.Second)
	}
	s.Len(s.events(convo.EventFilter{Workspace: acme, Contact: "ann"}), 4)
	// Another one's message may have the same id.
	r := s.do(from("eve", "sms", "2"), convo.Receive{ExternalID: "1", Body: "hi"})
	s.Equal(convo.OutcomeOpened, r.Outcome)
}

// A message without an address is known by its contact, who is not the one that was erased.
func knowsWhatWasAnothersBefore(s *suite) {
	said := convo.Receive{Channel: "web", ExternalID: "1", Body: Canary}
	r := s.do(to("ann"), said)
	s.do(to("bob"), convo.Receive{Body: Canary}, convo.Close{By: ana})
	s.do(convo.ToConversation(acme, r.Conversation.ID), convo.Move{By: ana, Contact: "bob"})
	s.erase("bob", "")
	s.NotContains(s.everything(), Canary)
	for _, id := range []string{"ann", "bob"} {
		s.unchanged(func() {
			again, err := s.engine.Do(s.ctx, to(id), said)
			s.NoError(err)
			s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, again, id)
		})
	}
	s.Equal(convo.OutcomeOpened, s.do(to("eve"), said).Outcome, "another one's message")
}

// interrupted has something happen right before the commit of an erasure, the first time. It is no
// Locker, so nobody waits.
type interrupted struct {
	convo.Store
	do func()
}

func (m *interrupted) Commit(ctx context.Context, changes ...convo.Change) error {
	if f := m.do; f != nil && changes[0].Erase != nil {
		m.do = nil
		f()
	}
	return m.Store.Commit(ctx, changes...)
}

func erasesWhoIsNamedMeanwhile(s *suite) {
	riya := convo.Actor{Type: convo.ActorContact, ID: "riya"}
	for name, does := range map[string]func(convo.Ref){
		"in a conversation": func(to convo.Ref) { s.do(to, convo.Receive{By: riya, Body: "hi"}) },
		"in an own log": func(to convo.Ref) {
			s.do(to, convo.Receive{By: riya, Quiet: true, Body: "hi"})
		},
		"by a move": func(to convo.Ref) {
			r := s.do(convo.ToContact(acme, "riya").In("wrong"), convo.Receive{Body: "hi"})
			s.do(convo.ToConversation(acme, r.Conversation.ID),
				convo.Move{By: ana, Contact: to.Contact})
		},
		"by a merge that was undone": func(to convo.Ref) {
			s.do(to, convo.Receive{Body: "hi"})
			e := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
			s.merge(e, acme, "riya", to.Contact)
			_, err := e.Unmerge(s.ctx,
				convo.Unmerge{Workspace: acme, Contact: to.Contact, By: ana})
			s.NoError(err)
		},
	} {
		other := to(name)
		s.do(to("riya"), convo.Receive{Body: "hi"})
		e, err := convo.New(&interrupted{s.store, func() { does(other) }}, convo.WithClock(s.clock))
		s.NoError(err)
		_, err = e.Erase(s.ctx, convo.Erase{Workspace: acme, Contact: "riya", By: ana})
		s.NoError(err, name)
		log := s.events(convo.EventFilter{Workspace: acme, Contact: name})
		s.NotEmpty(log, name)
		for _, e := range log {
			text, err := json.Marshal(e)
			s.NoError(err)
			s.NotContains(string(text), "riya", name)
		}
	}
}

// What a contact said is moved by the one that it was merged into, and the merge undone.
func erasesWhoHadItBefore(s *suite) {
	said := s.do(to(Canary), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	s.do(to("root"), convo.Receive{Body: "hi"})
	s.merge(s.engine, acme, "root", Canary)
	s.do(convo.ToConversation(acme, said.ID), convo.Move{By: ana, Contact: "peer"})
	_, err := s.engine.Unmerge(s.ctx,
		convo.Unmerge{Workspace: acme, Contact: Canary, By: ana})
	s.NoError(err)
	s.erase(Canary, "")
	s.NotContains(s.everything(), Canary)
}

func refusesTheErased(s *suite) {
	s.do(to("ann"), convo.Receive{Body: "hi"})
	s.do(to("bob"), convo.Receive{Body: "hi"})
	s.do(to("eve"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	s.merge(s.engine, acme, "ann", "bob")
	r := s.erase("ann", "")
	token := r.Contact.ID
	family, err := s.store.Family(s.ctx, acme, token)
	s.NoError(err)
	s.Len(family, 1)
	other := s.list(convo.Filter{Workspace: acme, Contact: "eve"})[0].ID
	s.unchanged(func() {
		for _, c := range s.list(convo.Filter{Workspace: acme, Contact: token}) {
			for _, cmd := range []convo.Command{
				convo.Note{By: ana, Body: "a text"}, convo.Reopen{By: ana},
				convo.AmendClosing{By: ana, Summary: "a text"},
				convo.Move{By: ana, Contact: "eve"},
			} {
				_, err := s.engine.Do(s.ctx, convo.ToConversation(acme, c.ID), cmd)
				s.ErrorIs(err, convo.ErrErased, "%+v", cmd)
			}
		}
		_, err := s.engine.Do(s.ctx, to(token), convo.Receive{Body: "a text"})
		s.ErrorIs(err, convo.ErrErased)
		_, err = s.engine.Do(s.ctx, convo.ToConversation(acme, other),
			convo.Move{By: ana, Contact: token})
		s.ErrorIs(err, convo.ErrErased)
		for _, pair := range [][2]string{{token, "eve"}, {"eve", token}} {
			_, err = s.racedMergeOf(pair[0], pair[1])
			s.ErrorIs(err, convo.ErrErased)
		}
		for _, id := range []string{token, family[0].ID} {
			_, err = s.engine.Unmerge(s.ctx,
				convo.Unmerge{Workspace: acme, Contact: id, By: ana})
			s.ErrorIs(err, convo.ErrErased)
		}
		_, err = s.engine.Erase(s.ctx, convo.Erase{Workspace: acme, Contact: token, By: ana})
		s.ErrorIs(err, convo.ErrErased)
	})
}

func (s *suite) racedMergeOf(primary, secondary string) (convo.Outcome, error) {
	return s.racedMerge(s.engine, primary, secondary)
}

// What another process decided, or keeps, before the erasure, is refused after it.
func refusesWhatIsStaleByErasure(s *suite) {
	ann := from("ann", "sms", "1")
	elsewhere := s.with()
	s.by(elsewhere, ann, convo.Receive{Body: "hi"})
	closed := s.do(to("ann").In("old"), convo.Receive{Body: "hi"}, convo.Close{By: ana})
	merged := s.do(from("bob", "sms", "2"), convo.Receive{Quiet: true, Body: "hi"})
	quiet := merged.Events[len(merged.Events)-1].ID
	s.merge(s.engine, acme, "ann", "bob")
	old := convo.ToConversation(acme, closed.Conversation.ID)
	stale := []convo.Change{
		s.decide(ann, convo.Receive{Body: "a text"}),
		s.decide(old, convo.Note{By: ana, Body: "a text"}),
		s.decide(to("ann"), convo.Block{By: ana, Reason: "a text"}),
		s.decide(from("ann", "mail", "a@example.com"), convo.LinkAddress{By: ana}),
	}
	caught := &catching{Store: s.store}
	e, err := convo.New(caught, convo.WithClock(s.clock))
	s.NoError(err)
	_, err = e.Do(s.ctx, to("ann"), convo.Edit{By: ana, Message: quiet, Body: "a text"})
	s.ErrorIs(err, errCaught)
	stale = append(stale, caught.change)
	s.erase("ann", "")
	for _, ch := range stale {
		s.refuses([]convo.Change{ch}, convo.ErrConflict)
	}
	r := s.by(elsewhere, ann, convo.Receive{Body: "who is this?"})
	s.Equal(convo.OutcomeOpened, r.Outcome)
	s.True(r.Conversation.NewContact)
	s.Len(s.events(convo.EventFilter{Workspace: acme, Contact: "ann"}), 3)
}

func erasesElsewhere(s *suite) {
	s.canaries(acme)
	peer := s.events(convo.EventFilter{Workspace: acme, Contact: "peer"})
	once := s.events(convo.EventFilter{Workspace: acme, Contact: "once"})
	s.erase(Canary+" id", "")
	for contact, before := range map[string][]convo.Event{"peer": peer, "once": once} {
		after := s.events(convo.EventFilter{Workspace: acme, Contact: contact})
		i := 0
		for _, e := range after {
			if e.Kind == convo.ConversationErased {
				continue
			}
			was, is := before[i].Row(), e.Row()
			s.Equal(was.ID, is.ID)
			s.Equal(was.Body, is.Body, "what is theirs stays")
			i++
		}
		s.Len(before, i)
	}
	s.do(to("peer"), convo.Receive{Body: "still here"})
	s.do(to("once"), convo.Receive{Body: "still here"})
}

// racesOfEraseAndReceive has messages come while their contact is erased: each is erased, or a
// stranger's.
func racesOfEraseAndReceive(s *suite) {
	for round := range rounds {
		ann := from(fmt.Sprint("ann ", round), "sms", fmt.Sprint(round))
		s.do(ann, convo.Receive{Body: "hi"})
		results := make([]convo.EraseResult, racers)
		s.raced(func(i int) (convo.Outcome, error) {
			if i == racers/2 {
				r, err := s.engine.Erase(s.ctx,
					convo.Erase{Workspace: acme, Contact: ann.Contact, By: ana})
				results[i] = r
				return r.Outcome, err
			}
			r, err := s.engine.Do(s.ctx, ann,
				convo.Receive{ExternalID: fmt.Sprint(round, " ", i), Body: "a text"})
			return r.Outcome, err
		})
		token := results[racers/2].Contact.ID
		for _, e := range s.events(convo.EventFilter{Workspace: acme, Contact: token}) {
			s.Empty(e.Row().Body)
		}
		s.Equal(racers, s.messages(token)+s.messages(ann.Contact), "none is lost")
	}
}

func racesOfEraseAndMerge(s *suite) {
	for round := range rounds {
		a, b := fmt.Sprint(Canary, " a", round), fmt.Sprint(Canary, " b", round)
		s.do(to(a), convo.Receive{Body: "of a"})
		s.do(to(b), convo.Receive{Body: "of b"})
		s.raced(func(i int) (convo.Outcome, error) {
			if i%2 == 0 {
				r, err := s.engine.Erase(s.ctx, convo.Erase{
					Workspace: acme, Contact: a, By: ana, Key: fmt.Sprint("erase ", round),
				})
				return r.Outcome, err
			}
			return s.racedMerge(s.engine, a, b)
		}, convo.ErrNotFound)
		for _, c := range s.list(convo.Filter{Workspace: acme}) {
			if k := s.load(convo.ToConversation(acme, c.ID)).Contact; !k.ErasedAt.IsZero() {
				s.NotContains(c.Origin, Canary)
			}
		}
	}
}
