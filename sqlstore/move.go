package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// How many rows of a workspace are compared, and written, at once.
const (
	movedAtOnce    = 500
	insertedAtOnce = 50
)

// moved is a table that has rows of workspaces.
type moved interface {
	// pass makes the rows of a workspace in a store what they are in another one, and returns how
	// many it had to change.
	pass(ctx context.Context, from, to *Store, workspace string) (int, error)
	// remove removes up to limit rows of a workspace, and returns how many.
	remove(ctx context.Context, s *Store, workspace string, limit int) (int, error)
}

// Of what is moved, what leads somewhere comes behind what it leads to, for else it might be
// removed as something that leads nowhere.
var movedTables = []moved{
	table[convo.Contact]{&dialect.MovedContacts},
	table[convo.EventRow]{&dialect.MovedContactEvents},
	table[dialect.Address]{&dialect.MovedAddresses},
	table[convo.Conversation]{&dialect.MovedConversations},
	table[convo.EventRow]{&dialect.MovedEvents},
	table[dialect.ClosedCycle]{&dialect.MovedCycles},
	table[dialect.Mention]{&dialect.MovedMentions},
	table[dialect.Labelled]{&dialect.MovedLabels},
	table[dialect.Placed]{&dialect.MovedPlaces},
	table[dialect.ClosedBy]{&dialect.MovedClosed},
	table[dialect.Key]{&dialect.MovedKeys},
	table[dialect.Delivery]{&dialect.MovedDeliveries},
	table[relay.FeedRow]{&dialect.MovedFeed},
	table[dialect.FeedEnd]{&dialect.MovedFeedHeads},
	table[dialect.Sums]{&dialect.MovedRollups},
}

// handedOver are the tables in which ticks, relays and rollups look for work in all workspaces.
// They are moved at last, when all else is there, so that no work is found before.
var handedOver = []moved{
	table[convo.Conversation]{&dialect.MovedActives},
	table[dialect.Noted]{&dialect.MovedOutbox},
	table[dialect.Waiting]{&dialect.MovedQueue},
	table[dialect.Queued]{&dialect.MovedRollupQueue},
}

// maxPasses is how often all rows are compared until nothing is different any more.
const maxPasses = 5

// errRestless: the rows of a workspace that is moved keep changing.
var errRestless = errors.New("somebody else writes to the workspace at one of the two stores: " +
	"see that nobody does, and try again")

// CopyWorkspace makes the rows of a workspace in another store of this package what they are in
// this one, whatever is there, in batches, and returns how many it had to change: with few, nearly
// all is there. Others may use both meanwhile, but nobody must write to the workspace in the other
// one. What ticks, relays and rollups look for is left out, so that they find nothing there.
//
// When nobody writes to the workspace in this store either, complete has all be there, as of one
// moment, and compared until nothing is different. It is for package shardstore, which stops
// writers. Both should keep an outbox, and a feed, or none. It fails with errors.ErrUnsupported for
// another kind of store.
func (s *Store) CopyWorkspace(
	ctx context.Context, to convo.Store, workspace string, complete bool,
) (changed int, err error) {
	t, ok := to.(*Store)
	if !ok {
		return 0, fmt.Errorf("sqlstore: a workspace cannot be copied to a %T: %w", to,
			errors.ErrUnsupported)
	}
	if !complete {
		return copyTables(ctx, movedTables, s, t, workspace)
	}
	err = s.snapshot(ctx, func(s *Store) error {
		for _, of := range handedOver { // of an earlier call that was broken off
			if err := empty(ctx, of, t, workspace); err != nil {
				return err
			}
		}
		for pass := 0; ; pass++ {
			n, err := copyTables(ctx, movedTables, s, t, workspace)
			changed += n
			switch {
			case err != nil:
				return err
			case pass == maxPasses:
				return fmt.Errorf("sqlstore: workspace %q: %w", workspace, errRestless)
			case n > 0:
				continue
			}
			n, err = copyTables(ctx, handedOver, s, t, workspace)
			changed += n
			return err
		}
	})
	return changed, err
}

func copyTables(
	ctx context.Context, tables []moved, from, to *Store, workspace string,
) (changed int, err error) {
	for _, of := range tables {
		n, err := of.pass(ctx, from, to, workspace)
		if changed += n; err != nil {
			return changed, err
		}
	}
	return changed, nil
}

func empty(ctx context.Context, of moved, s *Store, workspace string) error {
	for {
		n, err := of.remove(ctx, s, workspace, movedAtOnce)
		if err != nil || n == 0 {
			return err
		}
	}
}

