package main

import (
	"fmt"
	"strings"

	"github.com/chatlifecycle/convo/bench/internal/figure"
)

const head = `| engine | what | callers | convo | by hand | ratio ` +
	"| µs of processors, client + server | ratio | round trips |\n" +
	"|---|---|--:|--:|---|--:|---|--:|---|\n"

// line is what the long table says of convo against one floor.
func (e *engine) line(all figure.All, w *work, callers int, floor string) string {
	name := e.on(w, callers)
	perSecond := func(impl string) float64 {
		v, _ := all.Median(name, impl, figure.Wall)
		return 1e9 / v
	}
	processors := func(impl string) string {
		server, ok := all.Median(name, impl, figure.Server)
		if !ok {
			sum, _ := all.Median(name, impl, figure.CPU)
			return fmt.Sprintf("%.0f", sum/1000)
		}
		client, _ := all.Median(name, impl, figure.Client)
		return fmt.Sprintf("%.0f + %.0f", client/1000, server/1000)
	}
	wall, _ := all.Ratio(name, floor, "convo", figure.Wall)
	cpu, _ := all.Ratio(name, floor, "convo", figure.CPU)
	return fmt.Sprintf("| %s | %s | %d | %.0f/s | %s, %.0f/s | %.2f | %s : %s | %.2f | %s |",
		e.name, w.what, callers, perSecond("convo"), floor, perSecond(floor), wall,
		processors("convo"), processors(floor), cpu, trips(all, e.id, w, floor))
}

// trips are the round trips of convo and a floor.
func trips(all figure.All, engine string, w *work, floor string) string {
	name := figure.Case(w.name, "engine", engine, "callers", 1)
	of, ok := all.Median(name, floor, figure.Trips)
	if !ok {
		return ""
	}
	its, _ := all.Median(name, "convo", figure.Trips)
	return fmt.Sprintf("%.1f : %.1f", its, of)
}

// comparisons are the two tables of docs/performance.md, and the columns of each.
var comparisons = []struct {
	server  bool
	columns []struct{ head, engine, floor string }
}{
	{false, []struct{ head, engine, floor string }{
		{"SQLite NORMAL: transaction", "sqlite-normal", oneTransaction},
		{"fair", "sqlite-normal", fairFloor},
		{"SQLite FULL: transaction", "sqlite-full", oneTransaction},
		{"fair", "sqlite-full", fairFloor},
	}},
	{true, []struct{ head, engine, floor string }{
		{"PostgreSQL: tx5", "postgresql", tx5},
		{"CTE", "postgresql", readCTE},
		{"fair", "postgresql", fairFloor},
		{"MariaDB: tx5", "mariadb", tx5},
		{"block", "mariadb", readBlock},
		{"fair", "mariadb", fairFloor},
	}},
}

// comparisonTables have how many times as fast as each floor convo is, and in brackets how many
// times its processor time the floor takes.
func comparisonTables(all figure.All) string {
	var b strings.Builder
	for i, t := range comparisons {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("| what | callers |")
		for _, c := range t.columns {
			b.WriteString(" " + c.head + " |")
		}
		b.WriteString("\n|---|--:|" + strings.Repeat("--:|", len(t.columns)) + "\n")
		for _, w := range works() {
			what := w.what
			for _, n := range w.by(t.server, false) {
				fmt.Fprintf(&b, "| %s | %d |", what, n)
				for _, c := range t.columns {
					name := figure.Case(w.name, "engine", c.engine, "callers", n)
					b.WriteString(" " + all.Cell(name, c.floor) + " |")
				}
				b.WriteByte('\n')
				what = ""
			}
		}
		for _, w := range works() {
			if !t.server || !w.count || w.main == nil {
				continue
			}
			b.WriteString("| round trips: " + w.what + " | |")
			for _, c := range t.columns {
				b.WriteString(" " + trips(all, c.engine, &w, c.floor) + " |")
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
