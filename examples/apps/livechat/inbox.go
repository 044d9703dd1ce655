package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const (
	maxRows   = 100 // in a list; those beyond are counted as "more"
	maxOthers = 20  // conversations of a contact beside its thread
)

var statuses = []convo.Status{convo.StatusOpen, convo.StatusPending, convo.StatusClosed}

// inbox is the page of the lists, with the conversation that the path names.
func (s *server) inbox(w http.ResponseWriter, r *http.Request, a *account) error {
	page := inboxPage{Account: a, Page: "inbox", Category: categories}
	var chosen uuid.UUID
	if r.PathValue("id") != "" {
		c, err := s.conversation(r, a)
		if err != nil {
			return err
		}
		if page.Thread, err = s.threadPart(r.Context(), c); err != nil {
			return err
		}
		chosen, page.Status = c.ID, c.Status
	}
	if err := s.fill(r, a, &page, chosen); err != nil {
		return err
	}
	return render(w, "inbox.html", page)
}

// list is the part of the inbox that changes with any conversation.
func (s *server) list(w http.ResponseWriter, r *http.Request, a *account) error {
	var page inboxPage
	chosen, err := uuid.Parse(r.FormValue("chosen"))
	if err != nil {
		chosen = uuid.Nil
	}
	if err := s.fill(r, a, &page, chosen); err != nil {
		return err
	}
	return render(w, "list", page)
}

// fill lists the conversations of one status: the one that is asked for, else the page's, else
// open.
func (s *server) fill(r *http.Request, a *account, page *inboxPage, chosen uuid.UUID) error {
	if asked := convo.Status(r.FormValue("status")); asked != "" {
		page.Status = asked
	} else if page.Status == "" {
		page.Status = convo.StatusOpen
	}
	if !slices.Contains(statuses, page.Status) {
		return errNoPage
	}
	for _, status := range statuses {
		found, err := s.engine.Conversations(r.Context(), convo.Filter{
			Workspace: a.Workspace, Status: []convo.Status{status}, Limit: maxRows + 1,
		})
		if err != nil {
			return err
		}
		t := tab{Status: status, Count: strconv.Itoa(len(found)), Chosen: status == page.Status}
		if len(found) > maxRows {
			found, t.Count = found[:maxRows], strconv.Itoa(maxRows)+"+"
		}
		page.Tabs = append(page.Tabs, t)
		if !t.Chosen {
			continue
		}
		slices.SortStableFunc(found,
			func(a, b convo.Conversation) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
		for _, c := range found {
			row, err := s.row(r.Context(), c)
			if err != nil {
				return err
			}
			row.Chosen = c.ID == chosen
			page.Rows = append(page.Rows, row)
		}
	}
	return nil
}

func (s *server) row(ctx context.Context, c convo.Conversation) (row, error) {
	r := row{Conversation: c}
	addresses, err := s.engine.Addresses(ctx, convo.ToContact(c.Workspace, c.Contact))
	if err != nil {
		return r, err
	}
	r.Name = nameOf(c.Contact, addresses)
	const last = 10 // among which there is a message, mostly
	events, err := s.engine.Transcript(ctx, convo.ToConversation(c.Workspace, c.ID),
		convo.EventCursor{Seq: max(0, c.Version-last)}, last)
	for _, e := range slices.Backward(events) {
		if e.Kind == convo.MessageReceived || e.Kind == convo.MessageSent {
			r.Preview = e.Message().Body
			break
		}
	}
	return r, err
}

func (s *server) thread(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	t, err := s.threadPart(r.Context(), c)
	if err != nil {
		return err
	}
	return render(w, "thread", t)
}

func (s *server) threadPart(ctx context.Context, c convo.Conversation) (*threadPart, error) {
	events, err := s.lastEvents(ctx, c)
	if err != nil {
		return nil, err
	}
	t := &threadPart{Conversation: c, Lines: agentLines(events), Earlier: c.Version > shown,
		Agents: s.keep.agents(c.Workspace)}
	addresses, err := s.engine.Addresses(ctx, convo.ToContact(c.Workspace, c.Contact))
	if err != nil {
		return nil, err
	}
	t.Name = nameOf(c.Contact, addresses)
	for _, a := range addresses {
		t.Addresses = append(t.Addresses, a.Value)
	}
	slices.Sort(t.Addresses)
	t.Addresses = slices.Compact(t.Addresses)
	cycles, err := s.engine.Cycles(ctx, convo.ToConversation(c.Workspace, c.ID))
	if err != nil {
		return nil, err
	}
	for _, cycle := range slices.Backward(cycles) {
		if !cycle.Closing.At.IsZero() {
			t.Cycles = append(t.Cycles, cycle)
		}
	}
	others, err := s.engine.Conversations(ctx, convo.Filter{Workspace: c.Workspace,
		Contact: c.Contact, Limit: maxOthers})
	if err != nil {
		return nil, err
	}
	t.Others = slices.DeleteFunc(others, func(o convo.Conversation) bool { return o.ID == c.ID })
	t.Suggestions, err = s.suggestions(ctx, c.Workspace, c.Contact)
	return t, err
}

func (s *server) agentEvents(w http.ResponseWriter, r *http.Request, a *account) error {
	return s.live.serve(w, r, a.Workspace, "", func() bool { return s.sessions.of(r) != nil })
}

// historyPage is what happened to a contact, over all conversations.
type historyPage struct {
	Account *account
	Page    string
	Name    string
	Back    uuid.UUID
	Entries []entry
	Next    string // the next page; empty on the last one
}

// entry is a line of the history, with the conversation that it belongs to; New when that is
// another one than before.
type entry struct {
	line
	Conversation uuid.UUID
	New          bool
}

const historyPageSize = 200

func (s *server) history(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	after, err := decodeCursor(r.FormValue("after"))
	if err != nil {
		return err
	}
	to := convo.ToContact(a.Workspace, c.Contact)
	addresses, err := s.engine.Addresses(r.Context(), to)
	if err != nil {
		return err
	}
	events, err := s.engine.History(r.Context(), to, after, historyPageSize)
	if err != nil {
		return err
	}
	page := historyPage{Account: a, Page: "inbox", Name: nameOf(c.Contact, addresses), Back: c.ID}
	last := after.Conversation
	for _, e := range events {
		n := entry{line: agentLine(e), Conversation: e.Conversation}
		if e.Conversation != uuid.Nil {
			n.New, last = e.Conversation != last, e.Conversation
		}
		page.Entries = append(page.Entries, n)
	}
	if len(events) == historyPageSize {
		if page.Next, err = encodeCursor(events[len(events)-1].Cursor()); err != nil {
			return err
		}
	}
	return render(w, "history.html", page)
}

// A cursor travels in the address of the next page.
func encodeCursor(c convo.EventCursor) (string, error) {
	data, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(data), err
}

func decodeCursor(s string) (c convo.EventCursor, err error) {
	if s == "" {
		return c, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return c, refusal{http.StatusBadRequest, "malformed", "this is no page of the history"}
	}
	return c, nil
}
