package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/bench/internal/figure"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
)

// side is one of those that are compared.
type side struct {
	name  string
	table string // of its conversations
	db    *sql.DB
	desk
	lister
}

// side opens a pool for a floor, or for convo, at server.
func (e *engine) side(ctx context.Context, f floor, table, server string, connections int) (*side,
	error) {
	db, err := e.open(server, f.settings...)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	s := &side{name: f.name, table: table, db: db}
	x, err := f.make(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.desk, _ = x.(desk)
	s.lister, _ = x.(lister)
	return s, nil
}

func convoItself(d sqlstore.Dialect) floor {
	return floor{name: "convo", make: func(ctx context.Context, db *sql.DB) (any, error) {
		return newConvo(ctx, db, d, false)
	}}
}

// sides are convo and, after it, all that it is compared with.
func (e *engine) sides(ctx context.Context, server string, connections int) (all []*side,
	err error) {
	add := func(f floor, table string) {
		if err == nil {
			var s *side
			s, err = e.side(ctx, f, table, server, connections)
			all = append(all, s)
		}
	}
	add(convoItself(e.dialect), "convo_conversations")
	for _, f := range e.floors {
		add(f, map[bool]string{true: "fair_conversations", false: "floor_conversations"}[f.name ==
			fairFloor])
	}
	add(floor{name: handList, make: func(ctx context.Context, db *sql.DB) (any,
		error) {
		return newByHand(ctx, db, e.mark)
	}}, "")
	return all, err
}

// begin opens the conversations of those who write again and again.
func (s *side) begin(ctx context.Context) error {
	if s.desk == nil {
		return nil
	}
	_, _, err := race(8, regulars, time.Hour, func(n int64) error {
		return s.Receive(ctx, regular(n), "")
	})
	return err
}

// work is what is measured: do is called over and over, by all callers at once.
type work struct {
	name, what string // in the lines for benchstat, and in the tables
	callers    []int  // servers get 32 at most, and SQLite no 32
	main       []int  // those of docs/performance.md
	do         func(ctx context.Context, s *side, batch string, n int64) error
	// before makes what the operations of a batch need, and is not measured.
	before func(ctx context.Context, s *side, batch string, n int64) error
	// contacts is how many contacts n operations of a batch opened a conversation for, if that is
	// to be checked.
	contacts func(n int64) int64
	against  []string // names of floors
	count    bool     // round trips
}

// regulars is how many contacts write again and again.
const regulars = 1000

func regular(n int64) string { return "regular-" + strconv.FormatInt(n%regulars, 10) }

func nth(batch string, n int64) string { return batch + "-" + strconv.FormatInt(n, 10) }

func works() []work {
	one, few, all := []int{1}, []int{1, 8}, []int{1, 8, 32, 64}
	lean := []string{oneTransaction, tx5, readCTE, readBlock}
	written := append(slices.Clone(lean), fairFloor)
	return []work{
		{
			name: "Open", what: "first message of a new contact", callers: all, main: few,
			against: written, count: true,
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, nth(batch, n), "")
			},
		},
		{
			name: "Message", what: "message into an open conversation", callers: all, main: all,
			against: written, count: true,
			do: func(ctx context.Context, s *side, _ string, n int64) error {
				return s.Receive(ctx, regular(n), "")
			},
		},
		{
			name: "MessageWithExternalID", what: "message with an external id", callers: few,
			against: written, count: true,
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, regular(n), nth(batch, n))
			},
		},
		{
			name: "MessageInHostsTransaction", what: "message in the host's transaction",
			callers: few, main: one, against: []string{oneTransaction, tx5}, count: true,
			do: func(ctx context.Context, s *side, _ string, n int64) error {
				if b, ok := s.desk.(byConvo); ok {
					return b.ReceiveWithin(ctx, regular(n))
				}
				return s.Receive(ctx, regular(n), "") // which is one anyway
			},
		},
		{
			name: "Close", what: "close", callers: few, main: few, against: written, count: true,
			before: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, nth(batch, n), "")
			},
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Close(ctx, nth(batch, n))
			},
		},
		{
			name: "Hot", what: "messages into one hot conversation", callers: []int{8},
			main: []int{8}, against: []string{oneTransaction, tx5},
			do: func(ctx context.Context, s *side, _ string, _ int64) error {
				return s.Receive(ctx, "hot", "")
			},
		},
		{
			name: "Race", what: "8 race for each new contact", callers: []int{8}, main: []int{8},
			against: append(slices.Clone(written), firstInsert),
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, nth(batch, n/8), "")
			},
			contacts: func(n int64) int64 { return (n + 7) / 8 },
		},
		{
			name: "ListActive", what: "list of 50 active", callers: few,
			against: []string{handList}, count: true,
			do: func(ctx context.Context, s *side, _ string, _ int64) error {
				return s.page(ctx, convo.Filter{Status: []convo.Status{convo.StatusOpen,
					convo.StatusPending}})
			},
		},
		{
			name: "ListRareCategory", what: "list of 50 closed, of a rare category", callers: one,
			against: []string{handList}, count: true,
			do: func(ctx context.Context, s *side, _ string, _ int64) error {
				return s.page(ctx, convo.Filter{Status: []convo.Status{convo.StatusClosed},
					Category: fill.RareCategory})
			},
		},
	}
}

