package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// racers is how many calls start at once, rounds how often.
const (
	racers = 32
	rounds = 4
)

var raceCases = []testCase{
	{
		"Races/open one conversation for all first messages",
		"a contact has at most one active conversation, and no message is lost",
		racesToOpen,
	},
	{
		"Races/make one contact of a new address",
		"an address belongs to one contact",
		racesToAnAddress,
	},
	{
		"Races/give an address to one of many contacts",
		"an address belongs to one contact",
		racesToLink,
	},
	{
		"Races/take a message once, however often it is delivered",
		"a key is unique in its workspace",
		racesToDeliver,
	},
	{
		"Races/take all that is said of messages once, in any order",
		"an echo, its id, its receipts and an edit are applied once, however they race",
		racesOfWebhooks,
	},
	{"Races/apply a host's key once", "a key is unique in its workspace", racesWithAKey},
	{
		"Races/close once",
		"of two changes that were decided on the same version one is refused",
		racesToClose,
	},
	{"Races/reopen once", "a contact has at most one active conversation", racesToReopen},
	{
		"Races/merge once",
		"of two changes that were decided on the same version one is refused",
		racesToMerge,
	},
	{
		"Races/merge one way of two",
		"a merge is decided on both contacts as they are",
		racesOfOppositeMerges,
	},
	{
		"Races/merge while both contacts write",
		"a merge leaves neither an orphan nor two active conversations, and no message is lost",
		racesOfMergeAndReceive,
	},
	{
		"Races/handle each due thing once, however many runners tick",
		"of two changes that were decided on the same version one is refused",
		racesToTick,
	},
}

// race calls f with 0 to racers-1 at once and returns the errors.
func race(f func(i int) error) []error {
	errs := make([]error, racers)
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i := range racers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// raced carries out what of says at once, and returns how many times each outcome came. An error
// counts under the one of may that it is; there must be no other.
func (s *suite) raced(of func(i int) (convo.Outcome, error), may ...error) map[string]int {
	outcomes := make([]convo.Outcome, racers)
	errs := race(func(i int) (err error) {
		outcomes[i], err = of(i)
		return err
	})
	count := map[string]int{}
	for i, err := range errs {
		name := string(outcomes[i])
		if err != nil {
			name = ""
			for _, m := range may {
				if errors.Is(err, m) {
					name = m.Error()
				}
			}
			s.NotEmpty(name, "racer %d: %v", i, err)
		}
		count[name]++
	}
	return count
}

// racedTo is raced for commands.
func (s *suite) racedTo(of func(i int) (convo.Ref, convo.Command), may ...error) map[string]int {
	return s.raced(func(i int) (convo.Outcome, error) {
		to, cmd := of(i)
		r, err := s.engine.Do(s.ctx, to, cmd)
		return r.Outcome, err
	}, may...)
}

// messages counts those that the contact's history has.
func (s *suite) messages(contact string) (n int) {
	for _, e := range s.events(convo.EventFilter{Workspace: acme, Contact: contact}) {
		if e.Kind == convo.MessageReceived {
			n++
		}
	}
	return n
}

func racesToOpen(s *suite) {
	for round := range rounds {
		contact := fmt.Sprint("contact ", round)
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			return to(
				contact,
			), convo.Receive{Channel: "sms", ExternalID: fmt.Sprint(round, ".", i), Body: "hi"}
		})
		s.Equal(map[string]int{"opened": 1, "recorded": racers - 1}, got)
		all := s.list(convo.Filter{Workspace: acme, Contact: contact})
		s.Len(all, 1)
		s.Equal(racers, all[0].Cycle.Incoming)
		s.Equal(racers, s.messages(contact))
	}
}

func racesToAnAddress(s *suite) {
	for round := range rounds {
		address := convo.ToAddress(acme, "sms", fmt.Sprint(round))
		got := s.racedTo(
			func(i int) (convo.Ref, convo.Command) { return address, convo.Receive{Body: "hi"} },
		)
		s.Equal(map[string]int{"opened": 1, "recorded": racers - 1}, got)
		s.Equal(racers, s.messages(s.load(address).Contact.ID))
	}
	s.Len(s.list(convo.Filter{Workspace: acme}), rounds)
}

func racesToLink(s *suite) {
	for i := range racers {
		s.do(to(fmt.Sprint("contact ", i)), convo.Open{By: ana})
	}
	for round := range rounds {
		value := fmt.Sprint(round)
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			return from(fmt.Sprint("contact ", i), "sms", value), convo.LinkAddress{By: ana}
		}, convo.ErrAddressTaken)
		s.Equal(map[string]int{"linked": 1, convo.ErrAddressTaken.Error(): racers - 1}, got)
	}
}

func racesToDeliver(s *suite) {
	for round := range rounds {
		contact := fmt.Sprint("contact ", round)
		results := make([]convo.Result, racers)
		got := s.raced(func(i int) (_ convo.Outcome, err error) {
			results[i], err = s.engine.Do(
				s.ctx,
				to(contact),
				convo.Receive{Channel: "sms", ExternalID: contact, Body: "hi"},
			)
			return results[i].Outcome, err
		})
		s.Equal(map[string]int{"opened": 1, "duplicate": racers - 1}, got)
		s.Equal(1, s.messages(contact))
		for _, r := range results[1:] {
			s.Equal(results[0].Conversation, r.Conversation)
			s.Equal(results[0].Events, r.Events)
		}
	}
}

