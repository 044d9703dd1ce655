package convo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Erase removes for good what is kept of a person: the contact and all that were merged into it.
type Erase struct {
	Workspace string `json:"workspace"`
	Contact   string `json:"contact"` // of a root contact
	By        Actor  `json:"by"`
	// Key, of up to 998 bytes, makes the call repeatable: again, it answers the first report. It is
	// kept as a hash.
	Key string `json:"key,omitempty"`
}

// Validate reports what is wrong with x as a *ValidationError.
func (x Erase) Validate() error {
	if err := checkID("workspace", x.Workspace); err != nil {
		return err
	}
	if err := checkID("contact", x.Contact); err != nil {
		return err
	}
	if err := checkActor(x.By); err != nil {
		return err
	}
	return checkKey("key", x.Key)
}

// Erased is the report of an erasure: how many there were of what it went over.
type Erased struct {
	Contacts      int `json:"contacts"` // the contact, and those merged into it
	Addresses     int `json:"addresses"`
	Conversations int `json:"conversations"`
	Closed        int `json:"closed"` // of the conversations, those that were active
	// Events are those of the conversations. Their texts are gone, and they themselves remain.
	Events int `json:"events"`
	// Elsewhere are conversations of other contacts in which only ids and addresses of the contact
	// were replaced, and external ids of its messages: those moved away from it, say.
	Elsewhere int `json:"elsewhere"`
}

// Erasure is what [Change.Erase] demands of a store, in the same commit: that nothing of the
// contacts remains anywhere but what Row, Cycle and the rows of the change leave of it. Where a
// contact was found under its id there is its row of Contacts under its token.
type Erasure struct {
	// Contacts are the root and those merged into it, as they are afterwards, each with the
	// Expected version that its row must have. Their ids are tokens.
	Contacts []ContactRow
	// Was are the ids that they had, in the same order.
	Was []string
	// Elsewhere are those conversations of the change that belong to other contacts. Where another
	// one names one of the contacts by now ([Store.Mentions]), the store MUST answer ErrConflict.
	Elsewhere []uuid.UUID
}

// Named is what a contact is called after the erasure.
func (x *Erasure) Named(contact string) string {
	if i := slices.Index(x.Was, contact); i >= 0 && contact != "" {
		return x.Contacts[i].ID
	}
	return contact
}

// Of reports whether a contact, by its id or its token, is erased.
func (x *Erasure) Of(contact string) bool {
	return slices.Contains(x.Was, contact) ||
		slices.ContainsFunc(x.Contacts, func(c ContactRow) bool { return c.ID == contact })
}

// Owns reports whether a conversation of the change is erased with its texts.
func (x *Erasure) Owns(conversation uuid.UUID) bool {
	return !slices.Contains(x.Elsewhere, conversation)
}

// Row leaves of an event, which is in a log of the contacts, in one of the conversations of the
// change, or in the own log of a contact that was merged into one of them once, what the erasure
// leaves. Done again it changes nothing.
func (x *Erasure) Row(r *EventRow) {
	of := x.Of(r.Contact)
	owned := of
	if r.Conversation != uuid.Nil {
		owned = x.Owns(r.Conversation)
	}
	r.Contact, r.MovedFrom = x.Named(r.Contact), x.Named(r.MovedFrom)
	r.MergedInto, r.UnmergedFrom = x.Named(r.MergedInto), x.Named(r.UnmergedFrom)
	r.BlockedBy, r.OwnBlockedBy = x.tokens(r.BlockedBy), x.tokens(r.OwnBlockedBy)
	x.actor(&r.By, owned)
	x.actor(&r.ClosedBy, owned)
	if owned || of {
		r.ExternalID = ""
		if r.Address != "" {
			r.Address = x.token()
		}
	}
	if !owned {
		return
	}
	report := r.Attributes
	if r.ClearTexts(); r.Kind == ContactErased {
		r.Attributes = report
	}
}

// Cycle leaves of a cycle of a conversation of the change what the erasure leaves.
func (x *Erasure) Cycle(conversation uuid.UUID, c *Cycle) {
	owned := x.Owns(conversation)
	for _, a := range [...]*Actor{&c.OpenedBy, &c.FirstResponder, &c.Closing.By} {
		x.actor(a, owned)
	}
	if owned {
		c.clearTexts()
	}
}

