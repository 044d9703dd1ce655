package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

func (s *Store) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	if s.tx != nil {
		return s.tx.query(ctx, statement, args...)
	}
	st, err := s.stmts.get(ctx, statement)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// row scans the first row, if there is one.
func (s *Store) row(ctx context.Context, statement string, args, dests []any) (found bool, err error) {
	err = s.rows(ctx, statement, args, func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(dests...)
	})
	return found, err
}

// rows calls f for each row.
func (s *Store) rows(ctx context.Context, statement string, args []any, f func(scan func(...any) error) error) error {
	rows, err := s.query(ctx, statement, args...)
	return s.each(rows, err, f)
}

// each calls f for each row of what a query returned.
func (s *Store) each(rows *sql.Rows, err error, f func(scan func(...any) error) error) error {
	if err != nil {
		return s.refusal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return s.refusal(rows.Err())
}

// Load implements convo.Store. It takes one round trip, and another one for a contact that was merged.
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
		found, err = s.thread(ctx, &t, loadConversation, to.Workspace, s.d.id(to.Conversation))
		if err == nil && !found {
			err = notFound(to.Conversation)
		}
		return t, err
	case to.Contact == "":
		if found, err = s.thread(ctx, &t, loadAddress, to.Workspace, a.Channel, a.Value); found {
			t.AddressOwner = t.Contact.ID
		}
	case a == convo.Address{}:
		found, err = s.thread(ctx, &t, loadContact, to.Workspace, to.Contact)
	default:
		found, err = s.thread(ctx, &t, loadContactAndOwner, to.Workspace, a.Channel, a.Value, to.Workspace, to.Contact)
	}
	if into := t.Contact.MergedInto; err == nil && into != "" {
		found, err = s.thread(ctx, &t, loadContact, to.Workspace, into)
	}
	if !found || err != nil {
		t.Contact, t.Conversation = convo.Contact{Workspace: to.Workspace, ID: to.Contact}, convo.Conversation{}
	}
	return t, err
}

func notFound(conversation uuid.UUID) error {
	return &convo.StateError{Err: convo.ErrNotFound, Conversation: conversation}
}

// thread scans what one of the load statements finds into t, and holds it when the transaction is to.
func (s *Store) thread(ctx context.Context, t *convo.Snapshot, statement string, args ...any) (bool, error) {
	var x derived
	var to [64]any
	dests := to[:0]
	if statement == loadContactAndOwner {
		dests = append(dests, (*asText)(&t.AddressOwner))
	}
	t.Contact, t.Conversation = convo.Contact{}, convo.Conversation{}
	before := len(dests)
	dests = contactDests(dests, &t.Contact)
	dests = conversationDests(append(dests, (*asID)(&t.Active)), &t.Conversation, &x)
	if s.d.packed != "" {
		dests = append(dests[:before:before], asPacked(dests[before:]))
	}
	if s.tx != nil && s.tx.lock && s.d.lock != "" {
		// PostgreSQL gives the held rows as they are after the waiting, and all else as it was before: then it is read again,
		// unless there is nothing else.
		found, err := s.row(ctx, s.d.held(statement), args, dests)
		alone := t.Conversation.Status.Active() && statement != loadContactAndOwner
		if err != nil || s.d.lockJoin == "" || found && alone {
			return found && t.Contact.ID != "", err
		}
		t.Contact, t.Conversation, t.Active, t.AddressOwner = convo.Contact{}, convo.Conversation{}, uuid.Nil, ""
	}
	found, err := s.row(ctx, statement, args, dests)
	return found && t.Contact.ID != "", err
}

// Conversation implements convo.Store.
func (s *Store) Conversation(ctx context.Context, workspace string, id uuid.UUID) (convo.Conversation, error) {
	var c convo.Conversation
	if err := ctx.Err(); err != nil {
		return c, err
	}
	s = s.within(ctx)
	var x derived
	found, err := s.row(ctx, oneConversation, []any{workspace, s.d.id(id)}, conversationDests(nil, &c, &x))
	if err == nil && !found {
		err = notFound(id)
	}
	return c, err
}

