package convo

import (
	"fmt"
	"slices"
	"strings"
)

// State is what a command meets: the status of the snapshot's conversation, or that there is none,
// or that it is closed while another conversation of the contact is active.
type State string

// The states, in the order of the transition table.
const (
	StateNone       State = "none"
	StateOpen       State = "open"
	StatePending    State = "pending"
	StateClosed     State = "closed"
	StateSuperseded State = "superseded"
)

// Outcome is what a command did.
type Outcome string

// The outcomes of commands that are not refused.
const (
	OutcomeUnchanged Outcome = "unchanged" // nothing to do, and nothing written
	OutcomeOpened    Outcome = "opened"    // a new conversation
	OutcomeReopened  Outcome = "reopened"  // a new cycle of the same one
	OutcomeResumed   Outcome = "resumed"
	OutcomePending   Outcome = "pending"
	OutcomeClosed    Outcome = "closed"
	OutcomeRecorded  Outcome = "recorded" // a message or note, and nothing else
	OutcomeEdited    Outcome = "edited"
	OutcomeRetracted Outcome = "retracted"
	// OutcomeIdentified: a message has an external id by now.
	OutcomeIdentified Outcome = "identified"
	OutcomeAssigned   Outcome = "assigned"
	OutcomeAmended    Outcome = "amended"
	OutcomeLabeled    Outcome = "labeled"
	// OutcomePrioritized: it has another priority.
	OutcomePrioritized Outcome = "prioritized"
	OutcomeDescribed   Outcome = "described"
	// OutcomeProfiled: the contact has another profile.
	OutcomeProfiled  Outcome = "profiled"
	OutcomeMoved     Outcome = "moved"
	OutcomeRated     Outcome = "rated"
	OutcomeReminded  Outcome = "reminded" // a deadline passed, and nothing else came of it
	OutcomeBlocked   Outcome = "blocked"
	OutcomeUnblocked Outcome = "unblocked"
	OutcomeLinked    Outcome = "linked"
	OutcomeUnlinked  Outcome = "unlinked"
	OutcomeMerged    Outcome = "merged"
	OutcomeUnmerged  Outcome = "unmerged"
	OutcomeErased    Outcome = "erased"
	// OutcomeDuplicate: the engine found that all was applied before; nothing was written now.
	OutcomeDuplicate Outcome = "duplicate"
)

// Transition is one way that a command can go in one state.
type Transition struct {
	Command CommandName `json:"command"`
	State   State       `json:"state"`
	// When says which policy or input picks this way, where there are several. Empty: always, or
	// the default.
	When    string  `json:"when,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"` // empty: refused
	// Err is why it is refused, and Refusal is its name.
	Err     error  `json:"-"`
	Refusal string `json:"refusal,omitempty"`
	Next    State  `json:"next"`
}

// commandKind is the row of a command in the table.
type commandKind uint8

const (
	kindOpen commandKind = iota
	kindReceive
	kindSend
	kindNote
	kindEdit
	kindRetract
	kindIdentify
	kindSetPending
	kindResume
	kindClose
	kindReopen
	kindAssign
	kindAmendClosing
	kindLabel
	kindPrioritize
	kindDescribe
	kindSetProfile
	kindMove
	kindRate
	kindBlock
	kindUnblock
	kindLinkAddress
	kindUnlinkAddress
	commandKinds
)

// stateIndex is the column of a state in the table.
type stateIndex uint8

const (
	stateNone stateIndex = iota
	stateOpen
	statePending
	stateClosed
	stateSuperseded
	stateCount
)

var states = [stateCount]State{StateNone, StateOpen, StatePending, StateClosed, StateSuperseded}

func (k commandKind) name() CommandName { return table[k].name }

// action is what a cell of the table says to do.
type action uint8

