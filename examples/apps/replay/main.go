// Replay imports an event log, such as that of a help desk, with its original times, and prints how
// many conversations were opened, reopened, closed and pending, and how long they took.
//
//	go run ./examples/apps/replay helpdesk.csv
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
	"github.com/chatlifecycle/convo/memstore"
)

const usage = `Usage: replay [flags] FILE.csv

Imports an event log into memory, with its original times, and prints its figures. FILE may be - for
standard input.
` + eventlog.Rules + `
Which columns to read, and which activities open, close, pend, assign, send or receive, is said by a
mapping; all other activities are notes. Print the default one, change it, and pass it with
--mapping.

Flags:
`

// workspace is the one that everything is imported into.
const workspace = "replay"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run returns the exit status: 1 when it failed, 2 when it was called wrongly.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	mappingFile := flags.String("mapping", "", "read the mapping from this JSON `file`")
	printMapping := flags.Bool("print-mapping", false, "print the default mapping and exit")
	asJSON := flags.Bool("json", false, "print the figures as JSON")
	quiet := flags.Bool("quiet", false, "show no progress")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	var err error
	switch {
	case *printMapping:
		_, err = stdout.Write(eventlog.DefaultMapping)
	case flags.NArg() != 1:
		fmt.Fprintln(stderr, "replay: name one file, after the flags; --help tells more")
		return 2
	default:
		progress := io.Discard
		if !*quiet && eventlog.IsTerminal(stderr) {
			progress = stderr
		}
		var f figures
		if f, err = replayFile(flags.Arg(0), *mappingFile, stdin, progress); err == nil {
			err = f.write(stdout, *asJSON)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "replay:", err)
		return 1
	}
	return 0
}

func replayFile(file, mappingFile string, stdin io.Reader, progress io.Writer) (figures, error) {
	m, err := eventlog.ReadMapping(mappingFile)
	if err != nil {
		return figures{}, err
	}
	engine, err := convo.New(memstore.New())
	if err != nil {
		return figures{}, err
	}
	ctx := context.Background()
	t, err := eventlog.ImportFile(ctx, engine, workspace, file, m, stdin, progress)
	if err != nil {
		return figures{}, err
	}
	return measure(ctx, engine, t)
}
