package convo

import (
	"time"

	"github.com/google/uuid"
)

// Status is where a conversation stands.
type Status string

// The three statuses. A contact without any conversation is in none of them.
const (
	StatusOpen    Status = "open"
	StatusPending Status = "pending"
	StatusClosed  Status = "closed"
)

// Turn says who is to write next in an active conversation.
type Turn string

// The turns. In each cycle it is nobody's until the contact writes, or a reply is sent.
const (
	TurnNobody          Turn = "nobody"
	TurnContactWaiting  Turn = "contact_waiting"  // the contact has had no reply
	TurnAwaitingContact Turn = "awaiting_contact" // the contact has not answered
)

// Active reports whether s is open or pending. A contact has at most one active conversation in a
// lane.
func (s Status) Active() bool { return s == StatusOpen || s == StatusPending }

// ActorType says what kind of party did something.
type ActorType string

// The kinds of actor.
const (
	ActorContact    ActorType = "contact"    // the person who writes in
	ActorUser       ActorType = "user"       // a human agent
	ActorAutomation ActorType = "automation" // a workflow, bot or AI agent
	ActorSystem     ActorType = "system"     // the library itself: timers, notices
)

// Actor is who did something. A user has an ID; for the other types it is optional.
type Actor struct {
	Type ActorType `json:"type"`
	ID   string    `json:"id,omitempty"`
}

// ByContact is the contact that the command is addressed to; its id is filled in.
func ByContact() Actor { return Actor{Type: ActorContact} }

// ByUser is the human agent with the host's own id.
func ByUser(id string) Actor { return Actor{Type: ActorUser, ID: id} }

// ByAutomation is a workflow, bot or AI agent; id may be empty.
func ByAutomation(id string) Actor { return Actor{Type: ActorAutomation, ID: id} }

// BySystem is the library itself; a host uses it when it imports what another system did by itself.
func BySystem() Actor { return Actor{Type: ActorSystem} }

// Source is through what a conversation was opened, reopened or closed. A host may use tokens of
// its own (1–255 bytes of UTF-8 without control characters).
type Source string

// The sources that the library knows.
const (
	SourceIncomingMessage Source = "incoming_message"
	SourceUser            Source = "user" // a type of actor is the default source of what it does
	SourceAutomation      Source = "automation"
	SourceContact         Source = "contact"
	SourceSystem          Source = "system"
	SourceWelcomeEvent    Source = "welcome_event"
	SourceRestart         Source = "restart"
	SourceDialogflow      Source = "dialogflow"
	SourceContactMerge    Source = "contact_merge"
	SourceContactUnmerge  Source = "contact_unmerge"
	SourceContactErasure  Source = "contact_erasure"
	SourceRetention       Source = "retention"
	SourceInactivity      Source = "inactivity"
	SourceTimer           Source = "timer" // waking, and what a deadline does but for closing
	SourceImport          Source = "import"
)

