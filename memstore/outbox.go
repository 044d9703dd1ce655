package memstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

var _ relay.Store = (*Store)(nil)

// Option configures a Store.
type Option func(*Store)

// WithOutbox has the store note in an outbox that there are events: see package relay. Without a
// relay the notes only become more.
func WithOutbox() Option {
	return func(s *Store) {
		if s.outbox == nil {
			s.outbox = &outbox{
				notes: map[relay.Stream]*note{}, queues: map[relay.Queue]*queued{},
			}
		}
	}
}

type outbox struct {
	notes  map[relay.Stream]*note
	queues map[relay.Queue]*queued
	feeds  map[string]*feed // of each workspace; nil: the store keeps none
}

// note is which events of a stream are new.
type note struct {
	from, to int64
	since    time.Time
}

// queued is what waits in a queue, or a dead letter.
type queued struct {
	note
	tries int
	due   time.Time // zero of a dead letter
	lease uuid.UUID
	err   string
}

func (q *queued) dead() bool { return q.due.IsZero() }

// note notes the events of a change.
func (o *outbox) note(events []convo.Event) {
	for i := range events {
		e := &events[i]
		of := relay.StreamOf(e)
		n := o.notes[of]
		if n == nil {
			of.Workspace, of.Contact = strings.Clone(of.Workspace), strings.Clone(of.Contact)
			n = &note{from: e.Seq, since: e.At}
			o.notes[of] = n
		}
		n.to = e.Seq
	}
}

// withOutbox locks the store, and calls f with what it notes.
func (s *Store) withOutbox(ctx context.Context, f func(o *outbox) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outbox == nil {
		return relay.ErrNoOutbox
	}
	return f(s.outbox)
}

// Noted implements relay.Store.
func (s *Store) Noted(
	ctx context.Context, after relay.Stream, limit int,
) (all []relay.Stream, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		for of := range o.notes {
			if of.Compare(after) > 0 {
				all = append(all, of)
			}
		}
		slices.SortFunc(all, relay.Stream.Compare)
		all = all[:min(limit, len(all))]
		return nil
	})
	return all, err
}

// Queue implements relay.Store.
func (s *Store) Queue(
	ctx context.Context, now time.Time, streams []relay.Stream, targets map[string][]string,
) (n int, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		for _, of := range streams {
			noted := o.notes[of]
			if noted == nil {
				continue
			}
			for _, target := range targets[of.Workspace] {
				k := relay.Queue{Target: strings.Clone(target), Stream: of}
				if q := o.queues[k]; q != nil {
					q.to = noted.to
				} else {
					o.queues[k] = &queued{note: *noted, due: now}
				}
			}
			if o.feeds != nil {
				o.feed(of, noted, now)
			}
			delete(o.notes, of)
			n++
		}
		return nil
	})
	return n, err
}

// Claim implements relay.Store.
func (s *Store) Claim(ctx context.Context, c relay.Claim) (all []relay.Claimed, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		var due []relay.Queue
		for k, q := range o.queues {
			except := relay.TargetOf{Workspace: k.Workspace, Target: k.Target}
			if !q.dead() && !q.due.After(c.Now) && !slices.Contains(c.Except, except) {
				due = append(due, k)
			}
		}
		slices.SortFunc(due, func(a, b relay.Queue) int {
			return cmp.Or(o.queues[a].due.Compare(o.queues[b].due), a.Compare(b))
		})
		for _, k := range due[:min(c.Limit, len(due))] {
			q := o.queues[k]
			q.lease, q.due = c.Lease, c.Until
			x := relay.Claimed{
				Queue: k, Lease: c.Lease, From: q.from, To: q.to, Tries: q.tries,
			}
			x.Read = q.to
			if w := s.workspaces[k.Workspace]; w != nil {
				x.Events = w.streamed(k.Stream, q.from, q.to, c.MaxEvents)
			}
			if n := len(x.Events); n == c.MaxEvents {
				x.Read = x.Events[n-1].Seq
			}
			all = append(all, x)
		}
		return nil
	})
	return all, err
}

