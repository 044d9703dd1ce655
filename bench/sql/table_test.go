package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chatlifecycle/convo/bench/internal/figure"
)

// What a maintainer pastes is what the page has.
func TestTheTablesAreOfTheShapeOfThePages(t *testing.T) {
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for table := range strings.SplitSeq(comparisonTables(nil), "\n\n") {
		want := figure.Shape(strings.TrimSpace(table))
		if !strings.Contains(figure.Shape(string(text)), want) {
			t.Errorf("docs/performance.md has no\n%s\n: make bench-tables", want)
		}
	}
}

func measured(name, impl string, took, client, server time.Duration) figure.Figure {
	return figure.Figure{Case: name, Impl: impl, N: 1,
		Values: figure.PerOp(1, took, client, server)}
}

func contains(t *testing.T, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestEachFigureHasItsPlaceInTheTables(t *testing.T) {
	name := "Message/engine=postgresql/callers=32"
	contains(t, comparisonTables(figure.All{
		measured(name, "convo", 100, 50, 50),
		measured(name, tx5, 200, 80, 40),
		measured(name, readCTE, 90, 40, 40),
		measured(name, fairFloor, 150, 50, 60),
		measured("Close/engine=sqlite-full/callers=1", "convo", 100, 40, 0),
		measured("Close/engine=sqlite-full/callers=1", fairFloor, 110, 30, 0),
		{Case: "Close/engine=mariadb/callers=1", Impl: "convo", N: 1,
			Values: map[string]float64{figure.Trips: 1}},
		{Case: "Close/engine=mariadb/callers=1", Impl: readBlock, N: 1,
			Values: map[string]float64{figure.Trips: 2}},
	}),
		"\n|  | 32 | 2.00 (1.20) | 0.90 (0.80) | 1.50 (1.10) |  |  |  |\n",
		"\n| close | 1 |  |  |  | 1.10 (0.75) |\n",
		"\n| round trips: close | |  |  |  |  | 1.0 : 2.0 |  |\n")
}

func TestTheLongTableSaysWhatEachSideDoes(t *testing.T) {
	e := &engine{name: "PostgreSQL", id: "postgresql"}
	w := work{name: "Message", what: "message"}
	ms := time.Millisecond
	got := e.line(figure.All{
		measured(e.on(&w, 8), "convo", ms, ms/2, ms/4),
		measured(e.on(&w, 8), tx5, 2*ms, ms/4, ms/8),
	}, &w, 8, tx5)
	want := "| PostgreSQL | message | 8 | 1000/s | tx5, 500/s | 2.00 | 500 + 250 : 250 + 125 | 0.50 |  |"
	if got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

func TestWhatGrowsIsMarked(t *testing.T) {
	sizes := sizes(20_000)
	var all figure.All
	took := map[string][]time.Duration{ // by the number of conversations
		"Open": {1000, 1200, 1400}, "Due": {1000, 1200, 1600},
	}
	for name, by := range took {
		for i, size := range sizes {
			all = append(all, measured(growthCase(name, "sqlite-normal", size), "convo",
				1000*by[i], 1000*1000, 0))
		}
	}
	contains(t, growthTable(all, "SQLite", "sqlite-normal", sizes, []growingWork{
		{name: "Open", what: "opening"}, {name: "Due", what: "due"},
	}),
		"| SQLite, µs (of processors) | 1000 | 10000 | 20000 | largest ÷ smallest |\n|---|--:|--:|--:|--:|\n",
		"\n| opening | 1000 (1000) | 1200 (1000) | 1400 (1000) | 1.40 (1.00) |\n",
		"\n| due | 1000 (1000) | 1200 (1000) | 1600 (1000) | **1.60 (1.00)** |\n")
}

func TestTicksHaveATable(t *testing.T) {
	f := measured(tickCase("postgresql", 5*time.Millisecond, 4), "convo", time.Millisecond, time.Millisecond, 0)
	f.Values[tickLoads] = 1.25
	contains(t, tickTable(figure.All{f}), "\n| postgresql | 5 | 4 | 1000 | 1000 | 1.25 |\n")
	if tickTable(nil) != "" {
		t.Error("a table of nothing")
	}
}

func TestShardsAreComparedWithAStoreItself(t *testing.T) {
	name := "Hot/engine=postgresql-shards/callers=8"
	got := shardTable(figure.All{
		measured(name, "convo", time.Millisecond, 60*time.Microsecond, 40*time.Microsecond),
		measured(name, overShards(1), 2*time.Millisecond, 60*time.Microsecond, 50*time.Microsecond),
		measured(name, overShards(2), time.Millisecond/2, 100*time.Microsecond, 0),
	}, 2)
	contains(t, got, "| messages into one hot conversation | 8 | 100, 1000/s "+
		"| 1.10 | 0.50 | 1.00 | 2.00 |\n")
	if rows := strings.Count(got, "\n"); rows != 3 {
		t.Errorf("%d lines, though one thing was measured:\n%s", rows, got)
	}
}
