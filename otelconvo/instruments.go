package otelconvo

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// Metric is what is measured.
type Metric struct {
	Name string
	Unit string // of UCUM; in braces, what is counted
	Kind Kind
	What string // what it says, and by which attributes
}

// Kind is the kind of an instrument.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// The names of metrics.
const (
	callDuration  = "convo.call.duration"
	callRetries   = "convo.call.retries"
	callLocked    = "convo.call.locked"
	callWaited    = "convo.call.waited"
	timerHandled  = "convo.timer.handled"
	timerLateness = "convo.timer.lateness"
	timerLag      = "convo.timer.lag"
	relayEvents   = "convo.relay.events"
	relayQueues   = "convo.relay.queues"
	relayDelay    = "convo.relay.delay"
	jobDuration   = "convo.job.duration"
	reachable     = "convo.store.reachable"
	outboxNotes   = "convo.outbox.notes"
	outboxQueued  = "convo.outbox.queues"
	outboxFailed  = "convo.outbox.failed"
	outboxDead    = "convo.outbox.dead_letters"
	outboxOldest  = "convo.outbox.oldest.age"
	rollupBacklog = "convo.rollup.backlog"
)

// Metrics are all that this package measures.
func Metrics() []Metric {
	return []Metric{
		{callDuration, "s", Histogram, "what a call took, until it returned; by `convo.call`, " +
			"`convo.command`, `convo.outcome` and, of those that failed, `error.type`"},
		{callRetries, "{retry}", Counter, "tries after the first; by `convo.call`, " +
			"`convo.command`"},
		{callLocked, "{call}", Counter, "calls under the store's lock; by the same"},
		{callWaited, "s", Counter, "what calls waited for their turn and for the lock to begin; " +
			"by the same"},
		{timerHandled, "{conversation}", Counter, "changes that timers made, hints that were " +
			"moved and conversations that failed, by `convo.result`: `done`, `moved`, `failed`"},
		{timerLateness, "s", Histogram, "how late the latest thing was that a Tick did"},
		{timerLag, "s", Gauge, "how long the earliest timer is overdue now"},
		{relayEvents, "{event}", Counter, "by `convo.result`: `sent`, `dead`"},
		{relayQueues, "{queue}", Counter, "by `convo.result`: `failed`, and `lost`, whose lease " +
			"had expired"},
		{relayDelay, "s", Histogram, "from an event to its sending, the longest of a round"},
		{jobDuration, "s", Histogram, "what a job of a Runner took; by `convo.job`, " +
			"`error.type`"},
		{reachable, "", Gauge, "1 when the store answers, else 0"},
		{outboxNotes, "{note}", Gauge, "notes that no relay has seen yet"},
		{outboxQueued, "{queue}", Gauge, "queues that wait, one for each stream and target"},
		{outboxFailed, "{queue}", Gauge, "those of them whose last try failed"},
		{outboxDead, "{event}", Gauge, "dead letters"},
		{outboxOldest, "s", Gauge, "the age of the oldest event that was not sent"},
		{rollupBacklog, "{conversation}", Gauge, "conversations that wait for a rollup, as far " +
			"as the store counts"},
	}
}

// instruments are those of Metrics.
type instruments struct {
	calls, lateness, delay, jobs            metric.Float64Histogram
	retries, locked, timers, events, queues metric.Int64Counter
	waited                                  metric.Float64Counter
	waiting                                 waiting
}

// waiting are the instruments of Health.
type waiting struct {
	reachable, rollups, notes, queued, failed, dead metric.Int64ObservableGauge
	timerLag, oldest                                metric.Float64ObservableGauge
}

var (
	// short are the bounds of what takes a moment, in seconds; long of what may take hours.
	short = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	long  = []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400}
)

// make makes all instruments.
func (i *instruments) make(m metric.Meter) error {
	units, what := map[string]metric.InstrumentOption{}, map[string]metric.InstrumentOption{}
	for _, x := range Metrics() {
		units[x.Name], what[x.Name] = metric.WithUnit(x.Unit), metric.WithDescription(x.What)
	}
	var errs []error
	seconds := func(name string, bounds []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, units[name],
			what[name],
			metric.WithExplicitBucketBoundaries(bounds...))
		errs = append(errs, err)
		return h
	}
	counter := func(name string) metric.Int64Counter {
		c, err := m.Int64Counter(name, units[name],
			what[name])
		errs = append(errs, err)
		return c
	}
	number := func(name string) metric.Int64ObservableGauge {
		g, err := m.Int64ObservableGauge(name, units[name],
			what[name])
		errs = append(errs, err)
		return g
	}
	age := func(name string) metric.Float64ObservableGauge {
		g, err := m.Float64ObservableGauge(name, units[name],
			what[name])
		errs = append(errs, err)
		return g
	}
	*i = instruments{
		calls: seconds(callDuration, short), lateness: seconds(timerLateness, long),
		delay: seconds(relayDelay, long), jobs: seconds(jobDuration, short),
		retries: counter(callRetries), locked: counter(callLocked), timers: counter(timerHandled),
		events: counter(relayEvents), queues: counter(relayQueues),
		waiting: waiting{
			reachable: number(reachable), rollups: number(rollupBacklog),
			notes: number(outboxNotes), queued: number(outboxQueued),
			failed: number(outboxFailed), dead: number(outboxDead),
			timerLag: age(timerLag), oldest: age(outboxOldest),
		},
	}
	var err error
	i.waited, err = m.Float64Counter(callWaited, units[callWaited],
		what[callWaited])
	return errors.Join(append(errs, err)...)
}
