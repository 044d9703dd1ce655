package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/chatlifecycle/convo"
)

//go:embed migrations
var migrations embed.FS

// build is what a build of this package knows. Tests have one of the next version.
type build struct {
	version int64 // of the schema
	oldest  int64 // the lowest one that it can work with
	// files has a folder of migrations for each engine; each of them is read in its order.
	files []fs.FS
}

var thisBuild = build{SchemaVersion, oldestSchema, []fs.FS{embedded()}}

func embedded() fs.FS {
	files, _ := fs.Sub(migrations, "migrations") // which is there
	return files
}

// Migrations are the schema's migrations as plain SQL files, in goose's format, for hosts that run
// them with a tool of their own. Open looks for the version where they write it themselves, so the
// tool may keep its own where it likes; Migrate goes on from goose's table under the name of the
// prefix and "schema". Config.DB may be nil.
func (c Config) Migrations() (fs.FS, error) {
	e, err := c.engine()
	if err != nil {
		return nil, err
	}
	return c.migrationsOf(thisBuild, e)
}

func (c Config) migrationsOf(b build, e *engine) (fs.FS, error) {
	out := fstest.MapFS{}
	for _, folders := range b.files {
		files, err := fs.ReadDir(folders, e.Folder)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			text, err := fs.ReadFile(folders, e.Folder+"/"+f.Name())
			if err != nil {
				return nil, err
			}
			text = bytes.ReplaceAll(text, []byte(DefaultPrefix), []byte(c.prefix()))
			out[f.Name()] = &fstest.MapFile{Data: text, Mode: 0o444}
		}
	}
	return out, nil
}

// Migrate brings the schema to the version that this package needs. It is safe to call from any
// number of processes at once, also while others work; see docs/upgrades.md. It does nothing when
// the version is there, or a later one that this package may write; when it may not, the error is
// ErrSchemaNew. It is never called implicitly.
//
// A statement that would wait for a table for more than half a second (MariaDB: a second) gives
// up, so that nobody queues behind it, and is tried again for a minute. What was done by then stays
// done: Migrate goes on from there when it is called again.
//
// On PostgreSQL DB must lead to the server itself, not to a pooler in transaction mode, with which
// the lock of migrations would stay behind: such a pooler is refused where it can be told.
func (c Config) Migrate(ctx context.Context) error {
	return c.migrateTo(ctx, thisBuild, SchemaVersion, false)
}

// MigrateTo brings the schema up or down to a version, from 0 to SchemaVersion. Down to 0 drops all
// tables, with all that is in them. From a version that is later than SchemaVersion only a build
// that knows it can go down: the error is ErrSchemaNew. Before you go down, stop the processes
// whose build needs what goes.
func (c Config) MigrateTo(ctx context.Context, version int64) error {
	return c.migrateTo(ctx, thisBuild, version, true)
}

// lockPatience is how long Migrate tries again what waits for a table in vain.
const lockPatience = time.Minute

