package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// copying is the copying of a workspace from one store to another. Only it writes to the workspace
// in the other one.
//
// It passes over all rows once, and then over those that have changed. Rows are grouped by what
// they hang on, a contact or a conversation, the version of which grows with nearly each commit
// that changes any of them. Each pass sees one moment. So where the version there is the version
// here, what hangs on it is the same; and where it is not, what is there is what hung on the row
// that is there. What changes without a version is looked for by itself: see catchUp.
type copying struct {
	from, to  *Store
	workspace string
	passed    bool // over all rows, and all that came after it went well

	contacts      *watched[convo.Contact]
	conversations *watched[convo.Conversation]
	addresses     *watched[dialect.Address]
	keys          *watched[dialect.Key]
	deliveries    *watched[dialect.Delivery]
	// tables are all, in their order: what leads somewhere comes behind what it leads to.
	tables []moved
	timers map[uuid.UUID]timers // in the store that is copied to; nil: it was written to since
	found  *changed             // by the pass that goes on
}

func newCopying(from, to *Store, workspace string) *copying {
	c := &copying{
		from: from, to: to, workspace: workspace,
		contacts:      watch(&dialect.MovedContacts),
		conversations: watch(&dialect.MovedConversations),
		addresses:     watch(&dialect.MovedAddresses),
		keys:          watch(&dialect.MovedKeys),
		deliveries:    watch(&dialect.MovedDeliveries),
	}
	c.contacts.differ = func(gone, added []*convo.Contact) { c.found.contactsDiffer(gone, added) }
	c.conversations.differ = func(gone, added []*convo.Conversation) {
		c.found.conversationsDiffer(gone, added)
	}
	c.tables = []moved{
		c.contacts, table[convo.EventRow]{&dialect.MovedContactEvents}, c.addresses,
		c.conversations, table[convo.EventRow]{&dialect.MovedEvents},
		table[dialect.ClosedCycle]{&dialect.MovedCycles},
		table[dialect.Mention]{&dialect.MovedMentions},
		table[dialect.Labelled]{&dialect.MovedLabels},
		table[dialect.Placed]{&dialect.MovedPlaces},
		table[dialect.ClosedBy]{&dialect.MovedClosed},
		table[convo.Conversation]{&dialect.MovedActives},
		c.keys, c.deliveries,
		table[relay.FeedRow]{&dialect.MovedFeed}, table[dialect.FeedEnd]{&dialect.MovedFeedHeads},
		table[dialect.Sums]{&dialect.MovedRollups},
		table[dialect.Queued]{&dialect.MovedRollupQueue},
	}
	return c
}

// maxPasses is how often all rows are compared until nothing is different any more.
const maxPasses = 5

// errRestless: the rows of a workspace that is moved keep changing.
var errRestless = errors.New("somebody else writes to the workspace at one of the two stores: " +
	"see that nobody does, and try again")

// CopyWorkspace returns a function that makes the rows of a workspace in another store of this
// package what they are in this one, and returns how many it had to change. Call it again and
// again: the first call compares all rows, whatever is there, in batches; each later one what has
// changed since the call before, as long as none fails. Others may use both stores meanwhile, but
// nobody else must write to the workspace in the other one. What relays look for is left out.
// Ticks find the timers of what was copied, and must leave them alone, as shardstore has them do.
//
// When nobody writes to the workspace in this store either, complete has all be there, as of one
// moment. Calls that go over all workspaces (Rollup, ForgetKeys, ForgetDeliveries, which each Tick
// of an Engine begins with, PruneFeed), RebuildRollups, RemoveConversation and erasures must leave
// the workspace alone in both stores from the first call on. CheckRollups of the copy notices a
// Rollup.
//
// What was written to the other store by anybody else, as by a host that has gone over to it, is
// overwritten, and no error says so: docs/sqlite-to-postgresql.md has a check for that.
//
// Package shardstore sees to all that while a workspace is in use; a host that has stopped may copy
// by itself: see docs/sqlite-to-postgresql.md. Both should keep an outbox, and a feed, or none. It
// fails with errors.ErrUnsupported for another kind of store. One call at a time.
func (s *Store) CopyWorkspace(
	to convo.Store, workspace string,
) (pass func(ctx context.Context, complete bool) (changed int, err error), err error) {
	t, ok := to.(*Store)
	if !ok {
		return nil, fmt.Errorf("sqlstore: a workspace cannot be copied to a %T: %w", to,
			errors.ErrUnsupported)
	}
	return newCopying(s, t, workspace).pass, nil
}

