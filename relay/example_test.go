package relay_test

import (
	"context"
	"fmt"
	"log"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

func Example() {
	ctx := context.Background()
	store := memstore.New(memstore.WithOutbox()) // or sqlstore.Config{Outbox: true, …}
	crm := relay.PublisherFunc(func(_ context.Context, e *convo.Event) error {
		fmt.Println("to the CRM:", e.Kind, e.Seq) // an error: it is tried again
		return nil
	})
	r, err := relay.New(store, relay.To("crm", crm))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := convo.New(store,
		convo.WithObserver(func(context.Context, []convo.Event) { r.Wake() }))
	if err != nil {
		log.Fatal(err)
	}
	to := convo.ToContact("acme", "bob")
	if _, err := engine.Do(ctx, to, convo.Receive{Channel: "chat", Body: "Hello"}); err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Do(ctx, to, convo.Close{By: convo.ByUser("ana")}); err != nil {
		log.Fatal(err)
	}
	stats, err := r.Once(ctx) // a program calls r.Run(ctx), in a goroutine
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.Sent, "events sent")
	// Output:
	// to the CRM: conversation_opened 1
	// to the CRM: message_received 2
	// to the CRM: conversation_closed 3
	// 3 events sent
}

// A browser that has lost its connection says, in Last-Event-ID, from where on it wants to be told.
func ExampleFeed() {
	ctx := context.Background()
	store := memstore.New(memstore.WithFeed()) // or sqlstore.Config{Feed: true, …}
	feed, err := relay.NewFeed(store)
	if err != nil {
		log.Fatal(err)
	}
	r, err := relay.New(store, relay.NoTargets, relay.WithFeed(feed))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := convo.New(store)
	if err != nil {
		log.Fatal(err)
	}
	to := convo.ToContact("acme", "bob")
	for _, cmd := range []convo.Command{
		convo.Receive{Channel: "chat", Body: "Hello"}, convo.Close{By: convo.ByUser("ana")},
	} {
		if _, err := engine.Do(ctx, to, cmd); err != nil {
			log.Fatal(err)
		}
		if _, err := r.Once(ctx); err != nil { // a program calls r.Run(ctx), in a goroutine
			log.Fatal(err)
		}
	}
	after, err := relay.ParseCursor("1-1") // a Last-Event-ID
	if err != nil {
		log.Fatal(err)
	}
	for item, err := range feed.Follow(ctx, "acme", after) {
		if err != nil { // also a *MissedError
			log.Fatal(err)
		}
		fmt.Println(item.Cursor, item.Event.Kind)
		if item.Event.Kind == convo.ConversationClosed {
			break // else it waits for what comes
		}
	}
	// Output:
	// 2-0 message_received
	// 3-0 conversation_closed
}
