//go:build linux

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// soak is a database on which eight processes do everything at once.
type soak struct {
	soaker
	long      time.Duration
	rand      *rand.Rand
	server    *testdb.Server // nil: SQLite has none
	processes [soakProcesses]*exec.Cmd
	lives     [soakProcesses]int
	kills     int
	outages   []outage
}

// outage is when a server was away.
type outage struct{ from, to time.Time }

// Eight processes do everything at once, with pruning, rollups and relays, while processes and
// servers are killed at random. Afterwards all is whole, and there is no more than what is kept.
// CONVO_TEST_SOAK says how long on each engine, such as 1h, and CONVO_TEST_SEED repeats the draws
// of a run.
func TestASoakLeavesEverythingWhole(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		k := newSoak(t, e)
		for i := range k.processes {
			k.start(t, i)
		}
		k.disturb(t)
		for i, p := range k.processes {
			end := time.AfterFunc(time.Until(k.Until)+2*time.Minute,
				func() { _ = p.Process.Kill() })
			assert.NoError(t, p.Wait(), "process %d", i)
			end.Stop()
		}
		k.whole(t)
	})
}

func newSoak(t *testing.T, e testdb.Engine) *soak {
	t.Helper()
	long, seed := 10*time.Second, uint64(time.Now().UnixNano())
	if testing.Short() {
		long = 5 * time.Second
	}
	var err error
	if text := os.Getenv("CONVO_TEST_SOAK"); text != "" {
		long, err = time.ParseDuration(text)
		require.NoError(t, err, "CONVO_TEST_SOAK")
	}
	if text := os.Getenv("CONVO_TEST_SEED"); text != "" {
		_, err = fmt.Sscan(text, &seed)
		require.NoError(t, err, "CONVO_TEST_SEED")
	}
	t.Logf("%s with CONVO_TEST_SEED=%d", long, seed)
	k := &soak{long: long, rand: rand.New(rand.NewPCG(seed, soakProcesses))}
	k.Seed, k.Folder = seed, t.TempDir()
	k.File = filepath.Join(k.Folder, "published")
	k.From = testdb.Database{Engine: e, DSN: filepath.Join(t.TempDir(), "convo.db")}
	if e != testdb.SQLite {
		k.server = testdb.Private(t, e, "max_connections=100")
		k.From = k.server.Create("convo")
	}
	db, err := openChild(k.From)
	require.NoError(t, err)
	require.NoError(t, migrated(t, db, e).Close())
	require.NoError(t, db.Close())
	k.Until = time.Now().Add(long)
	t.Cleanup(func() {
		for _, p := range k.processes {
			if p != nil {
				_ = p.Process.Kill() // none is left when all went well
			}
		}
	})
	return k
}

// start starts a process, or the next life of one.
func (k *soak) start(t *testing.T, i int) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	k.Number, k.Life = i, k.lives[i]
	what, err := json.Marshal(&k.soaker)
	require.NoError(t, err)
	p := exec.Command(program)
	p.Env = append(os.Environ(), soakVariable+"="+string(what))
	p.Stderr = os.Stderr
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, p.Start())
	k.processes[i] = p
	k.lives[i]++
}

// disturb kills a process every one to three seconds, and the server about every half a minute, and
// starts it again. The first process is never killed: what it takes in the end is compared with
// what it took.
func (k *soak) disturb(t *testing.T) {
	t.Helper()
	pause := func(least time.Duration) time.Duration {
		return least + time.Duration(k.rand.Int64N(2*int64(least)))
	}
	next := time.Now().Add(pause(5 * time.Second))
	ctx, cancel := context.WithDeadline(t.Context(), k.Until.Add(-time.Second))
	defer cancel()
	every(ctx, func() time.Duration { return pause(time.Second) }, func() {
		if k.server != nil && time.Now().After(next) {
			away := outage{from: time.Now()}
			k.server.Kill()
			k.server.Start()
			away.to = time.Now()
			t.Logf("the server was away for %s", away.to.Sub(away.from).Round(time.Millisecond))
			k.outages = append(k.outages, away)
			next = time.Now().Add(pause(15 * time.Second))
		}
		if ctx.Err() != nil {
			return // they are about to end
		}
		i := 1 + k.rand.IntN(soakProcesses-1)
		p := k.processes[i]
		require.NoError(t, p.Process.Kill(), "process %d", i)
		var end *exec.ExitError
		require.ErrorAs(t, p.Wait(), &end)
		status, ok := end.Sys().(syscall.WaitStatus)
		require.True(t, ok && status.Signaled(), "process %d ended by itself: %v", i, end)
		k.kills++
		k.start(t, i)
	})
	require.Positive(t, k.kills)
}
