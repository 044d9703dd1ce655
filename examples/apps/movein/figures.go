package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"golang.org/x/exp/stats"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
)

// figures are what the log comes to.
type figures struct {
	eventlog.Tally
	*measured // nil of a database, which examples/apps/report asks
}

// measured is read from the library.
type measured struct {
	// StillOpen and StillPending are the cases that the log does not close.
	StillOpen    int `json:"still_open"`
	StillPending int `json:"still_pending"`
	// Of all closings, in seconds.
	Resolution     spread `json:"resolution_seconds"`
	WithoutPending spread `json:"resolution_without_pending_seconds"`
}

// spread is rounded to milliseconds; all zero when nothing was measured.
type spread struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
}

// measure reads from the library what the import made of the log.
func measure(
	ctx context.Context, engine *convo.Engine, workspace string, t eventlog.Tally,
) (figures, error) {
	f := figures{t, &measured{}}
	var resolution, withoutPending []float64
	filter := convo.Filter{Workspace: workspace, Limit: convo.MaxPageSize}
	for {
		page, err := engine.Conversations(ctx, filter)
		if err != nil {
			return figures{}, err
		}
		for _, c := range page {
			switch c.Status {
			case convo.StatusOpen:
				f.StillOpen++
			case convo.StatusPending:
				f.StillPending++
			}
			cycles, err := engine.Cycles(ctx, convo.ToConversation(workspace, c.ID))
			if err != nil {
				return figures{}, err
			}
			for _, cycle := range cycles {
				if d, closed := cycle.ResolutionTime(); closed {
					active, _ := cycle.ActiveResolutionTime()
					resolution = append(resolution, d.Seconds())
					withoutPending = append(withoutPending, active.Seconds())
				}
			}
		}
		if len(page) < filter.Limit {
			break
		}
		filter.After = filter.Cursor(page[len(page)-1])
	}
	f.Resolution, f.WithoutPending = spreadOf(resolution), spreadOf(withoutPending)
	return f, nil
}

func spreadOf(seconds []float64) spread {
	if len(seconds) == 0 {
		return spread{}
	}
	q := stats.Quantiles(seconds, 0.5, 0.9)
	milli := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	return spread{milli(stats.Mean(seconds)), milli(q[0]), milli(q[1])}
}

// write writes f as JSON or as text.
func (f figures) write(out io.Writer, asJSON bool) error {
	if !asJSON {
		return f.print(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(f)
}

// print writes f as aligned text, with a summary in one line at its end.
func (f figures) print(out io.Writer) error {
	w := bufio.NewWriter(out)
	count := func(name string, n int) { fmt.Fprintf(w, "%-18s %9d\n", name, n) }
	count("rows", f.Rows)
	count("  applied", f.Applied)
	count("  unchanged", f.Unchanged)
	count("  ignored closings", f.IgnoredClosings)
	if f.Repeated > 0 {
		count("  repeated", f.Repeated)
	}
	if f.NotImported > 0 {
		count("  not imported", f.NotImported)
	}
	if f.Open > 0 {
		count("  not ended", f.Open)
	}
	count("cases", f.Cases)
	if len(f.Unmapped) > 0 {
		fmt.Fprintln(w, "activities that the mapping does not name")
		for _, activity := range slices.Sorted(maps.Keys(f.Unmapped)) {
			fmt.Fprintf(w, "  %-21s %4d\n", activity, f.Unmapped[activity])
		}
	}
	opened, reopened, closed, pended := f.Events[convo.ConversationOpened],
		f.Events[convo.ConversationReopened],
		f.Events[convo.ConversationClosed], f.Events[convo.ConversationPending]
	count("opened", opened)
	count("reopened", reopened)
	count("closed", closed)
	count("pending", pended)
	if f.measured != nil {
		count("still open", f.StillOpen)
		count("still pending", f.StillPending)
	}
	if closed > 0 && f.measured != nil {
		fmt.Fprintln(w)
		printLine(w, "resolution time", "mean", "median", "p90")
		f.Resolution.print(w, "  in all")
		f.WithoutPending.print(w, "  without pending")
	}
	for _, left := range f.Left {
		fmt.Fprintln(w, left)
	}
	fmt.Fprintf(w, "\n%d opened, %d reopened, %d closed, %d times pending", opened, reopened,
		closed, pended)
	if closed > 0 && f.measured != nil {
		fmt.Fprintf(w, "; median resolution time %s", human(f.Resolution.Median))
	}
	fmt.Fprintln(w, ".")
	return w.Flush()
}

func (s spread) print(w io.Writer, name string) {
	exact := func(seconds float64) string { return strconv.FormatFloat(seconds, 'f', -1, 64) }
	printLine(w, name, human(s.Mean), human(s.Median), human(s.P90))
	printLine(w, "    in seconds", exact(s.Mean), exact(s.Median), exact(s.P90))
}

func printLine(w io.Writer, name, mean, median, p90 string) {
	fmt.Fprintf(w, "%-18s %14s %14s %14s\n", name, mean, median, p90)
}

// human is the two largest units of a duration, cut off below.
func human(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
