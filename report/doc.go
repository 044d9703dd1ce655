// Package report answers queries about conversations: how many were opened and closed, how long
// until a reply and until a closing, by user or channel, and how that compares with the period
// before.
//
//	r, err := report.Run(ctx, store, report.Query{
//		Kind: report.Resolutions, Workspace: "acme",
//		From: march, To: april, Zone: "Europe/Berlin", Bucket: report.Day, GroupBy: report.Closer,
//	})
//	fmt.Println(time.Duration(r.Total[report.Resolution].P90) * time.Microsecond)
//
// The same query has the same report on every store, and equals what a replay of the log gives. All
// durations are of one cycle, from an opening or reopening to the next closing, in microseconds,
// and belong to the period in which they ended: so a reopening never changes a number of the past.
// What each measure means is in [Report.Definitions].
//
// Counts, sums, minima and maxima are exact. Percentiles and bands are estimates (at most 1 % off,
// [Stat.Approximate]) when they come from rollups or from more than 100,000 durations.
//
// [Dashboard] counts what is active right now, [WriteCSV] and [WriteNDJSON] export cycles,
// [WriteTranscripts] exports events. Package workhours knows holidays. All of this
// package is safe for concurrent use where the store is, except a [Collector].
//
// [Measures] and [Dimensions] list what there is. Each is declared once, as data, and Collector,
// the SQL of stores ([Measure.SQL]) and rollups ([Measure.RollupTerms]) are made from that.
package report
