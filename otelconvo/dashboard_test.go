package otelconvo_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"

	"github.com/chatlifecycle/convo/otelconvo"
)

// dashboard is what Grafana reads, as far as it names metrics.
type dashboard struct {
	Title  string
	Panels []struct {
		ID      int
		Type    string
		Title   string
		Targets []struct {
			Expr         string
			LegendFormat string
		}
	}
	Templating struct {
		List []struct{ Query any }
	}
}

var (
	matchers  = regexp.MustCompile(`\{[^}]*\}`)
	groups    = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
	ofMatcher = regexp.MustCompile(`(\w+) *(?:=~|!~|!=|=)`)
	ofConvo   = regexp.MustCompile(`\bconvo_\w+`)
	ofLegend  = regexp.MustCompile(`\{\{(\w+)\}\}`)
)

// exported are the series that Prometheus has of what is measured, and the metric of each.
func exported(t *testing.T) map[string]string {
	t.Helper()
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	of := map[string]string{}
	for _, m := range otelconvo.Metrics() {
		kind := map[otelconvo.Kind]otlptranslator.MetricType{
			otelconvo.Counter:   otlptranslator.MetricTypeMonotonicCounter,
			otelconvo.Gauge:     otlptranslator.MetricTypeGauge,
			otelconvo.Histogram: otlptranslator.MetricTypeHistogram,
		}[m.Kind]
		name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
		require.NoError(t, err)
		if m.Kind != otelconvo.Histogram {
			of[name] = m.Name
			continue
		}
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			of[name+suffix] = m.Name
		}
	}
	return of
}

// labels are those that Prometheus has of what is measured.
func labels(t *testing.T) []string {
	t.Helper()
	all := []string{"job", "le"}
	var namer otlptranslator.LabelNamer
	for _, key := range []attribute.Key{
		otelconvo.CallKey, otelconvo.CommandKey, otelconvo.OutcomeKey, otelconvo.ResultKey,
		otelconvo.JobKey, "error.type",
	} {
		name, err := namer.Build(string(key))
		require.NoError(t, err)
		all = append(all, name)
	}
	return all
}

func TestTheDashboardShowsEachMetricAndNoOther(t *testing.T) {
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(text, &d))
	of, known := exported(t), labels(t)
	shown, ids := map[string]bool{}, map[int]bool{}
	uses := func(where, expr string) {
		t.Helper()
		plain := matchers.ReplaceAllString(groups.ReplaceAllString(expr, ""), "")
		names := ofConvo.FindAllString(plain, -1)
		assert.NotEmpty(t, names, "%s: %s", where, expr)
		for _, name := range names {
			assert.Contains(t, of, name, "%s: %s", where, expr)
			shown[of[name]] = true
		}
	}
	for _, v := range d.Templating.List {
		if q, ok := v.Query.(map[string]any); ok {
			uses("a variable", q["query"].(string))
		}
	}
	shown = map[string]bool{} // a variable shows none
	for _, p := range d.Panels {
		assert.False(t, ids[p.ID], "two panels have the id %d", p.ID)
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		assert.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			uses(p.Title, target.Expr)
			var named []string
			for _, group := range groups.FindAllStringSubmatch(target.Expr, -1) {
				named = append(named, strings.Split(group[1], ", ")...)
			}
			grouped := slices.Clone(named)
			for _, m := range matchers.FindAllString(target.Expr, -1) {
				for _, label := range ofMatcher.FindAllStringSubmatch(m, -1) {
					named = append(named, label[1])
				}
			}
			for _, label := range named {
				assert.Contains(t, known, label, "%s: %s", p.Title, target.Expr)
			}
			for _, label := range ofLegend.FindAllStringSubmatch(target.LegendFormat, -1) {
				assert.Contains(t, grouped, label[1], "%s: what it is not grouped by", p.Title)
			}
		}
	}
	for _, m := range otelconvo.Metrics() {
		assert.True(t, shown[m.Name], "%s is in no panel", m.Name)
	}
}