// by is how many callers there are on an engine: a server has fewer of its connections than SQLite
// has callers that share a transaction.
func (w *work) by(server, long bool) []int {
	callers := w.main
	if long {
		callers = w.callers
	}
	return slices.DeleteFunc(slices.Clone(callers), func(n int) bool {
		return !server && n == 32 || server && n == 64
	})
}

func (s *side) page(ctx context.Context, f convo.Filter) error {
	f.Workspace, f.Limit = fill.Workspace, pageSize
	page, err := s.Conversations(ctx, f)
	if err == nil && len(page) == 0 {
		err = errors.New("an empty page")
	}
	return err
}

// batches gives each batch of operations contacts of its own.
var batches atomic.Int64

// measure has callers get operations done for a while.
func (w *work) measure(ctx context.Context, server string, s *side, callers int,
	length time.Duration) (f figure.Figure, err error) {
	var done int64
	var took, client, its time.Duration
	for took < length {
		size := int64(math.MaxInt64)
		if w.before != nil {
			size = int64(32 * callers)
		}
		batch, err := w.ready(ctx, s, size)
		if err != nil {
			return f, err
		}
		of := serverTime(server)
		own := figure.Own() // after asking for the server's, which takes time itself
		n, d, err := w.carryOut(ctx, s, batch, callers, size, length-took)
		if err != nil {
			return f, err
		}
		client += figure.Own() - own
		its += serverTime(server) - of
		done, took = done+n, took+d
	}
	return figure.Figure{Impl: s.name, N: done,
		Values: figure.PerOp(done, took, client, its)}, nil
}

// ready makes what the operations of a new batch need.
func (w *work) ready(ctx context.Context, s *side, size int64) (batch string, err error) {
	batch = "batch-" + strconv.FormatInt(batches.Add(1), 10)
	if w.before != nil {
		_, _, err = race(8, size, time.Hour, func(n int64) error {
			return w.before(ctx, s, batch, n)
		})
	}
	return batch, err
}

// carryOut carries out the operations of a batch, until the time is up.
func (w *work) carryOut(ctx context.Context, s *side, batch string, callers int, size int64,
	length time.Duration) (
	done int64, took time.Duration, err error,
) {
	done, took, err = race(callers, size, length, func(n int64) error {
		return w.do(ctx, s, batch, n)
	})
	if err == nil && w.contacts != nil {
		err = s.check(ctx, batch, w.contacts(done))
	}
	return done, took, err
}

// counted is how many operations round trips are counted of.
const counted = 100

// trips is how many round trips an operation takes, with one caller on one connection through p.
func (w *work) trips(ctx context.Context, s *side, p *proxy) (float64, error) {
	for range 2 { // the first time statements are prepared
		batch, err := w.ready(ctx, s, counted)
		if err != nil {
			return 0, err
		}
		p.count()
		if _, _, err := w.carryOut(ctx, s, batch, 1, counted, time.Hour); err != nil {
			return 0, err
		}
	}
	return float64(p.count()) / counted, nil
}

// check sees that each contact of a batch has one conversation.
func (s *side) check(ctx context.Context, batch string, want int64) (err error) {
	var n int64
	err = s.db.QueryRowContext(ctx,
		"SELECT COUNT(*) FROM "+s.table+" WHERE contact LIKE '"+batch+"-%'").Scan(&n)
	if err == nil && n != want {
		err = fmt.Errorf("%d conversations of %d contacts", n, want)
	}
	return err
}

// race has callers call f with 0, 1, 2, …, size-1 until the time is up, and returns how often that
// was, and how long it took.
func race(callers int, size int64, length time.Duration, f func(n int64) error) (done int64,
	took time.Duration, err error) {
	var next, finished atomic.Int64
	var failed sync.Once
	var wg sync.WaitGroup
	begin := time.Now()
	for range callers {
		wg.Go(func() {
			for time.Since(begin) < length {
				n := next.Add(1) - 1
				if n >= size {
					return
				}
				if ferr := f(n); ferr != nil {
					failed.Do(func() { err = ferr })
					next.Store(size)
					return
				}
				finished.Add(1)
			}
		})
	}
	wg.Wait()
	return finished.Load(), time.Since(begin), err
}
