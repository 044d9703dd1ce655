package convo

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"github.com/google/uuid"
)

// Contact returns the contact that to leads to, merges followed, or ErrNotFound.
func (e *Engine) Contact(ctx context.Context, to Ref) (Contact, error) {
	s, err := e.load(ctx, to)
	return s.Contact, err
}

// Contacts returns a page of the contacts that f picks. Pass the last item's Cursor as f.After to
// continue, until a page is shorter than the limit; limit 0 is DefaultPageSize.
func (e *Engine) Contacts(ctx context.Context, f ContactFilter) ([]Contact, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	f.Limit = cmp.Or(f.Limit, DefaultPageSize)
	return e.store.Contacts(ctx, f)
}

// AllContacts is Contacts page after page, with f.Limit as the size of a page. An error ends it.
func (e *Engine) AllContacts(ctx context.Context, f ContactFilter) iter.Seq2[Contact, error] {
	return pages(f.After, f.Limit, Contact.Cursor, func(after ContactCursor) ([]Contact, error) {
		f := f
		f.After = after
		return e.Contacts(ctx, f)
	})
}

// Addresses returns the addresses of the contact that to leads to, those of merged contacts
// included.
func (e *Engine) Addresses(ctx context.Context, to Ref) ([]Address, error) {
	s, err := e.load(ctx, to)
	if err != nil {
		return nil, err
	}
	return e.store.Addresses(ctx, to.Workspace, s.Contact.ID)
}

// Conversation returns the conversation that to names, or else the latest one of the contact that
// it leads to. It fails with ErrNotFound where there is none.
func (e *Engine) Conversation(ctx context.Context, to Ref) (Conversation, error) {
	if err := to.Validate(); err != nil {
		return Conversation{}, err
	}
	if to.Conversation != uuid.Nil {
		return e.store.Conversation(ctx, to.Workspace, to.Conversation)
	}
	s, err := e.load(ctx, to)
	if err == nil && s.Conversation.ID == uuid.Nil {
		err = &StateError{Err: ErrNotFound, Contact: s.Contact.ID}
	}
	return s.Conversation, err
}

// Active returns the active conversation of the contact that to leads to. It fails with
// ErrNotActive when there is none, and with ErrNotFound when nobody is known there.
func (e *Engine) Active(ctx context.Context, to Ref) (Conversation, error) {
	s, err := e.load(ctx, to)
	switch {
	case err != nil:
		return Conversation{}, err
	case s.Conversation.Status.Active():
		return s.Conversation, nil
	case s.Active != uuid.Nil:
		return e.store.Conversation(ctx, to.Workspace, s.Active)
	}
	return Conversation{}, &StateError{
		Err: ErrNotActive, Contact: s.Contact.ID, Conversation: s.Conversation.ID,
	}
}

// Conversations returns a page of the conversations that f picks, in its Order, the last one first
// unless it is Ascending; f.Contact may also be one that was merged. Pass [Filter.Cursor] of the
// last item as f.After to continue, until a page is shorter than the limit; limit 0 is
// DefaultPageSize.
func (e *Engine) Conversations(ctx context.Context, f Filter) ([]Conversation, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	f = f.canonical()
	if f.Contact != "" {
		s, err := e.loadRoot(ctx, ToContact(f.Workspace, f.Contact))
		if err != nil {
			return nil, err
		}
		f.Contact = s.Contact.ID
	}
	return e.store.Conversations(ctx, f)
}

// AllConversations is Conversations page after page, with f.Limit as the size of a page. An error
// ends it.
func (e *Engine) AllConversations(ctx context.Context, f Filter) iter.Seq2[Conversation, error] {
	return pages(f.After, f.Limit, f.Cursor, func(after Cursor) ([]Conversation, error) {
		f := f
		f.After = after
		return e.Conversations(ctx, f)
	})
}

