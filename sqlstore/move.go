package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"reflect"
	"slices"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// How many rows of a workspace are compared, and written, at once, and how many a range has in
// which changes are looked for: all rows of one that has changed are read.
const (
	movedAtOnce    = 500
	insertedAtOnce = 50
	rangeRows      = 100
)

// moved is a table that has rows of workspaces.
type moved interface {
	// pass makes the rows of a workspace in a store what they are in another one, and returns how
	// many it had to change.
	pass(ctx context.Context, from, to *Store, workspace string) (int, error)
	// remove removes up to limit rows of a workspace, and returns how many.
	remove(ctx context.Context, s *Store, workspace string, limit int) (int, error)
}

// handedOver are the tables in which relays look for work in all workspaces. They are moved at
// last, when all else is there, so that no work is found before.
var handedOver = []moved{
	table[dialect.Noted]{&dialect.MovedOutbox},
	table[dialect.Waiting]{&dialect.MovedQueue},
}

// movedFirst are removed first: in them ticks and rollups look for work.
var movedFirst = []moved{
	table[convo.Conversation]{&dialect.MovedActives},
	table[dialect.Queued]{&dialect.MovedRollupQueue},
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
	all := slices.Concat(handedOver, movedFirst, newCopying(s, s, workspace).tables)
	for _, of := range all {
		n, err := of.remove(ctx, s, workspace, limit-removed)
		if removed += n; err != nil || removed >= limit {
			return removed, err
		}
	}
	return removed, nil
}

// table is a moved one whose rows are Rs.
type table[R any] struct{ *dialect.Moved[R] }

// page reads the rows of a range, up to a limit.
func (m table[R]) page(
	ctx context.Context, s *Store, workspace string, of dialect.Range[R], limit int,
) ([]*R, error) {
	statement, args := m.Page(s.d.Dialect, workspace, of, limit)
	return m.read(ctx, s, statement, args)
}

// read reads rows by a statement.
func (m table[R]) read(
	ctx context.Context, s *Store, statement string, args []any,
) (all []*R, err error) {
	err = s.many(ctx, statement, args, func(scan func(...any) error) error {
		r := m.Fresh()
		all = append(all, r)
		return scan(m.Table.Read.Dests(nil, r)...)
	})
	return all, err
}

func (m table[R]) pass(ctx context.Context, from, to *Store, workspace string) (int, error) {
	n, _, err := m.passOver(ctx, from, to, workspace, dialect.Range[R]{})
	return n, err
}

// passOver is pass of a range of rows, page by page. It returns where the rows are to be divided
// into ranges.
func (m table[R]) passOver(
	ctx context.Context, from, to *Store, workspace string, of dialect.Range[R],
) (changed int, ends []*R, err error) {
	for rest := of; ; rest.Behind = ends[len(ends)-1] {
		rows, err := m.page(ctx, from, workspace, rest, movedAtOnce)
		if err != nil {
			return changed, ends, err
		}
		page := rest
		if len(rows) == movedAtOnce {
			page.UpTo = rows[movedAtOnce-1]
		}
		there, err := m.page(ctx, to, workspace, page, math.MaxInt32)
		if err != nil {
			return changed, ends, err
		}
		n, err := m.make(ctx, to, rows, there, nil)
		for i := rangeRows; i <= len(rows); i += rangeRows {
			ends = append(ends, rows[i-1])
		}
		if changed += n; err != nil || len(rows) < movedAtOnce {
			return changed, ends, err
		}
	}
}

// make makes rows that are there those that are wanted.
func (m table[R]) make(
	ctx context.Context, to *Store, wanted, there []*R, differ func(gone, added []*R),
) (int, error) {
	gone, added := m.differences(wanted, there)
	n := max(len(gone), len(added))
	if n == 0 {
		return 0, nil
	}
	if differ != nil {
		differ(gone, added)
	}
	return n, m.write(ctx, to, gone, added)
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
		if err := m.makeRoom(ctx, s, added); err != nil {
			return err
		}
		insert := manyRows{
			s: s, atOnce: s.d.AtOnce(insertedAtOnce, len(m.Table.All), 0), text: m.Insert,
		}
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

// makeRoom removes rows that stand in the way of others, by a unique key beside the primary one:
// they are no longer what they were, and have not been compared again.
func (m table[R]) makeRoom(ctx context.Context, s *Store, rows []*R) error {
	for some := range slices.Chunk(rows, goneAtOnce) {
		statement := m.InSlots(len(some))
		if statement == "" {
			return nil
		}
		var args []any
		for _, r := range some {
			args = append(args, m.SlotArgs(s.d.Dialect, r)...)
		}
		if _, err := s.change(ctx, statement, args); err != nil {
			return err
		}
	}
	return nil
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
		rows, err := m.page(ctx, s, workspace, dialect.Range[R]{}, limit)
		if n = len(rows); err != nil || n == 0 {
			return err
		}
		return m.removeKeys(ctx, s, rows)
	})
	return n, err
}
