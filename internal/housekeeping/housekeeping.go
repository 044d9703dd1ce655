// Package housekeeping is how a store over many databases tells one of them which workspaces a call
// that goes over all of them must leave alone.
package housekeeping

import "context"

// Guard carries out do, which writes to a workspace, with a context that it may limit; or it leaves
// it out, and returns nil.
type Guard func(
	ctx context.Context, workspace string, do func(ctx context.Context) error,
) error

type key struct{}

// With returns a context under which Do asks g.
func With(ctx context.Context, g Guard) context.Context {
	return context.WithValue(ctx, key{}, g)
}

// Do carries out what writes to a workspace, as the Guard of ctx has it; without one, it does so.
// All that is written must be committed when do returns.
func Do(ctx context.Context, workspace string, do func(ctx context.Context) error) error {
	if g, ok := ctx.Value(key{}).(Guard); ok {
		return g(ctx, workspace, do)
	}
	return do(ctx)
}
