package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// asProgram makes the test binary the program itself, so that it can be killed.
const asProgram = "MOVEIN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// tickets writes a log of cases of eleven events each, of which those of a case are far apart.
func tickets(t *testing.T, cases int) (file string) {
	file = filepath.Join(t.TempDir(), "tickets.csv")
	f, err := os.Create(file)
	require.NoError(t, err)
	var out bytes.Buffer
	out.WriteString(header)
	at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	activities := []string{"Insert ticket", "Take in charge ticket", "Look", "Wait", "Look", "Look",
		"Wait", "Look", "Closed"} // that resumes twice
	for _, activity := range activities {
		for i := range cases {
			fmt.Fprintf(&out, "Case %d,%s,ana,%s\n", i, activity, at.Format("2006-01-02 15:04:05Z"))
			at = at.Add(10 * time.Second)
			if out.Len() > 1<<20 {
				_, err = out.WriteTo(f)
				require.NoError(t, err)
			}
		}
	}
	_, err = out.WriteTo(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return file
}

// start runs the program on a file and a database.
func start(
	ctx context.Context, t *testing.T, file, db, workspace string,
) (cmd *exec.Cmd, stdout *bytes.Buffer) {
	mapping := filepath.Join(t.TempDir(), "mapping.json")
	_, text, _ := call("", "--print-mapping")
	require.NoError(t, os.WriteFile(mapping, []byte(text), 0o600))
	cmd = exec.CommandContext(ctx, os.Args[0], "--json", "--mapping", mapping, "--db", db,
		"--workspace", workspace, file)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stdout = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, os.Stderr
	require.NoError(t, cmd.Start())
	return cmd, stdout
}

// whole runs the program to its end.
func whole(t *testing.T, file, db, workspace string) (f figures, took time.Duration) {
	began := time.Now()
	cmd, stdout := start(t.Context(), t, file, db, workspace)
	require.NoError(t, cmd.Wait())
	took = time.Since(began)
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &f))
	// of Linux in KiB
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	t.Logf("%d rows in %s: %.0f a second; %d MiB at most", f.Rows, took.Round(time.Millisecond),
		float64(f.Rows)/took.Seconds(), peak)
	assert.Less(t, peak, int64(500), "MiB, however long the log is")
	return f, took
}

// The number of cases is CONVO_TEST_CASES; scripts/nightly takes more.
func TestAnImportThatIsKilledAtRandomGoesOn(t *testing.T) {
	cases := 2_000
	if testing.Short() {
		cases = 300
	}
	if n := os.Getenv("CONVO_TEST_CASES"); n != "" {
		var err error
		cases, err = strconv.Atoi(n)
		require.NoError(t, err)
	}
	file := tickets(t, cases)
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Create(t, e).DSN
		if e == testdb.SQLite {
			db = filepath.Join(t.TempDir(), "movein.sqlite")
		}
		_, tenth := whole(t, tickets(t, cases/10), db, "small") // a guess at how long all of it takes
		for range 3 {
			killed, cancel := context.WithTimeout(t.Context(),
				time.Duration(rand.Int64N(int64(10*tenth))))
			cmd, _ := start(killed, t, file, db, defaultWorkspace)
			_ = cmd.Wait() // it was killed, or had ended
			cancel()
		}
		f, _ := whole(t, file, db, defaultWorkspace)
		assert.Equal(t, 9*cases, f.Rows)
		assert.Equal(t, 9*cases, f.Applied+f.Repeated)
		assert.Zero(t, f.NotImported)

		store, closeStore, err := database.Open(t.Context(), db)
		require.NoError(t, err)
		there := 0
		list := convo.Filter{Workspace: defaultWorkspace, Limit: convo.MaxPageSize}
		for {
			page, err := store.Conversations(t.Context(), list)
			require.NoError(t, err)
			for _, c := range page {
				require.Equal(t, convo.StatusClosed, c.Status)
				require.EqualValues(t, 11, c.Version, c.Contact)
			}
			if there += len(page); len(page) < list.Limit {
				break
			}
			list.After = list.Cursor(page[len(page)-1])
		}
		assert.Equal(t, cases, there, "every case once")
		require.NoError(t, closeStore())

		again, _ := whole(t, file, db, defaultWorkspace)
		assert.Equal(t, 9*cases, again.Repeated)
		assert.Empty(t, again.Events, "nothing is new")
	})
}
