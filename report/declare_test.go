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
		assert.False(t, columns[column].optional && c.op != opSet,
			"a condition on NULL is neither true nor false in SQL: %s", column.Name())
		if c.op == opIs {
			assert.NotNil(t, columns[column].text, "%s is no text", column.Name())
		} else {
			assert.NotNil(t, columns[column].number, "%s is no number", column.Name())
		}
	})
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
			for _, c := range []Column{d.count, d.sum, d.from, d.to, d.less} {
				assert.True(t, c == 0 || columns[c].number != nil, "%s is no number", c.Name())
			}
			assert.True(t, d.distinct == 0 || columns[d.distinct].text != nil)
			assert.Equal(t, d.from == 0, d.to == 0, "a duration has two ends")
			assert.False(t, d.from != 0 && (d.sum != 0 || d.count != 0), "a duration is of one")
			assert.False(t, d.sum != 0 && d.count == 0, "a sum is of many")
			assert.False(t, d.distinct != 0 && (m.Durations() || len(d.rollup) > 0),
				"what is distinct does not add up")
			if d.workingOf != "" {
				assert.Equal(t, m, workingTime(d.workingOf))
				assert.True(t, d.workingOf.Timed() && !d.workingOf.Working())
				assert.Empty(t, d.rollup, "rollups know no calendar")
			}
			if d.basis.OfMessages() {
				assert.Empty(t, d.rollup, "rollups are of closed cycles")
			}
			for _, term := range d.rollup {
				assert.True(t, term.Measure.InRollups(), "rollups have no rows of %s", term.Measure)
				assert.Equal(t, d.basis, term.Measure.TimeBasis())
				assert.False(t, term.Minus && m.Durations(), "a minimum cannot be taken away")
				assert.False(t, m.Timed() && !term.Measure.Timed(), "%s has no sketch",
					term.Measure)
			}
		})
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
			declared := dimensions[d]
			assert.True(t, declared.cycles != nil || declared.messages != nil)
			for _, t2 := range []*text{declared.cycles, declared.messages} {
				if t2 == nil {
					continue
				}
				checkConditions(t, t2.when)
				for _, o := range []operand{t2.then, t2.otherwise} {
					assert.True(t, o.column == 0 || columns[o.column].text != nil)
				}
			}
			for _, b := range declared.rollups {
				assert.True(t, d.Fits(b) && !b.OfMessages())
				assert.NotContains(t, []Dimension{Category, Status}, d,
					"what changes after the closing is in no rollup")
			}
		})
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
	for m, want := range map[Measure]Expressions{
		Opened: {Count: "1", One: true},
		Returning: {Count: "CASE WHEN NOT (number = 1 AND new_contact IS TRUE) THEN 1 END",
			One: true},
		FirstResolution: {
			Count:  "CASE WHEN number = 1 THEN 1 END",
			Micros: "CASE WHEN number = 1 THEN closed_at - opened_at END", One: true,
		},
		ActiveResolution: {
			Count: "1", One: true,
			Micros: "CASE WHEN closed_at - opened_at <= pending_micros THEN 0 " +
				"ELSE closed_at - opened_at - pending_micros END",
		},
		Response: {
			Count:  "CASE WHEN responses > 0 THEN responses END",
			Micros: "CASE WHEN responses > 0 THEN response_micros END",
		},
		ClosedContacts: {Count: "1", One: true, DistinctOf: "origin"},
	} {
		assert.Equal(t, want, m.SQL(name), m)
	}
	// A time that is not the one by which it is counted may not be there yet.
	late := measure{basis: ByOpening, from: openedAt, to: closedAt,
		when: []condition{is(status, "it's")}}
	measures["late"] = &late
	defer delete(measures, "late")
	assert.Equal(t, "CASE WHEN status = 'it''s' AND closed_at IS NOT NULL THEN 1 END",
		Measure("late").SQL(name).Count)
	y := &Cycle{Status: "it's"}
	y.OpenedAt = y.CreatedAt
	count, _ := Measure("late").Of(y)
	assert.Zero(t, count)
	assert.Equal(t, "CASE WHEN by_type = 'user' THEN COALESCE(by_id, '') ELSE '' END", Author.SQL(ByMessage, name))
	assert.Empty(t, Author.SQL(ByClosing, name))
}
