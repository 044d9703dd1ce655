// Package world throws random commands, merges, ticks, clocks and policies at engines on any store,
// erases and prunes what is there, brings it out by a relay that fails now and then, and checks
// after each step that all that the library promises holds. Only tests import it.
package world

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/scenario"
	"github.com/chatlifecycle/convo/relay"
)

// Check lets a world go on for some steps. s is empty; outbox is its outbox, or nil. There is an
// engine for each of the options, or one.
func Check(
	t *rapid.T, s convo.Store, outbox relay.Store, engines ...convo.Option,
) Done {
	w := New(t, s, engines...)
	defer PrintScript(t, w.engine)
	actions := map[string]func(*rapid.T){
		"do":      w.do,
		"do two":  w.do,
		"do one":  w.do,
		"repeat":  w.repeat,
		"change":  w.change,
		"merge":   w.merge,
		"unmerge": w.unmerge,
		"tick":    w.tick,
		"clock":   w.moveClock,
		"policy":  w.changePolicy,
		"rearm":   w.rearm,
		"erase":   w.erase,
		"prune":   w.prune,
		"":        w.check,
	}
	if len(engines) > 1 {
		for i := range 2 * len(actions) {
			actions[fmt.Sprint("speak ", i)] = w.speak
		}
		for i := range 8 {
			actions[fmt.Sprint("peek ", i)] = w.peek
		}
	}
	if outbox != nil {
		w.outbox = newOutbox(t, outbox)
		actions["bring out"] = w.bringOut
	}
	t.Repeat(actions)
	w.bringOutAll(t)
	return w.done
}

// Done counts what a World came to, so that a test can tell that it did.
type Done struct {
	Peeked  int // how often what an engine kept was compared with what is loaded
	Erased  int // contacts, and those merged into them
	Pruned  int // conversations whose texts were removed
	Removed int // conversations
	Held    int // conversations that were needed still
	Failed  int // how often the receiver of the relay was away
}

// Add adds up.
func (d *Done) Add(more Done) {
	d.Peeked, d.Erased, d.Pruned = d.Peeked+more.Peeked, d.Erased+more.Erased, d.Pruned+more.Pruned
	d.Removed, d.Held, d.Failed = d.Removed+more.Removed, d.Held+more.Held, d.Failed+more.Failed
}

// World is a store, an engine and a clock in the hands of a property, and what it remembers of
// them.
type World struct {
	Policies map[string]*convo.Policy // by workspace

	t         *rapid.T
	store     convo.Store
	engine    *scenario.Recorder
	engines   []*convo.Engine
	spoken    convo.Ref
	done      Done
	now       time.Time
	lastID    uuid.UUID
	taken     int
	steady    bool               // the policies never change
	retention convo.Retention    // what prune goes by
	gaps      bool               // it has removed conversations, and versions of contacts with them
	outbox    *outbox            // nil: there is none
	ids       map[uuid.UUID]bool // of all events
	observed  []convo.Event      // by the last call
	keyed     []keyedCall
	last      picture
	met       []convo.Ref // contacts of results, which no address may lead to any more
}

// keyedCall is a call that carried a key and was done.
type keyedCall struct {
	to     convo.Ref
	cmds   []convo.Command
	result convo.Result
}

// Workspaces are those of a World.
var Workspaces = []string{"acme", "beta"}

var (
	contacts  = []string{"susan", "riya", "guest"}
	addresses = []convo.Address{
		{Channel: "whatsapp", Value: "+49"}, {Channel: "email", Value: "s@example.com"},
	}
	channels = []string{"", "whatsapp", "email"}
)

// New is a World with an engine for each of the options, or one, on an empty store.
func New(t *rapid.T, s convo.Store, engines ...convo.Option) *World {
	w := &World{
		store: s, now: time.Date(2026, 3, 2, 9, 0, 0, 0,
			time.UTC), ids: map[uuid.UUID]bool{},
		Policies: map[string]*convo.Policy{}, t: t,
	}
	w.steady = rapid.Bool().Draw(t, "steady policies")
	w.retention = drawRetention(t)
	for _, name := range Workspaces {
		w.Policies[name] = drawPolicy(t)
		if len(engines) > 1 && !Rarely(t, "timers", 4) {
			w.Policies[name].Deadlines, w.Policies[name].AutoClose = nil, convo.AutoClose{}
		}
	}
	if engines == nil {
		engines = []convo.Option{convo.WithKept(0)}
	}
	for _, own := range engines {
		engine, err := convo.New(w.store, own,
			convo.WithClock(w), convo.WithRetries(3),
			convo.WithIDs(w.newID),
			convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
				return w.Policies[of.Workspace], nil
			}),
			convo.WithObserver(func(_ context.Context, events []convo.Event) {
				w.observed = append(w.observed, events...)
			}),
		)
		require.NoError(t, err)
		w.engines = append(w.engines, engine)
	}
	w.engine = &scenario.Recorder{Engine: w.engines[0], Clock: w}
	for _, name := range Workspaces {
		w.engine.Script.Policy(name, *w.Policies[name])
	}
	w.last = w.look(t)
	return w
}

// Now makes the world its engine's clock.
func (w *World) Now() time.Time { return w.now }

// newID gives ids in any order, some of them with many others before the next round number.
func (w *World) newID() uuid.UUID {
	w.taken++
	w.lastID = uuid.UUID{rapid.Byte().Draw(w.t, "id"), byte(w.taken >> 8), byte(w.taken), 6: 0x70,
		8: 0x80}
	if w.taken%5 == 0 {
		copy(w.lastID[9:], "\xff\xff\xff\xff\xff\xff\xfe")
	}
	return w.lastID
}

// otherEngine has the next call made by any of the engines.
func (w *World) otherEngine(t *rapid.T) {
	if len(w.engines) > 1 {
		w.engine.Engine = Pick(t, "engine", w.engines...)
	}
}

// PrintScript prints what a failing property did as a scenario: put it into a file of
// testdata/scenarios, and TestScenarios runs it.
func PrintScript(t *rapid.T, r *scenario.Recorder) {
	if t.Failed() {
		t.Logf("as a scenario:\n\n%s", r.String())
	}
}

// Pick draws one of from.
func Pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

// Rarely is true once in n times, and false for what a failing case is shrunk to.
func Rarely(t *rapid.T, label string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}