const (
	notFound action = iota
	notActive
	notClosed
	activeExists
	rejects
	unchanged
	opens
	reopens
	resumes
	pends
	closes
	records
	edits
	retracts
	identifies
	assigns
	amends
	labels
	prioritizes
	describes
	profiles
	moves
	rates
	blocks
	unblocks
	links
	unlinks
)

// actions says what each action amounts to: an error, or an outcome and the state after it (empty:
// the same).
var actions = [...]struct {
	err     error
	refusal string
	outcome Outcome
	next    State
}{
	notFound:     {err: ErrNotFound, refusal: "ErrNotFound"},
	notActive:    {err: ErrNotActive, refusal: "ErrNotActive"},
	notClosed:    {err: ErrNotClosed, refusal: "ErrNotClosed"},
	activeExists: {err: ErrActiveExists, refusal: "ErrActiveExists"},
	rejects:      {err: ErrClosed, refusal: "ErrClosed"},
	unchanged:    {outcome: OutcomeUnchanged},
	opens:        {outcome: OutcomeOpened, next: StateOpen},
	reopens:      {outcome: OutcomeReopened, next: StateOpen},
	resumes:      {outcome: OutcomeResumed, next: StateOpen},
	pends:        {outcome: OutcomePending, next: StatePending},
	closes:       {outcome: OutcomeClosed, next: StateClosed},
	records:      {outcome: OutcomeRecorded},
	edits:        {outcome: OutcomeEdited},
	retracts:     {outcome: OutcomeRetracted},
	identifies:   {outcome: OutcomeIdentified},
	assigns:      {outcome: OutcomeAssigned},
	amends:       {outcome: OutcomeAmended},
	labels:       {outcome: OutcomeLabeled},
	prioritizes:  {outcome: OutcomePrioritized},
	describes:    {outcome: OutcomeDescribed},
	profiles:     {outcome: OutcomeProfiled},
	moves:        {outcome: OutcomeMoved},
	rates:        {outcome: OutcomeRated},
	blocks:       {outcome: OutcomeBlocked},
	unblocks:     {outcome: OutcomeUnblocked},
	links:        {outcome: OutcomeLinked},
	unlinks:      {outcome: OutcomeUnlinked},
}

// branch is one action of a cell, and what picks it among the others.
type branch struct {
	action action
	when   string
}

// cells are the branches of a command, by state.
type cells [stateCount][]branch

// always is a cell with one branch.
func always(m action) []branch { return []branch{{action: m}} }

// onlyActive are the cells of a command that needs an active conversation.
func onlyActive(open, pending []branch) cells {
	no := always(notActive)
	return cells{no, open, pending, no, no}
}

// anyStatus are the cells of a command that only needs something to be about.
func anyStatus(b []branch) cells { return cells{always(notFound), b, b, b, b} }

// ofContact are the cells of a command about a contact, which may be known without a conversation.
func ofContact(b []branch) cells {
	return cells{append(b, branch{notFound, "contact not known"}), b, b, b, b}
}

// row is what there is to say of a command.
type row struct {
	name   CommandName
	decode func(json []byte) (Command, error)
	cells  cells
	// refusedWhenBlocked: blocking a contact refuses what would open or message, and an edit or a
	// rating of the contact. What the contact writes is kept quietly where the policy says so.
	refusedWhenBlocked bool
}

