// Package dialect is what sqlstore says to a database: the table of columns, and each statement in
// the words of each engine. It asks for nothing and runs nothing: that is package sqlstore's.
package dialect

import (
	"cmp"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// DefaultPrefix begins the names of tables and indexes in all statements here.
const DefaultPrefix = "convo_"

// Dialect is what differs between the engines in what is said to them.
type Dialect struct {
	Name   string
	Folder string // of the migrations

	// placeholders gives a statement the engine's own, instead of ?; nil: they are its own.
	placeholders func(statement string) string
	// idsAsText binds ids as text instead of their 16 bytes.
	idsAsText bool
	// MaxArgs is how many arguments a statement may have, where an engine has a bound that lists of
	// rows would exceed; 0: it has none. See AtOnce.
	MaxArgs int
	// ShortNames has the columns of reports named shortly: an engine has a bound on all names of a
	// result together, and an expression is its own name otherwise.
	ShortNames bool
	// oneColumn has Load select a snapshot as one text, for a driver whose cost per column
	// dominates: modernc.org/sqlite, and pgx, which makes two objects of each.
	oneColumn bool

	// True and False are the literals of what is in a column of flags.
	True, False string
	// division rounds integers down.
	division string

	// InsertOnce makes of an INSERT one that writes nothing, and says so by the count of rows,
	// where a row with the same key is there. Without it, the engine's own error says so, and
	// leaves the transaction as it was.
	InsertOnce string
	// InsertUnknownKey inserts a key, unless its KeyID finds one: with the arguments of InsertKey
	// and of KnownKey. Empty: it is to be asked before, for there the two together would lock more.
	InsertUnknownKey string
	// NoReturning says that the engine has no RETURNING: what was written is read by a statement of
	// its own.
	NoReturning bool
	// manyAsJSON says that many rows are inserted out of one argument: a statement with as many
	// arguments as they have values costs more to plan than to carry out.
	manyAsJSON bool
	// UpsertCycle makes of the INSERT of a cycle one that amends the row that is there.
	UpsertCycle string
	// upsertDelivery makes of an INSERT of receipts one that keeps the furthest.
	upsertDelivery string
	// KeepQueued makes of InsertQueued one that leaves alone what is there.
	KeepQueued string
	// RestartQueued makes of an INSERT of the queue one that says: from the first event on.
	RestartQueued string
	// rollupKey is the key of a row of the rollups, within a workspace, in a list of VALUES. Empty:
	// the engine takes no such list with placeholders in it.
	rollupKey string
	// UpsertRollups makes an INSERT of rollups replace the rows that are there.
	UpsertRollups string

	// Conflicts are the codes of errors that mean: a race was lost, try again.
	Conflicts []string
	// UniqueViolation is the one of them for a violated unique key.
	UniqueViolation string
	// NotCarriedOut are the codes, or the two characters of their class, of errors that are the
	// engine's own word that a statement was not carried out. After any other, also one that a
	// pooler made up, it may have been, or may be in a moment. nil: they all are, for the engine is
	// in this process.
	NotCarriedOut []string
	// Savepoint begins one, and fails where no transaction is: a statement of the host's own may
	// have ended it before.
	Savepoint string

	// TakeWriteLock changes nothing, and takes the lock of all writes, where BEGIN does not; empty:
	// BEGIN does, or there is no such lock.
	TakeWriteLock string
	// Lock makes of a SELECT one that holds its rows until the transaction ends; empty: the
	// transaction holds everything.
	Lock string
	// LockOfBoth says that Lock wants a contact and a conversation which are both there, and shows
	// them as they are after the waiting, but all else as it was before: then Load reads again.
	LockOfBoth bool
	// takeNotes is TakeNotes; empty: the engine has none.
	takeNotes string
	// upsertWaiting is what comes behind InsertWaiting.
	upsertWaiting string
	// upsertHead is what comes behind moveFeedHead.
	upsertHead string
	// lockFree makes of a SELECT one that holds its rows, but for those that somebody else holds.
	lockFree string
	// dueIndex and primaryIndex are index hints: the engine may read, and hold, all that is due.
	dueIndex, primaryIndex string
	// loadHints gives the tables of the statements of Load, by their aliases, index hints; nil: the
	// engine does not ask each index anew at every execution.
	loadHints *strings.Replacer
	// Isolation is asked for in the store's own transactions.
	Isolation sql.IsolationLevel
	// SnapshotIsolation is asked for to read several times as of one moment.
	SnapshotIsolation sql.IsolationLevel

	// listIndexes has a listing use one of the indexes %s; empty: the engine chooses well by
	// itself. Else it may read from the top of the listing down to the page, or filter the listing
	// of all.
	listIndexes string
	// straightJoin joins two tables in the order in which they are named; empty: the engine has no
	// word for it.
	straightJoin string
	// namesIndex: see Dialect.indexedBy.
	namesIndex bool
	// withTies has a listing whose index has only a part of its order read to the end of a tie.
	// MariaDB has the word, but reads all for it.
	withTies bool
	// rangesOfIndex says that the places behind several values in an index are found by an OR of
	// comparisons, and not by one of rows.
	rangesOfIndex bool
	// lateRows has a listing of two parts look rows up last; else the engine puts them all into
	// files, for their texts.
	lateRows bool

	// LoadsInTransaction are the statements of Load as they are sent in the host's transaction,
	// where they select a mark of it first: NULL, or what the arguments begin with of a statement
	// for a class that is InTransaction. nil: a statement itself sees whether a transaction is
	// there.
	LoadsInTransaction map[string]string
	// Compose is the statement that carries out any change of a class; nil: the engine has none.
	Compose func(ChangeClass) string
	// ComposeArgs are its arguments.
	ComposeArgs func(*Dialect, ChangeClass, *convo.Change) []any
	// SharedPart is a change as a part of a statement for several, which Share puts together: what
	// Compose is asked for, and the arguments. nil: those who wait share a transaction.
	SharedPart func(ch *convo.Change, noted bool) SharedPart
	Share      func(parts []SharedPart, noted bool) (ChangeClass, []any)
}

// skipLocked makes of a SELECT one that holds its rows, but for those that somebody else holds.
const skipLocked = " FOR UPDATE SKIP LOCKED"

const savepoint = "SAVEPOINT convo"

// ID is an id as an argument.
func (d *Dialect) ID(id uuid.UUID) any {
	if d.idsAsText {
		return id.String()
	}
	return id[:]
}

// Boolean is the literal of b.
func (d *Dialect) Boolean(b bool) string {
	if b {
		return d.True
	}
	return d.False
}

// Slot is how many widths a time is behind another one, which it is not before. The two, first the
// other time, are the statement's next arguments.
func (d *Dialect) Slot(at string) string { return "(" + at + " - ?) " + d.division + " ?" }

// StoredRollups selects columns of so many rows of the rollups, by their keys. Its arguments are,
// of each, dimension, subject, slot_micros, slot_number and dimension_value, and then their
// workspace.
func (d *Dialect) StoredRollups(columns string, rows int) string {
	list := func(key, separator string) string {
		return key + strings.Repeat(separator+key, rows-1)
	}
	if d.rollupKey == "" {
		return "SELECT " + columns + " FROM convo_rollups WHERE (" +
			list("(dimension = ? AND subject = ? AND slot_micros = ? AND slot_number = ? AND "+
				"dimension_value = ?)", " OR ") + ") AND workspace = ?"
	}
	return "WITH listed (d, s, w, n, v) AS (VALUES " + list(d.rollupKey, ", ") + ") SELECT " +
		columns + " FROM listed " + d.JoinInOrder() + " convo_rollups ON workspace = ? AND " +
		"dimension = d AND subject = s AND slot_micros = w AND slot_number = n AND " +
		"dimension_value = v"
}

// JoinInOrder joins two tables in the order in which they are named, if the engine has a word for
// that.
func (d *Dialect) JoinInOrder() string { return cmp.Or(d.straightJoin, "JOIN") }

// LockFree makes of a SELECT one that holds its rows, but for those that somebody else holds;
// empty: the transaction holds everything.
func (d *Dialect) LockFree() string { return d.lockFree }

// OneColumn reports whether a snapshot is read out of a text: see [OneColumn].
func (d *Dialect) OneColumn() bool { return d.oneColumn }

// Conflict reports whether an error with this code means that a race was lost.
func (d *Dialect) Conflict(code string) bool { return slices.Contains(d.Conflicts, code) }

// InProcess says that the engine is in this process: what it has not done when it answers will not
// be done, and its connections are not lost.
func (d *Dialect) InProcess() bool { return d.NotCarriedOut == nil }

// Settled reports whether an error with this code is the engine's own word that a statement was not
// carried out.
func (d *Dialect) Settled(code string) bool {
	return code != "" && (d.NotCarriedOut == nil ||
		slices.ContainsFunc(d.NotCarriedOut, func(c string) bool {
			return code == c || len(c) == 2 && strings.HasPrefix(code, c)
		}))
}

// Text is a statement as the engine takes it: with its placeholders and the prefix of the tables.
func (d *Dialect) Text(statement, prefix string) string {
	columns := snapshotColumns
	if d.oneColumn {
		columns = d.snapshotAsText()
	}
	if load := strings.Replace(statement, snapshotPlaceholder, columns, 1); load != statement {
		if statement = load; d.loadHints != nil {
			statement = d.loadHints.Replace(statement)
		}
	}
	if prefix != DefaultPrefix {
		statement = strings.ReplaceAll(statement, DefaultPrefix, prefix)
	}
	if d.placeholders != nil {
		statement = d.placeholders(statement)
	}
	return statement
}

// numbered makes $1, $2, … of placeholders.
func numbered(statement string) string {
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

// ForUpdate is one of the statements of Load that holds what it finds.
func (d *Dialect) ForUpdate(load string) string {
	if d.LockOfBoth {
		load = strings.Replace(load, latestConversation, latestThatIsThere, 1)
		if load == lockedContact { // not a merged one: its root is held first, as a merge holds it
			load += " AND ct.merged_into IS NULL"
		}
	}
	return load + d.Lock
}

var (
	latestThatIsThere = strings.Replace(latestConversation, "LEFT JOIN", "JOIN", 1)
	lockedContact     = strings.Replace(LoadContact, latestConversation, latestThatIsThere, 1)
)
