// Nats brings the events of conversations into a stream of NATS JetStream, each once and those of a
// conversation in their order, and prints what is in the stream.
//
//	nats-server --jetstream &
//	cd examples/nats && GOWORK=off go run . --url nats://localhost:4222
//
// It is in a module of its own, which go.work does not join: its test compiles a server.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

func main() {
	to := flag.String("url", nats.DefaultURL, "the URL of a NATS server with JetStream")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *to)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

// run has a conversation, brings its events into the stream, and prints them.
func run(ctx context.Context, out io.Writer, to string) error {
	conn, err := nats.Connect(to)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	kept, err := js.CreateOrUpdateStream(ctx, stream)
	if err != nil {
		return err
	}
	store := memstore.New(memstore.WithOutbox()) // a program has sqlstore, with Outbox: true
	r, err := relay.New(store, relay.To("nats", publisher(js)))
	if err != nil {
		return err
	}
	engine, err := convo.New(store,
		convo.WithObserver(func(context.Context, []convo.Event) { r.Wake() }))
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	runner := relay.Runner{
		Grace: 5 * time.Second, Logger: slog.Default(),
		Jobs: []relay.Job{relay.TickJob(engine), r.Job()},
	}
	var background sync.WaitGroup
	background.Go(func() { _ = runner.Run(running) })

	ana, done := convo.ByUser("ana"), 0
	for _, cmd := range []convo.Command{
		convo.Receive{Channel: "chat", Body: "It arrived broken."},
		convo.Send{By: ana, Body: "A new one is on its way."},
		convo.Close{By: ana, Category: "Support"},
	} {
		result, err := engine.Do(ctx, convo.ToContact("acme", "riya"), cmd)
		if err != nil {
			return err
		}
		done += len(result.Events)
	}
	events, err := read(ctx, kept, done)
	for _, e := range events {
		fmt.Fprintln(out, e.Seq, e.Kind, e.Message().Body)
	}
	stop()
	background.Wait()
	return err
}

// read reads so many events from the beginning of the stream, and waits for them.
func read(ctx context.Context, from jetstream.Stream, n int) (all []convo.Event, err error) {
	consumer, err := from.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	for len(all) < n {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return all, err
		}
		var e convo.Event
		if err := json.Unmarshal(m.Data(), &e); err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}
