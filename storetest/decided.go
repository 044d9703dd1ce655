package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

var decidedCases = []testCase{
	{
		"Calls that decide/let one of many claim a conversation",
		"what a call decides on is as it was loaded, or nothing is written",
		claims,
	},
	{
		"Calls that decide/are applied once under their key",
		"a key is unique in its workspace",
		decidesOnce,
	},
	{
		"Calls that decide/take a message once, however often it is delivered",
		"a key is unique in its workspace",
		decidesOnMessages,
	},
	{
		"Calls that decide/write nothing when the host refuses",
		"a call that fails writes nothing",
		refusesDecisions,
	},
}

// taken is what the host's function says when somebody else was faster.
type taken struct{ by string }

func (t taken) Error() string { return "taken by " + t.by }

// claim takes a conversation that nobody has.
func claim(user string) func(convo.Snapshot) ([]convo.Command, error) {
	return func(s convo.Snapshot) ([]convo.Command, error) {
		if by := s.Conversation.Assignee; by != "" {
			return nil, taken{by}
		}
		return []convo.Command{convo.Assign{By: convo.ByUser(user), Assignee: user}}, nil
	}
}

func claims(s *suite) {
	for round := range rounds {
		k := to(fmt.Sprint("k", round))
		s.do(k, convo.Receive{Body: "hello"})
		owners := make([]string, racers)
		s.raced(func(i int) (convo.Outcome, error) {
			user := fmt.Sprint("user", i)
			r, err := s.engine.DoFunc(s.ctx, k, "", claim(user))
			var other taken
			if errors.As(err, &other) {
				owners[i] = other.by // who lost is told who has it
				return convo.OutcomeUnchanged, nil
			}
			owners[i] = r.Conversation.Assignee
			return r.Outcome, err
		})
		c := s.load(k).Conversation
		s.NotEmpty(c.Assignee)
		for _, owner := range owners {
			s.Equal(c.Assignee, owner)
		}
		s.Equal(int64(3), c.Version, "opened, a message, and one assignment")
	}
}

func decidesOnce(s *suite) {
	for round := range rounds {
		k := to(fmt.Sprint("k", round))
		n := s.raced(func(int) (convo.Outcome, error) {
			r, err := s.engine.DoFunc(s.ctx, k, fmt.Sprint("call ", round),
				func(loaded convo.Snapshot) ([]convo.Command, error) {
					return []convo.Command{
						convo.Open{By: ana},
						convo.Note{By: ana, Body: fmt.Sprint("at ", loaded.Conversation.Version)},
					}, nil
				})
			return r.Outcome, err
		})
		s.Equal(racers-1, n[string(convo.OutcomeDuplicate)])
		s.Equal(int64(2), s.load(k).Conversation.Version)
	}
	// What wrote nothing is remembered too.
	k := to("k0")
	none := func(convo.Snapshot) ([]convo.Command, error) { return nil, nil }
	n := s.raced(func(int) (convo.Outcome, error) {
		r, err := s.engine.DoFunc(s.ctx, k, "nothing", none)
		return r.Outcome, err
	})
	s.Equal(map[string]int{"unchanged": 1, "duplicate": racers - 1}, n)
	_, err := s.engine.DoFunc(s.ctx, to("k1"), "nothing", none)
	s.ErrorIs(err, convo.ErrKeyReused)
	// So is a call all of whose commands were applied before.
	m1 := convo.Receive{Channel: "web", ExternalID: "m1", Body: "hi"}
	s.do(k, m1)
	runs := 0
	for range 2 {
		r, err := s.engine.DoFunc(s.ctx, k, "m1 again",
			func(convo.Snapshot) ([]convo.Command, error) {
				runs++
				return []convo.Command{m1}, nil
			})
		s.NoError(err)
		s.Equal(convo.OutcomeDuplicate, r.Outcome)
		s.Equal("m1", r.Events[len(r.Events)-1].Message().ExternalID)
	}
	s.Equal(1, runs)
	_, err = s.engine.DoFunc(s.ctx, k, "K", func(convo.Snapshot) ([]convo.Command, error) {
		return []convo.Command{convo.Note{By: ana, Key: "K", Body: "x"}}, nil
	})
	s.ErrorIs(err, convo.ErrInvalid)
	r, err := s.engine.DoFunc(s.ctx, to("nobody"), "nobody's", none)
	s.NoError(err)
	s.Equal(convo.OutcomeUnchanged, r.Outcome)
	s.Zero(s.load(to("nobody")).Contact.Version)
}

