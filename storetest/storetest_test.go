package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func TestTheReferenceStoreConforms(t *testing.T) {
	Run(t, func(*testing.T) convo.Store { return memstore.New() })
}

// fake is a store with something wrong: what is set of it changes what goes in or comes out.
type fake struct {
	convo.Store
	before func(ctx context.Context, method, workspace string) (context.Context, string, error)

	commit      func(ctx context.Context, s convo.Store, changes []convo.Change) error
	ref         func(*convo.Ref)
	filter      func(*convo.Filter)
	eventFilter func(*convo.EventFilter)
	keyID       func(*convo.KeyID)
	dueBefore   func(*convo.DueQuery)

	thread       func(*convo.Snapshot)
	conversation func(*convo.Conversation) // every one that is read
	one          func(*convo.Conversation) // by Conversation alone
	list         func(convo.Filter, []convo.Conversation) []convo.Conversation
	events       func(convo.EventFilter, []convo.Event) []convo.Event
	keys         func([]convo.Key) []convo.Key
	addresses    func([]convo.Address) []convo.Address
	closedCycle  func(*convo.Cycle)
	due          func([]convo.DueConversation) []convo.DueConversation
	contacts     func([]convo.Contact) []convo.Contact
	counts       func([]convo.Count)
}

func (f *fake) Counts(ctx context.Context, workspace string) ([]convo.Count, error) {
	ctx, workspace, err := f.begin(ctx, "Counts", workspace)
	if err != nil {
		return nil, err
	}
	all, err := f.Store.Counts(ctx, workspace)
	if f.counts != nil {
		f.counts(all)
	}
	return all, err
}

func (f *fake) LastMessages(
	ctx context.Context, workspace string, ids []uuid.UUID,
) ([]convo.Event, error) {
	ctx, workspace, err := f.begin(ctx, "LastMessages", workspace)
	if err != nil {
		return nil, err
	}
	return f.Store.LastMessages(ctx, workspace, ids)
}

func (f *fake) Contacts(ctx context.Context, by convo.ContactFilter) ([]convo.Contact, error) {
	all, err := f.Store.Contacts(ctx, by)
	if f.contacts != nil {
		all = f.contacts(all)
	}
	return all, err
}

func (f *fake) begin(ctx context.Context, method, workspace string) (context.Context, string,
	error) {
	if f.before == nil {
		return ctx, workspace, nil
	}
	return f.before(ctx, method, workspace)
}

// change calls f, if there is one, on v.
func change[T any](f func(*T), v *T) {
	if f != nil {
		f(v)
	}
}

func (f *fake) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	ctx, workspace, err := f.begin(ctx, "Load", to.Workspace)
	if err != nil {
		return convo.Snapshot{}, err
	}
	to.Workspace = workspace
	change(f.ref, &to)
	t, err := f.Store.Load(ctx, to)
	change(f.thread, &t)
	if t.Conversation.ID != uuid.Nil {
		change(f.conversation, &t.Conversation)
	}
	return t, err
}

func (f *fake) Commit(ctx context.Context, changes ...convo.Change) error {
	ctx, _, err := f.begin(ctx, "Commit", "")
	if err != nil || f.commit == nil {
		return cmp.Or(err, f.Store.Commit(ctx, changes...))
	}
	return f.commit(ctx, f.Store, slices.Clone(changes))
}

func (f *fake) Conversation(ctx context.Context, workspace string,
	id uuid.UUID) (convo.Conversation, error) {
	ctx, workspace, err := f.begin(ctx, "Conversation", workspace)
	if err != nil {
		return convo.Conversation{}, err
	}
	c, err := f.Store.Conversation(ctx, workspace, id)
	change(f.conversation, &c)
	change(f.one, &c)
	return c, err
}

func (f *fake) Conversations(ctx context.Context, by convo.Filter) (all []convo.Conversation,
	err error) {
	if ctx, by.Workspace, err = f.begin(ctx, "Conversations", by.Workspace); err != nil {
		return nil, err
	}
	asked := by
	change(f.filter, &by)
	all, err = f.Store.Conversations(ctx, by)
	for i := range all {
		change(f.conversation, &all[i])
	}
	if f.list != nil {
		all = f.list(asked, all)
	}
	return all, err
}

func (f *fake) Events(ctx context.Context, by convo.EventFilter) (all []convo.Event, err error) {
	if ctx, by.Workspace, err = f.begin(ctx, "Events", by.Workspace); err != nil {
		return nil, err
	}
	asked := by
	change(f.eventFilter, &by)
	all, err = f.Store.Events(ctx, by)
	if f.events != nil {
		all = f.events(asked, all)
	}
	return all, err
}

func (f *fake) Keys(ctx context.Context, workspace string, ids ...convo.KeyID) ([]convo.Key,
	error) {
	ctx, workspace, err := f.begin(ctx, "Keys", workspace)
	if err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	for i := range ids {
		change(f.keyID, &ids[i])
	}
	keys, err := f.Store.Keys(ctx, workspace, ids...)
	if f.keys != nil {
		keys = f.keys(keys)
	}
	return keys, err
}

