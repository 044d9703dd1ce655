package convo

import (
	"time"

	"github.com/google/uuid"
)

// Contact is a person, named by the host's own id. It comes into being with its first conversation.
type Contact struct {
	Workspace string `json:"workspace"`
	ID        string `json:"id"`
	// Version counts what happened to the contact itself: openings, reopenings, addresses, blocking, merges.
	// Zero: the contact is not known yet.
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// UpdatedAt is the last event of the contact itself: an address, a blocking, a merge. Zero before the first. A later
	// one that is given an earlier time is stamped with this one.
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	Blocked   bool      `json:"blocked,omitempty"`
	// MergedInto is the contact that this one was merged into; empty for a contact in its own right.
	MergedInto string `json:"merged_into,omitempty"`
	// Latest is the conversation that was opened or reopened last.
	LatestConversation uuid.UUID `json:"latest_conversation,omitzero"`
}

// Returning reports whether k had been here before the running cycle of c, its conversation: it was reopened, or is not the
// contact's first one. After a merge the primary's first one counts. Reports count new and returning contacts so, too.
func (k Contact) Returning(c Conversation) bool {
	return c.Cycle.Number > 1 || !c.CreatedAt.Equal(k.CreatedAt)
}

// Address is a contact's identity on a channel, such as (whatsapp, +4912345). It belongs to one contact of the
// workspace at most. Both parts are compared byte for byte.
type Address struct {
	Channel string `json:"channel"`
	Value   string `json:"value"`
}

// Ref says whom a command is for: a contact, an address, a contact together with one of its addresses (which links
// the address to the contact), or one conversation. A Ref to a conversation also names it: if another one is active
// by now, the command fails and says which.
type Ref struct {
	Workspace    string    `json:"workspace"`
	Contact      string    `json:"contact,omitempty"`
	Address      Address   `json:"address,omitzero"`
	Conversation uuid.UUID `json:"conversation,omitzero"`
}

// ToContact addresses a contact by the host's own id.
func ToContact(workspace, contact string) Ref { return Ref{Workspace: workspace, Contact: contact} }

// ToAddress addresses whichever contact has the address. If nobody has, Receive and Open create a contact whose id
// is made by the library.
func ToAddress(workspace, channel, value string) Ref {
	return Ref{Workspace: workspace, Address: Address{Channel: channel, Value: value}}
}

// ToConversation addresses one conversation, and no other.
func ToConversation(workspace string, id uuid.UUID) Ref {
	return Ref{Workspace: workspace, Conversation: id}
}

// Validate reports what is wrong with r as a *ValidationError.
func (r Ref) Validate() error {
	if err := checkID("workspace", r.Workspace); err != nil {
		return err
	}
	byContact, byAddress, byConversation := r.Contact != "", r.Address != Address{}, r.Conversation != uuid.Nil
	switch {
	case byConversation && (byContact || byAddress):
		return invalid("ref", "a conversation id stands alone: leave contact and address out")
	case !byConversation && !byContact && !byAddress:
		return invalid("ref", "name a contact, an address or a conversation")
	}
	if byContact {
		if err := checkID("contact", r.Contact); err != nil {
			return err
		}
	}
	if byAddress {
		if err := checkID("address.channel", r.Address.Channel); err != nil {
			return err
		}
		return checkID("address.value", r.Address.Value)
	}
	return nil
}

// Snapshot is all that a decision looks at: a contact and one of its conversations. It is a plain value without
// pointers. [Store].Load fills it, [Apply] moves it on.
type Snapshot struct {
	// Ref is what the thread was loaded for.
	Ref Ref
	// Contact is the root contact, merges followed. Version 0: nobody is known under Ref yet.
	Contact Contact
	// Conversation is the one that Ref names, else the contact's latest. A nil ID: there is none.
	Conversation Conversation
	// Active is the contact's active conversation when it is another than Conversation, else nil.
	Active uuid.UUID
	// AddressOwner is the root contact that Ref.Address belongs to; empty when nobody has it.
	AddressOwner string
	// Next is the id that the next new conversation or event gets; further ones count up from it. The engine sets it
	// to a fresh UUIDv7, so that deciding stays deterministic.
	Next uuid.UUID
}

// nextID hands out t.Next and counts the 62 random bits of a UUIDv7 up by one (RFC 9562, 6.2, "monotonic random"), so
// that what one call writes is unique and in order for the price of one random id.
func (t *Snapshot) nextID() uuid.UUID {
	id := t.Next
	for i := 15; i > 8; i-- {
		if t.Next[i]++; t.Next[i] != 0 {
			return id
		}
	}
	t.Next[8] = t.Next[8]&0xc0 | (t.Next[8]+1)&0x3f
	return id
}

