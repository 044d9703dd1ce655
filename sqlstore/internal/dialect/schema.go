package dialect

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The columns of each table. All else comes from here: lists of columns, placeholders, arguments,
// what is scanned into, PostgreSQL's casts and record sets, MariaDB's blocks. A new column is a
// line here, in the order of the migrations, and a line in the migration of each engine; a test
// compares them.

// The rows, by the aliases that their tables have in SQL.
type (
	ct = convo.Contact
	ad = Address
	cv = convo.Conversation
	cy = convo.Cycle
	ev = convo.EventRow
	ky = Key
	dl = Delivery
)

// Address is a row of the addresses.
type Address struct {
	Workspace string
	convo.AddressRow
}

// Key is a row of the keys.
type Key struct {
	Workspace string
	convo.Key
}

// ClosedCycle is a row of the closed cycles.
type ClosedCycle struct {
	Workspace    string
	Conversation uuid.UUID
	Channel      string
	Lane         string
	*convo.Cycle
}

// Contacts are the columns of convo_contacts.
var Contacts = table(
	required("workspace", immutable, func(c *ct) Field { return (*Text)(&c.Workspace) }),
	required("id", immutable, func(c *ct) Field { return (*Text)(&c.ID) }),
	required("version", mutable, func(c *ct) Field { return (*Int)(&c.Version) }),
	required("created_at", mutable, func(c *ct) Field { return (*Micros)(&c.CreatedAt) }),
	optional("updated_at", mutable, func(c *ct) Field { return (*Micros)(&c.UpdatedAt) }),
	required("seen_at", mutable, func(c *ct) Field { return (*Micros)(&c.SeenAt) }),
	required("blocked", mutable, func(c *ct) Field { return (*Flag)(&c.Blocked) }),
	optional("merged_into", mutable, func(c *ct) Field { return (*Text)(&c.MergedInto) }),
	optional("parent", mutable, func(c *ct) Field { return (*Text)(&c.Parent) }),
	optional("blocked_by", mutable, func(c *ct) Field { return (*PlainText)(&c.BlockedBy) }),
	optional("name", mutable, func(c *ct) Field { return (*Text)(&c.Name) }),
	optional("attributes", mutable, func(c *ct) Field { return (*PlainText)(&c.Attributes) }),
	optional("erased_at", mutable, func(c *ct) Field { return (*Micros)(&c.ErasedAt) }),
)

// Addresses are the columns of convo_addresses.
var Addresses = table(
	required("workspace", immutable, func(a *ad) Field { return (*Text)(&a.Workspace) }),
	required("channel", immutable, func(a *ad) Field { return (*Text)(&a.Channel) }),
	required("value", immutable, func(a *ad) Field { return (*Text)(&a.Value) }),
	required("contact", immutable, func(a *ad) Field { return (*Text)(&a.Contact) }),
	Column[ad]{name: "identity", kind: text, use: derived, optional: true, value: identity},
)

func identity(a *ad) any {
	identity := Text(a.Identity())
	return identity.arg(nil, true)
}

