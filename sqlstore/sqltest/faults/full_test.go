package faults_test

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// On a disk that is full, a call says so and has written nothing; reading goes on, and so does
// writing when there is space again.
func TestAFullDiskLosesNothing(t *testing.T) {
	for name, small := range map[string]func(t *testing.T) (db *sql.DB, free func()){
		"a file that may not grow":    fileWithALimit,
		"a file system without space": fileSystemWithALimit,
	} {
		t.Run(name, func(t *testing.T) {
			db, free := small(t)
			s := migrated(t, db, testdb.SQLite)
			l := load{engine: engineOn(t, s), giveUp: func(err error) bool {
				assert.ErrorContains(t, err, "full")
				assert.NotErrorIs(t, err, convo.ErrCommitUnknown, "nobody else can write it later")
				return true
			}}
			l.start(t)
			l.wg.Wait() // all have given up
			require.NotZero(t, l.acks.Load())
			t.Logf("when it was full: %s", &l)
			l.done.there(t, s)

			free()
			l.giveUp = nil
			l.start(t)
			l.acknowledged(t, scaled(t, 50))
			l.stop()
			assert.EqualValues(t, len(l.done), l.failures.Load(), "errors when there is space")
			l.done.there(t, s)
		})
	}
}

// Calls that come at the same time share a transaction. One that does not fit must not take the
// others with it.
func TestACallThatDoesNotFitDoesNotSpoilOthers(t *testing.T) {
	db, _ := fileWithALimit(t)
	s := migrated(t, db, testdb.SQLite)
	e := engineOn(t, s)
	rounds := scaled(t, 20)
	for round := range rounds {
		limit(t, db, pages(t, db)+12) // for the small ones, not for the big one
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			body := fmt.Sprint(round, " ", i)
			if i == round%len(errs) {
				body = strings.Repeat("big ", 60<<10/4)
			}
			wg.Go(func() {
				to := convo.ToContact(workspace, fmt.Sprint("contact ", i))
				_, errs[i] = e.Do(t.Context(), to,
					convo.Receive{Channel: "web", ExternalID: fmt.Sprint(round, " ", i),
						Body: body})
			})
		}
		wg.Wait()
		for i, err := range errs {
			if i == round%len(errs) {
				require.ErrorContains(t, err, "full")
			} else {
				require.NoError(t, err)
			}
		}
	}
	sound(t, s)
	assert.Len(t, eventsByText(t, s), rounds*7, "messages")
}

// fileWithALimit is a file that may have little more than its tables. It has one connection, as the
// limit is the connection's.
func fileWithALimit(t *testing.T) (db *sql.DB, free func()) {
	db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(t.TempDir(), "convo.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	require.NoError(t, sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}.Migrate(t.Context()))
	limit(t, db, pages(t, db)+25)
	return db, func() { limit(t, db, 1<<20) }
}

func pages(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow("PRAGMA page_count").Scan(&n))
	return n
}

func limit(t *testing.T, db *sql.DB, pages int) {
	t.Helper()
	var now int
	require.NoError(t, db.QueryRow(fmt.Sprint("PRAGMA max_page_count = ", pages)).Scan(&now))
	require.Equal(t, pages, now)
}

// fileSystemWithALimit is a file on a file system of its own, which something else has filled
// almost to the end.
func fileSystemWithALimit(t *testing.T) (db *sql.DB, free func()) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "convo",
		dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", dir).Run()) })
	db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(dir, "convo.db"),
		"wal_autocheckpoint = 50")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}.Migrate(t.Context()))

	other, err := os.Create(filepath.Join(dir, "other"))
	require.NoError(t, err)
	defer other.Close()
	for err == nil {
		_, err = other.Write(make([]byte, 64<<10))
	}
	size, err := other.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	require.NoError(t, other.Truncate(size-512<<10))
	return db, func() { require.NoError(t, os.Remove(other.Name())) }
}
