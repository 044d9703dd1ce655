package dialect

import "strings"

// SQLite is the dialect of SQLite.
var SQLite = Dialect{
	Name:             "SQLite",
	Folder:           "sqlite",
	placeholders:     unsampled,
	oneColumn:        true,
	True:             "1",
	False:            "0",
	division:         "/",
	InsertOnce:       standardInsertOnce,
	InsertUnknownKey: strings.Replace(insertUnknownKey, "{values}", Keys.All.placeholders(), 1),
	Savepoint:        savepoint,
	upsertDelivery:   standardUpsertDelivery,
	UpsertCycle:      standardUpsertCycle,
	rollupKey:        "(?, ?, ?, ?, ?)",
	UpsertRollups:    standardUpsertRollups,
	KeepQueued:       standardInsertOnce,
	RestartQueued:    standardRestartQueued,
	// SQLITE_BUSY, SQLITE_LOCKED, SQLITE_BUSY_RECOVERY, SQLITE_BUSY_SNAPSHOT, and unique keys,
	// primary ones and others.
	Conflicts:       []string{"5", "6", "261", "517", "1555", "2067"},
	UniqueViolation: "2067",
	lateRows:        true,
	straightJoin:    "CROSS JOIN",
}

// unsampled keeps SQLite from planning a prepared statement again for each new value, which it does
// once ANALYZE has left samples of the values.
func unsampled(statement string) string {
	return strings.ReplaceAll(statement, "?", "+?")
}

// snapshotAsText spells ids in hexadecimal, and gives NULL as an empty text. The last column is the
// only one that may hold the separator.
var snapshotAsText = func() string {
	columns := asText(Contacts.Read, "ct")
	columns = append(columns, "hex("+otherActiveID+")", hasConversation)
	columns = append(columns, asText(Conversations.Read, "cv")...)
	return AsOneColumn(columns)
}()

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
		return asText(columns, alias)
	}
	return columns.qualified(alias)
}

func asText[R any](columns Columns[R], alias string) []string {
	var out []string
	for _, c := range columns {
		name := alias + "." + c.name
		if c.kind == id {
			name = "hex(" + name + ")"
		}
		out = append(out, name)
	}
	return out
}
