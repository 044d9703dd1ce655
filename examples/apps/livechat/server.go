package main

import (
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

//go:embed assets templates
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	// until the browser writes the local time
	"clock": func(t time.Time) string { return t.UTC().Format("2 Jan 15:04") },
	"title": title,
}).ParseFS(files, "templates/*.html"))

type server struct {
	engine   *convo.Engine
	reports  reports
	keep     *secrets
	sessions sessions
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

func newServer(engine *convo.Engine, r reports, keep *secrets, live *hub,
	log *slog.Logger) http.Handler {
	s := &server{engine: engine, reports: r, keep: keep, live: live, log: log}
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
	agent("POST /inbox/{id}/merge", s.merge)
	agent("GET /dashboard", s.dashboard("dashboard.html"))
	agent("GET /dashboard/numbers", s.dashboard("numbers"))

	assets, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // the folder is in the program
	}
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	handle("/", func(http.ResponseWriter, *http.Request) error { return errNoPage })

	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refusal{http.StatusForbidden, "cross_origin",
			"requests from other sites are refused"})
	}))
	return s.logged(secured(sameOrigin.Handler(mux)))
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
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return nil
		}
		return refusal{http.StatusUnauthorized, "signed_out", "sign in first"}
	}
}

func (s *server) visiting(h visitorHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if c, err := r.Cookie(visitorCookie); err == nil {
			if v, ok := s.keep.verify(c.Value, r.PathValue("workspace"), time.Now()); ok {
				return h(w, r, v)
			}
		}
		return refusal{http.StatusUnauthorized, "no_token", "load the page again"}
	}
}

func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"),
		"text/html")
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

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// refusal is an answer that says no, and why.
type refusal struct {
	status     int
	code, text string
}

func (r refusal) Error() string { return r.text }

var errNoPage = refusal{http.StatusNotFound, "not_found", "there is nothing here"}

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

// refuse says what err means to the client.
func refuse(err error) refusal {
	var no refusal
	var invalid *convo.ValidationError
	var state *convo.StateError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &invalid):
		return refusal{http.StatusUnprocessableEntity, "invalid", invalid.Field + ": " +
			invalid.Rule}
	case errors.Is(err, convo.ErrKeyReused):
		return refusal{http.StatusConflict, "key_reused", convo.ErrKeyReused.Error()}
	case errors.Is(err, convo.ErrNotFound):
		return errNoPage
	case errors.Is(err, convo.ErrBlocked):
		return refusal{http.StatusForbidden, "blocked", convo.ErrBlocked.Error()}
	case errors.Is(err, convo.ErrClosed):
		return refusal{http.StatusConflict, "closed",
			"The conversation is closed. Restart it to write again."}
	case errors.As(err, &state):
		return refusal{http.StatusConflict, "conflict", state.Err.Error()}
	case errors.Is(err, convo.ErrConflict), errors.Is(err, convo.ErrCommitUnknown):
		return refusal{http.StatusServiceUnavailable, "again", "try again"}
	}
	return refusal{http.StatusInternalServerError, "internal", "something went wrong here"}
}