func (f *fake) Addresses(ctx context.Context, workspace, contact string) ([]convo.Address, error) {
	ctx, workspace, err := f.begin(ctx, "Addresses", workspace)
	if err != nil {
		return nil, err
	}
	all, err := f.Store.Addresses(ctx, workspace, contact)
	if f.addresses != nil {
		all = f.addresses(all)
	}
	return all, err
}

func (f *fake) ClosedCycles(
	ctx context.Context, workspace string, id uuid.UUID,
) ([]convo.Cycle, error) {
	ctx, workspace, err := f.begin(ctx, "ClosedCycles", workspace)
	if err != nil {
		return nil, err
	}
	all, err := f.Store.ClosedCycles(ctx, workspace, id)
	for i := range all {
		change(f.closedCycle, &all[i])
	}
	return all, err
}

func (f *fake) Due(ctx context.Context, q convo.DueQuery) ([]convo.DueConversation, error) {
	ctx, _, err := f.begin(ctx, "Due", "")
	if err != nil {
		return nil, err
	}
	if f.dueBefore != nil {
		f.dueBefore(&q)
	}
	due, err := f.Store.Due(ctx, q)
	if f.due != nil {
		due = f.due(due)
	}
	return due, err
}

var methods = []string{"Load", "Commit", "Conversation", "Conversations", "Events", "Keys",
	"Addresses", "Due", "Counts", "LastMessages"}

// told is a store with a story in it.
func told(t *testing.T) convo.Store {
	store := memstore.New()
	testCase{"", "", func(s *suite) { s.story(acme) }}.on(t, store)
	return store
}

