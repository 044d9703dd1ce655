package report

import (
	"strconv"
	"strings"
)

// The closed vocabulary that measures and dimensions are declared in. Each word stands here in both
// languages: as it is evaluated in Go, and as it is written in SQL. NULL is an empty text, or 0.

// condition is something that an entry fulfils or not.
type condition struct {
	op     operator
	column Column
	other  Column
	number int64
	text   string
	all    []condition
}

type operator int

const (
	opIs     operator = iota // column is a text
	opSame                   // two columns are the same text
	opEquals                 // column is a number
	opSet                    // column is a flag that is set
	opGiven                  // column is not NULL
	opNot                    // not all of the conditions hold
)

func is[T ~string](c Column, text T) condition {
	return condition{op: opIs, column: c, text: string(text)}
}

func same(a, b Column) condition            { return condition{op: opSame, column: a, other: b} }
func set(c Column) condition                { return condition{op: opSet, column: c} }
func given(c Column) condition              { return condition{op: opGiven, column: c} }
func equals(c Column, n int64) condition    { return condition{op: opEquals, column: c, number: n} }
func not(conditions ...condition) condition { return condition{op: opNot, all: conditions} }

// hold reports whether all conditions are fulfilled.
func hold(conditions []condition, y *Entry) bool {
	for i := range conditions {
		if !conditions[i].holds(y) {
			return false
		}
	}
	return true
}

func (c *condition) holds(y *Entry) bool {
	switch c.op {
	case opIs:
		return columns[c.column].text(y) == c.text
	case opSame:
		return columns[c.column].text(y) == columns[c.other].text(y)
	case opNot:
		return !hold(c.all, y)
	}
	n, ok := columns[c.column].number(y)
	switch c.op {
	case opGiven:
		return ok
	case opEquals:
		return n == c.number
	}
	return n != 0
}

// sqlOf is the conditions in SQL, all of which hold; empty if there are none.
func sqlOf(conditions []condition, name func(Column) string) string {
	all := make([]string, len(conditions))
	for i := range conditions {
		all[i] = conditions[i].sql(name)
	}
	return strings.Join(all, " AND ")
}

func (c *condition) sql(name func(Column) string) string {
	switch c.op {
	case opIs:
		return c.column.filled("''", name) + " = " + quoted(c.text)
	case opSame:
		return c.column.filled("''", name) + " = " + c.other.filled("''", name)
	case opEquals:
		return c.column.filled("0", name) + " = " + strconv.FormatInt(c.number, 10)
	case opSet:
		return name(c.column) + " IS TRUE"
	case opGiven:
		return name(c.column) + " IS NOT NULL"
	}
	return "NOT (" + sqlOf(c.all, name) + ")"
}

// filled is c in SQL, with something else for NULL.
func (c Column) filled(empty string, name func(Column) string) string {
	if columns[c].optional {
		return "COALESCE(" + name(c) + ", " + empty + ")"
	}
	return name(c)
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// number is a number that an entry has: a column, or what is made of some.
type number interface {
	of(y *Entry) (n int64, ok bool)
	sql(name func(Column) string) string
	// mayMiss reports whether it may be NULL.
	mayMiss() bool
}

func (c Column) of(y *Entry) (int64, bool)           { return columns[c].number(y) }
func (c Column) sql(name func(Column) string) string { return name(c) }
func (c Column) mayMiss() bool                       { return columns[c].optional }

// extreme is a, where there is one and it is the later one, or the earlier one; else b.
type extreme struct {
	a, b    number
	earlier bool
}

func latest(a, b number) number   { return extreme{a: a, b: b} }
func earliest(a, b number) number { return extreme{a: a, b: b, earlier: true} }

func (x extreme) of(y *Entry) (int64, bool) {
	a, given := x.a.of(y)
	b, ok := x.b.of(y)
	if given && (x.earlier && a < b || !x.earlier && a > b) {
		return a, ok
	}
	return b, ok
}

func (x extreme) sql(name func(Column) string) string {
	op := " > "
	if x.earlier {
		op = " < "
	}
	a, b := x.a.sql(name), x.b.sql(name)
	return "CASE WHEN " + a + op + b + " THEN " + a + " ELSE " + b + " END"
}

func (x extreme) mayMiss() bool { return x.b.mayMiss() }

// choice is one number if all conditions hold, else another one.
type choice struct {
	when            []condition
	then, otherwise number
}

func (x choice) of(y *Entry) (int64, bool) {
	if hold(x.when, y) {
		return x.then.of(y)
	}
	return x.otherwise.of(y)
}

func (x choice) sql(name func(Column) string) string {
	return "CASE WHEN " + sqlOf(x.when, name) + " THEN " + x.then.sql(name) + " ELSE " +
		x.otherwise.sql(name) + " END"
}

func (x choice) mayMiss() bool { return x.then.mayMiss() || x.otherwise.mayMiss() }

// text is a text that an entry has: then if all conditions hold, else otherwise.
type text struct {
	when            []condition
	then, otherwise operand
	// names are the texts for the numbers of a column, from 0 on, instead of the rest.
	names  []string
	number Column
	tokens bool // it is several, see convo.Tokens
}

// operand is a column, or without one another text, or a constant.
type operand struct {
	column   Column
	text     *text
	constant string
}

// valueOf is the text of a column.
func valueOf(c Column) *text { return &text{then: operand{column: c}} }

// either is the text of one column if all conditions hold, else that of another one.
func either(then, otherwise Column, when ...condition) *text {
	return &text{
		when: when, then: operand{column: then}, otherwise: operand{column: otherwise},
	}
}

// userOf is an actor's id if it is a user; empty if not.
func userOf(actorType, id Column) *text {
	return &text{when: []condition{is(actorType, user)}, then: operand{column: id}}
}

func (t *text) of(y *Entry) string {
	if t.names != nil {
		n, _ := t.number.of(y)
		if n < int64(len(t.names)) {
			return t.names[n]
		}
		return ""
	}
	if hold(t.when, y) {
		return t.then.of(y)
	}
	return t.otherwise.of(y)
}

func (o operand) of(y *Entry) string {
	switch {
	case o.text != nil:
		return o.text.of(y)
	case o.column == 0:
		return o.constant
	}
	return columns[o.column].text(y)
}

func (t *text) sql(name func(Column) string) string {
	switch {
	case t.names != nil:
		all := "CASE " + t.number.filled("0", name)
		for n, text := range t.names {
			all += " WHEN " + strconv.Itoa(n) + " THEN " + quoted(text)
		}
		return all + " ELSE '' END"
	case len(t.when) == 0:
		return t.then.sql(name)
	}
	return "CASE WHEN " + sqlOf(t.when, name) + " THEN " + t.then.sql(name) +
		" ELSE " + t.otherwise.sql(name) + " END"
}

func (o operand) sql(name func(Column) string) string {
	switch {
	case o.text != nil:
		return o.text.sql(name)
	case o.column == 0:
		return quoted(o.constant)
	}
	return o.column.filled("''", name)
}
