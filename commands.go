package convo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Command is something to do to a contact's conversation: one of the structs of this file, by
// value.
//
// Every command says By whom. At is when it happened, for imports: zero means now, a time before
// the conversation's last event is ErrOutOfOrder, and one further ahead than Policy.MaxSkew is a
// *ValidationError. Key, of up to 998 bytes, makes it idempotent: see [Engine.Do].
type Command interface{ command() }

// Open opens a conversation, or reopens the latest one when Policy.Open says so. An active one
// stays as it is; a pending one is resumed. Addressed to an address, what it opens is answered
// there; without one, the first Send has to name where it goes.
type Open struct {
	By      Actor     `json:"by"`
	At      time.Time `json:"at,omitzero"`
	Key     string    `json:"key,omitempty"`
	Channel string    `json:"channel,omitempty"` // default: that of the Ref's address
	// Source is by default the actor's type, or restart for a reopening by the contact.
	Source Source `json:"source,omitempty"`
}

// Receive records a message from the contact, and opens, resumes or reopens a conversation for it,
// or is rejected with ErrClosed, as the policy says. With an ExternalID, of up to 998 bytes, it is
// idempotent: the id is unique on the Channel for the Address that it came by, or, without one, for
// the contact.
//
// SentAt is the provider's time: any time that is not in the future. Waits and responses count from
// it, so what comes late is measured as if it had been there; the log and all else go by At, also
// whether a reply is in time for a target.
//
// Channel and Address are by default those of the Ref, else those by which the contact wrote last.
//
// A Quiet one (an automatic reply, a bounce, a reaction) is in the log and changes nothing else: no
// status, timer, wait or count of the cycle. It goes to the contact's latest conversation, closed
// or not, else to the log of the contact itself, whom it makes known.
type Receive struct {
	By          Actor           `json:"by,omitzero"` // default: the contact
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Channel     string          `json:"channel,omitempty"` // default: that of the Ref's address
	Address     string          `json:"address,omitempty"` // on Channel; default: the Ref's
	ExternalID  string          `json:"external_id,omitempty"`
	SentAt      time.Time       `json:"sent_at,omitzero"`
	Quiet       bool            `json:"quiet,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// Send records a message to the contact by a user or by automation. It needs an active
// conversation: to greet, compose Open and Send in one call. A Quiet one (a campaign, a farewell,
// an invitation to a survey) does not, and changes nothing, as a quiet [Receive].
type Send struct {
	By          Actor           `json:"by"`
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Channel     string          `json:"channel,omitempty"` // default: that of the Ref's address
	Address     string          `json:"address,omitempty"` // on Channel; default: the Ref's
	ExternalID  string          `json:"external_id,omitempty"`
	SentAt      time.Time       `json:"sent_at,omitzero"`
	Quiet       bool            `json:"quiet,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// Note records an internal comment, in any status.
type Note struct {
	By          Actor           `json:"by"`
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// Edit gives a message or a note another text, in any status; the earlier ones stay in the log. It
// names the message by its event, or by its external id, anywhere under the Ref's contact: where
// several messages have that id, by the Address, or else that of the Ref. It stands alone in a
// call. A message that was taken back, or has this text already, is left as it is. Counts and waits
// stay.
type Edit struct {
	By          Actor           `json:"by"`
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Message     uuid.UUID       `json:"message,omitzero"`  // the id of its event, or
	Channel     string          `json:"channel,omitempty"` // default: that of the Ref's address
	Address     string          `json:"address,omitempty"` // on Channel, if the message has one
	ExternalID  string          `json:"external_id,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// Retract marks a message or a note as taken back, in any status. It names it as [Edit] does, and
// stands alone in a call, too. Its texts stay in the log unless Redact removes them, and their
// attachments, for good; ids and keys stay, so that nothing brings them back. A key stays with a
// hash of its command, which confirms a guess of a text that is short: messages that need redacting
// are better known by an external id.
type Retract struct {
	By         Actor     `json:"by"`
	At         time.Time `json:"at,omitzero"`
	Key        string    `json:"key,omitempty"`
	Message    uuid.UUID `json:"message,omitzero"`  // the id of its event, or
	Channel    string    `json:"channel,omitempty"` // default: that of the Ref's address
	Address    string    `json:"address,omitempty"` // on Channel, if the message has one
	ExternalID string    `json:"external_id,omitempty"`
	Redact     bool      `json:"redact,omitempty"`
}

// Identify tells a stored message the external id that its provider gave it afterwards, so that an
// echo of it is a duplicate and its [Delivery] is found. Where the echo was faster, it is marked as
// a duplicate instead: transcripts hide it, and it is taken off the counts, now. It stands alone in
// a call. What was done to such an echo is done to the message; an edit or a retraction of either
// is one of both.
//
// An echo is a message in the same direction. Without an Address, it is any of the contact's that
// has the id, whatever address it went by: name the Address where two messages may have one id.
type Identify struct {
	By         Actor     `json:"by"`
	At         time.Time `json:"at,omitzero"`
	Key        string    `json:"key,omitempty"`
	Message    uuid.UUID `json:"message,omitzero"` // the id of its event
	Channel    string    `json:"channel"`
	Address    string    `json:"address,omitempty"` // on Channel, if ids are told apart by it
	ExternalID string    `json:"external_id"`
}

// SetPending sets the conversation aside until the contact writes, a user resumes it, a deadline of
// the policy does, or, with Until, that time comes. OnReceive says whether a message of the contact
// wakes it: a bot's hold ends with one, an agent's snooze may not.
type SetPending struct {
	By        Actor     `json:"by"`
	At        time.Time `json:"at,omitzero"`
	Key       string    `json:"key,omitempty"`
	Until     time.Time `json:"until,omitzero"` // after At; zero: no timer
	OnReceive OnReceive `json:"on_receive,omitempty"`
}

// Resume takes a pending conversation up again.
type Resume struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at,omitzero"`
	Key    string    `json:"key,omitempty"`
	Source Source    `json:"source,omitempty"` // default: the actor's type
}

// Close closes the active conversation. What Category and Summary must be is the policy's.
type Close struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Category string    `json:"category,omitempty"`
	Summary  string    `json:"summary,omitempty"`
	Source   Source    `json:"source,omitempty"` // default: the actor's type
}

// Reopen starts a new cycle of the same conversation: the one that the Ref names, else the
// contact's latest. A restart by the visitor is a Reopen by the contact.
type Reopen struct {
	By  Actor     `json:"by"`
	At  time.Time `json:"at,omitzero"`
	Key string    `json:"key,omitempty"`
	// Source is by default the actor's type, or restart for a reopening by the contact.
	Source Source `json:"source,omitempty"`
}

// Assign gives the conversation to a user, a team, or both; empty fields mean nobody. That of a
// closed one changes no cycle: whoever has it has the next one, if it is reopened.
type Assign struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Team     string    `json:"team,omitempty"`
}

