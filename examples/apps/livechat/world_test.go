package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

const (
	password = "correct horse battery"
	patience = usualPatience
)

// world is a server with two workspaces, in memory.
type world struct {
	t      testing.TB
	url    string
	engine *convo.Engine
	nudges *nudges
	keep   *secrets
	clock  *clock.Mock
	writes atomic.Int64
	reads  atomic.Int64
	gate   sync.RWMutex // nothing is written while it is locked
	log    logs
	filler *relay.Relay
	feed   *relay.Feed
}

// filled is where the feed of kettles ends once all is in it that was committed.
func (w *world) filled() relay.Cursor {
	_, err := w.filler.Once(w.t.Context())
	require.NoError(w.t, err)
	head, err := w.feed.Head(w.t.Context(), "kettles")
	require.NoError(w.t, err)
	return head
}

// writing counts what is written.
type writing struct {
	convo.IdentityIndex
	w *world
}

func (s writing) Commit(ctx context.Context, changes ...convo.Change) error {
	s.w.gate.RLock()
	defer s.w.gate.RUnlock()
	s.w.writes.Add(1)
	return s.IdentityIndex.Commit(ctx, changes...)
}

// The readings that a list could be made of are counted, too.

func (s writing) Conversations(
	ctx context.Context, f convo.Filter,
) ([]convo.Conversation, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.Conversations(ctx, f)
}

func (s writing) Contacts(ctx context.Context, f convo.ContactFilter) ([]convo.Contact, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.Contacts(ctx, f)
}

func (s writing) LastMessages(
	ctx context.Context, workspace string, ids []uuid.UUID,
) ([]convo.Event, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.LastMessages(ctx, workspace, ids)
}

func (s writing) Counts(ctx context.Context, workspace string) ([]convo.Count, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.Counts(ctx, workspace)
}

func (s writing) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.Events(ctx, f)
}

func (s writing) Addresses(ctx context.Context, workspace, id string) ([]convo.Address, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.Addresses(ctx, workspace, id)
}

func (s writing) ClosedCycles(
	ctx context.Context, workspace string, id uuid.UUID,
) ([]convo.Cycle, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.ClosedCycles(ctx, workspace, id)
}

func (s writing) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	s.w.reads.Add(1)
	return s.IdentityIndex.Load(ctx, to)
}

type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// accounts are made once: their hashes take a while on purpose.
var accounts = sync.OnceValues(func() (*secrets, error) {
	s, _, err := openSecrets("", []string{"ana@kettles", "ben@kettles", "zoe@globex"}, password)
	return s, err
})

func newWorld(t testing.TB) *world { return newWorldWith(t, 0, nil) }

// newWorldWith has a server with a timeout for requests, which hashes passwords as hashing lets it.
func newWorldWith(t testing.TB, timeout time.Duration, hashing func()) *world {
	w := &world{t: t, clock: clock.NewMock()}
	w.clock.Set(time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC))
	made, err := accounts()
	require.NoError(t, err)
	w.keep = &secrets{Key: made.Key, Accounts: slices.Clone(made.Accounts),
		hashing: hashing}
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store := memstore.New(memstore.WithFeed())
	live, filler := feeding(t, store)
	w.filler, w.feed = filler, live.feed
	w.nudges = &nudges{now: w.clock.Now, log: log}
	w.engine, err = convo.New(writing{store, w}, convo.WithPolicy(policy(patience)),
		convo.WithClock(w.clock), convo.WithLogger(log),
		convo.WithObserver(func(context.Context, []convo.Event) { filler.Wake() }),
		convo.WithObserver(w.nudges.observe))
	require.NoError(t, err)
	w.nudges.engine = w.engine
	s := httptest.NewUnstartedServer(newServer(w.engine, store, w.clock.Now, w.keep, live,
		log))
	s.Config.ReadTimeout, s.Config.WriteTimeout = timeout, timeout
	s.Start()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var filling sync.WaitGroup
	filling.Go(func() { _ = filler.Run(ctx) })
	t.Cleanup(func() {
		stop()
		filling.Wait()
		live.close()
		s.Close()
	})
	w.url = s.URL
	return w
}

// feeding is a hub, and the relay that fills the feed that it follows.
func feeding(t testing.TB, store *memstore.Store) (*hub, *relay.Relay) {
	feed, err := relay.NewFeed(store)
	require.NoError(t, err)
	filler, err := relay.New(store, relay.NoTargets, relay.WithFeed(feed))
	require.NoError(t, err)
	return newHub(feed, slog.New(slog.DiscardHandler)), filler
}

