package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Violation is a rule that a store breaks.
type Violation struct {
	Rule   string
	Detail string // where, and how
}

func (v *Violation) Error() string { return v.Rule + ": " + v.Detail }

// rule is an invariant that holds in every store at any time.
type rule int

const (
	oneActive rule = iota
	activeIsLatest
	versionCounts
	seqGapless
	eventOnce
	timeRuns
	foldIsState
	beforeIsFold
	cyclesAreFold
	cyclesCount
	measuresSane
	closingStands
	timerSane
	pendingSane
	contactIsRoot
	addressLeads
	messageHasKey
	externalOnce
	statusListed
	dueListed
	historyComplete
	contactFolds
	readsAgree
	listOrdered
	contactsListed
	listsAgree
	seenLately
	mentionsFound
)

var rules = [...]string{
	oneActive:       "a contact has at most one active conversation",
	activeIsLatest:  "a contact's active conversation is its latest one",
	versionCounts:   "a conversation's version is the number of its events",
	seqGapless:      "a conversation's events are numbered from 1 without gaps",
	eventOnce:       "an event's id is its own",
	timeRuns:        "an event is not before the one that precedes it in its conversation",
	foldIsState:     "a conversation is what folding its events gives",
	beforeIsFold:    "an event that changes status, assignee or team says what they were",
	cyclesAreFold:   "the log folds into the closed cycles",
	cyclesCount:     "a conversation has one cycle more than reopenings",
	measuresSane:    "no count or duration is negative",
	closingStands:   "a closing stands if and only if the conversation is closed",
	timerSane:       "a timer is set on active conversations, not after the end of a pending",
	pendingSane:     "since when it is pending is known if and only if a conversation is pending",
	contactIsRoot:   "a conversation's contact and origin lead to its contact",
	addressLeads:    "an address leads to its contact",
	messageHasKey:   "the key of an external id leads to its message",
	externalOnce:    "an external id is unique on its channel for its address or contact",
	statusListed:    "a list by status has all conversations with it and no others",
	dueListed:       "what is due is all conversations with a timer, the earliest first",
	historyComplete: "a contact's history is the logs of its conversations and its own, in order",
	contactFolds:    "a contact is what folding its events gives, and its versions have no gaps",
	readsAgree:      "every way to read a conversation gives the same",
	listOrdered:     "conversations are listed once each, the last opened first",
	listsAgree:      "every list and count shows the conversations that are there",
	contactsListed:  "root contacts are listed once each, in their order, and no others",
	mentionsFound:   "whom a log names that is not its own finds the conversation",
	seenLately:      "a contact's last message is less than SeenEvery after its SeenAt",
}

// farAway is after every timer.
var farAway = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)

// CheckInvariants reads all of the workspaces and returns every violation of what holds in every
// store at any time, each a *[Violation], and what failed to be read. Nobody may write meanwhile.
// It reads in pages, and holds of one workspace at a time the contacts, the conversations, the ids
// of events and messages, the events that give contacts their versions, and all events of one
// contact.
func CheckInvariants(ctx context.Context, s convo.Store, workspaces ...string) []error {
	return CheckPruned(ctx, s, convo.Retention{}, workspaces...)
}

// CheckPruned is CheckInvariants where more than texts was removed by age, as r says: with
// conversations, the versions of their contacts have gaps; with keys, messages have none.
func CheckPruned(
	ctx context.Context, s convo.Store, r convo.Retention, workspaces ...string,
) []error {
	var found []error
	timers := map[convo.Ref]time.Time{}
	for _, w := range workspaces {
		c := checker{
			ctx: ctx, store: s, pruned: r, workspace: w, timers: timers,
			events: map[uuid.UUID]bool{}, external: map[convo.KeyID]bool{},
			roots: map[string]convo.Contact{}, steps: map[string][]step{},
		}
		c.check()
		found = append(found, c.found...)
	}
	c := checker{ctx: ctx, store: s, timers: timers}
	c.due(workspaces)
	return append(found, c.found...)
}

type checker struct {
	ctx       context.Context
	store     convo.Store
	pruned    convo.Retention
	workspace string
	timers    map[convo.Ref]time.Time // that were found
	events    map[uuid.UUID]bool      // by id
	external  map[convo.KeyID]bool    // of messages
	roots     map[string]convo.Contact
	steps     map[string][]step // by contact
	found     []error
}

