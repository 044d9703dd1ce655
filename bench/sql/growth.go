package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/bench/internal/figure"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
)

// sizes are how many conversations there are in the tables that are compared: each ten times as
// many as the one before, up to n.
func sizes(n int) (all []int) {
	for size := 1000; size < n; size *= 10 {
		all = append(all, size)
	}
	return append(all, n)
}

// flat is by how much the largest may exceed the smallest.
const flat = 1.5

const (
	inboxAssignee = "one of a hundred" // conversations of the inbox
	dueAtOnce     = 500
	historyPage   = 10 // the smallest table has twenty events of Regular
	longAs        = 500
	longContact   = "long"
)

// grown is an engine whose tables have size conversations.
type grown struct {
	*engine
	size int
	side *side
	of   struct {
		history, transcript convo.EventCursor // their middles
	}
}

// grow measures convo on tables of more and more conversations, all of them in turns, and prints
// what a call costs on each.
func grow(ctx context.Context, o *options) error {
	fmt.Printf("%s %s/%s, %d processors; %d rounds of %v; one caller, convo alone\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.rounds, o.length)
	for _, x := range []struct {
		name, variable string
		make           func(ctx context.Context, dsn string) (*engine, error)
	}{
		{"sqlite", "", func(context.Context, string) (*engine, error) {
			return newSQLite(o.dir, "NORMAL")
		}},
		{"postgresql", "CONVO_POSTGRES_DSN", func(ctx context.Context, dsn string) (*engine,
			error) {
			return newPostgres(ctx, o, dsn)
		}},
	} {
		if !slices.Contains(o.engines, x.name) {
			continue
		}
		dsn := os.Getenv(x.variable)
		if x.variable != "" && dsn == "" {
			fmt.Printf("\nskipped: %s is not set\n", x.variable)
			continue
		}
		if err := growOn(ctx, o, func() (*engine, error) { return x.make(ctx, dsn) }); err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
	}
	return nil
}

func growOn(ctx context.Context, o *options, make func() (*engine, error)) (err error) {
	var all []*grown
	defer func() {
		for _, g := range all {
			if g.side != nil {
				_ = g.side.db.Close()
			}
			err = errors.Join(err, g.drop())
		}
	}()
	for _, size := range o.sizes {
		e, err := make()
		if e != nil {
			all = append(all, &grown{engine: e, size: size})
		}
		if err != nil {
			return err
		}
		began := time.Now()
		if err := all[len(all)-1].begin(ctx, o); err != nil {
			return fmt.Errorf("%d conversations: %w", size, err)
		}
		fmt.Fprintf(os.Stderr, "%s: filled %d conversations in %v\n", e.name, size,
			time.Since(began).Round(time.Second/10))
	}
	works := slices.DeleteFunc(growing(), func(w growingWork) bool {
		return w.logged && o.lean || !o.what.MatchString(w.what)
	})
	for _, w := range works {
		for round := range o.rounds + 1 {
			for i := range all {
				g := all[(i+round)%len(all)]
				of := work{before: w.before, do: func(ctx context.Context, s *side, batch string,
					n int64) error {
					return w.do(ctx, g, batch, n)
				}}
				f, err := of.measure(ctx, g.pid, g.side, 1, o.length)
				f.Case = g.on(w.name, g.size)
				if err == nil && round > 0 { // the first one reads what it needs into memory
					err = o.keep(f)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", w.what, err)
				}
			}
		}
	}
	fmt.Print("\n", growthTable(o.all, all[0].name, all[0].id, o.sizes, works))
	return nil
}

func (g *grown) on(work string, size int) string { return growthCase(work, g.id, size) }

func growthCase(work, engine string, size int) string {
	return figure.Case("Growth"+work, "engine", engine, "rows", size)
}

// begin fills the tables, and opens them.
func (g *grown) begin(ctx context.Context, o *options) error {
	db, err := g.open(g.server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if o.lean {
		err = (sqlstore.Config{DB: db, Dialect: g.dialect}).Migrate(ctx)
		if err == nil {
			err = fill.Conversations(ctx, db, g.dialect, g.size)
		}
	} else {
		err = g.fill(ctx, db, g.size)
	}
	if err == nil {
		err = g.fillInbox(ctx, db)
	}
	if err == nil {
		err = fill.Analyze(ctx, db, g.dialect)
	}
	if err != nil {
		return err
	}
	if g.process != "" {
		if g.pid, err = serverProcess(ctx, db, g.process); err != nil {
			fmt.Fprintln(os.Stderr, "no processor time of the server:", err)
		}
	}
	g.side, err = g.engine.side(ctx, convoItself(g.dialect), "convo_conversations", g.server,
		g.connections)
	if err == nil {
		err = g.side.begin(ctx)
	}
	if err != nil || o.lean {
		return err
	}
	return g.middles(ctx)
}

// fillInbox has one in ten conversations more, which are active, and at least a thousand: a hundred
// of them of one assignee, and as many as a Tick handles due, on each table the same number.
func (g *grown) fillInbox(ctx context.Context, db *sql.DB) error {
	n := max(1000, g.size/10)
	if err := fill.Inbox(ctx, db, g.dialect, n); err != nil {
		return err
	}
	some := func(n, of int) string { // contacts, spread evenly
		var names []string
		for i := range n {
			names = append(names, "'busy-"+strconv.Itoa(i*(of/n))+"'")
		}
		return " WHERE workspace = '" + fill.Busy + "' AND contact IN (" +
			strings.Join(names, ", ") + ")"
	}
	for _, table := range []string{"convo_conversations", "convo_active"} {
		for _, statement := range []string{
			"UPDATE " + table + " SET assignee = '" + inboxAssignee + "'" + some(100, n),
			"UPDATE " + table + " SET due_at = 1 " + some(dueAtOnce, n),
		} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	return nil
}

// middles writes a long conversation, and finds the middle of it, and of the long history.
func (g *grown) middles(ctx context.Context) error {
	for range longAs {
		if err := g.side.Receive(ctx, longContact, ""); err != nil {
			return err
		}
	}
	e := g.side.desk.(byConvo)
	middle := func(pages func(convo.EventCursor) ([]convo.Event, error)) (at convo.EventCursor,
		err error) {
		var cursors []convo.EventCursor
		for after, more := (convo.EventCursor{}), true; more; {
			page, err := pages(after)
			if err != nil {
				return at, err
			}
			for i := range page {
				after = page[i].Cursor()
				cursors = append(cursors, after)
			}
			more = len(page) == convo.MaxPageSize
		}
		if len(cursors) < 2*historyPage {
			return at, fmt.Errorf("%d events", len(cursors))
		}
		return cursors[len(cursors)/2-1], nil
	}
	var err error
	if g.of.history, err = middle(func(after convo.EventCursor) ([]convo.Event, error) {
		return e.History(ctx, convo.ToContact(workspace, fill.Regular), after, convo.MaxPageSize)
	}); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	g.of.transcript, err = middle(func(after convo.EventCursor) ([]convo.Event, error) {
		return e.Transcript(ctx, convo.ToContact(workspace, longContact), after, convo.MaxPageSize)
	})
	return err
}

// growingWork is what must not cost more where there is more.
type growingWork struct {
	name, what string
	logged     bool // needs events
	do         func(ctx context.Context, g *grown, batch string, n int64) error
	before     func(ctx context.Context, s *side, batch string, n int64) error
}

func growing() []growingWork {
	list := func(f convo.Filter) func(context.Context, *grown, string, int64) error {
		f.Workspace, f.Limit = fill.Busy, pageSize
		f.Status = []convo.Status{convo.StatusOpen, convo.StatusPending}
		return func(ctx context.Context, g *grown, _ string, _ int64) error {
			page, err := g.side.Conversations(ctx, f)
			return full(err, len(page), pageSize)
		}
	}
	history := func(after func(*grown) convo.EventCursor,
	) func(context.Context, *grown, string, int64) error {
		return func(ctx context.Context, g *grown, _ string, _ int64) error {
			page, err := g.side.desk.(byConvo).History(ctx,
				convo.ToContact(workspace, fill.Regular), after(g), historyPage)
			return full(err, len(page), historyPage)
		}
	}
	open := func(ctx context.Context, s *side, batch string, n int64) error {
		return s.Receive(ctx, nth(batch, n), "")
	}
	return []growingWork{
		{name: "Open", what: "first message of a new contact",
			do: func(ctx context.Context, g *grown, batch string, n int64) error {
				return open(ctx, g.side, batch, n)
			}},
		{name: "Message", what: "message into an open conversation",
			do: func(ctx context.Context, g *grown, _ string, n int64) error {
				return g.side.Receive(ctx, regular(n), "")
			}},
		{name: "Close", what: "close", before: open,
			do: func(ctx context.Context, g *grown, batch string, n int64) error {
				return g.side.Close(ctx, nth(batch, n))
			}},
		{name: "ListByActivity", what: "list of 50 active, by activity",
			do: list(convo.Filter{Order: convo.OrderActivity})},
		{name: "ListByAssignee", what: "list of 50 active of an assignee",
			do: list(convo.Filter{Assignee: inboxAssignee})},
		{name: "Due", what: "Due(500)",
			do: func(ctx context.Context, g *grown, _ string, _ int64) error {
				page, err := g.side.desk.(byConvo).store.Due(ctx,
					convo.DueQuery{Before: time.Now(), Limit: dueAtOnce})
				return full(err, len(page), dueAtOnce)
			}},
		{name: "HistoryFirst", what: "first page of 10 of the history of 1 in 200 conversations",
			logged: true,
			do: history(func(*grown) convo.EventCursor {
				return convo.EventCursor{}
			})},
		{name: "HistoryMiddle", what: "a page of 10 in its middle", logged: true,
			do: history(func(g *grown) convo.EventCursor { return g.of.history })},
		{name: "Transcript", what: "a page of 50 in the middle of 500 messages", logged: true,
			do: func(ctx context.Context, g *grown, _ string, _ int64) error {
				page, err := g.side.desk.(byConvo).Transcript(ctx,
					convo.ToContact(workspace, longContact), g.of.transcript, pageSize)
				return full(err, len(page), pageSize)
			}},
	}
}

// full sees that a page has as many as on every other table.
func full(err error, got, want int) error {
	if err == nil && got != want {
		err = fmt.Errorf("a page of %d, not %d", got, want)
	}
	return err
}

// growthTable has the medians of each table, and how many times that of the smallest one the
// largest one takes; more than flat is in bold.
func growthTable(all figure.All, name, id string, sizes []int, works []growingWork) string {
	var b strings.Builder
	b.WriteString("| " + name + ", µs (of processors) |")
	for _, size := range sizes {
		fmt.Fprintf(&b, " %d |", size)
	}
	b.WriteString(" largest ÷ smallest |\n|---|" + strings.Repeat("--:|", len(sizes)+1) + "\n")
	for _, w := range works {
		b.WriteString("| " + w.what + " |")
		for _, size := range sizes {
			wall, _ := all.Median(growthCase(w.name, id, size), "convo", figure.Wall)
			cpu, _ := all.Median(growthCase(w.name, id, size), "convo", figure.CPU)
			fmt.Fprintf(&b, " %.0f (%.0f) |", wall/1000, cpu/1000)
		}
		last := growthCase(w.name, id, sizes[len(sizes)-1])
		wall, _ := all.Growth(last, growthCase(w.name, id, sizes[0]), "convo", figure.Wall)
		cpu, _ := all.Growth(last, growthCase(w.name, id, sizes[0]), "convo", figure.CPU)
		ratio := fmt.Sprintf("%.2f (%.2f)", wall, cpu)
		if wall > flat || cpu > flat {
			ratio = "**" + ratio + "**"
		}
		b.WriteString(" " + ratio + " |\n")
	}
	return b.String()
}
