package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/bench/internal/figure"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
)

// What the outbox costs, and whether a relay keeps up: messages of eight callers, in turns without
// an outbox, with one, and with a relay at work beside them on the same processors; and the relay
// alone, with what waits for it by then.
const (
	noOutbox    = "no-outbox"
	withOutbox  = "outbox"
	besideRelay = "outbox-and-relay"
	relayAlone  = "relay-alone"

	logBytes = "log-B/op" // of the server's log of changes
	delay50  = "delay-p50-ns"
	delay99  = "delay-p99-ns"

	relayCallers = 8
)

func relayCase(engine string) string {
	return figure.Case("Outbox", "engine", engine, "callers", relayCallers)
}

// delays is a publisher that sends to nobody and notes how old each event is.
type delays struct {
	mu  sync.Mutex
	all []time.Duration
	n   atomic.Int64
}

func (d *delays) Publish(_ context.Context, events []convo.Event) (int, error) {
	now := time.Now()
	d.mu.Lock()
	for i := range events {
		d.all = append(d.all, now.Sub(events[i].At))
	}
	d.mu.Unlock()
	d.n.Add(int64(len(events)))
	return len(events), nil
}

// at is the delay that so many of a hundred do not exceed.
func (d *delays) at(percent int) float64 {
	slices.Sort(d.all)
	if len(d.all) == 0 {
		return 0
	}
	return float64(d.all[(len(d.all)-1)*percent/100])
}

// relayed measures all four.
func (e *engine) relayed(ctx context.Context, o *options) error {
	db, err := e.filled(ctx, o.rows)
	if db != nil {
		defer func() { _ = db.Close() }()
	}
	if err != nil {
		return err
	}
	sides := map[string]byConvo{}
	for impl, outbox := range map[string]bool{
		noOutbox: false, withOutbox: true, besideRelay: true,
	} {
		if sides[impl], err = newConvo(ctx, db, e.dialect, outbox); err != nil {
			return err
		}
	}
	var atWork atomic.Pointer[relay.Relay]
	side := sides[besideRelay]
	side.Engine, err = convo.New(side.store,
		convo.WithObserver(func(context.Context, []convo.Event) { atWork.Load().Wake() }))
	if err != nil {
		return err
	}
	sides[besideRelay] = side
	impls := []string{noOutbox, withOutbox, besideRelay}
	for round := range o.rounds + 1 {
		for i := range impls {
			impl := impls[(i+round)%len(impls)]
			all, err := e.relayRound(ctx, o, db, impl, sides[impl], &atWork)
			if err != nil {
				return fmt.Errorf("%s: %w", impl, err)
			}
			for _, f := range all {
				if round == 0 {
					continue // connections are opened, and statements prepared
				}
				if err := o.keep(f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// relayRound measures one of them, and the relay alone with what it left.
func (e *engine) relayRound(ctx context.Context, o *options, db *sql.DB, impl string,
	side byConvo, atWork *atomic.Pointer[relay.Relay]) (all []figure.Figure, err error) {
	sent := &delays{}
	r, err := relay.New(side.store, relay.To("bench", sent))
	if impl == noOutbox {
		r, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	var ends sync.WaitGroup
	defer ends.Wait()
	defer stop()
	run := func() { ends.Go(func() { _ = r.Run(running) }) }
	if impl == besideRelay {
		atWork.Store(r)
		run()
	}
	before, err := e.logged(ctx, db)
	if err != nil {
		return nil, err
	}
	its, own := serverTime(e.pid), figure.Own()
	batch := batches.Add(1)
	done, took, err := race(relayCallers, 1<<62, o.length, func(n int64) error {
		return side.Receive(ctx, fmt.Sprintf("relayed-%d-%d", batch, n%regulars), "")
	})
	if err != nil {
		return nil, err
	}
	values := figure.PerOp(done, took, figure.Own()-own, serverTime(e.pid)-its)
	after, err := e.logged(ctx, db)
	if err != nil {
		return nil, err
	}
	if after > 0 {
		values[logBytes] = float64(after-before) / float64(done)
	}
	messages := figure.Figure{Case: relayCase(e.id), Impl: impl, N: done, Values: values}
	if r == nil {
		return []figure.Figure{messages}, nil
	}
	opened := min(done, regulars)
	already := sent.n.Load()
	its, own = serverTime(e.pid), figure.Own()
	began := time.Now()
	if impl == withOutbox {
		run()
	}
	for sent.n.Load() < done+opened { // an opening is an event of its own
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	if impl == besideRelay {
		values[delay50], values[delay99] = sent.at(50), sent.at(99)
		return []figure.Figure{messages}, nil
	}
	n := sent.n.Load() - already
	return []figure.Figure{messages, {
		Case: relayCase(e.id), Impl: relayAlone, N: n,
		Values: figure.PerOp(n, time.Since(began), figure.Own()-own, serverTime(e.pid)-its),
	}}, nil
}

// logged is how many bytes a server has written into its log of changes; 0 where it does not say.
func (e *engine) logged(ctx context.Context, db *sql.DB) (n int64, err error) {
	switch e.dialect {
	case sqlstore.PostgreSQL:
		err = db.QueryRowContext(ctx,
			"SELECT (pg_current_wal_insert_lsn() - '0/0')::BIGINT").Scan(&n)
	case sqlstore.MariaDB:
		var name string
		err = db.QueryRowContext(ctx,
			"SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'").Scan(&name, &n)
	}
	return n, err
}

// relayTable is what the outbox and a relay cost.
func relayTable(all figure.All) string {
	var b strings.Builder
	b.WriteString("| engine | messages of 8 callers, without outbox | with it " +
		"| µs of processors a message | ratio | bytes of log a message | ratio " +
		"| relay beside it: messages | delay, half | delay, 99 of 100 " +
		"| relay alone: events | of messages with the outbox |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, e := range []string{"sqlite-normal", "sqlite-full", "postgresql", "mariadb"} {
		of := func(impl, unit string) float64 {
			v, _ := all.Median(relayCase(e), impl, unit)
			return v
		}
		ratio := func(unit string) string {
			v, ok := all.Ratio(relayCase(e), withOutbox, noOutbox, unit)
			if !ok {
				return ""
			}
			return fmt.Sprintf("%.2f", v)
		}
		if of(noOutbox, figure.Wall) == 0 {
			continue
		}
		written := ""
		if of(noOutbox, logBytes) > 0 {
			written = fmt.Sprintf("%.0f : %.0f", of(noOutbox, logBytes), of(withOutbox, logBytes))
		}
		share, _ := all.Ratio(relayCase(e), withOutbox, relayAlone, figure.Wall)
		fmt.Fprintf(&b, "| %s | %.0f/s | %.0f/s | %.0f : %.0f | %s | %s | %s | %.0f/s | %v | %v "+
			"| %.0f/s | %.2f |\n", e,
			1e9/of(noOutbox, figure.Wall), 1e9/of(withOutbox, figure.Wall),
			of(noOutbox, figure.CPU)/1000, of(withOutbox, figure.CPU)/1000, ratio(figure.CPU),
			written, ratio(logBytes), 1e9/of(besideRelay, figure.Wall),
			time.Duration(of(besideRelay, delay50)).Round(time.Millisecond),
			time.Duration(of(besideRelay, delay99)).Round(time.Millisecond),
			1e9/of(relayAlone, figure.Wall), share)
	}
	return b.String()
}
