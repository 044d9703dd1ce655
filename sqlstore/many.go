package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// maxMany is how many rows one statement of an import reads or writes: below the bounds of all
// engines on the number of arguments.
const maxMany = 100

// manyEvents is how many events a commit has that is written many rows at a time.
const manyEvents = 32

// many is rows for a statement whose text depends on the number of its arguments: it is not kept
// prepared.
func (s *Store) many(
	ctx context.Context, statement string, args []any, f func(scan func(...any) error) error,
) error {
	text := s.d.Text(statement, s.prefix)
	if s.tx != nil {
		rows, err := s.tx.tx.QueryContext(ctx, text, args...)
		return s.each(ctx, rows, err, f)
	}
	rows, err := s.db.QueryContext(ctx, text, args...)
	return s.each(ctx, rows, err, f)
}

// Snapshots implements convo.Store.
func (s *Store) Snapshots(ctx context.Context, to []convo.Ref) ([]convo.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	all := make([]convo.Snapshot, len(to))
	lanes := map[string][]int{} // where they are in to
	for i := range to {
		lanes[to[i].Lane] = append(lanes[to[i].Lane], i)
	}
	for lane, at := range lanes {
		refs := make([]convo.Ref, len(at))
		for n, i := range at {
			refs[n] = to[i]
		}
		found, err := s.snapshotsIn(ctx, lane, refs)
		if err != nil {
			return nil, err
		}
		for n, i := range at {
			all[i] = found[n]
		}
	}
	return all, nil
}

