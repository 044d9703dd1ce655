package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/housekeeping"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Rollups are sums over events, by slots of time, so that a report need not read each event. Which
// events are in none yet is noted for each conversation, in convo_rollup_queue; a report reads them
// beside the rollups. So rollups never make a report stale, only quicker.

// DefaultRollup is how many conversations Rollup takes with limit 0. Meanwhile they are held: a
// command for one of them waits.
const DefaultRollup = 1_000

// rollupVersion says what the rollups of a workspace have rows of. It is raised with every change
// of the measures and dimensions that package report declares to be in rollups. Rollups of another
// version are not read; Rollup makes older ones anew, and leaves newer ones to newer programs.
const rollupVersion = 5

// rollupTurn is the workspace at which the last call of Rollup was. It is safe for concurrent use.
type rollupTurn struct {
	mu   sync.Mutex
	last string
}

func (t *rollupTurn) get() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

func (t *rollupTurn) set(workspace string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = workspace
}

// Rollup adds events to the rollups, which make long reports quick, and returns of how many
// conversations: of each workspace those that have events which are not in them yet, until limit
// conversations are taken (0: DefaultRollup). more says that the limit ended it, so that there may
// be more. The next call of s goes on with the workspace after the one where this one ended, so
// that a busy workspace keeps no other one waiting. A conversation that a command holds just now is
// left to a later call.
//
// It also lists closed conversations by assignee, team, channel, lane and category.
//
// Call it in the background, every minute or so, and again while it says that there is more;
// without it, reports and lists are right as well. n conversations are in the rollups also if it
// fails: each workspace is a transaction of its own. Several calls may run at once, also in several
// processes; one that was overtaken in a workspace fails with convo.ErrConflict. A negative limit
// is a *convo.ValidationError.
func (s *Store) Rollup(ctx context.Context, limit int) (n int, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	if limit < 0 {
		return 0, false, &convo.ValidationError{Field: "limit", Rule: "must not be negative"}
	}
	if limit == 0 {
		limit = DefaultRollup
	}
	first := s.turn.get()
	for workspace, wrapped := first, false; n < limit; {
		next, found, err := s.pendingAfter(ctx, workspace)
		switch {
		case err != nil:
			return n, false, err
		case wrapped && (!found || next > first): // where it began
			return n, false, nil
		case !found:
			workspace, wrapped = "", true
			continue
		}
		workspace = next
		s.turn.set(workspace) // also if it fails: others are not to wait for it
		taken := 0
		err = housekeeping.Do(ctx, workspace, func(ctx context.Context) (err error) {
			taken, err = s.rollupOf(ctx, workspace, limit-n)
			return err
		})
		if err != nil {
			return n, false, err
		}
		n += taken
	}
	return n, true, nil
}

// rollupOf is Rollup of a workspace.
func (s *Store) rollupOf(
	ctx context.Context, workspace string, limit int,
) (taken int, err error) {
	err = s.holdRollups(ctx, workspace, func(s *Store, version int64) (err error) {
		switch {
		case version > rollupVersion:
			return nil
		case version < rollupVersion:
			if err := s.resetRollups(ctx, workspace); err != nil {
				return err
			}
		}
		taken, err = s.rollup(ctx, workspace, limit)
		return err
	})
	return taken, err
}

// pendingAfter is the first workspace after another one that has events which are in no rollup.
func (s *Store) pendingAfter(
	ctx context.Context, workspace string,
) (next string, found bool, err error) {
	found, err = s.row(ctx, "SELECT workspace FROM convo_rollup_queue WHERE workspace > ? "+
		"ORDER BY workspace LIMIT 1", []any{workspace}, []any{(*dialect.Text)(&next)})
	return next, found, err
}

// versionRow is the row that stands for all rollups of a workspace, in whose version they are.
const (
	versionRow   = ` FROM convo_rollups WHERE ` + isVersionRow
	isVersionRow = `workspace = ? AND dimension = '' AND subject = -1
	AND slot_micros = 0 AND slot_number = 0 AND dimension_value = ''`
)

// heldVersion selects the version of the rollups of a workspace, and holds them.
func (s *Store) heldVersion() string {
	if s.d.Lock == "" {
		return "SELECT version" + versionRow
	}
	return "SELECT version" + versionRow + " FOR UPDATE"
}

// holdRollups has f run in a transaction in which no other one changes the rollups of a workspace,
// and tells it their version.
func (s *Store) holdRollups(
	ctx context.Context, workspace string, f func(s *Store, version int64) error,
) error {
	read := s.heldVersion()
	run := func(t *transaction) error {
		w := *s
		w.tx = t
		for {
			var version dialect.Int
			found, err := w.row(ctx, read, []any{workspace}, []any{&version})
			if err != nil {
				return err
			}
			if found {
				return f(&w, int64(version))
			}
			inserted, err := t.insert(ctx, `INSERT INTO convo_rollups (workspace, dimension,
			subject, slot_micros, slot_number, dimension_value, version)
			VALUES (?, '', -1, 0, 0, '', ?)`, workspace, rollupVersion)
			if err != nil {
				return err
			}
			if inserted { // else another transaction has just inserted it: wait for that
				return f(&w, rollupVersion)
			}
		}
	}
	if s.writer != nil {
		return s.write(ctx, run)
	}
	return s.transact(ctx, run)
}

