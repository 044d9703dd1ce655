package convo

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

type guard = func(ctx context.Context, loaded Snapshot, ch Change) error

// Option sets up an Engine.
type Option func(*Engine)

// Scope is what a policy is looked up by.
type Scope struct {
	Workspace string `json:"workspace"`
	Lane      string `json:"lane,omitempty"`
	Channel   string `json:"channel,omitempty"` // empty where none is known
}

// WithPolicy sets the one policy of all workspaces, lanes and channels. Default: the zero Policy.
func WithPolicy(p Policy) Option { return func(e *Engine) { e.policy = p } }

// WithPolicies looks the policy up for every call: by the lane, and by the channel of the active
// conversation, or, when there is none, of the request. The function must be fast and safe for
// concurrent use; nil means the policy of WithPolicy. It never runs while the store holds a lock
// for the call. Inside the host's own transaction, give the policy with it instead: see
// [Engine.With]. A policy that it has returned is in use, and must not be changed: let it return
// another one, and see [Engine.Rearm].
func WithPolicies(f func(ctx context.Context, of Scope) (*Policy, error)) Option {
	return func(e *Engine) { e.policies = f }
}

// WithClock sets the clock. Default: the system's. It is read once per call.
func WithClock(c interface{ Now() time.Time }) Option { return func(e *Engine) { e.clock = c } }

// WithIDs sets the source of ids, one per commit; those of further events count up from it, so a
// plain counter would give ids twice. It must be safe for concurrent use and return random UUIDs,
// version 7 by preference. Default: uuid.NewV7.
func WithIDs(f func() uuid.UUID) Option { return func(e *Engine) { e.newID = f } }

// WithLogger sets where retries, duplicates and timers are logged, at debug level, by ids and never
// by content; and, as warnings, the errors of Ticks of [Engine.Run]. Default: nowhere.
func WithLogger(l *slog.Logger) Option { return func(e *Engine) { e.log = l } }

// WithPublishedImports has the events of [Engine.Import] noted in the store's outbox, if it keeps
// one: what follows them then also sees what happened before the import, as if it were new.
func WithPublishedImports() Option { return func(e *Engine) { e.publishImports = true } }

// WithObserver has f called with the events of every commit after it, in the goroutine of the call
// and before it returns. f must not change the events. What f must not miss belongs into an outbox
// instead, for a process may die between the commit and f: see package relay. A store that embeds
// another one sees every Commit before it is carried out, those of Tick too: see [Locker].
func WithObserver(f func(ctx context.Context, events []Event)) Option {
	return func(e *Engine) { e.observers = append(e.observers, f) }
}

// WithGuard has f called with what every decision of Do, DoFunc, Merge, Unmerge and Tick looked at,
// and with what it is about to write, also in the host's own transaction: for rules of the host's
// own. That may be without events: a timer that is moved, or a key. Merge asks f for either
// contact, and so does Unmerge, with the root as what was loaded. An error of f comes back as it
// is, and nothing is written; of Tick, for one conversation. What was applied before is a
// duplicate, whatever f says. f must be fast and pure, for it is called again after a conflict and
// may hold up a lock; it must not change ch. Import, which is about the past, does not ask it.
func WithGuard(f func(ctx context.Context, loaded Snapshot, ch Change) error) Option {
	return func(e *Engine) { e.guards = append(e.guards, f) }
}

// WithRetries sets how often a call that meets a conflict is tried again before it fails with
// ErrConflict. Default: 100.
func WithRetries(n int) Option { return func(e *Engine) { e.retries = n } }

// WithMaxMerged sets how many active conversations a merge closes or moves, or its undoing moves,
// in one commit. Default: DefaultMaxMerged. More are ErrTooManyActive.
func WithMaxMerged(n int) Option { return func(e *Engine) { e.maxMerged = n } }

// WithKept sets of how many conversations the engine keeps what its last call for them has left, so
// that the next one need not load it: what changes an active conversation and nothing beside it (a
// message, a note, an assignment, a closing) then takes one trip to the store instead of two, by
// whatever Ref, and on SQLite a fifth less of the processor. Default: DefaultKept; 0: none.
//
// What others have changed meanwhile is noticed when it is committed; then it is loaded and decided
// again: what is kept refuses nothing, and leaves nothing undone. That costs up to two trips more;
// so where others have mostly been there, as with calls that come to any of many processes, all is
// loaded first again. Nothing is kept of what is in memory anyway (memstore), nor in the host's own
// transaction. A store of your own that is a [Locker] must heed
// [RowCompared].
//
// Each takes up to 2.6 kB of memory, and its texts (2.6 MB by default). No version may be given
// twice: when a failover has lost commits, or a backup is restored, begin with new engines.
func WithKept(n int) Option { return func(e *Engine) { e.keep = n } }
