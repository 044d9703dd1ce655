package convo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
)

// serviceLevels are an hour until the first reply, and two days of eight hours until the closing.
func serviceLevels() convo.Policy {
	day := []convo.Interval{{From: "09:00", To: "17:00"}}
	return convo.Policy{
		Deadlines: convo.ServiceLevel(time.Hour, 16*time.Hour, "office"),
		Calendars: map[string]convo.Hours{"office": {
			Zone: "Europe/Berlin",
			Days: map[string][]convo.Interval{
				"monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day,
			},
		}},
	}
}

// slack posts to a webhook of Slack what has missed a target.
func slack(client *http.Client, url string) relay.Publisher {
	return relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		for _, m := range e.Marks().All() {
			if m.Result != convo.MarkMissed {
				continue
			}
			text := fmt.Sprintf("%s: %s has missed %s, due at %s",
				e.Workspace, e.Contact, m.Deadline, m.Due.Format(time.Kitchen))
			if err := post(ctx, client, url, map[string]string{"text": text}); err != nil {
				return err
			}
		}
		return nil
	})
}

// post sends JSON, and fails unless it arrived.
func post(ctx context.Context, client *http.Client, url string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return relay.Permanent(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return relay.Permanent(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return err // it is tried again
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode < 300:
		return nil
	case answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests:
		return relay.Permanent(fmt.Errorf("slack: %s", answer.Status)) // no repetition helps
	}
	return fmt.Errorf("slack: %s", answer.Status)
}

// alerts has what may have missed a target go to a publisher.
func alerts(p relay.Publisher) relay.Targets {
	return func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{{Name: "slack", Publisher: p, Kinds: []convo.EventKind{
			convo.DeadlinePassed, convo.MessageSent, convo.ConversationClosed,
		}}}, nil
	}
}

// Service levels with alerts, as docs/sla.md explains them.
func Example_serviceLevels() {
	channel := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(string(try(io.ReadAll(r.Body))))
	}))
	defer channel.Close()
	now := clock.NewMock()
	now.Set(time.Date(2026, 3, 2, 15, 30, 0, 0, time.UTC)) // half an hour before they go home
	store := memstore.New(memstore.WithOutbox())           // or sqlstore.Config{Outbox: true, …}
	engine := try(convo.New(store, convo.WithClock(now), convo.WithPolicy(serviceLevels())))
	r := try(relay.New(store, alerts(slack(channel.Client(), channel.URL)), relay.WithClock(now)))

	susan := convo.ToContact("acme", "susan")
	c := try(engine.Do(ctx, susan, convo.Receive{Body: "Hello?"})).Conversation
	fmt.Println("due:", c.Deadline.Format(time.DateTime))
	now.Add(18 * time.Hour)    // nobody has answered
	try(engine.Tick(ctx, 100)) // a program calls engine.Run and r.Run, in goroutines
	try(r.Once(ctx))
	try(engine.Do(ctx, susan, convo.Send{By: convo.ByUser("ana"), Body: "Good morning!"}))
	try(r.Once(ctx)) // the reply is late, but who had to hear of it has

	numbers := try(report.Run(ctx, store, report.Query{
		Kind: report.Deadlines, Workspace: "acme", GroupBy: report.Deadline,
		From: now.Now().Add(-24 * time.Hour), To: now.Now(),
	}))
	for _, g := range numbers.Groups {
		fmt.Println(g.Value, "missed:", g.Values[report.DeadlinesMissed].Count)
	}
	// Output:
	// due: 2026-03-03 08:30:00
	// {"text":"acme: susan has missed first_response, due at 8:30AM"}
	// first_response missed: 1
}
