package convo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// EventRow is an event with the fields of all payloads side by side, as JSON and tables have it: for
// the authors of stores. Fields that do not belong to its kind are zero.
type EventRow struct {
	ID           uuid.UUID `json:"id"`
	Workspace    string    `json:"workspace"`
	Contact      string    `json:"contact"`
	Conversation uuid.UUID `json:"conversation,omitzero"`
	Seq          int64     `json:"seq"`
	ContactSeq   int64     `json:"contact_seq,omitempty"`
	Kind         EventKind `json:"kind"`
	At           time.Time `json:"at"`
	By           Actor     `json:"by"`
	Source       Source    `json:"source,omitempty"`

	Channel     string          `json:"channel,omitempty"` // of a message, opening or address
	ExternalID  string          `json:"external_id,omitempty"`
	Body        string          `json:"body,omitempty"` // of a message or notice; a blocking's reason
	Attachments json.RawMessage `json:"attachments,omitempty"`

	Category    string    `json:"category,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Until       time.Time `json:"until,omitzero"`
	Assignee    string    `json:"assignee,omitempty"`
	Team        string    `json:"team,omitempty"`
	Response    bool      `json:"response,omitempty"`
	RestartFlow bool      `json:"restart_flow,omitempty"`

	Notice   NoticeCode `json:"notice,omitempty"`
	Audience Audience   `json:"audience,omitempty"`

	Address            string    `json:"address,omitempty"` // the value on Channel
	MergedInto         string    `json:"merged_into,omitempty"`
	LatestConversation uuid.UUID `json:"latest_conversation,omitzero"`
}

// Row is e with its payload taken apart.
func (e Event) Row() (r EventRow) {
	r.ID, r.Workspace, r.Contact, r.Conversation = e.ID, e.Workspace, e.Contact, e.Conversation
	r.Seq, r.Kind, r.At, r.By, r.Source = e.Seq, e.Kind, e.At, e.By, e.Source
	if e.Payload != nil {
		e.Payload.toRow(&r)
	}
	return r
}

// Event is r as an event, with a payload of its own.
func (r *EventRow) Event() (e Event) {
	r.To(&e)
	return e
}

// To makes e the event of r. A payload that e has already is overwritten when it is of the same
// type, so that a reader of many events, which keeps none of them, needs no memory for each.
func (r *EventRow) To(e *Event) {
	e.ID, e.Workspace, e.Contact, e.Conversation = r.ID, r.Workspace, r.Contact, r.Conversation
	e.Seq, e.At, e.By, e.Source = r.Seq, r.At, r.By, r.Source
	was := e.Kind
	e.Kind = r.Kind
	if int(r.Kind) >= len(eventKinds) || eventKinds[r.Kind].payload == nil {
		e.Payload = nil
		return
	}
	if e.Payload == nil || !samePayload(was, r.Kind) {
		e.Payload = eventKinds[r.Kind].payload()
	}
	e.Payload.fromRow(r)
}

func samePayload(a, b EventKind) bool {
	message := func(k EventKind) bool {
		return k == MessageReceived || k == MessageSent || k == NoteAdded
	}
	return a == b || message(a) && message(b)
}

func (p *Opening) toRow(r *EventRow) {
	r.Channel, r.ContactSeq, r.RestartFlow = p.Channel, p.ContactSeq, p.RestartFlow
}

func (p *Opening) fromRow(r *EventRow) { *p = Opening{r.Channel, r.ContactSeq, r.RestartFlow} }

func (p *Pending) toRow(r *EventRow)   { r.Until = p.Until }
func (p *Pending) fromRow(r *EventRow) { p.Until = r.Until }

func (p *ClosingNotes) toRow(r *EventRow)   { r.Category, r.Summary = p.Category, p.Summary }
func (p *ClosingNotes) fromRow(r *EventRow) { *p = ClosingNotes{r.Category, r.Summary} }

func (p *Assignment) toRow(r *EventRow)   { r.Assignee, r.Team = p.Assignee, p.Team }
func (p *Assignment) fromRow(r *EventRow) { *p = Assignment{r.Assignee, r.Team} }

func (p *Message) toRow(r *EventRow) {
	r.Channel, r.ExternalID, r.Body = p.Channel, p.ExternalID, p.Body
	r.Attachments, r.Response = p.Attachments, p.Response
}

func (p *Message) fromRow(r *EventRow) {
	*p = Message{r.Channel, r.ExternalID, r.Body, r.Attachments, r.Response}
}

func (p *Notice) toRow(r *EventRow)   { r.Notice, r.Audience, r.Body = p.Code, p.Audience, p.Body }
func (p *Notice) fromRow(r *EventRow) { *p = Notice{r.Notice, r.Audience, r.Body} }

func (a *Address) toRow(r *EventRow)   { r.Channel, r.Address = a.Channel, a.Value }
func (a *Address) fromRow(r *EventRow) { *a = Address{r.Channel, r.Address} }

func (p *Blocking) toRow(r *EventRow)   { r.Body = p.Reason }
func (p *Blocking) fromRow(r *EventRow) { p.Reason = r.Body }

func (p *Merging) toRow(r *EventRow) {
	r.MergedInto, r.LatestConversation = p.MergedInto, p.LatestConversation
	r.ContactSeq = p.ContactSeq
}

func (p *Merging) fromRow(r *EventRow) {
	*p = Merging{r.MergedInto, r.LatestConversation, r.ContactSeq}
}

// MarshalJSON implements json.Marshaler: one flat object, with what is empty left out.
func (e Event) MarshalJSON() ([]byte, error) { return json.Marshal(e.Row()) }

// UnmarshalJSON implements json.Unmarshaler. What does not belong to the kind is left out.
func (e *Event) UnmarshalJSON(data []byte) error {
	var r EventRow
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	*e = r.Event()
	return nil
}