// table is the lifecycle, a row for each command. Where a cell has several branches, [chooseAction]
// picks one.
var table = [commandKinds]row{
	kindOpen: {name: CommandOpen, decode: decode[Open], refusedWhenBlocked: true,
		cells: cells{
			always(opens), always(unchanged), always(resumes),
			{{opens, "open: new"}, {reopens, "open: reopen"}},
			always(activeExists),
		}},
	kindReceive: {name: CommandReceive, decode: decode[Receive], refusedWhenBlocked: true,
		cells: cells{
			{{opens, "unless quiet"}, quietly}, always(records),
			{{resumes, "unless it stays"}, {records, "it stays"}, quietly},
			{{opens, "receive: new"}, {reopens, "receive: reopen"}, {rejects, "receive: reject"},
				quietly},
			{{activeExists, "unless quiet"}, quietly},
		}},
	kindSend: {name: CommandSend, decode: decode[Send], refusedWhenBlocked: true,
		cells: cells{
			{{notActive, "unless quiet"}, quietly}, always(records), always(records),
			{{notActive, "unless quiet"}, quietly}, {{notActive, "unless quiet"}, quietly},
		}},
	kindNote: {name: CommandNote, decode: decode[Note],
		cells: anyStatus(always(records))},
	kindEdit: {name: CommandEdit, decode: decode[Edit], refusedWhenBlocked: true,
		cells: cells{editing, editing, editing, editing, editing}},
	kindRetract: {name: CommandRetract, decode: decode[Retract],
		cells: cells{retracting, retracting, retracting, retracting, retracting}},
	kindIdentify: {name: CommandIdentify, decode: decode[Identify],
		cells: cells{identifying, identifying, identifying, identifying, identifying}},
	kindSetPending: {name: CommandSetPending, decode: decode[SetPending],
		cells: onlyActive(always(pends),
			[]branch{{pends, "until or on_receive changed"}, {unchanged, "neither changed"}})},
	kindResume: {name: CommandResume, decode: decode[Resume],
		cells: onlyActive(always(unchanged), always(resumes))},
	kindClose: {name: CommandClose, decode: decode[Close],
		cells: onlyActive(always(closes), always(closes))},
	kindReopen: {name: CommandReopen, decode: decode[Reopen], refusedWhenBlocked: true,
		cells: cells{
			always(notFound), always(unchanged), always(unchanged), always(reopens),
			always(activeExists),
		}},
	kindAssign: {name: CommandAssign, decode: decode[Assign],
		cells: cells{always(notActive), assigning, assigning, assigning, assigning}},
	kindAmendClosing: {name: CommandAmendClosing, decode: decode[AmendClosing],
		cells: cells{always(notFound), always(notClosed), always(notClosed), amending, amending}},
	kindLabel: {name: CommandLabel, decode: decode[Label],
		cells: anyStatus([]branch{{labels, "labels changed"}, {unchanged, "nothing changed"}})},
	kindPrioritize: {name: CommandPrioritize, decode: decode[Prioritize],
		cells: anyStatus([]branch{
			{prioritizes, "priority changed"}, {unchanged, "nothing changed"},
		})},
	kindDescribe: {name: CommandDescribe, decode: decode[Describe],
		cells: anyStatus([]branch{
			{describes, "subject or attributes changed"}, {unchanged, "nothing changed"},
		})},
	kindSetProfile: {name: CommandSetProfile, decode: decode[SetProfile],
		cells: ofContact([]branch{
			{profiles, "name or attributes changed"}, {unchanged, "nothing changed"},
		})},
	kindMove: {name: CommandMove, decode: decode[Move],
		cells: cells{always(notFound), moving, moving, movingClosed, movingClosed}},
	kindRate: {name: CommandRate, decode: decode[Rate], refusedWhenBlocked: true,
		cells: anyStatus([]branch{{rates, "another rating"}, {unchanged, "the same"}})},
	kindBlock: {name: CommandBlock, decode: decode[Block],
		cells: ofContact([]branch{{blocks, "not blocked"}, {unchanged, "blocked"}})},
	kindUnblock: {name: CommandUnblock, decode: decode[Unblock],
		cells: ofContact([]branch{{unblocks, "blocked"}, {unchanged, "not blocked"}})},
	kindLinkAddress: {name: CommandLinkAddress, decode: decode[LinkAddress],
		cells: ofContact([]branch{{links, "address not linked"}, {unchanged, "address linked"}})},
	kindUnlinkAddress: {name: CommandUnlinkAddress, decode: decode[UnlinkAddress],
		cells: ofContact([]branch{{unlinks, "address linked"}, {unchanged, "address not linked"}})},
}

