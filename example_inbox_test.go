package convo_test

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	r, err := engine.Do(ctx, convo.ToAddress("acme", "whatsapp", m.From),
		convo.Receive{ExternalID: m.ID, SentAt: m.SentAt, Body: m.Text})
	if errors.Is(err, convo.ErrInvalid) || errors.Is(err, convo.ErrBlocked) {
		return r, nil // no repetition would change that: answer 200, and keep it for a person
	}
	return r, err
}

// write records what an agent wrote. draft is the browser's id of it, the same when it asks again.
func write(
	ctx context.Context, engine *convo.Engine, to convo.Ref, by convo.Actor, draft, text string,
) (convo.Result, error) {
	return engine.Do(ctx, to, convo.Send{By: by, Key: draft, Body: text})
}

// provider sends a message to a number, and returns the id that it has there.
type provider func(ctx context.Context, number, text string) (id string, err error)

// deliverer hands on what was written here. It is a publisher of package relay.
func deliverer(engine *convo.Engine, send provider) relay.Publisher {
	return relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		m := e.Message()
		if m.ExternalID != "" || m.Channel != "whatsapp" {
			return nil // an echo, which was sent elsewhere, or a message for somebody else
		}
		id, err := send(ctx, m.Address, m.Body)
		if err != nil {
			return err // it is tried again
		}
		_, err = engine.Do(ctx, convo.ToContact(e.Workspace, e.Contact), convo.Identify{
			By: e.By, Message: e.ID, Channel: m.Channel, ExternalID: id,
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

// confirm records a receipt.
func confirm(ctx context.Context, engine *convo.Engine, number, id, status string) error {
	_, err := engine.Deliver(ctx, "acme", convo.Delivery{
		Channel: "whatsapp", Address: number, ExternalID: id,
		Status: convo.DeliveryStatus(status),
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
		if err := confirm(ctx, engine, "+4912345", "wamid.2", status); err != nil {
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
