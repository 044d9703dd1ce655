package sqlstore

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// sketch is a histogram of durations in microseconds whose buckets are less than 1 % wide. It implements report.Sketch.
type sketch struct{ h *hdrhistogram.Histogram }

// longest is the longest duration that is told apart from longer ones: 285 years.
const longest = 1<<53 - 1

func newSketch() sketch { return sketch{hdrhistogram.New(1, longest, 2)} }

func (s sketch) Reset() { s.h.Reset() }

func (s sketch) Record(value int64) { _ = s.h.RecordValue(min(value, longest)) } // that is its only error

// Quantile interpolates as R-7 does, for among few values the next one may be far away.
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

// rank is the value that so many are below: the library adds a half, and cuts off.
func (s sketch) rank(below float64, n int64) float64 {
	return float64(s.h.ValueAtPercentile(100 * (below + .75) / float64(n)))
}

// UpTo is how many values are at most so large.
func (s sketch) UpTo(value int64) (n int64) {
	for _, b := range s.h.Distribution() {
		if b.From > value {
			break
		}
		n += b.Count
	}
	return n
}

// encode is the sketch in few bytes: for each bucket that is not empty its distance from the one before, and its count.
func (s sketch) encode() []byte {
	var out []byte
	last := int64(0)
	for _, b := range s.h.Distribution() {
		if b.Count > 0 {
			out = binary.AppendUvarint(out, uint64(b.From-last)) //nolint:gosec // they ascend
			out = binary.AppendUvarint(out, uint64(b.Count))     //nolint:gosec // never negative
			last = b.From
		}
	}
	return out
}

var errSketch = errors.New("sqlstore: a sketch in the rollups is damaged: rebuild them (RebuildRollups)")

// Merge adds an encoded sketch.
func (s sketch) Merge(encoded []byte) error {
	at := int64(0)
	for len(encoded) > 0 {
		step, n := binary.Uvarint(encoded)
		if n <= 0 {
			return errSketch
		}
		count, m := binary.Uvarint(encoded[n:])
		if at += int64(step); m <= 0 || step > longest || count > math.MaxInt64 || at > longest { //nolint:gosec // just checked
			return errSketch
		}
		if err := s.h.RecordValues(at, int64(count)); err != nil { //nolint:gosec // just checked
			return errSketch
		}
		encoded = encoded[n+m:]
	}
	return nil
}
