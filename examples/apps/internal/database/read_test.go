package database

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// A server's database is not made by its name, but its tables were.
func TestReadingMakesNoTablesAndKnowsTheWorkspacesOnEveryEngine(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		name := filepath.Join(t.TempDir(), "a.sqlite")
		if e != testdb.SQLite {
			name = testdb.Create(t, e).DSN
			for range 2 { // the first one has made nothing either
				_, err := Read(t.Context(), name)
				require.ErrorContains(t, err, "there are no tables of convo in it")
			}
		}
		s, closeStore, err := Open(t.Context(), name)
		require.NoError(t, err)
		lacks := func(workspace string) string {
			r, err := Read(t.Context(), name)
			require.NoError(t, err)
			why, err := r.Lacks(t.Context(), workspace)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			return why
		}
		assert.Contains(t, lacks("acme"), "has no workspace at all")
		engine, err := convo.New(s)
		require.NoError(t, err)
		for _, workspace := range []string{"f", "d", "acme", "b", "c", "Acme"} {
			for _, contact := range []string{"susan", "riya"} {
				_, err := engine.Do(t.Context(), convo.ToContact(workspace, contact),
					convo.Receive{Body: "Hi"})
				require.NoError(t, err)
			}
		}
		assert.Empty(t, lacks("acme"))
		assert.Contains(t, lacks("acm"), `has no workspace "acm", but Acme, acme, b, c, d and more`)
		require.NoError(t, closeStore())
		assert.Empty(t, lacks("f"))
	})
}

func TestASQLiteFileThatIsReadTakesNoWrites(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.sqlite")
	_, closeStore, err := Open(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, closeStore())
	r, err := Read(t.Context(), name)
	require.NoError(t, err)
	engine, err := convo.New(r)
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), convo.ToContact("acme", "susan"), convo.Receive{Body: "Hi"})
	require.ErrorContains(t, err, "attempt to write a readonly database")
	require.NoError(t, r.Close())
}

func TestAPasswordIsNotShown(t *testing.T) {
	for name, want := range map[string]string{
		"postgres://u:secret@host/db":   "postgres://u:xxxxx@host/db",
		"postgres://u:secret@host:x/db": "the PostgreSQL database",
		"u:secret@tcp(host:1)/db?a=b":   "u@tcp(host:1)/db",
		"u:secret@tcp(host":             "the MariaDB database",
		"a:b.sqlite":                    "a:b.sqlite",
	} {
		assert.Equal(t, want, shown(name))
	}
	_, err := Read(t.Context(), "u:secret@tcp(127.0.0.1:1)/db")
	require.ErrorContains(t, err, "u@tcp(127.0.0.1:1)/db: ")
	require.NotContains(t, err.Error(), "secret")
}
