// Command sql compares convo on sqlstore with what one would write by hand for exactly this job, on
// each database engine, in one run and in turns, and prints a Markdown table. Absolute numbers are
// this machine's; the ratios are what to look at.
package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo/bench/internal/figure"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
)

const usage = `usage: go run ./sql [flags]

Compares convo on sqlstore with hand-written code. SQLite is always there; for PostgreSQL and
MariaDB set CONVO_POSTGRES_DSN and CONVO_MARIADB_DSN to servers on which databases may be created,
or have both started for the time of the run:

	scripts/engines run -- sh -c 'cd bench && go run ./sql'

It measures the rows of docs/performance.md; with -long more of them, and Tick. -growth measures
convo alone, on tables of more and more conversations, -relay what the outbox and a relay cost, and
-shards what it costs to spread workspaces over several servers (make bench-shards).
`

const everything = "sqlite,postgresql,mariadb"

type options struct {
	long, tables, growth, lean, relay bool

	rounds  int
	length  time.Duration
	engines []string
	callers []int // nil: all
	what    *regexp.Regexp
	rows    int   // conversations in the tables
	sizes   []int // the same, where it grows
	dir     string
	from    string
	shards  []string // DSNs of servers

	out *figure.File
	all figure.All // what was measured so far
}

// modes are how much is measured, unless flags say otherwise.
var modes = []struct {
	of     func(o *options) bool
	rounds int
	length time.Duration
	rows   int
}{
	{func(o *options) bool { return o.growth }, 5, 300 * time.Millisecond, 1_000_000},
	{func(o *options) bool { return o.relay }, 5, time.Second, 20_000},
	{func(o *options) bool { return o.shards != nil }, 20, 300 * time.Millisecond, 20_000},
	{func(o *options) bool { return o.long }, 5, 500 * time.Millisecond, 100_000},
	{func(o *options) bool { return o.tables }, 7, 400 * time.Millisecond, 100_000},
	{func(*options) bool { return true }, 3, 200 * time.Millisecond, 20_000},
}

func parse() (o *options, err error) {
	o = &options{}
	flag.BoolVar(&o.long, "long", false, "more rows, and Tick")
	flag.BoolVar(&o.tables, "tables", false, "print nothing but the tables of docs/performance.md")
	flag.BoolVar(&o.growth, "growth", false,
		"what calls cost from 1,000 to -n conversations, on SQLite and PostgreSQL")
	flag.BoolVar(&o.relay, "relay", false, "what the outbox costs, and how a relay keeps up")
	flag.BoolVar(&o.lean, "lean", false, "with -growth: without events, cycles and keys")
	flag.StringVar(&o.from, "from", "", "measure nothing; print the tables of a file of -out")
	out := flag.String("out", "", "a file to append each round's figures to, for benchstat")
	flag.IntVar(&o.rounds, "rounds", 0, "how often each comparison is measured, in turns; the "+
		"median ratio is printed (0: 3, with -tables 7, with -shards 20, else 5)")
	flag.DurationVar(&o.length, "for", 0, "how long one measurement takes "+
		"(0: 200ms, with -tables 400ms, with -long 500ms, with -growth "+
		"and -shards 300ms, with -relay 1s)")
	flag.IntVar(&o.rows, "n", 0, "how many conversations are in the tables "+
		"(0: 20,000, with -long or -tables 100,000, with -growth 1,000,000)")
	engines := flag.String("engines", everything, "what to measure on")
	callers := flag.String("callers", "", "only with so many callers at once, as 1,8")
	what := flag.String("what", "", "measure only what this regular expression matches")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "where the files of SQLite are to be")
	shards := flag.String("shards", "", "DSNs of PostgreSQL servers, with spaces between them")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage, "\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *shards != "" {
		o.shards = strings.Fields(*shards)
	}
	for _, m := range modes {
		if m.of(o) {
			o.rounds, o.length, o.rows = cmp.Or(o.rounds, m.rounds), cmp.Or(o.length, m.length),
				cmp.Or(o.rows, m.rows)
			break
		}
	}
	o.sizes = sizes(o.rows)
	o.engines = strings.Split(*engines, ",")
	for _, name := range o.engines {
		if !slices.Contains(strings.Split(everything, ","), name) {
			err = fmt.Errorf("no engine %q", name)
		}
	}
	var cerr, werr, oerr error
	o.callers, cerr = numbers(*callers)
	o.what, werr = regexp.Compile(*what)
	if o.rounds < 1 || o.length <= 0 || o.rows < 1000 || flag.NArg() > 0 {
		err = errors.New("at least one round, some time, 1,000 conversations, and no arguments")
	}
	if err = errors.Join(err, cerr, werr); err != nil {
		return o, err
	}
	o.out, oerr = figure.Append(*out)
	return o, oerr
}

