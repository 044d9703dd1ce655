// Command import measures moving in: histories of eleven events into each engine by Engine.Import,
// by one Do for each command, and by hand, by inserts of many rows into tables with the same keys.
// It prints a Markdown table. Absolute numbers are this machine's; the ratios are what to look at.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

const usage = `usage: go run ./import [flags]

Measures on SQLite, and on PostgreSQL where CONVO_POSTGRES_DSN names a database that is the
benchmark's own. To have a server started:

	scripts/engines --only postgres run -- sh -c 'cd bench && go run ./import'
`

func main() {
	n := flag.Int("n", 20_000, "how many conversations each round imports")
	rounds := flag.Int("rounds", 3, "how often, in turns; the median is printed")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage, "\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *n < 1 || *rounds < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *n, *rounds)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, n, rounds int) error {
	dir, err := os.MkdirTemp("", "convo-import-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Printf("%s, %d processors; %d conversations of %d events, %d rounds\n\n", runtime.Version(),
		runtime.NumCPU(), n, eventsEach, rounds)
	fmt.Println("| engine | Import | one Do each | ratio | by hand | time ÷ by hand | heap |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|")
	db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(dir, "bench.db"))
	if err == nil {
		err = measure(ctx, "SQLite", db, sqlstore.SQLite, "?", n, rounds)
	}
	if err != nil {
		return err
	}
	dsn := os.Getenv("CONVO_POSTGRES_DSN")
	if dsn == "" {
		fmt.Println("\nskipped: CONVO_POSTGRES_DSN is not set")
		return nil
	}
	if db, err = sql.Open("pgx", dsn); err != nil {
		return err
	}
	return measure(ctx, "PostgreSQL", db, sqlstore.PostgreSQL, "$", n, rounds)
}

