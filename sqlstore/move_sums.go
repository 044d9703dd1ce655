package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// summedAtOnce is how many ranges one statement adds up.
const summedAtOnce = 25

// watched is a table of which changes are found by counting rows, and by adding up numbers in them
// that only grow, in ranges. No such row is removed while its workspace is moved, but with a
// version.
type watched[R any] struct {
	table[R]
	ends   []*R // of the ranges, but for the last one
	differ func(gone, added []*R)
	// there are the sums of the ranges in the store that is copied to, to which nobody else writes.
	// Empty: the range was written to since. Nil: they are not known.
	there []string
	// rows are how many there are, where nothing grows but their number, once they are counted.
	rows    int
	counted bool
	// ahead waits for what another connection reads of the store that is copied from; nil: none
	// does.
	ahead func() []string
}

func watch[R any](of *dialect.Moved[R]) *watched[R] { return &watched[R]{table: table[R]{of}} }

// pass makes the ranges anew.
func (w *watched[R]) pass(
	ctx context.Context, from, to *Store, workspace string,
) (changed int, err error) {
	w.there, w.counted = nil, false
	changed, w.ends, err = w.passOver(ctx, from, to, workspace, dialect.Range[R]{})
	return changed, err
}

func (w *watched[R]) ranges() []dialect.Range[R] {
	all := make([]dialect.Range[R], len(w.ends)+1)
	for i, end := range w.ends {
		all[i].UpTo, all[i+1].Behind = end, end
	}
	return all
}

// differs counts rows that are written there, and says that the sums of their ranges are not known.
func (w *watched[R]) differs(gone, added []*R) {
	w.rows += len(added) - len(gone)
	for _, r := range slices.Concat(gone, added) {
		key := w.KeyArgs(&dialect.SQLite, nil, r)
		i, _ := slices.BinarySearchFunc(w.ends, key, func(end *R, key []any) int {
			return compareArgs(w.KeyArgs(&dialect.SQLite, nil, end), key)
		})
		if w.there != nil {
			w.there[i] = ""
		}
	}
	if w.differ != nil {
		w.differ(gone, added)
	}
}

// unknown are the numbers of the ranges whose sums there are not known, and they themselves.
func (w *watched[R]) unknown() (numbers []int, ranges []dialect.Range[R]) {
	if w.there == nil {
		w.there = make([]string, len(w.ends)+1)
	}
	for i, of := range w.ranges() {
		if w.there[i] == "" {
			numbers, ranges = append(numbers, i), append(ranges, of)
		}
	}
	return numbers, ranges
}

// remember finds out which sums there are where that is not known.
func (w *watched[R]) remember(ctx context.Context, to *Store, workspace string) error {
	numbers, ranges := w.unknown()
	there, err := w.sumsOf(ctx, to, workspace, ranges)
	if err != nil {
		return err
	}
	for n, i := range numbers {
		w.there[i] = there[n]
	}
	if !w.counted && w.Grows() == 0 {
		w.rows, err = totalOf(w.there)
		w.counted = err == nil
	}
	return err
}

// totalOf adds up counts.
func totalOf(counts []string) (total int, err error) {
	for _, count := range counts {
		n, err := strconv.Atoi(count)
		if total += n; err != nil {
			return 0, err
		}
	}
	return total, nil
}

// same reports whether the sums are the same in both stores where they were not known.
func (w *watched[R]) same(
	ctx context.Context, from, to *Store, workspace string,
) (bool, error) {
	numbers, ranges := w.unknown()
	here, err := w.sumsOf(ctx, from, workspace, ranges)
	if err != nil {
		return false, err
	}
	if err := w.remember(ctx, to, workspace); err != nil {
		return false, err
	}
	for n, i := range numbers {
		if w.there[i] != here[n] {
			return false, nil
		}
	}
	return true, nil
}

