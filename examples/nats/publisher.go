package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// stream keeps the events. A relay that dies between publishing and writing down that it has, and
// one whose acknowledgement is lost, publish an event again: within Duplicates the stream has it
// once, by its id. So that must be longer than a lease, the time until another relay is there, and
// the first waits of a back-off; it costs the server some hundred bytes for each event in it. What
// comes later is there twice, and its reader tells by its id.
var stream = jetstream.StreamConfig{
	Name: "CONVO", Subjects: []string{"convo.>"}, Duplicates: time.Hour,
}

// publisher sends events to the stream. One that comes back has been stored. Events of one
// conversation are published one after the other, and so are in the stream in their order.
func publisher(js jetstream.JetStream) relay.Publisher {
	return relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		data, err := json.Marshal(e)
		if err != nil {
			return relay.Permanent(err)
		}
		_, err = js.PublishMsg(ctx, &nats.Msg{Subject: subject(e), Data: data},
			jetstream.WithMsgID(e.ID.String()), jetstream.WithExpectStream(stream.Name))
		return err
	})
}

// subject is convo.WORKSPACE.KIND, for consumers that want only some. Dots, stars and spaces of the
// workspace's id are escaped.
func subject(e *convo.Event) string {
	workspace := strings.ReplaceAll(url.QueryEscape(e.Workspace), ".", "%2E")
	return "convo." + workspace + "." + e.Kind.String()
}