// Conversations are the columns of convo_conversations. The contact is immutable for a commit, but
// for a Move: a merge gives another one, to all conversations at once and without a new version, so
// that no older decision takes it back.
var Conversations = table(slices.Concat(Columns[cv]{
	required("workspace", immutable, func(c *cv) Field { return (*Text)(&c.Workspace) }),
	required("id", immutable, func(c *cv) Field { return (*ID)(&c.ID) }),
	required("origin", immutable, func(c *cv) Field { return (*Text)(&c.Origin) }),
	required("channel", immutable, func(c *cv) Field { return (*Text)(&c.Channel) }),
	required("lane", immutable, func(c *cv) Field { return (*Text)(&c.Lane) }),
	required("created_at", immutable, func(c *cv) Field { return (*Micros)(&c.CreatedAt) }),
	required("contact", immutable, func(c *cv) Field { return (*Text)(&c.Contact) }),
	required("new_contact", immutable, func(c *cv) Field { return (*Flag)(&c.NewContact) }),
	required("status", mutable, func(c *cv) Field { return (*Text)(&c.Status) }),
	required("status_since", mutable, func(c *cv) Field { return (*Micros)(&c.StatusSince) }),
	required("version", byMessages, func(c *cv) Field { return (*Int)(&c.Version) }),
	required("updated_at", byMessages, func(c *cv) Field { return (*Micros)(&c.UpdatedAt) }),
	required("last_activity_at", byMessages,
		func(c *cv) Field { return (*Micros)(&c.LastActivityAt) }),
	optional("last_incoming_at", byMessages,
		func(c *cv) Field { return (*Micros)(&c.LastIncomingAt) }),
	optional("first_closed_at", mutable, func(c *cv) Field { return (*Micros)(&c.FirstClosedAt) }),
	required("assignee", mutable, func(c *cv) Field { return (*Text)(&c.Assignee) }),
	required("team", mutable, func(c *cv) Field { return (*Text)(&c.Team) }),
	optional("assigned_at", mutable, func(c *cv) Field { return (*Micros)(&c.AssignedAt) }),
	optional("labels", mutable, func(c *cv) Field { return (*PlainText)(&c.Labels) }),
	required("priority", mutable, func(c *cv) Field { return (*Rank)(&c.Priority) }),
	optional("subject", mutable, func(c *cv) Field { return (*KeyText)(&c.Subject) }),
	optional("attributes", mutable, func(c *cv) Field { return (*PlainText)(&c.Attributes) }),
	optional("pending_until", mutable, func(c *cv) Field { return (*Micros)(&c.PendingUntil) }),
	optional("on_receive", mutable, func(c *cv) Field { return (*Text)(&c.OnReceive) }),
	optional("awaiting_contact_since", byMessages,
		func(c *cv) Field { return (*Micros)(&c.AwaitingContactSince) }),
	required("address_channel", byMessages,
		func(c *cv) Field { return (*Text)(&c.Address.Channel) }),
	required("address", byMessages, func(c *cv) Field { return (*Text)(&c.Address.Value) }),
	optional("marks", mutable, func(c *cv) Field { return (*PlainText)(&c.Marks) }),
	optional("deadline_at", byMessages, func(c *cv) Field { return (*Micros)(&c.Deadline) }),
	optional("due_at", mutable, func(c *cv) Field { return (*Micros)(&c.DueAt) }),
	optional("applied", mutable, func(c *cv) Field { return (*PlainText)(&c.Applied) }),
	optional("unrated", mutable, func(c *cv) Field { return (*Count)(&c.Unrated) }),
	Column[cv]{name: "active", kind: flag, use: derived, value: active},
}, lift(Cycle, func(c *cv) *cy { return &c.Cycle }))...)

func active(c *cv) any { return c.Status.Active() }