// sumsOf are those of ranges, as text.
func (w *watched[R]) sumsOf(
	ctx context.Context, s *Store, workspace string, ranges []dialect.Range[R],
) (all []string, err error) {
	sums := make([]string, 1+w.Grows())
	var i int
	dests := []any{&i}
	for n := range sums {
		dests = append(dests, &sums[n])
	}
	for some := range slices.Chunk(ranges, summedAtOnce) {
		first := len(all)
		all = append(all, make([]string, len(some))...)
		statement, args := w.Sums(s.d.Dialect, workspace, some)
		err := s.many(ctx, statement, args, func(scan func(...any) error) error {
			err := scan(dests...)
			all[first+i] = strings.Join(sums, " ")
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// here are the sums of ranges in the store that is copied from, as read ahead, once, if they were.
func (w *watched[R]) here(
	ctx context.Context, from *Store, workspace string, ranges []dialect.Range[R],
) ([]string, error) {
	if read := w.ahead; read != nil {
		w.ahead = nil
		if all := read(); all != nil {
			return all, nil
		}
	}
	return w.sumsOf(ctx, from, workspace, ranges)
}

// readAhead has another connection read what catchUp asks of the store that is copied from, if the
// pool has one to spare. End waits until it is not used any more.
func (w *watched[R]) readAhead(ctx context.Context, from *Store, workspace string) (end func()) {
	ranges := w.ranges()
	if w.Grows() == 0 {
		ranges = make([]dialect.Range[R], 1)
	}
	var all []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		// After an error it is asked of the connection that there is.
		_ = from.spare(ctx, ranging(ctx, func(from *Store) (err error) {
			all, err = w.sumsOf(ctx, from, workspace, ranges)
			return err
		}))
	}()
	w.ahead = func() []string {
		<-done
		return all
	}
	return func() {
		<-done
		w.ahead = nil
	}
}

// catchUp passes over the ranges whose sums are not the same.
func (w *watched[R]) catchUp(
	ctx context.Context, from, to *Store, workspace string,
) (changed int, err error) {
	if w.there == nil {
		if err := w.remember(ctx, to, workspace); err != nil {
			return 0, err
		}
	}
	if w.Grows() == 0 {
		// Mostly all that is new is there by now: it came with what it hangs on.
		if rows, err := w.count(ctx, from, workspace); rows == w.rows || err != nil {
			return 0, err
		}
		if err := w.remember(ctx, to, workspace); err != nil {
			return 0, err
		}
	}
	ranges := w.ranges()
	here, err := w.here(ctx, from, workspace, ranges)
	if err != nil {
		return 0, err
	}
	var ends []*R
	var there []string
	for i, of := range ranges {
		sums := w.there[i]
		if here[i] != sums {
			n, more, err := w.catchUpRange(ctx, from, to, workspace, of)
			if changed += n; err != nil {
				return changed, err
			}
			ends, there = append(ends, more...), append(there, make([]string, len(more))...)
			sums = ""
		}
		if there = append(there, sums); of.UpTo != nil {
			ends = append(ends, of.UpTo)
		}
	}
	w.ends, w.there = ends, there
	return changed, nil
}

// count is how many rows there are in all, where nothing grows but their number.
func (w *watched[R]) count(ctx context.Context, s *Store, workspace string) (int, error) {
	counts, err := w.here(ctx, s, workspace, make([]dialect.Range[R], 1))
	if err != nil {
		return 0, err
	}
	return totalOf(counts)
}

// catchUpRange makes those rows of a range the same whose numbers are other ones, and returns where
// it is to be divided, since it has grown.
func (w *watched[R]) catchUpRange(
	ctx context.Context, from, to *Store, workspace string, of dialect.Range[R],
) (changed int, ends []*R, err error) {
	here, err := w.marks(ctx, from, workspace, of)
	if err != nil {
		return 0, nil, err
	}
	there, err := w.marks(ctx, to, workspace, of)
	if err != nil {
		return 0, nil, err
	}
	for i := rangeRows; i < len(here); i += rangeRows {
		ends = append(ends, here[i-1].row)
	}
	var rows []*R
	for len(here) > 0 || len(there) > 0 {
		var order int
		switch {
		case len(there) == 0:
			order = -1
		case len(here) == 0:
			order = 1
		default:
			order = compareArgs(here[0].key, there[0].key)
		}
		switch {
		case order > 0:
			rows = append(rows, there[0].row)
		case order < 0 || here[0].numbers != there[0].numbers:
			rows = append(rows, here[0].row)
		}
		if order <= 0 {
			here = here[1:]
		}
		if order >= 0 {
			there = there[1:]
		}
	}
	changed, err = w.withKeys(ctx, from, to, rows, w.differs)
	return changed, ends, err
}

// marked is a row of which only the key was read, and what only grows.
type marked[R any] struct {
	row     *R
	key     []any
	numbers string
}

func (w *watched[R]) marks(
	ctx context.Context, s *Store, workspace string, of dialect.Range[R],
) (all []marked[R], err error) {
	numbers := make([]string, w.Grows())
	statement, args := w.Marks(s.d.Dialect, workspace, of)
	err = s.many(ctx, statement, args, func(scan func(...any) error) error {
		m := marked[R]{row: w.Fresh()}
		dests := w.KeyDests(m.row)
		for i := range numbers {
			dests = append(dests, &numbers[i])
		}
		err := scan(dests...)
		m.key = w.KeyArgs(&dialect.SQLite, nil, m.row)
		m.numbers = strings.Join(numbers, " ")
		all = append(all, m)
		return err
	})
	return all, err
}

// timers are those of a conversation.
type timers struct {
	deadline, due int64 // in microseconds
	applied       string
}

// timersOf are those of all active conversations.
func (c *copying) timersOf(ctx context.Context, s *Store) (map[uuid.UUID]timers, error) {
	all := map[uuid.UUID]timers{}
	var id uuid.UUID
	var deadline, due dialect.Micros
	var applied dialect.Text
	dests := []any{(*dialect.ID)(&id), &deadline, &due, &applied}
	err := s.many(ctx, dialect.Timers, []any{c.workspace}, func(scan func(...any) error) error {
		err := scan(dests...)
		all[id] = timers{
			time.Time(deadline).UnixMicro(), time.Time(due).UnixMicro(), string(applied),
		}
		return err
	})
	return all, err
}

// summed is a watched table, whatever its rows are.
type summed interface {
	readAhead(ctx context.Context, from *Store, workspace string) (end func())
	remember(ctx context.Context, to *Store, workspace string) error
	same(ctx context.Context, from, to *Store, workspace string) (bool, error)
}

func (c *copying) summed() []summed {
	return []summed{c.contacts, c.conversations, c.addresses, c.keys, c.deliveries}
}

// remember finds out how all is in the store that is copied to, where that is not known.
func (c *copying) remember(ctx context.Context, to *Store) (err error) {
	for _, of := range c.summed() {
		if err := of.remember(ctx, to, c.workspace); err != nil {
			return err
		}
	}
	c.timers, err = c.timersOf(ctx, to)
	return err
}

// again reports whether all sums are the same in both stores where they were not.
func (c *copying) again(ctx context.Context, from *Store) (same bool, err error) {
	for _, of := range c.summed() {
		if same, err = of.same(ctx, from, c.to, c.workspace); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}
