package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatlifecycle/convo/bench/internal/figure"
)

func TestEveryRowIsOfWhatIsMeasured(t *testing.T) {
	for _, r := range rows {
		if r.work == bytesKept {
			continue
		}
		i := slices.IndexFunc(works, func(w work) bool { return w.name == r.work })
		if i < 0 {
			t.Errorf("nothing is called %s", r.work)
			continue
		}
		for _, name := range []string{r.impl, r.by} {
			if name != "" && !slices.ContainsFunc(works[i].by, func(by impl) bool {
				return by.name == name
			}) {
				t.Errorf("%s has no %s", r.work, name)
			}
		}
	}
}

func TestTheTableHasMediansAndRatios(t *testing.T) {
	measured := func(work, impl string, n int64, allocs float64) figure.Figure {
		values := figure.PerOp(1, time.Duration(n), time.Duration(2*n), 0)
		values[figure.Allocs] = allocs
		return figure.Figure{Case: work, Impl: impl, N: 1, Values: values}
	}
	got := table(figure.All{
		measured("Message", "convo", 100, 1),
		measured("ReceiveAndCloseInMemory", "convo", 300, 9),
		measured("ReceiveAndCloseInMemory", "hand", 200, 7),
	})
	for _, want := range []string{
		"\n| a message into an open conversation | 100 ns, 1 allocs |  |  |\n",
		"\n| receive + close through the Engine, in memory | 300 ns, 9 allocs " +
			"| a typed store by hand, 200 ns | 1.50 (1.50) |\n",
		"\n| a refusal |  |  |  |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// What a maintainer pastes is what the page has.
func TestTheTableIsOfTheShapeOfThePages(t *testing.T) {
	page, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := figure.Shape(table(nil)); !strings.Contains(figure.Shape(string(page)), want) {
		t.Errorf("docs/performance.md has no\n%s: make bench-tables", want)
	}
}