// Transcript returns a page of the events of a conversation, in order: of the one that to names, or
// else of the contact's latest, or ErrNotFound. Pass the last item's Cursor as after to continue,
// until a page is shorter than the limit; limit 0 is DefaultPageSize.
func (e *Engine) Transcript(
	ctx context.Context, to Ref, after EventCursor, limit int,
) ([]Event, error) {
	c, err := e.Conversation(ctx, to)
	if err != nil {
		return nil, err
	}
	return e.events(ctx, EventFilter{
		Workspace: to.Workspace, Conversation: c.ID, After: after, Limit: limit,
	})
}

// AllTranscript is Transcript page after page, from after on. An error ends it.
func (e *Engine) AllTranscript(
	ctx context.Context, to Ref, after EventCursor,
) iter.Seq2[Event, error] {
	return pages(after, 0, Event.Cursor, func(after EventCursor) ([]Event, error) {
		return e.Transcript(ctx, to, after, 0)
	})
}

// History returns a page of the events of the contact that to leads to, over all its conversations
// and those of the contacts that were merged into it, the oldest first, or ErrNotFound. At equal
// times, what happened to the contact itself comes first. Event.Seq counts within a conversation,
// or among the contact's own events: it is no order of a history. It is paged as Transcript is.
func (e *Engine) History(
	ctx context.Context, to Ref, after EventCursor, limit int,
) ([]Event, error) {
	s, err := e.load(ctx, to)
	if err != nil {
		return nil, err
	}
	return e.events(ctx, EventFilter{
		Workspace: to.Workspace, Contact: s.Contact.ID, After: after, Limit: limit,
	})
}

// AllHistory is History page after page, from after on. An error ends it.
func (e *Engine) AllHistory(
	ctx context.Context, to Ref, after EventCursor,
) iter.Seq2[Event, error] {
	return pages(after, 0, Event.Cursor, func(after EventCursor) ([]Event, error) {
		return e.History(ctx, to, after, 0)
	})
}

// pages yields the items of pages of a size, each page from the cursor of the last item of the one
// before.
func pages[T, C any](
	after C, limit int, cursor func(T) C, page func(after C) ([]T, error),
) iter.Seq2[T, error] {
	if limit == 0 {
		limit = DefaultPageSize
	}
	return func(yield func(T, error) bool) {
		after := after
		for {
			items, err := page(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if len(items) < limit {
				return
			}
			after = cursor(items[len(items)-1])
		}
	}
}

func (e *Engine) events(ctx context.Context, f EventFilter) ([]Event, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return e.store.Events(ctx, f.canonical())
}

// Cycles returns all cycles of a conversation, the first one first: of the one that to names, or
// else of the contact's latest. The last cycle is also in the conversation itself.
func (e *Engine) Cycles(ctx context.Context, to Ref) ([]Cycle, error) {
	c, err := e.Conversation(ctx, to)
	if err != nil {
		return nil, err
	}
	earlier, err := e.earlierCycles(ctx, &c)
	if err != nil {
		return nil, err
	}
	return append(earlier, c.Cycle), nil
}

// earlierCycles are those before the present one, which may have been closed, and others opened,
// since c was loaded.
func (e *Engine) earlierCycles(ctx context.Context, c *Conversation) ([]Cycle, error) {
	if c.Cycle.Number < 2 {
		return nil, nil
	}
	cycles, err := e.store.ClosedCycles(ctx, c.Workspace, c.ID)
	return cycles[:min(len(cycles), c.Cycle.Number-1)], err
}

func (e *Engine) load(ctx context.Context, to Ref) (Snapshot, error) {
	if err := to.Validate(); err != nil {
		return Snapshot{}, err
	}
	s, err := e.loadRoot(ctx, to)
	if err == nil && s.Contact.Version == 0 {
		err = &StateError{Err: ErrNotFound, Contact: s.Contact.ID}
	}
	return s, err
}

// loadRoot is Load once more where a merge came in between.
func (e *Engine) loadRoot(ctx context.Context, to Ref) (Snapshot, error) {
	for try := 0; ; {
		s, err := e.store.Load(ctx, to)
		if err == nil || !errors.Is(err, ErrConflict) {
			return s, err
		}
		if err := e.backoff(ctx, &try, err); err != nil {
			return Snapshot{}, err
		}
	}
}
