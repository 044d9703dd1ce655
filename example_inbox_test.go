package convo_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

// incoming is what a webhook tells of a message, whatever the provider calls it.
type incoming struct {
	ID, From, Text string
	SentAt         time.Time
}

// take records a message of a webhook. After an error answer 500: the provider delivers it again.
func take(ctx context.Context, engine *convo.Engine, m incoming) (convo.Result, error) {
	if now := time.Now(); m.SentAt.After(now) {
		m.SentAt = now // the provider's clock is ahead of yours
	}
	r, err := engine.Do(ctx, convo.ToAddress("acme", "whatsapp", m.From),
		convo.Receive{ExternalID: m.ID, SentAt: m.SentAt, Body: m.Text})
	if errors.Is(err, convo.ErrInvalid) || errors.Is(err, convo.ErrBlocked) ||
		errors.Is(err, convo.ErrClosed) {
		return r, nil // no repetition would change that: answer 200, and keep it for a person
	}
	return r, err
}

// snooze sets a conversation aside until nine o'clock tomorrow, where the agent is.
func snooze(
	ctx context.Context, engine *convo.Engine, to convo.Ref, by convo.Actor,
	now time.Time, zone *time.Location,
) (convo.Result, error) {
	day := now.In(zone)
	nine := time.Date(day.Year(), day.Month(), day.Day()+1, 9, 0, 0, 0, zone)
	return engine.Do(ctx, to, convo.SetPending{By: by, Until: nine})
}

// finish closes a conversation, with what it was about and what came of it.
func finish(
	ctx context.Context, engine *convo.Engine, to convo.Ref, by convo.Actor, category, note string,
) (convo.Result, error) {
	return engine.Do(ctx, to, convo.Close{By: by, Category: category, Summary: note})
}

// write records what an agent wrote. draft is the browser's id of it, the same when it asks again.
func write(
	ctx context.Context, engine *convo.Engine, to convo.Ref, by convo.Actor, draft, text string,
) (convo.Result, error) {
	return engine.Do(ctx, to, convo.Send{By: by, Key: draft, Body: text})
}

// freeUntil says until when WhatsApp lets you answer a number freely: for 24 hours after the newest
// message that was sent from it. Zero: there is none of the last 24 hours.
func freeUntil(
	ctx context.Context, engine *convo.Engine, number string, now time.Time,
) (until time.Time, err error) {
	const window = 24 * time.Hour
	of := convo.ToAddress("acme", "whatsapp", number)
	since := convo.EventCursor{At: now.Add(-window)} // nothing is recorded before it is sent
	for e, err := range engine.AllHistory(ctx, of, since) {
		if errors.Is(err, convo.ErrNotFound) {
			return until, nil // nobody is known there
		}
		if err != nil {
			return until, err
		}
		m, end := e.Message(), e.MessageAt().Add(window)
		if e.Kind == convo.MessageReceived && m.Channel == "whatsapp" && m.Address == number &&
			end.After(now) && end.After(until) {
			until = end
		}
	}
	return until, nil
}

// provider sends a message to a number, and returns the id that it has there.
type provider func(ctx context.Context, number, text string) (id string, err error)

// deliverer hands on what was written here. It is a publisher of package relay.
func deliverer(engine *convo.Engine, send provider) relay.Publisher {
	return relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		m := e.Message()
		switch {
		case m.ExternalID != "":
			return nil // an echo, which was sent elsewhere
		case m.Channel != "whatsapp" && m.Channel != "":
			return nil // for somebody else
		case m.Address == "":
			return relay.Permanent(errors.New("the message has no address: nobody gets it"))
		}
		id, err := send(ctx, m.Address, m.Body)
		if err != nil {
			return err // it is tried again
		}
		_, err = engine.Do(ctx, convo.ToContact(e.Workspace, e.Contact), convo.Identify{
			By: e.By, Message: e.ID, Channel: m.Channel, Address: m.Address, ExternalID: id,
		})
		return err
	})
}

// outgoing has messages that were sent go to a publisher, and nothing else.
func outgoing(p relay.Publisher) relay.Targets {
	return func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{{
			Name: "whatsapp", Publisher: p, Kinds: []convo.EventKind{convo.MessageSent},
		}}, nil
	}
}

// receipt is what a webhook tells of a message that was sent.
type receipt struct{ ID, To, Status, Why string }

