package shardstore

import (
	"context"
	"errors"
	"sync"

	"github.com/chatlifecycle/convo/report"
)

// momentKey finds in a context the moment that reports of a store are of.
type momentKey struct{ of *common }

// moment is what AtOneMoment holds: of each shard that was asked, a moment of its own, from the
// first question on. A report asks one.
type moment struct {
	ctx   context.Context
	over  chan struct{} // closed when it is
	mu    sync.Mutex
	held  map[string]context.Context
	ended []chan error
}

// AtOneMoment implements report.Store. The moment of each shard is when it is first asked, so that
// none has a transaction that nobody reads in; what is of one workspace is as of one moment.
func (s *Store) AtOneMoment(ctx context.Context, f func(ctx context.Context) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Value(momentKey{s.common}) != nil {
		return f(ctx)
	}
	m := &moment{over: make(chan struct{}), held: map[string]context.Context{}}
	ctx = context.WithValue(ctx, momentKey{s.common}, m)
	m.ctx = ctx
	defer func() {
		if ended := m.end(); err == nil {
			err = ended
		}
	}()
	return f(ctx)
}

// end lets all shards go.
func (m *moment) end() error {
	close(m.over)
	var errs []error
	for _, ended := range m.ended {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

// of is the moment of a shard.
func (m *moment) of(name string, shard Shard) (context.Context, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx := m.held[name]; ctx != nil {
		return ctx, nil
	}
	began, ended := make(chan context.Context, 1), make(chan error, 1)
	go func() {
		ended <- shard.AtOneMoment(m.ctx, func(ctx context.Context) error {
			began <- ctx
			<-m.over
			return nil
		})
	}()
	select {
	case err := <-ended:
		return nil, err
	case ctx := <-began:
		m.held[name], m.ended = ctx, append(m.ended, ended)
		return ctx, nil
	}
}

// within is a context with what a moment has in its own.
type within struct {
	context.Context
	moment context.Context
}

func (w within) Value(key any) any {
	if v := w.Context.Value(key); v != nil {
		return v
	}
	return w.moment.Value(key)
}

// reading is the shard that a workspace is on, with a context in which that is read.
func (s *Store) reading(ctx context.Context, workspace string) (context.Context, Shard, error) {
	name, shard, err := s.find(ctx, workspace)
	if m, ok := ctx.Value(momentKey{s.common}).(*moment); ok && err == nil {
		var at context.Context
		at, err = m.of(name, shard)
		ctx = within{ctx, at}
	}
	return ctx, shard, err
}

// Aggregate implements report.Store.
func (s *Store) Aggregate(ctx context.Context, a report.Aggregation) ([]report.Cell, error) {
	ctx, shard, err := s.reading(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	return shard.Aggregate(ctx, a)
}

// Counted implements report.Store.
func (s *Store) Counted(ctx context.Context, q report.CountedQuery) ([]report.Counted, error) {
	ctx, shard, err := s.reading(ctx, q.Workspace)
	if err != nil {
		return nil, err
	}
	return shard.Counted(ctx, q)
}

// Cycles implements report.Store.
func (s *Store) Cycles(
	ctx context.Context, q report.CyclesQuery, f func(*report.Cycle) error,
) error {
	ctx, shard, err := s.reading(ctx, q.Workspace)
	if err != nil {
		return err
	}
	return shard.Cycles(ctx, q, f)
}

// Entries implements report.Store.
func (s *Store) Entries(
	ctx context.Context, q report.EntriesQuery, f func(*report.Entry) error,
) error {
	ctx, shard, err := s.reading(ctx, q.Workspace)
	if err != nil {
		return err
	}
	return shard.Entries(ctx, q, f)
}

// Active implements report.Store.
func (s *Store) Active(ctx context.Context, workspace string) ([]report.ActiveCount, error) {
	ctx, shard, err := s.reading(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return shard.Active(ctx, workspace)
}
