package main

import (
	"context"
	"slices"
	"strings"

	"github.com/chatlifecycle/convo"
)

// suggestion is a contact that may be the same person, because both gave the same e-mail address.
type suggestion struct {
	Contact string
	Name    string
	Shared  string
}

// suggestions compares contact with those of the workspace's newest conversations.
func (s *server) suggestions(ctx context.Context, workspace, contact string) ([]suggestion, error) {
	own, err := s.engine.Addresses(ctx, convo.ToContact(workspace, contact))
	if err != nil || len(own) == 0 {
		return nil, err
	}
	recent, err := s.engine.Conversations(ctx, convo.Filter{Workspace: workspace, Limit: 200})
	if err != nil {
		return nil, err
	}
	var found []suggestion
	seen := map[string]bool{contact: true}
	for _, c := range recent {
		if seen[c.Contact] {
			continue
		}
		seen[c.Contact] = true
		theirs, err := s.engine.Addresses(ctx, convo.ToContact(workspace, c.Contact))
		if err != nil {
			return nil, err
		}
		for _, a := range theirs {
			if slices.ContainsFunc(own, func(o convo.Address) bool { return strings.EqualFold(o.Value, a.Value) }) {
				found = append(found, suggestion{c.Contact, nameOf(c.Contact, nil), a.Value})
				break
			}
		}
	}
	return found, nil
}