// Cycle is the columns of a cycle, running or closed.
var Cycle = Columns[cy]{
	required("number", mutable, func(c *cy) Field { return (*Count)(&c.Number) }),
	required("opened_at", mutable, func(c *cy) Field { return (*Micros)(&c.OpenedAt) }),
	required("opened_by_type", mutable, func(c *cy) Field { return (*Text)(&c.OpenedBy.Type) }),
	required("opened_by_id", mutable, func(c *cy) Field { return (*Text)(&c.OpenedBy.ID) }),
	required("opened_source", mutable, func(c *cy) Field { return (*Text)(&c.OpenedSource) }),
	optional("first_assigned_at", mutable,
		func(c *cy) Field { return (*Micros)(&c.FirstAssignedAt) }),
	required("first_assignee", mutable, func(c *cy) Field { return (*Text)(&c.FirstAssignee) }),
	required("last_assignee", mutable, func(c *cy) Field { return (*Text)(&c.LastAssignee) }),
	required("last_team", mutable, func(c *cy) Field { return (*Text)(&c.LastTeam) }),
	optional("first_response_at", byMessages,
		func(c *cy) Field { return (*Micros)(&c.FirstResponseAt) }),
	optional("first_response_sent_at", byMessages,
		func(c *cy) Field { return (*Micros)(&c.FirstResponseSentAt) }),
	required("first_responder_type", byMessages,
		func(c *cy) Field { return (*Text)(&c.FirstResponder.Type) }),
	required("first_responder_id", byMessages,
		func(c *cy) Field { return (*Text)(&c.FirstResponder.ID) }),
	optional("first_waiting_since", byMessages,
		func(c *cy) Field { return (*Micros)(&c.FirstWaitingSince) }),
	optional("waiting_since", byMessages, func(c *cy) Field { return (*Micros)(&c.WaitingSince) }),
	required("turn_since", byMessages, func(c *cy) Field { return (*Micros)(&c.TurnSince) }),
	optional("handed_over_at", mutable, func(c *cy) Field { return (*Micros)(&c.HandedOverAt) }),
	optional("no_wait_before", byMessages, func(c *cy) Field { return (*Micros)(&c.NoWaitBefore) }),
	required("responses", byMessages, func(c *cy) Field { return (*Count)(&c.Responses) }),
	required("response_micros", byMessages, func(c *cy) Field { return (*Int)(&c.ResponseMicros) }),
	required("pending_micros", mutable, func(c *cy) Field { return (*Int)(&c.PendingMicros) }),
	required("incoming", byMessages, func(c *cy) Field { return (*Count)(&c.Incoming) }),
	required("outgoing_user", byMessages, func(c *cy) Field { return (*Count)(&c.OutgoingUser) }),
	required("outgoing_automation", byMessages,
		func(c *cy) Field { return (*Count)(&c.OutgoingAutomation) }),
	optional("rated_at", mutable, func(c *cy) Field { return (*Micros)(&c.Rating.At) }),
	required("score", mutable, func(c *cy) Field { return (*Count)(&c.Rating.Score) }),
	optional("rating_comment", mutable,
		func(c *cy) Field { return (*Quoted)(&c.Rating.Comment) }),
	optional("closed_at", mutable, func(c *cy) Field { return (*Micros)(&c.Closing.At) }),
	required("closed_by_type", mutable, func(c *cy) Field { return (*Text)(&c.Closing.By.Type) }),
	required("closed_by_id", mutable, func(c *cy) Field { return (*Text)(&c.Closing.By.ID) }),
	required("closed_source", mutable, func(c *cy) Field { return (*Text)(&c.Closing.Source) }),
	required("category", mutable, func(c *cy) Field { return (*Text)(&c.Closing.Category) }),
	required("summary", mutable, func(c *cy) Field { return (*FreeText)(&c.Closing.Summary) }),
}

// Cycles are the columns of convo_cycles.
var Cycles = table(slices.Concat(Columns[ClosedCycle]{
	required("workspace", immutable, func(c *ClosedCycle) Field { return (*Text)(&c.Workspace) }),
	required("conversation", immutable,
		func(c *ClosedCycle) Field { return (*ID)(&c.Conversation) }),
	required("channel", immutable, func(c *ClosedCycle) Field { return (*Text)(&c.Channel) }),
	required("lane", immutable, func(c *ClosedCycle) Field { return (*Text)(&c.Lane) }),
}, lift(Cycle, func(c *ClosedCycle) *cy { return c.Cycle }))...)

