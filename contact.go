package convo

import (
	"time"

	"github.com/google/uuid"
)

// Contact is a person, named by the host's own id. It comes into being with its first conversation
// or message.
type Contact struct {
	Workspace string `json:"workspace"`
	ID        string `json:"id"`
	// Version counts what happened to the contact itself: openings, reopenings, moves, addresses,
	// profiles, blocking, merges, quiet messages before the first conversation. Zero: the contact
	// is not known yet.
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// UpdatedAt is the last event of the contact itself: an address, a profile, a blocking, a
	// merge. Zero before the first. A later one that is given an earlier time is stamped with this
	// one.
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// SeenAt is when the contact last wrote, or up to [SeenEvery] earlier; it changes without a new
	// Version. Quiet messages do not count. Zero: not yet. The primary of a merge and the contact
	// that a Move gives a conversation to take the other one's if that is later, and so does who is
	// unmerged: it may have been either.
	SeenAt  time.Time `json:"seen_at,omitzero"`
	Blocked bool      `json:"blocked,omitempty"`
	// BlockedBy are the contacts whose merges have blocked it; empty when somebody has.
	BlockedBy Tokens `json:"blocked_by,omitzero"`
	// Name and Attributes are the profile: see [SetProfile]. A merge mixes no profiles: the
	// primary's stands.
	Name       string     `json:"name,omitempty"`
	Attributes Attributes `json:"attributes,omitzero"`
	// MergedInto is the contact that this one was merged into; empty for a contact in its own
	// right.
	MergedInto string `json:"merged_into,omitempty"`
	// Parent is the contact that it was merged into itself, which may have been merged since.
	Parent string `json:"parent,omitempty"`
	// ErasedAt is when it was erased, since when it takes no commands. Zero: it was not.
	ErasedAt time.Time `json:"erased_at,omitzero"`
}

// SeenEvery is how often a contact's messages change SeenAt at most, so that most of them leave the
// contact alone.
const SeenEvery = time.Hour

// seen keeps the later time of the two.
func (c *Contact) seen(other *Contact) { c.SeenAt = maxTime(c.SeenAt, other.SeenAt) }

// Cursor is the place of the contact in a list of contacts.
func (c Contact) Cursor() ContactCursor { return ContactCursor{c.SeenAt, c.ID} }

// Address is a contact's identity on a channel, such as (whatsapp, +4912345). It belongs to one
// contact of the workspace at most. Both parts are compared byte for byte.
type Address struct {
	Channel string `json:"channel"`
	Value   string `json:"value"`
}

// Ref says whom a command is for: a contact, an address, a contact together with one of its
// addresses (which links the address to the contact), or one conversation. A Ref to a conversation
// also names it: if another one is active by now, the command fails and says which.
type Ref struct {
	Workspace    string    `json:"workspace"`
	Contact      string    `json:"contact,omitempty"`
	Address      Address   `json:"address,omitzero"`
	Conversation uuid.UUID `json:"conversation,omitzero"`
	// Lane is which of the contact's conversations are meant: see [Ref.In].
	Lane string `json:"lane,omitempty"`
}

// ToContact addresses a contact by the host's own id.
func ToContact(workspace, contact string) Ref { return Ref{Workspace: workspace, Contact: contact} }

// ToAddress addresses whichever contact has the address. If nobody has, Receive and Open create a
// contact whose id is made by the library.
func ToAddress(workspace, channel, value string) Ref {
	return Ref{Workspace: workspace, Address: Address{Channel: channel, Value: value}}
}

// ToConversation addresses one conversation, and no other.
func ToConversation(workspace string, id uuid.UUID) Ref {
	return Ref{Workspace: workspace, Conversation: id}
}

// In is r in a lane: what keeps the conversations of a contact apart that go on side by side, such
// as an inbox, a number, an e-mail thread or a topic. A contact has at most one active conversation
// in each. It is a token of the host's, of up to 255 bytes; without one, all is in the lane "".
func (r Ref) In(lane string) Ref {
	r.Lane = lane
	return r
}

// Validate reports what is wrong with r as a *ValidationError.
func (r Ref) Validate() error {
	if err := checkID("workspace", r.Workspace); err != nil {
		return err
	}
	byContact, byAddress := r.Contact != "", r.Address != Address{}
	byConversation := r.Conversation != uuid.Nil
	switch {
	case byConversation && (byContact || byAddress):
		return invalid("ref", "a conversation id stands alone: leave contact and address out")
	case byConversation && r.Lane != "":
		return invalid("lane", "a conversation id stands alone: it is in a lane already")
	case !byConversation && !byContact && !byAddress:
		return invalid("ref", "name a contact, an address or a conversation")
	}
	if err := checkToken("lane", r.Lane); err != nil {
		return err
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
