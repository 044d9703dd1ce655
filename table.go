package convo

import (
	"fmt"
	"slices"
	"strings"
)

// String is the way in words: what comes of the command, and when.
func (t Transition) String() string {
	s := string(t.Outcome) + t.Refusal // one of them is empty
	if t.When != "" {
		s += " (" + t.When + ")"
	}
	return s
}

// TransitionTable is the lifecycle as a Markdown table, made from [Transitions]: a row a command, a column a state.
func TransitionTable() string {
	var b strings.Builder
	b.WriteString("| command |")
	for _, s := range states {
		b.WriteString(" " + string(s) + " |")
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(states)+1))
	all := Transitions()
	for r := range commandKinds {
		name := r.name()
		fmt.Fprintf(&b, "\n| **%s** |", name)
		for _, s := range states {
			var ways []string
			for _, t := range all {
				if t.Command == name && t.State == s {
					ways = append(ways, t.String())
				}
			}
			b.WriteString(" " + strings.Join(ways, "; ") + " |")
		}
	}
	return b.String() + "\n"
}

// StateDiagram is the life of one conversation as a Mermaid state diagram, made from [Transitions]. A new conversation
// begins at the start, also where the contact's one before stays closed.
func StateDiagram() string {
	type edge struct{ from, to State }
	labels := map[edge][]string{}
	for _, t := range Transitions() {
		if t.Err != nil || t.Outcome == OutcomeUnchanged || t.State == StateSuperseded {
			continue
		}
		e := edge{t.State, t.Next}
		if t.Outcome == OutcomeOpened {
			e.from = StateNone
		}
		switch t.Command {
		case CommandBlock, CommandUnblock, CommandLinkAddress: // of the contact
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
	b.WriteString("    pending --> open: timer (wake)\n    open --> closed: timer (inactivity)\n")
	return b.String()
}