func main() {
	o, err := parse()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	switch {
	case o.from != "":
		var all figure.All
		if all, err = figure.ReadFile(o.from); err == nil {
			fmt.Print(comparisonTables(all))
		}
	case o.growth:
		err = grow(ctx, o)
	case o.shards != nil:
		err = shard(ctx, o)
	default:
		err = run(ctx, o)
	}
	stop()
	if err = errors.Join(err, o.out.Close()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// keep keeps what was measured.
func (o *options) keep(f figure.Figure) error {
	o.all = append(o.all, f)
	return o.out.Write(f)
}

func numbers(list string) (ns []int, err error) {
	if list == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("no number of callers: %q", part)
		}
		ns = append(ns, n)
	}
	return ns, nil
}

// engines are what there is to measure on, and where the environment says where it is.
var engines = []struct {
	name, variable string
	make           func(ctx context.Context, o *options, dsn string) (*engine, error)
}{
	{"sqlite", "", func(_ context.Context, o *options, _ string) (*engine, error) {
		return newSQLite(o.dir, "NORMAL")
	}},
	{"sqlite", "", func(_ context.Context, o *options, _ string) (*engine, error) {
		return newSQLite(o.dir, "FULL")
	}},
	{"postgresql", "CONVO_POSTGRES_DSN", newPostgres},
	{"mariadb", "CONVO_MARIADB_DSN", newMariaDB},
}

