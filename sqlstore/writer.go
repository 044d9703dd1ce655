package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
)

// writer has the writes of one process to a SQLite file go one after the other, which the file
// demands anyway. Whoever has begun a transaction lends it to those who wait by then, one after the
// other, each in a goroutine of its own; then they all share one commit, and its trip to the disk.
type writer struct {
	// patience is SQLite's busy timeout: how long to wait while another connection has the lock.
	patience time.Duration

	mu      sync.Mutex
	busy    bool
	waiting []*turn
}

// turn is one who waits to write.
type turn struct {
	since time.Time         // it has been waiting
	alone bool              // lends to nobody, and borrows from nobody
	lent  chan *transaction // somebody's, or nil: begin one; one with gaveUp: give up, too
	back  chan struct{}     // the lent one is given back
	done  chan error        // whether a lent one was committed
}

// maxBatch bounds how many share a transaction.
const maxBatch = 64

// errAgain tells who has borrowed a transaction that it could not be committed.
var errAgain = errors.New("sqlstore: the shared transaction failed")

// write carries out f in a transaction when it is its turn. f may be carried out again, after what
// it did was undone.
func (s *Store) write(ctx context.Context, f func(*transaction) error) error {
	t := &turn{
		since: time.Now(), lent: make(chan *transaction, 1), back: make(chan struct{}, 1),
		done: make(chan error, 1),
	}
	for {
		lent, err := s.writer.wait(ctx, t)
		switch {
		case err != nil:
			return err
		case lent == nil:
			return s.lead(ctx, t, f)
		}
		err = s.refusal(t.borrow(ctx, lent, f))
		switch committed := <-t.done; {
		case committed == nil || err != nil && errors.Is(committed, convo.ErrCommitUnknown):
			return err
		case errors.Is(committed, convo.ErrCommitUnknown): // again might be twice
			return committed
		}
		t.alone = true // whoever spoiled it, from now on it is only one's own
	}
}

// borrow carries out f in somebody else's transaction, and gives it back.
func (t *turn) borrow(ctx context.Context, lent *transaction, f func(*transaction) error) error {
	defer func() { t.back <- struct{}{} }() // also when f panics
	if err := ctx.Err(); err != nil {
		return err
	}
	return lent.within(ctx, f)
}

// lead carries out f in a transaction of its own, and those of who waits by the time that it has
// begun in the same one.
func (s *Store) lead(ctx context.Context, t *turn, f func(*transaction) error) error {
	defer s.writer.release()
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := s.beginWriting(ctx, t.since)
	if err != nil {
		if errors.Is(err, errLocked) {
			s.writer.giveUp(err)
		}
		return err
	}
	var others []*turn
	if !t.alone {
		others = s.writer.take()
	}
	if len(others) == 0 {
		return b.run(ctx, f)
	}
	committed := errAgain
	defer func() { // also when f panics
		for _, o := range others {
			o.done <- committed
		}
	}()
	waiting := others
	lend := func(x *transaction) {
		o := waiting[0]
		waiting = waiting[1:]
		o.lent <- x
		<-o.back
	}
	defer func() {
		for len(waiting) > 0 { // whose turn did not come
			lend(&transaction{broken: true})
		}
	}()
	var own error
	// One's own deadline must not end what others wait for.
	err = b.run(context.WithoutCancel(ctx), func(x *transaction) error {
		for own = x.within(ctx, f); len(waiting) > 0 && !x.broken; {
			lend(x)
		}
		if x.broken {
			return errAgain
		}
		return nil
	})
	switch {
	case err == nil:
		committed = nil
		return s.refusal(own)
	case errors.Is(err, convo.ErrCommitUnknown):
		committed = err
		return cmp.Or(s.refusal(own), err)
	}
	if b, err = s.beginWriting(ctx, time.Now()); err != nil {
		return err
	}
	return b.run(ctx, f)
}

// wait waits for the turn, and returns the transaction that is lent, or nil when one is to begin
// one's own.
func (w *writer) wait(ctx context.Context, t *turn) (*transaction, error) {
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return nil, nil
	}
	w.waiting = append(w.waiting, t)
	w.mu.Unlock()
	select {
	case lent := <-t.lent:
		if lent != nil && lent.gaveUp != nil {
			return nil, lent.gaveUp
		}
		return lent, nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	i := slices.Index(w.waiting, t)
	if i >= 0 {
		w.waiting = slices.Delete(w.waiting, i, i+1)
	}
	w.mu.Unlock()
	if i >= 0 {
		return nil, ctx.Err()
	}
	lent := <-t.lent // it is about to come; who has it finds out about the context
	if lent != nil && lent.gaveUp != nil {
		return nil, lent.gaveUp
	}
	return lent, nil
}

// expired says whether whoever has waited since then has done so for about one busy timeout.
func (w *writer) expired(since time.Time) bool { return time.Since(since) >= w.patience*9/10 }

// left is how long somebody goes on waiting for the lock who has waited since then: in any case a
// little, for it may be free by now.
func (w *writer) left(since time.Time) time.Duration {
	return max(w.patience-time.Since(since), w.patience/10)
}

// giveUp has those give up, too, who have waited for one busy timeout.
func (w *writer) giveUp(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = slices.DeleteFunc(w.waiting, func(t *turn) bool {
		if !w.expired(t.since) {
			return false
		}
		t.lent <- &transaction{gaveUp: why}
		return true
	})
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
	w.waiting = slices.Delete(w.waiting, 0, 1)
	t.lent <- nil
}

// take returns those who wait in front, as far as they borrow.
func (w *writer) take() []*turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.waiting) && n < maxBatch-1 && !w.waiting[n].alone {
		n++
	}
	taken := slices.Clone(w.waiting[:n])
	w.waiting = slices.Delete(w.waiting, 0, n)
	return taken
}
