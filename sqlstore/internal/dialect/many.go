package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// What changes many conversations at once: rows that are listed as JSON in one argument are joined
// with the table that they are written to.

// Listed is a statement with its arguments, and how many rows it must write.
type Listed struct {
	Statement string
	Args      []any
	Rows      int
}

// mariadbTypes are those of columns of JSON_TABLE, which makes NULL of what does not fit.
var mariadbTypes = [...]string{
	text: "VARBINARY(255)", keyText: "VARBINARY(998)", freeText: "LONGBLOB",
	plainText: "LONGBLOB", jsonText: "LONGBLOB", bigInt: "BIGINT", count: "INT",
	flag: "TINYINT", micros: "BIGINT", id: "VARBINARY(36)", eventKind: "VARBINARY(255)",
}

// listColumn is a column of a list.
type listColumn struct {
	name string
	kind kind
}

// listed are the columns of a list of these.
func (cs Columns[R]) listed() (all []listColumn) {
	for i := range cs {
		all = append(all, listColumn{cs[i].name, cs[i].kind})
	}
	return all
}

// list reads one argument as rows with the name listed. PostgreSQL takes it for a tenth of a
// hundred rows, behind a LIMIT that it cannot know, and so it looks each of them up by its key: it
// reads no table from end to end for them.
func (d *Dialect) list(columns []listColumn) string {
	if d.manyAsJSON {
		return "(SELECT * FROM json_to_recordset(?::json) AS listed(" + definitions(columns) +
			")\n\t\tLIMIT (SELECT 1000)) listed"
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.name + " " + mariadbTypes[c.kind] + " PATH '$." + c.name + "'"
	}
	return "JSON_TABLE(?, '$[*]' COLUMNS(" + strings.Join(parts, ", ") + ")) listed"
}

// definitions are columns with their types, as PostgreSQL takes those of a list.
func definitions(columns []listColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.name + " " + postgresTypes[c.kind]
	}
	return strings.Join(parts, ", ")
}

// listValue is a column of a list as the engine compares and writes it.
func (d *Dialect) listValue(c listColumn) string {
	if c.kind == id && !d.manyAsJSON {
		return "UNHEX(REPLACE(listed." + c.name + ", '-', ''))"
	}
	return "listed." + c.name
}

// where compares columns of a table with those of a list.
func (d *Dialect) where(alias string, columns []listColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = alias + "." + c.name + " = " + d.listValue(c)
	}
	return strings.Join(parts, " AND ")
}

// updateListed updates the rows of a table that are listed by key. What is set has a column of the
// list for each of the table; behind them the list may have more, for the condition.
func (d *Dialect) updateListed(
	table, alias string, key, set, from []listColumn, condition string,
) string {
	columns := append(append([]listColumn{}, key...), from...)
	names, values, pairs := "", "", ""
	for i, c := range set {
		value := d.listValue(from[i])
		names += ", " + c.name
		values += ", " + value
		pairs += ", " + alias + "." + c.name + " = " + value
	}
	if d.manyAsJSON {
		return "UPDATE " + table + " " + alias + " SET (" + names[2:] + ")\n\t= (" + values[2:] +
			")\n\tFROM " + d.list(columns) + "\n\tWHERE " + d.where(alias, key) + condition
	}
	return "UPDATE " + d.list(columns) + "\n\tSTRAIGHT_JOIN " + table + " " + alias +
		d.primaryIndex + "\n\tON " + d.where(alias, key) + condition + "\n\tSET " + pairs[2:]
}

// deleteListed deletes the rows of a table that are listed by key.
func (d *Dialect) deleteListed(table, alias string, key []listColumn) string {
	if d.manyAsJSON {
		return "DELETE FROM " + table + " " + alias + " USING " + d.list(key) + "\n\tWHERE " +
			d.where(alias, key)
	}
	return "DELETE " + alias + " FROM " + d.list(key) + "\n\tSTRAIGHT_JOIN " + table + " " +
		alias + d.primaryIndex + "\n\tON " + d.where(alias, key)
}

