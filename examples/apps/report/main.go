// Report asks a store for its reports, and prints them as tables, JSON or CSV, or draws them on a
// page of HTML.
//
//	go run ./examples/apps/report --demo --bucket day --zone Europe/Berlin --html report.html
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

var usage = `Usage: report --db DATABASE | --import FILE.csv | --demo --from DAY --to DAY [flags]
       report … --live | --export FORMAT | --html FILE [flags]

Asks a database of convo, or an event log, and prints one report; or how things stand right now
(--live); or exports cycles, by opening or by closing, or transcripts (--export); or writes a page
with charts of all there is to a period (--html).

  report --demo --bucket day --zone Europe/Berlin --html report.html
  report --db convo.sqlite --workspace acme --kind resolutions --from 2026-03-01 --to 2026-04-01 \
         --zone Europe/Berlin --bucket day --group-by closer --filter channel=whatsapp,web
  report --db convo.sqlite --workspace acme --kind times --from 2026-03-01 --to 2026-04-01 \
         --group-by assignee --exclude label=spam,test --exclude team=
  report --db convo.sqlite --workspace acme --kind leaderboard --measure closed --top 3 \
         --from 2026-03-01 --to 2026-04-01
  report --db convo.sqlite --workspace acme --export csv --by closing \
         --from 2026-03-01 --to 2026-04-01
  report --import helpdesk.csv --from 2010-01-01 --to 2014-01-01 \
         --zone Europe/Rome --html report.html

What the measures of a report mean is in --format json, as definitions, and at the end of a page.

With --demo the program plays eight weeks of invented conversations, of which the last four are
asked about unless --from and --to are given.

A log to import is CSV with a header, and a row for each thing that was done. Which columns it must
have, and what they mean, says the mapping, which examples/apps/movein explains (--help) and prints
(--print-mapping). The default one wants case:concept:name, Activity, Resource and time:timestamp,
which is what they are called in XES, the format of such logs. It is for the log of the help desk of
an Italian company: ` + eventlog.HelpDesk + `
Where a file calls them otherwise, as Case ID and Complete Timestamp, give a mapping that does so.

A database keeps what is imported or played, and is asked with its rollups up to date. Without
--import and --demo, a database is only read: it must be there, with the workspace in it, and
nothing is made or changed.

The exit status is 2 when the call or what it names is wrong, and 1 when something else failed.

Flags:
`

// store is what the stores of convo are.
type store interface {
	convo.Store
	report.Store
}

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil:
		err = c.run(ctx, stdin, stdout, stderr)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "report:", err)
	var wrong *wrongError
	var invalid *convo.ValidationError
	var bad *eventlog.BadRows
	if errors.As(err, &wrong) || errors.As(err, &invalid) || errors.As(err, &bad) {
		return 2
	}
	return 1
}

// run imports what is to be imported, and does what was asked for.
func (c *call) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	// on nothing first: a bad question should not be found out after a long import
	if _, err := c.do(ctx, memstore.New(), io.Discard); err != nil {
		return err
	}
	s, closeStore, err := c.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(c.runOn(ctx, s, stdin, stdout, stderr), closeStore())
}

// open makes a database only for what is to be written into it.
func (c *call) open(ctx context.Context) (store, func() error, error) {
	switch {
	case c.demo:
		// Its clock is not that of whatever else is there, which would be done by it.
		if _, err := os.Lstat(c.db); c.db != "" && !errors.Is(err, os.ErrNotExist) {
			return nil, nil, wrong("--demo makes a new file, and %s is there already: without "+
				"--demo it is asked", c.db)
		}
		// What a power failure takes is played again in a second.
		return database.Open(ctx, c.db, "synchronous = OFF")
	case c.importFile == "":
		return c.openToRead(ctx)
	case c.importFile != "-":
		if _, err := os.Stat(c.importFile); err != nil {
			return nil, nil, err // before there is an empty database
		}
	}
	return database.Open(ctx, c.db)
}

func (c *call) openToRead(ctx context.Context) (store, func() error, error) {
	s, err := database.Read(ctx, c.db)
	if err != nil {
		return nil, nil, fmt.Errorf("--db %w", err)
	}
	why, err := s.Lacks(ctx, c.query.Workspace)
	if err == nil && why != "" {
		err = wrong("--workspace: %s", why)
	}
	if err != nil {
		_ = s.Close()
		return nil, nil, err
	}
	return s, s.Close, nil
}

func (c *call) runOn(ctx context.Context, s store, stdin io.Reader, stdout,
	stderr io.Writer) error {
	if err := c.fill(ctx, s, stdin, stderr); err != nil {
		return err
	}
	if c.html != "" {
		return c.writePage(ctx, s, stderr)
	}
	summary, err := c.do(ctx, s, stdout)
	if err != nil {
		return err
	}
	if c.format == formatTable && c.export == "" {
		_, err = fmt.Fprintln(stdout, "\n"+summary)
		return err
	}
	_, err = fmt.Fprintln(stderr, summary) // stdout is for a program to read
	return err
}

// fill plays the demo or imports the log, and brings the rollups of a store that has them up to
// date.
func (c *call) fill(ctx context.Context, s store, stdin io.Reader, stderr io.Writer) error {
	progress := io.Discard
	if !c.quiet && eventlog.IsTerminal(stderr) {
		progress = stderr
	}
	fill := func() (int, error) { return c.importInto(ctx, s, stdin, stderr, progress) }
	switch {
	case c.demo:
		fill = func() (int, error) { return c.play(ctx, s, stderr) }
	case c.importFile == "":
		return nil
	}
	conversations, err := fill()
	if err != nil {
		return err
	}
	return rollUp(ctx, s, conversations, progress)
}

func (c *call) importInto(ctx context.Context, s store, stdin io.Reader, stderr,
	progress io.Writer) (conversations int, err error) {
	m, err := eventlog.ReadMapping(c.mapping)
	if err != nil {
		return 0, wrong("mapping: %w", err)
	}
	engine, err := convo.New(s)
	if err != nil {
		return 0, err
	}
	t, err := eventlog.ImportFile(ctx, engine, c.query.Workspace, c.importFile, m, stdin, progress)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(stderr, "imported %s: %d rows of %d cases; %d opened, %d reopened, %d closed\n",
		c.importFile, t.Rows, t.Cases,
		t.Events[convo.ConversationOpened], t.Events[convo.ConversationReopened],
		t.Events[convo.ConversationClosed])
	return t.Events[convo.ConversationOpened], nil
}

func rollUp(ctx context.Context, s store, conversations int, progress io.Writer) error {
	r, ok := s.(interface {
		Rollup(ctx context.Context, limit int) (n int, more bool, err error)
	})
	if !ok {
		return nil
	}
	bar := eventlog.Bar(progress, "rolling up", conversations)
	defer func() { _ = bar.Finish() }()
	for {
		n, more, err := r.Rollup(ctx, 0)
		if err != nil || !more {
			return err
		}
		_ = bar.Add(n)
	}
}

// do answers what was asked for, and sums it up in a line.
func (c *call) do(ctx context.Context, s store, out io.Writer) (summary string, err error) {
	switch {
	case c.live:
		return c.showLive(ctx, s, out)
	case c.export != "":
		return c.exportTo(ctx, s, out)
	case c.html != "":
		_, err := c.renderPage(ctx, s)
		return "", err
	}
	return c.showReport(ctx, s, out)
}