// Conversations implements convo.Store.
func (s *Store) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	statement, args := s.d.list(&f)
	var out []convo.Conversation
	var x derived
	err := s.rows(ctx, statement, args, func(scan func(...any) error) error {
		out = append(out, convo.Conversation{})
		return scan(conversationDests(nil, &out[len(out)-1], &x)...)
	})
	return out, err
}

// list is the statement that finds a page. Every index of conversations leads from the workspace, perhaps by one filter, to the
// active ones and to the closed ones in their order; so a page that may hold both is put together of two.
func (d *dialect) list(f *convo.Filter) (statement string, args []any) {
	where := "workspace = ?"
	add := func(on bool, condition string, values ...any) {
		if on {
			where += " AND " + condition
			args = append(args, values...)
		}
	}
	args = append(args, f.Workspace)
	add(f.Contact != "", "contact = ?", f.Contact)
	add(f.Assignee != "" || f.Unassigned, "assignee = ?", f.Assignee)
	add(f.Team != "", "team = ? AND team <> ''", f.Team) // as the partial indexes say it
	add(f.Channel != "", "channel = ?", f.Channel)
	add(f.Category != "", "category = ? AND category <> ''", f.Category)
	add(!f.From.IsZero(), "created_at >= ?", f.From.UnixMicro())
	// One upper bound, the lower one: of two SQLite makes a plan that sorts.
	at, on := f.After.At.UnixMicro(), f.After != convo.Cursor{} && (f.To.IsZero() || f.After.At.Before(f.To))
	add(!f.To.IsZero() && !on, "created_at < ?", f.To.UnixMicro())
	add(on, "created_at <= ? AND (created_at < ? OR id < ?)", at, at, d.id(f.After.ID))

	var active, closed []string
	for _, status := range f.Status {
		if status.Active() && !slices.Contains(active, "'"+string(status)+"'") {
			active = append(active, "'"+string(status)+"'")
		}
		if status == convo.StatusClosed {
			closed = []string{""}
		}
	}
	var parts []string
	if len(f.Status) == 0 || len(active) > 0 {
		part := where + " AND active = " + d.boolean(true)
		if len(active) == 1 {
			// Said so, because PostgreSQL takes status and active for independent of each other, and expects next to none.
			part += " AND status <> " + other[active[0]]
		}
		parts = append(parts, part)
	}
	if len(f.Status) == 0 || closed != nil {
		parts = append(parts, where+" AND active = "+d.boolean(false))
	}
	args = append(args, f.Limit)
	from, filters := d.from(f)
	columns := conversationColumns
	late := len(parts) == 2 && !d.numbered // rows are looked up last: MariaDB would put them all into files, for their texts
	if late {
		columns = "id, created_at"
	}
	for i, part := range parts {
		parts[i] = "SELECT " + columns + " FROM " + from + " WHERE " + part +
			" ORDER BY created_at DESC, id DESC LIMIT ?"
	}
	if filters > 1 {
		parts[0] = byValue + parts[0]
	}
	if len(parts) == 1 {
		return parts[0], args
	}
	args = append(slices.Concat(args, args), f.Limit)
	if late {
		return "SELECT " + of("l", conversationColumns) + " FROM (SELECT * FROM (" + parts[0] + ") a UNION ALL SELECT * FROM (" +
			parts[1] + ") b ORDER BY created_at DESC, id DESC LIMIT ?) p JOIN convo_conversations l ON l.workspace = ? AND l.id = p.id" +
			" ORDER BY p.created_at DESC, p.id DESC", append(args, f.Workspace)
	}
	return "SELECT * FROM (" + parts[0] + ") a UNION ALL SELECT * FROM (" + parts[1] +
		") c ORDER BY created_at DESC, id DESC LIMIT ?", args
}

// other is the other active status, in quotes.
var other = map[string]string{"'open'": "'pending'", "'pending'": "'open'"}

// byValue marks a statement whose plan is to depend on the values.
const byValue = "/* for these values */ "

