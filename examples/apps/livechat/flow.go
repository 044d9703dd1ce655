package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/chatlifecycle/convo"
)

// question is one step of the flow. The next one follows the visitor's answer.
type question struct {
	text    string
	choices []string
}

// The flow greets every visitor who opens a conversation, and again every one who restarts it.
var flow = []question{
	{"Hello! What can we help you with?", []string{"A question before I buy", "An order of mine",
		"Something else"}},
	{"What is your e-mail address, in case we lose each other?", []string{"I'd rather not say"}},
	{"Thank you! Somebody will be with you in a moment.", nil},
}

const emailQuestion = 1 // its place in the flow

var flowBot = convo.ByAutomation("welcome-flow")

// progress is how far the flow has come since the conversation was opened or last restarted.
type progress struct {
	asked  int    // questions
	answer string // to the last one
	due    bool   // the next question is
}

// follow reads the progress off the log, so that it needs no state of its own. A human who has
// taken over ends the flow.
func follow(events []convo.Event) progress {
	var p progress
	started, human := false, false
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind == convo.ConversationOpened, e.Opening().RestartFlow:
			p, started, human = progress{due: true}, true, false
		case e.Kind == convo.MessageReceived && p.asked > 0:
			p.answer, p.due = e.Message().Body, true
		case e.Kind == convo.MessageSent && e.By == flowBot:
			p.asked, p.answer, p.due = p.asked+1, "", false
		case e.Kind == convo.MessageSent && e.By.Type == convo.ActorUser:
			human = true
		}
	}
	p.due = p.due && started && !human && p.asked < len(flow)
	return p
}

// advance asks the next question of the flow, if it is time. Its key makes it be asked once,
// whoever finds that it is time.
func (s *server) advance(ctx context.Context, c convo.Conversation) error {
	events, err := s.lastEvents(ctx, c, 0)
	if err != nil {
		return err
	}
	p := follow(events)
	if !p.due {
		return nil
	}
	if p.asked == emailQuestion+1 {
		if err := s.claim(ctx, c, p.answer); err != nil {
			return err
		}
	}
	q := flow[p.asked]
	send := convo.Send{By: flowBot, Channel: channel, Body: q.text,
		Key: fmt.Sprintf("flow/%s/%d/%d", c.ID, c.Cycle.Number, p.asked)}
	if len(q.choices) > 0 {
		if send.Attachments, err = json.Marshal(choices{q.choices}); err != nil {
			return err
		}
	}
	_, err = s.engine.Do(ctx, convo.ToConversation(c.Workspace, c.ID), send)
	if errors.Is(err, convo.ErrNotActive) {
		return nil // an agent was faster and closed it
	}
	return err
}

// choices are answers that a question offers, as the attachments of its message.
type choices struct {
	Choices []string `json:"choices"`
}

// claimed begins the channels of what visitors say of themselves. Each contact has a channel of its
// own, because nobody has checked it: it takes the real address from nobody, and is found by its
// value when contacts are compared.
const claimed = "claimed-email/"

const emailAttribute = "email" // of a contact's profile

// claim keeps the e-mail address that a visitor gave, if it is one.
func (s *server) claim(ctx context.Context, c convo.Conversation, answer string) error {
	a, err := mail.ParseAddress(strings.TrimSpace(answer))
	if err != nil || len(a.Address) > 200 {
		return nil //nolint:nilerr // no address, no claim: the visitor may rather not say
	}
	to := convo.Ref{Workspace: c.Workspace, Contact: c.Contact,
		Address: convo.Address{Channel: claimed + c.Contact, Value: strings.ToLower(a.Address)}}
	// The address is also in the profile, which lists have without asking for addresses.
	profile, err := json.Marshal(map[string]string{emailAttribute: to.Address.Value})
	if err != nil {
		return err
	}
	_, err = s.engine.Do(ctx, to, convo.LinkAddress{By: convo.ByContact()},
		convo.SetProfile{By: convo.ByContact(), Attributes: profile})
	var invalid *convo.ValidationError
	if errors.As(err, &invalid) {
		return nil
	}
	return err
}
