// Package storetest proves that a store keeps the contract of [convo.Store].
//
// [Run] is a conformance suite. It sees a store only through its interface, so it runs against any,
// in this repository or outside it:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) convo.Store {
//			db := openEmptyDatabase(t) // another one for every case; closed by t.Cleanup
//			store, err := mystore.New(db)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return store
//		})
//	}
//
// [RunReports] does the same for stores that aggregate for package report, [RunOutbox] and
// [RunFeed] for those that note their events for package relay.
//
// Each case is a subtest that is named by what it demands, such as
// Commit/refuses_a_stale_conversation. A failure begins with the rule that is broken. Every case
// ends with [CheckInvariants], which may also be run on a store full of real data while nothing
// writes to it.
package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// Run runs the suite. newStore returns an empty store, of which nothing is visible in those of
// other calls; it is called once in every subtest.
func Run(t *testing.T, newStore func(t *testing.T) convo.Store) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) { c.on(t, newStore(t)) })
	}
}

// testCase is one demand on a store.
type testCase struct {
	name string // of the subtest, a sentence
	rule string // what a store that fails breaks
	run  func(*suite)
}

func cases() []testCase {
	return slices.Concat(
		commitCases(),
		readCases,
		exactCases(),
		pageCases,
		historyCases,
		listCases,
		raceCases,
		lockedCases,
		suggesterCases,
		mergeStepCases,
		messageCases,
		changedCases,
		deliveryCases,
		peerCases,
		peerListCases,
		importCases,
		decidedCases,
		namedCases,
		unlinkedCases,
		laneCases,
		describedCases,
		unmergedCases,
		contactCases,
		movedCases,
		eraseCases,
		retentionCases,
		removalCases,
		forgettingCases,
		deadlineCases,
		peerDeadlineCases,
		dueCases,
	)
}

// testingT is what a case needs of a *testing.T; the tests of this package hand in one that only
// records.
type testingT interface {
	require.TestingT
	Context() context.Context
}

// ruled says in every failure which rule it is about.
type ruled struct {
	testingT
	rule string
}

func (r ruled) Errorf(format string, args ...any) {
	r.testingT.Errorf("the store breaks the rule: %s.\n"+format, append([]any{r.rule}, args...)...)
}

// on runs the case on a fresh store, and looks for broken invariants in what it leaves.
func (c testCase) on(t testingT, store convo.Store) {
	s := newSuite(t, store, c.rule)
	c.run(s)
	s.holds()
}

func newSuite(t testingT, store convo.Store, rule string) *suite {
	s := &suite{
		Assertions: require.New(ruled{t, rule}),
		ctx:        t.Context(),
		store:      store,
		clock:      &clock{},
	}
	s.clock.now.Store(time.Date(2026, 1, 5, 9, 0, 0, 123456000, time.UTC).UnixMicro())
	s.engine = s.with()
	return s
}

// suite is what a case works with: a store, an engine on it, and a clock that only the case moves.
type suite struct {
	*require.Assertions
	ctx    context.Context
	store  convo.Store
	clock  *clock
	engine *convo.Engine // with the default policy

	mu         sync.Mutex
	workspaces []string        // that were written to
	removed    convo.Retention // what was removed by age, beside texts
}

// holds looks for broken invariants.
func (s *suite) holds() {
	s.Empty(CheckPruned(s.ctx, s.store, s.removed, s.workspaces...), "invariants")
}

type clock struct{ now atomic.Int64 } // microseconds

func (c *clock) Now() time.Time { return time.UnixMicro(c.now.Load()).UTC() }

func (c *clock) add(d time.Duration) { c.now.Add(d.Microseconds()) }

const acme = "acme" // the workspace where a case needs only one

var (
	ana = convo.ByUser("ana")
	bot = convo.ByAutomation("bot")
)

func to(contact string) convo.Ref { return convo.ToContact(acme, contact) }

// from is a contact together with one of its addresses.
func from(contact, channel, value string) convo.Ref {
	return convo.Ref{
		Workspace: acme,
		Contact:   contact,
		Address:   convo.Address{Channel: channel, Value: value},
	}
}

// with is another engine on the same store and clock.
func (s *suite) with(opts ...convo.Option) *convo.Engine {
	opts = append([]convo.Option{
		convo.WithClock(s.clock),
		convo.WithObserver(
			func(_ context.Context, events []convo.Event) { s.wrote(events[0].Workspace) },
		),
	}, opts...)
	e, err := convo.New(s.store, opts...)
	s.NoError(err)
	return e
}

func (s *suite) wrote(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.workspaces, workspace) {
		s.workspaces = append(s.workspaces, workspace)
	}
}

// do carries out cmds by the default engine; the store must show exactly what comes back.
func (s *suite) do(to convo.Ref, cmds ...convo.Command) convo.Result {
	return s.by(s.engine, to, cmds...)
}

