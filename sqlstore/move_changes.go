package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// hangingAtOnce is of how many contacts, or of conversations, the rows are compared at once that
// hang on them, and eventsAtOnce of how many events, but that one of them may have more.
const (
	hangingAtOnce = 50
	eventsAtOnce  = 5_000
)

// changed is what a pass has found changed.
type changed struct {
	contacts      map[string]bool
	conversations map[uuid.UUID]*wasAndIs
	keys          map[string]map[string]bool // external ids by channel, of messages
	// redacted are contacts who had a message whose texts were removed, and an echo.
	redacted map[string]bool
	rolledUp bool // though it should rest: sums may be other ones
}

// wasAndIs is a conversation as it was where it is copied to, and as it is; nil: it is not there.
type wasAndIs struct{ was, is *convo.Conversation }

func newChanged() *changed {
	return &changed{
		contacts: map[string]bool{}, conversations: map[uuid.UUID]*wasAndIs{},
		keys: map[string]map[string]bool{}, redacted: map[string]bool{},
	}
}

func (x *changed) contactsDiffer(gone, added []*convo.Contact) {
	for _, c := range slices.Concat(gone, added) {
		x.contacts[c.ID] = true
	}
}

func (x *changed) conversationsDiffer(gone, added []*convo.Conversation) {
	of := func(id uuid.UUID) *wasAndIs {
		if x.conversations[id] == nil {
			x.conversations[id] = &wasAndIs{}
		}
		return x.conversations[id]
	}
	for _, c := range gone {
		of(c.ID).was = c
	}
	for _, c := range added {
		of(c.ID).is = c
	}
}

// message has the keys of an external id be compared.
func (x *changed) message(r *convo.EventRow) {
	if r.ExternalID == "" {
		return
	}
	if x.keys[r.Channel] == nil {
		x.keys[r.Channel] = map[string]bool{}
	}
	x.keys[r.Channel][r.ExternalID] = true
}

