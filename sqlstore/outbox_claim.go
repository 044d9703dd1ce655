package sqlstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Claim implements relay.Store.
func (s *Store) Claim(ctx context.Context, c relay.Claim) (all []relay.Claimed, err error) {
	args := []any{c.Now.UnixMicro()}
	for _, of := range c.Except {
		args = append(args, of.Workspace, of.Target)
	}
	args = append(args, c.Limit)
	err = s.withOutbox(ctx, func(s *Store) error {
		all = all[:0] // it may be another try
		var w dialect.Waiting
		dests := dialect.Queue.Read.Dests(nil, &w)
		err := s.rows(ctx, s.d.Claimable(len(c.Except)), args,
			func(scan func(...any) error) error {
				err := scan(dests...)
				all = append(all, relay.Claimed{
					Queue: w.Queue, Lease: c.Lease, From: w.Next, To: w.Last, Tries: w.Tries,
				})
				return err
			})
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(a, b relay.Claimed) int { return a.Compare(b.Queue) })
		for some := range slices.Chunk(all, streamsAtOnce) {
			var args []any
			for i := range some {
				args = s.d.QueueArgs(args, &some[i].Queue)
			}
			args, places := padded(args, 5)
			args = append([]any{s.d.ID(c.Lease), c.Until.UnixMicro()}, args...)
			if _, err := s.tx.exec(ctx, s.d.Lease(places), args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.readStreams(ctx, all, int64(c.MaxEvents)); err != nil {
		return nil, err // what was not read must not count as read
	}
	return s.stillHeld(ctx, all)
}

// stillHeld leaves out the logs of contacts that were erased after they were leased and before they
// were read: a new contact may have the id by now, and what was read be the middle of its log.
func (s *Store) stillHeld(
	ctx context.Context, all []relay.Claimed,
) (held []relay.Claimed, err error) {
	const each = 6
	var own []any
	for i := range all {
		if c := &all[i]; c.Conversation == uuid.Nil {
			own = append(s.d.QueueArgs(own, &c.Queue), s.d.ID(c.Lease))
		}
	}
	found := map[relay.Queue]bool{}
	s = s.within(ctx)
	var w dialect.Waiting
	dests := dialect.Queue.Read.Dests(nil, &w)
	for some := range slices.Chunk(own, each*s.placesAtOnce(each)) {
		args, places := padded(some, each)
		err := s.rows(ctx, s.d.Held(places), args, func(scan func(...any) error) error {
			err := scan(dests...)
			found[w.Queue] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(c relay.Claimed) bool {
		return c.Conversation == uuid.Nil && !found[c.Queue]
	}), nil
}

// readStreams reads the events of claims: of conversations, whose Seqs have no gaps, many at once.
func (s *Store) readStreams(ctx context.Context, all []relay.Claimed, most int64) error {
	s = s.within(ctx)
	by := map[relay.Stream][]*relay.Claimed{} // for several targets, each from elsewhere
	var of []any
	read := func() error {
		if len(of) == 0 {
			return nil
		}
		args, places := padded(of, 4)
		events, err := eventsOf(ctx, s, (*Store).rows, nil, dialect.Events,
			dialect.StreamedEvents(places), args...)
		for i := range events {
			e := &events[i]
			for _, c := range by[relay.StreamOf(e)] {
				n := len(c.Events)
				if e.Seq >= c.From && e.Seq <= c.Read && (n == 0 || c.Events[n-1].Seq < e.Seq) {
					c.Events = append(c.Events, *e)
				}
			}
		}
		of = of[:0]
		clear(by)
		return err
	}
	for i := range all {
		c := &all[i]
		if c.Conversation == uuid.Nil {
			if err := s.readOwn(ctx, c, most); err != nil {
				return err
			}
			continue
		}
		c.Read = min(c.To, c.From+most-1)
		by[c.Stream] = append(by[c.Stream], c)
		of = append(of, c.Workspace, s.d.ID(c.Conversation), c.From, c.Read)
		if len(of) == 4*streamsAtOnce {
			if err := read(); err != nil {
				return err
			}
		}
	}
	return read()
}

// readOwn reads the events of a contact itself.
func (s *Store) readOwn(ctx context.Context, c *relay.Claimed, most int64) (err error) {
	c.Events, err = eventsOf(ctx, s, (*Store).rows, nil, dialect.ContactEvents,
		dialect.StreamedOwnEvents, c.Workspace, c.Contact, c.From, c.To, most)
	c.Read = c.To
	if n := len(c.Events); int64(n) == most {
		c.Read = c.Events[n-1].Seq
	}
	return err
}