func racesWithAKey(s *suite) {
	s.do(to("a"), convo.Open{By: ana})
	for round := range rounds {
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			return to("a"), convo.Note{By: ana, Key: fmt.Sprint(round), Body: "once"}
		})
		s.Equal(map[string]int{"recorded": 1, "duplicate": racers - 1}, got)
	}
	s.Equal(int64(1+rounds), s.load(to("a")).Conversation.Version)
}

func racesToClose(s *suite) {
	for round := range rounds {
		s.do(to("a"), convo.Open{By: ana})
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			return to("a"), convo.Close{By: convo.ByUser(fmt.Sprint(i)), Summary: fmt.Sprint(round)}
		}, convo.ErrNotActive)
		s.Equal(map[string]int{"closed": 1, convo.ErrNotActive.Error(): racers - 1}, got)
	}
}

func racesToReopen(s *suite) {
	var closed [2]uuid.UUID
	for i := range closed {
		closed[i] = s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation.ID
	}
	for range rounds {
		got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
			return convo.ToConversation(acme, closed[i%2]), convo.Reopen{By: ana}
		}, convo.ErrActiveExists)
		s.Equal(
			map[string]int{
				"reopened":                    1,
				"unchanged":                   racers/2 - 1,
				convo.ErrActiveExists.Error(): racers / 2,
			},
			got,
		)
		s.do(to("a"), convo.Close{By: ana})
	}
}

func (s *suite) racedMerge(e *convo.Engine, primary, secondary string) (convo.Outcome, error) {
	r, err := e.Merge(
		s.ctx,
		convo.Merge{Workspace: acme, Primary: primary, Secondary: secondary, By: ana},
	)
	return r.Outcome, err
}

func racesToMerge(s *suite) {
	for round := range rounds {
		a, b := fmt.Sprint("a", round), fmt.Sprint("b", round)
		s.do(to(a), convo.Open{By: ana})
		s.do(to(b), convo.Open{By: ana})
		got := s.raced(func(i int) (convo.Outcome, error) { return s.racedMerge(s.engine, a, b) })
		s.Equal(map[string]int{"merged": 1, "unchanged": racers - 1}, got)
	}
}

func racesOfOppositeMerges(s *suite) {
	for round := range rounds {
		names := [...]string{fmt.Sprint("a", round), fmt.Sprint("b", round)}
		s.do(to(names[0]), convo.Open{By: ana})
		s.do(to(names[1]), convo.Open{By: ana})
		var outcomes [racers]convo.Outcome
		errs := race(func(i int) (err error) {
			outcomes[i], err = s.racedMerge(s.engine, names[i%2], names[1-i%2])
			return err
		})
		root := s.load(to(names[0])).Contact.ID
		merged := 0
		for i, err := range errs {
			if names[i%2] != root {
				s.Error(err, "the merge of %q into its own secondary", root)
				continue
			}
			s.NoError(err)
			if outcomes[i] == convo.OutcomeMerged {
				merged++
			}
		}
		s.Equal(1, merged)
		s.Equal(root, s.load(to(names[1])).Contact.ID)
	}
}

func racesOfMergeAndReceive(s *suite) {
	for round := range 2 * rounds {
		e := s.with(
			convo.WithPolicy(
				convo.Policy{
					Merge: []convo.MergeMode{convo.MergeClose, convo.MergeTransfer}[round%2],
				},
			),
		)
		names := [...]string{fmt.Sprint("primary ", round), fmt.Sprint("secondary ", round)}
		for i, id := range names {
			s.do(to(id), convo.Receive{Body: "hi"})
			if round&2 == 0 || i == 0 {
				s.do(to(id), convo.Close{By: ana}) // so that both, or the primary, are to be opened
			}
		}
		got := s.raced(func(i int) (convo.Outcome, error) {
			if i == racers/2 {
				return s.racedMerge(e, names[0], names[1])
			}
			_, err := s.engine.Do(s.ctx, to(names[i%2]), convo.Receive{Body: "hi"})
			return "received", err
		})
		s.Equal(map[string]int{"merged": 1, "received": racers - 1}, got)
		s.Equal(names[0], s.load(to(names[1])).Contact.ID)
		s.Equal(2+racers-1, s.messages(names[0]))
	}
}

func racesToTick(s *suite) {
	const waiting = 20
	for round := range rounds {
		until := s.clock.Now().Add(time.Minute)
		for i := range waiting {
			s.do(
				to(fmt.Sprint("contact ", i)),
				convo.Open{By: ana},
				convo.SetPending{By: ana, Until: until},
			)
		}
		s.clock.add(time.Hour)
		var done [racers]int
		for i, err := range race(func(i int) (err error) {
			done[i], err = s.engine.Tick(s.ctx, waiting)
			return err
		}) {
			s.NoError(err, "runner %d", i)
		}
		sum := 0
		for _, n := range done {
			sum += n
		}
		s.Equal(waiting, sum)
		s.Empty(s.due(farAway, 1))
		for i := range waiting {
			c := s.load(to(fmt.Sprint("contact ", i))).Conversation
			s.Equal(convo.StatusOpen, c.Status)
			s.Equal(
				time.Duration(round+1)*time.Minute,
				c.Cycle.PendingTime(),
				"woken when it was due",
			)
		}
	}
}
