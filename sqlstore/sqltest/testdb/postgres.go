package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"
)

// lockClass is the first number of the advisory locks that say which databases are in use.
const lockClass = 0x636f6e76

// createPostgres takes a database that no test uses, and empties it. Creating and dropping one
// costs several times as much, as the server syncs its files; a schema for each test would cost
// less, but would share advisory locks and the catalog with other tests. A session's lock says that
// a database is in use, so what a killed process had is free again.
func createPostgres(t testing.TB, dsn string) (Database, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Hostname() == "" {
		return Database{}, fmt.Errorf("%s is not of the form postgres://user@host:port/database",
			variables[PostgreSQL])
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "5432")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		return Database{}, err
	}
	t.Cleanup(func() { _ = admin.Close() })
	session, err := admin.Conn(ctx)
	if err != nil {
		return Database{}, err
	}
	n, err := lockPostgres(ctx, session)
	if err != nil {
		return Database{}, err
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		// The session's end would free it too, but some time after the next test wants one.
		_, err := session.ExecContext(ctx, "SELECT pg_advisory_unlock($1, $2)", lockClass, n)
		if err = errors.Join(err, session.Close()); err != nil {
			t.Errorf("testdb: %v", err)
		}
	})
	name := fmt.Sprintf("convo_test_%d", n)
	u.Path = "/" + name
	d := Database{Engine: PostgreSQL, Driver: "pgx", DSN: u.String(), Addr: u.Host}
	return d, emptyPostgres(ctx, session, name, d.DSN)
}

// lockPostgres takes the first number that no test has.
func lockPostgres(ctx context.Context, session *sql.Conn) (n int, err error) {
	for free := false; !free; {
		n++
		if err := session.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1, $2)", lockClass,
			n).Scan(&free); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// emptyPostgres makes the database, or ends all sessions in it and drops all that is in it.
func emptyPostgres(ctx context.Context, session *sql.Conn, name, dsn string) error {
	var exists bool
	err := session.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil {
		return err
	}
	if !exists {
		_, err := session.ExecContext(ctx,
			"CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'")
		return err
	}
	if _, err := session.ExecContext(ctx,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
		name); err != nil {
		return err
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, `
		DO $$
		DECLARE s name;
		BEGIN
			FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'
			AND nspname <> 'information_schema' LOOP
				EXECUTE format('DROP SCHEMA %I CASCADE', s);
			END LOOP;
			CREATE SCHEMA public;
		END $$`)
	return err
}
