package storetest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// changedCases are messages that are edited and taken back.
var changedCases = []testCase{
	{
		"Messages/that are edited stay one message, in any status",
		"an edit opens and reopens nothing, counts nothing, and the earlier texts stay in the log",
		editsOneMessage,
	},
	{
		"Messages/that are taken back keep their texts in the log, and redacted ones nowhere",
		"redact removes every text of a message, and nothing brings it back",
		takesBack,
	},
	{
		"Messages/in the log of a contact are edited and taken back as others are",
		"what is said of a message is in the log of its contact, also after a merge",
		changesOwnMessages,
	},
	{
		"Messages/are changed only by who has them",
		"a message is looked for under the root contact, by its event or its external id",
		changesOnlyOnes,
	},
}

// shown are the messages of a transcript.
func (s *suite) shown(id uuid.UUID) []convo.ShownMessage {
	return convo.Messages(s.events(convo.EventFilter{Workspace: acme, Conversation: id}))
}

func editsOneMessage(s *suite) {
	m1 := func(body string) convo.Command {
		return convo.Edit{
			By: convo.ByContact(), Channel: "chat", ExternalID: "m1", Body: body,
			Attachments: json.RawMessage(`["` + body + `"]`),
		}
	}
	e := s.with(convo.WithPolicy(convo.Policy{
		AutoClose: convo.AutoClose{After: convo.Duration(time.Hour), Since: convo.SinceAnyEvent},
	}))
	r := s.by(e, to("k"), convo.Receive{Channel: "chat", ExternalID: "m1", Body: "at 5"})
	before := r.Conversation
	s.clock.add(time.Minute)
	r = s.by(e, to("k"), m1("at 6"))
	s.Equal(convo.OutcomeEdited, r.Outcome)
	s.Equal(unmoved(before), unmoved(r.Conversation))
	s.Equal(convo.OutcomeUnchanged, s.by(e, to("k"), m1("at 6")).Outcome)
	closed := s.by(e, to("k"), convo.Close{By: ana}).Conversation
	s.clock.add(time.Hour)
	r = s.by(e, to("k"), m1("at 7"))
	s.Equal(unmoved(closed), unmoved(r.Conversation), "closed, and nothing opened or reopened")
	s.Len(s.list(convo.Filter{Workspace: acme}), 1)

	log := s.events(convo.EventFilter{Workspace: acme, Conversation: closed.ID})
	all, err := json.Marshal(log)
	s.NoError(err)
	for _, text := range []string{"at 5", "at 6", "at 7"} {
		s.Contains(string(all), text)
	}
	shown := s.shown(closed.ID)
	s.Len(shown, 1)
	s.Equal("at 7", shown[0].Body)
	s.JSONEq(`["at 7"]`, string(shown[0].Attachments))
	s.Equal("at 5", shown[0].Event.Message().Body)
	s.Equal(s.clock.Now(), shown[0].EditedAt)

	// Somebody's later conversation is no hindrance, and a note is edited by its event.
	second := s.do(to("k"), convo.Open{By: ana}, convo.Note{By: ana, Body: "n"})
	s.Equal(closed.ID, s.do(to("k"), m1("at 8")).Conversation.ID)
	note := second.Events[len(second.Events)-1].ID
	r = s.do(to("k"), convo.Edit{By: ana, Message: note, Body: "note", Key: "edit"})
	s.Equal(second.Conversation.ID, r.Conversation.ID)
	s.Equal("note", s.shown(r.Conversation.ID)[0].Body)
	again, err := s.engine.Do(s.ctx, to("k"),
		convo.Edit{By: ana, Message: note, Body: "note", Key: "edit"})
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome)

	s.do(to("k"), convo.Block{By: ana})
	_, err = s.engine.Do(s.ctx, to("k"), m1("at 9"))
	s.ErrorIs(err, convo.ErrBlocked)
	s.do(to("k"), convo.Edit{By: ana, Message: note, Body: "an agent may"})
}

