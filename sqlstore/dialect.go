package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Dialect is the database engine that a Store speaks to.
type Dialect int

// The engines. SQLite is 3.37 or later, PostgreSQL 13 or later, MariaDB 10.6 or later (not MySQL: see the package's
// documentation).
const (
	SQLite Dialect = iota + 1
	PostgreSQL
	MariaDB
)

func (d Dialect) String() string {
	if s := dialects[d]; s != nil {
		return s.name
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

var dialects = map[Dialect]*dialect{SQLite: &sqlite, PostgreSQL: &postgres, MariaDB: &mariadb}

// dialect is what differs between the engines.
type dialect struct {
	name     string
	folder   string              // of the migrations
	goose    string              // goose's name for it
	numbered bool                // placeholders are $1, $2, …, not ?
	id       func(uuid.UUID) any // what an id is bound as

	// packed is the thread as one text, its columns one after the other between packedBy, for a driver that takes its time for
	// every column. The last one is the only one that may hold packedBy itself.
	packed string

	// insertOnce makes of an INSERT one that writes nothing, and says so by the count of rows, where a row with the same
	// key is there. Without it, the engine's own error says so, and leaves the transaction as it was.
	insertOnce string
	// upsertCycle makes of the INSERT of a cycle one that amends the row that is there.
	upsertCycle string
	// upsertRollups makes an INSERT of rollups replace the rows that are there.
	upsertRollups string

	conflicts []string // codes of errors that say: somebody else was faster, try again
	taken     string   // the code of a violated unique key, which is one of them
	unsettled []string // codes of errors that leave it open whether a statement was carried out

	// lock makes of a SELECT of a contact k and its conversation c one that holds both until the transaction ends; with
	// join, where that needs that both are there.
	lock     string
	lockJoin string
	// level is asked for in the store's own transactions.
	level sql.IsolationLevel
	// pendingIndex is an index hint: stale statistics make planners avoid the index of pending cycles.
	pendingIndex string
	// snapshot is asked for to read several times as of one moment.
	snapshot sql.IsolationLevel

	check func(ctx context.Context, s *Store) error
	// commit carries out a change of one conversation in one round trip; done is false when the change is another one.
	commit func(ctx context.Context, s *Store, ch *convo.Change) (done bool, err error)
}

// text is a statement as the engine takes it: with its placeholders and the prefix of the tables.
func (d *dialect) text(statement, prefix string) string {
	statement = strings.Replace(statement, thread, cmp.Or(d.packed, threadColumns), 1)
	if prefix != DefaultPrefix {
		statement = strings.ReplaceAll(statement, DefaultPrefix, prefix)
	}
	if d.goose == "sqlite3" && !strings.Contains(statement, byValue) {
		// Else SQLite, once ANALYZE has left samples of the values, plans a prepared statement again for each new value.
		return strings.ReplaceAll(statement, "?", "+?")
	}
	if !d.numbered {
		return statement
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// held is a load that holds what it finds.
func (d *dialect) held(load string) string {
	if d.lockJoin != "" {
		load = strings.Replace(load, latestOf, d.lockJoin, 1)
		if strings.HasSuffix(load, "AND k.id = ?") { // not a merged one: its root is held first, as a merge holds it
			load += " AND k.merged_into IS NULL"
		}
	}
	return load + d.lock
}

func idBytes(id uuid.UUID) any { return id[:] }

func idText(id uuid.UUID) any { return id.String() }

// marks are n placeholders.
func marks(n int) string { return strings.Repeat(", ?", n)[2:] }

// marksOf is a placeholder for each of the columns.
func marksOf(columns string) string { return marks(strings.Count(columns, ",") + 1) }

// sets are assignments to the columns.
func sets(columns string) string {
	return strings.Join(strings.Split(strings.Join(strings.Fields(columns), " "), ", "), " = ?, ") + " = ?"
}
