package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Commit implements convo.Store: it checks every change, and only then writes, so that it writes all or nothing.
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
	}
	for _, b := range batches {
		s.workspaces[b.workspace].append(b)
	}
	return nil
}

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
		for n < len(ch.Events) && ch.Events[n].Conversation == e.Conversation {
			n++
		}
		b := batch{e.Workspace, e.Contact, e.Conversation, ""}
		owner := e.Contact
		if e.Conversation != uuid.Nil {
			owner = origin(ch, e.Conversation)
		}
		b.text = string(encode(buf[:0], owner, ch.Events[from:n]))
		to = append(to, b)
		from = n
	}
	return to
}

// origin is the contact that a conversation of ch was opened for.
func origin(ch *convo.Change, id uuid.UUID) string {
	for i := range ch.Past {
		if ch.Past[i].ID == id {
			return ch.Past[i].Origin
		}
	}
	return ch.Thread.Conversation.Origin
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
	if len(changes) < 2 {
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
			n := name{ch.Thread.Contact.Workspace, what}
			if other, ok := by[n]; ok && other != i {
				err = fmt.Errorf("memstore: %v twice in one commit: %w", what, refusal)
			}
			by[n] = i
		}
		for _, k := range ch.Keys {
			add(k.KeyID, convo.ErrDuplicate)
		}
		if ch.WritesContact() {
			add(ch.Thread.Contact.ID, convo.ErrConflict)
		}
		for j := range ch.Past {
			add(ch.Past[j].ID, convo.ErrConflict)
		}
		if ch.WritesConversation() {
			add(ch.Thread.Conversation.ID, convo.ErrConflict)
		}
		for j := range ch.Events {
			if e := &ch.Events[j]; e.Kind == convo.AddressLinked {
				add(convo.Address{Channel: e.Channel, Value: e.Address}, convo.ErrConflict)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) check(ch *convo.Change, all []convo.Change) error {
	w := s.workspaces[ch.Thread.Contact.Workspace]
	if w == nil {
		w = &workspace{}
	}
	for _, k := range ch.Keys {
		if _, ok := w.keys[k.KeyID]; ok {
			return fmt.Errorf("memstore: key %q: %w", k.ID, convo.ErrDuplicate)
		}
	}
	owner := w.contacts[ch.Thread.Contact.ID]
	var version int64
	if owner != nil {
		version = owner.state.Version
	}
	if ch.WritesContact() && version != ch.Loaded.ContactVersion {
		return fmt.Errorf("memstore: contact %q: %w", ch.Thread.Contact.ID, convo.ErrConflict)
	}
	for i := range ch.Past {
		if err := w.checkConversation(ch, &ch.Past[i]); err != nil {
			return err
		}
	}
	if ch.WritesConversation() {
		if err := w.checkConversation(ch, &ch.Thread.Conversation); err != nil {
			return err
		}
		if err := w.checkActive(ch.Thread.Conversation.Contact, all); err != nil {
			return err
		}
	}
	if into := ch.Thread.Contact.MergedInto; into != "" {
		if err := w.checkActive(into, all); err != nil {
			return err
		}
	}
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Kind == convo.AddressLinked {
			if w.addresses[convo.Address{Channel: e.Channel, Value: e.Address}] != nil {
				return fmt.Errorf("memstore: address: %w", convo.ErrConflict)
			}
		}
	}
	return nil
}

// checkConversation compares a conversation with what the change was decided on: the loaded version, or nothing there.
func (w *workspace) checkConversation(ch *convo.Change, v *convo.Conversation) error {
	var version, loaded int64
	if c := w.conversations[v.ID]; c != nil {
		version = c.version
	}
	if v.ID == ch.Loaded.Conversation {
		loaded = ch.Loaded.Version
	}
	if version != loaded {
		return fmt.Errorf("memstore: conversation %s: %w", v.ID, convo.ErrConflict)
	}
	return nil
}

// checkActive refuses a second active conversation of a contact, with all that was merged into it by these changes.
func (w *workspace) checkActive(contact string, all []convo.Change) error {
	var active [2]uuid.UUID
	n := 0
	add := func(id uuid.UUID) {
		if n == 0 || n == 1 && active[0] != id {
			active[n] = id
			n++
		}
	}
	stored := func(id string) {
		if k := w.contacts[id]; k != nil && k.active != nil && !closes(all, k.active.id) {
			add(k.active.id)
		}
	}
	stored(contact)
	for i := range all {
		t := &all[i].Thread
		if t.Conversation.Contact == contact && t.Conversation.Status.Active() && all[i].WritesConversation() {
			add(t.Conversation.ID)
		}
		if t.Contact.MergedInto == contact {
			stored(t.Contact.ID)
		}
	}
	if n > 1 {
		return fmt.Errorf("memstore: contact %q: %w", contact, convo.ErrActiveExists)
	}
	return nil
}

// closes reports whether the changes leave the conversation closed.
func closes(all []convo.Change, id uuid.UUID) bool {
	for i := range all {
		if c := &all[i].Thread.Conversation; c.ID == id && all[i].WritesConversation() {
			return !c.Status.Active()
		}
		for j := range all[i].Past {
			if all[i].Past[j].ID == id {
				return true
			}
		}
	}
	return false
}

func (s *Store) write(ch *convo.Change) {
	name := ch.Thread.Contact.Workspace
	w := s.workspaces[name]
	if w == nil {
		w = &workspace{
			name:          strings.Clone(name),
			contacts:      map[string]*contact{},
			conversations: map[uuid.UUID]*conversation{},
			addresses:     map[convo.Address]*contact{},
			identities:    map[string][]convo.Address{},
			keys:          map[convo.KeyID]key{},
			tokens:        map[string]string{},
		}
		s.workspaces[w.name] = w
	}
	if ch.WritesContact() {
		w.writeContact(&ch.Thread.Contact)
	}
	for i := range ch.Past {
		s.writeConversation(w, &ch.Past[i])
	}
	if ch.WritesConversation() {
		s.writeConversation(w, &ch.Thread.Conversation)
	}
	if ch.Thread.Contact.MergedInto != "" {
		w.merge(w.contacts[ch.Thread.Contact.ID], w.contacts[ch.Thread.Contact.MergedInto])
	}
	for i := range ch.Events {
		if e := &ch.Events[i]; e.Kind == convo.AddressLinked {
			k := w.contacts[e.Contact]
			a := convo.Address{Channel: w.token(e.Channel), Value: strings.Clone(e.Address)}
			w.addresses[a] = k
			k.makeExtra().addresses = append(k.makeExtra().addresses, a)
			w.identify(a)
		}
	}
	for _, k := range ch.Keys {
		id := convo.KeyID{Channel: w.token(k.Channel), ID: strings.Clone(k.ID)}
		w.keys[id] = key{w.conversations[k.Conversation], k.RequestHash, k.FirstSeq, k.LastSeq}
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

func (w *workspace) writeContact(v *convo.Contact) {
	k := w.contacts[v.ID]
	if k == nil {
		k = &contact{}
		k.root, k.state.ID = k, strings.Clone(v.ID)
		w.contacts[k.state.ID] = k
	}
	id := k.state.ID
	k.state = *v
	k.state.Workspace, k.state.ID = w.name, id
}

// merge makes k and its aliases aliases of root.
func (w *workspace) merge(k, root *contact) {
	merged := k.aliases()
	for _, a := range merged {
		a.root = root
	}
	root.makeExtra().aliases = append(root.makeExtra().aliases, merged...)
	if k.extra != nil {
		k.extra.aliases = nil
	}
	if k.active != nil {
		root.active, k.active = k.active, nil
	}
}

func (s *Store) writeConversation(w *workspace, v *convo.Conversation) {
	c := w.conversations[v.ID]
	if c == nil {
		o := w.contacts[v.Origin]
		c = &conversation{
			id: v.ID, origin: o, previous: o.latest, createdAt: v.CreatedAt.UnixMicro(), dueAt: never,
			channel: w.token(v.Channel),
		}
		o.latest = c
		w.conversations[c.id] = c
		w.all.add(c)
	}
	c.version, c.status = v.Version, byte(max(0, slices.Index(statuses, v.Status)))
	c.assignee, c.team, c.category = w.token(v.Assignee), w.token(v.Team), w.token(v.Cycle.Closing.Category)
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
	switch {
	case active == (root.active == c):
		return
	case !active:
		root.active = nil
		w.activeCount--
		return
	}
	root.active = c
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

func (w *workspace) token(s string) string {
	if s == "" {
		return ""
	}
	t, ok := w.tokens[s]
	if !ok {
		t = strings.Clone(s)
		w.tokens[t] = t
	}
	return t
}

func (k *contact) makeExtra() *extra {
	if k.extra == nil {
		k.extra = &extra{}
	}
	return k.extra
}