// Events are the columns of convo_events.
var Events = table(
	required("workspace", immutable, func(e *ev) Field { return (*Text)(&e.Workspace) }),
	required("conversation", immutable, func(e *ev) Field { return (*ID)(&e.Conversation) }),
	required("seq", immutable, func(e *ev) Field { return (*Int)(&e.Seq) }),
	required("id", immutable, func(e *ev) Field { return (*ID)(&e.ID) }),
	required("contact", immutable, func(e *ev) Field { return (*Text)(&e.Contact) }),
	optional("contact_seq", immutable, func(e *ev) Field { return (*Int)(&e.ContactSeq) }),
	required("kind", immutable, func(e *ev) Field { return (*EventKind)(&e.Kind) }),
	required("at", immutable, func(e *ev) Field { return (*Micros)(&e.At) }),
	required("by_type", immutable, func(e *ev) Field { return (*Text)(&e.By.Type) }),
	optional("by_id", immutable, func(e *ev) Field { return (*Text)(&e.By.ID) }),
	optional("source", immutable, func(e *ev) Field { return (*Text)(&e.Source) }),
	optional("channel", immutable, func(e *ev) Field { return (*Text)(&e.Channel) }),
	optional("lane", immutable, func(e *ev) Field { return (*Text)(&e.Lane) }),
	optional("address", immutable, func(e *ev) Field { return (*Text)(&e.Address) }),
	optional("external_id", immutable, func(e *ev) Field { return (*KeyText)(&e.ExternalID) }),
	optional("sent_at", immutable, func(e *ev) Field { return (*Micros)(&e.SentAt) }),
	optional("body", immutable, func(e *ev) Field { return (*FreeText)(&e.Body) }),
	optional("attachments", immutable, func(e *ev) Field { return (*JSON)(&e.Attachments) }),
	optional("category", immutable, func(e *ev) Field { return (*Text)(&e.Category) }),
	optional("summary", immutable, func(e *ev) Field { return (*FreeText)(&e.Summary) }),
	optional("until_at", immutable, func(e *ev) Field { return (*Micros)(&e.Until) }),
	optional("on_receive", immutable, func(e *ev) Field { return (*Text)(&e.OnReceive) }),
	optional("marks", immutable, func(e *ev) Field { return (*PlainText)(&e.Marks) }),
	optional("cycle", immutable, func(e *ev) Field { return (*Count)(&e.Cycle) }),
	optional("score", immutable, func(e *ev) Field { return (*Count)(&e.Score) }),
	optional("replaces", immutable, func(e *ev) Field { return (*Flag)(&e.Replaces) }),
	optional("assignee", immutable, func(e *ev) Field { return (*Text)(&e.Assignee) }),
	optional("team", immutable, func(e *ev) Field { return (*Text)(&e.Team) }),
	optional("response", immutable, func(e *ev) Field { return (*Flag)(&e.Response) }),
	optional("quiet", immutable, func(e *ev) Field { return (*Flag)(&e.Quiet) }),
	optional("new_contact", immutable, func(e *ev) Field { return (*Flag)(&e.NewContact) }),
	optional("restart_flow", immutable, func(e *ev) Field { return (*Flag)(&e.RestartFlow) }),
	optional("message", immutable, func(e *ev) Field { return (*ID)(&e.Message) }),
	optional("redacted", immutable, func(e *ev) Field { return (*Flag)(&e.Redacted) }),
	optional("duplicate", immutable, func(e *ev) Field { return (*ID)(&e.Duplicate) }),
	optional("notice", immutable, func(e *ev) Field { return (*Text)(&e.Notice) }),
	optional("audience", immutable, func(e *ev) Field { return (*Text)(&e.Audience) }),
	optional("status_before", immutable, func(e *ev) Field { return (*Text)(&e.StatusBefore) }),
	optional("assignee_before", immutable,
		func(e *ev) Field { return (*Text)(&e.AssigneeBefore) }),
	optional("team_before", immutable, func(e *ev) Field { return (*Text)(&e.TeamBefore) }),
	optional("lane_before", immutable, func(e *ev) Field { return (*Text)(&e.LaneBefore) }),
	optional("channel_before", immutable, func(e *ev) Field { return (*Text)(&e.ChannelBefore) }),
	optional("opened_source", immutable, func(e *ev) Field { return (*Text)(&e.OpenedSource) }),
	optional("status_since", immutable, func(e *ev) Field { return (*Micros)(&e.StatusSince) }),
	optional("assigned_at", immutable, func(e *ev) Field { return (*Micros)(&e.AssignedAt) }),
	optional("was_assigned", immutable, func(e *ev) Field { return (*Flag)(&e.WasAssigned) }),
	optional("opened_at", immutable, func(e *ev) Field { return (*Micros)(&e.OpenedAt) }),
	optional("turn", immutable, func(e *ev) Field { return (*Text)(&e.Turn) }),
	optional("turn_since", immutable, func(e *ev) Field { return (*Micros)(&e.TurnSince) }),
	optional("waiting_since", immutable, func(e *ev) Field { return (*Micros)(&e.WaitingSince) }),
	optional("handed_over_at", immutable, func(e *ev) Field { return (*Micros)(&e.HandedOverAt) }),
	optional("replies", immutable, func(e *ev) Field { return (*Count)(&e.Replies) }),
	optional("pending_micros", immutable, func(e *ev) Field { return (*Int)(&e.PendingMicros) }),
	optional("closed_by_type", immutable, func(e *ev) Field { return (*Text)(&e.ClosedBy.Type) }),
	optional("closed_by_id", immutable, func(e *ev) Field { return (*Text)(&e.ClosedBy.ID) }),
	optional("moved_from", immutable, func(e *ev) Field { return (*Text)(&e.MovedFrom) }),
	optional("from_seq", immutable, func(e *ev) Field { return (*Int)(&e.FromSeq) }),
	optional("labels", immutable, func(e *ev) Field { return (*PlainText)(&e.Labels) }),
	optional("labels_before", immutable,
		func(e *ev) Field { return (*PlainText)(&e.LabelsBefore) }),
	optional("priority", immutable, func(e *ev) Field { return (*Rank)(&e.Priority) }),
	optional("priority_before", immutable,
		func(e *ev) Field { return (*Rank)(&e.PriorityBefore) }),
	optional("subject", immutable, func(e *ev) Field { return (*KeyText)(&e.Subject) }),
	optional("attributes", immutable, func(e *ev) Field { return (*PlainText)(&e.Attributes) }),
)

