// Package eventlog imports the event log of another system, such as a help desk, with its original
// times.
package eventlog

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/chatlifecycle/convo"
)

// HelpDesk is where the log is that the default mapping is for.
const HelpDesk = "https://doi.org/10.4121/uuid:0c60edf1-6f83-4e75-9367-4c63b3e9d5bb"

// Rules say what becomes of a log, for the help of a command.
var Rules = `The first row names the columns. Every other row is one activity of a case, or, when
the mapping names no activity, a whole case with the time it was opened. A case becomes a
conversation:

  - the first activity of a case opens it;
  - an activity after the closing reopens it, but another closing is ignored, and a note too when
    the log names the time of the closing in a column;
  - an activity while it is pending resumes it first, unless it says pending itself.

The rows of a case may stand anywhere in the file: they are imported in order of time, and, at the
same time, of the file. When a row cannot be read, or a case cannot be, it is named by its line, and
nothing is imported. So it is when an activity of the mapping never occurs.

What has not ended by the end of a log of activities becomes the active conversation of its contact,
who has one at a time in each lane: further such cases are named, and left for a later run, when
they have ended. In a table of tickets, whose rows change until they end, all that have not are
left. A longer log adds what is new. What was changed in a case that is there already is not: such a
case is named, and left as it is.

A mapping is a JSON object. Print the default one, change it, and pass it with --mapping:

  columns       the names of columns, by what they mean (needed: case, and time or opened):
` + columnHelp() + `  time_layouts  as Go's time.Parse reads them; or unix, unix_ms, unix_us
  zone          of times without one, as Europe/Rome (default: UTC)
  delimiter     between fields (default: a comma)
  encoding      utf-8 (the default), windows-1252, utf-16le, utf-16be and the others of the web
  channel       of rows that name none
  activities    which of them open, close, set_pending, assign, send, receive or note
  others        what all other activities, and texts without one, are (default: note)
`

func columnHelp() string {
	var s strings.Builder
	for _, c := range columnNames {
		fmt.Fprintf(&s, "    %-11s %s\n", c.name, c.meaning)
	}
	return s.String()
}

// ImportFile is Import of a file, or of stdin if it is named -.
func ImportFile(
	ctx context.Context, engine *convo.Engine, workspace, file string, m *Mapping, stdin io.Reader,
	progress io.Writer,
) (Tally, error) {
	if file == "-" {
		return Import(ctx, engine, workspace, "stdin", stdin, m, progress)
	}
	f, err := os.Open(file)
	if err != nil {
		return Tally{}, err
	}
	defer f.Close()
	return Import(ctx, engine, workspace, file, f, m, progress)
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
