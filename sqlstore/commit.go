package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// plan is the rows of all changes of a commit, in the order in which they are written.
type plan struct {
	workspace     string
	contacts      []*convo.ContactRow
	compared      []*convo.ContactRow
	conversations []*convo.ConversationRow
	cycles        []dialect.ClosedCycle
	events        []*convo.Event
	addresses     []dialect.Address
	keys          []dialect.Key
	merged        []merge
	unmerged      []*convo.Change
	touched       *convo.ContactRow // of a merged contact
	many          bool              // rows that are added are written many at a time
	redacted      []convo.EventPlace
	repointed     []convo.Key
	unlinked      []convo.Address
	erase         *convo.Erasure
	outbox        bool           // events are noted
	noted         []*convo.Event // of events, those that are
	mentions      []dialect.Mention
}

func planOf(changes []convo.Change, outbox bool) *plan {
	p := plan{outbox: outbox}
	for i := range changes {
		p.add(&changes[i])
	}
	// Commits that change the same contacts lock them in the same order.
	slices.SortStableFunc(p.contacts, func(a, b *convo.ContactRow) int {
		return cmp.Compare(a.ID, b.ID)
	})
	return &p
}

func (p *plan) add(ch *convo.Change) {
	p.workspace = ch.Contact.Workspace
	switch ch.Contact.Action {
	case convo.RowKept:
	case convo.RowCompared:
		p.compared = append(p.compared, &ch.Contact)
	default:
		p.contacts = append(p.contacts, &ch.Contact)
	}
	if ch.Other.Action != convo.RowKept {
		p.contacts = append(p.contacts, &ch.Other)
		if ch.Other.MergedInto != "" {
			p.touched = &ch.Other // by a merge in between it may lead elsewhere by now
		}
	}
	for i := range ch.Earlier {
		p.addConversation(&ch.Earlier[i])
	}
	for i := range ch.Cycles {
		p.addCycle(&ch.Cycles[i])
	}
	if ch.Conversation.Action != convo.RowKept {
		p.addConversation(&ch.Conversation)
	}
	for i := range ch.Events {
		p.events = append(p.events, &ch.Events[i])
		if p.outbox && !ch.Unpublished {
			p.noted = append(p.noted, &ch.Events[i])
		}
		p.mentions = append(p.mentions, mentionsIn(&ch.Events[i])...)
	}
	for i := range ch.Addresses {
		p.addresses = append(p.addresses,
			dialect.Address{Workspace: p.workspace, AddressRow: ch.Addresses[i]})
	}
	for i := range ch.Keys {
		p.keys = append(p.keys, dialect.Key{Workspace: p.workspace, Key: ch.Keys[i]})
	}
	p.repointed = append(p.repointed, ch.Repointed...)
	p.unlinked = append(p.unlinked, ch.Unlinked...)
	p.redacted = append(p.redacted, ch.Redact...)
	if ch.Erase != nil {
		p.erase = ch.Erase
	}
	if ch.MergeInto != "" {
		p.merged = append(p.merged, merge{ch.Contact.ID, ch.MergeInto})
	}
	if ch.UnmergeFrom != "" {
		p.unmerged = append(p.unmerged, ch)
	}
}

func (p *plan) addConversation(r *convo.ConversationRow) {
	p.conversations = append(p.conversations, r)
	if r.CycleClosed {
		p.addCycle(&convo.CycleRow{
			Conversation: r.ID, Channel: r.Channel, Lane: r.Lane, Cycle: r.Cycle,
		})
	}
}

func (p *plan) addCycle(c *convo.CycleRow) {
	p.cycles = append(p.cycles,
		dialect.ClosedCycle{
			Workspace: p.workspace, Conversation: c.Conversation, Channel: c.Channel, Lane: c.Lane,
			Cycle: &c.Cycle,
		})
}

