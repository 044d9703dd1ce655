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
		return errBlockedVisitor
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
	page.Status, page.Rating = c.Status, ratingOf(&c, v)
	if c.Origin != v.contact {
		if page.Lines, events, err = s.shared(ctx, v, c, events); err != nil {
			return page, err
		}
	}
	lines := visitorLines(events, v)
	if n := len(lines); n > 0 && c.Status.Active() {
		page.Choices = lines[n-1].Choices
	}
	page.Lines = append(page.Lines, lines...)
	return page, nil
}

// shared is what a visitor sees of a conversation that was another contact's before an agent merged
// the two: their own last one, and then what they wrote themselves, and all that was said since the
// merge. Should the agent be wrong, nobody reads what was said before.
func (s *server) shared(
	ctx context.Context, v visitor, c convo.Conversation, events []convo.Event,
) (own []line, since []convo.Event, err error) {
	merged, err := s.merged(ctx, v, c)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range events {
		if e.At.After(merged) || e.By == v.actor() {
			since = append(since, e)
		}
	}
	if c.CreatedAt.Before(merged) {
		own, err = s.ownLines(ctx, v)
	}
	return own, since, err
}

// merged is when the last of those merges was made by which a visitor and the contact of a
// conversation came together. A merged contact is changed by its own merge last.
func (s *server) merged(
	ctx context.Context, v visitor, c convo.Conversation,
) (last time.Time, err error) {
	family, err := s.store.Family(ctx, v.workspace, c.Contact)
	byID := map[string]convo.Contact{}
	for _, k := range family {
		byID[k.ID] = k
	}
	for _, id := range []string{v.contact, c.Origin} {
		for k, ok := byID[id]; ok; k, ok = byID[k.Parent] {
			if k.UpdatedAt.After(last) {
				last = k.UpdatedAt
			}
		}
	}
	return last, err
}

// ownLines are those of the last conversation that was the visitor's before a merge, without the
// notice that the merge has closed it.
func (s *server) ownLines(ctx context.Context, v visitor) ([]line, error) {
	f := convo.Filter{Workspace: v.workspace, Contact: v.contact}
	for c, err := range s.engine.AllConversations(ctx, f) {
		if err != nil {
			return nil, err
		}
		if c.Origin != v.contact {
			continue
		}
		events, err := s.lastEvents(ctx, c, 0)
		if err != nil {
			return nil, err
		}
		if source := c.Cycle.Closing.Source; source == convo.SourceContactMerge {
			for i := len(events) - 1; i >= 0; i-- {
				if events[i].Kind == convo.ConversationClosed {
					events = events[:i]
					break
				}
			}
		}
		return visitorLines(events, v), nil
	}
	return nil, nil
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