// lies are what a store may show, each with the rule that it breaks.
var lies = []struct {
	rule rule
	name string
	lie  func(*fake)
}{
	{oneActive, "all are open", onAll(func(c *convo.Conversation) { c.Status = convo.StatusOpen })},
	{activeIsLatest, "the latest is another",
		onThreads(func(t *convo.Snapshot) { t.Conversation.ID = uuid.New() })},
	{versionCounts, "a version too high", onAll(func(c *convo.Conversation) { c.Version++ })},
	{versionCounts, "the last event is missing",
		onLogs(func(es []convo.Event) []convo.Event { return es[:max(0, len(es)-1)] })},
	{seqGapless, "the first event is missing",
		onLogs(func(es []convo.Event) []convo.Event { return es[min(1, len(es)):] })},
	{eventOnce, "an id of two events", onEvents(func(e *convo.Event) {
		if e.Kind == convo.ConversationClosed {
			e.ID = uuid.Nil
		}
	})},
	{eventOnce, "an id of two contacts' own events", onEvents(func(e *convo.Event) {
		if e.Kind == convo.AddressLinked {
			e.ID = uuid.Nil
		}
	})},
	{timeRuns, "a closing before all", onEvents(func(e *convo.Event) {
		if e.Kind == convo.ConversationClosed {
			e.At = day
		}
	})},
	{beforeIsFold, "another status before", onLogs(func(es []convo.Event) []convo.Event {
		for i := range es {
			if es[i].Kind == convo.ConversationClosed {
				edit(&es[i], func(r *convo.EventRow) { r.StatusBefore = convo.StatusClosed })
			}
		}
		return es
	})},
	{foldIsState, "somebody is assigned",
		onAll(func(c *convo.Conversation) { c.Assignee = "somebody" })},
	{foldIsState, "another summary",
		onAll(func(c *convo.Conversation) { c.Cycle.Closing.Summary += "." })},
	{cyclesAreFold, "a closed cycle without its replies", func(f *fake) {
		f.closedCycle = func(c *convo.Cycle) { c.OutgoingUser = 0 }
	}},
	{cyclesCount, "a cycle more", onAll(func(c *convo.Conversation) { c.Cycle.Number++ })},
	{measuresSane, "a negative sum",
		onAll(func(c *convo.Conversation) { c.Cycle.ResponseMicros = -1 })},
	{measuresSane, "a response before the opening",
		onAll(func(c *convo.Conversation) { c.Cycle.FirstResponseAt = day })},
	{closingStands, "no closing of a closed one",
		onAll(func(c *convo.Conversation) { c.Cycle.Closing = convo.Closing{} })},
	{closingStands, "a closing of an active one",
		onAll(func(c *convo.Conversation) { c.Cycle.Closing.At = farAway })},
	{closingStands, "a closed one was never closed",
		onAll(func(c *convo.Conversation) { c.FirstClosedAt = time.Time{} })},
	{timerSane, "a timer on a closed one", onAll(func(c *convo.Conversation) { c.DueAt = day })},
	{timerSane, "a timer after the end of a pending",
		onAll(func(c *convo.Conversation) { c.DueAt = c.PendingUntil.Add(1000) })},
	{timerSane, "no timer for the end of a pending",
		onAll(func(c *convo.Conversation) { c.DueAt = time.Time{} })},
	{pendingSane, "pending since never",
		onAll(func(c *convo.Conversation) { c.StatusSince = time.Time{} })},
	{pendingSane, "all since some day",
		onAll(func(c *convo.Conversation) { c.OnReceive = convo.OnReceiveStay })},
	{pendingSane, "all until some day",
		onAll(func(c *convo.Conversation) { c.PendingUntil = day })},
	{contactsListed, "one is left out",
		func(f *fake) {
			f.contacts = func(all []convo.Contact) []convo.Contact { return all[1:] }
		}},
	{contactsListed, "one is not in its place",
		func(f *fake) {
			f.contacts = func(all []convo.Contact) []convo.Contact {
				slices.Reverse(all)
				return all
			}
		}},
	{contactIsRoot, "a merged contact",
		onThreads(func(t *convo.Snapshot) { t.Contact.MergedInto = "mia" })},
	{contactIsRoot, "an origin leads astray", onThreads(func(t *convo.Snapshot) {
		if t.Ref.Contact == "tom" {
			t.Contact.ID = "tom"
		}
	})},
	{contactIsRoot, "a conversation leads astray", onThreads(func(t *convo.Snapshot) {
		if t.Ref.Conversation != uuid.Nil {
			t.Contact.ID = "tom"
		}
	})},
	{addressLeads, "an address leads astray", onThreads(func(t *convo.Snapshot) {
		if t.Ref.Address.Value != "" {
			t.Contact.ID = "tom"
		}
	})},
	{addressLeads, "an address of nobody",
		onThreads(func(t *convo.Snapshot) { t.AddressOwner = "" })},
	{addressLeads, "an address is missing", func(f *fake) {
		f.addresses = func(all []convo.Address) []convo.Address { return all[min(1, len(all)):] }
	}},
	{addressLeads, "an address more", func(f *fake) {
		f.addresses = func(all []convo.Address) []convo.Address {
			return append(all, convo.Address{Channel: "sms", Value: "1"})
		}
	}},
	{messageHasKey, "no key",
		func(f *fake) { f.keys = func([]convo.Key) []convo.Key { return nil } }},
	{messageHasKey, "a key to no event", onKeys(func(k *convo.Key) {
		k.FirstSeq, k.LastSeq = 0,
			0
	})},
	{messageHasKey, "a key to another conversation",
		onKeys(func(k *convo.Key) { k.Conversation = uuid.New() })},
	{externalOnce, "an external id twice", onEvents(func(e *convo.Event) {
		if e.Row().ExternalID == "in 2" {
			edit(e, func(r *convo.EventRow) { r.ExternalID = "in 1" })
		}
	})},
	{statusListed, "one is missing", func(f *fake) {
		f.list = func(by convo.Filter, all []convo.Conversation) []convo.Conversation {
			if by.Status != nil {
				return all[min(1, len(all)):]
			}
			return all
		}
	}},
	{statusListed, "all are there",
		func(f *fake) { f.filter = func(by *convo.Filter) { by.Status = nil } }},
	{dueListed, "one is missing",
		func(f *fake) {
			f.due = func(all []convo.DueConversation) []convo.DueConversation { return all[1:] }
		}},
	{dueListed, "the latest first", func(f *fake) {
		f.due = func(all []convo.DueConversation) []convo.DueConversation {
			slices.Reverse(all)
			return all
		}
	}},
	{dueListed, "at another time", func(f *fake) {
		f.due = func(all []convo.DueConversation) []convo.DueConversation {
			all[0].DueAt = all[0].DueAt.Add(time.Microsecond)
			return all
		}
	}},
	{dueListed, "one is there twice", func(f *fake) {
		f.due = func(all []convo.DueConversation) []convo.DueConversation {
			return append(all,
				all[len(all)-1])
		}
	}},
	{dueListed, "one has no timer", func(f *fake) {
		f.due = func(all []convo.DueConversation) []convo.DueConversation {
			return append(all, convo.DueConversation{Ref: convo.ToConversation(acme, uuid.New()),
				DueAt: day})
		}
	}},
	{historyComplete, "an event is missing", onHistories(func(es []convo.Event) []convo.Event {
		return slices.DeleteFunc(es,
			func(e convo.Event) bool { return e.Kind == convo.MessageSent })
	})},
	{historyComplete, "an event is another", onHistories(func(es []convo.Event) []convo.Event {
		edit(&es[0], func(r *convo.EventRow) { r.Body += "!" })
		edit(&es[len(es)-1], func(r *convo.EventRow) { r.Body += "!" })
		return es
	})},
	{historyComplete, "events of others", onHistories(func(es []convo.Event) []convo.Event {
		return append(es, convo.Event{Conversation: uuid.New(), At: farAway})
	})},
	{historyComplete, "the last first",
		onHistories(func(es []convo.Event) []convo.Event { slices.Reverse(es); return es })},
	{contactFolds, "a blocked contact",
		onThreads(func(t *convo.Snapshot) { t.Contact.Blocked = true })},
	{contactFolds, "a version too high",
		onThreads(func(t *convo.Snapshot) { t.Contact.Version++ })},
	{contactFolds, "an event of a contact's own is missing",
		onHistories(func(es []convo.Event) []convo.Event {
			return slices.DeleteFunc(es,
				func(e convo.Event) bool { return e.Kind == convo.ContactBlocked })
		})},
	{contactFolds, "an event of a merged contact is missing",
		onHistories(func(es []convo.Event) []convo.Event {
			return slices.DeleteFunc(es,
				func(e convo.Event) bool {
					return e.Kind == convo.AddressLinked &&
						e.Contact == "tom"
				})
		})},
	{readsAgree, "one by one they are others",
		func(f *fake) { f.one = func(c *convo.Conversation) { c.Team = "another" } }},
	{readsAgree, "loaded they are others",
		onThreads(func(t *convo.Snapshot) { t.Conversation.Team = "another" })},
	{readsAgree, "another is the latest",
		onThreads(func(t *convo.Snapshot) { t.Conversation.ID = uuid.New() })},
	{readsAgree, "another is active", onThreads(func(t *convo.Snapshot) { t.Active = uuid.New() })},
	{readsAgree, "none is active", onThreads(func(t *convo.Snapshot) { t.Active = uuid.Nil })},
	{readsAgree, "one of a contact is missing", func(f *fake) {
		f.list = func(by convo.Filter, all []convo.Conversation) []convo.Conversation {
			if by.Contact != "" {
				return all[min(1, len(all)):]
			}
			return all
		}
	}},
	{listOrdered, "the first opened first",
		onLists(func(all []convo.Conversation) []convo.Conversation {
			slices.Reverse(all)
			return all
		})},
	{listsAgree, "the order by activity leaves one out", func(f *fake) {
		f.list = func(by convo.Filter, all []convo.Conversation) []convo.Conversation {
			if by.Order == convo.OrderActivity {
				return all[:len(all)-1]
			}
			return all
		}
	}},
	{listsAgree, "one is counted twice", func(f *fake) {
		f.counts = func(all []convo.Count) { all[0].Open++ }
	}},
	{mentionsFound, "somebody else did it", onEvents(func(e *convo.Event) {
		if e.Conversation != uuid.Nil {
			e.By = convo.Actor{Type: convo.ActorContact, ID: "somebody else"}
		}
	})},
	{seenLately, "never", onThreads(func(t *convo.Snapshot) { t.Contact.SeenAt = time.Time{} })},
	{listOrdered, "one is there twice",
		onLists(func(all []convo.Conversation) []convo.Conversation {
			return append(all[:1], all...)
		})},
}

