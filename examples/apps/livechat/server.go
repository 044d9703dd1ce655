package main

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
)

//go:embed assets templates
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	// until the browser writes the local time
	"clock": func(t time.Time) string { return t.UTC().Format("2 Jan 15:04") },
	"title": title,
	"plain": plain,
	"topic": topicName,
	"ago":   ago,
}).ParseFS(files, "templates/*.html"))

type server struct {
	engine   *convo.Engine
	store    database.Store // for what the engine has no reading of
	now      func() time.Time
	reports  reports
	keep     *secrets
	sessions *sessions
	gates    gates
	live     *hub
	log      *slog.Logger
}

// handler answers a request, or fails with an error for [server.fail].
type handler func(w http.ResponseWriter, r *http.Request) error

// agentHandler is a handler for an agent who is signed in. The workspace is the agent's, never the
// request's.
type agentHandler func(w http.ResponseWriter, r *http.Request, a *account) error

// visitorHandler is a handler for a visitor with a token.
type visitorHandler func(w http.ResponseWriter, r *http.Request, v visitor) error

func newServer(engine *convo.Engine, store database.Store, now func() time.Time, keep *secrets,
	live *hub, log *slog.Logger) http.Handler {
	s := &server{engine: engine, store: store, now: now, reports: reports{store, now}, keep: keep,
		sessions: newSessions(keep), gates: newGates(), live: live, log: log}
	mux := http.NewServeMux()
	handle := func(pattern string, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.fail(w, r, err)
			}
		})
	}
	agent := func(pattern string, h agentHandler) { handle(pattern, s.signedIn(h)) }
	visitor := func(pattern string, h visitorHandler) { handle(pattern, s.visiting(h)) }

	handle("GET /{$}", s.home)
	handle("GET /w/{workspace}/{$}", s.site)
	visitor("GET /w/{workspace}/thread", s.visitorThread)
	visitor("GET /w/{workspace}/events", s.visitorEvents)
	visitor("POST /w/{workspace}/messages", s.message)
	visitor("POST /w/{workspace}/restart", s.restart)
	visitor("POST /w/{workspace}/rate", s.rate)

	handle("GET /login", s.loginPage)
	handle("POST /login", s.login)
	handle("POST /logout", s.logout)
	agent("GET /inbox", s.inbox)
	agent("GET /inbox/list", s.list)
	agent("GET /inbox/events", s.agentEvents)
	agent("GET /inbox/{id}", s.inbox)
	agent("GET /inbox/{id}/thread", s.thread)
	agent("GET /inbox/{id}/history", s.history)
	agent("POST /inbox/{id}/reply", act(s, reply.command))
	agent("POST /inbox/{id}/note", act(s, note.command))
	agent("POST /inbox/{id}/assign", act(s, assign.command))
	agent("POST /inbox/{id}/set-pending", act(s, setPending.command))
	agent("POST /inbox/{id}/resume", act(s, resume.command))
	agent("POST /inbox/{id}/close", act(s, closing.command))
	agent("POST /inbox/{id}/reopen", act(s, reopen.command))
	agent("POST /inbox/{id}/label", act(s, label.command))
	agent("POST /inbox/{id}/prioritize", act(s, prioritize.command))
	agent("POST /inbox/{id}/name", act(s, naming.command))
	agent("POST /inbox/{id}/block", act(s, block.command))
	agent("POST /inbox/{id}/unblock", act(s, unblock.command))
	agent("POST /inbox/{id}/take", s.take)
	agent("POST /inbox/{id}/move", s.move)
	agent("POST /inbox/{id}/merge", s.merge)
	agent("POST /inbox/{id}/unmerge", s.unmerge)
	agent("GET /dashboard", s.dashboard("dashboard.html"))
	agent("GET /dashboard/numbers", s.dashboard("numbers"))

	handle("GET /assets/{file}", s.asset)

	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refusal{http.StatusForbidden, "cross_origin",
			"Requests from other sites are refused."})
	}))
	return s.logged(secured(sameOrigin.Handler(s.found(mux))))
}

// found answers what mux has no handler for as all that fails here is answered: with 405 where
// only the method is wrong, else with 404.
func (s *server) found(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		p := probe{header: http.Header{}}
		h.ServeHTTP(&p, r)
		switch p.status {
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", p.header.Get("Allow"))
			s.fail(w, r, refusal{p.status, "method", "That cannot be done with this address."})
		case http.StatusNotFound:
			s.fail(w, r, errNoPage)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// probe takes an answer that is not to be sent.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// asset serves one file; their folder is not listed.
func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	name := "assets/" + r.PathValue("file")
	if info, err := fs.Stat(files, name); err != nil || info.IsDir() {
		return errNoPage
	}
	http.ServeFileFS(w, r, files, name)
	return nil
}

// secured sets headers that keep a browser from doing what no page here asks it to do.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
				"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !strings.HasPrefix(r.URL.Path, "/assets/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// recorder remembers the status that was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// logged logs what was refused or failed: by method and path, never by query, header or body, which
// hold secrets.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{w, http.StatusOK}
		next.ServeHTTP(rec, r)
		level := slog.LevelDebug
		switch {
		case r.Context().Err() != nil: // the client has gone
		case rec.status >= http.StatusInternalServerError:
			level = slog.LevelError
		case rec.status >= http.StatusBadRequest:
			level = slog.LevelWarn
		}
		s.log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status",
			rec.status)
	})
}

func (s *server) signedIn(h agentHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := s.sessions.of(r)
		switch {
		case a != nil:
			return h(w, r, a)
		case r.Method == http.MethodGet && wantsPage(r):
			http.Redirect(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(),
				http.StatusSeeOther)
			return nil
		}
		return refusal{http.StatusUnauthorized, "signed_out", "Sign in first."}
	}
}

func (s *server) visiting(h visitorHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if c, err := r.Cookie(visitorCookie); err == nil {
			if v, ok := s.keep.verify(c.Value, r.PathValue("workspace"), time.Now()); ok {
				return h(w, r, v)
			}
		}
		return refusal{http.StatusUnauthorized, "no_token", "Load the page again."}
	}
}

func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// conversation is the one that the path names, if it is in the agent's workspace.
func (s *server) conversation(r *http.Request, a *account) (convo.Conversation, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil || id == uuid.Nil {
		return convo.Conversation{}, errNoPage
	}
	return s.engine.Conversation(r.Context(), convo.ToConversation(a.Workspace, id))
}

// render writes a page or a part of one, or nothing at all.
func render(w http.ResponseWriter, name string, data any) error {
	return renderAs(w, http.StatusOK, name, data)
}

func renderAs(w http.ResponseWriter, status int, name string, data any) error {
	var b strings.Builder
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // fails when the client has gone
	return nil
}

// ago is for how long somebody has waited, until the browser counts on.
func ago(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// fail answers err: as a page where a page was asked for, else as JSON. What is wrong in here is
// logged, not told.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	no := refuse(err)
	if no.status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.log.ErrorContext(r.Context(), "failed", "method", r.Method, "path", r.URL.Path, "error",
			err)
	}
	if wantsPage(r) {
		err = renderAs(w, no.status, "error.html", no.text)
	} else {
		err = writeJSON(w, no.status, map[string]string{"code": no.code, "error": no.text})
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "no answer", "error", err)
	}
}
