package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

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
	var after convo.EventCursor
	if err := decodeCursor(r.FormValue("after"), &after); err != nil {
		return err
	}
	to := convo.ToContact(a.Workspace, c.Contact)
	contact, err := s.engine.Contact(r.Context(), to)
	if err != nil {
		return err
	}
	events, err := s.engine.History(r.Context(), to, after, historyPageSize)
	if err != nil {
		return err
	}
	page := historyPage{Account: a, Page: "inbox", Name: nameOf(contact, c.Address), Back: c.ID}
	last := after.Conversation
	for _, e := range events {
		n := entry{line: agentLine(e), Conversation: e.Conversation}
		if e.Conversation != uuid.Nil {
			n.New, last = e.Conversation != last, e.Conversation
		}
		page.Entries = append(page.Entries, n)
	}
	if len(events) == historyPageSize {
		page.Next = encodeCursor(events[len(events)-1].Cursor())
	}
	return render(w, "history.html", page)
}

// A cursor travels in the address of the next page.
func encodeCursor(c any) string {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // a cursor is times, ids and numbers
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// decodeCursor reads a cursor into c, which stays as it is without one.
func decodeCursor(s string, c any) error {
	if s == "" {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, c)
	}
	if err != nil {
		return refusal{http.StatusBadRequest, "malformed", "There is no such page."}
	}
	return nil
}