// Conversation is one interaction with a contact in one context. It is a plain value: it holds no
// pointer, so a copy shares nothing with its original.
type Conversation struct {
	ID        uuid.UUID `json:"id"`
	Workspace string    `json:"workspace"`
	// Contact is whom it belongs to now; Origin is whom it was opened for, or moved to. They differ
	// after a merge.
	Contact string `json:"contact"`
	Origin  string `json:"origin"`
	// Channel is where it was opened, or moved to; empty when the host named none.
	Channel string `json:"channel,omitempty"`
	// Lane keeps it apart from the contact's other ones: see [Ref.In].
	Lane   string `json:"lane,omitempty"`
	Status Status `json:"status"`
	// StatusSince is since when it has this status: a change of PendingUntil is none.
	StatusSince time.Time `json:"status_since"`
	// Version is the number of its events, which is the Seq of the last one.
	Version int64 `json:"version"`
	// NewContact says that the contact had no other conversation when it was opened.
	NewContact bool `json:"new_contact,omitempty"`
	// CreatedAt is its first opening, UpdatedAt its last event, FirstClosedAt its first closing
	// (zero before it).
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
	FirstClosedAt time.Time `json:"first_closed_at,omitzero"`
	// LastActivityAt is the last message that is not quiet, note of a user, assignment, or change
	// of status, by anybody but the system.
	LastActivityAt time.Time `json:"last_activity_at"`
	// LastIncomingAt is when the last message of the contact came that is not quiet, however long
	// ago it was sent.
	LastIncomingAt time.Time `json:"last_incoming_at,omitzero"`
	// Assignee (a user) and Team are who is to handle it; empty when nobody is. The assignee has it
	// since AssignedAt.
	Assignee   string    `json:"assignee,omitempty"`
	Team       string    `json:"team,omitempty"`
	AssignedAt time.Time `json:"assigned_at,omitzero"`
	// Labels, Priority, Subject and Attributes are what it is about, as the host says.
	Labels     Tokens     `json:"labels,omitzero"`
	Priority   Priority   `json:"priority,omitzero"`
	Subject    string     `json:"subject,omitempty"`
	Attributes Attributes `json:"attributes,omitzero"`
	// PendingUntil is when a pending one is to wake by itself, OnReceive whether a message of the
	// contact wakes it.
	PendingUntil time.Time `json:"pending_until,omitzero"`
	OnReceive    OnReceive `json:"on_receive,omitempty"`
	// AwaitingContactSince is the last message of a user (or of automation, where the policy counts
	// it) that the contact has not answered. Zero once the contact answers.
	AwaitingContactSince time.Time `json:"awaiting_contact_since,omitzero"`
	// Marks are the deadlines of this cycle that have passed, or stand still.
	Marks Marks `json:"marks,omitzero"`
	// Address is what the contact wrote by last, or was last written to, or what it was opened for:
	// where to answer. Quiet messages do not count.
	Address Address `json:"address,omitzero"`
	// Deadline is what [OrderDeadline] lists it by: when the next of its [Timers] is due but for
	// those since any_event or last_incoming, by the policy that was applied to it last. Zero:
	// none is. The events do not determine it.
	Deadline time.Time `json:"deadline,omitzero"`
	// DueAt is a hint for Tick: never later than what [Timers] say, perhaps earlier. Zero: there is
	// none. The events do not determine it.
	DueAt time.Time `json:"due_at,omitzero"`
	// Applied says which deadlines of its policy it is armed by, and since when, in the library's
	// own words. The events do not determine it.
	Applied string `json:"applied,omitempty"`
	// Unrated is the number of the last closed cycle while that has no rating, else 0.
	Unrated int `json:"unrated,omitempty"`
	// Cycle is the running cycle, or the last one of a closed conversation.
	Cycle Cycle `json:"cycle"`
}

// Cycle is one interval from an opening or reopening to the next closing, with everything that is
// measured in it. Times are UTC in whole microseconds; a zero time means "not yet". The Micros
// fields are microseconds.
type Cycle struct {
	Number       int       `json:"number"` // from 1
	OpenedAt     time.Time `json:"opened_at"`
	OpenedBy     Actor     `json:"opened_by"`
	OpenedSource Source    `json:"opened_source"`

	// FirstAssignee is the first user who had this cycle, since FirstAssignedAt: whoever kept the
	// conversation through a reopening has it from the opening on. LastAssignee and LastTeam had it
	// last, and stay when closing unassigns.
	FirstAssignedAt time.Time `json:"first_assigned_at,omitzero"`
	FirstAssignee   string    `json:"first_assignee,omitempty"`
	LastAssignee    string    `json:"last_assignee,omitempty"`
	LastTeam        string    `json:"last_team,omitempty"`

	// FirstResponseAt is the first reply of a user, FirstResponseSentAt when it was sent.
	FirstResponseAt     time.Time `json:"first_response_at,omitzero"`
	FirstResponseSentAt time.Time `json:"first_response_sent_at,omitzero"`
	FirstResponder      Actor     `json:"first_responder,omitzero"`
	// FirstWaitingSince is when the contact's first message of the cycle was sent: the first
	// response counts from it. A message that comes late moves it back, until there is a response.
	FirstWaitingSince time.Time `json:"first_waiting_since,omitzero"`
	// WaitingSince is when the first incoming message that has no reply yet was sent, but not
	// before NoWaitBefore.
	WaitingSince time.Time `json:"waiting_since,omitzero"`
	// TurnSince is since when it is whose Turn it is, by the log.
	TurnSince time.Time `json:"turn_since,omitzero"`
	// HandedOverAt is when automation first resumed the cycle, or assigned it to a user or a team:
	// a person is to go on.
	HandedOverAt time.Time `json:"handed_over_at,omitzero"`
	// NoWaitBefore is the last reply, or, before the first one, the conversation's closing before
	// this cycle. Zero: neither.
	NoWaitBefore   time.Time `json:"no_wait_before,omitzero"`
	Responses      int       `json:"responses"`       // replies to a waiting contact
	ResponseMicros int64     `json:"response_micros"` // their response times, summed
	// PendingMicros is the time spent pending, up to StatusSince of a conversation that is pending
	// now.
	PendingMicros int64 `json:"pending_micros"`

	Incoming           int `json:"incoming"`            // messages from the contact
	OutgoingUser       int `json:"outgoing_user"`       // messages sent by users
	OutgoingAutomation int `json:"outgoing_automation"` // messages sent by automation

	Closing Closing `json:"closing,omitzero"` // zero while the cycle runs
	Rating  Rating  `json:"rating,omitzero"`  // zero: there is none
}

