// Package eventlog imports the event log of another system, such as a help desk, with its original
// times.
package eventlog

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/chatlifecycle/convo"
)

// Rules say what becomes of a log, for the help of a command.
const Rules = `The first row names the columns. Every other row is one activity
of a case; a case becomes a contact:

  - the first activity of a case opens its conversation;
  - an activity after the closing reopens it, but another closing is ignored;
  - an activity while it is pending resumes it first, unless it says pending itself.

The rows of a case may stand anywhere in the file: they are imported in order of time. When a row
cannot be read, it is named by its line, and nothing is imported. So it is when an activity of the
mapping never occurs.
`

// ImportFile is Read and Import of a file, or of stdin if it is named -, with a progress bar.
func ImportFile(
	ctx context.Context, engine *convo.Engine, workspace, file string, m *Mapping, stdin io.Reader,
	progress io.Writer,
) (Tally, error) {
	in := stdin
	if file == "-" {
		file = "stdin"
	} else {
		f, err := os.Open(file)
		if err != nil {
			return Tally{}, err
		}
		defer f.Close()
		in = f
	}
	rows, err := Read(file, in, m)
	if err != nil {
		return Tally{}, err
	}
	if err := m.check(rows); err != nil {
		return Tally{}, fmt.Errorf("%s: %w", file, err)
	}
	bar := Bar(progress, "importing", len(rows))
	t, err := Import(ctx, engine, workspace, rows, func() { _ = bar.Add(1) })
	_ = bar.Finish()
	if err != nil {
		return Tally{}, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

// Bar is a progress bar of so many steps, or, with -1, of nobody knows how many.
func Bar(w io.Writer, what string, steps int) *progressbar.ProgressBar {
	return progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// IsTerminal is true of other character devices too, such as /dev/null, which do not mind a
// progress bar.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
