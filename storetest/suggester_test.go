package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// sharingFake is a store whose Sharing is asked for something else, or answers with something else.
type sharingFake struct {
	convo.Suggester
	ask    func(ctx *context.Context, workspace, identity *string, after *convo.Address, limit *int)
	answer func([]convo.Suggestion)
}

func (f sharingFake) Sharing(
	ctx context.Context, workspace, identity string, after convo.Address, limit int,
) ([]convo.Suggestion, error) {
	f.ask(&ctx, &workspace, &identity, &after, &limit)
	all, err := f.Suggester.Sharing(ctx, workspace, identity, after, limit)
	if f.answer != nil {
		f.answer(all)
	}
	return all, err
}

func TestRunFailsOnASharingThatLies(t *testing.T) {
	const pages, stops = "Sharing/pages through the addresses of an identity, with their root contacts",
		"Sharing/stops when its context is done"
	honest := func(*context.Context, *string, *string, *convo.Address, *int) {}
	for _, c := range []struct {
		name, killer string
		fake         sharingFake
	}{
		{"another workspace", pages, sharingFake{ask: func(_ *context.Context, w, _ *string, _ *convo.Address, _ *int) { *w = acme }}},
		{"any identity", pages, sharingFake{ask: func(_ *context.Context, _, id *string, _ *convo.Address, _ *int) { *id = "+491234567" }}},
		{"the first page again", pages, sharingFake{ask: func(_ *context.Context, _, _ *string, a *convo.Address, _ *int) { *a = convo.Address{} }}},
		{"after a channel", pages, sharingFake{ask: func(_ *context.Context, _, _ *string, a *convo.Address, _ *int) { a.Value = "" }}},
		{"no limit", pages, sharingFake{ask: func(_ *context.Context, _, _ *string, _ *convo.Address, n *int) { *n = convo.MaxPageSize }}},
		{"another order", pages, sharingFake{ask: honest, answer: slices.Reverse[[]convo.Suggestion]}},
		{"merged contacts", pages, sharingFake{ask: honest, answer: func(all []convo.Suggestion) {
			for i := range all {
				if all[i].Contact == "d" {
					all[i].Contact = "b"
				}
			}
		}}},
		{"deaf to contexts", stops, sharingFake{ask: func(ctx *context.Context, _, _ *string, _ *convo.Address, _ *int) {
			*ctx = context.WithoutCancel(*ctx)
		}}},
	} {
		c.fake.Suggester = memstore.New()
		assert.True(t, killsStore(t, c.killer, c.fake), c.name)
	}
	assert.False(t, killsStore(t, pages, sharingFake{Suggester: memstore.New(), ask: honest}), "one that does not lie")
}
