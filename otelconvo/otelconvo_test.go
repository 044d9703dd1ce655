package otelconvo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/otelconvo"
	"github.com/chatlifecycle/convo/relay"
)

const body = "what nobody else may read"

var (
	bob   = convo.ToContact("acme", "bob")
	ana   = convo.ByUser("ana")
	hello = convo.Receive{Channel: "chat", Body: body}
)

// store is one that locks, fails and has rollups as it is told.
type store struct {
	*memstore.Store
	fails  []error // of commits
	loads  error
	unwell error
}

func (s *store) LockFirst() bool { return true }

func (s *store) IsLocked(_ context.Context) bool { return false }

func (s *store) Locked(
	ctx context.Context, _ string, f func(context.Context) error,
) error {
	return f(ctx)
}

func (s *store) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	if s.loads != nil {
		return convo.Snapshot{}, s.loads
	}
	return s.Store.Load(ctx, to)
}

func (s *store) Commit(ctx context.Context, changes ...convo.Change) error {
	if len(s.fails) > 0 {
		err := s.fails[0]
		s.fails = s.fails[1:]
		return err
	}
	return s.Store.Commit(ctx, changes...)
}

func (s *store) RollupBacklog(context.Context) (int, error) { return 7, s.unwell }

// world is an engine and a relay that tell the SDK.
type world struct {
	*testing.T
	store     *store
	engine    *convo.Engine
	relay     *relay.Relay
	telemetry *otelconvo.Telemetry
	tracers   *sdktrace.TracerProvider
	spans     *tracetest.InMemoryExporter
	reader    *metric.ManualReader
	now       time.Time
	publish   error
}

func (w *world) Now() time.Time { return w.now }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		T: t, store: &store{Store: memstore.New(memstore.WithOutbox())}, now: time.Now(),
		spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader(),
	}
	w.tracers = sdktrace.NewTracerProvider(sdktrace.WithSyncer(w.spans))
	var err error
	w.telemetry, err = otelconvo.New(otelconvo.WithTracerProvider(w.tracers),
		otelconvo.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(w.reader))))
	require.NoError(t, err)
	w.engine, err = convo.New(w.store, w.telemetry.Engine(), convo.WithClock(w))
	require.NoError(t, err)
	w.relay, err = relay.New(w.store, relay.To("crm",
		relay.PublisherFunc(func(context.Context, *convo.Event) error { return w.publish })),
		w.telemetry.Relay(), relay.WithClock(w), relay.WithBackoff())
	require.NoError(t, err)
	return w
}

func (w *world) do(to convo.Ref, cmds ...convo.Command) {
	w.Helper()
	_, err := w.engine.Do(w.Context(), to, cmds...)
	require.NoError(w, err)
}

// span is the last one that has ended.
func (w *world) span() tracetest.SpanStub {
	w.Helper()
	all := w.spans.GetSpans()
	require.NotEmpty(w, all)
	return all[len(all)-1]
}

// metrics are what is collected now, by name.
func (w *world) metrics() map[string]metricdata.Metrics {
	w.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(w, w.reader.Collect(w.Context(), &all))
	by := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		require.Equal(w, otelconvo.Scope, scope.Scope.Name)
		for _, m := range scope.Metrics {
			by[m.Name] = m
		}
	}
	return by
}

// values are the numbers of a metric by its attributes; of a histogram, how many there are.
func values(m metricdata.Metrics) map[string]float64 {
	by := map[string]float64{}
	add := func(of attribute.Set, v float64) { by[of.Encoded(attribute.DefaultEncoder())] = v }
	switch d := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes, float64(p.Count))
		}
	}
	return by
}

func TestACallIsASpan(t *testing.T) {
	w := newWorld(t)
	ctx, parent := w.tracers.Tracer("host").Start(t.Context(), "webhook")
	var under trace.SpanContext
	e, err := convo.New(w.store, w.telemetry.Engine(),
		convo.WithObserver(func(ctx context.Context, _ []convo.Event) {
			under = trace.SpanContextFromContext(ctx)
		}))
	require.NoError(t, err)
	w.store.fails = []error{convo.ErrConflict}
	_, err = e.Do(ctx, bob, hello, convo.Assign{By: ana, Assignee: "ana"})
	require.NoError(t, err)
	s := w.span()
	assert.Equal(t, "convo do receive", s.Name)
	assert.Equal(t, parent.SpanContext().SpanID(), s.Parent.SpanID())
	assert.Equal(t, s.SpanContext.SpanID(), under.SpanID(), "what observers do is in it")
	assert.Equal(t, codes.Unset, s.Status.Code)
	about := attribute.NewSet(s.Attributes...)
	for key, want := range map[attribute.Key]any{
		otelconvo.CallKey: "do", otelconvo.CommandKey: "receive", otelconvo.CommandsKey: int64(2),
		otelconvo.WorkspaceKey: "acme", otelconvo.OutcomeKey: "assigned",
		otelconvo.RetriesKey: int64(1), otelconvo.LockedKey: true,
	} {
		got, ok := about.Value(key)
		assert.True(t, ok, key)
		assert.Equal(t, want, got.AsInterface(), key)
	}
	assert.True(t, about.HasValue(otelconvo.WaitedKey))
	assert.False(t, about.HasValue("error.type"))
}

