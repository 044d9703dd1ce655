package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// tickedWorkspaces are how many workspaces what is due is spread over.
const tickedWorkspaces = 20

// stopped is a clock.
type stopped time.Time

func (s stopped) Now() time.Time { return time.Time(s) }

// dueIn has n conversations of as many contacts wait for the same moment, which has passed: one
// that the engine made, and copies that the database makes.
func dueIn(t *testing.T, e testdb.Engine, db *sql.DB, s *sqlstore.Store, n int) {
	t.Helper()
	engine, err := convo.New(s, convo.WithClock(stopped(time.Now().Add(-time.Hour))))
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), convo.ToContact("w", "c"), convo.Receive{Body: "hi"},
		convo.SetPending{By: ana, Until: time.Now().Add(-time.Minute)})
	require.NoError(t, err)
	id := "(lpad(to_hex(%s), 32, '0'))::uuid"
	numbers := fmt.Sprintf("generate_series(1, %d) AS r(i)", n-1)
	switch e.Server() {
	case testdb.SQLite:
		id = "unhex(printf('%%032x', %s))"
		numbers = fmt.Sprintf("(WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL "+
			"SELECT i + 1 FROM r WHERE i < %d) SELECT i FROM r) r", n-1)
	case testdb.MariaDB:
		id = "UNHEX(LPAD(HEX(%s), 32, '0'))"
		numbers = fmt.Sprintf("(SELECT CAST(seq AS SIGNED) AS i FROM seq_1_to_%d) r", n-1)
	}
	join := func(prefix, number string) string {
		if e == testdb.SQLite {
			return "'" + prefix + "' || (" + number + ")"
		}
		return "CONCAT('" + prefix + "', " + number + ")"
	}
	contact, conversation := join("c", "i"), fmt.Sprintf(id, "i")
	workspace := join("w", fmt.Sprintf("i %% %d", tickedWorkspaces))
	for table, changed := range map[string]map[string]string{
		"contacts":      {"id": contact},
		"conversations": {"id": conversation, "contact": contact, "origin": contact},
		"active":        {"id": conversation, "contact": contact},
		"places":        {"id": conversation},
		"events": {"conversation": conversation, "contact": contact,
			"id": fmt.Sprintf(id, "i * 16 + seq")},
	} {
		changed["workspace"] = workspace
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM convo_"+table+" LIMIT 1")
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		require.NoError(t, rows.Close())
		values := make([]string, len(columns))
		for i, c := range columns {
			values[i] = cmp.Or(changed[c], c)
		}
		_, err = db.ExecContext(t.Context(), fmt.Sprintf(
			"INSERT INTO convo_%s (%s) SELECT %s FROM convo_%[1]s, %[4]s",
			table, strings.Join(columns, ", "), strings.Join(values, ", "), numbers))
		require.NoError(t, err, table)
	}
}

// ticker is a process that ticks until nothing is due, and what it has done.
type ticker struct {
	Engine testdb.Engine
	Driver string
	DSN    string

	Done, Loads, Refused int
	CPU                  time.Duration
}

const tickerVariable = "CONVO_TEST_TICKER"

// Not a test: what the processes of TestRunnersInSeveralProcessesShareTheWork do.
func TestTicksAsAProcessOfItsOwn(t *testing.T) {
	text := os.Getenv(tickerVariable)
	if text == "" {
		t.Skip("for other tests")
	}
	var self ticker
	require.NoError(t, json.Unmarshal([]byte(text), &self))
	db, err := sql.Open(self.Driver, self.DSN)
	require.NoError(t, err)
	defer db.Close()
	s, err := sqlstore.Config{DB: db, Dialect: dialects[self.Engine]}.Open(t.Context())
	require.NoError(t, err)
	more := true
	e, err := convo.New(s, convo.WithTickStats(func(stats convo.TickStats) {
		self.Done += stats.Done
		self.Loads += stats.Loads
		self.Refused += stats.Refused
		more = stats.More
	}))
	require.NoError(t, err)
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until all are
	before := cpu(t)
	for more {
		_, err := e.Tick(t.Context(), 0)
		require.NoError(t, err)
	}
	self.CPU = cpu(t) - before
	out, err := json.Marshal(self)
	require.NoError(t, err)
	fmt.Printf("\n%s\n", out)
}

