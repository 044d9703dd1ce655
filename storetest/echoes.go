package storetest

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// changesEchoes has a message with an echo, in the same log or in another one, changed before and
// after they are known to be one.
func changesEchoes(s *suite) {
	for _, where := range []string{"here", "elsewhere", "in the log of the contact"} {
		for _, when := range []string{
			"message before", "echo before", "message after", "echo after", "by id after",
		} {
			for _, redact := range []bool{false, true} {
				s.changesEcho(where, when, redact)
			}
		}
	}
}

// An echo in the log of the contact, of a message in a conversation.
func identifiesQuietEcho(s *suite) {
	k := from("k", "sms", "1")
	s.do(k, convo.Send{By: ana, Quiet: true, ExternalID: "q1", Body: "hello"})
	r := s.do(k, convo.Open{By: ana}, convo.Send{By: ana, Body: "hello"})
	sent := r.Events[len(r.Events)-1]
	r = s.do(k, convo.Identify{By: ana, Message: sent.ID, ExternalID: "q1"})
	s.Equal(convo.MessageDuplicated, r.Events[0].Kind)
	history, err := s.engine.History(s.ctx, k, convo.EventCursor{}, 0)
	s.NoError(err)
	shown := convo.Messages(history)
	s.Len(shown, 1)
	s.Equal(sent.ID, shown[0].Event.ID)
}

func (s *suite) changesEcho(where, when string, redact bool) {
	contact := uuid.NewString()
	k := from(contact, "whatsapp", contact)
	about := where + ", " + when
	do := func(cmd convo.Command) convo.Event {
		s.clock.add(time.Minute)
		r, err := s.engine.Do(s.ctx, k, cmd)
		s.NoError(err, about)
		s.NotEmpty(r.Events, about)
		return r.Events[len(r.Events)-1]
	}
	quiet := where == "in the log of the contact"
	if !quiet {
		do(convo.Open{By: ana})
	}
	message := do(convo.Send{By: ana, Quiet: quiet, Body: "secret"})
	if where == "elsewhere" {
		do(convo.Close{By: ana})
		do(convo.Open{By: ana})
	}
	echo := do(convo.Send{By: bot, Quiet: quiet, ExternalID: "w1", Body: "secret echo"})
	byID := convo.MessageRef{Channel: "whatsapp", ExternalID: "w1"}
	change := func(m convo.MessageRef) {
		do(convo.Edit{
			By: ana, Message: m.Event, Channel: m.Channel, ExternalID: m.ExternalID,
			Body: "a secret",
		})
		if redact {
			do(convo.Retract{
				By: ana, Message: m.Event, Channel: m.Channel, ExternalID: m.ExternalID,
				Redact: true,
			})
		}
	}
	if when == "message before" {
		change(convo.MessageRef{Event: message.ID})
	}
	if when == "echo before" {
		change(byID)
	}
	do(convo.Identify{By: bot, Message: message.ID, Channel: "whatsapp", ExternalID: "w1"})
	switch when {
	case "message after":
		change(convo.MessageRef{Event: message.ID})
	case "echo after":
		change(convo.MessageRef{Event: echo.ID})
	case "by id after":
		change(byID)
	}

	log := s.events(convo.EventFilter{Workspace: acme, Contact: contact})
	shown := convo.Messages(log)
	s.Len(shown, 1, about)
	text, err := json.Marshal(log)
	s.NoError(err)
	s.Equal(redact, shown[0].Redacted, about)
	if redact {
		s.NotContains(string(text), "secret", about)
		s.Empty(shown[0].Body, about)
	} else {
		s.Equal("a secret", shown[0].Body, about)
		s.Contains(string(text), "secret echo", about)
	}
}
