package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// plan is the rows of all changes of a commit, in the order in which they are written.
type plan struct {
	workspace     string
	contacts      []*convo.ContactRow
	conversations []*convo.ConversationRow
	cycles        []cycleRow
	events        []*convo.Event
	addresses     []*convo.AddressRow
	keys          []*convo.Key
	merged        []merge
}

type cycleRow struct {
	conversation uuid.UUID
	*convo.Cycle
}

// merge is a contact that is merged into another one.
type merge struct{ contact, into string }

func planOf(changes []convo.Change) *plan {
	var p plan
	for i := range changes {
		p.add(&changes[i])
	}
	// Commits that change the same contacts lock them in the same order.
	slices.SortStableFunc(p.contacts, func(a, b *convo.ContactRow) int { return cmp.Compare(a.ID, b.ID) })
	return &p
}

func (p *plan) add(ch *convo.Change) {
	p.workspace = ch.Contact.Workspace
	if ch.Contact.Action != convo.RowKept {
		p.contacts = append(p.contacts, &ch.Contact)
	}
	for i := range ch.Earlier {
		p.addConversation(&ch.Earlier[i])
	}
	for i := range ch.Cycles {
		p.cycles = append(p.cycles, cycleRow{ch.Cycles[i].Conversation, &ch.Cycles[i].Cycle})
	}
	if ch.Conversation.Action != convo.RowKept {
		p.addConversation(&ch.Conversation)
	}
	for i := range ch.Events {
		p.events = append(p.events, &ch.Events[i])
	}
	for i := range ch.Addresses {
		p.addresses = append(p.addresses, &ch.Addresses[i])
	}
	for i := range ch.Keys {
		p.keys = append(p.keys, &ch.Keys[i])
	}
	if ch.MergeInto != "" {
		p.merged = append(p.merged, merge{ch.Contact.ID, ch.MergeInto})
	}
}

func (p *plan) addConversation(r *convo.ConversationRow) {
	p.conversations = append(p.conversations, r)
	if r.CycleClosed {
		p.cycles = append(p.cycles, cycleRow{r.ID, &r.Cycle})
	}
}

// carryOut writes p in a transaction, statement by statement. It tells a lost race by what it finds and by counts of rows; an
// error leaves the transaction usable, but perhaps with a part of p in it.
func (p *plan) carryOut(ctx context.Context, t *transaction) error {
	for _, step := range [...]func(context.Context, *transaction) error{
		p.writeContacts, p.writeConversations, p.writeKeys, p.writeEvents, p.writeCycles, p.merge,
	} {
		if err := step(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeContacts(ctx context.Context, t *transaction) error {
	for _, c := range p.contacts {
		var written bool
		var err error
		a := t.d.contactArgs(nil, &c.Contact)
		if c.Action == convo.RowAdded {
			written, err = t.insert(ctx, insertContact, a...)
		} else {
			written, err = t.update(ctx, updateContact, append(a[2:], c.Workspace, c.ID, c.Expected)...)
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
		var written bool
		var err error
		c, id := &r.Conversation, t.d.id(r.ID)
		switch {
		case r.Action == convo.RowAdded:
			written, err = t.insert(ctx, insertConversation, t.d.conversationArgs(nil, c)...)
		case r.OnlyMessages:
			written, err = t.update(ctx, updateByMessages,
				append(messageArgs(nil, c), c.Workspace, id, r.Expected)...)
		default:
			a := t.d.conversationArgs(nil, c)
			slot := a[slotArg]
			written, err = t.update(ctx, updateConversation,
				append(a[fixed:], c.Workspace, id, r.Expected, c.Workspace, slot, id)...)
		}
		if err == nil && !written {
			err = p.whyNot(ctx, t, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// slotArg is the place of active_slot among the columns of a conversation.
const slotArg = 17

// whyNot says why a conversation could not be written.
func (p *plan) whyNot(ctx context.Context, t *transaction, c *convo.Conversation) error {
	reason := convo.ErrConflict
	if c.Status.Active() {
		n, err := t.count(ctx, otherActive, c.Workspace, c.Contact, t.d.id(c.ID))
		if err != nil {
			return err
		}
		if n > 0 {
			reason = convo.ErrActiveExists
		}
	}
	return fmt.Errorf("sqlstore: conversation %s: %w", c.ID, reason)
}

func (p *plan) writeKeys(ctx context.Context, t *transaction) error {
	for _, k := range p.keys {
		written, err := t.insert(ctx, insertKey, t.d.keyArgs(nil, p.workspace, k)...)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: key %q: %w", k.ID, convo.ErrDuplicate)
		}
		if err != nil {
			return err
		}
	}
	for _, a := range p.addresses {
		written, err := t.insert(ctx, insertAddress, addressArgs(nil, p.workspace, a)...)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: the address on %q: %w", a.Channel, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeEvents(ctx context.Context, t *transaction) error {
	for _, e := range p.events {
		var written bool
		var err error
		if e.Conversation == uuid.Nil {
			written, err = t.insert(ctx, insertContactEvent, t.d.contactEventArgs(nil, e)...)
		} else {
			written, err = t.insert(ctx, insertEvent, t.d.eventArgs(nil, e)...)
		}
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: event %d of conversation %s: %w", e.Seq, e.Conversation, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeCycles(ctx context.Context, t *transaction) error {
	for _, y := range p.cycles {
		a := cycleArgs([]any{p.workspace, t.d.id(y.conversation)}, y.Cycle)
		if _, err := t.update(ctx, insertCycle+t.d.upsertCycle, a...); err != nil {
			return err
		}
	}
	return nil
}

// merge carries out what Change.MergeInto demands.
func (p *plan) merge(ctx context.Context, t *transaction) error {
	for _, m := range p.merged {
		n, err := t.count(ctx, actives, p.workspace, m.contact, m.into)
		if err == nil && n > 1 {
			err = fmt.Errorf("sqlstore: contact %q: %w", m.into, convo.ErrActiveExists)
		}
		if err == nil {
			_, err = t.update(ctx, mergeAliases, m.into, p.workspace, m.contact)
		}
		if err == nil {
			_, err = t.update(ctx, mergeConversations, m.into, m.into, p.workspace, m.contact)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// proof is an event by which it can be told whether a commit was carried out.
type proof struct {
	workspace, contact string
	conversation       uuid.UUID
	seq                int64
	id                 uuid.UUID
	key                *convo.Key // or a key, when there was no event
}

func proofOf(changes []convo.Change) (proof, bool) {
	for i := range changes {
		if len(changes[i].Events) > 0 {
			e := &changes[i].Events[0]
			return proof{e.Workspace, e.Contact, e.Conversation, e.Seq, e.ID, nil}, true
		}
	}
	for i := range changes {
		if len(changes[i].Keys) > 0 {
			k := changes[i].Keys[0]
			return proof{workspace: changes[i].Contact.Workspace, key: &k}, true
		}
	}
	return proof{}, false
}