// carryOut writes p in a transaction, statement by statement. It tells a lost race by what it finds
// and by counts of rows; an error leaves the transaction usable, but perhaps with a part of p in
// it.
func (p *plan) carryOut(ctx context.Context, t *transaction) error {
	if err := p.holdNamed(ctx, t); err != nil {
		return err
	}
	for _, k := range p.compared {
		n, err := t.count(ctx, dialect.ContactAsLoaded, dialect.LoadedArgs(k)...)
		if err == nil && n == 0 {
			err = fmt.Errorf("sqlstore: contact %q: %w", k.ID, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	many := t.d.many && p.erase == nil
	if many && len(p.events) >= manyEvents && p.inserts() {
		for _, step := range [...]func(context.Context, *transaction) error{
			p.writeContacts, p.writeConversations, p.writeMany, p.writeMentions,
		} {
			if err := step(ctx, t); err != nil {
				return err
			}
		}
		return nil
	}
	if many && t.d.lists && len(p.conversations) >= manyUpdates && p.updates() {
		return p.updateMany(ctx, t)
	}
	for _, step := range [...]func(context.Context, *transaction) error{
		p.eraseContacts, p.writeContacts, p.writeConversations, p.writeKeys, p.writeEvents,
		p.writeCycles, p.redact, p.merge, p.unmerge, p.writeMentions, p.eraseRest,
	} {
		if err := step(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// inserts reports whether p is an import: it only adds rows, but for contacts.
func (p *plan) inserts() bool {
	if len(p.merged)+len(p.unmerged)+len(p.redacted)+len(p.repointed)+len(p.unlinked) > 0 {
		return false
	}
	for _, c := range p.conversations {
		if c.Action != convo.RowAdded || c.Status.Active() {
			return false
		}
	}
	p.many = true
	return true
}

func (p *plan) writeContacts(ctx context.Context, t *transaction) error {
	for _, c := range p.contacts {
		if p.many && c.Action == convo.RowAdded {
			continue
		}
		var written bool
		var err error
		switch {
		case c.Action == convo.RowAdded:
			a := dialect.Contacts.All.Args(t.d.Dialect, nil, &c.Contact)
			written, err = t.insert(ctx, dialect.InsertContact, a...)
		case p.touched == c:
			written, err = t.update(ctx, dialect.TouchContact, c.Version, c.UpdatedAt.UnixMicro(),
				c.Workspace, c.ID, c.Expected)
		default:
			a := dialect.Contacts.Mutable.Args(t.d.Dialect, make([]any, 0, 16), &c.Contact)
			written, err = t.update(ctx, dialect.UpdateContact,
				append(a, dialect.LoadedArgs(c)...)...)
		}
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: contact %q: %w", c.ID, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeConversations(ctx context.Context, t *transaction) error {
	for _, r := range p.conversations {
		if p.many {
			break
		}
		var written bool
		var err error
		c := &r.Conversation
		switch {
		case r.Action == convo.RowAdded:
			written, err = t.insert(ctx, dialect.InsertConversation,
				dialect.Conversations.All.Args(t.d.Dialect, nil, c)...)
		case r.OnlyMessages:
			a := dialect.Conversations.ByMessages.Args(t.d.Dialect, make([]any, 0, 16), c)
			written, err = t.update(ctx, dialect.UpdateByMessages,
				dialect.LoadedConversationArgs(t.d.Dialect, a, r)...)
		default:
			a := dialect.Conversations.Mutable.Args(t.d.Dialect, make([]any, 0, 64), c)
			statement := dialect.UpdateConversation
			if r.Moved {
				statement = dialect.UpdateMoved
				a = append(a, c.Contact, c.Origin, c.Lane, c.Channel)
			}
			a = dialect.LoadedConversationArgs(t.d.Dialect, a, r)
			written, err = t.update(ctx, statement, a...)
		}
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: conversation %s: %w", c.ID, convo.ErrConflict)
		}
		if err == nil {
			err = writeListing(ctx, t, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeListing has a conversation stand where it belongs in lists, and writes its labels.
func writeListing(ctx context.Context, t *transaction, r *convo.ConversationRow) error {
	for _, step := range dialect.ListingSteps(t.d.Dialect, r) {
		write := t.update
		if step.Inserts {
			write = t.insert
		}
		written, err := write(ctx, step.Statement, step.Args...)
		if err == nil && !written {
			err = whyNot(ctx, t, &r.Conversation)
		}
		if err != nil {
			return err
		}
	}
	if r.LabelsBefore == r.Labels {
		return nil
	}
	l := dialect.Labelled{Workspace: r.Workspace, CreatedAt: r.CreatedAt, Conversation: r.ID}
	for _, l.Label = range r.LabelsBefore.All() {
		if r.Labels.Has(l.Label) {
			continue
		}
		args := dialect.Labels.All.Args(t.d.Dialect, nil, &l)
		if _, err := t.update(ctx, dialect.DeleteLabel, args...); err != nil {
			return err
		}
	}
	for _, l.Label = range r.Labels.All() {
		if r.LabelsBefore.Has(l.Label) {
			continue
		}
		args := dialect.Labels.All.Args(t.d.Dialect, nil, &l)
		if _, err := t.insert(ctx, dialect.InsertLabel, args...); err != nil {
			return err
		}
	}
	return nil
}

// whyNot says why a conversation could not be put where it belongs in lists.
func whyNot(ctx context.Context, t *transaction, c *convo.Conversation) error {
	reason := convo.ErrConflict
	if c.Status.Active() {
		n, err := t.count(ctx, dialect.OtherActive, c.Workspace, c.Contact, c.Lane, t.d.ID(c.ID))
		if err != nil {
			return err
		}
		if n > 0 {
			reason = convo.ErrActiveExists
		}
	}
	return fmt.Errorf("sqlstore: conversation %s in lists: %w", c.ID, reason)
}

func (p *plan) writeKeys(ctx context.Context, t *transaction) error {
	for i := range p.keys {
		k := &p.keys[i]
		written, err := insertKey(ctx, t, k)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: key %q: %w", k.ID, convo.ErrDuplicate)
		}
		if err != nil {
			return err
		}
	}
	for i := range p.repointed {
		k := &p.repointed[i]
		var conversation any
		if k.Conversation != uuid.Nil {
			conversation = t.d.ID(k.Conversation)
		}
		written, err := t.update(ctx, dialect.RepointKey, conversation, k.FirstSeq, k.LastSeq,
			p.workspace, k.Channel, k.ID, k.Address, k.Contact)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: key %q: %w", k.ID, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	for _, a := range p.unlinked {
		written, err := t.update(ctx, dialect.DeleteAddress, p.workspace, a.Channel, a.Value)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: no such address on %q: %w", a.Channel, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	for i := range p.addresses {
		a := &p.addresses[i]
		written, err := t.insert(ctx, dialect.InsertAddress,
			dialect.Addresses.All.Args(t.d.Dialect, nil, a)...)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: the address on %q: %w", a.Channel, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertKey inserts a key, unless it finds one.
func insertKey(ctx context.Context, t *transaction, k *dialect.Key) (bool, error) {
	values := dialect.Keys.All.Args(t.d.Dialect, make([]any, 0, 16), k)
	question := dialect.KeyArgs(k.Workspace, k.KeyID)
	if t.d.InsertUnknownKey != "" {
		return t.insert(ctx, t.d.InsertUnknownKey, append(values, question...)...)
	}
	n, err := t.count(ctx, dialect.KnownKey, question...)
	if err != nil || n > 0 {
		return false, err
	}
	return t.insert(ctx, dialect.InsertKey, values...)
}

func (p *plan) writeEvents(ctx context.Context, t *transaction) error {
	for _, e := range p.events {
		var written bool
		var err error
		switch {
		case e.Conversation == uuid.Nil:
			written, err = t.insert(ctx, dialect.InsertContactEvent,
				dialect.EventArgs(dialect.ContactEvents.All, t.d.Dialect, nil, e)...)
		case dialect.IsMessage(e):
			written, err = t.insert(ctx, dialect.InsertMessageEvent,
				dialect.EventArgs(dialect.MessageEvents, t.d.Dialect, nil, e)...)
		default:
			written, err = t.insert(ctx, dialect.InsertEvent,
				dialect.EventArgs(dialect.Events.All, t.d.Dialect, nil, e)...)
		}
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: event %d of conversation %s: %w",
				e.Seq, e.Conversation, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	for _, u := range dialect.QueuedBy(p.events) {
		_, err := t.update(ctx, dialect.InsertQueued+t.d.KeepQueued,
			dialect.RollupQueue.All.Args(t.d.Dialect, nil, &u)...)
		if err != nil {
			return err
		}
	}
	for _, n := range dialect.NotesOf(p.noted) {
		_, err := t.update(ctx, dialect.InsertNote,
			dialect.Outbox.All.Args(t.d.Dialect, nil, &n)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeCycles(ctx context.Context, t *transaction) error {
	for i := range p.cycles {
		a := dialect.Cycles.All.Args(t.d.Dialect, nil, &p.cycles[i])
		if _, err := t.update(ctx, dialect.InsertCycle+t.d.UpsertCycle, a...); err != nil {
			return err
		}
	}
	return nil
}

// redact overwrites the texts of events.
func (p *plan) redact(ctx context.Context, t *transaction) error {
	for _, r := range p.redacted {
		statement, of := dialect.RedactContactEvent, any(r.Contact)
		if r.Conversation != uuid.Nil {
			statement, of = dialect.RedactEvent, t.d.ID(r.Conversation)
		}
		if _, err := t.update(ctx, statement, p.workspace, of, r.Seq); err != nil {
			return err
		}
	}
	return nil
}

// witness is an event by which it can be told whether a commit was carried out.
type witness struct {
	workspace, contact string
	conversation       uuid.UUID
	seq                int64
	id                 uuid.UUID
	key                *convo.Key // or a key, when there was no event
}

func witnessOf(changes []convo.Change) (witness, bool) {
	for i := range changes {
		if len(changes[i].Events) > 0 {
			e := &changes[i].Events[0]
			return witness{e.Workspace, e.Contact, e.Conversation, e.Seq, e.ID, nil}, true
		}
	}
	for i := range changes {
		if len(changes[i].Keys) > 0 {
			k := changes[i].Keys[0]
			return witness{workspace: changes[i].Contact.Workspace, key: &k}, true
		}
	}
	return witness{}, false
}
