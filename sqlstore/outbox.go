package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

var _ relay.Store = (*Store)(nil)

// streamsAtOnce bounds the streams and queues that one statement lists, and with them its length:
// each is up to twelve arguments.
const streamsAtOnce = 50

// outboxPlaces are how many places such a statement may have. As many texts are kept prepared: to
// read and plan a new one takes longer than to carry it out.
var outboxPlaces = [...]int{5, 20, streamsAtOnce}

// placesFor is how many places a statement has that lists so many.
func placesFor(n int) int {
	for _, places := range outboxPlaces {
		if n <= places {
			return places
		}
	}
	panic(fmt.Sprintf("sqlstore: a statement for %d streams", n))
}

// placesAtOnce is how many places a statement has at most of which each is so many arguments.
func (s *Store) placesAtOnce(each int) (most int) {
	for _, places := range outboxPlaces {
		if places <= s.d.AtOnce(streamsAtOnce, each, 0) {
			most = places
		}
	}
	return most
}

// padded repeats the last of some rows, which have so many arguments each, until all places of a
// statement are taken. Who is listed twice is found once.
func padded(args []any, each int) (full []any, places int) {
	n := len(args) / each
	last := args[len(args)-each:]
	places = placesFor(n)
	for range places - n {
		args = append(args, last...)
	}
	return args, places
}

// withOutbox has f work in a transaction of its own, unless s has one already.
func (s *Store) withOutbox(ctx context.Context, f func(s *Store) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.outbox {
		return relay.ErrNoOutbox
	}
	s = s.within(ctx)
	if s.tx != nil {
		return f(s)
	}
	return s.inTransaction(ctx, f)
}

// Noted implements relay.Store.
func (s *Store) Noted(
	ctx context.Context, after relay.Stream, limit int,
) (all []relay.Stream, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.outbox {
		return nil, relay.ErrNoOutbox
	}
	s = s.within(ctx)
	args := append(s.d.StreamArgs([]any{after.Workspace}, &after), limit)
	err = s.rows(ctx, dialect.StreamsNoted, args, func(scan func(...any) error) error {
		of, err := scanStream(scan)
		all = append(all, of)
		return err
	})
	return all, err
}

func scanStream(scan func(...any) error) (of relay.Stream, err error) {
	err = scan((*dialect.Text)(&of.Workspace), (*dialect.ID)(&of.Conversation),
		(*dialect.Text)(&of.Contact))
	return of, err
}

// Queue implements relay.Store.
func (s *Store) Queue(
	ctx context.Context, now time.Time, streams []relay.Stream, targets map[string][]string,
) (n int, err error) {
	for some := range slices.Chunk(streams, streamsAtOnce) {
		moved := 0
		err := s.withOutbox(ctx, func(s *Store) (err error) {
			moved, err = s.queue(ctx, now, some, targets)
			return err
		})
		if n += moved; err != nil {
			return n, err
		}
	}
	return n, nil
}

// queue is Queue in a transaction. Who holds the first note of a stream has all of it in hand.
func (s *Store) queue(
	ctx context.Context, now time.Time, streams []relay.Stream, targets map[string][]string,
) (int, error) {
	notes, err := s.takeNotes(ctx, streams)
	if err != nil || len(notes) == 0 {
		return 0, err
	}
	var waiting []dialect.Waiting
	for i := range notes {
		note := &notes[i]
		for _, target := range targets[note.Workspace] {
			waiting = append(waiting, dialect.Waiting{
				Queue: relay.Queue{Target: target, Stream: note.Stream},
				Next:  note.Seq, Last: note.Last, Since: note.Since, Due: now,
			})
		}
	}
	slices.SortFunc(waiting, func(a, b dialect.Waiting) int { return a.Compare(b.Queue) })
	for some := range slices.Chunk(waiting, s.placesAtOnce(len(dialect.Queue.All))) {
		statement, args := dialect.ManyWaiting(s.d.Dialect, some, placesFor(len(some)))
		if _, err := s.tx.exec(ctx, statement, args...); err != nil {
			return 0, err
		}
	}
	if s.feed {
		err = s.addToFeeds(ctx, now, notes)
	}
	return len(notes), err
}

