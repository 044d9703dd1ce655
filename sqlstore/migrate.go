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
const schemaVersion = 2

// Migrations are the schema's migrations as plain SQL files, in goose's format, for hosts that run them with a tool of their own.
// New looks for the version where Migrate writes it: in goose's table, under the name of the prefix and "schema".
func Migrations(d Dialect, opts ...Option) (fs.FS, error) {
	dl, o, err := optionsOf(d, opts)
	if err != nil {
		return nil, err
	}
	dir := "migrations/" + dl.folder
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
		out[f.Name()] = &fstest.MapFile{Data: bytes.ReplaceAll(text, []byte(DefaultPrefix), []byte(o.prefix)), Mode: 0o444}
	}
	return out, nil
}

// Migrate brings the schema in db to the version that this package needs. It is safe to call from any number of processes at
// once, and does nothing when the version is there. It is never called implicitly.
func Migrate(ctx context.Context, db *sql.DB, d Dialect, opts ...Option) error {
	return MigrateTo(ctx, db, d, schemaVersion, opts...)
}

// MigrateTo brings the schema up or down to a version. Down to 0 drops all tables, with all that is in them.
func MigrateTo(ctx context.Context, db *sql.DB, d Dialect, version int64, opts ...Option) error {
	dl, o, err := optionsOf(d, opts)
	if err != nil {
		return err
	}
	if version < 0 || version > schemaVersion {
		return &convo.ValidationError{Field: "version", Rule: fmt.Sprintf("must be from 0 to %d", schemaVersion)}
	}
	p, err := provider(db, d, o, opts)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := migrate(ctx, p, version)
		if err == nil || dl.goose != "sqlite3" || errors.Is(err, errNewer) || futile(err) || try == 20 || ctx.Err() != nil {
			return wrapMigration(dl, err)
		}
		// SQLite has no lock but the one on the file, which goose does not take before it looks: whoever lost looks again.
		timer := time.NewTimer(rand.N(20 * time.Millisecond << min(try, 5)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// futile reports whether SQLite would say the same again: SQLITE_READONLY, SQLITE_CORRUPT, SQLITE_CANTOPEN, SQLITE_NOTADB.
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

func wrapMigration(d *dialect, err error) error {
	if err != nil {
		return fmt.Errorf("sqlstore: migrating %s: %w", d.name, err)
	}
	return nil
}

func migrate(ctx context.Context, p *goose.Provider, version int64) error {
	now, err := p.GetDBVersion(ctx)
	switch {
	case err != nil:
		return err
	case now > schemaVersion:
		return fmt.Errorf("%w: the schema has version %d, which is newer than %d, the one of this package", errNewer, now, schemaVersion)
	case now < version:
		_, err = p.UpTo(ctx, version)
	case now > version:
		_, err = p.DownTo(ctx, version)
	}
	return err
}

func provider(db *sql.DB, d Dialect, o options, opts []Option) (*goose.Provider, error) {
	files, err := Migrations(d, opts...)
	if err != nil {
		return nil, err
	}
	store, err := database.NewStore(database.Dialect(dialects[d].goose), o.prefix+"schema")
	if err != nil {
		return nil, err
	}
	po := []goose.ProviderOption{goose.WithStore(store), goose.WithDisableGlobalRegistry(true)}
	switch d {
	case PostgreSQL:
		l, err := lock.NewPostgresSessionLocker(lock.WithLockID(lockID(o.prefix)), lock.WithLockTimeout(1, 60))
		if err != nil {
			return nil, err
		}
		po = append(po, goose.WithSessionLocker(l))
	case MariaDB:
		po = append(po, goose.WithSessionLocker(namedLock(o.prefix+"schema")))
	}
	return goose.NewProvider("", db, files, po...)
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

func (l namedLock) SessionLock(ctx context.Context, c *sql.Conn) error {
	var got sql.NullInt64
	err := c.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT(LEFT(MD5(DATABASE()), 16), ?), 60)", string(l)).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = errors.New("another process migrates for more than a minute: try again")
	}
	return err
}

func (l namedLock) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "DO RELEASE_LOCK(CONCAT(LEFT(MD5(DATABASE()), 16), ?))", string(l))
	return err
}

// checkSchema demands the version of the schema that this package needs.
func checkSchema(ctx context.Context, s *Store) error {
	var version int64
	err := s.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+s.prefix+"schema").Scan(&version)
	switch {
	case err != nil && s.d.settled(err):
		return fmt.Errorf("there is no schema with the prefix %q: run sqlstore.Migrate first (%w)", s.prefix, err)
	case err != nil:
		return err
	case version < schemaVersion:
		return fmt.Errorf("the schema has version %d, and %d is needed: run sqlstore.Migrate", version, schemaVersion)
	case version > schemaVersion:
		return fmt.Errorf("the schema has version %d, which is newer than %d: update this package", version, schemaVersion)
	}
	return nil
}
