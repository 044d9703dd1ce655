package convo

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Engine carries commands to snapshots and their outcomes to a store. It holds no state of its own,
// but for what its timers put off, whose turn it is, and what spares trips ([WithKept]). Nothing
// rests on that: any number of engines, in any number of processes, may work on one store. Calls of
// one engine for the same Ref follow one another; those that wait may be committed together, under
// the context of one of them, and each gets its own answer. It is safe for concurrent use.
type Engine struct {
	store     Store
	policy    Policy
	policies  func(ctx context.Context, of Scope) (*Policy, error)
	clock     interface{ Now() time.Time }
	newID     func() uuid.UUID
	log       *slog.Logger
	observers []func(ctx context.Context, events []Event)
	guards    []guard
	retries   int
	maxMerged int
	tickStats func(TickStats)
	calls     []func(context.Context, Call) (context.Context, func(CallResult))
	grace     time.Duration
	putOff    *putOff
	turns     *turns
	keep      int
	kept      *keptSnapshots

	publishImports bool
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// New makes an Engine on a store. It fails with a *ValidationError for options that cannot be.
func New(s Store, opts ...Option) (*Engine, error) {
	e := &Engine{
		store:   s,
		clock:   systemClock{},
		newID:   func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		log:     slog.New(slog.DiscardHandler),
		retries: 100, maxMerged: DefaultMaxMerged, keep: DefaultKept, putOff: &putOff{},
	}
	for _, o := range opts {
		o(e)
	}
	switch {
	case s == nil:
		return nil, invalid("store", "must not be nil")
	case e.clock == nil:
		return nil, invalid("clock", "must not be nil")
	case e.newID == nil:
		return nil, invalid("ids", "must not be nil")
	case e.log == nil:
		return nil, invalid("logger", "must not be nil")
	case slices.ContainsFunc(e.guards, func(f guard) bool { return f == nil }):
		return nil, invalid("guard", "must not be nil")
	case e.retries < 0:
		return nil, invalid("retries", "must not be negative")
	case e.maxMerged < 1:
		return nil, invalid("max_merged", "must be positive")
	case e.keep < 0:
		return nil, invalid("kept", "must not be negative")
	case e.grace < 0:
		return nil, invalid("tick_grace", "must not be negative")
	}
	if err := e.policy.Validate(); err != nil {
		return nil, err
	}
	e.turns, e.kept = turnsFor(s), keptFor(s, e.keep)
	return e, nil
}

// With is the same engine on another store, meant for one that works in the host's own transaction.
// Because the host decides whether what was written stays, a conflict is not retried and observers
// are not called: the host calls again in a new transaction, after ErrTransactionLost too.
//
// policy, if given, takes the place of WithPolicy and WithPolicies for all lanes and channels: give
// that of the conversation which the call will meet. Look it up before the
// transaction begins ([Engine.Policy]): a policy function that needs a connection of its own while
// the transaction holds one can use up the pool.
func (e *Engine) With(s Store, policy ...*Policy) *Engine {
	w := *e
	w.store, w.retries, w.observers = s, 0, nil
	w.turns = nil // the transaction may hold what another call with a turn waits for
	w.kept = nil  // what it writes may be rolled back
	for _, p := range policy {
		if p != nil {
			w.policy, w.policies = *p, nil
		}
	}
	return &w
}

// Policy is the policy that a call for a conversation in a lane and on a channel goes by, as
// WithPolicies or WithPolicy gives it.
func (e *Engine) Policy(ctx context.Context, of Scope) (*Policy, error) {
	if err := checkID("workspace", of.Workspace); err != nil {
		return nil, err
	}
	if err := checkToken("lane", of.Lane); err != nil {
		return nil, err
	}
	if err := checkToken("channel", of.Channel); err != nil {
		return nil, err
	}
	p, err := e.lookUpPolicy(ctx, of)
	if err != nil {
		return nil, err
	}
	own := *p
	return &own, nil
}

// Result is the answer to Do.
type Result struct {
	// Outcome is that of the last command that changed something; OutcomeUnchanged when none did,
	// OutcomeDuplicate when all was applied by an earlier call.
	Outcome Outcome `json:"outcome"`
	Contact Contact `json:"contact"`
	// Conversation is the one that the last command was about, as it stands after it; of a
	// duplicate, the one that the last command with a key ended in when it was applied, or that the
	// message with its external id is in, as it stands now.
	Conversation Conversation `json:"conversation,omitzero"`
	// Events were written by this call, in order; of a duplicate, those that that command wrote in
	// Conversation.
	Events []Event `json:"events,omitempty"`
}

// Do loads the snapshot of to, decides cmds in order, and commits the outcome once: all of it or
// nothing. An error means that nothing was written, except ErrCommitUnknown.
//
// Errors: *ValidationError (bad input), *StateError (see [Decide]), ErrKeyReused, ErrConflict (the
// retries are used up), ErrCommitUnknown, the context's error, and whatever the store or the policy
// function fails with.
//
// A command with a Key, or a message with an ExternalID, is applied at most once, together with the
// commands without one that follow it (and, for the first such command, those before it). Applied
// again, whatever happened in between, it is left out of the call; when nothing is left, the result
// is the first one's again, with OutcomeDuplicate.
//
// A Key is unique in its workspace, whatever contact it is for. It stands for one request: the Ref
// as it was given, and all fields of these commands. So a repetition must name the same Ref; with
// another one, or another command, it fails with ErrKeyReused, and what was applied first stands:
// what is to be done as well takes a new key. For an ExternalID see [Receive].
func (e *Engine) Do(ctx context.Context, to Ref, cmds ...Command) (Result, error) {
	if err := to.Validate(); err != nil {
		return Result{}, err
	}
	if len(cmds) == 0 {
		return Result{}, invalid("commands", "name at least one")
	}
	c := calls.Get().(*call)
	c.to = to
	return e.do(ctx, c, cmds)
}

// DoFunc is Do of the commands that decide returns when it sees what the store has: to take a
// conversation if nobody has it, say. It is run between load and commit, and again after a
// conflict, so it must be pure; it must not call the store. Its error ends the call, writes
// nothing, and comes back as it is. When it returns no commands, the outcome is OutcomeUnchanged.
//
// A key, of up to 998 bytes, makes the call idempotent whatever decide would return: it is looked
// up before decide runs, and is for this Ref alone. "": none. Keys and external ids of the commands
// hold as with Do. decide sees the contact and the conversation; what an Edit is about is looked up
// after it.
func (e *Engine) DoFunc(
	ctx context.Context, to Ref, key string, decide func(Snapshot) ([]Command, error),
) (Result, error) {
	if err := to.Validate(); err != nil {
		return Result{}, err
	}
	if err := checkKey("key", key); err != nil {
		return Result{}, err
	}
	if decide == nil {
		return Result{}, invalid("decide", "must not be nil")
	}
	c := calls.Get().(*call)
	c.to, c.decide, c.key = to, decide, key
	return e.do(ctx, c, nil)
}

// call is a Do or a DoFunc, with the memory that it works in. The commands are not in it, so that a
// caller's slice of them need not live on the heap.
type call struct {
	to     Ref
	decide func(Snapshot) ([]Command, error) // nil: the commands are given
	key    string                            // of the call as a whole
	// partly: some of what decide returns was applied by an earlier call.
	partly     bool
	known      bool // a kept snapshot was taken, of
	was        seenVersions
	tried      bool  // on a kept snapshot, if there was one
	fromKept   bool  // the snapshot was not loaded just now
	committing bool  // Commit was called
	unknown    bool  // what came of that
	shares     bool  // it has the turn, and others may be decided with it
	done       bool  // with others
	refused    error // by decide
	guarded    error // by a guard: what was applied before is a duplicate nevertheless
	at         time.Time
	id         uuid.UUID
	policies   policyCache
	retries    int

	joined   []*waiting // calls that are decided with this one
	result   *Result    // of this one, where there are such
	snapshot Snapshot   // as it was loaded, and then moved on
	loaded   *Snapshot  // as it was loaded, for guards; nil where there are none
	decider  Decider
	outcome  Outcome
	changes  [1]Change // the argument of Commit
}

// calls is memory for calls: each is some five kilobytes, which would else be copied from one
// function to the next.
var calls = sync.Pool{New: func() any { return new(call) }}

// do carries out a call, gives its memory back, and tells the observers.
func (e *Engine) do(ctx context.Context, c *call, cmds []Command) (Result, error) {
	if len(e.calls) > 0 {
		ctx, c.policies.watched = e.watch(ctx, c.asked(cmds))
	}
	w := c.policies.watched
	defer w.end()
	r, err := e.inTurn(ctx, c, cmds)
	w.done(r.Outcome, c.retries, err)
	*c = call{}
	calls.Put(c)
	if err == nil && r.Outcome != OutcomeDuplicate {
		e.observe(ctx, r.Events)
	}
	return r, err
}

// carryOut tries a call until it is done, or refused.
func (e *Engine) carryOut(ctx context.Context, c *call, cmds []Command) (Result, error) {
	c.at, c.id = e.clock.Now(), e.newID()
	for {
		if c.key != "" {
			if k, contact, known, err := e.callApplied(ctx, c); err != nil {
				return Result{}, err
			} else if known {
				return e.duplicate(ctx, c.to, contact, k)
			}
		}
		var conflict bool
		var err error
		if locker := e.lockerFor(c.retries, &c.policies); locker == nil {
			cmds, conflict, err = e.attempt(ctx, c, cmds)
		} else {
			cmds, conflict, err = e.attemptLocked(ctx, locker, c, cmds)
		}
		c.unknown = errors.Is(err, ErrCommitUnknown) // no sooner: the lock has a commit of its own
		if err == nil {
			ch := &c.changes[0]
			e.kept.keep(&c.snapshot, ch)
			if len(c.joined) > 0 {
				c.done = true
				return *c.result, nil
			}
			return Result{
				c.outcome,
				ch.Contact.Contact,
				ch.Conversation.Conversation,
				ch.Events,
			}, nil
		}
		if c.refused != nil {
			return Result{}, c.refused
		}
		if refused(err) || errors.Is(err, ErrDuplicate) || c.guarded != nil {
			rest, contact, k, kerr := e.alreadyApplied(ctx, c.to, cmds)
			switch {
			case kerr != nil:
				return Result{}, kerr
			case len(rest) == 0 && len(cmds) > 0 && c.key != "":
				err := e.remember(ctx, c, contact, k)
				if err == nil {
					return e.duplicate(ctx, c.to, contact, k)
				}
				if !isConflict(err) {
					return Result{}, err
				}
				if err := e.backoff(ctx, &c.retries, err); err != nil {
					return Result{}, err
				}
				continue // another call may have been faster
			case len(rest) == 0 && len(cmds) > 0:
				return e.duplicate(ctx, c.to, contact, k)
			case len(rest) < len(cmds):
				cmds, c.partly = rest, true
				continue
			}
		}
		if c.guarded != nil {
			return Result{}, c.guarded
		}
		if !conflict {
			return Result{}, err
		}
		if c.retries > 0 {
			e.letGo(c, true) // what is in the way may be in their commands
		}
		if err := e.backoff(ctx, &c.retries, err); err != nil {
			return Result{}, err
		}
	}
}

// lockerFor is the store's lock when the next attempt is to run under it. From the second attempt
// on it is, if the store has one; the first does where writers are serialized anyway. The host's
// policy function never runs under it: an attempt that misses a policy is followed by one without
// the lock.
func (e *Engine) lockerFor(try int, pc *policyCache) Locker {
	locker, ok := e.store.(Locker)
	if !ok || pc.missing || try == 0 && (e.policies != nil || !locker.LockFirst()) {
		pc.missing = false
		return nil
	}
	return locker
}

// attemptLocked is attempt under the store's lock, which what is kept does without.
func (e *Engine) attemptLocked(
	ctx context.Context, locker Locker, c *call, given []Command,
) ([]Command, bool, error) {
	decided, conflict, settled, err := e.onKept(ctx, c, given)
	if settled {
		return decided, conflict, err
	}
	cmds := slices.Clone(given) // the closure moves it to the heap
	conflict, err = underLock(ctx, locker, c.to.Workspace, &c.policies,
		func(ctx context.Context) (conflict bool, err error) {
			cmds, conflict, err = e.attempt(ctx, c, cmds)
			return conflict, err
		})
	return cmds, conflict, err
}

// underLock runs f, one load–decide–commit attempt, under the store's lock, and reports whether it
// lost a race.
func underLock(
	ctx context.Context, locker Locker, workspace string, pc *policyCache,
	f func(context.Context) (conflict bool, err error),
) (conflict bool, err error) {
	pc.locked = true
	defer func() { pc.locked = false }()
	var failed error
	pc.watched.waits()
	err = locker.Locked(ctx, workspace, func(ctx context.Context) error {
		pc.watched.waited(true)
		conflict, failed = f(ctx)
		return failed
	})
	if failed != nil {
		return conflict, failed
	}
	return isConflict(err), err
}

// decideAndCommit is attempt with the snapshot of c.
func (e *Engine) decideAndCommit(
	ctx context.Context, c *call, given []Command,
) (cmds []Command, conflict bool, err error) {
	cmds = given
	s, ch := &c.snapshot, &c.changes[0]
	if c.decide != nil {
		if cmds, err = e.askHost(ctx, c, s); err != nil {
			return cmds, isConflict(err), err
		}
		if len(cmds) == 0 && c.key == "" {
			c.outcome = OutcomeUnchanged
			*ch = Change{
				Contact:      ContactRow{Contact: s.Contact},
				Conversation: ConversationRow{Conversation: s.Conversation},
			}
			return cmds, false, nil
		}
	}
	switch {
	case c.fromKept && !foreseeable(cmds):
		return cmds, false, nil
	case len(cmds) > 0 && !c.fromKept:
		if err = e.withOthers(ctx, s, cmds); err != nil {
			return cmds, isConflict(err), err
		}
	}
	s.Next = c.id
	p, err := e.policyFor(ctx, &c.policies, s, cmds)
	if err != nil {
		return cmds, isConflict(err), err
	}
	if len(e.guards) > 0 {
		c.loaded = new(*s)
	}
	if err = e.decide(c, p, cmds); err != nil {
		return cmds, false, err
	}
	c.decider.Plan(s, ch)
	if err := e.armByItsOwn(ctx, c, p); err != nil {
		return cmds, isConflict(err), err
	}
	if c.key != "" {
		ch.Keys = append(ch.Keys, c.recorded(ch))
	}
	if ch.Empty() || c.fromKept && !ch.byVersions() {
		return cmds, false, nil
	}
	if c.guarded = e.guard(ctx, c.loaded, ch); c.guarded != nil {
		return cmds, false, c.guarded
	}
	c.committing, c.unknown = true, true
	err = e.store.Commit(ctx, c.changes[:]...)
	return cmds, isConflict(err), err
}

// guard asks the host's own rules.
func (e *Engine) guard(ctx context.Context, loaded *Snapshot, ch *Change) error {
	for _, f := range e.guards {
		if err := f(ctx, *loaded, *ch); err != nil {
			return err
		}
	}
	return nil
}

// changePool holds the argument of Commit, which would else be a fresh kilobyte on the heap for
// every call.
var changePool = sync.Pool{New: func() any { return new([1]Change) }}

func (e *Engine) commit(ctx context.Context, ch *Change) error {
	c := changePool.Get().(*[1]Change)
	c[0] = *ch
	err := e.store.Commit(ctx, c[:]...)
	c[0] = Change{}
	changePool.Put(c)
	return err
}

// refused reports whether a command cannot be done, now or at all.
func refused(err error) bool {
	var state *StateError
	var validation *ValidationError
	return errors.As(err, &state) || errors.As(err, &validation)
}

func isConflict(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrActiveExists) ||
		errors.Is(err, ErrDuplicate)
}

// backoff waits before the next try after a conflict: not at all the first time, then a random
// while of up to 1 ms, doubling up to 32 ms. It returns the conflict when the retries are used up.
func (e *Engine) backoff(ctx context.Context, try *int, conflict error) error {
	if *try >= e.retries {
		return conflict
	}
	*try++
	e.log.DebugContext(ctx, "convo: conflict", "try", *try, "error", conflict)
	if *try == 1 {
		return ctx.Err()
	}
	timer := time.NewTimer(rand.N(time.Millisecond << min(*try-2, 5)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (e *Engine) observe(ctx context.Context, events []Event) {
	if len(events) == 0 {
		return
	}
	for _, f := range e.observers {
		f(ctx, events)
	}
}
