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
	Until time.Time `json:"until,omitzero"` // zero: no time
	Stay  bool      `json:"stay"`           // also when the visitor writes
}

func (in setPending) command(by convo.Actor, key string) convo.Command {
	cmd := convo.SetPending{By: by, Key: key, Until: in.Until, OnReceive: convo.OnReceiveResume}
	if in.Stay {
		cmd.OnReceive = convo.OnReceiveStay
	}
	return cmd
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

type label struct {
	keyed
	Add    string `json:"add"`
	Remove string `json:"remove"`
}

func (in label) command(by convo.Actor, key string) convo.Command {
	l := convo.Label{By: by, Key: key}
	if add := strings.TrimSpace(in.Add); add != "" || in.Remove == "" {
		l.Add = []string{add} // empty is refused, rather than nothing being done
	}
	if in.Remove != "" {
		l.Remove = []string{in.Remove}
	}
	return l
}

// priorities are what an agent can choose from.
var priorities = []convo.Priority{
	convo.PriorityNone, convo.PriorityLow, convo.PriorityMedium, convo.PriorityHigh,
	convo.PriorityUrgent,
}

type prioritize struct {
	keyed
	Priority string `json:"priority"`
}

func (in prioritize) command(by convo.Actor, key string) convo.Command {
	i := slices.IndexFunc(priorities,
		func(p convo.Priority) bool { return p.String() == in.Priority })
	if i < 0 {
		i = len(priorities) // which the library refuses
	}
	return convo.Prioritize{By: by, Key: key, Priority: convo.Priority(i)}
}

// naming says what a contact is called.
type naming struct {
	keyed
	Name string `json:"name"` // empty: by its address
}

func (in naming) command(by convo.Actor, key string) convo.Command {
	name := strings.TrimSpace(in.Name)
	return convo.SetProfile{By: by, Key: key, Name: &name}
}

type block struct{ keyed }

func (block) command(by convo.Actor, key string) convo.Command {
	return convo.Block{By: by, Key: key}
}

type unblock struct{ keyed }

func (unblock) command(by convo.Actor, key string) convo.Command {
	return convo.Unblock{By: by, Key: key}
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
			return unfit("Nobody here is called that.")
		}
		result, err := s.engine.Do(r.Context(), convo.ToConversation(a.Workspace, c.ID), cmd)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
	}
}
