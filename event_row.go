package convo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// EventRow is an event with the fields of all payloads side by side, as JSON and tables have it:
// for the authors of stores. Fields that do not belong to its kind are zero.
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

	Channel    string    `json:"channel,omitempty"` // of a message, opening or address
	Lane       string    `json:"lane,omitempty"`
	ExternalID string    `json:"external_id,omitempty"`
	SentAt     time.Time `json:"sent_at,omitzero"`
	// Body is a text, a blocking's reason, or a rating's comment.
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`

	Category    string    `json:"category,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Until       time.Time `json:"until,omitzero"`
	OnReceive   OnReceive `json:"on_receive,omitempty"`
	Marks       Marks     `json:"marks,omitzero"`
	Cycle       int       `json:"cycle,omitempty"` // as in Before
	Score       int       `json:"score,omitempty"`
	Replaces    bool      `json:"replaces,omitempty"` // another rating of the cycle
	Assignee    string    `json:"assignee,omitempty"`
	Team        string    `json:"team,omitempty"`
	Response    bool      `json:"response,omitempty"`
	Quiet       bool      `json:"quiet,omitempty"`
	NewContact  bool      `json:"new_contact,omitempty"`
	RestartFlow bool      `json:"restart_flow,omitempty"`

	Message   uuid.UUID `json:"message,omitzero"` // that was edited, taken back or told its id
	Redacted  bool      `json:"redacted,omitempty"`
	Duplicate uuid.UUID `json:"duplicate,omitzero"` // the echo of it

	Notice   NoticeCode `json:"notice,omitempty"`
	Audience Audience   `json:"audience,omitempty"`

	Address    string `json:"address,omitempty"` // the value on Channel
	MergedInto string `json:"merged_into,omitempty"`
	Blocked    bool   `json:"blocked,omitempty"` // the primary of a merge
	BlockedBy  Tokens `json:"blocked_by,omitzero"`

	MovedFrom    string `json:"moved_from,omitempty"`
	FromSeq      int64  `json:"from_seq,omitempty"`
	UnmergedFrom string `json:"unmerged_from,omitempty"`
	OwnBlocked   bool   `json:"own_blocked,omitempty"`
	OwnBlockedBy Tokens `json:"own_blocked_by,omitzero"`

	Labels         Tokens     `json:"labels,omitzero"`
	LabelsBefore   Tokens     `json:"labels_before,omitzero"`
	Priority       Priority   `json:"priority,omitzero"`
	PriorityBefore Priority   `json:"priority_before,omitzero"`
	Subject        string     `json:"subject,omitempty"`
	Name           string     `json:"name,omitempty"`
	Attributes     Attributes `json:"attributes,omitzero"`

	// What the conversation was before a change of one of them.
	StatusBefore   Status `json:"status_before,omitempty"`
	AssigneeBefore string `json:"assignee_before,omitempty"`
	TeamBefore     string `json:"team_before,omitempty"`
	LaneBefore     string `json:"lane_before,omitempty"`
	ChannelBefore  string `json:"channel_before,omitempty"`

	OpenedSource Source `json:"opened_source,omitempty"`

	// Since when it was, and what else reports count: see Before.
	StatusSince   time.Time `json:"status_since,omitzero"`
	AssignedAt    time.Time `json:"assigned_at,omitzero"`
	WasAssigned   bool      `json:"was_assigned,omitempty"`
	OpenedAt      time.Time `json:"opened_at,omitzero"`
	Turn          Turn      `json:"turn,omitempty"`
	TurnSince     time.Time `json:"turn_since,omitzero"`
	WaitingSince  time.Time `json:"waiting_since,omitzero"`
	HandedOverAt  time.Time `json:"handed_over_at,omitzero"`
	Replies       int       `json:"replies,omitempty"`
	PendingMicros int64     `json:"pending_micros,omitempty"`
	ClosedBy      Actor     `json:"closed_by,omitzero"`
}