// MessageEvents are the columns of convo_events that a message or note has which says nothing of
// deadlines; the others are NULL. Most events are messages, and each value that is sent costs.
var MessageEvents = Events.All.without("contact_seq", "source", "lane", "category", "summary",
	"until_at", "on_receive", "marks", "score", "replaces", "assignee", "team", "new_contact",
	"restart_flow", "message", "redacted", "duplicate", "notice", "audience",
	"status_since", "assigned_at", "was_assigned", "opened_at", "pending_micros",
	"closed_by_type", "closed_by_id", "moved_from", "from_seq", "labels", "priority", "subject",
	"attributes")

// IsMessage reports whether e has no other columns than MessageEvents.
func IsMessage(e *convo.Event) bool {
	m, ok := e.Payload.(*convo.Message)
	return ok && m.Marks == ""
}

// ContactEvents are the columns of convo_contact_events.
var ContactEvents = table(
	required("workspace", immutable, func(e *ev) Field { return (*Text)(&e.Workspace) }),
	required("contact", immutable, func(e *ev) Field { return (*Text)(&e.Contact) }),
	required("seq", immutable, func(e *ev) Field { return (*Int)(&e.Seq) }),
	required("id", immutable, func(e *ev) Field { return (*ID)(&e.ID) }),
	optional("contact_seq", immutable, func(e *ev) Field { return (*Int)(&e.ContactSeq) }),
	required("kind", immutable, func(e *ev) Field { return (*EventKind)(&e.Kind) }),
	required("at", immutable, func(e *ev) Field { return (*Micros)(&e.At) }),
	required("by_type", immutable, func(e *ev) Field { return (*Text)(&e.By.Type) }),
	optional("by_id", immutable, func(e *ev) Field { return (*Text)(&e.By.ID) }),
	optional("source", immutable, func(e *ev) Field { return (*Text)(&e.Source) }),
	optional("channel", immutable, func(e *ev) Field { return (*Text)(&e.Channel) }),
	optional("address", immutable, func(e *ev) Field { return (*Text)(&e.Address) }),
	optional("external_id", immutable, func(e *ev) Field { return (*KeyText)(&e.ExternalID) }),
	optional("sent_at", immutable, func(e *ev) Field { return (*Micros)(&e.SentAt) }),
	optional("body", immutable, func(e *ev) Field { return (*FreeText)(&e.Body) }),
	optional("attachments", immutable, func(e *ev) Field { return (*JSON)(&e.Attachments) }),
	optional("quiet", immutable, func(e *ev) Field { return (*Flag)(&e.Quiet) }),
	optional("message", immutable, func(e *ev) Field { return (*ID)(&e.Message) }),
	optional("redacted", immutable, func(e *ev) Field { return (*Flag)(&e.Redacted) }),
	optional("duplicate", immutable, func(e *ev) Field { return (*ID)(&e.Duplicate) }),
	optional("merged_into", immutable, func(e *ev) Field { return (*Text)(&e.MergedInto) }),
	optional("blocked", immutable, func(e *ev) Field { return (*Flag)(&e.Blocked) }),
	optional("blocked_by", immutable, func(e *ev) Field { return (*PlainText)(&e.BlockedBy) }),
	optional("unmerged_from", immutable, func(e *ev) Field { return (*Text)(&e.UnmergedFrom) }),
	optional("own_blocked", immutable, func(e *ev) Field { return (*Flag)(&e.OwnBlocked) }),
	optional("own_blocked_by", immutable,
		func(e *ev) Field { return (*PlainText)(&e.OwnBlockedBy) }),
	optional("name", immutable, func(e *ev) Field { return (*Text)(&e.Name) }),
	optional("attributes", immutable, func(e *ev) Field { return (*PlainText)(&e.Attributes) }),
)

