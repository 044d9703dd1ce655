package convo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/convotest"
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
			// those of a country: workhours.Dates(2026, 3, de.Holidays...), of package report/workhours
			Holidays: []string{"2026-04-03", "2026-04-06", "2026-05-01"},
		}},
	}
}

// slack posts to a webhook of Slack what has missed a target, and who waited when it was merged.
func slack(client *http.Client, url string, zone *time.Location) relay.Publisher {
	return relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		var said []string
		for _, m := range e.Marks().All() {
			if m.Result == convo.MarkMissed {
				due := m.Due.In(zone).Format("Mon 2 Jan 15:04 MST")
				said = append(said, "has missed "+m.Deadline+", due "+due)
			}
		}
		if e.Source == convo.SourceContactMerge && e.Before().Turn == convo.TurnContactWaiting {
			said = append(said, "waits for an answer, and was merged")
		}
		if said == nil {
			return nil
		}
		text := fmt.Sprintf("%s: %s %s\nconversation %s, alert %s",
			e.Workspace, e.Contact, strings.Join(said, "; "), e.Conversation, e.ID)
		return post(ctx, client, url, map[string]string{"text": text})
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
		var message struct{ Text string }
		_ = json.NewDecoder(r.Body).Decode(&message)
		text, _, _ := strings.Cut(message.Text, "\n") // ids are below
		fmt.Println(text)
	}))
	defer channel.Close()
	now := clock.NewMock()
	now.Set(time.Date(2026, 3, 2, 15, 30, 0, 0, time.UTC)) // half an hour before they go home
	store := memstore.New(memstore.WithOutbox())           // or sqlstore.Config{Outbox: true, …}
	engine := try(convo.New(store, convo.WithClock(now), convo.WithPolicy(serviceLevels())))
	zone := try(time.LoadLocation("Europe/Berlin"))
	client := channel.Client() // or http.Client{Timeout: 5 * time.Second}
	soon := relay.WithBackoff( // an option of relay.New
		5*time.Second, 15*time.Second, time.Minute, 5*time.Minute, time.Hour)
	r := try(relay.New(store, alerts(slack(client, channel.URL, zone)), soon, relay.WithClock(now)))

	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	c := try(engine.Do(ctx, susan, convo.Receive{Body: "Hello?"})).Conversation
	fmt.Println("due:", c.Deadline.Format(time.DateTime))
	now.Add(18 * time.Hour)    // nobody has answered
	try(engine.Tick(ctx, 100)) // a program calls engine.Run and r.Run, in goroutines
	try(r.Once(ctx))
	try(engine.Do(ctx, susan, convo.Send{By: ana, Body: "Good morning!"}))
	try(r.Once(ctx)) // the reply is late, but who had to hear of it has

	try(engine.Do(ctx, convo.ToContact("acme", "sue"), convo.Receive{Body: "It is me, Susan."}))
	try(engine.Merge(ctx, convo.Merge{
		Workspace: "acme", By: ana, Primary: "susan", Secondary: "sue",
	}))
	try(r.Once(ctx))

	numbers := try(report.Run(ctx, store, report.Query{
		Kind: report.Deadlines, Workspace: "acme", GroupBy: report.Deadline,
		From: now.Now().Add(-24 * time.Hour), To: now.Now().Add(time.Hour),
	}))
	for _, g := range numbers.Groups {
		fmt.Println(g.Value, "met:", g.Values[report.DeadlinesMet].Count,
			"missed:", g.Values[report.DeadlinesMissed].Count)
	}
	// Output:
	// due: 2026-03-03 08:30:00
	// acme: susan has missed first_response, due Tue 3 Mar 09:30 CET
	// acme: sue waits for an answer, and was merged
	// first_response met: 0 missed: 1
	// resolution met: 1 missed: 0
}

// Two hours in which nobody answers are one alert.
func TestAlerts(t *testing.T) {
	told := 0
	slack := relay.PublisherFunc(func(_ context.Context, e *convo.Event) error {
		told += len(e.Marks().All())
		return nil
	})
	store := memstore.New(memstore.WithOutbox())
	k := convotest.New(t, store, convo.WithPolicy(serviceLevels()))
	r, err := relay.New(store, alerts(slack), relay.WithClock(k.Clock))
	require.NoError(t, err)

	k.Opened("susan")            // on Monday, 2 March 2026, 9:00 UTC
	k.Pass(2 * time.Hour)        // moves the clock, and ticks
	_, err = r.Once(t.Context()) // one round of sending
	require.NoError(t, err)
	assert.Equal(t, 1, told)
}
