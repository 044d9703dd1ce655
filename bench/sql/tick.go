package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/bench/internal/figure"
)

const (
	tickWhat  = "Tick"
	tickLoads = "loads/op" // snapshots that were loaded

	timers = 2000 // that are due, in each round
)

// runners are how many Ticks there are at once, each of an engine of its own.
var runners = []int{1, 4}

// further is how much longer than here a round trip to a server takes.
var further = []time.Duration{0, 5 * time.Millisecond}

func tickCase(engine string, delay time.Duration, runners int) string {
	return figure.Case(tickWhat, "engine", engine, "delay", delay, "runners", runners)
}

// past is a clock of an hour ago.
type past struct{}

func (past) Now() time.Time { return time.Now().Add(-time.Hour) }

// ticks measures what timers cost, here and further away.
func (e *engine) ticks(ctx context.Context, o *options, store convo.Store) error {
	for _, delay := range further {
		if delay == 0 {
			if err := e.tick(ctx, o, delay, store, store); err != nil {
				return err
			}
			continue
		}
		if e.server == "" {
			continue
		}
		if err := e.ticksAway(ctx, o, delay, store); err != nil {
			return err
		}
	}
	return nil
}

// ticksAway measures Ticks each of whose round trips takes so much longer.
func (e *engine) ticksAway(
	ctx context.Context, o *options, delay time.Duration, here convo.Store,
) error {
	p, err := newProxy(e.server, delay)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	sides, err := e.sides(ctx, p.Addr().String(), e.connections)
	defer func() { closeAll(sides) }()
	if err != nil {
		return err
	}
	return e.tick(ctx, o, delay, here, sides[0].desk.(byConvo).store)
}

// tick measures what timers cost that wake pending conversations: they are made in one store, and
// due in the other, which is the same one or leads to the same database.
func (e *engine) tick(
	ctx context.Context, o *options, delay time.Duration, here, store convo.Store,
) error {
	earlier, err := convo.New(here, convo.WithClock(past{}))
	if err != nil {
		return err
	}
	// What the tables have of their own is due, too.
	if _, err := tickAll(ctx, here, 1); err != nil {
		return err
	}
	for round := range o.rounds {
		for i := range runners {
			n := runners[(i+round)%len(runners)]
			batch := "timers-" + fmt.Sprint(batches.Add(1))
			_, _, err := race(8, timers, time.Hour, func(i int64) error {
				_, err := earlier.Do(ctx, convo.ToContact(workspace, nth(batch, i)),
					convo.Receive{Channel: channel, Body: body}, convo.SetPending{
						By: convo.ByUser(agent), Until: time.Now().Add(-time.Minute),
					})
				return err
			})
			if err != nil {
				return err
			}
			its := serverTime(e.pid)
			own, began := figure.Own(), time.Now()
			loads, err := tickAll(ctx, store, n)
			if err != nil {
				return err
			}
			took, client := time.Since(began), figure.Own()-own
			values := figure.PerOp(timers, took, client, serverTime(e.pid)-its)
			values[tickLoads] = float64(loads) / timers
			if err := o.keep(figure.Figure{
				Case: tickCase(e.id, delay, n), Impl: "convo", N: timers, Values: values,
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// tickAll has so many runners do all that is due, and returns how often they loaded something.
func tickAll(ctx context.Context, store convo.Store, runners int) (int64, error) {
	var loads atomic.Int64
	_, _, err := race(runners, int64(runners), time.Hour, func(int64) error {
		more := true
		e, err := convo.New(store, convo.WithTickStats(func(s convo.TickStats) {
			loads.Add(int64(s.Loads))
			more = s.More
		}))
		for err == nil && more {
			_, err = e.Tick(ctx, 0)
		}
		return err
	})
	return loads.Load(), err
}

// tickTable is what Ticks cost; without any, it is empty.
func tickTable(all figure.All) string {
	var b strings.Builder
	for _, e := range []string{"sqlite-normal", "sqlite-full", "postgresql", "mariadb"} {
		for _, delay := range further {
			for _, n := range runners {
				of := tickCase(e, delay, n)
				wall, ok := all.Median(of, "convo", figure.Wall)
				if !ok {
					continue
				}
				cpu, _ := all.Median(of, "convo", figure.CPU)
				loads, _ := all.Median(of, "convo", tickLoads)
				fmt.Fprintf(&b, "| %s | %d | %d | %.0f | %.0f | %.2f |\n",
					e, delay.Milliseconds(), n, 1e9/wall, cpu/1000, loads)
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| engine | ms that a round trip takes longer | runners of Tick " +
		"| timers per second | µs of processors each | loads each |\n" +
		"|---|--:|--:|--:|--:|--:|\n" + b.String()
}
