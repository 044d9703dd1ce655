package convo_test

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

var bot = convo.ByAutomation("bot")

// receiveForBot records a message. What opens a conversation holds it for the bot, for ten minutes
// at most.
func receiveForBot(
	ctx context.Context, engine *convo.Engine, to convo.Ref, id, text string, now time.Time,
) (convo.Result, error) {
	return engine.DoFunc(ctx, to, "", func(s convo.Snapshot) ([]convo.Command, error) {
		cmds := []convo.Command{convo.Receive{ExternalID: id, Body: text}}
		if !s.Conversation.Status.Active() {
			cmds = append(cmds, convo.SetPending{
				By: bot, Until: now.Add(10 * time.Minute), OnReceive: convo.OnReceiveStay,
			})
		}
		return cmds, nil
	})
}

// botsTurn reports whether the bot is to answer.
func botsTurn(c convo.Conversation) bool {
	return c.Status == convo.StatusPending && c.Assignee == "" && c.Team == ""
}

// handOver gives a conversation to people, with what the bot has found out.
func handOver(
	ctx context.Context, engine *convo.Engine, to convo.Ref, team, why string,
) (convo.Result, error) {
	return engine.Do(ctx, to,
		convo.Send{By: bot, Body: "I get somebody who knows."},
		convo.Note{By: bot, Body: why},
		convo.Assign{By: bot, Team: team},
		convo.Resume{By: bot})
}

// claim takes a conversation if nobody has it.
func claim(
	ctx context.Context, engine *convo.Engine, to convo.Ref, user string,
) (convo.Result, error) {
	return engine.DoFunc(ctx, to, "", func(s convo.Snapshot) ([]convo.Command, error) {
		if by := s.Conversation.Assignee; by != "" {
			return nil, fmt.Errorf("%s has it already", by)
		}
		return []convo.Command{convo.Assign{
			By: convo.ByUser(user), Assignee: user, Team: s.Conversation.Team,
		}}, nil
	})
}

// A bot answers first and hands over to people, as docs/bots.md explains it.
func Example_bots() {
	now := clock.NewMock()
	now.Set(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	store := memstore.New()
	engine := try(convo.New(store, convo.WithClock(now)))
	riya := convo.ToAddress("acme", "web", "visitor-7")

	r := try(receiveForBot(ctx, engine, riya, "m1", "Where is my order?", now.Now()))
	fmt.Println(r.Conversation.Status, "bot's turn:", botsTurn(r.Conversation))
	try(engine.Do(ctx, riya, convo.Send{By: bot, Body: "Which number has it?"}))
	now.Add(time.Minute)
	r = try(receiveForBot(ctx, engine, riya, "m2", "I do not know.", now.Now()))
	fmt.Println(r.Conversation.Status, "bot's turn:", botsTurn(r.Conversation))
	r = try(handOver(ctx, engine, riya, "orders", "Has no number of an order."))
	fmt.Println(r.Conversation.Status, "team:", r.Conversation.Team)

	for _, user := range []string{"ana", "ben"} {
		_, err := claim(ctx, engine, riya, user)
		fmt.Println(user, err)
	}
	now.Add(2 * time.Minute)
	try(engine.Do(ctx, riya, convo.Send{By: convo.ByUser("ana"), Body: "I found it."}))

	responses := try(report.Run(ctx, store, report.Query{
		Kind: report.Responses, Workspace: "acme",
		From: now.Now().Add(-time.Hour), To: now.Now().Add(time.Hour),
	}))
	for _, m := range []report.Measure{report.FirstResponse, report.HandoverFirstResponse} {
		fmt.Println(m, time.Duration(responses.Total[m].Mean)*time.Microsecond)
	}
	// Output:
	// pending bot's turn: true
	// pending bot's turn: true
	// open team: orders
	// ana <nil>
	// ben ana has it already
	// first_response 3m0s
	// handover_first_response 2m0s
}

// A bot that is down holds nobody up: when its time is over, people see the conversation.
func Example_botThatIsDown() {
	engine, now := exampleEngine()
	riya := convo.ToAddress("acme", "web", "visitor-7")
	try(receiveForBot(ctx, engine, riya, "m1", "Hello?", now.Now()))
	now.Add(10 * time.Minute)
	try(engine.Tick(ctx, 100)) // a program calls engine.Run(ctx, …), in a goroutine
	c := try(engine.Active(ctx, riya))
	fmt.Println(c.Status, "bot's turn:", botsTurn(c))
	// Output: open bot's turn: false
}
