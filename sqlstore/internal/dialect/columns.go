package dialect

import (
	"slices"
	"strings"
)

// use says how a column is written.
type use uint8

const (
	immutable  use = iota // no commit changes it
	mutable               // commits change it
	byMessages            // messages and notes change it, too; it is in no index
	derived               // other columns determine it: it is changed with them, and not read
)

// Column is a column of a table, whose rows are Rs in Go.
type Column[R any] struct {
	name     string
	kind     kind
	use      use
	optional bool // NULL when the field is empty
	field    func(*R) Field
	value    func(*R) any // of a derived one, instead of field
}

func required[R any](name string, u use, field func(*R) Field) Column[R] {
	return Column[R]{name: name, kind: field(new(R)).kind(), use: u, field: field}
}

func optional[R any](name string, u use, field func(*R) Field) Column[R] {
	c := required(name, u, field)
	c.optional = true
	return c
}

// lift makes columns of a part of a row those of the row.
func lift[R, P any](columns Columns[P], part func(*R) *P) Columns[R] {
	lifted := make(Columns[R], len(columns))
	for i, c := range columns {
		lifted[i] = Column[R]{
			name: c.name, kind: c.kind, use: c.use, optional: c.optional,
			field: func(r *R) Field { return c.field(part(r)) },
		}
	}
	return lifted
}

// Columns are columns of one table, in the order in which they are bound and scanned.
type Columns[R any] []Column[R]

func (cs Columns[R]) where(keep func(*Column[R]) bool) Columns[R] {
	var kept Columns[R]
	for i := range cs {
		if keep(&cs[i]) {
			kept = append(kept, cs[i])
		}
	}
	return kept
}

func (cs Columns[R]) without(names ...string) Columns[R] {
	return cs.where(func(c *Column[R]) bool { return !slices.Contains(names, c.name) })
}

// Only are the columns whose names are to be kept.
func (cs Columns[R]) Only(kept func(name string) bool) Columns[R] {
	return cs.where(func(c *Column[R]) bool { return kept(c.name) })
}

// Table is a table with those selections of its columns that statements need.
type Table[R any] struct {
	All        Columns[R]
	Read       Columns[R] // all but the derived ones
	Mutable    Columns[R] // all but the immutable ones
	ByMessages Columns[R]
}

func table[R any](columns ...Column[R]) Table[R] {
	all := Columns[R](columns)
	return Table[R]{
		All:        all,
		Read:       all.where(func(c *Column[R]) bool { return c.use != derived }),
		Mutable:    all.where(func(c *Column[R]) bool { return c.use != immutable }),
		ByMessages: all.where(func(c *Column[R]) bool { return c.use == byMessages }),
	}
}

// each joins what f makes of each column.
func (cs Columns[R]) each(separator string, f func(*Column[R]) string) string {
	parts := make([]string, len(cs))
	for i := range cs {
		parts[i] = f(&cs[i])
	}
	return strings.Join(parts, separator)
}

// Names lists the columns.
func (cs Columns[R]) Names() string {
	return cs.each(", ", func(c *Column[R]) string { return c.name })
}

// Qualify lists the columns with the alias of their table.
func (cs Columns[R]) Qualify(alias string) string {
	return cs.each(", ", func(c *Column[R]) string { return alias + "." + c.name })
}

// qualified are the columns with the alias of their table.
func (cs Columns[R]) qualified(alias string) (all []string) {
	for i := range cs {
		all = append(all, alias+"."+cs[i].name)
	}
	return all
}

// assignments sets each column to an argument.
func (cs Columns[R]) assignments() string {
	return cs.each(", ", func(c *Column[R]) string { return c.name + " = ?" })
}

// placeholders is one for each column.
func (cs Columns[R]) placeholders() string { return Placeholders(len(cs)) }

// Placeholders are n of them.
func Placeholders(n int) string { return strings.Repeat(", ?", n)[2:] }

// Args appends r as the arguments of the columns.
func (cs Columns[R]) Args(d *Dialect, to []any, r *R) []any {
	to = slices.Grow(to, len(cs))
	for i := range cs {
		to = append(to, cs[i].arg(d, r))
	}
	return to
}

func (c *Column[R]) arg(d *Dialect, r *R) any {
	if c.value != nil {
		return c.value(r)
	}
	return c.field(r).arg(d, c.optional)
}

// Dests appends what the columns are scanned into, to fill r.
func (cs Columns[R]) Dests(to []any, r *R) []any {
	to = slices.Grow(to, len(cs))
	for i := range cs {
		to = append(to, cs[i].field(r))
	}
	return to
}

// appendObject appends r as a JSON object with a member for each column that is not NULL.
func (cs Columns[R]) appendObject(b []byte, d *Dialect, r *R) []byte {
	b = append(b, '{')
	for i := range cs {
		if v := cs[i].arg(d, r); v != nil {
			b = append(append(append(b, '"'), cs[i].name...), `":`...)
			b = append(appendJSON(b, v), ',')
		}
	}
	b[len(b)-1] = '}' // there is no row of NULLs only
	return b
}

// Missing are the columns that an INSERT must name besides the given ones, and the literal of an
// empty value for each; both begin with a comma. It is for test data, which would else have to name
// every column.
func (cs Columns[R]) Missing(given string) (names, values string) {
	listed := strings.FieldsFunc(given, func(r rune) bool {
		return strings.ContainsRune(", \n\t", r)
	})
	for i := range cs {
		if c := &cs[i]; !c.optional && !slices.Contains(listed, c.name) {
			names += ", " + c.name
			values += ", " + emptyValues[c.kind]
		}
	}
	return names, values
}

var emptyValues = [...]string{
	text: "''", keyText: "''", freeText: "''", jsonText: "''", eventKind: "''",
	bigInt: "0", count: "0",
	micros: "0", flag: "FALSE", id: "NULL", blob: "''",
}
