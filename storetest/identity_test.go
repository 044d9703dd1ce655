package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// sharingFake is a store whose AddressesByIdentity is asked for something else, or answers with
// something else.
type sharingFake struct {
	convo.IdentityIndex
	ask    func(*asked)
	answer func([]convo.Suggestion)
}

type asked struct {
	ctx                 context.Context
	workspace, identity string
	after               convo.Address
	limit               int
}

func (f sharingFake) AddressesByIdentity(
	ctx context.Context, workspace, identity string, after convo.Address, limit int,
) ([]convo.Suggestion, error) {
	a := asked{ctx, workspace, identity, after, limit}
	f.ask(&a)
	all, err := f.IdentityIndex.AddressesByIdentity(a.ctx, a.workspace, a.identity, a.after,
		a.limit)
	if f.answer != nil {
		f.answer(all)
	}
	return all, err
}

func TestRunFailsOnAnIdentityIndexThatLies(t *testing.T) {
	const pages, stops = "AddressesByIdentity/pages through the addresses of an identity, with " +
		"their root contacts",
		"AddressesByIdentity/stops when its context is done"
	honest := func(*asked) {}
	for _, c := range []struct {
		name, killer string
		fake         sharingFake
	}{
		{"another workspace", pages, sharingFake{ask: func(a *asked) { a.workspace = acme }}},
		{"any identity", pages, sharingFake{ask: func(a *asked) { a.identity = "+491234567" }}},
		{"the first page again", pages,
			sharingFake{ask: func(a *asked) { a.after = convo.Address{} }}},
		{"after a channel", pages, sharingFake{ask: func(a *asked) { a.after.Value = "" }}},
		{"no limit", pages, sharingFake{ask: func(a *asked) { a.limit = convo.MaxPageSize }}},
		{"another order", pages,
			sharingFake{ask: honest, answer: slices.Reverse[[]convo.Suggestion]}},
		{"merged contacts", pages, sharingFake{ask: honest, answer: func(all []convo.Suggestion) {
			for i := range all {
				if all[i].Contact == "d" {
					all[i].Contact = "b"
				}
			}
		}}},
		{"deaf to contexts", stops,
			sharingFake{ask: func(a *asked) { a.ctx = context.WithoutCancel(a.ctx) }}},
	} {
		c.fake.IdentityIndex = memstore.New()
		assert.True(t, killsStore(t, c.killer, c.fake), c.name)
	}
	assert.False(t, killsStore(t, pages, sharingFake{IdentityIndex: memstore.New(), ask: honest}),
		"one that does not lie")
}
