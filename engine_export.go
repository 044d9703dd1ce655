package convo

import (
	"context"
	"encoding/json"
	"io"

	"github.com/google/uuid"
)

// Exported is a line of [Engine.Export]: what its Type says is the one field that is not empty.
type Exported struct {
	// Type is contact, address, conversation, cycle, event, delivery or key.
	Type         string        `json:"type"`
	Contact      *Contact      `json:"contact,omitempty"`
	Address      *Address      `json:"address,omitempty"`
	Conversation *Conversation `json:"conversation,omitempty"`
	Cycle        *ClosedCycle  `json:"cycle,omitempty"`
	Event        *Event        `json:"event,omitempty"`
	Delivery     *Delivery     `json:"delivery,omitempty"` // of the message in the event before it
	Key          *Key          `json:"key,omitempty"`      // as well
}

// ClosedCycle is a closed cycle of a conversation.
type ClosedCycle struct {
	Conversation uuid.UUID `json:"conversation"`
	Cycle
}

// Export writes all that is kept of the person that to leads to, and of all contacts that were
// merged into it, as NDJSON: a line of [Exported] for each contact, the root first, and each
// address; then for each conversation, the last opened first, with its closed cycles; and then the
// whole history, in order, each message with the key of its external id and with its receipts. Keys
// of the host are not among it, for they do not say whose they are.
//
// It reads page by page, not as of one moment, and holds nothing. It fails with a *ValidationError
// for a Ref to a conversation, with a *StateError of ErrNotFound, and with what w or the store
// fails with; what was written by then stays.
func (e *Engine) Export(ctx context.Context, to Ref, w io.Writer) error {
	if err := to.Validate(); err != nil {
		return err
	}
	if to.Conversation != uuid.Nil {
		return invalid("ref", "name a contact or an address: an export is of a person")
	}
	s, err := e.loadRoot(ctx, to)
	if err != nil {
		return err
	}
	if s.Contact.Version == 0 {
		return refuse(&s, ErrNotFound, "export")
	}
	x := exporter{e, json.NewEncoder(w), &s.Contact}
	x.SetEscapeHTML(false)
	for _, part := range [...]func(context.Context) error{
		x.contacts, x.conversations, x.history,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// exporter writes what there is of a root contact.
type exporter struct {
	*Engine
	*json.Encoder
	root *Contact
}

func (x *exporter) contacts(ctx context.Context) error {
	family, err := x.store.Family(ctx, x.root.Workspace, x.root.ID)
	if err != nil {
		return err
	}
	for _, k := range append([]Contact{*x.root}, family...) {
		if err := x.Encode(Exported{Type: "contact", Contact: &k}); err != nil {
			return err
		}
	}
	addresses, err := x.store.Addresses(ctx, x.root.Workspace, x.root.ID)
	for i := range addresses {
		if err == nil {
			err = x.Encode(Exported{Type: "address", Address: &addresses[i]})
		}
	}
	return err
}

func (x *exporter) conversations(ctx context.Context) error {
	f := Filter{Workspace: x.root.Workspace, Contact: x.root.ID, Limit: MaxPageSize}
	for c, err := range x.AllConversations(ctx, f) {
		if err == nil {
			err = x.Encode(Exported{Type: "conversation", Conversation: &c})
		}
		if err != nil {
			return err
		}
		cycles, err := x.store.ClosedCycles(ctx, c.Workspace, c.ID)
		for i := range cycles {
			if err == nil {
				err = x.Encode(Exported{Type: "cycle", Cycle: &ClosedCycle{c.ID, cycles[i]}})
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) history(ctx context.Context) error {
	to := ToContact(x.root.Workspace, x.root.ID)
	for event, err := range x.AllHistory(ctx, to, EventCursor{}) {
		if err == nil {
			err = x.Encode(Exported{Type: "event", Event: &event})
		}
		if err == nil {
			err = x.about(ctx, &event)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// about writes what is kept under the external id that an event gives to a message. Another one's
// message may have the same id, by another address.
func (x *exporter) about(ctx context.Context, event *Event) error {
	m := event.Row()
	if m.ExternalID == "" {
		return nil
	}
	id := KeyID{Channel: m.Channel, Address: m.Address, Contact: x.root.ID, ID: m.ExternalID}
	keys, err := x.store.Keys(ctx, m.Workspace, id)
	if err != nil {
		return err
	}
	for i := range keys {
		if keys[i].Conversation == m.Conversation {
			if err := x.Encode(Exported{Type: "key", Key: &keys[i]}); err != nil {
				return err
			}
		}
	}
	receipts, err := x.store.Deliveries(ctx, m.Workspace, []KeyID{id})
	for i := range receipts {
		if d := &receipts[i]; err == nil && (d.Address == "" || d.Address == m.Address) {
			err = x.Encode(Exported{Type: "delivery", Delivery: d})
		}
	}
	return err
}
