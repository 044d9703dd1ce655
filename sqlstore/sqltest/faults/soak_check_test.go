//go:build linux

package faults_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// What a process takes at most, at any time.
const (
	soakHeap       = 64 << 20
	soakGoroutines = 200
	soakFiles      = 100
)

// soakGrace is how long after an outage an error may still be of a connection from before.
const soakGrace = 5 * time.Second

// ofConversations are tables that have nothing of a conversation that was removed, and how each
// names it.
var ofConversations = map[string]string{
	"active": "id", "closed": "id", "places": "id", "labels": "conversation",
	"mentions": "CASE WHEN owner = '' THEN conversation END", "cycles": "conversation",
	"events": "conversation",
	"keys":   "conversation", "rollup_queue": "conversation",
}

// whole asserts that nothing is missing, and that there is no more than what is kept.
func (k *soak) whole(t *testing.T) {
	t.Helper()
	db, err := openChild(k.From)
	require.NoError(t, err)
	since := time.Now()
	db.SetMaxOpenConns(1)
	serverIsDone(t, db, k.From.Engine) // no connection of anybody is left
	require.NoError(t, db.Close())

	pruned := k.reports(t)
	if db, err = openChild(k.From); err == nil {
		k.store, err = sqlstore.Config{
			DB: db, Dialect: dialects[k.From.Engine], Outbox: true,
		}.Open(t.Context())
	}
	require.NoError(t, err)
	k.today, err = soakEngine(k.store, 0)
	require.NoError(t, err)
	k.settle(t, &pruned)
	k.did(t, "conversations pruned", pruned.Conversations)
	k.did(t, "keys pruned", pruned.Keys)
	for _, of := range []string{workspace, perishable} {
		differences, err := k.store.CheckRollups(t.Context(), of)
		require.NoError(t, err)
		assert.Empty(t, differences, of)
	}
	k.complete(t)
	k.nothingIsLeft(t, db)
	noneBroken(t, storetest.CheckInvariants(t.Context(), k.store, workspace))
	noneBroken(t, storetest.CheckPruned(t.Context(), k.store, soakRetention, perishable))
	t.Logf("checked in %s", time.Since(since).Round(time.Second))
	if k.From.Engine == testdb.SQLite {
		var verdict string
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
		assert.Equal(t, "ok", verdict)
	}
	require.NoError(t, k.store.Close())
	require.NoError(t, db.Close())
	if k.From.Engine == testdb.SQLite {
		files, err := os.ReadDir(filepath.Dir(k.From.DSN))
		require.NoError(t, err)
		assert.Len(t, files, 1, "no log is left beside the database")
	}
}

// did asserts that something was done, where there was time for all.
func (k *soak) did(t *testing.T, what string, n int) {
	t.Helper()
	if k.long >= 30*time.Second {
		assert.Positive(t, n, what)
	}
}

// settle does what is due, brings out what waits, and prunes what is old.
func (k *soak) settle(t *testing.T, pruned *convo.Pruned) {
	t.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = k.today.Tick(t.Context(), 0)
		require.NoError(t, err)
	}
	k.Ahead = 2 * time.Minute // so that it takes over what the killed ones have leased
	of, err := relay.New(k.store, relay.To("file", &k.relaying), relay.WithClock(&k.relaying))
	require.NoError(t, err)
	for last := false; ; {
		for more := true; more; {
			stats, err := of.Once(t.Context())
			require.NoError(t, err)
			more = stats.Queued+stats.Sent > 0
		}
		for more := true; more; {
			_, more, err = k.store.Rollup(t.Context(), 0)
			require.NoError(t, err)
		}
		if last {
			break
		}
		p, err := pruneAll(t.Context(), k.today)
		require.NoError(t, err)
		assert.Zero(t, p.HeldBack, "all of it was brought out and added up")
		add(pruned, p)
		last = p.Texts+p.Conversations+p.Keys == 0
	}
	left, err := k.store.Backlog(t.Context())
	require.NoError(t, err)
	assert.Zero(t, left)
	waits, err := k.store.RollupBacklog(t.Context())
	require.NoError(t, err)
	assert.Zero(t, waits)
}

