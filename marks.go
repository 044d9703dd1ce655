package convo

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Mark is what became of a deadline of a conversation: it is the payload of DeadlinePassed, and
// other events carry some.
type Mark struct {
	Deadline string     `json:"deadline"` // its name
	Result   MarkResult `json:"result"`
	Target   Target     `json:"target,omitempty"`
	// Since is when it was armed, Due when it was due; zero while it stands still.
	Since time.Time `json:"since"`
	Due   time.Time `json:"due,omitzero"`
	// Left is what was left of a target when it began to stand still, in whole microseconds: of its
	// working time, if it has Hours.
	Left Duration `json:"left,omitzero"`
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

// Marks are Mark values, one of a deadline, in the order of their names. It is a plain value that
// == compares; in JSON it is an array.
type Marks string

// MarksOf is the marks; of two of one deadline, the later counts.
func MarksOf(marks ...Mark) Marks { return Marks("").with("", marks...) }

// All lists the marks. The slice is the caller's.
func (m Marks) All() (all []Mark) {
	if m != "" {
		_ = json.Unmarshal([]byte(m), &all) // what MarksOf or UnmarshalJSON made
	}
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
		mark.Since, mark.Due = micros(mark.Since), micros(mark.Due)
		at := slices.IndexFunc(all, func(o Mark) bool { return o.Deadline == mark.Deadline })
		if at < 0 {
			all = append(all, mark)
		} else {
			all[at] = mark
		}
	}
	slices.SortFunc(all, func(a, b Mark) int { return strings.Compare(a.Deadline, b.Deadline) })
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
