package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chatlifecycle/convo"
	"github.com/google/uuid"
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
		"Locked/writes nothing of what Commit refused, though f goes on",
		"Commit writes the changes all or nothing",
		lockedRefuses,
	},
	{
		"Locked/holds what it loads",
		"nobody else changes what Locked's store has loaded before f returns",
		lockedHolds,
	},
	{
		"Locked/loads what Load loads, whatever leads to it",
		"Load answers the same under the lock",
		lockedLoadsTheSame,
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

func lockedLoadsTheSame(s *suite) {
	l, ok := s.store.(convo.Locker)
	if !ok {
		return
	}
	open, hi, done := convo.Open{By: ana}, convo.Receive{Body: "hi"}, convo.Close{By: ana}
	for name, cmds := range map[string][]convo.Command{
		"active": {open}, "pending": {open, convo.SetPending{By: ana}}, "closed": {hi, done},
		"closed before": {hi, done, open, done}, "never": {convo.Block{By: ana}},
		"root": {hi, done}, "root of active": {open},
	} {
		ref := from(name, "sms", name)
		if name == "never" {
			s.do(ref, hi, done)
		}
		s.do(ref, cmds...)
		if conversation := s.load(ref).Conversation.ID; conversation != uuid.Nil {
			s.loadsTheSame(l, convo.ToConversation(acme, conversation))
		}
	}
	for i, secondary := range []string{"closed", "active"} { // and a root of each
		s.merge(s.engine, acme, []string{"root", "root of active"}[i], secondary)
	}
	for _, contact := range []string{
		"active", "pending", "closed", "closed before", "never", "root", "root of active", "nobody",
	} {
		s.loadsTheSame(l, to(contact))
		s.loadsTheSame(l, convo.ToAddress(acme, "sms", contact))
		for _, address := range []string{contact, "pending", "closed", "unknown"} {
			s.loadsTheSame(l, from(contact, "sms", address))
		}
	}
}

func (s *suite) loadsTheSame(l convo.Locker, ref convo.Ref) {
	var got convo.Snapshot
	s.NoError(l.Locked(s.ctx, acme, func(ctx context.Context) (err error) {
		got, err = l.Load(ctx, ref)
		return err
	}))
	s.Equal(s.load(ref), got, "%+v", ref)
}

func lockedRefuses(s *suite) {
	l, ok := s.store.(convo.Locker)
	if !ok {
		return
	}
	s.do(to("b stale"), convo.Open{By: ana})
	good := s.decide(to("a good"), convo.Open{By: ana})
	stale := s.decide(to("b stale"), convo.Note{By: ana, Body: "late"})
	s.do(to("b stale"), convo.Note{By: ana, Body: "first"})
	s.unchanged(func() {
		_ = l.Locked(s.ctx, acme, func(ctx context.Context) error {
			s.refused(l.Commit(ctx, good, stale), convo.ErrConflict)
			return nil
		})
	})
	s.Zero(s.load(to("a good")).Contact.Version, "a part of it is there")
}
