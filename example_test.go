package convo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

var ctx = context.Background()

// exampleEngine works in memory, and on a clock that stands still at nine on a Monday until an
// example moves it.
func exampleEngine(opts ...convo.Option) (*convo.Engine, *clock.Mock) {
	now := clock.NewMock()
	now.Set(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	return try(convo.New(memstore.New(), append(opts, convo.WithClock(now))...)), now
}

// try is for examples whose point is not the error.
func try[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// A message from a customer opens a conversation, an agent answers and closes it, and the library
// has the numbers.
func Example() {
	now := clock.NewMock() // your program leaves WithClock out
	engine, err := convo.New(memstore.New(), convo.WithClock(now))
	if err != nil {
		log.Fatal(err)
	}
	susan := convo.ToAddress("acme", "whatsapp", "+4912345")

	result, err := engine.Do(ctx, susan, convo.Receive{Body: "My toaster arrived broken."})
	fmt.Println(result.Outcome, err)

	now.Add(5 * time.Minute)
	result, err = engine.Do(ctx, susan, convo.Send{By: convo.ByUser("ana"),
		Body: "We will send a new one."})
	fmt.Println(result.Outcome, err)

	now.Add(10 * time.Minute)
	result, err = engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana"),
		Summary: "Replaced defective item."})
	fmt.Println(result.Outcome, err)

	firstResponse, _ := result.Conversation.Cycle.FirstResponseTime()
	resolution, _ := result.Conversation.Cycle.ResolutionTime()
	fmt.Println("first response after", firstResponse, "and resolved after", resolution)
	// Output:
	// opened <nil>
	// recorded <nil>
	// closed <nil>
	// first response after 5m0s and resolved after 15m0s
}

// Every call answers what it did. What is the case already is no error: the outcome is unchanged,
// and nothing is written.
func ExampleEngine_Do() {
	engine, _ := exampleEngine()
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")

	for _, cmd := range []convo.Command{
		convo.Receive{Body: "Hello"},
		convo.Open{By: ana}, // it is open
		convo.Assign{By: ana, Assignee: "ana"},
		convo.SetPending{By: ana},
		convo.Receive{Body: "One more thing"}, // a pending conversation is resumed
		convo.Close{By: ana},
	} {
		result, err := engine.Do(ctx, susan, cmd)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-9s  %-7s  events: %d\n", result.Outcome, result.Conversation.Status,
			len(result.Events))
	}
	// Output:
	// opened     open     events: 2
	// unchanged  open     events: 0
	// assigned   open     events: 1
	// pending    pending  events: 1
	// resumed    open     events: 2
	// closed     closed   events: 1
}

// Susan contacts the company three times for three purposes, and a different agent attends to her
// each time. She has three conversations, and never more than one is open.
func ExampleEngine_Do_susan() {
	engine, now := exampleEngine()
	susan := convo.ToContact("acme", "susan")

	for _, visit := range []struct{ agent, question, summary string }{
		{"ana", "Where is my order?", "Told her the tracking number."},
		{"ben", "The toaster is broken.", "Replaced defective item."},
		{"eve", "Do you have it in red?", "Sold a red one."},
	} {
		agent := convo.ByUser(visit.agent)
		try(engine.Do(ctx, susan, convo.Receive{Body: visit.question}))
		try(engine.Do(ctx, susan, convo.Assign{By: agent, Assignee: agent.ID}))
		active := try(engine.Conversations(ctx, convo.Filter{
			Workspace: "acme", Contact: "susan", Status: []convo.Status{convo.StatusOpen,
				convo.StatusPending},
		}))
		fmt.Println("active:", len(active))

		now.Add(time.Hour)
		try(engine.Do(ctx, susan, convo.Close{By: agent, Summary: visit.summary}))
		now.Add(30 * 24 * time.Hour)
	}

	for _, c := range try(engine.Conversations(ctx,
		convo.Filter{Workspace: "acme", Contact: "susan"})) {
		fmt.Println(c.CreatedAt.Format(time.DateOnly), c.Status, c.Cycle.LastAssignee, "–",
			c.Cycle.Closing.Summary)
	}
	// Output:
	// active: 1
	// active: 1
	// active: 1
	// 2026-05-01 closed eve – Sold a red one.
	// 2026-04-01 closed ben – Replaced defective item.
	// 2026-03-02 closed ana – Told her the tracking number.
}

// Nobody has seen this number before: the message creates the contact and opens its conversation in
// one commit. The next one comes to the same conversation.
func ExampleEngine_Do_newContact() {
	engine, _ := exampleEngine()
	number := convo.ToAddress("acme", "whatsapp", "+4912345")

	for _, body := range []string{"Hello", "Is anybody there?"} {
		result := try(engine.Do(ctx, number, convo.Receive{Body: body}))
		fmt.Println(result.Outcome)
		for _, e := range result.Events {
			fmt.Println("  ", e.Kind)
		}
	}
	// Output:
	// opened
	//    address_linked
	//    conversation_opened
	//    message_received
	// recorded
	//    message_received
}

// Facebook and Viber tell when somebody opens the chat for the first time. That welcome event opens
// a conversation, but only for a contact without an active one.
func ExampleEngine_Do_welcomeEvent() {
	engine, _ := exampleEngine()
	welcome := convo.Open{By: convo.ByContact(), Source: convo.SourceWelcomeEvent}

	riya := convo.ToAddress("acme", "viber", "riya-7")
	result := try(engine.Do(ctx, riya, welcome))
	fmt.Println(result.Outcome, "through", result.Conversation.Cycle.OpenedSource)

	susan := convo.ToAddress("acme", "facebook", "susan-1")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}))
	result = try(engine.Do(ctx, susan, welcome))
	fmt.Println(result.Outcome, "through", result.Conversation.Cycle.OpenedSource)
	// Output:
	// opened through welcome_event
	// unchanged through incoming_message
}

