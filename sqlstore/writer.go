package sqlstore

import (
	"context"
	"sync"

	"github.com/chatlifecycle/convo"
)

// writer has the writes of one process to a SQLite file go one after the other, which the file demands anyway, and the commits
// that wait for their turn meanwhile written in one transaction: they share its trip to the disk.
type writer struct {
	mu      sync.Mutex
	busy    bool
	waiting []*turn
}

// turn is one who waits.
type turn struct {
	changes []convo.Change // nil: wants to write alone
	ctx     context.Context
	next    chan verdict
}

// verdict ends the waiting: the changes were written by somebody else, with this result, or it is one's own turn.
type verdict struct {
	done bool
	err  error
}

// maxBatch bounds how many commits share a transaction.
const maxBatch = 64

// acquire waits until nobody else writes.
func (w *writer) acquire(ctx context.Context) (release func(), err error) {
	_, err = w.wait(&turn{ctx: ctx})
	return w.release, err
}

func (w *writer) wait(t *turn) (verdict, error) {
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return verdict{}, nil
	}
	t.next = make(chan verdict, 1)
	w.waiting = append(w.waiting, t)
	w.mu.Unlock()
	select {
	case v := <-t.next:
		return v, nil
	case <-t.ctx.Done():
	}
	w.mu.Lock()
	for i := range w.waiting {
		if w.waiting[i] == t {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			w.mu.Unlock()
			return verdict{}, t.ctx.Err()
		}
	}
	w.mu.Unlock()
	v := <-t.next // it is being written, or is its turn
	if !v.done {
		w.release()
		return v, t.ctx.Err()
	}
	return v, nil
}

// release gives the turn to whoever waits longest.
func (w *writer) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.busy = false
		return
	}
	t := w.waiting[0]
	w.waiting = w.waiting[1:]
	t.next <- verdict{}
}

// take returns the commits that wait in front, for whoever writes to write them as well.
func (w *writer) take() []*turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.waiting) && n < maxBatch-1 && w.waiting[n].changes != nil {
		n++
	}
	taken := append([]*turn(nil), w.waiting[:n]...)
	w.waiting = w.waiting[n:]
	return taken
}

// commitInTurn commits changes alone or, when others wait as well, together with theirs.
func (s *Store) commitInTurn(ctx context.Context, changes []convo.Change) error {
	v, err := s.writer.wait(&turn{changes: changes, ctx: ctx})
	switch {
	case err != nil:
		return err
	case v.done:
		return v.err
	}
	defer s.writer.release()
	others := s.writer.take()
	alone := func(ctx context.Context, changes []convo.Change) error {
		return s.transact(ctx, func(t *transaction) error { return t.commit(ctx, changes) })
	}
	if len(others) == 0 {
		return alone(ctx, changes)
	}
	turns := append([]*turn{{changes: changes, ctx: ctx}}, others...)
	errs := make([]error, len(turns))
	// One's own deadline must not end what others wait for.
	together := s.transact(context.WithoutCancel(ctx), func(t *transaction) error {
		t.savepoint = true
		for i, turn := range turns {
			errs[i] = s.refusal(t.commit(context.WithoutCancel(ctx), turn.changes))
			if errs[i] != nil && !isRefusal(errs[i]) {
				return errs[i]
			}
		}
		return nil
	})
	for i, turn := range turns {
		if together != nil { // then whoever is not to blame gets another chance
			errs[i] = turn.ctx.Err()
			if errs[i] == nil {
				errs[i] = alone(turn.ctx, turn.changes) //nolint:contextcheck // everyone waits under a context of their own
			}
		}
		if i > 0 {
			turn.next <- verdict{true, errs[i]}
		}
	}
	return errs[0]
}