func (c Config) migrateTo(ctx context.Context, b build, version int64, exactly bool) error {
	e, err := c.engine()
	if err == nil {
		err = c.checkDB()
	}
	if err != nil {
		return err
	}
	if version < 0 || version > b.version {
		return &convo.ValidationError{
			Field: "version", Rule: fmt.Sprintf("must be from 0 to %d", b.version),
		}
	}
	p, err := c.provider(b, e)
	if err == nil && c.Dialect == PostgreSQL {
		err = wrapMigration(e, checkDirect(ctx, c.DB))
	}
	if err != nil {
		return err
	}
	begun := time.Now()
	for try := 0; ; try++ {
		err := c.migrate(ctx, p, b, version, exactly)
		if err == nil || ctx.Err() != nil || !e.triesAgain(err, try, time.Since(begun)) {
			return wrapMigration(e, err)
		}
		timer := time.NewTimer(rand.N(20 * time.Millisecond << min(try, 5)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// triesAgain says whether a migration that failed is tried once more. Without a lock of migrations,
// as on SQLite, two may begin at once: the one that is late looks again. With one, what waited for
// a table in vain lets those through that have queued behind it, and waits anew.
func (e *engine) triesAgain(err error, try int, since time.Duration) bool {
	switch {
	case errors.Is(err, ErrSchemaNew):
		return false
	case e.migrationLock == nil:
		return try < 20 && !futile(err)
	}
	return since < lockPatience && e.lockedOut(err)
}

// lockedOut reports whether a statement of a migration waited for a table in vain.
func (e *engine) lockedOut(err error) bool { return slices.Contains(e.lockTimeouts, codeOf(err)) }

// futile reports whether SQLite would say the same again: SQLITE_READONLY, SQLITE_CORRUPT,
// SQLITE_CANTOPEN, SQLITE_NOTADB.
func futile(err error) bool {
	code, _ := strconv.Atoi(codeOf(err))
	switch code & 0xff {
	case 8, 11, 14, 26:
		return true
	}
	return false
}

func wrapMigration(e *engine, err error) error {
	switch {
	case err == nil:
		return nil
	case e.lockedOut(err):
		return fmt.Errorf("sqlstore: migrating %s: a transaction holds a table for more than %s: "+
			"end it, and migrate again: %w", e.Name, lockPatience, err)
	}
	return fmt.Errorf("sqlstore: migrating %s: %w", e.Name, err)
}

// migrate goes version by version, so that what a migration sets for its session ends with it.
func (c Config) migrate(
	ctx context.Context, p *goose.Provider, b build, version int64, exactly bool,
) error {
	now, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if now > b.version {
		asks, err := asksOf(ctx, c.DB, c.prefix())
		if err == nil && (exactly || asks.minWriter > b.version) {
			err = asks.tooNew(b.version)
		}
		return err
	}
	for err == nil && now < version {
		now++
		_, err = p.UpTo(ctx, now)
	}
	for err == nil && now > version {
		now--
		_, err = p.DownTo(ctx, now)
	}
	return err
}

// gooseDialects are goose's names for the engines.
var gooseDialects = map[Dialect]database.Dialect{
	SQLite:     database.DialectSQLite3,
	PostgreSQL: database.DialectPostgres,
	MariaDB:    database.DialectMySQL,
	MySQL:      database.DialectMySQL,
	Dqlite:     database.DialectSQLite3,
}

func (c Config) provider(b build, e *engine) (*goose.Provider, error) {
	files, err := c.migrationsOf(b, e)
	if err != nil {
		return nil, err
	}
	table := c.prefix() + "schema"
	store, err := database.NewStore(gooseDialects[c.Dialect], table)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithStore(store), goose.WithDisableGlobalRegistry(true)}
	if e.migrationLock != nil {
		l, err := e.migrationLock(c.prefix())
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(l))
	}
	return goose.NewProvider("", c.DB, files, options...)
}

// patient is a lock of migrations under which the session does not wait for a table for long: who
// comes later waits behind it, readers too.
type patient struct {
	lock.SessionLocker
	begin, end string // statements that bound how long it waits, and that undo it
}

func (p *patient) SessionLock(ctx context.Context, c *sql.Conn) error {
	err := p.SessionLocker.SessionLock(ctx, c)
	if err != nil {
		return err
	}
	if _, err = c.ExecContext(ctx, p.begin); err != nil {
		err = errors.Join(err, p.SessionLocker.SessionUnlock(context.WithoutCancel(ctx), c))
	}
	return err
}

func (p *patient) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, p.end)
	return errors.Join(err, p.SessionLocker.SessionUnlock(ctx, c))
}

// advisoryLock is PostgreSQL's lock by number.
func advisoryLock(prefix string) (lock.SessionLocker, error) {
	l, err := lock.NewPostgresSessionLocker(
		lock.WithLockID(lockID(prefix)), lock.WithLockTimeout(1, 60))
	return &patient{l, "SET lock_timeout = '500ms'", "RESET lock_timeout"}, err
}

// lockID tells the locks of different prefixes apart.
func lockID(prefix string) int64 {
	id := int64(1)
	for _, c := range prefix {
		id = id*31 + int64(c)
	}
	return id
}

// namedLock is a lock by name of MariaDB and MySQL, held by a connection.
type namedLock string

func newNamedLock(prefix string) (lock.SessionLocker, error) {
	return &patient{
		namedLock(prefix + "schema"),
		"SET @convo_waited = @@lock_wait_timeout, lock_wait_timeout = 1", // whole seconds
		"SET lock_wait_timeout = @convo_waited",
	}, nil
}

func (l namedLock) SessionLock(ctx context.Context, c *sql.Conn) error {
	var name sql.NullString
	var got sql.NullInt64
	err := c.QueryRowContext(ctx,
		"SELECT DATABASE(), GET_LOCK(CONCAT(LEFT(MD5(DATABASE()), 16), ?), 60)", string(l)).
		Scan(&name, &got)
	switch {
	case err != nil:
		return err
	case !name.Valid:
		return errNoDatabase
	case !got.Valid:
		return errors.New("the server did not give the lock of migrations: try again")
	case got.Int64 != 1:
		return errors.New("another process migrates for more than a minute: try again")
	}
	return nil
}

func (l namedLock) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "DO RELEASE_LOCK(CONCAT(LEFT(MD5(DATABASE()), 16), ?))", string(l))
	return err
}
