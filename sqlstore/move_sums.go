package sqlstore

import (
	"context"
	"slices"
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
	passed []dialect.Range[R] // those that were passed over by the last catchUp
}

func watch[R any](of *dialect.Moved[R]) *watched[R] { return &watched[R]{table: table[R]{of}} }

// pass makes the ranges anew.
func (w *watched[R]) pass(
	ctx context.Context, from, to *Store, workspace string,
) (changed int, err error) {
	changed, w.ends, err = w.passOver(ctx, from, to, workspace, dialect.Range[R]{}, nil)
	return changed, err
}

func (w *watched[R]) ranges() []dialect.Range[R] {
	all := make([]dialect.Range[R], len(w.ends)+1)
	for i, end := range w.ends {
		all[i].UpTo, all[i+1].Behind = end, end
	}
	return all
}

// sums are those of all ranges, as text.
func (w *watched[R]) sums(ctx context.Context, s *Store, workspace string) ([]string, error) {
	return w.sumsOf(ctx, s, workspace, w.ranges())
}

// same reports whether the sums are the same in both stores where rows were passed over last.
func (w *watched[R]) same(
	ctx context.Context, from, to *Store, workspace string,
) (bool, error) {
	here, err := w.sumsOf(ctx, from, workspace, w.passed)
	if err != nil {
		return false, err
	}
	there, err := w.sumsOf(ctx, to, workspace, w.passed)
	return slices.Equal(here, there), err
}

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
		err := s.many(ctx, w.Sums(s.d.Dialect, some), w.SumsArgs(s.d.Dialect, workspace, some),
			func(scan func(...any) error) error {
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

// catchUp passes over the ranges whose sums are not the same.
func (w *watched[R]) catchUp(
	ctx context.Context, from, to *Store, workspace string, here, there []string,
) (changed int, err error) {
	var ends []*R
	w.passed = nil
	for i, of := range w.ranges() {
		if here[i] != there[i] {
			w.passed = append(w.passed, of)
			n, more, err := w.passOver(ctx, from, to, workspace, of, w.differ)
			ends = append(ends, more...)
			if changed += n; err != nil {
				return changed, err
			}
		}
		if of.UpTo != nil && (len(ends) == 0 || ends[len(ends)-1] != of.UpTo) {
			ends = append(ends, of.UpTo)
		}
	}
	w.ends = ends
	return changed, nil
}

// sums are those of all tables that are watched, and the timers of conversations.
type sums struct {
	contacts, conversations, addresses, keys, deliveries []string
	timers                                               map[uuid.UUID]timers
}

// timers are those of a conversation.
type timers struct {
	deadline, due int64 // in microseconds
	applied       string
}

func (c *copying) sumsOf(ctx context.Context, s *Store) (all *sums, err error) {
	all = &sums{timers: map[uuid.UUID]timers{}}
	for _, of := range [...]struct {
		to  *[]string
		add func(ctx context.Context, s *Store, workspace string) ([]string, error)
	}{
		{&all.contacts, c.contacts.sums}, {&all.conversations, c.conversations.sums},
		{&all.addresses, c.addresses.sums}, {&all.keys, c.keys.sums},
		{&all.deliveries, c.deliveries.sums},
	} {
		if *of.to, err = of.add(ctx, s, c.workspace); err != nil {
			return nil, err
		}
	}
	var id uuid.UUID
	var deadline, due dialect.Micros
	var applied dialect.Text
	dests := []any{(*dialect.ID)(&id), &deadline, &due, &applied}
	err = s.many(ctx, dialect.Timers, []any{c.workspace}, func(scan func(...any) error) error {
		err := scan(dests...)
		all.timers[id] = timers{
			time.Time(deadline).UnixMicro(), time.Time(due).UnixMicro(), string(applied),
		}
		return err
	})
	return all, err
}

// again reports whether all sums are the same in both stores where they were not.
func (c *copying) again(ctx context.Context, from *Store) (same bool, err error) {
	for _, of := range [...]interface {
		same(ctx context.Context, from, to *Store, workspace string) (bool, error)
	}{c.contacts, c.conversations, c.addresses, c.keys, c.deliveries} {
		if same, err = of.same(ctx, from, c.to, c.workspace); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}