func (c *Cycle) clearTexts() { c.Closing.Summary, c.Rating.Comment = "", "" }

// conversation leaves of a conversation that is owned what the erasure leaves.
func (x *Erasure) conversation(c *Conversation) {
	c.Contact, c.Origin = x.Named(c.Contact), x.Named(c.Origin)
	c.Subject, c.Attributes = "", ""
	if c.Address != (Address{}) {
		c.Address.Value = x.token()
	}
	x.Cycle(c.ID, &c.Cycle)
}

func (x *Erasure) contact(c *Contact) {
	c.Parent, c.MergedInto = x.Named(c.Parent), x.Named(c.MergedInto)
	c.Name, c.Attributes, c.BlockedBy = "", "", x.tokens(c.BlockedBy)
}

// token stands for all that is known by an id.
func (x *Erasure) token() string { return x.Contacts[0].ID }

func (x *Erasure) tokens(l Tokens) Tokens {
	if l == "" {
		return l
	}
	all := l.All()
	for i := range all {
		all[i] = x.Named(all[i])
	}
	return TokensOf(all...)
}

// actor replaces a contact; in what is owned, whatever a host has called it.
func (x *Erasure) actor(a *Actor, owned bool) {
	switch {
	case a.Type != ActorContact || a.ID == "":
	case owned:
		a.ID = x.token()
	default:
		a.ID = x.Named(a.ID)
	}
}

// erasedKey begins the ids of keys that were erased. No id of a host has a control character.
const erasedKey = "\x01"

// Erased is the id that is left of an external id of a contact that was erased, under its channel:
// a hash, by which its message is known when it is delivered again. As Finds says, the contact
// tells external ids apart that have no address. A host's key is remembered under it from the
// beginning.
func (k KeyID) Erased() string {
	of := k.Address
	if of == "" && k.Channel != "" {
		of = erasedKey + k.Contact
	}
	sum := sha256.Sum256([]byte(k.Channel + "\x00" + of + "\x00" + k.ID))
	return erasedKey + hex.EncodeToString(sum[:])
}

// IsErased reports whether k is what is left of a key.
func (k KeyID) IsErased() bool { return k.ID != "" && k.ID[:1] == erasedKey }

// Key is what is left of a key of the contacts: mostly one. A key without an address may be
// repeated under the id of each of them, and under that of another one whose conversation it was
// before it was theirs.
func (x *Erasure) Key(k Key) []Key {
	left := k
	left.Address, left.Contact = "", x.Named(k.Contact)
	switch {
	case k.IsErased(): // as those of the host are from the beginning
		return []Key{left}
	case k.Address != "":
		left.ID = k.Erased()
		return []Key{left}
	}
	ids := x.Was
	if !x.Of(k.Contact) {
		ids = append(slices.Clone(ids), k.Contact)
	}
	var all []Key
	for _, id := range ids {
		left.ID = KeyID{Channel: k.Channel, Contact: id, ID: k.ID}.Erased()
		all = append(all, left)
	}
	return all
}

// erasedSide is a contact that is to be erased, as it was loaded.
type erasedSide struct {
	Snapshot
	Family    []Contact      // all that were merged into it
	Addresses int            // that it and they have
	Owned     []Conversation // all of its conversations
	// Elsewhere are those of others whose events name the contact or one of its family, with their
	// logs.
	Elsewhere []loggedConversation
}

// loggedConversation is a conversation with all of its events.
type loggedConversation struct {
	Conversation
	Log []Event
}

// eraseDecision is what an erasure changes.
type eraseDecision struct {
	Change  Change
	Removed Erased
}

