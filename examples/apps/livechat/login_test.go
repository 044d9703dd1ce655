package main

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// signsIn posts the form of an account.
func (c *client) signsIn(account, password string, headers ...string) answer {
	form := url.Values{"login": {account}, "password": {password}, "next": {"/inbox?view=mine"}}
	return c.do(http.MethodPost, "/login", strings.NewReader(form.Encode()),
		append(headers, "Content-Type", formType)...)
}

func TestNobodyKeepsAgentsFromSigningIn(t *testing.T) {
	var hashed atomic.Int64
	var blocked atomic.Bool
	release := make(chan struct{})
	w := newWorldWith(t, 0, func() {
		hashed.Add(1)
		if blocked.Load() {
			<-release
		}
	})
	usual := w.agent("ana@kettles") // has signed in before
	hashed.Store(0)
	blocked.Store(true)

	// 150 wrong logins, from many addresses, whose clients leave while two of them are checked.
	ctx, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var refused atomic.Int64
	for i := range 150 {
		group.Go(func() {
			form := url.Values{"login": {"ana@kettles"}, "password": {"a wrong password"}}
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/login",
				strings.NewReader(form.Encode()))
			if err != nil {
				panic(err)
			}
			r.Header.Set("Content-Type", formType)
			r.Header.Set("X-Forwarded-For", "192.0.2.1, 198.51.100."+string(rune('0'+i%10)))
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				return // has left
			}
			defer answer.Body.Close()
			if answer.StatusCode == http.StatusTooManyRequests ||
				answer.StatusCode == http.StatusServiceUnavailable {
				if answer.Header.Get("Retry-After") != "" {
					refused.Add(1)
				}
			}
		})
	}
	require.Eventually(t, func() bool { return refused.Load() >= 150-maxWaiting-checkedAtOnce },
		20*time.Second, 5*time.Millisecond, "who does not fit in is told so, and does not wait")
	require.LessOrEqual(t, hashed.Load(), int64(checkedAtOnce))
	full := w.client().signsIn("ben@kettles", password)
	require.Equal(t, http.StatusServiceUnavailable, full.status, "all places are taken")
	require.NotEmpty(t, full.header.Get("Retry-After"))
	require.Contains(t, full.body, `value="ben@kettles"`, "what was written stays")

	blocked.Store(false) // two are being checked still
	usual.do(http.MethodPost, "/logout", nil)
	require.Equal(t, http.StatusSeeOther, usual.signsIn("ana@kettles", password).status,
		"whoever has signed in from here before has a way of their own")

	leave()
	group.Wait()
	close(release)
	before := hashed.Load()
	var a answer
	require.Eventually(t, func() bool { // the server hears of those who left a little later
		a = w.client().signsIn("ben@kettles", password)
		return a.status != http.StatusServiceUnavailable
	}, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.LessOrEqual(t, hashed.Load()-before, int64(2), "nothing is checked for who has left")
}

func TestOneClientHasFewPlaces(t *testing.T) {
	g := newGate(1)
	ctx, cancel := context.WithCancel(t.Context())
	first, status := g.enter(ctx, "a")
	require.Zero(t, status)
	var group sync.WaitGroup
	for range maxOfClient - 1 {
		group.Go(func() {
			_, status := g.enter(ctx, "a")
			if status != http.StatusServiceUnavailable {
				panic(status)
			}
		})
	}
	waiting := func() int {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.waiting
	}
	require.Eventually(t, func() bool { return waiting() == maxOfClient-1 }, 10*time.Second,
		time.Millisecond)
	_, status = g.enter(t.Context(), "a")
	require.Equal(t, http.StatusTooManyRequests, status)
	cancel()
	group.Wait()
	require.Zero(t, waiting())
	first()
	leave, status := g.enter(t.Context(), "b")
	require.Zero(t, status)
	leave()
	require.Empty(t, g.clients, "nothing is left of those who came")
}

func TestWhoAClientIs(t *testing.T) {
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:1234", "", "192.0.2.7"},
		{"192.0.2.7:1234", "198.51.100.1", "192.0.2.7"}, // anybody can say so
		{"127.0.0.1:1234", "", "127.0.0.1"},
		{"127.0.0.1:1234", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"[::1]:1234", "2001:DB8::1", "2001:db8::1"},
		{"[::1]:1234", "somebody", "::1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		require.Equal(t, c.want, clientOf(r), c)
	}
}

