package sqlstore

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// sketch is a histogram of durations in microseconds whose buckets are less than 1 % wide. It
// implements report.Sketch.
type sketch struct{ h *hdrhistogram.Histogram }

// longest is the longest duration that is distinguished from longer ones: 285 years, in
// microseconds.
const longest = 1<<53 - 1

func newSketch() sketch { return sketch{hdrhistogram.New(1, longest, 2)} }

func (s sketch) Reset() { s.h.Reset() }

func (s sketch) Record(value int64) {
	_ = s.h.RecordValue(min(value, longest)) // a longer one is its only error
}

// Quantile interpolates as R-7 does: among few values the next one may be far away.
func (s sketch) Quantile(q float64) float64 {
	n := s.h.TotalCount()
	at := q * float64(n-1)
	below, part := math.Modf(at)
	v := s.rank(below, n)
	if part > 0 {
		v += part * (s.rank(below+1, n) - v)
	}
	return v
}

// rank is the value that so many values are below. The library adds a half to what it is given, and
// truncates.
func (s sketch) rank(below float64, n int64) float64 {
	return float64(s.h.ValueAtPercentile(100 * (below + .75) / float64(n)))
}

// UpTo is how many values are at most so large.
func (s sketch) CountUpTo(value int64) (n int64) {
	for _, b := range s.h.Distribution() {
		if b.From > value {
			break
		}
		n += b.Count
	}
	return n
}

// bucket is the number of the bucket that a value is in, in encoded sketches: log-linear buckets of
// 7 significant bits. A bucket is represented by its midpoint, so the error is below 1/128. They
// are twice as wide as those of the histogram, which are represented by an end.
func bucket(value int64) uint16 {
	value = min(value, longest)
	shift := int64(max(0, bits.Len64(uint64(value))-7)) //nolint:gosec // durations are not negative
	return uint16(shift<<6 + value>>shift)              //nolint:gosec // up to lastBucket
}

// lastBucket is the one of longest.
const lastBucket = 46<<6 + 127

// middle is the value that represents a bucket: the last one of the histogram's bucket that is its
// lower half.
func middle(bucket int64) int64 {
	shift := max(0, bucket>>6-1)
	return (bucket-shift<<6)<<shift + max(1, int64(1)<<shift>>1) - 1
}

// appendMerged appends an encoded sketch with further durations added, whose buckets it sorts. Of
// each bucket that is not empty it has the distance to the bucket before, and its count. Both are
// mostly in one byte: the last two bits are the count less one, or, all set, say that the count
// comes next.
func appendMerged(to, encoded []byte, buckets []uint16) ([]byte, error) {
	sortBuckets(buckets)
	last := int64(0)
	add := func(at, count int64) {
		step := uint64((at-last)<<2 | min(count-1, countNext)) //nolint:gosec // they ascend
		to = binary.AppendUvarint(to, step)
		if count > countNext {
			to = binary.AppendUvarint(to, uint64(count)) //nolint:gosec // never negative
		}
		last = at
	}
	i := 0
	next := func(upTo int64) { // adds those of buckets below it
		for i < len(buckets) && int64(buckets[i]) < upTo {
			at, from := buckets[i], i
			for i < len(buckets) && buckets[i] == at {
				i++
			}
			add(int64(at), int64(i-from))
		}
	}
	err := decode(encoded, func(at, count int64) error {
		next(at)
		for i < len(buckets) && int64(buckets[i]) == at {
			count++
			i++
		}
		add(at, count)
		return nil
	})
	next(math.MaxInt64)
	return to, err
}

// sortBuckets counts, where there are many: comparing them would be most of what a rollup costs.
func sortBuckets(buckets []uint16) {
	if len(buckets) < 100 {
		slices.Sort(buckets)
		return
	}
	var counts [lastBucket + 1]uint32
	for _, b := range buckets {
		counts[b]++
	}
	i := 0
	for b, n := range counts {
		for range n {
			buckets[i] = uint16(b) //nolint:gosec // up to lastBucket
			i++
		}
	}
}

const countNext = 3

// decode yields the buckets of an encoded sketch in ascending order, and how many values each has.
// A damaged sketch is errDamaged.
func decode(encoded []byte, yield func(at, count int64) error) error {
	at := uint64(0)
	for len(encoded) > 0 {
		step, n := binary.Uvarint(encoded)
		if n <= 0 || step>>2 > lastBucket-at {
			return errDamaged
		}
		at, encoded = at+step>>2, encoded[n:]
		count := step&countNext + 1
		if count > countNext {
			if count, n = binary.Uvarint(encoded); n <= 0 || count > math.MaxInt64 {
				return errDamaged
			}
			encoded = encoded[n:]
		}
		if err := yield(int64(at), int64(count)); err != nil { //nolint:gosec // just checked
			return err
		}
	}
	return nil
}

// Merge adds an encoded sketch.
func (s sketch) Merge(encoded []byte) error {
	return decode(encoded, func(at, count int64) error {
		if s.h.RecordValues(middle(at), count) != nil {
			return errDamaged
		}
		return nil
	})
}
