package storetest

import (
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// messageCases are messages as they really come: quiet, late, and with ids that others have, too.
var messageCases = []testCase{
	{
		"Messages/that are quiet change nothing but the log",
		"a quiet message changes no status, timer, wait, response, cycle or count, in any status",
		quietChangesNothing,
	},
	{
		"Messages/that are quiet make a contact known who has no conversation",
		"a quiet message without a conversation is in the log of the contact itself",
		quietWithoutConversation,
	},
	{
		"Messages/from a campaign leave it to the answer to open or reopen",
		"what is sent quietly is in the history; the answer does what the policy says",
		campaign,
	},
	{
		"Messages/that come late are measured by when they were sent",
		"waits and responses count from SentAt, are never negative, and a response that was " +
			"given stays",
		lateMessages,
	},
	{
		"Messages/with a time far ahead of the clock are refused",
		"a time further ahead than MaxSkew is a *convo.ValidationError, and writes nothing",
		futureMessages,
	},
	{
		"Messages/say which address they came by, also after a merge",
		"a message event has the address that it came by or went to",
		addressedMessages,
	},
	{
		"Messages/of two people with the same id are both stored",
		"an external id is told apart by the address, and nobody is answered with another's data",
		sameIDs,
	},
}

// unmoved is c without what a message that changes nothing else moves.
func unmoved(c convo.Conversation) convo.Conversation {
	c.Version, c.UpdatedAt = 0, time.Time{}
	return c
}

func quietChangesNothing(s *suite) {
	e := s.with(convo.WithPolicy(convo.Policy{
		Receive: convo.OnClosed{Mode: convo.OnClosedReopen},
		AutoClose: convo.AutoClose{
			After: convo.Duration(time.Hour), Since: convo.SinceAnyEvent,
		},
	}))
	until := s.clock.Now().Add(30 * time.Minute)
	for contact, cmds := range map[string][]convo.Command{
		"open":    {convo.Receive{Channel: "mail", Address: "a@x", Body: "hi"}},
		"replied": {convo.Receive{Body: "hi"}, convo.Send{By: ana, Body: "hello"}},
		"pending": {convo.Receive{Body: "hi"}, convo.SetPending{By: ana, Until: until}},
		"closed":  {convo.Receive{Body: "hi"}, convo.Close{By: ana}},
	} {
		s.by(e, to(contact), cmds...)
		before := s.load(to(contact))
		s.clock.add(time.Minute)
		for _, quiet := range []convo.Command{
			convo.Receive{
				Channel: "mail", Address: contact, ExternalID: "1", Quiet: true, Body: "away",
			},
			convo.Send{By: bot, Channel: "mail", Quiet: true, Body: "news"},
			convo.Send{By: ana, Quiet: true, SentAt: s.clock.Now().Add(-time.Hour), Body: "late"},
		} {
			r := s.by(e, to(contact), quiet)
			s.Equal(convo.OutcomeRecorded, r.Outcome, contact)
			s.Len(r.Events, 1)
			s.True(r.Events[0].Message().Quiet)
			s.Equal(before.Contact, r.Contact)
			s.Equal(unmoved(before.Conversation), unmoved(r.Conversation), contact)
		}
		again, err := e.Do(s.ctx, to(contact), convo.Receive{
			Channel: "mail", Address: contact, ExternalID: "1", Quiet: true, Body: "away",
		})
		s.NoError(err)
		s.Equal(convo.OutcomeDuplicate, again.Outcome)
	}
	s.do(to("blocked"), convo.Open{By: ana}, convo.Block{By: ana})
	for _, quiet := range []convo.Command{
		convo.Receive{Quiet: true, Body: "away"}, convo.Send{By: bot, Quiet: true, Body: "news"},
	} {
		_, err := s.engine.Do(s.ctx, to("blocked"), quiet)
		s.ErrorIs(err, convo.ErrBlocked)
	}
}

func quietWithoutConversation(s *suite) {
	zoe := from("zoe", "mail", "zoe@example.com")
	away := convo.Receive{Quiet: true, ExternalID: "<1@x>", Body: "I am away"}
	r := s.do(zoe, away)
	s.Equal(convo.OutcomeRecorded, r.Outcome)
	s.Equal(uuid.Nil, r.Conversation.ID)
	s.Equal([]convo.Address{zoe.Address}, s.addresses(acme, "zoe"))
	k, err := s.engine.Contact(s.ctx, zoe)
	s.NoError(err)
	s.Equal(r.Contact, k)
	_, err = s.engine.Active(s.ctx, zoe)
	s.ErrorIs(err, convo.ErrNotActive)

	again, err := s.engine.Do(s.ctx, zoe, away)
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
	s.Equal(r.Events, again.Events, "the first result again")
	s.clock.add(time.Minute)
	r = s.do(to("zoe"), convo.Send{By: bot, Quiet: true, Body: "news"})
	s.Equal(uuid.Nil, r.Conversation.ID)

	s.clock.add(time.Hour)
	r = s.do(zoe, convo.Receive{Body: "Hi"})
	s.Equal(convo.OutcomeOpened, r.Outcome)
	s.True(r.Conversation.NewContact, "quiet messages do not count")
	s.Equal(1, r.Conversation.Cycle.Incoming)
	history, err := s.engine.History(s.ctx, to("zoe"), convo.EventCursor{}, 0)
	s.NoError(err)
	var bodies []string
	for _, e := range history {
		if m := e.Message(); m.Body != "" {
			bodies = append(bodies, m.Body)
		}
	}
	s.Equal([]string{"I am away", "news", "Hi"}, bodies)

	// Of the two, the one who only got news has a history that goes along in a merge.
	s.do(from("yan", "mail", "yan@example.com"), away)
	s.merge(s.engine, acme, "zoe", "yan")
	again, err = s.engine.Do(s.ctx, from("yan", "mail", "yan@example.com"), away)
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
	s.Equal("zoe", again.Contact.ID)
}

func campaign(s *suite) {
	for contact, p := range map[string]convo.Policy{
		"opens":   {},
		"reopens": {Receive: convo.OnClosed{Mode: convo.OnClosedReopen}},
	} {
		e := s.with(convo.WithPolicy(p))
		first := s.by(e, to(contact), convo.Receive{Body: "hi"}, convo.Close{By: ana})
		s.clock.add(time.Hour)
		r := s.by(e, to(contact), convo.Send{By: bot, Quiet: true, Body: "News"})
		s.Equal(convo.StatusClosed, r.Conversation.Status)
		s.Equal(first.Conversation.Cycle, r.Conversation.Cycle)
		s.clock.add(time.Minute)
		r = s.by(e, to(contact), convo.Receive{Body: "How much?"})
		if contact == "opens" {
			s.Equal(convo.OutcomeOpened, r.Outcome)
			s.NotEqual(first.Conversation.ID, r.Conversation.ID)
		} else {
			s.Equal(convo.OutcomeReopened, r.Outcome)
			s.Equal(first.Conversation.ID, r.Conversation.ID)
		}
	}
}

func lateMessages(s *suite) {
	nine := s.clock.Now().Truncate(time.Hour)
	at := func(minute int) time.Time { return nine.Add(time.Duration(minute) * time.Minute) }
	says := func(contact string, came, sent int, body string) convo.Cycle {
		s.clock.now.Store(at(came).UnixMicro())
		return s.do(to(contact), convo.Receive{SentAt: at(sent), Body: body}).Conversation.Cycle
	}
	replies := func(contact string, came, sent int) convo.Cycle {
		s.clock.now.Store(at(came).UnixMicro())
		return s.do(to(contact), convo.Send{By: ana, SentAt: at(sent), Body: "yes"}).
			Conversation.Cycle
	}

	says("late", 60, 2, "b")
	s.Equal(at(1), says("late", 61, 1, "a").WaitingSince, "before the opening")
	y := replies("late", 71, 71)
	s.Equal(at(61).Add(-time.Minute), y.OpenedAt)
	first, ok := y.FirstResponseTime()
	s.True(ok)
	s.Equal(70*time.Minute, first)
	s.Equal((70 * time.Minute).Microseconds(), y.ResponseMicros)
	// What was sent before the reply waits since the reply, and the first response stays.
	y = says("late", 72, 0, "c")
	s.Equal(at(71), y.WaitingSince)
	again, _ := y.FirstResponseTime()
	s.Equal(first, again)
	y = replies("late", 75, 75)
	s.Equal(2, y.Responses)
	s.Equal((74 * time.Minute).Microseconds(), y.ResponseMicros)

	shown := s.shown(s.load(to("late")).Conversation.ID)
	bodies := func() (all []string) {
		for _, m := range shown {
			all = append(all, m.Body)
		}
		return all
	}
	s.Equal([]string{"b", "a", "yes", "c", "yes"}, bodies(), "as they came")
	convo.SortBySending(shown)
	s.Equal([]string{"c", "a", "b", "yes", "yes"}, bodies(), "as they were sent")

	// A reply that was sent before what it ends was: no duration is negative.
	says("crossed", 80, 80, "hi")
	y = replies("crossed", 90, 70)
	s.Equal(1, y.Responses)
	s.Zero(y.ResponseMicros)
	first, ok = y.FirstResponseTime()
	s.True(ok)
	s.Zero(first)
	s.Equal(at(90), y.FirstResponseAt, "it is counted where it came")
	s.Equal(at(80), y.FirstResponseSentAt, "which reports take the duration from")

	// No wait begins before the closing that came before.
	e := s.with(convo.WithPolicy(convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}))
	s.clock.now.Store(at(100).UnixMicro())
	s.by(e, to("closed"), convo.Open{By: ana}, convo.Close{By: ana})
	s.clock.now.Store(at(110).UnixMicro())
	r := s.by(e, to("closed"), convo.Receive{SentAt: at(95), Body: "one more thing"})
	s.Equal(convo.OutcomeReopened, r.Outcome)
	s.Equal(at(100), r.Conversation.Cycle.WaitingSince)
}