func run(ctx context.Context, o *options) error {
	fmt.Printf("%s %s/%s, %d processors; %d conversations, then ANALYZE; %d rounds of %v\n\n",
		runtime.Version(), runtime.GOOS,
		runtime.GOARCH, runtime.NumCPU(), o.rows, o.rounds, o.length)
	if !o.tables && !o.relay {
		fmt.Print(head)
	}
	var skipped []string
	for _, x := range engines {
		if !slices.Contains(o.engines, x.name) {
			continue
		}
		dsn := os.Getenv(x.variable)
		if x.variable != "" && dsn == "" {
			skipped = append(skipped, x.variable)
			continue
		}
		e, err := x.make(ctx, o, dsn)
		measure := e.compare
		if o.relay {
			measure = e.relayed
		}
		if err == nil {
			err = measure(ctx, o)
		}
		if e != nil {
			err = errors.Join(err, e.drop())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
	}
	if o.tables {
		fmt.Print(comparisonTables(o.all))
	}
	if o.relay {
		fmt.Print(relayTable(o.all))
	}
	if o.long {
		fmt.Print(tickTable(o.all))
	}
	for _, variable := range skipped {
		fmt.Printf("\nskipped: %s is not set. To have the servers started: "+
			"scripts/engines run -- sh -c 'cd bench && go run ./sql'\n", variable)
	}
	return nil
}

// fill fills convo's tables with n conversations.
func (e *engine) fill(ctx context.Context, db *sql.DB, n int) error {
	if err := (sqlstore.Config{DB: db, Dialect: e.dialect}).Migrate(ctx); err != nil {
		return err
	}
	for _, f := range []func(context.Context, *sql.DB, sqlstore.Dialect, int) error{
		fill.Conversations, fill.Log,
		// All is rolled up. MariaDB would look for each of those that RolledUp keeps in the queue
		// in all labels, for minutes.
		func(ctx context.Context, db *sql.DB, _ sqlstore.Dialect, _ int) error {
			_, err := db.ExecContext(ctx, "DELETE FROM convo_rollup_queue")
			return err
		},
		fill.RolledUp,
	} {
		if err := f(ctx, db, e.dialect, n); err != nil {
			return err
		}
	}
	return nil
}

// compare fills the tables, and measures all that makes sense on the engine.
func (e *engine) compare(ctx context.Context, o *options) error {
	db, err := e.open(e.server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := e.fill(ctx, db, o.rows); err != nil {
		return err
	}
	if err := createFloor(ctx, db, e.words...); err != nil {
		return err
	}
	if err := fill.Analyze(ctx, db, e.dialect); err != nil {
		return err
	}
	sides, err := e.sides(ctx, e.server, e.connections)
	defer func() { closeAll(sides) }()
	if err != nil {
		return err
	}
	if e.process != "" {
		if e.pid, err = serverProcess(ctx, db, e.process); err != nil {
			fmt.Fprintln(os.Stderr, "no processor time of the server:", err)
		}
	}
	for _, s := range sides {
		if err := s.begin(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := e.trips(ctx, o); err != nil {
		return err
	}
	for _, w := range works() {
		if !o.what.MatchString(w.what) {
			continue
		}
		for _, n := range w.by(e.server != "", o.long) {
			if o.callers != nil && !slices.Contains(o.callers, n) {
				continue
			}
			if err := e.measure(ctx, o, &w, n, sides); err != nil {
				return fmt.Errorf("%s: %w", w.what, err)
			}
		}
	}
	if o.long && o.what.MatchString(tickWhat) {
		return e.ticks(ctx, o, sides[0].desk.(byConvo).store)
	}
	return nil
}

func closeAll(sides []*side) {
	for _, s := range sides {
		if s != nil {
			_ = s.db.Close()
		}
	}
}

// on is the name of a case on this engine.
func (e *engine) on(w *work, callers int) string {
	return figure.Case(w.name, "engine", e.id, "callers", callers)
}

// measure measures convo and its floors in turns, and prints a line for each floor.
func (e *engine) measure(ctx context.Context, o *options, w *work, callers int,
	sides []*side) error {
	compared := sides[:1:1]
	for _, s := range sides[1:] {
		if slices.Contains(w.against, s.name) {
			compared = append(compared, s)
		}
	}
	if err := e.turns(ctx, o, w, callers, compared); err != nil {
		return err
	}
	if !o.tables {
		for _, s := range compared[1:] {
			fmt.Println(e.line(o.all, w, callers, s.name))
		}
	}
	return nil
}

// turns measures sides in turns.
func (e *engine) turns(ctx context.Context, o *options, w *work, callers int,
	compared []*side) error {
	for round := range o.rounds + 1 {
		length := o.length
		if round == 0 {
			length /= 4 // does not count: connections are opened, and statements prepared
		}
		// nobody is always the first one, after a pause, or after the same one
		for i := range compared {
			s := compared[(i+round)%len(compared)]
			f, err := w.measure(ctx, e.pid, s, callers, length)
			f.Case = e.on(w, callers)
			if err == nil && round > 0 {
				err = o.keep(f)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

// trips counts the round trips of operations.
func (e *engine) trips(ctx context.Context, o *options) error {
	if e.server == "" {
		return nil
	}
	p, err := newProxy(e.server, 0)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	sides, err := e.sides(ctx, p.Addr().String(), 1)
	defer func() { closeAll(sides) }()
	if err != nil {
		return err
	}
	for _, w := range works() {
		for i, s := range sides {
			if !w.count || i > 0 && !slices.Contains(w.against, s.name) {
				continue
			}
			n, err := w.trips(ctx, s, p)
			err = errors.Join(err, o.keep(figure.Figure{Case: e.on(&w, 1), Impl: s.name, N: counted,
				Values: map[string]float64{figure.Trips: n}}))
			if err != nil {
				return fmt.Errorf("%s: %s: %w", w.what, s.name, err)
			}
		}
	}
	return nil
}