// A user opens a conversation by hand, before the contact wrote anything.
func ExampleEngine_Do_byUser() {
	engine, _ := exampleEngine()

	result := try(engine.Do(ctx, convo.ToContact("acme", "susan"),
		convo.Open{By: convo.ByUser("ana"), Channel: "whatsapp"}))

	cycle := result.Conversation.Cycle
	fmt.Println(result.Outcome, "on", result.Conversation.Channel, "by", cycle.OpenedBy.ID,
		"through", cycle.OpenedSource)
	// Output: opened on whatsapp by ana through user
}

// A workflow greets a contact of its own accord: it opens, sends and assigns in one call, so that
// nobody ever sees an empty or an unassigned conversation.
func ExampleEngine_Do_proactiveGreeting() {
	engine, _ := exampleEngine()
	flow := convo.ByAutomation("order-ready")

	result := try(engine.Do(ctx, convo.ToAddress("acme", "whatsapp", "+4912345"),
		convo.Open{By: flow},
		convo.Send{By: flow, Body: "Hi Riya, your last order is ready for delivery. Would you " +
			"like to track it now?"},
		convo.Assign{By: flow, Team: "sales"},
	))

	c := result.Conversation
	fmt.Println(c.Status, "for team", c.Team, "through", c.Cycle.OpenedSource)
	fmt.Println("messages by automation:", c.Cycle.OutgoingAutomation)
	// Output:
	// open for team sales through automation
	// messages by automation: 1
}

// A Dialogflow agent that is done with a contact closes its conversation, and the closing says so.
func ExampleEngine_Do_dialogflow() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	try(engine.Do(ctx, susan, convo.Receive{Body: "What are your opening hours?"}))

	bot := convo.ByAutomation("opening-hours")
	result := try(engine.Do(ctx, susan,
		convo.Send{By: bot, Body: "We are here from nine to five."},
		convo.Close{By: bot, Source: convo.SourceDialogflow},
	))

	closing := result.Conversation.Cycle.Closing
	fmt.Println("closed by", closing.By.Type, closing.By.ID, "through", closing.Source)
	// Output: closed by automation opening-hours through dialogflow
}

// Messengers deliver a webhook again when they are not sure of the first time. With its external id
// the message is recorded once, and the answer is the first one's, whatever happened in between.
func ExampleEngine_Do_duplicateWebhook() {
	engine, _ := exampleEngine()
	susan := convo.ToAddress("acme", "whatsapp", "+4912345")
	webhook := convo.Receive{ExternalID: "wamid.42", Body: "Thanks!"}

	first := try(engine.Do(ctx, susan, webhook))
	try(engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana")}))
	again := try(engine.Do(ctx, susan, webhook))

	fmt.Println(first.Outcome, first.Conversation.Status)
	fmt.Println(again.Outcome, again.Conversation.Status)
	fmt.Println("the same conversation:", again.Conversation.ID == first.Conversation.ID)
	// Output:
	// opened open
	// duplicate closed
	// the same conversation: true
}

// A caller that does not know whether its call got through repeats it with the same key. Another
// request with that key is an error.
func ExampleEngine_Do_idempotencyKey() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	greet := []convo.Command{
		convo.Open{By: convo.ByAutomation("greeter"), Key: "campaign-7/susan"},
		convo.Send{By: convo.ByAutomation("greeter"), Body: "Hi Susan!"},
	}

	for range 2 {
		result := try(engine.Do(ctx, susan, greet...))
		fmt.Println(result.Outcome, "– messages sent:",
			result.Conversation.Cycle.OutgoingAutomation)
	}

	_, err := engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana"), Key: "campaign-7/susan"})
	fmt.Println("key reused:", errors.Is(err, convo.ErrKeyReused))
	// Output:
	// recorded – messages sent: 1
	// duplicate – messages sent: 1
	// key reused: true
}

// All of a call or nothing: because the last command is refused, the first one leaves no trace.
func ExampleEngine_Do_allOrNothing() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")

	_, err := engine.Do(ctx, susan,
		convo.Receive{Body: "Hello"},
		convo.AmendClosing{By: convo.ByUser("ana"), Summary: "Said hello."},
	)
	fmt.Println("not closed:", errors.Is(err, convo.ErrNotClosed))

	_, err = engine.Contact(ctx, susan)
	fmt.Println("not found:", errors.Is(err, convo.ErrNotFound))
	// Output:
	// not closed: true
	// not found: true
}

// An agent takes a conversation that nobody has. Of many who try at once, one gets it, and the
// others are told who.
func ExampleEngine_DoFunc_claim() {
	engine, _ := exampleEngine()
	riya := convo.ToContact("acme", "riya")
	try(engine.Do(ctx, riya, convo.Receive{Body: "Where is my order?"}))

	for _, user := range []string{"ana", "ben"} {
		r, err := engine.DoFunc(ctx, riya, "",
			func(s convo.Snapshot) ([]convo.Command, error) {
				if by := s.Conversation.Assignee; by != "" {
					return nil, fmt.Errorf("%s has it already", by)
				}
				return []convo.Command{convo.Assign{By: convo.ByUser(user), Assignee: user}}, nil
			})
		fmt.Println(user, r.Outcome, err)
	}
	// Output:
	// ana assigned <nil>
	// ben  ana has it already
}

// A bot answers first: what opens a conversation begins pending, in the same commit, and agents do
// not see it before the bot hands it over.
func ExampleEngine_DoFunc_botFirst() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.Policy{StayPending: true}))
	bot := convo.ByAutomation("bot")
	receive := func(id, body string) convo.Result {
		return try(engine.DoFunc(ctx, convo.ToAddress("acme", "web", "visitor-7"), "",
			func(s convo.Snapshot) ([]convo.Command, error) {
				cmds := []convo.Command{convo.Receive{ExternalID: id, Body: body}}
				if !s.Conversation.Status.Active() {
					cmds = append(cmds, convo.SetPending{By: bot})
				}
				return cmds, nil
			}))
	}
	for _, id := range []string{"m1", "m2", "m2"} {
		r := receive(id, "Hello")
		fmt.Println(id, r.Outcome, r.Conversation.Status)
	}
	// Output:
	// m1 pending pending
	// m2 recorded pending
	// m2 duplicate pending
}

