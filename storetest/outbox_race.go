package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

var outboxRaces = []outboxCase{
	{
		"Races/bring out all that writers commit, by relays that die at every step",
		"each committed event goes out at least once, and those of a stream in their order",
		racesOfRelays,
	},
	{
		"Races/erase while relays fail with what they have in hand",
		"no relay takes a text past an erasure, however they race",
		racesOfEraseAndRelay,
	},
}

// errDied is where a relay of a race dies: before or after what it was about to do.
var errDied = errors.New("the relay died")

// mortal is a store of a relay that dies now and then, and publishes to a target that fails now and
// then. What is done before it dies stays done.
type mortal struct {
	relay.Store
	*received
	random func(n int) int
	deaths *atomic.Int64
	// dead says that this relay has: it does nothing any more.
	dead atomic.Bool
}

// dies carries out f, unless the relay dies before it, or after it.
func (m *mortal) dies(f func() error) error {
	at := m.random(12)
	if m.dead.Load() || at == 0 {
		m.die()
		return errDied
	}
	err := f()
	if at == 1 {
		m.die()
		return errDied
	}
	return err
}

func (m *mortal) die() {
	if !m.dead.Swap(true) {
		m.deaths.Add(1)
	}
}

func (m *mortal) Queue(
	ctx context.Context, now time.Time, streams []relay.Stream, targets map[string][]string,
) (n int, err error) {
	err = m.dies(func() (err error) {
		n, err = m.Store.Queue(ctx, now, streams, targets)
		return err
	})
	return n, err
}

func (m *mortal) Claim(ctx context.Context, c relay.Claim) (all []relay.Claimed, err error) {
	err = m.dies(func() (err error) {
		all, err = m.Store.Claim(ctx, c)
		return err
	})
	return all, err
}

func (m *mortal) Settle(
	ctx context.Context, now time.Time, done []relay.Settled,
) (n int, err error) {
	err = m.dies(func() (err error) {
		n, err = m.Store.Settle(ctx, now, done)
		return err
	})
	return n, err
}

