package sqlstore

import (
	"context"
	"fmt"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// merge is a contact that is merged into another one.
type merge struct{ contact, into string }

// merge carries out what Change.MergeInto demands.
func (p *plan) merge(ctx context.Context, t *transaction) error {
	for _, m := range p.merged {
		n, err := t.count(ctx, dialect.ActiveTwice, p.workspace, m.contact, m.into)
		if err == nil && n > 0 {
			err = fmt.Errorf("sqlstore: contact %q: %w", m.into, convo.ErrActiveExists)
		}
		if err == nil {
			_, err = t.update(ctx, t.d.MergeContacts(), m.into, p.workspace, m.contact)
		}
		if err == nil {
			_, err = t.update(ctx, dialect.MergeConversations, m.into, p.workspace, m.contact)
		}
		if err == nil {
			_, err = t.update(ctx, t.d.MergeActives(), m.into, p.workspace, m.contact)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unmerge carries out what Change.UnmergeFrom demands.
func (p *plan) unmerge(ctx context.Context, t *transaction) error {
	for _, ch := range p.unmerged {
		id := ch.Contact.ID
		for _, member := range ch.Family {
			written, err := t.update(ctx, dialect.UnmergeContact, id, p.workspace, ch.UnmergeFrom,
				member)
			if err == nil && !written {
				err = fmt.Errorf("sqlstore: contact %q: %w", member, convo.ErrConflict)
			}
			if err != nil {
				return err
			}
		}
		for _, owner := range append([]string{id}, ch.Family...) {
			// first the active ones, while their conversations say whose they are
			_, err := t.update(ctx, dialect.UnmergeActives, id, p.workspace, ch.UnmergeFrom,
				p.workspace, ch.UnmergeFrom, owner)
			if err == nil {
				_, err = t.update(ctx, dialect.UnmergeConversations, id, p.workspace,
					ch.UnmergeFrom, owner)
			}
			if err != nil {
				return err
			}
			// and then whom their logs name, which cannot be removed any more
			had, err := t.store().scanMentions(ctx, (*Store).rows, t.d.OwnersInLogs(),
				p.workspace, id, owner)
			if p.mentions = append(p.mentions, had...); err != nil {
				return err
			}
		}
	}
	return nil
}
