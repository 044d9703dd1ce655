package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// Outboxer is a store that keeps an outbox.
type Outboxer interface {
	convo.Store
	relay.Store
}

// RunOutbox proves that a store notes its events for package relay, and that no relay loses one.
// newStore is as that of [Run], and returns a store with its outbox.
func RunOutbox(t *testing.T, newStore func(t *testing.T) Outboxer) {
	for _, c := range slices.Concat(outboxCases, outboxRaces, eraseOutboxCases,
		removalOutboxCases) {
		t.Run(c.name, func(t *testing.T) { c.on(t, newStore(t)) })
	}
}

type outboxCase struct {
	name string
	rule string
	run  func(*outbox)
}

// on runs the case on a fresh store.
func (c outboxCase) on(t testingT, store Outboxer) {
	s := newSuite(t, store, c.rule)
	c.run(&outbox{suite: s, relay: store})
	s.holds()
}

// outbox is what a case works with: a suite, and its store as a relay sees it.
type outbox struct {
	*suite
	relay    relay.Store
	received received
}

const crm = "crm" // the target where a case needs only one

var outboxCases = []outboxCase{
	{
		"Outbox/notes the events of every commit, by stream",
		"a commit notes its events in the outbox",
		func(o *outbox) {
			r := o.do(from("bob", "chat", "bob-1"), convo.Receive{Channel: "chat", Body: "Hello"})
			o.do(to("bob"), convo.Block{By: ana})
			o.do(convo.ToContact("other", "zoe"), convo.Open{Channel: "chat", By: ana})
			noted := o.noted()
			o.True(slices.IsSortedFunc(noted, relay.Stream.Compare))
			o.Contains(noted, relay.Stream{Workspace: acme, Conversation: r.Conversation.ID})
			o.Contains(noted, relay.Stream{Workspace: acme, Contact: "bob"}, "its own log")
			page, err := o.relay.Noted(o.ctx, noted[0], 1)
			o.NoError(err)
			o.Equal(noted[1:2], page, "a page begins behind After")
			o.all()
			o.Empty(o.noted())
		},
	},
	{
		"Outbox/notes what each kind of commit writes",
		"a commit notes its events in the outbox",
		func(o *outbox) {
			o.story(acme)
			o.all()
		},
	},
	{
		"Outbox/notes what a Tick writes, of one conversation or of many",
		"a commit notes its events in the outbox",
		func(o *outbox) {
			for _, n := range []int{1, 3, 12} {
				o.waiting(slices.Repeat([]int{1}, n)...)
				o.clock.add(time.Second)
				did, err := o.engine.Tick(o.ctx, 0)
				o.NoError(err)
				o.Equal(n, did)
				o.all()
				o.clock.add(time.Hour)
			}
		},
	},
	{
		"Outbox/notes what is written under a lock, and nothing when that fails",
		"what Locked and LockDue write is noted with it, all or nothing",
		func(o *outbox) {
			l, ok := o.store.(convo.Locker)
			if !ok {
				return
			}
			o.NoError(o.locked(l, to("a"), nil, convo.Open{By: ana}))
			o.NoError(o.locked(l, to("a"), nil, hello))
			o.wrote(acme)
			o.all()
			o.ErrorIs(o.locked(l, to("a"), errWanted, hello), errWanted)
			o.ErrorIs(o.locked(l, to("b"), errWanted, convo.Open{By: ana}), errWanted)
			o.Empty(o.noted())
		},
	},
	{
		"Outbox/notes what is imported only when that is asked for",
		"what is Unpublished is not noted",
		func(o *outbox) {
			year := o.clock.Now().AddDate(-1, 0, 0)
			o.imports(convo.History{Key: "1", To: to("bob"), Commands: past(year, "bob")})
			o.Empty(o.noted())
			e := o.with(convo.WithPublishedImports())
			for i, n := range []int{1, 12} {
				var hs []convo.History
				for j := range n {
					id := fmt.Sprint("eve ", i, " ", j)
					hs = append(hs, convo.History{Key: id, To: to(id), Commands: past(year, id)})
				}
				_, err := e.Import(o.ctx, acme, each(hs...), nil)
				o.NoError(err)
				o.GreaterOrEqual(len(o.noted()), n)
				for _, c := range o.claimed() {
					want := o.events(convo.EventFilter{
						Workspace: acme, Conversation: c.Conversation, OwnLog: c.Contact,
					})
					o.Equal(want, c.Events)
				}
			}
		},
	},
	{
		"Outbox/notes nothing of what is refused",
		"a commit that is refused notes nothing",
		func(o *outbox) {
			o.do(to("bob"), convo.Receive{Channel: "chat", ExternalID: "1", Body: "Hello"})
			o.all()
			stale := o.decide(to("bob"), convo.Receive{Channel: "chat", Body: "lost"})
			second := convo.Receive{Channel: "chat", ExternalID: "2", Body: "Hello"}
			twice := o.decide(to("bob"), second)
			o.do(to("bob"), second)
			o.all()
			o.ErrorIs(o.store.Commit(o.ctx, stale), convo.ErrConflict)
			o.Error(o.store.Commit(o.ctx, twice))
			o.Empty(o.noted())
		},
	},
	{
		"Outbox/does not note what is not to be published",
		"what is Unpublished is not noted",
		func(o *outbox) {
			ch := o.decide(to("bob"), hello)
			ch.Unpublished = true
			o.NoError(o.store.Commit(o.ctx, ch))
			o.wrote(acme)
			o.Empty(o.noted())
			r := o.do(to("bob"), hello)
			o.Equal(r.Events, o.claimed()[0].Events, "only what came after it")
		},
	},
	{
		"Queue/puts what is noted into the queue of each target",
		"each target has a queue of its own",
		func(o *outbox) {
			r := o.do(to("bob"), convo.Receive{Channel: "chat", Body: "Hello"})
			z := o.do(convo.ToContact("other", "zoe"), hello)
			n := o.queue(map[string][]string{acme: {crm, "bi"}, "other": {}})
			o.Equal(2, n, "streams")
			o.Empty(o.noted())
			o.Zero(o.queue(map[string][]string{acme: {crm}}), "there is nothing any more")
			claims := o.claim(10)
			o.Len(claims, 2, "of the other workspace nobody wants any")
			for _, c := range claims {
				o.Equal(streamOf(r.Conversation), c.Stream)
				o.Equal(r.Events, c.Events)
				o.Equal([]int64{1, int64(len(r.Events)), 0}, []int64{c.From, c.To, int64(c.Tries)})
			}
			o.NotEqual(claims[0].Target, claims[1].Target)
			o.NotEqual(z.Conversation.ID, claims[0].Conversation)
		},
	},
	{
		"Queue/lets what comes later wait behind what is there",
		"the events of a stream go out in their order",
		func(o *outbox) {
			o.do(to("bob"), convo.Receive{Channel: "chat", Body: "1"})
			first := o.claimed()
			r := o.do(to("bob"), convo.Receive{Channel: "chat", Body: "2"})
			o.queue(map[string][]string{acme: {crm}})
			o.Empty(o.claim(10), "another one has the queue in hand")
			o.Equal(1, o.settle(first, sent))
			second := o.claim(10)
			o.Len(second, 1)
			o.Equal(r.Events, second[0].Events)
			o.Equal(1, o.settle(second, sent))
			o.Empty(o.claim(10))
		},
	},
	{
		"Claim/leases the earliest first, and as many as wanted",
		"Claim gives what is due, the earliest first, and not what is left out",
		func(o *outbox) {
			var streams []relay.Stream
			for _, id := range []string{"bob", "eve", "kim"} {
				r := o.do(to(id), hello)
				streams = append(streams, streamOf(r.Conversation))
				o.queue(map[string][]string{acme: {crm, "bi"}})
				o.clock.add(time.Second)
			}
			except := relay.TargetOf{Workspace: acme, Target: "bi"}
			var got []relay.Stream
			for _, n := range []int{2, 1} {
				claims := o.claim(n, except)
				o.Len(claims, n)
				for _, c := range claims {
					o.Equal(crm, c.Target)
					got = append(got, c.Stream)
				}
			}
			o.Equal(streams, got)
			o.Empty(o.claim(10, except))
			o.Len(o.claim(10), 3, "those of bi")
		},
	},
	{
		"Claim/is taken over when its lease expires",
		"what a relay had in hand that died is taken over, and it settles nothing any more",
		func(o *outbox) {
			r := o.do(to("bob"), hello)
			died := o.claimed()
			o.clock.add(lease - time.Microsecond)
			o.Empty(o.claim(10))
			o.clock.add(time.Microsecond)
			over := o.claim(10)
			o.Len(over, 1)
			o.Equal(r.Events, over[0].Events)
			o.Zero(o.settle(died, sent), "it is another one's")
			o.clock.add(lease)
			over = o.claim(10)
			o.Len(over, 1, "it is there still")
			o.Equal(1, o.settle(over, sent))
			o.Zero(o.settle(over, sent), "it is gone")
			o.clock.add(lease)
			o.Empty(o.claim(10))
		},
	},
	{
		"Claim/reads so many events, in their order",
		"Claim reads the first events of what waits",
		func(o *outbox) {
			var all []convo.Event
			for range 7 {
				all = append(all, o.do(to("bob"), hello).Events...)
			}
			o.queue(map[string][]string{acme: {crm}})
			for len(all) > 0 {
				claims := o.claimUpTo(10, 3)
				o.Len(claims, 1)
				o.Equal(all[:min(3, len(all))], claims[0].Events)
				all = all[len(claims[0].Events):]
				o.Equal(1, o.settle(claims, sent))
			}
			o.Empty(o.claim(10))
		},
	},
	{
		"Claim/reads over the gaps of a contact's own log",
		"Claim reads the first events of what waits, however far apart their Seqs are",
		func(o *outbox) {
			for range 6 {
				for range 6 {
					o.do(to("bob"), convo.Open{By: ana}, convo.Close{By: ana})
				}
				o.do(to("bob"), convo.Block{By: ana})
				o.do(to("bob"), convo.Unblock{By: ana})
			}
			want := o.events(convo.EventFilter{Workspace: acme, OwnLog: "bob"})
			o.Len(want, 12)
			o.Greater(want[11].Seq, int64(40))
			o.queue(map[string][]string{acme: {crm}})
			var got []convo.Event
			for claims := o.claimUpTo(100, 5); len(claims) > 0; claims = o.claimUpTo(100, 5) {
				for i := range claims {
					if claims[i].Contact == "bob" {
						o.LessOrEqual(len(claims[i].Events), 5)
						got = append(got, claims[i].Events...)
					}
				}
				o.Equal(len(claims), o.settle(claims, sent))
			}
			o.Equal(want, got)
		},
	},
	{
		"Claim/reads what was redacted without its text",
		"what was redacted before it was sent goes out without its text",
		func(o *outbox) {
			r := o.do(to("bob"), convo.Receive{Channel: "chat", Body: "secret", ExternalID: "1"})
			message := r.Events[slices.IndexFunc(r.Events, func(e convo.Event) bool {
				return e.Kind == convo.MessageReceived
			})]
			o.do(to("bob"), convo.Retract{Message: message.ID, By: ana, Redact: true})
			for _, c := range o.claimed() {
				for _, e := range c.Events {
					o.NotEqual("secret", e.Row().Body)
				}
			}
		},
	},
	{
		"Settle/puts off what failed, with its tries and without what was sent",
		"what could not be sent is due again when it says",
		func(o *outbox) {
			r := o.do(to("bob"), hello)
			o.Greater(len(r.Events), 1)
			claims := o.claimed()
			o.Equal(1, o.settle(claims, func(c *relay.Claimed) relay.Settled {
				return relay.Settled{
					To: c.To, Next: c.From + 1, Error: "503", Tries: 1,
					Due: o.clock.Now().Add(time.Hour),
				}
			}))
			o.clock.add(time.Hour - time.Microsecond)
			o.Empty(o.claim(10))
			b := o.backlog()
			o.Equal([]int{0, 1, 1, 0}, []int{b.Noted, b.Queued, b.Failed, b.Dead})
			o.clock.add(time.Microsecond)
			claims = o.claim(10)
			o.Len(claims, 1)
			o.Equal(1, claims[0].Tries)
			o.Equal(r.Events[1:], claims[0].Events)
			o.Equal(1, o.settle(claims, sent))
			o.Zero(o.backlog())
		},
	},
	{
		"Settle/makes a dead letter, and goes on behind it",
		"a dead letter holds nothing up, and can be listed, revived and removed",
		outboxDeadLetters,
	},
	{
		"DeadLetters/are listed page by page",
		"dead letters are listed by target, stream and seq",
		func(o *outbox) {
			for _, id := range []string{"bob", "eve", "kim"} {
				o.do(to(id), hello)
			}
			o.queue(map[string][]string{acme: {crm, "bi"}})
			for range 2 {
				o.settle(o.claim(10), died)
			}
			all := o.deadLetters(relay.DeadLetterFilter{})
			o.Len(all, 12)
			o.True(slices.IsSortedFunc(all, func(a, b relay.DeadLetter) int {
				return a.Compare(b.DeadLetterID)
			}))
			var paged []relay.DeadLetter
			for f := (relay.DeadLetterFilter{Limit: 5}); ; {
				page := o.deadLetters(f)
				if paged = append(paged, page...); len(page) < 5 {
					break
				}
				f.After = page[4].DeadLetterID
			}
			o.Equal(all, paged)
			o.Equal(all[6:], o.deadLetters(relay.DeadLetterFilter{Target: crm}))
			o.Empty(o.deadLetters(relay.DeadLetterFilter{Workspace: "other"}))
			page, err := o.relay.DeadLetters(o.ctx, relay.DeadLetterFilter{Workspace: acme})
			o.NoError(err)
			o.Equal(all, page, "the default limit")
			for _, f := range []relay.DeadLetterFilter{
				{}, {Workspace: acme, Limit: -1}, {Workspace: acme, Limit: convo.MaxPageSize + 1},
			} {
				_, err := o.relay.DeadLetters(o.ctx, f)
				_, invalid := errors.AsType[*convo.ValidationError](err)
				o.True(invalid, "%+v: %v", f, err)
			}
		},
	},
	{
		"Backlog/says since when the oldest waits",
		"the backlog counts what is on its way, and since when",
		func(o *outbox) {
			o.Zero(o.backlog())
			since := o.clock.Now()
			o.do(to("bob"), hello)
			o.clock.add(time.Hour)
			o.do(to("eve"), hello)
			b := o.backlog()
			o.GreaterOrEqual(b.Noted, 2)
			o.Equal(since, b.Oldest)
			o.queue(map[string][]string{acme: {crm}})
			b = o.backlog()
			o.Equal([]int{0, 2, 0, 0}, []int{b.Noted, b.Queued, b.Failed, b.Dead})
			o.Equal(since, b.Oldest)
		},
	},
}

