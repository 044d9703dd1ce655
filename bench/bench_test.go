package main

import "testing"

// The comparisons of this program for benchstat: each beside its floor.
//
//	go test -run '^$' -bench . -count 10 ./bench | benchstat -col /impl -
func Benchmark(b *testing.B) {
	for _, w := range works {
		b.Run(w.name, func(b *testing.B) {
			for _, by := range w.by {
				b.Run("impl="+by.name, by.do)
			}
		})
	}
}
