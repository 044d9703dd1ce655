// Package memstore is convo's store in memory: the reference that other stores are compared with,
// for tests, examples and programs that need no database. It is safe for concurrent use, and what
// it returns is the caller's to keep.
//
// A closed conversation is kept as its encoded log, and folded when it is read. One that is active,
// or that has a long log, is also kept as it stands. It has no rollups: what reports count of a
// conversation that was removed by its age they find in its log, of which that much is kept,
// without texts and without what a person is known by.
package memstore

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Store is a convo.Store in memory. Use New.
type Store struct {
	mu         sync.RWMutex
	workspaces map[string]*workspace
	timers     timers
	held       map[convo.Ref]bool    // by LockDue
	spare      []*convo.Conversation // memory of a few closed conversations, for the next ones
	outbox     *outbox               // nil: there is none
}

// New returns an empty store.
func New(opts ...Option) *Store {
	s := &Store{
		workspaces: map[string]*workspace{}, held: map[convo.Ref]bool{},
		spare: make([]*convo.Conversation, 0, 64),
	}
	for _, o := range opts {
		o(s)
	}
	return s
}

var (
	_ convo.IdentityIndex = (*Store)(nil)
	_ convo.DueLocker     = (*Store)(nil)
)

type workspace struct {
	name          string
	contacts      map[string]*contact
	conversations map[uuid.UUID]*conversation
	addresses     map[convo.Address]*contact
	identities    map[string][]convo.Address // the addresses with each Identity, in their order
	keys          map[keyName]*key
	erasedKeys    int // of keys
	receipts      map[keyName][]receipt
	tokens        map[string]token // of each channel, lane, category, assignee and team
	words         []string         // of each token
	all           timeline
	removed       []*conversation // what only reports read
	active        timeline        // also some that were closed since
	activeCount   int             // that are active
	// earlier are the cycles before the last one, of those that were reopened.
	earlier map[*conversation][]convo.Cycle
}

type contact struct {
	of      *workspace
	id      string
	version int64
	// microseconds, also those of the zero time
	createdAt, updatedAt, seenAt int64

	blocked bool

	root   *contact      // itself, unless it was merged
	extra  *extra        // what most contacts do not have
	latest *conversation // the first of those opened for it, in the order of isLater
	active *conversation // the first of a root's active ones
}

type extra struct {
	told      told
	aliases   []*contact // of a root: all that were merged into it
	addresses []convo.Address
	log       []string // of the contact itself
	opened    opened   // the conversations opened for it, unless it is only one
}

// told is what was said of a contact.
type told struct {
	blockedBy          convo.Tokens
	name               string
	attributes         convo.Attributes
	mergedInto, parent string
	erasedAt           time.Time
}