// Merge says that two contacts are one person: all that the secondary has belongs to the primary from now on.
type Merge struct {
	Workspace string    `json:"workspace"`
	Primary   string    `json:"primary"`
	Secondary string    `json:"secondary"`
	By        Actor     `json:"by"`
	At        time.Time `json:"at,omitzero"` // zero: now
}

// Validate reports what is wrong with m as a *ValidationError.
func (m Merge) Validate() error {
	if err := checkID("workspace", m.Workspace); err != nil {
		return err
	}
	if err := checkID("primary", m.Primary); err != nil {
		return err
	}
	if err := checkID("secondary", m.Secondary); err != nil {
		return err
	}
	if m.Primary == m.Secondary {
		return invalid("secondary", "a contact cannot be merged into itself")
	}
	if err := checkActor(m.By); err != nil {
		return err
	}
	return checkTime("at", m.At)
}

// MergeDecision is what a merge changes: the primary's thread and the secondary's. Both are committed together.
type MergeDecision struct {
	Primary, Secondary Change
	Outcome            Outcome // OutcomeMerged or OutcomeUnchanged
}

// DecideMerge decides m for the threads loaded for its two contacts. It is pure, as [Decide] is.
//
// The secondary's active conversation is closed with source contact_merge, or moves to the primary when the primary
// has no active one and p.Merge is MergeTransfer. It fails with a *ValidationError for a merge of a contact into
// itself (also through an earlier merge), and with a *StateError of ErrNotFound, ErrMerged (merged elsewhere already),
// ErrBlocked or ErrOutOfOrder. Repeating a merge is unchanged.
func DecideMerge(primary, secondary Snapshot, at time.Time, p *Policy, m Merge) (MergeDecision, error) {
	if err := m.Validate(); err != nil {
		return MergeDecision{}, err
	}
	if p == nil {
		p = &defaultPolicy
	}
	for _, t := range [...]*Snapshot{&primary, &secondary} {
		if t.Contact.Version == 0 {
			return MergeDecision{}, &StateError{Err: ErrNotFound, Command: "merge", Contact: t.Contact.ID}
		}
	}
	root, other := primary.Contact.ID, secondary.Contact.ID
	switch {
	case root == m.Secondary:
		return MergeDecision{}, invalid("primary", "was merged into the secondary: a contact cannot be merged into itself")
	case root == other:
		return MergeDecision{Primary: Change{Loaded: loaded(&primary), Thread: primary}, Outcome: OutcomeUnchanged}, nil
	case other != m.Secondary:
		return MergeDecision{}, &StateError{Err: ErrMerged, Command: "merge", Contact: other}
	}
	for _, t := range [...]*Snapshot{&primary, &secondary} {
		if t.Contact.Blocked {
			return MergeDecision{}, &StateError{Err: ErrBlocked, Command: "merge", Contact: t.Contact.ID}
		}
	}

	now, ok := eventTime(m.At, micros(at), maxTime(primary.Conversation.UpdatedAt, secondary.Conversation.UpdatedAt))
	if !ok {
		return MergeDecision{}, &StateError{Err: ErrOutOfOrder, Command: "merge", Contact: root}
	}
	if m.By.Type == ActorContact && m.By.ID == "" {
		m.By.ID = root
	}
	secondary.Next = primary.Next // one sequence of ids for both
	t := &secondary
	w := decider{loaded: loaded(t)}
	o := fields{by: m.By, at: now, source: SourceContactMerge}
	latest := primary.Conversation
	moves := false
	if t.Conversation.Status.Active() {
		moves = p.Merge == MergeTransfer && !latest.Status.Active()
		if moves {
			e := w.add(t, &o, ConversationTransferred)
			e.Contact, e.Source = root, o.source
			w.apply(t, e)
		} else {
			w.close(t, &o, p)
		}
	}
	if moves || !latest.Status.Active() && t.Conversation.Cycle.OpenedAt.After(latest.Cycle.OpenedAt) {
		latest = t.Conversation
	}
	o.at = maxTime(o.at, primary.Contact.UpdatedAt)
	e := w.addContact(t, &o, ContactMerged)
	e.MergedInto, e.LatestConversation, e.ContactSeq = root, latest.ID, primary.Contact.Version+1
	w.apply(t, e)
	w.arm(t, p)

	d := MergeDecision{Outcome: OutcomeMerged}
	w.result(t, &d.Secondary)
	d.Primary.Loaded = loaded(&primary)
	apply(&primary, e)
	d.Primary.Thread = primary
	return d, nil
}
