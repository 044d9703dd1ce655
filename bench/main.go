// Command bench compares convo with hand-written code and with state machine libraries, in one run,
// in turns, and prints a Markdown table. Absolute times are this machine's; the ratios are what to
// look at.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func main() {
	testing.Init()
	rounds := flag.Int("rounds", 5,
		"how often each pair is measured, in turns; the median ratio is printed")
	conversations := flag.Int("conversations", 1_000_000,
		"how many conversations to keep in memory for the bytes of one")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(),
			"usage: go run . [flags]\n\nCompares convo with what one would else write or import.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *rounds < 1 || *conversations < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	_ = flag.Set("test.benchtime", "300ms")

	fmt.Printf("%s %s/%s, %d processors, %d rounds\n\n", runtime.Version(), runtime.GOOS,
		runtime.GOARCH, runtime.NumCPU(), *rounds)
	fmt.Println("| what | convo | against | ratio |")
	fmt.Println("|---|---|---|---|")
	compare(*rounds, "four transitions, decided, recorded, measured", cycle,
		"a switch by hand, by value", byHand)
	compare(*rounds, "the same, in place into a buffer", cycleInPlace,
		"a switch by hand, by value into a buffer", byHandIntoABuffer)
	compare(*rounds, "", cycleInPlace, "looplab/fsm, which records nothing", byLooplab)
	compare(*rounds, "", cycleInPlace, "qmuntal/stateless, which records nothing", byStateless)
	compare(*rounds, "a message into an open conversation", message, "", nil)
	compare(*rounds, "the same, in place", messageInPlace(convo.Decider{}), "", nil)
	compare(*rounds, "the same, in place into a buffer",
		messageInPlace(convo.Decider{Reuse: true}), "", nil)
	compare(*rounds, "a refusal", refusal, "", nil)
	compare(*rounds, "the same, in place", refusalInPlace, "", nil)
	compare(*rounds, "receive + close through the Engine, in memory", memory,
		"a typed store by hand", memoryByHand)
	compare(*rounds, "the same from all processors at once", parallel, "with one processor",
		onOne(memory))
	fmt.Printf("| bytes per closed conversation, of %d | %.0f B | by hand, %.0f B | |\n",
		*conversations, bytesPer(*conversations, fill), bytesPer(*conversations, fillByHand))
}

// compare measures f and floor in turns and prints the medians, and the median of the ratios of the
// pairs.
func compare(rounds int, what string, f func(*testing.B), against string, floor func(*testing.B)) {
	var fs, floors, ratios []float64
	var allocs int64
	for range rounds {
		r := testing.Benchmark(f)
		fs = append(fs, nanos(r))
		allocs = r.AllocsPerOp()
		if floor != nil {
			floors = append(floors, nanos(testing.Benchmark(floor)))
			ratios = append(ratios, fs[len(fs)-1]/floors[len(floors)-1])
		}
	}
	fmt.Printf("| %s | %.0f ns, %d allocs |", what, median(fs), allocs)
	if floor == nil {
		fmt.Println(" | |")
		return
	}
	fmt.Printf(" %s, %.0f ns | %.2f |\n", against, median(floors), median(ratios))
}

func nanos(r testing.BenchmarkResult) float64 { return float64(r.T.Nanoseconds()) / float64(r.N) }

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
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