// Publish implements relay.Publisher.
func (m *mortal) Publish(ctx context.Context, events []convo.Event) (sent int, err error) {
	if m.random(8) == 0 {
		n := m.random(len(events))
		_, _ = m.received.Publish(ctx, events[:n])
		return n, errors.New("the target failed")
	}
	err = m.dies(func() error {
		_, err := m.received.Publish(ctx, events)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(events), nil
}

// racesOfRelays has writers and relays race. A relay that dies is followed by another one; the
// clock goes on, so that leases expire.
func racesOfRelays(o *outbox) {
	const writers, relays, contacts = 8, 4, 12
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(7, 7))
	number := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	var writing, bringing sync.WaitGroup
	var done, deaths atomic.Int64
	for range writers {
		writing.Go(func() {
			for range 30 {
				to := to(fmt.Sprint("contact ", number(contacts)))
				cmds := [][]convo.Command{
					{convo.Receive{Channel: "chat", Body: "Hello"}},
					{hello},
					{convo.Open{Channel: "chat", By: ana}, convo.Send{By: ana, Body: "Hi"}},
					{convo.Close{By: ana}},
					{convo.Block{By: ana}, convo.Unblock{By: ana}},
				}[number(5)]
				_, err := o.engine.Do(o.ctx, to, cmds...)
				if _, refused := errors.AsType[*convo.StateError](err); err != nil && !refused {
					o.NoError(err)
				}
			}
		})
	}
	var errs [relays]error
	for i := range relays {
		bringing.Go(func() {
			var r *relay.Relay
			var m *mortal
			for quiet := 0; quiet < 3; {
				if r == nil || m.dead.Load() {
					m = &mortal{
						Store: o.relay, received: &o.received, random: number, deaths: &deaths,
					}
					r, errs[i] = relay.New(m, relay.To(crm, m), relay.WithClock(o.clock),
						relay.WithBackoff(make([]time.Duration, 1000)...))
					if errs[i] != nil {
						return
					}
				}
				s, err := r.Once(o.ctx)
				if err != nil && !errors.Is(err, errDied) {
					errs[i] = err
					return
				}
				o.clock.add(20 * time.Second)
				if s.Queued+s.Sent+s.Failed > 0 || err != nil || done.Load() == 0 {
					quiet = 0
				} else {
					quiet++
				}
			}
		})
	}
	writing.Wait()
	done.Store(1)
	bringing.Wait()
	for _, err := range errs {
		o.NoError(err)
	}
	o.Positive(deaths.Load())
	o.clock.add(time.Hour)
	o.all()
	o.NotEmpty(o.received.by)
}

// RaceErasures has contacts of a workspace write, with [Canary] in each text, be named by others,
// and be erased, each one while relays bring out what they said. The target fails again and again,
// with all that it was to send in its errors, until there are dead letters.
func RaceErasures(t testingT, store Outboxer, workspace string) {
	s := newSuite(t, store, eraseRule)
	(&outbox{suite: s, relay: store}).raceErasures(workspace)
}

func racesOfEraseAndRelay(o *outbox) {
	o.raceErasures(acme)
	shown := o.everything()
	o.NotContains(shown, Canary)
	o.clock.add(time.Hour)
	for _, c := range o.claimed() {
		o.NotContains(fmt.Sprintf("%+v", c), Canary)
	}
	for _, d := range o.deadLetters(relay.DeadLetterFilter{}) {
		o.NotContains(fmt.Sprintf("%+v", d), Canary)
	}
	for k, err := range o.engine.AllContacts(o.ctx, convo.ContactFilter{Workspace: acme}) {
		o.NoError(err)
		o.NotContains(o.exported(k.ID), Canary)
	}
}

// leaking fails, now and then, with what it was to send.
type leaking struct{ sent atomic.Int64 }

// Publish implements relay.Publisher.
func (l *leaking) Publish(_ context.Context, events []convo.Event) (int, error) {
	if n := l.sent.Add(1); n%4 == 0 {
		return len(events), nil
	}
	text, err := json.Marshal(events)
	return 0, errors.Join(err, errors.New(string(text)))
}

func (o *outbox) raceErasures(workspace string) {
	const contacts, relays = 8, 3
	person := func(i int) convo.Ref {
		to := convo.ToContact(workspace, fmt.Sprint(Canary, " ", i))
		to.Address = convo.Address{Channel: "sms", Value: fmt.Sprint(Canary, " +", i)}
		return to
	}
	other := convo.ToContact(workspace, "other")
	say := func(i, n int) {
		id := fmt.Sprint(Canary, " ", i, " ", n)
		_, err := o.engine.Do(o.ctx, person(i),
			convo.Receive{ExternalID: id, Body: id}, convo.Block{By: ana, Reason: Canary},
			convo.Unblock{By: ana}, convo.Note{By: ana, Body: Canary})
		o.NoError(err)
		_, err = o.engine.Do(o.ctx, other, convo.Receive{By: convo.Actor{
			Type: convo.ActorContact, ID: person(i).Contact,
		}, Body: "of another one"})
		o.NoError(err)
	}
	for i := range contacts {
		say(i, 0)
	}
	var writing, bringing sync.WaitGroup
	var done atomic.Bool
	var target leaking
	var errs [relays]error
	for i := range relays {
		bringing.Go(func() {
			r, err := relay.New(o.relay, relay.To(crm, &target), relay.WithClock(o.clock),
				relay.WithBackoff(time.Second, time.Second))
			for last := false; err == nil && !last; {
				last = done.Load()
				_, err = r.Once(o.ctx)
				o.clock.add(2 * time.Second)
			}
			errs[i] = err
		})
	}
	for i := range contacts {
		writing.Go(func() {
			for n := range 3 {
				say(i, n+1)
			}
			_, err := o.engine.Erase(o.ctx,
				convo.Erase{Workspace: workspace, Contact: person(i).Contact, By: ana})
			o.NoError(err)
		})
	}
	writing.Wait()
	done.Store(true)
	bringing.Wait()
	for _, err := range errs {
		o.NoError(err)
	}
	o.Positive(target.sent.Load())
}
