package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// What a redaction removes from the echo of a message, which may be in another log: that one gets
// no event, and no version.

// log has the logs of a contact be compared if the texts of an echo may have gone: they are in
// another log than the message.
func (x *changed) log(contact string, events []convo.Event) {
	var redacted, echoed bool
	for i := range events {
		redacted = redacted || events[i].Retracted().Redacted
		echoed = echoed || events[i].Identified().Duplicate != uuid.Nil
	}
	if redacted && echoed {
		x.redacted[contact] = true
	}
}

// echoes passes over all logs of who had a message and its echo redacted.
func (c *copying) echoes(ctx context.Context, from *Store) (total int, err error) {
	events := table[convo.EventRow]{&dialect.MovedEvents}
	log := table[convo.EventRow]{&dialect.MovedContactEvents}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(c.found.redacted)), hangingAtOnce) {
		theirs, err := c.contacts.read(ctx, from, c.contacts.Of("id", len(some)),
			named([]any{c.workspace}, some))
		if err != nil {
			return total, err
		}
		var roots []string
		for _, of := range theirs {
			roots = append(roots, cmp.Or(of.MergedInto, of.ID))
		}
		members := map[string]bool{}
		for _, root := range roots {
			members[root] = true
		}
		owned, err := c.owners(ctx, from, roots, members)
		if err != nil {
			return total, err
		}
		for id := range owned { // one at a time, for each may be long
			n, err := events.some(ctx, from, c.to,
				ofIDs(ctx, events, c.workspace, "conversation", []uuid.UUID{id}), nil)
			if total += n; err != nil {
				return total, err
			}
		}
		for some := range slices.Chunk(slices.Sorted(maps.Keys(members)), hangingAtOnce) {
			n, err := log.some(ctx, from, c.to, func(s *Store) ([]*convo.EventRow, error) {
				return log.read(ctx, s, log.Of("contact", len(some)),
					named([]any{c.workspace}, some))
			}, nil)
			if total += n; err != nil {
				return total, err
			}
		}
	}
	return total, nil
}