func takesBack(s *suite) {
	const secret = "4111-1111"
	card := convo.Receive{
		Channel: "chat", ExternalID: "m1", Body: "My card is " + secret,
		Attachments: json.RawMessage(`{"card":"` + secret + `"}`),
	}
	edit := convo.Edit{
		By: convo.ByContact(), Channel: "chat", ExternalID: "m1", Body: "It is " + secret + " 7",
	}
	retract := convo.Retract{By: convo.ByContact(), Channel: "chat", ExternalID: "m1"}
	text := func(id uuid.UUID) string {
		log, err := json.Marshal(s.events(convo.EventFilter{Workspace: acme, Conversation: id}))
		s.NoError(err)
		history, err := json.Marshal(s.events(convo.EventFilter{Workspace: acme, Contact: "k"}))
		s.NoError(err)
		return string(log) + string(history)
	}
	id := s.do(to("k"), card, convo.Receive{Body: "another"}).Conversation.ID
	s.do(to("k"), edit)
	s.do(to("k"), convo.Close{By: ana})
	closed := s.load(to("k")).Conversation

	r := s.do(to("k"), retract)
	s.Equal(convo.OutcomeRetracted, r.Outcome)
	s.Equal(unmoved(closed), unmoved(r.Conversation))
	s.Equal(convo.OutcomeUnchanged, s.do(to("k"), retract).Outcome)
	edit.Body = "again"
	s.Equal(convo.OutcomeUnchanged, s.do(to("k"), edit).Outcome, "it is taken back")
	s.Equal(3*2, strings.Count(text(id), secret))
	shown := s.shown(id)
	s.Len(shown, 2)
	s.Empty(shown[0].Body)
	s.Empty(shown[0].Attachments)
	s.False(shown[0].RetractedAt.IsZero())
	s.False(shown[0].Redacted)
	s.Equal("another", shown[1].Body)

	retract.Redact, retract.By = true, ana
	before := s.load(to("k")).Conversation
	ch := s.decideAbout(to("k"), retract)
	s.Len(ch.Redact, 2)
	s.do(to("k"), convo.Note{By: ana, Body: "meanwhile"})
	s.refuses([]convo.Change{ch}, convo.ErrConflict)
	s.Contains(text(id), secret)
	r, err := s.engine.Do(s.ctx, to("k"), retract)
	s.NoError(err)
	s.Equal(convo.OutcomeRetracted, r.Outcome)
	s.Equal(unmoved(before), unmoved(r.Conversation))
	s.NotContains(text(id), secret)
	s.Equal(convo.OutcomeUnchanged, s.do(to("k"), retract).Outcome)
	s.True(s.shown(id)[0].Redacted)
	s.Equal("another", s.shown(id)[1].Body)

	again, err := s.engine.Do(s.ctx, to("k"), card)
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome, "a redelivery brings nothing back")
	s.Equal(convo.OutcomeUnchanged, s.do(to("k"), edit).Outcome)
	s.NotContains(text(id), secret)
}

// decideAbout is what the engine would commit now of a command about a message.
func (s *suite) decideAbout(to convo.Ref, cmd convo.Command) (ch convo.Change) {
	caught := &catching{Store: s.store}
	e, err := convo.New(caught, convo.WithClock(s.clock))
	s.NoError(err)
	_, err = e.Do(s.ctx, to, cmd)
	s.ErrorIs(err, errCaught)
	return caught.change
}

