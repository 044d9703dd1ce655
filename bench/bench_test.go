package main

import (
	"testing"

	"github.com/chatlifecycle/convo"
)

// The comparisons of this program for benchstat: each beside its floor.
//
//	go test -run '^$' -bench . -count 10 ./bench | benchstat -col /by -

func BenchmarkFourTransitions(b *testing.B) {
	b.Run("by=convo", cycle)
	b.Run("by=in-place", cycleInPlace)
	b.Run("by=hand", byHand)
	b.Run("by=hand-into-a-buffer", byHandIntoABuffer)
	b.Run("by=looplab", byLooplab)
	b.Run("by=stateless", byStateless)
}

func BenchmarkMessage(b *testing.B) {
	b.Run("by=convo", message)
	b.Run("by=in-place", messageInPlace(convo.Decider{}))
	b.Run("by=buffer", messageInPlace(convo.Decider{Reuse: true}))
}

func BenchmarkRefusal(b *testing.B) {
	b.Run("by=convo", refusal)
	b.Run("by=in-place", refusalInPlace)
}

func BenchmarkReceiveAndCloseInMemory(b *testing.B) {
	b.Run("by=convo", memory)
	b.Run("by=hand", memoryByHand)
}

func BenchmarkReceiveAndCloseInParallel(b *testing.B) { b.Run("by=convo", parallel) }