func futureMessages(s *suite) {
	s.do(to("a"), convo.Receive{Body: "hi"})
	far := s.clock.Now().AddDate(10, 0, 0)
	near := s.clock.Now().Add(convo.DefaultMaxSkew + time.Microsecond)
	s.unchanged(func() {
		for _, t := range []time.Time{far, near} {
			for _, cmd := range []convo.Command{
				convo.Receive{At: t, Body: "hi"}, convo.Receive{SentAt: t, Body: "hi"},
				convo.Send{By: ana, SentAt: t, Quiet: true, Body: "hi"},
				convo.Close{By: ana, At: t}, convo.Note{By: ana, At: t, Body: "n"},
			} {
				_, err := s.engine.Do(s.ctx, to("a"), cmd)
				s.ErrorIs(err, convo.ErrInvalid, "%+v", cmd)
			}
		}
	})
	ahead := s.clock.Now().Add(convo.DefaultMaxSkew)
	r := s.do(to("a"), convo.Receive{SentAt: ahead, Body: "hi"})
	s.Equal(s.clock.Now(), r.Conversation.UpdatedAt, "it moves nothing")
	s.False(r.Conversation.Cycle.WaitingSince.After(s.clock.Now()))
	s.do(to("a"), convo.Receive{At: ahead, Body: "hi"})
	s.do(to("a"), convo.Receive{Body: "hi"}) // at the time of the one before
}