// demand notes that r is broken unless ok.
func (c *checker) demand(ok bool, r rule, format string, args ...any) {
	if !ok {
		c.found = append(c.found, &Violation{rules[r], fmt.Sprintf(format, args...)})
	}
}

// failed notes what could not be read; the check goes on with what there is.
func (c *checker) failed(err error) {
	if err != nil {
		c.found = append(c.found, fmt.Errorf("storetest: workspace %q: %w", c.workspace, err))
	}
}

func (c *checker) list(f convo.Filter) []convo.Conversation {
	f.Workspace, f.Limit = c.workspace, convo.MaxPageSize
	all, err := conversations(c.ctx, c.store, f)
	c.failed(err)
	return all
}

func (c *checker) log(f convo.EventFilter) []convo.Event {
	f.Workspace, f.Limit = c.workspace, convo.MaxPageSize
	all, err := events(c.ctx, c.store, f)
	c.failed(err)
	return all
}

func (c *checker) load(to convo.Ref) convo.Snapshot {
	t, err := c.store.Load(c.ctx, to)
	c.failed(err)
	return t
}

func (c *checker) check() {
	all := c.list(convo.Filter{})
	for i := 1; i < len(all); i++ {
		c.demand(
			comparePlaces(convo.Filter{}.Cursor(all[i-1]), convo.Filter{}.Cursor(all[i])) < 0,
			listOrdered,
			"%s then %s",
			all[i-1].ID,
			all[i].ID,
		)
	}
	c.lists(all)
	for _, status := range [][]convo.Status{
		{convo.StatusOpen}, {convo.StatusPending}, {convo.StatusClosed},
		{convo.StatusOpen, convo.StatusPending},
	} {
		got, want := c.list(convo.Filter{Status: status}), []convo.Conversation(nil)
		for _, v := range all {
			if slices.Contains(status, v.Status) {
				want = append(want, v)
			}
		}
		c.demand(
			slices.Equal(got, want),
			statusListed,
			"%v: %v, not %v",
			status,
			ids(got),
			ids(want),
		)
	}
	of := map[string][]convo.Conversation{}
	for _, v := range all {
		of[v.Contact] = append(of[v.Contact], v)
	}
	for f := (convo.ContactFilter{Workspace: c.workspace, Limit: convo.MaxPageSize}); ; {
		page, err := c.store.Contacts(c.ctx, f)
		c.failed(err)
		for _, k := range page {
			c.demand(k.ID > f.After.ID && k.MergedInto == "", contactsListed, "%q after %q", k.ID,
				f.After.ID)
			f.After = k.Cursor()
			c.roots[k.ID] = k
		}
		if len(page) < f.Limit || len(c.found) > 0 {
			break
		}
	}
	c.seen()
	for _, id := range slices.Sorted(maps.Keys(of)) {
		_, listed := c.roots[id]
		c.demand(listed, contactsListed, "%q has conversations, and is not listed", id)
		c.contact(id, of[id])
	}
	for id := range c.roots {
		if of[id] == nil {
			c.contact(id, nil)
		}
	}
	c.fold()
}

// seen checks the list of contacts by when they were last seen.
func (c *checker) seen() {
	want := slices.DeleteFunc(slices.Collect(maps.Values(c.roots)),
		func(k convo.Contact) bool { return k.SeenAt.IsZero() })
	slices.SortFunc(want, func(a, b convo.Contact) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(b.ID, a.ID))
	})
	f := convo.ContactFilter{Workspace: c.workspace, BySeen: true, Limit: convo.MaxPageSize}
	for {
		page, err := c.store.Contacts(c.ctx, f)
		c.failed(err)
		n := min(len(page), len(want))
		c.demand(slices.Equal(page, want[:n]), contactsListed, "as seen: %+v, not %+v", page,
			want[:n])
		if want = want[n:]; len(page) < f.Limit || len(c.found) > 0 {
			break
		}
		f.After = page[n-1].Cursor()
	}
	c.demand(len(want) == 0, contactsListed, "as seen: without %+v", want)
}

