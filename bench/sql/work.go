package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
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
	add(floor{name: "convo", make: func(ctx context.Context, db *sql.DB) (any, error) {
		return newConvo(ctx, db, e.dialect)
	}}, "convo_conversations")
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
		return s.Receive(ctx,
			regular(n), "")
	})
	return err
}

// work is what is measured: do is called over and over, by all callers at once.
type work struct {
	what    string
	callers []int
	do      func(ctx context.Context, s *side, batch string, n int64) error
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
	written := []string{oneTransaction, tx5, readCTE, readBlock, fairFloor}
	return []work{
		{
			what: "first message of a new contact", callers: all, against: written, count: true,
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, nth(batch, n), "")
			},
		},
		{
			what: "message into an open conversation", callers: all, against: written, count: true,
			do: func(ctx context.Context, s *side, _ string,
				n int64) error {
				return s.Receive(ctx, regular(n), "")
			},
		},
		{
			what: "the same with an external id", callers: few, against: written, count: true,
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, regular(n), nth(batch, n))
			},
		},
		{
			what: "close", callers: few, against: written, count: true,
			before: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, nth(batch, n), "")
			},
			do: func(ctx context.Context, s *side, batch string,
				n int64) error {
				return s.Close(ctx, nth(batch, n))
			},
		},
		{
			what: "messages into one hot conversation", callers: []int{8}, against: []string{oneTransaction,
				tx5},
			do: func(ctx context.Context, s *side, _ string,
				n int64) error {
				return s.Receive(ctx, "hot", "")
			},
		},
		{
			what: "8 race for each new contact", callers: []int{8}, against: append(written,
				firstInsert),
			do: func(ctx context.Context, s *side, batch string, n int64) error {
				return s.Receive(ctx, nth(batch, n/8), "")
			},
			contacts: func(n int64) int64 { return (n + 7) / 8 },
		},
		{
			what: "list of 50 active", callers: few, against: []string{handList}, count: true,
			do: func(ctx context.Context, s *side, _ string, _ int64) error {
				return s.page(ctx, convo.Filter{Status: []convo.Status{convo.StatusOpen,
					convo.StatusPending}})
			},
		},
		{
			what: "list of 50 closed, of a rare category", callers: one,
			against: []string{handList}, count: true,
			do: func(ctx context.Context, s *side, _ string, _ int64) error {
				return s.page(ctx, convo.Filter{Status: []convo.Status{convo.StatusClosed},
					Category: fill.RareCategory})
			},
		},
	}
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

// measure is how many operations a second callers get done, and what one costs.
func (w *work) measure(ctx context.Context, server string, s *side, callers int,
	length time.Duration) (perSecond float64, each cost, err error) {
	var done int64
	var took time.Duration
	var used cost
	for took < length {
		size := int64(math.MaxInt64)
		if w.before != nil {
			size = int64(64 * callers)
		}
		batch, err := w.ready(ctx, s, size)
		if err != nil {
			return 0, each, err
		}
		client, its := own(), of(server)
		n, d, err := w.carryOut(ctx, s, batch, callers, size, length-took)
		if err != nil {
			return 0, each, err
		}
		used.client, used.server = used.client+own()-client, used.server+of(server)-its
		done, took = done+n, took+d
	}
	each = cost{used.client / time.Duration(done), used.server / time.Duration(done)}
	return float64(done) / took.Seconds(), each, nil
}

// ready makes what the operations of a new batch need.
func (w *work) ready(ctx context.Context, s *side, size int64) (batch string, err error) {
	batch = "batch-" + strconv.FormatInt(batches.Add(1), 10)
	if w.before != nil {
		_, _, err = race(8, size, time.Hour, func(n int64) error {
			return w.before(ctx, s, batch,
				n)
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
		return w.do(ctx, s, batch,
			n)
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
