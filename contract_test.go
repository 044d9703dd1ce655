package convo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// What the library costs and promises as a whole: sizes, allocations, names, iterators, errors.

func TestAnEventIsSmall(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(convo.Event{}), uintptr(192))
	assert.Equal(t, uintptr(1), unsafe.Sizeof(convo.ConversationOpened))
}

func TestEveryKindOfEventHasItsPayloadAndGoesThroughItsRow(t *testing.T) {
	for _, kind := range convo.EventKinds() {
		r := filled(convo.EventRow{}).(convo.EventRow)
		r.Kind = kind
		e := r.Event()
		again := e.Row()
		back := again.Event()
		assert.Equal(t, e, back, kind)
		reused := e
		if e.Payload != nil {
			payload := e.Payload
			r.To(&reused)
			assert.Same(t, payload, reused.Payload, "the payload is overwritten, not made anew: %s",
				kind)
		}
		assert.Equal(t, kind, convo.EventKindOf(kind.String()))
	}
	assert.Zero(t, convo.EventKindOf("of_the_future"))
	assert.Equal(t, "unknown", convo.EventKind(200).String())
}

func TestReceivingAndClosingInMemoryTakesFewAllocations(t *testing.T) {
	e, err := convo.New(memstore.New())
	require.NoError(t, err)
	ctx, n := context.Background(), 0
	do := func(to convo.Ref, cmd convo.Command) {
		if _, err := e.Do(ctx, to, cmd); err != nil {
			t.Fatal(err)
		}
	}
	receiveAndClose := func() {
		n++
		to := convo.ToContact("acme", strconv.Itoa(1_000_000+n))
		do(to, convo.Receive{Channel: "sms", Body: "hello"})
		do(to, convo.Close{By: convo.ByUser("ana"), Category: "Sales", Summary: "done"})
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(2000, receiveAndClose), 12.0)
	// Bytes are counted over a fixed number of conversations: maps double, so the mean over them goes
	// up and down by 5 % with how many there are.
	const conversations = 80_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range conversations {
		receiveAndClose()
	}
	runtime.ReadMemStats(&after)
	most := uint64(2060)    // some 300 of them are what the closing says of what it ends
	if raceDetectorIsOn() { // under which a sync.Pool drops one in four
		most = 5000
	}
	assert.LessOrEqual(t, (after.TotalAlloc-before.TotalAlloc)/conversations, most)
}

func TestDecidingAMessageAllocatesOnceAndARefusalOnce(t *testing.T) {
	var message convo.Command = convo.Send{By: agentAna, Body: "hello"}
	for _, c := range []struct {
		state convo.State
		most  float64
		// the second is refused, and names the closing
	}{{convo.StateOpen, 1}, {convo.StateClosed, 2}} {
		s := threadIn(t, c.state)
		got := testing.AllocsPerRun(1000, func() { _, _ = convo.Decide(s, morning, nil, message) })
		assert.LessOrEqual(t, got, c.most, c.state)
	}
}

// Every paged read has an iterator: a method All… beside each method that returns a list and takes
// a limit, alone or in a filter.
func TestEveryPagedReadHasAnIterator(t *testing.T) {
	engine := reflect.TypeFor[*convo.Engine]()
	paged := 0
	for i := range engine.NumMethod() {
		m := engine.Method(i)
		if m.Type.NumOut() != 2 || m.Type.Out(0).Kind() != reflect.Slice {
			continue
		}
		last := m.Type.In(m.Type.NumIn() - 1)
		limited := false
		if last.Kind() == reflect.Struct {
			_, limited = last.FieldByName("Limit")
		}
		if last.Kind() != reflect.Int && !limited {
			continue
		}
		paged++
		all, ok := engine.MethodByName("All" + m.Name)
		if assert.True(t, ok, "no iterator beside %s", m.Name) {
			yield := all.Type.Out(0).In(0) // func(yield func(T, error) bool)
			assert.Equal(t, m.Type.Out(0).Elem(), yield.In(0), m.Name)
		}
	}
	assert.Equal(t, 6, paged, "contacts, conversations, list, transcript, history, suggestions")
}

