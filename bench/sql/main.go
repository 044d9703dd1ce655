// Command sql compares convo on sqlstore with what one would write by hand for exactly this job, on
// each database engine, in one run and in turns, and prints a Markdown table. Absolute numbers are
// this machine's; the ratios are what to look at.
package main

import (
	"cmp"
	"context"
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

	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
)

const usage = `usage: go run ./sql [flags]

Compares convo on sqlstore with hand-written code. SQLite is always there; for PostgreSQL and
MariaDB set CONVO_POSTGRES_DSN and CONVO_MARIADB_DSN to servers on which databases may be created,
or have both started for the time of the run:

	scripts/engines run -- sh -c 'cd bench && go run ./sql'
`

const everything = "sqlite,postgresql,mariadb"

type options struct {
	rounds  int
	length  time.Duration
	engines string
	callers string
	what    *regexp.Regexp
	rows    int
	dir     string
}

func main() {
	var o options
	million := flag.Bool("million", false,
		"keep 1,000,000 conversations in the tables, not 100,000")
	flag.IntVar(&o.rounds, "rounds", 5,
		"how often each comparison is measured, in turns; the median ratio is printed")
	flag.DurationVar(&o.length, "for", 500*time.Millisecond, "how long one measurement takes")
	flag.StringVar(&o.engines, "engines", everything, "what to measure on")
	flag.StringVar(&o.callers, "callers", "1,8,32,64",
		"with how many callers at once; servers get 32 at most, and SQLite no 32")
	what := flag.String("what", "", "measure only what this regular expression matches")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "where the files of SQLite are to be")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage, "\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	o.rows = 100_000
	if *million {
		o.rows = 1_000_000
	}
	callers, err := numbers(o.callers)
	if err == nil {
		o.what, err = regexp.Compile(*what)
	}
	for name := range strings.SplitSeq(o.engines, ",") {
		if !strings.Contains(everything, name) {
			err = errors.New("engines")
		}
	}
	if err != nil || o.rounds < 1 || o.length <= 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = run(ctx, &o, callers)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func numbers(list string) (ns []int, err error) {
	for part := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, errors.New("callers")
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
	{"sqlite", "", func(_ context.Context, o *options, _ string) (*engine,
		error) {
		return newSQLite(o.dir, "NORMAL")
	}},
	{"sqlite", "", func(_ context.Context, o *options, _ string) (*engine,
		error) {
		return newSQLite(o.dir, "FULL")
	}},
	{"postgresql", "CONVO_POSTGRES_DSN", newPostgres},
	{"mariadb", "CONVO_MARIADB_DSN", newMariaDB},
}

func run(ctx context.Context, o *options, callers []int) error {
	fmt.Printf("%s %s/%s, %d processors; %d conversations, then ANALYZE; %d rounds of %v\n\n",
		runtime.Version(), runtime.GOOS,
		runtime.GOARCH, runtime.NumCPU(), o.rows, o.rounds, o.length)
	fmt.Println("| engine | what | callers | convo | by hand | ratio " +
		"| µs of processors, client + server | ratio | round trips |")
	fmt.Println("|---|---|--:|--:|---|--:|---|--:|---|")
	wanted := strings.Split(o.engines, ",")
	var skipped []string
	for _, x := range engines {
		if !slices.Contains(wanted, x.name) {
			continue
		}
		dsn := os.Getenv(x.variable)
		if x.variable != "" && dsn == "" {
			skipped = append(skipped, x.variable)
			continue
		}
		e, err := x.make(ctx, o, dsn)
		if err == nil {
			err = e.compare(ctx, o, callers)
		}
		if e != nil {
			err = errors.Join(err, e.drop())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
	}
	for _, variable := range skipped {
		fmt.Printf("\nskipped: %s is not set. To have the servers started: "+
			"scripts/engines run -- sh -c 'cd bench && go run ./sql'\n", variable)
	}
	return nil
}

// compare fills the tables, and measures all that makes sense on the engine.
func (e *engine) compare(ctx context.Context, o *options, callers []int) error {
	db, err := e.open(e.server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	config := sqlstore.Config{DB: db, Dialect: e.dialect}
	if err := config.Migrate(ctx); err != nil {
		return err
	}
	if err := fill.Conversations(ctx, db, e.dialect, o.rows); err != nil {
		return err
	}
	if err := fill.Log(ctx, db, e.dialect, o.rows); err != nil {
		return err
	}
	if err := fill.RolledUp(ctx, db, e.dialect, o.rows); err != nil {
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
	trips, err := e.trips(ctx)
	if err != nil {
		return err
	}
	for _, w := range works() {
		if !o.what.MatchString(w.what) {
			continue
		}
		for _, n := range w.callers {
			if !slices.Contains(callers, n) || e.server == "" && n == 32 || e.server != "" &&
				n == 64 {
				continue
			}
			if err := e.print(ctx, o, &w, n, sides, trips); err != nil {
				return fmt.Errorf("%s: %w", w.what, err)
			}
		}
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

// print measures convo and its floors in turns, and prints a line for each floor.
func (e *engine) print(ctx context.Context, o *options, w *work, callers int, sides []*side,
	trips map[string]float64) error {
	compared := sides[:1:1]
	for _, s := range sides[1:] {
		if slices.Contains(w.against, s.name) {
			compared = append(compared, s)
		}
	}
	rates, costs := make([][]float64, len(compared)), make([][]cost, len(compared))
	for round := range o.rounds {
		// nobody is always the first one, after a pause, or after the same one
		for i := range compared {
			i = (i + round) % len(compared)
			rate, c, err := w.measure(ctx, e.pid, compared[i], callers, o.length)
			if err != nil {
				return fmt.Errorf("%s: %w", compared[i].name, err)
			}
			rates[i], costs[i] = append(rates[i], rate), append(costs[i], c)
		}
	}
	engine, what, number := e.name, w.what, strconv.Itoa(callers)
	for i, s := range compared[1:] {
		ratios, cheaper := make([]float64, o.rounds), make([]float64, o.rounds)
		for round := range ratios {
			ratios[round] = rates[0][round] / rates[i+1][round]
			cheaper[round] = costs[i+1][round].all() / costs[0][round].all()
		}
		both := ""
		if n, ok := trips[w.what+s.name]; ok {
			both = fmt.Sprintf("%.1f : %.1f", trips[w.what+sides[0].name], n)
		}
		fmt.Printf("| %s | %s | %s | %.0f/s | %s, %.0f/s | %.2f | %s : %s | %.2f | %s |\n", engine,
			what, number, median(rates[0]), s.name, median(rates[i+1]), median(ratios),
			middle(costs[0]), middle(costs[i+1]), median(cheaper), both)
		engine, what, number = "", "", ""
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func middle(v []cost) cost {
	slices.SortFunc(v, func(a, b cost) int { return cmp.Compare(a.all(), b.all()) })
	return v[len(v)/2]
}

// trips counts the round trips of an operation, by what it is and whose it is.
func (e *engine) trips(ctx context.Context) (map[string]float64, error) {
	if e.server == "" {
		return nil, nil
	}
	p, err := newProxy(e.server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = p.Close() }()
	sides, err := e.sides(ctx, p.Addr().String(), 1)
	defer func() { closeAll(sides) }()
	if err != nil {
		return nil, err
	}
	trips := map[string]float64{}
	for _, w := range works() {
		for i, s := range sides {
			if w.count && (i == 0 || slices.Contains(w.against, s.name)) {
				if trips[w.what+s.name], err = w.trips(ctx, s, p); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", w.what, s.name, err)
				}
			}
		}
	}
	return trips, nil
}