func (s *suite) by(e *convo.Engine, to convo.Ref, cmds ...convo.Command) convo.Result {
	r, err := e.Do(s.ctx, to, cmds...)
	s.NoError(err)
	s.shows(r.Contact, r.Conversation, r.Events)
	return r
}

// merge merges secondary into primary; the store must show exactly what comes back.
func (s *suite) merge(e *convo.Engine, workspace, primary, secondary string) {
	r, err := e.Merge(
		s.ctx,
		convo.Merge{Workspace: workspace, Primary: primary, Secondary: secondary, By: ana},
	)
	s.NoError(err)
	s.shows(r.Primary, convo.Conversation{}, r.Events)
	for _, c := range r.Conversations {
		s.shows(r.Primary, c, nil)
	}
}

func (s *suite) shows(k convo.Contact, c convo.Conversation, events []convo.Event) {
	t := s.load(convo.ToContact(k.Workspace, k.ID))
	if c.ID != uuid.Nil {
		stored, err := s.store.Conversation(s.ctx, c.Workspace, c.ID)
		s.NoError(err)
		s.Equal(c, stored, "Conversation")
		t = s.load(convo.ToConversation(c.Workspace, c.ID))
		s.Equal(c, t.Conversation, "Load: the conversation")
	}
	s.Equal(k, t.Contact, "Load: the contact")
	for _, e := range events {
		f := convo.EventFilter{Workspace: e.Workspace, Limit: convo.MaxPageSize, After: e.Cursor()}
		f.After.Seq--
		if f.Conversation = e.Conversation; e.Conversation == uuid.Nil {
			f.OwnLog = e.Contact // a Move may have linked an address to whom it left
		}
		got, err := s.store.Events(s.ctx, f)
		s.NoError(err)
		i := slices.IndexFunc(got, func(g convo.Event) bool { return g.ID == e.ID })
		s.GreaterOrEqual(i, 0, "Events: no %s", e.Kind)
		s.Equal(e, got[i], "Events")
	}
}

func (s *suite) load(to convo.Ref) convo.Snapshot {
	t, err := s.store.Load(s.ctx, to)
	s.NoError(err)
	return t
}

// decide is what the engine would commit now.
func (s *suite) decide(to convo.Ref, cmds ...convo.Command) convo.Change {
	return s.decideOn(s.load(to), cmds...)
}

func (s *suite) decideOn(t convo.Snapshot, cmds ...convo.Command) convo.Change {
	if t.Next == uuid.Nil {
		t.Next = uuid.Must(uuid.NewV7())
	}
	d, err := convo.Decide(t, s.clock.Now(), nil, cmds...)
	s.NoError(err)
	return d.Change
}

// after is the snapshot that the store would load if it had committed cmds.
func (s *suite) after(to convo.Ref, cmds ...convo.Command) convo.Snapshot {
	t := s.load(to)
	t.Next = uuid.Must(uuid.NewV7())
	d, err := convo.Decide(t, s.clock.Now(), nil, cmds...)
	s.NoError(err)
	return d.Change.After(t)
}

// rearm has a change that writes nothing else move the timer's hint.
func rearm(ch *convo.Change, at time.Time) {
	ch.Conversation.Action, ch.Conversation.DueAt = convo.RowUpdated, at
	ch.Conversation.OnlyMessages = false
	if ch.Conversation.Listing == convo.RowKept && ch.Conversation.Status.Active() {
		ch.Conversation.Listing = convo.RowUpdated
	}
}

func (s *suite) commit(changes ...convo.Change) {
	s.NoError(s.store.Commit(s.ctx, changes...))
	for i := range changes {
		s.wrote(changes[i].Contact.Workspace)
	}
}

// refuses demands that the store writes nothing of changes and says why: by one of the errors.
func (s *suite) refuses(changes []convo.Change, want ...error) {
	for i := range changes {
		s.wrote(changes[i].Contact.Workspace)
	}
	s.unchanged(func() { s.refused(s.store.Commit(s.ctx, changes...), want...) })
}

func (s *suite) refused(err error, want ...error) {
	s.True(
		slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }),
		"Commit: %v, not %v",
		err,
		want,
	)
}

// unchanged demands that f leaves nothing behind.
func (s *suite) unchanged(f func()) {
	before := s.picture(s.workspaces...)
	f()
	s.Equal(before, s.picture(s.workspaces...), "something was written")
}

// seen is all that a store shows of one workspace.
type seen struct {
	Conversations []convo.Conversation
	Snapshots     map[string]convo.Snapshot  // by contact, merged ones too
	Events        map[string][]convo.Event   // by conversation, and by contact
	Addresses     map[string][]convo.Address // by contact
	Keys          []convo.Key                // of the messages
	Due           []convo.Ref
	Counts        []convo.Count
	Last          []convo.Event // of each conversation
}

