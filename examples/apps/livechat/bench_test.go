//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// cpu reports the processor time of each turn: others may work on the same machine.
func cpu(b *testing.B) (report func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// BenchmarkList renders a list of 100 rows of 514 open conversations, as it is done for each agent
// who looks at it when something changes.
func BenchmarkList(b *testing.B) {
	w := newWorld(b)
	ids := w.seed(514)
	a := &account{Name: "ana", Workspace: "kettles"}
	s := &server{engine: w.engine, now: w.clock.Now}
	q := listQuery{Status: convo.StatusOpen, Order: byActivity}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		part, err := s.listOf(b.Context(), a, q, ids[0])
		require.NoError(b, err)
		var out strings.Builder
		require.NoError(b, pages.ExecuteTemplate(&out, "list", part))
		b.ReportMetric(float64(out.Len()), "bytes/list")
	}
}

// BenchmarkThread renders what a change brings to an open thread of 500 lines: one more.
func BenchmarkThread(b *testing.B) {
	w := newWorld(b)
	id := w.seed(1)[0]
	to := convo.ToConversation("kettles", id)
	for range shown {
		_, err := w.engine.Do(b.Context(), to, convo.Receive{Channel: channel, Body: "And more."})
		require.NoError(b, err)
	}
	c, err := w.engine.Conversation(b.Context(), to)
	require.NoError(b, err)
	s := &server{engine: w.engine, now: w.clock.Now}
	a := &account{Name: "ana", Workspace: "kettles"}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		t, err := s.threadOf(b.Context(), a, c, threadAsked{after: c.Version - 1})
		require.NoError(b, err)
		var out strings.Builder
		require.NoError(b, pages.ExecuteTemplate(&out, "thread", t))
		b.ReportMetric(float64(out.Len()), "bytes/thread")
	}
}