func TestWhatWasRefusedIsNoErrorOfTheSpan(t *testing.T) {
	w := newWorld(t)
	_, err := w.engine.Do(t.Context(), bob, convo.Close{By: ana})
	require.ErrorIs(t, err, convo.ErrNotActive)
	s := w.span()
	assert.Equal(t, codes.Unset, s.Status.Code)
	assert.Contains(t, s.Attributes, attribute.String("error.type", "not_active"))

	w.store.loads = errors.New("SELECT failed: " + body)
	_, err = w.engine.Do(t.Context(), bob, hello)
	require.Error(t, err)
	s = w.span()
	assert.Equal(t, codes.Error, s.Status.Code)
	assert.Equal(t, "other", s.Status.Description)
	assert.Contains(t, s.Attributes, attribute.String("error.type", "_OTHER"))
	assert.Equal(t, map[string]float64{
		"convo.call=do,convo.command=close,error.type=not_active": 1,
		"convo.call=do,convo.command=receive,error.type=_OTHER":   1,
	}, values(w.metrics()["convo.call.duration"]))
}

// everything has each metric be something.
func (w *world) everything() {
	w.Helper()
	w.store.fails = []error{convo.ErrConflict}
	w.do(bob, hello, convo.SetPending{By: ana, Until: w.now.Add(time.Minute)})
	_, err := w.relay.Once(w.Context())
	require.NoError(w, err)
	w.now = w.now.Add(90 * time.Second)
	n, err := w.engine.Tick(w.Context(), 0)
	require.NoError(w, err)
	require.Equal(w, 1, n)
	w.publish = errors.New(body)
	_, err = w.relay.Once(w.Context())
	require.NoError(w, err)
	w.telemetry.Job(relay.JobRun{Job: "tick", Took: time.Second})
	w.telemetry.Job(relay.JobRun{Job: "relay", Took: time.Second, Err: errors.New(body)})
}

func TestWhatIsMeasuredIsWhatHappened(t *testing.T) {
	w := newWorld(t)
	stop, err := w.telemetry.Health(w.store)
	require.NoError(t, err)
	w.everything()
	w.do(bob, convo.Note{By: ana, Body: body})
	got := w.metrics()
	for name, want := range map[string]map[string]float64{
		"convo.call.duration": {
			"convo.call=do,convo.command=receive,convo.outcome=pending": 1,
			"convo.call=do,convo.command=note,convo.outcome=recorded":   1,
			"convo.call=tick": 1,
		},
		"convo.call.retries": {"convo.call=do,convo.command=receive": 1},
		"convo.call.locked": {
			"convo.call=do,convo.command=receive": 1, "convo.call=do,convo.command=note": 1,
		},
		"convo.timer.handled":       {"convo.result=done": 1},
		"convo.timer.lateness":      {"": 1},
		"convo.timer.lag":           {"": 0},
		"convo.relay.events":        {"convo.result=sent": 3, "convo.result=dead": 1},
		"convo.relay.queues":        {"convo.result=failed": 1},
		"convo.relay.delay":         {"": 1},
		"convo.job.duration":        {"convo.job=tick": 1, "convo.job=relay,error.type=_OTHER": 1},
		"convo.store.reachable":     {"": 1},
		"convo.outbox.notes":        {"": 1},
		"convo.outbox.queues":       {"": 0},
		"convo.outbox.failed":       {"": 0},
		"convo.outbox.dead_letters": {"": 1},
		"convo.rollup.backlog":      {"": 7},
	} {
		assert.Equal(t, want, values(got[name]), name)
	}
	assert.InDelta(t, 30, got["convo.timer.lateness"].Data.(metricdata.Histogram[float64]).
		DataPoints[0].Sum, 1e-3)
	text := fmt.Sprint(got, w.spans.GetSpans())
	assert.NotContains(t, text, body, "nothing that anybody has said")
	assert.NotContains(t, text, "bob", "nor who it is")

	w.store.unwell = errors.New("gone")
	got = w.metrics()
	assert.Equal(t, map[string]float64{"": 0}, values(got["convo.store.reachable"]))
	assert.Empty(t, values(got["convo.outbox.dead_letters"]), "nobody knows")
	require.NoError(t, stop())
	assert.NotContains(t, w.metrics(), "convo.store.reachable")
}

func TestMetricsAreThoseThatAreExported(t *testing.T) {
	w := newWorld(t)
	_, err := w.telemetry.Health(w.store)
	require.NoError(t, err)
	w.everything()
	got := w.metrics()
	guide, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	for _, m := range otelconvo.Metrics() {
		of, ok := got[m.Name]
		require.True(t, ok, "%s is not measured", m.Name)
		assert.Equal(t, m.Unit, of.Unit, m.Name)
		assert.Equal(t, m.What, of.Description, m.Name)
		kind, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", of.Data), "metricdata."), "[")
		assert.Equal(t, map[otelconvo.Kind]string{
			otelconvo.Counter: "Sum", otelconvo.Gauge: "Gauge", otelconvo.Histogram: "Histogram",
		}[m.Kind], kind, m.Name)
		unit := m.Unit
		if unit != "" {
			unit = "`" + unit + "`"
		}
		assert.Contains(t, string(guide),
			fmt.Sprintf("\n| `%s` | %s | %s | %s |\n", m.Name, m.Kind, unit, m.What))
		delete(got, m.Name)
	}
	assert.Empty(t, got, "Metrics does not name them")
}

func TestATelemetryNeedsItsProviders(t *testing.T) {
	_, err := otelconvo.New(otelconvo.WithTracerProvider(nil))
	require.Error(t, err)
	_, err = otelconvo.New(otelconvo.WithMeterProvider(nil))
	require.Error(t, err)
	_, err = otelconvo.New() // the global ones, which do nothing until they are set
	require.NoError(t, err)
}