// contact checks a root contact and its conversations, the last opened first.
func (c *checker) contact(id string, of []convo.Conversation) {
	t := c.load(convo.ToContact(c.workspace, id))
	listed := c.list(convo.Filter{Contact: id})
	c.demand(
		slices.Equal(listed, of),
		readsAgree,
		"contact %q is listed with %v, not %v",
		id,
		ids(listed),
		ids(of),
	)
	active, latest := map[string]uuid.UUID{}, map[string]*convo.Conversation{} // by lane
	for i := range of {
		v := &of[i]
		if l := latest[v.Lane]; l == nil || later(v, l) {
			latest[v.Lane] = v
		}
		if v.Status.Active() {
			other := active[v.Lane]
			c.demand(other == uuid.Nil, oneActive, "contact %q: %s and %s", id, other, v.ID)
			active[v.Lane] = v.ID
		}
	}
	logs := map[uuid.UUID][]convo.Event{}
	for i := range of {
		logs[of[i].ID] = c.conversation(&of[i], active[of[i].Lane])
	}
	for lane, v := range latest {
		in := c.load(convo.ToContact(c.workspace, id).In(lane))
		c.demand(in.Conversation == *v && in.HasConversation, activeIsLatest,
			"contact %q: Load gives %+v in lane %q, not %+v", id, in.Conversation, lane, *v)
	}
	c.demand(t.HasConversation == (len(of) > 0) &&
		(t.Conversation.ID == uuid.Nil) == (latest[""] == nil), readsAgree,
		"contact %q: Load gives %+v in no lane", id, t)
	for i := range of {
		c.mentions(&of[i], logs[of[i].ID])
	}
	history := c.log(convo.EventFilter{Contact: id})
	c.history(id, history, logs)
	for i := range history {
		e := &history[i]
		if e.Kind == convo.MessageReceived && e.Conversation != uuid.Nil && !e.Message().Quiet {
			c.demand(e.At.Sub(t.Contact.SeenAt) < convo.SeenEvery, seenLately,
				"contact %q: last seen at %s, wrote at %s", id, t.Contact.SeenAt, e.At)
		}
	}
	c.noteSteps(history)
	if k, ok := c.roots[id]; ok {
		c.demand(t.Contact == k, readsAgree, "Load gives %+v, Contacts %+v", t.Contact, k)
		c.roots[id] = t.Contact
	}
	c.addresses(id, history)
}

// later reports whether v is the latest conversation of the two, in their lane.
func later(v, than *convo.Conversation) bool {
	if v.Status.Active() != than.Status.Active() {
		return v.Status.Active()
	}
	return cmp.Or(v.Cycle.OpenedAt.Compare(than.Cycle.OpenedAt),
		bytes.Compare(v.ID[:], than.ID[:])) > 0
}

