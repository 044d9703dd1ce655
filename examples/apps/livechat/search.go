package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/chatlifecycle/convo"
)

const (
	maxFound   = 20   // contacts that a search shows
	maxOfFound = 5    // conversations of each
	maxScanned = 5000 // contacts that a search looks at, page by page
)

// search finds the conversations of contacts by what those are called. Partly says that there were
// more contacts than it looked at.
func (s *server) search(ctx context.Context, workspace, text string) (
	found []convo.ListItem, partly bool, err error,
) {
	contacts, partly, err := s.contactsCalled(ctx, workspace, text)
	if err != nil {
		return nil, false, err
	}
	for _, contact := range contacts {
		items, err := s.engine.List(ctx, convo.Filter{
			Workspace: workspace, Contact: contact, Limit: maxOfFound,
		})
		if err != nil {
			return nil, false, err
		}
		found = append(found, items...)
	}
	slices.SortStableFunc(found, func(a, b convo.ListItem) int {
		return cmp.Compare(b.Conversation.LastActivityAt.UnixMicro(),
			a.Conversation.LastActivityAt.UnixMicro())
	})
	return found, partly, nil
}

// contactsCalled are the contacts that have text as their address, whatever channel that is on, and
// those whose name or e-mail address has it in it.
func (s *server) contactsCalled(ctx context.Context, workspace, text string) (
	contacts []string, partly bool, err error,
) {
	text = strings.ToLower(strings.TrimSpace(text))
	if identity := (convo.Address{Value: text}).Identity(); identity != "" {
		exact, err := s.store.AddressesByIdentity(ctx, workspace, identity, convo.Address{},
			maxFound)
		if err != nil {
			return nil, false, err
		}
		for _, e := range exact {
			if !slices.Contains(contacts, e.Contact) {
				contacts = append(contacts, e.Contact)
			}
		}
	}
	looked := 0
	for k, err := range s.engine.AllContacts(ctx, convo.ContactFilter{
		Workspace: workspace, Limit: convo.MaxPageSize,
	}) {
		if err != nil {
			return nil, false, err
		}
		if looked++; looked > maxScanned || len(contacts) >= maxFound {
			return contacts, true, nil
		}
		if isCalled(k, text) && !slices.Contains(contacts, k.ID) {
			contacts = append(contacts, k.ID)
		}
	}
	return contacts, false, nil
}

// isCalled reports whether what a contact is called here has text, in lower case, in it.
func isCalled(k convo.Contact, text string) bool {
	if text == "" {
		return false
	}
	for _, name := range []string{k.Name, emailOf(k), nameOfID(k.ID)} {
		if strings.Contains(strings.ToLower(name), text) {
			return true
		}
	}
	return false
}
