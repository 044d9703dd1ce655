package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// An agent's requests. Each becomes one command, on the conversation that the path names and on no
// other: a stale page cannot change the wrong one.

type reply struct {
	keyed
	Body string `json:"body"`
}

func (in reply) command(by convo.Actor, key string) convo.Command {
	return convo.Send{By: by, Key: key, Channel: channel, Body: strings.TrimSpace(in.Body)}
}

type note struct {
	keyed
	Body string `json:"body"`
}

func (in note) command(by convo.Actor, key string) convo.Command {
	return convo.Note{By: by, Key: key, Body: strings.TrimSpace(in.Body)}
}

type assign struct {
	keyed
	User string `json:"user"` // empty: nobody
}

func (in assign) command(by convo.Actor, key string) convo.Command {
	return convo.Assign{By: by, Key: key, Assignee: in.User}
}

type setPending struct {
	keyed
	Until time.Time `json:"until,omitzero"` // zero: until the visitor writes
}

func (in setPending) command(by convo.Actor, key string) convo.Command {
	return convo.SetPending{By: by, Key: key, Until: in.Until}
}

type resume struct{ keyed }

func (resume) command(by convo.Actor, key string) convo.Command {
	return convo.Resume{By: by, Key: key}
}

type closing struct {
	keyed
	Category string `json:"category"`
	Summary  string `json:"summary"`
}

func (in closing) command(by convo.Actor, key string) convo.Command {
	return convo.Close{By: by, Key: key, Category: in.Category,
		Summary: strings.TrimSpace(in.Summary)}
}

type reopen struct{ keyed }

func (reopen) command(by convo.Actor, key string) convo.Command {
	return convo.Reopen{By: by, Key: key}
}

// act is the handler for one kind of request.
func act[T interface {
	key() string
	scoped(string) string
}](s *server, command func(T, convo.Actor, string) convo.Command) agentHandler {
	return func(w http.ResponseWriter, r *http.Request, a *account) error {
		c, err := s.conversation(r, a)
		if err != nil {
			return err
		}
		in, err := read[T](w, r)
		if err != nil {
			return err
		}
		cmd := command(in, convo.ByUser(a.Name), in.scoped("agent/"+a.Name))
		if to, ok := cmd.(convo.Assign); ok && to.Assignee != "" &&
			!slices.Contains(s.keep.agents(a.Workspace), to.Assignee) {
			return refusal{http.StatusUnprocessableEntity, "invalid",
				"user: nobody here is called that"}
		}
		result, err := s.engine.Do(r.Context(), convo.ToConversation(a.Workspace, c.ID), cmd)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
	}
}

// merging makes another contact one with that of the conversation.
type merging struct {
	keyed
	Contact string `json:"contact"`
}

func (s *server) merge(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	in, err := read[merging](w, r)
	if err != nil {
		return err
	}
	// Merging twice is the same as once, so there is no need for the key.
	result, err := s.engine.Merge(r.Context(), convo.Merge{
		Workspace: a.Workspace, Primary: c.Contact, Secondary: in.Contact, By: convo.ByUser(a.Name),
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}

type loginView struct{ Login, Problem string }

func (s *server) loginPage(w http.ResponseWriter, r *http.Request) error {
	if s.sessions.of(r) != nil {
		http.Redirect(w, r, "/inbox", http.StatusSeeOther)
		return nil
	}
	return render(w, "login.html", loginView{})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "malformed",
			"the request is not a form that is expected here"}
	}
	login, password := r.PostForm.Get("login"), r.PostForm.Get("password")
	var a *account
	if len(login) <= maxPassword && len(password) <= maxPassword {
		a = s.keep.check(login, password)
	}
	if a == nil {
		return renderAs(w, http.StatusUnauthorized, "login.html",
			loginView{login, "That is not an account and its password."})
	}
	setCookie(w, agentCookie, s.sessions.begin(a, time.Now()), "/", agentLife)
	http.Redirect(w, r, "/inbox", http.StatusSeeOther)
	return nil
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(agentCookie); err == nil {
		s.sessions.end(c.Value)
	}
	setCookie(w, agentCookie, "", "/", -time.Second)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