// state is the contact as it is read.
func (k *contact) state() convo.Contact {
	v := convo.Contact{
		Workspace: k.of.name, ID: k.id, Version: k.version, CreatedAt: timeOf(k.createdAt),
		UpdatedAt: timeOf(k.updatedAt), SeenAt: timeOf(k.seenAt), Blocked: k.blocked,
	}
	if k.extra != nil {
		t := &k.extra.told
		v.BlockedBy, v.Name, v.Attributes = t.blockedBy, t.name, t.attributes
		v.MergedInto, v.Parent, v.ErasedAt = t.mergedInto, t.parent, t.erasedAt
	}
	return v
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

type conversation struct {
	id       uuid.UUID
	origin   *contact            // for whom it was opened
	previous *conversation       // the next of those opened for the same contact
	nextLive *conversation       // the next of the same root's active ones
	log      []string            // batches, see codec.go
	state    *convo.Conversation // nil: fold the log

	version   int64
	createdAt int64 // microseconds
	openedAt  int64 // microseconds: the last cycle was
	dueAt     int64 // microseconds, or never
	status    byte  // of statuses
	listed    bool  // in the workspace's active timeline
	channel   token
	lane      token
	assignee  token
	team      token
	category  token
}

// token stands for a word: many conversations have the same few. 0 is that of the empty word.
type token uint32

var statuses = []convo.Status{"", convo.StatusOpen, convo.StatusPending, convo.StatusClosed}

// foldable is the longest log that is folded at every read rather than kept unfolded.
const foldable = 64

func (w *workspace) conversation(id uuid.UUID) (*conversation, error) {
	if w != nil {
		if c := w.conversations[id]; c != nil {
			return c, nil
		}
	}
	return nil, &convo.StateError{Err: convo.ErrNotFound, Conversation: id}
}

func (c *conversation) load() (v convo.Conversation) {
	c.loadInto(&v)
	return v
}

// loadInto is load without a copy of its own, of a kilobyte.
func (c *conversation) loadInto(v *convo.Conversation) {
	if c.state != nil {
		*v = *c.state
	} else {
		*v = c.fold()
	}
	v.Contact = c.origin.root.id
}

func (c *conversation) fold() convo.Conversation {
	var t convo.Snapshot
	c.events(0, func(e *convo.Event) bool {
		t = convo.Apply(t, *e)
		return true
	})
	return t.Conversation
}

// events yields the events behind after, in order; the event is overwritten by the next one.
func (c *conversation) events(after int64, yield func(*convo.Event) bool) {
	o := c.origin
	e := convo.Event{Workspace: o.of.name, Conversation: c.id}
	from := sort.Search(len(c.log), func(i int) bool { return firstSeq(c.log[i]) > after })
	for _, batch := range c.log[max(0, from-1):] {
		if !decode(
			batch,
			&e,
			o.id,
			func(e *convo.Event) bool { return e.Seq <= after || yield(e) },
		) {
			return
		}
	}
}

// events yields the events of the contact itself, in order; the event is overwritten by the next
// one.
func (k *contact) events(yield func(*convo.Event) bool) {
	if k.extra == nil {
		return
	}
	for _, batch := range k.extra.log {
		e := convo.Event{Workspace: k.of.name}
		if !decode(batch, &e, k.id, yield) {
			return
		}
	}
}

// taken is the event that e holds, with its payload, which the next one would overwrite.
func taken(e *convo.Event) convo.Event {
	t := *e
	e.Payload = nil
	return t
}

// aliases are k and all contacts that were merged into it.
func (k *contact) aliases() []*contact {
	all := []*contact{k}
	if k.extra != nil {
		all = append(all, k.extra.aliases...)
	}
	return all
}

// Load implements convo.Store.
func (s *Store) Load(ctx context.Context, to convo.Ref) (t convo.Snapshot, err error) {
	if err := ctx.Err(); err != nil {
		return t, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[to.Workspace]
	t.Ref, t.Contact.Workspace, t.Contact.ID = to, to.Workspace, to.Contact
	var k *contact
	var c *conversation
	if to.Conversation != uuid.Nil {
		if c, err = w.conversation(to.Conversation); err != nil {
			return convo.Snapshot{}, err
		}
		k = c.origin.root
	} else if w != nil {
		owner := w.addresses[to.Address]
		if owner != nil {
			t.AddressOwner = owner.root.id
		}
		if k = w.contacts[to.Contact]; k == nil && to.Contact == "" {
			k = owner
		}
		if k != nil {
			k = k.root
			if lane, ok := w.tokens[to.Lane]; ok {
				c = k.latestIn(lane)
			}
		}
	}
	if k == nil {
		return t, nil
	}
	t.Contact = k.state()
	t.HasConversation = c != nil || k.hasConversation()
	if c != nil {
		c.loadInto(&t.Conversation)
		if a := k.activeIn(c.lane); a != nil && a != c {
			t.Active = a.id
		}
	}
	return t, nil
}

// Snapshots implements convo.Store.
func (s *Store) Snapshots(ctx context.Context, to []convo.Ref) ([]convo.Snapshot, error) {
	all := make([]convo.Snapshot, len(to))
	for i := range to {
		var err error
		if all[i], err = s.Load(ctx, to[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Conversation implements convo.Store.
func (s *Store) Conversation(
	ctx context.Context,
	workspace string,
	id uuid.UUID,
) (convo.Conversation, error) {
	if err := ctx.Err(); err != nil {
		return convo.Conversation{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.workspaces[workspace].conversation(id)
	if err != nil {
		return convo.Conversation{}, err
	}
	return c.load(), nil
}

// Events implements convo.Store.
func (s *Store) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[f.Workspace]
	if w == nil {
		return nil, nil
	}
	if f.Contact != "" {
		return w.history(&f), nil
	}
	var out []convo.Event
	if k := w.contacts[f.OwnLog]; k != nil {
		k.events(func(e *convo.Event) bool {
			if e.Seq > f.After.Seq {
				out = append(out, taken(e))
			}
			return len(out) < f.Limit
		})
	}
	if c := w.conversations[f.Conversation]; c != nil {
		c.events(f.After.Seq, func(e *convo.Event) bool {
			out = append(out, taken(e))
			return len(out) < f.Limit
		})
	}
	return out, nil
}

// ClosedCycles implements convo.Store.
func (s *Store) ClosedCycles(
	ctx context.Context, workspace string, id uuid.UUID,
) ([]convo.Cycle, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.workspaces[workspace].conversation(id)
	if err != nil {
		return nil, nil
	}
	all := slices.Clone(s.workspaces[workspace].earlier[c])
	if !statuses[c.status].Active() {
		all = append(all, c.load().Cycle)
	}
	return all, nil
}

// Event implements convo.Store.
func (s *Store) Event(
	ctx context.Context, workspace, contact string, id uuid.UUID,
) (found convo.Event, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return convo.Event{}, false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil || w.contacts[contact] == nil {
		return convo.Event{}, false, nil
	}
	look := func(e *convo.Event) bool {
		if ok = e.ID == id; ok {
			found = taken(e)
		}
		return !ok
	}
	for _, k := range w.contacts[contact].root.aliases() {
		k.events(look)
		for c := k.latest; c != nil && !ok; c = c.previous {
			c.events(0, look)
		}
		if ok {
			break
		}
	}
	return found, ok, nil
}

// Addresses implements convo.Store.
func (s *Store) Addresses(ctx context.Context, workspace, contact string) ([]convo.Address, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []convo.Address
	if w := s.workspaces[workspace]; w != nil {
		if k := w.contacts[contact]; k != nil {
			for _, k := range k.root.aliases() {
				if k.extra != nil {
					out = append(out, k.extra.addresses...)
				}
			}
		}
	}
	return out, nil
}

// AddressesByIdentity implements convo.IdentityIndex.
func (s *Store) AddressesByIdentity(
	ctx context.Context, workspace, identity string, after convo.Address, limit int,
) ([]convo.Suggestion, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	all := w.identities[identity]
	i, found := slices.BinarySearchFunc(all, after, compareAddresses)
	if found {
		i++
	}
	var out []convo.Suggestion
	for _, a := range all[i:min(i+limit, len(all))] {
		out = append(out, convo.Suggestion{Contact: w.addresses[a].root.id, Address: a})
	}
	return out, nil
}

func compareAddresses(a, b convo.Address) int {
	return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Value, b.Value))
}
