package storetest

import "github.com/chatlifecycle/convo"

// namedCases are messages that are named by their external ids.
var namedCases = []testCase{
	{
		"Messages/that several have an id of are named by the address that is spoken to",
		"nothing is changed of a message that was not meant",
		namesOneOfSeveral,
	},
	{
		"Messages/are found by their ids wherever their calls went on",
		"the key of a message leads to it",
		findsWhatWentOn,
	},
	{
		"Messages/are no echoes of what was said in the other direction",
		"telling an id hides nothing but an echo",
		tellsOnlyEchoes,
	},
}

func namesOneOfSeveral(s *suite) {
	m17 := func(address string) convo.Receive {
		return convo.Receive{Channel: "chat", Address: address, ExternalID: "17", Body: "card"}
	}
	// Two contacts have a message 17 without an address, and one of them a third one with it.
	first := s.do(to("a"), m17("")).Events[1]
	s.do(to("b"), m17(""))
	third := s.do(from("c", "chat", "+3"), m17("")).Events[2]
	s.Equal("+3", third.Message().Address)
	s.merge(s.engine, acme, "a", "b")
	s.merge(s.engine, acme, "a", "c")
	retract := func(address string) convo.Retract {
		return convo.Retract{
			By: ana, Channel: "chat", Address: address, ExternalID: "17", Redact: true,
		}
	}
	answer := s.do(to("a"), convo.Send{By: ana, Channel: "chat", Body: "x"}).Events[0]
	s.unchanged(func() {
		for _, address := range []string{"", "+4"} {
			_, err := s.engine.Do(s.ctx, to("a"), retract(address))
			s.refused(err, convo.ErrInvalid)
		}
		_, err := s.engine.Do(s.ctx, to("a"), convo.Identify{
			By: ana, Message: answer.ID, Channel: "chat", ExternalID: "17",
		})
		s.refused(err, convo.ErrInvalid)
	})
	byAddress := retract("")
	byAddress.Channel = "" // which is that of the address
	r := s.do(convo.ToAddress(acme, "chat", "+3"), byAddress)
	s.Equal(third.ID, r.Events[0].Retracted().Message)
	byID := convo.Retract{By: ana, Message: first.ID, Redact: true}
	s.Equal(first.ID, s.do(to("a"), byID).Events[0].Retracted().Message)
}

func findsWhatWentOn(s *suite) {
	say := func(id string) convo.Receive {
		return convo.Receive{Channel: "chat", ExternalID: id, Body: "card"}
	}
	quiet := say("quiet")
	quiet.Quiet = true
	for _, c := range []struct {
		contact, id string
		cmds        []convo.Command
	}{
		{"closed", "m1", []convo.Command{say("m1"), convo.Close{By: ana}, convo.Open{By: ana}}},
		{"quiet", "quiet", []convo.Command{quiet, convo.Open{By: ana}}},
		{"two", "m3", []convo.Command{say("m2"), say("m3"), convo.Close{By: ana}, say("m4")}},
	} {
		k := to(c.contact)
		s.do(k, c.cmds...)
		again := s.do(k, c.cmds...)
		s.Equal(convo.OutcomeDuplicate, again.Outcome)
		one := s.do(k, say(c.id))
		s.Equal(convo.OutcomeDuplicate, one.Outcome)
		s.Equal(one.Conversation.ID, one.Events[0].Conversation)
		r := s.do(k, convo.Retract{By: ana, Channel: "chat", ExternalID: c.id, Redact: true})
		s.Equal(convo.OutcomeRetracted, r.Outcome)
	}
	// A history that begins with what was said before it.
	at := s.clock.Now().AddDate(-1, 0, 0)
	early := say("early")
	early.Quiet, early.At = true, at
	s.imports(convo.History{Key: "h", To: to("past"), Commands: []convo.Command{
		early, convo.Open{By: ana, At: at}, convo.Close{By: ana, At: at},
	}})
	s.Equal(convo.OutcomeRetracted,
		s.do(to("past"), convo.Retract{By: ana, Channel: "chat", ExternalID: "early"}).Outcome)
}

func tellsOnlyEchoes(s *suite) {
	k := from("k", "chat", "+1")
	s.do(k, convo.Receive{ExternalID: "17", Body: "a question"})
	sent := s.do(k, convo.Send{By: ana, ExternalID: "18", Body: "an echo, or so it seems"})
	answer := s.do(k, convo.Send{By: ana, Body: "an answer"}).Events[0]
	note := s.do(k, convo.Note{By: ana, Body: "a note"}).Events[0]
	s.unchanged(func() {
		for _, c := range []convo.Identify{
			{Message: answer.ID, ExternalID: "17"}, {Message: note.ID, ExternalID: "17"},
			{Message: note.ID, ExternalID: "new"},
		} {
			c.By, c.Channel = ana, "chat"
			_, err := s.engine.Do(s.ctx, k, c)
			s.refused(err, convo.ErrInvalid)
		}
	})
	r := s.do(k, convo.Identify{By: ana, Message: answer.ID, ExternalID: "18"})
	s.Equal(sent.Events[0].ID, r.Events[0].Duplicated().Duplicate)
}
