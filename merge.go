package convo

import "time"

// Merge says that two contacts are one person: all that the secondary has belongs to the primary
// from now on. It takes contacts' ids: that of whoever came by an address is in Result.Contact.
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

// DecideMerge decides m for the snapshots loaded for its two contacts. It is pure, as [Decide] is.
//
// The secondary's active conversation is closed with source contact_merge, or moves to the primary
// when the primary has no active one and p.Merge is MergeTransfer. It fails with a *ValidationError
// for a merge of a contact into itself (also through an earlier merge), and with a *StateError of
// ErrNotFound, ErrMerged (merged elsewhere already) or ErrOutOfOrder. Repeating a merge is
// unchanged. When one of them is blocked, the primary is afterwards.
func DecideMerge(
	primary, secondary Snapshot,
	at time.Time,
	p *Policy,
	m Merge,
) (MergeDecision, error) {
	if err := m.Validate(); err != nil {
		return MergeDecision{}, err
	}
	if p == nil {
		p = &defaultPolicy
	}
	for _, s := range [...]*Snapshot{&primary, &secondary} {
		if s.Contact.Version == 0 {
			return MergeDecision{}, &StateError{
				Err:     ErrNotFound,
				Command: "merge",
				Contact: s.Contact.ID,
			}
		}
	}
	root, other := primary.Contact.ID, secondary.Contact.ID
	switch {
	case root == m.Secondary:
		return MergeDecision{}, invalid(
			"primary",
			"was merged into the secondary: a contact cannot be merged into itself",
		)
	case root == other:
		w, d := decider{loaded: versionsOf(&primary)}, MergeDecision{Outcome: OutcomeUnchanged}
		w.result(&primary, &d.Primary)
		return d, nil
	case other != m.Secondary:
		return MergeDecision{}, &StateError{Err: ErrMerged, Command: "merge", Contact: other}
	}
	now, ok := eventTime(
		m.At,
		micros(at),
		maxTime(primary.Conversation.UpdatedAt, secondary.Conversation.UpdatedAt),
	)
	if !ok {
		return MergeDecision{}, &StateError{Err: ErrOutOfOrder, Command: "merge", Contact: root}
	}
	if m.By.Type == ActorContact && m.By.ID == "" {
		m.By.ID = root
	}
	secondary.Next = primary.Next // one sequence of ids for both
	s := &secondary
	w := decider{loaded: versionsOf(s), mergeInto: root}
	o := fields{by: m.By, at: now, source: SourceContactMerge}
	latest := primary.Conversation
	moves := false
	if s.Conversation.Status.Active() {
		moves = p.Merge == MergeTransfer && !latest.Status.Active()
		if moves {
			e := w.add(s, &o, ConversationTransferred)
			e.Contact, e.Source, e.Payload = root, o.source, s.Conversation.before()
			w.apply(s, e)
		} else {
			w.close(s, &o, p)
		}
	}
	later := s.Conversation.Cycle.OpenedAt.After(latest.Cycle.OpenedAt)
	if moves || !latest.Status.Active() && later {
		latest = s.Conversation
	}
	o.at = maxTime(o.at, primary.Contact.UpdatedAt)
	e := w.addContact(s, &o, ContactMerged)
	e.Payload = &Merging{
		root, latest.ID, primary.Contact.Version + 1,
		primary.Contact.Blocked || secondary.Contact.Blocked,
	}
	w.apply(s, e)
	w.arm(s, p)

	d := MergeDecision{Outcome: OutcomeMerged}
	w.result(s, &d.Secondary)
	w = decider{loaded: versionsOf(&primary)}
	apply(&primary, e)
	w.result(&primary, &d.Primary)
	return d, nil
}
