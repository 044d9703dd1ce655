package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo/report"
)

// Count groups thousands.
func Count(n int64) string { return Number(float64(n)) }

// Number groups thousands.
func Number(v float64) string {
	text := strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u2009" + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return whole
}

// Bands are the names of report.BandLimits, and of the rest.
func Bands() []string {
	var names []string
	for _, limit := range report.BandLimits {
		long, _, _ := strings.Cut(Duration(float64(limit.Microseconds())), " 0") // 1m 0s
		names = append(names, "≤ "+long)
	}
	return append(names, "more")
}

// Duration is the two largest units of a duration, cut off below.
func Duration(micros float64) string {
	d := time.Duration(micros) * time.Microsecond
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return d.Truncate(time.Millisecond).String()
}
