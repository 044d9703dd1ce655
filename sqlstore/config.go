package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"github.com/chatlifecycle/convo"
)

// DefaultPrefix begins the names of all tables and indexes, unless Config.Prefix says otherwise.
const DefaultPrefix = "convo_"

// Config says where a Store keeps its tables. What makes the tables and what opens them go by the
// same one, so that they cannot disagree.
type Config struct {
	// DB stays the caller's to set up and to close.
	DB *sql.DB
	// Dialect is the engine of DB.
	Dialect Dialect
	// Prefix is what the names of all tables and indexes begin with: up to 32 lower-case letters,
	// digits and underscores. Default: DefaultPrefix. Of two prefixes in one database, none may be
	// the other one with contact_ behind it, for each would find tables of the other one.
	Prefix string
	// Unprepared sends every statement as a text. A store prepares its statements otherwise, and
	// keeps the 131 last used ones at most for each connection, which is faster; but behind a
	// pooler that gives each transaction another connection to the server (PgBouncer before 1.21 in
	// transaction mode) they are not there when they are to be used. The driver must not prepare
	// them either: pgx wants default_query_exec_mode=exec, simple_protocol or cache_describe in its
	// DSN, and go-sql-driver interpolateParams=true. Migrate must reach the server itself: it holds
	// a lock of its session.
	Unprepared bool
	// Outbox has the store note in each commit that there are events, for package relay, which
	// brings them to webhooks, queues and whoever follows them. Without a relay the notes only
	// become more. All processes of a database should go by the same: what one without it commits
	// is not sent.
	Outbox bool
	// Feed has relays also add what they take out of the outbox to a feed of each workspace, of
	// some hundred bytes for each commit: see relay.Feed. There is an outbox then, whatever Outbox
	// says. Rows stay until PruneFeed removes them. All processes of a database should go by the
	// same: what a relay without it brings out is in no feed.
	Feed bool
}

// Open returns a Store on the database. It checks that the schema is there: in the version that it
// knows, in the one before (from one before that on it is ErrSchemaOld: run Migrate first), or in a
// later one that it may write (else ErrSchemaNew). On the one before, the store works as the
// version before of this package does. Open also checks that the engine is set up as it must be; an
// error says what to change. A store that is open does not look again: open another one when
// Migrate has run.
func (c Config) Open(ctx context.Context) (*Store, error) { return c.open(ctx, thisBuild) }

func (c Config) open(ctx context.Context, b build) (*Store, error) {
	e, err := c.engine()
	if err != nil {
		return nil, err
	}
	if err := c.checkDB(); err != nil {
		return nil, err
	}
	s := newStore(c, e)
	for _, step := range []func(context.Context, *Store) error{
		e.check, checkSchema(b), prepare,
	} {
		if err := step(ctx, s); err != nil {
			return nil, fmt.Errorf("sqlstore: %s: %w", e.Name, s.explained(err))
		}
	}
	// a driver that writes values into the text may write two bytes for one
	if s.packet > 0 && s.sharing != nil {
		s.sharing.room = min(s.sharing.room, int(s.packet/4))
	}
	return s, nil
}

// newStore is a store that has checked nothing.
func newStore(c Config, e *engine) *Store {
	s := &Store{
		d: e, db: c.DB, prefix: c.prefix(), turn: &rollupTurn{}, outbox: c.Outbox || c.Feed,
		feed: c.Feed,
	}
	s.stmts = newStatements(s)
	s.stmts.unprepared = c.Unprepared
	if e.oneWriter {
		s.writer = &writer{}
	}
	if e.Share != nil {
		s.sharing = &sharing{send: s.sendShared, room: sharedBytes, patience: sharePatience}
	}
	return s
}

// prepare prepares what is used inside transactions, where it would be too late, and what else is
// always the same.
func prepare(ctx context.Context, s *Store) error {
	if s.stmts.unprepared {
		return nil
	}
	for _, statement := range s.fixedStatements() {
		k, err := s.stmts.get(ctx, statement, fixed)
		if err != nil {
			return err
		}
		_ = k.release()
	}
	return nil
}

func (c Config) prefix() string { return cmp.Or(c.Prefix, DefaultPrefix) }

func (c Config) checkDB() error {
	if c.DB == nil {
		return &convo.ValidationError{Field: "db", Rule: "must not be nil"}
	}
	return nil
}

var prefixes = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,31}$`)

func (c Config) engine() (*engine, error) {
	e := engines[c.Dialect]
	switch {
	case e == nil:
		return nil, &convo.ValidationError{
			Field: "dialect", Rule: "must be SQLite, PostgreSQL, MariaDB, MySQL or Dqlite",
		}
	case e.Folder == engines[SQLite].Folder && strings.HasPrefix(c.prefix(), "sqlite_"):
		return nil, &convo.ValidationError{
			Field: "prefix", Rule: "must not begin with sqlite_, which SQLite keeps for itself",
		}
	case !prefixes.MatchString(c.prefix()):
		return nil, &convo.ValidationError{
			Field: "prefix",
			Rule: "must be 1 to 32 lower-case letters, digits and underscores, and not begin " +
				"with a digit",
		}
	}
	return e, nil
}
