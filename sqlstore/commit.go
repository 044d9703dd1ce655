package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// plan is what the changes of a commit come to, row by row.
type plan struct {
	workspace     string
	contacts      []contactRow
	conversations []conversationRow
	cycles        []cycleRow
	events        []*convo.Event
	addresses     []*convo.Event // the linking ones
	keys          []*convo.Key
	merged        []*convo.Contact
}

type contactRow struct {
	*convo.Contact
	loaded int64 // the version that it must have; 0: it must not be there
}

type conversationRow struct {
	*convo.Conversation
	loaded   int64 // as above
	messages bool  // only what messages change
}

type cycleRow struct {
	conversation uuid.UUID
	*convo.Cycle
}

func planOf(changes []convo.Change) *plan {
	var p plan
	for i := range changes {
		p.add(&changes[i])
	}
	// Who changes the same things takes hold of them in the same order.
	slices.SortStableFunc(p.contacts, func(a, b contactRow) int { return cmp.Compare(a.ID, b.ID) })
	return &p
}

func (p *plan) add(ch *convo.Change) {
	k := &ch.Thread.Contact
	p.workspace = k.Workspace
	if ch.WritesContact() {
		p.contacts = append(p.contacts, contactRow{k, ch.Loaded.ContactVersion})
		if k.MergedInto != "" {
			p.merged = append(p.merged, k)
		}
	}
	first := len(p.conversations)
	for i := range ch.Past {
		p.write(ch, &ch.Past[i], first)
	}
	if ch.WritesConversation() {
		p.write(ch, &ch.Thread.Conversation, first)
	}
	for i := range ch.Events {
		e := &ch.Events[i]
		p.events = append(p.events, e)
		if e.Kind == convo.AddressLinked {
			p.addresses = append(p.addresses, e)
		}
	}
	for i := range ch.Keys {
		p.keys = append(p.keys, &ch.Keys[i])
	}
}

// write plans a state of a conversation. Of several states in one change only the last one is a row.
func (p *plan) write(ch *convo.Change, c *convo.Conversation, first int) {
	if c.Status == convo.StatusClosed {
		p.cycles = append(p.cycles, cycleRow{c.ID, &c.Cycle})
	}
	for i := range p.conversations[first:] {
		if r := &p.conversations[first+i]; r.ID == c.ID {
			r.Conversation = c
			return
		}
	}
	r := conversationRow{Conversation: c}
	if c.ID == ch.Loaded.Conversation {
		r.loaded = ch.Loaded.Version
		r.messages = c.DueAt.Equal(ch.Loaded.DueAt) && onlyMessages(ch)
	}
	p.conversations = append(p.conversations, r)
}

// onlyMessages reports whether nothing happened but messages and notes, which leave alone what conversations are found by.
func onlyMessages(ch *convo.Change) bool {
	for i := range ch.Events {
		switch ch.Events[i].Kind {
		case convo.MessageReceived, convo.MessageSent, convo.NoteAdded:
		default:
			return false
		}
	}
	return len(ch.Events) > 0 && len(ch.Past) == 0
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
	for _, k := range p.contacts {
		var written bool
		var err error
		a := t.d.contactArgs(nil, k.Contact)
		if k.loaded == 0 {
			written, err = t.insert(ctx, insertContact, a...)
		} else {
			written, err = t.update(ctx, updateContact, append(a[2:], k.Workspace, k.ID, k.loaded)...)
		}
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: contact %q: %w", k.ID, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeConversations(ctx context.Context, t *transaction) error {
	for _, c := range p.conversations {
		var written bool
		var err error
		id := t.d.id(c.ID)
		switch {
		case c.loaded == 0:
			written, err = t.insert(ctx, insertConversation, t.d.conversationArgs(nil, c.Conversation)...)
		case c.messages:
			written, err = t.update(ctx, updateByMessages, append(messageArgs(nil, c.Conversation), c.Workspace, id, c.loaded)...)
		default:
			a := t.d.conversationArgs(nil, c.Conversation)
			slot := a[slotArg]
			written, err = t.update(ctx, updateConversation, append(a[fixed:], c.Workspace, id, c.loaded, c.Workspace, slot, id)...)
		}
		if err == nil && !written {
			err = p.whyNot(ctx, t, c.Conversation)
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
	for _, e := range p.addresses {
		written, err := t.insert(ctx, insertAddress, addressArgs(nil, e)...)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: the address on %q: %w", e.Channel, convo.ErrConflict)
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

// merge gives what belongs to a contact to the one that it was merged into.
func (p *plan) merge(ctx context.Context, t *transaction) error {
	for _, k := range p.merged {
		n, err := t.count(ctx, actives, k.Workspace, k.ID, k.MergedInto)
		if err == nil && n > 1 {
			err = fmt.Errorf("sqlstore: contact %q: %w", k.MergedInto, convo.ErrActiveExists)
		}
		if err == nil {
			_, err = t.update(ctx, mergeAliases, k.MergedInto, k.Workspace, k.ID)
		}
		if err == nil {
			_, err = t.update(ctx, mergeConversations, k.MergedInto, k.MergedInto, k.Workspace, k.ID)
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
			return proof{workspace: changes[i].Thread.Contact.Workspace, key: &k}, true
		}
	}
	return proof{}, false
}