func onAll(f func(*convo.Conversation)) func(*fake) { return func(b *fake) { b.conversation = f } }

func onThreads(f func(*convo.Snapshot)) func(*fake) { return func(b *fake) { b.thread = f } }

func onLists(f func([]convo.Conversation) []convo.Conversation) func(*fake) {
	return func(b *fake) {
		b.list = func(_ convo.Filter,
			all []convo.Conversation) []convo.Conversation {
			if len(all) == 0 {
				return nil
			}
			return f(all)
		}
	}
}

func onKeys(f func(*convo.Key)) func(*fake) {
	return func(b *fake) {
		b.keys = func(all []convo.Key) []convo.Key {
			for i := range all {
				f(&all[i])
			}
			return all
		}
	}
}

func onEvents(f func(*convo.Event)) func(*fake) {
	return func(b *fake) {
		b.events = func(_ convo.EventFilter, all []convo.Event) []convo.Event {
			for i := range all {
				f(&all[i])
			}
			return all
		}
	}
}

func onLogs(f func([]convo.Event) []convo.Event) func(*fake) {
	return func(b *fake) {
		b.events = func(by convo.EventFilter, all []convo.Event) []convo.Event {
			if by.Contact == "" {
				return f(all)
			}
			return all
		}
	}
}

func onHistories(f func([]convo.Event) []convo.Event) func(*fake) {
	return func(b *fake) {
		b.events = func(by convo.EventFilter, all []convo.Event) []convo.Event {
			if by.Contact != "" {
				return f(all)
			}
			return all
		}
	}
}

func TestCheckInvariantsFindsEveryLie(t *testing.T) {
	store := told(t)
	require.Empty(t, CheckInvariants(t.Context(), store, acme))
	found := map[string]bool{}
	for _, l := range lies {
		t.Run(rules[l.rule]+"/"+l.name, func(t *testing.T) {
			liar := &fake{Store: store}
			l.lie(liar)
			var broken []string
			for _, err := range CheckInvariants(t.Context(), liar, acme) {
				var v *Violation
				require.ErrorAs(t, err, &v)
				assert.Contains(t, err.Error(), v.Detail)
				broken = append(broken, v.Rule)
			}
			assert.Contains(t, broken, rules[l.rule])
			found[rules[l.rule]] = true
		})
	}
	assert.Len(t, found, len(rules), "every rule can be broken")
}

func TestCheckInvariantsReportsWhatItCannotRead(t *testing.T) {
	store, broken := told(t), errors.New("broken")
	for _, method := range methods {
		s := &fake{Store: store, before: func(ctx context.Context, m,
			workspace string) (context.Context, string, error) {
			if m == method {
				return ctx, workspace, broken
			}
			return ctx, workspace, nil
		}}
		err := errors.Join(CheckInvariants(t.Context(), s, acme)...)
		if method == "Commit" || method == "LastMessages" {
			assert.NoError(t, err, "it does not write, nor look at pages of an inbox")
			continue
		}
		assert.ErrorIs(t, err, broken, method)
	}
}

