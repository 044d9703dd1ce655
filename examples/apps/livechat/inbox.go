package main

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const maxOthers = 20 // conversations of a contact beside its thread

// inboxPage is what the inbox shows. Thread is nil when none is chosen.
type inboxPage struct {
	Account  *account
	Page     string
	List     *listPart
	Thread   *threadPart
	Category []string
}

// inbox is the page of the lists, with the conversation that the path names.
func (s *server) inbox(w http.ResponseWriter, r *http.Request, a *account) error {
	page := inboxPage{Account: a, Page: "inbox", Category: categories}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	var chosen uuid.UUID
	if r.PathValue("id") != "" {
		c, err := s.conversation(r, a)
		if err != nil {
			return err
		}
		if page.Thread, err = s.threadOf(r.Context(), a, c, threadAsked{about: true}); err != nil {
			return err
		}
		chosen = c.ID
		if r.URL.RawQuery == "" { // a bare address, say one that was mailed: the list that it is in
			q.Status = c.Status
		}
	}
	if page.List, err = s.listOf(r.Context(), a, q, chosen); err != nil {
		return err
	}
	if page.Thread != nil {
		page.Thread.Back = "/inbox?" + page.List.encode()
	}
	return render(w, "inbox.html", page)
}

// threadPart is one conversation and what is known of its contact.
type threadPart struct {
	convo.Conversation
	Me, Name string
	Blocked  bool
	Back     string // the address of the list
	Lines    []line
	After    int64 // what is before it the page has already; 0: it is all that is shown
	Earlier  bool  // there are more lines than those
	Timers   []timer
	About    *aboutPart
}

// aboutPart is what stands beside a thread.
type aboutPart struct {
	convo.Conversation
	Me, Name    string
	Profile     convo.Contact
	Addresses   []string
	Agents      []string
	Topics      []topic
	Priorities  []convo.Priority
	Cycles      []convo.Cycle // the closed ones
	Others      []convo.Conversation
	Suggestions []suggestion
	Merged      []mergedContact
}

// mergedContact was merged into the contact, and can be made one of its own again.
type mergedContact struct{ Contact, Name string }

// threadAsked is what of a thread a page asks for.
type threadAsked struct {
	after int64 // lines after this place in the log
	about bool
}

// thread renders what is new in a thread: lines after those that the page has, and what stands
// beside them if that may have changed.
func (s *server) thread(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	asked := threadAsked{about: r.FormValue("about") != ""}
	if text := r.FormValue("after"); text != "" {
		if asked.after, err = strconv.ParseInt(text, 10, 64); err != nil || asked.after < 0 {
			return refusal{http.StatusBadRequest, "malformed", "There is no such place."}
		}
	}
	t, err := s.threadOf(r.Context(), a, c, asked)
	if err != nil {
		return err
	}
	return render(w, "thread", t)
}

func (s *server) threadOf(
	ctx context.Context, a *account, c convo.Conversation, asked threadAsked,
) (*threadPart, error) {
	t := &threadPart{Conversation: c, Me: a.Name, Back: "/inbox?status=" + string(c.Status)}
	t.After = min(asked.after, c.Version)
	if c.Version-t.After > shown { // more than a page has: all of that anew
		t.After = 0
	}
	events, err := s.lastEvents(ctx, c, t.After)
	if err != nil {
		return nil, err
	}
	t.Lines, t.Earlier = agentLines(events), t.After == 0 && c.Version > shown
	if n := len(events); n > 0 {
		t.Version = events[n-1].Seq // something may have come since c was read
	}
	contact, err := s.engine.Contact(ctx, convo.ToContact(c.Workspace, c.Contact))
	if err != nil {
		return nil, err
	}
	t.Name, t.Blocked = nameOf(contact, c.Address), contact.Blocked
	policy, err := s.engine.Policy(ctx, convo.Scope{Workspace: c.Workspace})
	if err != nil {
		return nil, err
	}
	t.Timers = timersOf(&c, policy, s.now())
	if !asked.about && t.After > 0 && !slices.ContainsFunc(events, isAbout) {
		return t, nil
	}
	t.About, err = s.aboutOf(ctx, a, c, contact)
	return t, err
}

// isAbout reports whether an event changes more than the lines of its thread.
func isAbout(e convo.Event) bool {
	switch e.Kind {
	case convo.MessageReceived, convo.MessageSent, convo.NoteAdded:
		return false
	}
	return true
}

func (s *server) aboutOf(
	ctx context.Context, a *account, c convo.Conversation, contact convo.Contact,
) (*aboutPart, error) {
	p := &aboutPart{Conversation: c, Me: a.Name, Name: nameOf(contact, c.Address),
		Profile: contact, Agents: s.keep.agents(c.Workspace), Topics: topics,
		Priorities: priorities}
	addresses, err := s.engine.Addresses(ctx, convo.ToContact(c.Workspace, c.Contact))
	if err != nil {
		return nil, err
	}
	p.Addresses = valuesOf(addresses)
	cycles, err := s.engine.Cycles(ctx, convo.ToConversation(c.Workspace, c.ID))
	if err != nil {
		return nil, err
	}
	for _, cycle := range slices.Backward(cycles) {
		if !cycle.Closing.At.IsZero() {
			p.Cycles = append(p.Cycles, cycle)
		}
	}
	others, err := s.engine.Conversations(ctx, convo.Filter{Workspace: c.Workspace,
		Contact: c.Contact, Limit: maxOthers})
	if err != nil {
		return nil, err
	}
	p.Others = slices.DeleteFunc(others, func(o convo.Conversation) bool { return o.ID == c.ID })
	family, err := s.store.Family(ctx, c.Workspace, c.Contact)
	if err != nil {
		return nil, err
	}
	for _, k := range family {
		p.Merged = append(p.Merged, mergedContact{k.ID, nameOf(k, convo.Address{})})
	}
	p.Suggestions, err = s.suggestions(ctx, c.Workspace, c.Contact)
	return p, err
}

func (s *server) agentEvents(w http.ResponseWriter, r *http.Request, a *account) error {
	return s.live.serve(w, r, &stream{workspace: a.Workspace, account: a.Name},
		func() bool { return s.sessions.of(r) != nil })
}
