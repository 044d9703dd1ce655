package faults_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

const relayVariable = "CONVO_TEST_RELAY" // a relaying, as JSON

// relaying is what a process brings where.
type relaying struct {
	From testdb.Database
	File string
	// Ahead is how far the clock of the process is ahead, so that it takes over what the one before
	// it has leased.
	Ahead time.Duration
	// Tells says that it tells of its steps.
	Tells bool
}

// Now is the time of its relay.
func (r *relaying) Now() time.Time { return time.Now().Add(r.Ahead) }

func (r *relaying) step(what string, events int) {
	if r.Tells {
		fmt.Println(what, events)
	}
}

// Publish implements relay.Publisher: a line for each event, with its stream.
func (r *relaying) Publish(_ context.Context, events []convo.Event) (int, error) {
	r.step("before", len(events))
	var lines bytes.Buffer
	lines.WriteByte('\n') // what a process before it has left may have no end
	for i := range events {
		fmt.Fprintf(&lines, "%s %s\n", streamOf(&events[i]), events[i].ID)
	}
	f, err := os.OpenFile(r.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	_, err = f.Write(lines.Bytes()) // in one piece
	if err = cmp.Or(err, f.Close()); err != nil {
		return 0, err
	}
	r.step("after", len(events))
	return len(events), nil
}

func outboxOf(to testdb.Database) (*sqlstore.Store, error) {
	db, err := openChild(to)
	if err != nil {
		return nil, err
	}
	config := sqlstore.Config{DB: db, Dialect: dialects[to.Engine], Outbox: true}
	if err := config.Migrate(context.Background()); err != nil {
		return nil, err
	}
	return config.Open(context.Background())
}

// relayAsChild relays until it is killed.
func relayAsChild(text string) {
	var r relaying
	err := json.Unmarshal([]byte(text), &r)
	var s *sqlstore.Store
	if err == nil {
		s, err = outboxOf(r.From)
	}
	var of *relay.Relay
	if err == nil {
		of, err = relay.New(s, relay.To("file", &r), relay.WithClock(&r),
			relay.WithEvery(time.Millisecond))
	}
	if err == nil {
		err = of.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, "the relaying process:", err)
	os.Exit(1)
}

// A relay that is killed before, amid or after publishing, and before or after it has marked what it
// has published, loses nothing and brings nothing out of its order.
func TestNothingIsLostWhenARelayIsKilledAroundPublishAndMark(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		folder := t.TempDir()
		r := relaying{
			From: testdb.Database{Engine: e, DSN: filepath.Join(folder, "convo.db")},
			File: filepath.Join(folder, "published"),
		}
		if e != testdb.SQLite {
			r.From = testdb.Create(t, e)
		}
		s, err := outboxOf(r.From)
		require.NoError(t, err)
		defer func() { assert.NoError(t, s.Close()) }()
		engine := engineOn(t, s)
		killed := make(chan struct{})
		var writing sync.WaitGroup
		for w := range 2 {
			writing.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-killed:
						return
					default:
					}
					to := convo.ToContact(workspace, fmt.Sprint("contact ", w, " ", n%9))
					_, err := engine.Do(t.Context(), to, convo.Receive{Body: fmt.Sprint(n)},
						convo.Note{By: ana, Body: "a note"})
					if err == nil && n%5 == 0 {
						_, err = engine.Do(t.Context(), to, convo.Block{By: ana},
							convo.Unblock{By: ana})
					}
					if !assert.NoError(t, err) {
						return
					}
				}
			})
		}
		kills := scaled(t, 9)
		for range kills {
			r.killed(t)
			r.Ahead += 2 * time.Minute
		}
		close(killed)
		writing.Wait()
		of, err := relay.New(s, relay.To("file", &r), relay.WithClock(&r))
		require.NoError(t, err)
		for more := true; more; {
			stats, err := of.Once(t.Context())
			require.NoError(t, err)
			more = stats.Queued+stats.Sent > 0
		}
		want := r.complete(t, s)
		require.NotEmpty(t, want[fmt.Sprintf("%s %q", uuid.Nil, "contact 0 0")])
		t.Logf("%d kills", kills)
	})
}

// killed has a process relay, and kills it at one of its steps or right behind it.
func (r *relaying) killed(t *testing.T) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	of := *r
	of.Tells = true
	text, err := json.Marshal(of)
	require.NoError(t, err)
	child := exec.Command(program)
	child.Env = append(os.Environ(), relayVariable+"="+string(text))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() }).Stop()
	lines, last := bufio.NewScanner(out), rand.N(30)
	n := 0
	for ; lines.Scan(); n++ {
		if n == last {
			require.NoError(t, child.Process.Kill())
		}
	}
	assert.Error(t, child.Wait())
	require.Greater(t, n, last, "the child ended by itself")
}

// complete asserts that each event of the log was published, and those of each log in their order,
// as far as their first publishing goes. It returns the logs.
func (r *relaying) complete(t *testing.T, s convo.Store) (want map[string][]string) {
	t.Helper()
	got := map[string][]string{}
	all, lines := r.published(t)
	for _, p := range all {
		got[p.of] = append(got[p.of], p.id)
	}
	want = map[string][]string{}
	eachEvent(t, s, workspace, func(e *convo.Event) {
		want[streamOf(e)] = append(want[streamOf(e)], e.ID.String())
	})
	assert.Equal(t, want, got)
	t.Logf("%d events, %d lines", len(all), lines)
	return want
}

// published is an event that came for the first time, and of which stream it is.
type published struct{ of, id string }

func streamOf(e *convo.Event) string {
	return fmt.Sprintf("%s %q", e.Conversation, relay.StreamOf(e).Contact)
}

// published is what came, and in how many lines. A line that was cut off with its process was not
// acknowledged.
func (r *relaying) published(t *testing.T) (all []published, lines int) {
	t.Helper()
	text, err := os.ReadFile(r.File)
	require.NoError(t, err)
	first := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		at := strings.LastIndexByte(line, ' ')
		id := line[at+1:]
		if at < 0 || uuid.Validate(id) != nil {
			continue
		}
		lines++
		if !first[id] {
			first[id] = true
			all = append(all, published{line[:at], id})
		}
	}
	return all, lines
}

// eachEvent calls f with all events of a workspace, those of each log in their order.
func eachEvent(t *testing.T, s convo.Store, of string, f func(e *convo.Event)) {
	t.Helper()
	for k, err := range engineOn(t, s).AllContacts(t.Context(),
		convo.ContactFilter{Workspace: of}) {
		require.NoError(t, err)
		q := convo.EventFilter{Workspace: of, Contact: k.ID, Limit: convo.MaxPageSize}
		for {
			page, err := s.Events(t.Context(), q)
			require.NoError(t, err)
			for i := range page {
				f(&page[i])
			}
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].Cursor()
		}
	}
}