// Row is e with its payload taken apart.
func (e Event) Row() (r EventRow) {
	r.ID, r.Workspace, r.Contact, r.Conversation = e.ID, e.Workspace, e.Contact, e.Conversation
	r.Seq, r.Kind, r.At, r.By, r.Source = e.Seq, e.Kind, e.At, e.By, e.Source
	// A type switch, because an interface's method would move the row to the heap.
	switch p := e.Payload.(type) {
	case *Opening:
		r.Channel, r.Address, r.Lane, r.ContactSeq = p.Channel, p.Address, p.Lane, p.ContactSeq
		r.NewContact, r.RestartFlow = p.NewContact, p.RestartFlow
		if p.Before != nil {
			p.Before.to(&r)
		}
	case *Pending:
		r.Until, r.OnReceive, r.Marks = p.Until, p.OnReceive, p.Marks
		p.Before.to(&r)
	case *ClosingNotes:
		r.Category, r.Summary, r.Marks = p.Category, p.Summary, p.Marks
		p.Before.to(&r)
	case *Before:
		p.to(&r)
	case *Resumption:
		r.Marks = p.Marks
		p.Before.to(&r)
	case *Rated:
		r.Score, r.Body, r.Replaces = p.Score, p.Comment, p.Replaces
		p.to(&r)
	case *Passing:
		r.Marks = MarksOf(p.Mark)
		p.Before.to(&r)
	case *Assignment:
		r.Assignee, r.Team = p.Assignee, p.Team
		p.Before.to(&r)
	case *Message:
		r.Channel, r.Address, r.ExternalID = p.Channel, p.Address, p.ExternalID
		r.SentAt, r.Body = p.SentAt, p.Body
		r.Attachments, r.Response, r.Quiet = p.Attachments, p.Response, p.Quiet
		r.Marks = p.Marks
		if p.Before != nil {
			p.Before.to(&r)
		}
	case *Edited:
		r.Message, r.Body, r.Attachments = p.Message, p.Body, p.Attachments
	case *Retracted:
		r.Message, r.Redacted = p.Message, p.Redacted
	case *Identified:
		p.to(&r)
	case *Duplicated:
		p.to(&r)
		r.Quiet = p.Quiet
	case *Notice:
		r.Notice, r.Audience, r.Body = p.Code, p.Audience, p.Body
	case *Address:
		r.Channel, r.Address = p.Channel, p.Value
	case *Blocking:
		r.Body = p.Reason
	case *Moving:
		r.MovedFrom, r.FromSeq, r.ContactSeq = p.From, p.FromSeq, p.ContactSeq
		r.Lane, r.Channel = p.Lane, p.Channel
		p.Before.to(&r)
	case *Labeling:
		r.Labels, r.LabelsBefore = p.Labels, p.Before
	case *Prioritizing:
		r.Priority, r.PriorityBefore = p.Priority, p.Before
	case *Description:
		r.Subject, r.Attributes = p.Subject, p.Attributes
	case *Profile:
		r.Name, r.Attributes = p.Name, p.Attributes
	case *Erasing:
		r.Attributes = p.Removed
	case *Merging:
		r.MergedInto, r.ContactSeq = p.MergedInto, p.ContactSeq
		r.Blocked, r.BlockedBy = p.Blocked, p.BlockedBy
	case *Unmerging:
		r.UnmergedFrom, r.ContactSeq = p.From, p.ContactSeq
		r.Blocked, r.BlockedBy = p.Blocked, p.BlockedBy
		r.OwnBlocked, r.OwnBlockedBy = p.OwnBlocked, p.OwnBlockedBy
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
	e.Kind = r.Kind
	switch r.Kind.payload() {
	case openingPayload:
		*payloadFor[Opening](e) = Opening{
			r.Channel, r.Address, r.Lane, r.ContactSeq, r.NewContact, r.RestartFlow, nil,
		}
		if b := r.before(); b != (Before{}) {
			e.Payload.(*Opening).Before = &b
		}
	case pendingPayload:
		*payloadFor[Pending](e) = Pending{r.Until, r.OnReceive, r.Marks, r.before()}
	case resumptionPayload:
		*payloadFor[Resumption](e) = Resumption{r.Marks, r.before()}
	case ratedPayload:
		*payloadFor[Rated](e) = Rated{r.before(), r.Score, r.Body, r.Replaces}
	case passingPayload:
		*payloadFor[Passing](e) = Passing{r.Marks.first(), r.before()}
	case closingNotesPayload:
		*payloadFor[ClosingNotes](e) = ClosingNotes{
			r.Category, r.Summary, r.Marks, r.before(),
		}
	case assignmentPayload:
		*payloadFor[Assignment](e) = Assignment{r.Assignee, r.Team, r.before()}
	case beforePayload:
		*payloadFor[Before](e) = r.before()
	case messagePayload:
		*payloadFor[Message](e) = Message{
			r.Channel, r.Address, r.ExternalID, r.SentAt, r.Body, r.Attachments,
			r.Response, r.Quiet, r.Marks, nil,
		}
		if r.Turn != "" {
			b := r.before()
			e.Payload.(*Message).Before = &b
		}
	case editedPayload:
		*payloadFor[Edited](e) = Edited{r.Message, r.Body, r.Attachments}
	case retractedPayload:
		*payloadFor[Retracted](e) = Retracted{r.Message, r.Redacted}
	case identifiedPayload:
		*payloadFor[Identified](e) = r.identified()
	case duplicatedPayload:
		*payloadFor[Duplicated](e) = Duplicated{r.identified(), r.Quiet}
	case noticePayload:
		*payloadFor[Notice](e) = Notice{r.Notice, r.Audience, r.Body}
	case addressPayload:
		*payloadFor[Address](e) = Address{r.Channel, r.Address}
	case blockingPayload:
		*payloadFor[Blocking](e) = Blocking{r.Body}
	case movingPayload:
		*payloadFor[Moving](e) = Moving{
			r.MovedFrom, r.FromSeq, r.ContactSeq, r.Lane, r.Channel, r.before(),
		}
	case labelingPayload:
		*payloadFor[Labeling](e) = Labeling{r.Labels, r.LabelsBefore}
	case prioritizingPayload:
		*payloadFor[Prioritizing](e) = Prioritizing{r.Priority, r.PriorityBefore}
	case descriptionPayload:
		*payloadFor[Description](e) = Description{r.Subject, r.Attributes}
	case profilePayload:
		*payloadFor[Profile](e) = Profile{r.Name, r.Attributes}
	case erasingPayload:
		*payloadFor[Erasing](e) = Erasing{r.Attributes}
	case mergingPayload:
		*payloadFor[Merging](e) = Merging{r.MergedInto, r.ContactSeq, r.Blocked, r.BlockedBy}
	case unmergingPayload:
		*payloadFor[Unmerging](e) = Unmerging{
			r.UnmergedFrom, r.ContactSeq, r.Blocked, r.BlockedBy, r.OwnBlocked, r.OwnBlockedBy,
		}
	default:
		e.Payload = nil
	}
}

func (b *Before) to(r *EventRow) {
	r.StatusBefore, r.AssigneeBefore, r.TeamBefore = b.Status, b.Assignee, b.Team
	r.LaneBefore, r.ChannelBefore = b.Lane, b.Channel
	r.LabelsBefore, r.PriorityBefore = b.Labels, b.Priority
	r.Cycle, r.OpenedSource = b.Cycle, b.OpenedSource
	r.StatusSince, r.AssignedAt, r.WasAssigned = b.StatusSince, b.AssignedAt, b.WasAssigned
	r.OpenedAt, r.Turn, r.TurnSince = b.OpenedAt, b.Turn, b.TurnSince
	r.WaitingSince, r.HandedOverAt, r.Replies = b.WaitingSince, b.HandedOverAt, b.Replies
	r.PendingMicros, r.ClosedBy = b.PendingMicros, b.ClosedBy
}

func (r *EventRow) before() Before {
	return Before{
		r.StatusBefore, r.AssigneeBefore, r.TeamBefore, r.LaneBefore, r.ChannelBefore,
		r.LabelsBefore, r.PriorityBefore, r.Cycle, r.OpenedSource, r.StatusSince, r.AssignedAt,
		r.WasAssigned, r.OpenedAt, r.Turn, r.TurnSince, r.WaitingSince, r.HandedOverAt, r.Replies,
		r.PendingMicros, r.ClosedBy,
	}
}

func (p *Identified) to(r *EventRow) {
	r.Message, r.Channel, r.Address, r.ExternalID = p.Message, p.Channel, p.Address, p.ExternalID
	r.Duplicate = p.Duplicate
}

// ClearTexts leaves of r nothing that somebody has written: no Body, Attachments, Summary, Subject,
// Name and Attributes. It reports whether there was any.
func (r *EventRow) ClearTexts() (had bool) {
	had = r.Body+r.Summary+r.Subject+r.Name+string(r.Attributes) != "" || len(r.Attachments) > 0
	r.Body, r.Attachments, r.Summary, r.Subject, r.Name = "", nil, "", "", ""
	r.Attributes = ""
	return had
}

func (r *EventRow) identified() Identified {
	return Identified{r.Message, r.Channel, r.Address, r.ExternalID, r.Duplicate}
}

// payloadFor is the payload of e if it is a P, else a new one.
func payloadFor[P any, T interface {
	*P
	Payload
}](e *Event) T {
	p, ok := e.Payload.(T)
	if !ok {
		p = new(P)
		e.Payload = p
	}
	return p
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
