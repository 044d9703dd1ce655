package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var forgettingCases = []testCase{
	{
		"ForgetKeys/goes by the age of what was written",
		"a key whose event is old is removed, and no other one", forgetsKeys,
	},
	{
		"ForgetKeys/removes what leads nowhere",
		"a key whose event is gone is removed, whatever its age", forgetsWhatLeadsNowhere,
	},
	{
		"ForgetKeys/pages through all keys",
		"each key is looked at once, whatever the page", pagesThroughKeys,
	},
	{
		"ForgetKeys/races with messages",
		"a message that is delivered many times at once is there once", racesOfForgetting,
	},
}

// forgets removes the keys that are older than a day, by pages of a limit.
func (s *suite) forgets(limit int) int {
	return s.prunes(convo.Retention{Keys: 24 * time.Hour}, limit).Keys
}

func forgetsKeys(s *suite) {
	ann := to("ann")
	in := convo.Receive{Channel: "chat", ExternalID: "1", Key: "a call", Body: "hi"}
	outcome := func(to convo.Ref, cmd convo.Command) convo.Outcome {
		r, err := s.engine.Do(s.ctx, to, cmd)
		s.NoError(err)
		return r.Outcome
	}
	first := s.do(ann, in)
	s.do(to("bob"), convo.Receive{
		Quiet: true, Channel: "chat", Address: "+1", ExternalID: "1", Body: "in no conversation",
	})
	block := convo.Block{By: ana, Key: "blocked"}
	s.do(to("eve"), convo.Receive{Quiet: true, Body: "hi"})
	s.do(to("eve"), block)
	s.clock.add(24 * time.Hour)
	s.do(ann, convo.Receive{Channel: "chat", ExternalID: "2", Body: "hi"})
	s.Zero(s.forgets(1), "a day old, and no older")
	s.clock.add(time.Microsecond)
	s.Equal(3, s.forgets(1))
	s.Zero(s.forgets(1))
	s.Empty(s.keys(acme, convo.KeyID{Channel: "chat", Address: "+1", ID: "1"}))
	s.Equal(convo.OutcomeDuplicate, outcome(to("eve"), block), "a key without an event has no age")
	s.Equal(convo.OutcomeDuplicate,
		outcome(ann, convo.Receive{Channel: "chat", ExternalID: "2", Body: "hi"}))
	s.Equal(convo.OutcomeRecorded, outcome(ann, in), "taken as new")
	s.Equal(convo.OutcomeDuplicate, outcome(ann, in), "and remembered again")
	s.Equal(first.Conversation.ID, s.load(ann).Conversation.ID)
	log := s.logOf(first.Conversation)
	s.Equal("1", log[1].Row().ExternalID, "the message says its id as before")

	erase := convo.Erase{Workspace: acme, Contact: "ann", By: ana, Key: "request"}
	token := s.erase("ann", "request").Contact.ID
	again, err := s.engine.Erase(s.ctx, erase)
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
	s.clock.add(24*time.Hour + time.Microsecond)
	s.Equal(4, s.forgets(2), "hashes of keys, and the key of the erasure")
	_, err = s.engine.Erase(s.ctx, erase)
	s.ErrorIs(err, convo.ErrNotFound)
	s.Equal(token, s.load(to(token)).Contact.ID)
}

func forgetsWhatLeadsNowhere(s *suite) {
	in := convo.Receive{Channel: "chat", ExternalID: "1", Key: "a call", Body: "hi"}
	block := convo.Block{By: ana, Key: "blocked"} // of which nothing is in the conversation
	c := s.do(to("ann"), in, convo.Close{By: ana, Key: "closing"}).Conversation
	s.do(to("ann"), block)
	s.do(to("bob"), convo.Receive{Quiet: true, Body: "hi"}, convo.Block{By: ana, Key: "bob's"})
	s.settles()
	s.removed = whole
	c, err := s.store.Conversation(s.ctx, acme, c.ID)
	s.NoError(err)
	s.NoError(s.store.RemoveConversation(s.ctx, acme, c.ID, c.Version))
	s.Empty(s.keys(acme, convo.KeyID{Channel: "chat", Contact: "ann", ID: "1"}))
	for _, cmd := range []convo.Command{in, block} {
		r, err := s.engine.Do(s.ctx, to("ann"), cmd)
		s.NoError(err)
		s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, r,
			"it was carried out, and what it wrote is gone")
	}
	s.Equal(3, s.forgets(2), "young as they are")
	s.NotEmpty(s.keys(acme, convo.KeyID{ID: "bob's"}), "it leads to nothing that could be gone")
}

func pagesThroughKeys(s *suite) {
	n := 0
	for _, workspace := range []string{"a", "b", acme, "z"} {
		for _, channel := range []string{"chat", "mail"} {
			for _, contact := range []string{"ann", "bob"} {
				for i, address := range []string{"", "+1" + contact, "+2" + contact} {
					at := convo.Address{Channel: channel, Value: address}
					ref := convo.ToContact(workspace, contact)
					if i > 0 {
						ref.Address = at
					}
					s.do(ref, convo.Receive{
						Channel: channel, ExternalID: fmt.Sprint("17 ", i), Body: "hi",
					})
					n++
				}
			}
		}
	}
	walk := func(before time.Time, limit int) (places []convo.KeyPlace, removed int) {
		var at convo.KeyPlace
		for {
			next, n, err := s.store.ForgetKeys(s.ctx, before, at, limit)
			s.NoError(err)
			s.LessOrEqual(n, limit)
			if removed += n; next == (convo.KeyPlace{}) {
				return places, removed
			}
			places, at = append(places, next), next
		}
	}
	long := s.clock.Now().Add(-time.Hour)
	all, removed := walk(long, 1)
	s.Zero(removed)
	s.Greater(len(all), n/2, "a page has one, and perhaps the last one of a part of the store")
	for limit := 2; limit <= 5; limit++ {
		some, _ := walk(long, limit)
		last := -1
		for _, place := range some {
			at := slices.Index(all, place)
			s.Greater(at, last, "by pages of %d", limit)
			s.LessOrEqual(at, last+limit, "by pages of %d", limit)
			last = at
		}
	}
	s.removed.Keys = time.Hour
	_, removed = walk(s.clock.Now().Add(time.Microsecond), 7)
	s.Equal(n, removed)
}

// racesOfForgetting has a message whose key is old be delivered again, many times, while keys go:
// it is a duplicate, or new, but not twice new.
func racesOfForgetting(s *suite) {
	for round := range rounds {
		ann := to(fmt.Sprint("ann ", round))
		in := convo.Receive{Channel: "chat", ExternalID: uuid.NewString(), Body: "hi"}
		s.do(ann, in)
		s.clock.add(24*time.Hour + time.Microsecond)
		s.removed.Keys = 24 * time.Hour
		got := s.raced(func(i int) (convo.Outcome, error) {
			if i%2 == 0 {
				_, err := s.engine.Prune(s.ctx, convo.Retention{Keys: 24 * time.Hour},
					convo.PrunePlace{}, 0)
				return convo.OutcomeErased, err
			}
			r, err := s.engine.Do(s.ctx, ann, in)
			return r.Outcome, err
		})
		s.LessOrEqual(got[string(convo.OutcomeRecorded)], 1, "%v", got)
		s.forgets(10) // what somebody had in hand
		s.Len(s.keys(acme, convo.KeyID{
			Channel: "chat", Contact: ann.Contact, ID: in.ExternalID,
		}), got[string(convo.OutcomeRecorded)])
	}
}
