// Package hook lets the tests in sqlstore/sqltest use what package sqlstore keeps to itself. They
// are a module of their own, for they need drivers, so they have no file in that package.
// sqlstore sets the variables when it is initialised; nothing but tests reads them. A store is a
// *sqlstore.Store: it has no name here, for sqlstore imports this package.
package hook

import (
	"context"
	"io/fs"
	"time"

	"github.com/chatlifecycle/convo"
)

var (
	// Unguarded is the store without what keeps races from doing harm. It commits statement by
	// statement.
	Unguarded func(store any) any

	// Shared is the store with each message committed by the statement that callers share, even
	// when there is one.
	Shared func(store any) any

	// SharedBy sends a statement for all of these changes, and returns which it wrote, as bits.
	SharedBy func(ctx context.Context, store any, changes []convo.Change) (written int64, err error)

	// Waiting is how many wait for their turn to write to a SQLite file, or to share a statement.
	Waiting func(store any) int

	// Patience is how long who waits to share a statement does so before somebody else leads.
	Patience func(store any, d time.Duration)

	// Remembered is of how many connections the prepared blocks are kept.
	Remembered func(store any) int

	// Alone runs f while no other call rolls up a workspace.
	Alone func(ctx context.Context, store any, workspace string, f func() error) error

	// Open opens a sqlstore.Config as a build that knows a version of the schema and can work with
	// the one before. It returns by which one the store goes, too.
	Open func(ctx context.Context, config any, known int64) (store any, schema int64, err error)

	// Migrate brings the schema of a sqlstore.Config up or down to a version, as a build that knows
	// another one and has more migrations: files in folders, each of an engine.
	Migrate func(ctx context.Context, config any, version, known int64, more fs.FS) error

	// Treated is how often it is said of a column, as "events.body", what an erasure does with it.
	Treated func() map[string]int
)
