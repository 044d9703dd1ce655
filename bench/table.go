package main

import (
	"fmt"
	"strings"

	"github.com/chatlifecycle/convo/bench/internal/figure"
)

// bytesKept is measured beside the works.
const (
	bytesKept = "BytesPerClosedConversation"
	bytesEach = "B/op"
)

// rows are those of the table: what a work is called there, who does it and, beside it, against
// whom.
var rows = []struct{ what, work, impl, against, by string }{
	{"four transitions, decided, recorded, measured", "FourTransitions", "convo",
		"a switch by hand, by value", "hand"},
	{"", "FourTransitions", "convo", "looplab/fsm, which records nothing", "looplab"},
	{"", "FourTransitions", "convo", "qmuntal/stateless, which records nothing", "stateless"},
	{"the same, in place into a buffer", "FourTransitions", "in-place",
		"a switch by hand, by value into a buffer", "hand-into-a-buffer"},
	{"", "FourTransitions", "in-place", "looplab/fsm, which records nothing", "looplab"},
	{"", "FourTransitions", "in-place", "qmuntal/stateless, which records nothing", "stateless"},
	{"a message into an open conversation", "Message", "convo", "", ""},
	{"the same, in place", "Message", "in-place", "", ""},
	{"the same, in place into a buffer", "Message", "buffer", "", ""},
	{"a refusal", "Refusal", "convo", "", ""},
	{"the same, in place", "Refusal", "in-place", "", ""},
	{"receive + close through the Engine, in memory", "ReceiveAndCloseInMemory", "convo",
		"a typed store by hand", "hand"},
	{"the same from all processors at once", "ReceiveAndCloseInParallel", "convo",
		"with one processor", "one-processor"},
	{"bytes per closed conversation", bytesKept, "convo", "a typed store by hand", "hand"},
}

// table is that of docs/performance.md. Its ratios are how many times the time of the other one
// convo takes, and in brackets the same of the processor time.
func table(all figure.All) string {
	var b strings.Builder
	b.WriteString("| what | convo | against | convo ÷ that |\n|---|---|---|--:|\n")
	for _, r := range rows {
		ratio := ""
		if r.work == bytesKept {
			if v, ok := all.Ratio(r.work, r.impl, r.by, bytesEach); ok {
				ratio = fmt.Sprintf("%.2f", v)
			}
		} else if v, ok := all.Ratio(r.work, r.impl, r.by, figure.Wall); ok {
			cpu, _ := all.Ratio(r.work, r.impl, r.by, figure.CPU)
			ratio = fmt.Sprintf("%.2f (%.2f)", v, cpu)
		}
		against := r.against
		if it := figures(all, r.work, r.by, false); it != "" {
			against += ", " + it
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.what, figures(all, r.work, r.impl, true),
			against, ratio)
	}
	return b.String()
}

// figures are the medians of an implementation.
func figures(all figure.All, work, impl string, allocs bool) string {
	if v, ok := all.Median(work, impl, bytesEach); ok {
		return fmt.Sprintf("%.0f B", v)
	}
	v, ok := all.Median(work, impl, figure.Wall)
	if !ok {
		return ""
	}
	s := fmt.Sprintf("%.0f ns", v)
	if n, ok := all.Median(work, impl, figure.Allocs); ok && allocs {
		s += fmt.Sprintf(", %.0f allocs", n)
	}
	return s
}
