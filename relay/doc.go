// Package relay brings events out of a store: exactly those that were committed, each at least
// once, and those of one conversation in their order.
//
// A store with an outbox (an option of memstore and sqlstore) writes, in the same commit as its
// events, that there are some, also in a transaction of the host. A [Relay] takes that note, puts
// it into the queue of each [Target] of the workspace, reads the events from the log, and hands
// them to the target's [Publisher]:
//
//	commit ──▶ outbox ──Queue──▶ a queue for each target ──Claim──▶ Publish ──Settle──▶ gone
//	                                      ▲                           │ error
//	                                      └────── back-off ◀──────────┤
//	                                              dead letter ◀───────┘ after the last try
//
// No event is skipped because of the order of commits: a relay removes the notes that it has seen,
// rather than remember how far it has come. Any number of relays, in any number of processes, share
// the work. What a relay has in hand is leased to it; when it dies, the lease expires, and another
// one takes over. So an event may come twice, after a crash or when a publisher takes longer than
// the lease; its ID stays the same, and a receiver tells it by that.
//
// The outbox has no text of its own: what is redacted or erased before it was sent goes out without
// its text, and so does what is a dead letter.
//
// A store may also keep a feed of each workspace, which relays fill: a [Feed] brings it to whoever
// follows a workspace in this process, resumable by a [Cursor].
//
// A target that fails holds up only its own queue, and of that only the conversation that fails.
//
// A [Runner] runs what a host needs in the background, a relay and the rest, until its context
// ends:
//
//	runner := relay.Runner{Grace: 10 * time.Second, Logger: slog.Default(), Jobs: []relay.Job{
//		relay.TickJob(engine), r.Job(), relay.RollupJob(store, time.Minute),
//	}}
//	err := runner.Run(ctx)
package relay
