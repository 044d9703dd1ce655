package convo

import (
	"time"

	"github.com/google/uuid"
)

// Snapshot is all that a decision looks at: a contact and one of its conversations. It is a plain
// value, without pointers but to messages and cycles. [Store].Load fills it, [Apply] moves it on.
type Snapshot struct {
	// Ref is what the snapshot was loaded for.
	Ref Ref
	// Contact is the root contact, merges followed. Version 0: nobody is known under Ref yet.
	Contact Contact
	// Conversation is the one that Ref names, else the contact's latest in the lane: the active
	// one, else the one whose last cycle was opened last, and of two the one with the greater id. A
	// nil ID: there is none.
	Conversation Conversation
	// Active is the contact's active conversation in the lane of Conversation, when it is another
	// one, else nil.
	Active uuid.UUID
	// HasConversation says that the contact has one, in whatever lane.
	HasConversation bool
	// AddressOwner is the root contact that Ref.Address belongs to; empty when nobody has it.
	AddressOwner string
	// Message is the one that an Edit or a Retract is about, which the engine looks for. nil: there
	// is none. Conversation is the message's then, or none where it is in the log of a contact.
	Message *ShownMessage
	// LogOf is the merged contact in whose own log Message is, or to which an address was linked
	// that an UnlinkAddress takes off; zero where that is Contact's, or a conversation's.
	LogOf Contact
	// Holder is the message that has the external id which an Identify tells, HeldBy the key by
	// which it does, and HolderConversation its conversation. nil: nobody has it.
	Holder             *ShownMessage
	HeldBy             *Key
	HolderConversation *Conversation
	// Target is where a Move goes, which the engine looks for.
	Target MoveTarget
	// Earlier are the cycles of Conversation before its present one. The engine looks for them when
	// a Rate is about one of them.
	Earlier []Cycle
	// Next is the id that the next new conversation or event gets; further ones count up from it.
	// The engine sets it to a fresh UUIDv7, so that deciding stays deterministic.
	Next uuid.UUID
}

// lane is the one that s is of.
func (s *Snapshot) lane() string {
	if s.Conversation.ID != uuid.Nil {
		return s.Conversation.Lane
	}
	return s.Ref.Lane
}

// nextID hands out s.Next and counts the 62 random bits of a UUIDv7 up by one (RFC 9562, 6.2,
// "monotonic random"), so that what one call writes is unique and in order for the price of one
// random id.
func (s *Snapshot) nextID() uuid.UUID {
	id := s.Next
	for i := 15; i > 8; i-- {
		if s.Next[i]++; s.Next[i] != 0 {
			return id
		}
	}
	s.Next[8] = s.Next[8]&0xc0 | (s.Next[8]+1)&0x3f
	return id
}

// Change is the plan of rows that one call writes of one contact. [Decide] and [DecideMerge] make
// it; a [Store] carries it out, all or nothing, and need not know why.
type Change struct {
	// Contact is the contact after the call.
	Contact ContactRow
	// Conversation is the conversation that the last command was about, after the call.
	Conversation ConversationRow
	// Other is the contact that a Move took the conversation from, or a merged one in whose own log
	// the call wrote; mostly RowKept. Of a merged one only Version and UpdatedAt are written.
	Other ContactRow
	// Earlier are other conversations that the call changed before, oldest change first: one that
	// it closed before it opened the next one, say. All of them are closed, but for those that a
	// merge moves.
	Earlier []ConversationRow
	// Cycles are closed cycles that the call reopened their conversation after, or rated since:
	// rows of closed cycles beside those that ConversationRow.CycleClosed asks for.
	Cycles []CycleRow
	// Events are to be appended, in order. One whose place is taken (by conversation and Seq, or,
	// without a conversation, by contact and Seq) is a conflict.
	Events []Event
	// Keys are to be remembered. One that finds another one that is there is a duplicate.
	Keys []Key
	// Addresses are to be linked. One that is there is a conflict.
	Addresses []AddressRow
	// Unlinked are addresses that are there, and are to be removed. One that is not is a conflict.
	Unlinked []Address
	// Repointed are keys that are there, and lead to other events from now on.
	Repointed []Key
	// Redact are events whose texts ([EventRow.ClearTexts]) are to be removed for good: from the
	// log, from every copy and index, and from what the storage keeps of a row that was
	// overwritten, as far as the store has a say in that.
	Redact []EventPlace
	// MergeInto is the root contact that Contact is merged into by this change; mostly empty. What
	// that demands of a store, in the same commit: every contact that was merged into Contact
	// counts as merged into MergeInto from now on, so that one step always leads to the root; all
	// conversations of Contact are MergeInto's, also in the slot of its active conversation,
	// without a new version and with their origin kept; addresses stay with the contact that they
	// were linked to, and are found under the new root. Two active conversations in one lane are
	// ErrActiveExists. The row of MergeInto is written by another change of the same commit.
	MergeInto string
	// UnmergeFrom is the root contact that Contact is taken out of again; mostly empty. What that
	// demands of a store, in the same commit: each contact of Family counts as merged into Contact
	// from now on; the conversations whose Origin is Contact or one of Family are Contact's, also
	// in the slots of active ones, without a new version. The row of UnmergeFrom is written by
	// another change of the same commit.
	UnmergeFrom string
	Family      []string
	// Erase is an erasure; mostly nil. The rows of the change are as that leaves them, with each
	// conversation that it is to go over. See [Erasure].
	Erase *Erasure
	// Unpublished says that a store with an outbox is not to note the events there.
	Unpublished bool
}