// pass is what CopyWorkspace returns.
func (c *copying) pass(ctx context.Context, complete bool) (changed int, err error) {
	passed := c.passed
	c.passed = false // until this one has gone well
	if complete {
		changed, err = c.complete(ctx, passed)
	} else {
		err = c.from.inRanges(ctx, func(from *Store) (err error) {
			same := false
			if passed {
				changed, err = c.catchUp(ctx, from)
				if err == nil {
					same, err = c.sumsStand(ctx, from)
				}
			}
			if err == nil && !same {
				var n int
				n, err = c.all(ctx, from)
				changed += n
			}
			return err
		})
	}
	if err == nil && !complete {
		// While there is time: then what is here is read alone when writers wait for it.
		err = c.to.inRanges(ctx, func(to *Store) error { return c.remember(ctx, to) })
	}
	c.passed = err == nil
	return changed, err
}

// inRanges is snapshot for what reads many ranges.
func (s *Store) inRanges(ctx context.Context, f func(*Store) error) error {
	return s.snapshot(ctx, ranging(ctx, f))
}

// ranging has f read many ranges in a snapshot.
func ranging(ctx context.Context, f func(*Store) error) func(*Store) error {
	return func(in *Store) error {
		if in.d.readsRanges != "" {
			if _, err := in.tx.tx.ExecContext(ctx, in.d.readsRanges); err != nil {
				return err
			}
		}
		return f(in)
	}
}

// spareWithin is how long it may take to have another connection, also from a pooler.
const spareWithin = 100 * time.Millisecond

// readAhead has other connections read what is to be compared while writers wait, at once. Each
// has a snapshot of its own, which may be newer than that of the pass, with a commit that came
// late, and must not be older: where the sums differ, rows are read in the pass's own snapshot.
func (c *copying) readAhead(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var ends []func()
	for _, of := range c.summed()[1:] { // the first one is read by the connection that there is
		ends = append(ends, of.readAhead(ctx, c.from, c.workspace))
	}
	return func() {
		cancel()
		for _, end := range ends {
			end()
		}
	}
}

// spare is snapshot by a connection that nobody waits for.
func (s *Store) spare(ctx context.Context, f func(*Store) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(spareWithin, cancel)
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return s.snapshotBy(ctx, conn, func(in *Store) error {
		if !late.Stop() {
			return ctx.Err()
		}
		return f(in)
	})
}

// all passes over all rows but those that are handed over.
func (c *copying) all(ctx context.Context, from *Store) (changed int, err error) {
	c.timers, c.found = nil, newChanged()
	for _, of := range c.tables {
		n, err := of.pass(ctx, from, c.to, c.workspace)
		if changed += n; err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// complete has all be there.
func (c *copying) complete(ctx context.Context, passed bool) (changed int, err error) {
	err = c.from.inRanges(ctx, func(from *Store) error {
		if passed && c.from.tx == nil {
			// The snapshot begins with what is read first.
			of := convo.ContactFilter{Workspace: c.workspace, Limit: 1}
			if _, err := from.Contacts(ctx, of); err != nil {
				return err
			}
			defer c.readAhead(ctx)()
		}
		for _, of := range handedOver { // of an earlier call that was broken off
			if err := empty(ctx, of, c.to, c.workspace); err != nil {
				return err
			}
		}
		same := false
		for try := 0; !same; try++ {
			var n int
			var err error
			switch {
			case try == maxPasses:
				return fmt.Errorf("sqlstore: workspace %q: %w", c.workspace, errRestless)
			case passed:
				n, err = c.catchUp(ctx, from)
			default:
				n, err = c.all(ctx, from)
			}
			if changed += n; err != nil {
				return err
			}
			if same = n == 0; passed && !same {
				same, err = c.again(ctx, from)
			}
			if passed && same && err == nil {
				same, err = c.sumsStand(ctx, from)
			}
			if err != nil {
				return err
			}
			passed = passed && same
		}
		for _, of := range handedOver {
			n, err := of.pass(ctx, from, c.to, c.workspace)
			if changed += n; err != nil {
				return err
			}
		}
		return nil
	})
	return changed, err
}

// sumsStand reports whether nothing was rolled up since the pass over all. Only such a one finds
// which sums are other ones; so this must not happen, but if it has, by who does not go by
// shardstore, it is seen by what has left the queue.
func (c *copying) sumsStand(ctx context.Context, from *Store) (bool, error) {
	if c.found.rolledUp {
		return false, nil
	}
	queue := watch(&dialect.MovedRollupQueue)
	here, err := queue.sumsOf(ctx, from, c.workspace, queue.ranges())
	if err != nil {
		return false, err
	}
	there, err := queue.sumsOf(ctx, c.to, c.workspace, queue.ranges())
	return slices.Equal(here, there), err
}