// snapshotsIn is Snapshots of one lane.
func (s *Store) snapshotsIn(
	ctx context.Context, lane string, to []convo.Ref,
) ([]convo.Snapshot, error) {
	all := make([]convo.Snapshot, len(to))
	contacts, addresses := map[string][]int{}, map[convo.Address][]int{} // where they are in to
	var ids []string
	var values []convo.Address
	for i, r := range to {
		all[i] = convo.Snapshot{
			Ref: r, Contact: convo.Contact{Workspace: r.Workspace, ID: r.Contact},
		}
		switch {
		case r.Workspace != to[0].Workspace || r.Conversation != uuid.Nil ||
			r.Contact != "" && r.Address != (convo.Address{}):
			var err error
			if all[i], err = s.Load(ctx, r); err != nil {
				return nil, err
			}
		case r.Contact != "":
			if contacts[r.Contact] == nil {
				ids = append(ids, r.Contact)
			}
			contacts[r.Contact] = append(contacts[r.Contact], i)
		default:
			if addresses[r.Address] == nil {
				values = append(values, r.Address)
			}
			addresses[r.Address] = append(addresses[r.Address], i)
		}
	}
	var merged []int
	found := func(at []int, t *convo.Snapshot) {
		for _, i := range at {
			ref := all[i].Ref
			if t.Contact.MergedInto != "" {
				merged = append(merged, i)
				continue
			}
			all[i] = *t
			if all[i].Ref = ref; ref.Contact == "" {
				all[i].AddressOwner = t.Contact.ID
			}
		}
	}
	for some := range slices.Chunk(ids, maxMany) {
		args := []any{lane, lane, to[0].Workspace}
		for _, id := range some {
			args = append(args, id)
		}
		var id dialect.Text
		err := s.loadMany(ctx, dialect.LoadContacts(len(some)), args, []any{&id},
			func(t *convo.Snapshot) { found(contacts[string(id)], t) })
		if err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(values, maxMany) {
		args := []any{lane, lane, to[0].Workspace}
		channels := map[string]bool{}
		for _, a := range some {
			if !channels[a.Channel] {
				channels[a.Channel] = true
				args = append(args, a.Channel)
			}
		}
		for _, a := range some {
			args = append(args, a.Value)
		}
		var a convo.Address
		err := s.loadMany(ctx, dialect.LoadAddresses(len(channels), len(some)), args,
			[]any{(*dialect.Text)(&a.Channel), (*dialect.Text)(&a.Value)},
			func(t *convo.Snapshot) { found(addresses[a], t) })
		if err != nil {
			return nil, err
		}
	}
	for _, i := range merged {
		var err error
		if all[i], err = s.Load(ctx, to[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// loadMany scans the snapshots that a statement finds, each behind what it is found by.
func (s *Store) loadMany(
	ctx context.Context, statement string, args, by []any, f func(*convo.Snapshot),
) error {
	var t convo.Snapshot
	dests := dialect.Contacts.Read.Dests(nil, &t.Contact)
	dests = append(dests, (*dialect.ID)(&t.Active), (*dialect.Flag)(&t.HasConversation))
	dests = dialect.Conversations.Read.Dests(dests, &t.Conversation)
	if s.d.OneColumn() {
		dests = []any{dialect.OneColumn(dests)}
	}
	dests = append(by, dests...)
	return s.many(ctx, statement, args, func(scan func(...any) error) error {
		t = convo.Snapshot{}
		err := scan(dests...)
		if err == nil {
			f(&t)
		}
		return err
	})
}

// insertMany writes rows, so many at a time, by a statement that writes one. It reports whether all
// of them were written.
func insertMany[R, T any](
	ctx context.Context, t *transaction, insert string, columns dialect.Columns[T], rows []R,
	of func(row R) *T,
) (bool, error) {
	for some := range slices.Chunk(rows, t.d.AtOnce(maxMany, len(columns), 0)) {
		statement, values := dialect.InsertMany(t.d.Dialect, insert, columns, some, of)
		result, err := t.tx.ExecContext(ctx, t.d.Text(statement, t.stmts.prefix), values...)
		if t.d.InsertOnce == "" && codeOf(err) == t.d.UniqueViolation {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		if err != nil || n < int64(len(some)) {
			return false, err
		}
	}
	return true, nil
}

// manyUpdates is how many conversations a commit changes that is written many rows at a time.
const manyUpdates = 4

// manyBytes bounds the texts of such a commit, each character of which JSON may write as six: all
// of it has room in the smallest packet.
const manyBytes = 100 << 10

// updates reports whether p is of a Tick: it only changes conversations that are there. None of
// them becomes active, or moves, for that writes the row of a contact, too; so none can take the
// slot of another one.
func (p *plan) updates() bool {
	if len(p.contacts)+len(p.keys)+len(p.addresses)+len(p.merged)+len(p.unmerged)+
		len(p.redacted)+len(p.repointed)+len(p.unlinked)+len(p.mentions) > 0 {
		return false
	}
	closed, texts := 0, 0
	for _, e := range p.events {
		r := e.Row()
		texts += lengthOf(&r)
	}
	for _, c := range p.conversations {
		texts += len(c.Cycle.Closing.Summary) + len(c.Attributes)
		if c.Action != convo.RowUpdated || c.LabelsBefore != c.Labels ||
			c.CycleClosed && c.Listing != convo.RowRemoved {
			return false
		}
		if c.CycleClosed {
			closed++
		}
	}
	return closed == len(p.cycles) && texts <= manyBytes
}

// updateMany writes p many rows at a time, and then what is new of it.
func (p *plan) updateMany(ctx context.Context, t *transaction) error {
	for some := range slices.Chunk(p.conversations, maxMany) {
		for _, l := range t.d.UpdateMany(some) {
			result, err := t.tx.ExecContext(ctx, t.d.Text(l.Statement, t.stmts.prefix), l.Args...)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err == nil && n < int64(l.Rows) {
				err = fmt.Errorf("sqlstore: a row of several is another one: %w", convo.ErrConflict)
			}
			if err != nil {
				return err
			}
		}
	}
	changed := p.conversations
	p.conversations = nil
	all, err := insertMany(ctx, t, dialect.InsertPlace, dialect.Places.All,
		dialect.NewPlaces(changed), func(r dialect.Placed) *dialect.Placed { return &r })
	if err == nil && !all {
		err = fmt.Errorf("sqlstore: a place in a list is taken: %w", convo.ErrConflict)
	}
	if err != nil {
		return err
	}
	return p.writeMany(ctx, t)
}

// writeMany writes the rows of an import: contacts, conversations, keys, addresses, events and
// cycles. Rows that are to be updated were written before, one by one.
func (p *plan) writeMany(ctx context.Context, t *transaction) error {
	var contacts []*convo.ContactRow
	for _, c := range p.contacts {
		if c.Action == convo.RowAdded {
			contacts = append(contacts, c)
		}
	}
	var messages, others, own []*convo.Event
	for _, e := range p.events {
		switch {
		case e.Conversation == uuid.Nil:
			own = append(own, e)
		case dialect.IsMessage(e):
			messages = append(messages, e)
		default:
			others = append(others, e)
		}
	}
	row := func(e *convo.Event) *convo.EventRow {
		r := e.Row()
		return &r
	}
	for _, step := range [...]struct {
		reason error
		write  func() (bool, error)
	}{
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertContact, dialect.Contacts.All, contacts,
				func(c *convo.ContactRow) *convo.Contact { return &c.Contact })
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertConversation, dialect.Conversations.All,
				p.conversations,
				func(c *convo.ConversationRow) *convo.Conversation { return &c.Conversation })
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertLabel, dialect.Labels.All, p.labels(),
				func(l dialect.Labelled) *dialect.Labelled { return &l })
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertPlace, dialect.Places.All,
				dialect.NewPlaces(p.conversations),
				func(r dialect.Placed) *dialect.Placed { return &r })
		}},
		{convo.ErrDuplicate, func() (bool, error) { return p.writeManyKeys(ctx, t) }},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertAddress, dialect.Addresses.All, p.addresses,
				func(a dialect.Address) *dialect.Address { return &a })
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertMessageEvent, dialect.MessageEvents, messages,
				row)
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertEvent, dialect.Events.All, others, row)
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertContactEvent, dialect.ContactEvents.All, own,
				row)
		}},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertCycle, dialect.Cycles.All, p.cycles,
				func(c dialect.ClosedCycle) *dialect.ClosedCycle { return &c })
		}},
		{nil, func() (bool, error) { return true, p.writeQueued(ctx, t) }},
		{convo.ErrConflict, func() (bool, error) {
			return insertMany(ctx, t, dialect.InsertNote, dialect.Outbox.All,
				dialect.NotesOf(p.noted), func(n dialect.Noted) *dialect.Noted { return &n })
		}},
	} {
		all, err := step.write()
		if err == nil && !all {
			err = fmt.Errorf("sqlstore: a row of an import is there: %w", step.reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeQueued notes which events are in no rollup yet, many at a time.
func (p *plan) writeQueued(ctx context.Context, t *transaction) error {
	for some := range slices.Chunk(dialect.QueuedBy(p.events), maxMany) {
		statement, args := dialect.InsertMany(t.d.Dialect, dialect.InsertQueued,
			dialect.RollupQueue.All, some, func(u dialect.Queued) *dialect.Queued { return &u })
		if t.d.InsertOnce == "" {
			statement += t.d.KeepQueued
		}
		_, err := t.tx.ExecContext(ctx, t.d.Text(statement, t.stmts.prefix), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// labels are those of the conversations of an import.
func (p *plan) labels() (all []dialect.Labelled) {
	for _, c := range p.conversations {
		for _, label := range c.Labels.All() {
			all = append(all, dialect.Labelled{
				Workspace: c.Workspace, Label: label, CreatedAt: c.CreatedAt, Conversation: c.ID,
			})
		}
	}
	return all
}

// writeManyKeys writes keys, many at a time where none can find another one.
func (p *plan) writeManyKeys(ctx context.Context, t *transaction) (bool, error) {
	byChannel := map[string][]string{} // of external ids
	alone := true
	seen := map[convo.KeyID]bool{}
	for i := range p.keys {
		id := convo.KeyID{Channel: p.keys[i].Channel, ID: p.keys[i].ID}
		alone = alone && !seen[id]
		if seen[id] = true; id.Channel != "" {
			byChannel[id.Channel] = append(byChannel[id.Channel], id.ID, p.keys[i].Erased())
		}
	}
	for channel, ids := range byChannel {
		for some := range slices.Chunk(ids, maxMany) {
			statement, args := t.d.KnownExternalIDs(p.workspace, channel, some)
			rows, err := t.tx.QueryContext(ctx, t.d.Text(statement, t.stmts.prefix), args...)
			if err != nil {
				return false, err
			}
			alone = alone && !rows.Next()
			if err := ended(rows); err != nil {
				return false, err
			}
		}
	}
	if alone {
		return insertMany(ctx, t, dialect.InsertKey, dialect.Keys.All, p.keys,
			func(k dialect.Key) *dialect.Key { return &k })
	}
	for i := range p.keys {
		if written, err := insertKey(ctx, t, &p.keys[i]); err != nil || !written {
			return false, err
		}
	}
	return true, nil
}
