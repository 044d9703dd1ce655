package sqlstore

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/stats"

	"github.com/chatlifecycle/convo/report"
)

// Whatever is in a bucket comes back as a value that is less than 1/128 off, and that the histogram
// tells as it is.
func TestABucketStandsForItsMiddle(t *testing.T) {
	s := newSketch()
	check := func(v int64) {
		m := middle(int64(bucket(v)))
		require.LessOrEqual(t, max(v-m, m-v), v/128, "%d", v)
		require.Equal(t, bucket(v), bucket(m), "%d", v)
		s.Reset()
		s.Record(m, 1)
		require.EqualValues(t, []float64{float64(m)}, s.Quantiles(.5), "%d", v)
	}
	for _, v := range []int64{
		0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 511, 512, 60_000_000, longest - 1, longest,
	} {
		check(v)
	}
	require.EqualValues(t, lastBucket, bucket(longest))
	for range 10_000 {
		check(rand.Int64() >> rand.IntN(63) & longest)
	}
}

// Of values that have a bucket each, quantiles are exactly those of the values.
func TestASketchOfFewInterpolates(t *testing.T) {
	s := newSketch()
	for n := range 60 {
		s.Reset()
		values := make([]float64, n+1)
		for i := range values {
			v := rand.Int64N(128)
			s.Record(v, 1)
			values[i] = float64(v)
		}
		parts := []float64{0, .1, .5, .9, .95, .99, 1}
		want := stats.Quantiles(values, parts...)
		require.InDeltaSlice(t, want, s.Quantiles(parts...), 1e-9, "%v", values)
	}
}

// Days whose durations come from the same sketch, one after the other, have nothing of each other.
func TestASketchHasNothingOfTheCellBefore(t *testing.T) {
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	c, err := report.NewCollector(report.Aggregation{
		Measures:   []report.Measure{report.FirstResponse},
		Boundaries: []time.Time{begin, begin.AddDate(0, 0, 1), begin.AddDate(0, 0, 2)},
		Quantiles:  true,
	}, func() report.Sketch { return newSketch() })
	require.NoError(t, err)
	const n = 1000
	for day, micros := range []int64{1e6, 7200e6} {
		c.Merge(report.FirstResponse, begin.AddDate(0, 0, day).UnixMicro(), "", report.Stat{
			Count: n, Sum: n * micros, Min: micros / 2, Max: 2 * micros,
		}, appendBucket(nil, int64(bucket(micros)), n))
	}
	cells, err := c.Aggregate()
	require.NoError(t, err)
	require.Len(t, cells, 2)
	for _, cell := range cells {
		sum := int64(0)
		for _, count := range cell.Stat.Bands {
			sum += count
		}
		require.EqualValues(t, n, sum)
		require.InEpsilon(t, cell.Stat.Max/2, cell.Stat.Median, .01)
		require.InEpsilon(t, cell.Stat.Max/2, cell.Stat.P99, .01)
	}
}

// A sketch that says that it has more than its row is damaged, and costs no more than the row says.
func TestADamagedSketchCostsNoMoreThanItsRow(t *testing.T) {
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, encoded := range [][]byte{nil, appendBucket(nil, 5, 1<<20)} {
		c, err := report.NewCollector(report.Aggregation{
			Measures:   []report.Measure{report.FirstResponse},
			Boundaries: []time.Time{begin, begin.AddDate(0, 0, 1)}, Quantiles: true,
		}, func() report.Sketch { return newSketch() })
		require.NoError(t, err)
		c.Merge(report.FirstResponse, begin.UnixMicro(), "", report.Stat{
			Count: 3, Sum: 18, Min: 6, Max: 6,
		}, encoded)
		cells, err := c.Aggregate()
		require.NoError(t, err)
		require.EqualValues(t, 6, cells[0].Stat.P99)
		require.LessOrEqual(t, cells[0].Stat.Bands[0], int64(3))
	}
}

