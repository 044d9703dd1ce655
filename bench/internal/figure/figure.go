// Package figure keeps what was measured: it writes each round as a line that benchstat reads,
// reads such lines again, and compares implementations round by round.
package figure

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Units that several programs use. All are of one operation.
const (
	Wall   = "ns/op"
	CPU    = "cpu-ns/op"        // of processors, by client and server
	Client = "client-cpu-ns/op" // of that
	Server = "server-cpu-ns/op"
	Trips  = "trips/op" // to a server and back
	Allocs = "allocs/op"
)

// Figure is what one round measured of one implementation.
type Figure struct {
	Case   string // what was measured, and under which conditions: see Case
	Impl   string // who did it: convo, or what it is compared with
	N      int64  // how many operations
	Values map[string]float64
}

// Case names what is measured, in camel case, and under which conditions: pairs of a key and a
// value, without spaces.
func Case(work string, conditions ...any) string {
	for i := 0; i+1 < len(conditions); i += 2 {
		work += fmt.Sprint("/", conditions[i], "=", conditions[i+1])
	}
	return work
}

// String is the line that Go's benchmarks print.
func (f Figure) String() string {
	line := fmt.Sprintf("Benchmark%s/impl=%s\t%d", f.Case, f.Impl, f.N)
	for _, unit := range slices.SortedFunc(maps.Keys(f.Values), func(a, b string) int {
		// the time comes first, as everywhere
		if (a == Wall) != (b == Wall) {
			return map[bool]int{true: -1, false: 1}[a == Wall]
		}
		return strings.Compare(a, b)
	}) {
		line += fmt.Sprintf("\t%.2f %s", f.Values[unit], unit)
	}
	return line
}

// parse is the figure of a line.
func parse(line string) (f Figure, err error) {
	fields := strings.Fields(line)
	name, impl, ok := strings.Cut(fields[0], "/impl=")
	if !ok || len(fields) < 4 || len(fields)%2 != 0 {
		return f, fmt.Errorf("no figure: %q", line)
	}
	f = Figure{
		Case: strings.TrimPrefix(name, "Benchmark"), Impl: impl, Values: map[string]float64{},
	}
	if f.N, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
		return f, fmt.Errorf("no figure: %q: %w", line, err)
	}
	for i := 2; i < len(fields); i += 2 {
		if f.Values[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return f, fmt.Errorf("no figure: %q: %w", line, err)
		}
	}
	return f, nil
}

// All are the figures of a run. Those of one case and implementation are in the order of the
// rounds, and in a round each implementation has one.
type All []Figure

// Read takes the figures out of what Write has written; other lines say nothing here.
func Read(r io.Reader) (all All, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "Benchmark") {
			continue
		}
		f, err := parse(lines.Text())
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, lines.Err()
}

// ReadFile is Read of a file.
func ReadFile(name string) (All, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return Read(f)
}

// of are the values of a case and implementation, by round.
func (all All) of(name, impl, unit string) (values []float64) {
	for _, f := range all {
		if v, ok := f.Values[unit]; ok && f.Case == name && f.Impl == impl {
			values = append(values, v)
		}
	}
	return values
}

// Median is that of a case and implementation over all rounds; false: nothing was measured.
func (all All) Median(name, impl, unit string) (float64, bool) {
	return median(all.of(name, impl, unit))
}

// Ratio is the median, over the rounds, of what impl takes of what of takes.
func (all All) Ratio(name, impl, of, unit string) (float64, bool) {
	return ratio(all.of(name, impl, unit), all.of(name, of, unit))
}

// Growth is the same between two cases.
func (all All) Growth(name, of, impl, unit string) (float64, bool) {
	return ratio(all.of(name, impl, unit), all.of(of, impl, unit))
}

func ratio(a, b []float64) (float64, bool) {
	var ratios []float64
	for round := range min(len(a), len(b)) {
		if b[round] > 0 {
			ratios = append(ratios, a[round]/b[round])
		}
	}
	return median(ratios)
}

// Cell has how many times the wall time of convo against takes, and in brackets the same of the
// processor time: more than 1, and convo is the faster or cheaper one. It is empty if nothing was
// measured.
func (all All) Cell(name, against string) string {
	wall, ok := all.Ratio(name, against, "convo", Wall)
	if !ok {
		return ""
	}
	cpu, ok := all.Ratio(name, against, "convo", CPU)
	if !ok {
		return fmt.Sprintf("%.2f", wall)
	}
	return fmt.Sprintf("%.2f (%.2f)", wall, cpu)
}

func median(v []float64) (float64, bool) {
	if len(v) == 0 {
		return 0, false
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2], true
}

// File is where figures are kept as they come, for benchstat; without a name, nowhere.
type File struct{ f *os.File }

// Append opens a file, to write behind what it has.
func Append(name string) (*File, error) {
	if name == "" {
		return &File{}, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(f, "goos: %s\ngoarch: %s\nprocessors: %d\ngo: %s\n", runtime.GOOS,
		runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	return &File{f}, err
}

// Write appends a figure, at once.
func (f *File) Write(figure Figure) error {
	if f.f == nil {
		return nil
	}
	_, err := fmt.Fprintln(f.f, figure)
	return err
}

// Close closes the file.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}

var (
	measured = regexp.MustCompile(
		`(, )?\b\d+(\.\d+)?( ns| allocs| B| \(\d+\.\d+\)| : \d+\.\d)`)
	ratios = regexp.MustCompile(`\| \d+\.\d\d \|`)
	spaces = regexp.MustCompile(` *\| *`)
)

// Shape is a table without its figures: two of one shape differ in nothing but what was measured.
func Shape(table string) string {
	for range 2 { // neighbours share a bar
		table = ratios.ReplaceAllString(table, "||")
	}
	return spaces.ReplaceAllString(measured.ReplaceAllString(table, ""), "|")
}

// PerOp are the values of n operations which took that long, and so much time of processors.
func PerOp(n int64, took, client, server time.Duration) map[string]float64 {
	each := func(d time.Duration) float64 { return float64(d) / float64(n) }
	values := map[string]float64{Wall: each(took), CPU: each(client + server)}
	if server > 0 {
		values[Client], values[Server] = each(client), each(server)
	}
	return values
}