// takeNotes deletes the notes of streams, and returns one for each stream that nobody else has in
// hand.
func (s *Store) takeNotes(
	ctx context.Context, streams []relay.Stream,
) (notes []dialect.Noted, err error) {
	var note dialect.Noted
	dests := dialect.Outbox.Read.Dests(nil, &note)
	at := map[relay.Stream]int{}
	add := func(scan func(...any) error) error {
		err := scan(dests...)
		if i, known := at[note.Stream]; known {
			n := &notes[i]
			if note.Seq < n.Seq {
				n.Seq, n.Since = note.Seq, note.Since
			}
			n.Last = max(n.Last, note.Last)
			return err
		}
		at[note.Stream] = len(notes)
		notes = append(notes, note)
		return err
	}
	if statement, args, ok := s.d.TakeNotes(streams); ok {
		err = s.rows(ctx, statement, args, add)
		return notes, err
	}
	var held []relay.Stream
	args, places := padded(s.streamArgs(streams), 3)
	err = s.rows(ctx, s.d.FirstNotes(places), args,
		func(scan func(...any) error) error {
			of, err := scanStream(scan)
			held = append(held, of)
			return err
		})
	if err != nil || len(held) == 0 {
		return nil, err
	}
	var keys []any
	args, places = padded(s.streamArgs(held), 3)
	err = s.rows(ctx, dialect.AllNotes(places), args,
		func(scan func(...any) error) error {
			err := add(scan)
			keys = append(s.d.StreamArgs(keys, &note.Stream), note.Seq)
			return err
		})
	if err != nil {
		return nil, err
	}
	const each = 4
	for some := range slices.Chunk(keys, each*streamsAtOnce) {
		some, places := padded(some, each)
		if _, err := s.tx.exec(ctx, s.d.DeleteNotes(places), some...); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

func (s *Store) streamArgs(streams []relay.Stream) (args []any) {
	for i := range streams {
		args = s.d.StreamArgs(args, &streams[i])
	}
	return args
}

// Settle implements relay.Store.
func (s *Store) Settle(
	ctx context.Context, now time.Time, done []relay.Settled,
) (n int, err error) {
	done = slices.SortedFunc(slices.Values(done), func(a, b relay.Settled) int {
		return a.Compare(b.Queue)
	})
	for some := range slices.Chunk(done, streamsAtOnce) {
		settled := 0
		err := s.withOutbox(ctx, func(s *Store) (err error) {
			settled, err = s.settle(ctx, now, some)
			return err
		})
		if n += settled; err != nil {
			return n, err
		}
	}
	return n, nil
}

// settle is Settle in a transaction.
func (s *Store) settle(
	ctx context.Context, now time.Time, done []relay.Settled,
) (n int, err error) {
	var sent []any
	of := 0
	for i := range done {
		if d := &done[i]; d.Error == "" && d.Next > d.To {
			sent = append(s.d.QueueArgs(sent, &d.Queue), s.d.ID(d.Lease), d.To)
			of++
		}
	}
	const each = 7
	for some := range slices.Chunk(sent, each*s.placesAtOnce(each)) {
		some, places := padded(some, each)
		deleted, err := s.tx.exec(ctx, s.d.DeleteSent(places), some...)
		if err != nil {
			return 0, err
		}
		n += int(deleted)
	}
	all := n == of // that were sent are gone
	for i := range done {
		d := &done[i]
		if all && d.Error == "" && d.Next > d.To {
			continue
		}
		still, err := s.settleOne(ctx, now, d)
		if err != nil {
			return 0, err
		}
		if still {
			n++
		}
	}
	return n, nil
}

// settleOne says what became of a queue of which something is left.
func (s *Store) settleOne(
	ctx context.Context, now time.Time, d *relay.Settled,
) (still bool, err error) {
	next, tries, progress := d.Next, d.Tries, d.Next
	due, text := sql.Null[int64]{V: now.UnixMicro(), Valid: true}, sql.Null[string]{}
	text.V, text.Valid = d.Error, d.Error != ""
	switch {
	case d.Dead && d.Letter != 0:
		due.Valid, progress = false, math.MaxInt64
	case d.Dead:
		next, tries, progress = next+1, 0, math.MaxInt64
		text.Valid = false
	case d.Error != "":
		due.V = d.Due.UnixMicro()
	}
	args := []any{progress, now.UnixMicro(), next, tries, due, text}
	args = append(s.d.QueueArgs(args, &d.Queue), s.d.ID(d.Lease))
	n, err := s.tx.exec(ctx, dialect.UpdateSettled, args...)
	if err != nil || n == 0 {
		return false, err
	}
	if d.Dead && d.Letter == 0 {
		letter := dialect.Waiting{
			Queue: d.Queue, Next: d.Next, Last: d.Next, Since: now, Tries: d.Tries, Error: d.Error,
		}
		letter.Letter = d.Next
		statement, args := dialect.ManyWaiting(s.d.Dialect, []dialect.Waiting{letter},
			placesFor(1))
		if _, err := s.tx.exec(ctx, statement, args...); err != nil {
			return false, err
		}
	}
	if d.Letter == 0 || !d.Dead {
		_, err = s.tx.exec(ctx, dialect.DeleteSettled, s.d.QueueArgs(nil, &d.Queue)...)
	}
	return true, err
}

// DeadLetters implements relay.Store.
func (s *Store) DeadLetters(
	ctx context.Context, f relay.DeadLetterFilter,
) (all []relay.DeadLetter, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.outbox {
		return nil, relay.ErrNoOutbox
	}
	if f, err = f.Canonical(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	args := []any{f.Workspace}
	if f.Target != "" {
		args = append(args, f.Target)
	}
	args = append(args, f.After.Target, s.d.ID(f.After.Conversation), f.After.Contact, f.After.Seq,
		f.Limit)
	var w dialect.Waiting
	dests := dialect.Queue.Read.Dests(nil, &w)
	err = s.many(ctx, dialect.DeadLetters(f.Target != ""), args,
		func(scan func(...any) error) error {
			err := scan(dests...)
			all = append(all, relay.DeadLetter{
				DeadLetterID: w.DeadLetter(), Tries: w.Tries, At: w.Since, Error: w.Error,
			})
			return err
		})
	return all, err
}

// Revive implements relay.Store.
func (s *Store) Revive(
	ctx context.Context, now time.Time, letters []relay.DeadLetterID,
) (int, error) {
	return s.letters(ctx, dialect.ReviveLetter, letters, now.UnixMicro(), now.UnixMicro())
}

// Bury implements relay.Store.
func (s *Store) Bury(ctx context.Context, letters []relay.DeadLetterID) (int, error) {
	return s.letters(ctx, dialect.BuryLetter, letters)
}

// letters carries out a statement on each of some dead letters, and returns how many were there.
func (s *Store) letters(
	ctx context.Context, statement string, letters []relay.DeadLetterID, args ...any,
) (n int, err error) {
	letters = slices.SortedFunc(slices.Values(letters), relay.DeadLetterID.Compare)
	err = s.withOutbox(ctx, func(s *Store) error {
		n = 0
		for i := range letters {
			q := letters[i].Queue()
			changed, err := s.tx.exec(ctx, statement, s.d.QueueArgs(slices.Clone(args), &q)...)
			if n += int(changed); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Backlog implements relay.Store.
func (s *Store) Backlog(ctx context.Context) (b relay.Backlog, err error) {
	if err := ctx.Err(); err != nil {
		return b, err
	}
	if !s.outbox {
		return b, relay.ErrNoOutbox
	}
	s = s.within(ctx)
	var noted, dead, queued, failed dialect.Count
	var since, queuedSince dialect.Micros
	if _, err = s.row(ctx, dialect.OutboxBacklog, nil, []any{&noted, &since}); err == nil {
		_, err = s.row(ctx, s.d.QueueBacklog(), nil,
			[]any{&dead, &queued, &failed, &queuedSince})
	}
	b = relay.Backlog{
		Noted: int(noted), Queued: int(queued), Failed: int(failed), Dead: int(dead),
		Oldest: time.Time(since),
	}
	if t := time.Time(queuedSince); !t.IsZero() && (b.Oldest.IsZero() || t.Before(b.Oldest)) {
		b.Oldest = t
	}
	return b, err
}