// AmendClosing replaces category and summary of the standing closing. The original stays in the
// log.
type AmendClosing struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Category string    `json:"category,omitempty"`
	Summary  string    `json:"summary,omitempty"`
}

// Label adds labels to the conversation, and then takes others off, in any status. A label is a
// token of up to 255 bytes; a conversation has up to MaxLabels.
type Label struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at,omitzero"`
	Key    string    `json:"key,omitempty"`
	Add    []string  `json:"add,omitempty"`
	Remove []string  `json:"remove,omitempty"`
}

// Prioritize says how urgent the conversation is, in any status.
type Prioritize struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Priority Priority  `json:"priority,omitzero"`
}

// Describe says what the conversation is about, in any status. Attributes are a JSON merge patch
// (RFC 7396) of the ones that are there: what it names takes their place, null removes. Together
// they have up to MaxAttributes bytes.
type Describe struct {
	By         Actor           `json:"by"`
	At         time.Time       `json:"at,omitzero"`
	Key        string          `json:"key,omitempty"`
	Subject    *string         `json:"subject,omitempty"` // up to MaxSubject bytes; nil: it stays
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// SetProfile says who a contact is that is known: what templates and lists show. Attributes are a
// JSON merge patch, as of [Describe].
type SetProfile struct {
	By         Actor           `json:"by"`
	At         time.Time       `json:"at,omitzero"`
	Key        string          `json:"key,omitempty"`
	Name       *string         `json:"name,omitempty"` // up to 255 bytes; nil: it stays
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// Move gives the conversation to another contact, lane or channel, in any status: a mail that was
// forwarded, a topic that was wrong. From now on it is as if it had been opened there; its log
// stays as it is. Address it by its id: another one may be the latest when the call is repeated. A
// contact never seen becomes known. It fails with ErrActiveExists where it would be the second
// active one (close that, or name another lane), and stands alone in a call.
//
// Addresses stay with their contact, and so do the external ids of messages that came by one: what
// comes later by it, an Edit too, is for that contact.
type Move struct {
	By      Actor     `json:"by"`
	At      time.Time `json:"at,omitzero"`
	Key     string    `json:"key,omitempty"`
	Contact string    `json:"contact,omitempty"` // empty: it stays
	Lane    *string   `json:"lane,omitempty"`    // nil: it stays
	Channel *string   `json:"channel,omitempty"` // nil: it stays
}

// Rate records what the contact thinks of a cycle, in any status: once, and a later one takes its
// place. Without a Cycle it is of the last closed one, while that has no rating or no other one
// runs, else of the running one. Address it by the conversation's id: another one may be the
// contact's latest when the answer comes. And have the page that asks name the Cycle, or give a
// Key: after a reopening, the same rating once more without them is one of the running cycle. The
// same rating of a cycle once more is unchanged. To rate an earlier cycle than the last one reads
// the log of the conversation.
type Rate struct {
	By      Actor     `json:"by,omitzero"` // the contact, which is the default
	At      time.Time `json:"at,omitzero"`
	Key     string    `json:"key,omitempty"`
	Cycle   int       `json:"cycle,omitempty"`   // its number
	Score   int       `json:"score"`             // in the policy's Ratings
	Comment string    `json:"comment,omitempty"` // as long as a summary
}

// Block makes every command that would open, reopen or message fail with ErrBlocked, and an edit or
// a rating by the contact. An active conversation can still be assigned and closed, and timers go
// on, but that a deadline says no farewell. With [Policy].KeepBlocked, what the contact writes is
// kept as quiet messages.
type Block struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at,omitzero"`
	Key    string    `json:"key,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Unblock ends a blocking.
type Unblock struct {
	By  Actor     `json:"by"`
	At  time.Time `json:"at,omitzero"`
	Key string    `json:"key,omitempty"`
}

// LinkAddress links the Ref's address to the Ref's contact and does nothing else. Any other command
// addressed to both does so too.
type LinkAddress struct {
	By  Actor     `json:"by"`
	At  time.Time `json:"at,omitzero"`
	Key string    `json:"key,omitempty"`
}

// UnlinkAddress takes the Ref's address off its contact, because it is somebody else's by now: what
// comes by it next is of a new contact. All history stays, and so do the external ids of messages,
// and [Conversation].Address, by which a Send goes that names none: name one from then on. Any
// later command addressed to both links it again. Without an address in the Ref nothing happens. It
// stands alone in a call. Of an address of a contact that was merged into this one, the log of that
// one says which it was, for when the merge is undone, and this one's only that one went.
type UnlinkAddress struct {
	By  Actor     `json:"by"`
	At  time.Time `json:"at,omitzero"`
	Key string    `json:"key,omitempty"`
}

func (Open) command()          {}
func (Receive) command()       {}
func (Send) command()          {}
func (Note) command()          {}
func (Edit) command()          {}
func (Retract) command()       {}
func (Identify) command()      {}
func (SetPending) command()    {}
func (Resume) command()        {}
func (Close) command()         {}
func (Reopen) command()        {}
func (Assign) command()        {}
func (AmendClosing) command()  {}
func (Label) command()         {}
func (Prioritize) command()    {}
func (Describe) command()      {}
func (SetProfile) command()    {}
func (Move) command()          {}
func (Rate) command()          {}
func (Block) command()         {}
func (Unblock) command()       {}
func (LinkAddress) command()   {}
func (UnlinkAddress) command() {}

// CommandName names a kind of command, in JSON and in the transition table.
type CommandName string

// The names of the commands, in the order of the transition table.
const (
	CommandOpen          CommandName = "open"
	CommandReceive       CommandName = "receive"
	CommandSend          CommandName = "send"
	CommandNote          CommandName = "note"
	CommandEdit          CommandName = "edit"
	CommandRetract       CommandName = "retract"
	CommandIdentify      CommandName = "identify"
	CommandSetPending    CommandName = "set_pending"
	CommandResume        CommandName = "resume"
	CommandClose         CommandName = "close"
	CommandReopen        CommandName = "reopen"
	CommandAssign        CommandName = "assign"
	CommandAmendClosing  CommandName = "amend_closing"
	CommandLabel         CommandName = "label"
	CommandPrioritize    CommandName = "prioritize"
	CommandDescribe      CommandName = "describe"
	CommandSetProfile    CommandName = "set_profile"
	CommandMove          CommandName = "move"
	CommandRate          CommandName = "rate"
	CommandBlock         CommandName = "block"
	CommandUnblock       CommandName = "unblock"
	CommandLinkAddress   CommandName = "link_address"
	CommandUnlinkAddress CommandName = "unlink_address"
)
