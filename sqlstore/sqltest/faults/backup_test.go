package faults_test

import (
	"context"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// A backup that is made while writers write is whole: what was acknowledged before it began is in
// it, and nothing is there in part. What is restored goes on.
func TestABackupOfALiveDatabaseIsWhole(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		d := testdb.Create(t, e)
		l := load{engine: engineOn(t, migrated(t, d.Open(t), e))}
		l.start(t)
		l.acknowledged(t, 100)
		l.stop()
		before := l.done
		l.start(t)
		l.acknowledged(t, 20)
		to := restored(t, d)
		l.acknowledged(t, 20)
		l.stop()

		s := opened(t, to.Open(t), e)
		sound(t, s)
		lost, _ := before.compare(t, s)
		require.Empty(t, lost, "acknowledged before the backup, and not in it")
		_, err := engineOn(t, s).Do(t.Context(), convo.ToContact(workspace, "new"),
			convo.Receive{Body: "hi"})
		require.NoError(t, err)
	})
}

// restored is another database, made of a backup of d.
func restored(t *testing.T, d testdb.Database) testdb.Database {
	t.Helper()
	switch d.Engine.Server() {
	case testdb.PostgreSQL:
		to := testdb.Create(t, d.Engine)
		dump := run(t, nil, "pg_dump", "--dbname="+forLibpq(t, d.DSN))
		run(t, dump, "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname="+forLibpq(t, to.DSN))
		return to
	case testdb.MariaDB:
		to := testdb.Create(t, d.Engine)
		dump := run(t, nil, "mariadb-dump", append(account(t, d), "--single-transaction",
			database(t, d))...)
		run(t, dump, "mariadb", append(account(t, to), database(t, to))...)
		return to
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	_, err := d.Open(t).ExecContext(t.Context(), "VACUUM INTO ?", file)
	require.NoError(t, err)
	_, query, _ := strings.Cut(d.DSN, "?")
	d.DSN = "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + query
	return d
}

// run runs a program of the engine's; where it is not there, or is older than the server, the test
// is skipped.
func run(t *testing.T, in []byte, program string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("there is no %s here", program)
	}
	c := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	c.Stdin = strings.NewReader(string(in))
	var problems strings.Builder
	c.Stderr = &problems
	out, err := c.Output()
	if strings.Contains(problems.String(), "server version mismatch") {
		t.Skip(problems.String())
	}
	require.NoError(t, err, &problems)
	return out
}

// forLibpq is a DSN without what only the driver knows.
func forLibpq(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	q := u.Query()
	for name := range q {
		if name != "sslmode" && name != "host" && name != "port" {
			q.Del(name)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func account(t *testing.T, d testdb.Database) []string {
	t.Helper()
	c, err := mysql.ParseDSN(d.DSN)
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(c.Addr)
	require.NoError(t, err)
	t.Setenv("MYSQL_PWD", c.Passwd)
	return []string{"--no-defaults", "--protocol=tcp", "--host=" + host, "--port=" + port,
		"--user=" + c.User}
}

func database(t *testing.T, d testdb.Database) string {
	t.Helper()
	c, err := mysql.ParseDSN(d.DSN)
	require.NoError(t, err)
	return c.DBName
}