// catchUp passes over what has changed since the last pass: rows of which the version has grown, or
// the time when a contact was seen; keys, addresses and receipts that are new; timers, which change
// without a version; what a merge says of others than the two contacts; and what hangs on all
// these. From sees one moment.
func (c *copying) catchUp(ctx context.Context, from *Store) (total int, err error) {
	c.found = newChanged()
	for _, step := range [...]func() (int, error){
		func() (int, error) { return c.contacts.catchUp(ctx, from, c.to, c.workspace) },
		func() (int, error) { return c.conversations.catchUp(ctx, from, c.to, c.workspace) },
		func() (int, error) { return c.others(ctx, from) },
		func() (int, error) { return c.ofContacts(ctx, from) },
		func() (int, error) { return c.ofConversations(ctx, from) },
		func() (int, error) { return c.echoes(ctx, from) },
		func() (int, error) { return c.keysOfMessages(ctx, from) },
		func() (int, error) { return c.addresses.catchUp(ctx, from, c.to, c.workspace) },
		func() (int, error) { return c.keys.catchUp(ctx, from, c.to, c.workspace) },
		func() (int, error) { return c.deliveries.catchUp(ctx, from, c.to, c.workspace) },
		func() (int, error) { return c.feed(ctx, from) },
	} {
		n, err := step()
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// others passes over conversations with other timers, contacts that a merge or an unmerge gives
// another root, and conversations that it gives to another contact: none has another version.
func (c *copying) others(ctx context.Context, from *Store) (total int, err error) {
	ids, members := map[uuid.UUID]bool{}, map[string]bool{}
	there := c.timers
	if c.timers = nil; there == nil {
		if there, err = c.timersOf(ctx, c.to); err != nil {
			return 0, err
		}
	}
	here, err := c.timersOf(ctx, from)
	if err != nil {
		return 0, err
	}
	for id, now := range here {
		if had, known := there[id]; known && had != now {
			ids[id] = true
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(c.found.contacts)), hangingAtOnce) {
		owners, err := c.owners(ctx, from, some, members)
		if err != nil {
			return 0, err
		}
		had, err := c.owners(ctx, c.to, some, members)
		if err != nil {
			return 0, err
		}
		for id, owner := range owners {
			if had[id] != owner {
				ids[id] = true
			}
		}
		for id := range had {
			if owners[id] == "" {
				ids[id] = true
			}
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(members)), hangingAtOnce) {
		n, err := c.contacts.some(ctx, from, c.to, func(s *Store) ([]*convo.Contact, error) {
			return c.contacts.read(ctx, s, c.contacts.Of("id", len(some)),
				named([]any{c.workspace}, some))
		}, nil)
		if total += n; err != nil {
			return total, err
		}
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(ids)), hangingAtOnce) {
		n, err := c.conversations.some(ctx, from, c.to,
			ofIDs(ctx, c.conversations.table, c.workspace, "id", some), c.conversations.differs)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// owners are the conversations of some contacts, each with its contact. It adds to members who is
// merged into them.
func (c *copying) owners(
	ctx context.Context, s *Store, contacts []string, members map[string]bool,
) (map[uuid.UUID]string, error) {
	all, args := map[uuid.UUID]string{}, named([]any{c.workspace}, contacts)
	var id uuid.UUID
	var contact dialect.Text
	err := s.many(ctx, dialect.IDsOf(len(contacts)), args, func(scan func(...any) error) error {
		err := scan((*dialect.ID)(&id), &contact)
		all[id] = string(contact)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.many(ctx, dialect.MergedInto(len(contacts)), args, func(scan func(...any) error) error {
		err := scan(&contact)
		members[string(contact)] = true
		return err
	})
	return all, err
}

// some makes the rows that read finds in one store those that it finds in another one.
func (m table[R]) some(
	ctx context.Context, from, to *Store, read func(*Store) ([]*R, error),
	differ func(gone, added []*R),
) (int, error) {
	wanted, err := read(from)
	if err != nil {
		return 0, err
	}
	there, err := read(to)
	if err != nil {
		return 0, err
	}
	return m.make(ctx, to, wanted, there, differ)
}

// ofIDs reads the rows that have one of some conversations in a column.
func ofIDs[R any](
	ctx context.Context, of table[R], workspace, column string, ids []uuid.UUID,
) func(*Store) ([]*R, error) {
	return func(s *Store) ([]*R, error) {
		return of.read(ctx, s, of.Of(column, len(ids)), s.d.IDs([]any{workspace}, ids))
	}
}

// withKeys makes the rows with the keys of some rows the same, whether they are there or not.
func (m table[R]) withKeys(
	ctx context.Context, from, to *Store, rows []*R, differ func(gone, added []*R),
) (total int, err error) {
	for some := range slices.Chunk(rows, goneAtOnce) {
		n, err := m.some(ctx, from, to, func(s *Store) ([]*R, error) {
			var args []any
			for _, r := range some {
				args = m.KeyArgs(s.d.Dialect, args, r)
			}
			return m.read(ctx, s, m.WithKeys(s.d.Dialect, len(some)), args)
		}, differ)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// ofContacts passes over what hangs on contacts that have changed.
func (c *copying) ofContacts(ctx context.Context, from *Store) (total int, err error) {
	log := table[convo.EventRow]{&dialect.MovedContactEvents}
	mentions := table[dialect.Mention]{&dialect.MovedMentions}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(c.found.contacts)), hangingAtOnce) {
		args := named([]any{c.workspace}, some)
		var addresses []*dialect.Address
		named := map[dialect.Mention]bool{}
		n, err := log.some(ctx, from, c.to, func(s *Store) ([]*convo.EventRow, error) {
			of, err := c.addresses.read(ctx, s, c.addresses.Of("contact", len(some)), args)
			if addresses = append(addresses, of...); err != nil {
				return nil, err
			}
			rows, err := log.read(ctx, s, log.Of("contact", len(some)), args)
			logs := map[string][]convo.Event{}
			for _, r := range rows {
				c.found.message(r)
				e := r.Event()
				logs[r.Contact] = append(logs[r.Contact], e)
				for _, m := range mentionsIn(&e) {
					named[m] = true
				}
			}
			for contact, events := range logs {
				c.found.log(contact, events)
			}
			return rows, err
		}, nil)
		if total += n; err != nil {
			return total, err
		}
		// One that was taken off a contact may be another one's by now.
		n, err = c.addresses.withKeys(ctx, from, c.to, addresses, c.addresses.differs)
		if total += n; err != nil {
			return total, err
		}
		n, err = mentions.withKeys(ctx, from, c.to, pointers(named), nil)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// pointers are those to the keys of a map.
func pointers[R comparable](of map[R]bool) (all []*R) {
	for r := range of {
		all = append(all, &r)
	}
	return all
}

// ofConversations passes over what hangs on conversations that have changed.
func (c *copying) ofConversations(ctx context.Context, from *Store) (total int, err error) {
	var some []uuid.UUID
	events := int64(0)
	flush := func() error {
		n, err := c.hanging(ctx, from, some)
		some, events, total = some[:0], 0, total+n
		return err
	}
	for id, of := range c.found.conversations {
		size := int64(0)
		for _, of := range [...]*convo.Conversation{of.was, of.is} {
			if of != nil {
				size = max(size, of.Version)
			}
		}
		if len(some) == hangingAtOnce || len(some) > 0 && events+size > eventsAtOnce {
			if err := flush(); err != nil {
				return total, err
			}
		}
		some, events = append(some, id), events+size
	}
	if len(some) > 0 {
		err = flush()
	}
	return total, err
}

// hanging passes over what hangs on some conversations. Rows of convo_closed are not among it: they
// come with rollups.
func (c *copying) hanging(
	ctx context.Context, from *Store, ids []uuid.UUID,
) (total int, err error) {
	events := table[convo.EventRow]{&dialect.MovedEvents}
	cycles := table[dialect.ClosedCycle]{&dialect.MovedCycles}
	actives := table[convo.Conversation]{&dialect.MovedActives}
	queue := table[dialect.Queued]{&dialect.MovedRollupQueue}
	mentions := table[dialect.Mention]{&dialect.MovedMentions}
	labels := table[dialect.Labelled]{&dialect.MovedLabels}
	places := table[dialect.Placed]{&dialect.MovedPlaces}

	logs := map[*Store]map[uuid.UUID][]convo.Event{from: {}, c.to: {}}
	named := map[dialect.Mention]bool{}
	var labelled []*dialect.Labelled
	var placed []*dialect.Placed
	listed := func(of *convo.Conversation, log []convo.Event) {
		if of == nil {
			return
		}
		for _, label := range of.Labels.All() {
			labelled = append(labelled, &dialect.Labelled{
				Workspace: c.workspace, Label: label, CreatedAt: of.CreatedAt, Conversation: of.ID,
			})
		}
		for _, p := range dialect.PlacesGone(of) {
			placed = append(placed, &dialect.Placed{Conversation: *of, Place: p})
		}
		for contact := range namedBy(log) {
			named[dialect.Mention{
				Workspace: c.workspace, Contact: contact, Conversation: of.ID,
			}] = true
		}
	}
	for _, step := range [...]func() (int, error){
		func() (int, error) {
			read := ofIDs(ctx, events, c.workspace, "conversation", ids)
			return events.some(ctx, from, c.to, func(s *Store) ([]*convo.EventRow, error) {
				rows, err := read(s)
				for _, r := range rows {
					c.found.message(r)
					logs[s][r.Conversation] = append(logs[s][r.Conversation], r.Event())
				}
				return rows, err
			}, nil)
		},
		func() (int, error) {
			return cycles.some(ctx, from, c.to,
				ofIDs(ctx, cycles, c.workspace, "conversation", ids), nil)
		},
		func() (int, error) {
			return actives.some(ctx, from, c.to, ofIDs(ctx, actives, c.workspace, "id", ids), nil)
		},
		func() (int, error) {
			read := ofIDs(ctx, queue, c.workspace, "conversation", ids)
			return queue.some(ctx, from, c.to, func(s *Store) ([]*dialect.Queued, error) {
				rows, err := read(s)
				if s == from {
					c.queued(ids, rows)
				}
				return rows, err
			}, nil)
		},
		func() (int, error) {
			for _, id := range ids {
				listed(c.found.conversations[id].was, logs[c.to][id])
				listed(c.found.conversations[id].is, logs[from][id])
				if is := c.found.conversations[id].is; is != nil {
					c.found.log(is.Contact, logs[from][id])
				}
			}
			return labels.withKeys(ctx, from, c.to, labelled, nil)
		},
		func() (int, error) { return places.withKeys(ctx, from, c.to, placed, nil) },
		func() (int, error) { return mentions.withKeys(ctx, from, c.to, pointers(named), nil) },
	} {
		n, err := step()
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// queued tells by the queue of rollups whether conversations with new events were rolled up.
func (c *copying) queued(ids []uuid.UUID, rows []*dialect.Queued) {
	waits := map[uuid.UUID]bool{}
	for _, r := range rows {
		waits[r.Conversation] = true
	}
	for _, id := range ids {
		of := c.found.conversations[id]
		if of.is != nil && !waits[id] && (of.was == nil || of.was.Version < of.is.Version) {
			c.found.rolledUp = true
		}
	}
}

// keysOfMessages passes over the keys of messages that are in the logs which have changed: one may
// lead elsewhere.
func (c *copying) keysOfMessages(ctx context.Context, from *Store) (total int, err error) {
	for channel, ids := range c.found.keys {
		for some := range slices.Chunk(slices.Sorted(maps.Keys(ids)), hangingAtOnce) {
			args := named([]any{c.workspace, channel}, some)
			n, err := c.keys.some(ctx, from, c.to, func(s *Store) ([]*dialect.Key, error) {
				return c.keys.read(ctx, s, c.keys.KeysWith(len(some)), args)
			}, c.keys.differs)
			if total += n; err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// feed passes over what was added to the feed: positions only grow.
func (c *copying) feed(ctx context.Context, from *Store) (total int, err error) {
	var last relay.FeedRow
	feed := table[relay.FeedRow]{&dialect.MovedFeed}
	_, err = c.to.row(ctx, dialect.FeedEnds, []any{c.workspace}, []any{&last.Position})
	if err != nil {
		return 0, err
	}
	total, _, err = feed.passOver(ctx, from, c.to, c.workspace,
		dialect.Range[relay.FeedRow]{Behind: &last})
	if err != nil {
		return total, err
	}
	heads := table[dialect.FeedEnd]{&dialect.MovedFeedHeads}
	n, err := heads.pass(ctx, from, c.to, c.workspace)
	return total + n, err
}