// quietly is the branch of a message that changes nothing but the log.
var quietly = branch{records, "quiet"}

var (
	editing = []branch{
		{edits, "text changed"}, {unchanged, "same text, or taken back"},
		{notFound, "no such message"},
	}
	identifying = []branch{
		{identifies, "another id"}, {unchanged, "it has this id"}, {notFound, "no such message"},
	}
	retracting = []branch{
		{retracts, "not taken back, or to redact"}, {unchanged, "taken back"},
		{notFound, "no such message"},
	}
	moving = []branch{
		{moves, "elsewhere"}, {unchanged, "it is there"},
		{activeExists, "another one is active there"},
	}
	movingClosed = []branch{{moves, "elsewhere"}, {unchanged, "it is there"}}
	assigning    = []branch{{assigns, "assignee or team changed"}, {unchanged, "nothing changed"}}
	amending     = []branch{{amends, "category or summary changed"}, {unchanged, "nothing changed"}}
)

// Transitions is the lifecycle as data: every command in every state, with every branch.
func Transitions() []Transition {
	var out []Transition
	for kind := range table {
		for state, branches := range table[kind].cells {
			for _, b := range branches {
				a := actions[b.action]
				next := a.next
				if next == "" {
					next = states[state]
				}
				out = append(out, Transition{
					Command: table[kind].name, State: states[state], When: b.when,
					Outcome: a.outcome, Err: a.err, Refusal: a.refusal, Next: next,
				})
			}
		}
	}
	return out
}

// String says what comes of the command, and when.
func (t Transition) String() string {
	s := string(t.Outcome) + t.Refusal // one of them is empty
	if t.When != "" {
		s += " (" + t.When + ")"
	}
	return s
}

// TransitionTable is the lifecycle as a Markdown table, made from [Transitions]: one row per
// command, one column per state.
func TransitionTable() string {
	var b strings.Builder
	b.WriteString("| command |")
	for _, s := range states {
		b.WriteString(" " + string(s) + " |")
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(states)+1))
	all := Transitions()
	for kind := range table {
		name := table[kind].name
		fmt.Fprintf(&b, "\n| **%s** |", name)
		for _, s := range states {
			var branches []string
			for _, t := range all {
				if t.Command == name && t.State == s {
					branches = append(branches, t.String())
				}
			}
			b.WriteString(" " + strings.Join(branches, "; ") + " |")
		}
	}
	return b.String() + "\n"
}

// StateDiagram is the life of one conversation as a Mermaid state diagram, made from [Transitions].
// A new conversation begins at the start, also where the contact's one before stays closed.
func StateDiagram() string {
	type edge struct{ from, to State }
	labels := map[edge][]string{}
	for _, t := range Transitions() {
		if t.Err != nil || t.Outcome == OutcomeUnchanged || t.State == StateSuperseded ||
			t.Next == StateNone {
			continue
		}
		e := edge{t.State, t.Next}
		if t.Outcome == OutcomeOpened {
			e.from = StateNone
		}
		switch t.Command {
		case CommandSetProfile, CommandBlock, CommandUnblock, CommandLinkAddress,
			CommandUnlinkAddress:
			continue
		}
		if l := string(t.Command); !slices.Contains(labels[e], l) {
			labels[e] = append(labels[e], l)
		}
	}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, from := range states {
		for _, to := range states {
			if l := labels[edge{from, to}]; l != nil {
				name := string(from)
				if from == StateNone {
					name = "[*]"
				}
				fmt.Fprintf(&b, "    %s --> %s: %s\n", name, to, strings.Join(l, ", "))
			}
		}
	}
	b.WriteString("    pending --> open: timer (wake, deadline)\n" +
		"    open --> pending: timer (deadline)\n" +
		"    open --> closed: timer (inactivity, deadline)\n" +
		"    pending --> closed: timer (deadline)\n")
	return b.String()
}
