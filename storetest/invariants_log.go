package storetest

import (
	"cmp"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/google/uuid"
)

func (c *checker) once(e *convo.Event) {
	c.demand(!c.events[e.ID], eventOnce, "%s comes twice", e.ID)
	c.events[e.ID] = true
}

// messages checks the keys of the messages of a root contact: they lead to the message.
// Those of echoes lead to what they echo.
func (c *checker) messages(history []convo.Event, contact string) {
	echoes := map[uuid.UUID]bool{}
	for i := range history {
		echoes[history[i].Duplicated().Duplicate] = true
	}
	for _, e := range history {
		m := e.Message()
		if m.ExternalID == "" || echoes[e.ID] {
			continue
		}
		asked := []convo.KeyID{{Channel: m.Channel, Contact: contact, ID: m.ExternalID}}
		if e.Contact != contact { // perhaps of another one, before a Move
			asked = append(asked,
				convo.KeyID{Channel: m.Channel, Contact: e.Contact, ID: m.ExternalID})
		}
		keys, err := c.store.Keys(c.ctx, c.workspace, asked...)
		c.failed(err)
		leads := func(k convo.Key) bool {
			return k.Channel == m.Channel && k.ID == m.ExternalID &&
				(k.Address == "" || k.Address == m.Address) &&
				k.Conversation == e.Conversation &&
				(e.Conversation != uuid.Nil || k.Contact == e.Contact) &&
				k.FirstSeq <= e.Seq && e.Seq <= k.LastSeq
		}
		at := slices.IndexFunc(keys, leads)
		c.demand(at >= 0 || c.pruned.Keys > 0, messageHasKey,
			"conversation %s: message %d, keys %+v", e.Conversation, e.Seq, keys)
		id := convo.KeyID{Channel: m.Channel, Address: m.Address, ID: m.ExternalID}
		if id.Address == "" && at >= 0 {
			id.Contact = keys[at].Contact // who owned it
		}
		c.demand(!c.external[id] || c.pruned.Keys > 0, externalOnce, "%+v comes twice", id)
		c.external[id] = true
	}
}

// mentions checks that a conversation is found by those whom its log names.
func (c *checker) mentions(v *convo.Conversation, log []convo.Event) {
	asked := map[string]bool{"": true, v.Contact: true}
	for i := range log {
		for _, id := range append(log[i].Mentions(), log[i].Contact) {
			if asked[id] {
				continue
			}
			asked[id] = true
			k := c.load(convo.ToContact(c.workspace, id)).Contact
			if k.ID == v.Contact || !k.ErasedAt.IsZero() {
				continue
			}
			found, err := c.store.Mentions(c.ctx, c.workspace, id)
			c.failed(err)
			c.demand(slices.Contains(found, v.ID), mentionsFound, "%s names %q", v.ID, id)
		}
	}
}

// history checks the history of a contact against the logs of its conversations.
func (c *checker) history(id string, history []convo.Event, logs map[uuid.UUID][]convo.Event) {
	got := map[uuid.UUID][]convo.Event{}
	for i, e := range history {
		if i > 0 {
			c.demand(
				compareCursors(history[i-1].Cursor(), e.Cursor()) < 0,
				historyComplete,
				"contact %q: %+v",
				id,
				e,
			)
		}
		if e.Conversation == uuid.Nil {
			c.once(&e)
			continue
		}
		got[e.Conversation] = append(got[e.Conversation], e)
	}
	c.messages(history, id)
	for conversation := range logs {
		c.demand(
			reflect.DeepEqual(got[conversation], logs[conversation]),
			historyComplete,
			"contact %q: conversation %s has %d events in the history, %d in its log",
			id,
			conversation,
			len(got[conversation]),
			len(logs[conversation]),
		)
		delete(got, conversation)
	}
	c.demand(
		len(got) == 0,
		historyComplete,
		"contact %q: events of others: %v",
		id,
		slices.Collect(maps.Keys(got)),
	)
}

// step is an event that gives a contact a version.
type step struct {
	version int64
	event   convo.Event
}