// RowAction says what a commit does with a row.
type RowAction uint8

// The actions.
const (
	RowKept  RowAction = iota // nothing is compared or written
	RowAdded                  // nothing may be there
	// RowUpdated: the row there must have the version Expected. That does not say all: of a contact
	// it must have no later SeenAt, of a conversation the Deadline of PlacesBefore, DueBefore,
	// AppliedBefore and ContactBefore, for these change without a version.
	RowUpdated
	RowRemoved // the row is there
	// RowCompared, of Change.Contact: nothing is written, but the row there must be as one that is
	// updated must be. Several changes of a commit may compare the same one.
	RowCompared
)

// ContactRow is the row of a contact in a [Change]. A message may change its SeenAt, and not its
// Version.
type ContactRow struct {
	Contact
	Action   RowAction
	Expected int64 // the Version that was loaded; 0: the contact was not known
}

// ConversationRow is the row of a conversation in a [Change].
type ConversationRow struct {
	Conversation
	Action   RowAction
	Expected int64 // the Version that was loaded; 0: there was none
	// OnlyMessages says that nothing has changed but what messages and notes change: Version,
	// UpdatedAt, LastActivityAt, LastIncomingAt, AwaitingContactSince, Address, Deadline and, of
	// the cycle, waits, responses and counts. Its places in lists may have changed nevertheless.
	OnlyMessages bool
	// Moved says that Contact, Origin, Lane or Channel have changed, which else no commit changes.
	Moved bool
	// Listing is what becomes of the row by which an active conversation is filtered in lists and
	// counted, for stores that keep one: of its Status, Channel, Lane, Assignee, Team, Priority and
	// DueAt, and of its Contact, of whom it is the only one in its Lane. It has no version, but
	// that of the conversation.
	Listing RowAction
	// PlacesBefore are the places in lists that were loaded; [PlacesOf] says which they are now.
	PlacesBefore Places
	// DueBefore is the DueAt that was loaded, AppliedBefore the Applied, ContactBefore the Contact.
	DueBefore     time.Time
	AppliedBefore string
	ContactBefore string
	// LabelsBefore are the Labels that were loaded.
	LabelsBefore Tokens
	// CycleClosed says that the call closed the conversation's Cycle, or when it was closed amended
	// its closing, rated it, or found an echo in it, for stores that keep a row for each closed
	// cycle: it is to be added, or to replace Category, Summary, Rating, OutgoingUser and
	// OutgoingAutomation of what is there.
	CycleClosed bool
}

// CycleRow is a closed cycle in a [Change].
type CycleRow struct {
	Conversation uuid.UUID
	Channel      string // those of the conversation when it ended; of a row that is there, any
	Lane         string
	Cycle
}

// EventPlace is where an event is: by its Conversation and Seq, or, without a conversation, by the
// Contact in whose own log it is.
type EventPlace struct {
	Conversation uuid.UUID
	Contact      string
	Seq          int64
}

// AddressRow is an address in a [Change] with the contact that it belongs to.
type AddressRow struct {
	Address
	Contact string
}

// Empty reports whether there is nothing to commit.
func (c *Change) Empty() bool {
	contact := c.Contact.Action != RowKept && c.Contact.Action != RowCompared
	return len(c.Events) == 0 && len(c.Keys) == 0 && !contact && c.Conversation.Action == RowKept
}

// After is the snapshot that a change decided on s leads to: what a store would load after it.
func (c *Change) After(s Snapshot) Snapshot {
	s.Contact, s.Conversation = c.Contact.Contact, c.Conversation.Conversation
	s.HasConversation = s.HasConversation || s.Conversation.ID != uuid.Nil
	if c.Conversation.Moved {
		s.Active = s.Target.Active
	}
	s.Target, s.Earlier, s.LogOf = MoveTarget{}, nil, Contact{}
	if len(c.Addresses) > 0 {
		s.AddressOwner = c.Addresses[len(c.Addresses)-1].Contact
	}
	if len(c.Unlinked) > 0 {
		s.AddressOwner = ""
	}
	if n := len(c.Events); n > 0 { // whose id is the last one that was handed out
		s.Next = c.Events[n-1].ID
		s.nextID()
	}
	return s
}