func decidesOnMessages(s *suite) {
	for round := range rounds {
		k := to(fmt.Sprint("k", round))
		// The first message of a lane that a bot has begins pending.
		s.raced(func(i int) (convo.Outcome, error) {
			r, err := s.engine.DoFunc(s.ctx, k, "",
				func(loaded convo.Snapshot) ([]convo.Command, error) {
					cmds := []convo.Command{convo.Receive{
						Channel: "web", ExternalID: fmt.Sprint(round, " ", i/4), Body: "hello",
					}}
					if loaded.Conversation.ID == uuid.Nil {
						cmds = append(cmds, convo.SetPending{By: convo.ByAutomation("bot")})
					}
					return cmds, nil
				})
			return r.Outcome, err
		})
		s.Equal(racers/4, s.messages(k.Contact))
	}
}

func refusesDecisions(s *suite) {
	no := fmt.Errorf("only on Mondays: %w", convo.ErrConflict) // which is no lost race
	applied := convo.Send{By: ana, Channel: "web", ExternalID: "m1", Key: "s1", Body: "hi"}
	s.do(to("applied"), convo.Open{By: ana})
	s.do(to("applied"), applied)
	s.do(to("k"), convo.Open{By: ana})
	s.do(to("other"), convo.Open{By: ana})
	guarded := s.with(convo.WithGuard(
		func(_ context.Context, loaded convo.Snapshot, ch convo.Change) error {
			s.Equal(loaded.Contact.Version, ch.Contact.Expected)
			for i := range ch.Events {
				if k := ch.Events[i].Kind; k == convo.ConversationClosed ||
					k == convo.ContactMerged || k == convo.ConversationResumed {
					return no
				}
			}
			return nil
		}))
	s.by(guarded, to("k"), convo.SetPending{By: ana, Until: s.clock.Now().Add(time.Minute)})
	s.clock.add(time.Hour)
	closing := func(convo.Snapshot) ([]convo.Command, error) {
		return []convo.Command{convo.Close{By: ana}}, nil
	}
	refusing := func(s convo.Snapshot) ([]convo.Command, error) {
		cmds, _ := closing(s)
		return cmds, no
	}
	asked := 0
	always := s.with(convo.WithGuard(
		func(context.Context, convo.Snapshot, convo.Change) error { asked++; return no }))
	s.unchanged(func() {
		r, err := always.Do(s.ctx, to("applied"), applied)
		s.NoError(err, "what was applied before is a duplicate nevertheless")
		s.Equal(convo.OutcomeDuplicate, r.Outcome)
		_, err = always.Do(s.ctx, to("applied"), convo.Note{By: ana, Key: "s1", Body: "x"})
		s.ErrorIs(err, convo.ErrKeyReused)
		asked = 0
		_, err = always.Tick(s.ctx, 0)
		s.ErrorIs(err, no)
		s.Equal(1, asked)
		_, err = guarded.Do(s.ctx, to("k"), convo.Note{By: ana, Body: "x"}, convo.Close{By: ana})
		s.ErrorIs(err, no)
		_, err = guarded.DoFunc(s.ctx, to("k"), "key", closing)
		s.ErrorIs(err, no)
		_, err = guarded.Merge(s.ctx,
			convo.Merge{Workspace: acme, Primary: "k", Secondary: "other", By: ana})
		s.ErrorIs(err, no)
		_, err = guarded.Tick(s.ctx, 0)
		s.ErrorIs(err, no)
		_, err = s.engine.DoFunc(s.ctx, to("k"), "key", refusing)
		s.ErrorIs(err, no)
	})
}