// noteSteps keeps what the history of a root says of contacts, its own or others.
func (c *checker) noteSteps(history []convo.Event) {
	add := func(contact string, version int64, e *convo.Event) {
		c.steps[contact] = append(c.steps[contact], step{version, *e})
	}
	for i := range history {
		e := &history[i]
		switch r := e.Row(); {
		case e.Conversation == uuid.Nil:
			add(e.Contact, e.Seq, e)
			if e.Kind == convo.ContactMerged {
				add(r.MergedInto, r.ContactSeq, e)
			}
			if e.Kind == convo.ContactUnmerged {
				add(r.UnmergedFrom, r.ContactSeq, e)
			}
		case r.ContactSeq != 0:
			add(e.Contact, r.ContactSeq, e)
			if r.MovedFrom != "" {
				add(r.MovedFrom, r.FromSeq, e)
			}
		}
	}
}

// fold checks that the events of each contact number it without gaps, and fold into it, whoever's
// log they are in. Conversations that were removed have left gaps.
func (c *checker) fold() {
	for id, of := range c.steps {
		slices.SortStableFunc(of, func(a, b step) int { return cmp.Compare(a.version, b.version) })
		last := int64(0)
		for i := range of {
			gap := c.pruned.Conversations > 0 && of[i].version > last
			c.demand(gap || of[i].version == last+1, contactFolds,
				"contact %q: version %d behind %d", id, of[i].version, last)
			last = of[i].version
		}
		k, isRoot := c.roots[id]
		if !isRoot {
			continue
		}
		var t convo.Snapshot
		t.Contact.ID = id
		for _, s := range of {
			t.Conversation = convo.Conversation{ID: s.event.Conversation}
			t = convo.Apply(t, s.event)
		}
		t.Contact.SeenAt = k.SeenAt // by messages, which give no version
		if c.pruned.Conversations > 0 && t.Contact.Version <= k.Version {
			t.Contact.Version = k.Version
			t.Contact.CreatedAt, t.Contact.UpdatedAt = k.CreatedAt, k.UpdatedAt
		}
		c.demand(t.Contact == k, contactFolds, "contact %+v, not %+v", k, t.Contact)
	}
}

// addresses checks that those of a contact are the ones that were linked, and lead to it.
func (c *checker) addresses(id string, history []convo.Event) {
	all, err := c.store.Addresses(c.ctx, c.workspace, id)
	c.failed(err)
	got := map[convo.Address]bool{}
	for _, a := range all {
		got[a] = true
		t := c.load(convo.Ref{Workspace: c.workspace, Address: a})
		c.demand(
			t.Contact.ID == id && t.AddressOwner == id,
			addressLeads,
			"%+v of %q leads to %q, owner %q",
			a,
			id,
			t.Contact.ID,
			t.AddressOwner,
		)
	}
	// Each log of the family says what was linked to its contact. The root's says that one of
	// another log went, but not which.
	links := map[string]map[convo.Address]int{}
	for _, e := range history {
		if links[e.Contact] == nil {
			links[e.Contact] = map[convo.Address]int{}
		}
		switch of, a := links[e.Contact], e.Address(); {
		case e.Kind == convo.AddressLinked:
			of[a]++
		case e.Kind == convo.AddressUnlinked && a != convo.Address{}:
			of[a]--
		case e.Kind == convo.ContactErased:
			clear(links)
		}
	}
	linked := map[convo.Address]bool{}
	for of, all := range links {
		for a, n := range all {
			c.demand(n == 0 || n == 1, addressLeads, "%+v of %q was linked %d times", a, of, n)
			if n == 1 {
				c.demand(!linked[a], addressLeads, "%+v of %q is linked to %q, too", a, id, of)
				linked[a] = true
			}
		}
	}
	c.demand(
		maps.Equal(got, linked),
		addressLeads,
		"contact %q has %v, linked were %v",
		id,
		got,
		linked,
	)
}