// Who answers first gets the conversation.
func ExampleEngine_DoFunc_assignOnFirstReply() {
	engine, _ := exampleEngine()
	riya := convo.ToContact("acme", "riya")
	try(engine.Do(ctx, riya, convo.Receive{Body: "Where is my order?"}))

	reply := func(user, body string) convo.Result {
		by := convo.ByUser(user)
		return try(engine.DoFunc(ctx, riya, "",
			func(s convo.Snapshot) ([]convo.Command, error) {
				cmds := []convo.Command{convo.Send{By: by, Body: body}}
				if s.Conversation.Assignee == "" {
					cmds = append(cmds, convo.Assign{By: by, Assignee: user})
				}
				return cmds, nil
			}))
	}
	fmt.Println(reply("ana", "I look.").Conversation.Assignee)
	fmt.Println(reply("ben", "It is on its way.").Conversation.Assignee)
	// Output:
	// ana
	// ana
}

// A rule of the host's own: who closes must have the conversation.
func ExampleWithGuard() {
	errNotYours := errors.New("only who has it may close it")
	engine, _ := exampleEngine(convo.WithGuard(
		func(_ context.Context, s convo.Snapshot, ch convo.Change) error {
			for _, e := range ch.Events {
				if e.Kind == convo.ConversationClosed && e.By.Type == convo.ActorUser &&
					e.By.ID != s.Conversation.Assignee {
					return errNotYours
				}
			}
			return nil
		}))
	riya := convo.ToContact("acme", "riya")
	try(engine.Do(ctx, riya, convo.Receive{Body: "Where is my order?"},
		convo.Assign{By: convo.ByUser("ana"), Assignee: "ana"}))
	for _, user := range []string{"ben", "ana"} {
		r, err := engine.Do(ctx, riya, convo.Close{By: convo.ByUser(user)})
		fmt.Println(user, r.Outcome, err)
	}
	// Output:
	// ben  only who has it may close it
	// ana closed <nil>
}

// What an agent's browser sends says what to do; who does it is the host's to know.
func ExampleUntrustedCommands() {
	engine, _ := exampleEngine()
	riya := convo.ToContact("acme", "riya")
	try(engine.Do(ctx, riya, convo.Receive{Body: "Where is my order?"}))
	for _, body := range []string{
		`[{"command":"close","category":"Orders","by":{"type":"user","id":"boss"}}]`,
		`[{"command":"close","category":"Orders"}]`,
	} {
		cmds, err := convo.UntrustedCommands([]byte(body), convo.ByUser("ana"),
			convo.CommandSend, convo.CommandClose)
		if err != nil {
			fmt.Println(err)
			continue
		}
		r := try(engine.Do(ctx, riya, cmds...))
		fmt.Println(r.Outcome, "by", r.Conversation.Cycle.Closing.By.ID)
	}
	// Output:
	// convo: commands[0].by: is not the client's to say
	// closed by ana
}

// The agent's screen still shows the old conversation, but the contact has started another one. A
// command that names its conversation cannot hit the wrong one.
func ExampleToConversation() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	ana := convo.ByUser("ana")

	onScreen := try(engine.Do(ctx, susan, convo.Receive{Body: "Where is my order?"})).Conversation
	try(engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ben")}))
	current := try(engine.Do(ctx, susan,
		convo.Receive{Body: "The toaster is broken."})).Conversation

	_, err := engine.Do(ctx, convo.ToConversation("acme", onScreen.ID), convo.Close{By: ana})

	var refused *convo.StateError
	if errors.As(err, &refused) {
		fmt.Println("not active:", errors.Is(err, convo.ErrNotActive))
		fmt.Println("closed by:", refused.Closing.By.ID)
		fmt.Println("active is the current one:", refused.Active == current.ID)
	}
	// Output:
	// not active: true
	// closed by: ben
	// active is the current one: true
}

// A contact that has an id of the host and writes on several channels: naming both links the
// address.
func ExampleLinkAddress() {
	engine, _ := exampleEngine()
	try(engine.Do(ctx, convo.ToContact("acme", "susan"), convo.Receive{Body: "Hello"}))

	both := convo.Ref{
		Workspace: "acme", Contact: "susan", Address: convo.Address{Channel: "email",
			Value: "susan@example.com"},
	}
	fmt.Println(try(engine.Do(ctx, both, convo.LinkAddress{By: convo.ByUser("ana")})).Outcome)

	mail := convo.ToAddress("acme", "email", "susan@example.com")
	result := try(engine.Do(ctx, mail, convo.Receive{Body: "Writing from my laptop now."}))
	fmt.Println(result.Outcome, "for", result.Contact.ID)
	// Output:
	// linked
	// recorded for susan
}

// A blocked contact cannot write, and nobody writes to it by accident.
func ExampleBlock() {
	engine, _ := exampleEngine()
	spammer, ana := convo.ToContact("acme", "spammer"), convo.ByUser("ana")
	try(engine.Do(ctx, spammer, convo.Receive{Body: "Cheap watches!"}))
	try(engine.Do(ctx, spammer, convo.Close{By: ana}, convo.Block{By: ana, Reason: "spam"}))

	_, err := engine.Do(ctx, spammer, convo.Receive{Body: "Cheaper watches!"})
	fmt.Println(errors.Is(err, convo.ErrBlocked))

	try(engine.Do(ctx, spammer, convo.Unblock{By: ana}))
	fmt.Println(try(engine.Do(ctx, spammer, convo.Receive{Body: "I am sorry."})).Outcome)
	// Output:
	// true
	// opened
}

// The agent picked the wrong category. AmendClosing corrects the closing; what it was before stays
// in the log.
func ExampleAmendClosing() {
	engine, _ := exampleEngine()
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	try(engine.Do(ctx, susan, convo.Receive{Body: "The toaster is broken."}))
	try(engine.Do(ctx, susan, convo.Close{By: ana, Category: "Sales", Summary: "Replaced it."}))

	result := try(engine.Do(ctx, susan, convo.AmendClosing{By: ana, Category: "Support",
		Summary: "Replaced it."}))
	fmt.Println("now:", result.Conversation.Cycle.Closing.Category)

	for _, e := range try(engine.Transcript(ctx, convo.ToConversation("acme",
		result.Conversation.ID), convo.EventCursor{}, 0)) {
		if e.Row().Category != "" {
			fmt.Println(e.Kind, e.Row().Category)
		}
	}
	// Output:
	// now: Support
	// conversation_closed Sales
	// closing_amended Support
}