// decideErase decides x for its contact. It is pure, as [Decide] is. policies says which policy a
// conversation goes by that is closed.
func decideErase(
	side erasedSide, at time.Time, policies func(Conversation) *Policy, x Erase,
) (d eraseDecision, err error) {
	if err := x.Validate(); err != nil {
		return d, err
	}
	s := &side.Snapshot
	refused := func(err error) (eraseDecision, error) {
		return eraseDecision{}, &StateError{Err: err, Command: "erase", Contact: s.Contact.ID}
	}
	switch {
	case s.Contact.Version == 0:
		return refused(ErrNotFound)
	case !s.Contact.ErasedAt.IsZero():
		return refused(ErrErased)
	case s.Contact.ID != x.Contact:
		return refused(ErrMerged)
	}
	e := &Erasure{}
	for _, c := range append([]Contact{s.Contact}, side.Family...) {
		e.Was = append(e.Was, c.ID)
		row := ContactRow{Contact: c, Action: RowUpdated, Expected: c.Version}
		row.ID = s.nextID().String()
		e.Contacts = append(e.Contacts, row)
	}
	d.Removed = Erased{
		Contacts: len(e.Was), Addresses: side.Addresses, Conversations: len(side.Owned),
		Elsewhere: len(side.Elsewhere),
	}
	o := fields{by: x.By, at: micros(at), source: SourceContactErasure}
	last := s.Contact.UpdatedAt
	for _, c := range side.Family {
		last = maxTime(last, c.UpdatedAt)
	}
	w := decider{loaded: versionsOf(s)}
	next := func(c Conversation) {
		w.leaveConversation(s)
		w.turnTo(s, c)
		last = maxTime(last, c.UpdatedAt)
	}
	for _, c := range side.Owned {
		d.Removed.Events += int(c.Version)
		next(c)
		if c.Status.Active() {
			d.Removed.Closed++
			w.closeWith(s, &o, policies, c, at)
		}
		event := w.add(s, &o, ConversationErased)
		event.Source = SourceContactErasure
		w.apply(s, event)
	}
	for _, c := range side.Elsewhere {
		e.Elsewhere = append(e.Elsewhere, c.ID)
		next(c.Conversation)
		w.apply(s, w.add(s, &o, ConversationErased))
		s.Conversation.Address = e.addressIn(&c)
	}
	o.at = maxTime(o.at, last)
	w.leaveConversation(s)
	s.Conversation = Conversation{}
	event := w.addContact(s, &o, ContactErased)
	report, err := json.Marshal(d.Removed)
	if err != nil {
		return d, err
	}
	event.Payload = &Erasing{Attributes(report)}
	w.apply(s, event)
	w.result(s, &d.Change)
	d.Change.erase(e, s.Contact)
	if x.Key != "" {
		d.Change.Keys = []Key{{
			KeyID:       KeyID{ID: KeyID{ID: x.Key}.Erased(), Contact: e.token()},
			RequestHash: hashOf(x), FirstSeq: event.Seq, LastSeq: event.Seq,
		}}
	}
	return d, nil
}

// closeWith closes the present conversation by its policy.
func (w *decider) closeWith(
	s *Snapshot, o *fields, policies func(Conversation) *Policy, c Conversation, at time.Time,
) {
	p := &defaultPolicy
	if policies != nil {
		if own := policies(c); own != nil {
			p = own
		}
	}
	w.close(s, o, p)
	w.arm(&s.Conversation, micros(at), p)
}

// addressIn is the one that the log of another contact's conversation folds into.
func (x *Erasure) addressIn(c *loggedConversation) Address {
	var s Snapshot
	for i := range c.Log {
		r := c.Log[i].Row()
		x.Row(&r)
		e := r.Event()
		apply(&s, &e)
	}
	return s.Conversation.Address
}

// erase has ch leave what the erasure does of what it writes itself.
func (ch *Change) erase(x *Erasure, root Contact) {
	x.Contacts[0].Version, x.Contacts[0].UpdatedAt = root.Version, root.UpdatedAt
	x.Contacts[0].ErasedAt = root.ErasedAt
	for i := range x.Contacts {
		x.contact(&x.Contacts[i].Contact)
	}
	ch.Erase = x
	ch.Contact = ContactRow{Contact: x.Contacts[0].Contact}
	ch.Conversation = ConversationRow{}
	for i := range ch.Earlier {
		r := &ch.Earlier[i]
		if x.Owns(r.ID) {
			x.conversation(&r.Conversation)
			r.Moved = true
		} else {
			x.Cycle(r.ID, &r.Cycle)
		}
		r.OnlyMessages = false
	}
	for i := range ch.Events {
		r := ch.Events[i].Row()
		x.Row(&r)
		ch.Events[i] = r.Event()
	}
}
