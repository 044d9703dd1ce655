package main

import (
	"context"

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
	seen := map[string]bool{}
	for _, other := range shared {
		if !seen[other.Contact] {
			seen[other.Contact] = true
			found = append(found, suggestion{other.Contact, nameOf(other.Contact, nil),
				other.Address.Value})
		}
	}
	return found, nil
}
