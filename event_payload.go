package convo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// What events of each kind have beside what all have.

// Before is what a conversation was before an event that changes its status, assignee, team, lane,
// channel or turn, and since when: so the event says which stretches of time it ends, and reports
// count them where and as they ended. DeadlinePassed has it too, to be counted as what it passed
// for. All is empty before the first opening.
type Before struct {
	Status   Status
	Assignee string
	Team     string
	Lane     string
	Channel  string
	Labels   Tokens
	Priority Priority
	// The number of the running cycle, or of the last one, and through what it was opened.
	Cycle        int
	OpenedSource Source

	// Of an event that ends the status: since when it was.
	StatusSince time.Time
	// Of an assignment or closing: since when the assignee had it in this cycle, and whether
	// anybody had had it in this cycle.
	AssignedAt  time.Time
	WasAssigned bool
	// Of an assignment or closing: when the cycle was opened.
	OpenedAt time.Time
	// Of a message that changes the turn, or a closing.
	Turn      Turn
	TurnSince time.Time
	// Of a reply: since when the contact waited, and Cycle.HandedOverAt.
	WaitingSince time.Time
	HandedOverAt time.Time
	// Of a reply or closing: how many replies there were in the cycle.
	Replies int
	// Of a closing: how long the cycle was pending, in microseconds.
	PendingMicros int64
	// Of a reopening, or a rating: who had closed the cycle.
	ClosedBy Actor
}

// Opening is the payload of ConversationOpened and ConversationReopened.
type Opening struct {
	// Channel is where a conversation was opened; empty for a reopening.
	Channel string
	// Address is the one on Channel that an Open was addressed to. What a message opens has it from
	// that.
	Address string
	// Lane is that of a conversation that was opened; empty for a reopening.
	Lane string
	// ContactSeq is the contact's Version after it.
	ContactSeq int64
	// NewContact says that it is the contact's first conversation, of those that are kept.
	NewContact bool
	// RestartFlow tells the host to run its conversation flow again from the beginning.
	RestartFlow bool
	Before      *Before // nil for a first opening
}

// Pending is the payload of ConversationPending.
type Pending struct {
	Until     time.Time // when it wakes by itself; zero: it does not
	OnReceive OnReceive
	Marks     Marks // the targets that stand still from now on
	Before    Before
}

// Resumption is the payload of ConversationResumed.
type Resumption struct {
	Marks  Marks // the targets that go on
	Before Before
}

// Rated is the payload of ConversationRated: what the contact thinks of a cycle. Before is of the
// conversation, but for what belongs to the rated cycle: Cycle is its number, Assignee and Team are
// who had it last, OpenedSource and ClosedBy are its own. Nobody has closed one that runs.
type Rated struct {
	Before
	Score   int
	Comment string
	// Replaces says that the cycle had a rating, whose place this one takes.
	Replaces bool
}

// Passing is the payload of DeadlinePassed: which one, and of what.
type Passing struct {
	Mark   Mark
	Before Before
}

// ClosingNotes is the payload of ConversationClosed and ClosingAmended.
type ClosingNotes struct {
	Category, Summary string
	Marks             Marks  // the targets that it meets, or has missed
	Before            Before // zero for an amendment
}

// Assignment is the payload of ConversationAssigned: who has the conversation from now on. Empty
// means nobody.
type Assignment struct {
	Assignee, Team string
	Before         Before
}

// Message is the payload of MessageReceived, MessageSent and NoteAdded.
type Message struct {
	// Channel and Address, a value on it, are what the message came or went by; empty for a note.
	Channel    string
	Address    string
	ExternalID string
	// SentAt is the provider's time; zero where none was given. In UTC and whole microseconds.
	SentAt      time.Time
	Body        string
	Attachments json.RawMessage
	// Response says that a sent message counts for the response times: it is by a user, or the
	// policy counts automation.
	Response bool
	// Quiet says that it changed nothing but the log.
	Quiet bool
	Marks Marks // the targets that it meets, or has missed
	// Before is nil unless it changes the turn; also of who opens a conversation by writing.
	Before *Before
}

// Edited is the payload of MessageEdited.
type Edited struct {
	Message     uuid.UUID // the id of the message's event
	Body        string
	Attachments json.RawMessage
}

// Retracted is the payload of MessageRetracted.
type Retracted struct {
	Message uuid.UUID // the id of the message's event
	// Redacted says that all texts of the message and their attachments were removed.
	Redacted bool
}

// Identified is the payload of MessageIdentified: the external id of a message, and on what channel
// and by which address it is unique.
type Identified struct {
	Message    uuid.UUID // the id of the message's event
	Channel    string
	Address    string
	ExternalID string
	Duplicate  uuid.UUID // the event of an echo that had the id; zero: none had
}

// Duplicated is the payload of MessageDuplicated. The event is by whom the echo was.
type Duplicated struct {
	Identified
	Quiet bool // the echo was, so no count of the cycle has it
}

// Notice is the payload of NoticePosted.
type Notice struct {
	Code     NoticeCode
	Audience Audience
	Body     string // the text in English
}

// Labeling is the payload of ConversationLabeled: the labels after it and before it.
type Labeling struct{ Labels, Before Tokens }

// Prioritizing is the payload of ConversationPrioritized: the priority after it and before it.
type Prioritizing struct{ Priority, Before Priority }

// Description is the payload of ConversationDescribed: all of it, as it is after it.
type Description struct {
	Subject    string
	Attributes Attributes
}

// Profile is the payload of ProfileChanged: all of it, as it is after it.
type Profile struct {
	Name       string
	Attributes Attributes
}

// Moving is the payload of ConversationMoved, whose Contact is where it went.
type Moving struct {
	From       string // the root contact that it was taken from; empty: the same
	FromSeq    int64  // whose Version after it
	ContactSeq int64  // the Version after it of the contact that has it
	Lane       string
	Channel    string
	Before     Before
}

// Blocking is the payload of ContactBlocked.
type Blocking struct{ Reason string }

// Merging is the payload of ContactMerged.
type Merging struct {
	MergedInto string // the primary
	ContactSeq int64  // the primary's Version after it
	Blocked    bool   // the primary is, after it
	BlockedBy  Tokens // the primary's, after it
}

// Erasing is the payload of ContactErased.
type Erasing struct {
	Removed Attributes // an [Erased] as JSON
}

// Unmerging is the payload of ContactUnmerged.
type Unmerging struct {
	From         string // the root that it was merged into
	ContactSeq   int64  // the root's Version after it
	Blocked      bool   // the root's, after it
	BlockedBy    Tokens
	OwnBlocked   bool // the contact's own, after it
	OwnBlockedBy Tokens
}
