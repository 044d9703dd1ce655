package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/chatlifecycle/convo"
)

// Requests that need more than one command: they look first, or leave a line behind.

type take struct{ keyed }

// take gives a conversation that nobody has to the agent. Of several who try at once one gets it,
// and the others are told who that is.
func (s *server) take(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	in, err := read[take](w, r)
	if err != nil {
		return err
	}
	result, err := s.engine.DoFunc(r.Context(), convo.ToConversation(a.Workspace, c.ID),
		in.scoped("agent/"+a.Name), func(now convo.Snapshot) ([]convo.Command, error) {
			switch by := now.Conversation.Assignee; by {
			case "":
				return []convo.Command{
					convo.Assign{By: convo.ByUser(a.Name), Assignee: a.Name},
				}, nil
			case a.Name:
				return nil, nil
			default:
				return nil, refusal{http.StatusConflict, "taken", title(by) + " has it already."}
			}
		})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}

// moving gives the conversation another topic, another contact, or both.
type moving struct {
	keyed
	Topic   string `json:"topic"`   // empty: it stays
	Contact string `json:"contact"` // an address, or an id; empty: it stays
}

func (s *server) move(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	in, err := read[moving](w, r)
	if err != nil {
		return err
	}
	cmd := convo.Move{By: convo.ByUser(a.Name), Key: in.scoped("agent/" + a.Name)}
	if in.Topic != "" {
		t, ok := topicOf(in.Topic)
		if !ok {
			return unfit("Choose a topic from the list.")
		}
		cmd.Lane = &t.Lane
	}
	if text := strings.TrimSpace(in.Contact); text != "" {
		if cmd.Contact, err = s.contactCalled(r.Context(), a.Workspace, text); err != nil {
			return err
		}
	}
	if cmd.Lane == nil && cmd.Contact == "" {
		return unfit("Say where it belongs: another topic, or another contact.")
	}
	result, err := s.engine.Do(r.Context(), convo.ToConversation(a.Workspace, c.ID), cmd)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}

// contactCalled is the one contact that has an address, or that has text as its id or as what it is
// called. A contact that is not known is none: a typing error would make one.
func (s *server) contactCalled(ctx context.Context, workspace, text string) (string, error) {
	if len(text) > maxSearch {
		return "", unfit("The contact has up to 200 characters.")
	}
	known, err := s.engine.Contacts(ctx, convo.ContactFilter{
		Workspace: workspace, IDs: []string{text},
	})
	if err != nil {
		return "", err
	}
	if len(known) == 1 {
		return known[0].ID, nil
	}
	contacts, _, err := s.contactsCalled(ctx, workspace, text)
	switch {
	case err != nil:
		return "", err
	case len(contacts) == 0:
		return "", unfit("No contact has that name or address.")
	case len(contacts) > 1:
		return "", unfit("Several contacts are called that. Write the whole address.")
	}
	return contacts[0], nil
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
	other, err := s.calledNow(r.Context(), a.Workspace, in.Contact)
	if err != nil {
		return err
	}
	result, err := s.engine.Merge(r.Context(), convo.Merge{
		Workspace: a.Workspace, Primary: c.Contact, Secondary: in.Contact, By: convo.ByUser(a.Name),
	})
	if err != nil {
		return err
	}
	s.leaveLine(r.Context(), a, c, result.Events, "Merged "+other+" into this contact.")
	for _, closed := range result.Conversations {
		s.leaveLine(r.Context(), a, closed, result.Events, "This contact was merged into "+
			nameOf(result.Primary, c.Address)+".")
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}

type unmerging struct{ merging }

func (s *server) unmerge(w http.ResponseWriter, r *http.Request, a *account) error {
	c, err := s.conversation(r, a)
	if err != nil {
		return err
	}
	in, err := read[unmerging](w, r)
	if err != nil {
		return err
	}
	now, err := s.engine.Contact(r.Context(), convo.ToContact(a.Workspace, in.Contact))
	if err != nil {
		return err
	}
	if now.ID != c.Contact && now.ID != in.Contact { // was merged, but into somebody else
		return errNoPage
	}
	result, err := s.engine.Unmerge(r.Context(), convo.Unmerge{
		Workspace: a.Workspace, Contact: in.Contact, By: convo.ByUser(a.Name),
	})
	if err != nil {
		return err
	}
	s.leaveLine(r.Context(), a, c, result.Events, "Separated "+
		nameOf(result.Contact, convo.Address{})+" again: a merge was undone.")
	for _, gone := range result.Conversations {
		if gone.ID != c.ID {
			s.leaveLine(r.Context(), a, gone, result.Events, "This contact was separated again: "+
				"a merge was undone.")
		}
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}

// calledNow is what a contact is called, before it is another one's.
func (s *server) calledNow(ctx context.Context, workspace, contact string) (string, error) {
	k, err := s.engine.Contact(ctx, convo.ToContact(workspace, contact))
	if err != nil {
		return "", err
	}
	return nameOf(k, convo.Address{}), nil
}

// leaveLine notes in a conversation what happened to its contact: that is in the contact's own log,
// which a thread does not show, and who reads the thread later must see why it changed. The key,
// of the event that it is about, makes it one line. Without events nothing happened.
func (s *server) leaveLine(
	ctx context.Context, a *account, c convo.Conversation, events []convo.Event, text string,
) {
	if len(events) == 0 {
		return
	}
	_, err := s.engine.Do(context.WithoutCancel(ctx), convo.ToConversation(c.Workspace, c.ID),
		convo.Note{By: convo.ByUser(a.Name), Key: "line/" + events[0].ID.String() + "/" +
			c.ID.String(), Body: text})
	if err != nil { // what it is about is done
		s.log.ErrorContext(ctx, "line", "conversation", c.ID, "error", err)
	}
}
