package sqlstore

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is in a bucket comes back as a value that is less than 1/128 off, and that the histogram tells as it is.
func TestABucketStandsForItsMiddle(t *testing.T) {
	s := newSketch()
	check := func(v int64) {
		m := middle(bucket(v))
		require.LessOrEqual(t, max(v-m, m-v), v/128, "%d", v)
		require.Equal(t, bucket(v), bucket(m), "%d", v)
		s.Reset()
		s.Record(m)
		require.EqualValues(t, m, s.Quantile(.5), "%d", v)
	}
	for _, v := range []int64{0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 511, 512, 60_000_000, longest - 1, longest} {
		check(v)
	}
	require.EqualValues(t, lastBucket, bucket(longest))
	for range 10_000 {
		check(rand.Int64() >> rand.IntN(63) & longest)
	}
}

// What is added to a sketch bit by bit is what is added at once, and decodes to it.
func TestASketchKeepsEveryCount(t *testing.T) {
	want := map[int64]int64{}
	var all []int64
	var encoded []byte
	for round := range 50 {
		var values []int64
		for range rand.IntN(100) {
			v := rand.Int64() >> rand.IntN(63) & longest >> (round % 50) // few buckets with many, many with few
			values = append(values, v)
			want[bucket(v)]++
		}
		all = append(all, values...)
		var err error
		encoded, err = merged(encoded, values)
		require.NoError(t, err)
	}
	got := map[int64]int64{}
	require.NoError(t, decode(encoded, func(at, count int64) error {
		got[at] += count
		return nil
	}))
	require.Equal(t, want, got)
	atOnce, err := merged(nil, all)
	require.NoError(t, err)
	require.Equal(t, atOnce, encoded)
	for cut := range encoded { // what is cut off is damaged, or has less in it
		n := int64(0)
		if decode(encoded[:cut], func(_, count int64) error { n += count; return nil }) == nil {
			require.Less(t, n, int64(len(all)))
		}
	}
}
