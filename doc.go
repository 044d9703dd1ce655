// Package convo is the conversation lifecycle of a chat platform, to be embedded: open, pending, closed; at most one
// active conversation per contact; reopening, merging, closing notes, history, timers and measures. It is a pure state
// machine over a pluggable store.
//
// A host hands an [Engine] what happens: a message came in, an agent closed the chat, a workflow ran, two contacts
// turned out to be one person. It gets back one answer: which conversation this belongs to, what changed, and what the
// numbers are.
//
//	engine, err := convo.New(memstore.New())
//	susan := convo.ToAddress("acme", "whatsapp", "+4912345")
//	r, err := engine.Do(ctx, susan, convo.Receive{ExternalID: "wamid.1", Body: "My order arrived broken."})
//	// r.Outcome is "opened": a conversation, and susan with it, as she was not known before
//	r, err = engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana"), Summary: "Replaced defective item."})
//	d, _ := r.Conversation.Cycle.ResolutionTime()
//
// # How it is built
//
// The core decides, the store remembers, the engine carries between them. [Decide] is the state machine: no I/O, no
// clock, no randomness; the same thread, commands, policy and time give the same [Decision]. It only writes events, and
// [Apply] alone turns events into state, so the log and the state cannot tell two stories. A [Store] commits what was
// decided, all or nothing, if nobody else was faster; if somebody was, the engine loads and decides again.
//
// # What it promises
//
//   - A contact has at most one active conversation, however many webhooks, agents and timers race.
//   - A call writes all that it decides or nothing, and an error says that it was nothing (but for [ErrCommitUnknown]).
//   - A message with an external id, and a command with a key, is applied once, however often it is delivered.
//   - Closings are never overwritten: a reopening begins a new [Cycle], and the numbers of the old one stay.
//   - A merge loses no history: each conversation keeps whom it was opened for.
//   - Timers are data. No goroutine holds one; a restart loses none; what is overdue is done at the next [Engine.Tick].
//   - No measured duration is negative, whatever the clocks of the servers say.
//   - Nothing is visible across workspaces. Identifiers are compared byte for byte.
//
// # What it does not promise
//
//   - It sends nothing and receives nothing: channels, notices to visitors and translations are the host's.
//   - It does not check who may do what: an [Actor] is recorded, not authorised.
//   - Observers are told after the commit, in the process that made it, and only if that lives.
//   - [DecideMerge] cannot be undone. There is no deletion yet.
//   - A policy that changes takes hold with the next command on a conversation, its timer included.
//
// # The lifecycle
//
// What each command does in each state. States are those of the conversation that the command is for; superseded is
// closed while another conversation of the contact is active, which only a [Ref] to a conversation can meet. Where a
// cell has several ways, the policy or the input picks one.
//
//	open     none                              opened
//	         open                              unchanged
//	         pending                           resumed
//	         closed                            opened (open: new), reopened (open: reopen)
//	         superseded                        ErrActiveExists
//	receive  none                              opened
//	         open                              recorded
//	         pending                           resumed (unless stay_pending), recorded (stay_pending)
//	         closed                            opened (receive: new), reopened (receive: reopen), ErrClosed (receive: reject)
//	         superseded                        ErrActiveExists
//	send     none                              ErrNotActive
//	         open, pending                     recorded
//	         closed, superseded                ErrNotActive
//	note     none                              ErrNotFound
//	         open, pending, closed, superseded recorded
//	set_pending none                              ErrNotActive
//	         open                              pending
//	         pending                           pending (until changed), unchanged (until unchanged)
//	         closed, superseded                ErrNotActive
//	resume   none                              ErrNotActive
//	         open                              unchanged
//	         pending                           resumed
//	         closed, superseded                ErrNotActive
//	close    none                              ErrNotActive
//	         open, pending                     closed
//	         closed, superseded                ErrNotActive
//	reopen   none                              ErrNotFound
//	         open, pending                     unchanged
//	         closed                            reopened
//	         superseded                        ErrActiveExists
//	assign   none                              ErrNotActive
//	         open, pending                     assigned (assignee or team changed), unchanged (nothing changed)
//	         closed, superseded                ErrNotActive
//	amend_closing none                              ErrNotFound
//	         open, pending                     ErrNotClosed
//	         closed, superseded                amended (category or summary changed), unchanged (nothing changed)
//	block    none                              ErrNotFound
//	         open, pending, closed, superseded blocked (not blocked), unchanged (blocked)
//	unblock  none                              ErrNotFound
//	         open, pending, closed, superseded unblocked (blocked), unchanged (not blocked)
//	link_address none                              ErrNotFound
//	         open, pending, closed, superseded linked (address not linked), unchanged (address linked)
//
// # Concurrency
//
// Everything exported is safe for concurrent use, except that a value is its holder's own. Stores, engines and policies
// may be shared; a [Policy] must not be changed while an engine uses it.
//
// # Encodings
//
// Commands ([Commands]), events, policies, conversations and results are JSON in snake_case, times in RFC 3339, and
// read back as they were. Unknown commands and fields are refused.
package convo
