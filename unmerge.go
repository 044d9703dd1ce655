package convo

import (
	"slices"
	"time"
)

// Unmerge undoes the merge of the Contact that was the secondary: it is a contact in its own right
// again, with what it owns. What the merge closed stays closed.
type Unmerge struct {
	Workspace string    `json:"workspace"`
	Contact   string    `json:"contact"`
	By        Actor     `json:"by"`
	At        time.Time `json:"at,omitzero"` // zero: now
}

// Validate reports what is wrong with m as a *ValidationError.
func (m Unmerge) Validate() error {
	if err := checkID("workspace", m.Workspace); err != nil {
		return err
	}
	if err := checkID("contact", m.Contact); err != nil {
		return err
	}
	if err := checkActor(m.By); err != nil {
		return err
	}
	return checkTime("at", m.At)
}

// UnmergeDecision is what an unmerge changes: what is written of the contact and of the root that
// it was merged into. Both are committed together.
type UnmergeDecision struct {
	Contact, Root Change
	Outcome       Outcome // OutcomeUnmerged or OutcomeUnchanged
}

// DecideUnmerge decides m for the root that its contact leads to, and all that were merged into
// that. It is pure, as [Decide] is.
//
// What the contact owns, and what those own that were merged into it, goes with it: conversations
// that were opened for them or moved to them, addresses that were linked to them, and their own
// logs, with all that was said since. What the merge closed stays closed. A block that came by the
// merge ends with it, unless somebody has blocked or unblocked the root since. It fails with a
// *ValidationError, and with a *StateError of ErrNotFound, ErrErased or ErrOutOfOrder; a contact
// that is not merged is unchanged.
func DecideUnmerge(
	root MergeSide, family []Contact, at time.Time, m Unmerge,
) (UnmergeDecision, error) {
	if err := m.Validate(); err != nil {
		return UnmergeDecision{}, err
	}
	refused := func(err error) (UnmergeDecision, error) {
		return UnmergeDecision{}, &StateError{Err: err, Command: "unmerge", Contact: m.Contact}
	}
	k := &root.Contact
	if k.Version == 0 {
		return refused(ErrNotFound)
	}
	if !k.ErasedAt.IsZero() {
		return refused(ErrErased)
	}
	i := slices.IndexFunc(family, func(c Contact) bool { return c.ID == m.Contact })
	if k.ID == m.Contact || i < 0 {
		w, d := decider{loaded: versionsOf(&root.Snapshot)}, UnmergeDecision{
			Outcome: OutcomeUnchanged,
		}
		w.result(&root.Snapshot, &d.Contact)
		return d, nil
	}
	s := &Snapshot{Ref: root.Ref, Contact: family[i], Next: root.Next}
	members := subtree(family, m.Contact)
	last := s.Contact.UpdatedAt
	var moved []Conversation
	for _, c := range root.AllActive {
		if slices.Contains(members, c.Origin) {
			moved = append(moved, c)
			last = maxTime(last, c.UpdatedAt)
		}
	}
	now, ok := eventTime(m.At, micros(at), last)
	if !ok {
		return refused(ErrOutOfOrder)
	}
	if m.By.Type == ActorContact && m.By.ID == "" {
		m.By.ID = m.Contact
	}
	w := decider{loaded: versionsOf(s), unmergeFrom: k.ID, family: members[1:]}
	o := fields{by: m.By, at: now, source: SourceContactUnmerge}
	for _, c := range moved {
		w.leaveConversation(s)
		w.turnTo(s, c)
		e := w.add(s, &o, ConversationTransferred)
		b := &Before{}
		s.Conversation.before(e.Kind, b)
		e.Source, e.Payload = o.source, b
		w.apply(s, e)
	}
	o.at = maxTime(o.at, k.UpdatedAt)
	e := w.addContact(s, &o, ContactUnmerged)
	e.Payload = unmerging(k, &s.Contact, members)
	w.apply(s, e)
	s.Contact.seen(k)

	d := UnmergeDecision{Outcome: OutcomeUnmerged}
	w.result(s, &d.Contact)
	w = decider{loaded: versionsOf(&root.Snapshot)}
	apply(&root.Snapshot, e)
	w.result(&root.Snapshot, &d.Root)
	return d, nil
}

// unmerging says what both contacts are after it: who blocks one goes with their family.
func unmerging(root, k *Contact, members []string) *Unmerging {
	p := &Unmerging{
		From: root.ID, ContactSeq: root.Version + 1,
		Blocked: root.Blocked, BlockedBy: root.BlockedBy,
		OwnBlocked: k.Blocked, OwnBlockedBy: k.BlockedBy,
	}
	if root.BlockedBy != "" {
		p.BlockedBy = root.BlockedBy.changed(nil, members)
		p.Blocked = p.BlockedBy != ""
	}
	if k.BlockedBy != "" { // some may have left since
		others := slices.DeleteFunc(k.BlockedBy.All(),
			func(id string) bool { return slices.Contains(members, id) })
		p.OwnBlockedBy = k.BlockedBy.changed(nil, others)
		p.OwnBlocked = p.OwnBlockedBy != ""
	}
	return p
}

// subtree is a contact of a family, first, and all that were merged into it.
func subtree(family []Contact, contact string) []string {
	all := []string{contact}
	for i := 0; i < len(all); i++ {
		for _, c := range family {
			if c.Parent == all[i] {
				all = append(all, c.ID)
			}
		}
	}
	return all
}

// blockedAfter is whether the primary of a merge is blocked after it, and by whom that came about.
func blockedAfter(primary, secondary *Contact) (blocked bool, by Tokens) {
	if !secondary.Blocked || primary.Blocked && primary.BlockedBy == "" {
		return primary.Blocked, primary.BlockedBy
	}
	came := secondary.BlockedBy.All()
	if came == nil {
		came = []string{secondary.ID}
	}
	return true, primary.BlockedBy.changed(came, nil)
}