func TestIteratorsYieldWhatThePagesHave(t *testing.T) {
	d := openDesk(t)
	to := toContact("carl")
	const n = 2*convo.DefaultPageSize + 7 // conversations, of three events each
	for range n {
		d.do(to, convo.Receive{Channel: "sms", Body: "hi"}, convo.Close{By: agentAna})
		d.wait(time.Second)
	}
	ids := map[uuid.UUID]bool{}
	for c, err := range d.AllConversations(t.Context(),
		convo.Filter{Workspace: tenant, Limit: 10}) {
		require.NoError(t, err)
		require.False(t, ids[c.ID], "twice")
		ids[c.ID] = true
	}
	assert.Len(t, ids, n)

	count := 0
	for e, err := range d.AllHistory(t.Context(), to, convo.EventCursor{}) {
		require.NoError(t, err)
		require.NotZero(t, e.Kind)
		count++
	}
	assert.Equal(t, 3*n, count)

	count = 0
	for _, err := range d.AllTranscript(t.Context(), to, convo.EventCursor{Seq: 1}) {
		require.NoError(t, err)
		if count++; count == 1 {
			break
		}
	}
	assert.Equal(t, 1, count, "it can be left early")

	for _, err := range d.AllHistory(t.Context(), toContact("nobody"), convo.EventCursor{}) {
		require.ErrorIs(t, err, convo.ErrNotFound)
		count++
	}
	assert.Equal(t, 2, count, "an error is yielded once, and ends it")
}

func TestALimitOf0IsTheDefaultEverywhere(t *testing.T) {
	d := openDesk(t)
	for i := range convo.DefaultPageSize + 1 {
		d.do(toContact(fmt.Sprint(i)), convo.Open{By: agentAna},
			convo.SetPending{By: agentAna, Until: morning.Add(time.Minute)})
	}
	page, err := d.Conversations(t.Context(), convo.Filter{Workspace: tenant})
	require.NoError(t, err)
	assert.Len(t, page, convo.DefaultPageSize)
	d.wait(time.Hour)
	n, err := d.Tick(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, convo.DefaultPageSize+1, n, "which is %d for Tick", convo.DefaultTick)
}

func TestReadsTakeTheContactsLatestConversationOrTheOneNamed(t *testing.T) {
	d := openDesk(t)
	first := d.do(toContact("carl"), convo.Receive{Body: "1"},
		convo.Close{By: agentAna}).Conversation
	d.wait(time.Minute)
	second := d.do(toContact("carl"), convo.Receive{Body: "2"}).Conversation
	for _, c := range []struct {
		to   convo.Ref
		want uuid.UUID
	}{{toContact("carl"), second.ID}, {convo.ToConversation(tenant, first.ID), first.ID}} {
		conversation, err := d.Conversation(t.Context(), c.to)
		require.NoError(t, err)
		assert.Equal(t, c.want, conversation.ID)
		events, err := d.Transcript(t.Context(), c.to, convo.EventCursor{}, 0)
		require.NoError(t, err)
		assert.Equal(t, c.want, events[0].Conversation)
		cycles, err := d.Cycles(t.Context(), c.to)
		require.NoError(t, err)
		assert.Equal(t, conversation.Cycle, cycles[0])
	}
	d.do(toContact("dora"), convo.Open{By: agentAna})
	_, err := d.Conversation(t.Context(), convo.ToConversation(tenant, uuid.New()))
	require.ErrorIs(t, err, convo.ErrNotFound)
}

// F14: a cursor with nanoseconds means what it means in whole microseconds.
func TestCursorsHaveThePrecisionOfEvents(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("carl"), convo.Receive{Body: "1"})
	c := d.do(toContact("dora"), convo.Receive{Body: "2"}).Conversation
	exact, finer := convo.Filter{}.Cursor(c), convo.Filter{}.Cursor(c)
	finer.At = finer.At.Add(999)
	for _, f := range []convo.Filter{{After: exact}, {After: finer}, {To: exact.At}, {To: finer.At},
		{From: finer.At}} {
		f.Workspace = tenant
		coarse := f
		coarse.After.At = coarse.After.At.Truncate(time.Microsecond)
		coarse.From, coarse.To = coarse.From.Truncate(time.Microsecond),
			coarse.To.Truncate(time.Microsecond)
		want, err := d.Conversations(t.Context(), coarse)
		require.NoError(t, err)
		got, err := d.Conversations(t.Context(), f)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%+v", f)
	}
	events, err := d.History(t.Context(), toContact("carl"), convo.EventCursor{}, 0)
	require.NoError(t, err)
	after := events[0].Cursor()
	after.At = after.At.Add(999)
	rest, err := d.History(t.Context(), toContact("carl"), after, 0)
	require.NoError(t, err)
	assert.Equal(t, events[1:], rest)

	asked := &asked{Store: d.store} // whatever a store makes of nanoseconds, it is given none
	e, err := convo.New(asked)
	require.NoError(t, err)
	_, err = e.Conversations(t.Context(), convo.Filter{
		Workspace: tenant, From: finer.At, To: finer.At.Add(time.Hour), After: finer,
	})
	require.NoError(t, err)
	_, err = e.History(t.Context(), toContact("carl"), after, 0)
	require.NoError(t, err)
	for _, at := range []time.Time{
		asked.filter.From, asked.filter.To, asked.filter.After.At, asked.events.After.At,
	} {
		assert.Zero(t, at.Nanosecond()%1000, at)
	}
}