// statuses are what WhatsApp calls those that convo knows; a voice message that is played is read.
var statuses = map[string]convo.DeliveryStatus{
	"sent": convo.DeliverySent, "delivered": convo.DeliveryDelivered, "read": convo.DeliveryRead,
	"played": convo.DeliveryRead, "failed": convo.DeliveryFailed,
}

// confirm records a receipt. After an error answer 500.
func confirm(
	ctx context.Context, engine *convo.Engine, store convo.Store, r receipt,
) error {
	status, known := statuses[r.Status]
	if !known {
		return nil // "deleted", or a new one: as an error it would come again for days
	}
	unknown, err := engine.Deliver(ctx, "acme", convo.Delivery{
		Channel: "whatsapp", Address: r.To, ExternalID: r.ID, Status: status, Reason: r.Why,
	})
	switch {
	case err != nil || status != convo.DeliveryFailed:
		return err
	case unknown > 0:
		return fmt.Errorf("message %s is not known yet", r.ID) // Identify is still to come
	}
	return markFailed(ctx, engine, store, r)
}

// markFailed labels the conversation of a message that has failed, once.
func markFailed(
	ctx context.Context, engine *convo.Engine, store convo.Store, r receipt,
) error {
	keys, err := store.Keys(ctx, "acme",
		convo.KeyID{Channel: "whatsapp", Address: r.To, ID: r.ID})
	if err != nil || len(keys) == 0 || keys[0].Conversation == uuid.Nil {
		return err // a quiet message may be in no conversation
	}
	_, err = engine.Do(ctx, convo.ToConversation("acme", keys[0].Conversation), convo.Label{
		By: convo.ByAutomation("receipts"), Key: "failed " + r.ID, Add: []string{"undelivered"},
	})
	return err
}

// show prints what an agent's screen shows of a conversation.
func show(ctx context.Context, engine *convo.Engine, of convo.Conversation) error {
	events, err := engine.Transcript(ctx, convo.ToConversation(of.Workspace, of.ID),
		convo.EventCursor{}, convo.MaxPageSize)
	if err != nil {
		return err
	}
	messages := convo.Messages(events) // of engine.Transcript
	if err := engine.AddDeliveries(ctx, messages); err != nil {
		return err
	}
	for _, m := range messages {
		fmt.Printf("%s: %s [%s]\n", m.Event.By.Type, m.Body, m.Delivery.Status)
	}
	return nil
}

// An inbox for WhatsApp, as docs/inbox.md explains it.
func Example_inbox() {
	store := memstore.New(memstore.WithOutbox()) // or sqlstore.Config{Outbox: true, …}
	engine := try(convo.New(store))
	send := func(_ context.Context, number, text string) (string, error) {
		fmt.Println("to", number, text)
		return "wamid.2", nil
	}
	r := try(relay.New(store, outgoing(deliverer(engine, send))))

	hello := incoming{"wamid.1", "+4912345", "It arrived broken.", time.Now().Add(-time.Second)}
	for range 2 {
		fmt.Println(try(take(ctx, engine, hello)).Outcome)
	}

	susan := convo.ToAddress("acme", "whatsapp", "+4912345")
	ana := convo.ByUser("ana")
	const text = "A new one is on its way."
	try(engine.Do(ctx, convo.ToAddress("acme", "email", "susan@example.com"), convo.Open{By: ana},
		convo.Send{By: ana, Body: "By mail."})) // send is not asked to
	for range 2 { // the button was pressed twice
		fmt.Println(try(write(ctx, engine, susan, ana, "draft 7f3a", text)).Outcome)
	}
	try(r.Once(ctx)) // a program calls r.Run(ctx), in a goroutine

	echo := try(engine.Do(ctx, susan, convo.Send{By: ana, ExternalID: "wamid.2", Body: text}))
	fmt.Println(echo.Outcome)
	for _, status := range []string{"delivered", "read", "sent"} { // they come in any order
		err := confirm(ctx, engine, store, receipt{ID: "wamid.2", To: "+4912345", Status: status})
		if err != nil {
			fmt.Println(err)
		}
	}
	if err := show(ctx, engine, echo.Conversation); err != nil {
		fmt.Println(err)
	}
	// Output:
	// opened
	// duplicate
	// recorded
	// duplicate
	// to +4912345 A new one is on its way.
	// duplicate
	// contact: It arrived broken. []
	// user: A new one is on its way. [read]
}