// RemoveWorkspace removes rows of a workspace for good, about limit of them (0: 500) in one commit,
// first those that others look for work in, and returns how many; call it until there are none. It
// is for package shardstore, of a workspace that is elsewhere.
func (s *Store) RemoveWorkspace(
	ctx context.Context, workspace string, limit int,
) (removed int, err error) {
	limit = cmp.Or(limit, movedAtOnce)
	for _, of := range slices.Concat(handedOver, movedTables) {
		n, err := of.remove(ctx, s, workspace, limit-removed)
		if removed += n; err != nil || removed >= limit {
			return removed, err
		}
	}
	return removed, nil
}

// table is a moved one whose rows are Rs.
type table[R any] struct{ *dialect.Moved[R] }

// page reads rows of a workspace behind another one, up to one, or up to a limit.
func (m table[R]) page(
	ctx context.Context, s *Store, workspace string, behind, upTo *R, limit int,
) (all []*R, err error) {
	args := m.PageArgs(s.d.Dialect, workspace, behind, upTo, limit)
	err = s.many(ctx, m.Page(s.d.Dialect, behind != nil, upTo != nil), args,
		func(scan func(...any) error) error {
			r := m.Fresh()
			all = append(all, r)
			return scan(m.Table.Read.Dests(nil, r)...)
		})
	return all, err
}

func (m table[R]) pass(
	ctx context.Context, from, to *Store, workspace string,
) (changed int, err error) {
	var behind *R
	for {
		rows, err := m.page(ctx, from, workspace, behind, nil, movedAtOnce)
		if err != nil {
			return changed, err
		}
		var last *R
		if len(rows) == movedAtOnce {
			last = rows[movedAtOnce-1]
		}
		there, err := m.page(ctx, to, workspace, behind, last, math.MaxInt32)
		if err != nil {
			return changed, err
		}
		gone, added := m.differences(rows, there)
		if n := max(len(gone), len(added)); n > 0 {
			changed += n
			if err := m.write(ctx, to, gone, added); err != nil {
				return changed, err
			}
		}
		if last == nil {
			return changed, nil
		}
		behind = last
	}
}

// differences are the rows that are to go, and those that are to come, so that what is there is
// what is wanted. Both are in the order of their keys.
func (m table[R]) differences(wanted, there []*R) (gone, added []*R) {
	for len(wanted) > 0 || len(there) > 0 {
		var order int
		switch {
		case len(there) == 0:
			order = -1
		case len(wanted) == 0:
			order = 1
		default:
			order = compareArgs(m.KeyArgs(&dialect.SQLite, nil, wanted[0]),
				m.KeyArgs(&dialect.SQLite, nil, there[0]))
		}
		if order == 0 && !reflect.DeepEqual(
			m.Table.All.Args(&dialect.SQLite, nil, wanted[0]),
			m.Table.All.Args(&dialect.SQLite, nil, there[0])) {
			gone, added = append(gone, there[0]), append(added, wanted[0])
		}
		if order < 0 {
			added = append(added, wanted[0])
		}
		if order > 0 {
			gone = append(gone, there[0])
		}
		if order <= 0 {
			wanted = wanted[1:]
		}
		if order >= 0 {
			there = there[1:]
		}
	}
	return gone, added
}

// compareArgs compares keys as all engines do.
func compareArgs(a, b []any) int {
	for i := range a {
		order := 0
		switch v := a[i].(type) {
		case int64:
			order = cmp.Compare(v, b[i].(int64))
		case string:
			order = cmp.Compare(v, b[i].(string))
		case []byte:
			order = bytes.Compare(v, b[i].([]byte))
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// write removes rows and adds others, all or nothing.
func (m table[R]) write(ctx context.Context, to *Store, gone, added []*R) error {
	return to.inTransaction(ctx, func(s *Store) error {
		if err := m.removeKeys(ctx, s, gone); err != nil {
			return err
		}
		insert := manyRows{s: s, atOnce: insertedAtOnce, text: m.Insert}
		for _, r := range added {
			args := m.Table.All.Args(s.d.Dialect, nil, r)
			size := 0
			for _, v := range args {
				switch v := v.(type) {
				case string:
					size += len(v)
				case []byte:
					size += len(v)
				}
			}
			if insert.full(size) {
				if err := insert.exec(ctx); err != nil {
					return err
				}
			}
			insert.add(size, args...)
		}
		return insert.exec(ctx)
	})
}

func (m table[R]) removeKeys(ctx context.Context, s *Store, rows []*R) error {
	keys := make([][]any, len(rows))
	for i, r := range rows {
		keys[i] = m.KeyArgs(s.d.Dialect, nil, r)
	}
	return s.removeRows(ctx, m.Gone(), keys)
}

func (m table[R]) remove(
	ctx context.Context, s *Store, workspace string, limit int,
) (n int, err error) {
	err = s.inTransaction(ctx, func(s *Store) error {
		rows, err := m.page(ctx, s, workspace, nil, nil, limit)
		if n = len(rows); err != nil || n == 0 {
			return err
		}
		return m.removeKeys(ctx, s, rows)
	})
	return n, err
}