// asked remembers what it was last asked for.
type asked struct {
	convo.Store
	filter convo.Filter
	events convo.EventFilter
}

func (a *asked) Conversations(
	ctx context.Context, f convo.Filter,
) ([]convo.Conversation, error) {
	a.filter = f
	return a.Store.Conversations(ctx, f)
}

func (a *asked) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	a.events = f
	return a.Store.Events(ctx, f)
}

// F13: what encoding/json lets pass is refused as unknown fields are.
func TestFieldsThatComeTwiceOrInAnotherCaseAreRefused(t *testing.T) {
	for _, text := range []string{
		`[{"command":"close","command":"send"}]`,
		`[{"command":"close","SUMMARY":"x"}]`,
		`[{"command":"close","summary":"x","summary":"y"}]`,
		`[{"Command":"close"}]`,
		`[{"command":"close","by":{"type":"user","type":"contact"}}]`,
		`[{"command":"close","by":{"Type":"user"}}]`,
		`[{"command":"note","body":"n"},{"command":"close","Category":"Sales"}]`,
	} {
		var cs convo.Commands
		err := json.Unmarshal([]byte(text), &cs)
		require.ErrorIs(t, err, convo.ErrInvalid, text)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.True(t, strings.HasPrefix(invalid.Field, "commands["), invalid.Field)
	}
	for _, text := range []string{
		`{"category":"required","category":"disabled"}`,
		`{"Category":"required"}`,
		`{"open":{"mode":"reopen","mode":""}}`,
		`{"open":{"MODE":"reopen"}}`,
		`{"notices":{"Conversation_Closed":"both"}}`,
	} {
		var p convo.Policy
		require.ErrorIs(t, json.Unmarshal([]byte(text), &p), convo.ErrInvalid, text)
	}
	var cs convo.Commands
	text := `[{"command":"note","attachments":{"A":1,"a":2,"a":3}}]`
	require.NoError(t, json.Unmarshal([]byte(text), &cs), "attachments are the host's own")
}

func TestEveryErrorHasACodeAndIsJSON(t *testing.T) {
	codes := map[string]error{}
	for _, err := range []error{
		convo.ErrNotFound, convo.ErrNotActive, convo.ErrClosed, convo.ErrNotClosed,
		convo.ErrActiveExists,
		convo.ErrBlocked, convo.ErrOutOfOrder, convo.ErrMerged, convo.ErrErased,
		convo.ErrAddressTaken,
		convo.ErrInvalid,
		convo.ErrConflict, convo.ErrDuplicate, convo.ErrKeyReused, convo.ErrCommitUnknown,
		convo.ErrTransactionLost,
		context.Canceled, context.DeadlineExceeded,
	} {
		code := convo.Code(fmt.Errorf("wrapped: %w", err))
		assert.Nil(t, codes[code], code)
		codes[code] = err
		assert.Regexp(t, `^[a-z]+(_[a-z]+)*$`, code)
		assert.NotEqual(t, "other", code)
	}
	assert.Equal(t, "", convo.Code(nil))
	assert.Equal(t, "other", convo.Code(errors.New("a driver's")))

	d := openDesk(t)
	_, err := d.Do(t.Context(), toContact("carl"), convo.Close{By: agentAna})
	assert.Equal(t, "not_active", convo.Code(err),
		"the reason goes before that the contact is unknown")
	text, jerr := json.Marshal(err)
	require.NoError(t, jerr)
	assert.JSONEq(t, `{"code":"not_active","command":"close","contact":"carl","unknown":true,"message":`+
		strconv.Quote(err.Error())+`}`, string(text))

	_, err = d.Do(t.Context(), toContact(""), convo.Close{By: agentAna})
	require.ErrorIs(t, err, convo.ErrInvalid)
	text, jerr = json.Marshal(err)
	require.NoError(t, jerr)
	assert.JSONEq(t, `{"code":"invalid","field":"ref","rule":"name a contact, an address or a conversation",
		"message":"convo: ref: name a contact, an address or a conversation"}`, string(text))
}