// streamed are up to limit events of a stream, by their Seq.
func (w *workspace) streamed(of relay.Stream, from, to int64, limit int) (all []convo.Event) {
	take := func(e *convo.Event) bool {
		if e.Seq >= from && e.Seq <= to {
			all = append(all, taken(e))
		}
		return e.Seq < to && len(all) < limit
	}
	if c := w.conversations[of.Conversation]; c != nil {
		c.events(from-1, take)
	} else if k := w.contacts[of.Contact]; k != nil {
		k.events(take)
	}
	return all
}

// Settle implements relay.Store.
func (s *Store) Settle(
	ctx context.Context, now time.Time, done []relay.Settled,
) (n int, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		for i := range done {
			d := &done[i]
			q := o.queues[d.Queue]
			if q == nil || q.dead() || q.lease != d.Lease {
				continue
			}
			n++
			q.lease = uuid.Nil
			if d.Next > q.from || d.Dead {
				q.since = now
			}
			q.from, q.tries, q.err, q.due = d.Next, d.Tries, d.Error, now
			switch {
			case d.Dead && d.Letter != 0:
				q.due = time.Time{}
			case d.Dead:
				letter := d.Queue
				letter.Letter = d.Next
				o.queues[letter] = &queued{
					note: note{d.Next, d.Next, now}, tries: d.Tries, err: d.Error,
				}
				q.from, q.tries, q.err = d.Next+1, 0, ""
			case d.Error != "":
				q.due = d.Due
			}
			if q.from > q.to {
				delete(o.queues, d.Queue)
			}
		}
		return nil
	})
	return n, err
}

// DeadLetters implements relay.Store.
func (s *Store) DeadLetters(
	ctx context.Context, f relay.DeadLetterFilter,
) (all []relay.DeadLetter, err error) {
	if f, err = f.Canonical(); err != nil {
		return nil, err
	}
	err = s.withOutbox(ctx, func(o *outbox) error {
		for k, q := range o.queues {
			id := k.DeadLetter()
			if !q.dead() || k.Workspace != f.Workspace || f.Target != "" && k.Target != f.Target ||
				f.After != (relay.DeadLetterID{}) && id.Compare(f.After) <= 0 {
				continue
			}
			all = append(all, relay.DeadLetter{
				DeadLetterID: id, Tries: q.tries, At: q.since, Error: q.err,
			})
		}
		slices.SortFunc(all, func(a, b relay.DeadLetter) int {
			return a.Compare(b.DeadLetterID)
		})
		all = all[:min(f.Limit, len(all))]
		return nil
	})
	return all, err
}

// Revive implements relay.Store.
func (s *Store) Revive(
	ctx context.Context, now time.Time, letters []relay.DeadLetterID,
) (n int, err error) {
	return s.letters(ctx, letters, func(_ *outbox, _ relay.Queue, q *queued) {
		q.due, q.tries, q.err, q.since = now, 0, "", now
	})
}

// Bury implements relay.Store.
func (s *Store) Bury(ctx context.Context, letters []relay.DeadLetterID) (n int, err error) {
	return s.letters(ctx, letters, func(o *outbox, k relay.Queue, _ *queued) {
		delete(o.queues, k)
	})
}

// letters calls f for those dead letters that are there.
func (s *Store) letters(
	ctx context.Context, letters []relay.DeadLetterID, f func(*outbox, relay.Queue, *queued),
) (n int, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		for _, id := range letters {
			k := id.Queue()
			if q := o.queues[k]; q != nil && q.dead() {
				f(o, k, q)
				n++
			}
		}
		return nil
	})
	return n, err
}

// Backlog implements relay.Store.
func (s *Store) Backlog(ctx context.Context) (b relay.Backlog, err error) {
	err = s.withOutbox(ctx, func(o *outbox) error {
		older := func(t time.Time) {
			if b.Oldest.IsZero() || t.Before(b.Oldest) {
				b.Oldest = t
			}
		}
		for _, n := range o.notes {
			b.Noted++
			older(n.since)
		}
		for _, q := range o.queues {
			switch {
			case q.dead():
				b.Dead++
				continue
			case q.err != "":
				b.Failed++
			}
			b.Queued++
			older(q.since)
		}
		for _, n := range [...]*int{&b.Noted, &b.Queued, &b.Failed, &b.Dead} {
			*n = min(*n, relay.MaxBacklog)
		}
		return nil
	})
	return b, err
}