func TestCheckInvariantsReadsPageByPage(t *testing.T) {
	store := memstore.New()
	testCase{"", "", func(s *suite) {
		for i := range convo.MaxPageSize + 10 {
			s.do(nth(i), convo.Open{By: ana}, convo.SetPending{By: ana,
				Until: s.clock.Now().Add(time.Hour)})
			if i%100 != 0 {
				s.do(nth(0), convo.Note{By: ana, Body: "long"})
			}
		}
	}}.on(t, store)
	one := &fake{Store: store, due: func(all []convo.DueConversation) []convo.DueConversation {
		return all[:min(len(all), convo.MaxPageSize)]
	}}
	found := CheckInvariants(t.Context(), one, acme)
	require.Len(t, found, 10)
	assert.ErrorContains(t, found[0], rules[dueListed])
}

func TestCheckInvariantsLooksOnlyAtTheWorkspacesThatItIsGiven(t *testing.T) {
	assert.Empty(t, CheckInvariants(t.Context(), told(t), "another"))
	assert.Empty(t, CheckInvariants(t.Context(), told(t)))
}

func TestPagesEndEvenIfTheStoreDoesNot(t *testing.T) {
	f := convo.Filter{Workspace: acme, Limit: 2}
	_, err := conversations(t.Context(), &fake{Store: told(t),
		filter: func(f *convo.Filter) { f.After = convo.Cursor{} }}, f)
	assert.ErrorContains(t, err, "not behind it")
	_, err = conversations(t.Context(), &fake{Store: told(t),
		filter: func(f *convo.Filter) { f.Limit = 3 }}, f)
	assert.ErrorContains(t, err, "a page of 3 where the limit is 2")
}

