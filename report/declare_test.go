package report

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// every yields the columns that conditions are about.
func every(conditions []condition, yield func(c condition, column Column)) {
	for _, c := range conditions {
		if c.op == opNot {
			every(c.all, yield)
			continue
		}
		yield(c, c.column)
	}
}

func checkConditions(t *testing.T, conditions []condition) {
	t.Helper()
	every(conditions, func(c condition, column Column) {
		switch c.op {
		case opIs:
			assert.NotNil(t, columns[column].text, "%s is no text", column.Name())
		case opSame:
			assert.NotNil(t, columns[column].text, "%s is no text", column.Name())
			assert.NotNil(t, columns[c.other].text, "%s is no text", c.other.Name())
		default:
			assert.NotNil(t, columns[column].number, "%s is no number", column.Name())
		}
	})
}

// checkNumber fails unless all that n is made of are numbers.
func checkNumber(t *testing.T, n number) {
	t.Helper()
	switch n := n.(type) {
	case Column:
		assert.NotNil(t, columns[n].number, "%s is no number", n.Name())
	case extreme:
		checkNumber(t, n.a)
		checkNumber(t, n.b)
	case choice:
		checkConditions(t, n.when)
		checkNumber(t, n.then)
		checkNumber(t, n.otherwise)
	default:
		assert.Fail(t, "what is it?", "%T", n)
	}
}

func TestEveryMeasureIsDeclaredWhole(t *testing.T) {
	seen := map[Measure]bool{}
	for _, m := range Measures() {
		t.Run(string(m), func(t *testing.T) {
			require.True(t, m.Known())
			require.False(t, seen[m], "it is declared twice")
			seen[m] = true
			d := m.declared()
			assert.NotEmpty(t, m.Definition())
			assert.LessOrEqual(t, len(m), 32, "as long as the column of rollups")
			checkConditions(t, d.when)
			checkConditions(t, d.minus)
			assert.Equal(t, d.from == nil, d.to == nil, "a duration has two ends")
			if d.from != nil {
				checkNumber(t, d.from)
				checkNumber(t, d.to)
				assert.Empty(t, d.minus, "a minimum cannot be taken away")
			}
			assert.True(t, d.less == 0 || columns[d.less].number != nil)
			assert.True(t, d.score == 0 || columns[d.score].number != nil && d.from == nil &&
				d.minus == nil && d.rollup == nil, "a score may change later")
			assert.True(t, d.distinct == 0 || columns[d.distinct].text != nil)
			assert.False(t, d.distinct != 0 && (m.Timed() || len(d.rollup) > 0),
				"what is distinct does not add up")
			if d.workingOf != "" {
				assert.Equal(t, m, workingTime(d.workingOf))
				assert.True(t, d.workingOf.Timed() && !d.workingOf.Working())
				assert.Empty(t, d.rollup, "rollups know no calendar")
			} else if d.distinct == 0 && d.score == 0 {
				assert.NotEmpty(t, d.rollup, "else it is not quick")
			}
			for _, term := range d.rollup {
				assert.True(t, term.Measure.InRollups(), "rollups have no rows of %s", term.Measure)
				assert.Equal(t, d.subject, term.Measure.Subject())
				assert.False(t, term.Minus && m.Timed(), "a minimum cannot be taken away")
				assert.False(t, m.Timed() && !term.Measure.Timed(), "%s has no sketch",
					term.Measure)
			}
		})
	}
}

func TestEverySubjectIsDeclaredWhole(t *testing.T) {
	known := slices.Concat(MessageKinds, LifecycleKinds, RatingKinds)
	for s := range subjects {
		assert.NotEmpty(t, subjects[s].kinds)
		assert.Subset(t, known, subjects[s].kinds, "else no store has an index of them")
		checkConditions(t, subjects[s].when)
		assert.True(t, subjects[s].user.Fits(Subject(s)), "whom it is credited to")
		assert.True(t, Team.Fits(Subject(s)) || Subject(s) == OfMessages)
	}
}

