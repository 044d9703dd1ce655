package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Checking a password costs a tenth of a second of a processor on purpose, and anybody may ask for
// it. So few are checked at a time, few wait, and fewer of one client; who goes leaves the queue.
const (
	checkedAtOnce = 2
	maxWaiting    = 30 // of all clients
	maxOfClient   = 4  // waiting or being checked, of one client
)

// gates are two: browsers from which the same agent has signed in before have one of their own, so
// that strangers can never keep an agent out who comes from the usual place.
type gates struct{ strangers, known *gate }

func newGates() gates {
	return gates{newGate(checkedAtOnce), newGate(1)}
}

type gate struct {
	slots   chan struct{}
	mu      sync.Mutex
	clients map[string]int
	waiting int
}

func newGate(slots int) *gate {
	return &gate{slots: make(chan struct{}, slots), clients: map[string]int{}}
}

// enter waits for a slot, which leave gives back. status is 0, or what to refuse the client with:
// 429 when it asks for too much, 503 when all together do or it has gone.
func (g *gate) enter(ctx context.Context, client string) (leave func(), status int) {
	g.mu.Lock()
	switch {
	case g.clients[client] >= maxOfClient:
		g.mu.Unlock()
		return nil, http.StatusTooManyRequests
	case g.waiting >= maxWaiting:
		g.mu.Unlock()
		return nil, http.StatusServiceUnavailable
	}
	g.clients[client]++
	g.waiting++
	g.mu.Unlock()
	done := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.clients[client]--; g.clients[client] == 0 {
			delete(g.clients, client)
		}
	}
	select {
	case g.slots <- struct{}{}:
		leave = func() {
			<-g.slots
			done()
		}
	case <-ctx.Done():
		leave = done
	}
	g.mu.Lock()
	g.waiting--
	g.mu.Unlock()
	if ctx.Err() != nil { // perhaps while it was let in
		leave()
		return nil, http.StatusServiceUnavailable
	}
	return leave, 0
}

// clientOf is the address that a request comes from. What comes from this machine may come through
// the TLS in front, which says for whom in the last X-Forwarded-For; others cannot say so.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return host
	}
	all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if ip := net.ParseIP(strings.TrimSpace(all[len(all)-1])); ip != nil {
		return ip.String()
	}
	return host
}

type loginView struct{ Login, Problem, Next string }

// nextOf is where to go after signing in: a page of the agents here, and nowhere else.
func nextOf(r *http.Request) string {
	next := r.FormValue("next")
	for _, page := range []string{"/inbox", "/dashboard"} {
		rest, ok := strings.CutPrefix(next, page)
		if ok && len(next) < 2<<10 && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			return next
		}
	}
	return "/inbox"
}

func (s *server) loginPage(w http.ResponseWriter, r *http.Request) error {
	if s.sessions.of(r) != nil {
		http.Redirect(w, r, nextOf(r), http.StatusSeeOther)
		return nil
	}
	return render(w, "login.html", loginView{Next: nextOf(r)})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "malformed",
			"The request is not a form that is expected here."}
	}
	view := loginView{Login: r.PostForm.Get("login"), Next: nextOf(r)}
	password := r.PostForm.Get("password")
	name, workspace, _ := strings.Cut(view.Login, "@")
	gate := s.gates.strangers
	if c, err := r.Cookie(knownCookie); err == nil {
		known, ok := s.keep.verified("known", c.Value, workspace, time.Now())
		if ok && known == name {
			gate = s.gates.known
		}
	}
	var a *account
	if len(view.Login) <= maxPassword && len(password) <= maxPassword {
		leave, status := gate.enter(r.Context(), clientOf(r))
		if status != 0 {
			w.Header().Set("Retry-After", "5")
			view.Problem = "Too many are signing in. Try again in a few seconds."
			return renderAs(w, status, "login.html", view)
		}
		a = s.keep.check(view.Login, password)
		leave()
	}
	if a == nil {
		view.Problem = "That is not an account and its password."
		return renderAs(w, http.StatusUnauthorized, "login.html", view)
	}
	token, err := s.sessions.begin(a, time.Now())
	if err != nil { // it holds until the process ends
		s.log.ErrorContext(r.Context(), "sessions", "error", err)
	}
	setCookie(w, agentCookie, token, "/", agentLife)
	setCookie(w, knownCookie, s.keep.signed("known", a.Workspace, a.Name,
		time.Now().Add(knownLife)), "/login", knownLife)
	http.Redirect(w, r, view.Next, http.StatusSeeOther)
	return nil
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(agentCookie); err == nil {
		if err := s.sessions.end(c.Value); err != nil {
			s.log.ErrorContext(r.Context(), "sessions", "error", err)
		}
	}
	setCookie(w, agentCookie, "", "/", -time.Second)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