// conversationsAtOnce is of how many conversations the events are read with a statement that lists
// them.
const conversationsAtOnce = 200

// among says which rows of the queue are of conversations that were taken, in ascending order.
// Where nobody else writes meanwhile these are all from the first to the last: no list is needed.
func (s *Store) among(column string, taken []any) (where string, args []any) {
	if s.d.LockFree() == "" {
		return column + " >= ? AND " + column + " <= ?", []any{taken[0], taken[len(taken)-1]}
	}
	return column + " IN (" + dialect.Placeholders(len(taken)) + ")", taken
}

// rollup takes conversations of a workspace, adds their events up that are in no rollup, and notes
// that they are.
func (s *Store) rollup(ctx context.Context, workspace string, limit int) (n int, err error) {
	waiting, err := s.ids(ctx, "SELECT conversation FROM convo_rollup_queue WHERE workspace = ? "+
		"ORDER BY conversation LIMIT ?", workspace, limit)
	if err != nil {
		return 0, err
	}
	if len(waiting) == 0 {
		return 0, nil
	}
	atOnce := conversationsAtOnce
	if s.d.LockFree() == "" {
		atOnce = len(waiting)
	}
	sums := newRollupSums(true)
	var held [][]any
	for chunk := range slices.Chunk(waiting, atOnce) {
		if s.d.LockFree() != "" {
			// What a command is about to note is noted or seen here, for it holds its conversation.
			chunk, err = s.ids(ctx, "SELECT id FROM convo_conversations WHERE workspace = ? "+
				"AND id IN ("+dialect.Placeholders(len(chunk))+")"+s.d.LockFree(),
				append([]any{workspace}, chunk...)...)
			if err != nil {
				return 0, err
			}
		}
		if len(chunk) == 0 {
			continue
		}
		held, n = append(held, chunk), n+len(chunk)
		where, args := s.among("rq.conversation", chunk)
		err := s.readReported(ctx, onlyPending, "rq.workspace = ? AND "+where,
			append([]any{workspace}, args...), sums.addEntry)
		if err != nil {
			return 0, err
		}
	}
	if n == 0 {
		return 0, nil
	}
	if err := s.addRollups(ctx, workspace, sums); err != nil {
		return 0, err
	}
	noted := int64(0)
	for _, chunk := range held {
		// What leaves the queue is no longer looked for in it by lists of closed ones.
		for some := range slices.Chunk(chunk, conversationsAtOnce) {
			_, err := s.change(ctx, s.d.InsertClosed(len(some)), append([]any{workspace}, some...))
			if err != nil {
				return 0, err
			}
		}
		where, args := s.among("conversation", chunk)
		m, err := s.change(ctx, "DELETE FROM convo_rollup_queue WHERE workspace = ? AND "+where,
			append([]any{workspace}, args...))
		if err != nil {
			return 0, err
		}
		noted += m
	}
	if noted != int64(n) {
		return 0, fmt.Errorf("sqlstore: %w: another call rolled conversations up meanwhile",
			convo.ErrConflict)
	}
	return n, nil
}

// ids are the ids that a statement finds, as arguments.
func (s *Store) ids(ctx context.Context, statement string, args ...any) (all []any, err error) {
	var id uuid.UUID
	err = s.read(ctx, statement, args, func(scan func(...any) error) error {
		err := scan((*dialect.ID)(&id))
		all = append(all, s.d.ID(id))
		return err
	})
	return all, err
}

// readReported reads what rollups need of the events that reports count, of those that pending lets
// through. The entry is valid until f returns.
func (s *Store) readReported(
	ctx context.Context, pending pending, where string, args []any, f func(*report.Entry),
) error {
	var y report.Entry
	q := &selection{d: s.d, source: reported, pending: pending}
	q.addEntry(&y, rolledColumns)
	q.where, q.args = where+" AND "+inKinds(reported.all()), args
	return s.read(ctx, q.statement(), q.args, func(scan func(...any) error) error {
		if err := scan(q.dests...); err != nil {
			return err
		}
		f(&y)
		return nil
	})
}

// change runs a statement that is put together for its arguments, and returns how many rows it
// changed.
func (s *Store) change(ctx context.Context, statement string, args []any) (int64, error) {
	r, err := s.tx.tx.ExecContext(ctx, s.d.Text(statement, s.prefix), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
