// Package otelconvo has convo tell OpenTelemetry what it does: a span and metrics for each call of
// an engine, metrics of ticks, relays and jobs, and what waits in the store.
//
//	t, err := otelconvo.New() // with the global providers
//	engine, err := convo.New(store, t.Engine())
//	r, err := relay.New(store, targets, t.Relay())
//	stop, err := t.Health(store)
//	runner := relay.Runner{Observe: t.Job, Jobs: …}
//
// Spans and metrics have names, ids of workspaces (spans only) and numbers, and never what anybody
// has said, nor whose contact it is. Errors are told by [convo.Code] alone, for those of a database
// may quote. [Metrics] has the names; dashboard.json shows them in Grafana.
package otelconvo

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// Scope is the name of the tracer and of the meter.
const Scope = "github.com/chatlifecycle/convo/otelconvo"

// The attributes, beside error.type of the semantic conventions, which has [convo.Code], or _OTHER.
const (
	CallKey      = attribute.Key("convo.call")      // convo.CallName
	CommandKey   = attribute.Key("convo.command")   // of a do: its first command
	OutcomeKey   = attribute.Key("convo.outcome")   // convo.Outcome of what succeeded
	ResultKey    = attribute.Key("convo.result")    // of what is counted: done, sent, failed, …
	JobKey       = attribute.Key("convo.job")       // relay.Job.Name
	WorkspaceKey = attribute.Key("convo.workspace") // of spans only, as all below
	CommandsKey  = attribute.Key("convo.commands")  // how many
	RetriesKey   = attribute.Key("convo.retries")
	LockedKey    = attribute.Key("convo.locked")
	WaitedKey    = attribute.Key("convo.waited") // seconds
)

// Telemetry tells OpenTelemetry. Use New. It is safe for concurrent use, for any number of engines,
// relays and runners.
type Telemetry struct {
	tracer trace.Tracer
	meter  metric.Meter
	instruments
}

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

// Option configures a Telemetry.
type Option func(*config)

// WithTracerProvider sets where spans go. Default: the global one, at the time of New.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *config) { c.tracers = p }
}

// WithMeterProvider sets where metrics go. Default: the global one, at the time of New.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *config) { c.meters = p }
}

// New makes a Telemetry. It fails when a provider is nil or refuses an instrument.
func New(opts ...Option) (*Telemetry, error) {
	c := config{otel.GetTracerProvider(), otel.GetMeterProvider()}
	for _, o := range opts {
		o(&c)
	}
	if c.tracers == nil || c.meters == nil {
		return nil, errors.New("otelconvo: a provider must not be nil")
	}
	t := &Telemetry{tracer: c.tracers.Tracer(Scope), meter: c.meters.Meter(Scope)}
	return t, t.make(t.meter)
}

// Engine has an engine make a span of each call that [convo.WithCalls] tells of, under which the
// call goes on, also in the store and in observers; and count it. A refused command is no error of
// the span, but has an error.type.
func (t *Telemetry) Engine() convo.Option {
	return convo.WithCalls(func(ctx context.Context, c convo.Call) (
		context.Context, func(convo.CallResult),
	) {
		about := []attribute.KeyValue{CallKey.String(string(c.Name))}
		name := "convo " + string(c.Name)
		if c.Command != "" {
			name += " " + string(c.Command)
			about = append(about, CommandKey.String(string(c.Command)))
		}
		ctx, span := t.tracer.Start(ctx, name, trace.WithAttributes(about...))
		if c.Workspace != "" {
			span.SetAttributes(WorkspaceKey.String(c.Workspace))
		}
		if c.Commands > 0 {
			span.SetAttributes(CommandsKey.Int(c.Commands))
		}
		return ctx, func(r convo.CallResult) {
			t.called(ctx, span, about, r)
		}
	})
}