// Two agents close the same conversation. The second one is told what stands already.
func ExampleStateError() {
	engine, now := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}))
	try(engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ben"), Category: "Sales"}))

	now.Add(time.Hour)
	_, err := engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana"), Category: "Support"})

	var refused *convo.StateError
	if errors.Is(err, convo.ErrNotActive) && errors.As(err, &refused) {
		closing := refused.Closing
		fmt.Printf("%s refused: closed as %s by %s at %s\n",
			refused.Command, closing.Category, closing.By.ID, closing.At.Format(time.TimeOnly))
	}
	// Output: close refused: closed as Sales by ben at 09:00:00
}

// Bad input says which field is wrong, by its name in JSON, and what it must be.
func ExampleValidationError() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.Policy{Category: convo.RuleRequired}))
	susan := convo.ToContact("acme", "susan")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}))

	_, err := engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana")})

	var invalid *convo.ValidationError
	if errors.As(err, &invalid) {
		fmt.Println("field:", invalid.Field)
		fmt.Println("rule: ", invalid.Rule)
	}
	// Output:
	// field: category
	// rule:  is required by the policy
}

// IS-Messenger's way, which is the default: a message after a closing opens a new conversation.
func ExampleInboxPolicy() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.InboxPolicy()))
	susan := convo.ToContact("acme", "susan")

	first := try(engine.Do(ctx, susan, convo.Receive{Body: "Where is my order?"}))
	try(engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana")}))
	second := try(engine.Do(ctx, susan, convo.Receive{Body: "The toaster is broken."}))

	fmt.Println(second.Outcome, "another one:", second.Conversation.ID != first.Conversation.ID)
	// Output: opened another one: true
}

// Triochat's way: the Close step of a workflow records a category and a summary and takes the chat
// off the list of active ones; the Open step opens the same conversation again.
func ExampleWorkflowPolicy() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.WorkflowPolicy()))
	riya, flow := convo.ToContact("acme", "riya"), convo.ByAutomation("returns")
	active := convo.Filter{Workspace: "acme", Status: []convo.Status{convo.StatusOpen,
		convo.StatusPending}}

	first := try(engine.Do(ctx, riya, convo.Receive{Body: "The toaster is broken."}))
	fmt.Println("active:", len(try(engine.Conversations(ctx, active))))

	closed := try(engine.Do(ctx, riya, convo.Close{
		By: flow, Category: "Support", Summary: "Issue resolved: Replaced defective item.",
	}))
	closing := closed.Conversation.Cycle.Closing
	fmt.Printf("%s – %s: %s\n", closed.Outcome, closing.Category, closing.Summary)
	fmt.Println("active:", len(try(engine.Conversations(ctx, active))))

	again := try(engine.Do(ctx, riya, convo.Open{By: flow}))
	fmt.Println(again.Outcome, "the same one:", again.Conversation.ID == first.Conversation.ID)
	fmt.Println("cycle:", again.Conversation.Cycle.Number)
	// Output:
	// active: 1
	// closed – Support: Issue resolved: Replaced defective item.
	// active: 0
	// reopened the same one: true
	// cycle: 2
}

// Insent's way: a closed conversation takes no messages. The visitor may restart it, which runs the
// conversation flow again from the beginning.
func ExampleLiveChatPolicy() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.LiveChatPolicy()))
	visitor := convo.ToContact("acme", "visitor-7")
	first := try(engine.Do(ctx, visitor, convo.Receive{Body: "Hello"}))

	closed := try(engine.Do(ctx, visitor, convo.Close{By: convo.ByUser("ana")}))
	notice := closed.Events[len(closed.Events)-1]
	fmt.Printf("notice to %s: %s\n", notice.Row().Audience, notice.Row().Body)

	_, err := engine.Do(ctx, visitor, convo.Receive{Body: "One more thing"})
	fmt.Println("rejected:", errors.Is(err, convo.ErrClosed))

	restarted := try(engine.Do(ctx, visitor, convo.Reopen{By: convo.ByContact()}))
	fmt.Println(restarted.Outcome, "the same one:",
		restarted.Conversation.ID == first.Conversation.ID)
	fmt.Println("run the flow again:", restarted.Events[0].Row().RestartFlow)
	// Output:
	// notice to both: This conversation has been closed.
	// rejected: true
	// reopened the same one: true
	// run the flow again: true
}

// When an agent reopens a closed chat, the visitor is told, and the flow does not run again.
func ExampleReopen() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.LiveChatPolicy()))
	visitor, ana := convo.ToContact("acme", "visitor-7"), convo.ByUser("ana")
	try(engine.Do(ctx, visitor, convo.Receive{Body: "Hello"}))
	try(engine.Do(ctx, visitor, convo.Close{By: ana}))

	result := try(engine.Do(ctx, visitor, convo.Reopen{By: ana}))
	fmt.Println(result.Outcome, "– run the flow again:", result.Events[0].Row().RestartFlow)
	fmt.Printf("notice to %s: %s\n", result.Events[1].Row().Audience, result.Events[1].Row().Body)
	// Output:
	// reopened – run the flow again: false
	// notice to both: This conversation has been reopened.
}

// Two contacts turn out to be one person. The open conversation of the secondary is closed, and
// what is sent to its id from now on reaches the primary.
func ExampleEngine_Merge() {
	engine, _ := exampleEngine()
	susan, guest := convo.ToContact("acme", "susan"), convo.ToContact("acme", "guest-17")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}))
	try(engine.Do(ctx, guest, convo.Receive{Body: "It is me again, from my phone."}))

	merged := try(engine.Merge(ctx, convo.Merge{
		Workspace: "acme", Primary: "susan", Secondary: "guest-17", By: convo.ByUser("ana"),
	}))
	c := merged.Conversations[0]
	fmt.Println(merged.Outcome, "–", c.Origin, "belongs to", c.Contact)
	fmt.Println(c.Status, "through", c.Cycle.Closing.Source)

	later := try(engine.Do(ctx, guest, convo.Receive{Body: "Did you get my message?"}))
	fmt.Println(later.Outcome, "for", later.Contact.ID)
	// Output:
	// merged – guest-17 belongs to susan
	// closed through contact_merge
	// recorded for susan
}