func (s *suite) look(workspace string) *seen {
	v := &seen{
		Conversations: s.list(convo.Filter{Workspace: workspace}),
		Snapshots:     map[string]convo.Snapshot{},
		Events:        map[string][]convo.Event{},
		Addresses:     map[string][]convo.Address{},
		Due:           s.due(farAway, convo.MaxPageSize),
	}
	v.Counts = s.counts(workspace)
	v.Last = s.lastMessages(workspace, ids(v.Conversations))
	v.Due = slices.DeleteFunc(v.Due, func(to convo.Ref) bool { return to.Workspace != workspace })
	for _, c := range v.Conversations {
		v.Snapshots[c.Origin] = s.load(convo.ToContact(workspace, c.Origin))
		id, log := c.Contact, s.events(convo.EventFilter{Workspace: workspace, Conversation: c.ID})
		v.Events["conversation "+c.ID.String()] = log
		if _, ok := v.Events["contact "+id]; !ok {
			v.Events["contact "+id] = s.events(convo.EventFilter{Workspace: workspace, Contact: id})
			v.Snapshots[id] = s.load(convo.ToContact(workspace, id))
			v.Addresses[id] = s.addresses(workspace, id)
			slices.SortFunc(v.Addresses[id], func(a, b convo.Address) int {
				return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Value, b.Value))
			})
		}
		for _, e := range log {
			if e.Row().ExternalID != "" {
				v.Keys = append(v.Keys, s.keys(workspace, convo.KeyID{
					Channel: e.Message().Channel, Contact: c.Contact, ID: e.Message().ExternalID,
				})...)
			}
		}
	}
	return v
}

// picture is look as text, which shares nothing with the store.
func (s *suite) picture(workspaces ...string) string {
	all := map[string]*seen{}
	for _, w := range workspaces {
		all[w] = s.look(w)
	}
	text, err := json.MarshalIndent(all, "", " ")
	s.NoError(err)
	return string(text)
}

// spoil overwrites what a caller may overwrite of events.
func spoil(events []convo.Event) {
	for i := range events {
		for j := range events[i].Row().Attachments {
			events[i].Row().Attachments[j] = '7' // which is JSON, too
		}
		(&convo.EventRow{Kind: events[i].Kind}).To(&events[i]) // the payload that copies share
	}
	clear(events)
}

// list pages through all conversations that f picks.
func (s *suite) list(f convo.Filter) []convo.Conversation {
	if f.Limit == 0 {
		f.Limit = convo.MaxPageSize
	}
	all, err := conversations(s.ctx, s.store, f)
	s.NoError(err)
	return all
}

// events pages through all events that f picks.
func (s *suite) counts(workspace string) []convo.Count {
	all, err := s.store.Counts(s.ctx, workspace)
	s.NoError(err)
	slices.SortFunc(all, compareCounts)
	return all
}

// lastMessages are those of conversations, sorted as histories are.
func (s *suite) lastMessages(workspace string, of []uuid.UUID) []convo.Event {
	all, err := s.store.LastMessages(s.ctx, workspace, of)
	s.NoError(err)
	slices.SortFunc(all, func(a, b convo.Event) int {
		return compareCursors(a.Cursor(), b.Cursor())
	})
	return all
}

func (s *suite) events(f convo.EventFilter) []convo.Event {
	if f.Limit == 0 {
		f.Limit = convo.MaxPageSize
	}
	all, err := events(s.ctx, s.store, f)
	s.NoError(err)
	return all
}

func (s *suite) keys(workspace string, ids ...convo.KeyID) []convo.Key {
	keys, err := s.store.Keys(s.ctx, workspace, ids...)
	s.NoError(err)
	return keys
}

func (s *suite) addresses(workspace, contact string) []convo.Address {
	all, err := s.store.Addresses(s.ctx, workspace, contact)
	s.NoError(err)
	return all
}

func (s *suite) due(before time.Time, limit int) []convo.Ref {
	due, err := s.store.Due(s.ctx, convo.DueQuery{Before: before, Limit: limit})
	s.NoError(err)
	var refs []convo.Ref
	for _, d := range due {
		refs = append(refs, d.Ref)
		s.False(d.DueAt.IsZero() || d.DueAt.After(before), "%s is not due by %s", d.DueAt, before)
	}
	return refs
}

func ids(cs []convo.Conversation) []uuid.UUID {
	var out []uuid.UUID
	for _, c := range cs {
		out = append(out, c.ID)
	}
	return out
}

// catching is a store that keeps what is to be committed, and commits nothing.
type catching struct {
	convo.Store
	change convo.Change
}

var errCaught = errors.New("caught")

func (c *catching) Commit(_ context.Context, changes ...convo.Change) error {
	c.change = changes[0]
	return errCaught
}