// Actives are the columns of convo_active, by which active conversations are filtered, and the
// contact that they are the only ones of in their lane. As in Conversations, a merge or a Move
// alone gives another contact.
var Actives = table(
	required("workspace", immutable, func(c *cv) Field { return (*Text)(&c.Workspace) }),
	required("id", immutable, func(c *cv) Field { return (*ID)(&c.ID) }),
	required("status", mutable, func(c *cv) Field { return (*Text)(&c.Status) }),
	required("channel", mutable, func(c *cv) Field { return (*Text)(&c.Channel) }),
	required("lane", mutable, func(c *cv) Field { return (*Text)(&c.Lane) }),
	required("created_at", immutable, func(c *cv) Field { return (*Micros)(&c.CreatedAt) }),
	required("assignee", mutable, func(c *cv) Field { return (*Text)(&c.Assignee) }),
	required("team", mutable, func(c *cv) Field { return (*Text)(&c.Team) }),
	required("priority", mutable, func(c *cv) Field { return (*Rank)(&c.Priority) }),
	required("contact", immutable, func(c *cv) Field { return (*Text)(&c.Contact) }),
	optional("due_at", mutable, func(c *cv) Field { return (*Micros)(&c.DueAt) }),
)

// ClosedBy is a row of convo_closed: a closed conversation by what is asked for rarely.
type ClosedBy struct {
	Workspace string
	What      int
	Value     string
	CreatedAt time.Time
	ID        uuid.UUID
}

// Closed are the columns of convo_closed.
var Closed = table(
	required("workspace", immutable, func(c *ClosedBy) Field { return (*Text)(&c.Workspace) }),
	required("what", immutable, func(c *ClosedBy) Field { return (*Count)(&c.What) }),
	required("value", immutable, func(c *ClosedBy) Field { return (*Text)(&c.Value) }),
	required("created_at", immutable, func(c *ClosedBy) Field { return (*Micros)(&c.CreatedAt) }),
	required("id", immutable, func(c *ClosedBy) Field { return (*ID)(&c.ID) }),
)

// Labelled is a label of a conversation.
type Labelled struct {
	Workspace, Label string
	CreatedAt        time.Time // of the conversation
	Conversation     uuid.UUID
}

// Labels are the columns of convo_labels.
var Labels = table(
	required("workspace", immutable, func(l *Labelled) Field { return (*Text)(&l.Workspace) }),
	required("label", immutable, func(l *Labelled) Field { return (*Text)(&l.Label) }),
	required("created_at", immutable, func(l *Labelled) Field { return (*Micros)(&l.CreatedAt) }),
	required("conversation", immutable, func(l *Labelled) Field { return (*ID)(&l.Conversation) }),
)

// Mention is a contact that a log names which is not its own.
type Mention struct {
	Workspace, Contact string
	Conversation       uuid.UUID
	Owner              string // of an own log
}

// Mentions are the columns of convo_mentions.
var Mentions = table(
	required("workspace", immutable, func(m *Mention) Field { return (*Text)(&m.Workspace) }),
	required("contact", immutable, func(m *Mention) Field { return (*Text)(&m.Contact) }),
	required("conversation", immutable, func(m *Mention) Field { return (*ID)(&m.Conversation) }),
	required("owner", immutable, func(m *Mention) Field { return (*Text)(&m.Owner) }),
)