// With MergeTransfer the open conversation of the secondary goes on with the primary, if that has
// none.
func ExampleEngine_Merge_transfer() {
	engine, _ := exampleEngine(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	susan, guest := convo.ToContact("acme", "susan"), convo.ToContact("acme", "guest-17")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}, convo.Close{By: convo.ByUser("ana")}))
	try(engine.Do(ctx, guest, convo.Receive{Body: "It is me again, from my phone."}))

	merged := try(engine.Merge(ctx, convo.Merge{
		Workspace: "acme", Primary: "susan", Secondary: "guest-17", By: convo.ByUser("ana"),
	}))
	fmt.Println(merged.Conversations[0].Status, "with", merged.Conversations[0].Contact)

	active := try(engine.Active(ctx, susan))
	fmt.Println("susan goes on in it:", active.ID == merged.Conversations[0].ID)
	// Output:
	// open with susan
	// susan goes on in it: true
}

// A pending conversation wakes at its time. Tick, called on an interval, does it, and stamps it
// with the time when it was due, however late it comes.
func ExampleEngine_Tick() {
	engine, now := exampleEngine()
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Please call me at noon."}))
	try(engine.Do(ctx, susan, convo.SetPending{By: ana, Until: now.Now().Add(3 * time.Hour)}))

	now.Add(time.Hour)
	fmt.Println("changes:", try(engine.Tick(ctx, 100)))
	now.Add(5 * time.Hour)
	fmt.Println("changes:", try(engine.Tick(ctx, 100)))

	c := try(engine.Active(ctx, susan))
	fmt.Println(c.Status, "since", c.UpdatedAt.Format(time.TimeOnly))
	fmt.Println("pending for", c.Cycle.PendingTime())
	// Output:
	// changes: 0
	// changes: 1
	// open since 12:00:00
	// pending for 3h0m0s
}

// The contact does not answer: a day after the agent's last message the conversation closes by
// itself.
func ExampleEngine_Tick_inactivity() {
	engine, now := exampleEngine(convo.WithPolicy(convo.Policy{
		AutoClose: convo.AutoClose{
			After: convo.Duration(24 * time.Hour), Category: "Unanswered",
			Summary: "The customer did not reply.",
		},
	}))
	susan := convo.ToContact("acme", "susan")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}))
	sent := try(engine.Do(ctx, susan, convo.Send{By: convo.ByUser("ana"), Body: "How can I help?"}))

	now.Add(25 * time.Hour)
	fmt.Println("changes:", try(engine.Tick(ctx, 100)))

	closing := try(engine.Conversation(ctx, convo.ToConversation("acme",
		sent.Conversation.ID))).Cycle.Closing
	fmt.Println(closing.At.Format(time.DateTime), closing.By.Type, closing.Source, "–",
		closing.Category)
	// Output:
	// changes: 1
	// 2026-03-03 09:00:00 system inactivity – Unanswered
}

// What is measured of a cycle, and from when to when.
func ExampleCycle() {
	engine, now := exampleEngine()
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	do := func(after time.Duration, cmd convo.Command) convo.Conversation {
		now.Add(after)
		return try(engine.Do(ctx, susan, cmd)).Conversation
	}
	do(0, convo.Receive{Body: "The toaster is broken."})
	do(1*time.Minute, convo.Send{By: convo.ByAutomation("away"),
		Body: "We will be with you shortly."})
	do(2*time.Minute, convo.Assign{By: ana, Assignee: "ana"})
	do(3*time.Minute, convo.Send{By: ana, Body: "Can you send a photo?"})
	do(10*time.Minute, convo.Receive{Body: "Here it is."})
	do(2*time.Minute, convo.Send{By: ana, Body: "A new one is on its way."})
	do(0, convo.SetPending{By: ana})
	do(48*time.Hour, convo.Receive{Body: "It has arrived, thanks!"})
	cycle := do(2*time.Minute, convo.Close{By: ana}).Cycle

	assignment, _ := cycle.AssignmentTime()
	first, _ := cycle.FirstResponseTime()
	mean, _ := cycle.ResponseTime()
	resolution, _ := cycle.ResolutionTime()
	active, _ := cycle.ActiveResolutionTime()
	fmt.Println("time to assignment: ", assignment)
	fmt.Println("first response time:", first) // automation does not count
	fmt.Println("response time:      ", mean, "on average of", cycle.Responses)
	fmt.Println("resolution time:    ", resolution)
	fmt.Println("without pending:    ", active)
	fmt.Println("messages:           ", cycle.Incoming, "in,", cycle.OutgoingUser, "by users,",
		cycle.OutgoingAutomation, "by automation")
	// Output:
	// time to assignment:  3m0s
	// first response time: 6m0s
	// response time:       4m0s on average of 2
	// resolution time:     48h20m0s
	// without pending:     20m0s
	// messages:            3 in, 2 by users, 1 by automation
}

// Reopening starts a new cycle. The numbers of the first one stand.
func ExampleEngine_Cycles() {
	engine, now := exampleEngine()
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")

	try(engine.Do(ctx, susan, convo.Receive{Body: "The toaster is broken."}))
	now.Add(30 * time.Minute)
	try(engine.Do(ctx, susan, convo.Close{By: ana, Summary: "Replaced it."}))
	now.Add(24 * time.Hour)
	try(engine.Do(ctx, susan, convo.Reopen{By: ana}))
	now.Add(10 * time.Minute)
	c := try(engine.Do(ctx, susan, convo.Close{By: ana, Summary: "Sent the invoice."})).Conversation

	for _, cycle := range try(engine.Cycles(ctx, convo.ToConversation("acme", c.ID))) {
		resolution, _ := cycle.ResolutionTime()
		fmt.Println("cycle", cycle.Number, "resolved after", resolution, "–", cycle.Closing.Summary)
	}
	first, _ := c.FirstResolutionTime()
	last, _ := c.LastResolutionTime()
	fmt.Println("from the first opening:", first, "to the first closing,", last, "to the last")
	// Output:
	// cycle 1 resolved after 30m0s – Replaced it.
	// cycle 2 resolved after 10m0s – Sent the invoice.
	// from the first opening: 30m0s to the first closing, 24h40m0s to the last
}

