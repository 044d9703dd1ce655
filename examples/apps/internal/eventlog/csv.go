package eventlog

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

const (
	// maxRecord bounds a row, in bytes, to within the size of a read buffer: a quote that is never
	// closed would take in the rest of the file.
	maxRecord = 1 << 20
	// maxShown is how many problems are shown; all are counted.
	maxShown = 20
	// Between these years every duration fits into a time.Duration, which ends at 292 years.
	firstYear, lastYear = 1900, 2100
)

// Row is one activity of a case.
type Row struct {
	line     int // where it begins in the file
	caseID   string
	activity string
	resource string // who did it; empty: automation
	at       time.Time
	command  convo.CommandName
	mapped   bool // the mapping names the activity
}

// badRow is what is wrong with a row.
type badRow struct {
	line    int
	column  string
	problem string
}

// BadRows are the rows that cannot be read: the first ones, and how many there are.
type BadRows struct {
	file  string
	first []badRow
	count int
}

func (b *BadRows) add(line int, column, problem string) {
	if b.count++; b.count <= maxShown {
		b.first = append(b.first, badRow{line, column, problem})
	}
}

func (b *BadRows) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "bad rows: %d; nothing was imported", b.count)
	for _, r := range b.first {
		fmt.Fprintf(&s, "\n%s:%d: %s: %s", b.file, r.line, r.column, r.problem)
	}
	if more := b.count - len(b.first); more > 0 {
		fmt.Fprintf(&s, "\n... and %d more", more)
	}
	return s.String()
}

// Read reads all rows of a log, or fails, with *BadRows for what is wrong with them. It needs all
// of them before the first is imported, because the rows of a case need not be in order.
func Read(file string, in io.Reader, m *Mapping) ([]Row, error) {
	r := newReader(file, in)
	header, err := r.next()
	var c columns
	if header != nil {
		c = r.columns(header, m)
	}
	switch {
	case r.bad.count > 0:
		return nil, &r.bad
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s is empty: its first row must name the columns", file)
	case err != nil:
		return nil, err
	}
	var rows []Row
	for {
		record, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && r.bad.count > 0:
			return nil, &r.bad
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, err
		case record == nil:
			continue
		}
		row, column, problem := c.row(record, m)
		if problem != "" {
			r.bad.add(r.line, column, problem)
			continue
		}
		row.line = r.line
		rows = append(rows, row)
	}
}

// reader reads records and collects what is wrong with them.
type reader struct {
	csv     *csv.Reader
	limited *limiter
	line    int // where the last record begins
	bad     BadRows
}

func newReader(file string, in io.Reader) *reader {
	limited := &limiter{in: in, left: maxRecord}
	buffered := bufio.NewReader(limited)
	// a byte order mark, as Excel writes it
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3)
	}
	r := &reader{csv: csv.NewReader(buffered), limited: limited, bad: BadRows{file: file}}
	r.csv.ReuseRecord = true
	return r
}

// next returns the next record, which is valid until the one after is read. A bad one is collected,
// and nil returned in its place.
func (r *reader) next() ([]string, error) {
	r.limited.left = maxRecord
	record, err := r.csv.Read()
	var parse *csv.ParseError
	switch {
	case err == nil:
		r.line, _ = r.csv.FieldPos(0)
		return record, nil
	case errors.Is(err, errLong):
		r.bad.add(r.line, "row", err.Error())
		return nil, io.EOF
	case errors.As(err, &parse):
		r.line = parse.StartLine
		problem := parse.Err.Error()
		if errors.Is(parse.Err, csv.ErrFieldCount) {
			problem = fmt.Sprintf("has %d fields, the header has %d", len(record),
				r.csv.FieldsPerRecord)
		}
		r.bad.add(r.line, "row", problem)
		return nil, nil
	case errors.Is(err, io.EOF):
		return nil, err
	}
	return nil, fmt.Errorf("%w (after line %d)", err, r.line)
}

// columns are where the fields of a row stand; resource is -1 when there is none.
type columns struct{ caseID, activity, resource, at int }

func (r *reader) columns(header []string, m *Mapping) columns {
	var problems []string
	find := func(name string) int {
		i := slices.Index(header, name)
		switch {
		case i < 0:
			problems = append(problems, fmt.Sprintf("no column %q", name))
		case slices.Contains(header[i+1:], name):
			problems = append(problems, fmt.Sprintf("two columns %q", name))
		}
		return i
	}
	c := columns{find(m.Columns.Case), find(m.Columns.Activity), -1, find(m.Columns.Time)}
	if m.Columns.Resource != "" {
		c.resource = find(m.Columns.Resource)
	}
	if problems != nil {
		r.bad.add(r.line, "header", fmt.Sprintf("%s in %.80q", strings.Join(problems, ", "),
			strings.Join(header, ",")))
	}
	return c
}

// row takes a record apart, or says what is wrong with the first column that is.
func (c columns) row(record []string, m *Mapping) (r Row, column, problem string) {
	r.caseID, r.activity = record[c.caseID], record[c.activity]
	if problem = checkName(r.caseID); problem != "" {
		return r, m.Columns.Case, problem
	}
	if problem = checkName(r.activity); problem != "" {
		return r, m.Columns.Activity, problem
	}
	if c.resource >= 0 {
		r.resource = record[c.resource]
	}
	if r.resource != "" {
		if problem = checkName(r.resource); problem != "" {
			return r, m.Columns.Resource, problem
		}
	}
	if r.at, problem = parseTime(record[c.at], m.TimeLayouts); problem != "" {
		return r, m.Columns.Time, problem
	}
	r.command, r.mapped = m.command(r.activity)
	return r, "", ""
}

// checkName asks the library, which has one rule for all ids. Activities become messages and notes,
// which may be longer; they are names here, so the same rule holds.
func checkName(s string) (problem string) {
	if s == "" {
		return "must not be empty"
	}
	var invalid *convo.ValidationError
	if errors.As(convo.ToContact("log", s).Validate(), &invalid) {
		return invalid.Rule
	}
	return ""
}

func parseTime(s string, layouts []string) (at time.Time, problem string) {
	for _, layout := range layouts {
		at, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if y := at.UTC().Year(); y < firstYear || y > lastYear {
			return at, fmt.Sprintf("must be in the years %d to %d", firstYear, lastYear)
		}
		return at, ""
	}
	return at, fmt.Sprintf("%.40q fits none of the time layouts %q", s, layouts)
}

var errLong = fmt.Errorf("the row behind this one is longer than %d bytes: perhaps a quote is not "+
	"closed", maxRecord)

// limiter fails, from then on, once more is read than is left.
type limiter struct {
	in   io.Reader
	left int
	over bool
}

func (l *limiter) Read(p []byte) (int, error) {
	if l.over = l.over || l.left <= 0; l.over {
		return 0, errLong
	}
	n, err := l.in.Read(p)
	l.left -= n
	return n, err
}