func changesOwnMessages(s *suite) {
	zoe := from("zoe", "mail", "zoe@example.com")
	s.do(zoe, convo.Receive{Quiet: true, ExternalID: "1", Body: "secret one"})
	news := s.do(zoe, convo.Send{By: bot, Quiet: true, Body: "secret news"}).Events[0].ID
	s.do(to("zoe"), convo.Edit{By: bot, Message: news, Body: "secret, corrected"})
	s.do(to("zoe"), convo.Receive{Channel: "mail", Body: "Hi"}) // a conversation, by now
	s.merge(s.engine, acme, s.do(to("root"), convo.Open{By: ana}).Contact.ID, "zoe")
	s.clock.add(time.Minute)

	history := func() ([]convo.ShownMessage, string) {
		log := s.events(convo.EventFilter{Workspace: acme, Contact: "root"})
		text, err := json.Marshal(log)
		s.NoError(err)
		return convo.Messages(log), string(text)
	}
	r, err := s.engine.Do(s.ctx, to("root"), convo.Edit{
		By: convo.ByContact(), Channel: "mail", Address: "zoe@example.com", ExternalID: "1",
		Body: "secret two",
	})
	s.NoError(err)
	s.Equal(convo.OutcomeEdited, r.Outcome)
	s.Equal(uuid.Nil, r.Conversation.ID)
	shown, _ := history()
	s.Equal("secret two", shown[0].Body)
	s.Equal("secret, corrected", shown[1].Body)
	s.Equal("Hi", shown[2].Body)
	for _, cmd := range []convo.Command{
		convo.Retract{By: ana, Message: shown[0].Event.ID, Redact: true},
		convo.Retract{By: ana, Message: news, Redact: true},
	} {
		_, err := s.engine.Do(s.ctx, zoe, cmd)
		s.NoError(err)
	}
	shown, text := history()
	s.NotContains(text, "secret")
	s.True(shown[0].Redacted && shown[1].Redacted)
	s.Len(shown, 3)
}

func changesOnlyOnes(s *suite) {
	message := convo.Receive{ExternalID: "17", Body: "one"}
	one := s.do(from("a", "chat", "1"), message)
	two := s.do(from("b", "chat", "2"), message)
	edit := func(to convo.Ref, e convo.Edit) error {
		e.By, e.Body = ana, "edited"
		_, err := s.engine.Do(s.ctx, to, e)
		return err
	}
	event := one.Events[len(one.Events)-1].ID
	s.unchanged(func() {
		s.ErrorIs(edit(to("b"), convo.Edit{Message: event}), convo.ErrNotFound)
		s.ErrorIs(edit(to("b"), convo.Edit{Channel: "chat", Address: "1", ExternalID: "17"}),
			convo.ErrNotFound)
		s.ErrorIs(edit(to("a"), convo.Edit{Message: one.Events[0].ID}), convo.ErrNotFound,
			"an opening is no message")
		s.ErrorIs(edit(to("a"), convo.Edit{Channel: "chat", ExternalID: "18"}), convo.ErrNotFound)
		s.ErrorIs(edit(to("nobody"), convo.Edit{Message: event}), convo.ErrNotFound)
		s.ErrorIs(edit(convo.ToContact("other", "a"), convo.Edit{Message: event}),
			convo.ErrNotFound)
		s.ErrorIs(edit(to("a"), convo.Edit{}), convo.ErrInvalid)
		s.ErrorIs(edit(to("a"), convo.Edit{Message: event, Channel: "chat", ExternalID: "17"}),
			convo.ErrInvalid)
		s.ErrorIs(edit(to("a"), convo.Edit{ExternalID: "17"}), convo.ErrInvalid)
		_, err := s.engine.Do(s.ctx, to("a"), convo.Note{By: ana, Body: "n"},
			convo.Retract{By: ana, Message: event})
		s.ErrorIs(err, convo.ErrInvalid, "it stands alone")
	})
	s.merge(s.engine, acme, "a", "b")
	s.ErrorIs(edit(to("a"), convo.Edit{Channel: "chat", ExternalID: "17"}), convo.ErrInvalid,
		"which of the two?")
	s.NoError(edit(to("a"), convo.Edit{Channel: "chat", Address: "2", ExternalID: "17"}))
	s.Equal("one", s.shown(one.Conversation.ID)[0].Body)
	s.Equal("edited", s.shown(two.Conversation.ID)[0].Body)
	s.NoError(edit(to("b"), convo.Edit{Message: event}))
	s.Equal("edited", s.shown(one.Conversation.ID)[0].Body)
}