// O3: a store that embeds another one and overrides Commit sees every commit on every path, the
// locked one too.
func TestAWrapperSeesEveryCommitOnEveryPath(t *testing.T) {
	inner := &lockingStore{Store: memstore.New()}
	w := &wrapper{lockingStore: inner}
	e, err := convo.New(w)
	require.NoError(t, err)
	var want []convo.Event
	for i := range 40 {
		inner.conflicts = i % 2 * 2 // also on what is loaded: then the engine asks for the lock
		r, err := e.Do(t.Context(), toContact("susan"), convo.Receive{Body: strconv.Itoa(i)})
		require.NoError(t, err)
		want = append(want, r.Events...)
	}
	assert.Equal(t, 20, inner.locked)
	assert.Equal(t, want, w.seen)
}

// What a Tick writes, too, be it many at once or one by one.
func TestAWrapperSeesWhatATickWrites(t *testing.T) {
	for _, alone := range []bool{false, true} {
		w := &tickedWrapper{Store: memstore.New()}
		var s convo.Store = w
		if alone {
			s = loneStore{w}
		}
		var observed []convo.Event
		d := openDeskOn(t, s, closesAfter(time.Hour), convo.WithObserver(
			func(_ context.Context, events []convo.Event) {
				observed = append(observed, events...)
			}))
		for _, name := range []string{"carl", "dora"} {
			d.do(toContact(name), convo.Open{By: agentAna}, convo.Send{By: agentAna, Body: "hello"})
		}
		d.wait(2 * time.Hour)
		assert.Equal(t, 2, d.tick())
		assert.ElementsMatch(t, observed, w.seen)
		assert.Len(t, w.seen, 6)
	}
}

// tickedWrapper has all that its store has, and keeps what it is about to write.
type tickedWrapper struct {
	*memstore.Store
	seen []convo.Event
}

func (w *tickedWrapper) Commit(ctx context.Context, changes ...convo.Change) error {
	for _, ch := range changes {
		w.seen = append(w.seen, ch.Events...)
	}
	return w.Store.Commit(ctx, changes...)
}

type wrapper struct {
	*lockingStore
	seen []convo.Event
}

func (w *wrapper) Commit(ctx context.Context, changes ...convo.Change) error {
	err := w.lockingStore.Commit(ctx, changes...)
	if err == nil {
		for _, ch := range changes {
			w.seen = append(w.seen, ch.Events...)
		}
	}
	return err
}

// O4: the policy can be given with the host's transaction, so that nothing is looked up inside.
func TestThePolicyGivenWithTheHostsTransactionIsNotLookedUp(t *testing.T) {
	looked := 0
	e, err := convo.New(memstore.New(), convo.WithPolicies(
		func(context.Context, convo.Scope) (*convo.Policy, error) {
			looked++
			return &convo.Policy{Category: convo.RuleRequired}, nil
		}))
	require.NoError(t, err)
	p, err := e.Policy(t.Context(), convo.Scope{Workspace: tenant, Channel: "sms"})
	require.NoError(t, err)
	assert.Equal(t, convo.RuleRequired, p.Category)
	require.Equal(t, 1, looked)

	w := e.With(memstore.New(), p)
	_, err = w.Do(t.Context(), toContact("susan"), convo.Open{By: agentAna},
		convo.Close{By: agentAna})
	require.ErrorIs(t, err, convo.ErrInvalid, "its rule holds")
	assert.Equal(t, 1, looked)
	for field, of := range map[string]convo.Scope{
		"workspace": {Channel: "sms"}, "channel": {Workspace: tenant, Channel: "a\nb"},
		"lane": {Workspace: tenant, Lane: "a\nb"},
	} {
		_, err = e.Policy(t.Context(), of)
		requireInvalid(t, field, err)
	}
}
