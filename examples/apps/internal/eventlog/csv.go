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
	// maxActivities bounds the different ones, which are counted in memory.
	maxActivities = 10_000
	// Between these years every duration fits into a time.Duration, which ends at 292 years.
	firstYear, lastYear = 1900, 2100
)

// row is one row of a log.
type row struct {
	line               int // where it begins in the file
	fields             [columns]string
	at                 time.Time // zero where a row is a case
	openedAt, closedAt time.Time // zero: it does not say
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

// readRows reads a log row by row, or fails, with *BadRows for what is wrong with it.
func readRows(file string, in io.Reader, m *Mapping, keep func(row) error) error {
	r := newReader(file, in, m)
	header, err := r.next()
	var at places
	if header != nil {
		at = r.places(header, m)
	}
	switch {
	case r.bad.count > 0:
		return &r.bad
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s is empty: its first row must name the columns", file)
	case err != nil:
		return err
	}
	activities := map[string]bool{}
	for {
		record, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && r.bad.count > 0:
			return &r.bad
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case record == nil:
			continue
		}
		row, of, problem := at.row(record, m)
		if activities[row.fields[columnActivity]] = true; len(activities) > maxActivities {
			of, problem = columnActivity, fmt.Sprintf("there are more than %d different ones: "+
				"perhaps it is the column of texts", maxActivities)
			activities = map[string]bool{}
		}
		if problem != "" {
			r.bad.add(r.line, m.name(of), problem)
			continue
		}
		if row.line = r.line; r.bad.count == 0 {
			if err := keep(row); err != nil {
				return err
			}
		}
	}
}

// reader reads records and collects what is wrong with them.
type reader struct {
	csv     *csv.Reader
	limited *limiter
	line    int // where the last record begins
	bad     BadRows
}

func newReader(file string, in io.Reader, m *Mapping) *reader {
	if m.encoding != nil {
		in = m.encoding.NewDecoder().Reader(in)
	}
	limited := &limiter{in: in, left: maxRecord}
	buffered := bufio.NewReader(limited)
	// a byte order mark, as Excel writes it
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3)
	}
	r := &reader{csv: csv.NewReader(buffered), limited: limited, bad: BadRows{file: file}}
	r.csv.ReuseRecord = true
	r.csv.Comma = m.delimiter
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

// places are where the columns stand in a record; -1: the mapping does not name it.
type places [columns]int

func (r *reader) places(header []string, m *Mapping) (at places) {
	var problems []string
	for c := range columns {
		name := m.name(c)
		if at[c] = -1; name == "" {
			continue
		}
		i := slices.Index(header, name)
		switch {
		case i < 0:
			problems = append(problems, fmt.Sprintf("no column %q", name))
		case slices.Contains(header[i+1:], name):
			problems = append(problems, fmt.Sprintf("two columns %q", name))
		}
		at[c] = i
	}
	if problems != nil {
		r.bad.add(r.line, "header", fmt.Sprintf("%s in %.80q", strings.Join(problems, ", "),
			strings.Join(header, string(m.delimiter))))
	}
	return at
}

// row takes a record apart, or says what is wrong with the first column that is.
func (at *places) row(record []string, m *Mapping) (r row, of column, problem string) {
	for c := range columns {
		if at[c] >= 0 {
			r.fields[c] = strings.Clone(record[at[c]])
		}
	}
	for _, c := range []column{columnCase, columnActivity, columnContact, columnResource} {
		needed := c == columnCase || c == columnActivity && at[c] >= 0
		if needed || r.fields[c] != "" {
			if problem = checkName(r.fields[c]); problem != "" {
				return r, c, problem
			}
		}
	}
	for _, t := range []struct {
		of     column
		to     *time.Time
		needed bool
	}{
		{columnTime, &r.at, true}, {columnOpened, &r.openedAt, at[columnTime] < 0},
		{columnClosed, &r.closedAt, false},
	} {
		if text := r.fields[t.of]; at[t.of] >= 0 && (text != "" || t.needed) {
			if *t.to, problem = m.parseTime(text); problem != "" {
				return r, t.of, problem
			}
		}
	}
	if !r.closedAt.IsZero() && r.closedAt.Before(r.openedAt) {
		return r, columnClosed, "must not be before " + m.name(columnOpened)
	}
	return r, 0, ""
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

func (m *Mapping) parseTime(s string) (at time.Time, problem string) {
	for _, layout := range m.TimeLayouts {
		var err error
		if unit := unixUnits[layout]; unit != "" {
			at, err = parseUnix(s, unit)
		} else {
			at, err = time.ParseInLocation(layout, s, m.zone)
		}
		if err != nil {
			continue
		}
		if y := at.UTC().Year(); y < firstYear || y > lastYear {
			return at, fmt.Sprintf("must be in the years %d to %d", firstYear, lastYear)
		}
		return at, ""
	}
	return at, fmt.Sprintf("%.40q fits none of the time layouts %q", s, m.TimeLayouts)
}

// parseUnix reads how long it is since 1970, in a unit of time.ParseDuration.
func parseUnix(s, unit string) (time.Time, error) {
	if strings.Trim(s, "-.0123456789") != "" {
		return time.Time{}, errors.New("no number")
	}
	d, err := time.ParseDuration(s + unit)
	return time.Unix(0, 0).Add(d), err
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