var (
	conversationKey = []listColumn{{"workspace", text}, {"id", id}}
	placeKey        = Places.All.listed()
	listedUpdates   = Conversations.All.where(func(c *Column[convo.Conversation]) bool {
		return c.use != immutable || c.name == "workspace" || c.name == "id"
	})
)

// asJSON is how values are spelled in a list.
var asJSON = Dialect{idsAsText: true}

// jsonRows is a JSON list of rows, of which the last ones have more members.
type jsonRows struct {
	b []byte
	n int
}

func (l *jsonRows) begin() []byte {
	if l.n++; l.n == 1 {
		return append(l.b, '[')
	}
	return append(l.b, ',')
}

// key adds a row with a workspace and an id, to go on with.
func (l *jsonRows) key(workspace string, id uuid.UUID) {
	l.b = appendQuoted(append(l.begin(), `{"workspace":`...), workspace)
	l.b = appendQuoted(append(l.b, `,"id":`...), id.String())
}

func (l *jsonRows) number(name string, n int64) {
	l.b = append(append(append(l.b, `,"`...), name...), `":`...)
	l.b = strconv.AppendInt(l.b, n, 10)
}

// member adds one that is JSON already.
func (l *jsonRows) member(name, value string) {
	l.b = append(append(append(append(l.b, `,"`...), name...), `":`...), value...)
}

func (l *jsonRows) end() { l.b = append(l.b, '}') }

// statement is one that writes l.
func (l *jsonRows) statement(text string) Listed {
	return Listed{text, []any{string(l.b) + "]"}, l.n}
}

// UpdateMany are the statements that write rows of conversations that are there, and have them
// stand where they belong in lists, but for places that are new.
func (d *Dialect) UpdateMany(rows []*convo.ConversationRow) (all []Listed) {
	var updates, inactive, active, gone, moved jsonRows
	for _, r := range rows {
		updates.b = listedUpdates.appendObject(updates.begin(), &asJSON, &r.Conversation)
		updates.b = updates.b[:len(updates.b)-1]
		updates.asLoaded(r)
		updates.end()
		switch r.Listing {
		case convo.RowRemoved:
			inactive.key(r.Workspace, r.ID)
			inactive.end()
		case convo.RowUpdated:
			active.b = Actives.All.appendObject(active.begin(), &asJSON, &r.Conversation)
		}
		for _, m := range MovesOf(r) {
			l := &gone
			switch m.Action {
			case convo.RowKept, convo.RowAdded:
				continue
			case convo.RowUpdated:
				l = &moved
			}
			l.key(r.Workspace, r.ID)
			l.number("list", int64(m.Was.List))
			l.number("at", m.Was.At)
			if l == &moved {
				l.number("list_now", int64(m.Is.List))
				l.number("at_now", m.Is.At)
			}
			l.end()
		}
	}
	mutable := Conversations.Mutable.listed()
	all = append(all, updates.statement(d.updateListed("convo_conversations", "cv",
		conversationKey, mutable, slices.Concat(mutable, loadedColumns),
		" AND "+asLoaded("cv.", inListed))))
	if inactive.n > 0 {
		all = append(all,
			inactive.statement(d.deleteListed("convo_active", "ac", conversationKey)))
	}
	if active.n > 0 {
		set := Actives.Mutable.listed()
		all = append(all, active.statement(
			d.updateListed("convo_active", "ac", conversationKey, set, set, "")))
	}
	if gone.n > 0 {
		all = append(all, gone.statement(d.deleteListed("convo_places", "pl", placeKey)))
	}
	if moved.n > 0 {
		all = append(all, moved.statement(d.updateListed("convo_places", "pl", placeKey,
			[]listColumn{{"list", count}, {"at", bigInt}},
			[]listColumn{{"list_now", count}, {"at_now", bigInt}}, "")))
	}
	return all
}

// NewPlaces are the places that rows of conversations have in lists and had not before.
func NewPlaces(rows []*convo.ConversationRow) (all []Placed) {
	for _, r := range rows {
		for _, m := range MovesOf(r) {
			if m.Action == convo.RowAdded {
				all = append(all, Placed{r.Conversation, m.Is})
			}
		}
	}
	return all
}
