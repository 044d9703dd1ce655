package sqlstore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// sharing has those who come while another one of this process commits a message wait until it is
// done, and then share a statement: a trip and a write to the disk for all of them, not for each.
// Who comes while nobody is at work waits for nothing, and sends what it would send anyway. See
// writer for SQLite's way.
type sharing struct {
	send func(ctx context.Context, parts []dialect.SharedPart) (written int64, err error)
	room int // in bytes, for the parts of a statement
	// patience is how long one waits for another one's commit before somebody else leads: that may
	// wait for a row which a transaction of the host holds.
	patience time.Duration

	mu      sync.Mutex
	leader  int64 // at work; 0: nobody
	last    int64 // who led so far
	waiting []*sharer
}

// sharer is one who waits to share a statement.
type sharer struct {
	ctx          context.Context
	part         dialect.SharedPart
	conversation uuid.UUID
	key          convo.KeyID
	workspace    string       // of the key
	told         chan verdict // has room for one
	with         *shared      // what it is in; nil: it still waits, or is to lead
}

// verdict is what a sharer waits for.
type verdict struct {
	leader  int64 // it is to carry out its change by itself, as this leader
	written bool
}

// shared is a statement for several.
type shared struct {
	wanted atomic.Int64 // how many wait for it
	cancel context.CancelFunc
}

// sharePatience is about what a write to a slow disk takes.
const sharePatience = 10 * time.Millisecond

// sharedBytes bounds the parts of a statement.
const sharedBytes = 1 << 20

// share commits a change, perhaps together with those of others. alone commits it by itself.
func (s *Store) share(ctx context.Context, ch *convo.Change, alone func() error) error {
	sh := s.sharing
	if leader, ok := sh.lead(); ok {
		defer sh.end(leader)
		return alone()
	}
	w := &sharer{
		ctx: ctx, part: s.d.SharedPart(ch, s.outbox), conversation: ch.Conversation.ID,
		told: make(chan verdict, 1),
	}
	if w.part.Bytes > sh.room {
		return alone()
	}
	if len(ch.Keys) > 0 {
		w.workspace, w.key = ch.Contact.Workspace, ch.Keys[0].KeyID
	}
	v, err := sh.wait(w)
	switch {
	case v.leader > 0:
		defer sh.end(v.leader)
		if err != nil {
			return err
		}
		return alone()
	case v.written || err != nil && w.with == nil:
		return err
	case err == nil:
		return alone() // it says what is in the way, and finds out whether it is there already
	}
	return s.finish(ctx, []convo.Change{*ch}, err)
}

// lead makes the caller the leader, if there is none.
func (sh *sharing) lead() (leader int64, ok bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.leader != 0 {
		return 0, false
	}
	sh.last++
	sh.leader = sh.last
	return sh.leader, true
}

// end has those follow who wait behind a leader, unless another one leads by now.
func (sh *sharing) end(leader int64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.leader == leader {
		sh.next()
	}
}

// wait waits for the verdict. An error is the context's; if w is in a statement by then, that goes
// on for the others.
func (sh *sharing) wait(w *sharer) (verdict, error) {
	sh.mu.Lock()
	sh.waiting = append(sh.waiting, w)
	if sh.leader == 0 { // it has ended meanwhile
		sh.next()
	}
	sh.mu.Unlock()
	impatient := time.NewTimer(sh.patience)
	defer impatient.Stop()
	for {
		select {
		case v := <-w.told:
			return v, nil
		case <-impatient.C:
			sh.mu.Lock()
			if slices.Contains(sh.waiting, w) {
				sh.next()
			}
			sh.mu.Unlock()
			impatient.Reset(sh.patience)
			continue
		case <-w.ctx.Done():
		}
		sh.mu.Lock()
		i := slices.Index(sh.waiting, w)
		if i >= 0 {
			sh.waiting = slices.Delete(sh.waiting, i, i+1)
		}
		in := w.with
		sh.mu.Unlock()
		switch {
		case i >= 0:
			return verdict{}, w.ctx.Err()
		case in == nil: // it was to lead at the same moment
			return <-w.told, w.ctx.Err()
		}
		if in.wanted.Add(-1) == 0 {
			in.cancel()
		}
		return verdict{}, w.ctx.Err()
	}
}

// next has the next ones go on, if there are any: one by itself, several by a statement. The caller
// holds mu.
func (sh *sharing) next() {
	if sh.leader = 0; len(sh.waiting) == 0 {
		return
	}
	sh.last++
	sh.leader = sh.last
	batch := sh.take()
	if len(batch) == 1 {
		batch[0].told <- verdict{leader: sh.leader}
		return
	}
	// with the values of the first one; its end is not that of the others
	ctx, cancel := context.WithCancel(context.WithoutCancel(batch[0].ctx))
	in := &shared{cancel: cancel}
	in.wanted.Store(int64(len(batch)))
	for _, w := range batch {
		w.with = in
	}
	go sh.carryOut(ctx, in, batch, sh.leader)
}

// take takes those who wait, in their order, as far as they have room and their changes do not get
// in each other's way.
func (sh *sharing) take() (batch []*sharer) {
	length := 0
	var rest []*sharer
	for _, w := range sh.waiting {
		fits := len(batch) < dialect.MaxShared && length+w.part.Bytes <= sh.room &&
			!slices.ContainsFunc(batch, func(o *sharer) bool {
				return o.conversation == w.conversation ||
					w.key.ID != "" && o.key.ID == w.key.ID && o.workspace == w.workspace
			})
		if fits {
			batch = append(batch, w)
			length += w.part.Bytes
		} else {
			rest = append(rest, w)
		}
	}
	sh.waiting = rest
	return batch
}

// carryOut carries out a statement for a batch. It has a goroutine of its own, so that each can
// stop waiting for it; when nobody waits any more, it is broken off.
func (sh *sharing) carryOut(ctx context.Context, in *shared, batch []*sharer, leader int64) {
	defer in.cancel()
	defer sh.end(leader)
	told := false
	defer func() { // a driver panics: it will again, where the caller can recover
		if r := recover(); r != nil && !told {
			for _, w := range batch {
				w.told <- verdict{}
			}
		}
	}()
	parts := make([]dialect.SharedPart, len(batch))
	for i, w := range batch {
		parts[i] = w.part
	}
	written, err := sh.send(ctx, parts)
	told = true
	for i, w := range batch {
		w.told <- verdict{written: err == nil && written>>i&1 == 1}
	}
}

// sendShared sends a shared statement, and returns which of its parts were written.
func (s *Store) sendShared(ctx context.Context, parts []dialect.SharedPart) (int64, error) {
	class, args := s.d.Share(parts, s.outbox)
	written, err := s.d.one(s, ctx, s.composed(class), args)
	return int64(written), err
}