// Keys are the columns of convo_keys.
var Keys = table(
	required("workspace", immutable, func(k *ky) Field { return (*Text)(&k.Workspace) }),
	required("channel", immutable, func(k *ky) Field { return (*Text)(&k.Channel) }),
	required("id", immutable, func(k *ky) Field { return (*KeyText)(&k.ID) }),
	required("address", immutable, func(k *ky) Field { return (*Text)(&k.Address) }),
	required("contact", immutable, func(k *ky) Field { return (*Text)(&k.Contact) }),
	required("hash", immutable, func(k *ky) Field { return (*Int)(&k.RequestHash) }),
	optional("conversation", immutable, func(k *ky) Field { return (*ID)(&k.Conversation) }),
	required("first_seq", immutable, func(k *ky) Field { return (*Int)(&k.FirstSeq) }),
	required("last_seq", immutable, func(k *ky) Field { return (*Int)(&k.LastSeq) }),
)

// askedKeys are the columns of a key that is looked for: with what it would be called after an
// erasure, which is no column.
var askedKeys = append(Keys.All.without(), Column[ky]{
	name: "erased", kind: keyText, use: derived, value: func(k *ky) any { return k.Erased() },
})

// Delivery is a row of the receipts.
type Delivery struct {
	Workspace string
	convo.Delivery
	Rank int
	// Unknown is when the receipt was recorded, until a key is found that has its external id.
	Unknown time.Time
}

// Deliveries are the columns of convo_deliveries.
var Deliveries = table(
	required("workspace", immutable, func(d *dl) Field { return (*Text)(&d.Workspace) }),
	required("channel", immutable, func(d *dl) Field { return (*Text)(&d.Channel) }),
	required("id", immutable, func(d *dl) Field { return (*KeyText)(&d.ExternalID) }),
	required("address", immutable, func(d *dl) Field { return (*Text)(&d.Address) }),
	required("status", immutable, func(d *dl) Field { return (*Count)(&d.Rank) }),
	required("at", immutable, func(d *dl) Field { return (*Micros)(&d.At) }),
	optional("reason", immutable, func(d *dl) Field { return (*FreeText)(&d.Reason) }),
	optional("unknown_since", immutable, func(d *dl) Field { return (*Micros)(&d.Unknown) }),
)

// The columns of events that reports count by: not what was said.
var (
	ReportedEvents = Events.All.without("id", "address", "external_id",
		"body", "attachments", "summary", "on_receive", "message", "duplicate",
		"notice", "audience", "subject", "attributes", "labels", "priority", "moved_from",
		"from_seq", "contact_seq", "restart_flow", "redacted")
	ReportedContactEvents = ContactEvents.All.without("workspace", "id", "seq", "address",
		"external_id", "body", "attachments", "message", "duplicate", "merged_into",
		"blocked", "blocked_by", "unmerged_from", "own_blocked", "own_blocked_by", "name",
		"attributes", "contact_seq", "redacted")
)

// Queued is a conversation with events from a Seq on that are in no rollup yet.
type Queued struct {
	Workspace    string
	Conversation uuid.UUID
	FromSeq      int64
}

// RollupQueue are the columns of convo_rollup_queue.
var RollupQueue = table(
	required("workspace", immutable, func(u *Queued) Field { return (*Text)(&u.Workspace) }),
	required("conversation", immutable, func(u *Queued) Field { return (*ID)(&u.Conversation) }),
	required("from_seq", immutable, func(u *Queued) Field { return (*Int)(&u.FromSeq) }),
)

// QueuedBy are the conversations that events are of, each from its first one on.
func QueuedBy(events []*convo.Event) (all []Queued) {
	for _, e := range events {
		known := slices.ContainsFunc(all, func(u Queued) bool {
			return u.Conversation == e.Conversation
		})
		if e.Conversation != uuid.Nil && !known {
			all = append(all, Queued{e.Workspace, e.Conversation, e.Seq})
		}
	}
	return all
}

// A row is used again for the next event: one for each would be half of what a message costs.
var eventRows = sync.Pool{New: func() any { return new(convo.EventRow) }}

func borrowRow(e *convo.Event) *convo.EventRow {
	r := eventRows.Get().(*convo.EventRow)
	*r = e.Row()
	return r
}

func giveBack(r *convo.EventRow) {
	*r = convo.EventRow{} // holds no texts
	eventRows.Put(r)
}

// EventArgs appends e as the arguments of columns.
func EventArgs(columns Columns[convo.EventRow], d *Dialect, to []any, e *convo.Event) []any {
	r := borrowRow(e)
	to = columns.Args(d, to, r)
	giveBack(r)
	return to
}
