package convo

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns has the calls of one process that are for the same Ref follow one another, where the store
// would let all of them begin and all but one lose the race. It spares trips and guards nothing:
// the versions in the store do. It is safe for concurrent use; nil gives nobody a turn.
type turns struct {
	mu      sync.Mutex
	waiting map[Ref][]chan struct{} // behind the call whose turn it is
}

// patience is how long a call waits for its turn. Then it goes on without, for that may be held by
// whoever waits for this call: by a guard that calls the engine, say.
const patience = time.Second

func turnsFor(s Store) *turns {
	if locker, ok := s.(Locker); !ok || locker.LockFirst() {
		return nil // nothing is gained where writers take turns anyway
	}
	return &turns{waiting: map[Ref][]chan struct{}{}}
}

// take waits for the turn of a call, and reports whether it has it, to pass on.
func (t *turns) take(ctx context.Context, to *Ref) (taken bool, err error) {
	if t == nil {
		return false, nil
	}
	t.mu.Lock()
	queue, busy := t.waiting[*to]
	if !busy {
		t.waiting[*to] = nil
		t.mu.Unlock()
		return true, nil
	}
	turn := make(chan struct{})
	t.waiting[*to] = append(queue, turn)
	t.mu.Unlock()
	impatient := time.NewTimer(patience)
	defer impatient.Stop()
	select {
	case <-turn:
		return true, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-impatient.C:
	}
	if t.leave(to, turn) {
		return false, err
	}
	if err != nil { // it was given the turn at the same moment
		t.pass(to)
		return false, err
	}
	return true, nil
}

// leave gives a place in the queue up, and reports whether it was still there.
func (t *turns) leave(to *Ref, turn chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.waiting[*to]
	at := slices.Index(queue, turn)
	if at < 0 {
		return false
	}
	t.waiting[*to] = slices.Delete(queue, at, at+1)
	return true
}

// pass has the next call take its turn.
func (t *turns) pass(to *Ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.waiting[*to]
	if len(queue) == 0 {
		delete(t.waiting, *to)
		return
	}
	close(queue[0])
	t.waiting[*to] = slices.Delete(queue, 0, 1)
}