// mutants are stores with one guard or promise less, each with the case that must fail on it.
var mutants = []struct {
	killer string
	name   string
	mutate func(*fake)
}{
	{"Commit/refuses a stale contact", "compares no contacts", onCommit(compareNoContact)},
	{"Commit/refuses a stale contact of which nothing else is written", "compares no contacts",
		onCommit(compareNoContact)},
	{"Commit/refuses a merge whose primary or secondary changed meanwhile", "compares no contacts",
		onCommit(compareNoContact)},
	{"Commit/refuses a stale conversation", "compares no conversations",
		onCommit(compareNoConversation)},
	{"Commit/refuses a stale conversation that the call left", "compares no conversations",
		onCommit(compareNoConversation)},
	{"Commit/refuses a timer of a stale conversation", "compares no conversations",
		onCommit(compareNoConversation)},
	{"Races/close once", "compares no conversations", slowly(onCommit(compareNoConversation))},
	{"Races/handle each due thing once, however many runners tick", "compares no conversations",
		slowly(onCommit(compareNoConversation))},
	{"Races/take a message once, however often it is delivered", "forgets keys",
		slowly(onCommit(forgetKeys))},
	{"Commit/refuses an external id that it has", "forgets keys", onCommit(forgetKeys)},
	{"Commit/refuses a host's key that it has", "forgets keys", onCommit(forgetKeys)},
	{"Commit/writes nothing at all when it refuses one of several changes", "commits one by one",
		func(f *fake) {
			f.commit = func(ctx context.Context, s convo.Store,
				changes []convo.Change) (err error) {
				for _, ch := range changes {
					err = cmp.Or(err, s.Commit(ctx, ch))
				}
				return err
			}
		}},
	{"Commit/refuses a second active conversation", "answers another error", func(f *fake) {
		f.commit = func(ctx context.Context, s convo.Store, changes []convo.Change) error {
			if s.Commit(ctx, changes...) != nil {
				return convo.ErrConflict
			}
			return nil
		}
	}},
	{"Commit/refuses an address that another contact got", "leaves a taken address out",
		onCommit(func(s convo.Store, ch *convo.Change) {
			ch.Addresses = slices.DeleteFunc(slices.Clone(ch.Addresses),
				func(a convo.AddressRow) bool {
					t, _ := s.Load(context.Background(),
						convo.ToAddress(ch.Contact.Workspace, a.Channel,
							a.Value))
					return t.AddressOwner != ""
				})
		})},
	{"Commit/takes a key again elsewhere: another channel, a host's key, another workspace",
		"keeps them without", func(f *fake) {
			onCommit(func(_ convo.Store, ch *convo.Change) {
				ch.Keys = slices.Clone(ch.Keys)
				for i := range ch.Keys {
					ch.Keys[i].Channel = ""
				}
			})(f)
			f.keyID = func(id *convo.KeyID) { id.Channel = "" }
		}},
	{"Commit/compares only what it writes", "compares what it does not write", func(f *fake) {
		f.commit = func(ctx context.Context, s convo.Store, changes []convo.Change) error {
			for _, ch := range changes {
				k := ch.Contact.Contact
				if t, _ := s.Load(ctx, convo.ToContact(k.Workspace,
					k.ID)); t.Contact.Version != ch.Contact.Expected {
					return convo.ErrConflict
				}
			}
			return s.Commit(ctx, changes...)
		}
	}},
	{"Commit/keeps every conversation that one call leaves", "forgets them",
		onCommit(func(_ convo.Store, ch *convo.Change) {
			ch.Earlier = nil
		})},
	{"Commit/writes a timer alone", "writes no timer without an event",
		onCommit(func(_ convo.Store, ch *convo.Change) {
			if len(ch.Events) == 0 {
				ch.Conversation.Action = convo.RowKept
			}
		})},
	{"Commit/writes keys alone", "writes no keys without an event",
		onCommit(func(_ convo.Store, ch *convo.Change) {
			if len(ch.Events) == 0 {
				ch.Keys = nil
			}
		})},
	{"Commit/takes a batch of changes of several contacts", "writes ten changes at most",
		func(f *fake) {
			f.commit = func(ctx context.Context, s convo.Store, changes []convo.Change) error {
				return s.Commit(ctx, changes[:min(10, len(changes))]...)
			}
		}},
	{"Load/gives an empty snapshot for what is not known", "an error instead", func(f *fake) {
		f.before = func(ctx context.Context, m, workspace string) (context.Context, string, error) {
			if m == "Load" && workspace == "empty" {
				return ctx, workspace, convo.ErrNotFound
			}
			return ctx, workspace, nil
		}
	}},
	{"Addresses/returns those of the contact and of all that were merged into it", "one is missing",
		func(f *fake) {
			f.addresses = func(all []convo.Address) []convo.Address {
				return all[:min(2,
					len(all))]
			}
		}},
	{"Due/returns the earliest first, up to the limit and the time, of all workspaces",
		"before is exclusive", func(f *fake) {
			f.dueBefore = func(q *convo.DueQuery) { q.Before = q.Before.Add(-time.Microsecond) }
		}},
	{"Due/returns the earliest first, up to the limit and the time, of all workspaces", "no limit",
		func(f *fake) {
			f.dueBefore = func(q *convo.DueQuery) { q.Limit = math.MaxInt32 }
		}},
	{"Due/returns the earliest first, up to the limit and the time, of all workspaces", "by id",
		func(f *fake) {
			f.due = func(all []convo.DueConversation) []convo.DueConversation {
				slices.SortFunc(all, func(a, b convo.DueConversation) int {
					return strings.Compare(a.Ref.Conversation.String(), b.Ref.Conversation.String())
				})
				return all
			}
		}},
	{"Due/has a conversation once, and not after its timer is off", "those that were due, too",
		func(f *fake) {
			var ever []convo.DueConversation
			f.due = func(all []convo.DueConversation) []convo.DueConversation {
				for _, ref := range all {
					if !slices.Contains(ever, ref) {
						ever = append(ever, ref)
					}
				}
				return slices.Clone(ever)
			}
		}},
	{"Memory/is not shared with what the store returned", "attachments are", func(f *fake) {
		kept := map[uuid.UUID]json.RawMessage{}
		onEvents(func(e *convo.Event) {
			if kept[e.ID] == nil {
				kept[e.ID] = e.Row().Attachments
			}
			edit(e, func(r *convo.EventRow) { r.Attachments = kept[e.ID] })
		})(f)
	}},
	{"Memory/is not shared with what was committed", "attachments are", func(f *fake) {
		kept := map[uuid.UUID]json.RawMessage{}
		onCommit(func(_ convo.Store, ch *convo.Change) {
			for _, e := range ch.Events {
				kept[e.ID] = e.Row().Attachments
			}
		})(f)
		onEvents(func(e *convo.Event) {
			edit(e, func(r *convo.EventRow) { r.Attachments = kept[e.ID] })
		})(f)
	}},
	{"Times/come back to the microsecond, from 1900 to 2189, and timers beyond", "milliseconds",
		onAll(func(c *convo.Conversation) {
			c.CreatedAt = c.CreatedAt.Truncate(time.Millisecond)
		})},
	{"Fields/of events and of the state come back as they were decided", "another zone",
		onEvents(func(e *convo.Event) {
			e.At = e.At.In(time.FixedZone("", 3600))
		})},
	{"Texts/come back byte for byte, up to the limits", "trimmed", onEvents(func(e *convo.Event) {
		edit(e, func(r *convo.EventRow) { r.Body = strings.TrimSpace(r.Body) })
	})},
	{"Texts/come back byte for byte, up to the limits", "cut", onEvents(func(e *convo.Event) {
		edit(e, func(r *convo.EventRow) { r.Body = r.Body[:min(len(r.Body), math.MaxUint16)] })
	})},
	{"Texts/come back byte for byte, up to the limits", "JSON written again",
		onEvents(func(e *convo.Event) {
			var v any
			if json.Unmarshal(e.Row().Attachments, &v) == nil {
				edit(e, func(r *convo.EventRow) { r.Attachments, _ = json.Marshal(v) })
			}
		})},
	{"Conversations/shows every one once, page by page, while others write", "ties are left out",
		func(f *fake) {
			f.filter = func(by *convo.Filter) { by.After.ID = uuid.Nil }
		}},
	{"Conversations/shows every one once, page by page, while others write", "ties come again",
		func(f *fake) {
			f.filter = func(by *convo.Filter) {
				if !by.After.At.IsZero() {
					by.After.ID = uuid.Max
				}
			}
		}},
	{"Events/loses none of merged contacts that happened at the same time", "ties come again",
		func(f *fake) {
			f.eventFilter = func(by *convo.EventFilter) { by.After.ID = uuid.Nil }
		}},
	{"Events/shows every one of a contact once, page by page, while others write",
		"in the order of writing", func(f *fake) {
			f.events = func(by convo.EventFilter, all []convo.Event) []convo.Event {
				if by.Contact != "" {
					slices.SortFunc(all, func(a,
						b convo.Event) int {
						return strings.Compare(a.ID.String(), b.ID.String())
					})
				}
				return all
			}
		}},
}