// conversation checks one conversation of a contact that has that active one, or none, and returns
// its log.
func (c *checker) conversation(v *convo.Conversation, active uuid.UUID) []convo.Event {
	c.state(v)
	ref := convo.ToConversation(c.workspace, v.ID)
	one, err := c.store.Conversation(c.ctx, c.workspace, v.ID)
	c.failed(err)
	c.demand(one == *v, readsAgree, "Conversation gives %+v, Conversations %+v", one, *v)
	t := c.load(ref)
	c.demand(
		t.Conversation == *v,
		readsAgree,
		"Load gives %+v, Conversations %+v",
		t.Conversation,
		*v,
	)
	if active == v.ID {
		active = uuid.Nil
	}
	c.demand(
		t.Active == active,
		readsAgree,
		"Load says that %s is active beside %s, not %s",
		t.Active,
		v.ID,
		active,
	)
	for _, contact := range [...]convo.Contact{
		t.Contact,
		c.load(convo.ToContact(c.workspace, v.Contact)).Contact,
		c.load(convo.ToContact(c.workspace, v.Origin)).Contact,
	} {
		c.demand(
			contact.ID == v.Contact && contact.MergedInto == "",
			contactIsRoot,
			"conversation %s of %q, by origin %q: %+v",
			v.ID,
			v.Contact,
			v.Origin,
			contact,
		)
	}
	if !v.DueAt.IsZero() {
		c.timers[ref] = v.DueAt
	}

	log := c.log(convo.EventFilter{Conversation: v.ID})
	c.demand(
		v.Version == int64(len(log)),
		versionCounts,
		"conversation %s: version %d, %d events",
		v.ID,
		v.Version,
		len(log),
	)
	var folded convo.Snapshot
	var closed []convo.Cycle // before the present one
	cycles := 1
	for i, e := range log {
		c.demand(
			e.Seq == int64(i+1),
			seqGapless,
			"conversation %s: %d at place %d",
			v.ID,
			e.Seq,
			i+1,
		)
		c.demand(i == 0 || !e.At.Before(log[i-1].At), timeRuns, "conversation %s: %d", v.ID, e.Seq)
		c.once(&e)
		was := folded.Conversation
		folded = convo.Apply(folded, e)
		if e.Kind == convo.ConversationRated {
			c.rating(&was, closed, &e)
			continue
		}
		c.demand(e.Before() == beforeOf(&was, &folded.Conversation, &e), beforeIsFold,
			"conversation %s: event %d: %+v, not %+v", v.ID, e.Seq, e.Before(),
			beforeOf(&was, &folded.Conversation, &e))
		if e.Kind == convo.ConversationReopened {
			cycles++
			closed = append(closed, was.Cycle)
		}
	}
	c.demand(
		v.Cycle.Number == cycles,
		cyclesCount,
		"conversation %s: cycle %d of %d",
		v.ID,
		v.Cycle.Number,
		cycles,
	)
	if !v.Status.Active() {
		closed = append(closed, folded.Conversation.Cycle)
	}
	kept, err := c.store.ClosedCycles(c.ctx, v.Workspace, v.ID)
	c.failed(err)
	c.demand(slices.Equal(kept, closed), cyclesAreFold,
		"conversation %s: closed cycles %+v, not %+v", v.ID, kept, closed)
	want := folded.Conversation
	// A merge moves it, and a timer is a hint: no event of its own says so.
	want.Contact, want.DueAt, want.Deadline = v.Contact, v.DueAt, v.Deadline
	want.Applied = v.Applied
	c.demand(want == *v, foldIsState, "conversation %s: %+v, not %+v", v.ID, *v, want)
	return log
}

// state checks what a conversation says of itself.
func (c *checker) state(v *convo.Conversation) {
	k := &v.Cycle
	for name, n := range map[string]int64{
		"responses": int64(k.Responses), "response_micros": k.ResponseMicros,
		"pending_micros": k.PendingMicros,
		"incoming":       int64(k.Incoming), "outgoing_user": int64(k.OutgoingUser),
		"outgoing_automation": int64(k.OutgoingAutomation),
	} {
		c.demand(n >= 0, measuresSane, "conversation %s: %s is %d", v.ID, name, n)
	}
	for name, at := range map[string]time.Time{
		"first_assigned_at": k.FirstAssignedAt, "first_response_at": k.FirstResponseAt,
		"closing.at": k.Closing.At,
	} {
		c.demand(
			at.IsZero() || !at.Before(k.OpenedAt),
			measuresSane,
			"conversation %s: %s is before its opening",
			v.ID,
			name,
		)
	}
	closed, pending := v.Status == convo.StatusClosed, v.Status == convo.StatusPending
	c.demand(
		closed != k.Closing.At.IsZero() && (!closed || !v.FirstClosedAt.IsZero()),
		closingStands,
		"conversation %s is %s: closing %+v, first closed %s",
		v.ID,
		v.Status,
		k.Closing,
		v.FirstClosedAt,
	)
	c.demand(
		!v.StatusSince.Before(v.CreatedAt) && !v.StatusSince.After(v.UpdatedAt) &&
			(pending || v.PendingUntil.IsZero() && v.OnReceive == convo.OnReceivePolicy),
		pendingSane,
		"conversation %s is %s: since %s until %s",
		v.ID,
		v.Status,
		v.StatusSince,
		v.PendingUntil,
	)
	noLater := func(at, than time.Time) bool {
		return than.IsZero() || !at.IsZero() && !at.After(than)
	}
	c.demand(
		(!closed || v.DueAt.IsZero() && v.Deadline.IsZero() && v.Marks == "") &&
			noLater(v.Deadline, v.PendingUntil) && noLater(v.DueAt, v.Deadline),
		timerSane,
		"conversation %s is %s until %s: due at %s, listed at %s, marks %s",
		v.ID,
		v.Status,
		v.PendingUntil,
		v.DueAt,
		v.Deadline,
		v.Marks,
	)
}