func measure(
	ctx context.Context, name string, db *sql.DB, d sqlstore.Dialect, mark string, n, rounds int,
) error {
	defer func() { _ = db.Close() }()
	config := sqlstore.Config{DB: db, Dialect: d}
	if err := config.Migrate(ctx); err != nil {
		return err
	}
	s, err := config.Open(ctx)
	if err != nil {
		return err
	}
	e, err := convo.New(s)
	if err != nil {
		return err
	}
	h := byHand{db, mark}
	if err := h.create(ctx); err != nil {
		return err
	}
	var imported, single, hand []float64
	for round := range rounds {
		workspace := fmt.Sprint("round ", round)
		for _, side := range []struct {
			to *[]float64
			n  int
			do func() error
		}{
			{&imported, n, func() error { return importAll(ctx, e, workspace, n) }},
			{&single, max(1, n/100), func() error {
				return doEach(ctx, e, workspace+" singly", max(1, n/100))
			}},
			{&hand, n, func() error { return h.insert(ctx, workspace, n) }},
		} {
			began := time.Now()
			if err := side.do(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			took := time.Since(began).Seconds()
			*side.to = append(*side.to, float64(side.n*eventsEach)/took)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	a, b, c := median(imported), median(single), median(hand)
	fmt.Printf("| %s | %.0f/s | %.0f/s | %.1f | %.0f/s | %.2f | %d MB |\n", name, a, b, a/b, c, c/a,
		m.HeapSys>>20)
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// eventsEach is how many events a history is: an opening, an address for the first, and its
// commands.
const eventsEach = 11

var (
	agent = convo.ByUser("ana")
	start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
)

// commands are a conversation of a support desk.
func commands(i int) []convo.Command {
	at := start.Add(time.Duration(i) * time.Minute)
	next := func() time.Time {
		at = at.Add(90 * time.Second)
		return at
	}
	text := "My order " + strconv.Itoa(i) + " arrived broken, what can I do about it now?"
	return []convo.Command{
		convo.Receive{At: next(), Channel: "mail", ExternalID: "m" + strconv.Itoa(i), Body: text},
		convo.Assign{At: next(), By: agent, Assignee: "ana", Team: "support"},
		convo.Send{At: next(), By: agent, Channel: "mail", Body: text},
		convo.Receive{At: next(), Channel: "mail", Body: text},
		convo.Send{At: next(), By: agent, Channel: "mail", Body: text},
		convo.Note{At: next(), By: agent, Body: text},
		convo.Receive{At: next(), Channel: "mail", Body: text},
		convo.Send{At: next(), By: agent, Channel: "mail", Body: text},
		convo.Receive{At: next(), Channel: "mail", Body: text},
		convo.Close{At: next(), By: agent, Category: "Support", Summary: "Replaced it."},
	}
}

func to(workspace string, i int) convo.Ref {
	return convo.ToContact(workspace, "contact "+strconv.Itoa(i/3))
}

func importAll(ctx context.Context, e *convo.Engine, workspace string, n int) error {
	histories := iter.Seq2[convo.History, error](func(yield func(convo.History, error) bool) {
		for i := range n {
			h := convo.History{
				Key: "case " + strconv.Itoa(i), To: to(workspace, i), Commands: commands(i),
			}
			if !yield(h, nil) {
				return
			}
		}
	})
	r, err := e.Import(ctx, workspace, histories, nil)
	if err == nil && r.Imported != n {
		err = fmt.Errorf("%d imported, not %d", r.Imported, n)
	}
	return err
}

func doEach(ctx context.Context, e *convo.Engine, workspace string, n int) error {
	for i := range n {
		for _, cmd := range commands(3 * i) { // another contact each, which nothing is active for
			if _, err := e.Do(ctx, to(workspace, 3*i), cmd); err != nil {
				return err
			}
		}
	}
	return nil
}

// byHand inserts what it would by hand: the same rows, of which conversations and events have the
// columns that this job needs.
type byHand struct {
	db   *sql.DB
	mark string
}

func (h byHand) create(ctx context.Context) error {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS hand_contacts (workspace TEXT, id TEXT, created_at BIGINT,
			PRIMARY KEY (workspace, id))`,
		`CREATE TABLE IF NOT EXISTS hand_conversations (workspace TEXT, id TEXT, contact TEXT,
			channel TEXT, status TEXT, opened_at BIGINT, closed_at BIGINT, assignee TEXT,
			category TEXT, summary TEXT, first_response BIGINT, resolution BIGINT,
			PRIMARY KEY (workspace, id))`,
		`CREATE INDEX IF NOT EXISTS hand_a ON hand_conversations (workspace, contact, opened_at)`,
		`CREATE INDEX IF NOT EXISTS hand_b ON hand_conversations (workspace, assignee, opened_at)`,
		`CREATE INDEX IF NOT EXISTS hand_c ON hand_conversations (workspace, closed_at)`,
		`CREATE TABLE IF NOT EXISTS hand_events (workspace TEXT, conversation TEXT, seq INT,
			id TEXT, kind TEXT, at BIGINT, by_type TEXT, by_id TEXT, channel TEXT,
			external_id TEXT, body TEXT, PRIMARY KEY (workspace, conversation, seq))`,
		`CREATE INDEX IF NOT EXISTS hand_d ON hand_events (workspace, at)`,
		`CREATE TABLE IF NOT EXISTS hand_keys (workspace TEXT, channel TEXT, id TEXT,
			conversation TEXT, PRIMARY KEY (workspace, channel, id))`,
	} {
		if _, err := h.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (h byHand) insert(ctx context.Context, workspace string, n int) error {
	for from := 0; from < n; from += convo.DefaultImportBatch {
		if err := h.batch(ctx, workspace, from, min(n, from+convo.DefaultImportBatch)); err != nil {
			return err
		}
	}
	return nil
}

func (h byHand) batch(ctx context.Context, workspace string, from, end int) error {
	var contacts, conversations, events, keys [][]any
	for i := from; i < end; i++ {
		contact, id := to(workspace, i).Contact, uuid.Must(uuid.NewV7()).String()
		if i%3 == 0 || i == from {
			contacts = append(contacts, []any{workspace, contact, start.UnixMicro()})
		}
		conversations = append(conversations, []any{
			workspace, id, contact, "mail", "closed", int64(i), int64(i), "ana", "Support",
			"Replaced it.", int64(i), int64(i),
		})
		text := "My order " + strconv.Itoa(i) + " arrived broken, what can I do about it now?"
		for seq := range eventsEach {
			events = append(events, []any{
				workspace, id, seq, uuid.Must(uuid.NewV7()).String(), "message_received", int64(i),
				"user", "ana", "mail", "", text,
			})
		}
		keys = append(keys, []any{workspace, "mail", "m" + strconv.Itoa(i), id},
			[]any{workspace, "", "case " + strconv.Itoa(i), id})
	}
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	for _, t := range []struct {
		table string
		rows  [][]any
	}{
		{"hand_contacts", contacts}, {"hand_conversations", conversations},
		{"hand_events", events}, {"hand_keys", keys},
	} {
		for some := range slices.Chunk(t.rows, 100) {
			var args []any
			for _, row := range some {
				args = append(args, row...)
			}
			text := "INSERT INTO " + t.table + " VALUES " + h.tuples(len(some), len(some[0])) +
				" ON CONFLICT DO NOTHING"
			if _, err := tx.ExecContext(ctx, text, args...); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// tuples are the placeholders of so many rows.
func (h byHand) tuples(rows, columns int) string {
	var b strings.Builder
	n := 0
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for c := range columns {
			if c > 0 {
				b.WriteString(", ")
			}
			n++
			b.WriteString(h.mark)
			if h.mark == "$" {
				b.WriteString(strconv.Itoa(n))
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}
