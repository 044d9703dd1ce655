package eventlog

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Tally says what became of the rows, each counted once, and how many events of each kind they led
// to.
type Tally struct {
	Rows            int `json:"rows"`
	Applied         int `json:"applied"`
	Unchanged       int `json:"unchanged"`        // they said what was so already
	IgnoredClosings int `json:"ignored_closings"` // the case was closed already
	Repeated        int `json:"repeated"`         // applied by an earlier import

	Cases  int                     `json:"cases"`
	Events map[convo.EventKind]int `json:"events"`
	// Unmapped counts the activities that the mapping does not name, which became notes.
	Unmapped map[string]int `json:"unmapped"`
}

// Import brings rows into a workspace, case by case, each in the order of time, with the times of
// the log. It calls progress after each row. Importing the same log again, or a longer version of
// it, adds only what is new.
func Import(ctx context.Context, engine *convo.Engine, workspace string, rows []Row,
	progress func()) (Tally, error) {
	cases := byCase(rows)
	t := Tally{Rows: len(rows), Cases: len(cases), Events: map[convo.EventKind]int{},
		Unmapped: map[string]int{}}
	for _, rows := range cases {
		var status convo.Status // none before the first activity
		for i, r := range rows {
			commands := r.commands(status, r.key(i))
			progress()
			if !r.mapped {
				t.Unmapped[r.activity]++
			}
			if len(commands) == 0 {
				t.IgnoredClosings++
				continue
			}
			result, err := engine.Do(ctx, convo.ToContact(workspace, r.caseID), commands...)
			if err != nil {
				return t, fmt.Errorf("line %d: case %s: %w", r.line, r.caseID, err)
			}
			t.count(result)
			status = r.next()
		}
	}
	return t, nil
}

func (t *Tally) count(result convo.Result) {
	switch result.Outcome {
	case convo.OutcomeUnchanged:
		t.Unchanged++
	case convo.OutcomeDuplicate:
		t.Repeated++
	default:
		t.Applied++
	}
	for _, e := range result.Events {
		t.Events[e.Kind]++
	}
}

// byCase groups rows by case, the cases in the order of the file, the rows of each in the order of
// time and, at the same time, of the file.
func byCase(rows []Row) [][]Row {
	var cases [][]Row
	index := map[string]int{}
	for _, r := range rows {
		i, ok := index[r.caseID]
		if !ok {
			i = len(cases)
			index[r.caseID] = i
			cases = append(cases, nil)
		}
		cases[i] = append(cases[i], r)
	}
	for _, c := range cases {
		slices.SortStableFunc(c, func(a, b Row) int { return a.at.Compare(b.at) })
	}
	return cases
}

// commands are what the row comes to when its case has the status: whatever opens, reopens or
// resumes the conversation first, then the row's own command. The closing of a closed case comes to
// nothing.
func (r *Row) commands(status convo.Status, key string) []convo.Command {
	by := r.by()
	var cmds []convo.Command
	switch {
	case status == "":
		cmds = append(cmds, convo.Open{By: by, At: r.at, Source: convo.SourceImport})
	// which says that it still is
	case status == convo.StatusPending && r.command != convo.CommandSetPending:
		cmds = append(cmds, convo.Resume{By: by, At: r.at, Source: convo.SourceImport})
	case status == convo.StatusClosed && r.command == convo.CommandClose:
		return nil
	case status == convo.StatusClosed:
		cmds = append(cmds, convo.Reopen{By: by, At: r.at, Source: convo.SourceImport})
	}
	return append(cmds, r.own(by, key))
}

// own is the row's own command. Its key covers those before it in the call too.
func (r *Row) own(by convo.Actor, key string) convo.Command {
	switch r.command {
	case convo.CommandOpen:
		return convo.Open{By: by, At: r.at, Key: key, Source: convo.SourceImport}
	case convo.CommandClose:
		return convo.Close{By: by, At: r.at, Key: key, Source: convo.SourceImport}
	case convo.CommandSetPending:
		return convo.SetPending{By: by, At: r.at, Key: key}
	case convo.CommandAssign:
		return convo.Assign{By: by, At: r.at, Key: key, Assignee: r.resource}
	case convo.CommandSend:
		return convo.Send{By: by, At: r.at, Key: key, Body: r.activity}
	case convo.CommandReceive:
		return convo.Receive{By: by, At: r.at, Key: key, Body: r.activity}
	default:
		return convo.Note{By: by, At: r.at, Key: key, Body: r.activity}
	}
}

// next is the status that the row leaves its case in.
func (r *Row) next() convo.Status {
	switch r.command {
	case convo.CommandClose:
		return convo.StatusClosed
	case convo.CommandSetPending:
		return convo.StatusPending
	}
	return convo.StatusOpen
}

func (r *Row) by() convo.Actor {
	switch {
	case r.command == convo.CommandReceive:
		return convo.ByContact()
	case r.resource == "":
		return convo.ByAutomation("")
	}
	return convo.ByUser(r.resource)
}

// key is the same whenever the i-th activity of the case is imported. It is a hash because a case
// id may be as long as a key may be.
func (r *Row) key(i int) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", r.caseID, i)).String()
}