func TestSigningInLeadsBack(t *testing.T) {
	w := newWorld(t)
	for next, want := range map[string]string{
		"":                      "/inbox",
		"/inbox?view=mine":      "/inbox?view=mine",
		"/dashboard":            "/dashboard",
		"/inboxes":              "/inbox",
		"//evil.example":        "/inbox",
		"https://evil.example/": "/inbox",
		"/logout":               "/inbox",
	} {
		page := w.client().get("/login?" + url.Values{"next": {next}}.Encode()).body
		require.Contains(t, page, `name="next" value="`+want+`"`, next)
	}
	c := w.client()
	a := c.signsIn("ana@kettles", password)
	require.Equal(t, "/inbox?view=mine", a.header.Get("Location"))
	a = c.get("/login?next=%2Fdashboard")
	require.Equal(t, "/dashboard", a.header.Get("Location"), "is signed in already")
	require.Contains(t, w.client().get("/login").body, "--reset")
}

func TestSessionsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--db", "", "--secrets", filepath.Join(dir, "secrets.json")}
	first := start(t, args...)
	w := &world{t: t, url: first.url}
	c, left := w.client(), w.client()
	signIn := func(c *client) {
		require.Equal(t, http.StatusSeeOther,
			c.signsIn("ana@kettles", first.passwords["ana@kettles"]).status)
	}
	signIn(left)
	old := left.cookie(agentCookie)
	left.do(http.MethodPost, "/logout", nil)
	signIn(c) // is the last to be kept
	status, _ := first.stop()
	require.Zero(t, status)
	kept := readSecrets(t, filepath.Join(dir, "secrets.json"))
	require.Len(t, kept.Sessions, 1)
	require.NotContains(t, string(kept.Sessions[0].Token), c.cookie(agentCookie))

	second := start(t, args...)
	again := (&world{t: t, url: second.url}).client()
	inbox := func(token string) int {
		return again.do(http.MethodGet, "/inbox", nil, "Cookie", agentCookie+"="+token).status
	}
	require.Equal(t, http.StatusOK, inbox(c.cookie(agentCookie)))
	require.Equal(t, http.StatusUnauthorized, inbox(old), "who signed out stays so")
	status, _ = second.stop()
	require.Zero(t, status)

	// A lost password is replaced by another one, and nobody stays signed in with it.
	third := start(t, append(args, "--reset", "ana@kettles")...)
	require.Len(t, third.passwords, 1)
	w = &world{t: t, url: third.url}
	again = w.client()
	require.Equal(t, http.StatusUnauthorized, inbox(c.cookie(agentCookie)))
	require.Equal(t, http.StatusUnauthorized,
		w.client().signsIn("ana@kettles", first.passwords["ana@kettles"]).status)
	require.Equal(t, http.StatusSeeOther,
		w.client().signsIn("ana@kettles", third.passwords["ana@kettles"]).status)
	require.Equal(t, http.StatusSeeOther,
		w.client().signsIn("ben@kettles", first.passwords["ben@kettles"]).status)
	status, _ = third.stop()
	require.Zero(t, status)
}

func TestSessionsHaveALimit(t *testing.T) {
	made, err := accounts()
	require.NoError(t, err)
	keep := &secrets{Key: made.Key, Accounts: made.Accounts}
	s := newSessions(keep)
	of := func(token string) *account {
		r := &http.Request{Header: http.Header{}}
		r.AddCookie(&http.Cookie{Name: agentCookie, Value: token})
		return s.of(r)
	}
	now := time.Now()
	ben, err := s.begin(&keep.Accounts[1], now)
	require.NoError(t, err)
	var tokens []string
	for i := range maxSessions + 1 {
		token, err := s.begin(&keep.Accounts[0], now.Add(time.Duration(i)*time.Second))
		require.NoError(t, err)
		tokens = append(tokens, token)
	}
	require.Nil(t, of(tokens[0]))
	require.NotNil(t, of(tokens[1]))
	require.Equal(t, "ben", of(ben).Name, "another one's are not touched")
	_, err = s.begin(&keep.Accounts[1], now.Add(2*agentLife))
	require.NoError(t, err)
	require.Len(t, keep.Sessions, 1, "what has ended is forgotten")
}
