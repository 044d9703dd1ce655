// Replay imports an event log, such as that of a help desk, with its original times, and prints how many conversations
// were opened, reopened, closed and pending, and how long they took.
//
//	go run ./examples/replay helpdesk.csv
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

const usage = `Usage: replay [flags] FILE.csv

Imports an event log into memory, with its original times, and prints its figures. FILE may be - for standard input.
The first row names the columns. Every other row is one activity of a case; a case becomes a contact:

  - the first activity of a case opens its conversation;
  - an activity after the closing reopens it, but another closing is ignored;
  - an activity while it is pending resumes it first.

The rows of a case may stand anywhere in the file: they are imported in order of time. When a row cannot be read, it is
named by its line, and nothing is imported.

Which columns to read, and which activities open, close, pend, assign, send or receive, is said by a mapping; all other
activities are notes. Print the default one, change it, and pass it with --mapping.

Flags:
`

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
		_, err = stdout.Write(defaultMapping)
	case flags.NArg() != 1:
		fmt.Fprintln(stderr, "replay: name one file, after the flags; --help tells more")
		return 2
	default:
		progress := io.Discard
		if !*quiet && isTerminal(stderr) {
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
	m, err := readMapping(mappingFile)
	if err != nil {
		return figures{}, err
	}
	in := stdin
	if file == "-" {
		file = "stdin"
	} else {
		f, err := os.Open(file)
		if err != nil {
			return figures{}, err
		}
		defer f.Close()
		in = f
	}
	rows, err := readCSV(file, in, m)
	if err != nil {
		return figures{}, err
	}
	engine, err := convo.New(memstore.New())
	if err != nil {
		return figures{}, err
	}
	bar := progressbar.NewOptions(len(rows),
		progressbar.OptionSetWriter(progress),
		progressbar.OptionSetDescription("importing"),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
	ctx := context.Background()
	t, err := replay(ctx, engine, rows, func() { _ = bar.Add(1) })
	_ = bar.Finish()
	if err != nil {
		return figures{}, fmt.Errorf("%s: %w", file, err)
	}
	return measure(ctx, engine, t)
}

// isTerminal is true of other character devices too, such as /dev/null, which do not mind a progress bar.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