func addressedMessages(s *suite) {
	s.do(from("riya", "whatsapp", "+49"), convo.Receive{Body: "Hi"})
	s.do(from("tom", "mail", "tom@example.com"), convo.Receive{Body: "Hello"})
	s.merge(s.engine, acme, "riya", "tom")
	r := s.do(convo.ToAddress(acme, "mail", "tom@example.com"), convo.Receive{Body: "It is me"})
	id := convo.ToConversation(acme, r.Conversation.ID)
	s.Equal(convo.Address{Channel: "mail", Value: "tom@example.com"}, r.Conversation.Address)
	s.do(id, convo.Send{By: ana, Body: "there"})
	s.do(id, convo.Send{By: ana, Channel: "whatsapp", Address: "+49", Body: "and here"})
	s.do(id, convo.Send{By: ana, Body: "again"})
	s.do(id, convo.Send{By: ana, Channel: "fax", Body: "no address is known there"})
	s.do(to("riya"), convo.Send{By: bot, Quiet: true, Channel: "sms", Address: "1", Body: "News"})
	r = s.do(id, convo.Note{By: ana, Body: "a note goes nowhere"})
	s.Equal(convo.Address{Channel: "whatsapp", Value: "+49"}, r.Conversation.Address)
	log := s.events(convo.EventFilter{Workspace: acme, Conversation: r.Conversation.ID})
	var by [][2]string
	for _, e := range log {
		if m := e.Message(); m.Body != "" {
			by = append(by, [2]string{m.Channel, m.Address})
		}
	}
	s.Equal([][2]string{
		{"whatsapp", "+49"}, {"mail", "tom@example.com"}, {"mail", "tom@example.com"},
		{"whatsapp", "+49"}, {"whatsapp", "+49"}, {"fax", ""}, {"sms", "1"}, {"", ""},
	}, by)

	// Whom an agent writes to first is answered by the address that the conversation is opened for.
	eve := convo.ToAddress(acme, "mail", "eve@example.com")
	r = s.do(eve, convo.Open{By: ana})
	s.Equal(eve.Address, r.Conversation.Address)
	s.Equal(eve.Address.Value, r.Events[len(r.Events)-1].Opening().Address)
	r = s.do(convo.ToConversation(acme, r.Conversation.ID), convo.Send{By: ana, Body: "Hello"})
	sent := r.Events[0].Message()
	s.Equal(eve.Address, convo.Address{Channel: sent.Channel, Value: sent.Address})
	r = s.do(convo.ToAddress(acme, "mail", "zoe@example.com"), convo.Open{By: ana, Channel: "sms"})
	s.Zero(r.Conversation.Address)
}