// called ends the span of a call, and counts it.
func (t *Telemetry) called(
	ctx context.Context, span trace.Span, about []attribute.KeyValue, r convo.CallResult,
) {
	which := metric.WithAttributes(about...)
	if r.Retries > 0 {
		t.retries.Add(ctx, int64(r.Retries), which)
	}
	if r.Locked {
		t.locked.Add(ctx, 1, which)
	}
	t.waited.Add(ctx, r.Waited.Seconds(), which)
	t.ticked(ctx, &r.Tick)
	if r.Outcome != "" {
		about = append(about, OutcomeKey.String(string(r.Outcome)))
	}
	about = withError(about, r.Err)
	t.calls.Record(ctx, r.Took.Seconds(), metric.WithAttributes(about...))
	span.SetAttributes(about...)
	span.SetAttributes(RetriesKey.Int(r.Retries), LockedKey.Bool(r.Locked),
		WaitedKey.Float64(r.Waited.Seconds()))
	if r.Err != nil && !refused(r.Err) {
		span.SetStatus(codes.Error, convo.Code(r.Err))
	}
	span.End()
}

// refused says that a call failed for what it asked for.
func refused(err error) bool {
	var state *convo.StateError
	return errors.As(err, &state) || errors.Is(err, convo.ErrInvalid) ||
		errors.Is(err, convo.ErrKeyReused)
}

// withError adds the type of an error, if there is one.
func withError(about []attribute.KeyValue, err error) []attribute.KeyValue {
	switch code := convo.Code(err); code {
	case "":
		return about
	case "other":
		return append(about, semconv.ErrorTypeOther)
	default:
		return append(about, semconv.ErrorTypeKey.String(code))
	}
}

// ticked counts what a Tick did; of other calls, nothing.
func (t *Telemetry) ticked(ctx context.Context, s *convo.TickStats) {
	count(ctx, t.timers, "done", s.Done)
	count(ctx, t.timers, "moved", s.Moved)
	count(ctx, t.timers, "failed", s.Failed)
	if s.Done > 0 {
		t.lateness.Record(ctx, s.Late.Seconds())
	}
}

// count adds what there is of a result.
func count(ctx context.Context, to metric.Int64Counter, result string, n int) {
	if n > 0 {
		to.Add(ctx, int64(n), metric.WithAttributes(ResultKey.String(result)))
	}
}

// Relay has a relay count what it sends.
func (t *Telemetry) Relay() relay.Option {
	return relay.WithStats(func(s relay.Stats) {
		ctx := context.Background()
		count(ctx, t.events, "sent", s.Sent)
		count(ctx, t.events, "dead", s.Dead)
		count(ctx, t.queues, "failed", s.Failed)
		count(ctx, t.queues, "lost", s.Lost)
		if s.Sent > 0 {
			t.delay.Record(ctx, s.Delay.Seconds())
		}
	})
}

// Job counts what a job came to. It is the Observe of a [relay.Runner].
func (t *Telemetry) Job(run relay.JobRun) {
	about := withError([]attribute.KeyValue{JobKey.String(run.Job)}, run.Err)
	t.jobs.Record(context.Background(), run.Took.Seconds(), metric.WithAttributes(about...))
}

// healthTimeout is how long a store may take to say what waits in it.
const healthTimeout = 5 * time.Second

// Health has [relay.CheckHealth] of a store asked whenever metrics are collected, which may take it
// five seconds, until stop is called. Have one process do it, or each: all of them say the same.
func (t *Telemetry) Health(store convo.Store) (stop func() error, err error) {
	w := &t.waiting
	of, err := t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, healthTimeout)
		defer cancel()
		h, err := relay.CheckHealth(ctx, store, time.Now())
		if err != nil { // it is told by the number
			o.ObserveInt64(w.reachable, 0)
			return nil // the others are not known
		}
		o.ObserveInt64(w.reachable, 1)
		o.ObserveFloat64(w.timerLag, h.TimerLagSeconds)
		if h.RollupBacklog != nil {
			o.ObserveInt64(w.rollups, int64(*h.RollupBacklog))
		}
		if b := h.Outbox; b != nil {
			o.ObserveInt64(w.notes, int64(b.Noted))
			o.ObserveInt64(w.queued, int64(b.Queued))
			o.ObserveInt64(w.failed, int64(b.Failed))
			o.ObserveInt64(w.dead, int64(b.DeadLetters))
			o.ObserveFloat64(w.oldest, b.OldestSeconds)
		}
		return nil
	}, w.reachable, w.timerLag, w.rollups, w.notes, w.queued, w.failed, w.dead, w.oldest)
	if err != nil {
		return nil, err
	}
	return of.Unregister, nil
}
