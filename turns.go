package convo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// turns has the calls of one process that are for the same Ref follow one another, for else all but
// one would lose the race, or wait for the store's lock. Whose turn it is may decide the calls that
// wait behind it together with its own, so that they share its commit. It guards nothing: the
// versions in the store do. It is safe for concurrent use; nil gives nobody a turn.
type turns struct {
	store    Locker
	patience time.Duration
	mu       sync.Mutex
	waiting  map[Ref][]*waiting // behind the call whose turn it is
}

// waiting is a call that waits for its turn.
type waiting struct {
	// cmds may be decided with those of the call whose turn it is; none: it must decide by itself.
	cmds []Command
	told chan answer // has room for one
	// reading is held while cmds are read by another call. gone: its caller does not wait for it
	// any more; it is written by who holds mu of the turns, too.
	reading sync.Mutex
	gone    bool
	// result is as another call has decided it, and is not committed yet.
	result Result
}

// answer is what a call waits for: its turn, or what came of it.
type answer struct {
	turn   bool
	result Result
	err    error
}

// A call waits so long for its turn. Then it goes on without, for that may be held by whoever waits
// for this call: by a guard that calls the engine, say. Where the first try locks, a turn is short,
// and whoever has a longer one waits for the lock itself, which the others had better do, too: who
// gives up waiting for that, does so no later than without turns.
const (
	patience       = time.Second
	patienceToLock = patience / 20
)

// maxJoined is how many calls are decided with one.
const maxJoined = 32

func turnsFor(s Store) *turns {
	locker, ok := s.(Locker)
	if !ok {
		return nil // in memory a commit costs less than to wait for it
	}
	t := &turns{store: locker, patience: patience, waiting: map[Ref][]*waiting{}}
	if locker.LockFirst() {
		t.patience = patienceToLock
	}
	return t
}

// take waits for the turn of a call. taken: it has it, to pass on. done: another call has decided
// cmds with its own, and a holds what came of that. Neither: it goes on without a turn.
func (t *turns) take(
	ctx context.Context, to *Ref, cmds []Command,
) (a answer, taken, done bool) {
	if t == nil || t.store.IsLocked(ctx) {
		return answer{}, false, false
	}
	if err := ctx.Err(); err != nil { // or another call might decide what nobody asks for any more
		return answer{err: err}, false, true
	}
	t.mu.Lock()
	queue, busy := t.waiting[*to]
	if !busy {
		t.waiting[*to] = nil
		t.mu.Unlock()
		return answer{}, true, false
	}
	// a copy, so that the caller's need not live on the heap when there is nobody to wait for
	w := &waiting{cmds: slices.Clone(cmds), told: make(chan answer, 1)}
	t.waiting[*to] = append(queue, w)
	t.mu.Unlock()
	impatient := time.NewTimer(t.patience)
	defer impatient.Stop()
	for {
		select {
		case a = <-w.told:
			return a, a.turn, !a.turn
		case <-impatient.C:
			if t.leave(to, w) {
				return answer{}, false, false
			}
			impatient.Reset(t.patience) // it may be given back
		case <-ctx.Done():
			return t.giveUp(ctx, to, w)
		}
	}
}

// leave gives a place in the queue up, and reports whether it was still there.
func (t *turns) leave(to *Ref, w *waiting) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.remove(to, w)
}

// remove is leave for who holds mu.
func (t *turns) remove(to *Ref, w *waiting) bool {
	queue := t.waiting[*to]
	at := slices.Index(queue, w)
	if at < 0 {
		return false
	}
	t.waiting[*to] = slices.Delete(queue, at, at+1)
	return true
}

// giveUp is the end of a call whose caller stops waiting. When it is in the queue no more, it may
// be in another one's commit by now, or be given its turn at the same moment.
func (t *turns) giveUp(ctx context.Context, to *Ref, w *waiting) (a answer, taken, done bool) {
	t.mu.Lock()
	waits := t.remove(to, w)
	if !waits {
		w.leaves()
	}
	t.mu.Unlock()
	if waits {
		return answer{err: ctx.Err()}, false, true
	}
	select {
	case a = <-w.told:
		if a.turn {
			t.pass(to)
			a = answer{err: ctx.Err()}
		}
	default:
		a.err = fmt.Errorf("convo: %w: %w", ErrCommitUnknown, ctx.Err())
	}
	return a, false, true
}

// leaves has nobody read its commands any more: they are the caller's again.
func (w *waiting) leaves() {
	w.reading.Lock()
	w.gone = true
	w.reading.Unlock()
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
	queue[0].told <- answer{turn: true}
	t.waiting[*to] = slices.Delete(queue, 0, 1)
}

// join takes the calls that wait next out of the queue, as far as they may be decided together with
// one that has n commands and with those in joined, and returns all of them.
func (t *turns) join(to *Ref, n int, joined []*waiting) []*waiting {
	for _, w := range joined {
		n += len(w.cmds)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.waiting[*to]
	i := 0
	for ; i < len(queue) && len(joined) < maxJoined; i++ {
		w := queue[i]
		if n += len(w.cmds); len(w.cmds) == 0 || n > MaxCommands {
			break
		}
		joined = append(joined, w)
	}
	t.waiting[*to] = slices.Delete(queue, 0, i)
	return joined
}

// giveBack has calls that were joined wait for their turns again, before all others; alone: then
// each is to decide by itself.
func (t *turns) giveBack(to *Ref, joined []*waiting, alone bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var back []*waiting
	for _, w := range joined {
		if alone {
			w.cmds = nil
		}
		if !w.gone {
			back = append(back, w)
		}
	}
	t.waiting[*to] = append(back, t.waiting[*to]...)
}