// from is the table, and on MariaDB also the indexes to choose from: else it may read from the top of the listing down to the page,
// or filter the listing of all. filters is how many of them have an index.
func (d *dialect) from(f *convo.Filter) (table string, filters int) {
	var indexes []string
	for _, i := range [...]struct {
		given bool
		name  string
	}{
		{f.Contact != "", "contact"}, {f.Assignee != "" || f.Unassigned, "assignee"}, {f.Team != "", "team"},
		{f.Channel != "", "channel"}, {f.Category != "", "category"},
	} {
		if i.given {
			indexes = append(indexes, "convo_conversations_"+i.name)
		}
	}
	if filters = len(indexes); filters == 0 {
		indexes = []string{"convo_conversations_listed"}
	}
	if d.goose == "mysql" {
		return "convo_conversations FORCE INDEX (" + strings.Join(indexes, ", ") + ")", filters
	}
	return "convo_conversations", filters
}

func (d *dialect) boolean(b bool) string {
	switch {
	case d.numbered && b:
		return "TRUE"
	case d.numbered:
		return "FALSE"
	case b:
		return "1"
	}
	return "0"
}

// Events implements convo.Store.
func (s *Store) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	if f.Contact == "" {
		return s.events(ctx, eventsOfConversation, f.Workspace, s.d.id(f.Conversation), f.After.Seq, f.Limit)
	}
	at := f.After.At.UnixMicro()
	out, err := s.events(ctx, eventsOfContact, f.Workspace, f.Contact, at, at, s.d.id(f.After.Conversation), f.After.Seq, f.Limit)
	if err != nil {
		return nil, err
	}
	// Those of the contact itself have no conversation, so they come before the others of the same time.
	seq, id := f.After.Seq, f.After.ID
	if f.After.Conversation != uuid.Nil {
		seq, id = math.MaxInt64, uuid.Max
	}
	args := []any{f.Workspace, f.Contact, f.Workspace, f.Contact, f.Workspace, at, seq, s.d.id(id), f.Limit}
	own := 0
	err = s.rows(ctx, contactEvents, args, func(scan func(...any) error) error {
		var r convo.EventRow
		own++
		err := scan(contactEventDests(nil, &r)...)
		out = append(out, r.Event())
		return err
	})
	if err != nil {
		return nil, err
	}
	if own > 0 {
		slices.SortFunc(out, compareEvents)
		out = slices.Clone(out[:min(f.Limit, len(out))])
	}
	return out, nil
}

func compareEvents(a, b convo.Event) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Conversation[:], b.Conversation[:]), cmp.Compare(a.Seq, b.Seq),
		bytes.Compare(a.ID[:], b.ID[:]))
}

func (s *Store) events(ctx context.Context, statement string, args ...any) ([]convo.Event, error) {
	var out []convo.Event
	err := s.rows(ctx, statement, args, func(scan func(...any) error) error {
		var r convo.EventRow
		err := scan(eventDests(nil, &r)...)
		out = append(out, r.Event())
		return err
	})
	return out, err
}

// Due implements convo.Store.
func (s *Store) Due(ctx context.Context, before time.Time, limit int) ([]convo.DueConversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	out := make([]convo.DueConversation, 0, min(limit, convo.MaxPageSize))
	err := s.rows(ctx, dueConversations, []any{before.UnixMicro(), limit}, func(scan func(...any) error) error {
		var d convo.DueConversation
		err := scan((*asText)(&d.Ref.Workspace), (*asID)(&d.Ref.Conversation), (*asMicros)(&d.DueAt))
		out = append(out, d)
		return err
	})
	return out, err
}

// Keys implements convo.Store.
func (s *Store) Keys(ctx context.Context, workspace string, ids ...convo.KeyID) ([]convo.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var out []convo.Key
	for _, id := range ids {
		var k convo.Key
		var w string
		found, err := s.row(ctx, oneKey, []any{workspace, id.Channel, id.ID}, keyDests(nil, &w, &k))
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, k)
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
	err := s.rows(ctx, addressesOf, args, func(scan func(...any) error) error {
		var a convo.Address
		err := scan((*asText)(&a.Channel), (*asText)(&a.Value))
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
	err := s.rows(ctx, sharing, args, func(scan func(...any) error) error {
		var o convo.Suggestion
		err := scan((*asText)(&o.Address.Channel), (*asText)(&o.Address.Value), (*asText)(&o.Contact))
		out = append(out, o)
		return err
	})
	return out, err
}