// A cell of very many durations is told from a sketch, one of fewer exactly, and both with what is
// merged.
func TestVeryManyDurationsAreSketched(t *testing.T) {
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, n := range []int64{150, 400, 600, 100_000, 100_001, 300_000} {
		for _, merge := range []bool{false, true} {
			c, err := report.NewCollector(report.Aggregation{
				Measures:   []report.Measure{report.FirstResponse},
				Boundaries: []time.Time{begin, begin.AddDate(0, 0, 1)}, Quantiles: true,
			}, func() report.Sketch { return newSketch() })
			require.NoError(t, err)
			all := n
			for v := range n {
				v *= 100_000 // 0.1 s
				st := report.Stat{Count: 1, Sum: v, Min: v, Max: v}
				c.Add(report.FirstResponse, begin.UnixMicro(), "", st)
			}
			if merge { // as many again
				all *= 2
				buckets := make([]uint16, n)
				for i := range n {
					buckets[i] = bucket(i * 100_000)
				}
				encoded, err := appendMerged(nil, nil, buckets)
				require.NoError(t, err)
				st := report.Stat{Count: n, Sum: (n - 1) * n / 2 * 100_000, Min: 0,
					Max: (n - 1) * 100_000}
				c.Merge(report.FirstResponse, begin.UnixMicro(), "", st, encoded)
			}
			cells, err := c.Aggregate()
			require.NoError(t, err)
			require.Len(t, cells, 1)
			got := cells[0].Stat
			require.Equal(t, merge || n > 100_000, got.Approximate)
			require.Equal(t, all, got.Count)
			longest := float64((n - 1) * 100_000)
			for q, p := range map[float64]float64{.5: got.Median, .9: got.P90, .95: got.P95,
				.99: got.P99} {
				require.InEpsilon(t, q*longest, p, .01, "%d, %v", n, q)
			}
			sum := int64(0)
			for i, band := range got.Bands {
				if sum += band; i < len(report.BandLimits) {
					below := min(report.BandLimits[i].Seconds()*10, float64(n)) * float64(all/n)
					require.InEpsilon(t, below, float64(sum), .01)
				}
			}
			require.Equal(t, all, sum)
		}
	}
}

// What is added to a sketch bit by bit is what is added at once, and decodes to it.
func TestASketchKeepsEveryCount(t *testing.T) {
	want := map[int64]int64{}
	var all []uint16
	var encoded []byte
	for round := range 50 {
		var buckets []uint16
		for range rand.IntN(100) {
			// Few buckets with many values, many with few.
			v := rand.Int64() >> rand.IntN(63) & longest >> (round % 50)
			buckets = append(buckets, bucket(v))
			want[int64(bucket(v))]++
		}
		all = append(all, buckets...)
		var err error
		encoded, err = appendMerged(nil, encoded, buckets)
		require.NoError(t, err)
	}
	got := map[int64]int64{}
	r := sketchReader{rest: encoded}
	for r.next() {
		got[r.at] += r.count
	}
	require.False(t, r.damaged)
	require.Equal(t, want, got)
	atOnce, err := appendMerged(nil, nil, all)
	require.NoError(t, err)
	require.Equal(t, atOnce, encoded)
	for cut := range encoded { // what is cut off is damaged, or has less in it
		n := int64(0)
		r := sketchReader{rest: encoded[:cut]}
		for r.next() {
			n += r.count
		}
		require.True(t, r.damaged || n < int64(len(all)))
	}
}

// What a report of a year by day does with the sketches of each day, of so many durations.
func BenchmarkAYearOfSketches(b *testing.B) {
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	var days []time.Time
	for i := range 366 {
		days = append(days, begin.AddDate(0, 0, i))
	}
	for _, n := range []int64{100, 1_000, 3_000, 30_000} {
		buckets := make([]uint16, n)
		for i := range buckets {
			buckets[i] = bucket(60e6 + rand.Int64N(24*3600e6))
		}
		encoded, err := appendMerged(nil, nil, buckets)
		require.NoError(b, err)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				c, err := report.NewCollector(report.Aggregation{
					Measures:   []report.Measure{report.FirstResponse},
					Boundaries: days, Quantiles: true,
				}, func() report.Sketch { return newSketch() })
				require.NoError(b, err)
				for _, d := range days[:365] {
					c.Merge(report.FirstResponse, d.UnixMicro(), "",
						report.Stat{Count: n, Sum: 1, Max: longest}, encoded)
				}
				_, err = c.Aggregate()
				require.NoError(b, err)
			}
		})
	}
}
