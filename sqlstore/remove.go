package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/housekeeping"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// What goes by its age.

// goneAtOnce is how many rows one statement removes at most.
const goneAtOnce = 50

// goneAtOnce is how many of some rows, which are found by such keys, one statement removes.
func (s *Store) goneAtOnce(keys [][]any) int {
	if len(keys) == 0 {
		return goneAtOnce
	}
	return s.d.AtOnce(goneAtOnce, len(keys[0]), 0)
}

// RemoveConversation implements convo.Store. It waits for nobody who has the conversation in hand.
// It does wait for a Rollup of the workspace, and holds nothing meanwhile; and for who is just
// writing a key or a receipt of a message.
func (s *Store) RemoveConversation(
	ctx context.Context, workspace string, id uuid.UUID, version int64,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.within(ctx).inTransaction(ctx, func(s *Store) error {
		c, needed, err := s.removable(ctx, workspace, id, version)
		if err == nil && needed != "" {
			err = fmt.Errorf("sqlstore: conversation %s %s: %w", id, needed, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
		log, err := s.logOf(ctx, &c)
		if err != nil {
			return err
		}
		return s.remove(ctx, &c, log)
	})
}

// logOf is the whole log of a conversation.
func (s *Store) logOf(ctx context.Context, c *convo.Conversation) (log []convo.Event, err error) {
	for seq := int64(0); seq < c.Version && err == nil; seq += convo.MaxPageSize {
		log, err = eventsOf(ctx, s, (*Store).rows, log, dialect.Events,
			dialect.EventsOfConversation, c.Workspace, s.d.ID(c.ID), seq, convo.MaxPageSize)
	}
	return log, err
}

// removable holds a conversation that is to be removed, or says why it cannot be. Whoever rolls it
// up holds the rollups first, and whoever writes to it holds itself, so that nothing comes to be in
// the queue of rollups, or in the outbox, behind this. What leaves the outbox for a queue is looked
// for in that order.
func (s *Store) removable(
	ctx context.Context, workspace string, id uuid.UUID, version int64,
) (c convo.Conversation, needed string, err error) {
	var rolled dialect.Int
	held, err := s.row(ctx, s.heldVersion(), []any{workspace}, []any{&rolled})
	switch {
	case err != nil:
		return c, "", err
	case !held || rolled != rollupVersion:
		return c, "is in no rollups that are read", nil
	}
	is := []any{workspace, s.d.ID(id)}
	found, err := s.row(ctx, s.d.FreeConversation(), is,
		dialect.Conversations.Read.Dests(nil, &c))
	switch {
	case err != nil:
		return c, "", err
	case !found:
		return c, "is not there, or in somebody's hands", nil
	case c.Status.Active() || c.Version != version:
		return c, "is not as it was", nil
	}
	for _, by := range [...]struct{ statement, needed string }{
		{dialect.NotRolledUp, "is not rolled up"},
		{dialect.NotedYet, "has events in the outbox"},
	} {
		found, err := s.row(ctx, by.statement, is, []any{new(dialect.Int)})
		if found || err != nil {
			return c, by.needed, err
		}
	}
	for target := ""; ; {
		more, err := s.row(ctx, dialect.NextTarget, []any{workspace, target},
			[]any{(*dialect.Text)(&target)})
		if !more || err != nil {
			return c, "", err
		}
		queued, err := s.row(ctx, dialect.QueuedYet, []any{workspace, target, s.d.ID(id)},
			[]any{new(dialect.Int)})
		if queued || err != nil {
			return c, "waits for " + target, err
		}
	}
}

// remove removes a conversation that is held, with its log.
func (s *Store) remove(ctx context.Context, c *convo.Conversation, log []convo.Event) error {
	id := s.d.ID(c.ID)
	rows := map[dialect.Gone][][]any{
		dialect.GoneConversations: {{c.Workspace, id}},
	}
	add := func(of dialect.Gone, key ...any) { rows[of] = append(rows[of], key) }
	for i := range log {
		add(dialect.GoneEvents, c.Workspace, id, log[i].Seq)
	}
	for n := range c.Cycle.Number {
		add(dialect.GoneCycles, c.Workspace, id, n+1)
	}
	for _, p := range dialect.PlacesGone(c) {
		add(dialect.GonePlaces, c.Workspace, p.List, p.At, id)
	}
	for _, label := range c.Labels.All() {
		add(dialect.GoneLabels, c.Workspace, label, c.CreatedAt.UnixMicro(), id)
	}
	for contact := range namedBy(log) {
		add(dialect.GoneMentions, c.Workspace, contact, id)
	}
	for by := range dialect.ListedBy(c, log) {
		add(dialect.GoneClosed, by.Workspace, by.What, by.Value, by.CreatedAt.UnixMicro(), id)
	}
	if err := s.ofMessages(ctx, c, log, add); err != nil {
		return err
	}
	for _, of := range dialect.AllGone {
		if err := s.removeRows(ctx, of, rows[of]); err != nil {
			return err
		}
	}
	last := c.CreatedAt.UnixMicro()
	for i := range log {
		if e := &log[i]; e.Kind != convo.ConversationErased { // which no report counts
			last = max(last, e.At.UnixMicro())
		}
	}
	_, err := s.change(ctx, "UPDATE convo_rollups SET removed_to = ? "+
		"WHERE "+isVersionRow+" AND (removed_to IS NULL OR removed_to < ?)",
		[]any{last, c.Workspace, last})
	return err
}

// namedBy are the contacts that a log may be known to name: its own one, too, of which it was taken
// once, and given back.
func namedBy(log []convo.Event) map[string]bool {
	all := map[string]bool{}
	for i := range log {
		all[log[i].Contact] = true
		for _, contact := range log[i].Mentions() {
			all[contact] = true
		}
	}
	return all
}

// ofMessages adds the keys of messages that lead to their conversation, and their receipts.
func (s *Store) ofMessages(
	ctx context.Context, c *convo.Conversation, log []convo.Event,
	add func(of dialect.Gone, key ...any),
) error {
	ids := map[string][]any{} // by channel
	for i := range log {
		r := log[i].Row()
		if r.ExternalID == "" {
			continue
		}
		ids[r.Channel] = append(ids[r.Channel], r.ExternalID)
		add(dialect.GoneDeliveries, c.Workspace, r.Channel, r.ExternalID, "")
		if r.Address != "" {
			add(dialect.GoneDeliveries, c.Workspace, r.Channel, r.ExternalID, r.Address)
		}
	}
	var k dialect.Key
	dests := dialect.Keys.Read.Dests(nil, &k)
	for channel, all := range ids {
		for some := range slices.Chunk(all, goneAtOnce) {
			args := append(append([]any{c.Workspace, channel}, some...), s.d.ID(c.ID))
			err := s.many(ctx, dialect.KeysOfMessages(len(some)), args,
				func(scan func(...any) error) error {
					err := scan(dests...)
					add(dialect.GoneKeys, s.d.GoneKeyArgs(&k)...)
					return err
				})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// removeRows removes rows by their keys.
func (s *Store) removeRows(ctx context.Context, of dialect.Gone, keys [][]any) error {
	for some := range slices.Chunk(keys, s.goneAtOnce(keys)) {
		if _, err := s.change(ctx, s.d.Remove(of, len(some)), slices.Concat(some...)); err != nil {
			return err
		}
	}
	return nil
}

// ForgetKeys implements convo.Store.
func (s *Store) ForgetKeys(
	ctx context.Context, before time.Time, after convo.KeyPlace, limit int,
) (next convo.KeyPlace, removed int, err error) {
	if err := ctx.Err(); err != nil {
		return next, 0, err
	}
	s = s.within(ctx)
	var k dialect.Key
	var at dialect.Micros
	var version dialect.Int // of its conversation
	dests := append(dialect.Keys.Read.Dests(nil, &k), &at, &version)
	var workspaces []string
	old := map[string][][]any{}
	n := 0
	err = s.rows(ctx, s.d.KeysBehind(), s.d.KeysBehindArgs(&after, limit),
		func(scan func(...any) error) error {
			if err := scan(dests...); err != nil {
				return err
			}
			gone := k.Conversation != uuid.Nil && version == 0
			if k.FirstSeq > 0 { // else it has no event, and no age
				gone = time.Time(at).Before(before)
			}
			if gone {
				if len(old[k.Workspace]) == 0 {
					workspaces = append(workspaces, k.Workspace)
				}
				old[k.Workspace] = append(old[k.Workspace], s.d.GoneKeyArgs(&k))
			}
			n++
			return nil
		})
	if err != nil {
		return next, 0, err
	}
	if n == limit {
		next = convo.KeyPlace{Workspace: k.Workspace, KeyID: k.KeyID}
	}
	for _, workspace := range workspaces {
		err := housekeeping.Do(ctx, workspace, func(ctx context.Context) error {
			n, err := s.forgetKeys(ctx, old[workspace])
			removed += n
			return err
		})
		if err != nil {
			return next, removed, err
		}
	}
	return next, removed, nil
}

// forgetKeys removes keys of a workspace, some in each commit.
func (s *Store) forgetKeys(ctx context.Context, old [][]any) (removed int, err error) {
	for some := range slices.Chunk(old, s.goneAtOnce(old)) {
		var n int64
		err := s.inTransaction(ctx, func(s *Store) (err error) {
			n, err = s.change(ctx, s.d.Remove(dialect.GoneKeys, len(some)), slices.Concat(some...))
			return err
		})
		if s.tx == nil && errors.Is(err, convo.ErrConflict) {
			continue // somebody has one of them in hand: the next pass comes back to them
		}
		if err != nil {
			return removed, err
		}
		removed += int(n)
	}
	return removed, nil
}
