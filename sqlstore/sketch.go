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

func (s sketch) Record(value, times int64) {
	_ = s.h.RecordValues(min(value, longest), times) // a longer one is its only error
}

// Quantiles interpolates as R-7 does: among few values the next one may be far away. It asks for
// all of them at once, for each question goes through the whole histogram.
func (s sketch) Quantiles(parts ...float64) []float64 {
	n := float64(s.h.TotalCount())
	percentiles := make([]float64, 0, 2*len(parts))
	for _, q := range parts {
		below := math.Floor(q * (n - 1))
		// The value that so many are below. The library adds a half to the rank, and truncates.
		percentiles = append(percentiles, 100*(below+.75)/n, 100*(below+1.75)/n)
	}
	ranks := s.h.ValueAtPercentilesSlice(percentiles)
	of := make([]float64, len(parts))
	for i, q := range parts {
		_, part := math.Modf(q * (n - 1))
		below, above := float64(ranks[2*i]), float64(ranks[2*i+1])
		of[i] = below + part*(above-below)
	}
	return of
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
	r := sketchReader{rest: encoded}
	there, last := r.next(), int64(0)
	for i := 0; i < len(buckets); {
		at, count := int64(buckets[i]), int64(0)
		if there && r.at <= at {
			at, count = r.at, r.count
			there = r.next()
		}
		for i < len(buckets) && int64(buckets[i]) == at {
			count++
			i++
		}
		to, last = appendBucket(to, at-last, count), at
	}
	if there { // what is left stays as it is
		to = append(appendBucket(to, r.at-last, r.count), r.rest...)
	}
	if r.damaged {
		return to, errDamaged
	}
	return to, nil
}

func appendBucket(to []byte, step, count int64) []byte {
	//nolint:gosec // they ascend
	to = binary.AppendUvarint(to, uint64(step<<2|min(count-1, countNext)))
	if count > countNext {
		to = binary.AppendUvarint(to, uint64(count)) //nolint:gosec // never negative
	}
	return to
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

// sketchReader goes through the buckets of an encoded sketch in ascending order.
type sketchReader struct {
	rest      []byte
	at, count int64 // the bucket, and how many values it has
	damaged   bool
}

// next reports whether there is another bucket.
func (r *sketchReader) next() bool {
	if len(r.rest) == 0 {
		return false
	}
	step, n := binary.Uvarint(r.rest)
	if n <= 0 || step>>2 > uint64(lastBucket-r.at) { //nolint:gosec // it is up to lastBucket
		r.damaged = true
		return false
	}
	r.rest = r.rest[n:]
	r.at += int64(step >> 2)            //nolint:gosec // just checked
	r.count = int64(step&countNext) + 1 //nolint:gosec // two bits
	if r.count > countNext {
		count, n := binary.Uvarint(r.rest)
		if n <= 0 || count > math.MaxInt64 {
			r.damaged = true
			return false
		}
		r.rest, r.count = r.rest[n:], int64(count) //nolint:gosec // just checked
	}
	return true
}

// Decode fails with errDamaged.
func (s sketch) Decode(encoded []byte, yield func(value, times int64)) error {
	r := sketchReader{rest: encoded}
	for r.next() {
		yield(middle(r.at), r.count)
	}
	if r.damaged {
		return errDamaged
	}
	return nil
}
