package main

import "testing"

// The comparisons of this program for benchstat: each beside its floor.
//
//	go test -run '^$' -bench . -count 10 ./bench | benchstat -col /by -

func BenchmarkFourTransitions(b *testing.B) {
	b.Run("by=convo", cycle)
	b.Run("by=hand", byHand)
	b.Run("by=looplab", byLooplab)
	b.Run("by=stateless", byStateless)
}

func BenchmarkMessage(b *testing.B) { b.Run("by=convo", message) }

func BenchmarkRefusal(b *testing.B) { b.Run("by=convo", refusal) }

func BenchmarkReceiveAndCloseInMemory(b *testing.B) {
	b.Run("by=convo", memory)
	b.Run("by=hand", memoryByHand)
}

func BenchmarkReceiveAndCloseInParallel(b *testing.B) { b.Run("by=convo", parallel) }
