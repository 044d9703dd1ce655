package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// store is the store in the transaction.
func (t *transaction) store() *Store {
	return &Store{d: t.d, prefix: t.stmts.prefix, stmts: t.stmts, tx: t, outbox: t.outbox}
}

// eraseContacts has the contacts of an erasure go by their tokens, if they are as they are expected
// to be: then nobody else writes anything of them any more.
func (p *plan) eraseContacts(ctx context.Context, t *transaction) error {
	if p.erase == nil {
		return nil
	}
	for i, id := range p.erase.Was {
		row := p.erase.Contacts[i]
		a := dialect.Contacts.Mutable.Args(t.d.Dialect, []any{row.ID}, &row.Contact)
		row.ID = id
		written, err := t.update(ctx, dialect.EraseContact,
			append(a, dialect.LoadedArgs(&row)...)...)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: contact %q: %w", id, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eraseRest erases what was there before the commit.
func (p *plan) eraseRest(ctx context.Context, t *transaction) error {
	if p.erase == nil {
		return nil
	}
	x := &eraser{
		Erasure: p.erase, plan: p, t: t, addresses: map[convo.Address]bool{},
		before: map[dialect.Mention]bool{}, after: map[dialect.Mention]bool{}, store: t.store(),
	}
	for _, step := range [...]func(context.Context) error{
		x.findNamed, x.queues, x.unlink, x.logs, x.ownLogs,
		x.mentions, x.cycles, x.keys, x.receipts,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// eraser carries out an erasure whose change is written already.
type eraser struct {
	*convo.Erasure
	plan      *plan
	t         *transaction
	store     *Store                 // in the transaction
	addresses map[convo.Address]bool // that were theirs
	namedIn   []string               // contacts of others whose own logs name one of them
	// before and after are whom the logs name that are rewritten.
	before, after map[dialect.Mention]bool
}

// findNamed finds the own logs of others that name one of the contacts, and makes sure that the
// plan has all conversations that do: who names somebody holds the row of that contact first, so by
// now nobody is about to.
func (x *eraser) findNamed(ctx context.Context) error {
	known := map[uuid.UUID]bool{uuid.Nil: true}
	for _, r := range x.plan.conversations {
		known[r.ID] = true
	}
	found, err := x.store.mentionsBy(ctx, x.t.d.HoldMentions, x.plan.workspace, x.Was)
	if err != nil {
		return err
	}
	for _, m := range found {
		x.before[m] = true
		if !known[m.Conversation] {
			return fmt.Errorf("sqlstore: conversation %s names an erased contact: %w",
				m.Conversation, convo.ErrConflict)
		}
		if m.Owner != "" && !slices.Contains(x.Was, m.Owner) &&
			!slices.Contains(x.namedIn, m.Owner) {
			x.namedIn = append(x.namedIn, m.Owner)
		}
	}
	slices.Sort(x.namedIn)
	return x.t.hold(ctx, x.plan.workspace, x.namedIn)
}

// mentions has it known whom the logs name that were rewritten.
func (x *eraser) mentions(ctx context.Context) error {
	for m := range x.before {
		if !x.after[m] {
			_, err := x.t.update(ctx, dialect.DeleteMention,
				dialect.Mentions.All.Args(x.t.d.Dialect, nil, &m)...)
			if err != nil {
				return err
			}
		}
	}
	for m := range x.after {
		if !x.before[m] && !x.Of(m.Contact) { // who is erased is not erased again
			if err := x.t.mention(ctx, &m); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlink removes the addresses.
func (x *eraser) unlink(ctx context.Context) error {
	for _, id := range x.Was {
		args := []any{x.plan.workspace, id}
		err := x.store.rows(ctx, dialect.AddressesLinked, args,
			func(scan func(...any) error) error {
				var a convo.Address
				err := scan((*dialect.Text)(&a.Channel), (*dialect.Text)(&a.Value))
				x.addresses[a] = true
				return err
			})
		if err == nil {
			_, err = x.t.update(ctx, dialect.DeleteAddresses, args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// logs rewrites the events of the conversations.
func (x *eraser) logs(ctx context.Context) error {
	for _, r := range x.plan.conversations {
		of := x.t.d.ID(r.ID)
		for seq := int64(0); seq < r.Version; seq += convo.MaxPageSize {
			page, err := eventsOf(ctx, x.store, (*Store).rows, nil, dialect.Events,
				dialect.EventsOfConversation, x.plan.workspace, of, seq, convo.MaxPageSize)
			if err == nil {
				err = x.rewrite(ctx, page, dialect.EraseEvent, dialect.ErasedEvents)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// ownLogs rewrites the events of the contacts themselves, and of others whose own logs name them.
func (x *eraser) ownLogs(ctx context.Context) error {
	rewrite := func(page []convo.Event) error {
		return x.rewrite(ctx, page, dialect.EraseContactEvent, dialect.ErasedContactEvents)
	}
	for _, id := range slices.Concat(x.Was, x.namedIn) {
		for seq := int64(0); ; {
			page, err := eventsOf(ctx, x.store, (*Store).rows, nil, dialect.ContactEvents,
				x.t.d.HoldOwnLog(), x.plan.workspace, id, seq, convo.MaxPageSize)
			if err == nil {
				err = rewrite(page)
			}
			if err != nil {
				return err
			}
			if len(page) < convo.MaxPageSize {
				break
			}
			seq = page[len(page)-1].Seq
		}
	}
	return nil
}

// rewrite writes what the erasure leaves of events, where that is another thing.
func (x *eraser) rewrite(
	ctx context.Context, events []convo.Event, statement string,
	columns dialect.Columns[convo.EventRow],
) error {
	for i := range events {
		was := events[i].Row()
		r := was
		x.Row(&r)
		x.names(x.before, &was)
		x.names(x.after, &r)
		if reflect.DeepEqual(was, r) {
			continue
		}
		if r.Address != was.Address {
			x.addresses[convo.Address{Channel: was.Channel, Value: was.Address}] = true
		}
		var of any = was.Contact
		if was.Conversation != uuid.Nil {
			of = x.t.d.ID(was.Conversation)
		}
		args := append(columns.Args(x.t.d.Dialect, nil, &r), was.Workspace, of, was.Seq)
		written, err := x.t.update(ctx, statement, args...)
		if err == nil && !written {
			err = fmt.Errorf("sqlstore: event %s: %w", was.ID, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// names adds to whom a log names what one of its events does.
func (x *eraser) names(to map[dialect.Mention]bool, r *convo.EventRow) {
	m := dialect.Mention{Workspace: r.Workspace, Conversation: r.Conversation}
	if r.Conversation == uuid.Nil {
		m.Owner = r.Contact
	} else if m.Contact = r.Contact; !x.Of(m.Contact) {
		to[m] = true // who had the conversation before
	}
	for _, m.Contact = range r.Event().Mentions() {
		to[m] = true
	}
}

// cycles rewrites the closed cycles of the conversations.
func (x *eraser) cycles(ctx context.Context) error {
	for _, r := range x.plan.conversations {
		all, err := x.store.ClosedCycles(ctx, x.plan.workspace, r.ID)
		if err != nil {
			return err
		}
		for i := range all {
			was := all[i]
			if x.Cycle(r.ID, &all[i]); all[i] == was {
				continue
			}
			row := dialect.ClosedCycle{Cycle: &all[i]}
			args := append(dialect.ErasedCycles.Args(x.t.d.Dialect, nil, &row),
				x.plan.workspace, x.t.d.ID(r.ID), int64(was.Number))
			if _, err := x.t.update(ctx, dialect.EraseCycle, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// keys leaves hashes of the keys, and no receipts of the messages that had them.
func (x *eraser) keys(ctx context.Context) error {
	workspace := x.plan.workspace
	var all []convo.Key
	known := map[convo.Key]bool{} // several statements may find the same
	var k dialect.Key
	dests := dialect.Keys.Read.Dests(nil, &k)
	most := max(len(x.Was), len(x.Elsewhere))
	atOnce := x.t.d.AtOnce(most, 2, 3)
	part := func(i, of int) (from, to int) { return min(i, of), min(i+atOnce, of) }
	for i := 0; i < most; i += atOnce {
		from, to := part(i, len(x.Was))
		was := x.Was[min(from, len(x.Was)-1):to] // never none
		from, to = part(i, len(x.Elsewhere))
		elsewhere := x.Elsewhere[from:to]
		args := append(named([]any{workspace}, was), workspace, x.Contacts[0].ID)
		err := x.store.many(ctx, dialect.KeysOf(len(was), len(elsewhere)),
			x.t.d.IDs(args, elsewhere), func(scan func(...any) error) error {
				err := scan(dests...)
				theirs := k.Channel == "" || x.Of(k.Contact) ||
					k.Conversation != uuid.Nil && x.Owns(k.Conversation) ||
					x.addresses[convo.Address{Channel: k.Channel, Value: k.Address}]
				if theirs && !k.IsErased() && !known[k.Key] {
					known[k.Key], all = true, append(all, k.Key)
				}
				return err
			})
		if err != nil {
			return err
		}
	}
	for _, k := range all {
		_, err := x.t.update(ctx, dialect.DeleteKey, workspace, k.Channel, k.ID, k.Address,
			k.Contact)
		for _, address := range [...]string{"", k.Address} {
			if err == nil && k.Channel != "" {
				_, err = x.t.update(ctx, dialect.DeleteDelivery, workspace, k.Channel, k.ID,
					address)
			}
		}
		for _, left := range x.Key(k) {
			if err == nil {
				row := dialect.Key{Workspace: workspace, Key: left}
				_, err = x.t.insert(ctx, dialect.InsertKey,
					dialect.Keys.All.Args(x.t.d.Dialect, nil, &row)...)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// receipts removes those by the addresses, of messages that nobody knows.
func (x *eraser) receipts(ctx context.Context) error {
	for a := range x.addresses {
		var ids []string
		args := []any{x.plan.workspace, a.Channel, a.Value}
		err := x.store.rows(ctx, dialect.DeliveriesBy, args, func(scan func(...any) error) error {
			var id dialect.KeyText
			err := scan(&id)
			ids = append(ids, string(id))
			return err
		})
		for _, id := range ids {
			if err == nil {
				_, err = x.t.update(ctx, dialect.DeleteDelivery, x.plan.workspace, a.Channel, id,
					a.Value)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// queues has what is on its way go on under the tokens. A relay that has it in hand finds its lease
// ended, so that it cannot write down any more what it failed with. One that comes meanwhile finds
// the notes and the queues held until all texts are gone, and leaves them to the next one.
func (x *eraser) queues(ctx context.Context) error {
	of := map[relay.Stream]bool{}
	for _, r := range x.plan.conversations {
		of[relay.Stream{Workspace: x.plan.workspace, Conversation: r.ID}] = true
	}
	for _, id := range slices.Concat(x.Was, x.namedIn) {
		of[relay.Stream{Workspace: x.plan.workspace, Contact: id}] = true
	}
	if !x.t.d.oneWriter {
		streams := slices.SortedFunc(maps.Keys(of), relay.Stream.Compare)
		for _, stream := range streams { // so that none moves from the notes into a queue any more
			args := x.t.d.StreamArgs(nil, &stream)
			if _, err := x.t.count(ctx, x.t.d.HoldNotes(), args...); err != nil {
				return err
			}
		}
	}
	for i, id := range x.Was {
		for _, rename := range []string{dialect.RenameNotes, dialect.RenameInFeed} {
			_, err := x.t.update(ctx, rename, x.Contacts[i].ID, x.plan.workspace,
				x.t.d.ID(uuid.Nil), id)
			if err != nil {
				return err
			}
		}
	}
	// Whoever was about to settle a queue is waited for the first time, and the dead letter that it
	// may have left is found the second time.
	for range 2 {
		if err := x.eraseQueues(ctx, of); err != nil {
			return err
		}
	}
	return nil
}

// eraseQueues ends the leases of the queues of streams, which it holds from then on.
func (x *eraser) eraseQueues(ctx context.Context, of map[relay.Stream]bool) error {
	var all []dialect.Waiting
	var w dialect.Waiting
	dests := dialect.Queue.Read.Dests(nil, &w)
	statement := dialect.QueuesOfWorkspace
	if x.t.hosts { // which may have begun long ago, and see what was there then
		statement = x.t.d.HoldQueues()
	}
	err := x.store.rows(ctx, statement, []any{x.plan.workspace},
		func(scan func(...any) error) error {
			err := scan(dests...)
			if of[w.Stream] {
				all = append(all, w)
			}
			return err
		})
	for i := range all {
		if err == nil {
			q := &all[i].Queue
			_, err = x.t.update(ctx, dialect.EraseQueue,
				x.t.d.QueueArgs([]any{x.Named(q.Contact)}, q)...)
		}
	}
	return err
}
