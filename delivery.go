package convo

import (
	"context"
	"fmt"
	"time"
)

// DeliveryStatus is how far a sent message has come.
type DeliveryStatus string

// The statuses, each further than the one before.
const (
	DeliverySent      DeliveryStatus = "sent"
	DeliveryFailed    DeliveryStatus = "failed"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryRead      DeliveryStatus = "read"
)

var deliveryStatuses = [...]DeliveryStatus{
	DeliverySent, DeliveryFailed, DeliveryDelivered, DeliveryRead,
}

// Rank orders statuses, from 1; 0 is none.
func (s DeliveryStatus) Rank() int {
	for i, known := range deliveryStatuses {
		if s == known {
			return i + 1
		}
	}
	return 0
}

// DeliveryStatusOf is the status with a rank, or none.
func DeliveryStatusOf(rank int) DeliveryStatus {
	if rank < 1 || rank > len(deliveryStatuses) {
		return ""
	}
	return deliveryStatuses[rank-1]
}

// Delivery is a receipt of a sent message: what its provider says has become of it. It is no event
// of the log and moves no version; it is kept beside the log, by the channel, address and external
// id of the message.
type Delivery struct {
	Channel    string         `json:"channel"`
	Address    string         `json:"address,omitempty"` // on Channel, if the message has one
	ExternalID string         `json:"external_id"`
	Status     DeliveryStatus `json:"status"`
	At         time.Time      `json:"at"`               // zero: now
	Reason     string         `json:"reason,omitempty"` // why it failed
}

// DefaultMaxReason is how long the reason of a receipt may be, in bytes.
const DefaultMaxReason = DefaultMaxSummary

// DeliveryLifetime is how long a receipt is kept for a message that is not known: it may come
// first.
const DeliveryLifetime = 7 * 24 * time.Hour

// Validate reports what is wrong with d as a *ValidationError.
func (d *Delivery) Validate() error {
	if err := checkID("channel", d.Channel); err != nil {
		return err
	}
	if err := checkToken("address", d.Address); err != nil {
		return err
	}
	if d.ExternalID == "" {
		return invalid("external_id", "must not be empty")
	}
	if err := checkKey("external_id", d.ExternalID); err != nil {
		return err
	}
	if d.Status.Rank() == 0 {
		return invalid("status",
			fmt.Sprintf("%q is not one of sent, failed, delivered, read", d.Status))
	}
	if err := checkTime("at", d.At); err != nil {
		return err
	}
	return checkText("reason", d.Reason, DefaultMaxReason, DefaultMaxReason)
}

// MaxDeliveries is the most receipts that one call takes.
const MaxDeliveries = 100

// Deliver records receipts of a workspace, in one statement. A status never goes backwards: of what
// comes twice or out of order, the furthest stands. It returns how many are of messages that are
// not known; they are no errors, for a receipt may come before its message, and are kept for
// DeliveryLifetime. It fails with a *ValidationError, which names the place of the receipt, and
// records none then.
func (e *Engine) Deliver(
	ctx context.Context, workspace string, ds ...Delivery,
) (unknown int, err error) {
	if err := checkID("workspace", workspace); err != nil {
		return 0, err
	}
	if len(ds) == 0 || len(ds) > MaxDeliveries {
		return 0, invalid("deliveries", fmt.Sprintf("must be from 1 to %d", MaxDeliveries))
	}
	now := micros(e.clock.Now())
	type place struct{ channel, address, id string }
	furthest := make([]Delivery, 0, len(ds))
	at := map[place]int{}
	for i, d := range ds {
		if err := d.Validate(); err != nil {
			return 0, fmt.Errorf("convo: receipt %d: %w", i, err)
		}
		if d.At = micros(d.At); d.At.IsZero() || d.At.After(now) {
			d.At = now
		}
		p := place{d.Channel, d.Address, d.ExternalID}
		j, known := at[p]
		switch {
		case !known:
			at[p] = len(furthest)
			furthest = append(furthest, d)
		case d.Status.Rank() > furthest[j].Status.Rank():
			furthest[j] = d
		}
	}
	ctx, w := e.watch(ctx, Call{Name: CallDeliver, Workspace: workspace})
	defer w.end()
	unknown, err = e.store.Deliver(ctx, workspace, now, furthest)
	w.done("", 0, err)
	return unknown, err
}

// AddDeliveries fills in the Delivery of those messages that have an external id: the furthest of
// the receipts for it. Both must name the same address, unless one of them names none.
func (e *Engine) AddDeliveries(ctx context.Context, messages []ShownMessage) error {
	by := map[string][]KeyID{} // by workspace
	for i := range messages {
		if m := &messages[i]; m.ExternalID != "" {
			w := m.Event.Workspace
			by[w] = append(by[w], KeyID{Channel: m.channel, ID: m.ExternalID})
		}
	}
	for workspace, ids := range by {
		for len(ids) > 0 {
			n := min(len(ids), MaxDeliveries)
			found, err := e.store.Deliveries(ctx, workspace, ids[:n])
			if err != nil {
				return err
			}
			ids = ids[n:]
			for i := range messages {
				messages[i].take(workspace, found)
			}
		}
	}
	return nil
}

// take keeps the furthest of the receipts that are for m.
func (m *ShownMessage) take(workspace string, receipts []Delivery) {
	if m.Event.Workspace != workspace {
		return
	}
	for _, d := range receipts {
		if d.ExternalID == m.ExternalID && d.Channel == m.channel &&
			(d.Address == m.address || d.Address == "" || m.address == "") &&
			d.Status.Rank() > m.Delivery.Status.Rank() {
			m.Delivery = d
		}
	}
}
