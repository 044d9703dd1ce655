package report

// Expressions are a measure in SQL, over one row of a cycle or of a message.
type Expressions struct {
	// Count is how often the measure is in the row: an integer, 0 or NULL where it is not.
	Count string
	// Micros is how long together, in microseconds, NULL where it does not count; empty if the
	// measure has no durations.
	Micros string
	// DistinctOf is the value of which different ones are counted; empty if the measure counts all.
	DistinctOf string
	// One says that Count is at most 1, so that a Micros that is not NULL is one duration.
	One bool
}

// SQL writes m in SQL, for stores: standard SQL of comparisons, CASE and constants, without
// placeholders. name says how a column is called in the statement. It is safe for concurrent use.
func (m Measure) SQL(name func(Column) string) Expressions {
	d := m.declared()
	x := Expressions{Count: "1", One: d.count == 0}
	if d.distinct != 0 {
		x.DistinctOf = name(d.distinct)
	}
	if d.count != 0 {
		x.Count = name(d.count)
	}
	switch {
	case d.sum != 0:
		x.Micros = name(d.sum)
	case d.from != 0:
		x.Micros = name(d.to) + " - " + name(d.from)
		if d.less != 0 { // no less than nothing, and NULL where a time is
			x.Micros = "CASE WHEN " + x.Micros + " <= " + name(d.less) +
				" THEN 0 ELSE " + x.Micros + " - " + name(d.less) + " END"
		}
	}
	if len(d.minus) > 0 {
		x.Count = "CASE WHEN " + sqlOf(d.when, name) + " THEN 1 WHEN " + sqlOf(d.minus, name) +
			" THEN -1 END"
		return x
	}
	when := sqlOf(d.when, name)
	for _, c := range []Column{d.from, d.to} {
		if c != 0 && columns[c].optional && c != timeBases[d.basis].at {
			if when != "" {
				when += " AND "
			}
			when += name(c) + " IS NOT NULL"
		}
	}
	if when == "" {
		return x
	}
	for _, e := range []*string{&x.Count, &x.Micros, &x.DistinctOf} {
		if *e != "" {
			*e = "CASE WHEN " + when + " THEN " + *e + " END"
		}
	}
	return x
}

// SQL writes the time of b in SQL, in microseconds; NULL where there is none.
func (b TimeBasis) SQL(name func(Column) string) string { return name(timeBases[b].at) }

// SQL writes the value of d in SQL, of what is measured by b; empty if that does not have d.
func (d Dimension) SQL(b TimeBasis, name func(Column) string) string {
	if t := d.textOf(b); t != nil {
		return t.sql(name)
	}
	return ""
}
