// Package cloudevents writes events as CloudEvents 1.0 (https://cloudevents.io), and sends them
// with the clients of the official SDK, by HTTP or any other protocol that it has.
//
//	client, err := client.NewHTTP(http.WithTarget("https://events.example.com/convo"))
//	r, err := relay.New(store, relay.To("events", cloudevents.Publisher(client, nil)))
//
// What is sent is one JSON object in structured mode:
//
//	{"specversion": "1.0", "id": "…", "source": "/convo/acme",
//	 "type": "com.github.chatlifecycle.convo.message_received",
//	 "subject": "conversations/…", "time": "2026-11-27T12:00:00.000001Z",
//	 "partitionkey": "acme/conversations/…", "sequence": "0000000000000000007",
//	 "datacontenttype": "application/json", "data": {the event, as it is in JSON}}
//
// The id stays the same when an event is sent twice, so source and id tell it, as the specification
// has it. The extensions partitionkey and sequence are those of its registry: events with the same
// partitionkey belong in the order of their sequence, which has gaps.
//
// It rests on the SDK, in a module of its own, because the SDK checks what the specification
// demands of attributes and brings the protocols. Encoding by hand would save its few requirements
// and be held to nothing.
//
// A client of the SDK may follow redirects and connects to any address: it is for receivers of your
// own. For URLs of customers there is package webhook.
package cloudevents

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/client"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol"
	"github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// TypePrefix is what types begin with, before the [convo.EventKind].
const TypePrefix = "com.github.chatlifecycle.convo."

// Source is the source of a workspace's events where none other is given: "/convo/" and its id,
// escaped.
func Source(workspace string) string { return "/convo/" + url.PathEscape(workspace) }

// Encode is e as a CloudEvent from a source, which must be a URI reference: an error otherwise. To
// have it back, give DataAs of what was received a *[convo.Event].
func Encode(e *convo.Event, source string) (event.Event, error) {
	subject := "contacts/" + e.Contact
	if e.Conversation != uuid.Nil {
		subject = "conversations/" + e.Conversation.String()
	}
	c := event.New()
	c.SetID(e.ID.String())
	c.SetSource(source)
	c.SetType(TypePrefix + e.Kind.String())
	c.SetSubject(subject)
	c.SetTime(e.At)
	c.SetExtension("partitionkey", e.Workspace+"/"+subject)
	c.SetExtension("sequence", fmt.Sprintf("%019d", e.Seq)) // in the order of letters, too
	if err := c.SetData(event.ApplicationJSON, e); err != nil {
		return event.Event{}, err
	}
	return c, c.Validate()
}

// Publisher sends events by a client, one by one, each from the source of its workspace (nil:
// [Source]). What is not acknowledged is tried again; an event that cannot be encoded is a dead
// letter.
func Publisher(c client.Client, source func(workspace string) string) relay.Publisher {
	if source == nil {
		source = Source
	}
	return relay.PublisherFunc(func(ctx context.Context, e *convo.Event) error {
		encoded, err := Encode(e, source(e.Workspace))
		if err != nil {
			return relay.Permanent(err)
		}
		return plain(c.Send(binding.WithForceStructured(ctx), encoded))
	})
}

// plain is the result of a Send as an error that may be kept: without URLs, and without what the
// receiver has answered, which may repeat what it was sent.
func plain(result protocol.Result) error {
	var answer *http.Result
	var failed *url.Error
	switch {
	case protocol.IsACK(result):
		return nil
	case errors.As(result, &answer):
		return fmt.Errorf("cloudevents: the receiver answered with status %d", answer.StatusCode)
	case errors.As(result, &failed):
		return fmt.Errorf("cloudevents: %w", failed.Err)
	}
	return fmt.Errorf("cloudevents: %w", result)
}
