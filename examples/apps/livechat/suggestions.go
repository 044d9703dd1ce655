package main

import (
	"context"
	"slices"

	"github.com/chatlifecycle/convo"
)

// suggestion is a contact that may be the same person, because of an e-mail address or phone number
// that both have.
type suggestion struct {
	Contact string
	Name    string
	Shared  string
}

const maxSuggested = 20 // addresses; more than that is one that anybody gives

// suggestions are the first contacts that share an address with this one. An address says whose it
// is by its value, so what a visitor claims is compared with other claims and with real addresses
// alike, without being linked as one.
func (s *server) suggestions(ctx context.Context, workspace, contact string) ([]suggestion, error) {
	shared, err := s.engine.Suggestions(ctx, convo.ToContact(workspace, contact), convo.Address{},
		maxSuggested)
	if err != nil {
		return nil, err
	}
	var found []suggestion
	var ids []string
	for _, other := range shared {
		if !slices.Contains(ids, other.Contact) {
			ids = append(ids, other.Contact)
			found = append(found, suggestion{other.Contact, nameOfID(other.Contact),
				plain(other.Address.Value)})
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	contacts, err := s.engine.Contacts(ctx, convo.ContactFilter{
		Workspace: workspace, IDs: ids, Limit: len(ids),
	})
	for _, k := range contacts {
		if i := slices.Index(ids, k.ID); k.Name != "" {
			found[i].Name = nameOf(k, convo.Address{})
		}
	}
	return found, err
}