// onCommit lets f change each change, a copy, before it is committed.
func onCommit(f func(s convo.Store, ch *convo.Change)) func(*fake) {
	return func(b *fake) {
		b.commit = func(ctx context.Context, s convo.Store, changes []convo.Change) error {
			for i := range changes {
				f(s, &changes[i])
			}
			return s.Commit(ctx, changes...)
		}
	}
}

// slowly lets others go between loading and committing.
func slowly(mutate func(*fake)) func(*fake) {
	return func(f *fake) {
		mutate(f)
		f.thread = func(*convo.Snapshot) {
			for range racers {
				runtime.Gosched()
			}
		}
	}
}

func compareNoContact(s convo.Store, ch *convo.Change) {
	if k := &ch.Contact.Contact; ch.Contact.Action != convo.RowKept {
		t, _ := s.Load(context.Background(), convo.ToContact(k.Workspace, k.ID))
		if ch.Contact.Expected = t.Contact.Version; k.Version <= t.Contact.Version {
			k.Version = t.Contact.Version + 1
		}
	}
}

func compareNoConversation(s convo.Store, ch *convo.Change) {
	compareNot := func(r *convo.ConversationRow) {
		c, err := s.Conversation(context.Background(), ch.Contact.Workspace, r.ID)
		if err == nil && r.Expected != 0 {
			r.Expected, r.PlacesBefore.Deadline = c.Version, c.Deadline
			r.DueBefore, r.AppliedBefore = c.DueAt, c.Applied
		}
	}
	ch.Earlier = slices.Clone(ch.Earlier)
	for i := range ch.Earlier {
		compareNot(&ch.Earlier[i])
	}
	compareNot(&ch.Conversation)
}

// edit changes fields of an event, whose payload may be shared.
func edit(e *convo.Event, f func(*convo.EventRow)) {
	r := e.Row()
	f(&r)
	*e = r.Event()
}

func forgetKeys(_ convo.Store, ch *convo.Change) { ch.Keys = nil }

// recorder is a testingT that a failure ends without anybody hearing of it.
type recorder struct {
	ctx    context.Context
	failed bool
}

func (r *recorder) Errorf(string, ...any)    { r.failed = true }
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) FailNow()                 { r.failed = true; runtime.Goexit() }

// kills reports whether the case of that name fails on a store that is mutated.
func kills(t *testing.T, name string, mutate func(*fake)) bool {
	mutant := &fake{Store: memstore.New()}
	mutate(mutant)
	return killsStore(t, name, mutant)
}

func killsStore(t *testing.T, name string, mutant convo.Store) bool {
	all := cases()
	i := slices.IndexFunc(all, func(c testCase) bool { return c.name == name })
	require.GreaterOrEqual(t, i, 0, "no case %q", name)
	r := &recorder{ctx: t.Context()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if recover() != nil { // also a way to notice
				r.failed = true
			}
		}()
		all[i].on(r, mutant)
	}()
	<-done
	return r.failed
}

func TestRunFailsOnEveryMutant(t *testing.T) {
	for _, m := range mutants {
		assert.True(t, kills(t, m.killer, m.mutate), "%s: %s", m.killer, m.name)
	}
}

func TestRunFailsOnAStoreThatIsDeafToContexts(t *testing.T) {
	for _, method := range methods {
		assert.True(t, kills(t, "Contexts/stop every method when they are done", func(f *fake) {
			f.before = func(ctx context.Context, m, workspace string) (context.Context, string,
				error) {
				if m == method {
					ctx = context.WithoutCancel(ctx)
				}
				return ctx, workspace, nil
			}
		}), method)
	}
}

func TestRunFailsOnAStoreThatShowsOtherWorkspaces(t *testing.T) {
	for _, method := range methods {
		if method == "Commit" || method == "Due" {
			continue // they have no workspace
		}
		assert.True(t, kills(t, "Workspaces/see nothing of each other", func(f *fake) {
			f.before = func(ctx context.Context, m, workspace string) (context.Context, string,
				error) {
				if m == method && workspace == "workspace 3" {
					workspace = "workspace 1"
				}
				return ctx, workspace, nil
			}
		}), method)
	}
}

func TestRunFailsOnAStoreThatComparesLettersOnly(t *testing.T) {
	lower := func(of ...*string) {
		for _, s := range of {
			*s = strings.ToLower(*s)
		}
	}
	for _, r := range roles {
		assert.True(t, kills(t, "Identifiers/are exact in "+r.name, func(f *fake) {
			f.ref = func(to *convo.Ref) {
				lower(&to.Contact, &to.Address.Channel,
					&to.Address.Value, &to.Lane)
			}
			f.filter = func(by *convo.Filter) {
				lower(&by.Workspace, &by.Channel, &by.Assignee,
					&by.Team, &by.Category, &by.Lane)
			}
			f.keyID = func(id *convo.KeyID) {
				lower(&id.Channel, &id.Address, &id.Contact, &id.ID)
			}
		}), r.name)
	}
}