// Rating is what the contact thinks of a cycle.
type Rating struct {
	At      time.Time `json:"at"`    // of the first one: a later one replaces the rest
	Score   int       `json:"score"` // in the policy's Scale
	Comment string    `json:"comment,omitempty"`
}

// OnReceive says what a message of the contact does to a pending conversation.
type OnReceive string

// What it may do.
const (
	OnReceivePolicy OnReceive = "" // as Policy.StayPending says
	OnReceiveResume OnReceive = "resume"
	OnReceiveStay   OnReceive = "stay"
)

// Closing is what is recorded when a conversation is closed.
type Closing struct {
	At       time.Time `json:"at"`
	By       Actor     `json:"by"`
	Source   Source    `json:"source"`
	Category string    `json:"category,omitempty"`
	Summary  string    `json:"summary,omitempty"`
}

// FirstResponseTime is from the contact's first message of the cycle to the first reply of a user.
// Automation is none unless Policy.CountAutomation says so. False while there is none; nobody waits
// in what a user begins, until the contact has written.
func (c Cycle) FirstResponseTime() (time.Duration, bool) {
	return between(c.FirstWaitingSince, c.FirstResponseSentAt)
}

// AssignmentTime is from the opening of the cycle to the first assignment to a user. False while
// there is none.
func (c Cycle) AssignmentTime() (time.Duration, bool) {
	return between(c.OpenedAt, c.FirstAssignedAt)
}

// ResolutionTime is from the opening of the cycle to its closing. False while it runs.
func (c Cycle) ResolutionTime() (time.Duration, bool) { return between(c.OpenedAt, c.Closing.At) }

// ActiveResolutionTime is ResolutionTime without the time spent pending. False while the cycle
// runs.
func (c Cycle) ActiveResolutionTime() (time.Duration, bool) {
	d, ok := c.ResolutionTime()
	return max(0, d-c.PendingTime()), ok
}

// PendingTime is the time spent pending. While the conversation is pending, the time since
// StatusSince comes on top.
func (c Cycle) PendingTime() time.Duration {
	return time.Duration(c.PendingMicros) * time.Microsecond
}

// ResponseTime is the mean time from the first unanswered incoming message to the reply. False
// without a reply. For a mean over several cycles, add ResponseMicros and Responses up first.
func (c Cycle) ResponseTime() (time.Duration, bool) {
	if c.Responses == 0 {
		return 0, false
	}
	return time.Duration(c.ResponseMicros/int64(c.Responses)) * time.Microsecond, true
}

// FirstResolutionTime is from the first opening to the first closing; no reopening changes it.
// False before that.
func (c Conversation) FirstResolutionTime() (time.Duration, bool) {
	return between(c.CreatedAt, c.FirstClosedAt)
}

// Turn says who is to write next; empty while the conversation is closed.
func (c Conversation) Turn() Turn { return c.turn() }

func (c *Conversation) turn() Turn {
	switch {
	case !c.Status.Active():
		return ""
	case !c.Cycle.WaitingSince.IsZero():
		return TurnContactWaiting
	case !c.AwaitingContactSince.IsZero():
		return TurnAwaitingContact
	}
	return TurnNobody
}

// Returning reports whether its current cycle is not the contact's first: it was reopened, or the
// contact had another conversation before. Reports count new and returning contacts in the same
// way. A merge changes neither.
func (c Conversation) Returning() bool { return c.Cycle.Number > 1 || !c.NewContact }

// LastResolutionTime is from the first opening to the standing closing. False while the
// conversation is active.
func (c Conversation) LastResolutionTime() (time.Duration, bool) {
	return between(c.CreatedAt, c.Cycle.Closing.At)
}

// between is to − from, and 0 where clocks disagreed; false while to is zero, for not yet.
func between(from, to time.Time) (time.Duration, bool) {
	if to.IsZero() {
		return 0, false
	}
	return max(0, to.Sub(from)), true
}

// microsBetween is to − from for sums, and 0 where clocks disagreed. Both must be set.
func microsBetween(from, to time.Time) int64 { return max(0, to.UnixMicro()-from.UnixMicro()) }
