// Package report answers questions about conversations: how many were opened and closed, how long until a reply and until a closing,
// by whom, on which channel, and how that compares with the period before.
//
//	r, err := report.Run(ctx, store, report.Query{
//		Kind: report.Resolutions, Workspace: "acme",
//		From: march, To: april, Zone: "Europe/Berlin", Bucket: report.Day, GroupBy: report.Closer,
//	})
//	fmt.Println(time.Duration(r.Total[report.Resolution].P90) * time.Microsecond)
//
// The same question has the same answer on every store, and equals what a replay of the log gives. All durations are of one cycle,
// from an opening or reopening to the next closing, and belong to the period in which they ended: so a reopening never changes a
// number of the past. What each measure means is in the answer, as [Answer.Definitions].
//
// Everything is exact, but for percentiles and bands in a database that are from rollups, or of more than 100,000 durations: they
// are at most 1 % off, and say so. All of this package is safe for concurrent use where the store is. [Dashboard] tells how things
// stand right now, [WriteCSV] and [WriteNDJSON] export cycles, [WriteTranscripts] exports what was said. Package workhours measures
// in working time.
package report