// leaves are the fields of a struct, those of structs in it taken apart.
func leaves(t reflect.Type, name string, index []int) map[string][]int {
	all := map[string][]int{}
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
			for name, index := range leaves(f.Type, name+"."+f.Name, at) {
				all[name] = index
			}
			continue
		}
		all[name+"."+f.Name] = at
	}
	return all
}

// without clears one field of T.
func without[T any](index []int) func(*T) {
	return func(v *T) { reflect.ValueOf(v).Elem().FieldByIndex(index).SetZero() }
}

// eachField demands that name fails on stores that lose a field of T, but for those that say
// nothing to a store.
func eachField[T any](t *testing.T, name string, lose func(f *fake, clear func(*T)),
	but ...string) {
	for field, index := range leaves(reflect.TypeFor[T](), reflect.TypeFor[T]().Name(), nil) {
		if !slices.Contains(but, field) {
			assert.True(t, kills(t, name, func(f *fake) { lose(f, without[T](index)) }), field)
		}
	}
}

func TestRunFailsOnAStoreThatLosesAnyField(t *testing.T) {
	const fields = "Fields/of events and of the state come back as they were decided"
	eachField(t, fields, func(f *fake, clear func(*convo.Event)) { onEvents(clear)(f) })
	eachField(t, fields, func(f *fake, clear func(*convo.Conversation)) { onAll(clear)(f) })
	eachField(t, fields, func(f *fake,
		clear func(*convo.Contact)) {
		f.thread = func(t *convo.Snapshot) { clear(&t.Contact) }
	},
		"Contact.MergedInto", "Contact.Parent") // only roots are loaded
	eachField(t, "Keys/returns those that are known",
		func(f *fake, clear func(*convo.Key)) { onKeys(clear)(f) })
	loads := "Load/finds a snapshot by contact, by address, by both and by conversation"
	for _, field := range []string{"Ref", "AddressOwner", "Active"} {
		if field == "Active" {
			loads = "Load/says which other conversation is active"
		}
		assert.True(t, kills(t, loads, onThreads(func(t *convo.Snapshot) {
			reflect.ValueOf(t).Elem().FieldByName(field).SetZero()
		})), field)
	}
}

func TestRunFailsOnAStoreThatIgnoresAnyPartOfAFilter(t *testing.T) {
	eachField(t, "Lists/are in every order and direction what their filter says, page by page",
		func(f *fake, clear func(*convo.Filter)) { f.filter = clear },
		"Filter.After.ID", "Filter.Category")
	assert.True(t, kills(t, "Conversations/picks by every field of a filter, alone and together",
		func(f *fake) { f.filter = func(by *convo.Filter) { by.Category = "" } }))
	eachField(t, "Events/shows every one of a contact once, page by page, while others write",
		func(f *fake, clear func(*convo.EventFilter)) { f.eventFilter = clear },
		"EventFilter.Conversation", "EventFilter.OwnLog",
		"EventFilter.After.ID") // which tells apart only what ties
	eachField(t, "Events/shows every one of a conversation once, page by page, while others write",
		func(f *fake, clear func(*convo.EventFilter)) { f.eventFilter = clear },
		// only Seq counts
		"EventFilter.Contact", "EventFilter.OwnLog", "EventFilter.After.At",
		"EventFilter.After.Conversation", "EventFilter.After.ID")
	eachField(t, "Events/shows every one of a contact itself once, page by page",
		func(f *fake, clear func(*convo.EventFilter)) { f.eventFilter = clear },
		"EventFilter.Contact", "EventFilter.Conversation", "EventFilter.After.At",
		"EventFilter.After.Conversation", "EventFilter.After.ID")
}

// lockless is a Locker that holds nobody off and takes nothing back.
type lockless struct{ *memstore.Store }

func (l lockless) LockFirst() bool { return false }

func (l lockless) IsLocked(ctx context.Context) bool { return ctx.Value(yields{}) != nil }

type yields struct{}

func (l lockless) Locked(ctx context.Context, _ string, f func(context.Context) error) error {
	return f(context.WithValue(ctx, yields{}, true))
}

// Load gives others the chance to come between a load and a commit.
func (l lockless) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	t, err := l.Store.Load(ctx, to)
	if ctx.Value(yields{}) == nil {
		return t, err
	}
	for range 10_000 {
		runtime.Gosched()
		now, _ := l.Store.Load(ctx, to)
		if err != nil || now.Conversation.Version != t.Conversation.Version {
			break
		}
	}
	return t, err
}

func TestRunFailsOnALockThatDoesNotHold(t *testing.T) {
	assert.True(t, killsStore(t, "Locked/writes nothing when f fails", lockless{memstore.New()}))
	assert.True(t, killsStore(t, "Locked/holds what it loads", lockless{memstore.New()}))
}
