package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

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
	return render(w, "visitor-thread", t)
}

func (s *server) visitorEvents(w http.ResponseWriter, r *http.Request, v visitor) error {
	contact, err := s.engine.Contact(r.Context(), convo.ToContact(v.workspace, v.contact))
	if errors.Is(err, convo.ErrNotFound) {
		contact.ID, err = v.contact, nil
	}
	if err != nil {
		return err
	}
	return s.live.serve(w, r, v.workspace, contact.ID, func() bool { return true })
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
		Key: in.scoped(v.contact), Channel: channel, Body: strings.TrimSpace(in.Body),
	})
}

type visitorRestart struct{ keyed }

func (s *server) restart(w http.ResponseWriter, r *http.Request, v visitor) error {
	in, err := read[visitorRestart](w, r)
	if err != nil {
		return err
	}
	return s.byVisitor(w, r, v, convo.Reopen{By: convo.ByContact(), Key: in.scoped(v.contact)})
}

// byVisitor carries out a visitor's command, and has the flow go on from there.
func (s *server) byVisitor(w http.ResponseWriter, r *http.Request, v visitor,
	cmd convo.Command) error {
	result, err := s.engine.Do(r.Context(), convo.ToContact(v.workspace, v.contact), cmd)
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
	c, err := s.engine.Conversation(ctx, convo.ToContact(v.workspace, v.contact))
	if errors.Is(err, convo.ErrNotFound) {
		return page, nil
	}
	if err != nil {
		return page, err
	}
	events, err := s.lastEvents(ctx, c)
	if err != nil {
		return page, err
	}
	page.Status, page.Lines = c.Status, visitorLines(events)
	if n := len(page.Lines); n > 0 && c.Status.Active() {
		page.Choices = page.Lines[n-1].Choices
	}
	return page, nil
}

// lastEvents are the last events of a conversation, as many as a page shows.
func (s *server) lastEvents(ctx context.Context, c convo.Conversation) ([]convo.Event, error) {
	return s.engine.Transcript(ctx, convo.ToConversation(c.Workspace, c.ID),
		convo.EventCursor{Seq: max(0, c.Version-shown)}, shown)
}

const shown = 500
