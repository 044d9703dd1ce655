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

// schemaVersion is the version of the schema that this package reads and writes.
const schemaVersion = 3

// Migrations are the schema's migrations as plain SQL files, in goose's format, for hosts that run
// them with a tool of their own. Open looks for the version where Migrate writes it: in goose's
// table, under the name of the prefix and "schema". Config.DB may be nil.
func (c Config) Migrations() (fs.FS, error) {
	e, err := c.engine()
	if err != nil {
		return nil, err
	}
	dir := "migrations/" + e.Folder
	files, err := migrations.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := fstest.MapFS{}
	for _, f := range files {
		text, err := migrations.ReadFile(dir + "/" + f.Name())
		if err != nil {
			return nil, err
		}
		text = bytes.ReplaceAll(text, []byte(DefaultPrefix), []byte(c.prefix()))
		out[f.Name()] = &fstest.MapFile{Data: text, Mode: 0o444}
	}
	return out, nil
}

// Migrate brings the schema to the version that this package needs. It is safe to call from any
// number of processes at once, and does nothing when the version is there. It is never called
// implicitly. On PostgreSQL DB must lead to the server itself, not to a pooler in transaction mode,
// with which the lock would stay behind: such a pooler is refused where it can be told.
func (c Config) Migrate(ctx context.Context) error { return c.MigrateTo(ctx, schemaVersion) }

// MigrateTo brings the schema up or down to a version. Down to 0 drops all tables, with all that is
// in them.
func (c Config) MigrateTo(ctx context.Context, version int64) error {
	e, err := c.engine()
	if err == nil {
		err = c.checkDB()
	}
	if err != nil {
		return err
	}
	if version < 0 || version > schemaVersion {
		return &convo.ValidationError{
			Field: "version", Rule: fmt.Sprintf("must be from 0 to %d", schemaVersion),
		}
	}
	p, err := c.provider(e)
	if err == nil && c.Dialect == PostgreSQL {
		err = wrapMigration(e, checkDirect(ctx, c.DB))
	}
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := migrate(ctx, p, version)
		if err == nil || e.migrationLock != nil || errors.Is(err, errNewer) || futile(err) ||
			try == 20 || ctx.Err() != nil {
			return wrapMigration(e, err)
		}
		// Without a lock, as on SQLite, two may begin at once: the one that is late looks again.
		timer := time.NewTimer(rand.N(20 * time.Millisecond << min(try, 5)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

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

// errNewer is not worth another try.
var errNewer = errors.New("update the package")

func wrapMigration(d *engine, err error) error {
	if err != nil {
		return fmt.Errorf("sqlstore: migrating %s: %w", d.Name, err)
	}
	return nil
}

func migrate(ctx context.Context, p *goose.Provider, version int64) error {
	now, err := p.GetDBVersion(ctx)
	switch {
	case err != nil:
		return err
	case now > schemaVersion:
		return fmt.Errorf("%w: the schema has version %d, which is newer than %d, the one of this "+
			"package", errNewer, now, schemaVersion)
	case now < version:
		_, err = p.UpTo(ctx, version)
	case now > version:
		_, err = p.DownTo(ctx, version)
	}
	return err
}

// gooseDialects are goose's names for the engines.
var gooseDialects = map[Dialect]database.Dialect{
	SQLite:     database.DialectSQLite3,
	PostgreSQL: database.DialectPostgres,
	MariaDB:    database.DialectMySQL,
}

func (c Config) provider(e *engine) (*goose.Provider, error) {
	files, err := c.Migrations()
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

// advisoryLock is PostgreSQL's lock by number.
func advisoryLock(prefix string) (lock.SessionLocker, error) {
	return lock.NewPostgresSessionLocker(
		lock.WithLockID(lockID(prefix)), lock.WithLockTimeout(1, 60))
}

// lockID tells the locks of different prefixes apart.
func lockID(prefix string) int64 {
	id := int64(1)
	for _, c := range prefix {
		id = id*31 + int64(c)
	}
	return id
}

// namedLock is MariaDB's lock by name, held by a connection.
type namedLock string

func newNamedLock(prefix string) (lock.SessionLocker, error) {
	return namedLock(prefix + "schema"), nil
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

// checkSchema demands the version of the schema that this package needs.
func checkSchema(ctx context.Context, s *Store) error {
	var version int64
	err := s.db.QueryRowContext(ctx,
		"SELECT COALESCE(MAX(version_id), 0) FROM "+s.prefix+"schema").Scan(&version)
	switch {
	case err != nil && s.d.settled(err):
		return fmt.Errorf("there is no schema with the prefix %q: run Config.Migrate first (%w)",
			s.prefix, err)
	case err != nil:
		return err
	case version < schemaVersion:
		return fmt.Errorf("the schema has version %d, and %d is needed: run Config.Migrate",
			version, schemaVersion)
	case version > schemaVersion:
		return fmt.Errorf("the schema has version %d, which is newer than %d: update this package",
			version, schemaVersion)
	}
	return nil
}