// due checks the timers of the workspaces, among which those of others may be.
func (c *checker) due(workspaces []string) {
	limit := convo.MaxPageSize
	due, err := c.store.Due(c.ctx, convo.DueQuery{Before: farAway, Limit: limit})
	for err == nil && len(due) >= limit && limit < math.MaxInt32/2 {
		limit *= 2
		due, err = c.store.Due(c.ctx, convo.DueQuery{Before: farAway, Limit: limit})
	}
	c.failed(err)
	var last time.Time
	got := map[convo.Ref]bool{}
	for _, d := range due {
		ref := d.Ref
		if !slices.Contains(workspaces, ref.Workspace) {
			continue
		}
		at, ok := c.timers[ref]
		c.demand(
			ok && !got[ref] && !at.Before(last),
			dueListed,
			"%+v, due at %s after %s",
			ref,
			at,
			last,
		)
		c.demand(at.Equal(d.DueAt), dueListed, "%+v, due at %s, not at %s", ref, at, d.DueAt)
		got[ref], last = true, at
	}
	for ref, at := range c.timers {
		c.demand(got[ref], dueListed, "not %+v, due at %s", ref, at)
	}
}

// rating checks what a rating says of the conversation and of the cycle that it is about, and gives
// it to that if it is one of those before.
func (c *checker) rating(was *convo.Conversation, closed []convo.Cycle, e *convo.Event) {
	r, of := e.Rated(), &was.Cycle
	if r.Cycle > 0 && r.Cycle <= len(closed) {
		of = &closed[r.Cycle-1]
	}
	want := convo.Rated{
		Before: convo.Before{
			Status: was.Status, Lane: was.Lane, Channel: was.Channel, Labels: was.Labels,
			Priority: was.Priority, Assignee: of.LastAssignee, Team: of.LastTeam,
			Cycle: of.Number, OpenedSource: of.OpenedSource, ClosedBy: of.Closing.By,
		},
		Score: r.Score, Comment: r.Comment, Replaces: of.Rating != (convo.Rating{}),
	}
	c.demand(r == want, beforeIsFold, "conversation %s: event %d: %+v, not %+v", e.Conversation,
		e.Seq, r, want)
	if of != &was.Cycle {
		rated(of, e)
	}
}

// beforeOf is what e has to say of what the conversation was: which stretches of time it ends.
func beforeOf(was, is *convo.Conversation, e *convo.Event) (b convo.Before) {
	if e.Seq == 1 {
		return b
	}
	message := e.Kind == convo.MessageReceived || e.Kind == convo.MessageSent
	switch e.Kind {
	case convo.ConversationPending, convo.ConversationResumed, convo.ConversationReopened:
		b.StatusSince = was.StatusSince
	case convo.ConversationClosed, convo.ConversationAssigned, convo.ConversationTransferred,
		convo.ConversationMoved, convo.DeadlinePassed:
	case convo.MessageReceived, convo.MessageSent:
		opens := was.Turn() == convo.TurnNobody && was.Cycle.TurnSince.Equal(e.At)
		if was.Turn() == is.Turn() || opens {
			return b
		}
	default:
		return b
	}
	b.Assignee, b.Team, b.Lane, b.Channel = was.Assignee, was.Team, was.Lane, was.Channel
	b.Status, b.Labels, b.Priority = was.Status, was.Labels, was.Priority
	b.Cycle, b.OpenedSource = was.Cycle.Number, was.Cycle.OpenedSource
	if message || e.Kind == convo.ConversationClosed {
		b.Turn, b.TurnSince = was.Turn(), was.Cycle.TurnSince
	}
	ends := e.Kind == convo.ConversationClosed
	if (ends || e.Kind == convo.ConversationAssigned) && was.Status.Active() {
		b.OpenedAt, b.WasAssigned = was.Cycle.OpenedAt, was.Cycle.FirstAssignee != ""
		switch {
		case was.Assignee == "":
		case was.AssignedAt.Before(was.Cycle.OpenedAt): // kept through a reopening
			b.AssignedAt = was.Cycle.OpenedAt
		default:
			b.AssignedAt = was.AssignedAt
		}
	}
	if ends {
		b.StatusSince, b.Replies = was.StatusSince, was.Cycle.Responses
		b.PendingMicros = is.Cycle.PendingMicros
	}
	if is.Cycle.Responses > was.Cycle.Responses && is.Cycle.Number == was.Cycle.Number {
		b.WaitingSince, b.HandedOverAt = was.Cycle.WaitingSince, was.Cycle.HandedOverAt
		b.Replies = was.Cycle.Responses
	}
	if e.Kind == convo.ConversationReopened {
		b.ClosedBy = was.Cycle.Closing.By
	}
	return b
}