func TestEveryDimensionIsDeclaredWhole(t *testing.T) {
	seen := map[Dimension]bool{}
	for _, d := range Dimensions() {
		t.Run(string(d), func(t *testing.T) {
			require.True(t, d.Known())
			require.False(t, seen[d], "it is declared twice")
			seen[d] = true
			assert.LessOrEqual(t, len(d), 32, "as long as the column of rollups")
			require.NotEmpty(t, dimensions[d].of)
			for s, t2 := range dimensions[d].of {
				checkConditions(t, t2.when)
				for _, o := range []operand{t2.then, t2.otherwise} {
					assert.True(t, o.column == 0 || columns[o.column].text != nil)
				}
				assert.Equal(t, t2.names != nil, t2.number != 0)
				assert.Equal(t, t2.tokens, d.Several())
				for _, c := range []Column{t2.then.column, t2.otherwise.column, t2.number} {
					changes := c != 0 && (c.Table() == CycleTable || c.Table() == RatedTable)
					assert.False(t, changes && d.InRollups(s),
						"what changes after the event is in no rollup")
				}
			}
		})
	}
}

// What only a mark has is in no SQL, and is nothing where events are not taken apart.
func TestOnlyWhatSplitsReadsMarks(t *testing.T) {
	refuse := func(s Subject, conditions []condition) {
		every(conditions, func(_ condition, column Column) {
			assert.True(t, s.Splits() || column.Table() != markTable, "of subject %d", s)
		})
	}
	for s := range subjects {
		every(subjects[s].when, func(_ condition, column Column) {
			assert.NotEqual(t, markTable, column.Table(), "it says which events to read")
		})
	}
	name := func(c Column) string { return "ev." + c.Name() }
	for _, m := range measureTable {
		refuse(m.subject, m.when)
		refuse(m.subject, m.minus)
		if m.subject.Splits() {
			assert.Equal(t, Expressions{}, m.name.SQL(name), m.name)
			assert.False(t, m.name.CountsDistinct() || m.name.Timed(), "stores count it in Go")
		}
	}
	for _, d := range Dimensions() {
		for s, of := range dimensions[d].of {
			refuse(s, of.when)
			if of.then.column.Table() == markTable {
				assert.True(t, s.Splits(), d)
				assert.Empty(t, d.SQL(s, name), d)
			}
		}
	}
}

func TestMeasuresAndDimensionsAreTheCallersToKeep(t *testing.T) {
	measures, dimensions := Measures(), Dimensions()
	slices.Reverse(measures)
	slices.Reverse(dimensions)
	assert.Equal(t, Opened, Measures()[0])
	assert.Equal(t, Channel, Dimensions()[0])
}

// As text and as value: what is written in SQL is what is evaluated in Go.
func TestExpressionsAreWrittenInSQL(t *testing.T) {
	name := func(c Column) string { return c.Name() }
	sent := "CASE WHEN sent_at < at THEN sent_at ELSE at END"
	replied := "CASE WHEN waiting_since > " + sent + " THEN waiting_since ELSE " + sent + " END"
	first := "COALESCE(replies, 0) = 0 AND waiting_since IS NOT NULL"
	for m, want := range map[Measure]Expressions{
		Opened: {Count: "1"},
		Returning: {Count: "CASE WHEN NOT (kind = 'conversation_opened' AND new_contact IS TRUE) " +
			"THEN 1 END"},
		FirstResolution: {
			Count: "CASE WHEN COALESCE(cycle, 0) = 1 AND opened_at IS NOT NULL THEN 1 END",
			Value: "CASE WHEN COALESCE(cycle, 0) = 1 AND opened_at IS NOT NULL THEN at - opened_at END",
		},
		ActiveResolution: {
			Count: "CASE WHEN opened_at IS NOT NULL THEN 1 END",
			Value: "CASE WHEN opened_at IS NOT NULL THEN " +
				"CASE WHEN at - opened_at <= COALESCE(pending_micros, 0) THEN 0 " +
				"ELSE at - opened_at - COALESCE(pending_micros, 0) END END",
		},
		FirstResponse: {
			Count: "CASE WHEN " + first + " THEN 1 END",
			Value: "CASE WHEN " + first + " THEN " + replied + " - waiting_since END",
		},
		ClosedContacts: {Count: "1", DistinctOf: "origin"},
		Rating:         {Count: "1", Value: "score"},
	} {
		assert.Equal(t, want, m.SQL(name), m)
	}
	assert.Equal(t, "CASE WHEN by_type = 'user' THEN COALESCE(by_id, '') ELSE '' END",
		Author.SQL(OfMessages, name))
	assert.Equal(t, "CASE COALESCE(priority_before, 0) WHEN 0 THEN 'none' WHEN 1 THEN 'low' "+
		"WHEN 2 THEN 'medium' WHEN 3 THEN 'high' WHEN 4 THEN 'urgent' ELSE '' END",
		Priority.SQL(OfClosings, name))
	assert.Empty(t, Author.SQL(OfClosings, name))
	assert.Equal(t, "'it''s'", quoted("it's"))
}
