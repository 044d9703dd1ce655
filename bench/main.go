// Command bench compares convo with hand-written code and with state machine libraries, in one run,
// in turns, and prints a Markdown table, that of docs/performance.md. Absolute times are this
// machine's; the ratios are what to look at.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/bench/internal/figure"
	"github.com/chatlifecycle/convo/memstore"
)

func main() {
	testing.Init()
	rounds := flag.Int("rounds", 7,
		"how often each is measured, in turns; medians are printed")
	length := flag.Duration("for", 300*time.Millisecond, "how long one measurement takes")
	conversations := flag.Int("conversations", 1_000_000,
		"how many conversations to keep in memory for the bytes of one")
	out := flag.String("out", "", "a file to append each round's figures to, for benchstat")
	from := flag.String("from", "", "measure nothing; print the table of such a file")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(),
			"usage: go run . [flags]\n\nCompares convo with what one would else write or import.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *rounds < 1 || *length <= 0 || *conversations < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	_ = flag.Set("test.benchtime", length.String())
	all, err := figure.ReadFile(*from)
	if *from == "" {
		fmt.Printf("%s %s/%s, %d processors, %d rounds\n\n", runtime.Version(), runtime.GOOS,
			runtime.GOARCH, runtime.NumCPU(), *rounds)
		all, err = measureAll(*rounds, *conversations, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(table(all))
}

// measureAll measures everything, each round all that is compared with one another, in turns.
func measureAll(rounds, conversations int, out string) (all figure.All, err error) {
	file, err := figure.Append(out)
	if err != nil {
		return nil, err
	}
	add := func(f figure.Figure) {
		all = append(all, f)
		err = errors.Join(err, file.Write(f))
	}
	for _, w := range works {
		for round := range rounds {
			// nobody is always the first one, after a pause, or after the same one
			for i := range w.by {
				add(measure(w.name, w.by[(i+round)%len(w.by)]))
			}
		}
	}
	for _, kept := range []struct {
		impl string
		fill func(int) any
	}{{"convo", fill}, {"hand", fillByHand}} {
		add(figure.Figure{Case: bytesKept, Impl: kept.impl, N: int64(conversations),
			Values: map[string]float64{bytesEach: bytesPer(conversations, kept.fill)}})
	}
	return all, errors.Join(err, file.Close())
}

func measure(name string, by impl) figure.Figure {
	var cpu time.Duration
	r := testing.Benchmark(func(b *testing.B) {
		before := figure.Own()
		by.do(b)
		cpu = figure.Own() - before
	})
	values := figure.PerOp(int64(r.N), r.T, cpu, 0)
	values[figure.Allocs] = float64(r.AllocsPerOp())
	return figure.Figure{Case: name, Impl: by.name, N: int64(r.N), Values: values}
}

// impl is one way to do some work.
type impl struct {
	name string // in the lines for benchstat
	do   func(*testing.B)
}

type work struct {
	name string
	by   []impl
}

// works are what is measured, and by whom.
var works = []work{
	{"FourTransitions", []impl{
		{"convo", cycle}, {"in-place", cycleInPlace}, {"hand", byHand},
		{"hand-into-a-buffer", byHandIntoABuffer}, {"looplab", byLooplab},
		{"stateless", byStateless},
	}},
	{"Message", []impl{
		{"convo", message}, {"in-place", messageInPlace(convo.Decider{})},
		{"buffer", messageInPlace(convo.Decider{Reuse: true})},
	}},
	{"Refusal", []impl{{"convo", refusal}, {"in-place", refusalInPlace}}},
	{"ReceiveAndCloseInMemory", []impl{{"convo", memory}, {"hand", memoryByHand}}},
	{"ReceiveAndCloseInParallel", []impl{{"convo", parallel}, {"one-processor", onOne(memory)}}},
}

var (
	ana      = convo.ByUser("ana")
	commands = []convo.Command{convo.Open{By: ana}, convo.SetPending{By: ana},
		convo.Resume{By: ana}, convo.Close{By: ana}}
	reopen = convo.Policy{Open: convo.OnClosed{Mode: convo.OnClosedReopen}}
)

func newThread() convo.Snapshot {
	return convo.Snapshot{Contact: convo.Contact{Workspace: "acme", ID: "susan"},
		Next: uuid.Must(uuid.NewV7())}
}

func decide(b *testing.B, t convo.Snapshot, at time.Time, cmd convo.Command) convo.Decision {
	d, err := convo.Decide(t, at, &reopen, cmd)
	if err != nil || len(d.Change.Events) == 0 {
		b.Fatal(err)
	}
	return d
}

func next(b *testing.B, t convo.Snapshot, at time.Time, cmd convo.Command) convo.Snapshot {
	d := decide(b, t, at, cmd)
	return d.Change.After(t)
}

func cycle(b *testing.B) {
	t, at := newThread(), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		for _, cmd := range commands {
			t = next(b, t, at, cmd)
		}
	}
}

func message(b *testing.B) {
	at := time.Now()
	t := next(b, newThread(), at, convo.Open{By: ana})
	var cmd convo.Command = convo.Receive{Body: "My order arrived broken."}
	b.ReportAllocs()
	for b.Loop() {
		t = next(b, t, at, cmd)
	}
}

func refusal(b *testing.B) {
	at := time.Now()
	t := next(b, next(b, newThread(), at, convo.Open{By: ana}), at, convo.Close{By: ana})
	var cmd convo.Command = convo.Send{By: ana, Body: "Anything else?"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := convo.Decide(t, at, nil, cmd); err == nil {
			b.Fatal("not refused")
		}
	}
}

// inPlace moves t on.
func inPlace(b *testing.B, d *convo.Decider, t *convo.Snapshot, at time.Time, cmd convo.Command) {
	if _, err := d.Decide(t, at, &reopen, cmd); err != nil || len(d.Events()) == 0 {
		b.Fatal(err)
	}
}

func cycleInPlace(b *testing.B) {
	t, at, d := newThread(), time.Now(), convo.Decider{Reuse: true}
	b.ReportAllocs()
	for b.Loop() {
		for _, cmd := range commands {
			inPlace(b, &d, &t, at, cmd)
		}
	}
}

func messageInPlace(d convo.Decider) func(*testing.B) {
	return func(b *testing.B) {
		t, at := newThread(), time.Now()
		inPlace(b, &d, &t, at, convo.Open{By: ana})
		var cmd convo.Command = convo.Receive{Body: "My order arrived broken."}
		b.ReportAllocs()
		for b.Loop() {
			inPlace(b, &d, &t, at, cmd)
		}
	}
}

func refusalInPlace(b *testing.B) {
	t, at, d := newThread(), time.Now(), convo.Decider{Reuse: true}
	inPlace(b, &d, &t, at, convo.Open{By: ana})
	inPlace(b, &d, &t, at, convo.Close{By: ana})
	var cmd convo.Command = convo.Send{By: ana, Body: "Anything else?"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decide(&t, at, nil, cmd); err == nil {
			b.Fatal("not refused")
		}
	}
}

func receiveAndClose(ctx context.Context, e *convo.Engine, contact string) error {
	to := convo.ToContact("acme", contact)
	if _, err := e.Do(ctx, to, convo.Receive{Channel: "whatsapp", Body: "hello"}); err != nil {
		return err
	}
	_, err := e.Do(ctx, to, convo.Close{By: ana, Category: "Support", Summary: "solved"})
	return err
}

func newEngine() *convo.Engine {
	e, err := convo.New(memstore.New())
	if err != nil {
		panic(err)
	}
	return e
}

func memory(b *testing.B) {
	e := newEngine()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if err := receiveAndClose(b.Context(), e, "contact-"+strconv.Itoa(i)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func parallel(b *testing.B) {
	e := newEngine()
	worker := make(chan int, runtime.GOMAXPROCS(0))
	for i := range cap(worker) {
		worker <- i
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		name := "contact-" + strconv.Itoa(<-worker) + "-"
		for i := 0; pb.Next(); i++ {
			if err := receiveAndClose(context.Background(), e, name+strconv.Itoa(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// onOne limits a benchmark, and the garbage collector with it, to one processor.
func onOne(f func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		f(b)
	}
}

func memoryByHand(b *testing.B) {
	m := &floorMemory{map[string]*floorEntry{}, map[uuid.UUID]*floorEntry{}}
	i := 0
	for b.Loop() {
		contact := "contact-" + strconv.Itoa(i)
		m.receive(contact, "hello", time.Now())
		m.close(contact, "ana", "Support", "solved", time.Now())
		i++
	}
}

func fill(n int) any {
	e := newEngine()
	for i := range n {
		if err := receiveAndClose(context.Background(), e, "contact-"+strconv.Itoa(i)); err != nil {
			panic(err)
		}
	}
	return e
}

func fillByHand(n int) any {
	m := &floorMemory{map[string]*floorEntry{}, map[uuid.UUID]*floorEntry{}}
	for i := range n {
		contact := "contact-" + strconv.Itoa(i)
		m.receive(contact, "hello", time.Now())
		m.close(contact, "ana", "Support", "solved", time.Now())
	}
	return m
}

// bytesPer is what the heap grows by for each of n conversations.
func bytesPer(n int, fill func(int) any) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := fill(n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}
