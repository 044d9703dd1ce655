package storetest

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

var hello = convo.Receive{Channel: "chat", Body: "Hello"}

// lease is how long a claim of a case lasts.
const lease = time.Minute

func streamOf(c convo.Conversation) relay.Stream {
	return relay.Stream{Workspace: c.Workspace, Conversation: c.ID}
}

// sent settles a claim whose events were all sent.
func sent(c *relay.Claimed) relay.Settled {
	return relay.Settled{To: c.To, Next: c.Read + 1}
}

// died settles a claim whose first event is not tried any more.
func died(c *relay.Claimed) relay.Settled {
	return relay.Settled{To: c.To, Next: c.From, Error: "gone", Tries: 10, Dead: true}
}

func (o *outbox) noted() []relay.Stream {
	all, err := o.relay.Noted(o.ctx, relay.Stream{}, convo.MaxPageSize)
	o.NoError(err)
	return all
}

// queue queues all that is noted.
func (o *outbox) queue(targets map[string][]string) int {
	n, err := o.relay.Queue(o.ctx, o.clock.Now(), o.noted(), targets)
	o.NoError(err)
	return n
}

func (o *outbox) claim(limit int, except ...relay.TargetOf) []relay.Claimed {
	return o.claimUpTo(limit, 100, except...)
}

func (o *outbox) claimUpTo(limit, events int, except ...relay.TargetOf) []relay.Claimed {
	now := o.clock.Now()
	all, err := o.relay.Claim(o.ctx, relay.Claim{
		Lease: uuid.New(), Now: now, Until: now.Add(lease), Limit: limit, MaxEvents: events,
		Except: except,
	})
	o.NoError(err)
	return all
}

// claimed queues all that is noted, and claims it.
func (o *outbox) claimed() []relay.Claimed {
	targets := map[string][]string{}
	for _, of := range o.noted() {
		targets[of.Workspace] = []string{crm}
	}
	o.queue(targets)
	return o.claim(convo.MaxPageSize)
}

// settle settles claims as f says.
func (o *outbox) settle(claims []relay.Claimed, f func(*relay.Claimed) relay.Settled) int {
	var done []relay.Settled
	for i := range claims {
		s := f(&claims[i])
		s.Queue, s.Lease = claims[i].Queue, claims[i].Lease
		done = append(done, s)
	}
	n, err := o.relay.Settle(o.ctx, o.clock.Now(), done)
	o.NoError(err)
	return n
}

func (o *outbox) backlog() relay.Backlog {
	b, err := o.relay.Backlog(o.ctx)
	o.NoError(err)
	return b
}

func (o *outbox) deadLetters(f relay.DeadLetterFilter) []relay.DeadLetter {
	f.Workspace, f.Limit = cmp.Or(f.Workspace, acme), cmp.Or(f.Limit, convo.MaxPageSize)
	all, err := o.relay.DeadLetters(o.ctx, f)
	o.NoError(err)
	return all
}

// all brings everything out by one relay, and compares it with the log.
func (o *outbox) all() {
	r, err := relay.New(o.relay, relay.To(crm, &o.received), relay.WithClock(o.clock))
	o.NoError(err)
	for more := true; more; {
		s, err := r.Once(o.ctx)
		o.NoError(err)
		more = s.Queued+s.Sent > 0
	}
	o.Zero(o.backlog())
	o.complete()
}

// received is what a target got: of each stream each event once, in the order of its first coming.
type received struct {
	mu  sync.Mutex
	by  map[relay.Stream][]convo.Event
	ids map[uuid.UUID]bool
}

// Publish implements relay.Publisher.
func (r *received) Publish(_ context.Context, events []convo.Event) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by, r.ids = map[relay.Stream][]convo.Event{}, map[uuid.UUID]bool{}
	}
	for i := range events {
		e := &events[i]
		if of := relay.StreamOf(e); !r.ids[e.ID] {
			r.ids[e.ID] = true
			r.by[of] = append(r.by[of], *e)
		}
	}
	return len(events), nil
}

// complete demands that what was received is the log, stream by stream: each event, in order. What
// was redacted since may have gone out before that.
func (o *outbox) complete() {
	logs := map[relay.Stream][]convo.Event{}
	for _, workspace := range o.workspaces {
		for _, e := range o.logOf(workspace) {
			of := relay.StreamOf(&e)
			logs[of] = append(logs[of], e)
		}
	}
	o.Equal(len(logs), len(o.received.by), "streams")
	for of, log := range logs {
		var got, want []string
		for i := range o.received.by[of] {
			got = append(got, o.received.by[of][i].ID.String())
		}
		for i := range log {
			want = append(want, log[i].ID.String())
		}
		o.Equal(want, got, "of %v", of)
	}
}

// logOf is all that a workspace's logs have.
func (o *outbox) logOf(workspace string) (all []convo.Event) {
	for _, c := range o.list(convo.Filter{Workspace: workspace}) {
		all = append(all, o.events(convo.EventFilter{Workspace: workspace, Conversation: c.ID})...)
	}
	for k, err := range o.engine.AllContacts(o.ctx, convo.ContactFilter{Workspace: workspace}) {
		o.NoError(err)
		family, err := o.store.Family(o.ctx, workspace, k.ID)
		o.NoError(err)
		for _, k := range append(family, k) {
			all = append(all, o.events(convo.EventFilter{Workspace: workspace, OwnLog: k.ID})...)
		}
	}
	return all
}
