package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore"
)

// folder is what is in the files of a folder.
func folder(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = string(data)
	}
	return all
}

// A typing error in --db must not answer 0, nor leave anything behind.
func TestADatabaseThatIsNotThereOrNotConvosIsNamedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	sqlite := func(name string, statements ...string) {
		db, err := sql.Open("sqlite", "file:"+in(name))
		require.NoError(t, err)
		for _, s := range statements {
			_, err = db.ExecContext(t.Context(), s)
			require.NoError(t, err)
		}
		require.NoError(t, db.Close())
	}
	schema := func(name string, version int64) {
		db, err := sqlstore.OpenSQLite("sqlite", in(name))
		require.NoError(t, err)
		config := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
		require.NoError(t, config.MigrateTo(t.Context(), version))
		require.NoError(t, db.Close())
	}
	require.NoError(t, os.WriteFile(in("notes.txt"), []byte("Not a database at all."), 0o600))
	require.NoError(t, os.WriteFile(in("empty"), nil, 0o600))
	sqlite("other.sqlite", "CREATE TABLE t (x)")
	sqlite("wal.sqlite", "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)")
	schema("old.sqlite", 1)
	schema("newer.sqlite", 2)
	sqlite("newer.sqlite", "INSERT INTO convo_versions VALUES (99, 99, 99)")

	before := folder(t, dir)
	for name, want := range map[string]string{
		"convo.sqlite":      "there is no such file; name a database that",
		"none/convo.sqlite": "there is no such file; name a database that",
		"notes.txt":         "it is no SQLite database; name a database that",
		"empty":             "it is no SQLite database; name a database that",
		"":                  "it is no SQLite database; name a database that",
		"other.sqlite":      "there are no tables of convo in it",
		"wal.sqlite":        "there are no tables of convo in it",
		"old.sqlite":        "the schema has version 1, and 3 is needed: run Config.Migrate",
		"newer.sqlite":      "the schema has version 99, which is newer than 3",
	} {
		for _, ask := range [][]string{march, {"--live"}, append(march, "--export", "csv"),
			append(march, "--html", in("x.html"))} {
			status, stdout, stderr := command(t, "", append(ask, "--db", in(name))...)
			assert.Equal(t, 1, status, name)
			assert.Empty(t, stdout, name)
			assert.Contains(t, stderr, "report: --db "+in(name)+": ")
			assert.Contains(t, stderr, want, name)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		}
	}
	assert.Equal(t, before, folder(t, dir))
}

// A backup by VACUUM INTO is no longer in the mode that a store writes with.
func TestADatabaseIsAskedWithoutChangingIt(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "convo.sqlite")
	status, _, stderr := command(t, log, append(march, "--import", "-", "--db", db)...)
	require.Zero(t, status, stderr)
	before := folder(t, dir)
	for _, ask := range [][]string{{"--kind", "users"}, {"--export", "csv"},
		{"--export", "transcripts"}, {"--html", filepath.Join(t.TempDir(), "x.html")}} {
		status, _, stderr = command(t, "", append(append(march, "--db", db), ask...)...)
		assert.Zero(t, status, stderr)
	}
	assert.Equal(t, before, folder(t, dir))

	opened, err := sql.Open("sqlite", "file:"+db)
	require.NoError(t, err)
	backup := filepath.Join(dir, "backup.sqlite")
	_, err = opened.ExecContext(t.Context(), "VACUUM INTO ?", backup)
	require.NoError(t, err)
	require.NoError(t, opened.Close())
	status, stdout, stderr := command(t, "", "--db", backup, "--live")
	assert.Zero(t, status, stderr)
	assert.NotEmpty(t, stdout)
}

func TestAWorkspaceThatIsNotThereIsNamedWithThoseThatAre(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "convo.sqlite")
	for _, workspace := range []string{"acme", "beta"} {
		status, _, stderr := command(t, log, append(march, "--import", "-", "--db", db,
			"--workspace", workspace)...)
		require.Zero(t, status, stderr)
	}
	for _, ask := range [][]string{march, {"--live"}, append(march, "--export", "csv")} {
		status, stdout, stderr := command(t, "", append(ask, "--db", db)...)
		assert.Equal(t, 2, status)
		assert.Empty(t, stdout)
		assert.Equal(t, "report: --workspace: "+db+` has no workspace "helpdesk", but acme, beta`+
			"\n", stderr)
	}
}

func TestAnImportThatCannotBeginMakesNoDatabase(t *testing.T) {
	dir := t.TempDir()
	status, _, stderr := command(t, "", append(march, "--import", filepath.Join(dir, "no.csv"),
		"--db", filepath.Join(dir, "convo.sqlite"))...)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "no.csv")
	assert.Empty(t, folder(t, dir))
}

// section is what the help says of a flag.
func section(t testing.TB, help, flag string) string {
	t.Helper()
	_, of, ok := strings.Cut(help, "\n  -"+flag+" ")
	require.True(t, ok, flag)
	of, _, _ = strings.Cut(of, "\n  -")
	return of
}

func TestHelpNamesAllThatAnErrorAllows(t *testing.T) {
	_, _, help := command(t, "", "--help")
	for flag, args := range map[string][]string{
		"kind": {"--kind", "x"}, "bucket": {"--bucket", "x"}, "group-by": {"--group-by", "x"},
		"measure": {"--kind", "leaderboard", "--measure", "x"}, "format": {"--format", "x"},
		"export": {"--export", "x"},
	} {
		status, stdout, stderr := command(t, "", append(append(march, "--import", "-"), args...)...)
		assert.Equal(t, 2, status, flag)
		assert.Empty(t, stdout, flag)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		_, names, ok := strings.Cut(strings.TrimSpace(stderr), " is not one of ")
		require.True(t, ok, stderr)
		for name := range strings.SplitSeq(names, ", ") {
			assert.Contains(t, section(t, help, flag), name)
		}
	}
	assert.Contains(t, section(t, help, "week-start"), "monday to sunday")
	assert.Contains(t, section(t, help, "zone"), "IANA")
}
