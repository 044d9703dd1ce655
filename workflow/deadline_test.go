package workflow_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/workflow"
)

func TestTriggersMatchDeadlinesThatHavePassed(t *testing.T) {
	p := policy
	p.Deadlines = append(convo.NudgeThenClose(time.Hour, ""),
		convo.ServiceLevel(time.Hour, 4*time.Hour, "")...)
	now := clock.NewMock()
	now.Set(time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC))
	started := map[string]int{}
	triggers := map[string]workflow.Trigger{}
	for name, text := range map[string]string{
		"any":       `{"on":"deadline_passed"}`,
		"nudge":     `{"on":"deadline_passed","deadlines":["nudge"]}`,
		"missed":    `{"on":"deadline_passed","deadlines":["first_response","resolution"]}`,
		"elsewhere": `{"on":"deadline_passed","channels":["sms"]}`,
		"closed":    `{"on":"conversation_closed","sources":["inactivity"]}`,
	} {
		var err error
		triggers[name], err = workflow.ParseTrigger([]byte(text))
		require.NoError(t, err)
	}
	engine := newEngine(t, convo.WithPolicy(p), convo.WithClock(now),
		convo.WithObserver(func(_ context.Context, events []convo.Event) {
			for _, e := range events {
				c := convo.Conversation{ID: e.Conversation, Channel: "whatsapp"}
				for name, trigger := range triggers {
					require.False(t, trigger.Matches(e, convo.Conversation{ID: [16]byte{1}}), name)
					if trigger.Matches(e, c) {
						started[name]++
					}
				}
			}
		}))
	expect := func(want map[string]int) {
		t.Helper()
		require.Equal(t, want, started)
		clear(started)
	}
	passes := func(d time.Duration) {
		now.Add(d)
		_, err := engine.Tick(t.Context(), 0)
		require.NoError(t, err)
	}

	// Tick sees that it is too late, and what comes after is no second time.
	do(t, engine, riya, convo.Receive{Body: "Hi"})
	passes(time.Hour)
	expect(map[string]int{"any": 1, "missed": 1})
	do(t, engine, riya, convo.Send{By: ana, Body: "Hello"})
	expect(map[string]int{})

	passes(time.Hour)
	expect(map[string]int{"any": 1, "nudge": 1})
	passes(time.Hour) // is closed, in time for the resolution
	expect(map[string]int{"any": 1, "closed": 1})

	// What comes too late before Tick has seen that says so itself.
	do(t, engine, riya, convo.Receive{Body: "One thing more"})
	now.Add(2 * time.Hour)
	do(t, engine, riya, convo.Send{By: ana, Body: "Yes?"})
	expect(map[string]int{"any": 1, "missed": 1})
	now.Add(4 * time.Hour)
	do(t, engine, riya, convo.Close{By: ana, Category: "Sales"})
	expect(map[string]int{"any": 1, "missed": 1})
	passes(time.Hour)
	expect(map[string]int{})

	// What meets a target, stands still or goes on is nothing that has passed.
	do(t, engine, riya, convo.Receive{Body: "Thanks"}, convo.Send{By: ana, Body: "Welcome"},
		convo.SetPending{By: ana}, convo.Resume{By: ana}, convo.Close{By: ana, Category: "Sales"})
	expect(map[string]int{})
}

// A workflow that starts when nobody has answered in time.
func ExampleTrigger_deadline() {
	trigger, _ := workflow.ParseTrigger([]byte(`{
		"on": "deadline_passed", "deadlines": ["first_response"]
	}`))
	now := clock.NewMock()
	policy := convo.Policy{Deadlines: convo.ServiceLevel(time.Hour, 8*time.Hour, "")}
	engine, _ := convo.New(memstore.New(), convo.WithPolicy(policy), convo.WithClock(now),
		convo.WithObserver(func(_ context.Context, events []convo.Event) {
			for _, e := range events {
				if trigger.Matches(e, convo.Conversation{ID: e.Conversation}) {
					fmt.Println("call somebody for", e.Contact)
				}
			}
		}))
	_, _ = engine.Do(context.Background(), convo.ToContact("acme", "riya"),
		convo.Receive{Body: "It leaks!"})
	now.Add(time.Hour)
	_, _ = engine.Tick(context.Background(), 0)
	// Output: call somebody for riya
}
