package relay

import (
	"context"
	"errors"
	"time"

	"github.com/chatlifecycle/convo"
)

// Health is what a probe asks: whether the store answers, and what waits in it. Which numbers are
// too high is the host's business. Nothing in it is of one workspace, or what anybody has said.
type Health struct {
	// Reachable says that the store has answered all that it was asked. What is below it is zero
	// where it has not.
	Reachable bool `json:"reachable"`
	// TimerLagSeconds is how long the earliest timer is overdue; 0 when none is. One that Tick has
	// to put right first counts as well, so a second is nothing; minutes mean that no process ticks
	// ([TickJob]), that some fail ([convo.TickStats].Failed) or are left alone
	// ([convo.WithTickGrace]).
	TimerLagSeconds float64 `json:"timer_lag_seconds"`
	// Outbox is nil where the store keeps none.
	Outbox *OutboxHealth `json:"outbox,omitempty"`
	// RollupBacklog is how many conversations wait for a rollup, as far as the store counts; nil
	// where it has no rollups.
	RollupBacklog *int `json:"rollup_backlog,omitempty"`
}

// OutboxHealth is the [Backlog] of a store.
type OutboxHealth struct {
	Noted       int `json:"noted"`
	Queued      int `json:"queued"`
	Failed      int `json:"failed"`
	DeadLetters int `json:"dead_letters"`
	// OldestSeconds is the age of the oldest event that is neither sent nor a dead letter, of those
	// that were counted; 0 when nothing waits.
	OldestSeconds float64 `json:"oldest_seconds"`
}

// CheckHealth asks store what a probe wants to know at now, in at most four reads that lock
// nothing, and returns the first error, which may name hosts and tables, with what it knew by then.
// How long it may wait, ctx says. What it costs is bounded, whatever there is: an outbox is counted
// as far as [MaxBacklog].
func CheckHealth(ctx context.Context, store convo.Store, now time.Time) (h Health, err error) {
	due, err := store.Due(ctx, convo.DueQuery{Before: now, Limit: 1})
	if err != nil {
		return h, err
	}
	if len(due) > 0 {
		h.TimerLagSeconds = since(due[0].DueAt, now)
	}
	if kept, ok := store.(interface {
		Backlog(ctx context.Context) (Backlog, error)
	}); ok {
		switch b, err := kept.Backlog(ctx); {
		case err == nil:
			h.Outbox = &OutboxHealth{
				Noted: b.Noted, Queued: b.Queued, Failed: b.Failed, DeadLetters: b.Dead,
				OldestSeconds: since(b.Oldest, now),
			}
		case !errors.Is(err, ErrNoOutbox):
			return h, err
		}
	}
	if summed, ok := store.(interface {
		RollupBacklog(ctx context.Context) (int, error)
	}); ok {
		n, err := summed.RollupBacklog(ctx)
		if err != nil {
			return h, err
		}
		h.RollupBacklog = &n
	}
	h.Reachable = true
	return h, nil
}

// since is how long ago a time is, in seconds; 0 for none, and for one that is still to come by the
// clock of whoever asks.
func since(t, now time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(now.Sub(t), 0).Seconds()
}
