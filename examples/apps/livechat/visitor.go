package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// channel is where all conversations of this program take place.
const channel = "livechat"

func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/w/"+s.keep.Accounts[0].Workspace+"/", http.StatusSeeOther)
	return nil
}

// site is the website that the widget is on. Looking at it writes nothing: a visitor becomes a
// contact with the first message.
func (s *server) site(w http.ResponseWriter, r *http.Request) error {
	workspace := r.PathValue("workspace")
	if !s.keep.knows(workspace) {
		return errNoPage
	}
	var v visitor
	c, err := r.Cookie(visitorCookie)
	known := err == nil
	if known {
		v, known = s.keep.verify(c.Value, workspace, time.Now())
	}
	if !known {
		v = newVisitor(workspace)
		setCookie(w, visitorCookie, s.keep.sign(v, time.Now().Add(visitorLife)),
			"/w/"+workspace+"/", visitorLife)
	}
	t, err := s.visitorView(r.Context(), v)
	if err != nil {
		return err
	}
	return render(w, "site.html", t)
}

func (s *server) visitorThread(w http.ResponseWriter, r *http.Request, v visitor) error {
	t, err := s.visitorView(r.Context(), v)
	if err != nil {
		return err
	}
	last := r.FormValue("last") // an id: a number would count what is for agents only
	i := slices.IndexFunc(t.Lines, func(l line) bool { return l.ID.String() == last })
	if i >= 0 {
		t.Lines, t.More = t.Lines[i+1:], true
	}
	return render(w, "visitor-thread", t)
}

func (s *server) visitorEvents(w http.ResponseWriter, r *http.Request, v visitor) error {
	who := func(ctx context.Context) (string, error) {
		contact, err := s.engine.Contact(ctx, convo.ToContact(v.workspace, v.contact))
		if errors.Is(err, convo.ErrNotFound) {
			return v.contact, nil
		}
		return contact.ID, err
	}
	contact, err := who(r.Context())
	if err != nil {
		return err
	}
	return s.live.serve(w, r, &stream{
		workspace: v.workspace, visitor: v.contact, contact: contact, who: who,
	}, func() bool { return true })
}

type visitorMessage struct {
	keyed
	Body string `json:"body"`
}

func (s *server) message(w http.ResponseWriter, r *http.Request, v visitor) error {
	in, err := read[visitorMessage](w, r)
	if err != nil {
		return err
	}
	return s.byVisitor(w, r, v, convo.Receive{
		By: v.actor(), Key: in.scoped(v.contact), Channel: channel,
		Body: strings.TrimSpace(in.Body),
	})
}

type visitorRestart struct{ keyed }

func (s *server) restart(w http.ResponseWriter, r *http.Request, v visitor) error {
	in, err := read[visitorRestart](w, r)
	if err != nil {
		return err
	}
	return s.byVisitor(w, r, v, convo.Reopen{By: v.actor(), Key: in.scoped(v.contact)})
}

// byVisitor carries out a visitor's command, and has the flow go on from there.
func (s *server) byVisitor(w http.ResponseWriter, r *http.Request, v visitor,
	cmd convo.Command) error {
	c, err := s.current(r.Context(), v)
	if err != nil {
		return err
	}
	result, err := s.engine.Do(r.Context(), convo.ToContact(v.workspace, v.contact).In(c.Lane), cmd)
	if errors.Is(err, convo.ErrBlocked) {
		return refusal{http.StatusForbidden, "blocked", "This chat takes no messages from you."}
	}
	if err != nil {
		return err
	}
	// The visitor's part is done. What the flow says to it comes with the next message, if it does
	// not come now.
	if err := s.advance(context.WithoutCancel(r.Context()), result.Conversation); err != nil {
		s.log.ErrorContext(r.Context(), "flow", "conversation", result.Conversation.ID, "error",
			err)
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}

// visitorView is the visitor's latest conversation, as far as it is for their eyes.
func (s *server) visitorView(ctx context.Context, v visitor) (visitorPage, error) {
	page := visitorPage{Workspace: v.workspace, MaxLength: maxBody / 4}
	c, err := s.current(ctx, v)
	if err != nil || c.ID == uuid.Nil {
		return page, err
	}
	events, err := s.lastEvents(ctx, c, 0)
	if err != nil {
		return page, err
	}
	page.Status = c.Status
	if c.Origin != v.contact {
		if page.Lines, events, err = s.shared(ctx, v, events); err != nil {
			return page, err
		}
	}
	page.Lines = append(page.Lines, visitorLines(events, v)...)
	if n := len(page.Lines); n > 0 && c.Status.Active() {
		page.Choices = page.Lines[n-1].Choices
	}
	return page, nil
}

// shared is what a visitor sees of another one's conversation, because an agent has merged the two:
// first the lines of their own, and then what was said since that was closed by the merge, or else
// since they wrote. Should the agent be wrong, nobody reads what was said before.
func (s *server) shared(
	ctx context.Context, v visitor, events []convo.Event,
) (own []line, since []convo.Event, err error) {
	all, err := s.engine.Conversations(ctx, convo.Filter{
		Workspace: v.workspace, Contact: v.contact, Limit: maxOthers,
	})
	if err != nil {
		return nil, nil, err
	}
	begins := func(e convo.Event) bool { return e.By == v.actor() }
	i := slices.IndexFunc(all, func(c convo.Conversation) bool { return c.Origin == v.contact })
	if i >= 0 {
		last, err := s.lastEvents(ctx, all[i], 0)
		if err != nil {
			return nil, nil, err
		}
		closing := all[i].Cycle.Closing
		if closing.Source == convo.SourceContactMerge {
			begins = func(e convo.Event) bool { return e.At.After(closing.At) }
			closed := func(e convo.Event) bool {
				return e.Kind == convo.ConversationClosed && e.Source == closing.Source
			}
			last = last[:max(0, slices.IndexFunc(last, closed))]
		}
		own = visitorLines(last, v)
	}
	from := slices.IndexFunc(events, begins)
	switch {
	case from < 0:
		return own, nil, nil
	case from == 0:
		return nil, events, nil // all of it is since
	}
	return own, events[from:], nil
}

// current is the conversation that a visitor is in, in whatever topic agents have put it: the
// active one, else the latest. It is zero before the first one.
func (s *server) current(ctx context.Context, v visitor) (latest convo.Conversation, err error) {
	active := []convo.Status{convo.StatusOpen, convo.StatusPending}
	for _, f := range []convo.Filter{
		{Status: active, Order: convo.OrderActivity}, {Limit: maxOthers},
	} {
		f.Workspace, f.Contact = v.workspace, v.contact
		found, err := s.engine.Conversations(ctx, f)
		if err != nil {
			return latest, err
		}
		for i, c := range found {
			if i == 0 || c.Cycle.OpenedAt.After(latest.Cycle.OpenedAt) && !c.Status.Active() {
				latest = c
			}
		}
		if latest.ID != uuid.Nil {
			break
		}
	}
	return latest, nil
}

// lastEvents are the last events of a conversation after a place in its log, as many as a page
// shows.
func (s *server) lastEvents(
	ctx context.Context, c convo.Conversation, after int64,
) ([]convo.Event, error) {
	return s.engine.Transcript(ctx, convo.ToConversation(c.Workspace, c.ID),
		convo.EventCursor{Seq: max(after, c.Version-shown)}, shown)
}

const shown = 500
