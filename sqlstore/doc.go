// Package sqlstore is convo's store on a database: SQLite, PostgreSQL, MariaDB or MySQL, over
// database/sql. It imports no driver; the host imports the one that it likes. A [Config] says where
// the tables are; what makes them and what opens them are its methods.
//
//	import _ "modernc.org/sqlite" // or jackc/pgx/v5/stdlib, or go-sql-driver/mysql
//
//	db, err := sqlstore.OpenSQLite("sqlite", "convo.sqlite") // or sql.Open("pgx", dsn)
//	config := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
//	err = config.Migrate(ctx) // when you deploy; nothing else calls it
//	store, err := config.Open(ctx)
//	engine, err := convo.New(store)
//
// # What it promises
//
// The database itself refuses a second active conversation of a contact (by a unique slot), a key
// that is there, and a change of a row that has another version than the decision was made on. This
// holds under every isolation level. A serialization failure, a deadlock or a lock that came too
// late is reported as convo.ErrConflict; the Engine retries, under a lock from the second attempt
// on.
//
// A commit is all or nothing. When the connection is lost on the way, the store looks for the
// events of the commit. If they are not there, it fails with convo.ErrCommitUnknown; repeated with
// the same idempotency key, the call is applied once. A driver's word that a statement is safe to
// repeat is not relied on.
//
// [Store.WithTx] works in the host's own transaction. Every statement is parameterised, and leads
// from the workspace; only the search for timers goes over all workspaces.
//
// # How it works with each engine
//
// A call is two round trips to PostgreSQL and to MariaDB: a read, and one statement (or block) that
// writes everything or nothing. A commit of several conversations or contacts, such as a merge,
// takes a transaction of a few statements; with the dialect MySQL, every commit does. SQLite has
// one writer at a time; commits that wait meanwhile are written together, in one transaction.
// Statements are prepared once and kept. What each command sends can be read in testdata/sql.
//
// Identifiers are compared byte for byte, and times are UTC microseconds in integer columns, on
// every engine.
//
// # Reports
//
// A Store aggregates for package report. Call [Store.Rollup] in the background to keep long reports
// quick; they are the same without it, except percentiles, which are at most 1 % off with it.
//
// The schema, what the settings of each engine must be, and what other engines would need, is in
// the README of this folder.
package sqlstore
