package sqlstore

import (
	"context"
	"fmt"
	"reflect"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Mentions implements convo.Store. It reads the log of the workspace, and holds nothing of it.
func (s *Store) Mentions(
	ctx context.Context, workspace string, contacts ...string,
) (all []uuid.UUID, err error) {
	if err := ctx.Err(); err != nil || len(contacts) == 0 {
		return nil, err
	}
	s = s.within(ctx)
	args := []any{workspace}
	for range 4 {
		args = named(args, contacts)
	}
	err = s.many(ctx, dialect.Mentions(len(contacts)), args,
		func(scan func(...any) error) error {
			var id dialect.ID
			err := scan(&id)
			all = append(all, uuid.UUID(id))
			return err
		})
	return all, err
}

func named(args []any, contacts []string) []any {
	for _, id := range contacts {
		args = append(args, id)
	}
	return args
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
		ownLog: map[string]bool{},
		store: &Store{
			d: t.d, prefix: t.stmts.prefix, stmts: t.stmts, tx: t, outbox: t.outbox,
		},
	}
	for _, step := range [...]func(context.Context) error{
		x.unlink, x.logs, x.ownLogs, x.cycles, x.keys, x.receipts, x.queues,
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
	ownLog    map[string]bool        // the contacts whose own logs have changed
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

// ownLogs rewrites the events of the contacts themselves, and of those that were merged into one of
// them once.
func (x *eraser) ownLogs(ctx context.Context) error {
	rewrite := func(page []convo.Event) error {
		return x.rewrite(ctx, page, dialect.EraseContactEvent, dialect.ErasedContactEvents)
	}
	for _, id := range x.Was {
		for {
			page, err := eventsOf(ctx, x.store, (*Store).rows, nil, dialect.ContactEvents,
				dialect.EventsOfOwnLog, x.plan.workspace, id, int64(0), convo.MaxPageSize)
			if err == nil {
				err = rewrite(page) // after which they are found here no more
			}
			if err != nil {
				return err
			}
			if len(page) < convo.MaxPageSize {
				break
			}
		}
	}
	others, err := eventsOf(ctx, x.store, (*Store).many, nil, dialect.ContactEvents,
		dialect.MentionedByContacts(len(x.Was)),
		named(named(named([]any{x.plan.workspace}, x.Was), x.Was), x.Was)...)
	if err != nil {
		return err
	}
	return rewrite(others)
}

// rewrite writes what the erasure leaves of events, where that is another thing.
func (x *eraser) rewrite(
	ctx context.Context, events []convo.Event, statement string,
	columns dialect.Columns[convo.EventRow],
) error {
	for i := range events {
		was := events[i].Row()
		r := was
		if x.Row(&r); reflect.DeepEqual(was, r) {
			continue
		}
		if r.Address != was.Address {
			x.addresses[convo.Address{Channel: was.Channel, Value: was.Address}] = true
		}
		var of any = was.Contact
		if was.Conversation != uuid.Nil {
			of = x.t.d.ID(was.Conversation)
		} else {
			x.ownLog[was.Contact] = true
		}
		args := append(columns.Args(x.t.d.Dialect, nil, &r), was.Workspace, of, was.Seq)
		if _, err := x.t.update(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
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
	args := append(named([]any{workspace}, x.Was), workspace, x.Contacts[0].ID)
	args = x.t.d.IDs(args, x.Elsewhere)
	var all []convo.Key
	var k dialect.Key
	dests := dialect.Keys.Read.Dests(nil, &k)
	err := x.store.many(ctx, dialect.KeysOf(len(x.Was), len(x.Elsewhere)), args,
		func(scan func(...any) error) error {
			err := scan(dests...)
			theirs := k.Channel == "" || x.Of(k.Contact) ||
				k.Conversation != uuid.Nil && x.Owns(k.Conversation) ||
				x.addresses[convo.Address{Channel: k.Channel, Value: k.Address}]
			if theirs && !k.IsErased() {
				all = append(all, k.Key)
			}
			return err
		})
	if err != nil {
		return err
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
// ended, so that it cannot write down any more what it failed with.
func (x *eraser) queues(ctx context.Context) error {
	of := map[uuid.UUID]bool{}
	for _, r := range x.plan.conversations {
		of[r.ID] = true
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
	var all []dialect.Waiting
	var w dialect.Waiting
	dests := dialect.Queue.Read.Dests(nil, &w)
	err := x.store.rows(ctx, dialect.QueuesOfWorkspace, []any{x.plan.workspace},
		func(scan func(...any) error) error {
			err := scan(dests...)
			if of[w.Conversation] || x.ownLog[w.Contact] {
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
