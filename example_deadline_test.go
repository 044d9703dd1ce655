package convo_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
)

// A service level in working time: what comes after hours has until the next morning.
func ExampleServiceLevel() {
	policy := convo.Policy{
		Deadlines: convo.ServiceLevel(time.Hour, 16*time.Hour, "office"),
		Calendars: map[string]convo.Hours{"office": {
			Zone: "Europe/Berlin",
			Days: map[string][]convo.Interval{
				"monday":  {{From: "09:00", To: "17:00"}},
				"tuesday": {{From: "09:00", To: "17:00"}},
			},
		}},
	}
	engine, now := exampleEngine(convo.WithPolicy(policy))
	now.Set(time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC)) // on Monday evening
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	c := try(engine.Do(ctx, susan, convo.Receive{Body: "Hello?"})).Conversation
	fmt.Println("runs out", c.Deadline.Format(time.DateTime))

	now.Add(14 * time.Hour)
	reply := try(engine.Do(ctx, susan, convo.Send{By: ana, Body: "Good morning!"}))
	for _, m := range reply.Events[0].Marks().All() {
		fmt.Println(m.Deadline, m.Result)
	}
	closing := try(engine.Do(ctx, susan, convo.Close{By: ana}))
	for _, m := range closing.Events[0].Marks().All() {
		fmt.Println(m.Deadline, m.Result)
	}
	// Output:
	// runs out 2026-03-03 09:00:00
	// first_response met
	// resolution met
}

// What has missed a target is in no order of its own: it is labelled, and listed by that.
func ExampleMark() {
	policy := convo.Policy{Deadlines: convo.ServiceLevel(time.Hour, 16*time.Hour, "")}
	var engine *convo.Engine
	engine, now := exampleEngine(convo.WithPolicy(policy), convo.WithObserver(
		func(ctx context.Context, events []convo.Event) {
			for _, e := range events {
				for _, m := range e.Marks().All() { // of a deadline that passed, or a late reply
					if m.Result == convo.MarkMissed {
						try(engine.Do(ctx, convo.ToConversation(e.Workspace, e.Conversation),
							convo.Label{By: convo.BySystem(), Add: []string{"missed"}}))
					}
				}
			}
		}))
	try(engine.Do(ctx, convo.ToContact("acme", "susan"), convo.Receive{Body: "Hello?"}))
	now.Add(2 * time.Hour)
	try(engine.Tick(ctx, 100))
	missed := try(engine.Conversations(ctx, convo.Filter{
		Workspace: "acme", Labels: []string{"missed"},
		Status: []convo.Status{convo.StatusOpen, convo.StatusPending},
	}))
	for _, c := range missed {
		m, _ := c.Marks.Of("first_response")
		fmt.Println(c.Contact, m.Deadline, m.Result, "at", m.Due.Format(time.TimeOnly))
	}
	// Output: susan first_response missed at 10:00:00
}

// Asking whether somebody is still there, and closing when nobody is.
func ExampleNudgeThenClose() {
	policy := convo.Policy{Deadlines: convo.NudgeThenClose(30*time.Minute, "Goodbye!")}
	engine, now := exampleEngine(convo.WithPolicy(policy),
		convo.WithObserver(func(_ context.Context, events []convo.Event) {
			for _, e := range events {
				if e.By == convo.BySystem() {
					fmt.Printf("%s %s %q\n", e.At.Format(time.TimeOnly), e.Kind, e.Message().Body)
				}
			}
		}))
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello?"}))
	try(engine.Do(ctx, susan, convo.Send{By: ana, Body: "How can I help?"}))
	now.Add(30 * time.Minute)
	try(engine.Tick(ctx, 100))
	now.Add(30 * time.Minute)
	try(engine.Tick(ctx, 100))
	// Output:
	// 09:30:00 deadline_passed ""
	// 10:00:00 deadline_passed ""
	// 10:00:00 message_sent "Goodbye!"
	// 10:00:00 conversation_closed ""
}

// What a policy does by itself, for a page of settings.
func ExampleDeadlineTable() {
	fmt.Print(convo.DeadlineTable(&convo.Policy{Deadlines: []convo.Deadline{
		convo.ReplyWindow(24 * time.Hour), convo.TakeBack(10 * time.Minute),
	}}))
	// Output:
	// | name | when | while | then |
	// |---|---|---|---|
	// | reply_window | 24h since last_incoming | active | remind |
	// | take_back | 10m since contact_waiting | open | unassign |
	// | wake | the time that it is pending until | pending | resume |
}

// The contact rates what was closed, and may think better of it.
func ExampleRate() {
	engine, _ := exampleEngine()
	susan := convo.ToContact("acme", "susan")
	closed := try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"},
		convo.Close{By: convo.ByUser("ana")})).Conversation
	to := convo.ToConversation("acme", closed.ID) // she may have another one by now
	cycle := closed.Cycle.Number                  // and this one may have been reopened
	try(engine.Do(ctx, to, convo.Rate{Cycle: cycle, Score: 2, Comment: "Nobody answered."}))
	rated := try(engine.Do(ctx, to, convo.Rate{Cycle: cycle, Score: 4, Comment: "Oh, they did."}))
	fmt.Println(rated.Conversation.Cycle.Rating.Score, rated.Conversation.Cycle.Rating.Comment)
	again := try(engine.Do(ctx, to, convo.Rate{Cycle: cycle, Score: 4, Comment: "Oh, they did."}))
	fmt.Println(again.Outcome)
	// Output:
	// 4 Oh, they did.
	// unchanged
}

// A policy that was changed takes hold at once, of what is idle, too. Nothing is closed in the
// past: what was idle for months is due now.
func ExampleEngine_Rearm() {
	var policy atomic.Pointer[convo.Policy] // nil: the default one
	engine, now := exampleEngine(convo.WithPolicies(
		func(context.Context, convo.Scope) (*convo.Policy, error) { return policy.Load(), nil }))
	susan := convo.ToContact("acme", "susan")
	try(engine.Do(ctx, susan, convo.Receive{Body: "Hello"}))
	try(engine.Do(ctx, susan, convo.Send{By: convo.ByUser("ana"), Body: "How can I help?"}))
	now.Add(90 * 24 * time.Hour)

	policy.Store(&convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(72 * time.Hour)}})
	fmt.Println("armed:", try(engine.Rearm(ctx, "acme")))
	fmt.Println("changes:", try(engine.Tick(ctx, 100)))
	closing := try(engine.Conversation(ctx, susan)).Cycle.Closing
	fmt.Println("closed", closing.At.Format(time.DateTime))
	// Output:
	// armed: 1
	// changes: 1
	// closed 2026-05-31 09:00:00
}
