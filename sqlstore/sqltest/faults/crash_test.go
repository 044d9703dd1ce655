package faults_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

const (
	childVariable    = "CONVO_TEST_CHILD"    // the database that the child is to write to
	progressVariable = "CONVO_TEST_PROGRESS" // how far the children before it came
)

// A process that is killed takes nothing with it that it was told to be written. (The system stays,
// and with it what it has not written to the disk yet: what a power failure takes is not seen
// here.)
func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		to := testdb.Database{Engine: e, DSN: filepath.Join(t.TempDir(), "convo.db")}
		if e != testdb.SQLite {
			to = testdb.Create(t, e)
		}
		var done progress
		kills := scaled(t, 10)
		for range kills {
			runChild(t, to, &done)
			db, err := openChild(to)
			require.NoError(t, err)
			if e == testdb.SQLite {
				var verdict string
				require.NoError(t, db.QueryRow("PRAGMA integrity_check").Scan(&verdict))
				assert.Equal(t, "ok", verdict)
			}
			serverIsDone(t, db, e)
			done.there(t, migrated(t, db, e))
			require.NoError(t, db.Close())
		}
		t.Logf("%d kills, %d calls acknowledged", kills, done.sum())
	})
}

// sessions counts the sessions of others in the database. A server carries on with what a process
// had sent before it was killed, perhaps without having read it yet.
var sessions = map[testdb.Engine]string{
	testdb.PostgreSQL: "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() " +
		"AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
	testdb.MariaDB: "SELECT count(*) FROM information_schema.processlist WHERE db = database() " +
		"AND id <> connection_id()",
}

// serverIsDone waits until nobody writes any more.
func serverIsDone(t *testing.T, db *sql.DB, e testdb.Engine) {
	t.Helper()
	if sessions[e.Server()] == "" {
		return
	}
	require.Eventually(t, func() bool {
		n := 1
		err := db.QueryRow(sessions[e.Server()]).Scan(&n)
		return err == nil && n == 0
	}, time.Minute, 10*time.Millisecond)
}

// runChild has a process write on, and kills it after some acknowledgements.
func runChild(t *testing.T, to testdb.Database, done *progress) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	where, err := json.Marshal(to)
	require.NoError(t, err)
	from, err := json.Marshal(done)
	require.NoError(t, err)
	child := exec.Command(program)
	child.Env = append(os.Environ(), childVariable+"="+string(where), progressVariable+"="+string(from))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() }).Stop()
	lines, last := bufio.NewScanner(out), rand.N(80)
	n := 0
	for ; lines.Scan(); n++ {
		var writer, number int
		_, err := fmt.Sscan(lines.Text(), &writer, &number)
		require.NoError(t, err, lines.Text())
		assert.Equal(t, done[writer]+1, number)
		done[writer] = number
		if n == last {
			require.NoError(t, child.Process.Kill())
		}
	}
	assert.Error(t, child.Wait())
	require.Greater(t, n, last, "the child ended by itself")
}

// writeAsChild writes as fast as it can, tells of every acknowledgement, and does not return.
func writeAsChild(where string) {
	var done progress
	err := json.Unmarshal([]byte(os.Getenv(progressVariable)), &done)
	var e *convo.Engine
	if err == nil {
		e, err = childEngine(where)
	}
	failed := make(chan error)
	if err == nil {
		for w := range done {
			go func() {
				for n := done[w] + 1; ; n++ {
					to, cmds := call(w, n)
					if _, err := e.Do(context.Background(), to, cmds...); err != nil {
						failed <- err
					}
					fmt.Println(w, n) // in one piece
				}
			}()
		}
		err = <-failed
	}
	fmt.Fprintln(os.Stderr, "the writing process:", err)
	os.Exit(1)
}

func childEngine(where string) (*convo.Engine, error) {
	var to testdb.Database
	if err := json.Unmarshal([]byte(where), &to); err != nil {
		return nil, err
	}
	db, err := openChild(to)
	if err != nil {
		return nil, err
	}
	config := sqlstore.Config{DB: db, Dialect: dialects[to.Engine]}
	if err := config.Migrate(context.Background()); err != nil {
		return nil, err
	}
	s, err := config.Open(context.Background())
	if err != nil {
		return nil, err
	}
	return convo.New(s)
}

func openChild(to testdb.Database, pragmas ...string) (*sql.DB, error) {
	if to.Engine == testdb.SQLite {
		return sqlstore.OpenSQLite("sqlite", to.DSN, pragmas...)
	}
	return to.Pool()
}
