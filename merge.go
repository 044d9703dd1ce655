package convo

import (
	"cmp"
	"slices"
	"time"
)

// Merge says that two contacts are one person: all that the secondary has belongs to the primary
// from now on, or to the root that the primary was merged into. It takes contacts' ids: that of
// whoever came by an address is in Result.Contact.
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

// MergeDecision is what a merge changes: what is written of the primary and of the secondary. Both
// are committed together.
type MergeDecision struct {
	Primary, Secondary Change
	Outcome            Outcome // OutcomeMerged or OutcomeUnchanged
}

// MergeSide is one of the two contacts of a merge, as it was loaded.
type MergeSide struct {
	Snapshot
	AllActive []Conversation // all of the contact's that are active, in whatever lane
}

// DecideMerge decides m for its two contacts. It is pure, as [Decide] is. policies says which
// policy a conversation goes by; nil is the default one for all.
//
// Each active conversation of the secondary is closed with source contact_merge, or moves to the
// primary when the primary has no active one in its lane and its policy's Merge is MergeTransfer.
// A closing ends the wait of a contact who has no answer yet, and its targets with it: the Turn in
// Event.Before says that somebody waited, and docs/contacts.md how the wait can go on.
// It fails with a *ValidationError for a merge of a contact into itself (also through an earlier
// merge), and with a *StateError of ErrNotFound, ErrMerged (merged elsewhere already), ErrErased
// or ErrOutOfOrder. Repeating a merge is unchanged. When one of them is blocked, the primary is
// afterwards. A primary never seen becomes known.
func DecideMerge(
	primary, secondary MergeSide,
	at time.Time,
	policies func(Conversation) *Policy,
	m Merge,
) (MergeDecision, error) {
	if err := m.Validate(); err != nil {
		return MergeDecision{}, err
	}
	if k := &secondary.Contact; k.Version == 0 {
		return MergeDecision{}, &StateError{Err: ErrNotFound, Command: "merge", Contact: k.ID}
	}
	root, other := primary.Contact.ID, secondary.Contact.ID
	for _, k := range [...]*Contact{&primary.Contact, &secondary.Contact} {
		if !k.ErasedAt.IsZero() {
			return MergeDecision{}, &StateError{Err: ErrErased, Command: "merge", Contact: k.ID}
		}
	}
	switch {
	case root == m.Secondary:
		return MergeDecision{}, invalid(
			"primary",
			"was merged into the secondary: a contact cannot be merged into itself",
		)
	case root == other:
		w := decider{loaded: versionsOf(&primary.Snapshot)}
		d := MergeDecision{Outcome: OutcomeUnchanged}
		w.result(&primary.Snapshot, &d.Primary)
		return d, nil
	case other != m.Secondary:
		return MergeDecision{}, &StateError{Err: ErrMerged, Command: "merge", Contact: other}
	}
	last := maxTime(primary.Conversation.UpdatedAt, secondary.Conversation.UpdatedAt)
	lanes := map[string]bool{} // in which the primary has an active one
	for _, c := range slices.Concat(primary.AllActive, secondary.AllActive) {
		last = maxTime(last, c.UpdatedAt)
	}
	for _, c := range primary.AllActive {
		lanes[c.Lane] = true
	}
	now, ok := eventTime(m.At, micros(at), last)
	if !ok {
		return MergeDecision{}, &StateError{Err: ErrOutOfOrder, Command: "merge", Contact: root}
	}
	if m.By.Type == ActorContact && m.By.ID == "" {
		m.By.ID = root
	}
	secondary.Next = primary.Next // one sequence of ids for both
	s := &secondary.Snapshot
	w := decider{loaded: versionsOf(s), mergeInto: root}
	o := fields{by: m.By, at: now, source: SourceContactMerge}
	for _, c := range secondary.AllActive {
		p := &defaultPolicy
		if policies != nil {
			p = cmp.Or(policies(c), p)
		}
		w.leaveConversation(s)
		w.turnTo(s, c)
		if p.Merge == MergeTransfer && !lanes[c.Lane] {
			e := w.add(s, &o, ConversationTransferred)
			b := &Before{}
			s.Conversation.before(e.Kind, b)
			e.Contact, e.Source, e.Payload = root, o.source, b
			w.apply(s, e)
		} else {
			w.close(s, &o, p)
		}
		w.arm(&s.Conversation, micros(at), p)
	}
	o.at = maxTime(o.at, primary.Contact.UpdatedAt)
	e := w.addContact(s, &o, ContactMerged)
	blocked, by := blockedAfter(&primary.Contact, &secondary.Contact)
	e.Payload = &Merging{root, primary.Contact.Version + 1, blocked, by}
	w.apply(s, e)
	for i := range w.earlier {
		w.earlier[i].Contact = root
	}

	d := MergeDecision{Outcome: OutcomeMerged}
	w.result(s, &d.Secondary)
	w = decider{loaded: versionsOf(&primary.Snapshot)}
	apply(&primary.Snapshot, e)
	primary.Contact.seen(&secondary.Contact)
	w.result(&primary.Snapshot, &d.Primary)
	return d, nil
}
