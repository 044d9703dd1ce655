package sqlstore

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// source is the events that measures are taken from, each with an index by time.
type source int

const (
	messages    source = iota // of convo_events ev: report.MessageKinds
	lifecycle                 // of convo_events ev: report.LifecycleKinds
	ownMessages               // of convo_contact_events ev: of contacts themselves
	reported                  // of convo_events ev: both, without an index by time
	ratings                   // of convo_events ev: report.RatingKinds
)

// sourcesOf are the sources that have what a subject is.
func sourcesOf(of report.Subject) (all []source) {
	for _, s := range []source{messages, lifecycle, ratings} {
		if len(s.kinds(of)) > 0 {
			all = append(all, s)
		}
	}
	if of == report.OfMessages {
		all = append(all, ownMessages)
	}
	return all
}

// all are the kinds of event that the source has.
func (s source) all() []convo.EventKind {
	switch s {
	case lifecycle:
		return report.LifecycleKinds
	case ratings:
		return report.RatingKinds
	case reported:
		return slices.Concat(report.MessageKinds, report.LifecycleKinds)
	}
	return report.MessageKinds
}

// kinds are those that a subject is of.
func (s source) kinds(of report.Subject) (kinds []convo.EventKind) {
	for _, k := range of.Kinds() {
		if slices.Contains(s.all(), k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// inKinds is that an event is of one of the kinds.
func inKinds(kinds []convo.EventKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = "'" + k.String() + "'"
	}
	return "ev.kind IN (" + strings.Join(names, ", ") + ")"
}

// pending says which events are read: all, those that wait for Rollup, or those that do not.
type pending int

const (
	allEvents pending = iota
	onlyPending
	notPending
)

// selection puts a SELECT over a source together, with no more tables than it needs.
type selection struct {
	d       *engine
	source  source
	pending pending

	distinct bool
	columns  []string
	dests    []any // of the columns
	where    string
	args     []any

	conversation bool   // joined
	cycle        string // how that of a closing or rating is joined; empty: not
}

// column is how a column of package report is called here.
func (q *selection) column(c report.Column) string {
	name := c.Name()
	switch c.Table() {
	case report.ConversationTable:
		if q.source == ownMessages {
			return "NULL"
		}
		q.conversation = true
		return "cv." + name
	case report.CycleTable:
		q.cycle = "JOIN"
		return "cy." + name
	case report.RatedTable: // closed, or else the conversation's running one
		q.conversation, q.cycle = true, "LEFT JOIN"
		return "COALESCE(cy." + name + ", cv." + name + ")"
	}
	return "ev." + name
}

// add selects a column, with the arguments of its placeholders. Columns are added before filter.
func (q *selection) add(column string, dest any, args ...any) {
	q.columns, q.dests = append(q.columns, column), append(q.dests, dest)
	q.args = append(q.args, args...)
}

// addGroup selects the value that a groups by.
func (q *selection) addGroup(a *report.Aggregation, value *dialect.Text) {
	if a.GroupBy == "" {
		q.add("''", value)
		return
	}
	q.add(a.GroupBy.SQL(a.Subject(), q.column), value)
}

// addLabels selects what only Go filters by.
func (q *selection) addLabels(a *report.Aggregation, labels *dialect.Text) {
	if d := severalOf(a); d != "" {
		q.add(d.SQL(a.Subject(), q.column), labels)
	} else {
		q.add("''", labels)
	}
}

// severalOf is what a filters by of which one thing may have several values; empty: nothing.
func severalOf(a *report.Aggregation) report.Dimension {
	for _, f := range []report.Filter{a.Filter, a.Exclude} {
		for d, values := range f {
			if d.Several() && len(values) > 0 {
				return d
			}
		}
	}
	return ""
}

// addMeasure selects what st is read from: of each row, or, not each, of many together.
func (q *selection) addMeasure(m report.Expressions, each bool, st *report.Stat) {
	count := (*dialect.Int)(&st.Count)
	switch {
	case each && m.Value != "":
		q.add(m.Value, (*asDuration)(st))
	case each:
		q.add(m.Count, count)
	default:
		q.add("sum("+m.Count+")", count)
	}
	if each || m.Value == "" {
		return
	}
	q.add("sum("+m.Value+")", (*dialect.Int)(&st.Sum))
	q.add("min("+m.Value+")", (*dialect.Int)(&st.Min))
	q.add("max("+m.Value+")", (*dialect.Int)(&st.Max))
}

// addEntry selects what measures and dimensions may be declared in; of that only what is in needed,
// unless that is nil, by the names that column gives.
func (q *selection) addEntry(y *report.Entry, needed map[string]bool) {
	columns := dialect.ReportedEvents
	if q.source == ownMessages {
		columns = dialect.ReportedContactEvents
	}
	columns = columns.Only(func(name string) bool { return needed == nil || needed["ev."+name] })
	names, dests := dialect.Selected(q.d.Dialect, columns, "ev"), columns.Dests(nil, &y.EventRow)
	if q.source != ownMessages {
		for _, c := range []struct {
			name string
			dest any
		}{
			{"cv.origin", (*dialect.Text)(&y.Origin)},
			{"cv.created_at", (*dialect.Micros)(&y.FirstOpenedAt)},
			{"cv.new_contact", (*dialect.Flag)(&y.FirstConversation)},
			{"cy.first_responder_type", (*dialect.Text)(&y.FirstResponder.Type)},
			{"cy.first_responder_id", (*dialect.Text)(&y.FirstResponder.ID)},
			{"cy.first_assignee", (*dialect.Text)(&y.FirstAssignee)},
			{"cy.last_assignee", (*dialect.Text)(&y.LastAssignee)},
			{"cy.last_team", (*dialect.Text)(&y.LastTeam)},
			{"cy.category", (*dialect.Text)(&y.Amended)},
			{"COALESCE(cy.score, cv.score)", (*dialect.Count)(&y.LastScore)},
		} {
			switch {
			case needed != nil && !needed[c.name]:
				continue
			case strings.HasPrefix(c.name, "cv."):
				q.conversation = true
			case q.source == messages: // none of them ends a cycle
				continue
			default:
				q.cycle = "LEFT JOIN"
			}
			names, dests = append(names, c.name), append(dests, c.dest)
		}
	}
	if q.d.OneColumn() {
		q.add(dialect.AsOneColumn(names), dialect.OneColumn(dests))
		return
	}
	q.columns, q.dests = append(q.columns, names...), append(q.dests, dests...)
}

// filter narrows the selection down to what a is about between two times.
func (q *selection) filter(a *report.Aggregation, from, to int64) {
	of := a.Subject()
	kinds := q.source.kinds(of)
	when := "ev.at"
	if q.pending == onlyPending {
		when = "+ev.at" // or the engine may look by time, once for each conversation of the queue
	}
	q.where = "ev.workspace = ? AND " + when + " >= ? AND " + when + " < ? AND " + inKinds(kinds)
	q.args = append(q.args, a.Workspace, from, to)
	if len(kinds) < len(q.source.all()) { // as the index has it
		q.where += " AND " + inKinds(q.source.all())
	}
	if when := of.SQL(q.column); when != "" {
		q.where += " AND " + when
	}
	for i, f := range []report.Filter{a.Filter, a.Exclude} {
		op := [...]string{" IN (", " NOT IN ("}[i]
		for d, values := range f {
			value := d.SQL(of, q.column)
			if len(values) == 0 || d.Several() || value == "" { // Go filters then
				continue
			}
			if d == report.Conversation && q.source == ownMessages { // they have none
				if slices.Contains(values, "") == (i == 1) {
					q.where += " AND 1 = 0"
				}
				continue
			}
			q.where += " AND " + value + op +
				dialect.Placeholders(len(values)) + ")"
			for _, v := range values {
				if d == report.Conversation {
					id, _ := uuid.Parse(v) // else no conversation has it
					q.args = append(q.args, q.d.ID(id))
				} else {
					q.args = append(q.args, v)
				}
			}
		}
	}
}

// statement is the SELECT.
func (q *selection) statement() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	if q.distinct {
		b.WriteString("DISTINCT ")
	}
	for i, column := range q.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(column)
		if q.d.ShortNames {
			b.WriteString(" AS c")
			b.WriteString(strconv.Itoa(i))
		}
	}
	// What is pending is looked up by conversation: its row once, and then its events. PostgreSQL,
	// which may know nothing yet of a workspace that is new, would read all of it.
	conversation := "convo_conversations cv ON cv.workspace = ev.workspace AND" +
		" cv.id = ev.conversation"
	switch {
	case q.source == ownMessages:
		b.WriteString(" FROM convo_contact_events ev")
	case q.pending == onlyPending:
		b.WriteString(" FROM convo_rollup_queue rq")
		if q.conversation {
			b.WriteString(q.d.LookUp("convo_conversations", "cv",
				"cv.workspace = rq.workspace AND cv.id = rq.conversation"))
			conversation = ""
		}
		b.WriteString(q.d.LookUp("convo_events", "ev", "ev.workspace = rq.workspace AND"+
			" ev.conversation = rq.conversation AND ev.seq >= rq.from_seq"))
	default:
		b.WriteString(" FROM convo_events ev")
	}
	if q.pending == notPending && q.source != ownMessages {
		b.WriteString(" LEFT JOIN convo_rollup_queue rq ON rq.workspace = ev.workspace AND" +
			" rq.conversation = ev.conversation AND rq.from_seq <= ev.seq")
	}
	if q.conversation && conversation != "" {
		b.WriteString(" JOIN " + conversation)
	}
	if q.cycle != "" {
		b.WriteString(" " + q.cycle + " convo_cycles cy ON cy.workspace = ev.workspace AND" +
			" cy.conversation = ev.conversation AND cy.number = ev.cycle AND" +
			" ev.kind IN ('conversation_closed', 'conversation_rated')")
	}
	b.WriteString(" WHERE " + q.where)
	switch {
	case q.source == ownMessages:
	case q.pending == onlyPending:
		b.WriteString(" AND rq.workspace = ev.workspace")
	case q.pending == notPending:
		b.WriteString(" AND rq.from_seq IS NULL")
	}
	return b.String()
}

// asDuration is a Stat of one duration or score, or of none.
type asDuration report.Stat

func (d *asDuration) Scan(v any) error {
	var n dialect.Int
	err := n.Scan(v)
	*d = asDuration{}
	if v != nil {
		*d = asDuration{Count: 1, Sum: int64(n), Min: int64(n), Max: int64(n)}
	}
	return err
}
