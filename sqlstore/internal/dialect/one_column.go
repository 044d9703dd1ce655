package dialect

import "strings"

// Several columns are selected as one text where the driver's price is per column: a call of
// the library for each, or two objects.

// unitSeparator stands between the columns in a text that holds several. No [Text] may hold it.
const unitSeparator = "\x1f"

// OneColumn takes several columns out of one text.
type OneColumn []any

// Scan implements sql.Scanner.
func (c OneColumn) Scan(v any) error {
	var t Text
	if err := t.Scan(v); err != nil {
		return err
	}
	rest := string(t)
	for i, to := range c {
		part := rest
		if i < len(c)-1 {
			part, rest, _ = strings.Cut(rest, unitSeparator)
		}
		if err := to.(spelled).read(part); err != nil {
			return err
		}
	}
	return nil
}

// snapshotAsText is what Load selects, as one text.
func (d *Dialect) snapshotAsText() string {
	columns := asText(d, Contacts.Read, "ct")
	columns = append(columns, d.idAsText(otherActiveID), hasConversation)
	columns = append(columns, asText(d, Conversations.Read, "cv")...)
	return AsOneColumn(columns)
}

// AsOneColumn selects columns as one text, as [OneColumn] takes them. None but the last one may
// hold the separator.
func AsOneColumn(columns []string) string {
	format := strings.Repeat(unitSeparator+"%s", len(columns))[len(unitSeparator):]
	return "format('" + format + "',\n\t" + strings.Join(columns, ", ") + ")"
}

// Selected are the names of columns of a table with an alias, for a SELECT of all as [OneColumn],
// if that is what the dialect wants.
func Selected[R any](d *Dialect, columns Columns[R], alias string) []string {
	if d.oneColumn {
		return asText(d, columns, alias)
	}
	return columns.qualified(alias)
}

// asText are columns as %s prints them: NULL as an empty text.
func asText[R any](d *Dialect, columns Columns[R], alias string) []string {
	var out []string
	for _, c := range columns {
		name := alias + "." + c.name
		if c.kind == id {
			name = d.idAsText(name)
		}
		out = append(out, name)
	}
	return out
}

// idAsText spells out an id whose column holds its bytes.
func (d *Dialect) idAsText(column string) string {
	if d.idsAsText {
		return column
	}
	return "hex(" + column + ")"
}
