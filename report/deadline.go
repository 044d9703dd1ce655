package report

import "github.com/chatlifecycle/convo"

// Each calls f with each thing of s that an entry is, if it is any, which the measures of s then
// count in it. Of deadlines these are its marks that are results, one after the other as y.Mark; of
// all else it is the entry itself.
func (s Subject) Each(y *Entry, f func(*Entry)) {
	if !s.has(y) {
		return
	}
	if !s.Splits() {
		f(y)
		return
	}
	for _, m := range y.Marks.All() {
		switch m.Result {
		case convo.MarkMet, convo.MarkMissed, convo.MarkPassed:
			y.Mark = m
			f(y)
		}
	}
	y.Mark = convo.Mark{}
}

// Splits reports whether one event may be several things of s. SQL cannot take them apart: the
// measures of s, and what only a part has of its dimensions, are not written in it, and a store
// reads entries.
func (s Subject) Splits() bool { return subjects[s].splits }

// MetRate is deadlines_met ÷ (deadlines_met + deadlines_missed); 0 where no target was either.
func (v Values) MetRate() float64 {
	met := v[DeadlinesMet].Count
	if all := met + v[DeadlinesMissed].Count; all > 0 {
		return float64(met) / float64(all)
	}
	return 0
}