// complete asserts that each message that was acknowledged is there once, and each event of the log
// was brought out, those of a log in their order, and nothing else.
func (k *soak) complete(t *testing.T) {
	t.Helper()
	all, lines := k.published(t)
	came := map[string]int{} // by event: as which of all it came
	for i, p := range all {
		came[p.id] = i + 1
	}
	var closed int64
	kinds := map[convo.EventKind]int{}
	logs, messages := map[string][]string{}, map[string]int{}
	for _, of := range []string{workspace, perishable} {
		eachEvent(t, k.store, of, func(e *convo.Event) {
			logs[streamOf(e)] = append(logs[streamOf(e)], e.ID.String())
			kinds[e.Kind]++
			if e.Kind == convo.ConversationClosed && of == workspace {
				closed++
			}
			if e.Kind == convo.MessageReceived || e.Kind == convo.MessageSent {
				messages[e.Row().ExternalID]++
			}
		})
	}
	k.did(t, "deadlines passed", kinds[convo.DeadlinePassed])
	k.did(t, "contacts erased", kinds[convo.ContactErased])
	got, err := closings(t.Context(), k.store)
	require.NoError(t, err)
	assert.Equal(t, closed, got, "closings in a report")
	var missing, early, unknown []string
	known := map[string]bool{}
	for of, log := range logs {
		before := 0
		for _, id := range log {
			known[id] = true
			switch n := came[id]; {
			case n == 0:
				missing = append(missing, of+" "+id)
			case n < before:
				early = append(early, of+" "+id)
			default:
				before = n
			}
		}
	}
	contacts := uuid.Nil.String()
	for _, p := range all { // but for conversations that were removed
		if logs[p.of] != nil && !known[p.id] || strings.HasPrefix(p.of, contacts) && !known[p.id] {
			unknown = append(unknown, p.of+" "+p.id)
		}
	}
	assert.Empty(t, missing, "in the log, and did not come")
	assert.Empty(t, early, "came before what is in front of it")
	assert.Empty(t, unknown, "came, and are not in the log")

	var lost, twice []string
	acknowledged := k.lines(t, "acks-*")
	kept := 0
	for _, id := range acknowledged {
		if strings.HasPrefix(id, workspace+"/") {
			kept++
			if messages[id] == 0 {
				lost = append(lost, id)
			}
		}
	}
	for id, n := range messages {
		if n > 1 && strings.HasPrefix(id, workspace+"/") {
			twice = append(twice, id)
		}
	}
	require.Positive(t, kept)
	assert.Empty(t, lost, "acknowledged, and not there")
	assert.Empty(t, twice)
	t.Logf("%d messages acknowledged, %d of them to be kept; %d events came, %d of them again",
		len(acknowledged), kept, len(all), lines-len(all))
}

// nothingIsLeft asserts that no table has rows of what was removed.
func (k *soak) nothingIsLeft(t *testing.T, db *sql.DB) {
	t.Helper()
	for table, column := range ofConversations {
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(), fmt.Sprintf(
			`SELECT COUNT(*) FROM convo_%s x WHERE %s IS NOT NULL AND NOT EXISTS (SELECT 1 FROM
			convo_conversations c WHERE c.workspace = x.workspace AND c.id = %s)`,
			table, column, column)).Scan(&n))
		assert.Zero(t, n, "rows of convo_%s whose conversation was removed", table)
	}
}

// lines are those of all such files, without those that were cut off with their process.
func (k *soak) lines(t *testing.T, pattern string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(k.Folder, pattern))
	require.NoError(t, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.HasSuffix(line, "\n") {
				all = append(all, strings.TrimSuffix(line, "\n"))
			}
		}
	}
	return all
}

// reports asserts that the processes have met no errors but for those of a server that is away, and
// take no more and more. It returns what they have pruned.
func (k *soak) reports(t *testing.T) (pruned convo.Pruned) {
	t.Helper()
	calls := map[string]int{}
	var most soakReport
	faults := 0
	for i := range soakProcesses {
		for life := range k.lives[i] {
			var all []soakReport
			for _, line := range k.lines(t, fmt.Sprintf("reports-%d-%d", i, life)) {
				var r soakReport
				require.NoError(t, json.Unmarshal([]byte(line), &r))
				if r.Fault == "" {
					all = append(all, r)
					continue
				}
				faults++
				assert.True(t, slices.ContainsFunc(k.outages, func(o outage) bool {
					return r.At.After(o.from) && r.At.Before(o.to.Add(soakGrace))
				}), "process %d at %s: %s", i, r.At, r.Fault)
			}
			for _, r := range all {
				most.Heap = max(most.Heap, r.Heap)
				most.Goroutines = max(most.Goroutines, r.Goroutines)
				most.Files = max(most.Files, r.Files)
			}
			if n := len(all); n > 0 {
				add(&pruned, all[n-1].Pruned)
				for name, times := range all[n-1].Calls {
					calls[name] += times
				}
			}
			if i == 0 {
				k.steady(t, all)
			}
		}
	}
	assert.Less(t, most.Heap, uint64(soakHeap))
	assert.Less(t, most.Goroutines, soakGoroutines)
	assert.Less(t, most.Files, soakFiles)
	k.did(t, "contacts merged", calls["merge merged"])
	t.Logf("%d kills of processes, %d of servers; %d errors meanwhile; at most %d KiB, %d "+
		"goroutines, %d files in a process; pruned: %d texts, %d conversations, %d "+
		"keys; calls: %v", k.kills, len(k.outages), faults,
		most.Heap>>10, most.Goroutines, most.Files, pruned.Texts, pruned.Conversations,
		pruned.Keys, calls)
	return pruned
}

// steady asserts that the process that was never killed takes in the last third of its time what it
// took in the first one.
func (k *soak) steady(t *testing.T, all []soakReport) {
	t.Helper()
	third := len(all) / 3
	if third < 10 {
		return // it has hardly begun
	}
	for name, what := range map[string]struct {
		of    func(r soakReport) int
		spare int // what it may take more, for it begins with nothing prepared
	}{
		"bytes":      {func(r soakReport) int { return int(r.Heap) }, 8 << 20},
		"goroutines": {func(r soakReport) int { return r.Goroutines }, 20},
		"files":      {func(r soakReport) int { return r.Files }, 20},
	} {
		median := func(some []soakReport) int {
			var values []int
			for _, r := range some {
				values = append(values, what.of(r))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		first, last := median(all[:third]), median(all[len(all)-third:])
		assert.Less(t, last, first+what.spare, "%s of a process", name)
		t.Logf("%s of a process: %d at first, %d in the end", name, first, last)
	}
}
