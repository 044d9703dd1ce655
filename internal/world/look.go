package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

// picture is all that can be read from a store.
type picture struct {
	Conversations map[string][]convo.Conversation // by workspace, as they are listed
	Logs          map[convo.Ref][]convo.Event     // by conversation, and by contact its own
	Contacts      map[convo.Ref]convo.Contact     // by the id or address that leads there
	Addresses     map[convo.Ref][]convo.Address   // by root contact
	Keys          map[string][]convo.Key
}

// look reads everything, in pages of random size.
func (w *World) look(t *rapid.T) picture {
	p := picture{
		map[string][]convo.Conversation{}, map[convo.Ref][]convo.Event{},
		map[convo.Ref]convo.Contact{},
		map[convo.Ref][]convo.Address{}, map[string][]convo.Key{},
	}
	size := rapid.IntRange(1, 7).Draw(t, "page size")
	for _, name := range Workspaces {
		p.Conversations[name] = w.conversations(t, convo.Filter{Workspace: name, Limit: size})
		var refs []convo.Ref
		for _, c := range p.Conversations[name] {
			to := convo.ToConversation(name, c.ID)
			p.Logs[to] = readLog(t, size, func(after convo.EventCursor, limit int) ([]convo.Event,
				error) {
				return w.engine.Transcript(t.Context(), convo.ToConversation(name, c.ID), after,
					limit)
			})
			refs = append(refs, convo.ToContact(name, c.Origin))
		}
		for _, id := range contacts {
			refs = append(refs, convo.ToContact(name, id))
		}
		for _, a := range addresses {
			refs = append(refs, convo.ToAddress(name, a.Channel, a.Value))
		}
		for _, met := range w.met {
			if met.Workspace == name {
				refs = append(refs, met)
			}
		}
		for _, to := range refs {
			k, err := w.engine.Contact(t.Context(), to)
			if err != nil {
				require.ErrorIs(t, err, convo.ErrNotFound)
				continue
			}
			p.Contacts[to] = k
			root := convo.ToContact(name, k.ID)
			if _, done := p.Addresses[root]; done {
				continue
			}
			w.readHistory(t, root, size, p)
			p.Addresses[root], err = w.engine.Addresses(t.Context(), to)
			require.NoError(t, err)
		}
		var ids []convo.KeyID
		for i := range 21 {
			ids = append(ids, convo.KeyID{ID: fmt.Sprint("key-", i)})
			for root := range p.Addresses {
				if root.Workspace != name {
					continue
				}
				for _, channel := range channels {
					ids = append(ids, convo.KeyID{
						Channel: channel, Contact: root.Contact, ID: fmt.Sprint("m-", i),
					})
				}
			}
		}
		var err error
		p.Keys[name], err = w.store.Keys(t.Context(), name, ids...)
		require.NoError(t, err)
		slices.SortFunc(p.Keys[name], func(a, b convo.Key) int {
			return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
		})
	}
	return p
}

// readHistory adds the contacts' own events to the picture. They come from the history, which must
// also hold, in order, the log of each conversation.
func (w *World) readHistory(t *rapid.T, root convo.Ref, size int, p picture) {
	history := readLog(t, size, func(after convo.EventCursor, limit int) ([]convo.Event, error) {
		return w.engine.History(t.Context(), root, after, limit)
	})
	require.True(t, slices.IsSortedFunc(history,
		func(a, b convo.Event) int { return a.At.Compare(b.At) }), "by time")
	logs := map[convo.Ref][]convo.Event{}
	for _, e := range history {
		to := convo.ToConversation(root.Workspace, e.Conversation)
		if e.Conversation == uuid.Nil {
			to = convo.ToContact(root.Workspace, e.Contact) // which may have been merged since
		}
		logs[to] = append(logs[to], e)
	}
	for _, c := range p.Conversations[root.Workspace] {
		to := convo.ToConversation(root.Workspace, c.ID)
		if c.Contact == root.Contact {
			requireSame(t, p.Logs[to], logs[to], "the history holds the whole transcript of %s",
				c.ID)
			delete(logs, to)
		}
	}
	for to, own := range logs {
		require.NotEmpty(t, to.Contact, "the history holds no other conversations")
		require.True(t, slices.IsSortedFunc(own,
			func(a, b convo.Event) int { return cmp.Compare(a.Seq, b.Seq) }), "by number")
		p.Logs[to] = own
	}
}

func readLog(t *rapid.T, size int, page func(convo.EventCursor, int) ([]convo.Event,
	error)) (all []convo.Event) {
	for after := (convo.EventCursor{}); ; after = all[len(all)-1].Cursor() {
		events, err := page(after, size)
		require.NoError(t, err)
		all = append(all, events...)
		if len(events) < size {
			return all
		}
	}
}

func (w *World) conversations(t *rapid.T, f convo.Filter) (all []convo.Conversation) {
	for {
		page, err := w.engine.Conversations(t.Context(), f)
		require.NoError(t, err)
		all = append(all, page...)
		if len(page) < f.Limit {
			return all
		}
		f.After = f.Cursor(all[len(all)-1])
	}
}

// events are those of all logs, by their ids.
func (p picture) events() map[uuid.UUID]convo.Event {
	all := map[uuid.UUID]convo.Event{}
	for _, log := range p.Logs {
		for _, e := range log {
			all[e.ID] = e
		}
	}
	return all
}
