package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// racerVariable holds what a process that races is to do, as JSON of a racer.
const racerVariable = "CONVO_TEST_RACER"

// racer is one of several processes that call what there is, merges above all, on the same few
// contacts. Every spell has new ones, so that merges never run out.
type racer struct {
	testdb.Database
	Start time.Time
	For   time.Duration
}

const (
	racingProcesses = 3
	callers         = 4 // of a process
	spell           = 200 * time.Millisecond
	spellContacts   = 6
)

func racedContact(spell, n int) string { return fmt.Sprint("contact ", spell, ".", n) }

// tally is what a process has done.
type tally struct {
	Messages int // that were acknowledged
	Merges   int
	Calls    map[string]int // by outcome, or by code of error
	Faults   []string       // errors that nobody can explain
}

// TestThreeProcessesThatMergeBreakNoInvariant is F1 as it was found: every contact is still reached,
// and every message that was acknowledged is there.
func TestThreeProcessesThatMergeBreakNoInvariant(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		for run := range scaled(t, 2) {
			t.Run(fmt.Sprint("run ", run+1), func(t *testing.T) { raceProcesses(t, e) })
		}
	})
}

func raceProcesses(t *testing.T, e testdb.Engine) {
	d := testdb.Create(t, e)
	db := d.Open(t)
	s := migrated(t, db, e)
	long := 8 * time.Second
	if testing.Short() {
		long = 3 * time.Second
	}
	what, err := json.Marshal(racer{d, time.Now(), long})
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	var all sync.WaitGroup
	tallies := make([]tally, racingProcesses)
	for i := range tallies {
		all.Go(func() {
			child := exec.CommandContext(t.Context(), program)
			child.Env = append(os.Environ(), racerVariable+"="+string(what))
			child.Stderr = os.Stderr
			out, err := child.Output()
			if assert.NoError(t, err) {
				assert.NoError(t, json.Unmarshal(out, &tallies[i]), string(out))
			}
		})
	}
	all.Wait()
	messages, merges, calls := 0, 0, map[string]int{}
	for _, one := range tallies {
		assert.Empty(t, one.Faults)
		messages += one.Messages
		merges += one.Merges
		for name, n := range one.Calls {
			calls[name] += n
		}
	}
	assert.Positive(t, merges)
	t.Logf("%d messages, %d merges, calls: %v", messages, merges, calls)
	engine := engineOn(t, s)
	spells := int(long/spell) + 1
	for i := range spells {
		for n := range spellContacts {
			to := convo.ToContact(workspace, racedContact(i, n))
			if _, err := engine.Contact(t.Context(), to); errors.Is(err, convo.ErrNotFound) {
				continue
			}
			_, err := engine.Do(t.Context(), to, convo.Unblock{By: ana}, convo.Receive{Body: "later"})
			require.NoError(t, err, to.Contact)
			messages++
		}
	}
	there := 0
	for c, err := range engine.AllConversations(t.Context(), convo.Filter{Workspace: workspace}) {
		require.NoError(t, err)
		for e, err := range engine.AllTranscript(t.Context(),
			convo.ToConversation(workspace, c.ID), convo.EventCursor{}) {
			require.NoError(t, err)
			if e.Kind == convo.MessageReceived {
				there++
			}
		}
	}
	assert.Equal(t, messages, there, "messages")
	sound(t, s)
}

// raceAsProcess calls what there is until its time is over, prints its tally, and does not return.
func raceAsProcess(text string) {
	var r racer
	var all tally
	err := json.Unmarshal([]byte(text), &r)
	if err == nil {
		err = r.race(&all)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the racing process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (r *racer) race(all *tally) error {
	db, err := r.Pool()
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(callers + 1)
	ctx := context.Background()
	s, err := sqlstore.Config{DB: db, Dialect: dialects[r.Engine]}.Open(ctx)
	if err != nil {
		return err
	}
	all.Calls = map[string]int{}
	engine, err := convo.New(s, convo.WithRetries(1000), convo.WithPolicy(convo.Policy{
		Merge: convo.MergeTransfer, Receive: convo.OnClosed{Mode: convo.OnClosedReopen},
	}))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for time.Since(r.Start) < r.For {
				now := int(time.Since(r.Start) / spell)
				name, messages, err := oneOfMany(ctx, engine, now)
				mu.Lock()
				switch code := convo.Code(err); {
				case err == nil:
					all.Calls[name]++
					all.Messages += messages
					if name == "merge" {
						all.Merges++
					}
				case code == "other" || code == "conflict" || code == "commit_unknown":
					all.Faults = append(all.Faults, fmt.Sprintf("%s: %v", name, err))
				default:
					all.Calls[code]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return nil
}

// oneOfMany is one call, of any kind, on contacts of this spell.
func oneOfMany(
	ctx context.Context, e *convo.Engine, spell int,
) (name string, messages int, err error) {
	a, b := racedContact(spell, rand.N(spellContacts)), racedContact(spell, rand.N(spellContacts))
	if rand.N(4) == 0 {
		_, err = e.Merge(ctx, convo.Merge{Workspace: workspace, Primary: a, Secondary: b, By: ana})
		return "merge", 0, err
	}
	if rand.N(20) == 0 {
		_, err = e.Tick(ctx, 20)
		return "tick", 0, err
	}
	to := convo.ToContact(workspace, a)
	address := convo.Address{Channel: "sms", Value: a}
	switch rand.N(3) {
	case 0:
		to.Address = address
	case 1:
		to.Contact, to.Address = "", address
	}
	hi := convo.Receive{Body: "hi"}
	cmds := [...]convo.Commands{
		{hi}, {hi}, {hi}, {hi, convo.Close{By: ana}}, {convo.Open{By: ana}}, {convo.Close{By: ana}},
		{convo.Reopen{By: ana}}, {convo.Note{By: ana, Body: "note"}},
		{convo.SetPending{By: ana, Until: time.Now().Add(50 * time.Millisecond)}},
		{convo.Block{By: ana}, convo.Unblock{By: ana}},
		{convo.Assign{By: ana, Assignee: "ben"}},
	}
	chosen := cmds[rand.N(len(cmds))]
	if strings.HasSuffix(a, "0") { // delivered twice
		chosen = convo.Commands{convo.Receive{Body: "hi", Channel: "sms",
			ExternalID: fmt.Sprint(spell, rand.N(40))}}
	}
	r, err := e.Do(ctx, to, chosen...)
	for i := range r.Events {
		if r.Outcome != convo.OutcomeDuplicate && r.Events[i].Kind == convo.MessageReceived {
			messages++
		}
	}
	if err != nil {
		err = fmt.Errorf("to %+v: %w", to, err)
	}
	return fmt.Sprintf("%T", chosen[0]), messages, err
}
