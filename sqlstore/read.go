package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

func (s *Store) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	if s.tx != nil {
		return s.tx.query(ctx, statement, args...)
	}
	return s.stmts.query(ctx, statement, args...)
}

// row scans the first row, if there is one. It closes the rows itself, for database/sql drops the
// error of closing them when they are read to their end.
func (s *Store) row(
	ctx context.Context, statement string, args, dests []any,
) (found bool, err error) {
	rows, err := s.query(ctx, statement, args...)
	if err != nil {
		return false, s.readError(ctx, err)
	}
	if found = rows.Next(); found {
		err = rows.Scan(dests...)
	}
	if cerr := cmp.Or(rows.Err(), rows.Close()); cerr != nil {
		return found, s.readError(ctx, cerr)
	}
	return found, err
}

// rows calls f for each row.
func (s *Store) rows(
	ctx context.Context, statement string, args []any, f func(scan func(...any) error) error,
) error {
	rows, err := s.query(ctx, statement, args...)
	return s.each(ctx, rows, err, f)
}

// each calls f for each row of what a query returned.
func (s *Store) each(
	ctx context.Context, rows *sql.Rows, err error, f func(scan func(...any) error) error,
) error {
	if err != nil {
		return s.readError(ctx, err)
	}
	defer rows.Close()
	scan := rows.Scan // once, for it takes memory
	for rows.Next() {
		if err := f(scan); err != nil {
			return err
		}
	}
	return s.readError(ctx, ended(rows))
}

// readError says what an error of a statement outside a commit means.
func (s *Store) readError(ctx context.Context, err error) error {
	if s.tx != nil {
		err = s.tx.hostError(ctx, err)
	}
	return s.refusal(err)
}

// Load implements convo.Store. It takes one round trip, and another one for a contact that was
// merged.
func (s *Store) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return convo.Snapshot{}, err
	}
	s = s.within(ctx)
	t := convo.Snapshot{Ref: to, Contact: convo.Contact{Workspace: to.Workspace, ID: to.Contact}}
	a := to.Address
	var found bool
	var err error
	switch {
	case to.Conversation != uuid.Nil:
		found, err = s.scanSnapshot(ctx, &t, dialect.LoadConversation,
			to.Workspace, s.d.ID(to.Conversation))
		if err == nil && !found {
			err = notFound(to.Conversation)
		}
		return t, cmp.Or(err, mergedMeanwhile(&t))
	case to.Contact == "":
		found, err = s.scanSnapshot(ctx, &t, dialect.LoadAddress,
			to.Lane, to.Lane, to.Workspace, a.Channel, a.Value)
	default:
		found, err = s.loadContact(ctx, &t, to.Contact)
	}
	if into := t.Contact.MergedInto; err == nil && into != "" {
		found, err = s.loadContact(ctx, &t, into)
	}
	// there may be half a row in it
	if err = cmp.Or(err, mergedMeanwhile(&t)); !found || err != nil {
		t.Contact, t.Conversation = convo.Contact{Workspace: to.Workspace, ID: to.Contact},
			convo.Conversation{}
	}
	if found && to.Contact == "" {
		t.AddressOwner = t.Contact.ID
	}
	return t, err
}

// loadContact loads a contact, and who has the address that is to be loaded beside it: as of one
// moment, for a merge changes both.
func (s *Store) loadContact(ctx context.Context, t *convo.Snapshot, id string) (bool, error) {
	workspace, a, lane := t.Ref.Workspace, t.Ref.Address, t.Ref.Lane
	if t.Ref.Contact == "" || a == (convo.Address{}) {
		return s.scanSnapshot(ctx, t, dialect.LoadContact, lane, lane, workspace, id)
	}
	return s.scanSnapshot(ctx, t, dialect.LoadContactAndOwner,
		workspace, a.Channel, a.Value, workspace, id, lane, lane)
}

// mergedMeanwhile is a conflict when t's contact is no root: it was merged between two reads.
func mergedMeanwhile(t *convo.Snapshot) error {
	if t.Contact.MergedInto == "" {
		return nil
	}
	return fmt.Errorf("sqlstore: contact %q: %w", t.Contact.ID, convo.ErrConflict)
}

func notFound(conversation uuid.UUID) error {
	return &convo.StateError{Err: convo.ErrNotFound, Conversation: conversation}
}

