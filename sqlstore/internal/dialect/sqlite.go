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
	if strings.Contains(statement, byValue) {
		return statement
	}
	return strings.ReplaceAll(statement, "?", "+?")
}

// snapshotAsText spells ids in hexadecimal, and gives NULL as an empty text. The last column is the
// only one that may hold the separator.
var snapshotAsText = func() string {
	columns := asText(Contacts.Read, "ct")
	columns = append(columns, "hex("+otherActiveID+")", hasConversation)
	columns = append(columns, asText(Conversations.Read, "cv")...)
	format := strings.Repeat(unitSeparator+"%s", len(columns))[len(unitSeparator):]
	return "format('" + format + "',\n\t" + strings.Join(columns, ", ") + ")"
}()

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
