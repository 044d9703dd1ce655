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
	upsertWaiting:    standardUpsertWaiting,
	upsertHead:       standardUpsertHead,
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
	namesIndex:      true,
}

// unsampled keeps SQLite from planning a prepared statement again for each new value, which it does
// once ANALYZE has left samples of the values.
func unsampled(statement string) string {
	return strings.ReplaceAll(statement, "?", "+?")
}
