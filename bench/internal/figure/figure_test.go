package figure

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var message = Case("Message", "engine", "postgresql", "callers", 8)

func TestAFigureIsALineOfABenchmark(t *testing.T) {
	f := Figure{message, "convo", 12, PerOp(12, 2400*time.Nanosecond, 900*time.Nanosecond,
		300*time.Nanosecond)}
	want := "BenchmarkMessage/engine=postgresql/callers=8/impl=convo\t12\t200.00 ns/op\t" +
		"75.00 client-cpu-ns/op\t100.00 cpu-ns/op\t25.00 server-cpu-ns/op"
	if got := f.String(); got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "figures")
	want := All{
		{message, "convo", 12, map[string]float64{Wall: 200.25, CPU: 100, Server: 50}},
		{message, "tx5", 7, map[string]float64{Wall: 300, CPU: 400}},
		{Case("Message"), "tx5", 1, map[string]float64{Trips: 5}},
	}
	for _, f := range want { // each by a run of its own
		file, err := Append(name)
		if err == nil {
			err = file.Write(f)
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadFile(name)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, not %v", got, err, want)
	}
}

func TestABrokenLineIsNoFigure(t *testing.T) {
	for _, line := range []string{
		"BenchmarkMessage",
		"BenchmarkMessage 1 2 ns/op",
		"BenchmarkMessage/impl=convo 1",
		"BenchmarkMessage/impl=convo 1 2",
		"BenchmarkMessage/impl=convo x 2 ns/op",
		"BenchmarkMessage/impl=convo 1 x ns/op",
	} {
		if _, err := Read(strings.NewReader(line)); err == nil {
			t.Errorf("%q is read", line)
		}
	}
}

// The machine may be three times as slow in a round: each round is compared by itself.
func TestRoundsAreComparedOneByOne(t *testing.T) {
	all, err := Read(strings.NewReader(`goos: linux
BenchmarkMessage/impl=convo 1 100 ns/op 10 cpu-ns/op
BenchmarkMessage/impl=tx5 1 200 ns/op 5 cpu-ns/op
BenchmarkMessage/impl=tx5 1 600 ns/op 16 cpu-ns/op
BenchmarkMessage/impl=convo 1 300 ns/op 30 cpu-ns/op
BenchmarkMessage/impl=convo 1 310 ns/op 30 cpu-ns/op
BenchmarkMessage/impl=tx5 1 640 ns/op 15 cpu-ns/op
BenchmarkClose/impl=convo 1 1 ns/op
BenchmarkClose/impl=tx5 1 3 ns/op
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ of, against, want string }{
		{"Message", "tx5", "2.00 (0.50)"},
		{"Close", "tx5", "3.00"},
		{"Close", "CTE", ""},
		{"Open", "tx5", ""},
	} {
		if got := all.Cell(c.of, c.against); got != c.want {
			t.Errorf("%s against %s: %q, not %q", c.of, c.against, got, c.want)
		}
	}
	if m, ok := all.Median("Message", "convo", Wall); !ok || m != 300 {
		t.Error(m, ok)
	}
}

func TestTheShapeOfATableIsItsWords(t *testing.T) {
	table := "| open | 8 | 12 ns, 5 allocs | by hand, by value, 7 ns | 0.68 (0.70) | 0.68 | 1.20 | " +
		"2.0 : 5.0 |\n| | 1 |  |\n"
	if got, want := Shape(table), "|open|8||by hand, by value|||||\n||1||\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
