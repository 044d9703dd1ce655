package sqlstore

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/pressly/goose/v3/lock"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Dialect is the database engine that a Store speaks to.
type Dialect int

// The engines. SQLite is 3.38 or later, PostgreSQL 13 or later, MariaDB 10.6 or later. MySQL is for
// servers that speak as MySQL 8.0 does and have none of MariaDB's blocks. It was tested on
// MariaDB's servers, which know its words, too, not on MySQL's own: see the README of this folder.
// Dqlite is SQLite that several servers have copies of, 1.11 or later. Its tables are SQLite's.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
	MariaDB
	MySQL
	Dqlite
)

func (d Dialect) String() string {
	if e := engines[d]; e != nil {
		return e.Name
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

// engine is what differs between the engines: what is said to them, and what is done with them.
type engine struct {
	*dialect.Dialect
	// oneWriter says that one transaction writes at a time: see writer.
	oneWriter bool
	// many says that an import is quicker with many rows in a statement. Where there are no round
	// trips, and a driver looks for each argument among all of them, it is not.
	many bool
	// lists says that a statement can update the rows that it is given a list of.
	lists bool
	// check returns what is wrong with how the engine is set up.
	check func(ctx context.Context, s *Store) error
	// commit carries out a change of one conversation in one round trip; done is false when the
	// change is another one. nil: there are no round trips.
	commit func(ctx context.Context, s *Store, ch *convo.Change) (done bool, err error)
	// one carries out a statement of its own transaction that answers a number.
	one func(s *Store, ctx context.Context, statement string, args []any) (dialect.Int, error)
	// inTransaction reports whether a transaction is still there, after an error in it.
	inTransaction func(context.Context, *sql.Tx) bool
	// asked says that inTransaction is asked before a savepoint is set, for that fails nowhere:
	// where no transaction is, SQLite begins one, and MySQL does nothing.
	asked bool
	// aborts says that after an error a transaction can only be rolled back, at least to a
	// savepoint.
	aborts bool
	// migrationLock lets one process at a time migrate; nil: the engine has no such lock, and a
	// process that was late tries again.
	migrationLock func(prefix string) (lock.SessionLocker, error)
	// lockTimeouts are the codes of a wait for a table that was given up, or for a deadlock.
	lockTimeouts []string
	// readsRanges is said first in a transaction that reads many ranges of an index; empty: the
	// engine reads each of them by the index, and nothing else.
	readsRanges string
}

// waitsOfInnoDB are ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK.
var waitsOfInnoDB = []string{"1205", "1213"}

var engines = map[Dialect]*engine{
	SQLite: {
		Dialect: &dialect.SQLite, oneWriter: true, check: checkSQLite,
		inTransaction: inTransactionOfSQLite, asked: true,
	},
	PostgreSQL: {
		Dialect: &dialect.PostgreSQL, many: true, lists: true, check: checkPostgres,
		commit:        commitPostgres,
		one:           (*Store).number,
		inTransaction: inTransactionOfPostgres, aborts: true, migrationLock: advisoryLock,
		lockTimeouts: []string{"55P03", "40P01"}, // lock_not_available, deadlock_detected
		// It would start workers for a few hundred rows, or guess that each range may be anything.
		readsRanges: "SELECT set_config('max_parallel_workers_per_gather', '0', true), " +
			"set_config('plan_cache_mode', 'force_custom_plan', true)",
	},
	MariaDB: {
		Dialect: &dialect.MariaDB, many: true, lists: true, check: checkMariaDB,
		commit: commitMariaDB, one: (*Store).block,
		inTransaction: inTransactionOfMariaDB, migrationLock: newNamedLock,
		lockTimeouts: waitsOfInnoDB,
	},
	MySQL: {
		Dialect: &dialect.MySQL, many: true, check: checkMySQL,
		inTransaction: inTransactionOfMySQL, asked: true, migrationLock: newNamedLock,
		lockTimeouts: waitsOfInnoDB,
	},
	Dqlite: {
		Dialect: &dialect.Dqlite, oneWriter: true, check: checkDqlite,
		inTransaction: inTransactionOfSQLite, asked: true,
	},
}
