// Package webhook is a publisher of package relay that sends events to URLs, signed as the Standard
// Webhooks specification says (https://www.standardwebhooks.com), so that receivers verify them
// with a library of their language.
//
// Each [Endpoint] of a workspace has a queue of its own: one that is down holds up no other one.
// What is sent is a POST of
//
//	{"type": "message_received", "timestamp": "2026-01-05T09:00:00.123456Z", "data": {…}}
//
// where data is the event as [convo.Event] encodes itself, with the headers webhook-id (the id of
// the event, the same at every try), webhook-timestamp and webhook-signature. Any status from 200
// to 299 means that it arrived.
//
// Redirects are not followed. Addresses that are not public (loopback, private, link-local and the
// like) are refused when the connection is made, whatever a name resolved to before; see
// [WithPrivateAddresses].
package webhook
