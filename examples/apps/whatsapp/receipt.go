package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/chatlifecycle/convo"
)

// deliverer takes receipts, and says how many were of messages that it does not know: the engine.
type deliverer interface {
	Deliver(ctx context.Context, workspace string, ds ...convo.Delivery) (unknown int, err error)
}

// statuses are Meta's, as receipts call them. A voice message that was played was read.
var statuses = map[string]convo.DeliveryStatus{
	"sent": convo.DeliverySent, "delivered": convo.DeliveryDelivered, "read": convo.DeliveryRead,
	"played": convo.DeliveryRead, "failed": convo.DeliveryFailed,
}

// readStatus reads what became of a message; nil for what a receipt cannot say.
//
// Meta names the receiver by the number where it may, whatever the message was sent to, and by the
// user id; so there is a receipt for each.
func readStatus(data json.RawMessage, now time.Time) *incoming {
	var s struct {
		ID        string          `json:"id"`
		Status    string          `json:"status"`
		Timestamp json.RawMessage `json:"timestamp"`
		Type      string          `json:"recipient_type"`
		Recipient string          `json:"recipient_id"`
		UserID    string          `json:"recipient_user_id"`
		Errors    []struct {
			Code  json.RawMessage `json:"code"`
			Title string          `json:"title"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(data, &s); err != nil {
		in := problem(data, err)
		in.id = s.ID
		return &in
	}
	in := &incoming{raw: data, id: s.ID, who: newPerson(s.Recipient, s.UserID)}
	if s.Type == "group" && s.Recipient != "" {
		in.who = person{group: s.Recipient}
	}
	status := statuses[s.Status]
	switch {
	case s.ID == "" || in.who.address() == "":
		in.problem = "the status names no message, or nobody who was to get it"
		return in
	case status == "":
		return nil
	}
	r := convo.Delivery{
		Channel: channel, ExternalID: s.ID, Status: status, At: seconds(s.Timestamp, now),
	}
	if status == "failed" && len(s.Errors) > 0 {
		r.Reason = reason(s.Errors[0].Code, s.Errors[0].Title)
	}
	for _, r.Address = range in.who.addresses() {
		in.receipts = append(in.receipts, r)
	}
	return in
}

// reason is why a message failed, as far as it can be kept: a detail of it is no reason to lose the
// receipt.
func reason(code json.RawMessage, title string) string {
	text := strings.Trim(string(code), `"`) + " " + title
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.ToValidUTF8(text[:min(len(text), convo.DefaultMaxReason)], "")
}

// confirm hands a receipt over, by one address after the other until its message is known.
func (h *host) confirm(ctx context.Context, rs []convo.Delivery) (outcome string, err error) {
	for _, r := range rs {
		unknown, err := h.receipts.Deliver(ctx, h.workspace, r)
		if err != nil || unknown == 0 {
			return "receipt", err
		}
	}
	return "unknown receipt", nil // of what another program sent by this number
}
