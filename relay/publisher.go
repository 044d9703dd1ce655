package relay

import (
	"context"
	"errors"

	"github.com/chatlifecycle/convo"
)

// Publisher sends events somewhere. It is safe for concurrent use, for other streams.
type Publisher interface {
	// Publish sends events of one stream, in their order, and returns how many of them it has sent,
	// counted from the first: all of them, or those before one that failed, with an error. They are
	// in the order of their Seq, and may be some that were sent before. It must return when ctx
	// ends, which is before the lease does.
	//
	// An error of [Permanent] makes the event a dead letter at once; any other one is tried again.
	Publish(ctx context.Context, events []convo.Event) (sent int, err error)
}

// PublisherFunc is a Publisher that sends events one by one.
type PublisherFunc func(ctx context.Context, e *convo.Event) error

// Publish implements Publisher.
func (f PublisherFunc) Publish(ctx context.Context, events []convo.Event) (sent int, err error) {
	for i := range events {
		if err := ctx.Err(); err != nil {
			return i, err
		}
		if err := f(ctx, &events[i]); err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// Target is where events of a workspace go.
type Target struct {
	// Name names its queue, in all processes: 1 to 200 bytes. Who renames it gives up what waits.
	Name      string
	Publisher Publisher
	Kinds     []convo.EventKind // only these; nil: all
}

// Targets says where the events of a workspace go. What it returns no more is gone: what waits for
// it becomes dead letters when a relay has missed it for an hour, for by then every process should
// know where it goes. What a relay has queued goes to the targets that it knew then, so one that is
// new gets all from when the last process knows it. Targets must fail rather than return only some.
// It is asked often, and must be safe for concurrent use.
type Targets func(ctx context.Context, workspace string) ([]Target, error)

// To has the events of all workspaces go to one target.
func To(name string, p Publisher) Targets {
	all := []Target{{Name: name, Publisher: p}}
	return func(context.Context, string) ([]Target, error) { return all, nil }
}

// NoTargets has the events of all workspaces go nowhere: of a store that keeps a feed, a relay then
// only fills that.
func NoTargets(context.Context, string) ([]Target, error) { return nil, nil }

// Permanent marks an error as one that no further try would change: an event that the receiver
// refuses, say.
func Permanent(err error) error { return &permanent{err} }

type permanent struct{ error }

func (p *permanent) Unwrap() error { return p.error }

func isPermanent(err error) bool {
	var p *permanent
	return errors.As(err, &p)
}
