package report

// Expressions are a measure in SQL, over one row of an event.
type Expressions struct {
	// Count is how often the measure is in the row: 1, −1, or NULL where it is not.
	Count string
	// Value is how long it took, in microseconds, or its score; NULL where it does not count. Empty
	// if the measure has neither.
	Value string
	// DistinctOf is the value of which different ones are counted; empty if the measure counts all.
	DistinctOf string
}

// SQL writes m in SQL, for stores: standard SQL of comparisons, CASE and constants, without
// placeholders. name says how a column is called in the statement. Of a subject that
// [Subject.Splits] all are empty. It is safe for concurrent use.
func (m Measure) SQL(name func(Column) string) Expressions {
	d := m.declared()
	if d.subject.Splits() {
		return Expressions{}
	}
	x := Expressions{Count: "1"}
	if d.distinct != 0 {
		x.DistinctOf = name(d.distinct)
	}
	if d.from != nil {
		x.Value = d.to.sql(name) + " - " + parenthesized(d.from.sql(name))
		if d.less != 0 { // no less than nothing
			less := d.less.filled("0", name)
			x.Value = "CASE WHEN " + x.Value + " <= " + less + " THEN 0 ELSE " + x.Value +
				" - " + less + " END"
		}
	}
	if d.score != 0 {
		x.Value = name(d.score)
	}
	if len(d.minus) > 0 {
		x.Count = "CASE WHEN " + sqlOf(d.when, name) + " THEN 1 WHEN " + sqlOf(d.minus, name) +
			" THEN -1 END"
		return x
	}
	when := sqlOf(d.when, name)
	for _, n := range []number{d.from, d.to} {
		if n != nil && n.mayMiss() {
			if when != "" {
				when += " AND "
			}
			when += n.sql(name) + " IS NOT NULL"
		}
	}
	if when == "" {
		return x
	}
	for _, e := range []*string{&x.Count, &x.Value, &x.DistinctOf} {
		if *e != "" {
			*e = "CASE WHEN " + when + " THEN " + *e + " END"
		}
	}
	return x
}

func parenthesized(expression string) string {
	if len(expression) > 5 && expression[:5] == "CASE " {
		return "(" + expression + ")"
	}
	return expression
}

// SQL writes in SQL which events s is of, beside their kinds; empty: all of those.
func (s Subject) SQL(name func(Column) string) string { return sqlOf(subjects[s].when, name) }

// SQL writes the value of d in SQL, of what s is; empty if that does not have d, or if only a part
// of an event has it: see [Subject.Splits]. Of labels it is all of them, a convo.Tokens.
func (d Dimension) SQL(s Subject, name func(Column) string) string {
	if t := d.textOf(s); t != nil && t.then.column.Table() != markTable {
		return t.sql(name)
	}
	return ""
}