// The first page, then the next one behind the cursor of its last conversation. Pages do not shift
// when conversations are opened or closed meanwhile.
func ExampleEngine_Conversations() {
	engine, now := exampleEngine()
	for _, contact := range []string{"ada", "bob", "cleo", "dan", "eve"} {
		try(engine.Do(ctx, convo.ToContact("acme", contact), convo.Receive{Body: "Hello"}))
		now.Add(time.Minute)
	}

	f := convo.Filter{Workspace: "acme", Status: []convo.Status{convo.StatusOpen}, Limit: 2}
	for page := 1; ; page++ {
		conversations := try(engine.Conversations(ctx, f))
		for _, c := range conversations {
			fmt.Println(page, c.CreatedAt.Format(time.TimeOnly), c.Contact)
		}
		if len(conversations) < f.Limit {
			break
		}
		f.After = f.Cursor(conversations[len(conversations)-1])
	}
	// Output:
	// 1 09:04:00 eve
	// 1 09:03:00 dan
	// 2 09:02:00 cleo
	// 2 09:01:00 bob
	// 3 09:00:00 ada
}

// The transcript of one conversation, in pages of two.
func ExampleEngine_Transcript() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	c := try(engine.Do(ctx, susan,
		convo.Receive{Body: "The toaster is broken."},
		convo.Note{By: convo.ByUser("ana"), Body: "A good customer."},
		convo.Send{By: convo.ByUser("ana"), Body: "We will send a new one."},
		convo.Close{By: convo.ByUser("ana")},
	)).Conversation

	var after convo.EventCursor
	for {
		events := try(engine.Transcript(ctx, convo.ToConversation("acme", c.ID), after, 2))
		for _, e := range events {
			fmt.Printf("%d %-7s %-19s %q\n", e.Seq, e.By.Type, e.Kind, e.Row().Body)
		}
		if len(events) < 2 {
			break
		}
		after = events[len(events)-1].Cursor()
	}
	// Output:
	// 1 contact conversation_opened ""
	// 2 contact message_received    "The toaster is broken."
	// 3 user    note_added          "A good customer."
	// 4 user    message_sent        "We will send a new one."
	// 5 user    conversation_closed ""
}

