package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// recorder is a driver that writes down what it is sent. It has no rows, and says that each change
// was carried out.
type recorder struct {
	on   bool
	what string            // the statements are for
	said string            // the last what that was written down
	in   map[string]string // statements that are in another file
	b    strings.Builder
}

func (r *recorder) Connect(context.Context) (driver.Conn, error) { return recorderConn{r}, nil }
func (r *recorder) Driver() driver.Driver                        { return nil }
func (r *recorder) String() string                               { return r.b.String() }

func (r *recorder) note(text string) { fmt.Fprintf(&r.b, "-- %s\n", text) }

func (r *recorder) sent(text string) {
	if !r.on {
		return
	}
	if r.b.Len() > 0 {
		r.b.WriteByte('\n')
	}
	if there := r.in[text]; there != "" {
		r.note(there)
		return
	}
	if r.what != r.said && r.what != "" {
		r.note(r.what)
	}
	r.said = r.what
	r.b.WriteString(readable(text) + ";\n")
	if names := parameters(text); len(names) > 0 {
		for i, name := range names {
			names[i] = fmt.Sprint(i+1, " ", name)
		}
		list := wrap("parameters: "+strings.Join(names, ", "), 97, "")
		r.b.WriteString("-- " + strings.ReplaceAll(list, "\n", "\n-- ") + "\n")
	}
}

type recorderConn struct{ r *recorder }

func (c recorderConn) Prepare(text string) (driver.Stmt, error) { return recorded{c.r, text}, nil }
func (c recorderConn) Close() error                             { return nil }

func (c recorderConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c recorderConn) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.r.what = ""
	c.r.sent("BEGIN")
	if o.Isolation != 0 && c.r.on {
		c.r.note("isolation level: " + sql.IsolationLevel(o.Isolation).String())
	}
	return recordedTx(c), nil
}

type recordedTx struct{ r *recorder }

func (t recordedTx) Commit() error   { t.r.what = ""; t.r.sent("COMMIT"); return nil }
func (t recordedTx) Rollback() error { t.r.what = ""; t.r.sent("ROLLBACK"); return nil }

type recorded struct {
	r    *recorder
	text string
}

func (s recorded) Close() error  { return nil }
func (s recorded) NumInput() int { return -1 }

func (s recorded) Exec([]driver.Value) (driver.Result, error) {
	s.r.sent(s.text)
	return driver.RowsAffected(maxMany), nil // one for each row that was listed
}

func (s recorded) Query([]driver.Value) (driver.Rows, error) {
	s.r.sent(s.text)
	switch {
	case strings.HasPrefix(s.text, "BEGIN NOT ATOMIC"): // no step found anything in its way
		return &answer{row: []driver.Value{int64(0)}}, nil
	case strings.HasPrefix(s.text, "SELECT here.mark"): // and nothing is found
		return &answer{row: []driver.Value{int64(1), nil}}, nil
	case strings.HasPrefix(s.text, "WITH here"):
		return &answer{row: []driver.Value{int64(1), int64(1), int64(0), int64(0)}}, nil
	case strings.HasPrefix(s.text, "SELECT version"): // of rollups
		return &answer{row: []driver.Value{int64(rollupVersion)}}, nil
	case strings.Contains(s.text, "wrote_conversation"): // one row; no key known, no slot taken
		return &answer{row: []driver.Value{int64(1), int64(0), int64(0)}}, nil
	}
	return &answer{}, nil
}

func (s recorded) QueryContext(_ context.Context, _ []driver.NamedValue) (driver.Rows, error) {
	return s.Query(nil)
}

// answer is one row, or none.
type answer struct{ row []driver.Value }

func (a *answer) Columns() []string { return make([]string, len(a.row)) }
func (a *answer) Close() error      { return nil }
func (a *answer) Next(to []driver.Value) error {
	if a.row == nil {
		return io.EOF
	}
	copy(to, a.row)
	a.row = nil
	return nil
}

// readable is a statement in lines of at most 100 columns, as far as it can be broken.
func readable(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\t", "    "), "\x1f", `\x1f`)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))] + "    "
		lines[i] = wrap(line, 99, indent) // and a semicolon
	}
	return strings.Join(lines, "\n")
}

// wrap breaks a line after commas, or else at spaces.
func wrap(line string, width int, indent string) string {
	var out []string
	for len(line) > width {
		at := strings.LastIndex(line[:width+1], ", ") + 1
		if at < width/2 {
			at = strings.LastIndex(line[:width+1], " ")
		}
		if at <= len(indent) { // one long word
			if at = strings.Index(line[len(indent):], " ") + len(indent); at < len(indent) {
				break
			}
		}
		out, line = append(out, line[:at]), indent+line[at+1:]
	}
	return strings.Join(append(out, line), "\n")
}

var tokens = regexp.MustCompile(`'[^']*'|\$\d+|\?|[\w.]+|::|[<>=]+|[^\s]`)

// parameters names the placeholders of a statement by the columns that they stand for. One that
// stands for none is a question mark.
func parameters(text string) []string {
	t := tokens.FindAllString(text, -1)
	isPlaceholder := func(s string) bool { return s == "?" || s[0] == '$' }
	at := func(i int) string {
		if i < 0 || i >= len(t) {
			return ""
		}
		return t[i]
	}
	var out []string
	var insert []string // the columns of the last INSERT
	place, depth, base := -1, 0, 0
	for i, token := range t {
		switch {
		case token == "INTO":
			insert, place, base = identifiers(t[i+2:]), -1, depth
		case token == "VALUES" && at(i+1) == "(" && insert != nil:
			place, base = 0, depth+1
		case token == "SELECT" && insert != nil && place < 0:
			place, base = 0, depth
		case token == "(":
			depth++
		case token == ")":
			if depth--; depth < base {
				insert, place = nil, -1
			}
		case token == "FROM" && depth == base:
			insert, place = nil, -1
		case token == "," && place >= 0 && depth == base:
			place++
		case isPlaceholder(token):
			out = append(out, nameOf(at, i, insert, place))
		}
	}
	return out
}

// nameOf names the placeholder at i, which may be in a place of an INSERT.
func nameOf(at func(int) string, i int, insert []string, place int) string {
	before := i - 1
	if at(before) == "+" {
		before--
	}
	last := func(name string) string { return name[strings.LastIndex(name, ".")+1:] }
	cast := at(i+1) == "::"
	switch {
	case at(before) == "LIMIT":
		return "limit"
	case strings.ContainsAny(at(before), "<>="):
		return last(at(before - 1))
	case cast && at(i+2) == "json":
		return at(i + 5)
	case cast && at(i+3) == "AS":
		return at(i + 4)
	case place >= 0 && place < len(insert):
		return insert[place]
	}
	// One of a list: (a, b) > (?, ?) or a IN (?, ?).
	n := 0
	for ; before > 0 && at(before) != "("; before-- {
		if at(before) == "," {
			n++
		}
	}
	switch op := at(before - 1); {
	case op == "IN":
		return last(at(before - 2))
	case op != "" && strings.ContainsAny(op, "<>=") && at(before-2) == ")":
		open := before - 2
		for open > 0 && at(open) != "(" {
			open--
		}
		return last(at(open + 1 + 2*n))
	}
	return "?"
}

// identifiers are those of a list in parentheses.
func identifiers(t []string) []string {
	var out []string
	for _, token := range t {
		switch token {
		case "(", ",":
		case ")":
			return out
		default:
			out = append(out, token)
		}
	}
	return out
}