// cpu is what this process has used.
func cpu(t *testing.T) time.Duration {
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// run starts the processes, and returns what they did and how long that took.
func (of ticker) run(t *testing.T, processes int) (all []ticker, took time.Duration) {
	t.Helper()
	what, err := json.Marshal(of)
	require.NoError(t, err)
	start, release, err := os.Pipe()
	require.NoError(t, err)
	defer start.Close()
	var wg sync.WaitGroup
	all = make([]ticker, processes)
	for i := range all {
		c := exec.CommandContext(t.Context(), os.Args[0],
			"-test.run=^TestTicksAsAProcessOfItsOwn$")
		c.Env = append(os.Environ(), tickerVariable+"="+string(what))
		c.Stdin, c.Stderr = start, os.Stderr
		stdout, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		_, err = stdout.Read(make([]byte, len("ready\n")))
		require.NoError(t, err)
		wg.Go(func() {
			out, err := io.ReadAll(stdout)
			assert.NoError(t, err)
			assert.NoError(t, c.Wait(), "%s", out)
			for line := range strings.Lines(string(out)) {
				if strings.HasPrefix(line, "{") {
					assert.NoError(t, json.Unmarshal([]byte(line), &all[i]))
				}
			}
		})
	}
	began := time.Now()
	require.NoError(t, release.Close())
	wg.Wait()
	return all, time.Since(began)
}

// Each due thing is done once, each is loaded once, and no commit is lost to another runner. The
// numbers can be set, to measure: CONVO_TICK_DUE, and CONVO_TICK_RUNNERS as in 1,2,4,8.
func TestRunnersInSeveralProcessesShareTheWork(t *testing.T) {
	due, runners := 2000, []int{4}
	if n, err := strconv.Atoi(os.Getenv("CONVO_TICK_DUE")); err == nil {
		due = n
	}
	if list := os.Getenv("CONVO_TICK_RUNNERS"); list != "" {
		runners = nil
		for n := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(n)
			require.NoError(t, err)
			runners = append(runners, n)
		}
	}
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		for _, processes := range runners {
			t.Run(strconv.Itoa(processes), func(t *testing.T) {
				d := testdb.Create(t, e)
				db := d.Open(t)
				s := migrated(t, db, e)
				dueIn(t, e, db, s, due)
				all, took := ticker{Engine: e, Driver: d.Driver, DSN: d.DSN}.run(t, processes)
				var sum ticker
				for _, one := range all {
					sum.Done += one.Done
					sum.Loads += one.Loads
					sum.Refused += one.Refused
					sum.CPU += one.CPU
				}
				t.Logf("%d timers, %d runners: %.0f per second, %.3f loads and %s of CPU per "+
					"timer, %d commits refused", sum.Done, processes,
					float64(sum.Done)/took.Seconds(), float64(sum.Loads)/float64(sum.Done),
					sum.CPU/time.Duration(max(sum.Done, 1)), sum.Refused)
				assert.Equal(t, due, sum.Done, "each once")
				assert.LessOrEqual(t, sum.Loads, due*12/10)
				assert.LessOrEqual(t, sum.Refused, due/100*5/100, "of the commits")
				var resumed, left int
				require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+
					"convo_events WHERE kind = 'conversation_resumed'").Scan(&resumed))
				require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+
					"convo_conversations WHERE due_at IS NOT NULL OR status <> 'open'").Scan(&left))
				assert.Equal(t, due, resumed)
				assert.Zero(t, left)
			})
		}
	})
}

// What closes with long texts is too much for one statement, and is done in one Tick nevertheless.
func TestATickOfLongTextsIsDoneAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, _ := open(t, e)
		long := convo.Policy{MaxSummary: convo.MaxTextLimit, AutoClose: convo.AutoClose{
			After: convo.Duration(time.Minute), Summary: strings.Repeat("'x", 100_000),
		}}
		clock := stopped(time.Now().Add(-time.Hour))
		engine, err := convo.New(s, convo.WithPolicy(long), convo.WithClock(clock))
		require.NoError(t, err)
		for i := range 90 { // more than a packet has room for
			_, err := engine.Do(t.Context(), convo.ToContact(acme, strconv.Itoa(i)),
				convo.Open{By: ana}, convo.Send{By: ana, Body: "hi"})
			require.NoError(t, err)
		}
		var stats convo.TickStats
		engine, err = convo.New(s, convo.WithPolicy(long),
			convo.WithTickStats(func(s convo.TickStats) { stats = s }))
		require.NoError(t, err)
		n, err := engine.Tick(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, 90, n)
		assert.Equal(t, 90, stats.Loads)
		assert.Zero(t, stats.Refused)
	})
}

// In the host's own transaction a Tick is the host's to commit.
func TestATickInTheHostsTransaction(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		dueIn(t, e, db, s, 30)
		engine, err := convo.New(s)
		require.NoError(t, err)
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			n, err := engine.With(s.WithTx(tx)).Tick(t.Context(), 0)
			require.NoError(t, err)
			assert.Equal(t, 30, n)
			require.NoError(t, end(tx))
		}
		n, err := engine.Tick(t.Context(), 0)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// ticks does what a Tick sends for a page of what is due, but leaves nothing behind.
func ticks(t *testing.T, s *sqlstore.Store, did func(what string)) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	q := convo.DueQuery{Before: now, Limit: 50}
	due, err := s.Due(ctx, q)
	require.NoError(t, err)
	require.NotEmpty(t, due)
	did("due")
	q.After = due[len(due)/2]
	_, err = s.Due(ctx, q)
	require.NoError(t, err)
	q.Except = []convo.Scope{{Workspace: "rare"}, {Workspace: "rare", Lane: "rare"}}
	_, err = s.Due(ctx, q)
	require.NoError(t, err)
	did("due behind")
	var refs []convo.Ref
	for _, d := range due {
		refs = append(refs, d.Ref)
	}
	enough := errors.New("enough")
	require.ErrorIs(t, s.LockDue(ctx, now, refs,
		func(ctx context.Context, held []convo.Snapshot) error {
			var changes []convo.Change
			for i, h := range held {
				h.Next = uuid.Must(uuid.NewV7())
				cmds := []convo.Command{
					convo.Assign{By: ana, Assignee: "ben"}, convo.Close{By: ana, Category: "Sales"},
				}
				d, err := convo.Decide(h, now, nil, cmds[i%2])
				if err == nil {
					changes = append(changes, d.Change)
				}
			}
			require.Greater(t, len(changes), 10)
			if err := s.Commit(ctx, changes...); err != nil {
				t.Log(err)
			}
			return enough
		}), enough)
	did("what is due, many at once")
}