// The history of a contact goes over all its conversations, and over those of contacts that were
// merged into it.
func ExampleEngine_History() {
	engine, now := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	for _, body := range []string{"Where is my order?", "The toaster is broken."} {
		try(engine.Do(ctx, susan, convo.Receive{Body: body}))
		now.Add(time.Hour)
		try(engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana")}))
		now.Add(time.Hour)
	}

	for _, e := range try(engine.History(ctx, susan, convo.EventCursor{}, 0)) {
		fmt.Printf("%s %-19s %q\n", e.At.Format("15:04"), e.Kind, e.Row().Body)
	}
	// Output:
	// 09:00 conversation_opened ""
	// 09:00 message_received    "Where is my order?"
	// 10:00 conversation_closed ""
	// 11:00 conversation_opened ""
	// 11:00 message_received    "The toaster is broken."
	// 12:00 conversation_closed ""
}

// The state machine alone, without engine, store or clock: a host that keeps threads in its own way
// loads one, decides, and writes what the decision says.
func ExampleDecide() {
	thread := convo.Snapshot{
		Ref:     convo.ToContact("acme", "susan"),
		Contact: convo.Contact{Workspace: "acme", ID: "susan"},
		Next:    uuid.MustParse("01956d3c-0000-7000-8000-000000000001"), // in earnest: uuid.NewV7
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	policy := convo.InboxPolicy()

	d, err := convo.Decide(thread, at, &policy,
		convo.Receive{Body: "Hello"},
		convo.Assign{By: convo.ByAutomation("router"), Assignee: "ana"},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range d.Change.Events {
		fmt.Println(e.Seq, e.Kind)
	}
	next := d.Change.Conversation.Conversation
	fmt.Println(next.Status, "and assigned to", next.Assignee)
	fmt.Println("the thread that was given still has none:", thread.Conversation.ID == uuid.Nil)
	// Output:
	// 1 conversation_opened
	// 2 message_received
	// 3 conversation_assigned
	// open and assigned to ana
	// the thread that was given still has none: true
}

// State is what the events fold into: a host can rebuild a conversation from its log, as of any
// time.
func ExampleApply() {
	engine, _ := exampleEngine()
	c := try(engine.Do(ctx, convo.ToContact("acme", "susan"),
		convo.Receive{Body: "Hello"},
		convo.Assign{By: convo.ByUser("ana"), Assignee: "ana"},
		convo.Close{By: convo.ByUser("ana"), Category: "Sales"},
	)).Conversation

	var t convo.Snapshot
	for _, e := range try(engine.Transcript(ctx, convo.ToConversation("acme", c.ID),
		convo.EventCursor{}, 0)) {
		t = convo.Apply(t, e)
		fmt.Printf("%d %-6s %q\n", t.Conversation.Version, t.Conversation.Status,
			t.Conversation.Assignee)
	}
	fmt.Println("the same as the stored one:", t.Conversation == c)
	// Output:
	// 1 open   ""
	// 2 open   ""
	// 3 open   "ana"
	// 4 closed "ana"
	// the same as the stored one: true
}

// Merging is pure too: two threads in, two changes out, to be committed together.
func ExampleDecideMerge() {
	store := memstore.New()
	engine := try(convo.New(store))
	for _, contact := range []string{"susan", "guest-17"} {
		try(engine.Do(ctx, convo.ToContact("acme", contact), convo.Receive{Body: "Hello"}))
	}
	side := func(contact string) convo.MergeSide {
		s := try(store.Load(ctx, convo.ToContact("acme", contact)))
		return convo.MergeSide{Snapshot: s, AllActive: []convo.Conversation{s.Conversation}}
	}
	primary := side("susan")
	primary.Next = uuid.Must(uuid.NewV7())

	policy := convo.InboxPolicy()
	policies := func(convo.Conversation) *convo.Policy { return &policy }
	d, err := convo.DecideMerge(primary, side("guest-17"), time.Now(), policies, convo.Merge{
		Workspace: "acme", Primary: "susan", Secondary: "guest-17", By: convo.ByUser("ana"),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range d.Secondary.Events {
		fmt.Println(e.Kind)
	}
	fmt.Println("through", d.Secondary.Conversation.Cycle.Closing.Source)
	fmt.Println("merged into", d.Secondary.Contact.MergedInto)
	// Output:
	// conversation_closed
	// contact_merged
	// through contact_merge
	// merged into susan
}

// When something will happen to a conversation by itself, for a screen that shows it.
func ExampleTimers() {
	policy := convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(24 * time.Hour)}}
	store := memstore.New()
	now := clock.NewMock()
	now.Set(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	engine := try(convo.New(store, convo.WithPolicy(policy), convo.WithClock(now)))
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")

	for _, cmd := range []convo.Command{
		convo.Receive{Body: "Hello"},
		convo.Send{By: ana, Body: "How can I help?"},
		convo.SetPending{By: ana, Until: now.Now().Add(time.Hour)},
	} {
		try(engine.Do(ctx, susan, cmd))
		timers := convo.Timers(try(store.Load(ctx, susan)).Conversation, &policy)
		if len(timers) == 0 {
			fmt.Println("nothing is due")
			continue
		}
		fmt.Println(timers[0].Name, timers[0].Due.Format(time.DateTime))
	}
	// Output:
	// nothing is due
	// auto_close 2026-03-03 09:00:00
	// wake 2026-03-02 10:00:00
}

// The lifecycle is data: what receiving a message does in each state, and which rule of the policy
// decides.
func ExampleTransitions() {
	for _, t := range convo.Transitions() {
		if t.Command != convo.CommandReceive {
			continue
		}
		result := string(t.Outcome)
		if t.Err != nil {
			result = "refused"
		}
		fmt.Printf("%-10s  %-19s  %-8s  → %s\n", t.State, t.When, result, t.Next)
	}
	// Output:
	// none        unless quiet         opened    → open
	// none        quiet                recorded  → none
	// open                             recorded  → open
	// pending     unless it stays      resumed   → open
	// pending     it stays             recorded  → pending
	// pending     quiet                recorded  → pending
	// closed      receive: new         opened    → open
	// closed      receive: reopen      reopened  → open
	// closed      receive: reject      refused   → closed
	// closed      quiet                recorded  → closed
	// superseded  unless quiet         refused   → superseded
	// superseded  quiet                recorded  → superseded
}

// A host that queues commands writes them as JSON and gets the same ones back.
func ExampleCommands() {
	queued := try(json.Marshal(convo.Commands{
		convo.Open{By: convo.ByAutomation("order-ready"), Key: "order-1001"},
		convo.Send{By: convo.ByAutomation("order-ready"), Body: "Hi Riya, your order is ready."},
	}))
	fmt.Println(string(queued))

	var cmds convo.Commands
	if err := json.Unmarshal(queued, &cmds); err != nil {
		log.Fatal(err)
	}
	engine, _ := exampleEngine()
	result := try(engine.Do(ctx, convo.ToContact("acme", "riya"), cmds...))
	fmt.Println("messages sent:", result.Conversation.Cycle.OutgoingAutomation)

	err := json.Unmarshal([]byte(`[{"command":"close","by":{"type":"user","id":"ana"},"categroy":"Sales"}]`), &cmds)
	fmt.Println(err)
	// Output:
	// [{"command":"open","by":{"type":"automation","id":"order-ready"},"key":"order-1001"},{"command":"send","by":{"type":"automation","id":"order-ready"},"body":"Hi Riya, your order is ready."}]
	// messages sent: 1
	// convo: commands[0]: field "categroy" is not known
}

// A policy is plain data that a host keeps as JSON, one for each workspace or channel.
func ExamplePolicy() {
	var policy convo.Policy
	err := json.Unmarshal([]byte(`{
		"receive": {"mode": "reopen", "window": "72h"},
		"category": "required",
		"categories": ["General Inquiry", "Sales", "Support"],
		"auto_close": {"after": "24h", "category": "Unanswered"}
	}`), &policy)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("valid:", policy.Validate() == nil)

	live := convo.LiveChatPolicy()
	fmt.Println(string(try(json.MarshalIndent(live, "", "  "))))
	// Output:
	// valid: true
	// {
	//   "open": {
	//     "mode": "reopen"
	//   },
	//   "receive": {
	//     "mode": "reject"
	//   },
	//   "notices": {
	//     "conversation_closed": "both",
	//     "conversation_reopened": "both",
	//     "conversation_restarted": "users"
	//   },
	//   "restart_flow": true
	// }
}

// Each channel has its own rules: a message after a closing reopens an e-mail conversation, and
// opens a new one elsewhere.
func ExampleWithPolicies() {
	email := convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}
	engine, _ := exampleEngine(convo.WithPolicies(
		func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
			if of.Channel == "email" {
				return &email, nil
			}
			return nil, nil // the default
		}))

	for _, to := range []convo.Ref{
		convo.ToAddress("acme", "email", "susan@example.com"),
		convo.ToAddress("acme", "whatsapp", "+4912345"),
	} {
		try(engine.Do(ctx, to, convo.Receive{Body: "Hello"}, convo.Close{By: convo.ByUser("ana")}))
		fmt.Println(to.Address.Channel, try(engine.Do(ctx, to,
			convo.Receive{Body: "Hello again"})).Outcome)
	}
	// Output:
	// email reopened
	// whatsapp opened
}

// An observer hears what was committed, for instance to push it to the screens of agents.
func ExampleWithObserver() {
	engine, _ := exampleEngine(convo.WithObserver(func(_ context.Context, events []convo.Event) {
		for _, e := range events {
			fmt.Println("push:", e.Kind)
		}
	}))
	try(engine.Do(ctx, convo.ToContact("acme", "susan"), convo.Receive{Body: "Hello"}))
	// Output:
	// push: conversation_opened
	// push: message_received
}

// Ids that count up make a test's output the same every time. Each one leaves room behind it,
// because the events of a call take the ids that follow it.
func ExampleWithIDs() {
	var calls byte
	engine, _ := exampleEngine(convo.WithIDs(func() uuid.UUID {
		calls++
		return uuid.UUID{5: calls, 6: 0x70, 8: 0x80}
	}))

	result := try(engine.Do(ctx, convo.ToContact("acme", "susan"), convo.Receive{Body: "Hello"}))
	fmt.Println("conversation:", result.Conversation.ID)
	for _, e := range result.Events {
		fmt.Println("event:       ", e.ID)
	}
	// Output:
	// conversation: 00000000-0001-7000-8000-000000000000
	// event:        00000000-0001-7000-8000-000000000001
	// event:        00000000-0001-7000-8000-000000000002
}

// An import gives every command its own time, in order. Numbers come out as if the library had been
// there.
func ExampleReceive_import() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	day := time.Date(2019, 7, 1, 0, 0, 0, 0, time.UTC)

	result := try(engine.Do(ctx, susan,
		convo.Receive{At: day.Add(8 * time.Hour), Body: "Hello"},
		convo.Send{At: day.Add(9 * time.Hour), By: convo.ByUser("ana"), Body: "How can I help?"},
		convo.Close{At: day.Add(10 * time.Hour), By: convo.ByUser("ana"),
			Source: convo.SourceImport},
	))
	resolution, _ := result.Conversation.Cycle.ResolutionTime()
	fmt.Println("closed", result.Conversation.Cycle.Closing.At.Format(time.DateTime), "after",
		resolution)

	_, err := engine.Do(ctx, susan, convo.Note{At: day, By: convo.ByUser("ana"), Body: "Too early"})
	fmt.Println("out of order:", errors.Is(err, convo.ErrOutOfOrder))
	// Output:
	// closed 2019-07-01 10:00:00 after 2h0m0s
	// out of order: true
}

// A contact has one active conversation in each lane: here, in each order.
func ExampleRef_In() {
	engine, _ := exampleEngine()
	susan := convo.ToAddress("acme", "email", "susan@example.com")
	for _, order := range []string{"order-7", "order-8", "order-7"} {
		r := try(engine.Do(ctx, susan.In(order), convo.Receive{Body: "Where is it?"}))
		fmt.Println(r.Outcome, "in", r.Conversation.Lane)
	}
	// Output:
	// opened in order-7
	// opened in order-8
	// recorded in order-7
}

// A conversation that was filed wrongly goes where it belongs, with all that was said.
func ExampleMove() {
	engine, _ := exampleEngine()
	r := try(engine.Do(ctx, convo.ToAddress("acme", "email", "family@example.com"),
		convo.Receive{Body: "Tom here: my order is late."}))

	r = try(engine.Do(ctx, convo.ToConversation("acme", r.Conversation.ID), convo.Move{
		By: convo.ByUser("ana"), Contact: "tom", Lane: new("orders"),
	}))
	fmt.Println(r.Outcome, "to", r.Conversation.Contact, "in", r.Conversation.Lane)

	tom := convo.ToContact("acme", "tom").In("orders")
	r = try(engine.Do(ctx, tom, convo.Receive{Body: "Any news?"}))
	fmt.Println(r.Outcome, "as message", r.Conversation.Cycle.Incoming)
	// Output:
	// moved to tom in orders
	// recorded as message 2
}

// A merge that was a mistake is undone: each contact has its own again.
func ExampleEngine_Unmerge() {
	engine, _ := exampleEngine()
	ana := convo.ByUser("ana")
	for _, contact := range []string{"susan", "susanne"} {
		try(engine.Do(ctx, convo.ToContact("acme", contact), convo.Receive{Body: "Hello"},
			convo.Close{By: ana}))
	}
	try(engine.Merge(ctx, convo.Merge{
		Workspace: "acme", Primary: "susan", Secondary: "susanne", By: ana,
	}))
	r := try(engine.Unmerge(ctx, convo.Unmerge{Workspace: "acme", Contact: "susanne", By: ana}))
	fmt.Println(r.Outcome, "from", r.Root.ID)
	for _, contact := range []string{"susan", "susanne"} {
		page := try(engine.Conversations(ctx, convo.Filter{Workspace: "acme", Contact: contact}))
		fmt.Println(contact, "has", len(page))
	}
	// Output:
	// unmerged from susan
	// susan has 1
	// susanne has 1
}

// What a conversation is about, and who the contact is.
func ExampleLabel() {
	engine, _ := exampleEngine()
	bot := convo.ByAutomation("router")
	r := try(engine.Do(ctx, convo.ToContact("acme", "susan"),
		convo.Receive{Body: "My order is late."},
		convo.Label{By: bot, Add: []string{"vip", "delivery"}},
		convo.Prioritize{By: bot, Priority: convo.PriorityHigh},
		convo.Describe{By: bot, Subject: new("Order 7"), Attributes: []byte(`{"order":7}`)},
		convo.SetProfile{By: bot, Name: new("Susan"), Attributes: []byte(`{"tier":"gold"}`)},
		convo.SetProfile{By: bot, Attributes: []byte(`{"city":"Ulm","tier":null}`)}, // a patch
	))
	c := r.Conversation
	fmt.Println(c.Labels.All(), c.Priority, c.Subject, c.Attributes)
	fmt.Println(r.Contact.Name, r.Contact.Attributes)
	// Output:
	// [delivery vip] high Order 7 {"order":7}
	// Susan {"city":"Ulm"}
}