// Places are where a conversation stands in the lists of active ones, for stores that keep an index
// of its own for each, so that a message which changes no place touches none. Of a closed one they
// are where a history looks for it.
type Places struct {
	Active   bool  // else it is in no list of active ones
	Activity int64 // the [ActivitySlot] of LastActivityAt
	// Waiting and Deadline are what [OrderWaiting] and [OrderDeadline] go by; zero: it is not in
	// the list.
	Waiting, Deadline time.Time
	Priority          Priority // PriorityNone: it is not in the list
	// Span and Origin are, of a closed conversation that spans more than an hour, its [Span] and
	// for whom it was opened; else both are empty.
	Span   int
	Origin string
}

// PlacesOf are the places of c.
func PlacesOf(c *Conversation) (p Places) {
	p.of(c)
	return p
}

// of fills p, which is empty.
func (p *Places) of(c *Conversation) {
	if c.Status.Active() {
		p.Active, p.Activity, p.Priority = true, ActivitySlot(c.LastActivityAt), c.Priority
		p.Waiting, p.Deadline = c.Cycle.WaitingSince, c.Deadline
	} else if p.Span = Span(c); p.Span > 0 {
		p.Origin = c.Origin
	}
}

// Span is the class of the time from the first event of a conversation to its last: 0 up to an
// hour, 1 up to 8 hours, 2 up to 64, and so on; MaxSpan has no bound. Whoever looks for the
// conversations that have events behind a time needs those that began up to [SpanWidth] before it.
func Span(c *Conversation) int {
	span := 0
	for lasted := c.UpdatedAt.UnixMicro() - c.CreatedAt.UnixMicro(); span < MaxSpan &&
		lasted > SpanWidth(span); {
		span++
	}
	return span
}

// MaxSpan is the class of all that spans more than 8^6 hours, which are thirty years.
const MaxSpan = 7

// SpanWidth is how many microseconds conversations of a class span at most.
func SpanWidth(span int) int64 { return time.Hour.Microseconds() << (3 * span) }

// activitySlot is how much later an activity must be than the last one to give a conversation
// another place. Within it, a list is put in order when it is read.
const activitySlot = 5 * time.Minute

// ActivitySlot is the number of the five minutes since 1970 that at is in.
func ActivitySlot(at time.Time) int64 {
	m, width := at.UnixMicro(), activitySlot.Microseconds()
	if m < 0 {
		m -= width - 1
	}
	return m / width
}

// loadedVersions is the part of a loaded snapshot that a change depends on.
type loadedVersions struct {
	contact      int64
	seen         time.Time // the contact
	conversation uuid.UUID
	version      int64
	cycle        int // its number
	dueAt        time.Time
	applied      string
	owner        string // the contact of the conversation
	marks        Marks
	listing      listing
	places       Places
	labels       Tokens
}

func versionsOf(s *Snapshot) (v loadedVersions) {
	v.of(s)
	return v
}

// of is in place, as all that a decision does is.
func (v *loadedVersions) of(s *Snapshot) {
	c := &s.Conversation
	v.contact, v.seen = s.Contact.Version, s.Contact.SeenAt
	v.conversation, v.version, v.cycle = c.ID, c.Version, c.Cycle.Number
	v.dueAt, v.applied, v.marks, v.labels = c.DueAt, c.Applied, c.Marks, c.Labels
	v.owner = c.Contact
	v.listing.of(c)
	v.places.of(c)
}

// listing is by what an active conversation is filtered in lists and counted, and found when due.
type listing struct {
	status                        Status
	channel, lane, assignee, team string
	priority                      Priority
	due                           int64 // micros of DueAt
}

func (l *listing) of(c *Conversation) {
	l.status, l.priority = c.Status, c.Priority
	l.channel, l.lane, l.assignee, l.team = c.Channel, c.Lane, c.Assignee, c.Team
	l.due = c.DueAt.UnixMicro()
}

// becomes is what a change of a conversation, from l to now, does with its row.
func (l *listing) becomes(now *listing) RowAction {
	switch was, is := l.status.Active(), now.status.Active(); {
	case was && !is:
		return RowRemoved
	case !was && is:
		return RowAdded
	case is && *l != *now:
		return RowUpdated
	}
	return RowKept
}