// scanSnapshot scans what one of the load statements finds into t, and holds it when the
// transaction is to.
func (s *Store) scanSnapshot(
	ctx context.Context, t *convo.Snapshot, statement string, args ...any,
) (bool, error) {
	var to [67]any
	dests := to[:0]
	marked := ""
	if s.tx != nil && s.tx.hosts {
		if marked = s.d.LoadsInTransaction[statement]; marked != "" {
			dests = append(dests, &s.tx.mark)
		}
	}
	if statement == dialect.LoadContactAndOwner {
		dests = append(dests, (*dialect.Text)(&t.AddressOwner))
	}
	t.Contact, t.Conversation = convo.Contact{}, convo.Conversation{}
	before := len(dests)
	dests = dialect.Contacts.Read.Dests(dests, &t.Contact)
	dests = append(dests, (*dialect.ID)(&t.Active), (*dialect.Flag)(&t.HasConversation))
	dests = dialect.Conversations.Read.Dests(dests, &t.Conversation)
	if s.d.OneColumn() {
		dests = append(dests[:before:before], dialect.OneColumn(dests[before:]))
	}
	if s.tx != nil && s.tx.lock && s.d.Lock != "" {
		// The held rows may be newer than all else: which conversation is the latest, and who has
		// the address. So all is read again, unless it is the active one that is held.
		found, err := s.row(ctx, s.d.ForUpdate(statement), args, dests)
		c := &t.Conversation
		alone := statement != dialect.LoadContactAndOwner && found && c.Status.Active() &&
			c.Contact == t.Contact.ID && (c.Lane == t.Ref.Lane || t.Ref.Conversation != uuid.Nil)
		if err != nil || alone {
			return found && t.Contact.ID != "", err
		}
		t.Contact, t.Conversation, t.Active = convo.Contact{}, convo.Conversation{}, uuid.Nil
		t.HasConversation, t.AddressOwner = false, ""
	}
	found, err := s.row(ctx, cmp.Or(marked, statement), args, dests)
	return found && t.Contact.ID != "", err
}

// Conversation implements convo.Store.
func (s *Store) Conversation(
	ctx context.Context, workspace string, id uuid.UUID,
) (convo.Conversation, error) {
	var c convo.Conversation
	if err := ctx.Err(); err != nil {
		return c, err
	}
	s = s.within(ctx)
	found, err := s.row(ctx, dialect.OneConversation, []any{workspace, s.d.ID(id)},
		dialect.Conversations.Read.Dests(nil, &c))
	if err == nil && !found {
		err = notFound(id)
	}
	return c, err
}