// outboxDeadLetters takes a dead letter through its life.
func outboxDeadLetters(o *outbox) {
	r := o.do(to("bob"), hello)
	claims := o.claimed()
	at := o.clock.Now()
	o.Equal(1, o.settle(claims, died))
	rest := o.claim(10)
	o.Len(rest, 1)
	o.Equal(r.Events[1:], rest[0].Events)
	o.Zero(rest[0].Tries)
	o.Equal(1, o.settle(rest, sent))

	id := relay.DeadLetterID{Target: crm, Stream: streamOf(r.Conversation), Seq: 1}
	o.Equal([]relay.DeadLetter{{DeadLetterID: id, Tries: 10, At: at, Error: "gone"}},
		o.deadLetters(relay.DeadLetterFilter{}))
	o.Equal(relay.Backlog{Dead: 1}, o.backlog())
	o.clock.add(100 * time.Hour)
	o.Empty(o.claim(10), "it is not due")

	revive := func(id relay.DeadLetterID) int {
		n, err := o.relay.Revive(o.ctx, o.clock.Now(), []relay.DeadLetterID{id})
		o.NoError(err)
		return n
	}
	unknown := id
	unknown.Seq = 2
	o.Zero(revive(unknown))
	o.Equal(1, revive(id))
	o.Zero(revive(id), "it is none any more")
	letter := o.claim(10)
	o.Len(letter, 1)
	o.Equal(r.Events[:1], letter[0].Events, "only itself")
	o.Zero(letter[0].Tries)

	// Meanwhile the stream goes on.
	next := o.do(to("bob"), hello)
	o.queue(map[string][]string{acme: {crm}})
	live := o.claim(10)
	o.Len(live, 1)
	o.Equal(next.Events, live[0].Events)
	o.Equal(1, o.settle(live, sent))

	o.Equal(1, o.settle(letter, died), "and once more")
	o.Len(o.deadLetters(relay.DeadLetterFilter{}), 1)
	o.Equal(1, revive(id))
	o.Equal(1, o.settle(o.claim(10), died))
	bury := func() int {
		n, err := o.relay.Bury(o.ctx, []relay.DeadLetterID{id})
		o.NoError(err)
		return n
	}
	o.Equal(1, bury())
	o.Zero(bury())
	o.Zero(o.backlog())
}
