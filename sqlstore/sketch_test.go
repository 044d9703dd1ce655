package sqlstore

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The numbers of buckets are those of the histogram's own: whatever they are of, they come back as a value that it does not tell apart.
func TestABucketIsOneOfTheHistogram(t *testing.T) {
	h := newSketch().h
	for _, v := range []int64{0, 1, 127, 128, 255, 256, 257, 511, 512, 60_000_000, longest - 1, longest} {
		require.True(t, h.ValuesAreEquivalent(v, least(bucket(v))), "%d", v)
		require.LessOrEqual(t, least(bucket(v)), v)
	}
	require.EqualValues(t, lastBucket, bucket(longest))
	for range 100_000 {
		v := rand.Int64() >> rand.IntN(63) & longest
		require.True(t, h.ValuesAreEquivalent(v, least(bucket(v))), "%d", v)
		require.LessOrEqual(t, v-least(bucket(v)), v/128)
	}
}
