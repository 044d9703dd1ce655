package memstore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Commit implements convo.Store: it checks every change, and only then writes, so that it writes
// all or nothing.
func (s *Store) Commit(ctx context.Context, changes ...convo.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var buf [4]batch
	batches := buf[:0]
	for i := range changes {
		batches = encodeChange(batches, &changes[i])
	}
	if err := overlap(changes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range changes {
		if err := s.check(&changes[i], changes); err != nil {
			return err
		}
	}
	for i := range changes {
		s.write(&changes[i])
		if s.outbox != nil && !changes[i].Unpublished {
			s.outbox.note(changes[i].Events)
		}
	}
	for _, b := range batches {
		s.workspaces[b.workspace].append(b)
	}
	return nil
}

// longest is how many events a batch has at most: some are decoded to find the one that is looked
// for.
const longest = 64

// batch is what a change appends to one log: a conversation's, or without one the contact's.
type batch struct {
	workspace, contact string
	conversation       uuid.UUID
	text               string
}

// encodeChange adds the batches of a change: one for each run of events of the same log.
func encodeChange(to []batch, ch *convo.Change) []batch {
	var buf [512]byte
	for from := 0; from < len(ch.Events); {
		e := &ch.Events[from]
		n := from + 1
		for n < len(ch.Events) && n-from < longest &&
			ch.Events[n].Conversation == e.Conversation &&
			(e.Conversation != uuid.Nil || ch.Events[n].Contact == e.Contact) {
			n++
		}
		b := batch{e.Workspace, e.Contact, e.Conversation, ""}
		owner := e.Contact
		if e.Conversation != uuid.Nil {
			owner = originOf(ch, e.Conversation)
		}
		b.text = string(encode(buf[:0], owner, ch.Events[from:n]))
		to = append(to, b)
		from = n
	}
	return to
}

// originOf is the contact that a conversation of ch was opened for.
func originOf(ch *convo.Change, id uuid.UUID) string {
	for i := range ch.Earlier {
		if ch.Earlier[i].ID == id {
			return ch.Earlier[i].Origin
		}
	}
	return ch.Conversation.Origin
}

func (w *workspace) append(b batch) {
	if b.conversation != uuid.Nil {
		c := w.conversations[b.conversation]
		c.log = append(c.log, b.text)
		return
	}
	m := w.contacts[b.contact].makeExtra()
	m.log = append(m.log, b.text)
}

// overlap refuses changes that write the same thing, each as if it were alone.
func overlap(changes []convo.Change) error {
	if len(changes) == 1 && len(changes[0].Keys) < 2 {
		return nil
	}
	type name struct {
		workspace string
		what      any
	}
	by := map[name]int{} // the change that writes it
	for i := range changes {
		ch := &changes[i]
		var err error
		add := func(what any, refusal error) {
			n := name{ch.Contact.Workspace, what}
			_, isKey := what.(convo.KeyID) // which one change has once, too
			if other, ok := by[n]; ok && (isKey || other != i) {
				err = fmt.Errorf("memstore: %v twice in one commit: %w", what, refusal)
			}
			by[n] = i
		}
		for _, k := range ch.Keys {
			id := k.KeyID
			if id.Address != "" { // which the message of another contact may name, too
				id.Contact = ""
			}
			add(id, convo.ErrDuplicate)
		}
		for _, r := range [...]*convo.ContactRow{&ch.Contact, &ch.Other} {
			if written(r) {
				add(r.ID, convo.ErrConflict)
			}
		}
		for r := range conversationRows(ch) {
			add(r.ID, convo.ErrConflict)
		}
		for _, a := range ch.Addresses {
			add(a.Address, convo.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// written reports whether a commit writes r, and does not only look at it.
func written(r *convo.ContactRow) bool {
	return r.Action != convo.RowKept && r.Action != convo.RowCompared
}

// conversationRows yields the rows of conversations that ch writes, in order.
func conversationRows(ch *convo.Change) iter.Seq[*convo.ConversationRow] {
	return func(yield func(*convo.ConversationRow) bool) {
		for i := range ch.Earlier {
			if !yield(&ch.Earlier[i]) {
				return
			}
		}
		if ch.Conversation.Action != convo.RowKept {
			yield(&ch.Conversation)
		}
	}
}

func (s *Store) check(ch *convo.Change, all []convo.Change) error {
	w := s.workspaces[ch.Contact.Workspace]
	if w == nil {
		w = &workspace{}
	}
	for _, k := range ch.Keys {
		var err error
		w.found(k.KeyID, func(*key, bool) {
			err = fmt.Errorf("memstore: key %q: %w", k.ID, convo.ErrDuplicate)
		})
		if err != nil {
			return err
		}
	}
	for _, r := range [...]*convo.ContactRow{&ch.Contact, &ch.Other} {
		if r.Action == convo.RowKept {
			continue
		}
		if err := w.checkContact(r.ID, r); err != nil {
			return err
		}
	}
	if ch.Erase != nil {
		if err := w.checkErase(ch); err != nil {
			return err
		}
	}
	for r := range conversationRows(ch) {
		if err := w.checkConversation(r); err != nil {
			return err
		}
	}
	if ch.Conversation.Action != convo.RowKept {
		if err := w.checkActive(ch.Conversation.Contact, all); err != nil {
			return err
		}
	}
	if ch.MergeInto != "" {
		if err := w.checkActive(ch.MergeInto, all); err != nil {
			return err
		}
	}
	for _, a := range ch.Unlinked {
		if w.addresses[a] == nil {
			return fmt.Errorf("memstore: address on %q: %w", a.Channel, convo.ErrConflict)
		}
	}
	for _, a := range ch.Addresses {
		if w.addresses[a.Address] != nil {
			return fmt.Errorf("memstore: address on %q: %w", a.Channel, convo.ErrConflict)
		}
	}
	return nil
}

// checkContact compares the contact with an id with what its row expects.
func (w *workspace) checkContact(id string, r *convo.ContactRow) error {
	var version int64
	later := false
	if k := w.contacts[id]; k != nil {
		version, later = k.version, k.seenAt > r.SeenAt.UnixMicro()
	}
	if version != r.Expected || later {
		return fmt.Errorf("memstore: contact %q: %w", id, convo.ErrConflict)
	}
	return nil
}

// checkConversation compares a conversation with what its row expects: a version and what changes
// without one, or nothing there.
func (w *workspace) checkConversation(r *convo.ConversationRow) error {
	var version int64
	var deadline, due time.Time
	var applied, owner string
	if c := w.conversations[r.ID]; c != nil {
		version, owner = c.version, c.origin.root.id
		if c.state != nil { // else it has no timers
			deadline, due, applied = c.state.Deadline, c.state.DueAt, c.state.Applied
		}
	}
	if version != r.Expected || !deadline.Equal(r.PlacesBefore.Deadline) ||
		!due.Equal(r.DueBefore) || applied != r.AppliedBefore || owner != r.ContactBefore {
		return fmt.Errorf("memstore: conversation %s: %w", r.ID, convo.ErrConflict)
	}
	return nil
}

// workspace is the one with a name, a new one if need be.
func (s *Store) workspace(name string) *workspace {
	w := s.workspaces[name]
	if w == nil {
		w = &workspace{
			name:          strings.Clone(name),
			contacts:      map[string]*contact{},
			conversations: map[uuid.UUID]*conversation{},
			addresses:     map[convo.Address]*contact{},
			identities:    map[string][]convo.Address{},
			keys:          map[keyName]*key{},
			receipts:      map[keyName][]receipt{},
			tokens:        map[string]token{"": 0},
			words:         []string{""},
			earlier:       map[*conversation][]convo.Cycle{},
		}
		s.workspaces[w.name] = w
	}
	return w
}

func (s *Store) write(ch *convo.Change) {
	w := s.workspace(ch.Contact.Workspace)
	if ch.Erase != nil {
		s.erase(w, ch)
	}
	if written(&ch.Contact) {
		w.writeContact(&ch.Contact.Contact)
	}
	if written(&ch.Other) {
		w.writeContact(&ch.Other.Contact)
	}
	for r := range conversationRows(ch) {
		w.keepCycle(&r.Conversation)
	}
	for r := range conversationRows(ch) {
		s.writeConversation(w, &r.Conversation)
	}
	for r := range conversationRows(ch) { // when what the call opened beside them is listed, too
		if x := w.conversations[r.ID].origin.extra; x != nil && !r.Status.Active() {
			x.opened.ended(w.conversations[r.ID], r.UpdatedAt.UnixMicro())
		}
	}
	for i := range ch.Cycles {
		w.keepEarlier(w.conversations[ch.Cycles[i].Conversation], &ch.Cycles[i].Cycle)
	}
	if ch.MergeInto != "" {
		w.merge(w.contacts[ch.Contact.ID], w.contacts[ch.MergeInto])
	}
	if ch.UnmergeFrom != "" {
		w.unmerge(w.contacts[ch.Contact.ID], w.contacts[ch.UnmergeFrom], ch.Family)
	}
	for i := range ch.Repointed {
		w.repoint(&ch.Repointed[i])
	}
	for _, p := range ch.Redact {
		w.redact(p)
	}
	for _, a := range ch.Unlinked {
		w.unlink(a)
	}
	for _, r := range ch.Addresses {
		k := w.contacts[r.Contact]
		a := convo.Address{Channel: w.word(r.Channel), Value: strings.Clone(r.Value)}
		w.addresses[a] = k
		k.makeExtra().addresses = append(k.makeExtra().addresses, a)
		w.identify(a)
	}
	for i := range ch.Keys {
		w.addKey(&ch.Keys[i])
	}
}

// identify lists a by what it says about whose it is.
func (w *workspace) identify(a convo.Address) {
	if id := a.Identity(); id != "" {
		all := w.identities[id]
		i, _ := slices.BinarySearchFunc(all, a, compareAddresses)
		w.identities[id] = slices.Insert(all, i, a)
	}
}

func (w *workspace) unlink(a convo.Address) {
	extra := w.addresses[a].extra
	at := slices.Index(extra.addresses, a)
	extra.addresses = slices.Delete(extra.addresses, at, at+1)
	delete(w.addresses, a)
	if id := a.Identity(); id != "" {
		i, _ := slices.BinarySearchFunc(w.identities[id], a, compareAddresses)
		w.identities[id] = slices.Delete(w.identities[id], i, i+1)
	}
}

// recode encodes a batch of the log of one owner for another one, with changes.
func (w *workspace) recode(
	batch string, conversation uuid.UUID, from, to string, change func(*convo.EventRow),
) string {
	var events []convo.Event
	e := convo.Event{Workspace: w.name, Conversation: conversation}
	decode(batch, &e, from, func(e *convo.Event) bool {
		r := e.Row()
		change(&r)
		events = append(events, r.Event())
		return true
	})
	return string(encode(nil, to, events))
}

func (w *workspace) writeContact(v *convo.Contact) {
	k := w.contacts[v.ID]
	if k == nil {
		k = &contact{of: w, id: strings.Clone(v.ID)}
		k.root = k
		w.contacts[k.id] = k
	}
	k.version, k.blocked = v.Version, v.Blocked
	k.createdAt, k.updatedAt = v.CreatedAt.UnixMicro(), v.UpdatedAt.UnixMicro()
	k.seenAt = v.SeenAt.UnixMicro()
	said := told{v.BlockedBy, v.Name, v.Attributes, v.MergedInto, v.Parent, v.ErasedAt}
	if k.extra != nil || said != (told{}) {
		k.makeExtra().told = said
	}
}

func (s *Store) writeConversation(w *workspace, v *convo.Conversation) {
	c := w.conversations[v.ID]
	if c == nil {
		o := w.contacts[v.Origin]
		c = &conversation{
			id:        v.ID,
			origin:    o,
			createdAt: v.CreatedAt.UnixMicro(),
			openedAt:  v.Cycle.OpenedAt.UnixMicro(),
			dueAt:     never,
			log:       make([]string, 0, 2), // mostly one opens it, one closes it
		}
		o.put(c)
		o.open(c, c.createdAt)
		w.conversations[c.id] = c
		w.all.add(c)
	}
	if o := w.contacts[v.Origin]; o != c.origin {
		w.move(c, o)
	}
	c.channel, c.lane = w.token(v.Channel), w.token(v.Lane)
	if at := v.Cycle.OpenedAt.UnixMicro(); at != c.openedAt {
		c.origin.take(c)
		c.openedAt = at
		c.origin.put(c)
	}
	c.version, c.status = v.Version, byte(max(0, slices.Index(statuses, v.Status)))
	c.assignee, c.team = w.token(v.Assignee), w.token(v.Team)
	c.category = w.token(v.Cycle.Closing.Category)
	active := v.Status.Active()
	w.list(c, active)
	if active || v.Version > foldable {
		if c.state == nil {
			c.state = s.unfolded()
		}
		*c.state = *v
	} else if c.state != nil {
		if len(s.spare) < cap(s.spare) {
			s.spare = append(s.spare, c.state)
		}
		c.state = nil
	}
	due := int64(never)
	if !v.DueAt.IsZero() {
		due = v.DueAt.UnixMicro()
	}
	s.timers.set(w, c, due)
}

// unfolded is memory for a state, one that a closed conversation left if there is any.
func (s *Store) unfolded() *convo.Conversation {
	n := len(s.spare) - 1
	if n < 0 {
		return new(convo.Conversation)
	}
	c := s.spare[n]
	s.spare = s.spare[:n]
	return c
}

// list keeps the contact's active conversation and the workspace's list of them.
func (w *workspace) list(c *conversation, active bool) {
	root := c.origin.root
	at := &root.active // where c is, or would be
	for *at != nil && *at != c {
		at = &(*at).nextLive
	}
	switch {
	case active == (*at == c):
		return
	case !active:
		*at, c.nextLive = c.nextLive, nil
		w.activeCount--
		return
	}
	*at = c
	w.activeCount++
	if !c.listed {
		c.listed = true
		w.active.add(c)
	}
	if len(w.active.items) > 2*w.activeCount+64 {
		kept := make([]*conversation, 0, w.activeCount)
		for _, c := range w.active.items {
			if c.listed = statuses[c.status].Active(); c.listed {
				kept = append(kept, c)
			}
		}
		w.active.items = kept
	}
}

// token is the number of s, a new one if need be.
func (w *workspace) token(s string) token {
	t, ok := w.tokens[s]
	if !ok {
		s = strings.Clone(s)
		t = token(len(w.words))
		w.tokens[s], w.words = t, append(w.words, s)
	}
	return t
}

// word is the workspace's own copy of s.
func (w *workspace) word(s string) string { return w.words[w.token(s)] }

func (k *contact) makeExtra() *extra {
	if k.extra == nil {
		k.extra = &extra{}
	}
	return k.extra
}
