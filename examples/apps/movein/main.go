// Movein brings the log of another system, such as a help desk, into convo, with its original
// times: into memory, to see what it comes to, or into a database.
//
//	go run ./examples/apps/movein helpdesk.csv
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
)

var usage = `Usage: movein [flags] FILE.csv

Imports the log of another system, with its original times, and prints what became of it. FILE may
be - for standard input. Try it without --db first: the log then goes into memory, and its figures
are printed too. Into a database any file can be imported, and the import may be stopped and run
again at any time: what is there is left out.
` + eventlog.Rules + `
Flags:
`

const defaultWorkspace = "movein"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run returns the exit status: 1 when it failed, 2 when it was called wrongly.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("movein", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	mappingFile := flags.String("mapping", "", "read the mapping from this JSON `file`")
	printMapping := flags.Bool("print-mapping", false, "print the default mapping and exit")
	db := flags.String("db", "", database.Usage)
	workspace := flags.String("workspace", defaultWorkspace, "the `workspace` to import into")
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
		fmt.Fprintln(stderr, "movein: name one file, after the flags; --help tells more")
		return 2
	default:
		progress := io.Discard
		if !*quiet && eventlog.IsTerminal(stderr) {
			progress = stderr
		}
		var f figures
		f, err = moveIn(flags.Arg(0), *mappingFile, *db, *workspace, stdin, progress)
		if err == nil {
			err = f.write(stdout, *asJSON)
		}
		if err == nil && f.NotImported > 0 {
			err = fmt.Errorf("rows that could not be imported: %d", f.NotImported)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "movein:", err)
		return 1
	}
	return 0
}

func moveIn(
	file, mappingFile, db, workspace string, stdin io.Reader, progress io.Writer,
) (f figures, err error) {
	m, err := eventlog.ReadMapping(mappingFile)
	if err != nil {
		return f, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	store, closeStore, err := database.Open(ctx, db)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	engine, err := convo.New(store)
	if err != nil {
		return f, err
	}
	t, err := eventlog.ImportFile(ctx, engine, workspace, file, m, stdin, progress)
	if err != nil || db != "" {
		return figures{Tally: t}, err
	}
	return measure(ctx, engine, workspace, t)
}
