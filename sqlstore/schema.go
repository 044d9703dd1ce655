package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// SchemaVersion is the version of the schema that this package knows: it reads and writes this one,
// later ones that allow it, and the one before it, which it uses as the version before does.
const SchemaVersion = 3

// oldestSchema is the lowest version that this package can work with: the one before SchemaVersion,
// but none from before the first release.
const oldestSchema = 3

// What Config.Open, Migrate and MigrateTo say of a schema that this package cannot work with, for
// errors.Is.
var (
	// ErrSchemaOld: there is no schema, or one of a version that this package works with no more.
	ErrSchemaOld = errors.New("run Config.Migrate")
	// ErrSchemaNew: a later version of this package made the schema, and this one may not write it.
	ErrSchemaNew = errors.New("update this package")
)

// asked is what a version of the schema asks of those that use it: see the table of versions.
type asked struct{ version, minReader, minWriter int64 }

// asksOf reads what the schema asks.
func asksOf(ctx context.Context, db *sql.DB, prefix string) (a asked, err error) {
	err = db.QueryRowContext(ctx, "SELECT version, min_reader, min_writer FROM "+prefix+
		"versions ORDER BY version DESC LIMIT 1").Scan(&a.version, &a.minReader, &a.minWriter)
	return a, err
}

// tooNew says that a build that knows a version must not write the schema.
func (a *asked) tooNew(known int64) error {
	may := "neither read nor write"
	if a.minReader <= known {
		may = "read, but not write,"
	}
	if a.minWriter <= known {
		may = "read and write, but not take down,"
	}
	return fmt.Errorf("the schema has version %d, which is newer than %d, the one of this "+
		"package, which may %s it: %w", a.version, known, may, ErrSchemaNew)
}

// checkSchema demands a version of the schema that a build may write, and notes by which version
// the store goes. A store writes, so one that could only be read is refused.
func checkSchema(b build) func(context.Context, *Store) error {
	return func(ctx context.Context, s *Store) error {
		a, err := asksOf(ctx, s.db, s.prefix)
		switch {
		case errors.Is(err, sql.ErrNoRows) || err != nil && s.d.settled(err):
			return fmt.Errorf("there is no schema with the prefix %q: %w first (%w)",
				s.prefix, ErrSchemaOld, err)
		case err != nil:
			return err
		case a.version < b.oldest:
			return fmt.Errorf("the schema has version %d, and %d is needed: %w",
				a.version, b.oldest, ErrSchemaOld)
		case a.minWriter > b.version:
			return a.tooNew(b.version)
		}
		s.schema = min(a.version, b.version)
		return nil
	}
}