func sameIDs(s *suite) {
	chat := func(value string) convo.Ref { return convo.ToAddress(acme, "telegram", value) }
	says := func(to convo.Ref, body string) convo.Result {
		r, err := s.engine.Do(s.ctx, to, convo.Receive{ExternalID: "17", Body: body})
		s.NoError(err)
		s.wrote(acme)
		return r
	}
	one, two := says(chat("chat-1"), "one"), says(chat("chat-2"), "two")
	s.NotEqual(one.Contact.ID, two.Contact.ID)
	s.Equal("two", two.Events[len(two.Events)-1].Message().Body)
	for to, want := range map[string]convo.Result{"chat-1": one, "chat-2": two} {
		r := says(chat(to), "again")
		s.Equal(convo.OutcomeDuplicate, r.Outcome)
		s.Equal(want.Conversation, r.Conversation)
		s.Equal(want.Contact, r.Contact)
	}
	// What is found under another contact's key is not answered with that contact's data.
	found := convo.Receive{Channel: "fax", Address: "9", ExternalID: "5", Body: "of a"}
	s.do(to("a"), found)
	s.do(to("b"), convo.Open{By: ana})
	r, err := s.engine.Do(s.ctx, to("b"), found)
	s.NoError(err)
	s.Equal(convo.Result{Outcome: convo.OutcomeDuplicate}, r)

	// Merged, they are one person with two messages 17: the address that is spoken to decides.
	s.merge(s.engine, acme, one.Contact.ID, two.Contact.ID)
	for to, want := range map[string]convo.Result{"chat-1": one, "chat-2": two} {
		r := says(chat(to), "again")
		s.Equal(convo.OutcomeDuplicate, r.Outcome)
		s.Equal(want.Conversation.ID, r.Conversation.ID)
	}
}
