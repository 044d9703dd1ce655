// Package convo is the conversation lifecycle of a chat platform, to be embedded: open, pending,
// closed; at most one active conversation per contact and lane; reopening, merging, closing notes,
// history, timers and measures. It is a pure state machine over a pluggable store.
//
// A host hands an [Engine] what happens: a message came in, an agent closed the chat, a workflow
// ran, two contacts turned out to be one person. It gets back one answer: which conversation this
// belongs to, what changed, and what the numbers are.
//
//	engine, err := convo.New(memstore.New())
//	susan := convo.ToAddress("acme", "whatsapp", "+4912345")
//	r, err := engine.Do(ctx, susan, convo.Receive{ExternalID: "wamid.1", Body: "It is broken."})
//	// r.Outcome is "opened": a conversation, and susan with it, as she was not known before
//	r, err = engine.Do(ctx, susan, convo.Close{By: convo.ByUser("ana"), Summary: "Replaced it."})
//	d, _ := r.Conversation.Cycle.ResolutionTime()
//
// # For hosts
//
// [New] makes an [Engine] on a store: package memstore, sqlstore or shardstore. [Engine.Do] takes a
// contact, an address or a conversation ([ToContact], [ToAddress], [ToConversation]) and any number
// of commands for it: [Receive], [Send], [Close] and the others of the table below.
// [Engine.DoFunc] decides on what it finds. [Engine.Merge] merges contacts, [Engine.Unmerge] undoes
// that. [Engine.Tick] does what is due, and [Engine.Run] ticks.
//
// Rules are a [Policy]: [InboxPolicy], [WorkflowPolicy] and [LiveChatPolicy] are ready made.
// [Engine.List] and [Engine.Counts] are an inbox, [Engine.Transcript] with [Messages] is a
// conversation on a screen. The reads that are paged have an iterator beside them, All….
//
// [Engine.With] is the same engine in the host's own transaction. A conflict, or a transaction that
// is lost, is the host's to retry then: it rolls back, begins again, and gives the policy with it,
// so that nothing is looked up while the transaction holds a connection.
//
// Errors: errors.Is with [ErrInvalid] (bad input, a [*ValidationError] that names the field), with
// the reasons of a [*StateError] such as [ErrNotActive], or with [ErrConflict] and the like. [Code]
// names each of them for metrics and clients.
//
// Reports are package report, events for other systems and jobs in the background package relay.
// The folder docs of the repository has a page for each task, beginning with an inbox.
//
// # What it promises
//
//   - A contact has at most one active conversation in each lane, and there is one lane unless the
//     host names others, however many webhooks, agents and timers race.
//   - A call writes all that it decides or nothing, and an error says that it was nothing (except
//     [ErrCommitUnknown]).
//   - A message with an external id, and a command with a key, is applied once, however often it is
//     delivered.
//   - Closings are never overwritten: a reopening begins a new [Cycle], and the numbers of the old
//     one stay.
//   - A merge loses no history: each conversation keeps the contact that it was opened for, and
//     [Engine.Unmerge] gives everybody back what they own.
//   - Timers are data. No goroutine holds one; a restart loses none; what is overdue is done at the
//     next [Engine.Tick].
//   - No measured duration is negative, whatever the clocks of the servers say.
//   - Nothing is visible across workspaces. Identifiers are compared byte for byte.
//
// # What it does not promise
//
//   - It sends nothing and receives nothing: channels, notices to visitors and translations are the
//     host's.
//   - It does not check who may do what: an [Actor] is recorded, not authorised.
//   - Observers are told after the commit, in the process that made it, and only if that lives.
//   - No message is removed by itself: [Engine.Prune] removes by age, [Engine.Erase] a person.
//   - A policy that changes takes hold with the next command on a conversation, its timer included,
//     or with [Engine.Rearm].
//
// # Words
//
//	workspace     the tenant; every key begins with it
//	contact       a person, named by the host's own id
//	root contact  a contact in its own right; merged contacts lead to one
//	address       a contact's identity on a channel, such as (whatsapp, +4912345)
//	channel       where a message travels: any token of the host's
//	lane          what keeps a contact's parallel conversations apart: see [Ref.In]
//	conversation  one interaction in one context
//	active        open or pending
//	superseded    closed, while another conversation of the contact is active in its lane
//	cycle         from an opening or reopening to the next closing, numbered from 1
//	event         one thing that happened, immutable; messages are events too
//	log           the events of a conversation, or of a contact itself, in order
//	actor         what did it: contact, user (a human agent), automation, system
//	source        through what a conversation was opened, reopened, resumed or closed
//	closing       category, summary, source, actor and time of a cycle's end
//	policy        the rules of a workspace, lane or channel, as plain data
//	snapshot      what a decision looks at: a contact and one of its conversations
//	change        the plan of rows that a decision writes
//	key           an idempotency key, or the external id of a message on its channel
//	timer         when a conversation changes by itself; its hint is never later than that
//
// # Concurrency
//
// Everything exported is safe for concurrent use, except that a value belongs to the goroutine that
// holds it. Stores, engines and policies may be shared; a [Policy] must not be changed while an
// engine uses it.
//
// # Encodings
//
// Commands ([Commands]), events, policies, conversations and results are JSON in snake_case, times
// in RFC 3339, and read back as they were. In commands and policies, fields that are unknown, come
// twice or are written in another case are refused; a policy that was saved by a later version is
// read by [ReadPolicy].
//
// # For authors of stores
//
// The core decides, the store remembers, the engine carries between them. [Decide] is the state
// machine: no I/O, no clock, no randomness; the same [Snapshot], commands, policy and time give the
// same [Decision]. It only writes events, and [Apply] alone turns events into state, so that log
// and state cannot disagree. A [Store] loads snapshots and commits a [Change], all or nothing, if
// nothing else was faster; else the engine loads and decides again. [EventRow], [Key], [KeyID],
// [DueConversation], [Filter], [EventFilter] and the roles [Locker] and [IdentityIndex] belong to
// this half. Package storetest proves a store.
//
// # The lifecycle
//
// What each command does in each state. States are those of the conversation that the command is
// for; only a [Ref] to a conversation meets superseded. Where a cell has several branches, the
// policy or the input picks one.
//
//	open
//	  none                               opened
//	  open                               unchanged
//	  pending                            resumed
//	  closed                             opened (open: new)
//	                                     reopened (open: reopen)
//	  superseded                         ErrActiveExists
//	receive
//	  none                               opened (unless quiet)
//	                                     recorded (quiet)
//	  open                               recorded
//	  pending                            resumed (unless it stays)
//	                                     recorded (it stays)
//	                                     recorded (quiet)
//	  closed                             opened (receive: new)
//	                                     reopened (receive: reopen)
//	                                     ErrClosed (receive: reject)
//	                                     recorded (quiet)
//	  superseded                         ErrActiveExists (unless quiet)
//	                                     recorded (quiet)
//	send
//	  none                               ErrNotActive (unless quiet)
//	                                     recorded (quiet)
//	  open, pending                      recorded
//	  closed, superseded                 ErrNotActive (unless quiet)
//	                                     recorded (quiet)
//	note
//	  none                               ErrNotFound
//	  open, pending, closed, superseded  recorded
//	edit
//	  none, open, pending, closed, superseded  edited (text changed)
//	                                     unchanged (same text, or taken back)
//	                                     ErrNotFound (no such message)
//	retract
//	  none, open, pending, closed, superseded  retracted (not taken back, or to redact)
//	                                     unchanged (taken back)
//	                                     ErrNotFound (no such message)
//	identify
//	  none, open, pending, closed, superseded  identified (another id)
//	                                     unchanged (it has this id)
//	                                     ErrNotFound (no such message)
//	set_pending
//	  none                               ErrNotActive
//	  open                               pending
//	  pending                            pending (until or on_receive changed)
//	                                     unchanged (neither changed)
//	  closed, superseded                 ErrNotActive
//	resume
//	  none                               ErrNotActive
//	  open                               unchanged
//	  pending                            resumed
//	  closed, superseded                 ErrNotActive
//	close
//	  none                               ErrNotActive
//	  open, pending                      closed
//	  closed, superseded                 ErrNotActive
//	reopen
//	  none                               ErrNotFound
//	  open, pending                      unchanged
//	  closed                             reopened
//	  superseded                         ErrActiveExists
//	assign
//	  none                               ErrNotActive
//	  open, pending, closed, superseded  assigned (assignee or team changed)
//	                                     unchanged (nothing changed)
//	amend_closing
//	  none                               ErrNotFound
//	  open, pending                      ErrNotClosed
//	  closed, superseded                 amended (category or summary changed)
//	                                     unchanged (nothing changed)
//	label
//	  none                               ErrNotFound
//	  open, pending, closed, superseded  labeled (labels changed)
//	                                     unchanged (nothing changed)
//	prioritize
//	  none                               ErrNotFound
//	  open, pending, closed, superseded  prioritized (priority changed)
//	                                     unchanged (nothing changed)
//	describe
//	  none                               ErrNotFound
//	  open, pending, closed, superseded  described (subject or attributes changed)
//	                                     unchanged (nothing changed)
//	set_profile
//	  none                               profiled (name or attributes changed)
//	                                     unchanged (nothing changed)
//	                                     ErrNotFound (contact not known)
//	  open, pending, closed, superseded  profiled (name or attributes changed)
//	                                     unchanged (nothing changed)
//	move
//	  none                               ErrNotFound
//	  open, pending                      moved (elsewhere)
//	                                     unchanged (it is there)
//	                                     ErrActiveExists (another one is active there)
//	  closed, superseded                 moved (elsewhere)
//	                                     unchanged (it is there)
//	rate
//	  none                               ErrNotFound
//	  open, pending, closed, superseded  rated (another rating)
//	                                     unchanged (the same)
//	block
//	  none                               blocked (not blocked)
//	                                     unchanged (blocked)
//	                                     ErrNotFound (contact not known)
//	  open, pending, closed, superseded  blocked (not blocked)
//	                                     unchanged (blocked)
//	unblock
//	  none                               unblocked (blocked)
//	                                     unchanged (not blocked)
//	                                     ErrNotFound (contact not known)
//	  open, pending, closed, superseded  unblocked (blocked)
//	                                     unchanged (not blocked)
//	link_address
//	  none                               linked (address not linked)
//	                                     unchanged (address linked)
//	                                     ErrNotFound (contact not known)
//	  open, pending, closed, superseded  linked (address not linked)
//	                                     unchanged (address linked)
//	unlink_address
//	  none                               unlinked (address linked)
//	                                     unchanged (address not linked)
//	                                     ErrNotFound (contact not known)
//	  open, pending, closed, superseded  unlinked (address linked)
//	                                     unchanged (address not linked)
package convo
