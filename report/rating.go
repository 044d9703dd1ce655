package report

import (
	"cmp"
	"strconv"

	"github.com/chatlifecycle/convo"
)

// Ratings, declared: a cycle counts once, when it was first rated, as what the conversation was
// then, and with the score that it has now. So a score that takes another one's place changes the
// period of the first one, and no group but that of the score. That is why no rollup has it.

var ratings = subject{
	kinds: []convo.EventKind{convo.ConversationRated}, when: all(not(set(replaces))), user: Closer,
}

var ratingMeasure = measure{
	name: Rating, subject: OfRatings, score: lastScore,
	definition: "cycles that were rated, by the first rating of each, with the score of its last " +
		"one: a rating that takes another one's place changes the past. By who had closed the " +
		"cycle then; one that ran is nobody's. The share is ratings ÷ closed of the period.",
}

// ratedCategory is that of the closing as it is amended; none, where the cycle ran.
var ratedCategory = &text{
	when: all(not(is(closedByType, ""))), then: operand{column: categoryOfRated},
}

// scoreNames are the scores that a policy may allow, as texts.
var scoreNames = func() []string {
	names := make([]string, convo.MaxScore+1)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}()

// compareScores orders scores that are texts.
func compareScores(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// RatedShare is ratings ÷ closed; 0 where nothing was closed. Cycles that were closed earlier may
// be rated in the period, so it may be more than 1.
func (v Values) RatedShare() float64 {
	if closed := v[Closed].Count; closed > 0 {
		return float64(v[Rating].Count) / float64(closed)
	}
	return 0
}
