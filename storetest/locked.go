package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chatlifecycle/convo"
)

// lockedCases are for stores that are a convo.Locker; others pass them.
var lockedCases = []testCase{
	{
		"Locked/writes what f commits",
		"what Locked's store commits takes effect when f returns nil",
		lockedWrites,
	},
	{
		"Locked/writes nothing when f fails",
		"when f fails, Locked writes nothing and returns the error of f",
		lockedFails,
	},
	{
		"Locked/holds what it loads",
		"nobody else changes what Locked's store has loaded before f returns",
		lockedHolds,
	},
}

// locked carries out cmds under the store's lock, without trying again.
func (s *suite) locked(l convo.Locker, to convo.Ref, after error, cmds ...convo.Command) error {
	return l.Locked(s.ctx, to.Workspace, func(ctx context.Context) error {
		t, err := l.Load(ctx, to)
		if err != nil {
			return err
		}
		if err := l.Commit(ctx, s.decideOn(t, cmds...)); err != nil {
			return err
		}
		return after
	})
}

func lockedWrites(s *suite) {
	l, ok := s.store.(convo.Locker)
	if !ok {
		return
	}
	s.wrote(acme)
	s.NoError(s.locked(l, to("a"), nil, convo.Open{By: ana}))
	s.NoError(s.locked(l, to("a"), nil, convo.Close{By: ana, Summary: "done"}))
	c := s.load(to("a")).Conversation
	s.Equal("done", c.Cycle.Closing.Summary)
	s.NoError(s.locked(l, convo.ToConversation(acme, c.ID), nil, convo.Reopen{By: ana}))
	s.NoError(s.locked(l, convo.ToAddress(acme, "sms", "+1"), nil, convo.Receive{Body: "hi"}))
	s.NoError(s.locked(l, convo.ToAddress(acme, "sms", "+1"), nil, convo.Receive{Body: "hi"}))
	s.NoError(s.locked(l, from("a", "sms", "+2"), nil, convo.Note{By: ana, Body: "note"}))
	s.Equal(convo.StatusOpen, s.load(to("a")).Conversation.Status)
	s.Equal(2, s.load(convo.ToAddress(acme, "sms", "+1")).Conversation.Cycle.Incoming)
}

var errWanted = errors.New("f fails")

func lockedFails(s *suite) {
	l, ok := s.store.(convo.Locker)
	if !ok {
		return
	}
	s.do(to("a"), convo.Open{By: ana})
	s.unchanged(func() {
		s.ErrorIs(s.locked(l, to("a"), errWanted, convo.Close{By: ana}), errWanted)
		s.ErrorIs(s.locked(l, to("b"), errWanted, convo.Open{By: ana}), errWanted)
	})
	stale := s.decide(to("a"), convo.Note{By: ana, Body: "stale"})
	s.do(to("a"), convo.Note{By: ana, Body: "note"})
	s.unchanged(func() {
		s.refused(
			l.Locked(s.ctx, acme, func(ctx context.Context) error { return l.Commit(ctx, stale) }),
			convo.ErrConflict,
		)
	})
	cancelled, cancel := context.WithCancel(s.ctx)
	cancel()
	s.unchanged(func() {
		s.Error(
			l.Locked(
				cancelled,
				acme,
				func(ctx context.Context) error { return l.Commit(ctx, stale) },
			),
		)
	})
}

func lockedHolds(s *suite) {
	l, ok := s.store.(convo.Locker)
	if !ok {
		return
	}
	s.do(to("a"), convo.Open{By: ana})
	var others sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		others.Go(func() {
			for n := 0; n < rounds*4 && errs[i] == nil; n++ {
				_, errs[i] = s.engine.Do(
					s.ctx,
					to("a"),
					convo.Note{By: ana, Body: fmt.Sprint(i, ".", n)},
				)
			}
		})
	}
	var refused []error
	for range rounds * 4 {
		if err := s.locked(l, to("a"), nil, convo.Note{By: bot, Body: "held"}); err != nil {
			refused = append(refused, err)
		}
	}
	others.Wait()
	s.Empty(refused)
	s.NoError(errors.Join(errs...))
	s.Equal(int64(1+rounds*4*5), s.load(to("a")).Conversation.Version)
}
