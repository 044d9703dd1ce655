package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// history is a page of the events of a root contact, whose length does not depend on how many
// conversations the contact has. It takes three statements, a fourth one where events of contacts
// themselves follow, and one more for each further hundred of conversations or merged contacts.
func (s *Store) history(ctx context.Context, f *convo.EventFilter) ([]convo.Event, error) {
	var logs []dialect.OwnLog
	var family []string
	var l dialect.OwnLog
	dests := dialect.OwnLogs.Read.Dests(nil, &l)
	err := s.rows(ctx, dialect.OwnLogsBehind, s.d.OwnLogsArgs(f),
		func(scan func(...any) error) error {
			err := scan(dests...)
			family = append(family, l.Contact)
			if l.More {
				logs = append(logs, l)
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	stretches, err := s.stretches(ctx, f, family)
	if err != nil {
		return nil, err
	}
	var out []convo.Event
	for some := range slices.Chunk(stretches, s.d.AtOnce(maxMany, 4, 0)) {
		var args []any
		for _, t := range some {
			args = append(args, f.Workspace, s.d.ID(t.ID), t.Seq,
				min(t.Version, t.Seq+int64(f.Limit)))
		}
		out, err = eventsOf(ctx, s, (*Store).many, out, dialect.Events,
			dialect.EventsOfStretches(len(some)), args...)
		if err != nil {
			return nil, err
		}
	}
	for _, l := range logs {
		out, err = eventsOf(ctx, s, (*Store).rows, out, dialect.ContactEvents,
			dialect.EventsOfOwnLog, f.Workspace, l.Contact, l.Seq, f.Limit)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, compareEvents)
	return slices.Clone(out[:min(f.Limit, len(out))]), nil
}

func compareEvents(a, b convo.Event) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Conversation[:], b.Conversation[:]),
		cmp.Compare(a.Seq, b.Seq), bytes.Compare(a.ID[:], b.ID[:]))
}

// stretches are the parts of logs that have the page of a history.
func (s *Store) stretches(
	ctx context.Context, f *convo.EventFilter, family []string,
) ([]dialect.Stretch, error) {
	var all []dialect.Stretch
	var t dialect.Stretch
	dests := dialect.Stretches.Read.Dests(nil, &t)
	read := func(ask asks, statement string, args ...any) error {
		return ask(s, ctx, statement, args, func(scan func(...any) error) error {
			err := scan(dests...)
			all = append(all, t)
			return err
		})
	}
	if f.After == (convo.EventCursor{}) {
		err := read((*Store).rows, dialect.Later,
			f.Workspace, f.Contact, f.After.At.UnixMicro(), f.Limit)
		return dialect.Enough(all, f), err
	}
	atOnce := s.d.AtOnce(maxMany, convo.MaxSpan, dialect.ArgsBehind)
	for some := range slices.Chunk(family, atOnce) {
		ask := (*Store).rows
		if len(some) > 1 { // its text depends on their number
			ask = (*Store).many
		}
		statement, args := s.d.Behind(f, some)
		if err := read(ask, statement, args...); err != nil {
			return nil, err
		}
	}
	seen := map[uuid.UUID]bool{}
	all = slices.DeleteFunc(all, func(t dialect.Stretch) bool {
		twice := seen[t.ID] // by several of the statements
		seen[t.ID] = true
		return twice
	})
	return dialect.Enough(all, f), nil
}
