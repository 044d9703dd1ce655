package memstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/chatlifecycle/convo"
)

// Contacts, and what becomes of them.

// Contacts implements convo.Store. Without ids, it looks at all that the workspace has.
func (s *Store) Contacts(ctx context.Context, f convo.ContactFilter) ([]convo.Contact, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[f.Workspace]
	if w == nil {
		return nil, nil
	}
	compare := func(a, b convo.ContactCursor) int { return cmp.Compare(a.ID, b.ID) }
	if f.BySeen {
		compare = func(a, b convo.ContactCursor) int {
			return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(b.ID, a.ID))
		}
	}
	var all []convo.ContactCursor
	add := func(k *contact) {
		place := k.state().Cursor()
		if k.root == k && (k.blocked || !f.Blocked) && (!f.BySeen || !place.SeenAt.IsZero()) &&
			(f.After == convo.ContactCursor{} || compare(place, f.After) > 0) {
			all = append(all, place)
		}
	}
	for _, id := range f.IDs {
		if k := w.contacts[id]; k != nil {
			add(k)
		}
	}
	if len(f.IDs) == 0 {
		for _, k := range w.contacts {
			add(k)
		}
	}
	slices.SortFunc(all, compare)
	all = slices.Compact(all)
	var out []convo.Contact
	for _, place := range all[:min(f.Limit, len(all))] {
		out = append(out, w.contacts[place.ID].state())
	}
	return out, nil
}

// Family implements convo.Store.
func (s *Store) Family(ctx context.Context, workspace, root string) ([]convo.Contact, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []convo.Contact
	if w := s.workspaces[workspace]; w != nil {
		if k := w.contacts[root]; k != nil && k.extra != nil {
			for _, a := range k.extra.aliases {
				c := a.state()
				c.MergedInto = root
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// merge makes k and its aliases aliases of root.
func (w *workspace) merge(k, root *contact) {
	merged := k.aliases()
	for _, a := range merged {
		a.root = root
	}
	root.makeExtra().aliases = append(root.makeExtra().aliases, merged...)
	if k.extra != nil {
		k.extra.aliases = nil
	}
	for k.active != nil {
		c := k.active
		k.active = c.nextLive
		c.nextLive, root.active = root.active, c
	}
}

// unmerge takes k and its family out of root.
func (w *workspace) unmerge(k, root *contact, family []string) {
	k.root = k
	for _, id := range family {
		a := w.contacts[id]
		a.root = k
		k.makeExtra().aliases = append(k.makeExtra().aliases, a)
	}
	root.extra.aliases = slices.DeleteFunc(root.extra.aliases,
		func(a *contact) bool { return a.root == k })
	for at := &root.active; *at != nil; {
		c := *at
		if c.origin.root != k {
			at = &c.nextLive
			continue
		}
		*at = c.nextLive
		c.nextLive, k.active = k.active, c
	}
}

// move gives a conversation another owner, by whom its log is encoded from now on.
func (w *workspace) move(c *conversation, to *contact) {
	w.list(c, false)
	c.origin.take(c)
	if x := c.origin.extra; x != nil {
		x.opened.remove(c)
	}
	from := c.origin.id
	for i, batch := range c.log {
		c.log[i] = w.recode(batch, c.id, from, to.id, func(*convo.EventRow) {})
	}
	c.origin = to
	to.put(c)
	to.open(c, c.load().UpdatedAt.UnixMicro())
}