// client is a browser without scripts.
type client struct {
	w       *world
	http    *http.Client
	base    string // what paths begin with
	account string
}

func (w *world) client() *client {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &client{w: w, http: &http.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// visitor has loaded the page of a workspace.
func (w *world) visitor(workspace string) *client {
	c := w.client()
	c.base = "/w/" + workspace
	require.Equal(w.t, http.StatusOK, c.get("/").status)
	return c
}

// contact is whom the visitor's token names.
func (c *client) contact() string {
	v, ok := c.w.keep.verify(c.cookie(visitorCookie), strings.TrimPrefix(c.base, "/w/"), time.Now())
	require.True(c.w.t, ok)
	return v.contact
}

func (c *client) cookie(name string) string {
	u, err := url.Parse(c.w.url + c.base + "/")
	require.NoError(c.w.t, err)
	for _, cookie := range c.http.Jar.Cookies(u) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// agent has signed in as name@workspace.
func (w *world) agent(account string) *client {
	c := w.client()
	c.account = account
	a := c.do(http.MethodPost, "/login", strings.NewReader(url.Values{"login": {account},
		"password": {password}}.Encode()),
		"Content-Type", "application/x-www-form-urlencoded")
	require.Equal(w.t, http.StatusSeeOther, a.status, a.body)
	require.Equal(w.t, "/inbox", a.header.Get("Location"))
	return c
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) code() string {
	var v struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &v)
	return v.Code
}

func (c *client) do(method, path string, body io.Reader, headers ...string) answer {
	r, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.url+c.base+path, body)
	require.NoError(c.w.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(r)
	require.NoError(c.w.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(c.w.t, err)
	return answer{res.StatusCode, res.Header, string(data)}
}

func (c *client) get(path string) answer { return c.do(http.MethodGet, path, nil) }

// post sends values with a key of its own, unless they have one.
func (c *client) post(path string, values map[string]any) answer {
	if values["key"] == nil {
		if values == nil {
			values = map[string]any{}
		}
		values["key"] = uuid.NewString()
	}
	data, err := json.Marshal(values)
	require.NoError(c.w.t, err)
	return c.do(http.MethodPost, path, bytes.NewReader(data), "Content-Type", "application/json")
}

// says posts a message that is taken.
func (c *client) says(body string) {
	c.w.t.Helper()
	a := c.post("/messages", map[string]any{"body": body})
	require.Equal(c.w.t, http.StatusOK, a.status, a.body)
}

// does posts an agent's action that is done.
func (c *client) does(id uuid.UUID, action string, values map[string]any) {
	c.w.t.Helper()
	a := c.post("/inbox/"+id.String()+"/"+action, values)
	require.Equal(c.w.t, http.StatusOK, a.status, a.body)
}

// latest is the conversation that a visitor sees.
func (c *client) latest() convo.Conversation {
	c.w.t.Helper()
	workspace := strings.TrimPrefix(c.base, "/w/")
	conversation, err := c.w.engine.Conversation(c.w.t.Context(),
		convo.ToContact(workspace, c.contact()))
	require.NoError(c.w.t, err)
	return conversation
}

// writesNothing fails when f has something written.
func (w *world) writesNothing(f func()) {
	w.t.Helper()
	before := w.writes.Load()
	f()
	require.Equal(w.t, before, w.writes.Load(), "nothing is to be written")
}

type route struct{ guard, method, path string }

// routes are all that the server has, read off its source, so that no test can forget one.
func routes(t *testing.T, conversation uuid.UUID) []route {
	source, err := os.ReadFile("server.go")
	require.NoError(t, err)
	var all []route
	for _, m := range regexp.MustCompile(`(handle|agent|visitor)\("([A-Z]+) (/[^"]*)"`).FindAllStringSubmatch(string(source), -1) {
		path := strings.NewReplacer("{$}", "", "{workspace}", "kettles", "{id}",
			conversation.String()).Replace(m[3])
		all = append(all, route{m[1], m[2], path})
	}
	require.GreaterOrEqual(t, len(all), 24)
	return all
}

// seed opens n conversations, a minute apart: those of the contacts seed-0, seed-1 and so on.
func (w *world) seed(n int) (ids []uuid.UUID) {
	for i := range n {
		w.clock.Add(time.Minute)
		r, err := w.engine.Do(w.t.Context(),
			convo.ToContact("kettles", fmt.Sprintf("seed-%04d", i)),
			convo.Receive{Channel: channel, Body: fmt.Sprintf("Question %d, about a kettle.", i)})
		require.NoError(w.t, err)
		ids = append(ids, r.Conversation.ID)
	}
	return ids
}
