package convo

import (
	"encoding/json"
	"slices"
	"time"
)

// Mark is what became of a deadline of a conversation: DeadlinePassed carries one, and other events
// carry some.
type Mark struct {
	Deadline string     `json:"deadline"` // its name
	Result   MarkResult `json:"result"`
	Target   Target     `json:"target,omitempty"`
	// From is what it counts from; empty with a Target.
	From Since `json:"from,omitempty"`
	// Since is when it was armed, Due when it was due; zero while it stands still.
	Since time.Time `json:"since"`
	Due   time.Time `json:"due,omitzero"`
	// Left is what is left of a target while it stands still, and when it goes on, in whole
	// microseconds: of its working time, if it has Hours.
	Left Duration `json:"left,omitzero"`
	// Ran is how long such a one had run by then, and At is when that was: since when it stands
	// still, or goes on. See [Deadline].Pause.
	Ran Duration  `json:"ran,omitzero"`
	At  time.Time `json:"at,omitzero"`
}

// MarkResult is what became of a deadline.
type MarkResult string

// The results.
const (
	MarkPassed  MarkResult = "passed" // one without a target
	MarkMet     MarkResult = "met"    // before its target was due, or just then
	MarkMissed  MarkResult = "missed"
	MarkPaused  MarkResult = "paused"  // it stands still, because the conversation is pending
	MarkResumed MarkResult = "resumed" // it goes on with what was left
)

// Marks are Mark values, one of a deadline, the latest last. It is a plain value that == compares;
// in JSON it is an array.
type Marks string

// maxMarks bounds the marks of a conversation: those of policies that it had before stay until its
// closing.
const maxMarks = 2 * MaxDeadlines

// MarksOf is the marks; of two of one deadline, the later counts.
func MarksOf(marks ...Mark) Marks { return Marks("").with("", marks...) }

// All lists the marks. The slice is the caller's.
func (m Marks) All() []Mark {
	if m == "" {
		return nil
	}
	return m.decoded()
}

// decoded is apart from All, where it would take memory for none.
func (m Marks) decoded() (all []Mark) {
	_ = json.Unmarshal([]byte(m), &all) // what MarksOf or UnmarshalJSON made
	return all
}

// Of is the mark of a deadline, or false.
func (m Marks) Of(deadline string) (Mark, bool) {
	if m != "" {
		for _, one := range m.All() {
			if one.Deadline == deadline {
				return one, true
			}
		}
	}
	return Mark{}, false
}

// without is m but for those that f says.
func (m Marks) without(f func(Mark) bool) Marks {
	if m == "" {
		return m
	}
	all := m.All()
	kept := slices.DeleteFunc(slices.Clone(all), f)
	switch {
	case len(kept) == len(all):
		return m
	case len(kept) == 0:
		return ""
	}
	return MarksOf(kept...)
}

func (m Marks) first() (mark Mark) {
	if all := m.All(); len(all) > 0 {
		mark = all[0]
	}
	return mark
}

// with is m, where those of others and more take the place of what is there of the same deadline.
func (m Marks) with(others Marks, more ...Mark) Marks {
	if others == "" && len(more) == 0 {
		return m
	}
	all := m.All()
	for _, mark := range append(others.All(), more...) {
		mark.Since, mark.Due, mark.At = micros(mark.Since), micros(mark.Due), micros(mark.At)
		all = append(slices.DeleteFunc(all, func(o Mark) bool {
			return o.Deadline == mark.Deadline
		}), mark)
	}
	if len(all) > maxMarks { // the last ones are those of the policy that it has now
		all = all[len(all)-maxMarks:]
	}
	text, _ := json.Marshal(all) // texts and times, which always can be
	return Marks(text)
}

// MarshalJSON implements json.Marshaler.
func (m Marks) MarshalJSON() ([]byte, error) {
	if m == "" {
		return []byte("[]"), nil
	}
	return []byte(m), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Marks) UnmarshalJSON(data []byte) error {
	var all []Mark
	if err := json.Unmarshal(data, &all); err != nil {
		return invalid("marks", "must be a JSON array of marks: "+err.Error())
	}
	*m = MarksOf(all...)
	return nil
}
