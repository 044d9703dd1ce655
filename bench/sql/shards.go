package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/bench/internal/figure"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/sqlstore"
)

// What it costs that workspaces are spread over databases: the same calls, in turns, on a store
// itself, and on one over the first, the first two, … servers. Processors are those of the client
// and of all servers, for that is what another server adds: on one machine no call is faster.

// customers is how many workspaces there are: those of a contact that writes again and again, and
// so on, are computed from its name.
const customers = 60

// spread does the job in many workspaces.
type spread struct{ byConvo }

func (s spread) to(contact string) convo.Ref {
	h := fnv.New32a()
	_, _ = h.Write([]byte(contact))
	return convo.ToContact(fmt.Sprint("customer-", h.Sum32()%customers), contact)
}

func (s spread) Receive(ctx context.Context, contact, externalID string) error {
	_, err := s.Do(ctx, s.to(contact),
		convo.Receive{Channel: channel, ExternalID: externalID, Body: body})
	return err
}

func (s spread) Close(ctx context.Context, contact string) error {
	_, err := s.Do(ctx, s.to(contact),
		convo.Close{By: convo.ByUser(agent), Category: category, Summary: summary})
	return err
}

// spreadWorks are what is measured.
func spreadWorks() (all []work) {
	callers := map[string][]int{"Open": {8}, "Message": {1, 8}, "Close": {8}, "Hot": {8}}
	for _, w := range works() {
		if w.callers = callers[w.name]; w.callers != nil {
			all = append(all, w)
		}
	}
	return all
}

func overShards(n int) string { return fmt.Sprintf("%d-shards", n) }

// shard measures on the servers of o.shards.
func shard(ctx context.Context, o *options) (failed error) {
	of := engine{name: "PostgreSQL", id: "postgresql-shards"}
	var pids, names []string
	stores := map[string]*sqlstore.Store{}
	var sides []*side
	add := func(name string, store convo.Store) error {
		engine, err := convo.New(store)
		sides = append(sides, &side{name: name, desk: spread{byConvo{Engine: engine}}})
		return err
	}
	for i, dsn := range o.shards {
		e, err := newPostgres(ctx, o, dsn)
		defer func() { failed = errors.Join(failed, e.drop()) }()
		if err != nil {
			return err
		}
		db, err := e.filled(ctx, o.rows)
		if db != nil {
			defer func() { _ = db.Close() }()
		}
		if err != nil {
			return err
		}
		b, err := newConvo(ctx, db, e.dialect, false)
		if err != nil {
			return err
		}
		defer func() { _ = b.store.Close() }()
		if i == 0 {
			if err := add("convo", b.store); err != nil {
				return err
			}
		}
		pids, names = append(pids, e.pid), append(names, fmt.Sprint("shard-", i))
		stores[names[i]] = b.store
		first := map[string]*sqlstore.Store{}
		for _, name := range names {
			first[name] = stores[name]
		}
		composite, err := shardstore.NewLocking(shardstore.Rendezvous(names...), first)
		if err != nil {
			return err
		}
		if err := add(overShards(i+1), composite); err != nil {
			return err
		}
	}
	of.pid = strings.Join(pids, " ")
	for _, s := range sides {
		if err := s.begin(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Printf("%d workspaces on %d servers; %d rounds of %v\n\n", customers, len(pids), o.rounds,
		o.length)
	for _, w := range spreadWorks() {
		if !o.what.MatchString(w.what) {
			continue
		}
		for _, n := range w.callers {
			if err := of.turns(ctx, o, &w, n, sides); err != nil {
				return fmt.Errorf("%s: %w", w.what, err)
			}
		}
	}
	fmt.Print(shardTable(o.all, len(o.shards)))
	return nil
}

// shardTable has, for a store itself and over so many servers, calls per second and processors, and
// of the store itself the share.
func shardTable(all figure.All, n int) string {
	var b strings.Builder
	b.WriteString("| what | callers | a store itself, µs of processors |")
	for i := range n {
		fmt.Fprintf(&b, " over %d: processors | speed |", i+1)
	}
	b.WriteString("\n|---|--:|--:|" + strings.Repeat("--:|--:|", n) + "\n")
	for _, w := range spreadWorks() {
		for _, callers := range w.callers {
			name := figure.Case(w.name, "engine", "postgresql-shards", "callers", callers)
			cpu, _ := all.Median(name, "convo", figure.CPU)
			wall, ok := all.Median(name, "convo", figure.Wall)
			if !ok {
				continue
			}
			fmt.Fprintf(&b, "| %s | %d | %.0f, %.0f/s |", w.what, callers, cpu/1000, 1e9/wall)
			for i := range n {
				cpu, _ := all.Ratio(name, overShards(i+1), "convo", figure.CPU)
				speed, _ := all.Ratio(name, "convo", overShards(i+1), figure.Wall)
				fmt.Fprintf(&b, " %.2f | %.2f |", cpu, speed)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
