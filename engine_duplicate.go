package convo

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// alreadyApplied leaves out of cmds what an earlier call applied, and returns the root contact and
// the last such key. It is asked only after something went wrong, because that is rare.
func (e *Engine) alreadyApplied(
	ctx context.Context, to Ref, cmds []Command,
) (rest []Command, contact string, last Key, err error) {
	groups := keyedGroups(cmds, to.Address)
	var ids []KeyID
	requests, twice := map[string]int64{}, "" // a key that the call has for two requests
	for i := range groups {
		if key := groups[i].key; key != "" {
			hash := requestHash(to, cmds[groups[i].from:groups[i].to])
			if was, ok := requests[key]; ok && was != hash {
				twice = key
			}
			requests[key] = hash
		}
		for _, id := range [...]KeyID{{ID: groups[i].key}, groups[i].external} {
			if id.ID != "" && checkKey("key", id.ID) == nil &&
				checkToken("channel", id.Channel) == nil &&
				checkToken("address", id.Address) == nil {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return cmds, "", Key{}, nil
	}
	s, err := e.loadRoot(ctx, to)
	if err != nil && !errors.Is(err, ErrNotFound) { // a host's key may be known nevertheless
		return nil, "", Key{}, err
	}
	for i := range ids {
		if ids[i].Channel != "" {
			ids[i].Contact = s.Contact.ID
		}
	}
	keys, err := e.store.Keys(ctx, to.Workspace, ids...)
	if err != nil {
		return nil, "", Key{}, err
	}
	for i := range groups {
		g := &groups[i]
		k, ok, err := g.appliedUnder(keys, s.Contact.ID, to, cmds)
		if err != nil {
			return nil, "", Key{}, err
		}
		if ok {
			last = k
		} else {
			rest = append(rest, cmds[g.from:g.to]...)
		}
	}
	if twice != "" && len(rest) < len(cmds) {
		return nil, "", Key{}, fmt.Errorf("convo: key %q: %w", twice, ErrKeyReused)
	}
	return rest, s.Contact.ID, last, nil
}

// duplicate is the first result of what was applied under k, which was asked for by contact. What
// belongs to another one by now is nobody's business here: then it says no more than that.
func (e *Engine) duplicate(ctx context.Context, to Ref, contact string, k Key) (Result, error) {
	e.log.DebugContext(ctx, "convo: duplicate", "workspace", to.Workspace,
		"channel", k.Channel, "key", k.ID)
	switch {
	case k.Conversation != uuid.Nil:
		to = ToConversation(to.Workspace, k.Conversation)
	case k.Contact != "":
		to = ToContact(to.Workspace, k.Contact)
	case to.Contact == "" && to.Conversation == uuid.Nil:
		// The key does not say whose the address was, and it may be another one's by now.
		return Result{Outcome: OutcomeDuplicate}, nil
	}
	t, err := e.loadRoot(ctx, to)
	if k.Conversation != uuid.Nil && errors.Is(err, ErrNotFound) { // it was removed by its age
		return Result{Outcome: OutcomeDuplicate}, nil
	}
	if err != nil {
		return Result{}, err
	}
	if t.Contact.ID != contact || t.Contact.Version == 0 {
		return Result{Outcome: OutcomeDuplicate}, nil
	}
	r := Result{Outcome: OutcomeDuplicate, Contact: t.Contact}
	if k.Conversation != uuid.Nil {
		r.Conversation = t.Conversation
	}
	if k.LastSeq > 0 {
		r.Events, err = e.eventsOf(ctx, to.Workspace, k)
	}
	return r, err
}

// eventsOf are the events that were written under k.
func (e *Engine) eventsOf(ctx context.Context, workspace string, k Key) ([]Event, error) {
	f := EventFilter{
		Workspace: workspace, Conversation: k.Conversation,
		After: EventCursor{Seq: k.FirstSeq - 1}, Limit: int(k.LastSeq - k.FirstSeq + 1),
	}
	if k.Conversation == uuid.Nil {
		f.OwnLog = k.Contact
	}
	return e.store.Events(ctx, f)
}

// callApplied is the key of a whole call, if that was applied before, and the contact that the call
// is for now.
func (e *Engine) callApplied(
	ctx context.Context, c *call,
) (k Key, contact string, known bool, err error) {
	keys, err := e.store.Keys(ctx, c.to.Workspace, KeyID{ID: c.key})
	if err != nil || len(keys) == 0 {
		return Key{}, "", false, err
	}
	if keys[0].RequestHash != requestHash(c.to, nil) {
		return Key{}, "", false, fmt.Errorf("convo: key %q: %w", c.key, ErrKeyReused)
	}
	s, err := e.loadRoot(ctx, c.to)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Key{}, "", false, err
	}
	return keys[0], s.Contact.ID, true, nil
}

// remember keeps the key of a call all of whose commands were applied before, under k.
func (e *Engine) remember(ctx context.Context, c *call, contact string, k Key) error {
	k.RequestHash = requestHash(c.to, nil)
	return e.commit(ctx, &Change{
		Contact: ContactRow{Contact: Contact{Workspace: c.to.Workspace, ID: contact}},
		Keys:    []Key{k.ofHost(c.key)},
	})
}

// recorded is the key of a whole call, for what it writes.
func (c *call) recorded(ch *Change) Key {
	k := keyOfEvents(ch.Conversation.ID, ch.Events)
	k.RequestHash = requestHash(c.to, nil)
	return k.ofHost(c.key)
}

// askHost has the host decide on what was loaded, and returns what is not applied yet.
func (e *Engine) askHost(ctx context.Context, c *call, s *Snapshot) ([]Command, error) {
	cmds, err := c.decide(*s)
	if err != nil {
		c.refused = err
		return nil, err
	}
	if c.key != "" {
		for _, cmd := range cmds {
			if key, _ := keysOf(cmd, c.to.Address); key == c.key {
				return cmds, invalid("key", "is that of the call already: give its commands others")
			}
		}
	}
	if !c.partly {
		return cmds, nil
	}
	rest, _, _, err := e.alreadyApplied(ctx, c.to, cmds)
	if err != nil {
		return cmds, err
	}
	if len(rest) == 0 && len(cmds) > 0 {
		return cmds, ErrDuplicate // all of it by now
	}
	return rest, nil
}
