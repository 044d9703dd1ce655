package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Mentions implements convo.Store.
func (s *Store) Mentions(
	ctx context.Context, workspace string, contacts ...string,
) (all []uuid.UUID, err error) {
	if err := ctx.Err(); err != nil || len(contacts) == 0 {
		return nil, err
	}
	found, err := s.within(ctx).mentionsBy(ctx, dialect.MentionsOf, workspace, contacts)
	for _, m := range found {
		if m.Owner == "" && !slices.Contains(all, m.Conversation) {
			all = append(all, m.Conversation)
		}
	}
	return all, err
}

// mentionsBy are the logs that name one of some contacts, by a statement for so many of them.
func (s *Store) mentionsBy(
	ctx context.Context, statement func(contacts int) string, workspace string, contacts []string,
) (all []dialect.Mention, err error) {
	for some := range slices.Chunk(contacts, s.d.AtOnce(len(contacts), 1, 1)) {
		found, err := s.scanMentions(ctx, (*Store).many, statement(len(some)),
			named([]any{workspace}, some)...)
		if all = append(all, found...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Store) scanMentions(
	ctx context.Context, ask asks, statement string, args ...any,
) (all []dialect.Mention, err error) {
	var m dialect.Mention
	dests := dialect.Mentions.Read.Dests(nil, &m)
	err = ask(s, ctx, statement, args, func(scan func(...any) error) error {
		err := scan(dests...)
		all = append(all, m)
		return err
	})
	return all, err
}

// mentionsIn are whom an event names in its log.
func mentionsIn(e *convo.Event) (all []dialect.Mention) {
	m := dialect.Mention{Workspace: e.Workspace, Conversation: e.Conversation}
	if e.Conversation == uuid.Nil {
		m.Owner = e.Contact
	}
	for _, m.Contact = range e.Mentions() {
		all = append(all, m)
	}
	return all
}

// holdNamed holds the rows of the contacts that are named, before any other one. So an erasure of
// one of them finds what names it, or is waited for, and who is named then is a stranger. What the
// plan writes of contacts is held with them, in one order.
func (p *plan) holdNamed(ctx context.Context, t *transaction) error {
	ids := map[string]bool{}
	for _, c := range p.contacts {
		ids[c.ID] = true
	}
	written := len(ids)
	for i := range p.mentions {
		ids[p.mentions[i].Contact] = true
	}
	switch {
	case p.erase != nil:
		for _, id := range p.erase.Was {
			ids[id] = true
		}
	case len(ids) == written: // as with a merge, which writes both
		return nil
	}
	return t.hold(ctx, p.workspace, slices.Sorted(maps.Keys(ids)))
}

// hold holds the rows of contacts, as far as they are there, in the order that is given.
func (t *transaction) hold(ctx context.Context, workspace string, ids []string) error {
	if t.d.oneWriter {
		return nil
	}
	for _, id := range ids {
		if _, err := t.count(ctx, t.d.HoldContact(), workspace, id); err != nil {
			return err
		}
	}
	return nil
}

// writeMentions keeps whom the logs name.
func (p *plan) writeMentions(ctx context.Context, t *transaction) error {
	for _, r := range p.conversations {
		if !r.Moved || p.erase != nil {
			continue
		}
		had, err := t.store().scanMentions(ctx, (*Store).rows, t.d.OwnersInLog(), p.workspace,
			t.d.ID(r.ID), r.Contact)
		if p.mentions = append(p.mentions, had...); err != nil {
			return err
		}
	}
	known := map[dialect.Mention]bool{} // of an import, many events name the same
	for i := range p.mentions {
		if m := &p.mentions[i]; !known[*m] {
			known[*m] = true
			if err := t.mention(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *transaction) mention(ctx context.Context, m *dialect.Mention) error {
	_, err := t.insert(ctx, dialect.InsertMention,
		dialect.Mentions.All.Args(t.d.Dialect, nil, m)...)
	return err
}

func named(args []any, contacts []string) []any {
	for _, id := range contacts {
		args = append(args, id)
	}
	return args
}