// Contacts implements convo.Store.
func (s *Store) Contacts(ctx context.Context, f convo.ContactFilter) ([]convo.Contact, error) {
	if len(f.IDs) == 0 {
		statement, args := s.d.Contacts(&f)
		return s.contacts(ctx, (*Store).rows, statement, args...)
	}
	var all []convo.Contact
	ids, of := f.IDs, len(f.IDs)
	atOnce := s.d.AtOnce(of, 1, dialect.ArgsOfContacts)
	if atOnce < of {
		ids = slices.Compact(slices.Sorted(slices.Values(ids))) // none twice, in two of them
	}
	for f.IDs = range slices.Chunk(ids, atOnce) {
		statement, args := s.d.Contacts(&f)
		page, err := s.contacts(ctx, (*Store).many, statement, args...)
		if err != nil || len(f.IDs) == of {
			return page, err
		}
		all = append(all, page...)
	}
	slices.SortFunc(all, func(a, b convo.Contact) int {
		if f.BySeen {
			return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(b.ID, a.ID))
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return all[:min(f.Limit, len(all))], nil
}

// Family implements convo.Store.
func (s *Store) Family(ctx context.Context, workspace, root string) ([]convo.Contact, error) {
	return s.contacts(ctx, (*Store).rows, s.d.Family(), workspace, root)
}

// asks calls a function for each row of what a statement finds.
type asks func(
	s *Store, ctx context.Context, statement string, args []any,
	f func(scan func(...any) error) error,
) error

// contacts are those that a statement finds.
func (s *Store) contacts(
	ctx context.Context, ask asks, statement string, args ...any,
) (out []convo.Contact, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var k convo.Contact
	dests := dialect.Contacts.Read.Dests(nil, &k)
	err = ask(s, ctx, statement, args, func(scan func(...any) error) error {
		err := scan(dests...)
		out = append(out, k)
		return err
	})
	return out, err
}

// Events implements convo.Store.
func (s *Store) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	switch {
	case f.Conversation != uuid.Nil:
		return eventsOf(ctx, s, (*Store).rows, nil, dialect.Events, dialect.EventsOfConversation,
			f.Workspace, s.d.ID(f.Conversation), f.After.Seq, f.Limit)
	case f.OwnLog != "":
		return eventsOf(ctx, s, (*Store).rows, nil, dialect.ContactEvents,
			dialect.EventsOfOwnLog, f.Workspace, f.OwnLog, f.After.Seq, f.Limit)
	}
	return s.history(ctx, &f)
}

// eventsOf adds what a statement reads of a table.
func eventsOf(
	ctx context.Context, s *Store, ask asks, to []convo.Event,
	table dialect.Table[convo.EventRow], statement string, args ...any,
) ([]convo.Event, error) {
	var r convo.EventRow
	dests := table.Read.Dests(nil, &r)
	err := ask(s, ctx, statement, args, func(scan func(...any) error) error {
		err := scan(dests...)
		to = append(to, r.Event())
		return err
	})
	return to, err
}

// ClosedCycles implements convo.Store.
func (s *Store) ClosedCycles(
	ctx context.Context, workspace string, id uuid.UUID,
) (all []convo.Cycle, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var c convo.Cycle
	dests := dialect.Cycles.Read.Dests(nil, &dialect.ClosedCycle{Cycle: &c})
	args := []any{workspace, s.d.ID(id)}
	err = s.rows(ctx, dialect.CyclesOfConversation, args, func(scan func(...any) error) error {
		err := scan(dests...)
		all = append(all, c)
		return err
	})
	return all, err
}

// Event implements convo.Store.
func (s *Store) Event(
	ctx context.Context, workspace, contact string, id uuid.UUID,
) (convo.Event, bool, error) {
	if err := ctx.Err(); err != nil {
		return convo.Event{}, false, err
	}
	s = s.within(ctx)
	found, err := eventsOf(ctx, s, (*Store).rows, nil, dialect.Events, s.d.EventOfContact(),
		workspace, contact, s.d.ID(id))
	if err == nil && len(found) == 0 {
		found, err = eventsOf(ctx, s, (*Store).rows, nil, dialect.ContactEvents,
			s.d.ContactEventOfContact(), workspace, contact, workspace, contact, workspace,
			s.d.ID(id))
	}
	if err != nil || len(found) == 0 {
		return convo.Event{}, false, err
	}
	return found[0], true, nil
}

// Keys implements convo.Store.
func (s *Store) Keys(
	ctx context.Context, workspace string, ids ...convo.KeyID,
) ([]convo.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var out []convo.Key
	var k dialect.Key
	dests := dialect.Keys.Read.Dests(nil, &k)
	var host []string // those of the host are asked for together
	erased := map[string]string{}
	for _, id := range ids {
		if id.Channel == "" && len(ids) > 1 {
			host = append(host, id.ID, id.Erased())
			erased[id.Erased()] = id.ID
			continue
		}
		args := dialect.KeyArgs(workspace, id)
		err := s.rows(ctx, dialect.KeysFound, args, func(scan func(...any) error) error {
			err := scan(dests...)
			if k.IsErased() {
				k.ID, k.Address = id.ID, id.Address
			}
			out = append(out, k.Key)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(host, maxMany) {
		statement, args := s.d.HostKeys(workspace, some)
		err := s.many(ctx, statement, args, func(scan func(...any) error) error {
			err := scan(dests...)
			k.ID = cmp.Or(erased[k.ID], k.ID)
			out = append(out, k.Key)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Addresses implements convo.Store.
func (s *Store) Addresses(ctx context.Context, workspace, contact string) ([]convo.Address, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var out []convo.Address
	args := []any{workspace, contact, workspace, contact, workspace}
	err := s.rows(ctx, s.d.AddressesOfContact(), args, func(scan func(...any) error) error {
		var a convo.Address
		err := scan((*dialect.Text)(&a.Channel), (*dialect.Text)(&a.Value))
		out = append(out, a)
		return err
	})
	return out, err
}

// AddressesByIdentity implements convo.IdentityIndex.
func (s *Store) AddressesByIdentity(
	ctx context.Context, workspace, identity string, after convo.Address, limit int,
) ([]convo.Suggestion, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var out []convo.Suggestion
	args := []any{workspace, identity, after.Channel, after.Value, limit}
	err := s.rows(ctx, dialect.AddressesByIdentity, args, func(scan func(...any) error) error {
		var o convo.Suggestion
		err := scan((*dialect.Text)(&o.Address.Channel), (*dialect.Text)(&o.Address.Value),
			(*dialect.Text)(&o.Contact))
		out = append(out, o)
		return err
	})
	return out, err
}
