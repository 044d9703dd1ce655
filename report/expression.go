package report

import (
	"strconv"
	"strings"

	"github.com/chatlifecycle/convo"
)

// The closed vocabulary that measures and dimensions are declared in. Each word stands here in both
// languages: as it is evaluated in Go, and as it is written in SQL.

// condition is something that a cycle or a message fulfils or not.
type condition struct {
	op     operator
	column Column
	number int64
	text   string
	all    []condition
}

type operator int

const (
	opIs     operator = iota // column is a text
	opEquals                 // column is a number
	opAbove                  // column is more than a number
	opSet                    // column is a flag that is set
	opNot                    // not all of the conditions hold
)

func is[T ~string](c Column, text T) condition {
	return condition{op: opIs, column: c, text: string(text)}
}

func set(c Column) condition                { return condition{op: opSet, column: c} }
func equals(c Column, n int64) condition    { return condition{op: opEquals, column: c, number: n} }
func above(c Column, n int64) condition     { return condition{op: opAbove, column: c, number: n} }
func not(conditions ...condition) condition { return condition{op: opNot, all: conditions} }

// hold reports whether all conditions are fulfilled.
func hold(conditions []condition, y *Cycle, e *convo.Event) bool {
	for i := range conditions {
		if !conditions[i].holds(y, e) {
			return false
		}
	}
	return true
}

func (c *condition) holds(y *Cycle, e *convo.Event) bool {
	switch c.op {
	case opIs:
		return c.column.text(y, e) == c.text
	case opNot:
		return !hold(c.all, y, e)
	}
	n, ok := c.column.number(y, e)
	if !ok {
		return false
	}
	switch c.op {
	case opEquals:
		return n == c.number
	case opAbove:
		return n > c.number
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
		return name(c.column) + " = " + quoted(c.text)
	case opEquals:
		return name(c.column) + " = " + strconv.FormatInt(c.number, 10)
	case opAbove:
		return name(c.column) + " > " + strconv.FormatInt(c.number, 10)
	case opSet:
		return name(c.column) + " IS TRUE"
	}
	return "NOT (" + sqlOf(c.all, name) + ")"
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// text is a text that a cycle or a message has: then if all conditions hold, else otherwise.
type text struct {
	when            []condition
	then, otherwise operand
}

// operand is a column, or without one a constant.
type operand struct {
	column   Column
	constant string
}

// valueOf is the text of a column.
func valueOf(c Column) *text { return &text{then: operand{column: c}} }

// userOf is an actor's id if it is a user; empty if not.
func userOf(actorType, id Column) *text {
	return &text{when: []condition{is(actorType, convo.ActorUser)}, then: operand{column: id}}
}

func (t *text) of(y *Cycle, e *convo.Event) string {
	if hold(t.when, y, e) {
		return t.then.of(y, e)
	}
	return t.otherwise.of(y, e)
}

func (o operand) of(y *Cycle, e *convo.Event) string {
	if o.column == 0 {
		return o.constant
	}
	return o.column.text(y, e)
}

func (t *text) sql(name func(Column) string) string {
	if len(t.when) == 0 {
		return t.then.sql(name)
	}
	return "CASE WHEN " + sqlOf(t.when, name) + " THEN " + t.then.sql(name) +
		" ELSE " + t.otherwise.sql(name) + " END"
}

func (o operand) sql(name func(Column) string) string {
	switch {
	case o.column == 0:
		return quoted(o.constant)
	case columns[o.column].optional:
		return "COALESCE(" + name(o.column) + ", '')"
	}
	return name(o.column)
}
